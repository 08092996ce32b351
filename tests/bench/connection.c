/* SPDX-License-Identifier: Apache-2.0 */
#include "connection.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void die(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

static void join(char *out, size_t size, const char *dir, const char *name)
{
	int n = snprintf(out, size, "%s/%s", dir, name);

	if (n < 0 || (size_t)n >= size)
		die("the name of directory '%s' is too long", dir);
}

static void read_server(struct connection *c, const char *dir)
{
	char path[512];
	FILE *file;

	join(path, sizeof(path), dir, "server");
	file = fopen(path, "r");
	if (!file || !fgets(c->server, sizeof(c->server), file))
		die("cannot read '%s'", path);
	fclose(file);
	c->server[strcspn(c->server, "\n")] = '\0';
}

void connection_open(struct connection *c, const char *dir, const char *agent)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		die("libcurl does not start");
	c->agent = agent;
	read_server(c, dir);
	join(c->ca, sizeof(c->ca), dir, "ca.crt");
	join(c->cert, sizeof(c->cert), dir, "client.crt");
	join(c->key, sizeof(c->key), dir, "client.key");
}

CURL *connection_handle(const struct connection *c)
{
	CURL *easy = curl_easy_init();

	if (!easy)
		die("out of memory");
	curl_easy_setopt(easy, CURLOPT_CAINFO, c->ca);
	curl_easy_setopt(easy, CURLOPT_SSLCERT, c->cert);
	curl_easy_setopt(easy, CURLOPT_SSLKEY, c->key);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, c->agent);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 512L * 1024);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT, 120L);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	return easy;
}

void connection_target(const struct connection *c, CURL *easy, const char *path, const char *query)
{
	char url[2048];
	int n = snprintf(url, sizeof(url), "%s%s%s%s", c->server, path, *query ? "?" : "", query);

	if (n < 0 || (size_t)n >= sizeof(url))
		die("the URL of '%.60s...' is too long", path);
	curl_easy_setopt(easy, CURLOPT_URL, url);
}
