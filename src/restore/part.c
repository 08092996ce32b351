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

/* The kept objects, or the dropped ones: what the lists are held against. */
struct part {
	bool dropped;
	struct map words;  /* object_describe of them */
	struct map owners; /* "group/Kind/namespace/name" of them, and of what is generated from them */
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

static void sift_objects(struct part *part, struct snapshot *snapshot, bool (*keep)(const struct object *object, void *arg), void *arg)
{
	size_t kept = 0;

	for (size_t i = 0; i < snapshot->object_count; i++) {
		struct object *object = snapshot->objects[i];
		bool is_kept = keep(object, arg);

		if (is_kept != part->dropped)
			part_add(part, object);
		if (is_kept)
			snapshot->objects[kept++] = object;
		else
			object_free(object);
	}
	snapshot->object_count = kept;
}

static bool is_left(const struct part *part, const char *words)
{
	return (map_get(&part->words, words) != NULL) != part->dropped;
}

/* Rows {object, ...}. */
static json_t *rows_of(const struct part *part, const json_t *rows)
{
	json_t *kept = json_array(), *row;
	size_t i;

	json_array_foreach (rows, i, row)
		if (is_left(part, text_of(row, "object")))
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
			if (json_is_string(words) && is_left(part, json_string_value(words)))
				json_array_append(needed_by, words);
		if (json_array_size(needed_by)) {
			json_object_set(row, "neededBy", needed_by);
			json_array_append(kept, row);
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
static void add_owners(struct part *part, const json_t *rows)
{
	const json_t *row;
	size_t before, i;

	do {
		before = part->owners.count;
		json_array_foreach (rows, i, row) {
			auto_free char *key =
				owner_key(text_of(row, "group"), text_of(row, "kind"), text_of(row, "namespace"), text_of(row, "name"));

			if (is_owned(part, row))
				map_put(&part->owners, key, part);
		}
	} while (part->owners.count > before);
}

static json_t *generated_of(struct part *part, const json_t *rows)
{
	json_t *kept = json_array(), *row;
	size_t i;

	add_owners(part, rows);
	json_array_foreach (rows, i, row)
		if (is_owned(part, row) != part->dropped)
			json_array_append(kept, row);
	return kept;
}

static void set_list(json_t *document, const char *key, json_t *list)
{
	if (json_is_array(json_object_get(document, key)))
		json_object_set(document, key, list);
	json_decref(list);
}

static void sift(struct part *part, struct snapshot *snapshot, bool (*keep)(const struct object *object, void *arg), void *arg)
{
	sift_objects(part, snapshot, keep, arg);
	set_list(snapshot->requirements, "finalizers", rows_of(part, json_object_get(snapshot->requirements, "finalizers")));
	set_list(snapshot->requirements, "requirements", needs_of(part, json_object_get(snapshot->requirements, "requirements")));
	set_list(snapshot->generated, "objects", generated_of(part, json_object_get(snapshot->generated, "objects")));
	map_release(&part->words, NULL);
	map_release(&part->owners, NULL);
}

void part_keep(struct snapshot *snapshot, bool (*keep)(const struct object *object, void *arg), void *arg)
{
	struct part part = {0};

	sift(&part, snapshot, keep, arg);
}

void part_drop(struct snapshot *snapshot, bool (*keep)(const struct object *object, void *arg), void *arg)
{
	struct part part = {.dropped = true};

	sift(&part, snapshot, keep, arg);
}
