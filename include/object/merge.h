/* SPDX-License-Identifier: Apache-2.0 */
/*
 * merge - add to an object that is there already what the snapshot has and it lacks, below the fields that the policy lists
 * (mergeFields; design.md rule 3). Nothing that is there is changed: a key with another value is a conflict.
 */
#ifndef RHAII_OBJECT_MERGE_H
#define RHAII_OBJECT_MERGE_H

#include <jansson.h>
#include <stddef.h>

#include "object/diff.h"

struct fieldpath;

/*
 * The JSON merge patch (RFC 7386) that adds the missing keys of maps and the missing items of lists (matched by "name", or by value) below
 * each of paths; NULL when nothing is missing. A list in it is the whole new list. conflict (may be NULL) is called (old: live, new: wanted)
 * for each key that differs there, and for each difference outside the paths in a field that want has; what only live has is nobody's
 * business. live and want are cleaned objects. The caller owns the patch.
 */
json_t *merge_patch(const json_t *live, const json_t *want, struct fieldpath *const *paths, size_t count, diff_fn conflict, void *arg);

#endif
