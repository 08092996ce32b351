/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "client_internal.h"
#include "kube/kubeconfig.h"
#include "secret.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/json.h"
#include "util/log.h"
#include "util/mem.h"

#define DEADLINE_MS (60 * 1000)
#define RETIRED_POLL_MS 50 /* while two transports are in use, which are waited for in turn */

#define HEADERS_MAX 3 /* besides those of impersonation */

/* A transport with a client certificate that is no longer the one; it stays until the last of its requests is over. */
struct retired {
	struct http_client *http;
	struct retired *next;
};

/* ---- life ---- */

static int transport_new(struct http_client **out, const struct kube_config *config, const struct credential_view *view, struct error *err)
{
	struct http_tls tls = {
		.ca = config->ca,
		.cert = view->cert,
		.key = view->key,
		.server_name = config->server_name,
		.insecure = config->insecure,
		.proxy = config->proxy,
	};

	if (http_client_new(out, &tls, err) < 0)
		return error_wrap(err, "%s", config->source);
	return 0;
}

int kube_client_new(struct kube_client **out, const struct kube_config *config, struct error *err)
{
	struct kube_client *client = xcalloc(1, sizeof(*client));

	client->config = config;
	client->credentials = credentials_new(config);
	credentials_view(client->credentials, &client->view);
	client->headers = xcalloc(HEADERS_MAX + config->impersonate.count + 1, sizeof(*client->headers));
	if (transport_new(&client->http, config, &client->view, err) < 0) {
		kube_client_free(client);
		return -1;
	}
	if (config->insecure)
		log_warning("%s has insecure-skip-tls-verify: whoever is on the way to '%s' can read and change all, credentials included",
			config->source, config->server);
	*out = client;
	return 0;
}

static void headers_wipe(struct kube_client *client)
{
	for (size_t i = 0; i < client->header_count; i++)
		secret_free(&client->headers[i]);
	client->header_count = 0;
}

void pending_free(struct pending *pending)
{
	*pending->link = pending->next;
	if (pending->next)
		pending->next->link = pending->link;
	free(pending);
}

struct pending *pending_new(struct kube_client *client)
{
	struct pending *pending = xcalloc(1, sizeof(*pending));

	*pending = (struct pending){
		.client = client, .next = client->pending, .link = &client->pending, .generation = client->view.generation};
	if (pending->next)
		pending->next->link = &pending->next;
	client->pending = pending;
	return pending;
}

/* ---- transports ---- */

/* Forget the retired transports that nothing runs on any more. */
static void retired_reap(struct kube_client *client)
{
	struct retired **link = &client->retired;

	while (client->depth == 0 && *link) {
		struct retired *retired = *link;

		if (http_in_flight(retired->http) > 0) {
			link = &retired->next;
			continue;
		}
		*link = retired->next;
		http_client_free(retired->http);
		free(retired);
	}
}

/* A client certificate belongs to a connection: another one needs another transport. */
static int transport_renew(struct kube_client *client, struct error *err)
{
	struct http_client *fresh = NULL;
	struct retired *retired = NULL;

	if (client->view.certificate == client->certificate)
		return 0;
	if (transport_new(&fresh, client->config, &client->view, err) < 0)
		return -1;
	retired = xcalloc(1, sizeof(*retired));
	*retired = (struct retired){.http = client->http, .next = client->retired};
	client->retired = retired;
	client->http = fresh;
	client->certificate = client->view.certificate;
	return 0;
}

void kube_cancel_all(struct kube_client *client)
{
	http_cancel_all(client->http);
	for (struct retired *retired = client->retired; retired; retired = retired->next)
		http_cancel_all(retired->http);
	while (client->pending) {
		ahead_lost(client->pending->ahead);
		pending_free(client->pending);
	}
}

void kube_client_free(struct kube_client *client)
{
	if (!client)
		return;
	kube_expect_end(client);
	if (client->http)
		kube_cancel_all(client);
	retired_reap(client);
	http_client_free(client->http);
	headers_wipe(client);
	free(client->headers);
	credentials_free(client->credentials);
	free(client);
}

size_t kube_request_count(const struct kube_client *client)
{
	return client->requests;
}

const char *kube_server(const struct kube_client *client)
{
	return client->config->server;
}

const char *kube_source(const struct kube_client *client)
{
	return client->config->source;
}

struct http_client *kube_http(struct kube_client *client)
{
	return client->http;
}

int kube_drive(struct kube_client *client, int64_t timeout_ms, struct error *err)
{
	int rc = 0;

	client->depth++;
	for (struct retired *retired = client->retired; retired && rc == 0; retired = retired->next) {
		if (http_in_flight(retired->http) > 0 && timeout_ms > RETIRED_POLL_MS)
			timeout_ms = RETIRED_POLL_MS;
		rc = http_drive(retired->http, 0, err);
	}
	if (rc == 0)
		rc = http_drive(client->http, timeout_ms, err);
	client->depth--;
	retired_reap(client);
	return rc;
}

int client_perform(struct kube_client *client, const struct http_request *request, struct http_response *response, struct error *err)
{
	int rc;

	client->depth++;
	rc = http_perform(client->http, request, response, err);
	client->depth--;
	retired_reap(client);
	return rc;
}

size_t kube_in_flight(const struct kube_client *client)
{
	size_t count = http_in_flight(client->http);

	for (const struct retired *retired = client->retired; retired; retired = retired->next)
		count += http_in_flight(retired->http);
	return count;
}

/* ---- credentials and headers ---- */

static void add_header(struct kube_client *client, char *line)
{
	client->headers[client->header_count++] = line;
}

int kube_headers(struct kube_client *client, const char *accept, const char *content_type, const char *const **out, struct error *err)
{
	const struct strlist *impersonate = &client->config->impersonate;

	headers_wipe(client);
	if (credentials_refresh(client->credentials, err) < 0)
		return client->config->exec ? -1 : error_wrap(err, "%s", kube_source(client)); /* a plugin is named with its file */
	credentials_view(client->credentials, &client->view);
	if (transport_renew(client, err) < 0)
		return -1;
	add_header(client, xasprintf("Accept: %s", accept ? accept : "application/json"));
	if (content_type)
		add_header(client, xasprintf("Content-Type: %s", content_type));
	if (client->view.token)
		add_header(client, xasprintf("Authorization: Bearer %s", client->view.token));
	for (size_t i = 0; i < impersonate->count; i++)
		add_header(client, xstrdup(impersonate->items[i]));
	*out = (const char *const *)client->headers;
	return 0;
}

void client_note_status(struct kube_client *client, unsigned generation, long status)
{
	if (status == 401)
		credentials_refused(client->credentials, generation);
}

/* ---- what goes out ---- */

void outgoing_init(struct outgoing *outgoing, const struct kube_client *client, const struct kube_request *request)
{
	*outgoing = (struct outgoing){.request = request, .body = STRBUF_INIT};
	outgoing->url = xasprintf("%s%s", kube_server(client), request->path);
	if (request->body)
		json_write(request->body, &outgoing->body);
	outgoing->until = clock_monotonic_ms() + (request->deadline_ms > 0 ? request->deadline_ms : DEADLINE_MS);
}

void outgoing_release(struct outgoing *outgoing)
{
	free(outgoing->url);
	strbuf_release(&outgoing->body);
}

int64_t outgoing_remaining(const struct outgoing *outgoing)
{
	int64_t left = outgoing->until - clock_monotonic_ms();

	return left > 0 ? left : 0;
}

int outgoing_prepare(struct outgoing *outgoing, struct kube_client *client, struct error *err)
{
	const struct kube_request *request = outgoing->request;
	struct http_request *http = &outgoing->http;
	int64_t left = outgoing_remaining(outgoing);
	const char *content_type = request->content_type;

	*http = (struct http_request){.method = request->method, .url = outgoing->url, .timeout_ms = left > 0 ? left : 1};
	if (request->body) {
		http->body = outgoing->body.buf;
		http->body_len = outgoing->body.len;
		content_type = content_type ? content_type : "application/json";
	}
	if (kube_headers(client, request->accept, content_type, &http->headers, err) < 0)
		return -1;
	client->requests++;
	return 0;
}
