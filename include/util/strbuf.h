/* SPDX-License-Identifier: Apache-2.0 */
/*
 * strbuf - a growing byte buffer, always followed by a NUL that len does not count.
 */
#ifndef RHAII_UTIL_STRBUF_H
#define RHAII_UTIL_STRBUF_H

#include <stddef.h>

struct strbuf {
	char *buf; /* never NULL after the first add; STRBUF_INIT points at a shared empty string */
	size_t len, cap;
};

extern char strbuf_empty[];
#define STRBUF_INIT                                                                                                                        \
	{                                                                                                                                  \
		.buf = strbuf_empty                                                                                                        \
	}

/* Make room for extra bytes and a NUL after what is there; returns where they go (write at most extra bytes, then add to len and put the NUL). */
char *strbuf_reserve(struct strbuf *sb, size_t extra);
void strbuf_add(struct strbuf *sb, const void *data, size_t len);
/* In line: most of what is written of YAML and JSON is single bytes between short texts. */
static inline void strbuf_addc(struct strbuf *sb, char c)
{
	char *end = sb->len + 1 < sb->cap ? sb->buf + sb->len : strbuf_reserve(sb, 1);

	end[0] = c;
	end[1] = '\0';
	sb->len++;
}
void strbuf_adds(struct strbuf *sb, const char *text);
void strbuf_addf(struct strbuf *sb, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Cut down to len bytes; a longer len changes nothing. */
void strbuf_truncate(struct strbuf *sb, size_t len);
/* Give the bytes away; the buffer is empty again. The caller frees. */
char *strbuf_detach(struct strbuf *sb, size_t *len);
void strbuf_release(struct strbuf *sb);
#define auto_strbuf __attribute__((cleanup(strbuf_release)))

#endif
