/* SPDX-License-Identifier: Apache-2.0 */
/* The probes: which are asked of what, and the list that they leave. The judging is in judge.h, children.h and endpoint.h. */
#include <stdlib.h>
#include <string.h>

#include "object/object.h"
#include "policy/policy.h"
#include "probing.h"
#include "store/snapshot.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/outcome.h"
#include "verify/children.h"
#include "verify/judge.h"
#include "verify/look.h"

json_t *probing_add(
	struct probing *probing, const char *object, const char *expected, const struct judgement *judgement, int64_t milliseconds)
{
	static const char *const names[] = {
		[VERDICT_PASS] = "pass", [VERDICT_CHANGED] = "changed", [VERDICT_NOT_TESTED] = "not tested", [VERDICT_FAIL] = "fail"};
	json_t *evidence = judgement->evidence ? json_incref(judgement->evidence) : json_array();
	json_t *result = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s?, s:I, s:o}", "probe", probing->probe, "object", object, "result",
		names[judgement->verdict], "expected", expected, "observed", judgement->observed.buf, "reason",
		judgement->reason.len ? judgement->reason.buf : NULL, "milliseconds", (json_int_t)milliseconds, "evidence", evidence);

	json_array_append_new(probing->list, result);
	if (judgement->verdict == VERDICT_FAIL)
		outcome_add(probing->outcome, ERR_VERIFY);
	return result;
}

json_t *probing_add_object(
	struct probing *probing, const struct object *object, const char *expected, const struct judgement *judgement, int64_t milliseconds)
{
	auto_strbuf struct strbuf name = STRBUF_INIT;

	object_describe(object, &name);
	return probing_add(probing, name.buf, expected, judgement, milliseconds);
}

/* ---- object ---- */

static json_t *cleaned(const json_t *json, const struct policy_kind *row)
{
	json_t *copy = json_deep_copy(json);

	policy_clean(row, copy);
	return copy;
}

void probing_absent(const struct look_kind *kind, struct judgement *judgement)
{
	if (!kind || (!kind->listed && !kind->not_served)) {
		judge_say(judgement, VERDICT_NOT_TESTED, "not looked at");
		judge_reason(judgement, "%s", kind && kind->why ? kind->why : "the policy has no row for its kind");
	} else {
		judge_say(judgement, VERDICT_FAIL, "not there");
		judge_reason(judgement, "%s", kind->listed ? "missing" : kind->why);
	}
}

static void judge_against_live(const struct object *object, json_t *live, const struct policy_kind *row, struct judgement *judgement)
{
	const char *want_version = json_text_at(object->json, "apiVersion", NULL), *live_version = json_text_at(live, "apiVersion", NULL);
	auto_json json_t *want_clean = NULL;
	auto_json json_t *live_clean = NULL;

	if (json_at(live, "metadata", "deletionTimestamp", NULL)) {
		judge_say(judgement, VERDICT_FAIL, "being deleted");
		judge_reason(judgement, "being deleted");
		return;
	}
	if (!want_version || !live_version || strcmp(want_version, live_version) != 0) {
		auto_free char *want = judge_safe(want_version);
		auto_free char *has = judge_safe(live_version);

		judge_say(judgement, VERDICT_NOT_TESTED, "there, as %s", has);
		judge_reason(judgement, "the snapshot has it as %s, so the fields cannot be compared", want);
		return;
	}
	/* The snapshot's was cleaned by the policy of its time; with another one it must lose the same fields. */
	want_clean = cleaned(object->json, row);
	live_clean = cleaned(live, row);
	judge_object(row, want_clean, live_clean, judgement);
}

static void probe_object(struct probing *probing, const struct object *object)
{
	const struct look_kind *kind = look_find(probing->look, object->group, object->resource);
	auto_judgement struct judgement judgement = JUDGEMENT_INIT;
	json_t *live = look_object(probing->look, object);
	int64_t started = clock_monotonic_ms();

	if (live && kind && kind->row)
		judge_against_live(object, live, kind->row, &judgement);
	else
		probing_absent(kind, &judgement);
	probing_add_object(probing, object, "as in the snapshot", &judgement, clock_monotonic_ms() - started);
}

static void probe_objects(struct probing *probing)
{
	const struct snapshot *snapshot = probing->look->settings.snapshot;

	for (size_t i = 0; i < snapshot->object_count; i++)
		probe_object(probing, snapshot->objects[i]);
}

/* ---- children and orphans ---- */

/* Kinds that the capture could not see: their objects are in no inventory. */
static void probe_unknown_children(struct probing *probing)
{
	const json_t *not_listed = json_object_get(probing->look->settings.snapshot->generated, "notListed");
	json_t *kind;
	size_t i;

	json_array_foreach (not_listed, i, kind) {
		auto_judgement struct judgement judgement = JUDGEMENT_INIT;
		auto_free char *name = judge_safe(json_string_value(kind));

		judge_say(&judgement, VERDICT_NOT_TESTED, "not known");
		judge_reason(&judgement, "the capture could not list the kind");
		probing_add(probing, name, "as in the snapshot", &judgement, 0);
	}
}

static void probe_children(struct probing *probing)
{
	json_t *entry;
	size_t i;

	json_array_foreach (look_generated(probing->look), i, entry) {
		auto_judgement struct judgement judgement = JUDGEMENT_INIT;
		auto_free char *name = child_name(entry);
		auto_free char *expected = child_expected(entry);
		int64_t started = clock_monotonic_ms();

		child_judge(probing->look, entry, &judgement);
		probing_add(probing, name, expected, &judgement, clock_monotonic_ms() - started);
	}
	probe_unknown_children(probing);
}

static void probe_orphans(struct probing *probing)
{
	auto_judgement struct judgement judgement = JUDGEMENT_INIT;
	int64_t started = clock_monotonic_ms();

	orphans_judge(probing->look, &judgement);
	probing_add(probing, "generated objects", "every controller owner is there", &judgement, clock_monotonic_ms() - started);
}

/* ---- generation and ready ---- */

static void probe_generation_of(struct probing *probing, const struct object *object, const struct look_kind *kind)
{
	auto_judgement struct judgement judgement = JUDGEMENT_INIT;
	const json_t *live = look_object(probing->look, object);
	int64_t started = clock_monotonic_ms();

	if (!live || idle_never_ready(object->json)) {
		judge_say(&judgement, VERDICT_NOT_TESTED, live ? "not meant to be ready" : "not looked at");
		judge_reason(&judgement, "%s", live ? idle_never_ready(object->json) : "the object is not there, or was not looked at");
	} else if (!judge_generation(live, &kind->row->ready_conditions, &judgement)) {
		judge_say(&judgement, VERDICT_NOT_TESTED, "not told");
		judge_reason(&judgement, "its status names no generation");
	} else if (judgement.verdict == VERDICT_PASS) {
		judge_say(&judgement, VERDICT_PASS, "current");
	}
	probing_add_object(probing, object, "a status of the current generation", &judgement, clock_monotonic_ms() - started);
}

static void probe_generations(struct probing *probing)
{
	const struct snapshot *snapshot = probing->look->settings.snapshot;

	for (size_t i = 0; i < snapshot->object_count; i++) {
		const struct object *object = snapshot->objects[i];
		const struct look_kind *kind = look_find(probing->look, object->group, object->resource);

		if (kind && kind->row && kind->row->ready_conditions.count)
			probe_generation_of(probing, object, kind);
	}
}

static char *expected_ready(const struct policy_kind *row)
{
	struct strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < row->ready_conditions.count; i++) {
		auto_free char *type = judge_safe(row->ready_conditions.items[i]);

		strbuf_addf(&text, "%s%s", i ? ", " : "", type);
	}
	if (text.len)
		strbuf_adds(&text, " True");
	if (row->ready_parents)
		strbuf_addf(&text, "%saccepted by every parent", text.len ? ", " : "");
	return strbuf_detach(&text, NULL);
}

/* What is True in a status of an older generation says nothing about this one: the probe of the generation fails, this one is left open. */
static void judge_live(const struct policy_kind *row, json_t *live, struct judgement *judgement)
{
	auto_judgement struct judgement generation = JUDGEMENT_INIT;

	judge_state(row, live, judgement);
	judge_generation(live, &row->ready_conditions, &generation);
	if (generation.verdict != VERDICT_FAIL || judgement->verdict != VERDICT_PASS)
		return;
	judge_say(judgement, VERDICT_NOT_TESTED, "%s", generation.observed.buf);
	judge_reason(judgement, "stale status");
}

static void probe_ready_object(struct probing *probing, const struct object *object, const struct look_kind *kind)
{
	auto_judgement struct judgement judgement = JUDGEMENT_INIT;
	auto_free char *expected = expected_ready(kind->row);
	json_t *live = look_object(probing->look, object);
	const char *stopped = idle_never_ready(object->json);
	int64_t started = clock_monotonic_ms();

	if (stopped) {
		judge_say(&judgement, VERDICT_NOT_TESTED, "not meant to be ready");
		judge_reason(&judgement, "%s", stopped);
	} else if (live) {
		judge_live(kind->row, live, &judgement);
	} else {
		probing_absent(kind, &judgement);
	}
	probing_add_object(probing, object, expected, &judgement, clock_monotonic_ms() - started);
}

static void probe_ready(struct probing *probing)
{
	const struct snapshot *snapshot = probing->look->settings.snapshot;

	for (size_t i = 0; i < snapshot->object_count; i++) {
		const struct object *object = snapshot->objects[i];
		const struct look_kind *kind = look_find(probing->look, object->group, object->resource);

		if (kind && judge_has_ready(kind->row))
			probe_ready_object(probing, object, kind);
	}
}

static const struct probe_row {
	const char *name;
	void (*run)(struct probing *probing);
} probe_rows[] = {
	{"object", probe_objects},
	{"children", probe_children},
	{"orphans", probe_orphans},
	{"presets", probe_presets},
	{"generation", probe_generations},
	{"ready", probe_ready},
	{"replicas", probe_replicas},
	{"gateway", probe_gateways},
	{"endpoint", probe_endpoints},
	{"matrix", probe_matrix},
	{"policy", probe_policies},
	{"isolation", probe_isolation},
	{"own", probe_own},
};

json_t *verify_probes(const struct verify_look *look, struct outcome *outcome)
{
	struct probing probing = {.look = look, .list = json_array(), .outcome = outcome};

	for (size_t i = 0; i < sizeof(probe_rows) / sizeof(*probe_rows); i++) {
		probing.probe = probe_rows[i].name;
		probe_rows[i].run(&probing);
	}
	return probing.list;
}
