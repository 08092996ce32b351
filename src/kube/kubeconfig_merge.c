/* SPDX-License-Identifier: Apache-2.0 */
#include "kubeconfig_internal.h"

#include <stdlib.h>
#include <string.h>

#include "secret.h"
#include "util/base64.h"
#include "util/env.h"
#include "util/error.h"
#include "util/file.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"
#include "util/yaml.h"

#define CONFIG_MAX (4U << 20)
#define PEM_MAX (1U << 20)

void layers_release(struct layers *layers)
{
	for (size_t i = 0; i < layers->count; i++) {
		free(layers->items[i].path);
		free(layers->items[i].dir);
		secret_json_release(&layers->items[i].doc);
	}
	free(layers->items);
}

/* ---- reading the files ---- */

static char *directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return xstrdup(".");
	return slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
}

/* The reader shows the value that it stumbled on; here that may be a token, so it is cut out. */
static void yaml_fault(const char *path, struct error *err)
{
	struct error fault = *err;
	char *first = strchr(fault.text, '\'');
	char *last = strrchr(fault.text, '\'');

	if (first && last != first) {
		last += 1 + (last[1] == ' ');
		memmove(first, last, strlen(last) + 1);
	}
	error_set(err, ERR_USAGE, "kubeconfig '%s': %s", path, fault.text);
	if (strstr(fault.text, "must be quoted"))
		error_hint(err, "put the value in quotes: YAML readers disagree about a plain yes, no, on, off, 010 or 1:30");
}

static json_t *document_read(const char *path, struct error *err)
{
	auto_secret_strbuf struct strbuf text = STRBUF_INIT;
	json_t *doc = NULL;

	(void)strbuf_reserve(&text, SECRET_ROOM);
	if (file_read(path, CONFIG_MAX, &text, err) < 0) {
		if (err->code != ERR_NOT_FOUND)
			err->code = ERR_USAGE;
		return NULL;
	}
	doc = yaml_read(text.buf, text.len, err);
	if (!doc) {
		yaml_fault(path, err);
		return NULL;
	}
	if (!json_is_object(doc) && !json_is_null(doc)) {
		json_decref(doc);
		error_set(err, ERR_USAGE, "kubeconfig '%s' is not a map", path);
		return NULL;
	}
	return doc;
}

static int layers_add(struct layers *layers, const char *path, struct error *err)
{
	json_t *doc = document_read(path, err);

	if (!doc)
		return -1;
	layers->items = xgrow(layers->items, &layers->cap, layers->count + 1, sizeof(*layers->items));
	layers->items[layers->count++] = (struct layer){.path = xstrdup(path), .dir = directory_of(path), .doc = doc};
	return 0;
}

/* As layers_add; a file that is not there is no error. */
static int layers_add_existing(struct layers *layers, const char *path, struct error *err)
{
	if (layers_add(layers, path, err) == 0)
		return 0;
	if (err->code != ERR_NOT_FOUND)
		return -1;
	error_clear(err);
	return 0;
}

static int layers_load_listed(struct layers *layers, const char *list, struct error *err)
{
	for (const char *at = list; *at;) {
		size_t len = strcspn(at, ":");
		auto_free char *path = xstrndup(at, len);

		if (len > 0 && layers_add_existing(layers, path, err) < 0)
			return -1;
		at += len + (at[len] == ':');
	}
	return 0;
}

int layers_load(struct layers *layers, const char *file, struct error *err)
{
	const char *list = env_get("KUBECONFIG");
	const char *home = env_get("HOME");
	auto_free char *fallback = NULL;

	if (file) {
		if (layers_add(layers, file, err) == 0)
			return 0;
		if (err->code == ERR_NOT_FOUND)
			return error_set(err, ERR_USAGE, "kubeconfig '%s' does not exist", file);
		return -1;
	}
	if (list)
		return layers_load_listed(layers, list, err);
	if (!home)
		return 0;
	fallback = xasprintf("%s/.kube/config", home);
	return layers_add_existing(layers, fallback, err);
}

/* ---- looking things up ---- */

int entry_fault(const struct entry *entry, const char *key, const char *what, struct error *err)
{
	return error_set(err, ERR_USAGE, "%s of %s '%s' in '%s' %s", key, entry->what, entry->name, entry->layer->path, what);
}

int entry_text(const struct entry *entry, const char *key, const char **out, struct error *err)
{
	json_t *value = json_object_get(entry->body, key);

	*out = NULL;
	if (!value || json_is_null(value))
		return 0;
	if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value)) {
		(void)entry_fault(entry, key, "is not text", err);
		return error_hint(err, "put the value in quotes");
	}
	if (json_string_length(value) > 0)
		*out = json_string_value(value);
	return 0;
}

int entry_flag(const struct entry *entry, const char *key, bool *out, struct error *err)
{
	json_t *value = json_object_get(entry->body, key);

	*out = json_is_true(value);
	if (!value || json_is_null(value) || json_is_boolean(value))
		return 0;
	return entry_fault(entry, key, "is neither true nor false", err);
}

/* A list entry is {name: NAME, cluster|user|context: {...}}. */
static const json_t *layer_find(const struct layer *layer, const char *section, const char *what, const char *name)
{
	size_t i = 0;
	json_t *item = NULL;
	static const char *const empty = "";

	json_array_foreach (json_object_get(layer->doc, section), i, item) {
		const char *has = json_text_at(item, "name", NULL);

		if (strcmp(has ? has : empty, name) == 0)
			return json_object_get(item, what);
	}
	return NULL;
}

static void list_names(const struct layers *layers, const char *section, struct strbuf *out)
{
	for (size_t n = 0; n < layers->count; n++) {
		size_t i = 0;
		json_t *item = NULL;

		json_array_foreach (json_object_get(layers->items[n].doc, section), i, item) {
			const char *name = json_text_at(item, "name", NULL);

			if (name)
				strbuf_addf(out, "%s'%s'", out->len > 0 ? ", " : "", name);
		}
	}
}

static int entry_missing(const struct layers *layers, const char *section, const struct entry *entry, struct error *err)
{
	auto_strbuf struct strbuf names = STRBUF_INIT;

	list_names(layers, section, &names);
	error_set(err, ERR_USAGE, "the kubeconfig has no %s '%s'", entry->what, entry->name);
	if (names.len == 0)
		return error_hint(err, "'%s' has no %s", layers->items[0].path, section);
	return error_hint(err, "it has %s", names.buf);
}

int entry_find(const struct layers *layers, const char *section, struct entry *entry, struct error *err)
{
	for (size_t n = 0; n < layers->count; n++) {
		entry->layer = &layers->items[n];
		entry->body = layer_find(entry->layer, section, entry->what, entry->name);
		if (json_is_object(entry->body))
			return 0;
		if (entry->body)
			return error_set(err, ERR_USAGE, "%s '%s' in '%s' is not a map", entry->what, entry->name, entry->layer->path);
	}
	return entry_missing(layers, section, entry, err);
}

int layers_context(const struct layers *layers, const char *wanted, const char **out, struct error *err)
{
	auto_strbuf struct strbuf names = STRBUF_INIT;

	*out = wanted;
	for (size_t n = 0; !*out && n < layers->count; n++) {
		const char *current = json_text_at(layers->items[n].doc, "current-context", NULL);

		*out = current && *current ? current : NULL;
	}
	if (*out)
		return 0;
	error_set(err, ERR_USAGE, "the kubeconfig '%s' has no current-context", layers->items[0].path);
	list_names(layers, "contexts", &names);
	return names.len > 0 ? error_hint(err, "choose one with --context: %s", names.buf) : -1;
}

/* ---- PEM and tokens ---- */

static int pem_check(const char *text, size_t len, const struct entry *entry, const char *key, struct error *err)
{
	if (strlen(text) == len && strstr(text, "-----BEGIN "))
		return 0;
	return entry_fault(entry, key, "is not PEM", err);
}

char *layer_path(const struct layer *layer, const char *path)
{
	if (*path == '/')
		return xstrdup(path);
	while (path[0] == '.' && path[1] == '/')
		path += 2 + strspn(path + 2, "/");
	return xasprintf("%s/%s", layer->dir, path);
}

static int file_wrap(const struct entry *entry, const char *key, struct error *err)
{
	err->code = ERR_USAGE;
	return error_wrap(err, "%s of %s '%s' in '%s'", key, entry->what, entry->name, entry->layer->path);
}

static int pem_from_file(const struct entry *entry, const char *key, const char *path, char **out, struct error *err)
{
	auto_secret_strbuf struct strbuf text = STRBUF_INIT;
	auto_free char *full = layer_path(entry->layer, path);

	(void)strbuf_reserve(&text, SECRET_ROOM);
	if (file_read(full, PEM_MAX, &text, err) < 0)
		return file_wrap(entry, key, err);
	if (pem_check(text.buf, text.len, entry, key, err) < 0)
		return -1;
	*out = xstrndup(text.buf, text.len);
	return 0;
}

static int pem_from_data(const struct entry *entry, const char *key, const char *data, char **out, struct error *err)
{
	auto_secret char *text = NULL;
	size_t len = 0;

	if (base64_decode(data, strlen(data), &text, &len, err) < 0)
		return file_wrap(entry, key, err);
	if (pem_check(text, len, entry, key, err) < 0)
		return -1;
	*out = text;
	text = NULL;
	return 0;
}

int entry_pem(const struct entry *entry, const char *key, const char *data_key, char **out, struct error *err)
{
	const char *path = NULL;
	const char *data = NULL;

	if (entry_text(entry, key, &path, err) < 0 || entry_text(entry, data_key, &data, err) < 0)
		return -1;
	if (data)
		return pem_from_data(entry, data_key, data, out, err);
	return path ? pem_from_file(entry, key, path, out, err) : 0;
}
