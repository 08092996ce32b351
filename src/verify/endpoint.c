/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/endpoint.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "util/clock.h"
#include "util/error.h"
#include "util/http.h"
#include "util/interrupt.h"
#include "util/json.h"
#include "util/log.h"
#include "util/mem.h"

#define TIMEOUT_MS (60 * 1000)
#define DRIVE_MS 1000 /* a signal just before the wait begins does not end it */
#define BODY_MAX (1024 * 1024)
/* Each asks another server; what they share is the gateway, which is made for more. */
#define PARALLEL_MAX 32
#define AGAIN_MIN_MS 500
#define AGAIN_MAX_MS 5000
/* Enough for a word, also of a model that begins with something that shows as nothing. */
#define TOKENS 16

struct ask {
	struct http_client *client;
	const struct endpoint_manner *manner;
	char *authorization; /* header; NULL: none */
	int64_t until;       /* nothing is asked again after this */
	size_t active;
};

static char *request_none(const struct endpoint *endpoint);
static char *request_completion(const struct endpoint *endpoint);
static char *request_chat(const struct endpoint *endpoint);
static int check_none(struct endpoint *endpoint, const struct http_response *response, struct error *err);
static int check_models(struct endpoint *endpoint, const struct http_response *response, struct error *err);
static int check_completion(struct endpoint *endpoint, const struct http_response *response, struct error *err);

static const struct step {
	const char *method, *path;
	char *(*body)(const struct endpoint *endpoint);
	int (*check)(struct endpoint *endpoint, const struct http_response *response, struct error *err);
	bool either; /* it may be unknown to the server, where another such is not */
} steps[] = {
	{"GET", "/health", request_none, check_none, false},
	{"GET", "/v1/models", request_none, check_models, false},
	{"POST", "/v1/completions", request_completion, check_completion, true},
	{"POST", "/v1/chat/completions", request_chat, check_completion, true},
};
#define STEP_COUNT (sizeof(steps) / sizeof(*steps))
#define STEP_STREAM STEP_COUNT /* behind them: one of the completions that were answered, as a stream */

void endpoint_release(struct endpoint *endpoint)
{
	free(endpoint->url);
	free(endpoint->connect);
	free(endpoint->model);
	judgement_release(&endpoint->judgement);
	*endpoint = (struct endpoint)ENDPOINT_INIT;
}

const char *endpoint_url_fault(const char *url)
{
	const char *host = strstr(url, "://");

	if (strncasecmp(url, "http://", 7) != 0 && strncasecmp(url, "https://", 8) != 0)
		return "not an http or https URL";
	host += 3;
	if (memchr(host, '@', strcspn(host, "/?#")))
		return "a user in the URL: credentials are never sent";
	if (strcspn(host, "/") == 0)
		return "no host in the URL";
	if (strpbrk(host, "?#"))
		return "a query in the URL";
	return NULL;
}

char *endpoint_url_host(const char *url)
{
	const char *host = url ? strstr(url, "://") : NULL;

	if (!host)
		return NULL;
	host += 3;
	return *host == '[' ? xstrndup(host + 1, strcspn(host + 1, "]")) : xstrndup(host, strcspn(host, ":/?#"));
}

/* ---- what is sent and what must come back ---- */

static char *request_none(const struct endpoint *endpoint)
{
	(void)endpoint;
	return NULL;
}

/* more is taken. */
static char *request_text(const struct endpoint *endpoint, json_t *more)
{
	auto_json json_t *body = more;
	struct strbuf text = STRBUF_INIT;

	json_object_set_new(body, "model", json_string(endpoint->model));
	json_object_set_new(body, "max_tokens", json_integer(TOKENS));
	if (endpoint->step == STEP_STREAM)
		json_object_set_new(body, "stream", json_true());
	json_write(body, &text);
	return strbuf_detach(&text, NULL);
}

static char *request_completion(const struct endpoint *endpoint)
{
	return request_text(endpoint, json_pack("{s:s}", "prompt", "ping"));
}

static char *request_chat(const struct endpoint *endpoint)
{
	return request_text(endpoint, json_pack("{s:[{s:s, s:s}]}", "messages", "role", "user", "content", "ping"));
}

static int check_none(struct endpoint *endpoint, const struct http_response *response, struct error *err)
{
	(void)endpoint;
	(void)response;
	(void)err;
	return 0;
}

char *endpoint_model(const char *body, size_t len, struct error *err)
{
	auto_json json_t *answer = json_read(body, len, err);
	const char *id;

	if (!answer)
		return NULL;
	id = json_text_at(json_array_get(json_object_get(answer, "data"), 0), "id", NULL);
	if (!id || !*id) {
		error_set(err, ERR_VERIFY, "no model in the answer");
		return NULL;
	}
	return xstrdup(id);
}

/* A model that thinks aloud, or calls a tool, has said something as well. */
static bool has_words(const json_t *choice)
{
	static const char *const fields[] = {"content", "reasoning_content", "reasoning"};
	const json_t *message = json_object_get(choice, "message");

	if (json_string_length(json_object_get(choice, "text")) > 0 || json_array_size(json_object_get(message, "tool_calls")) > 0)
		return true;
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		if (json_string_length(json_object_get(message, fields[i])) > 0)
			return true;
	return false;
}

int endpoint_completed(const char *body, size_t len, struct error *err)
{
	auto_json json_t *answer = json_read(body, len, err);
	const json_t *choices = json_object_get(answer, "choices");

	if (!answer)
		return -1;
	if (json_array_size(choices) == 0)
		return error_set(err, ERR_VERIFY, "no choices in the answer");
	if (!has_words(json_array_get(choices, 0)))
		return error_set(err, ERR_VERIFY, "an empty completion");
	return 0;
}

static int check_models(struct endpoint *endpoint, const struct http_response *response, struct error *err)
{
	free(endpoint->model);
	endpoint->model = endpoint_model(response->body.buf, response->body.len, err);
	return endpoint->model ? 0 : -1;
}

static int check_completion(struct endpoint *endpoint, const struct http_response *response, struct error *err)
{
	if (endpoint_completed(response->body.buf, response->body.len, err) < 0)
		return -1;
	endpoint->answers |= (size_t)1 << endpoint->step;
	return 0;
}

/* ---- the run ---- */

/* A stream asks for the first of the completions that the model has answered. */
static const struct step *step_of(const struct endpoint *endpoint)
{
	size_t step = endpoint->step;

	for (size_t i = 0; step == STEP_STREAM && i < STEP_COUNT; i++)
		if (endpoint->answers & (size_t)1 << i)
			return &steps[i];
	return &steps[step < STEP_COUNT ? step : 0];
}

static void finish(struct endpoint *endpoint)
{
	endpoint->milliseconds = clock_monotonic_ms() - endpoint->started;
	endpoint->ask->active--;
}

static void give_up(struct endpoint *endpoint, const char *text)
{
	auto_free char *safe = judge_safe(text);
	const struct step *step = step_of(endpoint);

	judge_say(&endpoint->judgement, VERDICT_FAIL, "%s %s: %s", step->method, step->path, safe);
	if (endpoint->tries > 1)
		judge_note(&endpoint->judgement, "asked %zu times within %lld ms", endpoint->tries,
			(long long)(clock_monotonic_ms() - endpoint->started));
	judge_reason(&endpoint->judgement, "no answer as of a serving model");
	finish(endpoint);
}

static void pass(struct endpoint *endpoint)
{
	auto_free char *model = judge_safe(endpoint->model);

	judge_say(&endpoint->judgement, VERDICT_PASS, "model '%s' answers", model);
	if (endpoint->first_token_ms >= 0)
		judge_say(&endpoint->judgement, VERDICT_PASS, "first token after %lld ms", (long long)endpoint->first_token_ms);
	finish(endpoint);
}

static void note_answer(struct endpoint *endpoint, const struct http_response *response)
{
	const struct step *step = step_of(endpoint);
	auto_free char *url = judge_safe(endpoint->url);

	judge_note(&endpoint->judgement, "%s %s%s%s: %ld, first byte after %lld ms, whole after %lld ms", step->method, url, step->path,
		endpoint->step == STEP_STREAM ? " as a stream" : "", response->status, (long long)response->first_byte_ms,
		(long long)response->total_ms);
}

static int check_answer(struct endpoint *endpoint, const struct http_response *response, struct error *err)
{
	if (response->status != 200)
		return error_set(err, ERR_VERIFY, "status %ld", response->status);
	return step_of(endpoint)->check(endpoint, response, err);
}

/* A base model has no template for chats: vLLM knows the path and refuses every request. */
static bool is_unknown(const struct http_response *response)
{
	static const long statuses[] = {404, 405, 501};

	for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++)
		if (response->status == statuses[i])
			return true;
	return response->status == 400 && strcasestr(response->body.buf, "chat template");
}

static bool is_not_yet(const struct http_response *response)
{
	static const long statuses[] = {429, 502, 503, 504};

	for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++)
		if (response->status == statuses[i])
			return true;
	return false;
}

/* Whether there is time to ask the same once more; then that is set. */
static bool ask_again(struct endpoint *endpoint, int64_t retry_after_ms, const char *text)
{
	int64_t now = clock_monotonic_ms(), wait = AGAIN_MIN_MS << (endpoint->tries < 5 ? endpoint->tries - 1 : 4);

	if (wait > AGAIN_MAX_MS)
		wait = AGAIN_MAX_MS;
	if (retry_after_ms > wait)
		wait = retry_after_ms;
	if (endpoint->hasty || now + wait > endpoint->ask->until)
		return false;
	if (endpoint->tries == 1)
		log_info("waiting for %s%s: %s", endpoint->url, step_of(endpoint)->path, text);
	endpoint->again = now + wait;
	return true;
}

static void send_step(struct endpoint *endpoint);

static void next_step(struct endpoint *endpoint)
{
	endpoint->tries = 0;
	endpoint->step++;
	if (endpoint->step < STEP_STREAM || (endpoint->step == STEP_STREAM && endpoint->answers))
		send_step(endpoint);
	else if (endpoint->answers)
		pass(endpoint);
	else
		give_up(endpoint, "neither kind of completion is served");
}

/* What went wrong with the stream says nothing about serving: it costs the time to the first token. */
static void stream_ended(struct endpoint *endpoint, const struct http_response *response, const struct error *error)
{
	auto_free char *safe = judge_safe(error ? error->text : NULL);

	if (error)
		judge_note(&endpoint->judgement, "no time to the first token: %s", safe);
	else
		note_answer(endpoint, response);
	if (error || response->status != 200)
		endpoint->first_token_ms = -1;
	pass(endpoint);
}

static void answered(struct http_response *response, const struct error *error, void *arg)
{
	struct endpoint *endpoint = arg;
	struct error err = ERROR_INIT;
	auto_free char *status = xasprintf("status %ld", response->status);

	if (endpoint->step == STEP_STREAM) {
		stream_ended(endpoint, response, error);
		return;
	}
	if (error) {
		if (error->code != ERR_UNAVAILABLE || !ask_again(endpoint, -1, error->text))
			give_up(endpoint, error->text);
		return;
	}
	if (is_not_yet(response) && ask_again(endpoint, response->retry_after_ms, status))
		return;
	note_answer(endpoint, response);
	if ((step_of(endpoint)->either && is_unknown(response)) || check_answer(endpoint, response, &err) == 0)
		next_step(endpoint);
	else
		give_up(endpoint, err.text);
}

static int stream_data(const char *data, size_t len, void *arg)
{
	struct endpoint *endpoint = arg;

	if (endpoint->first_token_ms < 0 && memmem(data, len, "data:", 5))
		endpoint->first_token_ms = clock_monotonic_ms() - endpoint->sent;
	return 0;
}

static void send_step(struct endpoint *endpoint)
{
	const struct ask *ask = endpoint->ask;
	const struct step *step = step_of(endpoint);
	bool stream = endpoint->step == STEP_STREAM;
	auto_free char *url = xasprintf("%s%s", endpoint->url, step->path);
	auto_free char *body = step->body(endpoint);
	const char *headers[] = {stream ? "Accept: text/event-stream" : "Accept: application/json", NULL, NULL, NULL};
	struct error err = ERROR_INIT;
	const struct http_request request = {.method = step->method,
		.url = url,
		.connect_to = endpoint->connect,
		.headers = headers,
		.body = body,
		.body_len = body ? strlen(body) : 0,
		.timeout_ms = ask->manner->timeout_ms > 0 ? ask->manner->timeout_ms : TIMEOUT_MS,
		.stall_ms = ask->manner->timeout_ms > 0 ? ask->manner->timeout_ms : TIMEOUT_MS,
		.on_data = stream ? stream_data : NULL,
		.on_data_arg = endpoint,
		.max_body = BODY_MAX};
	size_t count = 1;

	if (body)
		headers[count++] = "Content-Type: application/json";
	if (endpoint->trusted && ask->authorization)
		headers[count] = ask->authorization;
	endpoint->sent = clock_monotonic_ms();
	endpoint->again = 0;
	endpoint->tries++;
	if (http_submit(ask->client, &request, answered, endpoint, &err) < 0)
		give_up(endpoint, err.text);
}

static void start(struct endpoint *endpoint, struct ask *ask)
{
	const char *fault = endpoint_url_fault(endpoint->url);
	size_t len = strlen(endpoint->url);

	endpoint->ask = ask;
	endpoint->started = clock_monotonic_ms();
	ask->active++;
	while (len && endpoint->url[len - 1] == '/')
		endpoint->url[--len] = '\0';
	if (fault)
		give_up(endpoint, fault);
	else
		send_step(endpoint);
}

/* The transport itself failed: whoever is still waiting, or has not begun, will not be asked. */
static void abandon(struct endpoint *endpoints, size_t count, struct ask *ask, const struct error *err)
{
	auto_free char *text = judge_safe(err->text);

	if (ask->client)
		http_cancel_all(ask->client);
	for (size_t i = 0; i < count; i++) {
		if (!endpoints[i].url || endpoints[i].judgement.observed.len)
			continue;
		judge_say(&endpoints[i].judgement, VERDICT_NOT_TESTED, "not asked");
		judge_reason(&endpoints[i].judgement, "%s", text);
	}
}

/* Ask those once more whose time has come; how long until the next of them, at most DRIVE_MS. */
static int64_t wake(struct endpoint *endpoints, size_t count)
{
	int64_t wait = DRIVE_MS;

	for (size_t i = 0; i < count; i++) {
		int64_t left = endpoints[i].again - clock_monotonic_ms();

		if (!endpoints[i].again)
			continue;
		if (left <= 0)
			send_step(&endpoints[i]);
		else if (left < wait)
			wait = left;
	}
	return wait;
}

static int run(struct endpoint *endpoints, size_t count, struct ask *ask, struct error *err)
{
	size_t next = 0;

	while (next < count || ask->active) {
		int64_t wait;

		while (next < count && ask->active < PARALLEL_MAX) {
			if (endpoints[next].url)
				start(&endpoints[next], ask);
			next++;
		}
		if (interrupted())
			return error_set(err, ERR_INTERRUPTED, "stopped by a signal");
		wait = wake(endpoints, next);
		if (!ask->active)
			continue;
		if (!http_in_flight(ask->client))
			clock_sleep_ms(wait);
		else if (http_drive(ask->client, wait, err) < 0)
			return -1;
	}
	return 0;
}

static void wipe(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

void endpoint_ask_all(struct endpoint *endpoints, size_t count, const struct endpoint_manner *manner)
{
	struct ask ask = {.manner = manner, .until = clock_monotonic_ms() + manner->patience_ms};
	struct http_tls tls = {.ca = manner->ca};
	struct error err = ERROR_INIT;

	if (manner->token)
		ask.authorization = xasprintf("Authorization: Bearer %s", manner->token);
	if (http_client_new(&ask.client, &tls, &err) < 0 || run(endpoints, count, &ask, &err) < 0)
		abandon(endpoints, count, &ask, &err);
	http_client_free(ask.client);
	wipe(ask.authorization);
}
