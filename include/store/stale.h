/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stale - the marks of kinds that a snapshot could not read, and that kept their last committed state: a trailer each, of the commit and of the captured tag,
 * "Stale: networkpolicies.networking.k8s.io since 2026-11-24T10:00:00Z". The time is that of the last capture that has read the kind.
 */
#ifndef RHAII_STORE_STALE_H
#define RHAII_STORE_STALE_H

#include <jansson.h>
#include <time.h>

struct git_commit;
struct git_store;
struct strbuf;
struct strlist;

/* Append the trailers of [{group, resource, since}], "" when it is empty or NULL. */
void stale_write(const json_t *stale, struct strbuf *out);
/* [{group, resource, since}] of the values of such trailers; one that is malformed is passed over. The caller's. */
json_t *stale_read(const struct strlist *values);
/* The marks that hold for a commit: those of the captured tag where that is on it (it is looked at last), else its own. As stale_read. */
json_t *stale_of(struct git_store *store, const char *cluster, const struct git_commit *commit);

/* When all kinds had been read: a stale one is as old as its mark says. last: when those without a mark were. */
time_t stale_complete_time(const json_t *stale, time_t last);

#endif
