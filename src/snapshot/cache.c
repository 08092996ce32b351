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

#include "object/fieldpath.h"
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
#define CHUNK ((size_t)64 << 10)
#define RECORD_MAX ((uint32_t)64 << 20)

/* Where a record is in the file: its length field, and its bytes behind that. */
struct record {
	uint64_t at;
	uint32_t len; /* 0: none */
};

struct slot {
	uint64_t hash;
	struct record record;
};

/*
 * Mostly a capture sees the objects in the order of the last one. So the old file is read from its start to its end beside it; the index is
 * made at the first look-up that this does not answer. And as long as what is kept is what the old file has, nothing is written.
 */
struct cache {
	char *folder, *path;
	char identity[HASH_HEX_SIZE];

	int fd;       /* of the old file; -1: none */
	uint64_t end; /* of its records */
	struct strbuf window;
	uint64_t window_at;
	uint64_t cursor;     /* the record behind the one that was found last */
	struct record found; /* by the last look-up */
	uint64_t missed;     /* hash of the key of the last look-up that found none; 0: it did */
	struct slot *slots;  /* NULL: no index yet */
	size_t cap;

	bool read_only, failed;
	uint64_t same; /* so far the new file is the old one up to here */
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
	for (size_t i = 0; i < identity->policy->own_count; i++) {
		const struct policy_own *own = &identity->policy->own[i];

		strbuf_addf(&text, "\n%d %s.%s %s", own->keep, own->resource, own->group, fieldpath_text(own->path));
	}
	hash_update(hash, text.buf, text.len);
	(void)dl_iterate_phdr(add_build_id, hash);
	hash_final(hash, out);
}

/* ---- the old file ---- */

/* Bytes of it, up to the next call; NULL when it cannot be read. */
static const char *bytes_at(struct cache *cache, uint64_t at, size_t len)
{
	size_t want = len > CHUNK ? len : CHUNK;
	ssize_t got;

	if (at < cache->window_at || at + len > cache->window_at + cache->window.len) {
		strbuf_truncate(&cache->window, 0);
		got = pread(cache->fd, strbuf_reserve(&cache->window, want), want, (off_t)at);
		cache->window.len = got > 0 ? (size_t)got : 0;
		cache->window_at = at;
	}
	return cache->window.len >= len ? cache->window.buf + (at - cache->window_at) : NULL;
}

/* The record there: key with its NUL, then what is known; NULL when there is none. */
static const char *record_at(struct cache *cache, uint64_t at, struct record *out)
{
	const char *bytes = at + sizeof(out->len) <= cache->end ? bytes_at(cache, at, sizeof(out->len)) : NULL;

	*out = (struct record){.at = at};
	if (!bytes)
		return NULL;
	memcpy(&out->len, bytes, sizeof(out->len));
	if (out->len == 0 || out->len > RECORD_MAX || at + sizeof(out->len) + out->len > cache->end)
		return NULL;
	bytes = bytes_at(cache, at + sizeof(out->len), out->len);
	return bytes && memchr(bytes, '\0', out->len) ? bytes : NULL;
}

static uint64_t behind(const struct record *record)
{
	return record->at + sizeof(record->len) + record->len;
}

/* Hash the file up to its sum, which must be that. */
static bool is_whole(struct cache *cache)
{
	struct hash *hash = hash_new(0);
	char sum[HASH_HEX_SIZE];
	const char *bytes = "";

	for (uint64_t at = 0; bytes && at < cache->end; at += CHUNK) {
		size_t len = cache->end - at < CHUNK ? (size_t)(cache->end - at) : CHUNK;

		bytes = bytes_at(cache, at, len);
		hash_update(hash, bytes, bytes ? len : 0);
	}
	hash_final(hash, sum);
	bytes = bytes ? bytes_at(cache, cache->end, SUM_LEN) : NULL;
	return bytes && memcmp(bytes, sum, SUM_LEN) == 0;
}

static bool is_ours(struct cache *cache)
{
	const char *head = bytes_at(cache, 0, HEAD_LEN);

	return head && memcmp(head, MAGIC, sizeof(MAGIC) - 1) == 0 &&
		memcmp(head + sizeof(MAGIC) - 1, cache->identity, HASH_HEX_SIZE - 1) == 0;
}

/* Checked whole; none of it stays in memory. */
static void load(struct cache *cache)
{
	off_t size;

	cache->fd = open(cache->path, O_RDONLY | O_CLOEXEC);
	size = cache->fd < 0 ? -1 : lseek(cache->fd, 0, SEEK_END);
	cache->end = size < (off_t)(HEAD_LEN + SUM_LEN) ? 0 : (uint64_t)size - SUM_LEN;
	if (cache->end && is_ours(cache) && is_whole(cache)) {
		cache->cursor = cache->same = HEAD_LEN;
		return;
	}
	log_debug("no cache of the last capture in '%s'", cache->path);
	if (cache->fd >= 0)
		(void)close(cache->fd);
	cache->fd = -1;
	cache->end = 0;
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
	cache->out = cache->window = (struct strbuf)STRBUF_INIT;
	cache->fd = -1;
	cache->read_only = read_only;
	identify(identity, cache->identity);
	if (!read_only)
		sweep(cache);
	load(cache);
	return cache;
}

/* ---- looking up ---- */

/* FNV-1a. */
static uint64_t hash_of(const char *key)
{
	uint64_t hash = 0xcbf29ce484222325U;

	for (; *key; key++)
		hash = (hash ^ (unsigned char)*key) * 0x100000001b3U;
	return hash;
}

static struct slot *slot_of(const struct cache *cache, uint64_t hash)
{
	size_t at = hash & (cache->cap - 1);

	while (cache->slots[at].record.len && cache->slots[at].hash != hash)
		at = (at + 1) & (cache->cap - 1);
	return &cache->slots[at];
}

static void make_index(struct cache *cache)
{
	struct record record;
	const char *key;
	size_t count = 0;

	for (uint64_t at = HEAD_LEN; record_at(cache, at, &record); at = behind(&record))
		count++;
	for (cache->cap = 16; cache->cap < count * 2;)
		cache->cap *= 2;
	cache->slots = xcalloc(cache->cap, sizeof(*cache->slots));
	/* the same key again: the later record knows more */
	for (uint64_t at = HEAD_LEN; (key = record_at(cache, at, &record)); at = behind(&record)) {
		uint64_t hash = hash_of(key);

		*slot_of(cache, hash) = (struct slot){.hash = hash, .record = record};
	}
}

/* The same object at another version: the keys differ only behind their last '/'. */
static bool is_same_object(const char *a, const char *b)
{
	const char *slash = strrchr(a, '/');

	return slash && strncmp(a, b, (size_t)(slash - a) + 1) == 0 && !strchr(b + (slash - a) + 1, '/');
}

static const char *look_in_index(struct cache *cache, const char *key)
{
	const struct slot *slot;

	if (!cache->slots)
		make_index(cache);
	slot = slot_of(cache, hash_of(key));
	return slot->record.len ? record_at(cache, slot->record.at, &cache->found) : NULL;
}

/* The record of the key, key first; NULL when there is none. */
static const char *look_up(struct cache *cache, const char *key)
{
	const char *text = record_at(cache, cache->cursor, &cache->found);

	if (!text || (strcmp(text, key) != 0 && !is_same_object(text, key)))
		text = look_in_index(cache, key);
	if (text && is_same_object(text, key))
		cache->cursor = behind(&cache->found);
	cache->missed = 0;
	if (text && strcmp(text, key) == 0)
		return text;
	cache->found.len = 0;
	cache->missed = hash_of(key);
	return NULL;
}

bool cache_find(struct cache *cache, const char *key, struct strbuf *record)
{
	const char *text = cache && cache->fd >= 0 ? look_up(cache, key) : NULL;
	size_t skip = strlen(key) + 1;

	strbuf_truncate(record, 0);
	if (!text)
		return false;
	strbuf_add(record, text + skip, cache->found.len - skip);
	return true;
}

/* ---- the new file ---- */

static int write_bytes(struct cache *cache, const char *bytes, size_t len, struct error *err)
{
	hash_update(cache->sum, bytes, len);
	return file_writer_write(cache->writer, bytes, len, err);
}

/* With what the old one has of it. */
static int start(struct cache *cache, struct error *err)
{
	if (file_mkdirs(cache->folder, err) < 0 || file_writer_open(&cache->writer, cache->path, 0600, err) < 0)
		return -1;
	cache->sum = hash_new(0);
	if (!cache->same)
		return write_bytes(cache, MAGIC, sizeof(MAGIC) - 1, err) < 0 ||
				write_bytes(cache, cache->identity, HASH_HEX_SIZE - 1, err) < 0
			? -1
			: 0;
	for (uint64_t at = 0; at < cache->same; at += CHUNK) {
		size_t len = cache->same - at < CHUNK ? (size_t)(cache->same - at) : CHUNK;
		const char *bytes = bytes_at(cache, at, len);

		if (!bytes)
			return error_set(err, ERR_FAILED, "the old one cannot be read");
		if (write_bytes(cache, bytes, len, err) < 0)
			return -1;
	}
	return 0;
}

static int flush(struct cache *cache, struct error *err)
{
	if (write_bytes(cache, cache->out.buf, cache->out.len, err) < 0)
		return -1;
	strbuf_truncate(&cache->out, 0);
	return 0;
}

static void give_up(struct cache *cache, const struct error *err)
{
	log_warning("the cache of this capture cannot be written, the next one will take longer: %s", err->text);
	cache->failed = true;
}

/* The record that is just this, found by the last look-up or one more. */
static bool is_found(struct cache *cache, const char *key, const struct strbuf *record)
{
	size_t skip = strlen(key) + 1;
	struct record found;
	const char *text = NULL;

	if (cache->fd < 0 || cache->missed == hash_of(key))
		return false;
	if (cache->found.len)
		text = record_at(cache, cache->found.at, &found);
	if (!text || strcmp(text, key) != 0)
		text = look_up(cache, key);
	return text && cache->found.len == skip + record->len && memcmp(text + skip, record->buf, record->len) == 0;
}

static int append(struct cache *cache, const char *key, const struct strbuf *record, struct error *err)
{
	uint32_t len = (uint32_t)(strlen(key) + 1 + record->len);

	if (!cache->writer && start(cache, err) < 0)
		return -1;
	strbuf_add(&cache->out, &len, sizeof(len));
	strbuf_add(&cache->out, key, strlen(key) + 1);
	strbuf_add(&cache->out, record->buf, record->len);
	return cache->out.len >= CHUNK ? flush(cache, err) : 0;
}

void cache_keep(struct cache *cache, const char *key, const struct strbuf *record)
{
	struct error err = ERROR_INIT;

	if (!cache || cache->read_only || cache->failed || record->len > RECORD_MAX / 2)
		return;
	if (!cache->writer && is_found(cache, key, record) && cache->found.at == cache->same)
		cache->same = behind(&cache->found);
	else if (append(cache, key, record, &err) < 0)
		give_up(cache, &err);
}

static int finish(struct cache *cache, struct error *err)
{
	struct file_writer *writer;
	char sum[HASH_HEX_SIZE];

	if ((!cache->writer && start(cache, err) < 0) || flush(cache, err) < 0)
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

	if (!cache || cache->read_only || cache->failed || (!cache->writer && cache->fd >= 0 && cache->same == cache->end))
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
	strbuf_release(&cache->window);
	free(cache->slots);
	free(cache->folder);
	free(cache->path);
	free(cache);
}
