/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan: every object of the snapshot gets a wave and an action. The live objects come from one list a kind;
 * only one that differs is asked about by itself (a dry run).
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "kube/client.h"
#include "kube/discovery.h"
#include "kube/list.h"
#include "kube/object_api.h"
#include "object/diff.h"
#include "object/merge.h"
#include "object/object.h"
#include "object/references.h"
#include "policy/policy.h"
#include "restore/restore.h"
#include "util/hash.h"
#include "store/snapshot.h"
#include "util/error.h"
#include "util/json.h"
#include "util/map.h"
#include "util/mem.h"

/* One question about one object that differs: a webhook that is down must not hold up the plan. */
#define EQUAL_DEADLINE_MS 5000

const char *action_kind_name(enum action_kind kind)
{
	static const char *const names[] = {"create", "merge", "update", "skip", "conflict"};

	return names[kind];
}

static void key_add(struct strbuf *out, const char *group, const char *resource, const char *namespace_, const char *name)
{
	strbuf_addf(out, "%s/%s/%s/%s", group, resource, namespace_, name);
}

/* --- waves --- */

struct early {
	struct map *rows; /* key of a referenced object -> the row that says how early it goes */
	const struct policy_kind *row;
};

static int early_add(const struct reference *reference, void *arg)
{
	struct early *early = arg;
	auto_strbuf struct strbuf key = STRBUF_INIT;

	if (strcmp(reference->group, early->row->early_group) != 0 || strcmp(reference->resource, early->row->early_resource) != 0)
		return 0;
	key_add(&key, reference->group, reference->resource, reference->namespace_, reference->name);
	map_put(early->rows, key.buf, (void *)(uintptr_t)early->row);
	return 0;
}

static size_t wave_of(const struct map *early, const struct action *action)
{
	const struct object *object = action->object;
	const struct policy_kind *row;
	auto_strbuf struct strbuf key = STRBUF_INIT;

	key_add(&key, object->group, object->resource, object->namespace_, object->name);
	row = map_get(early, key.buf);
	return row ? row->early_wave : action->row->wave;
}

static int action_compare(const void *a, const void *b)
{
	const struct action *x = a, *y = b;

	if (x->wave != y->wave)
		return x->wave < y->wave ? -1 : 1;
	return object_compare(&x->object, &y->object);
}

static void plan_waves(struct restore *restore)
{
	struct map rows = MAP_INIT;

	for (size_t i = 0; i < restore->action_count; i++) {
		const struct action *action = &restore->actions[i];
		struct early early = {.rows = &rows, .row = action->row};

		if (action->row->early_resource)
			references_each(action->object, action->row->references, action->row->reference_count, early_add, &early);
	}
	for (size_t i = 0; i < restore->action_count; i++)
		restore->actions[i].wave = wave_of(&rows, &restore->actions[i]);
	map_release(&rows, NULL);
	if (restore->action_count)
		qsort(restore->actions, restore->action_count, sizeof(*restore->actions), action_compare);
}

/* --- actions --- */

static void field_add(const char *path, const json_t *live, const json_t *want, void *arg)
{
	json_array_append_new(arg, diff_field(path, "live", live, "snapshot", want));
}

/*
 * What the server would make of our object in the place of the live one: its own defaults are no difference. 1: the same, 0: not, or it may
 * not or cannot be asked.
 */
static int equal_by_server(struct restore *restore, const struct action *action, const json_t *live, const json_t *clean)
{
	auto_strbuf struct strbuf path = STRBUF_INIT;
	auto_json json_t *body = json_deep_copy(action->object->json), *answer = NULL;
	struct kube_request request = {.method = "PUT", .body = body, .deadline_ms = EQUAL_DEADLINE_MS};
	struct error refused = ERROR_INIT;

	json_object_set(json_object_get(body, "metadata"), "resourceVersion", json_at(live, "metadata", "resourceVersion", NULL));
	kube_path(&path, action->resource, action->object->namespace_, action->object->name);
	strbuf_adds(&path, "?dryRun=All");
	request.path = path.buf;
	if (kube_call(restore->settings->client, &request, &answer, &refused) < 0)
		return 0;
	policy_clean(action->row, answer);
	return diff_equal(answer, clean);
}

static void decide(struct action *action, enum action_kind kind, const char *reason)
{
	action->kind = kind;
	action->reason = reason;
}

/*
 * What differs is seen on the cleaned object, but the patch is made from the live one: a list in it is the whole new list, and what cleaning
 * hides (the token of a ServiceAccount) must not be lost. With the resourceVersion, somebody else's write in between is a 409, not a loss.
 */
static void decide_merge(const struct restore *restore, struct action *action, const json_t *live, const json_t *clean)
{
	const struct policy_kind *row = action->row;
	auto_json json_t *missing = merge_patch(clean, action->object->json, row->merge, row->merge_count, field_add, action->fields);

	action->patch = missing ? merge_patch(live, action->object->json, row->merge, row->merge_count, NULL, NULL) : NULL;
	if (action->patch && restore->settings->overwrite && json_array_size(action->fields)) {
		decide(action, ACTION_CONFLICT, "differs");
	} else if (action->patch) {
		json_t *metadata = json_object_get(action->patch, "metadata");

		if (!metadata)
			json_object_set_new(action->patch, "metadata", metadata = json_object());
		json_object_set(metadata, "resourceVersion", json_at(live, "metadata", "resourceVersion", NULL));
		decide(action, ACTION_MERGE, "adds what is missing");
	} else if (json_array_size(action->fields)) {
		decide(action, ACTION_CONFLICT, "differs");
	} else {
		decide(action, ACTION_SKIP, "has all that the snapshot has");
	}
}

static void decide_differing(struct restore *restore, struct action *action, const json_t *live, const json_t *clean)
{
	if (equal_by_server(restore, action, live, clean)) {
		decide(action, ACTION_SKIP, "equal but for the server's defaults");
		return;
	}
	decide(action, ACTION_CONFLICT, "differs");
	diff_values(clean, action->object->json, field_add, action->fields);
}

static bool is_leaving(const json_t *live)
{
	return json_at(live, "metadata", "deletionTimestamp", NULL) != NULL;
}

/* Status and what else is cleaned away may change: the plan does not rest on it. */
static json_t *live_json(const json_t *live, const json_t *clean)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	char sum[HASH_HEX_SIZE];

	json_write(clean, &text);
	hash_sha256(text.buf, text.len, sum);
	return json_pack("{s:s?, s:s}", "uid", json_text_at(live, "metadata", "uid", NULL), "sha256", sum);
}

void plan_hold(struct action *action)
{
	bool writes = action->kind != ACTION_SKIP && action->kind != ACTION_CONFLICT;

	if (writes && action->ground && !json_equal(action->ground, action->live))
		decide(action, ACTION_CONFLICT, "is not what the plan rests on");
}

static void decide_live(struct restore *restore, struct action *action, const json_t *live, const json_t *clean)
{
	if (action->leaving)
		decide(action, ACTION_CREATE, "when the one that is being deleted on the target is gone");
	else if (diff_equal(clean, action->object->json))
		decide(action, ACTION_SKIP, "equal already");
	else if (action->row->merge_count)
		decide_merge(restore, action, live, clean);
	else
		decide_differing(restore, action, live, clean);
	if (action->kind == ACTION_CONFLICT && restore->settings->overwrite && action->resource)
		overwrite_decide(restore, action, live);
}

void plan_decide(struct restore *restore, struct action *action, const json_t *live)
{
	auto_json json_t *clean = live ? json_deep_copy(live) : NULL;

	json_decref(action->fields);
	json_decref(action->patch);
	json_decref(action->live);
	action->fields = json_array();
	action->patch = NULL;
	action->leaving = is_leaving(live);
	if (live) {
		policy_clean(action->row, clean);
		/* one that is leaving is waited for: the plan rests on its absence */
		action->live = action->leaving ? json_null() : live_json(live, clean);
		decide_live(restore, action, live, clean);
		fields_mark_immutable(action, live);
	} else {
		action->live = json_null();
		decide(action, ACTION_CREATE, NULL);
	}
	plan_hold(action);
}

/* --- live objects --- */

struct plan_list {
	struct restore *restore;
	struct map actions;      /* key -> struct action */
	struct map live;         /* key -> the live object of it, of the kind that is listed now */
	const struct action *of; /* its kind is listed */
};

static void free_json(void *value)
{
	json_decref(value);
}

static int plan_item(json_t *item, void *arg, struct error *err)
{
	struct plan_list *list = arg;
	const struct object *of = list->of->object;
	const char *namespace_ = json_text_at(item, "metadata", "namespace", NULL), *name = json_text_at(item, "metadata", "name", NULL);
	auto_strbuf struct strbuf key = STRBUF_INIT;
	const struct action *action;

	(void)err;
	key_add(&key, of->group, of->resource, namespace_ ? namespace_ : "", name ? name : "");
	action = map_get(&list->actions, key.buf);
	/* One at another version is held against the list at that version. */
	if (action && action->resource == list->of->resource)
		json_decref(map_put(&list->live, key.buf, json_incref(item)));
	return 0;
}

static void plan_restart(void *arg)
{
	struct plan_list *list = arg;

	map_release(&list->live, free_json);
}

/* After the list, since deciding may ask the server, and a list that waits loses its place. */
static void plan_listed(struct plan_list *list)
{
	auto_free struct map_entry *live = map_sorted(&list->live);

	for (size_t i = 0; i < list->live.count; i++) {
		struct action *action = map_get(&list->actions, live[i].key);

		plan_decide(list->restore, action, live[i].value);
	}
	map_release(&list->live, free_json);
}

/* What may not be seen is planned as if it were not there: preflight says so (check_rights.c). */
static void plan_unlisted(struct restore *restore, const struct action *of)
{
	for (size_t i = 0; i < restore->action_count; i++)
		if (restore->actions[i].resource == of->resource)
			restore->actions[i].unlisted = true;
}

static struct kube_list_options list_options(const struct action *of)
{
	return (struct kube_list_options){.managed_fields = of->row->evidence_count > 0};
}

static int plan_list_kind(struct plan_list *list, const struct action *of, struct error *err)
{
	const struct kube_list_sink sink = {.item = plan_item, .restart = plan_restart, .arg = list};
	const struct kube_list_options options = list_options(of);

	list->of = of;
	if (kube_list(list->restore->settings->client, of->resource, &options, &sink, NULL, err) == 0) {
		plan_listed(list);
		return 0;
	}
	map_release(&list->live, free_json);
	if (err->code != ERR_FORBIDDEN)
		return error_wrap(err, "the target");
	error_clear(err);
	plan_unlisted(list->restore, of);
	return 0;
}

/* The next kind that the target serves (what it does not preflight tells), by its first action; NULL: no more. */
static const struct action *next_kind(const struct restore *restore, size_t *at, struct map *done)
{
	while (*at < restore->action_count) {
		const struct action *action = &restore->actions[(*at)++];
		const struct kube_resource *resource = action->resource;
		auto_strbuf struct strbuf kind = STRBUF_INIT;

		if (!resource)
			continue;
		strbuf_addf(&kind, "%s/%s/%s", resource->group, resource->version, resource->resource);
		if (!map_put(done, kind.buf, done))
			return action;
	}
	return NULL;
}

void plan_expect(const struct restore *restore)
{
	struct map done = MAP_INIT;
	const struct action *of;
	size_t at = 0;

	while ((of = next_kind(restore, &at, &done))) {
		const struct kube_list_options options = list_options(of);

		kube_list_expect(restore->settings->client, of->resource, &options);
	}
	map_release(&done, NULL);
}

static int plan_lists(struct plan_list *list, struct error *err)
{
	struct map done = MAP_INIT;
	const struct action *of;
	size_t at = 0;
	int rc = 0;

	while (rc == 0 && (of = next_kind(list->restore, &at, &done)))
		rc = plan_list_kind(list, of, err);
	map_release(&done, NULL);
	return rc;
}

int plan_make(struct restore *restore, struct error *err)
{
	struct plan_list list = {.restore = restore};
	int rc;

	plan_waves(restore);
	for (size_t i = 0; i < restore->action_count; i++) {
		struct action *action = &restore->actions[i];
		const struct object *o = action->object;
		auto_strbuf struct strbuf key = STRBUF_INIT;

		key_add(&key, o->group, o->resource, o->namespace_, o->name);
		map_put(&list.actions, key.buf, action);
		plan_decide(restore, action, NULL);
	}
	rc = plan_lists(&list, err);
	map_release(&list.actions, NULL);
	return rc;
}
