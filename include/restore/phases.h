/* SPDX-License-Identifier: Apache-2.0 */
/*
 * phases - the clock of a recovery: its named phases, how each of their times is known, and all of it held against the RTO.
 *
 * A phase is measured (by us: phase_start .. phase_stop, or from marks), declared (a person said so), assumed (the configuration says so), not applicable, or missing. Of two sources
 * the surer one stays (enum phase_source). Times that we take ourselves are taken twice, by the wall clock and by the monotonic one: a stretch lasted as long as the monotonic clock
 * says, and where the wall clock moved otherwise in between (set by somebody, or the machine slept) that is a jump, which is recorded. Of the time since the declared start
 * the longer of the two counts.
 *
 * Call order: phases_init; phase_set and phases_declared before the work; phase_start and phase_stop around it, phases_tick meanwhile; at the end phases_green or phases_unproven, then
 * phases_json; phases_release.
 */
#ifndef RHAII_RESTORE_PHASES_H
#define RHAII_RESTORE_PHASES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct error;
struct strbuf;

enum phase {
	PHASE_DECLARE,
	PHASE_CREATE_CLUSTER,
	PHASE_INSTALL_OPERATORS,
	PHASE_SECRETS,
	PHASE_FETCH,
	PHASE_PREFLIGHT,
	PHASE_APPLY,
	PHASE_CONVERGE,
	PHASE_VERIFY,
	PHASE_CUTOVER,
	PHASE_CLEANUP, /* and those behind it are outside the RTO */
	PHASE_COUNT,
};

enum phase_how { PHASE_MISSING, PHASE_MEASURED, PHASE_DECLARED, PHASE_ASSUMED, PHASE_NOT_APPLICABLE };

/* Who says so; a later one of these is surer than an earlier one. */
enum phase_source { BY_NOBODY, BY_CONFIGURATION, BY_CLOCK, BY_OPTION, BY_COMMAND, BY_TOOL };

/* Wall-clock times are milliseconds since 1970; 0: not known. */
struct phase_time {
	enum phase_how how;
	enum phase_source source;
	int64_t ms;       /* of machines; -1: not known */
	int64_t human_ms; /* of people, not in ms */
	int64_t began, ended;
	char *reason;    /* why it does not apply; NULL: none */
	json_t *command; /* {program, exitCode, timedOut, outputSha256, lastLines}; NULL: none */
};
#define PHASE_TIME_INIT                                                                                                                    \
	{                                                                                                                                  \
		.ms = -1                                                                                                                   \
	}

/* A moment by both clocks. */
struct phase_moment {
	int64_t wall, monotonic;
};

struct phases {
	int64_t rto_ms;
	int64_t declared_at; /* start of the disaster; 0: nobody said */
	int64_t green_at;    /* the last probe that passed; 0: none */
	int64_t idle_ms;     /* between an interruption and its resumption; of no phase, but it counts */
	char *unproven;      /* why it must not be called met, though all may be known; NULL: nothing */
	struct phase_time of[PHASE_COUNT];
	struct phase_moment running[PHASE_COUNT]; /* monotonic 0: not running */
	struct phase_moment last;                 /* the last look at the clocks */
	json_t *jumps;                            /* [{at (ms since 1970), milliseconds}] */
};

void phases_init(struct phases *phases, int64_t rto_ms);
void phases_release(struct phases *phases);

/* ---- names ---- */

const char *phase_name(enum phase phase);
/* ERR_USAGE, with the nearest name as hint. */
int phase_find(enum phase *out, const char *name, struct error *err);
/* Whether it is one that restore runs itself: fetch, preflight, apply, converge, verify. */
bool phase_is_ours(enum phase phase);

/* ---- measuring ---- */

void phase_start(struct phases *phases, enum phase phase);
void phase_stop(struct phases *phases, enum phase phase); /* adds to what it spent before */
/* A person was waited for, so long, between two phases: counted beside the machine time of this one. */
void phase_waited(struct phases *phases, enum phase phase, int64_t human_ms);
/* Look at both clocks: notice a jump, and until when the time counts. */
void phases_tick(struct phases *phases);
/* The wall clock, at this time, was found to have moved so much farther than the monotonic one; what is no jump is passed over. */
void phases_jumped(struct phases *phases, int64_t wall_ms, int64_t ms);

/* ---- what others know ---- */

/* Take over what is known of a phase (reason and command are stolen), unless something surer is known already, which stays. Whether it was taken. */
bool phase_set(struct phases *phases, enum phase phase, struct phase_time *time);
/* "NAME=START..END" (RFC 3339) or "NAME=DURATION", as --phase has it. ERR_USAGE: no such phase, one of ours, not over yet, END before START. */
int phases_declare(struct phases *phases, const char *text, struct error *err);
/* A time that a disaster may have begun at, "2026-11-20T14:00:00Z", or how long it is ago, "25m". ERR_USAGE; also for one that is to come. */
int phases_since(int64_t *out, const char *text, struct error *err);
/* The recovery as it is now must not be called met: no probe is green, one failed, it broke off. The first reason stays. */
void phases_unproven(struct phases *phases, const char *reason);

/* ---- what comes of it ---- */

/* Phases and idle time, machines and people; only those in the RTO. */
int64_t phases_known_ms(const struct phases *phases);
/* Time since the declared start (up to the later of the last green probe and the end of cutover; not green: up to the last look), without one phases_known_ms. */
int64_t phases_spent_ms(const struct phases *phases);
/* So far, as of the last look: the same, with what is running and without what is to come. */
int64_t phases_gone_ms(const struct phases *phases);
/* Whether phases_spent_ms exceeds the RTO. */
bool phases_missed(const struct phases *phases);
/* Since the declared start, else since the first phase whose start is known; -1 where there is neither. */
int64_t phases_offset_ms(const struct phases *phases, int64_t wall_ms);
/* "2026-11-20T14:00:00Z", null for 0. The caller's. */
json_t *phases_time_json(int64_t wall_ms);

/* What others know and the declared start, for a journal: {declaredAt, phases: {name: {...}}}. The caller's. */
json_t *phases_past_json(const struct phases *phases);
/* Take it over, where nothing as sure is known by now. What is no such document adds nothing. */
void phases_past_read(struct phases *phases, const json_t *past);

/*
 * {phases: [{name, how: measured|declared|assumed|"not applicable"|missing, milliseconds, startedAt, endedAt, offsetMilliseconds, humanMilliseconds, source: tool|command|clock|option|configuration,
 *   reason, inRto, command}],
 *  rto: {targetMilliseconds, verdict: met|missed|"at least", achievedMilliseconds, knownMilliseconds, marginMilliseconds, humanMilliseconds, interruptedMilliseconds, declaredAt, lastGreenAt,
 *   missing: [names], worst: name, wallJumps: [{at, milliseconds}]}}, as the record has them (docs/FORMAT.md); what is not known is null. The caller's.
 */
json_t *phases_json(const struct phases *phases);

#endif
