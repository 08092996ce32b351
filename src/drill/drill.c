/* SPDX-License-Identifier: Apache-2.0 */
#include "drill/drill.h"

#include <stdlib.h>
#include <string.h>

#include "drill/command.h"
#include "drill/local.h"
#include "drill/record.h"
#include "kube/client.h"
#include "kube/object_api.h"
#include "restore/cleanup.h"
#include "restore/journal.h"
#include "restore/phases.h"
#include "restore/recovery.h"
#include "store/git.h"
#include "store/snapshot.h"
#include "targets.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/interrupt.h"
#include "util/json.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/outcome.h"

struct drill {
	const struct drill_settings *settings;
	struct restore_settings restore;
	struct kube_client *client; /* ours only in a local drill */
	struct local_cluster *local;
	json_t *report;  /* of the restore, or what is known before there is one; never NULL */
	json_t *cleanup; /* as the record has it; NULL: not tried */
	struct outcome *outcome;
	bool refused; /* nothing was done */
};

/* ---- the phases of others ---- */

static int run_phase(struct drill *drill, enum phase phase, struct error *err)
{
	const struct drill_settings *s = drill->settings;

	if (s->local || s->recovery->phases[phase].run.count == 0)
		return 0;
	log_info("%s: %s", phase_name(phase), s->recovery->phases[phase].run.items[0]);
	return phase_run_command(s->clock, phase, s->recovery, NULL, err);
}

static int run_phases_before(struct drill *drill, struct error *err)
{
	static const enum phase before[] = {PHASE_DECLARE, PHASE_CREATE_CLUSTER, PHASE_INSTALL_OPERATORS, PHASE_SECRETS};

	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++)
		if (run_phase(drill, before[i], err) < 0)
			return -1;
	return 0;
}

/* ---- the target ---- */

/* In a drill of its own control plane: the definitions that the installation of the operators would bring. */
static int install_definitions(struct drill *drill, struct error *err)
{
	struct snapshot *snapshot;
	size_t installed;
	int rc;

	if (snapshot_open(&snapshot, drill->restore.source, drill->restore.snapshot, err) < 0)
		return -1;
	rc = local_install(drill->client, snapshot, &installed, err);
	if (rc == 0)
		log_info("%zu definitions of the snapshot are served", installed);
	snapshot_free(snapshot);
	return rc;
}

static int open_local(struct drill *drill, struct error *err)
{
	if (local_start(&drill->local, err) < 0 || kube_client_new(&drill->client, local_config(drill->local), err) < 0)
		return -1;
	return install_definitions(drill, err);
}

static int open_real(struct drill *drill, struct error *err)
{
	const struct drill_settings *s = drill->settings;
	auto_free char *id = NULL;

	if (s->open(s->arg, &drill->client, err) < 0 || kube_cluster_id(drill->client, &id, err) < 0)
		return -1;
	if (target_check(s->targets, drill->restore.source->repo, id, err) == 0)
		return 0;
	drill->refused = true;
	return -1;
}

/* ---- the restore ---- */

/* What is told of a restore that did not come about. */
static void take_plan(struct drill *drill, const struct restore *restore)
{
	static const char *const keys[] = {"snapshot", "target", "preflight", "mapping", "selection"};
	auto_json json_t *plan = restore_plan_json(restore);

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (json_object_get(plan, keys[i]))
			json_object_set(drill->report, keys[i], json_object_get(plan, keys[i]));
}

static int restore_prepared(struct drill *drill, struct restore *restore, struct error *err)
{
	json_t *report = NULL;
	int rc = restore_blocked(restore, err);

	take_plan(drill, restore);
	if (rc < 0)
		return -1;
	rc = restore_run(restore, &report, drill->outcome, err);
	if (report) {
		json_decref(drill->report);
		drill->report = report;
	}
	return rc;
}

static int restore_it(struct drill *drill, struct error *err)
{
	struct restore *restore;
	int rc;

	drill->restore.client = drill->client;
	if (restore_prepare(&restore, &drill->restore, err) < 0)
		return -1;
	rc = restore_prepared(drill, restore, err);
	restore_free(restore);
	return rc;
}

/* ---- afterwards ---- */

static json_t *cleanup_result(const char *result, const char *text)
{
	json_t *left = json_array();

	if (text)
		json_array_append_new(left, json_pack("{s:s, s:s}", "object", "all that the restore created", "text", text));
	return json_pack("{s:s, s:i, s:i, s:o, s:i}", "result", result, "deleted", 0, "gone", 0, "left", left, "milliseconds", 0);
}

/* By the journal, which is closed by now. */
static int clean_target(struct drill *drill, const char *path, struct error *err)
{
	struct cleanup_settings settings = {.client = drill->client, .timeout_ms = drill->settings->cleanup_ms};
	struct journal *journal;
	int rc;

	if (journal_read(&journal, path, err) < 0)
		return -1;
	settings.journal = journal;
	rc = cleanup_run(&settings, &drill->cleanup, err);
	journal_free(journal);
	return rc;
}

static int clean_local(struct drill *drill)
{
	kube_client_free(drill->client);
	local_stop(drill->local);
	drill->client = NULL;
	drill->local = NULL;
	drill->cleanup = cleanup_result("done", NULL);
	return 0;
}

static int clean(struct drill *drill, struct error *err)
{
	const char *journal = json_text_at(drill->report, "journal", NULL);
	int rc;

	phase_start(drill->settings->clock, PHASE_CLEANUP);
	rc = drill->local ? clean_local(drill) : clean_target(drill, journal, err);
	phase_stop(drill->settings->clock, PHASE_CLEANUP);
	return rc < 0 ? -1 : run_phase(drill, PHASE_CLEANUP, err); /* what goes away with the cluster, if it does */
}

/* Its own result: what the drill has shown stays shown. */
static void clean_up(struct drill *drill)
{
	const char *journal = json_text_at(drill->report, "journal", NULL);
	struct error err = ERROR_INIT;

	if (!drill->local && !journal)
		return; /* nothing was sent */
	if (!drill->local && (drill->settings->keep || interrupted())) {
		drill->cleanup = cleanup_result("not run", drill->settings->keep ? "it was to be kept" : "the drill was interrupted");
		log_info("what the drill made is still on the target; 'rhaii-dr drill --cleanup %s' takes it away", journal);
		return;
	}
	if (clean(drill, &err) < 0) {
		log_warning("cleanup: %s; 'rhaii-dr drill --cleanup %s' tries again", err.text, journal);
		if (!drill->cleanup)
			drill->cleanup = cleanup_result("failed", err.text);
		else
			json_object_set_new(drill->cleanup, "result", json_string("partial"));
	}
	if (strcmp(json_text_at(drill->cleanup, "result", NULL), "done") != 0)
		outcome_add(drill->outcome, ERR_PARTIAL);
}

/* What a drill of its own control plane cannot show, and the checks of the target that are about what will serve: they are findings there, and say nothing of the next cluster. */
static json_t *untested(const struct drill *drill)
{
	json_t *list = local_not_tested();
	const json_t *finding;
	size_t i;

	json_array_foreach (json_object_get(drill->report, "preflight"), i, finding) {
		const char *blocks = json_text_at(finding, "blocks", NULL), *check = json_text_at(finding, "check", NULL);
		auto_free char *what = xasprintf("check %s", check ? check : "");

		if (blocks && strcmp(blocks, "converge") == 0)
			json_array_append_new(
				list, json_pack("{s:s, s:s}", "what", what, "reason", "it is about the cluster that will serve"));
	}
	return list;
}

static json_t *make_record(struct drill *drill, int rc, const struct error *err)
{
	const struct drill_settings *s = drill->settings;
	auto_json json_t *not_tested = s->local ? untested(drill) : NULL;
	struct outcome whole = *drill->outcome;
	const struct record_input input = {.kind = "drill",
		.mode = s->local ? "local" : "real",
		.scenario = s->scenario,
		.report = drill->report,
		.clock = s->clock,
		.outcome = &whole,
		.error = rc < 0 ? err->text : NULL,
		.configuration = s->configuration,
		.not_tested = not_tested,
		.cleanup = drill->cleanup};

	if (rc < 0)
		outcome_add(&whole, err->code);
	return record_make(&input);
}

/* ---- the whole ---- */

static int rehearse(struct drill *drill, struct error *err)
{
	if (run_phases_before(drill, err) < 0)
		return -1;
	if ((drill->settings->local ? open_local(drill, err) : open_real(drill, err)) < 0 || restore_it(drill, err) < 0)
		return -1;
	return run_phase(drill, PHASE_CUTOVER, err);
}

/* Known before there is a restore that could say it: the record of a drill that came to nothing belongs to a cluster, too. NULL: nobody knows. The caller frees. */
static char *cluster_name(const struct snapshot_source *source)
{
	struct error ignored = ERROR_INIT;
	struct git_store *store;
	char *name = NULL;

	if (source->cluster || !source->repo || git_store_open(&store, source->repo, false, NULL, &ignored) < 0)
		return xstrdup(source->cluster);
	(void)git_store_cluster(store, NULL, &name, &ignored);
	git_store_free(store);
	return name;
}

static void init(struct drill *drill, const struct drill_settings *settings, struct outcome *outcome)
{
	auto_free char *name = cluster_name(settings->restore->source);
	char when[CLOCK_TEXT_SIZE];

	*drill = (struct drill){.settings = settings, .restore = *settings->restore, .outcome = outcome};
	drill->restore.clock = settings->clock;
	drill->restore.rehearsal = true;
	drill->restore.keep_record = !settings->local; /* what the drill's own control plane holds needs no journal */
	if (settings->local)
		drill->restore.wait_ms = 0;
	drill->report = json_pack("{s:s, s:{s:s?}}", "startedAt", clock_format(clock_now(), when), "snapshot", "cluster", name);
	/* Nobody declares a start for it: what is assumed takes no time of the wall clock, and is to count all the same. */
	phases_tick(settings->clock);
	recovery_assume(settings->recovery, settings->clock);
}

int drill_run(const struct drill_settings *settings, json_t **record, struct outcome *outcome, struct error *err)
{
	struct drill drill;
	int rc;

	*record = NULL;
	init(&drill, settings, outcome);
	rc = rehearse(&drill, err);
	if (!drill.refused) {
		clean_up(&drill);
		*record = make_record(&drill, rc, err);
	}
	json_decref(drill.report);
	json_decref(drill.cleanup);
	return rc;
}
