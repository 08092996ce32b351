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
#include "util/clock.h"
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

void record_manifest_sum(const struct snapshot *snapshot, char hex[HASH_HEX_SIZE])
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

	record_manifest_sum(snapshot, sum);
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

	json_object_set_new(json_object_get(header, "options"), "rehearsal", json_boolean(s->rehearsal));
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

static void tell_jumps(struct restore *restore)
{
	const json_t *jumps = restore->phases->jumps;

	for (; restore->jumps_told < json_array_size(jumps); restore->jumps_told++)
		journal_jump(
			restore->journal, json_integer_value(json_object_get(json_array_get(jumps, restore->jumps_told), "milliseconds")));
}

/* What was measured before there was a journal to tell it. */
static void begin_clock(struct restore *restore)
{
	for (int phase = 0; phase < PHASE_COUNT; phase++) {
		const struct phase_time *time = &restore->phases->of[phase];

		if (time->source != BY_TOOL)
			continue;
		journal_phase_stop(restore->journal, phase_name((enum phase)phase), time->ms);
		if (time->human_ms)
			journal_waited(restore->journal, phase_name((enum phase)phase), time->human_ms);
	}
	tell_jumps(restore);
}

/* The runs before have their part in it. */
static void resume_phase(struct restore *restore, enum phase phase)
{
	struct phase_time *time = &restore->phases->of[phase];
	struct journal_phase past;

	journal_phase(restore->journal, phase_name(phase), &past);
	if (past.ms < 0)
		return;
	if (time->source != BY_TOOL) {
		struct phase_time none = {.how = PHASE_MEASURED, .source = BY_TOOL};

		(void)phase_set(restore->phases, phase, &none);
	}
	time->ms += past.ms;
	time->human_ms += past.human_ms;
	time->began = past.began;
	time->ended = past.ended > time->ended ? past.ended : time->ended;
}

static void resume_jumps(struct restore *restore)
{
	json_t *all = json_copy(journal_jumps(restore->journal));

	json_array_extend(all, restore->phases->jumps);
	json_decref(restore->phases->jumps);
	restore->phases->jumps = all;
	restore->jumps_told = json_array_size(all);
}

static void resume_waves(struct restore *restore)
{
	const struct journal *journal = restore->journal;

	for (size_t wave = 0; wave < restore->policy->wave_count; wave++)
		restore->wave_times[wave] = (struct wave_times){.gate_ms = journal_wave_ms(journal, wave, "gate"),
			.apply_ms = journal_wave_ms(journal, wave, "apply"),
			.began = journal_wave_began(journal, wave)};
}

/* The clock goes on where the runs before have left it. */
static void resume_clock(struct restore *restore)
{
	for (int phase = 0; phase < PHASE_COUNT; phase++)
		resume_phase(restore, (enum phase)phase);
	restore->phases->idle_ms = journal_idle_ms(restore->journal);
	resume_jumps(restore);
	json_object_update(restore->backs, journal_backs(restore->journal));
	phases_past_read(restore->phases, json_at(restore->head, "clock", NULL));
	restore->started_at = json_integer_value(json_at(restore->head, "clock", "startedAt", NULL));
	resume_waves(restore);
}

/* What is known of the recovery when the restore begins. */
static json_t *clock_json(const struct restore *restore)
{
	json_t *clock = phases_past_json(restore->phases);

	json_object_set_new(clock, "startedAt", json_integer((json_int_t)restore->started_at));
	json_object_set_new(clock, "rpoMilliseconds", json_integer((json_int_t)restore->settings->rpo_ms));
	return clock;
}

int record_create(struct restore *restore, const char *dir, struct error *err)
{
	auto_json json_t *actions = record_actions(restore), *header = record_head(restore, actions);
	auto_free char *name = journal_new_name(dir, json_text_at(header, "plan", NULL));

	json_object_set_new(header, "exact", json_boolean(restore->exact));
	json_object_set_new(header, "clock", clock_json(restore));
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
	settings->rehearsal = is_true(header, "rehearsal");
	settings->partial = is_true(header, "partial");
	settings->overwrite = is_true(header, "overwrite");
	settings->adopt_orphans = is_true(header, "adoptOrphans");
	settings->drop_unknown_fields = is_true(header, "dropUnknownFields");
	settings->wait_ms = number_of(header, "waitMilliseconds");
	settings->rto_ms = number_of(header, "rtoMilliseconds");
	settings->rpo_ms = json_integer_value(json_at(header, "clock", "rpoMilliseconds", NULL));
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

	record_manifest_sum(restore->snapshot, sum);
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
	struct wave_times *times = &restore->wave_times[wave];
	int64_t *sum = strcmp(what, "gate") == 0 ? &times->gate_ms : &times->apply_ms;

	*sum = ms + (*sum > 0 ? *sum : 0);
	if (!times->began)
		times->began = clock_now_ms() - ms;
	if (restore->journal)
		journal_wave(restore->journal, wave, what, ms);
}

void record_phase_start(struct restore *restore, enum phase phase)
{
	phase_start(restore->phases, phase);
	if (restore->journal)
		journal_phase_start(restore->journal, phase_name(phase));
}

void record_phase_stop(struct restore *restore, enum phase phase)
{
	const struct phase_time *time = &restore->phases->of[phase];
	int64_t before = time->source == BY_TOOL ? time->ms : 0;

	phase_stop(restore->phases, phase);
	if (!restore->journal)
		return;
	journal_phase_stop(restore->journal, phase_name(phase), time->ms - before);
	tell_jumps(restore);
}

void record_back(struct restore *restore, const char *object)
{
	if (json_object_get(restore->backs, object))
		return;
	json_object_set_new(restore->backs, object, json_integer((json_int_t)clock_now_ms()));
	if (restore->journal)
		journal_back(restore->journal, object);
}
