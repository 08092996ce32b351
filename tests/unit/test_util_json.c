/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"

static json_t *must_read(const char *text, size_t len)
{
	struct error err = ERROR_INIT;
	json_t *value = json_read(text, len, &err);

	assert_string_equal(err.text, "");
	assert_non_null(value);
	return value;
}

static void assert_written(const char *text, const char *want)
{
	auto_json json_t *value = must_read(text, strlen(text));
	auto_strbuf struct strbuf out = STRBUF_INIT;

	json_write(value, &out);
	assert_string_equal(out.buf, want);
}

static void assert_refused_bytes(const char *text, size_t len, const char *want)
{
	struct error err = ERROR_INIT;

	assert_null(json_read(text, len, &err));
	support_assert_error(&err, ERR_SYNTAX, want);
}

static void assert_refused(const char *text, const char *want)
{
	assert_refused_bytes(text, strlen(text), want);
}

/* ---- reading ---- */

static void test_any_value_may_stand_alone(void **state)
{
	(void)state;
	assert_written("null", "null");
	assert_written(" true ", "true");
	assert_written("\"x\"", "\"x\"");
	assert_written("-5", "-5");
	assert_written("[]", "[]");
	assert_written("{}", "{}");
}

/* Which of the two an API server or another reader would take is anybody's guess. */
static void test_key_that_is_there_twice_is_refused(void **state)
{
	(void)state;
	assert_refused("{\"a\":1,\n \"a\":2}", "line 2, column 4: duplicate object key near '\"a\"'");
}

static void test_nul_in_a_string_is_kept(void **state)
{
	auto_json json_t *value = must_read("\"a\\u0000b\"", 10);

	(void)state;
	assert_int_equal(json_string_length(value), 3);
	assert_memory_equal(json_string_value(value), "a\0b", 3);
}

/* Code that sees keys as C strings would read another key. */
static void test_nul_in_a_key_is_refused(void **state)
{
	(void)state;
	assert_refused("{\"a\\u0000b\":1}", "line 1, column 11: a key holds U+0000, which no snapshot can keep");
}

static void test_integer_within_int64_stays_an_integer(void **state)
{
	(void)state;
	assert_written("[9223372036854775807,-9223372036854775808,0,-0]", "[9223372036854775807,-9223372036854775808,0,0]");
}

/* As apimachinery does: float64 when it does not fit int64. */
static void test_integer_beyond_int64_is_a_real(void **state)
{
	auto_json json_t *value = must_read("[9223372036854775808,-9223372036854775809,1]", 44);

	(void)state;
	assert_true(json_is_real(json_array_get(value, 0)));
	assert_float_equal(json_real_value(json_array_get(value, 0)), 9223372036854775808.0, 0.0);
	assert_true(json_is_real(json_array_get(value, 1)));
	assert_true(json_is_integer(json_array_get(value, 2)));
}

static void test_long_digits_inside_a_string_are_left_alone(void **state)
{
	(void)state;
	assert_written("[99999999999999999999,\"\\\"99999999999999999999\"]", "[100000000000000000000.0,\"\\\"99999999999999999999\"]");
}

static void test_long_number_cut_off_by_the_end_is_read(void **state)
{
	(void)state;
	assert_written("99999999999999999999", "100000000000000000000.0");
}

static void test_number_beyond_double_is_refused(void **state)
{
	(void)state;
	assert_refused("1e999", NULL);
	assert_refused("[99999999999999999999,-1e999]", NULL);
}

static void test_real_stays_a_real(void **state)
{
	(void)state;
	assert_written("[1.0,-0.0,1e2,100.0]", "[1.0,-0.0,100.0,100.0]");
}

static char *nested(int depth, char open, char close)
{
	char *text = xcalloc(1, (size_t)depth * 2 + 1);

	memset(text, open, (size_t)depth);
	memset(text + depth, close, (size_t)depth);
	return text;
}

static void test_nesting_up_to_the_limit_is_read(void **state)
{
	auto_free char *text = nested(JSON_DEPTH_MAX, '[', ']');
	auto_json json_t *value = must_read(text, strlen(text));

	(void)state;
	assert_true(json_is_array(value));
}

static void test_deeper_nesting_is_refused_where_it_goes_too_far(void **state)
{
	auto_free char *text = nested(JSON_DEPTH_MAX + 1, '[', ']');

	(void)state;
	assert_refused(text, "line 1, column 129: nested too deep");
}

/* A megabyte of "[" must not reach a parser that recurses. */
static void test_endless_nesting_is_refused_at_once(void **state)
{
	auto_free char *text = nested(1 << 20, '[', '[');

	(void)state;
	assert_refused(text, "line 1, column 129: nested too deep");
}

static void test_brackets_inside_strings_do_not_nest(void **state)
{
	auto_free char *brackets = nested(200, '[', '[');
	auto_free char *text = xasprintf("\"\\\"%s\"", brackets);
	auto_json json_t *value = must_read(text, strlen(text));

	(void)state;
	assert_int_equal(json_string_length(value), 401);
}

static void test_invalid_utf8_is_refused(void **state)
{
	(void)state;
	assert_refused("\"\xFF\"", NULL);
	assert_refused("\"\xC0\xAF\"", NULL);
	assert_refused("\"\xED\xA0\x80\"", NULL);
}

static void test_lone_surrogate_is_refused(void **state)
{
	(void)state;
	assert_refused("\"\\ud800\"", NULL);
	assert_refused("\"\\udc00\"", NULL);
	assert_refused("\"\\ud800\\u0041\"", NULL);
}

static void test_surrogate_pair_is_one_character(void **state)
{
	(void)state;
	assert_written("\"\\ud83d\\ude00\"", "\"\xF0\x9F\x98\x80\"");
}

static void test_text_after_the_value_is_refused(void **state)
{
	(void)state;
	assert_refused("{} {}", NULL);
	assert_refused_bytes("{}\0", 3, NULL);
}

static void test_nothing_is_refused(void **state)
{
	(void)state;
	assert_refused("", "line 1, column 1: empty");
	assert_refused("  ", NULL);
}

/* A page that the server cut off must never count as a shorter list. */
static void test_every_cut_of_a_document_is_refused(void **state)
{
	static const char whole[] = "{\"a\":[1,2.5,true,null,\"x\\\"\\u00e9\"],\"b\":{\"c\":99999999999999999999}}";

	(void)state;
	for (size_t len = 0; len < sizeof(whole) - 1; len++)
		assert_refused_bytes(whole, len, NULL);
}

/* What stands near a fault may be a token. */
static void test_message_does_not_show_the_text_at_fault(void **state)
{
	(void)state;
	assert_refused("{\"token\":\n  hunter2}", "line 2, column 8: invalid token");
}

/* ---- writing ---- */

static void test_keys_are_sorted_bytewise(void **state)
{
	(void)state;
	assert_written(
		"{\"b\":1,\"a\":2,\"B\":3,\"\xC3\xA9\":4,\"aa\":5,\"\":6}", "{\"\":6,\"B\":3,\"a\":2,\"aa\":5,\"b\":1,\"\xC3\xA9\":4}");
}

static void test_strings_are_escaped_as_little_as_json_allows(void **state)
{
	(void)state;
	assert_written("\"\\u0022\\u005c\\u002f\\b\\f\\n\\r\\t\\u0000\\u001f\\u007f\\u00e9\"",
		"\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\x7F\xC3\xA9\"");
}

static void test_written_text_reads_back_equal(void **state)
{
	static const char text[] = "{\"a\":[1,-2.5e-7,1e300,\"\\u0000\\ud83d\\ude00\",{},[],null,false],\"b\":{\"c\":{\"d\":0.1}}}";
	auto_json json_t *value = must_read(text, sizeof(text) - 1);
	auto_strbuf struct strbuf out = STRBUF_INIT;
	auto_json json_t *again = NULL;

	(void)state;
	json_write(value, &out);
	again = must_read(out.buf, out.len);
	assert_true(json_equal(value, again));
}

static void assert_real_text(double number, const char *want)
{
	auto_json json_t *value = json_real(number);
	char buf[JSON_NUMBER_SIZE];

	assert_string_equal(json_number_text(value, buf), want);
}

static void test_real_has_its_fewest_digits(void **state)
{
	(void)state;
	assert_real_text(0.1, "0.1");
	assert_real_text(0.30000000000000004, "0.30000000000000004");
	assert_real_text(100, "100.0");
	assert_real_text(123456.789, "123456.789");
	assert_real_text(-0.5, "-0.5");
}

static void test_zero_keeps_its_sign(void **state)
{
	(void)state;
	assert_real_text(0.0, "0.0");
	assert_real_text(-0.0, "-0.0");
}

/* YAML 1.1 takes "1e21" and "1.0e21" for strings. */
static void test_exponent_form_has_a_point_and_a_signed_exponent(void **state)
{
	(void)state;
	assert_real_text(1e21, "1.0e+21");
	assert_real_text(1e-7, "1.0e-07");
	assert_real_text(-1.5e300, "-1.5e+300");
}

/* The same bounds as Go and JavaScript. */
static void test_exponent_form_starts_where_positions_get_long(void **state)
{
	(void)state;
	assert_real_text(1e20, "100000000000000000000.0");
	assert_real_text(999999999999999900000.0, "999999999999999900000.0");
	assert_real_text(1e-6, "0.000001");
	assert_real_text(-1.2345678901234567e-6, "-0.0000012345678901234567");
}

static void test_extreme_reals_fit_and_read_back(void **state)
{
	(void)state;
	assert_real_text(DBL_MAX, "1.7976931348623157e+308");
	assert_real_text(DBL_MIN, "2.2250738585072014e-308");
	assert_real_text(5e-324, "5.0e-324");
}

static void test_every_double_reads_back_the_same_bits(void **state)
{
	uint64_t bits = 0x9E3779B97F4A7C15;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		auto_json json_t *value = NULL, *again = NULL;
		char buf[JSON_NUMBER_SIZE];
		double number, got;

		/* A fixed sequence over all exponents. */
		bits = bits * 6364136223846793005 + 1442695040888963407;
		memcpy(&number, &bits, sizeof(number));
		if (!isfinite(number))
			continue;
		value = json_real(number);
		json_number_text(value, buf);
		again = must_read(buf, strlen(buf));
		assert_true(json_is_real(again));
		got = json_real_value(again);
		assert_memory_equal(&got, &number, sizeof(got));
	}
}

static void test_integer_text_is_the_whole_integer(void **state)
{
	auto_json json_t *value = json_integer(INT64_MIN);
	char buf[JSON_NUMBER_SIZE];

	(void)state;
	assert_string_equal(json_number_text(value, buf), "-9223372036854775808");
}

/* ---- looking ---- */

static void test_at_follows_the_keys(void **state)
{
	static const char text[] = "{\"a\":{\"b\":[1]}}";
	auto_json json_t *value = must_read(text, sizeof(text) - 1);

	(void)state;
	assert_true(json_is_array(json_at(value, "a", "b", NULL)));
	assert_ptr_equal(json_at(value, NULL), value);
}

static void test_at_is_null_where_a_key_is_missing_or_no_object(void **state)
{
	static const char text[] = "{\"a\":{\"b\":[1]}}";
	auto_json json_t *value = must_read(text, sizeof(text) - 1);

	(void)state;
	assert_null(json_at(value, "x", "b", NULL));
	assert_null(json_at(value, "a", "b", "c", NULL));
	assert_null(json_at(NULL, "a", NULL));
}

/* A name with a NUL in it would be checked as one name and used as another. */
static void test_text_at_gives_only_strings_without_nul(void **state)
{
	static const char text[] = "{\"a\":\"x\",\"b\":1,\"c\":\"x\\u0000y\",\"d\":\"\"}";
	auto_json json_t *value = must_read(text, sizeof(text) - 1);

	(void)state;
	assert_string_equal(json_text_at(value, "a", NULL), "x");
	assert_string_equal(json_text_at(value, "d", NULL), "");
	assert_null(json_text_at(value, "b", NULL));
	assert_null(json_text_at(value, "c", NULL));
	assert_null(json_text_at(value, "e", NULL));
}

static void test_sorted_keys_of_nothing_are_none(void **state)
{
	auto_json json_t *value = json_object();
	size_t count = 7;
	auto_free const char **keys = json_sorted_keys(value, &count);

	(void)state;
	assert_non_null(keys);
	assert_int_equal(count, 0);
}

static void test_release_forgets_the_value(void **state)
{
	json_t *value = json_object();

	(void)state;
	json_release(&value);
	assert_null(value);
	json_release(&value);
}

static void test_whole_reals_settle_as_integers(void **state)
{
	static const char text[] = "{\"a\":3.0,\"b\":[-2.0,0.5,{\"c\":1.0e3}],\"d\":1e19,\"e\":-9223372036854775808.0,"
				   "\"f\":9223372036854775808.0,\"g\":\"4.0\"}";
	auto_json json_t *value = must_read(text, sizeof(text) - 1);
	auto_strbuf struct strbuf out = STRBUF_INIT;

	(void)state;
	json_settle_numbers(value);
	json_write(value, &out);
	assert_string_equal(out.buf,
		"{\"a\":3,\"b\":[-2,0.5,{\"c\":1000}],\"d\":10000000000000000000.0,\"e\":-9223372036854775808,"
		"\"f\":9223372036854776000.0,\"g\":\"4.0\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_value_may_stand_alone),
		cmocka_unit_test(test_key_that_is_there_twice_is_refused),
		cmocka_unit_test(test_nul_in_a_string_is_kept),
		cmocka_unit_test(test_nul_in_a_key_is_refused),
		cmocka_unit_test(test_integer_within_int64_stays_an_integer),
		cmocka_unit_test(test_integer_beyond_int64_is_a_real),
		cmocka_unit_test(test_long_digits_inside_a_string_are_left_alone),
		cmocka_unit_test(test_long_number_cut_off_by_the_end_is_read),
		cmocka_unit_test(test_number_beyond_double_is_refused),
		cmocka_unit_test(test_real_stays_a_real),
		cmocka_unit_test(test_nesting_up_to_the_limit_is_read),
		cmocka_unit_test(test_deeper_nesting_is_refused_where_it_goes_too_far),
		cmocka_unit_test(test_endless_nesting_is_refused_at_once),
		cmocka_unit_test(test_brackets_inside_strings_do_not_nest),
		cmocka_unit_test(test_invalid_utf8_is_refused),
		cmocka_unit_test(test_lone_surrogate_is_refused),
		cmocka_unit_test(test_surrogate_pair_is_one_character),
		cmocka_unit_test(test_text_after_the_value_is_refused),
		cmocka_unit_test(test_nothing_is_refused),
		cmocka_unit_test(test_every_cut_of_a_document_is_refused),
		cmocka_unit_test(test_message_does_not_show_the_text_at_fault),
		cmocka_unit_test(test_keys_are_sorted_bytewise),
		cmocka_unit_test(test_strings_are_escaped_as_little_as_json_allows),
		cmocka_unit_test(test_written_text_reads_back_equal),
		cmocka_unit_test(test_real_has_its_fewest_digits),
		cmocka_unit_test(test_zero_keeps_its_sign),
		cmocka_unit_test(test_exponent_form_has_a_point_and_a_signed_exponent),
		cmocka_unit_test(test_exponent_form_starts_where_positions_get_long),
		cmocka_unit_test(test_extreme_reals_fit_and_read_back),
		cmocka_unit_test(test_every_double_reads_back_the_same_bits),
		cmocka_unit_test(test_integer_text_is_the_whole_integer),
		cmocka_unit_test(test_at_follows_the_keys),
		cmocka_unit_test(test_at_is_null_where_a_key_is_missing_or_no_object),
		cmocka_unit_test(test_text_at_gives_only_strings_without_nul),
		cmocka_unit_test(test_sorted_keys_of_nothing_are_none),
		cmocka_unit_test(test_release_forgets_the_value),
		cmocka_unit_test(test_whole_reals_settle_as_integers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
