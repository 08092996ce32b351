/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake_api.h"
#include "util/error.h"
#include "util/mem.h"
#include "verify/endpoint.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define MODELS "{\"data\": [{\"id\": \"/mnt/models\"}]}"

static void test_only_plain_web_urls_are_asked(void **state)
{
	(void)state;
	assert_null(endpoint_url_fault("http://10.0.0.1:18080/ns/a"));
	assert_null(endpoint_url_fault("HTTPS://models.example.com"));
	assert_non_null(endpoint_url_fault("file:///etc/passwd"));
	assert_non_null(endpoint_url_fault("http://user:secret@host/"));
	assert_non_null(endpoint_url_fault("http:///path"));
	assert_non_null(endpoint_url_fault("http://host/?x=1"));
	assert_non_null(endpoint_url_fault(""));
}

static void test_the_first_model_is_found(void **state)
{
	auto_free char *id = NULL;
	struct error err = ERROR_INIT;

	(void)state;
	id = endpoint_model(MODELS, strlen(MODELS), &err);
	assert_string_equal(id, "/mnt/models");
	assert_null(endpoint_model("{\"data\":[]}", 11, &err));
	assert_string_equal(err.text, "no model in the answer");
	assert_null(endpoint_model("<html>", 6, &err));
}

static void assert_completed(const char *body, const char *fault)
{
	struct error err = ERROR_INIT;

	assert_int_equal(endpoint_completed(body, strlen(body), &err), fault ? -1 : 0);
	assert_string_equal(err.text, fault ? fault : "");
}

static void test_a_completion_has_words(void **state)
{
	(void)state;
	assert_completed("{\"choices\":[]}", "no choices in the answer");
	assert_completed("{\"choices\":[{}]}", "an empty completion");
	assert_completed("{\"choices\":[{\"text\":\"\"}]}", "an empty completion");
	assert_completed("{\"choices\":[{\"message\":{\"content\":null}}]}", "an empty completion");
	assert_completed("{\"choices\":[{\"text\":\"p\"}]}", NULL);
	assert_completed("{\"choices\":[{\"message\":{\"content\":\"p\"}}]}", NULL);
	assert_completed("{\"choices\":[{\"message\":{\"content\":\"\",\"reasoning_content\":\"p\"}}]}", NULL);
	assert_completed("{\"choices\":[{\"message\":{\"content\":null,\"tool_calls\":[{}]}}]}", NULL);
}

/* What one endpoint behind this script gives; seen: how often text was in what it was sent. */
static void ask_as(const struct fake_exchange *script, size_t count, const struct endpoint_manner *manner, struct endpoint *endpoint,
	const char *text, size_t *seen)
{
	struct fake_api *api = fake_api_start(script, count);

	endpoint->url = xasprintf("%s/ns/a/", fake_api_url(api));
	endpoint_ask_all(endpoint, 1, manner);
	*seen = fake_api_seen(api, text);
	fake_api_stop(api);
}

static const struct endpoint_manner once = {.timeout_ms = 5000};

#define HEALTH                                                                                                                             \
	{                                                                                                                                  \
		.path = "GET /ns/a/health ", .status = 200                                                                                 \
	}
#define MODEL                                                                                                                              \
	{                                                                                                                                  \
		.path = "GET /ns/a/v1/models ", .status = 200, .body = MODELS                                                              \
	}
#define COMPLETION(code, text)                                                                                                             \
	{                                                                                                                                  \
		.path = "POST /ns/a/v1/completions ", .status = code, .body = text                                                         \
	}
#define CHAT(code, text)                                                                                                                   \
	{                                                                                                                                  \
		.path = "POST /ns/a/v1/chat/completions ", .status = code, .body = text                                                    \
	}
#define WORDS "{\"choices\": [{\"text\": \"p\"}]}"
#define SAID "{\"choices\": [{\"message\": {\"content\": \"p\"}}]}"
#define EMPTY "{\"choices\": [{\"text\": \"\"}]}"
#define STREAM "data: {\"choices\": [{\"text\": \"p\"}]}\n\ndata: [DONE]\n\n"

/* The verdict, what was observed, and how many of these texts were sent. */
static void assert_asked(
	const struct fake_exchange *script, size_t count, enum verdict verdict, const char *observed, const char *text, size_t times)
{
	struct endpoint endpoint = ENDPOINT_INIT;
	size_t seen;

	ask_as(script, count, &once, &endpoint, text, &seen);
	assert_non_null(strstr(endpoint.judgement.observed.buf, observed));
	assert_int_equal(endpoint.judgement.verdict, verdict);
	assert_int_equal(seen, times);
	endpoint_release(&endpoint);
}

static void test_a_serving_model_passes(void **state)
{
	static const struct fake_exchange script[] = {HEALTH, MODEL, COMPLETION(200, WORDS), CHAT(200, SAID), COMPLETION(200, STREAM)};
	struct endpoint endpoint = ENDPOINT_INIT;
	size_t seen;

	(void)state;
	ask_as(script, COUNT(script), &once, &endpoint, "{\"max_tokens\":16,\"model\":\"/mnt/models\",\"prompt\":\"ping\",\"stream\":true}",
		&seen);
	assert_int_equal(endpoint.judgement.verdict, VERDICT_PASS);
	assert_non_null(strstr(endpoint.judgement.observed.buf, "model '/mnt/models' answers; first token after "));
	assert_int_equal(json_array_size(endpoint.judgement.evidence), 5);
	assert_true(endpoint.first_token_ms >= 0);
	assert_int_equal(seen, 1);
	endpoint_release(&endpoint);
}

/* Without a stream the time is not known, and the model serves all the same. */
static void test_a_model_that_does_not_stream_passes(void **state)
{
	static const struct fake_exchange script[] = {HEALTH, MODEL, COMPLETION(200, WORDS), CHAT(200, SAID), COMPLETION(500, "")};
	struct endpoint endpoint = ENDPOINT_INIT;
	size_t seen;

	(void)state;
	ask_as(script, COUNT(script), &once, &endpoint, "GET", &seen);
	assert_string_equal(endpoint.judgement.observed.buf, "model '/mnt/models' answers");
	assert_int_equal(endpoint.judgement.verdict, VERDICT_PASS);
	assert_int_equal(endpoint.first_token_ms, -1);
	endpoint_release(&endpoint);
}

static void test_one_kind_of_completion_is_enough(void **state)
{
	static const struct fake_exchange no_chat[] = {HEALTH, MODEL, COMPLETION(200, WORDS), CHAT(404, ""), COMPLETION(200, STREAM)};
	static const struct fake_exchange no_text[] = {HEALTH, MODEL, COMPLETION(404, ""), CHAT(200, SAID), CHAT(200, STREAM)};
	static const struct fake_exchange no_template[] = {
		HEALTH, MODEL, COMPLETION(200, WORDS), CHAT(400, "you must provide a chat template"), COMPLETION(200, STREAM)};

	(void)state;
	assert_asked(no_chat, COUNT(no_chat), VERDICT_PASS, "first token", "\"stream\":true", 1);
	assert_asked(no_text, COUNT(no_text), VERDICT_PASS, "first token", "\"stream\":true", 1);
	assert_asked(no_template, COUNT(no_template), VERDICT_PASS, "first token", "\"stream\":true", 1);
}

static void test_neither_kind_of_completion_fails(void **state)
{
	static const struct fake_exchange script[] = {HEALTH, MODEL, COMPLETION(404, ""), CHAT(404, "")};

	(void)state;
	assert_asked(script, COUNT(script), VERDICT_FAIL, "neither kind of completion is served", "\"stream\":true", 0);
}

static void test_an_empty_completion_fails(void **state)
{
	static const struct fake_exchange script[] = {HEALTH, MODEL, COMPLETION(200, EMPTY)};
	static const struct fake_exchange chat[] = {HEALTH, MODEL, COMPLETION(200, WORDS), CHAT(200, EMPTY)};

	(void)state;
	assert_asked(script, COUNT(script), VERDICT_FAIL, "POST /v1/completions: an empty completion", "chat", 0);
	assert_asked(chat, COUNT(chat), VERDICT_FAIL, "POST /v1/chat/completions: an empty completion", "\"stream\":true", 0);
}

static void test_a_model_that_answers_503_fails(void **state)
{
	static const struct fake_exchange script[] = {{.path = "/health", .status = 503}};

	(void)state;
	assert_asked(script, COUNT(script), VERDICT_FAIL, "GET /health: status 503", "GET", 1);
}

/* It loads for minutes: "not yet" is asked again. */
static void test_a_model_that_loads_is_waited_for(void **state)
{
	static const struct fake_exchange script[] = {{.path = "/health", .status = 503}, {.path = "/health", .status = 0}, HEALTH, MODEL,
		COMPLETION(200, WORDS), CHAT(200, SAID), COMPLETION(200, STREAM)};
	const struct endpoint_manner patient = {.timeout_ms = 5000, .patience_ms = 20000};
	struct endpoint endpoint = ENDPOINT_INIT;
	size_t seen;

	(void)state;
	ask_as(script, COUNT(script), &patient, &endpoint, "GET /ns/a/health ", &seen);
	assert_int_equal(endpoint.judgement.verdict, VERDICT_PASS);
	assert_int_equal(seen, 3);
	endpoint_release(&endpoint);
}

static void test_patience_ends_with_the_last_answer(void **state)
{
	static const struct fake_exchange script[] = {{.status = 503}, {.status = 503}, {.status = 503}, {.status = 503}};
	const struct endpoint_manner patient = {.timeout_ms = 5000, .patience_ms = 700};
	struct endpoint endpoint = ENDPOINT_INIT;
	size_t seen;

	(void)state;
	ask_as(script, COUNT(script), &patient, &endpoint, "GET /ns/a/health ", &seen);
	assert_string_equal(endpoint.judgement.observed.buf, "GET /health: status 503");
	assert_int_equal(seen, 2);
	endpoint_release(&endpoint);
}

static void test_a_service_that_is_not_ready_is_asked_once(void **state)
{
	static const struct fake_exchange script[] = {{.status = 503}, {.status = 503}};
	const struct endpoint_manner patient = {.timeout_ms = 5000, .patience_ms = 20000};
	struct endpoint endpoint = ENDPOINT_INIT;
	size_t seen;

	(void)state;
	endpoint.hasty = true;
	ask_as(script, COUNT(script), &patient, &endpoint, "GET /ns/a/health ", &seen);
	assert_int_equal(endpoint.judgement.verdict, VERDICT_FAIL);
	assert_int_equal(seen, 1);
	endpoint_release(&endpoint);
}

/* What no patience mends is told at once. */
static void test_other_refusals_are_not_asked_again(void **state)
{
	static const struct fake_exchange script[] = {{.status = 401}, {.status = 401}};
	const struct endpoint_manner patient = {.timeout_ms = 5000, .patience_ms = 20000};
	struct endpoint endpoint = ENDPOINT_INIT;
	size_t seen;

	(void)state;
	ask_as(script, COUNT(script), &patient, &endpoint, "GET", &seen);
	assert_string_equal(endpoint.judgement.observed.buf, "GET /health: status 401");
	assert_int_equal(seen, 1);
	endpoint_release(&endpoint);
}

static void test_a_redirect_is_not_followed(void **state)
{
	static const struct fake_exchange script[] = {{.path = "/health", .status = 302, .headers = "Location: /elsewhere\r\n"}};

	(void)state;
	assert_asked(script, COUNT(script), VERDICT_FAIL, "GET /health: status 302", "elsewhere", 0);
}

/* Only to who may have it, and not behind a redirect. */
static void test_the_token_goes_to_trusted_hosts_only(void **state)
{
	static const struct fake_exchange script[] = {
		{.path = "/health", .status = 302, .headers = "Location: /elsewhere\r\n"}, {.path = "elsewhere", .status = 200}};
	const struct endpoint_manner manner = {.timeout_ms = 5000, .token = "s3cret"};

	(void)state;
	for (int trusted = 0; trusted < 2; trusted++) {
		struct endpoint endpoint = ENDPOINT_INIT;
		size_t seen;

		endpoint.trusted = trusted;
		ask_as(script, COUNT(script), &manner, &endpoint, "Authorization: Bearer s3cret\r\n", &seen);
		assert_int_equal(seen, trusted);
		assert_null(strstr(endpoint.judgement.observed.buf, "s3cret"));
		endpoint_release(&endpoint);
	}
}

/* A name that leads to the lost cluster is asked at this one's Gateway. */
static void test_a_name_is_asked_at_another_address(void **state)
{
	static const struct fake_exchange script[] = {{.path = "/health", .status = 418}};
	struct fake_api *api = fake_api_start(script, COUNT(script));
	struct endpoint endpoint = ENDPOINT_INIT;
	auto_free char *host = xasprintf("Host: models.invalid%s\r\n", strrchr(fake_api_url(api), ':'));

	(void)state;
	endpoint.url = xasprintf("http://models.invalid%s", strrchr(fake_api_url(api), ':'));
	endpoint.connect = xstrdup("127.0.0.1");
	endpoint_ask_all(&endpoint, 1, &once);
	assert_string_equal(endpoint.judgement.observed.buf, "GET /health: status 418");
	assert_int_equal(fake_api_seen(api, host), 1);
	endpoint_release(&endpoint);
	fake_api_stop(api);
}

static void assert_host(const char *url, const char *host)
{
	auto_free char *is = endpoint_url_host(url);

	assert_string_equal(is, host);
}

static void test_the_host_of_a_url_is_found(void **state)
{
	(void)state;
	assert_host("http://10.0.0.1:18080/ns/a", "10.0.0.1");
	assert_host("https://[fd00::1]:8443/x", "fd00::1");
	assert_host("https://models.example.com", "models.example.com");
}

static void test_many_are_asked_and_judged_each(void **state)
{
	struct endpoint endpoints[100];

	(void)state;
	for (size_t i = 0; i < COUNT(endpoints); i++) {
		endpoints[i] = (struct endpoint)ENDPOINT_INIT;
		endpoints[i].url = i % 3 == 0 ? xstrdup("ftp://x/") : i % 3 == 1 ? xstrdup("http://127.0.0.1:1/") : NULL;
	}
	endpoint_ask_all(endpoints, COUNT(endpoints), &once);
	for (size_t i = 0; i < COUNT(endpoints); i++) {
		assert_int_equal(endpoints[i].judgement.verdict, i % 3 == 2 ? VERDICT_PASS : VERDICT_FAIL);
		assert_int_equal(endpoints[i].judgement.observed.len > 0, i % 3 != 2);
		endpoint_release(&endpoints[i]);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_plain_web_urls_are_asked),
		cmocka_unit_test(test_the_first_model_is_found),
		cmocka_unit_test(test_a_completion_has_words),
		cmocka_unit_test(test_a_serving_model_passes),
		cmocka_unit_test(test_a_model_that_does_not_stream_passes),
		cmocka_unit_test(test_one_kind_of_completion_is_enough),
		cmocka_unit_test(test_neither_kind_of_completion_fails),
		cmocka_unit_test(test_an_empty_completion_fails),
		cmocka_unit_test(test_a_model_that_answers_503_fails),
		cmocka_unit_test(test_a_model_that_loads_is_waited_for),
		cmocka_unit_test(test_patience_ends_with_the_last_answer),
		cmocka_unit_test(test_a_service_that_is_not_ready_is_asked_once),
		cmocka_unit_test(test_other_refusals_are_not_asked_again),
		cmocka_unit_test(test_a_redirect_is_not_followed),
		cmocka_unit_test(test_the_token_goes_to_trusted_hosts_only),
		cmocka_unit_test(test_a_name_is_asked_at_another_address),
		cmocka_unit_test(test_the_host_of_a_url_is_found),
		cmocka_unit_test(test_many_are_asked_and_judged_each),
	};

	return cmocka_run_group_tests_name("verify_endpoint", tests, NULL, NULL);
}
