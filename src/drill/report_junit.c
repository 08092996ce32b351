/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JUnit XML as CI systems read it: a testsuite an area, a testcase a thing that was looked at. What was not tested, or is not known, is skipped, never passed. The
 * counts of an element stand before its cases, so a suite is written when it is whole.
 */
#include <stdio.h>
#include <string.h>

#include "parts.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"

struct suite {
	const char *name; /* safe */
	struct strbuf cases;
	size_t tests, failures, skipped;
	int64_t milliseconds;
};

struct suites {
	const char *record; /* safe: name, start */
	struct strbuf body;
	size_t tests, failures, skipped;
};

static void add_attribute(struct strbuf *out, const char *name, const char *safe)
{
	strbuf_addf(out, " %s=\"", name);
	markup_add(out, safe);
	strbuf_addc(out, '"');
}

static void add_seconds(struct strbuf *out, int64_t ms)
{
	strbuf_addf(out, " time=\"%lld.%03d\"", (long long)(ms / 1000), (int)(ms % 1000));
}

/* What there is to say of a case: an element with a message, and more in it. */
static void add_element(struct strbuf *out, const char *element, const char *message, const char *body)
{
	strbuf_addf(out, "      <%s", element);
	add_attribute(out, "message", message);
	strbuf_addc(out, '>');
	markup_add(out, body);
	strbuf_addf(out, "</%s>\n", element);
}

/* tone: good passes, bad fails, the others are skipped. */
static void add_case(struct suite *suite, const char *name, enum tone tone, int64_t ms, const char *message, const char *body)
{
	strbuf_adds(&suite->cases, "    <testcase");
	add_attribute(&suite->cases, "classname", suite->name);
	add_attribute(&suite->cases, "name", name);
	add_seconds(&suite->cases, ms < 0 ? 0 : ms);
	strbuf_adds(&suite->cases, ">\n");
	if (tone != TONE_GOOD) {
		add_element(&suite->cases, tone == TONE_BAD ? "failure" : "skipped", message, body);
	} else if (*message || *body) {
		strbuf_adds(&suite->cases, "      <system-out>");
		markup_add(&suite->cases, *body ? body : message);
		strbuf_adds(&suite->cases, "</system-out>\n");
	}
	strbuf_adds(&suite->cases, "    </testcase>\n");
	suite->tests++;
	suite->failures += tone == TONE_BAD;
	suite->skipped += tone != TONE_BAD && tone != TONE_GOOD;
	suite->milliseconds += ms < 0 ? 0 : ms;
}

static void end_suite(struct suites *suites, struct suite *suite)
{
	if (suite->tests > 0) {
		strbuf_adds(&suites->body, "  <testsuite");
		add_attribute(&suites->body, "name", suite->name);
		strbuf_addf(&suites->body, " tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\"", suite->tests, suite->failures,
			suite->skipped);
		add_seconds(&suites->body, suite->milliseconds);
		strbuf_addf(&suites->body, ">\n%s  </testsuite>\n", suite->cases.buf);
	}
	suites->tests += suite->tests;
	suites->failures += suite->failures;
	suites->skipped += suite->skipped;
	strbuf_release(&suite->cases);
}

/* The lines of a cell with a newline between them. The caller frees. */
static char *lines_text(const json_t *row, const char *key)
{
	const struct part_column column = {"", key, AS_TEXT};
	auto_strlist struct strlist lines = STRLIST_INIT;
	struct strbuf text = STRBUF_INIT;

	cell_lines(&column, row, &lines);
	for (size_t i = 0; i < lines.count; i++)
		strbuf_addf(&text, "%s%s", i ? "\n" : "", lines.items[i]);
	strbuf_adds(&text, "");
	return strbuf_detach(&text, NULL);
}

/* ---- areas ---- */

static void add_verdict(struct suite *suite, const struct report *report)
{
	auto_free char *result = report_result(report);
	auto_free char *reasons = lines_text(json_object_get(report->record, "verdict"), "reasons");

	/* passed with findings is passed, as its exit code says */
	add_case(suite, "verdict", strncmp(result, "passed", 6) == 0 ? TONE_GOOD : TONE_BAD, 0, result, reasons);
}

static void add_objectives(struct suite *suite, const struct report *report)
{
	json_t *objectives = report_objectives(report), *objective;
	size_t i;

	json_array_foreach (objectives, i, objective) {
		auto_free char *name = report_safe(objective, "objective");
		auto_free char *verdict = report_safe(objective, "verdict");
		auto_free char *achieved = report_safe(objective, "achieved");
		auto_free char *target = report_safe(objective, "target");
		auto_free char *basis = report_safe(objective, "basis");
		auto_free char *message =
			xasprintf("%s: %s of %s", verdict, *achieved ? achieved : "not known", *target ? target : "no target");

		add_case(suite, name, tone_of(verdict),
			i == 0 ? report_number(json_object_get(report->record, "rto"), "achievedMilliseconds", 0) : 0, message, basis);
	}
	json_decref(objectives);
}

static void add_objective_suite(struct suite *suite, const struct report *report)
{
	add_verdict(suite, report);
	add_objectives(suite, report);
}

/* A phase fails where its command did; one that nobody timed is skipped. */
static void add_phases(struct suite *suite, const struct report *report)
{
	json_t *phase;
	size_t i;

	json_array_foreach (json_object_get(report->record, "phases"), i, phase) {
		const json_t *command = json_object_get(phase, "command");
		auto_free char *name = report_safe(phase, "name");
		auto_free char *how = report_safe(phase, "how");
		auto_free char *last = lines_text(command, "lastLines");
		auto_free char *reason = report_safe(phase, "reason");
		bool failed = report_number(command, "exitCode", 0) != 0 || json_is_true(json_object_get(command, "timedOut"));
		bool timed = strcmp(how, "measured") == 0 || strcmp(how, "declared") == 0;

		add_case(suite, name,
			failed          ? TONE_BAD
				: timed ? TONE_GOOD
					: TONE_WARN,
			report_number(phase, "milliseconds", 0), failed ? "the command of the phase failed" : how, failed ? last : reason);
	}
}

static void add_preflight(struct suite *suite, const struct report *report)
{
	json_t *finding;
	size_t i;

	json_array_foreach (json_object_get(report->record, "preflight"), i, finding) {
		auto_free char *name = report_safe(finding, "check");
		auto_free char *result = report_safe(finding, "result");
		auto_free char *text = lines_text(finding, "text");
		bool ignored = json_is_true(json_object_get(finding, "ignored"));

		add_case(suite, name,
			strcmp(result, "ok") == 0 ? TONE_GOOD
				: ignored         ? TONE_WARN
						  : tone_of(result),
			0, ignored ? "passed over" : result, text);
	}
}

static void add_rejections(struct suite *suite, const struct report *report)
{
	json_t *rejection;
	size_t i;

	json_array_foreach (json_object_get(report->record, "rejections"), i, rejection) {
		auto_free char *object = report_safe(rejection, "object");
		auto_free char *text = lines_text(rejection, "text");

		add_case(suite, object, TONE_BAD, 0, "the server refused it", text);
	}
}

static void add_apply(struct suite *suite, const struct report *report)
{
	json_t *wave;
	size_t i;

	json_array_foreach (json_object_get(report->record, "waves"), i, wave) {
		const json_t *counts = json_object_get(wave, "counts");
		auto_free char *wave_name = report_safe(wave, "name");
		auto_free char *name = xasprintf("wave %s", wave_name);
		bool bad = report_number(counts, "failed", 0) + report_number(counts, "conflict", 0) > 0;
		bool left = report_number(counts, "blocked", 0) + report_number(counts, "notRun", 0) > 0;

		add_case(suite, name,
			bad            ? TONE_BAD
				: left ? TONE_WARN
				       : TONE_GOOD,
			report_number(wave, "applyMilliseconds", 0),
			bad            ? "objects failed or are in conflict"
				: left ? "objects were not run"
				       : "",
			"");
	}
	add_rejections(suite, report);
}

static void add_not_tested(struct suite *suite, const struct report *report)
{
	json_t *row;
	size_t i;

	json_array_foreach (json_object_get(report->record, "notTested"), i, row) {
		auto_free char *what = report_safe(row, "what");
		auto_free char *reason = lines_text(row, "reason");

		add_case(suite, what, TONE_WARN, 0, "not tested", reason);
	}
}

static void add_cleanup(struct suite *suite, const struct report *report)
{
	const json_t *cleanup = json_object_get(report->record, "cleanup");
	auto_free char *result = report_safe(cleanup, "result");

	if (*result)
		add_case(suite, "cleanup", strcmp(result, "partial") == 0 ? TONE_BAD : tone_of(result),
			report_number(cleanup, "milliseconds", 0), result, "");
}

/* ---- probes: a suite each ---- */

static void add_probe(struct suite *suite, const json_t *probe)
{
	auto_free char *object = report_safe(probe, "object");
	auto_free char *result = report_safe(probe, "result");
	auto_free char *expected = report_safe(probe, "expected");
	auto_free char *observed = report_safe(probe, "observed");
	auto_free char *reason = report_safe(probe, "reason");
	auto_free char *evidence = lines_text(probe, "evidence");
	auto_free char *body = xasprintf("expected: %s\nobserved: %s\n%s%s", expected, observed, *evidence ? "evidence: " : "", evidence);
	/* changed is what a restore may do: told, not failed */
	enum tone tone = strcmp(result, "changed") == 0 ? TONE_GOOD : *result ? tone_of(result) : TONE_WARN;
	bool plain = tone == TONE_GOOD && strcmp(result, "pass") == 0;

	add_case(suite, object, tone, report_number(probe, "milliseconds", 0), plain ? "" : *reason ? reason : result, plain ? "" : body);
}

static void add_probe_suites(struct suites *suites, const struct report *report)
{
	const json_t *probes = json_object_get(report->record, "probes"), *probe;
	auto_strlist struct strlist done = STRLIST_INIT;
	size_t i, j;

	json_array_foreach (probes, i, probe) {
		auto_free char *name = report_safe(probe, "probe");
		auto_free char *title = xasprintf("probe: %s", name);
		struct suite suite = {.name = title, .cases = STRBUF_INIT};

		if (strlist_contains(&done, name))
			continue;
		strlist_add(&done, name);
		for (j = i; j < json_array_size(probes); j++) {
			auto_free char *other = report_safe(json_array_get(probes, j), "probe");

			if (strcmp(other, name) == 0)
				add_probe(&suite, json_array_get(probes, j));
		}
		end_suite(suites, &suite);
	}
}

static const struct area {
	const char *name;
	void (*add)(struct suite *suite, const struct report *report);
} areas[] = {
	{"objectives", add_objective_suite},
	{"phases", add_phases},
	{"preflight", add_preflight},
	{"apply", add_apply},
	{"cleanup", add_cleanup},
	{"not tested", add_not_tested},
};

void report_junit(const struct report *report, struct strbuf *out)
{
	auto_free char *title = report_title(report);
	auto_free char *id = report_safe(report->record, "id");
	auto_free char *name = xasprintf("%s, %s", title, id);
	struct suites suites = {.body = STRBUF_INIT};

	for (size_t i = 0; i < sizeof(areas) / sizeof(areas[0]); i++) {
		struct suite suite = {.name = areas[i].name, .cases = STRBUF_INIT};

		areas[i].add(&suite, report);
		end_suite(&suites, &suite);
	}
	add_probe_suites(&suites, report);
	strbuf_adds(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites");
	add_attribute(out, "name", name);
	strbuf_addf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\"", suites.tests, suites.failures, suites.skipped);
	strbuf_addf(out, ">\n%s</testsuites>\n", suites.body.buf);
	strbuf_release(&suites.body);
}
