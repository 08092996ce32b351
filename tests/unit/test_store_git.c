/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include "store_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/tree.h"
#include "util/clock.h"
#include "util/file.h"
#include "util/mem.h"
#include "util/strbuf.h"

#define auto_tree __attribute__((cleanup(tree_release)))
#define CAPTURED_REF "refs/rhaii-dr/captured/prod"
#define HEAD_LOCK "repo/refs/heads/clusters/prod.lock"

static void assert_resolves(struct git_store *store, const char *revision, const char *expected)
{
	struct error err = ERROR_INIT;
	char id[GIT_ID_SIZE];

	if (git_resolve(store, "prod", revision, id, &err) < 0)
		fail_msg("'%s': %s", revision ? revision : "NULL", err.text);
	assert_string_equal(id, expected);
}

static void assert_unresolved(struct git_store *store, const char *revision, enum error_code code)
{
	struct error err = ERROR_INIT;
	char id[GIT_ID_SIZE];

	if (git_resolve(store, "prod", revision, id, &err) == 0)
		fail_msg("'%s' is %s", revision, id);
	if (err.code != code)
		fail_msg("'%s': %d %s", revision, err.code, err.text);
}

static void assert_unreadable(const char *id, const char *part)
{
	struct git_store *store = open_repo();
	auto_tree struct tree tree = TREE_INIT;
	struct error err = ERROR_INIT;

	assert_int_equal(git_read_tree(store, id, &tree, &err), -1);
	assert_int_equal(err.code, ERR_INTEGRITY);
	if (!strstr(err.text, part))
		fail_msg("%s", err.text);
	git_store_free(store);
}

/* ---- open ---- */

static void test_open_creates_a_private_bare_repository(void **state)
{
	struct git_store *store = open_repo();
	auto_free char *head = shell_output("git -C repo symbolic-ref HEAD"), *bare = shell_output("git -C repo config core.bare");
	struct stat st;

	(void)state;
	assert_string_equal(head, "refs/heads/clusters/prod");
	assert_string_equal(bare, "true");
	assert_int_equal(stat("repo", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	git_store_free(store);
	git_store_free(open_repo());
}

static void test_open_says_where_there_is_none(void **state)
{
	struct error err = ERROR_INIT;
	struct git_store *store;

	(void)state;
	assert_int_equal(git_store_open(&store, "nowhere", false, NULL, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_true(err.hint[0]);
	assert_int_equal(git_store_open(&store, "nowhere", true, NULL, &err), -1);
	assert_int_equal(err.code, ERR_USAGE);
	assert_int_equal(git_store_open(&store, "nowhere", true, "../x", &err), -1);
	assert_int_equal(err.code, ERR_USAGE);
	assert_false(file_exists("nowhere"));
}

/* --repo ~ must not lay a repository out among somebody's files. */
static void test_open_refuses_a_directory_with_other_things(void **state)
{
	struct error err = ERROR_INIT;
	struct git_store *store;

	(void)state;
	shell("mkdir home; echo x > home/letter.txt");
	assert_int_equal(git_store_open(&store, "home", true, "prod", &err), -1);
	assert_int_equal(err.code, ERR_USAGE);
	assert_int_equal(support_count_entries("home"), 1);
}

static void test_open_completes_what_a_kill_has_left(void **state)
{
	(void)state;
	shell("mkdir -p repo/objects/pack; touch repo/HEAD.lock repo/config.lock repo/rhaii-dr.lock");
	git_store_free(open_repo());
	shell("git -C repo symbolic-ref HEAD");
}

/* A CronJob's volume belongs to whoever; what the caller's git is configured to is nobody's business here. */
static void test_open_takes_no_notice_of_owner_and_configuration(void **state)
{
	char id[GIT_ID_SIZE];
	struct git_store *store;

	(void)state;
	shell("printf '[broken' > config; mkdir -p home/git; cp config home/.gitconfig; cp config home/git/config");
	assert_int_equal(setenv("HOME", "home", 1), 0);
	assert_int_equal(setenv("XDG_CONFIG_HOME", "home", 1), 0);
	store = open_repo();
	commit_rows(store, sample_rows, SAMPLE_TIME, id);
	git_store_free(store);
	if (geteuid() == 0)
		shell("chown -R 12345 repo");
	store = open_repo();
	assert_resolves(store, NULL, id);
	git_store_free(store);
	assert_int_equal(unsetenv("XDG_CONFIG_HOME"), 0);
}

/* Where the volume is shared with a group (fsGroup), the next pod may have another uid: it must find nothing that it cannot write into. */
static void test_a_repository_in_a_shared_folder_is_the_groups(void **state)
{
	char id[GIT_ID_SIZE];
	struct error err = ERROR_INIT;
	struct git_store *store;
	mode_t mask = umask(022);

	(void)state;
	shell("mkdir volume; chmod 2770 volume");
	assert_int_equal(git_store_open(&store, "volume/repo", true, "prod", &err), 0);
	git_store_free(store);
	(void)umask(022); /* another process */
	assert_int_equal(git_store_open(&store, "volume/repo", true, "prod", &err), 0);
	commit_rows(store, sample_rows, SAMPLE_TIME, id);
	git_store_free(store);
	(void)umask(mask);
	shell("missing=$(find volume/repo -type d ! -perm -2770; find volume/repo -type f ! -perm -440; find volume/repo/rhaii-dr.lock ! "
	      "-perm -660); "
	      "echo \"$missing\" >&2; [ -z \"$missing\" ]");
	shell("[ -z \"$(find volume/repo -maxdepth 0 -perm /7)\" ]"); /* and of nobody else */
}

static void lock_it(void *arg)
{
	struct error err = ERROR_INIT;

	_exit(git_store_lock(arg, &err) < 0 ? (int)err.code : 0);
}

static void test_lock_is_held_by_one_process(void **state)
{
	struct git_store *store = open_repo(), *other = open_repo();
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(git_store_lock(store, &err), 0);
	assert_int_equal(git_store_lock(store, &err), 0);
	assert_int_equal(support_exit_status_of(lock_it, other), ERR_LOCKED);
	git_store_free(store);
	assert_int_equal(support_exit_status_of(lock_it, other), 0);
	git_store_free(other);
}

static void test_a_repository_with_a_working_tree_is_not_written(void **state)
{
	struct error err = ERROR_INIT;
	struct git_store *store;
	struct git_write *w;

	(void)state;
	shell("git init -q repo");
	store = open_repo();
	assert_int_equal(git_write_begin(&w, store, "prod", &err), -1);
	assert_int_equal(err.code, ERR_USAGE);
	git_store_free(store);
}

static void test_clusters(void **state)
{
	struct git_store *store = open_repo();
	struct error err = ERROR_INIT;
	auto_strlist struct strlist names = STRLIST_INIT;
	auto_free char *one = NULL, *named = NULL, *none = NULL;
	char id[GIT_ID_SIZE];

	(void)state;
	assert_int_equal(git_store_cluster(store, NULL, &none, &err), -1);
	assert_int_equal(err.code, ERR_USAGE);
	commit_rows(store, sample_rows, SAMPLE_TIME, id);
	assert_int_equal(git_store_cluster(store, NULL, &one, &err), 0);
	assert_string_equal(one, "prod");
	shell("cd repo && git branch clusters/a && git branch clusters/Not_Ours && git branch clusters/deep/er && git branch other");
	assert_int_equal(git_store_clusters(store, &names, &err), 0);
	assert_int_equal(names.count, 2);
	assert_string_equal(names.items[0], "a");
	assert_int_equal(git_store_cluster(store, NULL, &none, &err), -1);
	assert_int_equal(err.code, ERR_USAGE);
	assert_int_equal(git_store_cluster(store, "a", &named, &err), 0);
	assert_int_equal(git_store_cluster(store, "b", &none, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_int_equal(git_store_cluster(store, "../x", &none, &err), -1);
	assert_int_equal(err.code, ERR_USAGE);
	git_store_free(store);
}

/* ---- write ---- */

static void test_a_commit_is_what_git_reads(void **state)
{
	struct git_store *store = open_repo();
	char id[GIT_ID_SIZE];
	auto_free char *raw = NULL, *text = NULL, *files = NULL, *person = NULL;

	(void)state;
	commit_rows(store, sample_rows, SAMPLE_TIME, id);
	git_store_free(store);
	assert_fsck("repo");
	raw = shell_output("git -C repo rev-parse refs/heads/clusters/prod");
	assert_string_equal(raw, id);
	text = shell_output("git -C repo show HEAD:" SAMPLE_OBJECT);
	assert_string_equal(text, "apiVersion: v1\ndata:\n  key: one\nkind: ConfigMap\nmetadata:\n  name: app\n  namespace: prod");
	files = shell_output("git -C repo ls-tree -r HEAD --format='%%(objectmode) %%(path)'");
	assert_string_equal(files,
		"100644 generated.yaml\n100644 " SAMPLE_OBJECT "\n100644 policy.yaml\n100644 requirements.yaml\n100644 snapshot.yaml");
	person = shell_output("git -C repo log -1 --format='%%an <%%ae> %%ad %%cn <%%ce> %%cd' --date=raw");
	assert_string_equal(person, "rhaii-dr <rhaii-dr@localhost> 1795183200 +0000 rhaii-dr <rhaii-dr@localhost> 1795183200 +0000");
}

static void test_manifest_sum_is_that_of_the_tree_read_back(void **state)
{
	struct git_store *store = open_repo();
	auto_tree struct tree tree = TREE_INIT;
	auto_strbuf struct strbuf manifest = STRBUF_INIT;
	auto_free char *sum = NULL;
	struct error err = ERROR_INIT;
	struct git_commit commit;
	char id[GIT_ID_SIZE], tree_id[GIT_ID_SIZE];

	(void)state;
	commit_rows(store, sample_rows, SAMPLE_TIME, id);
	assert_int_equal(git_read_commit(store, id, &commit, &err), 0);
	assert_int_equal(git_read_tree(store, id, &tree, &err), 0);
	tree_manifest(&tree, &manifest);
	support_write_file("sums", manifest.buf);
	sum = shell_output("sha256sum < sums | cut -c1-64");
	assert_string_equal(commit.manifest_sha256, sum);
	tree_git_id(&tree, "", tree_id);
	assert_string_equal(commit.tree, tree_id);
	git_commit_release(&commit);
	git_store_free(store);
}

static void test_the_same_state_is_unchanged_in_any_order(void **state)
{
	const struct row turned[] = {sample_rows[4], sample_rows[3], sample_rows[0], sample_rows[2], sample_rows[1], {NULL, NULL}};
	struct git_store *store = open_repo();
	char id[GIT_ID_SIZE], sum[65];
	bool unchanged = true;
	struct git_write *w = write_rows(store, sample_rows, sum, &unchanged);

	(void)state;
	assert_false(unchanged);
	git_write_free(w);
	commit_rows(store, sample_rows, SAMPLE_TIME, id);
	git_write_free(write_rows(store, turned, sum, &unchanged));
	assert_true(unchanged);
	git_write_free(write_rows(store, sample_rows_changed, sum, &unchanged));
	assert_false(unchanged);
	git_store_free(store);
}

/* Paths with a number in them; many share their content, which is one object. */
static void write_many(struct git_write *w, int count, int contents)
{
	struct error err = ERROR_INIT;

	for (int i = 0; i < count; i++) {
		auto_free char *path = xasprintf("objects/namespaces/n%d/configmaps/c%d.yaml", i % 7, i),
			       *text = xasprintf("n: %d\n", i % contents);

		assert_int_equal(git_write_file(w, path, text, strlen(text), &err), 0);
	}
}

static void commit_many(struct git_store *store, int count, int contents)
{
	struct error err = ERROR_INIT;
	struct git_write *w;
	char tree[GIT_ID_SIZE], sum[65], id[GIT_ID_SIZE];
	bool unchanged;

	assert_int_equal(git_write_begin(&w, store, "prod", &err), 0);
	write_many(w, count, contents);
	if (git_write_finish(w, tree, sum, &unchanged, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(git_write_commit(w, "many\n", SAMPLE_TIME, id, &err), 0);
	git_write_free(w);
}

static void test_many_files_become_one_pack(void **state)
{
	struct git_store *store = open_repo();
	auto_tree struct tree tree = TREE_INIT;
	struct error err = ERROR_INIT;
	auto_free char *packs = NULL, *loose = NULL, *objects = NULL;
	char id[GIT_ID_SIZE];

	(void)state;
	commit_many(store, 1000, 600);
	assert_fsck("repo");
	packs = shell_output("ls repo/objects/pack/*.pack | wc -l");
	assert_string_equal(packs, "1");
	/* The commit alone comes after the pack. 600 contents, a tree a namespace and a resource, three above them. */
	loose = shell_output("git -C repo count-objects | cut -d' ' -f1");
	assert_string_equal(loose, "1");
	objects = shell_output("git -C repo count-objects -v | sed -n 's/^in-pack: //p'");
	assert_string_equal(objects, "617");
	assert_int_equal(git_resolve(store, "prod", NULL, id, &err), 0);
	assert_int_equal(git_read_tree(store, id, &tree, &err), 0);
	assert_int_equal(tree.count, 1000);
	assert_string_equal(tree_find(&tree, "objects/namespaces/n4/configmaps/c998.yaml")->data, "n: 398\n");
	git_store_free(store);
	shell("test -z \"$(ls -A repo | grep tmp)\"");
}

static void test_few_objects_stay_loose_up_to_the_limit(void **state)
{
	struct git_store *store = open_repo();
	auto_free char *loose = NULL;

	(void)state;
	/* 240 contents, 7 namespaces, 7 resources, objects, namespaces: 256 with the root, and the commit. */
	commit_many(store, 1000, GIT_LOOSE_MAX - 17);
	assert_fsck("repo");
	loose = shell_output("git -C repo count-objects | cut -d' ' -f1");
	assert_string_equal(loose, "257");
	commit_many(store, 1000, 300);
	assert_fsck("repo");
	git_store_free(store);
}

static void test_large_contents_go_through_the_pack(void **state)
{
	struct git_store *store = open_repo();
	auto_free char *data = xcalloc(1, TREE_FILE_MAX);
	struct error err = ERROR_INIT;
	struct git_write *w;
	char tree[GIT_ID_SIZE], sum[65], id[GIT_ID_SIZE];
	bool unchanged;

	(void)state;
	assert_int_equal(git_write_begin(&w, store, "prod", &err), 0);
	for (int i = 0; i < 4; i++) {
		char path[] = {(char)('a' + i), '\0'};

		for (size_t k = 0; k < TREE_FILE_MAX; k++)
			data[k] = (char)((k * 2654435761u >> 13) + (size_t)i);
		assert_int_equal(git_write_file(w, path, data, TREE_FILE_MAX, &err), 0);
	}
	assert_int_equal(git_write_file(w, "e", data, (size_t)TREE_FILE_MAX + 1, &err), -1);
	git_write_free(w);
	assert_int_equal(git_write_begin(&w, store, "prod", &err), 0);
	for (int i = 0; i < 4; i++) {
		char path[] = {(char)('a' + i), '\0'};

		data[0] = (char)i;
		assert_int_equal(git_write_file(w, path, data, TREE_FILE_MAX, &err), 0);
	}
	assert_int_equal(git_write_finish(w, tree, sum, &unchanged, &err), 0);
	assert_int_equal(git_write_commit(w, "large", SAMPLE_TIME, id, &err), 0);
	git_write_free(w);
	git_store_free(store);
	assert_fsck("repo");
}

static void test_an_empty_tree_can_be_committed(void **state)
{
	static const struct row none[] = {{NULL, NULL}};
	struct git_store *store = open_repo();
	auto_tree struct tree tree = TREE_INIT;
	struct error err = ERROR_INIT;
	char id[GIT_ID_SIZE];

	(void)state;
	commit_rows(store, none, SAMPLE_TIME, id);
	assert_fsck("repo");
	assert_int_equal(git_read_tree(store, id, &tree, &err), 0);
	assert_int_equal(tree.count, 0);
	git_store_free(store);
}

static void test_write_refuses_bad_and_double_paths(void **state)
{
	struct git_store *store = open_repo();
	struct error err = ERROR_INIT;
	struct git_write *w;
	char tree[GIT_ID_SIZE], sum[65], id[GIT_ID_SIZE];
	bool unchanged;

	(void)state;
	assert_int_equal(git_write_begin(&w, store, "prod", &err), 0);
	assert_int_equal(git_write_file(w, "../x", "", 0, &err), -1);
	assert_int_equal(git_write_file(w, "x", "", 0, &err), -1);
	assert_int_equal(git_write_finish(w, tree, sum, &unchanged, &err), -1);
	assert_int_equal(git_write_commit(w, "x", 0, id, &err), -1);
	git_write_free(w);
	assert_int_equal(git_write_begin(&w, store, "prod", &err), 0);
	assert_int_equal(git_write_file(w, "x", "1", 1, &err), 0);
	/* Nothing in the repository is damaged: the server has answered so. */
	assert_int_equal(git_write_file(w, "x", "2", 1, &err), -1);
	support_assert_error(&err, ERR_FAILED, "'x' is there twice: the server listed one object twice");
	assert_int_equal(git_write_commit(w, "x", 0, id, &err), -1);
	git_write_free(w);
	git_store_free(store);
}

struct change {
	char text[512];
	int limit;
};

static int note_change(const char *path, const struct git_blob *old, const struct git_blob *new_, void *arg)
{
	struct change *change = arg;
	size_t len = strlen(change->text);

	(void)snprintf(change->text + len, sizeof(change->text) - len, "%s %.*s>%.*s;", path, old ? (int)old->len : 4,
		old ? old->data : "none", new_ ? (int)new_->len : 4, new_ ? new_->data : "none");
	return --change->limit == 0;
}

static void test_changes_are_told_by_path(void **state)
{
	static const struct row before[] = {{"a", "1"}, {"b/x", "1"}, {"c", "1"}, {NULL, NULL}};
	static const struct row after[] = {{"a", "1"}, {"b/y", "1"}, {"c", "2"}, {NULL, NULL}};
	struct git_store *store = open_repo();
	struct change change = {.limit = -1}, first = {.limit = 1};
	struct error err = ERROR_INIT;
	struct git_write *w;
	char id[GIT_ID_SIZE], sum[65];
	bool unchanged;

	(void)state;
	commit_rows(store, before, SAMPLE_TIME, id);
	w = write_rows(store, after, sum, &unchanged);
	assert_int_equal(git_write_changes(w, note_change, &change, &err), 0);
	assert_string_equal(change.text, "b/x 1>none;b/y none>1;c 1>2;");
	assert_int_equal(git_write_changes(w, note_change, &first, &err), 1);
	assert_string_equal(first.text, "b/x 1>none;");
	git_write_free(w);
	git_store_free(store);
}

/* Somebody has put a file with a space in its name onto the branch: there are no words for what changed, but there is a next snapshot. */
static void test_a_head_that_cannot_be_walked_is_no_obstacle(void **state)
{
	struct git_store *store = open_repo();
	struct change change = {.limit = -1};
	struct error err = ERROR_INIT;
	struct git_write *w;
	char id[GIT_ID_SIZE], sum[65];
	bool unchanged;

	(void)state;
	commit_rows(store, sample_rows, SAMPLE_TIME, id);
	shell("cd repo && blob=$(echo x | git hash-object -w --stdin) && tree=$( (git ls-tree HEAD; printf \"100644 blob $blob\\ta b\\n\") "
	      "| git "
	      "mktree) && git update-ref refs/heads/clusters/prod $(git commit-tree -p HEAD -m hand $tree)");
	w = write_rows(store, sample_rows_changed, sum, &unchanged);
	assert_false(unchanged);
	assert_int_equal(git_write_changes(w, note_change, &change, &err), -1);
	assert_int_equal(err.code, ERR_INTEGRITY);
	assert_non_null(strstr(err.text, "'a b'"));
	assert_int_equal(git_write_commit(w, "next\n", SAMPLE_TIME + 60, id, &err), 0);
	git_write_free(w);
	assert_resolves(store, NULL, id);
	git_store_free(store);
	assert_fsck("repo");
}

/* A head that nothing can read again would end the history of the cluster. */
static void test_a_message_that_cannot_be_read_again_is_refused(void **state)
{
	struct git_store *store = open_repo();
	auto_free char *message = xcalloc(1, GIT_COMMIT_MAX + 1);
	struct error err = ERROR_INIT;
	struct git_write *w;
	char before[GIT_ID_SIZE], id[GIT_ID_SIZE], sum[65];
	bool unchanged;

	(void)state;
	memset(message, 'x', GIT_COMMIT_MAX);
	commit_rows(store, sample_rows, SAMPLE_TIME, before);
	w = write_rows(store, sample_rows_changed, sum, &unchanged);
	assert_int_equal(git_write_commit(w, message, SAMPLE_TIME, id, &err), -1);
	assert_int_equal(err.code, ERR_FAILED);
	assert_non_null(strstr(err.text, "more than the 1048576 that can be read again"));
	git_write_free(w);
	assert_resolves(store, NULL, before);
	w = write_rows(store, sample_rows_changed, sum, &unchanged);
	message[GIT_COMMIT_MAX - 400] = '\0';
	assert_int_equal(git_write_commit(w, message, SAMPLE_TIME, id, &err), 0);
	git_write_free(w);
	assert_resolves(store, NULL, id);
	git_store_free(store);
}

static void test_a_branch_that_has_moved_is_a_conflict(void **state)
{
	struct git_store *store = open_repo();
	struct error err = ERROR_INIT;
	struct git_write *w;
	char id[GIT_ID_SIZE], sum[65];
	bool unchanged;

	(void)state;
	w = write_rows(store, sample_rows, sum, &unchanged);
	shell("cd repo && git update-ref refs/heads/clusters/prod $(git commit-tree -m x $(git mktree </dev/null))");
	assert_int_equal(git_write_commit(w, "x", SAMPLE_TIME, id, &err), -1);
	assert_int_equal(err.code, ERR_CONFLICT);
	git_write_free(w);
	w = write_rows(store, sample_rows, sum, &unchanged);
	shell("cd repo && git update-ref refs/heads/clusters/prod $(git commit-tree -m y $(git mktree </dev/null))");
	assert_int_equal(git_write_commit(w, "x", SAMPLE_TIME, id, &err), -1);
	assert_int_equal(err.code, ERR_CONFLICT);
	git_write_free(w);
	git_store_free(store);
}

/* Four of 245 kills left the lock of the ref behind, and no run passed until a person removed it (facts/engine.md 6.2). */
static void test_the_lock_of_a_dead_writer_is_removed(void **state)
{
	struct git_store *store = open_repo();
	char first[GIT_ID_SIZE], second[GIT_ID_SIZE];

	(void)state;
	commit_rows(store, sample_rows, SAMPLE_TIME, first);
	support_write_file(HEAD_LOCK, "");
	commit_rows(store, sample_rows_changed, SAMPLE_TIME + 60, second);
	assert_false(file_exists(HEAD_LOCK));
	assert_resolves(store, NULL, second);
	assert_resolves(store, "HEAD~1", first);
	git_store_free(store);
}

/* A ref is removed under the lock of the packed refs, which a kill leaves too. */
static void test_a_refused_capture_is_forgotten_in_spite_of_a_dead_writer(void **state)
{
	struct git_store *store = open_repo();
	struct error err = ERROR_INIT;
	char id[GIT_ID_SIZE];

	(void)state;
	commit_rows(store, sample_rows, SAMPLE_TIME, id);
	shell("cd repo && git update-ref refs/rhaii-dr/refused/prod refs/heads/clusters/prod && git pack-refs --all && touch "
	      "packed-refs.lock");
	assert_int_equal(git_refused_forget(store, "prod", &err), 0);
	shell("cd repo && ! git rev-parse -q --verify refs/rhaii-dr/refused/prod && [ ! -e packed-refs.lock ]");
	assert_resolves(store, NULL, id);
	git_store_free(store);
}

/* That of a git that is at work is younger; what has another name is not ours to know. */
static void test_old_temporaries_of_dead_writers_are_removed(void **state)
{
	struct git_store *store = open_repo();
	auto_free char *left = NULL;
	char id[GIT_ID_SIZE];

	(void)state;
	commit_rows(store, sample_rows, SAMPLE_TIME, id);
	git_store_free(store);
	shell("cd repo/objects && touch -d '2 hours ago' tmp_object_git2_AAAAAA tmp_obj_of_git && touch -d '50 minutes ago' "
	      "tmp_object_git2_BBBBBB");
	store = open_repo();
	commit_rows(store, sample_rows_changed, SAMPLE_TIME + 60, id);
	left = shell_output("cd repo/objects && echo tmp_*");
	assert_string_equal(left, "tmp_obj_of_git tmp_object_git2_BBBBBB");
	git_store_free(store);
}

static void test_captured_is_a_tag_on_the_head(void **state)
{
	struct git_store *store = open_repo();
	struct error err = ERROR_INIT;
	struct git_write *w;
	char id[GIT_ID_SIZE], sum[65];
	bool unchanged;
	auto_free char *tag = NULL;

	(void)state;
	assert_int_equal(git_captured_at(store, "prod"), 0);
	commit_rows(store, sample_rows, SAMPLE_TIME, id);
	assert_int_equal(git_captured_at(store, "prod"), 0);
	for (int i = 1; i <= 2; i++) {
		w = write_rows(store, sample_rows, sum, &unchanged);
		assert_int_equal(git_write_mark_captured(w, SAMPLE_TIME + i * 3600, "4\n3", &err), 0);
		git_write_free(w);
		assert_int_equal(git_captured_at(store, "prod"), SAMPLE_TIME + i * 3600);
	}
	assert_fsck("repo");
	tag = shell_output("git -C repo cat-file -p " CAPTURED_REF " | tail -n +2");
	assert_string_equal(tag,
		"type commit\ntag captured/prod\ntagger rhaii-dr <rhaii-dr@localhost> 1795190400 +0000\n\nseen unchanged\n\n"
		"Captured-At: 2026-11-20T16:00:00Z\nResource-Version: 4\\n3");
	w = write_rows(store, sample_rows_changed, sum, &unchanged);
	assert_int_equal(git_write_mark_captured(w, SAMPLE_TIME, "5", &err), -1);
	git_write_free(w);
	commit_rows(store, sample_rows_changed, SAMPLE_TIME + 9000, id);
	assert_int_equal(git_captured_at(store, "prod"), 0);
	git_store_free(store);
}

static void mark(struct git_store *store, time_t when)
{
	struct error err = ERROR_INIT;
	char sum[65];
	bool unchanged;
	struct git_write *w = write_rows(store, sample_rows, sum, &unchanged);

	if (git_write_mark_captured(w, when, "1", &err) < 0)
		fail_msg("%s", err.text);
	git_write_free(w);
}

static void assert_loose(const char *count)
{
	auto_free char *loose = shell_output("git -C repo count-objects | cut -d' ' -f1");

	assert_string_equal(loose, count);
}

/* A run an hour would leave 8,760 tags a year, and nobody runs git gc here. */
static void test_a_replaced_captured_tag_leaves_nothing(void **state)
{
	struct git_store *store = open_repo();
	char id[GIT_ID_SIZE];

	(void)state;
	commit_rows(store, sample_rows, SAMPLE_TIME, id);
	mark(store, SAMPLE_TIME + 1);
	assert_loose("12");
	for (int i = 2; i < 5; i++)
		mark(store, SAMPLE_TIME + i);
	assert_loose("12");
	/* The same time again gives the same tag, which is the new one. */
	mark(store, SAMPLE_TIME + 4);
	assert_loose("12");
	assert_int_equal(git_captured_at(store, "prod"), SAMPLE_TIME + 4);
	git_store_free(store);
	assert_fsck("repo");
}

/* What somebody has given another name, or what is no tag of ours, is not ours to remove. */
static void test_a_captured_tag_that_is_in_use_stays(void **state)
{
	static const char *const uses[] = {"git update-ref refs/tags/keep " CAPTURED_REF,
		"git tag -a -m nested nested $(git rev-parse " CAPTURED_REF ")",
		"mkdir -p logs/refs/rhaii-dr/captured && echo > logs/" CAPTURED_REF,
		"git update-ref " CAPTURED_REF " $(git cat-file tag " CAPTURED_REF " | sed s/rhaii-dr@localhost/me@x/ | git mktag)"};

	(void)state;
	for (size_t i = 0; i < sizeof(uses) / sizeof(*uses); i++) {
		auto_free char *tag = NULL;
		struct git_store *store;
		char id[GIT_ID_SIZE];

		shell("rm -rf repo");
		store = open_repo();
		commit_rows(store, sample_rows, SAMPLE_TIME, id);
		mark(store, SAMPLE_TIME + 1);
		shell("cd repo && %s", uses[i]);
		tag = shell_output("git -C repo rev-parse " CAPTURED_REF);
		mark(store, SAMPLE_TIME + 2);
		git_store_free(store);
		shell("git -C repo cat-file tag %s", tag);
	}
}

/* ---- dry runs ---- */

static struct git_store *open_dry(const char *dir)
{
	struct error err = ERROR_INIT;
	struct git_store *store;

	if (git_store_open_dry(&store, dir, &err) < 0)
		fail_msg("%s", err.text);
	return store;
}

static void assert_dry_run(struct git_store *store, const char *changes)
{
	struct change change = {.limit = -1};
	struct error err = ERROR_INIT;
	struct git_write *w;
	char id[GIT_ID_SIZE], sum[65];
	bool unchanged;

	w = write_rows(store, sample_rows_changed, sum, &unchanged);
	assert_false(unchanged);
	if (git_write_changes(w, note_change, &change, &err) < 0)
		fail_msg("%s", err.text);
	if (!strstr(change.text, changes))
		fail_msg("%s", change.text);
	assert_int_equal(git_write_commit(w, "x", SAMPLE_TIME, id, &err), -1);
	assert_int_equal(err.code, ERR_FAILED);
	git_write_free(w);
}

static void test_a_dry_run_writes_nothing_into_the_repository(void **state)
{
	struct git_store *store = open_repo();
	struct error err = ERROR_INIT;
	struct git_write *w;
	char id[GIT_ID_SIZE], tree[GIT_ID_SIZE], sum[65];
	bool unchanged;

	(void)state;
	commit_rows(store, sample_rows, SAMPLE_TIME, id);
	git_store_free(store);
	shell("rm repo/rhaii-dr.lock && find repo -printf '%%p %%T@ %%C@\n' | sort > before");
	store = open_dry("repo");
	assert_dry_run(store, SAMPLE_OBJECT " apiVersion");
	w = write_rows(store, sample_rows, sum, &unchanged);
	assert_true(unchanged);
	assert_int_equal(git_write_mark_captured(w, SAMPLE_TIME, "1", &err), -1);
	assert_int_equal(err.code, ERR_FAILED);
	git_write_free(w);
	/* More than a real run would keep loose. */
	assert_int_equal(git_write_begin(&w, store, "prod", &err), 0);
	write_many(w, 1000, 600);
	assert_int_equal(git_write_finish(w, tree, sum, &unchanged, &err), 0);
	git_write_free(w);
	git_store_free(store);
	shell("find repo -printf '%%p %%T@ %%C@\n' | sort | cmp - before");
}

static void test_a_dry_run_needs_no_repository(void **state)
{
	struct git_store *store = open_dry("nowhere");
	auto_strlist struct strlist names = STRLIST_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	assert_unresolved(store, NULL, ERR_NOT_FOUND);
	assert_unresolved(store, "prod", ERR_NOT_FOUND);
	assert_unresolved(store, "@{2026-11-20T14:00Z}", ERR_NOT_FOUND);
	assert_int_equal(git_store_lock(store, &err), 0);
	assert_int_equal(git_store_clusters(store, &names, &err), 0);
	assert_int_equal(names.count, 0);
	assert_int_equal(git_captured_at(store, "prod"), 0);
	assert_dry_run(store, "generated.yaml none>items: []");
	git_store_free(store);
	shell("test -z \"$(ls -A | grep -v shell.log)\"");
}

/* The real run would fail there too. */
static void test_a_dry_run_refuses_a_directory_with_other_things(void **state)
{
	struct error err = ERROR_INIT;
	struct git_store *store;

	(void)state;
	shell("mkdir home; echo x > home/letter.txt");
	assert_int_equal(git_store_open_dry(&store, "home", &err), -1);
	assert_int_equal(err.code, ERR_USAGE);
}

/* ---- commits ---- */

static void parse(const char *message, struct git_commit *commit)
{
	struct error err = ERROR_INIT;
	auto_free char *raw =
		xasprintf("tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor x <x> 1 +0000\ncommitter x <x> 2 +0100\n\n%s", message);

	if (git_commit_parse(raw, strlen(raw), commit, &err) < 0)
		fail_msg("%s", err.text);
}

static void test_trailers_come_from_the_last_paragraph(void **state)
{
	struct git_commit commit;

	(void)state;
	parse("subject\n\nTool-Version: 1\n\nbody\n\nCaptured-At: now\nSigned-off-by: x\nManifest-SHA256: ab\n\n\n", &commit);
	assert_string_equal(commit.subject, "subject");
	assert_string_equal(commit.captured_at, "now");
	assert_string_equal(commit.manifest_sha256, "ab");
	assert_null(commit.tool_version);
	assert_null(commit.resource_version);
	assert_int_equal(commit.time, 2);
	assert_string_equal(commit.parent, "");
	git_commit_release(&commit);
}

static void test_a_trailer_that_is_there_twice_is_none(void **state)
{
	struct git_commit commit;

	(void)state;
	parse("subject\n\nCaptured-At: a\nCaptured-At: b\nTool-Version: 1\n", &commit);
	assert_null(commit.captured_at);
	assert_string_equal(commit.tool_version, "1");
	git_commit_release(&commit);
}

static void test_a_subject_is_no_trailer(void **state)
{
	struct git_commit commit;

	(void)state;
	parse("Captured-At: a\nTool-Version: b\n", &commit);
	assert_null(commit.captured_at);
	git_commit_release(&commit);
	parse("\n\nCaptured-At: a\n", &commit);
	assert_null(commit.captured_at);
	git_commit_release(&commit);
	parse("", &commit);
	assert_string_equal(commit.subject, "");
	git_commit_release(&commit);
}

static void test_what_is_no_commit_is_refused(void **state)
{
	static const char *const texts[] = {"", "tree x\n", "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n",
		"tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor x <x> 1 +0000\n",
		"tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor x <x> 1 +0000\ncommitter x <x> -5 +0000\n\nx",
		"tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor x <x> 1 +0000\ncommitter x <x> 99999999999999999999 +0000\n\nx",
		"tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor x <x> 1 +0000\ncommitter x <x>\n\nx",
		"tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor x <x> 1 +0000\ncommitter x <x> 1 +0000"};
	struct git_commit commit;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct error err = ERROR_INIT;

		assert_int_equal(git_commit_parse(texts[i], strlen(texts[i]), &commit, &err), -1);
		assert_int_equal(err.code, ERR_INTEGRITY);
	}
}

static void test_commit_raw_is_what_git_prints(void **state)
{
	struct git_store *store = open_repo();
	struct error err = ERROR_INIT;
	struct git_commit commit;
	auto_free char *raw = NULL, *git = NULL;
	char id[GIT_ID_SIZE];
	size_t len;

	(void)state;
	commit_rows(store, sample_rows, SAMPLE_TIME, id);
	assert_int_equal(git_read_commit_raw(store, id, &raw, &len, &err), 0);
	shell("git -C repo cat-file commit HEAD > raw");
	git = support_read_file("raw");
	assert_string_equal(raw, git);
	assert_int_equal(len, strlen(git));
	assert_int_equal(git_commit_parse(raw, len, &commit, &err), 0);
	assert_string_equal(commit.id, id);
	git_commit_release(&commit);
	git_store_free(store);
}

static int count_commits(const struct git_commit *commit, void *arg)
{
	int *left = arg;

	(void)commit;
	return --*left == 0;
}

static void test_log_follows_first_parents(void **state)
{
	struct git_store *store = open_repo();
	struct error err = ERROR_INIT;
	char id[GIT_ID_SIZE];
	int all = 100, one = 1;

	(void)state;
	assert_int_equal(git_log(store, "prod", count_commits, &all, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
	commit_rows(store, sample_rows, SAMPLE_TIME, id);
	commit_rows(store, sample_rows_changed, SAMPLE_TIME + 1, id);
	shell("cd repo && git update-ref refs/heads/clusters/prod $(git commit-tree -p HEAD -p HEAD~1 -m merge HEAD^{tree})");
	assert_int_equal(git_log(store, "prod", count_commits, &all, &err), 0);
	assert_int_equal(all, 97);
	assert_int_equal(git_log(store, "prod", count_commits, &one, &err), 0);
	git_store_free(store);
}

/* ---- resolve ---- */

static void test_revisions_that_git_takes(void **state)
{
	struct git_store *store = open_repo();
	char first[GIT_ID_SIZE], second[GIT_ID_SIZE], brief[9];

	(void)state;
	commit_rows(store, sample_rows, SAMPLE_TIME, first);
	commit_rows(store, sample_rows_changed, SAMPLE_TIME + 60, second);
	(void)snprintf(brief, sizeof(brief), "%.8s", first);
	assert_resolves(store, NULL, second);
	assert_resolves(store, "", second);
	assert_resolves(store, "HEAD", second);
	assert_resolves(store, "@", second);
	assert_resolves(store, "prod", second);
	assert_resolves(store, "prod~1", first);
	assert_resolves(store, "clusters/prod^", first);
	assert_resolves(store, "refs/heads/clusters/prod", second);
	assert_resolves(store, first, first);
	assert_resolves(store, brief, first);
	shell("git -C repo -c user.name=x -c user.email=x@x tag -a -m x good %s", first);
	assert_resolves(store, "good", first);
	git_store_free(store);
}

static void test_revisions_that_nothing_answers_to(void **state)
{
	static const char *const hostile[] = {"nosuch", "prod~7", "prod^2", "deadbeefdeadbeefdeadbeefdeadbeefdeadbeef", "dead", "prod@",
		"foo@", "@@", "-x", "--all", "a b", "a\nb", "\x1b[31m", "..", "HEAD..HEAD", "HEAD^{tree}", "HEAD:snapshot.yaml",
		"HEAD:", ":", "^", "~", "HEAD^{", "HEAD^{/", "HEAD^{/(}", "HEAD^{/[}", ":/", ":/[", "HEAD~99999999999999999999", "HEAD^-1",
		"HEAD^{nonsense}", "refs/heads/../../config", "%s%s%n", "\xff\xfe", "HEAD~~~~~~~~~~~~~~~~~", "a^^^^", "^^^^^", "HEAD^{}",
		"HEAD^{blob}", "refs/", "/", "//", "HEAD/", ".lock", "x.lock"};
	struct git_store *store = open_repo();
	auto_strbuf struct strbuf endless = STRBUF_INIT;
	char id[GIT_ID_SIZE];

	(void)state;
	commit_rows(store, sample_rows, SAMPLE_TIME, id);
	for (size_t i = 0; i < sizeof(hostile) / sizeof(*hostile); i++) {
		struct error err = ERROR_INIT;
		char found[GIT_ID_SIZE];

		/* "HEAD^{}" is a commit, for one. */
		if (git_resolve(store, "prod", hostile[i], found, &err) == 0)
			assert_string_equal(found, id);
		else if (err.code != ERR_NOT_FOUND || !strstr(err.hint, "rhaii-dr list"))
			fail_msg("'%s': %d %s (%s)", hostile[i], err.code, err.text, err.hint);
	}
	for (int i = 0; i < 100000; i++)
		strbuf_addc(&endless, '^');
	assert_unresolved(store, endless.buf, ERR_NOT_FOUND);
	git_store_free(store);
}

static void test_a_time_is_resolved_by_capture_times(void **state)
{
	struct git_store *store = open_repo();
	char first[GIT_ID_SIZE], second[GIT_ID_SIZE];

	(void)state;
	commit_rows(store, sample_rows, SAMPLE_TIME, first);
	commit_rows(store, sample_rows_changed, SAMPLE_TIME + 3600, second);
	assert_resolves(store, "@{2026-11-20T14:00Z}", first);
	assert_resolves(store, "@{2026-11-20T14:59:59Z}", first);
	assert_resolves(store, "@{2026-11-20T15:00:00Z}", second);
	assert_resolves(store, "@{2026-11-20T16:30:00+01:00}", second);
	assert_resolves(store, "prod@{2030-01-01T00:00Z}", second);
	assert_resolves(store, "prod~1@{2030-01-01T00:00Z}", first);
	assert_unresolved(store, "@{2026-11-20T13:59Z}", ERR_NOT_FOUND);
	assert_unresolved(store, "nosuch@{2026-11-20T15:00Z}", ERR_NOT_FOUND);
	assert_unresolved(store, "@{1}", ERR_USAGE);
	assert_unresolved(store, "@{yesterday}", ERR_USAGE);
	assert_unresolved(store, "@{u}", ERR_USAGE);
	assert_unresolved(store, "@{2026-11-20T15:00Z}~1", ERR_USAGE);
	assert_unresolved(store, "@{", ERR_USAGE);
	git_store_free(store);
}

/* A commit by hand has no Captured-At: a time means the snapshot before it, until a capture has seen the cluster in that state. */
static void test_a_time_skips_a_commit_by_hand(void **state)
{
	struct git_store *store = open_repo();
	struct error err = ERROR_INIT;
	struct git_write *w;
	auto_free char *hand = NULL;
	char first[GIT_ID_SIZE], sum[65];
	bool unchanged;

	(void)state;
	commit_rows(store, sample_rows, SAMPLE_TIME, first);
	hand = shell_output(
		"cd repo && id=$(git commit-tree -p HEAD -m hand HEAD^{tree}) && git update-ref refs/heads/clusters/prod $id && echo $id");
	assert_resolves(store, NULL, hand);
	assert_resolves(store, "@{2026-11-20T16:00Z}", first);
	w = write_rows(store, sample_rows, sum, &unchanged);
	assert_true(unchanged);
	assert_int_equal(git_write_mark_captured(w, SAMPLE_TIME + 3600, "1", &err), 0);
	git_write_free(w);
	assert_resolves(store, "@{2026-11-20T16:00Z}", hand);
	assert_resolves(store, "@{2026-11-20T14:30Z}", first);
	git_store_free(store);
}

/* ---- damage ---- */

static char *object_file(const char *id)
{
	return xasprintf("repo/objects/%.2s/%s", id, id + 2);
}

static void flip_byte(const char *path, size_t at)
{
	auto_strbuf struct strbuf bytes = STRBUF_INIT;
	struct error err = ERROR_INIT;

	assert_int_equal(file_read(path, 1 << 30, &bytes, &err), 0);
	assert_true(at < bytes.len);
	bytes.buf[at] ^= 0x10;
	shell("rm -f %s", path);
	assert_int_equal(file_write(path, bytes.buf, bytes.len, 0644, &err), 0);
}

static void make_sample(char id[GIT_ID_SIZE])
{
	struct git_store *store = open_repo();

	commit_rows(store, sample_rows, SAMPLE_TIME, id);
	git_store_free(store);
}

static void test_a_flipped_byte_of_any_object_is_found(void **state)
{
	static const char *const objects[] = {
		("HEAD:" SAMPLE_OBJECT), "HEAD:objects", "HEAD^{tree}", "HEAD:snapshot.yaml", "HEAD:objects/namespaces/prod"};
	char id[GIT_ID_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(objects) / sizeof(*objects); i++) {
		auto_free char *object = NULL, *path = NULL;

		shell("rm -rf repo");
		make_sample(id);
		object = shell_output("git -C repo rev-parse '%s'", objects[i]);
		path = object_file(object);
		for (size_t at = 0; at < 12; at += 3) {
			flip_byte(path, at);
			assert_unreadable(id, "damaged");
			flip_byte(path, at);
		}
	}
}

static void test_a_damaged_or_missing_commit_is_integrity(void **state)
{
	auto_free char *path = NULL;
	char id[GIT_ID_SIZE];
	struct git_store *store;
	struct error err = ERROR_INIT;
	struct git_write *w;

	(void)state;
	make_sample(id);
	path = object_file(id);
	flip_byte(path, 8);
	store = open_repo();
	assert_unresolved(store, NULL, ERR_INTEGRITY);
	assert_unresolved(store, "prod", ERR_INTEGRITY);
	assert_unresolved(store, "HEAD~1", ERR_INTEGRITY);
	assert_int_equal(git_write_begin(&w, store, "prod", &err), -1);
	assert_int_equal(err.code, ERR_INTEGRITY);
	git_store_free(store);
	assert_int_equal(unlink(path), 0);
	store = open_repo();
	assert_unresolved(store, NULL, ERR_INTEGRITY);
	assert_unresolved(store, "prod", ERR_INTEGRITY);
	assert_unresolved(store, "HEAD", ERR_INTEGRITY);
	assert_unresolved(store, "@{2026-11-20T15:00Z}", ERR_INTEGRITY);
	git_store_free(store);
}

static void test_a_missing_parent_is_integrity(void **state)
{
	struct git_store *store = open_repo();
	auto_free char *path = NULL;
	char first[GIT_ID_SIZE], second[GIT_ID_SIZE];

	(void)state;
	commit_rows(store, sample_rows, SAMPLE_TIME, first);
	commit_rows(store, sample_rows_changed, SAMPLE_TIME + 60, second);
	git_store_free(store);
	path = object_file(first);
	assert_int_equal(unlink(path), 0);
	store = open_repo();
	assert_resolves(store, "prod", second);
	assert_unresolved(store, "prod~1", ERR_INTEGRITY);
	assert_unresolved(store, "@{2026-11-20T14:00Z}", ERR_INTEGRITY);
	git_store_free(store);
}

/* The transaction of these rows fails as damaged, and names this path. */
static void assert_reuse_refused(const struct row *rows, const char *part)
{
	struct git_store *store = open_repo();
	struct error err = ERROR_INIT;
	struct git_write *w;
	char tree[GIT_ID_SIZE], sum[65];
	bool unchanged;
	int rc;

	assert_int_equal(git_write_begin(&w, store, "prod", &err), 0);
	for (rc = 0; rc == 0 && rows->path; rows++)
		rc = git_write_file(w, rows->path, rows->text, strlen(rows->text), &err);
	if (rc == 0)
		rc = git_write_finish(w, tree, sum, &unchanged, &err);
	assert_int_equal(rc, -1);
	assert_int_equal(err.code, ERR_INTEGRITY);
	if (!strstr(err.text, part) || !strstr(err.text, "damaged") || !*err.hint)
		fail_msg("%s (%s)", err.text, err.hint);
	git_write_free(w);
	git_store_free(store);
}

static void flip_object(const char *revision)
{
	auto_free char *id = shell_output("git -C repo rev-parse '%s'", revision), *path = object_file(id);

	flip_byte(path, 8);
}

/* What is there already is not written again, so it had better be what it says: exit 0 means safe on disk. */
static void test_a_damaged_object_is_not_reused(void **state)
{
	char id[GIT_ID_SIZE];

	(void)state;
	make_sample(id);
	flip_object("HEAD:" SAMPLE_OBJECT);
	assert_reuse_refused(sample_rows, SAMPLE_OBJECT);
	flip_object("HEAD:" SAMPLE_OBJECT);
	flip_object("HEAD:objects/namespaces");
	assert_reuse_refused(sample_rows, "object ");
	flip_object("HEAD:objects/namespaces");
	flip_object("HEAD^{tree}");
	assert_reuse_refused(sample_rows, "object ");
}

/* A state that comes back. */
static void test_a_damaged_object_of_an_older_snapshot_is_not_reused(void **state)
{
	struct git_store *store;
	char id[GIT_ID_SIZE];

	(void)state;
	make_sample(id);
	store = open_repo();
	commit_rows(store, sample_rows_changed, SAMPLE_TIME + 60, id);
	git_store_free(store);
	flip_object("HEAD~1:" SAMPLE_OBJECT);
	assert_reuse_refused(sample_rows, SAMPLE_OBJECT);
}

static bool finds_damage(int count)
{
	struct git_store *store = open_repo();
	struct error err = ERROR_INIT;
	struct git_write *w;
	char tree[GIT_ID_SIZE], sum[65];
	bool unchanged;
	int rc = 0;

	assert_int_equal(git_write_begin(&w, store, "prod", &err), 0);
	for (int i = 0; i < count && rc == 0; i++) {
		auto_free char *path = xasprintf("objects/namespaces/n%d/configmaps/c%d.yaml", i % 7, i), *text = xasprintf("n: %d\n", i);

		rc = git_write_file(w, path, text, strlen(text), &err);
	}
	if (rc == 0)
		rc = git_write_finish(w, tree, sum, &unchanged, &err);
	git_write_free(w);
	git_store_free(store);
	return rc < 0 && err.code == ERR_INTEGRITY;
}

/* Of a head with more files than are read back in one run, each run looks at others. */
static void test_damage_in_a_large_head_is_found_in_the_course_of_runs(void **state)
{
	enum { COUNT = GIT_READ_BACK_MAX * 2 };
	struct git_store *store = open_repo();
	int runs = 0;

	(void)state;
	commit_many(store, COUNT, COUNT);
	git_store_free(store);
	shell("cd repo && mv objects/pack/*.pack . && rm -f objects/pack/* && cat *.pack | git unpack-objects -q");
	assert_false(finds_damage(COUNT));
	flip_object("HEAD:objects/namespaces/n3/configmaps/c3.yaml");
	while (!finds_damage(COUNT))
		assert_true(++runs < 100);
}

/* A commit of a tree made by git mktree from one line. */
static void commit_entry(const char *line, char id[GIT_ID_SIZE])
{
	auto_free char *made = NULL;

	git_store_free(open_repo());
	made = shell_output("cd repo && blob=$(echo x | git hash-object -w --stdin) && empty=$(git mktree </dev/null) && tree=$(printf "
			    "\"%s\" | git mktree "
			    "--missing) && git commit-tree -m x $tree",
		line);
	(void)snprintf(id, GIT_ID_SIZE, "%s", made);
}

static void test_entries_that_are_no_plain_files_are_refused(void **state)
{
	static const struct {
		const char *line, *text;
	} cases[] = {
		{"120000 blob $blob\\tlink", "neither a plain file nor a folder: 'link'"},
		{"160000 commit 1111111111111111111111111111111111111111\\tmodule", "neither a plain file nor a folder: 'module'"},
		{"100755 blob $blob\\ttool", "neither a plain file nor a folder: 'tool'"},
		{"100664 blob $blob\\told", "neither a plain file nor a folder: 'old'"},
		{"040000 tree $empty\\tfolder", "an empty folder: 'folder/'"},
		{"100644 blob $blob\\ta b", "not a path that a snapshot can hold: 'a b'"},
		{"100644 blob $blob\\t..", "not a path that a snapshot can hold: '..'"},
		{"100644 blob $blob\\t.gitmodules", "not a path that a snapshot can hold: '.gitmodules'"},
		{"100644 blob $empty\\tfile", "is missing or damaged"},
	};
	char id[GIT_ID_SIZE];

	(void)state;
	for (size_t i = 0; i + 1 < sizeof(cases) / sizeof(*cases); i++) {
		commit_entry(cases[i].line, id);
		assert_unreadable(id, cases[i].text);
	}
}

/* Trees that git mktree would not make, from their bytes. */
static void commit_raw_tree(const char *format, char id[GIT_ID_SIZE])
{
	auto_free char *made = NULL;

	git_store_free(open_repo());
	made = shell_output("cd repo && raw=$(echo x | git hash-object -w --stdin | sed 's/../\\\\x&/g') && env printf \"%s\" > t && git "
			    "commit-tree -m x $(git "
			    "hash-object -w --literally -t tree t)",
		format);
	(void)snprintf(id, GIT_ID_SIZE, "%s", made);
}

static void test_trees_that_git_would_not_make_are_refused(void **state)
{
	static const struct {
		const char *format, *text;
	} cases[] = {
		{"100644 b\\0$raw\"\"100644 a\\0$raw", "not sorted"},
		{"100644 a\\0$raw\"\"100644 a\\0$raw", "not sorted"},
		{"100644 a/b\\0$raw", "damaged git tree"},
		{"100644 \\0$raw", "damaged git tree"},
		{"100644 a\\0x", "damaged git tree"},
		{"100644", "damaged git tree"},
		{"100644a\\0$raw", "damaged git tree"},
		{"0100644 a\\0$raw", "neither a plain file nor a folder: 'a'"},
		{"40000 a\\0$raw", "is a blob, not a tree"},
	};
	char id[GIT_ID_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		commit_raw_tree(cases[i].format, id);
		assert_unreadable(id, cases[i].text);
	}
}

static void test_folders_that_are_too_deep_are_refused(void **state)
{
	auto_free char *made = NULL;

	(void)state;
	git_store_free(open_repo());
	made = shell_output("cd repo && id=$(echo x | git hash-object -w --stdin) && id=$(printf \"100644 blob $id\\tf\" | git mktree) && "
			    "for i in $(seq %d); do "
			    "id=$(printf \"040000 tree $id\\td\" | git mktree); done; git commit-tree -m x $id",
		TREE_DEPTH_MAX);
	assert_unreadable(made, "too deep");
}

/* ---- one file ---- */

static void test_read_file(void **state)
{
	struct git_store *store = open_repo();
	auto_strbuf struct strbuf text = STRBUF_INIT;
	struct error err = ERROR_INIT;
	char id[GIT_ID_SIZE];

	(void)state;
	commit_rows(store, sample_rows, SAMPLE_TIME, id);
	assert_int_equal(git_read_file(store, id, "generated.yaml", &text, &err), 0);
	assert_int_equal(git_read_file(store, id, SAMPLE_OBJECT, &text, &err), 0);
	assert_memory_equal(text.buf, "items: []\napiVersion", 20);
	assert_int_equal(git_read_file(store, id, "objects", &text, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_int_equal(git_read_file(store, id, "generated.yaml/x", &text, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_int_equal(git_read_file(store, id, "objects/none", &text, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_int_equal(git_read_file(store, id, "../x", &text, &err), -1);
	assert_int_equal(err.code, ERR_INTEGRITY);
	git_store_free(store);
}

#define T(name) cmocka_unit_test_setup_teardown(name, support_enter_dir, support_leave_dir)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_open_creates_a_private_bare_repository),
		T(test_open_says_where_there_is_none),
		T(test_open_refuses_a_directory_with_other_things),
		T(test_open_completes_what_a_kill_has_left),
		T(test_open_takes_no_notice_of_owner_and_configuration),
		T(test_a_repository_in_a_shared_folder_is_the_groups),
		T(test_lock_is_held_by_one_process),
		T(test_a_repository_with_a_working_tree_is_not_written),
		T(test_clusters),
		T(test_a_commit_is_what_git_reads),
		T(test_manifest_sum_is_that_of_the_tree_read_back),
		T(test_the_same_state_is_unchanged_in_any_order),
		T(test_many_files_become_one_pack),
		T(test_few_objects_stay_loose_up_to_the_limit),
		T(test_large_contents_go_through_the_pack),
		T(test_an_empty_tree_can_be_committed),
		T(test_write_refuses_bad_and_double_paths),
		T(test_changes_are_told_by_path),
		T(test_a_head_that_cannot_be_walked_is_no_obstacle),
		T(test_a_message_that_cannot_be_read_again_is_refused),
		T(test_a_branch_that_has_moved_is_a_conflict),
		T(test_the_lock_of_a_dead_writer_is_removed),
		T(test_a_refused_capture_is_forgotten_in_spite_of_a_dead_writer),
		T(test_old_temporaries_of_dead_writers_are_removed),
		T(test_captured_is_a_tag_on_the_head),
		T(test_a_replaced_captured_tag_leaves_nothing),
		T(test_a_captured_tag_that_is_in_use_stays),
		T(test_a_dry_run_writes_nothing_into_the_repository),
		T(test_a_dry_run_needs_no_repository),
		T(test_a_dry_run_refuses_a_directory_with_other_things),
		T(test_trailers_come_from_the_last_paragraph),
		T(test_a_trailer_that_is_there_twice_is_none),
		T(test_a_subject_is_no_trailer),
		T(test_what_is_no_commit_is_refused),
		T(test_commit_raw_is_what_git_prints),
		T(test_log_follows_first_parents),
		T(test_revisions_that_git_takes),
		T(test_revisions_that_nothing_answers_to),
		T(test_a_time_is_resolved_by_capture_times),
		T(test_a_time_skips_a_commit_by_hand),
		T(test_a_flipped_byte_of_any_object_is_found),
		T(test_a_damaged_or_missing_commit_is_integrity),
		T(test_a_missing_parent_is_integrity),
		T(test_a_damaged_object_is_not_reused),
		T(test_a_damaged_object_of_an_older_snapshot_is_not_reused),
		T(test_damage_in_a_large_head_is_found_in_the_course_of_runs),
		T(test_entries_that_are_no_plain_files_are_refused),
		T(test_trees_that_git_would_not_make_are_refused),
		T(test_folders_that_are_too_deep_are_refused),
		T(test_read_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
