/* SPDX-License-Identifier: Apache-2.0 */
/*
 * drift - where a live object is no longer as somebody last applied it (kubectl.kubernetes.io/last-applied-configuration).
 *
 * Only fields that were applied count: what the server or others have added is no drift, nor is an empty value that the server dropped, or a quantity that it wrote in another way ("1000m",
 * "1"). Of metadata, labels and annotations are looked at. Applied at another version of the API than the object is read at, fields cannot be compared, and none is.
 */
#ifndef RHAII_OBJECT_DRIFT_H
#define RHAII_OBJECT_DRIFT_H

#include <jansson.h>

#include "object/diff.h"

/* Call fn (old: applied, new: live, NULL where it is not there) for each drifted field of the object as the server has it; the count. */
size_t drift_look(const json_t *object, diff_fn fn, void *arg);

#endif
