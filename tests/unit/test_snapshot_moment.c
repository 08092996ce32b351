/* SPDX-License-Identifier: Apache-2.0 */
/* A capture shows the cluster at one resourceVersion, or says that it does not. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "snapshot_support.h"
#include "util/json.h"

#define GONE "{'kind':'Status','reason':'Expired','message':'the version is too old'}"
#define INVALID "{'kind':'Status','reason':'Invalid','message':'resourceVersionMatch: Unsupported value: Exact'}"
#define EXACTLY "limit=500&resourceVersionMatch=Exact&resourceVersion=7 "

static const struct snapshot_given state = {
	.services = SERVICE("prod", "a", "'config':'app'"),
	.routes = ROUTE("prod", "x", ""),
	.configs = CONFIG("prod", "app"),
	.spaces = SPACE("prod"),
	.deployments = CHILD("prod", "a-1", "prod-a"),
};

static bool point_in_time(const struct snapshot_fixture *f)
{
	return json_is_true(json_object_get(f->result, "pointInTime"));
}

static size_t trailers(void)
{
	auto_free char *count = shell_output("git -C repo log -1 --format=%%B clusters/prod | grep -c '^Point-In-Time: no$'; true");

	return strtoul(count, NULL, 10);
}

/* Hello, services, and routes that are answered like this. */
static void give_routes(struct snapshot_fixture *f, int status, const char *body)
{
	snapshot_hello(f);
	fake_cluster_list(&f->cluster, "/services?", "s.io/v1", "Service", state.services);
	(void)fake_cluster_say(&f->cluster, "/routes?", status, body);
}

/* The first list says which version it is; all others are asked for at that one, inventory and namespaces too. */
static void test_all_lists_are_of_the_version_of_the_first(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	snapshot_take_given(f, &state);
	assert_int_equal(snapshot_asked(f, "/services?limit=500 "), 1);
	assert_int_equal(snapshot_asked(f, "/routes?" EXACTLY), 1);
	assert_int_equal(snapshot_asked(f, "/configmaps?" EXACTLY), 1);
	assert_int_equal(snapshot_asked(f, "/api/v1/namespaces?" EXACTLY), 1);
	assert_int_equal(snapshot_asked(f, "/deployments?" EXACTLY), 1);
	assert_true(point_in_time(f));
	assert_int_equal(trailers(), 0);
}

static void test_a_version_that_expires_is_given_up_for_a_newer_one(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	give_routes(f, 410, GONE);
	snapshot_take_given(f, &state);
	assert_int_equal(snapshot_asked(f, "/services?limit=500 "), 2);
	assert_int_equal(snapshot_asked(f, "/routes?" EXACTLY), 2);
	assert_true(point_in_time(f));
}

static void test_after_three_times_each_list_is_of_its_own_time(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	for (int i = 0; i < 3; i++)
		give_routes(f, 410, GONE);
	snapshot_take_given(f, &state);
	assert_int_equal(snapshot_asked(f, "/routes?" EXACTLY), 3);
	assert_int_equal(snapshot_asked(f, "/routes?limit=500 "), 1);
	assert_false(point_in_time(f));
	assert_int_equal(trailers(), 1);
}

static void test_a_server_that_refuses_the_version_is_asked_without(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	give_routes(f, 400, INVALID);
	snapshot_take_given(f, &state);
	assert_int_equal(snapshot_asked(f, "/routes?" EXACTLY), 1);
	assert_int_equal(snapshot_asked(f, "/routes?limit=500 "), 1);
	assert_false(point_in_time(f));
	assert_int_equal(trailers(), 1);
}

/* Before resourceVersionMatch was there, a version meant "not older than". */
static void test_a_server_that_answers_at_another_version_is_asked_without(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	give_routes(f, 200, "{'apiVersion':'r.io/v1','kind':'RouteList','metadata':{'resourceVersion':'8'},'items':[]}");
	snapshot_take_given(f, &state);
	assert_objects("cluster/namespaces/prod.yaml\nnamespaces/prod/configmaps/app.yaml\nnamespaces/prod/routes.r.io/x.yaml\n"
		       "namespaces/prod/services.s.io/a.yaml");
	assert_false(point_in_time(f));
}

/* How it was read is no part of the authored state. */
static void test_the_tree_does_not_tell(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	auto_free char *tree = NULL;

	snapshot_take_given(f, &state);
	tree = xstrdup(snapshot_text(f, "tree"));
	give_routes(f, 400, INVALID);
	snapshot_take_given(f, &state);
	assert_false(point_in_time(f));
	assert_string_equal(snapshot_text(f, "tree"), tree);
	assert_true(json_is_false(json_object_get(f->result, "changed")));
}

/* What we refuse ourselves does not become better by asking in another way. */
static void test_an_object_that_is_refused_is_not_asked_for_again(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	give_routes(f, 200,
		"{'apiVersion':'r.io/v1','kind':'RouteList','metadata':{'resourceVersion':'7'},'items':[" ROUTE("a/b", "x", "") "]}");
	snapshot_refused(f, ERR_REJECTED, NULL);
	assert_int_equal(snapshot_asked(f, "/services?"), 1);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, snapshot_set_up, snapshot_tear_down)
	const struct CMUnitTest tests[] = {
		test(test_all_lists_are_of_the_version_of_the_first),
		test(test_a_version_that_expires_is_given_up_for_a_newer_one),
		test(test_after_three_times_each_list_is_of_its_own_time),
		test(test_a_server_that_refuses_the_version_is_asked_without),
		test(test_a_server_that_answers_at_another_version_is_asked_without),
		test(test_the_tree_does_not_tell),
		test(test_an_object_that_is_refused_is_not_asked_for_again),
	};

	return cmocka_run_group_tests_name("snapshot_moment", tests, NULL, NULL);
}
