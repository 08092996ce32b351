/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery.h"

#include "command.h"
#include "restore/phases.h"
#include "util/error.h"

/* What was said on the command line. */
static int take_options(const struct settings *settings, struct phases *clock, struct error *err)
{
	if (settings->since && phases_since(&clock->declared_at, settings->since, err) < 0)
		return error_wrap(err, "option '--since'");
	for (size_t i = 0; i < settings->phases.count; i++)
		if (phases_declare(clock, settings->phases.items[i], err) < 0)
			return error_wrap(err, "option '--phase'");
	return 0;
}

int recovery_clock(const struct context *ctx, struct phases *clock, struct error *err)
{
	recovery_assume(&ctx->settings.recovery, clock);
	return take_options(&ctx->settings, clock, err);
}
