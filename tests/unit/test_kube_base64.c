/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "util/base64.h"
#include "util/error.h"
#include "util/strbuf.h"

static void assert_decodes(const char *text, const char *bytes, size_t len)
{
	struct error err = ERROR_INIT;
	char *out = NULL;
	size_t out_len = 0;

	assert_int_equal(base64_decode(text, strlen(text), &out, &out_len, &err), 0);
	assert_int_equal(out_len, len);
	assert_memory_equal(out, bytes, len);
	assert_int_equal(out[len], '\0');
	free(out);
}

static void assert_refuses(const char *text, const char *message)
{
	struct error err = ERROR_INIT;
	char *out = NULL;
	size_t len = 0;

	assert_int_equal(base64_decode(text, strlen(text), &out, &len, &err), -1);
	assert_int_equal(err.code, ERR_SYNTAX);
	assert_string_equal(err.text, message);
	assert_null(out);
}

/* The test vectors of RFC 4648, section 10, and the letters at the end of the alphabet. */
static void test_encodes(void **state)
{
	static const char *const vectors[][2] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="},
		{"fooba", "Zm9vYmE="}, {"\xfb\xff\xbf", "+/+/"}};

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		struct strbuf text = STRBUF_INIT;

		base64_encode(vectors[i][0], strlen(vectors[i][0]), &text);
		assert_string_equal(text.buf, vectors[i][1]);
		strbuf_release(&text);
	}
}

/* The test vectors of RFC 4648, section 10. */
static void test_decodes_rfc_vectors(void **state)
{
	(void)state;
	assert_decodes("", "", 0);
	assert_decodes("Zg==", "f", 1);
	assert_decodes("Zm8=", "fo", 2);
	assert_decodes("Zm9v", "foo", 3);
	assert_decodes("Zm9vYg==", "foob", 4);
	assert_decodes("Zm9vYmE=", "fooba", 5);
	assert_decodes("Zm9vYmFy", "foobar", 6);
}

static void test_decodes_every_byte_value(void **state)
{
	(void)state;
	assert_decodes("AP+A+/8/", "\x00\xff\x80\xfb\xff\x3f", 6);
}

static void test_skips_line_breaks(void **state)
{
	(void)state;
	assert_decodes("Zm9v\nYm\r\nE=\n", "fooba", 5);
}

static void test_refuses_what_is_not_canonical(void **state)
{
	(void)state;
	assert_refuses("Zm9", "base64 is cut off: 3 of 4 characters at its end");
	assert_refuses("Zg=", "base64 is cut off: 3 of 4 characters at its end");
	assert_refuses("Zh==", "not canonical base64: stray bits at offset 3");
	assert_refuses("Zm9=", "not canonical base64: stray bits at offset 3");
	assert_refuses("Z===", "not base64: unexpected character at offset 1");
	assert_refuses("Zg=a", "not base64: unexpected character at offset 3");
	assert_refuses("Zg==Zg==", "not base64: unexpected character at offset 4");
	assert_refuses("Zm 9v", "not base64: unexpected character at offset 2");
	assert_refuses("Zm-_", "not base64: unexpected character at offset 2");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_encodes),
		cmocka_unit_test(test_decodes_rfc_vectors),
		cmocka_unit_test(test_decodes_every_byte_value),
		cmocka_unit_test(test_skips_line_breaks),
		cmocka_unit_test(test_refuses_what_is_not_canonical),
	};

	return cmocka_run_group_tests_name("kube_base64", tests, NULL, NULL);
}
