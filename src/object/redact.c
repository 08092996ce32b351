/* SPDX-License-Identifier: Apache-2.0 */
/* The half of diff.h that shows values: which are credentials, and how the others are printed. */
#include <ctype.h>
#include <string.h>

#include "object/credential.h"
#include "object/diff.h"
#include "object/fieldpath.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"
#include "util/text.h"

#define SHOWN_BYTES 80
#define WORD_BYTES 32

/* ---- words ---- */

static bool ends_with(const char *text, size_t len, const char *suffix)
{
	size_t need = strlen(suffix);

	return len >= need && memcmp(text + len - need, suffix, need) == 0;
}

static bool is_one_of(const char *word, const char *const *words)
{
	for (; *words; words++)
		if (strcmp(word, *words) == 0)
			return true;
	return false;
}

/* word in lower case, previous: the word before it. A suffix is enough where people leave out the separator ("hftoken"). */
static bool is_credential_word(const char *word, const char *previous)
{
	static const char *const suffixes[] = {"token", "password", "passwd", "secret", "apikey", "privatekey", "accesskey", NULL};
	static const char *const words[] = {"authorization", "credential", "credentials", "passphrase", NULL};
	static const char *const key_kinds[] = {"api", "private", "access", "signing", "encryption", NULL};
	size_t len = strlen(word);

	for (const char *const *suffix = suffixes; *suffix; suffix++)
		if (ends_with(word, len, *suffix))
			return true;
	return is_one_of(word, words) || (strcmp(word, "key") == 0 && is_one_of(previous, key_kinds));
}

static bool starts_word(const char *text, size_t at, size_t len)
{
	bool upper = isupper((unsigned char)text[at]) != 0;
	bool after_lower = at > 0 && islower((unsigned char)text[at - 1]);
	bool acronym_ends = at > 0 && isupper((unsigned char)text[at - 1]) && at + 1 < len && islower((unsigned char)text[at + 1]);

	return upper && (after_lower || acronym_ends);
}

/* "apiKey", "HF_TOKEN", "APIToken2": words end at anything but a letter, and where an upper-case letter starts a new one. */
static bool has_credential_word(const char *text, size_t len)
{
	char word[WORD_BYTES] = "", previous[WORD_BYTES] = "";
	size_t used = 0;

	for (size_t i = 0; i <= len; i++) {
		bool letter = i < len && isalpha((unsigned char)text[i]);
		if (used && (!letter || starts_word(text, i, len))) {
			word[used] = '\0';
			if (is_credential_word(word, previous))
				return true;
			memcpy(previous, word, used + 1);
			used = 0;
		}
		if (letter && used == WORD_BYTES - 1) /* keep the end of an overlong word: that is what is looked at */
			memmove(word, word + 1, --used);
		if (letter)
			word[used++] = (char)tolower((unsigned char)text[i]);
	}
	return false;
}

/* ---- paths ---- */

/* A key that only says where something is. */
static bool points_elsewhere(const char *key, size_t len)
{
	static const char *const suffixes[] = {"Ref", "Refs", "Name", "Names", "Secrets", NULL};

	for (const char *const *suffix = suffixes; *suffix; suffix++)
		if (ends_with(key, len, *suffix))
			return true;
	return (len == 4 && memcmp(key, "name", 4) == 0) || (len == 7 && memcmp(key, "secrets", 7) == 0);
}

/* The next part of a concrete path: a key, or what stands in brackets. */
static const char *next_part(const char *at, const char **part, size_t *len, bool *item)
{
	bool quoted = at[0] == '[' && at[1] == '\'';

	*item = at[0] == '[' && !quoted;
	if (quoted) {
		*part = at + 2;
		const char *end = strstr(*part, "']");
		*len = end ? (size_t)(end - *part) : strlen(*part);
		return end ? end + 2 : *part + *len;
	}
	*part = at + (*at == '.' || *at == '[');
	*len = strcspn(*part, *item ? "]" : ".[");
	return *part + *len + (*item && (*part)[*len] == ']');
}

bool diff_is_credential(const char *path)
{
	bool credential = false, item;
	const char *part;
	size_t len;

	while (*path) {
		path = next_part(path, &part, &len, &item);
		const char *name = item ? memmem(part, len, "name=", 5) : NULL;
		if (item && name)
			credential = credential || has_credential_word(name + 5, len - (size_t)(name + 5 - part));
		else if (!item && points_elsewhere(part, len))
			credential = false;
		else if (!item)
			credential = credential || has_credential_word(part, len);
	}
	return credential;
}

/* ---- values ---- */

static json_t *redacted(const json_t *value, struct strbuf *path);

static json_t *redacted_map(const json_t *map, struct strbuf *path)
{
	json_t *copy = json_object();
	size_t count;
	auto_free const char **keys = json_sorted_keys(map, &count);

	for (size_t i = 0; i < count; i++) {
		size_t mark = path->len;
		fieldpath_append_key(path, keys[i]);
		json_object_set_new(copy, keys[i], redacted(json_object_get(map, keys[i]), path));
		strbuf_truncate(path, mark);
	}
	return copy;
}

static json_t *redacted_list(const json_t *list, struct strbuf *path)
{
	json_t *copy = json_array();

	for (size_t i = 0; i < json_array_size(list); i++) {
		size_t mark = path->len;
		const json_t *item = json_array_get(list, i);
		diff_append_item(path, i, item, false);
		json_array_append_new(copy, redacted(item, path));
		strbuf_truncate(path, mark);
	}
	return copy;
}

/* A copy with "<redacted>" for each string and number that is a credential by the path to it or by its shape. */
static json_t *redacted(const json_t *value, struct strbuf *path)
{
	if (json_is_object(value))
		return redacted_map(value, path);
	if (json_is_array(value))
		return redacted_list(value, path);
	if ((json_is_string(value) || json_is_number(value)) && diff_is_credential(path->buf))
		return json_string("<redacted>");
	/* A waived one, or one from before there was a guard. */
	if (json_is_string(value) && credential_in(json_string_value(value), json_string_length(value)))
		return json_string("<redacted>");
	return json_deep_copy(value);
}

void diff_print_value(struct strbuf *out, const char *path, const json_t *value)
{
	auto_strbuf struct strbuf where = STRBUF_INIT, text = STRBUF_INIT;
	auto_json json_t *shown = NULL;

	if (!value) {
		strbuf_adds(out, "(none)");
		return;
	}
	strbuf_adds(&where, path);
	/* An item that is shown whole names itself, where the path has only its position. */
	if (json_is_object(value) && json_text_at(value, "name", NULL))
		diff_append_item(&where, 0, value, true);
	shown = redacted(value, &where);
	if (json_is_string(shown) && json_is_string(value) && strcmp(json_string_value(shown), "<redacted>") == 0)
		strbuf_adds(&text, "<redacted>");
	else
		json_write(shown, &text);
	text_escape(out, text.buf, text.len, SHOWN_BYTES);
}
