/* SPDX-License-Identifier: Apache-2.0 */
/* Merges a policy with the one that it includes. */
#include <string.h>

#include "internal.h"
#include "util/error.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/yaml.h"

#define INCLUDE_DEPTH_MAX 4

static bool is_same_row(const json_t *a, const json_t *b)
{
	const char *resource = json_text_at(a, "resource", NULL), *other = json_text_at(b, "resource", NULL);
	const char *group = json_text_at(a, "group", NULL), *other_group = json_text_at(b, "group", NULL);

	return resource && other && strcmp(resource, other) == 0 && strcmp(group ? group : "", other_group ? other_group : "") == 0;
}

/* Replace the rows of the same kind where they stand, append the others. Two such rows of the policy itself are found when rows are read. */
static void merge_kinds(json_t *base, const json_t *own)
{
	size_t included = json_array_size(base);

	for (size_t i = 0; i < json_array_size(own); i++) {
		json_t *row = json_array_get(own, i);
		size_t at = 0;
		while (at < included && !is_same_row(json_array_get(base, at), row))
			at++;
		if (at < included)
			json_array_set(base, at, row);
		else
			json_array_append(base, row);
	}
}

static void merge_scope(json_t *base, const json_t *own)
{
	size_t count;
	auto_free const char **keys = json_sorted_keys(own, &count);

	for (size_t i = 0; i < count; i++) {
		json_t *list = json_object_get(base, keys[i]), *more = json_object_get(own, keys[i]);
		if (json_is_array(list) && json_is_array(more))
			json_array_extend(list, more);
		else
			json_object_set(base, keys[i], more);
	}
}

/* What is wrong in own (a list that is none) replaces the included and is found when rows are read. */
static void merge_key(json_t *base, const char *key, json_t *own)
{
	json_t *included = json_object_get(base, key);
	bool lists = json_is_array(included) && json_is_array(own), maps = json_is_object(included) && json_is_object(own);

	if (lists && strcmp(key, "kinds") == 0)
		merge_kinds(included, own);
	else if (lists && strcmp(key, "waves") != 0)
		json_array_extend(included, own);
	else if (maps && strcmp(key, "sets") == 0)
		json_object_update(included, own);
	else if (maps)
		merge_scope(included, own);
	else
		json_object_set(base, key, own);
}

static json_t *resolve(const json_t *document, int depth, struct error *err);

static json_t *resolve_include(const json_t *value, int depth, struct error *err)
{
	const char *name = json_text_at(value, NULL), *text = name ? policy_builtin_text(name) : NULL;
	auto_json json_t *document = NULL;

	if (!text || depth >= INCLUDE_DEPTH_MAX) {
		error_set(err, ERR_USAGE, "include: no built-in policy of this name");
		return NULL;
	}
	document = yaml_read(text, strlen(text), err);
	return document ? resolve(document, depth + 1, err) : NULL;
}

static json_t *resolve(const json_t *document, int depth, struct error *err)
{
	const json_t *include = json_object_get(document, "include");
	json_t *base = include ? resolve_include(include, depth, err) : json_object();
	size_t count;
	auto_free const char **keys = json_sorted_keys(document, &count);

	for (size_t i = 0; base && i < count; i++)
		if (strcmp(keys[i], "include") != 0)
			merge_key(base, keys[i], json_object_get(document, keys[i]));
	return base;
}

json_t *policy_resolve(const json_t *document, struct error *err)
{
	return resolve(document, 0, err);
}
