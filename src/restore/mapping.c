/* SPDX-License-Identifier: Apache-2.0 */
#include "restore/mapping.h"

#include <stdlib.h>
#include <string.h>

#include "mapping_internal.h"
#include "object/object.h"
#include "part.h"
#include "policy/policy.h"
#include "store/snapshot.h"
#include "util/error.h"
#include "util/json.h"
#include "util/log.h"
#include "util/strbuf.h"
#include "util/suggest.h"

/* ---- one object ---- */

static const char *mapped_namespace(const struct mapping_run *m, const char *name)
{
	const struct rule *rule = rules_find(&m->rules, MAP_NAMESPACE, name);

	return rule ? rule->to : name;
}

/* The words for what is called so now; the caller frees. */
static char *new_words(const struct mapping_run *m, const char *kind, const char *namespace_, const char *name)
{
	bool is_space = !*namespace_ && strcmp(kind, "Namespace") == 0;
	struct strbuf words = STRBUF_INIT;

	object_describe_name(kind, mapped_namespace(m, namespace_), is_space ? mapped_namespace(m, name) : name, &words);
	return strbuf_detach(&words, NULL);
}

static void rename_words(struct mapping_run *m, const char *kind, const char *namespace_, const char *name)
{
	auto_strbuf struct strbuf was = STRBUF_INIT;

	object_describe_name(kind, namespace_, name, &was);
	free(map_put(&m->renamed, was.buf, new_words(m, kind, namespace_, name)));
}

static void map_identity(struct mapping_run *m)
{
	json_t *metadata = json_object_get(m->object->json, "metadata");
	const char *key = *m->object->namespace_ ? "namespace" : "name";
	struct rule *rule = rules_find(&m->rules, MAP_NAMESPACE, part_namespace(m->object));

	if (rule && *part_namespace(m->object))
		mapping_set_key(m, metadata, "metadata", key, rule, rule->to);
}

/* A new object in the place of the one at i. */
static int map_object(struct mapping_run *m, size_t i)
{
	struct object *old = m->snapshot->objects[i], *new_ = NULL;
	const struct policy_kind *row = policy_find(m->policy, old->group, old->resource);
	auto_json json_t *json = json_deep_copy(old->json);
	auto_free char *words = new_words(m, old->kind, old->namespace_, old->name);
	int rc;

	json_decref(old->json);
	old->json = json_incref(json);
	rename_words(m, old->kind, old->namespace_, old->name);
	m->object = old;
	m->words = words;
	m->namespace_ = mapped_namespace(m, old->namespace_);
	if (row)
		mapping_references(m, row);
	rc = row ? mapping_fields(m, row) : 0;
	map_identity(m);
	map_release(&m->done, NULL);
	if (rc < 0 || object_new(&new_, old->resource, json, m->err) < 0)
		return -1;
	object_free(old);
	m->snapshot->objects[i] = new_;
	return 0;
}

/* ---- Gateways that others stand in for ---- */

static bool is_kept(const struct object *object, void *arg)
{
	struct mapping_run *m = arg;
	struct rule *rule = mapping_gateway_rule(m, object->group, object->resource, object->namespace_, object->name);
	auto_strbuf struct strbuf words = STRBUF_INIT;

	if (!rule)
		return true;
	rule->used++;
	object_describe(object, &words);
	json_array_append_new(m->replaced, json_string(words.buf));
	return false;
}

static bool has_gateway(const struct snapshot *snapshot, const char *full)
{
	for (size_t i = 0; i < snapshot->object_count; i++) {
		const struct object *o = snapshot->objects[i];
		auto_free char *name = xasprintf("%s/%s", o->namespace_, o->name);

		if (strcmp(o->group, GATEWAY_GROUP) == 0 && strcmp(o->resource, GATEWAY_RESOURCE) == 0 && strcmp(name, full) == 0)
			return true;
	}
	return false;
}

/* ---- requirements.yaml, generated.yaml ---- */

static const char *text_of(const json_t *row, const char *key)
{
	const char *text = json_text_at(row, key, NULL);

	return text ? text : "";
}

static const char *renamed(const struct mapping_run *m, const char *words)
{
	const char *now = map_get(&m->renamed, words);

	return now ? now : words;
}

static void map_row(struct mapping_run *m, json_t *row)
{
	json_t *needed_by = json_object_get(row, "neededBy"), *words;
	size_t i;

	if (json_text_at(row, "namespace", NULL))
		json_object_set_new(row, "namespace", json_string(mapped_namespace(m, text_of(row, "namespace"))));
	if (json_text_at(row, "object", NULL))
		json_object_set_new(row, "object", json_string(renamed(m, text_of(row, "object"))));
	json_array_foreach (needed_by, i, words)
		if (json_is_string(words))
			json_string_set(words, renamed(m, json_string_value(words)));
}

static void map_rows(struct mapping_run *m, json_t *document, const char *key)
{
	json_t *rows = json_object_get(document, key), *kept = json_array(), *row;
	size_t i;

	json_array_foreach (rows, i, row) {
		if (mapping_gateway_rule(
			    m, text_of(row, "group"), text_of(row, "resource"), text_of(row, "namespace"), text_of(row, "name")))
			continue;
		map_row(m, row);
		json_array_append(kept, row);
	}
	if (json_is_array(rows))
		json_object_set(document, key, kept);
	json_decref(kept);
}

static void add_needs(struct mapping_run *m)
{
	auto_free struct map_entry *needs = map_sorted(&m->needs);
	json_t *rows = json_object_get(m->snapshot->requirements, "requirements");

	for (size_t i = 0; i < m->needs.count; i++)
		if (!has_gateway(m->snapshot, needs[i].key))
			json_array_append(rows, needs[i].value);
}

static void map_documents(struct mapping_run *m)
{
	json_t *row;
	size_t i;

	json_array_foreach (json_object_get(m->snapshot->generated, "objects"), i, row)
		rename_words(m, text_of(row, "kind"), text_of(row, "namespace"), text_of(row, "name"));
	map_rows(m, m->snapshot->generated, "objects");
	map_rows(m, m->snapshot->requirements, "finalizers");
	map_rows(m, m->snapshot->requirements, "requirements");
	add_needs(m);
}

/* ---- together ---- */

static int collide(const struct mapping_run *m, const struct object *object, struct error *err)
{
	auto_strbuf struct strbuf words = STRBUF_INIT, olds = STRBUF_INIT;
	auto_free struct map_entry *names = map_sorted(&m->renamed);

	object_describe(object, &words);
	for (size_t i = 0; i < m->renamed.count; i++)
		if (strcmp(names[i].value, words.buf) == 0)
			strbuf_addf(&olds, "%s%s", olds.len ? " and " : "", names[i].key);
	error_set(err, ERR_USAGE, "the mapping makes one object of %s", olds.buf);
	return error_hint(err, "map them to different namespaces, or choose one with --only");
}

/* Two Namespaces that are equal are one; of all else two objects would be. */
static int check_collisions(struct mapping_run *m)
{
	struct snapshot *s = m->snapshot;
	size_t kept = 0;

	qsort(s->objects, s->object_count, sizeof(struct object *), object_compare);
	for (size_t i = 0; i < s->object_count; i++) {
		bool same = kept > 0 && object_same(s->objects[kept - 1], s->objects[i]);

		if (!same) {
			s->objects[kept++] = s->objects[i];
			continue;
		}
		if (*s->objects[i]->namespace_ || !json_equal(s->objects[kept - 1]->json, s->objects[i]->json)) {
			(void)collide(m, s->objects[i], m->err);
			memmove(&s->objects[kept], &s->objects[i], (s->object_count - i) * sizeof(struct object *));
			s->object_count = kept + s->object_count - i;
			return -1;
		}
		object_free(s->objects[i]);
	}
	s->object_count = kept;
	return 0;
}

/* A namespace that is not there is a slip, and the objects would go where nobody wants them. */
static int check_namespaces(const struct mapping_run *m, struct error *err)
{
	auto_strlist struct strlist spaces = STRLIST_INIT;

	for (size_t i = 0; i < m->snapshot->object_count; i++)
		strlist_add(&spaces, part_namespace(m->snapshot->objects[i]));
	for (size_t i = 0; i < m->rules.count; i++) {
		const struct rule *rule = &m->rules.items[i];
		const char *near;

		if (rule->kind != MAP_NAMESPACE || strlist_contains(&spaces, rule->from))
			continue;
		error_set(err, ERR_USAGE, "--map-namespace: no namespace '%s' in the snapshot", rule->from);
		near = suggest_of(rule->from, &spaces);
		return near ? error_hint(err, "did you mean '%s'?", near) : error_hint(err, "'rhaii-dr show' lists the objects");
	}
	return 0;
}

/* Snapshots have the policy of their time. */
static int check_policy(const struct policy *policy, struct error *err)
{
	for (size_t i = 0; i < policy->kind_count; i++)
		for (int what = 0; what < NAMES_COUNT; what++)
			if (policy->kinds[i].named[what].count)
				return 0;
	error_set(err, ERR_USAGE, "the policy '%s' does not say which fields name a namespace, a host or a net", policy->name);
	return error_hint(err, "use one that does: --policy rhaii");
}

static json_t *rules_json(const struct rules *rules)
{
	json_t *list = json_array();

	for (size_t i = 0; i < rules->count; i++) {
		const struct rule *rule = &rules->items[i];

		if (!rule->used)
			log_warning(
				"--map-%s %s=%s: nothing in the snapshot is named so", rule_kind_names[rule->kind], rule->from, rule->to);
		json_array_append_new(list,
			json_pack("{s:s, s:s, s:s, s:I}", "kind", rule_kind_names[rule->kind], "from", rule->from, "to", rule->to, "fields",
				(json_int_t)rule->used));
	}
	return list;
}

static int run(struct mapping_run *m, bool part)
{
	if (check_policy(m->policy, m->err) < 0 || (!part && check_namespaces(m, m->err) < 0))
		return -1;
	part_drop(m->snapshot, is_kept, m);
	for (size_t i = 0; i < m->snapshot->object_count; i++)
		if (map_object(m, i) < 0)
			return -1;
	if (check_collisions(m) < 0)
		return -1;
	map_documents(m);
	return 0;
}

static void free_json(void *value)
{
	json_decref(value);
}

int map_objects(
	struct snapshot *snapshot, const struct policy *policy, const struct mapping *mapping, bool part, json_t **told, struct error *err)
{
	struct mapping_run m = {.snapshot = snapshot, .policy = policy, .err = err};
	int rc;

	*told = NULL;
	if (mapping_is_empty(mapping)) {
		*told = json_null();
		return 0;
	}
	m.changes = json_array();
	m.replaced = json_array();
	rc = rules_read(&m.rules, mapping, err);
	if (rc == 0)
		rc = run(&m, part);
	if (rc == 0)
		*told = json_pack("{s:o, s:O, s:O}", "rules", rules_json(&m.rules), "changes", m.changes, "replaced", m.replaced);
	json_decref(m.changes);
	json_decref(m.replaced);
	map_release(&m.renamed, free);
	map_release(&m.needs, free_json);
	free(m.found);
	rules_release(&m.rules);
	return rc;
}

/* ---- in a journal ---- */

static const char *const rule_keys[MAP_COUNT] = {
	[MAP_NAMESPACE] = "namespaces", [MAP_GATEWAY] = "gateways", [MAP_CIDR] = "cidrs", [MAP_HOST] = "hosts"};

bool mapping_is_empty(const struct mapping *mapping)
{
	for (int kind = 0; kind < MAP_COUNT; kind++)
		if (mapping->rules[kind].count)
			return false;
	return true;
}

json_t *mapping_json(const struct mapping *mapping)
{
	json_t *json = json_object();

	for (int kind = 0; kind < MAP_COUNT; kind++)
		json_object_set_new(json, rule_keys[kind], part_texts(&mapping->rules[kind]));
	return json;
}

void mapping_read(struct mapping *out, const json_t *json)
{
	const json_t *text;
	size_t i;

	*out = (struct mapping){0};
	for (int kind = 0; kind < MAP_COUNT; kind++)
		json_array_foreach (json_object_get(json, rule_keys[kind]), i, text)
			if (json_is_string(text))
				strlist_add(&out->rules[kind], json_string_value(text));
}

void mapping_copy(struct mapping *out, const struct mapping *from)
{
	auto_json json_t *json = mapping_json(from);

	mapping_read(out, json);
}

void mapping_release(struct mapping *mapping)
{
	for (int kind = 0; kind < MAP_COUNT; kind++)
		strlist_release(&mapping->rules[kind]);
}
