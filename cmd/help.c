/* SPDX-License-Identifier: Apache-2.0 */
/* help - made from the tables of commands, options and exit codes. */
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "output.h"
#include "util/error.h"

#define COMMAND_WIDTH 10
#define OPTION_WIDTH 28
#define CODE_WIDTH 3

static void print_option(struct output *out, enum option_id id)
{
	const struct option *row = &option_rows[id];
	auto_strbuf struct strbuf left = STRBUF_INIT, right = STRBUF_INIT;

	if (row->letter)
		strbuf_addf(&left, "-%c, ", row->letter);
	option_flag_text(id, &left);
	strbuf_adds(&right, row->help);
	if (row->def)
		strbuf_addf(&right, " (default %s)", row->def);
	if (row->reach == COMMAND_LINE_ONLY && id != OPTION_HELP && id != OPTION_VERSION)
		strbuf_adds(&right, " (only on the command line)");
	output_pair(out, OPTION_WIDTH, left.buf, right.buf);
}

static void print_general_options(struct output *out)
{
	output_heading(out, "General options:");
	for (enum option_id id = OPTION_NONE + 1; id < OPTION_COUNT; id++)
		if (option_rows[id].everywhere)
			print_option(out, id);
}

static void print_exit_codes(struct output *out)
{
	output_heading(out, "Exit codes:");
	for (const struct outcome_row *row = outcome_rows; row->name; row++) {
		auto_strbuf struct strbuf code = STRBUF_INIT;

		strbuf_addf(&code, "%d", row->code);
		output_pair(out, CODE_WIDTH, code.buf, row->help);
	}
}

static void print_overview(struct output *out, const char *program)
{
	output_line(out, "Usage: %s COMMAND [OPTIONS] [ARGUMENTS]", program);
	output_line(out, "%s", "");
	output_paragraphs(out,
		"Disaster recovery for KServe clusters: keeps what people wrote in git, brings it back on another cluster, and shows "
		"how long that took.");
	output_heading(out, "Commands:");
	for (const struct command *command = commands; command->name; command++)
		output_pair(out, COMMAND_WIDTH, command->name, command->summary);
	print_general_options(out);
	output_heading(out, "Configuration:");
	output_paragraphs(out,
		"Options may stand anywhere; -- ends them. Each one is also an environment variable and a key of the configuration file, "
		"a YAML map: --page-size 100, RHAII_DR_PAGE_SIZE=100, page-size: 100. The command line comes before the "
		"environment, that before the file. Options that consent to something stand only on the command line.");
	print_exit_codes(out);
	output_line(out, "%s", "");
	output_line(out, "'%s help COMMAND' says more about a command.", program);
}

static void print_command_options(struct output *out, const struct command *command)
{
	if (!command->options) {
		output_heading(out, "Options:");
		print_option(out, OPTION_HELP);
		return;
	}
	if (command->options[0] != OPTION_NONE)
		output_heading(out, "Options:");
	for (const enum option_id *id = command->options; *id != OPTION_NONE; id++)
		print_option(out, *id);
	print_general_options(out);
}

static void print_command(struct output *out, const char *program, const struct command *command)
{
	output_line(out, "Usage: %s %s%s%s%s", program, command->name, command->options ? " [OPTIONS]" : "", command->args ? " " : "",
		command->args ? command->args : "");
	output_line(out, "%s", "");
	output_paragraphs(out, command->about);
	print_command_options(out, command);
	if (command->examples)
		output_heading(out, "Examples:");
	for (size_t i = 0; command->examples && command->examples[i]; i++)
		output_line(out, "  %s %s", program, command->examples[i]);
}

int help_show(const char *program, const struct command *command, struct error *err)
{
	struct output out;
	int rc;

	output_init(&out, STDOUT_FILENO, COLOR_NEVER);
	if (command)
		print_command(&out, program, command);
	else
		print_overview(&out, program);
	rc = output_flush(&out, err);
	output_release(&out);
	return rc;
}

int command_help(struct context *ctx, struct error *err)
{
	const struct command *about = NULL;
	const char *name = context_arg(ctx, 0);

	if (name && command_find(&about, name, err) < 0)
		return -1;
	return help_show(ctx->program, about, err);
}
