/* SPDX-License-Identifier: Apache-2.0 */
#include "git_internal.h"

#include <stdint.h>
#include <string.h>

#include "store/tree.h"
#include "util/clock.h"
#include "util/mem.h"
#include "util/strbuf.h"
#include "util/text.h"

void git_release_object(git_odb_object **object)
{
	git_odb_object_free(*object);
}

/* ---- objects ---- */

static const char *hex_of(const git_oid *id, char hex[GIT_ID_SIZE])
{
	return git_oid_tostr(hex, GIT_ID_SIZE, id);
}

int git_load(git_odb_object **out, struct git_store *store, const git_oid *id, git_object_t type, size_t max, struct error *err)
{
	char hex[GIT_ID_SIZE];
	git_object_t found;
	size_t size;

	*out = NULL;
	/* The size first: what inflates to gigabytes is not to be tried. */
	if (git_odb_read_header(&size, &found, store->odb, id) < 0)
		return git_fail(err, ERR_INTEGRITY, "object %s is missing or damaged", hex_of(id, hex));
	if (found != type)
		return error_set(err, ERR_INTEGRITY, "object %s is a %s, not a %s", hex_of(id, hex), git_object_type2string(found),
			git_object_type2string(type));
	if (size > max)
		return error_set(err, ERR_INTEGRITY, "object %s is larger than %zu bytes", hex_of(id, hex), max);
	if (git_odb_read(out, store->odb, id) < 0)
		return git_fail(err, ERR_INTEGRITY, "object %s is damaged", hex_of(id, hex));
	/* Header and body of one object are two reads; only the second is verified. */
	if (git_odb_object_type(*out) != type || git_odb_object_size(*out) != size) {
		git_odb_object_free(*out);
		*out = NULL;
		return error_set(err, ERR_INTEGRITY, "object %s is damaged", hex_of(id, hex));
	}
	return 0;
}

int git_parse_id(git_oid *out, const char *id, struct error *err)
{
	if (strlen(id) == GIT_ID_SIZE - 1 && git_oid_fromstr(out, id) == 0)
		return 0;
	return error_set(err, ERR_USAGE, "not the id of a commit");
}

int git_find_ref(struct git_store *store, const char *name, git_oid *id, struct error *err)
{
	int rc = store->repo ? git_reference_name_to_id(id, store->repo, name) : GIT_ENOTFOUND;

	if (rc == GIT_ENOTFOUND)
		return 0;
	return rc < 0 ? git_fail(err, ERR_INTEGRITY, "'%s' is damaged", name) : 1;
}

int git_head(struct git_store *store, const char *cluster, git_oid *id, struct error *err)
{
	auto_free char *name = xasprintf(GIT_BRANCHES "%s", cluster);

	return git_find_ref(store, name, id, err);
}

/* ---- commits ---- */

int git_read_commit_raw(struct git_store *store, const char *id, char **out, size_t *len, struct error *err)
{
	auto_object git_odb_object *object = NULL;
	git_oid oid;

	*out = NULL;
	if (git_parse_id(&oid, id, err) < 0 || git_load(&object, store, &oid, GIT_OBJECT_COMMIT, GIT_COMMIT_MAX, err) < 0)
		return -1;
	*len = git_odb_object_size(object);
	*out = xmalloc(*len + 1);
	memcpy(*out, git_odb_object_data(object), *len);
	(*out)[*len] = '\0';
	return 0;
}

int git_read_commit(struct git_store *store, const char *id, struct git_commit *out, struct error *err)
{
	auto_free char *raw = NULL;
	size_t len;

	*out = (struct git_commit){0};
	if (git_read_commit_raw(store, id, &raw, &len, err) < 0)
		return -1;
	return git_commit_parse(raw, len, out, err) < 0 ? error_wrap(err, "commit %s", id) : 0;
}

int git_log(
	struct git_store *store, const char *cluster, int (*fn)(const struct git_commit *commit, void *arg), void *arg, struct error *err)
{
	char id[GIT_ID_SIZE];
	int stop = 0;

	if (git_resolve(store, cluster, NULL, id, err) < 0)
		return -1;
	while (!stop && *id) {
		struct git_commit commit;

		if (git_read_commit(store, id, &commit, err) < 0)
			return -1;
		stop = fn(&commit, arg);
		memcpy(id, commit.parent, GIT_ID_SIZE);
		git_commit_release(&commit);
	}
	return 0;
}

/* ---- trees ---- */

struct cursor {
	const char *at, *end;
	const char *name; /* of the entry at hand; ends in a NUL */
	bool folder;
	git_oid id;
};

static void cursor_init(struct cursor *cursor, git_odb_object *tree)
{
	cursor->at = git_odb_object_data(tree);
	cursor->end = cursor->at + git_odb_object_size(tree);
}

/* "<mode> <name>\0<20 bytes>": 1, 0 at the end, -1 when that is not what is there. */
static int cursor_next(struct cursor *cursor, bool *known_mode)
{
	size_t left = (size_t)(cursor->end - cursor->at);
	const char *nul = left ? memchr(cursor->at, '\0', left) : NULL;
	const char *space;

	if (left == 0)
		return 0;
	if (!nul || cursor->end - nul <= GIT_OID_RAWSZ)
		return -1;
	space = strchr(cursor->at, ' ');
	if (!space || git_oid_fromraw(&cursor->id, (const unsigned char *)nul + 1) < 0)
		return -1;
	cursor->folder = strncmp(cursor->at, "40000 ", 6) == 0;
	*known_mode = cursor->folder || strncmp(cursor->at, "100644 ", 7) == 0;
	cursor->name = space + 1;
	/* A name with a slash in it would be another file for git than for us. */
	if (!*cursor->name || strchr(cursor->name, '/'))
		return -1;
	cursor->at = nul + 1 + GIT_OID_RAWSZ;
	return 1;
}

struct walk {
	struct git_store *store;
	git_walk_fn fn;
	void *arg;
	struct error *err;
	struct strbuf path; /* of the entry at hand */
	struct strbuf last; /* the file before it */
	size_t count;
};

static int walk_refuse(struct walk *walk, const char *what)
{
	auto_strbuf struct strbuf shown = STRBUF_INIT;

	text_escape(&shown, walk->path.buf, walk->path.len, 200);
	return error_set(walk->err, ERR_INTEGRITY, "%s: '%s'", what, shown.buf);
}

static int walk_file(struct walk *walk, const git_oid *id)
{
	if (tree_check_path(walk->path.buf, walk->err) < 0)
		return -1;
	/* Out of order or twice: other readers of the tree would see other files. */
	if (walk->count++ > 0 && strcmp(walk->last.buf, walk->path.buf) >= 0)
		return walk_refuse(walk, "a git tree that is not sorted");
	if (walk->count > TREE_COUNT_MAX)
		return walk_refuse(walk, "too many files");
	strbuf_truncate(&walk->last, 0);
	strbuf_add(&walk->last, walk->path.buf, walk->path.len);
	return walk->fn(walk->path.buf, id, walk->arg, walk->err);
}

static int walk_folder(struct walk *walk, const git_oid *id, unsigned depth);

static int walk_entry(struct walk *walk, const struct cursor *cursor, bool known_mode, unsigned depth)
{
	size_t len = walk->path.len;
	int rc;

	strbuf_adds(&walk->path, cursor->name);
	if (!known_mode)
		return walk_refuse(walk, "neither a plain file nor a folder");
	if (cursor->folder && depth + 1 >= TREE_DEPTH_MAX)
		return walk_refuse(walk, "folders too deep");
	if (cursor->folder)
		strbuf_addc(&walk->path, '/');
	rc = cursor->folder ? walk_folder(walk, &cursor->id, depth + 1) : walk_file(walk, &cursor->id);
	strbuf_truncate(&walk->path, len);
	return rc;
}

static int walk_folder(struct walk *walk, const git_oid *id, unsigned depth)
{
	auto_object git_odb_object *tree = NULL;
	struct cursor cursor;
	bool known_mode;
	int rc;

	if (git_load(&tree, walk->store, id, GIT_OBJECT_TREE, GIT_TREE_MAX, walk->err) < 0)
		return depth ? error_wrap(walk->err, "folder '%s'", walk->path.buf) : -1;
	cursor_init(&cursor, tree);
	if (depth && cursor.at == cursor.end)
		return walk_refuse(walk, "an empty folder");
	while ((rc = cursor_next(&cursor, &known_mode)) > 0)
		if (walk_entry(walk, &cursor, known_mode, depth) < 0)
			return -1;
	return rc < 0 ? walk_refuse(walk, "a damaged git tree") : 0;
}

int git_walk(struct git_store *store, const git_oid *tree, git_walk_fn fn, void *arg, struct error *err)
{
	struct walk walk = {.store = store, .fn = fn, .arg = arg, .err = err, .path = STRBUF_INIT, .last = STRBUF_INIT};
	int rc = walk_folder(&walk, tree, 0);

	strbuf_release(&walk.path);
	strbuf_release(&walk.last);
	return rc;
}

/* ---- whole trees, single files ---- */

static int tree_of_commit(struct git_store *store, const char *commit_id, git_oid *tree, struct error *err)
{
	struct git_commit commit;
	int rc = git_read_commit(store, commit_id, &commit, err);

	if (rc == 0)
		rc = git_parse_id(tree, commit.tree, err);
	git_commit_release(&commit);
	return rc;
}

struct each {
	struct git_store *store;
	git_lend_fn lend; /* NULL: nothing is lent */
	git_file_fn fn;
	void *arg;
	bool verified;
	unsigned long long bytes;
};

/* An option of the library, not of a call: on again behind each object, so that no other is read without. */
static int load_unverified(git_odb_object **out, struct git_store *store, const git_oid *id, struct error *err)
{
	int rc;

	(void)git_libgit2_opts(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, 0);
	rc = git_load(out, store, id, GIT_OBJECT_BLOB, TREE_FILE_MAX, err);
	(void)git_libgit2_opts(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, 1);
	return rc;
}

static int take_file(struct each *each, const char *path, const struct git_blob *blob, struct error *err)
{
	each->bytes += tree_cost(path, blob->len);
	if (each->bytes > TREE_TOTAL_MAX)
		return error_set(err, ERR_INTEGRITY, "more than %llu bytes", TREE_TOTAL_MAX);
	return each->fn(path, blob, each->arg, err);
}

static int load_file(const char *path, const git_oid *id, void *arg, struct error *err)
{
	struct each *each = arg;
	auto_object git_odb_object *object = NULL;
	struct git_blob blob;

	if (each->lend && each->lend(path, &blob, each->arg))
		return take_file(each, path, &blob, err);
	if ((each->verified ? git_load(&object, each->store, id, GIT_OBJECT_BLOB, TREE_FILE_MAX, err)
			    : load_unverified(&object, each->store, id, err)) < 0)
		return error_wrap(err, "'%s'", path);
	blob = (struct git_blob){.data = git_odb_object_data(object), .len = git_odb_object_size(object)};
	return take_file(each, path, &blob, err);
}

static int each_file(struct each *each, const char *commit_id, struct error *err)
{
	git_oid tree;

	return tree_of_commit(each->store, commit_id, &tree, err) < 0 ? -1 : git_walk(each->store, &tree, load_file, each, err);
}

int git_each_file(struct git_store *store, const char *commit_id, git_file_fn fn, void *arg, struct error *err)
{
	return git_each_file_lent(store, commit_id, NULL, fn, arg, err);
}

int git_each_file_lent(struct git_store *store, const char *commit_id, git_lend_fn lend, git_file_fn fn, void *arg, struct error *err)
{
	struct each each = {.store = store, .lend = lend, .fn = fn, .arg = arg};

	return each_file(&each, commit_id, err);
}

static int collect_file(const char *path, const struct git_blob *blob, void *arg, struct error *err)
{
	return tree_add(arg, path, blob->data, blob->len, err);
}

int git_read_tree(struct git_store *store, const char *commit_id, struct tree *out, struct error *err)
{
	struct each each = {.store = store, .fn = collect_file, .arg = out, .verified = true};

	if (each_file(&each, commit_id, err) < 0 || tree_sort(out, err) < 0)
		return error_wrap(err, "commit %.12s", commit_id);
	return 0;
}

/* Replace *id, of a tree, by that of its entry with this name. */
static int descend(struct git_store *store, git_oid *id, const char *name, size_t len, bool folder, struct error *err)
{
	auto_object git_odb_object *tree = NULL;
	struct cursor cursor;
	bool known_mode;
	int rc;

	if (git_load(&tree, store, id, GIT_OBJECT_TREE, GIT_TREE_MAX, err) < 0)
		return -1;
	cursor_init(&cursor, tree);
	while ((rc = cursor_next(&cursor, &known_mode)) > 0) {
		if (strlen(cursor.name) != len || memcmp(cursor.name, name, len) != 0)
			continue;
		if (!known_mode)
			return error_set(err, ERR_INTEGRITY, "neither a plain file nor a folder: '%.*s'", (int)len, name);
		if (cursor.folder != folder)
			break;
		git_oid_cpy(id, &cursor.id);
		return 0;
	}
	if (rc < 0)
		return error_set(err, ERR_INTEGRITY, "a damaged git tree");
	return error_set(err, ERR_NOT_FOUND, "no such file in the snapshot");
}

static int find_blob(struct git_store *store, const char *commit_id, const char *path, git_oid *id, struct error *err)
{
	if (tree_check_path(path, err) < 0 || tree_of_commit(store, commit_id, id, err) < 0)
		return -1;
	for (;;) {
		size_t len = strcspn(path, "/");
		bool folder = path[len] != '\0';

		if (descend(store, id, path, len, folder, err) < 0)
			return -1;
		if (!folder)
			return 0;
		path += len + 1;
	}
}

int git_read_file(struct git_store *store, const char *commit_id, const char *path, struct strbuf *out, struct error *err)
{
	auto_object git_odb_object *blob = NULL;
	git_oid id;

	if (find_blob(store, commit_id, path, &id, err) < 0 || git_load(&blob, store, &id, GIT_OBJECT_BLOB, TREE_FILE_MAX, err) < 0)
		return error_wrap(err, "commit %.12s, '%s'", commit_id, path);
	strbuf_add(out, git_odb_object_data(blob), git_odb_object_size(blob));
	return 0;
}

/* ---- the captured tag ---- */

/* The values of all such lines of the tag, when the tag is of this commit. */
static void captured_lines(const char *text, const git_oid *head, const char *key, struct strlist *out)
{
	auto_free char *line = xasprintf("\n%s: ", key);
	char hex[GIT_ID_SIZE];

	if (strncmp(text, "object ", 7) != 0 || strncmp(text + 7, hex_of(head, hex), GIT_ID_SIZE - 1) != 0)
		return;
	for (const char *at = text; (at = strstr(at, line));) {
		auto_free char *value = NULL;

		at += strlen(line);
		value = xstrndup(at, strcspn(at, "\n"));
		strlist_add(out, value);
	}
}

void git_captured_trailers(struct git_store *store, const char *cluster, const char *key, struct strlist *out)
{
	auto_free char *name = xasprintf(GIT_CAPTURED "%s", cluster);
	auto_object git_odb_object *tag = NULL;
	auto_free char *text = NULL;
	struct error ignored = ERROR_INIT;
	git_oid id, head;

	if (git_head(store, cluster, &head, &ignored) <= 0 || git_reference_name_to_id(&id, store->repo, name) < 0 ||
		git_load(&tag, store, &id, GIT_OBJECT_TAG, GIT_TAG_MAX, &ignored) < 0)
		return;
	text = xstrndup(git_odb_object_data(tag), git_odb_object_size(tag));
	captured_lines(text, &head, key, out);
}

char *git_captured_trailer(struct git_store *store, const char *cluster, const char *key)
{
	auto_strlist struct strlist values = STRLIST_INIT;

	git_captured_trailers(store, cluster, key, &values);
	return values.count == 1 ? xstrdup(values.items[0]) : NULL;
}

time_t git_captured_at(struct git_store *store, const char *cluster)
{
	auto_free char *value = git_captured_trailer(store, cluster, "Captured-At");
	struct error ignored = ERROR_INIT;
	time_t when;

	return value && clock_parse(value, &when, &ignored) == 0 ? when : 0;
}
