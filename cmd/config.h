/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config - the configuration file: YAML, a map whose keys are the names of the options, for all commands; and sections, each a map of its own (restore/recovery.h).
 *
 * The file named, else the first that is there of $XDG_CONFIG_HOME/rhaii-dr/config.yaml ($XDG_CONFIG_HOME: ~/.config) and
 * /etc/rhaii-dr/config.yaml. Every key is checked, also those that the command at hand has no use for.
 */
#ifndef RHAII_CMD_CONFIG_H
#define RHAII_CMD_CONFIG_H

struct error;
struct settings;

/* named may be NULL; one that is named must be there. ERR_USAGE. */
int config_apply(struct settings *settings, const char *named, struct error *err);

#endif
