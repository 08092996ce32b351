/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"
#include "snapshot/capture.h"
#include "snapshot/status.h"
#include "util/error.h"
#include "util/json.h"

int command_accept(struct context *ctx, struct error *err)
{
	const struct settings *s = &ctx->settings;
	auto_free char *offsite = status_offsite(s->offsite);

	if (capture_accept(ctx->store, ctx->cluster, context_arg(ctx, 0), s->archive_dir, &ctx->result, err) < 0)
		return -1;
	json_object_set_new(ctx->result, "offsite", json_string(offsite));
	if (json_array_size(json_object_get(ctx->result, "stale")) > 0)
		outcome_add(&ctx->outcome, ERR_PARTIAL);
	return 0;
}
