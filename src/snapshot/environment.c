/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot/environment.h"

#include "object/fieldpath.h"
#include "object/object.h"
#include "policy/policy.h"
#include "store/snapshot.h"
#include "util/strbuf.h"

struct listing {
	json_t *list;
	const char *object; /* in words */
};

static int add_value(json_t *value, const char *concrete, void *arg)
{
	const struct listing *listing = arg;

	json_array_append_new(listing->list, json_pack("{s:s, s:s, s:O}", "object", listing->object, "path", concrete, "value", value));
	return 0;
}

static void add_object(json_t *list, const struct object *object, const struct policy_kind *row)
{
	auto_strbuf struct strbuf words = STRBUF_INIT;
	struct listing listing = {.list = list};

	object_describe(object, &words);
	listing.object = words.buf;
	for (size_t i = 0; i < row->environment_count; i++)
		fieldpath_each(object->json, row->environment[i], add_value, &listing);
}

json_t *environment_of(const struct snapshot *snapshot, const struct policy *policy)
{
	json_t *list = json_array();

	for (size_t i = 0; i < snapshot->object_count; i++) {
		const struct object *object = snapshot->objects[i];
		const struct policy_kind *row = policy_find(policy, object->group, object->resource);

		if (row && row->environment_count)
			add_object(list, object, row);
	}
	return list;
}
