/* SPDX-License-Identifier: Apache-2.0 */
/* An archive may come from anybody. Nothing of it is believed before all of it has been seen. */
#include "store/archive.h"

#include <stdlib.h>
#include <string.h>

#include "archive_stream.h"
#include "store/git.h"
#include "store/tree.h"
#include "util/error.h"
#include "util/file.h"
#include "util/hash.h"
#include "util/mem.h"
#include "util/strbuf.h"
#include "util/text.h"

#define SIDECAR_MAX 8192
#define SUFFIX ".tar.zst"

static void free_stream(struct archive_stream **stream)
{
	archive_stream_free(*stream);
}
#define auto_stream __attribute__((cleanup(free_stream)))

/* ---- entries ---- */

/* The entry that must come now. */
static int read_named(struct archive_stream *stream, const char *expected, size_t max, struct strbuf *out, struct error *err)
{
	const char *name = "";
	int rc = archive_stream_next(stream, max, &name);

	if (rc < 0)
		return -1;
	if (rc == 0 || strcmp(name, expected) != 0)
		return error_set(err, ERR_INTEGRITY, "no %s where it must be: not an archive of rhaii-dr", expected);
	return archive_stream_data(stream, out);
}

static int refuse_twice(const char *name, struct error *err)
{
	return error_set(err, ERR_INTEGRITY, "an entry that is there twice: '%s'", name);
}

static int read_files(struct archive_stream *stream, struct tree *tree, struct error *err)
{
	auto_strbuf struct strbuf data = STRBUF_INIT;
	const char *name = "";
	int rc;

	while ((rc = archive_stream_next(stream, TREE_FILE_MAX, &name)) > 0) {
		if (strcmp(name, TREE_MANIFEST) == 0 || strcmp(name, TREE_COMMIT) == 0)
			return refuse_twice(name, err);
		strbuf_truncate(&data, 0);
		if (archive_stream_data(stream, &data) < 0 || tree_add(tree, name, data.buf, data.len, err) < 0)
			return -1;
	}
	return rc < 0 ? -1 : tree_sort(tree, err);
}

static int read_entries(struct archive_stream *stream, struct tree *tree, struct strbuf *manifest, struct strbuf *commit, struct error *err)
{
	if (read_named(stream, TREE_MANIFEST, TREE_MANIFEST_MAX, manifest, err) < 0 ||
		read_named(stream, TREE_COMMIT, GIT_COMMIT_MAX, commit, err) < 0)
		return -1;
	return read_files(stream, tree, err);
}

/* ---- what vouches for it ---- */

static int check_manifest(const struct tree *tree, const struct strbuf *manifest, struct error *err)
{
	auto_strbuf struct strbuf ours = STRBUF_INIT;
	auto_strlist struct strlist changed = STRLIST_INIT;

	tree_manifest(tree, &ours);
	if (ours.len == manifest->len && memcmp(ours.buf, manifest->buf, ours.len) == 0)
		return 0;
	if (tree_manifest_check(tree, manifest->buf, manifest->len, &changed, err) < 0)
		return -1;
	if (changed.count)
		return error_set(
			err, ERR_INTEGRITY, "%zu files differ from " TREE_MANIFEST ", the first is '%s'", changed.count, changed.items[0]);
	return error_set(err, ERR_INTEGRITY, TREE_MANIFEST " is not sorted");
}

/* The id at the end of the usual name, or NULL: an archive may be renamed. */
static const char *id_in_name(const char *path)
{
	size_t len = strlen(path), tail = strlen(SUFFIX), id_len = GIT_ID_SIZE - 1;
	const char *id;

	if (len < tail + id_len + 1 || strcmp(path + len - tail, SUFFIX) != 0)
		return NULL;
	id = path + len - tail - id_len;
	return id[-1] == '-' && strspn(id, "0123456789abcdef") == id_len ? id : NULL;
}

static int check_commit(
	const char *path, const struct tree *tree, const struct strbuf *manifest, const struct git_commit *commit, struct error *err)
{
	char tree_id[GIT_ID_SIZE], sum[HASH_HEX_SIZE];
	const char *id = id_in_name(path);

	if (id && strncmp(id, commit->id, GIT_ID_SIZE - 1) != 0)
		return error_set(err, ERR_INTEGRITY, "its name says another commit than " TREE_COMMIT ", %s", commit->id);
	tree_git_id(tree, "", tree_id);
	if (strcmp(tree_id, commit->tree) != 0)
		return error_set(err, ERR_INTEGRITY, "its files are not those of commit %s", commit->id);
	hash_sha256(manifest->buf, manifest->len, sum);
	if (!commit->manifest_sha256 || strcmp(commit->manifest_sha256, sum) != 0)
		return error_set(err, ERR_INTEGRITY, "commit %s does not vouch for " TREE_MANIFEST, commit->id);
	return 0;
}

/* A sidecar may be missing (the commit vouches for the content), but not wrong. Its name for the file does not matter. */
static int check_sidecar(const char *path, const char *sum, struct error *err)
{
	auto_free char *sidecar = xasprintf("%s.sha256", path);
	auto_strbuf struct strbuf text = STRBUF_INIT;

	if (!file_exists(sidecar))
		return 0;
	/* Not to hang on a fifo; what is empty matches nothing. */
	if (file_is_plain(sidecar) && file_read(sidecar, SIDECAR_MAX, &text, err) < 0)
		return -1;
	if (strncmp(text.buf, sum, HASH_HEX_SIZE - 1) != 0 || strncmp(text.buf + HASH_HEX_SIZE - 1, "  ", 2) != 0)
		return error_set(err, ERR_INTEGRITY, "does not match '%s'", sidecar);
	return 0;
}

static int read_checked(const char *path, struct tree *tree, struct strbuf *commit, struct error *err)
{
	auto_stream struct archive_stream *stream = NULL;
	auto_strbuf struct strbuf manifest = STRBUF_INIT;
	struct git_commit parsed;
	char sum[HASH_HEX_SIZE];
	int rc;

	if (archive_stream_open(&stream, path, err) < 0 || read_entries(stream, tree, &manifest, commit, err) < 0 ||
		archive_stream_end(stream, sum) < 0)
		return -1;
	if (check_sidecar(path, sum, err) < 0 || check_manifest(tree, &manifest, err) < 0 ||
		git_commit_parse(commit->buf, commit->len, &parsed, err) < 0)
		return -1;
	rc = check_commit(path, tree, &manifest, &parsed, err);
	git_commit_release(&parsed);
	return rc;
}

int archive_read(const char *path, struct tree *tree, struct strbuf *commit, struct error *err)
{
	auto_strbuf struct strbuf raw = STRBUF_INIT;
	struct error fault = ERROR_INIT;

	if (read_checked(path, tree, &raw, &fault) < 0) {
		*err = fault;
		return error_wrap(err, "archive '%s'", path);
	}
	strbuf_add(commit, raw.buf, raw.len);
	return 0;
}
