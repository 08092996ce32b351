/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "util/clock.h"
#include "util/error.h"
#include "util/process.h"
#include "util/strbuf.h"

static int run_shell(const char *script, const char *const *variables, int64_t timeout_ms, struct strbuf *out, struct error *err)
{
	const char *const argv[] = {"sh", "-c", script, NULL};
	const struct process process = {.argv = argv, .variables = variables, .timeout_ms = timeout_ms, .max_output = 100};

	return process_run(&process, out, err);
}

static void assert_prints(const char *script, const char *const *variables, const char *expected)
{
	auto_strbuf struct strbuf out = STRBUF_INIT;
	struct error err = ERROR_INIT;

	if (run_shell(script, variables, 10000, &out, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(out.buf, expected);
}

static void assert_fails(const char *script, int64_t timeout_ms, const char *text)
{
	auto_strbuf struct strbuf out = STRBUF_INIT;
	struct error err = ERROR_INIT;

	assert_int_equal(run_shell(script, NULL, timeout_ms, &out, &err), -1);
	assert_string_equal(err.text, text);
	assert_int_equal(err.code, ERR_FAILED);
}

static void test_gives_what_the_program_prints(void **state)
{
	(void)state;
	assert_prints("printf a; sleep 0.1; printf b", NULL, "ab");
}

static void test_no_shell_touches_the_arguments(void **state)
{
	const char *const argv[] = {"printf", "%s", "$HOME `id` *", NULL};
	const struct process process = {.argv = argv, .timeout_ms = 10000, .max_output = 100};
	auto_strbuf struct strbuf out = STRBUF_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(process_run(&process, &out, &err), 0);
	assert_string_equal(out.buf, "$HOME `id` *");
}

static void test_variables_are_added_and_win(void **state)
{
	const char *const variables[] = {"RHAII_TEST_A=old", "RHAII_TEST_B=b", "RHAII_TEST_A=new", NULL};

	(void)state;
	assert_int_equal(setenv("RHAII_TEST_A", "ours", 1), 0);
	assert_int_equal(setenv("RHAII_TEST_AB", "kept", 1), 0);
	assert_prints("env | grep RHAII_TEST_ | sort | tr '\\n' ' '", variables, "RHAII_TEST_A=new RHAII_TEST_AB=kept RHAII_TEST_B=b ");
	assert_int_equal(unsetenv("RHAII_TEST_A"), 0);
	assert_int_equal(unsetenv("RHAII_TEST_AB"), 0);
}

static void test_there_is_no_input(void **state)
{
	(void)state;
	assert_prints("cat; printf end", NULL, "end");
}

/* A lock among them would be held for as long as the program likes. */
static void test_no_other_file_of_ours_is_open_there(void **state)
{
	int fd = open("/dev/null", O_RDONLY);

	(void)state;
	assert_true(fd > 2);
	assert_int_equal(dup2(fd, 7), 7);
	assert_prints("[ -e /proc/self/fd/7 ] && echo open; true", NULL, "");
	assert_int_equal(close(7), 0);
	assert_int_equal(close(fd), 0);
}

static void test_failures_are_told(void **state)
{
	(void)state;
	assert_fails("echo secret; exit 3", 10000, "'sh' failed with exit code 3");
	assert_fails("kill -15 $$", 10000, "'sh' was ended by signal 15");
	assert_fails("head -c 101 /dev/zero", 10000, "'sh' prints more than 100 bytes");
	assert_prints("head -c 100 /dev/zero | tr '\\0' x | wc -c | tr -d '\\n '", NULL, "100");
}

/* The child of the shell holds the pipe, too: the whole group goes. */
static void test_a_program_that_does_not_end_is_killed(void **state)
{
	int64_t before = clock_monotonic_ms();

	(void)state;
	assert_fails("sleep 30; true", 300, "'sh' did not end within 1 s");
	assert_fails("exec >&-; sleep 30; true", 300, "'sh' did not end within 1 s");
	assert_in_range(clock_monotonic_ms() - before, 600, 5000);
}

/* Plugins leave a cache or a browser behind; nobody waits for these. */
static void test_what_runs_on_in_the_background_is_not_waited_for(void **state)
{
	int64_t before = clock_monotonic_ms();

	(void)state;
	assert_prints("sleep 3 & printf done", NULL, "done");
	assert_in_range(clock_monotonic_ms() - before, 0, 2000);
}

static void test_a_missing_program_is_told(void **state)
{
	const char *argv[] = {"rhaii-no-such-program", NULL};
	const struct process process = {.argv = argv, .timeout_ms = 1000, .max_output = 100};
	auto_strbuf struct strbuf out = STRBUF_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(process_run(&process, &out, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_string_equal(err.text, "there is no program 'rhaii-no-such-program' in the PATH");
	argv[0] = "/dev/null";
	assert_int_equal(process_run(&process, &out, &err), -1);
	assert_string_equal(err.text, "cannot run '/dev/null': Permission denied");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gives_what_the_program_prints),
		cmocka_unit_test(test_no_shell_touches_the_arguments),
		cmocka_unit_test(test_variables_are_added_and_win),
		cmocka_unit_test(test_there_is_no_input),
		cmocka_unit_test(test_no_other_file_of_ours_is_open_there),
		cmocka_unit_test(test_failures_are_told),
		cmocka_unit_test(test_a_program_that_does_not_end_is_killed),
		cmocka_unit_test(test_what_runs_on_in_the_background_is_not_waited_for),
		cmocka_unit_test(test_a_missing_program_is_told),
	};

	return cmocka_run_group_tests_name("util_process", tests, NULL, NULL);
}
