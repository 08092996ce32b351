/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"
#include "output.h"
#include "restore/restore.h"
#include "restore/template.h"
#include "restore_print.h"
#include "tables.h"
#include "util/error.h"
#include "util/json.h"

/* The manifests are written first: what they are for may be just what blocks the restore. */
static int plan(struct context *ctx, const struct restore *restore, struct error *err)
{
	const char *dir = ctx->settings.requirements_template;
	json_t *files;

	ctx->result = restore_plan_json(restore);
	if (dir && template_write(json_object_get(ctx->result, "requirements"), dir, &files, err) < 0)
		return -1;
	if (dir)
		json_object_set_new(ctx->result, "templates", files);
	return restore_blocked(restore, err);
}

int command_plan(struct context *ctx, struct error *err)
{
	struct restore_settings settings = restore_settings_said(ctx);
	struct restore *restore;
	int rc;

	settings.client = ctx->client;
	settings.explain = true;
	settings.server_dry_run = ctx->settings.server_dry_run;
	if (restore_prepare(&restore, &settings, err) < 0)
		return -1;
	rc = plan(ctx, restore, err);
	restore_free(restore);
	return rc;
}

static void print_templates(struct output *out, const json_t *files)
{
	const json_t *file;
	size_t i;

	if (json_array_size(files))
		output_heading(out, "To fill, and to apply before the restore:");
	json_array_foreach (files, i, file)
		output_line(out, "%s%s", table_text(file, "path"),
			json_is_true(json_object_get(file, "written")) ? "" : " (was there already)");
}

void print_plan_result(struct output *out, const json_t *plan)
{
	print_plan(out, plan);
	print_actions(out, plan);
	print_templates(out, json_object_get(plan, "templates"));
}
