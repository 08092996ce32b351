/* SPDX-License-Identifier: Apache-2.0 */
/* keep - where a record goes: to the end of the chain of its cluster, and into a file. */
#ifndef RHAII_DRILL_KEEP_H
#define RHAII_DRILL_KEEP_H

#include <jansson.h>

/*
 * Add the record to the chain in repo (NULL: the snapshot came from none), which sets its `previous`, and write <dir>/<id>.json (dir NULL: no file). {path, commit}, each null where that was not
 * done; what stands in the way is told as a warning, since the restore is one all the same. The caller's.
 */
json_t *record_keep(json_t *record, const char *repo, const char *dir);

#endif
