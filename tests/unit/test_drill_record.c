/* SPDX-License-Identifier: Apache-2.0 */
/* The record of a restore: of a real report, on a fake cluster. */
#include "support.h"

#include <string.h>

#include "drill/record.h"
#include "restore/phases.h"
#include "restore_support.h"
#include "util/error.h"
#include "util/file.h"
#include "util/json.h"
#include "util/mem.h"

#define ONE CONFIG("prod", "app", "one")

/* One ConfigMap is created with this answer; f->report is the report. */
static void restore_one(struct restore_fixture *f, int status, const char *answer)
{
	restore_object("configmaps", ONE);
	restore_hello(f);
	restore_no_configs(f);
	(void)fake_cluster_say(&f->cluster, POST_CONFIG("prod"), status, answer);
	restore_plan(f);
	if (restore_apply(f) < 0)
		fail_msg("%s", f->err->text);
}

static json_t *record_of(const struct restore_fixture *f, const struct phases *clock)
{
	const struct record_input input = {.kind = "restore", .mode = "real", .report = f->report, .clock = clock, .outcome = &f->outcome};

	return record_make(&input);
}

static bool has_reason(const json_t *record, const char *part)
{
	const json_t *reason;
	size_t i;

	json_array_foreach (json_at(record, "verdict", "reasons", NULL), i, reason)
		if (strstr(json_string_value(reason), part))
			return true;
	return false;
}

static void know(struct phases *phases, enum phase phase, int64_t ms)
{
	struct phase_time time = {.how = PHASE_MEASURED, .source = BY_TOOL, .ms = ms};

	assert_true(phase_set(phases, phase, &time));
}

/* ---- what is in it ---- */

/* All keys, in every record: a reader need not ask whether one is there. */
static void test_a_record_has_every_key(void **state)
{
	static const char *const keys[] = {"cleanup", "converge", "counts", "differences", "endedAt", "findings", "format", "id",
		"identity", "injected", "input", "kind", "mode", "name", "notTested", "phases", "preflight", "previous", "probeCounts",
		"probes", "rejections", "requests", "resumed", "retries", "rpo", "rto", "scenario", "services", "startedAt",
		"throttledMilliseconds", "verdict", "waves"};
	struct restore_fixture *f = *state;
	auto_json json_t *record = NULL;
	auto_free const char **found = NULL;
	size_t count;

	restore_one(f, 201, ONE);
	record = record_of(f, NULL);
	found = json_sorted_keys(record, &count);
	assert_int_equal(count, sizeof(keys) / sizeof(*keys));
	for (size_t i = 0; i < count; i++)
		assert_string_equal(found[i], keys[i]);
}

static void test_it_says_what_was_restored_onto_what(void **state)
{
	struct restore_fixture *f = *state;
	auto_json json_t *record = NULL;
	const json_t *wave;

	restore_one(f, 201, ONE);
	record = record_of(f, NULL);
	wave = json_array_get(json_object_get(record, "waves"), 0);
	assert_string_equal(json_text_at(record, "name", NULL), "prod");
	assert_string_equal(json_text_at(record, "identity", "source", "id", NULL), "old");
	assert_int_equal(strlen(json_text_at(record, "identity", "tool", "binarySha256", NULL)), 64);
	assert_int_equal(strlen(json_text_at(record, "identity", "policySha256", NULL)), 64);
	assert_int_equal(json_integer_value(json_at(record, "input", "objects", NULL)), 1);
	assert_int_equal(json_integer_value(json_at(wave, "counts", "created", NULL)), 1);
	assert_true(json_integer_value(json_object_get(wave, "offsetMilliseconds")) >= 0);
}

static void test_what_the_server_refused_is_in_its_words(void **state)
{
	struct restore_fixture *f = *state;
	auto_json json_t *record = NULL;
	const json_t *rejection;

	restore_one(f, 422, REFUSED);
	record = record_of(f, NULL);
	rejection = json_array_get(json_object_get(record, "rejections"), 0);
	assert_string_equal(json_text_at(rejection, "object", NULL), "ConfigMap prod/app");
	assert_non_null(strstr(json_text_at(rejection, "text", NULL), "spec.replicas must not be negative"));
	assert_string_equal(json_text_at(record, "verdict", "result", NULL), "failed");
	assert_int_equal(json_integer_value(json_at(record, "verdict", "exitCode", NULL)), 3);
	assert_true(has_reason(record, "1 object failed"));
}

/* ---- verdicts ---- */

static void test_a_phase_unknown_is_never_met(void **state)
{
	struct restore_fixture *f = *state;
	auto_json json_t *record = NULL;

	restore_one(f, 201, ONE);
	record = record_of(f, NULL);
	assert_string_equal(json_text_at(record, "rto", "verdict", NULL), "at least");
	assert_string_equal(json_text_at(record, "verdict", "result", NULL), "passed with findings");
	assert_true(
		has_reason(record, "nothing is known of declare, create-cluster, install-operators, secrets, converge, verify, cutover"));
}

static void test_a_slow_phase_is_missed_and_named(void **state)
{
	struct restore_fixture *f = *state;
	struct phases clock;
	auto_json json_t *record = NULL;

	restore_one(f, 201, ONE);
	phases_init(&clock, 1800000);
	know(&clock, PHASE_APPLY, 60000);
	know(&clock, PHASE_CONVERGE, 1800000);
	record = record_of(f, &clock);
	assert_string_equal(json_text_at(record, "rto", "verdict", NULL), "missed");
	assert_true(has_reason(record, "RTO missed by 1m: converge took 30m"));
	phases_release(&clock);
}

/* Nothing is wrong, and one phase is only assumed: the record says so, and is no plain pass. */
static void test_what_is_assumed_is_not_tested(void **state)
{
	struct phase_time assumed = {.how = PHASE_ASSUMED, .source = BY_CONFIGURATION, .ms = 600000};
	struct restore_fixture *f = *state;
	struct phases clock;
	auto_json json_t *record = NULL;
	const json_t *untested;

	restore_one(f, 201, ONE);
	json_object_set_new(f->report, "probes", json_array());
	phases_init(&clock, 1800000);
	for (int i = 0; i < PHASE_CLEANUP; i++)
		know(&clock, (enum phase)i, 1000);
	clock.of[PHASE_CUTOVER] = (struct phase_time)PHASE_TIME_INIT;
	assert_true(phase_set(&clock, PHASE_CUTOVER, &assumed));
	record = record_of(f, &clock);
	untested = json_object_get(record, "notTested");
	assert_string_equal(json_text_at(record, "rto", "verdict", NULL), "met");
	assert_int_equal(json_array_size(untested), 1);
	assert_string_equal(json_text_at(json_array_get(untested, 0), "what", NULL), "phase cutover");
	assert_string_equal(json_text_at(json_array_get(untested, 0), "reason", NULL), "assumed to take 10m");
	assert_string_equal(json_text_at(record, "verdict", "result", NULL), "passed with findings");
	phases_release(&clock);
}

/* ---- its bytes ---- */

static void test_a_record_is_read_back_as_the_same_bytes(void **state)
{
	struct restore_fixture *f = *state;
	auto_json json_t *record = NULL, *read = NULL;
	auto_strbuf struct strbuf first = STRBUF_INIT, file = STRBUF_INIT, again = STRBUF_INIT;
	auto_free char *path = NULL;

	restore_one(f, 201, ONE);
	record = record_of(f, NULL);
	record_text(record, &first);
	assert_int_equal(record_write(record, "records", &path, f->err), 0);
	assert_int_equal(file_read(path, 1 << 20, &file, f->err), 0);
	assert_string_equal(file.buf, first.buf);
	assert_int_equal(record_read(&read, file.buf, file.len, f->err), 0);
	record_text(read, &again);
	assert_string_equal(again.buf, first.buf);
	assert_int_equal(first.buf[first.len - 1], '\n');
}

static void refused(const char *text, const char *fault)
{
	struct error err = ERROR_INIT;
	json_t *record;

	assert_int_equal(record_read(&record, text, strlen(text), &err), -1);
	assert_null(record);
	assert_int_equal(err.code, ERR_INTEGRITY);
	assert_non_null(strstr(err.text, fault));
}

static void test_what_is_no_record_is_refused(void **state)
{
	(void)state;
	refused("{", "line 1");
	refused("[]", "it is not the record of a restore or a drill");
	refused("{\"format\":1}", "it is not the record of a restore or a drill");
	refused("{\"format\":2,\"id\":\"x\",\"verdict\":{}}", "its format 2 is newer than the 1 that this program reads");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, restore_set_up, restore_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_a_record_has_every_key),
		TEST(test_it_says_what_was_restored_onto_what),
		TEST(test_what_the_server_refused_is_in_its_words),
		TEST(test_a_phase_unknown_is_never_met),
		TEST(test_a_slow_phase_is_missed_and_named),
		TEST(test_what_is_assumed_is_not_tested),
		TEST(test_a_record_is_read_back_as_the_same_bytes),
		cmocka_unit_test(test_what_is_no_record_is_refused),
	};

	return cmocka_run_group_tests_name("drill_record", tests, NULL, NULL);
}
