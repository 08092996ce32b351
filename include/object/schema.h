/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema - what an API server would keep of a custom object, by the structural schema of its definition.
 *
 * The rules are those of pruning: a field that the schema does not name is dropped, without a word, unless the schema has
 * x-kubernetes-preserve-unknown-fields there; below additionalProperties every key is known; apiVersion, kind and metadata of the object itself and of an
 * x-kubernetes-embedded-resource are known always. Whether a value has the right type is not asked: a wrong one is refused aloud.
 *
 * All functions are pure; a definition is one as the API has it, or a file of crds/.
 */
#ifndef RHAII_OBJECT_SCHEMA_H
#define RHAII_OBJECT_SCHEMA_H

#include <jansson.h>
#include <stddef.h>

#include "object/diff.h"

/* The entry of spec.versions with this name, or NULL. Borrowed. Its `served` says whether objects may be sent at this version. */
const json_t *definition_version(const json_t *definition, const char *version);
/* The name of the version that objects are stored at, or NULL when the definition names none. Borrowed. */
const char *definition_storage_version(const json_t *definition);
/*
 * The other versions that objects may be stored at, by status.storedVersions: those of before that nobody has written again since. A new array of texts, empty
 * for none. Each must stay in the definition until its objects have been written again (a storage migration).
 */
json_t *definition_older_versions(const json_t *definition);

/*
 * The version that objects sent at this one are stored at, where nothing converts them on the way: the strategy None changes the apiVersion alone, and the
 * server then drops what the schema of the stored version does not know as well. NULL: it is the same version, or a webhook converts. Borrowed.
 */
const char *definition_unconverted(const json_t *definition, const char *version);

/* Remove from object what a server with this definition would drop of it, sent at the version. A definition without the version, or without a schema for it, drops nothing. */
void schema_prune(const json_t *definition, const char *version, json_t *object);
/* Call fn for each field that would be dropped, with its path, the value in object, and NULL; the count. object stays as it is. */
size_t schema_dropped(const json_t *definition, const char *version, const json_t *object, diff_fn fn, void *arg);

#endif
