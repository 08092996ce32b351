/* SPDX-License-Identifier: Apache-2.0 */
/* The section `recovery` of a configuration file. */
#include "support.h"

#include <string.h>

#include "restore/recovery.h"
#include "util/error.h"
#include "util/json.h"
#include "util/strbuf.h"
#include "util/yaml.h"

static int read_text(struct recovery *recovery, const char *text, struct strlist *at, struct error *err)
{
	auto_json json_t *section = yaml_read(text, strlen(text), err);

	if (!section)
		fail_msg("%s", err->text);
	return recovery_read(recovery, section, "/etc/rhaii-dr", at, err);
}

static void test_it_says_what_is_run_what_is_assumed_and_what_does_not_apply(void **state)
{
	struct recovery recovery = {0};
	auto_strlist struct strlist at = STRLIST_INIT;
	struct error err = ERROR_INIT;
	const struct recovery_phase *create = &recovery.phases[PHASE_CREATE_CLUSTER];

	(void)state;
	assert_int_equal(read_text(&recovery,
				 "rto: 30m\nphases:\n  create-cluster: {run: [./create.sh, \"\"], timeout: 20m, assumed: 12m}\n"
				 "  cutover: {notApplicable: one DNS name}\n  converge: {assumed: 10m}\n"
				 "source: {context: prod, kubeconfig: prod.kubeconfig}\n",
				 &at, &err),
		0);
	assert_int_equal(create->run.count, 2);
	assert_string_equal(create->run.items[0], "./create.sh");
	assert_int_equal(create->timeout_ms, 1200000);
	assert_int_equal(create->assumed_ms, 720000);
	assert_string_equal(recovery.phases[PHASE_CUTOVER].not_applicable, "one DNS name");
	assert_string_equal(recovery.source_kubeconfig, "/etc/rhaii-dr/prod.kubeconfig");
	assert_int_equal(recovery.phases[PHASE_SECRETS].assumed_ms, -1);
	recovery_release(&recovery);
}

/* The way leads to the fault. */
static void test_what_is_wrong_is_named_with_its_way(void **state)
{
	static const struct {
		const char *text, *way, *fault;
	} rows[] = {
		{"phase: {}", "phase", "unknown key 'phase'"},
		{"phases: []", "phases", "expected a map of phases"},
		{"phases: {cutver: {}}", "phases cutver", "there is no phase 'cutver'"},
		{"phases: {cutover: {runs: [x]}}", "phases cutover runs", "unknown key 'runs'"},
		{"phases: {cutover: {run: ./x.sh}}", "phases cutover run", "expected a list of strings, the program first"},
		{"phases: {cutover: {run: []}}", "phases cutover run", "expected a list of strings, the program first"},
		{"phases: {cutover: {run: [\"\"]}}", "phases cutover run", "expected a list of strings, the program first"},
		{"phases: {apply: {run: [x]}}", "phases apply run", "the phase 'apply' is run by the restore itself"},
		{"phases: {verify: {notApplicable: x}}", "phases verify notApplicable", "the phase 'verify' is part of every restore"},
		{"phases: {cleanup: {assumed: 5m}}", "phases cleanup assumed", "the phase 'cleanup' is outside the RTO"},
		{"phases: {cutover: {notApplicable: true}}", "phases cutover notApplicable", "expected the reason, as a string"},
		{"phases: {cutover: {notApplicable: x, assumed: 5m}}", "phases cutover", "it is not applicable, and run or assumed"},
		{"phases: {cutover: {timeout: 5m}}", "phases cutover", "'timeout' without 'run'"},
		{"phases: {cutover: {run: [x], timeout: 0}}", "phases cutover timeout", "expected a duration that is not 0"},
		{"phases: {cutover: {assumed: 10}}", "phases cutover assumed", "expected a duration (90s, 30m, 1h30m)"},
		{"source: {context: 5}", "source context", "expected a string"},
		{"[]", "", "expected a map of keys and values"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct recovery recovery = {0};
		auto_strlist struct strlist at = STRLIST_INIT;
		auto_strbuf struct strbuf way = STRBUF_INIT;
		struct error err = ERROR_INIT;

		assert_int_equal(read_text(&recovery, rows[i].text, &at, &err), -1);
		for (size_t k = 0; k < at.count; k++)
			strbuf_addf(&way, "%s%s", k ? " " : "", at.items[k]);
		assert_string_equal(err.text, rows[i].fault);
		assert_string_equal(way.buf, rows[i].way);
		assert_int_equal(err.code, ERR_USAGE);
		recovery_release(&recovery);
	}
}

static void test_the_clock_takes_it_over_where_nothing_surer_is_known(void **state)
{
	struct recovery recovery = {0}, nothing = {0};
	auto_strlist struct strlist at = STRLIST_INIT;
	struct error err = ERROR_INIT;
	struct phases clock;

	(void)state;
	assert_int_equal(
		read_text(&recovery, "phases: {create-cluster: {assumed: 12m}, secrets: {assumed: 3m}, cutover: {notApplicable: one name}}",
			&at, &err),
		0);
	phases_init(&clock, 1800000);
	assert_int_equal(phases_declare(&clock, "secrets=4m", &err), 0);
	recovery_assume(&recovery, &clock);
	recovery_assume(&nothing, &clock);
	assert_int_equal(clock.of[PHASE_CREATE_CLUSTER].how, PHASE_ASSUMED);
	assert_int_equal(clock.of[PHASE_CREATE_CLUSTER].ms, 720000);
	assert_int_equal(clock.of[PHASE_SECRETS].ms, 240000);
	assert_int_equal(clock.of[PHASE_CUTOVER].how, PHASE_NOT_APPLICABLE);
	assert_string_equal(clock.of[PHASE_CUTOVER].reason, "one name");
	assert_int_equal(clock.of[PHASE_DECLARE].how, PHASE_MISSING);
	phases_release(&clock);
	recovery_release(&recovery);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_says_what_is_run_what_is_assumed_and_what_does_not_apply),
		cmocka_unit_test(test_what_is_wrong_is_named_with_its_way),
		cmocka_unit_test(test_the_clock_takes_it_over_where_nothing_surer_is_known),
	};

	return cmocka_run_group_tests_name("restore_recovery", tests, NULL, NULL);
}
