/* SPDX-License-Identifier: Apache-2.0 */
#include "store/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "object/object.h"
#include "store/archive.h"
#include "store/stale.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/file.h"
#include "util/hash.h"
#include "util/json.h"
#include "util/strbuf.h"
#include "util/text.h"
#include "util/yaml.h"

#define SNAPSHOT_FILE "snapshot.yaml"
#define OBJECTS "objects/"

/* ---- which files differ, and whether that is accepted ---- */

static void name_edits(const struct strlist *edits, struct strbuf *out)
{
	for (size_t i = 0; i < edits->count && i < 3; i++)
		strbuf_addf(out, "%s'%s'", i ? ", " : "", edits->items[i]);
	if (edits->count > 3)
		strbuf_addf(out, " and %zu more", edits->count - 3);
}

static int judge_edits(const struct snapshot *s, bool accept, struct error *err)
{
	auto_strbuf struct strbuf names = STRBUF_INIT;

	if (s->edits.count == 0 || accept)
		return 0;
	name_edits(&s->edits, &names);
	(void)error_set(err, ERR_INTEGRITY, "changed since it was captured: %s", names.buf);
	return error_hint(err, "look at the changes; --accept-edits takes them as they are");
}

/* The Captured-At of a commit; 0 when it has none. */
static time_t captured_at(const struct git_commit *commit)
{
	struct error ignored = ERROR_INIT;
	time_t when;

	return commit->captured_at && clock_parse(commit->captured_at, &when, &ignored) == 0 ? when : 0;
}

/* What a commit says of its time, and of the kinds that are older. */
static void take_times(struct snapshot *s, const struct git_commit *commit)
{
	s->captured_at = captured_at(commit);
	json_decref(s->stale);
	s->stale = stale_read(&commit->stale);
}

/* ---- git ---- */

static void free_store(struct git_store **store)
{
	git_store_free(*store);
}
#define auto_store __attribute__((cleanup(free_store)))

/* One ancestor: 1 when a snapshot made it, and then the edits since are known; parent is the next to ask. */
static int try_ancestor(struct snapshot *s, struct git_store *store, const char *id, char parent[GIT_ID_SIZE], struct error *err)
{
	__attribute__((cleanup(tree_release))) struct tree tree = TREE_INIT;
	__attribute__((cleanup(git_commit_release))) struct git_commit commit = {0};
	auto_strbuf struct strbuf manifest = STRBUF_INIT;

	if (git_read_commit(store, id, &commit, err) < 0)
		return -1;
	memcpy(parent, commit.parent, GIT_ID_SIZE);
	if (!commit.manifest_sha256)
		return 0;
	if (git_read_tree(store, id, &tree, err) < 0)
		return -1;
	if (!git_commit_vouches(&commit, &tree))
		return 0;
	take_times(s, &commit);
	tree_manifest(&tree, &manifest);
	return tree_manifest_check(&s->tree, manifest.buf, manifest.len, &s->edits, err) < 0 ? -1 : 1;
}

/* Somebody committed by hand: what differs from the last commit that a snapshot made. */
static int find_edits(struct snapshot *s, struct git_store *store, const char *parent, struct error *err)
{
	char at[GIT_ID_SIZE], next[GIT_ID_SIZE];
	int found = 0;

	memcpy(at, parent, sizeof(at));
	while (*at && !found) {
		found = try_ancestor(s, store, at, next, err);
		if (found < 0)
			return error_wrap(err, "looking for the last true snapshot");
		memcpy(at, next, sizeof(at));
	}
	if (!found)
		strlist_add(&s->edits, "whole commit");
	return 0;
}

/* The head may have been seen unchanged after it was committed: then that look counts. */
static void take_last_look(struct snapshot *s, struct git_store *store, const char *cluster, const struct git_commit *commit)
{
	struct error ignored = ERROR_INIT;
	char head[GIT_ID_SIZE];
	auto_free char *name = NULL;
	time_t again;

	take_times(s, commit);
	if (git_store_cluster(store, cluster, &name, &ignored) < 0 || git_resolve(store, name, NULL, head, &ignored) < 0 ||
		strcmp(head, commit->id) != 0)
		return;
	again = git_captured_at(store, name);
	s->captured_at = again > s->captured_at ? again : s->captured_at;
	json_decref(s->stale);
	s->stale = stale_of(store, name, commit);
}

static int load_commit(struct snapshot *s, struct git_store *store, const struct snapshot_source *source, struct error *err)
{
	__attribute__((cleanup(git_commit_release))) struct git_commit commit = {0};

	if (git_read_commit(store, s->commit, &commit, err) < 0 || git_read_tree(store, s->commit, &s->tree, err) < 0)
		return -1;
	s->message = xstrdup(commit.message);
	s->verified = git_commit_vouches(&commit, &s->tree);
	if (s->verified) {
		take_last_look(s, store, source->cluster, &commit);
		return 0;
	}
	if (find_edits(s, store, commit.parent, err) < 0 || judge_edits(s, source->accept_edits, err) < 0)
		return -1;
	if (s->edits.count > 0 || source->accept_edits)
		return 0;
	(void)error_set(err, ERR_INTEGRITY, "commit %.12s was not made by a snapshot", s->commit);
	return error_hint(err, "its files are those of the snapshot before: name that one, or take this one with --accept-edits");
}

static int load_revision(struct snapshot *s, const struct snapshot_source *source, const char *revision, struct error *err)
{
	auto_store struct git_store *store = NULL;

	if (git_store_open(&store, source->repo, false, NULL, err) < 0 || git_resolve(store, source->cluster, revision, s->commit, err) < 0)
		return -1;
	return load_commit(s, store, source, err);
}

/* ---- archive ---- */

static int load_archive(struct snapshot *s, const char *path, struct error *err)
{
	__attribute__((cleanup(git_commit_release))) struct git_commit commit = {0};
	auto_strbuf struct strbuf raw = STRBUF_INIT;

	if (archive_read(path, &s->tree, &raw, err) < 0) {
		if (err->code == ERR_INTEGRITY)
			(void)error_hint(err, "fetch it again, or use another copy");
		return -1;
	}
	if (git_commit_parse(raw.buf, raw.len, &commit, err) < 0)
		return -1;
	memcpy(s->commit, commit.id, sizeof(s->commit));
	s->message = xstrdup(commit.message);
	take_times(s, &commit);
	s->verified = true;
	return 0;
}

/* ---- folder ---- */

struct folder {
	struct strbuf manifest, commit;
	bool has_manifest, has_commit;
};

static void folder_release(struct folder *folder)
{
	strbuf_release(&folder->manifest);
	strbuf_release(&folder->commit);
}

static int load_file(struct snapshot *s, struct folder *folder, const struct file_root *root, const char *path, struct error *err)
{
	auto_strbuf struct strbuf data = STRBUF_INIT;

	if (strcmp(path, TREE_MANIFEST) == 0) {
		folder->has_manifest = true;
		return file_root_read(root, path, TREE_MANIFEST_MAX, &folder->manifest, err);
	}
	if (strcmp(path, TREE_COMMIT) == 0) {
		folder->has_commit = true;
		return file_root_read(root, path, GIT_COMMIT_MAX, &folder->commit, err);
	}
	/* The name is checked before it is opened. */
	if (tree_check_path(path, err) < 0 || file_root_read(root, path, TREE_FILE_MAX, &data, err) < 0)
		return -1;
	return tree_add(&s->tree, path, data.buf, data.len, err);
}

static void free_root(struct file_root **root)
{
	file_root_free(*root);
}

static int load_files(struct snapshot *s, struct folder *folder, const char *path, struct error *err)
{
	static const char *const skip[] = {".git", NULL};
	__attribute__((cleanup(free_root))) struct file_root *root = NULL;
	auto_strlist struct strlist paths = STRLIST_INIT;

	if (file_root_open(&root, path, err) < 0 || file_root_walk(root, skip, &paths, err) < 0)
		return -1;
	for (size_t i = 0; i < paths.count; i++)
		if (load_file(s, folder, root, paths.items[i], err) < 0)
			return -1;
	return tree_sort(&s->tree, err);
}

/* Whether MANIFEST is the one that the commit vouches for, so that what differs from it differs from the commit. */
static bool is_manifest_of(const struct folder *folder, const struct git_commit *commit)
{
	char sum[HASH_HEX_SIZE];

	hash_sha256(folder->manifest.buf, folder->manifest.len, sum);
	return folder->has_manifest && commit->manifest_sha256 && strcmp(commit->manifest_sha256, sum) == 0;
}

/* COMMIT is of other files than these: those that MANIFEST names, or nobody knows which. */
static void deny(struct snapshot *s, const struct folder *folder, const struct git_commit *commit)
{
	if (s->edits.count > 0 && is_manifest_of(folder, commit))
		return;
	strlist_release(&s->edits);
	strlist_add(&s->edits, "whole folder");
}

/* COMMIT says when and which, but only of the files that it is about: those of its tree, and of its Manifest-SHA256. */
static int judge_commit(struct snapshot *s, const struct folder *folder, struct error *err)
{
	__attribute__((cleanup(git_commit_release))) struct git_commit commit = {0};
	char tree_id[GIT_ID_SIZE];

	if (!folder->has_commit)
		return 0;
	if (git_commit_parse(folder->commit.buf, folder->commit.len, &commit, err) < 0)
		return error_wrap(err, TREE_COMMIT);
	tree_git_id(&s->tree, "", tree_id);
	if (strcmp(tree_id, commit.tree) != 0 || !git_commit_vouches(&commit, &s->tree)) {
		deny(s, folder, &commit);
		return 0;
	}
	memcpy(s->commit, commit.id, sizeof(s->commit));
	s->message = xstrdup(commit.message);
	take_times(s, &commit);
	return 0;
}

static int load_folder(struct snapshot *s, const char *root, bool accept_edits, struct error *err)
{
	__attribute__((cleanup(folder_release))) struct folder folder = {.manifest = STRBUF_INIT, .commit = STRBUF_INIT};

	if (load_files(s, &folder, root, err) < 0)
		return -1;
	if (folder.has_manifest && tree_manifest_check(&s->tree, folder.manifest.buf, folder.manifest.len, &s->edits, err) < 0)
		return -1;
	if (judge_commit(s, &folder, err) < 0)
		return -1;
	s->verified = folder.has_manifest && s->edits.count == 0;
	return judge_edits(s, accept_edits, err);
}

/* ---- what is in it ---- */

/* Damage, whatever the reader calls it: the snapshot does not hold what it must. */
static int as_damage(struct error *err)
{
	err->code = ERR_INTEGRITY;
	return -1;
}

static json_t *read_yaml(const struct snapshot *s, const char *path, struct error *err)
{
	const struct tree_file *file = tree_find(&s->tree, path);
	json_t *value;

	if (!file) {
		(void)error_set(err, ERR_INTEGRITY, "no %s in it", path);
		return NULL;
	}
	value = yaml_read(file->data, file->len, err);
	if (!value) {
		(void)error_wrap(err, "%s", path);
		(void)as_damage(err);
	}
	return value;
}

static int check_format(const json_t *info, struct error *err)
{
	const json_t *format = json_at(info, "format", NULL);
	json_int_t version = json_is_integer(format) ? json_integer_value(format) : 0;

	if (version < 1)
		return error_set(err, ERR_INTEGRITY, SNAPSHOT_FILE ": no format version");
	if (version <= SNAPSHOT_FORMAT)
		return 0;
	(void)error_set(err, ERR_INTEGRITY, "format %" JSON_INTEGER_FORMAT " is newer than the %d that this program reads", version,
		SNAPSHOT_FORMAT);
	return error_hint(err, "use a rhaii-dr that reads format %" JSON_INTEGER_FORMAT, version);
}

static int read_info(struct snapshot *s, struct error *err)
{
	const char *name, *id;

	s->info = read_yaml(s, SNAPSHOT_FILE, err);
	if (!s->info || check_format(s->info, err) < 0)
		return -1;
	name = json_text_at(s->info, "cluster", "name", NULL);
	id = json_text_at(s->info, "cluster", "id", NULL);
	if (!name || !*name || !id || !*id)
		return error_set(err, ERR_INTEGRITY, SNAPSHOT_FILE ": no name or no id of the cluster");
	s->cluster = xstrdup(name);
	s->cluster_id = xstrdup(id);
	return 0;
}

static int read_others(struct snapshot *s, struct error *err)
{
	auto_json json_t *policy = read_yaml(s, "policy.yaml", err);

	if (!policy)
		return -1;
	s->requirements = read_yaml(s, "requirements.yaml", err);
	if (!s->requirements)
		return -1;
	s->generated = read_yaml(s, "generated.yaml", err);
	return s->generated ? 0 : -1;
}

/* Whether a person may have written it: it differs from what a snapshot made, or nothing tells what that was. */
static bool is_edited(const struct snapshot *s, const char *path)
{
	if (s->edits.count == 0)
		return !s->verified && !*s->commit;
	return strncmp(s->edits.items[0], "whole ", 6) == 0 || strlist_contains(&s->edits, path);
}

static int read_objects(struct snapshot *s, struct error *err)
{
	s->objects = xcalloc(s->tree.count, sizeof(struct object *));
	for (size_t i = 0; i < s->tree.count; i++) {
		const struct tree_file *file = &s->tree.files[i];

		if (strncmp(file->path, OBJECTS, strlen(OBJECTS)) != 0)
			continue;
		if (object_read(&s->objects[s->object_count], file->path, file->data, file->len, err) < 0)
			return as_damage(err);
		if (is_edited(s, file->path))
			json_settle_numbers(s->objects[s->object_count]->json);
		s->object_count++;
	}
	if (s->object_count)
		qsort(s->objects, s->object_count, sizeof(struct object *), object_compare);
	for (size_t i = 1; i < s->object_count; i++)
		if (object_same(s->objects[i - 1], s->objects[i]))
			return error_set(err, ERR_INTEGRITY, "%s '%s' is in it twice", s->objects[i]->kind, s->objects[i]->name);
	return 0;
}

/* ---- together ---- */

bool snapshot_is_path(const char *arg)
{
	static const char suffix[] = ".tar.zst";
	size_t len = strlen(arg), tail = sizeof(suffix) - 1;

	if (arg[0] == '/' || strncmp(arg, "./", 2) == 0 || strncmp(arg, "../", 3) == 0 || strcmp(arg, ".") == 0 || strcmp(arg, "..") == 0)
		return true;
	return len >= tail && strcmp(arg + len - tail, suffix) == 0;
}

static int load(struct snapshot *s, const struct snapshot_source *source, const char *arg, struct error *err)
{
	if (!arg || !snapshot_is_path(arg))
		return load_revision(s, source, arg, err);
	return file_is_directory(arg) ? load_folder(s, arg, source->accept_edits, err) : load_archive(s, arg, err);
}

int snapshot_open(struct snapshot **out, const struct snapshot_source *source, const char *arg, struct error *err)
{
	struct snapshot *s = xcalloc(1, sizeof(*s));
	auto_strbuf struct strbuf shown = STRBUF_INIT;

	*out = NULL;
	s->name = xstrdup(arg && *arg ? arg : "the last one");
	s->stale = json_array();
	if (load(s, source, arg, err) < 0 || read_info(s, err) < 0 || read_others(s, err) < 0 || read_objects(s, err) < 0) {
		text_escape(&shown, s->name, strlen(s->name), 200);
		snapshot_free(s);
		return error_wrap(err, "snapshot '%s'", shown.buf);
	}
	*out = s;
	return 0;
}

void snapshot_free(struct snapshot *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->object_count; i++)
		object_free(s->objects[i]);
	free(s->objects);
	json_decref(s->stale);
	json_decref(s->info);
	json_decref(s->requirements);
	json_decref(s->generated);
	strlist_release(&s->edits);
	tree_release(&s->tree);
	free(s->name);
	free(s->message);
	free(s->cluster);
	free(s->cluster_id);
	free(s);
}

static json_t *text_json(const char *text)
{
	auto_strbuf struct strbuf shown = STRBUF_INIT;

	text_escape(&shown, text, strlen(text), 0);
	return json_string(shown.buf);
}

json_t *snapshot_description(const struct snapshot *s)
{
	json_t *edits = json_array();
	char when[CLOCK_TEXT_SIZE];

	for (size_t i = 0; i < s->edits.count; i++)
		json_array_append_new(edits, text_json(s->edits.items[i]));
	return json_pack("{s:o, s:s, s:s, s:s?, s:s?, s:O, s:b, s:o}", "name", text_json(s->name), "cluster", s->cluster, "clusterId",
		s->cluster_id, "commit", *s->commit ? s->commit : NULL, "capturedAt",
		s->captured_at ? clock_format(s->captured_at, when) : NULL, "stale", s->stale, "verified", (int)s->verified, "edits",
		edits);
}
