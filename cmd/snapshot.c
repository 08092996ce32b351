/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot/capture.h"

#include <string.h>

#include "command.h"
#include "output.h"
#include "tables.h"
#include "util/error.h"
#include "util/json.h"
#include "util/log.h"

int command_snapshot(struct context *ctx, struct error *err)
{
	const struct settings *s = &ctx->settings;
	const struct capture_options options = {
		.cluster = ctx->cluster,
		.namespaces = &s->namespaces,
		.archive_dir = s->archive_dir,
		.page_size = s->page_size,
		.dry_run = s->dry_run,
	};
	const char *offsite;

	if (capture_run(&options, ctx->client, ctx->store, ctx->policy, &ctx->result, err) < 0)
		return -1;
	offsite = json_text_at(ctx->result, "offsite", NULL);
	if (!s->dry_run && offsite && strcmp(offsite, "none") == 0)
		log_warning("no copy leaves this machine (offsite: none)");
	return 0;
}

static const char *state_text(const json_t *result)
{
	if (json_is_true(json_object_get(result, "first")))
		return "would be the first";
	return json_is_true(json_object_get(result, "changed")) ? "the state differs from the newest snapshot"
								: "the state is that of the newest snapshot";
}

static void print_commit(struct output *out, const json_t *result)
{
	const char *commit = json_text_at(result, "commit", NULL);

	if (json_is_true(json_object_get(result, "dryRun")))
		output_field(out, "commit", "none (dry run): %s", state_text(result));
	else
		output_field(out, "commit", "%s (%s)", commit ? commit : "none",
			json_is_true(json_object_get(result, "changed")) ? "new" : "unchanged");
}

static void print_archive(struct output *out, const json_t *result)
{
	const char *archive = json_text_at(result, "archive", NULL);

	if (archive)
		output_field(
			out, "archive", "%s (%s)", archive, json_is_true(json_object_get(result, "archiveMade")) ? "new" : "there already");
}

static void print_changes(struct output *out, const json_t *result)
{
	const json_t *changes = json_object_get(result, "changes");
	long long all = table_number(result, "added") + table_number(result, "modified") + table_number(result, "removed");
	long long told = (long long)json_array_size(changes);

	/* That everything in a first snapshot is new, the counts say. */
	if (told == 0 || json_is_true(json_object_get(result, "first")))
		return;
	output_heading(out, "What changed:");
	table_changes(out, changes);
	if (all > told)
		output_line(out, "and %lld more", all - told);
}

void print_snapshot(struct output *out, const json_t *result)
{
	output_field(out, "cluster", "%s", json_text_at(result, "cluster", NULL));
	print_commit(out, result);
	output_field(out, "captured at", "%s", json_text_at(result, "capturedAt", NULL));
	output_field(out, "objects", "%lld (%lld generated and %lld installed ones left out)", table_number(result, "objects"),
		table_number(result, "generated"), table_number(result, "installed"));
	print_archive(out, result);
	table_kinds(out, json_object_get(result, "kinds"));
	print_changes(out, result);
	table_requirements(out, "The target must bring:", json_object_get(result, "uncovered"), true);
}
