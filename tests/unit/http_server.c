/* SPDX-License-Identifier: Apache-2.0 */
#include "http_server.h"

#include "support.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/strbuf.h"

static void send_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t sent = send(fd, data, len, MSG_NOSIGNAL);

		if (sent <= 0)
			_exit(0);
		data += sent;
		len -= (size_t)sent;
	}
}

static void send_text(int fd, const char *text)
{
	send_all(fd, text, strlen(text));
}

static void answer(int fd, const char *status, const char *headers, const char *body, size_t len)
{
	auto_strbuf struct strbuf out = STRBUF_INIT;

	strbuf_addf(&out, "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n", status, headers, len);
	strbuf_add(&out, body, len);
	send_all(fd, out.buf, out.len);
}

static void answer_text(int fd, const char *status, const char *headers, const char *body)
{
	answer(fd, status, headers, body, strlen(body));
}

static void fill(struct strbuf *out, long len)
{
	memset(strbuf_reserve(out, (size_t)len), 'x', (size_t)len);
	out->len += (size_t)len;
}

static void answer_big(int fd, long len)
{
	auto_strbuf struct strbuf body = STRBUF_INIT;

	fill(&body, len);
	answer(fd, "200 OK", "", body.buf, body.len);
}

/* Without Content-Length the client learns the size only by reading. */
static void answer_chunked(int fd, const char *status, long len)
{
	auto_strbuf struct strbuf out = STRBUF_INIT;

	strbuf_addf(&out, "HTTP/1.1 %s\r\nTransfer-Encoding: chunked\r\n\r\n%lx\r\n", status, len);
	fill(&out, len);
	strbuf_adds(&out, "\r\n0\r\n\r\n");
	send_all(fd, out.buf, out.len);
}

static void hang(void)
{
	for (;;)
		pause();
}

/* Faults after which the connection is of no use. */
static void misbehave(int fd, const char *path)
{
	if (strcmp(path, "/silent") == 0)
		hang();
	if (strcmp(path, "/stall") == 0) {
		send_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx");
		hang();
	}
	if (strcmp(path, "/cut") == 0)
		send_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789");
	if (strcmp(path, "/cut-chunks") == 0)
		send_text(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n");
	_exit(0);
}

/* The number after a prefix, -1 when path does not start so. */
static long number_after(const char *path, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(path, prefix, len) == 0 ? strtol(path + len, NULL, 10) : -1;
}

static bool serve_numbered(int fd, const char *path)
{
	char status[32];
	long number;

	if ((number = number_after(path, "/status/")) >= 0) {
		(void)snprintf(status, sizeof(status), "%ld Some Reason", number);
		answer_text(fd, status, "", number == 204 || number == 304 ? "" : "status");
	} else if ((number = number_after(path, "/big/")) >= 0) {
		answer_big(fd, number);
	} else if ((number = number_after(path, "/chunked/")) >= 0) {
		answer_chunked(fd, "200 OK", number);
	} else if ((number = number_after(path, "/chunked-big/")) >= 0) {
		answer_chunked(fd, "500 Internal Server Error", number);
	} else if ((number = number_after(path, "/slow/")) >= 0) {
		clock_sleep_ms(number);
		answer_text(fd, "200 OK", "", "slow");
	} else {
		return false;
	}
	return true;
}

static void serve(int fd, const char *path, const struct strbuf *request)
{
	char headers[600];

	if (serve_numbered(fd, path))
		return;
	if (strncmp(path, "/hello", 6) == 0) {
		answer_text(fd, "200 OK", "", "hello world");
	} else if (strncmp(path, "/echo", 5) == 0) {
		answer(fd, "200 OK", "", request->buf, request->len);
	} else if (strncmp(path, "/retry/", 7) == 0) {
		(void)snprintf(headers, sizeof(headers), "Retry-After: %s\r\n", path + 7);
		answer_text(fd, "429 Too Many Requests", headers, "slow down");
	} else if (strcmp(path, "/redirect") == 0) {
		answer_text(fd, "302 Found", "Location: /hello\r\n", "moved");
	} else {
		misbehave(fd, path);
	}
}

/* How long the request at the start of in is, 0 while it is not complete. */
static size_t request_length(const struct strbuf *in)
{
	const char *end = strstr(in->buf, "\r\n\r\n");
	const char *length = strcasestr(in->buf, "\r\nContent-Length:");
	size_t need;

	if (!end)
		return 0;
	need = (size_t)(end + 4 - in->buf);
	if (length && length < end)
		need += strtoul(length + 17, NULL, 10);
	return in->len >= need ? need : 0;
}

static const char *connect_answer(const char *path, const struct strbuf *request)
{
	if (strcasestr(request->buf, "\r\nAuthorization:"))
		return "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
	if (strcmp(path, "nowhere.invalid:6443") != 0)
		return "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
	return "HTTP/1.1 418 Teapot\r\nContent-Length: 0\r\n\r\n";
}

/* One request after the other until the client closes. */
static void serve_connection(int fd)
{
	for (;;) {
		auto_strbuf struct strbuf in = STRBUF_INIT;
		char path[512] = "";

		while (!request_length(&in)) {
			char buf[4096];
			ssize_t got = read(fd, buf, sizeof(buf));

			if (got <= 0)
				_exit(0);
			strbuf_add(&in, buf, (size_t)got);
		}
		(void)sscanf(in.buf, "%*s %511s", path);
		if (strncmp(in.buf, "CONNECT", 7) == 0)
			send_text(fd, connect_answer(path, &in));
		/* A HEAD answer has no body, so the length must not be followed by one. */
		else if (strncmp(in.buf, "HEAD", 4) == 0)
			send_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n");
		else
			serve(fd, path, &in);
	}
}

_Noreturn static void accept_forever(int listener)
{
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			continue;
		if (fork() == 0) {
			(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
			serve_connection(fd);
		}
		close(fd);
	}
}

static int listen_anywhere(int *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(fd, 64), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

void http_server_start(struct http_server *server)
{
	int listener = listen_anywhere(&server->port);

	server->pid = fork();
	assert_true(server->pid >= 0);
	if (server->pid == 0) {
		(void)setpgid(0, 0);
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)signal(SIGCHLD, SIG_IGN);
		accept_forever(listener);
	}
	(void)setpgid(server->pid, server->pid);
	close(listener);
}

void http_server_stop(struct http_server *server)
{
	(void)kill(-server->pid, SIGKILL);
	(void)waitpid(server->pid, NULL, 0);
}

int http_server_free_port(void)
{
	int port;

	close(listen_anywhere(&port));
	return port;
}
