/* SPDX-License-Identifier: Apache-2.0 */
/*
 * maintenance - what did not serve when the snapshot was taken, because somebody wanted it so: scaled to nothing, stopped, or being deleted. Restored, it
 * does not serve either; a Terminating object comes back.
 */
#ifndef RHAII_SNAPSHOT_MAINTENANCE_H
#define RHAII_SNAPSHOT_MAINTENANCE_H

#include <jansson.h>

struct snapshot;

/*
 * [{kind, namespace, name, state: "replicas 0"|"stopped"|"Terminating" or several, ", " between}], in the order of the objects. What is Terminating stands in the
 * commit message only: it is not known of a folder without COMMIT. The caller's.
 */
json_t *maintenance_of(const struct snapshot *snapshot);

#endif
