/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command - what there is to say about a command, and what it gets to work with.
 *
 * main finds the row in commands[] (commands.c), resolves the settings, opens what the row needs (context_open), and calls run. run leaves
 * the result in the context as JSON and prints nothing (but for help, whose result is a text). main prints that, through the row's print for people, then the error, once.
 */
#ifndef RHAII_CMD_COMMAND_H
#define RHAII_CMD_COMMAND_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "options.h"
#include "store/snapshot.h"
#include "util/outcome.h"
#include "verify/serving.h"

struct command;
struct error;
struct git_store;
struct kube_client;
struct kube_config;
struct object;
struct output;
struct policy;

/* What context_open opens before run. */
enum command_needs {
	NEEDS_NOTHING = 0,
	NEEDS_POLICY = 1 << 0, /* context.policy, from --policy */
	NEEDS_CLIENT = 1 << 1, /* context.client, a client of the cluster; nothing is sent yet */
	NEEDS_STORE = 1 << 2,  /* context.store and context.cluster: a repository with a branch that is there */
	NEEDS_WRITING =
		1 << 3, /* the same, locked, and made where they are not there yet; in a dry run neither, and nothing is written there */
};

struct context {
	struct settings settings;
	const struct command *command;
	const char *program; /* what people call us: "rhaii-dr" or "kubectl rhaii-dr" */
	struct kube_config *config;
	struct kube_client *client;
	struct git_store *store;
	char *scratch; /* directory of a repository that lives only for this run, NULL: none */
	char *cluster;
	struct policy *policy;
	struct snapshot_source source;   /* for snapshot_open */
	struct serving_settings serving; /* of a command that verifies */
	struct outcome outcome;
	json_t *result; /* NULL: none */
};
#define CONTEXT_INIT                                                                                                                       \
	{                                                                                                                                  \
		.settings = SETTINGS_INIT                                                                                                  \
	}

int context_open(struct context *ctx, struct error *err);
void context_release(struct context *ctx);
/* The word after the command at this place, NULL when it was not given. */
const char *context_arg(const struct context *ctx, size_t index);
/* Open context.client where the command did not need it from the start. */
int context_open_client(struct context *ctx, struct error *err);
/* The newest journal of the cluster that context.client leads to, of restores that did not come to their end if there is one. The caller frees. */
int context_find_journal(struct context *ctx, char **path, struct error *err);
/* context.policy from --policy, else the one that the snapshot was taken by. */
int context_snapshot_policy(struct context *ctx, const struct snapshot *snapshot, struct error *err);
/* Open a repository that lives only for this run (context.store, context.scratch), for a capture that is to leave nothing behind. */
int context_open_scratch(struct context *ctx, const char *cluster, struct error *err);
/* Whether the object is in a namespace that was asked for, or is that Namespace. */
bool context_wants(const struct context *ctx, const struct object *object);

struct command {
	const char *name;
	const char *summary; /* one line, in the list of commands */
	const char *args;    /* "SNAPSHOT", "[A] [B]"; NULL: none */
	size_t min_args, max_args;
	const char *about;             /* paragraphs for help COMMAND */
	const char *const *examples;   /* without the program's name, NULL-terminated */
	const enum option_id *options; /* besides those taken everywhere; NULL: none at all, and no configuration is read */
	unsigned needs;                /* enum command_needs */
	int (*run)(struct context *ctx, struct error *err);
	void (*print)(struct output *out, const json_t *result); /* for -o table */
};

/* Ended by a row without a name. */
extern const struct command commands[];
/* ERR_USAGE with the nearest name as hint. */
int command_find(const struct command **out, const char *name, struct error *err);

int command_snapshot(struct context *ctx, struct error *err);
void print_snapshot(struct output *out, const json_t *result);
int command_accept(struct context *ctx, struct error *err);
int command_plan(struct context *ctx, struct error *err);
void print_plan_result(struct output *out, const json_t *result);
int command_restore(struct context *ctx, struct error *err);
void print_restore(struct output *out, const json_t *result);
int command_clock(struct context *ctx, struct error *err);
void print_clock_result(struct output *out, const json_t *result);
int command_verify(struct context *ctx, struct error *err);
void print_verify(struct output *out, const json_t *result);
int command_list(struct context *ctx, struct error *err);
void print_list(struct output *out, const json_t *result);
int command_show(struct context *ctx, struct error *err);
void print_show(struct output *out, const json_t *result);
int command_diff(struct context *ctx, struct error *err);
void print_diff(struct output *out, const json_t *result);
int command_log(struct context *ctx, struct error *err);
void print_log(struct output *out, const json_t *result);
int command_drill(struct context *ctx, struct error *err);
void print_drills(struct output *out, const json_t *result);
int command_check(struct context *ctx, struct error *err);
void print_check(struct output *out, const json_t *result);
int command_status(struct context *ctx, struct error *err);
void print_status(struct output *out, const json_t *result);
int command_rbac(struct context *ctx, struct error *err);
void print_rbac(struct output *out, const json_t *result);
/* Append the Secrets that the snapshot needs and nothing in it makes, "namespace/name", sorted. */
void snapshot_secrets(const struct snapshot *snapshot, struct strlist *out);
int command_doctor(struct context *ctx, struct error *err);
void print_doctor(struct output *out, const json_t *result);
int command_report(struct context *ctx, struct error *err);
void print_report(struct output *out, const json_t *result);
int command_help(struct context *ctx, struct error *err);
/* What `help` (command NULL) and `COMMAND --help` say, on standard output. */
int help_show(const char *program, const struct command *command, struct error *err);
int command_version(struct context *ctx, struct error *err);
void print_version(struct output *out, const json_t *result);

#endif
