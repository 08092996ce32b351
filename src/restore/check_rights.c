/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether we may do what the plan does. Each verb is asked for over the whole cluster first, and, where that is not granted, namespace by namespace: exactly what
 * will be sent, since a server need not know all its rules beforehand (a webhook that authorizes).
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "internal.h"
#include "kube/discovery.h"
#include "object/object.h"
#include "policy/policy.h"
#include "restore/restore.h"
#include "util/json.h"
#include "util/strbuf.h"

#define REVIEW "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"

/* One verb on one kind, and what of the plan needs it. */
struct right {
	const char *verb, *group, *resource; /* borrowed from actions */
	struct map spaces;                   /* namespace -> array of objects in words */
};

struct rights {
	struct right *items;
	size_t count, cap;
};

static struct right *right_of(struct rights *rights, const char *verb, const struct object *object)
{
	for (size_t i = 0; i < rights->count; i++) {
		struct right *right = &rights->items[i];

		if (strcmp(right->verb, verb) == 0 && strcmp(right->group, object->group) == 0 &&
			strcmp(right->resource, object->resource) == 0)
			return right;
	}
	rights->items = xgrow(rights->items, &rights->cap, rights->count + 1, sizeof(*rights->items));
	rights->items[rights->count] = (struct right){.verb = verb, .group = object->group, .resource = object->resource};
	return &rights->items[rights->count++];
}

static void need_right(struct rights *rights, const char *verb, const struct object *object, const char *namespace_)
{
	struct right *right = right_of(rights, verb, object);
	json_t *objects = map_get(&right->spaces, namespace_);

	if (!objects)
		map_put(&right->spaces, namespace_, objects = json_array());
	check_add_object(objects, object);
}

static bool is_waited_for(const struct policy_kind *row)
{
	return row->ready_conditions.count > 0 || row->ready_parents;
}

static void need_rights(const struct restore *restore, struct rights *rights)
{
	static const char *const verbs[] = {[ACTION_CREATE] = "create", [ACTION_MERGE] = "patch", [ACTION_UPDATE] = "update"};

	for (size_t i = 0; i < restore->action_count; i++) {
		const struct action *action = &restore->actions[i];
		const struct object *o = action->object;

		if (action->unlisted)
			need_right(rights, "list", o, "");
		if (!action->resource || !check_is_sent(action))
			continue;
		need_right(rights, verbs[action->kind], o, o->namespace_);
		if (restore->settings->wait_ms > 0 && is_waited_for(action->row))
			need_right(rights, "watch", o, o->namespace_);
	}
}

static void free_json(void *value)
{
	json_decref(value);
}

static void rights_release(struct rights *rights)
{
	for (size_t i = 0; i < rights->count; i++)
		map_release(&rights->items[i].spaces, free_json);
	free(rights->items);
}

void check_ask_right(struct asks *asks, json_t *attributes, void *arg)
{
	json_t *body = json_pack("{s:s, s:s, s:{s:o}}", "apiVersion", "authorization.k8s.io/v1", "kind", "SelfSubjectAccessReview", "spec",
		"resourceAttributes", attributes);

	(void)ask_add(asks, xstrdup(REVIEW), body, arg);
}

bool check_is_denied(const struct ask *ask)
{
	return ask->answer && !json_is_true(json_at(ask->answer, "status", "allowed", NULL));
}

static void ask_right(struct asks *asks, struct right *right, const char *namespace_)
{
	check_ask_right(asks,
		json_pack("{s:s, s:s, s:s, s:s}", "namespace", namespace_, "verb", right->verb, "group", right->group, "resource",
			right->resource),
		right);
}

static const char *asked_namespace(const struct ask *ask)
{
	return json_text_at(ask->body, "spec", "resourceAttributes", "namespace", NULL);
}

/* What was denied: where it is asked (asks of one right follow each other), what it stops. */
static void tell_denied(struct preflight *p, const struct asks *asks, size_t from, size_t to)
{
	const struct right *right = asks->items[from].arg;
	auto_strbuf struct strbuf where = STRBUF_INIT;
	json_t *objects = json_array();

	for (size_t i = from; i < to; i++) {
		const char *namespace_ = asked_namespace(&asks->items[i]);

		if (!check_is_denied(&asks->items[i]))
			continue;
		if (*namespace_)
			strbuf_addf(&where, "%s%s", where.len ? ", " : " in namespace ", namespace_);
		json_array_extend(objects, map_get(&right->spaces, namespace_));
	}
	if (json_array_size(objects))
		check_failed(p, objects, NULL, "we may not %s %s%s%s%s", right->verb, right->resource, *right->group ? "." : "",
			right->group, where.buf);
	else
		json_decref(objects);
}

/* That the server does not say is said once. */
static void tell_unknown(struct preflight *p, const struct asks *asks)
{
	for (size_t i = 0; i < asks->count; i++)
		if (!asks->items[i].answer) {
			check_untested(
				p, "the target does not say what we may do: %s", asks->items[i].text ? asks->items[i].text : "no answer");
			return;
		}
}

/* Those that were not granted everywhere, namespace by namespace; the others are settled. */
static void ask_spaces(struct asks *spaces, const struct asks *everywhere)
{
	for (size_t i = 0; i < everywhere->count; i++) {
		struct right *right = everywhere->items[i].arg;
		auto_free struct map_entry *entries = map_sorted(&right->spaces);

		if (!check_is_denied(&everywhere->items[i]))
			continue;
		for (size_t j = 0; j < right->spaces.count; j++)
			ask_right(spaces, right, entries[j].key);
	}
}

static void ask_rights(struct preflight *p, struct rights *rights)
{
	auto_asks struct asks everywhere = {0}, spaces = {0};

	for (size_t i = 0; i < rights->count; i++)
		ask_right(&everywhere, &rights->items[i], "");
	if (check_ask(p, &everywhere) < 0)
		return;
	tell_unknown(p, &everywhere);
	ask_spaces(&spaces, &everywhere);
	if (check_ask(p, &spaces) < 0)
		return;
	for (size_t from = 0, to; from < spaces.count; from = to) {
		for (to = from; to < spaces.count && spaces.items[to].arg == spaces.items[from].arg; to++)
			;
		tell_denied(p, &spaces, from, to);
	}
}

void check_rights(struct preflight *p)
{
	__attribute__((cleanup(rights_release))) struct rights rights = {0};

	need_rights(p->restore, &rights);
	ask_rights(p, &rights);
}
