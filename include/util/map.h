/* SPDX-License-Identifier: Apache-2.0 */
/* map - a hash map from strings to pointers; it owns copies of its keys, not the values. */
#ifndef RHAII_UTIL_MAP_H
#define RHAII_UTIL_MAP_H

#include <stddef.h>

struct map_entry {
	char *key; /* NULL: free slot */
	void *value;
};

struct map {
	struct map_entry *slots;
	size_t count, cap; /* cap is 0 or a power of two */
};
#define MAP_INIT                                                                                                                           \
	{                                                                                                                                  \
		0                                                                                                                          \
	}

/* The value, or NULL when the key is not there. */
void *map_get(const struct map *map, const char *key);
/* The map's own copy of the key, or NULL when it is not there. */
const char *map_key(const struct map *map, const char *key);
/* Set the value (not NULL), replacing an older one, which is returned. */
void *map_put(struct map *map, const char *key, void *value);
/* The entry behind *at, which starts at 0, in no order that means anything; NULL after the last. The map must not grow meanwhile. */
const struct map_entry *map_next(const struct map *map, size_t *at);
/* The entries sorted by key, a copy of the array that borrows keys and values; the caller frees it. */
struct map_entry *map_sorted(const struct map *map);
/* free_value may be NULL. */
void map_release(struct map *map, void (*free_value)(void *value));

#endif
