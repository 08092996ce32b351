/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calls that change a file's state are defined here once more, before libc's: a test can let one fail, record their order, or die
 * instead of making one.
 */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/file.h"
#include "util/hash.h"
#include "util/mem.h"
#include "util/strbuf.h"

/* ---- the calls ---- */

static struct {
	char order[64]; /* one letter a call: f fsync of a file, d of a directory, r rename, l link, u unlink */
	char failing;   /* the letter of the calls that fail with fault; 'x' is an exclusive rename */
	int fault;
	int die_at; /* the number of the call instead of which the process ends; 0: none */
} calls;

/* Whether the call may go on. */
static bool enter(char letter)
{
	size_t made = strlen(calls.order);

	if (calls.die_at && (int)made + 1 == calls.die_at)
		_exit(42);
	if (made < sizeof(calls.order) - 1)
		calls.order[made] = letter;
	errno = calls.fault;
	return calls.failing != letter;
}

int fsync(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || !enter(S_ISDIR(st.st_mode) ? 'd' : 'f'))
		return -1;
	return (int)syscall(SYS_fsync, fd);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	return enter('r') ? (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, 0) : -1;
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	return enter('x') ? (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags) : -1;
}

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
	return enter('l') ? (int)syscall(SYS_linkat, from_dir, from, to_dir, to, flags) : -1;
}

int unlinkat(int dir, const char *path, int flags)
{
	return enter('u') ? (int)syscall(SYS_unlinkat, dir, path, flags) : -1;
}

static int enter_dir(void **state)
{
	memset(&calls, 0, sizeof(calls));
	return support_enter_dir(state);
}

static int leave_dir(void **state)
{
	memset(&calls, 0, sizeof(calls));
	return support_leave_dir(state);
}

static void assert_content(const char *path, const char *want)
{
	auto_free char *got = support_read_file(path);

	assert_string_equal(got, want);
}

static void must_write(const char *path, const char *text)
{
	struct error err = ERROR_INIT;

	assert_int_equal(file_write(path, text, strlen(text), 0640, &err), 0);
}

/* ---- reading ---- */

static void test_read_appends_the_bytes(void **state)
{
	auto_strbuf struct strbuf out = STRBUF_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	support_write_file("a", "bytes");
	strbuf_adds(&out, "> ");
	assert_int_equal(file_read("a", 100, &out, &err), 0);
	assert_string_equal(out.buf, "> bytes");
}

static void test_large_file_is_read_whole(void **state)
{
	auto_strbuf struct strbuf text = STRBUF_INIT, out = STRBUF_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	for (int i = 0; i < 100000; i++)
		strbuf_addf(&text, "%d\n", i);
	must_write("a", text.buf);
	assert_int_equal(file_read("a", text.len, &out, &err), 0);
	assert_int_equal(out.len, text.len);
	assert_memory_equal(out.buf, text.buf, text.len + 1);
}

static void test_missing_file_is_not_found(void **state)
{
	auto_strbuf struct strbuf out = STRBUF_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(file_read("none", 100, &out, &err), -1);
	support_assert_error(&err, ERR_NOT_FOUND, "no such file: 'none'");
}

static void test_file_of_just_the_limit_is_read(void **state)
{
	auto_strbuf struct strbuf out = STRBUF_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	support_write_file("a", "12345");
	assert_int_equal(file_read("a", 5, &out, &err), 0);
}

static void test_larger_file_is_refused_and_leaves_nothing(void **state)
{
	auto_strbuf struct strbuf out = STRBUF_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	support_write_file("a", "123456");
	strbuf_adds(&out, "> ");
	assert_int_equal(file_read("a", 5, &out, &err), -1);
	support_assert_error(&err, ERR_FAILED, "larger than 5 bytes: 'a'");
	assert_string_equal(out.buf, "> ");
}

static void test_directory_cannot_be_read_as_a_file(void **state)
{
	auto_strbuf struct strbuf out = STRBUF_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(file_read(".", 5, &out, &err), -1);
	support_assert_error(&err, ERR_FAILED, "cannot read '.': Is a directory");
}

/* ---- writing ---- */

static void test_the_sum_of_a_file_is_that_of_its_bytes(void **state)
{
	struct error err = ERROR_INIT;
	auto_strbuf struct strbuf text = STRBUF_INIT;
	char sum[HASH_HEX_SIZE], expected[HASH_HEX_SIZE];

	(void)state;
	while (text.len < 100000)
		strbuf_adds(&text, "0123456789");
	support_write_file("file", text.buf);
	hash_sha256(text.buf, text.len, expected);
	assert_int_equal(file_sha256("file", sum, &err), 0);
	assert_string_equal(sum, expected);
	assert_int_equal(file_sha256("nothing", sum, &err), -1);
	support_assert_error(&err, ERR_NOT_FOUND, "no such file: 'nothing'");
	error_clear(&err);
	assert_int_equal(file_sha256(".", sum, &err), -1);
	assert_int_equal(err.code, ERR_FAILED);
}

static void test_write_makes_the_file_with_its_mode(void **state)
{
	struct stat st;
	mode_t mask = umask(077);

	(void)state;
	must_write("a", "new");
	umask(mask);
	assert_content("a", "new");
	assert_int_equal(stat("a", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
}

static void test_write_replaces_and_leaves_nothing_else(void **state)
{
	(void)state;
	support_write_file("a", "old");
	must_write("a", "new");
	assert_content("a", "new");
	assert_int_equal(support_count_entries("."), 1);
}

/* design.md 6.5: temp file, fsync, rename, fsync of the directory. */
static void test_write_syncs_the_file_before_and_the_directory_after_the_rename(void **state)
{
	(void)state;
	must_write("a", "new");
	assert_string_equal(calls.order, "frd");
}

static void test_file_is_private_while_it_is_written(void **state)
{
	struct file_writer *w;
	struct file_root *root;
	struct error err = ERROR_INIT;
	auto_strlist struct strlist names = STRLIST_INIT;
	struct stat st;

	(void)state;
	assert_int_equal(file_writer_open(&w, "a", 0644, &err), 0);
	assert_int_equal(file_root_open(&root, ".", &err), 0);
	assert_int_equal(file_root_walk(root, NULL, &names, &err), 0);
	file_root_free(root);
	assert_int_equal(names.count, 1);
	assert_memory_equal(names.items[0], ".tmp-", 5);
	assert_int_equal(stat(names.items[0], &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	file_writer_abort(w);
}

static void test_temp_file_is_beside_the_path(void **state)
{
	struct file_writer *w;
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(mkdir("d", 0700), 0);
	assert_int_equal(file_writer_open(&w, "d/a", 0600, &err), 0);
	assert_int_equal(support_count_entries("d"), 1);
	assert_int_equal(file_writer_commit(w, false, &err), 0);
	assert_content("d/a", "");
}

static void test_abort_leaves_the_old_file_alone(void **state)
{
	struct file_writer *w;
	struct error err = ERROR_INIT;

	(void)state;
	support_write_file("a", "old");
	assert_int_equal(file_writer_open(&w, "a", 0600, &err), 0);
	assert_int_equal(file_writer_write(w, "new", 3, &err), 0);
	file_writer_abort(w);
	file_writer_abort(NULL);
	assert_content("a", "old");
	assert_int_equal(support_count_entries("."), 1);
}

static int write_exclusive(const char *path, const char *text, struct error *err)
{
	struct file_writer *w;

	assert_int_equal(file_writer_open(&w, path, 0600, err), 0);
	assert_int_equal(file_writer_write(w, text, strlen(text), err), 0);
	return file_writer_commit(w, true, err);
}

static void test_exclusive_commit_makes_a_new_file(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(write_exclusive("a", "new", &err), 0);
	assert_content("a", "new");
	assert_int_equal(support_count_entries("."), 1);
	assert_string_equal(calls.order, "flud");
}

/* An archive is never replaced. */
static void test_exclusive_commit_refuses_what_is_there(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	support_write_file("a", "old");
	assert_int_equal(write_exclusive("a", "new", &err), -1);
	support_assert_error(&err, ERR_EXISTS, "exists already: 'a'");
	assert_content("a", "old");
	assert_int_equal(support_count_entries("."), 1);
}

/* Some network and FUSE file systems have no hard links. */
static void test_exclusive_commit_works_without_hard_links(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	calls.failing = 'l';
	calls.fault = EPERM;
	assert_int_equal(write_exclusive("a", "new", &err), 0);
	assert_content("a", "new");
	assert_int_equal(write_exclusive("a", "newer", &err), -1);
	support_assert_error(&err, ERR_EXISTS, NULL);
	assert_content("a", "new");
	assert_int_equal(support_count_entries("."), 1);
}

/* The first error sticks: a file with a hole in it must never be renamed into place. */
static void test_failed_write_fails_the_commit(void **state)
{
	struct rlimit all, small;
	struct file_writer *w;
	struct error err = ERROR_INIT;

	(void)state;
	support_write_file("a", "old");
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &all);
	small = all;
	small.rlim_cur = 4;
	assert_int_equal(file_writer_open(&w, "a", 0600, &err), 0);
	setrlimit(RLIMIT_FSIZE, &small);
	assert_int_equal(file_writer_write(w, "123456", 6, &err), -1);
	setrlimit(RLIMIT_FSIZE, &all);
	support_assert_error(&err, ERR_FAILED, "cannot write 'a': File too large");
	assert_int_equal(file_writer_write(w, "7", 1, &err), -1);
	assert_int_equal(file_writer_commit(w, false, &err), -1);
	assert_content("a", "old");
	assert_int_equal(support_count_entries("."), 1);
}

static void assert_failing_call_keeps_the_old_file(char letter)
{
	struct error err = ERROR_INIT;

	support_write_file("a", "old");
	calls.failing = letter;
	calls.fault = EIO;
	assert_int_equal(file_write("a", "new", 3, 0600, &err), -1);
	calls.failing = 0;
	support_assert_error(&err, ERR_FAILED, "cannot write 'a': Input/output error");
	assert_content("a", "old");
	assert_int_equal(support_count_entries("."), 1);
}

static void test_failed_fsync_keeps_the_old_file(void **state)
{
	(void)state;
	assert_failing_call_keeps_the_old_file('f');
}

static void test_failed_rename_keeps_the_old_file(void **state)
{
	(void)state;
	assert_failing_call_keeps_the_old_file('r');
}

/* The new file is there, but may be gone after a power cut. */
static void test_failed_directory_fsync_is_reported(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	calls.failing = 'd';
	calls.fault = EIO;
	assert_int_equal(file_write("a", "new", 3, 0600, &err), -1);
}

static void write_over(bool exclusive)
{
	struct error err = ERROR_INIT;
	struct file_writer *w;

	if (file_writer_open(&w, "a", 0600, &err) == 0 && file_writer_write(w, "new", 3, &err) == 0)
		(void)file_writer_commit(w, exclusive, &err);
}

/* Run the write in a child that dies at its n-th call; false when it made fewer. */
static bool dies_at(int n, bool exclusive)
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		memset(&calls, 0, sizeof(calls));
		calls.die_at = n;
		write_over(exclusive);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WEXITSTATUS(status) == 42;
}

static void test_kill_at_any_call_leaves_the_old_or_the_new_file(void **state)
{
	int n;

	(void)state;
	for (n = 1; n < 20; n++) {
		auto_free char *got = NULL;
		bool died;

		support_write_file("a", "old");
		died = dies_at(n, false);
		got = support_read_file("a");
		assert_true(strcmp(got, "old") == 0 || strcmp(got, "new") == 0);
		if (!died)
			break;
	}
	assert_int_equal(n, 4);
}

static void test_kill_at_any_call_leaves_no_or_a_whole_exclusive_file(void **state)
{
	int n;

	(void)state;
	for (n = 1; n < 20; n++) {
		bool died = dies_at(n, true);

		if (file_exists("a"))
			assert_content("a", "new");
		if (!died)
			break;
		(void)unlink("a");
	}
	assert_int_equal(n, 5);
}

static void test_missing_directory_is_named(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(file_write("none/a", "x", 1, 0600, &err), -1);
	support_assert_error(&err, ERR_FAILED, "cannot open directory 'none': No such file or directory");
}

static void test_path_that_ends_in_a_slash_is_no_file(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(file_write("./", "x", 1, 0600, &err), -1);
}

/* ---- directories ---- */

static void test_mkdirs_makes_all_that_is_missing_for_the_owner_alone(void **state)
{
	struct error err = ERROR_INIT;
	struct stat st;

	(void)state;
	assert_int_equal(file_mkdirs("a/b//c/", &err), 0);
	assert_true(file_is_directory("a/b/c"));
	assert_int_equal(stat("a", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
}

/* A volume with fsGroup: the next pod may have another uid. */
static void test_what_is_made_in_a_shared_directory_is_the_groups(void **state)
{
	static const struct {
		const char *path;
		mode_t mode;
	} made[] = {
		{"shared/a", 02770}, {"shared/a/b", 02770}, {"shared/a/b/file", 0660}, {"shared/a/open", 0664}, {"shared/a/lock", 0660}};
	struct error err = ERROR_INIT;
	struct file_lock *lock;
	struct stat st;
	mode_t mask = umask(022);

	(void)state;
	assert_int_equal(mkdir("shared", 0700), 0);
	assert_int_equal(chmod("shared", 02770), 0);
	assert_int_equal(file_mkdirs("shared/a/b", &err), 0);
	must_write("shared/a/b/file", "new"); /* mode 0640 */
	assert_int_equal(file_write("shared/a/open", "new", 3, 0644, &err), 0);
	assert_int_equal(file_lock_take(&lock, "shared/a/lock", &err), 0);
	file_lock_free(lock);
	for (size_t i = 0; i < sizeof(made) / sizeof(*made); i++) {
		assert_int_equal(stat(made[i].path, &st), 0);
		if ((st.st_mode & 07777) != made[i].mode)
			fail_msg("%s has mode %o", made[i].path, (unsigned)st.st_mode & 07777);
	}
	assert_int_equal(umask(mask), 022);
}

/* Neither the bit nor the right alone says so: a folder may be setgid to be read by a group, and group-writable where each user has a group of his own. */
static void test_half_a_shared_directory_is_none(void **state)
{
	static const mode_t modes[] = {02750, 0770};
	struct error err = ERROR_INIT;
	struct stat st;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		auto_free char *path = xasprintf("half%zu/a", i);
		auto_free char *half = xasprintf("half%zu", i);

		assert_int_equal(mkdir(half, 0700), 0);
		assert_int_equal(chmod(half, modes[i]), 0);
		assert_false(file_is_shared(half));
		assert_int_equal(file_mkdirs(path, &err), 0);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0700);
	}
}

/* A new directory needs an fsync of its own and one of its parent. */
static void test_mkdirs_makes_each_directory_durable(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(file_mkdirs("a/b", &err), 0);
	assert_string_equal(calls.order, "dddd");
}

static void test_mkdirs_leaves_what_is_there(void **state)
{
	struct error err = ERROR_INIT;
	struct stat st;

	(void)state;
	assert_int_equal(mkdir("a", 0755), 0);
	assert_int_equal(chmod("a", 0755), 0);
	assert_int_equal(file_mkdirs("a", &err), 0);
	assert_int_equal(file_mkdirs("/", &err), 0);
	assert_int_equal(stat("a", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
}

static void test_mkdirs_refuses_a_file_in_the_way(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	support_write_file("a", "");
	assert_int_equal(file_mkdirs("a/b", &err), -1);
	assert_int_equal(file_mkdirs("a", &err), -1);
	support_assert_error(&err, ERR_FAILED, "cannot create directory 'a': File exists");
}

static void test_absolute_path_is_made(void **state)
{
	auto_free char *path = xasprintf("%s/x/y", (char *)*state);
	struct error err = ERROR_INIT;

	assert_int_equal(file_mkdirs(path, &err), 0);
	assert_true(file_is_directory("x/y"));
}

static void test_exists_and_is_directory_tell_them_apart(void **state)
{
	(void)state;
	support_write_file("f", "");
	assert_true(file_exists("f"));
	assert_false(file_is_directory("f"));
	assert_true(file_is_directory("."));
	assert_false(file_exists("none"));
	assert_false(file_is_directory("none"));
}

/* ---- walking ---- */

static int walk(const char *path, const char *const *skip, struct strlist *out, struct error *err)
{
	struct file_root *root;
	int rc;

	if (file_root_open(&root, path, err) < 0)
		return -1;
	rc = file_root_walk(root, skip, out, err);
	file_root_free(root);
	return rc;
}

static void make_tree(void)
{
	assert_int_equal(mkdir("t", 0700), 0);
	assert_int_equal(mkdir("t/b", 0700), 0);
	assert_int_equal(mkdir("t/b/empty", 0700), 0);
	assert_int_equal(mkdir("t/.git", 0700), 0);
	support_write_file("t/.git/HEAD", "");
	support_write_file("t/b/x", "");
	support_write_file("t/b.yaml", "");
	support_write_file("t/a", "");
}

/* "b.yaml" sorts before "b/x": '.' is less than '/'. */
static void test_walk_lists_files_sorted_bytewise(void **state)
{
	auto_strlist struct strlist names = STRLIST_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	make_tree();
	assert_int_equal(walk("t", NULL, &names, &err), 0);
	assert_int_equal(names.count, 4);
	assert_string_equal(names.items[0], ".git/HEAD");
	assert_string_equal(names.items[1], "a");
	assert_string_equal(names.items[2], "b.yaml");
	assert_string_equal(names.items[3], "b/x");
}

static void test_walk_skips_names_at_the_top_only(void **state)
{
	static const char *const skip[] = {".git", "x", NULL};
	auto_strlist struct strlist names = STRLIST_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	make_tree();
	assert_int_equal(walk("t", skip, &names, &err), 0);
	assert_int_equal(names.count, 3);
	assert_string_equal(names.items[2], "b/x");
}

/* A symlink in a snapshot folder would let its author read any file here. */
static void test_walk_refuses_a_symlink(void **state)
{
	auto_strlist struct strlist names = STRLIST_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	make_tree();
	assert_int_equal(symlink("/etc/passwd", "t/b/link"), 0);
	assert_int_equal(walk("t", NULL, &names, &err), -1);
	support_assert_error(&err, ERR_INTEGRITY, "neither file nor directory: 't/b/link'");
}

static void test_walk_refuses_a_fifo(void **state)
{
	auto_strlist struct strlist names = STRLIST_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	make_tree();
	assert_int_equal(mkfifo("t/pipe", 0600), 0);
	assert_int_equal(walk("t", NULL, &names, &err), -1);
	support_assert_error(&err, ERR_INTEGRITY, "neither file nor directory: 't/pipe'");
}

static void test_walk_refuses_a_tree_that_is_too_deep(void **state)
{
	auto_strlist struct strlist names = STRLIST_INIT;
	auto_strbuf struct strbuf path = STRBUF_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	for (int i = 0; i < 40; i++)
		strbuf_adds(&path, i ? "/d" : "t");
	assert_int_equal(file_mkdirs(path.buf, &err), 0);
	assert_int_equal(walk("t", NULL, &names, &err), -1);
	assert_int_equal(err.code, ERR_INTEGRITY);
}

static void test_walk_of_nothing_is_not_found(void **state)
{
	auto_strlist struct strlist names = STRLIST_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(walk("none", NULL, &names, &err), -1);
	support_assert_error(&err, ERR_NOT_FOUND, "no such directory: 'none'");
}

/* What is passed over by name is passed over because it is git's, not because it leads elsewhere. */
static void test_walk_refuses_a_symlink_of_a_skipped_name(void **state)
{
	static const char *const skip[] = {"link", NULL};
	auto_strlist struct strlist names = STRLIST_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	make_tree();
	assert_int_equal(symlink("b", "t/link"), 0);
	assert_int_equal(walk("t", skip, &names, &err), -1);
	support_assert_error(&err, ERR_INTEGRITY, "neither file nor directory: 't/link'");
}

static void test_root_is_no_symlink(void **state)
{
	static const char *const paths[] = {"link", "link/", "link//", "link/.", "./link/./"};
	struct file_root *root;

	(void)state;
	make_tree();
	assert_int_equal(symlink("t", "link"), 0);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct error err = ERROR_INIT;

		assert_int_equal(file_root_open(&root, paths[i], &err), -1);
		assert_int_equal(err.code, ERR_INTEGRITY);
		assert_null(root);
	}
}

static void test_root_is_a_directory(void **state)
{
	struct file_root *root;
	struct error err = ERROR_INIT;

	(void)state;
	make_tree();
	assert_int_equal(file_root_open(&root, "t/a", &err), -1);
	assert_int_equal(err.code, ERR_FAILED);
	assert_int_equal(file_root_open(&root, "/", &err), 0);
	file_root_free(root);
	assert_int_equal(file_root_open(&root, "t/./", &err), 0);
	file_root_free(root);
	file_root_free(NULL);
}

static void test_root_reads_what_the_walk_has_listed(void **state)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	struct file_root *root;
	struct error err = ERROR_INIT;

	(void)state;
	make_tree();
	support_write_file("t/b/x", "hello");
	assert_int_equal(file_root_open(&root, "t", &err), 0);
	/* Held open it is the same directory, wherever it is. */
	assert_int_equal(rename("t", "u"), 0);
	assert_int_equal(file_root_read(root, "b/x", 5, &text, &err), 0);
	assert_string_equal(text.buf, "hello");
	assert_int_equal(file_root_read(root, "b/x", 4, &text, &err), -1);
	support_assert_error(&err, ERR_INTEGRITY, "larger than 4 bytes: 't/b/x'");
	assert_string_equal(text.buf, "hello");
	file_root_free(root);
}

/* Whoever can write to the folder may change it between the walk and the reading. */
static void test_root_reads_nothing_that_was_swapped(void **state)
{
	static const char *const paths[] = {"b/x", "a", "b.yaml", "c/x", "none"};
	auto_strbuf struct strbuf text = STRBUF_INIT;
	struct file_root *root;

	(void)state;
	make_tree();
	assert_int_equal(mkdir("u", 0700), 0);
	support_write_file("u/x", "secret");
	assert_int_equal(rename("t/b", "t/d"), 0);
	assert_int_equal(symlink("../u", "t/b"), 0);
	assert_int_equal(unlink("t/a"), 0);
	assert_int_equal(symlink("../u/x", "t/a"), 0);
	assert_int_equal(unlink("t/b.yaml"), 0);
	assert_int_equal(mkfifo("t/b.yaml", 0600), 0);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct error err = ERROR_INIT;

		assert_int_equal(file_root_open(&root, "t", &err), 0);
		assert_int_equal(file_root_read(root, paths[i], 100, &text, &err), -1);
		assert_int_equal(err.code, ERR_INTEGRITY);
		assert_int_equal(text.len, 0);
		file_root_free(root);
	}
}

/* ---- locks ---- */

static void test_second_lock_is_refused_until_the_first_is_freed(void **state)
{
	struct file_lock *first, *second;
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(file_lock_take(&first, "lock", &err), 0);
	assert_int_equal(file_lock_take(&second, "lock", &err), -1);
	support_assert_error(&err, ERR_LOCKED, "in use by another process: 'lock'");
	assert_null(second);
	file_lock_free(first);
	assert_int_equal(file_lock_take(&second, "lock", &err), 0);
	file_lock_free(second);
	file_lock_free(NULL);
}

static void take_and_die(void *arg)
{
	struct file_lock *lock;
	struct error err = ERROR_INIT;

	(void)arg;
	if (file_lock_take(&lock, "lock", &err) == 0)
		raise(SIGKILL);
}

/* git's own lock files need a human after a kill. */
static void test_kill_frees_the_lock(void **state)
{
	struct file_lock *lock;
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(support_exit_status_of(take_and_die, NULL), -1);
	assert_int_equal(file_lock_take(&lock, "lock", &err), 0);
	file_lock_free(lock);
}

static void test_lock_in_a_missing_directory_is_an_error(void **state)
{
	struct file_lock *lock;
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(file_lock_take(&lock, "none/lock", &err), -1);
	assert_int_equal(err.code, ERR_FAILED);
}

/* ---- files that grow ---- */

static struct file_log *log_of(const char *text)
{
	struct file_log *log;
	struct error err = ERROR_INIT;

	support_write_file("log", text);
	assert_int_equal(file_log_open(&log, "log", &err), 0);
	return log;
}

static void assert_log(const char *text)
{
	auto_free char *found = support_read_file("log");

	assert_string_equal(found, text);
}

static void test_a_log_is_appended_to(void **state)
{
	struct file_log *log = log_of("one\n");
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(file_log_add(log, "two\n", 4, &err), 0);
	assert_int_equal(file_log_sync(log, &err), 0);
	file_log_free(log);
	assert_log("one\ntwo\n");
	assert_string_equal(calls.order, "f");
}

static void test_the_end_of_a_log_is_cut_off(void **state)
{
	struct file_log *log = log_of("one\ntw");
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(file_log_cut(log, 4, &err), 0);
	assert_int_equal(file_log_add(log, "three\n", 6, &err), 0);
	file_log_free(log);
	assert_log("one\nthree\n");
}

/* What comes after a hole would be believed. */
static void test_after_a_fault_nothing_more_is_written(void **state)
{
	struct file_log *log = log_of("");
	struct error err = ERROR_INIT;

	(void)state;
	calls.failing = 'f';
	calls.fault = EIO;
	assert_int_equal(file_log_add(log, "one", 3, &err), 0);
	assert_int_equal(file_log_check(log, &err), 0);
	assert_int_equal(file_log_sync(log, &err), -1);
	support_assert_error(&err, ERR_FAILED, "cannot write 'log': Input/output error");
	calls.failing = 0;
	assert_int_equal(file_log_add(log, "two", 3, &err), -1);
	assert_int_equal(file_log_sync(log, &err), -1);
	assert_int_equal(file_log_check(log, &err), -1);
	file_log_free(log);
	assert_log("one");
}

static void test_a_log_has_one_writer(void **state)
{
	struct file_log *log = log_of(""), *second;
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(file_log_open(&second, "log", &err), -1);
	support_assert_error(&err, ERR_LOCKED, "in use by another process: 'log'");
	file_log_free(log);
	file_log_free(NULL);
	assert_int_equal(file_log_open(&log, "log", &err), 0);
	file_log_free(log);
}

static void test_a_log_must_be_there(void **state)
{
	struct file_log *log;
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(file_log_open(&log, "none", &err), -1);
	support_assert_error(&err, ERR_NOT_FOUND, "no such file: 'none'");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter_dir, leave_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_read_appends_the_bytes),
		TEST(test_large_file_is_read_whole),
		TEST(test_missing_file_is_not_found),
		TEST(test_file_of_just_the_limit_is_read),
		TEST(test_larger_file_is_refused_and_leaves_nothing),
		TEST(test_directory_cannot_be_read_as_a_file),
		TEST(test_the_sum_of_a_file_is_that_of_its_bytes),
		TEST(test_write_makes_the_file_with_its_mode),
		TEST(test_write_replaces_and_leaves_nothing_else),
		TEST(test_write_syncs_the_file_before_and_the_directory_after_the_rename),
		TEST(test_file_is_private_while_it_is_written),
		TEST(test_temp_file_is_beside_the_path),
		TEST(test_abort_leaves_the_old_file_alone),
		TEST(test_exclusive_commit_makes_a_new_file),
		TEST(test_exclusive_commit_refuses_what_is_there),
		TEST(test_exclusive_commit_works_without_hard_links),
		TEST(test_failed_write_fails_the_commit),
		TEST(test_failed_fsync_keeps_the_old_file),
		TEST(test_failed_rename_keeps_the_old_file),
		TEST(test_failed_directory_fsync_is_reported),
		TEST(test_kill_at_any_call_leaves_the_old_or_the_new_file),
		TEST(test_kill_at_any_call_leaves_no_or_a_whole_exclusive_file),
		TEST(test_missing_directory_is_named),
		TEST(test_path_that_ends_in_a_slash_is_no_file),
		TEST(test_mkdirs_makes_all_that_is_missing_for_the_owner_alone),
		TEST(test_what_is_made_in_a_shared_directory_is_the_groups),
		TEST(test_half_a_shared_directory_is_none),
		TEST(test_mkdirs_makes_each_directory_durable),
		TEST(test_mkdirs_leaves_what_is_there),
		TEST(test_mkdirs_refuses_a_file_in_the_way),
		TEST(test_absolute_path_is_made),
		TEST(test_exists_and_is_directory_tell_them_apart),
		TEST(test_walk_lists_files_sorted_bytewise),
		TEST(test_walk_skips_names_at_the_top_only),
		TEST(test_walk_refuses_a_symlink),
		TEST(test_walk_refuses_a_fifo),
		TEST(test_walk_refuses_a_tree_that_is_too_deep),
		TEST(test_walk_of_nothing_is_not_found),
		TEST(test_walk_refuses_a_symlink_of_a_skipped_name),
		TEST(test_root_is_no_symlink),
		TEST(test_root_is_a_directory),
		TEST(test_root_reads_what_the_walk_has_listed),
		TEST(test_root_reads_nothing_that_was_swapped),
		TEST(test_second_lock_is_refused_until_the_first_is_freed),
		TEST(test_kill_frees_the_lock),
		TEST(test_lock_in_a_missing_directory_is_an_error),
		TEST(test_a_log_is_appended_to),
		TEST(test_the_end_of_a_log_is_cut_off),
		TEST(test_after_a_fault_nothing_more_is_written),
		TEST(test_a_log_has_one_writer),
		TEST(test_a_log_must_be_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
