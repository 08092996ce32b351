/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether we hold what the Roles and bindings of the plan grant: the API server refuses a Role that gives more than its maker has, unless he has the verb escalate, and a
 * binding to such a role, unless he has the verb bind on it. A rule that covers several others is asked for as it is written, so that a wildcard needs a wildcard.
 */
#include <string.h>

#include "check.h"
#include "internal.h"
#include "kube/discovery.h"
#include "object/object.h"
#include "util/error.h"
#include "util/json.h"
#include "util/strbuf.h"

#define RBAC_GROUP "rbac.authorization.k8s.io"
#define TOLD_MAX 5 /* rights that a finding names */

static bool is_created(const struct action *action, const char *resource)
{
	return check_is_created(action) && strcmp(action->object->group, RBAC_GROUP) == 0 &&
		strcmp(action->object->resource, resource) == 0;
}

static bool is_binding(const struct action *action)
{
	return is_created(action, "rolebindings") || is_created(action, "clusterrolebindings");
}

static const char *item_text(const json_t *item)
{
	return json_is_string(item) ? json_string_value(item) : "";
}

/* "pods/log" is a resource and its subresource. */
static json_t *attributes(const char *namespace_, const json_t *verb, const json_t *group, const json_t *resource)
{
	const char *text = item_text(resource), *slash = strchr(text, '/');
	auto_free char *name = slash ? xstrndup(text, (size_t)(slash - text)) : xstrdup(text);

	return json_pack("{s:s, s:s, s:s, s:s, s:s}", "namespace", namespace_, "verb", item_text(verb), "group", item_text(group),
		"resource", name, "subresource", slash ? slash + 1 : "");
}

/* For each of the names that the rule is narrowed to, or once. */
static void ask_names(struct asks *asks, struct action *action, const json_t *names, json_t *attributes_)
{
	size_t count = json_array_size(names);

	for (size_t i = 0; i < (count ? count : 1); i++) {
		json_t *asked = json_copy(attributes_);

		json_object_set_new(asked, "name", json_string(item_text(json_array_get(names, i))));
		check_ask_right(asks, asked, action);
	}
	json_decref(attributes_);
}

static void ask_rule(struct asks *asks, struct action *action, const json_t *rule)
{
	const json_t *verb, *group, *resource;
	size_t v, g, r;

	json_array_foreach (json_object_get(rule, "verbs"), v, verb)
		json_array_foreach (json_object_get(rule, "apiGroups"), g, group)
			json_array_foreach (json_object_get(rule, "resources"), r, resource)
				ask_names(asks, action, json_object_get(rule, "resourceNames"),
					attributes(action->object->namespace_, verb, group, resource));
}

static void ask_rules(struct asks *asks, struct action *action, const json_t *role)
{
	const json_t *rule;
	size_t i;

	json_array_foreach (json_object_get(role, "rules"), i, rule)
		ask_rule(asks, action, rule);
}

/* First whether we may escalate, then all that the Role grants. */
static void ask_role(struct asks *asks, struct action *action)
{
	check_ask_right(asks,
		json_pack("{s:s, s:s, s:s, s:s}", "namespace", action->object->namespace_, "verb", "escalate", "group", RBAC_GROUP,
			"resource", "roles"),
		action);
	ask_rules(asks, action, action->object->json);
}

/* ---- bindings ---- */

static const char *role_resource(const struct action *binding)
{
	const char *kind = json_text_at(binding->object->json, "roleRef", "kind", NULL);

	return kind && strcmp(kind, "Role") == 0 ? "roles" : "clusterroles";
}

static const char *role_name(const struct action *binding)
{
	const char *name = json_text_at(binding->object->json, "roleRef", "name", NULL);

	return name ? name : "";
}

/* First whether we may bind it, then all that the bound role grants, where it is bound. */
static void ask_binding(struct asks *asks, struct action *binding, const json_t *role)
{
	check_ask_right(asks,
		json_pack("{s:s, s:s, s:s, s:s, s:s}", "namespace", binding->object->namespace_, "verb", "bind", "group", RBAC_GROUP,
			"resource", role_resource(binding), "name", role_name(binding)),
		binding);
	ask_rules(asks, binding, role);
}

static bool is_role_of(const struct action *action, const struct action *binding)
{
	const char *resource = role_resource(binding);

	return strcmp(action->object->group, RBAC_GROUP) == 0 && strcmp(action->object->resource, resource) == 0 &&
		strcmp(action->object->name, role_name(binding)) == 0 &&
		strcmp(action->object->namespace_, strcmp(resource, "roles") == 0 ? binding->object->namespace_ : "") == 0;
}

static const json_t *role_of_snapshot(const struct restore *restore, const struct action *binding)
{
	for (size_t i = 0; i < restore->action_count; i++)
		if (is_role_of(&restore->actions[i], binding))
			return restore->actions[i].object->json;
	return NULL;
}

/* The role as the snapshot has it, else as the target does: then it is asked for in *roles. */
static void find_role(const struct restore *restore, struct action *binding, struct asks *asks, struct asks *roles)
{
	const struct kube_resource *found = discovery_find(restore->discovery, RBAC_GROUP, role_resource(binding), NULL);
	const json_t *role = role_of_snapshot(restore, binding);
	struct strbuf path = STRBUF_INIT;

	if (role) {
		ask_binding(asks, binding, role);
	} else if (found) {
		kube_path(&path, found, binding->object->namespace_, role_name(binding));
		(void)ask_add(roles, strbuf_detach(&path, NULL), NULL, binding);
	}
}

/* A role that is nowhere, or may not be read, says nothing of what it grants. */
static void ask_bindings(struct preflight *p, struct asks *asks)
{
	auto_asks struct asks roles = {0};

	for (size_t i = 0; i < p->restore->action_count; i++)
		if (is_binding(&p->restore->actions[i]))
			find_role(p->restore, &p->restore->actions[i], asks, &roles);
	if (check_ask(p, &roles) < 0)
		return;
	for (size_t i = 0; i < roles.count; i++) {
		const struct action *binding = roles.items[i].arg;

		if (roles.items[i].answer)
			ask_binding(asks, roles.items[i].arg, roles.items[i].answer);
		else if (roles.items[i].code != ERR_NOT_FOUND)
			check_untested(p, "the role %s that %s/%s binds: %s", role_name(binding), binding->object->namespace_,
				binding->object->name, roles.items[i].text ? roles.items[i].text : "no answer");
	}
}

/* ---- the check ---- */

/* What the asks from..to of one Role or binding say. */
static void judge(struct preflight *p, const struct asks *asks, size_t from, size_t to)
{
	const struct action *action = asks->items[from].arg;
	auto_strbuf struct strbuf denied = STRBUF_INIT, name = STRBUF_INIT;
	size_t count = 0;
	json_t *objects;

	for (size_t i = from + 1; i < to && check_is_denied(&asks->items[from]); i++) {
		const json_t *asked = json_at(asks->items[i].body, "spec", "resourceAttributes", NULL);

		if (check_is_denied(&asks->items[i]) && count++ < TOLD_MAX)
			strbuf_addf(&denied, "%s%s %s", count > 1 ? ", " : "", json_text_at(asked, "verb", NULL),
				json_text_at(asked, "resource", NULL));
	}
	if (!count)
		return;
	object_describe(action->object, &name);
	check_add_object(objects = json_array(), action->object);
	check_failed(p, objects, NULL, "%s grants what we do not hold: %s%s", name.buf, denied.buf, count > TOLD_MAX ? ", ..." : "");
}

void check_escalation(struct preflight *p)
{
	auto_asks struct asks asks = {0};

	for (size_t i = 0; i < p->restore->action_count; i++)
		if (is_created(&p->restore->actions[i], "roles"))
			ask_role(&asks, &p->restore->actions[i]);
	ask_bindings(p, &asks);
	if (check_ask(p, &asks) < 0)
		return;
	for (size_t from = 0, to; from < asks.count; from = to) {
		for (to = from; to < asks.count && asks.items[to].arg == asks.items[from].arg; to++)
			;
		judge(p, &asks, from, to);
	}
}
