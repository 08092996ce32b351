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
#include "util/strbuf.h"

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

/* ---- deltas ---- */

static uint32_t draw(uint32_t *state, uint32_t below)
{
	return ((*state = *state * 1664525 + 1013904223) >> 8) % below;
}

/* Like the next object of a list: some lines have another value, come, go, or come again; len bytes of noise now and then. */
static void change_text(const char *text, uint32_t *state, struct strbuf *out)
{
	strbuf_truncate(out, 0);
	for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
		size_t len = strcspn(line, "\n");
		uint32_t what = draw(state, 20);

		if (what == 0)
			continue;
		strbuf_add(out, line, what == 1 ? len / 2 : len);
		if (what < 3)
			strbuf_addf(out, "%u", draw(state, 100000));
		strbuf_addc(out, '\n');
		if (what == 3)
			strbuf_addf(out, "  new-%u: %.*s\n", draw(state, 1000), (int)len, line);
		if (what == 4)
			strbuf_add(out, line, len + 1);
	}
}

static void make_text(uint32_t *state, int lines, struct strbuf *out)
{
	for (int i = 0; i < lines; i++)
		strbuf_addf(out, "%*skey-%u: value %u\n", (int)draw(state, 8), "", draw(state, 50), draw(state, 1000));
}

static unsigned count_deltas(void)
{
	auto_free char *count =
		shell_output("git verify-pack -v repo/objects/pack/*.idx | sed -n 's/^chain length = 1: \\([0-9]*\\) .*/\\1/p'");

	return (unsigned)strtoul(count, NULL, 10);
}

/* git fsck holds each object against its id, so a delta that gives another text is found. */
static void test_git_reads_what_is_like_another_object(void **state)
{
	auto_strbuf struct strbuf base = STRBUF_INIT, text = STRBUF_INIT;
	unsigned char id[PACK_ID_SIZE];
	struct pack *pack = new_pack();
	uint32_t seed = 7;

	(void)state;
	for (int kind = 0; kind < 6; kind++) {
		strbuf_truncate(&base, 0);
		make_text(&seed, 5 << (2 * kind), &base);
		for (int i = 0; i < 60; i++) {
			change_text(base.buf, &seed, &text);
			strbuf_addf(&text, "name: %d-%d\n", kind, i);
			add(pack, text.buf, text.len, id);
		}
	}
	finish(pack);
	assert_true(count_deltas() > 150);
	shell("test $(git verify-pack -v repo/objects/pack/*.idx | grep -c 'chain length = [2-9]') = 0");
}

/* As long as a base may be and a byte more, and a base that is 2, 3 and 4 bytes of distance back. */
static void test_git_reads_deltas_at_their_limits(void **state)
{
	static const size_t lengths[] = {0xFFFD, 0xFFFE, 0xFFFF, 0x10000, 0x10001}, between[] = {70000, 2200000};
	auto_free char *text = xmalloc(2200000), *noise = xmalloc(2200000);
	unsigned char id[PACK_ID_SIZE];
	struct pack *pack = new_pack();
	uint32_t seed = 3;

	(void)state;
	for (size_t i = 0; i < 2200000; i++) {
		text[i] = i % 40 == 39 ? '\n' : (char)('a' + draw(&seed, 26));
		noise[i] = (char)draw(&seed, 256);
	}
	for (size_t i = 0; i < 5; i++) {
		text[0] = (char)('A' + i);
		add(pack, text, lengths[i], id);
	}
	add(pack, text, 4000, id);
	for (size_t i = 0; i < 2; i++) {
		add(pack, noise, between[i], id);
		text[100 + i] = 'Z';
		add(pack, text, 4000, id);
	}
	finish(pack);
	assert_int_equal(count_deltas(), 5);
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
		T(test_git_reads_what_is_like_another_object),
		T(test_git_reads_deltas_at_their_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
