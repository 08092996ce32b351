/* SPDX-License-Identifier: Apache-2.0 */
#include "git_internal.h"

#include <git2/sys/odb_backend.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "git_packfile.h"
#include "store/tree.h"
#include "tree_build.h"
#include "util/env.h"
#include "util/mem.h"

/* Contents held in memory while it is not known yet whether they become loose objects. */
#define HELD_MAX ((size_t)32 << 20)

struct held {
	git_object_t type;
	git_oid id;
	void *data;
	size_t len;
};

struct git_sink {
	struct git_store *store;
	const struct git_ids *head;
	struct git_ids seen;
	bool is_first; /* nothing was there before it */
	uint64_t draw; /* which of the head's blobs are read back this time */
	struct held held[GIT_LOOSE_MAX];
	size_t held_count, held_bytes;
	struct pack *pack;                 /* NULL until there are too many to be held */
	git_oid sample[GIT_READ_BACK_MAX]; /* of what is in it */
	size_t packed;
};

/* ---- adding ---- */

static void drop_held(struct git_sink *sink)
{
	for (size_t i = 0; i < sink->held_count; i++)
		free(sink->held[i].data);
	sink->held_count = 0;
	sink->held_bytes = 0;
}

/* One of the first objects is replaced by each of the others less and less often, so that at the end each had the same chance. */
static void sample(struct git_sink *sink, const git_oid *id)
{
	size_t at = sink->packed++;

	if (at >= GIT_READ_BACK_MAX)
		at = (git_id_bits(id) ^ sink->draw) % sink->packed;
	if (at < GIT_READ_BACK_MAX)
		sink->sample[at] = *id;
}

static int pack_object(struct git_sink *sink, git_object_t type, const void *data, size_t len, const git_oid *id, struct error *err)
{
	sample(sink, id);
	return pack_add(sink->pack, (int)type, data, len, id->id, err);
}

/* Too many to be loose: all of it goes into one pack. */
static int start_pack(struct git_sink *sink, struct error *err)
{
	if (pack_new(&sink->pack, sink->store->dir, err) < 0)
		return -1;
	for (size_t i = 0; i < sink->held_count; i++) {
		const struct held *held = &sink->held[i];

		if (pack_object(sink, held->type, held->data, held->len, &held->id, err) < 0)
			return -1;
	}
	drop_held(sink);
	return 0;
}

static void hold(struct git_sink *sink, git_object_t type, const void *data, size_t len, const git_oid *id)
{
	struct held *held = &sink->held[sink->held_count++];

	*held = (struct held){.type = type, .data = xmalloc(len), .len = len, .id = *id};
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
	if (sink->is_first)
		return 0;
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

	/* Not libgit2's SHA-1, which looks for collisions at a tenth of the speed: the SHA-256 of each file tells those apart. */
	tree_object_id(git_object_type2string(type), data, len, id->id);
	if (!git_ids_add(&sink->seen, id))
		return 0;
	there = git_sink_reuse(sink, type, id, err);
	if (there != 0)
		return there < 0 ? -1 : 0;
	if (sink->store->memory)
		return keep_in_memory(sink, type, data, len, id, err);
	if (!sink->pack && sink->held_count < GIT_LOOSE_MAX && sink->held_bytes + len <= HELD_MAX) {
		hold(sink, type, data, len, id);
		return 0;
	}
	if (!sink->pack && start_pack(sink, err) < 0)
		return -1;
	return pack_object(sink, type, data, len, id, err);
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

/* Some of what was written, as a reader will find it: a disk that loses bytes does not do it once. */
static int read_back(const struct git_sink *sink, struct error *err)
{
	size_t count = sink->packed < GIT_READ_BACK_MAX ? sink->packed : GIT_READ_BACK_MAX;

	if (git_odb_refresh(sink->store->odb) < 0)
		return git_fail(err, ERR_FAILED, "cannot read repository '%s' again", sink->store->dir);
	for (size_t i = 0; i < count; i++) {
		auto_object git_odb_object *object = NULL;

		if (git_odb_read(&object, sink->store->odb, &sink->sample[i]) < 0)
			return git_fail(err, ERR_FAILED, "the new pack cannot be read back");
	}
	return 0;
}

static int flush_pack(struct git_sink *sink, struct error *err)
{
	int rc = pack_finish(sink->pack, err);

	pack_free(sink->pack);
	sink->pack = NULL;
	if (rc == 0)
		rc = git_sync_directories(sink->store, "objects/pack", err) < 0 ? -1 : read_back(sink, err);
	sink->packed = 0;
	return rc;
}

int git_sink_flush(struct git_sink *sink, struct error *err)
{
	if (sink->held_count > 0)
		return flush_loose(sink, err);
	return sink->pack ? flush_pack(sink, err) : 0;
}

static int stop_at_first(const git_oid *id, void *arg)
{
	(void)id;
	(void)arg;
	return 1;
}

/* Then no look at the disk is needed for each of 10,000 objects. The memory of a dry run cannot be walked through. */
static bool is_empty(const struct git_store *store)
{
	return !store->memory && git_odb_foreach(store->odb, stop_at_first, NULL) == 0;
}

struct git_sink *git_sink_new(struct git_store *store, const struct git_ids *head)
{
	struct git_sink *sink = xcalloc(1, sizeof(*sink));

	sink->store = store;
	sink->head = head;
	sink->is_first = head->count == 0 && is_empty(store);
	env_random(&sink->draw, sizeof(sink->draw));
	return sink;
}

void git_sink_free(struct git_sink *sink)
{
	if (!sink)
		return;
	drop_held(sink);
	pack_free(sink->pack);
	git_ids_release(&sink->seen);
	free(sink);
}
