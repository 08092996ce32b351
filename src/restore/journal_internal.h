/* SPDX-License-Identifier: Apache-2.0 */
/* A journal in memory, shared by journal.c (which writes it) and journal_read.c. */
#ifndef RHAII_RESTORE_JOURNAL_INTERNAL_H
#define RHAII_RESTORE_JOURNAL_INTERNAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct file_log;
struct journal;

#define JOURNAL_SUFFIX ".journal"
#define SUM_DIGITS 16 /* of a line's checksum */

/* What the runs before have written of one action. */
struct past {
	const json_t *action;
	bool begun;
	json_t *outcome;
};

struct journal {
	char *path, *name;
	struct file_log *log;
	char sum[SUM_DIGITS + 1]; /* of the last line */
	size_t len;               /* bytes of the whole lines */
	json_t *header;
	json_t *lines; /* of the actions, in their order */
	struct past *past;
	size_t past_count, past_cap;
	json_t *adopted;
	json_t *waves;            /* sums: {"3 gate": ms} */
	json_t *wave_began;       /* {"3": ms since 1970} */
	json_t *phases;           /* {"apply": {milliseconds, human, began, ended}}, these two in ms since 1970 */
	json_t *jumps, *backs;    /* as journal.h says */
	json_t *running;          /* phases that were started and not stopped: {"apply": when} */
	json_int_t last;          /* wall clock of the last record, seconds */
	json_int_t resumed, idle; /* times, seconds */
	int exit_code;            /* of the last run, -1: it did not say */
};

/* One without a file, lines or header. */
struct journal *journal_new(const char *path);
void journal_release(struct journal **journal);
#define auto_journal __attribute__((cleanup(journal_release)))

/* The checksum of a line takes in that of the line before, so that one that is missing is seen as well. */
void journal_line_sum(const char *before, const char *text, size_t len, char out[SUM_DIGITS + 1]);
/* Take what a record tells. false: it is none. */
bool journal_take_record(struct journal *journal, const json_t *record);
/* The key of a sum in waves. The caller frees. */
char *journal_wave_key(size_t wave, const char *what);

#endif
