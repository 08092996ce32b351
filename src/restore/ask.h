/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ask - many small questions to one server, several at a time: reviews, single objects, dry runs. They change nothing, so that one without an answer is
 * asked once more.
 */
#ifndef RHAII_RESTORE_ASK_H
#define RHAII_RESTORE_ASK_H

#include <jansson.h>
#include <stddef.h>

#include "util/error.h"

struct kube_client;

struct ask {
	char *path;         /* owned */
	const char *accept; /* NULL: application/json */
	json_t *body;       /* owned; NULL: a GET, else a POST */
	void *arg;          /* the caller's */

	json_t *answer;       /* owned; NULL: there is none */
	enum error_code code; /* ERR_NONE: answered with success */
	char *text;           /* owned: the error's */
	size_t *in_flight;
};

struct asks {
	struct ask *items;
	size_t count, cap;
};

/* One more; takes path and body. Valid until the next one is added. */
struct ask *ask_add(struct asks *asks, char *path, json_t *body, void *arg);
/* -1 only when nothing can be sent at all; what a server refuses is the code of its ask. */
int ask_all(struct asks *asks, struct kube_client *client, struct error *err);
void asks_release(struct asks *asks);
#define auto_asks __attribute__((cleanup(asks_release)))

#endif
