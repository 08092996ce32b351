/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plan as a file (docs/FORMAT.md): written by `plan -o json`, looked at by people, executed exactly or not at all. It is the head of a journal with the
 * actions, and a checksum over the whole document, so that what people have looked at is what is executed.
 */
#include <string.h>

#include "internal.h"
#include "object/object.h"
#include "restore/restore.h"
#include "util/error.h"
#include "util/file.h"
#include "util/hash.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"
#include "verify/judge.h"

/* 10,000 actions are 12 MB. */
#define PLAN_MAX ((size_t)512 << 20)

/* What a command adds to the document behind the plan: how it ended itself. */
static const char *const not_sealed[] = {"outcome", "error", "hint", "templates"};

/* ---- writing ---- */

/* What --adopt-orphans will remove. */
static json_t *planned_orphans(const struct restore *restore)
{
	static const char *const keys[] = {"group", "resource", "kind", "namespace", "name", "uid"};
	json_t *list = json_array();
	const json_t *orphan;
	size_t i;

	json_array_foreach (restore->settings->adopt_orphans ? restore->orphans : NULL, i, orphan) {
		json_t *part = json_object();

		for (size_t j = 0; j < sizeof(keys) / sizeof(keys[0]); j++)
			json_object_set(part, keys[j], json_object_get(orphan, keys[j]));
		json_array_append_new(list, part);
	}
	return list;
}

static void document_sum(json_t *document, char hex[HASH_HEX_SIZE])
{
	auto_json json_t *sealed = json_copy(document), *part = json_copy(json_object_get(document, "execute"));
	auto_strbuf struct strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < sizeof(not_sealed) / sizeof(not_sealed[0]); i++)
		json_object_del(sealed, not_sealed[i]);
	json_object_del(part, "sha256");
	json_object_set(sealed, "execute", part);
	json_write(sealed, &text);
	hash_sha256(text.buf, text.len, hex);
}

void planfile_seal(const struct restore *restore, json_t *document)
{
	auto_json json_t *actions = record_actions(restore);
	json_t *part = record_head(restore, actions);
	char sum[HASH_HEX_SIZE];

	for (size_t i = 0; i < restore->action_count; i++)
		json_object_set_new(json_array_get(actions, i), "blocked", json_boolean(restore->actions[i].result == RESULT_BLOCKED));
	json_object_set_new(part, "format", json_integer(PLAN_FORMAT));
	json_object_set(part, "actions", actions);
	json_object_set_new(part, "orphans", planned_orphans(restore));
	json_object_set_new(document, "execute", part);
	document_sum(document, sum);
	json_object_set_new(part, "sha256", json_string(sum));
}

/* ---- reading ---- */

static int newer_format(const char *name, json_int_t format, struct error *err)
{
	(void)error_set(err, ERR_INTEGRITY, "plan '%s': format %" JSON_INTEGER_FORMAT " is newer than the %d that this program reads", name,
		format, PLAN_FORMAT);
	return error_hint(err, "use a rhaii-dr that reads format %" JSON_INTEGER_FORMAT ", or make the plan anew", format);
}

static bool is_action(const json_t *action)
{
	const json_t *live = json_object_get(action, "live");

	return json_text_at(action, "action", NULL) && json_text_at(action, "sha256", NULL) && (json_is_object(live) || json_is_null(live));
}

static bool is_whole(const json_t *part)
{
	const json_t *action, *orphan, *actions = json_object_get(part, "actions");
	size_t i;

	json_array_foreach (actions, i, action)
		if (!is_action(action))
			return false;
	json_array_foreach (json_object_get(part, "orphans"), i, orphan)
		if (!json_text_at(orphan, "uid", NULL) || !json_text_at(orphan, "kind", NULL))
			return false;
	return json_is_array(actions) && json_text_at(part, "snapshot", "manifestSha256", NULL) &&
		json_text_at(part, "target", "id", NULL) && json_is_object(json_object_get(part, "options"));
}

static int check_document(json_t *document, const char *name, struct error *err)
{
	const json_t *part = json_object_get(document, "execute"), *format = json_object_get(part, "format");
	const char *want = json_text_at(part, "sha256", NULL);
	char sum[HASH_HEX_SIZE];

	if (!json_is_integer(format)) {
		(void)error_set(err, ERR_INTEGRITY, "'%s' is no plan", name);
		return error_hint(err, "make one by: rhaii-dr plan SNAPSHOT -o json");
	}
	if (json_integer_value(format) > PLAN_FORMAT)
		return newer_format(name, json_integer_value(format), err);
	document_sum(document, sum);
	if (want && strcmp(want, sum) == 0 && is_whole(part))
		return 0;
	(void)error_set(err, ERR_INTEGRITY, "plan '%s' is not as it was written: its checksum does not hold", name);
	return error_hint(err, "a plan is not edited; choose the options that give the one you want, and make it anew");
}

int restore_plan_read(json_t **out, const char *path, struct error *err)
{
	bool is_stdin = strcmp(path, "-") == 0;
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_json json_t *document = NULL;

	*out = NULL;
	if (file_read(is_stdin ? "/dev/stdin" : path, PLAN_MAX, &text, err) < 0)
		return error_wrap(err, "the plan");
	document = json_read(text.buf, text.len, err);
	if (!document) {
		err->code = ERR_INTEGRITY;
		return error_wrap(err, "plan '%s'", path);
	}
	if (check_document(document, path, err) < 0)
		return -1;
	*out = json_incref(json_object_get(document, "execute"));
	return 0;
}

/* ---- whether it still holds ---- */

static const json_t *planned_action(const struct restore *restore, size_t index)
{
	return json_array_get(json_object_get(restore->settings->plan, "actions"), index);
}

static const char *how_it_moved(const json_t *then, const json_t *now)
{
	if (json_is_null(then))
		return "was not there, and is there now";
	if (json_is_null(now))
		return "was there, and is gone";
	return json_equal(json_object_get(then, "uid"), json_object_get(now, "uid")) ? "has changed" : "is another object of the same name";
}

/* Append what is no more as it was planned; nothing where all of it is. */
static void tell_stale(const struct action *action, const json_t *planned, struct strbuf *out)
{
	const json_t *then = json_object_get(planned, "live");
	bool was_blocked = json_is_true(json_object_get(planned, "blocked")), is_blocked = action->result == RESULT_BLOCKED;
	const char *kind = json_text_at(planned, "action", NULL);

	if (!json_equal(then, action->live))
		strbuf_adds(out, how_it_moved(then, action->live));
	else if (record_planned_kind(planned) != action->kind)
		strbuf_addf(out, "the plan says %s, now it is %s", kind, action_kind_name(action->kind));
	else if (was_blocked != is_blocked)
		strbuf_adds(out, is_blocked ? "is blocked now, and was not" : "was blocked, and is not any more");
}

static void add_stale(const struct restore *restore, const char *object, const char *text)
{
	json_array_append_new(restore->stale, json_pack("{s:s, s:s}", "object", object, "text", text));
}

static bool has_uid(const json_t *orphans, const char *uid)
{
	const json_t *orphan;
	size_t i;

	json_array_foreach (orphans, i, orphan)
		if (strcmp(json_text_at(orphan, "uid", NULL), uid) == 0)
			return true;
	return false;
}

/* Those of `these` that are not among `others`. */
static void tell_orphans(const struct restore *restore, const json_t *these, const json_t *others, const char *text)
{
	const json_t *orphan;
	size_t i;

	json_array_foreach (these, i, orphan) {
		auto_free char *name = judge_name(
			json_text_at(orphan, "kind", NULL), json_text_at(orphan, "namespace", NULL), json_text_at(orphan, "name", NULL));

		if (!has_uid(others, json_text_at(orphan, "uid", NULL)))
			add_stale(restore, name, text);
	}
}

/* What is deleted is what people have read: no more, no less, and no other object of the same name. */
static void check_orphans_planned(const struct restore *restore)
{
	const json_t *then = json_object_get(restore->settings->plan, "orphans");
	auto_json json_t *now = planned_orphans(restore);

	tell_orphans(restore, now, then, "is to be removed (it is owned by nobody), and was not");
	tell_orphans(restore, then, now, "was to be removed, and is not there any more or is owned");
}

int planfile_check(struct restore *restore, struct error *err)
{
	if (record_check_actions(restore, json_array_size(json_object_get(restore->settings->plan, "actions")), planned_action, err) < 0)
		return -1;
	for (size_t i = 0; i < restore->action_count; i++) {
		struct action *action = &restore->actions[i];
		auto_strbuf struct strbuf object = STRBUF_INIT, text = STRBUF_INIT;

		action->ground = json_object_get(planned_action(restore, i), "live");
		tell_stale(action, planned_action(restore, i), &text);
		if (!text.len)
			continue;
		object_describe(action->object, &object);
		add_stale(restore, object.buf, text.buf);
	}
	check_orphans_planned(restore);
	return 0;
}
