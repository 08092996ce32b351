/* SPDX-License-Identifier: Apache-2.0 */
/* targets - which clusters a drill may write to. */
#ifndef RHAII_DRILL_TARGETS_H
#define RHAII_DRILL_TARGETS_H

struct error;
struct strlist;

/* Whether the cluster with this id is listed (ERR_USAGE, with the line to add), and no branch of the repository (NULL: none) has snapshots of it (ERR_GUARD). */
int target_check(const struct strlist *listed, const char *repo, const char *id, struct error *err);

#endif
