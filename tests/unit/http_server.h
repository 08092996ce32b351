/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_server - a loopback HTTP/1.1 server in a child process, for what a real server will not do on demand. Routes:
 *
 *   /hello           200 "hello world"              /status/N     status N with the body "status"
 *   /echo            the request as it came          /retry/TEXT   429 with "Retry-After: TEXT"
 *   /big/N           N bytes of 'x'                  /chunked/N    the same in chunks, /chunked-big/N with status 500
 *   /redirect        302 to /hello                   /slow/MS      200 after so many milliseconds
 *   /cut             10 of 100 announced bytes       /cut-chunks   chunks without the last
 *   /stall           headers and a byte, then nothing  /silent     nothing at all
 *   /reset           closes the connection without an answer
 *
 * As a proxy it answers CONNECT nowhere.invalid:6443 with 418, any other with 404, and one that holds an Authorization header with 403.
 */
#ifndef RHAII_TESTS_UNIT_HTTP_SERVER_H
#define RHAII_TESTS_UNIT_HTTP_SERVER_H

#include <sys/types.h>

struct http_server {
	pid_t pid; /* leader of a process group of its own */
	int port;
};

/* Each fails the running test when it cannot do its work. */
void http_server_start(struct http_server *server);
void http_server_stop(struct http_server *server);

/* A port of 127.0.0.1 on which nobody listens. */
int http_server_free_port(void);

#endif
