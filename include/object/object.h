/* SPDX-License-Identifier: Apache-2.0 */
/*
 * object - one Kubernetes object and its place in a snapshot (design.md section 5).
 *
 *   objects/cluster/<plural>[.<group>]/<name>.yaml
 *   objects/namespaces/<ns>/<plural>[.<group>]/<name>.yaml
 *
 * Bytes outside [a-z0-9.-] are %XX (upper-case hex), so that two names never meet on a file system that ignores case; an encoded name over 200
 * bytes is its first 180 bytes + "~" + 16 hex of the SHA-256 of the name. The metadata in the file is the truth, a path that disagrees is
 * damage.
 */
#ifndef RHAII_OBJECT_OBJECT_H
#define RHAII_OBJECT_OBJECT_H

#include <jansson.h>
#include <stdbool.h>

struct error;
struct strbuf;

struct object {
	char *group;    /* "" for the core group */
	char *version;  /* "v1" */
	char *resource; /* plural; from the API or from the path, never guessed from the kind */
	char *kind;
	char *namespace_; /* "" for cluster-scoped */
	char *name;
	json_t *json; /* owned reference */
};

/*
 * Take identity from json (reference is incremented). Refuses (ERR_REJECTED) what no API server can hold: no apiVersion, kind or name;
 * a name that is empty, ".", "..", over 253 bytes, holds '/' or '%' or a NUL (IsValidPathSegmentName); a namespace that is no DNS label;
 * a resource or group that is empty (the group may be), holds '/' or a NUL, or that together are over 253 bytes.
 */
int object_new(struct object **out, const char *resource, json_t *json, struct error *err);
void object_free(struct object *object);

/* Append "LLMInferenceService rhaii-inference/qwen" or "Namespace prod", escaped for people. */
void object_describe(const struct object *object, struct strbuf *out);
/* The same, of one that is known by its names alone. */
void object_describe_name(const char *kind, const char *namespace_, const char *name, struct strbuf *out);

/* Append the path of its file. */
void object_path(const struct object *object, struct strbuf *out);

/*
 * Read an object from its file: YAML, identity, and the path must be the one that object_path gives (else ERR_INTEGRITY).
 */
int object_read(struct object **out, const char *path, const char *text, size_t len, struct error *err);

/* Order of restore input and of output: cluster-scoped first, then namespace, group, resource, name; bytewise. For qsort of struct object *. */
int object_compare(const void *a, const void *b);

/* Whether group, resource, namespace and name are the same. */
bool object_same(const struct object *a, const struct object *b);

/* Split "group/version" or "version"; group is "" for the core group. Both are the caller's. */
void object_split_api_version(const char *api_version, char **group, char **version);

#endif
