/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "http_internal.h"
#include "util/mem.h"

#define SHOWN_URL_MAX 300
#define RETRY_AFTER_MAX 300 /* seconds */

int http_url_shown(const struct transfer *t)
{
	size_t len = strcspn(t->url, "?");

	return (int)(len < SHOWN_URL_MAX ? len : SHOWN_URL_MAX);
}

/* ---- its bytes ---- */

static bool is_success(const struct transfer *t)
{
	long status = 0;

	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	return status >= 200 && status < 300;
}

size_t http_answer_data(char *data, size_t size, size_t count, void *arg)
{
	struct transfer *t = arg;
	size_t len = size * count;

	if (len > t->max_body - t->received) {
		error_set(&t->error, ERR_FAILED, "the answer of '%.*s' is larger than %zu bytes", http_url_shown(t), t->url, t->max_body);
		return 0;
	}
	t->received += len;
	if (!t->on_data || !is_success(t)) {
		strbuf_add(&t->response.body, data, len);
		return len;
	}
	if (t->on_data(data, len, t->on_data_arg) == 0)
		return len;
	error_set(&t->error, ERR_FAILED, "the answer of '%.*s' was not read to its end", http_url_shown(t), t->url);
	return 0;
}

/* ---- its end ---- */

/* Faults that stay until someone changes a setting or a certificate. */
static bool is_lasting(CURLcode code)
{
	return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CERTPROBLEM || code == CURLE_SSL_CACERT_BADFILE ||
		code == CURLE_SSL_ISSUER_ERROR || code == CURLE_SSL_ENGINE_NOTFOUND || code == CURLE_SSL_CIPHER ||
		code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_NOT_BUILT_IN ||
		code == CURLE_BAD_FUNCTION_ARGUMENT;
}

/* What the proxy answered to CONNECT; 0: nothing, or not in this transfer. */
static long connect_status(const struct transfer *t)
{
	long status = 0;

	curl_easy_getinfo(t->easy, CURLINFO_HTTP_CONNECTCODE, &status);
	return status;
}

/* Whether TLS with the proxy is what failed: with the server it begins only when the proxy has answered CONNECT. */
static bool is_proxy_tls(const struct transfer *t, CURLcode code)
{
	return code == CURLE_PEER_FAILED_VERIFICATION && t->proxy && strncmp(t->proxy, "https:", 6) == 0 && connect_status(t) == 0;
}

/* Whether the proxy wants to know, or does not accept, who we are. */
static bool is_proxy_refusal(const struct transfer *t, CURLcode code)
{
	long socks = CURLPX_OK;

	if (!t->proxy)
		return false;
	if (code == CURLE_PROXY)
		curl_easy_getinfo(t->easy, CURLINFO_PROXY_ERROR, &socks);
	return connect_status(t) == 407 || socks == CURLPX_USER_REJECTED || socks == CURLPX_NO_AUTH;
}

static void explain_proxy_tls(struct transfer *t, const char *reason)
{
	error_set(&t->error, ERR_FAILED, "no answer from '%.*s': the certificate of the proxy '%s' is not accepted: %s", http_url_shown(t),
		t->url, t->proxy, reason);
	error_hint(&t->error,
		"a proxy is checked with the certificate authority configured for this server: add the proxy's to it, and name the proxy "
		"as its certificate does");
}

static void explain_proxy_refusal(struct transfer *t)
{
	error_set(&t->error, ERR_FAILED, "no answer from '%.*s': the proxy '%s' %s", http_url_shown(t), t->url, t->proxy,
		t->proxy_user ? "does not accept the user and password of its URL" : "wants a user and a password");
	error_hint(
		&t->error, "they stand in the proxy's URL: SCHEME://USER:PASSWORD@HOST:PORT, other signs than letters and digits as %%XX");
}

static void explain(struct transfer *t, CURLcode code)
{
	const char *reason = t->reason[0] ? t->reason : curl_easy_strerror(code);
	enum error_code kind = is_lasting(code) ? ERR_FAILED : ERR_UNAVAILABLE;
	auto_free char *way = t->proxy ? xasprintf(" through the proxy '%s'", t->proxy) : xstrdup("");

	if (code == CURLE_OUT_OF_MEMORY)
		mem_die();
	if (t->error.code)
		return;
	if (is_proxy_tls(t, code)) {
		explain_proxy_tls(t, reason);
		return;
	}
	if (is_proxy_refusal(t, code)) {
		explain_proxy_refusal(t);
		return;
	}
	error_set(&t->error, kind, "no %sanswer from '%.*s'%s: %s", t->response.status ? "complete " : "", http_url_shown(t), t->url, way,
		reason);
	if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE)
		error_hint(&t->error, "check the certificate authority configured for this server");
	else if (code == CURLE_SSL_CERTPROBLEM)
		error_hint(&t->error,
			"check the client certificate configured for this server, and that the key is the one of this certificate");
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

bool http_answer_end(struct transfer *t, CURLcode code)
{
	fill_response(t);
	if (code != CURLE_OK)
		explain(t, code);
	else if (is_cut_short(t))
		error_set(&t->error, ERR_UNAVAILABLE, "the answer of '%.*s' was cut short", http_url_shown(t), t->url);
	else
		return true;
	return false;
}
