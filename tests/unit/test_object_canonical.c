/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "any_value.h"
#include "object/canonical.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"
#include "util/yaml.h"

static json_t *json_of(const char *text)
{
	struct error err = ERROR_INIT;
	json_t *value = json_read(text, strlen(text), &err);

	assert_string_equal(err.text, "");
	return value;
}

static void assert_reads_back(const json_t *value, const struct strbuf *text)
{
	struct error err = ERROR_INIT;
	auto_strbuf struct strbuf again = STRBUF_INIT;
	auto_json json_t *read = yaml_read(text->buf, text->len, &err);

	if (!read)
		print_error("%s in:\n%s", err.text, text->buf);
	assert_non_null(read);
	if (!json_equal(value, read))
		print_error("another value in:\n%s", text->buf);
	assert_true(json_equal(value, read));
	canonical_yaml(read, &again);
	assert_string_equal(again.buf, text->buf);
}

static void assert_canonical(const char *json, const char *yaml)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_json json_t *value = json_of(json);

	canonical_yaml(value, &text);
	assert_string_equal(text.buf, yaml);
	assert_reads_back(value, &text);
}

/* The text of one string, as the value of a key. */
static void assert_string(const char *json_string, const char *yaml)
{
	auto_free char *json = xasprintf("{\"a\":%s}", json_string);
	auto_free char *expected = xasprintf("a: %s\n", yaml);

	assert_canonical(json, expected);
}

/* A NetworkPolicy that selects all pods must still select all pods after a round trip: {} is not nothing. */
static void test_keeps_empty_selector(void **state)
{
	(void)state;
	assert_canonical("{\"spec\":{\"podSelector\":{},\"ingress\":[]}}", "spec:\n  ingress: []\n  podSelector: {}\n");
}

static void test_sorts_keys_bytewise(void **state)
{
	(void)state;
	assert_canonical("{\"b\":1,\"a\":2,\"B\":3,\"a-b\":4,\"aB\":5}", "B: 3\na: 2\na-b: 4\naB: 5\nb: 1\n");
}

static void test_puts_list_items_at_the_indent_of_their_key(void **state)
{
	(void)state;
	assert_canonical("{\"rules\":[{\"a\":\"b\",\"c\":[1]},{\"d\":{}}]}", "rules:\n- a: b\n  c:\n  - 1\n- d: {}\n");
}

static void test_nests_lists(void **state)
{
	(void)state;
	assert_canonical("[[\"x\",[\"y\"]],[],[{}],{\"k\":[[1]]}]", "- - x\n  - - \'y\'\n- []\n- - {}\n- k:\n  - - 1\n");
}

static void test_nests_maps_in_lists_in_maps(void **state)
{
	(void)state;
	assert_canonical("{\"a\":[{\"b\":{\"c\":[{\"d\":\"e\"}]}}]}", "a:\n- b:\n    c:\n    - d: e\n");
}

static void test_root_may_be_anything(void **state)
{
	(void)state;
	assert_canonical("{}", "{}\n");
	assert_canonical("[]", "[]\n");
	assert_canonical("null", "null\n");
	assert_canonical("\"text\"", "text\n");
	assert_canonical("\"two\\nlines\\n\"", "|\n  two\n  lines\n");
	assert_canonical("\"---\"", "'---'\n");
}

static void test_numbers(void **state)
{
	(void)state;
	assert_canonical("[0,-1,9223372036854775807,1.0,0.5,-0.0,1e21,1e-7,18446744073709551615]",
		"- 0\n- -1\n- 9223372036854775807\n- 1.0\n- 0.5\n- -0.0\n- 1.0e+21\n- 1.0e-07\n- 18446744073709552000.0\n");
}

static void test_true_false_null(void **state)
{
	(void)state;
	assert_canonical("[true,false,null]", "- true\n- false\n- null\n");
}

static void test_plain_strings(void **state)
{
	(void)state;
	assert_string("\"main\"", "main");
	assert_string("\"/mnt/models\"", "/mnt/models");
	assert_string("\"_x\"", "_x");
	assert_string("\"Qwen/Qwen2.5-3B\"", "Qwen/Qwen2.5-3B");
	assert_string("\"hf://a/b:c\"", "hf://a/b:c");
	assert_string("\"a b#c, [d] {e}\"", "a b#c, [d] {e}");
	assert_string("\"it's \\\"so\\\"\"", "it's \"so\"");
	assert_string("\"grüße\"", "grüße");
	assert_string("\"yesterday\"", "yesterday");
}

/* One reader or the other takes each of these for something else than a string. */
static void test_words_that_readers_retype_are_quoted(void **state)
{
	static const char *const words[] = {"y", "Y", "n", "N", "yes", "Yes", "YES", "yEs", "no", "No", "on", "On", "OFF", "true", "TRUE",
		"False", "null", "Null", "NULL", "~", "nan", "NaN", ".nan", ".inf", "-.INF", "inf", "Infinity", "=", "<<", "0", "-1", "+1",
		"1.0", "1e3", ".5", "0x1F", "0o7", "010", "0b11", "1_000", "1:30", "190:20:30", "2001-01-01",
		"2001-12-14t21:59:43.10-05:00", "256m", "1.2.3", ""};

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		auto_free char *json = xasprintf("\"%s\"", words[i]);
		auto_free char *yaml = xasprintf("'%s'", words[i]);
		assert_string(json, yaml);
	}
}

static void test_indicators_are_quoted(void **state)
{
	static const char *const texts[] = {"-", "- a", "-a", "?", "? a", ":", ":a", "a:", "a: b", "a :b", "a #b", "#a", "&a", "*a", "!a",
		"|", ">", "%a", "@a", "`a", "{a}", "[a]", "{{ .Name }}", ",a", " a", "a ", "a  ", "---", "...", "--model=x",
		"key: ", "a: ", "2,2,1"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		auto_free char *json = xasprintf("\"%s\"", texts[i]);
		auto_free char *yaml = xasprintf("'%s'", texts[i]);
		assert_string(json, yaml);
	}
	assert_string("\"'a'\"", "'''a'''");
	assert_string("\"\\\"a\\\"\"", "'\"a\"'");
	assert_string("\"#it's\"", "'#it''s'");
}

static void test_what_must_be_seen_is_escaped(void **state)
{
	(void)state;
	assert_string("\"a\\u0000b\"", "\"a\\0b\"");
	assert_string("\"a\\tb\"", "\"a\\tb\"");
	assert_string("\"a\\rb\"", "\"a\\rb\"");
	assert_string("\"a\\u001b[31m\"", "\"a\\x1B[31m\"");
	assert_string("\"a\\u007f\"", "\"a\\x7F\"");
	assert_string("\"\\u0085\"", "\"\\x85\"");
	assert_string("\"\\u2028\\u2029\\ufeff\\ufffe\\uffff\"", "\"\\u2028\\u2029\\uFEFF\\uFFFE\\uFFFF\"");
	assert_string("\"\\u202ex\"", "\"\\u202Ex\"");
	assert_string("\"\\udb40\\udc41\"", "\"\\U000E0041\"");
	assert_string("\"q\\\"b\\\\\\u0001\"", "\"q\\\"b\\\\\\x01\"");
}

/* No reader trims a blank that is not ASCII, but a person does not see it. */
static void test_other_blanks_are_quoted(void **state)
{
	(void)state;
	assert_string("\"a\\u00a0\"", "'a\xC2\xA0'");
	assert_string("\"a\\u200bb\"",
		"'a\xE2\x80\x8B"
		"b'");
}

static void test_literal_blocks(void **state)
{
	(void)state;
	assert_string("\"a\\nb\"", "|-\n  a\n  b");
	assert_string("\"a\\nb\\n\"", "|\n  a\n  b");
	assert_string("\"a\\nb\\n\\n\"", "|+\n  a\n  b\n");
	assert_string("\"a\\n\"", "|\n  a");
	assert_string("\"\\na\\n\"", "|\n\n  a");
	assert_string("\"a\\n\\n\\nb\"", "|-\n  a\n\n\n  b");
	assert_string("\"if x:\\n\\ty # z\\n\"", "|\n  if x:\n  \ty # z");
	assert_string("\"trailing  \\nb\"", "|-\n  trailing  \n  b");
	assert_string("\"# not a comment\\n---\\n...\\n\"", "|\n  # not a comment\n  ---\n  ...");
}

/* A reader finds the indentation by the first line that is not empty: where that one starts with a blank, it has to be told. */
static void test_literal_block_says_its_indentation(void **state)
{
	(void)state;
	assert_string("\"  a\\nb\\n\"", "|2\n    a\n  b");
	assert_string("\"\\n a\\nb\"", "|2-\n\n   a\n  b");
	assert_canonical("{\"k\":[{\"a\":[\" x\\ny\",[\" x\\ny\\n\\n\"]]}],\"z\":1}",
		"k:\n- a:\n  - |2-\n     x\n    y\n  - - |2+\n       x\n      y\n\nz: 1\n");
}

static void test_blocks_that_would_not_carry_the_text_are_double_quoted(void **state)
{
	(void)state;
	assert_string("\"\\n\"", "\"\\n\"");
	assert_string("\"\\n\\n\"", "\"\\n\\n\"");
	assert_string("\"\\ta\\nb\"", "\"\\ta\\nb\"");
	assert_string("\"a\\r\\nb\\r\\n\"", "\"a\\r\\nb\\r\\n\"");
	assert_string("\"a\\n  \\nb\"", "\"a\\n  \\nb\"");
	assert_string("\"a\\n  \"", "\"a\\n  \"");
	assert_string("\"  \\na\"", "\"  \\na\"");
	assert_string("\"a\\n\\u001b\"", "\"a\\n\\x1B\"");
}

static void test_keys_are_quoted_like_strings_and_never_blocks(void **state)
{
	(void)state;
	assert_canonical("{\"on\":1,\"8080\":2,\"\":3,\"a: b\":4,\"app.kubernetes.io/name\":5,\"x\\ny\":6,\"'\":7,\"-\":8}",
		"'': 3\n'''': 7\n'-': 8\n'8080': 2\n'a: b': 4\napp.kubernetes.io/name: 5\n'on': 1\n\"x\\ny\": 6\n");
}

/* A YAML simple key ends within 1,024 characters. */
static void test_long_keys_are_explicit(void **state)
{
	char key[1200];
	auto_strbuf struct strbuf yaml = STRBUF_INIT;

	(void)state;
	memset(key, 'k', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	auto_free char *json = xasprintf("[{\"%s\":{\"a\":1}},{\"%s\":[1]},{\"%s\":\"x\"}]", key, key, key);
	strbuf_addf(&yaml, "- ? %s\n  :\n    a: 1\n- ? %s\n  :\n  - 1\n- ? %s\n  : x\n", key, key, key);
	assert_canonical(json, yaml.buf);
}

static void test_long_lines_are_not_folded(void **state)
{
	auto_strbuf struct strbuf json = STRBUF_INIT, yaml = STRBUF_INIT;

	(void)state;
	for (int i = 0; i < 2000; i++) {
		strbuf_adds(&json, i ? " word" : "\"word");
		strbuf_adds(&yaml, i ? " word" : "word");
	}
	strbuf_addc(&json, '"');
	assert_string(json.buf, yaml.buf);
}

static void test_deepest_nesting(void **state)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_json json_t *value = json_object();

	(void)state;
	for (int i = 1; i < JSON_DEPTH_MAX; i++)
		value = i % 2 ? json_pack("[o]", value) : json_pack("{so}", "k", value);
	canonical_yaml(value, &text);
	assert_reads_back(value, &text);
}

/* ---- any value ---- */

static void assert_json_reads_back(const json_t *value)
{
	struct error err = ERROR_INIT;
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_json json_t *read = NULL;

	json_write(value, &text);
	read = json_read(text.buf, text.len, &err);
	assert_true(read && json_equal(value, read));
}

/* CANONICAL_SEEDS=N tries as many seeds. The readers of others are given the same values by tests/integration/readers.sh. */
static void test_any_value_reads_back_and_its_text_is_the_same_again(void **state)
{
	const char *seeds = getenv("CANONICAL_SEEDS");
	struct chance chance;

	(void)state;
	for (unsigned long seed = 0; seed == 0 || (seeds && seed < strtoul(seeds, NULL, 10)); seed++) {
		chance_seed(&chance, 20261120 + seed);
		for (int i = 0; i < 20000; i++) {
			auto_strbuf struct strbuf text = STRBUF_INIT;
			auto_json json_t *value = any_value(&chance, 5);

			canonical_yaml(value, &text);
			assert_reads_back(value, &text);
			assert_json_reads_back(value);
		}
	}
}

/* What is not refused of a text by hand is a value like any other. */
static void test_any_text_by_hand_has_a_canonical_form(void **state)
{
	struct chance chance;
	int read = 0;

	(void)state;
	chance_seed(&chance, 7);
	for (int i = 0; i < 20000; i++) {
		struct error err = ERROR_INIT;
		auto_strbuf struct strbuf text = STRBUF_INIT, canonical = STRBUF_INIT;
		auto_json json_t *value = NULL;

		any_yaml(&chance, &text);
		value = yaml_read(text.buf, text.len, &err);
		if (!value) {
			assert_true(err.code == ERR_SYNTAX && strstr(err.text, "line "));
			continue;
		}
		canonical_yaml(value, &canonical);
		assert_reads_back(value, &canonical);
		read++;
	}
	assert_true(read > 2000);
}

/* As value, in a word, in a block and as a key. */
static void test_every_character_reads_back(void **state)
{
	auto_json json_t *list = json_array();

	(void)state;
	for (uint32_t code = 1; code < 0x110000; code += code < 0x10000 || code > 0x10FF00 ? 1 : 61) {
		auto_strbuf struct strbuf one = STRBUF_INIT, block = STRBUF_INIT, text = STRBUF_INIT;

		if (code >= 0xD800 && code < 0xE000)
			continue;
		any_utf8(code, &one);
		strbuf_addf(&block, "a\n%s\n b%s\n", one.buf, one.buf);
		json_array_append_new(list, json_pack("[s, s, {s: i}]", one.buf, block.buf, one.buf, 1));
		if (json_array_size(list) < 512 && code != 0x10FFFF)
			continue;
		canonical_yaml(list, &text);
		assert_reads_back(list, &text);
		json_array_clear(list);
	}
}

/* As much as etcd takes, all of it such that it has to be escaped, or on one line, or on lines of their own. */
static void test_the_largest_objects_read_back(void **state)
{
	static const char *const pieces[] = {"x", "word ", "line\n", "\n", "\x01", "\xC3\xBC", "a\r\n", "'"};

	(void)state;
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		auto_strbuf struct strbuf large = STRBUF_INIT, text = STRBUF_INIT;
		auto_json json_t *value = NULL;

		while (large.len < 3 << 19)
			strbuf_adds(&large, pieces[i]);
		value = json_pack("{s:{s:s}}", "data", "large", large.buf);
		canonical_yaml(value, &text);
		assert_reads_back(value, &text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keeps_empty_selector),
		cmocka_unit_test(test_sorts_keys_bytewise),
		cmocka_unit_test(test_puts_list_items_at_the_indent_of_their_key),
		cmocka_unit_test(test_nests_lists),
		cmocka_unit_test(test_nests_maps_in_lists_in_maps),
		cmocka_unit_test(test_root_may_be_anything),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_true_false_null),
		cmocka_unit_test(test_plain_strings),
		cmocka_unit_test(test_words_that_readers_retype_are_quoted),
		cmocka_unit_test(test_indicators_are_quoted),
		cmocka_unit_test(test_what_must_be_seen_is_escaped),
		cmocka_unit_test(test_other_blanks_are_quoted),
		cmocka_unit_test(test_literal_blocks),
		cmocka_unit_test(test_literal_block_says_its_indentation),
		cmocka_unit_test(test_blocks_that_would_not_carry_the_text_are_double_quoted),
		cmocka_unit_test(test_keys_are_quoted_like_strings_and_never_blocks),
		cmocka_unit_test(test_long_keys_are_explicit),
		cmocka_unit_test(test_long_lines_are_not_folded),
		cmocka_unit_test(test_deepest_nesting),
		cmocka_unit_test(test_any_value_reads_back_and_its_text_is_the_same_again),
		cmocka_unit_test(test_any_text_by_hand_has_a_canonical_form),
		cmocka_unit_test(test_every_character_reads_back),
		cmocka_unit_test(test_the_largest_objects_read_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
