/* SPDX-License-Identifier: Apache-2.0 */
/* What is told of an object beside its file: drift, and finalizers that the policy does not know. */
#include "support.h"

#include <string.h>

#include "policy/policy.h"
#include "snapshot_support.h"
#include "util/json.h"

static const char policy_text[] = "format: 1\n"
				  "name: test\n"
				  "strip: [metadata.uid, metadata.resourceVersion, metadata.finalizers, "
				  "'metadata.annotations[''kubectl.kubernetes.io/last-applied-configuration'']']\n"
				  "finalizers: ['known.io/*', foregroundDeletion]\n"
				  "waves: [{name: one}]\n"
				  "kinds:\n"
				  "- {resource: services, group: s.io, kind: Service, wave: one}\n";

#define WITH(name, more, spec) "{" META("prod", name, more) ",'spec':{" spec "}}"
#define APPLIED(spec)                                                                                                                      \
	",'annotations':{'kubectl.kubernetes.io/last-applied-configuration':'{\\'apiVersion\\':\\'s.io/v1\\',\\'spec\\':{" spec "}}\\n'}"

static void take(struct snapshot_fixture *f, const char *services)
{
	snapshot_policy(f, policy_text);
	snapshot_hello(f);
	fake_cluster_list(&f->cluster, SERVICES, "s.io/v1", "Service", services);
	snapshot_take(f);
}

/* The list of the result, one object a line. */
static char *list_of(const struct snapshot_fixture *f, const char *key)
{
	return json_dumps(json_object_get(f->result, key), JSON_COMPACT | JSON_SORT_KEYS);
}

#define FINALIZED                                                                                                                          \
	WITH("a", ",'finalizers':['known.io/x','foregroundDeletion']", "")                                                                 \
	"," WITH("b", ",'finalizers':['other.io/z','known.io/x','other.io/y']", "")

static void test_unknown_finalizers_are_named_and_left_out(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	auto_free char *told = NULL;

	take(f, FINALIZED);
	told = list_of(f, "finalizers");
	assert_string_equal(told,
		"[{\"finalizer\":\"other.io/y\",\"object\":\"Service prod/b\"},"
		"{\"finalizer\":\"other.io/z\",\"object\":\"Service prod/b\"}]");
	assert_file_has("requirements.yaml", "finalizers:\n- finalizer: other.io/y\n  object: Service prod/b\n- finalizer: other.io/z\n");
	assert_file_lacks("objects/namespaces/prod/services.s.io/b.yaml", "finalizers");
}

static void test_they_are_named_again_when_nothing_changed(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	auto_free char *first = NULL, *second = NULL;

	take(f, FINALIZED);
	first = list_of(f, "finalizers");
	take(f, FINALIZED);
	second = list_of(f, "finalizers");
	assert_string_equal(first, second);
	assert_false(json_is_true(json_object_get(f->result, "changed")));
}

#define DRIFTED WITH("a", APPLIED("\\'replicas\\':3"), "'replicas':0") "," WITH("b", APPLIED("\\'replicas\\':3"), "'replicas':3")

/* It is no part of the snapshot, which holds what is live. */
static void test_drift_is_told_and_in_no_file(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	auto_free char *told = NULL;

	take(f, DRIFTED);
	told = list_of(f, "drift");
	assert_string_equal(
		told, "[{\"fields\":[{\"applied\":\"3\",\"live\":\"0\",\"path\":\"spec.replicas\"}],\"object\":\"Service prod/a\"}]");
	assert_file_has("objects/namespaces/prod/services.s.io/a.yaml", "replicas: 0\n");
	assert_file_lacks("objects/namespaces/prod/services.s.io/a.yaml", "last-applied");
	shell("! git -C repo grep -q drift clusters/prod");
}

/* An object that is known is not read, but one that drifted is. */
static void test_drift_is_told_again_when_nothing_changed(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	auto_free char *first = NULL, *second = NULL;

	take(f, DRIFTED);
	first = list_of(f, "drift");
	take(f, DRIFTED);
	second = list_of(f, "drift");
	assert_string_equal(first, second);
}

static void test_what_did_not_drift_is_not_told(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	take(f, WITH("b", APPLIED("\\'replicas\\':3"), "'replicas':3,'default':'x'") "," WITH("c", "", ""));
	assert_int_equal(json_array_size(json_object_get(f->result, "drift")), 0);
}

/* ---- the policy's own rules ---- */

static void take_by_file(struct snapshot_fixture *f, const char *own, const char *services)
{
	auto_free char *text = xasprintf("%s%s", policy_text, own);

	support_write_file("own.yaml", text);
	policy_free(f->policy);
	f->policy = NULL;
	if (policy_load(&f->policy, "./own.yaml", f->err) < 0)
		fail_msg("%s", f->err->text);
	snapshot_hello(f);
	fake_cluster_list(&f->cluster, SERVICES, "s.io/v1", "Service", services);
	snapshot_take(f);
}

#define OWN_RULES "keep:\n- {of: services.s.io, path: metadata.finalizers}\n- metadata.annotations.none\n"
#define OWN_FINALIZED WITH("a", ",'finalizers':['known.io/x']", "")

static void assert_unmatched(const struct snapshot_fixture *f)
{
	auto_free char *told = list_of(f, "unmatchedRules");

	assert_string_equal(told,
		"[{\"of\":\"*.*\",\"path\":\"metadata.annotations['kubectl.kubernetes.io/"
		"last-applied-configuration']\",\"rule\":\"strip\"},"
		"{\"of\":\"*.*\",\"path\":\"metadata.annotations.none\",\"rule\":\"keep\"}]");
}

static void test_a_kept_field_stays_and_rules_that_match_nothing_are_told(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	take_by_file(f, OWN_RULES, OWN_FINALIZED);
	assert_file_has("objects/namespaces/prod/services.s.io/a.yaml", "  finalizers:\n  - known.io/x\n");
	assert_unmatched(f);
}

/* What is known is not read, and its matches count all the same. */
static void test_they_are_told_again_when_nothing_changed(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	take_by_file(f, OWN_RULES, OWN_FINALIZED);
	take_by_file(f, OWN_RULES, OWN_FINALIZED);
	assert_false(json_is_true(json_object_get(f->result, "changed")));
	assert_unmatched(f);
}

/* The text of a policy.yaml has no author of its own. */
static void test_a_policy_from_elsewhere_has_no_own_rules(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	take(f, WITH("a", "", ""));
	assert_int_equal(json_array_size(json_object_get(f->result, "unmatchedRules")), 0);
}

/* ---- by evidence ---- */

static const char by_evidence[] =
	"format: 1\nname: test\nwaves: [{name: one}]\nkinds:\n"
	"- {resource: services, group: s.io, kind: Service, wave: one, strip: [metadata.uid, metadata.resourceVersion, "
	"metadata.managedFields, {path: spec.replicas, managers: [scaler], why: scaled}]}\n";
#define SCALED(name, manager)                                                                                                              \
	WITH(name, ",'managedFields':[{'manager':'" manager "','time':'2026-11-20T14:00:00Z','fieldsV1':{'f:spec':{'f:replicas':{}}}}]",   \
		"'replicas':7")

/* In the first snapshot, which asks for nobody's name, and in the next, which has the objects in its cache. */
static void test_what_only_a_controller_has_set_is_in_no_file(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	for (int i = 0; i < 2; i++) {
		snapshot_policy(f, by_evidence);
		snapshot_hello(f);
		fake_cluster_list(&f->cluster, SERVICES, "s.io/v1", "Service", SCALED("a", "scaler") "," SCALED("b", "kubectl"));
		snapshot_take(f);
		assert_file_lacks("objects/namespaces/prod/services.s.io/a.yaml", "replicas");
		assert_file_has("objects/namespaces/prod/services.s.io/b.yaml", "replicas: 7\n");
		assert_file_lacks("objects/namespaces/prod/services.s.io/b.yaml", "managedFields");
	}
	assert_false(json_is_true(json_object_get(f->result, "changed")));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, snapshot_set_up, snapshot_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_unknown_finalizers_are_named_and_left_out),
		TEST(test_they_are_named_again_when_nothing_changed),
		TEST(test_drift_is_told_and_in_no_file),
		TEST(test_drift_is_told_again_when_nothing_changed),
		TEST(test_what_did_not_drift_is_not_told),
		TEST(test_a_kept_field_stays_and_rules_that_match_nothing_are_told),
		TEST(test_they_are_told_again_when_nothing_changed),
		TEST(test_a_policy_from_elsewhere_has_no_own_rules),
		TEST(test_what_only_a_controller_has_set_is_in_no_file),
	};

	return cmocka_run_group_tests_name("snapshot_remarks", tests, NULL, NULL);
}
