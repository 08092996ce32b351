/* SPDX-License-Identifier: Apache-2.0 */
/* restore_print - what the commands plan and restore share: what was said, and the plan for people. The report is print_restore in command.h. */
#ifndef RHAII_CMD_RESTORE_PRINT_H
#define RHAII_CMD_RESTORE_PRINT_H

#include <jansson.h>

struct context;
struct output;
struct restore_settings;

/* What the command line and the configuration say of a restore; borrows from ctx. client and what the command adds are its part. */
struct restore_settings restore_settings_said(struct context *ctx);

/* Every action, wave by wave, with its reason. */
void print_actions(struct output *out, const json_t *plan);
void print_plan(struct output *out, const json_t *plan);

/* The phases, each with how it is known, and the verdict: of a report, or of the clock. */
void print_clock(struct output *out, const json_t *clock);

#endif
