/* SPDX-License-Identifier: Apache-2.0 */
#include "util/json.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_plain.h"
#include "util/error.h"
#include "util/mem.h"
#include "util/strbuf.h"

#define FEW_KEYS 32
#define READ_FLAGS (JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY)

/*
 * Out of memory ends the program (mem.h): without this, json_object_set_new and its kin would drop a value in silence, and a snapshot
 * would lose a field. Before main, since jansson takes no other allocator once a value exists.
 */
__attribute__((constructor)) static void use_our_allocator(void)
{
	json_set_alloc_funcs(xmalloc, free);
}

void json_release(json_t **value)
{
	json_decref(*value);
	*value = NULL;
}

/* ---- reading ---- */

/* The end of the string that starts at buf[at] == '"': the index of its closing quote, or len. */
static size_t skip_string(const char *buf, size_t len, size_t at)
{
	for (at++; at < len && buf[at] != '"'; at++)
		if (buf[at] == '\\')
			at++;
	return at < len ? at : len;
}

static int fail_at(const char *buf, size_t at, const char *what, struct error *err)
{
	size_t line = 1, column = 1;

	for (size_t i = 0; i < at; i++) {
		column++;
		if (buf[i] == '\n') {
			line++;
			column = 1;
		}
	}
	return error_set(err, ERR_SYNTAX, "line %zu, column %zu: %s", line, column, what);
}

/* jansson allows 2,048 levels and recurses for each; what Kubernetes takes is far less deep. */
static int check_depth(const char *buf, size_t len, struct error *err)
{
	int depth = 0;

	for (size_t i = 0; i < len; i++) {
		char c = buf[i];

		if (c == '"')
			i = skip_string(buf, len, i);
		else if ((c == '{' || c == '[') && ++depth > JSON_DEPTH_MAX)
			return fail_at(buf, i, "nested too deep", err);
		else if (c == '}' || c == ']')
			depth--;
	}
	return 0;
}

/* jansson quotes the text near the fault, which may be a credential; only a key that is there twice is worth showing. */
static int fail_jansson(const json_error_t *fault, struct error *err)
{
	const char *near = strstr(fault->text, " near '");
	int len = (int)strlen(fault->text);

	if (json_error_code(fault) == json_error_null_byte_in_key)
		return error_set(
			err, ERR_SYNTAX, "line %d, column %d: a key holds U+0000, which no snapshot can keep", fault->line, fault->column);
	if (near && json_error_code(fault) != json_error_duplicate_key)
		len = (int)(near - fault->text);
	return error_set(err, ERR_SYNTAX, "line %d, column %d: %.*s", fault->line, fault->column, len, fault->text);
}

/* Length of the number that starts at text, its sign included. */
static size_t number_length(const char *text, size_t len)
{
	size_t used = 0;

	while (used < len && text[used] && strchr("+-.0123456789eE", text[used]))
		used++;
	return used;
}

static bool is_integer_beyond_int64(const char *text, size_t len)
{
	auto_free char *copy = NULL;

	/* The shortest that does not fit has 19 digits. */
	if (len < 19 || memchr(text, '.', len) || memchr(text, 'e', len) || memchr(text, 'E', len))
		return false;
	copy = xstrndup(text, len);
	errno = 0;
	(void)strtoll(copy, NULL, 10);
	return errno == ERANGE;
}

/* Copy the text with ".0" after each integer that int64 cannot hold, so that it is read as a real. */
static void widen_integers(const char *buf, size_t len, struct strbuf *out)
{
	size_t i = 0;

	while (i < len) {
		size_t used = 1;

		if (buf[i] == '"') {
			used = skip_string(buf, len, i) - i;
			used += used < len - i;
		} else if (buf[i] == '-' || (buf[i] >= '0' && buf[i] <= '9')) {
			used = number_length(buf + i, len - i);
		}
		strbuf_add(out, buf + i, used);
		if (buf[i] != '"' && is_integer_beyond_int64(buf + i, used))
			strbuf_adds(out, ".0");
		i += used;
	}
}

json_t *json_read(const char *buf, size_t len, struct error *err)
{
	auto_strbuf struct strbuf wide = STRBUF_INIT;
	json_error_t fault;
	json_t *value;

	if (len == 0) {
		error_set(err, ERR_SYNTAX, "line 1, column 1: empty");
		return NULL;
	}
	value = json_plain_read(buf, len);
	if (value)
		return value;
	if (check_depth(buf, len, err) < 0)
		return NULL;
	value = json_loadb(buf, len, READ_FLAGS, &fault);
	if (!value && json_error_code(&fault) == json_error_numeric_overflow) {
		/* Rare enough that the usual text is not scanned for it. Columns after such a number are two too many a number. */
		widen_integers(buf, len, &wide);
		value = json_loadb(wide.buf, wide.len, READ_FLAGS, &fault);
	}
	if (!value)
		fail_jansson(&fault, err);
	return value;
}

/* ---- numbers as Go writes them ---- */

/* The integer that a real is, or NULL. */
static json_t *settled(const json_t *value)
{
	static const double limit = 9223372036854775808.0; /* 2^63 */
	double number = json_real_value(value);

	if (!json_is_real(value) || number < -limit || number >= limit || (double)(json_int_t)number - number != 0.0)
		return NULL;
	return json_integer((json_int_t)number);
}

void json_settle_numbers(json_t *value)
{
	json_t *item, *whole;
	const char *key;
	size_t i;

	json_object_foreach (value, key, item) {
		if ((whole = settled(item)))
			json_object_set_new_nocheck(value, key, whole);
		else
			json_settle_numbers(item);
	}
	json_array_foreach (value, i, item) {
		if ((whole = settled(item)))
			json_array_set_new(value, i, whole);
		else
			json_settle_numbers(item);
	}
}

/* ---- writing ---- */

/* The fewest digits that read back as the same double: "-1.25" gives digits "125", *exponent 0 (of the first digit). */
static void shortest_digits(double number, char digits[24], int *exponent)
{
	char text[40];
	size_t count = 0;

	for (int precision = 0; precision <= 16; precision++) {
		(void)snprintf(text, sizeof(text), "%.*e", precision, number);
		if (strtod(text, NULL) >= number && strtod(text, NULL) <= number)
			break;
	}
	for (const char *at = text; *at && *at != 'e'; at++)
		if (*at >= '0' && *at <= '9')
			digits[count++] = *at;
	digits[count] = '\0';
	*exponent = (int)strtol(strchr(text, 'e') + 1, NULL, 10);
}

/* Digits with the point after the first (exponent 0) or further right or left, as many zeros as that takes. */
static void write_positional(struct strbuf *out, const char *digits, int exponent)
{
	int count = (int)strlen(digits);

	if (exponent < 0) {
		strbuf_adds(out, "0.");
		for (int i = -1; i > exponent; i--)
			strbuf_addc(out, '0');
		strbuf_adds(out, digits);
		return;
	}
	for (int i = 0; i <= exponent; i++)
		strbuf_addc(out, i < count ? digits[i] : '0');
	strbuf_addc(out, '.');
	strbuf_adds(out, exponent + 1 < count ? digits + exponent + 1 : "0");
}

/* Always a '.', and a sign before the exponent: YAML 1.1 reads "1e3" and "1.0e3" as strings. */
static void write_real(struct strbuf *out, double number)
{
	char digits[24];
	int exponent;

	if (signbit(number))
		strbuf_addc(out, '-');
	shortest_digits(fabs(number), digits, &exponent);
	if (exponent >= -6 && exponent <= 20)
		write_positional(out, digits, exponent);
	else
		strbuf_addf(out, "%c.%se%+03d", digits[0], digits[1] ? digits + 1 : "0", exponent);
}

const char *json_number_text(const json_t *number, char buf[JSON_NUMBER_SIZE])
{
	auto_strbuf struct strbuf text = STRBUF_INIT;

	if (json_is_integer(number)) {
		(void)snprintf(buf, JSON_NUMBER_SIZE, "%" JSON_INTEGER_FORMAT, json_integer_value(number));
		return buf;
	}
	write_real(&text, json_real_value(number));
	(void)snprintf(buf, JSON_NUMBER_SIZE, "%s", text.buf);
	return buf;
}

static void write_string(const char *text, size_t len, struct strbuf *out)
{
	static const char plain[] = "\b\f\n\r\t\"\\", letters[] = "bfnrt\"\\";
	size_t start = 0;

	strbuf_addc(out, '"');
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		const char *known = c ? strchr(plain, c) : NULL;

		if (c >= 0x20 && !known)
			continue;
		strbuf_add(out, text + start, i - start);
		start = i + 1;
		if (known)
			strbuf_addf(out, "\\%c", letters[known - plain]);
		else
			strbuf_addf(out, "\\u%04x", c);
	}
	strbuf_add(out, text + start, len - start);
	strbuf_addc(out, '"');
}

static void write_object(const json_t *object, struct strbuf *out)
{
	size_t count;
	auto_free const char **keys = json_sorted_keys(object, &count);

	strbuf_addc(out, '{');
	for (size_t i = 0; i < count; i++) {
		if (i)
			strbuf_addc(out, ',');
		write_string(keys[i], strlen(keys[i]), out);
		strbuf_addc(out, ':');
		json_write(json_object_get(object, keys[i]), out);
	}
	strbuf_addc(out, '}');
}

static void write_array(const json_t *array, struct strbuf *out)
{
	size_t count = json_array_size(array);

	strbuf_addc(out, '[');
	for (size_t i = 0; i < count; i++) {
		if (i)
			strbuf_addc(out, ',');
		json_write(json_array_get(array, i), out);
	}
	strbuf_addc(out, ']');
}

void json_write(const json_t *value, struct strbuf *out)
{
	char number[JSON_NUMBER_SIZE];

	if (json_is_object(value))
		write_object(value, out);
	else if (json_is_array(value))
		write_array(value, out);
	else if (json_is_string(value))
		write_string(json_string_value(value), json_string_length(value), out);
	else if (json_is_number(value))
		strbuf_adds(out, json_number_text(value, number));
	else if (json_is_boolean(value))
		strbuf_adds(out, json_is_true(value) ? "true" : "false");
	else
		strbuf_adds(out, "null");
}

/* ---- looking ---- */

/* jansson's readers of a value take it without const; none of those called here changes it. */
static json_t *without_const(const json_t *value)
{
	return (json_t *)(uintptr_t)value;
}

static json_t *walk(const json_t *value, va_list keys)
{
	const char *key;

	while (value && (key = va_arg(keys, const char *)))
		value = json_object_get(value, key);
	return without_const(value);
}

json_t *json_at(const json_t *value, ...)
{
	json_t *found;
	va_list keys;

	va_start(keys, value);
	found = walk(value, keys);
	va_end(keys);
	return found;
}

const char *json_text_at(const json_t *value, ...)
{
	const char *text;
	json_t *found;
	va_list keys;

	va_start(keys, value);
	found = walk(value, keys);
	va_end(keys);
	text = json_string_value(found);
	return text && strlen(text) == json_string_length(found) ? text : NULL;
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Most objects have few keys, and the server has sorted most of them: then this is one comparison a key. */
static void sort_keys(const char **keys, size_t count)
{
	if (count > FEW_KEYS) {
		qsort(keys, count, sizeof(*keys), compare_keys);
		return;
	}
	for (size_t i = 1; i < count; i++) {
		const char *key = keys[i];
		size_t at = i;

		for (; at > 0 && strcmp(keys[at - 1], key) > 0; at--)
			keys[at] = keys[at - 1];
		keys[at] = key;
	}
}

const char **json_sorted_keys(const json_t *object, size_t *count)
{
	json_t *value = without_const(object);
	const char **keys = xcalloc(json_object_size(object), sizeof(*keys));

	*count = 0;
	for (void *at = json_object_iter(value); at; at = json_object_iter_next(value, at))
		keys[(*count)++] = json_object_iter_key(at);
	sort_keys(keys, *count);
	return keys;
}
