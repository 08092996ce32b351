/* SPDX-License-Identifier: Apache-2.0 */
/* What the cluster has of the policy's kinds, and which rights a snapshot of them has. */
#include <string.h>

#include "command.h"
#include "doctor.h"
#include "kube/client.h"
#include "kube/discovery.h"
#include "kube/object_api.h"
#include "object/schema.h"
#include "policy/policy.h"
#include "store/snapshot.h"
#include "util/error.h"
#include "util/json.h"
#include "util/strbuf.h"

#define REVIEW_MS 10000
#define REVIEW_RIGHTS "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
#define DEFINITIONS_GROUP "apiextensions.k8s.io"
#define DEFINITIONS "customresourcedefinitions"

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
	doctor_finding_error(d, "rights", doctor_untested, "see what `kubectl auth can-i --list` says", &err);
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
		doctor_finding(d, "kinds", doctor_bad, "see which APIService is not available: `kubectl get apiservices`",
			"%s: the server cannot say whether it serves it", name);
	else if (kind->required)
		doctor_finding(d, "kinds", doctor_bad, "install the operator or the definitions that bring it, or use another --policy",
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
		doctor_finding(d, "rights", carry ? doctor_warning : doctor_bad,
			"grant the verb list on it there: `rhaii-dr rbac --for snapshot -n NAMESPACE` prints what is needed",
			"%s: may not be listed in namespace '%s'%s", name, refused.items[i], then);
	if (allowed == 0 && refused.count == 0)
		doctor_finding(d, "rights", carry ? doctor_warning : doctor_bad,
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
		doctor_finding(d, "rights", doctor_warning,
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
	doctor_finding(d, "stored versions", doctor_warning, hint.buf, "%s: objects may still be stored at %s beside %s; %s", name,
		versions.buf, storage ? storage : "none",
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
	doctor_finding(d, "rights", doctor_warning, hint.buf, "no right to %s %s%s%s%s%s%s%s%s: %s", verb, resource, *group ? "." : "",
		group, *name ? " '" : "", *namespace_ ? namespace_ : "", *namespace_ ? "/" : "", name, *name ? "'" : "", without);
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

void doctor_kinds(struct doctor *d)
{
	const struct policy *policy = d->ctx->policy;
	struct error err = ERROR_INIT;
	json_t *kinds = json_array();

	doctor_tell(d, "kinds", kinds);
	if (discovery_load(&d->discovery, d->ctx->client, &err) < 0) {
		doctor_finding_error(d, "kinds", doctor_bad, "allow the path /api and /apis: the ClusterRole system:discovery does", &err);
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
	doctor_finding(d, "kinds", doctor_pass, NULL, "%zu of the policy's %zu kinds are served, %zu optional ones are not", d->served,
		policy->kind_count, d->not_served);
}
