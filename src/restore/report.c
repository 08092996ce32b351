/* SPDX-License-Identifier: Apache-2.0 */
/* The plan and the report as one JSON document (include/restore/restore.h lists its keys). */
#include "internal.h"
#include "kube/client.h"
#include "object/canonical.h"
#include "object/object.h"
#include "policy/policy.h"
#include "restore/journal.h"
#include "restore/restore.h"
#include "snapshot/environment.h"
#include "snapshot/maintenance.h"
#include "store/snapshot.h"
#include "util/clock.h"
#include "util/json.h"
#include "util/mem.h"

static const char *const result_names[] = {
	[RESULT_NONE] = "not run",
	[RESULT_CREATED] = "created",
	[RESULT_MERGED] = "merged",
	[RESULT_UPDATED] = "updated",
	[RESULT_SKIPPED] = "skipped",
	[RESULT_CONFLICT] = "conflict",
	[RESULT_FAILED] = "failed",
	[RESULT_BLOCKED] = "blocked",
};
#define RESULT_COUNT (sizeof(result_names) / sizeof(result_names[0]))

static const char *const gate_names[] = {
	[GATE_NONE] = NULL,
	[GATE_NAMESPACES_ACTIVE] = "namespaces-active",
	[GATE_DRY_RUN_CREATE] = "dry-run-create",
};

const char *action_result_name(enum action_result result)
{
	return result_names[result];
}

static json_t *string_or_null(const char *text)
{
	return text ? json_string(text) : json_null();
}

static json_t *action_json(const struct action *action, bool run)
{
	const struct object *o = action->object;
	json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:o, s:O}", "action", action_kind_name(action->kind), "kind", o->kind, "namespace",
		o->namespace_, "name", o->name, "reason", string_or_null(action->reason), "fields", action->fields);

	json_object_set_new(json, "blocked", string_or_null(action->result == RESULT_BLOCKED ? action->error : NULL));
	json_object_set_new(json, "error", string_or_null(action->result == RESULT_BLOCKED && !run ? NULL : action->error));
	if (run) {
		json_object_set_new(json, "result", json_string(result_names[action->result]));
		json_object_set_new(json, "copy", string_or_null(action->copy));
	}
	return json;
}

static json_t *offset_json(const struct restore *restore, int64_t at)
{
	return at ? json_integer((json_int_t)phases_offset_ms(restore->phases, at)) : json_null();
}

static json_t *wave_json(const struct restore *restore, size_t wave, bool run)
{
	const struct policy_wave *row = &restore->policy->waves[wave];
	json_t *actions = json_array(), *json;

	for (size_t i = 0; i < restore->action_count; i++)
		if (restore->actions[i].wave == wave)
			json_array_append_new(actions, action_json(&restore->actions[i], run));
	json = json_pack("{s:s, s:o, s:o}", "name", row->name, "gate", string_or_null(gate_names[row->gate]), "actions", actions);
	if (run) {
		const struct wave_times *times = &restore->wave_times[wave];

		json_object_set_new(json, "gateMilliseconds", times->gate_ms < 0 ? json_null() : json_integer(times->gate_ms));
		json_object_set_new(json, "applyMilliseconds", times->apply_ms < 0 ? json_null() : json_integer(times->apply_ms));
		json_object_set_new(json, "offsetMilliseconds", offset_json(restore, times->began));
	}
	return json;
}

static json_t *waves_json(const struct restore *restore, bool run)
{
	json_t *waves = json_array();

	for (size_t wave = 0; wave < restore->policy->wave_count; wave++) {
		json_t *json = wave_json(restore, wave, run);

		if (json_array_size(json_object_get(json, "actions")))
			json_array_append(waves, json);
		json_decref(json);
	}
	return waves;
}

static json_t *plan_counts(const struct restore *restore)
{
	json_int_t counts[ACTION_CONFLICT + 1] = {0};
	json_t *json = json_object();

	for (size_t i = 0; i < restore->action_count; i++)
		counts[restore->actions[i].kind]++;
	for (int kind = ACTION_CREATE; kind <= ACTION_CONFLICT; kind++)
		json_object_set_new(json, action_kind_name((enum action_kind)kind), json_integer(counts[kind]));
	return json;
}

static json_t *result_counts(const struct restore *restore)
{
	json_int_t counts[RESULT_COUNT] = {0};
	json_t *json = json_object();

	for (size_t i = 0; i < restore->action_count; i++)
		counts[restore->actions[i].result]++;
	for (size_t result = 0; result < RESULT_COUNT; result++)
		json_object_set_new(json, result == RESULT_NONE ? "notRun" : result_names[result], json_integer(counts[result]));
	return json;
}

static json_t *list_of(const json_t *document, const char *key)
{
	json_t *list = json_object_get(document, key);

	return json_is_array(list) ? json_incref(list) : json_array();
}

/* By name. */
static json_t *services_json(const struct restore *restore)
{
	json_t *list = json_array();
	size_t count;
	auto_free const char **names = json_sorted_keys(restore->backs, &count);

	for (size_t i = 0; i < count; i++) {
		int64_t at = (int64_t)json_integer_value(json_object_get(restore->backs, names[i]));

		json_array_append_new(list, json_pack("{s:s, s:o}", "object", names[i], "backMilliseconds", offset_json(restore, at)));
	}
	return list;
}

/* All that is measured. */
static json_t *clock_json(const struct restore *restore)
{
	json_t *json = phases_json(restore->phases);

	json_object_set_new(json, "rpo", point_json(restore));
	json_object_set_new(json, "services", services_json(restore));
	json_object_set_new(json, "startedAt", phases_time_json(restore->started_at));
	json_object_set_new(json, "endedAt", phases_time_json(restore->phases->last.wall));
	json_object_set_new(json, "retries", json_integer((json_int_t)restore->retries));
	json_object_set_new(json, "throttledMilliseconds", json_integer((json_int_t)restore->throttled_ms));
	return json;
}

/* What the restore was made from. */
static void add_input(const struct restore *restore, json_t *report)
{
	auto_strbuf struct strbuf policy = STRBUF_INIT;
	char manifest_sum[HASH_HEX_SIZE], policy_sum[HASH_HEX_SIZE];

	canonical_yaml(restore->policy->document, &policy);
	hash_sha256(policy.buf, policy.len, policy_sum);
	record_manifest_sum(restore->snapshot, manifest_sum);
	json_object_set_new(report, "objects", json_integer((json_int_t)restore->snapshot->object_count));
	json_object_set_new(report, "manifestSha256", json_string(manifest_sum));
	json_object_set_new(report, "policySha256", json_string(policy_sum));
	json_object_set_new(report, "sourceServer", string_or_null(json_text_at(restore->snapshot->info, "serverVersion", NULL)));
}

json_t *report_make(const struct restore *restore, bool run)
{
	const struct snapshot *snapshot = restore->snapshot;
	json_t *report = json_pack("{s:o, s:{s:s, s:s, s:s}, s:o, s:o, s:o, s:o}", "snapshot", snapshot_description(snapshot), "target",
		"id", restore->target_id, "server", restore->server_version, "url", kube_server(restore->settings->client), "waves",
		waves_json(restore, run), "counts", run ? result_counts(restore) : plan_counts(restore), "environment",
		environment_of(snapshot, restore->policy), "requirements", list_of(snapshot->requirements, "requirements"));

	json_object_set_new(report, "nodes", node_needs_of(snapshot, restore->policy));
	json_object_set_new(report, "maintenance", maintenance_of(snapshot));
	json_object_set(report, "stale", restore->stale);
	json_object_set_new(report, "blockers", json_integer((json_int_t)restore->blockers));
	json_object_set(report, "preflight", restore->preflight);
	json_object_set(report, "orphans", restore->orphans);
	json_object_set(report, "selection", restore->selected);
	json_object_set(report, "mapping", restore->mapped);
	json_object_set_new(report, "privileged", privileged_json(restore));
	if (run) {
		auto_json json_t *clock = clock_json(restore);

		json_object_update(report, clock);
		add_input(restore, report);
		json_object_set(report, "findings", restore->findings);
		json_object_set_new(report, "resumed", json_integer(restore->journal ? (json_int_t)journal_resumed(restore->journal) : 0));
		json_object_set_new(report, "journal", restore->journal ? json_string(journal_path(restore->journal)) : json_null());
		json_object_set_new(report, "requests", json_integer((json_int_t)kube_request_count(restore->settings->client)));
	} else {
		json_object_set_new(report, "serverDryRun", restore->dry_run ? json_incref(restore->dry_run) : json_null());
		json_object_set_new(report, "estimate", restore->estimate ? json_incref(restore->estimate) : json_null());
		if (!restore->settings->keep_record) /* a restore shows its own plan, which nobody takes from there */
			planfile_seal(restore, report);
	}
	return report;
}
