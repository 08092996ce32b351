/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the quotas that are on the target already let the plan create as many objects as it has. */
#include <string.h>

#include "check.h"
#include "internal.h"
#include "object/object.h"
#include "object/quantity.h"
#include "util/json.h"

/* Whether the quota's key counts objects of this kind: "count/httproutes.gateway.networking.k8s.io", of the core group also by the plural alone. */
static bool counts(const char *key, const struct object *object)
{
	auto_free char *name = xasprintf("count/%s%s%s", object->resource, *object->group ? "." : "", object->group);

	return strcmp(key, name) == 0 || (!*object->group && strcmp(key, object->resource) == 0);
}

/* What is to be created in the namespace and counts against the key. */
static json_t *counted_objects(const struct preflight *p, const char *namespace_, const char *key)
{
	json_t *objects = json_array();

	for (size_t i = 0; i < p->restore->action_count; i++) {
		const struct action *action = &p->restore->actions[i];

		if (check_is_created(action) && strcmp(action->object->namespace_, namespace_) == 0 && counts(key, action->object))
			check_add_object(objects, action->object);
	}
	return objects;
}

static void judge_quota(struct preflight *p, const json_t *quota)
{
	const char *namespace_ = json_text_at(quota, "metadata", "namespace", NULL), *name = json_text_at(quota, "metadata", "name", NULL),
		   *key;
	json_t *hard;

	json_object_foreach (json_at(quota, "spec", "hard", NULL), key, hard) {
		auto_json json_t *objects = counted_objects(p, namespace_, key);
		double most, used = 0;

		(void)quantity_read(json_at(quota, "status", "used", key, NULL), &used);
		if (json_array_size(objects) == 0 || !quantity_read(hard, &most) || used + (double)json_array_size(objects) <= most)
			continue;
		check_failed(p, json_incref(objects), "raise it, or remove what is not needed",
			"ResourceQuota %s/%s lets %s grow to %g: %g are there, %zu more are in the snapshot", namespace_, name, key, most,
			used, json_array_size(objects));
	}
}

void check_quota(struct preflight *p)
{
	auto_json json_t *quotas = NULL;
	const json_t *quota;
	size_t i;

	if (check_list(p, "", "resourcequotas", false, &quotas) < 0)
		return;
	json_array_foreach (quotas, i, quota)
		judge_quota(p, quota);
}
