/* SPDX-License-Identifier: Apache-2.0 */
#include "restore/restore.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "internal.h"
#include "kube/client.h"
#include "kube/discovery.h"
#include "object/object.h"
#include "policy/policy.h"
#include "store/snapshot.h"
#include "util/clock.h"
#include "util/error.h"
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
/* How often somebody who waits hears what for. */
#define CONVERGE_TELL_MS 15000

static const struct restore_patience patience = {
	.object_deadline = 120000, .backoff_min = 100, .backoff_max = 8000, .gate = 120000, .gate_poll = 500};

void restore_block(struct restore *restore, const char *fmt, ...)
{
	va_list args;
	char line[1024];

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	if (map_put(&restore->blocked, line, restore))
		return;
	if (restore->blockers.len)
		strbuf_addc(&restore->blockers, '\n');
	strbuf_adds(&restore->blockers, line);
}

void restore_free(struct restore *restore)
{
	if (!restore)
		return;
	for (size_t i = 0; i < restore->action_count; i++) {
		json_decref(restore->actions[i].patch);
		json_decref(restore->actions[i].fields);
		free(restore->actions[i].error);
	}
	free(restore->actions);
	free(restore->wave_times);
	json_decref(restore->findings);
	strbuf_release(&restore->blockers);
	map_release(&restore->blocked, NULL);
	discovery_free(restore->discovery);
	policy_free(restore->policy);
	snapshot_free(restore->snapshot);
	free(restore->target_id);
	free(restore->server_version);
	free(restore);
}

static int policy_open(struct restore *restore, struct error *err)
{
	const struct tree_file *file;

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

static int fetch(struct restore *restore, struct error *err)
{
	const struct restore_settings *s = restore->settings;
	int rc;

	phase_start(&restore->phases, PHASE_FETCH);
	rc = snapshot_open(&restore->snapshot, s->source, s->snapshot, err) < 0 ? -1 : policy_open(restore, err);
	phase_stop(&restore->phases, PHASE_FETCH);
	if (rc < 0)
		return -1;
	restore->wave_times = xcalloc(restore->policy->wave_count + 1, sizeof(*restore->wave_times));
	for (size_t i = 0; i < restore->policy->wave_count; i++)
		restore->wave_times[i] = (struct wave_times){.gate_ms = -1, .apply_ms = -1};
	return 0;
}

static int blocked(const struct restore *restore, struct error *err)
{
	if (!restore->blockers.len)
		return 0;
	error_set(err, ERR_NOT_READY, "the target %s is not ready:\n%s", kube_server(restore->settings->client), restore->blockers.buf);
	return error_hint(err, "mend each of them, then run the restore again");
}

static int preflight(struct restore *restore, struct error *err)
{
	int rc;

	phase_start(&restore->phases, PHASE_PREFLIGHT);
	rc = preflight_check(restore, err) < 0 || blocked(restore, err) < 0 || plan_make(restore, err) < 0 || blocked(restore, err) < 0 ? -1
																	: 0;
	phase_stop(&restore->phases, PHASE_PREFLIGHT);
	return rc;
}

int restore_prepare(struct restore **out, const struct restore_settings *settings, struct error *err)
{
	struct restore *restore = xcalloc(1, sizeof(*restore));

	restore->settings = settings;
	restore->patience = patience;
	restore->blockers = (struct strbuf)STRBUF_INIT;
	restore->findings = json_array();
	phases_init(&restore->phases, settings->rto_ms);
	if (fetch(restore, err) < 0 || preflight(restore, err) < 0) {
		restore_free(restore);
		return -1;
	}
	*out = restore;
	return 0;
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
		.discovery = restore->discovery};
}

/* What the server refused does not come however long one waits, and neither do its children. */
static void give_up_failed(const struct restore *restore, struct map *given_up)
{
	for (size_t i = 0; i < restore->action_count; i++) {
		const struct object *o = restore->actions[i].object;
		auto_free char *identity = judge_identity(o->group, o->kind, o->namespace_, o->name);

		if (restore->actions[i].result == RESULT_FAILED)
			map_put(given_up, identity, given_up);
	}
}

/* Look, and look again whenever something changed, until nothing is pending or the time is over. */
static int converge_until(struct restore *restore, const struct verify_settings *settings, json_t **converge, struct error *err)
{
	int64_t until = clock_monotonic_ms() + restore->settings->wait_ms, tell = clock_monotonic_ms() + CONVERGE_TELL_MS;

	for (;;) {
		auto_strbuf struct strbuf text = STRBUF_INIT;
		struct verify_look *look;
		size_t pending;
		int64_t left;
		int rc = 0;

		if (verify_look_new(&look, settings, false, err) < 0) {
			if (err->code != ERR_UNAVAILABLE || clock_monotonic_ms() >= until)
				return error_wrap(err, "the target went away while it was waited for");
			log_info("%s", err->text);
			error_clear(err);
			continue;
		}
		pending = verify_pending(look, &text);
		left = until - clock_monotonic_ms();
		if (pending && clock_monotonic_ms() >= tell) {
			log_info("waiting for %zu: %s", pending, text.buf);
			tell = clock_monotonic_ms() + CONVERGE_TELL_MS;
		}
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

	phase_start(&restore->phases, PHASE_CONVERGE);
	give_up_failed(restore, &given_up);
	settings.given_up = &given_up;
	rc = converge_until(restore, &settings, result, err);
	map_release(&given_up, NULL);
	phase_stop(&restore->phases, PHASE_CONVERGE);
	return rc;
}

static int verify(struct restore *restore, json_t **probes, struct outcome *outcome, struct error *err)
{
	struct verify_settings settings = verify_settings_of(restore);
	struct verify_look *look;
	int rc;

	phase_start(&restore->phases, PHASE_VERIFY);
	rc = verify_look_new(&look, &settings, true, err);
	if (rc == 0) {
		*probes = verify_probes(look, outcome);
		verify_look_free(look);
	}
	phase_stop(&restore->phases, PHASE_VERIFY);
	return rc;
}

static int apply(struct restore *restore, struct outcome *outcome, struct error *err)
{
	int rc;

	phase_start(&restore->phases, PHASE_APPLY);
	rc = apply_run(restore, err);
	phase_stop(&restore->phases, PHASE_APPLY);
	for (size_t i = 0; i < restore->action_count; i++)
		if (restore->actions[i].result == RESULT_CONFLICT || restore->actions[i].result == RESULT_FAILED)
			outcome_add(outcome, ERR_PARTIAL);
	return rc;
}

int restore_run(struct restore *restore, json_t **report, struct outcome *outcome, struct error *err)
{
	auto_json json_t *converged = NULL, *probes = NULL;
	bool wait = restore->settings->wait_ms > 0;
	int rc = apply(restore, outcome, err);

	if (rc == 0 && wait)
		rc = converge(restore, &converged, err);
	if (rc == 0 && wait)
		rc = verify(restore, &probes, outcome, err);
	if (phases_missed(&restore->phases))
		outcome_add(outcome, ERR_OBJECTIVE);
	*report = report_make(restore, true);
	json_object_set(*report, "converge", converged ? converged : json_null());
	json_object_set(*report, "probes", probes ? probes : json_null());
	return rc;
}
