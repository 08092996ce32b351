/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parts - a report as a table of parts, each a table itself: what text, Markdown and HTML have in common.
 *
 * A part has rows (JSON maps, made from the record) and columns. cell_lines gives what stands in a cell as safe lines: no control character, no bidi control, always
 * UTF-8 (util/text.h). The renderings add only what their own format needs against markup.
 */
#ifndef RHAII_DRILL_PARTS_H
#define RHAII_DRILL_PARTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct strbuf;
struct strlist;

struct report {
	const json_t *record, *trend;
};

/* Good, bad and so on of a word of the record: "pass", "missed". */
enum tone { TONE_PLAIN, TONE_GOOD, TONE_WARN, TONE_BAD };
enum tone tone_of(const char *word);

enum cell_kind {
	AS_TEXT,     /* a string, or a list of strings, a line each */
	AS_NAME,     /* the same, of the cluster or a hash: fixed width where there is a choice */
	AS_STATUS,   /* a word that tone_of knows */
	AS_NUMBER,   /* a count */
	AS_DURATION, /* of milliseconds, or words for one */
	AS_FILL,     /* to be filled in by people; what the row has stands there already */
};

struct part_column {
	const char *title, *key;
	enum cell_kind kind;
};

/* Where a part is shown. */
enum part_where { IN_TEXT = 1, IN_DOCUMENT = 2, EVERYWHERE = 3 };

struct part {
	const char *id, *title;
	const char *about; /* one sentence: what the table tells */
	const char *none;  /* said when there are no rows; NULL: then the part is left out */
	enum part_where where;
	bool facts;                                   /* two columns, label and value: the first is the head of its row */
	bool folded;                                  /* long and seldom read */
	const struct part_column *columns;            /* ended by a NULL title */
	json_t *(*rows)(const struct report *report); /* the caller's */
};

/* In the order of the report, ended by a NULL id. */
extern const struct part report_parts[];

/* The safe lines of a cell; none for an empty one. */
void cell_lines(const struct part_column *column, const json_t *row, struct strlist *lines);
bool cell_is_right(enum cell_kind kind); /* set flush right */

/* The string at key as one safe line, "" when there is none. The caller frees. */
char *report_safe(const json_t *map, const char *key);
/* The integer at key, or missing. Never beyond REPORT_NUMBER_MAX either way: a few of them can be added. */
#define REPORT_NUMBER_MAX 1000000000000000LL
int64_t report_number(const json_t *map, const char *key, int64_t missing);

/* "Drill of prod" and "passed with findings". The caller frees. */
char *report_title(const struct report *report);
char *report_result(const struct report *report);
/* "20261124T201500Z-3fa94c1d, local, started 2026-11-24T20:15:00Z, ended ..." */
char *report_occasion(const struct report *report);
/* The reasons of the verdict, as safe lines. */
void report_reasons(const struct report *report, struct strlist *lines);
/* RTO and RPO: [{objective, target, achieved, margin, verdict, basis}], all words. The caller's. */
json_t *report_objectives(const struct report *report);
/* The phase that a trend's point spent most time in: its name and time; NULL: none. */
const char *report_slowest(const json_t *point, int64_t *milliseconds);
/* The SHA-256 of the record's bytes in hex. The caller frees. */
char *report_record_hash(const struct report *report);

/* Append a safe text for HTML and XML, between tags or in a quoted attribute. */
void markup_add(struct strbuf *out, const char *safe);

/* One a format. */
void report_text(const struct report *report, struct strbuf *out);
void report_json(const struct report *report, struct strbuf *out);
void report_markdown(const struct report *report, struct strbuf *out);
void report_html(const struct report *report, struct strbuf *out);
void report_junit(const struct report *report, struct strbuf *out);
void report_openmetrics(const struct report *report, struct strbuf *out);

#endif
