/* SPDX-License-Identifier: Apache-2.0 */
/*
 * generated.yaml: what controllers have made from the objects of the snapshot, by metadata alone. It is never restored; after a restore each of
 * them must be back.
 */
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "kube/list.h"
#include "object/object.h"
#include "policy/policy.h"
#include "snapshot/capture.h"
#include "util/error.h"
#include "util/strbuf.h"

static bool in_inventory(const struct policy *policy, const struct kube_resource *resource)
{
	for (size_t i = 0; i < policy->inventory_count; i++)
		if (strcmp(policy->inventory[i].group, resource->group) == 0 &&
			strcmp(policy->inventory[i].resource, resource->resource) == 0)
			return true;
	return false;
}

void inventory_add(struct capture *c, const struct kube_resource *resource, const struct object *object, const char *owner_uid)
{
	struct child *child;

	if (!*owner_uid || !in_inventory(c->policy, resource))
		return;
	c->children = xgrow(c->children, &c->child_cap, c->child_count + 1, sizeof(*c->children));
	child = &c->children[c->child_count++];
	*child = (struct child){.group = xstrdup(object->group),
		.resource = xstrdup(object->resource),
		.kind = xstrdup(object->kind),
		.namespace_ = xstrdup(object->namespace_),
		.name = xstrdup(object->name),
		.owner_uid = xstrdup(owner_uid)};
}

struct inventory_list {
	struct capture *c;
	const struct kube_resource *resource;
};

static int inventory_item(json_t *item, void *arg, struct error *err)
{
	struct inventory_list *list = arg;
	struct object_owner owner;
	struct object *object;

	if (!classify_owner(item, &owner) || !owner.uid)
		return 0;
	if (object_new(&object, list->resource->resource, item, err) < 0)
		return -1;
	if (capture_in_scope(list->c, object->namespace_))
		inventory_add(list->c, list->resource, object, owner.uid);
	object_free(object);
	return 0;
}

static int inventory_list(struct capture *c, const struct kube_resource *resource, const char *namespace_, struct error *err)
{
	struct inventory_list list = {.c = c, .resource = resource};
	const struct kube_list_options options = {.namespace_ = namespace_, .metadata_only = true};
	const struct kube_list_sink sink = {.item = inventory_item, .arg = &list};

	return capture_list(c, resource, &options, &sink, err);
}

/* Children live beside their owners: only namespaces that hold something are asked. */
static int inventory_lists(struct capture *c, const struct kube_resource *resource, struct error *err)
{
	auto_free struct map_entry *held = map_sorted(&c->held);

	if (!capture_is_narrowed(c) && c->held.count > CAPTURE_NAMESPACE_LISTS)
		return inventory_list(c, resource, NULL, err);
	for (size_t i = 0; i < c->held.count; i++)
		if (inventory_list(c, resource, held[i].key, err) < 0)
			return -1;
	return 0;
}

static void inventory_note(struct capture *c, const struct policy_inventory *row)
{
	json_array_append_new(c->not_listed, json_sprintf("%s%s%s", row->resource, *row->group ? "." : "", row->group));
}

static int inventory_kind(struct capture *c, const struct policy_inventory *row, struct error *err)
{
	const struct kube_resource *resource = discovery_find(c->discovery, row->group, row->resource, NULL);
	const struct policy_kind *kind = policy_find(c->policy, row->group, row->resource);

	/* listed whole before: inventory_add has seen them; or carried: carry_inventory knows them */
	if (kind && (kind->select == SELECT_ALL || c->kinds[kind - c->policy->kinds].carried))
		return 0;
	if (!resource) {
		if (discovery_incomplete(c->discovery, row->group))
			inventory_note(c, row);
		return 0;
	}
	if (inventory_lists(c, resource, err) == 0)
		return 0;
	if (err->code != ERR_FORBIDDEN)
		return error_wrap(err, "inventory");
	error_clear(err);
	inventory_note(c, row);
	return 0;
}

static int child_compare(const void *a, const void *b)
{
	const struct child *x = a, *y = b;
	int order = strcmp(x->namespace_, y->namespace_);

	order = order ? order : strcmp(x->group, y->group);
	order = order ? order : strcmp(x->resource, y->resource);
	return order ? order : strcmp(x->name, y->name);
}

static void mark_generated(struct capture *c, const struct child *child)
{
	auto_strbuf struct strbuf key = STRBUF_INIT;
	struct seen *seen;

	capture_key(&key, child->group, child->resource, child->namespace_, child->name);
	if (map_get(&c->seen, key.buf))
		return;
	seen = xcalloc(1, sizeof(*seen));
	seen->class_ = CLASS_GENERATED;
	map_put(&c->seen, key.buf, seen);
	c->generated_count++;
}

int inventory_collect(struct capture *c, struct error *err)
{
	for (size_t i = 0; i < c->policy->inventory_count; i++)
		if (inventory_kind(c, &c->policy->inventory[i], err) < 0)
			return -1;
	carry_inventory(c);
	if (c->child_count)
		qsort(c->children, c->child_count, sizeof(*c->children), child_compare);
	for (size_t i = 0; i < c->child_count; i++) {
		const struct child *child = &c->children[i];
		const struct taken *owner = map_get(&c->taken, child->owner_uid);

		mark_generated(c, child);
		if (owner)
			json_array_append_new(c->generated,
				json_pack("{s:s, s:s, s:s, s:s, s:s, s:{s:s, s:s, s:s}}", "group", child->group, "resource",
					child->resource, "kind", child->kind, "namespace", child->namespace_, "name", child->name, "owner",
					"group", owner->group, "kind", owner->kind, "name", owner->name));
	}
	return 0;
}
