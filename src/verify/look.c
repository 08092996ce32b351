/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/look.h"

#include <stdlib.h>
#include <string.h>

#include "kube/discovery.h"
#include "kube/list.h"
#include "object/classify.h"
#include "object/object.h"
#include "policy/policy.h"
#include "store/snapshot.h"
#include "util/error.h"
#include "util/json.h"
#include "util/log.h"
#include "util/mem.h"
#include "verify/installation.h"
#include "verify/judge.h"

/* What a map holds that is only asked whether it has a key. */
static char present[] = "";

static char *look_key(const char *group, const char *resource, const char *namespace_, const char *name)
{
	return xasprintf("%s/%s/%s/%s", group, resource, namespace_, name);
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_text_at(object, key, NULL);

	return text ? text : "";
}

/* ---- what to list ---- */

struct look_kind *look_find(const struct verify_look *look, const char *group, const char *resource)
{
	auto_free char *key = xasprintf("%s/%s", group, resource);

	return map_get(&look->by_resource, key);
}

static struct look_kind *add_kind(struct verify_look *look, const char *group, const char *resource)
{
	struct look_kind *kind = look_find(look, group, resource);
	auto_free char *key = NULL;

	if (kind)
		return kind;
	kind = xcalloc(1, sizeof(*kind));
	kind->group = xstrdup(group);
	kind->resource = xstrdup(resource);
	kind->row = policy_find(look->settings.policy, group, resource);
	kind->kind = kind->row ? xstrdup(kind->row->kind) : NULL;
	look->kinds = xgrow(look->kinds, &look->kind_cap, look->kind_count + 1, sizeof(struct look_kind *));
	look->kinds[look->kind_count++] = kind;
	key = xasprintf("%s/%s", group, resource);
	map_put(&look->by_resource, key, kind);
	return kind;
}

const json_t *look_generated(const struct verify_look *look)
{
	return json_object_get(look->settings.snapshot->generated, "objects");
}

/* Kinds that the inventory's objects are of, their keys, and into owners the kinds that own them. */
static void prepare_generated(struct verify_look *look, struct map *generated, struct map *owners)
{
	json_t *entry;
	size_t i;

	json_array_foreach (look_generated(look), i, entry) {
		const json_t *owner = json_object_get(entry, "owner");
		const char *group = text_of(entry, "group"), *resource = text_of(entry, "resource"),
			   *namespace_ = text_of(entry, "namespace");
		auto_free char *kind = xasprintf("%s/%s", group, resource);
		auto_free char *owner_kind = xasprintf("%s/%s", text_of(owner, "group"), text_of(owner, "kind"));
		auto_free char *key = look_key(group, resource, namespace_, text_of(entry, "name"));

		map_put(generated, kind, entry);
		map_put(owners, owner_kind, present);
		map_put(&look->wanted, key, present);
		if (*namespace_)
			map_put(&look->namespaces, namespace_, present);
	}
}

/* All kinds of the policy's inventory (for orphans), or only those that the snapshot's has (for children). */
static void prepare_inventory(struct verify_look *look, const struct map *generated, bool all)
{
	const struct policy *policy = look->settings.policy;

	for (size_t i = 0; i < policy->inventory_count; i++) {
		const struct policy_inventory *row = &policy->inventory[i];
		auto_free char *key = xasprintf("%s/%s", row->group, row->resource);
		const json_t *entry = map_get(generated, key);
		struct look_kind *kind;

		if (!all && !entry)
			continue;
		kind = add_kind(look, row->group, row->resource);
		kind->inventory = true;
		if (!kind->kind && entry)
			kind->kind = xstrdup(text_of(entry, "kind"));
	}
}

static void prepare_objects(struct verify_look *look, const struct map *owners, bool all)
{
	const struct snapshot *snapshot = look->settings.snapshot;

	for (size_t i = 0; i < snapshot->object_count; i++) {
		const struct object *object = snapshot->objects[i];
		const struct policy_kind *row = policy_find(look->settings.policy, object->group, object->resource);
		auto_free char *owner = xasprintf("%s/%s", object->group, object->kind);
		auto_free char *key = look_key(object->group, object->resource, object->namespace_, object->name);
		struct look_kind *kind;

		if (*object->namespace_)
			map_put(&look->namespaces, object->namespace_, present);
		if (!row || (!all && !judge_has_ready(row) && !map_get(owners, owner)))
			continue;
		map_put(&look->wanted, key, present);
		kind = add_kind(look, object->group, object->resource);
		kind->objects = true;
		if (!kind->version)
			kind->version = object->version;
	}
}

struct verify_look *look_prepare(const struct verify_settings *settings, bool all)
{
	struct verify_look *look = xcalloc(1, sizeof(*look));
	struct map generated = MAP_INIT, owners = MAP_INIT;

	look->settings = *settings;
	look->controlled = json_array();
	look->policies = json_array();
	look->workloads = json_array();
	prepare_generated(look, &generated, &owners);
	prepare_inventory(look, &generated, all);
	prepare_objects(look, &owners, all);
	map_release(&generated, NULL);
	map_release(&owners, NULL);
	return look;
}

/* ---- what is kept ---- */

static void keep_live(struct verify_look *look, const char *key, json_t *item)
{
	json_decref(map_put(&look->live, key, json_incref(item)));
}

static bool is_controlled(const struct verify_look *look, const struct look_kind *kind, const json_t *item, const char *namespace_)
{
	struct object_owner owner;

	return kind->inventory && map_get(&look->namespaces, namespace_) && classify_owner(item, &owner);
}

/* The list that keeps all objects of this kind in the snapshot's namespaces, not only those that it has; NULL: none. */
static json_t *keeper_of(const struct verify_look *look, const struct look_kind *kind, const char *namespace_)
{
	if (!map_get(&look->namespaces, namespace_))
		return NULL;
	if (!strcmp(kind->group, LOOK_NETWORK_GROUP) && !strcmp(kind->resource, LOOK_NETWORK_POLICIES))
		return look->policies;
	return judge_is_workload(kind->group, kind->resource) ? look->workloads : NULL;
}

void look_take(struct verify_look *look, const struct look_kind *kind, json_t *item)
{
	const json_t *metadata = json_object_get(item, "metadata");
	const char *namespace_ = text_of(metadata, "namespace"), *name = text_of(metadata, "name"), *uid = text_of(metadata, "uid");
	auto_free char *key = look_key(kind->group, kind->resource, namespace_, name);

	if (*uid)
		free(map_put(&look->uids, uid, judge_identity(kind->group, kind->kind ? kind->kind : "", namespace_, name)));
	if (map_get(&look->wanted, key))
		keep_live(look, key, item);
	if (is_controlled(look, kind, item, namespace_))
		json_array_append(look->controlled, item);
	if (keeper_of(look, kind, namespace_))
		json_array_append(keeper_of(look, kind, namespace_), item);
}

void look_listed(struct verify_look *look, struct look_kind *kind)
{
	auto_free char *key = xasprintf("%s/%s", kind->group, kind->kind ? kind->kind : "");

	kind->listed = true;
	map_put(&look->by_kind, key, kind);
}

json_t *look_live(const struct verify_look *look, const char *group, const char *resource, const char *namespace_, const char *name)
{
	auto_free char *key = look_key(group, resource, namespace_, name);

	return map_get(&look->live, key);
}

json_t *look_object(const struct verify_look *look, const struct object *object)
{
	return look_live(look, object->group, object->resource, object->namespace_, object->name);
}

bool look_knows(const struct verify_look *look, const char *group, const char *kind)
{
	auto_free char *key = xasprintf("%s/%s", group, kind);

	return map_get(&look->by_kind, key) != NULL;
}

/* ---- asking the server ---- */

/* The items of one list so far; void when the list starts over. */
struct batch {
	const struct verify_look *look;
	const struct look_kind *kind;
	json_t *items;
};

/* An object that nothing is asked about leaves only what its children may name. */
static json_t *stub_of(const json_t *item)
{
	static const char *const kept[] = {"name", "namespace", "uid"};
	const json_t *metadata = json_object_get(item, "metadata");
	json_t *stub = json_object();

	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
		if (json_object_get(metadata, kept[i]))
			json_object_set(stub, kept[i], json_object_get(metadata, kept[i]));
	return json_pack("{s:o}", "metadata", stub);
}

static int batch_item(json_t *item, void *arg, struct error *err)
{
	struct batch *batch = arg;
	const char *namespace_ = text_of(json_object_get(item, "metadata"), "namespace");
	auto_free char *key =
		look_key(batch->kind->group, batch->kind->resource, namespace_, text_of(json_object_get(item, "metadata"), "name"));

	(void)err;
	if (map_get(&batch->look->wanted, key) || is_controlled(batch->look, batch->kind, item, namespace_) ||
		keeper_of(batch->look, batch->kind, namespace_))
		json_array_append(batch->items, item);
	else
		json_array_append_new(batch->items, stub_of(item));
	return 0;
}

static void batch_restart(void *arg)
{
	struct batch *batch = arg;

	json_array_clear(batch->items);
}

static void remember_list(struct verify_look *look, const struct look_kind *kind, const char *namespace_, char *version)
{
	look->lists = xgrow(look->lists, &look->list_cap, look->list_count + 1, sizeof(struct look_list));
	look->lists[look->list_count++] = (struct look_list){.kind = kind, .namespace_ = namespace_, .version = version};
}

static int list_one(struct verify_look *look, const struct look_kind *kind, const char *namespace_, struct error *err)
{
	auto_json json_t *items = json_array();
	struct batch batch = {.look = look, .kind = kind, .items = items};
	const struct kube_list_options options = {.namespace_ = namespace_,
		.metadata_only = !kind->objects && !judge_is_workload(kind->group, kind->resource),
		.managed_fields = kind->objects && kind->row && kind->row->evidence_count};
	const struct kube_list_sink sink = {.item = batch_item, .restart = batch_restart, .arg = &batch};
	char *version = NULL;
	json_t *item;
	size_t i;

	if (kube_list(look->settings.client, kind->served, &options, &sink, &version, err) < 0)
		return -1;
	remember_list(look, kind, namespace_, version);
	json_array_foreach (items, i, item)
		look_take(look, kind, item);
	return 0;
}

static int list_namespaces(struct verify_look *look, const struct look_kind *kind, struct error *err)
{
	auto_free struct map_entry *namespaces = map_sorted(&look->namespaces);

	for (size_t i = 0; i < look->namespaces.count; i++)
		if (list_one(look, kind, namespaces[i].key, err) < 0)
			return -1;
	return 0;
}

/* A kind that may not be read, or went away since discovery, is not tested; any other fault leaves no look to judge on. */
static int list_kind(struct verify_look *look, struct look_kind *kind, struct error *err)
{
	bool few = kind->served->namespaced && look->namespaces.count <= LOOK_FEW_NAMESPACES;
	int result = few ? list_namespaces(look, kind, err) : list_one(look, kind, NULL, err);

	if (result == 0) {
		look_listed(look, kind);
		return 0;
	}
	if (err->code != ERR_FORBIDDEN && err->code != ERR_NOT_FOUND)
		return -1;
	kind->why = judge_safe(err->text);
	log_debug("%s", kind->why);
	error_clear(err);
	return 0;
}

static void find_served(const struct verify_look *look, struct look_kind *kind)
{
	const struct discovery *discovery = look->settings.discovery;
	const char *dot = *kind->group ? "." : "";

	if (kind->version)
		kind->served = discovery_find(discovery, kind->group, kind->resource, kind->version);
	if (!kind->served)
		kind->served = discovery_find(discovery, kind->group, kind->resource, NULL);
	if (kind->served) {
		if (!kind->kind)
			kind->kind = xstrdup(kind->served->kind);
		return;
	}
	kind->not_served = !discovery_incomplete(discovery, kind->group);
	kind->why = xasprintf("the API server %s %s%s%s", kind->not_served ? "does not serve" : "could not say whether it serves",
		kind->resource, dot, kind->group);
}

int look_list_all(struct verify_look *look, struct error *err)
{
	for (size_t i = 0; i < look->kind_count; i++) {
		find_served(look, look->kinds[i]);
		if (look->kinds[i]->served && list_kind(look, look->kinds[i], err) < 0)
			return -1;
	}
	return 0;
}

int verify_look_new(struct verify_look **out, const struct verify_settings *settings, bool all, struct error *err)
{
	struct verify_look *look = look_prepare(settings, all);

	*out = NULL;
	if (look_list_all(look, err) < 0 || (all && installation_look(look, err) < 0)) {
		verify_look_free(look);
		return error_wrap(err, "look at the cluster");
	}
	*out = look;
	return 0;
}

static void free_json(void *value)
{
	json_decref(value);
}

void verify_look_free(struct verify_look *look)
{
	if (!look)
		return;
	for (size_t i = 0; i < look->kind_count; i++) {
		free(look->kinds[i]->group);
		free(look->kinds[i]->resource);
		free(look->kinds[i]->kind);
		free(look->kinds[i]->why);
		free(look->kinds[i]);
	}
	for (size_t i = 0; i < look->list_count; i++)
		free(look->lists[i].version);
	free(look->kinds);
	free(look->lists);
	map_release(&look->by_resource, NULL);
	map_release(&look->by_kind, NULL);
	map_release(&look->namespaces, NULL);
	map_release(&look->wanted, NULL);
	map_release(&look->live, free_json);
	map_release(&look->uids, free);
	json_decref(look->controlled);
	json_decref(look->policies);
	json_decref(look->workloads);
	json_decref(look->installation.presets);
	free(look->installation.differs);
	free(look);
}
