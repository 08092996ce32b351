/* SPDX-License-Identifier: Apache-2.0 */
/* nodes - what a pod needs of the nodes that it may run on, by its template alone. */
#ifndef RHAII_OBJECT_NODES_H
#define RHAII_OBJECT_NODES_H

#include <jansson.h>

/*
 * {nodeSelector, tolerations, accelerators} of a core/v1 PodSpec, each where it is not empty; NULL when nothing is. accelerators: the extended resources
 * (nvidia.com/gpu) that one pod asks for: of its containers together, or of an init container that asks for more. An amount that is no plain
 * integer stays as it is written. The caller's.
 */
json_t *nodes_of_pod(const json_t *spec);

/* How many pods there are for each replica, by a ParallelismSpec of KServe: data / dataLocal, or pipeline; 1 without one. */
json_int_t nodes_group_size(const json_t *parallelism);

#endif
