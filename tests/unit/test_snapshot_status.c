/* SPDX-License-Identifier: Apache-2.0 */
/* How old the last capture is, on a real repository. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "snapshot/status.h"
#include "store/archive.h"
#include "store_support.h"
#include "util/clock.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"

#define HOUR ((time_t)3600)
#define DAY_MS ((int64_t)24 * 3600 * 1000)

static json_t *status_of(const struct status_options *options)
{
	struct git_store *store = open_repo();
	struct error err = ERROR_INIT;
	json_t *result;

	if (status_read(store, options, &result, &err) < 0)
		fail_msg("%s", err.text);
	git_store_free(store);
	return result;
}

static const json_t *first_of(const json_t *result)
{
	return json_array_get(json_object_get(result, "clusters"), 0);
}

static void commit_at(time_t when, char id[GIT_ID_SIZE])
{
	struct git_store *store = open_repo();

	commit_rows(store, sample_rows, when, id);
	git_store_free(store);
}

static void test_a_capture_within_the_limit(void **state)
{
	const struct status_options options = {.max_age_ms = DAY_MS};
	auto_json json_t *result = NULL;
	char id[GIT_ID_SIZE];

	(void)state;
	commit_at(clock_now() - HOUR, id);
	result = status_of(&options);
	assert_string_equal(json_text_at(first_of(result), "commit", NULL), id);
	assert_in_range(json_integer_value(json_object_get(first_of(result), "rpoSeconds")), 3600, 3660);
	assert_false(status_too_old(result));
}

static void test_a_capture_that_is_too_old(void **state)
{
	const struct status_options options = {.max_age_ms = HOUR * 1000};
	auto_json json_t *result = NULL;
	char id[GIT_ID_SIZE];

	(void)state;
	commit_at(clock_now() - 2 * HOUR, id);
	result = status_of(&options);
	assert_true(status_too_old(result));
}

/* What was looked at and found unchanged is as good as new. */
static void test_an_unchanged_capture_counts(void **state)
{
	const struct status_options options = {.max_age_ms = HOUR * 1000};
	struct git_store *store = open_repo();
	time_t now = clock_now();
	struct error err = ERROR_INIT;
	auto_json json_t *result = NULL;
	struct git_write *write;
	char id[GIT_ID_SIZE], sum[65];
	bool unchanged;

	(void)state;
	commit_rows(store, sample_rows, now - 48 * HOUR, id);
	write = write_rows(store, sample_rows, sum, &unchanged);
	assert_true(unchanged);
	assert_int_equal(git_write_mark_captured(write, now - 60, "7", &err), 0);
	git_write_free(write);
	git_store_free(store);
	result = status_of(&options);
	assert_false(status_too_old(result));
	assert_in_range(json_integer_value(json_object_get(first_of(result), "rpoSeconds")), 60, 120);
}

/* With a clock that is wrong, nothing is known: that must not look like the best of all RPOs. */
static void test_a_capture_in_the_future_is_not_fresh(void **state)
{
	const struct status_options options = {.max_age_ms = DAY_MS};
	auto_json json_t *result = NULL;
	char id[GIT_ID_SIZE];

	(void)state;
	commit_at(clock_now() + 5 * HOUR, id);
	result = status_of(&options);
	assert_true(json_is_true(json_object_get(first_of(result), "inFuture")));
	assert_true(status_too_old(result));
}

/* The captured tag of the head, with a kind that could not be read. */
static void mark_stale(time_t captured, time_t since)
{
	struct git_store *store = open_repo();
	struct error err = ERROR_INIT;
	struct git_write *write;
	char sum[65], when[CLOCK_TEXT_SIZE];
	auto_free char *remark = xasprintf("Not-Ready: 0\nStale: routes.r.io since %s\n", clock_format(since, when));
	bool unchanged;

	write = write_rows(store, sample_rows, sum, &unchanged);
	git_write_remark(write, remark);
	assert_int_equal(git_write_mark_captured(write, captured, "7", &err), 0);
	git_write_free(write);
	git_store_free(store);
}

/* What was captured a minute ago, but for one kind, has the age of that kind. */
static void test_no_rpo_is_claimed_for_a_stale_kind(void **state)
{
	const struct status_options options = {.max_age_ms = HOUR * 1000};
	auto_json json_t *result = NULL;
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_free char *last = NULL;
	time_t now = clock_now();
	const json_t *mark;
	char id[GIT_ID_SIZE];

	(void)state;
	commit_at(now - 3 * HOUR, id);
	mark_stale(now - 60, now - 2 * HOUR);
	result = status_of(&options);
	assert_true(status_too_old(result));
	assert_in_range(json_integer_value(json_object_get(first_of(result), "rpoSeconds")), 7200, 7260);
	mark = json_array_get(json_object_get(first_of(result), "stale"), 0);
	assert_string_equal(json_text_at(mark, "group", NULL), "r.io");
	assert_string_equal(json_text_at(mark, "resource", NULL), "routes");
	status_openmetrics(result, &text);
	last = xasprintf("\nrhaii_dr_last_capture_timestamp_seconds{cluster=\"prod\"} %lld\n", (long long)(now - 2 * HOUR));
	assert_non_null(strstr(text.buf, last));
	assert_non_null(strstr(text.buf, "\nrhaii_dr_stale_kinds{cluster=\"prod\"} 1\n"));
}

static void test_an_empty_repository_has_none(void **state)
{
	const struct status_options options = {.max_age_ms = DAY_MS};
	struct git_store *store = open_repo();
	struct error err = ERROR_INIT;
	json_t *result;

	(void)state;
	assert_int_equal(status_read(store, &options, &result, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_null(result);
	git_store_free(store);
}

static void test_an_archive_without_its_sidecar_is_not_complete(void **state)
{
	const struct status_options options = {.max_age_ms = DAY_MS, .archive_dir = "archives"};
	struct error err = ERROR_INIT;
	struct git_store *store;
	char id[GIT_ID_SIZE];
	bool made;

	(void)state;
	commit_at(clock_now(), id);
	for (int complete = 1; complete >= 0; complete--) {
		auto_free char *path = NULL;
		auto_json json_t *result = NULL;

		store = open_repo();
		assert_int_equal(archive_make(store, TARGET(id, "archives"), &path, &made, &err), 0);
		git_store_free(store);
		if (!complete)
			shell("rm archives/*.sha256");
		result = status_of(&options);
		assert_int_equal(json_is_true(json_at(first_of(result), "archive", "complete", NULL)), complete);
		assert_string_equal(json_text_at(first_of(result), "archive", "path", NULL), path);
	}
}

static void test_a_refused_capture_that_waits_is_named_by_its_tree(void **state)
{
	const struct status_options options = {.max_age_ms = DAY_MS};
	auto_free char *tree = NULL;
	auto_json json_t *result = NULL;
	char id[GIT_ID_SIZE];

	(void)state;
	commit_at(clock_now(), id);
	shell("git -C repo update-ref refs/rhaii-dr/refused/prod %s", id);
	tree = shell_output("git -C repo rev-parse --short=12 %s^{tree}", id);
	result = status_of(&options);
	assert_string_equal(json_text_at(first_of(result), "refused", NULL), tree);
}

/* Somebody's word is told as somebody's word. */
static void test_offsite_is_declared_not_checked(void **state)
{
	auto_free char *none = status_offsite(NULL), *declared = status_offsite("nightly\ncopies");

	(void)state;
	assert_string_equal(none, "none");
	assert_string_equal(declared, "declared, not checked: nightly\\ncopies");
}

static void test_metrics_have_samples_and_an_end(void **state)
{
	const struct status_options options = {.max_age_ms = HOUR * 1000, .offsite = "tape"};
	auto_json json_t *result = NULL;
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_free char *last = NULL, *info = NULL;
	time_t when = clock_now() - 2 * HOUR;
	char id[GIT_ID_SIZE];

	(void)state;
	commit_at(when, id);
	result = status_of(&options);
	status_openmetrics(result, &text);
	last = xasprintf(
		"# TYPE rhaii_dr_last_capture_timestamp_seconds gauge\nrhaii_dr_last_capture_timestamp_seconds{cluster=\"prod\"} %lld\n",
		(long long)when);
	info = xasprintf("rhaii_dr_snapshot_info{cluster=\"prod\",commit=\"%s\"} 1\n", id);
	assert_non_null(strstr(text.buf, last));
	assert_non_null(strstr(text.buf, info));
	assert_non_null(strstr(text.buf, "\nrhaii_dr_rpo_missed{cluster=\"prod\"} 1\n"));
	assert_non_null(strstr(text.buf, "\nrhaii_dr_offsite_declared 1\n# EOF\n"));
	assert_null(strstr(text.buf, "rhaii_dr_archive_complete{")); /* nobody asked */
	assert_string_equal(text.buf + text.len - 6, "# EOF\n");
}

#define in_dir(test) cmocka_unit_test_setup_teardown(test, support_enter_dir, support_leave_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_dir(test_a_capture_within_the_limit),
		in_dir(test_a_capture_that_is_too_old),
		in_dir(test_an_unchanged_capture_counts),
		in_dir(test_a_capture_in_the_future_is_not_fresh),
		in_dir(test_no_rpo_is_claimed_for_a_stale_kind),
		in_dir(test_an_empty_repository_has_none),
		in_dir(test_an_archive_without_its_sidecar_is_not_complete),
		in_dir(test_a_refused_capture_that_waits_is_named_by_its_tree),
		cmocka_unit_test(test_offsite_is_declared_not_checked),
		in_dir(test_metrics_have_samples_and_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
