/* SPDX-License-Identifier: Apache-2.0 */
/* Objects whose author does not want them to serve: rows, since each is a field and a value. */
#include "object/idle.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "util/json.h"

static const struct idle_row {
	const char *keys[4];
	const char *value; /* text as it is, numbers in JSON, case does not count (KServe reads "True" too) */
	const char *reason, *state;
	bool never_ready; /* its controller takes everything down, and says so in Ready */
} idle_rows[] = {
	{{"spec", "replicas"}, "0", "spec.replicas is 0 in the snapshot: nothing serves it", "replicas 0", false},
	{{"metadata", "annotations", "serving.kserve.io/stop"}, "true", "stopped in the snapshot by the annotation serving.kserve.io/stop",
		"stopped", true},
};

static const json_t *value_at(const json_t *value, const char *const *keys)
{
	for (; *keys; keys++)
		value = json_object_get(value, *keys);
	return value;
}

static bool row_holds(const struct idle_row *row, const json_t *object)
{
	const json_t *value = value_at(object, row->keys);
	char number[JSON_NUMBER_SIZE];

	if (json_is_string(value))
		return !strcasecmp(json_string_value(value), row->value);
	return json_is_integer(value) && !strcmp(json_number_text(value, number), row->value);
}

static const struct idle_row *find_row(const json_t *object, bool never_ready)
{
	for (size_t i = 0; i < sizeof idle_rows / sizeof *idle_rows; i++)
		if ((idle_rows[i].never_ready || !never_ready) && row_holds(&idle_rows[i], object))
			return &idle_rows[i];
	return NULL;
}

const char *idle_reason(const json_t *object)
{
	const struct idle_row *row = find_row(object, false);

	return row ? row->reason : NULL;
}

const char *idle_never_ready(const json_t *object)
{
	const struct idle_row *row = find_row(object, true);

	return row ? row->reason : NULL;
}

const char *idle_state(const json_t *object)
{
	const struct idle_row *row = find_row(object, false);

	return row ? row->state : NULL;
}
