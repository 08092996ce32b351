/* SPDX-License-Identifier: Apache-2.0 */
/* Takes from a list what belongs into the snapshot. */
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "collect.h"
#include "facts.h"
#include "internal.h"
#include "kube/list.h"
#include "object/canonical.h"
#include "object/object.h"
#include "object/references.h"
#include "owners.h"
#include "policy/policy.h"
#include "snapshot/capture.h"
#include "store/git.h"
#include "util/error.h"
#include "util/json.h"
#include "util/strbuf.h"

void collect_release(struct collect *collect)
{
	strbuf_release(&collect->key);
	strbuf_release(&collect->record);
}

static int object_write(struct capture *c, const struct object *object, struct git_file *file, struct error *err)
{
	auto_strbuf struct strbuf path = STRBUF_INIT, text = STRBUF_INIT;

	object_path(object, &path);
	canonical_yaml(object->json, &text);
	if (git_write_file(c->write, path.buf, text.buf, text.len, err) < 0)
		return -1;
	git_write_last(c->write, file);
	return 0;
}

static void remember_taken(const struct collect *collect, const struct object *object, const char *uid)
{
	struct capture *c = collect->c;
	struct taken *taken = table_value(&c->taken, table_add(&c->taken, uid, NULL));

	taken->seen = collect->seen;
	if (*object->namespace_)
		map_put(&c->held, object->namespace_, c);
}

static void take(struct collect *collect, const struct object *object, const struct facts *facts)
{
	struct capture *c = collect->c;

	remember_taken(collect, object, facts->uid);
	needs_add(c, object, collect->kind->row, facts);
	remarks_take(c, object, facts);
	collect->kind->count++;
	c->taken_count++;
}

/* What is known of the object; *first: no list has shown it before. */
static struct seen *remember_seen(struct collect *collect, const struct object *object, bool *first)
{
	struct table *table = &collect->c->seen;
	auto_strbuf struct strbuf key = STRBUF_INIT;

	capture_key(&key, object->group, object->resource, object->namespace_, object->name);
	collect->seen = table_add(table, key.buf, first);
	return table_value(table, collect->seen);
}

static bool is_referenced(const struct capture *c, const char *group, const char *resource, const char *namespace_, const char *name)
{
	auto_strbuf struct strbuf key = STRBUF_INIT;

	capture_key(&key, group, resource, namespace_, name);
	return table_find(&c->needs, key.buf) != TABLE_NONE;
}

/* The target of a `selects` reference counts when it is in the snapshot or when something in the snapshot needs it (the account itself may be generated). */
static int selects_taken(const struct reference *reference, void *arg)
{
	const struct capture *c = arg;
	auto_strbuf struct strbuf key = STRBUF_INIT;
	const struct seen *seen;

	if (!reference->rule->selects)
		return 0;
	if (is_referenced(c, reference->group, reference->resource, reference->namespace_, reference->name))
		return 1;
	capture_key(&key, reference->group, reference->resource, reference->namespace_, reference->name);
	seen = table_get(&c->seen, key.buf);
	return seen && seen->taken;
}

static bool is_selected(struct capture *c, const struct policy_kind *row, const struct object *object, const struct facts *facts)
{
	switch (row->select) {
	case SELECT_ALL:
		return true;
	case SELECT_REFERENCED:
		return is_referenced(c, object->group, object->resource, object->namespace_, object->name);
	case SELECT_REFERS:
		return facts_references(facts, row, selects_taken, c) != 0;
	case SELECT_IN_HELD:
		return map_get(&c->held, object->namespace_) != NULL;
	case SELECT_HOLDING:
		return map_get(&c->held, object->name) != NULL;
	}
	return false;
}

/*
 * Who made it. The owner is read before cleaning, which removes it; the policy's rules are held against what a person wrote, since what a
 * controller has added (the pull secret of an image registry in each ServiceAccount) must not make an object look authored.
 */
static void classify_and_clean(const struct collect *collect, struct object *object, struct facts *facts)
{
	const struct policy *policy = collect->c->policy;
	const struct policy_kind *row = collect->kind->row;
	const struct kube_raw *raw = collect->raw; /* NULL: the object is the branch head's */
	const struct classify_managers managers = {.text = raw ? raw->managed_fields : NULL, .len = raw ? raw->managed_fields_len : 0};
	const struct classify_rule *rule;
	struct object_owner owner;

	facts->class_ = CLASS_GENERATED;
	if (classify_owner(object->json, &owner))
		return;
	policy_clean(row, object->json);
	rule = classify_by_rule(object, &managers, policy->rules, policy->rule_count);
	facts->rule = rule ? (size_t)(rule - policy->rules) + 1 : 0;
	facts->class_ = rule ? rule->class_ : CLASS_AUTHORED;
}

static void count_class(struct capture *c, enum object_class class_)
{
	if (class_ == CLASS_GENERATED)
		c->generated_count++;
	if (class_ == CLASS_INSTALLED)
		c->installed_count++;
}

/* The object is not taken: who makes it, or what it stands above. */
static void note_left(const struct collect *collect, const struct object *object, const struct facts *facts, const struct seen *seen)
{
	owners_add(collect->c->owners, object, facts->class_,
		&(struct child_facts){.uid = facts->uid,
			.owner_group = facts->owner_group,
			.owner_kind = facts->owner_kind,
			.owner_name = facts->owner_name,
			.owner_uid = facts->owner_uid,
			.rule = seen_rule(collect->c, seen),
			.leaving = facts->leaving,
			.everywhere = collect->kind->row->select == SELECT_ALL});
}

/*
 * The object was shown: note what holds whether it is taken or not. 1 and *out when it is to be taken; 0 when there is nothing to do, also where it
 * was taken before.
 */
static int meet(struct collect *collect, const struct object *object, const struct facts *facts, struct seen **out, struct error *err)
{
	struct capture *c = collect->c;
	const struct policy_kind *row = collect->kind->row;
	bool first, wanted;
	struct seen *seen = remember_seen(collect, object, &first);

	*out = seen;
	if (seen->taken)
		return collect->again ? 0 : error_set(err, ERR_FAILED, "the server listed %s '%s' twice", object->kind, object->name);
	seen->class_ = (uint8_t)facts->class_;
	seen->rule = facts->rule <= c->policy->rule_count ? (uint32_t)facts->rule : 0;
	if (first)
		count_class(c, facts->class_);
	if (first && seen->class_ == CLASS_INSTALLED)
		preset_add(c, object, facts);
	wanted = seen->class_ == CLASS_AUTHORED && is_selected(c, row, object, facts);
	if (!wanted)
		note_left(collect, object, facts, seen);
	return wanted;
}

/* ---- known from the last capture ---- */

/* Between captures an object is told by its kind, the version that it is read at, its uid and its resourceVersion. */
static void make_key(struct collect *collect, const struct kube_raw *raw)
{
	const struct capture *c = collect->c;

	strbuf_truncate(&collect->key, 0);
	if (!c->cache || !raw->uid_len || !raw->version_len || raw->uid_len > 100 || raw->version_len > 100)
		return;
	strbuf_addf(&collect->key, "%zu/%s/%.*s/%.*s", (size_t)(collect->kind - c->kinds), collect->kind->resource.version,
		(int)raw->uid_len, raw->uid, (int)raw->version_len, raw->version);
}

/* a Namespace is in scope when its own name is */
static bool in_scope(const struct collect *collect, const struct object *object)
{
	return capture_in_scope(collect->c, collect->kind->row->select == SELECT_HOLDING ? object->name : object->namespace_);
}

/* 1: all is done; 0: the object has to be read. */
static int collect_known(struct collect *collect, const struct facts *facts, struct error *err)
{
	const struct kube_resource *resource = &collect->kind->resource;
	const struct object object = {.group = resource->group,
		.version = resource->version,
		.resource = resource->resource,
		.kind = resource->kind,
		.namespace_ = facts->namespace_,
		.name = facts->name};
	auto_strbuf struct strbuf path = STRBUF_INIT;
	struct seen *seen;
	int rc;

	if (!in_scope(collect, &object))
		return 1;
	rc = facts->derived ? meet(collect, &object, facts, &seen, err) : -2;
	if (rc <= 0)
		return rc == -2 ? 0 : rc == 0 ? 1 : -1;
	object_path(&object, &path);
	rc = *facts->file.id ? git_write_reuse(collect->c->write, path.buf, &facts->file, err) : 0;
	if (rc <= 0)
		return rc;
	seen->taken = true;
	collect->c->not_ready += facts->not_ready;
	take(collect, &object, facts);
	return 1;
}

int collect_raw(const struct kube_raw *raw, void *arg, struct error *err)
{
	struct collect *collect = arg;
	struct facts facts;
	int rc;

	collect->raw = raw;
	make_key(collect, raw);
	if (!collect->key.len || !cache_find(collect->c->cache, collect->key.buf, &collect->record) ||
		facts_read(&facts, &collect->record, 0) < 0)
		return 0;
	rc = collect_known(collect, &facts, err);
	if (rc > 0)
		cache_keep(collect->c->cache, collect->key.buf, &collect->record);
	collect->c->sink_failed = collect->c->sink_failed || rc < 0;
	return rc;
}

/* For the next capture. */
static void keep(struct collect *collect, const struct facts *facts)
{
	if (!collect->key.len)
		return;
	strbuf_truncate(&collect->record, 0);
	facts_write(facts, &collect->record);
	cache_keep(collect->c->cache, collect->key.buf, &collect->record);
}

/* ---- read ---- */

/* How much is told of objects beside what their files say. An object that adds to it is read each time: it is one of few. */
static size_t told(const struct capture *c)
{
	return json_array_size(c->credentials) + json_array_size(c->findings) + json_array_size(c->maintenance) + json_array_size(c->drift);
}
#define TOLD_MANY 1000 /* from then on there may be more than is told */

/* Put it into the tree; facts->file is what the next capture may know of it. */
static int write_taken(struct collect *collect, const struct object *object, struct seen_live *live, struct facts *facts, struct error *err)
{
	struct capture *c = collect->c;
	struct git_file file;
	size_t before = told(c);

	live_keep(c, object, live);
	take(collect, object, facts);
	if (!guard_object(c, object)) {
		strbuf_truncate(&collect->key, 0); /* its values go nowhere, nor into the cache */
		return 0;
	}
	if (object_write(c, object, &file, err) < 0)
		return -1;
	if (told(c) == before && before < TOLD_MANY)
		facts->file = file;
	return 0;
}

static int collect_derived(
	struct collect *collect, const struct object *object, struct seen_live *live, struct facts *facts, struct error *err)
{
	struct seen *seen;
	int rc;

	rc = meet(collect, object, facts, &seen, err);
	if (rc < 0 || (rc == 0 && seen->taken))
		return rc;
	if (rc > 0) {
		seen->taken = true;
		if (write_taken(collect, object, live, facts, err) < 0)
			return -1;
	}
	keep(collect, facts);
	return 0;
}

static int collect_object(struct collect *collect, struct object *object, struct error *err)
{
	const struct policy_kind *row = collect->kind->row;
	const char *found = json_text_at(object->json, "metadata", "uid", NULL);
	struct object_owner owner = {0};
	bool owned = classify_owner(object->json, &owner);
	auto_free char *uid = xstrdup(found ? found : ""), *owner_uid = xstrdup(owned && owner.uid ? owner.uid : "");
	auto_free char *owner_kind = xstrdup(owned && owner.kind ? owner.kind : ""),
		       *owner_name = xstrdup(owned && owner.name ? owner.name : "");
	auto_free char *owner_group = NULL, *owner_version = NULL;
	__attribute__((cleanup(live_release))) struct seen_live live = {0};
	auto_strbuf struct strbuf lists = STRBUF_INIT;
	struct facts facts = {.namespace_ = object->namespace_,
		.name = object->name,
		.uid = uid,
		.owner_kind = owner_kind,
		.owner_name = owner_name,
		.owner_uid = owner_uid};

	object_split_api_version(owned && owner.api_version ? owner.api_version : "", &owner_group, &owner_version);
	facts.owner_group = owner_group;
	if (!in_scope(collect, object)) {
		keep(collect, &facts);
		return 0;
	}
	live_look(collect->c, row, object, &live);
	facts.derived = true;
	facts.not_ready = live.not_ready;
	facts.leaving = live.terminating;
	remarks_look(collect->c, object, &lists);
	classify_and_clean(collect, object, &facts);
	if (facts.class_ == CLASS_AUTHORED)
		facts_lists(object, row, &lists);
	if (facts.class_ == CLASS_INSTALLED && row->presets)
		facts_hash(object, &lists);
	facts.rest = lists.buf;
	facts.end = lists.buf + lists.len;
	return collect_derived(collect, object, &live, &facts, err);
}

int collect_item(json_t *item, void *arg, struct error *err)
{
	struct collect *collect = arg;
	struct object *object;
	int rc;

	rc = object_new(&object, collect->kind->resource.resource, item, err);
	if (rc == 0) {
		rc = collect_object(collect, object, err);
		object_free(object);
	}
	collect->c->sink_failed = collect->c->sink_failed || rc < 0;
	return rc;
}

/* ---- kept ---- */

int collect_kept(struct capture *c, struct capture_kind *kind, struct object *object, char *uid, struct error *err)
{
	auto_collect struct collect collect = COLLECT_INIT(c, kind, false);
	auto_strbuf struct strbuf lists = STRBUF_INIT;
	char no_owner[] = "";
	struct seen_live live = {0};
	struct facts facts = {.namespace_ = object->namespace_,
		.name = object->name,
		.uid = uid,
		.owner_group = no_owner,
		.owner_kind = no_owner,
		.owner_name = no_owner,
		.owner_uid = no_owner,
		.derived = true};
	struct seen *seen;

	if (!in_scope(&collect, object))
		return 0;
	classify_and_clean(&collect, object, &facts);
	facts_lists(object, kind->row, &lists);
	facts.rest = lists.buf;
	facts.end = lists.buf + lists.len;
	if (meet(&collect, object, &facts, &seen, err) < 0)
		return -1;
	if (facts.class_ != CLASS_AUTHORED)
		return 0;
	seen->taken = true;
	return write_taken(&collect, object, &live, &facts, err);
}
