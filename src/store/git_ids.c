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
static size_t slot_of(const struct git_ids *set, const unsigned char *id)
{
	size_t at;

	memcpy(&at, id, sizeof(at));
	at &= set->cap - 1;
	while (set->slots[at] && memcmp(set->ids[set->slots[at] - 1], id, GIT_OID_RAWSZ) != 0)
		at = (at + 1) & (set->cap - 1);
	return at;
}

static void grow(struct git_ids *set)
{
	free(set->slots);
	set->cap = set->cap ? set->cap * 2 : FIRST_SIZE;
	set->slots = xcalloc(set->cap, sizeof(*set->slots));
	for (size_t i = 0; i < set->count; i++)
		set->slots[slot_of(set, set->ids[i])] = (uint32_t)i + 1;
}

bool git_ids_add(struct git_ids *set, const git_oid *id)
{
	size_t at;

	if (set->count * 4 >= set->cap * 3)
		grow(set);
	at = slot_of(set, id->id);
	if (set->slots[at])
		return false;
	if (set->count == UINT32_MAX)
		mem_die();
	set->ids = xgrow(set->ids, &set->ids_cap, set->count + 1, sizeof(*set->ids));
	memcpy(set->ids[set->count++], id->id, GIT_OID_RAWSZ);
	set->slots[at] = (uint32_t)set->count;
	return true;
}

bool git_ids_has(const struct git_ids *set, const git_oid *id)
{
	return set->count > 0 && set->slots[slot_of(set, id->id)];
}

void git_ids_release(struct git_ids *set)
{
	free(set->ids);
	free(set->slots);
	*set = (struct git_ids){0};
}
