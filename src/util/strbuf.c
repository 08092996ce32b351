/* SPDX-License-Identifier: Apache-2.0 */
#include "util/strbuf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/mem.h"

/* Writable, since strbuf_truncate puts a NUL there; never anything else. */
char strbuf_empty[1];

char *strbuf_reserve(struct strbuf *sb, size_t extra)
{
	size_t need;

	/* A length that cannot exist is asked of the allocator all the same: it ends the program as any other lack of memory. */
	if (__builtin_add_overflow(sb->len, extra, &need) || __builtin_add_overflow(need, 1, &need))
		need = SIZE_MAX;
	if (need > sb->cap) {
		sb->buf = xgrow(sb->cap ? sb->buf : NULL, &sb->cap, need < 64 ? 64 : need, 1);
		sb->buf[sb->len] = '\0';
	}
	return sb->buf + sb->len;
}

void strbuf_add(struct strbuf *sb, const void *data, size_t len)
{
	char *end = strbuf_reserve(sb, len);

	if (len)
		memcpy(end, data, len);
	end[len] = '\0';
	sb->len += len;
}

void strbuf_adds(struct strbuf *sb, const char *text)
{
	strbuf_add(sb, text, strlen(text));
}

void strbuf_addf(struct strbuf *sb, const char *fmt, ...)
{
	char *end = strbuf_reserve(sb, 80);
	size_t room = sb->cap - sb->len;
	va_list args, again;
	int len;

	va_start(args, fmt);
	va_copy(again, args);
	len = vsnprintf(end, room, fmt, args);
	if (len >= 0 && (size_t)len >= room) {
		end = strbuf_reserve(sb, (size_t)len);
		(void)vsnprintf(end, (size_t)len + 1, fmt, again);
	}
	sb->len += len > 0 ? (size_t)len : 0;
	sb->buf[sb->len] = '\0';
	va_end(again);
	va_end(args);
}

void strbuf_truncate(struct strbuf *sb, size_t len)
{
	if (len >= sb->len)
		return;
	sb->len = len;
	sb->buf[len] = '\0';
}

char *strbuf_detach(struct strbuf *sb, size_t *len)
{
	char *bytes = sb->cap ? sb->buf : xstrdup("");

	if (len)
		*len = sb->len;
	*sb = (struct strbuf)STRBUF_INIT;
	return bytes;
}

void strbuf_release(struct strbuf *sb)
{
	if (sb->cap)
		free(sb->buf);
	*sb = (struct strbuf)STRBUF_INIT;
}
