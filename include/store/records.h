/* SPDX-License-Identifier: Apache-2.0 */
/*
 * records - where the records of restores and drills are kept: the branch refs/heads/drills/<name> of the repository, a commit a record, the file record.json alone
 * in its tree. What is in a record is drill/record.h's; here it is bytes.
 */
#ifndef RHAII_STORE_RECORDS_H
#define RHAII_STORE_RECORDS_H

#include <stddef.h>
#include <time.h>

#include "store/git.h"

#define RECORD_FILE "record.json"
#define RECORD_MAX ((size_t)64 << 20) /* bytes: no longer one is written, or read */

struct error;
struct strlist;

struct git_record {
	char commit[GIT_ID_SIZE];
	char parent[GIT_ID_SIZE]; /* "" for the first */
	time_t time;
	const char *text; /* borrowed */
	size_t len;
};

/*
 * Add the record (text, len, time) behind its parent, and fill commit. The ref moves last. ERR_CONFLICT: the branch is not at the parent; ERR_LOCKED: another
 * writer has the repository. message: a subject, or more.
 */
int git_record_append(struct git_store *store, const char *name, struct git_record *record, const char *message, struct error *err);

/* Non-zero ends it; -1 with err is a failure. */
typedef int (*git_record_fn)(const struct git_record *record, void *arg, struct error *err);
/*
 * Call fn for each record of the branch, newest first; not at all where there is no branch. The bytes are held against their ids. ERR_INTEGRITY: a commit that
 * holds no record, or is damaged.
 */
int git_record_each(struct git_store *store, const char *name, git_record_fn fn, void *arg, struct error *err);

/* The names under refs/heads/drills/, sorted. */
int git_record_names(struct git_store *store, struct strlist *out, struct error *err);

#endif
