/* SPDX-License-Identifier: Apache-2.0 */
/*
 * endpoint - asks models over the network, as their clients do: GET URL/health, GET URL/v1/models, a completion and a chat completion of a few tokens with the id found
 * there, and one of them again as a stream, for the time to its first token.
 *
 * Of the two kinds of completion one may be unknown to the server (404); the other must have words in it then. An answer that says "not yet" (502, 503, 504, 429, or nobody there) is
 * asked for again until the patience is over: a model loads for minutes.
 *
 * The URLs may be the cluster's and foreign: http and https only, no user in them, and nothing is sent that is a secret but the token, to those endpoints that say so. A redirect is
 * not followed. Models are asked side by side, each with its own time.
 */
#ifndef RHAII_VERIFY_ENDPOINT_H
#define RHAII_VERIFY_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "verify/judge.h"

struct ask;
struct error;

struct endpoint {
	char *url;     /* owned; NULL: nothing is asked */
	char *connect; /* owned; the address to connect to in the place of the URL's host; NULL: that */
	bool trusted;  /* it may be sent the token */
	bool hasty;    /* no patience with this one: nothing says that it is about to serve */
	struct judgement judgement;
	int64_t milliseconds;
	int64_t first_token_ms; /* -1: not known */

	/* Of the run. */
	struct ask *ask;
	size_t step, tries;
	size_t answers;               /* a bit for each step that was a completion */
	int64_t started, sent, again; /* again: when to ask once more; 0: not waiting */
	char *model;
};
#define ENDPOINT_INIT                                                                                                                      \
	{                                                                                                                                  \
		.judgement = JUDGEMENT_INIT, .first_token_ms = -1                                                                          \
	}

struct endpoint_manner {
	int64_t timeout_ms;  /* of one request; 0: 60 s */
	int64_t patience_ms; /* 0: each question is asked once */
	const char *ca;      /* PEM; NULL: the system's */
	const char *token;   /* NULL: none */
};

void endpoint_release(struct endpoint *endpoint);

/* Ask all that have a URL; the judgements tell. */
void endpoint_ask_all(struct endpoint *endpoints, size_t count, const struct endpoint_manner *manner);

/* What is wrong with the URL, or NULL. */
const char *endpoint_url_fault(const char *url);
/* Its host, without port and brackets. The caller frees; NULL for no URL. */
char *endpoint_url_host(const char *url);
/* The id of the first model in an answer to /v1/models; NULL with err. The caller frees. */
char *endpoint_model(const char *body, size_t len, struct error *err);
/* Whether the answer to /v1/completions, or to /v1/chat/completions, has words in its first choice. */
int endpoint_completed(const char *body, size_t len, struct error *err);

#endif
