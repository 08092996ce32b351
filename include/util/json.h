/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json - jansson with the rules that Kubernetes needs.
 *
 * Integers beyond int64 are read as doubles and -0 as 0 (as the API machinery does), \u0000 in strings is kept, in keys refused,
 * duplicate keys are refused, nesting is at most JSON_DEPTH_MAX. Linking this file also makes jansson end the program when memory
 * is short (mem.h), so that json_object() and json_object_set_new() need no check for that.
 */
#ifndef RHAII_UTIL_JSON_H
#define RHAII_UTIL_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct error;
struct strbuf;

#define JSON_DEPTH_MAX 128

void json_release(json_t **value);
#define auto_json __attribute__((cleanup(json_release)))

/* Parse one value that is the whole of buf. ERR_SYNTAX with line and column. The caller owns the value. */
json_t *json_read(const char *buf, size_t len, struct error *err);

/* Append compact JSON, keys sorted, numbers in the shortest form that reads back the same. */
void json_write(const json_t *value, struct strbuf *out);

/* The shortest text of a number that reads back the same value and the same type (a real always has '.' or an exponent). */
#define JSON_NUMBER_SIZE 40
const char *json_number_text(const json_t *number, char buf[JSON_NUMBER_SIZE]);

/*
 * Make an integer of each real inside value (not of itself) that is whole and fits int64: 3.0 is 3 then. So Go's encoding/json writes numbers, and kubectl what
 * people wrote in YAML; an API server refuses 3.0 for an integer.
 */
void json_settle_numbers(json_t *value);

/* The value below the keys given (NULL ends them), or NULL when one is missing or not an object: json_at(o, "metadata", "name", NULL). Borrowed. */
json_t *json_at(const json_t *value, ...) __attribute__((sentinel));
/* The same, when it is a string without NUL bytes; else NULL. Borrowed. */
const char *json_text_at(const json_t *value, ...) __attribute__((sentinel));

/* An array of the object's keys, sorted bytewise; the caller frees the array, not the keys. Keys never hold NUL bytes. */
const char **json_sorted_keys(const json_t *object, size_t *count);

#endif
