/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rbac - the rights that a command needs for a policy, as manifests: no verb more.
 *
 * Kinds come from the rows of the policy, verbs from one table (rights in rbac.c). Discovery and the version of the server are not in it: every
 * authenticated user may read them. Where namespaces are named, the rights in them are Roles there, and a ClusterRole keeps what is of the whole
 * cluster: its namespaces, its definitions, its identity.
 *
 * `escalate` and `bind` are never given: whoever creates a Role or a RoleBinding must hold the rights in it (rbac_creates_roles).
 */
#ifndef RHAII_POLICY_RBAC_H
#define RHAII_POLICY_RBAC_H

#include <jansson.h>
#include <stdbool.h>

struct policy;
struct strlist;

/* The Lease by which a restore keeps a second one out. */
#define RBAC_LEASE_NAMESPACE "default"
#define RBAC_LEASE_NAME "rhaii-dr-restore"

enum rbac_command { RBAC_SNAPSHOT, RBAC_RESTORE, RBAC_VERIFY };
/* Their names, NULL-terminated. */
extern const char *const rbac_commands[];

struct rbac_options {
	enum rbac_command command;
	const struct strlist *namespaces; /* NULL or empty: all of them */
	const struct strlist *secrets;    /* "namespace/name" of Secrets that a snapshot looks for; NULL: none */
	const char *account_namespace, *account_name;
};

/* A v1 List of ClusterRole, ClusterRoleBinding, Roles and RoleBindings. The caller's. */
json_t *rbac_manifests(const struct policy *policy, const struct rbac_options *options);
/* Whether a restore by this policy creates Roles or RoleBindings. */
bool rbac_creates_roles(const struct policy *policy);

#endif
