/* SPDX-License-Identifier: Apache-2.0 */
#include "util/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "util/strbuf.h"

/* How many bytes a sequence has that starts with this byte (0: none starts so), and the bits of the code point in it. */
static size_t sequence_length(unsigned char first, uint32_t *bits)
{
	if (first < 0x80) {
		*bits = first;
		return 1;
	}
	if (first >= 0xC2 && first <= 0xDF) {
		*bits = first & 0x1FU;
		return 2;
	}
	if (first >= 0xE0 && first <= 0xEF) {
		*bits = first & 0x0FU;
		return 3;
	}
	if (first >= 0xF0 && first <= 0xF4) {
		*bits = first & 0x07U;
		return 4;
	}
	return 0;
}

/* Length of the well-formed sequence at the start of text, and its code point; 0 when there is none. */
static size_t decode(const char *text, size_t len, uint32_t *code)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t need = len ? sequence_length((unsigned char)text[0], code) : 0;

	if (need == 0 || need > len)
		return 0;
	for (size_t i = 1; i < need; i++) {
		unsigned char byte = (unsigned char)text[i];

		if ((byte & 0xC0) != 0x80)
			return 0;
		*code = *code << 6 | (byte & 0x3FU);
	}
	if (*code < smallest[need] || *code > 0x10FFFF || (*code >= 0xD800 && *code <= 0xDFFF))
		return 0;
	return need;
}

/* Would move the cursor, end the line, turn the order of what is shown around, or break an XML document. */
static bool is_unsafe(uint32_t code)
{
	return code < 0x20 || (code >= 0x7F && code <= 0x9F) || code == 0x061C || code == 0x200E || code == 0x200F ||
		(code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069) || code == 0xFFFE || code == 0xFFFF;
}

/* What the start of text looks like when shown safely; returns the number of its bytes that this stands for. */
static size_t escape_one(const char *text, size_t len, char piece[16])
{
	uint32_t code;
	size_t used = decode(text, len, &code);

	if (used == 0)
		(void)snprintf(piece, 16, "\\x%02X", (unsigned char)text[0]);
	else if (code == '\n')
		(void)snprintf(piece, 16, "\\n");
	else if (code == '\t')
		(void)snprintf(piece, 16, "\\t");
	else if (is_unsafe(code) && code < 0x80)
		(void)snprintf(piece, 16, "\\x%02X", (unsigned)code);
	else if (is_unsafe(code))
		(void)snprintf(piece, 16, "\\u{%04X}", (unsigned)code);
	else
		(void)snprintf(piece, 16, "%.*s", (int)used, text);
	return used ? used : 1;
}

/* How many bytes at the start stand for themselves, as far as it pays to look. */
static size_t plain_run(const char *text, size_t len)
{
	size_t run = 0;

	while (run < len && run < 256 && text[run] >= 0x20 && text[run] < 0x7F)
		run++;
	return run;
}

void text_escape(struct strbuf *out, const char *text, size_t len, size_t max)
{
	static const char dots[] = "...";
	size_t start = out->len;
	size_t room = max == 0 ? SIZE_MAX : max > 3 ? max - 3 : 0;
	size_t cut = start; /* the last whole piece after which the dots still fit */

	while (len > 0) {
		char piece[16];
		size_t used = plain_run(text, len);

		if (used > 0 && out->len - start + used <= room) {
			strbuf_add(out, text, used);
		} else {
			used = escape_one(text, len, piece);
			strbuf_adds(out, piece);
		}
		if (max && out->len - start > max) {
			strbuf_truncate(out, cut);
			strbuf_add(out, dots, max < 3 ? max : 3);
			return;
		}
		if (out->len - start <= room)
			cut = out->len;
		text += used;
		len -= used;
	}
}

size_t text_width(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xC0) != 0x80;
	return width;
}

int text_glob(const char *pattern, const char *text)
{
	const char *star = NULL, *resume = NULL;

	while (*text) {
		if (*pattern == '*') {
			/* Try the shortest run first; on a mismatch the run takes one byte more. */
			star = pattern++;
			resume = text;
		} else if (*pattern == '?' || *pattern == *text) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star + 1;
			text = ++resume;
		} else {
			return 0;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

int text_is_utf8(const char *text, size_t len)
{
	while (len > 0) {
		uint32_t code;
		size_t used = decode(text, len, &code);

		if (used == 0)
			return 0;
		text += used;
		len -= used;
	}
	return 1;
}
