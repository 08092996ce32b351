/* SPDX-License-Identifier: Apache-2.0 */
#include "object/diff.h"

#include "command.h"
#include "object/object.h"
#include "output.h"
#include "tables.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/json.h"
#include "util/log.h"

static void add_field(const char *path, const json_t *old, const json_t *new_, void *arg)
{
	auto_strbuf struct strbuf before = STRBUF_INIT, after = STRBUF_INIT;

	diff_print_value(&before, path, old);
	diff_print_value(&after, path, new_);
	json_array_append_new(arg, json_pack("{s:s, s:s, s:s}", "path", path, "old", before.buf, "new", after.buf));
}

static void add_change(const struct context *ctx, const char *change, const struct object *object, json_t *fields)
{
	if (context_wants(ctx, object))
		json_array_append_new(ctx->result,
			json_pack("{s:s, s:s, s:s, s:s, s:O}", "change", change, "kind", object->kind, "namespace", object->namespace_,
				"name", object->name, "fields", fields));
}

static void compare_objects(const struct context *ctx, const struct object *old, const struct object *new_)
{
	auto_json json_t *fields = json_array();

	if (diff_values(old->json, new_->json, add_field, fields) > 0)
		add_change(ctx, "changed", new_, fields);
}

/* Both lists are in the order of object_compare. old is NULL before the first snapshot. */
static void compare(const struct context *ctx, const struct snapshot *old, const struct snapshot *new_)
{
	auto_json json_t *none = json_array();
	size_t i = 0, j = 0, olds = old ? old->object_count : 0;

	while (i < olds || j < new_->object_count) {
		int order = i == olds ? 1 : j == new_->object_count ? -1 : object_compare(&old->objects[i], &new_->objects[j]);

		if (order < 0)
			add_change(ctx, "removed", old->objects[i++], none);
		else if (order > 0)
			add_change(ctx, "added", new_->objects[j++], none);
		else
			compare_objects(ctx, old->objects[i++], new_->objects[j++]);
	}
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

static int open_and_compare(struct context *ctx, struct error *err)
{
	const char *a = context_arg(ctx, 0);
	struct snapshot *old = NULL, *new_ = NULL;
	int rc = snapshot_open(&new_, &ctx->source, context_arg(ctx, 1), err);

	if (rc == 0)
		rc = a ? snapshot_open(&old, &ctx->source, a, err) : open_previous(ctx, &old, new_->commit, err);
	if (rc == 0) {
		tell_side("from", old);
		tell_side("to", new_);
		ctx->result = json_array();
		compare(ctx, old, new_);
	}
	snapshot_free(old);
	snapshot_free(new_);
	return rc;
}

int command_diff(struct context *ctx, struct error *err)
{
	struct outcome failure = {0};

	if (open_and_compare(ctx, err) == 0) {
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
