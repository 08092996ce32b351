/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "http_internal.h"
#include "util/mem.h"

#define DEFAULT_MAX_BODY ((size_t)256 << 20)
/* With HTTP/2 one connection does it all; the rest is for servers (and kubectl proxy) that speak only HTTP/1.1, where each watch holds one. */
#define CONNECTIONS_MAX 16L

/* ---- the client ---- */

static int start_libcurl(struct error *err)
{
	static bool started;
	struct sigaction action;

	/* 7.88.0 mixes up the bytes of HTTP/2 streams: right size, wrong content (curl issue 10525). */
	if (curl_version_info(CURLVERSION_NOW)->version_num == 0x075800)
		return error_set(err, ERR_FAILED, "libcurl 7.88.0 corrupts responses and cannot be used");
	if (started)
		return 0;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return error_set(err, ERR_FAILED, "cannot start libcurl");
	/* With CURLOPT_NOSIGNAL older libcurls let a write to a closed TLS connection kill the process. */
	if (sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_DFL)
		(void)signal(SIGPIPE, SIG_IGN);
	started = true;
	return 0;
}

static CURLM *new_multi(void)
{
	CURLM *multi = curl_multi_init();

	if (!multi)
		return NULL;
	curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
	curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, CONNECTIONS_MAX);
	curl_multi_setopt(multi, CURLMOPT_MAX_CONCURRENT_STREAMS, 100L);
	return multi;
}

int http_client_new(struct http_client **out, const struct http_tls *tls, struct error *err)
{
	static const struct http_tls defaults;
	struct http_client *client;
	CURLM *multi;

	*out = NULL;
	if (start_libcurl(err) < 0)
		return -1;
	multi = new_multi();
	if (!multi)
		return error_set(err, ERR_FAILED, "cannot start libcurl");
	if (!tls)
		tls = &defaults;
	client = xcalloc(1, sizeof(*client));
	client->multi = multi;
	client->ca = xstrdup(tls->ca);
	client->cert = xstrdup(tls->cert);
	client->key = xstrdup(tls->key);
	client->server_name = xstrdup(tls->server_name);
	client->insecure = tls->insecure;
	client->proxy = xstrdup(tls->proxy);
	*out = client;
	return 0;
}

/* What may be a credential does not stay behind in freed memory. */
static void wipe(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

void http_client_free(struct http_client *client)
{
	if (!client)
		return;
	http_cancel_all(client);
	for (size_t i = 0; i < client->pool_count; i++)
		curl_easy_cleanup(client->pool[i]);
	curl_multi_cleanup(client->multi);
	wipe(client->key);
	wipe(client->proxy);
	free(client->ca);
	free(client->cert);
	free(client->server_name);
	free(client);
}

size_t http_in_flight(const struct http_client *client)
{
	return client->in_flight;
}

/* Only a new multi handle closes the connections of the old one. Without memory for one, go on with what is there. */
static void renew_connections(struct http_client *client)
{
	CURLM *multi = new_multi();

	if (!multi)
		return;
	curl_multi_cleanup(client->multi);
	client->multi = multi;
	client->renew = client->avoid = false;
}

/* ---- a transfer ---- */

static struct transfer *transfer_new(struct http_client *client, const struct http_request *request)
{
	struct transfer *t = xcalloc(1, sizeof(*t));

	t->client = client;
	t->response = (struct http_response)HTTP_RESPONSE_INIT;
	t->method = xstrdup(request->method);
	t->url = xstrdup(request->url);
	t->on_data = request->on_data;
	t->on_data_arg = request->on_data_arg;
	t->max_body = request->max_body;
	if (!t->max_body)
		t->max_body = request->on_data ? SIZE_MAX : DEFAULT_MAX_BODY;
	if (request->body) {
		t->body = xmalloc(request->body_len);
		t->body_len = request->body_len;
		memcpy(t->body, request->body, request->body_len);
	}
	return t;
}

static void transfer_free(struct transfer *t)
{
	http_setup_undo(t->client, t->easy);
	for (struct curl_slist *header = t->headers; header; header = header->next)
		explicit_bzero(header->data, strlen(header->data));
	curl_slist_free_all(t->headers);
	curl_slist_free_all(t->connect_to);
	if (t->body)
		explicit_bzero(t->body, t->body_len);
	free(t->body);
	free(t->method);
	free(t->url);
	free(t->proxy);
	http_response_release(&t->response);
	free(t);
}

static void release_transfer(struct transfer **t)
{
	if (*t)
		transfer_free(*t);
}
#define auto_transfer __attribute__((cleanup(release_transfer)))

static void link_transfer(struct http_client *client, struct transfer *t)
{
	t->next = client->active;
	if (t->next)
		t->next->prev = t;
	client->active = t;
	client->in_flight++;
}

static void unlink_transfer(struct http_client *client, struct transfer *t)
{
	curl_multi_remove_handle(client->multi, t->easy);
	if (t->next)
		t->next->prev = t->prev;
	if (t->prev)
		t->prev->next = t->next;
	else
		client->active = t->next;
	client->in_flight--;
}

int http_submit(struct http_client *client, const struct http_request *request, http_done_fn done, void *arg, struct error *err)
{
	auto_transfer struct transfer *t = transfer_new(client, request);
	CURLMcode code;

	if (client->renew && client->in_flight == 0)
		renew_connections(client);
	t->done = done;
	t->arg = arg;
	if (http_setup(t, request, err) < 0)
		return -1;
	code = curl_multi_add_handle(client->multi, t->easy);
	if (code != CURLM_OK)
		return error_set(err, ERR_FAILED, "cannot start a request: %s", curl_multi_strerror(code));
	link_transfer(client, t);
	t = NULL;
	return 0;
}

/* ---- moving on ---- */

/*
 * After a cut the connection is not to be trusted: libcurl before 8.1 does not give the flow-control window of a cancelled stream back,
 * and a peer that vanished lets one request after the other time out.
 */
static void distrust(struct http_client *client, CURLcode code)
{
	client->renew = true;
	if (code != CURLE_WRITE_ERROR)
		client->avoid = true;
}

static void finish(struct http_client *client, CURL *easy, CURLcode code)
{
	auto_transfer struct transfer *t = NULL;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, &t);
	if (!http_answer_end(t, code))
		distrust(client, code);
	unlink_transfer(client, t);
	t->done(&t->response, t->error.code ? &t->error : NULL, t->arg);
}

/* Run the callbacks of what has ended; how many. One message at a time: a callback may submit, cancel or drive. */
static size_t collect(struct http_client *client)
{
	CURLMsg *message;
	size_t ended = 0;
	int left;

	while ((message = curl_multi_info_read(client->multi, &left))) {
		if (message->msg != CURLMSG_DONE)
			continue;
		finish(client, message->easy_handle, message->data.result);
		ended++;
	}
	return ended;
}

static int fail_multi(CURLMcode code, struct error *err)
{
	return error_set(err, ERR_FAILED, "cannot move requests on: %s", curl_multi_strerror(code));
}

int http_drive(struct http_client *client, int64_t timeout_ms, struct error *err)
{
	CURLMcode code;
	int running;

	code = curl_multi_perform(client->multi, &running);
	if (code != CURLM_OK)
		return fail_multi(code, err);
	if (collect(client) > 0 || client->in_flight == 0 || timeout_ms <= 0)
		return 0;
	code = curl_multi_poll(client->multi, NULL, 0, timeout_ms > INT32_MAX ? INT32_MAX : (int)timeout_ms, NULL);
	if (code == CURLM_OK)
		code = curl_multi_perform(client->multi, &running);
	if (code != CURLM_OK)
		return fail_multi(code, err);
	(void)collect(client);
	return 0;
}

void http_cancel_all(struct http_client *client)
{
	bool any = client->active;

	client->cancels++;
	while (client->active) {
		struct transfer *t = client->active;

		unlink_transfer(client, t);
		transfer_free(t);
	}
	if (any)
		renew_connections(client);
}

/* ---- one request at a time ---- */

struct wait {
	struct http_response *response;
	struct error *err;
	bool over;
	int result;
};

static void hand_over(struct http_response *response, const struct error *error, void *arg)
{
	struct wait *wait = arg;

	*wait->response = *response;
	response->body = (struct strbuf)STRBUF_INIT;
	if (error)
		*wait->err = *error;
	wait->result = error ? -1 : 0;
	wait->over = true;
}

int http_perform(struct http_client *client, const struct http_request *request, struct http_response *response, struct error *err)
{
	struct wait wait = {.response = response, .err = err};
	size_t cancels = client->cancels;

	if (http_submit(client, request, hand_over, &wait, err) < 0)
		return -1;
	while (!wait.over) {
		if (http_drive(client, 1000, err) < 0) {
			/* It would call back into this frame later. */
			http_cancel_all(client);
			return -1;
		}
		if (!wait.over && client->cancels != cancels)
			return error_set(err, ERR_INTERRUPTED, "cancelled: '%s'", request->url);
	}
	return wait.result;
}

void http_response_release(struct http_response *response)
{
	strbuf_release(&response->body);
}

void http_escape(struct strbuf *out, const char *text)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

	for (; *text; text++) {
		if (strchr(plain, *text))
			strbuf_addc(out, *text);
		else
			strbuf_addf(out, "%%%02X", (unsigned char)*text);
	}
}
