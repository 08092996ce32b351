/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal - the durable record of a running restore, and all that a later one needs to go on with it (docs/FORMAT.md, "The journal").
 *
 * A journal begins with what does not change (the snapshot, the target, the options, the actions in their order), written as a whole before the first
 * request. Then it only grows: journal_begin names the actions that are about to be sent and returns when that is on disk; journal_end says how one of them
 * ended and is not synced, since a begin without an end is asked of the server again. After a kill, journal_open drops a torn last line and tells what is known.
 *
 * The first write error sticks: journal_check tells it, and nothing is written after it. Not thread safe.
 */
#ifndef RHAII_RESTORE_JOURNAL_H
#define RHAII_RESTORE_JOURNAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct journal;

/* The version of the format that is written; newer ones are refused, naming it. */
#define JOURNAL_FORMAT 2

/* Where the journals of a target are: <state home>/rhaii-dr/<uid>, XDG_STATE_HOME or ~/.local/state. ERR_USAGE where neither is known, ERR_INTEGRITY where it is no uid. The
 * caller frees. */
int journal_directory(char **out, const char *target_uid, struct error *err);
/* Name of a new journal in dir, without ".journal": "20261120T140000Z-<start of the plan id>". Its file is not there yet. The caller frees. */
char *journal_new_name(const char *dir, const char *plan_id);
/*
 * Make <dir>/<name>.journal (and dir) with the header and its actions, and hold it open and locked. The header gets format, journal and actions (their count);
 * both are borrowed for the call.
 */
int journal_create(struct journal **out, const char *dir, const char *name, json_t *header, const json_t *actions, struct error *err);
/* Open one that is there, to go on. ERR_NOT_FOUND; ERR_LOCKED when its restore is running; ERR_INTEGRITY for damage, and for a newer format. */
int journal_open(struct journal **out, const char *path, struct error *err);
/* The newest journal in dir whose restore did not come to its end, else the newest; ERR_NOT_FOUND where there is none. The caller frees. */
int journal_find(char **path, const char *dir, struct error *err);
/* Only to look at what it says, also while its restore runs. ERR_NOT_FOUND, ERR_INTEGRITY. */
int journal_read(struct journal **out, const char *path, struct error *err);
void journal_free(struct journal *journal);
/* Remove one whose restore sent nothing, and free it. */
void journal_discard(struct journal *journal);

const char *journal_path(const struct journal *journal);
/* Its file name without ".journal". */
const char *journal_name(const struct journal *journal);
/* Borrowed. */
const json_t *journal_header(const struct journal *journal);

/* ---- writing ---- */

/* A run goes on with it. */
int journal_resume(struct journal *journal, struct error *err);
/* Indexes of actions; durable when it returns. */
int journal_begin(struct journal *journal, const size_t *actions, size_t count, struct error *err);
/* outcome: {result, error, reason, uid, findings}, all but result may be missing; stolen. */
void journal_end(struct journal *journal, size_t action, json_t *outcome);
/* An orphan ({uid, result, ...}; result null: is about to be removed); durable when it returns. */
int journal_adopt(struct journal *journal, const json_t *orphan, struct error *err);
void journal_wave(struct journal *journal, size_t wave, const char *what, int64_t ms); /* what: "gate" or "apply" */
void journal_phase_start(struct journal *journal, const char *phase);
void journal_phase_stop(struct journal *journal, const char *phase, int64_t ms);
/* So long a person was waited for in this phase. */
void journal_waited(struct journal *journal, const char *phase, int64_t ms);
/* The wall clock has jumped by so much. */
void journal_jump(struct journal *journal, int64_t ms);
/* The object ("Kind ns/name") was seen ready for the first time. */
void journal_back(struct journal *journal, const char *object);
/* The end of a run, durable. exit_code says whether there is anything to resume. */
int journal_finish(struct journal *journal, int exit_code, struct error *err);
/* 0, or the first write error. */
int journal_check(const struct journal *journal, struct error *err);

/* ---- what the runs before have written ---- */

/* Whether the restore came to its end; *exit_code is then the one that it had. */
bool journal_is_finished(const struct journal *journal, int *exit_code);
size_t journal_action_count(const struct journal *journal);
/* As it was given to journal_create. Borrowed. */
const json_t *journal_action(const struct journal *journal, size_t action);
/* Whether a request for it may have been sent. */
bool journal_begun(const struct journal *journal, size_t action);
/* How it ended at last; NULL when that is not known. Borrowed. */
const json_t *journal_outcome(const struct journal *journal, size_t action);
/* The orphans, each as it was last written. Borrowed. */
const json_t *journal_adopted(const struct journal *journal);
/* Sum over all runs; -1: none. */
int64_t journal_wave_ms(const struct journal *journal, size_t wave, const char *what);
/* When it was first begun, wall clock, ms since 1970; 0: not yet. */
int64_t journal_wave_began(const struct journal *journal, size_t wave);
/* Of a phase over all runs; wall clock in ms since 1970, to the second. */
struct journal_phase {
	int64_t ms; /* -1: it did not run */
	int64_t human_ms, began, ended;
};
void journal_phase(const struct journal *journal, const char *phase, struct journal_phase *out);
/* [{at (ms since 1970), milliseconds}] and {"Kind ns/name": ms since 1970}. Borrowed. */
json_t *journal_jumps(const struct journal *journal);
json_t *journal_backs(const struct journal *journal);
/* Times it was resumed, and how long nothing ran in between; both as of journal_resume. */
size_t journal_resumed(const struct journal *journal);
int64_t journal_idle_ms(const struct journal *journal);

#endif
