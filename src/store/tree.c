/* SPDX-License-Identifier: Apache-2.0 */
#include "store/tree.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tree_build.h"
#include "util/error.h"
#include "util/hash.h"
#include "util/mem.h"
#include "util/strbuf.h"
#include "util/text.h"

#define PATH_LENGTH_MAX 4096
#define SUM_LENGTH (HASH_HEX_SIZE - 1)
/* A DOS short name has at most eight bytes before its '~N'; our own cut names have 180 before theirs. */
#define SHORT_NAME_MAX 8

/* ---- paths ---- */

static bool is_path_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("._%~-", c));
}

/* Names that git, or a disk that folds case or drops trailing dots, takes for its own. */
static bool is_reserved(const char *segment, size_t len)
{
	const char *tilde = memchr(segment, '~', len);

	while (len > 0 && segment[len - 1] == '.')
		len--;
	/* Nothing but dots: "." and ".." too. */
	if (len == 0)
		return true;
	if (tilde && tilde - segment <= SHORT_NAME_MAX)
		return true;
	return (len == 4 && strncasecmp(segment, ".git", len) == 0) || (len == 11 && strncasecmp(segment, ".gitmodules", len) == 0);
}

static bool is_segment(const char *segment, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!is_path_byte(segment[i]))
			return false;
	return len > 0 && !is_reserved(segment, len);
}

static bool is_path(const char *path)
{
	unsigned depth = 0;

	if (strnlen(path, PATH_LENGTH_MAX + 1) > PATH_LENGTH_MAX)
		return false;
	for (;;) {
		size_t len = strcspn(path, "/");

		if (++depth > TREE_DEPTH_MAX || !is_segment(path, len))
			return false;
		if (!path[len])
			return true;
		path += len + 1;
	}
}

int tree_check_path(const char *path, struct error *err)
{
	auto_strbuf struct strbuf shown = STRBUF_INIT;

	if (is_path(path))
		return 0;
	text_escape(&shown, path, strlen(path), 200);
	return error_set(err, ERR_INTEGRITY, "not a path that a snapshot can hold: '%s'", shown.buf);
}

/* ---- files ---- */

unsigned long long tree_cost(const char *path, size_t len)
{
	return len + 3ull * strlen(path);
}

int tree_add(struct tree *tree, const char *path, const void *data, size_t len, struct error *err)
{
	struct tree_file *file;

	if (tree_check_path(path, err) < 0)
		return -1;
	if (len > TREE_FILE_MAX)
		return error_set(err, ERR_INTEGRITY, "'%s' is larger than %u bytes", path, TREE_FILE_MAX);
	if (tree->count >= TREE_COUNT_MAX || tree->bytes + tree_cost(path, len) > TREE_TOTAL_MAX)
		return error_set(err, ERR_INTEGRITY, "more than %u files or %llu bytes", TREE_COUNT_MAX, TREE_TOTAL_MAX);
	tree->files = xgrow(tree->files, &tree->cap, tree->count + 1, sizeof(*tree->files));
	file = &tree->files[tree->count++];
	file->path = xstrdup(path);
	file->data = xmalloc(len + 1);
	file->len = len;
	if (len)
		memcpy(file->data, data, len);
	file->data[len] = '\0';
	tree->bytes += tree_cost(path, len);
	hash_sha256(file->data, len, file->sha256);
	return 0;
}

static int compare_files(const void *a, const void *b)
{
	const struct tree_file *x = a, *y = b;

	return strcmp(x->path, y->path);
}

int tree_sort(struct tree *tree, struct error *err)
{
	auto_free struct tree_entry *entries = xcalloc(tree->count, sizeof(*entries));
	unsigned char id[TREE_ID_RAW];

	if (tree->count)
		qsort(tree->files, tree->count, sizeof(*tree->files), compare_files);
	for (size_t i = 0; i < tree->count; i++)
		entries[i].path = tree->files[i].path;
	return tree_build(entries, tree->count, 0, NULL, NULL, id, err);
}

/* The index of the first file whose path is not before path. */
static size_t lower_bound(const struct tree *tree, const char *path)
{
	size_t low = 0, high = tree->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(tree->files[middle].path, path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct tree_file *tree_find(const struct tree *tree, const char *path)
{
	size_t at = lower_bound(tree, path);

	return at < tree->count && strcmp(tree->files[at].path, path) == 0 ? &tree->files[at] : NULL;
}

void tree_release(struct tree *tree)
{
	for (size_t i = 0; i < tree->count; i++) {
		free(tree->files[i].path);
		free(tree->files[i].data);
	}
	free(tree->files);
	*tree = (struct tree)TREE_INIT;
}

/* ---- manifest ---- */

void tree_manifest_line(const char *sha256, const char *path, struct strbuf *out)
{
	strbuf_adds(out, sha256);
	strbuf_add(out, "  ", 2);
	strbuf_adds(out, path);
	strbuf_addc(out, '\n');
}

void tree_manifest(const struct tree *tree, struct strbuf *out)
{
	for (size_t i = 0; i < tree->count; i++)
		tree_manifest_line(tree->files[i].sha256, tree->files[i].path, out);
}

struct manifest_line {
	const char *sum;
	char *path;
};

struct manifest {
	struct manifest_line *lines;
	size_t count, cap;
};

static void manifest_release(struct manifest *manifest)
{
	for (size_t i = 0; i < manifest->count; i++)
		free(manifest->lines[i].path);
	free(manifest->lines);
}

static bool is_sum(const char *text, size_t len)
{
	return len >= SUM_LENGTH && strspn(text, "0123456789abcdef") >= SUM_LENGTH;
}

/* One line without its newline. */
static int manifest_add(struct manifest *manifest, const char *line, size_t len, struct error *err)
{
	struct manifest_line *added;

	if (len > SUM_LENGTH + 2 + PATH_LENGTH_MAX || memchr(line, '\0', len) || !is_sum(line, len) || len < SUM_LENGTH + 3 ||
		memcmp(line + SUM_LENGTH, "  ", 2) != 0)
		return error_set(err, ERR_INTEGRITY, "line %zu is not of the form 'SHA-256  PATH'", manifest->count + 1);
	manifest->lines = xgrow(manifest->lines, &manifest->cap, manifest->count + 1, sizeof(*manifest->lines));
	added = &manifest->lines[manifest->count++];
	added->sum = line;
	added->path = xstrndup(line + SUM_LENGTH + 2, len - SUM_LENGTH - 2);
	return tree_check_path(added->path, err);
}

static int compare_lines(const void *a, const void *b)
{
	const struct manifest_line *x = a, *y = b;

	return strcmp(x->path, y->path);
}

static int manifest_parse(struct manifest *manifest, const char *text, size_t len, struct error *err)
{
	const char *at = text, *end = text + len;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));

		if (!newline)
			return error_set(err, ERR_INTEGRITY, "its last line is cut off");
		if (manifest_add(manifest, at, (size_t)(newline - at), err) < 0)
			return -1;
		at = newline + 1;
	}
	if (manifest->count)
		qsort(manifest->lines, manifest->count, sizeof(*manifest->lines), compare_lines);
	for (size_t i = 1; i < manifest->count; i++)
		if (compare_lines(&manifest->lines[i - 1], &manifest->lines[i]) == 0)
			return error_set(err, ERR_INTEGRITY, "'%s' is listed twice", manifest->lines[i].path);
	return 0;
}

/* Merge the two sorted lists. */
static void manifest_compare(const struct manifest *manifest, const struct tree *tree, struct strlist *changed)
{
	size_t line = 0, file = 0;

	while (line < manifest->count || file < tree->count) {
		int order = line == manifest->count ? 1
			: file == tree->count       ? -1
						    : strcmp(manifest->lines[line].path, tree->files[file].path);

		if (order != 0)
			strlist_add(changed, order < 0 ? manifest->lines[line].path : tree->files[file].path);
		else if (memcmp(manifest->lines[line].sum, tree->files[file].sha256, SUM_LENGTH) != 0)
			strlist_add(changed, tree->files[file].path);
		line += order <= 0;
		file += order >= 0;
	}
}

int tree_manifest_check(const struct tree *tree, const char *manifest, size_t len, struct strlist *changed, struct error *err)
{
	__attribute__((cleanup(manifest_release))) struct manifest parsed = {0};

	if (manifest_parse(&parsed, manifest, len, err) < 0)
		return error_wrap(err, TREE_MANIFEST);
	manifest_compare(&parsed, tree, changed);
	return 0;
}

/* ---- git ids ---- */

static int hash_folder(const void *data, size_t len, unsigned char id[TREE_ID_RAW], void *arg, struct error *err)
{
	(void)arg;
	(void)err;
	tree_object_id("tree", data, len, id);
	return 0;
}

void tree_git_id(const struct tree *tree, const char *prefix, char hex[41])
{
	size_t first = lower_bound(tree, prefix), count = 0, len = strlen(prefix);
	auto_free struct tree_entry *entries = xcalloc(tree->count - first, sizeof(*entries));
	unsigned char id[TREE_ID_RAW];
	struct error ignored = ERROR_INIT;

	for (; first + count < tree->count && strncmp(tree->files[first + count].path, prefix, len) == 0; count++) {
		const struct tree_file *file = &tree->files[first + count];

		entries[count].path = file->path;
		tree_object_id("blob", file->data, file->len, entries[count].id);
	}
	/* Cannot fail: tree_sort has seen these paths. */
	(void)tree_build(entries, count, len, hash_folder, NULL, id, &ignored);
	hash_hex(id, TREE_ID_RAW, hex);
}
