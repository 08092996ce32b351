/* SPDX-License-Identifier: Apache-2.0 */
/* What the objects of the snapshot refer to, and which of it the target must bring. */
#include <stdlib.h>
#include <string.h>

#include "facts.h"
#include "internal.h"
#include "kube/object_api.h"
#include "object/object.h"
#include "object/references.h"
#include "policy/policy.h"
#include "util/error.h"
#include "util/log.h"
#include "util/strbuf.h"

struct needs_adding {
	struct capture *c;
	const char *object; /* in words */
};

static struct need *need_of(struct capture *c, const struct reference *reference)
{
	auto_strbuf struct strbuf key = STRBUF_INIT;
	struct need *need;

	capture_key(&key, reference->group, reference->resource, reference->namespace_, reference->name);
	need = map_get(&c->needs, key.buf);
	if (need)
		return need;
	need = xcalloc(1, sizeof(*need));
	need->group = xstrdup(reference->group);
	need->resource = xstrdup(reference->resource);
	need->namespace_ = xstrdup(reference->namespace_);
	need->name = xstrdup(reference->name);
	need->optional = true;
	map_put(&c->needs, key.buf, need);
	return need;
}

/* One object names the same thing in several places: only its last mention can be the same object. */
static void strlist_add_once(struct strlist *list, const char *text)
{
	if (list->count == 0 || strcmp(list->items[list->count - 1], text) != 0)
		strlist_add(list, text);
}

static int needs_reference(const struct reference *reference, void *arg)
{
	struct needs_adding *adding = arg;
	struct need *need;

	if (reference->rule->selects)
		return 0;
	need = need_of(adding->c, reference);
	need->optional = need->optional && reference->optional;
	strlist_add_once(&need->needed_by, adding->object);
	if (reference->key)
		strlist_add(&need->keys, reference->key);
	return 0;
}

/* What a controller makes from a captured object comes back by itself, seen or not (nobody looks at Secrets). */
static int produced_add(const struct reference *reference, void *arg)
{
	struct capture *c = arg;
	auto_strbuf struct strbuf key = STRBUF_INIT;
	struct seen *seen;

	capture_key(&key, reference->group, reference->resource, reference->namespace_, reference->name);
	if (map_get(&c->seen, key.buf))
		return 0;
	seen = xcalloc(1, sizeof(*seen));
	seen->class_ = CLASS_GENERATED;
	map_put(&c->seen, key.buf, seen);
	return 0;
}

void needs_add_owner(struct capture *c, const struct object *owner, const char *needed_by)
{
	struct reference reference = {
		.group = owner->group, .resource = owner->resource, .namespace_ = owner->namespace_, .name = owner->name};
	struct need *need = need_of(c, &reference);

	need->optional = false;
	strlist_add_once(&need->needed_by, needed_by);
}

/* The list of what the thing holds, made when there is none. */
static struct strlist *keys_of(struct capture *c, const char *key)
{
	struct strlist *keys = map_get(&c->keys, key);

	if (!keys) {
		keys = xcalloc(1, sizeof(*keys));
		map_put(&c->keys, key, keys);
	}
	return keys;
}

static void keys_add(struct capture *c, const struct object *object, const struct facts *facts)
{
	auto_strbuf struct strbuf key = STRBUF_INIT;

	capture_key(&key, object->group, object->resource, object->namespace_, object->name);
	facts_keys(facts, keys_of(c, key.buf));
}

void needs_add(struct capture *c, const struct object *object, const struct policy_kind *row, const struct facts *facts)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	struct needs_adding adding = {.c = c};

	object_describe(object, &text);
	adding.object = text.buf;
	facts_references(facts, row, needs_reference, &adding);
	facts_produces(facts, row, produced_add, c);
	if (row->key_count)
		keys_add(c, object, facts);
}

static bool was_listed(const struct capture *c, const struct need *need)
{
	for (size_t i = 0; i < c->policy->kind_count; i++) {
		const struct capture_kind *kind = &c->kinds[i];

		if (strcmp(kind->row->group, need->group) == 0 && strcmp(kind->row->resource, need->resource) == 0)
			return capture_was_listed(kind, need->namespace_) && capture_in_scope(c, need->namespace_);
	}
	return false;
}

/* What nobody has looked at: the rule that knows it by its name alone, or NULL. */
static const struct classify_rule *rule_of(const struct capture *c, const struct need *need)
{
	const struct object object = {.group = need->group, .resource = need->resource, .namespace_ = need->namespace_, .name = need->name};

	return classify_by_name(&object, c->policy->rules, c->policy->rule_count);
}

static const char *class_state(enum object_class class_)
{
	return class_ == CLASS_AUTHORED ? "required" : classify_name(class_);
}

/* Something is asked for by key, what it holds is known, and the key is not in it. */
static bool is_lacking(const struct capture *c, const char *key, const char *wanted)
{
	const struct strlist *keys = map_get(&c->keys, key);

	return keys && !strlist_contains(keys, wanted);
}

static bool lacks_keys(const struct capture *c, const char *key, const struct need *need)
{
	for (size_t i = 0; i < need->keys.count; i++)
		if (is_lacking(c, key, need->keys.items[i]))
			return true;
	return false;
}

/* What a list of its kind, of now or (a carried kind) of the head, says of what no list of this run has shown. */
static const char *unseen_state(const struct capture *c, const char *key, const struct need *need, const struct classify_rule *rule)
{
	const char *kept = carry_state(c, key, need);

	if (kept)
		return kept;
	if (was_listed(c, need))
		return "missing";
	return rule ? class_state(rule->class_) : "required";
}

/* What a list has shown, and what is not in the snapshot. */
static const char *seen_state(const struct seen *seen)
{
	return seen->orphan ? "required" : class_state(seen->class_);
}

/*
 * "generated": a controller makes it again from what is in the snapshot; "installed": the operator's install brings it; "missing": a list has
 * shown that it, or a key of it, is not at the source either; "required": the target must have it, nobody has looked here, or nobody would make it again. Of a carried kind it is
 * what the last list has shown. NULL: it is in the snapshot. *why: what the policy says of it, or NULL.
 */
static const char *need_state(const struct capture *c, const char *key, const struct need *need, const char **why)
{
	const struct seen *seen = map_get(&c->seen, key);
	const struct classify_rule *rule;

	*why = NULL;
	if (need->absent || lacks_keys(c, key, need))
		return "missing";
	if (seen && seen->taken)
		return NULL;
	rule = seen ? seen->rule : rule_of(c, need);
	const char *state = seen ? seen_state(seen) : unseen_state(c, key, need, rule);

	if (strcmp(state, "missing") != 0)
		*why = rule ? rule->why : NULL;
	return state;
}

static json_t *strlist_json(struct strlist *list)
{
	json_t *array = json_array();

	strlist_sort_unique(list);
	for (size_t i = 0; i < list->count; i++)
		json_array_append_new(array, json_string(list->items[i]));
	return array;
}

static json_t *missing_keys(const struct capture *c, const char *key, const struct need *need)
{
	auto_strlist struct strlist missing = STRLIST_INIT;

	for (size_t i = 0; i < need->keys.count; i++)
		if (is_lacking(c, key, need->keys.items[i]))
			strlist_add(&missing, need->keys.items[i]);
	return missing.count ? strlist_json(&missing) : NULL;
}

static json_t *requirement_json(const struct capture *c, struct need *need, const char *state, const char *why)
{
	const struct kube_resource *found = discovery_find(c->discovery, need->group, need->resource, NULL);

	json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:s, s:b}", "group", need->group, "resource", need->resource, "kind",
		found ? found->kind : need->resource, "namespace", need->namespace_, "name", need->name, "keys", strlist_json(&need->keys),
		"neededBy", strlist_json(&need->needed_by), "state", state, "optional", need->optional);

	if (why)
		json_object_set_new(json, "why", json_string(why));
	return json;
}

static void add_missing_keys(const struct capture *c, const char *key, const struct need *need, json_t *json)
{
	json_t *missing = missing_keys(c, key, need);

	if (missing)
		json_object_set_new(json, "missingKeys", missing);
}

json_t *needs_requirements(const struct capture *c)
{
	auto_free struct map_entry *entries = map_sorted(&c->needs);
	json_t *list = json_array();

	for (size_t i = 0; i < c->needs.count; i++) {
		const char *why = NULL, *state = need_state(c, entries[i].key, entries[i].value, &why);

		if (!state)
			continue;
		json_t *json = requirement_json(c, entries[i].value, state, why);

		add_missing_keys(c, entries[i].key, entries[i].value, json);
		json_array_append_new(list, json);
	}
	return list;
}

/* ---- secrets: check ---- */

/* 1: looking is forbidden. The state is then as if nobody had looked. */
static int check_secret(struct capture *c, const struct kube_resource *resource, const char *key, struct need *need, struct error *err)
{
	auto_strlist struct strlist found = STRLIST_INIT;

	if (kube_secret_keys(c->client, resource, need->namespace_, need->name, need->keys.count > 0, &found, err) == 0) {
		struct strlist *keys = keys_of(c, key);

		*keys = found;
		found = (struct strlist)STRLIST_INIT;
		return 0;
	}
	if (err->code != ERR_NOT_FOUND && err->code != ERR_FORBIDDEN)
		return -1;
	need->absent = err->code == ERR_NOT_FOUND;
	log_debug("%s", err->text);
	error_clear(err);
	return !need->absent;
}

int needs_check_secrets(struct capture *c, struct error *err)
{
	const struct kube_resource *resource = discovery_find(c->discovery, "", "secrets", NULL);
	auto_free struct map_entry *entries = map_sorted(&c->needs);
	size_t forbidden = 0;

	for (size_t i = 0; c->policy->check_secrets && resource && i < c->needs.count; i++) {
		struct need *need = entries[i].value;
		int rc;

		if (*need->group || strcmp(need->resource, "secrets") != 0 || map_get(&c->seen, entries[i].key) || rule_of(c, need))
			continue;
		rc = check_secret(c, resource, entries[i].key, need, err);
		if (rc < 0)
			return -1;
		forbidden += rc > 0;
	}
	if (forbidden)
		json_array_append_new(c->not_read, json_string("secrets"));
	return 0;
}
