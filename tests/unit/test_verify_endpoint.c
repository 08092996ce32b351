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

static void test_a_completion_has_choices(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(endpoint_completed("{\"choices\":[{}]}", 16, &err), 0);
	assert_int_equal(endpoint_completed("{\"choices\":[]}", 14, &err), -1);
}

/* What one endpoint behind this script gives; seen: how often text was in what it was sent. */
static void ask(const struct fake_exchange *script, size_t count, struct endpoint *endpoint, const char *text, size_t *seen)
{
	struct fake_api *api = fake_api_start(script, count);

	endpoint->url = xasprintf("%s/ns/a/", fake_api_url(api));
	endpoint_ask_all(endpoint, 1, 5000);
	*seen = fake_api_seen(api, text);
	fake_api_stop(api);
}

static void test_a_serving_model_passes(void **state)
{
	static const struct fake_exchange script[] = {
		{.path = "GET /ns/a/health ", .status = 200},
		{.path = "GET /ns/a/v1/models ", .status = 200, .body = MODELS},
		{.path = "POST /ns/a/v1/completions ", .status = 200, .body = "{\"choices\": [{\"text\": \"p\"}]}"},
	};
	struct endpoint endpoint = ENDPOINT_INIT;
	size_t seen;

	(void)state;
	ask(script, COUNT(script), &endpoint, "{\"max_tokens\":1,\"model\":\"/mnt/models\",\"prompt\":\"ping\"}", &seen);
	assert_int_equal(endpoint.judgement.verdict, VERDICT_PASS);
	assert_non_null(strstr(endpoint.judgement.observed.buf, "model '/mnt/models' answers, first byte after "));
	assert_int_equal(json_array_size(endpoint.judgement.evidence), 3);
	assert_int_equal(seen, 1);
	endpoint_release(&endpoint);
}

static void test_a_redirect_is_not_followed(void **state)
{
	static const struct fake_exchange script[] = {{.path = "/health", .status = 302, .headers = "Location: /elsewhere\r\n"}};
	struct endpoint endpoint = ENDPOINT_INIT;
	size_t seen;

	(void)state;
	ask(script, COUNT(script), &endpoint, "elsewhere", &seen);
	assert_int_equal(endpoint.judgement.verdict, VERDICT_FAIL);
	assert_string_equal(endpoint.judgement.observed.buf, "GET /health: status 302");
	assert_int_equal(seen, 0);
	endpoint_release(&endpoint);
}

static void test_many_are_asked_and_judged_each(void **state)
{
	struct endpoint endpoints[100];

	(void)state;
	for (size_t i = 0; i < COUNT(endpoints); i++) {
		endpoints[i] = (struct endpoint)ENDPOINT_INIT;
		endpoints[i].url = i % 3 == 0 ? xstrdup("ftp://x/") : i % 3 == 1 ? xstrdup("http://127.0.0.1:1/") : NULL;
	}
	endpoint_ask_all(endpoints, COUNT(endpoints), 5000);
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
		cmocka_unit_test(test_a_completion_has_choices),
		cmocka_unit_test(test_a_serving_model_passes),
		cmocka_unit_test(test_a_redirect_is_not_followed),
		cmocka_unit_test(test_many_are_asked_and_judged_each),
	};

	return cmocka_run_group_tests_name("verify_endpoint", tests, NULL, NULL);
}
