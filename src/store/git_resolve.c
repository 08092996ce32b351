/* SPDX-License-Identifier: Apache-2.0 */
/* Which commit a revision means. The text comes from a user, or from whoever wrote the runbook: it is checked before libgit2 sees it. */
#include "git_internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "util/clock.h"
#include "util/mem.h"
#include "util/strbuf.h"
#include "util/text.h"

#define REVISION_MAX 512

static int not_found(const char *revision, struct error *err)
{
	auto_strbuf struct strbuf shown = STRBUF_INIT;

	text_escape(&shown, revision, strlen(revision), 100);
	(void)error_set(err, ERR_NOT_FOUND, "no snapshot '%s'", shown.buf);
	return error_hint(err, "see 'rhaii-dr list'");
}

/* ---- the branch ---- */

static int resolve_head(struct git_store *store, const char *cluster, git_oid *id, struct error *err)
{
	auto_free char *name = NULL;

	if (git_store_cluster(store, cluster, &name, err) < 0)
		return -1;
	return git_head(store, name, id, err) > 0 ? 0 : -1;
}

/* ---- @{TIME} ---- */

/* When the state of a commit was captured. A head that a person committed has no trailer of its own, but may have been seen unchanged since. */
static bool capture_time(struct git_store *store, const char *cluster, const struct git_commit *commit, bool head, time_t *when)
{
	struct error ignored = ERROR_INIT;

	if (commit->captured_at && clock_parse(commit->captured_at, when, &ignored) == 0)
		return true;
	*when = head ? git_captured_at(store, cluster) : 0;
	return *when != 0;
}

static int find_by_time(struct git_store *store, const char *cluster, git_oid *id, time_t when, struct error *err)
{
	char head[GIT_ID_SIZE], text[CLOCK_TEXT_SIZE], at[GIT_ID_SIZE];
	struct error ignored = ERROR_INIT;
	git_oid branch;
	time_t captured;

	git_oid_tostr(at, sizeof(at), id);
	*head = '\0';
	if (git_head(store, cluster, &branch, &ignored) > 0)
		git_oid_tostr(head, sizeof(head), &branch);
	while (*at) {
		struct git_commit commit;
		bool found;

		if (git_read_commit(store, at, &commit, err) < 0)
			return -1;
		found = capture_time(store, cluster, &commit, strcmp(at, head) == 0, &captured) && captured <= when;
		if (!found)
			memcpy(at, commit.parent, sizeof(at));
		git_commit_release(&commit);
		if (found)
			return git_parse_id(id, at, err);
	}
	(void)error_set(err, ERR_NOT_FOUND, "no snapshot of '%s' captured at or before %s", cluster, clock_format(when, text));
	return error_hint(err, "see 'rhaii-dr list'");
}

/* ---- what git rev-parse takes ---- */

static void release_any(git_object **object)
{
	git_object_free(*object);
}
#define auto_any __attribute__((cleanup(release_any)))

/* Printable, no spaces, none of the forms that libgit2 1.5 has looped on (CVE-2024-24575: a trailing '@'). */
static bool is_plausible(const char *revision)
{
	size_t len = strnlen(revision, REVISION_MAX + 1);

	if (len == 0 || len > REVISION_MAX || revision[len - 1] == '@' || revision[0] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isgraph((unsigned char)revision[i]))
			return false;
	return true;
}

static void release_ref(git_reference **ref)
{
	git_reference_free(*ref);
}

/* When the revision starts with the name of a ref, what that points at must be there and whole. */
static int check_start(struct git_store *store, const char *revision, struct error *err)
{
	__attribute__((cleanup(release_ref))) git_reference *ref = NULL;
	__attribute__((cleanup(release_ref))) git_reference *direct = NULL;
	auto_free char *base = xstrndup(revision, strcspn(revision, "~^:"));
	auto_object git_odb_object *object = NULL;

	if (git_reference_dwim(&ref, store->repo, base) < 0 || git_reference_resolve(&direct, ref) < 0)
		return 0;
	if (git_odb_read(&object, store->odb, git_reference_target(direct)) < 0)
		return git_fail(err, ERR_INTEGRITY, "what '%s' points at is missing or damaged", base);
	return 0;
}

/* Whether libgit2 failed on what it read, not on what it was asked. */
static bool is_damage(int rc)
{
	const git_error *last = git_error_last();

	if (rc == GIT_EMISMATCH)
		return true;
	if (rc != GIT_ERROR || !last)
		return false;
	return last->klass == GIT_ERROR_ODB || last->klass == GIT_ERROR_OBJECT || last->klass == GIT_ERROR_ZLIB ||
		last->klass == GIT_ERROR_OS || last->klass == GIT_ERROR_TREE || last->klass == GIT_ERROR_TAG;
}

/* Nothing was found: unknown, or there once. */
static int explain_missing(struct git_store *store, const char *revision, struct error *err)
{
	auto_free char *base = xstrndup(revision, strcspn(revision, "~^:"));
	const git_error *last = git_error_last();
	bool in_odb = last && last->klass == GIT_ERROR_ODB;
	auto_any git_object *start = NULL;

	if (*base && git_revparse_single(&start, store->repo, base) < 0)
		return not_found(revision, err);
	/* The name is fine, a step from it is not: beyond the first commit, or something is gone. */
	return in_odb ? error_set(err, ERR_INTEGRITY, "an object in the history of '%s' is missing", base) : not_found(revision, err);
}

static int explain(struct git_store *store, const char *revision, int rc, struct error *err)
{
	if (is_damage(rc))
		return git_fail(err, ERR_INTEGRITY, "the repository is damaged");
	if (rc == GIT_ENOTFOUND)
		return explain_missing(store, revision, err);
	/* Of fewer than four digits libgit2 says "ambiguous" without looking. */
	if (rc != GIT_EAMBIGUOUS || strcspn(revision, "~^:") < GIT_OID_MINPREFIXLEN)
		return not_found(revision, err);
	(void)git_fail(err, ERR_USAGE, "more than one object is meant");
	return error_hint(err, "give more digits of the id");
}

static int try_revision(struct git_store *store, const char *revision, git_oid *id)
{
	auto_any git_object *object = NULL;
	auto_any git_object *commit = NULL;
	int rc;

	git_error_clear();
	rc = git_revparse_single(&object, store->repo, revision);
	if (rc == 0)
		rc = git_object_peel(&commit, object, GIT_OBJECT_COMMIT);
	if (rc == 0)
		git_oid_cpy(id, git_object_id(commit));
	return rc;
}

static int resolve_one(struct git_store *store, const char *revision, git_oid *id, struct error *err)
{
	int rc;

	if (check_start(store, revision, err) < 0)
		return -1;
	rc = try_revision(store, revision, id);
	return rc == 0 ? 0 : explain(store, revision, rc, err);
}

/* The name of a cluster first: "cafe" must not mean an object that happens to start so. */
static int resolve_name(struct git_store *store, const char *revision, git_oid *id, struct error *err)
{
	auto_free char *branch = xasprintf(GIT_BRANCHES "%s", revision);
	struct error fault = ERROR_INIT;

	if (strcmp(revision, "@") == 0)
		revision = "HEAD";
	if (!store->repo || !is_plausible(revision))
		return not_found(revision, err);
	if (resolve_one(store, branch, id, &fault) == 0)
		return 0;
	if (fault.code == ERR_NOT_FOUND)
		return resolve_one(store, revision, id, err);
	*err = fault;
	return -1;
}

/* ---- together ---- */

/* Cut "@{TIME}" off the end of revision; 1 when there was one, 0 when not, -1 when it is no time. */
static int split_time(char *revision, time_t *when, struct error *err)
{
	char *at = strstr(revision, "@{");
	size_t len = strlen(revision);

	if (!at)
		return 0;
	if (revision[len - 1] == '}') {
		revision[len - 1] = '\0';
		*at = '\0';
		if (clock_parse(at + 2, when, err) == 0)
			return 1;
	}
	(void)error_set(err, ERR_USAGE, "no time in the revision");
	return error_hint(err, "the state at a time is '@{2026-11-20T14:00Z}'");
}

static int resolve_timed(struct git_store *store, const char *cluster, const char *base, time_t when, git_oid *id, struct error *err)
{
	auto_free char *name = NULL;

	if (git_store_cluster(store, cluster, &name, err) < 0)
		return -1;
	if ((*base ? resolve_name(store, base, id, err) : resolve_head(store, name, id, err)) < 0)
		return -1;
	return find_by_time(store, name, id, when, err);
}

int git_resolve(struct git_store *store, const char *cluster, const char *revision, char id[GIT_ID_SIZE], struct error *err)
{
	auto_free char *base = xstrdup(revision ? revision : "");
	auto_object git_odb_object *commit = NULL;
	time_t when = 0;
	git_oid oid;
	int timed = split_time(base, &when, err);
	int rc = timed;

	if (timed > 0)
		rc = resolve_timed(store, cluster, base, when, &oid, err);
	else if (timed == 0)
		rc = *base ? resolve_name(store, base, &oid, err) : resolve_head(store, cluster, &oid, err);
	if (rc < 0)
		return -1;
	if (git_load(&commit, store, &oid, GIT_OBJECT_COMMIT, GIT_COMMIT_MAX, err) < 0)
		return -1;
	git_oid_tostr(id, GIT_ID_SIZE, &oid);
	return 0;
}
