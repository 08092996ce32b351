/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_api.h"
#include "kube/client.h"
#include "kube/discovery.h"
#include "kube/kubeconfig.h"
#include "kube/object_api.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/json.h"
#include "util/mem.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* A client of a scripted server. */
struct fixture {
	struct fake_api *api;
	struct kube_config config;
	struct kube_client *client;
	struct error err;
};

static void start(struct fixture *f, const struct fake_exchange *script, size_t count)
{
	f->api = fake_api_start(script, count);
	f->config.server = xstrdup(fake_api_url(f->api));
	f->config.namespace_ = xstrdup("default");
	f->config.source = xstrdup("context 'test'");
	assert_int_equal(kube_client_new(&f->client, &f->config, &f->err), 0);
}

static void stop(struct fixture *f)
{
	kube_client_free(f->client);
	fake_api_stop(f->api);
	free(f->config.server);
	free(f->config.namespace_);
	free(f->config.source);
	free(f->config.token);
	free(f->config.token_file);
	kube_exec_free(f->config.exec);
	strlist_release(&f->config.impersonate);
}

static int call(struct fixture *f, const char *method, int64_t deadline_ms, json_t **out)
{
	auto_json json_t *body = strcmp(method, "GET") == 0 ? NULL : json_object();
	struct kube_request request = {.method = method, .path = "/x", .body = body, .deadline_ms = deadline_ms};

	return kube_call(f->client, &request, out, &f->err);
}

/* One request, one answer: the code and the text of the error. */
static void assert_error(int status, const char *body, enum error_code code, const char *text)
{
	const struct fake_exchange script[] = {{.status = status, .body = body}};
	struct fixture f = {0};

	start(&f, script, COUNT(script));
	assert_int_equal(call(&f, "POST", 0, NULL), -1);
	assert_string_equal(f.err.text, text);
	assert_int_equal(f.err.code, code);
	assert_int_equal(kube_request_count(f.client), 1);
	stop(&f);
}

#define STATUS(reason, message)                                                                                                            \
	"{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\",\"reason\":\"" reason "\",\"message\":\"" message "\"}"

static void test_errors_say_what_the_server_said(void **state)
{
	(void)state;
	assert_error(403, STATUS("Forbidden", "no, you may not"), ERR_FORBIDDEN, "no, you may not");
	assert_error(401, STATUS("Unauthorized", "Unauthorized"), ERR_UNAUTHORIZED, "Unauthorized");
	assert_error(404, STATUS("NotFound", "not here"), ERR_NOT_FOUND, "not here");
	assert_error(409, STATUS("AlreadyExists", "there"), ERR_EXISTS, "there");
	assert_error(409, STATUS("Conflict", "changed"), ERR_CONFLICT, "changed");
	assert_error(410, STATUS("Expired", "too old"), ERR_GONE, "too old");
	assert_error(422, STATUS("Invalid", "bad"), ERR_REJECTED, "bad");
	assert_error(503, STATUS("ServiceUnavailable", "later"), ERR_UNAVAILABLE, "later");
}

/* This 500 comes again however often it is asked (facts: control-plane.md, section 4). */
static void test_a_resource_version_on_create_is_rejected(void **state)
{
	(void)state;
	assert_error(500, STATUS("", "resourceVersion should not be set on objects to be created"), ERR_REJECTED,
		"resourceVersion should not be set on objects to be created");
}

/* A webhook that was asked and denied it, or whose patch does not fit, does so again; one that cannot be asked may be up the next time. */
static void test_a_500_is_final_only_when_a_webhook_was_asked(void **state)
{
	static const struct {
		const char *reason, *text;
		enum error_code code;
	} cases[] = {{"", "admission webhook 'v.kserve' denied the request: bad", ERR_REJECTED},
		{"InternalError", "Internal error occurred: jsonpatch add operation does not apply", ERR_REJECTED},
		{"InternalError", "failed calling webhook 'v.kserve': connection refused", ERR_UNAVAILABLE},
		{"InternalError", "etcdserver: leader changed", ERR_UNAVAILABLE}};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		auto_free char *body =
			xasprintf("{\"kind\":\"Status\",\"reason\":\"%s\",\"message\":\"%s\"}", cases[i].reason, cases[i].text);

		assert_error(500, body, cases[i].code, cases[i].text);
	}
}

static void test_errors_without_status_give_the_http_status(void **state)
{
	(void)state;
	assert_error(
		404, "404 page not found\n", ERR_NOT_FOUND, "the server answered with HTTP status 404 (Not Found): 404 page not found");
	assert_error(502, "<html>bad gateway</html>", ERR_UNAVAILABLE, "the server answered with HTTP status 502");
	assert_error(400, NULL, ERR_REJECTED, "the server answered with HTTP status 400");
	assert_error(302, NULL, ERR_REJECTED, "the server answered with HTTP status 302");
}

static void test_server_text_cannot_command_the_terminal(void **state)
{
	(void)state;
	assert_error(403, STATUS("Forbidden", "a\\u001b[31mb\\nc"), ERR_FORBIDDEN, "a\\x1B[31mb\\nc");
}

static void test_long_server_text_is_cut(void **state)
{
	char body[4096] = "{\"message\":\"";
	const struct fake_exchange script[] = {{.status = 400, .body = body}};
	struct fixture f = {0};

	(void)state;
	memset(body + strlen(body), 'x', 2000);
	(void)strcat(body, "\"}");
	start(&f, script, COUNT(script));
	assert_int_equal(call(&f, "GET", 0, NULL), -1);
	assert_in_range(strlen(f.err.text), 490, 510);
	stop(&f);
}

static void test_redirects_are_not_followed(void **state)
{
	const struct fake_exchange script[] = {{.status = 302, .headers = "Location: /y\r\n"}, {.status = 200, .body = "{}"}};
	struct fixture f = {0};

	(void)state;
	start(&f, script, COUNT(script));
	assert_int_equal(call(&f, "GET", 0, NULL), -1);
	assert_int_equal(f.err.code, ERR_REJECTED);
	assert_non_null(strstr(f.err.hint, "redirects"));
	assert_int_equal(fake_api_seen(f.api, "GET /"), 1);
	stop(&f);
}

/* ---- tries ---- */

static void test_429_waits_as_long_as_told(void **state)
{
	const struct fake_exchange script[] = {
		{.status = 429, .headers = "Retry-After: 1\r\n", .body = STATUS("TooManyRequests", "slow down")},
		{.status = 200, .body = "{\"a\":1}"},
	};
	struct fixture f = {0};
	auto_json json_t *out = NULL;
	int64_t before = clock_monotonic_ms();

	(void)state;
	start(&f, script, COUNT(script));
	assert_int_equal(call(&f, "POST", 0, &out), 0);
	assert_int_equal(json_integer_value(json_at(out, "a", NULL)), 1);
	assert_int_equal(f.err.code, ERR_NONE);
	assert_true(clock_monotonic_ms() - before >= 1000);
	assert_int_equal(kube_request_count(f.client), 2);
	stop(&f);
}

/* To wait longer than the deadline is to give up at once. */
static void test_a_wait_beyond_the_deadline_gives_up(void **state)
{
	const struct fake_exchange script[] = {{.status = 429, .headers = "Retry-After: 30\r\n", .body = STATUS("", "slow down")}};
	struct fixture f = {0};
	int64_t before = clock_monotonic_ms();

	(void)state;
	start(&f, script, COUNT(script));
	assert_int_equal(call(&f, "GET", 2000, NULL), -1);
	assert_int_equal(f.err.code, ERR_UNAVAILABLE);
	assert_true(clock_monotonic_ms() - before < 1000);
	stop(&f);
}

static void test_a_get_goes_on_after_faults(void **state)
{
	const struct fake_exchange script[] = {
		{.status = 500, .body = STATUS("InternalError", "oops")},
		{.status = 0},
		{.status = 200, .body = "{\"a\":[1,2,3]}", .cut = 6},
		{.status = 200, .body = "{\"a\":[1,"},
		{.status = 200, .body = "{\"a\":[1,2,3]}"},
	};
	struct fixture f = {0};
	auto_json json_t *out = NULL;

	(void)state;
	start(&f, script, COUNT(script));
	assert_int_equal(call(&f, "GET", 0, &out), 0);
	assert_int_equal(json_array_size(json_at(out, "a", NULL)), 3);
	assert_int_equal(fake_api_seen(f.api, "GET /x "), 5);
	stop(&f);
}

/* A server that speaks no JSON will not learn it. */
static void test_malformed_answers_are_not_asked_for_for_ever(void **state)
{
	const struct fake_exchange script[] = {
		{.status = 200, .body = "{"}, {.status = 200, .body = "{"}, {.status = 200, .body = "{"}, {.status = 200, .body = "{}"}};
	struct fixture f = {0};
	auto_json json_t *out = NULL;

	(void)state;
	start(&f, script, COUNT(script));
	assert_int_equal(call(&f, "GET", 0, &out), -1);
	assert_non_null(strstr(f.err.text, "after 3 tries: the answer is not complete JSON"));
	assert_null(out);
	stop(&f);
}

static void test_a_login_page_is_not_json(void **state)
{
	const struct fake_exchange script[] = {{.status = 200, .body = "<html>log in</html>"}};
	struct fixture f = {0};
	auto_json json_t *out = NULL;

	(void)state;
	start(&f, script, COUNT(script));
	assert_int_equal(call(&f, "GET", 0, &out), -1);
	assert_string_equal(f.err.text, "the answer is not JSON");
	assert_int_equal(f.err.code, ERR_REJECTED);
	stop(&f);
}

/* What the server has answered with 500 may be done all the same. */
static void test_a_post_is_not_sent_again_after_500(void **state)
{
	const struct fake_exchange script[] = {{.status = 500}, {.status = 201, .body = "{}"}};
	struct fixture f = {0};

	(void)state;
	start(&f, script, COUNT(script));
	assert_int_equal(call(&f, "POST", 0, NULL), -1);
	assert_int_equal(kube_request_count(f.client), 1);
	stop(&f);
}

/* The answer was cut off, but there was one: the object is there. */
static void test_a_post_with_a_cut_answer_is_not_sent_again(void **state)
{
	const struct fake_exchange script[] = {{.status = 201, .body = "{\"a\":1}", .cut = 3}, {.status = 201, .body = "{}"}};
	auto_json json_t *out = NULL;
	struct fixture f = {0};

	(void)state;
	start(&f, script, COUNT(script));
	assert_int_equal(call(&f, "POST", 0, &out), -1);
	assert_int_equal(f.err.code, ERR_UNAVAILABLE);
	assert_int_equal(kube_request_count(f.client), 1);
	stop(&f);
}

/* A real server does that when it refuses a request before it has read its body. */
static void test_a_401_with_a_cut_answer_is_a_401(void **state)
{
	const struct fake_exchange script[] = {{.status = 401, .body = STATUS("Unauthorized", "Unauthorized"), .cut = 20}};
	struct fixture f = {0};

	(void)state;
	start(&f, script, COUNT(script));
	assert_int_equal(call(&f, "POST", 0, NULL), -1);
	assert_int_equal(f.err.code, ERR_UNAUTHORIZED);
	assert_non_null(strstr(f.err.text, "HTTP status 401"));
	assert_non_null(strstr(f.err.hint, "does not accept the credentials"));
	stop(&f);
}

/* Refused is refused, whatever was lost of the reason; what is not may have been carried out. */
static void test_a_refusal_with_a_cut_answer_is_one(void **state)
{
	static const struct {
		int status;
		enum error_code code;
		const char *text;
	} cases[] = {{400, ERR_REJECTED, "HTTP status 400"}, {403, ERR_FORBIDDEN, "HTTP status 403 (Forbidden)"},
		{404, ERR_NOT_FOUND, "HTTP status 404"}, {409, ERR_CONFLICT, "HTTP status 409"}, {410, ERR_GONE, "HTTP status 410"},
		{413, ERR_REJECTED, "HTTP status 413 (Content Too Large)"}, {422, ERR_REJECTED, "HTTP status 422"},
		{500, ERR_UNAVAILABLE, "no complete answer"}, {200, ERR_UNAVAILABLE, "no complete answer"}};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct fake_exchange script[] = {
			{.status = cases[i].status, .body = STATUS("Reason", "of which nothing comes"), .cut = 1}};
		struct fixture f = {0};

		start(&f, script, COUNT(script));
		assert_int_equal(call(&f, "POST", 0, NULL), -1);
		assert_int_equal(f.err.code, cases[i].code);
		if (!strstr(f.err.text, cases[i].text))
			assert_string_equal(f.err.text, cases[i].text);
		assert_int_equal(kube_request_count(f.client), 1);
		stop(&f);
	}
}

static void test_a_busy_server_with_a_cut_answer_is_asked_again(void **state)
{
	const struct fake_exchange script[] = {
		{.status = 429, .headers = "Retry-After: 0\r\n", .body = STATUS("TooManyRequests", "later"), .cut = 1},
		{.status = 201, .body = "{}"}};
	struct fixture f = {0};

	(void)state;
	start(&f, script, COUNT(script));
	assert_int_equal(call(&f, "POST", 0, NULL), 0);
	assert_int_equal(kube_request_count(f.client), 2);
	stop(&f);
}

static void test_a_review_with_a_cut_answer_is_sent_again(void **state)
{
	const struct fake_exchange script[] = {{.status = 201, .body = "{\"a\":1}", .cut = 3}, {.status = 201, .body = "{}"}};
	const struct kube_request request = {.method = "POST", .path = "/x", .changes_nothing = true};
	struct fixture f = {0};

	(void)state;
	start(&f, script, COUNT(script));
	assert_int_equal(kube_call(f.client, &request, NULL, &f.err), 0);
	assert_int_equal(kube_request_count(f.client), 2);
	stop(&f);
}

static void test_a_post_without_an_answer_is_sent_again(void **state)
{
	const struct fake_exchange script[] = {{.status = 0}, {.status = 201, .body = "{}"}};
	struct fixture f = {0};

	(void)state;
	start(&f, script, COUNT(script));
	assert_int_equal(call(&f, "POST", 0, NULL), 0);
	assert_int_equal(kube_request_count(f.client), 2);
	stop(&f);
}

static void test_the_deadline_ends_the_tries(void **state)
{
	const struct fake_exchange script[] = {{.status = 503}, {.status = 503}, {.status = 503}, {.status = 503}, {.status = 503},
		{.status = 503}, {.status = 503}, {.status = 503}};
	struct fixture f = {0};
	int64_t before = clock_monotonic_ms();

	(void)state;
	start(&f, script, COUNT(script));
	assert_int_equal(call(&f, "GET", 700, NULL), -1);
	assert_int_equal(f.err.code, ERR_UNAVAILABLE);
	assert_true(clock_monotonic_ms() - before < 1500);
	assert_true(kube_request_count(f.client) >= 2);
	stop(&f);
}

/* ---- credentials ---- */

static void token_write(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void token_start(struct fixture *f, char *path, const struct fake_exchange *script, size_t count)
{
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	token_write(path, "old\n");
	start(f, script, count);
	f->config.token_file = xstrdup(path);
}

static void test_a_static_token_is_sent(void **state)
{
	const struct fake_exchange script[] = {{.status = 200, .body = "{}"}};
	struct fixture f = {0};

	(void)state;
	start(&f, script, COUNT(script));
	f.config.token = xstrdup("t0k");
	assert_int_equal(call(&f, "GET", 0, NULL), 0);
	assert_int_equal(fake_api_seen(f.api, "Authorization: Bearer t0k\r\n"), 1);
	assert_int_equal(fake_api_seen(f.api, "Accept: application/json\r\n"), 1);
	assert_int_equal(fake_api_seen(f.api, "User-Agent: rhaii-dr/"), 1);
	stop(&f);
}

static void test_a_rotated_token_is_read_again(void **state)
{
	const struct fake_exchange script[] = {{.status = 200, .body = "{}"}, {.status = 200, .body = "{}"}};
	char path[] = "/tmp/rhaii-token-XXXXXX";
	struct fixture f = {0};

	(void)state;
	token_start(&f, path, script, COUNT(script));
	assert_int_equal(call(&f, "GET", 0, NULL), 0);
	token_write(path, "rotated");
	assert_int_equal(call(&f, "GET", 0, NULL), 0);
	assert_int_equal(fake_api_seen(f.api, "Authorization: Bearer old\r\n"), 1);
	assert_int_equal(fake_api_seen(f.api, "Authorization: Bearer rotated\r\n"), 1);
	assert_int_equal(unlink(path), 0);
	stop(&f);
}

/* The file can have a new token while it looks unchanged (same size, same clock tick): a 401 is the proof. */
static void test_401_reads_the_token_again_once(void **state)
{
	const struct fake_exchange script[] = {{.status = 401, .body = STATUS("Unauthorized", "Unauthorized")},
		{.status = 401, .body = STATUS("Unauthorized", "Unauthorized")}};
	char path[] = "/tmp/rhaii-token-XXXXXX";
	struct fixture f = {0};

	(void)state;
	token_start(&f, path, script, COUNT(script));
	assert_int_equal(call(&f, "POST", 0, NULL), -1);
	assert_string_equal(f.err.text, "after 2 tries: Unauthorized");
	assert_int_equal(f.err.code, ERR_UNAUTHORIZED);
	assert_non_null(strstr(f.err.hint, "context 'test'"));
	assert_int_equal(unlink(path), 0);
	stop(&f);
}

static void test_a_token_file_that_is_away_leaves_the_old_token(void **state)
{
	const struct fake_exchange script[] = {{.status = 200, .body = "{}"}, {.status = 200, .body = "{}"}};
	char path[] = "/tmp/rhaii-token-XXXXXX";
	struct fixture f = {0};

	(void)state;
	token_start(&f, path, script, COUNT(script));
	assert_int_equal(call(&f, "GET", 0, NULL), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(call(&f, "GET", 0, NULL), 0);
	assert_int_equal(fake_api_seen(f.api, "Authorization: Bearer old\r\n"), 2);
	stop(&f);
}

static void test_a_token_with_a_line_break_is_not_sent(void **state)
{
	const struct fake_exchange script[] = {{.status = 200, .body = "{}"}};
	char path[] = "/tmp/rhaii-token-XXXXXX";
	struct fixture f = {0};

	(void)state;
	token_start(&f, path, script, COUNT(script));
	token_write(path, "a\r\nX-Other: b");
	assert_int_equal(call(&f, "GET", 0, NULL), -1);
	assert_int_equal(f.err.code, ERR_USAGE);
	assert_int_equal(kube_request_count(f.client), 0);
	assert_int_equal(unlink(path), 0);
	stop(&f);
}

struct answers {
	size_t good, bad;
	enum error_code code;
	int64_t retry_after_ms;
};

static void answered(json_t *body, const struct error *error, int64_t retry_after_ms, void *arg)
{
	struct answers *answers = arg;

	if (!error) {
		assert_non_null(body);
		answers->good++;
		return;
	}
	answers->bad++;
	answers->code = error->code;
	answers->retry_after_ms = retry_after_ms;
}

/* ---- impersonation ---- */

static void test_impersonation_is_in_every_request(void **state)
{
	const struct fake_exchange script[] = {{.status = 200, .body = "{}"}, {.status = 200, .body = "{}"}};
	struct fixture f = {0};

	(void)state;
	strlist_add(&f.config.impersonate, "Impersonate-User: jane");
	strlist_add(&f.config.impersonate, "Impersonate-Group: a");
	strlist_add(&f.config.impersonate, "Impersonate-Group: b");
	start(&f, script, COUNT(script));
	assert_int_equal(call(&f, "GET", 0, NULL), 0);
	assert_int_equal(call(&f, "POST", 0, NULL), 0);
	assert_int_equal(fake_api_seen(f.api, "Impersonate-User: jane\r\n"), 2);
	assert_int_equal(fake_api_seen(f.api, "Impersonate-Group: a\r\n"), 2);
	assert_int_equal(fake_api_seen(f.api, "Impersonate-Group: b\r\n"), 2);
	stop(&f);
}

/* ---- exec plugins ---- */

#define CREDENTIAL(status) "{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\"status\":" status "}"
/* A plugin that counts its runs in the file RUNS and says "t1", "t2", ... */
#define COUNTING(more)                                                                                                                     \
	"echo >>\"$RUNS\"; n=$(wc -l <\"$RUNS\"); printf '%s' "                                                                            \
	"'{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\","                                                \
	"\"status\":{\"token\":\"t'$n'\"" more "}}'"

/* A shell script as plugin, in the place of the real ones; runs is the path of a new file. */
static void exec_start(struct fixture *f, char *runs, const char *plugin, const struct fake_exchange *script, size_t count)
{
	auto_free char *variable = NULL;
	int fd = mkstemp(runs);

	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	variable = xasprintf("RUNS=%s", runs);
	f->config.exec = xcalloc(1, sizeof(*f->config.exec));
	f->config.exec->user = xstrdup("user 'u' in 'f'");
	f->config.exec->api_version = xstrdup("client.authentication.k8s.io/v1");
	f->config.exec->command = xstrdup("sh");
	strlist_add(&f->config.exec->args, "-c");
	strlist_add(&f->config.exec->args, plugin);
	strlist_add(&f->config.exec->variables, variable);
	start(f, script, count);
}

static void exec_stop(struct fixture *f, const char *runs)
{
	assert_int_equal(unlink(runs), 0);
	stop(f);
}

static void test_a_plugin_is_run_once(void **state)
{
	const struct fake_exchange script[] = {{.status = 200, .body = "{}"}, {.status = 200, .body = "{}"}};
	char runs[] = "/tmp/rhaii-runs-XXXXXX";
	struct fixture f = {0};

	(void)state;
	exec_start(&f, runs, COUNTING(",\"expirationTimestamp\":\"2999-01-01T00:00:00Z\""), script, COUNT(script));
	assert_int_equal(call(&f, "GET", 0, NULL), 0);
	assert_int_equal(call(&f, "GET", 0, NULL), 0);
	assert_int_equal(fake_api_seen(f.api, "Authorization: Bearer t1\r\n"), 2);
	exec_stop(&f, runs);
}

static void test_a_plugin_is_run_again_when_its_token_has_expired(void **state)
{
	const struct fake_exchange script[] = {{.status = 200, .body = "{}"}, {.status = 200, .body = "{}"}};
	char runs[] = "/tmp/rhaii-runs-XXXXXX";
	struct fixture f = {0};

	(void)state;
	exec_start(&f, runs, COUNTING(",\"expirationTimestamp\":\"2020-01-01T00:00:00.5+01:00\""), script, COUNT(script));
	assert_int_equal(call(&f, "GET", 0, NULL), 0);
	assert_int_equal(call(&f, "GET", 0, NULL), 0);
	assert_int_equal(fake_api_seen(f.api, "Authorization: Bearer t1\r\n"), 1);
	assert_int_equal(fake_api_seen(f.api, "Authorization: Bearer t2\r\n"), 1);
	exec_stop(&f, runs);
}

static void test_401_runs_the_plugin_again_once(void **state)
{
	const struct fake_exchange script[] = {{.status = 401, .body = STATUS("Unauthorized", "Unauthorized")},
		{.status = 401, .body = STATUS("Unauthorized", "Unauthorized")}, {.status = 200, .body = "{}"}};
	char runs[] = "/tmp/rhaii-runs-XXXXXX";
	struct fixture f = {0};

	(void)state;
	exec_start(&f, runs, COUNTING(""), script, COUNT(script));
	assert_int_equal(call(&f, "GET", 0, NULL), -1);
	assert_string_equal(f.err.text, "after 2 tries: Unauthorized");
	assert_int_equal(fake_api_seen(f.api, "Authorization: Bearer t2\r\n"), 1);
	/* The next request does not believe in t2 either. */
	assert_int_equal(call(&f, "GET", 0, NULL), 0);
	assert_int_equal(fake_api_seen(f.api, "Authorization: Bearer t3\r\n"), 1);
	exec_stop(&f, runs);
}

/* Requests that were refused together are one reason to ask the plugin, not three. */
static void test_requests_refused_together_run_the_plugin_once(void **state)
{
	const struct fake_exchange script[] = {{.path = "/x", .status = 401}, {.path = "/x", .status = 401}, {.path = "/x", .status = 401},
		{.path = "/y", .status = 200, .body = "{}"}};
	struct kube_request request = {.method = "GET", .path = "/x"};
	char runs[] = "/tmp/rhaii-runs-XXXXXX";
	struct answers answers = {0};
	struct fixture f = {0};

	(void)state;
	exec_start(&f, runs, COUNTING(""), script, COUNT(script));
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(kube_send(f.client, &request, answered, &answers, &f.err), 0);
	while (kube_in_flight(f.client) > 0)
		assert_int_equal(kube_drive(f.client, 1000, &f.err), 0);
	assert_int_equal(answers.bad, 3);
	request.path = "/y";
	assert_int_equal(kube_call(f.client, &request, NULL, &f.err), 0);
	assert_int_equal(fake_api_seen(f.api, "Authorization: Bearer t2\r\n"), 1);
	exec_stop(&f, runs);
}

/* Another certificate is another transport; what is under way on the old one comes to its end there, or is cancelled with the rest. */
static void test_requests_outlive_the_certificate_they_went_out_with(void **state)
{
	const struct fake_exchange script[] = {{.path = "/x", .status = 200, .body = "{}"}, {.path = "/x", .status = 200, .body = "{}"},
		{.path = "/x", .status = 200, .body = "{}"}, {.path = "/y", .status = 200, .body = "{}"},
		{.path = "/z", .status = 200, .hold = true}, {.path = "/z", .status = 200, .hold = true}};
	static const char plugin[] =
		"echo >>\"$RUNS\"; n=$(wc -l <\"$RUNS\"); printf '%s' '{\"apiVersion\":\"client.authentication.k8s.io/v1\","
		"\"kind\":\"ExecCredential\",\"status\":{\"clientCertificateData\":\"-----BEGIN '$n'\",\"clientKeyData\":"
		"\"-----BEGIN '$n'\",\"expirationTimestamp\":\"2020-01-01T00:00:00Z\"}}'";
	struct kube_request request = {.method = "GET", .path = "/x"};
	char runs[] = "/tmp/rhaii-runs-XXXXXX";
	struct answers answers = {0};
	struct fixture f = {0};

	(void)state;
	exec_start(&f, runs, plugin, script, COUNT(script));
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(kube_send(f.client, &request, answered, &answers, &f.err), 0);
	assert_int_equal(kube_in_flight(f.client), 3);
	while (kube_in_flight(f.client) > 0)
		assert_int_equal(kube_drive(f.client, 1000, &f.err), 0);
	assert_int_equal(answers.good, 3);
	request.path = "/y";
	assert_int_equal(kube_call(f.client, &request, NULL, &f.err), 0);
	request.path = "/z";
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(kube_send(f.client, &request, answered, &answers, &f.err), 0);
	kube_cancel_all(f.client);
	assert_int_equal(kube_in_flight(f.client), 0);
	assert_int_equal(answers.good + answers.bad, 3);
	exec_stop(&f, runs);
}

/* What the plugin prints is wrong: the message says how, and shows nothing of it. */
static void assert_plugin_fault(const char *plugin, const char *text)
{
	const struct fake_exchange script[] = {{.status = 200, .body = "{}"}};
	auto_free char *expected = xasprintf("exec plugin 'sh' of user 'u' in 'f': %s", text);
	char runs[] = "/tmp/rhaii-runs-XXXXXX";
	struct fixture f = {0};

	exec_start(&f, runs, plugin, script, COUNT(script));
	assert_int_equal(call(&f, "GET", 0, NULL), -1);
	assert_string_equal(f.err.text, expected);
	assert_int_equal(f.err.code, ERR_FAILED);
	assert_true(strlen(f.err.hint) > 0);
	assert_int_equal(kube_request_count(f.client), 0);
	exec_stop(&f, runs);
}

static void test_wrong_plugins_are_told_apart(void **state)
{
	(void)state;
	assert_plugin_fault("exit 7", "'sh' failed with exit code 7");
	assert_plugin_fault("kill -9 $$", "'sh' was ended by signal 9");
	assert_plugin_fault("true", "it printed nothing");
	assert_plugin_fault("echo secret", "it printed what is not JSON");
	assert_plugin_fault("echo '{\"kind\":\"Secret\"}'", "it printed no ExecCredential");
	assert_plugin_fault("echo '{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1beta1\"}'",
		"it printed an ExecCredential of another version than client.authentication.k8s.io/v1");
	assert_plugin_fault("echo '" CREDENTIAL("null") "'", "it printed no status");
	assert_plugin_fault("echo '" CREDENTIAL("{}") "'", "it printed neither a token nor a certificate");
	assert_plugin_fault(
		"echo '" CREDENTIAL("{\"token\":\"a b\"}") "'", "its status.token has blanks or other characters that no token has");
	assert_plugin_fault("echo '" CREDENTIAL("{\"token\":\"a\",\"expirationTimestamp\":\"soon\"}") "'",
		"its status.expirationTimestamp is not a time such as 2026-11-20T14:00:00Z");
	assert_plugin_fault("echo '" CREDENTIAL("{\"clientCertificateData\":\"x\"}") "'", "its status.clientCertificateData is not PEM");
	assert_plugin_fault(
		"echo '" CREDENTIAL("{\"clientCertificateData\":\"-----BEGIN X-----\"}") "'", "it printed a certificate without its key");
}

/* ---- many in flight ---- */

static void test_send_tries_once_and_tells(void **state)
{
	const struct fake_exchange script[] = {{.path = "/a", .status = 201, .body = "{}"}, {.path = "/b", .status = 201, .body = "{}"},
		{.path = "/c", .status = 429, .headers = "Retry-After: 7\r\n"}};
	static const char *const paths[] = {"/a", "/b", "/c"};
	auto_json json_t *body = json_pack("{s:s}", "k", "v");
	struct answers answers = {0};
	struct fixture f = {0};

	(void)state;
	start(&f, script, COUNT(script));
	for (size_t i = 0; i < COUNT(paths); i++) {
		struct kube_request request = {.method = "POST", .path = paths[i], .body = body};

		assert_int_equal(kube_send(f.client, &request, answered, &answers, &f.err), 0);
	}
	while (kube_in_flight(f.client) > 0)
		assert_int_equal(kube_drive(f.client, 1000, &f.err), 0);
	assert_int_equal(answers.good, 2);
	assert_int_equal(answers.bad, 1);
	assert_int_equal(answers.code, ERR_UNAVAILABLE);
	assert_int_equal(answers.retry_after_ms, 7000);
	assert_int_equal(fake_api_seen(f.api, "{\"k\":\"v\"}"), 3);
	assert_int_equal(fake_api_seen(f.api, "Content-Type: application/json\r\n"), 3);
	stop(&f);
}

/* ---- expected ---- */

static const struct kube_request get_a = {.method = "GET", .path = "/a"}, get_b = {.method = "GET", .path = "/b"};

static void expect_text(struct fixture *f, const struct kube_request *request, const char *expected)
{
	auto_json json_t *got = NULL;

	assert_int_equal(kube_call(f->client, request, &got, &f->err), 0);
	assert_string_equal(json_text_at(got, "is", NULL), expected);
}

/* Both are on their way before the first is called for; a second call asks anew. */
static void test_what_is_expected_is_taken_once(void **state)
{
	const struct fake_exchange script[] = {{.path = "/a", .status = 200, .body = "{\"is\":\"a\"}"},
		{.path = "/b", .status = 200, .body = "{\"is\":\"b\"}"}, {.path = "/b", .status = 200, .body = "{\"is\":\"later\"}"}};
	struct fixture f = {0};

	(void)state;
	start(&f, script, COUNT(script));
	kube_expect(f.client, &get_b);
	expect_text(&f, &get_a, "a");
	expect_text(&f, &get_b, "b");
	assert_int_equal(kube_request_count(f.client), 2);
	expect_text(&f, &get_b, "later");
	assert_int_equal(kube_request_count(f.client), 3);
	stop(&f);
}

static void test_what_is_expected_by_another_accept_is_not_taken(void **state)
{
	const struct fake_exchange script[] = {
		{.path = "/a", .status = 200, .body = "{\"is\":\"table\"}"}, {.path = "/a", .status = 200, .body = "{\"is\":\"a\"}"}};
	const struct kube_request table = {.method = "GET", .path = "/a", .accept = "application/table"};
	struct fixture f = {0};

	(void)state;
	start(&f, script, COUNT(script));
	kube_expect(f.client, &table);
	expect_text(&f, &get_a, "a");
	kube_expect_end(f.client);
	stop(&f);
}

/* 503 may pass later: the call asks by itself, as ever. */
static void test_an_expected_answer_that_failed_is_asked_for_again(void **state)
{
	const struct fake_exchange script[] = {{.path = "/a", .status = 503}, {.path = "/a", .status = 200, .body = "{\"is\":\"a\"}"}};
	struct fixture f = {0};

	(void)state;
	start(&f, script, COUNT(script));
	kube_expect(f.client, &get_a);
	expect_text(&f, &get_a, "a");
	stop(&f);
}

static void test_an_expected_refusal_is_an_answer(void **state)
{
	const struct fake_exchange script[] = {{.path = "/a", .status = 403}};
	struct fixture f = {0};

	(void)state;
	start(&f, script, COUNT(script));
	kube_expect(f.client, &get_a);
	assert_int_equal(kube_call(f.client, &get_a, NULL, &f.err), -1);
	assert_int_equal(f.err.code, ERR_FORBIDDEN);
	assert_int_equal(kube_request_count(f.client), 1);
	stop(&f);
}

static void test_cancelled_requests_call_nobody(void **state)
{
	const struct fake_exchange script[] = {{.status = 200, .hold = true}};
	struct kube_request request = {.method = "GET", .path = "/a"};
	struct answers answers = {0};
	struct fixture f = {0};

	(void)state;
	start(&f, script, COUNT(script));
	assert_int_equal(kube_send(f.client, &request, answered, &answers, &f.err), 0);
	assert_int_equal(kube_drive(f.client, 50, &f.err), 0);
	kube_cancel_all(f.client);
	assert_int_equal(kube_in_flight(f.client), 0);
	assert_int_equal(answers.good + answers.bad, 0);
	stop(&f);
}

/* ---- single objects ---- */

static struct kube_resource config_maps = {.group = (char[]){""},
	.version = (char[]){"v1"},
	.resource = (char[]){"configmaps"},
	.kind = (char[]){"ConfigMap"},
	.namespaced = true};

static void test_merge_patch_asks_strictly(void **state)
{
	const struct fake_exchange script[] = {{.status = 200, .body = "{}"}};
	auto_json json_t *patch = json_pack("{s:{s:s}}", "data", "k", "v");
	struct fixture f = {0};

	(void)state;
	start(&f, script, COUNT(script));
	assert_int_equal(kube_merge_patch(f.client, &config_maps, "ns", "a", patch, true, NULL, &f.err), 0);
	assert_int_equal(
		fake_api_seen(f.api,
			"PATCH /api/v1/namespaces/ns/configmaps/a?fieldManager=rhaii-dr&fieldValidation=Strict&dryRun=All HTTP/1.1\r\n"),
		1);
	assert_int_equal(fake_api_seen(f.api, "Content-Type: application/merge-patch+json\r\n"), 1);
	stop(&f);
}

static void test_get_names_the_object(void **state)
{
	const struct fake_exchange script[] = {{.status = 404, .body = STATUS("NotFound", "not here")}};
	auto_json json_t *out = NULL;
	struct fixture f = {0};

	(void)state;
	start(&f, script, COUNT(script));
	assert_int_equal(kube_get(f.client, &config_maps, "ns", "a", &out, &f.err), -1);
	assert_int_equal(f.err.code, ERR_NOT_FOUND);
	assert_string_equal(f.err.text, "configmaps 'ns/a': not here");
	stop(&f);
}

static void test_create_path_is_strict(void **state)
{
	auto_free char *path = kube_create_path(&config_maps, "ns", false);

	(void)state;
	assert_string_equal(path, "/api/v1/namespaces/ns/configmaps?fieldManager=rhaii-dr&fieldValidation=Strict");
}

static void test_reads_who_the_cluster_is(void **state)
{
	const struct fake_exchange script[] = {
		{.path = "/api/v1/namespaces/kube-system ", .status = 200, .body = "{\"metadata\":{\"uid\":\"u-1\"}}"},
		{.path = "/version ", .status = 200, .body = "{\"gitVersion\":\"v1.34.4\"}"},
		{.path = "/version ", .status = 200, .body = "{}"},
	};
	auto_free char *id = NULL;
	auto_free char *version = NULL;
	char *none = NULL;
	struct fixture f = {0};

	(void)state;
	start(&f, script, COUNT(script));
	assert_int_equal(kube_cluster_id(f.client, &id, &f.err), 0);
	assert_string_equal(id, "u-1");
	assert_int_equal(kube_server_version(f.client, &version, &f.err), 0);
	assert_string_equal(version, "v1.34.4");
	assert_int_equal(kube_server_version(f.client, &none, &f.err), -1);
	assert_null(none);
	assert_string_equal(f.err.text, "server version: the answer has no gitVersion");
	stop(&f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errors_say_what_the_server_said),
		cmocka_unit_test(test_a_resource_version_on_create_is_rejected),
		cmocka_unit_test(test_a_500_is_final_only_when_a_webhook_was_asked),
		cmocka_unit_test(test_errors_without_status_give_the_http_status),
		cmocka_unit_test(test_server_text_cannot_command_the_terminal),
		cmocka_unit_test(test_long_server_text_is_cut),
		cmocka_unit_test(test_redirects_are_not_followed),
		cmocka_unit_test(test_429_waits_as_long_as_told),
		cmocka_unit_test(test_a_wait_beyond_the_deadline_gives_up),
		cmocka_unit_test(test_a_get_goes_on_after_faults),
		cmocka_unit_test(test_malformed_answers_are_not_asked_for_for_ever),
		cmocka_unit_test(test_a_login_page_is_not_json),
		cmocka_unit_test(test_a_post_is_not_sent_again_after_500),
		cmocka_unit_test(test_a_post_with_a_cut_answer_is_not_sent_again),
		cmocka_unit_test(test_a_401_with_a_cut_answer_is_a_401),
		cmocka_unit_test(test_a_refusal_with_a_cut_answer_is_one),
		cmocka_unit_test(test_a_busy_server_with_a_cut_answer_is_asked_again),
		cmocka_unit_test(test_a_review_with_a_cut_answer_is_sent_again),
		cmocka_unit_test(test_a_post_without_an_answer_is_sent_again),
		cmocka_unit_test(test_the_deadline_ends_the_tries),
		cmocka_unit_test(test_a_static_token_is_sent),
		cmocka_unit_test(test_a_rotated_token_is_read_again),
		cmocka_unit_test(test_401_reads_the_token_again_once),
		cmocka_unit_test(test_a_token_file_that_is_away_leaves_the_old_token),
		cmocka_unit_test(test_a_token_with_a_line_break_is_not_sent),
		cmocka_unit_test(test_impersonation_is_in_every_request),
		cmocka_unit_test(test_a_plugin_is_run_once),
		cmocka_unit_test(test_a_plugin_is_run_again_when_its_token_has_expired),
		cmocka_unit_test(test_401_runs_the_plugin_again_once),
		cmocka_unit_test(test_requests_refused_together_run_the_plugin_once),
		cmocka_unit_test(test_requests_outlive_the_certificate_they_went_out_with),
		cmocka_unit_test(test_wrong_plugins_are_told_apart),
		cmocka_unit_test(test_send_tries_once_and_tells),
		cmocka_unit_test(test_what_is_expected_is_taken_once),
		cmocka_unit_test(test_what_is_expected_by_another_accept_is_not_taken),
		cmocka_unit_test(test_an_expected_answer_that_failed_is_asked_for_again),
		cmocka_unit_test(test_an_expected_refusal_is_an_answer),
		cmocka_unit_test(test_cancelled_requests_call_nobody),
		cmocka_unit_test(test_merge_patch_asks_strictly),
		cmocka_unit_test(test_get_names_the_object),
		cmocka_unit_test(test_create_path_is_strict),
		cmocka_unit_test(test_reads_who_the_cluster_is),
	};

	return cmocka_run_group_tests_name("kube_client", tests, NULL, NULL);
}
