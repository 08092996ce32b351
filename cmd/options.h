/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options - the words and options of a command line, the environment and the configuration file, as one typed struct.
 *
 * A row of option_rows (option_rows.c) is all there is to say about an option: its flag, its environment variable and its key in the
 * configuration file (all made from its name), its default, its help, and the member of struct settings that it fills. Precedence: command line,
 * environment, configuration file, default.
 *
 * Call order: options_scan, which needs no command and finds its name; then, the command known, options_resolve; at the end
 * settings_release. Both go on after an error as far as they can, so that the error itself can be told in the format asked for.
 */
#ifndef RHAII_CMD_OPTIONS_H
#define RHAII_CMD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drill/report.h"
#include "policy/rbac.h"
#include "restore/mapping.h"
#include "restore/recovery.h"
#include "restore/select.h"
#include "util/mem.h"

struct error;
struct strbuf;

enum option_id {
	OPTION_NONE, /* also ends a list of ids */
	OPTION_CONFIG,
	OPTION_KUBECONFIG,
	OPTION_CONTEXT,
	OPTION_NAMESPACE,
	OPTION_ALL_NAMESPACES,
	OPTION_REPO,
	OPTION_CLUSTER,
	OPTION_ARCHIVE_DIR,
	OPTION_POLICY,
	OPTION_OTHER_POLICY,
	OPTION_PAGE_SIZE,
	OPTION_MAX_SHRINK,
	OPTION_DRY_RUN,
	OPTION_YES,
	OPTION_RESUME,
	OPTION_PLAN,
	OPTION_SERVER_DRY_RUN,
	OPTION_IN_PLACE,
	OPTION_ACCEPT_EDITS,
	OPTION_PARTIAL,
	OPTION_IGNORE,
	OPTION_OVERWRITE,
	OPTION_DROP_UNKNOWN_FIELDS,
	OPTION_ADOPT_ORPHANS,
	OPTION_ONLY,
	OPTION_ONLY_REFERENCES,
	OPTION_MAP_NAMESPACE,
	OPTION_MAP_GATEWAY,
	OPTION_MAP_CIDR,
	OPTION_MAP_HOST,
	OPTION_REQUIREMENTS_TEMPLATE,
	OPTION_WAIT,
	OPTION_RTO,
	OPTION_RPO,
	OPTION_SINCE,
	OPTION_PHASE,
	OPTION_WAITING,
	OPTION_REPORT_DIR,
	OPTION_PROBE_TIMEOUT,
	OPTION_PROBE_URL,
	OPTION_PROBE_CA_FILE,
	OPTION_PROBE_TOKEN_FILE,
	OPTION_ISOLATION_COMMAND,
	OPTION_EXIT_CODE,
	OPTION_LIVE,
	OPTION_ALL,
	OPTION_LOCAL,
	OPTION_SCENARIOS,
	OPTION_KEEP,
	OPTION_CLEANUP,
	OPTION_FAIL_IF_SLOWER,
	OPTION_WHY,
	OPTION_OFFSITE,
	OPTION_MAX_AGE,
	OPTION_MAX_PROOF_AGE,
	OPTION_OPENMETRICS,
	OPTION_FOR,
	OPTION_SERVICE_ACCOUNT,
	OPTION_FORMAT,
	OPTION_FILE,
	OPTION_OUTPUT,
	OPTION_COLOR,
	OPTION_LOG_FORMAT,
	OPTION_QUIET,
	OPTION_VERBOSE,
	OPTION_HELP,
	OPTION_VERSION,
	OPTION_COUNT,
};

/* How a value is written, and the member that holds it. */
enum option_type {
	OPT_FLAG,     /* bool: no value on the command line; true or false elsewhere */
	OPT_TEXT,     /* char *, NULL when not given */
	OPT_COUNT,    /* size_t, above 0 */
	OPT_DURATION, /* int64_t, milliseconds */
	OPT_CHOICE,   /* an enum: the index of the word in choices */
	OPT_LIST,     /* struct strlist: repeatable, or separated by commas */
	OPT_WHOLES,   /* struct strlist: repeatable, commas are part of a value */
};

/* Where a value may come from. The rest have all of them. */
enum option_reach {
	ANYWHERE,
	NOT_IN_FILE,
	COMMAND_LINE_ONLY, /* what consents to something, or asks for something once */
};

/* Where a value came from; a higher one wins. */
enum option_source { FROM_DEFAULT, FROM_FILE, FROM_ENVIRONMENT, FROM_COMMAND_LINE };

struct option {
	const char *name; /* "page-size": --page-size, RHAII_DR_PAGE_SIZE, key page-size */
	char letter;      /* 'n': -n; 0: none */
	enum option_type type;
	size_t offset; /* of the member of struct settings */
	enum option_reach reach;
	bool everywhere;            /* every command that is not bare takes it */
	enum option_id excludes;    /* the other of a pair that contradict each other */
	const char *arg;            /* "DIR"; flags have none */
	const char *const *choices; /* of OPT_CHOICE, NULL-terminated */
	const char *def;            /* NULL: none */
	const char *help;
};

extern const struct option option_rows[OPTION_COUNT]; /* by id; the row of OPTION_NONE is empty */

enum output_format { OUTPUT_TABLE, OUTPUT_JSON, OUTPUT_YAML };
enum color_when { COLOR_AUTO, COLOR_NEVER, COLOR_ALWAYS };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

struct option_given; /* a value on the command line */

struct settings {
	char *config;
	char *config_file; /* the one that was read; NULL: none */
	char *kubeconfig, *context;
	struct strlist namespaces;
	bool all_namespaces;
	char *repo, *cluster, *archive_dir;
	char *policy;       /* NULL: the default of the command */
	char *other_policy; /* instead of the snapshot's own; NULL: none */
	size_t page_size;
	size_t max_shrink; /* percent */
	bool dry_run;
	bool yes, resume, in_place, accept_edits, partial;
	bool overwrite, drop_unknown_fields, adopt_orphans;
	struct strlist ignore; /* checks of preflight */
	struct selection selection;
	struct mapping mapping;
	char *requirements_template;
	bool server_dry_run;
	char *plan; /* a file, "-": standard input; NULL: none */
	int64_t wait_ms, rto_ms;
	int64_t probe_timeout_ms;
	struct strlist probe_urls, isolation_command;
	char *probe_ca_file, *probe_token_file; /* NULL: none */
	int64_t rpo_ms;                         /* 0: not set */
	char *since;                            /* declared start of the disaster, as phases_since takes it; NULL: none */
	struct strlist phases;                  /* as phases_declare takes them */
	bool waiting;
	char *report_dir; /* NULL: beside the journal */
	struct recovery recovery;
	bool local, keep, cleanup;
	char *scenarios;              /* a file; NULL: none */
	char *fail_if_slower;         /* "20%"; NULL: not asked */
	struct strlist drill_targets; /* of the configuration: ids of clusters */
	bool exit_code, live, all;
	char *why;                            /* KIND or KIND/NAME; NULL: none */
	char *offsite;                        /* what is declared; NULL: nothing */
	int64_t max_age_ms, max_proof_age_ms; /* the latter 0: not asked */
	char *openmetrics;
	enum rbac_command rbac_for;
	char *service_account; /* NS/NAME; NULL: the default of the command */
	enum report_format format;
	char *file; /* NULL: standard output */
	enum output_format output;
	enum color_when color;
	enum log_format log_format;
	bool quiet, verbose;
	bool help, version;

	struct strlist args; /* the words that are no options; the first is the command */
	enum option_source from[OPTION_COUNT];

	struct option_given *given;
	size_t given_count, given_cap;
};
#define SETTINGS_INIT                                                                                                                      \
	{                                                                                                                                  \
		.args = STRLIST_INIT, .namespaces = STRLIST_INIT, .ignore = STRLIST_INIT                                                   \
	}

/* Split argv (without argv[0]) into words and options. ERR_USAGE for an unknown option or a missing value. */
int options_scan(struct settings *settings, int argc, const char *const *argv, struct error *err);

/*
 * Fill the typed members. allowed lists what the command takes besides the options that are taken everywhere, ended by OPTION_NONE; NULL: nothing but --help, and no configuration file is read.
 * command is its name, for messages. ERR_USAGE.
 */
int options_resolve(struct settings *settings, const char *command, const enum option_id *allowed, struct error *err);
void settings_release(struct settings *settings);

/* Whether it stands on the command line: known after options_scan. */
bool option_is_given(const struct settings *settings, enum option_id id);
/* Whether it may be given several times. */
bool option_is_list(enum option_id id);
bool option_is_taken(enum option_id id, const enum option_id *allowed);
/* Append "RHAII_DR_PAGE_SIZE". */
void option_variable(enum option_id id, struct strbuf *out);
/* Append "--output table|json|yaml", "--repo DIR" or "--yes". */
void option_flag_text(enum option_id id, struct strbuf *out);
/* Set one member from text. where is the place it stands at, for messages: "option '--wait'". ERR_USAGE. */
int option_set(
	struct settings *settings, enum option_id id, enum option_source source, const char *where, const char *text, struct error *err);

#endif
