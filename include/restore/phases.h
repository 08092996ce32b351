/* SPDX-License-Identifier: Apache-2.0 */
/*
 * phases - the named stretches of a recovery and the time each took, held against the RTO (design.md section 2 and rule 6.6).
 */
#ifndef RHAII_RESTORE_PHASES_H
#define RHAII_RESTORE_PHASES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

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
	PHASE_COUNT,
};

struct phases {
	int64_t rto_ms;
	int64_t started[PHASE_COUNT]; /* monotonic ms; 0: not running */
	int64_t spent[PHASE_COUNT];   /* ms; -1: not measured */
	int64_t idle_ms;              /* between an interruption and its resumption; of no phase, but it counts */
};

void phases_init(struct phases *phases, int64_t rto_ms);
void phase_start(struct phases *phases, enum phase phase);
void phase_stop(struct phases *phases, enum phase phase); /* adds to what it spent before */
const char *phase_name(enum phase phase);
int64_t phases_known_ms(const struct phases *phases);
/* Whether the known phases alone exceed the RTO. */
int phases_missed(const struct phases *phases);
/*
 * {phases: [{name, milliseconds (null when not measured), how: "measured"|"not measured"}], rto: {targetMilliseconds, knownMilliseconds, interruptedMilliseconds (a part of known), marginMilliseconds,
 *  verdict: met|missed|"at least", missing: [names]}}. "at least": within the target so far, but some phases are not known.
 */
json_t *phases_json(const struct phases *phases);

#endif
