/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the target has nodes on which the pods of the services could run: their labels, their taints, and accelerators. What other pods use of them, and what an
 * autoscaler would add, is not looked at; a target without any node at all (some start so) is "not checked".
 */
#include <string.h>

#include "check.h"
#include "internal.h"
#include "object/idle.h"
#include "object/object.h"
#include "object/quantity.h"
#include "object/selector.h"
#include "util/json.h"
#include "util/strbuf.h"

/* Where pod templates stand below `spec`, and how many pods there are of each. */
static const struct template
{
	const char *part, *name;
	const char *replicas; /* beside name */
}
templates[] = {
	{NULL, "template", "replicas"},
	{NULL, "worker", NULL},
	{"prefill", "template", "replicas"},
	{"prefill", "worker", NULL},
};

/* What one pod asks for. */
struct wish {
	const json_t *pod;
	json_t *accelerators; /* resource -> amount of one pod */
	json_int_t replicas;
};

/* Extended resources, "nvidia.com/gpu"; not the ones of Kubernetes itself. */
static bool is_accelerator(const char *resource)
{
	return strchr(resource, '/') && !strstr(resource, "kubernetes.io/");
}

static void add_amounts(json_t *sums, json_t *amounts)
{
	const char *resource;
	json_t *value;

	json_object_foreach (amounts, resource, value) {
		double amount;

		if (is_accelerator(resource) && quantity_read(value, &amount) && amount > 0)
			json_object_set_new(sums, resource, json_real(amount + json_number_value(json_object_get(sums, resource))));
	}
}

/* For extended resources requests equal limits: where both are given, one of them counts. */
static json_t *accelerators_of(const json_t *pod)
{
	json_t *sums = json_object();
	const json_t *container;
	size_t i;

	json_array_foreach (json_object_get(pod, "containers"), i, container) {
		auto_json json_t *both = json_object();
		json_t *requests = json_at(container, "resources", "requests", NULL),
		       *limits = json_at(container, "resources", "limits", NULL);

		if (json_is_object(requests))
			json_object_update(both, requests);
		if (json_is_object(limits))
			json_object_update(both, limits);
		add_amounts(sums, both);
	}
	return sums;
}

/* ---- one node ---- */

/* The terms of required node affinity: one of them is enough. */
static bool affinity_holds(const json_t *pod, const json_t *labels)
{
	const json_t *terms =
		json_at(pod, "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms", NULL);
	const json_t *term;
	size_t i;

	json_array_foreach (terms, i, term)
		if (selector_requirements_hold(json_object_get(term, "matchExpressions"), labels))
			return true;
	return json_array_size(terms) == 0;
}

static bool text_is(const json_t *map, const char *key, const char *text)
{
	const char *is = json_text_at(map, key, NULL);

	return is && strcmp(is, text) == 0;
}

static bool tolerates(const json_t *toleration, const json_t *taint)
{
	const char *key = json_text_at(toleration, "key", NULL), *effect = json_text_at(toleration, "effect", NULL);
	const char *value = json_text_at(toleration, "value", NULL), *tainted = json_text_at(taint, "value", NULL);

	if (effect && *effect && !text_is(taint, "effect", effect))
		return false;
	if (text_is(toleration, "operator", "Exists"))
		return !key || !*key || text_is(taint, "key", key);
	return key && text_is(taint, "key", key) && strcmp(value ? value : "", tainted ? tainted : "") == 0;
}

/* A taint named as a resource that the pod asks for is tolerated by admission where that is set up (ExtendedResourceToleration: on GKE it is). */
static bool taint_is_tolerated(const struct wish *wish, const json_t *taint)
{
	const char *key = json_text_at(taint, "key", NULL);
	const json_t *toleration;
	size_t i;

	if (text_is(taint, "effect", "PreferNoSchedule") || (key && json_object_get(wish->accelerators, key)))
		return true;
	json_array_foreach (json_object_get(wish->pod, "tolerations"), i, toleration)
		if (tolerates(toleration, taint))
			return true;
	return false;
}

static bool taints_are_tolerated(const struct wish *wish, const json_t *node)
{
	const json_t *taint;
	size_t i;

	json_array_foreach (json_at(node, "spec", "taints", NULL), i, taint)
		if (!taint_is_tolerated(wish, taint))
			return false;
	return true;
}

/* How many pods the node has accelerators for; without any, as many as are wanted. */
static json_int_t pods_that_fit(const struct wish *wish, const json_t *node)
{
	json_int_t fit = wish->replicas;
	const char *resource;
	json_t *amount;

	json_object_foreach (wish->accelerators, resource, amount) {
		double has = 0;
		json_int_t pods;

		(void)quantity_read(json_at(node, "status", "allocatable", resource, NULL), &has);
		pods = (json_int_t)(has / json_number_value(amount));
		fit = pods < fit ? pods : fit;
	}
	return fit;
}

static bool node_is_right(const struct wish *wish, const json_t *node)
{
	const json_t *labels = json_at(node, "metadata", "labels", NULL);

	return selector_map_holds(json_object_get(wish->pod, "nodeSelector"), labels) && affinity_holds(wish->pod, labels) &&
		taints_are_tolerated(wish, node) && !json_is_true(json_at(node, "spec", "unschedulable", NULL));
}

/* ---- one template ---- */

/* "nvidia.com/gpu 1 on cloud.google.com/gke-accelerator=nvidia-l4" */
static void wish_words(const struct wish *wish, struct strbuf *out)
{
	const char *key;
	json_t *value;

	json_object_foreach (wish->accelerators, key, value)
		strbuf_addf(out, "%s%s %g", out->len ? ", " : "", key, json_number_value(value));
	json_object_foreach (json_object_get(wish->pod, "nodeSelector"), key, value)
		strbuf_addf(out, "%s%s=%s", out->len ? ", " : "", key, json_is_string(value) ? json_string_value(value) : "");
}

static void judge_wish(struct preflight *p, const struct object *object, const char *name, const struct wish *wish, const json_t *nodes)
{
	auto_strbuf struct strbuf words = STRBUF_INIT, shown = STRBUF_INIT;
	json_int_t right = 0, fit = 0;
	const json_t *node;
	json_t *objects;
	size_t i;

	json_array_foreach (nodes, i, node) {
		if (!node_is_right(wish, node))
			continue;
		right++;
		fit += pods_that_fit(wish, node);
	}
	if (fit >= wish->replicas)
		return;
	wish_words(wish, &words);
	object_describe(object, &shown);
	check_add_object(objects = json_array(), object);
	if (!right)
		check_failed(p, objects, NULL,
			"%s: no node of the target has the labels that pods of %s ask for, and no taint that they do not tolerate (%s)",
			shown.buf, name, words.buf);
	else
		check_failed(p, objects, NULL, "%s: the nodes of the target have accelerators for %lld of %lld pods of %s (%s)", shown.buf,
			(long long)fit, (long long)wish->replicas, name, words.buf);
}

static void judge_template(struct preflight *p, const struct object *object, const struct template *row, const json_t *nodes)
{
	const json_t *spec = json_object_get(object->json, "spec"), *part = row->part ? json_object_get(spec, row->part) : spec;
	const json_t *pod = json_object_get(part, row->name), *replicas = row->replicas ? json_object_get(part, row->replicas) : NULL;
	struct wish wish = {.pod = pod, .replicas = json_is_integer(replicas) ? json_integer_value(replicas) : 1};
	auto_free char *name = xasprintf("%s%s%s", row->part ? row->part : "", row->part ? "." : "", row->name);

	if (!json_is_object(pod))
		return;
	wish.accelerators = accelerators_of(pod);
	judge_wish(p, object, name, &wish, nodes);
	json_decref(wish.accelerators);
}

static bool has_pods(const struct action *action)
{
	return check_is_sent(action) && strcmp(action->object->resource, "llminferenceservices") == 0 && !idle_reason(action->object->json);
}

static void judge_nodes(struct preflight *p, const json_t *nodes)
{
	for (size_t i = 0; i < p->restore->action_count; i++)
		for (size_t row = 0; has_pods(&p->restore->actions[i]) && row < sizeof(templates) / sizeof(templates[0]); row++)
			judge_template(p, p->restore->actions[i].object, &templates[row], nodes);
}

void check_nodes(struct preflight *p)
{
	auto_json json_t *nodes = NULL;
	size_t i = 0;

	while (i < p->restore->action_count && !has_pods(&p->restore->actions[i]))
		i++;
	if (i == p->restore->action_count || check_list(p, "", "nodes", false, &nodes) < 0)
		return;
	if (json_array_size(nodes) == 0)
		check_untested(p, "the target has no nodes yet");
	else
		judge_nodes(p, nodes);
}
