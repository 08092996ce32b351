/* SPDX-License-Identifier: Apache-2.0 */
/* The clock that a person keeps: its file, and what a restore makes of it. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "restore/marks.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/file.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"

#define MINUTE 60000
#define FILE_PATH "state/rhaii-dr/clock.json"

static int set_up(void **state)
{
	auto_free char *home = NULL;

	if (support_enter_dir(state) < 0)
		return -1;
	home = xasprintf("%s/state", (const char *)*state);
	setenv("XDG_STATE_HOME", home, 1);
	return 0;
}

static int tear_down(void **state)
{
	unsetenv("RHAII_DR_TEST_TIME");
	return support_leave_dir(state);
}

/* The file as it was written at other times: marks of {at minutes, phase, boot}; phase NULL: none runs from there. */
struct written {
	int at;
	const char *phase, *boot;
	bool waiting;
	int steady; /* minutes of the monotonic clock */
};

static json_t *marks_of(const struct written *rows, size_t count, bool stopped)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list,
			json_pack("{s:I, s:I, s:s, s:s?, s:b}", "at", (json_int_t)rows[i].at * MINUTE, "monotonic",
				(json_int_t)rows[i].steady * MINUTE, "boot", rows[i].boot, "phase", rows[i].phase, "waiting",
				(int)rows[i].waiting));
	return json_pack("{s:i, s:I, s:I, s:b, s:o}", "format", 1, "startedAt", (json_int_t)rows[0].at * MINUTE, "declaredAt",
		(json_int_t)rows[0].at * MINUTE, "stopped", (int)stopped, "marks", list);
}

/* The caller releases the clock. */
static void take(struct phases *clock, const struct written *rows, size_t count)
{
	auto_json json_t *marks = marks_of(rows, count, true);

	phases_init(clock, 30 * MINUTE);
	marks_take(marks, clock);
}
#define TAKE(clock, rows) take(clock, rows, sizeof(rows) / sizeof(*(rows)))

/* ---- what the marks say ---- */

static void test_a_phase_lasts_until_the_next_mark(void **state)
{
	static const struct written rows[] = {{1000, "declare", "a", false, 1}, {1005, "create-cluster", "a", false, 6},
		{1015, "create-cluster", "a", true, 16}, {1018, "secrets", "a", false, 19}, {1020, "create-cluster", "a", false, 21},
		{1021, NULL, "a", false, 22}};
	struct phases clock;

	(void)state;
	TAKE(&clock, rows);
	assert_int_equal(clock.declared_at, 1000 * MINUTE);
	assert_int_equal(clock.of[PHASE_DECLARE].ms, 5 * MINUTE);
	assert_int_equal(clock.of[PHASE_CREATE_CLUSTER].ms, 11 * MINUTE);
	assert_int_equal(clock.of[PHASE_CREATE_CLUSTER].human_ms, 3 * MINUTE);
	assert_int_equal(clock.of[PHASE_CREATE_CLUSTER].began, 1005 * MINUTE);
	assert_int_equal(clock.of[PHASE_CREATE_CLUSTER].ended, 1021 * MINUTE);
	assert_int_equal(clock.of[PHASE_SECRETS].ms, 2 * MINUTE);
	assert_int_equal(clock.of[PHASE_SECRETS].how, PHASE_MEASURED);
	assert_int_equal(clock.of[PHASE_CUTOVER].how, PHASE_MISSING);
	assert_int_equal(json_array_size(clock.jumps), 0);
	phases_release(&clock);
}

/* The monotonic clock begins anew; only the wall clock knows how long it took. */
static void test_a_phase_goes_over_a_reboot(void **state)
{
	static const struct written rows[] = {
		{1000, "declare", "a", false, 500}, {1010, "create-cluster", "a", false, 510}, {1030, NULL, "b", false, 2}};
	struct phases clock;

	(void)state;
	TAKE(&clock, rows);
	assert_int_equal(clock.of[PHASE_CREATE_CLUSTER].ms, 20 * MINUTE);
	assert_int_equal(json_array_size(clock.jumps), 0);
	phases_release(&clock);
}

static void test_a_wall_clock_that_was_set_is_noticed(void **state)
{
	static const struct written rows[] = {{1000, "declare", "a", false, 1}, {1070, NULL, "a", false, 11}};
	struct phases clock;

	(void)state;
	TAKE(&clock, rows);
	assert_int_equal(clock.of[PHASE_DECLARE].ms, 10 * MINUTE);
	assert_int_equal(json_array_size(clock.jumps), 1);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(clock.jumps, 0), "milliseconds")), (json_int_t)60 * MINUTE);
	phases_release(&clock);
}

static void test_what_was_said_on_the_command_line_is_surer(void **state)
{
	static const struct written rows[] = {{1000, "create-cluster", "a", false, 1}, {1010, NULL, "a", false, 11}};
	auto_json json_t *marks = marks_of(rows, 2, true);
	struct error err = ERROR_INIT;
	struct phases clock;

	(void)state;
	phases_init(&clock, 30 * MINUTE);
	clock.declared_at = 990 * MINUTE;
	assert_int_equal(phases_declare(&clock, "create-cluster=8m", &err), 0);
	marks_take(marks, &clock);
	assert_int_equal(clock.of[PHASE_CREATE_CLUSTER].ms, 8 * MINUTE);
	assert_int_equal(clock.declared_at, 990 * MINUTE);
	phases_release(&clock);
}

/* ---- the file ---- */

static json_t *loaded(void)
{
	struct error err = ERROR_INIT;
	json_t *marks;

	if (marks_load(&marks, &err) < 0)
		fail_msg("%s", err.text);
	return marks;
}

static void test_it_is_started_marked_and_stopped(void **state)
{
	struct error err = ERROR_INIT;
	auto_json json_t *running = NULL, *stopped = NULL;
	struct phases clock;
	bool waiting;

	(void)state;
	assert_int_equal(marks_start(clock_now_ms() - 25 * MINUTE, &err), 0);
	assert_int_equal(marks_mark(PHASE_CREATE_CLUSTER, true, &err), 0);
	running = loaded();
	assert_int_equal(marks_state(running), MARKS_RUNNING);
	assert_string_equal(marks_current(running, &waiting), "create-cluster");
	assert_true(waiting);
	assert_int_equal(marks_start(0, &err), -1);
	assert_int_equal(err.code, ERR_EXISTS);
	assert_int_equal(marks_stop(&err), 0);
	stopped = loaded();
	assert_int_equal(marks_state(stopped), MARKS_STOPPED);
	assert_int_equal(marks_mark(PHASE_SECRETS, false, &err), -1);
	assert_int_equal(err.code, ERR_USAGE);
	phases_init(&clock, 30 * MINUTE);
	marks_take(stopped, &clock);
	assert_int_equal(clock.of[PHASE_DECLARE].how, PHASE_DECLARED); /* its beginning is a person's word */
	assert_true(clock.of[PHASE_DECLARE].ms >= 25 * MINUTE - 1000);
	assert_int_equal(marks_start(0, &err), 0);
	phases_release(&clock);
}

static void test_one_of_yesterday_is_old(void **state)
{
	struct error err = ERROR_INIT;
	auto_json json_t *marks = NULL;

	(void)state;
	setenv("RHAII_DR_TEST_TIME", "1795550400", 1);
	assert_int_equal(marks_start(0, &err), 0);
	marks = loaded();
	setenv("RHAII_DR_TEST_TIME", "1795636800", 1);
	assert_int_equal(marks_state(marks), MARKS_RUNNING);
	setenv("RHAII_DR_TEST_TIME", "1795636801", 1);
	assert_int_equal(marks_state(marks), MARKS_OLD);
	assert_int_equal(marks_start(0, &err), 0); /* it is in nobody's way */
}

static void test_what_is_no_clock_is_refused(void **state)
{
	static const struct {
		const char *text, *fault;
	} rows[] = {{"{", "clock '"}, {"{}", "is no clock"},
		{"{\"format\":2,\"marks\":[]}", "format 2 is newer than the 1 that this program reads"}};
	struct error err = ERROR_INIT;
	json_t *marks;

	(void)state;
	assert_int_equal(marks_load(&marks, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_int_equal(file_mkdirs("state/rhaii-dr", &err), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		support_write_file(FILE_PATH, rows[i].text);
		assert_int_equal(marks_load(&marks, &err), -1);
		assert_int_equal(err.code, ERR_INTEGRITY);
		assert_non_null(strstr(err.text, rows[i].fault));
	}
}

/* ---- with a restore in between ---- */

static void test_a_restore_leaves_its_phases_and_its_proof(void **state)
{
	struct error err = ERROR_INIT;
	struct phases restore, before, after;
	auto_json json_t *open = NULL, *ended = NULL;

	(void)state;
	assert_int_equal(marks_start(0, &err), 0);
	assert_int_equal(marks_mark(PHASE_SECRETS, false, &err), 0);
	assert_int_equal(marks_restore_began(&err), 0);
	open = loaded();
	phases_init(&before, 30 * MINUTE);
	marks_take(open, &before);
	marks_take_restore(open, &before);
	assert_non_null(before.unproven);
	phases_init(&restore, 30 * MINUTE);
	phase_start(&restore, PHASE_APPLY);
	phase_stop(&restore, PHASE_APPLY);
	restore.green_at = clock_now_ms();
	assert_int_equal(marks_restore_ended(&restore, &err), 0);
	assert_int_equal(marks_mark(PHASE_CUTOVER, false, &err), 0);
	assert_int_equal(marks_stop(&err), 0);
	ended = loaded();
	phases_init(&after, 30 * MINUTE);
	marks_take(ended, &after);
	marks_take_restore(ended, &after);
	assert_null(after.unproven);
	assert_int_equal(after.green_at, restore.green_at);
	assert_int_equal(after.of[PHASE_APPLY].source, BY_TOOL);
	assert_int_equal(after.of[PHASE_CUTOVER].how, PHASE_MEASURED);
	assert_int_equal(after.of[PHASE_SECRETS].ms, before.of[PHASE_SECRETS].ms);
	phases_release(&before);
	phases_release(&restore);
	phases_release(&after);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_phase_lasts_until_the_next_mark),
		cmocka_unit_test(test_a_phase_goes_over_a_reboot),
		cmocka_unit_test(test_a_wall_clock_that_was_set_is_noticed),
		cmocka_unit_test(test_what_was_said_on_the_command_line_is_surer),
		TEST(test_it_is_started_marked_and_stopped),
		TEST(test_one_of_yesterday_is_old),
		TEST(test_what_is_no_clock_is_refused),
		TEST(test_a_restore_leaves_its_phases_and_its_proof),
	};

	return cmocka_run_group_tests_name("restore_marks", tests, NULL, NULL);
}
