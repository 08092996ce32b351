/* SPDX-License-Identifier: Apache-2.0 */
#include "object/selector.h"

#include <stdlib.h>
#include <string.h>

#include "util/json.h"

static bool is_listed(const json_t *values, const char *value)
{
	const json_t *item;
	size_t i;

	json_array_foreach (values, i, item)
		if (json_is_string(item) && strcmp(json_string_value(item), value) == 0)
			return true;
	return false;
}

/* Gt and Lt, of node affinity alone: both sides are integers. */
static bool is_beyond(const json_t *values, const char *value, int sign)
{
	const char *bound = json_string_value(json_array_get(values, 0));
	char *end_a, *end_b;
	long long a, b;

	if (!bound)
		return false;
	a = strtoll(value, &end_a, 10);
	b = strtoll(bound, &end_b, 10);
	return !*end_a && !*end_b && (sign > 0 ? a > b : a < b);
}

static bool requirement_holds(const json_t *requirement, const json_t *labels)
{
	const char *key = json_text_at(requirement, "key", NULL), *operator= json_text_at(requirement, "operator", NULL);
	const char *value = key ? json_text_at(labels, key, NULL) : NULL;
	const json_t *values = json_object_get(requirement, "values");

	if (!key || !operator)
		return false;
	if (strcmp(operator, "Exists") == 0)
		return value != NULL;
	if (strcmp(operator, "DoesNotExist") == 0)
		return !value;
	if (strcmp(operator, "NotIn") == 0)
		return !value || !is_listed(values, value);
	if (!value)
		return false;
	if (strcmp(operator, "In") == 0)
		return is_listed(values, value);
	return is_beyond(values, value, strcmp(operator, "Gt") == 0 ? 1 : -1);
}

bool selector_requirements_hold(const json_t *requirements, const json_t *labels)
{
	const json_t *requirement;
	size_t i;

	json_array_foreach (requirements, i, requirement)
		if (!requirement_holds(requirement, labels))
			return false;
	return true;
}

bool selector_map_holds(json_t *map, const json_t *labels)
{
	const char *key;
	json_t *value;

	json_object_foreach (map, key, value) {
		const char *label = json_text_at(labels, key, NULL);

		if (!label || !json_is_string(value) || strcmp(label, json_string_value(value)) != 0)
			return false;
	}
	return true;
}

bool selector_matches(const json_t *selector, const json_t *labels)
{
	return selector_map_holds(json_object_get(selector, "matchLabels"), labels) &&
		selector_requirements_hold(json_object_get(selector, "matchExpressions"), labels);
}
