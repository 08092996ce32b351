/* SPDX-License-Identifier: Apache-2.0 */
#include "output.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "object/canonical.h"
#include "util/clock.h"
#include "util/env.h"
#include "util/error.h"
#include "util/text.h"

#define LABEL_WIDTH 13
#define ID_WIDTH 12
#define LINE_WIDTH 100
#define COLUMNS_MAX 12

static const char green[] = "\033[32m", yellow[] = "\033[33m", red[] = "\033[31m", plain[] = "\033[0m";

static const struct {
	const char *word, *color;
} status_colors[] = {
	{"pass", green},
	{"met", green},
	{"created", green},
	{"merged", green},
	{"added", green},
	{"verified", green},
	{"changed", yellow},
	{"not tested", yellow},
	{"conflict", yellow},
	{"at least", yellow},
	{"missing", yellow},
	{"unverified", yellow},
	{"edited", yellow},
	{"ok", green},
	{"restorable", green},
	{"never", yellow},
	{"not verified", yellow},
	{"damaged", red},
	{"fail", red},
	{"failed", red},
	{"missed", red},
	{"removed", red},
};

static const char *color_of(const char *word)
{
	for (size_t i = 0; i < sizeof(status_colors) / sizeof(status_colors[0]); i++)
		if (strcmp(status_colors[i].word, word) == 0)
			return status_colors[i].color;
	return NULL;
}

static bool wants_color(int fd, enum color_when color)
{
	const char *terminal = env_get("TERM");

	if (color != COLOR_AUTO)
		return color == COLOR_ALWAYS;
	return isatty(fd) && !env_get("NO_COLOR") && terminal && strcmp(terminal, "dumb") != 0;
}

void output_init(struct output *out, int fd, enum color_when color)
{
	*out = (struct output){.fd = fd, .color = wants_color(fd, color), .text = STRBUF_INIT};
}

void output_release(struct output *out)
{
	strbuf_release(&out->text);
}

int output_flush(struct output *out, struct error *err)
{
	for (size_t done = 0; done < out->text.len;) {
		ssize_t written = write(out->fd, out->text.buf + done, out->text.len - done);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0 && errno == EPIPE)
			break;
		if (written < 0)
			return error_errno(err, errno, "cannot write the result");
		done += (size_t)written;
	}
	strbuf_truncate(&out->text, 0);
	return 0;
}

void output_document(struct output *out, enum output_format format, const json_t *result)
{
	char *text;

	if (format == OUTPUT_YAML) {
		canonical_yaml(result, &out->text);
		return;
	}
	text = json_dumps(result, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_ENSURE_ASCII | JSON_ENCODE_ANY);
	strbuf_adds(&out->text, text ? text : "null");
	strbuf_addc(&out->text, '\n');
	free(text);
}

static void add_escaped(struct output *out, const char *text)
{
	text_escape(&out->text, text, strlen(text), 0);
}

__attribute__((format(printf, 2, 0))) static void add_formatted(struct output *out, const char *fmt, va_list args)
{
	auto_free char *text = NULL;

	if (vasprintf(&text, fmt, args) < 0)
		text = xstrdup("");
	add_escaped(out, text);
}

static void add_spaces(struct output *out, size_t count)
{
	while (count-- > 0)
		strbuf_addc(&out->text, ' ');
}

static void add_status(struct output *out, const char *word)
{
	const char *color = out->color ? color_of(word) : NULL;

	strbuf_adds(&out->text, color ? color : "");
	add_escaped(out, word);
	strbuf_adds(&out->text, color ? plain : "");
}

static void end_line(struct output *out)
{
	while (out->text.len > 0 && out->text.buf[out->text.len - 1] == ' ')
		strbuf_truncate(&out->text, out->text.len - 1);
	strbuf_addc(&out->text, '\n');
	out->gap = true;
}

void output_heading(struct output *out, const char *title)
{
	if (out->gap)
		strbuf_addc(&out->text, '\n');
	out->gap = false;
	if (!title)
		return;
	strbuf_adds(&out->text, title);
	end_line(out);
}

void output_line(struct output *out, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add_formatted(out, fmt, args);
	va_end(args);
	end_line(out);
}

void output_verbatim(struct output *out, const char *text)
{
	strbuf_adds(&out->text, text);
}

void output_prompt(struct output *out, const char *question)
{
	strbuf_adds(&out->text, question);
}

static void add_label(struct output *out, const char *label)
{
	size_t width = text_width(label);

	strbuf_adds(&out->text, label);
	add_spaces(out, width < LABEL_WIDTH ? LABEL_WIDTH - width : 1);
}

void output_field(struct output *out, const char *label, const char *fmt, ...)
{
	va_list args;

	add_label(out, label);
	va_start(args, fmt);
	add_formatted(out, fmt, args);
	va_end(args);
	end_line(out);
}

void output_status(struct output *out, const char *label, const char *word, const char *fmt, ...)
{
	va_list args;

	if (*label)
		add_label(out, label);
	add_status(out, word);
	strbuf_addc(&out->text, ' ');
	va_start(args, fmt);
	add_formatted(out, fmt, args);
	va_end(args);
	end_line(out);
}

/* Tables */

/* The first few: ten thousand services may need one Gateway, and -o json has them all. */
#define LIST_SHOWN 3

static void add_list(struct strbuf *text, const json_t *list, size_t max)
{
	const json_t *item;
	size_t i;

	json_array_foreach (list, i, item) {
		if (i == LIST_SHOWN) {
			strbuf_addf(text, " and %zu more", json_array_size(list) - LIST_SHOWN);
			break;
		}
		if (i)
			strbuf_adds(text, ", ");
		if (json_is_string(item))
			text_escape(text, json_string_value(item), json_string_length(item), max);
	}
}

/* The text of a cell, escaped and cut. */
static void cell_text(struct strbuf *text, const struct column *column, const json_t *value)
{
	char duration[CLOCK_TEXT_SIZE];

	if (column->type == CELL_DURATION && json_is_integer(value))
		strbuf_adds(text, clock_format_duration(json_integer_value(value), duration));
	else if (column->type == CELL_ID && json_is_string(value))
		text_escape(text, json_string_value(value), strnlen(json_string_value(value), ID_WIDTH), 0);
	else if (json_is_string(value) && json_string_length(value) > 0)
		text_escape(text, json_string_value(value), json_string_length(value), column->max);
	else if (json_is_integer(value))
		strbuf_addf(text, "%lld", (long long)json_integer_value(value));
	else if (json_is_boolean(value))
		strbuf_adds(text, json_is_true(value) ? "yes" : "no");
	else if (column->type == CELL_COUNT && json_array_size(value) > 0)
		strbuf_addf(text, "%zu", json_array_size(value));
	else if (json_array_size(value) > 0)
		add_list(text, value, column->max);
	else
		strbuf_adds(text, "-");
}

static size_t measure(const json_t *rows, const struct column *column)
{
	size_t width = text_width(column->title), i;
	const json_t *row;

	json_array_foreach (rows, i, row) {
		auto_strbuf struct strbuf text = STRBUF_INIT;
		size_t cell;

		cell_text(&text, column, json_object_get(row, column->key));
		cell = text_width(text.buf);
		width = cell > width ? cell : width;
	}
	return width;
}

static bool is_right(const struct column *column)
{
	return column->type == CELL_NUMBER || column->type == CELL_COUNT || column->type == CELL_DURATION;
}

static void add_cell(struct output *out, const struct column *column, size_t width, const char *text)
{
	size_t used = text_width(text), pad = width > used ? width - used : 0;
	bool right = is_right(column);

	if (right)
		add_spaces(out, pad);
	if (column->type == CELL_STATUS)
		add_status(out, text);
	else
		strbuf_adds(&out->text, text);
	if (!right)
		add_spaces(out, pad);
	add_spaces(out, 2);
}

static void add_row(struct output *out, const json_t *row, const struct column *columns, const size_t *widths)
{
	for (size_t i = 0; columns[i].title; i++) {
		auto_strbuf struct strbuf text = STRBUF_INIT;

		cell_text(&text, &columns[i], json_object_get(row, columns[i].key));
		add_cell(out, &columns[i], widths[i], text.buf);
	}
	end_line(out);
}

void output_table(struct output *out, const json_t *rows, const struct column *columns)
{
	size_t widths[COLUMNS_MAX] = {0}, i;
	const json_t *row;

	if (json_array_size(rows) == 0)
		return;
	for (i = 0; columns[i].title; i++) {
		const struct column title = {.type = columns[i].type == CELL_STATUS ? CELL_TEXT : columns[i].type};

		/* nothing stands behind the last column that its text would have to be padded for */
		widths[i] = columns[i + 1].title || is_right(&columns[i]) ? measure(rows, &columns[i]) : 0;
		add_cell(out, &title, widths[i], columns[i].title);
	}
	end_line(out);
	json_array_foreach (rows, i, row)
		add_row(out, row, columns, widths);
}

/* Words up to end, from column at, later lines starting at indent. */
static void add_wrapped(struct output *out, size_t indent, const char *text, const char *end)
{
	size_t at = indent;

	while (text < end) {
		size_t len = strcspn(text, " \n");

		if (at > indent && at + len > LINE_WIDTH) {
			end_line(out);
			add_spaces(out, indent);
			at = indent;
		}
		strbuf_add(&out->text, text, len);
		strbuf_addc(&out->text, ' ');
		at += len + 1;
		text += len + strspn(text + len, " \n");
	}
	end_line(out);
}

void output_paragraphs(struct output *out, const char *text)
{
	const char *gap;

	for (; (gap = strstr(text, "\n\n")); text = gap + 2) {
		add_wrapped(out, 0, text, gap);
		strbuf_addc(&out->text, '\n');
	}
	add_wrapped(out, 0, text, text + strlen(text));
}

void output_pair(struct output *out, size_t width, const char *left, const char *right)
{
	size_t used = text_width(left);

	add_spaces(out, 2);
	strbuf_adds(&out->text, left);
	if (used > width) {
		end_line(out);
		add_spaces(out, width + 4);
	} else {
		add_spaces(out, width - used + 2);
	}
	add_wrapped(out, width + 4, right, right + strlen(right));
}
