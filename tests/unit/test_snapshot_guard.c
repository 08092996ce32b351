/* SPDX-License-Identifier: Apache-2.0 */
/* What a guard refuses, what is kept of it, and how it is accepted or waived. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "snapshot_support.h"
#include "store/git.h"
#include "util/clock.h"
#include "util/json.h"
#include "util/strbuf.h"

#define TOKEN                                                                                                                              \
	"hf_"                                                                                                                              \
	"AbCdEfGhIjKlMnOpQrStUvWxYz012345"
#define S(name) SERVICE("prod", name, "")
#define FIVE S("a") "," S("b") "," S("c") "," S("d") "," S("e")
#define TEN FIVE "," S("f") "," S("g") "," S("h") "," S("i") "," S("j")

static void take(struct snapshot_fixture *f, const char *services, const char *routes)
{
	snapshot_take_given(f, &(struct snapshot_given){.services = services, .routes = routes});
}

static char *head(void)
{
	return shell_output("git -C repo rev-parse clusters/prod");
}

static char *refused_ref(void)
{
	return shell_output("git -C repo rev-parse -q --verify refs/rhaii-dr/refused/prod || true");
}

/* The capture that was given is refused by just these guards ("shrink kind"), and the branch stays. The text of the error is in f->err. */
static void assert_refused(struct snapshot_fixture *f, const char *guards)
{
	auto_free char *before = head(), *after = NULL;
	auto_strbuf struct strbuf names = STRBUF_INIT;
	const json_t *item;
	size_t i;

	assert_int_equal(snapshot_run(f), -1);
	assert_int_equal(f->err->code, ERR_GUARD);
	json_array_foreach (json_object_get(f->result, "refused"), i, item) {
		strbuf_addf(&names, "%s%s", i ? " " : "", json_text_at(item, "guard", NULL));
		assert_non_null(strstr(f->err->text, json_text_at(item, "text", NULL)));
	}
	assert_string_equal(names.buf, guards);
	after = head();
	assert_string_equal(after, before);
}

static void refuse(struct snapshot_fixture *f, const struct snapshot_given *given, const char *guards, const char *text)
{
	snapshot_give(f, given);
	assert_refused(f, guards);
	if (!strstr(f->err->text, text))
		fail_msg("'%s' is not in: %s", text, f->err->text);
}

/* ---- fewer objects ---- */

static void test_many_fewer_objects_are_refused(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	take(f, TEN, NULL);
	refuse(f, &(struct snapshot_given){.services = FIVE}, "shrink", "objects: 10 -> 5, 50 % fewer");
}

static void test_two_fewer_of_few_are_no_loss(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	take(f, S("a") "," S("b") "," S("c"), NULL);
	take(f, S("a"), NULL);
}

static void test_the_share_that_may_be_gone_can_be_said(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	take(f, TEN, NULL);
	f->options.max_shrink = 50;
	take(f, FIVE, NULL);
}

static void test_a_kind_that_is_gone_is_refused(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	take(f, TEN, ROUTE("prod", "x", ""));
	refuse(f, &(struct snapshot_given){.services = TEN}, "kind", "Route: 1 -> 0");
}

static void test_all_guards_that_refuse_are_told(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	take(f, TEN, ROUTE("prod", "x", ""));
	refuse(f, &(struct snapshot_given){.services = FIVE}, "shrink kind", "objects: 11 -> 5");
}

static void test_an_empty_cluster_is_refused(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	take(f, S("a"), NULL);
	refuse(f, &(struct snapshot_given){0}, "empty kind", "an empty cluster");
}

static void test_an_empty_first_snapshot_is_taken(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	take(f, NULL, NULL);
	take(f, NULL, NULL);
	assert_true(json_is_false(json_object_get(f->result, "changed")));
}

/* ---- scope ---- */

#define IN(ns, name) SERVICE(ns, name, "")

static void narrow(struct snapshot_fixture *f, const char *namespace_)
{
	strlist_add(&f->namespaces, namespace_);
}

static void test_a_narrower_scope_is_refused(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	take(f, IN("prod", "a"), NULL);
	narrow(f, "prod");
	refuse(f, &(struct snapshot_given){.services = IN("prod", "a")}, "scope", "a narrower scope");
}

static void test_a_namespace_that_is_no_longer_named_is_refused(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	narrow(f, "prod");
	narrow(f, "test");
	snapshot_give(f, &(struct snapshot_given){.services = IN("prod", "a")});
	snapshot_give(f, &(struct snapshot_given){.services = IN("test", "b")});
	snapshot_take(f);
	strlist_release(&f->namespaces);
	f->namespaces = (struct strlist)STRLIST_INIT;
	narrow(f, "test");
	refuse(f, &(struct snapshot_given){.services = IN("test", "b")}, "scope", "no longer covered: prod");
}

/* What a wider scope has gained does not make up for what is gone within the old one. */
static void test_a_wider_scope_is_compared_within_the_old_one(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	narrow(f, "prod");
	take(f, TEN, NULL);
	strlist_release(&f->namespaces);
	f->namespaces = (struct strlist)STRLIST_INIT;
	refuse(f,
		&(struct snapshot_given){
			.services = FIVE "," IN("t", "a") "," IN("t", "b") "," IN("t", "c") "," IN("t", "d") "," IN("t", "e")},
		"shrink", "objects: 10 -> 5");
	take(f, TEN "," IN("t", "a"), NULL);
}

/* The policy without its row of this start. */
static char *policy_without(const char *row)
{
	const char *at = strstr(snapshot_policy_text, row);

	return xasprintf("%.*s%s", (int)(at - snapshot_policy_text), snapshot_policy_text, strchr(at, '\n') + 1);
}

static void test_a_policy_with_fewer_kinds_is_refused(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	auto_free char *text = policy_without("- {resource: serviceaccounts,");

	take(f, S("a"), NULL);
	snapshot_policy(f, text);
	refuse(f, &(struct snapshot_given){.services = S("a")}, "scope", "no longer covered: ServiceAccount");
}

static void test_a_policy_that_excludes_more_is_refused(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	const char *at = strstr(snapshot_policy_text, "'kube-*'") + strlen("'kube-*'");
	auto_free char *text = xasprintf("%.*s, 'kube-system', 'te*'%s", (int)(at - snapshot_policy_text), snapshot_policy_text, at);

	take(f, S("a"), NULL);
	snapshot_policy(f, text);
	refuse(f, &(struct snapshot_given){.services = S("a")}, "scope", "no longer covered: te*");
}

/* ---- another cluster ---- */

static void test_another_cluster_is_refused(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	take(f, S("a"), NULL);
	(void)fake_cluster_say(
		&f->cluster, "GET /api/v1/namespaces/kube-system ", 200, "{'metadata':{'name':'kube-system','uid':'other'}}");
	refuse(f, &(struct snapshot_given){.services = S("a")}, "cluster", "the branch is of source, this one is other");
}

/* A restore of the branch head has said who goes on. */
static void succeed(struct snapshot_fixture *f, const char *from, const char *to)
{
	auto_free char *commit = head();
	const struct git_succession succession = {.from = from, .to = to, .commit = commit, .time = 1795176000};
	struct error err = ERROR_INIT;

	commit[strcspn(commit, "\n")] = '\0';
	if (git_succession_write(f->store, "prod", &succession, &err) < 0)
		fail_msg("%s", err.text);
}

static void as_another_cluster(struct snapshot_fixture *f)
{
	(void)fake_cluster_say(
		&f->cluster, "GET /api/v1/namespaces/kube-system ", 200, "{'metadata':{'name':'kube-system','uid':'other'}}");
}

static void test_a_successor_continues_the_branch(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	auto_free char *count = NULL;

	take(f, S("a"), NULL);
	succeed(f, "third", "other"); /* a later one replaces it */
	succeed(f, "source", "other");
	as_another_cluster(f);
	take(f, S("a"), NULL);
	count = shell_output("git -C repo fsck --strict >/dev/null 2>&1 && git -C repo rev-list --count clusters/prod");
	assert_int_equal(atoi(count), 2);
}

static void test_a_succession_of_others_is_none_of_ours(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	take(f, S("a"), NULL);
	succeed(f, "third", "other");
	as_another_cluster(f);
	refuse(f, &(struct snapshot_given){.services = S("a")}, "cluster", "the branch is of source, this one is other");
}

/* ---- what is kept ---- */

static void test_the_refused_capture_is_kept_on_the_head(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	auto_free char *kept = NULL, *tree = NULL, *parent = NULL, *before = NULL;

	take(f, TEN, NULL);
	refuse(f, &(struct snapshot_given){.services = FIVE}, "shrink", "");
	before = head();
	parent = shell_output("git -C repo rev-parse refs/rhaii-dr/refused/prod^");
	assert_string_equal(parent, before);
	tree = shell_output("git -C repo rev-parse 'refs/rhaii-dr/refused/prod^{tree}' | cut -c1-12");
	assert_string_equal(snapshot_text(f, "id"), tree);
	assert_non_null(strstr(f->err->hint, tree));
	kept = shell_output("git -C repo log -1 --format='%%s%%n%%(trailers:key=Manifest-SHA256,keyonly)' refs/rhaii-dr/refused/prod");
	assert_string_equal(kept, "prod: 5 objects, 0 added, 0 changed, 5 removed\nManifest-SHA256");
	assert_fsck("repo");
}

static void test_the_same_refusal_keeps_its_id(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	auto_free char *id = NULL;

	take(f, TEN, NULL);
	refuse(f, &(struct snapshot_given){.services = FIVE}, "shrink", "");
	id = xstrdup(snapshot_text(f, "id"));
	refuse(f, &(struct snapshot_given){.services = FIVE}, "shrink", "");
	assert_string_equal(snapshot_text(f, "id"), id);
}

static void test_a_snapshot_that_passes_forgets_the_refused_one(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	auto_free char *ref = NULL;

	take(f, TEN, NULL);
	refuse(f, &(struct snapshot_given){.services = FIVE}, "shrink", "");
	take(f, TEN, NULL);
	ref = refused_ref();
	assert_string_equal(ref, "");
}

static void test_a_dry_run_refuses_and_keeps_nothing(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	auto_free char *ref = NULL;

	take(f, TEN, NULL);
	f->options.dry_run = true;
	refuse(f, &(struct snapshot_given){.services = FIVE}, "shrink", "");
	assert_true(json_is_null(json_object_get(f->result, "id")));
	ref = refused_ref();
	assert_string_equal(ref, "");
}

/* A head that somebody has damaged must not stop the snapshots after it. */
static void test_a_head_that_cannot_be_compared_stops_nothing(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	take(f, TEN, NULL);
	shell("git -C repo update-ref refs/heads/clusters/prod $(git -C repo commit-tree -m x -p clusters/prod $(git -C repo mktree "
	      "</dev/null))");
	take(f, FIVE, NULL);
}

/* ---- accept ---- */

static int accept_id(struct snapshot_fixture *f, const char *id)
{
	auto_free char *copy = xstrdup(id);

	json_decref(f->result);
	f->result = NULL;
	return capture_accept(f->store, "prod", copy, NULL, &f->result, f->err);
}

static void test_accept_commits_the_refused_capture(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	auto_free char *kept = NULL, *now = NULL, *ref = NULL;

	take(f, TEN, NULL);
	refuse(f, &(struct snapshot_given){.services = FIVE}, "shrink", "");
	kept = refused_ref();
	assert_int_equal(accept_id(f, snapshot_text(f, "id")), 0);
	now = head();
	assert_string_equal(now, kept);
	assert_string_equal(snapshot_text(f, "commit"), kept);
	assert_int_equal(snapshot_number(f, "objects"), 5);
	assert_int_equal(snapshot_number(f, "removed"), 5);
	assert_int_equal(json_array_size(json_object_get(f->result, "changes")), 5);
	ref = refused_ref();
	assert_string_equal(ref, "");
	assert_fsck("repo");
	take(f, FIVE, NULL);
	assert_true(json_is_false(json_object_get(f->result, "changed")));
}

static void assert_not_accepted(struct snapshot_fixture *f, const char *id, const char *text)
{
	auto_free char *before = head(), *after = NULL;

	assert_int_equal(accept_id(f, id), -1);
	assert_null(f->result);
	assert_int_equal(f->err->code, ERR_GUARD);
	if (!strstr(f->err->text, text))
		fail_msg("'%s' is not in: %s", text, f->err->text);
	after = head();
	assert_string_equal(after, before);
}

static void test_accept_takes_just_the_refused_one(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	take(f, TEN, NULL);
	assert_not_accepted(f, "0123456789ab", "no refused capture");
	refuse(f, &(struct snapshot_given){.services = FIVE}, "shrink", "");
	assert_not_accepted(f, "0123456789ab", "not '0123456789ab'");
	assert_not_accepted(f, "", "not ''");
}

static void test_accept_refuses_when_the_branch_has_moved(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	auto_free char *id = NULL;

	take(f, TEN, NULL);
	refuse(f, &(struct snapshot_given){.services = FIVE}, "shrink", "");
	id = xstrdup(snapshot_text(f, "id"));
	shell("git -C repo update-ref refs/heads/clusters/prod $(git -C repo commit-tree -m x -p clusters/prod clusters/prod^{tree})");
	assert_not_accepted(f, id, "has moved");
}

/* ---- credentials ---- */

static void assert_nowhere(const struct snapshot_fixture *f, const char *value)
{
	auto_strbuf struct strbuf result = STRBUF_INIT;
	auto_free char *found = shell_output("git -C repo cat-file --batch-all-objects --batch | grep -aFc %s || true", value);

	assert_string_equal(found, "0");
	shell("! grep -rqaF %s repo", value); /* nor in the cache */
	if (f->result)
		json_write(f->result, &result);
	assert_null(strstr(result.buf, value));
	assert_null(strstr(f->err->text, value));
	assert_null(strstr(f->err->hint, value));
}

#define LEAK SERVICE("prod", "leak", "'env':[{'name':'A','value':'one'},{'name':'B','value':'" TOKEN "'}],'host':'" TOKEN "'")

static void test_a_credential_is_refused_and_nothing_is_written(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	auto_free char *objects = NULL, *ref = NULL;

	snapshot_give(f, &(struct snapshot_given){.services = S("a") "," LEAK});
	assert_int_equal(snapshot_run(f), -1);
	support_assert_error(f->err, ERR_GUARD,
		"more than one value looks like a credential, and nothing was written:\n"
		"Service prod/leak: spec.env[name=B].value: Hugging Face token\n"
		"Service prod/leak: spec.host: Hugging Face token");
	assert_true(json_is_null(json_object_get(f->result, "id")));
	assert_nowhere(f, TOKEN);
	objects = shell_output("find repo/objects -type f | wc -l");
	assert_string_equal(objects, "0");
	ref = shell_output("git -C repo for-each-ref");
	assert_string_equal(ref, "");
}

static void use_waiver(struct snapshot_fixture *f, const char *object, const char *path)
{
	auto_free char *text = xasprintf("%swaivers:\n- {object: '%s', path: '%s', reason: a test}\n", snapshot_policy_text, object, path);

	snapshot_policy(f, text);
}

#define ONE_LEAK SERVICE("prod", "leak", "'env':[{'name':'A','value':'" TOKEN "'}]")

static void test_a_waiver_lets_one_field_of_one_object_pass(void **fixture)
{
	static const char *const paths[] = {"spec.env[name=A].value", "spec.env[0].value", "spec.env[].value"};
	struct snapshot_fixture *f = *fixture;

	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		use_waiver(f, "Service prod/leak", paths[i]);
		f->options.cluster = i == 0 ? "one" : i == 1 ? "two" : "three";
		snapshot_take_given(f, &(struct snapshot_given){.services = ONE_LEAK});
	}
}

static void test_a_waiver_of_another_object_or_field_waives_nothing(void **fixture)
{
	static const char *const waivers[][2] = {
		{"Service prod/other", "spec.env[].value"}, {"Service prod/leak", "spec.host"}, {"Service prod/leak", "spec.env"}};
	struct snapshot_fixture *f = *fixture;

	for (size_t i = 0; i < sizeof(waivers) / sizeof(*waivers); i++) {
		use_waiver(f, waivers[i][0], waivers[i][1]);
		snapshot_give(f, &(struct snapshot_given){.services = ONE_LEAK});
		assert_int_equal(snapshot_run(f), -1);
		assert_int_equal(f->err->code, ERR_GUARD);
		assert_nowhere(f, TOKEN);
	}
}

/* It is in its file, since somebody wants it there, and nowhere else. */
static void test_a_waived_value_is_not_told(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	auto_strbuf struct strbuf result = STRBUF_INIT;
	auto_free char *message = NULL;

	take(f, SERVICE("prod", "leak", "'host':'none'"), NULL);
	use_waiver(f, "Service prod/leak", "spec.host");
	take(f, SERVICE("prod", "leak", "'host':'" TOKEN "'"), NULL);
	json_write(f->result, &result);
	message = shell_output("git -C repo log -1 --format=%%B clusters/prod");
	assert_null(strstr(result.buf, TOKEN));
	assert_null(strstr(message, TOKEN));
	assert_non_null(strstr(message, "spec.host \"none\" -> <redacted>"));
	assert_file_has("objects/namespaces/prod/services.s.io/leak.yaml", TOKEN);
}

static void test_a_credential_name_is_a_finding_only(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	const json_t *finding;

	take(f, SERVICE("prod", "a", "'env':[{'name':'DB_PASSWORD','value':'hunter2'}]"), NULL);
	assert_int_equal(json_array_size(json_object_get(f->result, "findings")), 1);
	finding = json_array_get(json_object_get(f->result, "findings"), 0);
	assert_string_equal(json_text_at(finding, "object", NULL), "Service prod/a");
	assert_string_equal(json_text_at(finding, "path", NULL), "spec.env[name=DB_PASSWORD].value");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, snapshot_set_up, snapshot_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_many_fewer_objects_are_refused),
		TEST(test_two_fewer_of_few_are_no_loss),
		TEST(test_the_share_that_may_be_gone_can_be_said),
		TEST(test_a_kind_that_is_gone_is_refused),
		TEST(test_all_guards_that_refuse_are_told),
		TEST(test_an_empty_cluster_is_refused),
		TEST(test_an_empty_first_snapshot_is_taken),
		TEST(test_a_narrower_scope_is_refused),
		TEST(test_a_namespace_that_is_no_longer_named_is_refused),
		TEST(test_a_wider_scope_is_compared_within_the_old_one),
		TEST(test_a_policy_with_fewer_kinds_is_refused),
		TEST(test_a_policy_that_excludes_more_is_refused),
		TEST(test_another_cluster_is_refused),
		TEST(test_a_successor_continues_the_branch),
		TEST(test_a_succession_of_others_is_none_of_ours),
		TEST(test_the_refused_capture_is_kept_on_the_head),
		TEST(test_the_same_refusal_keeps_its_id),
		TEST(test_a_snapshot_that_passes_forgets_the_refused_one),
		TEST(test_a_dry_run_refuses_and_keeps_nothing),
		TEST(test_a_head_that_cannot_be_compared_stops_nothing),
		TEST(test_accept_commits_the_refused_capture),
		TEST(test_accept_takes_just_the_refused_one),
		TEST(test_accept_refuses_when_the_branch_has_moved),
		TEST(test_a_credential_is_refused_and_nothing_is_written),
		TEST(test_a_waiver_lets_one_field_of_one_object_pass),
		TEST(test_a_waiver_of_another_object_or_field_waives_nothing),
		TEST(test_a_waived_value_is_not_told),
		TEST(test_a_credential_name_is_a_finding_only),
	};

	return cmocka_run_group_tests_name("snapshot_guard", tests, NULL, NULL);
}
