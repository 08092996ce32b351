/* SPDX-License-Identifier: Apache-2.0 */
#include "object/nodes.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "object/resources.h"
#include "util/json.h"

static bool read_amount(const json_t *value, json_int_t *out)
{
	const char *text = json_string_value(value);
	char *end;

	if (json_is_integer(value)) {
		*out = json_integer_value(value);
		return true;
	}
	errno = 0;
	*out = text ? strtoll(text, &end, 10) : 0;
	return text && *text && !*end && !errno;
}

/* Into sums, or (most) the larger of the two. */
static void add_amount(json_t *sums, const char *name, json_t *value, bool most)
{
	const json_t *before = json_object_get(sums, name);
	json_int_t amount, sum = 0;

	if (!read_amount(value, &amount) || (before && !read_amount(before, &sum))) {
		json_object_set(sums, name, value);
		return;
	}
	if (most && amount <= sum)
		return;
	json_object_set_new(sums, name, json_integer(most ? amount : amount + sum));
}

static void add_containers(json_t *sums, const json_t *containers, bool most)
{
	json_t *container, *value;
	const char *name;
	size_t i;

	json_array_foreach (containers, i, container) {
		json_t *limits = json_at(container, "resources", "limits", NULL),
		       *requests = json_at(container, "resources", "requests", NULL);

		json_object_foreach (limits ? limits : requests, name, value)
			if (resource_is_extended(name))
				add_amount(sums, name, value, most);
	}
}

static void keep_filled(json_t *needs, const char *key, json_t *value)
{
	if (json_object_size(value) > 0 || json_array_size(value) > 0)
		json_object_set(needs, key, value);
}

json_t *nodes_of_pod(const json_t *spec)
{
	auto_json json_t *sums = json_object();
	json_t *needs = json_object();

	add_containers(sums, json_object_get(spec, "containers"), false);
	add_containers(sums, json_object_get(spec, "initContainers"), true);
	keep_filled(needs, "accelerators", sums);
	keep_filled(needs, "nodeSelector", json_object_get(spec, "nodeSelector"));
	keep_filled(needs, "tolerations", json_object_get(spec, "tolerations"));
	if (json_object_size(needs) > 0)
		return needs;
	json_decref(needs);
	return NULL;
}

static json_int_t at_least_one(const json_t *map, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(map, key));

	return value > 1 ? value : 1;
}

json_int_t nodes_group_size(const json_t *parallelism)
{
	json_int_t size = at_least_one(parallelism, "data") / at_least_one(parallelism, "dataLocal");

	if (!json_object_get(parallelism, "data") && !json_object_get(parallelism, "dataLocal"))
		size = at_least_one(parallelism, "pipeline");
	return size > 1 ? size : 1;
}
