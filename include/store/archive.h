/* SPDX-License-Identifier: Apache-2.0 */
/*
 * archive - one snapshot as one compressed file, a pure function of its commit (design.md section 5).
 *
 * <cluster>-<commit time>-<commit id>.tar.zst: pax-restricted tar by libarchive (sorted, zero owners, mode 0644, mtime = commit time, MANIFEST.sha256 first,
 * then COMMIT, then the tree), compressed by libzstd (level 3, one thread, content checksum), and beside it <file>.sha256 over the compressed bytes.
 *
 * A reader holds all of it in memory (up to TREE_TOTAL_MAX) before it knows whether anything is true, so more than ARCHIVE_FREE_BYTES out of less than their
 * ARCHIVE_RATIO_MAX-th part is taken for a bomb. Real ones are 5 to 60 times smaller than their content; where thousands of objects are one and the same it can
 * be 1500 times and more, hence bytes that are free (all of the 210 MB of 100,000 objects). What a reader would refuse is not made.
 */
#ifndef RHAII_STORE_ARCHIVE_H
#define RHAII_STORE_ARCHIVE_H

#include <stdbool.h>

#define ARCHIVE_FREE_BYTES (256ull << 20)
#define ARCHIVE_RATIO_MAX 200

struct error;
struct git_store;
struct strbuf;
struct tree;

/* Of which commit, and where. */
struct archive_target {
	const char *cluster, *commit_id, *dir;
	const struct strbuf
		*manifest; /* git_write_manifest of the commit, which saves reading it twice; held against the commit. NULL: not known */
};
/* Make archive and sidecar where one of them is missing (*made), else leave them. The archive of the commit's parent, where it is in dir, only saves time. *path is the caller's. ERR_FAILED too where a reader would take it for a bomb. */
int archive_make(struct git_store *store, const struct archive_target *target, char **path, bool *made, struct error *err);

/* Where the archive of the commit is, made or not; NULL when the commit cannot be read. The caller frees. */
char *archive_path(struct git_store *store, const char *cluster, const char *commit_id, const char *dir, struct error *err);

/*
 * Read an archive whole, into memory, never onto the disk: sidecar (when it is there), zstd checksum, plain files only, paths of tree.h, MANIFEST first and
 * true of every file, COMMIT whose tree is the tree of the files. commit (raw object) is appended. ERR_INTEGRITY for anything else.
 * tree holds the files without MANIFEST.sha256 and COMMIT. path, and the sidecar beside it, may be symlinks: they are the user's word for where the file
 * is ("latest.tar.zst"), and what they lead to is held against its sums all the same. One that leads nowhere is a file that is not there.
 */
int archive_read(const char *path, struct tree *tree, struct strbuf *commit, struct error *err);

#endif
