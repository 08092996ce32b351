/* SPDX-License-Identifier: Apache-2.0 */
/* What somebody hears who waits for a restore. */
#include "support.h"

#include <string.h>

#include "restore_support.h"
#include "util/clock.h"
#include "util/mem.h"

#define MINUTE 60000

/* A restore of one ConfigMap that has not been sent; the disaster was so long ago. */
static struct restore *begun(struct restore_fixture *f, int64_t ago_ms)
{
	restore_object("configmaps", CONFIG("prod", "app", "one"));
	restore_hello(f);
	restore_no_configs(f);
	restore_plan(f);
	f->settings.wait_ms = 30 * MINUTE;
	f->restore->phases->declared_at = clock_now_ms() - ago_ms;
	return f->restore;
}

static void running(struct restore *restore, enum phase phase, int64_t since_ms)
{
	phase_start(restore->phases, phase);
	restore->phases->running[phase].monotonic -= since_ms;
}

static void assume(struct restore *restore, enum phase phase, int64_t ms)
{
	struct phase_time time = {.how = PHASE_ASSUMED, .source = BY_CONFIGURATION, .ms = ms};

	assert_true(phase_set(restore->phases, phase, &time));
}

static void tell_now(void *restore)
{
	progress_tell(restore);
}

/* What it says now, or "". */
static void tell(struct restore *restore, struct strbuf *said)
{
	auto_free char *text = support_stderr_of(tell_now, restore);

	strbuf_truncate(said, 0);
	strbuf_adds(said, text);
}

static void assert_said(const struct strbuf *said, const char *part)
{
	if (!strstr(said->buf, part))
		fail_msg("'%s' is not in '%s'", part, said->buf);
}

/* Twenty-five minutes are gone, twelve more are needed: five minutes are left. */
static void test_an_rto_that_will_be_missed_is_told_early(void **state)
{
	struct restore_fixture *f = *state;
	struct restore *restore = begun(f, 25 * MINUTE);
	auto_strbuf struct strbuf said = STRBUF_INIT;

	restore->actions[0].result = RESULT_CREATED;
	assume(restore, PHASE_CONVERGE, 12 * MINUTE);
	running(restore, PHASE_CONVERGE, 0);
	progress_await(restore, 1, "LLMInferenceService ns/qwen: Ready is False");
	tell(restore, &said);
	assert_said(&said, "warning: will miss the RTO by 7m");
	assert_said(&said, "converge needs 12m more, for 1: LLMInferenceService ns/qwen: Ready is False");
	tell(restore, &said); /* once is enough, and not so soon */
	assert_string_equal(said.buf, "");
}

static void test_what_is_in_time_is_told_without_a_warning(void **state)
{
	struct restore_fixture *f = *state;
	struct restore *restore = begun(f, 10 * MINUTE);
	auto_strbuf struct strbuf said = STRBUF_INIT;

	restore->actions[0].result = RESULT_CREATED;
	assume(restore, PHASE_CONVERGE, 12 * MINUTE);
	running(restore, PHASE_CONVERGE, 2 * MINUTE);
	progress_await(restore, 1, "LLMInferenceService ns/qwen: Ready is False");
	tell(restore, &said);
	assert_string_equal(said.buf, ""); /* the first look only sets the pace */
	restore->tell_at = 1;
	tell(restore, &said);
	assert_said(&said, "waiting for 1: LLMInferenceService ns/qwen: Ready is False, for 2m");
	assert_said(&said, "; 10m");
	assert_said(&said, " left of the RTO, end expected in ");
	assert_said(&said, ", not counting verify, cutover");
	assert_null(strstr(said.buf, "warning"));
}

/* What was measured the last time stands in for what nobody assumes. */
static void test_the_last_time_tells_how_long_it_may_take(void **state)
{
	struct restore_fixture *f = *state;
	struct restore *restore = begun(f, 25 * MINUTE);
	auto_strbuf struct strbuf said = STRBUF_INIT;

	restore->actions[0].result = RESULT_CREATED;
	f->settings.expected_ms[PHASE_VERIFY] = 20 * MINUTE;
	running(restore, PHASE_CONVERGE, 0);
	tell(restore, &said);
	assert_said(&said, "will miss the RTO by 15m");
	assert_said(&said, "verify needs 20m more");
}

static void test_the_apply_tells_wave_count_and_rate(void **state)
{
	struct restore_fixture *f = *state;
	struct restore *restore = begun(f, 10 * MINUTE);
	auto_strbuf struct strbuf said = STRBUF_INIT;

	running(restore, PHASE_APPLY, 10000);
	restore->apply_total = 101;
	restore->tell_at = 1;
	tell(restore, &said);
	assert_said(&said, "wave plain, 100 of 101 done, 10.0 a second; ");
	assert_said(&said, "not counting converge, verify, cutover");
}

/* There is nothing left to be early about. */
static void test_an_rto_that_is_missed_is_said_to_be(void **state)
{
	struct restore_fixture *f = *state;
	struct restore *restore = begun(f, 31 * MINUTE);
	auto_strbuf struct strbuf said = STRBUF_INIT;

	running(restore, PHASE_APPLY, 0);
	tell(restore, &said);
	assert_said(&said, "warning: the RTO is missed already, by 1m");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, restore_set_up, restore_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_an_rto_that_will_be_missed_is_told_early),
		TEST(test_what_is_in_time_is_told_without_a_warning),
		TEST(test_the_last_time_tells_how_long_it_may_take),
		TEST(test_the_apply_tells_wave_count_and_rate),
		TEST(test_an_rto_that_is_missed_is_said_to_be),
	};

	return cmocka_run_group_tests_name("restore_progress", tests, NULL, NULL);
}
