/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Holds the target against the snapshot and the plan before anything is sent. All that is wrong is said at once: what cannot be looked at, or is wrong itself,
 * ends no other check.
 */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "internal.h"
#include "kube/client.h"
#include "kube/discovery.h"
#include "kube/list.h"
#include "kube/object_api.h"
#include "object/idle.h"
#include "object/object.h"
#include "object/references.h"
#include "policy/policy.h"
#include "restore/journal.h"
#include "restore/restore.h"
#include "store/snapshot.h"
#include "util/error.h"
#include "util/json.h"
#include "util/map.h"
#include "util/mem.h"
#include "util/text.h"

static const struct check checks[] = {
	{"kinds", BLOCKS_APPLY, check_kinds,
		"install its definition, or the operator that brings it (the definition in force at capture is in the snapshot's crds/)"},
	{"versions", BLOCKS_APPLY, check_versions, "install the definition that serves it"},
	{"definitions", BLOCKS_APPLY, check_definitions, "see `kubectl get crd NAME -o yaml`"},
	{"fields", BLOCKS_APPLY, check_fields, "install the definition that knows it, or take it out of the snapshot"},
	{"namespaces", BLOCKS_APPLY, check_namespaces, "create it, or add it to the snapshot's objects/cluster/namespaces/"},
	{"terminating", BLOCKS_APPLY, check_terminating, "wait until it is gone"},
	{"rights", BLOCKS_APPLY, check_rights, "grant it: `rhaii-dr rbac --for restore` prints all that is needed"},
	{"escalation", BLOCKS_APPLY, check_escalation,
		"restore as somebody who holds it, or who has the verb escalate on roles (for a binding: bind)"},
	{"webhooks", BLOCKS_APPLY, check_webhooks, "see whether the controller that serves it runs"},
	{"conversion", BLOCKS_APPLY, check_conversion, "see whether the controller that serves it runs"},
	{"webhook-network", BLOCKS_APPLY, check_webhook_network,
		"put the address of the target's control plane into the policy of the snapshot (or --ignore webhook-network where it is "
		"right)"},
	{"quota", BLOCKS_APPLY, check_quota, "raise it"},
	{"controller", BLOCKS_CONVERGE, check_controller, "scale it up, and see why its pods are not ready"},
	{"presets", BLOCKS_CONVERGE, check_presets, "install the operator again"},
	{"installation", BLOCKS_CONVERGE, check_installation,
		"install the version of the source, or --ignore installation where this one is meant"},
	{"gateway-classes", BLOCKS_CONVERGE, check_needs, "install what brings it (Istio), and see its status"},
	{"gateways", BLOCKS_CONVERGE, check_needs, "create it, or see its status"},
	{"secrets", BLOCKS_CONVERGE, check_needs, "create it (`rhaii-dr plan --requirements-template DIR` writes what to fill)"},
	{"configmaps", BLOCKS_CONVERGE, check_needs, "create it"},
	{"service-accounts", BLOCKS_CONVERGE, check_needs, "create it"},
	{"volumes", BLOCKS_CONVERGE, check_needs, "create it, and bring the model onto it"},
	{"references", BLOCKS_CONVERGE, check_needs, "create it, or install what brings it"},
	{"orphans", BLOCKS_CONVERGE, check_orphans,
		"--adopt-orphans removes it, so that its controller makes its own; the plan then lists what is removed"},
	{"pod-quota", BLOCKS_CONVERGE, check_pod_quota, "raise it, or ask for less in the snapshot"},
	{"limits", BLOCKS_CONVERGE, check_limits, "change the LimitRange, or what the service asks for in the snapshot"},
	{"nodes", BLOCKS_CONVERGE, check_nodes,
		"add such nodes, or change the service in the snapshot; --ignore nodes where an autoscaler adds them"},
};
#define CHECK_COUNT (sizeof(checks) / sizeof(checks[0]))

/* ---- the target ---- */
static int target_identify(struct restore *restore, struct error *err)
{
	const struct restore_settings *s = restore->settings;

	kube_expect_target(s->client);
	if (kube_cluster_id(s->client, &restore->target_id, err) < 0 || kube_server_version(s->client, &restore->server_version, err) < 0 ||
		discovery_load(&restore->discovery, s->client, err) < 0)
		return error_wrap(err, "target %s", kube_server(s->client));
	if (restore->head && record_check_target(restore, err) < 0)
		return -1;
	if (strcmp(restore->target_id, restore->snapshot->cluster_id) == 0 && !s->in_place) {
		error_set(err, ERR_GUARD, "the target %s is the cluster that the snapshot was taken from (%s)", kube_server(s->client),
			kube_source(s->client));
		return error_hint(err, "choose another --context, or say --in-place to restore onto the source itself");
	}
	return 0;
}

static bool same_kind(const struct object *a, const struct object *b)
{
	return strcmp(a->group, b->group) == 0 && strcmp(a->resource, b->resource) == 0 && strcmp(a->version, b->version) == 0;
}

static int action_init(
	struct restore *restore, struct action *action, const struct object *object, const struct action *previous, struct error *err)
{
	action->object = object;
	if (previous && same_kind(previous->object, object)) {
		action->row = previous->row;
		action->resource = previous->resource;
		return 0;
	}
	action->row = policy_find(restore->policy, object->group, object->resource);
	if (!action->row)
		return error_set(err, ERR_USAGE, "the policy '%s' has no row for %s%s%s, which the snapshot holds", restore->policy->name,
			object->resource, *object->group ? "." : "", object->group);
	action->resource = discovery_find(restore->discovery, object->group, object->resource, object->version);
	return 0;
}

/* ---- the namespaces that are there ---- */

static int space_item(json_t *item, void *arg, struct error *err)
{
	struct restore *restore = arg;
	const char *name = json_text_at(item, "metadata", "name", NULL);
	bool going = json_at(item, "metadata", "deletionTimestamp", NULL) != NULL;

	(void)err;
	if (name)
		map_put(&restore->spaces, name, (void *)(uintptr_t)(going ? SPACE_TERMINATING : SPACE_THERE));
	return 0;
}

enum space preflight_space(const struct restore *restore, const char *name)
{
	return (enum space)(uintptr_t)map_get(&restore->spaces, name);
}

static void space_restart(void *arg)
{
	struct restore *restore = arg;

	map_release(&restore->spaces, NULL);
}

static const struct kube_list_options space_options = {.metadata_only = true};

static void spaces_expect(const struct restore *restore)
{
	const struct kube_resource *namespaces = discovery_find(restore->discovery, "", "namespaces", NULL);

	if (namespaces)
		kube_list_expect(restore->settings->client, namespaces, &space_options);
}

/* Where they may not be listed, the creates will tell. */
static int spaces_load(struct restore *restore, struct error *err)
{
	const struct kube_resource *namespaces = discovery_find(restore->discovery, "", "namespaces", NULL);
	const struct kube_list_sink sink = {.item = space_item, .restart = space_restart, .arg = restore};

	if (!namespaces)
		return 0;
	if (kube_list(restore->settings->client, namespaces, &space_options, &sink, NULL, err) == 0) {
		restore->spaces_known = true;
		return 0;
	}
	if (err->code != ERR_FORBIDDEN)
		return -1;
	error_clear(err);
	return 0;
}

int preflight_open(struct restore *restore, struct error *err)
{
	const struct snapshot *snapshot = restore->snapshot;

	if (target_identify(restore, err) < 0)
		return -1;
	restore->actions = xcalloc(snapshot->object_count + 1, sizeof(*restore->actions));
	restore->action_count = snapshot->object_count;
	for (size_t i = 0; i < snapshot->object_count; i++)
		if (action_init(restore, &restore->actions[i], snapshot->objects[i], i ? &restore->actions[i - 1] : NULL, err) < 0)
			return -1;
	spaces_expect(restore);
	plan_expect(restore);
	return spaces_load(restore, err);
}

/* ---- findings ---- */

static const char *const block_names[] = {[BLOCKS_APPLY] = "apply", [BLOCKS_CONVERGE] = "converge"};

static void finding_add(struct preflight *p, const char *result, json_t *objects, const char *mend, const char *text)
{
	bool ignored = strlist_contains(&p->restore->ignore, p->check->name);

	p->told = true;
	json_array_append_new(p->restore->preflight,
		json_pack("{s:s, s:s, s:s, s:o, s:s?, s:s?, s:b}", "check", p->check->name, "blocks", block_names[p->check->blocks],
			"result", result, "objects", objects ? objects : json_array(), "text", text, "mend", mend, "ignored", ignored));
}

static char *safe_text(const char *fmt, va_list args) __attribute__((format(printf, 1, 0)));
static char *safe_text(const char *fmt, va_list args)
{
	char text[2048];
	struct strbuf safe = STRBUF_INIT;

	(void)vsnprintf(text, sizeof(text), fmt, args);
	text_escape(&safe, text, strlen(text), 0);
	return strbuf_detach(&safe, NULL);
}

void check_failed(struct preflight *p, json_t *objects, const char *mend, const char *fmt, ...)
{
	auto_free char *text = NULL;
	va_list args;

	va_start(args, fmt);
	text = safe_text(fmt, args);
	va_end(args);
	finding_add(p, "failed", objects, mend ? mend : p->check->mend, text);
}

void check_untested(struct preflight *p, const char *fmt, ...)
{
	auto_free char *text = NULL;
	va_list args;

	va_start(args, fmt);
	text = safe_text(fmt, args);
	va_end(args);
	finding_add(p, "not checked", NULL, NULL, text);
}

/* ---- what checks have in common ---- */

bool check_is_sent(const struct action *action)
{
	return action->result == RESULT_NONE && action->kind < ACTION_SKIP;
}

bool check_is_created(const struct action *action)
{
	return action->result == RESULT_NONE && action->kind == ACTION_CREATE;
}

bool check_makes_pods(const struct action *action)
{
	for (size_t i = 0; i < action->row->pod_count; i++)
		if (action->row->pods[i].replica_count)
			return !idle_reason(action->object->json);
	return false;
}

void check_add_object(json_t *objects, const struct object *object)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	const json_t *last = json_array_get(objects, json_array_size(objects) - 1);

	object_describe(object, &text);
	if (!last || strcmp(json_string_value(last), text.buf) != 0)
		json_array_append_new(objects, json_string(text.buf));
}

static int list_item(json_t *item, void *arg, struct error *err)
{
	(void)err;
	json_array_append(arg, item);
	return 0;
}

static void list_restart(void *arg)
{
	json_array_clear(arg);
}

/* What check_list will be asked for: group, resource, its metadata alone, and whether it is asked at all. */
static const struct {
	const char *group, *resource;
	bool metadata_only;
	bool (*wanted)(const struct restore *restore);
} lists[] = {
	{"admissionregistration.k8s.io", "mutatingwebhookconfigurations", false, NULL},
	{"admissionregistration.k8s.io", "validatingwebhookconfigurations", false, NULL},
	{"", "resourcequotas", false, NULL},
	{"apps", "deployments", false, check_has_services},
	{"serving.kserve.io", "llminferenceserviceconfigs", true, check_has_services},
	{"", "nodes", false, check_has_pods},
};

/* All of them with one round trip, beside the first question of the checks. */
static void expect_lists(const struct restore *restore)
{
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		const struct kube_resource *found = discovery_find(restore->discovery, lists[i].group, lists[i].resource, NULL);
		const struct kube_list_options options = {.metadata_only = lists[i].metadata_only};

		if (found && (!lists[i].wanted || lists[i].wanted(restore)))
			kube_list_expect(restore->settings->client, found, &options);
	}
}

int check_list(struct preflight *p, const char *group, const char *resource, bool metadata_only, json_t **out)
{
	const struct kube_resource *found = discovery_find(p->restore->discovery, group, resource, NULL);
	const struct kube_list_options options = {.metadata_only = metadata_only};
	auto_json json_t *items = json_array();
	const struct kube_list_sink sink = {.item = list_item, .restart = list_restart, .arg = items};
	struct error err = ERROR_INIT;

	*out = NULL;
	if (!found) {
		check_untested(p, "the target does not serve %s", resource);
		return -1;
	}
	if (kube_list(p->restore->settings->client, found, &options, &sink, NULL, &err) < 0) {
		check_untested(p, "%s", err.text);
		return -1;
	}
	*out = json_incref(items);
	return 0;
}

int check_ask(struct preflight *p, struct asks *asks)
{
	struct error err = ERROR_INIT;

	if (ask_all(asks, p->restore->settings->client, &err) == 0)
		return 0;
	check_untested(p, "%s", err.text);
	return -1;
}

/* ---- what follows from the findings ---- */

/* Whether the restore stops because of it, or (with --partial) the objects that it names. */
static bool blocks(const struct restore *restore, const json_t *finding)
{
	const char *result = json_text_at(finding, "result", NULL), *what = json_text_at(finding, "blocks", NULL);

	if (strcmp(result, "failed") != 0 || json_is_true(json_object_get(finding, "ignored")))
		return false;
	return strcmp(what, block_names[BLOCKS_APPLY]) == 0 || restore->settings->wait_ms > 0;
}

struct partial {
	struct restore *restore;
	struct map actions; /* the object in words -> its action */
	struct map blocked; /* group/resource/namespace/name -> action */
	struct map spaces;  /* namespaces that do not come -> action */
};

static char *reference_key(const char *group, const char *resource, const char *namespace_, const char *name)
{
	return xasprintf("%s/%s/%s/%s", group, resource, namespace_, name);
}

static void block_action(struct partial *partial, struct action *action, const char *why)
{
	const struct object *o = action->object;
	auto_free char *key = reference_key(o->group, o->resource, o->namespace_, o->name);

	if (!check_is_sent(action))
		return;
	action->result = RESULT_BLOCKED;
	free(action->error);
	action->error = xstrdup(why);
	map_put(&partial->blocked, key, action);
	if (action->row->select == SELECT_HOLDING && action->kind == ACTION_CREATE)
		map_put(&partial->spaces, o->name, action);
}

static void block_named(struct partial *partial, const json_t *finding)
{
	const json_t *name;
	size_t i;

	json_array_foreach (json_object_get(finding, "objects"), i, name) {
		struct action *action = map_get(&partial->actions, json_string_value(name));

		if (action)
			block_action(partial, action, json_text_at(finding, "text", NULL));
	}
}

static int reference_is_blocked(const struct reference *reference, void *arg)
{
	const struct partial *partial = arg;
	auto_free char *key = reference_key(reference->group, reference->resource, reference->namespace_, reference->name);

	return !reference->optional && map_get(&partial->blocked, key) != NULL;
}

/* What refers to a blocked object, or lies in a namespace that does not come, waits for it; and so on, until nothing more does. */
static void block_dependants(struct partial *partial)
{
	struct restore *restore = partial->restore;
	bool more = partial->blocked.count > 0;

	while (more) {
		more = false;
		for (size_t i = 0; i < restore->action_count; i++) {
			struct action *action = &restore->actions[i];
			const struct policy_kind *row = action->row;

			if (!check_is_sent(action) ||
				(!map_get(&partial->spaces, action->object->namespace_) &&
					!references_each(
						action->object, row->references, row->reference_count, reference_is_blocked, partial)))
				continue;
			block_action(partial, action, "it depends on an object that is blocked");
			more = true;
		}
	}
}

static void block_objects(struct restore *restore)
{
	struct partial partial = {.restore = restore};
	const json_t *finding;
	size_t i;

	for (i = 0; i < restore->action_count; i++) {
		auto_strbuf struct strbuf text = STRBUF_INIT;

		object_describe(restore->actions[i].object, &text);
		map_put(&partial.actions, text.buf, &restore->actions[i]);
	}
	json_array_foreach (restore->preflight, i, finding)
		if (blocks(restore, finding))
			block_named(&partial, finding);
	block_dependants(&partial);
	map_release(&partial.actions, NULL);
	map_release(&partial.blocked, NULL);
	map_release(&partial.spaces, NULL);
}

/* What stops the whole restore. */
static size_t count_blockers(const struct restore *restore)
{
	const json_t *finding;
	size_t i, count = 0;

	json_array_foreach (restore->preflight, i, finding)
		if (blocks(restore, finding) && (!restore->settings->partial || !json_array_size(json_object_get(finding, "objects"))))
			count++;
	return count;
}

static void free_json(void *value)
{
	json_decref(value);
}

void preflight_run(struct restore *restore)
{
	struct preflight p = {.restore = restore};

	expect_lists(restore);
	for (size_t i = 0; i < CHECK_COUNT; i++) {
		p.check = &checks[i];
		p.told = false;
		p.check->run(&p);
		if (!p.told)
			finding_add(&p, "ok", NULL, NULL, NULL);
	}
	kube_expect_end(restore->settings->client);
	map_release(&p.definitions, free_json);
	free(p.definitions_untold);
	json_decref(p.hooks);
	json_decref(p.quotas);
	restore->blockers = count_blockers(restore);
	if (restore->settings->partial)
		block_objects(restore);
}

/* A journal or a plan may be of a version that had other checks: its names are not judged. */
static void ignore_of_head(struct restore *restore)
{
	const json_t *name;
	size_t i;

	json_array_foreach (json_at(restore->head, "options", "ignore", NULL), i, name)
		if (json_is_string(name))
			strlist_add(&restore->ignore, json_string_value(name));
}

int preflight_ignore(struct restore *restore, struct error *err)
{
	const struct strlist *names = restore->settings->ignore;

	ignore_of_head(restore);
	if (!restore->head && restore->settings->drop_unknown_fields)
		strlist_add(&restore->ignore, "fields"); /* these are left out */
	for (size_t i = 0; names && i < names->count; i++) {
		size_t row = 0;

		while (row < CHECK_COUNT && strcmp(checks[row].name, names->items[i]) != 0)
			row++;
		if (row == CHECK_COUNT) {
			error_set(err, ERR_USAGE, "there is no check '%s' that could be ignored", names->items[i]);
			return error_hint(err, "the plan names them, in `preflight` of -o json also those that found nothing");
		}
		strlist_add(&restore->ignore, names->items[i]);
	}
	return 0;
}
