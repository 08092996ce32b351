/* SPDX-License-Identifier: Apache-2.0 */
/* idle - objects whose author does not want them to serve: scaled to nothing, or stopped. */
#ifndef RHAII_OBJECT_IDLE_H
#define RHAII_OBJECT_IDLE_H

#include <jansson.h>

/* Why an object that is there as its author wrote it does not serve ("spec.replicas is 0 ..."), or NULL. */
const char *idle_reason(const json_t *object);
/* The same, for what cannot even get ready (stopped). */
const char *idle_never_ready(const json_t *object);
/* The same as idle_reason in a word or two: "replicas 0", "stopped". */
const char *idle_state(const json_t *object);

#endif
