/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot/environment.h"

#include "object/fieldpath.h"
#include "object/nodes.h"
#include "object/object.h"
#include "policy/pods.h"
#include "policy/policy.h"
#include "store/snapshot.h"
#include "util/json.h"
#include "util/strbuf.h"

struct listing {
	json_t *list;
	const struct object *object;
	const char *object_words;
	const struct policy_kind *row;
};

/* A list of what add appends for each object that the policy knows, in their order. */
static json_t *list_objects(const struct snapshot *snapshot, const struct policy *policy, void (*add)(struct listing *))
{
	json_t *list = json_array();

	for (size_t i = 0; i < snapshot->object_count; i++) {
		const struct object *object = snapshot->objects[i];
		auto_strbuf struct strbuf words = STRBUF_INIT;
		struct listing listing = {.list = list, .object = object, .row = policy_find(policy, object->group, object->resource)};

		if (!listing.row)
			continue;
		object_describe(object, &words);
		listing.object_words = words.buf;
		add(&listing);
	}
	return list;
}

/* ---- values ---- */

static int add_value(json_t *value, const char *concrete, void *arg)
{
	const struct listing *listing = arg;

	json_array_append_new(
		listing->list, json_pack("{s:s, s:s, s:O}", "object", listing->object_words, "path", concrete, "value", value));
	return 0;
}

static void add_values(struct listing *listing)
{
	for (size_t i = 0; i < listing->row->environment_count; i++)
		fieldpath_each(listing->object->json, listing->row->environment[i], add_value, listing);
}

json_t *environment_of(const struct snapshot *snapshot, const struct policy *policy)
{
	return list_objects(snapshot, policy, add_values);
}

/* ---- nodes ---- */

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

static void add_template(const struct pods *pods, void *arg)
{
	const struct listing *listing = arg;
	json_t *needs = nodes_of_pod(pods->spec), *amounts = json_object_get(needs, "accelerators");

	if (!needs)
		return;
	if (amounts)
		json_object_set_new(needs, "accelerators", accelerators_json(amounts, pods->count));
	if (pods->count >= 0)
		json_object_set_new(needs, "pods", json_integer(pods->count));
	json_object_set_new(needs, "object", json_string(listing->object_words));
	json_object_set_new(needs, "path", json_string(pods->path));
	json_array_append_new(listing->list, needs);
}

static void add_templates(struct listing *listing)
{
	policy_pods_each(listing->row, listing->object->json, add_template, listing);
}

json_t *node_needs_of(const struct snapshot *snapshot, const struct policy *policy)
{
	return list_objects(snapshot, policy, add_templates);
}
