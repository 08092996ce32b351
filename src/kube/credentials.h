/* SPDX-License-Identifier: Apache-2.0 */
/*
 * credentials - the token and the client certificate of one client, kept fresh.
 *
 * credentials_refresh before each request: it reads a token file that has changed, and runs the exec plugin when there is nothing from it
 * yet, when that has expired, or when the server refused it. After a 401 tell credentials_refused with the generation that the request went
 * out with: many requests that were refused together cause one renewal.
 */
#ifndef RHAII_KUBE_CREDENTIALS_H
#define RHAII_KUBE_CREDENTIALS_H

#include <stdbool.h>

struct credentials;
struct error;
struct kube_config;

/* What there is to send; NULL where there is none. Borrowed, until the next refresh. */
struct credential_view {
	const char *token;
	const char *cert, *key;
	unsigned generation;  /* another number: the token or the certificate is another one */
	unsigned certificate; /* another number: cert or key is another one */
};

/* config is borrowed. */
struct credentials *credentials_new(const struct kube_config *config);
void credentials_free(struct credentials *credentials);

int credentials_refresh(struct credentials *credentials, struct error *err);
void credentials_view(const struct credentials *credentials, struct credential_view *out);
/* Whether a renewal can give others. */
bool credentials_renewable(const struct credentials *credentials);
void credentials_refused(struct credentials *credentials, unsigned generation);

#endif
