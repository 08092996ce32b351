/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake_api - an API server on loopback that says what a script tells it, for faults that a real one does not produce on demand.
 *
 * It runs in a forked child, speaks HTTP/1.1 and closes after each answer. An exchange is used once: a request gets the first unused
 * one whose path is in its request line, and 400 when there is none.
 */
#ifndef RHAII_TESTS_FAKE_API_H
#define RHAII_TESTS_FAKE_API_H

#include <stdbool.h>
#include <stddef.h>

struct fake_exchange {
	const char *path;    /* part of the request line; NULL: any */
	int status;          /* 0: close without an answer */
	const char *headers; /* more of them, each with "\r\n"; may be NULL */
	const char *body;    /* may be NULL */
	size_t cut;          /* close after so many bytes of the body, though Content-Length promised all; 0: send all */
	bool hold;           /* no Content-Length, and the connection stays open, as a watch does */
};

struct fake_api;

struct fake_api *fake_api_start(const struct fake_exchange *script, size_t count);
const char *fake_api_url(const struct fake_api *api);
/* All requests so far as they came, head and body; the caller frees. */
char *fake_api_log(const struct fake_api *api);
/* How often text is in the log. */
size_t fake_api_seen(const struct fake_api *api, const char *text);
void fake_api_stop(struct fake_api *api);

#endif
