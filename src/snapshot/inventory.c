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
#include "owners.h"
#include "policy/policy.h"
#include "snapshot/capture.h"
#include "util/error.h"
#include "util/json.h"
#include "util/strbuf.h"

bool inventory_has(const struct policy *policy, const char *group, const char *resource)
{
	for (size_t i = 0; i < policy->inventory_count; i++)
		if (strcmp(policy->inventory[i].group, group) == 0 && strcmp(policy->inventory[i].resource, resource) == 0)
			return true;
	return false;
}

struct inventory_list {
	struct capture *c;
	const struct kube_resource *resource;
	const struct kube_raw *raw; /* of the present item */
};

static void inventory_add(const struct inventory_list *list, const struct object *object)
{
	const struct capture *c = list->c;
	const struct classify_managers managers = {.text = list->raw->managed_fields, .len = list->raw->managed_fields_len};
	const char *uid = json_text_at(object->json, "metadata", "uid", NULL);
	auto_free char *group = NULL, *version = NULL;
	struct object_owner owner = {0};
	struct child_facts facts = {.uid = uid ? uid : ""};

	if (!classify_owner(object->json, &owner))
		facts.rule = classify_by_rule(object, &managers, c->policy->rules, c->policy->rule_count);
	object_split_api_version(owner.api_version ? owner.api_version : "", &group, &version);
	facts.owner_group = group;
	facts.owner_kind = owner.kind ? owner.kind : "";
	facts.owner_name = owner.name ? owner.name : "";
	facts.owner_uid = owner.uid ? owner.uid : "";
	facts.leaving = json_at(object->json, "metadata", "deletionTimestamp", NULL) != NULL;
	owners_add(c->owners, object, facts.rule ? facts.rule->class_ : *facts.owner_uid ? CLASS_GENERATED : CLASS_AUTHORED, &facts);
}

static int inventory_item(json_t *item, void *arg, struct error *err)
{
	struct inventory_list *list = arg;
	struct object *object;

	controller_seen(list->c, list->resource, item);
	if (object_new(&object, list->resource->resource, item, err) < 0)
		return -1;
	if (capture_in_scope(list->c, object->namespace_))
		inventory_add(list, object);
	object_free(object);
	return 0;
}

static int inventory_raw(const struct kube_raw *raw, void *arg, struct error *err)
{
	(void)err;
	((struct inventory_list *)arg)->raw = raw;
	return 0;
}

static int inventory_list(struct capture *c, const struct kube_resource *resource, const char *namespace_, struct error *err)
{
	struct inventory_list list = {.c = c, .resource = resource};
	const struct kube_list_options options = {.namespace_ = namespace_, .metadata_only = true};
	const struct kube_list_sink sink = {.raw = inventory_raw, .item = inventory_item, .arg = &list};

	if (capture_list(c, resource, &options, &sink, err) < 0)
		return -1;
	owners_add_listed(c->owners, resource->group, resource->kind, namespace_ ? namespace_ : "");
	return 0;
}

/* Children live beside their owners: only namespaces that hold something are asked. */
static int inventory_lists(struct capture *c, const struct kube_resource *resource, struct error *err)
{
	auto_free struct map_entry *held = map_sorted(&c->held);
	auto_strbuf struct strbuf key = STRBUF_INIT;

	if (!capture_is_narrowed(c) && c->held.count > CAPTURE_NAMESPACE_LISTS) {
		capture_key(&key, resource->group, resource->resource, "", "");
		map_put(&c->inventoried, key.buf, c);
		return inventory_list(c, resource, NULL, err);
	}
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

	/* listed whole before: collect.c has told of them; or carried: carry_inventory knows them */
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

static void mark_generated(struct capture *c, const struct child *child)
{
	auto_strbuf struct strbuf key = STRBUF_INIT;

	capture_key(&key, child->group, child->resource, child->namespace_, child->name);
	c->generated_count += seen_generated(c, key.buf);
}

static json_t *child_json(const struct child *child, const struct object *owner)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:{s:s, s:s, s:s}}", "group", child->group, "resource", child->resource, "kind",
		child->kind, "namespace", child->namespace_, "name", child->name, "owner", "group", owner->group, "kind", owner->kind,
		"name", owner->name);
}

/* The child has an owner in the snapshot. */
static void tell_owned(struct capture *c, const struct child *child)
{
	const struct taken *owner = child->rule ? NULL : table_get(&c->taken, child->owner_uid);
	auto_named struct named named = NAMED_INIT;

	if (!owner)
		return;
	capture_name(c, &c->seen, owner->seen, &named);
	json_array_append_new(c->generated, child_json(child, &named.object));
}

int inventory_collect(struct capture *c, struct error *err)
{
	const struct child *children;
	size_t count;

	for (size_t i = 0; i < c->policy->inventory_count; i++)
		if (inventory_kind(c, &c->policy->inventory[i], err) < 0)
			return -1;
	carry_inventory(c);
	children = owners_children(c->owners, &count);
	for (size_t i = 0; i < count; i++)
		if (inventory_has(c->policy, children[i].group, children[i].resource))
			mark_generated(c, &children[i]);
	owners_judge(c);
	for (size_t i = 0; i < count; i++)
		if (inventory_has(c->policy, children[i].group, children[i].resource))
			tell_owned(c, &children[i]);
	return 0;
}
