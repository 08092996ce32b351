/* SPDX-License-Identifier: Apache-2.0 */
/* The verdict of a record: one word, the exit code, and the reasons for people. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "drill/record.h"
#include "internal.h"
#include "restore/phases.h"
#include "util/clock.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/outcome.h"
#include "util/strbuf.h"

static __attribute__((format(printf, 2, 3))) void say(json_t *reasons, const char *fmt, ...)
{
	char text[4096];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	json_array_append_new(reasons, json_string(text));
}

static json_int_t number_at(const json_t *json, const char *key)
{
	return json_integer_value(json_object_get(json, key));
}

static json_int_t phase_ms(const json_t *record, const char *name)
{
	const json_t *phase;
	size_t i;

	json_array_foreach (json_object_get(record, "phases"), i, phase)
		if (strcmp(json_text_at(phase, "name", NULL), name) == 0)
			return number_at(phase, "milliseconds") + number_at(phase, "humanMilliseconds");
	return 0;
}

/* "declare, secrets". The caller frees. */
static char *names_of(const json_t *list)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	const json_t *name;
	size_t i;

	json_array_foreach (list, i, name)
		strbuf_addf(&text, "%s%s", i ? ", " : "", json_string_value(name));
	return xstrdup(text.buf);
}

static void say_missed(json_t *reasons, const json_t *record, const json_t *rto)
{
	const char *worst = json_text_at(rto, "worst", NULL);
	char by[CLOCK_TEXT_SIZE], took[CLOCK_TEXT_SIZE];

	clock_format_duration(-number_at(rto, "marginMilliseconds"), by);
	if (worst)
		say(reasons, "RTO missed by %s: %s took %s", by, worst, clock_format_duration(phase_ms(record, worst), took));
	else
		say(reasons, "RTO missed by %s", by);
}

static void say_rto(json_t *reasons, const json_t *record, const struct phases *clock)
{
	const json_t *rto = json_object_get(record, "rto"), *missing = json_object_get(rto, "missing");
	const char *verdict = json_text_at(rto, "verdict", NULL);
	auto_free char *names = names_of(missing);

	if (verdict && strcmp(verdict, "missed") == 0)
		say_missed(reasons, record, rto);
	else if (json_array_size(missing))
		say(reasons, "the RTO is not known to be met: nothing is known of %s", names);
	if (clock && clock->unproven)
		say(reasons, "the RTO is not met: %s", clock->unproven);
}

static void say_rpo(json_t *reasons, const json_t *rpo)
{
	const char *verdict = json_text_at(rpo, "verdict", NULL);
	char by[CLOCK_TEXT_SIZE];

	if (!verdict || strcmp(verdict, "missed") != 0)
		return;
	if (json_is_integer(json_object_get(rpo, "achievedMilliseconds")))
		say(reasons, "RPO missed by %s",
			clock_format_duration(number_at(rpo, "achievedMilliseconds") - number_at(rpo, "targetMilliseconds"), by));
	else
		say(reasons, "RPO missed: nobody knows when the snapshot was taken");
}

/* What is worth a word when its count is not 0. */
static void say_counts(json_t *reasons, const json_t *record)
{
	static const struct {
		const char *of, *key, *one, *many;
	} rows[] = {
		{"counts", "failed", "object failed", "objects failed"},
		{"counts", "conflict", "object differs on the target and was left alone",
			"objects differ on the target and were left alone"},
		{"counts", "blocked", "object was blocked", "objects were blocked"},
		{"counts", "notRun", "object was not restored", "objects were not restored"},
		{"probeCounts", "fail", "probe failed", "probes failed"},
		{"probeCounts", "changed", "probe found something changed", "probes found something changed"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		json_int_t count = number_at(json_object_get(record, rows[i].of), rows[i].key);

		if (count)
			say(reasons, "%lld %s", (long long)count, count == 1 ? rows[i].one : rows[i].many);
	}
}

static void say_lists(json_t *reasons, const json_t *record)
{
	static const struct {
		const char *key, *one, *many;
	} rows[] = {
		{"findings", "field was not kept as it was sent", "fields were not kept as they were sent"},
		{"notTested", "thing was not tested", "things were not tested"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		size_t count = json_array_size(json_object_get(record, rows[i].key));

		if (count)
			say(reasons, "%zu %s", count, count == 1 ? rows[i].one : rows[i].many);
	}
}

json_t *record_verdict(const json_t *record, const struct record_input *input)
{
	int code = outcome_exit_code(input->outcome);
	json_t *reasons = json_array();
	const char *result;

	if (input->error)
		say(reasons, "%s", input->error);
	say_rto(reasons, record, input->clock);
	say_rpo(reasons, json_object_get(record, "rpo"));
	say_counts(reasons, record);
	say_lists(reasons, record);
	result = code ? "failed" : json_array_size(reasons) ? "passed with findings" : "passed";
	return json_pack(
		"{s:s, s:i, s:o, s:o}", "result", result, "exitCode", code, "outcomes", outcome_names(input->outcome), "reasons", reasons);
}
