/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the admission webhooks that must be asked about the plan's objects (failurePolicy Fail) will answer: a CA bundle, an endpoint of their Service, and a dry run
 * that gets through. And whether a NetworkPolicy of the snapshot would cut them off: the API server's address is another one here.
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

/* ---- endpoints ---- */

static bool has_ready_endpoint(const json_t *slices)
{
	const json_t *slice, *endpoint;
	size_t i, j;

	json_array_foreach (json_object_get(slices, "items"), i, slice)
		json_array_foreach (json_object_get(slice, "endpoints"), j, endpoint)
			if (!json_is_false(json_at(endpoint, "conditions", "ready", NULL)))
				return true;
	return false;
}

static void ask_endpoints(struct asks *asks, json_t *hook)
{
	const json_t *service = json_at(hook, "webhook", "clientConfig", "service", NULL);

	(void)ask_add(asks,
		xasprintf("/apis/discovery.k8s.io/v1/namespaces/%s/endpointslices?labelSelector=kubernetes.io%%2Fservice-name%%3D%s",
			text_of(service, "namespace"), text_of(service, "name")),
		NULL, hook);
}

static void judge_endpoints(struct preflight *p, const struct ask *ask)
{
	const json_t *hook = ask->arg, *service = json_at(hook, "webhook", "clientConfig", "service", NULL);
	const char *namespace_ = text_of(service, "namespace"), *name = text_of(service, "name");

	if (!ask->answer)
		check_untested(p, "the endpoints of Service %s/%s: %s", namespace_, name, ask->text ? ask->text : "no answer");
	else if (!has_ready_endpoint(ask->answer))
		check_failed(p, json_deep_copy(json_object_get(hook, "objects")),
			"see why its pods are not ready: `kubectl get pods -n NAMESPACE`",
			"webhook %s: its Service %s/%s has no endpoint that is ready", text_of(json_object_get(hook, "webhook"), "name"),
			namespace_, name);
}

static void judge_configured(struct preflight *p, json_t *hooks)
{
	auto_asks struct asks asks = {0};
	json_t *hook;
	size_t i;

	json_array_foreach (hooks, i, hook) {
		const json_t *webhook = json_object_get(hook, "webhook"), *service = json_at(webhook, "clientConfig", "service", NULL);

		if (!service)
			continue;
		if (!*text_of(json_object_get(webhook, "clientConfig"), "caBundle"))
			check_failed(p, json_deep_copy(json_object_get(hook, "objects")), "see whether cert-manager's cainjector runs",
				"webhook %s has no CA bundle", text_of(webhook, "name"));
		else
			ask_endpoints(&asks, hook);
	}
	if (check_ask(p, &asks) < 0)
		return;
	for (i = 0; i < asks.count; i++)
		judge_endpoints(p, &asks.items[i]);
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

/* In its own namespace, or where that is not there yet in one that always is. */
static void ask_dry_run(const struct preflight *p, struct asks *asks, struct action *action)
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
			ask_dry_run(p, &asks, action);
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
				json_array_append_new(hooks, json_pack("{s:O, s:O}", "webhook", webhook, "objects", objects));
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
	judge_configured(p, p->hooks);
	prove(p, p->hooks);
}

/* ---- network policies ---- */

static bool is_open(const json_t *rule)
{
	const json_t *from = json_object_get(rule, "from"), *peer;
	size_t i;

	json_array_foreach (from, i, peer) {
		const char *block = json_text_at(peer, "ipBlock", "cidr", NULL);

		if (block && (strcmp(block, "0.0.0.0/0") == 0 || strcmp(block, "::/0") == 0) && !json_at(peer, "ipBlock", "except", NULL))
			return true;
	}
	return json_array_size(from) == 0;
}

/* The addresses that alone may come in, for people; false: it is open, or has no addresses in it at all. */
static bool is_narrow(const struct object *policy, struct strbuf *blocks)
{
	const json_t *rule, *peer;
	size_t i, j;

	json_array_foreach (json_at(policy->json, "spec", "ingress", NULL), i, rule) {
		if (is_open(rule))
			return false;
		json_array_foreach (json_object_get(rule, "from"), j, peer) {
			const char *block = json_text_at(peer, "ipBlock", "cidr", NULL);

			if (block)
				strbuf_addf(blocks, "%s%s", blocks->len ? ", " : "", block);
		}
	}
	return blocks->len > 0;
}

/* Of another policy of the namespace that lets everybody in to all pods: policies add up. */
static bool is_opened(const struct preflight *p, const char *namespace_)
{
	for (size_t i = 0; i < p->restore->action_count; i++) {
		const struct object *o = p->restore->actions[i].object;
		const json_t *selector = json_at(o->json, "spec", "podSelector", NULL), *rule;
		size_t j;

		if (strcmp(o->resource, "networkpolicies") != 0 || strcmp(o->namespace_, namespace_) != 0 || json_object_size(selector))
			continue;
		json_array_foreach (json_at(o->json, "spec", "ingress", NULL), j, rule)
			if (is_open(rule))
				return true;
	}
	return false;
}

static const json_t *hook_in(const json_t *hooks, const char *namespace_)
{
	const json_t *hook;
	size_t i;

	json_array_foreach (hooks, i, hook) {
		const char *of = json_text_at(hook, "webhook", "clientConfig", "service", "namespace", NULL);

		if (of && strcmp(of, namespace_) == 0)
			return hook;
	}
	return NULL;
}

/* Policies of the plan in a webhook's namespace that know addresses only, each with the Service whose pods it may select. */
static void ask_services(const struct preflight *p, struct asks *asks)
{
	for (size_t i = 0; i < p->restore->action_count; i++) {
		struct action *action = &p->restore->actions[i];
		const struct object *o = action->object;
		const json_t *hook = hook_in(p->hooks, o->namespace_);
		auto_strbuf struct strbuf blocks = STRBUF_INIT;

		if (hook && check_is_created(action) && strcmp(o->resource, "networkpolicies") == 0 && is_narrow(o, &blocks) &&
			!is_opened(p, o->namespace_))
			(void)ask_add(asks,
				xasprintf("/api/v1/namespaces/%s/services/%s", o->namespace_,
					json_text_at(hook, "webhook", "clientConfig", "service", "name", NULL)),
				NULL, action);
	}
}

static void judge_policy(struct preflight *p, const struct ask *ask)
{
	const struct action *action = ask->arg;
	const json_t *labels = json_at(ask->answer, "spec", "selector", NULL);
	auto_strbuf struct strbuf blocks = STRBUF_INIT;
	json_t *objects;

	if (!ask->answer) {
		check_untested(
			p, "the Service of a webhook in namespace %s: %s", action->object->namespace_, ask->text ? ask->text : "no answer");
		return;
	}
	if (!selector_matches(json_at(action->object->json, "spec", "podSelector", NULL), labels))
		return;
	(void)is_narrow(action->object, &blocks);
	check_add_object(objects = json_array(), action->object);
	check_failed(p, objects, NULL,
		"%s lets only the addresses %s in to the webhook of its namespace: the target's API server may have another one",
		json_string_value(json_array_get(objects, 0)), blocks.buf);
}

void check_webhook_network(struct preflight *p)
{
	auto_asks struct asks asks = {0};

	ask_services(p, &asks);
	if (check_ask(p, &asks) < 0)
		return;
	for (size_t i = 0; i < asks.count; i++)
		judge_policy(p, &asks.items[i]);
}
