/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_internal - what the files of the HTTP client share. Only src/util/http*.c include it, and with it libcurl.
 *
 *   http.c          the client, its transfers from submit to done, and one request at a time
 *   http_setup.c    what is set on a libcurl handle before it is sent off: TLS, proxy, URL, headers, limits
 *   http_answer.c   the answer: its bytes as they come, and what its end means
 */
#ifndef RHAII_UTIL_HTTP_INTERNAL_H
#define RHAII_UTIL_HTTP_INTERNAL_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"
#include "util/http.h"

#define HTTP_POOL_MAX 128

struct transfer {
	struct http_client *client;
	struct transfer *prev, *next;
	CURL *easy;
	struct curl_slist *headers, *connect_to;
	char *method, *url; /* url as the caller gave it, for messages */
	char *proxy;        /* without user and password, for messages; NULL: none */
	bool proxy_user;    /* it is told a user */
	char *body;
	size_t body_len, max_body, received;
	int (*on_data)(const char *data, size_t len, void *arg);
	void *on_data_arg;
	http_done_fn done;
	void *arg;
	struct http_response response;
	struct error error; /* set by a callback that stopped the transfer */
	char reason[CURL_ERROR_SIZE];
};

struct http_client {
	CURLM *multi;
	char *ca, *cert, *key, *server_name, *proxy;
	bool insecure;
	struct transfer *active; /* most recent first */
	size_t in_flight;
	size_t cancels; /* how often http_cancel_all ran: tells http_perform that its transfer is gone */
	bool renew;     /* a stream was cut off: take new connections as soon as none is in use */
	bool avoid;     /* a connection may be dead: until then, do not put new requests on those that are there */
	CURL *pool[HTTP_POOL_MAX];
	size_t pool_count;
};

/* ---- http_setup.c ---- */

/* Take a handle from the pool, or a new one, and set all of the request on it. On -1 what there is of it is still the transfer's. */
int http_setup(struct transfer *t, const struct http_request *request, struct error *err);
/* Give the handle (NULL is fine) back to the pool, with nothing of this transfer in it. */
void http_setup_undo(struct http_client *client, CURL *easy);

/* ---- http_answer.c ---- */

/* libcurl's write callback; arg is the transfer. Any other answer than the length ends the transfer. */
size_t http_answer_data(char *data, size_t size, size_t count, void *arg);
/* The transfer is over: fill in its response, and its error where the answer is not whole. Whether its connection can be trusted further on. */
bool http_answer_end(struct transfer *t, CURLcode code);
/* How many bytes of t->url to show: as far as its query, which may be long and is never what went wrong. */
int http_url_shown(const struct transfer *t);

#endif
