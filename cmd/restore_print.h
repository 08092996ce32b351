/* SPDX-License-Identifier: Apache-2.0 */
/* restore_print - the plan and the report of a restore, for people. The report is print_restore in command.h. */
#ifndef RHAII_CMD_RESTORE_PRINT_H
#define RHAII_CMD_RESTORE_PRINT_H

#include <jansson.h>

struct output;

/* Every action, wave by wave, with its reason. */
void print_actions(struct output *out, const json_t *plan);
void print_plan(struct output *out, const json_t *plan);

#endif
