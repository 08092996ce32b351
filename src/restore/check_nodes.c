/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the target has nodes on which the pods of the services could run: their labels, their taints, and accelerators. What other pods use of them, and what an
 * autoscaler would add, is not looked at; a target without any node at all (some start so) is "not checked".
 */
#include <string.h>

#include "check.h"
#include "internal.h"
#include "object/nodes.h"
#include "object/object.h"
#include "object/quantity.h"
#include "object/selector.h"
#include "policy/pods.h"
#include "util/json.h"
#include "util/strbuf.h"

/* What the pods of one template ask for. */
struct wish {
	const json_t *pod;
	json_t *accelerators; /* resource -> amount of one pod; borrowed, NULL: none */
	json_int_t replicas;
};

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
		double has = 0, each;
		json_int_t pods;

		if (!quantity_read(amount, &each) || each <= 0)
			continue;
		(void)quantity_read(json_at(node, "status", "allocatable", resource, NULL), &has);
		pods = (json_int_t)(has / each);
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
	double amount;

	json_object_foreach (wish->accelerators, key, value)
		strbuf_addf(out, "%s%s %g", out->len ? ", " : "", key, quantity_read(value, &amount) ? amount : 0);
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

struct judging {
	struct preflight *p;
	const struct object *object;
	const json_t *nodes;
};

static void judge_template(const struct pods *pods, void *arg)
{
	const struct judging *judging = arg;
	auto_json json_t *needs = nodes_of_pod(pods->spec);
	const struct wish wish = {.pod = pods->spec, .replicas = pods->count, .accelerators = json_object_get(needs, "accelerators")};

	judge_wish(judging->p, judging->object, pods->path, &wish, judging->nodes);
}

static bool is_judged(const struct action *action)
{
	return check_is_sent(action) && check_makes_pods(action);
}

static void judge_nodes(struct preflight *p, const json_t *nodes)
{
	for (size_t i = 0; i < p->restore->action_count; i++) {
		const struct action *action = &p->restore->actions[i];
		struct judging judging = {.p = p, .object = action->object, .nodes = nodes};

		if (is_judged(action))
			policy_pods_each(action->row, action->object->json, judge_template, &judging);
	}
}

bool check_has_pods(const struct restore *restore)
{
	for (size_t i = 0; i < restore->action_count; i++)
		if (is_judged(&restore->actions[i]))
			return true;
	return false;
}

void check_nodes(struct preflight *p)
{
	auto_json json_t *nodes = NULL;

	if (!check_has_pods(p->restore) || check_list(p, "", "nodes", false, &nodes) < 0)
		return;
	if (json_array_size(nodes) == 0)
		check_untested(p, "the target has no nodes yet");
	else
		judge_nodes(p, nodes);
}
