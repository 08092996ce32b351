/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "util/mem.h"
#include "util/strbuf.h"

static void test_fresh_buffer_is_an_empty_string(void **state)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;

	(void)state;
	assert_string_equal(sb.buf, "");
	assert_int_equal(sb.len, 0);
}

static void test_adding_nothing_still_gives_a_string(void **state)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;

	(void)state;
	strbuf_add(&sb, NULL, 0);
	assert_string_equal(sb.buf, "");
}

static void test_bytes_with_nul_are_kept_and_a_nul_follows(void **state)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;

	(void)state;
	strbuf_add(&sb, "a\0b", 3);
	assert_int_equal(sb.len, 3);
	assert_memory_equal(sb.buf, "a\0b", 4);
}

static void test_many_adds_are_all_there(void **state)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		strbuf_addc(&sb, 'x');
		strbuf_adds(&sb, "yz");
	}
	assert_int_equal(sb.len, 3000);
	assert_memory_equal(sb.buf + 2997, "xyz", 4);
}

static void test_format_longer_than_the_room_is_whole(void **state)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;

	(void)state;
	strbuf_adds(&sb, "n=");
	strbuf_addf(&sb, "%0300d", 7);
	assert_int_equal(sb.len, 302);
	assert_int_equal(sb.buf[301], '7');
	assert_int_equal(sb.buf[302], '\0');
}

static void test_reserve_gives_room_after_what_is_there(void **state)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;

	(void)state;
	strbuf_adds(&sb, "ab");
	memcpy(strbuf_reserve(&sb, 500), "cd", 3);
	sb.len += 2;
	assert_string_equal(sb.buf, "abcd");
}

static void reserve_too_much(void *arg)
{
	struct strbuf sb = STRBUF_INIT;

	(void)arg;
	strbuf_adds(&sb, "a");
	sb.len = SIZE_MAX - 4;
	strbuf_reserve(&sb, 8);
}

/* A length that wraps around would let the next add write over the heap. */
static void test_length_that_overflows_ends_the_program(void **state)
{
	(void)state;
	assert_int_not_equal(support_exit_status_of(reserve_too_much, NULL), 99);
}

static void test_truncate_cuts_and_ends(void **state)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;

	(void)state;
	strbuf_adds(&sb, "abcdef");
	strbuf_truncate(&sb, 2);
	assert_string_equal(sb.buf, "ab");
	assert_int_equal(sb.len, 2);
}

static void test_truncate_to_more_changes_nothing(void **state)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;

	(void)state;
	strbuf_truncate(&sb, 5);
	assert_int_equal(sb.len, 0);
}

static void test_detach_gives_the_bytes_and_leaves_an_empty_buffer(void **state)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	auto_free char *bytes = NULL;
	size_t len;

	(void)state;
	strbuf_adds(&sb, "abc");
	bytes = strbuf_detach(&sb, &len);
	assert_string_equal(bytes, "abc");
	assert_int_equal(len, 3);
	strbuf_adds(&sb, "d");
	assert_string_equal(sb.buf, "d");
}

/* The caller frees it, so it must not be the shared empty string. */
static void test_detach_of_an_empty_buffer_can_be_freed(void **state)
{
	struct strbuf sb = STRBUF_INIT;
	auto_free char *bytes = strbuf_detach(&sb, NULL);

	(void)state;
	assert_string_equal(bytes, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fresh_buffer_is_an_empty_string),
		cmocka_unit_test(test_adding_nothing_still_gives_a_string),
		cmocka_unit_test(test_bytes_with_nul_are_kept_and_a_nul_follows),
		cmocka_unit_test(test_many_adds_are_all_there),
		cmocka_unit_test(test_format_longer_than_the_room_is_whole),
		cmocka_unit_test(test_reserve_gives_room_after_what_is_there),
		cmocka_unit_test(test_length_that_overflows_ends_the_program),
		cmocka_unit_test(test_truncate_cuts_and_ends),
		cmocka_unit_test(test_truncate_to_more_changes_nothing),
		cmocka_unit_test(test_detach_gives_the_bytes_and_leaves_an_empty_buffer),
		cmocka_unit_test(test_detach_of_an_empty_buffer_can_be_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
