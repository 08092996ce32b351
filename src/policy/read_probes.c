/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the rows of `probes`. */
#include <stdlib.h>

#include "internal.h"
#include "object/fieldpath.h"
#include "policy/policy.h"
#include "util/error.h"
#include "util/json.h"

#define PROBE(member) .offset = offsetof(struct policy_probe, member)
#define PROBE_OF                                                                                                                           \
	{                                                                                                                                  \
		.key = "of", .type = COLUMN_TARGET, PROBE(resource), .second = offsetof(struct policy_probe, group), .needed = true        \
	}

static int read_number(struct reader *reader, const json_t *value, json_int_t *out)
{
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return reader_fail(reader, "probes", "a number that is not below 0 is needed in");
	*out = json_integer_value(value);
	return 0;
}

static int read_status(struct reader *reader, const json_t *value, void *row)
{
	return read_number(reader, value, &((struct policy_probe *)row)->status);
}

static int read_min(struct reader *reader, const json_t *value, void *row)
{
	return read_number(reader, value, &((struct policy_probe *)row)->min);
}

static int read_max(struct reader *reader, const json_t *value, void *row)
{
	return read_number(reader, value, &((struct policy_probe *)row)->max);
}

static int read_eq(struct reader *reader, const json_t *value, void *row)
{
	struct policy_probe *probe = row;

	if (read_number(reader, value, &probe->min) < 0)
		return -1;
	probe->max = probe->min;
	return 0;
}

/* Any scalar. */
static int read_value(struct reader *reader, const json_t *value, void *row)
{
	struct policy_probe *probe = row;

	if (json_is_object(value) || json_is_array(value))
		return reader_fail(reader, "value", "a single value is needed for");
	probe->value = json_deep_copy(value);
	return 0;
}

static int read_labels(struct reader *reader, const json_t *value, void *row)
{
	struct policy_probe *probe = row;
	size_t count;
	auto_free const char **keys = json_sorted_keys(value, &count);

	for (size_t i = 0; i < count; i++)
		if (!json_text_at(value, keys[i], NULL))
			return reader_fail(reader, keys[i], "a text is needed for the label");
	if (!json_is_object(value))
		return reader_fail(reader, "labels", "a map is needed for");
	probe->labels = json_deep_copy(value);
	return 0;
}

static const struct column http_columns[] = {
	{.key = "url", .type = COLUMN_TEXT, PROBE(url), .needed = true},
	{.key = "status", .type = COLUMN_OTHER, .read = read_status},
	{.key = "path", .type = COLUMN_PATH, PROBE(path)},
	{.key = "value", .type = COLUMN_OTHER, .read = read_value},
	{0},
};

static const struct column condition_columns[] = {
	PROBE_OF,
	{.key = "namespace", .type = COLUMN_TEXT, PROBE(namespace_)},
	{.key = "name", .type = COLUMN_TEXT, PROBE(object), .needed = true},
	{.key = "type", .type = COLUMN_TEXT, PROBE(type), .needed = true},
	{.key = "status", .type = COLUMN_TEXT, PROBE(is)},
	{0},
};

static const struct column count_columns[] = {
	PROBE_OF,
	{.key = "namespace", .type = COLUMN_TEXT, PROBE(namespace_)},
	{.key = "labels", .type = COLUMN_OTHER, .read = read_labels},
	{.key = "eq", .type = COLUMN_OTHER, .read = read_eq},
	{.key = "min", .type = COLUMN_OTHER, .read = read_min},
	{.key = "max", .type = COLUMN_OTHER, .read = read_max},
	{0},
};

static int read_part(
	struct reader *reader, const json_t *value, struct policy_probe *probe, enum policy_probe_kind kind, const struct column *columns)
{
	if (probe->kind != POLICY_PROBE_NONE)
		return reader_fail(reader, probe->name ? probe->name : "probes", "http, condition or count, one of them, is needed in");
	probe->kind = kind;
	return reader_row(reader, value, columns, probe);
}

static int read_http(struct reader *reader, const json_t *value, void *row)
{
	struct policy_probe *probe = row;

	if (read_part(reader, value, probe, POLICY_PROBE_HTTP, http_columns) < 0)
		return -1;
	return probe->path || !probe->value ? 0 : reader_fail(reader, "value", "'path' is needed beside");
}

static int read_condition(struct reader *reader, const json_t *value, void *row)
{
	return read_part(reader, value, row, POLICY_PROBE_CONDITION, condition_columns);
}

static int read_count(struct reader *reader, const json_t *value, void *row)
{
	struct policy_probe *probe = row;

	if (read_part(reader, value, probe, POLICY_PROBE_COUNT, count_columns) < 0)
		return -1;
	return probe->min >= 0 || probe->max >= 0 ? 0 : reader_fail(reader, "count", "eq, min or max is needed in");
}

static const struct column probe_columns[] = {
	{.key = "name", .type = COLUMN_TEXT, PROBE(name), .needed = true},
	{.key = "http", .type = COLUMN_OTHER, .read = read_http},
	{.key = "condition", .type = COLUMN_OTHER, .read = read_condition},
	{.key = "count", .type = COLUMN_OTHER, .read = read_count},
	{0},
};

static int read_probe(struct reader *reader, const json_t *row)
{
	struct policy *policy = reader->policy;
	struct policy_probe *probe;

	policy->probes = xrealloc(policy->probes, (policy->probe_count + 1) * sizeof(*policy->probes));
	probe = &policy->probes[policy->probe_count++];
	*probe = (struct policy_probe){.status = 200, .min = -1, .max = -1};
	if (reader_row(reader, row, probe_columns, probe) < 0)
		return -1;
	return probe->kind ? 0 : reader_fail(reader, probe->name, "http, condition or count is needed in");
}

int reader_probes(struct reader *reader, const json_t *value, void *row)
{
	(void)row;
	return reader_each(reader, value, "probes", "name", read_probe);
}

void policy_release_probe(struct policy_probe *probe)
{
	free(probe->name);
	free(probe->url);
	fieldpath_free(probe->path);
	json_decref(probe->value);
	free(probe->group);
	free(probe->resource);
	free(probe->namespace_);
	free(probe->object);
	free(probe->type);
	free(probe->is);
	json_decref(probe->labels);
}
