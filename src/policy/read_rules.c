/* SPDX-License-Identifier: Apache-2.0 */
/* Reads what a policy says of objects that are not restored: who made them, what is inventoried, the installation; and what is waived. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "object/classify.h"
#include "policy/policy.h"
#include "util/json.h"

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

int reader_generated(struct reader *reader, const json_t *value, void *row)
{
	(void)row;
	return reader_each(reader, value, "generated", "of", read_generated_rule);
}

int reader_installed(struct reader *reader, const json_t *value, void *row)
{
	(void)row;
	return reader_each(reader, value, "installed", "of", read_installed_rule);
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

int reader_inventory(struct reader *reader, const json_t *value, void *row)
{
	(void)row;
	return reader_each(reader, value, "inventory", "of", read_inventory_row);
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

int reader_controllers(struct reader *reader, const json_t *value, void *row)
{
	(void)row;
	return reader_each(reader, value, "controllers", "of", read_controller);
}

static int read_webhook(struct reader *reader, const json_t *row)
{
	return append_inventory(reader, row, &reader->policy->webhooks, &reader->policy->webhook_count);
}

int reader_webhooks(struct reader *reader, const json_t *value, void *row)
{
	(void)row;
	return reader_each(reader, value, "webhooks", "of", read_webhook);
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

int reader_waivers(struct reader *reader, const json_t *value, void *row)
{
	(void)row;
	return reader_each(reader, value, "waivers", "object", read_waiver);
}
