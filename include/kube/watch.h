/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch - sleep until something changes.
 *
 * Converging asks one question over and over: is it so now? Between two looks it opens one watch a kind, all multiplexed over one
 * connection, from the resourceVersions of the last look, and wakes at the first event.
 */
#ifndef RHAII_KUBE_WATCH_H
#define RHAII_KUBE_WATCH_H

#include <stddef.h>
#include <stdint.h>

struct error;
struct kube_client;
struct kube_resource;

struct kube_watch_target {
	const struct kube_resource *resource;
	const char *namespace_;       /* NULL: all */
	const char *resource_version; /* of the list that was looked at */
};

/* Return 1 on the first event (or when any watch ended: look again), 0 after timeout_ms without one, -1 when no watch could be opened. Bookmarks are no events. */
int kube_watch_any(
	struct kube_client *client, const struct kube_watch_target *targets, size_t count, int64_t timeout_ms, struct error *err);

#endif
