/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GitHub flavored Markdown. A text that holds nothing but words stands as it is; any other is a code span, in which there is no markup, no link, no mention and no
 * HTML, and which shows a name as it is.
 */
#include <ctype.h>
#include <string.h>

#include "parts.h"
#include "util/mem.h"
#include "util/strbuf.h"

/* Words, times and durations: nothing in it starts a list or becomes a link. */
static bool is_words(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	if (*text == '-' || *text == '+' || *text == ' ' ||
		(digits && (text[digits] == '.' || text[digits] == ')') && !isdigit((unsigned char)text[digits + 1])))
		return false;
	if (strcasestr(text, "www."))
		return false;
	for (; *text; text++) {
		if (*text == ':' && text[1] != ' ' && !isdigit((unsigned char)text[1]))
			return false;
		if (!isalnum((unsigned char)*text) && !strchr(" ,;.:%/()'-", *text))
			return false;
	}
	return true;
}

static size_t longest_run(const char *text, char c)
{
	size_t longest = 0, run = 0;

	for (; *text; text++) {
		run = *text == c ? run + 1 : 0;
		longest = run > longest ? run : longest;
	}
	return longest;
}

static void add_code(struct strbuf *out, const char *text, bool in_table)
{
	size_t fence = longest_run(text, '`') + 1;
	bool pad = *text == '`' || *text == ' ' || text[strlen(text) - 1] == '`';

	for (size_t i = 0; i < fence; i++)
		strbuf_addc(out, '`');
	strbuf_adds(out, pad ? " " : "");
	for (; *text; text++) {
		/* a table is cut at its bars before the spans are looked for */
		if (in_table && *text == '|')
			strbuf_addc(out, '\\');
		strbuf_addc(out, *text);
	}
	strbuf_adds(out, pad ? " " : "");
	for (size_t i = 0; i < fence; i++)
		strbuf_addc(out, '`');
}

static void add_safe(struct strbuf *out, const char *safe, bool in_table)
{
	if (is_words(safe))
		strbuf_adds(out, safe);
	else
		add_code(out, safe, in_table);
}

static void add_cell(struct strbuf *out, const struct part_column *column, const json_t *row)
{
	auto_strlist struct strlist lines = STRLIST_INIT;

	cell_lines(column, row, &lines);
	for (size_t i = 0; i < lines.count; i++) {
		strbuf_adds(out, i ? "<br>" : "");
		add_safe(out, lines.items[i], true);
	}
	strbuf_adds(out, " | ");
}

static void end_row(struct strbuf *out)
{
	strbuf_truncate(out, out->len - 1);
	strbuf_addc(out, '\n');
}

static void add_table(struct strbuf *out, const struct part_column *columns, const json_t *rows)
{
	const json_t *row;
	size_t i;

	strbuf_adds(out, "| ");
	for (const struct part_column *column = columns; column->title; column++)
		strbuf_addf(out, "%s | ", column->title);
	end_row(out);
	strbuf_adds(out, "|");
	for (const struct part_column *column = columns; column->title; column++)
		strbuf_adds(out, cell_is_right(column->kind) ? "---:|" : "---|");
	strbuf_addc(out, '\n');
	json_array_foreach (rows, i, row) {
		strbuf_adds(out, "| ");
		for (const struct part_column *column = columns; column->title; column++)
			add_cell(out, column, row);
		end_row(out);
	}
}

static void add_part(struct strbuf *out, const struct part *part, const struct report *report)
{
	json_t *rows = part->rows(report);

	if (json_array_size(rows) > 0 || part->none)
		strbuf_addf(out, "\n## %s\n\n%s\n\n", part->title, json_array_size(rows) > 0 ? part->about : part->none);
	if (json_array_size(rows) > 0)
		add_table(out, part->columns, rows);
	json_decref(rows);
}

void report_markdown(const struct report *report, struct strbuf *out)
{
	auto_free char *title = report_title(report);
	auto_free char *occasion = report_occasion(report);
	auto_free char *result = report_result(report);
	auto_strlist struct strlist reasons = STRLIST_INIT;

	strbuf_adds(out, "# ");
	add_safe(out, title, false);
	strbuf_adds(out, ": ");
	add_safe(out, result, false);
	strbuf_adds(out, "\n\n");
	add_safe(out, occasion, false);
	strbuf_adds(out, "\n\n");
	report_reasons(report, &reasons);
	for (size_t i = 0; i < reasons.count; i++) {
		strbuf_adds(out, "- ");
		add_safe(out, reasons.items[i], false);
		strbuf_addc(out, '\n');
	}
	for (const struct part *part = report_parts; part->id; part++)
		if (part->where & IN_DOCUMENT)
			add_part(out, part, report);
}
