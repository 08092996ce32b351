/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snapshot - a snapshot opened for reading, from a git revision, an archive or a folder: whole, checked, parsed.
 *
 * Anything that does not fit together is ERR_INTEGRITY before anybody acts on it. A commit without a true Manifest-SHA256 trailer, or a folder whose files differ
 * from its MANIFEST or from its COMMIT (tree or Manifest-SHA256), is refused unless edits are accepted; the changed files are then named. Where nothing is left
 * that could tell which they are (a MANIFEST made again, a commit amended), that is "whole folder" or "whole commit". A folder without a MANIFEST is "unverified".
 *
 * In an object that a person may have written (an edited file, an unverified folder) a whole number is an integer (json_settle_numbers).
 *
 * A folder may hold plain files in plain folders only, and is not looked for behind a symlink (a plain .git at its top is passed over); an archive may be named by one.
 */
#ifndef RHAII_STORE_SNAPSHOT_H
#define RHAII_STORE_SNAPSHOT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "store/git.h"
#include "store/tree.h"
#include "util/mem.h"

struct object;

/* The version of the tree format that this program writes; newer ones are refused, naming it. */
#define SNAPSHOT_FORMAT 1

struct snapshot_source {
	const char *repo;    /* git repository for revisions */
	const char *cluster; /* NULL: the only branch */
	bool accept_edits;
};

struct snapshot {
	struct tree tree;
	char *name;    /* as it was asked for, for messages */
	char *cluster; /* from snapshot.yaml */
	char *cluster_id;
	char commit[GIT_ID_SIZE]; /* "" when not known (folder without COMMIT) */
	char *message;            /* of that commit, for words; NULL when not known */
	time_t captured_at;       /* 0 when not known */
	json_t *stale;            /* as of stale.h, never NULL */
	bool verified;            /* a MANIFEST vouched for every file */
	struct strlist edits;     /* files that differ from it, accepted */
	json_t *info;             /* snapshot.yaml */
	json_t *requirements;     /* requirements.yaml, never NULL */
	json_t *generated;        /* generated.yaml, never NULL */
	struct object **objects;  /* sorted by object_compare */
	size_t object_count;
	bool part; /* objects are not all that it has */
};

/* arg as in design.md section 8: starts with '/' or "./" or ends in ".tar.zst": a path (folder or archive); else a git revision (NULL: the branch head). */
bool snapshot_is_path(const char *arg);
int snapshot_open(struct snapshot **out, const struct snapshot_source *source, const char *arg, struct error *err);
void snapshot_free(struct snapshot *snapshot);
/* For results: name, cluster, clusterId, commit and capturedAt (null when not known), stale (as of stale.h), verified, edits; foreign text is escaped. The caller's. */
json_t *snapshot_description(const struct snapshot *snapshot);

#endif
