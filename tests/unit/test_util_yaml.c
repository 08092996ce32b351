/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"
#include "util/yaml.h"

static void assert_bytes_read(const char *yaml, size_t len, const char *json)
{
	struct error err = ERROR_INIT;
	auto_json json_t *value = yaml_read(yaml, len, &err);
	auto_strbuf struct strbuf out = STRBUF_INIT;

	assert_string_equal(err.text, "");
	assert_non_null(value);
	json_write(value, &out);
	assert_string_equal(out.buf, json);
}

static void assert_read(const char *yaml, const char *json)
{
	assert_bytes_read(yaml, strlen(yaml), json);
}

static void assert_refused(const char *yaml, const char *text)
{
	struct error err = ERROR_INIT;

	assert_null(yaml_read(yaml, strlen(yaml), &err));
	support_assert_error(&err, ERR_SYNTAX, text);
}

/* ---- structure ---- */

static void test_nothing_is_null(void **state)
{
	(void)state;
	assert_read("", "null");
	assert_read("# only a comment\n", "null");
	assert_read("---\n", "null");
}

static void test_block_and_flow_give_the_same_tree(void **state)
{
	(void)state;
	assert_read("a:\n  - 1\n  - b: c\n    d: {}\n  - []\n", "{\"a\":[1,{\"b\":\"c\",\"d\":{}},[]]}");
	assert_read("{a: [1, {b: c, d: {}}, []]}", "{\"a\":[1,{\"b\":\"c\",\"d\":{}},[]]}");
}

/* A policy or a snapshot file may be JSON, which is YAML. */
static void test_json_is_read_as_it_is(void **state)
{
	(void)state;
	assert_read("{\"a\": [1, -2.5, true, null, \"x\\n\"], \"b\": {}}", "{\"a\":[1,-2.5,true,null,\"x\\n\"],\"b\":{}}");
}

static void test_document_marks_and_version_directive_are_allowed(void **state)
{
	(void)state;
	assert_read("%YAML 1.1\n---\na: 1\n...\n", "{\"a\":1}");
}

/* Editors on Windows write one. What stands behind it is the first column of the first line. */
static void test_byte_order_mark_is_skipped(void **state)
{
	(void)state;
	assert_read("\xEF\xBB\xBF"
		    "a: 1\nb: 2\n",
		"{\"a\":1,\"b\":2}");
	assert_read("\xEF\xBB\xBF"
		    "---\na: 1\n",
		"{\"a\":1}");
	assert_refused("\xEF\xBB\xBF"
		       "a: yes\n",
		"line 1, column 4: 'yes' must be quoted");
}

/* To libyaml it may start a line, to kubectl it is text there. */
static void test_byte_order_mark_inside_is_refused(void **state)
{
	(void)state;
	assert_refused("a: 1\nb: '\xC3\xBC\xEF\xBB\xBF'\n", "line 2, column 6: a byte order mark that is not at the start");
	assert_refused("\xEF\xBB\xBF\xEF\xBB\xBF", "line 1, column 1: a byte order mark that is not at the start");
	assert_read("a: \"\\uFEFF\"\n", "{\"a\":\"\xEF\xBB\xBF\"}");
}

static void test_line_ends_of_windows_are_read(void **state)
{
	(void)state;
	assert_read("a: 1\r\nb:\r\n- x\r\n- |\r\n  y\r\n  z\r\n", "{\"a\":1,\"b\":[\"x\",\"y\\nz\\n\"]}");
	assert_refused("a: 1\r\nb: yes\r\n", "line 2, column 4: 'yes' must be quoted");
}

static void test_comments_are_no_content(void **state)
{
	(void)state;
	assert_read("# a\na: 1 # b\n  # c\nb: x#y\n", "{\"a\":1,\"b\":\"x#y\"}");
}

static void test_block_scalars_of_all_styles(void **state)
{
	(void)state;
	assert_read("- |\n x\n y\n\n- |-\n x\n- |+\n x\n\n- |2\n   x\n- |-1\n  x\n", "[\"x\\ny\\n\",\"x\",\"x\\n\\n\",\" x\\n\",\" x\"]");
	assert_read("- >\n x\n y\n\n z\n- >-\n x\n- >+\n x\n\n- >2-\n   x\n", "[\"x y\\nz\\n\",\"x\",\"x\\n\\n\",\" x\"]");
}

static void test_second_document_is_refused(void **state)
{
	(void)state;
	assert_refused("a: 1\n---\nb: 2\n", "line 2, column 1: more than one document");
	assert_refused("a: 1\n---\n", "line 2, column 1: more than one document");
}

/* Aliases are how a small file becomes a large tree. */
static void test_anchor_and_alias_are_refused(void **state)
{
	(void)state;
	assert_refused("a: &x 1\n", "line 1, column 4: anchors are not allowed");
	assert_refused("a: &x [1]\n", "line 1, column 4: anchors are not allowed");
	assert_refused("a: &x {b: 1}\n", "line 1, column 4: anchors are not allowed");
	assert_refused("a: 1\nb: *x\n", "line 2, column 4: aliases are not allowed");
	assert_refused("- *x\n", "line 1, column 3: aliases are not allowed");
	assert_refused("*x : 1\n", "line 1, column 1: aliases are not allowed");
}

static void test_tag_is_refused(void **state)
{
	(void)state;
	assert_refused("a: !!str 1\n", "line 1, column 4: tags are not allowed");
	assert_refused("a: ! 'x'\n", "line 1, column 4: tags are not allowed");
	assert_refused("a: !!set {b: 1}\n", "line 1, column 4: tags are not allowed");
	assert_refused("a: !x [1]\n", "line 1, column 4: tags are not allowed");
}

static void test_merge_key_is_refused(void **state)
{
	(void)state;
	assert_refused("<<: {a: 1}\n", "line 1, column 1: merge keys are not allowed");
	assert_read("'<<': {a: 1}\n", "{\"<<\":{\"a\":1}}");
}

static void test_key_that_is_there_twice_is_refused_at_its_place(void **state)
{
	(void)state;
	assert_refused("a: 1\nb:\n  c: 1\n  c: 2\n", "line 4, column 3: 'c' is a key that is there already");
	assert_refused("'a': 1\na: 2\n", "line 2, column 1: 'a' is a key that is there already");
}

static void test_key_that_is_no_string_is_refused(void **state)
{
	(void)state;
	assert_refused("8080: x\n", "line 1, column 1: '8080' must be quoted: a key must be a string");
	assert_refused("null: x\n", "line 1, column 1: 'null' must be quoted: a key must be a string");
	assert_refused("? [a]\n: x\n", "line 1, column 3: a key must be a string");
	assert_refused("? {a: b}\n: x\n", "line 1, column 3: a key must be a string");
}

/* GitHub's `on:` is the classic: true in YAML 1.1. */
static void test_ambiguous_key_is_refused(void **state)
{
	(void)state;
	assert_refused("on: push\n", "line 1, column 1: 'on' must be quoted");
	assert_refused("y: 1\n", "line 1, column 1: 'y' must be quoted");
}

static void test_nul_in_a_key_is_refused(void **state)
{
	(void)state;
	assert_refused("\"a\\0\": 1\n", NULL);
}

static void test_nul_in_a_string_is_kept(void **state)
{
	(void)state;
	assert_read("a: \"x\\0y\"\n", "{\"a\":\"x\\u0000y\"}");
}

static char *nested(int depth)
{
	char *text = xcalloc(1, (size_t)depth * 2 + 1);

	memset(text, '[', (size_t)depth);
	memset(text + depth, ']', (size_t)depth);
	return text;
}

static void test_nesting_up_to_the_limit_is_read(void **state)
{
	auto_free char *text = nested(JSON_DEPTH_MAX);

	(void)state;
	assert_read(text, text);
}

static void test_deeper_nesting_is_refused(void **state)
{
	auto_free char *text = nested(JSON_DEPTH_MAX + 1);
	auto_free char *far = nested(100000);

	(void)state;
	assert_refused(text, "line 1, column 129: nested too deep");
	assert_refused(far, NULL);
}

static void test_broken_text_is_refused_with_its_place(void **state)
{
	(void)state;
	assert_refused("a: 1\nb: [1,\n", NULL);
	assert_refused("a: b: c\n", "line 1, column 5: mapping values are not allowed in this context");
	assert_refused("a: [1,\n2\n",
		"line 3, column 1: did not find expected ',' or ']', while parsing a flow sequence that starts at line 1, column 4");
	assert_refused("a: \"x\nb: 1\n",
		"line 3, column 1: found unexpected end of stream, while scanning a quoted scalar that starts at line 1, column 4");
}

static void test_a_tab_that_indents_is_refused_as_one(void **state)
{
	(void)state;
	assert_refused("a:\n\t- 1\n", "line 2, column 1: a tab where only spaces may be");
	assert_refused("\xC3\xBC:\n  b:\n\tc: 1\n", "line 3, column 1: a tab where only spaces may be");
	assert_refused("a:\n  b: |\n\tc\n", NULL);
	assert_read("a:\t1\t# c\n", "{\"a\":1}");
}

static void test_bytes_that_are_not_utf8_are_refused_with_their_place(void **state)
{
	(void)state;
	assert_refused("a: 1\nb: '\xFF'\n", "line 2, column 5: invalid leading UTF-8 octet");
	assert_refused("\xC3\xBC: '\xFF'\n", "line 1, column 5: invalid leading UTF-8 octet");
	assert_refused("a: \"\\ud800\"\n", NULL);
}

static void test_input_beyond_the_cap_is_refused(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	assert_null(yaml_read("", YAML_SIZE_MAX + 1, &err));
	support_assert_error(&err, ERR_SYNTAX, "larger than 64 MiB");
}

/* Each cut is refused or read as another document, but never runs past the end (the sanitizers watch). */
static void test_every_cut_of_a_document_is_survived(void **state)
{
	static const char whole[] = "a: [1, \"\\u00e9\", 'it''s']\nb: |-\n  x\n  y\nc: {d: 1.0e+3, ? e : f}\n";

	(void)state;
	for (size_t len = 0; len < sizeof(whole); len++) {
		auto_free char *cut = xstrndup(whole, len);
		struct error err = ERROR_INIT;
		auto_json json_t *value = yaml_read(cut, len, &err);

		assert_true(value || err.code == ERR_SYNTAX);
	}
}

/* ---- scalars ---- */

static void test_quoted_and_block_scalars_are_strings(void **state)
{
	(void)state;
	assert_read("['yes', \"010\", '', '~', \"1e3\", '<<']", "[\"yes\",\"010\",\"\",\"~\",\"1e3\",\"<<\"]");
	assert_read("- |\n  true\n- >-\n  12\n", "[\"true\\n\",\"12\"]");
}

static void test_null_has_five_forms(void **state)
{
	(void)state;
	assert_read("a: null\nb: Null\nc: NULL\nd: ~\ne:\n", "{\"a\":null,\"b\":null,\"c\":null,\"d\":null,\"e\":null}");
}

static void test_true_and_false_have_three_forms_each(void **state)
{
	(void)state;
	assert_read("[true, True, TRUE, false, False, FALSE]", "[true,true,true,false,false,false]");
}

static void test_integers_are_decimal(void **state)
{
	(void)state;
	assert_read("[0, 7, -7, +7, 9223372036854775807, -9223372036854775808]", "[0,7,-7,7,9223372036854775807,-9223372036854775808]");
}

/* As json_read does, and the API server. */
static void test_integer_beyond_int64_is_a_real(void **state)
{
	(void)state;
	assert_read("[9223372036854775808, -9223372036854775809]", "[9223372036854776000.0,-9223372036854776000.0]");
}

static void test_reals_that_both_versions_know_are_read(void **state)
{
	(void)state;
	assert_read("[1.0, -0.5, .5, 1., 1.5e+3, 2.5E-3, -0.0]", "[1.0,-0.5,0.5,1.0,1500.0,0.0025,-0.0]");
}

static void test_written_reals_read_back_as_reals(void **state)
{
	(void)state;
	assert_read("[1.0e+21, 1.0e-07, 100.0, 1.7976931348623157e+308]", "[1.0e+21,1.0e-07,100.0,1.7976931348623157e+308]");
}

static void test_number_out_of_range_is_refused(void **state)
{
	(void)state;
	assert_refused("a: 1.0e+999\n", "line 1, column 4: '1.0e+999' is out of range");
}

static void assert_ambiguous(const char *const *texts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		auto_free char *yaml = xasprintf("a: 1\nb: %s\n", texts[i]);
		auto_free char *want = xasprintf("line 2, column 4: '%s' must be quoted", texts[i]);

		assert_refused(yaml, want);
	}
}
#define ASSERT_AMBIGUOUS(...)                                                                                                              \
	do {                                                                                                                               \
		static const char *const texts[] = {__VA_ARGS__};                                                                          \
		assert_ambiguous(texts, sizeof(texts) / sizeof(texts[0]));                                                                 \
	} while (0)

/* Booleans in YAML 1.1, strings in 1.2. */
static void test_old_booleans_must_be_quoted(void **state)
{
	(void)state;
	ASSERT_AMBIGUOUS("yes", "Yes", "YES", "no", "NO", "on", "On", "off", "OFF", "y", "Y", "n", "N", "yEs");
}

/* A word in a case that no version knows is a string to all of them, but surely not meant as one. */
static void test_odd_case_of_a_word_must_be_quoted(void **state)
{
	(void)state;
	ASSERT_AMBIGUOUS("tRUE", "fALSE", "nULL", "TrUe", "NuLL");
}

/* 010 is 8 or 10. */
static void test_leading_zeros_must_be_quoted(void **state)
{
	(void)state;
	ASSERT_AMBIGUOUS("010", "0777", "00", "08", "-012", "00.5", "+01");
}

static void test_other_bases_must_be_quoted(void **state)
{
	(void)state;
	ASSERT_AMBIGUOUS("0x1F", "0XFF", "-0xff", "0o17", "0O7", "0b101", "+0b1_0", "0x_1");
}

static void test_underscores_in_numbers_must_be_quoted(void **state)
{
	(void)state;
	ASSERT_AMBIGUOUS("1_000", "1_", "-1_0.5", "1.5_0", "1_0e+3", "+_1", "-_5", "1e_3", "0_x1F", "0b+1", "1__e+_14", "0x_", "1_0:30");
}

/* Base 60: 1:30 is 90 in YAML 1.1. Port mappings live here. */
static void test_sexagesimals_must_be_quoted(void **state)
{
	(void)state;
	ASSERT_AMBIGUOUS("1:30", "12:30:45", "-1:30", "22:22", "1:30.5", "0:0");
}

/* YAML 1.1 wants a point and a signed exponent, 1.2 neither. Short git ids like 1e10 live here. */
static void test_loose_exponents_must_be_quoted(void **state)
{
	(void)state;
	ASSERT_AMBIGUOUS("1e3", "1E3", "1e+3", "1.0e3", "-.5", "+.5", ".5e3", "12e10");
}

static void test_timestamps_must_be_quoted(void **state)
{
	(void)state;
	ASSERT_AMBIGUOUS("2001-01-01", "2001-1-1", "2001-12-14T21:59:43Z", "2001-12-14t21:59:43.10-05:00", "2001-12-14 21:59:43",
		"2001-12-14  21:59:43");
}

static void test_numbers_that_json_lacks_must_be_quoted(void **state)
{
	(void)state;
	ASSERT_AMBIGUOUS(".inf", ".Inf", "-.INF", "+.inf", ".nan", ".NaN");
}

static void test_value_and_merge_marks_must_be_quoted(void **state)
{
	(void)state;
	ASSERT_AMBIGUOUS("=", "<<");
}

static void test_refusals_say_what_to_do(void **state)
{
	static const struct {
		const char *yaml, *hint;
	} faults[] = {
		{"a: 1e3", "1.0e+3"},
		{"a: &x 1", "write its value"},
		{"a: *x", "write out"},
		{"a: !!str 1", "take the tag away"},
		{"<<: {}", "merged in"},
		{"a: 1\na: 2", "keep one"},
		{"a: 1\n---\nb: 2", "'---'"},
		{"8080: a", "quotes"},
		{"a: {{ .b }}", "quotes"},
		{"a: @b", "quotes"},
		{"a: b: c", "quotes"},
		{"a: \"b", "close the quote"},
		{"a: \"\\q\"", "backslash"},
		{"a:\n\tb: 1", "spaces"},
		{"a: 1\n b: 2", "indented"},
		{"a: 1\nb\n", "colon"},
		{"a: [1 2", "bracket"},
		{"a: |x\n", "this line"},
		{"a: \xFC", "UTF-8"},
		{"a: \x1B", "\\x1B"},
		{"a: 1.0e+999", "e+308"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct error err = ERROR_INIT;

		assert_null(yaml_read(faults[i].yaml, strlen(faults[i].yaml), &err));
		if (!strstr(err.hint, faults[i].hint))
			print_error("%s: %s: %s\n", faults[i].yaml, err.text, err.hint);
		assert_non_null(strstr(err.hint, faults[i].hint));
	}
}

/* All of these are strings to every reader, and common in manifests. */
static void test_strings_that_only_look_like_numbers_stay_strings(void **state)
{
	static const char *const texts[] = {"1.2.3", "v1", "10.0.0.0/8", "192.168.0.1", "8080:80", "1-2", "500m", "1Gi", "100%", "2001-01",
		"2001-01-01x", "12:99", "0x", "0xyz", "0b2", "0o9", ".", "..", "_1", "1e", "1e+", "e3", "+", "a_1", "nan", "inf", "yess",
		"nul", "truely", "/", "1.2.3e+4", "5 6", "==", "<"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		auto_free char *yaml = xasprintf("a: %s\n", texts[i]);
		auto_free char *want = xasprintf("{\"a\":\"%s\"}", texts[i]);

		assert_read(yaml, want);
	}
}

static void test_text_in_a_message_is_escaped_and_cut(void **state)
{
	auto_free char *yaml = xasprintf("a: 1\n'%0100d\t': 1\n'%0100d\t': 2\n", 1, 1);
	struct error err = ERROR_INIT;

	(void)state;
	assert_null(yaml_read(yaml, strlen(yaml), &err));
	assert_non_null(strstr(err.text, "...' is a key that is there already"));
	assert_true(strlen(err.text) < 140);
}

/* ---- where a key is ---- */

static size_t line_of(const char *text, const char *a, const char *b, const char *c)
{
	auto_strlist struct strlist way = STRLIST_INIT;
	const char *const keys[] = {a, b, c};

	for (size_t i = 0; i < 3 && keys[i]; i++)
		strlist_add(&way, keys[i]);
	return yaml_line(text, strlen(text), &way);
}

static void test_the_line_of_a_key_is_found(void **state)
{
	static const char text[] = "# b:\nother:\n  b: [1, {b: 2}]\na:\n  c: {x: {b: 1}}\n  b:\n    - c: 1\n  d: {b: 1,\n    c: 2}\nb: 1\n";

	(void)state;
	assert_int_equal(line_of(text, "b", NULL, NULL), 10);
	assert_int_equal(line_of(text, "a", "b", NULL), 6);
	assert_int_equal(line_of(text, "a", "d", "c"), 9);
	/* the last of the way that is there */
	assert_int_equal(line_of(text, "a", "b", "c"), 6);
	assert_int_equal(line_of(text, "a", "nothing", NULL), 4);
	assert_int_equal(line_of(text, "nothing", NULL, NULL), 0);
	assert_int_equal(line_of("- a\n", "a", NULL, NULL), 0);
	assert_int_equal(line_of("", "a", NULL, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_null),
		cmocka_unit_test(test_block_and_flow_give_the_same_tree),
		cmocka_unit_test(test_json_is_read_as_it_is),
		cmocka_unit_test(test_document_marks_and_version_directive_are_allowed),
		cmocka_unit_test(test_byte_order_mark_is_skipped),
		cmocka_unit_test(test_byte_order_mark_inside_is_refused),
		cmocka_unit_test(test_line_ends_of_windows_are_read),
		cmocka_unit_test(test_comments_are_no_content),
		cmocka_unit_test(test_block_scalars_of_all_styles),
		cmocka_unit_test(test_second_document_is_refused),
		cmocka_unit_test(test_anchor_and_alias_are_refused),
		cmocka_unit_test(test_tag_is_refused),
		cmocka_unit_test(test_merge_key_is_refused),
		cmocka_unit_test(test_key_that_is_there_twice_is_refused_at_its_place),
		cmocka_unit_test(test_key_that_is_no_string_is_refused),
		cmocka_unit_test(test_ambiguous_key_is_refused),
		cmocka_unit_test(test_nul_in_a_key_is_refused),
		cmocka_unit_test(test_nul_in_a_string_is_kept),
		cmocka_unit_test(test_nesting_up_to_the_limit_is_read),
		cmocka_unit_test(test_deeper_nesting_is_refused),
		cmocka_unit_test(test_the_line_of_a_key_is_found),
		cmocka_unit_test(test_broken_text_is_refused_with_its_place),
		cmocka_unit_test(test_a_tab_that_indents_is_refused_as_one),
		cmocka_unit_test(test_bytes_that_are_not_utf8_are_refused_with_their_place),
		cmocka_unit_test(test_input_beyond_the_cap_is_refused),
		cmocka_unit_test(test_every_cut_of_a_document_is_survived),
		cmocka_unit_test(test_quoted_and_block_scalars_are_strings),
		cmocka_unit_test(test_null_has_five_forms),
		cmocka_unit_test(test_true_and_false_have_three_forms_each),
		cmocka_unit_test(test_integers_are_decimal),
		cmocka_unit_test(test_integer_beyond_int64_is_a_real),
		cmocka_unit_test(test_reals_that_both_versions_know_are_read),
		cmocka_unit_test(test_written_reals_read_back_as_reals),
		cmocka_unit_test(test_number_out_of_range_is_refused),
		cmocka_unit_test(test_old_booleans_must_be_quoted),
		cmocka_unit_test(test_odd_case_of_a_word_must_be_quoted),
		cmocka_unit_test(test_leading_zeros_must_be_quoted),
		cmocka_unit_test(test_other_bases_must_be_quoted),
		cmocka_unit_test(test_underscores_in_numbers_must_be_quoted),
		cmocka_unit_test(test_sexagesimals_must_be_quoted),
		cmocka_unit_test(test_loose_exponents_must_be_quoted),
		cmocka_unit_test(test_timestamps_must_be_quoted),
		cmocka_unit_test(test_numbers_that_json_lacks_must_be_quoted),
		cmocka_unit_test(test_value_and_merge_marks_must_be_quoted),
		cmocka_unit_test(test_refusals_say_what_to_do),
		cmocka_unit_test(test_strings_that_only_look_like_numbers_stay_strings),
		cmocka_unit_test(test_text_in_a_message_is_escaped_and_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
