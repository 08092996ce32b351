/* SPDX-License-Identifier: Apache-2.0 */
/* A capture that a guard refused, kept beside the branch until somebody accepts it or a later snapshot passes. */
#include "git_internal.h"

#include <string.h>

#include "util/mem.h"
#include "util/strbuf.h"
#include "util/text.h"

#define GIT_REFUSED "refs/rhaii-dr/refused/"

/* ---- keeping ---- */

static int write_commit(struct git_store *store, const struct git_refusal *refusal, const git_oid *head, git_oid *id, struct error *err)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	char parent[GIT_ID_SIZE];

	strbuf_addf(&text, "tree %s\nparent %s\n", refusal->tree, git_oid_tostr(parent, sizeof(parent), head));
	strbuf_addf(&text, "author " GIT_PERSON " %lld +0000\ncommitter " GIT_PERSON " %lld +0000\n\n%s", (long long)refusal->time,
		(long long)refusal->time, refusal->message);
	if (git_check_commit(&text, err) < 0)
		return -1;
	if (git_odb_write(id, store->odb, text.buf, text.len, GIT_OBJECT_COMMIT) < 0)
		return git_fail(err, ERR_FAILED, "cannot write to repository '%s'", store->dir);
	return git_sync_directories(store, "objects", err);
}

int git_refused_keep(struct git_store *store, const char *cluster, const struct git_refusal *refusal, struct error *err)
{
	auto_free char *ref = xasprintf(GIT_REFUSED "%s", cluster);
	git_oid head, old, id;
	int found;

	if (git_store_lock(store, err) < 0)
		return -1;
	found = git_head(store, cluster, &head, err);
	if (found <= 0)
		return found < 0 ? -1 : error_set(err, ERR_FAILED, "no branch of cluster '%s' to keep a refused capture beside", cluster);
	found = git_find_ref(store, ref, &old, err);
	if (found < 0 || write_commit(store, refusal, &head, &id, err) < 0)
		return -1;
	return git_move_ref(store, ref, found ? &old : NULL, &id, err);
}

/* ---- accepting ---- */

/* An id is the start of a tree's: of at least as many digits as we print. */
static bool is_id_of(const char *id, const char *tree)
{
	size_t len = strlen(id);

	return len >= GIT_REFUSED_DIGITS && len < GIT_ID_SIZE && strncmp(id, tree, len) == 0;
}

static int check_id(const struct git_commit *commit, const char *id, const char *cluster, struct error *err)
{
	auto_strbuf struct strbuf shown = STRBUF_INIT;

	if (is_id_of(id, commit->tree))
		return 0;
	text_escape(&shown, id, strlen(id), 50);
	(void)error_set(err, ERR_GUARD, "the refused capture of cluster '%s' is %.*s, not '%s'", cluster, GIT_REFUSED_DIGITS, commit->tree,
		shown.buf);
	return error_hint(err, "look at it ('git diff clusters/%s refs/rhaii-dr/refused/%s'), then accept that one", cluster, cluster);
}

static int check_parent(struct git_store *store, const struct git_commit *commit, const char *cluster, struct error *err)
{
	char hex[GIT_ID_SIZE] = "";
	git_oid head;
	int found = git_head(store, cluster, &head, err);

	if (found < 0)
		return -1;
	if (found && strcmp(git_oid_tostr(hex, sizeof(hex), &head), commit->parent) == 0)
		return 0;
	(void)error_set(err, ERR_GUARD, "the branch of cluster '%s' has moved since capture %.*s was refused", cluster, GIT_REFUSED_DIGITS,
		commit->tree);
	return error_hint(err, "take a new snapshot");
}

int git_refused_find(struct git_store *store, const char *cluster, const char *id, struct git_commit *out, struct error *err)
{
	auto_free char *ref = xasprintf(GIT_REFUSED "%s", cluster);
	char hex[GIT_ID_SIZE];
	git_oid kept;
	int found;

	*out = (struct git_commit){0};
	found = git_find_ref(store, ref, &kept, err);
	if (found < 0)
		return -1;
	if (!found) {
		(void)error_set(err, ERR_GUARD, "no refused capture of cluster '%s' is kept", cluster);
		return error_hint(err, "a snapshot that a guard refuses says which id to accept");
	}
	if (git_read_commit(store, git_oid_tostr(hex, sizeof(hex), &kept), out, err) < 0)
		return error_wrap(err, "'%s'", ref);
	if (check_id(out, id, cluster, err) == 0 && check_parent(store, out, cluster, err) == 0)
		return 0;
	git_commit_release(out);
	return -1;
}

int git_refused_accept(struct git_store *store, const char *cluster, const struct git_commit *commit, struct error *err)
{
	auto_free char *branch = xasprintf(GIT_BRANCHES "%s", cluster);
	git_oid from, to;

	if (git_store_lock(store, err) < 0 || git_parse_id(&from, commit->parent, err) < 0 || git_parse_id(&to, commit->id, err) < 0)
		return -1;
	return git_move_ref(store, branch, &from, &to, err);
}

int git_refused_forget(struct git_store *store, const char *cluster, struct error *err)
{
	auto_free char *ref = xasprintf(GIT_REFUSED "%s", cluster);
	git_oid old;
	int found = git_find_ref(store, ref, &old, err);

	if (found <= 0)
		return found;
	/* Moved to where it is: that clears the lock of a writer that was killed. Removing locks the packed refs besides. */
	if (git_store_lock(store, err) < 0 || git_move_ref(store, ref, &old, &old, err) < 0 ||
		git_clear_stale_lock(store, "packed-refs", err) < 0)
		return -1;
	if (git_reference_remove(store->repo, ref) < 0)
		return git_fail(err, ERR_FAILED, "cannot remove '%s'", ref);
	/* Comes back after a crash, at worst: its parent is not the head then. */
	return git_sync_directories(store, "refs", err);
}
