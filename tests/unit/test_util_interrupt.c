/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/interrupt.h"

/* How a child ends that gets the signals, one after the other; it exits with 7 when they did not end it. */
static int end_of(const int *signals, size_t count)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		interrupt_watch();
		if (interrupted())
			_exit(1);
		for (size_t i = 0; i < count; i++) {
			(void)raise(signals[i]);
			if (!interrupted())
				_exit(2);
		}
		_exit(7);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void test_one_signal_is_a_request(void **state)
{
	static const int interrupt[] = {SIGINT}, terminate[] = {SIGTERM};

	(void)state;
	assert_int_equal(WEXITSTATUS(end_of(interrupt, 1)), 7);
	assert_int_equal(WEXITSTATUS(end_of(terminate, 1)), 7);
}

static void test_the_second_one_ends_the_program(void **state)
{
	static const int twice[] = {SIGINT, SIGINT}, other[] = {SIGINT, SIGTERM};
	int status = end_of(twice, 2);

	(void)state;
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
	status = end_of(other, 2);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_signal_is_a_request),
		cmocka_unit_test(test_the_second_one_ends_the_program),
	};

	return cmocka_run_group_tests_name("util_interrupt", tests, NULL, NULL);
}
