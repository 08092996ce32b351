/* SPDX-License-Identifier: Apache-2.0 */
#include "object/fieldpath.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "util/error.h"
#include "util/json.h"
#include "util/map.h"
#include "util/mem.h"
#include "util/strbuf.h"
#include "util/text.h"

enum step_type { STEP_KEY, STEP_KEY_GLOB, STEP_EVERY, STEP_INDEX, STEP_MATCH };

struct step {
	enum step_type type;
	char *text; /* key, or the field that STEP_MATCH looks at */
	char *glob; /* STEP_MATCH: what the field must be like */
	size_t index;
};

struct fieldpath {
	char *text;
	struct step *steps;
	size_t count, cap;
	bool only_empty;
};

/* ---- parsing ---- */

struct parser {
	const char *text, *at;
	struct fieldpath *path;
	struct error *err;
};

static int fail(const struct parser *p, const char *what)
{
	return error_set(p->err, ERR_SYNTAX, "%s at column %zu of field path '%s'", what, (size_t)(p->at - p->text) + 1, p->text);
}

static struct step *add_step(struct fieldpath *path, enum step_type type)
{
	path->steps = xgrow(path->steps, &path->cap, path->count + 1, sizeof(*path->steps));
	struct step *step = &path->steps[path->count++];
	*step = (struct step){.type = type};
	return step;
}

static bool is_bare(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '$';
}

static int parse_bare(struct parser *p)
{
	const char *start = p->at;
	while (is_bare(*p->at))
		p->at++;
	if (p->at == start)
		return fail(p, "no key");
	add_step(p->path, STEP_KEY)->text = xstrndup(start, (size_t)(p->at - start));
	return 0;
}

/* ['key'], with p->at on the first quote. */
static int parse_quoted(struct parser *p)
{
	auto_strbuf struct strbuf key = STRBUF_INIT;

	for (p->at++; *p->at && (*p->at != '\'' || p->at[1] == '\''); p->at++) {
		p->at += *p->at == '\'';
		strbuf_addc(&key, *p->at);
	}
	if (p->at[0] != '\'' || p->at[1] != ']')
		return fail(p, "no closing ']");
	p->at += 2;
	add_step(p->path, strchr(key.buf, '*') ? STEP_KEY_GLOB : STEP_KEY)->text = xstrdup(key.buf);
	return 0;
}

/* [name=glob], with p->at on the first byte of the field. */
static int parse_match(struct parser *p)
{
	const char *field = p->at;
	while (is_bare(*p->at))
		p->at++;
	const char *equals = p->at;
	if (equals == field || *equals != '=')
		return fail(p, "no field and '=' in []");
	p->at += strcspn(p->at, "]");
	if (!*p->at)
		return fail(p, "no closing ]");
	struct step *step = add_step(p->path, STEP_MATCH);
	step->text = xstrndup(field, (size_t)(equals - field));
	step->glob = xstrndup(equals + 1, (size_t)(p->at - equals - 1));
	p->at++;
	return 0;
}

static int parse_index(struct parser *p)
{
	size_t index = 0, digits = strspn(p->at, "0123456789");
	if (digits > 9 || p->at[digits] != ']')
		return fail(p, "no position in []");
	for (size_t i = 0; i < digits; i++)
		index = index * 10 + (size_t)(p->at[i] - '0');
	p->at += digits + 1;
	add_step(p->path, STEP_INDEX)->index = index;
	return 0;
}

/* With p->at on '['. */
static int parse_brackets(struct parser *p)
{
	p->at++;
	if (*p->at == ']') {
		p->at++;
		add_step(p->path, STEP_EVERY);
		return 0;
	}
	if (*p->at == '\'')
		return parse_quoted(p);
	return *p->at >= '0' && *p->at <= '9' ? parse_index(p) : parse_match(p);
}

static int parse_steps(struct parser *p)
{
	if (*p->at != '[' && parse_bare(p) < 0)
		return -1;
	while (*p->at == '.' || *p->at == '[') {
		bool bare = *p->at == '.';
		p->at += bare;
		if ((bare ? parse_bare(p) : parse_brackets(p)) < 0)
			return -1;
	}
	if (*p->at == '?') {
		p->path->only_empty = true;
		p->at++;
	}
	return *p->at ? fail(p, "stray character") : 0;
}

int fieldpath_parse(struct fieldpath **out, const char *text, struct error *err)
{
	struct fieldpath *path = xcalloc(1, sizeof(*path));
	struct parser parser = {.text = text, .at = text, .path = path, .err = err};

	path->text = xstrdup(text);
	if (parse_steps(&parser) < 0) {
		fieldpath_free(path);
		return -1;
	}
	*out = path;
	return 0;
}

void fieldpath_free(struct fieldpath *path)
{
	if (!path)
		return;
	for (size_t i = 0; i < path->count; i++) {
		free(path->steps[i].text);
		free(path->steps[i].glob);
	}
	free(path->steps);
	free(path->text);
	free(path);
}

const char *fieldpath_text(const struct fieldpath *path)
{
	return path->text;
}

/* ---- walking ---- */

void fieldpath_append_key(struct strbuf *path, const char *key)
{
	size_t bare = 0;
	while (is_bare(key[bare]))
		bare++;
	if (bare && !key[bare]) {
		if (path->len)
			strbuf_addc(path, '.');
		strbuf_adds(path, key);
		return;
	}
	strbuf_adds(path, "['");
	for (; *key; key++) {
		if (*key == '\'')
			strbuf_addc(path, '\'');
		strbuf_addc(path, *key);
	}
	strbuf_adds(path, "']");
}

struct walk {
	const struct fieldpath *path;
	fieldpath_fn fn;
	void *arg;
	struct strbuf concrete;
	bool missing; /* call fn for what is not there */
	bool remove;
	size_t removed;
	const struct map *kept; /* concrete paths that are not removed; NULL: none */
};

static bool is_empty(const json_t *value)
{
	return (json_is_object(value) && json_object_size(value) == 0) || (json_is_array(value) && json_array_size(value) == 0) ||
		(json_is_string(value) && json_string_length(value) == 0);
}

static int walk_value(struct walk *walk, json_t *value, size_t depth);

static bool is_last(const struct walk *walk, size_t depth)
{
	return depth + 1 == walk->path->count;
}

static bool is_named(const struct walk *walk, const json_t *value)
{
	return !walk->path->only_empty || is_empty(value);
}

static bool empty_of(struct walk *walk, json_t *value);

static bool empties_map(struct walk *walk, json_t *map)
{
	size_t count, mark = walk->concrete.len;
	const char **sorted = json_sorted_keys(map, &count);

	for (size_t i = 0; i < count; i++) {
		fieldpath_append_key(&walk->concrete, sorted[i]);
		if (empty_of(walk, json_object_get(map, sorted[i])))
			json_object_del(map, sorted[i]);
		strbuf_truncate(&walk->concrete, mark);
	}
	free(sorted);
	return json_object_size(map) == 0;
}

static bool empties_list(struct walk *walk, json_t *list)
{
	size_t mark = walk->concrete.len, kept = 0;

	for (size_t index = 0; kept < json_array_size(list); index++) {
		strbuf_addf(&walk->concrete, "[%zu]", index);
		if (empty_of(walk, json_array_get(list, kept)))
			json_array_remove(list, kept);
		else
			kept++;
		strbuf_truncate(&walk->concrete, mark);
	}
	return kept == 0;
}

/* Whether nothing of the value, at the concrete path, is kept; else all but that is taken out of it. */
static bool empty_of(struct walk *walk, json_t *value)
{
	if (map_get(walk->kept, walk->concrete.buf))
		return false;
	if (json_is_object(value))
		return empties_map(walk, value);
	return !json_is_array(value) || empties_list(walk, value);
}

static int remove_key(struct walk *walk, json_t *map, const char *key, json_t *value)
{
	size_t mark = walk->concrete.len;
	bool whole = true;

	if (!is_named(walk, value))
		return 0;
	if (walk->kept) {
		fieldpath_append_key(&walk->concrete, key);
		whole = empty_of(walk, value);
		strbuf_truncate(&walk->concrete, mark);
	}
	if (whole && json_object_del(map, key) == 0)
		walk->removed++;
	return 0;
}

static bool keeps_item(struct walk *walk, json_t *item, size_t index)
{
	size_t mark = walk->concrete.len;
	bool keeps;

	if (!walk->kept)
		return false;
	strbuf_addf(&walk->concrete, "[%zu]", index);
	keeps = !empty_of(walk, item);
	strbuf_truncate(&walk->concrete, mark);
	return keeps;
}

static int walk_key(struct walk *walk, json_t *map, const char *key, size_t depth)
{
	json_t *value = json_object_get(map, key);
	size_t mark = walk->concrete.len;
	int result;

	/* most paths end here, on most objects */
	if (!value && !(walk->missing && is_last(walk, depth)))
		return 0;
	if (walk->remove && is_last(walk, depth))
		return value ? remove_key(walk, map, key, value) : 0;
	fieldpath_append_key(&walk->concrete, key);
	result = value ? walk_value(walk, value, depth + 1) : walk->fn(map, walk->concrete.buf, walk->arg);
	strbuf_truncate(&walk->concrete, mark);
	return result;
}

static int walk_key_glob(struct walk *walk, json_t *map, const struct step *step, size_t depth)
{
	size_t count, i;
	int result = 0;
	auto_strlist struct strlist keys = STRLIST_INIT;
	const char **sorted = json_sorted_keys(map, &count);

	/* Copied first: a removal frees the key that it removes. */
	for (i = 0; i < count; i++)
		if (text_glob(step->text, sorted[i]))
			strlist_add(&keys, sorted[i]);
	free(sorted);
	for (i = 0; i < keys.count && !result; i++)
		result = walk_key(walk, map, keys.items[i], depth);
	return result;
}

static bool item_is_meant(const struct step *step, const json_t *item, size_t index)
{
	if (step->type == STEP_INDEX)
		return index == step->index;
	if (step->type == STEP_EVERY)
		return true;
	const char *field = json_text_at(item, step->text, NULL);
	return field && text_glob(step->glob, field);
}

static int walk_items(struct walk *walk, json_t *list, const struct step *step, size_t depth)
{
	bool removing = walk->remove && is_last(walk, depth);
	size_t mark = walk->concrete.len, index = 0, kept = 0;
	int result = 0;

	for (; kept < json_array_size(list) && !result; index++) {
		json_t *item = json_array_get(list, kept);
		if (!item_is_meant(step, item, index)) {
			kept++;
		} else if (removing && is_named(walk, item) && !keeps_item(walk, item, index)) {
			json_array_remove(list, kept);
			walk->removed++;
		} else {
			kept++;
			if (removing)
				continue;
			strbuf_addf(&walk->concrete, "[%zu]", index);
			result = walk_value(walk, item, depth + 1);
			strbuf_truncate(&walk->concrete, mark);
		}
	}
	return result;
}

static int walk_value(struct walk *walk, json_t *value, size_t depth)
{
	if (depth == walk->path->count) {
		if (walk->missing || walk->remove || !is_named(walk, value))
			return 0;
		return walk->fn(value, walk->concrete.buf, walk->arg);
	}
	const struct step *step = &walk->path->steps[depth];
	bool wants_map = step->type == STEP_KEY || step->type == STEP_KEY_GLOB;
	if (wants_map ? !json_is_object(value) : !json_is_array(value))
		return 0;
	if (step->type == STEP_KEY)
		return walk_key(walk, value, step->text, depth);
	if (step->type == STEP_KEY_GLOB)
		return walk_key_glob(walk, value, step, depth);
	return walk_items(walk, value, step, depth);
}

static int walk_run(struct walk *walk, json_t *object)
{
	walk->concrete = (struct strbuf)STRBUF_INIT;
	int result = walk_value(walk, object, 0);
	strbuf_release(&walk->concrete);
	return result;
}

int fieldpath_each(json_t *object, const struct fieldpath *path, fieldpath_fn fn, void *arg)
{
	struct walk walk = {.path = path, .fn = fn, .arg = arg};
	return walk_run(&walk, object);
}

int fieldpath_each_missing(json_t *object, const struct fieldpath *path, fieldpath_fn fn, void *arg)
{
	struct walk walk = {.path = path, .fn = fn, .arg = arg, .missing = true};
	return walk_run(&walk, object);
}

size_t fieldpath_remove_but(json_t *object, const struct fieldpath *path, const struct map *kept)
{
	struct walk walk = {.path = path, .remove = true, .kept = kept && kept->count ? kept : NULL};
	walk_run(&walk, object);
	return walk.removed;
}
