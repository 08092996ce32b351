/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the waves and the kinds of a policy document. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "object/fieldpath.h"
#include "object/references.h"
#include "policy/policy.h"
#include "util/error.h"
#include "util/json.h"

/* ---- waves ---- */

static const char *const gate_words[] = {
	[GATE_NONE] = "none", [GATE_NAMESPACES_ACTIVE] = "namespaces-active", [GATE_DRY_RUN_CREATE] = "dry-run-create", NULL};

static const struct column wave_columns[] = {
	{.key = "name", .type = COLUMN_TEXT, .offset = offsetof(struct policy_wave, name), .needed = true},
	{.key = "gate", .type = COLUMN_WORD, .offset = offsetof(struct policy_wave, gate), .words = gate_words},
	{0},
};

static int find_wave(const struct policy *policy, const char *name, size_t *out)
{
	for (size_t i = 0; i < policy->wave_count; i++) {
		if (strcmp(policy->waves[i].name, name) == 0) {
			*out = i;
			return 0;
		}
	}
	return -1;
}

static int read_wave(struct reader *reader, const json_t *row)
{
	struct policy *policy = reader->policy;
	size_t other;

	policy->waves = xrealloc(policy->waves, (policy->wave_count + 1) * sizeof(*policy->waves));
	struct policy_wave *wave = &policy->waves[policy->wave_count];
	*wave = (struct policy_wave){0};
	int result = reader_row(reader, row, wave_columns, wave);
	if (!result && find_wave(policy, wave->name, &other) == 0)
		result = reader_fail(reader, wave->name, "a second wave");
	policy->wave_count++;
	return result;
}

int reader_waves(struct reader *reader, const json_t *value, void *row)
{
	(void)row;
	return reader_each(reader, value, "waves", "name", read_wave);
}

static int name_wave(const struct reader *reader, const json_t *value, size_t *out)
{
	const char *name = json_text_at(value, NULL);

	if (!name || find_wave(reader->policy, name, out) < 0)
		return reader_fail(reader, name ? name : "wave", "no such wave:");
	return 0;
}

/* ---- kinds ---- */

static int read_kind_wave(struct reader *reader, const json_t *value, void *row)
{
	return name_wave(reader, value, &((struct policy_kind *)row)->wave);
}

static int read_early_wave(struct reader *reader, const json_t *value, void *row)
{
	return name_wave(reader, value, &((struct policy_kind *)row)->early_wave);
}

#define KIND(member) .offset = offsetof(struct policy_kind, member)
#define KIND2(member, more) .offset = offsetof(struct policy_kind, member), .second = offsetof(struct policy_kind, more)

static const struct column early_columns[] = {
	{.key = "to", .type = COLUMN_TARGET, KIND2(early_resource, early_group), .needed = true},
	{.key = "wave", .type = COLUMN_OTHER, .read = read_early_wave, .needed = true},
	{0},
};

static const struct column ready_columns[] = {
	{.key = "conditions", .type = COLUMN_TEXTS, KIND(ready_conditions)},
	{.key = "parents", .type = COLUMN_PATH, KIND(ready_parents)},
	{0},
};

static int read_early(struct reader *reader, const json_t *value, void *row)
{
	return reader_row(reader, value, early_columns, row);
}

static int read_ready(struct reader *reader, const json_t *value, void *row)
{
	return reader_row(reader, value, ready_columns, row);
}

int reader_rules(struct reader *reader, const json_t *value, struct reference_rule **rules, size_t *count)
{
	struct references list = {0};
	int result = reader_references(reader, value, "", &list);

	*rules = list.rows;
	*count = list.count;
	return result;
}

static int read_references(struct reader *reader, const json_t *value, void *row)
{
	struct policy_kind *kind = row;
	return reader_rules(reader, value, &kind->references, &kind->reference_count);
}

static int read_produces(struct reader *reader, const json_t *value, void *row)
{
	struct policy_kind *kind = row;
	return reader_rules(reader, value, &kind->produces, &kind->produce_count);
}

#define PODS(member) .offset = offsetof(struct policy_pods, member)

static const struct column pods_columns[] = {
	{.key = "at", .type = COLUMN_PATH, PODS(at), .needed = true},
	{.key = "replicas", .type = COLUMN_PATHS, PODS(replicas), .second = offsetof(struct policy_pods, replica_count)},
	{.key = "followers", .type = COLUMN_PATH, PODS(followers)},
	{0},
};

static int read_pods(struct reader *reader, const json_t *value, void *row)
{
	struct policy_kind *kind = row;
	size_t count = json_array_size(value);

	if (!json_is_array(value))
		return reader_fail(reader, "pods", "a list is needed for");
	kind->pods = xcalloc(count + 1, sizeof(*kind->pods));
	kind->pod_count = count;
	for (size_t i = 0; i < count; i++)
		if (reader_row(reader, json_array_get(value, i), pods_columns, &kind->pods[i]) < 0)
			return -1;
	return 0;
}

static int read_strip(struct reader *reader, const json_t *value, void *row)
{
	return reader_own(reader, "strip", value, row, NULL);
}

static int read_keep(struct reader *reader, const json_t *value, void *row)
{
	return reader_own(reader, "keep", value, row, NULL);
}

#define NAMED(member) .offset = offsetof(struct policy_named, member)

static const struct column named_columns[] = {
	{.key = "path", .type = COLUMN_PATH, NAMED(at), .needed = true},
	{.key = "after", .type = COLUMN_TEXT, NAMED(after)},
	{.key = "before", .type = COLUMN_TEXT, NAMED(before)},
	{0},
};

static int read_named(struct reader *reader, const json_t *list, enum policy_naming what, void *row)
{
	struct policy_named_list *named = &((struct policy_kind *)row)->named[what];

	if (!json_is_array(list))
		return reader_fail(reader, "mapping", "a list is needed for");
	named->count = json_array_size(list);
	named->rows = xcalloc(named->count + 1, sizeof(*named->rows));
	for (size_t i = 0; i < named->count; i++) {
		const json_t *item = json_array_get(list, i);

		if (json_is_string(item) ? reader_path(reader, "mapping", item, &named->rows[i].at) < 0
					 : reader_row(reader, item, named_columns, &named->rows[i]) < 0)
			return -1;
	}
	return 0;
}

static int read_namespaces(struct reader *reader, const json_t *value, void *row)
{
	return read_named(reader, value, NAMES_NAMESPACE, row);
}

static int read_hosts(struct reader *reader, const json_t *value, void *row)
{
	return read_named(reader, value, NAMES_HOST, row);
}

static int read_cidrs(struct reader *reader, const json_t *value, void *row)
{
	return read_named(reader, value, NAMES_CIDR, row);
}

static const struct column mapping_columns[] = {
	{.key = "namespaces", .type = COLUMN_OTHER, .read = read_namespaces},
	{.key = "hosts", .type = COLUMN_OTHER, .read = read_hosts},
	{.key = "cidrs", .type = COLUMN_OTHER, .read = read_cidrs},
	{0},
};

static int read_mapping(struct reader *reader, const json_t *value, void *row)
{
	return reader_row(reader, value, mapping_columns, row);
}

static const char *const presence_words[] = {"optional", "required", NULL};
static const char *const on_error_words[] = {[ON_ERROR_FAIL] = "fail", [ON_ERROR_CARRY] = "carry", NULL};
static const char *const select_words[] = {[SELECT_ALL] = "all",
	[SELECT_REFERENCED] = "referenced",
	[SELECT_REFERS] = "refers",
	[SELECT_IN_HELD] = "inHeld",
	[SELECT_HOLDING] = "holding",
	NULL};

static const struct column kind_columns[] = {
	{.key = "resource", .type = COLUMN_TEXT, KIND(resource), .needed = true},
	{.key = "group", .type = COLUMN_ANY, KIND(group)},
	{.key = "kind", .type = COLUMN_TEXT, KIND(kind), .needed = true},
	{.key = "presence", .type = COLUMN_CHOICE, KIND(required), .words = presence_words},
	{.key = "onError", .type = COLUMN_WORD, KIND(on_error), .words = on_error_words},
	{.key = "namespaced", .type = COLUMN_BOOL, KIND(namespaced)},
	{.key = "select", .type = COLUMN_WORD, KIND(select), .words = select_words},
	{.key = "presets", .type = COLUMN_BOOL, KIND(presets)},
	{.key = "wave", .type = COLUMN_OTHER, .read = read_kind_wave, .needed = true},
	{.key = "early", .type = COLUMN_OTHER, .read = read_early},
	{.key = "strip", .type = COLUMN_OTHER, .read = read_strip},
	{.key = "keep", .type = COLUMN_OTHER, .read = read_keep},
	{.key = "mergeFields", .type = COLUMN_PATHS, KIND2(merge, merge_count)},
	{.key = "immutable", .type = COLUMN_PATHS, KIND2(immutable, immutable_count)},
	{.key = "immutableIf", .type = COLUMN_PATH, KIND(immutable_if)},
	{.key = "environment", .type = COLUMN_PATHS, KIND2(environment, environment_count)},
	{.key = "mapping", .type = COLUMN_OTHER, .read = read_mapping},
	{.key = "pods", .type = COLUMN_OTHER, .read = read_pods},
	{.key = "keys", .type = COLUMN_PATHS, KIND2(keys, key_count)},
	{.key = "references", .type = COLUMN_OTHER, .read = read_references},
	{.key = "produces", .type = COLUMN_OTHER, .read = read_produces},
	{.key = "ready", .type = COLUMN_OTHER, .read = read_ready},
	{.key = "endpoint", .type = COLUMN_PATH, KIND(endpoint)},
	{0},
};

/* What podEnvironment says, below each pod template of the kind. */
static int add_pod_environment(struct reader *reader, struct policy_kind *kind)
{
	const struct policy *policy = reader->policy;
	auto_json json_t *list = json_array();

	for (size_t i = 0; i < kind->pod_count; i++)
		for (size_t j = 0; j < policy->pod_environment_count; j++) {
			const char *below = fieldpath_text(policy->pod_environment[j]);

			json_array_append_new(
				list, json_sprintf("%s%s%s", fieldpath_text(kind->pods[i].at), *below == '[' ? "" : ".", below));
		}
	return reader_paths(reader, "podEnvironment", list, &kind->environment, &kind->environment_count);
}

static int read_kind(struct reader *reader, const json_t *row)
{
	struct policy *policy = reader->policy;
	const char *group = json_text_at(row, "group", NULL), *resource = json_text_at(row, "resource", NULL);

	policy->kinds = xrealloc(policy->kinds, (policy->kind_count + 1) * sizeof(*policy->kinds));
	struct policy_kind *kind = &policy->kinds[policy->kind_count++];
	*kind = (struct policy_kind){.namespaced = true};
	const struct reader_kind name = {.group = group ? group : "", .resource = resource ? resource : ""};
	const json_t *document = policy->document;

	if (reader_own(reader, "strip", json_object_get(document, "strip"), kind, &name) < 0 ||
		reader_own(reader, "keep", json_object_get(document, "keep"), kind, &name) < 0 ||
		reader_row(reader, row, kind_columns, kind) < 0 || add_pod_environment(reader, kind) < 0)
		return -1;
	if (!kind->group)
		kind->group = xstrdup("");
	if (policy_find(policy, kind->group, kind->resource) != kind)
		return reader_fail(reader, kind->resource, "a second row for");
	return 0;
}

/* Capture must know what is taken before it looks for what that refers to, and where anything is held at all. */
static void sort_kinds(struct policy *policy)
{
	static const int ranks[] = {
		[SELECT_ALL] = 0,
		[SELECT_REFERENCED] = 1,
		[SELECT_REFERS] = 1,
		[SELECT_IN_HELD] = 2,
		[SELECT_HOLDING] = 3,
	};
	struct policy_kind *sorted = xcalloc(policy->kind_count, sizeof(*sorted));
	size_t used = 0;

	for (int rank = 0; rank <= ranks[SELECT_HOLDING]; rank++)
		for (size_t i = 0; i < policy->kind_count; i++)
			if (ranks[policy->kinds[i].select] == rank)
				sorted[used++] = policy->kinds[i];
	free(policy->kinds);
	policy->kinds = sorted;
}

int reader_kinds(struct reader *reader, const json_t *value, void *row)
{
	(void)row;
	if (reader_each(reader, value, "kinds", "resource", read_kind) < 0)
		return -1;
	sort_kinds(reader->policy);
	return 0;
}
