/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <string.h>

#include "restore/phases.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/json.h"
#include "util/mem.h"

#define MINUTE 60000
/* 2026-11-24T20:00:00Z */
#define NOW "1795550400"
#define NOW_MS 1795550400000

/* The wall clock stands at this second. */
static void at(const char *seconds)
{
	setenv("RHAII_DR_TEST_TIME", seconds, 1);
}

static int free_clock(void **state)
{
	(void)state;
	unsetenv("RHAII_DR_TEST_TIME");
	return 0;
}

static void know(struct phases *phases, enum phase phase, int64_t ms)
{
	struct phase_time time = {.how = PHASE_MEASURED, .source = BY_TOOL, .ms = ms};

	assert_true(phase_set(phases, phase, &time));
}

/* All phases known, a second each: ten seconds, and one of cleanup. */
static void know_all(struct phases *phases, int64_t rto_ms)
{
	phases_init(phases, rto_ms);
	for (int i = 0; i < PHASE_COUNT; i++)
		know(phases, (enum phase)i, 1000);
}

/* Releases the phases. */
static void assert_rto(struct phases *phases, const char *verdict, json_int_t known, json_int_t margin)
{
	auto_json json_t *json = phases_json(phases);
	const json_t *rto = json_object_get(json, "rto");

	assert_string_equal(json_text_at(rto, "verdict", NULL), verdict);
	assert_int_equal(json_integer_value(json_object_get(rto, "targetMilliseconds")), phases->rto_ms);
	assert_int_equal(json_integer_value(json_object_get(rto, "knownMilliseconds")), known);
	assert_int_equal(json_integer_value(json_object_get(rto, "marginMilliseconds")), margin);
	phases_release(phases);
}

/* ---- verdicts ---- */

static void test_met_needs_every_phase(void **state)
{
	struct phases phases;

	(void)state;
	know_all(&phases, 12000);
	assert_rto(&phases, "met", 10000, 2000);
	for (int phase = 0; phase < PHASE_CLEANUP; phase++) {
		know_all(&phases, 12000);
		phases.of[phase] = (struct phase_time)PHASE_TIME_INIT;
		assert_rto(&phases, "at least", 9000, 3000);
	}
}

static void test_cleanup_is_outside(void **state)
{
	struct phases phases;

	(void)state;
	know_all(&phases, 10000);
	phases.of[PHASE_CLEANUP].ms = 5000000;
	assert_rto(&phases, "met", 10000, 0);
	know_all(&phases, 10000);
	phases.of[PHASE_CLEANUP] = (struct phase_time)PHASE_TIME_INIT;
	assert_rto(&phases, "met", 10000, 0);
}

static void test_what_does_not_apply_is_known(void **state)
{
	struct phase_time none = {.how = PHASE_NOT_APPLICABLE, .source = BY_CONFIGURATION, .ms = -1};
	struct phases phases;

	(void)state;
	know_all(&phases, 12000);
	phases.of[PHASE_CUTOVER] = (struct phase_time)PHASE_TIME_INIT;
	assert_true(phase_set(&phases, PHASE_CUTOVER, &none));
	assert_rto(&phases, "met", 9000, 3000);
}

static void test_a_millisecond_more_is_missed(void **state)
{
	struct phases phases;

	(void)state;
	know_all(&phases, 9999);
	assert_true(phases_missed(&phases));
	assert_rto(&phases, "missed", 10000, -1);
}

/* What is not known can only make it longer. */
static void test_missed_needs_no_more_than_what_is_known(void **state)
{
	struct phases phases;

	(void)state;
	phases_init(&phases, 5000);
	know(&phases, PHASE_APPLY, 6000);
	assert_rto(&phases, "missed", 6000, -1000);
}

static void test_nothing_known_is_at_least_nothing(void **state)
{
	struct phases phases;

	(void)state;
	phases_init(&phases, 5000);
	assert_rto(&phases, "at least", 0, 5000);
}

static void test_what_is_unproven_is_never_met(void **state)
{
	struct phases phases;

	(void)state;
	know_all(&phases, 12000);
	phases_unproven(&phases, "1 probe failed");
	assert_rto(&phases, "at least", 10000, 2000);
}

/* People and interruptions take time as machines do. */
static void test_people_and_interruptions_count(void **state)
{
	struct phases phases;

	(void)state;
	know_all(&phases, 12000);
	phase_waited(&phases, PHASE_PREFLIGHT, 1500);
	phases.idle_ms = 600;
	assert_int_equal(phases.of[PHASE_PREFLIGHT].ms, 1000);
	assert_rto(&phases, "missed", 12100, -100);
}

static void test_the_longest_phase_is_named(void **state)
{
	struct phases phases;
	auto_json json_t *json = NULL;

	(void)state;
	know_all(&phases, 12000);
	phases.of[PHASE_CONVERGE].ms = 29 * MINUTE;
	phases.of[PHASE_CLEANUP].ms = 60 * MINUTE;
	json = phases_json(&phases);
	assert_string_equal(json_text_at(json, "rto", "worst", NULL), "converge");
	phases_release(&phases);
}

/* ---- the declared start ---- */

/* Ten minutes of phases, but half an hour since the disaster. */
static void test_the_time_since_the_declared_start_counts(void **state)
{
	struct phases phases;
	auto_json json_t *json = NULL;

	(void)state;
	at(NOW);
	know_all(&phases, 29 * MINUTE);
	phases.declared_at = NOW_MS - 30 * MINUTE;
	phases.green_at = NOW_MS;
	phases.of[PHASE_CUTOVER].ended = NOW_MS - MINUTE;
	for (int i = PHASE_CONVERGE; i < PHASE_CUTOVER; i++)
		phases.of[i].ended = NOW_MS;
	json = phases_json(&phases);
	assert_string_equal(json_text_at(json, "rto", "verdict", NULL), "missed");
	assert_int_equal(json_integer_value(json_at(json, "rto", "achievedMilliseconds", NULL)), 30 * MINUTE);
	phases_release(&phases);
}

/* The end is the end of cutover, where that is later than the last green probe. */
static void test_cutover_is_part_of_it(void **state)
{
	struct phases phases;

	(void)state;
	at(NOW);
	phases_init(&phases, 60 * MINUTE);
	phases.declared_at = NOW_MS - 30 * MINUTE;
	phases.green_at = NOW_MS - 10 * MINUTE;
	assert_int_equal(phases_spent_ms(&phases), 20 * MINUTE);
	phases.of[PHASE_CUTOVER] = (struct phase_time){.how = PHASE_DECLARED, .ms = 4 * MINUTE};
	assert_int_equal(phases_spent_ms(&phases), 24 * MINUTE);
	phases.of[PHASE_CUTOVER].ended = NOW_MS - 2 * MINUTE;
	assert_int_equal(phases_spent_ms(&phases), 28 * MINUTE);
	phases_release(&phases);
}

/* Nothing is green yet: the time runs. */
static void test_what_is_not_green_goes_on(void **state)
{
	struct phases phases;

	(void)state;
	at(NOW);
	phases_init(&phases, 30 * MINUTE);
	phases.declared_at = NOW_MS - 31 * MINUTE;
	assert_true(phases_missed(&phases));
	phases_release(&phases);
}

/* Without a declared start, what was achieved is only known when all phases are. */
static void test_achieved_needs_a_start_or_all_phases(void **state)
{
	struct phases phases;
	auto_json json_t *part = NULL, *all = NULL;

	(void)state;
	know_all(&phases, 12000);
	all = phases_json(&phases);
	phases.of[PHASE_SECRETS] = (struct phase_time)PHASE_TIME_INIT;
	part = phases_json(&phases);
	assert_int_equal(json_integer_value(json_at(all, "rto", "achievedMilliseconds", NULL)), 10000);
	assert_true(json_is_null(json_at(part, "rto", "achievedMilliseconds", NULL)));
	phases_release(&phases);
}

/* ---- jumps ---- */

static json_int_t only_jump(const struct phases *phases)
{
	assert_int_equal(json_array_size(phases->jumps), 1);
	return json_integer_value(json_object_get(json_array_get(phases->jumps, 0), "milliseconds"));
}

static void test_a_wall_clock_that_is_set_ahead_is_noticed(void **state)
{
	struct phases phases;

	(void)state;
	at(NOW);
	phases_init(&phases, 5000);
	phase_start(&phases, PHASE_APPLY);
	at("1795554000");
	phase_stop(&phases, PHASE_APPLY);
	phases_tick(&phases);
	assert_true(only_jump(&phases) > 3590000 && only_jump(&phases) <= 3600000);
	assert_true(phases.of[PHASE_APPLY].ms < 60000); /* it lasted as long as it lasted */
	phases_release(&phases);
}

/* The hour that the wall clock lost is not won. */
static void test_a_wall_clock_that_is_set_back_gains_no_time(void **state)
{
	struct phases phases;

	(void)state;
	at(NOW);
	phases_init(&phases, 30 * MINUTE);
	phases.declared_at = NOW_MS - 31 * MINUTE;
	at("1795546800");
	phases_tick(&phases);
	assert_true(only_jump(&phases) <= -3600000);
	assert_true(phases_spent_ms(&phases) >= 31 * MINUTE);
	assert_true(phases_missed(&phases));
	phases_release(&phases);
}

static void test_a_clock_that_runs_as_it_should_has_no_jumps(void **state)
{
	struct phases phases;

	(void)state;
	phases_init(&phases, 5000);
	clock_sleep_ms(5);
	phases_tick(&phases);
	assert_int_equal(json_array_size(phases.jumps), 0);
	phases_release(&phases);
}

/* ---- what is measured ---- */

static void test_a_phase_that_took_no_time_is_measured(void **state)
{
	struct phases phases;
	auto_json json_t *json = NULL;
	const json_t *fetch, *cutover;

	(void)state;
	phases_init(&phases, 5000);
	know(&phases, PHASE_FETCH, 0);
	json = phases_json(&phases);
	fetch = json_array_get(json_object_get(json, "phases"), PHASE_FETCH);
	cutover = json_array_get(json_object_get(json, "phases"), PHASE_CUTOVER);
	assert_string_equal(json_text_at(fetch, "how", NULL), "measured");
	assert_int_equal(json_integer_value(json_object_get(fetch, "milliseconds")), 0);
	assert_string_equal(json_text_at(cutover, "how", NULL), "missing");
	assert_true(json_is_null(json_object_get(cutover, "milliseconds")));
	phases_release(&phases);
}

static void test_names_come_in_the_order_of_a_recovery(void **state)
{
	static const char *const names[] = {"declare", "create-cluster", "install-operators", "secrets", "fetch", "preflight", "apply",
		"converge", "verify", "cutover", "cleanup"};
	struct phases phases;
	auto_json json_t *json = NULL;

	(void)state;
	phases_init(&phases, 5000);
	json = phases_json(&phases);
	assert_int_equal(json_array_size(json_object_get(json, "phases")), PHASE_COUNT);
	assert_int_equal(json_array_size(json_at(json, "rto", "missing", NULL)), PHASE_CLEANUP);
	for (size_t i = 0; i < PHASE_COUNT; i++) {
		assert_string_equal(json_text_at(json_array_get(json_object_get(json, "phases"), i), "name", NULL), names[i]);
		if (i < PHASE_CLEANUP)
			assert_string_equal(json_string_value(json_array_get(json_at(json, "rto", "missing", NULL), i)), names[i]);
	}
	phases_release(&phases);
}

static void test_a_second_run_of_a_phase_adds_to_the_first(void **state)
{
	struct phases phases;

	(void)state;
	phases_init(&phases, 5000);
	know(&phases, PHASE_FETCH, 1000);
	phase_start(&phases, PHASE_FETCH);
	clock_sleep_ms(5);
	phase_stop(&phases, PHASE_FETCH);
	assert_true(phases.of[PHASE_FETCH].ms >= 1004);
	phases_release(&phases);
}

/* Whatever came before it, also what a person assumed of it. */
static void test_what_we_measure_takes_the_place_of_what_was_assumed(void **state)
{
	struct phase_time assumed = {.how = PHASE_ASSUMED, .source = BY_CONFIGURATION, .ms = 10 * MINUTE};
	struct phases phases;

	(void)state;
	phases_init(&phases, 5000);
	assert_true(phase_set(&phases, PHASE_CONVERGE, &assumed));
	phase_start(&phases, PHASE_CONVERGE);
	phase_stop(&phases, PHASE_CONVERGE);
	assert_int_equal(phases.of[PHASE_CONVERGE].how, PHASE_MEASURED);
	assert_true(phases.of[PHASE_CONVERGE].ms < MINUTE);
	phases_release(&phases);
}

static void test_the_surer_source_stays(void **state)
{
	struct phase_time said = {.how = PHASE_DECLARED, .source = BY_OPTION, .ms = 12 * MINUTE};
	struct phase_time assumed = {.how = PHASE_ASSUMED, .source = BY_CONFIGURATION, .ms = 10 * MINUTE};
	struct phases phases;

	(void)state;
	phases_init(&phases, 5000);
	assert_true(phase_set(&phases, PHASE_CREATE_CLUSTER, &said));
	assert_false(phase_set(&phases, PHASE_CREATE_CLUSTER, &assumed));
	assert_int_equal(phases.of[PHASE_CREATE_CLUSTER].ms, 12 * MINUTE);
	phases_release(&phases);
}

/* ---- what a person says ---- */

static void test_a_phase_is_declared_by_its_times(void **state)
{
	struct error err = ERROR_INIT;
	struct phases phases;
	const struct phase_time *time = &phases.of[PHASE_CREATE_CLUSTER];

	(void)state;
	at(NOW);
	phases_init(&phases, 5000);
	assert_int_equal(phases_declare(&phases, "create-cluster=2026-11-24T19:00Z..2026-11-24T20:12:30+01:00", &err), 0);
	assert_int_equal(time->how, PHASE_DECLARED);
	assert_int_equal(time->ms, 12 * MINUTE + 30000);
	assert_int_equal(time->began, NOW_MS - 60 * MINUTE);
	assert_int_equal(phases_declare(&phases, "create-cluster=15m", &err), 0);
	assert_int_equal(time->ms, 15 * MINUTE);
	assert_int_equal(time->began, 0);
	phases_release(&phases);
}

static void test_what_is_no_phase_is_refused(void **state)
{
	static const struct {
		const char *text, *fault;
	} rows[] = {
		{"create-cluster", "'create-cluster' is no phase with its time"},
		{"create-clustr=10m", "there is no phase 'create-clustr'"},
		{"apply=10m", "the phase 'apply' is measured, not declared"},
		{"cleanup=10m", "the phase 'cleanup' is measured, not declared"},
		{"secrets=10", "phase 'secrets': '10' is neither START..END nor a duration"},
		{"secrets=2026-11-24T19:00Z..", "phase 'secrets': not a time: ''"},
		{"secrets=2026-11-24T19:00Z..2026-11-24T18:00Z", "phase 'secrets': it ends before it starts"},
		{"secrets=2026-11-24T19:00Z..2026-11-24T20:30Z", "phase 'secrets': '2026-11-24T20:30Z' is still to come"},
	};
	struct phases phases;

	(void)state;
	at(NOW);
	phases_init(&phases, 5000);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct error err = ERROR_INIT;

		assert_int_equal(phases_declare(&phases, rows[i].text, &err), -1);
		assert_int_equal(err.code, ERR_USAGE);
		assert_non_null(strstr(err.text, rows[i].fault));
	}
	assert_int_equal(phases_known_ms(&phases), 0);
	phases_release(&phases);
}

static void test_the_start_is_a_time_or_so_long_ago(void **state)
{
	struct error err = ERROR_INIT;
	int64_t since;

	(void)state;
	at(NOW);
	assert_int_equal(phases_since(&since, "2026-11-24T19:35Z", &err), 0);
	assert_int_equal(since, NOW_MS - 25 * MINUTE);
	assert_int_equal(phases_since(&since, "25m", &err), 0);
	assert_int_equal(since, NOW_MS - 25 * MINUTE);
	assert_int_equal(phases_since(&since, "2026-11-24T21:35Z", &err), -1);
	assert_int_equal(phases_since(&since, "noon", &err), -1);
	assert_int_equal(err.code, ERR_USAGE);
}

/* ---- over an interruption ---- */

static void test_what_others_know_outlives_an_interruption(void **state)
{
	struct phase_time none = {.how = PHASE_NOT_APPLICABLE, .source = BY_CONFIGURATION, .ms = -1, .reason = xstrdup("no DNS")};
	struct error err = ERROR_INIT;
	struct phases before, after;
	auto_json json_t *past = NULL;

	(void)state;
	at(NOW);
	phases_init(&before, 5000);
	before.declared_at = NOW_MS - MINUTE;
	assert_int_equal(phases_declare(&before, "secrets=3m", &err), 0);
	assert_true(phase_set(&before, PHASE_CUTOVER, &none));
	know(&before, PHASE_APPLY, 1000);
	past = phases_past_json(&before);
	phases_init(&after, 5000);
	assert_int_equal(phases_declare(&after, "secrets=4m", &err), 0);
	phases_past_read(&after, past);
	phases_past_read(&after, NULL);
	assert_int_equal(after.declared_at, NOW_MS - MINUTE);
	assert_int_equal(after.of[PHASE_SECRETS].ms, 4 * MINUTE); /* what was said last */
	assert_int_equal(after.of[PHASE_CUTOVER].how, PHASE_NOT_APPLICABLE);
	assert_string_equal(after.of[PHASE_CUTOVER].reason, "no DNS");
	assert_int_equal(after.of[PHASE_APPLY].how, PHASE_MISSING); /* the journal has it */
	phases_release(&before);
	phases_release(&after);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_met_needs_every_phase),
		cmocka_unit_test(test_cleanup_is_outside),
		cmocka_unit_test(test_what_does_not_apply_is_known),
		cmocka_unit_test(test_a_millisecond_more_is_missed),
		cmocka_unit_test(test_missed_needs_no_more_than_what_is_known),
		cmocka_unit_test(test_nothing_known_is_at_least_nothing),
		cmocka_unit_test(test_what_is_unproven_is_never_met),
		cmocka_unit_test(test_people_and_interruptions_count),
		cmocka_unit_test(test_the_longest_phase_is_named),
		cmocka_unit_test_teardown(test_the_time_since_the_declared_start_counts, free_clock),
		cmocka_unit_test_teardown(test_cutover_is_part_of_it, free_clock),
		cmocka_unit_test_teardown(test_what_is_not_green_goes_on, free_clock),
		cmocka_unit_test(test_achieved_needs_a_start_or_all_phases),
		cmocka_unit_test_teardown(test_a_wall_clock_that_is_set_ahead_is_noticed, free_clock),
		cmocka_unit_test_teardown(test_a_wall_clock_that_is_set_back_gains_no_time, free_clock),
		cmocka_unit_test(test_a_clock_that_runs_as_it_should_has_no_jumps),
		cmocka_unit_test(test_a_phase_that_took_no_time_is_measured),
		cmocka_unit_test(test_names_come_in_the_order_of_a_recovery),
		cmocka_unit_test(test_a_second_run_of_a_phase_adds_to_the_first),
		cmocka_unit_test(test_what_we_measure_takes_the_place_of_what_was_assumed),
		cmocka_unit_test(test_the_surer_source_stays),
		cmocka_unit_test_teardown(test_a_phase_is_declared_by_its_times, free_clock),
		cmocka_unit_test_teardown(test_what_is_no_phase_is_refused, free_clock),
		cmocka_unit_test_teardown(test_the_start_is_a_time_or_so_long_ago, free_clock),
		cmocka_unit_test_teardown(test_what_others_know_outlives_an_interruption, free_clock),
	};

	return cmocka_run_group_tests_name("restore_phases", tests, NULL, NULL);
}
