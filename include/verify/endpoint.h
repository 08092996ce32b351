/* SPDX-License-Identifier: Apache-2.0 */
/*
 * endpoint - asks models over the network, as their clients do: GET URL/health, GET URL/v1/models, and one completion of one token with
 * the id found there.
 *
 * The URLs come from the cluster and are foreign: http and https only, no user in them, and nothing is sent that is a secret. A redirect
 * is not followed. Models are asked side by side, each with its own time.
 */
#ifndef RHAII_VERIFY_ENDPOINT_H
#define RHAII_VERIFY_ENDPOINT_H

#include <stddef.h>
#include <stdint.h>

#include "verify/judge.h"

struct ask;
struct error;

struct endpoint {
	char *url; /* owned; NULL: nothing is asked */
	struct judgement judgement;
	int64_t milliseconds;

	/* Of the run. */
	struct ask *ask;
	size_t step;
	int64_t started;
	char *model;
};
#define ENDPOINT_INIT                                                                                                                      \
	{                                                                                                                                  \
		.judgement = JUDGEMENT_INIT                                                                                                \
	}

void endpoint_release(struct endpoint *endpoint);

/* Ask all that have a URL; the judgements tell. timeout_ms bounds each request; 0: 30 s. */
void endpoint_ask_all(struct endpoint *endpoints, size_t count, int64_t timeout_ms);

/* What is wrong with the URL, or NULL. */
const char *endpoint_url_fault(const char *url);
/* The id of the first model in an answer to /v1/models; NULL with err. The caller frees. */
char *endpoint_model(const char *body, size_t len, struct error *err);
/* Whether the answer to /v1/completions has choices. */
int endpoint_completed(const char *body, size_t len, struct error *err);

#endif
