/* SPDX-License-Identifier: Apache-2.0 */
/* The fast reader against jansson: what it takes must be the same value, and what it may not judge it must leave alone. */
#include "../../src/util/json_plain.h"
#include "support.h"

#include <string.h>

#include "util/json.h"
#include "util/strbuf.h"

static json_t *by_jansson(const char *text, size_t len)
{
	return json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY, NULL);
}

/* The order of the keys is part of it: what is shown first depends on it in places. */
static void assert_same(const char *text, size_t len)
{
	auto_json json_t *got = json_plain_read(text, len), *want = by_jansson(text, len);
	char *shown, *wanted;

	if (!got)
		return;
	assert_non_null(want);
	assert_true(json_equal(got, want));
	shown = json_dumps(got, JSON_ENCODE_ANY);
	wanted = json_dumps(want, JSON_ENCODE_ANY);
	assert_string_equal(shown, wanted);
	free(shown);
	free(wanted);
}

static void assert_taken(const char *text)
{
	auto_json json_t *got = json_plain_read(text, strlen(text));

	assert_non_null(got);
	assert_same(text, strlen(text));
}

static void assert_left(const char *text)
{
	assert_null(json_plain_read(text, strlen(text)));
}

static const char object[] = "{\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"a\",\"labels\":{\"a/b\":\"c\",\"\":\"d\"},\n"
			     "\t\"uid\" : \"\" },\r\n\"spec\":{\"list\":[1,-2,0,123456789012345678,true,false,null,{},[],[[]]],\"text\":"
			     "\"a\\n\\\"b\\\"\\t\\\\ \\u003ctag\\u003E \\/\\b\\f\\r\",\"wide\":\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"}}";

static void test_what_servers_write_is_taken(void **state)
{
	(void)state;
	assert_taken(object);
	assert_taken(" \"x\" ");
	assert_taken("-0");
	assert_taken("[ ]");
	assert_taken("{ }");
	assert_taken("null");
}

static void test_what_is_not_plain_is_left_to_jansson(void **state)
{
	static const char *const texts[] = {"", " ", "1.5", "1e3", "1E3", "01", "-", "--1", "1234567890123456789", "\"\\u0000\"",
		"\"\\u00e4\"", "\"\\ud83d\\ude00\"", "\"\\x\"", "\"\\", "\"\\u00", "\"a\nb\"", "\"a", "\"\xff\"", "\"\xc0\xaf\"",
		"\"\xed\xa0\x80\"", "{\"\xc3\xa4\":1}", "{\"a\":1,\"a\":2}", "{\"a\":1,}", "{\"a\" 1}", "{a:1}", "{,}", "{", "{\"a\"",
		"{\"a\":", "[1,]", "[1 2]", "[", "[,]", "truex", "tru", "nul", "True", "1 2", "{}{}", "[]]", "+1", "'a'"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		assert_left(texts[i]);
}

static void test_depth_has_the_same_limit(void **state)
{
	struct strbuf text = STRBUF_INIT;

	(void)state;
	for (int i = 0; i < JSON_DEPTH_MAX; i++)
		strbuf_addc(&text, '[');
	for (int i = 0; i < JSON_DEPTH_MAX; i++)
		strbuf_addc(&text, ']');
	assert_taken(text.buf);
	strbuf_truncate(&text, 0);
	for (int i = 0; i <= JSON_DEPTH_MAX; i++)
		strbuf_addc(&text, '[');
	for (int i = 0; i <= JSON_DEPTH_MAX; i++)
		strbuf_addc(&text, ']');
	assert_left(text.buf);
	strbuf_release(&text);
}

/* A key longer than its buffer, a key with an escape whose value has one too. */
static void test_keys(void **state)
{
	struct strbuf text = STRBUF_INIT;

	(void)state;
	assert_taken("{\"a\\nb\":\"c\\nd\",\"e\\tf\":{\"g\\\"\":\"\\\\\"}}");
	strbuf_adds(&text, "{\"");
	for (int i = 0; i < 300; i++)
		strbuf_addc(&text, 'k');
	strbuf_adds(&text, "\":1}");
	assert_left(text.buf);
	strbuf_release(&text);
}

/* Each cut and each wrong byte of a document: either left alone, or what jansson reads. */
static void test_damage_is_never_read_otherwise(void **state)
{
	static const char bytes[] = "\"\\{}[]:,0-1.eEtu \n\x01\x7f\x80\xc3\xff";
	char copy[sizeof(object)];

	(void)state;
	for (size_t len = 0; len < sizeof(object); len++)
		assert_same(object, len);
	for (size_t at = 0; at < sizeof(object) - 1; at++)
		for (size_t i = 0; i < sizeof(bytes); i++) {
			memcpy(copy, object, sizeof(object));
			copy[at] = bytes[i];
			assert_same(copy, sizeof(object) - 1);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_servers_write_is_taken),
		cmocka_unit_test(test_what_is_not_plain_is_left_to_jansson),
		cmocka_unit_test(test_depth_has_the_same_limit),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_damage_is_never_read_otherwise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
