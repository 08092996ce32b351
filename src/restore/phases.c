/* SPDX-License-Identifier: Apache-2.0 */
#include "restore/phases.h"

#include <stdlib.h>
#include <string.h>

#include "util/clock.h"
#include "util/error.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/suggest.h"

/* A wall clock that is slewed by NTP drifts less in any phase; one that is set jumps farther. */
#define JUMP_MS 2000
/* Clocks of two machines may differ so much before a time counts as one that is to come. */
#define SKEW_MS 60000

static const struct {
	const char *name;
	bool ours;
} phase_rows[PHASE_COUNT] = {
	[PHASE_DECLARE] = {"declare", false},
	[PHASE_CREATE_CLUSTER] = {"create-cluster", false},
	[PHASE_INSTALL_OPERATORS] = {"install-operators", false},
	[PHASE_SECRETS] = {"secrets", false},
	[PHASE_FETCH] = {"fetch", true},
	[PHASE_PREFLIGHT] = {"preflight", true},
	[PHASE_APPLY] = {"apply", true},
	[PHASE_CONVERGE] = {"converge", true},
	[PHASE_VERIFY] = {"verify", true},
	[PHASE_CUTOVER] = {"cutover", false},
	[PHASE_CLEANUP] = {"cleanup", false},
};

static const char *const how_names[] = {
	[PHASE_MISSING] = "missing",
	[PHASE_MEASURED] = "measured",
	[PHASE_DECLARED] = "declared",
	[PHASE_ASSUMED] = "assumed",
	[PHASE_NOT_APPLICABLE] = "not applicable",
};

static const char *const source_names[] = {
	[BY_NOBODY] = NULL,
	[BY_CONFIGURATION] = "configuration",
	[BY_CLOCK] = "clock",
	[BY_OPTION] = "option",
	[BY_COMMAND] = "command",
	[BY_TOOL] = "tool",
};

static struct phase_moment now(void)
{
	return (struct phase_moment){.wall = clock_now_ms(), .monotonic = clock_monotonic_ms()};
}

void phases_init(struct phases *phases, int64_t rto_ms)
{
	*phases = (struct phases){.rto_ms = rto_ms, .last = now(), .jumps = json_array()};
	for (int i = 0; i < PHASE_COUNT; i++)
		phases->of[i] = (struct phase_time)PHASE_TIME_INIT;
}

static void release_time(struct phase_time *time)
{
	free(time->reason);
	json_decref(time->command);
	*time = (struct phase_time)PHASE_TIME_INIT;
}

void phases_release(struct phases *phases)
{
	for (int i = 0; i < PHASE_COUNT; i++)
		release_time(&phases->of[i]);
	free(phases->unproven);
	json_decref(phases->jumps);
	*phases = (struct phases){0};
}

/* ---- names ---- */

const char *phase_name(enum phase phase)
{
	return phase_rows[phase].name;
}

bool phase_is_ours(enum phase phase)
{
	return phase_rows[phase].ours;
}

int phase_find(enum phase *out, const char *name, struct error *err)
{
	const char *names[PHASE_COUNT + 1] = {NULL};
	const char *near;

	for (int i = 0; i < PHASE_COUNT; i++) {
		if (strcmp(phase_rows[i].name, name) == 0) {
			*out = (enum phase)i;
			return 0;
		}
		names[i] = phase_rows[i].name;
	}
	near = suggest(name, names);
	error_set(err, ERR_USAGE, "there is no phase '%s'", name);
	return near
		? error_hint(err, "did you mean '%s'?", near)
		: error_hint(err,
			  "the phases are declare, create-cluster, install-operators, secrets, cutover and those that the restore runs");
}

/* ---- measuring ---- */

void phases_jumped(struct phases *phases, int64_t wall_ms, int64_t ms)
{
	if (ms > JUMP_MS || ms < -JUMP_MS)
		json_array_append_new(phases->jumps, json_pack("{s:I, s:I}", "at", (json_int_t)wall_ms, "milliseconds", (json_int_t)ms));
}

void phases_tick(struct phases *phases)
{
	struct phase_moment at = now();

	phases_jumped(phases, at.wall, (at.wall - phases->last.wall) - (at.monotonic - phases->last.monotonic));
	phases->last = at;
}

void phase_start(struct phases *phases, enum phase phase)
{
	phases_tick(phases);
	phases->running[phase] = phases->last;
}

/* Makes a time of ours of it, if it is none yet. */
static struct phase_time *measured(struct phases *phases, enum phase phase)
{
	struct phase_time *time = &phases->of[phase];

	if (time->source != BY_TOOL) {
		release_time(time);
		*time = (struct phase_time){.how = PHASE_MEASURED, .source = BY_TOOL};
	}
	return time;
}

void phase_stop(struct phases *phases, enum phase phase)
{
	struct phase_moment *began = &phases->running[phase];
	struct phase_time *time = measured(phases, phase);

	phases_tick(phases);
	time->ms += phases->last.monotonic - began->monotonic;
	time->began = time->began ? time->began : began->wall;
	time->ended = phases->last.wall;
	*began = (struct phase_moment){0};
}

void phase_waited(struct phases *phases, enum phase phase, int64_t human_ms)
{
	phases_tick(phases);
	phases->of[phase].human_ms += human_ms;
}

/* ---- what others know ---- */

bool phase_set(struct phases *phases, enum phase phase, struct phase_time *time)
{
	struct phase_time *mine = &phases->of[phase];

	if (mine->source > time->source) {
		release_time(time);
		return false;
	}
	release_time(mine);
	*mine = *time;
	*time = (struct phase_time)PHASE_TIME_INIT;
	return true;
}

static int parse_time(int64_t *out, const char *text, struct error *err)
{
	struct error why = ERROR_INIT;
	time_t seconds;

	if (clock_parse(text, &seconds, &why) < 0)
		return error_set(err, ERR_USAGE, "%s", why.text);
	*out = (int64_t)seconds * 1000;
	if (*out > clock_now_ms() + SKEW_MS)
		return error_set(err, ERR_USAGE, "'%s' is still to come", text);
	return 0;
}

int phases_since(int64_t *out, const char *text, struct error *err)
{
	struct error ignored = ERROR_INIT;
	int64_t ago;

	if (clock_parse_duration(text, &ago, &ignored) < 0)
		return parse_time(out, text, err);
	*out = clock_now_ms() - ago;
	return 0;
}

/* "START..END" or "DURATION". */
static int parse_stretch(struct phase_time *time, const char *text, struct error *err)
{
	const char *dots = strstr(text, "..");
	auto_free char *start = dots ? xstrndup(text, (size_t)(dots - text)) : NULL;
	struct error why = ERROR_INIT;

	if (!dots && clock_parse_duration(text, &time->ms, &why) < 0)
		return error_set(err, ERR_USAGE, "'%s' is neither START..END nor a duration", text);
	if (!dots)
		return 0;
	if (parse_time(&time->began, start, err) < 0 || parse_time(&time->ended, dots + 2, err) < 0)
		return -1;
	time->ms = time->ended - time->began;
	return time->ms < 0 ? error_set(err, ERR_USAGE, "it ends before it starts: '%s'", text) : 0;
}

int phases_declare(struct phases *phases, const char *text, struct error *err)
{
	struct phase_time time = {.how = PHASE_DECLARED, .source = BY_OPTION, .ms = -1};
	const char *equals = strchr(text, '=');
	auto_free char *name = xstrndup(text, equals ? (size_t)(equals - text) : strlen(text));
	enum phase phase;

	if (!equals) {
		error_set(err, ERR_USAGE, "'%s' is no phase with its time", text);
		return error_hint(err, "write it as create-cluster=2026-11-20T14:00Z..2026-11-20T14:12Z, or as create-cluster=12m");
	}
	if (phase_find(&phase, name, err) < 0)
		return -1;
	if (phase_is_ours(phase) || phase >= PHASE_CLEANUP)
		return error_set(err, ERR_USAGE, "the phase '%s' is measured, not declared", name);
	if (parse_stretch(&time, equals + 1, err) < 0)
		return error_wrap(err, "phase '%s'", name);
	(void)phase_set(phases, phase, &time);
	return 0;
}

void phases_unproven(struct phases *phases, const char *reason)
{
	if (!phases->unproven)
		phases->unproven = xstrdup(reason);
}

/* ---- what comes of it ---- */

static bool is_known(const struct phase_time *time)
{
	return time->how == PHASE_NOT_APPLICABLE || (time->how != PHASE_MISSING && time->ms >= 0);
}

static int64_t whole_ms(const struct phase_time *time)
{
	return (time->ms > 0 ? time->ms : 0) + time->human_ms;
}

static int64_t human_ms(const struct phases *phases)
{
	int64_t sum = 0;

	for (int i = 0; i < PHASE_CLEANUP; i++)
		sum += phases->of[i].human_ms;
	return sum;
}

int64_t phases_known_ms(const struct phases *phases)
{
	int64_t sum = phases->idle_ms;

	for (int i = 0; i < PHASE_CLEANUP; i++)
		sum += whole_ms(&phases->of[i]);
	return sum;
}

/* By how much the wall clock was set back while we looked, on the whole. */
static int64_t set_back_ms(const struct phases *phases)
{
	const json_t *jump;
	int64_t sum = 0;
	size_t i;

	json_array_foreach (phases->jumps, i, jump)
		sum += json_integer_value(json_object_get(jump, "milliseconds"));
	return sum < 0 ? -sum : 0;
}

/* The later of the last green probe and the end of cutover; what is known by its length alone is still to come. */
static int64_t end_of(const struct phases *phases)
{
	int64_t end = phases->green_at ? phases->green_at : phases->last.wall;

	for (int i = PHASE_CONVERGE; i <= PHASE_CUTOVER; i++)
		if (!phases->of[i].ended)
			end += whole_ms(&phases->of[i]);
		else if (phases->of[i].ended > end && phases->green_at)
			end = phases->of[i].ended;
	return end;
}

int64_t phases_spent_ms(const struct phases *phases)
{
	return phases->declared_at ? end_of(phases) - phases->declared_at + set_back_ms(phases) : phases_known_ms(phases);
}

int64_t phases_gone_ms(const struct phases *phases)
{
	int64_t sum = 0;

	if (phases->declared_at)
		return phases->last.wall - phases->declared_at + set_back_ms(phases);
	for (int i = 0; i < PHASE_CLEANUP; i++) {
		const struct phase_time *time = &phases->of[i];

		/* what is assumed of a phase that is not over yet is still to come */
		if (i < PHASE_FETCH || time->source == BY_TOOL || time->ended)
			sum += whole_ms(time);
		if (phases->running[i].monotonic)
			sum += phases->last.monotonic - phases->running[i].monotonic;
	}
	return sum + phases->idle_ms;
}

bool phases_missed(const struct phases *phases)
{
	return phases_spent_ms(phases) > phases->rto_ms;
}

int64_t phases_offset_ms(const struct phases *phases, int64_t wall_ms)
{
	int64_t first = phases->declared_at;

	for (int i = 0; !first && i < PHASE_CLEANUP; i++)
		first = phases->of[i].began;
	return first && wall_ms ? wall_ms - first : -1;
}

static json_t *missing_of(const struct phases *phases)
{
	json_t *missing = json_array();

	for (int i = 0; i < PHASE_CLEANUP; i++)
		if (!is_known(&phases->of[i]))
			json_array_append_new(missing, json_string(phase_rows[i].name));
	return missing;
}

/* The phase that took longest; NULL: none took any time. */
static const char *worst_of(const struct phases *phases)
{
	const char *worst = NULL;
	int64_t most = 0;

	for (int i = 0; i < PHASE_CLEANUP; i++)
		if (whole_ms(&phases->of[i]) > most) {
			most = whole_ms(&phases->of[i]);
			worst = phase_rows[i].name;
		}
	return worst;
}

static json_t *text_json(const char *text)
{
	return text ? json_string(text) : json_null();
}

static json_t *ms_json(int64_t ms, bool known)
{
	return known ? json_integer((json_int_t)ms) : json_null();
}

json_t *phases_time_json(int64_t wall_ms)
{
	char text[CLOCK_TEXT_SIZE];

	return wall_ms ? json_string(clock_format((time_t)(wall_ms / 1000), text)) : json_null();
}

/* Only a start that is known has a place on the time line. */
static json_t *offset_json(const struct phases *phases, int64_t wall_ms)
{
	return ms_json(phases_offset_ms(phases, wall_ms), wall_ms && phases_offset_ms(phases, wall_ms) >= 0);
}

static json_t *phase_json(const struct phases *phases, enum phase phase)
{
	const struct phase_time *time = &phases->of[phase];
	json_t *json = json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "name", phase_rows[phase].name, "how", how_names[time->how],
		"milliseconds", ms_json(time->ms, time->ms >= 0), "startedAt", phases_time_json(time->began), "endedAt",
		phases_time_json(time->ended), "offsetMilliseconds", offset_json(phases, time->began));

	json_object_set_new(json, "humanMilliseconds", json_integer((json_int_t)time->human_ms));
	json_object_set_new(json, "source", text_json(source_names[time->source]));
	json_object_set_new(json, "reason", text_json(time->reason));
	json_object_set_new(json, "inRto", json_boolean(phase < PHASE_CLEANUP));
	json_object_set(json, "command", time->command ? time->command : json_null());
	return json;
}

static json_t *jumps_json(const struct phases *phases)
{
	json_t *list = json_array();
	const json_t *jump;
	size_t i;

	json_array_foreach (phases->jumps, i, jump)
		json_array_append_new(list,
			json_pack("{s:o, s:O}", "at", phases_time_json((int64_t)json_integer_value(json_object_get(jump, "at"))),
				"milliseconds", json_object_get(jump, "milliseconds")));
	return list;
}

static const char *verdict_of(const struct phases *phases, size_t missing)
{
	if (phases_missed(phases))
		return "missed";
	return missing || phases->unproven ? "at least" : "met";
}

static json_t *rto_json(const struct phases *phases)
{
	json_t *missing = missing_of(phases);
	size_t unknown = json_array_size(missing);
	int64_t spent = phases_spent_ms(phases);
	json_t *json = json_pack("{s:I, s:s, s:o, s:I, s:I, s:I, s:I}", "targetMilliseconds", (json_int_t)phases->rto_ms, "verdict",
		verdict_of(phases, unknown), "achievedMilliseconds", ms_json(spent, phases->declared_at || !unknown), "knownMilliseconds",
		(json_int_t)phases_known_ms(phases), "marginMilliseconds", (json_int_t)(phases->rto_ms - spent), "humanMilliseconds",
		(json_int_t)human_ms(phases), "interruptedMilliseconds", (json_int_t)phases->idle_ms);

	json_object_set_new(json, "declaredAt", phases_time_json(phases->declared_at));
	json_object_set_new(json, "lastGreenAt", phases_time_json(phases->green_at));
	json_object_set_new(json, "missing", missing);
	json_object_set_new(json, "worst", text_json(worst_of(phases)));
	json_object_set_new(json, "wallJumps", jumps_json(phases));
	return json;
}

json_t *phases_json(const struct phases *phases)
{
	json_t *list = json_array();

	for (int phase = 0; phase < PHASE_COUNT; phase++)
		json_array_append_new(list, phase_json(phases, (enum phase)phase));
	return json_pack("{s:o, s:o}", "phases", list, "rto", rto_json(phases));
}

/* ---- over an interruption ---- */

json_t *phases_past_json(const struct phases *phases)
{
	json_t *known = json_object();

	for (int i = 0; i < PHASE_COUNT; i++) {
		const struct phase_time *time = &phases->of[i];

		if (time->how == PHASE_MISSING || time->source == BY_TOOL)
			continue;
		json_object_set_new(known, phase_rows[i].name,
			json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:s?, s:O?}", "how", how_names[time->how], "source",
				source_names[time->source], "milliseconds", (json_int_t)time->ms, "humanMilliseconds",
				(json_int_t)time->human_ms, "began", (json_int_t)time->began, "ended", (json_int_t)time->ended, "reason",
				time->reason, "command", time->command));
	}
	return json_pack("{s:I, s:o}", "declaredAt", (json_int_t)phases->declared_at, "phases", known);
}

/* 0 where the text is none of the names. */
static unsigned find_name(const char *const *names, unsigned count, const char *text)
{
	for (unsigned i = 1; text && i < count; i++)
		if (strcmp(names[i], text) == 0)
			return i;
	return 0;
}

static int64_t integer_of(const json_t *json, const char *key)
{
	return (int64_t)json_integer_value(json_object_get(json, key));
}

static void past_phase_read(struct phases *phases, enum phase phase, const json_t *json)
{
	json_t *command = json_object_get(json, "command");
	struct phase_time time = {
		.how = (enum phase_how)find_name(how_names, sizeof(how_names) / sizeof(*how_names), json_text_at(json, "how", NULL)),
		.source = (enum phase_source)find_name(source_names, BY_TOOL, json_text_at(json, "source", NULL)),
		.ms = integer_of(json, "milliseconds"),
		.human_ms = integer_of(json, "humanMilliseconds"),
		.began = integer_of(json, "began"),
		.ended = integer_of(json, "ended"),
	};

	if (phases->of[phase].source >= time.source)
		return;
	time.reason = xstrdup(json_text_at(json, "reason", NULL));
	time.command = json_is_object(command) ? json_incref(command) : NULL;
	(void)phase_set(phases, phase, &time);
}

void phases_past_read(struct phases *phases, const json_t *past)
{
	if (!phases->declared_at)
		phases->declared_at = integer_of(past, "declaredAt");
	for (int i = 0; i < PHASE_COUNT; i++)
		past_phase_read(phases, (enum phase)i, json_at(past, "phases", phase_rows[i].name, NULL));
}
