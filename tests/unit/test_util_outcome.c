/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include "util/outcome.h"

static void test_nothing_added_is_success(void **state)
{
	struct outcome outcome = {0};

	(void)state;
	outcome_add(&outcome, ERR_NONE);
	assert_int_equal(outcome_exit_code(&outcome), 0);
}

/* design.md section 7: 6 > 2 > 7 > 10 > 9 > 8 > 1 > 3 > 5 > 4. */
static void test_each_code_wins_over_all_that_come_after_it(void **state)
{
	static const enum error_code order[] = {ERR_INTEGRITY, ERR_USAGE, ERR_NOT_READY, ERR_LOCKED, ERR_GUARD, ERR_INTERRUPTED, ERR_FAILED,
		ERR_PARTIAL, ERR_VERIFY, ERR_OBJECTIVE};
	struct outcome outcome = {0};

	(void)state;
	for (int i = 9; i >= 0; i--) {
		outcome_add(&outcome, order[i]);
		assert_int_equal(outcome_exit_code(&outcome), order[i]);
	}
}

static void test_code_for_deciding_callers_counts_as_failed(void **state)
{
	struct outcome outcome = {0};

	(void)state;
	outcome_add(&outcome, ERR_UNAVAILABLE);
	assert_int_equal(outcome_exit_code(&outcome), ERR_FAILED);
}

static void test_all_codes_stay_in_the_set(void **state)
{
	struct outcome outcome = {0};

	(void)state;
	outcome_add(&outcome, ERR_PARTIAL);
	outcome_add(&outcome, ERR_INTEGRITY);
	assert_int_equal(outcome.set, 1U << 3 | 1U << 6);
}

/* The row of a code is found by indexing. */
static void test_rows_are_in_the_order_of_their_numbers(void **state)
{
	(void)state;
	for (int code = 0; code <= ERR_LOCKED; code++) {
		assert_int_equal(outcome_rows[code].code, code);
		assert_non_null(outcome_rows[code].name);
		assert_non_null(outcome_rows[code].help);
	}
	assert_null(outcome_rows[ERR_LOCKED + 1].name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_added_is_success),
		cmocka_unit_test(test_each_code_wins_over_all_that_come_after_it),
		cmocka_unit_test(test_code_for_deciding_callers_counts_as_failed),
		cmocka_unit_test(test_all_codes_stay_in_the_set),
		cmocka_unit_test(test_rows_are_in_the_order_of_their_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
