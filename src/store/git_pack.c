/* SPDX-License-Identifier: Apache-2.0 */
#include "git_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <git2/sys/odb_backend.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "store/tree.h"
#include "util/env.h"
#include "util/hash.h"
#include "util/mem.h"

#define CHUNK ((size_t)64 * 1024)
/* Contents held in memory while it is not known yet whether they become loose objects. */
#define HELD_MAX ((size_t)32 << 20)
#define PACK_VERSION 2
#define SHA1_SIZE 20

struct held {
	git_object_t type;
	void *data;
	size_t len;
};

struct git_sink {
	struct git_store *store;
	const struct git_ids *head;
	struct git_ids seen;
	uint64_t draw; /* which of the head's blobs are read back this time */
	struct held held[GIT_LOOSE_MAX];
	size_t held_count, held_bytes;
	int spool;       /* deflated pack entries; -1 until there are too many to be held */
	uint32_t packed; /* entries in it */
	z_stream stream;
	bool stream_ready;
	size_t out_len;
	unsigned char out[CHUNK];
};

/* ---- the spool ---- */

/* A file without a name: a kill leaves nothing behind. */
static int open_spool(struct git_sink *sink, struct error *err)
{
	auto_free char *path = NULL;
	uint64_t random;

	env_random(&random, sizeof(random));
	path = xasprintf("%s.tmp-pack-%016" PRIx64, sink->store->dir, random);
	sink->spool = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (sink->spool < 0 || unlink(path) < 0)
		return error_errno(err, errno, "cannot make temporary file '%s'", path);
	if (deflateInit(&sink->stream, Z_BEST_SPEED) != Z_OK)
		return error_set(err, ERR_FAILED, "zlib cannot start");
	sink->stream_ready = true;
	return 0;
}

static int write_spool(struct git_sink *sink, struct error *err)
{
	const unsigned char *at = sink->out;

	while (sink->out_len > 0) {
		ssize_t written = write(sink->spool, at, sink->out_len);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return error_errno(err, errno, "cannot write the new pack in '%s'", sink->store->dir);
		at += written;
		sink->out_len -= (size_t)written;
	}
	return 0;
}

/* Type and size: 4 bits of size in the first byte, 7 in each that follows. */
static int spool_header(struct git_sink *sink, git_object_t type, size_t len, struct error *err)
{
	unsigned char byte = (unsigned char)((unsigned)type << 4 | (len & 0x0F));

	if (sink->out_len + 16 > CHUNK && write_spool(sink, err) < 0)
		return -1;
	for (len >>= 4; len > 0; len >>= 7) {
		sink->out[sink->out_len++] = byte | 0x80;
		byte = len & 0x7F;
	}
	sink->out[sink->out_len++] = byte;
	return 0;
}

static int spool_object(struct git_sink *sink, git_object_t type, const void *data, size_t len, struct error *err)
{
	z_stream *z = &sink->stream;
	int rc = Z_OK;

	if (len > UINT32_MAX || sink->packed == UINT32_MAX)
		return error_set(err, ERR_FAILED, "too large for a git pack");
	if (spool_header(sink, type, len, err) < 0)
		return -1;
	if (deflateReset(z) != Z_OK)
		return error_set(err, ERR_FAILED, "zlib cannot start");
	/* zlib reads only, but is older than const. */
	z->next_in = (unsigned char *)(uintptr_t)data;
	z->avail_in = (uInt)len;
	while (rc != Z_STREAM_END) {
		if (sink->out_len == CHUNK && write_spool(sink, err) < 0)
			return -1;
		z->next_out = sink->out + sink->out_len;
		z->avail_out = (uInt)(CHUNK - sink->out_len);
		rc = deflate(z, Z_FINISH);
		if (rc != Z_OK && rc != Z_STREAM_END)
			return error_set(err, ERR_FAILED, "zlib cannot compress");
		sink->out_len = CHUNK - z->avail_out;
	}
	sink->packed++;
	return 0;
}

/* ---- adding ---- */

static void drop_held(struct git_sink *sink)
{
	for (size_t i = 0; i < sink->held_count; i++)
		free(sink->held[i].data);
	sink->held_count = 0;
	sink->held_bytes = 0;
}

/* Too many to be loose: all of it goes into one pack. */
static int start_pack(struct git_sink *sink, struct error *err)
{
	if (open_spool(sink, err) < 0)
		return -1;
	for (size_t i = 0; i < sink->held_count; i++)
		if (spool_object(sink, sink->held[i].type, sink->held[i].data, sink->held[i].len, err) < 0)
			return -1;
	drop_held(sink);
	return 0;
}

static void hold(struct git_sink *sink, git_object_t type, const void *data, size_t len)
{
	struct held *held = &sink->held[sink->held_count++];

	*held = (struct held){.type = type, .data = xmalloc(len), .len = len};
	if (len)
		memcpy(held->data, data, len);
	sink->held_bytes += len;
}

/* Whether a blob is a file of the head and not among those of which it is the turn. */
static bool is_spared(const struct git_sink *sink, const git_oid *id)
{
	return git_ids_has(sink->head, id) && (git_id_bits(id) + sink->draw) % sink->head->count >= GIT_READ_BACK_MAX;
}

/* It is there already, and will not be written again: it had better be whole. */
static int check_reused(const struct git_sink *sink, git_object_t type, const git_oid *id, struct error *err)
{
	auto_object git_odb_object *object = NULL;
	size_t max = type == GIT_OBJECT_BLOB ? TREE_FILE_MAX : GIT_TREE_MAX;

	if (type == GIT_OBJECT_BLOB && is_spared(sink, id))
		return 0;
	if (git_load(&object, sink->store, id, type, max, err) == 0)
		return 0;
	(void)error_wrap(err, "repository '%s'", sink->store->dir);
	return error_hint(err, "'git fsck' lists all that is damaged; take the repository from another copy, or begin a new one");
}

int git_sink_reuse(const struct git_sink *sink, git_object_t type, const git_oid *id, struct error *err)
{
	/* No look for new packs at each miss: when another git repacks meanwhile, an object is stored twice, no more. */
	if (!git_odb_exists_ext(sink->store->odb, id, GIT_ODB_LOOKUP_NO_REFRESH))
		return 0;
	return check_reused(sink, type, id, err) < 0 ? -1 : 1;
}

static int keep_in_memory(
	const struct git_sink *sink, git_object_t type, const void *data, size_t len, const git_oid *id, struct error *err)
{
	git_odb_backend *memory = sink->store->memory;

	return memory->write(memory, id, data, len, type) < 0 ? git_fail(err, ERR_FAILED, "cannot keep it in memory") : 0;
}

int git_sink_add(struct git_sink *sink, git_object_t type, const void *data, size_t len, git_oid *id, struct error *err)
{
	int there;

	if (git_odb_hash(id, data, len, type) < 0)
		return git_fail(err, ERR_FAILED, "cannot hash");
	if (!git_ids_add(&sink->seen, id))
		return 0;
	there = git_sink_reuse(sink, type, id, err);
	if (there != 0)
		return there < 0 ? -1 : 0;
	if (sink->store->memory)
		return keep_in_memory(sink, type, data, len, id, err);
	if (sink->spool < 0 && sink->held_count < GIT_LOOSE_MAX && sink->held_bytes + len <= HELD_MAX) {
		hold(sink, type, data, len);
		return 0;
	}
	if (sink->spool < 0 && start_pack(sink, err) < 0)
		return -1;
	return spool_object(sink, type, data, len, err);
}

/* ---- making it durable ---- */

static int flush_loose(struct git_sink *sink, struct error *err)
{
	for (size_t i = 0; i < sink->held_count; i++) {
		const struct held *held = &sink->held[i];
		git_oid id;

		if (git_odb_write(&id, sink->store->odb, held->data, held->len, held->type) < 0)
			return git_fail(err, ERR_FAILED, "cannot write to repository '%s'", sink->store->dir);
	}
	drop_held(sink);
	return git_sync_directories(sink->store, "objects", err);
}

struct feed {
	git_odb_writepack *pack;
	git_indexer_progress progress;
	struct hash *sum;
};

static int feed_bytes(struct feed *feed, const void *data, size_t len, struct error *err)
{
	if (feed->sum)
		hash_update(feed->sum, data, len);
	if (feed->pack->append(feed->pack, data, len, &feed->progress) < 0)
		return git_fail(err, ERR_FAILED, "cannot write the new pack");
	return 0;
}

static int feed_header(struct feed *feed, uint32_t count, struct error *err)
{
	unsigned char header[12] = {'P', 'A', 'C', 'K', 0, 0, 0, PACK_VERSION};

	for (int i = 0; i < 4; i++)
		header[8 + i] = (unsigned char)(count >> (24 - 8 * i) & 0xFF);
	return feed_bytes(feed, header, sizeof(header), err);
}

static int feed_spool(struct git_sink *sink, struct feed *feed, struct error *err)
{
	ssize_t got;

	if (write_spool(sink, err) < 0)
		return -1;
	if (lseek(sink->spool, 0, SEEK_SET) < 0)
		return error_errno(err, errno, "cannot read the new pack");
	while ((got = read(sink->spool, sink->out, CHUNK)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return error_errno(err, errno, "cannot read the new pack");
		if (feed_bytes(feed, sink->out, (size_t)got, err) < 0)
			return -1;
	}
	return 0;
}

static int feed_trailer(struct feed *feed, struct error *err)
{
	unsigned char raw[SHA1_SIZE];

	hash_final_raw(feed->sum, raw);
	feed->sum = NULL;
	return feed_bytes(feed, raw, sizeof(raw), err);
}

/* The indexer reads every object back, and names the pack only once it is whole and on the disk. */
static int feed_pack(struct git_sink *sink, struct feed *feed, struct error *err)
{
	if (feed_header(feed, sink->packed, err) < 0 || feed_spool(sink, feed, err) < 0 || feed_trailer(feed, err) < 0)
		return -1;
	if (feed->pack->commit(feed->pack, &feed->progress) < 0)
		return git_fail(err, ERR_FAILED, "cannot finish the new pack");
	if (feed->progress.indexed_objects != sink->packed)
		return error_set(
			err, ERR_FAILED, "the new pack has %u objects instead of %" PRIu32, feed->progress.indexed_objects, sink->packed);
	return 0;
}

static int flush_pack(struct git_sink *sink, struct error *err)
{
	struct feed feed = {0};
	unsigned char unused[SHA1_SIZE];
	int rc;

	if (git_odb_write_pack(&feed.pack, sink->store->odb, NULL, NULL) < 0)
		return git_fail(err, ERR_FAILED, "cannot write to repository '%s'", sink->store->dir);
	feed.sum = hash_new(1);
	rc = feed_pack(sink, &feed, err);
	if (feed.sum)
		hash_final_raw(feed.sum, unused);
	feed.pack->free(feed.pack);
	if (rc < 0)
		return -1;
	sink->packed = 0;
	if (ftruncate(sink->spool, 0) < 0 || lseek(sink->spool, 0, SEEK_SET) < 0)
		return error_errno(err, errno, "cannot empty the spool of '%s'", sink->store->dir);
	if (git_odb_refresh(sink->store->odb) < 0)
		return git_fail(err, ERR_FAILED, "cannot read repository '%s' again", sink->store->dir);
	return git_sync_directories(sink->store, "objects/pack", err);
}

int git_sink_flush(struct git_sink *sink, struct error *err)
{
	if (sink->held_count > 0)
		return flush_loose(sink, err);
	return sink->packed > 0 ? flush_pack(sink, err) : 0;
}

struct git_sink *git_sink_new(struct git_store *store, const struct git_ids *head)
{
	struct git_sink *sink = xcalloc(1, sizeof(*sink));

	sink->store = store;
	sink->head = head;
	sink->spool = -1;
	env_random(&sink->draw, sizeof(sink->draw));
	return sink;
}

void git_sink_free(struct git_sink *sink)
{
	if (!sink)
		return;
	drop_held(sink);
	if (sink->spool >= 0)
		(void)close(sink->spool);
	if (sink->stream_ready)
		(void)deflateEnd(&sink->stream);
	git_ids_release(&sink->seen);
	free(sink);
}
