/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of src/policy share. */
#ifndef RHAII_POLICY_INTERNAL_H
#define RHAII_POLICY_INTERNAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct error;
struct fieldpath;
struct policy;
struct policy_own;
struct reference_rule;

#define POLICY_FORMAT 1

/* The document with what it includes merged into it; it has no `include` any more. The caller owns it. */
json_t *policy_resolve(const json_t *document, struct error *err);
/* The text of a built-in policy, or NULL. */
const char *policy_builtin_text(const char *name);

/* Fill in policy->own from the document as its author wrote it. */
int policy_read_own(struct policy *policy, const json_t *document, struct error *err);
void policy_release_own(struct policy_own *own);
struct policy_probe;
void policy_release_probe(struct policy_probe *probe);
void policy_release_reference(struct reference_rule *rule);

/* ---- rows: a table of columns says which keys a map may have and where their values go ---- */

enum column_type {
	COLUMN_TEXT,   /* char *: text, not empty */
	COLUMN_ANY,    /* char *: text */
	COLUMN_BOOL,   /* bool */
	COLUMN_CHOICE, /* bool: the second of two words */
	COLUMN_WORD,   /* an enum: the index in words */
	COLUMN_TEXTS,  /* struct strlist */
	COLUMN_PATH,   /* struct fieldpath * */
	COLUMN_PATHS,  /* struct fieldpath **, appended to; second: size_t, how many */
	COLUMN_TARGET, /* "resource.group": char *resource; second: char *group */
	COLUMN_OTHER,  /* by read */
};

struct reader;

struct column {
	const char *key;
	enum column_type type;
	size_t offset, second;
	const char *const *words; /* ended by NULL */
	bool needed;
	int (*read)(struct reader *reader, const json_t *value, void *row);
};

struct reader {
	struct policy *policy;
	const json_t *sets; /* of reference rows */
	char where[256];    /* the row being read, for messages: "kinds[3] (httproutes)" */
	struct error *err;
};

/* ERR_USAGE "<where>: ..." */
int reader_fail(const struct reader *reader, const char *key, const char *what);
/* Where messages point to from here on: an entry of a list by its name (NULL: it has none), "kinds[3] (httproutes)"; or no row any more. */
void reader_at(struct reader *reader, const char *list, size_t index, const char *name);
void reader_at_top(struct reader *reader);
/* Call read for each row of the list name; a row is named by what it has at name_key, by itself where that is NULL. */
int reader_each(struct reader *reader, const json_t *list, const char *name, const char *name_key,
	int (*read)(struct reader *reader, const json_t *row));
/* Fill row from map; columns end with a key of NULL. */
int reader_row(struct reader *reader, const json_t *map, const struct column *columns, void *row);
/* A field path. */
int reader_path(struct reader *reader, const char *key, const json_t *value, struct fieldpath **out);
/*
 * Append the rows of a list of `strip` or `keep` (key) to the kind's; list may be NULL. of: the list is the top level's, and only what applies to the kind of this name is
 * taken; NULL: it is the kind's own.
 */
struct policy_kind;
struct reader_kind {
	const char *group, *resource;
};
int reader_own(struct reader *reader, const char *key, const json_t *list, struct policy_kind *kind, const struct reader_kind *of);
/* Append the paths of a list of texts. */
int reader_paths(struct reader *reader, const char *key, const json_t *list, struct fieldpath ***paths, size_t *count);

/* Append reference rows, sets expanded. at: the path in front of theirs, "" for none. */
struct references {
	struct reference_rule *rows;
	size_t count, cap;
};
int reader_references(struct reader *reader, const json_t *list, const char *at, struct references *out);
/* The same into a new array, which the caller owns whatever the result is. */
int reader_rules(struct reader *reader, const json_t *list, struct reference_rule **rules, size_t *count);

/* ---- the parts of a document: columns of its top level, row is the policy ---- */

int reader_waves(struct reader *reader, const json_t *value, void *row);
/* Wants waves, sets and podEnvironment before it. */
int reader_kinds(struct reader *reader, const json_t *value, void *row);
int reader_generated(struct reader *reader, const json_t *value, void *row);
int reader_installed(struct reader *reader, const json_t *value, void *row);
int reader_inventory(struct reader *reader, const json_t *value, void *row);
int reader_controllers(struct reader *reader, const json_t *value, void *row);
int reader_webhooks(struct reader *reader, const json_t *value, void *row);
int reader_waivers(struct reader *reader, const json_t *value, void *row);
int reader_probes(struct reader *reader, const json_t *value, void *row);

#endif
