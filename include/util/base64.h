/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base64 - the standard alphabet with padding (RFC 4648, section 4), read strictly: what is not canonical is refused, but line breaks
 * are skipped, as Go does, since people fold long values.
 *
 * What is decoded here is mostly keys, so no error names a part of the text, and the result is one buffer that never moves and that
 * the caller can wipe.
 */
#ifndef RHAII_UTIL_BASE64_H
#define RHAII_UTIL_BASE64_H

#include <stddef.h>

struct error;
struct strbuf;

/* *out has *out_len bytes and a NUL behind them; the caller frees. ERR_SYNTAX with the offset of the fault. */
int base64_decode(const char *text, size_t len, char **out, size_t *out_len, struct error *err);

/* Append the text of len bytes, in one line. */
void base64_encode(const void *data, size_t len, struct strbuf *out);

#endif
