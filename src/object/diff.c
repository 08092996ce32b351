/* SPDX-License-Identifier: Apache-2.0 */
#include "object/diff.h"

#include <string.h>

#include "object/fieldpath.h"
#include "util/json.h"
#include "util/map.h"
#include "util/mem.h"
#include "util/strbuf.h"

/* ---- equal ---- */

static bool same_double(double x, double y)
{
	return x >= y && x <= y;
}

/* Whether a double is exactly this integer: a double of 2^53 and more stands for several. */
static bool is_integer(double number, json_int_t integer)
{
	if (number < -9223372036854775808.0 || number >= 9223372036854775808.0)
		return false;
	return same_double(number, (double)integer) && (json_int_t)number == integer;
}

static bool equal_numbers(const json_t *a, const json_t *b)
{
	if (json_is_integer(a) && json_is_integer(b))
		return json_integer_value(a) == json_integer_value(b);
	if (json_is_integer(a))
		return is_integer(json_real_value(b), json_integer_value(a));
	if (json_is_integer(b))
		return is_integer(json_real_value(a), json_integer_value(b));
	return same_double(json_real_value(a), json_real_value(b));
}

static bool equal_strings(const json_t *a, const json_t *b)
{
	size_t len = json_string_length(a);

	return len == json_string_length(b) && memcmp(json_string_value(a), json_string_value(b), len) == 0;
}

static bool equal_maps(const json_t *a, const json_t *b)
{
	size_t count;
	bool equal = json_object_size(a) == json_object_size(b);
	auto_free const char **keys = json_sorted_keys(a, &count);

	for (size_t i = 0; i < count && equal; i++)
		equal = diff_equal(json_object_get(a, keys[i]), json_object_get(b, keys[i]));
	return equal;
}

static bool equal_lists(const json_t *a, const json_t *b)
{
	size_t count = json_array_size(a);
	bool equal = count == json_array_size(b);

	for (size_t i = 0; i < count && equal; i++)
		equal = diff_equal(json_array_get(a, i), json_array_get(b, i));
	return equal;
}

bool diff_equal(const json_t *a, const json_t *b)
{
	if (!a || !b)
		return a == b;
	if (json_is_number(a) && json_is_number(b))
		return equal_numbers(a, b);
	if (json_typeof(a) != json_typeof(b))
		return false;
	if (json_is_object(a))
		return equal_maps(a, b);
	if (json_is_array(a))
		return equal_lists(a, b);
	return !json_is_string(a) || equal_strings(a, b);
}

/* ---- difference ---- */

struct walk {
	diff_fn fn;
	void *arg;
	struct strbuf path;
	size_t count;
};

static void walk_values(struct walk *walk, const json_t *old, const json_t *new_);

static void report(struct walk *walk, const json_t *old, const json_t *new_)
{
	walk->count++;
	if (walk->fn)
		walk->fn(walk->path.buf, old, new_, walk->arg);
}

static void walk_maps(struct walk *walk, const json_t *old, const json_t *new_)
{
	auto_strlist struct strlist keys = STRLIST_INIT;
	const json_t *maps[] = {old, new_};

	for (size_t m = 0; m < 2; m++) {
		size_t count;
		auto_free const char **sorted = json_sorted_keys(maps[m], &count);
		for (size_t i = 0; i < count; i++)
			strlist_add(&keys, sorted[i]);
	}
	strlist_sort_unique(&keys);
	for (size_t i = 0; i < keys.count; i++) {
		size_t mark = walk->path.len;
		fieldpath_append_key(&walk->path, keys.items[i]);
		walk_values(walk, json_object_get(old, keys.items[i]), json_object_get(new_, keys.items[i]));
		strbuf_truncate(&walk->path, mark);
	}
}

/* ---- lists ---- */

static const char *item_name(const json_t *item)
{
	const char *name = json_text_at(item, "name", NULL);

	return name && *name ? name : NULL;
}

void diff_append_item(struct strbuf *path, size_t index, const json_t *item, bool by_name)
{
	const char *name = item_name(item);

	if (!by_name || !name)
		strbuf_addf(path, name ? "[%zu " : "[%zu", index);
	else
		strbuf_addc(path, '[');
	if (name)
		strbuf_adds(path, "name=");
	for (; name && *name; name++) {
		bool ends_item = *name == '[' || *name == ']' || *name == '\''; /* as the path's own would */
		strbuf_addc(path, (char)(ends_item ? '_' : *name));
	}
	strbuf_addc(path, ']');
}

/* Put the items of a list into map by their names; false when one has none, or one that another has too. */
static bool index_names(const json_t *list, struct map *map)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *item = json_array_get(list, i);
		const char *name = item_name(item);
		if (!name || map_put(map, name, item))
			return false;
	}
	return true;
}

static bool same_order(const json_t *old, const struct map *old_names, const json_t *new_, const struct map *new_names)
{
	size_t at = 0, new_count = json_array_size(new_);

	for (size_t i = 0; i < json_array_size(old); i++) {
		const char *name = item_name(json_array_get(old, i));
		if (!name || !map_get(new_names, name))
			continue;
		while (at < new_count && !map_get(old_names, item_name(json_array_get(new_, at))))
			at++;
		if (at == new_count)
			return false;
		const char *next = item_name(json_array_get(new_, at++));
		if (!next || strcmp(next, name) != 0)
			return false;
	}
	return true;
}

static void walk_item(struct walk *walk, size_t index, bool by_name, const json_t *old, const json_t *new_)
{
	const char *old_name = item_name(old), *new_name = item_name(new_);
	bool other_item = old_name && new_name && strcmp(old_name, new_name) != 0;
	size_t mark = walk->path.len;

	diff_append_item(&walk->path, index, other_item ? NULL : old_name ? old : new_, by_name);
	if (other_item)
		report(walk, old, new_);
	else
		walk_values(walk, old, new_);
	strbuf_truncate(&walk->path, mark);
}

static void walk_by_name(struct walk *walk, const json_t *old, const struct map *old_names, const json_t *new_, const struct map *new_names)
{
	if (!same_order(old, old_names, new_, new_names))
		report(walk, old, new_);
	for (size_t i = 0; i < json_array_size(old); i++) {
		const json_t *item = json_array_get(old, i);
		walk_item(walk, i, true, item, map_get(new_names, item_name(item)));
	}
	for (size_t i = 0; i < json_array_size(new_); i++) {
		const json_t *item = json_array_get(new_, i);
		if (!map_get(old_names, item_name(item)))
			walk_item(walk, i, true, NULL, item);
	}
}

static void walk_lists(struct walk *walk, const json_t *old, const json_t *new_)
{
	struct map old_names = MAP_INIT, new_names = MAP_INIT;
	size_t count = json_array_size(old) > json_array_size(new_) ? json_array_size(old) : json_array_size(new_);

	if (index_names(old, &old_names) && index_names(new_, &new_names)) {
		walk_by_name(walk, old, &old_names, new_, &new_names);
	} else {
		for (size_t i = 0; i < count; i++)
			walk_item(walk, i, false, json_array_get(old, i), json_array_get(new_, i));
	}
	map_release(&old_names, NULL);
	map_release(&new_names, NULL);
}

static void walk_values(struct walk *walk, const json_t *old, const json_t *new_)
{
	if (json_is_object(old) && json_is_object(new_))
		walk_maps(walk, old, new_);
	else if (json_is_array(old) && json_is_array(new_))
		walk_lists(walk, old, new_);
	else if (!diff_equal(old, new_))
		report(walk, old, new_);
}

size_t diff_values_at(const char *path, const json_t *old, const json_t *new_, diff_fn fn, void *arg)
{
	struct walk walk = {.fn = fn, .arg = arg, .path = STRBUF_INIT};

	strbuf_adds(&walk.path, path);
	walk_values(&walk, old, new_);
	strbuf_release(&walk.path);
	return walk.count;
}

size_t diff_values(const json_t *old, const json_t *new_, diff_fn fn, void *arg)
{
	return diff_values_at("", old, new_, fn, arg);
}

json_t *diff_field(const char *path, const char *old_key, const json_t *old, const char *new_key, const json_t *new_)
{
	auto_strbuf struct strbuf before = STRBUF_INIT, after = STRBUF_INIT;

	diff_print_value(&before, path, old);
	diff_print_value(&after, path, new_);
	return json_pack("{s:s, s:s, s:s}", "path", path, old_key, before.buf, new_key, after.buf);
}
