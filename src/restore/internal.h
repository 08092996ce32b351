/* SPDX-License-Identifier: Apache-2.0 */
/* The state of one restore, shared by the files of this folder. Order of the calls: preflight_open, plan_make, preflight_run (restore_prepare), then apply_run (restore_run). */
#ifndef RHAII_RESTORE_INTERNAL_H
#define RHAII_RESTORE_INTERNAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"
#include "restore/mapping.h"
#include "restore/phases.h"
#include "restore/select.h"
#include "util/hash.h"
#include "util/map.h"
#include "util/mem.h"
#include "util/strbuf.h"

struct discovery;
struct error;
struct journal;
struct kube_resource;
struct lease;
struct object;
struct policy;
struct policy_kind;
struct restore_settings;
struct sender;
struct snapshot;

enum action_kind { ACTION_CREATE, ACTION_MERGE, ACTION_UPDATE, ACTION_SKIP, ACTION_CONFLICT };
enum action_result {
	RESULT_NONE,
	RESULT_CREATED,
	RESULT_MERGED,
	RESULT_UPDATED,
	RESULT_SKIPPED,
	RESULT_CONFLICT,
	RESULT_FAILED,
	RESULT_BLOCKED
};

struct action {
	const struct object *object;
	const struct policy_kind *row;
	const struct kube_resource *resource; /* at the object's version; NULL: not served, then preflight blocks it */
	bool leaving;                         /* what is there is being deleted: it is waited for */
	bool unlisted;                        /* the target does not let us see what is there of its kind */
	size_t wave;
	enum action_kind kind;
	enum action_result result;
	json_t *patch;        /* of a merge */
	json_t *body;         /* what is sent, where it is not the object itself (fields were dropped); else NULL */
	json_t *dropped;      /* paths of these fields; NULL: none */
	char *copy;           /* file with what an update has replaced; NULL: none */
	json_t *fields;       /* what differs: [{path, live, snapshot}], as fields.c marks them */
	json_t *live;         /* what was found in its place: {uid, sha256 (of what is left of it after cleaning)}, or null */
	const json_t *ground; /* the same when the plan was made that is executed; NULL: none, then it is written whatever is there now */
	const char *reason;   /* of a skip or conflict; a literal */
	char *error;          /* what the server said */
	int tries;            /* requests sent */
	bool unanswered;      /* one of them, or of an earlier run, may have been carried out without our knowing */
	bool begun;           /* the journal knows that it is about to be sent */
	bool in_flight;
	int64_t not_before;       /* monotonic ms of the next try */
	int64_t first_sent, sent; /* of the first one and of the last */
	unsigned refusals;        /* of the window, when it was sent */
	struct sender *sender;    /* of the wave that it is sent in */
};

enum space { SPACE_ABSENT, SPACE_THERE, SPACE_TERMINATING };

struct wave_times {
	int64_t gate_ms, apply_ms; /* -1: not run */
	int64_t began;             /* wall clock, ms since 1970; 0: not yet */
};

/* How long is waited for what, in ms. restore_prepare sets it; tests shorten it. */
struct restore_patience {
	int64_t object_deadline;          /* of all tries of one create */
	int64_t backoff_min, backoff_max; /* between two of them */
	int64_t gate, gate_poll;
	int64_t unauthorized; /* of 401s and nothing else, before the restore stops */
};

struct restore {
	const struct restore_settings *settings;
	struct snapshot *snapshot;
	struct policy *policy;
	struct discovery *discovery;
	char *target_id, *server_version;
	struct action *actions; /* by wave, then in the order of the snapshot */
	size_t action_count;
	struct wave_times *wave_times;
	struct restore_patience patience;
	struct phases *phases; /* the clock: that of the settings, else our own */
	struct phases own_phases;
	size_t jumps_told;    /* how many of its jumps the journal has */
	int64_t tell_at;      /* monotonic ms: then more is said of how far it is; 0: nothing was said yet */
	size_t apply_total;   /* actions to send when the apply began */
	char *awaited;        /* what converging waits for; NULL: not known yet */
	int warned;           /* of the RTO, because of this phase (and one more); 0: not yet */
	int64_t captured_at;  /* when the state of the snapshot was seen last, wall clock, ms since 1970; 0: not known */
	int64_t started_at;   /* of the first run, wall clock, ms since 1970 */
	json_t *backs;        /* {"Kind ns/name": ms since 1970}: when it was first seen ready */
	size_t retries;       /* requests that were sent once more */
	int64_t throttled_ms; /* what the server asked to be waited, of all requests */
	struct map spaces;    /* namespaces of the target -> enum space */
	bool spaces_known;
	json_t *preflight;          /* findings, as restore.h says */
	struct strlist ignore;      /* checks that block nothing: those of the settings, or of the journal */
	struct selection selection; /* that of the settings, or of the journal */
	struct mapping mapping;     /* the same */
	json_t *selected, *mapped;  /* as select_objects and map_objects tell it */
	size_t blockers;            /* findings that stop the whole restore */
	json_t *findings;
	json_t *dry_run;             /* what the server said to a dry run of the plan; NULL: not asked */
	json_t *estimate;            /* of the apply; NULL: none */
	struct journal *journal;     /* of this run; NULL: none */
	struct journal *own_journal; /* the same, when we made it */
	const json_t *head;          /* of the journal that is resumed, or of the plan that is executed; NULL: neither */
	char *head_name;             /* "journal 'PATH'", for messages */
	bool exact;                  /* a plan file is executed: nothing is written where the target is not what it rests on */
	json_t *stale;               /* what is not: [{object, text}] */
	struct lease *lease;         /* NULL: none */
	json_t *orphans;             /* as restore.h says */
	int64_t leaving_until;       /* monotonic ms: so long is waited for what is being deleted; 0: nothing was yet */
};

/* Whether the target has the namespace. */
enum space preflight_space(const struct restore *restore, const char *name);
/* Identity of the target, what it serves and its namespaces; fills actions with object, row and resource. */
int preflight_open(struct restore *restore, struct error *err);
/* After plan_make: run all checks. With `partial`, what findings name gets the result RESULT_BLOCKED, and so does what depends on it. */
void preflight_run(struct restore *restore);
/* Fill restore.ignore. ERR_USAGE when one of its names is no check. */
int preflight_ignore(struct restore *restore, struct error *err);
/* Order the actions and hold each against the live object. */
int plan_make(struct restore *restore, struct error *err);
/* Ask already for what it will list (kube_expect). */
void plan_expect(const struct restore *restore);
/* Set kind, patch, fields, live and reason of the action from the live object (NULL: not there). */
void plan_decide(struct restore *restore, struct action *action, const json_t *live);
/* What would be written, though what is there is not the action's ground, becomes a conflict. */
void plan_hold(struct action *action);
/* drop.c: what of the action is sent. Borrowed. */
const json_t *action_body(const struct action *action);
/* Where --drop-unknown-fields was said: take out of the body the fields that the refusal names as unknown; how many there were. */
size_t drop_named_fields(const struct restore *restore, struct action *action, const char *refusal);
/* A finding for each field that was left out: of an object that the server has taken. */
void drop_tell(struct restore *restore, const struct action *action);

/* overwrite.c: an action that would be a conflict becomes an update; where a dry run is refused it stays one, with the server's words. */
void overwrite_decide(struct restore *restore, struct action *action, const json_t *live);
/* What the server would make of the update, by a dry run. The caller's. */
int overwrite_try(struct restore *restore, struct action *action, json_t **stored, struct error *err);
/* Keep a copy and replace. The kind changes where the live object is another by now. */
int overwrite_send(struct restore *restore, struct action *action, struct error *err);
/* The first copy that this restore has kept of the object; NULL: none. The caller frees. */
char *overwrite_copy(const struct restore *restore, const struct action *action);

/* leaving.c: wait until what is being deleted is gone, at most until leaving_until; else name what holds it. */
int leaving_wait(struct restore *restore, const struct action *action, struct error *err);
/* Append what holds a namespace that is being deleted, in the server's words. */
void leaving_namespace_text(const json_t *namespace_, struct strbuf *out);

/* orphans.c: remove them, where --adopt-orphans was said. Those that cannot be removed have an error; -1 only when the restore cannot go on. */
int orphans_adopt(struct restore *restore, struct error *err);
/* Whether there are any to remove; whether one could not be removed. */
bool orphans_are_left(const struct restore *restore);
bool orphans_failed(const struct restore *restore);

/* Findings for what the server did not keep as it was sent, and for what was left out. stored is cleaned. */
void apply_check_stored(struct restore *restore, const struct action *action, json_t *stored);
/* Run all waves. Failures of single objects are results of their actions; -1 only when the restore cannot go on. */
int apply_run(struct restore *restore, struct error *err);
/* Wait until the gate in front of the wave (actions from..to) is open. */
int gate_wait(struct restore *restore, size_t wave, struct action *from, struct action *to, struct error *err);

/*
 * Whether the run may go on: not asked to stop (ERR_INTERRUPTED), the journal can be written, and no other restore has taken the target over (ERR_LOCKED). To be
 * called again and again while something is waited for: it renews the lease.
 */
int restore_may_go_on(struct restore *restore, struct error *err);

/* ---- record.c: a restore as its journal, or its plan file, has it ---- */

/* SHA-256 of the MANIFEST that the files of the snapshot give, in hex. */
void record_manifest_sum(const struct snapshot *snapshot, char hex[HASH_HEX_SIZE]);
/* All that is needed to come to this plan again: the first line of a journal, without its own marks. The caller's. */
json_t *record_head(const struct restore *restore, const json_t *actions);
/* The actions in their order, as lines of a journal. The caller's. */
json_t *record_actions(const struct restore *restore);
/* ERR_INTEGRITY where the actions are not those that were planned: as many, in the same order, of the same objects. planned gives the one at an index. */
int record_check_actions(const struct restore *restore, size_t count, const json_t *(*planned)(const struct restore *restore, size_t index),
	struct error *err);
enum action_kind record_planned_kind(const json_t *planned);
/* Hold what was opened again against restore.head. */
int record_check_snapshot(struct restore *restore, struct error *err);
int record_check_target(const struct restore *restore, struct error *err);
/* After plan_make: the actions are those of the journal; what is done stays done. */
int record_take_past(struct restore *restore, struct error *err);
/* Make the journal of a new restore in this directory, or go on with the one that is resumed. */
int record_create(struct restore *restore, const char *dir, struct error *err);
int record_resume(struct restore *restore, struct error *err);
/* All actions that are sent next, durable when it returns. */
int record_begin(struct restore *restore, struct action *const *actions, size_t count, struct error *err);
/* The action has its result; uid is that of the object that we made, NULL: not known. */
void record_end(struct restore *restore, const struct action *action, const char *uid);
void record_wave(struct restore *restore, size_t wave, const char *what, int64_t ms);
void record_phase_start(struct restore *restore, enum phase phase);
void record_phase_stop(struct restore *restore, enum phase phase);

/* The object is ready: when that is seen for the first time, it is written down. */
void record_back(struct restore *restore, const char *object);

/* progress.c: say at a gentle pace how far the restore is and when it may end, and early that the RTO will be missed. To be called again and again. */
void progress_tell(struct restore *restore);
/* So many objects are waited for: the text names the first. */
void progress_await(struct restore *restore, size_t count, const char *text);

/* succession.c: whether the snapshot came from a repository, not from a path. */
bool restore_is_from_repository(const struct restore *restore);

/* point.c: look when the state of the snapshot was seen last; fills restore.captured_at. */
void point_find(struct restore *restore);
/* {targetMilliseconds, verdict: met|missed|"not set", achievedMilliseconds, capturedAt, declaredAt, changedSince: null}, what the snapshot lacks at most. The caller's. */
json_t *point_json(const struct restore *restore);
/* Whether more is lost than the RPO allows. */
bool point_missed(const struct restore *restore);

/*
 * After a restore that was whole and verified: record in the repository that the target continues the branch. {cluster, from, to, recorded (bool), reason (why it was
 * not, else null)}, or null where the target is the source itself. What stands in the way is told and no failure.
 */
json_t *succession_write(const struct restore *restore);
/* planfile.c: add the part of a plan that restore_plan_read takes; it vouches for all that the document has by then. */
void planfile_seal(const struct restore *restore, json_t *document);
/* After preflight_run: fill restore.stale with what is no more what the plan in settings rests on. ERR_INTEGRITY: it is of another snapshot. */
int planfile_check(struct restore *restore, struct error *err);
/* fields.c: mark those of action->fields that the server will not let change. */
void fields_mark_immutable(struct action *action, const json_t *live);
/* Ask the server who set the fields that differ, and mark them with manager and time. What it does not tell stays open. */
void fields_tell_managers(struct restore *restore);
/* dry_run.c: fill restore.dry_run. */
void dry_run_ask(struct restore *restore);
/* estimate.c: fill restore.estimate. */
void estimate_make(struct restore *restore);
/* privileged.c: [{object, text}]. The caller's. */
json_t *privileged_json(const struct restore *restore);

const char *action_kind_name(enum action_kind kind);
const char *action_result_name(enum action_result result);
/* The keys of the plan, and with `run` also the results. */
json_t *report_make(const struct restore *restore, bool run);

#endif
