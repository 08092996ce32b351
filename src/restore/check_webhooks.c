/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the admission webhooks that must be asked about the plan's objects (failurePolicy Fail) will answer: a CA bundle, an endpoint of their Service, and a dry run
 * that gets through.
 */
#include <string.h>

#include "check.h"
#include "internal.h"
#include "kube/discovery.h"
#include "kube/object_api.h"
#include "object/object.h"
#include "object/selector.h"
#include "policy/policy.h"
#include "util/json.h"
#include "util/strbuf.h"

#define REGISTRATION "admissionregistration.k8s.io"

static const char *text_of(const json_t *map, const char *key)
{
	const char *text = json_text_at(map, key, NULL);

	return text ? text : "";
}

/* ---- which webhook is asked about which object ---- */

static bool holds(const json_t *list, const char *text)
{
	const json_t *item;
	size_t i;

	json_array_foreach (list, i, item) {
		const char *value = json_string_value(item);

		if (value && (strcmp(value, text) == 0 || strcmp(value, "*") == 0))
			return true;
	}
	return false;
}

/* The version is not asked: by default (matchPolicy Equivalent) a webhook is asked about each of them. */
static bool rules_hold(const json_t *webhook, const struct object *object)
{
	const json_t *rule;
	size_t i;

	json_array_foreach (json_object_get(webhook, "rules"), i, rule)
		if (holds(json_object_get(rule, "operations"), "CREATE") && holds(json_object_get(rule, "apiGroups"), object->group) &&
			holds(json_object_get(rule, "resources"), object->resource))
			return true;
	return false;
}

/* The labels of a namespace as the snapshot brings it; where it does not, only its name is known. */
static json_t *namespace_labels(const struct restore *restore, const char *name)
{
	json_t *labels = json_object();

	for (size_t i = 0; i < restore->action_count; i++) {
		const struct object *o = restore->actions[i].object;
		json_t *own = json_at(o->json, "metadata", "labels", NULL);

		if (restore->actions[i].row->select == SELECT_HOLDING && strcmp(o->name, name) == 0 && own)
			json_object_update(labels, own);
	}
	json_object_set_new(labels, "kubernetes.io/metadata.name", json_string(name));
	return labels;
}

static bool intercepts(const struct preflight *p, const json_t *webhook, const struct object *object)
{
	const json_t *spaces = json_object_get(webhook, "namespaceSelector");
	auto_json json_t *labels = NULL;

	if (!rules_hold(webhook, object) ||
		!selector_matches(json_object_get(webhook, "objectSelector"), json_at(object->json, "metadata", "labels", NULL)))
		return false;
	if (!*object->namespace_ || json_object_size(spaces) == 0)
		return true;
	labels = namespace_labels(p->restore, object->namespace_);
	return selector_matches(spaces, labels);
}

static json_t *intercepted(const struct preflight *p, const json_t *webhook)
{
	json_t *objects = json_array();

	for (size_t i = 0; i < p->restore->action_count; i++) {
		const struct action *action = &p->restore->actions[i];

		if (action->resource && check_is_created(action) && intercepts(p, webhook, action->object))
			check_add_object(objects, action->object);
	}
	return objects;
}

/* ---- dry run ---- */

static bool is_named(const json_t *hooks, const struct object *object)
{
	auto_strbuf struct strbuf words = STRBUF_INIT;
	const json_t *hook, *name;
	size_t i, j;

	object_describe(object, &words);
	json_array_foreach (hooks, i, hook)
		json_array_foreach (json_object_get(hook, "objects"), j, name)
			if (strcmp(json_string_value(name), words.buf) == 0)
				return true;
	return false;
}

void check_ask_dry_run(const struct preflight *p, struct asks *asks, struct action *action)
{
	const struct object *o = action->object;
	bool there = !*o->namespace_ || !p->restore->spaces_known || preflight_space(p->restore, o->namespace_) == SPACE_THERE;
	json_t *body = json_deep_copy(o->json);

	if (!there)
		json_object_set_new(json_object_get(body, "metadata"), "namespace", json_string("default"));
	(void)ask_add(asks, kube_create_path(action->resource, there ? o->namespace_ : "default", true), body, action);
}

static json_t *objects_of_kind(const struct preflight *p, const struct action *of)
{
	json_t *objects = json_array();

	for (size_t i = 0; i < p->restore->action_count; i++)
		if (check_is_created(&p->restore->actions[i]) && p->restore->actions[i].resource == of->resource)
			check_add_object(objects, p->restore->actions[i].object);
	return objects;
}

static void judge_dry_run(struct preflight *p, const struct ask *ask)
{
	const struct action *action = ask->arg;

	if (check_is_unconverted(ask))
		return; /* check_conversion tells it */
	if (ask->code == ERR_UNAVAILABLE)
		check_failed(p, objects_of_kind(p, action), NULL, "the target does not take a %s in a dry run: %s", action->object->kind,
			ask->text ? ask->text : "no answer");
	else if (strcmp(action->object->resource, "llminferenceservices") == 0 && (!ask->text || strstr(ask->text, "admission webhook")))
		p->webhook_answers = true;
}

static bool is_asked(const struct preflight *p, const json_t *hooks, const struct action *action)
{
	return hooks ? is_named(hooks, action->object) : p->restore->policy->waves[action->wave].gate == GATE_DRY_RUN_CREATE;
}

/* One object of each kind that a webhook is asked about; where nobody tells which those are (hooks NULL), of each kind whose wave waits for them. */
static void prove(struct preflight *p, const json_t *hooks)
{
	auto_asks struct asks asks = {0};
	struct map done = MAP_INIT;

	for (size_t i = 0; i < p->restore->action_count; i++) {
		struct action *action = &p->restore->actions[i];
		auto_free char *kind = xasprintf("%s/%s", action->object->group, action->object->resource);

		if (action->resource && check_is_created(action) && !map_get(&done, kind) && is_asked(p, hooks, action)) {
			map_put(&done, kind, action);
			check_ask_dry_run(p, &asks, action);
		}
	}
	map_release(&done, NULL);
	if (check_ask(p, &asks) < 0)
		return;
	for (size_t i = 0; i < asks.count; i++)
		judge_dry_run(p, &asks.items[i]);
}

/* ---- the check ---- */

static void add_hooks(const struct preflight *p, const json_t *configurations, json_t *hooks)
{
	json_t *configuration, *webhook;
	size_t i, j;

	json_array_foreach (configurations, i, configuration)
		json_array_foreach (json_object_get(configuration, "webhooks"), j, webhook) {
			auto_json json_t *objects = intercepted(p, webhook);

			if (json_array_size(objects) && strcmp(text_of(webhook, "failurePolicy"), "Ignore") != 0)
				json_array_append_new(hooks,
					json_pack("{s:O, s:O, s:o}", "webhook", webhook, "objects", objects, "words",
						json_sprintf("webhook %s", text_of(webhook, "name"))));
		}
}

void check_webhooks(struct preflight *p)
{
	auto_json json_t *mutating = NULL, *validating = NULL;
	bool served = discovery_find(p->restore->discovery, REGISTRATION, "mutatingwebhookconfigurations", NULL) != NULL;

	if (!p->hooks)
		p->hooks = json_array();
	if (check_list(p, REGISTRATION, "mutatingwebhookconfigurations", false, &mutating) < 0 ||
		check_list(p, REGISTRATION, "validatingwebhookconfigurations", false, &validating) < 0) {
		if (served)
			prove(p, NULL);
		return;
	}
	add_hooks(p, mutating, p->hooks);
	add_hooks(p, validating, p->hooks);
	check_configured(p, p->hooks);
	prove(p, p->hooks);
}
