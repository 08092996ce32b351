/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of a report, in the order in which an auditor reads it: what came out, how long it took, what it rests on, what was not looked at, who answers for it. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "parts.h"
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

static json_t *phase_rows(const struct report *report)
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

static json_t *wave_rows(const struct report *report)
{
	json_t *rows = at_key(report, "waves"), *wave;
	size_t i;

	json_array_foreach (rows, i, wave)
		json_object_set_new(wave, "objects", counts_text(json_object_get(wave, "counts")));
	return rows;
}

static json_t *service_rows(const struct report *report)
{
	return at_key(report, "services");
}

static json_t *trend_rows(const struct report *report)
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
static json_t *area_rows(const struct report *report)
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

static json_t *bad_probe_rows(const struct report *report)
{
	return probes_where(report, is_bad);
}

static json_t *passed_probe_rows(const struct report *report)
{
	return probes_where(report, is_pass);
}

/* ---- what there is to say ---- */

static json_t *not_tested_rows(const struct report *report)
{
	return at_key(report, "notTested");
}

static json_t *preflight_rows(const struct report *report)
{
	json_t *rows = json_array(), *finding;
	size_t i;

	json_array_foreach (json_object_get(report->record, "preflight"), i, finding)
		if (!result_is(finding, "ok"))
			json_array_append(rows, finding);
	return rows;
}

static json_t *difference_rows(const struct report *report)
{
	return at_key(report, "differences");
}

static json_t *rejection_rows(const struct report *report)
{
	return at_key(report, "rejections");
}

static json_t *finding_rows(const struct report *report)
{
	return at_key(report, "findings");
}

static json_t *converge_rows(const struct report *report)
{
	const json_t *converge = json_object_get(report->record, "converge");
	json_t *rows = json_array();

	if (report_number(converge, "pending", 0) > 0)
		json_array_append_new(rows,
			json_pack(
				"{s:O, s:O*}", "pending", json_object_get(converge, "pending"), "text", json_object_get(converge, "text")));
	return rows;
}

static json_t *changed_rows(const struct report *report)
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

static json_t *injected_rows(const struct report *report)
{
	json_t *rows = json_array(), *what;
	size_t i;

	json_array_foreach (json_object_get(report->record, "injected"), i, what)
		json_array_append_new(rows, json_pack("{s:O}", "what", what));
	return rows;
}

static json_t *cleanup_rows(const struct report *report)
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

static json_t *effort_rows(const struct report *report)
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
static json_t *action_rows(const struct report *report)
{
	auto_strlist struct strlist reasons = STRLIST_INIT;
	json_t *rows = json_array();

	report_reasons(report, &reasons);
	for (size_t i = 0; i < reasons.count + BLANK_ACTIONS; i++)
		json_array_append_new(
			rows, json_pack("{s:i, s:s}", "number", (int)i + 1, "action", i < reasons.count ? reasons.items[i] : ""));
	return rows;
}

static json_t *sign_off_rows(const struct report *report)
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

static json_t *identity_rows(const struct report *report)
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

/* ---- the table ---- */

#define COLUMNS(...) ((const struct part_column[]){__VA_ARGS__, {NULL, NULL, AS_TEXT}})
#define FACTS(kind) COLUMNS({"Fact", "label", AS_TEXT}, {"Value", "value", kind})
#define FOUND COLUMNS({"Object", "object", AS_NAME}, {"Field", "path", AS_NAME}, {"What", "text", AS_TEXT})

const struct part report_parts[] = {
	{"objectives", "Objectives", "What was promised, and what was achieved.", NULL, EVERYWHERE, false, false,
		COLUMNS({"Objective", "objective", AS_TEXT}, {"Target", "target", AS_DURATION}, {"Achieved", "achieved", AS_DURATION},
			{"Margin", "margin", AS_DURATION}, {"Verdict", "verdict", AS_STATUS}, {"Measured", "basis", AS_TEXT}),
		report_objectives},
	{"timeline", "Timeline", "The phases of the recovery; offsets count from the declared start, without one from the first that is known.", "No phase is in the record.",
		EVERYWHERE, false, false,
		COLUMNS({"Phase", "name", AS_TEXT}, {"Starts after", "offsetMilliseconds", AS_DURATION},
			{"Took", "milliseconds", AS_DURATION}, {"Of it, people", "humanMilliseconds", AS_DURATION},
			{"Known as", "how", AS_STATUS}, {"Notes", "note", AS_TEXT}),
		phase_rows},
	{"waves", "Waves", "The steps of the apply, each behind its gate.", NULL, EVERYWHERE, false, false,
		COLUMNS({"Wave", "name", AS_TEXT}, {"Starts after", "offsetMilliseconds", AS_DURATION}, {"Gate", "gate", AS_TEXT},
			{"Gate took", "gateMilliseconds", AS_DURATION}, {"Apply took", "applyMilliseconds", AS_DURATION},
			{"Objects", "objects", AS_TEXT}),
		wave_rows},
	{"services", "Services back", "When each object that has a Ready condition was seen ready.", NULL, EVERYWHERE, false, false,
		COLUMNS({"Object", "object", AS_NAME}, {"Ready after", "backMilliseconds", AS_DURATION}), service_rows},
	{"effort", "Effort", "What it took.", NULL, EVERYWHERE, true, false, FACTS(AS_TEXT), effort_rows},
	{"trend", "Trend", "This record and the ones before it, oldest first.", "There is no earlier record.", EVERYWHERE, false, false,
		COLUMNS({"Record", "id", AS_NAME}, {"Started", "startedAt", AS_TEXT}, {"Kind", "kind", AS_TEXT},
			{"Result", "result", AS_STATUS}, {"RTO achieved", "rtoMilliseconds", AS_DURATION},
			{"Slowest phase", "slowest", AS_TEXT}),
		trend_rows},
	{"probes", "Probes", "What was looked at after the restore, and how it came out.", "No probe ran: nothing was verified.",
		EVERYWHERE, false, false,
		COLUMNS({"Probe", "probe", AS_TEXT}, {"Passed", "pass", AS_NUMBER}, {"Changed", "changed", AS_NUMBER},
			{"Failed", "fail", AS_NUMBER}, {"Not tested", "not tested", AS_NUMBER}, {"Slowest", "slowest", AS_DURATION},
			{"Last after", "last", AS_DURATION}),
		area_rows},
	{"bad-probes", "Probes that did not pass", "Failed or changed, with what was seen.", NULL, EVERYWHERE, false, false,
		COLUMNS({"Result", "result", AS_STATUS}, {"Probe", "probe", AS_TEXT}, {"Object", "object", AS_NAME},
			{"Expected", "expected", AS_TEXT}, {"Observed", "observed", AS_TEXT}, {"Why", "reason", AS_TEXT},
			{"Took", "milliseconds", AS_DURATION}, {"Evidence", "evidence", AS_NAME}),
		bad_probe_rows},
	{"not-tested", "Not tested", "What this report says nothing about, and why.", "Nothing was left out.", EVERYWHERE, false, false,
		COLUMNS({"What", "what", AS_TEXT}, {"Why", "reason", AS_TEXT}), not_tested_rows},
	{"preflight", "Preflight", "What the target was not ready for, or could not be asked.", NULL, EVERYWHERE, false, false,
		COLUMNS({"Result", "result", AS_STATUS}, {"Check", "check", AS_TEXT}, {"What", "text", AS_TEXT},
			{"Objects", "objects", AS_NAME}, {"Way out", "mend", AS_TEXT}),
		preflight_rows},
	{"converge", "Not ready in the end", "What was still pending when the waiting ended.", NULL, EVERYWHERE, false, false,
		COLUMNS({"Pending", "pending", AS_NUMBER}, {"What", "text", AS_NAME}), converge_rows},
	{"differences", "Differences", "Where the target is not what the snapshot says.", "None was found.", EVERYWHERE, false, false,
		FOUND, difference_rows},
	{"rejections", "Rejections", "In the server's own words.", "The server took every object.", EVERYWHERE, false, false,
		COLUMNS({"Object", "object", AS_NAME}, {"The server said", "text", AS_NAME}), rejection_rows},
	{"findings", "Findings", "What somebody should look at.", NULL, EVERYWHERE, false, false, FOUND, finding_rows},
	{"changed", "Changed since the snapshot", "What people did between the capture and the disaster, and what is therefore not there.",
		NULL, EVERYWHERE, true, false, FACTS(AS_TEXT), changed_rows},
	{"injected", "Broken on purpose", "What this drill broke, to see whether it is found.", NULL, EVERYWHERE, false, false,
		COLUMNS({"What", "what", AS_TEXT}), injected_rows},
	{"cleanup", "Cleanup", "What the drill created and took away again; outside the RTO.", NULL, EVERYWHERE, true, false,
		FACTS(AS_TEXT), cleanup_rows},
	{"actions", "Actions", "What is to be done about it, by whom and until when.", NULL, IN_DOCUMENT, false, false,
		COLUMNS({"No.", "number", AS_NUMBER}, {"Action", "action", AS_FILL}, {"Owner", "owner", AS_FILL}, {"Due", "due", AS_FILL},
			{"Done", "done", AS_FILL}),
		action_rows},
	{"sign-off", "Sign-off", "Who ran it, who looked at it, who accepts it.", NULL, IN_DOCUMENT, false, false,
		COLUMNS({"Role", "role", AS_TEXT}, {"Name", "name", AS_FILL}, {"Date", "date", AS_FILL},
			{"Signature", "signature", AS_FILL}),
		sign_off_rows},
	{"identity", "Identity", "Exactly what was tested with what, so that it can be done again.", NULL, EVERYWHERE, true, false,
		FACTS(AS_NAME), identity_rows},
	{"passed-probes", "Annex: probes that passed", "Each with what was expected and seen.", NULL, IN_DOCUMENT, false, true,
		COLUMNS({"Probe", "probe", AS_TEXT}, {"Object", "object", AS_NAME}, {"Expected", "expected", AS_TEXT},
			{"Observed", "observed", AS_TEXT}, {"Took", "milliseconds", AS_DURATION}, {"Evidence", "evidence", AS_NAME}),
		passed_probe_rows},
	{.id = NULL},
};
