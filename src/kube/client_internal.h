/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client_internal - what the files of the client share.
 *
 *   client.c   its life, its transports, and a request as it goes out: URL, body, headers with credentials
 *   call.c     kube_call: single requests, tried again where that may help
 *   send.c     kube_send, kube_ask_ahead, kube_expect, kube_stream: many in flight, one try each
 *   answer.c   what an answer means: errors from statuses, JSON or not
 */
#ifndef RHAII_KUBE_CLIENT_INTERNAL_H
#define RHAII_KUBE_CLIENT_INTERNAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "credentials.h"
#include "kube/client.h"
#include "util/http.h"
#include "util/strbuf.h"

struct retired;

struct kube_client {
	const struct kube_config *config;
	struct http_client *http;
	struct retired *retired;
	unsigned depth; /* how many of our calls are driving: what they drive must not go away under them */
	struct credentials *credentials;
	struct credential_view view; /* of the last refresh */
	unsigned certificate;        /* the one that http has */
	char **headers;
	size_t header_count;
	struct pending *pending;
	struct expected *expected;
	size_t requests;
};

/* ---- client.c ---- */

/* A request in flight. The client keeps them in a list, since http_cancel_all calls nobody back. */
struct pending {
	struct kube_client *client;
	struct pending *next, **link;
	kube_done_fn done;
	void *arg;
	struct kube_stream stream;
	unsigned generation;      /* of the credentials that it went out with */
	struct kube_ahead *ahead; /* that this is the request of, or NULL */
};

/* Put a new one into the list. */
struct pending *pending_new(struct kube_client *client);
void pending_free(struct pending *pending);

/* A request as it goes out, with what it is made of. */
struct outgoing {
	const struct kube_request *request; /* borrowed */
	char *url;
	struct strbuf body;
	int64_t until; /* monotonic */
	struct http_request http;
};

void outgoing_init(struct outgoing *outgoing, const struct kube_client *client, const struct kube_request *request);
void outgoing_release(struct outgoing *outgoing);
#define auto_outgoing __attribute__((cleanup(outgoing_release)))
/* ms until its deadline, never below 0 */
int64_t outgoing_remaining(const struct outgoing *outgoing);
/* Fill in outgoing->http, with fresh headers; valid until the next call of kube_headers. Counts it as sent. */
int outgoing_prepare(struct outgoing *outgoing, struct kube_client *client, struct error *err);

/* Tell that a request that went out with this generation of the credentials was answered so: after a 401 the next one gets fresh ones. */
void client_note_status(struct kube_client *client, unsigned generation, long status);
/* http_perform on the transport of now, which stays there meanwhile. */
int client_perform(struct kube_client *client, const struct http_request *request, struct http_response *response, struct error *err);

/* ---- send.c ---- */

/* The request of an answer asked for ahead (NULL: it was none) is gone: who waits for it is told, what nobody waits for is freed. */
void ahead_lost(struct kube_ahead *ahead);

/* What was asked for ahead of this request, taken from the client; NULL: nothing was. */
struct kube_ahead *expected_take(struct kube_client *client, const struct kube_request *request);

/* ---- answer.c ---- */

/* Whether the server has spoken; fault is that of the transport, or NULL. */
bool answer_is_there(const struct http_response *response, const struct error *fault);
bool answer_is_success(const struct http_response *response);
/* Whether a request that was sent ahead and failed so is worth another, now that its answer is needed. */
bool answer_is_worth_asking(const struct error *err);
/* Set err to what a status that is no success means. Always -1. */
int answer_error(const struct kube_client *client, const struct http_response *response, struct error *err);
/*
 * *out (may be NULL) is the answer's JSON. -1 with *malformed when the answer should have been JSON and may be so the next time. A body
 * that starts as no JSON document does is a proxy's page.
 */
int answer_parse(const struct strbuf *body, json_t **out, bool *malformed, struct error *err);
/* As answer_parse, for a taker of the bytes. */
int answer_take(struct strbuf *body, kube_take_fn take, void *arg, bool *malformed, struct error *err);

#endif
