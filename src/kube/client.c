/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/client.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "kube/kubeconfig.h"
#include "util/clock.h"
#include "util/env.h"
#include "util/error.h"
#include "util/file.h"
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
#define TOKEN_MAX ((size_t)64 << 10)

#define HEADERS_MAX 3

/* A token from a file, and which state of the file it is. */
struct token {
	char *text;
	struct stat file;
	bool refused; /* read again even when the file looks unchanged */
};

/* A request in flight. The client keeps them in a list, since http_cancel_all calls nobody back. */
struct pending {
	struct kube_client *client;
	struct pending *next, **link;
	kube_done_fn done;
	void *arg;
	struct kube_stream stream;
};

struct kube_client {
	const struct kube_config *config;
	struct http_client *http;
	struct token token;
	char *headers[HEADERS_MAX + 1];
	struct pending *pending;
	size_t requests;
};

static void wipe_free(char **text)
{
	if (*text)
		explicit_bzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

/* ---- life ---- */

int kube_client_new(struct kube_client **out, const struct kube_config *config, struct error *err)
{
	struct http_tls tls = {
		.ca = config->ca,
		.cert = config->cert,
		.key = config->key,
		.server_name = config->server_name,
		.insecure = config->insecure,
	};
	struct kube_client *client = xcalloc(1, sizeof(*client));

	client->config = config;
	if (http_client_new(&client->http, &tls, err) < 0) {
		free(client);
		return error_wrap(err, "%s", config->source);
	}
	*out = client;
	return 0;
}

static void headers_wipe(struct kube_client *client)
{
	for (size_t i = 0; i < HEADERS_MAX; i++)
		wipe_free(&client->headers[i]);
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

	*pending = (struct pending){.client = client, .next = client->pending, .link = &client->pending};
	if (pending->next)
		pending->next->link = &pending->next;
	client->pending = pending;
	return pending;
}

void kube_cancel_all(struct kube_client *client)
{
	http_cancel_all(client->http);
	while (client->pending)
		pending_free(client->pending);
}

void kube_client_free(struct kube_client *client)
{
	if (!client)
		return;
	kube_cancel_all(client);
	http_client_free(client->http);
	headers_wipe(client);
	wipe_free(&client->token.text);
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
	return http_drive(client->http, timeout_ms, err);
}

size_t kube_in_flight(const struct kube_client *client)
{
	return http_in_flight(client->http);
}

/* ---- token and headers ---- */

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
		a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* The text without blanks at its ends; the caller frees. NULL when it could not be a header value. */
static char *token_trim(const char *text, size_t len)
{
	while (len > 0 && strchr(" \t\r\n", text[len - 1]))
		len--;
	while (len > 0 && strchr(" \t\r\n", *text)) {
		text++;
		len--;
	}
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] <= ' ' || (unsigned char)text[i] >= 0x7f)
			return NULL;
	return len > 0 ? xstrndup(text, len) : NULL;
}

static int token_read(struct token *token, const char *path, struct error *err)
{
	struct strbuf text = STRBUF_INIT;
	char *fresh = NULL;
	int result = 0;

	/* Room enough that the buffer never moves: what is left behind by a move could not be wiped. */
	(void)strbuf_reserve(&text, 4 * TOKEN_MAX);
	result = file_read(path, TOKEN_MAX, &text, err);
	if (result == 0) {
		fresh = token_trim(text.buf, text.len);
		if (!fresh)
			result = error_set(err, ERR_USAGE, "token file '%s' is empty or holds more than a token", path);
	}
	if (text.cap > 0)
		explicit_bzero(text.buf, text.cap);
	strbuf_release(&text);
	if (result < 0)
		return -1;
	wipe_free(&token->text);
	token->text = fresh;
	return 0;
}

/* Read the token file when it changed since the last time (kubelet replaces it about once an hour) or the server refused what was in it. */
static int token_refresh(struct token *token, const char *path, struct error *err)
{
	struct stat now = {0};

	if (stat(path, &now) < 0) {
		error_errno(err, errno, "token file '%s'", path);
	} else {
		if (token->text && !token->refused && same_file(&now, &token->file))
			return 0;
		if (token_read(token, path, err) == 0) {
			token->file = now;
			token->refused = false;
			return 0;
		}
	}
	/* A token file that is being replaced may be away for a moment: the old token is still good, or the server will say so. */
	if (!token->text)
		return -1;
	log_debug("%s; going on with the token read before", err->text);
	error_clear(err);
	return 0;
}

static int bearer(struct kube_client *client, const char **out, struct error *err)
{
	const struct kube_config *config = client->config;

	*out = config->token;
	if (!config->token_file)
		return 0;
	if (token_refresh(&client->token, config->token_file, err) < 0)
		return -1;
	*out = client->token.text;
	return 0;
}

int kube_headers(struct kube_client *client, const char *accept, const char *content_type, const char *const **out, struct error *err)
{
	const char *token = NULL;
	size_t count = 0;

	headers_wipe(client);
	if (bearer(client, &token, err) < 0)
		return error_wrap(err, "%s", kube_source(client));
	client->headers[count++] = xasprintf("Accept: %s", accept ? accept : "application/json");
	if (content_type)
		client->headers[count++] = xasprintf("Content-Type: %s", content_type);
	if (token)
		client->headers[count++] = xasprintf("Authorization: Bearer %s", token);
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
	char *url;
	struct strbuf body;
	int64_t until; /* monotonic */
	unsigned tries;
	unsigned malformed_tries;
	bool token_reread;

	/* Of the last try. */
	bool malformed;
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
static int call_prepare(struct kube_client *client, const struct call *call, struct http_request *out, struct error *err)
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
	client->requests++;
	return 0;
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
	result = http_perform(client->http, &request, &response, err);
	/* Also of an answer that was cut off: the request has been carried out then. */
	call->status = response.status;
	call->retry_after_ms = response.retry_after_ms;
	if (result == 0) {
		if (response.status >= 200 && response.status < 300)
			result = answer_parse(response.body.buf, response.body.len, out, &call->malformed, err);
		else
			result = status_error(client, response.status, response.body.buf, response.body.len, err);
	}
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
	return is_get || call->status == 0 || call->status == 429;
}

/* The wait before the next try in ms; -1: give up with the error as it is. */
static int64_t call_wait(struct kube_client *client, struct call *call, const struct error *err)
{
	int64_t wait = -1;

	if (call->status == 401 && client->config->token_file && !call->token_reread) {
		call->token_reread = true;
		client->token.refused = true;
		return 0;
	}
	if (!call_may_retry(call, err))
		return -1;
	wait = call->retry_after_ms >= 0 ? call->retry_after_ms : backoff_ms(call->tries);
	return wait < call_remaining(call) ? wait : -1;
}

int kube_call(struct kube_client *client, const struct kube_request *request, json_t **out, struct error *err)
{
	auto_call struct call call = {.body = STRBUF_INIT};

	call_init(&call, client, request);
	while (call_try(client, &call, out, err) < 0) {
		int64_t wait = call_wait(client, &call, err);

		if (wait < 0)
			return call.tries > 1 ? error_wrap(err, "after %u tries", call.tries) : -1;
		log_debug("%s %s: %s; trying again in %lld ms", request->method, request->path, err->text, (long long)wait);
		clock_sleep_ms(wait);
	}
	error_clear(err);
	return 0;
}

/* ---- many in flight ---- */

/* After a 401 the next request reads the token file again. */
static void note_status(struct kube_client *client, long status)
{
	if (status == 401)
		client->token.refused = true;
}

static void send_done(struct http_response *response, const struct error *error, void *arg)
{
	struct pending *pending = arg;
	struct kube_client *client = pending->client;
	kube_done_fn done = pending->done;
	void *done_arg = pending->arg;
	auto_json json_t *body = NULL;
	struct error err = ERROR_INIT;
	bool malformed = false;

	/* Gone before the callback: that may submit or cancel as it likes. */
	pending_free(pending);
	if (error)
		err = *error;
	else if (response->status < 200 || response->status >= 300)
		status_error(client, response->status, response->body.buf, response->body.len, &err);
	else if (answer_parse(response->body.buf, response->body.len, &body, &malformed, &err) == 0)
		error_clear(&err);
	note_status(client, response->status);
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

/* ---- streams ---- */

static void stream_done(struct http_response *response, const struct error *error, void *arg)
{
	struct pending *pending = arg;
	struct kube_client *client = pending->client;
	struct kube_stream stream = pending->stream;
	struct error err = ERROR_INIT;

	if (response->status >= 300)
		status_error(client, response->status, response->body.buf, response->body.len, &err);
	else if (error && response->status < 200)
		err = *error; /* one that opened and then broke has ended like any other */
	pending_free(pending);
	note_status(client, response->status);
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
