/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <string.h>

#include "util/hash.h"

/* FIPS 180-4 examples. */
static void test_sha256_gives_the_published_digests(void **state)
{
	char hex[HASH_HEX_SIZE];

	(void)state;
	hash_sha256("abc", 3, hex);
	assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	hash_sha256(NULL, 0, hex);
	assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void test_parts_hash_as_the_whole(void **state)
{
	struct hash *hash = hash_new(0);
	char hex[HASH_HEX_SIZE];

	(void)state;
	hash_update(hash, "a", 1);
	hash_update(hash, "", 0);
	hash_update(hash, "bc", 2);
	hash_final(hash, hex);
	assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

/* `git hash-object` of an empty file. */
static void test_sha1_gives_git_ids(void **state)
{
	struct hash *hash = hash_new(1);
	char hex[HASH_SHA1_HEX_SIZE];

	(void)state;
	hash_update(hash, "blob 0\0", 7);
	hash_final(hash, hex);
	assert_string_equal(hex, "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
}

static void test_raw_digest_is_the_hex_one_in_bytes(void **state)
{
	struct hash *hash = hash_new(0);
	unsigned char raw[33];

	(void)state;
	raw[32] = 0xAA;
	hash_update(hash, "abc", 3);
	hash_final_raw(hash, raw);
	assert_memory_equal(raw, "\xba\x78\x16\xbf", 4);
	assert_memory_equal(raw + 28, "\xf2\x00\x15\xad\xaa", 5);
}

static void test_raw_sha1_is_twenty_bytes(void **state)
{
	struct hash *hash = hash_new(1);
	unsigned char raw[21];

	(void)state;
	raw[20] = 0xAA;
	hash_update(hash, "abc", 3);
	hash_final_raw(hash, raw);
	assert_memory_equal(raw + 16, "\x9c\xd0\xd8\x9d\xaa", 5);
}

static void test_hex_and_back_are_the_same_bytes(void **state)
{
	static const unsigned char raw[] = {0x00, 0x0f, 0xa9, 0xff};
	unsigned char back[sizeof(raw)];
	char hex[2 * sizeof(raw) + 1];

	(void)state;
	hash_hex(raw, sizeof(raw), hex);
	assert_string_equal(hex, "000fa9ff");
	assert_true(hash_from_hex(hex, back, sizeof(back)));
	assert_memory_equal(back, raw, sizeof(raw));
}

static void test_what_is_not_that_many_digits_is_refused(void **state)
{
	static const char *const wrong[] = {"", "0", "000fa9f", "000fa9ff0", "000fa9ff00", "000FA9FF", "000fa9fg", "000fa9 f"};
	unsigned char raw[4];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_false(hash_from_hex(wrong[i], raw, sizeof(raw)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sha256_gives_the_published_digests),
		cmocka_unit_test(test_parts_hash_as_the_whole),
		cmocka_unit_test(test_sha1_gives_git_ids),
		cmocka_unit_test(test_raw_digest_is_the_hex_one_in_bytes),
		cmocka_unit_test(test_raw_sha1_is_twenty_bytes),
		cmocka_unit_test(test_hex_and_back_are_the_same_bytes),
		cmocka_unit_test(test_what_is_not_that_many_digits_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
