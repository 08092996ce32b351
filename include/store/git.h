/* SPDX-License-Identifier: Apache-2.0 */
/*
 * git - the repository that keeps the snapshots: bare, a branch a cluster, refs/heads/clusters/<name>.
 *
 * Writing is a transaction: git_write_begin, git_write_file for each file in any order (memory holds ids, not contents),
 * git_write_finish (tree and manifest sum are known; nothing points at them yet), then git_write_commit or git_write_mark_captured,
 * then git_write_free. The ref moves last; a kill before that leaves garbage that git gc takes, never damage. Up to GIT_LOOSE_MAX new
 * objects are written loose, more are streamed into one pack (facts: an fsynced loose object costs 0.6 ms, a packed one 0.04 ms).
 * Everything is fsynced (GIT_OPT_ENABLE_FSYNC_GITDIR).
 *
 * What the repository has already is not written again, so it is read back first: all folders, all files that the branch head has not, and
 * of the head's files GIT_READ_BACK_MAX drawn at random, others each time (10,000 of them take 0.3 to 0.5 s, as long as much of a run in
 * which nothing changed). Damage found there is ERR_INTEGRITY. Of a new pack as many are read back by the same draw.
 *
 * Reading verifies: bytes that do not match their id, entries that are no plain files or folders, paths outside the grammar of tree.h
 * are ERR_INTEGRITY.
 */
#ifndef RHAII_STORE_GIT_H
#define RHAII_STORE_GIT_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "util/mem.h"

struct error;
struct git_store;
struct git_write;
struct strbuf;
struct tree;

#define GIT_ID_SIZE 41
#define GIT_LOOSE_MAX 256
#define GIT_READ_BACK_MAX 512
#define GIT_COMMIT_MAX ((size_t)1 << 20) /* bytes of a commit object: no longer one is written, or read */

/* create: make it (bare, 0700 or, in a shared folder, the group's; HEAD at refs/heads/clusters/<cluster>) when there is none. Else ERR_NOT_FOUND with a hint. A repository owned by another uid is fine. */
int git_store_open(struct git_store **out, const char *dir, bool create, const char *cluster, struct error *err);
/*
 * For a dry run: nothing is ever written below dir, not even the lock, and nothing anywhere else. What git_write_file gets and the repository
 * has not stays in memory, until git_store_free; git_write_commit and git_write_mark_captured fail. dir need not be there: then the store is
 * one without a snapshot. ERR_USAGE where git_store_open would not make a repository either.
 */
int git_store_open_dry(struct git_store **out, const char *dir, struct error *err);
void git_store_free(struct git_store *store);
/* Where it is, with a '/' at the end. Borrowed. */
const char *git_store_dir(const struct git_store *store);
/* Hold the writer's lock <dir>/rhaii-dr.lock until git_store_free, and remove what killed writers have left; ERR_LOCKED. A dry run needs none and takes none. */
int git_store_lock(struct git_store *store, struct error *err);

/* The names under refs/heads/clusters/. */
int git_store_clusters(struct git_store *store, struct strlist *out, struct error *err);
/* name when not NULL (checked: DNS-1123 label, branch exists), else the only one; ERR_USAGE when that is not clear. The caller frees. */
int git_store_cluster(struct git_store *store, const char *name, char **out, struct error *err);

struct git_commit {
	char id[GIT_ID_SIZE], tree[GIT_ID_SIZE], parent[GIT_ID_SIZE]; /* parent "" for the first */
	time_t time;                                                  /* committer time */
	char *subject, *message;
	/* Trailers of the last paragraph, each NULL when it is not there exactly once. */
	char *captured_at, *resource_version, *tool_version, *manifest_sha256, *maintenance;
	struct strlist stale; /* the values of all trailers Stale (store/stale.h), in their order */
};
void git_commit_release(struct git_commit *commit);
/* Read a raw commit object (git cat-file commit), from a repository or from an archive; the id is computed. ERR_INTEGRITY. The caller releases out. */
int git_commit_parse(const char *raw, size_t len, struct git_commit *out, struct error *err);
/* Whether the commit's Manifest-SHA256 is true of the tree: it was made by a snapshot, and by it alone. */
bool git_commit_vouches(const struct git_commit *commit, const struct tree *tree);

/* revision: NULL or "" (the branch head of cluster), "@{TIME}" or "<revision>@{TIME}" (<revision> names where to start) with an RFC 3339 time (the newest snapshot of the branch captured at or before it, by Captured-At and the captured tag,
 * never the reflog), or what git rev-parse takes. ERR_NOT_FOUND. */
int git_resolve(struct git_store *store, const char *cluster, const char *revision, char id[GIT_ID_SIZE], struct error *err);
int git_read_commit(struct git_store *store, const char *id, struct git_commit *out, struct error *err);
/* The raw commit object, as git cat-file commit prints it. The caller frees. */
int git_read_commit_raw(struct git_store *store, const char *id, char **out, size_t *len, struct error *err);
/* First-parent history of the branch, newest first, until fn returns non-zero (which is no failure). */
int git_log(
	struct git_store *store, const char *cluster, int (*fn)(const struct git_commit *commit, void *arg), void *arg, struct error *err);
struct git_blob {
	const char *data;
	size_t len;
};
/*
 * Call fn for each file of the commit in order of path, one of them in memory at a time; blob is borrowed for the call. Ends with -1 when fn does. The folders are verified; the
 * bytes of a file are fn's to hold against the manifest of the commit, whose SHA-256 says more than git's SHA-1 and takes a tenth of its time.
 */
typedef int (*git_file_fn)(const char *path, const struct git_blob *blob, void *arg, struct error *err);
int git_each_file(struct git_store *store, const char *commit_id, git_file_fn fn, void *arg, struct error *err);
/* The same, but lend is asked first: where it has the bytes of the file (true, and blob, borrowed until fn has returned) the repository is not asked. */
typedef bool (*git_lend_fn)(const char *path, struct git_blob *blob, void *arg);
int git_each_file_lent(struct git_store *store, const char *commit_id, git_lend_fn lend, git_file_fn fn, void *arg, struct error *err);
/* All files of the commit, sorted, every byte verified. */
int git_read_tree(struct git_store *store, const char *commit_id, struct tree *out, struct error *err);
/* One file of the commit; ERR_NOT_FOUND. Appends. */
int git_read_file(struct git_store *store, const char *commit_id, const char *path, struct strbuf *out, struct error *err);
/* When the state of the branch head was last seen unchanged (the tag refs/rhaii-dr/captured/<cluster> when it points at the head); else 0. */
time_t git_captured_at(struct git_store *store, const char *cluster);
/* Another trailer of that tag ("Not-Ready"), NULL when it is not there exactly once or the tag is not on the branch head. The caller frees. */
char *git_captured_trailer(struct git_store *store, const char *cluster, const char *key);
/* Append the values of all trailers with the key, in their order. */
void git_captured_trailers(struct git_store *store, const char *cluster, const char *key, struct strlist *out);

/* Takes the writer's lock when it is not held yet. A head whose files cannot be listed is fine here (git_write_changes says so). */
int git_write_begin(struct git_write **out, struct git_store *store, const char *cluster, struct error *err);
/* ERR_FAILED also when the path was there already. */
int git_write_file(struct git_write *w, const char *path, const void *data, size_t len, struct error *err);
/* What is known of a file once it is written, so that the same bytes need no hash the next time. */
struct git_file {
	char id[GIT_ID_SIZE], sha256[65];
	size_t len;
};
/* The file added last; there is one. */
void git_write_last(const struct git_write *w, struct git_file *out);
/* As git_write_file, for bytes that are in the repository: 1, or 0 when they are not there (any more) and nothing was added. */
int git_write_reuse(struct git_write *w, const char *path, const struct git_file *file, struct error *err);
/* id of the tree and SHA-256 of its manifest; *unchanged when the branch head has this tree. */
int git_write_finish(struct git_write *w, char tree[GIT_ID_SIZE], char manifest_sha256[65], bool *unchanged, struct error *err);
/*
 * Call fn for each file that differs between the branch head's tree and the finished one, by path; old or new_ is NULL where there is none, both
 * are borrowed for the call. 0 at the end, 1 when fn returned non-zero and so ended it (err is as fn left it), -1 for an error of our own.
 * ERR_INTEGRITY: the head cannot be read, because of damage or of a file that somebody has committed under a name outside tree.h's grammar, and
 * fn may have been called for a part. The finished tree is whole all the same: a caller who wants only words about the changes may commit it.
 */
int git_write_changes(struct git_write *w, int (*fn)(const char *path, const struct git_blob *old, const struct git_blob *new_, void *arg),
	void *arg, struct error *err);
/* Author and committer "rhaii-dr <rhaii-dr@localhost>" at time, UTC. message ends in its trailers; with one that git_read_commit would refuse (more than GIT_COMMIT_MAX, not
 * UTF-8) it is ERR_FAILED. Moves the branch: ERR_CONFLICT when it is not where git_write_begin saw it. */
int git_write_commit(struct git_write *w, const char *message, time_t time, char id[GIT_ID_SIZE], struct error *err);
/* Append the manifest of the finished tree, as tree_manifest has it. */
void git_write_manifest(const struct git_write *w, struct strbuf *out);
/*
 * A commit between two others, of a transaction of its own: git_write_step writes it on the branch head as git_write_commit would, and moves nothing; the
 * commit of another transaction that began at the same head then follows it, by git_write_behind. A kill in between leaves garbage.
 */
int git_write_step(struct git_write *w, const char *message, time_t time, char id[GIT_ID_SIZE], struct error *err);
int git_write_behind(struct git_write *w, const char *id, struct error *err);
/* More trailers for the tags that follow, "Not-Ready: 2\n"; NULL: none. */
void git_write_remark(struct git_write *w, const char *trailers);
/*
 * Instead of a commit, or after it: replace the annotated tag refs/rhaii-dr/captured/<cluster> on the head. The tag object that this program wrote the last time is
 * removed when it is loose and nothing else names it, after the ref has moved for good: a kill in between leaves one object for git gc. A git fetch
 * that has been told of the old tag in that very moment fails, and passes when it is run again.
 */
int git_write_mark_captured(struct git_write *w, time_t time, const char *resource_version, struct error *err);
void git_write_free(struct git_write *w);

/*
 * A capture that a guard refused: a commit on the branch head at refs/rhaii-dr/refused/<cluster>, one a cluster, local. Its id for people is the
 * start of its tree's, so that the same refusal keeps its id. The branch does not move before git_refused_accept.
 */
#define GIT_REFUSED_DIGITS 12
struct git_refusal {
	const char *tree, *message; /* of a finished transaction; as for git_write_commit */
	time_t time;
};
int git_refused_keep(struct git_store *store, const char *cluster, const struct git_refusal *refusal, struct error *err);
/* The one that is kept; ERR_GUARD when there is none, its id is another, or the branch has moved since. The caller releases out. */
int git_refused_find(struct git_store *store, const char *cluster, const char *id, struct git_commit *out, struct error *err);
/* Move the branch to what git_refused_find found. git_refused_forget comes after it. */
int git_refused_accept(struct git_store *store, const char *cluster, const struct git_commit *commit, struct error *err);
/* Remove the ref, if there is one. */
int git_refused_forget(struct git_store *store, const char *cluster, struct error *err);

/*
 * The annotated tag refs/rhaii-dr/succession/<cluster>, on the commit that was restored: the cluster `to` continues the branch of `from`. One a branch; a later one
 * replaces it. ERR_NOT_FOUND when there is no such branch, ERR_LOCKED.
 */
struct git_succession {
	const char *from, *to; /* cluster ids */
	const char *commit;
	time_t time;
};
int git_succession_write(struct git_store *store, const char *cluster, const struct git_succession *succession, struct error *err);
/* Whether it says just that. */
bool git_succession_is(struct git_store *store, const char *cluster, const char *from, const char *to);

#endif
