/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds of `onError: carry` that the cluster serves and that cannot be read: what is kept of them, since when, and when nothing can be kept. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "snapshot_support.h"
#include "util/clock.h"
#include "util/json.h"
#include "util/strbuf.h"

#define FORBIDDEN "{'kind':'Status','message':'no such right'}"
#define SERVICE_A SERVICE("prod", "a", "'config':'app','secret':'s','host':'h.example'")
#define SERVICE_B SERVICE("test", "b", "'configs':['mine','gone','root-ca'],'account':'bot'")

/* The test policy, all of whose kinds are carried. */
static void carry_all(struct snapshot_fixture *f)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	const char *at = snapshot_policy_text, *wave;

	while ((wave = strstr(at, "  wave: one\n")) || (wave = strstr(at, ", wave: one}"))) {
		const char *inner = strstr(at, ", wave: one}");

		wave = inner && inner < wave ? inner : wave;
		strbuf_add(&text, at, (size_t)(wave - at));
		strbuf_adds(&text, *wave == ',' ? ", onError: carry" : "  onError: carry\n");
		strbuf_add(&text, wave, strlen(", wave: one}"));
		at = wave + strlen(", wave: one}");
	}
	strbuf_adds(&text, at);
	snapshot_policy(f, text.buf);
}

static const struct snapshot_given state = {
	.services = SERVICE_A "," SERVICE_B,
	.routes = ROUTE("prod", "x", "") "," ROUTE("prod", "preset", ""),
	.configs = CONFIG("prod", "app") "," CONFIG("prod", "other"),
	.accounts = ACCOUNT("test", "bot"),
	.spaces = SPACE("prod") "," SPACE("test"),
	.deployments = CHILD("prod", "a-1", "prod-a") "," CHILD("prod", "a-2", "prod-a"),
};

/* The rows of one start of a capture. ConfigMaps are asked for in two namespaces: those given, then those of `test`. */
static void give(struct snapshot_fixture *f, const struct snapshot_given *given)
{
	snapshot_give(f, given);
	fake_cluster_list(&f->cluster, "/configmaps?", "v1", "ConfigMap", CONFIG("test", "mine") "," CONFIG("test", "root-ca"));
}

static void take(struct snapshot_fixture *f, const struct snapshot_given *given)
{
	give(f, given);
	snapshot_take(f);
}

/* The rows of a start in which a kind may not be listed, and the question whether the server answers otherwise. What is left over serves the next start. */
static void forbid(struct snapshot_fixture *f, const char *path, const struct snapshot_given *given)
{
	(void)fake_cluster_say(&f->cluster, path, 403, FORBIDDEN);
	give(f, given);
	(void)fake_cluster_say(&f->cluster, "GET /version ", 200, "{'gitVersion':'v1.34.1'}");
}

static void take_without(struct snapshot_fixture *f, const char *path, const struct snapshot_given *given)
{
	forbid(f, path, given);
	take(f, given);
}

static char *captured(const char *key)
{
	return shell_output("git -C repo cat-file -p refs/rhaii-dr/captured/prod | grep '^%s: ' || true", key);
}

static char *commits(void)
{
	return shell_output("git -C repo rev-list --count clusters/prod");
}

static void assert_stale(const struct snapshot_fixture *f, const char *resource, const char *since)
{
	const json_t *mark = json_array_get(json_object_get(f->result, "stale"), 0);

	assert_int_equal(json_array_size(json_object_get(f->result, "stale")), 1);
	assert_string_equal(json_text_at(mark, "resource", NULL), resource);
	assert_string_equal(json_text_at(mark, "since", NULL), since);
	assert_non_null(strstr(json_text_at(mark, "error", NULL), "no such right"));
}

static void assert_fresh(const struct snapshot_fixture *f)
{
	assert_int_equal(json_array_size(json_object_get(f->result, "stale")), 0);
}

/* ---- what is kept ---- */

/* Whichever kind it is: with all that follows from its objects, the tree is the one that the list would have given. */
static void test_any_kind_that_cannot_be_read_leaves_the_tree_as_it_is(void **fixture)
{
	static const char *const paths[][2] = {{"/services?", "services"}, {"/routes?", "routes"}, {"/certificates?", "certificates"},
		{"/namespaces/prod/configmaps?", "configmaps"}, {"/serviceaccounts?", "serviceaccounts"},
		{"GET /api/v1/namespaces?", "namespaces"}};
	struct snapshot_fixture *f = *fixture;
	auto_free char *tree = NULL, *since = NULL, *count = NULL;

	carry_all(f);
	take(f, &state);
	tree = xstrdup(snapshot_text(f, "tree"));
	since = xstrdup(snapshot_text(f, "capturedAt"));
	assert_file_has("requirements.yaml", "state: generated");
	assert_file_has("requirements.yaml", "state: missing");
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		take_without(f, paths[i][0], &state);
		assert_string_equal(snapshot_text(f, "tree"), tree);
		assert_true(json_is_false(json_object_get(f->result, "changed")));
		assert_int_equal(json_array_size(json_object_get(f->result, "stale")), 1);
		assert_string_equal(json_text_at(json_array_get(json_object_get(f->result, "stale"), 0), "resource", NULL), paths[i][1]);
	}
	count = commits();
	assert_string_equal(count, "1");
}

static void test_the_other_kinds_go_on(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	auto_free char *since = NULL, *trailer = NULL, *expected = NULL;
	struct snapshot_given more = state;

	carry_all(f);
	take(f, &state);
	since = xstrdup(snapshot_text(f, "capturedAt"));
	more.services = SERVICE_A "," SERVICE_B "," SERVICE("prod", "c", "");
	more.routes = ROUTE("prod", "new", "");
	take_without(f, "/routes?", &more);
	assert_stale(f, "routes", since);
	assert_file_has("objects/namespaces/prod/services.s.io/c.yaml", "name: c");
	assert_file_has("objects/namespaces/prod/routes.r.io/x.yaml", "name: x");
	assert_int_equal(snapshot_number(f, "added"), 1);
	assert_int_equal(snapshot_number(f, "removed"), 0);
	trailer = shell_output("git -C repo log -1 --format='%%(trailers:key=Stale)' clusters/prod | grep .");
	expected = xasprintf("Stale: routes.r.io since %s", since);
	assert_string_equal(trailer, expected);
}

/* The first page, and the list of another namespace, were there: both are of the same kind, and older things are kept of it whole. */
static void test_nothing_of_what_the_broken_lists_gave_stays(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	struct snapshot_given changed = state;

	carry_all(f);
	changed.configs = CONFIG("prod", "app");
	changed.services = SERVICE("prod", "a", "'config':'app'") "," SERVICE("test", "b", "'config':'mine'");
	take(f, &changed);
	(void)fake_cluster_say(&f->cluster, CONFIGS_OF("prod"), 200,
		"{'apiVersion':'v1','kind':'ConfigMapList','metadata':{'resourceVersion':'7'},'items':[{" META(
			"prod", "app", "") ",'data':{'key':'two'}}]}");
	(void)fake_cluster_say(&f->cluster, CONFIGS_OF("test"), 200,
		"{'apiVersion':'v1','kind':'ConfigMapList','metadata':{'resourceVersion':'7','continue':'more'},'items':[{" META(
			"test", "mine", "") ",'data':{'key':'two'}}]}");
	(void)fake_cluster_say(&f->cluster, "continue=more", 403, FORBIDDEN);
	(void)fake_cluster_say(&f->cluster, "continue=more", 403, FORBIDDEN);
	take_without(f, "/none", &changed);
	assert_true(json_is_false(json_object_get(f->result, "changed")));
	assert_file_has("objects/namespaces/prod/configmaps/app.yaml", "key: one");
	assert_int_equal(json_array_size(json_object_get(f->result, "stale")), 1);
}

/* Of a kind that is kept whole nothing goes because nothing refers to it any more: the reference may come back before the right does. */
static void test_what_nothing_refers_to_any_more_is_kept_too(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	struct snapshot_given less = state;

	carry_all(f);
	take(f, &state);
	less.services = SERVICE("prod", "a", "") "," SERVICE_B;
	take_without(f, "/namespaces/test/configmaps?", &less);
	assert_file_has("objects/namespaces/prod/configmaps/app.yaml", "key: one");
	assert_stale(f, "configmaps", json_text_at(json_array_get(json_object_get(f->result, "stale"), 0), "since", NULL));
}

static void test_children_are_known_by_those_that_are_still_there(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	struct snapshot_given other = state;

	carry_all(f);
	take(f, &state);
	other.deployments = CHILD("prod", "a-2", "prod-a") "," CHILD("prod", "a-3", "prod-a") "," CHILD("prod", "z-1", "prod-z");
	take_without(f, "/services?", &other);
	assert_file_lacks("generated.yaml", "name: a-1");
	assert_file_has("generated.yaml", "name: a-2");
	assert_file_has("generated.yaml", "name: a-3");
	assert_file_lacks("generated.yaml", "name: z-1");
}

/* Routes are inventoried: one that a Service owned when they could be listed is still its child, but not of a Service that is gone. */
static void test_children_of_a_kept_kind_go_with_their_owner(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	struct snapshot_given owned = state;

	carry_all(f);
	owned.services = SERVICE_A "," SERVICE_B "," SERVICE("prod", "c", "");
	owned.routes = CHILD("prod", "of-a", "prod-a") "," CHILD("prod", "of-c", "prod-c");
	take(f, &owned);
	assert_file_has("generated.yaml", "name: of-c");
	take_without(f, "/routes?", &state);
	assert_file_has("generated.yaml", "name: of-a");
	assert_file_lacks("generated.yaml", "name: of-c");
}

/* One that had lost its owner is told with the kind that it is of, in the place and the words of the last list. */
static void test_orphans_of_a_kept_kind_are_kept(void **fixture)
{
	static const char orphan[] = "orphans:\n- group: r.io\n  kind: Route\n  name: lost\n  namespace: prod\n  owner:\n    group: s.io\n"
				     "    kind: Service\n    name: x\n";
	struct snapshot_fixture *f = *fixture;
	struct snapshot_given lost = state;

	carry_all(f);
	lost.routes = ROUTE("prod", "x", "") "," CHILD("prod", "lost", "prod-gone");
	take(f, &lost);
	assert_file_has("generated.yaml", orphan);
	take_without(f, "/routes?", &lost);
	assert_file_has("generated.yaml", orphan);
	assert_file_has("snapshot.yaml", "orphans: 1\n");
	assert_false(json_is_true(json_object_get(f->result, "changed")));
	take(f, &state);
	assert_file_has("generated.yaml", "orphans: []\n");
}

/* ---- the mark ---- */

static void test_the_mark_stays_at_the_last_time_that_the_kind_was_read(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	auto_free char *since = NULL, *mark = NULL, *expected = NULL;

	carry_all(f);
	take(f, &state);
	since = xstrdup(snapshot_text(f, "capturedAt"));
	expected = xasprintf("Stale: routes.r.io since %s", since);
	for (int i = 0; i < 2; i++) {
		auto_free char *line = NULL;

		clock_sleep_ms(1100);
		take_without(f, "/routes?", &state);
		assert_string_not_equal(snapshot_text(f, "capturedAt"), since);
		assert_stale(f, "routes", since);
		line = captured("Stale");
		assert_string_equal(line, expected);
	}
	take(f, &state);
	assert_fresh(f);
	mark = captured("Stale");
	assert_string_equal(mark, "");
}

static void test_a_kind_that_fails_again_is_stale_since_it_was_read_again(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	auto_free char *since = NULL;

	carry_all(f);
	take(f, &state);
	take_without(f, "/routes?", &state);
	clock_sleep_ms(1100);
	take(f, &state);
	since = xstrdup(snapshot_text(f, "capturedAt"));
	take_without(f, "/routes?", &state);
	assert_stale(f, "routes", since);
}

static void test_several_kinds_have_a_mark_each_in_the_order_of_the_policy(void **fixture)
{
	static const char *const paths[] = {"/serviceaccounts?", "/certificates?", "/routes?"};
	struct snapshot_fixture *f = *fixture;
	auto_free char *marks = NULL, *expected = NULL;
	const char *since;

	carry_all(f);
	take(f, &state);
	for (size_t i = 0; i < 3; i++)
		(void)fake_cluster_say(&f->cluster, paths[i], 403, FORBIDDEN);
	fake_cluster_say_times(&f->cluster, 3, "GET /version ", 200, "{'gitVersion':'v1.34.1'}");
	for (size_t i = 0; i < 3; i++)
		give(f, &state);
	take(f, &state);
	since = json_text_at(json_array_get(json_object_get(f->result, "stale"), 0), "since", NULL);
	marks = captured("Stale");
	expected = xasprintf(
		"Stale: routes.r.io since %s\nStale: certificates.c.io since %s\nStale: serviceaccounts since %s", since, since, since);
	assert_string_equal(marks, expected);
}

static void test_an_accepted_capture_keeps_its_marks(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	struct snapshot_given fewer = state;
	auto_free char *id = NULL, *marks = NULL;
	struct error err = ERROR_INIT;

	carry_all(f);
	take(f, &state);
	fewer.accounts = NULL;
	fewer.services = SERVICE_A;
	fewer.configs = NULL;
	f->options.max_shrink = 1;
	forbid(f, "/routes?", &fewer);
	give(f, &fewer);
	assert_int_equal(snapshot_run(f), -1);
	assert_int_equal(f->err->code, ERR_GUARD);
	id = xstrdup(snapshot_text(f, "id"));
	json_decref(f->result);
	if (capture_accept(f->store, "prod", id, NULL, &f->result, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(json_array_size(json_object_get(f->result, "stale")), 1);
	marks = shell_output("git -C repo log -1 --format='%%(trailers:key=Stale)' clusters/prod | grep -c routes.r.io");
	assert_string_equal(marks, "1");
}

/* ---- other faults of a kind ---- */

/* A page of another kind is first taken for a server that does not list at a version; what that did to the capture ends with the kind. */
static void test_a_malformed_page_is_of_its_kind_alone(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	carry_all(f);
	take(f, &state);
	fake_cluster_list(&f->cluster, "/routes?", "s.io/v1", "Service", "");
	fake_cluster_list(&f->cluster, "/routes?", "s.io/v1", "Service", "");
	give(f, &state);
	(void)fake_cluster_say(&f->cluster, "GET /version ", 200, "{'gitVersion':'v1.34.1'}");
	give(f, &state);
	give(f, &state);
	snapshot_take(f);
	assert_true(json_is_false(json_object_get(f->result, "changed")));
	assert_true(json_is_true(json_object_get(f->result, "pointInTime")));
	assert_int_equal(json_array_size(json_object_get(f->result, "stale")), 1);
}

static void test_a_kind_that_is_not_served_is_not_carried(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	carry_all(f);
	fake_cluster_hello(&f->cluster, "source", FAKE_VERSION("v1", FAKE_RESOURCE("namespaces", "Namespace", "Cluster")),
		FAKE_GROUP("s.io", FAKE_VERSION("v1", FAKE_RESOURCE("services", "Service", "Namespaced"))));
	take(f, &state);
	fake_cluster_hello(&f->cluster, "source",
		FAKE_VERSION("v1",
			FAKE_RESOURCE("namespaces", "Namespace", "Cluster") "," FAKE_RESOURCE("configmaps", "ConfigMap",
				"Namespaced") "," FAKE_RESOURCE("serviceaccounts", "ServiceAccount", "Namespaced")),
		FAKE_GROUP("s.io", FAKE_VERSION("v1", FAKE_RESOURCE("services", "Service", "Namespaced"))));
	take(f, &state);
	assert_fresh(f);
	assert_int_equal(json_array_size(json_object_get(f->result, "notServed")), 2);
}

/* ---- what is no fault of a kind, and what cannot be kept ---- */

static void fail_without(struct snapshot_fixture *f, const char *path, const char *text)
{
	forbid(f, path, &state);
	snapshot_refused(f, ERR_FORBIDDEN, text);
}

static void test_expired_credentials_are_no_fault_of_a_kind(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	carry_all(f);
	take(f, &state);
	/* asked for ahead, and in earnest */
	for (int i = 0; i < 2; i++)
		(void)fake_cluster_say(&f->cluster, "/routes?", 401, "{'kind':'Status','message':'Unauthorized'}");
	give(f, &state);
	(void)fake_cluster_say(&f->cluster, "GET /version ", 401, "{'kind':'Status','message':'Unauthorized'}");
	snapshot_refused(f, ERR_UNAUTHORIZED, "list of routes.r.io: Unauthorized");
}

static void test_a_first_snapshot_has_nothing_to_keep(void **fixture)
{
	carry_all(*fixture);
	fail_without(*fixture, "/routes?",
		"list of routes.r.io: no such right; no earlier state of it can be kept: there is no snapshot before this one");
}

static void test_a_kind_that_was_never_captured_has_nothing_to_keep(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	snapshot_policy(
		f, "format: 1\nname: test\nwaves: [{name: one}]\nkinds:\n- {resource: services, group: s.io, kind: Service, wave: one}\n");
	take(f, &state);
	carry_all(f);
	fail_without(f, "/routes?",
		"list of routes.r.io: no such right; no earlier state of it can be kept: the snapshot before does not cover this kind");
}

/* What it has of the kind is a part of it. */
static void test_a_narrower_snapshot_has_not_the_whole_kind(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	carry_all(f);
	strlist_add(&f->namespaces, "prod");
	take(f, &state);
	strlist_release(&f->namespaces);
	f->namespaces = (struct strlist)STRLIST_INIT;
	fail_without(f, "/routes?",
		"list of routes.r.io: no such right; no earlier state of it can be kept: the snapshot before covers fewer namespaces");
}

/* A change by hand that nobody has accepted would be in the next commit, as if a snapshot had seen it. */
static void test_a_commit_by_hand_is_not_kept(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	carry_all(f);
	take(f, &state);
	shell("git clone -q -b clusters/prod repo hand 2>&1 && cd hand && sed -i 's/name: x/name: x\\n  labels: {by: hand}/' "
	      "objects/namespaces/prod/routes.r.io/x.yaml && git -c user.name=a -c user.email=a@b commit -qam edit && git push -q 2>&1");
	forbid(f, "/routes?", &state);
	assert_int_equal(snapshot_run(f), -1);
	assert_non_null(strstr(f->err->text, "was not made by a snapshot, or not by it alone"));
}

/* ---- afterwards ---- */

/* The same uid and resourceVersion, so that what the last run kept of it would be taken for it. */
static void test_the_cache_does_not_learn_from_a_kept_kind(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	struct snapshot_given labelled = state;

	carry_all(f);
	take(f, &state);
	take_without(f, "/routes?", &state);
	labelled.routes = ROUTE("prod", "x", ",'labels':{'a':'b'}");
	take(f, &labelled);
	assert_fresh(f);
	assert_file_has("objects/namespaces/prod/routes.r.io/x.yaml", "a: b");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, snapshot_set_up, snapshot_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_any_kind_that_cannot_be_read_leaves_the_tree_as_it_is),
		TEST(test_the_other_kinds_go_on),
		TEST(test_nothing_of_what_the_broken_lists_gave_stays),
		TEST(test_what_nothing_refers_to_any_more_is_kept_too),
		TEST(test_children_are_known_by_those_that_are_still_there),
		TEST(test_children_of_a_kept_kind_go_with_their_owner),
		TEST(test_orphans_of_a_kept_kind_are_kept),
		TEST(test_the_mark_stays_at_the_last_time_that_the_kind_was_read),
		TEST(test_a_kind_that_fails_again_is_stale_since_it_was_read_again),
		TEST(test_several_kinds_have_a_mark_each_in_the_order_of_the_policy),
		TEST(test_an_accepted_capture_keeps_its_marks),
		TEST(test_a_malformed_page_is_of_its_kind_alone),
		TEST(test_a_kind_that_is_not_served_is_not_carried),
		TEST(test_expired_credentials_are_no_fault_of_a_kind),
		TEST(test_a_first_snapshot_has_nothing_to_keep),
		TEST(test_a_kind_that_was_never_captured_has_nothing_to_keep),
		TEST(test_a_narrower_snapshot_has_not_the_whole_kind),
		TEST(test_a_commit_by_hand_is_not_kept),
		TEST(test_the_cache_does_not_learn_from_a_kept_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
