/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "client_internal.h"
#include "util/error.h"
#include "util/json.h"
#include "util/mem.h"

/* ---- many in flight ---- */

static void send_done(struct http_response *response, const struct error *error, void *arg)
{
	struct pending *pending = arg;
	struct kube_client *client = pending->client;
	kube_done_fn done = pending->done;
	void *done_arg = pending->arg;
	unsigned generation = pending->generation;
	auto_json json_t *body = NULL;
	struct error err = ERROR_INIT;
	bool malformed = false;

	/* Gone before the callback: that may submit or cancel as it likes. */
	pending_free(pending);
	if (!answer_is_there(response, error))
		err = *error;
	else if (!answer_is_success(response))
		(void)answer_error(client, response, &err);
	else if (answer_parse(&response->body, &body, &malformed, &err) == 0)
		error_clear(&err);
	client_note_status(client, generation, response->status);
	done(body, err.code == ERR_NONE ? NULL : &err, response->retry_after_ms, done_arg);
}

int kube_send(struct kube_client *client, const struct kube_request *request, kube_done_fn done, void *arg, struct error *err)
{
	auto_outgoing struct outgoing out;
	struct pending *pending = NULL;

	outgoing_init(&out, client, request);
	if (outgoing_prepare(&out, client, err) < 0)
		return -1;
	pending = pending_new(client);
	pending->done = done;
	pending->arg = arg;
	if (http_submit(client->http, &out.http, send_done, pending, err) == 0)
		return 0;
	pending_free(pending);
	return -1;
}

/* ---- ahead ---- */

/* Asked for before it is needed. over: answer or fault is there; dropped: nobody waits any more. */
struct kube_ahead {
	struct pending *pending; /* NULL when over */
	bool over, dropped;
	struct strbuf body;
	int64_t retry_after_ms;
	struct error fault;
};

static void ahead_free(struct kube_ahead *ahead)
{
	strbuf_release(&ahead->body);
	free(ahead);
}

void ahead_lost(struct kube_ahead *ahead)
{
	if (!ahead)
		return;
	ahead->pending = NULL;
	ahead->over = true;
	if (ahead->dropped)
		ahead_free(ahead);
	else
		error_set(&ahead->fault, ERR_UNAVAILABLE, "the request was given up");
}

static void ahead_done(struct http_response *response, const struct error *error, void *arg)
{
	struct pending *pending = arg;
	struct kube_client *client = pending->client;
	struct kube_ahead *ahead = pending->arg;
	unsigned generation = pending->generation;

	pending_free(pending);
	client_note_status(client, generation, response->status);
	ahead->pending = NULL;
	ahead->over = true;
	ahead->retry_after_ms = response->retry_after_ms;
	if (!answer_is_there(response, error))
		ahead->fault = *error;
	else if (!answer_is_success(response))
		(void)answer_error(client, response, &ahead->fault);
	else {
		ahead->body = response->body;
		response->body = (struct strbuf)STRBUF_INIT;
	}
	if (ahead->dropped)
		ahead_free(ahead);
}

struct kube_ahead *kube_ask_ahead(struct kube_client *client, const struct kube_request *request)
{
	auto_outgoing struct outgoing out;
	struct error ignored = ERROR_INIT;
	struct kube_ahead *ahead;

	outgoing_init(&out, client, request);
	if (outgoing_prepare(&out, client, &ignored) < 0)
		return NULL;
	ahead = xcalloc(1, sizeof(*ahead));
	ahead->body = (struct strbuf)STRBUF_INIT;
	ahead->pending = pending_new(client);
	ahead->pending->arg = ahead;
	ahead->pending->ahead = ahead;
	if (http_submit(client->http, &out.http, ahead_done, ahead->pending, &ignored) == 0)
		return ahead;
	pending_free(ahead->pending);
	ahead_free(ahead);
	return NULL;
}

int kube_ahead_take(struct kube_client *client, struct kube_ahead *ahead, struct strbuf *body, int64_t *retry_after_ms, struct error *err)
{
	int rc = 0;

	while (!ahead->over && rc == 0)
		rc = kube_drive(client, 1000, err);
	if (rc < 0) {
		kube_ahead_drop(ahead);
		return -1;
	}
	*retry_after_ms = ahead->retry_after_ms;
	if (ahead->fault.code == ERR_NONE) {
		strbuf_release(body);
		*body = ahead->body;
		ahead->body = (struct strbuf)STRBUF_INIT;
	} else {
		*err = ahead->fault;
		rc = -1;
	}
	ahead_free(ahead);
	return rc;
}

void kube_ahead_drop(struct kube_ahead *ahead)
{
	if (!ahead)
		return;
	if (ahead->over)
		ahead_free(ahead);
	else
		ahead->dropped = true;
}

/* ---- expected ---- */

struct expected {
	char *path, *accept;
	struct kube_ahead *ahead;
	struct expected *next;
};

static void expected_free(struct expected *expected)
{
	free(expected->path);
	free(expected->accept);
	free(expected);
}

void kube_expect(struct kube_client *client, const struct kube_request *request)
{
	struct kube_ahead *ahead = kube_ask_ahead(client, request);
	struct expected *expected;

	if (!ahead)
		return;
	expected = xcalloc(1, sizeof(*expected));
	*expected = (struct expected){
		.path = xstrdup(request->path), .accept = xstrdup(request->accept), .ahead = ahead, .next = client->expected};
	client->expected = expected;
}

static bool is_expected(const struct expected *expected, const struct kube_request *request)
{
	if (strcmp(request->method, "GET") != 0 || strcmp(request->path, expected->path) != 0)
		return false;
	return request->accept && expected->accept ? strcmp(request->accept, expected->accept) == 0 : !request->accept && !expected->accept;
}

struct kube_ahead *expected_take(struct kube_client *client, const struct kube_request *request)
{
	for (struct expected **link = &client->expected; *link; link = &(*link)->next) {
		struct expected *found = *link;
		struct kube_ahead *ahead = found->ahead;

		if (!is_expected(found, request))
			continue;
		*link = found->next;
		expected_free(found);
		return ahead;
	}
	return NULL;
}

void kube_expect_end(struct kube_client *client)
{
	while (client->expected) {
		struct expected *expected = client->expected;

		client->expected = expected->next;
		kube_ahead_drop(expected->ahead);
		expected_free(expected);
	}
}

/* ---- streams ---- */

static void stream_done(struct http_response *response, const struct error *error, void *arg)
{
	struct pending *pending = arg;
	struct kube_client *client = pending->client;
	struct kube_stream stream = pending->stream;
	unsigned generation = pending->generation;
	struct error err = ERROR_INIT;

	if (response->status >= 300)
		(void)answer_error(client, response, &err);
	else if (error && response->status < 200)
		err = *error; /* one that opened and then broke has ended like any other */
	pending_free(pending);
	client_note_status(client, generation, response->status);
	stream.ended(err.code == ERR_NONE ? NULL : &err, stream.arg);
}

int kube_stream(struct kube_client *client, const struct kube_stream *stream, struct error *err)
{
	auto_free char *url = xasprintf("%s%s", kube_server(client), stream->path);
	struct http_request request = {
		.method = "GET", .url = url, .stall_ms = stream->stall_ms, .on_data = stream->on_data, .on_data_arg = stream->arg};
	struct pending *pending = NULL;

	if (kube_headers(client, NULL, NULL, &request.headers, err) < 0)
		return -1;
	client->requests++;
	pending = pending_new(client);
	pending->stream = *stream;
	if (http_submit(client->http, &request, stream_done, pending, err) == 0)
		return 0;
	pending_free(pending);
	return -1;
}
