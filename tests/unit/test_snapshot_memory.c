/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much memory a capture takes for one more object: all that it keeps of each until its end, and what is made from that. The figure is the slope between a
 * small and a larger cluster, so that neither libraries nor pages count. docs/PERFORMANCE.md says what the bar is and why.
 */
#include "support.h"

#include <git2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "snapshot_support.h"
#include "util/strbuf.h"

#define PAGE 500
#define SMALL (16 * PAGE)
#define LARGE (44 * PAGE)
#define PER_SPACE 50
#define NEEDING 3 /* of ten objects have a requirement of their own */
#define CHANGED 10
#define BYTES_MAX 500 /* an object */
#define MAPPED ((size_t)256 << 10)

/* In KiB. */
static size_t status_of(const char *key)
{
	auto_free char *text = support_read_file("/proc/self/status");
	const char *line = strstr(text, key);

	assert_non_null(line);
	return strtoul(line + strlen(key), NULL, 10);
}

/* From now on the largest is looked for anew. */
static void forget_peak(void)
{
	FILE *file = fopen("/proc/self/clear_refs", "w");

	assert_non_null(file);
	assert_true(fputs("5", file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void add_item(struct strbuf *out, const char *kind, size_t number, size_t changed)
{
	size_t version = number < changed ? 2 : 1;

	strbuf_addf(out, "%s{'metadata':{'namespace':'bench-%04zu','name':'%s-%05zu','resourceVersion':'%zu',", out->len ? "," : "",
		number / PER_SPACE, kind, number, version);
	strbuf_addf(out, "'uid':'00000000-0000-4000-8000-%012zu','labels':{'app.kubernetes.io/instance':'search-prod','round':'%zu'}},",
		number, version);
	if (number % 10 < NEEDING)
		strbuf_addf(out, "'spec':{'secret':'token-of-%05zu'}}", number);
	else
		strbuf_addf(out, "'spec':{'hosts':['llm-%05zu.example.com']}}", number);
}

/* Pages of one kind: what needs something are services, the rest routes. */
static void give_pages(struct snapshot_fixture *f, bool services, size_t count, size_t changed)
{
	auto_strbuf struct strbuf items = STRBUF_INIT;
	size_t on_page = 0, total = 0, all = count / 10 * (services ? NEEDING : 10 - NEEDING);

	for (size_t number = 0; number < count; number++) {
		if ((number % 10 < NEEDING) != services)
			continue;
		add_item(&items, services ? "service" : "route", number, changed);
		on_page++;
		total++;
		if (on_page < PAGE && total < all)
			continue;
		auto_free char *more = total < all ? xasprintf(",'continue':'at-%zu'", total) : xstrdup("");
		auto_free char *body =
			xasprintf("{'apiVersion':'%s.io/v1','kind':'%sList','metadata':{'resourceVersion':'7'%s},'items':[%s]}",
				services ? "s" : "r", services ? "Service" : "Route", more, items.buf);
		(void)fake_cluster_say(&f->cluster, services ? "/services?" : "/routes?", 200, body);
		strbuf_truncate(&items, 0);
		on_page = 0;
	}
}

/* The KiB by which the memory of this process grows at most while such a cluster is captured. */
static size_t capture_peak(struct snapshot_fixture *f, size_t count, size_t changed, bool differs)
{
	size_t before;

	snapshot_give(f, &(struct snapshot_given){0});
	for (size_t i = 0; i < f->cluster.count; i++) /* the empty lists of the two */
		if (strstr(f->cluster.rows[i].path, "/services?") || strstr(f->cluster.rows[i].path, "/routes?"))
			f->cluster.rows[i].path = "nobody asks for this";
	give_pages(f, true, count, changed);
	give_pages(f, false, count, changed);
	forget_peak();
	before = status_of("VmRSS:");
	snapshot_take(f);
	assert_int_equal(snapshot_number(f, "objects"), count);
	assert_int_equal(json_is_true(json_object_get(f->result, "changed")), differs);
	return status_of("VmHWM:") - before;
}

/* In a process of its own, which has used no memory yet that could be used again. */
static size_t peak_of(struct snapshot_fixture *f, size_t count, size_t changed, bool differs)
{
	size_t peak = 0;
	int ends[2], status;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		peak = capture_peak(f, count, changed, differs);
		_exit(write(ends[1], &peak, sizeof(peak)) == sizeof(peak) ? 0 : 1);
	}
	(void)close(ends[1]);
	assert_int_equal(read(ends[0], &peak, sizeof(peak)), sizeof(peak));
	(void)close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	return peak;
}

/* A first capture, one of the same state, and one in which a few objects have changed. */
enum { FIRST, UNCHANGED, FEW_CHANGED, KINDS_OF_CAPTURE };
static const char *const words[KINDS_OF_CAPTURE] = {"first", "unchanged", "few changed"};

static void capture_all(struct snapshot_fixture *f, const char *cluster, size_t count, size_t peaks[KINDS_OF_CAPTURE])
{
	f->options.cluster = cluster;
	peaks[FIRST] = peak_of(f, count, 0, true);
	peaks[UNCHANGED] = peak_of(f, count, 0, false);
	peaks[FEW_CHANGED] = peak_of(f, count, CHANGED, true);
}

static void test_one_more_object_takes_little(void **state)
{
	struct snapshot_fixture *f = *state;
	size_t small[KINDS_OF_CAPTURE], large[KINDS_OF_CAPTURE];

#ifdef __SANITIZE_ADDRESS__
	skip();
#endif
	f->options.archive_dir = "archives";
	mem_set_up();
	/* Of packs so much is mapped at a time, whatever their size, and neither of the two is to be below it. */
	assert_int_equal(git_libgit2_opts(GIT_OPT_SET_MWINDOW_SIZE, MAPPED / 2), 0);
	assert_int_equal(git_libgit2_opts(GIT_OPT_SET_MWINDOW_MAPPED_LIMIT, MAPPED), 0);
	capture_all(f, "small", SMALL, small);
	capture_all(f, "large", LARGE, large);
	for (size_t i = 0; i < KINDS_OF_CAPTURE; i++) {
		long bytes = ((long)large[i] - (long)small[i]) * 1024 / (LARGE - SMALL);

		print_message("%s: %zu KiB of %d objects, %zu KiB of %d, %ld bytes an object\n", words[i], small[i], SMALL, large[i], LARGE,
			bytes);
		if (bytes > BYTES_MAX)
			fail_msg("%ld bytes an object, of at most %d", bytes, BYTES_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_one_more_object_takes_little, snapshot_set_up, snapshot_tear_down),
	};

	return cmocka_run_group_tests_name("snapshot_memory", tests, NULL, NULL);
}
