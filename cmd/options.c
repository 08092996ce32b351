/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "util/clock.h"
#include "util/env.h"
#include "util/error.h"
#include "util/strbuf.h"
#include "util/suggest.h"

struct option_given {
	enum option_id id;
	const char *text; /* NULL for a flag; borrowed from argv */
	char *spelled;    /* "--repo" or "-n" */
};

/* Which way the values of a type are read. */
typedef int (*set_fn)(const struct option *row, void *member, const char *where, const char *text, struct error *err);

static int set_flag(const struct option *row, void *member, const char *where, const char *text, struct error *err)
{
	bool yes = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;

	(void)row;
	if (!yes && strcmp(text, "false") != 0 && strcmp(text, "0") != 0)
		return error_set(err, ERR_USAGE, "%s: '%s' is neither true nor false", where, text);
	*(bool *)member = yes;
	return 0;
}

static int set_text(const struct option *row, void *member, const char *where, const char *text, struct error *err)
{
	char **value = member;

	if (!*text)
		return error_set(err, ERR_USAGE, "%s: empty, expected %s", where, row->arg);
	free(*value);
	*value = xstrdup(text);
	return 0;
}

static int set_count(const struct option *row, void *member, const char *where, const char *text, struct error *err)
{
	char *end;
	uintmax_t number;

	(void)row;
	errno = 0;
	number = strtoumax(text, &end, 10);
	if (!isdigit((unsigned char)*text) || *end || errno || number == 0 || number > INT32_MAX)
		return error_set(err, ERR_USAGE, "%s: '%s' is no number from 1 to %" PRId32, where, text, INT32_MAX);
	*(size_t *)member = (size_t)number;
	return 0;
}

static int set_duration(const struct option *row, void *member, const char *where, const char *text, struct error *err)
{
	struct error why = ERROR_INIT;

	(void)row;
	if (clock_parse_duration(text, member, &why) < 0) {
		error_set(err, ERR_USAGE, "%s: '%s' is no duration", where, text);
		return error_hint(err, "write it as 90s, 30m or 1h30m");
	}
	return 0;
}

static int set_choice(const struct option *row, void *member, const char *where, const char *text, struct error *err)
{
	auto_strbuf struct strbuf words = STRBUF_INIT;
	const char *near;

	for (unsigned i = 0; row->choices[i]; i++) {
		if (strcmp(text, row->choices[i]) == 0) {
			*(unsigned *)member = i;
			return 0;
		}
		strbuf_addf(&words, "%s%s", i ? ", " : "", row->choices[i]);
	}
	error_set(err, ERR_USAGE, "%s: '%s' is none of %s", where, text, words.buf);
	near = suggest(text, row->choices);
	return near ? error_hint(err, "did you mean '%s'?", near) : -1;
}

static int set_list(const struct option *row, void *member, const char *where, const char *text, struct error *err)
{
	auto_free char *copy = xstrdup(text);
	char *rest = copy, *item;

	while ((item = strsep(&rest, ","))) {
		if (!*item)
			return error_set(err, ERR_USAGE, "%s: '%s' has an empty %s", where, text, row->arg);
		strlist_add(member, item);
	}
	return 0;
}

static int set_wholes(const struct option *row, void *member, const char *where, const char *text, struct error *err)
{
	if (!*text)
		return error_set(err, ERR_USAGE, "%s: empty, expected %s", where, row->arg);
	strlist_add(member, text);
	return 0;
}

static const set_fn set_by_type[] = {
	[OPT_FLAG] = set_flag,
	[OPT_TEXT] = set_text,
	[OPT_COUNT] = set_count,
	[OPT_DURATION] = set_duration,
	[OPT_CHOICE] = set_choice,
	[OPT_LIST] = set_list,
	[OPT_WHOLES] = set_wholes,
};

_Static_assert(sizeof(enum output_format) == sizeof(unsigned) && sizeof(enum color_when) == sizeof(unsigned) &&
		sizeof(enum log_format) == sizeof(unsigned) && sizeof(enum rbac_command) == sizeof(unsigned) &&
		sizeof(enum selection_references) == sizeof(unsigned),
	"set_choice writes all of them as unsigned");

bool option_is_list(enum option_id id)
{
	return option_rows[id].type == OPT_LIST || option_rows[id].type == OPT_WHOLES;
}

static void *member_of(struct settings *settings, enum option_id id)
{
	return (char *)settings + option_rows[id].offset;
}

int option_set(
	struct settings *settings, enum option_id id, enum option_source source, const char *where, const char *text, struct error *err)
{
	const struct option *row = &option_rows[id];

	/* A list of a higher source replaces that of a lower one, it does not add to it. */
	if (option_is_list(id) && source > settings->from[id])
		strlist_release(member_of(settings, id));
	settings->from[id] = source;
	return set_by_type[row->type](row, member_of(settings, id), where, text, err);
}

/* Scanning */

static enum option_id find_name(const char *name, size_t len)
{
	for (enum option_id id = OPTION_NONE + 1; id < OPTION_COUNT; id++)
		if (strlen(option_rows[id].name) == len && strncmp(option_rows[id].name, name, len) == 0)
			return id;
	return OPTION_NONE;
}

static enum option_id find_letter(char letter)
{
	for (enum option_id id = OPTION_NONE + 1; id < OPTION_COUNT; id++)
		if (option_rows[id].letter == letter)
			return id;
	return OPTION_NONE;
}

static int unknown_name(const char *name, size_t len, struct error *err)
{
	const char *names[OPTION_COUNT] = {NULL};
	auto_free char *word = xstrndup(name, len);
	const char *near;

	for (enum option_id id = OPTION_NONE + 1; id < OPTION_COUNT; id++)
		names[id - 1] = option_rows[id].name;
	near = suggest(word, names);
	error_set(err, ERR_USAGE, "unknown option '--%s'", word);
	return near ? error_hint(err, "did you mean '--%s'?", near) : -1;
}

static void give(struct settings *settings, enum option_id id, const char *text, char *spelled)
{
	settings->given = xgrow(settings->given, &settings->given_cap, settings->given_count + 1, sizeof(*settings->given));
	settings->given[settings->given_count++] = (struct option_given){.id = id, .text = text, .spelled = spelled};
}

/* The value of an option is what is attached to it, else the next word. Returns the number of words used, or -1. */
static int take_value(
	struct settings *settings, enum option_id id, char *spelled, const char *attached, const char *next, struct error *err)
{
	const char *text = attached ? attached : next;

	if (!text) {
		error_set(err, ERR_USAGE, "option '%s' needs a value", spelled);
		free(spelled);
		return -1;
	}
	give(settings, id, text, spelled);
	return attached ? 1 : 2;
}

static int scan_long(struct settings *settings, const char *word, const char *next, struct error *err)
{
	const char *name = word + 2, *equals = strchr(name, '=');
	size_t len = equals ? (size_t)(equals - name) : strlen(name);
	enum option_id id = find_name(name, len);

	if (id == OPTION_NONE) {
		unknown_name(name, len, err);
		return -1;
	}
	if (option_rows[id].type != OPT_FLAG)
		return take_value(settings, id, xstrndup(word, len + 2), equals ? equals + 1 : NULL, next, err);
	if (equals)
		return error_set(err, ERR_USAGE, "option '--%s' takes no value", option_rows[id].name);
	give(settings, id, NULL, xstrdup(word));
	return 1;
}

/* "-qA", "-n NS", "-nNS", "-n=NS". */
static int scan_letters(struct settings *settings, const char *word, const char *next, struct error *err)
{
	for (const char *letter = word + 1; *letter; letter++) {
		enum option_id id = find_letter(*letter);

		if (id == OPTION_NONE)
			return error_set(err, ERR_USAGE, "unknown option '-%c' (in '%s')", *letter, word);
		if (option_rows[id].type != OPT_FLAG) {
			const char *attached = letter[1] == '=' ? letter + 2 : letter[1] ? letter + 1 : NULL;

			return take_value(settings, id, xasprintf("-%c", *letter), attached, next, err);
		}
		give(settings, id, NULL, xasprintf("-%c", *letter));
	}
	return 1;
}

static int scan_argument(struct settings *settings, const char *word, struct error *err)
{
	if (!*word) /* an unset variable in a script, most likely */
		return error_set(err, ERR_USAGE, "an argument is empty");
	strlist_add(&settings->args, word);
	return 1;
}

/* One word, with the one behind it where it is an option that takes a value; how many of them were used, or -1. */
static int scan_word(struct settings *settings, const char *word, const char *next, bool *words_only, struct error *err)
{
	if (*words_only || word[0] != '-' || !word[1])
		return scan_argument(settings, word, err);
	if (strcmp(word, "--") == 0) {
		*words_only = true;
		return 1;
	}
	return word[1] == '-' ? scan_long(settings, word, next, err) : scan_letters(settings, word, next, err);
}

/* Options may stand before, between and after the words; "--" ends them, "-" is a word. */
int options_scan(struct settings *settings, int argc, const char *const *argv, struct error *err)
{
	struct error later = ERROR_INIT;
	bool failed = false, words_only = false;

	for (int i = 0; i < argc;) {
		int used = scan_word(settings, argv[i], i + 1 < argc ? argv[i + 1] : NULL, &words_only, failed ? &later : err);

		failed = failed || used < 0;
		i += used < 0 ? 1 : used;
	}
	return failed ? -1 : 0;
}

bool option_is_given(const struct settings *settings, enum option_id id)
{
	for (size_t i = 0; i < settings->given_count; i++)
		if (settings->given[i].id == id)
			return true;
	return false;
}

/* Resolving */

bool option_is_taken(enum option_id id, const enum option_id *allowed)
{
	if (!allowed)
		return id == OPTION_HELP;
	for (; *allowed != OPTION_NONE; allowed++)
		if (*allowed == id)
			return true;
	return option_rows[id].everywhere;
}

void option_variable(enum option_id id, struct strbuf *out)
{
	strbuf_adds(out, "RHAII_DR_");
	for (const char *c = option_rows[id].name; *c; c++)
		strbuf_addc(out, (char)(*c == '-' ? '_' : toupper((unsigned char)*c)));
}

void option_flag_text(enum option_id id, struct strbuf *out)
{
	const struct option *row = &option_rows[id];

	strbuf_addf(out, "--%s", row->name);
	if (row->arg)
		strbuf_addf(out, " %s", row->arg);
	for (size_t i = 0; row->choices && row->choices[i]; i++)
		strbuf_addf(out, "%s%s", i ? "|" : " ", row->choices[i]);
}

static int set_defaults(struct settings *settings, struct error *err)
{
	for (enum option_id id = OPTION_NONE + 1; id < OPTION_COUNT; id++)
		if (option_rows[id].def && option_set(settings, id, FROM_DEFAULT, option_rows[id].name, option_rows[id].def, err) < 0)
			return -1;
	return 0;
}

static int set_from_environment(struct settings *settings, const enum option_id *allowed, struct error *err)
{
	for (enum option_id id = OPTION_NONE + 1; id < OPTION_COUNT; id++) {
		auto_strbuf struct strbuf name = STRBUF_INIT, where = STRBUF_INIT;
		const char *text;

		if (option_rows[id].reach == COMMAND_LINE_ONLY || !option_is_taken(id, allowed))
			continue;
		option_variable(id, &name);
		strbuf_addf(&where, "environment variable '%s'", name.buf);
		text = env_get(name.buf);
		if (text && option_set(settings, id, FROM_ENVIRONMENT, where.buf, text, err) < 0)
			return -1;
	}
	return 0;
}

/* Two options have the same name where commands mean different things by it; the one that this command takes is meant. */
static enum option_id meant(enum option_id id, const enum option_id *allowed)
{
	for (enum option_id other = OPTION_NONE + 1; other < OPTION_COUNT; other++)
		if (strcmp(option_rows[other].name, option_rows[id].name) == 0 && option_is_taken(other, allowed))
			return other;
	return OPTION_NONE;
}

static int not_taken(const char *spelled, const char *command, struct error *err)
{
	if (!command)
		return error_set(err, ERR_USAGE, "option '%s' needs a command", spelled);
	error_set(err, ERR_USAGE, "'%s' takes no option '%s'", command, spelled);
	return error_hint(err, "'rhaii-dr help %s' lists its options", command);
}

static int set_from_command_line(struct settings *settings, const char *command, const enum option_id *allowed, struct error *err)
{
	struct error later = ERROR_INIT;
	bool failed = false;

	for (size_t i = 0; i < settings->given_count; i++) {
		const struct option_given *given = &settings->given[i];
		enum option_id id = meant(given->id, allowed);
		struct error *first = failed ? &later : err;
		auto_free char *where = xasprintf("option '%s'", given->spelled);

		if (id == OPTION_NONE)
			failed = not_taken(given->spelled, command, first) < 0 || failed;
		else if (option_set(settings, id, FROM_COMMAND_LINE, where, given->text ? given->text : "true", first) < 0)
			failed = true;
	}
	return failed ? -1 : 0;
}

static bool is_set(struct settings *settings, enum option_id id)
{
	const void *member = member_of(settings, id);

	if (option_is_list(id))
		return ((const struct strlist *)member)->count > 0;
	return *(const bool *)member;
}

static void unset(struct settings *settings, enum option_id id)
{
	if (option_is_list(id))
		strlist_release(member_of(settings, id));
	else
		*(bool *)member_of(settings, id) = false;
}

/* Of two that contradict each other the one from the higher source holds. */
static int settle_contradictions(struct settings *settings, struct error *err)
{
	for (enum option_id id = OPTION_NONE + 1; id < OPTION_COUNT; id++) {
		enum option_id other = option_rows[id].excludes;

		if (other <= id || !is_set(settings, id) || !is_set(settings, other))
			continue;
		if (settings->from[id] == settings->from[other])
			return error_set(
				err, ERR_USAGE, "--%s and --%s contradict each other", option_rows[id].name, option_rows[other].name);
		unset(settings, settings->from[id] < settings->from[other] ? id : other);
	}
	return 0;
}

/* Where the configuration file is must be known before the rest can be set from it. */
static const char *config_named(const struct settings *settings)
{
	const char *named = env_get("RHAII_DR_CONFIG");

	for (size_t i = 0; i < settings->given_count; i++)
		if (settings->given[i].id == OPTION_CONFIG)
			named = settings->given[i].text;
	return named;
}

int options_resolve(struct settings *settings, const char *command, const enum option_id *allowed, struct error *err)
{
	struct error later = ERROR_INIT;
	bool failed = set_defaults(settings, err) < 0;

	if (allowed && config_apply(settings, config_named(settings), failed ? &later : err) < 0)
		failed = true;
	if (set_from_environment(settings, allowed, failed ? &later : err) < 0)
		failed = true;
	if (set_from_command_line(settings, command, allowed, failed ? &later : err) < 0)
		failed = true;
	if (settle_contradictions(settings, failed ? &later : err) < 0)
		failed = true;
	return failed ? -1 : 0;
}

void settings_release(struct settings *settings)
{
	for (enum option_id id = OPTION_NONE + 1; id < OPTION_COUNT; id++) {
		if (option_rows[id].type == OPT_TEXT)
			free(*(char **)member_of(settings, id));
		else if (option_is_list(id))
			strlist_release(member_of(settings, id));
	}
	for (size_t i = 0; i < settings->given_count; i++)
		free(settings->given[i].spelled);
	free(settings->given);
	free(settings->config_file);
	recovery_release(&settings->recovery);
	strlist_release(&settings->drill_targets);
	strlist_release(&settings->args);
	*settings = (struct settings)SETTINGS_INIT;
}
