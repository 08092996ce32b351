/* SPDX-License-Identifier: Apache-2.0 */
#include "object/references.h"

#include <string.h>

#include "object/fieldpath.h"
#include "object/object.h"
#include "util/json.h"
#include "util/mem.h"

struct walk {
	const struct object *object;
	const struct reference_rule *rule;
	reference_fn fn;
	void *arg;
};

static bool condition_holds(const json_t *map, const char *field, const char *wanted, bool when_absent)
{
	if (!field)
		return true;
	const char *value = json_text_at(map, field, NULL);
	if (!value || !*value)
		return when_absent || (value && !*wanted);
	return strcmp(value, wanted) == 0;
}

static bool rule_holds(const struct reference_rule *rule, const json_t *value)
{
	return condition_holds(value, rule->when_field, rule->when_value, rule->when_absent) &&
		condition_holds(value, rule->when_field2, rule->when_value2, rule->when_absent);
}

static const char *namespace_of(const struct walk *walk, const json_t *value)
{
	const struct reference_rule *rule = walk->rule;
	const char *other = rule->namespace_field ? json_text_at(value, rule->namespace_field, NULL) : NULL;

	if (rule->cluster_scoped)
		return "";
	return other && *other ? other : walk->object->namespace_;
}

static int call(const struct walk *walk, json_t *value, const char *name, const char *key, const char *concrete)
{
	const struct reference_rule *rule = walk->rule;

	/* In a LLMInferenceServiceConfig: known only once the controller has filled it in, and then mostly one of its own objects. */
	if (strstr(name, "{{"))
		return 0;
	struct reference reference = {
		.group = rule->group,
		.resource = rule->resource,
		.namespace_ = namespace_of(walk, value),
		.name = name,
		.key = key,
		.path = concrete,
		.map = json_is_object(value) ? value : NULL,
		.rule = rule,
		.optional = rule->optional || json_is_true(json_at(value, "optional", NULL)),
	};
	return walk->fn(&reference, walk->arg);
}

/* A map's name, once for each key that it asks for. */
static int call_with_keys(const struct walk *walk, json_t *value, const char *name, const char *concrete)
{
	const char *field = walk->rule->key_field;
	const json_t *items = field ? json_at(value, field, NULL) : NULL;
	int result = 0;

	if (!json_is_array(items) || json_array_size(items) == 0)
		return call(walk, value, name, field ? json_text_at(value, field, NULL) : NULL, concrete);
	for (size_t i = 0; i < json_array_size(items) && !result; i++)
		result = call(walk, value, name, json_text_at(json_array_get(items, i), "key", NULL), concrete);
	return result;
}

static const char *default_name(const struct walk *walk)
{
	const char *name = walk->rule->default_name;

	return name && strcmp(name, "@name") == 0 ? walk->object->name : name;
}

/* "pvc://models/llama" refers to "models". */
static int call_with_text(const struct walk *walk, json_t *value, const char *text, const char *concrete)
{
	const char *prefix = walk->rule->prefix;

	if (!*text && walk->rule->default_name)
		text = default_name(walk);
	if (!prefix)
		return *text ? call(walk, value, text, NULL, concrete) : 0;
	if (strncmp(text, prefix, strlen(prefix)) != 0)
		return 0;
	text += strlen(prefix);
	auto_free char *name = xstrndup(text, strcspn(text, "/"));
	return *name ? call(walk, value, name, NULL, concrete) : 0;
}

static int visit(json_t *value, const char *concrete, void *arg)
{
	const struct walk *walk = arg;
	const char *text = json_string_value(value);

	if (text && strlen(text) == json_string_length(value))
		return walk->rule->when_field ? 0 : call_with_text(walk, value, text, concrete);
	const char *name = json_text_at(value, walk->rule->name_field ? walk->rule->name_field : "name", NULL);
	if (!name || !*name || !rule_holds(walk->rule, value))
		return 0;
	return call_with_keys(walk, value, name, concrete);
}

static int visit_missing(json_t *map, const char *concrete, void *arg)
{
	const struct walk *walk = arg;
	const char *name = default_name(walk);

	(void)map;
	return name ? call(walk, NULL, name, NULL, concrete) : 0;
}

int references_each(const struct object *object, const struct reference_rule *rules, size_t count, reference_fn fn, void *arg)
{
	int result = 0;

	for (size_t i = 0; i < count && !result; i++) {
		struct walk walk = {.object = object, .rule = &rules[i], .fn = fn, .arg = arg};
		result = fieldpath_each(object->json, rules[i].path, visit, &walk);
		if (!result && rules[i].default_name)
			result = fieldpath_each_missing(object->json, rules[i].path, visit_missing, &walk);
	}
	return result;
}
