/* SPDX-License-Identifier: Apache-2.0 */
#include "git_internal.h"

#include <stdlib.h>
#include <string.h>

#include "store/tree.h"
#include "tree_build.h"
#include "util/clock.h"
#include "util/hash.h"
#include "util/mem.h"
#include "util/strbuf.h"
#include "util/table.h"
#include "util/text.h"

/* Of each file, by path. */
struct file {
	git_oid id;
	unsigned char sha256[HASH_RAW_SIZE];
};

struct git_write {
	struct git_store *store;
	char *cluster;
	bool has_head;
	git_oid head, head_tree;
	bool has_step;
	git_oid step;              /* on the head, the commit follows it */
	struct git_ids head_blobs; /* as far as its tree can be walked */
	struct table files;
	uint32_t *order; /* of the files, once they are finished */
	size_t last_len; /* of the file added last */
	unsigned long long bytes;
	struct git_sink *sink;
	char *remark;
	bool finished;
	bool failed; /* what has failed once is not committed */
	git_oid tree;
};

/* ---- begin ---- */

static int read_head(struct git_write *w, struct error *err)
{
	char hex[GIT_ID_SIZE];
	struct git_commit commit;
	int found = git_head(w->store, w->cluster, &w->head, err);
	int rc;

	if (found <= 0)
		return found;
	git_oid_tostr(hex, sizeof(hex), &w->head);
	rc = git_read_commit(w->store, hex, &commit, err);
	if (rc == 0)
		rc = git_parse_id(&w->head_tree, commit.tree, err);
	git_commit_release(&commit);
	w->has_head = rc == 0;
	return rc < 0 ? error_wrap(err, "the branch of cluster '%s'", w->cluster) : 0;
}

static int note_blob(const char *path, const git_oid *id, void *arg, struct error *err)
{
	(void)path;
	(void)err;
	(void)git_ids_add(arg, id);
	return 0;
}

/* What is not noted, because the walk came to no end, is read back when it is reused, so that no damage passes. */
static void note_head_blobs(struct git_write *w)
{
	struct error ignored = ERROR_INIT;

	if (w->has_head)
		(void)git_walk(w->store, &w->head_tree, note_blob, &w->head_blobs, &ignored);
}

/* Of a writer that was killed: an unchanged run would not come upon it, and other gits would be kept off the branch. */
static int clear_branch_lock(struct git_store *store, const char *cluster, struct error *err)
{
	auto_free char *branch = xasprintf(GIT_BRANCHES "%s", cluster);

	return git_clear_stale_lock(store, branch, err);
}

int git_write_begin(struct git_write **out, struct git_store *store, const char *cluster, struct error *err)
{
	struct git_write *w;

	*out = NULL;
	if (git_check_cluster(cluster, err) < 0 || git_store_lock(store, err) < 0 || clear_branch_lock(store, cluster, err) < 0)
		return -1;
	w = xcalloc(1, sizeof(*w));
	w->store = store;
	w->cluster = xstrdup(cluster);
	w->files = (struct table)TABLE_INIT(sizeof(struct file));
	if (read_head(w, err) < 0) {
		git_write_free(w);
		return -1;
	}
	note_head_blobs(w);
	w->sink = git_sink_new(store, &w->head_blobs);
	*out = w;
	return 0;
}

void git_write_free(struct git_write *w)
{
	if (!w)
		return;
	git_sink_free(w->sink);
	table_release(&w->files);
	free(w->order);
	git_ids_release(&w->head_blobs);
	free(w->cluster);
	free(w->remark);
	free(w);
}

/* ---- files ---- */

static int sticky(struct git_write *w, int rc)
{
	w->failed = w->failed || rc < 0;
	return rc;
}

static int check_usable(const struct git_write *w, bool finished, struct error *err)
{
	if (w->failed)
		return error_set(err, ERR_FAILED, "an earlier write to the repository has failed");
	if (w->finished != finished)
		return error_set(err, ERR_FAILED, "the transaction is %s", finished ? "not finished" : "finished already");
	return 0;
}

/* What a reader would refuse is not written. */
static int check_file(const struct git_write *w, const char *path, size_t len, struct error *err)
{
	if (check_usable(w, false, err) < 0 || tree_check_path(path, err) < 0)
		return -1;
	if (len > TREE_FILE_MAX)
		return error_set(err, ERR_FAILED, "'%s' is larger than %u bytes", path, TREE_FILE_MAX);
	if (w->files.count >= TREE_COUNT_MAX || w->bytes + tree_cost(path, len) > TREE_TOTAL_MAX)
		return error_set(err, ERR_FAILED, "more than %u files or %llu bytes", TREE_COUNT_MAX, TREE_TOTAL_MAX);
	return 0;
}

/* Whoever adds it fills it. NULL: it is there already. Nothing is damaged then: this is what we were given. */
static struct file *add_file(struct git_write *w, const char *path, size_t len, struct error *err)
{
	bool added;
	uint32_t at = table_add(&w->files, path, &added);

	if (!added) {
		(void)error_set(err, ERR_FAILED, "'%s' is there twice: the server listed one object twice", path);
		return NULL;
	}
	w->bytes += tree_cost(path, len);
	w->last_len = len;
	return table_value(&w->files, at);
}

static int write_file(struct git_write *w, const char *path, const void *data, size_t len, struct error *err)
{
	struct file *file;

	if (check_file(w, path, len, err) < 0)
		return -1;
	file = add_file(w, path, len, err);
	if (!file)
		return -1;
	if (git_sink_add(w->sink, GIT_OBJECT_BLOB, data, len, &file->id, err) < 0)
		return error_wrap(err, "'%s'", path);
	hash_sha256_raw(data, len, file->sha256);
	return 0;
}

int git_write_file(struct git_write *w, const char *path, const void *data, size_t len, struct error *err)
{
	return sticky(w, write_file(w, path, data, len, err));
}

void git_write_last(const struct git_write *w, struct git_file *out)
{
	const struct file *last = table_value(&w->files, w->files.count - 1);

	git_oid_tostr(out->id, sizeof(out->id), &last->id);
	hash_hex(last->sha256, HASH_RAW_SIZE, out->sha256);
	out->len = w->last_len;
}

static int reuse_file(struct git_write *w, const char *path, const struct git_file *known, struct error *err)
{
	struct file read, *file;
	int there;

	if (check_file(w, path, known->len, err) < 0)
		return -1;
	if (git_oid_fromstr(&read.id, known->id) < 0 || !hash_from_hex(known->sha256, read.sha256, HASH_RAW_SIZE))
		return 0;
	there = git_sink_reuse(w->sink, GIT_OBJECT_BLOB, &read.id, err);
	if (there <= 0)
		return there < 0 ? error_wrap(err, "'%s'", path) : 0;
	file = add_file(w, path, known->len, err);
	if (!file)
		return -1;
	*file = read;
	return 1;
}

int git_write_reuse(struct git_write *w, const char *path, const struct git_file *file, struct error *err)
{
	return sticky(w, reuse_file(w, path, file, err));
}

/* ---- finish ---- */

/* The file that is number i in the order of paths, its path in path. */
static const struct file *file_at(const struct git_write *w, size_t i, struct strbuf *path)
{
	table_key(&w->files, w->order[i], path);
	return table_value(&w->files, w->order[i]);
}

/* Append the line of the manifest. */
static void manifest_line(const struct git_write *w, size_t i, struct strbuf *path, struct strbuf *line)
{
	const struct file *file = file_at(w, i, path);
	char hex[HASH_HEX_SIZE];

	hash_hex(file->sha256, HASH_RAW_SIZE, hex);
	tree_manifest_line(hex, path->buf, line);
}

static void sum_manifest(const struct git_write *w, char sum[HASH_HEX_SIZE])
{
	auto_strbuf struct strbuf path = STRBUF_INIT, line = STRBUF_INIT;
	struct hash *hash = hash_new(0);

	for (size_t i = 0; i < w->files.count; i++) {
		strbuf_truncate(&line, 0);
		manifest_line(w, i, &path, &line);
		hash_update(hash, line.buf, line.len);
	}
	hash_final(hash, sum);
}

void git_write_manifest(const struct git_write *w, struct strbuf *out)
{
	auto_strbuf struct strbuf path = STRBUF_INIT;

	for (size_t i = 0; i < w->files.count; i++)
		manifest_line(w, i, &path, out);
}

static int store_folder(const void *data, size_t len, unsigned char id[TREE_ID_RAW], void *arg, struct error *err)
{
	struct git_write *w = arg;
	git_oid oid;

	if (git_sink_add(w->sink, GIT_OBJECT_TREE, data, len, &oid, err) < 0)
		return -1;
	memcpy(id, oid.id, TREE_ID_RAW);
	return 0;
}

static int build_trees(struct git_write *w, struct tree_builder *builder, struct error *err)
{
	auto_strbuf struct strbuf path = STRBUF_INIT;

	for (size_t i = 0; i < w->files.count; i++) {
		const struct file *file = file_at(w, i, &path);

		if (tree_builder_add(builder, path.buf, file->id.id, err) < 0)
			return -1;
	}
	return tree_builder_finish(builder, w->tree.id, err);
}

static int store_trees(struct git_write *w, struct error *err)
{
	struct tree_builder *builder = tree_builder_new(store_folder, w);
	int rc = build_trees(w, builder, err);

	tree_builder_free(builder);
	return rc;
}

static int finish(struct git_write *w, struct error *err)
{
	if (check_usable(w, false, err) < 0)
		return -1;
	w->order = table_sorted(&w->files);
	if (store_trees(w, err) < 0 || git_sink_flush(w->sink, err) < 0)
		return -1;
	git_sink_free(w->sink);
	w->sink = NULL;
	git_ids_release(&w->head_blobs);
	w->finished = true;
	return 0;
}

int git_write_finish(struct git_write *w, char tree[GIT_ID_SIZE], char manifest_sha256[65], bool *unchanged, struct error *err)
{
	if (sticky(w, finish(w, err)) < 0)
		return -1;
	git_oid_tostr(tree, GIT_ID_SIZE, &w->tree);
	sum_manifest(w, manifest_sha256);
	*unchanged = w->has_head && git_oid_equal(&w->tree, &w->head_tree);
	return 0;
}

/* ---- changes ---- */

/* Load one side of a change; *out points to blob, which borrows from *object, or is NULL when there is no such side. */
static int load_side(struct git_store *store, const git_oid *id, git_odb_object **object, struct git_blob *blob,
	const struct git_blob **out, struct error *err)
{
	*out = NULL;
	if (!id)
		return 0;
	if (git_load(object, store, id, GIT_OBJECT_BLOB, TREE_FILE_MAX, err) < 0)
		return -1;
	blob->data = git_odb_object_data(*object);
	blob->len = git_odb_object_size(*object);
	*out = blob;
	return 0;
}

/* The files of the head, as the walk gives them, beside the new ones, which are sorted too. */
struct comparison {
	struct git_write *w;
	int (*fn)(const char *path, const struct git_blob *old, const struct git_blob *new_, void *arg);
	void *arg;
	size_t at;           /* the next of the new files */
	struct strbuf path;  /* of a new file */
	bool enough, failed; /* fn has ended it; a change could not be told */
};

/* old or new_ is NULL where there is none. */
static int report_change(struct comparison *c, const char *path, const git_oid *old, const git_oid *new_, struct error *err)
{
	auto_object git_odb_object *old_object = NULL, *new_object = NULL;
	struct git_blob blobs[2];
	const struct git_blob *before, *after;

	c->failed = true;
	if (load_side(c->w->store, old, &old_object, &blobs[0], &before, err) < 0)
		return error_wrap(err, "'%s'", path);
	if (load_side(c->w->store, new_, &new_object, &blobs[1], &after, err) < 0) {
		/* Not the head's fault, which a caller may pass over. */
		err->code = ERR_FAILED;
		return error_wrap(err, "'%s'", path);
	}
	c->failed = false;
	c->enough = c->fn(path, before, after, c->arg) != 0;
	return c->enough ? -1 : 0;
}

/* The new files that stand before path (NULL: all that are left), which the head has not. */
static int report_added(struct comparison *c, const char *path, struct error *err)
{
	for (; c->at < c->w->files.count; c->at++) {
		const struct file *file = file_at(c->w, c->at, &c->path);

		if (path && strcmp(c->path.buf, path) >= 0)
			return 0;
		if (report_change(c, c->path.buf, NULL, &file->id, err) < 0)
			return -1;
	}
	return 0;
}

static int compare_file(const char *path, const git_oid *id, void *arg, struct error *err)
{
	struct comparison *c = arg;
	const struct file *file;

	if (report_added(c, path, err) < 0)
		return -1;
	file = c->at < c->w->files.count && strcmp(c->path.buf, path) == 0 ? table_value(&c->w->files, c->w->order[c->at++]) : NULL;
	if (file && git_oid_equal(&file->id, id))
		return 0;
	return report_change(c, path, id, file ? &file->id : NULL, err);
}

int git_write_changes(struct git_write *w, int (*fn)(const char *path, const struct git_blob *old, const struct git_blob *new_, void *arg),
	void *arg, struct error *err)
{
	struct comparison c = {.w = w, .fn = fn, .arg = arg, .path = STRBUF_INIT};
	int rc = 0;

	if (check_usable(w, true, err) < 0)
		return -1;
	if (w->has_head)
		rc = git_walk(w->store, &w->head_tree, compare_file, &c, err);
	if (rc == 0)
		rc = report_added(&c, NULL, err);
	strbuf_release(&c.path);
	if (rc == 0 || c.enough)
		return rc == 0 ? 0 : 1;
	return error_wrap(err, c.failed ? "the changes of cluster '%s'" : "the last snapshot of cluster '%s'", w->cluster);
}

/* ---- commit ---- */

static int write_text(struct git_write *w, git_object_t type, const struct strbuf *text, git_oid *id, struct error *err)
{
	if (git_odb_write(id, w->store->odb, text->buf, text->len, type) < 0)
		return git_fail(err, ERR_FAILED, "cannot write to repository '%s'", w->store->dir);
	return git_sync_directories(w->store, "objects", err);
}

static void commit_text(const struct git_write *w, const char *message, time_t when, struct strbuf *out)
{
	char tree[GIT_ID_SIZE], parent[GIT_ID_SIZE];
	const git_oid *before = w->has_step ? &w->step : &w->head;
	size_t len = strlen(message);

	strbuf_addf(out, "tree %s\n", git_oid_tostr(tree, sizeof(tree), &w->tree));
	if (w->has_head)
		strbuf_addf(out, "parent %s\n", git_oid_tostr(parent, sizeof(parent), before));
	strbuf_addf(out, "author " GIT_PERSON " %lld +0000\ncommitter " GIT_PERSON " %lld +0000\n\n", (long long)when, (long long)when);
	strbuf_adds(out, message);
	if (len == 0 || message[len - 1] != '\n')
		strbuf_addc(out, '\n');
}

int git_check_commit(const struct strbuf *text, struct error *err)
{
	struct error ignored = ERROR_INIT;
	struct git_commit parsed;
	int rc;

	if (text->len > GIT_COMMIT_MAX)
		return error_set(
			err, ERR_FAILED, "a commit of %zu bytes, more than the %zu that can be read again", text->len, GIT_COMMIT_MAX);
	rc = git_commit_parse(text->buf, text->len, &parsed, &ignored);
	git_commit_release(&parsed);
	if (rc < 0 || !text_is_utf8(text->buf, text->len))
		return error_set(err, ERR_FAILED, "not a message or a time for a commit");
	return 0;
}

static int check_wet(const struct git_write *w, struct error *err)
{
	return w->store->memory ? error_set(err, ERR_FAILED, "a dry run writes nothing") : 0;
}

static int write_commit(struct git_write *w, const char *message, time_t when, git_oid *id, struct error *err)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;

	if (check_usable(w, true, err) < 0 || check_wet(w, err) < 0)
		return -1;
	commit_text(w, message, when, &text);
	return git_check_commit(&text, err) < 0 ? -1 : write_text(w, GIT_OBJECT_COMMIT, &text, id, err);
}

static int commit(struct git_write *w, const char *message, time_t when, git_oid *id, struct error *err)
{
	auto_free char *ref = xasprintf(GIT_BRANCHES "%s", w->cluster);

	if (write_commit(w, message, when, id, err) < 0)
		return -1;
	return git_move_ref(w->store, ref, w->has_head ? &w->head : NULL, id, err);
}

int git_write_step(struct git_write *w, const char *message, time_t time, char id[GIT_ID_SIZE], struct error *err)
{
	git_oid oid;

	if (sticky(w, write_commit(w, message, time, &oid, err)) < 0)
		return -1;
	git_oid_tostr(id, GIT_ID_SIZE, &oid);
	return 0;
}

int git_write_behind(struct git_write *w, const char *id, struct error *err)
{
	w->has_step = git_parse_id(&w->step, id, err) == 0;
	return sticky(w, w->has_step ? 0 : -1);
}

int git_write_commit(struct git_write *w, const char *message, time_t time, char id[GIT_ID_SIZE], struct error *err)
{
	git_oid oid;

	if (sticky(w, commit(w, message, time, &oid, err)) < 0)
		return -1;
	git_oid_tostr(id, GIT_ID_SIZE, &oid);
	w->has_head = true;
	w->has_step = false;
	w->head = oid;
	w->head_tree = w->tree;
	return 0;
}

/* ---- captured ---- */

/* What tells a tag of ours, behind the id of its commit. */
static char *tag_start(const struct git_write *w)
{
	return xasprintf("\ntype commit\ntag captured/%s\ntagger " GIT_PERSON " ", w->cluster);
}

static void tag_text(const struct git_write *w, time_t when, const char *resource_version, struct strbuf *out)
{
	char head[GIT_ID_SIZE], text[CLOCK_TEXT_SIZE];
	auto_free char *start = tag_start(w);

	strbuf_addf(out, "object %s%s%lld +0000\n\n", git_oid_tostr(head, sizeof(head), &w->head), start, (long long)when);
	strbuf_addf(out, "seen unchanged\n\nCaptured-At: %s\nResource-Version: ", clock_format(when, text));
	text_escape(out, resource_version, strlen(resource_version), 200);
	strbuf_addc(out, '\n');
	strbuf_adds(out, w->remark ? w->remark : "");
}

void git_write_remark(struct git_write *w, const char *trailers)
{
	free(w->remark);
	w->remark = xstrdup(trailers);
}

static int check_head(struct git_write *w, struct error *err)
{
	git_oid now;
	int found = git_head(w->store, w->cluster, &now, err);

	if (found < 0)
		return -1;
	if (found && w->has_head && git_oid_equal(&now, &w->head))
		return 0;
	return error_set(err, ERR_CONFLICT, "the branch of cluster '%s' has moved meanwhile", w->cluster);
}

static int replace_tag(struct git_write *w, const struct strbuf *text, struct error *err)
{
	auto_free char *ref = xasprintf(GIT_CAPTURED "%s", w->cluster), *start = tag_start(w);
	git_oid id, old;
	int rc = git_reference_name_to_id(&old, w->store->repo, ref);

	if (rc < 0 && rc != GIT_ENOTFOUND)
		return git_fail(err, ERR_INTEGRITY, "'%s' is damaged", ref);
	if (write_text(w, GIT_OBJECT_TAG, text, &id, err) < 0 || git_move_ref(w->store, ref, rc == 0 ? &old : NULL, &id, err) < 0)
		return -1;
	if (rc == 0 && !git_oid_equal(&old, &id))
		git_drop_tag(w->store, ref, &old, start);
	return 0;
}

static int mark_captured(struct git_write *w, time_t when, const char *resource_version, struct error *err)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;

	if (check_usable(w, true, err) < 0 || check_wet(w, err) < 0 || check_head(w, err) < 0)
		return -1;
	if (!git_oid_equal(&w->tree, &w->head_tree))
		return error_set(err, ERR_FAILED, "the state of cluster '%s' has changed: nothing to mark", w->cluster);
	tag_text(w, when, resource_version ? resource_version : "", &text);
	return replace_tag(w, &text, err);
}

int git_write_mark_captured(struct git_write *w, time_t time, const char *resource_version, struct error *err)
{
	return sticky(w, mark_captured(w, time, resource_version, err));
}
