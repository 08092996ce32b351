/* SPDX-License-Identifier: Apache-2.0 */
/* What a second snapshot says about the first: in its commit message and in its result. */
#include "support.h"

#include <string.h>

#include "snapshot_support.h"
#include "util/json.h"
#include "util/strbuf.h"

/* The message of the head without its trailers; the caller frees. */
static char *message(void)
{
	return shell_output("git -C repo log -1 --format=%%B clusters/prod | sed '/^Captured-At: /,$d'");
}

static void assert_message(const char *expected)
{
	auto_free char *text = message();

	assert_string_equal(text, expected);
}

/* What was written again has another resourceVersion: by that it is known for new. */
static const char *newer(char *text)
{
	static const char old[] = "'resourceVersion':'5'";
	char *at = text;

	while ((at = strstr(at, old)))
		at[sizeof(old) - 3] = '6';
	return text;
}

/* Two snapshots of one service, whose spec was this and then that. */
static void change(struct snapshot_fixture *f, const char *before, const char *after)
{
	auto_free char *first = xasprintf("{" META("prod", "a", "") ",'spec':{%s}}", before);
	auto_free char *second = xasprintf("{" META("prod", "a", "") ",'spec':{%s}}", after);

	snapshot_take_given(f, &(struct snapshot_given){.services = first});
	snapshot_take_given(f, &(struct snapshot_given){.services = newer(second)});
}

#define CHANGED "prod: 1 objects, 0 added, 1 changed, 0 removed\n\nchanged Service prod/a: "

static void assert_field(const struct snapshot_fixture *f, const char *path, const char *old, const char *new_)
{
	const json_t *changed = json_array_get(json_object_get(f->result, "changes"), 0), *fields = json_object_get(changed, "fields"),
		     *field = json_array_get(fields, 0);

	assert_int_equal(json_array_size(fields), 1);
	assert_string_equal(json_text_at(field, "path", NULL), path);
	assert_string_equal(json_text_at(field, "old", NULL), old);
	assert_string_equal(json_text_at(field, "new", NULL), new_);
}

/* ---- in words ---- */

static void test_a_first_snapshot_counts_its_objects(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	snapshot_take_given(f, &(struct snapshot_given){.services = SERVICE("prod", "a", "") "," SERVICE("prod", "b", "")});
	assert_message("prod: first snapshot, 2 objects");
}

static void test_a_changed_field_is_told_with_both_values(void **fixture)
{
	change(*fixture, "'replicas':1", "'replicas':2");
	assert_message(CHANGED "spec.replicas 1 -> 2");
	assert_field(*fixture, "spec.replicas", "1", "2");
}

static void test_a_field_that_comes_or_goes_is_none(void **fixture)
{
	change(*fixture, "'old':1", "'new':2");
	assert_message(CHANGED "spec.new (none) -> 2\nchanged Service prod/a: spec.old 1 -> (none)");
}

static void test_added_and_removed_objects_are_named(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	snapshot_take_given(f,
		&(struct snapshot_given){
			.services = SERVICE("prod", "a", "") "," SERVICE("test", "c", ""), .spaces = SPACE("prod") "," SPACE("test")});
	snapshot_take_given(
		f, &(struct snapshot_given){.services = SERVICE("prod", "b", "") "," SERVICE("test", "c", ""), .spaces = SPACE("test")});
	assert_message("prod: 3 objects, 1 added, 0 changed, 2 removed\n\n"
		       "removed Namespace prod\nremoved Service prod/a\nadded Service prod/b");
	assert_int_equal(snapshot_number(f, "added"), 1);
	assert_int_equal(snapshot_number(f, "removed"), 2);
}

static void test_changed_surroundings_are_no_changed_objects(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	snapshot_take_given(f, &(struct snapshot_given){.services = SERVICE("prod", "a", "")});
	snapshot_take_given(
		f, &(struct snapshot_given){.services = SERVICE("prod", "a", ""), .deployments = CHILD("prod", "a-1", "prod-a")});
	assert_message("prod: 1 objects unchanged, their surroundings changed");
	assert_int_equal(json_array_size(json_object_get(f->result, "changes")), 0);
}

static void test_the_trailers_are_the_last_paragraph(void **fixture)
{
	auto_free char *keys = NULL;

	change(*fixture, "'replicas':1", "'replicas':2");
	keys = shell_output("git -C repo log -1 --format='%%(trailers:keyonly)' clusters/prod | xargs");
	assert_string_equal(keys, "Captured-At Resource-Version Tool-Version Manifest-SHA256 Maintenance");
}

/* Some 200 lines tell what kind of change it was; git diff tells the rest. */
static void test_many_changes_are_cut_and_counted(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	auto_strbuf struct strbuf services = STRBUF_INIT;
	auto_free char *lines = NULL;

	snapshot_take_given(f, &(struct snapshot_given){0});
	for (int i = 0; i < 207; i++)
		strbuf_addf(&services, "%s{'metadata':{'namespace':'prod','name':'s-%03d'}}", i ? "," : "", i);
	snapshot_take_given(f, &(struct snapshot_given){.services = services.buf});
	lines = shell_output("git -C repo log -1 --format=%%b clusters/prod | sed -n '200,201p'");
	assert_string_equal(lines, "added Service prod/s-199\n(and 7 more lines)");
	assert_int_equal(json_array_size(json_object_get(f->result, "changes")), 207);
}

/* One object with very many changed fields must not make a commit that nothing reads any more. */
static void test_many_fields_are_cut_and_counted_too(void **fixture)
{
	auto_strbuf struct strbuf fields = STRBUF_INIT;
	auto_free char *lines = NULL;

	for (int i = 0; i < 207; i++)
		strbuf_addf(&fields, "%s'f-%03d':1", i ? "," : "", i);
	change(*fixture, "", fields.buf);
	lines = shell_output("git -C repo log -1 --format=%%b clusters/prod | sed -n '200,201p'");
	assert_string_equal(lines, "changed Service prod/a: spec.f-199 (none) -> 1\n(and 7 more lines)");
}

/* Somebody committed what is no object: the snapshots after it must go on. */
static void test_a_head_that_cannot_be_read_is_only_not_told(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	const struct snapshot_given given = {.services = SERVICE("prod", "a", "")};
	auto_free char *text = NULL;

	snapshot_take_given(f, &given);
	shell("git clone -q -b clusters/prod repo hand && cd hand && echo '[' >objects/namespaces/prod/services.s.io/a.yaml && "
	      "git commit -qam hand && git push -q");
	snapshot_take_given(f, &given);
	text = message();
	assert_non_null(strstr(text, "prod: 1 objects, 0 added, 1 changed, 0 removed"));
	assert_fsck("repo");
}

/* ---- foreign text ---- */

static void test_control_characters_in_a_value_are_escaped(void **fixture)
{
	auto_free char *raw = NULL;

	change(*fixture, "'text':'plain'", "'text':'\\u001b[31mred\\nremoved Service prod/b\\u202e'");
	raw = message();
	assert_null(strpbrk(raw, "\x1b\r"));
	assert_null(strstr(raw, "\nremoved"));
	assert_null(strstr(raw, "\xe2\x80\xae"));
	assert_non_null(strstr(raw, "red"));
}

/* A key of a map is foreign text as well: it must not become a line of its own. */
static void test_a_line_break_in_a_key_makes_no_line(void **fixture)
{
	change(*fixture, "", "'labels\\nremoved Service prod/b':'x'");
	assert_message(CHANGED "spec['labels\\nremoved Service prod/b'] (none) -> \"x\"");
}

static void test_a_long_value_is_cut(void **fixture)
{
	auto_free char *long_text = xasprintf("'text':'%0200d'", 7), *text = NULL;

	change(*fixture, "'text':''", long_text);
	text = message();
	assert_true(strlen(text) < 250);
	assert_non_null(strstr(text, "0000..."));
}

/* Cut inside a letter it would be no JSON. */
static void test_a_long_value_is_cut_between_letters(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	auto_strbuf struct strbuf text = STRBUF_INIT;

	strbuf_adds(&text, "'text':'");
	for (int i = 0; i < 60; i++)
		strbuf_adds(&text, i % 2 ? "\xc3\xa4" : "\xe2\x82\xac");
	strbuf_addc(&text, '\'');
	change(f, "'text':'x'", text.buf);
	assert_int_equal(json_array_size(json_object_get(json_array_get(json_object_get(f->result, "changes"), 0), "fields")), 1);
}

static void test_credentials_are_redacted(void **fixture)
{
	change(*fixture, "'apiKey':'sk-one'", "'apiKey':'sk-two'");
	assert_message(CHANGED "spec.apiKey <redacted> -> <redacted>");
	assert_field(*fixture, "spec.apiKey", "<redacted>", "<redacted>");
}

static void test_credentials_in_the_environment_of_a_container_are_redacted(void **fixture)
{
	change(*fixture, "'env':[{'name':'HF_TOKEN','value':'hf_one'}]", "'env':[{'name':'HF_TOKEN','value':'hf_two'}]");
	assert_message(CHANGED "spec.env[name=HF_TOKEN].value <redacted> -> <redacted>");
}

static void test_credentials_in_an_item_that_is_shown_whole_are_redacted(void **fixture)
{
	auto_free char *text = NULL;

	change(*fixture, "'env':[]", "'env':[{'name':'HF_TOKEN','value':'hf_two'}]");
	text = message();
	assert_null(strstr(text, "hf_two"));
	assert_non_null(strstr(text, "<redacted>"));
}

/* ---- who and when ---- */

/* Two snapshots of a service that was at 1 and then is at 2 replicas, and what the server says of its managers then. */
static void change_by(struct snapshot_fixture *f, const char *managers)
{
	auto_free char *second = xasprintf("{" META("prod", "a", ",'managedFields':[%s]") ",'spec':{'replicas':2}}", managers);

	snapshot_take_given(f, &(struct snapshot_given){.services = SERVICE("prod", "a", "'replicas':1")});
	snapshot_take_given(f, &(struct snapshot_given){.services = newer(second)});
}

#define MANAGER(name, time, fields) "{'manager':'" name "','operation':'Update','time':'" time "','fieldsV1':{" fields "}}"
#define REPLICAS "'f:spec':{'f:replicas':{}}"

static void test_the_owner_of_a_changed_field_is_named_with_the_time(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	const json_t *change, *field;

	change_by(f,
		MANAGER("helm", "2091-02-12T16:38:09Z", "'f:spec':{'f:model':{}}") "," MANAGER(
			"kubectl-edit", "2091-02-11T08:00:59Z", REPLICAS));
	assert_message(CHANGED "spec.replicas 1 -> 2 (kubectl-edit, 2091-02-11T08:00Z)");
	change = json_array_get(json_object_get(f->result, "changes"), 0);
	field = json_array_get(json_object_get(change, "fields"), 0);
	assert_string_equal(json_text_at(field, "manager", NULL), "kubectl-edit");
	assert_string_equal(json_text_at(field, "time", NULL), "2091-02-11T08:00:59Z");
}

static void test_a_field_that_nobody_owns_is_changed_by_nobody(void **fixture)
{
	const json_t *change;
	struct snapshot_fixture *f = *fixture;

	change_by(f, MANAGER("helm", "2091-02-12T16:38:09Z", "'f:spec':{'f:model':{}}"));
	assert_message(CHANGED "spec.replicas 1 -> 2");
	change = json_array_get(json_object_get(f->result, "changes"), 0);
	assert_true(json_is_null(json_object_get(json_array_get(json_object_get(change, "fields"), 0), "manager")));
}

/* What was last written long before the newest snapshot is in that snapshot as well. */
static void test_old_writes_are_not_asked(void **fixture)
{
	change_by(*fixture, MANAGER("helm", "2001-02-12T16:38:09Z", REPLICAS));
	assert_message(CHANGED "spec.replicas 1 -> 2");
}

static void test_a_manager_cannot_write_lines_of_its_own(void **fixture)
{
	change_by(*fixture, MANAGER("x\\nremoved Service prod/b", "2091-02-12T16:38:09Z", REPLICAS));
	assert_message(CHANGED "spec.replicas 1 -> 2 (x\\nremoved Service prod/b, 2091-02-12T16:38Z)");
}

static void test_who_made_an_object_is_named(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	snapshot_take_given(f, &(struct snapshot_given){.services = SERVICE("prod", "b", "")});
	snapshot_take_given(f,
		&(struct snapshot_given){.services = SERVICE("prod", "b", "") ",{" META("prod", "a",
						 ",'creationTimestamp':'2091-02-12T16:38:09Z','managedFields':[" MANAGER(
							 "argocd", "2091-02-12T16:38:09Z", REPLICAS) "]") ",'spec':{'replicas':2}}"});
	assert_message("prod: 2 objects, 1 added, 0 changed, 0 removed\n\nadded Service prod/a (argocd, 2091-02-12T16:38Z)");
}

/* ---- maintenance ---- */

static void assert_git(const char *arguments, const char *expected)
{
	auto_free char *text = shell_output("git -C repo %s", arguments);

	assert_string_equal(text, expected);
}

static void test_what_does_not_serve_is_flagged(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	snapshot_take_given(f,
		&(struct snapshot_given){
			.services = SERVICE("prod", "a", "'replicas':0") "," SERVICE("prod", "b", "'replicas':1") ",{" META(
				"prod", "c", ",'annotations':{'serving.kserve.io/stop':'True'}") "},{" META("prod", "d",
				",'deletionTimestamp':'2026-02-12T16:38:09Z'") "}"});
	assert_message("prod: first snapshot, 4 objects\n\nin maintenance: Service prod/d (Terminating)\n"
		       "in maintenance: Service prod/a (replicas 0)\nin maintenance: Service prod/c (stopped)");
	assert_git("log -1 --format='%(trailers:key=Maintenance,valueonly,separator=)' clusters/prod", "3");
	assert_int_equal(json_array_size(json_object_get(f->result, "maintenance")), 3);
}

/* The tag tells of the last look alone: a service that gets Ready is no other state. */
static void test_what_is_not_ready_is_counted_in_the_captured_tag(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	auto_free char *text = xstrdup(snapshot_policy_text), *at = NULL;
	auto_free char *ready = xstrdup("{" META("prod", "a", "") ",'spec':{},'status':{'conditions':[{'type':'Ready','status':'True'}]}}");
	char *spot = strstr(text, "  presence: required\n");

	at = xasprintf("%.*s  ready: {conditions: [Ready]}\n%s", (int)(spot - text), text, spot);
	snapshot_policy(f, at);
	snapshot_take_given(f, &(struct snapshot_given){.services = SERVICE("prod", "a", "")});
	assert_git("cat-file tag refs/rhaii-dr/captured/prod | sed -n 's/^Not-Ready: //p'", "1");
	snapshot_take_given(f, &(struct snapshot_given){.services = newer(ready)});
	assert_git("cat-file tag refs/rhaii-dr/captured/prod | sed -n 's/^Not-Ready: //p'", "0");
	assert_true(json_is_false(json_object_get(f->result, "changed")));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, snapshot_set_up, snapshot_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_a_first_snapshot_counts_its_objects),
		TEST(test_a_changed_field_is_told_with_both_values),
		TEST(test_a_field_that_comes_or_goes_is_none),
		TEST(test_added_and_removed_objects_are_named),
		TEST(test_changed_surroundings_are_no_changed_objects),
		TEST(test_the_trailers_are_the_last_paragraph),
		TEST(test_many_changes_are_cut_and_counted),
		TEST(test_many_fields_are_cut_and_counted_too),
		TEST(test_a_head_that_cannot_be_read_is_only_not_told),
		TEST(test_control_characters_in_a_value_are_escaped),
		TEST(test_a_line_break_in_a_key_makes_no_line),
		TEST(test_a_long_value_is_cut),
		TEST(test_a_long_value_is_cut_between_letters),
		TEST(test_credentials_are_redacted),
		TEST(test_credentials_in_the_environment_of_a_container_are_redacted),
		TEST(test_credentials_in_an_item_that_is_shown_whole_are_redacted),
		TEST(test_the_owner_of_a_changed_field_is_named_with_the_time),
		TEST(test_a_field_that_nobody_owns_is_changed_by_nobody),
		TEST(test_old_writes_are_not_asked),
		TEST(test_a_manager_cannot_write_lines_of_its_own),
		TEST(test_who_made_an_object_is_named),
		TEST(test_what_does_not_serve_is_flagged),
		TEST(test_what_is_not_ready_is_counted_in_the_captured_tag),
	};

	return cmocka_run_group_tests_name("snapshot_changes", tests, NULL, NULL);
}
