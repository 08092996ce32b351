/* SPDX-License-Identifier: Apache-2.0 */
/* show_why - `show --why`: what became of one object, and why. */
#ifndef RHAII_CMD_SHOW_WHY_H
#define RHAII_CMD_SHOW_WHY_H

#include <jansson.h>

struct context;
struct error;
struct output;
struct snapshot;

/* second is the word after that of --why, or NULL. NULL on error; the caller's. */
json_t *show_why(struct context *ctx, struct snapshot *snapshot, const char *second, struct error *err);
void print_why(struct output *out, const json_t *result);

#endif
