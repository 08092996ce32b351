/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/pods.h"

#include "object/fieldpath.h"
#include "object/nodes.h"
#include "policy/policy.h"

struct walk {
	json_t *object;
	const struct policy_pods *row;
	void (*fn)(const struct pods *pods, void *arg);
	void *arg;
};

static int first_value(json_t *value, const char *concrete, void *arg)
{
	(void)concrete;
	*(json_t **)arg = value;
	return 1;
}

static json_t *value_at(json_t *object, const struct fieldpath *path)
{
	json_t *value = NULL;

	fieldpath_each(object, path, first_value, &value);
	return value;
}

static json_int_t count_pods(const struct walk *walk)
{
	const struct policy_pods *row = walk->row;
	const json_t *replicas = NULL;
	json_int_t count;

	if (row->replica_count == 0)
		return -1;
	for (size_t i = 0; i < row->replica_count && !replicas; i++)
		replicas = value_at(walk->object, row->replicas[i]);
	count = json_is_integer(replicas) ? json_integer_value(replicas) : 1;
	return row->followers ? count * (nodes_group_size(value_at(walk->object, row->followers)) - 1) : count;
}

static int tell_template(json_t *value, const char *concrete, void *arg)
{
	const struct walk *walk = arg;
	const struct pods pods = {.path = concrete, .spec = value, .count = count_pods(walk)};

	walk->fn(&pods, walk->arg);
	return 0;
}

void policy_pods_each(const struct policy_kind *kind, json_t *object, void (*fn)(const struct pods *pods, void *arg), void *arg)
{
	for (size_t i = 0; i < kind->pod_count; i++) {
		struct walk walk = {.object = object, .row = &kind->pods[i], .fn = fn, .arg = arg};

		fieldpath_each(object, walk.row->at, tell_template, &walk);
	}
}
