/* SPDX-License-Identifier: Apache-2.0 */
/* What of the plan somebody should look at before it is carried out: it gives rights, opens the network, or changes the traffic of others. */
#include <string.h>

#include "internal.h"
#include "object/object.h"
#include "util/json.h"
#include "util/strbuf.h"

static bool is_wildcard(const json_t *list)
{
	const json_t *item;
	size_t i;

	json_array_foreach (list, i, item)
		if (json_is_string(item) && strcmp(json_string_value(item), "*") == 0)
			return true;
	return false;
}

static bool grants_all(const json_t *role)
{
	const json_t *rule;
	size_t i;

	json_array_foreach (json_object_get(role, "rules"), i, rule)
		if (is_wildcard(json_object_get(rule, "verbs")) || is_wildcard(json_object_get(rule, "resources")))
			return true;
	return false;
}

/* A peer {namespaceSelector: {}} is every pod there is. */
static bool is_everybody(const json_t *peers)
{
	const json_t *peer;
	size_t i;

	json_array_foreach (peers, i, peer) {
		const json_t *spaces = json_object_get(peer, "namespaceSelector"), *pods = json_object_get(peer, "podSelector");

		if (spaces && json_object_size(spaces) == 0 && json_object_size(pods) == 0)
			return true;
	}
	return json_array_size(peers) == 0;
}

static bool lets_all(const json_t *rules, const char *peers)
{
	const json_t *rule;
	size_t i;

	json_array_foreach (rules, i, rule)
		if (is_everybody(json_object_get(rule, peers)))
			return true;
	return false;
}

static const char *of_network_policy(const json_t *json)
{
	if (lets_all(json_at(json, "spec", "ingress", NULL), "from"))
		return "lets everybody in";
	return lets_all(json_at(json, "spec", "egress", NULL), "to") ? "lets everything out" : NULL;
}

/* ALLOW is the default action; a rule without any condition holds for each request. */
static const char *of_authorization_policy(const json_t *json)
{
	const char *action = json_text_at(json, "spec", "action", NULL);
	const json_t *rule;
	size_t i;

	if (action && strcmp(action, "ALLOW") != 0)
		return NULL;
	json_array_foreach (json_at(json, "spec", "rules", NULL), i, rule)
		if (json_object_size(rule) == 0)
			return "allows every request";
	return NULL;
}

static const char *of_role(const json_t *json)
{
	return grants_all(json) ? "grants all verbs, or all resources" : "grants rights";
}

static const char *of_binding(const json_t *json)
{
	(void)json;
	return "gives rights to its subjects";
}

static const char *of_envoy_filter(const json_t *json)
{
	(void)json;
	return "changes the proxies that it selects";
}

static const struct {
	const char *group, *resource;
	const char *(*why)(const json_t *json); /* NULL: nothing to look at */
} rows[] = {
	{"rbac.authorization.k8s.io", "roles", of_role},
	{"rbac.authorization.k8s.io", "rolebindings", of_binding},
	{"networking.istio.io", "envoyfilters", of_envoy_filter},
	{"networking.k8s.io", "networkpolicies", of_network_policy},
	{"security.istio.io", "authorizationpolicies", of_authorization_policy},
};

static const char *why_of(const struct object *object)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].group, object->group) == 0 && strcmp(rows[i].resource, object->resource) == 0)
			return rows[i].why(object->json);
	return NULL;
}

json_t *privileged_json(const struct restore *restore)
{
	json_t *list = json_array();

	for (size_t i = 0; i < restore->action_count; i++) {
		const struct action *action = &restore->actions[i];
		const char *why = action->kind == ACTION_CREATE || action->kind == ACTION_MERGE ? why_of(action->object) : NULL;
		auto_strbuf struct strbuf text = STRBUF_INIT;

		if (!why)
			continue;
		object_describe(action->object, &text);
		json_array_append_new(list, json_pack("{s:s, s:s}", "object", text.buf, "text", why));
	}
	return list;
}
