/* SPDX-License-Identifier: Apache-2.0 */
/* rhaii-dr - from the command line to a command's row, and from its result to standard output, an error, and an exit code. */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "output.h"
#include "util/error.h"
#include "util/json.h"
#include "util/log.h"
#include "util/mem.h"

/* kubectl finds plugins by their file names, where '_' stands for '-'. */
static const char *program_name(const char *argv0)
{
	const char *slash = argv0 ? strrchr(argv0, '/') : NULL;
	const char *base = slash ? slash + 1 : argv0;

	return base && strcmp(base, "kubectl-rhaii_dr") == 0 ? "kubectl rhaii-dr" : "rhaii-dr";
}

static void setup_log(const struct settings *settings)
{
	const struct log_settings log = {
		.level = settings->quiet    ? LOG_ERROR
			: settings->verbose ? LOG_DEBUG
					    : LOG_INFO,
		.json = settings->log_format == LOG_FORMAT_JSON,
	};

	log_setup(&log);
}

static int find_command(struct context *ctx, struct error *err)
{
	const struct settings *s = &ctx->settings;

	if (option_is_given(s, OPTION_VERSION))
		return command_find(&ctx->command, "version", err);
	if (s->args.count > 0)
		return command_find(&ctx->command, s->args.items[0], err);
	if (option_is_given(s, OPTION_HELP))
		return command_find(&ctx->command, "help", err);
	error_set(err, ERR_USAGE, "no command given");
	return error_hint(err, "'%s help' lists the commands", ctx->program);
}

static int check_args(const struct context *ctx, struct error *err)
{
	const struct command *command = ctx->command;
	const struct strlist *args = &ctx->settings.args;
	size_t count = args->count > 0 ? args->count - 1 : 0;

	if (count < command->min_args)
		error_set(err, ERR_USAGE, "'%s' needs %s", command->name, command->args);
	else if (count > command->max_args)
		error_set(err, ERR_USAGE, "'%s' has no use for the argument '%s'", command->name, args->items[command->max_args + 1]);
	else
		return 0;
	return error_hint(err, "usage: %s %s%s%s%s", ctx->program, command->name, command->options ? " [OPTIONS]" : "",
		command->args ? " " : "", command->args ? command->args : "");
}

/*
 * Also after an error the settings are resolved, so that it can be told in the form asked for. Help and version must not stumble over a
 * configuration that people want to mend with them.
 */
static int settle(struct context *ctx, int argc, const char *const *argv, struct error *err)
{
	static const enum option_id none[] = {OPTION_NONE};
	struct error later = ERROR_INIT;
	struct settings *s = &ctx->settings;
	bool failed = options_scan(s, argc, argv, err) < 0 || find_command(ctx, err) < 0;
	bool lenient = failed || option_is_given(s, OPTION_HELP) || option_is_given(s, OPTION_VERSION);
	int rc = options_resolve(
		s, ctx->command ? ctx->command->name : NULL, ctx->command ? ctx->command->options : none, lenient ? &later : err);

	setup_log(s);
	return failed || (rc < 0 && !lenient) ? -1 : 0;
}

static int run(struct context *ctx, int argc, const char *const *argv, struct error *err)
{
	if (settle(ctx, argc, argv, err) < 0)
		return -1;
	if (option_is_given(&ctx->settings, OPTION_HELP))
		return help_show(ctx->program, ctx->settings.args.count > 0 ? ctx->command : NULL, err);
	if (check_args(ctx, err) < 0 || context_open(ctx, err) < 0)
		return -1;
	return ctx->command->run(ctx, err);
}

/* A failure is told on standard output, too, where a machine reads that. A list has no place for it. */
static void complete_result(struct context *ctx, int rc, const struct error *err)
{
	if (rc < 0 && !ctx->result && ctx->settings.output != OUTPUT_TABLE)
		ctx->result = json_object();
	if (!json_is_object(ctx->result))
		return;
	json_object_set_new(ctx->result, "outcome", outcome_names(&ctx->outcome));
	if (rc < 0) {
		json_object_set_new(ctx->result, "error", json_string(err->text));
		json_object_set_new(ctx->result, "hint", *err->hint ? json_string(err->hint) : json_null());
	}
}

static int print_result(struct context *ctx, struct error *err)
{
	struct output out;
	int rc;

	if (!ctx->result)
		return 0;
	output_init(&out, STDOUT_FILENO, ctx->settings.color);
	if (ctx->settings.output != OUTPUT_TABLE)
		output_document(&out, ctx->settings.output, ctx->result);
	else
		ctx->command->print(&out, ctx->result);
	rc = output_flush(&out, err);
	output_release(&out);
	return rc;
}

/* The lines after the first one are indented, so that it is seen what belongs together. */
static void print_lines(struct output *out, const char *prefix, const char *text)
{
	auto_free char *copy = xstrdup(text);
	char *rest = copy, *line;

	while ((line = strsep(&rest, "\n"))) {
		if (*line)
			output_line(out, "%s%s", prefix, line);
		prefix = "    ";
	}
}

static void print_error(const struct settings *settings, const struct error *err)
{
	struct error ignored = ERROR_INIT;
	struct output out;

	if (settings->log_format == LOG_FORMAT_JSON) {
		log_error("%s%s%s", err->text, *err->hint ? "; hint: " : "", err->hint);
		return;
	}
	output_init(&out, STDERR_FILENO, COLOR_NEVER);
	print_lines(&out, "rhaii-dr: error: ", err->text);
	if (*err->hint)
		print_lines(&out, "hint: ", err->hint);
	(void)output_flush(&out, &ignored);
	output_release(&out);
}

int main(int argc, char **argv)
{
	struct context ctx = CONTEXT_INIT;
	struct error err = ERROR_INIT, print_err = ERROR_INIT;
	int rc, code;

	mem_set_up();
	(void)signal(SIGPIPE, SIG_IGN); /* a connection that is reset, or a reader that goes away, is an answer to a write */
	ctx.program = program_name(argv[0]);
	rc = run(&ctx, argc > 0 ? argc - 1 : 0, (const char *const *)argv + 1, &err);
	if (rc < 0)
		outcome_add(&ctx.outcome, err.code == ERR_NONE ? ERR_FAILED : err.code);
	complete_result(&ctx, rc, &err);
	if (print_result(&ctx, &print_err) < 0) {
		outcome_add(&ctx.outcome, print_err.code);
		print_error(&ctx.settings, &print_err);
	}
	if (rc < 0)
		print_error(&ctx.settings, &err);
	code = outcome_exit_code(&ctx.outcome);
	context_release(&ctx);
	return code;
}
