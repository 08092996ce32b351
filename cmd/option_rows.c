/* SPDX-License-Identifier: Apache-2.0 */
/* The table of all options. Which command takes which is in commands.c. */
#include <stddef.h>

#include "options.h"

static const char *const output_words[] = {[OUTPUT_TABLE] = "table", [OUTPUT_JSON] = "json", [OUTPUT_YAML] = "yaml", NULL};
static const char *const color_words[] = {[COLOR_AUTO] = "auto", [COLOR_NEVER] = "never", [COLOR_ALWAYS] = "always", NULL};
static const char *const log_words[] = {[LOG_FORMAT_TEXT] = "text", [LOG_FORMAT_JSON] = "json", NULL};

#define FILLS(member) .offset = offsetof(struct settings, member)

const struct option option_rows[OPTION_COUNT] = {
	[OPTION_CONFIG] = {FILLS(config), .name = "config", .type = OPT_TEXT, .arg = "FILE", .reach = NOT_IN_FILE, .everywhere = true,
		.help = "configuration file, instead of $XDG_CONFIG_HOME/rhaii-dr/config.yaml or /etc/rhaii-dr/config.yaml"},
	[OPTION_KUBECONFIG] = {FILLS(kubeconfig), .name = "kubeconfig", .type = OPT_TEXT, .arg = "FILE",
		.help = "how to reach the cluster, instead of $KUBECONFIG, ~/.kube/config or the account of the pod"},
	[OPTION_CONTEXT] = {FILLS(context), .name = "context", .type = OPT_TEXT, .arg = "NAME",
		.help = "context of the kubeconfig, instead of the current one"},
	[OPTION_NAMESPACE] = {FILLS(namespaces), .excludes = OPTION_ALL_NAMESPACES, .name = "namespace", .letter = 'n', .type = OPT_LIST,
		.arg = "NS", .help = "only this namespace; repeatable, or several separated by commas"},
	[OPTION_ALL_NAMESPACES] = {FILLS(all_namespaces), .excludes = OPTION_NAMESPACE, .name = "all-namespaces", .letter = 'A',
		.type = OPT_FLAG, .help = "all namespaces: undoes a -n of the environment or the configuration file"},
	[OPTION_REPO] = {FILLS(repo), .name = "repo", .type = OPT_TEXT, .arg = "DIR", .def = "./rhaii-backup",
		.help = "git repository that keeps the snapshots"},
	[OPTION_CLUSTER] = {FILLS(cluster), .name = "cluster", .type = OPT_TEXT, .arg = "NAME",
		.help = "cluster whose snapshots are meant; needed for its first snapshot and where the repository keeps several"},
	[OPTION_ARCHIVE_DIR] = {FILLS(archive_dir), .name = "archive-dir", .type = OPT_TEXT, .arg = "DIR",
		.help = "also keep each snapshot as one compressed archive here"},
	[OPTION_POLICY] = {FILLS(policy), .name = "policy", .type = OPT_TEXT, .arg = "FILE", .def = "rhaii",
		.help = "what is captured and how: a file, or a built-in policy (rhaii, core)"},
	[OPTION_OTHER_POLICY] = {FILLS(other_policy), .name = "policy", .type = OPT_TEXT, .arg = "FILE", .reach = COMMAND_LINE_ONLY,
		.help = "policy to use instead of the one in the snapshot"},
	[OPTION_PAGE_SIZE] = {FILLS(page_size), .name = "page-size", .type = OPT_COUNT, .arg = "N", .def = "500",
		.help = "objects to ask the API server for at a time"},
	[OPTION_DRY_RUN] = {FILLS(dry_run), .name = "dry-run", .type = OPT_FLAG,
		.help = "read and compare, but write no commit and no archive"},
	[OPTION_YES] = {FILLS(yes), .name = "yes", .type = OPT_FLAG, .reach = COMMAND_LINE_ONLY, .help = "restore without asking"},
	[OPTION_IN_PLACE] = {FILLS(in_place), .name = "in-place", .type = OPT_FLAG, .reach = COMMAND_LINE_ONLY,
		.help = "the target may be the cluster that the snapshot was taken of"},
	[OPTION_ACCEPT_EDITS] = {FILLS(accept_edits), .name = "accept-edits", .type = OPT_FLAG, .reach = COMMAND_LINE_ONLY,
		.help = "accept a snapshot that was changed by hand; the changed files are named"},
	[OPTION_WAIT] = {FILLS(wait_ms), .name = "wait", .type = OPT_DURATION, .arg = "DURATION", .def = "30m",
		.help = "how long to wait for the services to become ready; 0 stops after the apply"},
	[OPTION_RTO] = {FILLS(rto_ms), .name = "rto", .type = OPT_DURATION, .arg = "DURATION", .def = "30m",
		.help = "recovery time objective that the measured times are held against"},
	[OPTION_EXIT_CODE] = {FILLS(exit_code), .name = "exit-code", .type = OPT_FLAG,
		.help = "exit with 1 when something differs, 0 when nothing does, 2 or more on failure"},
	[OPTION_OUTPUT] = {FILLS(output), .name = "output", .letter = 'o', .type = OPT_CHOICE, .choices = output_words, .def = "table",
		.everywhere = true, .help = "form of the result on standard output"},
	[OPTION_COLOR] = {FILLS(color), .name = "color", .type = OPT_CHOICE, .choices = color_words, .def = "auto", .everywhere = true,
		.help = "color status words; auto: on a terminal, unless NO_COLOR is set"},
	[OPTION_LOG_FORMAT] = {FILLS(log_format), .name = "log-format", .type = OPT_CHOICE, .choices = log_words, .def = "text",
		.everywhere = true, .help = "form of messages on standard error"},
	[OPTION_QUIET] = {FILLS(quiet), .excludes = OPTION_VERBOSE, .name = "quiet", .letter = 'q', .type = OPT_FLAG, .everywhere = true,
		.help = "only errors on standard error"},
	[OPTION_VERBOSE] = {FILLS(verbose), .excludes = OPTION_QUIET, .name = "verbose", .letter = 'v', .type = OPT_FLAG,
		.everywhere = true, .help = "also say what is done along the way"},
	[OPTION_HELP] = {FILLS(help), .name = "help", .letter = 'h', .type = OPT_FLAG, .reach = COMMAND_LINE_ONLY, .everywhere = true,
		.help = "say how the command is used"},
	[OPTION_VERSION] = {FILLS(version), .name = "version", .type = OPT_FLAG, .reach = COMMAND_LINE_ONLY, .everywhere = true,
		.help = "print the version"},
};
