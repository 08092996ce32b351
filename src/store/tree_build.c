/* SPDX-License-Identifier: Apache-2.0 */
#include "tree_build.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/tree.h"
#include "util/error.h"
#include "util/hash.h"
#include "util/mem.h"
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

struct tree_builder {
	tree_emit_fn emit;
	void *arg;
	struct strbuf last; /* the path before this one */
	/* The lengths of all files that are a start of last, itself too: only these can turn out to be a folder as well. */
	size_t *files;
	size_t file_count, file_cap;
	/* The open folders: of each the length of its path, with the '/', and its entries so far. */
	struct folder {
		size_t len;
		struct strbuf data;
	} folders[TREE_DEPTH_MAX];
	size_t depth; /* of the innermost; 0 is the root */
};

struct tree_builder *tree_builder_new(tree_emit_fn emit, void *arg)
{
	struct tree_builder *b = xcalloc(1, sizeof(*b));

	b->emit = emit;
	b->arg = arg;
	b->last = (struct strbuf)STRBUF_INIT;
	for (size_t i = 0; i < TREE_DEPTH_MAX; i++)
		b->folders[i].data = (struct strbuf)STRBUF_INIT;
	return b;
}

void tree_builder_free(struct tree_builder *b)
{
	if (!b)
		return;
	strbuf_release(&b->last);
	for (size_t i = 0; i < TREE_DEPTH_MAX; i++)
		strbuf_release(&b->folders[i].data);
	free(b->files);
	free(b);
}

static void add_entry(struct strbuf *data, const char *mode, const char *name, size_t len, const unsigned char *id)
{
	strbuf_adds(data, mode);
	strbuf_add(data, name, len);
	strbuf_addc(data, '\0');
	strbuf_add(data, id, TREE_ID_RAW);
}

/* Between a file and a folder of its name all paths start with that name: so it is among the starts of the last path. */
static int check_files(struct tree_builder *b, const char *path, size_t common, struct error *err)
{
	while (b->file_count > 0 && b->files[b->file_count - 1] > common)
		b->file_count--;
	for (size_t i = 0; i < b->file_count; i++) {
		size_t len = b->files[i];

		if (path[len] == '\0')
			return error_set(err, ERR_INTEGRITY, "'%s' is there twice", path);
		if (path[len] == '/')
			return error_set(err, ERR_INTEGRITY, "'%.*s' is both a file and a folder", (int)len, path);
	}
	return 0;
}

static int emit_folder(struct tree_builder *b, const struct folder *folder, unsigned char id[TREE_ID_RAW], struct error *err)
{
	return b->emit ? b->emit(folder->data.buf, folder->data.len, id, b->arg, err) : 0;
}

/* The innermost folder is complete. */
static int close_folder(struct tree_builder *b, struct error *err)
{
	struct folder *folder = &b->folders[b->depth];
	const struct folder *above = &b->folders[b->depth - 1];
	unsigned char id[TREE_ID_RAW] = {0};

	if (emit_folder(b, folder, id, err) < 0)
		return -1;
	strbuf_truncate(&folder->data, 0);
	b->depth--;
	add_entry(&b->folders[b->depth].data, "40000 ", b->last.buf + above->len, folder->len - above->len - 1, id);
	return 0;
}

static int open_folders(struct tree_builder *b, const char *path, struct error *err)
{
	const char *slash;

	while ((slash = strchr(path + b->folders[b->depth].len, '/'))) {
		if (b->depth + 1 == TREE_DEPTH_MAX)
			return error_set(err, ERR_INTEGRITY, "folders too deep: '%s'", path);
		b->folders[++b->depth].len = (size_t)(slash - path) + 1;
	}
	return 0;
}

int tree_builder_add(struct tree_builder *b, const char *path, const unsigned char id[TREE_ID_RAW], struct error *err)
{
	size_t common = 0, start;

	while (path[common] && path[common] == b->last.buf[common])
		common++;
	if (check_files(b, path, common, err) < 0)
		return -1;
	while (b->folders[b->depth].len > common)
		if (close_folder(b, err) < 0)
			return -1;
	if (open_folders(b, path, err) < 0)
		return -1;
	start = b->folders[b->depth].len;
	add_entry(&b->folders[b->depth].data, "100644 ", path + start, strlen(path + start), id);
	strbuf_truncate(&b->last, common);
	strbuf_adds(&b->last, path + common);
	b->files = xgrow(b->files, &b->file_cap, b->file_count + 1, sizeof(*b->files));
	b->files[b->file_count++] = b->last.len;
	return 0;
}

int tree_builder_finish(struct tree_builder *b, unsigned char id[TREE_ID_RAW], struct error *err)
{
	memset(id, 0, TREE_ID_RAW);
	while (b->depth > 0)
		if (close_folder(b, err) < 0)
			return -1;
	return emit_folder(b, &b->folders[0], id, err);
}

int tree_build(const struct tree_entry *entries, size_t count, size_t skip, tree_emit_fn emit, void *arg, unsigned char id[TREE_ID_RAW],
	struct error *err)
{
	struct tree_builder *b = tree_builder_new(emit, arg);
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = tree_builder_add(b, entries[i].path + skip, entries[i].id, err);
	if (rc == 0)
		rc = tree_builder_finish(b, id, err);
	tree_builder_free(b);
	return rc;
}
