/* SPDX-License-Identifier: Apache-2.0 */
/* Reads one map of a policy by a table of columns. */
#include <stdio.h>
#include <string.h>

#include "internal.h"
#include "object/fieldpath.h"
#include "util/error.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"
#include "util/text.h"

int reader_fail(const struct reader *reader, const char *key, const char *what)
{
	auto_strbuf struct strbuf safe = STRBUF_INIT;

	text_escape(&safe, key, strlen(key), 80);
	return error_set(reader->err, ERR_USAGE, "%s: %s '%s'", reader->where, what, safe.buf);
}

void reader_at(struct reader *reader, const char *list, size_t index, const char *name)
{
	auto_strbuf struct strbuf safe = STRBUF_INIT;

	text_escape(&safe, name ? name : "?", strlen(name ? name : "?"), 80);
	(void)snprintf(reader->where, sizeof(reader->where), "%s[%zu] (%s)", list, index, safe.buf);
}

void reader_at_top(struct reader *reader)
{
	(void)snprintf(reader->where, sizeof(reader->where), "top level");
}

int reader_each(struct reader *reader, const json_t *list, const char *name, const char *name_key,
	int (*read)(struct reader *reader, const json_t *row))
{
	if (!json_is_array(list))
		return reader_fail(reader, name, "a list is needed for");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *row = json_array_get(list, i);
		reader_at(reader, name, i, json_text_at(name_key ? json_object_get(row, name_key) : row, NULL));
		if (read(reader, row) < 0)
			return -1;
	}
	reader_at_top(reader);
	return 0;
}

static void *field(void *row, size_t offset)
{
	return (char *)row + offset;
}

static int read_text(struct reader *reader, const struct column *column, const json_t *value, char **out)
{
	const char *text = json_text_at(value, NULL);

	if (!text || (column->type == COLUMN_TEXT && !*text))
		return reader_fail(reader, column->key, "text is needed for");
	*out = xstrdup(text);
	return 0;
}

static int read_bool(struct reader *reader, const struct column *column, const json_t *value, bool *out)
{
	if (!json_is_boolean(value))
		return reader_fail(reader, column->key, "true or false is needed for");
	*out = json_is_true(value);
	return 0;
}

static int find_word(struct reader *reader, const struct column *column, const json_t *value)
{
	const char *text = json_text_at(value, NULL);

	for (int i = 0; text && column->words[i]; i++)
		if (strcmp(text, column->words[i]) == 0)
			return i;
	return reader_fail(reader, text ? text : column->key, text ? "not a known word:" : "text is needed for");
}

static int read_texts(struct reader *reader, const char *key, const json_t *list, struct strlist *out)
{
	if (!json_is_array(list))
		return reader_fail(reader, key, "a list is needed for");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *text = json_text_at(json_array_get(list, i), NULL);
		if (!text || !*text)
			return reader_fail(reader, key, "a list of texts is needed for");
		strlist_add(out, text);
	}
	return 0;
}

int reader_path(struct reader *reader, const char *key, const json_t *value, struct fieldpath **out)
{
	const char *text = json_text_at(value, NULL);

	if (!text)
		return reader_fail(reader, key, "a field path is needed for");
	if (fieldpath_parse(out, text, reader->err) < 0) {
		reader->err->code = ERR_USAGE;
		return error_wrap(reader->err, "%s: %s", reader->where, key);
	}
	return 0;
}

int reader_paths(struct reader *reader, const char *key, const json_t *list, struct fieldpath ***paths, size_t *count)
{
	size_t more = json_array_size(list);

	if (!json_is_array(list))
		return reader_fail(reader, key, "a list is needed for");
	*paths = xrealloc(*paths, (*count + more + 1) * sizeof(struct fieldpath *));
	for (size_t i = 0; i < more; i++) {
		if (reader_path(reader, key, json_array_get(list, i), &(*paths)[*count]) < 0)
			return -1;
		++*count;
	}
	return 0;
}

/* "httproutes.gateway.networking.k8s.io", or "secrets" of the core group. */
static int read_target(struct reader *reader, const struct column *column, const json_t *value, void *row)
{
	const char *text = json_text_at(value, NULL);
	size_t len = text ? strcspn(text, ".") : 0;

	if (len == 0 || (text[len] && !text[len + 1]))
		return reader_fail(reader, column->key, "a resource.group is needed for");
	*(char **)field(row, column->offset) = xstrndup(text, len);
	*(char **)field(row, column->second) = xstrdup(text[len] ? text + len + 1 : "");
	return 0;
}

static int read_column(struct reader *reader, const struct column *column, const json_t *value, void *row)
{
	void *at = field(row, column->offset);
	int word;

	switch (column->type) {
	case COLUMN_TEXT:
	case COLUMN_ANY:
		return read_text(reader, column, value, at);
	case COLUMN_BOOL:
		return read_bool(reader, column, value, at);
	case COLUMN_CHOICE:
		if ((word = find_word(reader, column, value)) >= 0)
			*(bool *)at = word == 1;
		return word < 0 ? -1 : 0;
	case COLUMN_WORD:
		if ((word = find_word(reader, column, value)) >= 0)
			*(unsigned *)at = (unsigned)word;
		return word < 0 ? -1 : 0;
	case COLUMN_TEXTS:
		return read_texts(reader, column->key, value, at);
	case COLUMN_PATH:
		return reader_path(reader, column->key, value, at);
	case COLUMN_PATHS:
		return reader_paths(reader, column->key, value, at, field(row, column->second));
	case COLUMN_TARGET:
		return read_target(reader, column, value, row);
	case COLUMN_OTHER:
		return column->read ? column->read(reader, value, row) : 0;
	}
	return -1;
}

static int check_keys(const struct reader *reader, const json_t *map, const struct column *columns)
{
	size_t count;
	auto_free const char **keys = json_sorted_keys(map, &count);

	for (size_t i = 0; i < count; i++) {
		const struct column *column = columns;
		while (column->key && strcmp(column->key, keys[i]) != 0)
			column++;
		if (!column->key)
			return reader_fail(reader, keys[i], "unknown key");
	}
	return 0;
}

/* In the order of the table, so that a later column may build on an earlier one. */
int reader_row(struct reader *reader, const json_t *map, const struct column *columns, void *row)
{
	if (!json_is_object(map))
		return error_set(reader->err, ERR_USAGE, "%s: not a map", reader->where);
	if (check_keys(reader, map, columns) < 0)
		return -1;
	for (; columns->key; columns++) {
		const json_t *value = json_object_get(map, columns->key);
		if (!value && columns->needed)
			return reader_fail(reader, columns->key, "no key");
		if (value && read_column(reader, columns, value, row) < 0)
			return -1;
	}
	return 0;
}
