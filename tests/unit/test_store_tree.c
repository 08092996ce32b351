/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include "store_support.h"

#include <string.h>

#include "store/tree.h"
#include "util/mem.h"
#include "util/strbuf.h"

#define auto_tree __attribute__((cleanup(tree_release)))

static void add(struct tree *tree, const char *path, const char *text)
{
	struct error err = ERROR_INIT;

	assert_int_equal(tree_add(tree, path, text, strlen(text), &err), 0);
}

static void assert_path(const char *path, enum error_code code)
{
	struct error err = ERROR_INIT;

	if (tree_check_path(path, &err) != (code == ERR_NONE ? 0 : -1) || err.code != code)
		fail_msg("'%s': %d %s", path, err.code, err.text);
}

static void test_paths_of_the_grammar_are_taken(void **state)
{
	(void)state;
	assert_path("snapshot.yaml", ERR_NONE);
	assert_path("objects/cluster/clusterroles.rbac.authorization.k8s.io/system%3Aauth.yaml", ERR_NONE);
	assert_path("objects/namespaces/a/configmaps/.git.yaml", ERR_NONE);
	assert_path("objects/namespaces/a/configmaps/..a.yaml", ERR_NONE);
	assert_path("gi/longer-than-eight~0123456789abcdef.yaml", ERR_NONE);
}

static void test_paths_that_lead_elsewhere_are_refused(void **state)
{
	static const char *const hostile[] = {"", "/", "/etc/passwd", "a/", "a//b", "./a", "a/.", "..", "../a", "a/../b", "a\nb", "a b",
		"a\\b", "a:b", "\xc3\xa4", ".git", ".GIT", "a/.git/config", ".git.", "git~1", "GIT~1/config", ".gitmodules", "GITMOD~1",
		"...", "C~1"};

	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(*hostile); i++)
		assert_path(hostile[i], ERR_INTEGRITY);
}

static void test_paths_too_deep_or_too_long_are_refused(void **state)
{
	auto_strbuf struct strbuf deep = STRBUF_INIT, broad = STRBUF_INIT;

	(void)state;
	for (int i = 0; i < TREE_DEPTH_MAX - 1; i++)
		strbuf_adds(&deep, "a/");
	strbuf_adds(&deep, "a");
	assert_path(deep.buf, ERR_NONE);
	strbuf_adds(&deep, "/a");
	assert_path(deep.buf, ERR_INTEGRITY);
	for (int i = 0; i < 4096; i++)
		strbuf_addc(&broad, 'a');
	assert_path(broad.buf, ERR_NONE);
	strbuf_addc(&broad, 'a');
	assert_path(broad.buf, ERR_INTEGRITY);
}

static void test_sort_finds_a_path_that_is_there_twice(void **state)
{
	auto_tree struct tree tree = TREE_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	add(&tree, "b", "1");
	add(&tree, "a", "1");
	add(&tree, "b", "2");
	assert_int_equal(tree_sort(&tree, &err), -1);
	support_assert_error(&err, ERR_INTEGRITY, "'b' is there twice");
}

/* In order of path, "a-b" and "a.b" come between the file "a" and what is in the folder "a". */
static void test_sort_finds_a_path_that_is_file_and_folder(void **state)
{
	auto_tree struct tree tree = TREE_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	add(&tree, "x/a", "1");
	add(&tree, "x/a-b", "1");
	add(&tree, "x/a.b", "1");
	add(&tree, "x/a/c", "1");
	assert_int_equal(tree_sort(&tree, &err), -1);
	support_assert_error(&err, ERR_INTEGRITY, "'x/a' is both a file and a folder");
}

static void test_find(void **state)
{
	auto_tree struct tree tree = TREE_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	assert_null(tree_find(&tree, "a"));
	add(&tree, "b/c", "text");
	add(&tree, "a", "");
	assert_int_equal(tree_sort(&tree, &err), 0);
	assert_string_equal(tree_find(&tree, "b/c")->data, "text");
	assert_int_equal(tree_find(&tree, "a")->len, 0);
	assert_null(tree_find(&tree, "b"));
	assert_null(tree_find(&tree, "z"));
}

static void test_a_file_over_the_limit_is_refused(void **state)
{
	auto_tree struct tree tree = TREE_INIT;
	auto_free char *data = xcalloc(1, (size_t)TREE_FILE_MAX + 1);
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(tree_add(&tree, "a", data, TREE_FILE_MAX, &err), 0);
	assert_int_equal(tree_add(&tree, "b", data, (size_t)TREE_FILE_MAX + 1, &err), -1);
	assert_int_equal(err.code, ERR_INTEGRITY);
}

static void test_manifest_is_what_sha256sum_reads(void **state)
{
	auto_tree struct tree tree = TREE_INIT;
	auto_strbuf struct strbuf manifest = STRBUF_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	add(&tree, "d/b", "two\n");
	add(&tree, "a", "one\n");
	assert_int_equal(tree_sort(&tree, &err), 0);
	tree_manifest(&tree, &manifest);
	shell("mkdir d; printf 'one\\n' > a; printf 'two\\n' > d/b");
	support_write_file("sums", manifest.buf);
	shell("sha256sum -c --strict sums && sha256sum a d/b | cmp - sums");
}

/* Hold the tree of {a, b, c} against a manifest made by sed from the true one. */
static void check_edited(const char *script, struct strlist *changed, struct error *err, int expected)
{
	auto_tree struct tree tree = TREE_INIT;
	auto_strbuf struct strbuf manifest = STRBUF_INIT;
	auto_free char *edited = NULL, *text = NULL;

	add(&tree, "a", "1");
	add(&tree, "b", "2");
	add(&tree, "c", "3");
	assert_int_equal(tree_sort(&tree, err), 0);
	tree_manifest(&tree, &manifest);
	support_write_file("sums", manifest.buf);
	edited = shell_output("%s", script);
	text = xasprintf("%s\n", edited);
	assert_int_equal(tree_manifest_check(&tree, text, strlen(text), changed, err), expected);
}

static void test_manifest_check_names_what_differs(void **state)
{
	auto_strlist struct strlist changed = STRLIST_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	check_edited("sort -r sums", &changed, &err, 0);
	assert_int_equal(changed.count, 0);
	check_edited("sed -e '/ a$/d' -e 's/^.\\{8\\}\\(.*  b\\)$/00000000\\1/' -e 's/  c$/  d/' sums", &changed, &err, 0);
	assert_int_equal(changed.count, 4);
	assert_string_equal(changed.items[0], "a");
	assert_string_equal(changed.items[1], "b");
	assert_string_equal(changed.items[2], "c");
	assert_string_equal(changed.items[3], "d");
}

static void test_manifest_check_refuses_what_is_no_manifest(void **state)
{
	static const char *const scripts[] = {"sed 's/  a$/  ..\\/a/' sums", "sed 's/  a$/  \\/a/' sums", "sed 's/  a$/ *a/' sums",
		"sed 's/^./g/' sums", "sed 's/^.//' sums", "sed 's/  b$/  a/' sums", "echo", "sed 's/  a$/  /' sums", "tr a-f A-F < sums"};

	(void)state;
	for (size_t i = 0; i < sizeof(scripts) / sizeof(*scripts); i++) {
		auto_strlist struct strlist changed = STRLIST_INIT;
		struct error err = ERROR_INIT;

		check_edited(scripts[i], &changed, &err, -1);
		assert_int_equal(err.code, ERR_INTEGRITY);
	}
}

static void test_manifest_check_refuses_a_line_that_is_cut_off(void **state)
{
	auto_strlist struct strlist changed = STRLIST_INIT;
	auto_tree struct tree tree = TREE_INIT;
	auto_strbuf struct strbuf manifest = STRBUF_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	add(&tree, "a", "1");
	tree_manifest(&tree, &manifest);
	assert_int_equal(tree_manifest_check(&tree, manifest.buf, manifest.len - 1, &changed, &err), -1);
	support_assert_error(&err, ERR_INTEGRITY, "MANIFEST.sha256: its last line is cut off");
}

/* git sorts a folder as its name + "/": "a.b" before "a/", "a0" after it. */
static void test_git_id_is_that_of_git(void **state)
{
	static const char *const paths[] = {"a/x", "a/y/z", "a.b", "a-b", "a0", "objects/b", "objects.yaml", "objects/a/c"};
	auto_tree struct tree tree = TREE_INIT;
	struct error err = ERROR_INIT;
	auto_free char *all = NULL, *part = NULL;
	char id[41];

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		add(&tree, paths[i], paths[i]);
		shell("mkdir -p \"$(dirname w/%s)\"; printf %%s %s > w/%s", paths[i], paths[i], paths[i]);
	}
	assert_int_equal(tree_sort(&tree, &err), 0);
	all = shell_output("git init -q w && cd w && git add . && git write-tree");
	part = shell_output("cd w && git write-tree --prefix=objects/");
	tree_git_id(&tree, "", id);
	assert_string_equal(id, all);
	tree_git_id(&tree, "objects/", id);
	assert_string_equal(id, part);
	tree_git_id(&tree, "none/", id);
	assert_string_equal(id, "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
}

/* All of it is held in memory: a path counts as well, which a manifest repeats. */
static void test_a_tree_has_a_limit(void **state)
{
	auto_tree struct tree tree = TREE_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	tree.bytes = TREE_TOTAL_MAX - 10;
	assert_int_equal(tree_add(&tree, "a", "1234567", 7, &err), 0);
	assert_int_equal(tree.bytes, TREE_TOTAL_MAX);
	assert_int_equal(tree_add(&tree, "b", "", 0, &err), -1);
	support_assert_error(&err, ERR_INTEGRITY, "more than 1048576 files or 1073741824 bytes");
	assert_int_equal(tree.count, 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, support_enter_dir, support_leave_dir)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_paths_of_the_grammar_are_taken),
		T(test_paths_that_lead_elsewhere_are_refused),
		T(test_paths_too_deep_or_too_long_are_refused),
		T(test_sort_finds_a_path_that_is_there_twice),
		T(test_sort_finds_a_path_that_is_file_and_folder),
		T(test_find),
		T(test_a_file_over_the_limit_is_refused),
		T(test_manifest_is_what_sha256sum_reads),
		T(test_manifest_check_names_what_differs),
		T(test_manifest_check_refuses_what_is_no_manifest),
		T(test_manifest_check_refuses_a_line_that_is_cut_off),
		T(test_git_id_is_that_of_git),
		T(test_a_tree_has_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
