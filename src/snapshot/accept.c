/* SPDX-License-Identifier: Apache-2.0 */
/* A refused capture becomes the branch head, and is told as the snapshot that it then is. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "snapshot/capture.h"
#include "store/archive.h"
#include "store/git.h"
#include "store/stale.h"
#include "store/tree.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/json.h"
#include "util/log.h"
#include "util/strbuf.h"
#include "util/yaml.h"

struct accepting {
	struct git_commit commit;
	struct tree before, after;
	json_t *info, *requirements, *generated;
	struct changes changes;
	char *archive;
	bool archive_made;
};

static void accepting_release(struct accepting *a)
{
	git_commit_release(&a->commit);
	tree_release(&a->before);
	tree_release(&a->after);
	json_decref(a->info);
	json_decref(a->requirements);
	json_decref(a->generated);
	json_decref(a->changes.list);
	free(a->archive);
}

/* ---- reading ---- */

static json_t *read_document(const struct tree *tree, const char *path, struct error *err)
{
	const struct tree_file *file = tree_find(tree, path);
	json_t *document = file ? yaml_read(file->data, file->len, err) : NULL;

	if (!file)
		(void)error_set(err, ERR_INTEGRITY, "the refused capture has no '%s'", path);
	else if (!document)
		(void)error_wrap(err, "the refused capture, '%s'", path);
	return document;
}

/* Whoever can write refs could have put anything there: only what a capture has made is accepted. */
static int check_manifest(const struct accepting *a, struct error *err)
{
	if (git_commit_vouches(&a->commit, &a->after))
		return 0;
	return error_set(err, ERR_INTEGRITY, "commit %.12s is not as a snapshot has made it", a->commit.id);
}

static int read_refused(struct accepting *a, struct git_store *store, const char *cluster, const char *id, struct error *err)
{
	if (git_refused_find(store, cluster, id, &a->commit, err) < 0 || git_read_tree(store, a->commit.id, &a->after, err) < 0 ||
		check_manifest(a, err) < 0 || !(a->info = read_document(&a->after, "snapshot.yaml", err)) ||
		!(a->requirements = read_document(&a->after, "requirements.yaml", err)) ||
		!(a->generated = read_document(&a->after, "generated.yaml", err)))
		return -1;
	return 0;
}

/* ---- what changes ---- */

static struct git_blob blob_of(const struct tree_file *file)
{
	return (struct git_blob){.data = file->data, .len = file->len};
}

static const struct tree_file *file_at(const struct tree *tree, size_t i)
{
	return i < tree->count ? &tree->files[i] : NULL;
}

/* One of them may be NULL, not both. */
static int file_order(const struct tree_file *old, const struct tree_file *new_)
{
	if (!old)
		return 1;
	return new_ ? strcmp(old->path, new_->path) : -1;
}

/* old or new_ is NULL where the file is not there, not both. */
static void add_change(struct accepting *a, const struct tree_file *old, const struct tree_file *new_)
{
	struct git_blob before = {0}, after = {0};
	const char *path = "";

	if (old && new_ && strcmp(old->sha256, new_->sha256) == 0)
		return;
	if (old) {
		before = blob_of(old);
		path = old->path;
	}
	if (new_) {
		after = blob_of(new_);
		path = new_->path;
	}
	(void)changes_add(path, old ? &before : NULL, new_ ? &after : NULL, &a->changes);
}

static void compare(struct accepting *a)
{
	const struct tree_file *old, *new_;
	size_t i = 0, j = 0;

	while ((void)(old = file_at(&a->before, i)), (void)(new_ = file_at(&a->after, j)), old || new_) {
		int order = file_order(old, new_);

		add_change(a, order <= 0 ? old : NULL, order >= 0 ? new_ : NULL);
		i += order <= 0;
		j += order >= 0;
	}
}

/* Only for words, as in a snapshot: a head that cannot be read whole must not stop what comes after it. */
static int read_before(struct accepting *a, struct git_store *store, struct error *err)
{
	a->changes.list = json_array();
	if (git_read_tree(store, a->commit.parent, &a->before, err) == 0) {
		compare(a);
		return 0;
	}
	if (err->code != ERR_INTEGRITY)
		return -1;
	log_warning("what changed cannot be told: %s", err->text);
	error_clear(err);
	return 0;
}

/* ---- the result ---- */

static size_t count_objects(const struct tree *tree)
{
	size_t count = 0;

	for (size_t i = 0; i < tree->count; i++)
		count += strncmp(tree->files[i].path, "objects/", 8) == 0;
	return count;
}

static void add_uncovered(json_t *result, const json_t *requirements)
{
	json_t *uncovered = json_array(), *requirement;
	size_t i, count = 0;

	json_array_foreach (requirements, i, requirement)
		uncovered_add(uncovered, &count, requirement);
	json_object_set_new(result, "uncovered", uncovered);
	json_object_set_new(result, "uncoveredCount", json_integer((json_int_t)count));
}

static json_t *accept_result(const struct accepting *a, const char *cluster)
{
	char when[CLOCK_TEXT_SIZE];
	json_t *result = json_pack("{s:s, s:s, s:s, s:b, s:b, s:b, s:s, s:s?, s:b, s:I, s:I, s:i, s:I, s:I, s:I, s:s, s:[], s:[]}",
		"cluster", cluster, "commit", a->commit.id, "tree", a->commit.tree, "changed", 1, "first", 0, "dryRun", 0, "capturedAt",
		clock_format(a->commit.time, when), "archive", a->archive, "archiveMade", a->archive_made, "objects",
		(json_int_t)count_objects(&a->after), "generated", (json_int_t)json_array_size(json_object_get(a->generated, "objects")),
		"requests", 0, "added", (json_int_t)a->changes.added, "modified", (json_int_t)a->changes.changed, "removed",
		(json_int_t)a->changes.removed, "offsite", "none", "findings", "maintenance");

	json_object_set(result, "clusterId", json_at(a->info, "cluster", "id", NULL));
	json_object_set(result, "server", json_object_get(a->info, "serverVersion"));
	json_object_set(result, "kinds", json_object_get(a->info, "kinds"));
	json_object_set(result, "notServed", json_object_get(a->info, "notServed"));
	json_object_set(result, "changes", a->changes.list);
	json_object_set_new(result, "stale", stale_read(&a->commit.stale));
	json_object_set(result, "finalizers", json_object_get(a->requirements, "finalizers"));
	json_object_set(result, "orphans", json_object_get(a->generated, "orphans"));
	add_uncovered(result, json_object_get(a->requirements, "requirements"));
	return result;
}

int capture_accept(
	struct git_store *store, const char *cluster, const char *id, const char *archive_dir, json_t **result, struct error *err)
{
	__attribute__((cleanup(accepting_release))) struct accepting a = {.before = TREE_INIT, .after = TREE_INIT};
	struct archive_target target = {.cluster = cluster, .commit_id = a.commit.id, .dir = archive_dir};

	*result = NULL;
	if (git_store_lock(store, err) < 0 || read_refused(&a, store, cluster, id, err) < 0 || read_before(&a, store, err) < 0 ||
		git_refused_accept(store, cluster, &a.commit, err) < 0 || git_refused_forget(store, cluster, err) < 0)
		return -1;
	if (archive_dir && archive_make(store, &target, &a.archive, &a.archive_made, err) < 0)
		return error_wrap(err, "archive of commit %.12s, which is kept in the repository", a.commit.id);
	*result = accept_result(&a, cluster);
	return 0;
}
