/* SPDX-License-Identifier: Apache-2.0 */
/*
 * texts - what tests/integration/readers.sh gives to other readers of YAML: pairs of what a text means to us, as JSON, and the text, each ended by
 * a NUL byte. The JSON is empty where our reader refuses the text.
 *
 *   texts values SEED COUNT     values at random in their canonical text
 *   texts tables                strings, keys and numbers that readers are known to disagree about, in their canonical text
 *   texts characters FROM TO    all characters of Unicode from one to, not including, the other, in their canonical text
 *   texts large                 objects as large as the API server takes, in their canonical text
 *   texts hand                  texts that somebody wrote
 *   texts soup SEED COUNT       texts at random that somebody might have written
 *   texts scalars LENGTH        plain scalars: all up to that length of the characters that numbers are made of, and all words
 *   texts numbers SEED COUNT    plain scalars at random that are nearly numbers, dates or words
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/any_value.h"
#include "hand.h"
#include "object/canonical.h"
#include "util/error.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"
#include "util/yaml.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void put(const char *json, size_t json_len, const char *text, size_t len)
{
	if (fwrite(json, 1, json_len, stdout) != json_len || putchar('\0') == EOF || fwrite(text, 1, len, stdout) != len ||
		putchar('\0') == EOF) {
		perror("texts");
		exit(1);
	}
}

static void put_value(const json_t *value)
{
	auto_strbuf struct strbuf json = STRBUF_INIT, text = STRBUF_INIT;

	json_write(value, &json);
	canonical_yaml(value, &text);
	put(json.buf, json.len, text.buf, text.len);
}

static void put_text(const char *text, size_t len)
{
	struct error err = ERROR_INIT;
	auto_strbuf struct strbuf json = STRBUF_INIT;
	auto_json json_t *value = yaml_read(text, len, &err);

	if (value)
		json_write(value, &json);
	put(json.buf, json.len, text, len);
}

/* ---- canonical texts ---- */

static void values(char **args)
{
	struct chance chance;

	chance_seed(&chance, strtoull(args[0], NULL, 10));
	for (size_t i = strtoull(args[1], NULL, 10); i > 0; i--) {
		auto_json json_t *value = any_value(&chance, 4);

		put_value(value);
	}
}

/* One string wherever one may stand. */
static void put_string(const char *text, size_t len)
{
	auto_json json_t *list = json_array(), *inner = json_array(), *map = json_object();

	json_array_append_new(inner, json_stringn(text, len));
	json_array_append(list, inner);
	json_array_append(list, json_array_get(inner, 0));
	json_object_set(map, "value", json_array_get(inner, 0));
	json_object_set(map, "list", list);
	if (strlen(text) == len) {
		json_object_set_new(map, text, json_pack("{s:o}", text, json_integer(1)));
		json_array_append_new(list, json_pack("{s:s, s:[s]}", text, text, "zz", text));
	}
	put_value(map);
}

static void tables(char **args)
{
	(void)args;
	for (size_t i = 0; i < COUNT(nasty_strings); i++)
		put_string(nasty_strings[i], strlen(nasty_strings[i]));
	put_string("\0", 1);
	put_string("a\0b\n", 4);
	for (size_t i = 0; i < COUNT(nasty_numbers); i++) {
		struct error err = ERROR_INIT;
		auto_json json_t *value = json_read(nasty_numbers[i], strlen(nasty_numbers[i]), &err);

		if (!value) {
			(void)fprintf(stderr, "texts: %s: %s\n", nasty_numbers[i], err.text);
			exit(1);
		}
		put_value(value);
	}
}

/* 256 characters a document, each as a string alone, in a word, in a block, at both ends of a key. */
static void characters(char **args)
{
	unsigned long from = strtoul(args[0], NULL, 10), to = strtoul(args[1], NULL, 10);
	auto_json json_t *list = json_array();

	for (unsigned long code = from; code < to; code++) {
		auto_strbuf struct strbuf one = STRBUF_INIT, word = STRBUF_INIT, block = STRBUF_INIT, key = STRBUF_INIT;

		if (code == 0 || (code >= 0xD800 && code < 0xE000))
			continue;
		any_utf8((uint32_t)code, &one);
		strbuf_addf(&word, "a%sb", one.buf);
		strbuf_addf(&block, "a\n%s\n b%s\n", one.buf, one.buf);
		strbuf_addf(&key, "%sk%s", one.buf, one.buf);
		json_array_append_new(list, json_pack("[s, s, s, {s: s}]", one.buf, word.buf, block.buf, key.buf, key.buf));
		if (json_array_size(list) == 256 || code + 1 == to) {
			put_value(list);
			json_array_clear(list);
		}
	}
}

static void put_large(const char *piece, size_t size)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_json json_t *value = NULL;

	while (text.len < size)
		strbuf_adds(&text, piece);
	value = json_pack("{s:{s:s}}", "data", "large", text.buf);
	put_value(value);
}

static void large(char **args)
{
	static const char *const large_pieces[] = {
		"x", "word ", "line\n", "\n", "\x01", "\xC3\xBC", "a\r\n", "\xF0\x9F\x98\x80 ", "'", "  indented: \"it\"\n"};
	auto_json json_t *list = json_array(), *map = json_object();

	(void)args;
	for (size_t i = 0; i < COUNT(large_pieces); i++)
		put_large(large_pieces[i], 3 << 19);
	for (int i = 0; i < 50000; i++) {
		auto_free char *key = xasprintf("key-%d", i);

		json_array_append_new(list, json_pack("{s:s}", "name", key));
		json_object_set_new(map, key, json_integer(i));
	}
	put_value(list);
	put_value(map);
}

/* ---- texts by hand ---- */

static void hand(char **args)
{
	(void)args;
	for (size_t i = 0; i < COUNT(hand_texts); i++)
		put_text(hand_texts[i], strlen(hand_texts[i]));
}

static void soup(char **args)
{
	struct chance chance;

	chance_seed(&chance, strtoull(args[0], NULL, 10));
	for (size_t i = strtoull(args[1], NULL, 10); i > 0; i--) {
		auto_strbuf struct strbuf text = STRBUF_INIT;

		any_yaml(&chance, &text);
		put_text(text.buf, text.len);
	}
}

/* Plain scalars that are read go into one document, item by item: that is many times faster for all readers. */
struct batch {
	struct strbuf text;
	size_t count;
};

static void flush_batch(struct batch *batch)
{
	if (batch->count)
		put_text(batch->text.buf, batch->text.len);
	strbuf_truncate(&batch->text, 0);
	batch->count = 0;
}

static void add_scalar(struct batch *batch, const char *scalar)
{
	struct error err = ERROR_INIT;
	size_t start = batch->text.len;

	strbuf_addf(&batch->text, "- %s\n", scalar);
	auto_json json_t *value = yaml_read(batch->text.buf + start, batch->text.len - start, &err);
	if (!value)
		strbuf_truncate(&batch->text, start);
	else if (++batch->count == 500)
		flush_batch(batch);
}

static void add_all_scalars(struct batch *batch, char *scalar, size_t at, size_t length)
{
	static const char number_characters[] = "0127+-._:eExXobTntya~=<fF";

	for (const char *c = number_characters; at < length && *c; c++) {
		scalar[at] = *c;
		scalar[at + 1] = '\0';
		add_scalar(batch, scalar);
		add_all_scalars(batch, scalar, at + 1, length);
	}
}

static void scalars(char **args)
{
	struct batch batch = {.text = STRBUF_INIT};
	char scalar[16];
	size_t length = strtoul(args[0], NULL, 10);

	add_all_scalars(&batch, scalar, 0, length < sizeof(scalar) ? length : sizeof(scalar) - 1);
	for (size_t i = 0; i < COUNT(hand_scalars); i++)
		add_scalar(&batch, hand_scalars[i]);
	flush_batch(&batch);
	strbuf_release(&batch.text);
}

static void numbers(char **args)
{
	struct batch batch = {.text = STRBUF_INIT};
	struct chance chance;

	chance_seed(&chance, strtoull(args[0], NULL, 10));
	for (size_t i = strtoull(args[1], NULL, 10); i > 0; i--) {
		auto_strbuf struct strbuf scalar = STRBUF_INIT;

		any_plain_scalar(&chance, &scalar);
		add_scalar(&batch, scalar.buf);
	}
	flush_batch(&batch);
	strbuf_release(&batch.text);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int args;
		void (*run)(char **args);
	} kinds[] = {
		{"values", 2, values},
		{"tables", 0, tables},
		{"characters", 2, characters},
		{"large", 0, large},
		{"hand", 0, hand},
		{"soup", 2, soup},
		{"scalars", 1, scalars},
		{"numbers", 2, numbers},
	};

	for (size_t i = 0; argc > 1 && i < COUNT(kinds); i++)
		if (strcmp(kinds[i].name, argv[1]) == 0 && argc == 2 + kinds[i].args) {
			kinds[i].run(argv + 2);
			return fflush(stdout) == 0 ? 0 : 1;
		}
	(void)fprintf(stderr, "usage: texts KIND [ARGUMENT...]; the kinds are at the head of texts.c\n");
	return 2;
}
