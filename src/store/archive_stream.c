/* SPDX-License-Identifier: Apache-2.0 */
#include "archive_stream.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "store/archive.h"
#include "store/tree.h"
#include "util/error.h"
#include "util/hash.h"
#include "util/mem.h"
#include "util/strbuf.h"
#include "util/text.h"

#define WINDOW_LOG_MAX 27
#define CHUNK ((size_t)128 * 1024)
/* Files and their headers. */
#define OUTPUT_MAX (TREE_TOTAL_MAX + (ull)TREE_COUNT_MAX * 1536 + TREE_MANIFEST_MAX)
typedef unsigned long long ull;

/* file -> zstd -> tar. The first failure is in err. */
struct archive_stream {
	int fd;
	ZSTD_DCtx *zstd;
	struct hash *sum; /* of the compressed bytes */
	struct error *err;
	struct archive *tar;
	struct archive_entry *entry; /* at hand */
	bool ended;                  /* the frame, checksum included */
	ull read, produced;
	ZSTD_inBuffer in;
	unsigned char raw[CHUNK], out[CHUNK];
};

/* ---- decompressing ---- */

/* Read on; the bytes, 0 at the end. */
static ssize_t stream_fill(struct archive_stream *stream)
{
	ssize_t got;

	do
		got = read(stream->fd, stream->raw, CHUNK);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return error_errno(stream->err, errno, "cannot read");
	hash_update(stream->sum, stream->raw, (size_t)got);
	stream->read += (ull)got;
	stream->in = (ZSTD_inBuffer){.src = stream->raw, .size = (size_t)got};
	return got;
}

static int check_end(struct archive_stream *stream)
{
	ssize_t more = stream->in.pos < stream->in.size ? 1 : stream_fill(stream);

	if (more > 0)
		return error_set(stream->err, ERR_INTEGRITY, "more bytes after the end of the archive");
	return (int)more;
}

static int check_bomb(struct archive_stream *stream)
{
	if (stream->produced > OUTPUT_MAX || (stream->produced > ARCHIVE_FREE_BYTES && stream->produced / ARCHIVE_RATIO_MAX > stream->read))
		return error_set(stream->err, ERR_INTEGRITY, "expands to more than a snapshot can hold");
	return 0;
}

static int stream_step(struct archive_stream *stream, ZSTD_outBuffer *out)
{
	size_t rc;

	if (stream->in.pos == stream->in.size) {
		ssize_t got = stream_fill(stream);

		if (got < 0)
			return -1;
		if (got == 0)
			return error_set(stream->err, ERR_INTEGRITY, "cut off after %llu bytes", stream->read);
	}
	rc = ZSTD_decompressStream(stream->zstd, out, &stream->in);
	if (ZSTD_isError(rc))
		return error_set(stream->err, ERR_INTEGRITY, "damaged: %s", ZSTD_getErrorName(rc));
	stream->ended = rc == 0;
	return 0;
}

/* The next bytes, in stream->out; 0 at the end, which is the end of the file too. */
static ssize_t stream_next(struct archive_stream *stream)
{
	ZSTD_outBuffer out = {.dst = stream->out, .size = CHUNK};

	if (stream->err->code != ERR_NONE)
		return -1;
	while (out.pos == 0 && !stream->ended)
		if (stream_step(stream, &out) < 0)
			return -1;
	stream->produced += out.pos;
	if (out.pos == 0)
		return check_end(stream);
	return check_bomb(stream) < 0 ? -1 : (ssize_t)out.pos;
}

static la_ssize_t read_block(struct archive *tar, void *arg, const void **data)
{
	struct archive_stream *stream = arg;
	ssize_t got = stream_next(stream);

	*data = stream->out;
	if (got < 0)
		archive_set_error(tar, EIO, "%s", stream->err->text);
	return got;
}

static int stream_open(struct archive_stream *stream, const char *path)
{
	struct stat st;

	/* Not to hang on a fifo. */
	stream->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (stream->fd < 0 && errno == ENOENT)
		return error_set(stream->err, ERR_NOT_FOUND, "no such file");
	if (stream->fd < 0 || fstat(stream->fd, &st) < 0)
		return error_errno(stream->err, errno, "cannot open");
	if (!S_ISREG(st.st_mode))
		return error_set(stream->err, ERR_INTEGRITY, "not a plain file");
	stream->sum = hash_new(0);
	stream->zstd = ZSTD_createDCtx();
	if (!stream->zstd || ZSTD_isError(ZSTD_DCtx_setParameter(stream->zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX)))
		return error_set(stream->err, ERR_FAILED, "zstd cannot start");
	return 0;
}

/* ---- tar ---- */

/* What the stream said, else what libarchive says. */
static int tar_fail(const struct archive_stream *stream)
{
	auto_strbuf struct strbuf shown = STRBUF_INIT;
	const char *text = archive_error_string(stream->tar);

	if (stream->err->code != ERR_NONE)
		return -1;
	text_escape(&shown, text ? text : "no tar", text ? strlen(text) : 6, 200);
	return error_set(stream->err, ERR_INTEGRITY, "damaged: %s", shown.buf);
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

int archive_stream_data(struct archive_stream *stream, struct strbuf *out)
{
	size_t size = (size_t)archive_entry_size(stream->entry), start = out->len;

	for (;;) {
		size_t left = size - (out->len - start);
		/* One byte more than there may be, to see an end that comes too late. */
		size_t want = left < CHUNK ? left + 1 : CHUNK;
		la_ssize_t got = archive_read_data(stream->tar, strbuf_reserve(out, want), want);

		if (got < 0 || (got == 0 && left > 0) || (size_t)got > left)
			return tar_fail(stream);
		if (got == 0)
			return 0;
		out->len += (size_t)got;
		out->buf[out->len] = '\0';
	}
}

int archive_stream_next(struct archive_stream *stream, size_t max, const char **name)
{
	int rc = archive_read_next_header(stream->tar, &stream->entry);

	if (rc == ARCHIVE_EOF && stream->err->code == ERR_NONE)
		return 0;
	/* A warning is a header that was not understood as it stands. */
	if (rc != ARCHIVE_OK)
		return tar_fail(stream);
	if (check_entry(stream->entry, max, stream->err) < 0)
		return -1;
	*name = archive_entry_pathname(stream->entry);
	return 1;
}

/* ---- the whole ---- */

static int tar_open(struct archive_stream *stream)
{
	stream->tar = archive_read_new();
	if (!stream->tar)
		return error_set(stream->err, ERR_FAILED, "libarchive is out of memory");
	if (archive_read_support_format_tar(stream->tar) != ARCHIVE_OK ||
		archive_read_open(stream->tar, stream, NULL, read_block, NULL) != ARCHIVE_OK)
		return tar_fail(stream);
	return 0;
}

int archive_stream_open(struct archive_stream **out, const char *path, struct error *err)
{
	struct archive_stream *stream = xcalloc(1, sizeof(*stream));

	*out = NULL;
	stream->fd = -1;
	stream->err = err;
	if (stream_open(stream, path) < 0 || tar_open(stream) < 0) {
		archive_stream_free(stream);
		return -1;
	}
	*out = stream;
	return 0;
}

/* libarchive stops at tar's end; the checksum and the end of the file are still to come. */
int archive_stream_end(struct archive_stream *stream, char *sum)
{
	ssize_t rest;

	while ((rest = stream_next(stream)) > 0)
		;
	if (rest < 0)
		return -1;
	hash_final(stream->sum, sum);
	stream->sum = NULL;
	return 0;
}

void archive_stream_free(struct archive_stream *stream)
{
	char unused[HASH_HEX_SIZE];

	if (!stream)
		return;
	(void)archive_read_free(stream->tar);
	if (stream->fd >= 0)
		(void)close(stream->fd);
	if (stream->sum)
		hash_final(stream->sum, unused);
	(void)ZSTD_freeDCtx(stream->zstd);
	free(stream);
}
