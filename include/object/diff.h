/* SPDX-License-Identifier: Apache-2.0 */
/*
 * diff - two values, field by field, in Kubernetes words.
 *
 * The items of two lists are matched by their field "name" where every item of both has one of its own ("containers[name=main]"), else by
 * position ("args[2]"; an item that has a name shows it, "env[2 name=HF_TOKEN]"). Where matched items stand in another order, the list itself
 * is a difference too: order is meaning.
 */
#ifndef RHAII_OBJECT_DIFF_H
#define RHAII_OBJECT_DIFF_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct strbuf;

/* old or new is NULL where the field is not there. path: "spec.template.containers[name=main].image". All borrowed for the call. */
typedef void (*diff_fn)(const char *path, const json_t *old, const json_t *new_, void *arg);

/* Call fn (may be NULL) for each difference, keys sorted, list items in the order of old; the count: 0 exactly where diff_equal holds. */
size_t diff_values(const json_t *old, const json_t *new_, diff_fn fn, void *arg);

/* The same for the values of a field: every path starts with path. */
size_t diff_values_at(const char *path, const json_t *old, const json_t *new_, diff_fn fn, void *arg);

/* Equal as JSON values of the API: 1 and 1.0 are the same number, key order means nothing, list order does. */
bool diff_equal(const json_t *a, const json_t *b);

/*
 * Append a value for people: compact JSON, escaped, cut at 80 bytes, "(none)" for NULL. What looks like a credential, the value itself or a
 * part of it, is "<redacted>"; true, false and null never are.
 */
void diff_print_value(struct strbuf *out, const char *path, const json_t *value);

/* {path, <old_key>, <new_key>}, the values as text for people. The caller's. */
json_t *diff_field(const char *path, const char *old_key, const json_t *old, const char *new_key, const json_t *new_);

/*
 * Whether the path, or what it lies below, looks like a credential's: a key or the name of a list item has the word token, password,
 * passwd, secret, authorization, credential, "api key", "private key" or "access key" in it ("HF_TOKEN", "apiKey"; not "tokenizer"), and no
 * key after it, nor that key itself, ends in Ref, Name or Secrets, which only say where the credential is.
 */
bool diff_is_credential(const char *path);

/* Append "[name=main]", "[2]" or "[2 name=main]" to a concrete path: by_name, or by position. */
void diff_append_item(struct strbuf *path, size_t index, const json_t *item, bool by_name);

#endif
