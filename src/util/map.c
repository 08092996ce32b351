/* SPDX-License-Identifier: Apache-2.0 */
#include "util/map.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "util/mem.h"

/* FNV-1a. Keys come from one API server and at most slow down the run that they are in, so no secret seed is needed. */
static uint64_t map_hash(const char *key)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (; *key; key++)
		hash = (hash ^ (unsigned char)*key) * 0x100000001b3u;
	return hash;
}

/* The slot of key, or the free slot where it belongs. */
static struct map_entry *map_slot(struct map_entry *slots, size_t cap, const char *key)
{
	size_t at = (size_t)map_hash(key) & (cap - 1);

	while (slots[at].key && strcmp(slots[at].key, key) != 0)
		at = (at + 1) & (cap - 1);
	return &slots[at];
}

static void map_grow(struct map *map)
{
	size_t cap = map->cap ? map->cap * 2 : 16;
	struct map_entry *slots = xcalloc(cap, sizeof(*slots));

	for (size_t i = 0; i < map->cap; i++)
		if (map->slots[i].key)
			*map_slot(slots, cap, map->slots[i].key) = map->slots[i];
	free(map->slots);
	map->slots = slots;
	map->cap = cap;
}

void *map_get(const struct map *map, const char *key)
{
	return map->cap ? map_slot(map->slots, map->cap, key)->value : NULL;
}

const char *map_key(const struct map *map, const char *key)
{
	return map->cap ? map_slot(map->slots, map->cap, key)->key : NULL;
}

void *map_put(struct map *map, const char *key, void *value)
{
	struct map_entry *slot;
	void *old;

	if ((map->count + 1) * 4 > map->cap * 3)
		map_grow(map);
	slot = map_slot(map->slots, map->cap, key);
	old = slot->value;
	if (!slot->key) {
		slot->key = xstrdup(key);
		map->count++;
	}
	slot->value = value;
	return old;
}

const struct map_entry *map_next(const struct map *map, size_t *at)
{
	while (*at < map->cap && !map->slots[*at].key)
		(*at)++;
	return *at < map->cap ? &map->slots[(*at)++] : NULL;
}

static int map_entry_compare(const void *a, const void *b)
{
	return strcmp(((const struct map_entry *)a)->key, ((const struct map_entry *)b)->key);
}

struct map_entry *map_sorted(const struct map *map)
{
	struct map_entry *entries = xcalloc(map->count + 1, sizeof(*entries));
	size_t count = 0;

	for (size_t i = 0; i < map->cap; i++)
		if (map->slots[i].key)
			entries[count++] = map->slots[i];
	qsort(entries, count, sizeof(*entries), map_entry_compare);
	return entries;
}

void map_release(struct map *map, void (*free_value)(void *value))
{
	for (size_t i = 0; i < map->cap; i++) {
		if (!map->slots[i].key)
			continue;
		free(map->slots[i].key);
		if (free_value)
			free_value(map->slots[i].value);
	}
	free(map->slots);
	*map = (struct map)MAP_INIT;
}
