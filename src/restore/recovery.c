/* SPDX-License-Identifier: Apache-2.0 */
#include "restore/recovery.h"

#include <stdlib.h>
#include <string.h>

#include "util/clock.h"
#include "util/error.h"
#include "util/json.h"
#include "util/suggest.h"

struct reading {
	struct recovery *recovery;
	struct recovery_phase *phase; /* that is read */
	enum phase id;
	struct strlist *at;
	struct error *err;
};

typedef int (*read_fn)(struct reading *r, const json_t *value);

struct key {
	const char *name;
	read_fn read;
};

static int refuse(struct reading *r, const char *want)
{
	return error_set(r->err, ERR_USAGE, "expected %s", want);
}

/* ---- a map of known keys ---- */

static const struct key *find_key(const struct key *keys, const char *name)
{
	for (; keys->name; keys++)
		if (strcmp(keys->name, name) == 0)
			return keys;
	return NULL;
}

static int unknown_key(struct reading *r, const struct key *keys, const char *name)
{
	const char *names[16] = {NULL}, *near;

	for (size_t i = 0; keys[i].name && i < sizeof(names) / sizeof(*names) - 1; i++)
		names[i] = keys[i].name;
	near = suggest(name, names);
	error_set(r->err, ERR_USAGE, "unknown key '%s'", name);
	return near ? error_hint(r->err, "did you mean '%s'?", near) : -1;
}

/* The way is kept where it ends in a fault. */
static int read_value(struct reading *r, const char *name, const json_t *value, read_fn read)
{
	strlist_add(r->at, name);
	if (read(r, value) < 0)
		return -1;
	free(r->at->items[--r->at->count]);
	return 0;
}

static int read_map(struct reading *r, const json_t *map, const struct key *keys)
{
	size_t count;
	auto_free const char **names = json_sorted_keys(map, &count);

	if (!json_is_object(map))
		return refuse(r, "a map of keys and values");
	for (size_t i = 0; i < count; i++) {
		const struct key *key = find_key(keys, names[i]);

		if (!key) {
			strlist_add(r->at, names[i]);
			return unknown_key(r, keys, names[i]);
		}
		if (read_value(r, names[i], json_object_get(map, names[i]), key->read) < 0)
			return -1;
	}
	return 0;
}

/* ---- values ---- */

/* A string without NUL bytes that is not empty; NULL when it is none. Borrowed. */
static const char *text_of(const json_t *value)
{
	const char *text = json_string_value(value);

	return text && *text && strlen(text) == json_string_length(value) ? text : NULL;
}

static int read_duration(struct reading *r, const json_t *value, int64_t *out)
{
	struct error why = ERROR_INIT;
	const char *text = text_of(value);

	if (json_is_integer(value) && json_integer_value(value) == 0)
		text = "0";
	return text && clock_parse_duration(text, out, &why) == 0 ? 0 : refuse(r, "a duration (90s, 30m, 1h30m)");
}

static int read_run(struct reading *r, const json_t *value)
{
	const json_t *word;
	size_t i;

	if (phase_is_ours(r->id))
		return error_set(r->err, ERR_USAGE, "the phase '%s' is run by the restore itself", phase_name(r->id));
	json_array_foreach (value, i, word) {
		/* an argument may be empty, the program not */
		if (!json_is_string(word) || strlen(json_string_value(word)) != json_string_length(word) ||
			(i == 0 && !*json_string_value(word)))
			return refuse(r, "a list of strings, the program first");
		strlist_add(&r->phase->run, json_string_value(word));
	}
	return i ? 0 : refuse(r, "a list of strings, the program first");
}

static int read_timeout(struct reading *r, const json_t *value)
{
	if (read_duration(r, value, &r->phase->timeout_ms) < 0)
		return -1;
	return r->phase->timeout_ms > 0 ? 0 : refuse(r, "a duration that is not 0");
}

static int read_assumed(struct reading *r, const json_t *value)
{
	if (r->id >= PHASE_CLEANUP)
		return error_set(r->err, ERR_USAGE, "the phase '%s' is outside the RTO", phase_name(r->id));
	return read_duration(r, value, &r->phase->assumed_ms);
}

static int read_not_applicable(struct reading *r, const json_t *value)
{
	const char *reason = text_of(value);

	if (!reason)
		return refuse(r, "the reason, as a string");
	if (phase_is_ours(r->id))
		return error_set(r->err, ERR_USAGE, "the phase '%s' is part of every restore", phase_name(r->id));
	r->phase->not_applicable = xstrdup(reason);
	return 0;
}

static const struct key phase_keys[] = {
	{"assumed", read_assumed}, {"notApplicable", read_not_applicable}, {"run", read_run}, {"timeout", read_timeout}, {NULL, NULL}};

static int read_phase(struct reading *r, const json_t *value)
{
	r->phase->assumed_ms = -1;
	if (read_map(r, value, phase_keys) < 0)
		return -1;
	if (r->phase->not_applicable && (r->phase->run.count || r->phase->assumed_ms >= 0))
		return error_set(r->err, ERR_USAGE, "it is not applicable, and run or assumed");
	if (r->phase->timeout_ms && !r->phase->run.count)
		return error_set(r->err, ERR_USAGE, "'timeout' without 'run'");
	return 0;
}

static int read_phases(struct reading *r, const json_t *value)
{
	size_t count;
	auto_free const char **names = json_sorted_keys(value, &count);

	if (!json_is_object(value))
		return refuse(r, "a map of phases");
	for (size_t i = 0; i < count; i++) {
		if (phase_find(&r->id, names[i], r->err) < 0) {
			strlist_add(r->at, names[i]);
			return -1;
		}
		r->phase = &r->recovery->phases[r->id];
		if (read_value(r, names[i], json_object_get(value, names[i]), read_phase) < 0)
			return -1;
	}
	return 0;
}

static int read_text(struct reading *r, const json_t *value, char **out)
{
	const char *text = text_of(value);

	*out = xstrdup(text);
	return text ? 0 : refuse(r, "a string");
}

static int read_source_context(struct reading *r, const json_t *value)
{
	return read_text(r, value, &r->recovery->source_context);
}

static int read_source_kubeconfig(struct reading *r, const json_t *value)
{
	const char *path = text_of(value);

	if (path && *path != '/') {
		r->recovery->source_kubeconfig = xasprintf("%s/%s", r->recovery->directory, path);
		return 0;
	}
	return read_text(r, value, &r->recovery->source_kubeconfig);
}

static const struct key source_keys[] = {{"context", read_source_context}, {"kubeconfig", read_source_kubeconfig}, {NULL, NULL}};

static int read_source(struct reading *r, const json_t *value)
{
	return read_map(r, value, source_keys);
}

/* Read by the caller: they are options like any other. */
static int pass_over(struct reading *r, const json_t *value)
{
	(void)r;
	(void)value;
	return 0;
}

static const struct key section_keys[] = {
	{"phases", read_phases}, {"rpo", pass_over}, {"rto", pass_over}, {"source", read_source}, {NULL, NULL}};

int recovery_read(struct recovery *out, const json_t *section, const char *directory, struct strlist *at, struct error *err)
{
	struct reading reading = {.recovery = out, .at = at, .err = err};

	out->directory = xstrdup(directory);
	for (int i = 0; i < PHASE_COUNT; i++)
		out->phases[i].assumed_ms = -1;
	return read_map(&reading, section, section_keys);
}

void recovery_release(struct recovery *recovery)
{
	for (int i = 0; i < PHASE_COUNT; i++) {
		strlist_release(&recovery->phases[i].run);
		free(recovery->phases[i].not_applicable);
	}
	free(recovery->directory);
	free(recovery->source_kubeconfig);
	free(recovery->source_context);
	*recovery = (struct recovery){0};
}

void recovery_assume(const struct recovery *recovery, struct phases *clock)
{
	if (!recovery->directory)
		return;
	for (int i = 0; i < PHASE_COUNT; i++) {
		const struct recovery_phase *phase = &recovery->phases[i];
		struct phase_time time = {.source = BY_CONFIGURATION, .ms = phase->assumed_ms, .reason = xstrdup(phase->not_applicable)};

		time.how = phase->not_applicable ? PHASE_NOT_APPLICABLE : PHASE_ASSUMED;
		if (phase->not_applicable || phase->assumed_ms >= 0)
			(void)phase_set(clock, (enum phase)i, &time);
		else
			free(time.reason);
	}
}
