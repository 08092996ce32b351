/* SPDX-License-Identifier: Apache-2.0 */
/*
 * capture - takes a snapshot: list -> classify -> clean -> canonical text -> git tree and commit -> archive.
 *
 * What cannot be read completely fails the whole capture and nothing is committed (design.md rule 6.1), but for kinds of `onError: carry`: they keep the state that the
 * branch head has of them, and are marked stale by trailers of the commit and of the captured tag (store/stale.h). An unchanged cluster makes no
 * commit and no archive; the captured tag says that it was looked at.
 *
 * All lists are asked for at the resourceVersion of the first. Where the server cannot do that, or forgets the version three times meanwhile, each list
 * is of its own time: pointInTime is false, and the commit has the trailer "Point-In-Time: no".
 */
#ifndef RHAII_SNAPSHOT_CAPTURE_H
#define RHAII_SNAPSHOT_CAPTURE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

struct error;
struct git_store;
struct kube_client;
struct policy;
struct strlist;

struct capture_options {
	const char *cluster;              /* branch name, a DNS-1123 label */
	const struct strlist *namespaces; /* narrow the scope to these; NULL or empty: the policy's scope */
	const char *archive_dir;          /* NULL: no archive */
	size_t page_size;                 /* 0: 500 */
	size_t max_shrink;                /* percent of the objects that may be gone; 0: 20 */
	bool dry_run;                     /* read and compare, write no ref and no archive */
	time_t since;                     /* also remember who wrote to objects after this; 0: after the branch head */
	json_t *records; /* an object that gets the change_record (object/change.h) of such an object by its path; NULL: none */
};

/*
 * store is locked by the caller. *result (the caller's) has these keys:
 *   cluster, clusterId, server, commit (the branch head afterwards; null in a first dry run), tree, changed (bool), dryRun (bool), capturedAt,
 *   archive (path or null), archiveMade (bool), objects (count), generated (count), installed (count), requests (count),
 *   first (bool: there was no commit before), added, modified, removed (counts of objects),
 *   kinds: [{group, resource, kind, version, count}], notServed: [resource.group],
 *   changes: [as object/change.h says]   (fields only for changed; at most 1000 of them)
 *   maintenance: [as snapshot/maintenance.h says], notReady (count of objects that the cluster says are not Ready)
 *   uncovered: [{kind, namespace, name, keys: [..], state, neededBy: [..]}]   (at most 1000 of them; all are in requirements.yaml), uncoveredCount (of all),
 *   offsite ("none")
 *   pointInTime (bool: all lists show the cluster at one resourceVersion)
 *   findings: [{object, path, kind}]   (what may be a credential)
 *   stale: [{group, resource, since, error}]   (kinds that could not be read, and are as they were then)
 * A guard that refuses (ERR_GUARD) leaves {refused: [{guard: cluster|scope|empty|shrink|kind|credential, text}], id: of the capture kept aside for capture_accept, or
 * null} instead.
 */
int capture_run(const struct capture_options *options, struct kube_client *client, struct git_store *store, const struct policy *policy,
	json_t **result, struct error *err);

/*
 * Make the refused capture with this id (the start of its tree's) the head of the cluster's branch, and its archive. *result as of capture_run, without `installed` and `stale[].error`;
 * requests is 0. ERR_GUARD when there is none, it is another, or the branch has moved since it was refused.
 */
int capture_accept(
	struct git_store *store, const char *cluster, const char *id, const char *archive_dir, json_t **result, struct error *err);

#endif
