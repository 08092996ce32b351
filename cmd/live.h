/* SPDX-License-Identifier: Apache-2.0 */
/* live - a cluster as it is now, captured as a snapshot was, to be held against it. */
#ifndef RHAII_CMD_LIVE_H
#define RHAII_CMD_LIVE_H

#include <jansson.h>

struct context;
struct error;
struct kube_client;
struct object;
struct snapshot;

/* Call fn for each object of either, in their order; the one that is not there is NULL. old or new_ may be NULL: then it has none. */
void live_pair(const struct snapshot *old, const struct snapshot *new_,
	void (*fn)(const struct object *old, const struct object *new_, void *arg), void *arg);
/*
 * By the policy and in the scope of the snapshot, into a repository that is gone after this run (it becomes context.store, the policy context.policy). records gets the change_record of the live
 * objects by path. *out is the caller's.
 */
int live_capture(struct context *ctx, struct kube_client *client, const struct snapshot *old, json_t *records, struct snapshot **out,
	struct error *err);
/*
 * What changed at the source since the snapshot, where the configuration (recovery.source) says how it is reached: {checked, reason, objects, changes: [texts, at most 200]}. That it cannot be
 * read is the reason, and no error. The caller's.
 */
json_t *live_changed_since(struct context *ctx, const char *snapshot);

#endif
