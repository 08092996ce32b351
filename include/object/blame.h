/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blame - who last set a field, and when, as far as metadata.managedFields tells.
 *
 * An entry of managedFields names a manager (kubectl-edit, helm, argocd), the time of its last write, and in fieldsV1 the fields that it owns: "f:" a
 * key of a map, "k:" a list item by its keys, "v:" an item of a set, "i:" an item by its position; {} below a list or a map owns it whole. Entries of the
 * status subresource are passed over: what they own is in no snapshot, and controllers write them all day. A field that is gone has no owner: nobody
 * can say who removed it.
 */
#ifndef RHAII_OBJECT_BLAME_H
#define RHAII_OBJECT_BLAME_H

#include <jansson.h>
#include <stdbool.h>

struct strlist;

/* Both borrowed from managedFields. */
struct blame {
	const char *manager;
	const char *time; /* RFC 3339, as the server wrote it */
};

/*
 * The newest of the managers that own the field (or a part of it). path is one of diff_values, object is what it leads through: the items of its lists say
 * what "k:" and "v:" mean. false when nobody does.
 */
bool blame_field(const json_t *managed_fields, const json_t *object, const char *path, struct blame *out);

/* All managers that own the field (or a part of it), appended; arguments as above. */
void blame_owners(const json_t *managed_fields, const json_t *object, const char *path, struct strlist *out);

/* Who made the object: the manager whose time is that of its creation. false when that one has written again since. */
bool blame_creator(const json_t *managed_fields, const char *creation_timestamp, struct blame *out);

/*
 * The managers of what the author decides (spec, data, rules, ..); where nobody owns any of that, of whatever there is. Appended, none when the entries do not tell.
 */
void blame_writers(const json_t *managed_fields, struct strlist *out);

/* The newest time of all entries but those of status, or NULL. Borrowed. */
const char *blame_newest(const json_t *managed_fields);

#endif
