/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics of one record, for a text file collector. What the record does not know has no sample: a gap in a graph, not a nought. */
#include <string.h>

#include "parts.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/openmetrics.h"
#include "util/strbuf.h"
#include "util/text.h"

struct metrics {
	const struct report *report;
	struct strbuf *out;
	char *cluster, *kind, *mode; /* on every sample */
};

/* label may be NULL; thousandths: the value is in milliseconds. */
static void add_sample(
	const struct metrics *metrics, const char *name, const char *label, const char *text, int64_t value, bool thousandths)
{
	struct strbuf *out = metrics->out;

	strbuf_addf(out, "%s{", name);
	openmetrics_label(out, "cluster", metrics->cluster);
	strbuf_addc(out, ',');
	openmetrics_label(out, "kind", metrics->kind);
	strbuf_addc(out, ',');
	openmetrics_label(out, "mode", metrics->mode);
	if (label) {
		strbuf_addc(out, ',');
		openmetrics_label(out, label, text);
	}
	if (thousandths)
		strbuf_addf(out, "} %s%lld.%03d\n", value < 0 ? "-" : "", (long long)((value < 0 ? -value : value) / 1000),
			(int)((value < 0 ? -value : value) % 1000));
	else
		strbuf_addf(out, "} %lld\n", (long long)value);
}

/* ---- one value each ---- */

static const struct metric {
	const char *name, *help;
	const char *path[3];
	bool thousandths;
} plain_metrics[] = {
	{"rhaii_dr_drill_exit_code", "Exit code of the run; 0: passed.", {"verdict", "exitCode"}, false},
	{"rhaii_dr_drill_rto_target_seconds", "Recovery time objective.", {"rto", "targetMilliseconds"}, true},
	{"rhaii_dr_drill_rto_achieved_seconds", "Recovery time achieved; only when all phases are known.", {"rto", "achievedMilliseconds"},
		true},
	{"rhaii_dr_drill_rto_known_seconds", "Time of the phases that are known.", {"rto", "knownMilliseconds"}, true},
	{"rhaii_dr_drill_rto_margin_seconds", "What was left of the RTO; below zero: what was over.", {"rto", "marginMilliseconds"}, true},
	{"rhaii_dr_drill_rpo_target_seconds", "Recovery point objective.", {"rpo", "targetMilliseconds"}, true},
	{"rhaii_dr_drill_rpo_achieved_seconds", "Age of the snapshot at the declared start.", {"rpo", "achievedMilliseconds"}, true},
	{"rhaii_dr_drill_objects_in_snapshot", "Objects in the snapshot.", {"input", "objects"}, false},
	{"rhaii_dr_drill_requests", "Requests to the API server.", {"requests"}, false},
	{"rhaii_dr_drill_retries", "Requests that were sent again.", {"retries"}, false},
	{"rhaii_dr_drill_throttled_seconds", "Time that the API server held requests back.", {"throttledMilliseconds"}, true},
};

static void add_plain(const struct metrics *metrics)
{
	for (size_t i = 0; i < sizeof(plain_metrics) / sizeof(plain_metrics[0]); i++) {
		const struct metric *metric = &plain_metrics[i];
		const json_t *parent =
			metric->path[1] ? json_object_get(metrics->report->record, metric->path[0]) : metrics->report->record;
		const char *key = metric->path[metric->path[1] ? 1 : 0];

		openmetrics_family(metrics->out, metric->name, metric->help);
		if (json_is_integer(json_object_get(parent, key)))
			add_sample(metrics, metric->name, NULL, NULL, report_number(parent, key, 0), metric->thousandths);
	}
}

static void add_times(const struct metrics *metrics)
{
	static const struct {
		const char *name, *help, *key;
	} times[] = {{"rhaii_dr_drill_started_timestamp_seconds", "When the run began.", "startedAt"},
		{"rhaii_dr_drill_ended_timestamp_seconds", "When the run ended.", "endedAt"}};

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		const char *text = json_text_at(metrics->report->record, times[i].key, NULL);
		struct error ignored = ERROR_INIT;
		time_t when;

		openmetrics_family(metrics->out, times[i].name, times[i].help);
		if (text && clock_parse(text, &when, &ignored) == 0)
			add_sample(metrics, times[i].name, NULL, NULL, when, false);
	}
}

/* ---- words: a sample each, 1 for the one that holds ---- */

static void add_words(const struct metrics *metrics, const char *name, const char *help, const char *const *words, const char *holds)
{
	openmetrics_family(metrics->out, name, help);
	for (; *words; words++)
		add_sample(metrics, name, "verdict", *words, strcmp(*words, holds) == 0, false);
}

static void add_verdicts(const struct metrics *metrics)
{
	static const char *const results[] = {"passed", "passed with findings", "failed", NULL},
				 *const rto[] = {"met", "missed", "at least", NULL}, *const rpo[] = {"met", "missed", "not set", NULL};
	auto_free char *result = report_safe(json_object_get(metrics->report->record, "verdict"), "result");
	auto_free char *rto_verdict = report_safe(json_object_get(metrics->report->record, "rto"), "verdict");
	auto_free char *rpo_verdict = report_safe(json_object_get(metrics->report->record, "rpo"), "verdict");

	add_words(metrics, "rhaii_dr_drill_result", "1 for the verdict of the run.", results, result);
	add_words(metrics, "rhaii_dr_drill_rto", "1 for the verdict on the RTO.", rto, rto_verdict);
	add_words(metrics, "rhaii_dr_drill_rpo", "1 for the verdict on the RPO.", rpo, rpo_verdict);
}

/* ---- lists and counts ---- */

/* A phase has one sample, however often its name stands there. */
static void add_phases(const struct metrics *metrics)
{
	static const char name[] = "rhaii_dr_drill_phase_seconds";
	auto_strlist struct strlist done = STRLIST_INIT;
	json_t *phase;
	size_t i;

	openmetrics_family(metrics->out, name, "Time of a phase, as far as it is known.");
	json_array_foreach (json_object_get(metrics->report->record, "phases"), i, phase) {
		auto_free char *phase_name = report_safe(phase, "name");

		if (!json_is_integer(json_object_get(phase, "milliseconds")) || strlist_contains(&done, phase_name))
			continue;
		strlist_add(&done, phase_name);
		add_sample(metrics, name, "phase", phase_name, report_number(phase, "milliseconds", 0), true);
	}
}

static void add_counts(const struct metrics *metrics, const char *name, const char *help, const char *key)
{
	const json_t *counts = json_object_get(metrics->report->record, key);
	size_t count;
	auto_free const char **keys = json_sorted_keys(counts, &count);
	auto_strlist struct strlist done = STRLIST_INIT;

	openmetrics_family(metrics->out, name, help);
	for (size_t i = 0; i < count; i++) {
		auto_strbuf struct strbuf safe = STRBUF_INIT;

		text_escape(&safe, keys[i], strlen(keys[i]), 0);
		if (!json_is_integer(json_object_get(counts, keys[i])) || strlist_contains(&done, safe.buf))
			continue;
		strlist_add(&done, safe.buf);
		add_sample(metrics, name, "result", safe.buf, report_number(counts, keys[i], 0), false);
	}
}

static void add_info(const struct metrics *metrics)
{
	auto_free char *id = report_safe(metrics->report->record, "id");

	openmetrics_family(metrics->out, "rhaii_dr_drill_info", "The record that this is of.");
	add_sample(metrics, "rhaii_dr_drill_info", "record", id, 1, false);
}

void report_openmetrics(const struct report *report, struct strbuf *out)
{
	struct metrics metrics = {.report = report, .out = out};

	metrics.cluster = report_safe(report->record, "name");
	metrics.kind = report_safe(report->record, "kind");
	metrics.mode = report_safe(report->record, "mode");
	add_info(&metrics);
	add_times(&metrics);
	add_verdicts(&metrics);
	add_plain(&metrics);
	add_phases(&metrics);
	add_counts(&metrics, "rhaii_dr_drill_probes", "Probes by result.", "probeCounts");
	add_counts(&metrics, "rhaii_dr_drill_objects", "Objects by what became of them.", "counts");
	strbuf_adds(out, "# EOF\n");
	mem_free_pointer(&metrics.cluster);
	mem_free_pointer(&metrics.kind);
	mem_free_pointer(&metrics.mode);
}
