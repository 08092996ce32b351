/* SPDX-License-Identifier: Apache-2.0 */
/* What the objects of the snapshot refer to, and which of it the target must bring. */
#include <stdlib.h>
#include <string.h>

#include "facts.h"
#include "internal.h"
#include "kube/object_api.h"
#include "object/canonical.h"
#include "object/object.h"
#include "object/references.h"
#include "policy/policy.h"
#include "util/error.h"
#include "util/json.h"
#include "util/log.h"
#include "util/strbuf.h"

/* ---- the lists of a need: texts that many have in common ---- */

static uint32_t word_of(struct capture *c, const char *text)
{
	return table_add(&c->words, text, NULL);
}

/* What is at the head of the list already is not put there again: one object names the same thing in several places. */
static void list_add(struct capture *c, uint32_t *list, uint32_t word)
{
	if (*list && c->links[*list - 1].word == word)
		return;
	c->links = xgrow(c->links, &c->link_cap, c->link_count + 1, sizeof(*c->links));
	c->links[c->link_count++] = (struct link){.word = word, .next = *list};
	*list = (uint32_t)c->link_count;
}

/* Append the texts, sorted. */
static void list_texts(const struct capture *c, uint32_t list, struct strlist *out)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;

	for (; list; list = c->links[list - 1].next) {
		table_key(&c->words, c->links[list - 1].word, &text);
		strlist_add(out, text.buf);
	}
	strlist_sort_unique(out);
}

/* ---- adding ---- */

struct needs_adding {
	struct capture *c;
	const struct object *object;
	uint32_t word; /* the object in words, TABLE_NONE until it is asked for */
};

static struct need *need_of(struct capture *c, const struct reference *reference)
{
	auto_strbuf struct strbuf key = STRBUF_INIT;
	struct need *need;
	bool added;

	capture_key(&key, reference->group, reference->resource, reference->namespace_, reference->name);
	need = table_value(&c->needs, table_add(&c->needs, key.buf, &added));
	need->optional = need->optional || added;
	return need;
}

static uint32_t word_of_object(struct needs_adding *adding)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;

	if (adding->word == TABLE_NONE) {
		object_describe(adding->object, &text);
		adding->word = word_of(adding->c, text.buf);
	}
	return adding->word;
}

static int needs_reference(const struct reference *reference, void *arg)
{
	struct needs_adding *adding = arg;
	struct need *need;

	if (reference->rule->selects)
		return 0;
	need = need_of(adding->c, reference);
	need->optional = need->optional && reference->optional;
	list_add(adding->c, &need->needed_by, word_of_object(adding));
	if (reference->key)
		list_add(adding->c, &need->keys, word_of(adding->c, reference->key));
	return 0;
}

/* What a controller makes from a captured object comes back by itself, seen or not (nobody looks at Secrets). */
static int produced_add(const struct reference *reference, void *arg)
{
	auto_strbuf struct strbuf key = STRBUF_INIT;

	capture_key(&key, reference->group, reference->resource, reference->namespace_, reference->name);
	(void)seen_generated(arg, key.buf);
	return 0;
}

void needs_add_owner(struct capture *c, const struct object *owner, const char *needed_by)
{
	struct reference reference = {
		.group = owner->group, .resource = owner->resource, .namespace_ = owner->namespace_, .name = owner->name};
	struct need *need = need_of(c, &reference);

	need->optional = false;
	list_add(c, &need->needed_by, word_of(c, needed_by));
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
	struct needs_adding adding = {.c = c, .object = object, .word = TABLE_NONE};

	facts_references(facts, row, needs_reference, &adding);
	facts_produces(facts, row, produced_add, c);
	if (row->key_count)
		keys_add(c, object, facts);
}

/* ---- what the target must bring ---- */

static bool was_listed(const struct capture *c, const struct object *object)
{
	const struct capture_kind *kind = capture_kind_of(c, object->group, object->resource);

	return kind && capture_was_listed(kind, object->namespace_) && capture_in_scope(c, object->namespace_);
}

/* What nobody has looked at: the rule that knows it by its name alone, or NULL. */
static const struct classify_rule *rule_of(const struct capture *c, const struct named *need)
{
	return classify_by_name(&need->object, c->policy->rules, c->policy->rule_count);
}

static const char *class_state(enum object_class class_)
{
	return class_ == CLASS_AUTHORED ? "required" : classify_name(class_);
}

/* Something is asked for by keys, what it holds is known, and these are not in it. */
static void lacking_keys(const struct capture *c, const char *key, const struct strlist *wanted, struct strlist *out)
{
	const struct strlist *keys = map_get(&c->keys, key);

	for (size_t i = 0; keys && i < wanted->count; i++)
		if (!strlist_contains(keys, wanted->items[i]))
			strlist_add(out, wanted->items[i]);
}

/* What a list of its kind, of now or (a carried kind) of the head, says of what no list of this run has shown. */
static const char *unseen_state(const struct capture *c, const struct named *need, const struct classify_rule *rule)
{
	const char *kept = carry_state(c, need);

	if (kept)
		return kept;
	if (was_listed(c, &need->object))
		return "missing";
	return rule ? class_state(rule->class_) : "required";
}

/* What a list has shown, and what is not in the snapshot. */
static const char *seen_state(const struct seen *seen)
{
	return seen->orphan ? "required" : class_state((enum object_class)seen->class_);
}

/*
 * "generated": a controller makes it again from what is in the snapshot; "installed": the operator's install brings it; "missing": a list has
 * shown that it, or a key of it, is not at the source either; "required": the target must have it, nobody has looked here, or nobody would make it again. Of a carried kind it is
 * what the last list has shown. NULL: it is in the snapshot. *why: what the policy says of it, or NULL.
 */
static const char *need_state(const struct capture *c, const struct named *named, bool missing, const char **why)
{
	const struct seen *seen = table_get(&c->seen, named->key.buf);
	const struct classify_rule *rule;
	const char *state;

	*why = NULL;
	if (missing)
		return "missing";
	if (seen && seen->taken)
		return NULL;
	rule = seen ? seen_rule(c, seen) : rule_of(c, named);
	state = seen ? seen_state(seen) : unseen_state(c, named, rule);
	if (strcmp(state, "missing") != 0)
		*why = rule ? rule->why : NULL;
	return state;
}

static json_t *strlist_json(const struct strlist *list)
{
	json_t *array = json_array();

	for (size_t i = 0; i < list->count; i++)
		json_array_append_new(array, json_string(list->items[i]));
	return array;
}

/* NULL: it is in the snapshot. The caller's. */
static json_t *requirement_json(const struct capture *c, const struct named *named, const struct need *need)
{
	const struct object *object = &named->object;
	const struct kube_resource *found = discovery_find(c->discovery, object->group, object->resource, NULL);
	auto_strlist struct strlist keys = STRLIST_INIT, lacking = STRLIST_INIT, needed_by = STRLIST_INIT;
	const char *why, *state;
	json_t *json;

	list_texts(c, need->keys, &keys);
	lacking_keys(c, named->key.buf, &keys, &lacking);
	state = need_state(c, named, need->absent || lacking.count > 0, &why);
	if (!state)
		return NULL;
	list_texts(c, need->needed_by, &needed_by);
	json = json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:s, s:b}", "group", object->group, "resource", object->resource, "kind",
		found ? found->kind : object->resource, "namespace", object->namespace_, "name", object->name, "keys", strlist_json(&keys),
		"neededBy", strlist_json(&needed_by), "state", state, "optional", need->optional);
	if (why)
		json_object_set_new(json, "why", json_string(why));
	if (lacking.count)
		json_object_set_new(json, "missingKeys", strlist_json(&lacking));
	return json;
}

/* One after the other becomes text: all of them as values would take more memory than all else. */
void needs_requirements(struct capture *c, struct strbuf *out)
{
	auto_free uint32_t *order = table_sorted(&c->needs);
	auto_named struct named named = NAMED_INIT;

	json_decref(c->uncovered);
	c->uncovered = json_array();
	c->uncovered_count = 0;
	for (uint32_t i = 0; i < c->needs.count; i++) {
		auto_json json_t *item = json_array();
		json_t *json;

		capture_name(c, &c->needs, order[i], &named);
		json = requirement_json(c, &named, table_value(&c->needs, order[i]));
		if (!json)
			continue;
		json_array_append_new(item, json);
		canonical_yaml(item, out);
		uncovered_add(c->uncovered, &c->uncovered_count, json);
	}
}

/* ---- secrets: check ---- */

/* 1: looking is forbidden. The state is then as if nobody had looked. */
static int check_secret(
	struct capture *c, const struct kube_resource *resource, const struct named *named, struct need *need, struct error *err)
{
	auto_strlist struct strlist found = STRLIST_INIT;
	const struct object *object = &named->object;

	if (kube_secret_keys(c->client, resource, object->namespace_, object->name, need->keys != 0, &found, err) == 0) {
		struct strlist *keys = keys_of(c, named->key.buf);

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

/* Whether nobody has seen the Secret, and nobody makes it. */
static bool is_open_secret(const struct capture *c, const struct named *named)
{
	return !*named->object.group && strcmp(named->object.resource, "secrets") == 0 && !table_get(&c->seen, named->key.buf) &&
		!rule_of(c, named);
}

int needs_check_secrets(struct capture *c, struct error *err)
{
	const struct kube_resource *resource = discovery_find(c->discovery, "", "secrets", NULL);
	auto_free uint32_t *order = table_sorted(&c->needs);
	auto_named struct named named = NAMED_INIT;
	size_t forbidden = 0;

	for (uint32_t i = 0; c->policy->check_secrets && resource && i < c->needs.count; i++) {
		int rc;

		capture_name(c, &c->needs, order[i], &named);
		if (!is_open_secret(c, &named))
			continue;
		rc = check_secret(c, resource, &named, table_value(&c->needs, order[i]), err);
		if (rc < 0)
			return -1;
		forbidden += rc > 0;
	}
	if (forbidden)
		json_array_append_new(c->not_read, json_string("secrets"));
	return 0;
}
