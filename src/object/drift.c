/* SPDX-License-Identifier: Apache-2.0 */
#include "object/drift.h"

#include <stdbool.h>
#include <string.h>

#include "object/quantity.h"
#include "util/error.h"
#include "util/json.h"
#include "util/mem.h"

#define LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"

struct drift {
	diff_fn fn;
	void *arg;
	size_t count;
};

/* ---- what says the same ---- */

static bool is_nothing(const json_t *value)
{
	return !value || json_is_null(value) || (json_is_object(value) && json_object_size(value) == 0) ||
		(json_is_array(value) && json_array_size(value) == 0) || (json_is_string(value) && json_string_length(value) == 0);
}

/* A resource.Quantity: the built-in kinds write it in its shortest form. */
static bool is_same_quantity(const json_t *applied, const json_t *live)
{
	double a, b;

	if (!quantity_read(applied, &a) || !quantity_read(live, &b))
		return false;
	return a - b <= 1e-9 * (a < 0 ? -a : a) && b - a <= 1e-9 * (a < 0 ? -a : a);
}

/* ---- what does not ---- */

static void compare(const char *path, const json_t *applied, const json_t *live, void *arg)
{
	struct drift *drift = arg;

	if (!applied || (is_nothing(applied) && is_nothing(live)) || is_same_quantity(applied, live))
		return;
	drift->count++;
	if (drift->fn)
		drift->fn(path, applied, live, drift->arg);
}

static void compare_metadata(const json_t *applied, const json_t *live, struct drift *drift)
{
	static const char *const keys[] = {"annotations", "labels"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		auto_free char *path = xasprintf("metadata.%s", keys[i]);
		const json_t *map = json_at(applied, "metadata", keys[i], NULL);

		if (map)
			(void)diff_values_at(path, map, json_at(live, "metadata", keys[i], NULL), compare, drift);
	}
}

size_t drift_look(const json_t *object, diff_fn fn, void *arg)
{
	const char *text = json_text_at(object, "metadata", "annotations", LAST_APPLIED, NULL);
	struct drift drift = {.fn = fn, .arg = arg};
	struct error ignored = ERROR_INIT; /* somebody's own text under this key tells nothing */
	auto_json json_t *applied = text ? json_read(text, strlen(text), &ignored) : NULL;
	const char *version = json_text_at(applied, "apiVersion", NULL), *read_at = json_text_at(object, "apiVersion", NULL);
	size_t count;

	if (!version || !read_at || strcmp(version, read_at) != 0)
		return 0;
	auto_free const char **keys = json_sorted_keys(applied, &count);
	for (size_t i = 0; i < count; i++) {
		const json_t *value = json_object_get(applied, keys[i]);

		if (strcmp(keys[i], "metadata") == 0)
			compare_metadata(applied, object, &drift);
		else if (strcmp(keys[i], "status") != 0)
			(void)diff_values_at(keys[i], value, json_object_get(object, keys[i]), compare, &drift);
	}
	return drift.count;
}
