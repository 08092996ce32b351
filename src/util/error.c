/* SPDX-License-Identifier: Apache-2.0 */
#include "util/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Longer than any text it is cut down to, so that the cut can see whether it falls inside a UTF-8 sequence. */
#define SCRATCH_SIZE (sizeof((struct error *)NULL)->text + 8)

/* Append as much of text as fits, ending before a UTF-8 sequence rather than inside it. */
static void append_cut(char *dst, size_t size, const char *text)
{
	size_t used = strlen(dst);
	size_t len = strnlen(text, size - used - 1);

	if (text[len])
		while (len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80)
			len--;
	memcpy(dst + used, text, len);
	dst[used + len] = '\0';
}

/* The arguments may point into err itself, so they are formatted before anything in it changes. */
__attribute__((format(printf, 3, 0))) static void fill(struct error *err, enum error_code code, const char *fmt, va_list args)
{
	char scratch[SCRATCH_SIZE];

	(void)vsnprintf(scratch, sizeof(scratch), fmt, args);
	error_clear(err);
	err->code = code;
	append_cut(err->text, sizeof(err->text), scratch);
}

int error_set(struct error *err, enum error_code code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fill(err, code, fmt, args);
	va_end(args);
	return -1;
}

int error_errno(struct error *err, int errno_value, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fill(err, ERR_FAILED, fmt, args);
	va_end(args);
	append_cut(err->text, sizeof(err->text), ": ");
	append_cut(err->text, sizeof(err->text), strerror(errno_value));
	return -1;
}

int error_wrap(struct error *err, const char *fmt, ...)
{
	char scratch[SCRATCH_SIZE];
	char wrapped[sizeof(err->text)] = "";
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(scratch, sizeof(scratch), fmt, args);
	va_end(args);
	append_cut(wrapped, sizeof(wrapped), scratch);
	append_cut(wrapped, sizeof(wrapped), ": ");
	append_cut(wrapped, sizeof(wrapped), err->text);
	memcpy(err->text, wrapped, sizeof(wrapped));
	return -1;
}

int error_hint(struct error *err, const char *fmt, ...)
{
	char scratch[SCRATCH_SIZE];
	va_list args;

	if (err->hint[0])
		return -1;
	va_start(args, fmt);
	(void)vsnprintf(scratch, sizeof(scratch), fmt, args);
	va_end(args);
	append_cut(err->hint, sizeof(err->hint), scratch);
	return -1;
}

void error_clear(struct error *err)
{
	err->code = ERR_NONE;
	err->text[0] = '\0';
	err->hint[0] = '\0';
}
