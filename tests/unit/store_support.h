/* SPDX-License-Identifier: Apache-2.0 */
/* store_support - what the tests of the store share: a shell for the real git, tar and zstd, and transactions in one call. All of it fails the running test. */
#ifndef RHAII_TESTS_UNIT_STORE_SUPPORT_H
#define RHAII_TESTS_UNIT_STORE_SUPPORT_H

#include <stddef.h>
#include <time.h>

#include "store/git.h"

struct row {
	const char *path, *text; /* the last row has path NULL */
};

/* A whole, valid snapshot with one object; and another state of it. */
extern const struct row sample_rows[], sample_rows_changed[];
#define SAMPLE_TIME ((time_t)1795183200) /* 2026-11-20T14:00:00Z */
#define SAMPLE_OBJECT "objects/namespaces/prod/configmaps/app.yaml"

/* Run a command with /bin/sh; it must exit 0, and what it says is not shown. */
void shell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Its output without the last newline; the caller frees. */
char *shell_output(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Whether git fsck finds nothing, not even to warn of, in the repository. */
void assert_fsck(const char *repo);

/* Open "repo" in the working directory, made when it is not there, for cluster "prod". */
struct git_store *open_repo(void);
/* A finished transaction over the rows. */
struct git_write *write_rows(struct git_store *store, const struct row *rows, char sum[65], bool *unchanged);
/* Rows as a commit with all trailers. */
void commit_rows(struct git_store *store, const struct row *rows, time_t when, char id[GIT_ID_SIZE]);

/* For archive_make, of cluster "prod". */
#define TARGET(id, dir_) (&(const struct archive_target){.cluster = "prod", .commit_id = (id), .dir = (dir_)})

#endif
