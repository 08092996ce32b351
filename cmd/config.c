/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "util/env.h"
#include "util/error.h"
#include "util/file.h"
#include "util/json.h"
#include "util/strbuf.h"
#include "util/suggest.h"
#include "util/yaml.h"

#define CONFIG_SYSTEM "/etc/rhaii-dr/config.yaml"
#define CONFIG_MAX ((size_t)1 << 20)

/* The file that is read. */
struct config {
	char *path;
	struct strbuf text;
	json_t *document;
};

static void config_release(struct config *config)
{
	free(config->path);
	strbuf_release(&config->text);
	json_decref(config->document);
}
#define auto_config __attribute__((cleanup(config_release)))

static int read_recovery(struct settings *settings, const struct config *config, const json_t *section, struct error *err);
static int read_drill(struct settings *settings, const struct config *config, const json_t *section, struct error *err);

/* Keys whose value is a map of its own. */
static const struct section {
	const char *name;
	int (*read)(struct settings *settings, const struct config *config, const json_t *section, struct error *err);
} sections[] = {
	{"drill", read_drill},
	{"recovery", read_recovery},
};
#define SECTION_COUNT (sizeof(sections) / sizeof(*sections))

/* The file to read, NULL when there is none. The caller frees. */
static char *config_find(const char *named)
{
	const char *base = env_get("XDG_CONFIG_HOME"), *home = env_get("HOME");
	char *path = NULL;

	if (named)
		return xstrdup(named);
	if (base && *base == '/') /* the XDG rules: a relative one is to be ignored */
		path = xasprintf("%s/rhaii-dr/config.yaml", base);
	else if (home)
		path = xasprintf("%s/.config/rhaii-dr/config.yaml", home);
	if (path && file_exists(path))
		return path;
	free(path);
	return file_exists(CONFIG_SYSTEM) ? xstrdup(CONFIG_SYSTEM) : NULL;
}

static enum option_id config_option(const char *key)
{
	for (enum option_id id = OPTION_NONE + 1; id < OPTION_COUNT; id++)
		if (option_rows[id].reach == ANYWHERE && strcmp(option_rows[id].name, key) == 0)
			return id;
	return OPTION_NONE;
}

static bool is_consent(const char *key)
{
	for (enum option_id id = OPTION_NONE + 1; id < OPTION_COUNT; id++)
		if (option_rows[id].reach != ANYWHERE && strcmp(option_rows[id].name, key) == 0)
			return true;
	return false;
}

/* "configuration file 'PATH', line 3", of the key at the end of this way. The caller frees. */
static char *place_of(const struct config *config, const struct strlist *way)
{
	size_t line = yaml_line(config->text.buf, config->text.len, way);

	return line ? xasprintf("configuration file '%s', line %zu", config->path, line)
		    : xasprintf("configuration file '%s'", config->path);
}

static int unknown_key(const char *key, const struct config *config, struct error *err)
{
	const char *names[OPTION_COUNT + SECTION_COUNT + 1] = {NULL};
	auto_strlist struct strlist way = STRLIST_INIT;
	auto_free char *place = NULL;
	size_t count = 0;
	const char *near;

	strlist_add(&way, key);
	place = place_of(config, &way);
	if (is_consent(key))
		return error_set(err, ERR_USAGE, "'%s' cannot be set in a %s", key, place);
	for (enum option_id id = OPTION_NONE + 1; id < OPTION_COUNT; id++)
		if (option_rows[id].reach == ANYWHERE)
			names[count++] = option_rows[id].name;
	for (size_t i = 0; i < SECTION_COUNT; i++)
		names[count++] = sections[i].name;
	near = suggest(key, names);
	error_set(err, ERR_USAGE, "unknown key '%s' in %s", key, place);
	return near ? error_hint(err, "did you mean '%s'?", near) : -1;
}

static const char *const expected[] = {
	[OPT_FLAG] = "true or false",
	[OPT_TEXT] = "a string",
	[OPT_COUNT] = "a number",
	[OPT_DURATION] = "a duration (90s, 30m, 1h30m)",
	[OPT_CHOICE] = "a string",
	[OPT_LIST] = "a list of strings",
	[OPT_WHOLES] = "a list of strings",
};

/* The value as it would be written on a command line, NULL when it is not of the option's type. The caller frees. */
static char *scalar_text(enum option_type type, const json_t *value)
{
	bool number = type == OPT_COUNT || (type == OPT_DURATION && json_integer_value(value) == 0);

	if (type == OPT_FLAG)
		return json_is_boolean(value) ? xstrdup(json_is_true(value) ? "true" : "false") : NULL;
	if (number && json_is_integer(value))
		return xasprintf("%lld", (long long)json_integer_value(value));
	if (type == OPT_COUNT || !json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value))
		return NULL;
	return xstrdup(json_string_value(value));
}

static int set_scalar(struct settings *settings, enum option_id id, const char *where, const json_t *value, struct error *err)
{
	auto_free char *text = scalar_text(option_rows[id].type, value);

	if (!text)
		return error_set(err, ERR_USAGE, "%s: expected %s", where, expected[option_rows[id].type]);
	return option_set(settings, id, FROM_FILE, where, text, err);
}

static int set_key(
	struct settings *settings, enum option_id id, const char *name, const struct config *config, const json_t *value, struct error *err)
{
	auto_free char *where = xasprintf("key '%s' of '%s'", name, config->path);
	const json_t *item;
	size_t i;

	if (settings->from[id] == FROM_FILE && !option_is_list(id))
		return error_set(err, ERR_USAGE, "%s: said twice", where);
	if (!option_is_list(id) || !json_is_array(value))
		return set_scalar(settings, id, where, value, err);
	json_array_foreach (value, i, item)
		if (set_scalar(settings, id, where, item, err) < 0)
			return -1;
	return 0;
}

/* ---- sections ---- */

/* "recovery.phases.cutover.run". The caller frees. */
static char *way_text(const struct strlist *way)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < way->count; i++)
		strbuf_addf(&text, "%s%s", i ? "." : "", way->items[i]);
	return strbuf_detach(&text, NULL);
}

/* The fault is at the end of this way. */
static int wrap_fault(const struct config *config, const struct strlist *way, struct error *err)
{
	auto_free char *place = place_of(config, way), *key = way_text(way);

	return error_wrap(err, "%s: key '%s'", place, key);
}

static char *directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	auto_free char *named = slash ? xstrndup(path, slash == path ? 1 : (size_t)(slash - path)) : xstrdup(".");
	auto_free char *full = realpath(named, NULL);

	return xstrdup(full ? full : named);
}

/* The objectives stand in this section, too; they are options. */
static int read_objectives(struct settings *settings, const struct config *config, const json_t *section, struct error *err)
{
	static const struct {
		const char *key, *name;
		enum option_id id;
	} rows[] = {{"rpo", "recovery.rpo", OPTION_RPO}, {"rto", "recovery.rto", OPTION_RTO}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const json_t *value = json_object_get(section, rows[i].key);

		if (value && set_key(settings, rows[i].id, rows[i].name, config, value, err) < 0)
			return -1;
	}
	return 0;
}

static int read_recovery(struct settings *settings, const struct config *config, const json_t *section, struct error *err)
{
	auto_strlist struct strlist way = STRLIST_INIT;
	auto_free char *directory = directory_of(config->path);

	strlist_add(&way, "recovery");
	if (recovery_read(&settings->recovery, section, directory, &way, err) < 0)
		return wrap_fault(config, &way, err);
	return read_objectives(settings, config, section, err);
}

/* {targets: [ID]}: the one key there is. */
static int read_targets(struct settings *settings, const json_t *section, struct strlist *way, struct error *err)
{
	const char *key;
	json_t *targets, *id;
	size_t i;

	if (!json_is_object(section))
		return error_set(err, ERR_USAGE, "not a map");
	json_object_foreach ((json_t *)(uintptr_t)section, key, targets) {
		strlist_add(way, key);
		if (strcmp(key, "targets") != 0)
			return error_set(err, ERR_USAGE, "there is no such key: 'targets' is the one");
		if (!json_is_array(targets))
			return error_set(err, ERR_USAGE, "not a list of ids of clusters");
		json_array_foreach (targets, i, id) {
			if (!json_is_string(id))
				return error_set(err, ERR_USAGE, "not a list of ids of clusters");
			strlist_add(&settings->drill_targets, json_string_value(id));
		}
	}
	return 0;
}

static int read_drill(struct settings *settings, const struct config *config, const json_t *section, struct error *err)
{
	auto_strlist struct strlist way = STRLIST_INIT;

	strlist_add(&way, "drill");
	return read_targets(settings, section, &way, err) < 0 ? wrap_fault(config, &way, err) : 0;
}

static const struct section *find_section(const char *name)
{
	for (size_t i = 0; i < SECTION_COUNT; i++)
		if (strcmp(sections[i].name, name) == 0)
			return &sections[i];
	return NULL;
}

/* ---- the file ---- */

static int config_read(struct config *config, struct error *err)
{
	if (file_read(config->path, CONFIG_MAX, &config->text, err) < 0 ||
		!(config->document = yaml_read(config->text.buf, config->text.len, err))) {
		error_wrap(err, "configuration file '%s'", config->path);
		err->code = ERR_USAGE;
		return -1;
	}
	if (!json_is_object(config->document) && !json_is_null(config->document))
		return error_set(err, ERR_USAGE, "configuration file '%s': not a map of keys and values", config->path);
	return 0;
}

static int read_key(struct settings *settings, const struct config *config, const char *key, struct error *err)
{
	const json_t *value = json_object_get(config->document, key);
	const struct section *section = find_section(key);
	enum option_id id = config_option(key);

	if (section)
		return section->read(settings, config, value, err);
	return id == OPTION_NONE ? unknown_key(key, config, err) : set_key(settings, id, key, config, value, err);
}

int config_apply(struct settings *settings, const char *named, struct error *err)
{
	auto_config struct config config = {.path = config_find(named), .text = STRBUF_INIT};
	auto_free const char **keys = NULL;
	size_t count = 0;

	if (!config.path)
		return 0;
	settings->config_file = xstrdup(config.path);
	if (config_read(&config, err) < 0)
		return -1;
	keys = json_sorted_keys(config.document, &count);
	for (size_t i = 0; i < count; i++)
		if (read_key(settings, &config, keys[i], err) < 0)
			return -1;
	return 0;
}
