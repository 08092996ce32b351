/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in the parts of a report: from the record to rows. Which columns they have is in parts_table.c. */
#include <string.h>

#include "parts.h"
#include "parts_rows.h"
#include "util/clock.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"

#define BLANK_ACTIONS 3 /* rows to be filled in by hand */

/* ---- rows ---- */

static json_t *list_of(const json_t *list)
{
	return json_is_array(list) ? json_deep_copy(list) : json_array();
}

static json_t *at_key(const struct report *report, const char *key)
{
	return list_of(json_object_get(report->record, key));
}

/* A fact; one without a value is left out. */
static void add_fact(json_t *rows, const char *label, const json_t *value)
{
	bool empty = !value || json_is_null(value) || (json_is_string(value) && json_string_length(value) == 0) ||
		(json_is_array(value) && json_array_size(value) == 0);

	if (!empty)
		json_array_append_new(rows, json_pack("{s:s, s:o}", "label", label, "value", json_deep_copy(value)));
}

static void add_time(json_t *rows, const char *label, const json_t *milliseconds)
{
	char text[CLOCK_TEXT_SIZE];
	auto_json json_t *value = NULL;

	if (!json_is_integer(milliseconds) || json_integer_value(milliseconds) == 0)
		return;
	value = json_string(clock_format_duration(json_integer_value(milliseconds), text));
	add_fact(rows, label, value);
}

/* What a command of a phase left: its lines only where it failed. */
static void add_command(json_t *note, const json_t *command)
{
	auto_free char *program = report_safe(command, "program");
	auto_free char *hash = report_safe(command, "outputSha256");
	bool timed_out = json_is_true(json_object_get(command, "timedOut"));

	if (!json_is_object(command))
		return;
	json_array_append_new(note,
		json_sprintf("%s: exit %lld%s, output SHA-256 %.12s", program, (long long)report_number(command, "exitCode", 0),
			timed_out ? " (timed out)" : "", *hash ? hash : "not known"));
	json_array_extend(note, json_object_get(command, "lastLines"));
}

static json_t *phase_note(const json_t *phase)
{
	static const struct {
		const char *source, *words;
	} sources[] = {{"clock", "from clock marks"}, {"option", "from --phase"}, {"configuration", "from the configuration"}};
	const char *source = json_text_at(phase, "source", NULL);
	json_t *note = json_array(), *reason = json_object_get(phase, "reason");

	for (size_t i = 0; source && i < sizeof(sources) / sizeof(sources[0]); i++)
		if (strcmp(sources[i].source, source) == 0)
			json_array_append_new(note, json_string(sources[i].words));
	if (json_is_false(json_object_get(phase, "inRto")))
		json_array_append_new(note, json_string("outside the RTO"));
	if (json_is_string(reason))
		json_array_append(note, reason);
	add_command(note, json_object_get(phase, "command"));
	return note;
}

json_t *phase_rows(const struct report *report)
{
	json_t *rows = at_key(report, "phases"), *phase;
	size_t i;

	json_array_foreach (rows, i, phase) {
		json_object_set_new(phase, "note", phase_note(phase));
		if (report_number(phase, "humanMilliseconds", 0) == 0)
			json_object_del(phase, "humanMilliseconds");
	}
	return rows;
}

static json_t *counts_text(const json_t *counts)
{
	static const struct {
		const char *key, *words;
	} told[] = {{"created", "created"}, {"merged", "merged"}, {"updated", "updated"}, {"skipped", "as it was"},
		{"conflict", "in conflict"}, {"failed", "failed"}, {"blocked", "blocked"}, {"notRun", "not run"}};
	auto_strbuf struct strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
		long long count = (long long)report_number(counts, told[i].key, 0);

		if (count)
			strbuf_addf(&text, "%s%lld %s", text.len ? ", " : "", count, told[i].words);
	}
	return json_string(text.len ? text.buf : "");
}

json_t *wave_rows(const struct report *report)
{
	json_t *rows = at_key(report, "waves"), *wave;
	size_t i;

	json_array_foreach (rows, i, wave)
		json_object_set_new(wave, "objects", counts_text(json_object_get(wave, "counts")));
	return rows;
}

json_t *service_rows(const struct report *report)
{
	return at_key(report, "services");
}

json_t *trend_rows(const struct report *report)
{
	json_t *rows = list_of(report->trend), *point;
	size_t i;

	json_array_foreach (rows, i, point) {
		char text[CLOCK_TEXT_SIZE];
		int64_t ms;
		const char *name = report_slowest(point, &ms);

		if (name)
			json_object_set_new(point, "slowest", json_sprintf("%s, %s", name, clock_format_duration(ms, text)));
	}
	return rows;
}

/* ---- probes ---- */

static bool result_is(const json_t *probe, const char *word)
{
	const char *result = json_text_at(probe, "result", NULL);

	return result && strcmp(result, word) == 0;
}

static json_t *area_of(json_t *rows, const json_t *probe)
{
	auto_free char *name = report_safe(probe, "probe");
	json_t *row;
	size_t i;

	json_array_foreach (rows, i, row)
		if (strcmp(json_string_value(json_object_get(row, "probe")), name) == 0)
			return row;
	row = json_pack("{s:s, s:i, s:i, s:i, s:i}", "probe", name, "pass", 0, "changed", 0, "fail", 0, "not tested", 0);
	json_array_append_new(rows, row);
	return row;
}

static void keep_largest(json_t *row, const char *key, const json_t *from, const char *from_key)
{
	int64_t value = report_number(from, from_key, -1);

	if (value > report_number(row, key, -1))
		json_object_set_new(row, key, json_integer(value));
}

/* A row a probe: how many came out how, the slowest, and when the last one did. */
json_t *area_rows(const struct report *report)
{
	json_t *rows = json_array(), *probe;
	size_t i;

	json_array_foreach (json_object_get(report->record, "probes"), i, probe) {
		json_t *row = area_of(rows, probe);
		auto_free char *result = report_safe(probe, "result");

		if (json_is_integer(json_object_get(row, result)) && tone_of(result) != TONE_PLAIN)
			json_object_set_new(row, result, json_integer(report_number(row, result, 0) + 1));
		keep_largest(row, "slowest", probe, "milliseconds");
		keep_largest(row, "last", probe, "offsetMilliseconds");
	}
	return rows;
}

static json_t *probes_where(const struct report *report, bool (*wanted)(const json_t *probe))
{
	json_t *rows = json_array(), *probe;
	size_t i;

	json_array_foreach (json_object_get(report->record, "probes"), i, probe)
		if (wanted(probe))
			json_array_append(rows, probe);
	return rows;
}

/* What was not tested stands in a part of its own. */
static bool is_bad(const json_t *probe)
{
	return !result_is(probe, "pass") && !result_is(probe, "not tested");
}

static bool is_pass(const json_t *probe)
{
	return result_is(probe, "pass");
}

json_t *bad_probe_rows(const struct report *report)
{
	return probes_where(report, is_bad);
}

json_t *passed_probe_rows(const struct report *report)
{
	return probes_where(report, is_pass);
}

/* ---- what there is to say ---- */

json_t *not_tested_rows(const struct report *report)
{
	return at_key(report, "notTested");
}

json_t *preflight_rows(const struct report *report)
{
	json_t *rows = json_array(), *finding;
	size_t i;

	json_array_foreach (json_object_get(report->record, "preflight"), i, finding)
		if (!result_is(finding, "ok"))
			json_array_append(rows, finding);
	return rows;
}

json_t *difference_rows(const struct report *report)
{
	return at_key(report, "differences");
}

json_t *rejection_rows(const struct report *report)
{
	return at_key(report, "rejections");
}

json_t *finding_rows(const struct report *report)
{
	return at_key(report, "findings");
}

json_t *converge_rows(const struct report *report)
{
	const json_t *converge = json_object_get(report->record, "converge");
	json_t *rows = json_array();

	if (report_number(converge, "pending", 0) > 0)
		json_array_append_new(rows,
			json_pack(
				"{s:O, s:O*}", "pending", json_object_get(converge, "pending"), "text", json_object_get(converge, "text")));
	return rows;
}

json_t *changed_rows(const struct report *report)
{
	const json_t *since = json_at(report->record, "rpo", "changedSince", NULL);
	json_t *rows = json_array();

	if (!json_is_object(since))
		return rows;
	if (!json_is_true(json_object_get(since, "checked"))) {
		json_array_append_new(rows, json_pack("{s:s, s:O*}", "label", "not checked", "value", json_object_get(since, "reason")));
		return rows;
	}
	json_array_append_new(rows, json_pack("{s:s, s:o}", "label", "objects", "value", json_integer(report_number(since, "objects", 0))));
	add_fact(rows, "changes", json_object_get(since, "changes"));
	return rows;
}

json_t *injected_rows(const struct report *report)
{
	json_t *rows = json_array(), *what;
	size_t i;

	json_array_foreach (json_object_get(report->record, "injected"), i, what)
		json_array_append_new(rows, json_pack("{s:O}", "what", what));
	return rows;
}

json_t *cleanup_rows(const struct report *report)
{
	const json_t *cleanup = json_object_get(report->record, "cleanup"), *left;
	json_t *rows = json_array();
	size_t i;

	if (!json_is_object(cleanup))
		return rows;
	add_fact(rows, "result", json_object_get(cleanup, "result"));
	add_fact(rows, "deleted", json_object_get(cleanup, "deleted"));
	add_fact(rows, "gone before", json_object_get(cleanup, "gone"));
	add_time(rows, "took", json_object_get(cleanup, "milliseconds"));
	json_array_foreach (json_object_get(cleanup, "left"), i, left) {
		auto_json json_t *words = json_pack("[O*, O*]", json_object_get(left, "object"), json_object_get(left, "text"));

		add_fact(rows, "left behind", words);
	}
	return rows;
}

json_t *effort_rows(const struct report *report)
{
	const json_t *record = report->record, *rto = json_object_get(record, "rto"), *jump;
	auto_json json_t *counts = counts_text(json_object_get(record, "counts"));
	json_t *rows = json_array();
	size_t i;

	add_fact(rows, "objects", counts);
	add_fact(rows, "requests", json_object_get(record, "requests"));
	if (report_number(record, "retries", 0) > 0)
		add_fact(rows, "tried again", json_object_get(record, "retries"));
	add_time(rows, "held back by the server", json_object_get(record, "throttledMilliseconds"));
	add_time(rows, "waited for people", json_object_get(rto, "humanMilliseconds"));
	add_time(rows, "interrupted for", json_object_get(rto, "interruptedMilliseconds"));
	if (report_number(record, "resumed", 0) > 0)
		add_fact(rows, "resumed, times", json_object_get(record, "resumed"));
	json_array_foreach (json_object_get(rto, "wallJumps"), i, jump) {
		auto_free char *at = report_safe(jump, "at");
		char text[CLOCK_TEXT_SIZE];
		auto_json json_t *words =
			json_sprintf("by %s at %s", clock_format_duration(report_number(jump, "milliseconds", 0), text), at);

		add_fact(rows, "wall clock jumped", words);
	}
	return rows;
}

/* ---- to be filled in ---- */

/* What went wrong stands there already, and a few rows are empty. */
json_t *action_rows(const struct report *report)
{
	auto_strlist struct strlist reasons = STRLIST_INIT;
	json_t *rows = json_array();

	report_reasons(report, &reasons);
	for (size_t i = 0; i < reasons.count + BLANK_ACTIONS; i++)
		json_array_append_new(
			rows, json_pack("{s:i, s:s}", "number", (int)i + 1, "action", i < reasons.count ? reasons.items[i] : ""));
	return rows;
}

json_t *sign_off_rows(const struct report *report)
{
	auto_free char *operator= report_safe(json_object_get(report->record, "identity"), "operator");

	return json_pack("[{s:s, s:s}, {s:s}, {s:s}]", "role", "Operator", "name", operator, "role", "Reviewer", "role", "Approver");
}

/* ---- identity ---- */

static const struct identity_row {
	const char *label, *path[4];
} identity_table[] = {
	{"record", {"id"}},
	{"record before it, SHA-256", {"previous"}},
	{"tool", {"identity", "tool", "version"}},
	{"binary SHA-256", {"identity", "tool", "binarySha256"}},
	{"configuration SHA-256", {"identity", "configurationSha256"}},
	{"policy SHA-256", {"identity", "policySha256"}},
	{"operator", {"identity", "operator"}},
	{"host", {"identity", "host"}},
	{"source cluster", {"identity", "source", "cluster"}},
	{"source id", {"identity", "source", "id"}},
	{"source server", {"identity", "source", "server"}},
	{"target id", {"identity", "target", "id"}},
	{"target server", {"identity", "target", "server"}},
	{"target address", {"identity", "target", "url"}},
	{"snapshot", {"input", "snapshot", "name"}},
	{"snapshot commit", {"input", "snapshot", "commit"}},
	{"captured at", {"input", "snapshot", "capturedAt"}},
	{"integrity verified", {"input", "snapshot", "verified"}},
	{"edited files", {"input", "snapshot", "edits"}},
	{"manifest SHA-256", {"input", "manifestSha256"}},
	{"objects", {"input", "objects"}},
};

json_t *identity_rows(const struct report *report)
{
	auto_free char *hash = report_record_hash(report);
	auto_json json_t *hash_json = json_string(hash);
	json_t *rows = json_array();

	for (size_t i = 0; i < sizeof(identity_table) / sizeof(identity_table[0]); i++) {
		const char *const *path = identity_table[i].path;
		json_t *value = json_at(report->record, path[0], path[1], path[1] ? path[2] : NULL, NULL);

		if (json_is_boolean(value)) {
			auto_json json_t *word = json_string(json_is_true(value) ? "yes" : "no");

			add_fact(rows, identity_table[i].label, word);
		} else {
			add_fact(rows, identity_table[i].label, value);
		}
	}
	add_fact(rows, "this record, SHA-256", hash_json);
	return rows;
}
