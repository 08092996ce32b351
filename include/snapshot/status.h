/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status - how much a disaster would lose right now: the age of the last capture of each cluster in a repository (the RPO), read from the repository alone.
 *
 * A capture that changed nothing made no commit but counts: the captured tag is its time. A kind that it could not read is as old as its mark (store/stale.h) says, and
 * the RPO with it. What is declared (a copy off-site) is told as declared.
 */
#ifndef RHAII_SNAPSHOT_STATUS_H
#define RHAII_SNAPSHOT_STATUS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct error;
struct git_store;
struct strbuf;

struct status_options {
	const char *cluster;     /* NULL: every cluster of the repository */
	const char *archive_dir; /* NULL: archives are not looked at */
	const char *offsite;     /* what somebody declares; NULL: nothing */
	int64_t max_age_ms;      /* an older capture misses the RPO */
};

/*
 * *result (the caller's): {checkedAt, maxAgeSeconds, offsite, clusters: [{cluster, commit, snapshotAt (when this state was first captured), capturedAt (when it was
 *  last seen to hold), stale: [{group, resource, since}], completeAt (as capturedAt, of the oldest kind), rpoSeconds (its age), inFuture (bool: a clock is wrong),
 *  tooOld (bool), objects (null where snapshot.yaml does not tell), archive: null (not asked) or {path, complete (bool: archive and sidecar are there; what is in them is not read)}, refused: null or the id of a refused capture that waits}]}.
 * ERR_NOT_FOUND where there is no snapshot.
 */
int status_read(struct git_store *store, const struct status_options *options, json_t **result, struct error *err);
/*
 * How many objects a commit holds by its snapshot.yaml, a JSON null for a commit that is none of ours; NULL with err set. *orphans (may be NULL): how many orphans it tells of, or a JSON null.
 * Both are the caller's.
 */
json_t *status_objects(struct git_store *store, const char *commit, json_t **orphans, struct error *err);
/* Whether one of the clusters misses the RPO. */
bool status_too_old(const json_t *result);
/* Append the result (each cluster with what the caller knows of proofs besides: proof {at} or null, proofTooOld) as metrics, a text that the parsers of OpenMetrics and of the older Prometheus format both take. */
void status_openmetrics(const json_t *result, struct strbuf *out);
/* "none", or "declared, not checked: TEXT". The caller frees. */
char *status_offsite(const char *declared);

#endif
