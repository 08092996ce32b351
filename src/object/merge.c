/* SPDX-License-Identifier: Apache-2.0 */
#include "object/merge.h"

#include <string.h>

#include "object/fieldpath.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"

struct merge {
	struct strlist open; /* concrete paths of the fields that may be added to */
	struct strbuf path;
	diff_fn conflict;
	void *arg;
};

static json_t *merge_value(struct merge *merge, const json_t *live, const json_t *want, bool open);

static int note_path(json_t *value, const char *concrete, void *arg)
{
	(void)value;
	strlist_add(arg, concrete);
	return 0;
}

static void report(struct merge *merge, const json_t *live, const json_t *want)
{
	if (merge->conflict)
		merge->conflict(merge->path.buf, live, want, merge->arg);
}

static json_t *merge_maps(struct merge *merge, const json_t *live, const json_t *want, bool open)
{
	json_t *patch = NULL;
	size_t count;
	auto_free const char **keys = json_sorted_keys(want, &count);

	for (size_t i = 0; i < count; i++) {
		size_t mark = merge->path.len;
		fieldpath_append_key(&merge->path, keys[i]);
		json_t *part = merge_value(merge, json_object_get(live, keys[i]), json_object_get(want, keys[i]), open);
		strbuf_truncate(&merge->path, mark);
		if (part && !patch)
			patch = json_object();
		if (part)
			json_object_set_new(patch, keys[i], part);
	}
	return patch;
}

/* The item of list that item is: of its name, or equal to it. */
static const json_t *find_item(const json_t *list, const json_t *item)
{
	const char *name = json_text_at(item, "name", NULL);

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *other = json_array_get(list, i);
		const char *other_name = json_text_at(other, "name", NULL);
		if (name && other_name ? strcmp(name, other_name) == 0 : diff_equal(item, other))
			return other;
	}
	return NULL;
}

/* A merge patch replaces a list as a whole: the live items with the missing ones behind them. */
static json_t *merge_lists(struct merge *merge, const json_t *live, const json_t *want)
{
	json_t *patch = NULL;

	for (size_t i = 0; i < json_array_size(want); i++) {
		json_t *item = json_array_get(want, i);
		const json_t *other = find_item(patch ? patch : live, item);
		if (other) {
			size_t mark = merge->path.len;
			diff_append_item(&merge->path, i, item, true);
			diff_values_at(merge->path.buf, other, item, merge->conflict, merge->arg);
			strbuf_truncate(&merge->path, mark);
			continue;
		}
		if (!patch)
			patch = json_deep_copy(live);
		json_array_append_new(patch, json_deep_copy(item));
	}
	return patch;
}

/* What the patch says of this field; NULL: nothing. */
static json_t *merge_value(struct merge *merge, const json_t *live, const json_t *want, bool open)
{
	open = open || strlist_contains(&merge->open, merge->path.buf);
	if (!live && open)
		return json_deep_copy(want);
	if (!live && json_is_null(want))
		return NULL;
	if (json_is_object(live) && json_is_object(want))
		return merge_maps(merge, live, want, open);
	if (open && json_is_array(live) && json_is_array(want))
		return merge_lists(merge, live, want);
	if (live && want)
		diff_values_at(merge->path.buf, live, want, merge->conflict, merge->arg);
	else
		report(merge, live, want);
	return NULL;
}

json_t *merge_patch(const json_t *live, const json_t *want, struct fieldpath *const *paths, size_t count, diff_fn conflict, void *arg)
{
	struct merge merge = {.path = STRBUF_INIT, .conflict = conflict, .arg = arg};
	auto_json json_t *walked = json_deep_copy(want); /* a field path walks what it may change */

	for (size_t i = 0; i < count; i++)
		fieldpath_each(walked, paths[i], note_path, &merge.open);
	json_t *patch = merge_value(&merge, live, want, false);
	strlist_release(&merge.open);
	strbuf_release(&merge.path);
	return patch;
}
