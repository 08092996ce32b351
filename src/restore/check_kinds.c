/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the target knows what the snapshot holds: kinds, versions, definitions, fields, namespaces. */
#include <string.h>

#include "check.h"
#include "internal.h"
#include "kube/discovery.h"
#include "object/diff.h"
#include "object/object.h"
#include "object/schema.h"
#include "policy/policy.h"
#include "restore/restore.h"
#include "store/snapshot.h"
#include "util/error.h"
#include "util/json.h"
#include "util/strbuf.h"

#define DEFINITIONS "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/"

char *check_kind_name(const struct object *object)
{
	return xasprintf("%s%s%s", object->resource, *object->group ? "." : "", object->group);
}

/* "v1alpha2, v1alpha1"; empty: not served at all. */
static void served_versions(const struct restore *restore, const struct object *object, struct strbuf *out)
{
	auto_free const char **versions = discovery_versions(restore->discovery, object->group, object->resource);

	for (size_t i = 0; versions && versions[i]; i++)
		strbuf_addf(out, "%s%s", i ? ", " : "", versions[i]);
}

/* The objects of the plan, kind by kind: name -> array of objects in words. Those for which wanted says no are left out. */
typedef bool (*wanted_fn)(const struct preflight *p, const struct action *action);
typedef char *(*name_fn)(const struct object *object);

static void group_actions(const struct preflight *p, wanted_fn wanted, name_fn name, struct map *groups)
{
	for (size_t i = 0; i < p->restore->action_count; i++) {
		const struct action *action = &p->restore->actions[i];
		auto_free char *key = NULL;
		json_t *objects;

		if (!wanted(p, action))
			continue;
		key = name(action->object);
		objects = map_get(groups, key);
		if (!objects)
			map_put(groups, key, objects = json_array());
		check_add_object(objects, action->object);
	}
}

/* ---- kinds ---- */

static bool kind_is_missing(const struct preflight *p, const struct action *action)
{
	return !action->resource && !discovery_find(p->restore->discovery, action->object->group, action->object->resource, NULL);
}

void check_kinds(struct preflight *p)
{
	struct map groups = MAP_INIT;
	auto_free struct map_entry *entries = NULL;

	group_actions(p, kind_is_missing, check_kind_name, &groups);
	entries = map_sorted(&groups);
	for (size_t i = 0; i < groups.count; i++) {
		const char *dot = strchr(entries[i].key, '.');

		if (dot && discovery_incomplete(p->restore->discovery, dot + 1))
			check_failed(p, entries[i].value, "see which APIService is not available: `kubectl get apiservices`",
				"the target cannot say whether it serves %s", entries[i].key);
		else
			check_failed(p, entries[i].value, NULL, "%s is not served by the target", entries[i].key);
	}
	map_release(&groups, NULL);
}

/* ---- definitions ---- */

static void ask_definitions(struct preflight *p, struct asks *asks)
{
	for (size_t i = 0; i < p->restore->action_count; i++) {
		const struct object *o = p->restore->actions[i].object;
		auto_free char *name = check_kind_name(o);

		if (check_is_sent(&p->restore->actions[i]) && policy_group_may_be_custom(o->group) &&
			!map_put(&p->definitions, name, json_null()))
			(void)ask_add(asks, xasprintf(DEFINITIONS "%s", name), NULL, NULL);
	}
}

void check_read_definitions(struct preflight *p)
{
	auto_asks struct asks asks = {0};
	struct error err = ERROR_INIT;

	if (p->definitions_read)
		return;
	p->definitions_read = true;
	ask_definitions(p, &asks);
	if (ask_all(&asks, p->restore->settings->client, &err) < 0) {
		p->definitions_untold = xstrdup(err.text);
		return;
	}
	for (size_t i = 0; i < asks.count; i++) {
		const struct ask *ask = &asks.items[i];

		if (ask->answer)
			json_decref(map_put(&p->definitions, ask->path + strlen(DEFINITIONS), json_incref(ask->answer)));
		else if (ask->code != ERR_NOT_FOUND && !p->definitions_untold) /* an aggregated API has none */
			p->definitions_untold = xstrdup(ask->text);
	}
}

static void tell_untold(struct preflight *p)
{
	if (p->definitions_untold)
		check_untested(p, "%s", p->definitions_untold);
}

/* ---- versions ---- */

static bool version_is_missing(const struct preflight *p, const struct action *action)
{
	return !action->resource && discovery_find(p->restore->discovery, action->object->group, action->object->resource, NULL);
}

static char *versioned_name(const struct object *object)
{
	return xasprintf("%s %s", object->version, object->resource);
}

static const struct object *first_object(const struct preflight *p, const json_t *objects)
{
	for (size_t i = 0; i < p->restore->action_count; i++) {
		auto_strbuf struct strbuf text = STRBUF_INIT;

		object_describe(p->restore->actions[i].object, &text);
		if (strcmp(text.buf, json_string_value(json_array_get(objects, 0))) == 0 && version_is_missing(p, &p->restore->actions[i]))
			return p->restore->actions[i].object;
	}
	return NULL;
}

/* The next step: the target has it and does not serve it, or it is of another release of the operator. */
static char *version_mend(const struct preflight *p, const struct object *object)
{
	auto_free char *name = check_kind_name(object);

	if (definition_version(map_get(&p->definitions, name), object->version))
		return xasprintf("the target's definition %s has it: say `served: true` there for the time of the restore", name);
	return xasprintf(
		"install the release of the operator that serves it (the definition in force at capture is the snapshot's crds/%s.yaml)",
		name);
}

void check_versions(struct preflight *p)
{
	struct map groups = MAP_INIT;
	auto_free struct map_entry *entries = NULL;

	group_actions(p, version_is_missing, versioned_name, &groups);
	if (groups.count > 0)
		check_read_definitions(
			p); /* only for the next step: check_definitions needs them anyway, and tells what is not to be had */
	entries = map_sorted(&groups);
	for (size_t i = 0; i < groups.count; i++) {
		const struct object *object = first_object(p, entries[i].value);
		auto_free char *mend = version_mend(p, object);
		auto_strbuf struct strbuf served = STRBUF_INIT;

		served_versions(p->restore, object, &served);
		check_failed(p, entries[i].value, mend, "%s.%s: the snapshot holds version %s, the target serves only %s", object->resource,
			object->group, object->version, served.buf);
	}
	map_release(&groups, NULL);
}

/* ---- established ---- */

static bool definition_established(const json_t *definition)
{
	const json_t *condition;
	size_t i;

	json_array_foreach (json_at(definition, "status", "conditions", NULL), i, condition) {
		const char *type = json_text_at(condition, "type", NULL), *status = json_text_at(condition, "status", NULL);

		if (type && status && strcmp(type, "Established") == 0)
			return strcmp(status, "True") == 0;
	}
	return false;
}

static json_t *objects_of_definition(const struct preflight *p, const char *name)
{
	json_t *objects = json_array();

	for (size_t i = 0; i < p->restore->action_count; i++) {
		const struct action *action = &p->restore->actions[i];
		auto_free char *of = check_kind_name(action->object);

		if (check_is_sent(action) && strcmp(of, name) == 0)
			check_add_object(objects, action->object);
	}
	return objects;
}

void check_definitions(struct preflight *p)
{
	auto_free struct map_entry *entries = NULL;

	check_read_definitions(p);
	tell_untold(p);
	entries = map_sorted(&p->definitions);
	for (size_t i = 0; i < p->definitions.count; i++) {
		const json_t *definition = entries[i].value;
		const char *name = entries[i].key;

		if (!json_is_object(definition))
			continue;
		if (json_at(definition, "metadata", "deletionTimestamp", NULL))
			check_failed(p, objects_of_definition(p, name), "wait until it is gone, then install it again",
				"the definition %s is being deleted on the target: all its objects go with it", name);
		else if (!definition_established(definition))
			check_failed(p, objects_of_definition(p, name), NULL, "the definition %s is not established on the target", name);
	}
}

/* ---- fields ---- */

static void field_dropped(const char *path, const json_t *sent, const json_t *stored, void *arg)
{
	struct strbuf *paths = arg;

	(void)sent;
	(void)stored;
	strbuf_addf(paths, "%s%s", paths->len ? ", " : "", path);
}

static void fields_failed(struct preflight *p, const struct object *object, const char *mend, const char *who, const char *paths)
{
	json_t *objects = json_array();

	check_add_object(objects, object);
	check_failed(p, objects, mend, "%s: %s does not know %s", json_string_value(json_array_get(objects, 0)), who, paths);
}

/* By the schema of the version that it is sent at. */
static void check_sent_fields(struct preflight *p, const json_t *definition, const struct object *object)
{
	auto_strbuf struct strbuf paths = STRBUF_INIT;

	if (schema_dropped(definition, object->version, object->json, field_dropped, &paths) > 0)
		fields_failed(p, object, NULL, "the target", paths.buf);
}

/* What is left of it then, by the schema of the version that it is stored at. */
static void check_stored_fields(struct preflight *p, const json_t *definition, const struct object *object)
{
	const char *stored = definition_unconverted(definition, object->version);
	auto_json json_t *left = stored ? json_deep_copy(object->json) : NULL;
	auto_strbuf struct strbuf paths = STRBUF_INIT;
	auto_free char *who = NULL;

	if (!stored)
		return;
	schema_prune(definition, object->version, left);
	if (schema_dropped(definition, stored, left, field_dropped, &paths) == 0)
		return;
	who = xasprintf("the target stores version %s without conversion from %s, and that", stored, object->version);
	fields_failed(p, object,
		"install the operator whose definition converts (spec.conversion is a webhook), or write the object in the "
		"snapshot at the stored version",
		who, paths.buf);
}

void check_fields(struct preflight *p)
{
	check_read_definitions(p);
	tell_untold(p);
	for (size_t i = 0; i < p->restore->action_count; i++) {
		const struct action *action = &p->restore->actions[i];
		auto_free char *name = check_kind_name(action->object);
		const json_t *definition = map_get(&p->definitions, name);

		if (!action->resource || !check_is_created(action) || !json_is_object(definition))
			continue;
		check_sent_fields(p, definition, action->object);
		check_stored_fields(p, definition, action->object);
	}
}

/* ---- namespaces ---- */

static char *namespace_name(const struct object *object)
{
	return xstrdup(*object->namespace_ ? object->namespace_ : object->name);
}

static bool in_snapshot(const struct restore *restore, const char *namespace_)
{
	for (size_t i = 0; i < restore->action_count; i++)
		if (restore->actions[i].row->select == SELECT_HOLDING && strcmp(restore->actions[i].object->name, namespace_) == 0)
			return true;
	return false;
}

static bool namespace_is_nowhere(const struct preflight *p, const struct action *action)
{
	const char *namespace_ = action->object->namespace_;

	return *namespace_ && preflight_space(p->restore, namespace_) == SPACE_ABSENT && !in_snapshot(p->restore, namespace_);
}

/* The snapshot brings its namespaces; one that was edited out of it, or narrowed to objects, must be on the target. */
void check_namespaces(struct preflight *p)
{
	struct map groups = MAP_INIT;
	auto_free struct map_entry *entries = NULL;

	if (!p->restore->spaces_known) {
		check_untested(p, "the namespaces of the target may not be listed");
		return;
	}
	group_actions(p, namespace_is_nowhere, namespace_name, &groups);
	entries = map_sorted(&groups);
	for (size_t i = 0; i < groups.count; i++)
		check_failed(p, entries[i].value, NULL, "namespace %s is neither in the snapshot nor on the target", entries[i].key);
	map_release(&groups, NULL);
}

static bool namespace_is_going(const struct preflight *p, const struct action *action)
{
	const char *name = action->row->select == SELECT_HOLDING ? action->object->name : action->object->namespace_;

	return preflight_space(p->restore, name) == SPACE_TERMINATING;
}

/* Everything created in it would vanish with it. */
void check_terminating(struct preflight *p)
{
	struct map groups = MAP_INIT;
	auto_free struct map_entry *entries = NULL;

	if (!p->restore->spaces_known) {
		check_untested(p, "the namespaces of the target may not be listed");
		return;
	}
	group_actions(p, namespace_is_going, namespace_name, &groups);
	entries = map_sorted(&groups);
	for (size_t i = 0; i < groups.count; i++) {
		auto_free char *mend =
			xasprintf("wait until it is gone: `kubectl get namespace %s -o yaml` says what holds it", entries[i].key);

		check_failed(p, entries[i].value, mend, "namespace %s is being deleted on the target", entries[i].key);
	}
	map_release(&groups, NULL);
}
