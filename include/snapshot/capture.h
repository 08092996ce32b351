/* SPDX-License-Identifier: Apache-2.0 */
/*
 * capture - takes a snapshot: list -> classify -> clean -> canonical text -> git tree and commit -> archive.
 *
 * What cannot be read completely fails the whole capture and nothing is committed (design.md rule 6.1). An unchanged cluster makes no
 * commit and no archive; the captured tag says that it was looked at.
 */
#ifndef RHAII_SNAPSHOT_CAPTURE_H
#define RHAII_SNAPSHOT_CAPTURE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

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
	bool dry_run;                     /* read and compare, write no ref and no archive */
};

/*
 * store is locked by the caller. *result (the caller's) has these keys:
 *   cluster, clusterId, server, commit (the branch head afterwards; null in a first dry run), tree, changed (bool), dryRun (bool), capturedAt,
 *   archive (path or null), archiveMade (bool), objects (count), generated (count), installed (count), requests (count),
 *   first (bool: there was no commit before), added, modified, removed (counts of objects),
 *   kinds: [{group, resource, kind, version, count}], notServed: [resource.group],
 *   changes: [{change: added|removed|changed, kind, namespace, name, fields: [{path, old, new}]}]   (old, new as text for people; fields only for changed; at most
 *   1000 of them)
 *   uncovered: [{kind, namespace, name, keys: [..], state, neededBy: [..]}], offsite ("none")
 */
int capture_run(const struct capture_options *options, struct kube_client *client, struct git_store *store, const struct policy *policy,
	json_t **result, struct error *err);

#endif
