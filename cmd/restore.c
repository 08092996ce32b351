/* SPDX-License-Identifier: Apache-2.0 */
#include "restore/restore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "drill/chain.h"
#include "drill/keep.h"
#include "drill/record.h"
#include "kube/client.h"
#include "kube/kubeconfig.h"
#include "kube/object_api.h"
#include "live.h"
#include "output.h"
#include "recovery.h"
#include "restore/journal.h"
#include "restore/phases.h"
#include "restore_print.h"
#include "serving.h"
#include "tables.h"
#include "util/clock.h"
#include "util/env.h"
#include "util/error.h"
#include "util/interrupt.h"
#include "util/json.h"
#include "util/log.h"

#define MAINTENANCE_WARNINGS 20 /* lines */
#define EXPECT_FROM 20          /* the last so many records */

static int check_consent(const struct settings *settings, struct error *err)
{
	if (settings->yes || (isatty(STDIN_FILENO) && isatty(STDERR_FILENO)))
		return 0;
	error_set(err, ERR_USAGE, "there is no terminal to ask on whether to restore");
	return error_hint(err, "say --yes to restore without being asked");
}

/* The plan and the question go to the terminal, also where standard output is kept in a file. */
static int ask(const struct context *ctx, struct restore *restore, struct error *err)
{
	auto_json json_t *plan = restore_plan_json(restore);
	int64_t asked = clock_monotonic_ms();
	char answer[16] = "";
	struct output out;
	bool yes;
	int rc;

	output_init(&out, STDERR_FILENO, ctx->settings.color);
	print_plan(&out, plan);
	output_prompt(&out, "Type yes to restore: ");
	rc = output_flush(&out, err);
	output_release(&out);
	if (rc < 0)
		return -1;
	yes = fgets(answer, sizeof(answer), stdin) && strcmp(answer, "yes\n") == 0;
	restore_waited(restore, clock_monotonic_ms() - asked);
	return yes ? 0 : error_set(err, ERR_USAGE, "not confirmed: nothing was restored");
}

/* Said also where nobody is asked: what was stopped is no failure of the restore, and serves no more than before. */
static void warn_of_maintenance(const json_t *plan)
{
	const json_t *list = json_object_get(plan, "maintenance"), *entry;
	size_t i;

	json_array_foreach (list, i, entry) {
		auto_free char *object = table_object_text(entry);

		if (i < MAINTENANCE_WARNINGS)
			log_warning("%s was stopped when the snapshot was taken (%s)", object, table_text(entry, "state"));
	}
	if (i > MAINTENANCE_WARNINGS)
		log_warning("and %zu more", i - MAINTENANCE_WARNINGS);
}

/* What comes back may be older than the snapshot. */
static void warn_of_stale(const json_t *plan)
{
	const json_t *mark;
	size_t i;

	json_array_foreach (json_at(plan, "snapshot", "stale", NULL), i, mark) {
		const char *group = table_text(mark, "group");

		log_warning("%s%s%s could not be read when the snapshot was taken: it is restored as it was at %s",
			table_text(mark, "resource"), *group ? "." : "", group, table_text(mark, "since"));
	}
}

static void warn_of(const struct restore *restore)
{
	auto_json json_t *plan = restore_plan_json(restore);

	warn_of_maintenance(plan);
	warn_of_stale(plan);
}

/* The kubeconfig as the next run can name it. Of several files that were merged there is no one name: it has to find them as this one did. */
static const char *kubeconfig_of(const struct context *ctx)
{
	const char *several = env_get("KUBECONFIG");

	return ctx->settings.kubeconfig || !several || !strchr(several, ':') ? ctx->config->file : NULL;
}

/* What the restore cannot bring back. By the commit, since the branch may have moved where the source still lives. */
static void look_at_source(struct context *ctx, const char *name)
{
	const char *commit = json_text_at(ctx->result, "snapshot", "commit", NULL);

	json_object_set_new(json_object_get(ctx->result, "rpo"), "changedSince",
		live_changed_since(ctx, commit && !snapshot_is_path(name) ? commit : name));
}

/* Where it is written; NULL: nowhere. The caller frees. */
static char *record_directory(const struct context *ctx)
{
	const char *journal = json_text_at(ctx->result, "journal", NULL), *slash = journal ? strrchr(journal, '/') : NULL;

	if (ctx->settings.report_dir)
		return xstrdup(ctx->settings.report_dir);
	return slash ? xstrndup(journal, (size_t)(slash - journal)) : NULL;
}

/* A restore whose record cannot be written is a restore all the same. */
static void keep_record(struct context *ctx, const struct restore_settings *settings, int rc, const struct error *err)
{
	struct outcome whole = ctx->outcome;
	const struct record_input input = {.kind = settings->rehearsal ? "drill" : "restore",
		.mode = "real",
		.report = ctx->result,
		.clock = settings->clock,
		.outcome = &whole,
		.error = rc < 0 ? err->text : NULL,
		.configuration = ctx->settings.config_file};
	const char *repo = settings->snapshot && snapshot_is_path(settings->snapshot) ? NULL : settings->source->repo;
	auto_free char *dir = record_directory(ctx);
	auto_json json_t *record = NULL, *kept = NULL;

	if (!dir)
		return;
	if (rc < 0)
		outcome_add(&whole, err->code);
	record = record_make(&input);
	kept = record_keep(record, repo, dir);
	json_object_set(ctx->result, "record", json_object_get(kept, "path"));
	json_object_set(ctx->result, "recordCommit", json_object_get(kept, "commit"));
}

/* How long the phases took the last time that a restore or drill of this cluster passed: to look ahead, where nothing surer is known. */
static void expect_as_before(const struct restore_settings *settings, int64_t expected_ms[PHASE_COUNT])
{
	const struct snapshot_source *source = settings->source;
	auto_json json_t *trend = NULL;
	auto_free char *cluster = NULL;
	struct error ignored = ERROR_INIT;
	struct git_store *store;

	if (!source->repo || git_store_open(&store, source->repo, false, NULL, &ignored) < 0)
		return;
	if (git_store_cluster(store, source->cluster, &cluster, &ignored) == 0)
		(void)chain_trend(store, cluster, NULL, EXPECT_FROM, &trend, &ignored);
	git_store_free(store);
	chain_expect(trend, expected_ms);
}

static int restore_timed(struct context *ctx, struct restore_settings *settings, bool confirmed, struct error *err)
{
	struct restore *restore;
	int rc;

	if (serving_said(&ctx->settings, &ctx->serving, err) < 0)
		return -1;
	settings->serving = &ctx->serving;
	expect_as_before(settings, settings->expected_ms);
	settings->client = ctx->client;
	settings->kubeconfig = kubeconfig_of(ctx);
	settings->context = ctx->config->context;
	settings->keep_record = true;
	if (restore_prepare(&restore, settings, err) < 0)
		return -1;
	rc = restore_blocked(restore, err);
	if (rc < 0)
		ctx->result = restore_plan_json(restore);
	else if (confirmed)
		warn_of(restore);
	else
		rc = ask(ctx, restore, err);
	if (rc == 0) {
		interrupt_watch();
		rc = restore_run(restore, &ctx->result, &ctx->outcome, err);
		if (rc == 0)
			look_at_source(ctx, settings->snapshot);
		if (ctx->result)
			keep_record(ctx, settings, rc, err);
	}
	restore_free(restore);
	return rc;
}

/* One word for all: from the plan to the report. */
static int restore_from(struct context *ctx, struct restore_settings *settings, bool confirmed, struct error *err)
{
	struct phases clock;
	bool marked = false;
	int rc;

	phases_init(&clock, settings->rto_ms);
	settings->clock = &clock;
	settings->rpo_ms = settings->rpo_ms ? settings->rpo_ms : ctx->settings.rpo_ms;
	rc = recovery_clock(ctx, &clock, &marked, err);
	if (rc == 0 && marked)
		recovery_mark_begin();
	if (rc == 0)
		rc = restore_timed(ctx, settings, confirmed, err);
	if (marked)
		recovery_mark_end(&clock);
	phases_release(&clock);
	return rc;
}

/* ---- resuming ---- */

/* All of it is in the journal, or in the plan: what is said once more could only contradict it. */
static int check_shaping(const struct settings *settings, const char *option, const char *source, struct error *err)
{
	static const enum option_id shaping[] = {OPTION_IN_PLACE, OPTION_ACCEPT_EDITS, OPTION_OTHER_POLICY, OPTION_WAIT, OPTION_RTO,
		OPTION_CLUSTER, OPTION_PARTIAL, OPTION_IGNORE, OPTION_OVERWRITE, OPTION_DROP_UNKNOWN_FIELDS, OPTION_ADOPT_ORPHANS,
		OPTION_ONLY, OPTION_ONLY_REFERENCES, OPTION_MAP_NAMESPACE, OPTION_MAP_GATEWAY, OPTION_MAP_CIDR, OPTION_MAP_HOST};

	for (size_t i = 0; i < sizeof(shaping) / sizeof(shaping[0]); i++)
		if (settings->from[shaping[i]] == FROM_COMMAND_LINE) {
			(void)error_set(err, ERR_USAGE, "--%s takes '--%s' from the %s", option, option_rows[shaping[i]].name, source);
			return error_hint(err, "leave it out, or restore the snapshot anew");
		}
	return 0;
}

static int check_resume(const struct settings *settings, struct error *err)
{
	if (check_shaping(settings, "resume", "journal", err) < 0)
		return -1;
	if (settings->from[OPTION_REPO] != FROM_COMMAND_LINE)
		return 0;
	(void)error_set(err, ERR_USAGE, "--resume takes '--repo' from the journal");
	return error_hint(err, "leave it out, or restore the snapshot anew");
}

static char *text_of(const json_t *header, const char *key)
{
	return xstrdup(json_text_at(header, "kubeconfig", key, NULL));
}

/* By the words on the command line, else as the run before. */
static int open_client_of(struct context *ctx, const json_t *header, struct error *err)
{
	struct settings *s = &ctx->settings;

	if (s->from[OPTION_KUBECONFIG] != FROM_COMMAND_LINE && s->from[OPTION_CONTEXT] != FROM_COMMAND_LINE) {
		free(s->kubeconfig);
		free(s->context);
		s->kubeconfig = text_of(header, "file");
		s->context = text_of(header, "context");
	}
	return context_open_client(ctx, err);
}

int context_find_journal(struct context *ctx, char **path, struct error *err)
{
	auto_free char *id = NULL, *dir = NULL;

	if (kube_cluster_id(ctx->client, &id, err) < 0 || journal_directory(&dir, id, err) < 0)
		return -1;
	return journal_find(path, dir, err);
}

static int open_journal(struct context *ctx, struct journal **journal, struct error *err)
{
	auto_free char *path = xstrdup(context_arg(ctx, 0));

	if (!path && (context_open_client(ctx, err) < 0 || context_find_journal(ctx, &path, err) < 0))
		return -1;
	if (journal_open(journal, path, err) < 0)
		return -1;
	return ctx->client ? 0 : open_client_of(ctx, journal_header(*journal), err);
}

/* There is nothing left to do: the exit code is the one that it had. */
static int tell_finished(struct context *ctx, const struct journal *journal, int exit_code)
{
	log_info("the restore of journal '%s' has come to its end with exit code %d: there is nothing to resume", journal_path(journal),
		exit_code);
	outcome_add(&ctx->outcome, (enum error_code)exit_code);
	ctx->result = json_pack("{s:s, s:i}", "journal", journal_path(journal), "exitCode", exit_code);
	return 0;
}

static int resume_from(struct context *ctx, struct journal *journal, struct error *err)
{
	struct restore_settings settings = {.journal = journal};
	int exit_code;

	if (journal_is_finished(journal, &exit_code))
		return tell_finished(ctx, journal, exit_code);
	restore_settings_of(journal_header(journal), &settings, &ctx->source);
	return restore_from(ctx, &settings, true, err);
}

static int resume(struct context *ctx, struct error *err)
{
	struct journal *journal = NULL;
	int rc = -1;

	if (check_resume(&ctx->settings, err) == 0 && open_journal(ctx, &journal, err) == 0)
		rc = resume_from(ctx, journal, err);
	journal_free(journal);
	return rc;
}

/* ---- a plan from a file ---- */

/* The snapshot may have moved since: its manifest says whether it is the same. */
static void find_snapshot_of(const struct context *ctx, struct restore_settings *settings, struct snapshot_source *source)
{
	if (ctx->settings.from[OPTION_REPO] == FROM_COMMAND_LINE)
		source->repo = ctx->settings.repo;
	if (context_arg(ctx, 0))
		settings->snapshot = context_arg(ctx, 0);
}

static int restore_plan_file(struct context *ctx, struct error *err)
{
	const struct settings *s = &ctx->settings;
	auto_json json_t *plan = NULL;
	struct restore_settings settings = {.plan_name = s->plan};

	if (check_shaping(s, "plan", "plan", err) < 0 || check_consent(s, err) < 0 || restore_plan_read(&plan, s->plan, err) < 0 ||
		context_open_client(ctx, err) < 0)
		return -1;
	settings.plan = plan;
	restore_settings_of(plan, &settings, &ctx->source);
	find_snapshot_of(ctx, &settings, &ctx->source);
	return restore_from(ctx, &settings, s->yes, err);
}

/* ---- the command ---- */

static int needs_snapshot(const struct context *ctx, struct error *err)
{
	(void)error_set(err, ERR_USAGE, "'restore' needs SNAPSHOT, --plan or --resume");
	return error_hint(err, "usage: %s restore [OPTIONS] %s", ctx->program, ctx->command->args);
}

struct restore_settings restore_settings_said(struct context *ctx)
{
	const struct settings *s = &ctx->settings;

	return (struct restore_settings){
		.source = &ctx->source,
		.snapshot = context_arg(ctx, 0),
		.policy = s->other_policy,
		.in_place = s->in_place,
		.wait_ms = s->wait_ms,
		.rto_ms = s->rto_ms,
		.partial = s->partial,
		.overwrite = s->overwrite,
		.drop_unknown_fields = s->drop_unknown_fields,
		.adopt_orphans = s->adopt_orphans,
		.ignore = &s->ignore,
		.selection = &s->selection,
		.mapping = &s->mapping,
	};
}

int command_restore(struct context *ctx, struct error *err)
{
	const struct settings *s = &ctx->settings;
	struct restore_settings settings = restore_settings_said(ctx);

	if (s->resume)
		return resume(ctx, err);
	if (s->plan)
		return restore_plan_file(ctx, err);
	if (!settings.snapshot)
		return needs_snapshot(ctx, err);
	if (check_consent(s, err) < 0 || context_open_client(ctx, err) < 0)
		return -1;
	return restore_from(ctx, &settings, s->yes, err);
}
