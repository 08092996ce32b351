/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_api.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/mem.h"

#define REQUEST_MAX (64U << 10)
#define SCRIPT_MAX 64

struct fake_api {
	pid_t child;
	int log; /* shared with the child */
	char url[64];
};

static void must(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	_exit(99);
}

static void send_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t sent = send(fd, data, len, MSG_NOSIGNAL);

		if (sent <= 0)
			return; /* the client went away */
		data += sent;
		len -= (size_t)sent;
	}
}

static size_t body_length(const char *head)
{
	const char *at = strcasestr(head, "\r\nContent-Length:");

	return at ? strtoul(at + strlen("\r\nContent-Length:"), NULL, 10) : 0;
}

/* Head and body of one request; empty when the client closed. */
static void read_request(int fd, char *request)
{
	size_t len = 0;
	ssize_t got = 0;

	request[0] = '\0';
	while (len + 1 < REQUEST_MAX && (got = recv(fd, request + len, REQUEST_MAX - 1 - len, 0)) > 0) {
		const char *end = NULL;

		len += (size_t)got;
		request[len] = '\0';
		end = strstr(request, "\r\n\r\n");
		if (end && len >= (size_t)(end + 4 - request) + body_length(request))
			return;
	}
}

static const struct fake_exchange *choose(const struct fake_exchange *script, size_t count, bool *used, const char *request)
{
	static const struct fake_exchange over = {.status = 400, .body = "the script has no answer to this"};
	char line[4096];

	(void)snprintf(line, sizeof(line), "%.*s", (int)strcspn(request, "\r"), request);
	for (size_t i = 0; i < count; i++) {
		if (used[i] || (script[i].path && !strstr(line, script[i].path)))
			continue;
		used[i] = true;
		return &script[i];
	}
	return &over;
}

/* Whether the connection is to be closed. */
static bool answer(int fd, const struct fake_exchange *exchange)
{
	const char *body = exchange->body ? exchange->body : "";
	const char *more = exchange->headers ? exchange->headers : "";
	size_t len = strlen(body);
	char head[1024];

	if (exchange->status == 0)
		return true;
	if (exchange->hold)
		(void)snprintf(head, sizeof(head), "HTTP/1.1 %d Scripted\r\n%sConnection: close\r\n\r\n", exchange->status, more);
	else
		(void)snprintf(head, sizeof(head), "HTTP/1.1 %d Scripted\r\n%sConnection: close\r\nContent-Length: %zu\r\n\r\n",
			exchange->status, more, len);
	send_all(fd, head, strlen(head));
	send_all(fd, body, exchange->cut > 0 && exchange->cut < len ? exchange->cut : len);
	return !exchange->hold;
}

static _Noreturn void serve(int listener, int log, const struct fake_exchange *script, size_t count)
{
	static char request[REQUEST_MAX];
	bool used[SCRIPT_MAX] = {false};

	for (;;) {
		int fd = accept(listener, NULL, NULL);

		must(fd >= 0, "accept");
		read_request(fd, request);
		must(write(log, request, strlen(request)) == (ssize_t)strlen(request), "log");
		if (!*request || answer(fd, choose(script, count, used, request)))
			(void)close(fd);
	}
}

static int listen_on_loopback(char *url, size_t size)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);

	must(fd >= 0, "socket");
	must(bind(fd, (struct sockaddr *)&address, len) == 0, "bind");
	must(listen(fd, 16) == 0, "listen");
	must(getsockname(fd, (struct sockaddr *)&address, &len) == 0, "getsockname");
	(void)snprintf(url, size, "http://127.0.0.1:%u", (unsigned)ntohs(address.sin_port));
	return fd;
}

struct fake_api *fake_api_start(const struct fake_exchange *script, size_t count)
{
	struct fake_api *api = xcalloc(1, sizeof(*api));
	int listener = listen_on_loopback(api->url, sizeof(api->url));

	must(count <= SCRIPT_MAX, "script");
	api->log = memfd_create("fake-api", MFD_CLOEXEC);
	must(api->log >= 0, "memfd_create");
	api->child = fork();
	must(api->child >= 0, "fork");
	if (api->child == 0)
		serve(listener, api->log, script, count);
	(void)close(listener);
	return api;
}

const char *fake_api_url(const struct fake_api *api)
{
	return api->url;
}

char *fake_api_log(const struct fake_api *api)
{
	struct stat file = {0};
	char *text = NULL;

	must(fstat(api->log, &file) == 0, "fstat");
	text = xcalloc(1, (size_t)file.st_size + 1);
	must(pread(api->log, text, (size_t)file.st_size, 0) == file.st_size, "pread");
	return text;
}

size_t fake_api_seen(const struct fake_api *api, const char *text)
{
	auto_free char *log = fake_api_log(api);
	size_t count = 0;

	for (const char *at = log; (at = strstr(at, text)); at++)
		count++;
	return count;
}

void fake_api_stop(struct fake_api *api)
{
	if (!api)
		return;
	(void)kill(api->child, SIGKILL);
	(void)waitpid(api->child, NULL, 0);
	(void)close(api->log);
	free(api);
}
