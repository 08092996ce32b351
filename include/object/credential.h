/* SPDX-License-Identifier: Apache-2.0 */
/*
 * credential - strings of an object that look like a credential: the shapes of known tokens and private keys, wherever they stand in a string
 * (an argument, a file in a ConfigMap), and literal values of fields that are named like one.
 *
 * The value itself is never handed on. One string is reported once, for the surest thing that was seen in it.
 */
#ifndef RHAII_OBJECT_CREDENTIAL_H
#define RHAII_OBJECT_CREDENTIAL_H

#include <jansson.h>
#include <stddef.h>

enum credential_confidence {
	CREDENTIAL_CERTAIN,  /* a shape that nothing else has */
	CREDENTIAL_POSSIBLE, /* a name, or a shape that other things have too */
};

struct credential {
	const char *kind; /* "Hugging Face token" */
	enum credential_confidence confidence;
	const char *path;  /* as fieldpath_each gives it: "spec.containers[0].env[1].value" */
	const char *shown; /* the same for people and for policies, items by name: "spec.containers[name=main].env[name=TOKEN].value" */
};

/* Everything is borrowed for the call. */
typedef void (*credential_fn)(const struct credential *found, void *arg);

/* Call fn for each string of the object that looks like a credential. */
void credential_look(json_t *object, credential_fn fn, void *arg);

/* The kind of the first credential of a certain shape in the text; NULL: none. */
const char *credential_in(const char *text, size_t len);

#endif
