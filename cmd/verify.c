/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/verify.h"

#include "command.h"
#include "kube/discovery.h"
#include "output.h"
#include "restore/mapping.h"
#include "restore/select.h"
#include "serving.h"
#include "tables.h"
#include "util/error.h"
#include "util/json.h"

static int probe(struct context *ctx, const struct snapshot *snapshot, struct error *err)
{
	struct verify_settings settings = {.snapshot = snapshot, .client = ctx->client, .serving = &ctx->serving};
	struct discovery *discovery = NULL;
	int rc = serving_said(&ctx->settings, &ctx->serving, err);

	if (rc == 0)
		rc = discovery_load(&discovery, ctx->client, err);
	settings.policy = ctx->policy;
	settings.discovery = discovery;
	if (rc == 0)
		rc = verify_run(&settings, &ctx->result, &ctx->outcome, err);
	discovery_free(discovery);
	return rc;
}

/* As a restore with the same options would have it. */
static int take_part(struct context *ctx, struct snapshot *snapshot, json_t **selection, json_t **mapping, struct error *err)
{
	const struct settings *s = &ctx->settings;

	if (context_snapshot_policy(ctx, snapshot, err) < 0 || select_objects(snapshot, ctx->policy, &s->selection, selection, err) < 0)
		return -1;
	return map_objects(snapshot, ctx->policy, &s->mapping, s->selection.only.count > 0, mapping, err);
}

int command_verify(struct context *ctx, struct error *err)
{
	auto_json json_t *selection = NULL, *mapping = NULL;
	struct snapshot *snapshot;
	int rc;

	if (snapshot_open(&snapshot, &ctx->source, context_arg(ctx, 0), err) < 0)
		return -1;
	rc = take_part(ctx, snapshot, &selection, &mapping, err);
	if (rc == 0)
		rc = probe(ctx, snapshot, err);
	if (rc == 0) {
		json_object_set_new(ctx->result, "origin", snapshot_description(snapshot));
		json_object_set(ctx->result, "selection", selection);
		json_object_set(ctx->result, "mapping", mapping);
	}
	snapshot_free(snapshot);
	return rc;
}

void print_verify(struct output *out, const json_t *result)
{
	const char *target = json_text_at(result, "target", "server", NULL);

	table_origin(out, json_object_get(result, "origin"));
	output_field(out, "target", "%s", target ? target : "not known");
	table_selection(out, json_object_get(result, "selection"));
	table_mapping(out, json_object_get(result, "mapping"));
	table_probes(out, json_object_get(result, "probes"), true);
}
