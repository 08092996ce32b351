/* SPDX-License-Identifier: Apache-2.0 */
#include "restore/select.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "object/name.h"
#include "object/object.h"
#include "object/references.h"
#include "part.h"
#include "policy/policy.h"
#include "snapshot/why.h"
#include "store/snapshot.h"
#include "util/error.h"
#include "util/json.h"
#include "util/map.h"
#include "util/strbuf.h"
#include "util/suggest.h"
#include "util/text.h"
#include "util/yaml.h"

#define NAMES_TOLD 10 /* of what is needed, or near */

const char *const selection_references[] = {[REFERENCES_INCLUDE] = "include", [REFERENCES_REFUSE] = "refuse", NULL};

/* ---- conditions ---- */

struct condition {
	const char *text; /* as it was given */
	struct object kind;
	char *namespace_, *name; /* globs; NULL: any */
	struct strlist labels;
};

static void condition_release(struct condition *condition)
{
	object_name_release(&condition->kind);
	free(condition->namespace_);
	free(condition->name);
	strlist_release(&condition->labels);
}

static json_t *read_document(void *arg, const char *path)
{
	const struct snapshot *snapshot = arg;
	const struct tree_file *file = tree_find(&snapshot->tree, path);
	struct error ignored = ERROR_INIT;

	return file ? yaml_read(file->data, file->len, &ignored) : NULL;
}

static int read_kind(struct condition *out, const struct name_source *source, const char *word, struct error *err)
{
	auto_free char *near = NULL;
	int found = object_name_kind(&out->kind, source, word, err);

	if (found)
		return found < 0 ? -1 : 0;
	error_set(err, ERR_USAGE, "no kind '%s' in the snapshot", word);
	near = object_name_nearest(source, word);
	return near ? error_hint(err, "did you mean '%s'?", near) : error_hint(err, "'rhaii-dr show' lists the kinds");
}

static int read_glob(char **out, const char *key, const char *value, struct error *err)
{
	if (*out) {
		error_set(err, ERR_USAGE, "'%s' is there twice", key);
		return error_hint(err, "an object that one of several conditions holds for is chosen: give each of them its own --only");
	}
	*out = xstrdup(value);
	return 0;
}

static int read_pair(struct condition *out, const struct name_source *source, const char *key, const char *value, struct error *err)
{
	static const char *const keys[] = {"kind", "ns", "name", "label", NULL};
	const char *near;

	if (strcmp(key, "kind") == 0 && !out->kind.kind)
		return read_kind(out, source, value, err);
	if (strcmp(key, "kind") == 0)
		return read_glob(&out->kind.kind, key, value, err);
	if (strcmp(key, "ns") == 0 || strcmp(key, "namespace") == 0)
		return read_glob(&out->namespace_, key, value, err);
	if (strcmp(key, "name") == 0)
		return read_glob(&out->name, key, value, err);
	if (strcmp(key, "label") == 0) {
		strlist_add(&out->labels, value);
		return 0;
	}
	error_set(err, ERR_USAGE, "no condition '%s'", key);
	near = suggest(key, keys);
	return near ? error_hint(err, "did you mean '%s'?", near) : error_hint(err, "the conditions are kind=, ns=, name= and label=");
}

static int read_condition(struct condition *out, const struct name_source *source, const char *text, struct error *err)
{
	auto_free char *copy = xstrdup(text);
	char *rest = copy, *pair;

	out->text = text;
	while ((pair = strsep(&rest, ","))) {
		char *value = strchr(pair, '=');

		if (!value || !value[1]) {
			error_set(err, ERR_USAGE, "--only '%s': '%s' is no KEY=VALUE", text, pair);
			return error_hint(err, "write it as kind=KIND,ns=NAMESPACE,name=NAME,label=KEY=VALUE, or a part of that");
		}
		*value++ = '\0';
		if (read_pair(out, source, pair, value, err) < 0)
			return error_wrap(err, "--only '%s'", text);
	}
	return 0;
}

static bool has_label(const struct object *object, const char *wanted)
{
	const char *equals = strchr(wanted, '=');
	auto_free char *key = equals ? xstrndup(wanted, (size_t)(equals - wanted)) : xstrdup(wanted);
	const char *value = json_text_at(object->json, "metadata", "labels", key, NULL);

	return value && (!equals || text_glob(equals + 1, value));
}

static bool is_of_kind(const struct condition *c, const struct object *object)
{
	return !c->kind.resource || (strcmp(c->kind.resource, object->resource) == 0 && strcmp(c->kind.group, object->group) == 0);
}

static bool is_in_namespace(const struct condition *c, const struct object *object)
{
	return !c->namespace_ || text_glob(c->namespace_, part_namespace(object));
}

static bool has_labels(const struct condition *c, const struct object *object)
{
	for (size_t i = 0; i < c->labels.count; i++)
		if (!has_label(object, c->labels.items[i]))
			return false;
	return true;
}

static bool holds(const struct condition *c, const struct object *object)
{
	return is_of_kind(c, object) && is_in_namespace(c, object) && (!c->name || text_glob(c->name, object->name)) &&
		has_labels(c, object);
}

/* ---- choosing ---- */

enum state { STATE_OUT, STATE_CHOSEN, STATE_PULLED };

struct choice {
	enum state state;
	struct strlist needed_by;
};

struct selecting {
	struct snapshot *snapshot;
	const struct policy *policy;
	bool follow_namespaces;
	struct map index; /* part_key -> place in objects, and one more */
	struct choice *choices;
	size_t *queue; /* of those whose needs are not looked at yet */
	size_t queued;
	size_t by; /* whose needs are looked at */
};

/* What would match if one condition were not: the names that are nearest to what was asked for, or some of them. */
static int hint_near(const char *word, struct strlist *names, const char *what, struct error *err)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	const char *near = suggest_of(word, names);

	if (near)
		return error_hint(err, "did you mean %s=%s?", what, near);
	strlist_sort_unique(names);
	for (size_t i = 0; i < names->count && i < NAMES_TOLD; i++)
		strbuf_addf(&text, "%s%s", i ? ", " : "", names->items[i]);
	return error_hint(err, "there %s %s%s", names->count == 1 ? "is" : "are", text.buf, names->count > NAMES_TOLD ? ", ..." : "");
}

static int matches_nothing(const struct snapshot *snapshot, const struct condition *c, struct error *err)
{
	auto_strlist struct strlist names = STRLIST_INIT, spaces = STRLIST_INIT;
	struct condition nameless = *c, spaceless = *c;

	nameless.name = spaceless.namespace_ = NULL;
	for (size_t i = 0; i < snapshot->object_count; i++) {
		if (c->name && holds(&nameless, snapshot->objects[i]))
			strlist_add(&names, snapshot->objects[i]->name);
		if (c->namespace_ && holds(&spaceless, snapshot->objects[i]))
			strlist_add(&spaces, part_namespace(snapshot->objects[i]));
	}
	error_set(err, ERR_USAGE, "--only '%s': no object of the snapshot is like that", c->text);
	if (names.count)
		return hint_near(c->name, &names, "name", err);
	return spaces.count ? hint_near(c->namespace_, &spaces, "ns", err) : error_hint(err, "'rhaii-dr show' lists the objects");
}

static void choose(struct selecting *s, size_t i)
{
	if (s->choices[i].state == STATE_OUT)
		s->queue[s->queued++] = i;
	s->choices[i].state = STATE_CHOSEN;
}

static int choose_by(struct selecting *s, const struct condition *condition, struct error *err)
{
	size_t matched = 0;

	for (size_t i = 0; i < s->snapshot->object_count; i++) {
		if (!holds(condition, s->snapshot->objects[i]))
			continue;
		choose(s, i);
		matched++;
	}
	return matched ? 0 : matches_nothing(s->snapshot, condition, err);
}

static int choose_all(struct selecting *s, const struct selection *selection, struct error *err)
{
	static const struct strlist none = STRLIST_INIT;
	auto_json json_t *kinds = why_kinds(s->snapshot, s->policy);
	const struct name_source source = {.kinds = kinds, .read = read_document, .arg = s->snapshot, .namespaces = &none};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < selection->only.count; i++) {
		struct condition condition = {0};

		rc = read_condition(&condition, &source, selection->only.items[i], err);
		if (rc == 0)
			rc = choose_by(s, &condition, err);
		condition_release(&condition);
	}
	return rc;
}

/* ---- what they need ---- */

/* The place of the object, or -1: not in the snapshot. */
static intptr_t find(const struct selecting *s, const char *group, const char *resource, const char *namespace_, const char *name)
{
	auto_free char *key = part_key(group, resource, namespace_, name);

	return (intptr_t)map_get(&s->index, key) - 1;
}

static void pull(struct selecting *s, intptr_t i)
{
	auto_strbuf struct strbuf words = STRBUF_INIT;
	struct choice *choice;

	if (i < 0 || (size_t)i == s->by)
		return;
	choice = &s->choices[i];
	if (choice->state == STATE_OUT) {
		choice->state = STATE_PULLED;
		s->queue[s->queued++] = (size_t)i;
	}
	object_describe(s->snapshot->objects[s->by], &words);
	strlist_add(&choice->needed_by, words.buf);
}

static int pull_reference(const struct reference *r, void *arg)
{
	struct selecting *s = arg;

	if (!r->rule->selects)
		pull(s, find(s, r->group, r->resource, r->namespace_, r->name));
	return 0;
}

static void pull_needs(struct selecting *s)
{
	const struct object *object = s->snapshot->objects[s->by];
	const struct policy_kind *row = policy_find(s->policy, object->group, object->resource);

	if (s->follow_namespaces && *object->namespace_)
		pull(s, find(s, "", "namespaces", "", object->namespace_));
	if (row)
		references_each(object, row->references, row->reference_count, pull_reference, s);
}

/* A reference of a binding that hits what is taken: the binding is needed by that. */
static int pull_binding(const struct reference *r, void *arg)
{
	struct selecting *s = arg;
	size_t binding = s->by;
	intptr_t i = r->rule->selects ? find(s, r->group, r->resource, r->namespace_, r->name) : -1;

	if (i < 0 || s->choices[i].state == STATE_OUT)
		return 0;
	s->by = (size_t)i;
	pull(s, (intptr_t)binding);
	s->by = binding;
	return 0;
}

static void pull_bindings(struct selecting *s)
{
	for (size_t i = 0; i < s->snapshot->object_count; i++) {
		const struct object *object = s->snapshot->objects[i];
		const struct policy_kind *row = policy_find(s->policy, object->group, object->resource);

		if (!row || row->select != SELECT_REFERS || s->choices[i].state != STATE_OUT)
			continue;
		s->by = i;
		references_each(object, row->references, row->reference_count, pull_binding, s);
	}
}

static void pull_all(struct selecting *s)
{
	size_t done = 0;

	while (done < s->queued) {
		while (done < s->queued) {
			s->by = s->queue[done++];
			pull_needs(s);
		}
		pull_bindings(s);
	}
}

static int check_references(const struct selecting *s, struct error *err)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	size_t count = 0;

	for (size_t i = 0; i < s->snapshot->object_count; i++) {
		if (s->choices[i].state != STATE_PULLED || ++count > NAMES_TOLD)
			continue;
		strbuf_adds(&text, count > 1 ? ", " : "");
		object_describe(s->snapshot->objects[i], &text);
		strbuf_addf(&text, " (needed by %s)", s->choices[i].needed_by.items[0]);
	}
	if (!count)
		return 0;
	error_set(err, ERR_USAGE, "--only leaves out what is needed: %s%s", text.buf, count > NAMES_TOLD ? ", ..." : "");
	return error_hint(err, "choose them too, or take them along with --only-references include");
}

/* ---- the result ---- */

static json_t *pulled_json(const struct selecting *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->snapshot->object_count; i++) {
		auto_strbuf struct strbuf words = STRBUF_INIT;

		if (s->choices[i].state != STATE_PULLED)
			continue;
		object_describe(s->snapshot->objects[i], &words);
		strlist_sort_unique(&s->choices[i].needed_by);
		json_array_append_new(list, json_pack("{s:s, s:o}", "object", words.buf, "neededBy", part_texts(&s->choices[i].needed_by)));
	}
	return list;
}

static json_t *told_json(const struct selecting *s, const struct selection *selection)
{
	json_t *told = selection_json(selection);
	size_t chosen = 0;

	for (size_t i = 0; i < s->queued; i++)
		chosen += s->choices[s->queue[i]].state == STATE_CHOSEN;
	json_object_set_new(told, "chosen", json_integer((json_int_t)chosen));
	json_object_set_new(told, "leftOut", json_integer((json_int_t)(s->snapshot->object_count - s->queued)));
	json_object_set_new(told, "pulledIn", pulled_json(s));
	return told;
}

static bool is_taken(const struct object *object, void *arg)
{
	const struct selecting *s = arg;
	intptr_t i = find(s, object->group, object->resource, object->namespace_, object->name);

	return s->choices[i].state != STATE_OUT;
}

static void open(struct selecting *s)
{
	s->choices = xcalloc(s->snapshot->object_count + 1, sizeof(*s->choices));
	s->queue = xcalloc(s->snapshot->object_count + 1, sizeof(*s->queue));
	for (size_t i = 0; i < s->snapshot->object_count; i++) {
		const struct object *o = s->snapshot->objects[i];
		auto_free char *key = part_key(o->group, o->resource, o->namespace_, o->name);

		map_put(&s->index, key, (void *)(uintptr_t)(i + 1));
	}
}

static void release(struct selecting *s, size_t count)
{
	for (size_t i = 0; i < count; i++)
		strlist_release(&s->choices[i].needed_by);
	free(s->choices);
	free(s->queue);
	map_release(&s->index, NULL);
}

int select_objects(
	struct snapshot *snapshot, const struct policy *policy, const struct selection *selection, json_t **told, struct error *err)
{
	struct selecting s = {.snapshot = snapshot, .policy = policy, .follow_namespaces = selection->references == REFERENCES_INCLUDE};
	size_t count = snapshot->object_count;
	int rc;

	*told = NULL;
	if (selection->only.count == 0) {
		*told = json_null();
		return 0;
	}
	open(&s);
	rc = choose_all(&s, selection, err);
	if (rc == 0) {
		pull_all(&s);
		rc = selection->references == REFERENCES_REFUSE ? check_references(&s, err) : 0;
	}
	if (rc == 0) {
		*told = told_json(&s, selection);
		part_keep(snapshot, is_taken, &s);
		snapshot->part = true;
	}
	release(&s, count);
	return rc;
}

/* ---- in a journal ---- */

json_t *selection_json(const struct selection *selection)
{
	return json_pack("{s:o, s:s}", "only", part_texts(&selection->only), "references", selection_references[selection->references]);
}

void selection_read(struct selection *out, const json_t *json)
{
	const char *references = json_text_at(json, "references", NULL);
	const json_t *text;
	size_t i;

	*out = (struct selection){.references = references && strcmp(references, "refuse") == 0 ? REFERENCES_REFUSE : REFERENCES_INCLUDE};
	json_array_foreach (json_object_get(json, "only"), i, text)
		if (json_is_string(text))
			strlist_add(&out->only, json_string_value(text));
}

void selection_copy(struct selection *out, const struct selection *from)
{
	*out = (struct selection){.references = from->references};
	for (size_t i = 0; i < from->only.count; i++)
		strlist_add(&out->only, from->only.items[i]);
}

void selection_release(struct selection *selection)
{
	strlist_release(&selection->only);
}
