/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"

#include <string.h>

#include "object/object.h"
#include "output.h"
#include "show_why.h"
#include "snapshot/environment.h"
#include "snapshot/maintenance.h"
#include "tables.h"
#include "util/error.h"
#include "util/json.h"

static json_t *objects_json(const struct context *ctx, const struct snapshot *snapshot)
{
	json_t *objects = json_array();

	for (size_t i = 0; i < snapshot->object_count; i++) {
		const struct object *o = snapshot->objects[i];

		if (context_wants(ctx, o))
			json_array_append_new(objects,
				json_pack("{s:s, s:s, s:s, s:s, s:s}", "group", o->group, "version", o->version, "kind", o->kind,
					"namespace", o->namespace_, "name", o->name));
	}
	return objects;
}

static void copy_key(json_t *to, const json_t *from, const char *key)
{
	json_t *value = json_object_get(from, key);

	if (value)
		json_object_set(to, key, value);
}

static json_t *show_whole(struct context *ctx, const struct snapshot *snapshot)
{
	/* of requirements.yaml */
	static const char *const told[] = {"requirements", "finalizers", "definitions", "presets", "controllers", "webhooks", "notRead"};
	json_t *result = snapshot_description(snapshot);
	char objects_tree[GIT_ID_SIZE];

	copy_key(result, snapshot->info, "format");
	copy_key(result, snapshot->info, "serverVersion");
	copy_key(result, snapshot->info, "policy");
	copy_key(result, snapshot->info, "scope");
	copy_key(result, snapshot->info, "kinds");
	copy_key(result, snapshot->info, "notServed");
	copy_key(result, snapshot->generated, "orphans");
	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++)
		copy_key(result, snapshot->requirements, told[i]);
	tree_git_id(&snapshot->tree, "objects/", objects_tree);
	json_object_set_new(result, "objectsTree", json_string(objects_tree));
	json_object_set_new(result, "objects", objects_json(ctx, snapshot));
	json_object_set_new(result, "maintenance", maintenance_of(snapshot));
	json_object_set_new(result, "environment", environment_of(snapshot, ctx->policy));
	json_object_set_new(result, "nodes", node_needs_of(snapshot, ctx->policy));
	return result;
}

/* "[SNAPSHOT] --why KIND NS/NAME": what stands behind --why is one word, or two of which the second is the last argument. */
static int take_words(const struct context *ctx, const char **source, const char **second, struct error *err)
{
	const char *why = ctx->settings.why;
	size_t more = why && !strchr(why, '/') ? 1 : 0, given = ctx->settings.args.count - 1;

	if (given > more + 1)
		return error_set(err, ERR_USAGE, "show takes one snapshot: '%s'", context_arg(ctx, 1));
	*second = more && given ? context_arg(ctx, given - 1) : NULL;
	*source = given > (*second ? 1U : 0U) ? context_arg(ctx, 0) : NULL;
	return 0;
}

int command_show(struct context *ctx, struct error *err)
{
	const char *source, *second;
	struct snapshot *snapshot;

	if (take_words(ctx, &source, &second, err) < 0 || snapshot_open(&snapshot, &ctx->source, source, err) < 0)
		return -1;
	if (context_snapshot_policy(ctx, snapshot, err) == 0)
		ctx->result = ctx->settings.why ? show_why(ctx, snapshot, second, err) : show_whole(ctx, snapshot);
	snapshot_free(snapshot);
	return ctx->result ? 0 : -1;
}

static void print_scope(struct output *out, const json_t *scope)
{
	const json_t *only = json_object_get(scope, "namespaces"), *names = only ? only : json_object_get(scope, "excludeNamespaces"),
		     *name;
	auto_strbuf struct strbuf text = STRBUF_INIT;
	size_t i;

	strbuf_adds(&text, only ? "namespaces" : json_array_size(names) > 0 ? "all namespaces but" : "all namespaces");
	json_array_foreach (names, i, name)
		strbuf_addf(&text, "%s %s", i ? "," : "", json_is_string(name) ? json_string_value(name) : "?");
	output_field(out, "scope", "%s", text.buf);
}

static void print_objects(struct output *out, const json_t *objects)
{
	static const struct column columns[] = {{"KIND", "kind", CELL_TEXT, 0}, {"NAMESPACE", "namespace", CELL_TEXT, 0},
		{"NAME", "name", CELL_TEXT, 0}, {NULL, NULL, CELL_TEXT, 0}};

	if (json_array_size(objects) == 0)
		return;
	output_heading(out, "Objects:");
	output_table(out, objects, columns);
}

void print_show(struct output *out, const json_t *result)
{
	const char *server = json_text_at(result, "serverVersion", NULL), *policy = json_text_at(result, "policy", NULL);

	if (json_object_get(result, "evidence")) {
		print_why(out, result);
		return;
	}
	table_origin(out, result);
	output_field(out, "server", "%s", server ? server : "not known");
	output_field(out, "policy", "%s", policy ? policy : "not known");
	print_scope(out, json_object_get(result, "scope"));
	table_kinds(out, json_object_get(result, "kinds"));
	table_maintenance(out, "In maintenance when the snapshot was taken, does not serve:", json_object_get(result, "maintenance"));
	table_orphans(out, json_object_get(result, "orphans"));
	table_requirements(out, "What the objects need and the snapshot does not hold:", json_object_get(result, "requirements"), true);
	table_finalizers(out, json_object_get(result, "finalizers"));
	table_nodes(out, json_object_get(result, "nodes"));
	table_environment(out, json_object_get(result, "environment"));
	table_installation(out, result);
	print_objects(out, json_object_get(result, "objects"));
}
