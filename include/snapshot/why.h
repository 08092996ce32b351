/* SPDX-License-Identifier: Apache-2.0 */
/*
 * why - what became of an object in a snapshot, and the evidence that decided it, from the snapshot alone.
 *
 *   {object: {group, resource, kind, namespace, name}, class, why, evidence: [TEXT]}
 *
 * class is authored, generated, orphan, installed, or required, missing (a requirement), or unknown: the snapshot does not tell of it, and why is the nearest reason.
 */
#ifndef RHAII_SNAPSHOT_WHY_H
#define RHAII_SNAPSHOT_WHY_H

#include <jansson.h>

struct object;
struct policy;
struct snapshot;

/* The kinds that the snapshot tells of: [{group, resource, kind}], some more than once. The caller's. */
json_t *why_kinds(const struct snapshot *snapshot, const struct policy *policy);
/* name has no json. policy is the snapshot's. The caller's. */
json_t *why_object(const struct snapshot *snapshot, const struct policy *policy, const struct object *name);

#endif
