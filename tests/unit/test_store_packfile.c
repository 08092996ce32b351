/* SPDX-License-Identifier: Apache-2.0 */
/* The pack writer alone, judged by git. */
#include "../../src/store/git_packfile.h"
#include "../../src/store/tree_build.h"
#include "store_support.h"
#include "support.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "util/mem.h"

#define BLOB 3
#define SPACE ((rlim_t)128 * 1024)

static void add(struct pack *pack, const void *data, size_t len, unsigned char id[PACK_ID_SIZE])
{
	struct error err = ERROR_INIT;

	tree_object_id("blob", data, len, id);
	assert_int_equal(pack_add(pack, BLOB, data, len, id, &err), 0);
}

static void add_numbers(struct pack *pack, int from, int to)
{
	unsigned char id[PACK_ID_SIZE];
	char text[32];

	for (int i = from; i < to; i++) {
		(void)snprintf(text, sizeof(text), "number %d\n", i);
		add(pack, text, strlen(text), id);
	}
}

static struct pack *new_pack(void)
{
	struct error err = ERROR_INIT;
	struct pack *pack;

	shell("test -d repo || git init -q --bare repo");
	assert_int_equal(pack_new(&pack, "repo/", &err), 0);
	return pack;
}

static void finish(struct pack *pack)
{
	struct error err = ERROR_INIT;

	assert_int_equal(pack_finish(pack, &err), 0);
	pack_free(pack);
	shell("git -C repo fsck --strict --full --no-dangling 2>fsck.err");
	shell("git verify-pack repo/objects/pack/*.idx");
}

/* The sizes whose headers and buffers are the edges: none, one, 15 and 16, two and three bytes of size, more than the buffer and incompressible. */
static void test_git_reads_objects_of_all_sizes(void **state)
{
	static const size_t sizes[] = {0, 1, 15, 16, 2047, 2048, 65535, 65536, 300000, 1000003};
	struct pack *pack = new_pack();
	auto_free unsigned char *noise = xmalloc(1000003);
	unsigned char ids[10][PACK_ID_SIZE];
	auto_free char *sizes_read = NULL;
	uint32_t state_of = 1;

	(void)state;
	for (size_t i = 0; i < 1000003; i++)
		noise[i] = (unsigned char)((state_of = state_of * 1664525 + 1013904223) >> 24);
	for (size_t i = 0; i < 10; i++)
		add(pack, noise, sizes[i], ids[i]);
	finish(pack);
	sizes_read = shell_output("git -C repo cat-file --batch-check='%%(objectsize)' --batch-all-objects | sort -n | tr '\\n' ' '");
	assert_string_equal(sizes_read, "0 1 15 16 2047 2048 65535 65536 300000 1000003 ");
}

static void test_git_finds_each_of_many(void **state)
{
	struct pack *pack = new_pack();
	auto_free char *content = NULL, *count = NULL;

	(void)state;
	add_numbers(pack, 0, 5000);
	finish(pack);
	count = shell_output("git -C repo count-objects -v | sed -n 's/^in-pack: //p'");
	assert_string_equal(count, "5000");
	content = shell_output(
		"for i in 0 17 2500 4999; do echo number $i | git -C repo hash-object --stdin; done | git -C repo cat-file --batch='' | "
		"grep -c '^number'");
	assert_string_equal(content, "4");
}

/* The name is that of its content, so that a run after a kill puts its pack over the half one. */
static void test_the_same_objects_have_the_same_name(void **state)
{
	struct pack *pack = new_pack();
	auto_free char *first = NULL, *second = NULL;

	(void)state;
	add_numbers(pack, 0, 300);
	finish(pack);
	first = shell_output("cd repo/objects/pack && ls");
	pack = new_pack();
	add_numbers(pack, 150, 300);
	add_numbers(pack, 0, 150);
	finish(pack);
	second = shell_output("cd repo/objects/pack && ls");
	assert_string_equal(first, second);
}

static void test_what_a_kill_left_is_swept(void **state)
{
	struct pack *pack = new_pack();
	auto_free char *left = NULL;

	(void)state;
	shell("touch repo/objects/pack/.tmp-0123456789abcdef repo/objects/pack/tmp_pack_of_git");
	add_numbers(pack, 0, 3);
	finish(pack);
	left = shell_output("ls -A repo/objects/pack | grep tmp");
	assert_string_equal(left, "tmp_pack_of_git");
}

static void test_nothing_is_there_before_the_end(void **state)
{
	struct pack *pack = new_pack();

	(void)state;
	add_numbers(pack, 0, 20000);
	pack_free(pack);
	shell("test -z \"$(ls -A repo/objects/pack; ls -A repo | grep tmp)\"");
}

static void write_without_space(void *arg)
{
	const struct rlimit limit = {.rlim_cur = SPACE, .rlim_max = SPACE};
	struct error err = ERROR_INIT;
	struct pack *pack;
	unsigned char id[PACK_ID_SIZE];
	auto_free unsigned char *noise = xmalloc(SPACE);
	uint32_t number = 1;
	int rc = 0;

	(void)arg;
	if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR || setrlimit(RLIMIT_FSIZE, &limit) < 0 || pack_new(&pack, "repo/", &err) < 0)
		_exit(98);
	for (int i = 0; i < 8 && rc == 0; i++) {
		for (size_t k = 0; k < SPACE; k++)
			noise[k] = (unsigned char)((number = number * 1664525 + 1013904223) >> 24);
		tree_object_id("blob", noise, SPACE, id);
		rc = pack_add(pack, BLOB, noise, SPACE, id, &err);
	}
	if (pack_finish(pack, &err) == 0)
		_exit(97);
	pack_free(pack);
	_exit((int)err.code);
}

/* The error may come up on the thread, many objects later; it must not be lost, nor a part be put in place. */
static void test_a_full_disk_is_told_and_leaves_nothing(void **state)
{
	(void)state;
	shell("git init -q --bare repo");
	assert_int_equal(support_exit_status_of(write_without_space, NULL), ERR_FAILED);
	shell("test -z \"$(ls -A repo/objects/pack; ls -A repo | grep tmp)\"");
}

#define T(name) cmocka_unit_test_setup_teardown(name, support_enter_dir, support_leave_dir)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_git_reads_objects_of_all_sizes),
		T(test_git_finds_each_of_many),
		T(test_the_same_objects_have_the_same_name),
		T(test_what_a_kill_left_is_swept),
		T(test_nothing_is_there_before_the_end),
		T(test_a_full_disk_is_told_and_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
