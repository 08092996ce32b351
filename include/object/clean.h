/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clean - leave of an object what a person wrote.
 *
 * Two ways: by name (a field that only a server ever sets) and by evidence (a field that this time only controllers have set).
 *
 * Removes what the policy's strip paths name, in their order. metadata.annotations, labels, finalizers and ownerReferences that are empty
 * afterwards go too; every other empty map or list stays, since {} and [] carry meaning (podSelector: {}, router: {route: {}}).
 */
#ifndef RHAII_OBJECT_CLEAN_H
#define RHAII_OBJECT_CLEAN_H

#include <jansson.h>
#include <stddef.h>

#include "util/mem.h"

struct fieldpath;

/* What goes only where all who own it, by metadata.managedFields, are controllers. */
struct clean_evidence {
	struct fieldpath *path;
	struct strlist managers; /* globs */
	char *why;               /* for people */
};

/*
 * In place, before metadata.managedFields are stripped: each value that a row names goes when its owners are known and all match the row's managers. What a person
 * owns too stays, as what the keep paths name does, and everything where there are no managedFields.
 */
void clean_by_evidence(json_t *object, const struct clean_evidence *rows, size_t count, struct fieldpath *const *keep, size_t keep_count);

/* In place. */
void clean_object(json_t *object, struct fieldpath *const *strip, size_t count);
/* The same, but for what the keep paths name: it stays, also inside of what goes. */
void clean_object_but(json_t *object, struct fieldpath *const *strip, size_t strip_count, struct fieldpath *const *keep, size_t keep_count);

#endif
