/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cleanup - takes away what a restore has made on its target, and nothing else: the objects that its journal says it created, each by its uid, in the opposite order of
 * the waves.
 *
 * An object whose answer nobody lived to see has no uid in the journal: it is ours when it was not there when the plan was made, is of a later time than the
 * journal, and has our field manager. What was merged into or replaced is not put back; it is told. A namespace takes along whatever is in it.
 */
#ifndef RHAII_RESTORE_CLEANUP_H
#define RHAII_RESTORE_CLEANUP_H

#include <jansson.h>
#include <stdint.h>

struct error;
struct journal;
struct kube_client;

struct cleanup_settings {
	struct kube_client *client;
	const struct journal *journal; /* of journal_read, or of a restore that has ended */
	int64_t timeout_ms;            /* of waiting for finalizers, in all */
};

/*
 * *result (the caller's): {result: done|partial, deleted, gone (were so already), left: [{object, text}], milliseconds}. "partial": something of ours is left. ERR_NOT_READY:
 * the journal is of another cluster. ERR_INTERRUPTED: can be run again.
 */
int cleanup_run(const struct cleanup_settings *settings, json_t **result, struct error *err);

#endif
