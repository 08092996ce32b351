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

/* The same for a server and for a proxy with TLS: as in Go, the proxy is judged by the authority of the server, and gets the same client certificate. */
struct tls_options {
	CURLoption version, verify_peer, verify_host, ca, ca_path, cert, key;
};

static const struct tls_options tls_options[] = {
	{CURLOPT_SSLVERSION, CURLOPT_SSL_VERIFYPEER, CURLOPT_SSL_VERIFYHOST, CURLOPT_CAINFO_BLOB, CURLOPT_CAPATH, CURLOPT_SSLCERT_BLOB,
		CURLOPT_SSLKEY_BLOB},
	{CURLOPT_PROXY_SSLVERSION, CURLOPT_PROXY_SSL_VERIFYPEER, CURLOPT_PROXY_SSL_VERIFYHOST, CURLOPT_PROXY_CAINFO_BLOB,
		CURLOPT_PROXY_CAPATH, CURLOPT_PROXY_SSLCERT_BLOB, CURLOPT_PROXY_SSLKEY_BLOB},
};

static void set_tls(struct setup *setup, const struct http_client *client, const struct tls_options *options)
{
	SET(setup, options->version, (long)CURL_SSLVERSION_TLSv1_2);
	SET(setup, options->verify_peer, client->insecure ? 0L : 1L);
	SET(setup, options->verify_host, client->insecure ? 0L : 2L);
	if (client->ca) {
		set_blob(setup, options->ca, client->ca);
		/* The blob replaces the bundle file but not the directory: without this every public authority would be trusted too. */
		SET(setup, options->ca_path, NULL);
	}
	if (client->cert)
		set_blob(setup, options->cert, client->cert);
	if (client->key)
		set_blob(setup, options->key, client->key);
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
	SET(setup, CURLOPT_SOCKS5_AUTH, (long)CURLAUTH_BASIC);
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
	for (size_t i = 0; i < sizeof(tls_options) / sizeof(*tls_options); i++)
		set_tls(&setup, client, &tls_options[i]);
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

/* Release what curl_url_get gave, which may be a password. */
static void release_curl_text(char **text)
{
	if (*text)
		explicit_bzero(*text, strlen(*text));
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

/* The host of the URL is asked for, and its certificate checked, but another address is connected to. */
static void set_connect_to(struct setup *setup, struct transfer *t, const char *address)
{
	bool bare6 = strchr(address, ':') && *address != '[';
	auto_free char *route = xasprintf("::%s%s%s:", bare6 ? "[" : "", address, bare6 ? "]" : "");

	add_to_list(&t->connect_to, route);
	SET(setup, CURLOPT_CONNECT_TO, t->connect_to);
}

/* ---- proxy ---- */

struct proxy_scheme {
	const char *name;
	const char *as;   /* what libcurl calls it */
	const char *port; /* when the URL has none */
};

/* As in Go, whose socks5 leaves it to the proxy to look the name of the server up: what libcurl calls socks5h. The first is that of a URL without one. */
static const struct proxy_scheme proxy_schemes[] = {
	{"http", "http", "80"},
	{"https", "https", "443"},
	{"socks5", "socks5h", "1080"},
	{"socks5h", "socks5h", "1080"},
};

/* The proxy's URL in parts; the user and password are apart so that no message of libcurl can hold them. */
struct proxy_parts {
	char *shown; /* "https://host:port" */
	char *user, *password;
};

static void release_proxy_parts(struct proxy_parts *parts)
{
	free(parts->shown);
	release_curl_text(&parts->user);
	release_curl_text(&parts->password);
}
#define auto_proxy_parts __attribute__((cleanup(release_proxy_parts)))

static const struct proxy_scheme *proxy_scheme_find(const char *name)
{
	for (size_t i = 0; i < sizeof(proxy_schemes) / sizeof(*proxy_schemes); i++)
		if (strcasecmp(proxy_schemes[i].name, name) == 0)
			return &proxy_schemes[i];
	return NULL;
}

static int proxy_read(struct proxy_parts *out, const char *text)
{
	auto_url CURLU *url = curl_url();
	auto_curl char *scheme = NULL, *host = NULL, *port = NULL;
	const struct proxy_scheme *known = proxy_schemes;

	if (!url || curl_url_set(url, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME | CURLU_GUESS_SCHEME) ||
		curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) || curl_url_get(url, CURLUPART_HOST, &host, 0))
		return -1;
	if (strstr(text, "://"))
		known = proxy_scheme_find(scheme);
	if (!known)
		return -1;
	(void)curl_url_get(url, CURLUPART_PORT, &port, 0);
	out->shown = xasprintf("%s://%s:%s", known->as, host, port ? port : known->port);
	if (strchr(text, '@') &&
		(curl_url_get(url, CURLUPART_USER, &out->user, CURLU_URLDECODE) == CURLUE_URLDECODE ||
			curl_url_get(url, CURLUPART_PASSWORD, &out->password, CURLU_URLDECODE) == CURLUE_URLDECODE))
		return -1;
	return 0;
}

/* The proxy for this request, or NULL. The host is that of the request, not the name that its certificate is checked for. */
static const char *proxy_wanted(const struct transfer *t)
{
	auto_url CURLU *url = curl_url();
	auto_curl char *host = NULL, *port = NULL;

	if (strncasecmp(t->url, "https:", 6) != 0 || !url || curl_url_set(url, CURLUPART_URL, t->url, CURLU_PATH_AS_IS) ||
		curl_url_get(url, CURLUPART_HOST, &host, 0) || curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT))
		return NULL;
	return t->client->proxy ? t->client->proxy : proxy_for_https(host, port);
}

/*
 * Never left to libcurl, which would look into the environment itself and send plain HTTP, with its bearer token, to $http_proxy.
 * No message shows the URL: a password may be in it.
 */
static int set_proxy(struct setup *setup, struct transfer *t, struct error *err)
{
	auto_proxy_parts struct proxy_parts parts = {0};
	const char *proxy = proxy_wanted(t);

	if (proxy && proxy_read(&parts, proxy) < 0) {
		error_set(err, ERR_USAGE, "the proxy %s is not a URL of a proxy",
			t->client->proxy ? "configured for this server" : "in HTTPS_PROXY");
		return error_hint(err, "it looks like http://HOST:PORT, https://HOST:PORT or socks5://HOST:PORT");
	}
	t->proxy = xstrdup(parts.shown);
	t->proxy_user = parts.user != NULL;
	SET(setup, CURLOPT_PROXY, proxy ? parts.shown : "");
	SET(setup, CURLOPT_PROXYUSERNAME, parts.user);
	SET(setup, CURLOPT_PROXYPASSWORD, parts.user && !parts.password ? "" : parts.password);
	SET(setup, CURLOPT_NOPROXY, "");
	return 0;
}

/* ---- all of it ---- */

/* "https://user:password@host/". */
static bool has_user(const char *url)
{
	const char *host = strstr(url, "//");

	if (!host)
		return false;
	host += 2;
	return memchr(host, '@', strcspn(host, "/?#")) != NULL;
}

static int set_url(struct setup *setup, struct transfer *t, const struct http_request *request, struct error *err)
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
	if (request->connect_to)
		set_connect_to(setup, t, request->connect_to);
	return 0;
}

int http_setup(struct transfer *t, const struct http_request *request, struct error *err)
{
	struct setup setup = {0};

	if (take_handle(t->client, t, err) < 0)
		return -1;
	setup.easy = t->easy;
	if (set_url(&setup, t, request, err) < 0 || set_headers(&setup, t, request->headers, err) < 0)
		return -1;
	set_method(&setup, t);
	set_limits(&setup, request);
	set_connection(&setup, t);
	if (set_proxy(&setup, t, err) < 0)
		return -1;
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
