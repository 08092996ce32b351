/* SPDX-License-Identifier: Apache-2.0 */
/* part - a snapshot in memory, cut down: what select and mapping share. */
#ifndef RHAII_RESTORE_PART_H
#define RHAII_RESTORE_PART_H

#include <jansson.h>
#include <stdbool.h>

struct object;
struct snapshot;
struct strlist;

/* "group/resource/namespace/name". The caller frees. */
char *part_key(const char *group, const char *resource, const char *namespace_, const char *name);
/* The namespace that an object is in, or, of a Namespace, that it is. Borrowed. */
const char *part_namespace(const struct object *object);
json_t *part_texts(const struct strlist *list);

/*
 * Drop the objects that keep does not hold for, and what stands in requirements.yaml and generated.yaml for none but them: a requirement is left where a kept object needs it, a
 * generated object where a kept one stands above it.
 */
void part_keep(struct snapshot *snapshot, bool (*keep)(const struct object *object, void *arg), void *arg);

/* The same, but what nobody knows the needer or owner of stays: only what the dropped objects needed or owned goes with them. */
void part_drop(struct snapshot *snapshot, bool (*keep)(const struct object *object, void *arg), void *arg);

#endif
