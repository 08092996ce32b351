/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "util/log.h"
#include "util/mem.h"

static void log_all(void *arg)
{
	(void)arg;
	log_error("e %d", 1);
	log_warning("w");
	log_info("i");
	log_debug("d");
}

static void assert_logged(enum log_level level, bool json, void (*fn)(void *arg), const char *want)
{
	const struct log_settings settings = {.level = level, .json = json}, usual = {.level = LOG_INFO};
	auto_free char *text = NULL;

	log_setup(&settings);
	text = support_stderr_of(fn, NULL);
	log_setup(&usual);
	assert_string_equal(text, want);
}

static void test_text_line_names_program_and_level(void **state)
{
	(void)state;
	assert_logged(LOG_DEBUG, false, log_all, "rhaii-dr: error: e 1\nrhaii-dr: warning: w\nrhaii-dr: i\nrhaii-dr: debug: d\n");
}

static void test_what_is_below_the_level_is_not_shown(void **state)
{
	(void)state;
	assert_logged(LOG_ERROR, false, log_all, "rhaii-dr: error: e 1\n");
	assert_logged(LOG_INFO, false, log_all, "rhaii-dr: error: e 1\nrhaii-dr: warning: w\nrhaii-dr: i\n");
}

static void log_foreign(void *arg)
{
	(void)arg;
	log_info("name '%s'", "a\n\x1B[31m\"\xFF");
}

/* One event is one line, whatever an object is called. */
static void test_foreign_text_is_escaped(void **state)
{
	(void)state;
	assert_logged(LOG_INFO, false, log_foreign, "rhaii-dr: name 'a\\n\\x1B[31m\"\\xFF'\n");
}

static void test_json_line_has_time_level_and_message(void **state)
{
	(void)state;
	setenv("RHAII_DR_TEST_TIME", "1795183200", 1);
	assert_logged(LOG_INFO, true, log_foreign,
		"{\"level\":\"info\",\"message\":\"name 'a\\\\n\\\\x1B[31m\\\"\\\\xFF'\",\"time\":\"2026-11-20T14:00:00Z\"}\n");
	unsetenv("RHAII_DR_TEST_TIME");
}

static void log_with_errno(void *arg)
{
	errno = EXDEV;
	log_info("x");
	*(int *)arg = errno;
}

/* A caller may log before it reports errno. */
static void test_errno_survives_a_log_call(void **state)
{
	auto_free char *text = NULL;
	int after = 0;

	(void)state;
	text = support_stderr_of(log_with_errno, &after);
	assert_int_equal(after, EXDEV);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_line_names_program_and_level),
		cmocka_unit_test(test_what_is_below_the_level_is_not_shown),
		cmocka_unit_test(test_foreign_text_is_escaped),
		cmocka_unit_test(test_json_line_has_time_level_and_message),
		cmocka_unit_test(test_errno_survives_a_log_call),
	};

	return cmocka_run_group_tests(tests, support_enter_dir, support_leave_dir);
}
