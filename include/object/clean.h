/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clean - leave of an object what a person wrote.
 *
 * Removes what the policy's strip paths name, in their order. metadata.annotations, labels, finalizers and ownerReferences that are empty
 * afterwards go too; every other empty map or list stays, since {} and [] carry meaning (podSelector: {}, router: {route: {}}).
 */
#ifndef RHAII_OBJECT_CLEAN_H
#define RHAII_OBJECT_CLEAN_H

#include <jansson.h>
#include <stddef.h>

struct fieldpath;

/* In place. */
void clean_object(json_t *object, struct fieldpath *const *strip, size_t count);
/* The same, but for what the keep paths name: it stays, also inside of what goes. */
void clean_object_but(json_t *object, struct fieldpath *const *strip, size_t strip_count, struct fieldpath *const *keep, size_t keep_count);

#endif
