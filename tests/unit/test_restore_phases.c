/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include "restore/phases.h"
#include "util/clock.h"
#include "util/json.h"

/* All phases known, a second each: ten seconds. */
static void know_all(struct phases *phases, int64_t rto_ms)
{
	phases_init(phases, rto_ms);
	for (int i = 0; i < PHASE_COUNT; i++)
		phases->spent[i] = 1000;
}

static void assert_rto(const struct phases *phases, const char *verdict, json_int_t known, json_int_t margin)
{
	auto_json json_t *json = phases_json(phases);
	const json_t *rto = json_object_get(json, "rto");

	assert_string_equal(json_text_at(rto, "verdict", NULL), verdict);
	assert_int_equal(json_integer_value(json_object_get(rto, "targetMilliseconds")), phases->rto_ms);
	assert_int_equal(json_integer_value(json_object_get(rto, "knownMilliseconds")), known);
	assert_int_equal(json_integer_value(json_object_get(rto, "marginMilliseconds")), margin);
}

/* ---- verdicts ---- */

static void test_met_needs_every_phase(void **state)
{
	struct phases phases;

	(void)state;
	know_all(&phases, 12000);
	assert_rto(&phases, "met", 10000, 2000);
	phases.spent[PHASE_SECRETS] = -1;
	assert_rto(&phases, "at least", 9000, 3000);
}

static void test_the_last_millisecond_is_in_time(void **state)
{
	struct phases phases;

	(void)state;
	know_all(&phases, 10000);
	assert_rto(&phases, "met", 10000, 0);
	assert_int_equal(phases_missed(&phases), 0);
}

static void test_a_millisecond_more_is_missed(void **state)
{
	struct phases phases;

	(void)state;
	know_all(&phases, 9999);
	assert_rto(&phases, "missed", 10000, -1);
	assert_int_equal(phases_missed(&phases), 1);
}

/* What is not known can only make it longer. */
static void test_missed_needs_no_more_than_what_is_known(void **state)
{
	struct phases phases;

	(void)state;
	phases_init(&phases, 5000);
	phases.spent[PHASE_APPLY] = 6000;
	assert_rto(&phases, "missed", 6000, -1000);
}

static void test_nothing_known_is_at_least_nothing(void **state)
{
	struct phases phases;

	(void)state;
	phases_init(&phases, 5000);
	assert_rto(&phases, "at least", 0, 5000);
}

/* ---- what is measured ---- */

static void test_a_phase_that_took_no_time_is_measured(void **state)
{
	struct phases phases;
	auto_json json_t *json = NULL;
	const json_t *fetch;

	(void)state;
	phases_init(&phases, 5000);
	phases.spent[PHASE_FETCH] = 0;
	json = phases_json(&phases);
	fetch = json_array_get(json_object_get(json, "phases"), PHASE_FETCH);
	assert_string_equal(json_text_at(fetch, "how", NULL), "measured");
	assert_int_equal(json_integer_value(json_object_get(fetch, "milliseconds")), 0);
	assert_int_equal(json_array_size(json_at(json, "rto", "missing", NULL)), PHASE_COUNT - 1);
}

static void test_a_phase_that_did_not_run_has_no_time(void **state)
{
	struct phases phases;
	auto_json json_t *json = NULL;
	const json_t *cutover;

	(void)state;
	phases_init(&phases, 5000);
	json = phases_json(&phases);
	cutover = json_array_get(json_object_get(json, "phases"), PHASE_CUTOVER);
	assert_string_equal(json_text_at(cutover, "how", NULL), "not measured");
	assert_true(json_is_null(json_object_get(cutover, "milliseconds")));
}

static void test_names_come_in_the_order_of_a_recovery(void **state)
{
	static const char *const names[] = {"declare", "create-cluster", "install-operators", "secrets", "fetch", "preflight", "apply",
		"converge", "verify", "cutover"};
	struct phases phases;
	auto_json json_t *json = NULL;

	(void)state;
	phases_init(&phases, 5000);
	json = phases_json(&phases);
	assert_int_equal(json_array_size(json_object_get(json, "phases")), PHASE_COUNT);
	for (size_t i = 0; i < PHASE_COUNT; i++) {
		assert_string_equal(json_text_at(json_array_get(json_object_get(json, "phases"), i), "name", NULL), names[i]);
		assert_string_equal(json_string_value(json_array_get(json_at(json, "rto", "missing", NULL), i)), names[i]);
	}
}

static void test_missing_names_only_what_is_not_known(void **state)
{
	struct phases phases;
	auto_json json_t *json = NULL;
	const json_t *missing;

	(void)state;
	know_all(&phases, 20000);
	phases.spent[PHASE_SECRETS] = phases.spent[PHASE_CUTOVER] = -1;
	json = phases_json(&phases);
	missing = json_at(json, "rto", "missing", NULL);
	assert_int_equal(json_array_size(missing), 2);
	assert_string_equal(json_string_value(json_array_get(missing, 0)), "secrets");
	assert_string_equal(json_string_value(json_array_get(missing, 1)), "cutover");
}

static void test_start_and_stop_measure(void **state)
{
	struct phases phases;

	(void)state;
	phases_init(&phases, 5000);
	phase_start(&phases, PHASE_APPLY);
	assert_int_equal(phases_known_ms(&phases), 0);
	clock_sleep_ms(5);
	phase_stop(&phases, PHASE_APPLY);
	assert_true(phases.spent[PHASE_APPLY] >= 4);
	assert_int_equal(phases_known_ms(&phases), phases.spent[PHASE_APPLY]);
}

static void test_a_second_run_of_a_phase_adds_to_the_first(void **state)
{
	struct phases phases;

	(void)state;
	phases_init(&phases, 5000);
	phases.spent[PHASE_FETCH] = 1000;
	phase_start(&phases, PHASE_FETCH);
	clock_sleep_ms(5);
	phase_stop(&phases, PHASE_FETCH);
	assert_true(phases.spent[PHASE_FETCH] >= 1004);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_met_needs_every_phase),
		cmocka_unit_test(test_the_last_millisecond_is_in_time),
		cmocka_unit_test(test_a_millisecond_more_is_missed),
		cmocka_unit_test(test_missed_needs_no_more_than_what_is_known),
		cmocka_unit_test(test_nothing_known_is_at_least_nothing),
		cmocka_unit_test(test_a_phase_that_took_no_time_is_measured),
		cmocka_unit_test(test_a_phase_that_did_not_run_has_no_time),
		cmocka_unit_test(test_names_come_in_the_order_of_a_recovery),
		cmocka_unit_test(test_missing_names_only_what_is_not_known),
		cmocka_unit_test(test_start_and_stop_measure),
		cmocka_unit_test(test_a_second_run_of_a_phase_adds_to_the_first),
	};

	return cmocka_run_group_tests_name("restore_phases", tests, NULL, NULL);
}
