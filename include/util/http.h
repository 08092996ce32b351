/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http - requests over one libcurl multi handle: HTTP/2 where the server speaks it, one connection, many streams, never a redirect.
 *
 * Only https goes through a proxy, that of the client or by util/proxy.h; http never does, whatever the environment says. The proxy's URL is of the scheme
 * http (the default), https, socks5 or socks5h (both: the proxy looks the server's name up), its user and password are given to it, and shown nowhere.
 * With https its certificate is checked by the same authority and settings as the server's, under the proxy's own name; it is Go's (kubectl's) way.
 *
 * Credentials live in memory only (TLS material as blobs). Use: http_client_new; then either http_perform, or http_submit as often as
 * wanted and http_drive until http_in_flight is 0. A done callback may call any function here but http_client_free; on_data may call
 * none. Nothing is sent twice by itself: retrying is for the caller, who knows what may be repeated. Not thread safe.
 *
 * Errors: ERR_UNAVAILABLE when trying again later may help (refused, reset, cut off, timed out); ERR_FAILED when it will not (the
 * certificate, too large a body, stopped by on_data); ERR_USAGE for a request that cannot be made at all.
 */
#ifndef RHAII_UTIL_HTTP_H
#define RHAII_UTIL_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/strbuf.h"

struct error;
struct http_client;

struct http_tls {
	const char *ca;   /* PEM bundle text; NULL: the system's */
	const char *cert; /* PEM text; NULL: no client certificate */
	const char *key;
	const char *server_name; /* NULL: the URL's host */
	bool insecure;
	const char *proxy; /* URL, for every https request, also to loopback; NULL: what the environment says (util/proxy.h) */
};

struct http_request {
	const char *method; /* "GET" */
	const char *url;
	const char *
		connect_to; /* address or name to connect to in the place of the URL's host, which TLS and Host go on to name; NULL: that */
	const char *const *headers; /* "Name: value", NULL-terminated; may be NULL */
	const char *body;           /* may be NULL */
	size_t body_len;
	int64_t timeout_ms; /* over all; 0: none */
	int64_t stall_ms;   /* give up when nothing moves for so long, in whole seconds; 0: 60 s */
	size_t max_body;    /* of the response; 0: 256 MiB (no limit with on_data). More is an error */
	/*
	 * When set, gets the body of a 2xx answer as it comes instead of response.body (a failure's body still goes there, so that it can be
	 * shown); another value than 0 ends the transfer with an error.
	 */
	int (*on_data)(const char *data, size_t len, void *arg);
	void *on_data_arg;
};

struct http_response {
	long status; /* 0: no answer */
	struct strbuf body;
	int64_t retry_after_ms; /* from Retry-After in seconds, five minutes at most (a date is not understood); -1: none */
	int64_t first_byte_ms, total_ms;
};
#define HTTP_RESPONSE_INIT                                                                                                                 \
	{                                                                                                                                  \
		.body = STRBUF_INIT, .retry_after_ms = -1                                                                                  \
	}

int http_client_new(struct http_client **out, const struct http_tls *tls, struct error *err);
void http_client_free(struct http_client *client);

/*
 * Blocking; moves all other transfers on meanwhile. 0 whenever the server answered, whatever its status; -1 when there was no complete
 * answer. response is one initialised with HTTP_RESPONSE_INIT; the caller releases it in either case.
 */
int http_perform(struct http_client *client, const struct http_request *request, struct http_response *response, struct error *err);
void http_response_release(struct http_response *response);

/* Called once a request is over. error is NULL when the server answered; both are borrowed for the call (the body may be taken with strbuf_detach). */
typedef void (*http_done_fn)(struct http_response *response, const struct error *error, void *arg);
/* Start a request; everything in it is copied. On -1 done is never called. */
int http_submit(struct http_client *client, const struct http_request *request, http_done_fn done, void *arg, struct error *err);
/* Move all transfers on, waiting up to timeout_ms for something to do (a signal ends the wait); runs the callbacks of those that ended. */
int http_drive(struct http_client *client, int64_t timeout_ms, struct error *err);
size_t http_in_flight(const struct http_client *client);
/* Drop every transfer in flight without calling back, and their connections. */
void http_cancel_all(struct http_client *client);

/* Append text as one URL path segment or query value (RFC 3986 unreserved bytes stay). */
void http_escape(struct strbuf *out, const char *text);

#endif
