/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "http_internal.h"
#include "util/mem.h"
#include "util/proxy.h"

#define USER_AGENT "rhaii-dr/" RHAII_VERSION
#define DEFAULT_STALL_MS 60000
#define CONNECT_TIMEOUT_MS 15000L
#define READ_BUFFER_SIZE (512L * 1024)

/* The first thing that libcurl refused sticks. */
struct setup {
	CURL *easy;
	CURLcode fault;
};

#define SET(setup, option, value)                                                                                                          \
	do {                                                                                                                               \
		if ((setup)->fault == CURLE_OK)                                                                                            \
			(setup)->fault = curl_easy_setopt((setup)->easy, option, value);                                                   \
	} while (0)

static void add_to_list(struct curl_slist **list, const char *text)
{
	struct curl_slist *grown = curl_slist_append(*list, text);

	/* A lost header could be the one that carries the credential or the condition. */
	if (!grown)
		mem_die();
	*list = grown;
}

static int set_headers(struct setup *setup, struct transfer *t, const char *const *headers, struct error *err)
{
	bool typed = false;

	for (; headers && *headers; headers++) {
		if (strpbrk(*headers, "\r\n"))
			return error_set(err, ERR_USAGE, "a request header holds a line break");
		typed = typed || strncasecmp(*headers, "Content-Type:", 13) == 0;
		add_to_list(&t->headers, *headers);
	}
	/* No "Expect: 100-continue": it costs a round trip. And a body is not a form. */
	add_to_list(&t->headers, "Expect:");
	if (!typed)
		add_to_list(&t->headers, "Content-Type:");
	SET(setup, CURLOPT_HTTPHEADER, t->headers);
	return 0;
}

static void set_method(struct setup *setup, const struct transfer *t)
{
	bool bodied = t->body || strcmp(t->method, "POST") == 0 || strcmp(t->method, "PUT") == 0 || strcmp(t->method, "PATCH") == 0;

	if (bodied) {
		SET(setup, CURLOPT_POST, 1L);
		SET(setup, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->body_len);
		SET(setup, CURLOPT_POSTFIELDS, t->body ? t->body : "");
	}
	if (strcmp(t->method, "HEAD") == 0)
		SET(setup, CURLOPT_NOBODY, 1L);
	else
		SET(setup, CURLOPT_CUSTOMREQUEST, t->method);
}

static void set_limits(struct setup *setup, const struct http_request *request)
{
	int64_t stall_ms = request->stall_ms > 0 ? request->stall_ms : DEFAULT_STALL_MS;

	SET(setup, CURLOPT_LOW_SPEED_TIME, (long)((stall_ms + 999) / 1000));
	SET(setup, CURLOPT_TIMEOUT_MS, (long)(request->timeout_ms > 0 ? request->timeout_ms : 0));
}

static void set_blob(struct setup *setup, CURLoption option, char *text)
{
	struct curl_blob blob = {.data = text, .len = strlen(text), .flags = CURL_BLOB_NOCOPY};

	SET(setup, option, &blob);
}

static void set_tls(struct setup *setup, const struct http_client *client)
{
	SET(setup, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(setup, CURLOPT_SSL_VERIFYPEER, client->insecure ? 0L : 1L);
	SET(setup, CURLOPT_SSL_VERIFYHOST, client->insecure ? 0L : 2L);
	if (client->ca) {
		set_blob(setup, CURLOPT_CAINFO_BLOB, client->ca);
		/* The blob replaces the bundle file but not the directory: without this every public authority would be trusted too. */
		SET(setup, CURLOPT_CAPATH, NULL);
	}
	if (client->cert)
		set_blob(setup, CURLOPT_SSLCERT_BLOB, client->cert);
	if (client->key)
		set_blob(setup, CURLOPT_SSLKEY_BLOB, client->key);
}

/* What is the same for all requests of the client. */
static void set_always(struct setup *setup)
{
	SET(setup, CURLOPT_NOSIGNAL, 1L);
	SET(setup, CURLOPT_USERAGENT, USER_AGENT);
	SET(setup, CURLOPT_PROTOCOLS_STR, "http,https");
	SET(setup, CURLOPT_FOLLOWLOCATION, 0L);
	SET(setup, CURLOPT_PATH_AS_IS, 1L);
	SET(setup, CURLOPT_TCP_KEEPALIVE, 1L);
	SET(setup, CURLOPT_TCP_KEEPIDLE, 30L);
	SET(setup, CURLOPT_TCP_KEEPINTVL, 15L);
	SET(setup, CURLOPT_TCP_NODELAY, 1L);
	SET(setup, CURLOPT_BUFFERSIZE, READ_BUFFER_SIZE);
	SET(setup, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
	SET(setup, CURLOPT_LOW_SPEED_LIMIT, 1L);
	SET(setup, CURLOPT_WRITEFUNCTION, http_answer_data);
}

/* One from the pool, or a new one. */
static int take_handle(struct http_client *client, struct transfer *t, struct error *err)
{
	struct setup setup = {0};

	if (client->pool_count) {
		t->easy = client->pool[--client->pool_count];
		return 0;
	}
	t->easy = setup.easy = curl_easy_init();
	if (!t->easy)
		return error_set(err, ERR_FAILED, "cannot start libcurl");
	set_always(&setup);
	set_tls(&setup, client);
	if (setup.fault == CURLE_OK)
		return 0;
	/* Half set up, it must not get into the pool. */
	curl_easy_cleanup(t->easy);
	t->easy = NULL;
	return error_set(err, ERR_FAILED, "cannot set up libcurl: %s", curl_easy_strerror(setup.fault));
}

static void set_connection(struct setup *setup, const struct transfer *t)
{
	bool plain = strncasecmp(t->url, "http:", 5) == 0;

	SET(setup, CURLOPT_HTTP_VERSION, (long)(plain ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_2TLS));
	/* Wait for the connection being made rather than make another for each request that is submitted meanwhile. */
	SET(setup, CURLOPT_PIPEWAIT, plain ? 0L : 1L);
	SET(setup, CURLOPT_FRESH_CONNECT, t->client->avoid ? 1L : 0L);
}

static void set_callbacks(struct setup *setup, struct transfer *t)
{
	SET(setup, CURLOPT_PRIVATE, t);
	SET(setup, CURLOPT_ERRORBUFFER, t->reason);
	SET(setup, CURLOPT_WRITEDATA, t);
}

/* Release what curl_url_get gave. */
static void release_curl_text(char **text)
{
	curl_free(*text);
}
#define auto_curl __attribute__((cleanup(release_curl_text)))

static void release_url(CURLU **url)
{
	curl_url_cleanup(*url);
}
#define auto_url __attribute__((cleanup(release_url)))

/*
 * kubectl's tls-server-name: the certificate is asked for and checked under another name than the host that is connected to. libcurl
 * takes the name from the URL, so the URL gets that name, CONNECT_TO leads back to the host, and Host says what the URL said.
 */
static int set_renamed_url(struct setup *setup, struct transfer *t)
{
	auto_url CURLU *url = curl_url();
	auto_curl char *host = NULL, *port = NULL, *shown_port = NULL, *renamed = NULL;
	auto_free char *route = NULL, *header = NULL;

	if (!url || curl_url_set(url, CURLUPART_URL, t->url, CURLU_PATH_AS_IS) || curl_url_get(url, CURLUPART_HOST, &host, 0) ||
		curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) ||
		curl_url_set(url, CURLUPART_HOST, t->client->server_name, 0) || curl_url_get(url, CURLUPART_URL, &renamed, 0))
		return -1;
	if (curl_url_get(url, CURLUPART_PORT, &shown_port, CURLU_NO_DEFAULT_PORT))
		shown_port = NULL;
	route = xasprintf("%s:%s:%s:%s", t->client->server_name, port, host, port);
	header = xasprintf("Host: %s%s%s", host, shown_port ? ":" : "", shown_port ? shown_port : "");
	add_to_list(&t->connect_to, route);
	add_to_list(&t->headers, header);
	SET(setup, CURLOPT_CONNECT_TO, t->connect_to);
	SET(setup, CURLOPT_URL, renamed);
	return 0;
}

/*
 * Never left to libcurl, which would look into the environment itself and send plain HTTP, with its bearer token, to $http_proxy. The host is that of the request, not
 * the name that its certificate is checked for.
 */
static void set_proxy(struct setup *setup, const struct transfer *t)
{
	auto_url CURLU *url = curl_url();
	auto_curl char *host = NULL, *port = NULL;
	const char *proxy = NULL;

	if (strncasecmp(t->url, "https:", 6) == 0 && url && !curl_url_set(url, CURLUPART_URL, t->url, CURLU_PATH_AS_IS) &&
		!curl_url_get(url, CURLUPART_HOST, &host, 0) && !curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT))
		proxy = t->client->proxy ? t->client->proxy : proxy_for_https(host, port);
	SET(setup, CURLOPT_PROXY, proxy ? proxy : "");
	SET(setup, CURLOPT_NOPROXY, "");
}

/* "https://user:password@host/". */
static bool has_user(const char *url)
{
	const char *host = strstr(url, "//");

	if (!host)
		return false;
	host += 2;
	return memchr(host, '@', strcspn(host, "/?#")) != NULL;
}

static int set_url(struct setup *setup, struct transfer *t, struct error *err)
{
	/* The message leaves the URL out: the password would be in it. */
	if (has_user(t->url))
		return error_set(err, ERR_USAGE, "a URL must not hold a user name or password");
	if (strncasecmp(t->url, "http:", 5) != 0 && strncasecmp(t->url, "https:", 6) != 0)
		return error_set(err, ERR_USAGE, "neither http nor https: '%.*s'", http_url_shown(t), t->url);
	if (!t->client->server_name)
		SET(setup, CURLOPT_URL, t->url);
	else if (set_renamed_url(setup, t) < 0)
		return error_set(err, ERR_USAGE, "not a URL: '%.*s'", http_url_shown(t), t->url);
	return 0;
}

int http_setup(struct transfer *t, const struct http_request *request, struct error *err)
{
	struct setup setup = {0};

	if (take_handle(t->client, t, err) < 0)
		return -1;
	setup.easy = t->easy;
	if (set_url(&setup, t, err) < 0 || set_headers(&setup, t, request->headers, err) < 0)
		return -1;
	set_method(&setup, t);
	set_limits(&setup, request);
	set_connection(&setup, t);
	set_proxy(&setup, t);
	set_callbacks(&setup, t);
	if (setup.fault != CURLE_OK)
		return error_set(err, ERR_FAILED, "cannot set up a request: %s", curl_easy_strerror(setup.fault));
	return 0;
}

/*
 * The handle goes back to the pool with nothing of this transfer in it. Not by curl_easy_reset: that forgets the size of the buffer
 * that the handle still has, and setting it again is refused.
 */
void http_setup_undo(struct http_client *client, CURL *easy)
{
	if (!easy)
		return;
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, NULL);
	curl_easy_setopt(easy, CURLOPT_CONNECT_TO, NULL);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDS, NULL);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)-1);
	curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, NULL);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, NULL);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, NULL);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, NULL);
	if (client->pool_count < HTTP_POOL_MAX)
		client->pool[client->pool_count++] = easy;
	else
		curl_easy_cleanup(easy);
}
