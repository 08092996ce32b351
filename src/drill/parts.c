/* SPDX-License-Identifier: Apache-2.0 */
/* What is in a cell, and the facts that stand at the top of every rendering. The table of parts is in parts_table.c. */
#include "parts.h"

#include <string.h>

#include "util/clock.h"
#include "util/hash.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"
#include "util/text.h"

static const struct {
	const char *word;
	enum tone tone;
} tones[] = {
	{"passed", TONE_GOOD},
	{"pass", TONE_GOOD},
	{"met", TONE_GOOD},
	{"done", TONE_GOOD},
	{"passed with findings", TONE_WARN},
	{"changed", TONE_WARN},
	{"at least", TONE_WARN},
	{"not tested", TONE_WARN},
	{"not checked", TONE_WARN},
	{"assumed", TONE_WARN},
	{"missing", TONE_WARN},
	{"partial", TONE_WARN},
	{"not run", TONE_WARN},
	{"failed", TONE_BAD},
	{"fail", TONE_BAD},
	{"missed", TONE_BAD},
};

enum tone tone_of(const char *word)
{
	for (size_t i = 0; i < sizeof(tones) / sizeof(tones[0]); i++)
		if (strcmp(tones[i].word, word) == 0)
			return tones[i].tone;
	return TONE_PLAIN;
}

static char *safe_of(const char *text, size_t len)
{
	struct strbuf safe = STRBUF_INIT;

	text_escape(&safe, text, len, 0);
	return strbuf_detach(&safe, NULL);
}

char *report_safe(const json_t *map, const char *key)
{
	const json_t *value = json_object_get(map, key);

	return json_is_string(value) ? safe_of(json_string_value(value), json_string_length(value)) : xstrdup("");
}

int64_t report_number(const json_t *map, const char *key, int64_t missing)
{
	const json_t *value = json_object_get(map, key);

	json_int_t number = json_integer_value(value);

	if (!json_is_integer(value))
		return missing;
	return number > REPORT_NUMBER_MAX ? REPORT_NUMBER_MAX : number < -REPORT_NUMBER_MAX ? -REPORT_NUMBER_MAX : number;
}

/* ---- cells ---- */

/* What servers say may have several lines; an empty one says nothing. */
static void add_lines(const char *text, size_t len, struct strlist *lines)
{
	while (len > 0) {
		const char *newline = memchr(text, '\n', len);
		size_t used = newline ? (size_t)(newline - text) : len;
		auto_free char *line = safe_of(text, used);

		if (*line)
			strlist_add(lines, line);
		used += newline ? 1 : 0;
		text += used;
		len -= used;
	}
}

static void add_value(const json_t *value, struct strlist *lines)
{
	const json_t *item;
	size_t i;

	if (json_is_string(value))
		add_lines(json_string_value(value), json_string_length(value), lines);
	else if (json_is_array(value))
		json_array_foreach (value, i, item)
			add_value(item, lines);
	else if (value && !json_is_null(value)) {
		auto_strbuf struct strbuf text = STRBUF_INIT;

		json_write(value, &text);
		add_lines(text.buf, text.len, lines);
	}
}

void cell_lines(const struct part_column *column, const json_t *row, struct strlist *lines)
{
	const json_t *value = json_object_get(row, column->key);
	char text[CLOCK_TEXT_SIZE];

	if (column->kind == AS_DURATION && json_is_integer(value))
		strlist_add(lines, clock_format_duration(json_integer_value(value), text));
	else
		add_value(value, lines);
}

bool cell_is_right(enum cell_kind kind)
{
	return kind == AS_NUMBER || kind == AS_DURATION;
}

void markup_add(struct strbuf *out, const char *safe)
{
	static const char meta[] = "&<>\"'";
	static const char *const entities[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};

	while (*safe) {
		size_t plain = strcspn(safe, meta);

		strbuf_add(out, safe, plain);
		safe += plain;
		if (*safe)
			strbuf_adds(out, entities[strchr(meta, *safe++) - meta]);
	}
}

/* ---- the head of a report ---- */

char *report_title(const struct report *report)
{
	auto_free char *name = report_safe(report->record, "name");
	const char *kind = json_text_at(report->record, "kind", NULL);

	return xasprintf("%s of %s", kind && strcmp(kind, "restore") == 0 ? "Restore" : "Drill", *name ? name : "a cluster without a name");
}

char *report_result(const struct report *report)
{
	char *result = report_safe(json_object_get(report->record, "verdict"), "result");

	if (*result)
		return result;
	mem_free_pointer(&result);
	return xstrdup("not known");
}

char *report_occasion(const struct report *report)
{
	auto_free char *id = report_safe(report->record, "id");
	auto_free char *mode = report_safe(report->record, "mode");
	auto_free char *scenario = report_safe(report->record, "scenario");
	auto_free char *started = report_safe(report->record, "startedAt");
	auto_free char *ended = report_safe(report->record, "endedAt");
	bool local = strcmp(mode, "local") == 0;

	return xasprintf("%s, %s%s%s, %s to %s", id, local ? "onto a control plane of its own" : "onto a cluster",
		*scenario ? ", scenario " : "", scenario, started, ended);
}

void report_reasons(const struct report *report, struct strlist *lines)
{
	add_value(json_at(report->record, "verdict", "reasons", NULL), lines);
}

const char *report_slowest(const json_t *point, int64_t *milliseconds)
{
	json_t *phases = json_object_get(point, "phases"), *spent;
	const char *name, *slowest = NULL;

	*milliseconds = -1;
	json_object_foreach (phases, name, spent) {
		int64_t ms = json_is_integer(spent) ? json_integer_value(spent) : -1;

		/* of two alike the first by name, whatever order they were read in */
		if (ms > *milliseconds || (slowest && ms == *milliseconds && strcmp(name, slowest) < 0)) {
			*milliseconds = ms;
			slowest = name;
		}
	}
	return slowest;
}

char *report_record_hash(const struct report *report)
{
	auto_strbuf struct strbuf bytes = STRBUF_INIT;
	char hex[HASH_HEX_SIZE];

	report_json(report, &bytes);
	hash_sha256(bytes.buf, bytes.len, hex);
	return xstrdup(hex);
}

/* ---- the objectives ---- */

static json_t *duration_text(int64_t ms)
{
	char text[CLOCK_TEXT_SIZE];

	return json_string(clock_format_duration(ms, text));
}

static json_t *margin_text(int64_t ms)
{
	char text[CLOCK_TEXT_SIZE];

	return json_sprintf("%s %s", clock_format_duration(ms < 0 ? -ms : ms, text), ms < 0 ? "over" : "left");
}

static json_t *rto_basis(const json_t *rto)
{
	static const struct part_column missing = {"", "missing", AS_TEXT};
	auto_strlist struct strlist names = STRLIST_INIT;
	auto_free char *declared = report_safe(rto, "declaredAt");
	auto_strbuf struct strbuf text = STRBUF_INIT;

	cell_lines(&missing, rto, &names);
	if (*declared)
		strbuf_addf(&text, "from the declared start, %s", declared);
	else
		strbuf_adds(&text, "no declared start: the sum of the known phases");
	for (size_t i = 0; i < names.count; i++)
		strbuf_addf(&text, "%s%s", i ? ", " : "; not known: ", names.items[i]);
	return json_string(text.buf);
}

static json_t *rto_objective(const json_t *rto)
{
	int64_t target = report_number(rto, "targetMilliseconds", -1), achieved = report_number(rto, "achievedMilliseconds", -1),
		known = report_number(rto, "knownMilliseconds", -1);
	const json_t *margin = json_object_get(rto, "marginMilliseconds");
	char text[CLOCK_TEXT_SIZE];
	auto_free char *verdict = report_safe(rto, "verdict");
	bool at_least = achieved < 0 || strcmp(verdict, "at least") == 0;

	return json_pack("{s:s, s:o*, s:o*, s:o*, s:s, s:o}", "objective", "RTO", "target", target < 0 ? NULL : duration_text(target),
		"achieved",
		at_least && known < 0 ? NULL
			: at_least    ? json_sprintf("at least %s", clock_format_duration(known, text))
				      : duration_text(achieved),
		"margin", json_is_integer(margin) ? margin_text(json_integer_value(margin)) : NULL, "verdict",
		*verdict ? verdict : "not known", "basis", rto_basis(rto));
}

static json_t *rpo_objective(const json_t *rpo)
{
	int64_t target = report_number(rpo, "targetMilliseconds", -1), achieved = report_number(rpo, "achievedMilliseconds", -1);
	auto_free char *verdict = report_safe(rpo, "verdict");
	auto_free char *captured = report_safe(rpo, "capturedAt");
	auto_free char *declared = report_safe(rpo, "declaredAt");

	return json_pack("{s:s, s:o*, s:o*, s:o*, s:s, s:o}", "objective", "RPO", "target", target < 0 ? NULL : duration_text(target),
		"achieved", achieved < 0 ? NULL : duration_text(achieved), "margin",
		target < 0 || achieved < 0 ? NULL : margin_text(target - achieved), "verdict", *verdict ? verdict : "not known", "basis",
		json_sprintf("from the capture, %s, to %s%s", *captured ? captured : "not known",
			*declared ? "the declared start, " : "the start of this run", declared));
}

json_t *report_objectives(const struct report *report)
{
	return json_pack(
		"[o, o]", rto_objective(json_object_get(report->record, "rto")), rpo_objective(json_object_get(report->record, "rpo")));
}
