/* SPDX-License-Identifier: Apache-2.0 */
/* Commands of the phases that others run: real programs, in a directory of their own. */
#include "support.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "drill/command.h"
#include "restore/recovery.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/file.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"

struct fixture {
	char *dir;
	struct recovery recovery;
	struct phases clock;
	struct error err;
};

static int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	auto_free char *state_home = NULL;
	void *dir = NULL;

	if (support_enter_dir(&dir) < 0)
		return -1;
	f->dir = dir;
	f->recovery.directory = xasprintf("%s/config", f->dir);
	(void)mkdir("config", 0755);
	state_home = xasprintf("%s/state", f->dir);
	setenv("XDG_STATE_HOME", state_home, 1);
	setenv("RHAII_DR_TEST_TIME", "1795550400", 1);
	phases_init(&f->clock, 1800000);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	void *dir = f->dir;

	unsetenv("RHAII_DR_TEST_TIME");
	phases_release(&f->clock);
	recovery_release(&f->recovery);
	free(f);
	return support_leave_dir(&dir);
}

/* Run the script config/do.sh as the phase create-cluster. */
static int run(struct fixture *f, const char *script, int64_t timeout_ms)
{
	static const char *const variables[] = {"DRILL=yes", NULL};
	struct recovery_phase *row = &f->recovery.phases[PHASE_CREATE_CLUSTER];

	support_write_file("config/do.sh", script);
	assert_int_equal(chmod("config/do.sh", 0755), 0);
	strlist_add(&row->run, "./do.sh");
	strlist_add(&row->run, "two words");
	row->timeout_ms = timeout_ms;
	return phase_run_command(&f->clock, PHASE_CREATE_CLUSTER, &f->recovery, variables, &f->err);
}

static const json_t *command_of(const struct fixture *f)
{
	return f->clock.of[PHASE_CREATE_CLUSTER].command;
}

static void assert_output(const char *want)
{
	static const char path[] = "state/rhaii-dr/output/20261124T200000Z-create-cluster.log";
	auto_strbuf struct strbuf text = STRBUF_INIT;
	struct error err = ERROR_INIT;
	struct stat status;

	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	assert_int_equal(file_read(path, 1 << 20, &text, &err), 0);
	assert_string_equal(text.buf, want);
}

static void test_it_runs_beside_the_configuration_and_is_timed(void **state)
{
	struct fixture *f = *state;
	const struct phase_time *time = &f->clock.of[PHASE_CREATE_CLUSTER];

	assert_int_equal(run(f, "#!/bin/sh\necho \"$1|$RHAII_DR_PHASE|$DRILL|$(basename \"$PWD\")\"; echo seen >&2; sleep 0.05\n", 0), 0);
	assert_output("two words|create-cluster|yes|config\nseen\n");
	assert_int_equal(time->how, PHASE_MEASURED);
	assert_int_equal(time->source, BY_COMMAND);
	assert_true(time->ms >= 50);
	assert_int_equal(json_integer_value(json_object_get(command_of(f), "exitCode")), 0);
	assert_int_equal(json_array_size(json_object_get(command_of(f), "lastLines")), 0); /* it did not fail */
	assert_string_equal(
		json_text_at(command_of(f), "outputSha256", NULL), "57a1996bfa6e537adb6292972a274ba259eec681296894b0844ca4f2e5b8ba78");
	assert_null(f->clock.unproven);
}

static void test_one_that_fails_shows_its_last_lines_without_credentials(void **state)
{
	static const char *const want[] = {"<redacted>", "<redacted>", "<redacted>", "<redacted>", "quota exceeded in zone b", "caf??"};
	struct fixture *f = *state;
	const json_t *lines;

	assert_int_equal(run(f,
				 "#!/bin/sh\necho export HF_TOKEN=abc\necho '{\"password\": \"abc\"}'\necho Authorization: Bearer abc\n"
				 "echo MIIEpAIBAAKCAQEAxyzMIIEpAIBAAKCAQEAxyz0123456789\necho quota exceeded in zone b\n"
				 "printf 'caf\\303\\251\\n'\nexit 3\n",
				 0),
		-1);
	lines = json_object_get(command_of(f), "lastLines");
	assert_int_equal(json_array_size(lines), sizeof(want) / sizeof(*want));
	for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++)
		assert_string_equal(json_string_value(json_array_get(lines, i)), want[i]);
	assert_int_equal(json_integer_value(json_object_get(command_of(f), "exitCode")), 3);
	assert_non_null(strstr(f->err.text, "phase 'create-cluster': "));
	assert_non_null(strstr(f->err.text, "failed with exit code 3"));
	assert_non_null(strstr(f->err.hint, "20261124T200000Z-create-cluster.log"));
	assert_non_null(f->clock.unproven);
}

static void test_a_long_output_is_hashed_whole_and_shown_in_part(void **state)
{
	struct fixture *f = *state;
	const json_t *lines;

	assert_int_equal(run(f, "#!/bin/sh\nseq 100000 130000\nexit 1\n", 0), -1);
	lines = json_object_get(command_of(f), "lastLines");
	assert_int_equal(json_array_size(lines), 10);
	assert_string_equal(json_string_value(json_array_get(lines, 0)), "129991");
	assert_string_equal(json_string_value(json_array_get(lines, 9)), "130000");
}

/* And with it what it has started. */
static void test_one_that_takes_too_long_is_killed_with_all_it_started(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run(f, "#!/bin/sh\n(sleep 1; echo late >../late) &\nsleep 60\n", 200), -1);
	assert_non_null(strstr(f->err.text, "did not end within 1 s"));
	assert_true(json_is_true(json_object_get(command_of(f), "timedOut")));
	assert_true(json_is_null(json_object_get(command_of(f), "exitCode")));
	assert_true(f->clock.of[PHASE_CREATE_CLUSTER].ms < 30000);
	clock_sleep_ms(1200);
	assert_false(file_exists("late"));
}

static void test_one_that_is_not_there_is_said(void **state)
{
	struct fixture *f = *state;
	struct recovery_phase *row = &f->recovery.phases[PHASE_SECRETS];

	strlist_add(&row->run, "./nothing.sh");
	assert_int_equal(phase_run_command(&f->clock, PHASE_SECRETS, &f->recovery, NULL, &f->err), -1);
	assert_int_equal(f->err.code, ERR_NOT_FOUND);
	assert_non_null(strstr(f->err.text, "there is no program"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_it_runs_beside_the_configuration_and_is_timed),
		TEST(test_one_that_fails_shows_its_last_lines_without_credentials),
		TEST(test_a_long_output_is_hashed_whole_and_shown_in_part),
		TEST(test_one_that_takes_too_long_is_killed_with_all_it_started),
		TEST(test_one_that_is_not_there_is_said),
	};

	return cmocka_run_group_tests_name("drill_command", tests, NULL, NULL);
}
