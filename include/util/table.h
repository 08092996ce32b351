/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table - a map from very many strings to small values of one size, in as little memory as that takes: about 12 bytes an entry beside its value and the last
 * part of its key.
 *
 * Keys are paths: what stands before the last '/' (and that itself) is kept once for all keys that share it. Entries are numbered in the order in which they came;
 * none is ever removed, and a value stays where it is until table_release. For a few things struct map is simpler.
 */
#ifndef RHAII_UTIL_TABLE_H
#define RHAII_UTIL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/map.h"

struct strbuf;

struct table {
	size_t value_size;
	char **entries; /* chunks of them */
	uint32_t count;
	uint32_t *slots; /* number of an entry + 1; 0: free */
	size_t cap;      /* of slots, 0 or a power of two */
	char **texts;    /* chunks of last parts, each with its NUL */
	size_t text_count, text_used, text_cap;
	struct map prefixes; /* text -> number + 1 */
	const char **prefix_texts;
	size_t prefix_cap;
};
/* For values of this size, which need no stricter alignment than a pointer. 0: a set. */
#define TABLE_INIT(size)                                                                                                                   \
	{                                                                                                                                  \
		.value_size = (size)                                                                                                       \
	}

#define TABLE_NONE UINT32_MAX

/* The number of the entry, or TABLE_NONE. */
uint32_t table_find(const struct table *table, const char *key);
/* The same; one that is not there is added, its value all zero. *added may be NULL. */
uint32_t table_add(struct table *table, const char *key, bool *added);
/* The value of entry number at < count. */
void *table_value(const struct table *table, uint32_t at);
/* table_find and table_value in one; NULL when it is not there. */
void *table_get(const struct table *table, const char *key);
/* Replace *out by the key of entry number at. */
void table_key(const struct table *table, uint32_t at, struct strbuf *out);
/* The numbers of all entries, sorted bytewise by key. The caller frees. */
uint32_t *table_sorted(const struct table *table);
void table_release(struct table *table);

#endif
