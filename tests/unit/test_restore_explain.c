/* SPDX-License-Identifier: Apache-2.0 */
/* What a plan that is looked at says besides its actions: who set what differs, what can never be changed, what the server would store, how long it takes. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "restore/journal.h"
#include "restore_support.h"
#include "util/json.h"
#include "util/mem.h"

#define MANAGED                                                                                                                            \
	",'managedFields':[{'manager':'kubectl-edit','operation':'Update','time':'2026-11-20T10:00:00Z','fieldsV1':{'f:data':{'f:key':{}}" \
	"}},"                                                                                                                              \
	"{'manager':'helm','operation':'Update','time':'2026-11-19T10:00:00Z','fieldsV1':{'f:immutable':{}}}]"
#define LIVE(value, more)                                                                                                                  \
	"{'apiVersion':'v1','kind':'ConfigMap'," META("prod", "app", ",'uid':'u1','resourceVersion':'4'" MANAGED) ",'data':{'key':'" value \
														  "'}" more "}"
#define GET_CONFIG "GET /api/v1/namespaces/prod/configmaps/app "
#define PUT_CONFIG "PUT /api/v1/namespaces/prod/configmaps/app?dryRun=All "
#define UNKNOWN "{'kind':'Status','reason':'BadRequest','message':'strict decoding error: unknown field \"notAField\"'}"

static const char immutable_policy[] = "format: 1\n"
				       "name: test\n"
				       "strip: [metadata.uid, metadata.resourceVersion, metadata.managedFields, status]\n"
				       "waves:\n"
				       "- {name: plain}\n"
				       "kinds:\n"
				       "- resource: configmaps\n"
				       "  kind: ConfigMap\n"
				       "  wave: plain\n"
				       "  immutable: [data, immutable]\n"
				       "  immutableIf: immutable\n";

static int set_up(void **state)
{
	int rc = restore_set_up(state);
	struct restore_fixture *f = *state;

	f->settings.explain = true;
	setenv("XDG_STATE_HOME", f->dir, 1);
	return rc;
}

static int tear_down(void **state)
{
	unsetenv("XDG_STATE_HOME");
	return restore_tear_down(state);
}

static void with_config(struct restore_fixture *f, const char *live)
{
	restore_object("configmaps", CONFIG("prod", "app", "one"));
	restore_hello(f);
	fake_cluster_list(&f->cluster, CONFIGS, "v1", "ConfigMap", live);
}

static const json_t *field_of(const json_t *document, const char *name, size_t index)
{
	return json_array_get(json_object_get(restore_action(document, name), "fields"), index);
}

/* ---- fields ---- */

static void test_who_set_a_field_that_differs_is_named(void **state)
{
	struct restore_fixture *f = *state;

	with_config(f, LIVE("two", ""));
	(void)fake_cluster_say(&f->cluster, PUT_CONFIG, 422, REFUSED);
	(void)fake_cluster_say(&f->cluster, GET_CONFIG, 200, LIVE("two", ""));
	restore_plan(f);
	assert_string_equal(json_text_at(field_of(f->plan, "app", 0), "path", NULL), "data.key");
	assert_string_equal(json_text_at(field_of(f->plan, "app", 0), "manager", NULL), "kubectl-edit");
	assert_string_equal(json_text_at(field_of(f->plan, "app", 0), "time", NULL), "2026-11-20T10:00:00Z");
	assert_null(json_object_get(field_of(f->plan, "app", 0), "immutable"));
}

static void test_who_set_it_stays_open_where_the_server_does_not_tell(void **state)
{
	struct restore_fixture *f = *state;

	with_config(f, LIVE("two", ""));
	(void)fake_cluster_say(&f->cluster, PUT_CONFIG, 422, REFUSED);
	(void)fake_cluster_say(&f->cluster, GET_CONFIG, 403, REFUSED);
	restore_plan(f);
	assert_null(json_object_get(field_of(f->plan, "app", 0), "manager"));
}

static void test_a_field_that_can_never_change_is_marked(void **state)
{
	struct restore_fixture *f = *state;

	support_write_file("snap/policy.yaml", immutable_policy);
	with_config(f, LIVE("two", ",'immutable':true"));
	(void)fake_cluster_say(&f->cluster, PUT_CONFIG, 422, REFUSED);
	(void)fake_cluster_say(&f->cluster, GET_CONFIG, 200, LIVE("two", ",'immutable':true"));
	restore_plan(f);
	assert_true(json_is_true(json_object_get(field_of(f->plan, "app", 0), "immutable")));
	assert_true(json_is_true(json_object_get(field_of(f->plan, "app", 1), "immutable")));
}

static void test_the_same_field_where_its_condition_does_not_hold(void **state)
{
	struct restore_fixture *f = *state;

	support_write_file("snap/policy.yaml", immutable_policy);
	with_config(f, LIVE("two", ",'immutable':false"));
	(void)fake_cluster_say(&f->cluster, PUT_CONFIG, 422, REFUSED);
	(void)fake_cluster_say(&f->cluster, GET_CONFIG, 200, LIVE("two", ",'immutable':false"));
	restore_plan(f);
	assert_null(json_object_get(field_of(f->plan, "app", 0), "immutable"));
}

/* ---- the dry run ---- */

static const json_t *tried(const struct restore_fixture *f)
{
	const json_t *objects = json_at(f->plan, "serverDryRun", "objects", NULL);

	assert_int_equal(json_array_size(objects), 1);
	return json_array_get(objects, 0);
}

static void assert_tried(const struct restore_fixture *f, const char *result, const char *text)
{
	assert_string_equal(json_text_at(tried(f), "result", NULL), result);
	if (text)
		assert_string_equal(json_text_at(tried(f), "text", NULL), text);
}

static void assert_stored(const struct restore_fixture *f, const char *what, const char *path)
{
	const json_t *field = json_array_get(json_object_get(tried(f), "fields"), 0);

	assert_string_equal(json_text_at(field, "what", NULL), what);
	assert_string_equal(json_text_at(field, "path", NULL), path);
}

static void dry_run(struct restore_fixture *f, int status, const char *answer)
{
	f->settings.server_dry_run = true;
	with_config(f, "");
	(void)fake_cluster_say(&f->cluster, POST_CONFIG("prod") "fieldManager=rhaii-dr&fieldValidation=Strict&dryRun=All ", status, answer);
}

static void test_what_the_server_would_default(void **state)
{
	struct restore_fixture *f = *state;

	dry_run(f, 201, LIVE("one", ",'immutable':false"));
	restore_plan(f);
	assert_tried(f, "accepted", NULL);
	assert_stored(f, "default", "immutable");
}

static void test_what_the_server_would_refuse(void **state)
{
	struct restore_fixture *f = *state;

	dry_run(f, 422, REFUSED);
	restore_plan(f);
	assert_tried(f, "refused", "spec.replicas must not be negative");
}

/* The strict answer names one field; a second, lenient dry run shows what would be left. */
static void test_what_the_server_would_drop(void **state)
{
	struct restore_fixture *f = *state;

	dry_run(f, 400, UNKNOWN);
	(void)fake_cluster_say(&f->cluster, POST_CONFIG("prod") "fieldManager=rhaii-dr&fieldValidation=Ignore&dryRun=All ", 201,
		"{'apiVersion':'v1','kind':'ConfigMap'," META("prod", "app", "") "}");
	restore_plan(f);
	assert_tried(f, "refused", NULL);
	assert_stored(f, "drop", "data");
}

#define PUT_TRIED "PUT /api/v1/namespaces/prod/configmaps/app?fieldManager=rhaii-dr&fieldValidation=Strict&dryRun=All "

/* The plan has asked whether it is refused; the answer of the second one is looked at. */
static void test_what_the_server_would_make_of_an_update(void **state)
{
	struct restore_fixture *f = *state;

	f->settings.server_dry_run = true;
	f->settings.overwrite = true;
	with_config(f, LIVE("two", ""));
	(void)fake_cluster_say(&f->cluster, PUT_CONFIG, 200, LIVE("one", ""));
	(void)fake_cluster_say(&f->cluster, PUT_TRIED, 200, LIVE("one", ""));
	fake_cluster_say_times(&f->cluster, 2, GET_CONFIG, 200, LIVE("two", "")); /* also for who set it */
	(void)fake_cluster_say(&f->cluster, PUT_TRIED, 200, LIVE("one", ",'immutable':false"));
	restore_plan(f);
	assert_action(f->plan, "app", "action", "update");
	assert_tried(f, "accepted", NULL);
	assert_stored(f, "default", "immutable");
	assert_int_equal(json_integer_value(json_at(f->plan, "serverDryRun", "asked", NULL)), 1);
}

static void test_what_cannot_be_tried_is_said(void **state)
{
	struct restore_fixture *f = *state;

	f->settings.server_dry_run = true;
	restore_object("configmaps", CONFIG("new", "app", "one"));
	restore_hello(f);
	restore_no_configs(f);
	restore_plan(f);
	assert_tried(f, "not tried", "its namespace is not there yet");
	assert_int_equal(json_integer_value(json_at(f->plan, "serverDryRun", "notTried", NULL)), 1);
	assert_int_equal(fake_cluster_seen(&f->cluster, "POST /api/v1/namespaces/new"), 0);
}

static void test_nothing_is_tried_unasked(void **state)
{
	struct restore_fixture *f = *state;

	with_config(f, "");
	restore_plan(f);
	assert_true(json_is_null(json_object_get(f->plan, "serverDryRun")));
	assert_int_equal(fake_cluster_seen(&f->cluster, "dryRun"), 0);
}

/* ---- the estimate ---- */

static void journal_of(size_t creates, int64_t ms)
{
	struct error err = ERROR_INIT;
	auto_json json_t *header = json_object(), *actions = json_array();
	auto_free char *dir = NULL;
	struct journal *journal;

	assert_int_equal(journal_directory(&dir, "new", &err), 0);
	for (size_t i = 0; i < creates; i++)
		json_array_append_new(actions, json_pack("{s:s}", "action", "create"));
	assert_int_equal(journal_create(&journal, dir, "20261120T140000Z-0123456789ab", header, actions, &err), 0);
	for (size_t i = 0; i < creates; i++)
		journal_end(journal, i, json_pack("{s:s}", "result", "created"));
	journal_wave(journal, 0, "gate", 90000);
	journal_wave(journal, 0, "apply", ms);
	journal_free(journal);
}

static void test_the_estimate_is_from_earlier_restores(void **state)
{
	struct restore_fixture *f = *state;

	journal_of(20, 4000);
	with_config(f, "");
	restore_plan(f);
	assert_string_equal(json_text_at(f->plan, "estimate", "basis", NULL), "journal");
	assert_int_equal(json_integer_value(json_at(f->plan, "estimate", "milliseconds", NULL)), 200);
	assert_string_equal(
		json_text_at(f->plan, "estimate", "text", NULL), "as 20 creates of earlier restores onto this target took 4000 ms");
}

static void test_the_estimate_without_them_is_by_a_round_trip(void **state)
{
	struct restore_fixture *f = *state;

	journal_of(3, 4000);
	with_config(f, "");
	fake_cluster_say_times(&f->cluster, 3, "GET /version ", 200, "{'gitVersion':'v1.34.1'}");
	restore_plan(f);
	assert_string_equal(json_text_at(f->plan, "estimate", "basis", NULL), "round trip");
	assert_int_equal(json_integer_value(json_at(f->plan, "estimate", "requests", NULL)), 1);
}

static void test_nothing_to_send_needs_no_estimate(void **state)
{
	struct restore_fixture *f = *state;

	with_config(f, CONFIG("prod", "app", "one"));
	restore_plan(f);
	assert_true(json_is_null(json_object_get(f->plan, "estimate")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(test_who_set_a_field_that_differs_is_named),
		TEST(test_who_set_it_stays_open_where_the_server_does_not_tell),
		TEST(test_a_field_that_can_never_change_is_marked),
		TEST(test_the_same_field_where_its_condition_does_not_hold),
		TEST(test_what_the_server_would_default),
		TEST(test_what_the_server_would_refuse),
		TEST(test_what_the_server_would_drop),
		TEST(test_what_the_server_would_make_of_an_update),
		TEST(test_what_cannot_be_tried_is_said),
		TEST(test_nothing_is_tried_unasked),
		TEST(test_the_estimate_is_from_earlier_restores),
		TEST(test_the_estimate_without_them_is_by_a_round_trip),
		TEST(test_nothing_to_send_needs_no_estimate),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
