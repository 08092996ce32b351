/* SPDX-License-Identifier: Apache-2.0 */
#include "util/table.h"

#include <stdlib.h>
#include <string.h>

#include "util/mem.h"
#include "util/strbuf.h"

/* Entries and texts are kept in pieces, so that growing needs no second copy of what is there. */
#define ENTRIES 1024u
#define TEXT_BITS 16u
#define TEXT_SIZE ((size_t)1 << TEXT_BITS)
#define FIRST_SLOTS 64u

struct entry {
	uint32_t prefix, text; /* where its last part is: number of the piece, and TEXT_BITS of place in it */
};

/* ---- entries ---- */

/* Behind each entry stands its value. What holds a pointer has a size of which 8 is a factor, and so is aligned to that. */
static size_t stride(const struct table *table)
{
	return sizeof(struct entry) + (table->value_size + sizeof(uint32_t) - 1) / sizeof(uint32_t) * sizeof(uint32_t);
}

static char *entry_at(const struct table *table, uint32_t at)
{
	return table->entries[at / ENTRIES] + at % ENTRIES * stride(table);
}

static struct entry head_of(const struct table *table, uint32_t at)
{
	struct entry entry;

	memcpy(&entry, entry_at(table, at), sizeof(entry));
	return entry;
}

void *table_value(const struct table *table, uint32_t at)
{
	return entry_at(table, at) + sizeof(struct entry);
}

static const char *text_of(const struct table *table, struct entry entry)
{
	return table->texts[entry.text >> TEXT_BITS] + (entry.text & (TEXT_SIZE - 1));
}

/* What is longer than a piece has one of its own. */
static uint32_t add_text(struct table *table, const char *text)
{
	size_t size = strlen(text) + 1;

	if (table->text_count == 0 || table->text_used + size > TEXT_SIZE) {
		if (table->text_count >= UINT32_MAX >> TEXT_BITS)
			mem_die();
		table->texts = xgrow(table->texts, &table->text_cap, table->text_count + 1, sizeof(*table->texts));
		table->texts[table->text_count++] = xmalloc(size > TEXT_SIZE ? size : TEXT_SIZE);
		table->text_used = 0;
	}
	memcpy(table->texts[table->text_count - 1] + table->text_used, text, size);
	table->text_used += size;
	return (uint32_t)((table->text_count - 1) << TEXT_BITS | (table->text_used - size));
}

/* ---- keys ---- */

static size_t prefix_len(const char *key)
{
	const char *slash = strrchr(key, '/');

	return slash ? (size_t)(slash - key) + 1 : 0;
}

/* Its number, TABLE_NONE when it is not there. */
static uint32_t find_prefix(const struct table *table, const char *key, size_t len)
{
	auto_free char *prefix = xstrndup(key, len);
	uintptr_t number = (uintptr_t)map_get(&table->prefixes, prefix);

	return number ? (uint32_t)(number - 1) : TABLE_NONE;
}

static uint32_t add_prefix(struct table *table, const char *key, size_t len)
{
	auto_free char *prefix = xstrndup(key, len);
	size_t number = table->prefixes.count;

	table->prefix_texts = xgrow(table->prefix_texts, &table->prefix_cap, number + 1, sizeof(*table->prefix_texts));
	(void)map_put(&table->prefixes, prefix, (void *)(uintptr_t)(number + 1));
	table->prefix_texts[number] = map_key(&table->prefixes, prefix);
	return (uint32_t)number;
}

/* FNV-1a, as in map.c, and for the same reason without a secret; the last step brings all bits down, since names are alike. */
static uint64_t hash_of(uint32_t prefix, const char *text)
{
	uint64_t hash = 0xcbf29ce484222325u ^ prefix;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
	return (hash ^ hash >> 32) * 0x9e3779b97f4a7c15u >> 20;
}

/* The slot of the entry, or the free one where it belongs. There is always a free one. */
static uint32_t *slot_of(const struct table *table, uint32_t prefix, const char *text)
{
	size_t at = (size_t)hash_of(prefix, text) & (table->cap - 1);

	for (; table->slots[at]; at = (at + 1) & (table->cap - 1)) {
		struct entry entry = head_of(table, table->slots[at] - 1);

		if (entry.prefix == prefix && strcmp(text_of(table, entry), text) == 0)
			break;
	}
	return &table->slots[at];
}

static void grow_slots(struct table *table)
{
	free(table->slots);
	table->cap = table->cap ? table->cap * 2 : FIRST_SLOTS;
	table->slots = xcalloc(table->cap, sizeof(*table->slots));
	for (uint32_t i = 0; i < table->count; i++) {
		struct entry entry = head_of(table, i);

		*slot_of(table, entry.prefix, text_of(table, entry)) = i + 1;
	}
}

/* ---- what the header says ---- */

uint32_t table_find(const struct table *table, const char *key)
{
	size_t len = prefix_len(key);
	uint32_t prefix = table->count ? find_prefix(table, key, len) : TABLE_NONE;
	uint32_t number = prefix == TABLE_NONE ? 0 : *slot_of(table, prefix, key + len);

	return number ? number - 1 : TABLE_NONE;
}

static uint32_t append(struct table *table, uint32_t prefix, const char *text)
{
	struct entry entry = {.prefix = prefix, .text = add_text(table, text)};
	uint32_t at = table->count;

	if (at == UINT32_MAX - 1)
		mem_die();
	if (at % ENTRIES == 0) {
		table->entries = xrealloc(table->entries, (at / ENTRIES + 1) * sizeof(*table->entries));
		table->entries[at / ENTRIES] = xcalloc(ENTRIES, stride(table));
	}
	table->count++;
	memcpy(entry_at(table, at), &entry, sizeof(entry));
	return at;
}

uint32_t table_add(struct table *table, const char *key, bool *added)
{
	size_t len = prefix_len(key);
	uint32_t prefix = find_prefix(table, key, len), *slot;

	if (prefix == TABLE_NONE)
		prefix = add_prefix(table, key, len);
	if ((uint64_t)(table->count + 1) * 4 > (uint64_t)table->cap * 3)
		grow_slots(table);
	slot = slot_of(table, prefix, key + len);
	if (added)
		*added = *slot == 0;
	if (*slot == 0)
		*slot = append(table, prefix, key + len) + 1;
	return *slot - 1;
}

void *table_get(const struct table *table, const char *key)
{
	uint32_t at = table_find(table, key);

	return at == TABLE_NONE ? NULL : table_value(table, at);
}

void table_key(const struct table *table, uint32_t at, struct strbuf *out)
{
	struct entry entry = head_of(table, at);

	strbuf_truncate(out, 0);
	strbuf_adds(out, table->prefix_texts[entry.prefix]);
	strbuf_adds(out, text_of(table, entry));
}

/* ---- order ---- */

/* As strcmp of the two wholes, without making them. */
static int compare(const void *a, const void *b, void *arg)
{
	const struct table *table = arg;
	struct entry x = head_of(table, *(const uint32_t *)a), y = head_of(table, *(const uint32_t *)b);
	const char *p = table->prefix_texts[x.prefix], *p_rest = text_of(table, x);
	const char *q = table->prefix_texts[y.prefix], *q_rest = text_of(table, y);

	if (x.prefix == y.prefix)
		return strcmp(p_rest, q_rest);
	for (;;) {
		if (!*p && p_rest) {
			p = p_rest;
			p_rest = NULL;
		}
		if (!*q && q_rest) {
			q = q_rest;
			q_rest = NULL;
		}
		if (*p != *q || !*p)
			return (int)(unsigned char)*p - (int)(unsigned char)*q;
		p++;
		q++;
	}
}

uint32_t *table_sorted(const struct table *table)
{
	uint32_t *order = xcalloc(table->count, sizeof(*order));

	for (uint32_t i = 0; i < table->count; i++)
		order[i] = i;
	if (table->count)
		qsort_r(order, table->count, sizeof(*order), compare, (void *)(uintptr_t)table);
	return order;
}

void table_release(struct table *table)
{
	for (size_t i = 0; i * ENTRIES < table->count; i++)
		free(table->entries[i]);
	for (size_t i = 0; i < table->text_count; i++)
		free(table->texts[i]);
	free(table->entries);
	free(table->texts);
	free(table->slots);
	free(table->prefix_texts);
	map_release(&table->prefixes, NULL);
	*table = (struct table)TABLE_INIT(table->value_size);
}
