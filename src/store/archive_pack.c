/* SPDX-License-Identifier: Apache-2.0 */
#include "archive_pack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "store/archive.h"
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
#define CHUNK ((size_t)128 * 1024)
#define COPY_MAX                                                                                                                           \
	((size_t)1                                                                                                                         \
		<< 20) /* bytes of a file; a larger one is packed from where it is, since a copy for the thread may be as large as a manifest */

/* What stands before each file that is handed to the thread: the path and its NUL, then the bytes follow. */
struct handover {
	size_t path_size, len;
};

struct archive_pack {
	struct worker *worker;
	struct strbuf part; /* on its way to the worker */

	/* The worker's, until worker_wait. */
	struct archive *tar;
	struct archive_entry *entry; /* the same for all files, but for path and size */
	ZSTD_CCtx *zstd;
	struct file_writer *file;
	struct hash *sum;                  /* of the compressed bytes */
	unsigned long long taken, written; /* bytes before and after */
	struct error fault;                /* within libarchive, which takes no error of ours */
	unsigned char out[CHUNK];
};

/* ---- compressing ---- */

/* Better to know it now, while the commit is there, than in the disaster. At no point a reader has read less than is written here. */
static int check_ratio(const struct archive_pack *pack, struct error *err)
{
	if (pack->taken <= ARCHIVE_FREE_BYTES || pack->taken / ARCHIVE_RATIO_MAX <= pack->written)
		return 0;
	return error_set(err, ERR_FAILED, "%llu bytes in %llu: a reader would take it for a bomb", pack->taken, pack->written);
}

static int compress(struct archive_pack *pack, const void *data, size_t len, ZSTD_EndDirective end, struct error *err)
{
	ZSTD_inBuffer in = {.src = data, .size = len};
	size_t left;

	pack->taken += len;
	do {
		ZSTD_outBuffer out = {.dst = pack->out, .size = CHUNK};

		left = ZSTD_compressStream2(pack->zstd, &out, &in, end);
		if (ZSTD_isError(left))
			return error_set(err, ERR_FAILED, "zstd cannot compress: %s", ZSTD_getErrorName(left));
		hash_update(pack->sum, pack->out, out.pos);
		pack->written += out.pos;
		if (file_writer_write(pack->file, pack->out, out.pos, err) < 0)
			return -1;
	} while (end == ZSTD_e_end ? left > 0 : in.pos < in.size);
	return check_ratio(pack, err);
}

static la_ssize_t write_block(struct archive *tar, void *arg, const void *data, size_t len)
{
	struct archive_pack *pack = arg;

	if (pack->fault.code == ERR_NONE && compress(pack, data, len, ZSTD_e_continue, &pack->fault) == 0)
		return (la_ssize_t)len;
	archive_set_error(tar, EIO, "%s", pack->fault.text);
	return -1;
}

/* ---- tar, on the worker ---- */

/* Our own error, where there is one, says more than libarchive's about it. */
static int tar_fail(const struct archive_pack *pack, struct error *err)
{
	const char *text = archive_error_string(pack->tar);

	if (pack->fault.code == ERR_NONE)
		return error_set(err, ERR_FAILED, "libarchive cannot write: %s", text ? text : "out of memory");
	*err = pack->fault;
	return -1;
}

static int add_entry(struct archive_pack *pack, const char *path, const void *data, size_t len, struct error *err)
{
	archive_entry_set_pathname(pack->entry, path);
	archive_entry_set_size(pack->entry, (la_int64_t)len);
	/* A warning is a header that does not say what was asked for. */
	if (archive_write_header(pack->tar, pack->entry) != ARCHIVE_OK ||
		(len && archive_write_data(pack->tar, data, len) != (la_ssize_t)len) || archive_write_finish_entry(pack->tar) != ARCHIVE_OK)
		return tar_fail(pack, err);
	return 0;
}

static int add_part(const char *data, size_t len, void *arg, struct error *err)
{
	const char *end = data + len;

	while (data < end) {
		struct handover file;
		const char *path = data + sizeof(file);

		memcpy(&file, data, sizeof(file));
		data = path + file.path_size + file.len;
		if (add_entry(arg, path, path + file.path_size, file.len, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- opening ---- */

static int open_zstd(struct archive_pack *pack, struct error *err)
{
	static const struct {
		ZSTD_cParameter name;
		int value;
	} parameters[] = {{ZSTD_c_compressionLevel, LEVEL}, {ZSTD_c_checksumFlag, 1}, {ZSTD_c_nbWorkers, 0}};

	pack->zstd = ZSTD_createCCtx();
	for (size_t i = 0; i < sizeof(parameters) / sizeof(*parameters); i++)
		if (!pack->zstd || ZSTD_isError(ZSTD_CCtx_setParameter(pack->zstd, parameters[i].name, parameters[i].value)))
			return error_set(err, ERR_FAILED, "zstd cannot start");
	return 0;
}

static int open_tar(struct archive_pack *pack, time_t when, struct error *err)
{
	pack->tar = archive_write_new();
	pack->entry = archive_entry_new();
	if (!pack->tar || !pack->entry)
		return error_set(err, ERR_FAILED, "libarchive is out of memory");
	archive_entry_set_filetype(pack->entry, AE_IFREG);
	archive_entry_set_perm(pack->entry, ENTRY_MODE);
	archive_entry_set_uid(pack->entry, 0);
	archive_entry_set_gid(pack->entry, 0);
	archive_entry_set_mtime(pack->entry, when, 0);
	if (archive_write_set_format_pax_restricted(pack->tar) != ARCHIVE_OK || archive_write_add_filter_none(pack->tar) != ARCHIVE_OK ||
		archive_write_set_bytes_per_block(pack->tar, BLOCK_SIZE) != ARCHIVE_OK ||
		archive_write_set_bytes_in_last_block(pack->tar, BLOCK_SIZE) != ARCHIVE_OK ||
		archive_write_open(pack->tar, pack, NULL, write_block, NULL) != ARCHIVE_OK)
		return tar_fail(pack, err);
	return 0;
}

int archive_pack_open(struct archive_pack **out, const char *path, time_t when, struct error *err)
{
	struct archive_pack *pack = xcalloc(1, sizeof(*pack));

	*out = NULL;
	pack->part = (struct strbuf)STRBUF_INIT;
	pack->sum = hash_new(0);
	if (open_zstd(pack, err) < 0 || file_writer_open(&pack->file, path, ARCHIVE_MODE, err) < 0 || open_tar(pack, when, err) < 0) {
		archive_pack_free(pack);
		return -1;
	}
	pack->worker = worker_start(add_part, pack);
	*out = pack;
	return 0;
}

/* ---- the caller's side ---- */

static int drain(struct archive_pack *pack, struct error *err)
{
	return pack->part.len && worker_give(pack->worker, &pack->part, err) < 0 ? -1 : worker_wait(pack->worker, err);
}

int archive_pack_add(struct archive_pack *pack, const char *path, const void *data, size_t len, struct error *err)
{
	struct handover file = {.path_size = strlen(path) + 1, .len = len};

	if (len > COPY_MAX)
		return drain(pack, err) < 0 ? -1 : add_entry(pack, path, data, len, err);
	strbuf_add(&pack->part, &file, sizeof(file));
	strbuf_add(&pack->part, path, file.path_size);
	strbuf_add(&pack->part, data, len);
	return pack->part.len < WORKER_PART ? 0 : worker_give(pack->worker, &pack->part, err);
}

int archive_pack_commit(struct archive_pack *pack, char *sum, struct error *err)
{
	struct file_writer *file;

	if (drain(pack, err) < 0)
		return -1;
	if (archive_write_close(pack->tar) != ARCHIVE_OK)
		return tar_fail(pack, err);
	if (compress(pack, "", 0, ZSTD_e_end, err) < 0)
		return -1;
	hash_final(pack->sum, sum);
	pack->sum = NULL;
	file = pack->file;
	pack->file = NULL;
	return file_writer_commit(file, true, err);
}

void archive_pack_free(struct archive_pack *pack)
{
	char unused[HASH_HEX_SIZE];

	if (!pack)
		return;
	worker_free(pack->worker);
	strbuf_release(&pack->part);
	archive_entry_free(pack->entry);
	/* Not to write the end of a tar that has none. */
	if (pack->fault.code == ERR_NONE)
		(void)error_set(&pack->fault, ERR_FAILED, "given up");
	(void)archive_write_free(pack->tar);
	(void)ZSTD_freeCCtx(pack->zstd);
	file_writer_abort(pack->file);
	if (pack->sum)
		hash_final(pack->sum, unused);
	free(pack);
}
