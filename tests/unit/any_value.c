/* SPDX-License-Identifier: Apache-2.0 */
#include "any_value.h"

#include <math.h>
#include <string.h>

#include "util/strbuf.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

void chance_seed(struct chance *chance, uint64_t seed)
{
	chance->state = seed * 0x9E3779B97F4A7C15U + 0x2545F4914F6CDD1DU;
	if (!chance->state) /* the one state that xorshift does not leave */
		chance->state = 1;
}

size_t chance_pick(struct chance *chance, size_t below)
{
	chance->state ^= chance->state << 13;
	chance->state ^= chance->state >> 7;
	chance->state ^= chance->state << 17;
	return (size_t)((chance->state >> 11) % below);
}

/* ---- strings ---- */

static const char *const pieces[] = {"a", "b", "Z", "0", "1", "9", " ", "  ", "\n", "\n\n", "\t", "\r", "\r\n", ":", ": ", " #", "#", "-",
	"- ", "?", "? ", "|", ">", "&", "*", "!", "%", "@", "`", "'", "\"", "\\", "{", "}", "[", "]", ",", "=", "<<", "~", ".", "...",
	"---", "_", "/", "e", "x", "o", "yes", "no", "on", "null", "true", ".inf", "1:30", "2001-01-01", "0x1F", "\xC2\xA0", "\xC2\x85",
	"\xE2\x80\xA8", "\xE2\x80\xA9", "\xE2\x80\xAE", "\xEF\xBB\xBF", "\xEF\xBF\xBE", "\xED\x9F\xBF", "\xEE\x80\x80", "\xC3\xBC",
	"\xF0\x9F\x98\x80", "\xF4\x8F\xBF\xBF", "\xE2\x80\x8B", "\x7F", "\x1B", "\x01", "\b", "\f", "\xF3\xA0\x81\x81", "{{ .X }}", "\\n",
	"\xE3\x80\x80"};

void any_utf8(uint32_t code, struct strbuf *out)
{
	static const struct {
		uint32_t end;
		unsigned char first;
		int more; /* bytes after the first */
	} lengths[] = {{0x80, 0, 0}, {0x800, 0xC0, 1}, {0x10000, 0xE0, 2}, {0x110000, 0xF0, 3}};
	size_t i = 0;

	while (code >= lengths[i].end)
		i++;
	strbuf_addc(out, (char)(lengths[i].first | code >> 6 * lengths[i].more));
	for (int more = lengths[i].more; more > 0; more--)
		strbuf_addc(out, (char)(0x80 | (code >> 6 * (more - 1) & 0x3F)));
}

/* One character of all there are, but NUL; those with a short encoding more often. */
static void any_character(struct chance *chance, struct strbuf *out)
{
	static const uint32_t ends[] = {0x80, 0x800, 0xD800, 0x110000};
	uint32_t code = 1 + (uint32_t)chance_pick(chance, ends[chance_pick(chance, COUNT(ends))] - 1);

	if (code >= 0xD800 && code < 0xE000) /* surrogates are no characters */
		code -= 0x800;
	any_utf8(code, out);
}

static void any_text(struct chance *chance, struct strbuf *out)
{
	size_t count = chance_pick(chance, 8);

	for (size_t i = 0; i < count; i++) {
		if (chance_pick(chance, 8) == 0)
			any_character(chance, out);
		else
			strbuf_adds(out, pieces[chance_pick(chance, COUNT(pieces))]);
	}
	if (chance_pick(chance, 400) == 0) /* no simple key any more */
		for (size_t i = 0; i < 1100; i++)
			strbuf_addc(out, 'k');
	if (chance_pick(chance, 40) == 0)
		any_plain_scalar(chance, out);
}

/* ---- values ---- */

static json_t *any_number(struct chance *chance)
{
	union {
		uint64_t bits;
		double number;
	} any;

	(void)chance_pick(chance, 1);
	any.bits = chance->state;
	if (chance_pick(chance, 2))
		return json_integer((json_int_t)(any.bits >> chance_pick(chance, 64)));
	if (chance_pick(chance, 2) || !isfinite(any.number))
		any.number = (double)chance_pick(chance, 1000000) / 64;
	return json_real(any.number);
}

static json_t *any_string(struct chance *chance)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;

	any_text(chance, &text);
	if (chance_pick(chance, 50) == 0)
		strbuf_add(&text, "\0x", 2);
	return json_stringn(text.buf, text.len);
}

static json_t *any_array(struct chance *chance, int depth)
{
	json_t *array = json_array();

	for (size_t i = chance_pick(chance, 5); i > 0; i--)
		json_array_append_new(array, any_value(chance, depth));
	return array;
}

static json_t *any_object(struct chance *chance, int depth)
{
	json_t *object = json_object();

	for (size_t i = chance_pick(chance, 5); i > 0; i--) {
		auto_strbuf struct strbuf key = STRBUF_INIT;

		any_text(chance, &key);
		json_object_set_new(object, key.buf, any_value(chance, depth));
	}
	return object;
}

json_t *any_value(struct chance *chance, int depth)
{
	size_t what = chance_pick(chance, depth > 0 ? 10 : 6);

	if (what == 0)
		return json_boolean(chance_pick(chance, 2));
	if (what == 1)
		return chance_pick(chance, 4) ? any_number(chance) : json_null();
	if (what < 6)
		return any_string(chance);
	return what < 8 ? any_array(chance, depth - 1) : any_object(chance, depth - 1);
}

/* ---- texts ---- */

void any_yaml(struct chance *chance, struct strbuf *out)
{
	static const char *const more[] = {"\n", "\n", "\n  ", "\n  ", "\n- ", "\n  - ",
		"\na: ", "\nb: ", "\n  c: ", "\n  d: ", "a: ", "k: ", "- ", "? ", "|", "|-\n", "|+\n", ">\n", ">-\n", ">2\n", "|1-\n", "\"",
		"'", "\"a\" ", "'b'", "# c\n", " # c\n", "{", "}", "[", "]", ", ", ": ", "\\x41", "\\u00fc", "\\\n", "\\/", "&a ", "*a",
		"!!str ", "! ", "%YAML 1.1\n", "---\n", "--- ", "...\n", "\xEF\xBB\xBF", "word", "two words", "1", "-1.5", "true", "null",
		"\r\n", "\t"};
	size_t count = 1 + chance_pick(chance, 12);

	for (size_t i = 0; i < count; i++) {
		if (chance_pick(chance, 6) == 0)
			any_text(chance, out);
		else if (chance_pick(chance, 12) == 0)
			any_plain_scalar(chance, out);
		else
			strbuf_adds(out, more[chance_pick(chance, COUNT(more))]);
	}
}

void any_plain_scalar(struct chance *chance, struct strbuf *out)
{
	static const char *const samples[] = {"0", "10", "-7", "012", "0o17", "0x1F", "0b101", "1_000", "1:30", "12:30:45.5", "1.5",
		"1.5e+3", "1e3", ".5", "-.5", "+1.5E-3", "2001-01-01", "2001-12-14t21:59:43.10-05:00", "2001-12-14 21:59:43", ".inf",
		"-.Inf", ".nan", "yes", "On", "n", "true", "NULL", "~", "<<", "=", "18446744073709551616", "9223372036854775808"};
	static const char changes[] = "0123456789+-._:eExXoObBtTzZ abcfnNyY~=";
	const char *sample = samples[chance_pick(chance, COUNT(samples))];
	size_t start = out->len, times = chance_pick(chance, 4);

	strbuf_adds(out, sample);
	while (times--) {
		char *at = out->buf + start + chance_pick(chance, strlen(sample));

		*at = changes[chance_pick(chance, sizeof(changes) - 1)];
		if (chance_pick(chance, 3) == 0)
			strbuf_addc(out, changes[chance_pick(chance, sizeof(changes) - 1)]);
	}
}
