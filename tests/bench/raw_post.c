/* SPDX-License-Identifier: Apache-2.0 */
/*
 * raw_post - POST bodies, so many in flight on one connection, and throw the answers away: what a restore would cost if it only sent.
 *
 *   raw_post CONNECTION AGENT QUERY FILE IN-FLIGHT
 *
 * A line of FILE is a path, a tab and a body. An empty line is a barrier: what stands above must be answered before what stands
 * below is sent. After a 429 the body is sent again when its Retry-After is over, and its place stays taken meanwhile, as in clients with a fixed number of
 * workers. Any other answer but 201 ends the program.
 */
#include "connection.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define IN_FLIGHT_MAX 256

struct slot {
	CURL *easy;
	bool waits;
	int64_t due;      /* monotonic ms: is sent again then */
	char answer[400]; /* its beginning, for a message */
	size_t len;
};

struct sender {
	struct connection connection;
	const char *query;
	char *next; /* in the text: the line that comes next */
	CURLM *multi;
	struct curl_slist *headers;
	struct slot slots[IN_FLIGHT_MAX];
	struct slot *idle[IN_FLIGHT_MAX];
	int count, idle_count;
	long created;
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static char *read_file(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text;
	long size;

	if (!file || fseek(file, 0, SEEK_END) < 0 || (size = ftell(file)) < 0)
		die("cannot read '%s'", path);
	rewind(file);
	text = malloc((size_t)size + 1);
	if (!text || fread(text, 1, (size_t)size, file) != (size_t)size)
		die("cannot read '%s'", path);
	text[size] = '\0';
	fclose(file);
	return text;
}

static size_t take(char *data, size_t size, size_t count, void *arg)
{
	struct slot *slot = arg;
	size_t n = size * count, room = sizeof(slot->answer) - slot->len, keep = n < room ? n : room;

	memcpy(slot->answer + slot->len, data, keep);
	slot->len += keep;
	return n;
}

static void open_slots(struct sender *s)
{
	s->multi = curl_multi_init();
	if (!s->multi)
		die("out of memory");
	curl_multi_setopt(s->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
	curl_multi_setopt(s->multi, CURLMOPT_MAX_HOST_CONNECTIONS, 1L);
	s->headers = curl_slist_append(curl_slist_append(NULL, "Content-Type: application/json"), "Accept: application/json");
	for (int i = 0; i < s->count; i++) {
		struct slot *slot = &s->slots[i];

		slot->easy = connection_handle(&s->connection);
		curl_easy_setopt(slot->easy, CURLOPT_HTTPHEADER, s->headers);
		curl_easy_setopt(slot->easy, CURLOPT_WRITEFUNCTION, take);
		curl_easy_setopt(slot->easy, CURLOPT_WRITEDATA, slot);
		curl_easy_setopt(slot->easy, CURLOPT_PRIVATE, slot);
		s->idle[s->idle_count++] = slot;
	}
}

static void close_slots(struct sender *s)
{
	for (int i = 0; i < s->count; i++)
		curl_easy_cleanup(s->slots[i].easy);
	curl_multi_cleanup(s->multi);
	curl_slist_free_all(s->headers);
}

static void start(struct sender *s, struct slot *slot)
{
	slot->len = 0;
	slot->waits = false;
	if (curl_multi_add_handle(s->multi, slot->easy) != CURLM_OK)
		die("libcurl does not take the request");
}

static void send_line(struct sender *s, char *line, char *end)
{
	struct slot *slot = s->idle[--s->idle_count];
	char *body = memchr(line, '\t', (size_t)(end - line));

	if (!body)
		die("a line without a tab: '%.60s'", line);
	*body++ = '\0';
	*end = '\0';
	connection_target(&s->connection, slot->easy, line, s->query);
	curl_easy_setopt(slot->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)(end - body));
	curl_easy_setopt(slot->easy, CURLOPT_POSTFIELDS, body);
	start(s, slot);
}

/* Send lines until all slots are busy, or there is no more, or a barrier waits for busy ones. */
static void fill(struct sender *s)
{
	while (s->idle_count > 0 && *s->next) {
		char *line = s->next, *end = strchr(line, '\n');

		if (!end)
			die("the last line has no end");
		if (end == line && s->idle_count < s->count)
			return;
		s->next = end + 1;
		if (end != line)
			send_line(s, line, end);
	}
}

static void wait_for_its_time(struct slot *slot)
{
	curl_off_t seconds = 0;

	curl_easy_getinfo(slot->easy, CURLINFO_RETRY_AFTER, &seconds);
	slot->waits = true;
	slot->due = now_ms() + (int64_t)seconds * 1000;
}

/* Send again what may go now; the milliseconds until the next one. */
static int start_due(struct sender *s)
{
	int64_t now = now_ms(), next = 1000;

	for (int i = 0; i < s->count; i++) {
		struct slot *slot = &s->slots[i];

		if (slot->waits && slot->due <= now)
			start(s, slot);
		else if (slot->waits && slot->due - now < next)
			next = slot->due - now;
	}
	return (int)next;
}

static void finish(struct sender *s, const CURLMsg *message)
{
	CURL *easy = message->easy_handle;
	CURLcode rc = message->data.result;
	struct slot *slot;
	char *url = NULL;
	long status = 0;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&slot);
	curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &url);
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	if (rc != CURLE_OK)
		die("'%s': %s", url, curl_easy_strerror(rc));
	curl_multi_remove_handle(s->multi, easy);
	if (status == 429) {
		wait_for_its_time(slot);
		return;
	}
	if (status != 201)
		die("'%s': the server answers %ld: %.*s", url, status, (int)slot->len, slot->answer);
	s->idle[s->idle_count++] = slot;
	s->created++;
}

/* Finished requests make room before the wait: at a barrier there may be nothing left to wait for. */
static void run(struct sender *s)
{
	CURLMsg *message;
	int running, waiting, idle, next;

	for (fill(s); s->idle_count < s->count; fill(s)) {
		next = start_due(s);
		if (curl_multi_perform(s->multi, &running) != CURLM_OK)
			die("libcurl gives up");
		idle = s->idle_count;
		while ((message = curl_multi_info_read(s->multi, &waiting)))
			if (message->msg == CURLMSG_DONE)
				finish(s, message);
		if (idle == s->idle_count && curl_multi_poll(s->multi, NULL, 0, next, NULL) != CURLM_OK)
			die("libcurl gives up");
	}
}

int main(int argc, char **argv)
{
	static struct sender s;
	char *text;

	if (argc != 6)
		die("usage: raw_post CONNECTION AGENT QUERY FILE IN-FLIGHT");
	s.count = atoi(argv[5]);
	if (s.count < 1 || s.count > IN_FLIGHT_MAX)
		die("'%s' is no number of requests", argv[5]);
	connection_open(&s.connection, argv[1], argv[2]);
	s.query = argv[3];
	s.next = text = read_file(argv[4]);
	open_slots(&s);
	run(&s);
	close_slots(&s);
	free(text);
	curl_global_cleanup();
	printf("%ld created\n", s.created);
	return 0;
}
