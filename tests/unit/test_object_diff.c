/* SPDX-License-Identifier: Apache-2.0 */
/* diff and merge. */
#include "support.h"

#include <string.h>

#include "object/diff.h"
#include "object/fieldpath.h"
#include "object/merge.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"

static json_t *json_of(const char *text)
{
	struct error err = ERROR_INIT;
	json_t *value = json_read(text, strlen(text), &err);

	assert_string_equal(err.text, "");
	return value;
}

static void note(const char *path, const json_t *old, const json_t *new_, void *arg)
{
	strbuf_addf(arg, "%s: ", path);
	if (old)
		json_write(old, arg);
	strbuf_adds(arg, " -> ");
	if (new_)
		json_write(new_, arg);
	strbuf_addc(arg, '\n');
}

static void assert_diff(const char *old_text, const char *new_text, const char *expected)
{
	auto_strbuf struct strbuf found = STRBUF_INIT;
	auto_json json_t *old = json_of(old_text), *new_ = json_of(new_text);
	size_t count = diff_values(old, new_, note, &found);

	assert_string_equal(found.buf, expected);
	assert_int_equal(count == 0, diff_equal(old, new_));
	assert_int_equal(diff_values(old, new_, NULL, NULL), count);
}

static void test_fields(void **state)
{
	(void)state;
	assert_diff("{\"a\":1,\"b\":{\"c\":2,\"e\":5}}", "{\"b\":{\"c\":3,\"d\":4,\"e\":5}}", "a: 1 -> \nb.c: 2 -> 3\nb.d:  -> 4\n");
	assert_diff("{\"a\":{\"x.y/z\":1}}", "{\"a\":{}}", "a['x.y/z']: 1 -> \n");
	assert_diff("{\"a\":{}}", "{\"a\":[]}", "a: {} -> []\n");
	assert_diff("{\"a\":{}}", "{}", "a: {} -> \n");
	assert_diff("1", "2", ": 1 -> 2\n");
}

static void test_numbers_are_equal_by_value(void **state)
{
	(void)state;
	assert_diff("{\"a\":1}", "{\"a\":1.0}", "");
	assert_diff("[1]", "[1.5]", "[0]: 1 -> 1.5\n");
	assert_diff("[9007199254740993]", "[9007199254740992.0]", "[0]: 9007199254740993 -> 9007199254740992.0\n");
	assert_diff("[9223372036854775807]", "[9223372036854775808]", "[0]: 9223372036854775807 -> 9223372036854776000.0\n");
}

static void test_strings_are_compared_past_a_nul(void **state)
{
	(void)state;
	assert_diff("[\"a\\u0000b\"]", "[\"a\\u0000c\"]", "[0]: \"a\\u0000b\" -> \"a\\u0000c\"\n");
	assert_diff("[\"1\"]", "[1]", "[0]: \"1\" -> 1\n");
}

static void test_items_with_names_are_matched_by_name(void **state)
{
	(void)state;
	assert_diff("{\"c\":[{\"name\":\"a\",\"i\":1},{\"name\":\"b\"}]}", "{\"c\":[{\"name\":\"n\"},{\"name\":\"a\",\"i\":2}]}",
		"c[name=a].i: 1 -> 2\nc[name=b]: {\"name\":\"b\"} -> \nc[name=n]:  -> {\"name\":\"n\"}\n");
}

/* The order of containers, rules and arguments is meaning. */
static void test_another_order_of_named_items_is_a_difference(void **state)
{
	(void)state;
	assert_diff("[{\"name\":\"a\"},{\"name\":\"b\"}]", "[{\"name\":\"b\"},{\"name\":\"a\"}]",
		": [{\"name\":\"a\"},{\"name\":\"b\"}] -> [{\"name\":\"b\"},{\"name\":\"a\"}]\n");
	assert_diff("[{\"name\":\"a\"},{\"name\":\"x\"},{\"name\":\"b\"}]", "[{\"name\":\"a\"},{\"name\":\"b\"}]",
		"[name=x]: {\"name\":\"x\"} -> \n");
}

static void test_other_lists_are_matched_by_position(void **state)
{
	(void)state;
	assert_diff("[\"a\",\"b\"]", "[\"a\",\"c\",\"d\"]", "[1]: \"b\" -> \"c\"\n[2]:  -> \"d\"\n");
	assert_diff("[{\"name\":\"a\",\"v\":1},{\"name\":\"a\",\"v\":2}]", "[{\"name\":\"a\",\"v\":1},{\"name\":\"a\",\"v\":3}]",
		"[1 name=a].v: 2 -> 3\n");
	assert_diff("[{\"name\":\"a\",\"v\":1},{\"v\":2}]", "[{\"name\":\"b\",\"v\":1},{\"v\":2}]",
		"[0]: {\"name\":\"a\",\"v\":1} -> {\"name\":\"b\",\"v\":1}\n");
	assert_diff("[{\"name\":\"a[0]'\",\"v\":1}]", "[{\"name\":\"a[0]'\",\"v\":2}]", "[name=a_0__].v: 1 -> 2\n");
}

static void test_credential_paths(void **state)
{
	static const char *const secret[] = {"spec.template.containers[name=main].env[name=HF_TOKEN].value",
		"env[2 name=DB_PASSWORD].value", "data.apiKey", "data['api-key']", "data['private.key']", "spec.privateKey.pem",
		"a.authorization", "headers[name=Authorization].value", "a.APIToken2", "x.hftoken", "spec.secret",
		"spec.awsSecretAccessKey", "data.PGPASSWORD", "a.credentials", "spec.secret.items[0].value"};
	static const char *const open[] = {"spec.template.containers[name=main].image", "spec.tokenizer", "spec.maxTokens",
		"spec.imagePullSecrets[name=x].name", "env[name=HF_TOKEN].valueFrom.secretKeyRef.name",
		"env[name=HF_TOKEN].valueFrom.secretKeyRef.key", "env[name=HF_TOKEN].name", "volumes[name=v].secret.secretName",
		"spec.secretName", "spec.tokenSecretRef.name", "spec.key", "data.keyboard", "a.monkey", "spec.author", ""};

	(void)state;
	for (size_t i = 0; i < sizeof(secret) / sizeof(secret[0]); i++)
		if (!diff_is_credential(secret[i]))
			fail_msg("not a credential: %s", secret[i]);
	for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++)
		if (diff_is_credential(open[i]))
			fail_msg("a credential: %s", open[i]);
}

static void assert_printed(const char *path, const char *json, const char *expected)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_json json_t *value = json ? json_of(json) : NULL;

	diff_print_value(&text, path, value);
	assert_string_equal(text.buf, expected);
}

static void test_prints_values_for_people(void **state)
{
	(void)state;
	assert_printed("a", NULL, "(none)");
	assert_printed("a", "\"x\"", "\"x\"");
	assert_printed("a", "{\"b\":1,\"a\":[]}", "{\"a\":[],\"b\":1}");
	assert_printed("a", "\"\\u001b[2J\\u202e\"", "\"\\u001b[2J\\u{202E}\"");
	assert_printed("spec.token", "\"hf_abc\"", "<redacted>");
	assert_printed("spec.automountServiceAccountToken", "false", "false");
}

/* A value that is shown whole may hold a credential anywhere. */
static void test_prints_no_credential_inside_a_value(void **state)
{
	(void)state;
	assert_printed("spec.env", "[{\"name\":\"HF_TOKEN\",\"value\":\"hf_abc\"}]", "[{\"name\":\"HF_TOKEN\",\"value\":\"<redacted>\"}]");
	assert_printed("spec.env[1]", "{\"name\":\"HF_TOKEN\",\"value\":\"hf_abc\"}", "{\"name\":\"HF_TOKEN\",\"value\":\"<redacted>\"}");
	assert_printed("spec", "{\"a\":{\"password\":{\"x\":[\"y\"]}}}", "{\"a\":{\"password\":{\"x\":[\"<redacted>\"]}}}");
	assert_printed("env[name=HF_TOKEN]", "{\"name\":\"HF_TOKEN\",\"valueFrom\":{\"secretKeyRef\":{\"key\":\"t\"}}}",
		"{\"name\":\"HF_TOKEN\",\"valueFrom\":{\"secretKeyRef\":{\"key\":\"t\"}}}");
}

static void test_long_values_are_cut(void **state)
{
	auto_strbuf struct strbuf json = STRBUF_INIT, text = STRBUF_INIT;

	(void)state;
	strbuf_addc(&json, '"');
	for (int i = 0; i < 500; i++)
		strbuf_addc(&json, 'x');
	strbuf_addc(&json, '"');
	auto_json json_t *value = json_of(json.buf);
	diff_print_value(&text, "a", value);
	assert_int_equal(text.len, 80);
	assert_string_equal(text.buf + 77, "...");
}

/* ---- merge ---- */

static void assert_merge(
	const char *live_text, const char *want_text, const char *const *fields, const char *patch_text, const char *conflicts)
{
	struct error err = ERROR_INIT;
	auto_strbuf struct strbuf found = STRBUF_INIT, text = STRBUF_INIT;
	auto_json json_t *live = json_of(live_text), *want = json_of(want_text);
	struct fieldpath *paths[4];
	size_t count = 0;

	for (; fields[count]; count++)
		assert_int_equal(fieldpath_parse(&paths[count], fields[count], &err), 0);
	auto_json json_t *patch = merge_patch(live, want, paths, count, note, &found);
	if (patch)
		json_write(patch, &text);
	assert_string_equal(text.buf, patch_text);
	assert_string_equal(found.buf, conflicts);
	while (count > 0)
		fieldpath_free(paths[--count]);
}

static const char *const namespace_fields[] = {"metadata.labels", "metadata.annotations", NULL};
static const char *const account_fields[] = {"imagePullSecrets", "metadata.labels", NULL};

static void test_merge_adds_missing_keys(void **state)
{
	(void)state;
	assert_merge("{\"metadata\":{\"name\":\"n\",\"labels\":{\"a\":\"1\"}}}",
		"{\"metadata\":{\"name\":\"n\",\"labels\":{\"a\":\"1\",\"x/b\":\"2\"},\"annotations\":{\"c\":\"3\"}}}", namespace_fields,
		"{\"metadata\":{\"annotations\":{\"c\":\"3\"},\"labels\":{\"x/b\":\"2\"}}}", "");
}

static void test_merge_of_equal_is_nothing(void **state)
{
	(void)state;
	assert_merge("{\"metadata\":{\"labels\":{\"a\":\"1\",\"z\":\"9\"}},\"spec\":{}}", "{\"metadata\":{\"labels\":{\"a\":\"1\"}}}",
		namespace_fields, "", "");
}

static void test_merge_never_changes_what_is_there(void **state)
{
	(void)state;
	assert_merge("{\"metadata\":{\"labels\":{\"a\":\"1\"}}}", "{\"metadata\":{\"labels\":{\"a\":\"2\",\"b\":\"3\"}}}", namespace_fields,
		"{\"metadata\":{\"labels\":{\"b\":\"3\"}}}", "metadata.labels.a: \"1\" -> \"2\"\n");
}

static void test_merge_reports_differences_elsewhere(void **state)
{
	(void)state;
	assert_merge("{\"spec\":{\"x\":1,\"l\":[1]}}", "{\"spec\":{\"x\":2,\"y\":3,\"l\":[2]}}", namespace_fields, "",
		"spec.l[0]: 1 -> 2\nspec.x: 1 -> 2\nspec.y:  -> 3\n");
}

static void test_merge_appends_missing_items(void **state)
{
	(void)state;
	assert_merge("{\"imagePullSecrets\":[{\"name\":\"a\"}]}", "{\"imagePullSecrets\":[{\"name\":\"b\"},{\"name\":\"a\"}]}",
		account_fields, "{\"imagePullSecrets\":[{\"name\":\"a\"},{\"name\":\"b\"}]}", "");
	assert_merge("{}", "{\"imagePullSecrets\":[{\"name\":\"b\"}]}", account_fields, "{\"imagePullSecrets\":[{\"name\":\"b\"}]}", "");
	assert_merge("{\"imagePullSecrets\":[{\"name\":\"a\",\"k\":1}]}", "{\"imagePullSecrets\":[{\"name\":\"a\",\"k\":2}]}",
		account_fields, "", "imagePullSecrets[name=a].k: 1 -> 2\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_numbers_are_equal_by_value),
		cmocka_unit_test(test_strings_are_compared_past_a_nul),
		cmocka_unit_test(test_items_with_names_are_matched_by_name),
		cmocka_unit_test(test_another_order_of_named_items_is_a_difference),
		cmocka_unit_test(test_other_lists_are_matched_by_position),
		cmocka_unit_test(test_credential_paths),
		cmocka_unit_test(test_prints_values_for_people),
		cmocka_unit_test(test_prints_no_credential_inside_a_value),
		cmocka_unit_test(test_long_values_are_cut),
		cmocka_unit_test(test_merge_adds_missing_keys),
		cmocka_unit_test(test_merge_of_equal_is_nothing),
		cmocka_unit_test(test_merge_never_changes_what_is_there),
		cmocka_unit_test(test_merge_reports_differences_elsewhere),
		cmocka_unit_test(test_merge_appends_missing_items),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
