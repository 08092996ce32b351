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
#include "kube/client.h"
#include "kube/discovery.h"
#include "kube/kubeconfig.h"
#include "kube/object_api.h"
#include "object/schema.h"
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
#define REVIEW_RIGHTS "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
#define REVIEW_SELF "/apis/authentication.k8s.io/v1/selfsubjectreviews"
#define DEFINITIONS_GROUP "apiextensions.k8s.io"
#define DEFINITIONS "customresourcedefinitions"

struct doctor {
	struct context *ctx;
	json_t *findings;
	struct discovery *discovery;
	size_t served, not_served;
	bool rights_told; /* that reviews of rights do not work is said once */
};

/* Words of the findings. Only the last one makes the exit code 1. */
static const char pass[] = "pass", untested[] = "not tested", warning[] = "warning", bad[] = "failed";

/* A message that was cut in the middle of a letter is no text for JSON. */
static json_t *message_json(const char *text)
{
	size_t len = strlen(text);

	while (len > 0 && !text_is_utf8(text, len))
		len--;
	return json_stringn(text, len);
}

/* hint may be NULL. */
static void finding(struct doctor *d, const char *check, const char *result, const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
static void finding(struct doctor *d, const char *check, const char *result, const char *hint, const char *fmt, ...)
{
	char text[sizeof(((struct error *)NULL)->text)];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (result == bad)
		outcome_add(&d->ctx->outcome, ERR_FAILED);
	json_array_append_new(d->findings,
		json_pack("{s:s, s:s, s:o, s:s?}", "check", check, "result", result, "message", message_json(text), "hint", hint));
}

static void finding_error(struct doctor *d, const char *check, const char *result, const char *hint, const struct error *err)
{
	finding(d, check, result, *err->hint ? err->hint : hint, "%s", err->text);
}

static void tell(struct doctor *d, const char *key, json_t *value)
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
		finding_error(d, "kubeconfig", bad, "see whether `kubectl config view --minify` reads it", &err);
		return -1;
	}
	config = ctx->config;
	tell(d, "source", json_string(config->source));
	tell(d, "kubeconfig", text_or_null(config->file));
	tell(d, "context", text_or_null(config->context));
	tell(d, "server", json_string(config->server));
	finding(d, "kubeconfig", pass, NULL, "%s", config->source);
	if (config->insecure)
		finding(d, "tls", warning, "remove insecure-skip-tls-verify, and set certificate-authority to the authority of the cluster",
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
	tell(d, "serverVersion", text_or_null(version));
	if (rc == 0) {
		finding(d, "server", pass, NULL, "%s, version %s", kube_server(d->ctx->client), version ? version : "unknown");
		return 0;
	}
	(void)error_wrap(&err, "server '%s'", kube_server(d->ctx->client));
	finding_error(d, "server", bad, "see whether it answers `kubectl version` with the same kubeconfig and context", &err);
	/* Whoever may not read the version may read other things; whether the server knows us at all is asked next. */
	return err.code == ERR_FORBIDDEN || err.code == ERR_UNAUTHORIZED ? 0 : -1;
}

static void identity_known(struct doctor *d, const json_t *info)
{
	const char *name = json_text_at(info, "username", NULL);

	tell(d, "identity", json_deep_copy(info));
	if (!name)
		finding(d, "identity", untested, NULL, "unknown: the server does not say");
	else if (strcmp(name, "system:anonymous") == 0)
		finding(d, "identity", bad, "give the user of the context a token, a client certificate or an exec plugin",
			"the server takes us for nobody ('%s')", name);
	else
		finding(d, "identity", pass, NULL, "%s", name);
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
	tell(d, "identity", json_null());
	if (strstr(err.text, "Unauthorized")) {
		finding(d, "identity", bad,
			"renew the token or certificate of the user, and see whether `kubectl auth whoami` works with the same context",
			"the server does not accept the credentials of %s: %s", kube_source(d->ctx->client), err.text);
		return -1;
	}
	finding(d, "identity", untested, NULL, "unknown: %s", err.code == ERR_NOT_FOUND ? "servers before 1.28 do not say" : err.text);
	return 0;
}

static void check_cluster_id(struct doctor *d)
{
	struct error err = ERROR_INIT;
	auto_free char *id = NULL;

	if (kube_cluster_id(d->ctx->client, &id, &err) == 0)
		finding(d, "cluster id", pass, NULL, "%s (uid of the namespace kube-system)", id);
	else
		finding_error(d, "cluster id", bad, "allow the verb get on the namespace kube-system", &err);
	tell(d, "clusterId", text_or_null(id));
}

/* ---- kinds ---- */

/* Whether we may do this to the resource, in the namespace ("": all) and to the object of the name ("": all): 1, 0, or -1 when the server does not say. */
static int may(struct doctor *d, const char *verb, const char *group, const char *resource, const char *namespace_, const char *name)
{
	auto_json json_t *body = json_pack("{s:s, s:s, s:{s:{s:s, s:s, s:s, s:s, s:s}}}", "apiVersion", "authorization.k8s.io/v1", "kind",
		"SelfSubjectAccessReview", "spec", "resourceAttributes", "group", group, "resource", resource, "verb", verb, "namespace",
		namespace_, "name", name);
	struct kube_request request = {
		.method = "POST", .path = REVIEW_RIGHTS, .body = body, .changes_nothing = true, .deadline_ms = REVIEW_MS};
	auto_json json_t *doc = NULL;
	struct error err = ERROR_INIT;

	if (d->rights_told)
		return -1;
	if (kube_call(d->ctx->client, &request, &doc, &err) == 0)
		return json_is_true(json_at(doc, "status", "allowed", NULL));
	d->rights_told = true;
	finding_error(d, "rights", untested, "see what `kubectl auth can-i --list` says", &err);
	return -1;
}

/* As may, for the lists of a snapshot: in each namespace of -n. Those where it is refused are appended to refused. */
static int may_list(struct doctor *d, const struct kube_resource *resource, struct strlist *refused)
{
	const struct strlist *spaces = &d->ctx->settings.namespaces;

	if (!resource->namespaced || spaces->count == 0)
		return may(d, "list", resource->group, resource->resource, "", "");
	for (size_t i = 0; i < spaces->count; i++) {
		int allowed = may(d, "list", resource->group, resource->resource, spaces->items[i], "");

		if (allowed < 0)
			return -1;
		if (!allowed)
			strlist_add(refused, spaces->items[i]);
	}
	return refused->count == 0;
}

static void judge_not_served(struct doctor *d, const struct policy_kind *kind, const char *name)
{
	if (discovery_incomplete(d->discovery, kind->group))
		finding(d, "kinds", bad, "see which APIService is not available: `kubectl get apiservices`",
			"%s: the server cannot say whether it serves it", name);
	else if (kind->required)
		finding(d, "kinds", bad, "install the operator or the definitions that bring it, or use another --policy",
			"%s: the policy requires it, and the cluster does not serve it", name);
	else
		d->not_served++;
}

/* Of a row that the cluster serves: whether its objects may be listed, as JSON. */
static json_t *check_served(struct doctor *d, const struct policy_kind *kind, const struct kube_resource *found, const char *name)
{
	auto_strlist struct strlist refused = STRLIST_INIT;
	int allowed = may_list(d, found, &refused);
	bool carry = kind->on_error == ON_ERROR_CARRY;
	const char *then = carry ? "; a snapshot keeps its last state, if there is one, and marks it stale" : "";

	d->served++;
	for (size_t i = 0; i < refused.count; i++)
		finding(d, "rights", carry ? warning : bad,
			"grant the verb list on it there: `rhaii-dr rbac --for snapshot -n NAMESPACE` prints what is needed",
			"%s: may not be listed in namespace '%s'%s", name, refused.items[i], then);
	if (allowed == 0 && refused.count == 0)
		finding(d, "rights", carry ? warning : bad,
			"grant the verb list on it in the whole cluster: `rhaii-dr rbac --for snapshot` prints what is needed",
			"%s: may not be listed%s", name, then);
	return allowed < 0 ? json_null() : json_boolean(allowed);
}

static json_t *check_kind(struct doctor *d, const struct policy_kind *kind)
{
	const struct kube_resource *found = discovery_find(d->discovery, kind->group, kind->resource, NULL);
	auto_free char *name = xasprintf("%s%s%s", kind->resource, *kind->group ? "." : "", kind->group);
	json_t *allowed = json_null();

	if (found)
		allowed = check_served(d, kind, found, name);
	else
		judge_not_served(d, kind, name);
	return json_pack("{s:s, s:s, s:s, s:b, s:b, s:o}", "group", kind->group, "resource", kind->resource, "kind", kind->kind, "required",
		kind->required, "served", found != NULL, "mayList", allowed);
}

static void check_definition(struct doctor *d, const struct policy_kind *kind)
{
	auto_free char *name = xasprintf("%s.%s", kind->resource, kind->group);

	if (policy_group_may_be_custom(kind->group) && discovery_find(d->discovery, kind->group, kind->resource, NULL) &&
		may(d, "get", DEFINITIONS_GROUP, DEFINITIONS, "", name) == 0)
		finding(d, "rights", warning,
			"grant the verb list on " DEFINITIONS "." DEFINITIONS_GROUP
			": `rhaii-dr rbac --for snapshot` prints what is needed",
			"%s: its definition may not be read; it is read at its preferred version instead of the stored one", name);
}

/* Which kind must be written once more before a version of it is dropped, and whether reading it hangs on a webhook until then. */
static void judge_stored_versions(struct doctor *d, const char *name, const json_t *definition)
{
	const char *strategy = json_text_at(definition, "spec", "conversion", "strategy", NULL);
	const char *storage = definition_storage_version(definition);
	bool webhook = strategy && strcmp(strategy, "Webhook") == 0;
	auto_json json_t *older = definition_older_versions(definition);
	auto_strbuf struct strbuf versions = STRBUF_INIT, hint = STRBUF_INIT;
	json_t *version;
	size_t i;

	json_array_foreach (older, i, version)
		strbuf_addf(&versions, "%s%s", i > 0 ? ", " : "", json_string_value(version));
	if (json_array_size(older) == 0)
		return;
	strbuf_addf(&hint,
		"before that version is dropped, write each object again (`kubectl get %s -A -o json | kubectl replace -f -`), then take "
		"it out "
		"of status.storedVersions of the definition",
		name);
	finding(d, "stored versions", warning, hint.buf, "%s: objects may still be stored at %s beside %s; %s", name, versions.buf,
		storage ? storage : "none",
		webhook ? "while the conversion webhook does not answer they cannot be read" : "nothing converts them (conversion: None)");
}

static void check_stored_versions(struct doctor *d, const struct policy_kind *kind)
{
	const struct kube_resource *definitions = discovery_find(d->discovery, DEFINITIONS_GROUP, DEFINITIONS, NULL);
	auto_free char *name = xasprintf("%s.%s", kind->resource, kind->group);
	auto_json json_t *definition = NULL;
	struct error ignored = ERROR_INIT; /* what may not be read is told with the rights */

	if (definitions && policy_group_may_be_custom(kind->group) && discovery_find(d->discovery, kind->group, kind->resource, NULL) &&
		kube_get(d->ctx->client, definitions, NULL, name, &definition, &ignored) == 0)
		judge_stored_versions(d, name, definition);
}

/* A snapshot lists the definitions; where it may not, it reads those of its kinds by their names. */
static void check_definitions(struct doctor *d)
{
	const struct policy *policy = d->ctx->policy;

	if (may(d, "list", DEFINITIONS_GROUP, DEFINITIONS, "", "") != 0)
		return;
	for (size_t i = 0; i < policy->kind_count; i++)
		check_definition(d, &policy->kinds[i]);
}

/* ---- what a snapshot notes besides ---- */

/* Of what a snapshot goes on without, and what it then cannot say. name "": all objects of the resource. */
static void check_noted(struct doctor *d, const char *verb, const char *group, const char *resource, const char *namespace_,
	const char *name, const char *without)
{
	const struct strlist *spaces = &d->ctx->settings.namespaces;
	auto_strbuf struct strbuf hint = STRBUF_INIT;

	if (may(d, verb, group, resource, namespace_, name) != 0)
		return;
	strbuf_addf(&hint, "grant it: `rhaii-dr rbac --for snapshot");
	if (d->ctx->settings.policy)
		strbuf_addf(&hint, " --policy %s", d->ctx->settings.policy);
	for (size_t i = 0; i < spaces->count; i++)
		strbuf_addf(&hint, " -n %s", spaces->items[i]);
	strbuf_adds(&hint, " | kubectl apply -f -`");
	finding(d, "rights", warning, hint.buf, "no right to %s %s%s%s%s%s%s%s%s: %s", verb, resource, *group ? "." : "", group,
		*name ? " '" : "", *namespace_ ? namespace_ : "", *namespace_ ? "/" : "", name, *name ? "'" : "", without);
}

static void check_controllers(struct doctor *d)
{
	const struct policy *policy = d->ctx->policy;

	for (size_t i = 0; i < policy->controller_count; i++) {
		const struct policy_controller *row = &policy->controllers[i];

		for (size_t n = 0; n < row->names.count; n++)
			check_noted(
				d, "list", row->group, row->resource, "", row->names.items[n], "the image of the controller is not noted");
	}
}

static void check_webhooks(struct doctor *d)
{
	const struct policy *policy = d->ctx->policy;

	for (size_t i = 0; i < policy->webhook_count; i++)
		check_noted(d, "list", policy->webhooks[i].group, policy->webhooks[i].resource, "", "",
			"the webhooks that are asked about captured kinds are not noted");
}

/* Those that the last snapshot needs; there may be none yet. */
static void check_secrets(struct doctor *d)
{
	auto_strlist struct strlist names = STRLIST_INIT;
	struct error ignored = ERROR_INIT;
	struct snapshot *snapshot = NULL;

	if (!d->ctx->policy->check_secrets || snapshot_open(&snapshot, &d->ctx->source, context_arg(d->ctx, 0), &ignored) < 0)
		return;
	snapshot_secrets(snapshot, &names);
	for (size_t i = 0; i < names.count; i++) {
		size_t len = strcspn(names.items[i], "/");
		auto_free char *namespace_ = xstrndup(names.items[i], len);

		check_noted(
			d, "get", "", "secrets", namespace_, names.items[i] + len + 1, "whether it and its keys are there is not known");
	}
	snapshot_free(snapshot);
}

static void check_kinds(struct doctor *d)
{
	const struct policy *policy = d->ctx->policy;
	struct error err = ERROR_INIT;
	json_t *kinds = json_array();

	tell(d, "kinds", kinds);
	if (discovery_load(&d->discovery, d->ctx->client, &err) < 0) {
		finding_error(d, "kinds", bad, "allow the path /api and /apis: the ClusterRole system:discovery does", &err);
		return;
	}
	for (size_t i = 0; i < policy->kind_count; i++)
		json_array_append_new(kinds, check_kind(d, &policy->kinds[i]));
	check_definitions(d);
	for (size_t i = 0; i < policy->kind_count; i++)
		check_stored_versions(d, &policy->kinds[i]);
	check_controllers(d);
	check_webhooks(d);
	check_secrets(d);
	finding(d, "kinds", pass, NULL, "%zu of the policy's %zu kinds are served, %zu optional ones are not", d->served,
		policy->kind_count, d->not_served);
}

static void check_policy(struct doctor *d)
{
	struct error err = ERROR_INIT;

	if (policy_load(&d->ctx->policy, d->ctx->settings.policy, &err) < 0) {
		finding_error(d, "policy", bad, "name a file or a built-in policy (rhaii, core) with --policy", &err);
		return;
	}
	tell(d, "policy", json_string(d->ctx->policy->name));
	finding(d, "policy", pass, NULL, "%s, %zu kinds", d->ctx->policy->name, d->ctx->policy->kind_count);
}

static void check_cluster(struct doctor *d)
{
	if (check_kubeconfig(d) < 0 || check_server(d) < 0 || check_identity(d) < 0)
		return;
	check_cluster_id(d);
	if (d->ctx->policy)
		check_kinds(d);
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
		finding(d, "repository", bad, "make it writable for the user that runs rhaii-dr, or run rhaii-dr as its owner",
			"'%s' cannot be written", repo);
	else if (file_exists(path) && file_lock_take(&lock, path, &err) < 0) {
		held = err.code == ERR_LOCKED;
		finding_error(d, "lock", held ? warning : bad,
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
		finding_error(d, "branch", warning, "the first snapshot of a cluster, with --cluster NAME, makes its branch", &err);
		return;
	}
	json_object_set_new(about, "cluster", json_string(ctx->cluster));
	if (git_resolve(ctx->store, ctx->cluster, NULL, head, &err) < 0 || git_read_commit(ctx->store, head, &commit, &err) < 0) {
		finding_error(d, "branch", bad, "see what `git fsck` says there", &err);
		return;
	}
	seen = git_captured_at(ctx->store, ctx->cluster);
	if (seen < commit.time)
		seen = commit.time;
	git_commit_release(&commit);
	json_object_set_new(about, "commit", json_string(head));
	json_object_set_new(about, "capturedAt", json_string(clock_format(seen, when)));
	finding(d, "branch", pass, NULL, "clusters/%s at %.12s, last captured at %s", ctx->cluster, head, when);
}

static void check_repository(struct doctor *d)
{
	struct context *ctx = d->ctx;
	struct error err = ERROR_INIT;
	json_t *about = json_pack("{s:s}", "path", ctx->settings.repo);
	int rc = git_store_open(&ctx->store, ctx->settings.repo, false, NULL, &err);

	tell(d, "repository", about);
	json_object_set_new(about, "exists", json_boolean(rc == 0));
	if (rc < 0 && err.code == ERR_NOT_FOUND) {
		finding(d, "repository", warning, "the first snapshot, with --cluster NAME, makes it; or name another with --repo",
			"there is no repository '%s' yet", ctx->settings.repo);
		return;
	}
	if (rc < 0) {
		finding_error(d, "repository", bad, "name a repository that rhaii-dr made with --repo", &err);
		return;
	}
	finding(d, "repository", pass, NULL, "%s", ctx->settings.repo);
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
			finding(d, check, bad, table_text(item, "mend"), "%s", table_text(item, "text"));
		else if (strcmp(result, "ok") == 0)
			finding(d, check, pass, NULL, "the target has what the snapshot needs");
		else
			finding(d, check, untested, NULL, "%s", table_text(item, "text"));
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
		finding_error(d, "restore", bad, "see what `rhaii-dr plan` says", &err);
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
	tell(&d, "findings", d.findings);
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
