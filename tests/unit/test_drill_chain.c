/* SPDX-License-Identifier: Apache-2.0 */
/* The chain of records: what is added, found and proven, and that nothing in it can be changed unseen. */
#include "support.h"

#include <string.h>

#include "drill/chain.h"
#include "store/git.h"
#include "store_support.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"

#define SNAPSHOT_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define SNAPSHOT_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

struct sample {
	const char *id, *snapshot, *mode;
	int exit_code;
	bool verified;
};

static const struct sample samples[] = {
	{"20261101T000000Z-00000001", SNAPSHOT_A, "real", 0, true},
	{"20261102T000000Z-00000002", SNAPSHOT_B, "real", 5, true},
	{"20261103T000000Z-00000003", SNAPSHOT_A, "local", 4, false},
};
#define SAMPLES (sizeof(samples) / sizeof(samples[0]))

static json_t *record_of(const struct sample *sample)
{
	json_t *record = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s}", "format", 1, "kind", "drill", "mode", sample->mode, "id",
		sample->id, "name", "prod", "startedAt", "2026-11-01T00:00:00Z", "endedAt", "2026-11-01T00:10:00Z");

	json_object_set_new(record, "verdict", json_pack("{s:s, s:i}", "result", "passed", "exitCode", sample->exit_code));
	json_object_set_new(record, "input", json_pack("{s:{s:s}}", "snapshot", "commit", sample->snapshot));
	json_object_set_new(record, "identity", json_pack("{s:{s:s}, s:{s:s}}", "tool", "version", "0.1.0", "target", "server", "v1.34"));
	json_object_set_new(record, "rto", json_pack("{s:i}", "achievedMilliseconds", 600000));
	json_object_set_new(record, "phases",
		json_pack("[{s:s, s:i}, {s:s, s:n}]", "name", "apply", "milliseconds", 4000, "name", "cutover", "milliseconds"));
	json_object_set_new(record, "probeCounts", json_pack("{s:i}", "pass", sample->verified ? 7 : 0));
	return record;
}

static void append(struct git_store *store, const struct sample *sample)
{
	auto_json json_t *record = record_of(sample);
	struct error err = ERROR_INIT;
	char commit[GIT_ID_SIZE];

	if (chain_append(store, record, commit, &err) < 0)
		fail_msg("%s", err.text);
}

/* A repository with all samples in their order. */
static struct git_store *sample_chain(void)
{
	struct git_store *store = open_repo();

	for (size_t i = 0; i < SAMPLES; i++)
		append(store, &samples[i]);
	return store;
}

static void test_each_record_names_the_bytes_of_the_one_before(void **state)
{
	struct git_store *store = sample_chain();
	auto_free char *before = shell_output("git -C repo show drills/prod~1:record.json | sha256sum | cut -d' ' -f1");
	auto_free char *named = shell_output("git -C repo show drills/prod:record.json | sed -n 's/.*\"previous\": \"\\(.*\\)\".*/\\1/p'");
	auto_free char *first = shell_output("git -C repo show drills/prod~2:record.json | grep -c '\"previous\": null'");
	char id[GIT_ID_SIZE];

	(void)state;
	assert_string_equal(named, before);
	assert_string_equal(first, "1");
	commit_rows(store, sample_rows, SAMPLE_TIME, id);
	assert_fsck("repo");
	git_store_free(store);
}

static void test_a_record_is_found_by_the_start_of_its_id(void **state)
{
	struct git_store *store = sample_chain();
	auto_json json_t *newest = NULL, *second = NULL, *none = NULL;
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(chain_find(store, "prod", NULL, &newest, &err), 0);
	assert_string_equal(json_text_at(newest, "id", NULL), samples[2].id);
	assert_int_equal(chain_find(store, "prod", "20261102", &second, &err), 0);
	assert_string_equal(json_text_at(second, "id", NULL), samples[1].id);
	assert_int_equal(chain_find(store, "prod", "2026", &none, &err), -1);
	support_assert_error(&err, ERR_USAGE, NULL);
	assert_int_equal(chain_find(store, "prod", "1999", &none, &err), -1);
	support_assert_error(&err, ERR_NOT_FOUND, NULL);
	assert_int_equal(chain_find(store, "other", NULL, &none, &err), -1);
	support_assert_error(&err, ERR_NOT_FOUND, NULL);
	git_store_free(store);
}

static void test_the_trend_ends_at_the_record_asked_for(void **state)
{
	struct git_store *store = sample_chain();
	auto_json json_t *trend = NULL, *last = NULL;
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(chain_trend(store, "prod", samples[1].id, 10, &trend, &err), 0);
	assert_int_equal(json_array_size(trend), 2);
	assert_string_equal(json_text_at(json_array_get(trend, 0), "id", NULL), samples[0].id);
	assert_int_equal(json_integer_value(json_at(json_array_get(trend, 1), "phases", "apply", NULL)), 4000);
	assert_null(json_at(json_array_get(trend, 1), "phases", "cutover", NULL));
	assert_int_equal(chain_trend(store, "prod", NULL, 1, &last, &err), 0);
	assert_int_equal(json_array_size(last), 1);
	assert_string_equal(json_text_at(json_array_get(last, 0), "id", NULL), samples[2].id);
	git_store_free(store);
}

static void test_what_is_expected_is_as_in_the_last_real_one_that_passed(void **state)
{
	struct git_store *store = sample_chain();
	auto_json json_t *trend = NULL;
	int64_t expected[PHASE_COUNT] = {[PHASE_CUTOVER] = 7};
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(chain_trend(store, "prod", NULL, 10, &trend, &err), 0);
	json_object_set_new(json_at(json_array_get(trend, 1), "phases", NULL), "apply", json_integer(9));
	chain_expect(trend, expected); /* the last one is local */
	assert_int_equal(expected[PHASE_APPLY], 9);
	assert_int_equal(expected[PHASE_CUTOVER], 7);
	chain_expect(NULL, expected);
	assert_int_equal(expected[PHASE_APPLY], 9);
	git_store_free(store);
}

static void test_only_what_came_back_whole_is_proven(void **state)
{
	struct git_store *store = sample_chain();
	auto_json json_t *proofs = NULL;
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(chain_proofs(store, "prod", &proofs, &err), 0);
	assert_int_equal(json_array_size(proofs), 1); /* B failed its probes */
	assert_string_equal(json_text_at(chain_proof_of(proofs, SNAPSHOT_A), "record", NULL), samples[2].id);
	assert_string_equal(json_text_at(chain_proof_of(proofs, SNAPSHOT_A), "mode", NULL), "local");
	assert_null(chain_proof_of(proofs, SNAPSHOT_B));
	git_store_free(store);
}

static void test_a_restore_that_was_not_verified_proves_nothing(void **state)
{
	static const struct sample hasty = {"20261104T000000Z-00000004", SNAPSHOT_B, "real", 0, false};
	struct git_store *store = open_repo();
	auto_json json_t *proofs = NULL;
	struct error err = ERROR_INIT;

	(void)state;
	append(store, &hasty);
	assert_int_equal(chain_proofs(store, "prod", &proofs, &err), 0);
	assert_int_equal(json_array_size(proofs), 0);
	git_store_free(store);
}

/* The faults of the chain, "record: text" each on its line. */
static char *faults_of(struct git_store *store)
{
	auto_json json_t *result = NULL;
	auto_strbuf struct strbuf out = STRBUF_INIT;
	struct error err = ERROR_INIT;
	const json_t *fault;
	size_t i;

	assert_int_equal(chain_check(store, "prod", &result, &err), 0);
	json_array_foreach (json_object_get(result, "faults"), i, fault)
		strbuf_addf(&out, "%s: %s\n", json_text_at(fault, "record", NULL), json_text_at(fault, "text", NULL));
	return strbuf_detach(&out, NULL);
}

static void test_a_whole_chain_has_no_faults(void **state)
{
	struct git_store *store = sample_chain();
	auto_free char *faults = faults_of(store);

	(void)state;
	assert_string_equal(faults, "");
	git_store_free(store);
}

/* Make the branch anew with what the shell function `edit` makes of the records, oldest first. */
#define REWRITE                                                                                                                            \
	"cd repo; parent=; for c in $(git rev-list --reverse drills/prod); do git show $c:record.json > ../r; edit ../r $c || continue; "  \
	"tree=$(printf '100644 blob %%s\\trecord.json\\n' $(git hash-object -w ../r) | git mktree); "                                      \
	"parent=$(git commit-tree -m x ${parent:+-p $parent} $tree); done; git update-ref refs/heads/drills/prod $parent"

static void test_a_record_that_was_changed_is_found(void **state)
{
	struct git_store *store = sample_chain();
	auto_free char *faults = NULL;

	(void)state;
	shell("edit() { sed -i 's/\"exitCode\": 5/\"exitCode\": 0/' $1; }; " REWRITE);
	faults = faults_of(store);
	assert_int_equal(strncmp(faults, samples[2].id, strlen(samples[2].id)), 0);
	assert_non_null(strstr(faults, "not the one that it names"));
	git_store_free(store);
}

static void test_a_record_that_was_left_out_is_found(void **state)
{
	struct git_store *store = sample_chain();
	auto_free char *middle = NULL, *first = NULL;

	(void)state;
	shell("edit() { ! grep -q 00000002 $1; }; " REWRITE);
	middle = faults_of(store);
	assert_non_null(strstr(middle, "not the one that it names"));
	shell("edit() { ! grep -q 00000001 $1; }; " REWRITE);
	first = faults_of(store);
	assert_non_null(strstr(first, "the start of the chain is missing"));
	git_store_free(store);
}

static void test_a_record_of_another_cluster_is_found(void **state)
{
	struct git_store *store = sample_chain();
	auto_free char *faults = NULL;

	(void)state;
	shell("git -C repo update-ref refs/heads/drills/other refs/heads/drills/prod; edit() { sed -i 's/\"name\": \"prod\"/\"name\": "
	      "\"x\"/' $1; }; " REWRITE);
	faults = faults_of(store);
	assert_non_null(strstr(faults, "of another cluster"));
	git_store_free(store);
}

static void test_damage_is_told_and_not_an_error(void **state)
{
	struct git_store *store = sample_chain();
	auto_free char *text = NULL, *tree = NULL;

	(void)state;
	shell("edit() { echo '{' > $1; }; " REWRITE);
	text = faults_of(store);
	assert_true(*text);
	shell("cd repo; tree=$(printf '100644 blob %%s\\tother\\n' $(git hash-object -w HEAD) | git mktree); git update-ref "
	      "refs/heads/drills/prod $(git commit-tree -m x $tree)");
	tree = faults_of(store);
	assert_non_null(strstr(tree, "no record"));
	git_store_free(store);
}

#define in_dir(test) cmocka_unit_test_setup_teardown(test, support_enter_dir, support_leave_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_dir(test_each_record_names_the_bytes_of_the_one_before),
		in_dir(test_a_record_is_found_by_the_start_of_its_id),
		in_dir(test_the_trend_ends_at_the_record_asked_for),
		in_dir(test_what_is_expected_is_as_in_the_last_real_one_that_passed),
		in_dir(test_only_what_came_back_whole_is_proven),
		in_dir(test_a_restore_that_was_not_verified_proves_nothing),
		in_dir(test_a_whole_chain_has_no_faults),
		in_dir(test_a_record_that_was_changed_is_found),
		in_dir(test_a_record_that_was_left_out_is_found),
		in_dir(test_a_record_of_another_cluster_is_found),
		in_dir(test_damage_is_told_and_not_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
