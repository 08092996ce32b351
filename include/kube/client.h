/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client - requests to one API server.
 *
 * kube_call is for single requests: it retries what may pass later (429 with its Retry-After, 5xx, resets) inside a deadline, GETs and
 * what changes nothing always, others only when the server did not answer or said 429. An answer that is not complete JSON counts as no answer, three times.
 * After a 401 the token file is read, or the exec plugin run, once more. kube_send is for many in flight (restore): one try, the caller decides.
 * An answer of 400 or more is an error whose text is the server's Status message, escaped, and whose code is ERR_NOT_FOUND (404),
 * ERR_EXISTS (409 AlreadyExists), ERR_CONFLICT (409), ERR_FORBIDDEN (403), ERR_UNAUTHORIZED (401), ERR_GONE (410), ERR_UNAVAILABLE (408, 429, 5xx) or
 * ERR_REJECTED (the rest; also a 500 that this body will get for ever, as that of a webhook that was asked and denied it).
 */
#ifndef RHAII_KUBE_CLIENT_H
#define RHAII_KUBE_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct http_client;
struct kube_client;
struct kube_config;
struct strbuf;

struct kube_request {
	const char *method;       /* "GET" */
	const char *path;         /* absolute, escaped, with query: "/api/v1/namespaces?limit=500" */
	const json_t *body;       /* NULL: none */
	const char *content_type; /* NULL: application/json */
	const char *accept;       /* NULL: application/json */
	bool changes_nothing;     /* a review, a dry run: may be sent again like a GET */
	int64_t deadline_ms;      /* of all tries, kube_send: of the one; 0: 60 s */
};

/* config is borrowed and must outlive the client. Sends nothing. */
int kube_client_new(struct kube_client **out, const struct kube_config *config, struct error *err);
void kube_client_free(struct kube_client *client);

/* *out (may be NULL) is the answer's JSON; the caller owns it. */
int kube_call(struct kube_client *client, const struct kube_request *request, json_t **out, struct error *err);

/* As kube_call, for who reads the answer himself: take may keep its bytes (strbuf_detach). An ERR_SYNTAX of it counts as an answer that is not complete JSON. */
typedef int (*kube_take_fn)(struct strbuf *body, void *arg, struct error *err);
int kube_call_raw(struct kube_client *client, const struct kube_request *request, kube_take_fn take, void *arg, struct error *err);

/*
 * Ask for what will be needed next, so that the server works meanwhile: one try, moved on by kube_drive. NULL when it cannot be sent. Then either
 * kube_ahead_take, which waits (on -1 the caller decides whether to ask again), or kube_ahead_drop (NULL is fine); both free it.
 */
struct kube_ahead;
struct kube_ahead *kube_ask_ahead(struct kube_client *client, const struct kube_request *request);
int kube_ahead_take(struct kube_client *client, struct kube_ahead *ahead, struct strbuf *body, int64_t *retry_after_ms, struct error *err);
void kube_ahead_drop(struct kube_ahead *ahead);

/*
 * Ask now for what kube_call or kube_call_raw will ask for: the next GET of the same path and accept takes this answer, once, or asks by itself where none came.
 * So requests that do not need each other's answers cost one round trip. Nothing fails here. kube_expect_end forgets what nobody has taken.
 */
void kube_expect(struct kube_client *client, const struct kube_request *request);
void kube_expect_end(struct kube_client *client);

/* body is borrowed for the call (json_incref to keep); error is NULL on success; retry_after_ms is -1 when the server did not say. */
typedef void (*kube_done_fn)(json_t *body, const struct error *error, int64_t retry_after_ms, void *arg);
int kube_send(struct kube_client *client, const struct kube_request *request, kube_done_fn done, void *arg, struct error *err);

/*
 * A request whose answer comes bit by bit and may never end (a watch): on_data gets the bytes of a success. ended is called once,
 * with NULL when the server answered with success and then closed, else with the error (ERR_GONE for a 410).
 */
struct kube_stream {
	const char *path;
	int64_t stall_ms; /* give up when nothing comes for so long; 0: 60 s */
	int (*on_data)(const char *data, size_t len, void *arg);
	void (*ended)(const struct error *error, void *arg);
	void *arg;
};
int kube_stream(struct kube_client *client, const struct kube_stream *stream, struct error *err);

/* Drop everything in flight, and the connections, without calling back. */
void kube_cancel_all(struct kube_client *client);

/* Move requests on; see http_drive. */
int kube_drive(struct kube_client *client, int64_t timeout_ms, struct error *err);

/* Requests sent so far, retries included. */
size_t kube_request_count(const struct kube_client *client);
const char *kube_server(const struct kube_client *client);
const char *kube_source(const struct kube_client *client);

/* For tests: the requests without an answer yet; the transport below; and the headers of a request (Authorization included; wiped by the next call). */
size_t kube_in_flight(const struct kube_client *client);
struct http_client *kube_http(struct kube_client *client);
int kube_headers(struct kube_client *client, const char *accept, const char *content_type, const char *const **out, struct error *err);

#endif
