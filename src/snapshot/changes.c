/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What changed since the branch head, in Kubernetes words: for the commit message and for the screen. Foreign text is escaped here, since it
 * goes into a message that git and terminals show.
 */
#include <string.h>

#include "internal.h"
#include "object/change.h"
#include "object/object.h"
#include "snapshot/capture.h"
#include "store/git.h"
#include "util/error.h"
#include "util/json.h"
#include "util/log.h"
#include "util/strbuf.h"
#include "util/text.h"

/* Lines of the commit message; what is more is counted. */
#define MESSAGE_LINES_MAX 200

/* A hand on the branch may have left what is no object: then only that it changed is told. */
static void change_fields(json_t *change, const char *path, const struct git_blob *old, const struct object *now)
{
	struct error unreadable = ERROR_INIT;
	struct object *before;

	if (object_read(&before, path, old->data, old->len, &unreadable) < 0)
		return;
	change_add_fields(change, before, now);
	object_free(before);
}

static void change_describe(struct changes *changes, const char *path, const struct git_blob *old, const struct git_blob *new_)
{
	const struct git_blob *blob = new_ ? new_ : old;
	struct error unreadable = ERROR_INIT;
	struct object *object;
	json_t *change;

	if (!blob || object_read(&object, path, blob->data, blob->len, &unreadable) < 0) {
		changes->incomplete = true;
		return;
	}
	change = change_new(old && new_ ? "changed" : new_ ? "added" : "removed", object);
	if (old && new_)
		change_fields(change, path, old, object);
	if (new_)
		change_blame(change, json_object_get(changes->records, path), object);
	json_array_append_new(changes->list, change);
	object_free(object);
}

int changes_add(const char *path, const struct git_blob *old, const struct git_blob *new_, void *arg)
{
	struct changes *changes = arg;

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
	if (json_array_size(changes->list) < CHANGES_MAX)
		change_describe(changes, path, old, new_);
	return 0;
}

/* The comparison is only for words: a branch head that cannot be read whole must not stop the snapshots that come after it. */
int changes_collect(struct capture *c, struct changes *out, struct error *err)
{
	out->records = c->records;
	if (git_write_changes(c->write, changes_add, out, err) == 0)
		return 0;
	if (err->code != ERR_INTEGRITY)
		return -1;
	log_warning("what changed cannot be told: %s", err->text);
	error_clear(err);
	out->incomplete = true;
	return 0;
}

static void message_subject(const struct capture *c, const struct changes *changes, bool first, struct strbuf *out)
{
	size_t of_objects = changes->added + changes->changed + changes->removed;

	strbuf_addf(out, "%s: ", c->options->cluster);
	if (first)
		strbuf_addf(out, "first snapshot, %zu objects\n", c->taken_count);
	else if (migration_is_all(c)) {
		migration_title(c, out);
		strbuf_addc(out, '\n');
	} else if (of_objects == 0)
		strbuf_addf(out, "%zu objects unchanged, their surroundings changed\n", c->taken_count);
	else
		strbuf_addf(out, "%zu objects, %zu added, %zu changed, %zu removed\n", c->taken_count, changes->added, changes->changed,
			changes->removed);
}

struct message {
	struct strbuf *out;
	size_t lines, left_out;
};

/* Whatever foreign text is in it, it is one line; and many long ones must not make a commit that nothing reads any more. */
static void message_line(struct message *message, const struct strbuf *line)
{
	if (message->lines == MESSAGE_LINES_MAX) {
		message->left_out++;
		return;
	}
	message->lines++;
	text_escape(message->out, line->buf, line->len, CHANGE_LINE_BYTES);
	strbuf_addc(message->out, '\n');
}

/* "changed LLMInferenceService rhaii-inference/qwen: spec.replicas 3 -> 0 (kubectl-edit, 2026-02-12T16:38Z)", a line a field. */
static void message_change(struct message *message, const json_t *change)
{
	const json_t *fields = json_object_get(change, "fields");
	auto_strbuf struct strbuf line = STRBUF_INIT;
	size_t i = 0, head;

	strbuf_addf(&line, "%s ", json_text_at(change, "change", NULL));
	head = line.len;
	do {
		strbuf_truncate(&line, head);
		change_words(change, json_array_get(fields, i), &line);
		message_line(message, &line);
	} while (++i < json_array_size(fields));
}

void changes_message(const struct capture *c, const struct changes *changes, bool first, struct strbuf *out)
{
	struct message message = {.out = out};
	json_t *change;
	size_t i;

	message_subject(c, changes, first, out);
	if (first) {
		maintenance_message(c, out);
		return;
	}
	if (json_array_size(changes->list) > 0 || changes->incomplete)
		strbuf_addc(out, '\n');
	json_array_foreach (changes->list, i, change)
		message_change(&message, change);
	if (message.left_out)
		strbuf_addf(out, "(and %zu more lines)\n", message.left_out);
	if (changes->incomplete)
		strbuf_adds(out, "(the snapshot before could not be read whole: not every change is told)\n");
	maintenance_message(c, out);
}
