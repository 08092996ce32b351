/* SPDX-License-Identifier: Apache-2.0 */
#include "show_why.h"

#include <string.h>

#include "command.h"
#include "object/name.h"
#include "object/object.h"
#include "output.h"
#include "snapshot/why.h"
#include "tables.h"
#include "util/error.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/yaml.h"

static json_t *read_document(void *arg, const char *path)
{
	const struct snapshot *snapshot = arg;
	const struct tree_file *file = tree_find(&snapshot->tree, path);
	struct error ignored = ERROR_INIT;

	return file ? yaml_read(file->data, file->len, &ignored) : NULL;
}

/* Of a kind that no row, list or requirement names. */
static json_t *no_kind(const struct name_source *source, const struct object *name, const char *word)
{
	auto_free char *near = object_name_nearest(source, word);
	auto_json json_t *evidence = near ? json_pack("[o]", json_sprintf("'%s' is called nearly so", near)) : json_array();

	return json_pack("{s:{s:s, s:s, s:s, s:s, s:s}, s:s, s:s, s:O}", "object", "group", "", "resource", "", "kind", word, "namespace",
		name->namespace_, "name", name->name, "class", "unknown", "why",
		"the policy has no row for its kind: no such object is captured", "evidence", evidence);
}

json_t *show_why(struct context *ctx, struct snapshot *snapshot, const char *second, struct error *err)
{
	__attribute__((cleanup(object_name_release))) struct object name = {0};
	auto_json json_t *kinds = NULL;
	auto_free char *word = NULL;
	struct name_source source = {.read = read_document, .arg = snapshot, .namespaces = &ctx->settings.namespaces};
	int found;

	if (object_name_split(&name, &word, &source, ctx->settings.why, second, err) < 0)
		return NULL;
	source.kinds = kinds = why_kinds(snapshot, ctx->policy);
	found = object_name_kind(&name, &source, word, err);
	if (found < 0)
		return NULL;
	return found ? why_object(snapshot, ctx->policy, &name) : no_kind(&source, &name, word);
}

void print_why(struct output *out, const json_t *result)
{
	auto_free char *name = table_object_text(json_object_get(result, "object"));
	const json_t *line;
	size_t i;

	output_field(out, "object", "%s", name);
	output_field(out, "class", "%s", table_text(result, "class"));
	output_field(out, "why", "%s", table_text(result, "why"));
	json_array_foreach (json_object_get(result, "evidence"), i, line)
		output_field(out, i ? "" : "evidence", "%s", json_is_string(line) ? json_string_value(line) : "");
}
