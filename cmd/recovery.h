/* SPDX-License-Identifier: Apache-2.0 */
/* recovery - what is known of a recovery before the restore begins: by the command line, the clock, the configuration. */
#ifndef RHAII_CMD_RECOVERY_H
#define RHAII_CMD_RECOVERY_H

struct context;
struct error;
struct phases;

/* Fill the clock, which has its RTO already, and say what was picked up. ERR_USAGE. */
int recovery_clock(const struct context *ctx, struct phases *clock, struct error *err);

#endif
