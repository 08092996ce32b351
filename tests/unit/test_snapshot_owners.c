/* SPDX-License-Identifier: Apache-2.0 */
/* Who stands above the generated objects of a cluster: those that come back, orphans, and those that wait for what the snapshot does not hold. */
#include "support.h"

#include <string.h>

#include "snapshot_support.h"
#include "util/json.h"

#define SERVICE_A SERVICE("prod", "a", "")

/* An object with a controller owner: Foo of f.io is no kind of the policy. */
#define OWNED(ns, name, owner_api, owner_kind, owner_name, owner_uid)                                                                      \
	"{" META(ns, name,                                                                                                                 \
		",'ownerReferences':[{'apiVersion':'" owner_api "','kind':'" owner_kind "','name':'" owner_name "','uid':'" owner_uid      \
		"','controller':true}]") "}"
#define MADE_BY(manager)                                                                                                                   \
	",'labels':{'part-of':'service'},'managedFields':[{'manager':'" manager                                                            \
	"','operation':'Update','time':'2026-01-01T00:00:00Z','fieldsV1':{'f:spec':{}}},"                                                  \
	"{'manager':'gc','operation':'Update','time':'2026-01-01T00:00:00Z','fieldsV1':{'f:metadata':{'f:x':{}}}},"                        \
	"{'manager':'kubelet','operation':'Update','subresource':'status','fieldsV1':{'f:status':{}}}]"

static const json_t *orphans(const struct snapshot_fixture *f)
{
	return json_object_get(f->result, "orphans");
}

static const char *orphan_text(const struct snapshot_fixture *f, size_t index, const char *key)
{
	return json_text_at(json_array_get(orphans(f), index), key, NULL);
}

/* ---- whose owner is gone ---- */

static void test_one_whose_owner_is_not_in_the_list_of_its_kind_is_an_orphan(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	snapshot_take_given(f,
		&(struct snapshot_given){.services = SERVICE_A,
			.routes = OWNED("prod", "made", "s.io/v1", "Service", "b", "prod-b") "," OWNED(
				"prod", "alive", "s.io/v1", "Service", "a", "prod-a")});
	assert_int_equal(json_array_size(orphans(f)), 1);
	assert_string_equal(orphan_text(f, 0, "name"), "made");
	assert_string_equal(orphan_text(f, 0, "why"), "controlled by Service b, which is not there any more");
	assert_objects("namespaces/prod/services.s.io/a.yaml");
	assert_file_has("generated.yaml",
		"orphans:\n- group: r.io\n  kind: Route\n  name: made\n  namespace: prod\n  owner:\n    group: s.io\n    kind: Service\n"
		"    name: b\n  resource: routes\n  why: controlled by Service b, which is not there any more\n");
	assert_file_has("snapshot.yaml", "orphans: 1\n");
}

/* The owner's name alone does not make it the owner: another object may be called so by now. */
static void test_the_uid_decides_not_the_name(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	snapshot_take_given(
		f, &(struct snapshot_given){.services = SERVICE_A, .routes = OWNED("prod", "made", "s.io/v1", "Service", "a", "old")});
	assert_int_equal(json_array_size(orphans(f)), 1);
}

static void test_a_child_of_an_orphan_is_one(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	snapshot_take_given(f,
		&(struct snapshot_given){.services = SERVICE_A,
			.routes = OWNED("prod", "low", "r.io/v1", "Route", "high", "prod-high") "," OWNED(
				"prod", "high", "s.io/v1", "Service", "b", "prod-b")});
	assert_int_equal(json_array_size(orphans(f)), 2);
	assert_string_equal(orphan_text(f, 0, "name"), "high");
}

static void test_nothing_of_a_kind_that_is_not_served_is_there(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	snapshot_take_given(
		f, &(struct snapshot_given){.services = SERVICE_A, .routes = OWNED("prod", "made", "gone.io/v1", "Gone", "g", "u")});
	assert_int_equal(json_array_size(orphans(f)), 1);
}

static void test_one_in_deletion_is_no_orphan(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	snapshot_take_given(f,
		&(struct snapshot_given){.services = SERVICE_A,
			.routes = "{" META("prod", "made",
				",'deletionTimestamp':'2026-01-01T00:00:00Z','ownerReferences':[{'apiVersion':'s.io/v1','kind':'Service',"
				"'name':'b','uid':'u','controller':true}]") "}"});
	assert_int_equal(json_array_size(orphans(f)), 0);
	assert_file_has("generated.yaml", "orphans: []\n");
}

/* What a list of another moment does not show may be younger than that. */
static void test_lists_of_different_times_make_no_orphan(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	const struct snapshot_given given = {.services = SERVICE_A, .routes = OWNED("prod", "made", "s.io/v1", "Service", "b", "prod-b")};

	snapshot_hello(f);
	fake_cluster_list(&f->cluster, SERVICES, "s.io/v1", "Service", given.services);
	(void)fake_cluster_say(&f->cluster, ROUTES, 400, "{'kind':'Status','message':'no exact version'}");
	snapshot_take_given(f, &given);
	assert_false(json_is_true(json_object_get(f->result, "pointInTime")));
	assert_int_equal(json_array_size(orphans(f)), 0);
}

static void test_a_service_that_refers_to_an_orphan_needs_it(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	snapshot_take_given(f,
		&(struct snapshot_given){.services = SERVICE("prod", "a", "'route':'made'"),
			.routes = OWNED("prod", "made", "s.io/v1", "Service", "b", "prod-b")});
	assert_file_has("requirements.yaml",
		"name: made\n  namespace: prod\n  neededBy:\n  - Service prod/a\n  optional: false\n"
		"  resource: routes\n  state: required\n");
}

/* ---- whose owner is not ours ---- */

static void test_an_owner_of_a_kind_that_is_not_captured_is_required(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	snapshot_take_given(f,
		&(struct snapshot_given){.services = SERVICE_A, .routes = OWNED("prod", "made", "b.io/v1", "Binding", "top", "top-uid")});
	assert_int_equal(json_array_size(orphans(f)), 0);
	assert_file_has("requirements.yaml",
		"- group: b.io\n  keys: []\n  kind: Binding\n  name: top\n  namespace: prod\n  neededBy:\n  - Route prod/made\n"
		"  optional: false\n  resource: bindings\n  state: required\n");
	assert_int_equal(json_array_size(json_object_get(f->result, "uncovered")), 1);
}

/* Deployment made of a Route of a Binding: the Binding is what is missing. */
static void test_it_is_the_topmost_owner_that_is_required(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	snapshot_take_given(f,
		&(struct snapshot_given){.services = SERVICE_A,
			.routes = OWNED("prod", "middle", "b.io/v1", "Binding", "top", "top-uid"),
			.deployments = OWNED("prod", "low", "r.io/v1", "Route", "middle", "prod-middle")});
	assert_file_has("requirements.yaml", "name: top\n  namespace: prod\n  neededBy:\n  - Deployment prod/low\n  - Route prod/middle\n");
	assert_file_lacks("requirements.yaml", "name: middle");
}

/* Somebody's own Deployment is in no list of the policy that is kept, and it stands above the Route. */
static void test_an_owner_that_is_seen_and_not_captured_is_required(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	snapshot_take_given(f,
		&(struct snapshot_given){.services = SERVICE_A,
			.routes = OWNED("prod", "made", "apps/v1", "Deployment", "own", "prod-own"),
			.deployments = "{" META("prod", "own", "") "}"});
	assert_int_equal(json_array_size(orphans(f)), 0);
	assert_file_has("requirements.yaml", "kind: Deployment\n  name: own\n");
}

static void test_what_an_installed_object_makes_comes_with_it(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	snapshot_take_given(f,
		&(struct snapshot_given){.services = SERVICE_A,
			.routes = ROUTE("prod", "preset", ""),
			.deployments = OWNED("prod", "made", "r.io/v1", "Route", "preset", "prod-preset")});
	assert_int_equal(json_array_size(orphans(f)), 0);
	assert_file_has("requirements.yaml", "requirements: []\n");
}

/* Kinds of the inventory are listed where something is held, and everywhere when that is in many namespaces. */
static void test_children_where_nothing_is_held_are_nobodys_business(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	snapshot_take_given(f,
		&(struct snapshot_given){
			.services = SERVICE_A, .deployments = OWNED("other", "made", "b.io/v1", "Binding", "top", "top-uid")});
	assert_file_has("requirements.yaml", "requirements: []\n");
}

/* ---- that have lost their owner ---- */

static const char rules_text[] =
	"format: 1\n"
	"name: test\n"
	"strip: [metadata.uid, metadata.resourceVersion, metadata.managedFields, metadata.ownerReferences, status]\n"
	"waves: [{name: one}]\n"
	"generated:\n"
	"- {of: '*.*', labels: [part-of=service], managers: [mak*], orphan: true, why: made by the maker}\n"
	"inventory: [{of: deployments.apps}, {of: routes.r.io}]\n"
	"kinds:\n"
	"- {resource: services, group: s.io, kind: Service, wave: one}\n"
	"- {resource: routes, group: r.io, kind: Route, wave: one}\n";

static void take_by_rules(struct snapshot_fixture *f, const char *routes, const char *deployments)
{
	snapshot_policy(f, rules_text);
	snapshot_take_given(f, &(struct snapshot_given){.services = SERVICE_A, .routes = routes, .deployments = deployments});
}

static void test_what_only_its_maker_wrote_is_an_orphan(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	take_by_rules(f, "{" META("prod", "made", MADE_BY("maker")) ",'spec':{}}", NULL);
	assert_int_equal(json_array_size(orphans(f)), 1);
	assert_string_equal(orphan_text(f, 0, "why"), "made by the maker");
	assert_true(json_is_null(json_object_get(json_array_get(orphans(f), 0), "owner")));
	assert_objects("namespaces/prod/services.s.io/a.yaml");
}

/* A copy that somebody made of it, labels and all, is somebody's own. */
static void test_what_somebody_else_wrote_is_authored(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	take_by_rules(f, "{" META("prod", "copy", MADE_BY("kubectl-create")) ",'spec':{}}", NULL);
	assert_int_equal(json_array_size(orphans(f)), 0);
	assert_objects("namespaces/prod/routes.r.io/copy.yaml\nnamespaces/prod/services.s.io/a.yaml");
}

static void test_without_managers_it_is_authored(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	take_by_rules(f, ROUTE("prod", "bare", ",'labels':{'part-of':'service'}"), NULL);
	assert_int_equal(json_array_size(orphans(f)), 0);
	assert_objects("namespaces/prod/routes.r.io/bare.yaml\nnamespaces/prod/services.s.io/a.yaml");
}

static void test_an_orphan_of_a_kind_that_is_only_inventoried_is_told_too(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	take_by_rules(f, NULL, "{" META("prod", "made", MADE_BY("maker")) "}");
	assert_int_equal(json_array_size(orphans(f)), 1);
	assert_string_equal(orphan_text(f, 0, "kind"), "Deployment");
	assert_file_has("generated.yaml", "objects: []\n");
}

/* The second capture knows the objects from the cache. */
static void test_the_next_capture_tells_the_same(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	static const char routes[] = "{" META("prod", "made", MADE_BY("maker")) ",'spec':{}}," OWNED(
		"prod", "lost", "s.io/v1", "Service", "b", "u") "," OWNED("prod", "other", "b.io/v1", "Binding", "top", "top-uid");

	take_by_rules(f, routes, NULL);
	assert_int_equal(json_array_size(orphans(f)), 2);
	take_by_rules(f, routes, NULL);
	assert_false(json_is_true(json_object_get(f->result, "changed")));
	assert_int_equal(json_array_size(orphans(f)), 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, snapshot_set_up, snapshot_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_one_whose_owner_is_not_in_the_list_of_its_kind_is_an_orphan),
		TEST(test_the_uid_decides_not_the_name),
		TEST(test_a_child_of_an_orphan_is_one),
		TEST(test_nothing_of_a_kind_that_is_not_served_is_there),
		TEST(test_one_in_deletion_is_no_orphan),
		TEST(test_lists_of_different_times_make_no_orphan),
		TEST(test_a_service_that_refers_to_an_orphan_needs_it),
		TEST(test_an_owner_of_a_kind_that_is_not_captured_is_required),
		TEST(test_it_is_the_topmost_owner_that_is_required),
		TEST(test_an_owner_that_is_seen_and_not_captured_is_required),
		TEST(test_what_an_installed_object_makes_comes_with_it),
		TEST(test_children_where_nothing_is_held_are_nobodys_business),
		TEST(test_what_only_its_maker_wrote_is_an_orphan),
		TEST(test_what_somebody_else_wrote_is_authored),
		TEST(test_without_managers_it_is_authored),
		TEST(test_an_orphan_of_a_kind_that_is_only_inventoried_is_told_too),
		TEST(test_the_next_capture_tells_the_same),
	};

	return cmocka_run_group_tests_name("snapshot_owners", tests, NULL, NULL);
}
