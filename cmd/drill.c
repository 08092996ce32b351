/* SPDX-License-Identifier: Apache-2.0 */
#include "drill/drill.h"

#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "drill/chain.h"
#include "drill/keep.h"
#include "drill/scenario.h"
#include "kube/client.h"
#include "kube/kubeconfig.h"
#include "output.h"
#include "recovery.h"
#include "restore/cleanup.h"
#include "restore/journal.h"
#include "restore/phases.h"
#include "restore_print.h"
#include "store/git.h"
#include "tables.h"
#include "util/clock.h"
#include "util/env.h"
#include "util/error.h"
#include "util/interrupt.h"
#include "util/json.h"
#include "util/log.h"
#include "util/mem.h"

#define CLEANUP_MS 600000 /* finalizers of services that unload a model */
#define TREND 20

/* One drill of the run. */
struct round {
	struct context *ctx;
	const struct scenario *scenario; /* NULL: as the command line says */
	const char *snapshot;            /* NULL: the newest */
};

/* ---- what is said where ---- */

static void take_scenario(const struct round *round, struct restore_settings *restore, struct drill_settings *drill)
{
	const struct scenario *s = round->scenario;

	if (round->snapshot)
		restore->snapshot = round->snapshot;
	if (!s)
		return;
	drill->scenario = s->name;
	if (s->selection.only.count)
		restore->selection = &s->selection;
	if (!mapping_is_empty(&s->mapping))
		restore->mapping = &s->mapping;
	if (s->wait_ms >= 0)
		restore->wait_ms = s->wait_ms;
	if (s->rto_ms >= 0)
		restore->rto_ms = s->rto_ms;
	if (s->recovery.directory)
		drill->recovery = &s->recovery;
}

/* The cluster may be new, and its kubeconfig with it. */
static int open_target(void *arg, struct kube_client **client, struct error *err)
{
	struct context *ctx = arg;

	if (!ctx->client && context_open_client(ctx, err) < 0)
		return -1;
	*client = ctx->client;
	return 0;
}

static void close_target(struct context *ctx)
{
	kube_client_free(ctx->client);
	kube_config_free(ctx->config);
	ctx->client = NULL;
	ctx->config = NULL;
}

/* ---- what came of it ---- */

/* "20%" or "20". */
static int parse_percent(const char *text, double *percent, struct error *err)
{
	char *end;

	*percent = strtod(text, &end);
	if (end != text && (*end == '\0' || strcmp(end, "%") == 0) && *percent >= 0 && *percent <= 10000)
		return 0;
	return error_set(err, ERR_USAGE, "option '--fail-if-slower': not a percentage: '%s'", text);
}

static json_t *trend_of(const char *repo, const json_t *record)
{
	const char *name = json_text_at(record, "name", NULL);
	struct error ignored = ERROR_INIT;
	struct git_store *store;
	json_t *trend = NULL;

	if (repo && name && git_store_open(&store, repo, false, NULL, &ignored) == 0) {
		(void)chain_trend(store, name, NULL, TREND, &trend, &ignored);
		git_store_free(store);
	}
	return trend ? trend : json_array();
}

static void compare(struct context *ctx, json_t *entry, const json_t *record)
{
	const char *limit = ctx->settings.fail_if_slower;
	struct error impossible = ERROR_INIT; /* read before the drill */
	double percent = 0, allowed = 0;

	if (!drill_slower(record, json_object_get(entry, "trend"), &percent)) {
		json_object_set_new(entry, "slowerPercent", json_null());
		return;
	}
	json_object_set_new(entry, "slowerPercent", json_real(percent));
	if (!limit || parse_percent(limit, &allowed, &impossible) < 0 || percent <= allowed)
		return;
	log_warning("the drill was %.0f %% slower than the last ones (%s are allowed)", percent, limit);
	outcome_add(&ctx->outcome, ERR_OBJECTIVE);
}

/* Where its file goes; NULL: nowhere. The caller frees. */
static char *report_dir(const struct context *ctx)
{
	auto_free char *state = env_state_directory();

	if (ctx->settings.report_dir)
		return xstrdup(ctx->settings.report_dir);
	return state ? xasprintf("%s/records", state) : NULL;
}

static void add_record(struct context *ctx, json_t *record)
{
	const char *snapshot = json_text_at(record, "input", "snapshot", "name", NULL);
	const char *repo = snapshot && snapshot_is_path(snapshot) ? NULL : ctx->settings.repo;
	auto_free char *dir = report_dir(ctx);
	json_t *entry = record_keep(record, repo, dir);

	json_object_set_new(entry, "trend", trend_of(repo, record));
	compare(ctx, entry, record);
	json_object_set(entry, "record", record);
	json_array_append_new(json_object_get(ctx->result, "drills"), entry);
}

/* ---- one ---- */

static int run_round(const struct round *round, struct error *err)
{
	struct context *ctx = round->ctx;
	const struct settings *s = &ctx->settings;
	struct restore_settings restore = restore_settings_said(ctx);
	struct drill_settings drill = {.restore = &restore,
		.recovery = &s->recovery,
		.local = s->local,
		.keep = s->keep,
		.configuration = s->config_file,
		.targets = &s->drill_targets,
		.cleanup_ms = CLEANUP_MS,
		.open = open_target,
		.arg = ctx};
	auto_json json_t *record = NULL;
	struct phases clock;
	bool marked = false;
	int rc;

	restore.rpo_ms = s->rpo_ms;
	take_scenario(round, &restore, &drill);
	phases_init(&clock, restore.rto_ms);
	drill.clock = &clock;
	rc = recovery_clock(ctx, &clock, &marked, err);
	if (rc == 0 && marked)
		recovery_mark_begin();
	if (rc == 0)
		rc = drill_run(&drill, &record, &ctx->outcome, err);
	if (marked)
		recovery_mark_end(&clock);
	if (record)
		add_record(ctx, record);
	phases_release(&clock);
	close_target(ctx);
	return rc;
}

/* ---- all of them ---- */

struct rounds {
	struct round *items;
	size_t count, cap;
	struct strlist commits; /* that they name */
};

static void add_round(struct rounds *rounds, struct context *ctx, const struct scenario *scenario, const char *snapshot)
{
	rounds->items = xgrow(rounds->items, &rounds->cap, rounds->count + 1, sizeof(*rounds->items));
	rounds->items[rounds->count++] = (struct round){.ctx = ctx, .scenario = scenario, .snapshot = snapshot};
}

struct walk {
	struct strlist *commits;
	size_t left;
};

static int take_commit(const struct git_commit *commit, void *arg)
{
	struct walk *walk = arg;

	strlist_add(walk->commits, commit->id);
	return --walk->left == 0;
}

/* The last ones of the branch, newest first. */
static int list_last(struct context *ctx, size_t count, struct strlist *out, struct error *err)
{
	struct walk walk = {.commits = out, .left = count};
	auto_free char *cluster = NULL;
	struct git_store *store;
	int rc;

	if (git_store_open(&store, ctx->settings.repo, false, NULL, err) < 0)
		return -1;
	rc = git_store_cluster(store, ctx->settings.cluster, &cluster, err);
	if (rc == 0)
		rc = git_log(store, cluster, take_commit, &walk, err);
	git_store_free(store);
	return rc;
}

static int add_scenario(struct rounds *rounds, struct context *ctx, const struct scenario *scenario, struct error *err)
{
	size_t from = rounds->commits.count;

	if (!scenario->last) {
		add_round(rounds, ctx, scenario, scenario->snapshot);
		return 0;
	}
	if (list_last(ctx, scenario->last, &rounds->commits, err) < 0)
		return error_wrap(err, "scenario '%s'", scenario->name);
	for (size_t i = from; i < rounds->commits.count; i++)
		add_round(rounds, ctx, scenario, rounds->commits.items[i]);
	return 0;
}

static int plan_rounds(struct rounds *rounds, struct context *ctx, const struct scenarios *scenarios, struct error *err)
{
	for (size_t i = 0; i < scenarios->count; i++)
		if (add_scenario(rounds, ctx, &scenarios->items[i], err) < 0)
			return -1;
	if (!scenarios->count)
		add_round(rounds, ctx, NULL, NULL);
	return 0;
}

/* Of several, the next one begins whatever came of this; what is wrong with the set-up, or a signal, ends all. */
static int run_rounds(struct context *ctx, const struct rounds *rounds, struct error *err)
{
	for (size_t i = 0; i < rounds->count; i++) {
		const struct round *round = &rounds->items[i];

		if (rounds->count > 1)
			log_info("drill %zu of %zu: %s %s", i + 1, rounds->count, round->scenario ? round->scenario->name : "",
				round->snapshot ? round->snapshot : "the newest snapshot");
		if (run_round(round, err) == 0)
			continue;
		if (rounds->count == 1 || err->code == ERR_USAGE || err->code == ERR_GUARD || err->code == ERR_INTERRUPTED)
			return -1;
		log_error("%s", err->text);
		outcome_add(&ctx->outcome, err->code);
		error_clear(err);
	}
	return 0;
}

static int run_scenarios(struct context *ctx, struct error *err)
{
	struct scenarios scenarios = {0};
	struct rounds rounds = {.commits = STRLIST_INIT};
	int rc = ctx->settings.scenarios ? scenarios_read(&scenarios, ctx->settings.scenarios, err) : 0;

	ctx->result = json_pack("{s:[]}", "drills");
	if (rc == 0)
		rc = plan_rounds(&rounds, ctx, &scenarios, err);
	if (rc == 0) {
		interrupt_watch();
		rc = run_rounds(ctx, &rounds, err);
	}
	free(rounds.items);
	strlist_release(&rounds.commits);
	scenarios_release(&scenarios);
	return rc;
}

/* ---- cleaning up after one ---- */

static int find_journal(struct context *ctx, char **path, struct error *err)
{
	*path = xstrdup(context_arg(ctx, 0));
	return *path ? 0 : context_find_journal(ctx, path, err);
}

/* What an incident has brought back is nobody's rehearsal. */
static int check_rehearsal(const struct journal *journal, struct error *err)
{
	if (json_is_true(json_at(journal_header(journal), "options", "rehearsal", NULL)))
		return 0;
	return error_set(
		err, ERR_USAGE, "the journal '%s' is of a restore, not of a drill: nothing of it is taken away", journal_path(journal));
}

static int clean_up(struct context *ctx, struct error *err)
{
	struct cleanup_settings settings = {.timeout_ms = CLEANUP_MS};
	auto_free char *path = NULL;
	json_t *cleanup = NULL;
	struct journal *journal;
	int rc;

	if (context_open_client(ctx, err) < 0 || find_journal(ctx, &path, err) < 0 || journal_read(&journal, path, err) < 0)
		return -1;
	settings.client = ctx->client;
	settings.journal = journal;
	interrupt_watch();
	rc = check_rehearsal(journal, err);
	if (rc == 0)
		rc = cleanup_run(&settings, &cleanup, err);
	if (cleanup) {
		ctx->result = json_pack("{s:s, s:o}", "journal", path, "cleanup", cleanup);
		if (strcmp(table_text(cleanup, "result"), "done") != 0)
			outcome_add(&ctx->outcome, ERR_PARTIAL);
	}
	journal_free(journal);
	return rc;
}

/* ---- the command ---- */

int command_drill(struct context *ctx, struct error *err)
{
	const struct settings *s = &ctx->settings;
	double percent;

	if (s->fail_if_slower && parse_percent(s->fail_if_slower, &percent, err) < 0)
		return -1;
	if (s->cleanup && (s->local || s->scenarios))
		return error_set(err, ERR_USAGE, "--cleanup goes with neither --local nor --scenarios");
	if (s->scenarios && context_arg(ctx, 0))
		return error_set(err, ERR_USAGE, "the scenarios say which snapshots: leave out SNAPSHOT");
	return s->cleanup ? clean_up(ctx, err) : run_scenarios(ctx, err);
}

static void print_cleanup(struct output *out, const json_t *cleanup)
{
	static const struct column columns[] = {
		{"OBJECT", "object", CELL_TEXT, 0}, {"WHY", "text", CELL_TEXT, 0}, {NULL, NULL, CELL_TEXT, 0}};

	if (!json_is_object(cleanup))
		return;
	output_status(out, "cleanup", table_text(cleanup, "result"), "%lld objects deleted, %lld were gone",
		table_number(cleanup, "deleted"), table_number(cleanup, "gone"));
	if (json_array_size(json_object_get(cleanup, "left")) == 0)
		return;
	output_heading(out, "Left on the target:");
	output_table(out, json_object_get(cleanup, "left"), columns);
}

static void print_phases(struct output *out, const json_t *record)
{
	static const struct column columns[] = {{"PHASE", "name", CELL_TEXT, 0}, {"TIME", "milliseconds", CELL_DURATION, 0},
		{"HOW", "how", CELL_TEXT, 0}, {NULL, NULL, CELL_TEXT, 0}};

	output_heading(out, "Phases:");
	output_table(out, json_object_get(record, "phases"), columns);
}

static void print_drill(struct output *out, const json_t *entry)
{
	const json_t *record = json_object_get(entry, "record"), *reasons = json_at(record, "verdict", "reasons", NULL), *reason;
	const json_t *known = json_at(record, "rto", "achievedMilliseconds", NULL);
	char spent[CLOCK_TEXT_SIZE], target[CLOCK_TEXT_SIZE];
	size_t i;

	if (!json_is_integer(known))
		known = json_at(record, "rto", "knownMilliseconds", NULL);
	output_field(out, "drill", "%s%s%s", table_text(record, "id"), *table_text(record, "scenario") ? ", " : "",
		table_text(record, "scenario"));
	output_status(out, "verdict", table_text(json_object_get(record, "verdict"), "result"), "%s", "");
	output_status(out, "RTO", table_text(json_object_get(record, "rto"), "verdict"), "%s of %s",
		clock_format_duration(json_integer_value(known), spent),
		clock_format_duration(json_integer_value(json_at(record, "rto", "targetMilliseconds", NULL)), target));
	json_array_foreach (reasons, i, reason)
		output_field(out, i ? "" : "reasons", "%s", json_string_value(reason));
	print_cleanup(out, json_object_get(record, "cleanup"));
	if (json_is_string(json_object_get(entry, "path")))
		output_field(out, "record", "%s", table_text(entry, "path"));
	print_phases(out, record);
}

void print_drills(struct output *out, const json_t *result)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (json_object_get(result, "drills"), i, entry)
		print_drill(out, entry);
	print_cleanup(out, json_object_get(result, "cleanup"));
}
