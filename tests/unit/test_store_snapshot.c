/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include "store_support.h"

#include <stdlib.h>
#include <string.h>

#include "object/object.h"
#include "store/archive.h"
#include "store/snapshot.h"
#include "util/json.h"
#include "util/mem.h"

static struct snapshot *open_good(const char *arg, bool accept)
{
	const struct snapshot_source source = {.repo = "repo", .accept_edits = accept};
	struct error err = ERROR_INIT;
	struct snapshot *snapshot;

	if (snapshot_open(&snapshot, &source, arg, &err) < 0)
		fail_msg("%s (%s)", err.text, err.hint);
	return snapshot;
}

static void assert_refused(const char *arg, bool accept, enum error_code code, const char *part, const char *hint)
{
	const struct snapshot_source source = {.repo = "repo", .accept_edits = accept};
	struct error err = ERROR_INIT;
	struct snapshot *snapshot;

	if (snapshot_open(&snapshot, &source, arg, &err) == 0)
		fail_msg("'%s' is taken for good", arg ? arg : "NULL");
	if (err.code != code || !strstr(err.text, part) || !strstr(err.hint, hint))
		fail_msg("%d: %s (%s)", err.code, err.text, err.hint);
	assert_null(snapshot);
}

static void make_sample(char id[GIT_ID_SIZE])
{
	struct git_store *store = open_repo();

	commit_rows(store, sample_rows, SAMPLE_TIME, id);
	git_store_free(store);
}

static char *make_archive(void)
{
	struct git_store *store = open_repo();
	struct error err = ERROR_INIT;
	char id[GIT_ID_SIZE], *path;
	bool made;

	commit_rows(store, sample_rows, SAMPLE_TIME, id);
	assert_int_equal(archive_make(store, TARGET(id, "."), &path, &made, &err), 0);
	git_store_free(store);
	return path;
}

/* "x" with MANIFEST.sha256 and COMMIT. */
static void make_folder(void)
{
	auto_free char *path = make_archive();

	shell("mkdir x && tar --zstd -xf %s -C x", path);
}

static void assert_sample(const struct snapshot *snapshot)
{
	assert_string_equal(snapshot->cluster, "prod");
	assert_string_equal(snapshot->cluster_id, "6d3e");
	assert_int_equal(snapshot->object_count, 1);
	assert_string_equal(snapshot->objects[0]->kind, "ConfigMap");
	assert_string_equal(snapshot->objects[0]->name, "app");
	assert_non_null(snapshot->requirements);
	assert_non_null(snapshot->generated);
	assert_int_equal(json_integer_value(json_at(snapshot->info, "format", NULL)), 1);
}

/* ---- revisions ---- */

static void test_a_revision(void **state)
{
	char id[GIT_ID_SIZE];
	struct snapshot *snapshot;

	(void)state;
	make_sample(id);
	for (int i = 0; i < 4; i++) {
		const char *const args[] = {NULL, "prod", "@{2026-11-20T14:00Z}", id};

		snapshot = open_good(args[i], false);
		assert_sample(snapshot);
		assert_string_equal(snapshot->commit, id);
		assert_int_equal(snapshot->captured_at, SAMPLE_TIME);
		assert_true(snapshot->verified);
		assert_int_equal(snapshot->edits.count, 0);
		snapshot_free(snapshot);
	}
}

static void test_a_head_seen_unchanged_is_as_young_as_that(void **state)
{
	struct git_store *store = open_repo();
	struct error err = ERROR_INIT;
	struct snapshot *snapshot;
	struct git_write *w;
	char first[GIT_ID_SIZE], second[GIT_ID_SIZE], sum[65];
	bool unchanged;

	(void)state;
	commit_rows(store, sample_rows, SAMPLE_TIME, first);
	commit_rows(store, sample_rows_changed, SAMPLE_TIME + 60, second);
	w = write_rows(store, sample_rows_changed, sum, &unchanged);
	assert_int_equal(git_write_mark_captured(w, SAMPLE_TIME + 7200, "9", &err), 0);
	git_write_free(w);
	git_store_free(store);
	snapshot = open_good(NULL, false);
	assert_int_equal(snapshot->captured_at, SAMPLE_TIME + 7200);
	snapshot_free(snapshot);
	snapshot = open_good("HEAD~1", false);
	assert_int_equal(snapshot->captured_at, SAMPLE_TIME);
	snapshot_free(snapshot);
}

static void commit_by_hand(const char *script)
{
	shell("rm -rf w && git clone -q repo w && cd w && %s && git add -A && git commit -q --allow-empty -m hand && git push -q origin "
	      "HEAD:clusters/prod",
		script);
}

static void test_a_commit_by_hand_needs_consent(void **state)
{
	struct snapshot *snapshot;
	char id[GIT_ID_SIZE];

	(void)state;
	make_sample(id);
	commit_by_hand("sed -i s/one/two/ " SAMPLE_OBJECT " && echo x > crds");
	commit_by_hand("sed -i s/two/three/ " SAMPLE_OBJECT);
	assert_refused(NULL, false, ERR_INTEGRITY, "changed since it was captured: 'crds', '" SAMPLE_OBJECT "'", "--accept-edits");
	snapshot = open_good(NULL, true);
	assert_false(snapshot->verified);
	assert_int_equal(snapshot->edits.count, 2);
	assert_string_equal(snapshot->edits.items[1], SAMPLE_OBJECT);
	assert_string_equal(json_text_at(snapshot->objects[0]->json, "data", "key", NULL), "three");
	assert_int_equal(snapshot->captured_at, SAMPLE_TIME);
	snapshot_free(snapshot);
	snapshot = open_good("HEAD~2", false);
	assert_true(snapshot->verified);
	snapshot_free(snapshot);
}

static void test_a_commit_by_hand_that_changes_nothing_needs_consent(void **state)
{
	char id[GIT_ID_SIZE];

	(void)state;
	make_sample(id);
	commit_by_hand("true");
	assert_refused(NULL, false, ERR_INTEGRITY, "was not made by a snapshot", "--accept-edits");
	snapshot_free(open_good(NULL, true));
}

/* Amending keeps the trailers, which then are of other files. */
static void test_an_amended_commit_needs_consent(void **state)
{
	struct snapshot *snapshot;
	char id[GIT_ID_SIZE];

	(void)state;
	make_sample(id);
	shell("git clone -q repo w && cd w && sed -i s/one/two/ " SAMPLE_OBJECT
	      " && git commit -qa --amend --no-edit && git push -qf origin HEAD:clusters/prod");
	assert_refused(NULL, false, ERR_INTEGRITY, "changed since it was captured: 'whole commit'", "--accept-edits");
	snapshot = open_good(NULL, true);
	assert_string_equal(snapshot->edits.items[0], "whole commit");
	snapshot_free(snapshot);
}

static void test_what_is_not_there(void **state)
{
	char id[GIT_ID_SIZE];

	(void)state;
	assert_refused(NULL, false, ERR_NOT_FOUND, "no git repository", "--repo");
	make_sample(id);
	assert_refused("nosuch", false, ERR_NOT_FOUND, "'nosuch'", "rhaii-dr list");
	assert_refused("./nosuch", false, ERR_NOT_FOUND, "no such file", "");
	assert_refused("nosuch.tar.zst", false, ERR_NOT_FOUND, "no such file", "");
}

/* ---- archives ---- */

static void test_an_archive(void **state)
{
	auto_free char *path = make_archive(), *id = shell_output("git -C repo rev-parse HEAD");
	struct snapshot *snapshot = NULL;

	(void)state;
	shell("rm -rf repo");
	snapshot = open_good(path, false);
	assert_sample(snapshot);
	assert_string_equal(snapshot->commit, id);
	assert_int_equal(snapshot->captured_at, SAMPLE_TIME);
	assert_true(snapshot->verified);
	snapshot_free(snapshot);
}

static void test_edits_of_an_archive_are_never_accepted(void **state)
{
	auto_free char *path = make_archive();

	(void)state;
	shell("mkdir x && tar --zstd -xf %s -C x && sed -i s/one/two/ x/" SAMPLE_OBJECT
	      " && tar -C x -cf edited.tar MANIFEST.sha256 COMMIT generated.yaml " SAMPLE_OBJECT
	      " policy.yaml requirements.yaml snapshot.yaml && zstd -q edited.tar",
		path);
	assert_refused("./edited.tar.zst", true, ERR_INTEGRITY, SAMPLE_OBJECT, "another copy");
}

/* ---- folders ---- */

static void test_a_folder_with_a_manifest_is_verified(void **state)
{
	struct snapshot *snapshot = NULL;
	auto_free char *id = NULL;

	(void)state;
	make_folder();
	id = shell_output("git -C repo rev-parse HEAD");
	snapshot = open_good("./x", false);
	assert_sample(snapshot);
	assert_true(snapshot->verified);
	assert_string_equal(snapshot->commit, id);
	assert_int_equal(snapshot->captured_at, SAMPLE_TIME);
	snapshot_free(snapshot);
	shell("rm x/COMMIT; mkdir x/.git && echo x > x/.git/config");
	snapshot = open_good("./x", false);
	assert_true(snapshot->verified);
	assert_string_equal(snapshot->commit, "");
	assert_int_equal(snapshot->captured_at, 0);
	snapshot_free(snapshot);
}

static void test_a_folder_without_a_manifest_is_unverified(void **state)
{
	struct snapshot *snapshot;

	(void)state;
	make_folder();
	shell("rm x/MANIFEST.sha256");
	snapshot = open_good("./x", false);
	assert_sample(snapshot);
	assert_false(snapshot->verified);
	snapshot_free(snapshot);
}

static void test_an_edited_folder_needs_consent(void **state)
{
	struct snapshot *snapshot;

	(void)state;
	make_folder();
	shell("sed -i s/one/two/ x/" SAMPLE_OBJECT " && mkdir x/crds && for i in 1 2 3 4; do echo $i > x/crds/$i.yaml; done");
	assert_refused("./x", false, ERR_INTEGRITY, "changed since it was captured: 'crds/1.yaml', 'crds/2.yaml', 'crds/3.yaml' and 2 more",
		"--accept-edits");
	snapshot = open_good("./x", true);
	assert_int_equal(snapshot->edits.count, 5);
	assert_false(snapshot->verified);
	/* COMMIT is of other files. */
	assert_string_equal(snapshot->commit, "");
	assert_int_equal(snapshot->captured_at, 0);
	snapshot_free(snapshot);
}

static void assert_key(const char *arg, bool accept, bool integer)
{
	struct snapshot *snapshot = open_good(arg, accept);
	const json_t *value = json_at(snapshot->objects[0]->json, "data", "key", NULL);

	assert_int_equal(json_is_integer(value), integer);
	assert_true(json_number_value(value) >= 3 && json_number_value(value) <= 3);
	snapshot_free(snapshot);
}

/* kubectl sends 3 for the 3.0 of a file, and an API server takes only that for an integer. */
static void test_a_whole_number_that_a_person_wrote_is_an_integer(void **state)
{
	(void)state;
	make_folder();
	shell("sed -i s/one/3.0/ x/" SAMPLE_OBJECT);
	assert_key("./x", true, true);
	shell("rm x/COMMIT x/MANIFEST.sha256");
	assert_key("./x", false, true);
}

/* What a snapshot wrote is what the server said, also beside a file that was edited. */
static void test_a_whole_real_that_a_snapshot_wrote_stays_one(void **state)
{
	(void)state;
	make_folder();
	shell("cd x && rm COMMIT && sed -i s/one/3.0/ " SAMPLE_OBJECT
	      " && sha256sum $(cut -c67- MANIFEST.sha256) > m && mv m MANIFEST.sha256");
	assert_key("./x", false, false);
	shell("echo 1 > x/other.yaml");
	assert_key("./x", true, false);
}

/* A manifest that was made again is true of the edited files; the commit is not. */
static void test_a_folder_that_its_commit_denies_needs_consent(void **state)
{
	static const char *const scripts[] = {
		"sed -i s/one/two/ " SAMPLE_OBJECT " && sha256sum $(cut -c67- MANIFEST.sha256) > m && mv m MANIFEST.sha256",
		"sed -i s/one/two/ " SAMPLE_OBJECT " && rm MANIFEST.sha256",
		"sed -i 's/^tree ..../tree 0000/' COMMIT",
		"sed -i 's/^Manifest-SHA256: ..../Manifest-SHA256: 0000/' COMMIT",
		"sed -i /^Manifest-SHA256/d COMMIT",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(scripts) / sizeof(*scripts); i++) {
		struct snapshot *snapshot;

		shell("rm -rf repo x *.zst*");
		make_folder();
		shell("cd x && %s", scripts[i]);
		assert_refused("./x", false, ERR_INTEGRITY, "changed since it was captured: 'whole folder'", "--accept-edits");
		snapshot = open_good("./x", true);
		assert_false(snapshot->verified);
		assert_int_equal(snapshot->edits.count, 1);
		assert_string_equal(snapshot->edits.items[0], "whole folder");
		assert_string_equal(snapshot->commit, "");
		assert_int_equal(snapshot->captured_at, 0);
		snapshot_free(snapshot);
	}
}

/* The lines of a manifest may be in any order: it is the commit that the files are held against. */
static void test_a_folder_whose_manifest_is_turned_around_is_verified(void **state)
{
	struct snapshot *snapshot;

	(void)state;
	make_folder();
	shell("cd x && tac MANIFEST.sha256 > m && mv m MANIFEST.sha256");
	snapshot = open_good("./x", false);
	assert_true(snapshot->verified);
	assert_true(*snapshot->commit);
	snapshot_free(snapshot);
}

static void test_a_folder_is_not_looked_for_behind_a_symlink(void **state)
{
	static const char *const names[] = {"./link", "./link/", "./link//", "./link/.", "./link/./"};

	(void)state;
	make_folder();
	shell("ln -s x link");
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		assert_refused(names[i], true, ERR_INTEGRITY, "a symlink, not a directory", "");
	snapshot_free(open_good("./x/", false));
	/* What leads to it is the user's own word. */
	shell("mkdir d && mv x d && ln -s d up");
	snapshot_free(open_good("./up/x", false));
}

/* "latest.tar.zst" may well be a link; what it leads to is held against its sums all the same. */
static void test_an_archive_may_be_named_by_a_symlink(void **state)
{
	auto_free char *path = make_archive();

	(void)state;
	shell("mkdir a && mv *.zst* a && ln -s a/%s latest.tar.zst && ln -s a/%s.sha256 latest.tar.zst.sha256", path, path);
	snapshot_free(open_good("latest.tar.zst", false));
	shell("rm latest.tar.zst.sha256 && echo x > s && ln -s s latest.tar.zst.sha256");
	assert_refused("latest.tar.zst", true, ERR_INTEGRITY, "does not match", "");
	shell("rm s && mkfifo s");
	assert_refused("latest.tar.zst", true, ERR_INTEGRITY, "does not match", "");
}

static void test_hostile_folders_are_refused(void **state)
{
	static const struct {
		const char *script, *text;
	} cases[] = {
		{"ln -s /etc/passwd x/link", "neither file nor directory"},
		{"mkfifo x/fifo", "neither file nor directory"},
		{"echo > 'x/a b'", "not a path"},
		{"mkdir -p x/a/.git && echo > x/a/.git/config", "not a path"},
		{"echo x > x/MANIFEST.sha256", "MANIFEST.sha256: line 1"},
		{"sed -i 's,  policy,  ../policy,' x/MANIFEST.sha256", "not a path"},
		{"echo x > x/COMMIT", "COMMIT: not a commit object"},
		{"rm x/MANIFEST.sha256 && truncate -s 17M x/policy.yaml", "larger than"},
		{"mv x/policy.yaml . && ln -s ../policy.yaml x/policy.yaml", "neither file nor directory"},
		{"mv x/objects . && ln -s ../objects x/objects", "neither file nor directory"},
		{"mkdir d && ln -s ../d x/.git", "neither file nor directory"},
		{"mv x y && ln -s y x", "a symlink, not a directory"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		shell("rm -rf repo x y d objects policy.yaml *.zst*");
		make_folder();
		shell("%s", cases[i].script);
		assert_refused("./x", true, ERR_INTEGRITY, cases[i].text, "");
	}
}

/* ---- content ---- */

static void test_content_that_does_not_fit_together_is_refused(void **state)
{
	static const struct {
		const char *script, *text;
	} cases[] = {
		{"sed -i 's/format: 1/format: 7/' x/snapshot.yaml", "format 7 is newer than the 1 that this program reads"},
		{"sed -i 's/format: 1/format: 0/' x/snapshot.yaml", "no format version"},
		{"sed -i '/format: 1/d' x/snapshot.yaml", "no format version"},
		{"sed -i 's/name: prod/name: 5/' x/snapshot.yaml", "no name or no id"},
		{"sed -i '/id:/d' x/snapshot.yaml", "no name or no id"},
		{"echo '{' > x/snapshot.yaml", "snapshot.yaml: "},
		{"rm x/snapshot.yaml", "no snapshot.yaml in it"},
		{"rm x/policy.yaml", "no policy.yaml in it"},
		{"rm x/requirements.yaml", "no requirements.yaml in it"},
		{"rm x/generated.yaml", "no generated.yaml in it"},
		{"echo '&a [*a]' > x/policy.yaml", "policy.yaml: "},
		{"sed -i 's/name: app/name: other/' x/" SAMPLE_OBJECT, SAMPLE_OBJECT},
		{"echo 'a: b' > x/" SAMPLE_OBJECT, SAMPLE_OBJECT},
		{"echo x > x/objects/readme", "objects/readme"},
		{"cp x/" SAMPLE_OBJECT " x/objects/namespaces/prod/configmaps/app2.yaml", "app2.yaml"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		shell("rm -rf repo x *.zst*");
		make_folder();
		shell("rm x/MANIFEST.sha256 x/COMMIT; %s", cases[i].script);
		assert_refused("./x", false, ERR_INTEGRITY, cases[i].text, i == 0 ? "reads format 7" : "");
	}
}

static void test_a_snapshot_may_have_no_objects(void **state)
{
	struct snapshot *snapshot;

	(void)state;
	make_folder();
	shell("rm -r x/MANIFEST.sha256 x/COMMIT x/objects");
	snapshot = open_good("./x", false);
	assert_int_equal(snapshot->object_count, 0);
	snapshot_free(snapshot);
}

#define T(name) cmocka_unit_test_setup_teardown(name, support_enter_dir, support_leave_dir)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_a_revision),
		T(test_a_head_seen_unchanged_is_as_young_as_that),
		T(test_a_commit_by_hand_needs_consent),
		T(test_a_commit_by_hand_that_changes_nothing_needs_consent),
		T(test_an_amended_commit_needs_consent),
		T(test_what_is_not_there),
		T(test_an_archive),
		T(test_edits_of_an_archive_are_never_accepted),
		T(test_a_folder_with_a_manifest_is_verified),
		T(test_a_folder_without_a_manifest_is_unverified),
		T(test_an_edited_folder_needs_consent),
		T(test_a_whole_number_that_a_person_wrote_is_an_integer),
		T(test_a_whole_real_that_a_snapshot_wrote_stays_one),
		T(test_a_folder_that_its_commit_denies_needs_consent),
		T(test_a_folder_whose_manifest_is_turned_around_is_verified),
		T(test_a_folder_is_not_looked_for_behind_a_symlink),
		T(test_an_archive_may_be_named_by_a_symlink),
		T(test_hostile_folders_are_refused),
		T(test_content_that_does_not_fit_together_is_refused),
		T(test_a_snapshot_may_have_no_objects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
