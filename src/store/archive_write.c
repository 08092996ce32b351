/* SPDX-License-Identifier: Apache-2.0 */
#include "store/archive.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "archive_pack.h"
#include "archive_stream.h"
#include "store/git.h"
#include "store/tree.h"
#include "tree_build.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/file.h"
#include "util/hash.h"
#include "util/mem.h"
#include "util/strbuf.h"

#define SIDECAR_MODE 0600
#define SIDECAR_MAX 8192

/* What goes into an archive, and where. */
struct content {
	struct git_commit commit;
	char *raw; /* the commit object */
	size_t raw_len;
	const struct strbuf *manifest; /* the caller's, or made */
	struct strbuf made;
};

/* ---- content ---- */

static void content_release(struct content *content)
{
	git_commit_release(&content->commit);
	free(content->raw);
	strbuf_release(&content->made);
}
#define auto_content __attribute__((cleanup(content_release)))

static bool is_manifest(const struct content *content, const struct strbuf *manifest)
{
	char sum[HASH_HEX_SIZE];

	hash_sha256(manifest->buf, manifest->len, sum);
	return content->commit.manifest_sha256 && strcmp(content->commit.manifest_sha256, sum) == 0;
}

static int add_sum(const char *path, const struct git_blob *blob, void *arg, struct error *err)
{
	char sum[HASH_HEX_SIZE];

	(void)err;
	hash_sha256(blob->data, blob->len, sum);
	tree_manifest_line(sum, path, arg);
	return 0;
}

/* As far as tree_sort would look at it: a hand on the repository may have made a path both a file and a folder. */
static int check_paths(const struct strbuf *manifest, struct error *err)
{
	auto_strlist struct strlist paths = STRLIST_INIT;
	auto_free struct tree_entry *entries = NULL;
	unsigned char id[TREE_ID_RAW];

	for (const char *line = manifest->buf; *line; line = strchr(line, '\n') + 1) {
		auto_free char *path = xstrndup(line + HASH_HEX_SIZE + 1, strcspn(line, "\n") - HASH_HEX_SIZE - 1);

		strlist_add(&paths, path);
	}
	entries = xcalloc(paths.count, sizeof(*entries));
	for (size_t i = 0; i < paths.count; i++)
		entries[i].path = paths.items[i];
	return tree_build(entries, paths.count, 0, NULL, NULL, id, err);
}

static int make_manifest(struct content *content, struct git_store *store, struct error *err)
{
	if (git_each_file(store, content->commit.id, add_sum, &content->made, err) < 0 || check_paths(&content->made, err) < 0)
		return error_wrap(err, "commit %.12s", content->commit.id);
	content->manifest = &content->made;
	if (is_manifest(content, content->manifest))
		return 0;
	(void)error_set(err, ERR_INTEGRITY, "commit %.12s was not made by a snapshot: its Manifest-SHA256 is %s", content->commit.id,
		content->commit.manifest_sha256 ? "another" : "missing");
	return error_hint(err, "take a new snapshot");
}

static int content_load(struct content *content, struct git_store *store, const struct archive_target *target, struct error *err)
{
	if (git_read_commit_raw(store, target->commit_id, &content->raw, &content->raw_len, err) < 0 ||
		git_commit_parse(content->raw, content->raw_len, &content->commit, err) < 0)
		return -1;
	if (!target->manifest || !is_manifest(content, target->manifest))
		return make_manifest(content, store, err);
	content->manifest = target->manifest;
	return 0;
}

/* ---- filling ---- */

/*
 * Most files are those of the snapshot before, whose archive gives their bytes for a fraction of what inflating each object of the repository costs. It lends
 * only: a file counts when it is what the manifest says, and where the archive ends, is damaged or is none, the repository gives the rest.
 */
struct filling {
	struct archive_pack *pack;
	const char *line; /* of the manifest, for the next file */
	struct archive_stream *before;
	const char *name; /* of its entry at hand, not read yet; else NULL */
	struct strbuf lent;
	bool is_checked;    /* the file at hand */
	struct error fault; /* of the archive before: no failure */
};

static void filling_release(struct filling *filling)
{
	archive_stream_free(filling->before);
	strbuf_release(&filling->lent);
}
#define auto_filling __attribute__((cleanup(filling_release)))

static void lend_no_more(struct filling *filling)
{
	archive_stream_free(filling->before);
	filling->before = NULL;
	filling->name = NULL;
}

static void lend_from(struct filling *filling, const struct archive_target *target, struct git_store *store, const char *commit_id)
{
	auto_free char *path = *commit_id ? archive_path(store, target->cluster, commit_id, target->dir, &filling->fault) : NULL;

	/* The first entry is the manifest, the only one that may be larger than a file. */
	if (path && archive_stream_open(&filling->before, path, &filling->fault) == 0 &&
		archive_stream_next(filling->before, TREE_MANIFEST_MAX, &filling->name) <= 0)
		lend_no_more(filling);
}

/* Both are sorted by path. */
static bool go_to(struct filling *filling, const char *path)
{
	while (filling->before && (!filling->name || strcmp(filling->name, path) < 0))
		if (archive_stream_next(filling->before, TREE_FILE_MAX, &filling->name) <= 0)
			lend_no_more(filling);
	return filling->before && strcmp(filling->name, path) == 0;
}

static bool is_listed(const char *line, const char *path, const char *data, size_t len)
{
	auto_strbuf struct strbuf ours = STRBUF_INIT;
	char sum[HASH_HEX_SIZE];

	hash_sha256(data, len, sum);
	tree_manifest_line(sum, path, &ours);
	return strncmp(line, ours.buf, ours.len) == 0;
}

static bool lend_file(const char *path, struct git_blob *blob, void *arg)
{
	struct filling *filling = arg;

	filling->is_checked = false;
	if (!go_to(filling, path))
		return false;
	filling->name = NULL;
	strbuf_truncate(&filling->lent, 0);
	if (archive_stream_data(filling->before, &filling->lent) < 0) {
		lend_no_more(filling);
		return false;
	}
	*blob = (struct git_blob){.data = filling->lent.buf, .len = filling->lent.len};
	filling->is_checked = is_listed(filling->line, path, blob->data, blob->len);
	return filling->is_checked;
}

/* The manifest is in the archive already, so each file is held against its line. */
static int add_file(const char *path, const struct git_blob *blob, void *arg, struct error *err)
{
	struct filling *filling = arg;

	if (!filling->is_checked && !is_listed(filling->line, path, blob->data, blob->len))
		return error_set(err, ERR_INTEGRITY, "'%s' is not what the manifest of its commit says", path);
	filling->line = strchr(filling->line, '\n') + 1;
	return archive_pack_add(filling->pack, path, blob->data, blob->len, err);
}

static int add_all(struct filling *filling, struct git_store *store, const struct content *content, struct error *err)
{
	if (archive_pack_add(filling->pack, TREE_MANIFEST, content->manifest->buf, content->manifest->len, err) < 0 ||
		archive_pack_add(filling->pack, TREE_COMMIT, content->raw, content->raw_len, err) < 0 ||
		git_each_file_lent(store, content->commit.id, lend_file, add_file, filling, err) < 0)
		return -1;
	return *filling->line ? error_set(err, ERR_INTEGRITY, "the manifest of commit %.12s lists more", content->commit.id) : 0;
}

/* ---- files ---- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static char *sidecar_path(const char *path)
{
	return xasprintf("%s.sha256", path);
}

static char *sidecar_text(const char *path, const char *sum)
{
	return xasprintf("%s  %s\n", sum, base_name(path));
}

static int write_sidecar(const char *path, const char *sum, struct error *err)
{
	auto_free char *sidecar = sidecar_path(path), *text = sidecar_text(path, sum);

	return file_write(sidecar, text, strlen(text), SIDECAR_MODE, err);
}

static void free_pack(struct archive_pack **pack)
{
	archive_pack_free(*pack);
}
#define auto_pack __attribute__((cleanup(free_pack)))

/* The archive first, its sidecar when it is there for good. */
static int build(
	const char *path, struct git_store *store, const struct archive_target *target, const struct content *content, struct error *err)
{
	auto_pack struct archive_pack *pack = NULL;
	auto_filling struct filling filling = {.line = content->manifest->buf, .lent = STRBUF_INIT};
	char sum[HASH_HEX_SIZE];

	if (archive_pack_open(&pack, path, content->commit.time, err) < 0)
		return -1;
	filling.pack = pack;
	lend_from(&filling, target, store, content->commit.parent);
	if (add_all(&filling, store, content, err) < 0 || archive_pack_commit(pack, sum, err) < 0)
		return -1;
	return write_sidecar(path, sum, err);
}

static int check_sidecar(const char *path, const char *sum, struct error *err)
{
	auto_free char *sidecar = sidecar_path(path), *expected = sidecar_text(path, sum);
	auto_strbuf struct strbuf text = STRBUF_INIT;

	if (file_read(sidecar, SIDECAR_MAX, &text, err) < 0)
		return -1;
	if (strcmp(text.buf, expected) == 0)
		return 0;
	(void)error_set(err, ERR_INTEGRITY, "archive '%s' does not match '%s'", path, sidecar);
	return error_hint(err, "move both away: the next run makes the archive again from the commit");
}

/* A run was killed between the two files: the archive vouches for itself before a sidecar does for it. */
static int complete(const char *path, const char *sum, const struct content *content, struct error *err)
{
	auto_strbuf struct strbuf commit = STRBUF_INIT;
	__attribute__((cleanup(tree_release))) struct tree tree = TREE_INIT;

	if (archive_read(path, &tree, &commit, err) < 0)
		return -1;
	/* archive_read has held the tree against the commit. */
	if (commit.len != content->raw_len || memcmp(commit.buf, content->raw, commit.len) != 0)
		return error_set(err, ERR_INTEGRITY, "archive '%s' is of another commit", path);
	return write_sidecar(path, sum, err);
}

static int make(const char *path, struct git_store *store, const struct archive_target *target, bool *made, struct error *err)
{
	auto_free char *sidecar = sidecar_path(path);
	auto_content struct content content = {.made = STRBUF_INIT};
	char sum[HASH_HEX_SIZE];

	if (file_exists(path) && file_sha256(path, sum, err) < 0)
		return -1;
	if (file_exists(path) && file_exists(sidecar))
		return check_sidecar(path, sum, err);
	if (content_load(&content, store, target, err) < 0)
		return -1;
	*made = true;
	return file_exists(path) ? complete(path, sum, &content, err) : build(path, store, target, &content, err);
}

char *archive_path(struct git_store *store, const char *cluster, const char *commit_id, const char *dir, struct error *err)
{
	char when[CLOCK_TEXT_SIZE], *path;
	struct git_commit commit;

	if (git_read_commit(store, commit_id, &commit, err) < 0)
		return NULL;
	path = xasprintf("%s/%s-%s-%s.tar.zst", dir, cluster, clock_format_compact(commit.time, when), commit.id);
	git_commit_release(&commit);
	return path;
}

int archive_make(struct git_store *store, const struct archive_target *target, char **path, bool *made, struct error *err)
{
	auto_free char *name = NULL, *wanted = NULL;
	struct archive_target named = *target;

	*path = NULL;
	*made = false;
	if (git_store_cluster(store, target->cluster, &name, err) < 0 || file_mkdirs(target->dir, err) < 0)
		return -1;
	named.cluster = name;
	wanted = archive_path(store, name, target->commit_id, target->dir, err);
	if (!wanted || make(wanted, store, &named, made, err) < 0) {
		*made = false;
		return error_wrap(err, "archive");
	}
	*path = wanted;
	wanted = NULL;
	return 0;
}
