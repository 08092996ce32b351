/* SPDX-License-Identifier: Apache-2.0 */
/* Which action an object gets, from what is on the target; and in which wave. */
#include "support.h"

#include <string.h>

#include "restore_support.h"
#include "util/json.h"
#include "util/mem.h"

/* What a server adds to an object. */
#define ADDED ",'uid':'u1','resourceVersion':'41','managedFields':[{'manager':'kubectl'}]"
#define LIVE_CONFIG(value, more, meta)                                                                                                     \
	"{'apiVersion':'v1','kind':'ConfigMap'," META("prod", "app", ADDED meta) ",'data':{'key':'" value "'}" more "}"
#define PUT_CONFIG "PUT /api/v1/namespaces/prod/configmaps/app?dryRun=All "

/* A snapshot with one ConfigMap, and a cluster with this one in its place. */
static void with_config(struct restore_fixture *f, const char *live)
{
	restore_object("configmaps", CONFIG("prod", "app", "one"));
	restore_hello(f);
	fake_cluster_list(&f->cluster, CONFIGS, "v1", "ConfigMap", live);
}

/* ---- actions ---- */

static void test_a_missing_object_is_created(void **state)
{
	struct restore_fixture *f = *state;

	with_config(f, "");
	restore_plan(f);
	assert_action(f->plan, "app", "action", "create");
	assert_int_equal(json_integer_value(json_at(f->plan, "counts", "create", NULL)), 1);
}

static void test_an_object_of_the_same_name_elsewhere_is_another(void **state)
{
	struct restore_fixture *f = *state;

	with_config(f, CONFIG("test", "app", "one"));
	restore_plan(f);
	assert_action(f->plan, "app", "action", "create");
}

static void test_an_equal_object_is_skipped_whatever_the_server_added(void **state)
{
	struct restore_fixture *f = *state;

	with_config(f, LIVE_CONFIG("one", ",'status':{'phase':'x'}", ""));
	restore_plan(f);
	assert_action(f->plan, "app", "action", "skip");
	assert_action(f->plan, "app", "reason", "equal already");
}

/* The server says what it would make of our object: the live one has a field more, which is no default then. */
static void test_a_differing_object_is_a_conflict_field_by_field(void **state)
{
	struct restore_fixture *f = *state;

	with_config(f, LIVE_CONFIG("two", "", ""));
	(void)fake_cluster_say(&f->cluster, PUT_CONFIG, 200, LIVE_CONFIG("one", "", ""));
	restore_plan(f);
	assert_action(f->plan, "app", "action", "conflict");
	assert_action(f->plan, "app", "reason", "differs");
	assert_field(f->plan, "app", "data.key", "\"two\"", "\"one\"");
}

static void test_an_object_that_differs_by_server_defaults_is_skipped(void **state)
{
	struct restore_fixture *f = *state;

	with_config(f, LIVE_CONFIG("one", ",'immutable':false", ""));
	(void)fake_cluster_say(&f->cluster, PUT_CONFIG, 200, LIVE_CONFIG("one", ",'immutable':false", ""));
	restore_plan(f);
	assert_action(f->plan, "app", "action", "skip");
	assert_action(f->plan, "app", "reason", "equal but for the server's defaults");
	assert_int_equal(json_array_size(json_object_get(restore_action(f->plan, "app"), "fields")), 0);
}

/* Without it the server would answer for a state that may have changed meanwhile. */
static void test_the_dry_run_is_held_to_the_version_that_was_seen(void **state)
{
	struct restore_fixture *f = *state;

	with_config(f, LIVE_CONFIG("one", ",'immutable':false", ""));
	(void)fake_cluster_say(&f->cluster, PUT_CONFIG, 200, LIVE_CONFIG("one", ",'immutable':false", ""));
	restore_plan(f);
	assert_int_equal(fake_cluster_seen(&f->cluster, "'resourceVersion':'41'"), 1);
	assert_int_equal(fake_cluster_seen(&f->cluster, "POST "), 0);
}

/* 503: a webhook that is down must not hold up the plan. */
static void test_a_dry_run_that_is_refused_leaves_a_conflict(void **state)
{
	static const int refusals[] = {403, 409, 422, 503};
	struct restore_fixture *f = *state;

	for (size_t i = 0; i < 4; i++) {
		with_config(f, LIVE_CONFIG("one", ",'immutable':true", ""));
		(void)fake_cluster_say(&f->cluster, PUT_CONFIG, refusals[i], "{'kind':'Status','message':'field is immutable'}");
		restore_plan(f);
		assert_action(f->plan, "app", "action", "conflict");
		assert_field(f->plan, "app", "immutable", "true", "(none)");
		restore_free(f->restore);
		f->restore = NULL;
		json_decref(f->plan);
		f->plan = NULL;
		fake_cluster_stop(&f->cluster);
	}
}

static void test_an_object_that_is_being_deleted_is_created_behind_it(void **state)
{
	struct restore_fixture *f = *state;

	with_config(f, LIVE_CONFIG("one", "", ",'deletionTimestamp':'2026-11-20T14:00:00Z'"));
	restore_plan(f);
	assert_action(f->plan, "app", "action", "create");
	assert_action(f->plan, "app", "reason", "when the one that is being deleted on the target is gone");
}

static void test_a_credential_that_differs_is_not_shown(void **state)
{
	struct restore_fixture *f = *state;

	restore_object("configmaps", "{'apiVersion':'v1','kind':'ConfigMap'," META("prod", "app", "") ",'data':{'HF_TOKEN':'hf_one'}}");
	restore_hello(f);
	fake_cluster_list(
		&f->cluster, CONFIGS, "v1", "ConfigMap", "{'metadata':{'namespace':'prod','name':'app'},'data':{'HF_TOKEN':'hf_two'}}");
	(void)fake_cluster_say(&f->cluster, PUT_CONFIG, 422, REFUSED);
	restore_plan(f);
	assert_field(f->plan, "app", "data.HF_TOKEN", "<redacted>", "<redacted>");
}

/* ---- merges ---- */

static void with_space(struct restore_fixture *f, const char *live)
{
	restore_object("namespaces", SPACE("prod", "'istio-injection':'enabled','team':'ml'", ""));
	restore_hello(f);
	fake_cluster_list(&f->cluster, SPACES, "v1", "Namespace", live);
}

static void test_missing_labels_are_merged(void **state)
{
	struct restore_fixture *f = *state;

	with_space(f, SPACE("prod", "'team':'ml'", ADDED));
	restore_plan(f);
	assert_action(f->plan, "prod", "action", "merge");
	assert_action(f->plan, "prod", "reason", "adds what is missing");
	assert_int_equal(json_array_size(json_object_get(restore_action(f->plan, "prod"), "fields")), 0);
}

static void test_a_merge_names_the_label_that_differs(void **state)
{
	struct restore_fixture *f = *state;

	with_space(f, SPACE("prod", "'team':'web'", ADDED));
	restore_plan(f);
	assert_action(f->plan, "prod", "action", "merge");
	assert_field(f->plan, "prod", "metadata.labels.team", "\"web\"", "\"ml\"");
}

static void test_a_label_that_differs_is_a_conflict_when_none_is_missing(void **state)
{
	struct restore_fixture *f = *state;

	with_space(f, SPACE("prod", "'istio-injection':'enabled','team':'web'", ADDED));
	restore_plan(f);
	assert_action(f->plan, "prod", "action", "conflict");
	assert_field(f->plan, "prod", "metadata.labels.team", "\"web\"", "\"ml\"");
}

static void test_labels_that_only_the_target_has_are_nobodys_business(void **state)
{
	struct restore_fixture *f = *state;

	with_space(f, SPACE("prod", "'istio-injection':'enabled','team':'ml','kubernetes.io/metadata.name':'prod'", ADDED));
	restore_plan(f);
	assert_action(f->plan, "prod", "action", "skip");
	assert_action(f->plan, "prod", "reason", "has all that the snapshot has");
}

/* ---- waves ---- */

/* The name of an action: of the wave at this place, of the action at that one. */
static const char *name_at(const json_t *plan, size_t wave, size_t action)
{
	const json_t *row = json_array_get(json_object_get(plan, "waves"), wave);

	return json_text_at(json_array_get(json_object_get(row, "actions"), action), "name", NULL);
}

static const char *wave_at(const json_t *plan, size_t wave)
{
	return json_text_at(json_array_get(json_object_get(plan, "waves"), wave), "name", NULL);
}

static void give_routes_and_services(struct restore_fixture *f)
{
	restore_object("httproutes", ROUTE("prod", "referenced"));
	restore_object("httproutes", ROUTE("prod", "other"));
	restore_object("httproutes", ROUTE("test", "referenced"));
	restore_object("llminferenceservices", SERVICE("prod", "qwen", "'router':{'route':{'http':{'refs':[{'name':'referenced'}]}}}"));
	restore_hello(f);
	fake_cluster_list(&f->cluster, "/httproutes?", ROUTE_VERSION, "HTTPRoute", "");
	fake_cluster_list(&f->cluster, "/llminferenceservices?", SERVICE_VERSION, "LLMInferenceService", "");
}

static void assert_referenced_route_is_early(struct restore_fixture *f, const char *early)
{
	assert_int_equal(json_array_size(json_object_get(f->plan, "waves")), 3);
	assert_string_equal(wave_at(f->plan, 0), early);
	assert_string_equal(name_at(f->plan, 0, 0), "referenced");
	assert_null(name_at(f->plan, 0, 1));
	assert_string_equal(wave_at(f->plan, 1), "services");
	assert_string_equal(wave_at(f->plan, 2), "routes");
	assert_string_equal(name_at(f->plan, 2, 0), "other");
	assert_string_equal(name_at(f->plan, 2, 1), "referenced"); /* of namespace test: not the one that is meant */
}

static void test_a_route_that_a_service_refers_to_comes_before_it(void **state)
{
	struct restore_fixture *f = *state;

	give_routes_and_services(f);
	restore_plan(f);
	assert_referenced_route_is_early(f, "early");
}

static void test_the_built_in_policy_puts_referenced_routes_first_too(void **state)
{
	struct restore_fixture *f = *state;

	give_routes_and_services(f);
	f->settings.policy = "rhaii";
	restore_plan(f);
	assert_referenced_route_is_early(f, "service-routes");
}

static void test_waves_come_in_the_order_of_the_policy(void **state)
{
	static const char *const waves[] = {"plain", "namespaces", "active", "services", "routes"};
	struct restore_fixture *f = *state;

	restore_object("httproutes", ROUTE("prod", "route"));
	restore_object("llminferenceservices", SERVICE("prod", "qwen", ""));
	restore_object("roles", ROLE("prod", "reader"));
	restore_object("namespaces", SPACE("prod", "", ""));
	restore_object("configmaps", CONFIG("prod", "app", "one"));
	restore_hello(f);
	restore_no_configs(f);
	fake_cluster_list(&f->cluster, "/httproutes?", ROUTE_VERSION, "HTTPRoute", "");
	fake_cluster_list(&f->cluster, "/llminferenceservices?", SERVICE_VERSION, "LLMInferenceService", "");
	fake_cluster_list(&f->cluster, "/roles?", "rbac.authorization.k8s.io/v1", "Role", "");
	fake_cluster_list(&f->cluster, "/namespaces?", "v1", "Namespace", "");
	restore_plan(f);
	assert_int_equal(json_array_size(json_object_get(f->plan, "waves")), 5);
	for (size_t i = 0; i < 5; i++)
		assert_string_equal(wave_at(f->plan, i), waves[i]);
}

static void test_actions_of_a_wave_come_in_the_order_of_the_snapshot(void **state)
{
	struct restore_fixture *f = *state;

	restore_object("configmaps", CONFIG("test", "a", "one"));
	restore_object("configmaps", CONFIG("prod", "c", "one"));
	restore_object("configmaps", CONFIG("prod", "b", "one"));
	restore_hello(f);
	restore_no_configs(f);
	restore_plan(f);
	assert_string_equal(name_at(f->plan, 0, 0), "b");
	assert_string_equal(name_at(f->plan, 0, 1), "c");
	assert_string_equal(name_at(f->plan, 0, 2), "a");
}

/* ---- what is asked ---- */

static void test_a_kind_is_asked_for_once_however_many_objects_it_has(void **state)
{
	struct restore_fixture *f = *state;

	restore_object("configmaps", CONFIG("prod", "a", "one"));
	restore_object("configmaps", CONFIG("prod", "b", "one"));
	restore_object("configmaps", CONFIG("test", "c", "one"));
	restore_hello(f);
	restore_no_configs(f);
	restore_plan(f);
	assert_int_equal(fake_cluster_seen(&f->cluster, CONFIGS), 1);
}

/* What the first start of the list has shown is void: the object was deleted meanwhile. */
static void test_a_list_that_expires_is_read_again(void **state)
{
	struct restore_fixture *f = *state;

	restore_object("configmaps", CONFIG("prod", "app", "one"));
	restore_hello(f);
	(void)fake_cluster_say(&f->cluster, CONFIGS, 200,
		"{'apiVersion':'v1','kind':'ConfigMapList','metadata':{'resourceVersion':'7','continue':'more'},'items':[" LIVE_CONFIG(
			"two", "", "") "]}");
	(void)fake_cluster_say(&f->cluster, CONFIGS, 410, "{'kind':'Status','reason':'Expired','message':'too old'}");
	restore_no_configs(f);
	restore_plan(f);
	assert_action(f->plan, "app", "action", "create");
}

/* A folder that somebody put together may hold a kind at two versions: each object is held against the live one of its own. */
static void test_objects_of_two_versions_are_compared_at_their_own(void **state)
{
	struct restore_fixture *f = *state;
	static const char old[] =
		"{'apiVersion':'serving.kserve.io/v1alpha1','kind':'LLMInferenceService'," META("prod", "old", "") ",'spec':{}}";
	static const char new_as_old[] =
		"{'apiVersion':'serving.kserve.io/v1alpha1','kind':'LLMInferenceService'," META("prod", "new", "") ",'spec':{}}";
	auto_free char *old_list = xasprintf("%s,%s", old, new_as_old);

	restore_object("llminferenceservices", SERVICE("prod", "new", ""));
	restore_object("llminferenceservices", old);
	restore_hello(f);
	fake_cluster_list(&f->cluster, "/v1alpha2/llminferenceservices?", SERVICE_VERSION, "LLMInferenceService",
		SERVICE("prod", "new", "") "," SERVICE("prod", "old", ""));
	fake_cluster_list(&f->cluster, "/v1alpha1/llminferenceservices?", "serving.kserve.io/v1alpha1", "LLMInferenceService", old_list);
	restore_plan(f);
	assert_action(f->plan, "new", "reason", "equal already");
	assert_action(f->plan, "old", "reason", "equal already");
}

static void test_a_kind_without_a_row_in_the_policy_is_a_usage_error(void **state)
{
	struct restore_fixture *f = *state;

	restore_object("limitranges", "{'apiVersion':'v1','kind':'LimitRange'," META("prod", "small", "") "}");
	restore_hello(f);
	restore_refused(f, ERR_USAGE, "the policy 'test' has no row for limitranges, which the snapshot holds");
}

/* Nobody's usage is at fault when the snapshot's own policy is damaged. */
static void test_a_damaged_policy_in_the_snapshot_is_damage(void **state)
{
	struct restore_fixture *f = *state;

	support_write_file("snap/policy.yaml", "format: 1\nname: x\nwhat: 1\n");
	restore_refused(f, ERR_INTEGRITY, NULL);
	assert_non_null(strstr(f->err->text, "policy.yaml: "));
}

static void test_an_empty_snapshot_is_an_empty_plan(void **state)
{
	struct restore_fixture *f = *state;

	restore_hello(f);
	restore_plan(f);
	assert_int_equal(json_array_size(json_object_get(f->plan, "waves")), 0);
	assert_int_equal(json_integer_value(json_at(f->plan, "counts", "create", NULL)), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, restore_set_up, restore_tear_down)

static void test_a_plan_says_what_the_pods_need_of_nodes(void **state)
{
	struct restore_fixture *f = *state;
	const json_t *need, *accelerator;

	restore_object("llminferenceservices",
		SERVICE("prod", "qwen", "'replicas':3,'template':{'containers':[{'resources':{'limits':{'nvidia.com/gpu':'2'}}}]}"));
	restore_hello(f);
	fake_cluster_list(&f->cluster, "/llminferenceservices?", SERVICE_VERSION, "LLMInferenceService", "");
	restore_plan(f);
	need = json_array_get(json_object_get(f->plan, "nodes"), 0);
	accelerator = json_array_get(json_object_get(need, "accelerators"), 0);
	assert_string_equal(json_text_at(need, "object", NULL), "LLMInferenceService prod/qwen");
	assert_int_equal(json_integer_value(json_object_get(accelerator, "all")), 6);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_a_missing_object_is_created),
		TEST(test_an_object_of_the_same_name_elsewhere_is_another),
		TEST(test_an_equal_object_is_skipped_whatever_the_server_added),
		TEST(test_a_differing_object_is_a_conflict_field_by_field),
		TEST(test_an_object_that_differs_by_server_defaults_is_skipped),
		TEST(test_the_dry_run_is_held_to_the_version_that_was_seen),
		TEST(test_a_dry_run_that_is_refused_leaves_a_conflict),
		TEST(test_an_object_that_is_being_deleted_is_created_behind_it),
		TEST(test_a_credential_that_differs_is_not_shown),
		TEST(test_missing_labels_are_merged),
		TEST(test_a_merge_names_the_label_that_differs),
		TEST(test_a_label_that_differs_is_a_conflict_when_none_is_missing),
		TEST(test_labels_that_only_the_target_has_are_nobodys_business),
		TEST(test_a_route_that_a_service_refers_to_comes_before_it),
		TEST(test_the_built_in_policy_puts_referenced_routes_first_too),
		TEST(test_waves_come_in_the_order_of_the_policy),
		TEST(test_actions_of_a_wave_come_in_the_order_of_the_snapshot),
		TEST(test_a_kind_is_asked_for_once_however_many_objects_it_has),
		TEST(test_a_list_that_expires_is_read_again),
		TEST(test_objects_of_two_versions_are_compared_at_their_own),
		TEST(test_a_kind_without_a_row_in_the_policy_is_a_usage_error),
		TEST(test_a_damaged_policy_in_the_snapshot_is_damage),
		TEST(test_an_empty_snapshot_is_an_empty_plan),
		TEST(test_a_plan_says_what_the_pods_need_of_nodes),
	};

	return cmocka_run_group_tests_name("restore_plan", tests, NULL, NULL);
}
