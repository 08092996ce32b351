/* SPDX-License-Identifier: Apache-2.0 */
/* What requirements.yaml tells of the installation: presets, controllers, webhooks. */
#include "support.h"

#include <string.h>

#include "policy/policy.h"
#include "snapshot_support.h"
#include "util/json.h"

#define POLICY                                                                                                                             \
	"format: 1\nname: test\nscope: {excludeNamespaces: []}\n"                                                                          \
	"strip: [metadata.uid, metadata.resourceVersion, status]\n"                                                                        \
	"waves: [{name: one}]\n"                                                                                                           \
	"installed: [{of: routes.r.io, namespaces: [system], why: part of the installation}]\n"                                            \
	"controllers: [{of: deployments.apps, names: [new-manager, old-manager], container: manager}]\n"                                   \
	"webhooks: [{of: validatinghooks.a.io}]\n"                                                                                         \
	"kinds:\n"                                                                                                                         \
	"- {resource: routes, group: r.io, kind: Route, presets: true, wave: one}\n"                                                       \
	"- {resource: services, group: s.io, kind: Service, wave: one}\n"

#define MANAGERS(name) "GET /apis/apps/v1/deployments?limit=500&fieldSelector=metadata.name%3D" name "&"
#define HOOKS "GET /apis/a.io/v1/validatinghooks?"
#define NO_RIGHT "{'kind':'Status','message':'no such right'}"

#define MANAGER(name, labels, image)                                                                                                       \
	"{'metadata':{'name':'" name "','namespace':'system','uid':'m','resourceVersion':'7','labels':{" labels                            \
	"}},'spec':{'template':{'spec':{'containers':[{'name':'proxy','image':'p'},{'name':'manager','image':'" image                      \
	"'}]}}},'status':{'readyReplicas':1}}"
#define PRESET(name, more)                                                                                                                 \
	"{'metadata':{'namespace':'system','name':'" name "','uid':'" name "','resourceVersion':'5'" more "},'spec':{'a':1}}"

/* A cluster with these routes and services of r.io and s.io. */
static void give_kinds(struct snapshot_fixture *f, const char *routes, const char *services)
{
	snapshot_policy(f, POLICY);
	fake_cluster_hello(&f->cluster, "source", FAKE_VERSION("v1", ""),
		FAKE_GROUP("r.io", FAKE_VERSION("v1", FAKE_RESOURCE("routes", "Route", "Namespaced"))) "," FAKE_GROUP(
			"s.io", FAKE_VERSION("v2", FAKE_RESOURCE("services", "Service", "Namespaced"))) "," FAKE_GROUP("apps",
			FAKE_VERSION("v1", FAKE_RESOURCE("deployments", "Deployment", "Namespaced"))) "," FAKE_GROUP("a.io",
			FAKE_VERSION("v1", FAKE_RESOURCE("validatinghooks", "ValidatingHook", "Cluster"))));
	fake_cluster_list(&f->cluster, "/routes?", "r.io/v1", "Route", routes);
	fake_cluster_list(&f->cluster, "/services?", "s.io/v2", "Service", services);
}

static void give_managers(struct snapshot_fixture *f, const char *name, const char *items)
{
	fake_cluster_list(&f->cluster, name, "apps/v1", "Deployment", items);
}

static void give_hooks(struct snapshot_fixture *f, const char *items)
{
	fake_cluster_list(&f->cluster, HOOKS, "a.io/v1", "ValidatingHook", items);
}

static void give_no_managers(struct snapshot_fixture *f)
{
	give_managers(f, MANAGERS("new-manager"), "");
	give_managers(f, MANAGERS("old-manager"), "");
}

/* ---- presets ---- */

/* printf '{"spec":{"a":1}}' | sha256sum */
#define PRESET_SHA256 "1613b96fbd3fe191bdebd51a1f15a567353b0890b63532d3d3362f3bf78ffcbb"
#define PRESET_ROW(name)                                                                                                                   \
	"- group: r.io\n  kind: Route\n  name: " name "\n  namespace: system\n  resource: routes\n  sha256: '" PRESET_SHA256 "'\n"

/* Who it is, its labels and its state are no part of what it says; the order of the list is none of what is told. */
static void test_presets_are_told_by_what_they_say(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	give_kinds(f, PRESET("b", ",'labels':{'helm':'x'}") "," PRESET("a", ""), "");
	give_no_managers(f);
	give_hooks(f, "");
	snapshot_take(f);
	assert_file_has("requirements.yaml", "presets:\n" PRESET_ROW("a") PRESET_ROW("b") "requirements:");
}

static void test_presets_are_told_from_the_cache_as_well(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	for (int run = 0; run < 2; run++) {
		give_kinds(f, PRESET("a", ""), "");
		give_no_managers(f);
		give_hooks(f, "");
		snapshot_take(f);
	}
	assert_true(json_is_false(json_object_get(f->result, "changed")));
	assert_file_has("requirements.yaml", "presets:\n" PRESET_ROW("a"));
}

static void test_what_people_wrote_is_no_preset(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	give_kinds(f, ROUTE("prod", "mine", ""), "");
	give_no_managers(f);
	give_hooks(f, "");
	snapshot_take(f);
	assert_file_has("requirements.yaml", "presets: []\n");
}

/* ---- controllers ---- */

#define MANAGER_ROW(name, image, version)                                                                                                  \
	"controllers:\n- container: manager\n  group: apps\n  image: " image "\n  kind: Deployment\n  name: " name                         \
	"\n  namespace: system\n  resource: deployments\n  version: " version "\n"

static void test_a_controller_is_told_with_its_image(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	give_kinds(f, "", "");
	give_managers(f, MANAGERS("new-manager"), MANAGER("new-manager", "", "r.example:5000/kserve/manager:v0.20.0@sha256:00"));
	give_hooks(f, "");
	snapshot_take(f);
	assert_file_has("requirements.yaml", MANAGER_ROW("new-manager", "r.example:5000/kserve/manager:v0.20.0@sha256:00", "v0.20.0"));
	assert_file_lacks("requirements.yaml", "readyReplicas");
	assert_int_equal(snapshot_asked(f, "old-manager"), 0);
}

/* Its label knows better: the image is often named by its digest alone. */
static void test_the_version_is_that_of_the_label(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	give_kinds(f, "", "");
	give_managers(f, MANAGERS("new-manager"), "");
	give_managers(
		f, MANAGERS("old-manager"), MANAGER("old-manager", "'app.kubernetes.io/version':'v1.2'", "r.example:5000/m@sha256:00"));
	give_hooks(f, "");
	snapshot_take(f);
	assert_file_has("requirements.yaml", MANAGER_ROW("old-manager", "r.example:5000/m@sha256:00", "v1.2"));
}

static void test_a_controller_that_may_not_be_listed_is_noted(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	give_kinds(f, "", "");
	(void)fake_cluster_say(&f->cluster, MANAGERS("new-manager"), 403, NO_RIGHT);
	(void)fake_cluster_say(&f->cluster, HOOKS, 403, NO_RIGHT);
	snapshot_take(f);
	assert_file_has("requirements.yaml", "controllers: []\n");
	assert_file_has("requirements.yaml", "notRead:\n- deployments.apps\n- validatinghooks.a.io\n");
	assert_int_equal(snapshot_asked(f, "old-manager"), 0);
}

static void test_any_other_fault_fails_the_snapshot(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	give_kinds(f, "", "");
	(void)fake_cluster_say(&f->cluster, MANAGERS("new-manager"), 400, NO_RIGHT);
	snapshot_refused(f, ERR_REJECTED, NULL);
}

/* ---- webhooks ---- */

#define RULE(group, version, resource, operation)                                                                                          \
	"{'apiGroups':['" group "'],'apiVersions':['" version "'],'resources':['" resource "'],'operations':['" operation "']}"
#define HOOK(more, rule)                                                                                                                   \
	"{'name':'h','rules':[" rule "],'clientConfig':{'caBundle':'x','service':{'namespace':'system','name':'hook'}}" more "}"
#define HOOKS_OF(name, hook) "{'metadata':{'name':'" name "','uid':'u','resourceVersion':'9'},'webhooks':[" hook "]}"
#define HOOK_ROW(name, policy)                                                                                                             \
	"- configuration: ValidatingHook " name "\n  failurePolicy: " policy                                                               \
	"\n  kinds:\n  - services.s.io\n  name: h\n  service: system/hook\n"

/* What requirements.yaml has for one webhook, or that there is none. */
static void assert_hook(struct snapshot_fixture *f, const char *hooks, const char *expected)
{
	give_kinds(f, "", SERVICE("prod", "a", ""));
	give_no_managers(f);
	give_hooks(f, hooks);
	snapshot_take(f);
	assert_file_has("requirements.yaml", expected);
	assert_file_lacks("requirements.yaml", "caBundle");
}

static void test_webhooks_of_captured_kinds_are_told(void **fixture)
{
	assert_hook(*fixture,
		HOOKS_OF("two", HOOK(",'failurePolicy':'Ignore'", RULE("s.io", "v2", "services", "CREATE"))) "," HOOKS_OF(
			"one", HOOK("", RULE("*", "*", "*/*", "*"))),
		"webhooks:\n" HOOK_ROW("one", "Fail") HOOK_ROW("two", "Ignore"));
}

/* Its address is the source's own: the next cluster has another. */
static void test_a_webhook_that_is_called_by_an_address_is_told_without_it(void **fixture)
{
	assert_hook(*fixture,
		HOOKS_OF("a",
			"{'name':'h','rules':[" RULE(
				"s.io", "v2", "services", "CREATE") "],'clientConfig':{'url':'https://10.0.0.1:9443/x'}}"),
		"  name: h\n  service: ''\n");
	assert_file_lacks("requirements.yaml", "10.0.0.1");
}

static void test_webhooks_of_other_kinds_are_not(void **fixture)
{
	assert_hook(*fixture,
		HOOKS_OF("a", HOOK("", RULE("r.io", "v1", "routes", "CREATE"))) "," HOOKS_OF(
			"b", HOOK("", RULE("s.io", "v2", "services", "DELETE"))) "," HOOKS_OF("c",
			HOOK("", RULE("s.io", "v2", "services/status", "UPDATE"))),
		"webhooks: []\n");
}

/* One for an older version is asked as well, unless it says Exact. */
static void test_an_exact_webhook_is_asked_of_its_version_only(void **fixture)
{
	assert_hook(*fixture, HOOKS_OF("a", HOOK("", RULE("s.io", "v1", "services", "CREATE"))), "webhooks:\n" HOOK_ROW("a", "Fail"));
	assert_hook(*fixture, HOOKS_OF("a", HOOK(",'matchPolicy':'Exact'", RULE("s.io", "v1", "services", "CREATE"))), "webhooks: []\n");
	assert_hook(*fixture, HOOKS_OF("a", HOOK(",'matchPolicy':'Exact'", RULE("s.io", "v2", "services", "CREATE"))),
		"webhooks:\n" HOOK_ROW("a", "Fail"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, snapshot_set_up, snapshot_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_presets_are_told_by_what_they_say),
		TEST(test_presets_are_told_from_the_cache_as_well),
		TEST(test_what_people_wrote_is_no_preset),
		TEST(test_a_controller_is_told_with_its_image),
		TEST(test_the_version_is_that_of_the_label),
		TEST(test_a_controller_that_may_not_be_listed_is_noted),
		TEST(test_any_other_fault_fails_the_snapshot),
		TEST(test_webhooks_of_captured_kinds_are_told),
		TEST(test_a_webhook_that_is_called_by_an_address_is_told_without_it),
		TEST(test_webhooks_of_other_kinds_are_not),
		TEST(test_an_exact_webhook_is_asked_of_its_version_only),
	};

	return cmocka_run_group_tests_name("snapshot_installation", tests, NULL, NULL);
}
