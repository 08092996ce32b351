/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree_build - git tree objects from a sorted list of paths, bottom-up.
 *
 * Sorting full paths bytewise gives git's own order of entries (a folder sorts as its name + "/"), so one pass over the list, one level of
 * recursion a folder, is all it takes.
 */
#ifndef RHAII_STORE_TREE_BUILD_H
#define RHAII_STORE_TREE_BUILD_H

#include <stddef.h>

struct error;

#define TREE_ID_RAW 20

struct tree_entry {
	const char *path;
	unsigned char id[TREE_ID_RAW]; /* of the blob */
};

/* Gets each finished tree object, folders before what holds them, and says its id. */
typedef int (*tree_emit_fn)(const void *data, size_t len, unsigned char id[TREE_ID_RAW], void *arg, struct error *err);

/* Entries all have the same first skip bytes, which are left off. ERR_INTEGRITY when a path is there twice or is both a file and a folder. id is of the root. */
int tree_build(const struct tree_entry *entries, size_t count, size_t skip, tree_emit_fn emit, void *arg, unsigned char id[TREE_ID_RAW],
	struct error *err);

/* The id of a git object; type is the word that git has for it ("blob"). */
void tree_object_id(const char *type, const void *data, size_t len, unsigned char id[TREE_ID_RAW]);

#endif
