/* SPDX-License-Identifier: Apache-2.0 */
/*
 * matrix - which pods may talk to which, by port, as NetworkPolicies say it: what of that is more, or less, than it was before.
 *
 * Nobody's traffic is looked at. The pods are those of the templates given, and one that each selector of a policy is about; the peers outside
 * are one namespace for each selector of namespaces, and one address for each net that a policy tells apart. An edge is there when the policies of the
 * sender let it out (egress) and those of the receiver let it in (ingress); a pod that no policy of a direction selects is open in that direction.
 *
 * Pure functions: no server, no clock. In the texts foreign text is escaped.
 */
#ifndef RHAII_VERIFY_MATRIX_H
#define RHAII_VERIFY_MATRIX_H

#include <jansson.h>
#include <stddef.h>

#include "util/mem.h"

struct matrix_side {
	const json_t
		*policies; /* a list of NetworkPolicy objects, which need their policyTypes only where the server would have added others */
	json_t *namespaces; /* name -> labels; one that only the other side has is as it is there */
};

struct matrix_result {
	struct strlist widened, narrowed; /* edges, "ns/a podSelector app=x -> port 8080 from namespace y" */
	size_t places;                    /* kinds of pods and peers that were told apart */
};
#define MATRIX_RESULT_INIT                                                                                                                 \
	{                                                                                                                                  \
		.places = 0                                                                                                                \
	}

/* pods: a list of {name: for people, namespace, labels, ports: {name: number}}; the last one may be missing, a named port is then one of its own. */
void matrix_compare(const struct matrix_side *before, const struct matrix_side *after, const json_t *pods, struct matrix_result *out);
void matrix_result_release(struct matrix_result *result);

/* How many of the pods the policy selects. */
size_t matrix_selected(const json_t *policy, const json_t *pods);

#endif
