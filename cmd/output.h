/* SPDX-License-Identifier: Apache-2.0 */
/*
 * output - the one place that prints results: a json_t as JSON, as YAML, or as lines and tables for people.
 *
 * Text for people is gathered in memory and written by output_flush. All foreign text in it is escaped here (util/text.h), so callers hand
 * over values as they are. Color marks status words only.
 */
#ifndef RHAII_CMD_OUTPUT_H
#define RHAII_CMD_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "options.h"
#include "util/strbuf.h"

struct error;

struct output {
	int fd;
	bool color;
	struct strbuf text;
	bool gap; /* an empty line is due before the next heading */
};

enum cell_type {
	CELL_TEXT,     /* string, number, or a list of strings joined by commas; "-" where there is none */
	CELL_NUMBER,   /* to the right */
	CELL_COUNT,    /* of the items of a list, to the right; "-" where it is empty */
	CELL_STATUS,   /* a word with a color */
	CELL_DURATION, /* milliseconds */
	CELL_ID,       /* the first digits of a git id */
};

struct column {
	const char *title;
	const char *key; /* member of the row */
	enum cell_type type;
	size_t max; /* cut longer text; 0: never */
};

void output_init(struct output *out, int fd, enum color_when color);
void output_release(struct output *out);
/* Write what was gathered. ERR_FAILED; a reader that went away is no error. */
int output_flush(struct output *out, struct error *err);

/* Add result as a document. */
void output_document(struct output *out, enum output_format format, const json_t *result);

/* A title (NULL: none) over what follows, with an empty line before it where something stands above. */
void output_heading(struct output *out, const char *title);
/* A line; what the arguments put into it is escaped. */
void output_line(struct output *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A whole document as it is: whoever made it has escaped what is foreign in it. */
void output_verbatim(struct output *out, const char *text);
/* A question: no end of line. */
void output_prompt(struct output *out, const char *question);
/* "label       text", for the facts at the head of a result. */
void output_field(struct output *out, const char *label, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* "label       word text", word in its color; the label may be "". */
void output_status(struct output *out, const char *label, const char *word, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* A row a line under titles. rows is a list of maps; columns end with a title of NULL. Nothing for no rows. */
void output_table(struct output *out, const json_t *rows, const struct column *columns);
/* Wrapped text; an empty line (\n\n) parts paragraphs. */
void output_paragraphs(struct output *out, const char *text);
/* Two columns without titles: "  left   right", right wrapped to the line. */
void output_pair(struct output *out, size_t width, const char *left, const char *right);

#endif
