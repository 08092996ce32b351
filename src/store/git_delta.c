/* SPDX-License-Identifier: Apache-2.0 */
#include "git_delta.h"

#include <string.h>

#define RUN_MIN 16 /* bytes that are worth an instruction to copy them, which takes up to 5 and ends what is inserted */
#define INSERT_MAX 127
#define STEP sizeof(uint64_t)

/* A line with its end. */
static size_t line_len(const char *text, size_t len)
{
	const char *end = len ? memchr(text, '\n', len) : NULL;

	return end ? (size_t)(end - text) + 1 : len;
}

static size_t slot_of(const char *line, size_t len)
{
	uint32_t hash = 2166136261U; /* FNV-1a */

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)line[i]) * 16777619U;
	return (hash ^ hash >> 16) % DELTA_SLOTS;
}

void delta_base_set(struct delta_base *base, const char *data, size_t len)
{
	strbuf_truncate(&base->text, 0);
	strbuf_add(&base->text, data, len);
	memset(base->lines, 0, sizeof(base->lines));
	for (size_t at = 0, line; at < len; at += line) {
		uint16_t *slot;

		line = line_len(data + at, len - at);
		slot = &base->lines[slot_of(data + at, line)];
		/* Of those that share a slot the first one: most often it is the same line again. */
		if (*slot == 0)
			*slot = (uint16_t)(at + 1);
	}
}

void delta_base_release(struct delta_base *base)
{
	strbuf_release(&base->text);
}

/* ---- instructions ---- */

static void add_size(struct strbuf *out, size_t size)
{
	for (; size > 0x7F; size >>= 7)
		strbuf_addc(out, (char)(0x80 | (size & 0x7F)));
	strbuf_addc(out, (char)size);
}

static void add_insert(struct strbuf *out, const char *data, size_t len)
{
	while (len > 0) {
		size_t part = len < INSERT_MAX ? len : INSERT_MAX;

		strbuf_addc(out, (char)part);
		strbuf_add(out, data, part);
		data += part;
		len -= part;
	}
}

/* Which bytes of offset and size follow is told by bits; those that are zero do not. Neither is larger than DELTA_TEXT_MAX. */
static void add_copy(struct strbuf *out, size_t offset, size_t len)
{
	const unsigned char bytes[] = {offset & 0xFF, offset >> 8 & 0xFF, len & 0xFF, len >> 8 & 0xFF};
	static const unsigned char bits[] = {0x01, 0x02, 0x10, 0x20};
	size_t head = out->len;

	strbuf_addc(out, (char)0x80);
	for (size_t i = 0; i < sizeof(bytes); i++) {
		if (bytes[i] == 0)
			continue;
		out->buf[head] = (char)(out->buf[head] | bits[i]);
		strbuf_addc(out, (char)bytes[i]);
	}
}

/* ---- finding ---- */

static size_t common_run(const struct delta_base *base, size_t from, const char *data, size_t len)
{
	const char *text = base->text.buf + from;
	size_t run = 0;

	if (from >= base->text.len)
		return 0;
	len = len < base->text.len - from ? len : base->text.len - from;
	while (run + STEP <= len && memcmp(text + run, data + run, STEP) == 0)
		run += STEP;
	while (run < len && text[run] == data[run])
		run++;
	return run;
}

/* How many bytes the base has in common from *from on, or, where that is not worth it, from the line that the text has now; then *from is moved there. */
static size_t find_run(const struct delta_base *base, size_t *from, const char *data, size_t len)
{
	size_t run = common_run(base, *from, data, len), other, other_run;

	if (run >= RUN_MIN)
		return run;
	other = base->lines[slot_of(data, line_len(data, len))];
	other_run = other ? common_run(base, other - 1, data, len) : 0;
	if (other_run < RUN_MIN)
		return 0;
	*from = other - 1;
	return other_run;
}

/* What differs is a line, as a rule: behind it both go on as before. */
static size_t pass_line(const struct delta_base *base, size_t *from, const char *data, size_t len)
{
	if (*from < base->text.len)
		*from += line_len(base->text.buf + *from, base->text.len - *from);
	return line_len(data, len);
}

bool delta_make(const struct delta_base *base, const char *data, size_t len, struct strbuf *out)
{
	size_t from = 0, at = 0, done = 0;

	if (base->text.len == 0 || len > DELTA_TEXT_MAX)
		return false;
	strbuf_truncate(out, 0);
	add_size(out, base->text.len);
	add_size(out, len);
	while (at < len && out->len + at - done <= len / 2) {
		size_t run = find_run(base, &from, data + at, len - at);

		if (run > 0) {
			add_insert(out, data + done, at - done);
			add_copy(out, from, run);
			at += run;
			from += run;
			done = at;
		}
		if (run == 0 || data[at - 1] != '\n')
			at += pass_line(base, &from, data + at, len - at);
	}
	add_insert(out, data + done, at - done);
	return at == len && out->len <= len / 2;
}
