/* SPDX-License-Identifier: Apache-2.0 */
#include "part.h"

#include <stdlib.h>
#include <string.h>

#include "object/object.h"
#include "store/snapshot.h"
#include "util/json.h"
#include "util/map.h"
#include "util/mem.h"
#include "util/strbuf.h"

char *part_key(const char *group, const char *resource, const char *namespace_, const char *name)
{
	return xasprintf("%s/%s/%s/%s", group, resource, namespace_, name);
}

const char *part_namespace(const struct object *object)
{
	bool is_namespace = !*object->group && strcmp(object->resource, "namespaces") == 0;

	return is_namespace ? object->name : object->namespace_;
}

json_t *part_texts(const struct strlist *list)
{
	json_t *texts = json_array();

	for (size_t i = 0; i < list->count; i++)
		json_array_append_new(texts, json_string(list->items[i]));
	return texts;
}

static const char *text_of(const json_t *map, const char *key)
{
	const char *text = json_text_at(map, key, NULL);

	return text ? text : "";
}

struct part {
	struct map words;  /* object_describe of the kept objects */
	struct map owners; /* "group/Kind/namespace/name" of what is kept, generated objects too */
};

static char *owner_key(const char *group, const char *kind, const char *namespace_, const char *name)
{
	return xasprintf("%s/%s/%s/%s", group, kind, namespace_, name);
}

static void part_add(struct part *part, const struct object *object)
{
	auto_strbuf struct strbuf words = STRBUF_INIT;
	auto_free char *owner = owner_key(object->group, object->kind, object->namespace_, object->name);

	object_describe(object, &words);
	map_put(&part->words, words.buf, part);
	map_put(&part->owners, owner, part);
}

static void keep_objects(struct snapshot *snapshot, bool (*keep)(const struct object *object, void *arg), void *arg, struct part *part)
{
	size_t kept = 0;

	for (size_t i = 0; i < snapshot->object_count; i++) {
		struct object *object = snapshot->objects[i];

		if (!keep(object, arg)) {
			object_free(object);
			continue;
		}
		part_add(part, object);
		snapshot->objects[kept++] = object;
	}
	snapshot->object_count = kept;
}

/* Rows {object, ...} of these. */
static json_t *rows_of(const struct part *part, const json_t *rows)
{
	json_t *kept = json_array(), *row;
	size_t i;

	json_array_foreach (rows, i, row)
		if (map_get(&part->words, text_of(row, "object")))
			json_array_append(kept, row);
	return kept;
}

/* Rows {neededBy: [object], ...}, without those that need it no more; what nobody needs is left out. */
static json_t *needs_of(const struct part *part, const json_t *rows)
{
	json_t *kept = json_array(), *row, *words;
	size_t i, j;

	json_array_foreach (rows, i, row) {
		json_t *needed_by = json_array();

		json_array_foreach (json_object_get(row, "neededBy"), j, words)
			if (json_is_string(words) && map_get(&part->words, json_string_value(words)))
				json_array_append(needed_by, words);
		if (json_array_size(needed_by)) {
			auto_json json_t *copy = json_copy(row);

			json_object_set(copy, "neededBy", needed_by);
			json_array_append(kept, copy);
		}
		json_decref(needed_by);
	}
	return kept;
}

static bool is_owned(const struct part *part, const json_t *row)
{
	const json_t *owner = json_object_get(row, "owner");
	auto_free char *key = owner_key(text_of(owner, "group"), text_of(owner, "kind"), text_of(row, "namespace"), text_of(owner, "name"));
	auto_free char *of_cluster = owner_key(text_of(owner, "group"), text_of(owner, "kind"), "", text_of(owner, "name"));

	return map_get(&part->owners, key) || map_get(&part->owners, of_cluster);
}

/* An owner may be generated itself, and stand behind what it owns. */
static json_t *generated_of(struct part *part, const json_t *rows)
{
	json_t *kept = json_array(), *row;
	size_t before, known, i;

	do {
		before = part->owners.count;
		json_array_foreach (rows, i, row) {
			auto_free char *key =
				owner_key(text_of(row, "group"), text_of(row, "kind"), text_of(row, "namespace"), text_of(row, "name"));

			if (is_owned(part, row))
				map_put(&part->owners, key, part);
		}
		known = part->owners.count;
	} while (known > before);
	json_array_foreach (rows, i, row)
		if (is_owned(part, row))
			json_array_append(kept, row);
	return kept;
}

static void set_list(json_t *document, const char *key, json_t *list)
{
	if (json_is_array(json_object_get(document, key)))
		json_object_set(document, key, list);
	json_decref(list);
}

void part_keep(struct snapshot *snapshot, bool (*keep)(const struct object *object, void *arg), void *arg)
{
	struct part part = {.words = MAP_INIT, .owners = MAP_INIT};

	keep_objects(snapshot, keep, arg, &part);
	set_list(snapshot->requirements, "finalizers", rows_of(&part, json_object_get(snapshot->requirements, "finalizers")));
	set_list(snapshot->requirements, "requirements", needs_of(&part, json_object_get(snapshot->requirements, "requirements")));
	set_list(snapshot->generated, "objects", generated_of(&part, json_object_get(snapshot->generated, "objects")));
	map_release(&part.words, NULL);
	map_release(&part.owners, NULL);
}
