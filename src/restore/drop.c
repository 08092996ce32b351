/* SPDX-License-Identifier: Apache-2.0 */
/* --drop-unknown-fields: an object that the server refuses because of fields that it does not know is sent again without them. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "object/diff.h"
#include "object/object.h"
#include "restore/restore.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"

/* The words of the API server's strict decoder; after them comes the path in quotes. */
#define UNKNOWN "unknown field \""

const json_t *action_body(const struct action *action)
{
	return action->body ? action->body : action->object->json;
}

static bool remove_at(json_t *value, const char *path);

static bool remove_in_list(json_t *list, const char *path)
{
	char *end;
	size_t index = strtoul(path + 1, &end, 10);

	return *end == ']' && end[1] && remove_at(json_array_get(list, index), end[1] == '.' ? end + 2 : end + 1);
}

/* A key may have dots in it: all that the path begins with are tried. */
static bool remove_at(json_t *value, const char *path)
{
	const char *key;
	json_t *child;
	void *next;

	if (json_is_array(value) && *path == '[')
		return remove_in_list(value, path);
	json_object_foreach_safe (value, next, key, child) {
		size_t len = strlen(key);

		if (strncmp(path, key, len) != 0)
			continue;
		if (!path[len])
			return json_object_del(value, key) == 0;
		if ((path[len] == '.' && remove_at(child, path + len + 1)) || (path[len] == '[' && remove_at(child, path + len)))
			return true;
	}
	return false;
}

static bool drop_field(struct action *action, const char *path)
{
	if (!action->body)
		action->body = json_deep_copy(action->object->json);
	if (!remove_at(action->body, path))
		return false;
	if (!action->dropped)
		action->dropped = json_array();
	json_array_append_new(action->dropped, json_string(path));
	return true;
}

size_t drop_named_fields(const struct restore *restore, struct action *action, const char *refusal)
{
	size_t count = 0;

	if (!restore->settings->drop_unknown_fields)
		return 0;
	for (const char *at = strstr(refusal, UNKNOWN), *end; at; at = strstr(end, UNKNOWN)) {
		at += strlen(UNKNOWN);
		if (!(end = strchr(at, '"')))
			break;
		auto_free char *path = xstrndup(at, (size_t)(end - at));

		count += drop_field(action, path);
	}
	return count;
}

void drop_tell(struct restore *restore, const struct action *action)
{
	auto_strbuf struct strbuf object = STRBUF_INIT;
	const json_t *path;
	size_t i;

	object_describe(action->object, &object);
	json_array_foreach (action->dropped, i, path)
		json_array_append_new(restore->findings,
			json_pack("{s:s, s:O, s:s}", "object", object.buf, "path", path, "text",
				"the server does not know it: sent without it"));
}
