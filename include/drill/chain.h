/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chain - the records of one cluster's restores and drills, oldest to newest on the branch refs/heads/drills/<name>, each with the SHA-256 of the bytes of the one
 * before: none can be changed, left out or put in without the later ones telling.
 */
#ifndef RHAII_DRILL_CHAIN_H
#define RHAII_DRILL_CHAIN_H

#include <jansson.h>
#include <stddef.h>

#include "restore/phases.h"
#include "store/git.h"

struct error;
struct git_store;

/* Set the record's `previous`, and commit it at the end of the chain of its `name`; commit gets the id. ERR_LOCKED, ERR_CONFLICT: another writer was there. */
int chain_append(struct git_store *store, json_t *record, char commit[GIT_ID_SIZE], struct error *err);

/* The record with this id (also the start of one, if it is clear), NULL: the newest. ERR_NOT_FOUND, ERR_USAGE. *out is the caller's. */
int chain_find(struct git_store *store, const char *name, const char *id, json_t **out, struct error *err);

/* {id, scenario, kind, mode, startedAt, result, rtoMilliseconds (or null), phases: {name: milliseconds}} of a record. The caller's. */
json_t *chain_point(const json_t *record);
/*
 * The points of the last `count` records up to the one with the id (NULL: the newest), oldest first. The caller's.
 */
int chain_trend(struct git_store *store, const char *name, const char *id, size_t count, json_t **out, struct error *err);

/* Of a trend, how long each phase took in the newest real one that passed; what it does not know stays as it is. */
void chain_expect(const json_t *trend, int64_t expected_ms[PHASE_COUNT]);

/*
 * What has been shown to be restorable: [{snapshot (a commit), record (its id), kind, mode, at, server}], newest first, one a snapshot. A proof is a record whose restore was whole and verified: exit
 * code 0, or 4 (it took too long, but it came back). The caller's.
 */
int chain_proofs(struct git_store *store, const char *name, json_t **out, struct error *err);
/* The one of this snapshot, NULL: none. Borrowed. */
json_t *chain_proof_of(const json_t *proofs, const char *snapshot);

/* {name, records, newest: id or null, faults: [{record (id or commit), text}]}: the hashes, formats, names and order of all of them. The caller's. Only a repository that cannot be read is an error. */
int chain_check(struct git_store *store, const char *name, json_t **out, struct error *err);

#endif
