/* SPDX-License-Identifier: Apache-2.0 */
#include "restore/marks.h"

#include <stdlib.h>
#include <string.h>

#include "util/clock.h"
#include "util/env.h"
#include "util/error.h"
#include "util/file.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"

#define FILE_MAX ((size_t)1 << 20)
#define OLD_MS ((int64_t)24 * 3600 * 1000)
#define UNVERIFIED "no restore has verified anything yet"

static int64_t integer_at(const json_t *json, const char *key)
{
	return (int64_t)json_integer_value(json_object_get(json, key));
}

/* ---- the file ---- */

int marks_path(char **out, struct error *err)
{
	auto_free char *state = env_state_directory();

	*out = state ? xasprintf("%s/clock.json", state) : NULL;
	if (*out)
		return 0;
	(void)error_set(err, ERR_USAGE, "there is no place for the clock: neither XDG_STATE_HOME nor HOME is set");
	return error_hint(err, "set XDG_STATE_HOME to a directory that outlives this run");
}

static int check_format(const json_t *marks, const char *path, struct error *err)
{
	json_int_t format = json_integer_value(json_object_get(marks, "format"));

	if (format < 1 || !json_is_array(json_object_get(marks, "marks")))
		return error_set(err, ERR_INTEGRITY, "'%s' is no clock", path);
	if (format <= MARKS_FORMAT)
		return 0;
	(void)error_set(err, ERR_INTEGRITY, "clock '%s': format %" JSON_INTEGER_FORMAT " is newer than the %d that this program reads",
		path, format, MARKS_FORMAT);
	return error_hint(err, "use a rhaii-dr that reads format %" JSON_INTEGER_FORMAT, format);
}

int marks_load(json_t **out, struct error *err)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_free char *path = NULL;
	auto_json json_t *marks = NULL;

	*out = NULL;
	if (marks_path(&path, err) < 0)
		return -1;
	if (!file_exists(path)) {
		(void)error_set(err, ERR_NOT_FOUND, "no clock was started");
		return error_hint(err, "start one with 'rhaii-dr clock start', or 'clock start --since TIME'");
	}
	if (file_read(path, FILE_MAX, &text, err) < 0)
		return -1;
	if (!(marks = json_read(text.buf, text.len, err))) {
		error_wrap(err, "clock '%s'", path);
		err->code = ERR_INTEGRITY;
		return error_hint(err, "remove the file, and start a clock anew");
	}
	if (check_format(marks, path, err) < 0)
		return -1;
	*out = json_incref(marks);
	return 0;
}

static int save(const json_t *marks, struct error *err)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_free char *path = NULL;

	if (marks_path(&path, err) < 0)
		return -1;
	json_write(marks, &text);
	strbuf_addc(&text, '\n');
	return file_write(path, text.buf, text.len, 0600, err);
}

static void release_lock(struct file_lock **lock)
{
	file_lock_free(*lock);
}
#define auto_lock __attribute__((cleanup(release_lock)))

static int take_lock(struct file_lock **lock, struct error *err)
{
	auto_free char *path = NULL, *lock_path = NULL, *dir = env_state_directory();

	if (marks_path(&path, err) < 0 || file_mkdirs(dir, err) < 0)
		return -1;
	lock_path = xasprintf("%s.lock", path);
	return file_lock_take(lock, lock_path, err);
}

/* ---- what it says ---- */

static const json_t *last_mark(const json_t *marks)
{
	const json_t *list = json_object_get(marks, "marks");

	return json_array_get(list, json_array_size(list) - 1);
}

int64_t marks_declared_at(const json_t *marks)
{
	return integer_at(marks, "declaredAt");
}

enum marks_state marks_state(const json_t *marks)
{
	if (json_is_true(json_object_get(marks, "stopped")))
		return MARKS_STOPPED;
	return clock_now_ms() - integer_at(marks, "startedAt") > OLD_MS ? MARKS_OLD : MARKS_RUNNING;
}

const char *marks_current(const json_t *marks, bool *waiting)
{
	*waiting = json_is_true(json_object_get(last_mark(marks), "waiting"));
	return json_text_at(last_mark(marks), "phase", NULL);
}

/* ---- marking ---- */

/* phase NULL: none is running from here on. */
static void add_mark(json_t *marks, const char *phase, bool waiting)
{
	auto_free char *boot = env_boot();

	json_array_append_new(json_object_get(marks, "marks"),
		json_pack("{s:s?, s:b, s:I, s:I, s:s}", "phase", phase, "waiting", (int)waiting, "at", (json_int_t)clock_now_ms(),
			"monotonic", (json_int_t)clock_monotonic_ms(), "boot", boot));
}

/* Where only the wall clock is known, there is no boot. */
static void add_declared(json_t *marks, int64_t since)
{
	json_array_append_new(json_object_get(marks, "marks"),
		json_pack("{s:s, s:b, s:I, s:I, s:s}", "phase", phase_name(PHASE_DECLARE), "waiting", 0, "at", (json_int_t)since,
			"monotonic", (json_int_t)0, "boot", ""));
}

static int is_running(struct error *err)
{
	(void)error_set(err, ERR_EXISTS, "a clock is running already");
	return error_hint(err, "look at it with 'rhaii-dr clock', or end it with 'clock stop'");
}

int marks_start(int64_t since, struct error *err)
{
	auto_lock struct file_lock *lock = NULL;
	auto_json json_t *old = NULL, *marks = NULL;
	int64_t now = clock_now_ms();

	if (take_lock(&lock, err) < 0)
		return -1;
	if (marks_load(&old, err) == 0 && marks_state(old) == MARKS_RUNNING)
		return is_running(err);
	error_clear(err); /* one that cannot be read is in nobody's way */
	marks = json_pack("{s:i, s:I, s:I, s:b, s:[]}", "format", MARKS_FORMAT, "startedAt", (json_int_t)now, "declaredAt",
		(json_int_t)(since ? since : now), "stopped", 0, "marks");
	if (since)
		add_declared(marks, since);
	else
		add_mark(marks, phase_name(PHASE_DECLARE), false);
	return save(marks, err);
}

/* Change the one that is running; what is borrowed for the call. */
static int change(void (*what)(json_t *marks, const void *arg), const void *arg, struct error *err)
{
	auto_lock struct file_lock *lock = NULL;
	auto_json json_t *marks = NULL;

	if (take_lock(&lock, err) < 0 || marks_load(&marks, err) < 0)
		return -1;
	if (marks_state(marks) == MARKS_STOPPED) {
		(void)error_set(err, ERR_USAGE, "the clock was stopped");
		return error_hint(err, "start one with 'rhaii-dr clock start'");
	}
	what(marks, arg);
	return save(marks, err);
}

struct mark {
	enum phase phase;
	bool waiting;
};

static void do_mark(json_t *marks, const void *arg)
{
	const struct mark *mark = arg;

	add_mark(marks, phase_name(mark->phase), mark->waiting);
}

int marks_mark(enum phase phase, bool waiting, struct error *err)
{
	const struct mark mark = {.phase = phase, .waiting = waiting};

	return change(do_mark, &mark, err);
}

static void do_stop(json_t *marks, const void *arg)
{
	(void)arg;
	add_mark(marks, NULL, false);
	json_object_set_new(marks, "stopped", json_true());
}

int marks_stop(struct error *err)
{
	return change(do_stop, NULL, err);
}

static void do_begin(json_t *marks, const void *arg)
{
	(void)arg;
	add_mark(marks, NULL, false);
}

int marks_restore_began(struct error *err)
{
	return change(do_begin, NULL, err);
}

static void do_end(json_t *marks, const void *arg)
{
	const struct phases *clock = arg;
	json_t *measured = json_object();

	for (int i = 0; i < PHASE_COUNT; i++) {
		const struct phase_time *time = &clock->of[i];

		if (time->source == BY_TOOL)
			json_object_set_new(measured, phase_name((enum phase)i),
				json_pack("{s:I, s:I, s:I, s:I}", "milliseconds", (json_int_t)time->ms, "humanMilliseconds",
					(json_int_t)time->human_ms, "began", (json_int_t)time->began, "ended", (json_int_t)time->ended));
	}
	json_object_set_new(marks, "restore",
		json_pack("{s:o, s:I, s:I, s:s?}", "phases", measured, "greenAt", (json_int_t)clock->green_at, "idleMilliseconds",
			(json_int_t)clock->idle_ms, "unproven", clock->unproven));
}

int marks_restore_ended(const struct phases *clock, struct error *err)
{
	return change(do_end, clock, err);
}

/* ---- taking it over ---- */

/* From one mark to another by the surer clock; a jump of the wall clock in between is noted. */
static int64_t stretch(const json_t *from, const json_t *to, struct phases *clock)
{
	const char *boot = json_text_at(from, "boot", NULL), *other = json_text_at(to, "boot", NULL);
	int64_t wall = integer_at(to, "at") - integer_at(from, "at"), steady = integer_at(to, "monotonic") - integer_at(from, "monotonic");

	if (!boot || !other || !*boot || strcmp(boot, other) != 0)
		return wall > 0 ? wall : 0;
	phases_jumped(clock, integer_at(to, "at"), wall - steady);
	return steady;
}

static void take_stretch(struct phase_time *time, const json_t *from, const json_t *to, struct phases *clock)
{
	const char *boot = json_text_at(from, "boot", NULL);
	int64_t ms = stretch(from, to, clock);

	time->source = BY_CLOCK;
	time->how = boot && !*boot ? PHASE_DECLARED : PHASE_MEASURED;
	time->ms = time->ms < 0 ? 0 : time->ms;
	if (json_is_true(json_object_get(from, "waiting")))
		time->human_ms += ms;
	else
		time->ms += ms;
	time->began = time->began ? time->began : integer_at(from, "at");
	time->ended = integer_at(to, "at");
}

static void take_marks(const json_t *list, struct phases *clock)
{
	struct phase_time times[PHASE_COUNT];
	struct error ignored = ERROR_INIT;
	enum phase phase;

	for (int i = 0; i < PHASE_COUNT; i++)
		times[i] = (struct phase_time)PHASE_TIME_INIT;
	for (size_t i = 0; i + 1 < json_array_size(list); i++) {
		const json_t *from = json_array_get(list, i), *to = json_array_get(list, i + 1);
		const char *name = json_text_at(from, "phase", NULL);

		if (name && phase_find(&phase, name, &ignored) == 0)
			take_stretch(&times[phase], from, to, clock);
		else
			(void)stretch(from, to, clock);
	}
	for (int i = 0; i < PHASE_COUNT; i++)
		if (times[i].how != PHASE_MISSING)
			(void)phase_set(clock, (enum phase)i, &times[i]);
}

/* What a restore has left is as sure as if it were measured here. */
static void take_restore(const json_t *restore, struct phases *clock)
{
	for (int i = 0; i < PHASE_COUNT; i++) {
		const json_t *json = json_at(restore, "phases", phase_name((enum phase)i), NULL);
		struct phase_time time = {.how = PHASE_MEASURED,
			.source = BY_TOOL,
			.ms = integer_at(json, "milliseconds"),
			.human_ms = integer_at(json, "humanMilliseconds"),
			.began = integer_at(json, "began"),
			.ended = integer_at(json, "ended")};

		if (json)
			(void)phase_set(clock, (enum phase)i, &time);
	}
	clock->green_at = integer_at(restore, "greenAt");
	clock->idle_ms = integer_at(restore, "idleMilliseconds");
	if (!clock->green_at)
		phases_unproven(clock, json_text_at(restore, "unproven", NULL) ? json_text_at(restore, "unproven", NULL) : UNVERIFIED);
}

void marks_take(const json_t *marks, struct phases *clock)
{
	auto_json json_t *until = json_deep_copy(marks);
	const json_t *list = json_object_get(until, "marks");

	if (marks_state(marks) != MARKS_STOPPED)
		add_mark(until, NULL, false);
	if (!clock->declared_at)
		clock->declared_at = marks_declared_at(marks);
	take_marks(list, clock);
	clock->last.wall = integer_at(last_mark(until), "at");
}

void marks_take_restore(const json_t *marks, struct phases *clock)
{
	take_restore(json_object_get(marks, "restore"), clock);
}
