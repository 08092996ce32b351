/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/mem.h"
#include "util/strbuf.h"
#include "util/table.h"

#define MANY 5000

static void name_of(int i, char key[64])
{
	(void)snprintf(key, 64, "prod/space-%d/name-%d", i % 7, i);
}

static void add_many(struct table *table)
{
	char key[64];

	for (int i = 0; i < MANY; i++) {
		bool added = false;
		uint32_t at;

		name_of(i, key);
		at = table_add(table, key, &added);
		assert_true(added);
		assert_int_equal(at, i);
		*(int *)table_value(table, at) = i;
	}
}

static void test_an_empty_table_has_nothing(void **state)
{
	struct table table = TABLE_INIT(sizeof(int));
	auto_free uint32_t *order = table_sorted(&table);

	(void)state;
	assert_int_equal(table_find(&table, "a/b"), TABLE_NONE);
	assert_int_equal(table_find(&table, ""), TABLE_NONE);
	assert_null(table_get(&table, "a/b"));
	assert_non_null(order);
	table_release(&table);
}

static void test_what_was_added_is_found(void **state)
{
	struct table table = TABLE_INIT(sizeof(int));
	auto_strbuf struct strbuf text = STRBUF_INIT;
	char key[64];

	(void)state;
	add_many(&table);
	for (int i = 0; i < MANY; i++) {
		bool added = true;

		name_of(i, key);
		assert_int_equal(*(const int *)table_get(&table, key), i);
		assert_int_equal(table_add(&table, key, &added), i);
		assert_false(added);
		table_key(&table, (uint32_t)i, &text);
		assert_string_equal(text.buf, key);
	}
	assert_int_equal(table.count, MANY);
	assert_null(table_get(&table, "prod/space-0/name-1"));
	assert_null(table_get(&table, "prod/space-8/name-1"));
	table_release(&table);
	assert_null(table_get(&table, "prod/space-0/name-0"));
}

static void test_values_start_as_zero_and_stay_in_place(void **state)
{
	struct table table = TABLE_INIT(sizeof(int));
	const int *first = table_value(&table, table_add(&table, "a", NULL));

	(void)state;
	assert_int_equal(*first, 0);
	for (int i = 0; i < MANY; i++) {
		char key[64];

		name_of(i, key);
		(void)table_add(&table, key, NULL);
	}
	assert_ptr_equal(table_get(&table, "a"), first);
	table_release(&table);
}

/* Only the whole key counts, wherever it is cut. */
static void test_keys_with_and_without_slashes_are_apart(void **state)
{
	static const char *const keys[] = {"", "/", "a", "a/", "/a", "a//", "a/b", "a/b/", "ab"};
	struct table table = TABLE_INIT(0);

	(void)state;
	for (uint32_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		assert_int_equal(table_add(&table, keys[i], NULL), i);
	for (uint32_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		assert_int_equal(table_find(&table, keys[i]), i);
	table_release(&table);
}

static void test_a_key_may_be_longer_than_a_piece_of_memory(void **state)
{
	struct table table = TABLE_INIT(sizeof(int));
	auto_strbuf struct strbuf key = STRBUF_INIT, text = STRBUF_INIT;

	(void)state;
	while (key.len < 200000)
		strbuf_adds(&key, "0123456789");
	assert_int_equal(table_add(&table, "before", NULL), 0);
	assert_int_equal(table_add(&table, key.buf, NULL), 1);
	assert_int_equal(table_add(&table, "behind", NULL), 2);
	assert_int_equal(table_find(&table, key.buf), 1);
	table_key(&table, 1, &text);
	assert_string_equal(text.buf, key.buf);
	table_key(&table, 2, &text);
	assert_string_equal(text.buf, "behind");
	table_release(&table);
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Bytewise by the whole key, where the cut in it must not show: '-' and '.' stand before '/'. */
static void test_sorted_is_bytewise(void **state)
{
	static const char *const parts[] = {"a", "a-", "a.b", "ab", "b", "B", "\xc3\xa4", "%41"};
	enum { PARTS = sizeof(parts) / sizeof(*parts) };
	struct table table = TABLE_INIT(sizeof(int));
	auto_strlist struct strlist texts = STRLIST_INIT;
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_free uint32_t *order = NULL;

	(void)state;
	for (size_t i = 0; i < PARTS * PARTS * PARTS; i++) {
		auto_free char *key =
			xasprintf("%s/%s%s%s", parts[i % PARTS], parts[i / PARTS % PARTS], i % 3 ? "/" : "", parts[i / PARTS / PARTS]);
		strlist_add(&texts, key);
	}
	strlist_sort_unique(&texts);
	for (size_t i = texts.count; i-- > 0;)
		(void)table_add(&table, texts.items[i * 7919 % texts.count], NULL);
	for (size_t i = 0; i < texts.count; i++)
		(void)table_add(&table, texts.items[i], NULL);
	qsort(texts.items, texts.count, sizeof(char *), compare_texts);
	order = table_sorted(&table);
	assert_int_equal(table.count, texts.count);
	for (size_t i = 0; i < texts.count; i++) {
		table_key(&table, order[i], &text);
		assert_string_equal(text.buf, texts.items[i]);
	}
	table_release(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_empty_table_has_nothing),
		cmocka_unit_test(test_what_was_added_is_found),
		cmocka_unit_test(test_values_start_as_zero_and_stay_in_place),
		cmocka_unit_test(test_keys_with_and_without_slashes_are_apart),
		cmocka_unit_test(test_a_key_may_be_longer_than_a_piece_of_memory),
		cmocka_unit_test(test_sorted_is_bytewise),
	};

	return cmocka_run_group_tests_name("util_table", tests, NULL, NULL);
}
