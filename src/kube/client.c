/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/client.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "credentials.h"
#include "kube/kubeconfig.h"
#include "secret.h"
#include "util/clock.h"
#include "util/env.h"
#include "util/error.h"
#include "util/http.h"
#include "util/json.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/strbuf.h"
#include "util/text.h"

#define DEADLINE_MS (60 * 1000)
#define BACKOFF_FIRST_MS 200
#define BACKOFF_MAX_MS (10 * 1000)
#define MALFORMED_MAX 3 /* a connection cut off mid-answer heals; a server that does not speak JSON does not */
#define MESSAGE_MAX 500
#define RETIRED_POLL_MS 50 /* while two transports are in use, which are waited for in turn */

#define HEADERS_MAX 3 /* besides those of impersonation */

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

/* Asked for before it is needed. over: answer or fault is there; dropped: nobody waits any more. */
struct kube_ahead {
	struct pending *pending; /* NULL when over */
	bool over, dropped;
	struct strbuf body;
	int64_t retry_after_ms;
	struct error fault;
};

/* A transport with a client certificate that is no longer the one; it stays until the last of its requests is over. */
struct retired {
	struct http_client *http;
	struct retired *next;
};

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
	size_t requests;
};

/* ---- life ---- */

static int transport_new(struct http_client **out, const struct kube_config *config, const struct credential_view *view, struct error *err)
{
	struct http_tls tls = {
		.ca = config->ca,
		.cert = view->cert,
		.key = view->key,
		.server_name = config->server_name,
		.insecure = config->insecure,
		.proxy = config->proxy,
	};

	if (http_client_new(out, &tls, err) < 0)
		return error_wrap(err, "%s", config->source);
	return 0;
}

int kube_client_new(struct kube_client **out, const struct kube_config *config, struct error *err)
{
	struct kube_client *client = xcalloc(1, sizeof(*client));

	client->config = config;
	client->credentials = credentials_new(config);
	credentials_view(client->credentials, &client->view);
	client->headers = xcalloc(HEADERS_MAX + config->impersonate.count + 1, sizeof(*client->headers));
	if (transport_new(&client->http, config, &client->view, err) < 0) {
		kube_client_free(client);
		return -1;
	}
	if (config->insecure)
		log_warning("%s has insecure-skip-tls-verify: whoever is on the way to '%s' can read and change all, credentials included",
			config->source, config->server);
	*out = client;
	return 0;
}

static void headers_wipe(struct kube_client *client)
{
	for (size_t i = 0; i < client->header_count; i++)
		secret_free(&client->headers[i]);
	client->header_count = 0;
}

/* The request of an answer asked for ahead is gone: who waits for it is told, what nobody waits for is freed. */
static void ahead_lost(struct kube_ahead *ahead)
{
	if (!ahead)
		return;
	ahead->pending = NULL;
	ahead->over = true;
	if (ahead->dropped)
		free(ahead);
	else
		error_set(&ahead->fault, ERR_UNAVAILABLE, "the request was given up");
}

static void pending_free(struct pending *pending)
{
	*pending->link = pending->next;
	if (pending->next)
		pending->next->link = pending->link;
	free(pending);
}

static struct pending *pending_new(struct kube_client *client)
{
	struct pending *pending = xcalloc(1, sizeof(*pending));

	*pending = (struct pending){
		.client = client, .next = client->pending, .link = &client->pending, .generation = client->view.generation};
	if (pending->next)
		pending->next->link = &pending->next;
	client->pending = pending;
	return pending;
}

/* ---- transports ---- */

/* Forget the retired transports that nothing runs on any more. */
static void retired_reap(struct kube_client *client)
{
	struct retired **link = &client->retired;

	while (client->depth == 0 && *link) {
		struct retired *retired = *link;

		if (http_in_flight(retired->http) > 0) {
			link = &retired->next;
			continue;
		}
		*link = retired->next;
		http_client_free(retired->http);
		free(retired);
	}
}

/* A client certificate belongs to a connection: another one needs another transport. */
static int transport_renew(struct kube_client *client, struct error *err)
{
	struct http_client *fresh = NULL;
	struct retired *retired = NULL;

	if (client->view.certificate == client->certificate)
		return 0;
	if (transport_new(&fresh, client->config, &client->view, err) < 0)
		return -1;
	retired = xcalloc(1, sizeof(*retired));
	*retired = (struct retired){.http = client->http, .next = client->retired};
	client->retired = retired;
	client->http = fresh;
	client->certificate = client->view.certificate;
	return 0;
}

void kube_cancel_all(struct kube_client *client)
{
	http_cancel_all(client->http);
	for (struct retired *retired = client->retired; retired; retired = retired->next)
		http_cancel_all(retired->http);
	while (client->pending) {
		ahead_lost(client->pending->ahead);
		pending_free(client->pending);
	}
}

void kube_client_free(struct kube_client *client)
{
	if (!client)
		return;
	if (client->http)
		kube_cancel_all(client);
	retired_reap(client);
	http_client_free(client->http);
	headers_wipe(client);
	free(client->headers);
	credentials_free(client->credentials);
	free(client);
}

size_t kube_request_count(const struct kube_client *client)
{
	return client->requests;
}

const char *kube_server(const struct kube_client *client)
{
	return client->config->server;
}

const char *kube_source(const struct kube_client *client)
{
	return client->config->source;
}

struct http_client *kube_http(struct kube_client *client)
{
	return client->http;
}

int kube_drive(struct kube_client *client, int64_t timeout_ms, struct error *err)
{
	int rc = 0;

	client->depth++;
	for (struct retired *retired = client->retired; retired && rc == 0; retired = retired->next) {
		if (http_in_flight(retired->http) > 0 && timeout_ms > RETIRED_POLL_MS)
			timeout_ms = RETIRED_POLL_MS;
		rc = http_drive(retired->http, 0, err);
	}
	if (rc == 0)
		rc = http_drive(client->http, timeout_ms, err);
	client->depth--;
	retired_reap(client);
	return rc;
}

size_t kube_in_flight(const struct kube_client *client)
{
	size_t count = http_in_flight(client->http);

	for (const struct retired *retired = client->retired; retired; retired = retired->next)
		count += http_in_flight(retired->http);
	return count;
}

/* ---- credentials and headers ---- */

static void add_header(struct kube_client *client, char *line)
{
	client->headers[client->header_count++] = line;
}

int kube_headers(struct kube_client *client, const char *accept, const char *content_type, const char *const **out, struct error *err)
{
	const struct strlist *impersonate = &client->config->impersonate;

	headers_wipe(client);
	if (credentials_refresh(client->credentials, err) < 0)
		return client->config->exec ? -1 : error_wrap(err, "%s", kube_source(client)); /* a plugin is named with its file */
	credentials_view(client->credentials, &client->view);
	if (transport_renew(client, err) < 0)
		return -1;
	add_header(client, xasprintf("Accept: %s", accept ? accept : "application/json"));
	if (content_type)
		add_header(client, xasprintf("Content-Type: %s", content_type));
	if (client->view.token)
		add_header(client, xasprintf("Authorization: Bearer %s", client->view.token));
	for (size_t i = 0; i < impersonate->count; i++)
		add_header(client, xstrdup(impersonate->items[i]));
	*out = (const char *const *)client->headers;
	return 0;
}

/* ---- what an answer means ---- */

static enum error_code conflict_code(const char *reason)
{
	return reason && strcmp(reason, "AlreadyExists") == 0 ? ERR_EXISTS : ERR_CONFLICT;
}

/* The server says 500 for an object that still has its resourceVersion, though it will never take it. */
static bool is_permanent(const char *message)
{
	return message && strstr(message, "resourceVersion should not be set on objects to be created");
}

static enum error_code status_code(long status, const char *reason, const char *message)
{
	switch (status) {
	case 401:
	case 403:
		return ERR_FORBIDDEN;
	case 404:
		return ERR_NOT_FOUND;
	case 408:
	case 429:
		return ERR_UNAVAILABLE;
	case 409:
		return conflict_code(reason);
	case 410:
		return ERR_GONE;
	default:
		return status >= 500 && !is_permanent(message) ? ERR_UNAVAILABLE : ERR_REJECTED;
	}
}

static void status_hint(const struct kube_client *client, long status, struct error *err)
{
	if (status == 401)
		error_hint(err, "the server does not accept the credentials of %s", kube_source(client));
	else if (status == 403)
		error_hint(err, "grant this to the user of %s", kube_source(client));
	else if (status >= 300 && status < 400)
		error_hint(err, "redirects are never followed: put the final URL of the API server into the kubeconfig");
}

/* What a proxy or a server without Status said; a page of HTML says nothing to a person. */
static void plain_message(struct strbuf *out, long status, const char *body, size_t len)
{
	strbuf_addf(out, "the server answered with HTTP status %ld", status);
	while (len > 0 && strchr(" \t\r\n", body[len - 1]))
		len--;
	if (len == 0 || *body == '<')
		return;
	strbuf_adds(out, ": ");
	text_escape(out, body, len, MESSAGE_MAX);
}

/*
 * Whether the server has spoken. A 401 says all in its status, and its body is often lost: a server that refuses a request before it has read the
 * request's body resets the HTTP/2 stream (RFC 9113 8.1), and libcurl before 8.1 then drops what it had received.
 */
static bool is_answer(const struct http_response *response, const struct error *fault)
{
	return !fault || response->status == 401;
}

/* Always -1. */
static int status_error(const struct kube_client *client, long status, const char *body, size_t len, struct error *err)
{
	struct error ignored = ERROR_INIT;
	auto_json json_t *doc = len > 0 && *body == '{' ? json_read(body, len, &ignored) : NULL;
	const char *message = json_text_at(doc, "message", NULL);
	auto_strbuf struct strbuf text = STRBUF_INIT;

	if (message && *message)
		text_escape(&text, message, strlen(message), MESSAGE_MAX);
	else
		plain_message(&text, status, body, len);
	error_set(err, status_code(status, json_text_at(doc, "reason", NULL), message), "%s", text.buf);
	status_hint(client, status, err);
	return -1;
}

/*
 * *out (may be NULL) is the answer's JSON. -1 with *malformed when the answer should have been JSON and may be so the next time. A body
 * that starts as no JSON document does is a proxy's page.
 */
static int answer_parse(const char *body, size_t len, json_t **out, bool *malformed, struct error *err)
{
	if (!out)
		return 0;
	if (len > 0 && *body != '{' && *body != '[') {
		error_set(err, ERR_REJECTED, "the answer is not JSON");
		return error_hint(err, "check that the server of the kubeconfig is an API server and not a login page");
	}
	*out = json_read(body, len, err);
	if (*out)
		return 0;
	*malformed = true;
	err->code = ERR_UNAVAILABLE;
	return error_wrap(err, "the answer is not complete JSON");
}

/* ---- single requests ---- */

/* A request on its way through its tries. */
struct call {
	const struct kube_request *request;
	kube_take_fn take; /* NULL: the answer is parsed */
	void *take_arg;
	char *url;
	struct strbuf body;
	int64_t until; /* monotonic */
	unsigned tries;
	unsigned malformed_tries;
	bool renewed; /* the credentials, after a 401 */

	/* Of the last try. */
	bool malformed;
	unsigned generation; /* of the credentials */
	long status;
	int64_t retry_after_ms;
};

static void call_release(struct call *call)
{
	free(call->url);
	strbuf_release(&call->body);
}

#define auto_call __attribute__((cleanup(call_release)))

static void call_init(struct call *call, const struct kube_client *client, const struct kube_request *request)
{
	call->request = request;
	call->url = xasprintf("%s%s", kube_server(client), request->path);
	if (request->body)
		json_write(request->body, &call->body);
	call->until = clock_monotonic_ms() + (request->deadline_ms > 0 ? request->deadline_ms : DEADLINE_MS);
}

static int64_t call_remaining(const struct call *call)
{
	int64_t left = call->until - clock_monotonic_ms();

	return left > 0 ? left : 0;
}

/* Everything that http needs; valid until the next call of kube_headers. */
static int call_prepare(struct kube_client *client, struct call *call, struct http_request *out, struct error *err)
{
	const struct kube_request *request = call->request;
	int64_t left = call_remaining(call);
	const char *content_type = request->content_type;

	*out = (struct http_request){.method = request->method, .url = call->url, .timeout_ms = left > 0 ? left : 1};
	if (request->body) {
		out->body = call->body.buf;
		out->body_len = call->body.len;
		content_type = content_type ? content_type : "application/json";
	}
	if (kube_headers(client, request->accept, content_type, &out->headers, err) < 0)
		return -1;
	call->generation = client->view.generation;
	client->requests++;
	return 0;
}

/* An answer that is no complete JSON for its taker is asked for again, as for answer_parse. */
static int answer_take(struct call *call, struct strbuf *body, struct error *err)
{
	if (body->len > 0 && *body->buf != '{' && *body->buf != '[')
		return answer_parse(body->buf, body->len, &(json_t *){NULL}, &call->malformed, err);
	if (call->take(body, call->take_arg, err) == 0)
		return 0;
	if (err->code != ERR_SYNTAX)
		return -1;
	call->malformed = true;
	err->code = ERR_UNAVAILABLE;
	return error_wrap(err, "the answer is not complete JSON");
}

static int call_answer(struct kube_client *client, struct call *call, struct http_response *response, json_t **out, struct error *err)
{
	if (response->status < 200 || response->status >= 300)
		return status_error(client, response->status, response->body.buf, response->body.len, err);
	if (call->take)
		return answer_take(call, &response->body, err);
	return answer_parse(response->body.buf, response->body.len, out, &call->malformed, err);
}

static int call_try(struct kube_client *client, struct call *call, json_t **out, struct error *err)
{
	struct http_response response = HTTP_RESPONSE_INIT;
	struct http_request request = {0};
	int result = 0;

	call->malformed = false;
	call->status = 0;
	call->retry_after_ms = -1;
	if (call_prepare(client, call, &request, err) < 0)
		return -1;
	call->tries++;
	client->depth++;
	result = http_perform(client->http, &request, &response, err);
	client->depth--;
	retired_reap(client);
	/* Also of an answer that was cut off: the request has been carried out then. */
	call->status = response.status;
	call->retry_after_ms = response.retry_after_ms;
	if (is_answer(&response, result < 0 ? err : NULL))
		result = call_answer(client, call, &response, out, err);
	call->malformed_tries += call->malformed;
	http_response_release(&response);
	return result;
}

static int64_t backoff_ms(unsigned tries)
{
	int64_t most = BACKOFF_FIRST_MS;
	uint32_t random = 0;

	for (unsigned i = 1; i < tries && most < BACKOFF_MAX_MS; i++)
		most *= 2;
	if (most > BACKOFF_MAX_MS)
		most = BACKOFF_MAX_MS;
	/* Half of it is left to chance, so that many clients that failed together do not come back together. */
	env_random(&random, sizeof(random));
	return most / 2 + (int64_t)(random % (uint32_t)(most / 2 + 1));
}

/* Whether to try again may do good, and no harm. */
static bool call_may_retry(const struct call *call, const struct error *err)
{
	bool is_get = strcmp(call->request->method, "GET") == 0;

	if (err->code != ERR_UNAVAILABLE || call->malformed_tries >= MALFORMED_MAX)
		return false;
	return is_get || call->request->changes_nothing || call->status == 0 || call->status == 429;
}

/* After a 401 the next request gets fresh credentials. */
static void note_status(struct kube_client *client, unsigned generation, long status)
{
	if (status == 401)
		credentials_refused(client->credentials, generation);
}

/* The wait before the next try in ms; -1: give up with the error as it is. */
static int64_t call_wait(struct kube_client *client, struct call *call, const struct error *err)
{
	int64_t wait = -1;

	note_status(client, call->generation, call->status);
	if (call->status == 401 && credentials_renewable(client->credentials) && !call->renewed) {
		call->renewed = true;
		return 0;
	}
	if (!call_may_retry(call, err))
		return -1;
	wait = call->retry_after_ms >= 0 ? call->retry_after_ms : backoff_ms(call->tries);
	return wait < call_remaining(call) ? wait : -1;
}

static int call_run(struct kube_client *client, struct call *call, json_t **out, struct error *err)
{
	const struct kube_request *request = call->request;

	while (call_try(client, call, out, err) < 0) {
		int64_t wait = call_wait(client, call, err);

		if (wait < 0)
			return call->tries > 1 ? error_wrap(err, "after %u tries", call->tries) : -1;
		log_debug("%s %s: %s; trying again in %lld ms", request->method, request->path, err->text, (long long)wait);
		clock_sleep_ms(wait);
	}
	error_clear(err);
	return 0;
}

int kube_call(struct kube_client *client, const struct kube_request *request, json_t **out, struct error *err)
{
	auto_call struct call call = {.body = STRBUF_INIT};

	call_init(&call, client, request);
	return call_run(client, &call, out, err);
}

int kube_call_raw(struct kube_client *client, const struct kube_request *request, kube_take_fn take, void *arg, struct error *err)
{
	auto_call struct call call = {.take = take, .take_arg = arg, .body = STRBUF_INIT};

	call_init(&call, client, request);
	return call_run(client, &call, NULL, err);
}

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
	if (!is_answer(response, error))
		err = *error;
	else if (response->status < 200 || response->status >= 300)
		status_error(client, response->status, response->body.buf, response->body.len, &err);
	else if (answer_parse(response->body.buf, response->body.len, &body, &malformed, &err) == 0)
		error_clear(&err);
	note_status(client, generation, response->status);
	done(body, err.code == ERR_NONE ? NULL : &err, response->retry_after_ms, done_arg);
}

int kube_send(struct kube_client *client, const struct kube_request *request, kube_done_fn done, void *arg, struct error *err)
{
	auto_call struct call call = {.body = STRBUF_INIT};
	struct http_request http = {0};
	struct pending *pending = NULL;

	call_init(&call, client, request);
	if (call_prepare(client, &call, &http, err) < 0)
		return -1;
	pending = pending_new(client);
	pending->done = done;
	pending->arg = arg;
	if (http_submit(client->http, &http, send_done, pending, err) == 0)
		return 0;
	pending_free(pending);
	return -1;
}

/* ---- ahead ---- */

static void ahead_free(struct kube_ahead *ahead)
{
	strbuf_release(&ahead->body);
	free(ahead);
}

static void ahead_done(struct http_response *response, const struct error *error, void *arg)
{
	struct pending *pending = arg;
	struct kube_client *client = pending->client;
	struct kube_ahead *ahead = pending->arg;
	unsigned generation = pending->generation;

	pending_free(pending);
	note_status(client, generation, response->status);
	ahead->pending = NULL;
	ahead->over = true;
	ahead->retry_after_ms = response->retry_after_ms;
	if (!is_answer(response, error))
		ahead->fault = *error;
	else if (response->status < 200 || response->status >= 300)
		status_error(client, response->status, response->body.buf, response->body.len, &ahead->fault);
	else {
		ahead->body = response->body;
		response->body = (struct strbuf)STRBUF_INIT;
	}
	if (ahead->dropped)
		ahead_free(ahead);
}

struct kube_ahead *kube_ask_ahead(struct kube_client *client, const struct kube_request *request)
{
	auto_call struct call call = {.body = STRBUF_INIT};
	struct http_request http = {0};
	struct error ignored = ERROR_INIT;
	struct kube_ahead *ahead;

	call_init(&call, client, request);
	if (call_prepare(client, &call, &http, &ignored) < 0)
		return NULL;
	ahead = xcalloc(1, sizeof(*ahead));
	ahead->body = (struct strbuf)STRBUF_INIT;
	ahead->pending = pending_new(client);
	ahead->pending->arg = ahead;
	ahead->pending->ahead = ahead;
	if (http_submit(client->http, &http, ahead_done, ahead->pending, &ignored) == 0)
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

/* ---- streams ---- */

static void stream_done(struct http_response *response, const struct error *error, void *arg)
{
	struct pending *pending = arg;
	struct kube_client *client = pending->client;
	struct kube_stream stream = pending->stream;
	unsigned generation = pending->generation;
	struct error err = ERROR_INIT;

	if (response->status >= 300)
		status_error(client, response->status, response->body.buf, response->body.len, &err);
	else if (error && response->status < 200)
		err = *error; /* one that opened and then broke has ended like any other */
	pending_free(pending);
	note_status(client, generation, response->status);
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
