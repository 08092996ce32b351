/* SPDX-License-Identifier: Apache-2.0 */
#include "util/yaml.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "util/error.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"
#include "util/text.h"
#include "yaml_plain.h"

#define SHOWN_MAX 60
#define KEY_HINT "put text that starts with '{' or '[' between quotes"
#define BYTE_ORDER_MARK "\xEF\xBB\xBF"
#define STRINGIFY_(x) #x
#define STRINGIFY(x) STRINGIFY_(x)

struct reader {
	yaml_parser_t parser;
	yaml_event_t event; /* the one being looked at */
	const char *buf;
	size_t len;
	struct error *err;
};

/* Of a character in UTF-8, other than its first. */
static bool is_continuation(char byte)
{
	return ((unsigned char)byte & 0xC0) == 0x80;
}

/* ---- faults ---- */

static int fail_mark(struct reader *r, yaml_mark_t mark, const char *what)
{
	return error_set(r->err, ERR_SYNTAX, "line %zu, column %zu: %s", mark.line + 1, mark.column + 1, what);
}

static int fail_here(struct reader *r, const char *what, const char *hint)
{
	fail_mark(r, r->event.start_mark, what);
	return error_hint(r->err, "%s", hint);
}

/* "'<the scalar>' <what>" at its place. */
static int fail_scalar(struct reader *r, const char *what, const char *hint)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;

	strbuf_addc(&text, '\'');
	text_escape(&text, (const char *)r->event.data.scalar.value, r->event.data.scalar.length, SHOWN_MAX);
	strbuf_addf(&text, "' %s", what);
	return fail_here(r, text.buf, hint);
}

static int fail_ambiguous(struct reader *r)
{
	return fail_scalar(r, "must be quoted",
		"readers of YAML take it for different values: put text between quotes; others are written like true, 10, 0.5, 1.0e+3");
}

static int fail_alias(struct reader *r)
{
	return fail_here(r, "aliases are not allowed", "write out what the alias stands for");
}

/* Where an offset in bytes is: libyaml knows no more of what is not UTF-8 or not allowed in YAML. */
static yaml_mark_t mark_of_offset(const struct reader *r, size_t offset)
{
	yaml_mark_t mark = {0};

	for (size_t i = 0; i < offset && i < r->len; i++) {
		if (r->buf[i] == '\n') {
			mark.line++;
			mark.column = 0;
		} else if (!is_continuation(r->buf[i])) {
			mark.column++;
		}
	}
	return mark;
}

static bool is_tab_at(const struct reader *r, yaml_mark_t mark)
{
	size_t at = 0;

	for (size_t left = mark.index; left > 0 && at < r->len; left--)
		for (at++; at < r->len && is_continuation(r->buf[at]);)
			at++;
	return at < r->len && r->buf[at] == '\t';
}

/* What to do about what libyaml finds. */
static const char *hint_for(const char *problem)
{
	static const struct {
		const char *part, *hint;
	} hints[] = {
		{"tab", "indent with spaces"},
		{"UTF-8", "save the file as UTF-8"},
		{"control characters", "write the character as an escape between double quotes, like \"\\x1B\""},
		{"unexpected end of stream", "close the quote"},
		{"cannot start any token", "put text that starts with such a character between quotes"},
		{"mapping values", "put text that holds ': ' between quotes, or look whether the line is indented too far"},
		{"escape character", "a backslash between double quotes is written \\\\"},
		{"expected key", "look whether this line is indented like its neighbours"},
		{"'-' indicator", "look whether this line is indented like its neighbours"},
		{"expected ',' or", "close the bracket, or put a comma between what is in it"},
		{"expected ':'", "a key is followed by a colon and a blank, on the same line"},
	};

	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		if (strstr(problem, hints[i].part))
			return hints[i].hint;
	return "look at the quotes, brackets and indentation of this line and of the one before";
}

/* libyaml says what is wrong in fixed words, never with the text at fault. */
static int fail_libyaml(struct reader *r)
{
	const yaml_parser_t *parser = &r->parser;
	const char *problem = parser->problem ? parser->problem : "not YAML";
	yaml_mark_t mark = parser->problem_mark, start = parser->context_mark;
	auto_strbuf struct strbuf text = STRBUF_INIT;

	if (parser->error == YAML_MEMORY_ERROR)
		mem_die();
	if (parser->error == YAML_READER_ERROR)
		mark = mark_of_offset(r, parser->problem_offset);
	else if (is_tab_at(r, mark))
		problem = "a tab where only spaces may be";
	strbuf_adds(&text, problem);
	if (parser->context && start.line < mark.line)
		strbuf_addf(&text, ", %s that starts at line %zu, column %zu", parser->context, start.line + 1, start.column + 1);
	fail_mark(r, mark, text.buf);
	return error_hint(r->err, "%s", hint_for(problem));
}

static int next_event(struct reader *r)
{
	yaml_event_delete(&r->event);
	return yaml_parser_parse(&r->parser, &r->event) ? 0 : fail_libyaml(r);
}

/* ---- plain scalars ---- */

static json_t *real_value(struct reader *r, const char *text)
{
	double number = strtod(text, NULL);

	if (isfinite(number))
		return json_real(number);
	fail_scalar(r, "is out of range", "a number is at most 1.7976931348623157e+308");
	return NULL;
}

/* Beyond int64 an integer is read as a real, as json_read does. */
static json_t *integer_value(struct reader *r, const char *text)
{
	long long number;

	errno = 0;
	number = strtoll(text, NULL, 10);
	return errno == ERANGE ? real_value(r, text) : json_integer(number);
}

static json_t *plain_value(struct reader *r)
{
	const char *text = (const char *)r->event.data.scalar.value;
	enum yaml_meaning meaning = yaml_plain_meaning(text);

	if (meaning == MEANS_NULL)
		return json_null();
	if (meaning == MEANS_TRUE || meaning == MEANS_FALSE)
		return json_boolean(meaning == MEANS_TRUE);
	if (meaning == MEANS_INTEGER)
		return integer_value(r, text);
	if (meaning == MEANS_REAL)
		return real_value(r, text);
	if (meaning == MEANS_STRING)
		return json_stringn(text, r->event.data.scalar.length);
	fail_ambiguous(r);
	return NULL;
}

/* ---- nodes: each reader starts at the node's first event and ends at its last ---- */

static int refuse_extras(struct reader *r, const yaml_char_t *anchor, const yaml_char_t *tag)
{
	if (anchor)
		return fail_here(r, "anchors are not allowed", "take the anchor away, and write its value wherever it is used");
	if (tag)
		return fail_here(r, "tags are not allowed", "take the tag away; text that looks like something else goes between quotes");
	return 0;
}

static json_t *read_scalar(struct reader *r)
{
	json_t *value;

	if (refuse_extras(r, r->event.data.scalar.anchor, r->event.data.scalar.tag) < 0)
		return NULL;
	if (r->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
		return plain_value(r);
	value = json_stringn((const char *)r->event.data.scalar.value, r->event.data.scalar.length);
	if (!value)
		fail_here(r, "not UTF-8", "save the file as UTF-8");
	return value;
}

static json_t *read_node(struct reader *r, int depth);

static json_t *read_sequence(struct reader *r, int depth)
{
	auto_json json_t *array = json_array();

	if (refuse_extras(r, r->event.data.sequence_start.anchor, r->event.data.sequence_start.tag) < 0)
		return NULL;
	for (;;) {
		json_t *item;

		if (next_event(r) < 0)
			return NULL;
		if (r->event.type == YAML_SEQUENCE_END_EVENT)
			return json_incref(array);
		item = read_node(r, depth);
		if (!item)
			return NULL;
		json_array_append_new(array, item);
	}
}

/* Quoted it is a key like any other. */
static bool is_merge(const struct reader *r)
{
	return r->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE && strcmp((const char *)r->event.data.scalar.value, "<<") == 0;
}

/* The key at the current event; the caller frees. */
static char *read_key(struct reader *r, const json_t *object)
{
	const char *text = (const char *)r->event.data.scalar.value;
	auto_json json_t *key = NULL;

	if (r->event.type == YAML_ALIAS_EVENT)
		fail_alias(r);
	else if (r->event.type != YAML_SCALAR_EVENT)
		fail_here(r, "a key must be a string", KEY_HINT);
	else if (is_merge(r))
		fail_here(r, "merge keys are not allowed", "write out the keys that are merged in");
	else if (!(key = read_scalar(r)))
		return NULL;
	else if (!json_is_string(key))
		fail_scalar(r, "must be quoted: a key must be a string", "put the key between quotes");
	else if (strlen(text) != r->event.data.scalar.length)
		fail_scalar(r, "holds a NUL byte, which a key cannot", "take it away");
	else if (json_object_get(object, text))
		fail_scalar(r, "is a key that is there already", "keep one of the two");
	else
		return xstrdup(text);
	return NULL;
}

static json_t *read_mapping(struct reader *r, int depth)
{
	auto_json json_t *object = json_object();

	if (refuse_extras(r, r->event.data.mapping_start.anchor, r->event.data.mapping_start.tag) < 0)
		return NULL;
	for (;;) {
		auto_free char *key = NULL;
		json_t *value;

		if (next_event(r) < 0)
			return NULL;
		if (r->event.type == YAML_MAPPING_END_EVENT)
			return json_incref(object);
		key = read_key(r, object);
		if (!key || next_event(r) < 0)
			return NULL;
		value = read_node(r, depth);
		if (!value)
			return NULL;
		json_object_set_new_nocheck(object, key, value);
	}
}

static json_t *read_node(struct reader *r, int depth)
{
	bool sequence = r->event.type == YAML_SEQUENCE_START_EVENT;

	if (r->event.type == YAML_SCALAR_EVENT)
		return read_scalar(r);
	if (!sequence && r->event.type != YAML_MAPPING_START_EVENT) {
		fail_alias(r);
		return NULL;
	}
	if (depth >= JSON_DEPTH_MAX) {
		fail_here(r, "nested too deep", "at most " STRINGIFY(JSON_DEPTH_MAX) " levels are read");
		return NULL;
	}
	return sequence ? read_sequence(r, depth + 1) : read_mapping(r, depth + 1);
}

/* stream start, document start, the node, document end, stream end. */
static json_t *read_stream(struct reader *r)
{
	auto_json json_t *value = NULL;

	if (next_event(r) < 0 || next_event(r) < 0)
		return NULL;
	if (r->event.type == YAML_STREAM_END_EVENT)
		return json_null();
	if (next_event(r) < 0)
		return NULL;
	value = read_node(r, 0);
	if (!value || next_event(r) < 0 || next_event(r) < 0)
		return NULL;
	if (r->event.type != YAML_STREAM_END_EVENT) {
		fail_here(r, "more than one document", "a file holds one: move what follows '---' to a file of its own");
		return NULL;
	}
	return json_incref(value);
}

/*
 * One at the start says UTF-8 and is skipped: libyaml would count it as a column. Further in, readers differ on whether it belongs to the text, so it has
 * to be written as an escape.
 */
static int skip_byte_order_mark(struct reader *r)
{
	static const size_t size = sizeof(BYTE_ORDER_MARK) - 1;
	const char *found;

	if (r->len >= size && memcmp(r->buf, BYTE_ORDER_MARK, size) == 0) {
		r->buf += size;
		r->len -= size;
	}
	found = memmem(r->buf, r->len, BYTE_ORDER_MARK, size);
	if (!found)
		return 0;
	fail_mark(r, mark_of_offset(r, (size_t)(found - r->buf)), "a byte order mark that is not at the start");
	return error_hint(r->err, "take it away; where it belongs to a text, write \\uFEFF between double quotes");
}

json_t *yaml_read(const char *buf, size_t len, struct error *err)
{
	struct reader r = {.err = err, .buf = buf, .len = len};
	json_t *value;

	if (len > YAML_SIZE_MAX) {
		error_set(err, ERR_SYNTAX, "larger than %zu MiB", YAML_SIZE_MAX >> 20);
		return NULL;
	}
	if (skip_byte_order_mark(&r) < 0)
		return NULL;
	if (!yaml_parser_initialize(&r.parser))
		mem_die();
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)r.buf, r.len);
	value = read_stream(&r);
	yaml_event_delete(&r.event);
	yaml_parser_delete(&r.parser);
	return value;
}

/* ---- where a key is ---- */

static bool step(yaml_parser_t *parser, yaml_event_t *event)
{
	yaml_event_delete(event);
	return yaml_parser_parse(parser, event) == 1;
}

/* Pass over the value that the event begins. */
static bool skip_value(yaml_parser_t *parser, yaml_event_t *event)
{
	size_t depth = 0;

	do {
		depth += event->type == YAML_MAPPING_START_EVENT || event->type == YAML_SEQUENCE_START_EVENT;
		depth -= event->type == YAML_MAPPING_END_EVENT || event->type == YAML_SEQUENCE_END_EVENT;
	} while (depth > 0 && step(parser, event));
	return depth == 0;
}

/* The line of the last key of the way that is there; the map has just begun. */
static size_t find_line(yaml_parser_t *parser, yaml_event_t *event, const struct strlist *way)
{
	size_t line = 0, at = 0;

	while (step(parser, event) && event->type == YAML_SCALAR_EVENT) {
		bool found = strcmp((const char *)event->data.scalar.value, way->items[at]) == 0;

		line = found ? event->start_mark.line + 1 : line;
		if (!step(parser, event))
			return line;
		if (found && (++at == way->count || event->type != YAML_MAPPING_START_EVENT))
			return line;
		if (!found && !skip_value(parser, event))
			return line;
	}
	return line;
}

size_t yaml_line(const char *buf, size_t len, const struct strlist *way)
{
	yaml_event_t event = {0};
	yaml_parser_t parser;
	size_t line = 0;

	if (!yaml_parser_initialize(&parser))
		mem_die();
	yaml_parser_set_input_string(&parser, (const unsigned char *)buf, len);
	while (step(&parser, &event) && event.type != YAML_STREAM_END_EVENT)
		if (event.type == YAML_MAPPING_START_EVENT) {
			line = way->count ? find_line(&parser, &event, way) : 0;
			break;
		}
	yaml_event_delete(&event);
	yaml_parser_delete(&parser);
	return line;
}
