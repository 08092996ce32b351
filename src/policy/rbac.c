/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/rbac.h"

#include <stdlib.h>
#include <string.h>

#include "policy/policy.h"
#include "util/mem.h"

#define RBAC_GROUP "rbac.authorization.k8s.io"

const char *const rbac_commands[] = {[RBAC_SNAPSHOT] = "snapshot", [RBAC_RESTORE] = "restore", [RBAC_VERIFY] = "verify", NULL};

enum verb { GET = 1 << 0, LIST = 1 << 1, WATCH = 1 << 2, CREATE = 1 << 3, UPDATE = 1 << 4, PATCH = 1 << 5 };
static const char *const verb_names[] = {"get", "list", "watch", "create", "update", "patch"};
#define VERB_COUNT (sizeof(verb_names) / sizeof(verb_names[0]))

/* What a row of rights is about. */
enum subject {
	EVERY_KIND,
	MERGED_KINDS, /* with mergeFields */
	READY_KINDS,  /* that a restore waits for */
	PRESET_KINDS, /* of which the installation has objects, in its own namespaces */
	OWN_PROBES,   /* what the policy's own probes look at */
	INVENTORY,
	CONTROLLERS, /* by name, over all namespaces: the API server takes a list by metadata.name for one of these names */
	WEBHOOKS,    /* configurations of webhooks */
	SPACES,      /* the namespaces, whatever the policy has */
	DEFINITIONS, /* where the policy has kinds that may be custom */
	TARGET,      /* what preflight looks at (target_reads) */
	IDENTITY,    /* the namespace whose uid is the identity of the cluster */
	LEASE,       /* that keeps a second restore out; in its own namespace */
};

/*
 * A restore lists each kind once over the whole cluster before it plans; it sends the dry run of an update to see whether a difference is only the
 * server's defaults; and it reads an object after a 409. Verifying and waiting list and watch per namespace.
 */
static const struct right {
	enum rbac_command command;
	enum subject subject;
	unsigned verbs;
	bool everywhere; /* also where namespaces are named */
} rights[] = {
	{RBAC_SNAPSHOT, IDENTITY, GET, true},
	{RBAC_SNAPSHOT, DEFINITIONS, LIST, true},
	{RBAC_SNAPSHOT, EVERY_KIND, LIST, false},
	{RBAC_SNAPSHOT, INVENTORY, LIST, false},
	{RBAC_SNAPSHOT, CONTROLLERS, LIST, true},
	{RBAC_SNAPSHOT, WEBHOOKS, LIST, true},
	{RBAC_RESTORE, IDENTITY, GET, true},
	{RBAC_RESTORE, SPACES, LIST, true},
	{RBAC_RESTORE, TARGET, 0, true},
	{RBAC_RESTORE, EVERY_KIND, LIST, true},
	{RBAC_RESTORE, EVERY_KIND, GET | CREATE | UPDATE, false},
	{RBAC_RESTORE, MERGED_KINDS, PATCH, false},
	{RBAC_RESTORE, READY_KINDS, WATCH, false},
	{RBAC_RESTORE, OWN_PROBES, LIST, true},
	{RBAC_RESTORE, INVENTORY, LIST | WATCH, false},
	{RBAC_RESTORE, LEASE, GET | UPDATE, true},
	{RBAC_VERIFY, IDENTITY, GET, true},
	{RBAC_VERIFY, EVERY_KIND, LIST, false},
	{RBAC_VERIFY, PRESET_KINDS, LIST, true},
	{RBAC_VERIFY, OWN_PROBES, LIST, true},
	{RBAC_VERIFY, INVENTORY, LIST, false},
	{RBAC_VERIFY, CONTROLLERS, LIST, true},
};

/*
 * What the checks of preflight read of a target. Each can be taken away: its check then says "not checked". Secrets are not among them: whoever wants their keys checked
 * grants that himself.
 */
static const struct {
	const char *group, *resource;
	unsigned verbs;
} target_reads[] = {
	{"", "configmaps", GET},
	{"", "limitranges", LIST},
	{"", "nodes", LIST},
	{"", "persistentvolumeclaims", GET},
	{"", "resourcequotas", LIST},
	{"", "serviceaccounts", GET},
	{"", "services", GET},
	{"admissionregistration.k8s.io", "mutatingwebhookconfigurations", LIST},
	{"admissionregistration.k8s.io", "validatingwebhookconfigurations", LIST},
	{"apiextensions.k8s.io", "customresourcedefinitions", GET},
	{"apps", "deployments", LIST},
	{"discovery.k8s.io", "endpointslices", LIST},
	{"gateway.networking.k8s.io", "gatewayclasses", GET},
	{"gateway.networking.k8s.io", "gateways", GET},
};

/* ---- which verbs on what ---- */

struct grant {
	const char *group, *resource; /* borrowed from the policy */
	unsigned verbs;
};

struct role {
	struct grant *grants;
	size_t count, cap;
	json_t *named; /* rules for single objects */
};

static void role_release(struct role *role)
{
	free(role->grants);
	json_decref(role->named);
}

static void role_grant(struct role *role, const char *group, const char *resource, unsigned verbs)
{
	for (size_t i = 0; i < role->count; i++) {
		struct grant *grant = &role->grants[i];

		if (strcmp(grant->group, group) == 0 && strcmp(grant->resource, resource) == 0) {
			grant->verbs |= verbs;
			return;
		}
	}
	role->grants = xgrow(role->grants, &role->cap, role->count + 1, sizeof(*role->grants));
	role->grants[role->count++] = (struct grant){.group = group, .resource = resource, .verbs = verbs};
}

static json_t *verbs_json(unsigned verbs)
{
	json_t *list = json_array();

	for (size_t i = 0; i < VERB_COUNT; i++)
		if (verbs & 1u << i)
			json_array_append_new(list, json_string(verb_names[i]));
	return list;
}

static json_t *rule_json(const char *group, unsigned verbs)
{
	return json_pack("{s:[s], s:[], s:o}", "apiGroups", group, "resources", "verbs", verbs_json(verbs));
}

/* For objects of these names alone. */
static void role_name(struct role *role, const char *group, const char *resource, const struct strlist *names, unsigned verbs)
{
	json_t *rule = rule_json(group, verbs), *list = json_array();

	json_array_append_new(json_object_get(rule, "resources"), json_string(resource));
	for (size_t i = 0; i < names->count; i++)
		json_array_append_new(list, json_string(names->items[i]));
	json_object_set_new(rule, "resourceNames", list);
	json_array_append_new(role->named, rule);
}

static bool may_need_definitions(const struct policy *policy)
{
	for (size_t i = 0; i < policy->kind_count; i++)
		if (policy_group_may_be_custom(policy->kinds[i].group))
			return true;
	return false;
}

static void name_identity(struct role *role, unsigned verbs)
{
	auto_strlist struct strlist names = STRLIST_INIT;

	strlist_add(&names, "kube-system");
	role_name(role, "", "namespaces", &names, verbs);
}

/* A name cannot be a condition of creating: that right is for all Leases of the namespace. */
static void name_lease(struct role *role, unsigned verbs)
{
	auto_strlist struct strlist names = STRLIST_INIT;

	strlist_add(&names, RBAC_LEASE_NAME);
	role_grant(role, "coordination.k8s.io", "leases", CREATE);
	role_name(role, "coordination.k8s.io", "leases", &names, verbs);
}

static bool may(const struct role *role, const char *group, const char *resource, unsigned verbs)
{
	for (size_t i = 0; i < role->count; i++)
		if (strcmp(role->grants[i].group, group) == 0 && strcmp(role->grants[i].resource, resource) == 0)
			return (role->grants[i].verbs & verbs) == verbs;
	return false;
}

static void name_controllers(struct role *role, const struct policy *policy, unsigned verbs)
{
	for (size_t i = 0; i < policy->controller_count; i++) {
		const struct policy_controller *row = &policy->controllers[i];

		if (!may(role, row->group, row->resource, verbs))
			role_name(role, row->group, row->resource, &row->names, verbs);
	}
}

/* What the rights of a command are told apart into. */
struct roles {
	struct role cluster;
	struct role spaces; /* what may be narrowed to the namespaces named */
	struct role lease;  /* of RBAC_LEASE_NAMESPACE */
	bool narrow;
};

static bool kind_is(const struct policy_kind *kind, enum subject subject)
{
	if (subject == MERGED_KINDS)
		return kind->merge_count > 0;
	if (subject == PRESET_KINDS)
		return kind->presets;
	if (subject == READY_KINDS)
		return kind->ready_conditions.count > 0 || kind->ready_parents;
	return subject == EVERY_KIND;
}

static void grant_kinds(struct roles *roles, struct role *role, const struct policy *policy, const struct right *right)
{
	for (size_t i = 0; i < policy->kind_count; i++) {
		const struct policy_kind *kind = &policy->kinds[i];

		if (kind_is(kind, right->subject))
			role_grant(kind->namespaced ? role : &roles->cluster, kind->group, kind->resource, right->verbs);
	}
}

static void grant_inventory(struct role *role, const struct policy *policy, unsigned verbs)
{
	for (size_t i = 0; i < policy->inventory_count; i++)
		role_grant(role, policy->inventory[i].group, policy->inventory[i].resource, verbs);
}

static void grant_probes(struct role *role, const struct policy *policy, unsigned verbs)
{
	for (size_t i = 0; i < policy->probe_count; i++)
		if (policy->probes[i].resource)
			role_grant(role, policy->probes[i].group, policy->probes[i].resource, verbs);
}

static void grant_webhooks(struct role *role, const struct policy *policy, unsigned verbs)
{
	for (size_t i = 0; i < policy->webhook_count; i++)
		role_grant(role, policy->webhooks[i].group, policy->webhooks[i].resource, verbs);
}

static void grant_target(struct role *role, const struct policy *policy)
{
	if (policy_find(policy, RBAC_GROUP, "rolebindings")) /* what they grant may stand in one of the target */
		role_grant(role, RBAC_GROUP, "clusterroles", GET);
	for (size_t i = 0; i < sizeof(target_reads) / sizeof(target_reads[0]); i++)
		role_grant(role, target_reads[i].group, target_reads[i].resource, target_reads[i].verbs);
}

static void grant_definitions(struct role *role, const struct policy *policy, unsigned verbs)
{
	if (may_need_definitions(policy))
		role_grant(role, "apiextensions.k8s.io", "customresourcedefinitions", verbs);
}

static void grant_right(struct roles *roles, const struct policy *policy, const struct right *right)
{
	struct role *cluster = &roles->cluster, *role = right->everywhere || !roles->narrow ? cluster : &roles->spaces;

	switch (right->subject) {
	case EVERY_KIND:
	case MERGED_KINDS:
	case READY_KINDS:
	case PRESET_KINDS:
		grant_kinds(roles, role, policy, right);
		return;
	case OWN_PROBES:
		grant_probes(role, policy, right->verbs);
		return;
	case INVENTORY:
		grant_inventory(role, policy, right->verbs);
		return;
	case CONTROLLERS:
		name_controllers(cluster, policy, right->verbs);
		return;
	case WEBHOOKS:
		grant_webhooks(cluster, policy, right->verbs);
		return;
	case SPACES:
		role_grant(cluster, "", "namespaces", right->verbs);
		return;
	case DEFINITIONS:
		grant_definitions(cluster, policy, right->verbs);
		return;
	case TARGET:
		grant_target(cluster, policy);
		return;
	case IDENTITY:
		name_identity(cluster, right->verbs);
		return;
	case LEASE:
		name_lease(&roles->lease, right->verbs);
		return;
	}
}

/* ---- manifests ---- */

static int grant_compare(const void *a, const void *b)
{
	const struct grant *x = a, *y = b;
	int order = strcmp(x->group, y->group);

	if (order == 0 && x->verbs != y->verbs)
		order = x->verbs < y->verbs ? -1 : 1;
	return order ? order : strcmp(x->resource, y->resource);
}

/* One rule for the resources of a group that have the same verbs; then those for single objects. */
static json_t *role_rules(struct role *role)
{
	json_t *rules = json_array(), *rule = NULL;

	if (role->count)
		qsort(role->grants, role->count, sizeof(*role->grants), grant_compare);
	for (size_t i = 0; i < role->count; i++) {
		const struct grant *grant = &role->grants[i];

		if (i == 0 || strcmp(grant[-1].group, grant->group) != 0 || grant[-1].verbs != grant->verbs) {
			rule = rule_json(grant->group, grant->verbs);
			json_array_append_new(rules, rule);
		}
		json_array_append_new(json_object_get(rule, "resources"), json_string(grant->resource));
	}
	json_array_extend(rules, role->named);
	return rules;
}

static json_t *metadata_json(const char *name, const char *namespace_)
{
	json_t *metadata = json_pack("{s:s, s:{s:s}}", "name", name, "labels", "app.kubernetes.io/name", "rhaii-dr");

	if (namespace_)
		json_object_set_new(metadata, "namespace", json_string(namespace_));
	return metadata;
}

/* The role and its binding; in a namespace, or (NULL) of the cluster. what: the end of their name. */
static void add_manifests(json_t *items, struct role *role, const char *namespace_, const char *what, const struct rbac_options *options)
{
	auto_free char *name = xasprintf("rhaii-dr-%s%s", rbac_commands[options->command], what);
	const char *kind = namespace_ ? "Role" : "ClusterRole";

	if (role->count == 0 && json_array_size(role->named) == 0)
		return;
	json_array_append_new(items,
		json_pack("{s:s, s:s, s:o, s:o}", "apiVersion", RBAC_GROUP "/v1", "kind", kind, "metadata", metadata_json(name, namespace_),
			"rules", role_rules(role)));
	json_array_append_new(items,
		json_pack("{s:s, s:s, s:o, s:{s:s, s:s, s:s}, s:[{s:s, s:s, s:s}]}", "apiVersion", RBAC_GROUP "/v1", "kind",
			namespace_ ? "RoleBinding" : "ClusterRoleBinding", "metadata", metadata_json(name, namespace_), "roleRef",
			"apiGroup", RBAC_GROUP, "kind", kind, "name", name, "subjects", "kind", "ServiceAccount", "namespace",
			options->account_namespace, "name", options->account_name));
}

static void roles_release(struct roles *roles)
{
	role_release(&roles->cluster);
	role_release(&roles->spaces);
	role_release(&roles->lease);
}

/* A Role in each namespace with just the names that are looked for there; the list is sorted, so they are side by side. */
static void add_secrets(json_t *items, const struct rbac_options *options)
{
	const struct strlist *secrets = options->secrets;

	for (size_t i = 0, end; secrets && i < secrets->count; i = end) {
		size_t len = strcspn(secrets->items[i], "/") + 1;
		auto_free char *namespace_ = xstrndup(secrets->items[i], len - 1);
		auto_strlist struct strlist names = STRLIST_INIT;
		__attribute__((cleanup(role_release))) struct role role = {.named = json_array()};

		for (end = i; end < secrets->count && strncmp(secrets->items[i], secrets->items[end], len) == 0; end++)
			strlist_add(&names, secrets->items[end] + len);
		role_name(&role, "", "secrets", &names, GET);
		add_manifests(items, &role, namespace_, "-secrets", options);
	}
}

json_t *rbac_manifests(const struct policy *policy, const struct rbac_options *options)
{
	__attribute__((cleanup(roles_release))) struct roles roles = {.cluster = {.named = json_array()},
		.spaces = {.named = json_array()},
		.lease = {.named = json_array()},
		.narrow = options->namespaces && options->namespaces->count > 0};
	auto_strlist struct strlist names = STRLIST_INIT;
	json_t *items = json_array();

	for (size_t i = 0; i < sizeof(rights) / sizeof(rights[0]); i++)
		if (rights[i].command == options->command)
			grant_right(&roles, policy, &rights[i]);
	add_manifests(items, &roles.cluster, NULL, "", options);
	for (size_t i = 0; roles.narrow && i < options->namespaces->count; i++)
		strlist_add(&names, options->namespaces->items[i]);
	strlist_sort_unique(&names);
	for (size_t i = 0; i < names.count; i++)
		add_manifests(items, &roles.spaces, names.items[i], "", options);
	add_manifests(items, &roles.lease, RBAC_LEASE_NAMESPACE, "-lease", options);
	add_secrets(items, options);
	return json_pack("{s:s, s:s, s:o}", "apiVersion", "v1", "kind", "List", "items", items);
}

bool rbac_creates_roles(const struct policy *policy)
{
	return policy_find(policy, RBAC_GROUP, "roles") || policy_find(policy, RBAC_GROUP, "rolebindings");
}
