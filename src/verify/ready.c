/* SPDX-License-Identifier: Apache-2.0 */
/* Readiness from status alone: conditions, and the parents of Gateway API routes. */
#include <string.h>

#include "object/fieldpath.h"
#include "policy/policy.h"
#include "util/json.h"
#include "util/mem.h"
#include "verify/judge.h"

#define GATEWAY_GROUP "gateway.networking.k8s.io"

static json_int_t generation_of(const json_t *live)
{
	return json_integer_value(json_at(live, "metadata", "generation", NULL));
}

static const json_t *find_condition(const json_t *conditions, const char *type)
{
	json_t *condition;
	size_t i;

	json_array_foreach (conditions, i, condition) {
		const char *has = json_text_at(condition, "type", NULL);

		if (has && !strcmp(has, type))
			return condition;
	}
	return NULL;
}

/* Conditions without an observedGeneration (KServe's) are as current as the status that holds them. */
static bool is_current(const json_t *condition, json_int_t generation)
{
	json_int_t observed = json_integer_value(json_at(condition, "observedGeneration", NULL));

	return observed == 0 || observed >= generation;
}

static bool is_true(const json_t *condition)
{
	const char *status = json_text_at(condition, "status", NULL);

	return status && !strcmp(status, "True");
}

/* "Ready is False (HTTPRoutesNotReady)" into observed, with the message into evidence. where: what the conditions are about, may be "". */
static void say_condition(const json_t *condition, const char *where, struct judgement *judgement)
{
	auto_free char *type = judge_safe(json_text_at(condition, "type", NULL));
	auto_free char *status = judge_safe(json_text_at(condition, "status", NULL));
	auto_free char *reason = judge_safe(json_text_at(condition, "reason", NULL));
	auto_free char *message = judge_safe(json_text_at(condition, "message", NULL));

	if (*reason)
		judge_say(judgement, VERDICT_FAIL, "%s%s is %s (%s)", where, type, status, reason);
	else
		judge_say(judgement, VERDICT_FAIL, "%s%s is %s", where, type, status);
	judge_reason(judgement, "not ready");
	if (*message)
		judge_note(judgement, "%s%s: %s", where, type, message);
}

static void require_true(const json_t *conditions, const char *type, const char *where, struct judgement *judgement)
{
	const json_t *condition = find_condition(conditions, type);

	if (!condition) {
		judge_say(judgement, VERDICT_FAIL, "%s%s is not reported", where, type);
		judge_reason(judgement, "not ready");
	} else if (!is_true(condition)) {
		say_condition(condition, where, judgement);
	}
}

/* A condition that is not True says enough by that. */
static void require_current(
	const json_t *conditions, const char *type, json_int_t generation, const char *where, struct judgement *judgement)
{
	const json_t *condition = find_condition(conditions, type);

	if (!condition || !is_true(condition) || is_current(condition, generation))
		return;
	judge_say(judgement, VERDICT_FAIL, "%s%s is that of an older generation", where, type);
	judge_reason(judgement, "stale status");
}

static void require_condition(
	const json_t *conditions, const char *type, json_int_t generation, const char *where, struct judgement *judgement)
{
	require_true(conditions, type, where, judgement);
	require_current(conditions, type, generation, where, judgement);
}

/* What else is not True: the parts say why the whole is not. */
static void note_the_others(const json_t *conditions, const struct strlist *types, struct judgement *judgement)
{
	json_t *condition;
	size_t i;

	json_array_foreach (conditions, i, condition) {
		const char *type = json_text_at(condition, "type", NULL);
		auto_free char *safe_type = judge_safe(type);
		auto_free char *status = judge_safe(json_text_at(condition, "status", NULL));
		auto_free char *reason = judge_safe(json_text_at(condition, "reason", NULL));
		auto_free char *message = judge_safe(json_text_at(condition, "message", NULL));

		if (type && !is_true(condition) && !strlist_contains(types, type))
			judge_note(judgement, "%s is %s%s%s%s%s", safe_type, status, *reason ? ", " : "", reason, *message ? ": " : "",
				message);
	}
}

/* Conditions that Ready is not made of, or not of all of them: one that is reported must be True. */
static const struct {
	const char *group_slash, *kind;
	const char *types[4]; /* ended by NULL */
} ready_parts[] = {
	{"serving.kserve.io/", "LLMInferenceService", {"PresetsCombined", "WorkloadsReady", "RouterReady", NULL}},
};

static void judge_parts(const json_t *live, const json_t *conditions, struct judgement *judgement)
{
	const char *version = json_text_at(live, "apiVersion", NULL), *kind = json_text_at(live, "kind", NULL);

	for (size_t i = 0; version && kind && i < sizeof(ready_parts) / sizeof(*ready_parts); i++) {
		const char *group = ready_parts[i].group_slash;

		if (strncmp(version, group, strlen(group)) != 0 || strcmp(kind, ready_parts[i].kind) != 0)
			continue;
		for (const char *const *type = ready_parts[i].types; *type; type++)
			if (find_condition(conditions, *type))
				require_true(conditions, *type, "", judgement);
	}
}

bool judge_generation(const json_t *live, const struct strlist *types, struct judgement *judgement)
{
	const json_t *conditions = json_at(live, "status", "conditions", NULL);
	const json_t *observed = json_at(live, "status", "observedGeneration", NULL);
	json_int_t generation = generation_of(live);
	bool known = json_is_integer(observed);

	if (known && json_integer_value(observed) != generation) {
		judge_say(judgement, VERDICT_FAIL, "status is of generation %" JSON_INTEGER_FORMAT ", not %" JSON_INTEGER_FORMAT,
			json_integer_value(observed), generation);
		judge_reason(judgement, "stale status");
	}
	for (size_t i = 0; i < types->count; i++) {
		known = known || json_at(find_condition(conditions, types->items[i]), "observedGeneration", NULL);
		require_current(conditions, types->items[i], generation, "", judgement);
	}
	return known;
}

/* The types must be True; where they are, so must be the parts that the kind has. */
static void judge_true(const json_t *live, const struct strlist *types, struct judgement *judgement)
{
	const json_t *conditions = json_at(live, "status", "conditions", NULL);
	bool all = true;

	for (size_t i = 0; i < types->count; i++) {
		const json_t *condition = find_condition(conditions, types->items[i]);

		all = all && condition && is_true(condition);
		require_true(conditions, types->items[i], "", judgement);
	}
	if (!all)
		note_the_others(conditions, types, judgement);
	else
		judge_parts(live, conditions, judgement);
}

void judge_conditions(const json_t *live, const struct strlist *types, struct judgement *judgement)
{
	judge_generation(live, types, judgement);
	judge_true(live, types, judgement);
}

static const char *field(const json_t *reference, const char *key, const char *fallback)
{
	const char *text = json_text_at(reference, key, NULL);

	return text ? text : fallback;
}

/* Two references of the API: what is left out has its default; a route's own namespace stands for none. */
static bool same_parent(const json_t *a, const json_t *b, const char *namespace_)
{
	return !strcmp(field(a, "group", GATEWAY_GROUP), field(b, "group", GATEWAY_GROUP)) &&
		!strcmp(field(a, "kind", "Gateway"), field(b, "kind", "Gateway")) &&
		!strcmp(field(a, "namespace", namespace_), field(b, "namespace", namespace_)) &&
		!strcmp(field(a, "name", ""), field(b, "name", "")) && !strcmp(field(a, "sectionName", ""), field(b, "sectionName", "")) &&
		json_integer_value(json_object_get(a, "port")) == json_integer_value(json_object_get(b, "port"));
}

static char *parent_name(const json_t *reference, const char *namespace_)
{
	return judge_name(field(reference, "kind", "Gateway"), field(reference, "namespace", namespace_), field(reference, "name", ""));
}

static bool is_answered(const json_t *reference, const json_t *parents, const char *namespace_)
{
	json_t *parent;
	size_t i;

	json_array_foreach (parents, i, parent)
		if (find_condition(json_object_get(parent, "conditions"), "Accepted") &&
			same_parent(reference, json_object_get(parent, "parentRef"), namespace_))
			return true;
	return false;
}

/* strict: an object with parentRefs must have its references reported; a pool's parent may have only Accepted. */
static void judge_parent(const json_t *parent, json_int_t generation, const char *namespace_, bool strict, struct judgement *judgement)
{
	const json_t *conditions = json_object_get(parent, "conditions");
	auto_free char *name = parent_name(json_object_get(parent, "parentRef"), namespace_);
	auto_free char *where = xasprintf("%s: ", name);

	if (!find_condition(conditions, "Accepted"))
		return;
	require_condition(conditions, "Accepted", generation, where, judgement);
	if (strict || find_condition(conditions, "ResolvedRefs"))
		require_condition(conditions, "ResolvedRefs", generation, where, judgement);
}

void judge_parents(const json_t *live, const json_t *parents, struct judgement *judgement)
{
	const json_t *references = json_at(live, "spec", "parentRefs", NULL);
	const char *own = json_text_at(live, "metadata", "namespace", NULL);
	const char *namespace_ = own ? own : "";
	json_t *item;
	size_t i;

	json_array_foreach (references, i, item) {
		auto_free char *name = parent_name(item, namespace_);

		if (is_answered(item, parents, namespace_))
			continue;
		judge_say(judgement, VERDICT_FAIL, "%s has not answered", name);
		judge_reason(judgement, "not ready");
	}
	json_array_foreach (parents, i, item)
		judge_parent(item, generation_of(live), namespace_, json_is_array(references), judgement);
}

bool judge_has_ready(const struct policy_kind *row)
{
	return row && (row->ready_conditions.count || row->ready_parents);
}

static int first_value(json_t *value, const char *concrete, void *arg)
{
	json_t **first = arg;

	(void)concrete;
	*first = value;
	return 1;
}

static bool is_going(const json_t *live, struct judgement *judgement)
{
	if (!json_at(live, "metadata", "deletionTimestamp", NULL))
		return false;
	judge_say(judgement, VERDICT_FAIL, "being deleted");
	judge_reason(judgement, "being deleted");
	return true;
}

void judge_state(const struct policy_kind *row, json_t *live, struct judgement *judgement)
{
	json_t *parents = NULL;

	if (is_going(live, judgement))
		return;
	if (row->ready_conditions.count)
		judge_true(live, &row->ready_conditions, judgement);
	if (row->ready_parents) {
		fieldpath_each(live, row->ready_parents, first_value, &parents);
		judge_parents(live, parents, judgement);
	}
	if (judgement->verdict == VERDICT_PASS)
		judge_say(judgement, VERDICT_PASS, "ready");
}

void judge_ready(const struct policy_kind *row, json_t *live, struct judgement *judgement)
{
	if (row->ready_conditions.count)
		judge_generation(live, &row->ready_conditions, judgement);
	judge_state(row, live, judgement);
}

/* ---- Gateways ---- */

bool judge_is_gateway(const char *group, const char *kind)
{
	return !strcmp(group, GATEWAY_GROUP) && !strcmp(kind, "Gateway");
}

void judge_address(const json_t *live, struct judgement *judgement)
{
	json_t *address;
	size_t i;

	json_array_foreach (json_at(live, "status", "addresses", NULL), i, address) {
		auto_free char *value = judge_safe(json_text_at(address, "value", NULL));

		if (*value)
			judge_say(judgement, VERDICT_PASS, "%s", value);
	}
	if (judgement->observed.len)
		return;
	judge_say(judgement, VERDICT_FAIL, "no address");
	judge_reason(judgement, "no address");
}

/* ---- workloads ---- */

static const struct workload_row {
	const char *group, *resource, *available; /* of status */
} workload_rows[] = {
	{"apps", "deployments", "availableReplicas"},
	{"leaderworkerset.x-k8s.io", "leaderworkersets", "readyReplicas"},
};

static const struct workload_row *find_workload(const char *group, const char *resource)
{
	for (size_t i = 0; i < sizeof(workload_rows) / sizeof(*workload_rows); i++)
		if (!strcmp(workload_rows[i].group, group) && !strcmp(workload_rows[i].resource, resource))
			return &workload_rows[i];
	return NULL;
}

bool judge_is_workload(const char *group, const char *resource)
{
	return find_workload(group, resource) != NULL;
}

void judge_replicas(const char *group, const char *resource, const json_t *live, const char *none_wanted, struct judgement *judgement)
{
	const struct workload_row *row = find_workload(group, resource);
	const json_t *replicas = json_at(live, "spec", "replicas", NULL), *observed = json_at(live, "status", "observedGeneration", NULL);
	json_int_t wanted = json_is_integer(replicas) ? json_integer_value(replicas) : 1, available;

	available = json_integer_value(json_at(live, "status", row ? row->available : "", NULL));
	if (!json_at(live, "spec", NULL)) {
		judge_say(judgement, VERDICT_NOT_TESTED, "not looked at");
		judge_reason(judgement, "only its metadata was listed");
	} else if (wanted == 0 && none_wanted) {
		judge_say(judgement, VERDICT_NOT_TESTED, "0 replicas");
		judge_reason(judgement, "%s", none_wanted);
	} else if (wanted == 0) {
		judge_say(judgement, VERDICT_FAIL, "0 replicas");
		judge_reason(judgement, "scaled to nothing");
	} else if (json_is_integer(observed) && json_integer_value(observed) < generation_of(live)) {
		judge_say(judgement, VERDICT_FAIL, "status is of an older generation");
		judge_reason(judgement, "stale status");
	} else {
		judge_say(judgement, available < wanted ? VERDICT_FAIL : VERDICT_PASS,
			"%" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT " available", available, wanted);
		if (available < wanted)
			judge_reason(judgement, "replicas are missing");
	}
}
