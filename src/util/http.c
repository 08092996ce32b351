/* SPDX-License-Identifier: Apache-2.0 */
#include "util/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "util/error.h"
#include "util/mem.h"
#include "util/proxy.h"

#define USER_AGENT "rhaii-dr/" RHAII_VERSION
#define DEFAULT_MAX_BODY ((size_t)256 << 20)
#define DEFAULT_STALL_MS 60000
#define CONNECT_TIMEOUT_MS 15000L
#define READ_BUFFER_SIZE (512L * 1024)
/* With HTTP/2 one connection does it all; the rest is for servers (and kubectl proxy) that speak only HTTP/1.1, where each watch holds one. */
#define CONNECTIONS_MAX 16L
#define POOL_MAX 128
#define SHOWN_URL_MAX 300
#define RETRY_AFTER_MAX 300 /* seconds */

struct transfer {
	struct http_client *client;
	struct transfer *prev, *next;
	CURL *easy;
	struct curl_slist *headers, *connect_to;
	char *method, *url; /* url as the caller gave it, for messages */
	char *body;
	size_t body_len, max_body, received;
	int (*on_data)(const char *data, size_t len, void *arg);
	void *on_data_arg;
	http_done_fn done;
	void *arg;
	struct http_response response;
	struct error error; /* set by a callback that stopped the transfer */
	char reason[CURL_ERROR_SIZE];
};

struct http_client {
	CURLM *multi;
	char *ca, *cert, *key, *server_name, *proxy;
	bool insecure;
	struct transfer *active; /* most recent first */
	size_t in_flight;
	size_t cancels; /* how often http_cancel_all ran: tells http_perform that its transfer is gone */
	bool renew;     /* a stream was cut off: take new connections as soon as none is in use */
	bool avoid;     /* a connection may be dead: until then, do not put new requests on those that are there */
	CURL *pool[POOL_MAX];
	size_t pool_count;
};

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

/*
 * The handle goes back to the pool with nothing of this transfer in it. Not by curl_easy_reset: that forgets the size of the buffer
 * that the handle still has, and setting it again is refused.
 */
static void recycle(struct http_client *client, CURL *easy)
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
	if (client->pool_count < POOL_MAX)
		client->pool[client->pool_count++] = easy;
	else
		curl_easy_cleanup(easy);
}

static void transfer_free(struct transfer *t)
{
	recycle(t->client, t->easy);
	for (struct curl_slist *header = t->headers; header; header = header->next)
		explicit_bzero(header->data, strlen(header->data));
	curl_slist_free_all(t->headers);
	curl_slist_free_all(t->connect_to);
	if (t->body)
		explicit_bzero(t->body, t->body_len);
	free(t->body);
	free(t->method);
	free(t->url);
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

/* The URL as far as its query, which may be long and is never what went wrong. */
static int url_shown(const struct transfer *t)
{
	size_t len = strcspn(t->url, "?");

	return (int)(len < SHOWN_URL_MAX ? len : SHOWN_URL_MAX);
}

/* ---- data ---- */

static bool is_success(const struct transfer *t)
{
	long status = 0;

	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	return status >= 200 && status < 300;
}

/* libcurl's write callback: any other answer than len ends the transfer. */
static size_t take_data(char *data, size_t size, size_t count, void *arg)
{
	struct transfer *t = arg;
	size_t len = size * count;

	if (len > t->max_body - t->received) {
		error_set(&t->error, ERR_FAILED, "the answer of '%.*s' is larger than %zu bytes", url_shown(t), t->url, t->max_body);
		return 0;
	}
	t->received += len;
	if (!t->on_data || !is_success(t)) {
		strbuf_add(&t->response.body, data, len);
		return len;
	}
	if (t->on_data(data, len, t->on_data_arg) == 0)
		return len;
	error_set(&t->error, ERR_FAILED, "the answer of '%.*s' was not read to its end", url_shown(t), t->url);
	return 0;
}

/* ---- setting up ---- */

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
	SET(setup, CURLOPT_WRITEFUNCTION, take_data);
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
		return error_set(err, ERR_USAGE, "neither http nor https: '%.*s'", url_shown(t), t->url);
	if (!t->client->server_name)
		SET(setup, CURLOPT_URL, t->url);
	else if (set_renamed_url(setup, t) < 0)
		return error_set(err, ERR_USAGE, "not a URL: '%.*s'", url_shown(t), t->url);
	return 0;
}

static int prepare(struct transfer *t, const struct http_request *request, struct error *err)
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

int http_submit(struct http_client *client, const struct http_request *request, http_done_fn done, void *arg, struct error *err)
{
	auto_transfer struct transfer *t = transfer_new(client, request);
	CURLMcode code;

	if (client->renew && client->in_flight == 0)
		renew_connections(client);
	t->done = done;
	t->arg = arg;
	if (prepare(t, request, err) < 0)
		return -1;
	code = curl_multi_add_handle(client->multi, t->easy);
	if (code != CURLM_OK)
		return error_set(err, ERR_FAILED, "cannot start a request: %s", curl_multi_strerror(code));
	link_transfer(client, t);
	t = NULL;
	return 0;
}

/* ---- the end of a transfer ---- */

/* Faults that stay until someone changes a setting or a certificate. */
static bool is_lasting(CURLcode code)
{
	return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CERTPROBLEM || code == CURLE_SSL_CACERT_BADFILE ||
		code == CURLE_SSL_ISSUER_ERROR || code == CURLE_SSL_ENGINE_NOTFOUND || code == CURLE_SSL_CIPHER ||
		code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_NOT_BUILT_IN ||
		code == CURLE_BAD_FUNCTION_ARGUMENT;
}

static void explain(struct transfer *t, CURLcode code)
{
	const char *reason = t->reason[0] ? t->reason : curl_easy_strerror(code);
	enum error_code kind = is_lasting(code) ? ERR_FAILED : ERR_UNAVAILABLE;

	if (code == CURLE_OUT_OF_MEMORY)
		mem_die();
	if (t->error.code)
		return;
	error_set(&t->error, kind, "no %sanswer from '%.*s': %s", t->response.status ? "complete " : "", url_shown(t), t->url, reason);
	if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE)
		error_hint(&t->error, "check the certificate authority configured for this server");
}

/* libcurl before 8.0 does not notice every HTTP/2 stream that was cut short; compare with what the server announced. */
static bool is_cut_short(const struct transfer *t)
{
	curl_off_t announced = -1;

	curl_easy_getinfo(t->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
	if (announced < 0 || strcmp(t->method, "HEAD") == 0 || t->response.status == 304 || t->response.status == 204)
		return false;
	return (uint64_t)announced != t->received;
}

static int64_t retry_after_ms(const struct transfer *t)
{
	struct curl_header *header;
	char *end;
	unsigned long long seconds;

	if (curl_easy_header(t->easy, "Retry-After", 0, CURLH_HEADER, -1, &header) != CURLHE_OK || header->value[0] < '0' ||
		header->value[0] > '9')
		return -1;
	/* What overflows is the largest that there is. */
	seconds = strtoull(header->value, &end, 10);
	if (*end)
		return -1;
	return seconds > RETRY_AFTER_MAX ? RETRY_AFTER_MAX * 1000 : (int64_t)seconds * 1000;
}

static void fill_response(struct transfer *t)
{
	curl_off_t first = 0, total = 0;

	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &t->response.status);
	curl_easy_getinfo(t->easy, CURLINFO_STARTTRANSFER_TIME_T, &first);
	curl_easy_getinfo(t->easy, CURLINFO_TOTAL_TIME_T, &total);
	t->response.first_byte_ms = first / 1000;
	t->response.total_ms = total / 1000;
	t->response.retry_after_ms = retry_after_ms(t);
}

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
	fill_response(t);
	if (code != CURLE_OK) {
		explain(t, code);
		distrust(client, code);
	} else if (is_cut_short(t)) {
		error_set(&t->error, ERR_UNAVAILABLE, "the answer of '%.*s' was cut short", url_shown(t), t->url);
		distrust(client, code);
	}
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
