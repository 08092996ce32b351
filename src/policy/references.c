/* SPDX-License-Identifier: Apache-2.0 */
/* Reads `references:` and `produces:` rows, with the shared sets that they use. */
#include <stdlib.h>

#include "internal.h"
#include "object/fieldpath.h"
#include "object/references.h"
#include "util/error.h"
#include "util/json.h"
#include "util/mem.h"

#define SET_DEPTH_MAX 4

/* A row as it stands in the file: either one reference, or the set `use` below the field `at`. */
struct row {
	struct reference_rule rule;
	char *path, *at, *use;
};

static int read_when(struct reader *reader, const json_t *value, void *row)
{
	struct reference_rule *rule = &((struct row *)row)->rule;
	size_t count = json_object_size(value);
	auto_free const char **keys = json_sorted_keys(value, &count);

	if (count < 1 || count > 2)
		return reader_fail(reader, "when", "one or two fields are needed in");
	for (size_t i = 0; i < count; i++) {
		const char *text = json_text_at(value, keys[i], NULL);
		if (!text)
			return reader_fail(reader, keys[i], "text is needed for");
		*(i ? &rule->when_field2 : &rule->when_field) = xstrdup(keys[i]);
		*(i ? &rule->when_value2 : &rule->when_value) = xstrdup(text);
	}
	return 0;
}

#define AT(member) .offset = offsetof(struct row, member)

static const struct column row_columns[] = {
	{"at", COLUMN_TEXT, AT(at)},
	{"use", COLUMN_TEXT, AT(use)},
	{"path", COLUMN_TEXT, AT(path)},
	{"to", COLUMN_TARGET, AT(rule.resource), .second = offsetof(struct row, rule.group)},
	{"name", COLUMN_TEXT, AT(rule.name_field)},
	{"namespace", COLUMN_TEXT, AT(rule.namespace_field)},
	{"key", COLUMN_TEXT, AT(rule.key_field)},
	{"when", COLUMN_OTHER, .read = read_when},
	{"whenAbsent", COLUMN_BOOL, AT(rule.when_absent)},
	{"prefix", COLUMN_TEXT, AT(rule.prefix)},
	{"default", COLUMN_TEXT, AT(rule.default_name)},
	{"clusterScoped", COLUMN_BOOL, AT(rule.cluster_scoped)},
	{"selects", COLUMN_BOOL, AT(rule.selects)},
	{"optional", COLUMN_BOOL, AT(rule.optional)},
	{0},
};

void policy_release_reference(struct reference_rule *rule)
{
	fieldpath_free(rule->path);
	free(rule->group);
	free(rule->resource);
	free(rule->name_field);
	free(rule->namespace_field);
	free(rule->key_field);
	free(rule->when_field);
	free(rule->when_value);
	free(rule->when_field2);
	free(rule->when_value2);
	free(rule->prefix);
	free(rule->default_name);
}

static void row_release(struct row *row)
{
	policy_release_reference(&row->rule);
	free(row->path);
	free(row->at);
	free(row->use);
}

static char *join(const char *at, const char *path)
{
	return *at && path && *path ? xasprintf("%s%s%s", at, *path == '[' ? "" : ".", path) : xstrdup(path && *path ? path : at);
}

static int read_list(struct reader *reader, const json_t *list, const char *at, int depth, struct references *out);

static int use_set(struct reader *reader, const struct row *row, const char *at, int depth, struct references *out)
{
	const json_t *set = json_object_get(reader->sets, row->use);
	auto_free char *below = join(at, row->at);

	if (row->path || row->rule.resource)
		return reader_fail(reader, row->use, "no 'path' or 'to' beside 'use':");
	if (!set)
		return reader_fail(reader, row->use, "no such set:");
	if (depth >= SET_DEPTH_MAX)
		return reader_fail(reader, row->use, "sets use each other too deep:");
	return read_list(reader, set, below, depth + 1, out);
}

static int add_rule(struct reader *reader, struct row *row, const char *at, struct references *out)
{
	if (!row->path || row->at)
		return reader_fail(reader, "path", "no key");
	if (!row->rule.resource)
		return reader_fail(reader, "to", "no key");
	auto_free char *path = join(at, row->path);
	if (fieldpath_parse(&row->rule.path, path, reader->err) < 0) {
		reader->err->code = ERR_USAGE;
		return error_wrap(reader->err, "%s", reader->where);
	}
	out->rows = xgrow(out->rows, &out->cap, out->count + 1, sizeof(*out->rows));
	out->rows[out->count++] = row->rule;
	row->rule = (struct reference_rule){0}; /* given away */
	return 0;
}

static int read_list(struct reader *reader, const json_t *list, const char *at, int depth, struct references *out)
{
	int result = 0;

	if (!json_is_array(list))
		return reader_fail(reader, "references", "a list is needed for");
	for (size_t i = 0; i < json_array_size(list) && !result; i++) {
		struct row row = {0};
		result = reader_row(reader, json_array_get(list, i), row_columns, &row);
		if (!result)
			result = row.use ? use_set(reader, &row, at, depth, out) : add_rule(reader, &row, at, out);
		row_release(&row);
	}
	return result;
}

int reader_references(struct reader *reader, const json_t *list, const char *at, struct references *out)
{
	return read_list(reader, list, at, 0, out);
}
