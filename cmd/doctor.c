/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks at the set-up as a snapshot would use it, and changes nothing: what is asked of the cluster are reads and reviews of our own rights.
 * A check that fails does not end the others, unless they could only fail for the same reason.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "doctor.h"
#include "kube/client.h"
#include "kube/discovery.h"
#include "kube/kubeconfig.h"
#include "kube/object_api.h"
#include "output.h"
#include "policy/policy.h"
#include "restore/restore.h"
#include "store/git.h"
#include "store/snapshot.h"
#include "tables.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/file.h"
#include "util/json.h"
#include "util/strbuf.h"
#include "util/text.h"

#define FIRST_CONTACT_MS 10000
#define REVIEW_MS 10000
#define REVIEW_SELF "/apis/authentication.k8s.io/v1/selfsubjectreviews"

const char doctor_pass[] = "pass", doctor_untested[] = "not tested", doctor_warning[] = "warning", doctor_bad[] = "failed";

/* A message that was cut in the middle of a letter is no text for JSON. */
static json_t *message_json(const char *text)
{
	size_t len = strlen(text);

	while (len > 0 && !text_is_utf8(text, len))
		len--;
	return json_stringn(text, len);
}

void doctor_finding(struct doctor *d, const char *check, const char *result, const char *hint, const char *fmt, ...)
{
	char text[sizeof(((struct error *)NULL)->text)];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (result == doctor_bad)
		outcome_add(&d->ctx->outcome, ERR_FAILED);
	json_array_append_new(d->findings,
		json_pack("{s:s, s:s, s:o, s:s?}", "check", check, "result", result, "message", message_json(text), "hint", hint));
}

void doctor_finding_error(struct doctor *d, const char *check, const char *result, const char *hint, const struct error *err)
{
	doctor_finding(d, check, result, *err->hint ? err->hint : hint, "%s", err->text);
}

void doctor_tell(struct doctor *d, const char *key, json_t *value)
{
	json_object_set_new(d->ctx->result, key, value);
}

/* ---- kubeconfig ---- */

static json_t *text_or_null(const char *text)
{
	return text ? json_string(text) : json_null();
}

static int check_kubeconfig(struct doctor *d)
{
	struct context *ctx = d->ctx;
	struct error err = ERROR_INIT;
	const struct kube_config *config;

	if (kube_config_load(&ctx->config, ctx->settings.kubeconfig, ctx->settings.context, &err) < 0 ||
		kube_client_new(&ctx->client, ctx->config, &err) < 0) {
		doctor_finding_error(d, "kubeconfig", doctor_bad, "see whether `kubectl config view --minify` reads it", &err);
		return -1;
	}
	config = ctx->config;
	doctor_tell(d, "source", json_string(config->source));
	doctor_tell(d, "kubeconfig", text_or_null(config->file));
	doctor_tell(d, "context", text_or_null(config->context));
	doctor_tell(d, "server", json_string(config->server));
	doctor_finding(d, "kubeconfig", doctor_pass, NULL, "%s", config->source);
	if (config->insecure)
		doctor_finding(d, "tls", doctor_warning,
			"remove insecure-skip-tls-verify, and set certificate-authority to the authority of the cluster",
			"the certificate of the server is not checked: whoever is on the way to it can read and change all");
	return 0;
}

/* ---- the server, and who we are there ---- */

static int check_server(struct doctor *d)
{
	struct kube_request request = {.method = "GET", .path = "/version", .deadline_ms = FIRST_CONTACT_MS};
	auto_json json_t *doc = NULL;
	struct error err = ERROR_INIT;
	const char *version;
	int rc = kube_call(d->ctx->client, &request, &doc, &err);

	version = json_text_at(doc, "gitVersion", NULL);
	doctor_tell(d, "serverVersion", text_or_null(version));
	if (rc == 0) {
		doctor_finding(
			d, "server", doctor_pass, NULL, "%s, version %s", kube_server(d->ctx->client), version ? version : "unknown");
		return 0;
	}
	(void)error_wrap(&err, "server '%s'", kube_server(d->ctx->client));
	doctor_finding_error(
		d, "server", doctor_bad, "see whether it answers `kubectl version` with the same kubeconfig and context", &err);
	/* Whoever may not read the version may read other things; whether the server knows us at all is asked next. */
	return err.code == ERR_FORBIDDEN || err.code == ERR_UNAUTHORIZED ? 0 : -1;
}

static void identity_known(struct doctor *d, const json_t *info)
{
	const char *name = json_text_at(info, "username", NULL);

	doctor_tell(d, "identity", json_deep_copy(info));
	if (!name)
		doctor_finding(d, "identity", doctor_untested, NULL, "unknown: the server does not say");
	else if (strcmp(name, "system:anonymous") == 0)
		doctor_finding(d, "identity", doctor_bad, "give the user of the context a token, a client certificate or an exec plugin",
			"the server takes us for nobody ('%s')", name);
	else
		doctor_finding(d, "identity", doctor_pass, NULL, "%s", name);
}

/* -1: the server does not accept us. */
static int check_identity(struct doctor *d)
{
	auto_json json_t *body = json_pack("{s:s, s:s}", "apiVersion", "authentication.k8s.io/v1", "kind", "SelfSubjectReview");
	struct kube_request request = {
		.method = "POST", .path = REVIEW_SELF, .body = body, .changes_nothing = true, .deadline_ms = REVIEW_MS};
	auto_json json_t *doc = NULL;
	struct error err = ERROR_INIT;

	if (kube_call(d->ctx->client, &request, &doc, &err) == 0) {
		identity_known(d, json_at(doc, "status", "userInfo", NULL));
		return 0;
	}
	doctor_tell(d, "identity", json_null());
	if (strstr(err.text, "Unauthorized")) {
		doctor_finding(d, "identity", doctor_bad,
			"renew the token or certificate of the user, and see whether `kubectl auth whoami` works with the same context",
			"the server does not accept the credentials of %s: %s", kube_source(d->ctx->client), err.text);
		return -1;
	}
	doctor_finding(d, "identity", doctor_untested, NULL, "unknown: %s",
		err.code == ERR_NOT_FOUND ? "servers before 1.28 do not say" : err.text);
	return 0;
}

static void check_cluster_id(struct doctor *d)
{
	struct error err = ERROR_INIT;
	auto_free char *id = NULL;

	if (kube_cluster_id(d->ctx->client, &id, &err) == 0)
		doctor_finding(d, "cluster id", doctor_pass, NULL, "%s (uid of the namespace kube-system)", id);
	else
		doctor_finding_error(d, "cluster id", doctor_bad, "allow the verb get on the namespace kube-system", &err);
	doctor_tell(d, "clusterId", text_or_null(id));
}

static void check_policy(struct doctor *d)
{
	struct error err = ERROR_INIT;

	if (policy_load(&d->ctx->policy, d->ctx->settings.policy, &err) < 0) {
		doctor_finding_error(d, "policy", doctor_bad, "name a file or a built-in policy (rhaii, core) with --policy", &err);
		return;
	}
	doctor_tell(d, "policy", json_string(d->ctx->policy->name));
	doctor_finding(d, "policy", doctor_pass, NULL, "%s, %zu kinds", d->ctx->policy->name, d->ctx->policy->kind_count);
}

static void check_cluster(struct doctor *d)
{
	if (check_kubeconfig(d) < 0 || check_server(d) < 0 || check_identity(d) < 0)
		return;
	check_cluster_id(d);
	if (d->ctx->policy)
		doctor_kinds(d);
}

/* ---- repository ---- */

/* The lock is a matter of microseconds, but it is only tried where it is there: doctor makes no file. */
static void check_lock(struct doctor *d, json_t *about)
{
	const char *repo = d->ctx->settings.repo;
	auto_free char *path = xasprintf("%s/rhaii-dr.lock", repo);
	struct file_lock *lock = NULL;
	struct error err = ERROR_INIT;
	bool held = false;

	if (access(repo, W_OK) < 0)
		doctor_finding(d, "repository", doctor_bad,
			"make it writable for the user that runs rhaii-dr, or run rhaii-dr as its owner", "'%s' cannot be written", repo);
	else if (file_exists(path) && file_lock_take(&lock, path, &err) < 0) {
		held = err.code == ERR_LOCKED;
		doctor_finding_error(d, "lock", held ? doctor_warning : doctor_bad,
			held ? "a snapshot is running: wait for its end, or look for the process with `fuser`" : NULL, &err);
	}
	if (lock)
		file_lock_free(lock);
	json_object_set_new(about, "locked", json_boolean(held));
}

static void check_branch(struct doctor *d, json_t *about)
{
	struct context *ctx = d->ctx;
	struct error err = ERROR_INIT;
	char head[GIT_ID_SIZE], when[CLOCK_TEXT_SIZE];
	struct git_commit commit = {0};
	time_t seen;

	if (git_store_cluster(ctx->store, ctx->settings.cluster, &ctx->cluster, &err) < 0) {
		doctor_finding_error(
			d, "branch", doctor_warning, "the first snapshot of a cluster, with --cluster NAME, makes its branch", &err);
		return;
	}
	json_object_set_new(about, "cluster", json_string(ctx->cluster));
	if (git_resolve(ctx->store, ctx->cluster, NULL, head, &err) < 0 || git_read_commit(ctx->store, head, &commit, &err) < 0) {
		doctor_finding_error(d, "branch", doctor_bad, "see what `git fsck` says there", &err);
		return;
	}
	seen = git_captured_at(ctx->store, ctx->cluster);
	if (seen < commit.time)
		seen = commit.time;
	git_commit_release(&commit);
	json_object_set_new(about, "commit", json_string(head));
	json_object_set_new(about, "capturedAt", json_string(clock_format(seen, when)));
	doctor_finding(d, "branch", doctor_pass, NULL, "clusters/%s at %.12s, last captured at %s", ctx->cluster, head, when);
}

static void check_repository(struct doctor *d)
{
	struct context *ctx = d->ctx;
	struct error err = ERROR_INIT;
	json_t *about = json_pack("{s:s}", "path", ctx->settings.repo);
	int rc = git_store_open(&ctx->store, ctx->settings.repo, false, NULL, &err);

	doctor_tell(d, "repository", about);
	json_object_set_new(about, "exists", json_boolean(rc == 0));
	if (rc < 0 && err.code == ERR_NOT_FOUND) {
		doctor_finding(d, "repository", doctor_warning,
			"the first snapshot, with --cluster NAME, makes it; or name another with --repo", "there is no repository '%s' yet",
			ctx->settings.repo);
		return;
	}
	if (rc < 0) {
		doctor_finding_error(d, "repository", doctor_bad, "name a repository that rhaii-dr made with --repo", &err);
		return;
	}
	doctor_finding(d, "repository", doctor_pass, NULL, "%s", ctx->settings.repo);
	check_lock(d, about);
	check_branch(d, about);
}

/* ---- a snapshot's target ---- */

/* What preflight found, in doctor's words. What only the converging would trip over is as wrong here. */
static void take_preflight(struct doctor *d, const json_t *preflight)
{
	const json_t *item;
	size_t i;

	json_array_foreach (preflight, i, item) {
		const char *result = table_text(item, "result"), *check = table_text(item, "check");

		if (strcmp(result, "failed") == 0)
			doctor_finding(d, check, doctor_bad, table_text(item, "mend"), "%s", table_text(item, "text"));
		else if (strcmp(result, "ok") == 0)
			doctor_finding(d, check, doctor_pass, NULL, "the target has what the snapshot needs");
		else
			doctor_finding(d, check, doctor_untested, NULL, "%s", table_text(item, "text"));
	}
}

static void check_target(struct doctor *d, const char *snapshot)
{
	const struct restore_settings settings = {
		.source = &d->ctx->source, .snapshot = snapshot, .client = d->ctx->client, .in_place = true, .wait_ms = 1};
	auto_json json_t *plan = NULL;
	struct error err = ERROR_INIT;
	struct restore *restore;

	if (!d->ctx->client) /* told already */
		return;
	if (restore_prepare(&restore, &settings, &err) < 0) {
		doctor_finding_error(d, "restore", doctor_bad, "see what `rhaii-dr plan` says", &err);
		return;
	}
	plan = restore_plan_json(restore);
	take_preflight(d, json_object_get(plan, "preflight"));
	restore_free(restore);
}

/* ---- both ---- */

int command_doctor(struct context *ctx, struct error *err)
{
	struct doctor d = {.ctx = ctx, .findings = json_array()};

	(void)err;
	ctx->result = json_object();
	check_policy(&d);
	check_cluster(&d);
	check_repository(&d);
	if (context_arg(ctx, 0))
		check_target(&d, context_arg(ctx, 0));
	doctor_tell(&d, "findings", d.findings);
	discovery_free(d.discovery);
	return 0;
}

static void print_field(struct output *out, const json_t *result, const char *label, const char *key)
{
	const char *text = json_text_at(result, key, NULL);

	output_field(out, label, "%s", text ? text : "unknown");
}

static void print_identity(struct output *out, const json_t *result)
{
	const char *name = json_text_at(result, "identity", "username", NULL);
	const json_t *groups = json_at(result, "identity", "groups", NULL), *group;
	auto_strbuf struct strbuf text = STRBUF_INIT;
	size_t i;

	json_array_foreach (groups, i, group)
		strbuf_addf(&text, "%s%s", i ? ", " : " of ", json_is_string(group) ? json_string_value(group) : "");
	output_field(out, "identity", "%s%s", name ? name : "unknown", text.len > 0 ? text.buf : "");
}

/* Each way on once, however many findings share it. */
static void print_hints(struct output *out, const json_t *findings)
{
	auto_strlist struct strlist told = STRLIST_INIT;
	const json_t *item;
	size_t i;

	json_array_foreach (findings, i, item) {
		const char *hint = json_text_at(item, "hint", NULL);

		if (!hint || strlist_contains(&told, hint))
			continue;
		if (told.count == 0)
			output_heading(out, "How to mend it:");
		strlist_add(&told, hint);
		output_line(out, "%s: %s", table_text(item, "check"), hint);
	}
}

void print_doctor(struct output *out, const json_t *result)
{
	static const struct column columns[] = {{"RESULT", "result", CELL_STATUS, 0}, {"CHECK", "check", CELL_TEXT, 0},
		{"FINDING", "message", CELL_TEXT, 0}, {NULL, NULL, CELL_TEXT, 0}};
	const json_t *findings = json_object_get(result, "findings");

	print_field(out, result, "credentials", "source");
	print_field(out, result, "server", "server");
	print_identity(out, result);
	print_field(out, result, "version", "serverVersion");
	print_field(out, result, "cluster id", "clusterId");
	print_field(out, result, "policy", "policy");
	output_heading(out, "Checks:");
	output_table(out, findings, columns);
	print_hints(out, findings);
}
