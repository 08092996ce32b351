/* SPDX-License-Identifier: Apache-2.0 */
#include "object/blame.h"

#include <stdlib.h>
#include <string.h>

#include "object/diff.h"
#include "util/error.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"

/* ---- a path, step by step ---- */

/* A key of a map, or an item of a list as the path writes it, "[name=main]". */
struct step {
	struct strbuf text;
	bool item;
};

/* The inside of ['...'], where '' is one quote; returns where the path goes on. */
static const char *read_quoted(const char *at, struct strbuf *out)
{
	for (; *at; at++) {
		if (*at == '\'' && at[1] != '\'')
			return at[1] == ']' ? at + 2 : at + 1;
		if (*at == '\'')
			at++;
		strbuf_addc(out, *at);
	}
	return at;
}

/* false at the end of the path. */
static bool next_step(const char **at, struct step *step)
{
	size_t len;

	strbuf_truncate(&step->text, 0);
	if (!**at)
		return false;
	step->item = **at == '[' && (*at)[1] != '\'';
	if (**at == '[' && !step->item) {
		*at = read_quoted(*at + 2, &step->text);
		return true;
	}
	if (step->item) {
		len = strcspn(*at, "]");
		len += (*at)[len] == ']';
	} else {
		*at += **at == '.';
		len = strcspn(*at, ".[");
	}
	strbuf_add(&step->text, *at, len);
	*at += len;
	return step->item || len > 0;
}

/* ---- the value that the path leads through ---- */

static json_t *find_item(const json_t *list, const char *text, size_t *index)
{
	json_t *item;
	size_t i;

	if (strncmp(text, "[name=", 6) != 0) {
		*index = strtoul(text + 1, NULL, 10);
		return json_array_get(list, *index);
	}
	json_array_foreach (list, i, item) {
		auto_strbuf struct strbuf shown = STRBUF_INIT;

		diff_append_item(&shown, i, item, true);
		*index = i;
		if (strcmp(shown.buf, text) == 0)
			return item;
	}
	return NULL;
}

/* ---- the same way through fieldsV1 ---- */

static json_t *owned_key(const json_t *owned, const char *key)
{
	auto_free char *name = xasprintf("f:%s", key);

	return json_object_get(owned, name);
}

/* {"name":"main"} of a list item: each of these keys has that value. */
static bool has_keys(const json_t *item, const json_t *keys)
{
	size_t count;
	auto_free const char **names = json_sorted_keys(keys, &count);

	for (size_t i = 0; i < count; i++)
		if (!diff_equal(json_object_get(keys, names[i]), json_object_get(item, names[i])))
			return false;
	return count > 0;
}

static bool names_item(const char *name, const json_t *item, size_t index)
{
	struct error ignored = ERROR_INIT;
	auto_json json_t *value = NULL;

	if (strncmp(name, "i:", 2) == 0)
		return name[2] >= '0' && name[2] <= '9' && strtoul(name + 2, NULL, 10) == index;
	if (strncmp(name, "k:", 2) != 0 && strncmp(name, "v:", 2) != 0)
		return false;
	value = json_read(name + 2, strlen(name + 2), &ignored);
	if (!value || !item)
		return false;
	return *name == 'k' ? json_is_object(value) && has_keys(item, value) : diff_equal(value, item);
}

static json_t *owned_item(json_t *owned, const json_t *item, size_t index)
{
	const char *name;
	json_t *below;

	json_object_foreach (owned, name, below)
		if (names_item(name, item, index))
			return below;
	return NULL;
}

static bool owns(json_t *owned, const json_t *value, const char *path)
{
	struct step step = {.text = STRBUF_INIT};
	bool root = true;
	size_t index = 0;

	while (owned && next_step(&path, &step)) {
		if (!root && json_object_size(owned) == 0)
			break; /* a list or map that is owned whole */
		if (step.item) {
			value = find_item(value, step.text.buf, &index);
			owned = owned_item(owned, value, index);
		} else {
			value = json_object_get(value, step.text.buf);
			owned = owned_key(owned, step.text.buf);
		}
		root = false;
	}
	strbuf_release(&step.text);
	return owned && !root;
}

/* ---- entries ---- */

static bool is_of_status(const json_t *entry)
{
	const char *subresource = json_text_at(entry, "subresource", NULL);

	return subresource && strcmp(subresource, "status") == 0;
}

/* The server writes all of them in UTC and to the second, so that text order is time order. */
static void take_newer(const json_t *entry, struct blame *out)
{
	const char *manager = json_text_at(entry, "manager", NULL), *time = json_text_at(entry, "time", NULL);

	if (manager && time && (!out->time || strcmp(time, out->time) > 0))
		*out = (struct blame){.manager = manager, .time = time};
}

bool blame_field(const json_t *managed_fields, const json_t *object, const char *path, struct blame *out)
{
	json_t *entry;
	size_t i;

	*out = (struct blame){0};
	json_array_foreach (managed_fields, i, entry)
		if (!is_of_status(entry) && owns(json_object_get(entry, "fieldsV1"), object, path))
			take_newer(entry, out);
	return out->time != NULL;
}

void blame_owners(const json_t *managed_fields, const json_t *object, const char *path, struct strlist *out)
{
	json_t *entry;
	size_t i;

	json_array_foreach (managed_fields, i, entry) {
		const char *manager = json_text_at(entry, "manager", NULL);

		if (!is_of_status(entry) && owns(json_object_get(entry, "fieldsV1"), object, path))
			strlist_add(out, manager ? manager : "");
	}
}

bool blame_creator(const json_t *managed_fields, const char *creation_timestamp, struct blame *out)
{
	json_t *entry;
	size_t i;

	*out = (struct blame){0};
	json_array_foreach (managed_fields, i, entry) {
		const char *time = json_text_at(entry, "time", NULL);

		if (!out->time && !is_of_status(entry) && time && creation_timestamp && strcmp(time, creation_timestamp) == 0)
			take_newer(entry, out);
	}
	return out->time != NULL;
}

const char *blame_newest(const json_t *managed_fields)
{
	struct blame newest = {0};
	json_t *entry;
	size_t i;

	json_array_foreach (managed_fields, i, entry)
		if (!is_of_status(entry))
			take_newer(entry, &newest);
	return newest.time;
}

/* Whether the entry owns more of the object than its metadata. */
static bool owns_content(const json_t *entry)
{
	json_t *fields = json_object_get(entry, "fieldsV1");

	return json_object_size(fields) > (json_object_get(fields, "f:metadata") != NULL);
}

static void add_writers(const json_t *managed_fields, bool of_content, struct strlist *out)
{
	json_t *entry;
	size_t i;

	json_array_foreach (managed_fields, i, entry) {
		const char *manager = json_text_at(entry, "manager", NULL);

		if (manager && !is_of_status(entry) && owns_content(entry) == of_content)
			strlist_add(out, manager);
	}
}

void blame_writers(const json_t *managed_fields, struct strlist *out)
{
	add_writers(managed_fields, true, out);
	if (out->count == 0)
		add_writers(managed_fields, false, out);
}
