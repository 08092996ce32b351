/* SPDX-License-Identifier: Apache-2.0 */
/* Integrity: everything that a restore would rest on is read back whole, and held against its sums. Asks no cluster. */
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "drill/chain.h"
#include "output.h"
#include "store/git.h"
#include "store/records.h"
#include "tables.h"
#include "util/error.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"

struct checking {
	struct context *ctx;
	json_t *list;
};

static void add(struct checking *checking, const char *what, const char *name, const char *result, const char *text)
{
	json_array_append_new(
		checking->list, json_pack("{s:s, s:s, s:s, s:s}", "what", what, "name", name, "result", result, "text", text));
	if (strcmp(result, "damaged") == 0)
		outcome_add(&checking->ctx->outcome, ERR_INTEGRITY);
}

/* A fault of the file itself is a result; what keeps us from looking (no such file, no right to read it) is an error. */
static int check_snapshot(struct checking *checking, const char *what, const char *name, struct error *err)
{
	struct snapshot *snapshot;
	auto_free char *text = NULL;

	if (snapshot_open(&snapshot, &checking->ctx->source, name, err) < 0) {
		if (err->code != ERR_INTEGRITY)
			return -1;
		add(checking, what, name, "damaged", err->text);
		error_clear(err);
		return 0;
	}
	text = xasprintf("%zu objects, %zu files", snapshot->object_count, snapshot->tree.count);
	if (snapshot->verified)
		add(checking, what, name, "ok", text);
	else
		add(checking, what, name, "not verified", "there is no manifest that tells what its files should be");
	snapshot_free(snapshot);
	return 0;
}

/* ---- archives ---- */

static int check_archives(struct checking *checking, struct error *err)
{
	const char *dir = checking->ctx->settings.archive_dir;
	auto_free char *pattern = NULL, *absolute = realpath(dir, NULL);
	glob_t found;
	int rc;

	if (!absolute)
		return error_errno(err, errno, "cannot read directory '%s'", dir);
	pattern = xasprintf("%s/*.tar.zst", absolute);
	rc = glob(pattern, GLOB_ERR, NULL, &found);
	if (rc == GLOB_NOMATCH)
		return 0;
	if (rc != 0)
		return error_set(err, ERR_FAILED, "cannot list the archives in '%s'", dir);
	for (size_t i = 0; rc == 0 && i < found.gl_pathc; i++)
		rc = check_snapshot(checking, "archive", found.gl_pathv[i], err);
	globfree(&found);
	return rc;
}

/* ---- the repository ---- */

struct commits {
	struct checking *checking;
	struct error *err;
	bool failed;
};

static int check_commit(const struct git_commit *commit, void *arg)
{
	struct commits *commits = arg;

	commits->failed = check_snapshot(commits->checking, "snapshot", commit->id, commits->err) < 0;
	return commits->failed || !commits->checking->ctx->settings.all;
}

/* The newest snapshot, with --all each of the branch. */
static int check_branch(struct checking *checking, const char *cluster, struct error *err)
{
	struct commits commits = {.checking = checking, .err = err};

	if (git_log(checking->ctx->store, cluster, check_commit, &commits, err) == 0)
		return commits.failed ? -1 : 0;
	if (err->code != ERR_INTEGRITY)
		return -1;
	add(checking, "snapshot", cluster, "damaged", err->text);
	error_clear(err);
	return 0;
}

static int check_records(struct checking *checking, const char *name, struct error *err)
{
	auto_json json_t *result = NULL;
	auto_free char *text = NULL;
	const json_t *faults, *fault;
	size_t i;

	if (chain_check(checking->ctx->store, name, &result, err) < 0)
		return -1;
	faults = json_object_get(result, "faults");
	json_array_foreach (faults, i, fault) {
		auto_free char *what = xasprintf("%s: %s", table_text(fault, "record"), table_text(fault, "text"));

		add(checking, "records", name, "damaged", what);
	}
	text = xasprintf("%lld records, each of them names the one before", table_number(result, "records"));
	if (json_array_size(faults) == 0)
		add(checking, "records", name, "ok", text);
	return 0;
}

typedef int (*check_fn)(struct checking *checking, const char *name, struct error *err);

/* The one that was asked for, if it is there, or all. */
static int check_each(struct checking *checking, const struct strlist *names, check_fn fn, struct error *err)
{
	const char *cluster = checking->ctx->settings.cluster;

	for (size_t i = 0; i < names->count; i++)
		if ((!cluster || strcmp(cluster, names->items[i]) == 0) && fn(checking, names->items[i], err) < 0)
			return error_wrap(err, "cluster '%s'", names->items[i]);
	return 0;
}

static int check_repository(struct checking *checking, struct error *err)
{
	struct context *ctx = checking->ctx;
	auto_strlist struct strlist clusters = STRLIST_INIT, records = STRLIST_INIT;

	if (git_store_open(&ctx->store, ctx->settings.repo, false, NULL, err) < 0 || git_store_clusters(ctx->store, &clusters, err) < 0 ||
		git_record_names(ctx->store, &records, err) < 0)
		return -1;
	if (ctx->settings.cluster && git_store_cluster(ctx->store, ctx->settings.cluster, &ctx->cluster, err) < 0)
		return -1;
	if (check_each(checking, &clusters, check_branch, err) < 0 || check_each(checking, &records, check_records, err) < 0)
		return -1;
	return ctx->settings.archive_dir ? check_archives(checking, err) : 0;
}

/* ---- the command ---- */

int command_check(struct context *ctx, struct error *err)
{
	struct checking checking = {.ctx = ctx, .list = json_array()};
	const char *snapshot = context_arg(ctx, 0);
	int rc;

	if (snapshot && ctx->settings.all)
		rc = error_set(err, ERR_USAGE, "'check' takes SNAPSHOT or --all, not both");
	else if (snapshot)
		rc = check_snapshot(&checking, "snapshot", snapshot, err);
	else
		rc = check_repository(&checking, err);
	if (rc == 0 && json_array_size(checking.list) == 0) {
		(void)error_set(err, ERR_NOT_FOUND, "nothing to check in '%s'", ctx->settings.repo);
		rc = error_hint(err, "take the first snapshot: 'rhaii-dr snapshot --cluster NAME'");
	}
	ctx->result = json_pack("{s:o}", "checked", checking.list);
	return rc;
}

void print_check(struct output *out, const json_t *result)
{
	static const struct column columns[] = {{"RESULT", "result", CELL_STATUS, 0}, {"WHAT", "what", CELL_TEXT, 0},
		{"NAME", "name", CELL_TEXT, 0}, {"", "text", CELL_TEXT, 0}, {NULL, NULL, CELL_TEXT, 0}};

	output_table(out, json_object_get(result, "checked"), columns);
}
