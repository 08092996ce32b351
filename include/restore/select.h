/* SPDX-License-Identifier: Apache-2.0 */
/*
 * select - a part of a snapshot, by conditions on its objects, with what that part needs.
 *
 * A condition is "kind=K,ns=N,name=N,label=K=V": all that it says must hold; an object is chosen when one of the conditions holds. kind is what object/name.h understands, the others
 * are globs; label may be a key alone, and be there several times. A Namespace is in the namespace that it is.
 *
 * What a chosen object needs of the snapshot is what it refers to by the policy, the Namespace that it is in, and what gives rights to an account that is taken (the rows with
 * `select: refers`); and so on with these.
 */
#ifndef RHAII_RESTORE_SELECT_H
#define RHAII_RESTORE_SELECT_H

#include <jansson.h>

#include "util/mem.h"

struct error;
struct policy;
struct snapshot;

enum selection_references { REFERENCES_INCLUDE, REFERENCES_REFUSE };
/* Their names, NULL-terminated. */
extern const char *const selection_references[];

struct selection {
	struct strlist only; /* conditions; empty: the whole snapshot */
	enum selection_references
		references; /* what is needed and not chosen: taken as well, or an error (but for Namespaces: preflight asks for them) */
};

/*
 * Leave only the part in the snapshot: its objects, what of requirements.yaml they need, what of generated.yaml was made from them. Nothing is changed where no condition is given: *told is null then.
 * ERR_USAGE for a condition that is none, that matches nothing (with what is near to it), or with REFERENCES_REFUSE for what was left out, named.
 * *told (the caller's): {only: [TEXT], references: include|refuse, chosen, leftOut (counts), pulledIn: [{object, neededBy: ["Kind ns/name"]}]}.
 */
int select_objects(
	struct snapshot *snapshot, const struct policy *policy, const struct selection *selection, json_t **told, struct error *err);

/* As the header of a journal has it: {only, references}. */
json_t *selection_json(const struct selection *selection);
void selection_read(struct selection *out, const json_t *json);
void selection_copy(struct selection *out, const struct selection *from);
void selection_release(struct selection *selection);

#endif
