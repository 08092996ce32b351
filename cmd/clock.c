/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "command.h"
#include "output.h"
#include "recovery.h"
#include "restore/marks.h"
#include "restore/phases.h"
#include "restore_print.h"
#include "tables.h"
#include "util/error.h"
#include "util/json.h"

static const char *const state_names[] = {[MARKS_RUNNING] = "running", [MARKS_STOPPED] = "stopped", [MARKS_OLD] = "old"};

/* ---- what is done ---- */

static int no_use_for(const struct context *ctx, size_t index, struct error *err)
{
	const char *arg = context_arg(ctx, index);

	return arg ? error_set(err, ERR_USAGE, "'clock %s' has no use for the argument '%s'", context_arg(ctx, 0), arg) : 0;
}

static int do_start(const struct context *ctx, struct error *err)
{
	int64_t since = 0;

	if (no_use_for(ctx, 1, err) < 0)
		return -1;
	if (ctx->settings.since && phases_since(&since, ctx->settings.since, err) < 0)
		return error_wrap(err, "option '--since'");
	return marks_start(since, err);
}

static int do_mark(const struct context *ctx, struct error *err)
{
	enum phase phase;

	if (!context_arg(ctx, 1)) {
		(void)error_set(err, ERR_USAGE, "'clock mark' needs the phase that begins now");
		return error_hint(err, "for example: rhaii-dr clock mark create-cluster");
	}
	if (phase_find(&phase, context_arg(ctx, 1), err) < 0)
		return -1;
	return marks_mark(phase, ctx->settings.waiting, err);
}

static int do_stop(const struct context *ctx, struct error *err)
{
	return no_use_for(ctx, 1, err) < 0 ? -1 : marks_stop(err);
}

static const struct {
	const char *word;
	int (*run)(const struct context *ctx, struct error *err);
} verbs[] = {{"start", do_start}, {"mark", do_mark}, {"stop", do_stop}};

static int change(const struct context *ctx, struct error *err)
{
	const char *word = context_arg(ctx, 0);

	if (!word)
		return 0;
	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		if (strcmp(verbs[i].word, word) == 0)
			return verbs[i].run(ctx, err);
	(void)error_set(err, ERR_USAGE, "'clock' knows no '%s'", word);
	return error_hint(err, "it is start, mark PHASE or stop; without a word it shows the clock");
}

/* ---- what is shown ---- */

static json_t *result_of(const json_t *marks, const struct phases *clock)
{
	json_t *result = phases_json(clock);
	bool waiting;
	const char *phase = marks_current(marks, &waiting);

	json_object_set_new(result, "state", json_string(state_names[marks_state(marks)]));
	json_object_set_new(result, "phase", phase ? json_string(phase) : json_null());
	json_object_set_new(result, "waiting", json_boolean(waiting));
	return result;
}

int command_clock(struct context *ctx, struct error *err)
{
	auto_json json_t *marks = NULL;
	struct phases clock;

	if (change(ctx, err) < 0 || marks_load(&marks, err) < 0)
		return -1;
	phases_init(&clock, ctx->settings.rto_ms);
	marks_take(marks, &clock);
	marks_take_restore(marks, &clock);
	recovery_assume(&ctx->settings.recovery, &clock);
	ctx->result = result_of(marks, &clock);
	if (phases_missed(&clock))
		outcome_add(&ctx->outcome, ERR_OBJECTIVE);
	phases_release(&clock);
	return 0;
}

void print_clock_result(struct output *out, const json_t *result)
{
	const char *phase = table_text(result, "phase");

	output_field(out, "clock", "%s%s%s%s", table_text(result, "state"), *phase ? ": " : "", phase,
		json_is_true(json_object_get(result, "waiting")) ? " (waiting for people)" : "");
	output_field(out, "declared", "%s", table_text(json_object_get(result, "rto"), "declaredAt"));
	print_clock(out, result);
}
