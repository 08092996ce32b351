/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree_build - git tree objects from sorted paths, each as soon as its last entry is known, so that memory holds the open folders only.
 *
 * Sorting full paths bytewise gives git's own order of entries (a folder sorts as its name + "/"). Order of the calls: tree_builder_new, tree_builder_add for
 * each path in that order, tree_builder_finish when there is no more, tree_builder_free. tree_build is all of it for a list.
 */
#ifndef RHAII_STORE_TREE_BUILD_H
#define RHAII_STORE_TREE_BUILD_H

#include <stddef.h>

struct error;
struct tree_builder;

#define TREE_ID_RAW 20

struct tree_entry {
	const char *path;
	unsigned char id[TREE_ID_RAW]; /* of the blob */
};

/* Gets each finished tree object, folders before what holds them, and says its id. */
typedef int (*tree_emit_fn)(const void *data, size_t len, unsigned char id[TREE_ID_RAW], void *arg, struct error *err);

/* emit may be NULL: then paths are only checked. */
struct tree_builder *tree_builder_new(tree_emit_fn emit, void *arg);
/* Of at most TREE_DEPTH_MAX segments. ERR_INTEGRITY when the path is there twice or is both a file and a folder. */
int tree_builder_add(struct tree_builder *builder, const char *path, const unsigned char id[TREE_ID_RAW], struct error *err);
/* id is of the root. */
int tree_builder_finish(struct tree_builder *builder, unsigned char id[TREE_ID_RAW], struct error *err);
void tree_builder_free(struct tree_builder *builder);

/* Entries all have the same first skip bytes, which are left off. */
int tree_build(const struct tree_entry *entries, size_t count, size_t skip, tree_emit_fn emit, void *arg, unsigned char id[TREE_ID_RAW],
	struct error *err);

/* The id of a git object; type is the word that git has for it ("blob"). */
void tree_object_id(const char *type, const void *data, size_t len, unsigned char id[TREE_ID_RAW]);

#endif
