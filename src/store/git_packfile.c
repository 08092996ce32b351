/* SPDX-License-Identifier: Apache-2.0 */
#include "git_packfile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "git_delta.h"
#include "util/env.h"
#include "util/error.h"
#include "util/file.h"
#include "util/hash.h"
#include "util/mem.h"
#include "util/strbuf.h"
#include "util/worker.h"

#define CHUNK ((size_t)64 * 1024)
#define COPY_MAX ((size_t)1 << 20) /* bytes of an object; a larger one is worked on where it is, since a copy for the thread may be 64 MB */
#define VERSION 2
#define HEADER_SIZE 12
#define HEADER_MAX 32  /* bytes before an entry's deflated ones, and more */
#define FILE_MODE 0444 /* as git, which never changes one */
/* Of zlib: 8 would have it clear a table of 64 KiB for each object of 2 KB. */
#define MEMORY_LEVEL 6
#define BLOB 3
#define STORED_MAX 1024              /* bytes of a delta */
#define OFS_DELTA 6                  /* of an object that stands so many bytes before it */
#define SMALL_OFFSET_MAX 0x7FFFFFFFu /* what is further back has 8 bytes, in a table of its own */

/* Where an object is. */
struct entry {
	unsigned char id[PACK_ID_SIZE];
	uint32_t crc;
	uint64_t offset; /* in the spool */
};

/* What stands before each object that is handed to the thread. */
struct handover {
	int type;
	size_t len;
	unsigned char id[PACK_ID_SIZE];
};

struct pack {
	const char *dir;
	struct worker *worker;
	struct strbuf part; /* on its way to the worker */

	/* The worker's, until worker_wait. */
	int spool;
	z_stream deflating, storing;
	struct entry *entries;
	size_t count, cap;
	uint64_t written;
	struct delta_base base; /* the last blob that is no delta */
	uint64_t base_offset;
	struct strbuf delta;
	size_t out_len, crc_from; /* out is in no checksum yet from crc_from on */
	unsigned char out[CHUNK];
};

/* ---- the spool, on the worker ---- */

/* A file without a name: a kill leaves nothing behind. */
static int open_spool(struct pack *pack, struct error *err)
{
	auto_free char *path = NULL;
	uint64_t random;

	env_random(&random, sizeof(random));
	path = xasprintf("%s.tmp-pack-%016" PRIx64, pack->dir, random);
	pack->spool = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (pack->spool < 0 || unlink(path) < 0)
		return error_errno(err, errno, "cannot make temporary file '%s'", path);
	return 0;
}

/* The bytes of the present entry that are in out go into its checksum. */
static void sum_out(struct pack *pack)
{
	struct entry *entry = &pack->entries[pack->count - 1];

	entry->crc = (uint32_t)crc32(entry->crc, pack->out + pack->crc_from, (uInt)(pack->out_len - pack->crc_from));
	pack->crc_from = pack->out_len;
}

static int write_spool(struct pack *pack, struct error *err)
{
	const unsigned char *at = pack->out;

	pack->written += pack->out_len;
	while (pack->out_len > 0) {
		ssize_t written = write(pack->spool, at, pack->out_len);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return error_errno(err, errno, "cannot write the new pack in '%s'", pack->dir);
		at += written;
		pack->out_len -= (size_t)written;
	}
	pack->crc_from = 0;
	return 0;
}

/* Type and size: 4 bits of size in the first byte, 7 in each that follows. */
static void spool_header(struct pack *pack, int type, size_t len)
{
	unsigned char byte = (unsigned char)((unsigned)type << 4 | (len & 0x0F));

	for (len >>= 4; len > 0; len >>= 7) {
		pack->out[pack->out_len++] = byte | 0x80;
		byte = len & 0x7F;
	}
	pack->out[pack->out_len++] = byte;
}

/* How far back the base is: 7 bits a byte, the highest first, each but the last one less than it says. */
static void spool_distance(struct pack *pack, uint64_t distance)
{
	unsigned char bytes[10];
	size_t at = sizeof(bytes);

	bytes[--at] = distance & 0x7F;
	while ((distance >>= 7) > 0)
		bytes[--at] = (unsigned char)(0x80 | (--distance & 0x7F));
	memcpy(pack->out + pack->out_len, bytes + at, sizeof(bytes) - at);
	pack->out_len += sizeof(bytes) - at;
}

static int deflate_all(struct pack *pack, z_stream *z, const char *data, size_t len, struct error *err)
{
	int rc = Z_OK;

	if (deflateReset(z) != Z_OK)
		return error_set(err, ERR_FAILED, "zlib cannot start");
	/* zlib reads only, but is older than const. */
	z->next_in = (unsigned char *)(uintptr_t)data;
	z->avail_in = (uInt)len;
	while (rc != Z_STREAM_END) {
		if (pack->out_len == CHUNK) {
			sum_out(pack);
			if (write_spool(pack, err) < 0)
				return -1;
		}
		z->next_out = pack->out + pack->out_len;
		z->avail_out = (uInt)(CHUNK - pack->out_len);
		rc = deflate(z, Z_FINISH);
		if (rc != Z_OK && rc != Z_STREAM_END)
			return error_set(err, ERR_FAILED, "zlib cannot compress");
		pack->out_len = CHUNK - z->avail_out;
	}
	sum_out(pack);
	return 0;
}

static int spool_whole(struct pack *pack, const struct handover *object, const char *data, uint64_t offset, struct error *err)
{
	if (object->type == BLOB && object->len <= DELTA_TEXT_MAX) {
		delta_base_set(&pack->base, data, object->len);
		pack->base_offset = offset;
	}
	spool_header(pack, object->type, object->len);
	return deflate_all(pack, &pack->deflating, data, object->len, err);
}

/*
 * Lists come kind by kind, so most blobs are much like the last one. What differs is short, and to make codes for so short a text costs zlib ten times what
 * finding it did: it is stored as it is, and the pack is smaller still than one of deflated blobs. All deltas are to a whole object, never to another delta.
 */
static int spool_delta(struct pack *pack, uint64_t offset, struct error *err)
{
	z_stream *z = pack->delta.len <= STORED_MAX ? &pack->storing : &pack->deflating;

	spool_header(pack, OFS_DELTA, pack->delta.len);
	spool_distance(pack, offset - pack->base_offset);
	return deflate_all(pack, z, pack->delta.buf, pack->delta.len, err);
}

static int spool_object(struct pack *pack, const struct handover *object, const char *data, struct error *err)
{
	struct entry *entry;

	if (object->len > UINT32_MAX || pack->count == UINT32_MAX)
		return error_set(err, ERR_FAILED, "too large for a git pack");
	if (pack->out_len + HEADER_MAX > CHUNK && write_spool(pack, err) < 0)
		return -1;
	pack->entries = xgrow(pack->entries, &pack->cap, pack->count + 1, sizeof(*pack->entries));
	entry = &pack->entries[pack->count++];
	*entry = (struct entry){.offset = pack->written + pack->out_len};
	memcpy(entry->id, object->id, PACK_ID_SIZE);
	if (object->type == BLOB && delta_make(&pack->base, data, object->len, &pack->delta))
		return spool_delta(pack, entry->offset, err);
	return spool_whole(pack, object, data, entry->offset, err);
}

static int spool_part(const char *data, size_t len, void *arg, struct error *err)
{
	struct handover object;

	for (const char *end = data + len; data < end; data += object.len) {
		memcpy(&object, data, sizeof(object));
		data += sizeof(object);
		if (spool_object(arg, &object, data, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- adding ---- */

static int start_stream(z_stream *stream, int level)
{
	return deflateInit2(stream, level, Z_DEFLATED, MAX_WBITS, MEMORY_LEVEL, Z_DEFAULT_STRATEGY);
}

int pack_new(struct pack **out, const char *dir, struct error *err)
{
	struct pack *pack = xcalloc(1, sizeof(*pack));

	pack->dir = dir;
	pack->part = pack->base.text = pack->delta = (struct strbuf)STRBUF_INIT;
	pack->spool = -1;
	if (open_spool(pack, err) < 0) {
		pack_free(pack);
		return -1;
	}
	if (start_stream(&pack->deflating, Z_BEST_SPEED) != Z_OK || start_stream(&pack->storing, Z_NO_COMPRESSION) != Z_OK) {
		pack_free(pack);
		return error_set(err, ERR_FAILED, "zlib cannot start");
	}
	pack->worker = worker_start(spool_part, pack);
	*out = pack;
	return 0;
}

static int drain(struct pack *pack, struct error *err)
{
	return pack->part.len && worker_give(pack->worker, &pack->part, err) < 0 ? -1 : worker_wait(pack->worker, err);
}

int pack_add(struct pack *pack, int type, const void *data, size_t len, const unsigned char id[PACK_ID_SIZE], struct error *err)
{
	struct handover object = {.type = type, .len = len};

	memcpy(object.id, id, PACK_ID_SIZE);
	if (len > COPY_MAX)
		return drain(pack, err) < 0 ? -1 : spool_object(pack, &object, data, err);
	strbuf_add(&pack->part, &object, sizeof(object));
	strbuf_add(&pack->part, data, len);
	return pack->part.len < WORKER_PART ? 0 : worker_give(pack->worker, &pack->part, err);
}

void pack_free(struct pack *pack)
{
	if (!pack)
		return;
	worker_free(pack->worker);
	strbuf_release(&pack->part);
	strbuf_release(&pack->delta);
	delta_base_release(&pack->base);
	if (pack->spool >= 0)
		(void)close(pack->spool);
	(void)deflateEnd(&pack->deflating);
	(void)deflateEnd(&pack->storing);
	free(pack->entries);
	free(pack);
}

/* ---- the files ---- */

/* A file and the SHA-1 of what is in it so far. */
struct sink {
	struct file_writer *file;
	struct hash *sum;
	struct error *err;
};

static int put(struct sink *sink, const void *data, size_t len)
{
	hash_update(sink->sum, data, len);
	return file_writer_write(sink->file, data, len, sink->err);
}

static void add_number(struct strbuf *out, uint64_t number, unsigned bytes)
{
	while (bytes-- > 0)
		strbuf_addc(out, (char)(number >> (8 * bytes) & 0xFF));
}

static int sink_open(struct sink *sink, const char *path, struct error *err)
{
	*sink = (struct sink){.err = err, .sum = hash_new(1)};
	return file_writer_open(&sink->file, path, FILE_MODE, err);
}

/* The sum ends the file; rc: whether all went well so far. In any case the sink is gone afterwards. */
static int sink_close(struct sink *sink, int rc, unsigned char sum[PACK_ID_SIZE])
{
	hash_final_raw(sink->sum, sum);
	if (rc == 0)
		rc = file_writer_write(sink->file, sum, PACK_ID_SIZE, sink->err);
	if (rc == 0)
		return file_writer_commit(sink->file, false, sink->err);
	file_writer_abort(sink->file);
	return -1;
}

static int copy_spool(struct pack *pack, struct sink *sink)
{
	ssize_t got;

	if (lseek(pack->spool, 0, SEEK_SET) < 0)
		return error_errno(sink->err, errno, "cannot read the new pack");
	while ((got = read(pack->spool, pack->out, CHUNK)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return error_errno(sink->err, errno, "cannot read the new pack");
		if (put(sink, pack->out, (size_t)got) < 0)
			return -1;
	}
	return 0;
}

static int write_pack(struct pack *pack, const char *path, unsigned char sum[PACK_ID_SIZE], struct error *err)
{
	auto_strbuf struct strbuf header = STRBUF_INIT;
	struct sink sink;
	int rc = sink_open(&sink, path, err);

	strbuf_adds(&header, "PACK");
	add_number(&header, VERSION, 4);
	add_number(&header, pack->count, 4);
	if (rc == 0)
		rc = put(&sink, header.buf, header.len) < 0 ? -1 : copy_spool(pack, &sink);
	return sink_close(&sink, rc, sum);
}

/* How many ids start with a byte up to each. */
static void add_fanout(const struct pack *pack, struct strbuf *out)
{
	size_t at = 0;

	for (unsigned first = 0; first < 256; first++) {
		while (at < pack->count && pack->entries[at].id[0] <= first)
			at++;
		add_number(out, at, 4);
	}
}

static void add_offsets(const struct pack *pack, struct strbuf *out)
{
	auto_strbuf struct strbuf large = STRBUF_INIT;

	for (size_t i = 0; i < pack->count; i++) {
		uint64_t offset = HEADER_SIZE + pack->entries[i].offset;

		if (offset <= SMALL_OFFSET_MAX) {
			add_number(out, offset, 4);
			continue;
		}
		add_number(out, (SMALL_OFFSET_MAX + 1ull) | large.len / 8, 4);
		add_number(&large, offset, 8);
	}
	strbuf_add(out, large.buf, large.len);
}

static int write_index(const struct pack *pack, const char *path, const unsigned char pack_sum[PACK_ID_SIZE], struct error *err)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	unsigned char sum[PACK_ID_SIZE];
	struct sink sink;
	int rc = sink_open(&sink, path, err);

	strbuf_adds(&text, "\377tOc");
	add_number(&text, VERSION, 4);
	add_fanout(pack, &text);
	for (size_t i = 0; i < pack->count; i++)
		strbuf_add(&text, pack->entries[i].id, PACK_ID_SIZE);
	for (size_t i = 0; i < pack->count; i++)
		add_number(&text, pack->entries[i].crc, 4);
	add_offsets(pack, &text);
	strbuf_add(&text, pack_sum, PACK_ID_SIZE);
	return sink_close(&sink, rc < 0 ? -1 : put(&sink, text.buf, text.len), sum);
}

static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return memcmp(x->id, y->id, PACK_ID_SIZE);
}

/* "<dir>objects/pack/pack-<hex>", for both files. The caller frees. */
static char *name_of(const struct pack *pack)
{
	struct hash *hash = hash_new(1);
	char hex[HASH_SHA1_HEX_SIZE];

	for (size_t i = 0; i < pack->count; i++)
		hash_update(hash, pack->entries[i].id, PACK_ID_SIZE);
	hash_final(hash, hex);
	return xasprintf("%sobjects/pack/pack-%s", pack->dir, hex);
}

/* What a run that was killed has left: we hold the writer's lock, and git's own temporary files have other names. */
static void sweep(const struct pack *pack)
{
	auto_free char *path = xasprintf("%sobjects/pack", pack->dir);
	DIR *folder = opendir(path);
	const struct dirent *entry;

	while (folder && (entry = readdir(folder)))
		if (strncmp(entry->d_name, ".tmp-", 5) == 0)
			(void)unlinkat(dirfd(folder), entry->d_name, 0);
	if (folder)
		(void)closedir(folder);
}

int pack_finish(struct pack *pack, struct error *err)
{
	auto_free char *name = NULL, *path = NULL, *index = NULL;
	unsigned char sum[PACK_ID_SIZE];

	if (drain(pack, err) < 0 || write_spool(pack, err) < 0)
		return -1;
	sweep(pack);
	qsort(pack->entries, pack->count, sizeof(*pack->entries), compare_entries);
	name = name_of(pack);
	path = xasprintf("%s.pack", name);
	index = xasprintf("%s.idx", name);
	return write_pack(pack, path, sum, err) < 0 ? -1 : write_index(pack, index, sum, err);
}
