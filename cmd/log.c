/* SPDX-License-Identifier: Apache-2.0 */
/* The history of one object: what each snapshot that changed it says. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "command.h"
#include "object/change.h"
#include "object/object.h"
#include "output.h"
#include "store/git.h"
#include "tables.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"
#include "util/yaml.h"

/* Short names of kinds that have no definition to ask; those of the others stand in crds/. */
static const struct {
	const char *resource, *short_name;
} short_names[] = {
	{"namespaces", "ns"},
	{"configmaps", "cm"},
	{"serviceaccounts", "sa"},
	{"resourcequotas", "quota"},
	{"limitranges", "limits"},
	{"networkpolicies", "netpol"},
	{"poddisruptionbudgets", "pdb"},
	{"horizontalpodautoscalers", "hpa"},
};

/* ---- which kind is meant ---- */

struct names {
	const struct context *ctx;
	struct strlist words;   /* all that a kind could have been called */
	struct strlist matches; /* "resource.group" */
	struct object object;   /* group, resource and kind of the match; strings owned */
};

static void names_release(struct names *names)
{
	strlist_release(&names->words);
	strlist_release(&names->matches);
	free(names->object.group);
	free(names->object.resource);
	free(names->object.kind);
	free(names->object.namespace_);
	free(names->object.name);
}

static json_t *read_document(const struct context *ctx, const char *path, struct error *err)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	char head[GIT_ID_SIZE];

	if (git_resolve(ctx->store, ctx->cluster, NULL, head, err) < 0 || git_read_file(ctx->store, head, path, &text, err) < 0)
		return NULL;
	return yaml_read(text.buf, text.len, err);
}

/* What the definition of a custom kind calls it. */
static void add_defined_words(const struct context *ctx, const char *full_name, struct strlist *words)
{
	auto_free char *path = xasprintf("crds/%s.yaml", full_name);
	struct error ignored = ERROR_INIT;
	auto_json json_t *definition = read_document(ctx, path, &ignored);
	const char *singular = json_text_at(definition, "spec", "names", "singular", NULL);
	const json_t *name;
	size_t i;

	if (singular)
		strlist_add(words, singular);
	json_array_foreach (json_at(definition, "spec", "names", "shortNames", NULL), i, name)
		if (json_is_string(name))
			strlist_add(words, json_string_value(name));
}

static void words_of(const struct context *ctx, const json_t *kind, const char *full_name, struct strlist *words)
{
	const char *resource = table_text(kind, "resource");

	strlist_add(words, table_text(kind, "kind"));
	strlist_add(words, resource);
	strlist_add(words, full_name);
	for (size_t i = 0; i < sizeof(short_names) / sizeof(short_names[0]); i++)
		if (strcmp(short_names[i].resource, resource) == 0)
			strlist_add(words, short_names[i].short_name);
	if (*table_text(kind, "group"))
		add_defined_words(ctx, full_name, words);
}

static void try_kind(struct names *names, const json_t *kind, const char *word)
{
	const char *group = table_text(kind, "group"), *resource = table_text(kind, "resource");
	auto_free char *full_name = xasprintf("%s%s%s", resource, *group ? "." : "", group);
	auto_strlist struct strlist words = STRLIST_INIT;
	bool match = false;

	words_of(names->ctx, kind, full_name, &words);
	for (size_t i = 0; i < words.count; i++) {
		strlist_add(&names->words, words.items[i]);
		match = match || strcasecmp(words.items[i], word) == 0;
	}
	if (!match)
		return;
	strlist_add(&names->matches, full_name);
	if (names->matches.count > 1)
		return;
	names->object.group = xstrdup(group);
	names->object.resource = xstrdup(resource);
	names->object.kind = xstrdup(table_text(kind, "kind"));
}

static const char *suggest_of(const char *word, const struct strlist *list)
{
	auto_free const char **words = xcalloc(list->count + 1, sizeof(*words));

	for (size_t i = 0; i < list->count; i++)
		words[i] = list->items[i];
	return suggest(word, words);
}

/* Letters of any case: the suggestion is looked for in small ones. */
static const char *nearest_word(struct names *names, const char *word)
{
	auto_free char *small = xstrdup(word);

	for (char *c = small; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return suggest_of(small, &names->words);
}

static int find_kind(struct names *names, const char *word, struct error *err)
{
	auto_json json_t *info = read_document(names->ctx, "snapshot.yaml", err);
	const char *near;
	json_t *kind;
	size_t i;

	if (!info)
		return error_wrap(err, "the newest snapshot of '%s'", names->ctx->cluster);
	json_array_foreach (json_object_get(info, "kinds"), i, kind)
		try_kind(names, kind, word);
	if (names->matches.count == 1)
		return 0;
	if (names->matches.count > 1) {
		error_set(err, ERR_USAGE, "several kinds are called '%s'", word);
		return error_hint(err, "say '%s' or '%s'", names->matches.items[0], names->matches.items[1]);
	}
	error_set(err, ERR_USAGE, "no kind '%s' in the snapshots of '%s'", word, names->ctx->cluster);
	near = nearest_word(names, word);
	return near ? error_hint(err, "did you mean '%s'?", near) : error_hint(err, "'rhaii-dr show' lists the kinds");
}

/* ---- which object is meant ---- */

/* "NS/NAME", or "NAME" in the namespace of -n, or "NAME" alone. */
static int take_name(struct names *names, const char *text, struct error *err)
{
	const struct strlist *given = &names->ctx->settings.namespaces;
	const char *slash = strchr(text, '/'), *name = slash ? slash + 1 : text;

	if (!*name || slash == text || strchr(name, '/'))
		return error_set(err, ERR_USAGE, "not the name of an object: '%s'", text);
	if (!slash && given->count > 1)
		return error_set(err, ERR_USAGE, "one namespace is needed for '%s'", text);
	names->object.name = xstrdup(name);
	names->object.namespace_ = slash ? xstrndup(text, (size_t)(slash - text)) : xstrdup(given->count ? given->items[0] : "");
	return 0;
}

/* "KIND NS/NAME", "KIND NAME", "KIND/NAME" or "KIND/NS/NAME". */
static int take_object(struct names *names, struct error *err)
{
	const char *first = context_arg(names->ctx, 0), *second = context_arg(names->ctx, 1), *slash = strchr(first, '/');
	auto_free char *word = xstrndup(first, second || !slash ? strlen(first) : (size_t)(slash - first));

	if (!second && !slash) {
		error_set(err, ERR_USAGE, "no name of an object after '%s'", first);
		return error_hint(err, "name the object: %s NS/NAME", first);
	}
	if (find_kind(names, word, err) < 0)
		return -1;
	return take_name(names, second ? second : slash + 1, err);
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
	__attribute__((cleanup(names_release))) struct names names = {.ctx = ctx};
	struct history history = {.ctx = ctx, .err = err, .object = &names.object, .path = STRBUF_INIT, .newer = {.text = STRBUF_INIT}};
	int rc;

	if (take_object(&names, err) < 0)
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
