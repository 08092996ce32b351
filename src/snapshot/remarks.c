/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is told of an object beside its file, and is seen before it is cleaned: where it drifted from what was applied, finalizers that nobody
 * knows, and which of the policy's own rules match it.
 */
#include <stdlib.h>

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
	c->matched = xcalloc(c->policy->own_count + 1, sizeof(*c->matched));
}

void remarks_end(struct capture *c)
{
	json_decref(c->drift);
	json_decref(c->finalizers);
	free(c->matched);
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

/* ---- the policy's own rules ---- */

static int is_there(json_t *value, const char *concrete, void *arg)
{
	(void)value;
	(void)concrete;
	(void)arg;
	return 1;
}

static void look_for_own(const struct policy *policy, const struct object *object, struct strbuf *out)
{
	for (size_t i = 0; i < policy->own_count; i++)
		if (policy_own_applies(&policy->own[i], object->group, object->resource) &&
			fieldpath_each(object->json, policy->own[i].path, is_there, NULL) != 0)
			facts_add_match(i, out);
}

static void add_match(size_t own, void *arg)
{
	struct capture *c = arg;

	if (own < c->policy->own_count)
		c->matched[own] = true;
}

json_t *remarks_unmatched(const struct capture *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->policy->own_count; i++) {
		const struct policy_own *own = &c->policy->own[i];

		if (!c->matched[i])
			json_array_append_new(list,
				json_pack("{s:s, s:o, s:s}", "rule", own->keep ? "keep" : "strip", "of",
					json_sprintf("%s%s%s", own->resource, *own->group ? "." : "", own->group), "path",
					fieldpath_text(own->path)));
	}
	return list;
}

/* ---- both ---- */

void remarks_look(const struct capture *c, const struct object *object, struct strbuf *out)
{
	const json_t *item;
	size_t i;

	look_for_own(c->policy, object, out);
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
	facts_matches(facts, add_match, c);
}
