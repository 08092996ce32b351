/* SPDX-License-Identifier: Apache-2.0 */
#include "object/change.h"

#include <string.h>

#include "object/blame.h"
#include "object/diff.h"
#include "object/object.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"
#include "util/text.h"

#define MINUTE_BYTES 16 /* of "2026-02-12T16:38:09Z" */

json_t *change_new(const char *change, const struct object *object)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:n, s:n, s:[]}", "change", change, "kind", object->kind, "namespace", object->namespace_,
		"name", object->name, "manager", "time", "fields");
}

static void add_field(const char *path, const json_t *old, const json_t *new_, void *arg)
{
	json_t *field = diff_field(path, "old", old, "new", new_);

	json_object_set_new(field, "manager", json_null());
	json_object_set_new(field, "time", json_null());
	json_array_append_new(arg, field);
}

size_t change_add_fields(json_t *change, const struct object *old, const struct object *new_)
{
	return diff_values(old->json, new_->json, add_field, json_object_get(change, "fields"));
}

json_t *change_between(const struct object *old, const struct object *new_)
{
	json_t *change;

	if (!old || !new_)
		return change_new(new_ ? "added" : "removed", new_ ? new_ : old);
	change = change_new("changed", new_);
	if (change_add_fields(change, old, new_) > 0)
		return change;
	json_decref(change);
	return NULL;
}

/* ---- who and when ---- */

json_t *change_record(const char *creation_timestamp, json_t *managed_fields)
{
	return json_pack("{s:s?, s:O?}", "created", creation_timestamp, "managedFields", managed_fields);
}

static void set_blame(json_t *map, const struct blame *blame)
{
	json_object_set_new(map, "manager", json_string(blame->manager));
	json_object_set_new(map, "time", json_string(blame->time));
}

void change_blame(json_t *change, const json_t *record, const struct object *now)
{
	const json_t *managed = json_object_get(record, "managedFields");
	const char *what = json_text_at(change, "change", NULL);
	struct blame blame;
	json_t *field;
	size_t i;

	if (strcmp(what, "added") == 0 && blame_creator(managed, json_text_at(record, "created", NULL), &blame))
		set_blame(change, &blame);
	json_array_foreach (json_object_get(change, "fields"), i, field)
		if (blame_field(managed, now->json, json_text_at(field, "path", NULL), &blame))
			set_blame(field, &blame);
}

/* ---- words ---- */

static const char *text_at(const json_t *map, const char *key)
{
	const char *text = json_text_at(map, key, NULL);

	return text ? text : "";
}

static void add_blame(const json_t *map, struct strbuf *out)
{
	const char *manager = text_at(map, "manager"), *time = text_at(map, "time");
	int minute = strlen(time) > MINUTE_BYTES ? MINUTE_BYTES : (int)strlen(time);

	if (*manager)
		strbuf_addf(out, " (%s, %.*sZ)", manager, minute, time);
}

static void add_object(const json_t *change, struct strbuf *out)
{
	const char *namespace_ = text_at(change, "namespace");

	strbuf_addf(out, "%s %s%s%s", text_at(change, "kind"), namespace_, *namespace_ ? "/" : "", text_at(change, "name"));
}

static void add_values(const json_t *field, struct strbuf *out)
{
	strbuf_addf(out, ": %s %s -> %s", text_at(field, "path"), text_at(field, "old"), text_at(field, "new"));
}

void change_words(const json_t *change, const json_t *field, struct strbuf *out)
{
	add_object(change, out);
	if (field)
		add_values(field, out);
	add_blame(field ? field : change, out);
}

/* ---- from a commit message ---- */

/* "(kubectl-edit, 2026-02-12T16:38Z)", up to the end of the line: the last comma ends the name. */
static void recall_from(json_t *map, const char *at)
{
	size_t len = strcspn(at, "\n");
	const char *comma = memrchr(at, ',', len);

	if (len < 2 || at[len - 1] != ')' || !comma || comma[1] != ' ' || comma == at)
		return;
	json_object_set_new(map, "manager", json_stringn(at, (size_t)(comma - at)));
	json_object_set_new(map, "time", json_stringn(comma + 2, (size_t)(at + len - 1 - (comma + 2))));
}

static void recall(json_t *map, const json_t *change, const json_t *field, const char *message)
{
	auto_strbuf struct strbuf words = STRBUF_INIT, line = STRBUF_INIT;
	const char *found;

	strbuf_addf(&words, "%s ", text_at(change, "change"));
	add_object(change, &words);
	if (field)
		add_values(field, &words);
	strbuf_adds(&words, " (");
	strbuf_addc(&line, '\n');
	text_escape(&line, words.buf, words.len, CHANGE_LINE_BYTES);
	found = strstr(message, line.buf);
	if (found)
		recall_from(map, found + line.len);
}

void change_recall(json_t *change, const char *message)
{
	json_t *field;
	size_t i;

	recall(change, change, NULL, message);
	json_array_foreach (json_object_get(change, "fields"), i, field)
		recall(field, change, field, message);
}
