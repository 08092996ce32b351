/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "drill/chain.h"
#include "output.h"
#include "snapshot/status.h"
#include "store/git.h"
#include "store/stale.h"
#include "tables.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/json.h"
#include "util/mem.h"

struct listing {
	struct context *ctx;
	const json_t *proofs;
	struct error *err;
};

/* Until when the state of the newest snapshot is known to hold; null for older ones and where it was not looked at since. */
static json_t *unchanged_until(const struct listing *listing, const char *captured_at)
{
	char when[CLOCK_TEXT_SIZE];
	time_t seen = 0;

	if (json_array_size(listing->ctx->result) == 0)
		seen = git_captured_at(listing->ctx->store, listing->ctx->cluster);
	if (seen == 0 || strcmp(clock_format(seen, when), captured_at) == 0)
		return json_null();
	return json_string(when);
}

/* A count in a trailer; null where there is none. */
static json_t *count_or_null(const char *text)
{
	bool digits = text && *text && strspn(text, "0123456789") == strlen(text);

	return digits ? json_integer(strtoll(text, NULL, 10)) : json_null();
}

/* How many were not Ready when the newest snapshot was last looked at; null for older ones. */
static json_t *not_ready(const struct listing *listing)
{
	const struct context *ctx = listing->ctx;
	bool newest = json_array_size(ctx->result) == 0;
	auto_free char *value = newest ? git_captured_trailer(ctx->store, ctx->cluster, "Not-Ready") : NULL;

	return count_or_null(value);
}

/* When it was last restored and verified, by what. */
static json_t *proven(const struct listing *listing, const char *commit)
{
	json_t *proof = chain_proof_of(listing->proofs, commit);

	return proof ? json_incref(proof) : json_null();
}

static int add_commit(const struct git_commit *commit, void *arg)
{
	struct listing *listing = arg;
	char when[CLOCK_TEXT_SIZE];
	const char *captured_at = commit->captured_at ? commit->captured_at : clock_format(commit->time, when);
	json_t *orphans, *count = status_objects(listing->ctx->store, commit->id, &orphans, listing->err);

	if (!count)
		return -1;
	json_array_append_new(listing->ctx->result,
		json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s}", "commit", commit->id, "capturedAt", captured_at,
			"unchangedUntil", unchanged_until(listing, captured_at), "objects", count, "orphans", orphans, "maintenance",
			count_or_null(commit->maintenance), "notReady", not_ready(listing), "stale",
			stale_of(listing->ctx->store, listing->ctx->cluster, commit), "proof", proven(listing, commit->id), "subject",
			commit->subject));
	return 0;
}

int command_list(struct context *ctx, struct error *err)
{
	auto_json json_t *proofs = NULL;
	struct listing listing = {.ctx = ctx, .err = err};

	if (chain_proofs(ctx->store, ctx->cluster, &proofs, err) < 0)
		return -1;
	listing.proofs = proofs;
	ctx->result = json_array();
	if (git_log(ctx->store, ctx->cluster, add_commit, &listing, err) == 0 && err->code == ERR_NONE)
		return 0;
	json_decref(ctx->result);
	ctx->result = NULL;
	return -1;
}

void print_list(struct output *out, const json_t *result)
{
	static const struct column columns[] = {{"SNAPSHOT", "commit", CELL_ID, 0}, {"CAPTURED AT", "capturedAt", CELL_TEXT, 0},
		{"UNCHANGED UNTIL", "unchangedUntil", CELL_TEXT, 0}, {"OBJECTS", "objects", CELL_NUMBER, 0},
		{"ORPHANS", "orphans", CELL_NUMBER, 0}, {"MAINTENANCE", "maintenance", CELL_NUMBER, 0},
		{"NOT READY", "notReady", CELL_NUMBER, 0}, {"STALE", "stale", CELL_COUNT, 0}, {"PROVEN RESTORABLE", "proven", CELL_TEXT, 0},
		{"SUBJECT", "subject", CELL_TEXT, 100}, {NULL, NULL, CELL_TEXT, 0}};
	auto_json json_t *rows = json_array();
	json_t *snapshot;
	size_t i;

	json_array_foreach (result, i, snapshot) {
		json_t *row = json_copy(snapshot);

		json_object_set(row, "proven", json_at(snapshot, "proof", "at", NULL));
		json_array_append_new(rows, row);
	}
	output_table(out, rows, columns);
}
