/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One file. The policy at its top lets it load nothing and run nothing: its own style is named by its hash, and there is no script. What people fill in (actions,
 * sign-off) are plain fields, to be printed with what was typed.
 */
#include <string.h>

#include "html.h"
#include "parts.h"
#include "util/base64.h"
#include "util/hash.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"
#include "util/text.h"

#define SHORT_WIDTH 26

static const char *const tone_class[] = {[TONE_PLAIN] = "plain", [TONE_GOOD] = "good", [TONE_WARN] = "warn", [TONE_BAD] = "bad"};

static const struct figure {
	const char *part;
	void (*draw)(const struct report *report, struct strbuf *out);
} figures[] = {{"timeline", figure_timeline}, {"trend", figure_trend}};

static const char *const cell_class[] = {
	[AS_TEXT] = "text", [AS_NAME] = "mono", [AS_STATUS] = "status", [AS_NUMBER] = "right", [AS_DURATION] = "right", [AS_FILL] = "fill"};

static void add_badge(struct strbuf *out, const char *safe)
{
	enum tone tone = tone_of(safe);

	if (tone != TONE_PLAIN)
		strbuf_addf(out, "<span class=\"badge %s\">", tone_class[tone]);
	markup_add(out, safe);
	strbuf_adds(out, tone != TONE_PLAIN ? "</span>" : "");
}

/* ---- tables ---- */

/* The row is named by its number or its role, the first cell. */
static void add_field(
	struct strbuf *out, const struct part *part, const struct part_column *column, const json_t *row, const struct strlist *lines)
{
	auto_strlist struct strlist name = STRLIST_INIT;
	bool wide = column == &part->columns[1] && strcmp(column->key, "action") == 0;

	cell_lines(&part->columns[0], row, &name);
	strbuf_addf(out, "<%s aria-label=\"%s, ", wide ? "textarea rows=\"1\"" : "input", column->title);
	markup_add(out, name.count ? name.items[0] : "");
	strbuf_adds(out, wide ? "\">" : "\" value=\"");
	for (size_t i = 0; i < lines->count; i++) {
		strbuf_adds(out, i ? " " : "");
		markup_add(out, lines->items[i]);
	}
	strbuf_adds(out, wide ? "</textarea>" : "\">");
}

static void add_lines(struct strbuf *out, const struct part_column *column, const struct strlist *lines)
{
	for (size_t i = 0; i < lines->count; i++) {
		if (column->kind == AS_STATUS) {
			add_badge(out, lines->items[i]);
			continue;
		}
		strbuf_adds(out, lines->count > 1 ? "<span class=\"line\">" : "");
		markup_add(out, lines->items[i]);
		strbuf_adds(out, lines->count > 1 ? "</span>" : "");
	}
}

/* On a narrow screen such a one stands beside its title. */
static bool is_short(const struct strlist *lines)
{
	return lines->count == 1 && text_width(lines->items[0]) <= SHORT_WIDTH;
}

static void add_cell(struct strbuf *out, const struct part *part, const struct part_column *column, const json_t *row)
{
	auto_strlist struct strlist lines = STRLIST_INIT;
	bool head = column == part->columns;

	cell_lines(column, row, &lines);
	strbuf_addf(out, head ? "<th scope=\"row\" role=\"rowheader\" class=\"%s%s\"" : "<td role=\"cell\" class=\"%s%s\"",
		cell_class[column->kind],
		lines.count == 0 && column->kind != AS_FILL ? " empty"
			: is_short(&lines)                  ? " short"
							    : "");
	if (!head && !part->facts)
		strbuf_addf(out, " data-label=\"%s\"", column->title);
	strbuf_addc(out, '>');
	if (column->kind == AS_FILL)
		add_field(out, part, column, row, &lines);
	else
		add_lines(out, column, &lines);
	strbuf_adds(out, head ? "</th>" : "</td>");
}

static const char *table_class(const struct part *part)
{
	for (const struct part_column *column = part->columns; column->title; column++)
		if (column->kind == AS_FILL)
			return "filled";
	return part->facts ? "facts" : "rows";
}

static void add_table(struct strbuf *out, const struct part *part, const json_t *rows)
{
	const json_t *row;
	size_t i;

	strbuf_addf(out, "<table role=\"table\" class=\"%s\">\n<caption>%s</caption>\n", table_class(part), part->about);
	if (!part->facts) {
		strbuf_adds(out, "<thead role=\"rowgroup\"><tr role=\"row\">");
		for (const struct part_column *column = part->columns; column->title; column++)
			strbuf_addf(out, "<th scope=\"col\" role=\"columnheader\"%s>%s</th>",
				cell_is_right(column->kind) ? " class=\"right\"" : "", column->title);
		strbuf_adds(out, "</tr></thead>\n");
	}
	strbuf_adds(out, "<tbody role=\"rowgroup\">\n");
	json_array_foreach (rows, i, row) {
		strbuf_adds(out, "<tr role=\"row\">");
		for (const struct part_column *column = part->columns; column->title; column++)
			add_cell(out, part, column, row);
		strbuf_adds(out, "</tr>\n");
	}
	strbuf_adds(out, "</tbody>\n</table>\n");
}

/* ---- parts ---- */

static void add_part(struct strbuf *out, struct strbuf *nav, const struct part *part, const struct report *report)
{
	json_t *rows = part->rows(report);
	size_t count = json_array_size(rows);

	if (count > 0 || part->none) {
		strbuf_addf(nav, "<li><a href=\"#%s\">%s</a></li>\n", part->id, part->title);
		strbuf_addf(out, "<section id=\"%s\" aria-labelledby=\"%s-heading\">\n<h2 id=\"%s-heading\">%s</h2>\n", part->id, part->id,
			part->id, part->title);
		for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++)
			if (strcmp(figures[i].part, part->id) == 0)
				figures[i].draw(report, out);
		if (count > 0 && part->folded)
			strbuf_addf(out, "<details><summary>Show all %zu</summary>\n", count);
		if (count > 0)
			add_table(out, part, rows);
		else
			strbuf_addf(out, "<p class=\"none\">%s</p>\n", part->none);
		strbuf_adds(out, count > 0 && part->folded ? "</details>\n</section>\n" : "</section>\n");
	}
	json_decref(rows);
}

static void add_card(struct strbuf *out, const json_t *objective)
{
	auto_free char *name = report_safe(objective, "objective");
	auto_free char *target = report_safe(objective, "target");
	auto_free char *achieved = report_safe(objective, "achieved");
	auto_free char *margin = report_safe(objective, "margin");
	auto_free char *verdict = report_safe(objective, "verdict");

	strbuf_addf(out, "<div class=\"card\"><h3>%s achieved</h3><p class=\"big\">", name);
	markup_add(out, *achieved ? achieved : "not known");
	strbuf_adds(out, "</p><p>");
	add_badge(out, verdict);
	strbuf_adds(out, *target ? " of " : "");
	markup_add(out, target);
	strbuf_adds(out, *target && *margin ? ", " : "");
	markup_add(out, *target ? margin : "");
	strbuf_adds(out, "</p></div>\n");
}

static void add_probe_card(struct strbuf *out, const struct report *report)
{
	const json_t *counts = json_object_get(report->record, "probeCounts");
	long long passed = report_number(counts, "pass", 0), failed = report_number(counts, "fail", 0),
		  changed = report_number(counts, "changed", 0), untested = report_number(counts, "notTested", 0);

	strbuf_addf(
		out, "<div class=\"card\"><h3>Probes</h3><p class=\"big\">%lld of %lld passed</p><p>", passed, passed + failed + changed);
	add_badge(out, failed ? "failed" : passed ? "passed" : "not tested");
	strbuf_addf(out, " %lld failed, %lld changed, %lld not tested</p></div>\n", failed, changed, untested);
}

static void add_verdict(struct strbuf *out, const struct report *report)
{
	auto_free char *result = report_result(report);
	auto_strlist struct strlist reasons = STRLIST_INIT;
	json_t *objectives = report_objectives(report), *objective;
	size_t i;

	report_reasons(report, &reasons);
	strbuf_addf(out,
		"<section id=\"verdict\" class=\"verdict %s\" aria-labelledby=\"verdict-heading\">\n<h2 id=\"verdict-heading\">Verdict: ",
		tone_class[tone_of(result)]);
	markup_add(out, result);
	strbuf_adds(out, "</h2>\n");
	strbuf_adds(out, reasons.count ? "<ul>\n" : "");
	for (i = 0; i < reasons.count; i++) {
		strbuf_adds(out, "<li>");
		markup_add(out, reasons.items[i]);
		strbuf_adds(out, "</li>\n");
	}
	strbuf_adds(out, reasons.count ? "</ul>\n" : "");
	strbuf_adds(out, "</section>\n<div class=\"cards\">\n");
	json_array_foreach (objectives, i, objective)
		add_card(out, objective);
	add_probe_card(out, report);
	strbuf_adds(out, "</div>\n");
	json_decref(objectives);
}

/* ---- the page ---- */

static void add_head(struct strbuf *out, const char *title, const char *result)
{
	unsigned char digest[32];
	struct hash *hash = hash_new(0);

	hash_update(hash, report_style, strlen(report_style));
	hash_final_raw(hash, digest);
	strbuf_adds(out,
		"<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; base-uri 'none'; form-action "
		"'none'; "
		"style-src 'sha256-");
	base64_encode(digest, sizeof(digest), out);
	strbuf_adds(out,
		"'\">\n<meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"viewport\" content=\"width=device-width, "
		"initial-scale=1\">\n"
		/* else a browser asks the server for one, if there is a server */
		"<link rel=\"icon\" href=\"data:,\">\n<title>");
	markup_add(out, title);
	strbuf_adds(out, ": ");
	markup_add(out, result);
	strbuf_addf(out, "</title>\n<style>%s</style>\n</head>\n", report_style);
}

static void add_foot(struct strbuf *out, const struct report *report)
{
	auto_free char *version = report_safe(json_at(report->record, "identity", "tool", NULL), "version");
	auto_free char *hash = report_record_hash(report);

	strbuf_adds(out, "</main>\n<footer><p>Measured by rhaii-dr ");
	markup_add(out, version);
	strbuf_addf(out, ". SHA-256 of the record: <span class=\"mono\">%s</span></p></footer>\n</body>\n</html>\n", hash);
}

void report_html(const struct report *report, struct strbuf *out)
{
	auto_free char *title = report_title(report);
	auto_free char *result = report_result(report);
	auto_free char *occasion = report_occasion(report);
	auto_strbuf struct strbuf body = STRBUF_INIT, nav = STRBUF_INIT;

	add_verdict(&body, report);
	for (const struct part *part = report_parts; part->id; part++)
		if (part->where & IN_DOCUMENT)
			add_part(&body, &nav, part, report);
	add_head(out, title, result);
	strbuf_adds(out, "<body>\n<a class=\"skip\" href=\"#verdict\">Skip to the verdict</a>\n<header>\n<h1>");
	markup_add(out, title);
	strbuf_adds(out, "</h1>\n<p class=\"occasion\">");
	markup_add(out, occasion);
	strbuf_addf(out, "</p>\n</header>\n<nav aria-label=\"Parts of the report\">\n<ul>\n%s</ul>\n</nav>\n<main>\n%s", nav.buf, body.buf);
	add_foot(out, report);
}
