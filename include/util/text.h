/* SPDX-License-Identifier: Apache-2.0 */
/* text - foreign text made safe to show: object names, server messages, spec values. */
#ifndef RHAII_UTIL_TEXT_H
#define RHAII_UTIL_TEXT_H

#include <stddef.h>

struct strbuf;

/*
 * Append text so that it stays on its line and commands no terminal: C0, DEL, C1, bidi controls, line separators, U+FFFE and U+FFFF (which XML
 * forbids), and bytes that are not UTF-8 become \n, \t, \xNN or \u{NNNN}; longer than max bytes of output (0: no limit) is cut and ends in "...".
 */
void text_escape(struct strbuf *out, const char *text, size_t len, size_t max);

/* Codepoints, which is near enough to columns for names of Kubernetes objects. */
size_t text_width(const char *text);

/* Shell-style match of the whole of text: '*' any run, '?' one byte. 1 or 0. */
int text_glob(const char *pattern, const char *text);

/* Whether the bytes are well-formed UTF-8 (RFC 3629). */
int text_is_utf8(const char *text, size_t len);

#endif
