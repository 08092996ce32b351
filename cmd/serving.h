/* SPDX-License-Identifier: Apache-2.0 */
/* serving - how models are asked, from the options of the commands that verify. */
#ifndef RHAII_CMD_SERVING_H
#define RHAII_CMD_SERVING_H

struct error;
struct serving_settings;
struct settings;

/* Reads the files that are named. out is one initialised with SERVING_SETTINGS_INIT; the caller releases it in either case. ERR_USAGE. */
int serving_said(const struct settings *settings, struct serving_settings *out, struct error *err);

#endif
