/* SPDX-License-Identifier: Apache-2.0 */
/*
 * restore - brings a snapshot back onto a cluster: open -> integrity -> preflight -> plan -> apply wave by wave -> converge -> verify -> report.
 *
 * restore_prepare does everything up to the plan and changes nothing on the cluster; restore_run executes it. Nothing that differs on the target is
 * changed, except what the policy's mergeFields add, and what `overwrite` replaces (design.md rule 3).
 */
#ifndef RHAII_RESTORE_RESTORE_H
#define RHAII_RESTORE_RESTORE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "restore/phases.h"

struct error;
struct journal;
struct kube_client;
struct mapping;
struct outcome;
struct restore;
struct selection;
struct serving_settings;
struct snapshot_source;
struct strlist;

struct restore_settings {
	const struct snapshot_source *source;
	const char *snapshot; /* as for snapshot_open */
	const char *policy;   /* NULL: the snapshot's own policy.yaml */
	struct kube_client *client;
	bool in_place;   /* the target may be the cluster that the snapshot came from */
	int64_t wait_ms; /* bound of converging; 0: stop after apply */
	int64_t rto_ms;
	int64_t rpo_ms;                    /* 0: not set */
	struct phases *clock;              /* with what others know; it goes on here, and is the caller's. NULL: one with the RTO alone */
	int64_t expected_ms[PHASE_COUNT];  /* how long phases took the last time, to look ahead; 0: not known */
	const char *kubeconfig, *context;  /* how the client was made, for the journal; NULL: not by a file */
	bool keep_record;                  /* write a journal, and hold the target's Lease; else neither */
	struct journal *journal;           /* to go on with; NULL: a new one */
	const json_t *plan;                /* to execute exactly, as restore_plan_read gives it; NULL: none */
	const char *plan_name;             /* its file, for messages */
	bool explain;                      /* the plan is looked at: say who set what differs, and how long the apply may take */
	bool server_dry_run;               /* and what the server says to a dry run of it */
	bool rehearsal;                    /* a drill: no succession comes of it, nor of its resumption */
	bool partial;                      /* what is blocked stops only itself and what depends on it */
	bool overwrite;                    /* what differs is replaced, and a copy of it kept beside the journal */
	bool drop_unknown_fields;          /* fields that the server does not know are left out */
	bool adopt_orphans;                /* generated objects without an owner are removed, so that their controllers make their own */
	const struct strlist *ignore;      /* names of checks that block nothing; NULL: none */
	const struct selection *selection; /* which part of the snapshot; NULL: all of it */
	const struct mapping *mapping;     /* other names on the target; NULL: none */
	const struct serving_settings *serving; /* how verify asks models (verify/serving.h); NULL: once, by the address that they tell */
};

/* Fill source, and what shapes the run, from the header of a journal, or from a plan; both borrow from it. client, kubeconfig, context, ignore, selection and mapping are the caller's part. */
void restore_settings_of(const json_t *head, struct restore_settings *settings, struct snapshot_source *source);

/* The version of the plan file that is written (docs/FORMAT.md); newer ones are refused, naming it. */
#define PLAN_FORMAT 1

/*
 * Read what `plan -o json` wrote, "-" from standard input. *out, the part of it that is executed, is the caller's. ERR_INTEGRITY: it is none, truncated, of a newer
 * format, or was changed by hand.
 */
int restore_plan_read(json_t **out, const char *path, struct error *err);

/*
 * ERR_INTEGRITY, ERR_USAGE, ERR_GUARD (in place). What blocks the restore is no error here, but in the plan. Of a journal: ERR_INTEGRITY when the snapshot is not the one that
 * it is of, ERR_NOT_READY for another target; of a plan the same. The settings and what they point to must outlive *out.
 */
int restore_prepare(struct restore **out, const struct restore_settings *settings, struct error *err);
void restore_free(struct restore *restore);
/* ERR_NOT_READY when findings of preflight stop the whole restore, or the target is not what the plan rests on: then restore_run must not be called. */
int restore_blocked(const struct restore *restore, struct error *err);

/* A person was waited for, so long, between restore_prepare and restore_run. */
void restore_waited(struct restore *restore, int64_t human_ms);

/*
 * {snapshot: {name, cluster, clusterId, commit, capturedAt, verified, edits}, target: {id, server, url},
 *  waves: [{name, gate (or null), actions: [{action: create|merge|update|skip|conflict, kind, namespace, name, reason, fields: [{path, live, snapshot, immutable (true, or absent)}], blocked (what stops it, or null), error (what the server said to a dry run, or null)}]}],
 *  counts: {create, merge, update, skip, conflict}, environment: [{object, path, value}], nodes: [as node_needs_of lists them], requirements: [as in requirements.yaml],
 *  maintenance: [as snapshot/maintenance.h says], blockers (count of findings that stop the whole restore),
 *  preflight: [{check, blocks: apply|converge, result: ok|failed|not checked, objects: ["Kind ns/name"] (empty: all), text, mend, ignored}],
 *  selection: as select_objects tells it, or null, mapping: as map_objects tells it, or null,
 *  orphans: [{group, resource, kind, namespace, name, owner ("Kind ns/name"), why, uid, resourceVersion, result (removed|gone|failed, or null), error (or null)}]: generated objects on the
 *   target that their owner cannot take over, which `adopt_orphans` removes,
 *  privileged: [{object, text}] (what gives rights, opens the network or changes the traffic of others),
 *  (with explain) each field has manager and time (who set it last, as far as the server tells), and there are estimate: {requests, milliseconds, basis: journal|dry run|round trip, text} (null: nothing to send), and
 *  serverDryRun: {asked, notTried, milliseconds, objects: [{object, result: accepted|refused|not tried, text, fields: [{path, what: default|drop|change, sent, stored}]}]} (those with something to tell; null: not asked),
 *  stale: [{object, text}] (what is not what the plan that is executed rests on), execute: what restore_plan_read takes (without keep_record)}. The caller's.
 */
json_t *restore_plan_json(const struct restore *restore);

/*
 * *report (the caller's, also when -1 is returned after something was done; else NULL): the keys of the plan, each action with result: created|merged|updated|skipped|conflict|failed|blocked|not run,
 * error (or null) and copy (file with what was replaced, or null), each wave with offsetMilliseconds, gateMilliseconds and applyMilliseconds (or null), and findings: [{object, path, text}], converge: {pending, text}, probes (as verify_probes, each with offsetMilliseconds, or null), counts: {created, merged, updated, skipped, conflict, failed, blocked, notRun}, requests (of this run), retries, throttledMilliseconds, phases and rto (phases.h),
 * rpo ({targetMilliseconds, verdict: met|missed|"not set", achievedMilliseconds, capturedAt, declaredAt, changedSince (null)}), startedAt, endedAt, services: [{object, backMilliseconds}] (as the record has them),
 * objects (of the snapshot), manifestSha256, policySha256, sourceServer (or null),
 * resumed (times), journal (path, or null), succession ({cluster, from, to, recorded, reason}, or null: whether the target continues the branch of the source). A resumed run reports the whole restore.
 * outcome gets ERR_PARTIAL for conflicts and failed objects, ERR_VERIFY, ERR_OBJECTIVE. ERR_INTERRUPTED: stopped by a signal (util/interrupt.h), can be resumed. ERR_LOCKED:
 * another restore holds the target's Lease.
 */
int restore_run(struct restore *restore, json_t **report, struct outcome *outcome, struct error *err);

#endif
