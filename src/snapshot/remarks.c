/* SPDX-License-Identifier: Apache-2.0 */
/* What is told of an object beside its file, and is seen before it is cleaned: where it drifted from what was applied, and finalizers that nobody knows. */
#include <string.h>

#include "facts.h"
#include "internal.h"
#include "object/drift.h"
#include "object/fieldpath.h"
#include "object/object.h"
#include "policy/policy.h"
#include "snapshot/capture.h"
#include "util/json.h"
#include "util/strbuf.h"
#include "util/text.h"

#define DRIFT_OBJECTS_MAX 1000
#define DRIFT_FIELDS_MAX 50

void remarks_begin(struct capture *c)
{
	c->drift = json_array();
	c->finalizers = json_array();
}

void remarks_end(struct capture *c)
{
	json_decref(c->drift);
	json_decref(c->finalizers);
}

/* ---- drift ---- */

static void add_field(const char *path, const json_t *applied, const json_t *live, void *arg)
{
	auto_strbuf struct strbuf before = STRBUF_INIT, now = STRBUF_INIT;
	json_t *fields = arg;

	if (json_array_size(fields) >= DRIFT_FIELDS_MAX)
		return;
	diff_print_value(&before, path, applied);
	diff_print_value(&now, path, live);
	json_array_append_new(fields, json_pack("{s:s, s:s, s:s}", "path", path, "applied", before.buf, "live", now.buf));
}

json_t *remarks_drift(const json_t *object)
{
	json_t *fields = json_array();

	if (drift_look(object, add_field, fields) > 0)
		return fields;
	json_decref(fields);
	return NULL;
}

void remarks_keep_drift(struct capture *c, const struct object *object, json_t *fields)
{
	auto_strbuf struct strbuf name = STRBUF_INIT;

	if (!fields || json_array_size(c->drift) >= DRIFT_OBJECTS_MAX)
		return;
	object_describe(object, &name);
	json_array_append_new(c->drift, json_pack("{s:s, s:O}", "object", name.buf, "fields", fields));
}

/* ---- finalizers ---- */

static bool is_known(const struct policy *policy, const char *finalizer)
{
	for (size_t i = 0; i < policy->finalizers.count; i++)
		if (text_glob(policy->finalizers.items[i], finalizer))
			return true;
	return false;
}

void remarks_look(const struct capture *c, const struct object *object, struct strbuf *out)
{
	const json_t *item;
	size_t i;

	json_array_foreach (json_at(object->json, "metadata", "finalizers", NULL), i, item) {
		const char *finalizer = json_text_at(item, NULL);

		if (finalizer && !is_known(c->policy, finalizer))
			facts_add_finalizer(finalizer, out);
	}
}

struct adding {
	struct capture *c;
	const char *object;
};

static void add_finalizer(const char *finalizer, void *arg)
{
	const struct adding *adding = arg;

	json_array_append_new(adding->c->finalizers, json_pack("{s:s, s:s}", "object", adding->object, "finalizer", finalizer));
}

void remarks_take(struct capture *c, const struct object *object, const struct facts *facts)
{
	auto_strbuf struct strbuf name = STRBUF_INIT;
	struct adding adding = {.c = c};

	object_describe(object, &name);
	adding.object = name.buf;
	facts_finalizers(facts, add_finalizer, &adding);
}
