/* SPDX-License-Identifier: Apache-2.0 */
#include "yaml_plain.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "util/mem.h"

#define DIGITS "0123456789"

/* lower, Capitalised or UPPER: the three forms in which both versions know their words. */
static bool is_known_form(const char *text)
{
	bool first = isupper((unsigned char)text[0]);
	bool rest = text[1] && isupper((unsigned char)text[1]);

	if (rest && !first)
		return false;
	for (text++; *text; text++) {
		bool upper = isupper((unsigned char)*text);

		if (upper != rest)
			return false;
	}
	return true;
}

static enum yaml_meaning word_meaning(const char *text)
{
	static const struct {
		const char *word;
		enum yaml_meaning meaning;
	} words[] = {
		{"null", MEANS_NULL},
		{"true", MEANS_TRUE},
		{"false", MEANS_FALSE},
		{"yes", MEANS_DIFFERENT},
		{"no", MEANS_DIFFERENT},
		{"on", MEANS_DIFFERENT},
		{"off", MEANS_DIFFERENT},
		{"y", MEANS_DIFFERENT},
		{"n", MEANS_DIFFERENT},
		{"=", MEANS_DIFFERENT},
		{"<<", MEANS_DIFFERENT},
	};

	if (*text == '\0' || strcmp(text, "~") == 0)
		return MEANS_NULL;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasecmp(words[i].word, text) == 0)
			return is_known_form(text) ? words[i].meaning : MEANS_DIFFERENT;
	return MEANS_STRING;
}

/* The part after an optional sign. */
static const char *after_sign(const char *text)
{
	return *text == '-' || *text == '+' ? text + 1 : text;
}

/* Past an exponent whose sign is written, if one is there. */
static const char *after_exponent(const char *at)
{
	size_t digits;

	if ((*at != 'e' && *at != 'E') || (at[1] != '-' && at[1] != '+'))
		return at;
	digits = strspn(at + 2, DIGITS);
	return digits ? at + 2 + digits : at;
}

/* Numbers as both versions read them, or MEANS_STRING. A real needs its point and the sign of its exponent: YAML 1.1 does. */
static enum yaml_meaning number_meaning(const char *text)
{
	const char *at = after_sign(text);
	size_t whole = strspn(at, DIGITS);

	if (whole > 1 && *at == '0')
		return MEANS_STRING;
	if (whole && at[whole] == '\0')
		return MEANS_INTEGER;
	if (at[whole] != '.')
		return MEANS_STRING;
	/* ".5" is fine, "-.5" is not a number to every reader, and "." is one to none. */
	if (!whole && (at != text || !isdigit((unsigned char)at[1])))
		return MEANS_STRING;
	at += whole + 1;
	at = after_exponent(at + strspn(at, DIGITS));
	return *at ? MEANS_STRING : MEANS_REAL;
}

/* 0x1F, 0o17, 0b101; "0x_" is one, with nothing in it, to PyYAML, and 0b+1 is to Go. */
static bool is_based(const char *text)
{
	static const char *const digits[] = {"xX", "0123456789abcdefABCDEF_", "oO", "01234567_", "bB", "01_"};
	const char *at = after_sign(text);

	if (*at != '0' || !at[1])
		return false;
	for (size_t i = 0; i < 6; i += 2) {
		const char *number = after_sign(at + 2);

		if (strchr(digits[i], at[1]))
			return *number && number[strspn(number, digits[i + 1])] == '\0';
	}
	return false;
}

/* Whatever some reader takes as decimal: leading zeros, an exponent without point or sign, a sign before the point. */
static bool is_loosely_decimal(const char *text)
{
	const char *at = after_sign(text);

	if (!isdigit((unsigned char)*at) && !(*at == '.' && isdigit((unsigned char)at[1])))
		return false;
	at += strspn(at, DIGITS);
	if (*at == '.')
		at += 1 + strspn(at + 1, DIGITS);
	if (*at == 'e' || *at == 'E') {
		const char *digits = after_sign(at + 1);

		at = isdigit((unsigned char)*digits) ? digits + strspn(digits, DIGITS) : at;
	}
	return *at == '\0';
}

/* 1:30 is 90 in YAML 1.1, 12:30:45.5 is 45045.5. */
static bool is_sexagesimal(const char *text)
{
	const char *at = after_sign(text);

	if (!isdigit((unsigned char)*at))
		return false;
	at += strspn(at, DIGITS);
	if (*at != ':')
		return false;
	while (*at == ':') {
		size_t digits = strspn(at + 1, DIGITS);

		if (digits == 0 || digits > 2 || (digits == 2 && at[1] > '5'))
			return false;
		at += 1 + digits;
	}
	if (*at == '.')
		at += 1 + strspn(at + 1, DIGITS);
	return *at == '\0';
}

static bool is_loose_number(const char *text)
{
	return is_based(text) || is_loosely_decimal(text) || is_sexagesimal(text);
}

/* Some readers drop all underscores before they look: +_1, 1e_3, 0_x1F. */
static bool is_number_with_underscores(const char *text)
{
	auto_free char *copy = NULL;
	size_t len = 0;

	if (*text == '_' || !strchr(text, '_'))
		return false;
	copy = xstrdup(text);
	for (; *text; text++)
		if (*text != '_')
			copy[len++] = *text;
	copy[len] = '\0';
	return is_loose_number(copy);
}

/* 2001-01-01, and what goes on from it as a time. */
static bool is_timestamp(const char *text)
{
	size_t month, day, gap;

	if (strspn(text, DIGITS) != 4 || text[4] != '-')
		return false;
	month = strspn(text + 5, DIGITS);
	if (month < 1 || month > 2 || text[5 + month] != '-')
		return false;
	text += 5 + month + 1;
	day = strspn(text, DIGITS);
	if (day < 1 || day > 2)
		return false;
	text += day;
	if (*text == '\0')
		return true;
	gap = *text == 'T' || *text == 't' ? 1 : strspn(text, " \t");
	return gap > 0 && isdigit((unsigned char)text[gap]);
}

static bool is_not_finite(const char *text)
{
	return strcasecmp(after_sign(text), ".inf") == 0 || strcasecmp(text, ".nan") == 0;
}

enum yaml_meaning yaml_plain_meaning(const char *text)
{
	enum yaml_meaning meaning = word_meaning(text);

	if (meaning == MEANS_STRING)
		meaning = number_meaning(text);
	if (meaning != MEANS_STRING)
		return meaning;
	if (is_loose_number(text) || is_number_with_underscores(text) || is_timestamp(text) || is_not_finite(text))
		return MEANS_DIFFERENT;
	return MEANS_STRING;
}
