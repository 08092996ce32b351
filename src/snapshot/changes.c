/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What changed since the branch head, in Kubernetes words: for the commit message and for the screen. Foreign text is escaped here, since it
 * goes into a message that git and terminals show.
 */
#include <string.h>

#include "internal.h"
#include "object/diff.h"
#include "object/object.h"
#include "snapshot/capture.h"
#include "store/git.h"
#include "util/error.h"
#include "util/json.h"
#include "util/strbuf.h"
#include "util/text.h"

/* Lines of the commit message; what is more is counted. */
#define MESSAGE_LINES_MAX 200

struct changes_walk {
	struct changes *changes;
	struct error *err;
};

static void field_add(const char *path, const json_t *old, const json_t *new_, void *arg)
{
	auto_strbuf struct strbuf before = STRBUF_INIT, after = STRBUF_INIT;

	diff_print_value(&before, path, old);
	diff_print_value(&after, path, new_);
	json_array_append_new(arg, json_pack("{s:s, s:s, s:s}", "path", path, "old", before.buf, "new", after.buf));
}

static json_t *change_json(const char *change, const struct object *object)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:[]}", "change", change, "kind", object->kind, "namespace", object->namespace_, "name",
		object->name, "fields");
}

static int change_changed(struct changes_walk *walk, const char *path, const struct git_blob *old, const struct object *now)
{
	struct object *before;
	json_t *change;

	if (object_read(&before, path, old->data, old->len, walk->err) < 0)
		return error_wrap(walk->err, "branch head");
	change = change_json("changed", now);
	diff_values(before->json, now->json, field_add, json_object_get(change, "fields"));
	json_array_append_new(walk->changes->list, change);
	object_free(before);
	return 0;
}

static int change_describe(struct changes_walk *walk, const char *path, const struct git_blob *old, const struct git_blob *new_)
{
	const struct git_blob *blob = new_ ? new_ : old;
	struct object *object;
	int rc = 0;

	if (!blob) /* in neither tree: nothing to tell */
		return 0;
	if (object_read(&object, path, blob->data, blob->len, walk->err) < 0)
		return -1;
	if (old && new_)
		rc = change_changed(walk, path, old, object);
	else
		json_array_append_new(walk->changes->list, change_json(new_ ? "added" : "removed", object));
	object_free(object);
	return rc;
}

static int change_add(const char *path, const struct git_blob *old, const struct git_blob *new_, void *arg)
{
	struct changes_walk *walk = arg;
	struct changes *changes = walk->changes;

	if (strncmp(path, "objects/", 8) != 0) {
		changes->other++;
		return 0;
	}
	if (old && new_)
		changes->changed++;
	else if (new_)
		changes->added++;
	else
		changes->removed++;
	if (json_array_size(changes->list) >= CHANGES_MAX)
		return 0;
	return change_describe(walk, path, old, new_);
}

int changes_collect(struct capture *c, struct changes *out, struct error *err)
{
	struct changes_walk walk = {.changes = out, .err = err};

	*out = (struct changes){.list = json_array()};
	return git_write_changes(c->write, change_add, &walk, err);
}

static void message_subject(const struct capture *c, const struct changes *changes, bool first, struct strbuf *out)
{
	size_t of_objects = changes->added + changes->changed + changes->removed;

	strbuf_addf(out, "%s: ", c->options->cluster);
	if (first)
		strbuf_addf(out, "first snapshot, %zu objects\n", c->taken_count);
	else if (of_objects == 0)
		strbuf_addf(out, "%zu objects unchanged, their surroundings changed\n", c->taken_count);
	else
		strbuf_addf(out, "%zu objects, %zu added, %zu changed, %zu removed\n", c->taken_count, changes->added, changes->changed,
			changes->removed);
}

/* "changed LLMInferenceService rhaii-inference/qwen: spec.replicas 3 -> 0", a line a field. */
static void message_change(const json_t *change, struct strbuf *out)
{
	const char *namespace_ = json_text_at(change, "namespace", NULL);
	auto_strbuf struct strbuf head = STRBUF_INIT;
	json_t *field;
	size_t i;

	strbuf_addf(&head, "%s %s ", json_text_at(change, "change", NULL), json_text_at(change, "kind", NULL));
	if (namespace_ && *namespace_)
		strbuf_addf(&head, "%s/", namespace_);
	strbuf_adds(&head, json_text_at(change, "name", NULL));
	if (json_array_size(json_object_get(change, "fields")) == 0)
		strbuf_addf(out, "%s\n", head.buf);
	json_array_foreach (json_object_get(change, "fields"), i, field)
		strbuf_addf(out, "%s: %s %s -> %s\n", head.buf, json_text_at(field, "path", NULL), json_text_at(field, "old", NULL),
			json_text_at(field, "new", NULL));
}

void changes_message(const struct capture *c, const struct changes *changes, bool first, struct strbuf *out)
{
	json_t *change;
	size_t i;

	message_subject(c, changes, first, out);
	if (first)
		return;
	if (json_array_size(changes->list) > 0)
		strbuf_addc(out, '\n');
	json_array_foreach (changes->list, i, change) {
		auto_strbuf struct strbuf text = STRBUF_INIT;
		char *line, *rest = NULL;

		if (i >= MESSAGE_LINES_MAX) {
			strbuf_addf(out, "(and %zu more)\n", changes->added + changes->changed + changes->removed - MESSAGE_LINES_MAX);
			break;
		}
		message_change(change, &text);
		for (line = strtok_r(text.buf, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
			text_escape(out, line, strlen(line), 500);
			strbuf_addc(out, '\n');
		}
	}
}
