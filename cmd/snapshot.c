/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot/capture.h"

#include <string.h>

#include "command.h"
#include "output.h"
#include "snapshot/status.h"
#include "tables.h"
#include "util/error.h"
#include "util/json.h"
#include "util/log.h"

static void warn_findings(const json_t *findings)
{
	const json_t *item;
	size_t i;

	json_array_foreach (findings, i, item)
		log_warning("perhaps a credential: %s: %s: %s", json_text_at(item, "object", NULL), json_text_at(item, "path", NULL),
			json_text_at(item, "kind", NULL));
}

/* Named in the result; the first of them here too, for a log that has no result. */
static void warn_orphans(const json_t *orphans)
{
	size_t count = json_array_size(orphans);
	auto_free char *first = NULL;

	if (count == 0)
		return;
	first = table_object_text(json_array_get(orphans, 0));
	log_warning("%zu generated %s nobody owns any more, not in the snapshot: %s%s", count, count == 1 ? "object that" : "objects that",
		first, count == 1 ? "" : " and others");
}

static void warn_finalizers(const json_t *finalizers)
{
	const json_t *item;
	size_t i;

	json_array_foreach (finalizers, i, item)
		log_warning("finalizer that the policy does not know, not in the snapshot: %s: %s", table_text(item, "object"),
			table_text(item, "finalizer"));
}

static void warn_unmatched(const json_t *rules)
{
	const json_t *rule;
	size_t i;

	json_array_foreach (rules, i, rule)
		log_warning("the policy's own rule matches nothing in the snapshot: %s of %s: %s", table_text(rule, "rule"),
			table_text(rule, "of"), table_text(rule, "path"));
}

int command_snapshot(struct context *ctx, struct error *err)
{
	const struct settings *s = &ctx->settings;
	const struct capture_options options = {
		.cluster = ctx->cluster,
		.namespaces = &s->namespaces,
		.archive_dir = s->archive_dir,
		.page_size = s->page_size,
		.max_shrink = s->max_shrink,
		.dry_run = s->dry_run,
	};
	auto_free char *offsite = status_offsite(s->offsite);
	int rc = capture_run(&options, ctx->client, ctx->store, ctx->policy, &ctx->result, err);

	json_object_set_new(ctx->result, "offsite", json_string(offsite)); /* also of a refused one; nothing where there is none */
	if (rc < 0)
		return -1;
	if (json_array_size(json_object_get(ctx->result, "stale")) > 0)
		outcome_add(&ctx->outcome, ERR_PARTIAL);
	warn_findings(json_object_get(ctx->result, "findings"));
	warn_orphans(json_object_get(ctx->result, "orphans"));
	warn_unmatched(json_object_get(ctx->result, "unmatchedRules"));
	warn_finalizers(json_object_get(ctx->result, "finalizers"));
	if (!s->dry_run && !s->offsite)
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

/* How many of all are not in the list. */
static void print_rest(struct output *out, long long all, const json_t *list)
{
	long long told = (long long)json_array_size(list);

	if (all > told)
		output_line(out, "and %lld more", all - told);
}

static void print_changes(struct output *out, const json_t *result)
{
	const json_t *changes = json_object_get(result, "changes");

	/* That everything in a first snapshot is new, the counts say. */
	if (json_array_size(changes) == 0 || json_is_true(json_object_get(result, "first")))
		return;
	output_heading(out, "What changed:");
	table_changes(out, changes);
	print_rest(out, table_number(result, "added") + table_number(result, "modified") + table_number(result, "removed"), changes);
}

static void print_count(struct output *out, const json_t *result)
{
	if (json_object_get(result, "installed"))
		output_field(out, "objects", "%lld (%lld generated and %lld installed ones left out)", table_number(result, "objects"),
			table_number(result, "generated"), table_number(result, "installed"));
	else
		output_field(out, "objects", "%lld", table_number(result, "objects"));
}

static void print_drift(struct output *out, const json_t *drift)
{
	const json_t *entry, *field;
	size_t i, j;

	if (json_array_size(drift) == 0)
		return;
	output_heading(out, "Drift, live is not what was last applied with kubectl:");
	json_array_foreach (drift, i, entry)
		json_array_foreach (json_object_get(entry, "fields"), j, field)
			output_line(out, "%s: %s applied %s, live %s", table_text(entry, "object"), table_text(field, "path"),
				table_text(field, "applied"), table_text(field, "live"));
}

static void print_migrations(struct output *out, const json_t *kinds)
{
	json_t *kind;
	size_t i;

	json_array_foreach (kinds, i, kind)
		output_field(out, "storage version", "%s %s -> %s", json_text_at(kind, "name", NULL), json_text_at(kind, "from", NULL),
			json_text_at(kind, "to", NULL));
}

void print_snapshot(struct output *out, const json_t *result)
{
	if (json_object_get(result, "refused")) /* the error says it all */
		return;
	output_field(out, "cluster", "%s", json_text_at(result, "cluster", NULL));
	print_commit(out, result);
	output_field(out, "captured at", "%s", json_text_at(result, "capturedAt", NULL));
	table_stale(out, json_object_get(result, "stale"));
	print_migrations(out, json_object_get(result, "storageMigrations"));
	print_count(out, result);
	if (table_number(result, "notReady") > 0)
		output_field(out, "not ready", "%lld", table_number(result, "notReady"));
	print_archive(out, result);
	table_kinds(out, json_object_get(result, "kinds"));
	table_maintenance(out, "In maintenance, does not serve:", json_object_get(result, "maintenance"));
	print_changes(out, result);
	print_drift(out, json_object_get(result, "drift"));
	table_orphans(out, json_object_get(result, "orphans"));
	table_requirements(out, "The target must bring:", json_object_get(result, "uncovered"), true);
	print_rest(out, table_number(result, "uncoveredCount"), json_object_get(result, "uncovered"));
}
