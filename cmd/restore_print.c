/* SPDX-License-Identifier: Apache-2.0 */
#include "restore_print.h"

#include <string.h>

#include "command.h"
#include "output.h"
#include "tables.h"
#include "util/clock.h"
#include "util/json.h"

static void print_head(struct output *out, const json_t *document)
{
	table_origin(out, json_object_get(document, "snapshot"));
	output_field(out, "target", "%s (%s)", table_text(json_object_get(document, "target"), "url"),
		table_text(json_object_get(document, "target"), "server"));
	table_selection(out, json_object_get(document, "selection"));
	table_mapping(out, json_object_get(document, "mapping"));
}

/* A row a wave: its names, and how many of its actions have each value of key ("action" in a plan, "result" in a report). */
static json_t *wave_rows(const json_t *waves, const char *key)
{
	json_t *rows = json_array(), *wave, *action;
	size_t i, j;

	json_array_foreach (waves, i, wave) {
		json_t *row = json_copy(wave);

		json_array_foreach (json_object_get(wave, "actions"), j, action) {
			const char *word = table_text(action, key);

			json_object_set_new(row, word, json_integer(table_number(row, word) + 1));
		}
		json_array_append_new(rows, row);
	}
	return rows;
}

/* Whether there is more to say of an action than its count: what is merged, what stays as it is, what failed. */
static bool is_notable(const char *word)
{
	return strncmp(word, "merge", 5) == 0 || strncmp(word, "update", 6) == 0 || strcmp(word, "conflict") == 0 ||
		strcmp(word, "failed") == 0 || strcmp(word, "blocked") == 0;
}

static void print_field(struct output *out, const json_t *field)
{
	auto_strbuf struct strbuf more = STRBUF_INIT;
	const char *manager = table_text(field, "manager");

	if (json_is_true(json_object_get(field, "immutable")))
		strbuf_adds(&more, "; immutable");
	if (*manager)
		strbuf_addf(&more, "; set by %s, %s", manager, table_text(field, "time"));
	output_line(out, "    %s: %s on the target, %s in the snapshot%s", table_text(field, "path"), table_text(field, "live"),
		table_text(field, "snapshot"), more.buf ? more.buf : "");
}

static void print_action(struct output *out, const json_t *action, const char *word)
{
	auto_free char *object = table_object_text(action);
	const char *reason = table_text(action, *table_text(action, "error") ? "error" : "reason");
	const json_t *fields = json_object_get(action, "fields"), *field;
	size_t i;

	output_status(out, "", word, "%s%s%s", object, *reason ? ": " : "", reason);
	if (*table_text(action, "error") && strcmp(word, "conflict") == 0)
		output_line(out, "    %s", table_text(action, "reason"));
	if (*table_text(action, "copy"))
		output_line(out, "    what was there: %s", table_text(action, "copy"));
	json_array_foreach (fields, i, field)
		print_field(out, field);
}

static void print_notable(struct output *out, const json_t *waves, const char *key)
{
	const json_t *wave, *action;
	bool first = true;
	size_t i, j;

	json_array_foreach (waves, i, wave) {
		json_array_foreach (json_object_get(wave, "actions"), j, action) {
			const char *word = table_text(action, key);

			if (!is_notable(word))
				continue;
			if (first)
				output_heading(out, "Not simply created:");
			first = false;
			print_action(out, action, word);
		}
	}
}

/* Those that stop something first; then what could not be looked at. What is well is not told. */
static void print_findings_of(struct output *out, const json_t *preflight, const char *title, const char *result, bool ignored)
{
	const json_t *finding;
	bool first = true;
	size_t i;

	json_array_foreach (preflight, i, finding) {
		const char *mend = table_text(finding, "mend");

		if (strcmp(table_text(finding, "result"), result) != 0 || json_is_true(json_object_get(finding, "ignored")) != ignored)
			continue;
		if (first)
			output_heading(out, title);
		first = false;
		output_status(out, table_text(finding, "check"), result, "%s", table_text(finding, "text"));
		if (*mend && !ignored)
			output_line(out, "    %s", mend);
	}
}

static void print_blockers(struct output *out, const json_t *document)
{
	const json_t *preflight = json_object_get(document, "preflight");

	print_findings_of(out, preflight, "The target is not ready:", "failed", false);
	print_findings_of(out, preflight, "Passed over:", "failed", true);
	print_findings_of(out, preflight, "Not checked on the target:", "not checked", false);
}

static void print_stale(struct output *out, const json_t *stale)
{
	static const struct column columns[] = {
		{"OBJECT", "object", CELL_TEXT, 0}, {"ON THE TARGET", "text", CELL_TEXT, 0}, {NULL, NULL, CELL_TEXT, 0}};

	if (json_array_size(stale) == 0)
		return;
	output_heading(out, "Not what the plan rests on:");
	output_table(out, stale, columns);
}

static void print_privileged(struct output *out, const json_t *privileged)
{
	static const struct column columns[] = {
		{"OBJECT", "object", CELL_TEXT, 0}, {"LOOK AT IT", "text", CELL_TEXT, 0}, {NULL, NULL, CELL_TEXT, 0}};

	if (json_array_size(privileged) == 0)
		return;
	output_heading(out, "Privileged:");
	output_table(out, privileged, columns);
}

static void print_tried(struct output *out, const json_t *tried)
{
	const json_t *field;
	const char *text = table_text(tried, "text");
	size_t i;

	output_status(out, "", table_text(tried, "result"), "%s%s%s", table_text(tried, "object"), *text ? ": " : "", text);
	json_array_foreach (json_object_get(tried, "fields"), i, field)
		output_line(out, "    %s %s: %s sent, %s stored", table_text(field, "what"), table_text(field, "path"),
			table_text(field, "sent"), table_text(field, "stored"));
}

static void print_dry_run(struct output *out, const json_t *dry_run)
{
	const json_t *tried;
	size_t i;

	if (!json_is_object(dry_run))
		return;
	output_heading(out, "Dry run on the server:");
	output_line(out, "%lld asked, %lld not tried", table_number(dry_run, "asked"), table_number(dry_run, "notTried"));
	json_array_foreach (json_object_get(dry_run, "objects"), i, tried)
		print_tried(out, tried);
}

static void print_estimate(struct output *out, const json_t *estimate)
{
	char time[CLOCK_TEXT_SIZE];

	if (!json_is_object(estimate))
		return;
	output_heading(out, NULL);
	output_field(out, "estimate", "about %s for the apply, %s", clock_format_duration(table_number(estimate, "milliseconds"), time),
		table_text(estimate, "text"));
}

static void print_orphans(struct output *out, const json_t *orphans)
{
	static const struct column columns[] = {{"KIND", "kind", CELL_TEXT, 0}, {"NAMESPACE", "namespace", CELL_TEXT, 0},
		{"NAME", "name", CELL_TEXT, 0}, {"OWNER", "owner", CELL_TEXT, 0}, {"WHY", "why", CELL_TEXT, 0},
		{"RESULT", "result", CELL_TEXT, 0}, {"ERROR", "error", CELL_TEXT, 0}, {NULL, NULL, CELL_TEXT, 0}};

	if (json_array_size(orphans) == 0)
		return;
	output_heading(
		out, "Orphans (--adopt-orphans removes them, and what they made goes with them until their controller makes its own):");
	output_table(out, orphans, columns);
}

void print_actions(struct output *out, const json_t *plan)
{
	const json_t *wave, *action;
	size_t i, j;

	json_array_foreach (json_object_get(plan, "waves"), i, wave) {
		auto_free char *title = xasprintf("Wave %s:", table_text(wave, "name"));

		output_heading(out, title);
		json_array_foreach (json_object_get(wave, "actions"), j, action) {
			auto_free char *object = table_object_text(action);
			const char *blocked = table_text(action, "blocked"), *reason = *blocked ? blocked : table_text(action, "reason");

			output_status(out, "", *blocked ? "blocked" : table_text(action, "action"), "%s%s%s", object, *reason ? ": " : "",
				reason);
		}
	}
}

void print_plan(struct output *out, const json_t *plan)
{
	static const struct column columns[] = {{"WAVE", "name", CELL_TEXT, 0}, {"CREATE", "create", CELL_NUMBER, 0},
		{"MERGE", "merge", CELL_NUMBER, 0}, {"UPDATE", "update", CELL_NUMBER, 0}, {"SKIP", "skip", CELL_NUMBER, 0},
		{"CONFLICT", "conflict", CELL_NUMBER, 0}, {"GATE", "gate", CELL_TEXT, 0}, {NULL, NULL, CELL_TEXT, 0}};
	const json_t *waves = json_object_get(plan, "waves");
	auto_json json_t *rows = wave_rows(waves, "action");

	print_head(out, plan);
	print_stale(out, json_object_get(plan, "stale"));
	print_blockers(out, plan);
	output_heading(out, "Plan:");
	output_table(out, rows, columns);
	print_notable(out, waves, "action");
	print_orphans(out, json_object_get(plan, "orphans"));
	print_privileged(out, json_object_get(plan, "privileged"));
	print_dry_run(out, json_object_get(plan, "serverDryRun"));
	print_estimate(out, json_object_get(plan, "estimate"));
	table_maintenance(
		out, "WARNING: these were stopped when the snapshot was taken, and will not serve:", json_object_get(plan, "maintenance"));
	table_requirements(out, "The target must bring:", json_object_get(plan, "requirements"), false);
	table_nodes(out, json_object_get(plan, "nodes"));
	table_environment(out, json_object_get(plan, "environment"));
	output_heading(out, NULL);
}

static void print_waves(struct output *out, const json_t *waves)
{
	static const struct column columns[] = {{"WAVE", "name", CELL_TEXT, 0}, {"CREATED", "created", CELL_NUMBER, 0},
		{"MERGED", "merged", CELL_NUMBER, 0}, {"UPDATED", "updated", CELL_NUMBER, 0}, {"SKIPPED", "skipped", CELL_NUMBER, 0},
		{"CONFLICT", "conflict", CELL_NUMBER, 0}, {"FAILED", "failed", CELL_NUMBER, 0}, {"BLOCKED", "blocked", CELL_NUMBER, 0},
		{"NOT RUN", "not run", CELL_NUMBER, 0}, {"GATE", "gateMilliseconds", CELL_DURATION, 0},
		{"APPLY", "applyMilliseconds", CELL_DURATION, 0}, {NULL, NULL, CELL_TEXT, 0}};
	auto_json json_t *rows = wave_rows(waves, "result");

	output_heading(out, "Waves:");
	output_table(out, rows, columns);
	print_notable(out, waves, "result");
}

static void print_findings(struct output *out, const json_t *findings)
{
	static const struct column columns[] = {{"OBJECT", "object", CELL_TEXT, 0}, {"FIELD", "path", CELL_TEXT, 0},
		{"FINDING", "text", CELL_TEXT, 0}, {NULL, NULL, CELL_TEXT, 0}};

	if (json_array_size(findings) == 0)
		return;
	output_heading(out, "Findings:");
	output_table(out, findings, columns);
}

static void print_converge(struct output *out, const json_t *converge)
{
	auto_free char *copy = xstrdup(table_text(converge, "text"));
	char *rest = copy, *line;

	if (table_number(converge, "pending") == 0)
		return;
	output_heading(out, "Not ready when the waiting ended:");
	while ((line = strsep(&rest, "\n")))
		if (*line)
			output_line(out, "%s", line);
}

static void print_phases(struct output *out, const json_t *phases)
{
	static const struct column columns[] = {{"PHASE", "name", CELL_TEXT, 0}, {"TIME", "milliseconds", CELL_DURATION, 0},
		{"PEOPLE", "humanMilliseconds", CELL_DURATION, 0}, {"HOW", "how", CELL_TEXT, 0}, {"BY", "source", CELL_TEXT, 0},
		{"REASON", "reason", CELL_TEXT, 0}, {NULL, NULL, CELL_TEXT, 0}};

	output_heading(out, "Phases:");
	output_table(out, phases, columns);
}

static void print_verdict(struct output *out, const json_t *rto)
{
	char spent[CLOCK_TEXT_SIZE], target[CLOCK_TEXT_SIZE];
	const json_t *missing = json_object_get(rto, "missing"), *name;
	auto_strbuf struct strbuf names = STRBUF_INIT;
	size_t i;

	json_array_foreach (missing, i, name)
		strbuf_addf(&names, "%s%s", i ? ", " : "; not known: ", json_is_string(name) ? json_string_value(name) : "?");
	output_heading(out, NULL);
	output_status(out, "rto", table_text(rto, "verdict"), "%s of %s%s%s",
		clock_format_duration(table_number(rto, "targetMilliseconds") - table_number(rto, "marginMilliseconds"), spent),
		clock_format_duration(table_number(rto, "targetMilliseconds"), target),
		json_is_string(json_object_get(rto, "declaredAt")) ? " since the disaster" : "", names.buf);
}

void print_clock(struct output *out, const json_t *clock)
{
	const json_t *jump;
	size_t i;

	print_phases(out, json_object_get(clock, "phases"));
	print_verdict(out, json_object_get(clock, "rto"));
	json_array_foreach (json_at(clock, "rto", "wallJumps", NULL), i, jump) {
		char by[CLOCK_TEXT_SIZE];

		output_field(out, "wall clock", "moved by %s at %s without the time having passed",
			clock_format_duration(table_number(jump, "milliseconds"), by), table_text(jump, "at"));
	}
}

static void print_point(struct output *out, const json_t *rpo)
{
	char achieved[CLOCK_TEXT_SIZE], target[CLOCK_TEXT_SIZE];
	const char *verdict = table_text(rpo, "verdict");

	if (!json_is_integer(json_object_get(rpo, "achievedMilliseconds")))
		return;
	clock_format_duration(table_number(rpo, "achievedMilliseconds"), achieved);
	if (json_is_integer(json_object_get(rpo, "targetMilliseconds")))
		output_status(
			out, "rpo", verdict, "%s of %s", achieved, clock_format_duration(table_number(rpo, "targetMilliseconds"), target));
	else
		output_field(out, "rpo", "%s", achieved);
}

static void print_journal(struct output *out, const json_t *report)
{
	long long resumed = table_number(report, "resumed");

	if (*table_text(report, "journal"))
		output_field(out, "journal", "%s", table_text(report, "journal"));
	if (*table_text(report, "record"))
		output_field(out, "record", "%s", table_text(report, "record"));
	if (resumed > 0)
		output_field(out, "resumed", "%lld time%s; this is the report of the whole restore", resumed, resumed > 1 ? "s" : "");
}

static void print_succession(struct output *out, const json_t *succession)
{
	if (json_is_true(json_object_get(succession, "recorded")))
		output_line(out, "The next snapshot of this cluster continues the branch of '%s'.", table_text(succession, "cluster"));
}

void print_restore(struct output *out, const json_t *report)
{
	const json_t *probes = json_object_get(report, "probes");

	if (!json_object_get(report, "waves")) /* of a journal that has nothing left to do */
		return;
	if (!json_object_get(report, "phases")) { /* nothing was done: it is the plan, with what stands in the way */
		print_plan(out, report);
		return;
	}
	print_head(out, report);
	print_journal(out, report);
	print_waves(out, json_object_get(report, "waves"));
	print_blockers(out, report);
	print_orphans(out, json_object_get(report, "orphans"));
	print_findings(out, json_object_get(report, "findings"));
	print_converge(out, json_object_get(report, "converge"));
	if (json_is_array(probes)) {
		table_probes(out, probes, false);
	} else {
		output_heading(out, NULL);
		output_status(out, "probes", "not tested", "(stopped after the apply)");
	}
	table_requirements(out, "Not checked, the target must have them:", json_object_get(report, "requirements"), false);
	print_clock(out, report);
	print_point(out, json_object_get(report, "rpo"));
	print_succession(out, json_object_get(report, "succession"));
}
