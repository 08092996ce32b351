/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <stdio.h>
#include <string.h>

#include "util/map.h"
#include "util/mem.h"

#define MANY 5000

static int values[MANY];

static void put_many(struct map *map)
{
	char key[32];

	for (int i = 0; i < MANY; i++) {
		(void)snprintf(key, sizeof(key), "prod/%d", i);
		assert_null(map_put(map, key, &values[i]));
	}
}

static void test_an_empty_map_has_nothing(void **state)
{
	struct map map = MAP_INIT;

	(void)state;
	assert_null(map_get(&map, "prod"));
	assert_null(map_get(&map, ""));
}

static void test_what_was_put_is_got(void **state)
{
	struct map map = MAP_INIT;

	(void)state;
	assert_null(map_put(&map, "a", &values[0]));
	assert_ptr_equal(map_get(&map, "a"), &values[0]);
	assert_null(map_get(&map, "b"));
	map_release(&map, NULL);
}

static void test_put_returns_the_value_that_it_replaces(void **state)
{
	struct map map = MAP_INIT;

	(void)state;
	(void)map_put(&map, "a", &values[0]);
	assert_ptr_equal(map_put(&map, "a", &values[1]), &values[0]);
	assert_ptr_equal(map_get(&map, "a"), &values[1]);
	assert_int_equal(map.count, 1);
	map_release(&map, NULL);
}

static void test_keys_are_copies(void **state)
{
	struct map map = MAP_INIT;
	char key[] = "a";

	(void)state;
	(void)map_put(&map, key, &values[0]);
	key[0] = 'b';
	assert_ptr_equal(map_get(&map, "a"), &values[0]);
	assert_null(map_get(&map, "b"));
	map_release(&map, NULL);
}

static void test_the_empty_key_is_a_key(void **state)
{
	struct map map = MAP_INIT;

	(void)state;
	assert_null(map_put(&map, "", &values[0]));
	assert_ptr_equal(map_get(&map, ""), &values[0]);
	map_release(&map, NULL);
}

static void test_nothing_is_lost_while_it_grows(void **state)
{
	struct map map = MAP_INIT;
	char key[32];

	(void)state;
	put_many(&map);
	assert_int_equal(map.count, MANY);
	for (int i = 0; i < MANY; i++) {
		(void)snprintf(key, sizeof(key), "prod/%d", i);
		assert_ptr_equal(map_get(&map, key), &values[i]);
	}
	assert_null(map_get(&map, "prod/5000"));
	map_release(&map, NULL);
}

static void test_sorted_is_in_the_order_of_bytes(void **state)
{
	static const char *const keys[] = {"b", "a/b", "", "\xc3\xa4", "a", "B"};
	static const char *const expected[] = {"", "B", "a", "a/b", "b", "\xc3\xa4"};
	struct map map = MAP_INIT;
	auto_free struct map_entry *entries = NULL;

	(void)state;
	for (size_t i = 0; i < 6; i++)
		(void)map_put(&map, keys[i], &values[i]);
	entries = map_sorted(&map);
	for (size_t i = 0; i < 6; i++) {
		assert_string_equal(entries[i].key, expected[i]);
		assert_ptr_equal(entries[i].value, map_get(&map, expected[i]));
	}
	map_release(&map, NULL);
}

static void test_sorted_holds_every_entry_of_a_large_map(void **state)
{
	struct map map = MAP_INIT;
	auto_free struct map_entry *entries = NULL;

	(void)state;
	put_many(&map);
	entries = map_sorted(&map);
	for (size_t i = 1; i < MANY; i++)
		assert_true(strcmp(entries[i - 1].key, entries[i].key) < 0);
	map_release(&map, NULL);
}

static void test_an_empty_map_sorts_to_an_array_that_can_be_freed(void **state)
{
	struct map map = MAP_INIT;
	auto_free struct map_entry *entries = map_sorted(&map);

	(void)state;
	assert_non_null(entries);
}

static void count_value(void *value)
{
	++*(int *)value;
}

static void test_release_frees_each_value_once(void **state)
{
	struct map map = MAP_INIT;
	int first = 0, second = 0;

	(void)state;
	(void)map_put(&map, "a", &first);
	(void)map_put(&map, "b", &second);
	map_release(&map, count_value);
	assert_int_equal(first, 1);
	assert_int_equal(second, 1);
}

static void test_a_released_map_can_be_used_again(void **state)
{
	struct map map = MAP_INIT;

	(void)state;
	(void)map_put(&map, "a", &values[0]);
	map_release(&map, NULL);
	assert_null(map_get(&map, "a"));
	assert_null(map_put(&map, "a", &values[1]));
	assert_int_equal(map.count, 1);
	map_release(&map, NULL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_empty_map_has_nothing),
		cmocka_unit_test(test_what_was_put_is_got),
		cmocka_unit_test(test_put_returns_the_value_that_it_replaces),
		cmocka_unit_test(test_keys_are_copies),
		cmocka_unit_test(test_the_empty_key_is_a_key),
		cmocka_unit_test(test_nothing_is_lost_while_it_grows),
		cmocka_unit_test(test_sorted_is_in_the_order_of_bytes),
		cmocka_unit_test(test_sorted_holds_every_entry_of_a_large_map),
		cmocka_unit_test(test_an_empty_map_sorts_to_an_array_that_can_be_freed),
		cmocka_unit_test(test_release_frees_each_value_once),
		cmocka_unit_test(test_a_released_map_can_be_used_again),
	};

	return cmocka_run_group_tests_name("util_map", tests, NULL, NULL);
}
