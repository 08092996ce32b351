/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the quotas and limits of the target, and those that the snapshot brings, let in what the plan makes: its objects, and the pods of its services. Of a pod only
 * what its template says is counted: what presets and configs add makes it more, so that what does not fit here does not fit at all.
 */
#include <string.h>

#include "check.h"
#include "internal.h"
#include "kube/discovery.h"
#include "object/object.h"
#include "object/quantity.h"
#include "object/resources.h"
#include "policy/pods.h"
#include "policy/policy.h"
#include "util/json.h"

/* ---- those that will be there ---- */

static bool is_kind(const struct action *action, const char *resource)
{
	return !*action->object->group && strcmp(action->object->resource, resource) == 0;
}

/* Of all namespaces: what the target has, and behind it what the plan creates. 0, or -1 where that has been told as untested. */
static int list_all(struct preflight *p, const char *resource, json_t **out)
{
	if (check_list(p, "", resource, false, out) < 0)
		return -1;
	for (size_t i = 0; i < p->restore->action_count; i++)
		if (is_kind(&p->restore->actions[i], resource) && check_is_created(&p->restore->actions[i]))
			json_array_append(*out, p->restore->actions[i].object->json);
	return 0;
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_text_at(object, "metadata", key, NULL);

	return text ? text : "";
}

/* How much it gives, and what of that is taken; false: nothing is said of this key. */
static bool read_room(const json_t *quota, const char *key, double *most, double *used)
{
	*used = 0;
	(void)quantity_read(json_at(quota, "status", "used", key, NULL), used);
	return quantity_read(json_at(quota, "spec", "hard", key, NULL), most);
}

/* ---- objects ---- */

/* Whether the quota's key counts objects of this kind: "count/httproutes.gateway.networking.k8s.io", of the core group also by the plural alone. */
static bool counts(const char *key, const struct object *object)
{
	auto_free char *name = xasprintf("count/%s%s%s", object->resource, *object->group ? "." : "", object->group);

	return strcmp(key, name) == 0 || (!*object->group && strcmp(key, object->resource) == 0);
}

/* What is to be created in the namespace and counts against the key. */
static json_t *counted_objects(const struct preflight *p, const char *namespace_, const char *key)
{
	json_t *objects = json_array();

	for (size_t i = 0; i < p->restore->action_count; i++) {
		const struct action *action = &p->restore->actions[i];

		if (check_is_created(action) && strcmp(action->object->namespace_, namespace_) == 0 && counts(key, action->object))
			check_add_object(objects, action->object);
	}
	return objects;
}

static void judge_quota(struct preflight *p, const json_t *quota)
{
	const char *namespace_ = text_of(quota, "namespace"), *key;
	json_t *hard;

	json_object_foreach (json_at(quota, "spec", "hard", NULL), key, hard) {
		auto_json json_t *objects = counted_objects(p, namespace_, key);
		double most, used;

		if (json_array_size(objects) == 0 || !read_room(quota, key, &most, &used) ||
			used + (double)json_array_size(objects) <= most)
			continue;
		check_failed(p, json_incref(objects), "raise it, or remove what is not needed",
			"ResourceQuota %s/%s lets %s grow to %g: %g are there, %zu more are in the snapshot", namespace_,
			text_of(quota, "name"), key, most, used, json_array_size(objects));
	}
}

void check_quota(struct preflight *p)
{
	const json_t *quota;
	size_t i;

	if (list_all(p, "resourcequotas", &p->quotas) < 0)
		return;
	json_array_foreach (p->quotas, i, quota)
		judge_quota(p, quota);
}

/* ---- pods ---- */

/* What the pods of a namespace count for in a key of its quota. */
struct sum {
	const char *side, *resource; /* "requests", "cpu"; side NULL: the pods themselves */
	double amount;
	json_t *objects;
	const struct object *object; /* whose templates are walked */
};

/* "cpu" is another name of "requests.cpu". */
static bool read_key(const char *key, struct sum *sum)
{
	static const struct {
		const char *start, *side;
	} starts[] = {{"requests.", "requests"}, {"limits.", "limits"}};
	static const char *const alone[] = {"cpu", "memory", "ephemeral-storage"};

	if (strcmp(key, "pods") == 0 || strcmp(key, "count/pods") == 0)
		return true;
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (strncmp(key, starts[i].start, strlen(starts[i].start)) == 0) {
			sum->side = starts[i].side;
			sum->resource = key + strlen(starts[i].start);
			return true;
		}
	for (size_t i = 0; i < sizeof(alone) / sizeof(alone[0]); i++)
		if (strcmp(key, alone[i]) == 0) {
			sum->side = "requests";
			sum->resource = key;
			return true;
		}
	return false;
}

static void add_pods(const struct pods *pods, void *arg)
{
	struct sum *sum = arg;
	auto_json json_t *resources = sum->side ? resources_of_pod(pods->spec) : NULL;
	double each = sum->side ? json_number_value(json_at(resources, sum->side, sum->resource, NULL)) : 1;

	if (pods->count <= 0 || each <= 0)
		return;
	sum->amount += each * (double)pods->count;
	check_add_object(sum->objects, sum->object);
}

static void add_services(const struct preflight *p, const char *namespace_, struct sum *sum)
{
	for (size_t i = 0; i < p->restore->action_count; i++) {
		const struct action *action = &p->restore->actions[i];

		if (!check_is_created(action) || strcmp(action->object->namespace_, namespace_) != 0 || !check_makes_pods(action))
			continue;
		sum->object = action->object;
		policy_pods_each(action->row, action->object->json, add_pods, sum);
	}
}

static void judge_key(struct preflight *p, const json_t *quota, const char *key)
{
	auto_json json_t *objects = json_array();
	struct sum sum = {.objects = objects};
	double most, used;

	if (!read_key(key, &sum) || !read_room(quota, key, &most, &used))
		return;
	add_services(p, text_of(quota, "namespace"), &sum);
	if (json_array_size(objects) == 0 || used + sum.amount <= most)
		return;
	check_failed(p, json_incref(objects), NULL,
		"ResourceQuota %s/%s lets %s grow to %.15g: %.15g are used, the pods of the snapshot's services ask for %.15g",
		text_of(quota, "namespace"), text_of(quota, "name"), key, most, used, sum.amount);
}

/* One with scopes is for some pods only, of a priority class for example: which, a webhook or the class of the cluster may decide. */
static bool has_scopes(const json_t *quota)
{
	return json_array_size(json_at(quota, "spec", "scopes", NULL)) > 0 ||
		json_array_size(json_at(quota, "spec", "scopeSelector", "matchExpressions", NULL)) > 0;
}

static bool has_services(const struct preflight *p, const char *namespace_)
{
	for (size_t i = 0; i < p->restore->action_count; i++) {
		const struct action *action = &p->restore->actions[i];

		if (check_is_created(action) && check_makes_pods(action) && strcmp(action->object->namespace_, namespace_) == 0)
			return true;
	}
	return false;
}

static void judge_pods(struct preflight *p, const json_t *quota)
{
	const char *key;
	json_t *hard;

	if (!has_services(p, text_of(quota, "namespace")))
		return;
	if (has_scopes(quota)) {
		check_untested(
			p, "ResourceQuota %s/%s is for some pods only (its scopes)", text_of(quota, "namespace"), text_of(quota, "name"));
		return;
	}
	json_object_foreach (json_at(quota, "spec", "hard", NULL), key, hard)
		judge_key(p, quota, key);
}

void check_pod_quota(struct preflight *p)
{
	const json_t *quota;
	size_t i;

	if (!check_has_pods(p->restore) || (!p->quotas && list_all(p, "resourcequotas", &p->quotas) < 0))
		return;
	json_array_foreach (p->quotas, i, quota)
		judge_pods(p, quota);
}

/* ---- limits ---- */

/* One LimitRange, held against what is made in its namespace. */
struct bounds {
	struct preflight *p;
	const json_t *range, *limit; /* an item of its spec.limits */
	const struct object *object;
};

static void bound_failed(
	const struct bounds *bounds, const char *path, const char *what, const char *resource, double is, const char *bound, double allowed)
{
	json_t *objects = json_array();

	check_add_object(objects, bounds->object);
	check_failed(bounds->p, objects, NULL, "LimitRange %s/%s refuses the pods of %s of %s: %s.%s is %.15g, its %s is %.15g",
		text_of(bounds->range, "namespace"), text_of(bounds->range, "name"), path, json_string_value(json_array_get(objects, 0)),
		what, resource, is, bound, allowed);
}

/*
 * A limit may not be above max, nor a request below min; what is not written takes a default that the LimitRange allows. whole: nothing is added to these amounts; else (a
 * pod, to which a preset adds containers) only max can be judged.
 */
static void judge_amounts(const struct bounds *bounds, const char *path, const json_t *resources, bool whole)
{
	static const struct {
		const char *bound, *side;
		int sign;
	} rows[] = {{"max", "limits", 1}, {"max", "requests", 1}, {"min", "requests", -1}, {"min", "limits", -1}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *resource;
		json_t *value;

		if (rows[i].sign < 0 && !whole)
			continue;
		json_object_foreach (json_object_get(bounds->limit, rows[i].bound), resource, value) {
			const json_t *amount = json_at(resources, rows[i].side, resource, NULL);
			double allowed, is = json_number_value(amount);

			if (amount && quantity_read(value, &allowed) && rows[i].sign * (is - allowed) > 0) {
				bound_failed(bounds, path, rows[i].side, resource, is, rows[i].bound, allowed);
				return;
			}
		}
	}
}

static void judge_template(const struct pods *pods, void *arg)
{
	const struct bounds *bounds = arg;
	const char *type = json_text_at(bounds->limit, "type", NULL);
	const json_t *container;
	size_t i;

	if (pods->count <= 0 || !type)
		return;
	if (strcmp(type, "Pod") == 0) {
		auto_json json_t *resources = resources_of_pod(pods->spec);

		judge_amounts(bounds, pods->path, resources, false);
	}
	json_array_foreach (strcmp(type, "Container") == 0 ? json_object_get(pods->spec, "containers") : NULL, i, container) {
		auto_json json_t *resources = resources_of_container(container);

		judge_amounts(bounds, pods->path, resources, true);
	}
}

static void judge_range(struct preflight *p, const json_t *range)
{
	struct bounds bounds = {.p = p, .range = range};
	size_t j;

	for (size_t i = 0; i < p->restore->action_count; i++) {
		const struct action *action = &p->restore->actions[i];

		if (!check_is_created(action) || strcmp(action->object->namespace_, text_of(range, "namespace")) != 0 ||
			!check_makes_pods(action))
			continue;
		bounds.object = action->object;
		json_array_foreach (json_at(range, "spec", "limits", NULL), j, bounds.limit)
			policy_pods_each(action->row, action->object->json, judge_template, &bounds);
	}
}

void check_limits(struct preflight *p)
{
	auto_json json_t *ranges = NULL;
	const json_t *range;
	size_t i;

	if (!check_has_pods(p->restore) || list_all(p, "limitranges", &ranges) < 0)
		return;
	json_array_foreach (ranges, i, range)
		judge_range(p, range);
}
