/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot/node_needs.h"

#include "object/fieldpath.h"
#include "object/nodes.h"
#include "object/object.h"
#include "policy/policy.h"
#include "store/snapshot.h"
#include "util/json.h"
#include "util/strbuf.h"

struct listing {
	json_t *list;
	const struct object *object;
	const char *words; /* of the object */
	const struct policy_pods *row;
};

static int first_value(json_t *value, const char *concrete, void *arg)
{
	(void)concrete;
	*(json_t **)arg = value;
	return 1;
}

static json_t *value_at(const struct object *object, const struct fieldpath *path)
{
	json_t *value = NULL;

	if (path)
		fieldpath_each(object->json, path, first_value, &value);
	return value;
}

/* -1: nobody knows. */
static json_int_t count_pods(const struct listing *listing)
{
	const struct policy_pods *row = listing->row;
	const json_t *replicas = NULL;
	json_int_t count;

	if (row->replica_count == 0)
		return -1;
	for (size_t i = 0; i < row->replica_count && !replicas; i++)
		replicas = value_at(listing->object, row->replicas[i]);
	count = json_is_integer(replicas) ? json_integer_value(replicas) : 1;
	return row->followers ? count * (nodes_group_size(value_at(listing->object, row->followers)) - 1) : count;
}

/* {name: amount} as [{name, each, all}] */
static json_t *accelerators_json(const json_t *amounts, json_int_t pods)
{
	json_t *list = json_array();
	size_t count;
	auto_free const char **names = json_sorted_keys(amounts, &count);

	for (size_t i = 0; i < count; i++) {
		json_t *each = json_object_get(amounts, names[i]), *row = json_pack("{s:s, s:O}", "name", names[i], "each", each);

		if (pods >= 0 && json_is_integer(each))
			json_object_set_new(row, "all", json_integer(pods * json_integer_value(each)));
		json_array_append_new(list, row);
	}
	return list;
}

static int add_template(json_t *value, const char *concrete, void *arg)
{
	const struct listing *listing = arg;
	json_t *needs = nodes_of_pod(value), *amounts = json_object_get(needs, "accelerators");
	json_int_t count = count_pods(listing);

	if (!needs)
		return 0;
	if (amounts)
		json_object_set_new(needs, "accelerators", accelerators_json(amounts, count));
	if (count >= 0)
		json_object_set_new(needs, "pods", json_integer(count));
	json_object_set_new(needs, "object", json_string(listing->words));
	json_object_set_new(needs, "path", json_string(concrete));
	json_array_append_new(listing->list, needs);
	return 0;
}

static void add_object(json_t *list, const struct object *object, const struct policy_kind *row)
{
	auto_strbuf struct strbuf words = STRBUF_INIT;
	struct listing listing = {.list = list, .object = object};

	object_describe(object, &words);
	listing.words = words.buf;
	for (size_t i = 0; i < row->pod_count; i++) {
		listing.row = &row->pods[i];
		fieldpath_each(object->json, row->pods[i].at, add_template, &listing);
	}
}

json_t *node_needs_of(const struct snapshot *snapshot, const struct policy *policy)
{
	json_t *list = json_array();

	for (size_t i = 0; i < snapshot->object_count; i++) {
		const struct object *object = snapshot->objects[i];
		const struct policy_kind *row = policy_find(policy, object->group, object->resource);

		if (row && row->pod_count)
			add_object(list, object, row);
	}
	return list;
}
