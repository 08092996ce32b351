/* SPDX-License-Identifier: Apache-2.0 */
#include "tree_build.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "util/error.h"
#include "util/hash.h"
#include "util/strbuf.h"

void tree_object_id(const char *type, const void *data, size_t len, unsigned char id[TREE_ID_RAW])
{
	struct hash *hash = hash_new(1);
	char header[40];
	int header_len = snprintf(header, sizeof(header), "%s %zu", type, len);

	hash_update(hash, header, (size_t)header_len + 1);
	hash_update(hash, data, len);
	hash_final_raw(hash, id);
}

struct builder {
	const struct tree_entry *entries;
	size_t count, at;
	tree_emit_fn emit;
	void *arg;
	struct error *err;
};

/* Whether the first len bytes of path are the whole path of a file. */
static bool is_file(const struct builder *b, const char *path, size_t len)
{
	size_t low = 0, high = b->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const char *other = b->entries[middle].path;
		int order = strncmp(other, path, len);

		if (order == 0 && other[len] == '\0')
			return true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

static void add_entry(struct strbuf *data, const char *mode, const char *name, size_t len, const unsigned char *id)
{
	strbuf_adds(data, mode);
	strbuf_add(data, name, len);
	strbuf_addc(data, '\0');
	strbuf_add(data, id, TREE_ID_RAW);
}

static int build_folder(struct builder *b, size_t start, unsigned char id[TREE_ID_RAW]);

static int build_child(struct builder *b, size_t start, size_t len, struct strbuf *data)
{
	const char *path = b->entries[b->at].path;
	unsigned char id[TREE_ID_RAW];

	if (is_file(b, path, start + len))
		return error_set(b->err, ERR_INTEGRITY, "'%.*s' is both a file and a folder", (int)(start + len), path);
	if (build_folder(b, start + len + 1, id) < 0)
		return -1;
	add_entry(data, "40000 ", path + start, len, id);
	return 0;
}

static int build_file(struct builder *b, size_t start, struct strbuf *data)
{
	const struct tree_entry *entry = &b->entries[b->at++];

	if (b->at < b->count && strcmp(entry->path, entry[1].path) == 0)
		return error_set(b->err, ERR_INTEGRITY, "'%s' is there twice", entry->path);
	add_entry(data, "100644 ", entry->path + start, strlen(entry->path + start), entry->id);
	return 0;
}

/* The folder named by the first start bytes of the path at hand; b->at is behind its last file afterwards. Never deeper than TREE_DEPTH_MAX. */
static int build_folder(struct builder *b, size_t start, unsigned char id[TREE_ID_RAW])
{
	auto_strbuf struct strbuf data = STRBUF_INIT;
	const char *first = b->at < b->count ? b->entries[b->at].path : "";

	while (b->at < b->count && strncmp(b->entries[b->at].path, first, start) == 0) {
		const char *name = b->entries[b->at].path + start;
		const char *slash = strchr(name, '/');

		if ((slash ? build_child(b, start, (size_t)(slash - name), &data) : build_file(b, start, &data)) < 0)
			return -1;
	}
	return b->emit ? b->emit(data.buf, data.len, id, b->arg, b->err) : 0;
}

int tree_build(const struct tree_entry *entries, size_t count, size_t skip, tree_emit_fn emit, void *arg, unsigned char id[TREE_ID_RAW],
	struct error *err)
{
	struct builder b = {.entries = entries, .count = count, .emit = emit, .arg = arg, .err = err};

	memset(id, 0, TREE_ID_RAW);
	return build_folder(&b, skip, id);
}
