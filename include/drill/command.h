/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command - runs what the configuration says of a phase that others do (restore/recovery.h): a program in the directory of the configuration file, without a shell and without input, in a
 * process group of its own that is killed when its time is over.
 *
 * What it prints goes into a local file (0600, $XDG_STATE_HOME/rhaii-dr/output/<UTC time>-<phase>.log) and nowhere else; the record gets its hash, and where the command failed its last
 * lines, without what looks like a credential.
 */
#ifndef RHAII_DRILL_COMMAND_H
#define RHAII_DRILL_COMMAND_H

#include "restore/phases.h"

struct error;
struct recovery;

/*
 * Run the command of the phase, which has one, and put its time into the clock. variables: more of its environment, "NAME=value", NULL-terminated, may be NULL; RHAII_DR_PHASE is there in any case.
 * ERR_FAILED, ERR_NOT_FOUND, ERR_INTERRUPTED: it did not do what it should; the clock then has its time all the same, and is not to be called met.
 */
int phase_run_command(
	struct phases *clock, enum phase phase, const struct recovery *recovery, const char *const *variables, struct error *err);

#endif
