/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include "util/cidr.h"

static struct cidr net(const char *text)
{
	struct cidr cidr;

	assert_int_equal(cidr_parse(&cidr, text), 0);
	return cidr;
}

static void test_what_is_read_is_written_the_same(void **state)
{
	static const char *const texts[] = {"10.0.0.0/8", "0.0.0.0/0", "10.1.2.3", "10.1.2.3/32", "fd00::/8", "::/0", "fd00::1"};
	char text[CIDR_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct cidr cidr = net(texts[i]);

		assert_string_equal(cidr_text(&cidr, text), texts[i]);
	}
}

static void test_what_is_none_is_refused(void **state)
{
	static const char *const texts[] = {"", "10", "10.0.0/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/+8", "10.0.0.0/8x", "fd00::/129",
		"example.com", "10.0.0.0/8/8"};
	struct cidr cidr;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(cidr_parse(&cidr, texts[i]), -1);
}

static void assert_contains(const char *outer, const char *inner, bool yes)
{
	struct cidr a = net(outer), b = net(inner);

	assert_int_equal(cidr_contains(&a, &b), yes);
}

static void test_what_lies_in_what(void **state)
{
	(void)state;
	assert_contains("10.0.0.0/8", "10.1.2.0/24", true);
	assert_contains("10.0.0.0/8", "10.0.0.0/8", true);
	assert_contains("10.0.0.0/8", "11.0.0.0/24", false);
	assert_contains("10.1.0.0/16", "10.0.0.0/8", false);
	assert_contains("10.1.128.0/17", "10.1.129.1", true);
	assert_contains("10.1.128.0/17", "10.1.127.1", false);
	assert_contains("0.0.0.0/0", "fd00::1", false);
	assert_contains("fd00::/7", "fc00::/8", true);
}

static void assert_moved(const char *inner, const char *to, const char *expected)
{
	struct cidr a = net(inner), b = net(to), moved = cidr_move(&a, &b);
	char text[CIDR_TEXT_SIZE];

	assert_string_equal(cidr_text(&moved, text), expected);
}

static void test_a_place_in_a_net_is_kept_in_the_other(void **state)
{
	(void)state;
	assert_moved("10.1.2.0/24", "172.20.0.0/16", "172.20.2.0/24");
	assert_moved("10.1.2.3", "172.20.0.0/16", "172.20.2.3");
	assert_moved("10.1.200.0/24", "172.20.0.0/17", "172.20.72.0/24");
	assert_moved("fd00:1::5", "fd00:2::/32", "fd00:2::5");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_read_is_written_the_same),
		cmocka_unit_test(test_what_is_none_is_refused),
		cmocka_unit_test(test_what_lies_in_what),
		cmocka_unit_test(test_a_place_in_a_net_is_kept_in_the_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
