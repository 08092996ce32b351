/* SPDX-License-Identifier: Apache-2.0 */
#include "object/name.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "object/object.h"
#include "util/error.h"
#include "util/json.h"
#include "util/suggest.h"

/* Short names of kinds that have no definition to ask; those of the others stand in crds/. */
static const struct {
	const char *resource, *short_name;
} short_names[] = {
	{"namespaces", "ns"},
	{"configmaps", "cm"},
	{"serviceaccounts", "sa"},
	{"resourcequotas", "quota"},
	{"limitranges", "limits"},
	{"networkpolicies", "netpol"},
	{"poddisruptionbudgets", "pdb"},
	{"horizontalpodautoscalers", "hpa"},
	{"deployments", "deploy"},
	{"services", "svc"},
};

static const char *text_of(const json_t *map, const char *key)
{
	const char *text = json_text_at(map, key, NULL);

	return text ? text : "";
}

/* ---- which kind is meant ---- */

/* What the definition of a custom kind calls it. */
static void add_defined_words(const struct name_source *source, const char *full_name, struct strlist *words)
{
	auto_free char *path = xasprintf("crds/%s.yaml", full_name);
	auto_json json_t *definition = source->read(source->arg, path);
	const char *singular = json_text_at(definition, "spec", "names", "singular", NULL);
	const json_t *name;
	size_t i;

	if (singular)
		strlist_add(words, singular);
	json_array_foreach (json_at(definition, "spec", "names", "shortNames", NULL), i, name)
		if (json_is_string(name))
			strlist_add(words, json_string_value(name));
}

static char *full_name_of(const json_t *kind)
{
	const char *group = text_of(kind, "group");

	return xasprintf("%s%s%s", text_of(kind, "resource"), *group ? "." : "", group);
}

static void words_of(const struct name_source *source, const json_t *kind, struct strlist *words)
{
	const char *resource = text_of(kind, "resource"), *group = text_of(kind, "group");
	auto_free char *full_name = full_name_of(kind), *full_kind = xasprintf("%s.%s", text_of(kind, "kind"), group);

	strlist_add(words, text_of(kind, "kind"));
	strlist_add(words, resource);
	strlist_add(words, full_name);
	for (size_t i = 0; i < sizeof(short_names) / sizeof(short_names[0]); i++)
		if (strcmp(short_names[i].resource, resource) == 0)
			strlist_add(words, short_names[i].short_name);
	if (!*group)
		return;
	strlist_add(words, full_kind);
	add_defined_words(source, full_name, words);
}

static bool is_called(const struct name_source *source, const json_t *kind, const char *word)
{
	auto_strlist struct strlist words = STRLIST_INIT;
	bool match = false;

	words_of(source, kind, &words);
	for (size_t i = 0; i < words.count; i++)
		match = match || strcasecmp(words.items[i], word) == 0;
	return match;
}

static void take_kind(struct object *out, const json_t *kind)
{
	out->group = xstrdup(text_of(kind, "group"));
	out->resource = xstrdup(text_of(kind, "resource"));
	out->kind = xstrdup(text_of(kind, "kind"));
}

int object_name_kind(struct object *out, const struct name_source *source, const char *word, struct error *err)
{
	auto_strlist struct strlist matches = STRLIST_INIT;
	json_t *kind;
	size_t i;

	json_array_foreach (source->kinds, i, kind) {
		auto_free char *full_name = full_name_of(kind);

		if (strlist_contains(&matches, full_name) || !is_called(source, kind, word))
			continue;
		if (matches.count == 0)
			take_kind(out, kind);
		strlist_add(&matches, full_name);
	}
	if (matches.count < 2)
		return (int)matches.count;
	error_set(err, ERR_USAGE, "several kinds are called '%s'", word);
	return error_hint(err, "say '%s' or '%s'", matches.items[0], matches.items[1]);
}

/* Letters of any case: the suggestion is looked for in small ones. */
char *object_name_nearest(const struct name_source *source, const char *word)
{
	auto_strlist struct strlist words = STRLIST_INIT;
	auto_free char *small = xstrdup(word);
	json_t *kind;
	size_t i;

	for (char *c = small; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	json_array_foreach (source->kinds, i, kind)
		words_of(source, kind, &words);
	return xstrdup(suggest_of(small, &words));
}

/* ---- which object is meant ---- */

/* "NS/NAME", or "NAME" in the namespace of -n, or "NAME" alone. */
static int take_name(struct object *out, const struct strlist *given, const char *text, struct error *err)
{
	const char *slash = strchr(text, '/'), *name = slash ? slash + 1 : text;

	if (!*name || slash == text || strchr(name, '/'))
		return error_set(err, ERR_USAGE, "not the name of an object: '%s'", text);
	if (!slash && given->count > 1)
		return error_set(err, ERR_USAGE, "one namespace is needed for '%s'", text);
	out->name = xstrdup(name);
	out->namespace_ = slash ? xstrndup(text, (size_t)(slash - text)) : xstrdup(given->count ? given->items[0] : "");
	return 0;
}

int object_name_split(
	struct object *out, char **word, const struct name_source *source, const char *first, const char *second, struct error *err)
{
	const char *slash = strchr(first, '/');

	*word = NULL;
	if (!second && !slash) {
		error_set(err, ERR_USAGE, "no name of an object after '%s'", first);
		return error_hint(err, "name the object: %s NS/NAME", first);
	}
	*word = xstrndup(first, second ? strlen(first) : (size_t)(slash - first));
	return take_name(out, source->namespaces, second ? second : slash + 1, err);
}

void object_name_release(struct object *name)
{
	free(name->group);
	free(name->resource);
	free(name->kind);
	free(name->namespace_);
	free(name->name);
}
