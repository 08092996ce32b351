/* SPDX-License-Identifier: Apache-2.0 */
/*
 * owners - who stands above each generated object that the lists have shown: whether it comes back by itself, is an orphan, or waits for something that the
 * snapshot does not hold.
 *
 * Order of the calls: owners_new, the owners_add* while lists are read, owners_judge when all are, owners_free.
 */
#ifndef RHAII_SNAPSHOT_OWNERS_H
#define RHAII_SNAPSHOT_OWNERS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "object/classify.h"

struct capture;
struct object;
struct owners;

/* An object with a controller owner, or that has lost it. */
struct child {
	char *group, *resource, *kind, *namespace_, *name, *uid;
	char *owner_group, *owner_kind, *owner_name, *owner_uid;
	const struct classify_rule *rule; /* that says that it has lost its owner; NULL: it has one */
	const json_t *orphan;             /* what generated.yaml says of it, as of an orphan of a carried kind; NULL: a list has shown it */
	bool leaving;                     /* in deletion */
	bool everywhere;                  /* of a kind that is listed in the whole scope, whatever the snapshot holds */
};

struct owners *owners_new(void);
void owners_free(struct owners *owners);

/* What a list tells of an object that is not taken, at least not yet. */
struct child_facts {
	const char *uid, *owner_group, *owner_kind, *owner_name, *owner_uid; /* "" where there is none */
	const struct classify_rule *rule;                                    /* that decides its class; NULL: none does */
	const json_t *orphan;                                                /* as in struct child; borrowed until owners_judge */
	bool leaving, everywhere;
};
/* Of what is told twice, the first counts. */
void owners_add(struct owners *owners, const struct object *object, enum object_class class_, const struct child_facts *facts);
/* A list of the inventory has shown all objects of the kind in the namespace ("": in all). */
void owners_add_listed(struct owners *owners, const char *group, const char *kind, const char *namespace_);
/* Set capture->orphans, and add what is lacking to its needs. Children are sorted then. */
void owners_judge(struct capture *c);
const struct child *owners_children(const struct owners *owners, size_t *count);

#endif
