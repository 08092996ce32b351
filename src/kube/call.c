/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "client_internal.h"
#include "util/clock.h"
#include "util/env.h"
#include "util/error.h"
#include "util/interrupt.h"
#include "util/log.h"

#define BACKOFF_FIRST_MS 200
#define BACKOFF_MAX_MS (10 * 1000)
#define MALFORMED_MAX 3 /* a connection cut off mid-answer heals; a server that does not speak JSON does not */

/* A request on its way through its tries. */
struct call {
	struct outgoing out;
	kube_take_fn take; /* NULL: the answer is parsed */
	void *take_arg;
	unsigned tries;
	unsigned malformed_tries;
	bool renewed; /* the credentials, after a 401 */

	/* Of the last try. */
	bool malformed;
	unsigned generation; /* of the credentials */
	long status;
	int64_t retry_after_ms;
};

static int call_answer(struct kube_client *client, struct call *call, struct http_response *response, json_t **out, struct error *err)
{
	if (!answer_is_success(response))
		return answer_error(client, response, err);
	if (call->take)
		return answer_take(&response->body, call->take, call->take_arg, &call->malformed, err);
	return answer_parse(&response->body, out, &call->malformed, err);
}

static int call_try(struct kube_client *client, struct call *call, json_t **out, struct error *err)
{
	struct http_response response = HTTP_RESPONSE_INIT;
	int result = 0;

	call->malformed = false;
	call->status = 0;
	call->retry_after_ms = -1;
	if (outgoing_prepare(&call->out, client, err) < 0)
		return -1;
	call->generation = client->view.generation;
	call->tries++;
	result = client_perform(client, &call->out.http, &response, err);
	/* Also of an answer that was cut off: the request has been carried out then. */
	call->status = response.status;
	call->retry_after_ms = response.retry_after_ms;
	if (answer_is_there(&response, result < 0 ? err : NULL))
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
	bool is_get = strcmp(call->out.request->method, "GET") == 0;

	if (err->code != ERR_UNAVAILABLE || call->malformed_tries >= MALFORMED_MAX)
		return false;
	return is_get || call->out.request->changes_nothing || call->status == 0 || call->status == 429;
}

/* The wait before the next try in ms; -1: give up with the error as it is. */
static int64_t call_wait(struct kube_client *client, struct call *call, const struct error *err)
{
	int64_t wait = -1;

	client_note_status(client, call->generation, call->status);
	if (call->status == 401 && credentials_renewable(client->credentials) && !call->renewed) {
		call->renewed = true;
		return 0;
	}
	if (!call_may_retry(call, err) || interrupted())
		return -1;
	wait = call->retry_after_ms >= 0 ? call->retry_after_ms : backoff_ms(call->tries);
	return wait < outgoing_remaining(&call->out) ? wait : -1;
}

/* An answer that was asked for ahead: 1, 0 when there is none to be had that way. */
static int call_expected(struct kube_client *client, struct call *call, json_t **out, struct error *err)
{
	struct kube_ahead *ahead = expected_take(client, call->out.request);
	auto_strbuf struct strbuf body = STRBUF_INIT;
	int64_t ignored;
	int rc;

	if (!ahead)
		return 0;
	rc = kube_ahead_take(client, ahead, &body, &ignored, err);
	if (rc == 0)
		rc = call->take ? answer_take(&body, call->take, call->take_arg, &call->malformed, err)
				: answer_parse(&body, out, &call->malformed, err);
	if (rc == 0)
		return 1;
	if (!call->malformed && !answer_is_worth_asking(err))
		return -1;
	error_clear(err);
	return 0;
}

static int call_run(struct kube_client *client, struct call *call, json_t **out, struct error *err)
{
	const struct kube_request *request = call->out.request;
	int came = call_expected(client, call, out, err);

	if (came != 0)
		return came < 0 ? -1 : 0;
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
	struct call call = {0};
	int rc;

	outgoing_init(&call.out, client, request);
	rc = call_run(client, &call, out, err);
	outgoing_release(&call.out);
	return rc;
}

int kube_call_raw(struct kube_client *client, const struct kube_request *request, kube_take_fn take, void *arg, struct error *err)
{
	struct call call = {.take = take, .take_arg = arg};
	int rc;

	outgoing_init(&call.out, client, request);
	rc = call_run(client, &call, NULL, err);
	outgoing_release(&call.out);
	return rc;
}
