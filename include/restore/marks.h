/* SPDX-License-Identifier: Apache-2.0 */
/*
 * marks - the clock that a person keeps during a recovery: a small file, $XDG_STATE_HOME/rhaii-dr/clock.json (0600, written as a whole), with a mark for each phase that begins.
 *
 * A phase lasts until the next mark. Both clocks are in a mark, and which start of the machine it is from: in one start the monotonic clock counts, over a reboot the wall clock. A restore that
 * uses the clock marks its own begin, and leaves what it measured, so that the clock can be stopped after a cutover with the whole of it.
 *
 * Every change takes the file's lock: ERR_LOCKED.
 */
#ifndef RHAII_RESTORE_MARKS_H
#define RHAII_RESTORE_MARKS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "restore/phases.h"

struct error;

/* The version of the file that is written; newer ones are refused, naming it. */
#define MARKS_FORMAT 1

enum marks_state { MARKS_RUNNING, MARKS_STOPPED, MARKS_OLD }; /* old: running, and started more than a day ago */

/* Where it is. ERR_USAGE where that is not known. The caller frees. */
int marks_path(char **out, struct error *err);
/* What the file says. ERR_NOT_FOUND: no clock was started; ERR_INTEGRITY: damage, a newer format. *out is the caller's. */
int marks_load(json_t **out, struct error *err);
enum marks_state marks_state(const json_t *marks);
/* The declared start, ms since 1970. */
int64_t marks_declared_at(const json_t *marks);
/* Name of the phase that is running, NULL: none. Borrowed. *waiting: for people. */
const char *marks_current(const json_t *marks, bool *waiting);

/* Begin a new one with the phase declare; since: when the disaster began, ms since 1970, 0: now. ERR_EXISTS when one is running that is not old. */
int marks_start(int64_t since, struct error *err);
/* The phase begins; waiting: people are waited for until the next mark. ERR_NOT_FOUND, ERR_USAGE when none is running. */
int marks_mark(enum phase phase, bool waiting, struct error *err);
/* What was running ends. Errors as marks_mark. */
int marks_stop(struct error *err);

/* Take over the declared start and the phases, the running one up to now. */
void marks_take(const json_t *marks, struct phases *clock);
/* And what a restore has left: without it nothing is proven. */
void marks_take_restore(const json_t *marks, struct phases *clock);
/* A restore begins: what was running ends. Its phases, as they are then, when it has ended. Errors as marks_mark. */
int marks_restore_began(struct error *err);
int marks_restore_ended(const struct phases *clock, struct error *err);

#endif
