/* SPDX-License-Identifier: Apache-2.0 */
/* The marks of stale kinds: as trailers, in a commit, in the captured tag, and which of the two holds. */
#include "support.h"

#include <string.h>

#include "store/snapshot.h"
#include "store/stale.h"
#include "store_support.h"
#include "util/error.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"

#define SINCE "2026-11-20T10:00:00Z"
#define HEADER "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor a <a@b> 1 +0000\ncommitter a <a@b> 1 +0000\n\n"

/* [{group, resource, since}] as "resource.group since;" */
static char *told(json_t *stale)
{
	auto_strbuf struct strbuf out = STRBUF_INIT;
	const json_t *mark;
	size_t i;

	json_array_foreach (stale, i, mark)
		strbuf_addf(&out, "%s|%s|%s;", json_text_at(mark, "resource", NULL), json_text_at(mark, "group", NULL),
			json_text_at(mark, "since", NULL));
	json_decref(stale);
	return strbuf_detach(&out, NULL);
}

static char *read_commit(const char *message)
{
	__attribute__((cleanup(git_commit_release))) struct git_commit commit = {0};
	auto_free char *raw = xasprintf(HEADER "%s", message);
	struct error err = ERROR_INIT;

	assert_int_equal(git_commit_parse(raw, strlen(raw), &commit, &err), 0);
	return told(stale_read(&commit.stale));
}

static void test_marks_come_back_as_they_were_written(void **state)
{
	auto_json json_t *stale = json_pack("[{s:s, s:s, s:s}, {s:s, s:s, s:s}]", "group", "networking.k8s.io", "resource",
		"networkpolicies", "since", SINCE, "group", "", "resource", "configmaps", "since", SINCE);
	auto_strbuf struct strbuf message = STRBUF_INIT;
	auto_free char *read = NULL;

	(void)state;
	strbuf_adds(&message, "subject\n\nTool-Version: 1\n");
	stale_write(stale, &message);
	assert_non_null(
		strstr(message.buf, "\nStale: networkpolicies.networking.k8s.io since " SINCE "\nStale: configmaps since " SINCE "\n"));
	read = read_commit(message.buf);
	assert_string_equal(read, "networkpolicies|networking.k8s.io|" SINCE ";configmaps||" SINCE ";");
}

/* The lines before it are foreign text. */
static void test_only_the_last_paragraph_has_marks(void **state)
{
	auto_free char *read = read_commit("subject\n\nStale: routes since " SINCE "\n\nTool-Version: 1\n");

	(void)state;
	assert_string_equal(read, "");
}

static void test_what_is_no_mark_is_passed_over(void **state)
{
	static const char *const values[] = {"routes", "routes since", "routes since yesterday", "routes x since " SINCE, " since " SINCE,
		".g since " SINCE, "since " SINCE, ""};

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		auto_free char *message = xasprintf("subject\n\nTool-Version: 1\nStale: %s\n", values[i]), *read = read_commit(message);

		assert_string_equal(read, "");
	}
}

/* ---- which holds ---- */

static void mark_head(struct git_store *store, time_t when, const char *remark)
{
	struct error err = ERROR_INIT;
	char sum[65];
	bool unchanged;
	struct git_write *write = write_rows(store, sample_rows, sum, &unchanged);

	git_write_remark(write, remark);
	assert_int_equal(git_write_mark_captured(write, when, "7", &err), 0);
	git_write_free(write);
}

static char *stale_at(const char *revision)
{
	const struct snapshot_source source = {.repo = "repo"};
	struct error err = ERROR_INIT;
	struct snapshot *snapshot;
	auto_json json_t *description = NULL;
	char *text;

	if (snapshot_open(&snapshot, &source, revision, &err) < 0)
		fail_msg("%s", err.text);
	description = snapshot_description(snapshot);
	text = told(json_incref(json_object_get(description, "stale")));
	snapshot_free(snapshot);
	return text;
}

/* It was looked at last, whether it has more marks than the commit or fewer. */
static void test_the_captured_tag_decides_for_the_head(void **state)
{
	struct git_store *store = open_repo();
	char id[GIT_ID_SIZE];

	(void)state;
	commit_rows(store, sample_rows, SAMPLE_TIME, id);
	for (int i = 0; i < 4; i++) {
		auto_free char *text = NULL;

		mark_head(store, SAMPLE_TIME + i, i % 2 ? "Stale: routes.r.io since " SINCE "\n" : "Not-Ready: 0\n");
		text = stale_at(NULL);
		assert_string_equal(text, i % 2 ? "routes|r.io|" SINCE ";" : "");
	}
	git_store_free(store);
}

static void test_a_commit_behind_the_head_has_its_own_marks(void **state)
{
	struct git_store *store = open_repo();
	char id[GIT_ID_SIZE];
	auto_free char *text = NULL;

	(void)state;
	commit_rows(store, sample_rows, SAMPLE_TIME, id);
	mark_head(store, SAMPLE_TIME, "Stale: routes.r.io since " SINCE "\n");
	commit_rows(store, sample_rows_changed, SAMPLE_TIME + 60, id);
	text = stale_at("clusters/prod~1");
	assert_string_equal(text, "");
	git_store_free(store);
}

#define in_dir(test) cmocka_unit_test_setup_teardown(test, support_enter_dir, support_leave_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_marks_come_back_as_they_were_written),
		cmocka_unit_test(test_only_the_last_paragraph_has_marks),
		cmocka_unit_test(test_what_is_no_mark_is_passed_over),
		in_dir(test_the_captured_tag_decides_for_the_head),
		in_dir(test_a_commit_behind_the_head_has_its_own_marks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
