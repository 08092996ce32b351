/* SPDX-License-Identifier: Apache-2.0 */
/* What a restore may change beyond creating: --overwrite, --drop-unknown-fields, --adopt-orphans; and what is on its way out. */
#include "support.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "restore/journal.h"
#include "restore_support.h"
#include "util/file.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"

#define GET_LEASE "GET /apis/coordination.k8s.io/v1/namespaces/default/leases/rhaii-dr-restore "
#define NO_RIGHT "{'kind':'Status','reason':'Forbidden','message':'may not'}"
#define NOT_THERE "{'kind':'Status','reason':'NotFound','message':'not there'}"
#define ONE CONFIG("prod", "app", "one")
#define TWO "{'apiVersion':'v1','kind':'ConfigMap'," META("prod", "app", ",'uid':'u1','resourceVersion':'7'") ",'data':{'key':'two'}}"
#define LEAVING                                                                                                                            \
	"{'apiVersion':'v1','kind':'ConfigMap'," META("prod", "app", ",'deletionTimestamp':'2026-11-20T12:00:00Z','finalizers':['a/b']") "}"
#define UNKNOWN(path)                                                                                                                      \
	"{'kind':'Status','reason':'BadRequest','message':'ConfigMap in version \\'v1\\' cannot be handled as a ConfigMap: strict "        \
	"decoding error: "                                                                                                                 \
	"unknown field \\'" path "\\''}"
#define IMMUTABLE "{'kind':'Status','reason':'Invalid','message':'data: Forbidden: field is immutable when `immutable` is set'}"
#define PUT_ALL "PUT /api/v1/namespaces/prod/configmaps/app?"
#define PUT_DRY PUT_ALL "dryRun=All "
#define PUT_STRICT_DRY PUT_ALL "fieldManager=rhaii-dr&fieldValidation=Strict&dryRun=All "
#define PUT_STRICT PUT_ALL "fieldManager=rhaii-dr&fieldValidation=Strict "
#define GET_CONFIG "GET /api/v1/namespaces/prod/configmaps/app "

static int set_up(void **state)
{
	int rc = restore_set_up(state);

	setenv("XDG_STATE_HOME", ((struct restore_fixture *)*state)->dir, 1);
	return rc;
}

static int tear_down(void **state)
{
	unsetenv("XDG_STATE_HOME");
	return restore_tear_down(state);
}

/* The snapshot has one, the cluster what is given. */
static void with_live(struct restore_fixture *f, const char *live)
{
	restore_object("configmaps", ONE);
	restore_hello(f);
	fake_cluster_list(&f->cluster, CONFIGS, "v1", "ConfigMap", live);
	fake_cluster_say_times(&f->cluster, 3, GET_LEASE, 403, NO_RIGHT);
	f->settings.keep_record = true;
}

/* What deciding to overwrite asks. */
static void say_decided(struct restore_fixture *f)
{
	(void)fake_cluster_say(&f->cluster, PUT_DRY, 200, ONE);
	(void)fake_cluster_say(&f->cluster, PUT_STRICT_DRY, 200, ONE);
}

static void apply(struct restore_fixture *f)
{
	f->restore->patience.backoff_min = 1;
	f->restore->patience.gate_poll = 1;
	if (restore_apply(f) < 0)
		fail_msg("%s", f->err->text);
}

/* ---- overwrite ---- */

static void test_what_differs_is_replaced_and_kept(void **state)
{
	struct restore_fixture *f = *state;
	auto_strbuf struct strbuf text = STRBUF_INIT;
	const char *copy;
	struct stat st;

	f->settings.overwrite = true;
	with_live(f, TWO);
	say_decided(f);
	(void)fake_cluster_say(&f->cluster, GET_CONFIG, 200, TWO);
	say_decided(f);
	(void)fake_cluster_say(&f->cluster, PUT_STRICT, 200, ONE);
	restore_plan(f);
	assert_action(f->plan, "app", "action", "update");
	assert_field(f->plan, "app", "data.key", "\"two\"", "\"one\"");
	apply(f);
	assert_action(f->report, "app", "result", "updated");
	assert_int_equal(outcome_exit_code(&f->outcome), 0);
	/* what cleaning hides goes with it: somebody else's write in between is a 409 */
	assert_int_equal(fake_cluster_seen(&f->cluster, "\"resourceVersion\":\"7\""), 5);
	assert_int_equal(fake_cluster_seen(&f->cluster, "\"uid\":\"u1\""), 3);
	copy = json_text_at(restore_action(f->report, "app"), "copy", NULL);
	assert_non_null(copy);
	assert_int_equal(stat(copy, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(file_read(copy, 4096, &text, f->err), 0);
	assert_string_equal(text.buf, "apiVersion: v1\ndata:\n  key: two\nkind: ConfigMap\nmetadata:\n  name: app\n  namespace: prod\n");
}

static void test_a_refused_change_stays_a_conflict(void **state)
{
	struct restore_fixture *f = *state;

	f->settings.overwrite = true;
	with_live(f, TWO);
	(void)fake_cluster_say(&f->cluster, PUT_DRY, 422, IMMUTABLE);
	(void)fake_cluster_say(&f->cluster, PUT_STRICT_DRY, 422, IMMUTABLE);
	restore_plan(f);
	assert_action(f->plan, "app", "action", "conflict");
	assert_action(f->plan, "app", "error", "configmaps 'prod/app': data: Forbidden: field is immutable when `immutable` is set");
	apply(f);
	assert_action(f->report, "app", "result", "conflict");
	assert_int_equal(fake_cluster_seen(&f->cluster, PUT_STRICT), 0);
	assert_int_equal(outcome_exit_code(&f->outcome), 3);
}

static void test_without_the_option_nothing_is_replaced(void **state)
{
	struct restore_fixture *f = *state;

	with_live(f, TWO);
	(void)fake_cluster_say(&f->cluster, PUT_DRY, 200, ONE);
	restore_plan(f);
	assert_action(f->plan, "app", "action", "conflict");
}

/* Killed behind the request: what is there is ours, and is not replaced once more. */
static void test_an_update_without_an_end_is_not_sent_again(void **state)
{
	struct restore_fixture *f = *state;
	static const size_t first[] = {0};
	struct journal *journal;
	auto_free char *path = NULL, *copy = NULL, *dir = NULL;

	f->settings.overwrite = true;
	with_live(f, TWO);
	say_decided(f);
	restore_plan(f);
	assert_int_equal(record_create(f->restore, "state", f->err), 0);
	assert_int_equal(journal_begin(f->restore->journal, first, 1, f->err), 0);
	path = xstrdup(journal_path(f->restore->journal));
	dir = xasprintf("%.*s.replaced/objects/namespaces/prod/configmaps", (int)(strlen(path) - strlen(".journal")), path);
	copy = xasprintf("%s/app.yaml", dir);
	assert_int_equal(file_mkdirs(dir, f->err), 0);
	assert_int_equal(file_write(copy, "x", 1, 0600, f->err), 0);
	restore_free(f->restore);
	f->restore = NULL;
	json_decref(f->plan);
	f->plan = NULL;
	fake_cluster_stop(&f->cluster);

	f->settings.overwrite = false; /* the journal knows */
	restore_hello(f);
	fake_cluster_list(&f->cluster, CONFIGS, "v1", "ConfigMap", ONE);
	fake_cluster_say_times(&f->cluster, 3, GET_LEASE, 403, NO_RIGHT);
	assert_int_equal(journal_open(&journal, path, f->err), 0);
	f->settings.journal = journal;
	restore_settings_of(journal_header(journal), &f->settings, &f->source);
	assert_true(f->settings.overwrite);
	restore_plan(f);
	assert_int_equal(restore_apply(f), 0);
	assert_action(f->report, "app", "result", "updated");
	assert_action(f->report, "app", "copy", copy);
	assert_field(f->report, "app", "data.key", "\"two\"", "\"one\"");
	assert_int_equal(fake_cluster_seen(&f->cluster, "PUT "), 0);
	restore_free(f->restore);
	f->restore = NULL;
	journal_free(journal);
}

/* ---- fields that the server does not know ---- */

#define WITH_UNKNOWN                                                                                                                       \
	"{'apiVersion':'v1','kind':'ConfigMap'," META("prod", "app", "") ",'data':{'key':'one'},'list':[{'a.b':{'old':1,'c':2}}]}"

static void with_unknown(struct restore_fixture *f)
{
	restore_object("configmaps", WITH_UNKNOWN);
	restore_hello(f);
	restore_no_configs(f);
	(void)fake_cluster_say(&f->cluster, POST_CONFIG("prod"), 400, UNKNOWN("list[0].a.b.old"));
}

static void test_unknown_fields_are_left_out_and_told(void **state)
{
	struct restore_fixture *f = *state;
	const json_t *finding;

	f->settings.drop_unknown_fields = true;
	with_unknown(f);
	(void)fake_cluster_say(&f->cluster, POST_CONFIG("prod"), 201, ONE);
	restore_plan(f);
	apply(f);
	assert_action(f->report, "app", "result", "created");
	finding = json_array_get(json_object_get(f->report, "findings"), 0);
	assert_string_equal(json_text_at(finding, "path", NULL), "list[0].a.b.old");
	assert_string_equal(json_text_at(finding, "object", NULL), "ConfigMap prod/app");
	assert_int_equal(fake_cluster_seen(&f->cluster, "\"old\":1"), 1);
	assert_int_equal(fake_cluster_seen(&f->cluster, "\"list\":[{\"a.b\":{\"c\":2}}]"), 1);
}

static void test_unknown_fields_fail_without_the_option(void **state)
{
	struct restore_fixture *f = *state;

	with_unknown(f);
	restore_plan(f);
	apply(f);
	assert_action(f->report, "app", "result", "failed");
	assert_int_equal(fake_cluster_seen(&f->cluster, POST_CONFIG("prod")), 1);
}

/* A server that names what we did not send, or the same again, is not asked for ever. */
static void test_a_field_that_is_not_there_cannot_be_left_out(void **state)
{
	struct restore_fixture *f = *state;

	f->settings.drop_unknown_fields = true;
	with_unknown(f);
	(void)fake_cluster_say(&f->cluster, POST_CONFIG("prod"), 400, UNKNOWN("list[0].a.b.old"));
	restore_plan(f);
	apply(f);
	assert_action(f->report, "app", "result", "failed");
	assert_int_equal(fake_cluster_seen(&f->cluster, POST_CONFIG("prod")), 2);
}

/* ---- what is being deleted ---- */

static void test_what_is_being_deleted_is_waited_for(void **state)
{
	struct restore_fixture *f = *state;

	with_live(f, LEAVING);
	(void)fake_cluster_say(&f->cluster, POST_CONFIG("prod"), 409, EXISTS);
	fake_cluster_say_times(&f->cluster, 3, GET_CONFIG, 200, LEAVING);
	(void)fake_cluster_say(&f->cluster, GET_CONFIG, 404, NOT_THERE);
	(void)fake_cluster_say(&f->cluster, POST_CONFIG("prod"), 201, ONE);
	restore_plan(f);
	assert_action(f->plan, "app", "action", "create");
	assert_action(f->plan, "app", "reason", "when the one that is being deleted on the target is gone");
	apply(f);
	assert_action(f->report, "app", "result", "created");
}

static void test_what_does_not_go_is_named_with_its_finalizers(void **state)
{
	struct restore_fixture *f = *state;

	with_live(f, LEAVING);
	(void)fake_cluster_say(&f->cluster, POST_CONFIG("prod"), 409, EXISTS);
	fake_cluster_say_times(&f->cluster, 3, GET_CONFIG, 200, LEAVING);
	restore_plan(f);
	f->restore->patience.gate = 0;
	apply(f);
	assert_action(f->report, "app", "result", "failed");
	assert_non_null(strstr(json_text_at(restore_action(f->report, "app"), "error", NULL), "held by a/b"));
	assert_int_equal(outcome_exit_code(&f->outcome), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define STEP(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		STEP(test_what_differs_is_replaced_and_kept),
		STEP(test_a_refused_change_stays_a_conflict),
		STEP(test_without_the_option_nothing_is_replaced),
		STEP(test_an_update_without_an_end_is_not_sent_again),
		STEP(test_unknown_fields_are_left_out_and_told),
		STEP(test_unknown_fields_fail_without_the_option),
		STEP(test_a_field_that_is_not_there_cannot_be_left_out),
		STEP(test_what_is_being_deleted_is_waited_for),
		STEP(test_what_does_not_go_is_named_with_its_finalizers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
