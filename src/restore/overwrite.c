/* SPDX-License-Identifier: Apache-2.0 */
/* --overwrite: what differs on the target is replaced, and what was there is kept beside the journal. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "kube/client.h"
#include "kube/object_api.h"
#include "object/canonical.h"
#include "object/object.h"
#include "policy/policy.h"
#include "restore/journal.h"
#include "restore/restore.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/file.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"

#define UPDATE_TRIES 5
/* One question about one object: a webhook that is down must not hold up the plan. */
#define DRY_RUN_DEADLINE_MS 5000
#define COPY_MAX ((size_t)16 << 20)

/* ---- what is sent ---- */

/* Leave of live what cleaning hides: the server's own fields, owners, finalizers. */
static void take_out(json_t *live, json_t *clean)
{
	const char *key;
	json_t *value;

	json_object_foreach (clean, key, value) {
		json_t *there = json_object_get(live, key);

		if (json_is_object(there) && json_is_object(value))
			take_out(there, value);
		if (!json_is_object(there) || !json_is_object(value) || json_object_size(there) == 0)
			json_object_del(live, key);
	}
}

/* The place of the item of this name, or that is equal to it; the end where there is none. */
static size_t place_of(const json_t *list, const json_t *item)
{
	const char *name = json_text_at(item, "name", NULL);
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		const json_t *other = json_array_get(list, i);
		const char *other_name = json_text_at(other, "name", NULL);

		if (name && other_name ? strcmp(name, other_name) == 0 : json_equal(item, other))
			break;
	}
	return i;
}

static void put_items(json_t *live, json_t *want)
{
	json_t *item;
	size_t i;

	json_array_foreach (want, i, item) {
		size_t at = place_of(live, item);

		if (at < json_array_size(live))
			json_array_set_new(live, at, json_deep_copy(item));
		else
			json_array_append_new(live, json_deep_copy(item));
	}
}

/* Put what we want over it, and take nothing away: other keys and other items stay. */
static void put_over(json_t *live, json_t *want)
{
	const char *key;
	json_t *value;

	json_object_foreach (want, key, value) {
		json_t *there = json_object_get(live, key);

		if (json_is_object(there) && json_is_object(value))
			put_over(there, value);
		else if (json_is_array(there) && json_is_array(value))
			put_items(there, value);
		else
			json_object_set_new(live, key, json_deep_copy(value));
	}
}

/*
 * A kind whose fields are merged belongs to others, too: only what the snapshot says is set. All others become what the snapshot has, under the live object's
 * owners, finalizers and resourceVersion: with that, somebody else's write in between is a 409, not a loss.
 */
static json_t *update_body(const struct action *action, const json_t *live)
{
	auto_json json_t *clean = json_deep_copy(live), *want = json_deep_copy(action_body(action));
	json_t *body = json_deep_copy(live);

	if (action->row->merge_count) {
		put_over(body, want);
	} else {
		policy_clean(action->row, clean);
		take_out(body, clean);
		json_object_update_recursive(body, want);
	}
	json_object_del(json_object_get(body, "metadata"), "managedFields");
	return body;
}

static int update_send(struct restore *restore, struct action *action, const json_t *live, bool dry_run, json_t **stored, struct error *err)
{
	const struct object *o = action->object;
	auto_json json_t *body = update_body(action, live);

	if (kube_replace(restore->settings->client, action->resource, o->namespace_, o->name, body, dry_run ? DRY_RUN_DEADLINE_MS : 0,
		    dry_run, stored, err) == 0)
		return 0;
	if (err->code != ERR_REJECTED || !drop_named_fields(restore, action, err->text))
		return -1;
	error_clear(err);
	return update_send(restore, action, live, dry_run, stored, err);
}

void overwrite_decide(struct restore *restore, struct action *action, const json_t *live)
{
	struct error refused = ERROR_INIT;

	free(action->error);
	action->error = NULL;
	if (update_send(restore, action, live, true, NULL, &refused) < 0 && refused.code == ERR_REJECTED) {
		action->error = xstrdup(refused.text);
		action->reason = "the server refuses the change; an immutable field changes only by deleting the object";
		return;
	}
	action->kind = ACTION_UPDATE;
	action->reason = "differs: is replaced, a copy is kept";
}

int overwrite_try(struct restore *restore, struct action *action, json_t **stored, struct error *err)
{
	const struct object *o = action->object;
	auto_json json_t *live = NULL;

	*stored = NULL;
	if (kube_get(restore->settings->client, action->resource, o->namespace_, o->name, &live, err) < 0)
		return -1;
	return update_send(restore, action, live, true, stored, err);
}

/* ---- what was there ---- */

/* The name of a later copy of the same object has its number. */
static char *copy_path(const struct restore *restore, const struct action *action, int number)
{
	const char *journal = journal_path(restore->journal);
	auto_strbuf struct strbuf path = STRBUF_INIT;
	auto_free char *more = number > 1 ? xasprintf(".%d", number) : xstrdup("");

	object_path(action->object, &path);
	if (path.len > strlen(".yaml"))
		strbuf_truncate(&path, path.len - strlen(".yaml"));
	return xasprintf("%.*s.replaced/%s%s.yaml", (int)(strlen(journal) - strlen(".journal")), journal, path.buf, more);
}

char *overwrite_copy(const struct restore *restore, const struct action *action)
{
	char *path = restore->journal ? copy_path(restore, action, 1) : NULL;

	if (path && file_exists(path))
		return path;
	free(path);
	return NULL;
}

/* As `kubectl apply` and `kubectl replace` take it: without what only the server writes. */
static void copy_text(const json_t *live, struct strbuf *out)
{
	static const char *const server[] = {
		"creationTimestamp", "deletionTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid"};
	auto_json json_t *copy = json_deep_copy(live);

	json_object_del(copy, "status");
	for (size_t i = 0; i < sizeof(server) / sizeof(server[0]); i++)
		json_object_del(json_object_get(copy, "metadata"), server[i]);
	canonical_yaml(copy, out);
}

static bool has_text(const char *path, const struct strbuf *text)
{
	auto_strbuf struct strbuf there = STRBUF_INIT;
	struct error ignored = ERROR_INIT;

	return file_read(path, COPY_MAX, &there, &ignored) == 0 && there.len == text->len && memcmp(there.buf, text->buf, text->len) == 0;
}

/* Durable before anything is replaced. What an earlier run has kept stays. */
static int keep_copy(struct restore *restore, struct action *action, const json_t *live, struct error *err)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_free char *path = NULL, *dir = NULL;
	int number = 1;

	if (!restore->journal || (!*action->object->group && strcmp(action->object->resource, "secrets") == 0))
		return error_set(err, ERR_FAILED, "no copy of it can be kept, so it is not replaced");
	copy_text(live, &text);
	path = copy_path(restore, action, number);
	while (file_exists(path) && !has_text(path, &text)) {
		free(path);
		path = copy_path(restore, action, ++number);
	}
	dir = xstrndup(path, (size_t)(strrchr(path, '/') - path));
	if (!file_exists(path) && (file_mkdirs(dir, err) < 0 || file_write(path, text.buf, text.len, 0600, err) < 0))
		return error_wrap(err, "the copy of what is replaced");
	free(action->copy);
	action->copy = path;
	path = NULL;
	return 0;
}

/* ---- the update ---- */

/* 1: replaced, 0: look again. */
static int update_once(struct restore *restore, struct action *action, const json_t *live, struct error *err)
{
	auto_json json_t *stored = NULL;

	if (keep_copy(restore, action, live, err) < 0)
		return -1;
	if (update_send(restore, action, live, false, &stored, err) == 0) {
		apply_check_stored(restore, action, stored);
		return 1;
	}
	return err->code == ERR_CONFLICT || err->code == ERR_UNAVAILABLE ? 0 : -1;
}

/* An answer that was lost may have been a success: then it is equal now, and that was us. */
int overwrite_send(struct restore *restore, struct action *action, struct error *err)
{
	const struct object *o = action->object;
	auto_json json_t *fields = json_incref(action->fields);
	bool sent = action->unanswered;

	for (int tries = 0; tries < UPDATE_TRIES; tries++) {
		auto_json json_t *live = NULL;
		int rc;

		if (restore_may_go_on(restore, err) < 0 ||
			kube_get(restore->settings->client, action->resource, o->namespace_, o->name, &live, err) < 0)
			return -1;
		plan_decide(restore, action, live);
		if (action->kind == ACTION_SKIP && sent && action->copy) {
			action->kind = ACTION_UPDATE;
			action->reason = NULL;
			json_decref(action->fields);
			action->fields = json_incref(fields);
			return 0;
		}
		if (action->kind != ACTION_UPDATE)
			return 0;
		json_decref(fields);
		fields = json_incref(action->fields);
		rc = update_once(restore, action, live, err);
		if (rc != 0)
			return rc < 0 ? -1 : 0;
		sent = true;
		clock_sleep_ms(restore->patience.backoff_min << tries);
	}
	return -1;
}
