/* SPDX-License-Identifier: Apache-2.0 */
/* key - a new private key, made by libcrypto. */
#ifndef RHAII_UTIL_KEY_H
#define RHAII_UTIL_KEY_H

struct error;
struct strbuf;

/* Append a new key of the curve P-256 as PEM (SEC 1, "EC PRIVATE KEY"). The buffer grows once, before the first byte, so that the caller can wipe all there ever was. */
int key_make(struct strbuf *out, struct error *err);

#endif
