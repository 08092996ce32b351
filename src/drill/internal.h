/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder share. */
#ifndef RHAII_DRILL_INTERNAL_H
#define RHAII_DRILL_INTERNAL_H

#include <jansson.h>

struct record_input;

/* verdict.c: {result: passed|"passed with findings"|failed, exitCode, outcomes: [names], reasons: [texts]} of a record that has all else. The caller's. */
json_t *record_verdict(const json_t *record, const struct record_input *input);

#endif
