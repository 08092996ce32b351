/* SPDX-License-Identifier: Apache-2.0 */
/* Programs that run beside us: what they see, and that they end when we do. */
#include "support.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/key.h"
#include "util/mem.h"
#include "util/service.h"
#include "util/strbuf.h"

static struct service *start(const char *script, int secret)
{
	const char *const argv[] = {"/bin/sh", "-c", script, NULL};
	const struct service_start how = {.argv = argv, .dir = ".", .log = "log", .secrets = {secret}, .secret_count = secret >= 0};
	struct error err = ERROR_INIT;
	struct service *service;

	if (service_start(&service, &how, &err) < 0)
		fail_msg("%s", err.text);
	return service;
}

static void wait_end(struct service *service)
{
	for (int i = 0; i < 500 && service_runs(service); i++)
		clock_sleep_ms(10);
	assert_false(service_runs(service));
}

static void test_a_secret_is_an_open_file_and_on_no_disk(void **state)
{
	struct error err = ERROR_INIT;
	int fd = service_secret("hunter2", 7, &err);
	struct service *service =
		start("cat /proc/self/fd/3 /proc/self/fd/3; ls -l /proc/self/fd/3 | grep -c memfd; ls /proc/self/fd | wc -l", fd);
	auto_free char *log = NULL;

	(void)state;
	(void)close(fd);
	wait_end(service);
	service_stop(service);
	log = support_read_file("log");
	/* 0, 1, 2, 3, and the directory that ls reads */
	assert_string_equal(log, "hunter2hunter21\n5\n");
}

static void test_it_is_asked_to_end_and_has_a_log_of_its_own(void **state)
{
	struct service *service = start("trap 'echo asked; exit 0' TERM; echo up; while :; do sleep 0.01; done", -1);
	auto_free char *log = NULL;

	(void)state;
	for (int i = 0; i < 500; i++) {
		mem_free_pointer(&log);
		log = support_read_file("log");
		if (strcmp(log, "up\n") == 0)
			break;
		clock_sleep_ms(10);
	}
	assert_true(service_runs(service));
	service_stop(service);
	mem_free_pointer(&log);
	log = support_read_file("log");
	assert_string_equal(log, "up\nasked\n");
}

static void test_a_program_that_is_not_there_ends_at_once(void **state)
{
	const char *const argv[] = {"/nonexistent/program", NULL};
	struct error err = ERROR_INIT;
	struct service *service;

	(void)state;
	assert_int_equal(service_start(&service, &(const struct service_start){.argv = argv, .dir = ".", .log = "log"}, &err), 0);
	wait_end(service);
	service_stop(service);
}

/* Our parent is killed, and what it started with it. */
static void test_it_does_not_outlive_us(void **state)
{
	auto_free char *text = NULL;
	pid_t child = fork(), grandchild;

	(void)state;
	if (child == 0) {
		(void)start("echo $$ >pid.tmp; mv pid.tmp pid; exec sleep 60", -1);
		for (;;)
			clock_sleep_ms(1000);
	}
	for (int i = 0; i < 500 && access("pid", R_OK) != 0; i++)
		clock_sleep_ms(10);
	text = support_read_file("pid");
	grandchild = (pid_t)strtol(text, NULL, 10);
	assert_int_equal(kill(grandchild, 0), 0);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	for (int i = 0; i < 500; i++) {
		auto_free char *stat = xasprintf("/proc/%d/stat", (int)grandchild);
		auto_free char *line = access(stat, R_OK) == 0 ? support_read_file(stat) : NULL;

		if (!line || strstr(line, ") Z "))
			return;
		clock_sleep_ms(10);
	}
	fail_msg("it still runs");
}

static void test_a_free_port_is_one(void **state)
{
	struct error err = ERROR_INIT;
	int port = 0;

	(void)state;
	assert_int_equal(service_free_port(&port, &err), 0);
	assert_in_range(port, 1, 65535);
}

static void test_a_key_is_made_in_the_form_that_servers_read(void **state)
{
	auto_strbuf struct strbuf one = STRBUF_INIT, two = STRBUF_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(key_make(&one, &err), 0);
	assert_int_equal(key_make(&two, &err), 0);
	assert_int_equal(strncmp(one.buf, "-----BEGIN EC PRIVATE KEY-----\n", 31), 0);
	assert_non_null(strstr(one.buf, "-----END EC PRIVATE KEY-----\n"));
	assert_string_not_equal(one.buf, two.buf);
}

#define in_dir(test) cmocka_unit_test_setup_teardown(test, support_enter_dir, support_leave_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_dir(test_a_secret_is_an_open_file_and_on_no_disk),
		in_dir(test_it_is_asked_to_end_and_has_a_log_of_its_own),
		in_dir(test_a_program_that_is_not_there_ends_at_once),
		in_dir(test_it_does_not_outlive_us),
		in_dir(test_a_free_port_is_one),
		cmocka_unit_test(test_a_key_is_made_in_the_form_that_servers_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
