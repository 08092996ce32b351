/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"
#include "kube/client.h"
#include "live.h"
#include "object/change.h"
#include "object/object.h"
#include "output.h"
#include "tables.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/json.h"
#include "util/log.h"
#include "util/strbuf.h"

/* What is compared, and what is known of who wrote it. */
struct comparison {
	struct context *ctx;
	const struct snapshot *old, *new_; /* old is NULL before the first snapshot */
	const json_t *records;             /* path -> change_record of the live objects; NULL: not live */
	const char *message;               /* of the commit that made new_ from old; NULL: there are others between, or none */
};

/* old or new_ is NULL where the object is not there. */
static void add_change(const struct object *old, const struct object *new_, void *arg)
{
	const struct comparison *c = arg;
	auto_strbuf struct strbuf path = STRBUF_INIT;
	json_t *change = context_wants(c->ctx, new_ ? new_ : old) ? change_between(old, new_) : NULL;

	if (!change)
		return;
	if (new_ && c->records) {
		object_path(new_, &path);
		change_blame(change, json_object_get(c->records, path.buf), new_);
	}
	if (c->message)
		change_recall(change, c->message);
	json_array_append_new(c->ctx->result, change);
}

static void compare(const struct comparison *c)
{
	struct comparison copy = *c;

	c->ctx->result = json_array();
	live_pair(c->old, c->new_, add_change, &copy);
}

/* The snapshot before this one; *out is NULL when it is the first. */
static int open_previous(struct context *ctx, struct snapshot **out, const char *commit_id, struct error *err)
{
	struct git_commit commit;
	int rc = 0;

	*out = NULL;
	if (git_store_open(&ctx->store, ctx->settings.repo, false, NULL, err) < 0 ||
		git_read_commit(ctx->store, commit_id, &commit, err) < 0)
		return -1;
	if (*commit.parent)
		rc = snapshot_open(out, &ctx->source, commit.parent, err);
	git_commit_release(&commit);
	return rc;
}

static void tell_side(const char *word, const struct snapshot *snapshot)
{
	char when[CLOCK_TEXT_SIZE];

	if (snapshot)
		log_info("%s %s of cluster %s%s%s", word, *snapshot->commit ? snapshot->commit : snapshot->name, snapshot->cluster,
			snapshot->captured_at ? ", captured at " : "",
			snapshot->captured_at ? clock_format(snapshot->captured_at, when) : "");
	else
		log_info("%s nothing: the other one is the first snapshot", word);
}

static int compare_snapshots(struct context *ctx, struct error *err)
{
	const char *a = context_arg(ctx, 0);
	struct snapshot *old = NULL, *new_ = NULL;
	int rc = snapshot_open(&new_, &ctx->source, context_arg(ctx, 1), err);

	if (rc == 0)
		rc = a ? snapshot_open(&old, &ctx->source, a, err) : open_previous(ctx, &old, new_->commit, err);
	if (rc == 0) {
		const struct comparison comparison = {.ctx = ctx, .old = old, .new_ = new_, .message = a ? NULL : new_->message};

		tell_side("from", old);
		tell_side("to", new_);
		compare(&comparison);
	}
	snapshot_free(old);
	snapshot_free(new_);
	return rc;
}

/* ---- against the cluster ---- */

static int compare_live(struct context *ctx, struct error *err)
{
	auto_json json_t *records = json_object();
	struct snapshot *old = NULL, *live = NULL;
	int rc;

	if (context_arg(ctx, 1))
		return error_set(err, ERR_USAGE, "--live takes the place of the second snapshot");
	rc = snapshot_open(&old, &ctx->source, context_arg(ctx, 0), err);
	if (rc == 0) {
		tell_side("from", old);
		rc = context_open_client(ctx, err) < 0 ? -1 : live_capture(ctx, ctx->client, old, records, &live, err);
	}
	if (rc == 0) {
		const struct comparison comparison = {.ctx = ctx, .old = old, .new_ = live, .records = records};

		log_info("to the cluster at %s as it is now", kube_server(ctx->client));
		compare(&comparison);
	}
	snapshot_free(old);
	snapshot_free(live);
	return rc;
}

int command_diff(struct context *ctx, struct error *err)
{
	struct outcome failure = {0};

	if ((ctx->settings.live ? compare_live(ctx, err) : compare_snapshots(ctx, err)) == 0) {
		if (ctx->settings.exit_code && json_array_size(ctx->result) > 0)
			outcome_add(&ctx->outcome, ERR_FAILED);
		return 0;
	}
	/* With --exit-code, 1 means a difference. */
	outcome_add(&failure, err->code);
	if (ctx->settings.exit_code && outcome_exit_code(&failure) == ERR_FAILED)
		err->code = ERR_USAGE;
	return -1;
}

void print_diff(struct output *out, const json_t *result)
{
	table_changes(out, result);
}
