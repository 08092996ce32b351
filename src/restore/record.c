/* SPDX-License-Identifier: Apache-2.0 */
/* A restore as its journal has it: what is written of the plan and of each action, and what a later run takes from that. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "kube/client.h"
#include "object/object.h"
#include "policy/policy.h"
#include "restore/journal.h"
#include "restore/restore.h"
#include "store/snapshot.h"
#include "util/error.h"
#include "util/hash.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"

/* ---- the head ---- */

static json_t *text_or_null(const char *text)
{
	return text && *text ? json_string(text) : json_null();
}

/* Absolute, since the next run may start elsewhere. */
static json_t *path_json(const char *path)
{
	auto_free char *full = path ? realpath(path, NULL) : NULL;

	return text_or_null(full ? full : path);
}

static void manifest_sum(const struct snapshot *snapshot, char hex[HASH_HEX_SIZE])
{
	auto_strbuf struct strbuf manifest = STRBUF_INIT;

	tree_manifest(&snapshot->tree, &manifest);
	hash_sha256(manifest.buf, manifest.len, hex);
}

static json_t *snapshot_json(const struct restore *restore)
{
	const struct restore_settings *s = restore->settings;
	const struct snapshot *snapshot = restore->snapshot;
	bool is_path = s->snapshot && snapshot_is_path(s->snapshot);
	char sum[HASH_HEX_SIZE];

	manifest_sum(snapshot, sum);
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:s}", "name", snapshot->name, "path", is_path ? path_json(s->snapshot) : json_null(),
		"repo", is_path ? json_null() : path_json(s->source->repo), "cluster", text_or_null(s->source->cluster), "commit",
		text_or_null(snapshot->commit), "manifestSha256", sum);
}

static json_t *ignored_json(const struct restore *restore)
{
	json_t *names = json_array();

	for (size_t i = 0; i < restore->ignore.count; i++)
		json_array_append_new(names, json_string(restore->ignore.items[i]));
	return names;
}

/* The policy is kept whole where it is not the snapshot's own: its file may be another one the next time. */
static json_t *header_json(const struct restore *restore)
{
	const struct restore_settings *s = restore->settings;
	json_t *header = json_pack("{s:s, s:o, s:{s:s, s:s}, s:{s:b, s:b, s:I, s:I}, s:{s:o, s:o}}", "toolVersion", RHAII_VERSION,
		"snapshot", snapshot_json(restore), "target", "id", restore->target_id, "server", kube_server(s->client), "options",
		"inPlace", (int)s->in_place, "acceptEdits", (int)s->source->accept_edits, "waitMilliseconds", (json_int_t)s->wait_ms,
		"rtoMilliseconds", (json_int_t)s->rto_ms, "kubeconfig", "file", path_json(s->kubeconfig), "context",
		text_or_null(s->context));

	json_object_set_new(json_object_get(header, "options"), "partial", json_boolean(s->partial));
	json_object_set_new(json_object_get(header, "options"), "overwrite", json_boolean(s->overwrite));
	json_object_set_new(json_object_get(header, "options"), "dropUnknownFields", json_boolean(s->drop_unknown_fields));
	json_object_set_new(json_object_get(header, "options"), "adoptOrphans", json_boolean(s->adopt_orphans));
	json_object_set_new(json_object_get(header, "options"), "ignore", ignored_json(restore));
	json_object_set_new(json_object_get(header, "options"), "selection", selection_json(&restore->selection));
	json_object_set_new(json_object_get(header, "options"), "mapping", mapping_json(&restore->mapping));
	json_object_set(header, "policy",
		s->policy || json_is_object(json_object_get(restore->head, "policy")) ? restore->policy->document : json_null());
	return header;
}

static void content_sum(const struct object *object, char hex[HASH_HEX_SIZE])
{
	auto_strbuf struct strbuf text = STRBUF_INIT;

	json_write(object->json, &text);
	hash_sha256(text.buf, text.len, hex);
}

static json_t *action_json(const struct restore *restore, const struct action *action)
{
	const struct object *o = action->object;
	char sum[HASH_HEX_SIZE];
	json_t *json;

	content_sum(o, sum);
	json = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:O}", "action", action_kind_name(action->kind), "wave",
		restore->policy->waves[action->wave].name, "group", o->group, "version", o->version, "resource", o->resource, "namespace",
		o->namespace_, "name", o->name, "sha256", sum, "live", action->live);
	if (action->kind == ACTION_UPDATE)
		json_object_set(json, "fields", action->fields);
	return json;
}

json_t *record_actions(const struct restore *restore)
{
	json_t *actions = json_array();

	for (size_t i = 0; i < restore->action_count; i++)
		json_array_append_new(actions, action_json(restore, &restore->actions[i]));
	return actions;
}

/* The id of the plan, over all that shapes it: how to get at the snapshot and at the target does not. */
static void plan_id(const json_t *header, const json_t *actions, char hex[HASH_HEX_SIZE])
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_json json_t *plan = json_pack("{s:O, s:O, s:O, s:O, s:O}", "manifest", json_at(header, "snapshot", "manifestSha256", NULL),
		"target", json_at(header, "target", "id", NULL), "options", json_object_get(header, "options"), "policy",
		json_object_get(header, "policy"), "actions", actions);

	json_write(plan, &text);
	hash_sha256(text.buf, text.len, hex);
}

json_t *record_head(const struct restore *restore, const json_t *actions)
{
	json_t *header = header_json(restore);
	char id[HASH_HEX_SIZE];

	plan_id(header, actions, id);
	json_object_set_new(header, "plan", json_string(id));
	return header;
}

/* ---- opening ---- */

static void begin_clock(struct restore *restore)
{
	for (int phase = 0; phase < PHASE_COUNT; phase++)
		if (restore->phases.spent[phase] >= 0)
			journal_phase_stop(restore->journal, phase_name((enum phase)phase), restore->phases.spent[phase]);
}

/* The clock goes on where the runs before have left it. */
static void resume_clock(struct restore *restore)
{
	const struct journal *journal = restore->journal;

	for (int phase = 0; phase < PHASE_COUNT; phase++) {
		int64_t before = journal_phase_ms(journal, phase_name((enum phase)phase)), *spent = &restore->phases.spent[phase];

		if (before >= 0)
			*spent = before + (*spent > 0 ? *spent : 0);
	}
	restore->phases.idle_ms = journal_idle_ms(journal);
	for (size_t wave = 0; wave < restore->policy->wave_count; wave++)
		restore->wave_times[wave] = (struct wave_times){
			.gate_ms = journal_wave_ms(journal, wave, "gate"), .apply_ms = journal_wave_ms(journal, wave, "apply")};
}

int record_create(struct restore *restore, const char *dir, struct error *err)
{
	auto_json json_t *actions = record_actions(restore), *header = record_head(restore, actions);
	auto_free char *name = journal_new_name(dir, json_text_at(header, "plan", NULL));

	json_object_set_new(header, "exact", json_boolean(restore->exact));
	if (journal_create(&restore->own_journal, dir, name, header, actions, err) < 0)
		return -1;
	restore->journal = restore->own_journal;
	begin_clock(restore);
	return journal_check(restore->journal, err);
}

int record_resume(struct restore *restore, struct error *err)
{
	if (journal_resume(restore->journal, err) < 0)
		return -1;
	begin_clock(restore);
	resume_clock(restore);
	return journal_check(restore->journal, err);
}

/* ---- what a journal says of a run ---- */

static bool is_true(const json_t *header, const char *key)
{
	return json_is_true(json_at(header, "options", key, NULL));
}

static int64_t number_of(const json_t *header, const char *key)
{
	return json_integer_value(json_at(header, "options", key, NULL));
}

void restore_settings_of(const json_t *header, struct restore_settings *settings, struct snapshot_source *source)
{
	const char *path = json_text_at(header, "snapshot", "path", NULL);

	*source = (struct snapshot_source){.repo = json_text_at(header, "snapshot", "repo", NULL),
		.cluster = json_text_at(header, "snapshot", "cluster", NULL),
		.accept_edits = is_true(header, "acceptEdits")};
	/* The commit, not its name: the branch may have moved. */
	settings->source = source;
	settings->snapshot = path ? path : json_text_at(header, "snapshot", "commit", NULL);
	settings->in_place = is_true(header, "inPlace");
	settings->partial = is_true(header, "partial");
	settings->overwrite = is_true(header, "overwrite");
	settings->adopt_orphans = is_true(header, "adoptOrphans");
	settings->drop_unknown_fields = is_true(header, "dropUnknownFields");
	settings->wait_ms = number_of(header, "waitMilliseconds");
	settings->rto_ms = number_of(header, "rtoMilliseconds");
}

static int not_the_snapshot(const struct restore *restore, const char *what, struct error *err)
{
	(void)error_set(err, ERR_INTEGRITY, "snapshot '%s' is not the one that the %s is of: %s", restore->snapshot->name,
		restore->head_name, what);
	return error_hint(err, "bring back the snapshot as it was, or restore this one anew: what is on the target is skipped");
}

int record_check_snapshot(struct restore *restore, struct error *err)
{
	const json_t *header = restore->head;
	const char *want = json_text_at(header, "snapshot", "manifestSha256", NULL), *name = json_text_at(header, "snapshot", "name", NULL);
	char sum[HASH_HEX_SIZE];

	manifest_sum(restore->snapshot, sum);
	if (!want || strcmp(want, sum) != 0)
		return not_the_snapshot(restore, "its files differ", err);
	if (name) { /* as it was asked for */
		free(restore->snapshot->name);
		restore->snapshot->name = xstrdup(name);
	}
	return 0;
}

int record_check_target(const struct restore *restore, struct error *err)
{
	const char *want = json_text_at(restore->head, "target", "id", NULL);

	if (want && strcmp(want, restore->target_id) == 0)
		return 0;
	(void)error_set(err, ERR_NOT_READY, "the target %s is another cluster (%s) than the one that the %s is of (%s)",
		kube_server(restore->settings->client), restore->target_id, restore->head_name, want ? want : "not said");
	return error_hint(err, "choose its --context, or restore the snapshot onto this one anew");
}

enum action_kind record_planned_kind(const json_t *planned)
{
	const char *name = json_text_at(planned, "action", NULL);

	for (int kind = ACTION_CREATE; name && kind < ACTION_CONFLICT; kind++)
		if (strcmp(action_kind_name((enum action_kind)kind), name) == 0)
			return (enum action_kind)kind;
	return ACTION_CONFLICT;
}

static enum action_result result_of(const json_t *outcome)
{
	const char *name = json_text_at(outcome, "result", NULL);

	for (int result = RESULT_CREATED; name && result < RESULT_FAILED; result++)
		if (strcmp(action_result_name((enum action_result)result), name) == 0)
			return (enum action_result)result;
	return RESULT_FAILED;
}

static void take_findings(struct restore *restore, const json_t *outcome)
{
	json_t *finding;
	size_t i;

	json_array_foreach (json_object_get(outcome, "findings"), i, finding)
		json_array_append(restore->findings, finding);
}

/* Of an update: what differed, and where the copy is. */
static void take_replaced(struct restore *restore, struct action *action, json_t *fields)
{
	if (json_is_array(fields)) {
		json_decref(action->fields);
		action->fields = json_incref(fields);
	}
	action->copy = overwrite_copy(restore, action);
}

/*
 * What ended stays as it ended. What failed, or was begun and has no end, is decided by the live object: one that is there and equal was made by us,
 * in a request whose answer we did not live to see.
 */
static void take_action(struct restore *restore, struct action *action, size_t index)
{
	static const enum action_result done[] = {
		[ACTION_CREATE] = RESULT_CREATED, [ACTION_MERGE] = RESULT_MERGED, [ACTION_UPDATE] = RESULT_UPDATED};
	const json_t *outcome = journal_outcome(restore->journal, index);
	enum action_kind planned = record_planned_kind(journal_action(restore->journal, index));
	enum action_result result = outcome ? result_of(outcome) : RESULT_NONE;

	if (outcome && result != RESULT_FAILED) {
		action->kind = planned;
		action->result = result;
		action->reason = json_text_at(outcome, "reason", NULL);
		take_findings(restore, outcome);
		take_replaced(restore, action, json_object_get(outcome, "fields"));
		return;
	}
	if (!journal_begun(restore->journal, index))
		return;
	action->unanswered = true;
	if (action->kind != ACTION_SKIP || planned >= ACTION_SKIP)
		return;
	take_replaced(restore, action, json_object_get(journal_action(restore->journal, index), "fields"));
	action->kind = action->copy ? ACTION_UPDATE : planned;
	action->reason = NULL;
	action->result = done[action->kind];
}

static bool same_action(const struct restore *restore, const struct action *action, const json_t *planned)
{
	static const char *const keys[] = {"wave", "group", "version", "resource", "namespace", "name", "sha256"};
	auto_json json_t *now = action_json(restore, action);

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (!json_equal(json_object_get(now, keys[i]), json_object_get(planned, keys[i])))
			return false;
	return true;
}

int record_check_actions(const struct restore *restore, size_t count, const json_t *(*planned)(const struct restore *restore, size_t index),
	struct error *err)
{
	if (count != restore->action_count)
		return not_the_snapshot(restore, "it has another number of objects", err);
	for (size_t i = 0; i < count; i++)
		if (!same_action(restore, &restore->actions[i], planned(restore, i)))
			return not_the_snapshot(restore, "its actions differ", err);
	return 0;
}

static const json_t *past_action(const struct restore *restore, size_t index)
{
	return journal_action(restore->journal, index);
}

int record_take_past(struct restore *restore, struct error *err)
{
	if (record_check_actions(restore, journal_action_count(restore->journal), past_action, err) < 0)
		return -1;
	for (size_t i = 0; i < restore->action_count; i++) {
		struct action *action = &restore->actions[i];

		take_action(restore, action, i);
		if (!restore->exact || action->result != RESULT_NONE)
			continue;
		action->ground = json_object_get(past_action(restore, i), "live");
		plan_hold(action);
	}
	return 0;
}

/* ---- the run ---- */

int record_begin(struct restore *restore, struct action *const *actions, size_t count, struct error *err)
{
	auto_free size_t *indexes = NULL;

	if (!restore->journal || count == 0)
		return 0;
	indexes = xcalloc(count, sizeof(*indexes));
	for (size_t i = 0; i < count; i++) {
		indexes[i] = (size_t)(actions[i] - restore->actions);
		actions[i]->begun = true;
	}
	return journal_begin(restore->journal, indexes, count, err);
}

/* The findings of this object, which were added last. */
static json_t *findings_of(const struct restore *restore, const struct action *action)
{
	auto_strbuf struct strbuf name = STRBUF_INIT;
	json_t *found = json_array(), *finding;
	size_t i = json_array_size(restore->findings);

	object_describe(action->object, &name);
	for (; i > 0; i--) {
		finding = json_array_get(restore->findings, i - 1);
		if (strcmp(json_text_at(finding, "object", NULL), name.buf) != 0)
			break;
		json_array_insert(found, 0, finding);
	}
	return found;
}

void record_end(struct restore *restore, const struct action *action, const char *uid)
{
	json_t *outcome, *findings;

	if (!restore->journal || !action->begun)
		return;
	outcome = json_pack("{s:s, s:s*, s:s*, s:s*}", "result", action_result_name(action->result), "error", action->error, "reason",
		action->reason, "uid", uid);
	if (action->result == RESULT_UPDATED)
		json_object_set(outcome, "fields", action->fields);
	findings = findings_of(restore, action);
	if (json_array_size(findings))
		json_object_set(outcome, "findings", findings);
	json_decref(findings);
	journal_end(restore->journal, (size_t)(action - restore->actions), outcome);
}

void record_wave(struct restore *restore, size_t wave, const char *what, int64_t ms)
{
	int64_t *sum = strcmp(what, "gate") == 0 ? &restore->wave_times[wave].gate_ms : &restore->wave_times[wave].apply_ms;

	*sum = ms + (*sum > 0 ? *sum : 0);
	if (restore->journal)
		journal_wave(restore->journal, wave, what, ms);
}

void record_phase_start(struct restore *restore, enum phase phase)
{
	phase_start(&restore->phases, phase);
	if (restore->journal)
		journal_phase_start(restore->journal, phase_name(phase));
}

void record_phase_stop(struct restore *restore, enum phase phase)
{
	int64_t before = restore->phases.spent[phase];

	phase_stop(&restore->phases, phase);
	if (restore->journal)
		journal_phase_stop(restore->journal, phase_name(phase), restore->phases.spent[phase] - (before > 0 ? before : 0));
}
