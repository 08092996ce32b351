/* SPDX-License-Identifier: Apache-2.0 */
#include "drill/scenario.h"

#include <stdlib.h>
#include <string.h>

#include "util/clock.h"
#include "util/error.h"
#include "util/file.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"
#include "util/suggest.h"
#include "util/yaml.h"

#define FILE_MAX ((size_t)1 << 20)
#define LAST_MAX 1000
#define NAME_MAX_LENGTH 63

struct reading {
	const char *directory; /* of the file */
	struct scenario *scenario;
};

/* ---- values ---- */

static int take_text(char **out, const json_t *value, struct error *err)
{
	if (!json_is_string(value) || json_string_length(value) == 0)
		return error_set(err, ERR_USAGE, "not a text");
	*out = xstrdup(json_string_value(value));
	return 0;
}

static int take_list(struct strlist *out, const json_t *value, struct error *err)
{
	const json_t *item;
	size_t i;

	if (!json_is_array(value))
		return error_set(err, ERR_USAGE, "not a list of texts");
	json_array_foreach (value, i, item) {
		if (!json_is_string(item))
			return error_set(err, ERR_USAGE, "not a list of texts");
		strlist_add(out, json_string_value(item));
	}
	return 0;
}

static int take_duration(int64_t *out, const json_t *value, struct error *err)
{
	if (json_is_integer(value) && json_integer_value(value) == 0) {
		*out = 0;
		return 0;
	}
	if (!json_is_string(value))
		return error_set(err, ERR_USAGE, "not a duration");
	if (clock_parse_duration(json_string_value(value), out, err) == 0)
		return 0;
	err->code = ERR_USAGE;
	return -1;
}

/* ---- keys ---- */

static int read_name(struct reading *reading, const json_t *value, struct error *err)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
	const char *name = json_string_value(value);
	size_t len = name ? strlen(name) : 0;

	if (len == 0 || len > NAME_MAX_LENGTH || strspn(name, allowed) != len || name[0] == '-' || name[len - 1] == '-')
		return error_set(err, ERR_USAGE, "not a name: lower-case letters, digits and '-', at most %d", NAME_MAX_LENGTH);
	return take_text(&reading->scenario->name, value, err);
}

static int read_snapshot(struct reading *reading, const json_t *value, struct error *err)
{
	return take_text(&reading->scenario->snapshot, value, err);
}

static int read_last(struct reading *reading, const json_t *value, struct error *err)
{
	if (!json_is_integer(value) || json_integer_value(value) < 1 || json_integer_value(value) > LAST_MAX)
		return error_set(err, ERR_USAGE, "not a number from 1 to %d", LAST_MAX);
	reading->scenario->last = (size_t)json_integer_value(value);
	return 0;
}

static int read_only(struct reading *reading, const json_t *value, struct error *err)
{
	return take_list(&reading->scenario->selection.only, value, err);
}

static int read_map_namespace(struct reading *reading, const json_t *value, struct error *err)
{
	return take_list(&reading->scenario->mapping.rules[MAP_NAMESPACE], value, err);
}

static int read_map_gateway(struct reading *reading, const json_t *value, struct error *err)
{
	return take_list(&reading->scenario->mapping.rules[MAP_GATEWAY], value, err);
}

static int read_map_cidr(struct reading *reading, const json_t *value, struct error *err)
{
	return take_list(&reading->scenario->mapping.rules[MAP_CIDR], value, err);
}

static int read_map_host(struct reading *reading, const json_t *value, struct error *err)
{
	return take_list(&reading->scenario->mapping.rules[MAP_HOST], value, err);
}

static int read_wait(struct reading *reading, const json_t *value, struct error *err)
{
	return take_duration(&reading->scenario->wait_ms, value, err);
}

static int read_rto(struct reading *reading, const json_t *value, struct error *err)
{
	return take_duration(&reading->scenario->rto_ms, value, err);
}

/* As the section `recovery` of a configuration has them. */
static int read_phases(struct reading *reading, const json_t *value, struct error *err)
{
	auto_json json_t *section = json_pack("{s:O}", "phases", value);
	auto_strlist struct strlist way = STRLIST_INIT;

	if (recovery_read(&reading->scenario->recovery, section, reading->directory, &way, err) == 0)
		return 0;
	return way.count ? error_wrap(err, "'%s'", way.items[way.count - 1]) : -1;
}

static const struct key {
	const char *name;
	int (*read)(struct reading *reading, const json_t *value, struct error *err);
} keys[] = {
	{"name", read_name},
	{"snapshot", read_snapshot},
	{"last", read_last},
	{"only", read_only},
	{"map-namespace", read_map_namespace},
	{"map-gateway", read_map_gateway},
	{"map-cidr", read_map_cidr},
	{"map-host", read_map_host},
	{"wait", read_wait},
	{"rto", read_rto},
	{"phases", read_phases},
};
#define KEY_COUNT (sizeof(keys) / sizeof(keys[0]))

static int unknown_key(const char *name, struct error *err)
{
	const char *names[KEY_COUNT + 1] = {NULL}, *near;

	for (size_t i = 0; i < KEY_COUNT; i++)
		names[i] = keys[i].name;
	near = suggest(name, names);
	(void)error_set(err, ERR_USAGE, "unknown key '%s'", name);
	return near ? error_hint(err, "did you mean '%s'?", near) : -1;
}

static int read_key(struct reading *reading, const char *name, const json_t *value, struct error *err)
{
	for (size_t i = 0; i < KEY_COUNT; i++)
		if (strcmp(keys[i].name, name) == 0)
			return keys[i].read(reading, value, err) < 0 ? error_wrap(err, "'%s'", name) : 0;
	return unknown_key(name, err);
}

/* ---- the file ---- */

static int read_scenario(struct scenarios *out, const json_t *item, const char *directory, struct error *err)
{
	struct reading reading = {.directory = directory};
	const char *name;
	json_t *value;

	if (!json_is_object(item))
		return error_set(err, ERR_USAGE, "not a map");
	out->items = xgrow(out->items, &out->cap, out->count + 1, sizeof(*out->items));
	reading.scenario = &out->items[out->count++];
	*reading.scenario = (struct scenario){.wait_ms = -1, .rto_ms = -1};
	json_object_foreach ((json_t *)(uintptr_t)item, name, value)
		if (read_key(&reading, name, value, err) < 0)
			return -1;
	if (!reading.scenario->name)
		return error_set(err, ERR_USAGE, "it has no name");
	if (reading.scenario->snapshot && reading.scenario->last)
		return error_set(err, ERR_USAGE, "it has both 'snapshot' and 'last'");
	for (size_t i = 0; i + 1 < out->count; i++)
		if (strcmp(out->items[i].name, reading.scenario->name) == 0)
			return error_set(err, ERR_USAGE, "another one has the name '%s'", reading.scenario->name);
	return 0;
}

static int read_document(struct scenarios *out, const json_t *document, const char *directory, struct error *err)
{
	const json_t *list = json_object_get(document, "scenarios"), *item;
	size_t i;

	if (json_array_size(list) == 0 || json_object_size(document) != 1)
		return error_set(err, ERR_USAGE, "it has a list 'scenarios', and nothing else");
	json_array_foreach (list, i, item)
		if (read_scenario(out, item, directory, err) < 0)
			return error_wrap(err, "scenario %zu", i + 1);
	return 0;
}

/* Absolute: commands are run in it. */
static char *directory_of(const char *path)
{
	auto_free char *full = realpath(path, NULL);
	const char *slash = full ? strrchr(full, '/') : NULL;

	return slash ? xstrndup(full, slash == full ? 1 : (size_t)(slash - full)) : xstrdup(".");
}

int scenarios_read(struct scenarios *out, const char *path, struct error *err)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_free char *directory = directory_of(path);
	auto_json json_t *document = NULL;

	*out = (struct scenarios){0};
	if (file_read(path, FILE_MAX, &text, err) == 0 && (document = yaml_read(text.buf, text.len, err)) &&
		read_document(out, document, directory, err) == 0)
		return 0;
	scenarios_release(out);
	err->code = ERR_USAGE;
	return error_wrap(err, "scenarios '%s'", path);
}

void scenarios_release(struct scenarios *scenarios)
{
	for (size_t i = 0; i < scenarios->count; i++) {
		struct scenario *scenario = &scenarios->items[i];

		free(scenario->name);
		free(scenario->snapshot);
		selection_release(&scenario->selection);
		mapping_release(&scenario->mapping);
		recovery_release(&scenario->recovery);
	}
	free(scenarios->items);
	*scenarios = (struct scenarios){0};
}
