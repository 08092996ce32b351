/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many creates are in flight at a time. The server of these tests answers in rounds: it waits until as many requests have come as the test
 * expects, a moment longer for one too many, and then answers them all. What came in each round is what the client had in flight.
 */
#include "support.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kube/client.h"
#include "restore_support.h"
#include "util/json.h"
#include "util/mem.h"

#define ROUNDS_MAX 16
#define REQUESTS_MAX 128
#define ENOUGH_MS 5000 /* for those that are expected */
#define SURPLUS_MS 30  /* for one too many */

struct round {
	int expected;
	bool busy; /* answer 429 */
};

struct server {
	pid_t pid;
	int port;
	int *came; /* a count a round, shared with the child */
};

/* ---- the server ---- */

/* The fds of the requests of a round; their count. */
static int gather(int listener, int expected, int fds[REQUESTS_MAX])
{
	struct pollfd pollfd = {.fd = listener, .events = POLLIN};
	int count = 0;

	while (count < REQUESTS_MAX && poll(&pollfd, 1, count < expected ? ENOUGH_MS : SURPLUS_MS) > 0)
		fds[count++] = accept(listener, NULL, NULL);
	return count;
}

static void answer(int fd, bool busy)
{
	static const char turned_away[] = "HTTP/1.1 429 Busy\r\nRetry-After: 0\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}";
	static const char created[] = "HTTP/1.1 201 Created\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}";
	const char *text = busy ? turned_away : created;
	char request[8192];

	/* The requests of these tests are small enough to come in one piece. */
	if (recv(fd, request, sizeof(request), 0) <= 0 || send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		_exit(1);
	close(fd);
}

static _Noreturn void serve(int listener, const struct round *rounds, size_t count, int *came)
{
	int fds[REQUESTS_MAX];

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (size_t i = 0; i < count; i++) {
		came[i] = gather(listener, rounds[i].expected, fds);
		for (int at = 0; at < came[i]; at++)
			answer(fds[at], rounds[i].busy);
	}
	for (;;)
		pause();
}

static int listen_anywhere(int *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(fd, REQUESTS_MAX), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

static void server_start(struct server *server, const struct round *rounds, size_t count)
{
	int listener = listen_anywhere(&server->port);

	assert_true(count <= ROUNDS_MAX);
	server->came = mmap(NULL, ROUNDS_MAX * sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(server->came, MAP_FAILED);
	server->pid = fork();
	assert_true(server->pid >= 0);
	if (server->pid == 0)
		serve(listener, rounds, count, server->came);
	close(listener);
}

static void server_stop(struct server *server)
{
	(void)kill(server->pid, SIGKILL);
	(void)waitpid(server->pid, NULL, 0);
	(void)munmap(server->came, ROUNDS_MAX * sizeof(int));
}

/* ---- tests ---- */

static void give_configs(struct restore_fixture *f, int count)
{
	for (int i = 0; i < count; i++) {
		auto_free char *text =
			xasprintf("{'apiVersion':'v1','kind':'ConfigMap','metadata':{'namespace':'prod','name':'app-%03d'}}", i);

		restore_object("configmaps", text);
	}
	restore_hello(f);
	restore_no_configs(f);
	restore_plan(f);
}

/* Apply at a server of these rounds instead of the one that the plan was made at. */
static void assert_rounds(struct restore_fixture *f, const struct round *rounds, size_t count)
{
	struct server server = {0};
	char url[64], source[] = "test", space[] = "default";
	struct kube_config config = {.server = url, .source = source, .namespace_ = space};
	int came[ROUNDS_MAX], rc;

	server_start(&server, rounds, count);
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%d", server.port);
	assert_int_equal(kube_client_new(&f->settings.client, &config, f->err), 0);
	rc = restore_apply(f);
	kube_client_free(f->settings.client);
	memcpy(came, server.came, sizeof(came));
	server_stop(&server);
	assert_int_equal(rc, 0);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(came[i], rounds[i].expected);
}

static void test_the_window_doubles_with_each_round(void **state)
{
	static const struct round rounds[] = {{8, false}, {16, false}, {6, false}};
	struct restore_fixture *f = *state;

	give_configs(f, 30);
	assert_rounds(f, rounds, 3);
	assert_int_equal(json_integer_value(json_at(f->report, "counts", "created", NULL)), 30);
}

/* Those that were turned away together count once; from then on it grows by one. */
static void test_a_429_takes_a_quarter_off_the_window(void **state)
{
	static const struct round rounds[] = {{8, true}, {6, false}, {7, false}, {7, false}};
	struct restore_fixture *f = *state;

	give_configs(f, 20);
	assert_rounds(f, rounds, 4);
	assert_int_equal(json_integer_value(json_at(f->report, "counts", "created", NULL)), 20);
}

/* A server that turns everything away is still asked, one request at a time. */
static void test_the_window_never_closes(void **state)
{
	static const struct round rounds[] = {{8, true}, {6, true}, {4, true}, {3, true}, {2, true}, {1, true}, {1, true}, {1, false},
		{2, false}, {3, false}, {2, false}};
	struct restore_fixture *f = *state;

	give_configs(f, 8);
	assert_rounds(f, rounds, 11);
	assert_int_equal(json_integer_value(json_at(f->report, "counts", "created", NULL)), 8);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, restore_set_up, restore_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_the_window_doubles_with_each_round),
		TEST(test_a_429_takes_a_quarter_off_the_window),
		TEST(test_the_window_never_closes),
	};

	return cmocka_run_group_tests_name("restore_window", tests, NULL, NULL);
}
