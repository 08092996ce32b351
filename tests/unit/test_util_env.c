/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "util/env.h"

static void test_set_variable_is_read(void **state)
{
	(void)state;
	setenv("RHAII_UNIT", "x", 1);
	assert_string_equal(env_get("RHAII_UNIT"), "x");
}

static void test_unset_variable_is_null(void **state)
{
	(void)state;
	unsetenv("RHAII_UNIT");
	assert_null(env_get("RHAII_UNIT"));
}

/* `RHAII_DR_REPO= rhaii-dr` means "not set", as in a manifest with an empty value. */
static void test_empty_variable_is_null(void **state)
{
	(void)state;
	setenv("RHAII_UNIT", "", 1);
	assert_null(env_get("RHAII_UNIT"));
}

static void test_random_fills_every_byte(void **state)
{
	unsigned char seen[512] = {0}, once[512];

	(void)state;
	/* A byte stays 0 in 8 rounds with a chance of 2^-64. 512 is more than one getrandom call promises to give whole. */
	for (int round = 0; round < 8; round++) {
		env_random(once, sizeof(once));
		for (size_t i = 0; i < sizeof(once); i++)
			seen[i] |= once[i];
	}
	for (size_t i = 0; i < sizeof(seen); i++)
		assert_int_not_equal(seen[i], 0);
}

static void test_random_differs_each_time(void **state)
{
	unsigned char first[16], second[16];

	(void)state;
	env_random(first, sizeof(first));
	env_random(second, sizeof(second));
	assert_memory_not_equal(first, second, sizeof(first));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set_variable_is_read),
		cmocka_unit_test(test_unset_variable_is_null),
		cmocka_unit_test(test_empty_variable_is_null),
		cmocka_unit_test(test_random_fills_every_byte),
		cmocka_unit_test(test_random_differs_each_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
