/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of the installation decides how the captured objects behave, and is none of them: presets, controllers, webhooks. It is told in
 * requirements.yaml, so that a target with another one is seen; nothing of it is restored.
 */
#include <stdlib.h>
#include <string.h>

#include "facts.h"
#include "internal.h"
#include "kube/list.h"
#include "object/object.h"
#include "policy/policy.h"
#include "util/error.h"
#include "util/hash.h"
#include "util/json.h"
#include "util/strbuf.h"

/* ---- rows in an order that no list decides ---- */

json_t *installation_sorted(const json_t *list)
{
	struct map texts = MAP_INIT;
	json_t *sorted = json_array(), *row;
	size_t i;

	json_array_foreach (list, i, row) {
		auto_strbuf struct strbuf text = STRBUF_INIT;

		json_write(row, &text);
		map_put(&texts, text.buf, row);
	}
	auto_free struct map_entry *entries = map_sorted(&texts);
	for (i = 0; i < texts.count; i++)
		json_array_append(sorted, entries[i].value);
	map_release(&texts, NULL);
	return sorted;
}

static void note_not_read(struct capture *c, const char *group, const char *resource)
{
	json_array_append_new(c->not_read, json_sprintf("%s%s%s", resource, *group ? "." : "", group));
}

/* ---- presets ---- */

void preset_add(struct capture *c, const struct object *object, const struct facts *facts)
{
	const char *sha256 = facts_preset(facts);

	if (sha256)
		json_array_append_new(c->presets,
			json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "group", object->group, "resource", object->resource, "kind",
				object->kind, "namespace", object->namespace_, "name", object->name, "sha256", sha256));
}

/* ---- controllers ---- */

struct controller_look {
	struct capture *c;
	const struct kube_resource *resource;
	const struct policy_controller *row;
	bool found;
};

static bool is_controller(const struct policy_controller *row, const struct kube_resource *resource, const char *name)
{
	return strcmp(row->group, resource->group) == 0 && strcmp(row->resource, resource->resource) == 0 &&
		strlist_contains(&row->names, name);
}

void controller_seen(struct capture *c, const struct kube_resource *resource, const json_t *item)
{
	const char *name = json_text_at(item, "metadata", "name", NULL);
	auto_strbuf struct strbuf key = STRBUF_INIT;

	for (size_t i = 0; name && i < c->policy->controller_count; i++) {
		if (!is_controller(&c->policy->controllers[i], resource, name))
			continue;
		capture_key(&key, resource->group, resource->resource, "", name);
		map_put(&c->controllers_seen, key.buf, c);
	}
}

/* An inventory list over all namespaces has shown every one that there is. */
static bool may_be_there(const struct capture *c, const struct policy_controller *row, const char *name)
{
	auto_strbuf struct strbuf key = STRBUF_INIT;

	capture_key(&key, row->group, row->resource, "", "");
	if (!map_get(&c->inventoried, key.buf))
		return true;
	capture_key(&key, row->group, row->resource, "", name);
	return map_get(&c->controllers_seen, key.buf) != NULL;
}

static const json_t *container_of(const json_t *item, const char *name)
{
	const json_t *containers = json_at(item, "spec", "template", "spec", "containers", NULL);
	json_t *container;
	size_t i;

	json_array_foreach (containers, i, container) {
		const char *its = json_text_at(container, "name", NULL);

		if (!name || (its && strcmp(its, name) == 0))
			return container;
	}
	return NULL;
}

/* As its label says, else the tag of the image; "" for none. */
static char *version_of(const json_t *item, const char *image)
{
	const char *label = json_text_at(item, "metadata", "labels", "app.kubernetes.io/version", NULL);
	const char *last = strrchr(image, '/'), *tag = strchr(last ? last : image, ':');

	if (label)
		return xstrdup(label);
	tag = tag ? tag + 1 : "";
	return xstrndup(tag, strcspn(tag, "@"));
}

static int controller_item(json_t *item, void *arg, struct error *err)
{
	struct controller_look *look = arg;
	const json_t *container = container_of(item, look->row->container);
	const char *image = json_text_at(container, "image", NULL), *name = json_text_at(container, "name", NULL);
	const char *namespace_ = json_text_at(item, "metadata", "namespace", NULL);
	auto_free char *version = image ? version_of(item, image) : NULL;

	(void)err;
	look->found = true;
	json_array_append_new(look->c->controllers,
		json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "group", look->resource->group, "resource", look->resource->resource,
			"kind", look->resource->kind, "namespace", namespace_ ? namespace_ : "", "name",
			json_text_at(item, "metadata", "name", NULL), "container", name ? name : "", "image", image ? image : "", "version",
			version ? version : ""));
	return 0;
}

/* Forbidden is noted, not fatal: the rights to it may not be given. */
static int list_or_note(
	struct capture *c, const struct kube_resource *resource, const char *name, const struct kube_list_sink *sink, struct error *err)
{
	const struct kube_list_options options = {.name = name};

	if (capture_list(c, resource, &options, sink, err) == 0)
		return 0;
	if (err->code != ERR_FORBIDDEN)
		return error_wrap(err, "installation");
	error_clear(err);
	note_not_read(c, resource->group, resource->resource);
	return 1;
}

static int controller_collect(struct capture *c, const struct policy_controller *row, struct error *err)
{
	struct controller_look look = {.c = c, .row = row, .resource = discovery_find(c->discovery, row->group, row->resource, NULL)};
	const struct kube_list_sink sink = {.item = controller_item, .arg = &look};
	int rc = 0;

	for (size_t i = 0; look.resource && rc == 0 && !look.found && i < row->names.count; i++)
		if (may_be_there(c, row, row->names.items[i]))
			rc = list_or_note(c, look.resource, row->names.items[i], &sink, err);
	return rc < 0 ? -1 : 0;
}

/* ---- webhooks ---- */

struct webhook_look {
	struct capture *c;
	const struct kube_resource *resource;
};

static bool has_text(const json_t *list, const char *text)
{
	json_t *item;
	size_t i;

	json_array_foreach (list, i, item)
		if (json_is_string(item) && (strcmp(json_string_value(item), "*") == 0 || strcmp(json_string_value(item), text) == 0))
			return true;
	return false;
}

/* Objects are created by a restore, updated by it and by controllers. What is equivalent at another version is matched as well, unless it says Exact. */
static bool rule_matches(const json_t *webhook, const json_t *rule, const struct kube_resource *resource)
{
	const char *policy = json_text_at(webhook, "matchPolicy", NULL);
	const json_t *operations = json_object_get(rule, "operations"), *resources = json_object_get(rule, "resources");

	if (policy && strcmp(policy, "Exact") == 0 && !has_text(json_object_get(rule, "apiVersions"), resource->version))
		return false;
	return (has_text(operations, "CREATE") || has_text(operations, "UPDATE")) &&
		has_text(json_object_get(rule, "apiGroups"), resource->group) &&
		(has_text(resources, resource->resource) || has_text(resources, "*/*"));
}

static bool webhook_matches(const json_t *webhook, const struct kube_resource *resource)
{
	json_t *rule;
	size_t i;

	json_array_foreach (json_object_get(webhook, "rules"), i, rule)
		if (rule_matches(webhook, rule, resource))
			return true;
	return false;
}

/* The captured kinds that it is asked about. */
static json_t *webhook_kinds(const struct capture *c, const json_t *webhook)
{
	json_t *kinds = json_array();

	for (size_t i = 0; i < c->policy->kind_count; i++) {
		const struct kube_resource *resource = &c->kinds[i].resource;

		if (c->kinds[i].count > 0 && webhook_matches(webhook, resource))
			json_array_append_new(
				kinds, json_sprintf("%s%s%s", resource->resource, *resource->group ? "." : "", resource->group));
	}
	return kinds;
}

/* Who is asked; "" where it is called by an address, which is this cluster's alone. */
static json_t *webhook_service(const json_t *webhook)
{
	const json_t *service = json_at(webhook, "clientConfig", "service", NULL);
	const char *namespace_ = json_text_at(service, "namespace", NULL), *name = json_text_at(service, "name", NULL);

	return service ? json_sprintf("%s/%s", namespace_ ? namespace_ : "", name ? name : "") : json_string("");
}

static int webhook_item(json_t *item, void *arg, struct error *err)
{
	const struct webhook_look *look = arg;
	json_t *webhook;
	size_t i;

	(void)err;
	json_array_foreach (json_object_get(item, "webhooks"), i, webhook) {
		const char *name = json_text_at(webhook, "name", NULL), *policy = json_text_at(webhook, "failurePolicy", NULL);
		auto_json json_t *kinds = webhook_kinds(look->c, webhook);

		if (json_array_size(kinds) > 0)
			json_array_append_new(look->c->webhooks,
				json_pack("{s:o, s:s, s:o, s:s, s:O}", "configuration",
					json_sprintf("%s %s", look->resource->kind, json_text_at(item, "metadata", "name", NULL)), "name",
					name ? name : "", "service", webhook_service(webhook), "failurePolicy", policy ? policy : "Fail",
					"kinds", kinds));
	}
	return 0;
}

static int webhooks_collect(struct capture *c, const struct policy_inventory *row, struct error *err)
{
	struct webhook_look look = {.c = c, .resource = discovery_find(c->discovery, row->group, row->resource, NULL)};
	const struct kube_list_sink sink = {.item = webhook_item, .arg = &look};

	return look.resource && list_or_note(c, look.resource, NULL, &sink, err) < 0 ? -1 : 0;
}

int installation_collect(struct capture *c, struct error *err)
{
	for (size_t i = 0; i < c->policy->controller_count; i++)
		if (controller_collect(c, &c->policy->controllers[i], err) < 0)
			return -1;
	for (size_t i = 0; i < c->policy->webhook_count; i++)
		if (webhooks_collect(c, &c->policy->webhooks[i], err) < 0)
			return -1;
	return 0;
}
