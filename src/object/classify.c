/* SPDX-License-Identifier: Apache-2.0 */
#include "object/classify.h"

#include <string.h>

#include "object/blame.h"
#include "object/fieldpath.h"
#include "object/object.h"
#include "util/error.h"
#include "util/json.h"
#include "util/strbuf.h"
#include "util/text.h"

const char *classify_name(enum object_class class_)
{
	static const char *const names[] = {
		[CLASS_AUTHORED] = "authored",
		[CLASS_GENERATED] = "generated",
		[CLASS_INSTALLED] = "installed",
	};
	return names[class_];
}

bool classify_owner(const json_t *json, struct object_owner *owner)
{
	const json_t *list = json_at(json, "metadata", "ownerReferences", NULL);

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *reference = json_array_get(list, i);
		if (!json_is_true(json_at(reference, "controller", NULL)))
			continue;
		owner->api_version = json_text_at(reference, "apiVersion", NULL);
		owner->kind = json_text_at(reference, "kind", NULL);
		owner->name = json_text_at(reference, "name", NULL);
		owner->uid = json_text_at(reference, "uid", NULL);
		return true;
	}
	return false;
}

static bool matches_any(const struct strlist *globs, const char *text)
{
	for (size_t i = 0; i < globs->count; i++)
		if (text_glob(globs->items[i], text))
			return true;
	return globs->count == 0;
}

static bool has_labels(const struct strlist *labels, const json_t *json)
{
	for (size_t i = 0; i < labels->count; i++) {
		const char *equals = strchr(labels->items[i], '=');
		size_t len = equals ? (size_t)(equals - labels->items[i]) : strlen(labels->items[i]);
		auto_free char *key = xstrndup(labels->items[i], len);
		const char *value = json_text_at(json, "metadata", "labels", key, NULL);
		if (!value || (equals && strcmp(value, equals + 1) != 0))
			return false;
	}
	return true;
}

static int note_filled(json_t *value, const char *concrete, void *arg)
{
	bool empty = json_is_null(value) || (json_is_object(value) && json_object_size(value) == 0) ||
		(json_is_array(value) && json_array_size(value) == 0) || (json_is_string(value) && json_string_length(value) == 0);

	(void)concrete;
	*(bool *)arg = !empty;
	return !empty;
}

static bool is_excused(const struct classify_rule *rule, json_t *json)
{
	bool filled = false;

	for (size_t i = 0; i < rule->unless_count && !filled; i++)
		fieldpath_each(json, rule->unless[i], note_filled, &filled);
	return filled;
}

static bool is_of_release(const struct strlist *releases, const json_t *json)
{
	const char *release = json_text_at(json, "metadata", "annotations", "meta.helm.sh/release-name", NULL);

	return releases->count == 0 || (release && matches_any(releases, release));
}

bool classify_written_by(const struct strlist *managers, const struct strlist *writers)
{
	for (size_t i = 0; i < writers->count; i++)
		if (!matches_any(managers, writers->items[i]))
			return false;
	return writers->count > 0;
}

static bool is_written_by(const struct strlist *managers, const struct classify_managers *known)
{
	auto_strlist struct strlist writers = STRLIST_INIT;
	struct error ignored = ERROR_INIT; /* what does not parse tells of nobody */
	auto_json json_t *fields = NULL;

	if (managers->count == 0)
		return true;
	fields = known && known->text ? json_read(known->text, known->len, &ignored) : NULL;
	blame_writers(fields, &writers);
	return classify_written_by(managers, &writers);
}

/* *certain: nothing but the name is asked for. */
static bool holds_for_name(const struct classify_rule *rule, const struct object *object, bool *certain)
{
	*certain = rule->labels.count + rule->managers.count + rule->releases.count + rule->unless_count == 0;
	return text_glob(rule->resource, object->resource) && text_glob(rule->group, object->group) &&
		matches_any(&rule->namespaces, object->namespace_) && matches_any(&rule->names, object->name);
}

/* What costs most is asked last. */
static bool holds(const struct classify_rule *rule, const struct object *object, const struct classify_managers *managers)
{
	bool certain;

	return holds_for_name(rule, object, &certain) &&
		(certain ||
			(has_labels(&rule->labels, object->json) && is_of_release(&rule->releases, object->json) &&
				!is_excused(rule, object->json) && is_written_by(&rule->managers, managers)));
}

const struct classify_rule *classify_by_rule(
	const struct object *object, const struct classify_managers *managers, const struct classify_rule *rules, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (holds(&rules[i], object, managers))
			return &rules[i];
	return NULL;
}

static void explain_owner(const struct object_owner *owner, struct strbuf *evidence)
{
	const char *kind = owner->kind ? owner->kind : "an owner", *name = owner->name ? owner->name : "without a name";

	strbuf_adds(evidence, "controlled by ");
	text_escape(evidence, kind, strlen(kind), 0);
	strbuf_addc(evidence, ' ');
	text_escape(evidence, name, strlen(name), 0);
}

const struct classify_rule *classify_by_name(const struct object *name, const struct classify_rule *rules, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		bool certain;

		if (holds_for_name(&rules[i], name, &certain) && certain)
			return &rules[i];
	}
	return NULL;
}

enum object_class classify_object(const struct object *object, const struct classify_rule *rules, size_t count, struct strbuf *evidence)
{
	const struct classify_rule *rule;
	struct object_owner owner;

	if (classify_owner(object->json, &owner)) {
		if (evidence)
			explain_owner(&owner, evidence);
		return CLASS_GENERATED;
	}
	rule = classify_by_rule(object, NULL, rules, count);
	if (evidence)
		strbuf_adds(evidence, rule ? rule->why : "no controller owns it and no rule of the policy says otherwise");
	return rule ? rule->class_ : CLASS_AUTHORED;
}
