/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record - the record of one restore or drill, one JSON document (docs/FORMAT.md, "The record"): what was restored from what onto what, how long each phase took, what was verified and what
 * was not. All renderings are made from it alone.
 *
 * Call order: record_make, for a drill or a chain what is added to it, record_text or record_write. Foreign text in it is as the cluster gave it; renderers escape.
 */
#ifndef RHAII_DRILL_RECORD_H
#define RHAII_DRILL_RECORD_H

#include <jansson.h>
#include <stddef.h>

struct error;
struct outcome;
struct phases;
struct strbuf;

/* The version of the format that is written; newer ones are refused, naming it. */
#define RECORD_FORMAT 1

/* Everything is borrowed for the call. */
struct record_input {
	const char *kind;              /* "restore" or "drill" */
	const char *mode;              /* "real" or "local" */
	const char *scenario;          /* NULL: none */
	const json_t *report;          /* of restore_run */
	const struct phases *clock;    /* NULL: what the report has of it; else as it is by now */
	const struct outcome *outcome; /* with the code of the error, if there is one */
	const char *error;             /* what it ended with; NULL: nothing */
	const char *configuration;     /* path of the configuration file; NULL: none */
	const json_t *not_tested;      /* more of [{what, reason}]; NULL: none */
	const json_t *cleanup;         /* as the record has it; NULL: none */
	const json_t *injected;        /* the same */
};

/* `previous` is null. The caller's. */
json_t *record_make(const struct record_input *input);

/* The bytes of the record, which are what is hashed: keys sorted, two spaces, LF at the end. Appends. */
void record_text(const json_t *record, struct strbuf *out);
/* Read them. ERR_INTEGRITY: it is no record, or of a newer format, which is named. *out is the caller's. */
int record_read(json_t **out, const char *bytes, size_t len, struct error *err);
/* Write <dir>/<id>.json (0600; dir is made where it is missing). *path, which may be asked for (NULL: not), is the caller's. */
int record_write(const json_t *record, const char *dir, char **path, struct error *err);

#endif
