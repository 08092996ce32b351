/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serving - how the cluster's models, and whatever else answers over the network, are asked. All of it is the operator's word: nothing in it comes from a snapshot.
 */
#ifndef RHAII_VERIFY_SERVING_H
#define RHAII_VERIFY_SERVING_H

#include <stdbool.h>
#include <stdint.h>

#include "util/mem.h"

struct error;
struct verify_look;

struct serving_settings {
	int64_t patience_ms;    /* an answer that says "not yet" (503, refused) is asked for again for so long; 0: not at all */
	struct strlist urls;    /* "URL" in the place of scheme, host and port of all, or "NS/NAME=URL" for one service */
	struct strlist command; /* argv of the probe of isolation; empty: none */
	char *ca;               /* PEM, for https; NULL: the system's */
	char *token;            /* sent to the hosts of urls, and to the addresses of Gateways; NULL: none. Wiped when released */
};
#define SERVING_SETTINGS_INIT                                                                                                              \
	{                                                                                                                                  \
		.ca = NULL                                                                                                                 \
	}

/* Read the files; NULL: none. ERR_USAGE: not there, no PEM, a token file that others may read, or with more than one line. */
int serving_read_ca(struct serving_settings *settings, const char *path, struct error *err);
int serving_read_token(struct serving_settings *settings, const char *path, struct error *err);
/* What is wrong with an item of urls, or NULL. */
const char *serving_url_fault(const char *item);
/* Whether the URL's host may be told the token: one that the operator named, or an address of a Gateway of the snapshot. */
bool serving_trusts(const struct verify_look *look, const char *url);
void serving_release(struct serving_settings *settings);

#endif
