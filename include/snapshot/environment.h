/* SPDX-License-Identifier: Apache-2.0 */
/*
 * environment - what the objects of a snapshot take from the surroundings of their cluster: values that may be wrong on the next one (addresses, CIDRs,
 * zones, host names, registries), and what their pods need of its nodes. Both follow from the objects and the rows of the policy.
 */
#ifndef RHAII_SNAPSHOT_ENVIRONMENT_H
#define RHAII_SNAPSHOT_ENVIRONMENT_H

#include <jansson.h>

struct policy;
struct snapshot;

/* [{object, path, value}] of the fields that the policy's rows call `environment`, in the order of the objects and of the rows' paths. The caller's. */
json_t *environment_of(const struct snapshot *snapshot, const struct policy *policy);

/*
 * [{object, path, pods, nodeSelector, tolerations, accelerators: [{name, each, all}]}], a row for each pod template of the policy's rows `pods` that needs something, in the
 * order of the objects and of these rows. each: what one pod asks for, as a number where it is one; all: of all pods. pods and all are missing where the
 * object makes no pods itself (a config), all also where each is no number. The caller's.
 */
json_t *node_needs_of(const struct snapshot *snapshot, const struct policy *policy);

#endif
