/* SPDX-License-Identifier: Apache-2.0 */
/* An archive may come from anybody. Nothing of it is ever written to the disk, and nothing is believed before all of it has been seen. */
#include "store/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "store/git.h"
#include "store/tree.h"
#include "util/error.h"
#include "util/file.h"
#include "util/hash.h"
#include "util/mem.h"
#include "util/strbuf.h"
#include "util/text.h"

#define WINDOW_LOG_MAX 27
#define CHUNK ((size_t)128 * 1024)
#define SIDECAR_MAX 8192
#define SUFFIX ".tar.zst"
/* Files and their headers. */
#define OUTPUT_MAX (TREE_TOTAL_MAX + (ull)TREE_COUNT_MAX * 1536 + TREE_MANIFEST_MAX)
typedef unsigned long long ull;

/* file -> zstd -> tar. The first failure is in err. */
struct source {
	int fd;
	ZSTD_DCtx *zstd;
	struct hash *sum; /* of the compressed bytes */
	struct error *err;
	bool ended; /* the frame, checksum included */
	ull read, produced;
	ZSTD_inBuffer in;
	unsigned char raw[CHUNK], out[CHUNK];
};

/* ---- decompressing ---- */

/* Read on; the bytes, 0 at the end. */
static ssize_t source_fill(struct source *source)
{
	ssize_t got;

	do
		got = read(source->fd, source->raw, CHUNK);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return error_errno(source->err, errno, "cannot read");
	hash_update(source->sum, source->raw, (size_t)got);
	source->read += (ull)got;
	source->in = (ZSTD_inBuffer){.src = source->raw, .size = (size_t)got};
	return got;
}

static int check_end(struct source *source)
{
	ssize_t more = source->in.pos < source->in.size ? 1 : source_fill(source);

	if (more > 0)
		return error_set(source->err, ERR_INTEGRITY, "more bytes after the end of the archive");
	return (int)more;
}

static int check_bomb(struct source *source)
{
	if (source->produced > OUTPUT_MAX || (source->produced > ARCHIVE_FREE_BYTES && source->produced / ARCHIVE_RATIO_MAX > source->read))
		return error_set(source->err, ERR_INTEGRITY, "expands to more than a snapshot can hold");
	return 0;
}

static int source_step(struct source *source, ZSTD_outBuffer *out)
{
	size_t rc;

	if (source->in.pos == source->in.size) {
		ssize_t got = source_fill(source);

		if (got < 0)
			return -1;
		if (got == 0)
			return error_set(source->err, ERR_INTEGRITY, "cut off after %llu bytes", source->read);
	}
	rc = ZSTD_decompressStream(source->zstd, out, &source->in);
	if (ZSTD_isError(rc))
		return error_set(source->err, ERR_INTEGRITY, "damaged: %s", ZSTD_getErrorName(rc));
	source->ended = rc == 0;
	return 0;
}

/* The next bytes, in source->out; 0 at the end, which is the end of the file too. */
static ssize_t source_next(struct source *source)
{
	ZSTD_outBuffer out = {.dst = source->out, .size = CHUNK};

	if (source->err->code != ERR_NONE)
		return -1;
	while (out.pos == 0 && !source->ended)
		if (source_step(source, &out) < 0)
			return -1;
	source->produced += out.pos;
	if (out.pos == 0)
		return check_end(source);
	return check_bomb(source) < 0 ? -1 : (ssize_t)out.pos;
}

static la_ssize_t read_block(struct archive *tar, void *arg, const void **data)
{
	struct source *source = arg;
	ssize_t got = source_next(source);

	*data = source->out;
	if (got < 0)
		archive_set_error(tar, EIO, "%s", source->err->text);
	return got;
}

static int source_open(struct source *source, const char *path)
{
	struct stat st;

	/* Not to hang on a fifo. */
	source->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (source->fd < 0 && errno == ENOENT)
		return error_set(source->err, ERR_NOT_FOUND, "no such file");
	if (source->fd < 0 || fstat(source->fd, &st) < 0)
		return error_errno(source->err, errno, "cannot open");
	if (!S_ISREG(st.st_mode))
		return error_set(source->err, ERR_INTEGRITY, "not a plain file");
	source->sum = hash_new(0);
	source->zstd = ZSTD_createDCtx();
	if (!source->zstd || ZSTD_isError(ZSTD_DCtx_setParameter(source->zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX)))
		return error_set(source->err, ERR_FAILED, "zstd cannot start");
	return 0;
}

static void source_release(struct source *source)
{
	char unused[HASH_HEX_SIZE];

	if (source->fd >= 0)
		(void)close(source->fd);
	if (source->sum)
		hash_final(source->sum, unused);
	(void)ZSTD_freeDCtx(source->zstd);
}

static void free_source(struct source **source)
{
	source_release(*source);
	free(*source);
}
#define auto_source __attribute__((cleanup(free_source)))

/* ---- tar ---- */

static void free_tar(struct archive **tar)
{
	(void)archive_read_free(*tar);
}
#define auto_tar __attribute__((cleanup(free_tar)))

/* What the source said, else what libarchive says. */
static int tar_fail(struct archive *tar, struct error *err)
{
	auto_strbuf struct strbuf shown = STRBUF_INIT;
	const char *text = archive_error_string(tar);

	if (err->code != ERR_NONE)
		return -1;
	text_escape(&shown, text ? text : "no tar", text ? strlen(text) : 6, 200);
	return error_set(err, ERR_INTEGRITY, "damaged: %s", shown.buf);
}

static int refuse_entry(const char *name, const char *why, struct error *err)
{
	auto_strbuf struct strbuf shown = STRBUF_INIT;

	text_escape(&shown, name, strlen(name), 200);
	return error_set(err, ERR_INTEGRITY, "%s: '%s'", why, shown.buf);
}

static int check_entry(struct archive_entry *entry, size_t max, struct error *err)
{
	const char *name = archive_entry_pathname(entry);

	if (!name)
		return error_set(err, ERR_INTEGRITY, "an entry without a name");
	if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) || archive_entry_symlink(entry) ||
		archive_entry_sparse_count(entry) > 0)
		return refuse_entry(name, "an entry that is no plain file", err);
	if (!archive_entry_size_is_set(entry) || archive_entry_size(entry) < 0 || (ull)archive_entry_size(entry) > max)
		return refuse_entry(name, "an entry that is too large", err);
	return tree_check_path(name, err);
}

/* Append the data of the entry at hand. */
static int read_data(struct archive *tar, struct archive_entry *entry, struct strbuf *out, struct error *err)
{
	size_t size = (size_t)archive_entry_size(entry), start = out->len;

	for (;;) {
		size_t left = size - (out->len - start);
		/* One byte more than there may be, to see an end that comes too late. */
		size_t want = left < CHUNK ? left + 1 : CHUNK;
		la_ssize_t got = archive_read_data(tar, strbuf_reserve(out, want), want);

		if (got < 0 || (got == 0 && left > 0) || (size_t)got > left)
			return tar_fail(tar, err);
		if (got == 0)
			return 0;
		out->len += (size_t)got;
		out->buf[out->len] = '\0';
	}
}

/* 1 and the entry's name and data, 0 at the end. */
static int next_entry(struct archive *tar, size_t max, const char **name, struct strbuf *data, struct error *err)
{
	struct archive_entry *entry;
	int rc = archive_read_next_header(tar, &entry);

	if (rc == ARCHIVE_EOF && err->code == ERR_NONE)
		return 0;
	/* A warning is a header that was not understood as it stands. */
	if (rc != ARCHIVE_OK)
		return tar_fail(tar, err);
	if (check_entry(entry, max, err) < 0)
		return -1;
	*name = archive_entry_pathname(entry);
	strbuf_truncate(data, 0);
	return read_data(tar, entry, data, err) < 0 ? -1 : 1;
}

/* The entry that must come now. */
static int read_named(struct archive *tar, const char *expected, size_t max, struct strbuf *out, struct error *err)
{
	const char *name = "";
	int rc = next_entry(tar, max, &name, out, err);

	if (rc < 0)
		return -1;
	if (rc == 0 || strcmp(name, expected) != 0)
		return error_set(err, ERR_INTEGRITY, "no %s where it must be: not an archive of rhaii-dr", expected);
	return 0;
}

static int read_entries(struct archive *tar, struct tree *tree, struct strbuf *manifest, struct strbuf *commit, struct error *err)
{
	auto_strbuf struct strbuf data = STRBUF_INIT;
	const char *name = "";
	int rc;

	if (read_named(tar, TREE_MANIFEST, TREE_MANIFEST_MAX, manifest, err) < 0 ||
		read_named(tar, TREE_COMMIT, GIT_COMMIT_MAX, commit, err) < 0)
		return -1;
	while ((rc = next_entry(tar, TREE_FILE_MAX, &name, &data, err)) > 0) {
		if (strcmp(name, TREE_MANIFEST) == 0 || strcmp(name, TREE_COMMIT) == 0)
			return refuse_entry(name, "an entry that is there twice", err);
		if (tree_add(tree, name, data.buf, data.len, err) < 0)
			return -1;
	}
	return rc < 0 ? -1 : tree_sort(tree, err);
}

static int read_tar(struct source *source, struct tree *tree, struct strbuf *manifest, struct strbuf *commit)
{
	auto_tar struct archive *tar = archive_read_new();
	ssize_t rest;

	if (!tar || archive_read_support_format_tar(tar) != ARCHIVE_OK ||
		archive_read_open(tar, source, NULL, read_block, NULL) != ARCHIVE_OK)
		return tar ? tar_fail(tar, source->err) : error_set(source->err, ERR_FAILED, "libarchive is out of memory");
	if (read_entries(tar, tree, manifest, commit, source->err) < 0)
		return -1;
	/* libarchive stops at tar's end; the checksum and the end of the file are still to come. */
	while ((rest = source_next(source)) > 0)
		;
	return (int)rest;
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
	auto_source struct source *source = xcalloc(1, sizeof(*source));
	auto_strbuf struct strbuf manifest = STRBUF_INIT;
	struct git_commit parsed;
	char sum[HASH_HEX_SIZE];
	int rc;

	source->err = err;
	source->fd = -1;
	if (source_open(source, path) < 0 || read_tar(source, tree, &manifest, commit) < 0)
		return -1;
	hash_final(source->sum, sum);
	source->sum = NULL;
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
