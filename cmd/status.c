/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot/status.h"

#include <string.h>

#include "command.h"
#include "drill/chain.h"
#include "output.h"
#include "store/git.h"
#include "tables.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/file.h"
#include "util/json.h"
#include "util/log.h"
#include "util/strbuf.h"

#define METRICS_MODE 0644 /* the collector is somebody else */

static int write_metrics(const char *path, const json_t *result, struct error *err)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;

	status_openmetrics(result, &text);
	if (file_write(path, text.buf, text.len, METRICS_MODE, err) < 0)
		return error_wrap(err, "metrics '%s'", path);
	return 0;
}

/* What is wrong but for the age, which the exit code tells. */
static void warn(const json_t *entry)
{
	const char *cluster = json_text_at(entry, "cluster", NULL), *refused = json_text_at(entry, "refused", NULL);
	const json_t *archive = json_object_get(entry, "archive");

	if (refused)
		log_warning("a refused capture of cluster %s waits: look at it, then 'rhaii-dr accept %s'", cluster, refused);
	if (json_is_true(json_object_get(entry, "inFuture")))
		log_warning("the last capture of cluster %s lies in the future: a clock is wrong, so its age is not known", cluster);
	if (json_is_object(archive) && !json_is_true(json_object_get(archive, "complete")))
		log_warning("the archive of the newest snapshot of cluster %s is not there, or its .sha256", cluster);
}

/* What was shown to be restorable last, and how long ago: of this cluster, not of its newest snapshot alone. */
static int add_proof(const struct context *ctx, json_t *entry, struct error *err)
{
	auto_json json_t *proofs = NULL, *proof = NULL;
	time_t at = 0, now = clock_now();
	bool old;

	if (chain_proofs(ctx->store, json_text_at(entry, "cluster", NULL), &proofs, err) < 0)
		return -1;
	proof = json_array_size(proofs) ? json_deep_copy(json_array_get(proofs, 0)) : json_null();
	if (json_is_object(proof)) {
		struct error ignored = ERROR_INIT;

		(void)clock_parse(table_text(proof, "at"), &at, &ignored);
		json_object_set_new(proof, "ageSeconds", json_integer(now > at ? now - at : 0));
		json_object_set_new(proof, "newest", json_boolean(strcmp(table_text(proof, "snapshot"), table_text(entry, "commit")) == 0));
	}
	old = ctx->settings.max_proof_age_ms > 0 && now - at > ctx->settings.max_proof_age_ms / 1000;
	json_object_set(entry, "proof", proof);
	json_object_set_new(entry, "proofTooOld", json_boolean(old));
	return 0;
}

static int add_proofs(struct context *ctx, struct error *err)
{
	json_t *entry;
	size_t i;

	json_array_foreach (json_object_get(ctx->result, "clusters"), i, entry) {
		if (add_proof(ctx, entry, err) < 0)
			return -1;
		if (json_is_true(json_object_get(entry, "proofTooOld")))
			outcome_add(&ctx->outcome, ERR_OBJECTIVE);
	}
	return 0;
}

int command_status(struct context *ctx, struct error *err)
{
	const struct settings *s = &ctx->settings;
	const struct status_options options = {
		.cluster = s->cluster, .archive_dir = s->archive_dir, .offsite = s->offsite, .max_age_ms = s->max_age_ms};
	const json_t *entry;
	size_t i;

	/* opened here, since it may keep several clusters or none */
	if (git_store_open(&ctx->store, s->repo, false, NULL, err) < 0 || status_read(ctx->store, &options, &ctx->result, err) < 0 ||
		add_proofs(ctx, err) < 0)
		return -1;
	json_array_foreach (json_object_get(ctx->result, "clusters"), i, entry)
		warn(entry);
	if (!s->offsite)
		log_warning("no copy leaves this machine (offsite: none)");
	if (status_too_old(ctx->result))
		outcome_add(&ctx->outcome, ERR_OBJECTIVE);
	return s->openmetrics ? write_metrics(s->openmetrics, ctx->result, err) : 0;
}

static void print_age(struct output *out, const json_t *entry, long long max_age)
{
	char age[CLOCK_TEXT_SIZE], limit[CLOCK_TEXT_SIZE];
	const char *age_text = clock_format_duration(table_number(entry, "rpoSeconds") * 1000, age);

	clock_format_duration(max_age * 1000, limit);
	if (json_is_true(json_object_get(entry, "inFuture")))
		output_status(out, "RPO now", "unknown", "the last capture lies in the future");
	else
		output_status(out, "RPO now", json_is_true(json_object_get(entry, "tooOld")) ? "missed" : "met",
			"%s since the last %scapture (RPO %s)", age_text,
			json_array_size(json_object_get(entry, "stale")) > 0 ? "complete " : "", limit);
}

static void print_proof(struct output *out, const json_t *entry)
{
	const json_t *proof = json_object_get(entry, "proof");
	bool old = json_is_true(json_object_get(entry, "proofTooOld")), local = strcmp(table_text(proof, "mode"), "local") == 0;
	char age[CLOCK_TEXT_SIZE];

	if (!json_is_object(proof))
		output_status(out, "proven", old ? "missed" : "never", "no restore and no drill of it has been recorded");
	else
		output_status(out, "proven", old ? "missed" : "restorable", "%s ago, snapshot %.12s%s, %s%s",
			clock_format_duration(table_number(proof, "ageSeconds") * 1000, age), table_text(proof, "snapshot"),
			json_is_true(json_object_get(proof, "newest")) ? "" : " (not the newest)", table_text(proof, "record"),
			local ? ", a local drill: serving was not tested" : "");
}

static void print_archive(struct output *out, const json_t *entry)
{
	const json_t *archive = json_object_get(entry, "archive");

	if (json_is_object(archive))
		output_field(out, "archive", "%s (%s)", json_text_at(archive, "path", NULL),
			json_is_true(json_object_get(archive, "complete")) ? "there, not checked" : "missing, or its .sha256");
}

static void print_cluster(struct output *out, const json_t *entry, long long max_age)
{
	const char *refused = json_text_at(entry, "refused", NULL);

	output_field(out, "cluster", "%s", json_text_at(entry, "cluster", NULL));
	print_age(out, entry, max_age);
	output_field(out, "captured at", "%s", json_text_at(entry, "capturedAt", NULL));
	table_stale(out, json_object_get(entry, "stale"));
	output_field(out, "snapshot", "%.12s of %s", json_text_at(entry, "commit", NULL), json_text_at(entry, "snapshotAt", NULL));
	if (json_is_integer(json_object_get(entry, "objects")))
		output_field(out, "objects", "%lld", table_number(entry, "objects"));
	print_archive(out, entry);
	print_proof(out, entry);
	if (refused)
		output_field(out, "refused", "a capture waits: rhaii-dr accept %s", refused);
	output_line(out, "%s", "");
}

void print_status(struct output *out, const json_t *result)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (json_object_get(result, "clusters"), i, entry)
		print_cluster(out, entry, table_number(result, "maxAgeSeconds"));
	output_field(out, "off-site", "%s", json_text_at(result, "offsite", NULL));
}
