/* SPDX-License-Identifier: Apache-2.0 */
#include "git_internal.h"

#include <stdlib.h>
#include <string.h>

#include "util/mem.h"

#define FIRST_SIZE 1024

uint64_t git_id_bits(const git_oid *id)
{
	uint64_t bits;

	memcpy(&bits, id->id, sizeof(bits));
	return bits;
}

/* The slot of the id, or the free one where it belongs. */
static size_t slot_of(const struct git_ids *set, const git_oid *id)
{
	size_t at = (size_t)git_id_bits(id) & (set->cap - 1);

	while (set->used[at] && !git_oid_equal(&set->slots[at], id))
		at = (at + 1) & (set->cap - 1);
	return at;
}

static void grow(struct git_ids *set)
{
	struct git_ids old = *set;

	set->cap = old.cap ? old.cap * 2 : FIRST_SIZE;
	set->slots = xcalloc(set->cap, sizeof(*set->slots));
	set->used = xcalloc(set->cap, sizeof(*set->used));
	for (size_t i = 0; i < old.cap; i++) {
		size_t at;

		if (!old.used[i])
			continue;
		at = slot_of(set, &old.slots[i]);
		set->slots[at] = old.slots[i];
		set->used[at] = true;
	}
	git_ids_release(&old);
}

bool git_ids_add(struct git_ids *set, const git_oid *id)
{
	size_t at;

	if (set->count * 2 >= set->cap)
		grow(set);
	at = slot_of(set, id);
	if (set->used[at])
		return false;
	set->slots[at] = *id;
	set->used[at] = true;
	set->count++;
	return true;
}

bool git_ids_has(const struct git_ids *set, const git_oid *id)
{
	return set->count > 0 && set->used[slot_of(set, id)];
}

void git_ids_release(struct git_ids *set)
{
	free(set->slots);
	free(set->used);
	*set = (struct git_ids){0};
}
