/* SPDX-License-Identifier: Apache-2.0 */
/*
 * references - what an object refers to, from its spec, by the policy's rules.
 */
#ifndef RHAII_OBJECT_REFERENCES_H
#define RHAII_OBJECT_REFERENCES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct fieldpath;
struct object;

/* One row of `references:` of a kind (shared sets such as podSpec are already expanded). */
struct reference_rule {
	struct fieldpath *path; /* to a string (the name) or to a map */
	char *group, *resource; /* what it refers to */
	char *name_field;       /* in the map; default "name" */
	char *namespace_field;  /* NULL: always the object's own namespace */
	char *key_field;  /* in the map, a key inside the Secret or ConfigMap, or a list of maps with such a "key" ("items"); NULL: none */
	char *when_field; /* the rule holds only where this field of the map is when_value; NULL: always */
	char *when_value;
	char *when_field2; /* a second such condition (group beside kind); NULL: none */
	char *when_value2;
	bool when_absent; /* a condition on a field that is not there, or is "", holds: its default is meant */
	char *prefix;     /* the string starts with this ("pvc://") and the name ends at the next '/'; NULL: the whole string */
	char *default_name; /* where the path's last key is absent or "" but the map around it is there; "@name": the object's own name; NULL: no reference then */
	bool cluster_scoped; /* the target has no namespace */
	bool selects;        /* an object of `select: refers` is taken when this reference hits a taken object */
	bool optional;       /* the field "optional: true" in the map, or the rule itself, says the target may be missing */
};

struct reference {
	const char *group, *resource, *namespace_, *name; /* namespace_ "" for cluster-scoped; borrowed for the call */
	const char *key;                                  /* NULL: none */
	const char *path;                                 /* concrete field path */
	json_t *map; /* that names it; NULL: a text does, or nobody kept it. Borrowed from the object */
	const struct reference_rule *rule;
	bool optional;
};

typedef int (*reference_fn)(const struct reference *reference, void *arg);

/* Call fn for each reference, rule by rule; a non-zero return ends the walk and is returned. An empty name
 * refers to nothing, nor does one that is a Go template ("{{ ChildName .ObjectMeta.Name `-epp-sa` }}", in a config of KServe). */
int references_each(const struct object *object, const struct reference_rule *rules, size_t count, reference_fn fn, void *arg);

#endif
