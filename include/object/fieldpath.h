/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fieldpath - names fields of an object, in policies and in messages.
 *
 *   spec.template.containers[].env[].value      [] is every item of a list
 *   metadata.labels['example.com/team-*']         a key in quotes may hold any character ('' is one quote), and '*' matches any run of them
 *   secrets[name=*-token-?????]                 items whose field "name" is a string that matches: '*' any run, '?' one byte
 *   args[0]                                     one item by its position
 *   secrets?                                    at the end: only where the value is an empty map, list or string
 *
 * A bare key is made of letters, digits, '_', '-' and '$'.
 */
#ifndef RHAII_OBJECT_FIELDPATH_H
#define RHAII_OBJECT_FIELDPATH_H

#include <jansson.h>
#include <stddef.h>

struct error;
struct map;
struct strbuf;
struct fieldpath;

/* ERR_SYNTAX with the column. The caller frees. */
int fieldpath_parse(struct fieldpath **out, const char *text, struct error *err);
void fieldpath_free(struct fieldpath *path);
const char *fieldpath_text(const struct fieldpath *path);

/*
 * Call fn for each value that the path names, in order (keys sorted), with its concrete path ("spec.containers[0].name"). A non-zero return
 * ends the walk and is returned. fn must not change the containers on the way to value.
 */
typedef int (*fieldpath_fn)(json_t *value, const char *concrete, void *arg);
int fieldpath_each(json_t *object, const struct fieldpath *path, fieldpath_fn fn, void *arg);

/* Call fn for each map that is there but lacks the path's last key, with the concrete path that the key would have; value is the map. */
int fieldpath_each_missing(json_t *object, const struct fieldpath *path, fieldpath_fn fn, void *arg);

/*
 * Remove what the path names, but for the values whose concrete paths are in kept (may be NULL): what holds one loses only the rest. The count of removed
 * values. Containers that become empty stay.
 */
size_t fieldpath_remove_but(json_t *object, const struct fieldpath *path, const struct map *kept);

/* Append ".key", "['dotted/key']" or "key" (at the start) to a concrete path; used by everyone who prints one. */
void fieldpath_append_key(struct strbuf *path, const char *key);

#endif
