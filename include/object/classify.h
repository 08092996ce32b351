/* SPDX-License-Identifier: Apache-2.0 */
/*
 * classify - who made this object: a person (authored), a controller (generated), or the operator's install (installed).
 *
 * A controller ownerReference makes an object generated. What is generated or installed without one is a rule of the policy.
 * Helm and Argo marks decide nothing: teams deploy their models with them.
 */
#ifndef RHAII_OBJECT_CLASSIFY_H
#define RHAII_OBJECT_CLASSIFY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "util/mem.h"

struct fieldpath;
struct object;
struct strbuf;

enum object_class { CLASS_AUTHORED, CLASS_GENERATED, CLASS_INSTALLED };

/* A policy row of `generated:` or `installed:`. All that it names must hold; the surest evidence is named first, the name last. */
struct classify_rule {
	enum object_class class_;
	char *group, *resource;    /* globs */
	struct strlist namespaces; /* globs; empty: any */
	struct strlist names;      /* globs; empty: any */
	struct strlist labels;     /* "key=value" or "key", each must be there */
	struct strlist managers;   /* globs, for all who wrote more of it than metadata and status; empty: anybody */
	struct strlist releases;   /* globs of the Helm release that it is marked with; empty: any or none */
	struct fieldpath **unless; /* the rule does not hold where any of these fields is there and not empty */
	size_t unless_count;
	bool orphan; /* its controller owns such a one: that it has no owner means that it has lost it */
	char *why;   /* for people */
};

/* The controller ownerReference (controller: true), strings borrowed from json, NULL where they are missing; false when there is none. */
struct object_owner {
	const char *api_version, *kind, *name, *uid;
};
bool classify_owner(const json_t *json, struct object_owner *owner);

/* metadata.managedFields as the server wrote it: JSON, parsed only where a rule asks for it. text NULL: not known, no such rule holds. */
struct classify_managers {
	const char *text;
	size_t len;
};

/* Whether anybody wrote it, and each of the writers matches one of the globs. */
bool classify_written_by(const struct strlist *managers, const struct strlist *writers);

/* The first rule that holds, or NULL. managers may be NULL. */
const struct classify_rule *classify_by_rule(
	const struct object *object, const struct classify_managers *managers, const struct classify_rule *rules, size_t count);

/* The class of an object whose managers are not known. evidence (may be NULL) gets the reason in words, "controlled by LLMInferenceService qwen". */
enum object_class classify_object(const struct object *object, const struct classify_rule *rules, size_t count, struct strbuf *evidence);

/* The first rule that asks for nothing but what such a name tells, and holds; NULL: none does. */
const struct classify_rule *classify_by_name(const struct object *name, const struct classify_rule *rules, size_t count);

const char *classify_name(enum object_class class_);

#endif
