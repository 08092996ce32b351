/* SPDX-License-Identifier: Apache-2.0 */
#include "ask.h"

#include <stdlib.h>

#include "kube/client.h"
#include "util/clock.h"
#include "util/mem.h"

#define IN_FLIGHT_MAX 16
#define ASK_DEADLINE_MS 30000 /* a webhook may be waited for so long (timeoutSeconds) */
#define AGAIN_MS 300

struct ask *ask_add(struct asks *asks, char *path, json_t *body, void *arg)
{
	asks->items = xgrow(asks->items, &asks->cap, asks->count + 1, sizeof(*asks->items));
	asks->items[asks->count] = (struct ask){.path = path, .body = body, .arg = arg, .code = ERR_UNAVAILABLE};
	return &asks->items[asks->count++];
}

static void ask_done(json_t *body, const struct error *error, int64_t retry_after_ms, void *arg)
{
	struct ask *ask = arg;

	(void)retry_after_ms;
	(*ask->in_flight)--;
	ask->code = error ? error->code : ERR_NONE;
	free(ask->text);
	ask->text = error ? xstrdup(error->text) : NULL;
	ask->answer = error ? NULL : json_incref(body);
}

static int ask_send(struct ask *ask, struct kube_client *client, struct error *err)
{
	const struct kube_request request = {.method = ask->body ? "POST" : "GET",
		.path = ask->path,
		.body = ask->body,
		.accept = ask->accept,
		.changes_nothing = true,
		.deadline_ms = ASK_DEADLINE_MS};

	if (kube_send(client, &request, ask_done, ask, err) < 0)
		return -1;
	(*ask->in_flight)++;
	return 0;
}

/* Ask what has no answer yet. */
static int ask_round(struct asks *asks, struct kube_client *client, struct error *err)
{
	size_t in_flight = 0, next = 0;
	int rc = 0;

	while (rc == 0 && (next < asks->count || in_flight)) {
		for (; rc == 0 && next < asks->count && in_flight < IN_FLIGHT_MAX; next++) {
			asks->items[next].in_flight = &in_flight;
			if (asks->items[next].code == ERR_UNAVAILABLE)
				rc = ask_send(&asks->items[next], client, err);
		}
		if (rc == 0 && in_flight)
			rc = kube_drive(client, 1000, err);
	}
	if (rc < 0) /* what is in flight points at the count here */
		kube_cancel_all(client);
	return rc;
}

static bool has_unanswered(const struct asks *asks)
{
	for (size_t i = 0; i < asks->count; i++)
		if (asks->items[i].code == ERR_UNAVAILABLE)
			return true;
	return false;
}

int ask_all(struct asks *asks, struct kube_client *client, struct error *err)
{
	if (ask_round(asks, client, err) < 0)
		return -1;
	if (!has_unanswered(asks))
		return 0;
	clock_sleep_ms(AGAIN_MS);
	return ask_round(asks, client, err);
}

void asks_release(struct asks *asks)
{
	for (size_t i = 0; i < asks->count; i++) {
		free(asks->items[i].path);
		free(asks->items[i].text);
		json_decref(asks->items[i].body);
		json_decref(asks->items[i].answer);
	}
	free(asks->items);
	*asks = (struct asks){0};
}
