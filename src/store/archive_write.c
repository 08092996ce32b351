/* SPDX-License-Identifier: Apache-2.0 */
#include "store/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zstd.h>

#include "store/git.h"
#include "store/tree.h"
#include "tree_build.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/file.h"
#include "util/hash.h"
#include "util/mem.h"
#include "util/strbuf.h"
#include "util/worker.h"

#define ARCHIVE_MODE 0600
#define ENTRY_MODE 0644
#define BLOCK_SIZE 10240 /* of tar: part of the format, so that the same commit gives the same bytes */
#define LEVEL 3
#define SIDECAR_MAX 8192
#define ARCHIVE_MAX (4ull << 30) /* bytes of one that we would make */
#define CHUNK ((size_t)128 * 1024)

/* What goes into an archive, and where. */
struct content {
	struct git_commit commit;
	char *raw; /* the commit object */
	size_t raw_len;
	const struct strbuf *manifest; /* the caller's, or made */
	struct strbuf made;
};

/* tar -> worker: zstd -> file. The first failure sticks and is in err. */
struct sink {
	struct error *err;
	struct worker *worker;
	struct strbuf part; /* on its way to the worker */

	/* The worker's, until worker_wait. */
	ZSTD_CCtx *zstd;
	struct file_writer *file;
	struct hash *sum;                  /* of the compressed bytes */
	unsigned long long taken, written; /* bytes before and after */
	unsigned char out[CHUNK];
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

/* ---- compressing ---- */

/* Better to know it now, while the commit is there, than in the disaster. At no point a reader has read less than is written here. */
static int check_ratio(const struct sink *sink, struct error *err)
{
	if (sink->taken <= ARCHIVE_FREE_BYTES || sink->taken / ARCHIVE_RATIO_MAX <= sink->written)
		return 0;
	return error_set(err, ERR_FAILED, "%llu bytes in %llu: a reader would take it for a bomb", sink->taken, sink->written);
}

static int compress(struct sink *sink, const void *data, size_t len, ZSTD_EndDirective end, struct error *err)
{
	ZSTD_inBuffer in = {.src = data, .size = len};
	size_t left;

	sink->taken += len;
	do {
		ZSTD_outBuffer out = {.dst = sink->out, .size = CHUNK};

		left = ZSTD_compressStream2(sink->zstd, &out, &in, end);
		if (ZSTD_isError(left))
			return error_set(err, ERR_FAILED, "zstd cannot compress: %s", ZSTD_getErrorName(left));
		hash_update(sink->sum, sink->out, out.pos);
		sink->written += out.pos;
		if (file_writer_write(sink->file, sink->out, out.pos, err) < 0)
			return -1;
	} while (end == ZSTD_e_end ? left > 0 : in.pos < in.size);
	return check_ratio(sink, err);
}

static int compress_part(const char *data, size_t len, void *arg, struct error *err)
{
	return compress(arg, data, len, ZSTD_e_continue, err);
}

static la_ssize_t write_block(struct archive *tar, void *arg, const void *data, size_t len)
{
	struct sink *sink = arg;

	strbuf_add(&sink->part, data, len);
	if (sink->err->code == ERR_NONE && (sink->part.len < WORKER_PART || worker_give(sink->worker, &sink->part, sink->err) == 0))
		return (la_ssize_t)len;
	archive_set_error(tar, EIO, "%s", sink->err->text);
	return -1;
}

static int sink_open(struct sink *sink, const char *path)
{
	static const struct {
		ZSTD_cParameter name;
		int value;
	} parameters[] = {{ZSTD_c_compressionLevel, LEVEL}, {ZSTD_c_checksumFlag, 1}, {ZSTD_c_nbWorkers, 0}};

	sink->zstd = ZSTD_createCCtx();
	sink->sum = hash_new(0);
	for (size_t i = 0; i < sizeof(parameters) / sizeof(*parameters); i++)
		if (!sink->zstd || ZSTD_isError(ZSTD_CCtx_setParameter(sink->zstd, parameters[i].name, parameters[i].value)))
			return error_set(sink->err, ERR_FAILED, "zstd cannot start");
	if (file_writer_open(&sink->file, path, ARCHIVE_MODE, sink->err) < 0)
		return -1;
	sink->worker = worker_start(compress_part, sink);
	return 0;
}

static int sink_finish(struct sink *sink)
{
	if ((sink->part.len && worker_give(sink->worker, &sink->part, sink->err) < 0) || worker_wait(sink->worker, sink->err) < 0)
		return -1;
	return compress(sink, "", 0, ZSTD_e_end, sink->err);
}

static void sink_release(struct sink *sink)
{
	char unused[HASH_HEX_SIZE];

	worker_free(sink->worker);
	strbuf_release(&sink->part);
	(void)ZSTD_freeCCtx(sink->zstd);
	file_writer_abort(sink->file);
	if (sink->sum)
		hash_final(sink->sum, unused);
}
#define auto_sink __attribute__((cleanup(sink_release)))

/* ---- tar ---- */

static void free_tar(struct archive **tar)
{
	(void)archive_write_free(*tar);
}
#define auto_tar __attribute__((cleanup(free_tar)))

static void free_entry(struct archive_entry **entry)
{
	archive_entry_free(*entry);
}
#define auto_entry __attribute__((cleanup(free_entry)))

/* Our own error, where there is one, says more than libarchive's about it. */
static int tar_fail(struct archive *tar, struct error *err)
{
	const char *text = archive_error_string(tar);

	if (err->code != ERR_NONE)
		return -1;
	return error_set(err, ERR_FAILED, "libarchive cannot write: %s", text ? text : "out of memory");
}

static int add_entry(struct archive *tar, const char *path, const void *data, size_t len, time_t when, struct error *err)
{
	auto_entry struct archive_entry *entry = archive_entry_new();

	if (!entry)
		return error_set(err, ERR_FAILED, "libarchive is out of memory");
	archive_entry_set_pathname(entry, path);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, ENTRY_MODE);
	archive_entry_set_uid(entry, 0);
	archive_entry_set_gid(entry, 0);
	archive_entry_set_size(entry, (la_int64_t)len);
	archive_entry_set_mtime(entry, when, 0);
	/* A warning is a header that does not say what was asked for. */
	if (archive_write_header(tar, entry) != ARCHIVE_OK || (len && archive_write_data(tar, data, len) != (la_ssize_t)len) ||
		archive_write_finish_entry(tar) != ARCHIVE_OK)
		return tar_fail(tar, err);
	return 0;
}

struct filling {
	struct archive *tar;
	const char *line; /* of the manifest, for the next file */
	time_t when;
};

/* The manifest is in the archive already, so each file is held against its line. */
static int add_file(const char *path, const struct git_blob *blob, void *arg, struct error *err)
{
	struct filling *filling = arg;
	auto_strbuf struct strbuf line = STRBUF_INIT;
	char sum[HASH_HEX_SIZE];

	hash_sha256(blob->data, blob->len, sum);
	tree_manifest_line(sum, path, &line);
	if (strncmp(filling->line, line.buf, line.len) != 0)
		return error_set(err, ERR_INTEGRITY, "'%s' is not what the manifest of its commit says", path);
	filling->line += line.len;
	return add_entry(filling->tar, path, blob->data, blob->len, filling->when, err);
}

static int add_all(struct archive *tar, struct git_store *store, const struct content *content, struct error *err)
{
	struct filling filling = {.tar = tar, .line = content->manifest->buf, .when = content->commit.time};

	if (add_entry(tar, TREE_MANIFEST, content->manifest->buf, content->manifest->len, filling.when, err) < 0 ||
		add_entry(tar, TREE_COMMIT, content->raw, content->raw_len, filling.when, err) < 0 ||
		git_each_file(store, content->commit.id, add_file, &filling, err) < 0)
		return -1;
	return *filling.line ? error_set(err, ERR_INTEGRITY, "the manifest of commit %.12s lists more", content->commit.id) : 0;
}

static int write_tar(struct git_store *store, const struct content *content, struct sink *sink)
{
	auto_tar struct archive *tar = archive_write_new();

	if (!tar || archive_write_set_format_pax_restricted(tar) != ARCHIVE_OK || archive_write_add_filter_none(tar) != ARCHIVE_OK ||
		archive_write_set_bytes_per_block(tar, BLOCK_SIZE) != ARCHIVE_OK ||
		archive_write_set_bytes_in_last_block(tar, BLOCK_SIZE) != ARCHIVE_OK ||
		archive_write_open(tar, sink, NULL, write_block, NULL) != ARCHIVE_OK)
		return tar ? tar_fail(tar, sink->err) : error_set(sink->err, ERR_FAILED, "libarchive is out of memory");
	if (add_all(tar, store, content, sink->err) < 0)
		return -1;
	return archive_write_close(tar) != ARCHIVE_OK ? tar_fail(tar, sink->err) : 0;
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

	return file_write(sidecar, text, strlen(text), ARCHIVE_MODE, err);
}

/* The archive first, its sidecar when it is there for good. */
static int build(const char *path, struct git_store *store, const struct content *content, struct error *err)
{
	struct error fault = ERROR_INIT;
	auto_sink struct sink sink = {.err = &fault, .part = STRBUF_INIT};
	struct file_writer *file;
	char sum[HASH_HEX_SIZE];

	if (sink_open(&sink, path) < 0 || write_tar(store, content, &sink) < 0 || sink_finish(&sink) < 0) {
		*err = fault;
		return -1;
	}
	hash_final(sink.sum, sum);
	sink.sum = NULL;
	file = sink.file;
	sink.file = NULL;
	if (file_writer_commit(file, true, err) < 0)
		return -1;
	return write_sidecar(path, sum, err);
}

static int sum_file(const char *path, char sum[HASH_HEX_SIZE], struct error *err)
{
	auto_strbuf struct strbuf bytes = STRBUF_INIT;

	if (file_read(path, ARCHIVE_MAX, &bytes, err) < 0)
		return -1;
	hash_sha256(bytes.buf, bytes.len, sum);
	return 0;
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

	if (file_exists(path) && sum_file(path, sum, err) < 0)
		return -1;
	if (file_exists(path) && file_exists(sidecar))
		return check_sidecar(path, sum, err);
	if (content_load(&content, store, target, err) < 0)
		return -1;
	*made = true;
	return file_exists(path) ? complete(path, sum, &content, err) : build(path, store, &content, err);
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

	*path = NULL;
	*made = false;
	if (git_store_cluster(store, target->cluster, &name, err) < 0 || file_mkdirs(target->dir, err) < 0)
		return -1;
	wanted = archive_path(store, name, target->commit_id, target->dir, err);
	if (!wanted || make(wanted, store, target, made, err) < 0) {
		*made = false;
		return error_wrap(err, "archive");
	}
	*path = wanted;
	wanted = NULL;
	return 0;
}
