/* SPDX-License-Identifier: Apache-2.0 */
/*
 * archive - one snapshot as one compressed file, a pure function of its commit (design.md section 5).
 *
 * <cluster>-<commit time>-<commit id>.tar.zst: pax-restricted tar by libarchive (sorted, zero owners, mode 0644, mtime = commit time, MANIFEST.sha256 first,
 * then COMMIT, then the tree), compressed by libzstd (level 3, one thread, content checksum), and beside it <file>.sha256 over the compressed bytes.
 */
#ifndef RHAII_STORE_ARCHIVE_H
#define RHAII_STORE_ARCHIVE_H

#include <stdbool.h>

struct error;
struct git_store;
struct strbuf;
struct tree;

/* Make archive and sidecar in dir where one of them is missing (*made), else leave them. *path is the caller's. */
int archive_make(
	struct git_store *store, const char *cluster, const char *commit_id, const char *dir, char **path, bool *made, struct error *err);

/*
 * Read an archive whole, into memory, never onto the disk: sidecar (when it is there), zstd checksum, plain files only, paths of tree.h, MANIFEST first and
 * true of every file, COMMIT whose tree is the tree of the files. commit (raw object) is appended. ERR_INTEGRITY for anything else.
 * tree holds the files without MANIFEST.sha256 and COMMIT.
 */
int archive_read(const char *path, struct tree *tree, struct strbuf *commit, struct error *err);

#endif
