/* SPDX-License-Identifier: Apache-2.0 */
/* A plan that was written to a file: which files are taken for one, and what is executed of it when. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "restore_support.h"
#include "util/file.h"
#include "util/json.h"
#include "util/mem.h"

#define ADDED(uid, version) ",'uid':'" uid "','resourceVersion':'" version "'"
#define LIVE(uid, version, value, more)                                                                                                    \
	"{'apiVersion':'v1','kind':'ConfigMap'," META("prod", "app", ADDED(uid, version)) ",'data':{'key':'" value "'}" more "}"
#define PUT_CONFIG "PUT /api/v1/namespaces/prod/configmaps/app?dryRun=All "

static void with_configs(struct restore_fixture *f, const char *live)
{
	restore_hello(f);
	fake_cluster_list(&f->cluster, CONFIGS, "v1", "ConfigMap", live);
}

static void write_plan(const json_t *plan)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;

	json_write(plan, &text);
	support_write_file("plan.json", text.buf);
}

/* ./plan.json of what is in the snapshot, for a cluster with these ConfigMaps. */
static void plan_of(struct restore_fixture *f, const char *live)
{
	with_configs(f, live);
	restore_plan(f);
	write_plan(f->plan);
	restore_forget(f);
}

/* Prepare the settings to execute ./plan.json; the caller frees the plan behind the restore. */
static json_t *take_plan(struct restore_fixture *f)
{
	json_t *plan;

	if (restore_plan_read(&plan, "plan.json", f->err) < 0)
		fail_msg("%s", f->err->text);
	f->settings.plan = plan;
	f->settings.plan_name = "plan.json";
	restore_settings_of(plan, &f->settings, &f->source);
	return plan;
}

/* Execute ./plan.json on a cluster that is written already: the target is found stale for this one reason, or (NULL) not at all. */
static void check_stale(struct restore_fixture *f, const char *text)
{
	auto_json json_t *plan = take_plan(f);
	const json_t *stale;

	restore_plan(f);
	stale = json_object_get(f->plan, "stale");
	assert_int_equal(json_array_size(stale), text ? 1 : 0);
	if (text) {
		assert_string_equal(json_text_at(json_array_get(stale, 0), "object", NULL), "ConfigMap prod/app");
		assert_string_equal(json_text_at(json_array_get(stale, 0), "text", NULL), text);
		assert_int_equal(restore_blocked(f->restore, f->err), -1);
		support_assert_error(f->err, ERR_NOT_READY, NULL);
	} else {
		assert_int_equal(restore_blocked(f->restore, f->err), 0);
	}
	restore_forget(f);
}

/* ---- files that are no plan ---- */

static void refused_file(const char *text, const char *why)
{
	struct error err = ERROR_INIT;
	json_t *plan;

	support_write_file("plan.json", text);
	assert_int_equal(restore_plan_read(&plan, "plan.json", &err), -1);
	assert_null(plan);
	assert_int_equal(err.code, ERR_INTEGRITY);
	if (!strstr(err.text, why))
		fail_msg("'%s' does not say '%s'", err.text, why);
}

static void test_what_is_no_plan_is_refused(void **state)
{
	static const char *const texts[] = {"{}", "[]", "null", "{\"execute\":[]}", "{\"execute\":{\"format\":\"1\"}}"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		refused_file(texts[i], "'plan.json' is no plan");
	refused_file("", "plan.json");
	refused_file("{\"execute\":{\"format\":1}}", "its checksum does not hold");
}

static void test_a_newer_format_is_refused_by_its_number(void **state)
{
	(void)state;
	refused_file("{\"execute\":{\"format\":7}}", "format 7 is newer than the 1 that this program reads");
}

static void test_a_truncated_plan_is_refused(void **state)
{
	struct restore_fixture *f = *state;
	auto_strbuf struct strbuf text = STRBUF_INIT;

	restore_object("configmaps", CONFIG("prod", "app", "one"));
	plan_of(f, "");
	assert_int_equal(file_read("plan.json", 1 << 20, &text, f->err), 0);
	for (size_t len = 0; len < text.len; len += 97) {
		auto_free char *part = xstrndup(text.buf, len);

		refused_file(part, "plan 'plan.json'");
	}
}

static json_t *read_file(struct restore_fixture *f)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;

	assert_int_equal(file_read("plan.json", 1 << 20, &text, f->err), 0);
	return json_read(text.buf, text.len, f->err);
}

/* Also where only what people look at was changed, or what a machine adds is forged into another place. */
static void test_a_plan_that_was_edited_is_refused(void **state)
{
	struct restore_fixture *f = *state;
	auto_json json_t *document = NULL;
	const char *key;
	json_t *value;

	restore_object("configmaps", CONFIG("prod", "app", "one"));
	plan_of(f, "");
	document = read_file(f);
	json_object_foreach (document, key, value) {
		auto_json json_t *edited = json_copy(document);

		json_object_set_new(edited, key, json_string("other"));
		write_plan(edited);
		assert_int_equal(restore_plan_read(&value, "plan.json", f->err), -1);
		assert_int_equal(f->err->code, ERR_INTEGRITY);
	}
	json_object_set_new(json_at(document, "execute", "options", NULL), "inPlace", json_true());
	write_plan(document);
	assert_int_equal(restore_plan_read(&value, "plan.json", f->err), -1);
}

static void test_what_a_command_adds_does_not_matter(void **state)
{
	struct restore_fixture *f = *state;
	auto_json json_t *document = NULL, *plan = NULL;

	restore_object("configmaps", CONFIG("prod", "app", "one"));
	plan_of(f, "");
	document = read_file(f);
	json_object_set_new(document, "outcome", json_string("not ready"));
	json_object_set_new(document, "error", json_string("one blocker"));
	json_object_set_new(document, "hint", json_null());
	write_plan(document);
	assert_int_equal(restore_plan_read(&plan, "plan.json", f->err), 0);
}

/* ---- what it rests on ---- */

static void test_a_plan_is_executed(void **state)
{
	struct restore_fixture *f = *state;
	auto_json json_t *plan = NULL;

	restore_object("configmaps", CONFIG("prod", "app", "one"));
	plan_of(f, "");
	plan = take_plan(f);
	with_configs(f, "");
	(void)fake_cluster_say(&f->cluster, POST_CONFIG("prod"), 201, LIVE("u1", "7", "one", ""));
	restore_plan(f);
	assert_int_equal(restore_blocked(f->restore, f->err), 0);
	assert_int_equal(restore_apply(f), 0);
	assert_action(f->report, "app", "result", "created");
	restore_forget(f);
}

static void test_an_object_that_came_meanwhile(void **state)
{
	struct restore_fixture *f = *state;

	restore_object("configmaps", CONFIG("prod", "app", "one"));
	plan_of(f, "");
	with_configs(f, LIVE("u1", "7", "one", ""));
	check_stale(f, "was not there, and is there now");
}

static void test_an_object_that_went_meanwhile(void **state)
{
	struct restore_fixture *f = *state;

	restore_object("configmaps", CONFIG("prod", "app", "one"));
	plan_of(f, LIVE("u1", "7", "one", ""));
	with_configs(f, "");
	check_stale(f, "was there, and is gone");
}

static void test_an_object_that_changed_meanwhile(void **state)
{
	struct restore_fixture *f = *state;

	restore_object("configmaps", CONFIG("prod", "app", "one"));
	plan_of(f, LIVE("u1", "7", "two", ""));
	with_configs(f, LIVE("u1", "8", "three", ""));
	check_stale(f, "has changed");
}

static void test_an_object_that_was_made_again_meanwhile(void **state)
{
	struct restore_fixture *f = *state;

	restore_object("configmaps", CONFIG("prod", "app", "one"));
	plan_of(f, LIVE("u1", "7", "one", ""));
	with_configs(f, LIVE("u2", "8", "one", ""));
	check_stale(f, "is another object of the same name");
}

/* Controllers write it all day. */
static void test_a_status_that_changed_does_not_matter(void **state)
{
	struct restore_fixture *f = *state;

	restore_object("configmaps", CONFIG("prod", "app", "one"));
	plan_of(f, LIVE("u1", "7", "one", ",'status':{'phase':'a'}"));
	with_configs(f, LIVE("u1", "8", "one", ",'status':{'phase':'b'}"));
	check_stale(f, NULL);
}

/* The same objects, but the server would now do something else with them. */
static void test_another_action_for_the_same_object(void **state)
{
	struct restore_fixture *f = *state;

	restore_object("configmaps", CONFIG("prod", "app", "one"));
	with_configs(f, LIVE("u1", "7", "one", ",'immutable':false"));
	(void)fake_cluster_say(&f->cluster, PUT_CONFIG, 200, LIVE("u1", "7", "one", ",'immutable':false"));
	restore_plan(f);
	write_plan(f->plan);
	restore_forget(f);
	with_configs(f, LIVE("u1", "7", "one", ",'immutable':false"));
	(void)fake_cluster_say(&f->cluster, PUT_CONFIG, 422, REFUSED);
	check_stale(f, "the plan says skip, now it is conflict");
}

/* ---- with --partial ---- */

/* ./plan.json: one object is in a namespace that is nowhere, one is not. */
static void plan_of_part(struct restore_fixture *f)
{
	f->settings.partial = true;
	restore_object("configmaps", CONFIG("gone", "app", "one"));
	restore_object("configmaps", CONFIG("prod", "other", "one"));
	plan_of(f, "");
	f->settings.partial = false; /* the plan says it */
}

static void test_what_a_plan_has_as_blocked_is_not_sent(void **state)
{
	struct restore_fixture *f = *state;
	auto_json json_t *plan = NULL;

	plan_of_part(f);
	plan = take_plan(f);
	assert_true(f->settings.partial);
	with_configs(f, "");
	(void)fake_cluster_say(&f->cluster, POST_CONFIG("prod"), 201, CONFIG("prod", "other", "one"));
	restore_plan(f);
	assert_int_equal(json_array_size(json_object_get(f->plan, "stale")), 0);
	assert_int_equal(restore_blocked(f->restore, f->err), 0);
	assert_int_equal(restore_apply(f), 0);
	assert_action(f->report, "app", "result", "blocked");
	assert_action(f->report, "other", "result", "created");
	assert_int_equal(outcome_exit_code(&f->outcome), ERR_PARTIAL);
	restore_forget(f);
}

/* Somebody has mended it: that is another plan, which nobody has looked at. */
static void test_what_is_not_blocked_any_more_makes_the_plan_stale(void **state)
{
	struct restore_fixture *f = *state;
	auto_json json_t *plan = NULL;
	const json_t *stale;

	plan_of_part(f);
	plan = take_plan(f);
	restore_hello_bare(f);
	fake_cluster_list(&f->cluster, SPACES, "meta.k8s.io/v1", "PartialObjectMetadata",
		"{'metadata':{'name':'prod'}},{'metadata':{'name':'gone'}}");
	restore_no_configs(f);
	restore_plan(f);
	stale = json_object_get(f->plan, "stale");
	assert_int_equal(json_array_size(stale), 1);
	assert_string_equal(json_text_at(json_array_get(stale, 0), "text", NULL), "was blocked, and is not any more");
	assert_int_equal(restore_blocked(f->restore, f->err), -1);
	support_assert_error(f->err, ERR_NOT_READY, NULL);
	restore_forget(f);
}

static void test_another_snapshot(void **state)
{
	struct restore_fixture *f = *state;
	auto_json json_t *plan = NULL;

	restore_object("configmaps", CONFIG("prod", "app", "one"));
	plan_of(f, "");
	restore_object("configmaps", CONFIG("prod", "app", "two"));
	plan = take_plan(f);
	with_configs(f, "");
	fake_cluster_start(&f->cluster);
	f->settings.client = f->cluster.client;
	assert_int_equal(restore_prepare(&f->restore, &f->settings, f->err), -1);
	assert_int_equal(f->err->code, ERR_INTEGRITY);
	assert_non_null(strstr(f->err->text, "is not the one that the plan 'plan.json' is of: its files differ"));
	restore_forget(f);
}

static void test_another_cluster(void **state)
{
	struct restore_fixture *f = *state;
	auto_json json_t *plan = NULL;

	restore_object("configmaps", CONFIG("prod", "app", "one"));
	plan_of(f, "");
	plan = take_plan(f);
	fake_cluster_hello(&f->cluster, "other", "", "");
	fake_cluster_start(&f->cluster);
	f->settings.client = f->cluster.client;
	assert_int_equal(restore_prepare(&f->restore, &f->settings, f->err), -1);
	assert_int_equal(f->err->code, ERR_NOT_READY);
	assert_non_null(strstr(f->err->text, "is another cluster (other) than the one that the plan 'plan.json' is of (new)"));
	restore_forget(f);
}

/* Between the last look and the request somebody else made the namespace: without a plan its labels would be merged. */
static void test_what_comes_during_the_apply_is_not_merged(void **state)
{
	struct restore_fixture *f = *state;
	auto_json json_t *plan = NULL;

	restore_object("namespaces", SPACE("shop", "'a':'1'", ""));
	restore_hello(f);
	fake_cluster_list(&f->cluster, SPACES, "v1", "Namespace", "");
	restore_plan(f);
	write_plan(f->plan);
	restore_forget(f);
	plan = take_plan(f);
	restore_hello(f);
	fake_cluster_list(&f->cluster, SPACES, "v1", "Namespace", "");
	(void)fake_cluster_say(&f->cluster, "POST /api/v1/namespaces?", 409, EXISTS);
	(void)fake_cluster_say(&f->cluster, "GET /api/v1/namespaces/shop ", 200, SPACE("shop", "'b':'2'", ADDED("u1", "7")));
	restore_plan(f);
	assert_int_equal(restore_apply(f), 0);
	assert_action(f->report, "shop", "result", "conflict");
	assert_action(f->report, "shop", "reason", "is not what the plan rests on");
	assert_int_equal(fake_cluster_seen(&f->cluster, "PATCH "), 0);
	restore_forget(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, restore_set_up, restore_tear_down)
		TEST(test_what_is_no_plan_is_refused),
		TEST(test_a_newer_format_is_refused_by_its_number),
		TEST(test_a_truncated_plan_is_refused),
		TEST(test_a_plan_that_was_edited_is_refused),
		TEST(test_what_a_command_adds_does_not_matter),
		TEST(test_a_plan_is_executed),
		TEST(test_an_object_that_came_meanwhile),
		TEST(test_an_object_that_went_meanwhile),
		TEST(test_an_object_that_changed_meanwhile),
		TEST(test_an_object_that_was_made_again_meanwhile),
		TEST(test_a_status_that_changed_does_not_matter),
		TEST(test_another_action_for_the_same_object),
		TEST(test_what_a_plan_has_as_blocked_is_not_sent),
		TEST(test_what_is_not_blocked_any_more_makes_the_plan_stale),
		TEST(test_another_snapshot),
		TEST(test_another_cluster),
		TEST(test_what_comes_during_the_apply_is_not_merged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
