/* SPDX-License-Identifier: Apache-2.0 */
/* environment - the values of a snapshot that are bound to the surroundings of its cluster (addresses, CIDRs, zones, host names, registries): they may be wrong on the next one. */
#ifndef RHAII_SNAPSHOT_ENVIRONMENT_H
#define RHAII_SNAPSHOT_ENVIRONMENT_H

#include <jansson.h>

struct policy;
struct snapshot;

/* [{object, path, value}] of the fields that the policy's rows call `environment`, in the order of the objects and of the rows' paths. The caller's. */
json_t *environment_of(const struct snapshot *snapshot, const struct policy *policy);

#endif
