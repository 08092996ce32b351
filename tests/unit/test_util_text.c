/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <string.h>

#include "util/strbuf.h"
#include "util/text.h"

static void assert_escaped(const char *text, size_t len, size_t max, const char *want)
{
	auto_strbuf struct strbuf out = STRBUF_INIT;

	strbuf_adds(&out, "> ");
	text_escape(&out, text, len, max);
	assert_string_equal(out.buf + 2, want);
	assert_int_equal(out.len, strlen(want) + 2);
}

static void test_plain_and_printable_text_stays(void **state)
{
	(void)state;
	assert_escaped("a b/c'\"\\", 8, 0, "a b/c'\"\\");
	assert_escaped("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", 9, 0, "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
}

static void test_line_breaks_and_tabs_stay_on_the_line(void **state)
{
	(void)state;
	assert_escaped("a\nb\tc\r", 6, 0, "a\\nb\\tc\\x0D");
}

/* "\e]0;title\a" would set the title of the terminal that reads the log. */
static void test_terminal_commands_are_defused(void **state)
{
	(void)state;
	assert_escaped("\x1B[1m\x07\x7F\0", 7, 0, "\\x1B[1m\\x07\\x7F\\x00");
}

/* U+009B is the one-character form of ESC [. */
static void test_c1_controls_are_defused(void **state)
{
	(void)state;
	assert_escaped("\xC2\x9B", 2, 0, "\\u{009B}");
}

/* They would make a name read as another than it is. */
static void test_bidi_controls_and_line_separators_are_shown(void **state)
{
	(void)state;
	assert_escaped("\xE2\x80\xAE\xE2\x81\xA6\xE2\x80\x8F\xD8\x9C", 11, 0, "\\u{202E}\\u{2066}\\u{200F}\\u{061C}");
	assert_escaped("\xE2\x80\xA8\xE2\x80\xA9", 6, 0, "\\u{2028}\\u{2029}");
}

static void test_bytes_that_are_not_utf8_are_shown_one_by_one(void **state)
{
	(void)state;
	assert_escaped("\xFF\xC3(", 3, 0, "\\xFF\\xC3(");
	assert_escaped("\xC0\xAF", 2, 0, "\\xC0\\xAF");
	assert_escaped("\xED\xA0\x80", 3, 0, "\\xED\\xA0\\x80");
	assert_escaped("\xE2\x82", 2, 0, "\\xE2\\x82");
}

static void test_text_as_long_as_the_limit_is_whole(void **state)
{
	(void)state;
	assert_escaped("abcdefgh", 8, 8, "abcdefgh");
}

static void test_longer_text_is_cut_and_ends_in_dots_within_the_limit(void **state)
{
	(void)state;
	assert_escaped("abcdefghi", 9, 8, "abcde...");
	assert_escaped("abc", 3, 2, "..");
}

/* Half an escape would read as something else. */
static void test_cut_falls_between_escapes(void **state)
{
	(void)state;
	assert_escaped("ab\x01\x01\x01", 5, 8, "ab...");
	assert_escaped("ab\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC", 11, 9, "ab\xE2\x82\xAC...");
}

static void test_star_matches_any_run(void **state)
{
	(void)state;
	assert_true(text_glob("kube-*", "kube-"));
	assert_true(text_glob("kube-*", "kube-system"));
	assert_true(text_glob("*a*b*", "xxaxxbxx"));
	assert_true(text_glob("*", ""));
	assert_true(text_glob("**", "x"));
}

static void test_question_mark_matches_one_byte(void **state)
{
	(void)state;
	assert_true(text_glob("a?c", "abc"));
	assert_false(text_glob("a?c", "ac"));
}

static void test_pattern_matches_the_whole_text_only(void **state)
{
	(void)state;
	assert_false(text_glob("kube", "kube-system"));
	assert_false(text_glob("system", "kube-system"));
	assert_false(text_glob("a*b", "abc"));
	assert_false(text_glob("", "a"));
	assert_true(text_glob("", ""));
}

/* A recursive matcher needs years for this. */
static void test_many_stars_take_no_time(void **state)
{
	char text[2001];

	(void)state;
	memset(text, 'a', 2000);
	text[2000] = '\0';
	assert_false(text_glob("*a*a*a*a*a*a*a*a*a*a*a*a*b", text));
}

static void test_well_formed_utf8_is_accepted(void **state)
{
	(void)state;
	assert_true(text_is_utf8("", 0));
	assert_true(text_is_utf8("a\0b", 3));
	assert_true(text_is_utf8("\xC2\x80\xE0\xA0\x80\xEF\xBF\xBF\xF0\x90\x80\x80\xF4\x8F\xBF\xBF", 16));
}

static void test_ill_formed_utf8_is_refused(void **state)
{
	static const char *const bad[] = {"\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xBF\xBF", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80",
		"\xF5\x80\x80\x80", "a\xE2\x82", "\xC3\xC3"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(text_is_utf8(bad[i], strlen(bad[i])));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_and_printable_text_stays),
		cmocka_unit_test(test_line_breaks_and_tabs_stay_on_the_line),
		cmocka_unit_test(test_terminal_commands_are_defused),
		cmocka_unit_test(test_c1_controls_are_defused),
		cmocka_unit_test(test_bidi_controls_and_line_separators_are_shown),
		cmocka_unit_test(test_bytes_that_are_not_utf8_are_shown_one_by_one),
		cmocka_unit_test(test_text_as_long_as_the_limit_is_whole),
		cmocka_unit_test(test_longer_text_is_cut_and_ends_in_dots_within_the_limit),
		cmocka_unit_test(test_cut_falls_between_escapes),
		cmocka_unit_test(test_star_matches_any_run),
		cmocka_unit_test(test_question_mark_matches_one_byte),
		cmocka_unit_test(test_pattern_matches_the_whole_text_only),
		cmocka_unit_test(test_many_stars_take_no_time),
		cmocka_unit_test(test_well_formed_utf8_is_accepted),
		cmocka_unit_test(test_ill_formed_utf8_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
