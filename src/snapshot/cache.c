/* SPDX-License-Identifier: Apache-2.0 */
#include "cache.h"

#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/policy.h"
#include "store/git.h"
#include "util/error.h"
#include "util/file.h"
#include "util/hash.h"
#include "util/json.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/strbuf.h"

/*
 * The file: a line, the identity in hex, the records (length in 4 bytes of this machine's order, key with its NUL, bytes), then SHA-256 of
 * all that in hex.
 */
#define MAGIC "rhaii-dr cache 1\n"
#define HEAD_LEN (sizeof(MAGIC) - 1 + HASH_HEX_SIZE - 1)
#define SUM_LEN (HASH_HEX_SIZE - 1)
#define FOLDER "rhaii-dr.cache"
#define FILE_MAX_BYTES ((size_t)1 << 30)
#define CHUNK ((size_t)64 << 10)

/* Where a record is in the file; len 0: free. */
struct slot {
	uint64_t hash;
	uint32_t offset_low, len;
	uint32_t offset_high;
};

struct cache {
	char *folder, *path;
	char identity[HASH_HEX_SIZE];

	int fd; /* of the old file; -1: none */
	struct slot *slots;
	size_t cap, count;

	bool read_only, failed, fresh; /* fresh: holds what the old one does not */
	size_t kept;
	struct file_writer *writer;
	struct hash *sum;
	struct strbuf out;
};

/* ---- identity ---- */

/* The linker's id of the program: an entry made by other code is worth nothing. */
static int add_build_id(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_NOTE)
			hash_update(arg, (const void *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr), info->dlpi_phdr[i].p_memsz);
	return 1; /* the first is the program itself */
}

static void identify(const struct cache_identity *identity, char out[HASH_HEX_SIZE])
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	struct hash *hash = hash_new(0);

	strbuf_addf(&text, "%s\n%s\n%s\n", RHAII_VERSION, identity->cluster_id, identity->policy->name);
	json_write(identity->policy->document, &text);
	hash_update(hash, text.buf, text.len);
	(void)dl_iterate_phdr(add_build_id, hash);
	hash_final(hash, out);
}

/* ---- the old file ---- */

/* FNV-1a. */
static uint64_t hash_of(const char *key)
{
	uint64_t hash = 0xcbf29ce484222325U;

	for (; *key; key++)
		hash = (hash ^ (unsigned char)*key) * 0x100000001b3U;
	return hash;
}

static void slot_put(struct cache *cache, uint64_t hash, uint64_t offset, uint32_t len)
{
	size_t at = hash & (cache->cap - 1);

	while (cache->slots[at].len && cache->slots[at].hash != hash)
		at = (at + 1) & (cache->cap - 1);
	cache->count += cache->slots[at].len == 0;
	/* the same key again: the later record knows more */
	cache->slots[at] = (struct slot){.hash = hash, .offset_low = (uint32_t)offset, .offset_high = (uint32_t)(offset >> 32), .len = len};
}

/* Call for each record; false when they do not end where the file does. */
static bool walk(const char *buf, size_t from, size_t to, struct cache *cache, size_t *count)
{
	while (from < to) {
		uint32_t len;

		if (to - from < sizeof(len))
			return false;
		memcpy(&len, buf + from, sizeof(len));
		from += sizeof(len);
		if (len == 0 || len > to - from || !memchr(buf + from, '\0', len))
			return false;
		if (cache)
			slot_put(cache, hash_of(buf + from), from, len);
		from += len;
		(*count)++;
	}
	return true;
}

static bool is_ours(const struct cache *cache, const struct strbuf *file)
{
	char sum[HASH_HEX_SIZE];

	if (file->len < HEAD_LEN + SUM_LEN || memcmp(file->buf, MAGIC, sizeof(MAGIC) - 1) != 0 ||
		memcmp(file->buf + sizeof(MAGIC) - 1, cache->identity, HASH_HEX_SIZE - 1) != 0)
		return false;
	hash_sha256(file->buf, file->len - SUM_LEN, sum);
	return memcmp(file->buf + file->len - SUM_LEN, sum, SUM_LEN) == 0;
}

/* Checked whole, then only its index stays in memory: records are read as they are asked for. */
static void load(struct cache *cache)
{
	auto_strbuf struct strbuf file = STRBUF_INIT;
	struct error err = ERROR_INIT;
	size_t count = 0, again = 0;

	if (file_read(cache->path, FILE_MAX_BYTES, &file, &err) < 0 || !is_ours(cache, &file) ||
		!walk(file.buf, HEAD_LEN, file.len - SUM_LEN, NULL, &count)) {
		log_debug("no cache of the last capture in '%s'", cache->path);
		return;
	}
	for (cache->cap = 16; cache->cap < count * 2;)
		cache->cap *= 2;
	cache->slots = xcalloc(cache->cap, sizeof(*cache->slots));
	(void)walk(file.buf, HEAD_LEN, file.len - SUM_LEN, cache, &again);
	cache->fd = open(cache->path, O_RDONLY | O_CLOEXEC);
}

/* What a run that was killed has left. */
static void sweep(const struct cache *cache)
{
	DIR *folder = opendir(cache->folder);
	const struct dirent *entry;

	while (folder && (entry = readdir(folder)))
		if (strncmp(entry->d_name, ".tmp-", 5) == 0)
			(void)unlinkat(dirfd(folder), entry->d_name, 0);
	if (folder)
		(void)closedir(folder);
}

struct cache *cache_open(const struct git_store *store, const struct cache_identity *identity, bool read_only)
{
	struct cache *cache = xcalloc(1, sizeof(*cache));

	cache->folder = xasprintf("%s" FOLDER, git_store_dir(store));
	cache->path = xasprintf("%s/%s", cache->folder, identity->cluster);
	cache->out = (struct strbuf)STRBUF_INIT;
	cache->fd = -1;
	cache->read_only = read_only;
	identify(identity, cache->identity);
	if (!read_only)
		sweep(cache);
	load(cache);
	return cache;
}

static const struct slot *slot_find(const struct cache *cache, uint64_t hash)
{
	size_t at = hash & (cache->cap - 1);

	while (cache->slots[at].len && cache->slots[at].hash != hash)
		at = (at + 1) & (cache->cap - 1);
	return cache->slots[at].len ? &cache->slots[at] : NULL;
}

bool cache_find(struct cache *cache, const char *key, struct strbuf *record)
{
	const struct slot *slot = cache && cache->fd >= 0 ? slot_find(cache, hash_of(key)) : NULL;
	size_t skip = strlen(key) + 1;
	char *to;

	strbuf_truncate(record, 0);
	if (!slot || slot->len <= skip)
		return false;
	to = strbuf_reserve(record, slot->len);
	if (pread(cache->fd, to, slot->len, (off_t)((uint64_t)slot->offset_high << 32 | slot->offset_low)) != (ssize_t)slot->len ||
		memcmp(to, key, skip) != 0)
		return false;
	record->len = slot->len - skip;
	memmove(to, to + skip, record->len);
	to[record->len] = '\0';
	return true;
}

/* ---- the new file ---- */

static int start(struct cache *cache, struct error *err)
{
	if (file_mkdirs(cache->folder, err) < 0 || file_writer_open(&cache->writer, cache->path, 0600, err) < 0)
		return -1;
	cache->sum = hash_new(0);
	return 0;
}

static int flush(struct cache *cache, struct error *err)
{
	if (!cache->writer && start(cache, err) < 0)
		return -1;
	hash_update(cache->sum, cache->out.buf, cache->out.len);
	if (file_writer_write(cache->writer, cache->out.buf, cache->out.len, err) < 0)
		return -1;
	strbuf_truncate(&cache->out, 0);
	return 0;
}

static void give_up(struct cache *cache, const struct error *err)
{
	log_warning("the cache of this capture cannot be written, the next one will take longer: %s", err->text);
	cache->failed = true;
}

/* An object that is read each time mostly says the same. */
static bool is_known(struct cache *cache, const char *key, const struct strbuf *record)
{
	auto_strbuf struct strbuf old = STRBUF_INIT;

	return cache_find(cache, key, &old) && old.len == record->len && memcmp(old.buf, record->buf, old.len) == 0;
}

void cache_keep(struct cache *cache, const char *key, const struct strbuf *record, bool known)
{
	struct error err = ERROR_INIT;
	uint32_t len;

	if (!cache || cache->read_only || cache->failed)
		return;
	if (!cache->out.len && !cache->writer)
		strbuf_addf(&cache->out, MAGIC "%s", cache->identity);
	known = known || is_known(cache, key, record);
	cache->kept += known;
	cache->fresh = cache->fresh || !known;
	len = (uint32_t)(strlen(key) + 1 + record->len);
	strbuf_add(&cache->out, &len, sizeof(len));
	strbuf_add(&cache->out, key, strlen(key) + 1);
	strbuf_add(&cache->out, record->buf, record->len);
	if (cache->out.len >= CHUNK && flush(cache, &err) < 0)
		give_up(cache, &err);
}

static int finish(struct cache *cache, struct error *err)
{
	struct file_writer *writer;
	char sum[HASH_HEX_SIZE];

	if (flush(cache, err) < 0)
		return -1;
	hash_final(cache->sum, sum);
	cache->sum = NULL;
	if (file_writer_write(cache->writer, sum, SUM_LEN, err) < 0)
		return -1;
	writer = cache->writer;
	cache->writer = NULL;
	return file_writer_commit(writer, false, err);
}

void cache_save(struct cache *cache)
{
	struct error err = ERROR_INIT;

	if (!cache || cache->read_only || cache->failed || (!cache->fresh && cache->kept == cache->count))
		return;
	if (finish(cache, &err) < 0)
		give_up(cache, &err);
}

void cache_free(struct cache *cache)
{
	char unused[HASH_HEX_SIZE];

	if (!cache)
		return;
	file_writer_abort(cache->writer);
	if (cache->sum)
		hash_final(cache->sum, unused);
	if (cache->fd >= 0)
		(void)close(cache->fd);
	strbuf_release(&cache->out);
	free(cache->slots);
	free(cache->folder);
	free(cache->path);
	free(cache);
}
