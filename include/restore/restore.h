/* SPDX-License-Identifier: Apache-2.0 */
/*
 * restore - brings a snapshot back onto a cluster: open -> integrity -> preflight -> plan -> apply wave by wave -> converge -> verify -> report.
 *
 * restore_prepare does everything up to the plan and changes nothing on the cluster; restore_run executes it. Nothing on the target is
 * deleted, nothing that differs there is changed, except what the policy's mergeFields add (design.md rule 3).
 */
#ifndef RHAII_RESTORE_RESTORE_H
#define RHAII_RESTORE_RESTORE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct error;
struct kube_client;
struct outcome;
struct restore;
struct snapshot_source;

struct restore_settings {
	const struct snapshot_source *source;
	const char *snapshot; /* as for snapshot_open */
	const char *policy;   /* NULL: the snapshot's own policy.yaml */
	struct kube_client *client;
	bool in_place;   /* the target may be the cluster that the snapshot came from */
	int64_t wait_ms; /* bound of converging; 0: stop after apply */
	int64_t rto_ms;
};

/* ERR_INTEGRITY, ERR_NOT_READY (all blockers in the text, one a line), ERR_GUARD (in place). The settings and what they point to must outlive *out. */
int restore_prepare(struct restore **out, const struct restore_settings *settings, struct error *err);
void restore_free(struct restore *restore);

/*
 * {snapshot: {name, cluster, clusterId, commit, capturedAt, verified, edits}, target: {id, server, url},
 *  waves: [{name, gate (or null), actions: [{action: create|merge|skip|conflict, kind, namespace, name, reason, fields: [{path, live, snapshot}]}]}],
 *  counts: {create, merge, skip, conflict}, environment: [{object, path, value}], requirements: [as in requirements.yaml],
 *  maintenance: [as snapshot/maintenance.h says]}. The caller's.
 */
json_t *restore_plan_json(const struct restore *restore);

/*
 * *report (the caller's, also when -1 is returned after something was done; else NULL): the keys of the plan, each action with result: created|merged|skipped|conflict|failed|not run and
 * error (or null), each wave with gateMilliseconds and applyMilliseconds (or null), and findings: [{object, path, text}], converge: {pending, text}, probes (as verify_probes, or null), counts: {created, merged, skipped, conflict, failed, notRun}, requests, phases and rto (phases.h).
 * outcome gets ERR_PARTIAL for conflicts and failed objects, ERR_VERIFY, ERR_OBJECTIVE.
 */
int restore_run(struct restore *restore, json_t **report, struct outcome *outcome, struct error *err);

#endif
