/* SPDX-License-Identifier: Apache-2.0 */
/* For a terminal: aligned tables; a cell of several lines goes on in the lines below. */
#include <string.h>

#include "parts.h"
#include "util/mem.h"
#include "util/strbuf.h"
#include "util/text.h"

#define COLUMNS_MAX 12
#define GAP "  "
#define WIDTH_MAX 100 /* of all columns but the last, which may wrap */

struct table {
	const struct part_column *columns;
	size_t count;
	size_t widths[COLUMNS_MAX];
	size_t total, title_width; /* total: without the last column */
	bool heads;
};

static void add_padding(struct strbuf *out, size_t count)
{
	while (count-- > 0)
		strbuf_addc(out, ' ');
}

static void add_text(struct strbuf *out, const struct table *table, size_t column, const char *text)
{
	size_t used = text_width(text), width = table->widths[column], pad = width > used ? width - used : 0;
	bool right = cell_is_right(table->columns[column].kind);

	add_padding(out, right ? pad : 0);
	strbuf_adds(out, text);
	/* nothing stands behind the last column */
	if (column + 1 < table->count) {
		add_padding(out, right ? 0 : pad);
		strbuf_adds(out, GAP);
	}
}

static void end_line(struct strbuf *out)
{
	while (out->len > 0 && out->buf[out->len - 1] == ' ')
		strbuf_truncate(out, out->len - 1);
	strbuf_addc(out, '\n');
}

static void measure(struct table *table, const json_t *rows)
{
	const json_t *row;
	size_t i;

	for (; table->columns[table->count].title && table->count < COLUMNS_MAX; table->count++)
		table->widths[table->count] = table->heads ? strlen(table->columns[table->count].title) : 0;
	json_array_foreach (rows, i, row) {
		for (size_t column = 0; column < table->count; column++) {
			auto_strlist struct strlist lines = STRLIST_INIT;

			cell_lines(&table->columns[column], row, &lines);
			for (size_t line = 0; line < lines.count; line++) {
				size_t width = text_width(lines.items[line]);

				table->widths[column] = width > table->widths[column] ? width : table->widths[column];
			}
		}
	}
	for (size_t column = 0; column < table->count; column++) {
		size_t title = strlen(table->columns[column].title);

		table->title_width = title > table->title_width ? title : table->title_width;
		table->total += column + 1 < table->count ? table->widths[column] + strlen(GAP) : 0;
	}
}

static void add_row(struct strbuf *out, const struct table *table, const json_t *row)
{
	struct strlist cells[COLUMNS_MAX] = {0};
	size_t height = 1;

	for (size_t column = 0; column < table->count; column++) {
		cell_lines(&table->columns[column], row, &cells[column]);
		height = cells[column].count > height ? cells[column].count : height;
	}
	for (size_t line = 0; line < height; line++) {
		strbuf_adds(out, GAP);
		for (size_t column = 0; column < table->count; column++)
			add_text(out, table, column,
				line < cells[column].count                  ? cells[column].items[line]
					: line == 0 && !cells[column].count ? "-"
									    : "");
		end_line(out);
	}
	for (size_t column = 0; column < table->count; column++)
		strlist_release(&cells[column]);
}

/* A line a cell, the first one as it is: for what is too wide for a table. */
static void add_block(struct strbuf *out, const struct table *table, const json_t *row)
{
	for (size_t column = 0; column < table->count; column++) {
		auto_strlist struct strlist lines = STRLIST_INIT;

		cell_lines(&table->columns[column], row, &lines);
		for (size_t i = 0; i < lines.count; i++) {
			strbuf_adds(out, GAP);
			if (column > 0)
				strbuf_addf(out, GAP "%-*s" GAP, (int)table->title_width, i ? "" : table->columns[column].title);
			strbuf_addf(out, "%s\n", lines.items[i]);
		}
	}
}

static void add_lines_of(struct strbuf *out, const struct table *table, const json_t *rows)
{
	const json_t *row;
	size_t i;

	if (table->heads) {
		strbuf_adds(out, GAP);
		for (size_t column = 0; column < table->count; column++)
			add_text(out, table, column, table->columns[column].title);
		end_line(out);
	}
	json_array_foreach (rows, i, row)
		add_row(out, table, row);
}

static void add_table(struct strbuf *out, const struct part *part, const json_t *rows)
{
	struct table table = {.columns = part->columns, .heads = !part->facts};
	const json_t *row;
	size_t i;

	measure(&table, rows);
	if (table.total <= WIDTH_MAX) {
		add_lines_of(out, &table, rows);
		return;
	}
	json_array_foreach (rows, i, row)
		add_block(out, &table, row);
}

static void add_part(struct strbuf *out, const struct part *part, const struct report *report)
{
	json_t *rows = part->rows(report);

	if (json_array_size(rows) > 0) {
		strbuf_addf(out, "\n%s:\n", part->title);
		add_table(out, part, rows);
	} else if (part->none) {
		strbuf_addf(out, "\n%s: %s\n", part->title, part->none);
	}
	json_decref(rows);
}

void report_text(const struct report *report, struct strbuf *out)
{
	auto_free char *title = report_title(report);
	auto_free char *occasion = report_occasion(report);
	auto_free char *result = report_result(report);
	auto_strlist struct strlist reasons = STRLIST_INIT;

	strbuf_addf(out, "%s: %s\n%s\n", title, result, occasion);
	report_reasons(report, &reasons);
	for (size_t i = 0; i < reasons.count; i++)
		strbuf_addf(out, GAP "%s\n", reasons.items[i]);
	for (const struct part *part = report_parts; part->id; part++)
		if (part->where & IN_TEXT)
			add_part(out, part, report);
}
