/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the rows of a policy document. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "object/classify.h"
#include "object/fieldpath.h"
#include "object/references.h"
#include "policy/policy.h"
#include "util/error.h"
#include "util/json.h"
#include "util/strbuf.h"
#include "util/text.h"
#include "util/yaml.h"

/* ---- where a message points to ---- */

/* "kinds[3] (httproutes)" */
static void set_where(struct reader *reader, const char *list, size_t index, const char *name)
{
	auto_strbuf struct strbuf safe = STRBUF_INIT;

	text_escape(&safe, name ? name : "?", strlen(name ? name : "?"), 80);
	(void)snprintf(reader->where, sizeof(reader->where), "%s[%zu] (%s)", list, index, safe.buf);
}

static void set_where_top(struct reader *reader)
{
	(void)snprintf(reader->where, sizeof(reader->where), "top level");
}

/* Call read for each row of a list, with the row's name (what it has at name_key) in `where`. */
static int each_row(struct reader *reader, const json_t *list, const char *name, const char *name_key,
	int (*read)(struct reader *reader, const json_t *row))
{
	if (!json_is_array(list))
		return reader_fail(reader, name, "a list is needed for");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *row = json_array_get(list, i);
		set_where(reader, name, i, json_text_at(name_key ? json_object_get(row, name_key) : row, NULL));
		if (read(reader, row) < 0)
			return -1;
	}
	set_where_top(reader);
	return 0;
}

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

static int read_waves(struct reader *reader, const json_t *value, void *row)
{
	(void)row;
	return each_row(reader, value, "waves", "name", read_wave);
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

static int read_rules(struct reader *reader, const json_t *value, struct reference_rule **rules, size_t *count)
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
	return read_rules(reader, value, &kind->references, &kind->reference_count);
}

static int read_produces(struct reader *reader, const json_t *value, void *row)
{
	struct policy_kind *kind = row;
	return read_rules(reader, value, &kind->produces, &kind->produce_count);
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

static int read_kinds(struct reader *reader, const json_t *value, void *row)
{
	(void)row;
	if (each_row(reader, value, "kinds", "resource", read_kind) < 0)
		return -1;
	sort_kinds(reader->policy);
	return 0;
}

/* ---- generated, installed, inventory ---- */

#define RULE(member) .offset = offsetof(struct classify_rule, member)

static const struct column rule_columns[] = {
	{.key = "of", .type = COLUMN_TARGET, RULE(resource), .second = offsetof(struct classify_rule, group), .needed = true},
	{.key = "namespaces", .type = COLUMN_TEXTS, RULE(namespaces)},
	{.key = "names", .type = COLUMN_TEXTS, RULE(names)},
	{.key = "labels", .type = COLUMN_TEXTS, RULE(labels)},
	{.key = "managers", .type = COLUMN_TEXTS, RULE(managers)},
	{.key = "releases", .type = COLUMN_TEXTS, RULE(releases)},
	{.key = "orphan", .type = COLUMN_BOOL, RULE(orphan)},
	{.key = "unless", .type = COLUMN_PATHS, RULE(unless), .second = offsetof(struct classify_rule, unless_count)},
	{.key = "why", .type = COLUMN_TEXT, RULE(why), .needed = true},
	{0},
};

static int read_rule(struct reader *reader, const json_t *row, enum object_class class_)
{
	struct policy *policy = reader->policy;

	policy->rules = xrealloc(policy->rules, (policy->rule_count + 1) * sizeof(*policy->rules));
	struct classify_rule *rule = &policy->rules[policy->rule_count++];
	*rule = (struct classify_rule){.class_ = class_};
	if (reader_row(reader, row, rule_columns, rule) < 0)
		return -1;
	if (rule->orphan && class_ != CLASS_GENERATED)
		return reader_fail(reader, "orphan", "what is installed is no");
	/* teams deploy their models with Helm too, and may call their release as they like */
	if (rule->releases.count && !rule->namespaces.count)
		return reader_fail(reader, "releases", "'namespaces' is needed beside");
	return 0;
}

static int read_generated_rule(struct reader *reader, const json_t *row)
{
	return read_rule(reader, row, CLASS_GENERATED);
}

static int read_installed_rule(struct reader *reader, const json_t *row)
{
	return read_rule(reader, row, CLASS_INSTALLED);
}

static int read_generated(struct reader *reader, const json_t *value, void *row)
{
	(void)row;
	return each_row(reader, value, "generated", "of", read_generated_rule);
}

static int read_installed(struct reader *reader, const json_t *value, void *row)
{
	(void)row;
	return each_row(reader, value, "installed", "of", read_installed_rule);
}

static int append_inventory(struct reader *reader, const json_t *row, struct policy_inventory **rows, size_t *count)
{
	static const struct column columns[] = {
		{.key = "of",
			.type = COLUMN_TARGET,
			.offset = offsetof(struct policy_inventory, resource),
			.second = offsetof(struct policy_inventory, group),
			.needed = true},
		{0},
	};

	*rows = xrealloc(*rows, (*count + 1) * sizeof(**rows));
	struct policy_inventory *inventory = &(*rows)[(*count)++];
	*inventory = (struct policy_inventory){0};
	return reader_row(reader, row, columns, inventory);
}

static int read_inventory_row(struct reader *reader, const json_t *row)
{
	return append_inventory(reader, row, &reader->policy->inventory, &reader->policy->inventory_count);
}

static int read_inventory(struct reader *reader, const json_t *value, void *row)
{
	(void)row;
	return each_row(reader, value, "inventory", "of", read_inventory_row);
}

/* ---- the installation: controllers, webhooks ---- */

#define CONTROLLER(member) .offset = offsetof(struct policy_controller, member)

static const struct column controller_columns[] = {
	{.key = "of", .type = COLUMN_TARGET, CONTROLLER(resource), .second = offsetof(struct policy_controller, group), .needed = true},
	{.key = "names", .type = COLUMN_TEXTS, CONTROLLER(names), .needed = true},
	{.key = "container", .type = COLUMN_TEXT, CONTROLLER(container)},
	{0},
};

static int read_controller(struct reader *reader, const json_t *row)
{
	struct policy *policy = reader->policy;

	policy->controllers = xrealloc(policy->controllers, (policy->controller_count + 1) * sizeof(*policy->controllers));
	struct policy_controller *controller = &policy->controllers[policy->controller_count++];
	*controller = (struct policy_controller){0};
	if (reader_row(reader, row, controller_columns, controller) < 0)
		return -1;
	for (size_t i = 0; i < controller->names.count; i++)
		if (strpbrk(controller->names.items[i], "*?"))
			return reader_fail(reader, controller->names.items[i], "a whole name is needed, not");
	return 0;
}

static int read_controllers(struct reader *reader, const json_t *value, void *row)
{
	(void)row;
	return each_row(reader, value, "controllers", "of", read_controller);
}

static int read_webhook(struct reader *reader, const json_t *row)
{
	return append_inventory(reader, row, &reader->policy->webhooks, &reader->policy->webhook_count);
}

static int read_webhooks(struct reader *reader, const json_t *value, void *row)
{
	(void)row;
	return each_row(reader, value, "webhooks", "of", read_webhook);
}

/* ---- waivers ---- */

static const struct column waiver_columns[] = {
	{.key = "object", .type = COLUMN_TEXT, .offset = offsetof(struct policy_waiver, object), .needed = true},
	{.key = "path", .type = COLUMN_PATH, .offset = offsetof(struct policy_waiver, path), .needed = true},
	{.key = "reason", .type = COLUMN_TEXT, .offset = offsetof(struct policy_waiver, reason), .needed = true},
	{0},
};

static int read_waiver(struct reader *reader, const json_t *row)
{
	struct policy *policy = reader->policy;

	policy->waivers = xrealloc(policy->waivers, (policy->waiver_count + 1) * sizeof(*policy->waivers));
	struct policy_waiver *waiver = &policy->waivers[policy->waiver_count++];
	*waiver = (struct policy_waiver){0};
	return reader_row(reader, row, waiver_columns, waiver);
}

static int read_waivers(struct reader *reader, const json_t *value, void *row)
{
	(void)row;
	return each_row(reader, value, "waivers", "object", read_waiver);
}

/* ---- the document ---- */

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
		set_where(reader, "sets", i, keys[i]);
		result = read_rules(reader, json_object_get(value, keys[i]), &rules, &rule_count);
		for (size_t r = 0; r < rule_count; r++)
			policy_release_reference(&rules[r]);
		free(rules);
	}
	if (!result)
		set_where_top(reader);
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
	{.key = "waves", .type = COLUMN_OTHER, .read = read_waves, .needed = true},
	{.key = "generated", .type = COLUMN_OTHER, .read = read_generated},
	{.key = "installed", .type = COLUMN_OTHER, .read = read_installed},
	{.key = "inventory", .type = COLUMN_OTHER, .read = read_inventory},
	{.key = "controllers", .type = COLUMN_OTHER, .read = read_controllers},
	{.key = "webhooks", .type = COLUMN_OTHER, .read = read_webhooks},
	{.key = "waivers", .type = COLUMN_OTHER, .read = read_waivers},
	{.key = "kinds", .type = COLUMN_OTHER, .read = read_kinds, .needed = true},
	{0},
};

static int read_document(struct policy *policy, const json_t *document, struct error *err)
{
	struct reader reader = {.policy = policy, .err = err};

	set_where_top(&reader);
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
