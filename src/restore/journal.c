/* SPDX-License-Identifier: Apache-2.0 */
#include "restore/journal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "journal_internal.h"
#include "util/clock.h"
#include "util/env.h"
#include "util/error.h"
#include "util/file.h"
#include "util/hash.h"
#include "util/json.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/strbuf.h"

#define PLAN_DIGITS 12 /* of the plan id, in names */

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
	json_decref(journal->wave_began);
	json_decref(journal->phases);
	json_decref(journal->jumps);
	json_decref(journal->backs);
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

void journal_release(struct journal **journal)
{
	journal_free(*journal);
}

struct journal *journal_new(const char *path)
{
	struct journal *journal = xcalloc(1, sizeof(*journal));
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	size_t len = strlen(name), tail = strlen(JOURNAL_SUFFIX);

	journal->path = xstrdup(path);
	journal->name = xstrndup(name, len > tail && strcmp(name + len - tail, JOURNAL_SUFFIX) == 0 ? len - tail : len);
	journal->lines = json_array();
	journal->adopted = json_array();
	journal->waves = json_object();
	journal->wave_began = json_object();
	journal->phases = json_object();
	journal->jumps = json_array();
	journal->backs = json_object();
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
	auto_free char *state = env_state_directory();

	*out = NULL;
	if (check_uid(target_uid, err) < 0)
		return -1;
	if (!state) {
		(void)error_set(err, ERR_USAGE, "there is no place for the journal of the restore: neither XDG_STATE_HOME nor HOME is set");
		return error_hint(err, "set XDG_STATE_HOME to a directory that outlives this run");
	}
	*out = xasprintf("%s/%s", state, target_uid);
	return 0;
}

char *journal_new_name(const char *dir, const char *plan_id)
{
	char when[CLOCK_TEXT_SIZE];
	auto_free char *base = xasprintf("%s-%.*s", clock_format_compact(clock_now(), when), PLAN_DIGITS, plan_id);
	char *name = xstrdup(base);

	for (int i = 2;; i++) {
		auto_free char *path = xasprintf("%s/%s" JOURNAL_SUFFIX, dir, name);

		if (!file_exists(path))
			return name;
		free(name);
		name = xasprintf("%s-%d", base, i);
	}
}

/* ---- lines ---- */

void journal_line_sum(const char *before, const char *text, size_t len, char out[SUM_DIGITS + 1])
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
	journal_line_sum(journal->sum, text.buf, text.len, journal->sum);
	strbuf_addf(out, "%s ", journal->sum);
	strbuf_add(out, text.buf, text.len);
	strbuf_addc(out, '\n');
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
	auto_free char *path = xasprintf("%s/%s" JOURNAL_SUFFIX, dir, name);
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

	(void)journal_take_record(journal, record);
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

void journal_waited(struct journal *journal, const char *phase, int64_t ms)
{
	add(journal, json_pack("{s:s, s:I}", "waited", phase, "milliseconds", (json_int_t)ms));
}

void journal_jump(struct journal *journal, int64_t ms)
{
	add(journal, json_pack("{s:I}", "jump", (json_int_t)ms));
}

void journal_back(struct journal *journal, const char *object)
{
	add(journal, json_pack("{s:s}", "back", object));
}

int journal_finish(struct journal *journal, int exit_code, struct error *err)
{
	add(journal, json_pack("{s:i}", "exit", exit_code));
	return sync_log(journal, err);
}

/* ---- what is known ---- */

char *journal_wave_key(size_t wave, const char *what)
{
	return xasprintf("%zu %s", wave, what);
}

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
	auto_free char *key = journal_wave_key(wave, what);

	return sum_of(journal->waves, key);
}

int64_t journal_wave_began(const struct journal *journal, size_t wave)
{
	auto_free char *key = xasprintf("%zu", wave);

	return json_integer_value(json_object_get(journal->wave_began, key));
}

void journal_phase(const struct journal *journal, const char *phase, struct journal_phase *out)
{
	const json_t *json = json_object_get(journal->phases, phase);

	*out = (struct journal_phase){.ms = sum_of(json, "milliseconds"),
		.human_ms = json_integer_value(json_object_get(json, "human")),
		.began = json_integer_value(json_object_get(json, "began")),
		.ended = json_integer_value(json_object_get(json, "ended"))};
}

json_t *journal_jumps(const struct journal *journal)
{
	return journal->jumps;
}

json_t *journal_backs(const struct journal *journal)
{
	return journal->backs;
}

size_t journal_resumed(const struct journal *journal)
{
	return (size_t)journal->resumed;
}

int64_t journal_idle_ms(const struct journal *journal)
{
	return journal->idle * 1000;
}
