/* SPDX-License-Identifier: Apache-2.0 */
/*
 * change - what became of one object between two snapshots, as JSON for machines and in Kubernetes words for people and for commit messages:
 *
 *   {change: added|removed|changed, kind, namespace, name, manager, time, fields: [{path, old, new, manager, time}]}
 *
 * old and new are text for people (diff_print_value). manager and time say who set the field, or made the object, and when; null where that is not known.
 * The words: "LLMInferenceService rhaii-inference/qwen: spec.replicas 3 -> 0 (kubectl-edit, 2026-02-12T16:38Z)".
 */
#ifndef RHAII_OBJECT_CHANGE_H
#define RHAII_OBJECT_CHANGE_H

#include <jansson.h>

struct object;
struct strbuf;

/* Longest line of a commit message. */
#define CHANGE_LINE_BYTES 500

/* Without fields, by nobody. The caller's. */
json_t *change_new(const char *change, const struct object *object);
/* The fields in which two states of the object differ; their number. */
size_t change_add_fields(json_t *change, const struct object *old, const struct object *new_);
/* old or new_ is NULL where the object is not there; NULL when nothing differs. The caller's. */
json_t *change_between(const struct object *old, const struct object *new_);

/* What the server says of its managers, kept from an object before it is cleaned: {created, managedFields}. Either may be NULL. The caller's. */
json_t *change_record(const char *creation_timestamp, json_t *managed_fields);
/* Fill in manager and time from such a record (NULL: none) of the object as it is now. */
void change_blame(json_t *change, const json_t *record, const struct object *now);
/* Fill them in from the lines of a commit message that tell the same change. */
void change_recall(json_t *change, const char *message);

/* Append the words of one field, or (NULL) of a change that has none. Not escaped. */
void change_words(const json_t *change, const json_t *field, struct strbuf *out);

#endif
