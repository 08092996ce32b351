/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "client_internal.h"
#include "util/error.h"
#include "util/json.h"
#include "util/text.h"

#define MESSAGE_MAX 500

bool answer_is_worth_asking(const struct error *err)
{
	return err->code == ERR_UNAVAILABLE || err->code == ERR_UNAUTHORIZED || err->code == ERR_SYNTAX;
}

static enum error_code conflict_code(const char *reason)
{
	return reason && strcmp(reason, "AlreadyExists") == 0 ? ERR_EXISTS : ERR_CONFLICT;
}

/*
 * A 500 that no other try will change: of an object that still has its resourceVersion; of a webhook that was asked and chose this code for its denial; of one whose patch does
 * not fit this object. What a webhook that cannot be asked is told by ("failed calling webhook") is not among them.
 */
static bool is_permanent(const char *message)
{
	static const char *const texts[] = {
		"resourceVersion should not be set on objects to be created", "denied the request", "jsonpatch "};

	for (size_t i = 0; message && i < sizeof(texts) / sizeof(*texts); i++)
		if (strstr(message, texts[i]) && !strstr(message, "failed calling webhook"))
			return true;
	return false;
}

static enum error_code status_code(long status, const char *reason, const char *message)
{
	switch (status) {
	case 401:
		return ERR_UNAUTHORIZED;
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

/* For answers that come without a Status, or lost it on the way. */
static const char *status_name(long status)
{
	static const struct {
		long status;
		const char *name;
	} names[] = {{401, " (Unauthorized)"}, {403, " (Forbidden)"}, {404, " (Not Found)"}, {409, " (Conflict)"}, {410, " (Gone)"},
		{413, " (Content Too Large)"}, {422, " (Unprocessable Content)"}, {429, " (Too Many Requests)"}};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (names[i].status == status)
			return names[i].name;
	return "";
}

/* What a proxy or a server without Status said; a page of HTML says nothing to a person. */
static void plain_message(struct strbuf *out, long status, const char *body, size_t len)
{
	strbuf_addf(out, "the server answered with HTTP status %ld%s", status, status_name(status));
	while (len > 0 && strchr(" \t\r\n", body[len - 1]))
		len--;
	if (len == 0 || *body == '<')
		return;
	strbuf_adds(out, ": ");
	text_escape(out, body, len, MESSAGE_MAX);
}

/*
 * Whether the server has spoken. That it refuses (4xx) is in its status, and its body is often lost: a server that refuses a request before it has read
 * the request's body (who we are, what we may, how busy it is, how large the body is) resets the HTTP/2 stream (RFC 9113 8.1), and libcurl before 8.1
 * then drops what it had received.
 */
bool answer_is_there(const struct http_response *response, const struct error *fault)
{
	return !fault || (response->status >= 400 && response->status < 500);
}

bool answer_is_success(const struct http_response *response)
{
	return response->status >= 200 && response->status < 300;
}

int answer_error(const struct kube_client *client, const struct http_response *response, struct error *err)
{
	struct error ignored = ERROR_INIT;
	const struct strbuf *body = &response->body;
	auto_json json_t *doc = body->len > 0 && *body->buf == '{' ? json_read(body->buf, body->len, &ignored) : NULL;
	const char *message = json_text_at(doc, "message", NULL);
	auto_strbuf struct strbuf text = STRBUF_INIT;

	if (message && *message)
		text_escape(&text, message, strlen(message), MESSAGE_MAX);
	else
		plain_message(&text, response->status, body->buf, body->len);
	error_set(err, status_code(response->status, json_text_at(doc, "reason", NULL), message), "%s", text.buf);
	status_hint(client, response->status, err);
	return -1;
}

/* A body that starts as no JSON document does is a proxy's page. */
static int check_start(const struct strbuf *body, struct error *err)
{
	if (body->len == 0 || *body->buf == '{' || *body->buf == '[')
		return 0;
	error_set(err, ERR_REJECTED, "the answer is not JSON");
	return error_hint(err, "check that the server of the kubeconfig is an API server and not a login page");
}

/* Cut off in its midst, perhaps: the next time it may be whole. */
static int incomplete(bool *malformed, struct error *err)
{
	*malformed = true;
	err->code = ERR_UNAVAILABLE;
	return error_wrap(err, "the answer is not complete JSON");
}

int answer_parse(const struct strbuf *body, json_t **out, bool *malformed, struct error *err)
{
	if (!out)
		return 0;
	if (check_start(body, err) < 0)
		return -1;
	*out = json_read(body->buf, body->len, err);
	return *out ? 0 : incomplete(malformed, err);
}

int answer_take(struct strbuf *body, kube_take_fn take, void *arg, bool *malformed, struct error *err)
{
	if (check_start(body, err) < 0)
		return -1;
	if (take(body, arg, err) == 0)
		return 0;
	return err->code == ERR_SYNTAX ? incomplete(malformed, err) : -1;
}
