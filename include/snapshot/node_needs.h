/* SPDX-License-Identifier: Apache-2.0 */
/* node_needs - what the pods of a snapshot's objects need of the nodes of a target: labels, tolerations, accelerators and how many of them. */
#ifndef RHAII_SNAPSHOT_NODE_NEEDS_H
#define RHAII_SNAPSHOT_NODE_NEEDS_H

#include <jansson.h>

struct policy;
struct snapshot;

/*
 * [{object, path, pods, nodeSelector, tolerations, accelerators: [{name, each, all}]}], a row for each pod template of the policy's rows `pods` that needs something, in the
 * order of the objects and of these rows. each: what one pod asks for, as a number where it is one; all: of all pods. pods and all are missing where the
 * object makes no pods itself (a config), all also where each is no number. The caller's.
 */
json_t *node_needs_of(const struct snapshot *snapshot, const struct policy *policy);

#endif
