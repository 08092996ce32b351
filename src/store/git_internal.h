/* SPDX-License-Identifier: Apache-2.0 */
/*
 * git_internal - what the files of the git store share. Only src/store/git*.c include it, and with it libgit2.
 *
 * libgit2 has opaque types called struct git_commit and struct git_blob too. They are not used here: commits, trees and tags are read and
 * written as the text that they are, through the object database, so the names in store/git.h are the only ones in play.
 */
#ifndef RHAII_STORE_GIT_INTERNAL_H
#define RHAII_STORE_GIT_INTERNAL_H

#include <git2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/git.h"
#include "util/error.h"

#define GIT_BRANCHES "refs/heads/clusters/"
#define GIT_CAPTURED "refs/rhaii-dr/captured/"
#define GIT_PERSON "rhaii-dr <rhaii-dr@localhost>"
/* Bytes of a tag and of one tree object that are still believed to be ours. */
#define GIT_TAG_MAX ((size_t)1 << 20)
#define GIT_TREE_MAX ((size_t)256 << 20)

struct file_lock;

struct git_store {
	git_repository *repo; /* NULL: a dry run where there is none */
	git_odb *odb;
	git_odb_backend *memory; /* of a dry run, part of odb: takes all new objects; else NULL */
	char *dir;               /* of the repository, ends in '/' */
	struct file_lock *lock;
};

/* ---- git_store.c ---- */

/* Set err to what the caller says and libgit2's own words (escaped); return -1. */
int git_fail(struct error *err, enum error_code code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* A DNS-1123 label, else ERR_USAGE. */
int git_check_cluster(const char *cluster, struct error *err);
/* What stands below a folder of refs ("refs/heads/clusters/") under a name of ours, sorted. */
int git_list_names(struct git_store *store, const char *folder, struct strlist *out, struct error *err);
/* Make the directories of a path relative to the repository durable, up to the repository itself. */
int git_sync_directories(struct git_store *store, const char *path, struct error *err);

/* ---- git_write.c ---- */

/* Whether git_read_commit would take this text of a commit; ERR_FAILED. What is refused there must not become the head of a branch. */
int git_check_commit(const struct strbuf *text, struct error *err);

/* ---- git_read.c ---- */

void git_release_object(git_odb_object **object);
#define auto_object __attribute__((cleanup(git_release_object)))

/* The object, its bytes checked against its id. ERR_INTEGRITY when it is missing, damaged, of another type or larger than max. */
int git_load(git_odb_object **out, struct git_store *store, const git_oid *id, git_object_t type, size_t max, struct error *err);
/* id is 40 hex digits from a caller; ERR_USAGE when it is not. */
int git_parse_id(git_oid *out, const char *id, struct error *err);
/* Where a ref is, its full name given: 1 and *id, or 0 when there is none. */
int git_find_ref(struct git_store *store, const char *name, git_oid *id, struct error *err);
/* Where the branch of cluster is: 1 and *id, or 0 when there is none. */
int git_head(struct git_store *store, const char *cluster, git_oid *id, struct error *err);

/* Call fn for each file below the tree, in order of path, until it fails. */
typedef int (*git_walk_fn)(const char *path, const git_oid *id, void *arg, struct error *err);
int git_walk(struct git_store *store, const git_oid *tree, git_walk_fn fn, void *arg, struct error *err);

/* ---- git_ids.c ---- */

/* A set of ids, open addressing: an id is its own hash. Zeroed it is empty. */
struct git_ids {
	unsigned char (*ids)[GIT_OID_RAWSZ];
	size_t count, ids_cap;
	uint32_t *slots; /* place in ids + 1; 0: free */
	size_t cap;      /* of slots, 0 or a power of two */
};
/* The first bytes of an id, which are as good as random. */
uint64_t git_id_bits(const git_oid *id);
/* False when it was there already. */
bool git_ids_add(struct git_ids *set, const git_oid *id);
bool git_ids_has(const struct git_ids *set, const git_oid *id);
void git_ids_release(struct git_ids *set);

/* ---- git_ref.c ---- */

/* Move a ref from an id (NULL: it must not be there) to another. ERR_CONFLICT when it is elsewhere. The writer's lock must be held. */
int git_move_ref(struct git_store *store, const char *name, const git_oid *from, const git_oid *to, struct error *err);
/* Remove the loose object of a tag that the ref name pointed at, is ours (its text starts so) and is in no other use. What stands in the way leaves it to git gc. */
void git_drop_tag(struct git_store *store, const char *name, const git_oid *id, const char *text);

/* ---- git_pack.c ---- */

/*
 * A sink for new objects. What the repository has already, or the sink has seen, is not kept twice; what the repository has is read back by the rule of
 * store/git.h, and then ERR_INTEGRITY means that. git_sink_flush makes all of it durable, loose or as one pack; nothing is in the repository before. In a
 * dry run all goes into memory at once. After a failure only git_sink_free may follow.
 */
struct git_sink;
/* head: the blobs of the branch head, borrowed; all of them are in it by now. */
struct git_sink *git_sink_new(struct git_store *store, const struct git_ids *head);
/* 1 when the repository has the object, which is read back by the same rule; else 0. */
int git_sink_reuse(const struct git_sink *sink, git_object_t type, const git_oid *id, struct error *err);
int git_sink_add(struct git_sink *sink, git_object_t type, const void *data, size_t len, git_oid *id, struct error *err);
int git_sink_flush(struct git_sink *sink, struct error *err);
void git_sink_free(struct git_sink *sink);

/* Wait a second for the "<name>.lock" of a live git to go, then remove it: we hold the writer's lock, so its writer is dead. */
int git_clear_stale_lock(struct git_store *store, const char *name, struct error *err);

#endif
