/* SPDX-License-Identifier: Apache-2.0 */
/* The probes: which are asked of what, and the list that they leave. The judging is in judge.h, children.h and endpoint.h. */
#include <stdlib.h>
#include <string.h>

#include "object/fieldpath.h"
#include "object/object.h"
#include "policy/policy.h"
#include "store/snapshot.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/outcome.h"
#include "verify/children.h"
#include "verify/endpoint.h"
#include "verify/judge.h"
#include "verify/look.h"

#define NETWORK_GROUP "networking.k8s.io"
#define NETWORK_POLICIES "networkpolicies"

struct probing {
	const struct verify_look *look;
	const char *probe; /* the row that runs */
	json_t *list;
	struct outcome *outcome;
};

static void add_result(
	struct probing *probing, const char *object, const char *expected, const struct judgement *judgement, int64_t milliseconds)
{
	static const char *const names[] = {
		[VERDICT_PASS] = "pass", [VERDICT_CHANGED] = "changed", [VERDICT_NOT_TESTED] = "not tested", [VERDICT_FAIL] = "fail"};
	json_t *evidence = judgement->evidence ? json_incref(judgement->evidence) : json_array();

	json_array_append_new(probing->list,
		json_pack("{s:s, s:s, s:s, s:s, s:s, s:s?, s:I, s:o}", "probe", probing->probe, "object", object, "result",
			names[judgement->verdict], "expected", expected, "observed", judgement->observed.buf, "reason",
			judgement->reason.len ? judgement->reason.buf : NULL, "milliseconds", (json_int_t)milliseconds, "evidence",
			evidence));
	if (judgement->verdict == VERDICT_FAIL)
		outcome_add(probing->outcome, ERR_VERIFY);
}

static void add_object_result(
	struct probing *probing, const struct object *object, const char *expected, const struct judgement *judgement, int64_t milliseconds)
{
	auto_strbuf struct strbuf name = STRBUF_INIT;

	object_describe(object, &name);
	add_result(probing, name.buf, expected, judgement, milliseconds);
}

/* ---- object ---- */

static json_t *cleaned(const json_t *json, const struct policy_kind *row)
{
	json_t *copy = json_deep_copy(json);

	policy_clean(row, copy);
	return copy;
}

/* What to say of an object that the look does not have. */
static void judge_absent(const struct look_kind *kind, struct judgement *judgement)
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
		judge_absent(kind, &judgement);
	add_object_result(probing, object, "as in the snapshot", &judgement, clock_monotonic_ms() - started);
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
		add_result(probing, name, "as in the snapshot", &judgement, 0);
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
		add_result(probing, name, expected, &judgement, clock_monotonic_ms() - started);
	}
	probe_unknown_children(probing);
}

static void probe_orphans(struct probing *probing)
{
	auto_judgement struct judgement judgement = JUDGEMENT_INIT;
	int64_t started = clock_monotonic_ms();

	orphans_judge(probing->look, &judgement);
	add_result(probing, "generated objects", "every controller owner is there", &judgement, clock_monotonic_ms() - started);
}

/* ---- ready ---- */

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
		judge_ready(kind->row, live, &judgement);
	} else {
		judge_absent(kind, &judgement);
	}
	add_object_result(probing, object, expected, &judgement, clock_monotonic_ms() - started);
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

/* ---- endpoint ---- */

static int first_text(json_t *value, const char *concrete, void *arg)
{
	const char **text = arg;

	(void)concrete;
	*text = json_string_value(value);
	return *text != NULL;
}

/* The URL to ask, or in the judgement why nothing is asked. */
static void prepare_endpoint(
	const struct probing *probing, const struct object *object, const struct look_kind *kind, struct endpoint *endpoint)
{
	const char *idle = idle_reason(object->json), *url = NULL;
	json_t *live = look_object(probing->look, object);

	if (idle) {
		judge_say(&endpoint->judgement, VERDICT_NOT_TESTED, "not meant to answer");
		judge_reason(&endpoint->judgement, "%s", idle);
	} else if (!live) {
		judge_absent(kind, &endpoint->judgement);
	} else {
		fieldpath_each(live, kind->row->endpoint, first_text, &url);
		if (!url || !*url) {
			judge_say(&endpoint->judgement, VERDICT_FAIL, "no URL in %s", fieldpath_text(kind->row->endpoint));
			judge_reason(&endpoint->judgement, "no URL");
		} else {
			endpoint->url = xstrdup(url);
		}
	}
}

static void probe_endpoints(struct probing *probing)
{
	const struct snapshot *snapshot = probing->look->settings.snapshot;
	auto_free struct endpoint *endpoints = xcalloc(snapshot->object_count + 1, sizeof(*endpoints));
	auto_free const struct object **objects = xcalloc(snapshot->object_count + 1, sizeof(*objects));
	size_t count = 0;

	for (size_t i = 0; i < snapshot->object_count; i++) {
		const struct look_kind *kind = look_find(probing->look, snapshot->objects[i]->group, snapshot->objects[i]->resource);

		if (!kind || !kind->row || !kind->row->endpoint)
			continue;
		objects[count] = snapshot->objects[i];
		endpoints[count] = (struct endpoint)ENDPOINT_INIT;
		prepare_endpoint(probing, objects[count], kind, &endpoints[count]);
		count++;
	}
	if (count)
		endpoint_ask_all(endpoints, count, probing->look->settings.endpoint_timeout_ms);
	for (size_t i = 0; i < count; i++) {
		add_object_result(
			probing, objects[i], "/health, a model and a completion", &endpoints[i].judgement, endpoints[i].milliseconds);
		endpoint_release(&endpoints[i]);
	}
}

/* ---- policy ---- */

static void probe_policies(struct probing *probing)
{
	const struct snapshot *snapshot = probing->look->settings.snapshot;
	auto_judgement struct judgement judgement = JUDGEMENT_INIT;
	auto_free char *name = NULL;
	size_t count = 0;

	for (size_t i = 0; i < snapshot->object_count; i++)
		count += !strcmp(snapshot->objects[i]->group, NETWORK_GROUP) && !strcmp(snapshot->objects[i]->resource, NETWORK_POLICIES);
	if (!count)
		return;
	judge_say(&judgement, VERDICT_NOT_TESTED, "%zu in the snapshot", count);
	judge_reason(&judgement,
		"isolation in the data plane needs a probe command; that the policies are there says nothing about the network");
	name = xasprintf("%zu NetworkPolicies", count);
	add_result(probing, name, "traffic that no policy allows does not pass", &judgement, 0);
}

static const struct probe_row {
	const char *name;
	void (*run)(struct probing *probing);
} probe_rows[] = {
	{"object", probe_objects},
	{"children", probe_children},
	{"orphans", probe_orphans},
	{"ready", probe_ready},
	{"endpoint", probe_endpoints},
	{"policy", probe_policies},
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
