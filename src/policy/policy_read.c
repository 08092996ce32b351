/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a policy document: its top level, whose parts are read by read_kinds.c and read_rules.c. */
#include <stdlib.h>

#include "internal.h"
#include "object/references.h"
#include "policy/policy.h"
#include "util/error.h"
#include "util/json.h"
#include "util/yaml.h"

static int read_format(struct reader *reader, const json_t *value, void *row)
{
	(void)row;
	if (!json_is_integer(value) || json_integer_value(value) < 1)
		return reader_fail(reader, "format", "a version number is needed for");
	if (json_integer_value(value) > POLICY_FORMAT)
		return error_set(reader->err, ERR_USAGE, "format %" JSON_INTEGER_FORMAT " is newer than this program, which reads up to %d",
			json_integer_value(value), POLICY_FORMAT);
	return 0;
}

static int read_scope(struct reader *reader, const json_t *value, void *row)
{
	static const struct column columns[] = {
		{.key = "excludeNamespaces", .type = COLUMN_TEXTS, .offset = offsetof(struct policy, exclude_namespaces)},
		{0},
	};
	return reader_row(reader, value, columns, row);
}

/* Sets that nothing uses are read too: a fault in one is a fault. */
static int read_sets(struct reader *reader, const json_t *value, void *row)
{
	size_t count;
	auto_free const char **keys = json_sorted_keys(value, &count);
	int result = 0;

	(void)row;
	if (!json_is_object(value))
		return reader_fail(reader, "sets", "a map is needed for");
	reader->sets = value;
	for (size_t i = 0; i < count && !result; i++) {
		struct reference_rule *rules = NULL;
		size_t rule_count = 0;
		reader_at(reader, "sets", i, keys[i]);
		result = reader_rules(reader, json_object_get(value, keys[i]), &rules, &rule_count);
		for (size_t r = 0; r < rule_count; r++)
			policy_release_reference(&rules[r]);
		free(rules);
	}
	if (!result)
		reader_at_top(reader);
	return result;
}

static const char *const secrets_words[] = {"unread", "check", NULL};

/* In this order: kinds name waves and sets, and use podEnvironment. `strip` and `keep` are read with each kind. */
static const struct column top_columns[] = {
	{.key = "format", .type = COLUMN_OTHER, .read = read_format, .needed = true},
	{.key = "name", .type = COLUMN_TEXT, .offset = offsetof(struct policy, name), .needed = true},
	{.key = "scope", .type = COLUMN_OTHER, .read = read_scope},
	{.key = "secrets", .type = COLUMN_CHOICE, .offset = offsetof(struct policy, check_secrets), .words = secrets_words},
	{.key = "strip", .type = COLUMN_OTHER},
	{.key = "keep", .type = COLUMN_OTHER},
	{.key = "finalizers", .type = COLUMN_TEXTS, .offset = offsetof(struct policy, finalizers)},
	{.key = "sets", .type = COLUMN_OTHER, .read = read_sets},
	{.key = "podEnvironment",
		.type = COLUMN_PATHS,
		.offset = offsetof(struct policy, pod_environment),
		.second = offsetof(struct policy, pod_environment_count)},
	{.key = "waves", .type = COLUMN_OTHER, .read = reader_waves, .needed = true},
	{.key = "generated", .type = COLUMN_OTHER, .read = reader_generated},
	{.key = "installed", .type = COLUMN_OTHER, .read = reader_installed},
	{.key = "inventory", .type = COLUMN_OTHER, .read = reader_inventory},
	{.key = "controllers", .type = COLUMN_OTHER, .read = reader_controllers},
	{.key = "webhooks", .type = COLUMN_OTHER, .read = reader_webhooks},
	{.key = "waivers", .type = COLUMN_OTHER, .read = reader_waivers},
	{.key = "probes", .type = COLUMN_OTHER, .read = reader_probes},
	{.key = "kinds", .type = COLUMN_OTHER, .read = reader_kinds, .needed = true},
	{0},
};

static int read_document(struct policy *policy, const json_t *document, struct error *err)
{
	struct reader reader = {.policy = policy, .err = err};

	reader_at_top(&reader);
	if (!json_is_object(document))
		return error_set(err, ERR_USAGE, "not a map");
	/* Before anything else is looked at: a newer format may mean something else by it. */
	const json_t *format = json_object_get(document, "format");
	if (format && read_format(&reader, format, NULL) < 0)
		return -1;
	if (!(policy->document = policy_resolve(document, err)))
		return -1;
	return reader_row(&reader, policy->document, top_columns, policy);
}

int policy_read(struct policy **out, const char *text, size_t len, struct error *err)
{
	struct policy *policy = xcalloc(1, sizeof(*policy));
	auto_json json_t *document = yaml_read(text, len, err);

	if (!document || read_document(policy, document, err) < 0) {
		policy_free(policy);
		err->code = ERR_USAGE;
		return -1;
	}
	*out = policy;
	return 0;
}
