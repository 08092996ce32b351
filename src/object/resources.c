/* SPDX-License-Identifier: Apache-2.0 */
#include "object/resources.h"

#include <string.h>

#include "object/quantity.h"
#include "util/json.h"

static const char *const sides[] = {"requests", "limits"};
#define SIDES (sizeof(sides) / sizeof(sides[0]))

bool resource_is_extended(const char *name)
{
	static const char own[] = "kubernetes.io";
	const char *slash = strchr(name, '/');
	size_t len = slash ? (size_t)(slash - name) : 0;

	return slash && !(len >= sizeof(own) - 1 && memcmp(slash - (sizeof(own) - 1), own, sizeof(own) - 1) == 0);
}

static void set_amount(json_t *resources, const char *side, const char *name, double amount)
{
	json_object_set_new(json_object_get(resources, side), name, json_real(amount));
}

json_t *resources_of_container(const json_t *container)
{
	json_t *resources = json_pack("{s:{}, s:{}}", sides[0], sides[1]), *value;
	const char *name;
	double amount;

	for (size_t side = 0; side < SIDES; side++)
		json_object_foreach (json_at(container, "resources", sides[side], NULL), name, value) {
			if (!quantity_read(value, &amount))
				continue;
			set_amount(resources, sides[side], name, amount);
			if (resource_is_extended(name) && !json_at(container, "resources", sides[!side], name, NULL))
				set_amount(resources, sides[!side], name, amount);
		}
	return resources;
}

/* Into sums, or (most) the larger of the two. */
static void add(json_t *sums, const json_t *container, bool most)
{
	auto_json json_t *resources = resources_of_container(container);
	json_t *value;
	const char *name;

	for (size_t side = 0; side < SIDES; side++)
		json_object_foreach (json_object_get(resources, sides[side]), name, value) {
			double before = json_number_value(json_at(sums, sides[side], name, NULL)), amount = json_number_value(value);

			if (!most || amount > before)
				set_amount(sums, sides[side], name, most ? amount : before + amount);
		}
}

json_t *resources_of_pod(const json_t *spec)
{
	json_t *sums = resources_of_container(NULL), *container;
	size_t i;

	json_array_foreach (json_object_get(spec, "containers"), i, container)
		add(sums, container, false);
	json_array_foreach (json_object_get(spec, "initContainers"), i, container)
		add(sums, container, true);
	return sums;
}
