/* SPDX-License-Identifier: Apache-2.0 */
#include "object/canonical.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"

/* YAML allows 1,024 characters from the start of a simple key to its ':'. */
#define SIMPLE_KEY_MAX 1000

/* ---- characters ---- */

struct range {
	uint32_t first, last;
};

static bool in_ranges(uint32_t code, const struct range *ranges, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (code >= ranges[i].first && code <= ranges[i].last)
			return true;
	return false;
}

#define IN(code, ranges) in_ranges(code, ranges, sizeof(ranges) / sizeof((ranges)[0]))

/* Not printable in YAML, a line break in YAML 1.1, or invisible and able to make a diff read differently than it is. */
static const struct range escaped[] = {
	{0x00, 0x1F},
	{0x7F, 0x9F},
	{0x61C, 0x61C},
	{0x200E, 0x200F},
	{0x2028, 0x202E},
	{0x2066, 0x2069},
	{0xFEFF, 0xFEFF},
	{0xFFF9, 0xFFFB},
	{0xE0000, 0x10FFFF},
};

static bool is_escaped(uint32_t code)
{
	if (code >= 0x20 && code < 0x7F)
		return false;
	return (code & 0xFFFE) == 0xFFFE || IN(code, escaped); /* the last two of each plane are no characters */
}

/* Blank or without width: fine between quotes, but a plain scalar that ends in one looks, to some readers, as if it did not. */
static const struct range blank[] = {
	{0xA0, 0xA0},
	{0xAD, 0xAD},
	{0x1680, 0x1680},
	{0x180E, 0x180E},
	{0x2000, 0x200D},
	{0x202F, 0x202F},
	{0x205F, 0x2064},
	{0x3000, 0x3000},
};

/* The code point at the start of text, which is well-formed UTF-8 as every jansson string is; *used gets its bytes. */
static uint32_t decode(const char *text, size_t len, size_t *used)
{
	unsigned char first = (unsigned char)text[0];
	size_t need = first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
	uint32_t code = need == 1 ? first : first & (0x7FU >> need);

	need = need > len ? len : need;
	for (size_t i = 1; i < need; i++)
		code = code << 6 | ((unsigned char)text[i] & 0x3FU);
	*used = need;
	return code;
}

/* What the choice of a form turns on, found in one pass. */
struct shape {
	bool escapes; /* holds what only double quotes can carry, beside tab and newline */
	bool tabs;
	bool not_plain;  /* holds a character that no plain scalar may */
	bool marks;      /* holds a ':' or '#', which a plain scalar may in some places */
	size_t newlines; /* all of them */
};

static void look_at(uint32_t code, struct shape *shape)
{
	if (code == '\n')
		shape->newlines++;
	else if (code == '\t')
		shape->tabs = true;
	else if (code >= 0x7F && IN(code, blank))
		shape->not_plain = true;
	else if (is_escaped(code))
		shape->escapes = true;
}

static struct shape shape_of(const char *text, size_t len)
{
	struct shape shape = {0};
	size_t used = 0;

	for (size_t at = 0; at < len; at += used) {
		unsigned char byte = (unsigned char)text[at];

		used = 1;
		if (byte == ':' || byte == '#')
			shape.marks = true;
		else if (byte < 0x20 || byte >= 0x7F) /* all else is ASCII and fine everywhere: most of what there is */
			look_at(decode(text + at, len - at, &used), &shape);
	}
	return shape;
}

/* ---- which form ---- */

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Words that one or the other YAML reads as something else than a string. All that starts otherwise than with a letter is quoted anyway. */
static bool is_reserved_word(const char *text, size_t len)
{
	static const char *const words[] = {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", "infinity"};

	for (size_t i = 0; len <= strlen("infinity") && i < sizeof(words) / sizeof(words[0]); i++)
		if ((text[0] | 0x20) == words[i][0] && strcasecmp(text, words[i]) == 0)
			return true;
	return false;
}

static bool has_plain_indicator(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		bool before_blank = i + 1 == len || text[i + 1] == ' ';
		bool after_blank = i > 0 && text[i - 1] == ' ';
		if ((text[i] == ':' && (before_blank || after_blank)) || (text[i] == '#' && after_blank))
			return true;
	}
	return false;
}

static bool is_plain(const char *text, size_t len, const struct shape *shape)
{
	if (len == 0 || shape->escapes || shape->tabs || shape->newlines || shape->not_plain)
		return false;
	if (!is_letter(text[0]) && text[0] != '_' && text[0] != '/')
		return false;
	return text[len - 1] != ' ' && !is_reserved_word(text, len) && !(shape->marks && has_plain_indicator(text, len));
}

/* A line of nothing but blanks: readers disagree on whether such a line in a block is content. */
static bool has_blank_line(const char *text, size_t len)
{
	bool blank_so_far = true;
	size_t start = 0;

	for (size_t i = 0; i <= len; i++) {
		if (i == len || text[i] == '\n') {
			if (blank_so_far && i > start)
				return true;
			blank_so_far = true;
			start = i + 1;
		} else if (text[i] != ' ' && text[i] != '\t') {
			blank_so_far = false;
		}
	}
	return false;
}

/* The first byte that is no newline: what a reader finds the indentation of a block by. NUL: there is none. */
static char first_content(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] != '\n')
			return text[i];
	return '\0';
}

static bool is_literal(const char *text, size_t len, const struct shape *shape)
{
	char first = first_content(text, len);

	return shape->newlines && !shape->escapes && first && first != '\t' && !has_blank_line(text, len);
}

/* ---- strings ---- */

static void emit_indent(struct strbuf *out, size_t indent)
{
	static const char spaces[] = "                                ";

	for (; indent > sizeof(spaces) - 1; indent -= sizeof(spaces) - 1)
		strbuf_add(out, spaces, sizeof(spaces) - 1);
	strbuf_add(out, spaces, indent);
}

static void emit_single_quoted(struct strbuf *out, const char *text, size_t len)
{
	strbuf_addc(out, '\'');
	for (const char *quote; (quote = memchr(text, '\'', len)); len -= (size_t)(quote + 1 - text), text = quote + 1) {
		strbuf_add(out, text, (size_t)(quote + 1 - text));
		strbuf_addc(out, '\'');
	}
	strbuf_add(out, text, len);
	strbuf_addc(out, '\'');
}

static void emit_escape(struct strbuf *out, uint32_t code)
{
	switch (code) {
	case '\0':
		strbuf_adds(out, "\\0");
		return;
	case '\t':
		strbuf_adds(out, "\\t");
		return;
	case '\n':
		strbuf_adds(out, "\\n");
		return;
	case '\r':
		strbuf_adds(out, "\\r");
		return;
	default:
		strbuf_addf(out, code <= 0xFF ? "\\x%02X" : code <= 0xFFFF ? "\\u%04X" : "\\U%08X", code);
	}
}

static void emit_double_quoted(struct strbuf *out, const char *text, size_t len)
{
	size_t used = 0;

	strbuf_addc(out, '"');
	for (size_t at = 0; at < len; at += used) {
		uint32_t code = decode(text + at, len - at, &used);
		if (is_escaped(code)) {
			emit_escape(out, code);
			continue;
		}
		if (code == '"' || code == '\\')
			strbuf_addc(out, '\\');
		strbuf_add(out, text + at, used);
	}
	strbuf_addc(out, '"');
}

/* indent: of the lines. They stand two to the right of the key or dash that the block belongs to, which is what the "2" says. */
static void emit_literal(struct strbuf *out, const char *text, size_t len, size_t indent)
{
	bool ends = text[len - 1] == '\n';
	bool ends_twice = ends && text[len - 2] == '\n';
	const char *end = text + len;

	strbuf_addc(out, '|');
	if (first_content(text, len) == ' ')
		strbuf_addc(out, '2');
	if (!ends || ends_twice)
		strbuf_addc(out, ends ? '+' : '-');
	strbuf_addc(out, '\n');
	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *line_end = newline ? newline : end;
		if (line_end > text)
			emit_indent(out, indent);
		strbuf_add(out, text, (size_t)(line_end - text));
		strbuf_addc(out, '\n');
		text = line_end + 1;
	}
}

/* On one line, without the newline after it. */
static void emit_flow_string(struct strbuf *out, const char *text, size_t len, const struct shape *shape)
{
	if (is_plain(text, len, shape))
		strbuf_add(out, text, len);
	else if (shape->escapes || shape->newlines || shape->tabs)
		emit_double_quoted(out, text, len);
	else
		emit_single_quoted(out, text, len);
}

static void emit_string(struct strbuf *out, const json_t *value, size_t indent)
{
	const char *text = json_string_value(value);
	size_t len = json_string_length(value);
	struct shape shape = shape_of(text, len);

	if (is_literal(text, len, &shape)) {
		emit_literal(out, text, len, indent + 2);
		return;
	}
	emit_flow_string(out, text, len, &shape);
	strbuf_addc(out, '\n');
}

/* ---- the tree ---- */

static bool is_filled_map(const json_t *value)
{
	return json_is_object(value) && json_object_size(value) > 0;
}

static bool is_filled_list(const json_t *value)
{
	return json_is_array(value) && json_array_size(value) > 0;
}

/* A scalar or an empty container, and the newline. indent: of the key or dash before it. */
static void emit_scalar(struct strbuf *out, const json_t *value, size_t indent)
{
	char number[JSON_NUMBER_SIZE];

	if (json_is_string(value)) {
		emit_string(out, value, indent);
		return;
	}
	if (json_is_number(value))
		strbuf_adds(out, json_number_text(value, number));
	else if (json_is_object(value))
		strbuf_adds(out, "{}");
	else if (json_is_array(value))
		strbuf_adds(out, "[]");
	else
		strbuf_adds(out, json_is_true(value) ? "true" : json_is_false(value) ? "false" : "null");
	strbuf_addc(out, '\n');
}

static void emit_map(struct strbuf *out, const json_t *map, size_t indent, bool started);
static void emit_list(struct strbuf *out, const json_t *list, size_t indent, bool started);

static void emit_map_value(struct strbuf *out, const json_t *value, size_t indent)
{
	if (is_filled_map(value)) {
		strbuf_addc(out, '\n');
		emit_map(out, value, indent + 2, false);
	} else if (is_filled_list(value)) {
		strbuf_addc(out, '\n');
		emit_list(out, value, indent, false);
	} else {
		strbuf_addc(out, ' ');
		emit_scalar(out, value, indent);
	}
}

static void emit_key(struct strbuf *out, const char *key, size_t indent)
{
	size_t len = strlen(key), start = out->len;
	struct shape shape = shape_of(key, len);
	auto_strbuf struct strbuf text = STRBUF_INIT;

	emit_flow_string(out, key, len, &shape);
	if (out->len - start > SIMPLE_KEY_MAX) {
		strbuf_add(&text, out->buf + start, out->len - start);
		strbuf_truncate(out, start);
		strbuf_adds(out, "? ");
		strbuf_add(out, text.buf, text.len);
		strbuf_addc(out, '\n');
		emit_indent(out, indent);
	}
	strbuf_addc(out, ':');
}

/* started: the first line stands behind a dash and is indented already. */
static void emit_map(struct strbuf *out, const json_t *map, size_t indent, bool started)
{
	size_t count;
	auto_free const char **keys = json_sorted_keys(map, &count);

	for (size_t i = 0; i < count; i++) {
		if (!started || i > 0)
			emit_indent(out, indent);
		emit_key(out, keys[i], indent);
		emit_map_value(out, json_object_get(map, keys[i]), indent);
	}
}

static void emit_list(struct strbuf *out, const json_t *list, size_t indent, bool started)
{
	size_t count = json_array_size(list);

	for (size_t i = 0; i < count; i++) {
		const json_t *item = json_array_get(list, i);
		if (!started || i > 0)
			emit_indent(out, indent);
		strbuf_adds(out, "- ");
		if (is_filled_map(item))
			emit_map(out, item, indent + 2, true);
		else if (is_filled_list(item))
			emit_list(out, item, indent + 2, true);
		else
			emit_scalar(out, item, indent);
	}
}

void canonical_yaml(const json_t *value, struct strbuf *out)
{
	if (is_filled_map(value))
		emit_map(out, value, 0, false);
	else if (is_filled_list(value))
		emit_list(out, value, 0, false);
	else
		emit_scalar(out, value, 0);
}
