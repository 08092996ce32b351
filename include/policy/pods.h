/* SPDX-License-Identifier: Apache-2.0 */
/* pods - the pods that the controller of an object makes from it, by the rows `pods` of its kind. */
#ifndef RHAII_POLICY_PODS_H
#define RHAII_POLICY_PODS_H

#include <jansson.h>

struct policy_kind;

struct pods {
	const char *path;   /* of the template: "spec.prefill.template" */
	const json_t *spec; /* core/v1 PodSpec */
	json_int_t count;   /* -1: nobody knows, others make pods from it */
};

/* Once for each template of the object, in the order of the rows. */
void policy_pods_each(const struct policy_kind *kind, json_t *object, void (*fn)(const struct pods *pods, void *arg), void *arg);

#endif
