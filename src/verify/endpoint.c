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
#include "util/mem.h"

#define TIMEOUT_MS (30 * 1000)
#define DRIVE_MS 1000 /* a signal just before the wait begins does not end it */
#define BODY_MAX (1024 * 1024)
/* Each asks another server; what they share is the gateway, which is made for more. */
#define PARALLEL_MAX 32

struct ask {
	struct http_client *client;
	int64_t timeout_ms;
	size_t active;
};

static char *request_none(const struct endpoint *endpoint);
static char *request_completion(const struct endpoint *endpoint);
static int check_none(struct endpoint *endpoint, const struct http_response *response, struct error *err);
static int check_models(struct endpoint *endpoint, const struct http_response *response, struct error *err);
static int check_completion(struct endpoint *endpoint, const struct http_response *response, struct error *err);

static const struct step {
	const char *method, *path;
	char *(*body)(const struct endpoint *endpoint);
	int (*check)(struct endpoint *endpoint, const struct http_response *response, struct error *err);
} steps[] = {
	{"GET", "/health", request_none, check_none},
	{"GET", "/v1/models", request_none, check_models},
	{"POST", "/v1/completions", request_completion, check_completion},
};
#define STEP_COUNT (sizeof(steps) / sizeof(*steps))

void endpoint_release(struct endpoint *endpoint)
{
	free(endpoint->url);
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

/* ---- what is sent and what must come back ---- */

static char *request_none(const struct endpoint *endpoint)
{
	(void)endpoint;
	return NULL;
}

static char *request_completion(const struct endpoint *endpoint)
{
	auto_json json_t *body = json_pack("{s:s, s:s, s:i}", "model", endpoint->model, "prompt", "ping", "max_tokens", 1);
	struct strbuf text = STRBUF_INIT;

	json_write(body, &text);
	return strbuf_detach(&text, NULL);
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

int endpoint_completed(const char *body, size_t len, struct error *err)
{
	auto_json json_t *answer = json_read(body, len, err);

	if (!answer)
		return -1;
	if (json_array_size(json_object_get(answer, "choices")) == 0)
		return error_set(err, ERR_VERIFY, "no choices in the answer");
	return 0;
}

static int check_models(struct endpoint *endpoint, const struct http_response *response, struct error *err)
{
	endpoint->model = endpoint_model(response->body.buf, response->body.len, err);
	return endpoint->model ? 0 : -1;
}

static int check_completion(struct endpoint *endpoint, const struct http_response *response, struct error *err)
{
	auto_free char *model = judge_safe(endpoint->model);

	if (endpoint_completed(response->body.buf, response->body.len, err) < 0)
		return -1;
	judge_say(&endpoint->judgement, VERDICT_PASS, "model '%s' answers, first byte after %lld ms", model,
		(long long)response->first_byte_ms);
	return 0;
}

/* ---- the run ---- */

static void finish(struct endpoint *endpoint)
{
	endpoint->milliseconds = clock_monotonic_ms() - endpoint->started;
	endpoint->ask->active--;
}

static void give_up(struct endpoint *endpoint, const char *text)
{
	auto_free char *safe = judge_safe(text);
	const struct step *step = &steps[endpoint->step];

	judge_say(&endpoint->judgement, VERDICT_FAIL, "%s %s: %s", step->method, step->path, safe);
	judge_reason(&endpoint->judgement, "no answer as of a serving model");
	finish(endpoint);
}

static void note_answer(struct endpoint *endpoint, const struct http_response *response)
{
	const struct step *step = &steps[endpoint->step];
	auto_free char *url = judge_safe(endpoint->url);

	judge_note(&endpoint->judgement, "%s %s%s: %ld, first byte after %lld ms, whole after %lld ms", step->method, url, step->path,
		response->status, (long long)response->first_byte_ms, (long long)response->total_ms);
}

static int check_answer(struct endpoint *endpoint, const struct http_response *response, struct error *err)
{
	if (response->status != 200)
		return error_set(err, ERR_VERIFY, "status %ld", response->status);
	return steps[endpoint->step].check(endpoint, response, err);
}

static void send_step(struct endpoint *endpoint);

static void answered(struct http_response *response, const struct error *error, void *arg)
{
	struct endpoint *endpoint = arg;
	struct error err = ERROR_INIT;

	if (error) {
		give_up(endpoint, error->text);
		return;
	}
	note_answer(endpoint, response);
	if (check_answer(endpoint, response, &err) < 0)
		give_up(endpoint, err.text);
	else if (++endpoint->step < STEP_COUNT)
		send_step(endpoint);
	else
		finish(endpoint);
}

static void send_step(struct endpoint *endpoint)
{
	static const char *const headers[] = {"Accept: application/json", NULL};
	static const char *const body_headers[] = {"Accept: application/json", "Content-Type: application/json", NULL};
	const struct step *step = &steps[endpoint->step];
	auto_free char *url = xasprintf("%s%s", endpoint->url, step->path);
	auto_free char *body = step->body(endpoint);
	struct error err = ERROR_INIT;
	const struct http_request request = {.method = step->method,
		.url = url,
		.headers = body ? body_headers : headers,
		.body = body,
		.body_len = body ? strlen(body) : 0,
		.timeout_ms = endpoint->ask->timeout_ms,
		.stall_ms = endpoint->ask->timeout_ms,
		.max_body = BODY_MAX};

	if (http_submit(endpoint->ask->client, &request, answered, endpoint, &err) < 0)
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

static int run(struct endpoint *endpoints, size_t count, struct ask *ask, struct error *err)
{
	size_t next = 0;

	while (next < count || ask->active) {
		while (next < count && ask->active < PARALLEL_MAX) {
			if (endpoints[next].url)
				start(&endpoints[next], ask);
			next++;
		}
		if (interrupted())
			return error_set(err, ERR_INTERRUPTED, "stopped by a signal");
		if (ask->active && http_drive(ask->client, DRIVE_MS, err) < 0)
			return -1;
	}
	return 0;
}

void endpoint_ask_all(struct endpoint *endpoints, size_t count, int64_t timeout_ms)
{
	struct ask ask = {.timeout_ms = timeout_ms > 0 ? timeout_ms : TIMEOUT_MS};
	struct http_tls tls = {0};
	struct error err = ERROR_INIT;

	if (http_client_new(&ask.client, &tls, &err) < 0 || run(endpoints, count, &ask, &err) < 0)
		abandon(endpoints, count, &ask, &err);
	http_client_free(ask.client);
}
