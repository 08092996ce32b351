/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mapping - other names for namespaces, Gateways, nets and hosts, for a restore onto a cluster where they are called otherwise.
 *
 * Each is "OLD=NEW", all at once (A=B with B=A swaps): of namespaces names; of Gateways NS/NAME; of nets CIDRs or addresses, where what lies in OLD moves along when NEW is as large; of
 * hosts whole names, or "*.OLD" with "*.NEW" for all names below. The longest one that fits holds. Only fields are changed that the policy lists: its references and `mapping`, the
 * namespace of objects, the name of Namespaces.
 *
 * A mapped Gateway is another one, which the target has: that of the snapshot is not restored, and the new one is a requirement where it is not in the snapshot itself.
 */
#ifndef RHAII_RESTORE_MAPPING_H
#define RHAII_RESTORE_MAPPING_H

#include <jansson.h>
#include <stdbool.h>

#include "util/mem.h"

struct error;
struct policy;
struct snapshot;

enum mapping_kind { MAP_NAMESPACE, MAP_GATEWAY, MAP_CIDR, MAP_HOST, MAP_COUNT };

struct mapping {
	struct strlist rules[MAP_COUNT];
};

bool mapping_is_empty(const struct mapping *mapping);

/*
 * Change the objects of the snapshot, and the names in its requirements.yaml and generated.yaml with them. *told is null where nothing is mapped.
 * ERR_USAGE: no such rule, OLD twice, two objects that would be one, a net that does not fit, a policy that lists no fields, or, unless the snapshot is a part already, a namespace that is not there.
 * *told (the caller's): {rules: [{kind: namespace|gateway|cidr|host, from, to, fields (how many were changed)}], changes: [{object, path, kind, from, to}], replaced: ["Gateway ns/name"]}.
 */
int map_objects(
	struct snapshot *snapshot, const struct policy *policy, const struct mapping *mapping, bool part, json_t **told, struct error *err);

/* As the header of a journal has it: {namespaces, gateways, cidrs, hosts}. */
json_t *mapping_json(const struct mapping *mapping);
void mapping_read(struct mapping *out, const json_t *json);
void mapping_copy(struct mapping *out, const struct mapping *from);
void mapping_release(struct mapping *mapping);

#endif
