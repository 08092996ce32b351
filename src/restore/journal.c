/* SPDX-License-Identifier: Apache-2.0 */
#include "restore/journal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/env.h"
#include "util/error.h"
#include "util/file.h"
#include "util/hash.h"
#include "util/json.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/strbuf.h"

#define SUFFIX ".journal"
#define PLAN_DIGITS 12 /* of the plan id, in names */
#define SUM_DIGITS 16  /* of a line's checksum */
/* 10,000 actions are 4 MB. */
#define JOURNAL_MAX ((size_t)256 << 20)

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
	json_t *waves, *phases;   /* sums: {"3 gate": ms}, {"apply": ms} */
	json_t *running;          /* phases that were started and not stopped: {"apply": when} */
	json_int_t last;          /* wall clock of the last record, seconds */
	json_int_t resumed, idle; /* times, seconds */
	int exit_code;            /* of the last run, -1: it did not say */
};

void journal_free(struct journal *journal)
{
	if (!journal)
		return;
	for (size_t i = 0; i < journal->past_count; i++)
		json_decref(journal->past[i].outcome);
	free(journal->past);
	json_decref(journal->lines);
	json_decref(journal->header);
	json_decref(journal->adopted);
	json_decref(journal->waves);
	json_decref(journal->phases);
	json_decref(journal->running);
	file_log_free(journal->log);
	free(journal->path);
	free(journal->name);
	free(journal);
}

void journal_discard(struct journal *journal)
{
	if (unlink(journal->path) < 0)
		log_debug("cannot remove '%s': %s", journal->path, strerror(errno));
	journal_free(journal);
}

static void release_journal(struct journal **journal)
{
	journal_free(*journal);
}
#define auto_journal __attribute__((cleanup(release_journal)))

static struct journal *journal_new(const char *path)
{
	struct journal *journal = xcalloc(1, sizeof(*journal));
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	size_t len = strlen(name), tail = strlen(SUFFIX);

	journal->path = xstrdup(path);
	journal->name = xstrndup(name, len > tail && strcmp(name + len - tail, SUFFIX) == 0 ? len - tail : len);
	journal->lines = json_array();
	journal->adopted = json_array();
	journal->waves = json_object();
	journal->phases = json_object();
	journal->running = json_object();
	journal->exit_code = -1;
	return journal;
}

/* ---- where they are ---- */

/* It comes from the server, and becomes the name of a directory. */
static int check_uid(const char *uid, struct error *err)
{
	static const char good[] = "0123456789-ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

	if (*uid && !uid[strspn(uid, good)])
		return 0;
	return error_set(err, ERR_INTEGRITY, "the target says that it is '%.100s', which is no uid", uid);
}

int journal_directory(char **out, const char *target_uid, struct error *err)
{
	const char *state = env_get("XDG_STATE_HOME"), *home = env_get("HOME");

	*out = NULL;
	if (check_uid(target_uid, err) < 0)
		return -1;
	if (state && *state == '/')
		*out = xasprintf("%s/rhaii-dr/%s", state, target_uid);
	else if (home)
		*out = xasprintf("%s/.local/state/rhaii-dr/%s", home, target_uid);
	else {
		(void)error_set(err, ERR_USAGE, "there is no place for the journal of the restore: neither XDG_STATE_HOME nor HOME is set");
		return error_hint(err, "set XDG_STATE_HOME to a directory that outlives this run");
	}
	return 0;
}

char *journal_new_name(const char *dir, const char *plan_id)
{
	char when[CLOCK_TEXT_SIZE];
	auto_free char *base = xasprintf("%s-%.*s", clock_format_compact(clock_now(), when), PLAN_DIGITS, plan_id);
	char *name = xstrdup(base);

	for (int i = 2;; i++) {
		auto_free char *path = xasprintf("%s/%s" SUFFIX, dir, name);

		if (!file_exists(path))
			return name;
		free(name);
		name = xasprintf("%s-%d", base, i);
	}
}

/* ---- lines ---- */

/* The checksum of a line takes in that of the line before, so that one that is missing is seen as well. */
static void line_sum(const char *before, const char *text, size_t len, char out[SUM_DIGITS + 1])
{
	struct hash *hash = hash_new(0);
	char hex[HASH_HEX_SIZE];

	hash_update(hash, before, strlen(before));
	hash_update(hash, text, len);
	hash_final(hash, hex);
	memcpy(out, hex, SUM_DIGITS);
	out[SUM_DIGITS] = '\0';
}

static void line_add(struct journal *journal, const json_t *record, struct strbuf *out)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;

	json_write(record, &text);
	line_sum(journal->sum, text.buf, text.len, journal->sum);
	strbuf_addf(out, "%s ", journal->sum);
	strbuf_add(out, text.buf, text.len);
	strbuf_addc(out, '\n');
}

/* The record of a line; NULL when its checksum does not hold. */
static json_t *line_read(const char *before, const char *line, size_t len)
{
	struct error ignored = ERROR_INIT;
	char sum[SUM_DIGITS + 1];
	json_t *record;

	if (len <= SUM_DIGITS + 1 || line[SUM_DIGITS] != ' ')
		return NULL;
	line_sum(before, line + SUM_DIGITS + 1, len - SUM_DIGITS - 1, sum);
	if (memcmp(sum, line, SUM_DIGITS) != 0)
		return NULL;
	record = json_read(line + SUM_DIGITS + 1, len - SUM_DIGITS - 1, &ignored);
	if (json_is_object(record))
		return record;
	json_decref(record);
	return NULL;
}

/* ---- reading ---- */

static json_int_t integer_at(const json_t *record, const char *key)
{
	return json_integer_value(json_object_get(record, key));
}

static void add_ms(json_t *sums, const char *key, json_int_t ms)
{
	json_object_set_new(sums, key, json_integer(integer_at(sums, key) + (ms > 0 ? ms : 0)));
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

static char *wave_key(size_t wave, const char *what)
{
	return xasprintf("%zu %s", wave, what);
}

static bool read_wave(struct journal *journal, const json_t *record)
{
	const char *what = json_text_at(record, "what", NULL);
	auto_free char *key = what ? wave_key((size_t)integer_at(record, "wave"), what) : NULL;

	if (key)
		add_ms(journal->waves, key, integer_at(record, "milliseconds"));
	return key != NULL;
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
	add_ms(journal->phases, phase, integer_at(record, "milliseconds"));
	return true;
}

/* A phase that a kill ended lasted until the last record, as far as is known; from there to here nothing ran. */
static bool read_resume(struct journal *journal, const json_t *record)
{
	json_int_t now = integer_at(record, "at");
	const char *phase;
	json_t *since;

	json_object_foreach (journal->running, phase, since)
		add_ms(journal->phases, phase, (journal->last - json_integer_value(since)) * 1000);
	json_object_clear(journal->running);
	journal->resumed = integer_at(record, "resume");
	journal->idle += now > journal->last ? now - journal->last : 0;
	journal->exit_code = -1;
	return true;
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
	{"exit", read_exit},
};

static bool read_record(struct journal *journal, const json_t *record)
{
	bool ok = false;

	for (size_t i = 0; !ok && i < sizeof(records) / sizeof(records[0]); i++)
		if (json_object_get(record, records[i].key))
			ok = records[i].read(journal, record);
	journal->last = integer_at(record, "at");
	return ok;
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
	return read_record(journal, record) ? 0 : damaged(journal, line, "says what no journal says", err);
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
	size_t len = strlen(name), tail = strlen(SUFFIX);

	return !strchr(name, '/') && len > tail && strcmp(name + len - tail, SUFFIX) == 0;
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

/* ---- writing ---- */

static void head_text(struct journal *journal, const json_t *actions, struct strbuf *out)
{
	const json_t *action;
	size_t i;

	line_add(journal, journal->header, out);
	json_array_foreach (actions, i, action)
		line_add(journal, action, out);
}

static int write_head(const char *path, const struct strbuf *text, struct error *err)
{
	struct file_writer *w;

	if (file_writer_open(&w, path, 0600, err) < 0)
		return -1;
	if (file_writer_write(w, text->buf, text->len, err) < 0) {
		file_writer_abort(w);
		return -1;
	}
	return file_writer_commit(w, true, err);
}

int journal_create(struct journal **out, const char *dir, const char *name, json_t *header, const json_t *actions, struct error *err)
{
	auto_free char *path = xasprintf("%s/%s" SUFFIX, dir, name);
	auto_journal struct journal *journal = journal_new(path);
	auto_strbuf struct strbuf text = STRBUF_INIT;

	*out = NULL;
	json_object_set_new(header, "format", json_integer(JOURNAL_FORMAT));
	json_object_set_new(header, "journal", json_string("restore"));
	json_object_set_new(header, "actions", json_integer((json_int_t)json_array_size(actions)));
	json_object_set_new(header, "at", json_integer((json_int_t)clock_now()));
	journal->header = json_incref(header);
	head_text(journal, actions, &text);
	if (file_mkdirs(dir, err) < 0 || write_head(path, &text, err) < 0 || file_log_open(&journal->log, path, err) < 0)
		return error_wrap(err, "the journal of the restore");
	*out = journal;
	journal = NULL;
	return 0;
}

/* Steals the record. What fails is told by journal_check. */
static void add(struct journal *journal, json_t *record)
{
	auto_strbuf struct strbuf line = STRBUF_INIT;
	struct error ignored = ERROR_INIT;

	json_object_set_new(record, "at", json_integer((json_int_t)clock_now()));
	line_add(journal, record, &line);
	(void)file_log_add(journal->log, line.buf, line.len, &ignored);
	json_decref(record);
}

int journal_check(const struct journal *journal, struct error *err)
{
	return file_log_check(journal->log, err) < 0 ? error_wrap(err, "the journal of the restore") : 0;
}

static int sync_log(struct journal *journal, struct error *err)
{
	return file_log_sync(journal->log, err) < 0 ? error_wrap(err, "the journal of the restore") : 0;
}

int journal_resume(struct journal *journal, struct error *err)
{
	json_t *record = json_pack("{s:I, s:I}", "resume", journal->resumed + 1, "at", (json_int_t)clock_now());

	(void)read_record(journal, record);
	add(journal, record);
	return sync_log(journal, err);
}

int journal_begin(struct journal *journal, const size_t *actions, size_t count, struct error *err)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_integer((json_int_t)actions[i]));
	add(journal, json_pack("{s:o}", "begin", list));
	return sync_log(journal, err);
}

void journal_end(struct journal *journal, size_t action, json_t *outcome)
{
	add(journal, json_pack("{s:I, s:o}", "end", (json_int_t)action, "outcome", outcome));
}

int journal_adopt(struct journal *journal, const json_t *orphan, struct error *err)
{
	add(journal, json_pack("{s:o}", "adopt", json_deep_copy(orphan)));
	return sync_log(journal, err);
}

void journal_wave(struct journal *journal, size_t wave, const char *what, int64_t ms)
{
	add(journal, json_pack("{s:I, s:s, s:I}", "wave", (json_int_t)wave, "what", what, "milliseconds", (json_int_t)ms));
}

void journal_phase_start(struct journal *journal, const char *phase)
{
	add(journal, json_pack("{s:s}", "start", phase));
}

void journal_phase_stop(struct journal *journal, const char *phase, int64_t ms)
{
	add(journal, json_pack("{s:s, s:I}", "stop", phase, "milliseconds", (json_int_t)ms));
}

int journal_finish(struct journal *journal, int exit_code, struct error *err)
{
	add(journal, json_pack("{s:i}", "exit", exit_code));
	return sync_log(journal, err);
}

/* ---- what is known ---- */

const char *journal_path(const struct journal *journal)
{
	return journal->path;
}

const char *journal_name(const struct journal *journal)
{
	return journal->name;
}

const json_t *journal_header(const struct journal *journal)
{
	return journal->header;
}

/* One that failed or was interrupted has not done all that it had to do; the others have, whatever came of it. */
bool journal_is_finished(const struct journal *journal, int *exit_code)
{
	*exit_code = journal->exit_code;
	return journal->exit_code == ERR_NONE || journal->exit_code == ERR_PARTIAL || journal->exit_code == ERR_VERIFY ||
		journal->exit_code == ERR_OBJECTIVE;
}

size_t journal_action_count(const struct journal *journal)
{
	return journal->past_count;
}

const json_t *journal_action(const struct journal *journal, size_t action)
{
	return journal->past[action].action;
}

bool journal_begun(const struct journal *journal, size_t action)
{
	return journal->past[action].begun;
}

const json_t *journal_outcome(const struct journal *journal, size_t action)
{
	return journal->past[action].outcome;
}

const json_t *journal_adopted(const struct journal *journal)
{
	return journal->adopted;
}

static int64_t sum_of(const json_t *sums, const char *key)
{
	const json_t *value = json_object_get(sums, key);

	return value ? json_integer_value(value) : -1;
}

int64_t journal_wave_ms(const struct journal *journal, size_t wave, const char *what)
{
	auto_free char *key = wave_key(wave, what);

	return sum_of(journal->waves, key);
}

int64_t journal_phase_ms(const struct journal *journal, const char *phase)
{
	return sum_of(journal->phases, phase);
}

size_t journal_resumed(const struct journal *journal)
{
	return (size_t)journal->resumed;
}

int64_t journal_idle_ms(const struct journal *journal)
{
	return journal->idle * 1000;
}
