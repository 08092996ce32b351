/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>

#include "util/clock.h"

#define EXAMPLE ((time_t)1795183200) /* 2026-11-20T14:00:00Z */

static void test_wall_clock_can_be_held(void **state)
{
	(void)state;
	setenv("RHAII_DR_TEST_TIME", "1795183200", 1);
	assert_int_equal(clock_now(), EXAMPLE);
	unsetenv("RHAII_DR_TEST_TIME");
}

static void test_wall_clock_runs_when_not_held(void **state)
{
	(void)state;
	unsetenv("RHAII_DR_TEST_TIME");
	assert_true(clock_now() > 1700000000);
}

/* A slip in a variable for tests must not put 1970 into a snapshot. */
static void test_hold_that_is_no_number_is_ignored(void **state)
{
	(void)state;
	setenv("RHAII_DR_TEST_TIME", "12x", 1);
	assert_true(clock_now() > 1700000000);
	unsetenv("RHAII_DR_TEST_TIME");
}

static void test_format_is_rfc3339_in_utc(void **state)
{
	char buf[CLOCK_TEXT_SIZE];

	(void)state;
	assert_string_equal(clock_format(EXAMPLE, buf), "2026-11-20T14:00:00Z");
	assert_string_equal(clock_format(0, buf), "1970-01-01T00:00:00Z");
}

static void test_compact_format_suits_a_file_name(void **state)
{
	char buf[CLOCK_TEXT_SIZE];

	(void)state;
	assert_string_equal(clock_format_compact(EXAMPLE, buf), "20261120T140000Z");
}

static void test_time_out_of_range_is_an_empty_text(void **state)
{
	char buf[CLOCK_TEXT_SIZE];

	(void)state;
	assert_string_equal(clock_format((time_t)INT64_MAX, buf), "");
}

static void assert_time(const char *text, time_t want)
{
	struct error err = ERROR_INIT;
	time_t got;

	assert_int_equal(clock_parse(text, &got, &err), 0);
	assert_int_equal(got, want);
}

static void test_parse_reads_utc(void **state)
{
	(void)state;
	assert_time("2026-11-20T14:00:00Z", EXAMPLE);
	assert_time("2026-11-20t14:00:00z", EXAMPLE);
}

static void test_parse_applies_the_offset(void **state)
{
	(void)state;
	assert_time("2026-11-20T15:30:00+01:30", EXAMPLE);
	assert_time("2026-11-20T06:00:00-08:00", EXAMPLE);
}

static void test_seconds_may_be_left_out(void **state)
{
	(void)state;
	assert_time("2026-11-20T14:00Z", EXAMPLE);
}

static void test_fractions_are_dropped(void **state)
{
	(void)state;
	assert_time("2026-11-20T14:00:00.999999Z", EXAMPLE);
}

static void test_leap_day_and_leap_second_exist(void **state)
{
	(void)state;
	assert_time("2028-02-29T00:00:00Z", 1835395200);
	assert_time("2016-12-31T23:59:60Z", 1483228800);
}

static void test_every_formatted_time_is_parsed_back(void **state)
{
	char buf[CLOCK_TEXT_SIZE];

	(void)state;
	for (time_t when = 0; when < 4000000000; when += 86399 * 11)
		assert_time(clock_format(when, buf), when);
}

static void assert_no_time(const char *text)
{
	struct error err = ERROR_INIT;
	time_t got;

	assert_int_equal(clock_parse(text, &got, &err), -1);
	assert_int_equal(err.code, ERR_SYNTAX);
}

static void test_text_of_another_form_is_refused(void **state)
{
	static const char *const bad[] = {"", "now", "2026-11-20", "2026-11-20 14:00:00Z", "2026-11-20T14:00:00", "2026-11-20T14Z",
		"2026-11-20T14:00:00Z ", "2026-11-20T14:00:00.Z", "2026-1-20T14:00:00Z", "2026-11-20T14:00:00+1",
		"2026-11-20T14:00:00+24:00", "-026-11-20T14:00:00Z", "2026-11-20T14:00:0", "2026-11-20T14:00:00+0100"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_no_time(bad[i]);
}

static void test_time_that_never_was_is_refused(void **state)
{
	static const char *const bad[] = {"2026-00-20T14:00:00Z", "2026-13-20T14:00:00Z", "2026-11-00T14:00:00Z", "2026-11-31T14:00:00Z",
		"2026-02-29T14:00:00Z", "2100-02-29T14:00:00Z", "2026-11-20T24:00:00Z", "2026-11-20T14:60:00Z", "2026-11-20T14:00:61Z"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_no_time(bad[i]);
}

static void assert_duration(const char *text, int64_t want)
{
	struct error err = ERROR_INIT;
	int64_t got = -1;

	assert_int_equal(clock_parse_duration(text, &got, &err), 0);
	assert_int_equal(got, want);
}

static void test_duration_reads_each_unit_and_their_sum(void **state)
{
	(void)state;
	assert_duration("0", 0);
	assert_duration("0s", 0);
	assert_duration("500ms", 500);
	assert_duration("90s", 90000);
	assert_duration("30m", 1800000);
	assert_duration("1h30m", 5400000);
	assert_duration("1h2m3s4ms", 3723004);
}

static void test_duration_without_a_clear_meaning_is_refused(void **state)
{
	static const char *const bad[] = {
		"", "5", "00", "s", "-5s", "+5s", "1.5h", "5 s", "5sec", "30m30m", "30s1m", "5s ", "1d", "5S", "1h0"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct error err = ERROR_INIT;
		int64_t got;

		assert_int_equal(clock_parse_duration(bad[i], &got, &err), -1);
		assert_int_equal(err.code, ERR_SYNTAX);
	}
}

static void test_duration_that_overflows_is_refused(void **state)
{
	static const char *const bad[] = {"99999999999999999999s", "9223372036854775807h", "2562047788015h9223372036854775807ms"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct error err = ERROR_INIT;
		int64_t got;

		assert_int_equal(clock_parse_duration(bad[i], &got, &err), -1);
	}
}

static void assert_shown(int64_t ms, const char *want)
{
	char buf[CLOCK_TEXT_SIZE];

	assert_string_equal(clock_format_duration(ms, buf), want);
}

static void test_duration_is_shown_in_units_that_people_read(void **state)
{
	(void)state;
	assert_shown(0, "0.0s");
	assert_shown(840, "0.8s");
	assert_shown(83400, "1m 23.4s");
	assert_shown(3723400, "1h 2m 3.4s");
	assert_shown(1800000, "30m");
	assert_shown(-840, "-0.8s");
}

/* Not "1m 60.0s". */
static void test_rounding_carries_into_the_next_unit(void **state)
{
	(void)state;
	assert_shown(59960, "1m");
	assert_shown(3599960, "1h 0m");
}

static void test_longest_duration_fits(void **state)
{
	(void)state;
	assert_shown(INT64_MIN, "-2562047788015h 12m 55.8s");
}

static void on_alarm(int number)
{
	(void)number;
}

/* A SIGCHLD or SIGALRM must not shorten the wait before a retry. */
static void test_sleep_goes_on_after_signals(void **state)
{
	const struct itimerval often = {{0, 5000}, {0, 5000}}, never = {{0, 0}, {0, 0}};
	struct sigaction action = {.sa_handler = on_alarm};
	int64_t start;

	(void)state;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	start = clock_monotonic_ms();
	clock_sleep_ms(60);
	assert_true(clock_monotonic_ms() - start >= 59);
	setitimer(ITIMER_REAL, &never, NULL);
}

static void test_sleep_of_nothing_returns_at_once(void **state)
{
	(void)state;
	clock_sleep_ms(0);
	clock_sleep_ms(-5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wall_clock_can_be_held),
		cmocka_unit_test(test_wall_clock_runs_when_not_held),
		cmocka_unit_test(test_hold_that_is_no_number_is_ignored),
		cmocka_unit_test(test_format_is_rfc3339_in_utc),
		cmocka_unit_test(test_compact_format_suits_a_file_name),
		cmocka_unit_test(test_time_out_of_range_is_an_empty_text),
		cmocka_unit_test(test_parse_reads_utc),
		cmocka_unit_test(test_parse_applies_the_offset),
		cmocka_unit_test(test_seconds_may_be_left_out),
		cmocka_unit_test(test_fractions_are_dropped),
		cmocka_unit_test(test_leap_day_and_leap_second_exist),
		cmocka_unit_test(test_every_formatted_time_is_parsed_back),
		cmocka_unit_test(test_text_of_another_form_is_refused),
		cmocka_unit_test(test_time_that_never_was_is_refused),
		cmocka_unit_test(test_duration_reads_each_unit_and_their_sum),
		cmocka_unit_test(test_duration_without_a_clear_meaning_is_refused),
		cmocka_unit_test(test_duration_that_overflows_is_refused),
		cmocka_unit_test(test_duration_is_shown_in_units_that_people_read),
		cmocka_unit_test(test_rounding_carries_into_the_next_unit),
		cmocka_unit_test(test_longest_duration_fits),
		cmocka_unit_test(test_sleep_goes_on_after_signals),
		cmocka_unit_test(test_sleep_of_nothing_returns_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
