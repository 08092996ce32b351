/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot/why.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "object/classify.h"
#include "object/clean.h"
#include "object/fieldpath.h"
#include "object/object.h"
#include "object/references.h"
#include "policy/policy.h"
#include "store/snapshot.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"
#include "util/text.h"

#define REFERRERS_MAX 20

struct why {
	const struct snapshot *snapshot;
	const struct policy *policy;
	const struct object *name;
	json_t *evidence;
	size_t referrers;
};

/* ---- words ---- */

__attribute__((format(printf, 2, 3))) static void add(struct why *why, const char *fmt, ...)
{
	auto_free char *text = NULL;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	va_end(args);
	json_array_append_new(why->evidence, json_string(text ? text : ""));
}

static void add_object(struct why *why, const char *words, const struct object *object)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;

	object_describe(object, &text);
	add(why, "%s %s", words, text.buf);
}

static json_t *answer(const struct why *why, const char *class_, const char *text)
{
	const struct object *name = why->name;

	return json_pack("{s:{s:s, s:s, s:s, s:s, s:s}, s:s, s:s, s:O}", "object", "group", name->group, "resource", name->resource, "kind",
		name->kind, "namespace", name->namespace_, "name", name->name, "class", class_, "why", text, "evidence", why->evidence);
}

static const char *text_of(const json_t *map, const char *key)
{
	const char *text = json_text_at(map, key, NULL);

	return text ? text : "";
}

static bool is_named(const json_t *entry, const struct object *name)
{
	return strcmp(text_of(entry, "group"), name->group) == 0 && strcmp(text_of(entry, "resource"), name->resource) == 0 &&
		strcmp(text_of(entry, "namespace"), name->namespace_) == 0 && strcmp(text_of(entry, "name"), name->name) == 0;
}

static const json_t *find(const json_t *list, const struct object *name)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (list, i, entry)
		if (is_named(entry, name))
			return entry;
	return NULL;
}

/* ---- in the snapshot ---- */

struct referring {
	struct why *why;
	const struct object *object;
	bool told;
};

static int refers(const struct reference *reference, void *arg)
{
	struct referring *referring = arg;
	const struct object *name = referring->why->name;

	if (referring->told || strcmp(reference->group, name->group) != 0 || strcmp(reference->resource, name->resource) != 0 ||
		strcmp(reference->namespace_, name->namespace_) != 0 || strcmp(reference->name, name->name) != 0)
		return 0;
	referring->told = true;
	if (referring->why->referrers++ < REFERRERS_MAX)
		add_object(referring->why, "referred to by", referring->object);
	return 1;
}

static void add_referrers(struct why *why)
{
	for (size_t i = 0; i < why->snapshot->object_count; i++) {
		const struct object *object = why->snapshot->objects[i];
		const struct policy_kind *row = policy_find(why->policy, object->group, object->resource);
		struct referring referring = {.why = why, .object = object};

		if (row)
			(void)references_each(object, row->references, row->reference_count, refers, &referring);
	}
	if (why->referrers > REFERRERS_MAX)
		add(why, "and by %zu more", why->referrers - REFERRERS_MAX);
}

static void add_selection(struct why *why, const struct policy_kind *row)
{
	static const char *const words[] = {
		[SELECT_ALL] = "every %s in scope that somebody wrote is taken",
		[SELECT_REFERENCED] = "a %s is taken where an object of the snapshot refers to it",
		[SELECT_REFERS] = "a %s is taken where it refers to what the snapshot holds or needs",
		[SELECT_IN_HELD] = "every %s in a namespace with objects of the snapshot is taken",
		[SELECT_HOLDING] = "a %s with objects of the snapshot is taken",
	};
	auto_strbuf struct strbuf text = STRBUF_INIT;
	const char *at = words[row->select], *kind = strstr(at, "%s");

	strbuf_add(&text, at, (size_t)(kind - at));
	strbuf_addf(&text, "%s%s", row->kind, kind + 2);
	add(why, "%s", text.buf);
	if (row->select == SELECT_REFERENCED)
		add_referrers(why);
}

static bool has_any(const struct strlist *globs, const char *text)
{
	for (size_t i = 0; i < globs->count; i++)
		if (text_glob(globs->items[i], text))
			return true;
	return globs->count == 0;
}

/* What is not in the file may have been there: which fields go, and by whose word. */
static void add_left_out(struct why *why, const struct policy_kind *row)
{
	for (size_t i = 0; i < row->evidence_count; i++) {
		const struct clean_evidence *left = &row->evidence[i];
		auto_strbuf struct strbuf managers = STRBUF_INIT;

		for (size_t m = 0; m < left->managers.count; m++)
			strbuf_addf(&managers, "%s%s", m ? " or " : "", left->managers.items[m]);
		add(why, "%s is left out where only %s has set it: %s", fieldpath_text(left->path), managers.buf, left->why);
	}
}

/* A preset's name is a preset only where its controller is. seen: the object is known, so that a row that could hold does not. */
static void add_near_rules(struct why *why, bool seen)
{
	const struct object *name = why->name;

	for (size_t i = 0; i < why->policy->rule_count; i++) {
		const struct classify_rule *rule = &why->policy->rules[i];
		bool elsewhere = !has_any(&rule->namespaces, name->namespace_);

		if (text_glob(rule->group, name->group) && text_glob(rule->resource, name->resource) && rule->names.count &&
			has_any(&rule->names, name->name))
			add(why, "the policy's row '%s' (%s) %s", rule->why, classify_name(rule->class_),
				elsewhere      ? "does not hold: it is of other namespaces"
					: seen ? "does not hold: not all that it asks for is so"
					       : "may hold: it looks at more than the name");
	}
}

/* Marks of tools that teams use too. */
static void add_marks(struct why *why, const struct object *object)
{
	static const struct {
		const char *where, *key;
	} marks[] = {
		{"labels", "app.kubernetes.io/managed-by"},
		{"annotations", "meta.helm.sh/release-name"},
		{"annotations", "argocd.argoproj.io/tracking-id"},
		{"labels", "argocd.argoproj.io/instance"},
	};

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		const char *value = json_text_at(object->json, "metadata", marks[i].where, marks[i].key, NULL);
		auto_strbuf struct strbuf safe = STRBUF_INIT;

		if (!value)
			continue;
		text_escape(&safe, value, strlen(value), 80);
		add(why, "%s=%s decides nothing: teams deploy their models so too", marks[i].key, safe.buf);
	}
}

static json_t *why_authored(struct why *why, const struct object *object)
{
	const struct policy_kind *row = policy_find(why->policy, object->group, object->resource);
	auto_strbuf struct strbuf text = STRBUF_INIT;
	enum object_class class_ = classify_object(object, why->policy->rules, why->policy->rule_count, &text);

	if (class_ != CLASS_AUTHORED) /* a row looks at more than what is kept, or the file was put there by hand */
		add(why, "by the policy and this file alone it would be %s: %s", classify_name(class_), text.buf);
	if (row) {
		add_selection(why, row);
		add_left_out(why, row);
	}
	add_near_rules(why, true);
	add_marks(why, object);
	return answer(why, "authored", class_ == CLASS_AUTHORED ? text.buf : "the snapshot holds it");
}

/* ---- told of ---- */

static json_t *why_generated(struct why *why, const json_t *entry)
{
	const json_t *owner = json_object_get(entry, "owner");
	auto_free char *text = xasprintf("controlled by %s %s", text_of(owner, "kind"), text_of(owner, "name"));

	add(why, "its owner is in the snapshot: the controller makes it again, it is not restored");
	return answer(why, "generated", text);
}

static json_t *why_orphan(struct why *why, const json_t *entry)
{
	add(why, "nobody makes it again; it is not restored");
	return answer(why, "orphan", text_of(entry, "why"));
}

static const char *state_words(const char *state)
{
	static const char *const words[][2] = {
		{"required", "the snapshot needs it and does not hold it: the target must have it"},
		{"missing", "the snapshot needs it, and it was not there when it was taken"},
		{"generated", "a controller makes it from what is in the snapshot"},
		{"installed", "it belongs to an installation"},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i][0], state) == 0)
			return words[i][1];
	return "the snapshot needs it";
}

static json_t *why_required(struct why *why, const json_t *entry)
{
	const char *state = text_of(entry, "state"), *reason = json_text_at(entry, "why", NULL);
	const json_t *by;
	size_t i;

	if (!*why->name->group && strcmp(why->name->resource, "secrets") == 0)
		add(why, "Secrets are never read");
	json_array_foreach (json_object_get(entry, "neededBy"), i, by)
		if (i < REFERRERS_MAX && json_is_string(by))
			add(why, "needed by %s", json_string_value(by));
	return answer(why, state, reason ? reason : state_words(state));
}

static json_t *why_by_rule(struct why *why, const struct classify_rule *rule)
{
	add(why, "a row of the policy says so by kind, namespace and name: such a one is in no snapshot");
	return answer(why, classify_name(rule->class_), rule->why);
}

/* ---- not told of ---- */

static bool is_out_of_scope(const struct why *why)
{
	const struct object *name = why->name;
	const json_t *scope = json_object_get(why->snapshot->info, "scope"), *only = json_object_get(scope, "namespaces"), *item;
	const char *space = strcmp(name->resource, "namespaces") == 0 && !*name->group ? name->name : name->namespace_;
	size_t i;

	if (!*space)
		return only != NULL;
	json_array_foreach (only ? only : json_object_get(scope, "excludeNamespaces"), i, item)
		if (json_is_string(item) && text_glob(json_string_value(item), space))
			return only == NULL;
	return only != NULL;
}

static bool is_not_served(const struct why *why)
{
	auto_free char *full = xasprintf("%s%s%s", why->name->resource, *why->name->group ? "." : "", why->name->group);
	const json_t *item;
	size_t i;

	json_array_foreach (json_object_get(why->snapshot->info, "notServed"), i, item)
		if (json_is_string(item) && strcmp(json_string_value(item), full) == 0)
			return true;
	return false;
}

static const char *nearest_reason(const struct why *why, const struct policy_kind *row)
{
	if (!*why->name->group && strcmp(why->name->resource, "secrets") == 0)
		return "Secrets are never read, and nothing in the snapshot needs this one";
	if (is_out_of_scope(why))
		return "its namespace is out of the scope of the snapshot";
	if (!row)
		return "the policy has no row for its kind: no such object is captured";
	if (is_not_served(why))
		return "the cluster did not serve its kind";
	switch (row->select) {
	case SELECT_REFERENCED:
		return "it was not there, a controller owned it, or nothing in the snapshot refers to it";
	case SELECT_REFERS:
		return "it was not there, a controller owned it, or it refers to nothing that the snapshot holds or needs";
	case SELECT_IN_HELD:
	case SELECT_HOLDING:
		return "it was not there, or the namespace holds nothing of the snapshot";
	case SELECT_ALL:
		break;
	}
	return "it was not there, or a controller owned it";
}

static json_t *why_unknown(struct why *why)
{
	const struct policy_kind *row = policy_find(why->policy, why->name->group, why->name->resource);

	if (row)
		add_selection(why, row);
	for (size_t i = 0; i < why->policy->inventory_count && !row; i++)
		if (strcmp(why->policy->inventory[i].group, why->name->group) == 0 &&
			strcmp(why->policy->inventory[i].resource, why->name->resource) == 0)
			add(why, "of its kind only what a controller made of an object of the snapshot is listed");
	add_near_rules(why, false);
	return answer(why, "unknown", nearest_reason(why, row));
}

/* ---- together ---- */

static json_t *look(struct why *why)
{
	const struct snapshot *s = why->snapshot;
	const struct classify_rule *rule;
	const json_t *entry;

	for (size_t i = 0; i < s->object_count; i++)
		if (object_same(s->objects[i], why->name))
			return why_authored(why, s->objects[i]);
	if ((entry = find(json_object_get(s->generated, "objects"), why->name)))
		return why_generated(why, entry);
	if ((entry = find(json_object_get(s->generated, "orphans"), why->name)))
		return why_orphan(why, entry);
	if ((entry = find(json_object_get(s->requirements, "requirements"), why->name)))
		return why_required(why, entry);
	rule = is_out_of_scope(why) ? NULL : classify_by_name(why->name, why->policy->rules, why->policy->rule_count);
	return rule ? why_by_rule(why, rule) : why_unknown(why);
}

json_t *why_object(const struct snapshot *snapshot, const struct policy *policy, const struct object *name)
{
	auto_json json_t *evidence = json_array();
	struct why why = {.snapshot = snapshot, .policy = policy, .name = name, .evidence = evidence};

	return look(&why);
}

static void add_kinds(json_t *kinds, const json_t *list)
{
	json_t *entry;
	size_t i;

	json_array_foreach (list, i, entry)
		json_array_append_new(kinds,
			json_pack("{s:s, s:s, s:s}", "group", text_of(entry, "group"), "resource", text_of(entry, "resource"), "kind",
				text_of(entry, "kind")));
}

/* Rules name kinds that are not captured by their plural alone; most singulars lack its last letter. */
static void add_rule_kinds(json_t *kinds, const struct policy *policy)
{
	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct classify_rule *rule = &policy->rules[i];
		size_t len = strlen(rule->resource);

		if (len && !strpbrk(rule->resource, "*?") && !policy_find(policy, rule->group, rule->resource))
			json_array_append_new(kinds,
				json_pack("{s:s, s:s, s:s%}", "group", rule->group, "resource", rule->resource, "kind", rule->resource,
					len - 1));
	}
}

json_t *why_kinds(const struct snapshot *snapshot, const struct policy *policy)
{
	json_t *kinds = json_array();

	for (size_t i = 0; i < policy->kind_count; i++)
		json_array_append_new(kinds,
			json_pack("{s:s, s:s, s:s}", "group", policy->kinds[i].group, "resource", policy->kinds[i].resource, "kind",
				policy->kinds[i].kind));
	add_kinds(kinds, json_object_get(snapshot->generated, "objects"));
	add_kinds(kinds, json_object_get(snapshot->generated, "orphans"));
	add_kinds(kinds, json_object_get(snapshot->requirements, "requirements"));
	add_rule_kinds(kinds, policy);
	json_array_append_new(kinds, json_pack("{s:s, s:s, s:s}", "group", "", "resource", "secrets", "kind", "Secret"));
	return kinds;
}
