/* SPDX-License-Identifier: Apache-2.0 */
/* Journals as they are found: line by line, each held against its checksum, and what their records add up to. */
#include <stdlib.h>
#include <string.h>

#include "journal_internal.h"
#include "restore/journal.h"
#include "util/error.h"
#include "util/file.h"
#include "util/json.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/strbuf.h"

/* 10,000 actions are 4 MB. */
#define JOURNAL_MAX ((size_t)256 << 20)

/* ---- records ---- */

static json_int_t integer_at(const json_t *record, const char *key)
{
	return json_integer_value(json_object_get(record, key));
}

static void add_ms(json_t *sums, const char *key, json_int_t ms)
{
	json_object_set_new(sums, key, json_integer(integer_at(sums, key) + (ms > 0 ? ms : 0)));
}

static void set_first(json_t *times, const char *key, json_int_t at)
{
	if (!json_object_get(times, key))
		json_object_set_new(times, key, json_integer(at));
}

/* NULL: there is no such action. */
static struct past *past_of(struct journal *journal, const json_t *index)
{
	json_int_t at = json_is_integer(index) ? json_integer_value(index) : -1;

	return at >= 0 && (size_t)at < journal->past_count ? &journal->past[at] : NULL;
}

static bool read_begin(struct journal *journal, const json_t *record)
{
	const json_t *index;
	size_t i;

	json_array_foreach (json_object_get(record, "begin"), i, index) {
		struct past *past = past_of(journal, index);

		if (!past)
			return false;
		past->begun = true;
		json_decref(past->outcome);
		past->outcome = NULL;
	}
	return i > 0;
}

static bool read_end(struct journal *journal, const json_t *record)
{
	struct past *past = past_of(journal, json_object_get(record, "end"));
	json_t *outcome = json_object_get(record, "outcome");

	if (!past || !json_text_at(outcome, "result", NULL))
		return false;
	json_decref(past->outcome);
	past->outcome = json_incref(outcome);
	return true;
}

static bool read_adopt(struct journal *journal, const json_t *record)
{
	json_t *orphan = json_object_get(record, "adopt");
	const char *uid = json_text_at(orphan, "uid", NULL), *other;
	json_t *item;
	size_t i;

	if (!uid)
		return false;
	json_array_foreach (journal->adopted, i, item) {
		other = json_text_at(item, "uid", NULL);
		if (strcmp(other, uid) == 0)
			return json_array_set(journal->adopted, i, orphan) == 0;
	}
	return json_array_append(journal->adopted, orphan) == 0;
}

static bool read_wave(struct journal *journal, const json_t *record)
{
	const char *what = json_text_at(record, "what", NULL);
	auto_free char *key = what ? journal_wave_key((size_t)integer_at(record, "wave"), what) : NULL;
	auto_free char *wave = xasprintf("%zu", (size_t)integer_at(record, "wave"));

	if (key)
		add_ms(journal->waves, key, integer_at(record, "milliseconds"));
	set_first(journal->wave_began, wave, integer_at(record, "at") * 1000 - integer_at(record, "milliseconds"));
	return key != NULL;
}

static json_t *phase_of(struct journal *journal, const char *phase)
{
	json_t *json = json_object_get(journal->phases, phase);

	if (!json)
		json_object_set_new(journal->phases, phase, json = json_object());
	return json;
}

/* So many milliseconds of the phase ended at that second. */
static void phase_ran(struct journal *journal, const char *phase, json_int_t ms, json_int_t at)
{
	json_t *json = phase_of(journal, phase);

	add_ms(json, "milliseconds", ms);
	set_first(json, "began", at * 1000 - ms);
	json_object_set_new(json, "ended", json_integer(at * 1000));
}

static bool read_start(struct journal *journal, const json_t *record)
{
	const char *phase = json_text_at(record, "start", NULL);

	if (phase)
		json_object_set(journal->running, phase, json_object_get(record, "at"));
	return phase != NULL;
}

static bool read_stop(struct journal *journal, const json_t *record)
{
	const char *phase = json_text_at(record, "stop", NULL);

	if (!phase)
		return false;
	json_object_del(journal->running, phase);
	phase_ran(journal, phase, integer_at(record, "milliseconds"), integer_at(record, "at"));
	return true;
}

/* A phase that a kill ended lasted until the last record, as far as is known; from there to here nothing ran. */
static bool read_resume(struct journal *journal, const json_t *record)
{
	json_int_t now = integer_at(record, "at");
	const char *phase;
	json_t *since;

	json_object_foreach (journal->running, phase, since)
		phase_ran(journal, phase, (journal->last - json_integer_value(since)) * 1000, journal->last);
	json_object_clear(journal->running);
	journal->resumed = integer_at(record, "resume");
	journal->idle += now > journal->last ? now - journal->last : 0;
	journal->exit_code = -1;
	return true;
}

static bool read_waited(struct journal *journal, const json_t *record)
{
	const char *phase = json_text_at(record, "waited", NULL);

	if (phase)
		add_ms(phase_of(journal, phase), "human", integer_at(record, "milliseconds"));
	return phase != NULL;
}

static bool read_jump(struct journal *journal, const json_t *record)
{
	json_array_append_new(
		journal->jumps, json_pack("{s:I, s:I}", "at", integer_at(record, "at") * 1000, "milliseconds", integer_at(record, "jump")));
	return true;
}

static bool read_back(struct journal *journal, const json_t *record)
{
	const char *object = json_text_at(record, "back", NULL);

	if (object)
		set_first(journal->backs, object, integer_at(record, "at") * 1000);
	return object != NULL;
}

static bool read_exit(struct journal *journal, const json_t *record)
{
	journal->exit_code = (int)integer_at(record, "exit");
	return json_is_integer(json_object_get(record, "exit"));
}

static const struct {
	const char *key; /* that tells the record */
	bool (*read)(struct journal *journal, const json_t *record);
} records[] = {
	{"begin", read_begin},
	{"end", read_end},
	{"adopt", read_adopt},
	{"wave", read_wave},
	{"start", read_start},
	{"stop", read_stop},
	{"resume", read_resume},
	{"waited", read_waited},
	{"jump", read_jump},
	{"back", read_back},
	{"exit", read_exit},
};

bool journal_take_record(struct journal *journal, const json_t *record)
{
	bool ok = false;

	for (size_t i = 0; !ok && i < sizeof(records) / sizeof(records[0]); i++)
		if (json_object_get(record, records[i].key))
			ok = records[i].read(journal, record);
	journal->last = integer_at(record, "at");
	return ok;
}

/* ---- lines ---- */

/* The record of a line; NULL when its checksum does not hold. */
static json_t *line_read(const char *before, const char *line, size_t len)
{
	struct error ignored = ERROR_INIT;
	char sum[SUM_DIGITS + 1];
	json_t *record;

	if (len <= SUM_DIGITS + 1 || line[SUM_DIGITS] != ' ')
		return NULL;
	journal_line_sum(before, line + SUM_DIGITS + 1, len - SUM_DIGITS - 1, sum);
	if (memcmp(sum, line, SUM_DIGITS) != 0)
		return NULL;
	record = json_read(line + SUM_DIGITS + 1, len - SUM_DIGITS - 1, &ignored);
	if (json_is_object(record))
		return record;
	json_decref(record);
	return NULL;
}

static int damaged(const struct journal *journal, size_t line, const char *what, struct error *err)
{
	(void)error_set(err, ERR_INTEGRITY, "journal '%s' is damaged: line %zu %s", journal->path, line, what);
	return error_hint(err, "restore the snapshot again without it: what is on the target is skipped");
}

static int read_header(struct journal *journal, json_t *record, struct error *err)
{
	const json_t *format = json_object_get(record, "format");

	if (!json_text_at(record, "journal", NULL) || !json_is_integer(format) || integer_at(record, "actions") < 0)
		return damaged(journal, 1, "is not the head of a journal", err);
	if (json_integer_value(format) > JOURNAL_FORMAT) {
		(void)error_set(err, ERR_INTEGRITY,
			"journal '%s': format %" JSON_INTEGER_FORMAT " is newer than the %d that this program reads", journal->path,
			json_integer_value(format), JOURNAL_FORMAT);
		return error_hint(err, "use a rhaii-dr that reads format %" JSON_INTEGER_FORMAT, json_integer_value(format));
	}
	journal->header = json_incref(record);
	journal->last = integer_at(record, "at");
	return 0;
}

/* The lines behind the header are the actions, as many as it says; then come the records. */
static int read_line(struct journal *journal, size_t line, json_t *record, struct error *err)
{
	size_t actions = (size_t)integer_at(journal->header, "actions");

	if (!journal->header)
		return read_header(journal, record, err);
	if (json_array_size(journal->lines) < actions) {
		json_array_append(journal->lines, record);
		journal->past = xgrow(journal->past, &journal->past_cap, journal->past_count + 1, sizeof(*journal->past));
		journal->past[journal->past_count++] = (struct past){.action = record};
		return 0;
	}
	return journal_take_record(journal, record) ? 0 : damaged(journal, line, "says what no journal says", err);
}

static bool is_head_whole(const struct journal *journal)
{
	return journal->header && json_array_size(journal->lines) == (size_t)integer_at(journal->header, "actions");
}

/*
 * The head was put in place as a whole; behind it the last line may be torn by a kill or a crash. What cannot be read and is not the last line is
 * damage.
 */
static int read_lines(struct journal *journal, const struct strbuf *text, struct error *err)
{
	size_t at = 0, line = 1;

	for (; at < text->len; line++) {
		const char *start = text->buf + at, *end = memchr(start, '\n', text->len - at);
		size_t len = end ? (size_t)(end - start) : text->len - at;
		auto_json json_t *record = end ? line_read(journal->sum, start, len) : NULL;

		if (!record && is_head_whole(journal) && at + len + 1 >= text->len)
			break;
		if (!record)
			return damaged(journal, line, "does not match its checksum", err);
		if (read_line(journal, line, record, err) < 0)
			return -1;
		memcpy(journal->sum, start, SUM_DIGITS);
		at += len + 1;
	}
	journal->len = at;
	return is_head_whole(journal) ? 0 : damaged(journal, line, "is missing", err);
}

static int read_journal(struct journal *journal, struct strbuf *text, struct error *err)
{
	if (file_read(journal->path, JOURNAL_MAX, text, err) < 0)
		return -1;
	return read_lines(journal, text, err);
}

int journal_open(struct journal **out, const char *path, struct error *err)
{
	auto_journal struct journal *journal = journal_new(path);
	auto_strbuf struct strbuf text = STRBUF_INIT;

	*out = NULL;
	if (file_log_open(&journal->log, path, err) < 0) {
		if (err->code == ERR_LOCKED)
			return error_hint(err, "its restore is still running");
		return -1;
	}
	if (read_journal(journal, &text, err) < 0)
		return -1;
	if (journal->len < text.len) {
		log_debug("journal '%s': a torn last line is cut off", path);
		if (file_log_cut(journal->log, journal->len, err) < 0)
			return -1;
	}
	*out = journal;
	journal = NULL;
	return 0;
}

int journal_read(struct journal **out, const char *path, struct error *err)
{
	auto_journal struct journal *journal = journal_new(path);
	auto_strbuf struct strbuf text = STRBUF_INIT;

	*out = NULL;
	if (read_journal(journal, &text, err) < 0)
		return -1;
	*out = journal;
	journal = NULL;
	return 0;
}

/* ---- the newest one ---- */

static bool has_suffix(const char *name)
{
	size_t len = strlen(name), tail = strlen(JOURNAL_SUFFIX);

	return !strchr(name, '/') && len > tail && strcmp(name + len - tail, JOURNAL_SUFFIX) == 0;
}

/* One that cannot be read is not passed over: it may be the one that matters. */
static int is_unfinished(const char *path, struct error *err)
{
	auto_journal struct journal *journal = journal_new(path);
	auto_strbuf struct strbuf text = STRBUF_INIT;

	if (read_journal(journal, &text, err) < 0)
		return -1;
	return !journal_is_finished(journal, &(int){0});
}

static int no_journal(const char *dir, struct error *err)
{
	(void)error_set(err, ERR_NOT_FOUND, "there is no restore to resume: no journal in '%s'", dir);
	return error_hint(err, "name its journal, or restore a snapshot");
}

static int list_journals(const char *dir, struct strlist *out, struct error *err)
{
	struct file_root *root;
	int rc;

	if (file_root_open(&root, dir, err) < 0)
		return err->code == ERR_NOT_FOUND ? no_journal(dir, err) : -1;
	rc = file_root_walk(root, NULL, out, err);
	file_root_free(root);
	return rc;
}

int journal_find(char **path, const char *dir, struct error *err)
{
	auto_strlist struct strlist names = STRLIST_INIT;
	auto_free char *newest = NULL;

	*path = NULL;
	if (list_journals(dir, &names, err) < 0)
		return -1;
	/* Sorted by name is sorted by time. */
	for (size_t i = names.count; i > 0; i--) {
		auto_free char *one = has_suffix(names.items[i - 1]) ? xasprintf("%s/%s", dir, names.items[i - 1]) : NULL;
		int rc = one ? is_unfinished(one, err) : 0;

		if (rc < 0)
			return -1;
		if (!newest)
			newest = xstrdup(one);
		if (rc > 0) {
			*path = xstrdup(one);
			return 0;
		}
	}
	*path = xstrdup(newest);
	return newest ? 0 : no_journal(dir, err);
}
