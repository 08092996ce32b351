/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a NetworkPolicy of the snapshot would cut off a webhook that must be asked: the address of the API server is another one on each cluster. */
#include <string.h>

#include "check.h"
#include "internal.h"
#include "object/object.h"
#include "object/selector.h"
#include "util/json.h"
#include "util/strbuf.h"

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
