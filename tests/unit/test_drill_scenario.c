/* SPDX-License-Identifier: Apache-2.0 */
/* Scenarios: what a file may say, what is refused with its key, and when a drill is called slower. */
#include "support.h"

#include <math.h>
#include <string.h>

#include "drill/drill.h"
#include "drill/scenario.h"
#include "util/json.h"
#include "util/mem.h"

static void test_all_keys_are_read(void **state)
{
	struct scenarios scenarios;
	struct error err = ERROR_INIT;
	const struct scenario *half;

	(void)state;
	support_write_file("drills.yaml",
		"scenarios:\n"
		"- name: newest\n"
		"- name: old\n"
		"  snapshot: \"@{2026-11-13T00:00Z}\"\n"
		"- name: half\n"
		"  last: 3\n"
		"  only: [\"kind=llmisvc,ns=prod\"]\n"
		"  map-namespace: [a=b]\n"
		"  map-gateway: [a/b=c/d]\n"
		"  map-cidr: [10.0.0.0/8=11.0.0.0/8]\n"
		"  map-host: [\"*.a.example=*.b.example\"]\n"
		"  wait: 0\n"
		"  rto: 45m\n"
		"  phases: {create-cluster: {assumed: 7m}}\n");
	if (scenarios_read(&scenarios, "drills.yaml", &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(scenarios.count, 3);
	assert_null(scenarios.items[0].snapshot);
	assert_int_equal(scenarios.items[0].wait_ms, -1);
	assert_null(scenarios.items[0].recovery.directory);
	assert_string_equal(scenarios.items[1].snapshot, "@{2026-11-13T00:00Z}");
	half = &scenarios.items[2];
	assert_int_equal(half->last, 3);
	assert_string_equal(half->selection.only.items[0], "kind=llmisvc,ns=prod");
	assert_string_equal(half->mapping.rules[MAP_NAMESPACE].items[0], "a=b");
	assert_string_equal(half->mapping.rules[MAP_GATEWAY].items[0], "a/b=c/d");
	assert_string_equal(half->mapping.rules[MAP_CIDR].items[0], "10.0.0.0/8=11.0.0.0/8");
	assert_string_equal(half->mapping.rules[MAP_HOST].items[0], "*.a.example=*.b.example");
	assert_int_equal(half->wait_ms, 0);
	assert_int_equal(half->rto_ms, 45 * 60000);
	assert_non_null(half->recovery.directory);
	assert_int_equal(half->recovery.phases[PHASE_CREATE_CLUSTER].assumed_ms, 7 * 60000);
	scenarios_release(&scenarios);
}

static void test_what_is_none_is_refused_and_named(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{"", "a list 'scenarios'"},
		{"scenarios: []\n", "a list 'scenarios'"},
		{"scenarios: [{name: a}]\nother: 1\n", "a list 'scenarios'"},
		{"scenarios: [a]\n", "scenario 1: not a map"},
		{"scenarios: [{last: 1}]\n", "scenario 1: it has no name"},
		{"scenarios: [{name: a}, {name: a}]\n", "scenario 2: another one has the name 'a'"},
		{"scenarios: [{name: A b}]\n", "'name': not a name"},
		{"scenarios: [{name: a, nap: 1}]\n", "unknown key 'nap'"},
		{"scenarios: [{name: a, last: 0}]\n", "'last': not a number"},
		{"scenarios: [{name: a, last: 1, snapshot: x}]\n", "both 'snapshot' and 'last'"},
		{"scenarios: [{name: a, only: x}]\n", "'only': not a list of texts"},
		{"scenarios: [{name: a, map-host: [1]}]\n", "'map-host': not a list of texts"},
		{"scenarios: [{name: a, wait: 5}]\n", "'wait': not a duration"},
		{"scenarios: [{name: a, rto: soon}]\n", "'rto'"},
		{"scenarios: [{name: a, phases: {apply: {run: [x]}}}]\n", "'phases'"},
		{"scenarios: [{name: a\n", "scenarios 'drills.yaml'"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scenarios scenarios;
		struct error err = ERROR_INIT;

		support_write_file("drills.yaml", rows[i].text);
		assert_int_equal(scenarios_read(&scenarios, "drills.yaml", &err), -1);
		assert_int_equal(err.code, ERR_USAGE);
		if (!strstr(err.text, rows[i].says))
			fail_msg("%s: %s", rows[i].text, err.text);
	}
}

/* ---- slower ---- */

static json_t *point(const char *id, const char *result, const char *mode, int apply, int verify)
{
	return json_pack("{s:s, s:n, s:s, s:s, s:s, s:{s:i, s:i}}", "id", id, "scenario", "kind", "drill", "mode", mode, "result", result,
		"phases", "apply", apply, "verify", verify);
}

static json_t *record(int apply, int verify)
{
	json_t *json = json_pack("{s:s, s:n, s:s, s:s}", "id", "now", "scenario", "kind", "drill", "mode", "real");

	json_object_set_new(json, "phases",
		json_pack("[{s:s, s:s, s:i, s:b}, {s:s, s:s, s:i, s:b}, {s:s, s:s, s:i, s:b}, {s:s, s:s, s:i, s:b}]", "name", "apply",
			"how", "measured", "milliseconds", apply, "inRto", 1, "name", "verify", "how", "measured", "milliseconds", verify,
			"inRto", 1, "name", "declare", "how", "assumed", "milliseconds", 1000000, "inRto", 1, "name", "cleanup", "how",
			"measured", "milliseconds", 1000000, "inRto", 0));
	return json;
}

static void test_slower_is_held_against_the_median_of_those_like_it(void **state)
{
	auto_json json_t *now = record(90, 30);
	auto_json json_t *trend = json_pack("[o, o, o, o, o, o]", point("a", "passed", "real", 50, 50),
		point("b", "passed with findings", "real", 60, 40), point("c", "failed", "real", 1, 1), point("d", "passed", "local", 1, 1),
		point("e", "passed", "real", 5000, 1), point("now", "passed", "real", 90, 30));
	double percent;

	(void)state;
	assert_true(drill_slower(now, trend, &percent));
	assert_true(fabs(percent - 20) < 0.001);
}

static void test_without_one_like_it_nothing_is_slower(void **state)
{
	auto_json json_t *now = record(90, 30);
	auto_json json_t *trend = json_pack("[o, o, {s:s, s:n, s:s, s:s, s:s, s:{s:i}}]", point("c", "failed", "real", 1, 1),
		point("d", "passed", "local", 1, 1), "id", "f", "scenario", "kind", "drill", "mode", "real", "result", "passed", "phases",
		"apply", 5);
	double percent;

	(void)state;
	assert_false(drill_slower(now, trend, &percent)); /* the last one did not measure all that this one did */
	assert_false(drill_slower(now, NULL, &percent));
}

#define in_dir(test) cmocka_unit_test_setup_teardown(test, support_enter_dir, support_leave_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_dir(test_all_keys_are_read),
		in_dir(test_what_is_none_is_refused_and_named),
		cmocka_unit_test(test_slower_is_held_against_the_median_of_those_like_it),
		cmocka_unit_test(test_without_one_like_it_nothing_is_slower),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
