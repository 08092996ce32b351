/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "util/strbuf.h"
#include "util/worker.h"

struct seen {
	struct strbuf bytes;
	size_t calls, fail_at;
	pthread_t thread;
};

static int note(const char *data, size_t len, void *arg, struct error *err)
{
	struct seen *seen = arg;

	seen->thread = pthread_self();
	if (++seen->calls == seen->fail_at)
		return error_set(err, ERR_LOCKED, "call %zu failed", seen->calls);
	strbuf_add(&seen->bytes, data, len);
	return 0;
}

static int give(struct worker *worker, const char *text, struct error *err)
{
	struct strbuf part = STRBUF_INIT;
	int rc;

	strbuf_adds(&part, text);
	rc = worker_give(worker, &part, err);
	assert_int_equal(part.len, 0);
	strbuf_release(&part);
	return rc;
}

static void test_parts_are_worked_on_in_order_on_another_thread(void **state)
{
	struct seen seen = {.bytes = STRBUF_INIT};
	struct worker *worker = worker_start(note, &seen);
	struct strbuf want = STRBUF_INIT;
	struct error err = ERROR_INIT;
	char text[32];

	(void)state;
	for (int i = 0; i < 5000; i++) {
		(void)snprintf(text, sizeof(text), "%d;", i);
		strbuf_adds(&want, text);
		assert_int_equal(give(worker, text, &err), 0);
	}
	assert_int_equal(worker_wait(worker, &err), 0);
	assert_string_equal(seen.bytes.buf, want.buf);
	assert_false(pthread_equal(seen.thread, pthread_self()));
	/* and goes on */
	assert_int_equal(give(worker, "end", &err), 0);
	assert_int_equal(worker_wait(worker, &err), 0);
	assert_string_equal(seen.bytes.buf + want.len, "end");
	worker_free(worker);
	strbuf_release(&seen.bytes);
	strbuf_release(&want);
}

/* One part that is larger than the whole line passes as well. */
static void test_a_large_part_passes(void **state)
{
	struct seen seen = {.bytes = STRBUF_INIT};
	struct worker *worker = worker_start(note, &seen);
	struct error err = ERROR_INIT;

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct strbuf part = STRBUF_INIT;

		memset(strbuf_reserve(&part, WORKER_LINE * 2), 'x', WORKER_LINE * 2);
		part.len = WORKER_LINE * 2;
		assert_int_equal(worker_give(worker, &part, &err), 0);
	}
	assert_int_equal(worker_wait(worker, &err), 0);
	assert_int_equal(seen.bytes.len, WORKER_LINE * 6);
	worker_free(worker);
	strbuf_release(&seen.bytes);
}

static void test_the_first_failure_sticks(void **state)
{
	struct seen seen = {.bytes = STRBUF_INIT, .fail_at = 2};
	struct worker *worker = worker_start(note, &seen);
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(give(worker, "a", &err), 0);
	(void)give(worker, "b", &err);
	assert_int_equal(worker_wait(worker, &err), -1);
	support_assert_error(&err, ERR_LOCKED, "call 2 failed");
	error_clear(&err);
	assert_int_equal(give(worker, "c", &err), -1);
	error_clear(&err);
	assert_int_equal(worker_wait(worker, &err), -1);
	support_assert_error(&err, ERR_LOCKED, "call 2 failed");
	assert_int_equal(seen.calls, 2);
	assert_string_equal(seen.bytes.buf, "a");
	worker_free(worker);
	strbuf_release(&seen.bytes);
}

static void test_it_may_be_freed_with_work_left(void **state)
{
	struct seen seen = {.bytes = STRBUF_INIT};
	struct worker *worker = worker_start(note, &seen);
	struct error err = ERROR_INIT;

	(void)state;
	for (int i = 0; i < 100; i++)
		assert_int_equal(give(worker, "x", &err), 0);
	worker_free(worker);
	worker_free(NULL);
	assert_true(seen.bytes.len <= 100);
	strbuf_release(&seen.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts_are_worked_on_in_order_on_another_thread),
		cmocka_unit_test(test_a_large_part_passes),
		cmocka_unit_test(test_the_first_failure_sticks),
		cmocka_unit_test(test_it_may_be_freed_with_work_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
