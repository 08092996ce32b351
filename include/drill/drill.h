/* SPDX-License-Identifier: Apache-2.0 */
/*
 * drill - rehearses a whole recovery: the commands of the phases before ours, the very restore of restore/restore.h, cutover, and then all that it made is taken away again; with a
 * record at the end, whatever came of it.
 *
 * A drill writes to a cluster that the configuration lists, and never to one that snapshots come from; or, local, to a control plane of its own. It records no
 * succession.
 */
#ifndef RHAII_DRILL_DRILL_H
#define RHAII_DRILL_DRILL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "restore/restore.h"

struct error;
struct kube_client;
struct outcome;
struct phases;
struct recovery;
struct strlist;

struct drill_settings {
	const struct restore_settings
		*restore; /* what is restored and how; client, clock, keep_record, rehearsal and, local, wait_ms are the drill's */
	const struct recovery *recovery; /* the phases of others */
	struct phases *clock;            /* with its RTO, and what is known; the caller's */
	bool local;
	bool keep;                     /* what was made stays on the target */
	const char *scenario;          /* its name; NULL: none */
	const char *configuration;     /* path of the file, for the record; NULL: none */
	const struct strlist *targets; /* ids of the clusters that may be written to */
	int64_t cleanup_ms;            /* bound of the cleanup */

	/* Of a real one: called when the cluster should be there. The client stays the caller's. */
	int (*open)(void *arg, struct kube_client **client, struct error *err);
	void *arg;
};

/*
 * *record (the caller's) is made also when -1 is returned: the drill failed, and the record says at what. outcome gets what restore_run adds, and ERR_PARTIAL when something of ours is left.
 * ERR_USAGE: the target is not listed; ERR_GUARD: snapshots come from it; in both cases there is no record, since nothing was done.
 */
int drill_run(const struct drill_settings *settings, json_t **record, struct outcome *outcome, struct error *err);

/*
 * How much slower than usual it was: the time of the phases that tools measured, against the median of the last drills of its kind and mode in the trend (chain_trend, this one not
 * included) that passed; in percent, negative for faster. False: there is nothing to hold it against.
 */
bool drill_slower(const json_t *record, const json_t *trend, double *percent);

#endif
