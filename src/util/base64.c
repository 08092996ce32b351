/* SPDX-License-Identifier: Apache-2.0 */
#include "util/base64.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "util/error.h"
#include "util/mem.h"
#include "util/strbuf.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Four characters on their way to three bytes. */
struct group {
	uint32_t bits;
	unsigned chars;   /* taken so far, padding included */
	unsigned padding; /* of them */
};

static int value_of(char c)
{
	const char *at = c == '\0' ? NULL : strchr(alphabet, c);

	return at ? (int)(at - alphabet) : -1;
}

/* Take one character; false when it has no place here. */
static bool group_take(struct group *group, char c)
{
	int value = value_of(c);

	if (c == '=') {
		if (group->chars < 2)
			return false;
		group->padding++;
		value = 0;
	} else if (value < 0 || group->padding > 0) {
		return false;
	}
	group->bits = group->bits << 6 | (uint32_t)value;
	group->chars++;
	return true;
}

/* Write the bytes of a full group; false when bits that encode nothing are set: two texts must not mean the same bytes. */
static bool group_flush(const struct group *group, char *out, size_t *len)
{
	unsigned bytes = 3 - group->padding;

	if (group->bits & ((UINT32_C(1) << (8 * group->padding)) - 1))
		return false;
	for (unsigned i = 0; i < bytes; i++)
		out[(*len)++] = (char)(unsigned char)(group->bits >> (16 - 8 * i) & 0xff);
	return true;
}

static int decode_into(const char *text, size_t len, char *out, size_t *out_len, struct error *err)
{
	struct group group = {0};
	bool ended = false;

	*out_len = 0;
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\n' || text[i] == '\r')
			continue;
		if (ended || !group_take(&group, text[i]))
			return error_set(err, ERR_SYNTAX, "not base64: unexpected character at offset %zu", i);
		if (group.chars < 4)
			continue;
		if (!group_flush(&group, out, out_len))
			return error_set(err, ERR_SYNTAX, "not canonical base64: stray bits at offset %zu", i);
		ended = group.padding > 0;
		group = (struct group){0};
	}
	if (group.chars > 0)
		return error_set(err, ERR_SYNTAX, "base64 is cut off: %u of 4 characters at its end", group.chars);
	return 0;
}

int base64_decode(const char *text, size_t len, char **out, size_t *out_len, struct error *err)
{
	size_t size = len / 4 * 3 + 4;
	char *bytes = xmalloc(size);

	if (decode_into(text, len, bytes, out_len, err) < 0) {
		explicit_bzero(bytes, size);
		free(bytes);
		return -1;
	}
	bytes[*out_len] = '\0';
	*out = bytes;
	return 0;
}

void base64_encode(const void *data, size_t len, struct strbuf *out)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < len; i += 3) {
		uint32_t bits =
			(uint32_t)bytes[i] << 16 | (i + 1 < len ? (uint32_t)bytes[i + 1] << 8 : 0) | (i + 2 < len ? bytes[i + 2] : 0U);

		strbuf_addc(out, alphabet[bits >> 18]);
		strbuf_addc(out, alphabet[bits >> 12 & 63]);
		strbuf_addc(out, i + 1 < len ? alphabet[bits >> 6 & 63] : '=');
		strbuf_addc(out, i + 2 < len ? alphabet[bits & 63] : '=');
	}
}
