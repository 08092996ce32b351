/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "util/mem.h"

static void test_zero_bytes_give_a_pointer(void **state)
{
	auto_free void *plain = xmalloc(0);
	auto_free void *zeroed = xcalloc(0, 8);

	(void)state;
	assert_non_null(plain);
	assert_non_null(zeroed);
}

static void test_grow_keeps_the_items_and_at_least_doubles(void **state)
{
	size_t cap = 0, before;
	auto_free int *items = NULL;

	(void)state;
	items = xgrow(items, &cap, 1, sizeof(*items));
	before = cap;
	for (size_t i = 0; i < before; i++)
		items[i] = (int)i;
	items = xgrow(items, &cap, before + 1, sizeof(*items));
	assert_true(cap >= 2 * before);
	for (size_t i = 0; i < before; i++)
		assert_int_equal(items[i], i);
}

static void test_grow_leaves_what_is_large_enough(void **state)
{
	size_t cap = 0;
	auto_free char *items = xgrow(NULL, &cap, 100, 1);
	const char *same = items;

	(void)state;
	items = xgrow(items, &cap, 100, 1);
	assert_ptr_equal(items, same);
	assert_int_equal(cap, 100);
}

static void grow_beyond_memory(void *arg)
{
	size_t cap = 0;

	(void)arg;
	free(xgrow(NULL, &cap, SIZE_MAX / 4, 8));
}

/* A size that wraps around would give a small buffer for many items. */
static void test_size_that_overflows_ends_the_program_as_failed(void **state)
{
	(void)state;
	assert_int_equal(support_exit_status_of(grow_beyond_memory, NULL), ERR_FAILED);
}

static void test_strdup_of_null_is_null(void **state)
{
	(void)state;
	assert_null(xstrdup(NULL));
}

static void test_strndup_ends_its_copy(void **state)
{
	auto_free char *copy = xstrndup("abcdef", 3);

	(void)state;
	assert_string_equal(copy, "abc");
}

static void test_asprintf_formats(void **state)
{
	auto_free char *text = xasprintf("%s-%d", "a", 7);

	(void)state;
	assert_string_equal(text, "a-7");
}

static void test_sort_is_bytewise_and_drops_repeats(void **state)
{
	auto_strlist struct strlist list = STRLIST_INIT;

	(void)state;
	strlist_add(&list, "b");
	strlist_add(&list, "\xC3\xA4");
	strlist_add(&list, "a");
	strlist_add(&list, "b");
	strlist_add(&list, "B");
	strlist_sort_unique(&list);
	assert_int_equal(list.count, 4);
	assert_string_equal(list.items[0], "B");
	assert_string_equal(list.items[1], "a");
	assert_string_equal(list.items[2], "b");
	assert_string_equal(list.items[3], "\xC3\xA4");
}

static void test_sort_of_an_empty_list_is_empty(void **state)
{
	auto_strlist struct strlist list = STRLIST_INIT;

	(void)state;
	strlist_sort_unique(&list);
	assert_int_equal(list.count, 0);
}

static void test_list_owns_copies(void **state)
{
	auto_strlist struct strlist list = STRLIST_INIT;
	char text[] = "abc";

	(void)state;
	strlist_add(&list, text);
	text[0] = 'x';
	assert_true(strlist_contains(&list, "abc"));
	assert_false(strlist_contains(&list, "xbc"));
}

static void test_released_list_can_be_used_again(void **state)
{
	auto_strlist struct strlist list = STRLIST_INIT;

	(void)state;
	strlist_add(&list, "a");
	strlist_release(&list);
	strlist_add(&list, "b");
	assert_int_equal(list.count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zero_bytes_give_a_pointer),
		cmocka_unit_test(test_grow_keeps_the_items_and_at_least_doubles),
		cmocka_unit_test(test_grow_leaves_what_is_large_enough),
		cmocka_unit_test(test_size_that_overflows_ends_the_program_as_failed),
		cmocka_unit_test(test_strdup_of_null_is_null),
		cmocka_unit_test(test_strndup_ends_its_copy),
		cmocka_unit_test(test_asprintf_formats),
		cmocka_unit_test(test_sort_is_bytewise_and_drops_repeats),
		cmocka_unit_test(test_sort_of_an_empty_list_is_empty),
		cmocka_unit_test(test_list_owns_copies),
		cmocka_unit_test(test_released_list_can_be_used_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
