/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_api.h"
#include "kube/client.h"
#include "kube/discovery.h"
#include "kube/kubeconfig.h"
#include "kube/watch.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/mem.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static struct kube_resource routes = {.group = (char[]){"g.io"},
	.version = (char[]){"v1"},
	.resource = (char[]){"httproutes"},
	.kind = (char[]){"HTTPRoute"},
	.namespaced = true};
static struct kube_resource pods = {
	.group = (char[]){""}, .version = (char[]){"v1"}, .resource = (char[]){"pods"}, .kind = (char[]){"Pod"}, .namespaced = true};

/* Watch routes and pods; *ms is how long it took. */
static int watch(const struct fake_exchange *script, size_t count, int64_t timeout_ms, int64_t *ms, struct error *err)
{
	const struct kube_watch_target targets[] = {
		{.resource = &routes, .namespace_ = "ns", .resource_version = "7"}, {.resource = &pods, .resource_version = "8"}};
	struct fake_api *api = fake_api_start(script, count);
	auto_free char *server = xstrdup(fake_api_url(api));
	char source[] = "test", space[] = "default";
	struct kube_config config = {.server = server, .source = source, .namespace_ = space};
	struct kube_client *client = NULL;
	int64_t before = clock_monotonic_ms();
	int result = 0;

	assert_int_equal(kube_client_new(&client, &config, err), 0);
	result = kube_watch_any(client, targets, COUNT(targets), timeout_ms, err);
	*ms = clock_monotonic_ms() - before;
	assert_int_equal(kube_in_flight(client), 0);
	kube_client_free(client);
	fake_api_stop(api);
	return result;
}

#define ROUTES "GET /apis/g.io/v1/namespaces/ns/httproutes?watch=true&timeoutSeconds="
#define PODS "GET /api/v1/pods?watch=true&timeoutSeconds="
#define EVENT(type) "{\"type\":\"" type "\",\"object\":{\"metadata\":{\"name\":\"a\"}}}\n"
#define QUIET(watched)                                                                                                                     \
	{                                                                                                                                  \
		.path = watched, .status = 200, .hold = true                                                                               \
	}

static void assert_watch(const struct fake_exchange *script, size_t count, int expected, bool at_once)
{
	struct error err = ERROR_INIT;
	int64_t ms = 0;

	assert_int_equal(watch(script, count, at_once ? 20000 : 400, &ms, &err), expected);
	if (at_once)
		assert_true(ms < 10000);
	else
		assert_true(ms >= 400 && ms < 5000);
}

static void test_an_event_of_one_kind_wakes(void **state)
{
	const struct fake_exchange script[] = {
		QUIET(ROUTES), {.path = PODS, .status = 200, .body = EVENT("BOOKMARK") EVENT("MODIFIED"), .hold = true}};

	(void)state;
	assert_watch(script, COUNT(script), 1, true);
}

/* The object behind the type may be large and late: the type is enough. */
static void test_the_start_of_an_event_wakes(void **state)
{
	const struct fake_exchange script[] = {
		{.path = ROUTES, .status = 200, .body = "{\"type\":\"DELETED\",\"obje", .hold = true}, QUIET(PODS)};

	(void)state;
	assert_watch(script, COUNT(script), 1, true);
}

static void test_silence_and_bookmarks_time_out(void **state)
{
	const struct fake_exchange script[] = {
		{.path = ROUTES, .status = 200, .body = EVENT("BOOKMARK") EVENT("BOOKMARK"), .hold = true}, QUIET(PODS)};

	(void)state;
	assert_watch(script, COUNT(script), 0, false);
}

static void test_an_ended_watch_wakes(void **state)
{
	const struct fake_exchange script[] = {QUIET(ROUTES), {.path = PODS, .status = 200, .body = ""}};

	(void)state;
	assert_watch(script, COUNT(script), 1, true);
}

/* The version that was looked at is too old, as HTTP status or as an event: look again. */
static void test_410_wakes(void **state)
{
	const struct fake_exchange status[] = {QUIET(ROUTES), {.path = PODS, .status = 410, .body = "{\"kind\":\"Status\",\"code\":410}"}};
	const struct fake_exchange event[] = {QUIET(ROUTES),
		{.path = PODS,
			.status = 200,
			.body = "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410}}\n",
			.hold = true}};

	(void)state;
	assert_watch(status, COUNT(status), 1, true);
	assert_watch(event, COUNT(event), 1, true);
}

/* A kind that may not be watched does not wake: the look would find nothing new, again and again. */
static void test_one_refused_watch_leaves_the_others(void **state)
{
	const struct fake_exchange script[] = {QUIET(ROUTES), {.path = PODS, .status = 403, .body = "{\"message\":\"no\"}\n"}};

	(void)state;
	assert_watch(script, COUNT(script), 0, false);
}

static void test_all_refused_is_an_error(void **state)
{
	const struct fake_exchange script[] = {{.status = 403, .body = "{\"kind\":\"Status\",\"message\":\"no\"}"},
		{.status = 403, .body = "{\"kind\":\"Status\",\"message\":\"no\"}"}};
	struct error err = ERROR_INIT;
	int64_t ms = 0;

	(void)state;
	assert_int_equal(watch(script, COUNT(script), 20000, &ms, &err), -1);
	assert_int_equal(err.code, ERR_FORBIDDEN);
	assert_non_null(strstr(err.text, ": no"));
	assert_true(ms < 10000);
}

static void test_a_server_that_is_away_is_an_error(void **state)
{
	const struct fake_exchange script[] = {{.status = 0}, {.status = 0}, {.status = 0}, {.status = 0}};
	struct error err = ERROR_INIT;
	int64_t ms = 0;

	(void)state;
	assert_int_equal(watch(script, COUNT(script), 20000, &ms, &err), -1);
	assert_int_equal(err.code, ERR_UNAVAILABLE);
	assert_true(ms < 10000);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_event_of_one_kind_wakes),
		cmocka_unit_test(test_the_start_of_an_event_wakes),
		cmocka_unit_test(test_silence_and_bookmarks_time_out),
		cmocka_unit_test(test_an_ended_watch_wakes),
		cmocka_unit_test(test_410_wakes),
		cmocka_unit_test(test_one_refused_watch_leaves_the_others),
		cmocka_unit_test(test_all_refused_is_an_error),
		cmocka_unit_test(test_a_server_that_is_away_is_an_error),
	};

	return cmocka_run_group_tests_name("kube_watch", tests, NULL, NULL);
}
