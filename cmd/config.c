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

static int unknown_key(const char *key, const char *path, struct error *err)
{
	const char *names[OPTION_COUNT + 1] = {NULL};
	size_t count = 0;
	const char *near;

	if (is_consent(key))
		return error_set(err, ERR_USAGE, "'%s' cannot be set in a configuration file ('%s')", key, path);
	for (enum option_id id = OPTION_NONE + 1; id < OPTION_COUNT; id++)
		if (option_rows[id].reach == ANYWHERE)
			names[count++] = option_rows[id].name;
	near = suggest(key, names);
	error_set(err, ERR_USAGE, "unknown key '%s' in configuration file '%s'", key, path);
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

static int set_key(struct settings *settings, enum option_id id, const char *path, const json_t *value, struct error *err)
{
	auto_free char *where = xasprintf("key '%s' of '%s'", option_rows[id].name, path);
	const json_t *item;
	size_t i;

	if (!option_is_list(id) || !json_is_array(value))
		return set_scalar(settings, id, where, value, err);
	json_array_foreach (value, i, item)
		if (set_scalar(settings, id, where, item, err) < 0)
			return -1;
	return 0;
}

static int config_read(json_t **out, const char *path, struct error *err)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;

	if (file_read(path, CONFIG_MAX, &text, err) < 0 || !(*out = yaml_read(text.buf, text.len, err))) {
		error_wrap(err, "configuration file '%s'", path);
		err->code = ERR_USAGE;
		return -1;
	}
	if (!json_is_object(*out) && !json_is_null(*out))
		return error_set(err, ERR_USAGE, "configuration file '%s': not a map of keys and values", path);
	return 0;
}

int config_apply(struct settings *settings, const char *named, struct error *err)
{
	auto_free char *path = config_find(named);
	auto_json json_t *document = NULL;
	auto_free const char **keys = NULL;
	size_t count = 0;

	if (!path)
		return 0;
	settings->config_file = xstrdup(path);
	if (config_read(&document, path, err) < 0)
		return -1;
	keys = json_sorted_keys(document, &count);
	for (size_t i = 0; i < count; i++) {
		enum option_id id = config_option(keys[i]);

		if (id == OPTION_NONE)
			return unknown_key(keys[i], path, err);
		if (set_key(settings, id, path, json_object_get(document, keys[i]), err) < 0)
			return -1;
	}
	return 0;
}
