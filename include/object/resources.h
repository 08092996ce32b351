/* SPDX-License-Identifier: Apache-2.0 */
/* resources - the amounts that a pod asks for, by its template alone. */
#ifndef RHAII_OBJECT_RESOURCES_H
#define RHAII_OBJECT_RESOURCES_H

#include <jansson.h>
#include <stdbool.h>

/* Whether a resource is one that others than Kubernetes define: "nvidia.com/gpu". */
bool resource_is_extended(const char *name);

/*
 * {requests: {NAME: real}, limits: {NAME: real}} of a container, as it is written; of an extended resource, whose requests equal its limits, each has both. Nothing else
 * is filled in: what a webhook or a preset adds is not known here. The caller's.
 */
json_t *resources_of_container(const json_t *container);
/* The same of a core/v1 PodSpec: of its containers together, or of an init container that asks for more. The caller's. */
json_t *resources_of_pod(const json_t *spec);

#endif
