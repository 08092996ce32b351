/* SPDX-License-Identifier: Apache-2.0 */
#include "restore/restore.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "output.h"
#include "restore_print.h"
#include "tables.h"
#include "util/error.h"
#include "util/json.h"
#include "util/log.h"

#define MAINTENANCE_WARNINGS 20 /* lines */

static int check_consent(const struct settings *settings, struct error *err)
{
	if (settings->yes || (isatty(STDIN_FILENO) && isatty(STDERR_FILENO)))
		return 0;
	error_set(err, ERR_USAGE, "there is no terminal to ask on whether to restore");
	return error_hint(err, "say --yes to restore without being asked");
}

/* The plan and the question go to the terminal, also where standard output is kept in a file. */
static int ask(const struct context *ctx, const struct restore *restore, struct error *err)
{
	auto_json json_t *plan = restore_plan_json(restore);
	char answer[16] = "";
	struct output out;
	int rc;

	output_init(&out, STDERR_FILENO, ctx->settings.color);
	print_plan(&out, plan);
	output_prompt(&out, "Type yes to restore: ");
	rc = output_flush(&out, err);
	output_release(&out);
	if (rc < 0)
		return -1;
	if (!fgets(answer, sizeof(answer), stdin) || strcmp(answer, "yes\n") != 0)
		return error_set(err, ERR_USAGE, "not confirmed: nothing was restored");
	return 0;
}

/* Said also where nobody is asked: what was stopped is no failure of the restore, and serves no more than before. */
static void warn_of_maintenance(const json_t *plan)
{
	const json_t *list = json_object_get(plan, "maintenance"), *entry;
	size_t i;

	json_array_foreach (list, i, entry) {
		auto_free char *object = table_object_text(entry);

		if (i < MAINTENANCE_WARNINGS)
			log_warning("%s was stopped when the snapshot was taken (%s)", object, table_text(entry, "state"));
	}
	if (i > MAINTENANCE_WARNINGS)
		log_warning("and %zu more", i - MAINTENANCE_WARNINGS);
}

/* What comes back may be older than the snapshot. */
static void warn_of_stale(const json_t *plan)
{
	const json_t *mark;
	size_t i;

	json_array_foreach (json_at(plan, "snapshot", "stale", NULL), i, mark) {
		const char *group = table_text(mark, "group");

		log_warning("%s%s%s could not be read when the snapshot was taken: it is restored as it was at %s",
			table_text(mark, "resource"), *group ? "." : "", group, table_text(mark, "since"));
	}
}

static void warn_of(const struct restore *restore)
{
	auto_json json_t *plan = restore_plan_json(restore);

	warn_of_maintenance(plan);
	warn_of_stale(plan);
}

int command_restore(struct context *ctx, struct error *err)
{
	const struct settings *s = &ctx->settings;
	const struct restore_settings settings = {
		.source = &ctx->source,
		.snapshot = context_arg(ctx, 0),
		.policy = s->other_policy,
		.client = ctx->client,
		.in_place = s->in_place,
		.wait_ms = s->wait_ms,
		.rto_ms = s->rto_ms,
	};
	struct restore *restore;
	int rc;

	if (check_consent(s, err) < 0 || restore_prepare(&restore, &settings, err) < 0)
		return -1;
	if (s->yes)
		warn_of(restore);
	rc = s->yes ? 0 : ask(ctx, restore, err);
	if (rc == 0)
		rc = restore_run(restore, &ctx->result, &ctx->outcome, err);
	restore_free(restore);
	return rc;
}
