/* SPDX-License-Identifier: Apache-2.0 */
/* restore_print - the plan and the report of a restore, for people. The report is print_restore in command.h. */
#ifndef RHAII_CMD_RESTORE_PRINT_H
#define RHAII_CMD_RESTORE_PRINT_H

#include <jansson.h>

struct output;

void print_plan(struct output *out, const json_t *plan);

#endif
