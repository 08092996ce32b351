/* SPDX-License-Identifier: Apache-2.0 */
/* What a resumed restore does with each action, by what the journal knows of it and what is on the cluster. */
#include "support.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "restore/journal.h"
#include "restore_support.h"
#include "util/interrupt.h"
#include "util/json.h"
#include "util/mem.h"

#define LEASES "/apis/coordination.k8s.io/v1/namespaces/default/leases"
#define GET_LEASE "GET " LEASES "/rhaii-dr-restore "
#define PUT_LEASE "PUT " LEASES "/rhaii-dr-restore "
#define POST_LEASE "POST " LEASES " "
#define NOT_THERE "{'kind':'Status','reason':'NotFound','message':'not there'}"
#define NO_RIGHT "{'kind':'Status','reason':'Forbidden','message':'may not'}"
#define LEASE_OF(holder, renewed)                                                                                                          \
	"{'metadata':{'name':'rhaii-dr-restore','resourceVersion':'5'},'spec':{'holderIdentity':'" holder                                  \
	"','leaseDurationSeconds':60,'acquireTime':'2026-11-20T11:59:00.000000Z','renewTime':'" renewed "'}}"
#define ONE CONFIG("prod", "app", "one")
#define TWO CONFIG("prod", "app", "two")
#define NOW "1795176000" /* 2026-11-20T12:00:00Z */

/* ---- the first run ---- */

static int set_up(void **state)
{
	int rc = restore_set_up(state);

	setenv("XDG_STATE_HOME", ((struct restore_fixture *)*state)->dir, 1);
	setenv("RHAII_DR_TEST_TIME", NOW, 1);
	return rc;
}

static int tear_down(void **state)
{
	unsetenv("XDG_STATE_HOME");
	unsetenv("RHAII_DR_TEST_TIME");
	return restore_tear_down(state);
}

/* A cluster that may not be locked, with these ConfigMaps (or none). */
static void with_cluster(struct restore_fixture *f, const char *configs)
{
	restore_hello(f);
	fake_cluster_list(&f->cluster, CONFIGS, "v1", "ConfigMap", configs);
	fake_cluster_say_times(&f->cluster, 3, GET_LEASE, 403, NO_RIGHT);
}

/* The journal of a run that planned to create what is in the snapshot, with what `write` adds to it, as a kill would leave it. */
static char *killed(struct restore_fixture *f, void (*write)(struct journal *journal))
{
	struct error err = ERROR_INIT;
	char *path;

	with_cluster(f, "");
	restore_plan(f);
	assert_int_equal(record_create(f->restore, "state", &err), 0);
	write(f->restore->journal);
	path = xstrdup(journal_path(f->restore->journal));
	restore_forget(f);
	return path;
}

/* Go on with it. */
static int resume(struct restore_fixture *f, const char *path)
{
	struct journal *journal;
	struct error err = ERROR_INIT;
	int rc;

	if (journal_open(&journal, path, &err) < 0)
		fail_msg("%s", err.text);
	f->settings.keep_record = true;
	f->settings.journal = journal;
	restore_settings_of(journal_header(journal), &f->settings, &f->source);
	restore_plan(f);
	rc = restore_apply(f);
	/* what the report says is kept, what points at the journal is not */
	restore_free(f->restore);
	f->restore = NULL;
	journal_free(journal);
	return rc;
}

static void nothing(struct journal *journal)
{
	(void)journal;
}

static void begun(struct journal *journal)
{
	static const size_t first[] = {0};
	struct error err = ERROR_INIT;

	assert_int_equal(journal_begin(journal, first, 1, &err), 0);
}

static void ended(struct journal *journal)
{
	begun(journal);
	journal_end(journal, 0,
		json_pack("{s:s, s:s, s:[{s:s, s:s, s:s}]}", "result", "created", "uid", "u1", "findings", "object", "ConfigMap prod/app",
			"path", "data.x", "text", "the server dropped it"));
}

static void failed(struct journal *journal)
{
	begun(journal);
	journal_end(journal, 0, json_pack("{s:s, s:s}", "result", "failed", "error", "no quota"));
}

static void assert_counts(const struct restore_fixture *f, const char *result)
{
	assert_int_equal(json_integer_value(json_at(f->report, "counts", result, NULL)), 1);
	assert_int_equal(json_integer_value(json_object_get(f->report, "resumed")), 1);
}

/* ---- decisions ---- */

static void test_what_has_an_end_is_not_done_again(void **state)
{
	struct restore_fixture *f = *state;
	auto_free char *path = NULL;

	restore_object("configmaps", ONE);
	path = killed(f, ended);
	with_cluster(f, ""); /* somebody has deleted it since */
	assert_int_equal(resume(f, path), 0);
	assert_counts(f, "created");
	assert_int_equal(fake_cluster_seen(&f->cluster, POST_CONFIG("prod")), 0);
	assert_string_equal(json_text_at(json_array_get(json_object_get(f->report, "findings"), 0), "path", NULL), "data.x");
}

/* The journal says which part: nobody says it again. */
static void test_a_part_stays_the_part_that_it_was(void **state)
{
	struct restore_fixture *f = *state;
	struct selection selection = {0};
	auto_free char *path = NULL;

	restore_object("configmaps", ONE);
	restore_object("configmaps", CONFIG("prod", "other", "x"));
	strlist_add(&selection.only, "kind=cm,name=app");
	f->settings.selection = &selection;
	path = killed(f, begun);
	f->settings.selection = NULL;
	selection_release(&selection);
	with_cluster(f, "");
	(void)fake_cluster_say(&f->cluster, POST_CONFIG("prod"), 201, ONE);
	assert_int_equal(resume(f, path), 0);
	assert_counts(f, "created");
	assert_int_equal(json_integer_value(json_at(f->report, "selection", "leftOut", NULL)), 1);
}

static void test_a_begin_without_an_end_that_is_there_was_ours(void **state)
{
	struct restore_fixture *f = *state;
	auto_free char *path = NULL;

	restore_object("configmaps", ONE);
	path = killed(f, begun);
	with_cluster(f, ONE);
	assert_int_equal(resume(f, path), 0);
	assert_counts(f, "created");
	assert_int_equal(fake_cluster_seen(&f->cluster, POST_CONFIG("prod")), 0);
}

static void test_a_begin_without_an_end_that_is_not_there_is_sent(void **state)
{
	struct restore_fixture *f = *state;
	auto_free char *path = NULL;

	restore_object("configmaps", ONE);
	path = killed(f, begun);
	with_cluster(f, "");
	(void)fake_cluster_say(&f->cluster, POST_CONFIG("prod"), 201, ONE);
	assert_int_equal(resume(f, path), 0);
	assert_counts(f, "created");
}

/* The request of the run that was killed is carried out between our list and our create. */
static void test_one_that_comes_late_was_ours_too(void **state)
{
	struct restore_fixture *f = *state;
	auto_free char *path = NULL;

	restore_object("configmaps", ONE);
	path = killed(f, begun);
	with_cluster(f, "");
	(void)fake_cluster_say(&f->cluster, POST_CONFIG("prod"), 409, EXISTS);
	(void)fake_cluster_say(&f->cluster, "GET /api/v1/namespaces/prod/configmaps/app ", 200, ONE);
	assert_int_equal(resume(f, path), 0);
	assert_counts(f, "created");
}

static void test_a_begin_without_an_end_that_differs_is_a_conflict(void **state)
{
	struct restore_fixture *f = *state;
	auto_free char *path = NULL;

	restore_object("configmaps", ONE);
	path = killed(f, begun);
	with_cluster(f, TWO);
	assert_int_equal(resume(f, path), 0);
	assert_counts(f, "conflict");
	assert_int_equal(outcome_exit_code(&f->outcome), ERR_PARTIAL);
}

static void test_what_failed_is_tried_again(void **state)
{
	struct restore_fixture *f = *state;
	auto_free char *path = NULL;

	restore_object("configmaps", ONE);
	path = killed(f, failed);
	with_cluster(f, "");
	(void)fake_cluster_say(&f->cluster, POST_CONFIG("prod"), 201, ONE);
	assert_int_equal(resume(f, path), 0);
	assert_counts(f, "created");
	assert_action(f->report, "app", "error", "(null)");
}

/* Somebody else's: no request of ours was about to be sent. */
static void test_without_a_begin_what_is_there_is_skipped(void **state)
{
	struct restore_fixture *f = *state;
	auto_free char *path = NULL;

	restore_object("configmaps", ONE);
	path = killed(f, nothing);
	with_cluster(f, ONE);
	assert_int_equal(resume(f, path), 0);
	assert_counts(f, "skipped");
}

static void test_the_end_is_written(void **state)
{
	struct restore_fixture *f = *state;
	auto_free char *path = NULL;
	struct error err = ERROR_INIT;
	struct journal *journal;
	int code;

	restore_object("configmaps", ONE);
	path = killed(f, begun);
	with_cluster(f, "");
	(void)fake_cluster_say(&f->cluster, POST_CONFIG("prod"), 422, REFUSED);
	assert_int_equal(resume(f, path), 0);
	fake_cluster_stop(&f->cluster); /* forked while the journal was open */
	if (journal_open(&journal, path, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(journal_is_finished(journal, &code));
	assert_int_equal(code, ERR_PARTIAL);
	assert_string_equal(json_text_at(journal_outcome(journal, 0), "error", NULL), "spec.replicas must not be negative");
	journal_free(journal);
}

/* The file that it was read from may be another one by now. */
static void test_a_policy_of_its_own_is_kept(void **state)
{
	struct restore_fixture *f = *state;
	auto_free char *path = NULL, *text = NULL;

	restore_object("configmaps", ONE);
	text = support_read_file("snap/policy.yaml");
	*strstr(text, "name: plain") = 'N'; /* a policy without that wave is none */
	support_write_file("snap/policy.yaml", text);
	memcpy(strstr(text, "Name: plain"), "name: plain", 11);
	support_write_file("./own.yaml", text);
	f->settings.policy = "./own.yaml";
	path = killed(f, begun);
	assert_int_equal(unlink("own.yaml"), 0);
	f->settings.policy = NULL;
	with_cluster(f, ONE);
	assert_int_equal(resume(f, path), 0);
	assert_counts(f, "created");
}

/* ---- what is refused ---- */

static void refuse(struct restore_fixture *f, const char *path, enum error_code code)
{
	struct journal *journal;

	assert_int_equal(journal_open(&journal, path, f->err), 0);
	f->settings.journal = journal;
	restore_settings_of(journal_header(journal), &f->settings, &f->source);
	restore_refused(f, code, NULL);
	journal_free(journal);
}

static void test_another_target_is_refused(void **state)
{
	struct restore_fixture *f = *state;
	auto_free char *path = NULL;

	restore_object("configmaps", ONE);
	path = killed(f, begun);
	fake_cluster_hello(&f->cluster, "third", FAKE_VERSION("v1", FAKE_RESOURCE("configmaps", "ConfigMap", "Namespaced")), "");
	refuse(f, path, ERR_NOT_READY);
}

static void test_a_snapshot_that_has_changed_is_refused(void **state)
{
	struct restore_fixture *f = *state;
	auto_free char *path = NULL;

	restore_object("configmaps", ONE);
	path = killed(f, begun);
	restore_object("configmaps", TWO);
	with_cluster(f, "");
	refuse(f, path, ERR_INTEGRITY);
}

/* ---- a whole run ---- */

static void run_and_keep(struct restore_fixture *f)
{
	restore_plan(f);
	f->settings.keep_record = true;
}

static void test_no_request_is_sent_before_its_begin_is_on_disk(void **state)
{
	struct restore_fixture *f = *state;
	auto_free char *found = NULL;
	struct journal *journal;

	restore_object("configmaps", ONE);
	with_cluster(f, "");
	(void)fake_cluster_say(&f->cluster, POST_CONFIG("prod"), 201, ONE);
	run_and_keep(f);
	assert_int_equal(restore_apply(f), 0);
	found = xstrdup(json_text_at(f->report, "journal", NULL));
	restore_free(f->restore);
	f->restore = NULL;
	fake_cluster_stop(&f->cluster);
	assert_int_equal(journal_open(&journal, found, f->err), 0);
	assert_true(journal_begun(journal, 0));
	assert_string_equal(json_text_at(journal_outcome(journal, 0), "result", NULL), "created");
	assert_int_equal(json_integer_value(json_object_get(f->report, "resumed")), 0);
	journal_free(journal);
}

/* A signal: nothing more is sent, and the way on is told. */
static void test_a_signal_stops_the_run(void **state)
{
	struct restore_fixture *f = *state;

	restore_object("configmaps", ONE);
	with_cluster(f, "");
	run_and_keep(f);
	interrupt_watch();
	assert_int_equal(raise(SIGINT), 0);
	assert_int_equal(restore_apply(f), -1);
	interrupt_watch();
	(void)signal(SIGINT, SIG_DFL);
	(void)signal(SIGTERM, SIG_DFL);
	support_assert_error(f->err, ERR_INTERRUPTED, "stopped by a signal");
	assert_non_null(strstr(f->err->hint, "go on with it: rhaii-dr restore --resume "));
	assert_non_null(strstr(f->err->hint, json_text_at(f->report, "journal", NULL)));
	assert_int_equal(fake_cluster_seen(&f->cluster, POST_CONFIG("prod")), 0);
	assert_int_equal(json_integer_value(json_at(f->report, "counts", "notRun", NULL)), 1);
}

/* ---- the lease ---- */

/* Prepared, and about to meet this Lease. */
static void with_lease(struct restore_fixture *f, int status, const char *lease)
{
	restore_object("configmaps", ONE);
	restore_hello(f);
	restore_no_configs(f);
	(void)fake_cluster_say(&f->cluster, GET_LEASE, status, lease);
	(void)fake_cluster_say(&f->cluster, POST_CONFIG("prod"), 201, ONE);
}

static void grant(struct restore_fixture *f, const char *request)
{
	(void)fake_cluster_say(&f->cluster, request, 200, LEASE_OF("us", "2026-11-20T12:00:00.000000Z"));
	(void)fake_cluster_say(&f->cluster, PUT_LEASE, 200, LEASE_OF("", "2026-11-20T12:00:00.000000Z"));
}

static void test_a_lease_is_made_and_given_back(void **state)
{
	struct restore_fixture *f = *state;

	with_lease(f, 404, NOT_THERE);
	grant(f, POST_LEASE);
	run_and_keep(f);
	assert_int_equal(restore_apply(f), 0);
	assert_int_equal(fake_cluster_seen(&f->cluster, POST_LEASE), 1);
	assert_int_equal(fake_cluster_seen(&f->cluster, "'renewTime':'2026-11-20T12:00:00.000000Z'"), 2);
	assert_int_equal(fake_cluster_seen(&f->cluster, "'holderIdentity':''"), 1);
}

static void test_a_live_holder_keeps_us_out(void **state)
{
	struct restore_fixture *f = *state;

	with_lease(f, 200, LEASE_OF("20261120T115900Z-ff/host/7", "2026-11-20T11:59:30.000000Z"));
	run_and_keep(f);
	assert_int_equal(restore_apply(f), -1);
	support_assert_error(f->err, ERR_LOCKED,
		"Lease default/rhaii-dr-restore on the target: another restore is running on the target: 20261120T115900Z-ff/host/7, since "
		"2026-11-20T11:59:00Z, which holds it until 2026-11-20T12:00:30Z if it does not renew that");
	assert_int_equal(fake_cluster_seen(&f->cluster, POST_CONFIG("prod")), 0);
	assert_null(f->report);
	assert_int_equal(support_count_entries("rhaii-dr/new"), 0); /* nothing to resume */
}

static void test_an_expired_lease_is_taken_over(void **state)
{
	struct restore_fixture *f = *state;

	with_lease(f, 200, LEASE_OF("somebody/host/7", "2026-11-20T11:58:59.000000Z"));
	grant(f, PUT_LEASE);
	run_and_keep(f);
	assert_int_equal(restore_apply(f), 0);
	assert_int_equal(fake_cluster_seen(&f->cluster, "'resourceVersion':'5'"), 2);
}

static void test_a_lease_that_was_given_back_is_taken(void **state)
{
	struct restore_fixture *f = *state;

	with_lease(f, 200, LEASE_OF("", "2026-11-20T11:59:59.000000Z"));
	grant(f, PUT_LEASE);
	run_and_keep(f);
	assert_int_equal(restore_apply(f), 0);
}

/* Of two that want it at the same time one is told so, and looks again. */
static void test_who_comes_second_looks_again(void **state)
{
	struct restore_fixture *f = *state;

	with_lease(f, 404, NOT_THERE);
	(void)fake_cluster_say(&f->cluster, POST_LEASE, 409, EXISTS);
	(void)fake_cluster_say(&f->cluster, GET_LEASE, 200, LEASE_OF("faster/host/7", "2026-11-20T12:00:00.000000Z"));
	run_and_keep(f);
	assert_int_equal(restore_apply(f), -1);
	assert_int_equal(f->err->code, ERR_LOCKED);
}

static void test_the_lease_of_the_same_journal_is_taken_over(void **state)
{
	struct restore_fixture *f = *state;
	auto_free char *path = NULL, *lease = NULL;

	restore_object("configmaps", ONE);
	path = killed(f, begun);
	lease = xasprintf(LEASE_OF("%.*s/host/7", "2026-11-20T12:00:00.000000Z"), (int)(strlen(path) - strlen("state/.journal")),
		path + strlen("state/"));
	restore_hello(f);
	restore_no_configs(f);
	(void)fake_cluster_say(&f->cluster, GET_LEASE, 200, lease);
	(void)fake_cluster_say(&f->cluster, POST_CONFIG("prod"), 201, ONE);
	grant(f, PUT_LEASE);
	assert_int_equal(resume(f, path), 0);
	assert_counts(f, "created");
}

/* The requests of the run that was killed were all carried out: what it held is given back all the same. */
static void test_who_resumes_with_nothing_to_send_gives_the_lease_back(void **state)
{
	struct restore_fixture *f = *state;
	auto_free char *path = NULL;

	restore_object("configmaps", ONE);
	path = killed(f, begun);
	restore_hello(f);
	fake_cluster_list(&f->cluster, CONFIGS, "v1", "ConfigMap", ONE);
	(void)fake_cluster_say(&f->cluster, GET_LEASE, 200, LEASE_OF("", "2026-11-20T12:00:00.000000Z"));
	grant(f, PUT_LEASE);
	assert_int_equal(resume(f, path), 0);
	assert_counts(f, "created");
	assert_int_equal(fake_cluster_seen(&f->cluster, "'holderIdentity':''"), 1);
}

static void test_who_has_nothing_to_send_takes_no_lease(void **state)
{
	struct restore_fixture *f = *state;

	restore_object("configmaps", ONE);
	restore_hello(f);
	fake_cluster_list(&f->cluster, CONFIGS, "v1", "ConfigMap", ONE);
	run_and_keep(f);
	assert_int_equal(restore_apply(f), 0);
	assert_int_equal(fake_cluster_seen(&f->cluster, LEASES), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_what_has_an_end_is_not_done_again),
		TEST(test_a_part_stays_the_part_that_it_was),
		TEST(test_a_begin_without_an_end_that_is_there_was_ours),
		TEST(test_a_begin_without_an_end_that_is_not_there_is_sent),
		TEST(test_one_that_comes_late_was_ours_too),
		TEST(test_a_begin_without_an_end_that_differs_is_a_conflict),
		TEST(test_what_failed_is_tried_again),
		TEST(test_without_a_begin_what_is_there_is_skipped),
		TEST(test_the_end_is_written),
		TEST(test_a_policy_of_its_own_is_kept),
		TEST(test_another_target_is_refused),
		TEST(test_a_snapshot_that_has_changed_is_refused),
		TEST(test_no_request_is_sent_before_its_begin_is_on_disk),
		TEST(test_a_signal_stops_the_run),
		TEST(test_a_lease_is_made_and_given_back),
		TEST(test_a_live_holder_keeps_us_out),
		TEST(test_an_expired_lease_is_taken_over),
		TEST(test_a_lease_that_was_given_back_is_taken),
		TEST(test_who_comes_second_looks_again),
		TEST(test_the_lease_of_the_same_journal_is_taken_over),
		TEST(test_who_resumes_with_nothing_to_send_gives_the_lease_back),
		TEST(test_who_has_nothing_to_send_takes_no_lease),
	};

	return cmocka_run_group_tests_name("restore_resume", tests, NULL, NULL);
}
