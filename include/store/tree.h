/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree - the files of one snapshot in memory, and the sums over them.
 *
 * A path is relative, made of at most TREE_DEPTH_MAX non-empty segments other than "." and "..", of the bytes [A-Za-z0-9._%~-] and at
 * most 4096 long; what git or a disk that folds case takes for its own (.git, .gitmodules, DOS short names) is out as well. Anything
 * else is ERR_INTEGRITY. Order: bytewise by path, which is also the order of the entries in git's trees.
 */
#ifndef RHAII_STORE_TREE_H
#define RHAII_STORE_TREE_H

#include <stddef.h>

struct error;
struct strbuf;
struct strlist;

#define TREE_MANIFEST "MANIFEST.sha256"
#define TREE_COMMIT "COMMIT"
#define TREE_FILE_MAX (16u << 20) /* bytes of one file */
/* Bytes of a whole tree, by tree_cost, all of it in memory: 100,000 objects are 210 MB. */
#define TREE_TOTAL_MAX (1ull << 30)
#define TREE_COUNT_MAX (1u << 20)      /* files of a tree */
#define TREE_DEPTH_MAX 16              /* segments of a path */
#define TREE_MANIFEST_MAX (512u << 20) /* no tree within these limits has a longer one */

struct tree_file {
	char *path;
	char *data; /* NUL after len */
	size_t len;
	char sha256[65];
};

struct tree {
	struct tree_file *files; /* sorted after tree_sort */
	size_t count, cap;
	unsigned long long bytes;
};
#define TREE_INIT                                                                                                                          \
	{                                                                                                                                  \
		0                                                                                                                          \
	}

int tree_check_path(const char *path, struct error *err);
/* What a file counts for in TREE_TOTAL_MAX: its bytes, and three times its path, which is in a manifest too. */
unsigned long long tree_cost(const char *path, size_t len);
/* Take a copy of data; computes the sum. ERR_INTEGRITY for what is over the limits above. Same path twice is found by tree_sort. */
int tree_add(struct tree *tree, const char *path, const void *data, size_t len, struct error *err);
/* Sort; a path that is there twice, or both a file and a folder, is ERR_INTEGRITY. Call once after the adds. */
int tree_sort(struct tree *tree, struct error *err);
const struct tree_file *tree_find(const struct tree *tree, const char *path);
/* Append one line of a manifest. */
void tree_manifest_line(const char *sha256, const char *path, struct strbuf *out);
/* Append the manifest, "<sha256>  <path>\n" a file in order (sha256sum -c form). */
void tree_manifest(const struct tree *tree, struct strbuf *out);
/* Hold the tree against a manifest: the paths that differ, are missing from the tree or are not listed go to changed, sorted. Its lines may be in any order.
 * ERR_INTEGRITY when it is no manifest: a malformed line, a path outside the grammar or listed twice. */
int tree_manifest_check(const struct tree *tree, const char *manifest, size_t len, struct strlist *changed, struct error *err);
/* The git id (SHA-1, hex) that a tree object of the files below prefix would have ("" for all, "objects/" for restore input; the prefix ends in '/'). */
void tree_git_id(const struct tree *tree, const char *prefix, char hex[41]);
void tree_release(struct tree *tree);

#endif
