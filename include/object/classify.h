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

/* A policy row of `generated:` or `installed:`. All that it names must hold. */
struct classify_rule {
	enum object_class class_;
	char *group, *resource;    /* globs */
	struct strlist namespaces; /* globs; empty: any */
	struct strlist names;      /* globs; empty: any */
	struct strlist labels;     /* "key=value" or "key", each must be there */
	struct fieldpath **unless; /* the rule does not hold where any of these fields is there and not empty */
	size_t unless_count;
	char *why; /* for people */
};

/* The controller ownerReference (controller: true), strings borrowed from json, NULL where they are missing; false when there is none. */
struct object_owner {
	const char *api_version, *kind, *name, *uid;
};
bool classify_owner(const json_t *json, struct object_owner *owner);

/* The class; the first rule that holds decides. evidence (may be NULL) gets the reason in words, "controlled by LLMInferenceService qwen". */
enum object_class classify_object(const struct object *object, const struct classify_rule *rules, size_t count, struct strbuf *evidence);

const char *classify_name(enum object_class class_);

#endif
