/* SPDX-License-Identifier: Apache-2.0 */
/*
 * facts - what a capture needs to know of one object: everything that follows from the object and the policy alone, so that it can be kept from
 * one capture to the next (cache.h).
 *
 * A record is a row of strings, each with its NUL: the head, then the references, the produced, unknown finalizers and matches in any number.
 */
#ifndef RHAII_SNAPSHOT_FACTS_H
#define RHAII_SNAPSHOT_FACTS_H

#include <stdbool.h>
#include <stddef.h>

#include "object/classify.h"
#include "object/references.h"
#include "store/git.h"

struct object;
struct policy_kind;
struct strbuf;
struct strlist;

struct facts {
	/* All borrowed. The owner is the controller, "" where there is none. */
	char *namespace_, *name, *uid;
	char *owner_group, *owner_kind, *owner_name, *owner_uid;
	bool derived; /* false: the object was out of scope, nothing else was looked at */
	bool not_ready;
	bool leaving; /* in deletion */
	enum object_class class_;
	size_t rule;          /* of the policy that says so, counted from 1; 0: none does */
	struct git_file file; /* id "": not known */
	const char *rest;     /* the encoded lists, up to end */
	const char *end;
};

/* Append a finalizer that the policy does not know. */
void facts_add_finalizer(const char *finalizer, struct strbuf *out);
/* Append that the policy's own rule of this number names something of the object. */
void facts_add_match(size_t own, struct strbuf *out);
/* Append the lists of a cleaned object. */
void facts_lists(const struct object *object, const struct policy_kind *row, struct strbuf *out);
/* Append the hash of what an object says beside who it is: for presets. */
void facts_hash(const struct object *object, struct strbuf *out);
/* Append the whole record. */
void facts_write(const struct facts *facts, struct strbuf *out);
/* Borrows from record. -1 when it is none. */
int facts_read(struct facts *out, struct strbuf *record, size_t from);

/* As references_each, for the references and for what is produced; object gives the identity only. */
int facts_references(const struct facts *facts, const struct policy_kind *row, reference_fn fn, void *arg);
int facts_produces(const struct facts *facts, const struct policy_kind *row, reference_fn fn, void *arg);
void facts_finalizers(const struct facts *facts, void (*fn)(const char *finalizer, void *arg), void *arg);
/* The hash, or NULL when there is none. Borrowed. */
const char *facts_preset(const struct facts *facts);
/* Append what a reference by key finds in the object. */
void facts_keys(const struct facts *facts, struct strlist *out);
void facts_matches(const struct facts *facts, void (*fn)(size_t own, void *arg), void *arg);

#endif
