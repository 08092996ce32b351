/* SPDX-License-Identifier: Apache-2.0 */
/* A mapping while it is applied, shared by mapping.c (the snapshot: its objects and documents) and mapping_fields.c (what changes inside one object). */
#ifndef RHAII_RESTORE_MAPPING_INTERNAL_H
#define RHAII_RESTORE_MAPPING_INTERNAL_H

#include <jansson.h>
#include <stddef.h>

#include "rules.h"
#include "util/map.h"

struct error;
struct found;
struct object;
struct policy;
struct policy_kind;
struct snapshot;

#define GATEWAY_GROUP "gateway.networking.k8s.io"
#define GATEWAY_RESOURCE "gateways"

struct mapping_run {
	struct snapshot *snapshot;
	const struct policy *policy;
	struct rules rules;
	json_t *changes, *replaced;
	struct map renamed; /* objects in words -> as they are called now, owned */
	struct map needs;   /* "ns/name" of a new Gateway -> its requirement, owned */

	/* Of the object that is changed now. */
	struct object *object;  /* as it was, with its own copy of the JSON */
	const char *namespace_; /* as it will be */
	char *words;            /* as it will be */
	struct map done;        /* concrete paths that are decided */
	struct found *found;
	size_t found_count, found_cap;
	struct error *err;
};

/* Change the text at a key of a map, the path of which is given. */
void mapping_set_key(struct mapping_run *m, json_t *map, const char *path, const char *key, struct rule *rule, const char *to);
/* The rule for this Gateway; NULL: there is none, or it is of another kind. */
struct rule *mapping_gateway_rule(
	const struct mapping_run *m, const char *group, const char *resource, const char *namespace_, const char *name);
/* Of m->object, whose paths that are decided are in m->done: its references first, then the fields that the policy lists. -1: it cannot be mapped, m->err says why. */
void mapping_references(struct mapping_run *m, const struct policy_kind *row);
int mapping_fields(struct mapping_run *m, const struct policy_kind *row);

#endif
