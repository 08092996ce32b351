/* SPDX-License-Identifier: Apache-2.0 */
/* Each thing that can be wrong with a target, alone; and what --ignore, --partial and --wait 0 make of it. */
#include "support.h"

#include <string.h>

#include "restore_support.h"
#include "util/json.h"

#define SPACE_LIST "meta.k8s.io/v1", "PartialObjectMetadata"
#define REVIEW "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews "
#define ALLOWED "{'status':{'allowed':true}}"
#define DENIED "{'status':{'allowed':false}}"
#define DEFINITION(kind) "GET /apis/apiextensions.k8s.io/v1/customresourcedefinitions/" kind " "
#define ESTABLISHED "'status':{'conditions':[{'type':'Established','status':'True'}]}"
#define SERVICES "/llminferenceservices?"

/* ---- kinds and versions ---- */

static void test_a_kind_that_is_not_served(void **state)
{
	struct restore_fixture *f = *state;

	restore_object("referencegrants",
		"{'apiVersion':'gateway.networking.k8s.io/v1beta1','kind':'ReferenceGrant'," META("prod", "grant", "") "}");
	f->settings.policy = "rhaii";
	restore_hello(f);
	restore_blocked_by(
		f, "kinds", "ReferenceGrant prod/grant", "referencegrants.gateway.networking.k8s.io is not served by the target");
}

static void test_a_version_that_is_not_served_is_named_with_those_that_are(void **state)
{
	struct restore_fixture *f = *state;

	restore_object("llminferenceservices",
		"{'apiVersion':'serving.kserve.io/v1','kind':'LLMInferenceService'," META("prod", "qwen", "") ",'spec':{}}");
	restore_hello(f);
	restore_blocked_by(f, "versions", "LLMInferenceService prod/qwen",
		"llminferenceservices.serving.kserve.io: the snapshot holds version v1, the target serves only v1alpha2, v1alpha1");
}

static void with_service(struct restore_fixture *f, const char *definition)
{
	restore_object("llminferenceservices", SERVICE("prod", "qwen", "'replicas':1,'colour':'red'"));
	restore_hello(f);
	fake_cluster_list(&f->cluster, SERVICES, SERVICE_VERSION, "LLMInferenceService", "");
	(void)fake_cluster_say(&f->cluster, DEFINITION("llminferenceservices.serving.kserve.io"), 200, definition);
}

static void test_a_definition_that_is_not_established(void **state)
{
	struct restore_fixture *f = *state;

	with_service(f, "{'status':{'conditions':[{'type':'Established','status':'False'}]}}");
	restore_blocked_by(f, "definitions", "LLMInferenceService prod/qwen",
		"the definition llminferenceservices.serving.kserve.io is not established on the target");
}

static void test_a_definition_that_is_being_deleted(void **state)
{
	struct restore_fixture *f = *state;

	with_service(f, "{'metadata':{'deletionTimestamp':'2026-11-20T14:00:00Z'}," ESTABLISHED "}");
	restore_blocked_by(f, "definitions", "LLMInferenceService prod/qwen",
		"the definition llminferenceservices.serving.kserve.io is being deleted on the target: all its objects go with it");
}

static void test_a_field_that_the_target_would_drop(void **state)
{
	struct restore_fixture *f = *state;

	with_service(f,
		"{" ESTABLISHED ",'spec':{'versions':[{'name':'v1alpha2','served':true,'schema':{'openAPIV3Schema':{'type':'object',"
		"'properties':{'spec':{'type':'object','properties':{'replicas':{'type':'integer'}}}}}}}]}}");
	restore_blocked_by(
		f, "fields", "LLMInferenceService prod/qwen", "LLMInferenceService prod/qwen: the target does not know spec.colour");
}

/* ---- namespaces ---- */

static void test_a_namespace_that_is_being_deleted(void **state)
{
	struct restore_fixture *f = *state;

	restore_object("configmaps", CONFIG("prod", "app", "one"));
	restore_hello_bare(f);
	fake_cluster_list(&f->cluster, SPACES, SPACE_LIST, "{'metadata':{'name':'prod','deletionTimestamp':'2026-11-20T14:00:00Z'}}");
	restore_no_configs(f);
	restore_blocked_by(f, "terminating", "ConfigMap prod/app", "namespace prod is being deleted on the target");
}

/* Two minutes of waiting would not make it. Said once, not once an object. */
static void test_a_namespace_that_is_nowhere(void **state)
{
	struct restore_fixture *f = *state;

	restore_object("configmaps", CONFIG("gone", "app", "one"));
	restore_object("configmaps", CONFIG("gone", "other", "one"));
	restore_hello_bare(f);
	fake_cluster_list(&f->cluster, SPACES, SPACE_LIST, "");
	restore_no_configs(f);
	restore_blocked_by(f, "namespaces", "ConfigMap gone/app", "namespace gone is neither in the snapshot nor on the target");
	assert_int_equal(json_array_size(json_object_get(restore_finding(f->plan, "namespaces"), "objects")), 2);
}

static void test_a_namespace_in_the_snapshot_need_not_be_there(void **state)
{
	struct restore_fixture *f = *state;

	restore_object("configmaps", CONFIG("gone", "app", "one"));
	restore_object("namespaces", SPACE("gone", "", ""));
	restore_hello_bare(f);
	fake_cluster_list(&f->cluster, SPACES, SPACE_LIST, "");
	restore_no_configs(f);
	fake_cluster_list(&f->cluster, SPACES, "v1", "Namespace", "");
	restore_plan(f);
	assert_string_equal(json_text_at(restore_finding(f->plan, "namespaces"), "result", NULL), "ok");
	assert_int_equal(restore_blocked(f->restore, f->err), 0);
}

static void test_namespaces_that_may_not_be_listed_block_nothing(void **state)
{
	struct restore_fixture *f = *state;

	restore_object("configmaps", CONFIG("gone", "app", "one"));
	restore_hello_bare(f);
	(void)fake_cluster_say(&f->cluster, SPACES, 403, "{'kind':'Status','message':'no such right'}");
	restore_no_configs(f);
	restore_plan(f);
	assert_string_equal(json_text_at(restore_finding(f->plan, "namespaces"), "result", NULL), "not checked");
	assert_int_equal(restore_blocked(f->restore, f->err), 0);
}

/* ---- rights ---- */

static void with_two_spaces(struct restore_fixture *f)
{
	restore_object("configmaps", CONFIG("a", "app", "one"));
	restore_object("configmaps", CONFIG("b", "app", "one"));
	restore_hello(f);
	restore_no_configs(f);
}

/* Granted everywhere: one question a verb and kind, however many namespaces. */
static void test_a_right_everywhere_is_asked_for_once(void **state)
{
	struct restore_fixture *f = *state;

	with_two_spaces(f);
	(void)fake_cluster_say(&f->cluster, REVIEW, 201, ALLOWED);
	restore_plan(f);
	assert_string_equal(json_text_at(restore_finding(f->plan, "rights"), "result", NULL), "ok");
	assert_int_equal(fake_cluster_seen(&f->cluster, REVIEW), 1);
}

static void test_a_right_that_is_granted_in_each_namespace_is_enough(void **state)
{
	struct restore_fixture *f = *state;

	with_two_spaces(f);
	(void)fake_cluster_say(&f->cluster, REVIEW, 201, DENIED);
	fake_cluster_say_times(&f->cluster, 2, REVIEW, 201, ALLOWED);
	restore_plan(f);
	assert_string_equal(json_text_at(restore_finding(f->plan, "rights"), "result", NULL), "ok");
	assert_int_equal(fake_cluster_seen(&f->cluster, "'namespace':'a','resource':'configmaps','verb':'create'"), 1);
}

static void test_a_right_that_is_missing(void **state)
{
	struct restore_fixture *f = *state;

	with_two_spaces(f);
	fake_cluster_say_times(&f->cluster, 3, REVIEW, 201, DENIED);
	restore_blocked_by(f, "rights", "ConfigMap a/app", "we may not create configmaps in namespace a, b");
}

static void test_a_list_that_is_forbidden_is_a_right_that_is_missing(void **state)
{
	struct restore_fixture *f = *state;

	restore_object("configmaps", CONFIG("a", "app", "one"));
	restore_hello(f);
	(void)fake_cluster_say(&f->cluster, CONFIGS, 403, "{'kind':'Status','message':'no such right'}");
	(void)fake_cluster_say(&f->cluster, "POST /apis/authorization.k8s.io", 201, DENIED);
	(void)fake_cluster_say(&f->cluster, "POST /apis/authorization.k8s.io", 201, ALLOWED);
	(void)fake_cluster_say(&f->cluster, "POST /apis/authorization.k8s.io", 201, DENIED);
	restore_blocked_by(f, "rights", "ConfigMap a/app", "we may not list configmaps");
}

/* A server that has no reviews is not one that forbids all. */
static void test_rights_that_nobody_tells_block_nothing(void **state)
{
	struct restore_fixture *f = *state;

	with_two_spaces(f);
	restore_plan(f);
	assert_string_equal(json_text_at(restore_finding(f->plan, "rights"), "result", NULL), "not checked");
	assert_int_equal(restore_blocked(f->restore, f->err), 0);
}

/* ---- what a blocker stops ---- */

static void with_blocked_space(struct restore_fixture *f)
{
	restore_object("configmaps", CONFIG("gone", "app", "one"));
	restore_object("configmaps", CONFIG("a", "app", "one"));
	restore_hello(f);
	restore_no_configs(f);
}

static void test_a_check_that_is_ignored_blocks_nothing_and_is_told(void **state)
{
	struct restore_fixture *f = *state;
	struct strlist names = STRLIST_INIT;

	strlist_add(&names, "namespaces");
	f->settings.ignore = &names;
	with_blocked_space(f);
	restore_plan(f);
	assert_int_equal(restore_blocked(f->restore, f->err), 0);
	assert_string_equal(json_text_at(restore_finding(f->plan, "namespaces"), "result", NULL), "failed");
	assert_true(json_is_true(json_object_get(restore_finding(f->plan, "namespaces"), "ignored")));
	strlist_release(&names);
}

static void test_only_a_check_can_be_ignored(void **state)
{
	struct restore_fixture *f = *state;
	struct strlist names = STRLIST_INIT;

	strlist_add(&names, "everything");
	f->settings.ignore = &names;
	restore_refused(f, ERR_USAGE, "there is no check 'everything' that could be ignored");
	strlist_release(&names);
}

static void test_partial_restores_all_that_is_not_blocked(void **state)
{
	struct restore_fixture *f = *state;

	f->settings.partial = true;
	with_blocked_space(f);
	(void)fake_cluster_say(&f->cluster, POST_CONFIG("a"), 201, CONFIG("a", "app", "one"));
	restore_plan(f);
	assert_int_equal(restore_blocked(f->restore, f->err), 0);
	assert_int_equal(restore_apply(f), 0);
	assert_int_equal(json_integer_value(json_at(f->report, "counts", "created", NULL)), 1);
	assert_int_equal(json_integer_value(json_at(f->report, "counts", "blocked", NULL)), 1);
	assert_int_equal(outcome_exit_code(&f->outcome), ERR_PARTIAL);
}

/* The service names a route that cannot come: it would wait for it in vain. */
static void test_partial_stops_what_depends_on_what_is_blocked(void **state)
{
	struct restore_fixture *f = *state;

	f->settings.partial = true;
	restore_object("httproutes", "{'apiVersion':'gateway.networking.k8s.io/v2','kind':'HTTPRoute'," META("prod", "way", "") "}");
	restore_object("llminferenceservices", SERVICE("prod", "qwen", "'router':{'route':{'http':{'refs':[{'name':'way'}]}}}"));
	restore_object("llminferenceservices", SERVICE("prod", "free", ""));
	restore_hello(f);
	fake_cluster_list(&f->cluster, SERVICES, SERVICE_VERSION, "LLMInferenceService", "");
	restore_plan(f);
	assert_action(f->plan, "qwen", "blocked", "it depends on an object that is blocked");
	assert_action(f->plan, "free", "blocked", "(null)");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, restore_set_up, restore_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_a_kind_that_is_not_served),
		TEST(test_a_version_that_is_not_served_is_named_with_those_that_are),
		TEST(test_a_definition_that_is_not_established),
		TEST(test_a_definition_that_is_being_deleted),
		TEST(test_a_field_that_the_target_would_drop),
		TEST(test_a_namespace_that_is_being_deleted),
		TEST(test_a_namespace_that_is_nowhere),
		TEST(test_a_namespace_in_the_snapshot_need_not_be_there),
		TEST(test_namespaces_that_may_not_be_listed_block_nothing),
		TEST(test_a_right_everywhere_is_asked_for_once),
		TEST(test_a_right_that_is_granted_in_each_namespace_is_enough),
		TEST(test_a_right_that_is_missing),
		TEST(test_a_list_that_is_forbidden_is_a_right_that_is_missing),
		TEST(test_rights_that_nobody_tells_block_nothing),
		TEST(test_a_check_that_is_ignored_blocks_nothing_and_is_told),
		TEST(test_only_a_check_can_be_ignored),
		TEST(test_partial_restores_all_that_is_not_blocked),
		TEST(test_partial_stops_what_depends_on_what_is_blocked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
