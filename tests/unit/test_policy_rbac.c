/* SPDX-License-Identifier: Apache-2.0 */
/* The rights that a command gets for a policy: those it needs, and no other. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "policy/policy.h"
#include "policy/rbac.h"
#include "util/json.h"
#include "util/strbuf.h"

/* One kind of each sort: a custom one that can be Ready, a built-in one, one with mergeFields, one of the whole cluster; and one for the inventory. */
#define POLICY                                                                                                                             \
	"format: 1\nname: test\nwaves: [{name: only}]\n"                                                                                   \
	"inventory: [{of: deployments.apps}, {of: things.s.io}]\n"                                                                         \
	"kinds:\n"                                                                                                                         \
	"- {resource: things, group: s.io, kind: Thing, wave: only, ready: {conditions: [Ready]}}\n"                                       \
	"- {resource: configmaps, kind: ConfigMap, wave: only}\n"                                                                          \
	"- {resource: serviceaccounts, kind: ServiceAccount, wave: only, mergeFields: [secrets]}\n"                                        \
	"- {resource: namespaces, kind: Namespace, namespaced: false, wave: only}\n"

static struct policy *policy_of(const char *text)
{
	struct error err = ERROR_INIT;
	struct policy *policy = NULL;

	if (policy_read(&policy, text, strlen(text), &err) < 0)
		fail_msg("%s", err.text);
	return policy;
}

static json_t *manifests_of(const char *text, enum rbac_command command, const char *namespace_)
{
	auto_strlist struct strlist namespaces = STRLIST_INIT;
	const struct rbac_options options = {
		.command = command, .namespaces = &namespaces, .account_namespace = "ops", .account_name = "dr"};
	struct policy *policy = policy_of(text);
	json_t *list;

	if (namespace_)
		strlist_add(&namespaces, namespace_);
	list = rbac_manifests(policy, &options);
	policy_free(policy);
	return list;
}

static const json_t *item_of(const json_t *list, const char *kind)
{
	const json_t *item;
	size_t i;

	json_array_foreach (json_object_get(list, "items"), i, item)
		if (strcmp(json_text_at(item, "kind", NULL), kind) == 0)
			return item;
	return NULL;
}

/* "list configmaps" for every verb on every resource, "get namespaces/kube-system" for single objects; sorted, a line each. */
static char *rights_of(const json_t *role)
{
	struct strlist all = STRLIST_INIT;
	struct strbuf text = STRBUF_INIT;
	const json_t *rule, *verb, *resource, *name;
	size_t i, v, r, n;

	json_array_foreach (json_object_get(role, "rules"), i, rule) {
		json_array_foreach (json_object_get(rule, "verbs"), v, verb) {
			json_array_foreach (json_object_get(rule, "resources"), r, resource) {
				const json_t *names = json_object_get(rule, "resourceNames");
				auto_free char *right = xasprintf("%s %s", json_string_value(verb), json_string_value(resource));

				if (!names)
					strlist_add(&all, right);
				json_array_foreach (names, n, name) {
					auto_free char *named = xasprintf("%s/%s", right, json_string_value(name));

					strlist_add(&all, named);
				}
			}
		}
	}
	strlist_sort_unique(&all);
	for (size_t k = 0; k < all.count; k++)
		strbuf_addf(&text, "%s\n", all.items[k]);
	strlist_release(&all);
	return strbuf_detach(&text, NULL);
}

static void assert_rights(const json_t *list, const char *kind, const char *rights)
{
	auto_free char *found = rights_of(item_of(list, kind));

	assert_string_equal(found, rights);
}

static void test_a_snapshot_lists_and_gets_the_identity(void **state)
{
	auto_json json_t *list = manifests_of(POLICY, RBAC_SNAPSHOT, NULL);

	(void)state;
	assert_rights(list, "ClusterRole",
		"get namespaces/kube-system\nlist configmaps\nlist customresourcedefinitions\nlist deployments\nlist namespaces\n"
		"list serviceaccounts\nlist things\n");
	assert_int_equal(json_array_size(json_object_get(list, "items")), 2);
}

/* One Role a namespace, with get on these names, whether or not the rest is narrowed. */
static void test_secrets_are_given_by_name(void **state)
{
	auto_strlist struct strlist secrets = STRLIST_INIT;
	const struct rbac_options options = {
		.command = RBAC_SNAPSHOT, .secrets = &secrets, .account_namespace = "ops", .account_name = "dr"};
	struct policy *policy = policy_of(POLICY);
	auto_json json_t *list = NULL;

	(void)state;
	strlist_add(&secrets, "a/one");
	strlist_add(&secrets, "a/two");
	strlist_add(&secrets, "a-b/one");
	strlist_sort_unique(&secrets);
	list = rbac_manifests(policy, &options);
	policy_free(policy);
	assert_int_equal(json_array_size(json_object_get(list, "items")), 6);
	assert_rights(list, "Role", "get secrets/one\n");
	assert_string_equal(json_text_at(json_array_get(json_object_get(list, "items"), 2), "metadata", "namespace", NULL), "a-b");
	assert_string_equal(json_text_at(json_array_get(json_object_get(list, "items"), 4), "metadata", "namespace", NULL), "a");
	assert_int_equal(
		json_array_size(json_at(json_array_get(json_at(json_array_get(json_object_get(list, "items"), 4), "rules", NULL), 0),
			"resourceNames", NULL)),
		2);
}

#define INSTALLATION                                                                                                                       \
	POLICY "controllers: [{of: deployments.apps, names: [one, two]}]\n"                                                                \
	       "webhooks: [{of: hooks.a.io}]\n"

/* Whoever may list all of them needs no name. */
static void test_the_installation_is_listed_by_name_where_nothing_else_is(void **state)
{
	auto_json json_t *whole = manifests_of(INSTALLATION, RBAC_SNAPSHOT, NULL);
	auto_json json_t *narrow = manifests_of(INSTALLATION, RBAC_SNAPSHOT, "prod");
	auto_json json_t *restore = manifests_of(INSTALLATION, RBAC_RESTORE, NULL);

	(void)state;
	assert_rights(whole, "ClusterRole",
		"get namespaces/kube-system\nlist configmaps\nlist customresourcedefinitions\nlist deployments\nlist hooks\nlist "
		"namespaces\n"
		"list serviceaccounts\nlist things\n");
	assert_rights(narrow, "ClusterRole",
		"get namespaces/kube-system\nlist customresourcedefinitions\nlist deployments/one\nlist deployments/two\nlist hooks\n"
		"list namespaces\n");
	/* what preflight reads of any target, and nothing for the installation's rows */
	assert_rights(restore, "ClusterRole",
		"create configmaps\ncreate namespaces\ncreate serviceaccounts\ncreate things\n"
		"get configmaps\nget customresourcedefinitions\nget gatewayclasses\nget gateways\nget namespaces\n"
		"get namespaces/kube-system\nget persistentvolumeclaims\nget serviceaccounts\nget services\nget things\n"
		"list configmaps\nlist deployments\nlist endpointslices\nlist limitranges\nlist mutatingwebhookconfigurations\nlist "
		"namespaces\nlist nodes\n"
		"list resourcequotas\nlist serviceaccounts\nlist things\nlist validatingwebhookconfigurations\n"
		"patch serviceaccounts\nupdate configmaps\nupdate namespaces\nupdate serviceaccounts\nupdate things\n"
		"watch deployments\nwatch things\n");
}

static void test_a_verification_reads_no_definitions(void **state)
{
	auto_json json_t *list = manifests_of(POLICY, RBAC_VERIFY, NULL);

	(void)state;
	assert_rights(list, "ClusterRole",
		"get namespaces/kube-system\nlist configmaps\nlist deployments\nlist namespaces\nlist serviceaccounts\nlist things\n");
}

/* patch where fields are merged, watch where somebody waits, update for the dry run; nothing is deleted. */
static void test_a_restore_patches_and_watches_only_what_it_must(void **state)
{
	auto_json json_t *list = manifests_of(POLICY, RBAC_RESTORE, NULL);

	(void)state;
	assert_rights(list, "ClusterRole",
		"create configmaps\ncreate namespaces\ncreate serviceaccounts\ncreate things\n"
		"get configmaps\nget customresourcedefinitions\nget gatewayclasses\nget gateways\nget namespaces\nget "
		"namespaces/kube-system\n"
		"get persistentvolumeclaims\nget serviceaccounts\nget services\nget things\n"
		"list configmaps\nlist deployments\nlist endpointslices\nlist limitranges\nlist mutatingwebhookconfigurations\nlist "
		"namespaces\nlist nodes\n"
		"list resourcequotas\nlist serviceaccounts\nlist things\nlist validatingwebhookconfigurations\n"
		"patch serviceaccounts\nupdate configmaps\nupdate namespaces\nupdate serviceaccounts\nupdate things\n"
		"watch deployments\nwatch things\n");
}

/* A name cannot be a condition of creating, so the right to that ends at the namespace. */
static void test_a_restore_may_hold_its_lease_and_no_other(void **state)
{
	auto_json json_t *list = manifests_of(POLICY, RBAC_RESTORE, NULL);

	(void)state;
	assert_rights(list, "Role", "create leases\nget leases/rhaii-dr-restore\nupdate leases/rhaii-dr-restore\n");
	assert_string_equal(json_text_at(item_of(list, "Role"), "metadata", "namespace", NULL), "default");
	assert_string_equal(json_text_at(item_of(list, "Role"), "metadata", "name", NULL), "rhaii-dr-restore-lease");
	assert_string_equal(json_text_at(item_of(list, "RoleBinding"), "roleRef", "name", NULL), "rhaii-dr-restore-lease");
}

/* Its own Role, so that it takes nothing from the one of a namespace that is named. */
static void test_the_lease_has_a_role_of_its_own(void **state)
{
	auto_json json_t *list = manifests_of(POLICY, RBAC_RESTORE, "default");

	(void)state;
	assert_string_equal(json_text_at(item_of(list, "Role"), "metadata", "name", NULL), "rhaii-dr-restore");
	assert_int_equal(json_array_size(json_object_get(list, "items")), 6);
}

static void test_namespaces_narrow_a_snapshot(void **state)
{
	auto_json json_t *list = manifests_of(POLICY, RBAC_SNAPSHOT, "prod");

	(void)state;
	assert_rights(list, "ClusterRole", "get namespaces/kube-system\nlist customresourcedefinitions\nlist namespaces\n");
	assert_rights(list, "Role", "list configmaps\nlist deployments\nlist serviceaccounts\nlist things\n");
	assert_string_equal(json_text_at(item_of(list, "Role"), "metadata", "namespace", NULL), "prod");
	assert_string_equal(json_text_at(item_of(list, "RoleBinding"), "metadata", "namespace", NULL), "prod");
}

/* The plan lists every kind over the whole cluster; what it writes is in the namespaces. */
static void test_namespaces_narrow_what_a_restore_writes(void **state)
{
	auto_json json_t *list = manifests_of(POLICY, RBAC_RESTORE, "prod");

	(void)state;
	assert_rights(list, "Role",
		"create configmaps\ncreate serviceaccounts\ncreate things\nget configmaps\nget serviceaccounts\nget things\nlist "
		"deployments\n"
		"list things\npatch serviceaccounts\nupdate configmaps\nupdate serviceaccounts\nupdate things\nwatch deployments\nwatch "
		"things\n");
}

static void test_a_binding_names_role_and_account(void **state)
{
	auto_json json_t *list = manifests_of(POLICY, RBAC_VERIFY, NULL);
	auto_strbuf struct strbuf text = STRBUF_INIT;
	const json_t *binding = item_of(list, "ClusterRoleBinding");

	(void)state;
	json_write(json_object_get(binding, "subjects"), &text);
	json_write(json_object_get(binding, "roleRef"), &text);
	assert_string_equal(text.buf,
		"[{\"kind\":\"ServiceAccount\",\"name\":\"dr\",\"namespace\":\"ops\"}]"
		"{\"apiGroup\":\"rbac.authorization.k8s.io\",\"kind\":\"ClusterRole\",\"name\":\"rhaii-dr-verify\"}");
}

/* The installation is looked at wherever it is, also by who verifies a few namespaces; and so is what the policy's own probes are about. */
static void test_verifying_reads_the_installation_and_what_own_probes_name(void **state)
{
	static const char text[] = "format: 1\nname: test\nwaves: [{name: only}]\n"
				   "controllers: [{of: deployments.apps, names: [manager]}]\n"
				   "probes: [{name: pods, count: {of: pods, min: 1}}, {name: web, http: {url: 'http://h/'}}]\n"
				   "kinds: [{resource: presets, group: s.io, kind: Preset, wave: only, presets: true}]\n";
	auto_json json_t *list = manifests_of(text, RBAC_VERIFY, "few");
	auto_free char *rights = rights_of(item_of(list, "ClusterRole"));

	(void)state;
	assert_string_equal(rights, "get namespaces/kube-system\nlist deployments/manager\nlist pods\nlist presets\n");
}

/* The order of the rows of a policy does not show. */
static void test_rules_are_sorted(void **state)
{
	auto_json json_t *list = manifests_of(POLICY, RBAC_SNAPSHOT, NULL);
	auto_strbuf struct strbuf text = STRBUF_INIT;

	(void)state;
	json_write(json_array_get(json_object_get(item_of(list, "ClusterRole"), "rules"), 0), &text);
	assert_string_equal(
		text.buf, "{\"apiGroups\":[\"\"],\"resources\":[\"configmaps\",\"namespaces\",\"serviceaccounts\"],\"verbs\":[\"list\"]}");
}

static void test_no_builtin_policy_gives_rights_on_secrets(void **state)
{
	(void)state;
	for (size_t i = 0; rbac_commands[i]; i++) {
		const struct rbac_options options = {.command = (enum rbac_command)i, .account_namespace = "a", .account_name = "b"};
		struct error err = ERROR_INIT;
		struct policy *policy;
		auto_json json_t *list = NULL;
		auto_free char *rights = NULL;

		assert_int_equal(policy_load(&policy, NULL, &err), 0);
		list = rbac_manifests(policy, &options);
		policy_free(policy);
		rights = rights_of(item_of(list, "ClusterRole"));
		assert_null(strstr(rights, " secrets\n"));
		assert_null(strstr(rights, "*"));
		assert_null(strstr(rights, "delete"));
		assert_null(strstr(rights, "escalate"));
	}
}

/* To hold a binding against our own rights before it is refused; where the policy has no bindings, nobody asks. */
static void test_a_restore_of_bindings_reads_cluster_roles(void **state)
{
	auto_json json_t *without = manifests_of(POLICY, RBAC_RESTORE, NULL);
	auto_json json_t *with = manifests_of(
		POLICY "- {resource: rolebindings, group: rbac.authorization.k8s.io, kind: RoleBinding, wave: only}\n", RBAC_RESTORE, "a");
	auto_free char *no_rights = rights_of(item_of(without, "ClusterRole")), *rights = rights_of(item_of(with, "ClusterRole"));

	(void)state;
	assert_null(strstr(no_rights, "clusterroles"));
	assert_non_null(strstr(rights, "get clusterroles\n"));
	assert_null(strstr(rights, "list clusterroles\n"));
}

static void test_a_policy_with_roles_says_so(void **state)
{
	struct policy *without = policy_of(POLICY), *with;
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(policy_load(&with, NULL, &err), 0);
	assert_true(rbac_creates_roles(with));
	assert_false(rbac_creates_roles(without));
	policy_free(with);
	policy_free(without);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_snapshot_lists_and_gets_the_identity),
		cmocka_unit_test(test_a_verification_reads_no_definitions),
		cmocka_unit_test(test_a_restore_patches_and_watches_only_what_it_must),
		cmocka_unit_test(test_a_restore_may_hold_its_lease_and_no_other),
		cmocka_unit_test(test_the_lease_has_a_role_of_its_own),
		cmocka_unit_test(test_secrets_are_given_by_name),
		cmocka_unit_test(test_the_installation_is_listed_by_name_where_nothing_else_is),
		cmocka_unit_test(test_namespaces_narrow_a_snapshot),
		cmocka_unit_test(test_namespaces_narrow_what_a_restore_writes),
		cmocka_unit_test(test_a_binding_names_role_and_account),
		cmocka_unit_test(test_verifying_reads_the_installation_and_what_own_probes_name),
		cmocka_unit_test(test_rules_are_sorted),
		cmocka_unit_test(test_no_builtin_policy_gives_rights_on_secrets),
		cmocka_unit_test(test_a_restore_of_bindings_reads_cluster_roles),
		cmocka_unit_test(test_a_policy_with_roles_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
