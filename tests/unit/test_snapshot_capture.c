/* SPDX-License-Identifier: Apache-2.0 */
/* What a capture takes of a cluster, and what it makes of lists that are not as they should be. */
#include "support.h"

#include <string.h>

#include "snapshot_support.h"
#include "util/json.h"
#include "util/strbuf.h"

#define SERVICE_A SERVICE("prod", "a", "'config':'app'")
#define SERVICE_B SERVICE("prod", "b", "")
#define SERVICE_A_FILE "namespaces/prod/services.s.io/a.yaml"

static char *head(void)
{
	return shell_output("git -C repo rev-parse clusters/prod");
}

/* ---- the same state is the same tree ---- */

static const struct snapshot_given state = {
	.services = SERVICE_A "," SERVICE_B,
	.routes = ROUTE("prod", "x", "") "," ROUTE("test", "y", ""),
	.configs = CONFIG("prod", "app") "," CONFIG("prod", "other"),
	.spaces = SPACE("prod") "," SPACE("test"),
	.deployments = CHILD("prod", "a-1", "prod-a") "," CHILD("prod", "b-1", "prod-b"),
};

static void take_state(struct snapshot_fixture *f)
{
	snapshot_take_given(f, &state);
}

static void assert_unchanged(struct snapshot_fixture *f, const struct snapshot_given *given)
{
	auto_free char *tree = NULL;

	take_state(f);
	tree = xstrdup(snapshot_text(f, "tree"));
	snapshot_take_given(f, given);
	assert_string_equal(snapshot_text(f, "tree"), tree);
	assert_true(json_is_false(json_object_get(f->result, "changed")));
}

static void test_the_order_of_items_does_not_show(void **fixture)
{
	const struct snapshot_given turned = {
		.services = SERVICE_B "," SERVICE_A,
		.routes = ROUTE("test", "y", "") "," ROUTE("prod", "x", ""),
		.configs = CONFIG("prod", "other") "," CONFIG("prod", "app"),
		.spaces = SPACE("test") "," SPACE("prod"),
		.deployments = CHILD("prod", "b-1", "prod-b") "," CHILD("prod", "a-1", "prod-a"),
	};

	assert_unchanged(*fixture, &turned);
}

static void test_what_the_server_counts_does_not_show(void **fixture)
{
#define CHURN ",'generation':7,'managedFields':[{'manager':'kubelet','time':'2026-11-20T14:00:00Z'}]"
	struct snapshot_given churned = state;

	churned.services = "{'metadata':{'namespace':'prod','name':'a','uid':'prod-a','resourceVersion':'99'" CHURN
			   "},'spec':{'config':'app'},'status':{'ready':1}}," SERVICE_B;
	assert_unchanged(*fixture, &churned);
}

static void test_the_size_of_pages_does_not_show(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	auto_free char *tree = NULL;

	take_state(f);
	tree = xstrdup(snapshot_text(f, "tree"));
	(void)fake_cluster_say(&f->cluster, "/services?limit=1 ", 200,
		"{'apiVersion':'s.io/v1','kind':'ServiceList','metadata':{'resourceVersion':'7','continue':'more'},'items':[" SERVICE_A
		"]}");
	(void)fake_cluster_say(&f->cluster, "/services?limit=1&continue=more ", 200,
		"{'apiVersion':'s.io/v1','kind':'ServiceList','metadata':{'resourceVersion':'7'},'items':[" SERVICE_B "]}");
	snapshot_give(f, &state);
	f->options.page_size = 1;
	snapshot_take(f);
	assert_string_equal(snapshot_text(f, "tree"), tree);
}

/* The policy with its row of routes before all others; the caller frees. */
static char *routes_first(void)
{
	static const char row[] = "- {resource: routes, group: r.io, kind: Route, keys: ['spec.sections[].name'], wave: one}\n";
	const char *rows = strstr(snapshot_policy_text, "kinds:\n") + strlen("kinds:\n"), *routes = strstr(rows, row);

	return xasprintf("%.*s%s%.*s%s", (int)(rows - snapshot_policy_text), snapshot_policy_text, row, (int)(routes - rows), rows,
		routes + strlen(row));
}

/* A policy that lists the kinds in another order finds the same objects, requirements and children. */
static void test_the_order_of_lists_does_not_show(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	auto_free char *turned = routes_first(), *ids = NULL;

	take_state(f);
	snapshot_policy(f, turned);
	f->options.cluster = "turned";
	take_state(f);
	assert_true(strstr(f->log, ROUTES) < strstr(f->log, SERVICES));
	ids = shell_output("for part in objects requirements.yaml generated.yaml; do "
			   "git -C repo rev-parse clusters/prod:$part clusters/turned:$part | uniq | wc -l; done | uniq");
	assert_string_equal(ids, "1");
}

/* ---- what is taken ---- */

static void test_what_a_controller_made_is_left_out(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	snapshot_take_given(f,
		&(struct snapshot_given){
			.services = SERVICE_B,
			.routes = "{" META("prod", "made",
				",'ownerReferences':[{'apiVersion':'s.io/v1','kind':'Service','name':'b','uid':'prod-b',"
				"'controller':true}]") "}",
		});
	assert_objects("namespaces/prod/services.s.io/b.yaml");
	assert_int_equal(snapshot_number(f, "generated"), 1);
}

/* The garbage collector's own references, which make nobody the author. */
static void test_what_has_an_owner_that_does_not_control_it_is_taken(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	snapshot_take_given(f,
		&(struct snapshot_given){
			.routes = "{" META("prod", "written",
				",'ownerReferences':[{'apiVersion':'s.io/v1','kind':'Service','name':'b','uid':'u'}]") "}",
		});
	assert_objects("namespaces/prod/routes.r.io/written.yaml");
}

static void test_what_was_installed_is_left_out(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	snapshot_take_given(f, &(struct snapshot_given){.routes = ROUTE("prod", "preset", "") "," ROUTE("prod", "own", "")});
	assert_objects("namespaces/prod/routes.r.io/own.yaml");
	assert_int_equal(snapshot_number(f, "installed"), 1);
}

static void test_what_a_rule_calls_generated_is_left_out_even_when_it_is_needed(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	snapshot_take_given(
		f, &(struct snapshot_given){.services = SERVICE("prod", "a", "'config':'root-ca'"), .configs = CONFIG("prod", "root-ca")});
	assert_objects(SERVICE_A_FILE);
	assert_int_equal(snapshot_number(f, "generated"), 1);
}

static void test_a_referenced_object_is_taken_and_an_unreferenced_one_is_not(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	snapshot_take_given(f,
		&(struct snapshot_given){
			.services = SERVICE("prod", "a", "'config':'app','account':'runner'"),
			.configs = CONFIG("prod", "app") "," CONFIG("prod", "other"),
			.accounts = ACCOUNT("prod", "runner") "," ACCOUNT("prod", "default"),
		});
	assert_objects("namespaces/prod/configmaps/app.yaml\n"
		       "namespaces/prod/serviceaccounts/runner.yaml\n" SERVICE_A_FILE);
}

static void test_a_kind_that_nothing_refers_to_is_not_asked_for(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	snapshot_take_given(f, &(struct snapshot_given){.services = SERVICE_B});
	assert_int_equal(snapshot_asked(f, "/configmaps?"), 0);
	assert_int_equal(snapshot_asked(f, "/serviceaccounts?"), 0);
}

/* The policy lists ConfigMaps before the accounts that refer to one more of them; the caller frees. */
static char *accounts_refer(void)
{
	static const char row[] = "- {resource: serviceaccounts, kind: ServiceAccount, select: referenced, wave: one}\n";
	const char *at = strstr(snapshot_policy_text, row);

	return xasprintf("%.*s- {resource: serviceaccounts, kind: ServiceAccount, select: referenced, wave: one, references: "
			 "[{path: config, to: configmaps}]}\n%s",
		(int)(at - snapshot_policy_text), snapshot_policy_text, at + strlen(row));
}

static const struct snapshot_given referring = {
	.services = SERVICE("prod", "a", "'config':'app','account':'runner'"),
	.configs = CONFIG("prod", "app") "," CONFIG("prod", "late"),
	.accounts = "{" META("prod", "runner", "") ",'config':'late'}",
};

static void test_what_is_referred_to_after_it_was_listed_is_taken_all_the_same(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	auto_free char *policy = accounts_refer();

	snapshot_policy(f, policy);
	snapshot_give(f, &referring);
	fake_cluster_list(&f->cluster, "/configmaps?", "v1", "ConfigMap", CONFIG("prod", "app") "," CONFIG("prod", "late"));
	snapshot_take(f);
	assert_objects("namespaces/prod/configmaps/app.yaml\n"
		       "namespaces/prod/configmaps/late.yaml\n"
		       "namespaces/prod/serviceaccounts/runner.yaml\n" SERVICE_A_FILE);
	assert_file_has("requirements.yaml", "requirements: []\n");
}

/* Listing it again and again would not bring it back. */
static void test_what_is_deleted_between_two_lists_ends_the_search(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	auto_free char *policy = accounts_refer();

	snapshot_policy(f, policy);
	snapshot_give(f, &referring);
	fake_cluster_list(&f->cluster, "/configmaps?", "v1", "ConfigMap", CONFIG("prod", "app"));
	snapshot_take(f);
	assert_int_equal(snapshot_asked(f, "/configmaps?"), 2);
	assert_file_has("requirements.yaml", "name: late\n  namespace: prod\n  neededBy:\n  - ServiceAccount prod/runner\n");
}

/* Two kinds more: what refers to an account that is needed, and what lies where something is held. */
static void use_bindings_and_quotas(struct snapshot_fixture *f)
{
	auto_free char *policy = xasprintf("%s- {resource: bindings, group: b.io, kind: Binding, select: refers, wave: one, references: "
					   "[{path: 'subjects[]', selects: true, to: serviceaccounts}]}\n"
					   "- {resource: quotas, kind: Quota, select: inHeld, wave: one}\n",
		snapshot_policy_text);

	snapshot_policy(f, policy);
	fake_cluster_list(&f->cluster, "/bindings?", "b.io/v1", "Binding",
		"{" META("prod", "of-runner", "") ",'subjects':[{'name':'nobody'},{'name':'runner'}]},"
						  "{" META("prod", "of-nobody", "") ",'subjects':[{'name':'nobody'}]}");
	fake_cluster_list(&f->cluster, "/namespaces/prod/quotas?", "v1", "Quota", "{" META("prod", "small", "") "}");
	snapshot_take_given(
		f, &(struct snapshot_given){.services = SERVICE("prod", "a", "'account':'runner'"), .accounts = ACCOUNT("prod", "runner")});
}

static void test_what_refers_to_a_needed_account_is_taken(void **fixture)
{
	use_bindings_and_quotas(*fixture);
	assert_file_has("objects/namespaces/prod/bindings.b.io/of-runner.yaml", "name: runner\n");
	shell("! git -C repo ls-tree -r --name-only clusters/prod | grep of-nobody");
}

/* It is taken because of the one; that it names others as well is no need of the snapshot. */
static void test_what_it_refers_to_besides_is_no_requirement(void **fixture)
{
	use_bindings_and_quotas(*fixture);
	assert_file_has("requirements.yaml", "requirements: []\n");
}

static void test_what_lies_in_a_namespace_that_holds_something_is_taken(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	use_bindings_and_quotas(f);
	assert_file_has("objects/namespaces/prod/quotas/small.yaml", "kind: Quota\n");
	assert_int_equal(snapshot_asked(f, "/quotas?"), 1);
}

static void test_only_namespaces_that_hold_something_are_taken(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	snapshot_take_given(f, &(struct snapshot_given){.services = SERVICE_B, .spaces = SPACE("prod") "," SPACE("test")});
	assert_objects("cluster/namespaces/prod.yaml\nnamespaces/prod/services.s.io/b.yaml");
}

static void test_namespaces_out_of_scope_are_left_out(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	snapshot_take_given(f, &(struct snapshot_given){.services = SERVICE_B "," SERVICE("kube-system", "s", "'config':'app'")});
	assert_objects("namespaces/prod/services.s.io/b.yaml");
	assert_int_equal(snapshot_asked(f, "/configmaps?"), 0);
}

static void test_an_empty_cluster_is_a_snapshot(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	snapshot_take_given(f, &(struct snapshot_given){0});
	assert_int_equal(snapshot_number(f, "objects"), 0);
	assert_file_has("generated.yaml", "objects: []\n");
}

/* ---- the inventory ---- */

static void test_children_are_inventoried_under_the_names_of_their_owners(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	snapshot_take_given(f, &(struct snapshot_given){.services = SERVICE_B, .deployments = CHILD("prod", "b-1", "prod-b")});
	assert_file_has("generated.yaml",
		"- group: apps\n  kind: Deployment\n  name: b-1\n  namespace: prod\n  owner:\n    group: s.io\n"
		"    kind: Service\n    name: b\n  resource: deployments\n");
	assert_file_lacks("generated.yaml", "prod-b");
}

static void test_children_of_what_is_not_in_the_snapshot_are_not_inventoried(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	snapshot_take_given(f, &(struct snapshot_given){.services = SERVICE_B, .deployments = CHILD("prod", "b-1", "another")});
	assert_file_has("generated.yaml", "objects: []\n");
}

/* Children are known by metadata alone: their specs are none of ours. */
static void test_children_are_asked_for_as_metadata(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	snapshot_take_given(f, &(struct snapshot_given){.services = SERVICE_B});
	assert_non_null(strstr(strstr(f->log, "/deployments?"), "as=PartialObjectMetadataList"));
}

static void test_an_inventory_kind_that_may_not_be_listed_is_noted(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	(void)fake_cluster_say(&f->cluster, "/deployments?", 403, "{'kind':'Status','message':'no such right'}");
	snapshot_take_given(f, &(struct snapshot_given){.services = SERVICE_B});
	assert_file_has("generated.yaml", "notListed:\n- deployments.apps\n");
}

/* ---- -n ---- */

static void test_a_narrowed_capture_asks_only_for_its_namespaces(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	strlist_add(&f->namespaces, "prod");
	snapshot_take_given(f, &(struct snapshot_given){.services = SERVICE_B, .spaces = SPACE("prod") "," SPACE("test")});
	assert_int_equal(snapshot_asked(f, "/apis/s.io/v1/namespaces/prod/services?"), 1);
	assert_int_equal(snapshot_asked(f, SERVICES), 0);
	assert_int_equal(snapshot_asked(f, ROUTES), 0);
	assert_objects("cluster/namespaces/prod.yaml\nnamespaces/prod/services.s.io/b.yaml");
	assert_file_has("snapshot.yaml", "scope:\n  namespaces:\n  - prod\n");
}

static void test_a_narrowed_capture_may_name_what_the_policy_leaves_out(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	strlist_add(&f->namespaces, "kube-system");
	snapshot_take_given(f, &(struct snapshot_given){.services = SERVICE("kube-system", "s", "")});
	assert_objects("namespaces/kube-system/services.s.io/s.yaml");
}

static void test_what_a_narrowed_capture_does_not_see_is_required(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	strlist_add(&f->namespaces, "prod");
	snapshot_take_given(
		f, &(struct snapshot_given){.services = SERVICE("prod", "a", "'configs':[{'name':'shared','namespace':'test'}]")});
	assert_int_equal(snapshot_asked(f, "/configmaps?"), 0);
	assert_file_has("requirements.yaml", "name: shared\n  namespace: test\n");
	assert_file_has("requirements.yaml", "state: required\n");
}

/* The scope is a set: neither order nor repetition may make another snapshot of it. */
static void test_namespaces_are_a_set(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	auto_free char *tree = NULL;

	strlist_add(&f->namespaces, "prod");
	strlist_add(&f->namespaces, "test");
	fake_cluster_list(&f->cluster, "/namespaces/prod/services?", "s.io/v1", "Service", SERVICE_B);
	fake_cluster_say_times(&f->cluster, 3, "/routes?", 200,
		"{'apiVersion':'r.io/v1','kind':'RouteList','metadata':{'resourceVersion':'7'},'items':[]}");
	fake_cluster_say_times(&f->cluster, 3, "/certificates?", 200,
		"{'apiVersion':'c.io/v1','kind':'CertificateList','metadata':{'resourceVersion':'7'},'items':[]}");
	snapshot_take_given(f, &(struct snapshot_given){0});
	tree = xstrdup(snapshot_text(f, "tree"));
	strlist_release(&f->namespaces);
	strlist_add(&f->namespaces, "test");
	strlist_add(&f->namespaces, "prod");
	strlist_add(&f->namespaces, "prod");
	fake_cluster_list(&f->cluster, "/namespaces/prod/services?", "s.io/v1", "Service", SERVICE_B);
	fake_cluster_say_times(&f->cluster, 3, "/routes?", 200,
		"{'apiVersion':'r.io/v1','kind':'RouteList','metadata':{'resourceVersion':'7'},'items':[]}");
	fake_cluster_say_times(&f->cluster, 3, "/certificates?", 200,
		"{'apiVersion':'c.io/v1','kind':'CertificateList','metadata':{'resourceVersion':'7'},'items':[]}");
	snapshot_take_given(f, &(struct snapshot_given){0});
	assert_string_equal(snapshot_text(f, "tree"), tree);
	assert_int_equal(snapshot_number(f, "objects"), 1);
}

/* ---- how many lists ---- */

/* So many services, each in a namespace of its own with a config; the lists of the configs are the test's. */
static void give_namespaces(struct snapshot_fixture *f, int count)
{
	auto_strbuf struct strbuf services = STRBUF_INIT;

	for (int i = 0; i < count; i++)
		strbuf_addf(&services, "%s{'metadata':{'namespace':'ns-%d','name':'s'},'spec':{'config':'app'}}", i ? "," : "", i);
	snapshot_give(f, &(struct snapshot_given){.services = services.buf});
	fake_cluster_say_times(&f->cluster, 8, "/configmaps?", 200,
		"{'apiVersion':'v1','kind':'ConfigMapList','metadata':{'resourceVersion':'7'},'items':[]}");
	fake_cluster_say_times(&f->cluster, 8, "/deployments?", 200,
		"{'apiVersion':'meta.k8s.io/v1','kind':'PartialObjectMetadataList','metadata':{'resourceVersion':'7'},'items':[]}");
}

static void test_eight_namespaces_are_listed_one_by_one(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	give_namespaces(f, 8);
	snapshot_take(f);
	assert_int_equal(snapshot_asked(f, "/configmaps?"), 8);
	assert_int_equal(snapshot_asked(f, "/deployments?"), 8);
	assert_int_equal(snapshot_asked(f, "GET /api/v1/configmaps?"), 0);
}

static void test_nine_namespaces_are_listed_at_once(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	give_namespaces(f, 9);
	snapshot_take(f);
	assert_int_equal(snapshot_asked(f, "GET /api/v1/configmaps?"), 1);
	assert_int_equal(snapshot_asked(f, "/configmaps?"), 1);
	assert_int_equal(snapshot_asked(f, "GET /apis/apps/v1/deployments?"), 1);
	assert_int_equal(snapshot_asked(f, "/deployments?"), 1);
}

/* It has no right to more than its namespaces. */
static void test_a_narrowed_capture_never_lists_them_at_once(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	for (int i = 0; i < 9; i++) {
		auto_free char *name = xasprintf("ns-%d", i);

		strlist_add(&f->namespaces, name);
	}
	fake_cluster_list(&f->cluster, "/namespaces/ns-0/services?", "s.io/v1", "Service", SERVICE("ns-0", "s", "'config':'app'"));
	fake_cluster_say_times(&f->cluster, 8, "/services?", 200,
		"{'apiVersion':'s.io/v1','kind':'ServiceList','metadata':{'resourceVersion':'7'},'items':[]}");
	fake_cluster_say_times(&f->cluster, 9, "/routes?", 200,
		"{'apiVersion':'r.io/v1','kind':'RouteList','metadata':{'resourceVersion':'7'},'items':[]}");
	fake_cluster_say_times(&f->cluster, 9, "/certificates?", 200,
		"{'apiVersion':'c.io/v1','kind':'CertificateList','metadata':{'resourceVersion':'7'},'items':[]}");
	snapshot_take_given(f, &(struct snapshot_given){0});
	assert_int_equal(snapshot_asked(f, "/services?"), 9);
	assert_int_equal(snapshot_asked(f, CONFIGS_OF("ns-0")), 1);
	assert_int_equal(snapshot_asked(f, "/configmaps?"), 1);
}

/* ---- lists that fail ---- */

#define GONE "{'kind':'Status','reason':'Expired','message':'the version is too old'}"

/* A list whose second page comes too late: its first page has one route that is gone afterwards. */
static void give_expiring_routes(struct snapshot_fixture *f)
{
	snapshot_hello(f);
	fake_cluster_list(&f->cluster, "/services?", "s.io/v1", "Service", SERVICE_B);
	(void)fake_cluster_say(&f->cluster, "/routes?limit=500", 200,
		"{'apiVersion':'r.io/v1','kind':'RouteList','metadata':{'resourceVersion':'7','continue':'more'},'items':[" ROUTE(
			"prod", "gone", "") "]}");
	(void)fake_cluster_say(&f->cluster, "/routes?limit=500&continue=more ", 410, GONE);
}

/* Kinds read before and after it would not be of one time. */
static void test_a_list_that_expires_starts_the_capture_over(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	give_expiring_routes(f);
	snapshot_give(f, &(struct snapshot_given){.services = SERVICE_B, .routes = ROUTE("prod", "x", "")});
	snapshot_take(f);
	assert_int_equal(snapshot_asked(f, SERVICES), 2);
	assert_objects("namespaces/prod/routes.r.io/x.yaml\nnamespaces/prod/services.s.io/b.yaml");
	assert_int_equal(snapshot_number(f, "objects"), 2);
	assert_fsck("repo");
}

/* Three times at one version, and once more without (test_snapshot_moment.c). */
static void test_a_list_that_expires_each_time_fails_the_capture(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	for (int i = 0; i < 4; i++)
		give_expiring_routes(f);
	snapshot_refused(f, ERR_GONE, "list of routes.r.io: the version is too old");
	shell("test -z \"$(git -C repo for-each-ref)\"");
}

static void test_a_kind_that_may_not_be_listed_fails_and_writes_no_ref(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	auto_free char *before = NULL, *after = NULL;

	take_state(f);
	before = shell_output("git -C repo for-each-ref");
	(void)fake_cluster_say(&f->cluster, "/routes?", 403, "{'kind':'Status','message':'no such right'}");
	snapshot_give(f, &state);
	snapshot_refused(f, ERR_FORBIDDEN, "list of routes.r.io: no such right");
	after = shell_output("git -C repo for-each-ref");
	assert_string_equal(after, before);
}

static void test_a_capture_after_a_failed_one_works(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	(void)fake_cluster_say(&f->cluster, "/routes?", 403, "{'kind':'Status','message':'no such right'}");
	snapshot_give(f, &state);
	snapshot_refused(f, ERR_FORBIDDEN, NULL);
	take_state(f);
	assert_int_equal(snapshot_number(f, "objects"), 7);
	assert_fsck("repo");
}

/* "Not there" would empty the backup. */
static void test_a_group_that_the_server_cannot_tell_of_fails_the_capture(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	fake_cluster_hello(&f->cluster, "source", FAKE_VERSION("v1", FAKE_RESOURCE("namespaces", "Namespace", "Cluster")),
		FAKE_GROUP("s.io", "{'version':'v1','freshness':'Stale','resources':[]}"));
	snapshot_refused(f, ERR_UNAVAILABLE, "the API server cannot say whether it serves services.s.io: discovery of the group failed");
}

static void test_a_required_kind_that_is_not_served_fails_the_capture(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	fake_cluster_hello(&f->cluster, "source", FAKE_VERSION("v1", FAKE_RESOURCE("namespaces", "Namespace", "Cluster")),
		FAKE_GROUP("r.io", FAKE_VERSION("v1", FAKE_RESOURCE("routes", "Route", "Namespaced"))));
	snapshot_refused(f, ERR_FAILED, "the cluster does not serve services.s.io, which the policy requires");
}

static void test_an_optional_kind_that_is_not_served_is_noted(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	fake_cluster_hello(&f->cluster, "source", FAKE_VERSION("v1", FAKE_RESOURCE("namespaces", "Namespace", "Cluster")),
		FAKE_GROUP("s.io", FAKE_VERSION("v1", FAKE_RESOURCE("services", "Service", "Namespaced"))));
	fake_cluster_list(&f->cluster, "/services?", "s.io/v1", "Service", SERVICE_B);
	fake_cluster_list(&f->cluster, "/namespaces?", "v1", "Namespace", SPACE("prod"));
	snapshot_take(f);
	assert_file_has("snapshot.yaml", "notServed:\n- routes.r.io\n- certificates.c.io\n- configmaps\n- serviceaccounts\n");
}

/* ---- objects that are none ---- */

static void assert_malformed(struct snapshot_fixture *f, const char *service, const char *text)
{
	snapshot_give(f, &(struct snapshot_given){.services = service});
	snapshot_refused(f, ERR_REJECTED, text);
	shell("test -z \"$(git -C repo for-each-ref)\"");
}

static void test_an_object_without_a_name_fails_the_capture(void **fixture)
{
	assert_malformed(*fixture, SERVICE_B ",{'metadata':{'namespace':'prod'}}", "list of services.s.io: item 1 has no metadata.name");
}

static void test_a_name_that_leads_out_of_the_tree_fails_the_capture(void **fixture)
{
	assert_malformed(*fixture, SERVICE("prod", "..", ""), "list of services.s.io: not a name of an object: '..'");
}

static void test_a_namespace_that_is_a_path_fails_the_capture(void **fixture)
{
	assert_malformed(*fixture, SERVICE("a/b", "s", ""), "list of services.s.io: not a name of a namespace: 'a/b'");
}

static void test_two_objects_of_one_name_fail_the_capture(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	snapshot_give(f, &(struct snapshot_given){.services = SERVICE_B "," SERVICE_B});
	snapshot_refused(f, ERR_FAILED, "list of services.s.io: the server listed Service 'b' twice");
	shell("test -z \"$(git -C repo for-each-ref)\"");
}

/* ---- dry run ---- */

static void test_a_first_dry_run_moves_no_ref(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	f->options.dry_run = true;
	take_state(f);
	shell("test -z \"$(git -C repo for-each-ref)\"");
	assert_true(json_is_null(json_object_get(f->result, "commit")));
	assert_true(json_is_true(json_object_get(f->result, "changed")));
	assert_true(json_is_true(json_object_get(f->result, "first")));
}

static void test_a_dry_run_tells_what_changed_and_keeps_the_head(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	struct snapshot_given less = state;
	auto_free char *before = NULL, *after = NULL;

	take_state(f);
	before = head();
	less.services = SERVICE_A;
	f->options.dry_run = true;
	snapshot_take_given(f, &less);
	after = head();
	assert_string_equal(after, before);
	assert_string_equal(snapshot_text(f, "commit"), before);
	assert_int_equal(snapshot_number(f, "removed"), 1);
}

static void test_a_dry_run_does_not_say_that_it_looked(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	take_state(f);
	shell("git -C repo for-each-ref refs/rhaii-dr >refs");
	f->options.dry_run = true;
	take_state(f);
	assert_true(json_is_false(json_object_get(f->result, "changed")));
	shell("git -C repo for-each-ref refs/rhaii-dr | cmp - refs");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, snapshot_set_up, snapshot_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_the_order_of_items_does_not_show),
		TEST(test_what_the_server_counts_does_not_show),
		TEST(test_the_size_of_pages_does_not_show),
		TEST(test_the_order_of_lists_does_not_show),
		TEST(test_what_a_controller_made_is_left_out),
		TEST(test_what_has_an_owner_that_does_not_control_it_is_taken),
		TEST(test_what_was_installed_is_left_out),
		TEST(test_what_a_rule_calls_generated_is_left_out_even_when_it_is_needed),
		TEST(test_a_referenced_object_is_taken_and_an_unreferenced_one_is_not),
		TEST(test_a_kind_that_nothing_refers_to_is_not_asked_for),
		TEST(test_what_is_referred_to_after_it_was_listed_is_taken_all_the_same),
		TEST(test_what_is_deleted_between_two_lists_ends_the_search),
		TEST(test_what_refers_to_a_needed_account_is_taken),
		TEST(test_what_it_refers_to_besides_is_no_requirement),
		TEST(test_what_lies_in_a_namespace_that_holds_something_is_taken),
		TEST(test_only_namespaces_that_hold_something_are_taken),
		TEST(test_namespaces_out_of_scope_are_left_out),
		TEST(test_an_empty_cluster_is_a_snapshot),
		TEST(test_children_are_inventoried_under_the_names_of_their_owners),
		TEST(test_children_of_what_is_not_in_the_snapshot_are_not_inventoried),
		TEST(test_children_are_asked_for_as_metadata),
		TEST(test_an_inventory_kind_that_may_not_be_listed_is_noted),
		TEST(test_a_narrowed_capture_asks_only_for_its_namespaces),
		TEST(test_a_narrowed_capture_may_name_what_the_policy_leaves_out),
		TEST(test_what_a_narrowed_capture_does_not_see_is_required),
		TEST(test_namespaces_are_a_set),
		TEST(test_eight_namespaces_are_listed_one_by_one),
		TEST(test_nine_namespaces_are_listed_at_once),
		TEST(test_a_narrowed_capture_never_lists_them_at_once),
		TEST(test_a_list_that_expires_starts_the_capture_over),
		TEST(test_a_list_that_expires_each_time_fails_the_capture),
		TEST(test_a_kind_that_may_not_be_listed_fails_and_writes_no_ref),
		TEST(test_a_capture_after_a_failed_one_works),
		TEST(test_a_group_that_the_server_cannot_tell_of_fails_the_capture),
		TEST(test_a_required_kind_that_is_not_served_fails_the_capture),
		TEST(test_an_optional_kind_that_is_not_served_is_noted),
		TEST(test_an_object_without_a_name_fails_the_capture),
		TEST(test_a_name_that_leads_out_of_the_tree_fails_the_capture),
		TEST(test_a_namespace_that_is_a_path_fails_the_capture),
		TEST(test_two_objects_of_one_name_fail_the_capture),
		TEST(test_a_first_dry_run_moves_no_ref),
		TEST(test_a_dry_run_tells_what_changed_and_keeps_the_head),
		TEST(test_a_dry_run_does_not_say_that_it_looked),
	};

	return cmocka_run_group_tests_name("snapshot_capture", tests, NULL, NULL);
}
