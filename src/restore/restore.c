/* SPDX-License-Identifier: Apache-2.0 */
#include "restore/restore.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "kube/client.h"
#include "kube/discovery.h"
#include "lease.h"
#include "object/canonical.h"
#include "object/object.h"
#include "policy/policy.h"
#include "restore/journal.h"
#include "store/snapshot.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/interrupt.h"
#include "util/json.h"
#include "util/log.h"
#include "util/map.h"
#include "util/mem.h"
#include "util/outcome.h"
#include "verify/judge.h"
#include "verify/verify.h"

/* Between two looks: long enough to spare the server when events storm, short against the time that a model takes to load. */
#define CONVERGE_SETTLE_MS 200
#define CONVERGE_WAIT_MS 5000

static const struct restore_patience patience = {
	.object_deadline = 120000, .backoff_min = 100, .backoff_max = 8000, .gate = 120000, .gate_poll = 500, .unauthorized = 5000};

void restore_free(struct restore *restore)
{
	if (!restore)
		return;
	for (size_t i = 0; i < restore->action_count; i++) {
		json_decref(restore->actions[i].patch);
		json_decref(restore->actions[i].fields);
		json_decref(restore->actions[i].live);
		json_decref(restore->actions[i].body);
		json_decref(restore->actions[i].dropped);
		free(restore->actions[i].copy);
		free(restore->actions[i].error);
	}
	free(restore->actions);
	free(restore->wave_times);
	json_decref(restore->findings);
	json_decref(restore->stale);
	json_decref(restore->dry_run);
	json_decref(restore->estimate);
	free(restore->head_name);
	json_decref(restore->orphans);
	journal_free(restore->own_journal);
	json_decref(restore->preflight);
	map_release(&restore->spaces, NULL);
	strlist_release(&restore->ignore);
	selection_release(&restore->selection);
	mapping_release(&restore->mapping);
	json_decref(restore->selected);
	json_decref(restore->mapped);
	json_decref(restore->backs);
	free(restore->awaited);
	phases_release(&restore->own_phases);
	discovery_free(restore->discovery);
	policy_free(restore->policy);
	snapshot_free(restore->snapshot);
	free(restore->target_id);
	free(restore->server_version);
	free(restore);
}

/* The policy that the restore began with, which was not the snapshot's own. */
static int policy_of_head(struct restore *restore, const json_t *document, struct error *err)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;

	canonical_yaml(document, &text);
	if (policy_read(&restore->policy, text.buf, text.len, err) == 0)
		return 0;
	err->code = ERR_INTEGRITY;
	return error_wrap(err, "the policy in %s", restore->head_name);
}

static int policy_open(struct restore *restore, struct error *err)
{
	const json_t *kept = json_object_get(restore->head, "policy");
	const struct tree_file *file;

	if (json_is_object(kept))
		return policy_of_head(restore, kept, err);
	if (restore->settings->policy)
		return policy_load(&restore->policy, restore->settings->policy, err);
	file = tree_find(&restore->snapshot->tree, "policy.yaml");
	if (!file)
		return error_set(err, ERR_INTEGRITY, "snapshot '%s' has no policy.yaml", restore->snapshot->name);
	if (policy_read(&restore->policy, file->data, file->len, err) == 0)
		return 0;
	err->code = ERR_INTEGRITY; /* the snapshot's own: nobody's usage is at fault */
	return error_wrap(err, "snapshot '%s': policy.yaml", restore->snapshot->name);
}

static void take_options(struct restore *restore)
{
	const json_t *options = json_object_get(restore->head, "options");

	if (options) {
		selection_read(&restore->selection, json_object_get(options, "selection"));
		mapping_read(&restore->mapping, json_object_get(options, "mapping"));
		return;
	}
	if (restore->settings->selection)
		selection_copy(&restore->selection, restore->settings->selection);
	if (restore->settings->mapping)
		mapping_copy(&restore->mapping, restore->settings->mapping);
}

/* From here on the snapshot is that part, under its new names. */
static int take_part(struct restore *restore, struct error *err)
{
	take_options(restore);
	if (select_objects(restore->snapshot, restore->policy, &restore->selection, &restore->selected, err) < 0)
		return -1;
	return map_objects(restore->snapshot, restore->policy, &restore->mapping, restore->selection.only.count > 0, &restore->mapped, err);
}

static int fetch(struct restore *restore, struct error *err)
{
	const struct restore_settings *s = restore->settings;
	int rc;

	phase_start(restore->phases, PHASE_FETCH);
	rc = snapshot_open(&restore->snapshot, s->source, s->snapshot, err);
	if (rc == 0 && restore->head)
		rc = record_check_snapshot(restore, err);
	if (rc == 0)
		rc = policy_open(restore, err);
	if (rc == 0)
		point_find(restore);
	if (rc == 0)
		rc = take_part(restore, err);
	phase_stop(restore->phases, PHASE_FETCH);
	if (rc < 0)
		return -1;
	restore->wave_times = xcalloc(restore->policy->wave_count + 1, sizeof(*restore->wave_times));
	for (size_t i = 0; i < restore->policy->wave_count; i++)
		restore->wave_times[i] = (struct wave_times){.gate_ms = -1, .apply_ms = -1};
	return 0;
}

int restore_blocked(const struct restore *restore, struct error *err)
{
	size_t stale = json_array_size(restore->stale);

	if (stale) {
		error_set(err, ERR_NOT_READY, "the target %s is not what the %s rests on: %zu object%s",
			kube_server(restore->settings->client), restore->head_name, stale, stale == 1 ? "" : "s");
		return error_hint(err, "nothing was written; make the plan anew, and look at it");
	}
	if (!restore->blockers)
		return 0;
	error_set(err, ERR_NOT_READY, "the target %s is not ready: %zu blocker%s", kube_server(restore->settings->client),
		restore->blockers, restore->blockers == 1 ? "" : "s");
	return error_hint(err,
		"mend each of them, then run the restore again; --ignore NAME passes over a check, --partial restores all that is not "
		"blocked");
}

static int plan(struct restore *restore, struct error *err)
{
	if (preflight_open(restore, err) < 0 || plan_make(restore, err) < 0)
		return -1;
	return restore->journal ? record_take_past(restore, err) : 0;
}

/* What only a look at the plan is worth: who set what is in the way, what the server would make of it, how long it may take. */
static void explain(struct restore *restore)
{
	fields_tell_managers(restore);
	if (restore->settings->server_dry_run)
		dry_run_ask(restore);
	estimate_make(restore);
}

static int preflight(struct restore *restore, struct error *err)
{
	int rc;

	phase_start(restore->phases, PHASE_PREFLIGHT);
	rc = plan(restore, err);
	if (rc == 0)
		preflight_run(restore);
	if (rc == 0 && restore->settings->plan)
		rc = planfile_check(restore, err);
	if (rc == 0 && restore->settings->explain)
		explain(restore);
	phase_stop(restore->phases, PHASE_PREFLIGHT);
	return rc;
}

static void take_head(struct restore *restore)
{
	const struct restore_settings *s = restore->settings;

	restore->journal = s->journal;
	restore->head = s->journal ? journal_header(s->journal) : s->plan;
	if (restore->head)
		restore->head_name =
			s->journal ? xasprintf("journal '%s'", journal_path(s->journal)) : xasprintf("plan '%s'", s->plan_name);
	restore->exact = s->plan || json_is_true(json_object_get(restore->head, "exact"));
}

int restore_prepare(struct restore **out, const struct restore_settings *settings, struct error *err)
{
	struct restore *restore = xcalloc(1, sizeof(*restore));

	restore->settings = settings;
	restore->patience = patience;
	restore->preflight = json_array();
	restore->findings = json_array();
	restore->stale = json_array();
	take_head(restore);
	restore->orphans = json_array();
	restore->backs = json_object();
	restore->started_at = clock_now_ms();
	phases_init(&restore->own_phases, settings->rto_ms);
	restore->phases = settings->clock ? settings->clock : &restore->own_phases;
	if (preflight_ignore(restore, err) < 0 || fetch(restore, err) < 0 || preflight(restore, err) < 0) {
		restore_free(restore);
		return -1;
	}
	*out = restore;
	return 0;
}

int restore_may_go_on(struct restore *restore, struct error *err)
{
	if (interrupted())
		return error_set(err, ERR_INTERRUPTED, "stopped by a signal");
	if (restore->journal && journal_check(restore->journal, err) < 0)
		return -1;
	progress_tell(restore);
	return lease_renew(restore->lease, err);
}

void restore_waited(struct restore *restore, int64_t human_ms)
{
	phase_waited(restore->phases, PHASE_PREFLIGHT, human_ms);
}

json_t *restore_plan_json(const struct restore *restore)
{
	return report_make(restore, false);
}

static struct verify_settings verify_settings_of(const struct restore *restore)
{
	return (struct verify_settings){.snapshot = restore->snapshot,
		.policy = restore->policy,
		.client = restore->settings->client,
		.discovery = restore->discovery,
		.serving = restore->settings->serving};
}

/* What the server refused, or nobody sent, does not come however long one waits, and neither do its children. */
static void give_up_failed(const struct restore *restore, struct map *given_up)
{
	for (size_t i = 0; i < restore->action_count; i++) {
		const struct object *o = restore->actions[i].object;
		auto_free char *identity = judge_identity(o->group, o->kind, o->namespace_, o->name);

		if (restore->actions[i].result == RESULT_FAILED || restore->actions[i].result == RESULT_BLOCKED)
			map_put(given_up, identity, given_up);
	}
}

static void note_back(const struct object *object, void *arg)
{
	auto_strbuf struct strbuf name = STRBUF_INIT;

	object_describe(object, &name);
	record_back(arg, name.buf);
}

/* Look, and look again whenever something changed, until nothing is pending or the time is over. */
static int converge_until(struct restore *restore, const struct verify_settings *settings, json_t **converge, struct error *err)
{
	int64_t until = clock_monotonic_ms() + restore->settings->wait_ms;

	for (;;) {
		auto_strbuf struct strbuf text = STRBUF_INIT;
		struct verify_look *look;
		size_t pending;
		int64_t left;
		int rc = 0;

		if (restore_may_go_on(restore, err) < 0)
			return -1;
		if (verify_look_new(&look, settings, false, err) < 0) {
			if (err->code != ERR_UNAVAILABLE || clock_monotonic_ms() >= until)
				return error_wrap(err, "the target went away while it was waited for");
			log_info("%s", err->text);
			error_clear(err);
			continue;
		}
		pending = verify_pending(look, &text);
		verify_each_ready(look, note_back, restore);
		left = until - clock_monotonic_ms();
		progress_await(restore, pending, text.buf);
		if (pending && left > 0)
			rc = verify_wait(look, left < CONVERGE_WAIT_MS ? left : CONVERGE_WAIT_MS, err);
		verify_look_free(look);
		if (!pending || left <= 0) {
			*converge = json_pack("{s:I, s:s}", "pending", (json_int_t)pending, "text", text.buf);
			return 0;
		}
		if (rc < 0)
			return -1;
		clock_sleep_ms(CONVERGE_SETTLE_MS);
	}
}

static int converge(struct restore *restore, json_t **result, struct error *err)
{
	struct verify_settings settings = verify_settings_of(restore);
	struct map given_up = MAP_INIT;
	int rc;

	record_phase_start(restore, PHASE_CONVERGE);
	give_up_failed(restore, &given_up);
	settings.given_up = &given_up;
	rc = converge_until(restore, &settings, result, err);
	map_release(&given_up, NULL);
	record_phase_stop(restore, PHASE_CONVERGE);
	return rc;
}

/* All of them are judged by now. Green is the whole: with one probe that fails the recovery is not over. */
static void judge_clock(struct restore *restore, const json_t *probes)
{
	int64_t now = clock_now_ms(), offset = phases_offset_ms(restore->phases, now);
	size_t i, passed = 0, failed = 0;
	json_t *probe;

	json_array_foreach (probes, i, probe) {
		const char *result = json_text_at(probe, "result", NULL);

		json_object_set_new(probe, "offsetMilliseconds", json_integer((json_int_t)offset));

		passed += strcmp(result, "pass") == 0;
		failed += strcmp(result, "fail") == 0;
	}
	if (failed) {
		auto_free char *reason = xasprintf("%zu probe%s failed", failed, failed > 1 ? "s" : "");

		phases_unproven(restore->phases, reason);
	} else if (passed) {
		restore->phases->green_at = now;
	}
}

static int verify(struct restore *restore, json_t **probes, struct outcome *outcome, struct error *err)
{
	struct verify_settings settings = verify_settings_of(restore);
	struct verify_look *look;
	int rc;

	record_phase_start(restore, PHASE_VERIFY);
	rc = verify_look_new(&look, &settings, true, err);
	if (rc == 0) {
		*probes = verify_probes(look, outcome);
		judge_clock(restore, *probes);
		verify_look_free(look);
		rc = restore_may_go_on(restore, err);
	}
	record_phase_stop(restore, PHASE_VERIFY);
	return rc;
}

static int apply(struct restore *restore, struct outcome *outcome, struct error *err)
{
	int rc;

	record_phase_start(restore, PHASE_APPLY);
	rc = apply_run(restore, err);
	record_phase_stop(restore, PHASE_APPLY);
	for (size_t i = 0; i < restore->action_count; i++)
		if (restore->actions[i].result >= RESULT_CONFLICT)
			outcome_add(outcome, ERR_PARTIAL);
	if (orphans_failed(restore))
		outcome_add(outcome, ERR_PARTIAL);
	return rc;
}

/* Whether there is anything to send: a restore that only looks keeps nobody out. */
static bool writes(const struct restore *restore)
{
	for (size_t i = 0; i < restore->action_count; i++) {
		const struct action *action = &restore->actions[i];

		if (action->result == RESULT_NONE && action->kind < ACTION_SKIP)
			return true;
	}
	return orphans_are_left(restore);
}

/* Also where a resumed restore has nothing left to send: the run that was killed may still hold it. */
static int take_lease(struct restore *restore, struct error *err)
{
	const struct restore_settings *s = restore->settings;

	if (!s->journal && !writes(restore))
		return 0;
	return lease_take(&restore->lease, s->client, journal_name(restore->journal), s->journal != NULL, err);
}

/* The journal comes first: a kill behind the lease alone would leave that with nothing to resume. */
static int begin_new(struct restore *restore, struct error *err)
{
	auto_free char *dir = NULL;

	if (journal_directory(&dir, restore->target_id, err) < 0 || record_create(restore, dir, err) < 0)
		return -1;
	if (take_lease(restore, err) == 0)
		return 0;
	journal_discard(restore->journal);
	restore->journal = restore->own_journal = NULL;
	return -1;
}

static int begin(struct restore *restore, struct error *err)
{
	if (!restore->settings->keep_record)
		return 0;
	if (!restore->journal)
		return begin_new(restore, err);
	if (take_lease(restore, err) < 0)
		return -1;
	if (record_resume(restore, err) == 0)
		return 0;
	lease_release(restore->lease);
	restore->lease = NULL;
	return -1;
}

static int run(struct restore *restore, json_t **converged, json_t **probes, struct outcome *outcome, struct error *err)
{
	bool wait = restore->settings->wait_ms > 0;
	int rc = apply(restore, outcome, err);

	if (rc == 0 && wait)
		rc = converge(restore, converged, err);
	if (rc == 0 && wait)
		rc = verify(restore, probes, outcome, err);
	/* Whatever was given up because of it. */
	if (rc < 0 && interrupted())
		err->code = ERR_INTERRUPTED;
	return rc;
}

/* What is blocked is left for a resume once it is mended: such a journal is not finished. */
static bool has_blocked(const struct restore *restore)
{
	for (size_t i = 0; i < restore->action_count; i++)
		if (restore->actions[i].result == RESULT_BLOCKED)
			return true;
	return false;
}

/* The lease first: a kill in between leaves a journal that can be resumed, and no lease that nobody gives back. */
static int end(struct restore *restore, int rc, const struct outcome *outcome, struct error *err)
{
	struct outcome whole = *outcome;
	struct error fault = ERROR_INIT;

	lease_release(restore->lease);
	restore->lease = NULL;
	if (!restore->journal)
		return rc;
	if (rc < 0)
		outcome_add(&whole, err->code);
	if (!has_blocked(restore) && journal_finish(restore->journal, outcome_exit_code(&whole), &fault) < 0 && rc == 0) {
		*err = fault;
		rc = -1;
	}
	return rc < 0 ? error_hint(err, "go on with it: rhaii-dr restore --resume %s", journal_path(restore->journal)) : 0;
}

/* The clock stands: what broke off, or is there in part, is not met. */
static void settle_clock(struct restore *restore, int rc, struct outcome *outcome)
{
	phases_tick(restore->phases);
	if (rc < 0)
		phases_unproven(restore->phases, "the restore broke off");
	else if (outcome->set & (1U << ERR_PARTIAL))
		phases_unproven(restore->phases, "not all objects were restored");
	if (phases_missed(restore->phases) || point_missed(restore))
		outcome_add(outcome, ERR_OBJECTIVE);
}

int restore_run(struct restore *restore, json_t **report, struct outcome *outcome, struct error *err)
{
	auto_json json_t *converged = NULL, *probes = NULL;
	int rc = begin(restore, err);

	*report = NULL;
	if (rc == 0) {
		rc = run(restore, &converged, &probes, outcome, err);
		settle_clock(restore, rc, outcome);
		rc = end(restore, rc, outcome, err);
		*report = report_make(restore, true);
		/* Exit 0, and probed: nothing less makes a successor. */
		json_object_set_new(*report, "succession", rc == 0 && probes && !outcome->set ? succession_write(restore) : json_null());
		json_object_set(*report, "converge", converged ? converged : json_null());
		json_object_set(*report, "probes", probes ? probes : json_null());
	}
	return rc;
}
