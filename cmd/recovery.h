/* SPDX-License-Identifier: Apache-2.0 */
/* recovery - what is known of a recovery before a restore begins: by the command line, a clock that is running, the configuration. */
#ifndef RHAII_CMD_RECOVERY_H
#define RHAII_CMD_RECOVERY_H

#include <stdbool.h>

struct context;
struct error;
struct phases;

/* Fill the clock, which has its RTO already. *marked: by a clock that is running (restore/marks.h), too, which is said. ERR_USAGE. */
int recovery_clock(const struct context *ctx, struct phases *clock, bool *marked, struct error *err);
/* Mark in it that the restore begins, or ends. What cannot be written is a warning. */
void recovery_mark_begin(void);
void recovery_mark_end(const struct phases *clock);

#endif
