/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who stands above a generated object. It comes back only where its topmost owner does: that is in the snapshot, comes with the installation, or has to be
 * brought. One whose owner is gone is an orphan: nobody will make it again, and restored it would be in the way of whoever could.
 *
 * An owner counts as gone when a list of its kind has not shown its uid, or nothing of its kind is served any more. Lists of different times cannot tell: then nobody is
 * called an orphan for that.
 */
#include "owners.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "object/object.h"
#include "policy/policy.h"
#include "snapshot/capture.h"
#include "util/json.h"
#include "util/strbuf.h"

#define OWNERS_DEEP 16 /* nobody has so many above; owners in a circle have */

struct owners {
	struct map words; /* each text that many children share, once: itself -> a copy */
	struct child *children;
	size_t count, cap;
	struct map by_uid; /* uid of a child -> its index + 1 */
	struct map others; /* uid of what is neither a child nor taken -> a tag */
	struct map listed; /* "group/kind/namespace" of the inventory: shown whole; namespace "" is all */
};

/* Tags of others. */
static char left[] = "left", comes_back[] = "comes back";
static char nothing[] = "";

struct owners *owners_new(void)
{
	return xcalloc(1, sizeof(struct owners));
}

void owners_free(struct owners *owners)
{
	if (!owners)
		return;
	for (size_t i = 0; i < owners->count; i++) {
		free(owners->children[i].name);
		free(owners->children[i].uid);
	}
	free(owners->children);
	map_release(&owners->words, free);
	map_release(&owners->by_uid, NULL);
	map_release(&owners->others, NULL);
	map_release(&owners->listed, NULL);
	free(owners);
}

/* ---- what the lists show ---- */

static char *word(struct owners *owners, const char *text)
{
	char *copy = map_get(&owners->words, text);

	if (!copy) {
		copy = xstrdup(text);
		map_put(&owners->words, text, copy);
	}
	return copy;
}

static void note_index(struct owners *owners, size_t index)
{
	if (*owners->children[index].uid)
		map_put(&owners->by_uid, owners->children[index].uid, (void *)(uintptr_t)(index + 1));
}

static void add_child(struct owners *owners, const struct object *object, const struct child_facts *facts)
{
	struct child *child;

	if (*facts->uid && map_get(&owners->by_uid, facts->uid))
		return;
	owners->children = xgrow(owners->children, &owners->cap, owners->count + 1, sizeof(*owners->children));
	child = &owners->children[owners->count++];
	*child = (struct child){.group = word(owners, object->group),
		.resource = word(owners, object->resource),
		.kind = word(owners, object->kind),
		.namespace_ = word(owners, object->namespace_),
		.name = xstrdup(object->name),
		.uid = xstrdup(facts->uid),
		.owner_group = word(owners, facts->owner_group),
		.owner_kind = word(owners, facts->owner_kind),
		.owner_name = word(owners, facts->owner_name),
		.owner_uid = word(owners, facts->owner_uid),
		.rule = facts->rule,
		.orphan = facts->orphan,
		.leaving = facts->leaving,
		.everywhere = facts->everywhere};
	note_index(owners, owners->count - 1);
}

void owners_add(struct owners *owners, const struct object *object, enum object_class class_, const struct child_facts *facts)
{
	if (facts->orphan || (facts->rule ? facts->rule->orphan : *facts->owner_uid != '\0'))
		add_child(owners, object, facts);
	else if (*facts->uid)
		map_put(&owners->others, facts->uid, class_ == CLASS_AUTHORED ? left : comes_back);
}

void owners_add_listed(struct owners *owners, const char *group, const char *kind, const char *namespace_)
{
	auto_free char *key = xasprintf("%s/%s/%s", group, kind, namespace_);

	map_put(&owners->listed, key, owners);
}

/* ---- who is gone ---- */

static bool inventory_was_listed(const struct owners *owners, const char *group, const char *kind, const char *namespace_)
{
	auto_free char *one = xasprintf("%s/%s/%s", group, kind, namespace_), *all = xasprintf("%s/%s/", group, kind);

	return map_get(&owners->listed, one) || map_get(&owners->listed, all);
}

/* Of a carried kind no list has shown the uids: what the last one knew is kept. */
static bool is_of_carried(const struct capture *c, const struct child *child)
{
	for (size_t i = 0; i < c->policy->kind_count; i++)
		if (c->kinds[i].carried && strcmp(c->kinds[i].resource.group, child->owner_group) == 0 &&
			strcmp(c->kinds[i].resource.kind, child->owner_kind) == 0)
			return true;
	return false;
}

/* Whether the owner would have been shown if it were there. */
static bool would_be_seen(const struct capture *c, const struct child *child)
{
	const char *group = child->owner_group, *kind = child->owner_kind;

	for (size_t i = 0; i < c->policy->kind_count; i++) {
		const struct capture_kind *row = &c->kinds[i];

		if (row->served && strcmp(row->resource.group, group) == 0 && strcmp(row->resource.kind, kind) == 0)
			return (row->resource.namespaced || !capture_is_narrowed(c)) && capture_was_listed(row, child->namespace_);
	}
	if (inventory_was_listed(c->owners, group, kind, child->namespace_))
		return true;
	return !discovery_find_kind(c->discovery, group, kind, NULL) && !discovery_incomplete(c->discovery, group);
}

enum standing {
	STANDS,  /* what stands above comes back */
	LACKING, /* what stands above is not in the snapshot */
	GONE,    /* what stood above is not there any more */
};

/* *top is the one in the chain whose owner decides. */
static enum standing stand(const struct capture *c, const struct child *child, const struct child **top)
{
	const struct owners *owners = c->owners;

	for (int deep = 0; deep < OWNERS_DEEP; deep++) {
		uintptr_t above = (uintptr_t)map_get(&owners->by_uid, child->owner_uid);
		const char *other = map_get(&owners->others, child->owner_uid);

		*top = child;
		if (child->rule || child->orphan)
			return GONE;
		if (table_find(&c->taken, child->owner_uid) != TABLE_NONE || other == comes_back || is_of_carried(c, child))
			return STANDS;
		if (above) {
			child = &owners->children[above - 1];
			continue;
		}
		if (other || !would_be_seen(c, child))
			return LACKING;
		return c->together ? GONE : STANDS;
	}
	return STANDS;
}

/* ---- what is told of it ---- */

static struct object object_of(const struct child *child)
{
	return (struct object){.group = child->group,
		.version = nothing,
		.resource = child->resource,
		.kind = child->kind,
		.namespace_ = child->namespace_,
		.name = child->name};
}

static json_t *owner_json(const struct child *child)
{
	if (child->rule)
		return json_null();
	return json_pack("{s:s, s:s, s:s}", "group", child->owner_group, "kind", child->owner_kind, "name", child->owner_name);
}

static char *orphan_why(const struct child *child)
{
	if (child->rule)
		return xstrdup(child->rule->why);
	return xasprintf("controlled by %s %s, which is not there any more", child->owner_kind, child->owner_name);
}

static json_t *orphan_json(const struct child *child)
{
	auto_free char *why = NULL;

	if (child->orphan)
		return json_deep_copy(child->orphan);
	why = orphan_why(child);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:s}", "group", child->group, "resource", child->resource, "kind", child->kind,
		"namespace", child->namespace_, "name", child->name, "owner", owner_json(child), "why", why);
}

static void tell_gone(struct capture *c, const struct child *child)
{
	auto_strbuf struct strbuf key = STRBUF_INIT;
	struct seen *seen;

	json_array_append_new(c->orphans, orphan_json(child));
	capture_key(&key, child->group, child->resource, child->namespace_, child->name);
	seen = table_get(&c->seen, key.buf);
	if (seen)
		seen->orphan = true;
}

/* The target must have the topmost owner, or there will be no such child. */
static void tell_lacking(struct capture *c, const struct child *child, const struct child *top)
{
	const struct kube_resource *found = discovery_find_kind(c->discovery, top->owner_group, top->owner_kind, NULL);
	const struct object object = object_of(child);
	const struct object owner = {.group = top->owner_group,
		.resource = found ? found->resource : top->owner_kind,
		.kind = top->owner_kind,
		.namespace_ = found && !found->namespaced ? nothing : top->namespace_,
		.name = top->owner_name};
	auto_strbuf struct strbuf text = STRBUF_INIT;

	object_describe(&object, &text);
	needs_add_owner(c, &owner, text.buf);
}

static int child_compare(const void *a, const void *b)
{
	const struct child *x = a, *y = b;
	int order = strcmp(x->namespace_, y->namespace_);

	order = order ? order : strcmp(x->group, y->group);
	order = order ? order : strcmp(x->resource, y->resource);
	return order ? order : strcmp(x->name, y->name);
}

static void sort_children(struct owners *owners)
{
	if (owners->count)
		qsort(owners->children, owners->count, sizeof(*owners->children), child_compare);
	for (size_t i = 0; i < owners->count; i++)
		note_index(owners, i);
}

/*
 * Kinds are listed where something of the snapshot asks for it or, for convenience, everywhere: which of the two must not show.
 */
static bool is_of_interest(const struct capture *c, const struct child *child)
{
	auto_strbuf struct strbuf key = STRBUF_INIT;

	if (child->leaving || child->everywhere)
		return !child->leaving;
	if (inventory_has(c->policy, child->group, child->resource))
		return map_get(&c->held, child->namespace_) != NULL;
	capture_key(&key, child->group, child->resource, child->namespace_, child->name);
	return table_find(&c->needs, key.buf) != TABLE_NONE;
}

void owners_judge(struct capture *c)
{
	struct owners *owners = c->owners;

	c->orphans = json_array();
	sort_children(owners);
	for (size_t i = 0; i < owners->count; i++) {
		const struct child *child = &owners->children[i], *top = child;
		enum standing standing = is_of_interest(c, child) ? stand(c, child, &top) : STANDS;

		if (standing == GONE)
			tell_gone(c, child);
		if (standing == LACKING)
			tell_lacking(c, child, top);
	}
}

const struct child *owners_children(const struct owners *owners, size_t *count)
{
	*count = owners->count;
	return owners->children;
}
