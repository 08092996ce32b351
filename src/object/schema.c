/* SPDX-License-Identifier: Apache-2.0 */
#include "object/schema.h"

#include <string.h>

#include "util/json.h"
#include "util/mem.h"

/* ---- definitions ---- */

const json_t *definition_version(const json_t *definition, const char *version)
{
	json_t *entry;
	size_t i;

	json_array_foreach (json_at(definition, "spec", "versions", NULL), i, entry) {
		const char *name = json_text_at(entry, "name", NULL);

		if (name && strcmp(name, version) == 0)
			return entry;
	}
	return NULL;
}

const char *definition_storage_version(const json_t *definition)
{
	json_t *entry;
	size_t i;

	json_array_foreach (json_at(definition, "spec", "versions", NULL), i, entry)
		if (json_is_true(json_object_get(entry, "storage")))
			return json_text_at(entry, "name", NULL);
	return NULL;
}

json_t *definition_older_versions(const json_t *definition)
{
	const char *storage = definition_storage_version(definition);
	json_t *older = json_array(), *version;
	size_t i;

	json_array_foreach (json_at(definition, "status", "storedVersions", NULL), i, version)
		if (json_is_string(version) && (!storage || strcmp(json_string_value(version), storage) != 0))
			json_array_append(older, version);
	return older;
}

const char *definition_unconverted(const json_t *definition, const char *version)
{
	const char *strategy = json_text_at(definition, "spec", "conversion", "strategy", NULL);
	const char *storage = definition_storage_version(definition);

	if (!storage || strcmp(storage, version) == 0 || (strategy && strcmp(strategy, "None") != 0))
		return NULL;
	return storage;
}

/* ---- pruning ---- */

static bool is_meta(const char *key)
{
	return strcmp(key, "apiVersion") == 0 || strcmp(key, "kind") == 0 || strcmp(key, "metadata") == 0;
}

static void prune(const json_t *schema, json_t *value, bool is_resource);

/*
 * keep: fields that the schema does not name stay, as they are. `additionalProperties: true` allows any key and says nothing of what is below it, which
 * is then dropped.
 */
static void prune_map(const json_t *schema, json_t *map, bool is_resource, bool keep)
{
	const json_t *properties = json_object_get(schema, "properties"), *additional = json_object_get(schema, "additionalProperties");
	size_t count;
	auto_free const char **keys = json_sorted_keys(map, &count);

	for (size_t i = 0; i < count; i++) {
		const json_t *field = json_object_get(properties, keys[i]);

		if (is_resource && is_meta(keys[i]))
			continue;
		if (field || additional)
			prune(field ? field : json_is_object(additional) ? additional : NULL, json_object_get(map, keys[i]), false);
		else if (!keep)
			json_object_del(map, keys[i]);
	}
}

/* What is kept though no schema names it may hold what one does name, down through the items of lists. */
static void prune_kept(const json_t *schema, json_t *value, bool is_resource)
{
	json_t *item;
	size_t i;

	if (!schema)
		return;
	if (json_is_object(value))
		prune_map(schema, value, is_resource, true);
	json_array_foreach (value, i, item) {
		const json_t *items = json_object_get(schema, "items");

		prune_kept(items, item, json_is_true(json_object_get(items, "x-kubernetes-embedded-resource")));
	}
}

/* schema NULL: nothing is known here. */
static void prune(const json_t *schema, json_t *value, bool is_resource)
{
	json_t *item;
	size_t i;

	is_resource = is_resource || json_is_true(json_object_get(schema, "x-kubernetes-embedded-resource"));
	if (json_is_true(json_object_get(schema, "x-kubernetes-preserve-unknown-fields"))) {
		prune_kept(schema, value, is_resource);
		return;
	}
	if (json_is_object(value))
		prune_map(schema, value, is_resource, false);
	json_array_foreach (value, i, item)
		prune(json_object_get(schema, "items"), item, false);
}

void schema_prune(const json_t *definition, const char *version, json_t *object)
{
	const json_t *schema = json_at(definition_version(definition, version), "schema", "openAPIV3Schema", NULL);

	/* the older way to say that nothing is pruned */
	if (schema && !json_is_true(json_at(definition, "spec", "preserveUnknownFields", NULL)))
		prune(schema, object, true);
}

size_t schema_dropped(const json_t *definition, const char *version, const json_t *object, diff_fn fn, void *arg)
{
	auto_json json_t *pruned = json_deep_copy(object);

	schema_prune(definition, version, pruned);
	return diff_values(object, pruned, fn, arg);
}
