/* SPDX-License-Identifier: Apache-2.0 */
/*
 * raw_list - list collections page by page and throw the pages away: what a snapshot would cost if it did nothing.
 *
 *   raw_list CONNECTION LIMIT PATH...
 *
 * The next page is asked for with the `continue` of the one before. Built-in kinds send it in the first bytes of a page, custom
 * resources (keys sorted, `items` first) in the last; nothing else of a page is looked at, or kept.
 */
#include "connection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EDGE 2048
#define MAX_PAGES 10000

struct page {
	char head[EDGE], tail[EDGE];
	size_t head_len, tail_len;
	size_t len;
};

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t take(char *data, size_t size, size_t count, void *arg)
{
	struct page *p = arg;
	size_t n = size * count, add = smaller(n, EDGE), keep = smaller(p->tail_len, EDGE - add);
	size_t room = smaller(n, EDGE - p->head_len);

	memcpy(p->head + p->head_len, data, room);
	p->head_len += room;
	memmove(p->tail, p->tail + p->tail_len - keep, keep);
	memcpy(p->tail + keep, data + n - add, add);
	p->tail_len = keep + add;
	p->len += n;
	return n;
}

/* Copies the token in the text to out; false when there is none. Custom resources have an empty one on the last page. */
static int find_token(const char *text, size_t len, char *out, size_t size)
{
	static const char key[] = "\"continue\":\"";
	const char *from = memmem(text, len, key, sizeof(key) - 1), *end;

	if (!from)
		return 0;
	from += sizeof(key) - 1;
	end = memchr(from, '"', len - (size_t)(from - text));
	if (!end || (size_t)(end - from) >= size)
		die("a continue token that is cut or too long");
	memcpy(out, from, (size_t)(end - from));
	out[end - from] = '\0';
	return *out != '\0';
}

static void get_page(const struct connection *c, CURL *easy, const char *path, const char *query, struct page *p)
{
	CURLcode rc;
	long status = 0;

	p->head_len = p->tail_len = p->len = 0;
	connection_target(c, easy, path, query);
	rc = curl_easy_perform(easy);
	if (rc != CURLE_OK)
		die("'%s': %s", path, curl_easy_strerror(rc));
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200)
		die("'%s': the server answers %ld: %.*s", path, status, (int)p->head_len, p->head);
}

static void list(const struct connection *c, CURL *easy, const char *path, const char *limit, struct page *p)
{
	char token[1024] = "", query[1200];
	unsigned long long bytes = 0;
	int pages = 0, more;

	do {
		snprintf(query, sizeof(query), "limit=%s%s%s", limit, *token ? "&continue=" : "", token);
		get_page(c, easy, path, query, p);
		bytes += p->len;
		pages++;
		more = find_token(p->head, p->head_len, token, sizeof(token)) || find_token(p->tail, p->tail_len, token, sizeof(token));
	} while (more && pages < MAX_PAGES);
	if (more)
		die("'%s': still not at its end after %d pages", path, pages);
	printf("%s: %d pages, %llu bytes\n", path, pages, bytes);
}

int main(int argc, char **argv)
{
	static struct page page;
	struct curl_slist *headers = curl_slist_append(NULL, "Accept: application/json");
	struct connection c;
	CURL *easy;

	if (argc < 4)
		die("usage: raw_list CONNECTION LIMIT PATH...");
	connection_open(&c, argv[1], "rhaii-bench-raw/1");
	easy = connection_handle(&c);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, &page);
	for (int i = 3; i < argc; i++)
		list(&c, easy, argv[i], argv[2], &page);
	curl_easy_cleanup(easy);
	curl_slist_free_all(headers);
	curl_global_cleanup();
	return 0;
}
