/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "http_server.h"
#include "util/clock.h"
#include "util/http.h"
#include "util/mem.h"

static struct http_server server;
static struct http_client *client;

static int start_server(void **state)
{
	(void)state;
	http_server_start(&server);
	return 0;
}

static int stop_server(void **state)
{
	(void)state;
	http_server_stop(&server);
	return 0;
}

static int new_client(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	return http_client_new(&client, NULL, &err);
}

static int free_client(void **state)
{
	(void)state;
	http_client_free(client);
	client = NULL;
	return 0;
}

/* Valid until the next call but three. */
static const char *url_of(const char *path)
{
	static char urls[4][256];
	static int next;
	char *url = urls[next++ % 4];

	(void)snprintf(url, sizeof(urls[0]), "http://127.0.0.1:%d%s", server.port, path);
	return url;
}

struct answer {
	struct http_response response;
	struct error err;
	int rc;
};
#define ANSWER_INIT                                                                                                                        \
	{                                                                                                                                  \
		.response = HTTP_RESPONSE_INIT, .err = ERROR_INIT                                                                          \
	}

static void answer_release(struct answer *answer)
{
	http_response_release(&answer->response);
}
#define auto_answer __attribute__((cleanup(answer_release)))

static void ask(const struct http_request *request, struct answer *answer)
{
	answer->rc = http_perform(client, request, &answer->response, &answer->err);
}

static void get(const char *path, struct answer *answer)
{
	const struct http_request request = {.method = "GET", .url = url_of(path)};

	ask(&request, answer);
}

static void assert_answered(const struct answer *answer, long status, const char *body)
{
	assert_string_equal(answer->err.text, "");
	assert_int_equal(answer->rc, 0);
	assert_int_equal(answer->response.status, status);
	if (body)
		assert_string_equal(answer->response.body.buf, body);
}

static void assert_failed(const struct answer *answer, enum error_code code, const char *part)
{
	assert_int_equal(answer->rc, -1);
	if (!strstr(answer->err.text, part))
		assert_string_equal(answer->err.text, part);
	assert_int_equal(answer->err.code, code);
}

/* ---- answers ---- */

static void test_status_and_body_come_back(void **state)
{
	auto_answer struct answer answer = ANSWER_INIT;

	(void)state;
	get("/hello", &answer);
	assert_answered(&answer, 200, "hello world");
}

/* The caller knows what a 404 or a 503 means; here it is an answer. */
static void test_failure_status_is_an_answer(void **state)
{
	static const long statuses[] = {400, 404, 409, 500, 503};

	(void)state;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		auto_answer struct answer answer = ANSWER_INIT;
		auto_free char *path = xasprintf("/status/%ld", statuses[i]);

		get(path, &answer);
		assert_answered(&answer, statuses[i], "status");
	}
}

static void test_answer_without_a_body_is_empty(void **state)
{
	auto_answer struct answer answer = ANSWER_INIT;

	(void)state;
	get("/status/204", &answer);
	assert_answered(&answer, 204, "");
}

static void test_chunked_body_is_whole(void **state)
{
	auto_answer struct answer answer = ANSWER_INIT;

	(void)state;
	get("/chunked/300000", &answer);
	assert_answered(&answer, 200, NULL);
	assert_int_equal(answer.response.body.len, 300000);
}

/* A token would follow it to another host. */
static void test_redirect_is_not_followed(void **state)
{
	auto_answer struct answer answer = ANSWER_INIT;

	(void)state;
	get("/redirect", &answer);
	assert_answered(&answer, 302, "moved");
}

static void test_retry_after_is_in_milliseconds(void **state)
{
	auto_answer struct answer answer = ANSWER_INIT;

	(void)state;
	get("/retry/7", &answer);
	assert_answered(&answer, 429, "slow down");
	assert_int_equal(answer.response.retry_after_ms, 7000);
}

static void test_retry_after_zero_is_not_none(void **state)
{
	auto_answer struct answer answer = ANSWER_INIT;

	(void)state;
	get("/retry/0", &answer);
	assert_int_equal(answer.response.retry_after_ms, 0);
}

static void test_retry_after_that_is_no_number_is_none(void **state)
{
	static const char *const paths[] = {"/retry/Wed,", "/retry/-5", "/retry/7x", "/retry/99999999999999999999x", "/hello"};

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		auto_answer struct answer answer = ANSWER_INIT;

		get(paths[i], &answer);
		assert_int_equal(answer.response.retry_after_ms, -1);
	}
}

/* A server that says "in three hundred million years" is asked again in five minutes; nobody's addition overflows. */
static void test_retry_after_is_five_minutes_at_most(void **state)
{
	static const char *const paths[] = {
		"/retry/301", "/retry/3600", "/retry/9223372036854775", "/retry/9223372036854775807", "/retry/99999999999999999999999999"};
	auto_answer struct answer longest = ANSWER_INIT;

	(void)state;
	get("/retry/300", &longest);
	assert_int_equal(longest.response.retry_after_ms, 300000);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		auto_answer struct answer answer = ANSWER_INIT;

		get(paths[i], &answer);
		assert_int_equal(answer.response.retry_after_ms, 300000);
	}
}

/* ---- proxies ---- */

static void set_all_proxies(const char *proxy)
{
	static const char *const names[] = {"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(proxy ? setenv(names[i], proxy, 1) : unsetenv(names[i]), 0);
}

/* A port where nobody listens, as proxy for everything: what gets an answer has not been there. */
static int set_dead_proxy(void **state)
{
	char proxy[64];

	(void)snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%d", http_server_free_port());
	set_all_proxies(proxy);
	return new_client(state);
}

/* The test server as proxy. */
static int set_proxy(void **state)
{
	(void)state;
	set_all_proxies(url_of("/"));
	return new_client(state);
}

static int unset_proxy(void **state)
{
	set_all_proxies(NULL);
	assert_int_equal(unsetenv("NO_PROXY"), 0);
	return free_client(state);
}

/* The bearer token of a kubectl proxy or of a model would go to the proxy in clear. */
static void test_plain_http_never_goes_to_a_proxy(void **state)
{
	auto_answer struct answer answer = ANSWER_INIT;

	(void)state;
	get("/hello", &answer);
	assert_answered(&answer, 200, "hello world");
}

static void test_plain_http_to_elsewhere_never_goes_to_a_proxy(void **state)
{
	const struct http_request request = {.method = "GET", .url = "http://nowhere.invalid/hello"};
	auto_answer struct answer answer = ANSWER_INIT;

	(void)state;
	ask(&request, &answer);
	assert_failed(&answer, ERR_UNAVAILABLE, "nowhere.invalid");
	if (strstr(answer.err.text, "127.0.0.1"))
		fail_msg("%s", answer.err.text);
}

static void test_https_to_elsewhere_goes_to_the_proxy(void **state)
{
	const char *const headers[] = {"Authorization: Bearer secret", NULL};
	const struct http_request request = {.method = "GET", .url = "https://nowhere.invalid:6443/hello", .headers = headers};
	auto_answer struct answer answer = ANSWER_INIT;

	(void)state;
	/* What the server says to a CONNECT to this address without a credential in it. */
	ask(&request, &answer);
	assert_failed(&answer, ERR_UNAVAILABLE, "418");
}

static void test_https_to_what_no_proxy_names_goes_there_itself(void **state)
{
	const struct http_request request = {.method = "GET", .url = "https://nowhere.invalid:6443/hello"};
	auto_answer struct answer answer = ANSWER_INIT;

	(void)state;
	assert_int_equal(setenv("NO_PROXY", "example.com, .invalid", 1), 0);
	ask(&request, &answer);
	assert_failed(&answer, ERR_UNAVAILABLE, "nowhere.invalid");
	if (strstr(answer.err.text, "418"))
		fail_msg("%s", answer.err.text);
}

/* Go's port, not libcurl's own. */
static void test_a_proxy_without_a_port_is_at_that_of_its_scheme(void **state)
{
	static const char *const proxies[][2] = {{"127.0.0.1", "'http://127.0.0.1:80'"}, {"https://127.0.0.1/", "'https://127.0.0.1:443'"},
		{"socks5://127.0.0.1", "'socks5h://127.0.0.1:1080'"}};
	const struct http_request request = {.method = "GET", .url = "https://nowhere.invalid/"};

	(void)state;
	for (size_t i = 0; i < sizeof(proxies) / sizeof(*proxies); i++) {
		auto_answer struct answer answer = ANSWER_INIT;

		set_all_proxies(proxies[i][0]);
		ask(&request, &answer);
		assert_failed(&answer, ERR_UNAVAILABLE, proxies[i][1]);
	}
}

static void test_no_message_shows_the_password_of_a_proxy(void **state)
{
	static const char *const proxies[] = {"ftp://me:secret@127.0.0.1", "socks4://me:secret@127.0.0.1", "http://me:secret@",
		"http://me:se%01cret@h", "http://me:secret@127.0.0.1:1", "socks5://me:secret@127.0.0.1:1"};
	const struct http_request request = {.method = "GET", .url = "https://nowhere.invalid/"};

	(void)state;
	for (size_t i = 0; i < sizeof(proxies) / sizeof(*proxies); i++) {
		auto_answer struct answer answer = ANSWER_INIT;

		set_all_proxies(proxies[i]);
		ask(&request, &answer);
		assert_failed(&answer, i < 4 ? ERR_USAGE : ERR_UNAVAILABLE, "proxy");
		if (strstr(answer.err.text, "secret"))
			fail_msg("%s", answer.err.text);
	}
}

static void test_times_are_measured(void **state)
{
	auto_answer struct answer answer = ANSWER_INIT;

	(void)state;
	get("/slow/60", &answer);
	assert_answered(&answer, 200, "slow");
	assert_in_range(answer.response.first_byte_ms, 55, 20000);
	assert_true(answer.response.total_ms >= answer.response.first_byte_ms);
}

/* ---- requests ---- */

static void echo(const struct http_request *request, struct answer *answer)
{
	struct http_request sent = *request;

	sent.url = url_of("/echo");
	ask(&sent, answer);
	assert_answered(answer, 200, NULL);
}

static void test_headers_and_body_go_out_as_given(void **state)
{
	static const char *const headers[] = {"Accept: application/json", "Content-Type: application/apply-patch+yaml", NULL};
	const struct http_request request = {.method = "PATCH", .headers = headers, .body = "a: \0b", .body_len = 5};
	auto_answer struct answer answer = ANSWER_INIT;

	(void)state;
	echo(&request, &answer);
	assert_memory_equal(answer.response.body.buf, "PATCH /echo HTTP/1.1\r\n", 22);
	assert_non_null(strstr(answer.response.body.buf, "\r\nAccept: application/json\r\n"));
	assert_non_null(strstr(answer.response.body.buf, "\r\nContent-Type: application/apply-patch+yaml\r\n"));
	assert_non_null(strstr(answer.response.body.buf, "\r\nContent-Length: 5\r\n"));
	assert_memory_equal(answer.response.body.buf + answer.response.body.len - 9, "\r\n\r\na: \0b", 9);
}

static void test_requests_name_the_program(void **state)
{
	const struct http_request request = {.method = "GET"};
	auto_answer struct answer answer = ANSWER_INIT;

	(void)state;
	echo(&request, &answer);
	assert_non_null(strstr(answer.response.body.buf, "\r\nUser-Agent: rhaii-dr/" RHAII_VERSION "\r\n"));
}

/* Compressed pages cost the API server more time than they save, and Expect costs a round trip. */
static void test_nothing_is_asked_for_that_was_not_given(void **state)
{
	auto_free char *body = xcalloc(1, 2000000);
	const struct http_request request = {.method = "POST", .body = memset(body, 'y', 1999999), .body_len = 1999999};
	auto_answer struct answer answer = ANSWER_INIT;

	(void)state;
	echo(&request, &answer);
	assert_null(strstr(answer.response.body.buf, "Expect"));
	assert_null(strstr(answer.response.body.buf, "Accept-Encoding"));
	assert_null(strstr(answer.response.body.buf, "Content-Type"));
	assert_true(answer.response.body.len > 1999999);
}

static void test_post_without_a_body_has_length_zero(void **state)
{
	const struct http_request request = {.method = "POST"};
	auto_answer struct answer answer = ANSWER_INIT;

	(void)state;
	echo(&request, &answer);
	assert_non_null(strstr(answer.response.body.buf, "\r\nContent-Length: 0\r\n"));
}

static void test_delete_may_have_a_body_or_none(void **state)
{
	const struct http_request bare = {.method = "DELETE"}, bodied = {.method = "DELETE", .body = "{}", .body_len = 2};
	auto_answer struct answer first = ANSWER_INIT, second = ANSWER_INIT;

	(void)state;
	echo(&bare, &first);
	assert_memory_equal(first.response.body.buf, "DELETE ", 7);
	assert_null(strstr(first.response.body.buf, "Content-Length"));
	echo(&bodied, &second);
	assert_memory_equal(second.response.body.buf, "DELETE ", 7);
	assert_non_null(strstr(second.response.body.buf, "\r\n\r\n{}"));
}

static void test_head_does_not_wait_for_a_body(void **state)
{
	const struct http_request request = {.method = "HEAD", .url = url_of("/hello")};
	auto_answer struct answer answer = ANSWER_INIT;

	(void)state;
	ask(&request, &answer);
	assert_answered(&answer, 200, "");
}

/* A handle that is used again must not send the headers and body of the request before. */
static void test_nothing_of_a_request_is_left_for_the_next(void **state)
{
	static const char *const headers[] = {"Authorization: Bearer secret", NULL};
	const struct http_request first = {.method = "PUT", .headers = headers, .body = "x", .body_len = 1}, second = {.method = "GET"};
	auto_answer struct answer before = ANSWER_INIT, after = ANSWER_INIT;

	(void)state;
	echo(&first, &before);
	assert_non_null(strstr(before.response.body.buf, "Bearer secret"));
	echo(&second, &after);
	assert_memory_equal(after.response.body.buf, "GET ", 4);
	assert_null(strstr(after.response.body.buf, "Authorization"));
	assert_null(strstr(after.response.body.buf, "Content-Length"));
}

/* A name from a snapshot must not be able to add headers. */
static void test_line_break_in_a_header_is_refused(void **state)
{
	static const char *const headers[] = {"X: a\r\nAuthorization: b", NULL};
	const struct http_request request = {.method = "GET", .url = url_of("/hello"), .headers = headers};
	auto_answer struct answer answer = ANSWER_INIT;

	(void)state;
	ask(&request, &answer);
	assert_failed(&answer, ERR_USAGE, "a request header holds a line break");
	assert_int_equal(http_in_flight(client), 0);
}

static void test_other_schemes_are_refused(void **state)
{
	static const char *const urls[] = {"file:///etc/passwd", "ftp://127.0.0.1/", "127.0.0.1/", ""};

	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		const struct http_request request = {.method = "GET", .url = urls[i]};
		auto_answer struct answer answer = ANSWER_INIT;

		ask(&request, &answer);
		assert_failed(&answer, ERR_USAGE, "neither http nor https");
	}
}

/* It would end up in messages and logs. */
static void test_password_in_a_url_is_refused(void **state)
{
	const struct http_request request = {.method = "GET", .url = "http://user:password@127.0.0.1/"};
	auto_answer struct answer answer = ANSWER_INIT;

	(void)state;
	ask(&request, &answer);
	assert_failed(&answer, ERR_USAGE, "a URL must not hold a user name or password");
}

static void test_dots_in_a_path_are_sent_as_they_are(void **state)
{
	const struct http_request request = {.method = "GET", .url = url_of("/echo/../x")};
	auto_answer struct answer answer = ANSWER_INIT;

	(void)state;
	ask(&request, &answer);
	assert_answered(&answer, 200, NULL);
	assert_memory_equal(answer.response.body.buf, "GET /echo/../x HTTP", 19);
}

static void test_escape_leaves_unreserved_bytes_only(void **state)
{
	auto_strbuf struct strbuf out = STRBUF_INIT;

	(void)state;
	http_escape(&out, "aZ09-._~/?&=%+ :\xC3\xA9");
	assert_string_equal(out.buf, "aZ09-._~%2F%3F%26%3D%25%2B%20%3A%C3%A9");
}

/* ---- answers that are not complete ---- */

/* A list that ends early would look like a cluster with fewer objects. */
static void test_cut_body_is_no_answer(void **state)
{
	auto_answer struct answer answer = ANSWER_INIT;

	(void)state;
	get("/cut", &answer);
	assert_failed(&answer, ERR_UNAVAILABLE, "no complete answer from 'http://127.0.0.1:");
}

static void test_missing_last_chunk_is_no_answer(void **state)
{
	auto_answer struct answer answer = ANSWER_INIT;

	(void)state;
	get("/cut-chunks", &answer);
	assert_failed(&answer, ERR_UNAVAILABLE, "no complete answer");
}

static void test_closed_connection_is_unavailable(void **state)
{
	auto_answer struct answer answer = ANSWER_INIT;

	(void)state;
	get("/reset", &answer);
	assert_failed(&answer, ERR_UNAVAILABLE, "no answer");
	assert_int_equal(answer.response.status, 0);
}

static void test_refused_connection_is_unavailable(void **state)
{
	auto_free char *url = xasprintf("http://127.0.0.1:%d/x?continue=abc", http_server_free_port());
	const struct http_request request = {.method = "GET", .url = url};
	auto_answer struct answer answer = ANSWER_INIT;

	(void)state;
	ask(&request, &answer);
	assert_failed(&answer, ERR_UNAVAILABLE, "no answer from 'http://127.0.0.1:");
	assert_null(strstr(answer.err.text, "continue"));
}

static void test_unknown_host_is_unavailable(void **state)
{
	const struct http_request request = {.method = "GET", .url = "http://no-such-host.invalid/"};
	auto_answer struct answer answer = ANSWER_INIT;

	(void)state;
	ask(&request, &answer);
	assert_failed(&answer, ERR_UNAVAILABLE, "no answer");
}

static void test_body_of_just_the_limit_is_taken(void **state)
{
	const struct http_request request = {.method = "GET", .url = url_of("/big/5000"), .max_body = 5000};
	auto_answer struct answer answer = ANSWER_INIT;

	(void)state;
	ask(&request, &answer);
	assert_answered(&answer, 200, NULL);
	assert_int_equal(answer.response.body.len, 5000);
}

static void assert_too_large(const char *path)
{
	const struct http_request request = {.method = "GET", .url = url_of(path), .max_body = 4999};
	auto_answer struct answer answer = ANSWER_INIT;

	ask(&request, &answer);
	assert_failed(&answer, ERR_FAILED, "is larger than 4999 bytes");
	assert_true(answer.response.body.len <= 4999);
}

static void test_larger_body_is_refused(void **state)
{
	(void)state;
	assert_too_large("/big/5000");
	assert_too_large("/chunked/5000");
	assert_too_large("/chunked-big/5000");
}

static void test_client_goes_on_after_a_refused_body(void **state)
{
	auto_answer struct answer answer = ANSWER_INIT;

	(void)state;
	assert_too_large("/big/5000000");
	get("/hello", &answer);
	assert_answered(&answer, 200, "hello world");
}

static void test_stalled_transfer_is_given_up(void **state)
{
	const struct http_request request = {.method = "GET", .url = url_of("/stall"), .stall_ms = 1000};
	auto_answer struct answer answer = ANSWER_INIT;
	int64_t start = clock_monotonic_ms();

	(void)state;
	ask(&request, &answer);
	assert_failed(&answer, ERR_UNAVAILABLE, "no complete answer");
	assert_in_range(clock_monotonic_ms() - start, 900, 15000);
}

static void test_server_that_says_nothing_is_given_up(void **state)
{
	const struct http_request request = {.method = "GET", .url = url_of("/silent"), .stall_ms = 1000};
	auto_answer struct answer answer = ANSWER_INIT;
	int64_t start = clock_monotonic_ms();

	(void)state;
	ask(&request, &answer);
	assert_failed(&answer, ERR_UNAVAILABLE, "no answer");
	assert_in_range(clock_monotonic_ms() - start, 900, 15000);
}

static void test_timeout_bounds_the_whole_request(void **state)
{
	const struct http_request request = {.method = "GET", .url = url_of("/slow/5000"), .timeout_ms = 100};
	auto_answer struct answer answer = ANSWER_INIT;
	int64_t start = clock_monotonic_ms();

	(void)state;
	ask(&request, &answer);
	assert_failed(&answer, ERR_UNAVAILABLE, "no answer");
	assert_in_range(clock_monotonic_ms() - start, 95, 4000);
}

static void test_slow_answer_within_the_limits_is_taken(void **state)
{
	const struct http_request request = {.method = "GET", .url = url_of("/slow/300"), .timeout_ms = 20000, .stall_ms = 20000};
	auto_answer struct answer answer = ANSWER_INIT;

	(void)state;
	ask(&request, &answer);
	assert_answered(&answer, 200, "slow");
}

/* ---- data as it comes ---- */

struct taken {
	size_t bytes, calls, stop_after;
};

static int take(const char *data, size_t len, void *arg)
{
	struct taken *taken = arg;

	assert_int_equal(data[0], 'x');
	taken->bytes += len;
	taken->calls++;
	return taken->stop_after && taken->bytes >= taken->stop_after;
}

static void test_on_data_gets_the_body_in_pieces(void **state)
{
	struct taken taken = {0};
	const struct http_request request = {.method = "GET", .url = url_of("/big/3000000"), .on_data = take, .on_data_arg = &taken};
	auto_answer struct answer answer = ANSWER_INIT;

	(void)state;
	ask(&request, &answer);
	assert_answered(&answer, 200, "");
	assert_int_equal(taken.bytes, 3000000);
	assert_true(taken.calls > 1);
}

/* The message of a refused watch must reach the user, not the parser of events. */
static void test_body_of_a_failure_goes_to_the_response(void **state)
{
	struct taken taken = {0};
	const struct http_request request = {.method = "GET", .url = url_of("/status/410"), .on_data = take, .on_data_arg = &taken};
	auto_answer struct answer answer = ANSWER_INIT;

	(void)state;
	ask(&request, &answer);
	assert_answered(&answer, 410, "status");
	assert_int_equal(taken.calls, 0);
}

static void test_on_data_can_stop_the_transfer(void **state)
{
	struct taken taken = {.stop_after = 1};
	const struct http_request request = {.method = "GET", .url = url_of("/big/3000000"), .on_data = take, .on_data_arg = &taken};
	auto_answer struct answer answer = ANSWER_INIT;

	(void)state;
	ask(&request, &answer);
	assert_failed(&answer, ERR_FAILED, "was not read to its end");
	assert_int_equal(taken.calls, 1);
}

/* ---- many at once ---- */

struct tally {
	int answered, failed, again;
	size_t bytes;
};

static void count(struct http_response *response, const struct error *error, void *arg)
{
	struct tally *tally = arg;

	tally->bytes += response->body.len;
	if (error)
		tally->failed++;
	else
		tally->answered++;
}

static void submit(const char *url, http_done_fn done, void *arg)
{
	const struct http_request request = {.method = "GET", .url = url};
	struct error err = ERROR_INIT;

	assert_int_equal(http_submit(client, &request, done, arg, &err), 0);
}

static void drive_all(void)
{
	struct error err = ERROR_INIT;
	int64_t start = clock_monotonic_ms();

	while (http_in_flight(client)) {
		assert_int_equal(http_drive(client, 1000, &err), 0);
		assert_true(clock_monotonic_ms() - start < 60000);
	}
}

static void test_twenty_in_flight_are_all_answered_together(void **state)
{
	struct tally tally = {0};
	int64_t start = clock_monotonic_ms();

	(void)state;
	for (int i = 0; i < 20; i++)
		submit(url_of("/slow/300"), count, &tally);
	assert_int_equal(http_in_flight(client), 20);
	drive_all();
	assert_int_equal(tally.answered, 20);
	assert_int_equal(tally.bytes, 80);
	/* One after the other they would take 6 s. */
	assert_true(clock_monotonic_ms() - start < 5000);
}

static void test_many_to_a_closed_port_all_fail(void **state)
{
	auto_free char *url = xasprintf("http://127.0.0.1:%d/", http_server_free_port());
	struct tally tally = {0};

	(void)state;
	for (int i = 0; i < 40; i++)
		submit(url, count, &tally);
	drive_all();
	assert_int_equal(tally.failed, 40);
}

static void count_and_go_on(struct http_response *response, const struct error *error, void *arg)
{
	struct tally *tally = arg;

	count(response, error, arg);
	if (tally->again-- > 0)
		submit(url_of("/hello"), count_and_go_on, arg);
}

static void test_callback_may_submit_more(void **state)
{
	struct tally tally = {.again = 50};

	(void)state;
	submit(url_of("/hello"), count_and_go_on, &tally);
	drive_all();
	assert_int_equal(tally.answered, 51);
}

/* A retry is submitted while other requests of the dead connection are still waiting for their end. */
static void test_callback_of_a_failure_may_submit_more(void **state)
{
	struct tally tally = {.again = 5};

	(void)state;
	submit(url_of("/reset"), count_and_go_on, &tally);
	submit(url_of("/slow/200"), count, &tally);
	drive_all();
	assert_int_equal(tally.failed, 1);
	assert_int_equal(tally.answered, 6);
}

static void perform_inside(struct http_response *response, const struct error *error, void *arg)
{
	auto_answer struct answer answer = ANSWER_INIT;

	count(response, error, arg);
	get("/hello", &answer);
	assert_answered(&answer, 200, "hello world");
}

static void test_callback_may_perform(void **state)
{
	struct tally tally = {0};

	(void)state;
	submit(url_of("/hello"), perform_inside, &tally);
	submit(url_of("/slow/50"), perform_inside, &tally);
	drive_all();
	assert_int_equal(tally.answered, 2);
}

static void test_perform_moves_the_others_on(void **state)
{
	auto_answer struct answer answer = ANSWER_INIT;
	struct tally tally = {0};

	(void)state;
	submit(url_of("/hello"), count, &tally);
	get("/slow/300", &answer);
	assert_int_equal(tally.answered, 1);
}

static void detach(struct http_response *response, const struct error *error, void *arg)
{
	assert_null(error);
	*(char **)arg = strbuf_detach(&response->body, NULL);
}

static void test_callback_may_take_the_body(void **state)
{
	auto_free char *body = NULL;

	(void)state;
	submit(url_of("/hello"), detach, &body);
	drive_all();
	assert_string_equal(body, "hello world");
}

static void test_request_is_copied(void **state)
{
	char *url = xstrdup(url_of("/echo")), *header = xstrdup("X-Test: kept"), *body = xstrdup("body");
	const char *headers[] = {header, NULL};
	const struct http_request request = {.method = "POST", .url = url, .headers = headers, .body = body, .body_len = 4};
	struct error err = ERROR_INIT;
	auto_free char *seen = NULL;

	(void)state;
	assert_int_equal(http_submit(client, &request, detach, &seen, &err), 0);
	memset(url, '?', strlen(url));
	memset(header, '?', strlen(header));
	memset(body, '?', strlen(body));
	free(url);
	free(header);
	free(body);
	drive_all();
	assert_non_null(strstr(seen, "X-Test: kept\r\n"));
	assert_non_null(strstr(seen, "\r\n\r\nbody"));
}

static void test_drive_without_work_returns_at_once(void **state)
{
	struct error err = ERROR_INIT;
	int64_t start = clock_monotonic_ms();

	(void)state;
	assert_int_equal(http_drive(client, 5000, &err), 0);
	assert_true(clock_monotonic_ms() - start < 1000);
}

static void test_drive_waits_no_longer_than_told(void **state)
{
	struct error err = ERROR_INIT;
	struct tally tally = {0};
	int64_t start;

	(void)state;
	submit(url_of("/silent"), count, &tally);
	/* The first calls are busy with connecting and sending. */
	for (int i = 0; i < 5; i++)
		assert_int_equal(http_drive(client, 50, &err), 0);
	start = clock_monotonic_ms();
	assert_int_equal(http_drive(client, 100, &err), 0);
	assert_true(clock_monotonic_ms() - start < 900);
	assert_int_equal(http_in_flight(client), 1);
}

static void test_cancel_drops_everything_without_calling_back(void **state)
{
	auto_answer struct answer answer = ANSWER_INIT;
	struct error err = ERROR_INIT;
	struct tally tally = {0};

	(void)state;
	for (int i = 0; i < 5; i++)
		submit(url_of("/silent"), count, &tally);
	assert_int_equal(http_drive(client, 50, &err), 0);
	http_cancel_all(client);
	assert_int_equal(http_in_flight(client), 0);
	get("/hello", &answer);
	assert_answered(&answer, 200, "hello world");
	assert_int_equal(tally.answered + tally.failed, 0);
}

static void cancel(struct http_response *response, const struct error *error, void *arg)
{
	count(response, error, arg);
	http_cancel_all(client);
}

/* As when the first fault ends the whole run. */
static void test_callback_may_cancel_the_rest(void **state)
{
	struct tally tally = {0};

	(void)state;
	for (int i = 0; i < 8; i++)
		submit(url_of("/slow/50"), cancel, &tally);
	drive_all();
	assert_int_equal(tally.answered, 1);
}

static void test_perform_ends_when_it_is_cancelled(void **state)
{
	auto_answer struct answer answer = ANSWER_INIT;
	struct tally tally = {0};

	(void)state;
	submit(url_of("/hello"), cancel, &tally);
	get("/silent", &answer);
	assert_failed(&answer, ERR_INTERRUPTED, "cancelled");
}

static void on_alarm(int number)
{
	(void)number;
}

/* Ctrl-C must be seen at once, not after the wait. */
static void test_signal_ends_the_wait(void **state)
{
	struct sigaction action = {.sa_handler = on_alarm};
	struct error err = ERROR_INIT;
	struct tally tally = {0};
	int64_t start;

	(void)state;
	sigaction(SIGALRM, &action, NULL);
	submit(url_of("/silent"), count, &tally);
	for (int i = 0; i < 5; i++)
		assert_int_equal(http_drive(client, 50, &err), 0);
	start = clock_monotonic_ms();
	alarm(1);
	for (int i = 0; i < 40 && clock_monotonic_ms() - start < 900; i++)
		assert_int_equal(http_drive(client, 30000, &err), 0);
	assert_true(clock_monotonic_ms() - start < 10000);
	alarm(0);
}

static void test_client_can_be_freed_with_requests_in_flight(void **state)
{
	struct error err = ERROR_INIT;
	struct tally tally = {0};

	(void)state;
	submit(url_of("/silent"), count, &tally);
	submit(url_of("/stall"), count, &tally);
	assert_int_equal(http_drive(client, 50, &err), 0);
	/* By the tear-down. */
}

/* ---- TLS, against openssl's own server; skipped where its command is missing ---- */

static struct {
	bool ready;
	pid_t pid;
	int port;
	char *ca, *other_ca, *cert, *key;
} tls;

static int start_tls_server(int port)
{
	auto_free char *accept = xasprintf("127.0.0.1:%d", port);

	tls.pid = fork();
	if (tls.pid != 0)
		return tls.pid < 0 ? -1 : 0;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!freopen("/dev/null", "r", stdin) || !freopen("s_server.log", "w", stdout) || !freopen("s_server.err", "w", stderr))
		_exit(1);
	execlp("openssl", "openssl", "s_server", "-accept", accept, "-cert", "server.pem", "-key", "server.key", "-www", "-Verify", "1",
		"-verify_return_error", "-CAfile", "client.pem", (char *)NULL);
	_exit(1);
}

#define NEW_CERTIFICATE(name, san)                                                                                                         \
	"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=" name " -addext subjectAltName=" san \
	" -keyout " name ".key -out " name ".pem >/dev/null 2>&1"

static int make_certificates(void)
{
	return system(NEW_CERTIFICATE("server", "DNS:kube.test,IP:127.0.0.1")) || system(NEW_CERTIFICATE("other", "DNS:other.test")) ||
		system(NEW_CERTIFICATE("client", "DNS:client.test"));
}

/* A new client that trusts the server as told; NULL for server_name: the URL's host. */
static void trust(const struct http_tls *settings)
{
	struct error err = ERROR_INIT;

	http_client_free(client);
	assert_int_equal(http_client_new(&client, settings, &err), 0);
}

static void get_tls(const char *host, struct answer *answer)
{
	auto_free char *url = xasprintf("https://%s:%d/", host, tls.port);
	const struct http_request request = {.method = "GET", .url = url, .timeout_ms = 10000};

	/* The server may still be starting. */
	for (int i = 0; i < 100; i++) {
		ask(&request, answer);
		if (answer->rc == 0 || !strstr(answer->err.text, "Failed to connect"))
			return;
		answer_release(answer);
		*answer = (struct answer)ANSWER_INIT;
		clock_sleep_ms(50);
	}
}

static int start_tls(void **state)
{
	if (support_enter_dir(state) < 0)
		return -1;
	if (make_certificates() != 0)
		return 0;
	tls.port = http_server_free_port();
	tls.ca = support_read_file("server.pem");
	tls.other_ca = support_read_file("other.pem");
	tls.cert = support_read_file("client.pem");
	tls.key = support_read_file("client.key");
	tls.ready = true;
	return start_tls_server(tls.port);
}

static int stop_tls(void **state)
{
	if (tls.pid > 0) {
		(void)kill(tls.pid, SIGKILL);
		(void)waitpid(tls.pid, NULL, 0);
	}
	free(tls.ca);
	free(tls.other_ca);
	free(tls.cert);
	free(tls.key);
	return support_leave_dir(state);
}

static void test_pinned_authority_and_client_certificate_are_accepted(void **state)
{
	const struct http_tls settings = {.ca = tls.ca, .cert = tls.cert, .key = tls.key};
	auto_answer struct answer answer = ANSWER_INIT;

	(void)state;
	if (!tls.ready)
		skip();
	trust(&settings);
	get_tls("127.0.0.1", &answer);
	assert_answered(&answer, 200, NULL);
}

/* Trying again does not help, and the hint says where to look. */
static void test_other_authority_is_refused_for_good(void **state)
{
	const struct http_tls settings = {.ca = tls.other_ca, .cert = tls.cert, .key = tls.key};
	auto_answer struct answer answer = ANSWER_INIT;

	(void)state;
	if (!tls.ready)
		skip();
	trust(&settings);
	get_tls("127.0.0.1", &answer);
	assert_failed(&answer, ERR_FAILED, "certificate");
	assert_string_not_equal(answer.err.hint, "");
}

static void test_unknown_authority_is_refused_by_default(void **state)
{
	const struct http_tls settings = {.cert = tls.cert, .key = tls.key};
	auto_answer struct answer answer = ANSWER_INIT;

	(void)state;
	if (!tls.ready)
		skip();
	trust(&settings);
	get_tls("127.0.0.1", &answer);
	assert_failed(&answer, ERR_FAILED, "certificate");
}

static void test_insecure_takes_any_certificate(void **state)
{
	const struct http_tls settings = {.insecure = true, .cert = tls.cert, .key = tls.key};
	auto_answer struct answer answer = ANSWER_INIT;

	(void)state;
	if (!tls.ready)
		skip();
	trust(&settings);
	get_tls("127.0.0.1", &answer);
	assert_answered(&answer, 200, NULL);
}

static void test_loopback_never_goes_to_a_proxy(void **state)
{
	const struct http_tls settings = {.insecure = true, .cert = tls.cert, .key = tls.key};
	auto_answer struct answer answer = ANSWER_INIT;

	(void)state;
	if (!tls.ready)
		skip();
	trust(&settings);
	get_tls("127.0.0.1", &answer);
	assert_answered(&answer, 200, NULL);
}

static void test_missing_client_certificate_is_refused_by_the_server(void **state)
{
	const struct http_tls settings = {.ca = tls.ca};
	auto_answer struct answer answer = ANSWER_INIT;

	(void)state;
	if (!tls.ready)
		skip();
	trust(&settings);
	get_tls("127.0.0.1", &answer);
	assert_int_equal(answer.rc, -1);
}

static void test_certificate_must_name_the_host(void **state)
{
	const struct http_tls settings = {.ca = tls.ca, .cert = tls.cert, .key = tls.key};
	auto_answer struct answer answer = ANSWER_INIT;

	(void)state;
	if (!tls.ready)
		skip();
	trust(&settings);
	get_tls("localhost", &answer);
	assert_failed(&answer, ERR_FAILED, "localhost");
}

/* kubectl's tls-server-name, for a tunnel to a server whose certificate knows only its own name. */
static void test_server_name_is_what_the_certificate_must_name(void **state)
{
	const struct http_tls settings = {.ca = tls.ca, .cert = tls.cert, .key = tls.key, .server_name = "kube.test"};
	auto_answer struct answer answer = ANSWER_INIT;

	(void)state;
	if (!tls.ready)
		skip();
	trust(&settings);
	get_tls("localhost", &answer);
	assert_answered(&answer, 200, NULL);
}

static void test_server_name_replaces_the_host(void **state)
{
	const struct http_tls settings = {.ca = tls.ca, .cert = tls.cert, .key = tls.key, .server_name = "wrong.test"};
	auto_answer struct answer answer = ANSWER_INIT;

	(void)state;
	if (!tls.ready)
		skip();
	trust(&settings);
	get_tls("127.0.0.1", &answer);
	assert_failed(&answer, ERR_FAILED, "wrong.test");
}

static void test_host_header_keeps_the_host_of_the_url(void **state)
{
	const struct http_tls settings = {.server_name = "kube.test"};
	auto_answer struct answer answer = ANSWER_INIT;
	auto_free char *want = xasprintf("\r\nHost: 127.0.0.1:%d\r\n", server.port);

	(void)state;
	trust(&settings);
	get("/echo", &answer);
	assert_answered(&answer, 200, NULL);
	assert_non_null(strstr(answer.response.body.buf, want));
	assert_null(strstr(answer.response.body.buf, "kube.test"));
}

static void test_broken_client_certificate_is_refused_for_good(void **state)
{
	const struct http_tls settings = {.ca = tls.ca, .cert = "not PEM", .key = "not PEM"};
	auto_answer struct answer answer = ANSWER_INIT;

	(void)state;
	if (!tls.ready)
		skip();
	trust(&settings);
	get_tls("127.0.0.1", &answer);
	assert_failed(&answer, ERR_FAILED, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, new_client, free_client)

int main(void)
{
	const struct CMUnitTest plain[] = {
		TEST(test_status_and_body_come_back),
		TEST(test_failure_status_is_an_answer),
		TEST(test_answer_without_a_body_is_empty),
		TEST(test_chunked_body_is_whole),
		TEST(test_redirect_is_not_followed),
		TEST(test_retry_after_is_in_milliseconds),
		TEST(test_retry_after_zero_is_not_none),
		TEST(test_retry_after_that_is_no_number_is_none),
		TEST(test_retry_after_is_five_minutes_at_most),
		cmocka_unit_test_setup_teardown(test_plain_http_never_goes_to_a_proxy, set_dead_proxy, unset_proxy),
		cmocka_unit_test_setup_teardown(test_plain_http_to_elsewhere_never_goes_to_a_proxy, set_dead_proxy, unset_proxy),
		cmocka_unit_test_setup_teardown(test_https_to_elsewhere_goes_to_the_proxy, set_proxy, unset_proxy),
		cmocka_unit_test_setup_teardown(test_https_to_what_no_proxy_names_goes_there_itself, set_proxy, unset_proxy),
		cmocka_unit_test_setup_teardown(test_a_proxy_without_a_port_is_at_that_of_its_scheme, set_proxy, unset_proxy),
		cmocka_unit_test_setup_teardown(test_no_message_shows_the_password_of_a_proxy, set_proxy, unset_proxy),
		TEST(test_times_are_measured),
		TEST(test_headers_and_body_go_out_as_given),
		TEST(test_requests_name_the_program),
		TEST(test_nothing_is_asked_for_that_was_not_given),
		TEST(test_post_without_a_body_has_length_zero),
		TEST(test_delete_may_have_a_body_or_none),
		TEST(test_head_does_not_wait_for_a_body),
		TEST(test_nothing_of_a_request_is_left_for_the_next),
		TEST(test_line_break_in_a_header_is_refused),
		TEST(test_other_schemes_are_refused),
		TEST(test_password_in_a_url_is_refused),
		TEST(test_dots_in_a_path_are_sent_as_they_are),
		TEST(test_escape_leaves_unreserved_bytes_only),
		TEST(test_cut_body_is_no_answer),
		TEST(test_missing_last_chunk_is_no_answer),
		TEST(test_closed_connection_is_unavailable),
		TEST(test_refused_connection_is_unavailable),
		TEST(test_unknown_host_is_unavailable),
		TEST(test_body_of_just_the_limit_is_taken),
		TEST(test_larger_body_is_refused),
		TEST(test_client_goes_on_after_a_refused_body),
		TEST(test_stalled_transfer_is_given_up),
		TEST(test_server_that_says_nothing_is_given_up),
		TEST(test_timeout_bounds_the_whole_request),
		TEST(test_slow_answer_within_the_limits_is_taken),
		TEST(test_on_data_gets_the_body_in_pieces),
		TEST(test_body_of_a_failure_goes_to_the_response),
		TEST(test_on_data_can_stop_the_transfer),
		TEST(test_twenty_in_flight_are_all_answered_together),
		TEST(test_many_to_a_closed_port_all_fail),
		TEST(test_callback_may_submit_more),
		TEST(test_callback_of_a_failure_may_submit_more),
		TEST(test_callback_may_perform),
		TEST(test_perform_moves_the_others_on),
		TEST(test_callback_may_take_the_body),
		TEST(test_request_is_copied),
		TEST(test_drive_without_work_returns_at_once),
		TEST(test_drive_waits_no_longer_than_told),
		TEST(test_cancel_drops_everything_without_calling_back),
		TEST(test_callback_may_cancel_the_rest),
		TEST(test_perform_ends_when_it_is_cancelled),
		TEST(test_signal_ends_the_wait),
		TEST(test_client_can_be_freed_with_requests_in_flight),
		TEST(test_host_header_keeps_the_host_of_the_url),
	};
	const struct CMUnitTest secured[] = {
		TEST(test_pinned_authority_and_client_certificate_are_accepted),
		TEST(test_other_authority_is_refused_for_good),
		TEST(test_unknown_authority_is_refused_by_default),
		TEST(test_insecure_takes_any_certificate),
		cmocka_unit_test_setup_teardown(test_loopback_never_goes_to_a_proxy, set_dead_proxy, unset_proxy),
		TEST(test_missing_client_certificate_is_refused_by_the_server),
		TEST(test_certificate_must_name_the_host),
		TEST(test_server_name_is_what_the_certificate_must_name),
		TEST(test_server_name_replaces_the_host),
		TEST(test_broken_client_certificate_is_refused_for_good),
	};
	int failed = cmocka_run_group_tests(plain, start_server, stop_server);

	return failed + cmocka_run_group_tests(secured, start_tls, stop_tls);
}
