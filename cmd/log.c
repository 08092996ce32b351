/* SPDX-License-Identifier: Apache-2.0 */
/* The history of one object: what each snapshot that changed it says. */
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "object/change.h"
#include "object/name.h"
#include "object/object.h"
#include "output.h"
#include "store/git.h"
#include "tables.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"
#include "util/suggest.h"
#include "util/yaml.h"

/* Of the newest snapshot. */
static json_t *read_head(const struct context *ctx, const char *path, struct error *err)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	char head[GIT_ID_SIZE];

	if (git_resolve(ctx->store, ctx->cluster, NULL, head, err) < 0 || git_read_file(ctx->store, head, path, &text, err) < 0)
		return NULL;
	return yaml_read(text.buf, text.len, err);
}

static json_t *read_document(void *arg, const char *path)
{
	struct error ignored = ERROR_INIT;

	return read_head(arg, path, &ignored);
}

static int no_kind(const struct context *ctx, const struct name_source *source, const char *word, struct error *err)
{
	auto_free char *near = object_name_nearest(source, word);

	error_set(err, ERR_USAGE, "no kind '%s' in the snapshots of '%s'", word, ctx->cluster);
	return near ? error_hint(err, "did you mean '%s'?", near) : error_hint(err, "'rhaii-dr show' lists the kinds");
}

/* The object that the arguments name, by the kinds of the newest snapshot. */
static int take_object(struct context *ctx, struct object *out, struct error *err)
{
	auto_json json_t *info = read_head(ctx, "snapshot.yaml", err);
	const struct name_source source = {
		.kinds = json_object_get(info, "kinds"), .read = read_document, .arg = ctx, .namespaces = &ctx->settings.namespaces};
	auto_free char *word = NULL;
	int found;

	if (!info)
		return error_wrap(err, "the newest snapshot of '%s'", ctx->cluster);
	if (object_name_split(out, &word, &source, context_arg(ctx, 0), context_arg(ctx, 1), err) < 0)
		return -1;
	found = object_name_kind(out, &source, word, err);
	return found == 0 ? no_kind(ctx, &source, word, err) : found < 0 ? -1 : 0;
}

/* ---- its history ---- */

/* One state of the object, and the snapshot that it is in. */
struct state {
	bool there;
	struct strbuf text;
	char commit[GIT_ID_SIZE], captured_at[CLOCK_TEXT_SIZE];
	char *message;
};

struct history {
	struct context *ctx;
	struct error *err;
	const struct object *object;
	struct strbuf path;
	struct state newer; /* of the commit before in the walk; "" before the first */
};

static void state_release(struct state *state)
{
	strbuf_release(&state->text);
	free(state->message);
	*state = (struct state){.text = STRBUF_INIT};
}

/* A hand on the branch may have left what is no object: then only that it changed is told. */
static json_t *describe(const struct history *history, const struct state *old, const struct state *new_)
{
	struct object *before = NULL, *now = NULL;
	struct error ignored = ERROR_INIT;
	const char *path = history->path.buf, *word = !old->there ? "added" : new_->there ? "changed" : "removed";
	json_t *change = NULL;

	if ((!old->there || object_read(&before, path, old->text.buf, old->text.len, &ignored) == 0) &&
		(!new_->there || object_read(&now, path, new_->text.buf, new_->text.len, &ignored) == 0))
		change = change_between(before, now);
	if (!change)
		change = change_new(word, history->object);
	change_recall(change, new_->message);
	object_free(before);
	object_free(now);
	return change;
}

/* The step from old to the state before in the walk, when it is one. */
static void add_step(struct history *history, const struct state *old)
{
	const struct state *new_ = &history->newer;
	json_t *change;

	if (!*new_->commit || (old->there == new_->there && (!old->there || strcmp(old->text.buf, new_->text.buf) == 0)))
		return;
	change = describe(history, old, new_);
	json_object_set_new(change, "commit", json_string(new_->commit));
	json_object_set_new(change, "capturedAt", json_string(new_->captured_at));
	json_array_append_new(history->ctx->result, change);
}

static int read_state(struct history *history, const struct git_commit *commit, struct state *out)
{
	struct error *err = history->err;

	*out = (struct state){.text = STRBUF_INIT};
	out->there = git_read_file(history->ctx->store, commit->id, history->path.buf, &out->text, err) == 0;
	if (!out->there && err->code != ERR_NOT_FOUND)
		return -1;
	error_clear(err);
	memcpy(out->commit, commit->id, sizeof(out->commit));
	clock_format(commit->time, out->captured_at);
	if (commit->captured_at && strlen(commit->captured_at) < sizeof(out->captured_at))
		memcpy(out->captured_at, commit->captured_at, strlen(commit->captured_at) + 1);
	out->message = xstrdup(commit->message);
	return 0;
}

static int add_commit(const struct git_commit *commit, void *arg)
{
	struct history *history = arg;
	struct state state;

	if (read_state(history, commit, &state) < 0) {
		state_release(&state);
		return -1;
	}
	add_step(history, &state);
	state_release(&history->newer);
	history->newer = state;
	return 0;
}

/* An object of the kind in the newest snapshot that is called nearly so, or the same in another namespace. The caller frees. */
static char *nearest_object(const struct context *ctx, const struct object *object)
{
	auto_free char *wanted = xasprintf("%s%s%s", object->namespace_, *object->namespace_ ? "/" : "", object->name);
	auto_strlist struct strlist names = STRLIST_INIT;
	struct error ignored = ERROR_INIT;
	struct snapshot *head;
	char *same = NULL;
	const char *near;

	if (snapshot_open(&head, &ctx->source, NULL, &ignored) < 0)
		return NULL;
	for (size_t i = 0; i < head->object_count; i++) {
		const struct object *o = head->objects[i];
		auto_free char *name = xasprintf("%s%s%s", o->namespace_, *o->namespace_ ? "/" : "", o->name);

		if (strcmp(o->group, object->group) != 0 || strcmp(o->resource, object->resource) != 0)
			continue;
		strlist_add(&names, name);
		if (!same && strcmp(o->name, object->name) == 0)
			same = xstrdup(name);
	}
	snapshot_free(head);
	near = suggest_of(wanted, &names);
	return same ? same : xstrdup(near);
}

static int not_held(const struct history *history, struct error *err)
{
	auto_free char *near = nearest_object(history->ctx, history->object);
	auto_strbuf struct strbuf name = STRBUF_INIT;

	object_describe(history->object, &name);
	error_set(err, ERR_NOT_FOUND, "no snapshot of '%s' has held %s", history->ctx->cluster, name.buf);
	return near ? error_hint(err, "did you mean '%s'?", near) : error_hint(err, "'rhaii-dr show' lists the objects");
}

static int walk(struct history *history, struct error *err)
{
	const struct context *ctx = history->ctx;
	const struct state nothing = {.text = STRBUF_INIT};

	object_path(history->object, &history->path);
	if (git_log(ctx->store, ctx->cluster, add_commit, history, err) < 0 || err->code != ERR_NONE)
		return -1;
	add_step(history, &nothing);
	return json_array_size(ctx->result) > 0 ? 0 : not_held(history, err);
}

int command_log(struct context *ctx, struct error *err)
{
	__attribute__((cleanup(object_name_release))) struct object object = {0};
	struct history history = {.ctx = ctx, .err = err, .object = &object, .path = STRBUF_INIT, .newer = {.text = STRBUF_INIT}};
	int rc;

	if (take_object(ctx, &object, err) < 0)
		return -1;
	ctx->result = json_array();
	rc = walk(&history, err);
	strbuf_release(&history.path);
	state_release(&history.newer);
	if (rc < 0) {
		json_decref(ctx->result);
		ctx->result = NULL;
	}
	return rc;
}

void print_log(struct output *out, const json_t *result)
{
	const json_t *step;
	size_t i;

	json_array_foreach (result, i, step) {
		auto_json json_t *one = json_pack("[O]", step);

		output_heading(out, NULL);
		output_line(out, "%s, snapshot %.12s", table_text(step, "capturedAt"), table_text(step, "commit"));
		table_changes(out, one);
	}
}
