/* SPDX-License-Identifier: Apache-2.0 */
#include "json_plain.h"

#include <stdbool.h>
#include <string.h>

#include "util/json.h"
#include "util/strbuf.h"

#define DIGITS_MAX 18 /* any integer of so many fits into int64 */

struct reader {
	const char *at, *end;
	struct strbuf text; /* of a string with escapes */
};

/* What ends a run of bytes that stand for themselves. */
static bool ends_run(char c)
{
	return (unsigned char)c < 0x20 || c == '"' || c == '\\';
}

static void skip_space(struct reader *reader)
{
	while (reader->at < reader->end && (*reader->at == ' ' || *reader->at == '\n' || *reader->at == '\t' || *reader->at == '\r'))
		reader->at++;
}

static bool take(struct reader *reader, char c)
{
	skip_space(reader);
	if (reader->at >= reader->end || *reader->at != c)
		return false;
	reader->at++;
	return true;
}

/* ---- strings ---- */

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	const char *found = c ? strchr(digits, c) : NULL;
	int value = found ? (int)(found - digits) : -1;

	return value < 16 ? value : value - 6;
}

/* "\u00XX" of an ASCII character but NUL, with at behind the 'u'; '\0' for any other. */
static char unicode_escape(struct reader *reader)
{
	int high, low;

	if (reader->end - reader->at < 4 || reader->at[0] != '0' || reader->at[1] != '0')
		return '\0';
	high = hex_digit(reader->at[2]);
	low = hex_digit(reader->at[3]);
	if (high < 0 || high > 7 || low < 0)
		return '\0';
	reader->at += 4;
	return (char)(high << 4 | low);
}

/* With at behind the backslash; '\0' for one that is left to jansson. */
static char escape(struct reader *reader)
{
	static const char letters[] = "bfnrt\"\\/", meant[] = "\b\f\n\r\t\"\\/";
	char letter = reader->at < reader->end ? *reader->at++ : '\0';
	const char *known = letter ? strchr(letters, letter) : NULL;

	if (letter == 'u')
		return unicode_escape(reader);
	return known ? meant[known - letters] : '\0';
}

static void skip_run(struct reader *reader)
{
	while (reader->at < reader->end && !ends_run(*reader->at))
		reader->at++;
}

/* The bytes of the string, with at behind its first quote: in the text itself, or in reader->text until the next string. NULL: not for us. */
static const char *read_text(struct reader *reader, size_t *len)
{
	const char *start = reader->at;
	char c;

	skip_run(reader);
	if (reader->at < reader->end && *reader->at == '"') {
		*len = (size_t)(reader->at++ - start);
		return start;
	}
	strbuf_truncate(&reader->text, 0);
	for (; reader->at < reader->end && *reader->at == '\\'; skip_run(reader)) {
		strbuf_add(&reader->text, start, (size_t)(reader->at - start));
		reader->at++;
		if (!(c = escape(reader)))
			return NULL;
		strbuf_addc(&reader->text, c);
		start = reader->at;
	}
	if (reader->at >= reader->end || *reader->at != '"')
		return NULL;
	strbuf_add(&reader->text, start, (size_t)(reader->at++ - start));
	*len = reader->text.len;
	return reader->text.buf;
}

static bool is_ascii(const char *text, size_t len)
{
	unsigned char all = 0;

	for (size_t i = 0; i < len; i++)
		all |= (unsigned char)text[i];
	return all < 0x80;
}

static json_t *read_string(struct reader *reader)
{
	size_t len;
	const char *text = read_text(reader, &len);

	if (!text)
		return NULL;
	/* The other one refuses what is no UTF-8. */
	return is_ascii(text, len) ? json_stringn_nocheck(text, len) : json_stringn(text, len);
}

/* ---- values ---- */

static json_t *read_value(struct reader *reader, unsigned depth);

static bool read_member(struct reader *reader, json_t *object, unsigned depth)
{
	char copy[256];
	const char *key;
	json_t *value;
	size_t len;

	if (!take(reader, '"') || !(key = read_text(reader, &len)) || len >= sizeof(copy) || !is_ascii(key, len))
		return false;
	memcpy(copy, key, len); /* the value may need reader->text */
	if (!take(reader, ':') || !(value = read_value(reader, depth)))
		return false;
	return json_object_setn_new_nocheck(object, copy, len, value) == 0;
}

static bool read_members(struct reader *reader, json_t *object, unsigned depth)
{
	size_t count = 0;

	if (take(reader, '}'))
		return true;
	do {
		/* A key that is there twice does not make it larger. */
		if (!read_member(reader, object, depth) || json_object_size(object) != ++count)
			return false;
	} while (take(reader, ','));
	return take(reader, '}');
}

static bool read_items(struct reader *reader, json_t *array, unsigned depth)
{
	json_t *item;

	if (take(reader, ']'))
		return true;
	do {
		item = read_value(reader, depth);
		if (!item || json_array_append_new(array, item) < 0)
			return false;
	} while (take(reader, ','));
	return take(reader, ']');
}

/* With at behind the bracket. */
static json_t *read_container(struct reader *reader, bool map, unsigned depth)
{
	json_t *container = map ? json_object() : json_array();

	if (depth <= JSON_DEPTH_MAX && (map ? read_members : read_items)(reader, container, depth))
		return container;
	json_decref(container);
	return NULL;
}

static json_t *read_integer(struct reader *reader)
{
	bool negative = reader->at < reader->end && *reader->at == '-';
	const char *start = reader->at += negative;
	json_int_t value = 0;

	while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9' && reader->at - start < DIGITS_MAX)
		value = value * 10 + (*reader->at++ - '0');
	/* No digit, one too many, a point, an exponent, a leading zero. */
	if (reader->at == start || (*start == '0' && reader->at - start > 1) ||
		(reader->at < reader->end && *reader->at && strchr("0123456789.eE", *reader->at)))
		return NULL;
	return json_integer(negative ? -value : value);
}

static json_t *read_word(struct reader *reader)
{
	size_t left = (size_t)(reader->end - reader->at);

	if (left >= 4 && memcmp(reader->at, "true", 4) == 0) {
		reader->at += 4;
		return json_true();
	}
	if (left >= 5 && memcmp(reader->at, "false", 5) == 0) {
		reader->at += 5;
		return json_false();
	}
	if (left >= 4 && memcmp(reader->at, "null", 4) == 0) {
		reader->at += 4;
		return json_null();
	}
	return read_integer(reader);
}

/* depth: of containers around it. */
static json_t *read_value(struct reader *reader, unsigned depth)
{
	if (take(reader, '"'))
		return read_string(reader);
	if (take(reader, '{'))
		return read_container(reader, true, depth + 1);
	if (take(reader, '['))
		return read_container(reader, false, depth + 1);
	return read_word(reader);
}

json_t *json_plain_read(const char *buf, size_t len)
{
	struct reader reader = {.at = buf, .end = buf + len, .text = STRBUF_INIT};
	json_t *value = read_value(&reader, 0);

	skip_space(&reader);
	if (value && reader.at < reader.end) {
		json_decref(value);
		value = NULL;
	}
	strbuf_release(&reader.text);
	return value;
}
