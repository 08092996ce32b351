/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outcome - the set of things that a run ended with, and the one exit code it gives (design.md section 7).
 */
#ifndef RHAII_UTIL_OUTCOME_H
#define RHAII_UTIL_OUTCOME_H

#include <jansson.h>

#include "util/error.h"

struct outcome {
	unsigned set; /* bit N: exit code N happened */
};

struct outcome_row {
	int code;
	const char *name; /* as in JSON "outcome" */
	const char *help;
};

/* All exit codes in the order of their numbers; the last row has name NULL. */
extern const struct outcome_row outcome_rows[];

/* Add a code; one above 10 counts as ERR_FAILED, ERR_NONE adds nothing. */
void outcome_add(struct outcome *outcome, enum error_code code);

/* The exit code: the first of 6 > 2 > 7 > 10 > 9 > 8 > 1 > 3 > 5 > 4 that happened, else 0. */
int outcome_exit_code(const struct outcome *outcome);

/* Their names, as in JSON "outcome"; that of 0 when nothing happened. The caller's. */
json_t *outcome_names(const struct outcome *outcome);

#endif
