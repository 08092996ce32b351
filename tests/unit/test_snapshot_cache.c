/* SPDX-License-Identifier: Apache-2.0 */
/* With the cache and without it a capture gives the same. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "snapshot_support.h"
#include "util/json.h"
#include "util/strbuf.h"

#define VERSIONED(ns, name, version, spec)                                                                                                 \
	"{'metadata':{'namespace':'" ns "','name':'" name "','uid':'" ns "-" name "','resourceVersion':'" version "'},'spec':{" spec "}}"
#define OWNED(ns, name, uid)                                                                                                               \
	"{" META(ns, name,                                                                                                                 \
		",'ownerReferences':[{'apiVersion':'s.io/v1','kind':'Service','name':'x','uid':'" uid "','controller':true}]") "}"
#define PROD "{'metadata':{'name':'prod','uid':'prod','resourceVersion':'3'}}"
#define SERVICE_A VERSIONED("prod", "a", "5", "'config':'app','class':'fast','host':'a.example.com'")
#define SERVICE_B VERSIONED("prod", "b", "6", "'account':'builder'")

static const struct snapshot_given state = {
	.services = SERVICE_A "," SERVICE_B "," SERVICE("kube-system", "out", ""),
	.routes = ROUTE("prod", "preset", "") "," ROUTE("prod", "x", "") "," OWNED("prod", "child", "prod-a"),
	.certificates = "{" META("prod", "cert", "") ",'spec':{'secret':'made'}}",
	.configs = CONFIG("prod", "app") "," CONFIG("prod", "other") "," CONFIG("prod", "root-ca"),
	.accounts = ACCOUNT("prod", "builder"),
	.spaces = PROD,
	.deployments = CHILD("prod", "a-1", "prod-a"),
};

#define CACHE "repo/rhaii-dr.cache/prod"

/* All of the result that does not tell of the run itself; the caller frees. */
static char *told(const struct snapshot_fixture *f)
{
	static const char *const keys[] = {
		"tree", "objects", "generated", "installed", "kinds", "uncovered", "findings", "maintenance", "notReady", NULL};
	struct strbuf out = STRBUF_INIT;

	for (const char *const *key = keys; *key; key++) {
		json_write(json_object_get(f->result, *key), &out);
		strbuf_addc(&out, '\n');
	}
	return strbuf_detach(&out, NULL);
}

/* The state once more, with this given; it must be told, and be known to the next, as by a capture that knows nothing. */
static void assert_same_without(struct snapshot_fixture *f, const struct snapshot_given *given)
{
	auto_free char *with = NULL, *without = NULL;

	snapshot_take_given(f, given);
	with = told(f);
	shell("cp " CACHE " known && rm -r repo/rhaii-dr.cache");
	snapshot_take_given(f, given);
	without = told(f);
	assert_string_equal(with, without);
	shell("cmp " CACHE " known");
	assert_true(json_is_false(json_object_get(f->result, "changed")));
}

static void test_an_unchanged_cluster_is_the_same_with_and_without(void **fixture)
{
	snapshot_take_given(*fixture, &state);
	assert_same_without(*fixture, &state);
}

static void test_the_whole_tree_is_written_from_what_is_known(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	snapshot_take_given(f, &state);
	snapshot_take_given(f, &state);
	assert_int_equal(snapshot_number(f, "objects"), 7);
	assert_file_has("requirements.yaml", "name: fast");
	assert_fsck("repo");
}

/* What the server sends is not looked at when uid and resourceVersion are known: that is how a test can see it. */
static void test_a_known_version_is_not_read(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	struct snapshot_given lied = state;

	lied.services = VERSIONED("prod", "a", "5", "'config':'another'") "," SERVICE_B;
	snapshot_take_given(f, &state);
	snapshot_take_given(f, &lied);
	assert_true(json_is_false(json_object_get(f->result, "changed")));
}

static void test_a_new_version_is_read(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	struct snapshot_given changed = state;

	changed.services = VERSIONED("prod", "a", "8", "'config':'app','host':'b.example.com'") "," SERVICE_B;
	snapshot_take_given(f, &state);
	assert_same_without(f, &changed);
	assert_file_has("objects/namespaces/prod/services.s.io/a.yaml", "b.example.com");
	assert_file_lacks("requirements.yaml", "name: fast");
}

/* A ConfigMap that nothing referred to was never written: known, and still to be read. */
static void test_what_is_needed_only_now_is_read(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	struct snapshot_given changed = state;

	changed.services = SERVICE_A "," VERSIONED("prod", "b", "8", "'account':'builder','config':'other'");
	snapshot_take_given(f, &state);
	assert_same_without(f, &changed);
	assert_file_has("objects/namespaces/prod/configmaps/other.yaml", "name: other");
}

static void test_an_object_made_again_under_its_name_is_read(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	struct snapshot_given changed = state;

	changed.routes = "{'metadata':{'namespace':'prod','name':'x','uid':'new','resourceVersion':'5'},'spec':{'new':1}}";
	snapshot_take_given(f, &state);
	assert_same_without(f, &changed);
	assert_file_has("objects/namespaces/prod/routes.r.io/x.yaml", "new: 1");
}

/* The cache is read beside the lists, from its start to its end: whatever comes, goes or changes its place must be found, or missed, all the same. */
static void test_objects_come_and_go_in_any_order(void **fixture)
{
#define S(name, version) VERSIONED("prod", name, version, "'host':'" name version "'")
	static const char *const turns[] = {
		S("a", "1") "," S("b", "1") "," S("c", "1") "," S("d", "1"),
		S("a", "1") "," S("c", "1") "," S("d", "1"),                  /* one is gone */
		S("a", "1") "," S("aa", "1") "," S("c", "1") "," S("d", "1"), /* one more */
		S("a", "2") "," S("aa", "1") "," S("c", "2") "," S("d", "2"), /* others, first and last */
		S("d", "2") "," S("c", "2") "," S("aa", "1") "," S("a", "2"), /* another order */
		S("0", "1") "," S("d", "3") "," S("a", "2") "," S("z", "1"),  /* all at once */
		S("a", "2"),
	};
	struct snapshot_fixture *f = *fixture;
	struct snapshot_given given = state;

	f->options.max_shrink = 100;
	for (size_t i = 0; i < sizeof(turns) / sizeof(turns[0]); i++) {
		given.services = turns[i];
		assert_same_without(f, &given);
		assert_fsck("repo");
	}
#undef S
}

/* The scope is no part of the cache: what was out of it has not been looked at. */
static void test_another_scope_is_read(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	struct snapshot_given wide = state;

	wide.routes = ROUTE("prod", "x", "") "," ROUTE("test", "y", "");
	wide.spaces = PROD "," SPACE("test");
	strlist_add(&f->namespaces, "prod");
	snapshot_take_given(f, &wide);
	strlist_release(&f->namespaces);
	f->namespaces = (struct strlist)STRLIST_INIT;
	assert_same_without(f, &wide);
	assert_file_has("objects/namespaces/test/routes.r.io/y.yaml", "name: 'y'");
}

static void damage(struct snapshot_fixture *f, const char *how)
{
	snapshot_take_given(f, &state);
	shell("%s", how);
	snapshot_take_given(f, &state);
	assert_true(json_is_false(json_object_get(f->result, "changed")));
	assert_int_equal(snapshot_number(f, "objects"), 7);
}

/* Cut off, one byte turned, empty, something else, not readable: all the work is done again, and the cache is whole again. */
static void test_a_damaged_cache_is_no_cache(void **fixture)
{
	static const char *const ways[] = {"truncate -s -1 " CACHE, "truncate -s 100 " CACHE, "truncate -s 0 " CACHE,
		"printf x | dd of=" CACHE " bs=1 seek=300 conv=notrunc 2>/dev/null", "rm " CACHE " && mkdir " CACHE " && rmdir " CACHE};

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		damage(*fixture, ways[i]);
		shell("test -s " CACHE);
	}
}

/* Where it cannot be written, a capture is as good as ever. */
static void test_a_cache_that_cannot_be_written_fails_nothing(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	shell("touch repo/rhaii-dr.cache");
	snapshot_take_given(f, &state);
	assert_int_equal(snapshot_number(f, "objects"), 7);
}

/* The temp file of a run that was killed is swept by the next. */
static void test_leftovers_are_swept(void **fixture)
{
	damage(*fixture, "echo torn > repo/rhaii-dr.cache/.tmp-killed");
	shell("test \"$(ls -A repo/rhaii-dr.cache)\" = prod");
}

static void test_a_blob_that_is_gone_is_written_again(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	snapshot_take_given(f, &state);
	shell("cp -r repo/rhaii-dr.cache kept && git -C repo update-ref -d refs/heads/clusters/prod && "
	      "git -C repo for-each-ref --format='delete %%(refname)' | git -C repo update-ref --stdin && git -C repo gc -q --prune=now");
	git_store_free(f->store);
	f->store = open_repo();
	snapshot_take_given(f, &state);
	assert_int_equal(snapshot_number(f, "objects"), 7);
	assert_fsck("repo");
	assert_file_has("objects/namespaces/prod/routes.r.io/x.yaml", "name: x");
}

/* What follows from the policy is another thing with another policy. */
static void test_another_policy_knows_nothing(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	auto_free char *text = xstrdup(snapshot_policy_text);

	snapshot_take_given(f, &state);
	memcpy(strstr(text, "names: [preset]"), "names: [nobody]", strlen("names: [preset]"));
	snapshot_policy(f, text);
	assert_same_without(f, &state);
	assert_file_has("objects/namespaces/prod/routes.r.io/preset.yaml", "name: preset");
}

static void test_a_dry_run_writes_no_cache(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	f->options.dry_run = true;
	snapshot_take_given(f, &state);
	shell("test ! -e repo/rhaii-dr.cache");
}

static void test_an_unchanged_cluster_leaves_the_file_alone(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	auto_free char *before = NULL, *after = NULL;

	snapshot_take_given(f, &state);
	before = shell_output("stat -c '%%i %%y' " CACHE);
	snapshot_take_given(f, &state);
	after = shell_output("stat -c '%%i %%y' " CACHE);
	assert_string_equal(after, before);
}

/* A refused capture is not what the next one starts from. */
static void test_a_capture_that_fails_keeps_the_old_cache(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	auto_free char *before = NULL, *after = NULL;

	snapshot_take_given(f, &state);
	before = shell_output("sha256sum " CACHE);
	(void)fake_cluster_say(&f->cluster, "/configmaps?", 403, "{'kind':'Status','message':'no such right'}");
	snapshot_give(f, &(struct snapshot_given){.services = VERSIONED("prod", "a", "9", "'config':'app'")});
	snapshot_refused(f, ERR_FORBIDDEN, NULL);
	after = shell_output("sha256sum " CACHE " && ls -A repo/rhaii-dr.cache | tail -n +2");
	assert_string_equal(after, before);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, snapshot_set_up, snapshot_tear_down)
	const struct CMUnitTest tests[] = {
		test(test_an_unchanged_cluster_is_the_same_with_and_without),
		test(test_the_whole_tree_is_written_from_what_is_known),
		test(test_a_known_version_is_not_read),
		test(test_a_new_version_is_read),
		test(test_what_is_needed_only_now_is_read),
		test(test_an_object_made_again_under_its_name_is_read),
		test(test_objects_come_and_go_in_any_order),
		test(test_another_scope_is_read),
		test(test_a_damaged_cache_is_no_cache),
		test(test_a_cache_that_cannot_be_written_fails_nothing),
		test(test_leftovers_are_swept),
		test(test_a_blob_that_is_gone_is_written_again),
		test(test_another_policy_knows_nothing),
		test(test_a_dry_run_writes_no_cache),
		test(test_an_unchanged_cluster_leaves_the_file_alone),
		test(test_a_capture_that_fails_keeps_the_old_cache),
	};

	return cmocka_run_group_tests_name("snapshot_cache", tests, NULL, NULL);
}
