/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan: every object of the snapshot gets a wave and an action. The live objects come from one list a kind, never one request an object.
 */
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "kube/client.h"
#include "kube/discovery.h"
#include "kube/list.h"
#include "kube/object_api.h"
#include "object/clean.h"
#include "object/diff.h"
#include "object/merge.h"
#include "object/object.h"
#include "object/references.h"
#include "policy/policy.h"
#include "restore/restore.h"
#include "store/snapshot.h"
#include "util/error.h"
#include "util/json.h"
#include "util/map.h"
#include "util/mem.h"

const char *action_kind_name(enum action_kind kind)
{
	static const char *const names[] = {"create", "merge", "skip", "conflict"};

	return names[kind];
}

static void key_add(struct strbuf *out, const char *group, const char *resource, const char *namespace_, const char *name)
{
	strbuf_addf(out, "%s/%s/%s/%s", group, resource, namespace_, name);
}

/* --- waves --- */

struct early {
	struct map *map; /* "<group>/<resource> <key>": an object of that kind refers to key */
	const struct object *from;
};

static int early_add(const struct reference *reference, void *arg)
{
	struct early *early = arg;
	auto_strbuf struct strbuf key = STRBUF_INIT;

	strbuf_addf(&key, "%s/%s ", early->from->group, early->from->resource);
	key_add(&key, reference->group, reference->resource, reference->namespace_, reference->name);
	map_put(early->map, key.buf, early);
	return 0;
}

static bool is_early(const struct map *map, const struct action *action)
{
	const struct policy_kind *row = action->row;
	const struct object *object = action->object;
	auto_strbuf struct strbuf key = STRBUF_INIT;

	if (!row->early_resource)
		return false;
	strbuf_addf(&key, "%s/%s ", row->early_group, row->early_resource);
	key_add(&key, object->group, object->resource, object->namespace_, object->name);
	return map_get(map, key.buf) != NULL;
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
	struct map referenced = MAP_INIT;

	for (size_t i = 0; i < restore->action_count; i++) {
		const struct action *action = &restore->actions[i];
		struct early early = {.map = &referenced, .from = action->object};

		references_each(action->object, action->row->references, action->row->reference_count, early_add, &early);
	}
	for (size_t i = 0; i < restore->action_count; i++) {
		struct action *action = &restore->actions[i];

		action->wave = is_early(&referenced, action) ? action->row->early_wave : action->row->wave;
	}
	map_release(&referenced, NULL);
	if (restore->action_count)
		qsort(restore->actions, restore->action_count, sizeof(*restore->actions), action_compare);
}

/* --- actions --- */

static void field_add(const char *path, const json_t *live, const json_t *want, void *arg)
{
	auto_strbuf struct strbuf before = STRBUF_INIT, after = STRBUF_INIT;

	diff_print_value(&before, path, live);
	diff_print_value(&after, path, want);
	json_array_append_new(arg, json_pack("{s:s, s:s, s:s}", "path", path, "live", before.buf, "snapshot", after.buf));
}

/* What the server would make of our object in the place of the live one: its own defaults are no difference. *same is false where it may not be asked. */
static int equal_by_server(
	struct restore *restore, const struct action *action, const json_t *live, const json_t *clean, bool *same, struct error *err)
{
	auto_strbuf struct strbuf path = STRBUF_INIT;
	auto_json json_t *body = json_deep_copy(action->object->json), *answer = NULL;
	struct kube_request request = {.method = "PUT", .body = body};

	*same = false;
	json_object_set(json_object_get(body, "metadata"), "resourceVersion", json_at(live, "metadata", "resourceVersion", NULL));
	kube_path(&path, action->resource, action->object->namespace_, action->object->name);
	strbuf_adds(&path, "?dryRun=All");
	request.path = path.buf;
	if (kube_call(restore->settings->client, &request, &answer, err) < 0) {
		if (err->code == ERR_UNAVAILABLE || err->code == ERR_FAILED)
			return -1;
		error_clear(err);
		return 0;
	}
	clean_object(answer, action->row->strip, action->row->strip_count);
	*same = diff_equal(answer, clean);
	return 0;
}

static void decide(struct action *action, enum action_kind kind, const char *reason)
{
	action->kind = kind;
	action->reason = reason;
}

static void decide_merge(struct action *action, const json_t *clean)
{
	action->patch = merge_patch(clean, action->object->json, action->row->merge, action->row->merge_count, field_add, action->fields);
	if (action->patch)
		decide(action, ACTION_MERGE, "adds what is missing");
	else if (json_array_size(action->fields))
		decide(action, ACTION_CONFLICT, "differs");
	else
		decide(action, ACTION_SKIP, "has all that the snapshot has");
}

static int decide_differing(struct restore *restore, struct action *action, const json_t *live, const json_t *clean, struct error *err)
{
	bool same;

	if (equal_by_server(restore, action, live, clean, &same, err) < 0)
		return -1;
	if (same) {
		decide(action, ACTION_SKIP, "equal but for the server's defaults");
		return 0;
	}
	decide(action, ACTION_CONFLICT, "differs");
	diff_values(clean, action->object->json, field_add, action->fields);
	return 0;
}

int plan_decide(struct restore *restore, struct action *action, const json_t *live, struct error *err)
{
	auto_json json_t *clean = live ? json_deep_copy(live) : NULL;

	json_decref(action->fields);
	json_decref(action->patch);
	action->fields = json_array();
	action->patch = NULL;
	if (!live) {
		decide(action, ACTION_CREATE, NULL);
		return 0;
	}
	clean_object(clean, action->row->strip, action->row->strip_count);
	if (json_at(live, "metadata", "deletionTimestamp", NULL))
		decide(action, ACTION_CONFLICT, "is being deleted on the target");
	else if (diff_equal(clean, action->object->json))
		decide(action, ACTION_SKIP, "equal already");
	else if (action->row->merge_count)
		decide_merge(action, clean);
	else
		return decide_differing(restore, action, live, clean, err);
	return 0;
}

/* --- live objects --- */

struct plan_list {
	struct restore *restore;
	struct map actions;      /* key -> struct action */
	const struct action *of; /* its kind is listed */
};

static int plan_item(json_t *item, void *arg, struct error *err)
{
	struct plan_list *list = arg;
	const struct object *of = list->of->object;
	const char *namespace_ = json_text_at(item, "metadata", "namespace", NULL), *name = json_text_at(item, "metadata", "name", NULL);
	auto_strbuf struct strbuf key = STRBUF_INIT;
	struct action *action;

	key_add(&key, of->group, of->resource, namespace_ ? namespace_ : "", name ? name : "");
	action = map_get(&list->actions, key.buf);
	if (!action)
		return 0;
	if (action->row->select == SELECT_HOLDING && json_at(item, "metadata", "deletionTimestamp", NULL))
		restore_block(list->restore, "namespace %s is being deleted on the target: wait until it is gone", name);
	return plan_decide(list->restore, action, item, err);
}

static int plan_lists(struct plan_list *list, struct error *err)
{
	struct restore *restore = list->restore;
	const struct kube_list_sink sink = {.item = plan_item, .arg = list};
	const struct kube_list_options options = {0};
	struct map done = MAP_INIT;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < restore->action_count; i++) {
		const struct kube_resource *resource = restore->actions[i].resource;
		auto_strbuf struct strbuf kind = STRBUF_INIT;

		strbuf_addf(&kind, "%s/%s/%s", resource->group, resource->version, resource->resource);
		if (map_put(&done, kind.buf, list))
			continue;
		list->of = &restore->actions[i];
		rc = kube_list(restore->settings->client, resource, &options, &sink, NULL, err);
		if (rc < 0)
			error_wrap(err, "list %s%s%s on the target", resource->resource, *resource->group ? "." : "", resource->group);
	}
	map_release(&done, NULL);
	return rc;
}

int plan_make(struct restore *restore, struct error *err)
{
	struct plan_list list = {.restore = restore};
	int rc = 0;

	plan_waves(restore);
	for (size_t i = 0; rc == 0 && i < restore->action_count; i++) {
		struct action *action = &restore->actions[i];
		const struct object *o = action->object;
		auto_strbuf struct strbuf key = STRBUF_INIT;

		key_add(&key, o->group, o->resource, o->namespace_, o->name);
		map_put(&list.actions, key.buf, action);
		rc = plan_decide(restore, action, NULL, err);
	}
	if (rc == 0)
		rc = plan_lists(&list, err);
	map_release(&list.actions, NULL);
	return rc;
}
