/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <errno.h>
#include <string.h>

#include "util/text.h"

static void test_set_fills_code_and_text_and_returns_minus_one(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(error_set(&err, ERR_GUARD, "no %s", "kernel"), -1);
	support_assert_error(&err, ERR_GUARD, "no kernel");
}

/* A hint for the fault before would send the reader the wrong way. */
static void test_set_forgets_the_hint_of_an_older_fault(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	error_hint(&err, "old");
	error_set(&err, ERR_FAILED, "new");
	assert_string_equal(err.hint, "");
}

static void test_set_may_take_its_own_text_as_argument(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	error_set(&err, ERR_FAILED, "inner");
	error_set(&err, ERR_USAGE, "outer (%s)", err.text);
	support_assert_error(&err, ERR_USAGE, "outer (inner)");
}

static void test_errno_ends_in_the_reason(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(error_errno(&err, ENOENT, "cannot open '%s'", "a"), -1);
	support_assert_error(&err, ERR_FAILED, "cannot open 'a': No such file or directory");
}

static void test_wrap_puts_the_subject_first_and_keeps_code_and_hint(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	error_set(&err, ERR_NOT_FOUND, "gone");
	error_hint(&err, "look elsewhere");
	assert_int_equal(error_wrap(&err, "snapshot '%s'", "x"), -1);
	support_assert_error(&err, ERR_NOT_FOUND, "snapshot 'x': gone");
	assert_string_equal(err.hint, "look elsewhere");
}

/* The first is the nearest to the fault. */
static void test_first_hint_stays(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(error_hint(&err, "near %d", 1), -1);
	error_hint(&err, "far");
	assert_string_equal(err.hint, "near 1");
}

static void test_long_text_is_cut_to_the_field(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	error_set(&err, ERR_FAILED, "%0*d", (int)sizeof(err.text) * 2, 1);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

static void test_long_wrap_is_cut_to_the_field(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	error_set(&err, ERR_FAILED, "%0*d", (int)sizeof(err.text) - 8, 1);
	error_wrap(&err, "%0100d", 1);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	assert_memory_equal(err.text + 98, "01: 0", 5);
}

/* Half a character would be shown as a broken byte. */
static void test_cut_falls_between_characters(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	for (int fill = (int)sizeof(err.text) - 8; fill < (int)sizeof(err.text); fill++) {
		error_set(&err, ERR_FAILED, "%0*d\xE2\x82\xAC\xE2\x82\xAC", fill, 1);
		assert_true(text_is_utf8(err.text, strlen(err.text)));
		assert_true(strlen(err.text) >= sizeof(err.text) - 3);
	}
}

static void test_clear_leaves_nothing(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	error_set(&err, ERR_FAILED, "x");
	error_hint(&err, "y");
	error_clear(&err);
	support_assert_error(&err, ERR_NONE, "");
	assert_string_equal(err.hint, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set_fills_code_and_text_and_returns_minus_one),
		cmocka_unit_test(test_set_forgets_the_hint_of_an_older_fault),
		cmocka_unit_test(test_set_may_take_its_own_text_as_argument),
		cmocka_unit_test(test_errno_ends_in_the_reason),
		cmocka_unit_test(test_wrap_puts_the_subject_first_and_keeps_code_and_hint),
		cmocka_unit_test(test_first_hint_stays),
		cmocka_unit_test(test_long_text_is_cut_to_the_field),
		cmocka_unit_test(test_long_wrap_is_cut_to_the_field),
		cmocka_unit_test(test_cut_falls_between_characters),
		cmocka_unit_test(test_clear_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
