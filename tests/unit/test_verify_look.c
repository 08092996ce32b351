/* SPDX-License-Identifier: Apache-2.0 */
/* Pending text and the list of probes, on looks that are put together by hand instead of by lists. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_api.h"
#include "kube/client.h"
#include "kube/discovery.h"
#include "kube/kubeconfig.h"
#include "object/fieldpath.h"
#include "object/object.h"
#include "policy/policy.h"
#include "store/snapshot.h"
#include "util/error.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/outcome.h"
#include "util/strbuf.h"
#include "verify/look.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define OWNED(uid) "'ownerReferences':[{'apiVersion':'s.io/v1','kind':'Service','name':'a','uid':'" uid "','controller':true}]"

/* A policy with three kinds (services are ready by a condition, gadgets by nothing, networkpolicies neither) and an inventory of one. */
static struct policy_kind kinds[] = {
	{.group = (char[]){"s.io"}, .resource = (char[]){"services"}, .kind = (char[]){"Service"}, .namespaced = true},
	{.group = (char[]){"s.io"}, .resource = (char[]){"gadgets"}, .kind = (char[]){"Gadget"}, .namespaced = true},
	{.group = (char[]){"networking.k8s.io"},
		.resource = (char[]){"networkpolicies"},
		.kind = (char[]){"NetworkPolicy"},
		.namespaced = true},
	{.group = (char[]){"gateway.networking.k8s.io"}, .resource = (char[]){"gateways"}, .kind = (char[]){"Gateway"}, .namespaced = true},
	{.group = (char[]){"gateway.networking.k8s.io"},
		.resource = (char[]){"httproutes"},
		.kind = (char[]){"HTTPRoute"},
		.namespaced = true},
};
static struct policy_inventory inventory[] = {{.group = (char[]){"apps"}, .resource = (char[]){"deployments"}}};
static const struct policy policy = {
	.kinds = kinds, .kind_count = COUNT(kinds), .inventory = inventory, .inventory_count = COUNT(inventory)};

struct fixture {
	struct snapshot snapshot;
	struct object *objects[16];
	struct verify_look *look;
};

static json_t *value_of(const char *text)
{
	auto_free char *json = xstrdup(text);
	json_t *value;

	for (char *c = json; *c; c++)
		if (*c == '\'')
			*c = '"';
	value = json_loads(json, 0, NULL);
	assert_non_null(value);
	return value;
}

static void add_object(struct fixture *fixture, const char *resource, const char *text)
{
	auto_json json_t *json = value_of(text);
	struct error err = ERROR_INIT;

	assert_int_equal(object_new(&fixture->objects[fixture->snapshot.object_count++], resource, json, &err), 0);
}

static void prepare(struct fixture *fixture, const char *generated, bool all)
{
	static struct verify_settings settings;

	fixture->snapshot.objects = fixture->objects;
	fixture->snapshot.generated = value_of(generated);
	settings = (struct verify_settings){.snapshot = &fixture->snapshot, .policy = &policy};
	fixture->look = look_prepare(&settings, all);
}

/* The live objects of a kind, as a complete list of it would give them. */
static void give(struct fixture *fixture, const char *group, const char *resource, const char *items)
{
	struct look_kind *kind = look_find(fixture->look, group, resource);
	auto_json json_t *list = value_of(items);
	json_t *item;
	size_t i;

	assert_non_null(kind);
	look_listed(fixture->look, kind);
	json_array_foreach (list, i, item)
		look_take(fixture->look, kind, item);
}

static int set_up(void **state)
{
	struct error err = ERROR_INIT;

	assert_int_equal(fieldpath_parse(&kinds[4].ready_parents, "status.parents", &err), 0);
	strlist_add(&kinds[0].ready_conditions, "Ready");
	*state = xcalloc(1, sizeof(struct fixture));
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	verify_look_free(fixture->look);
	for (size_t i = 0; i < fixture->snapshot.object_count; i++)
		object_free(fixture->objects[i]);
	json_decref(fixture->snapshot.generated);
	strlist_release(&kinds[0].ready_conditions);
	fieldpath_free(kinds[4].ready_parents);
	free(fixture);
	return 0;
}

#define SERVICE(name, more) "{'apiVersion':'s.io/v1','kind':'Service','metadata':{'namespace':'ns','name':'" name "'" more "}}"
#define LIVE(name, uid, status)                                                                                                            \
	"{'apiVersion':'s.io/v1','kind':'Service','metadata':{'namespace':'ns','name':'" name "','uid':'" uid "'},'status':" status "}"
#define READY "{'conditions':[{'type':'Ready','status':'True'}]}"
#define UNREADY "{'conditions':[{'type':'Ready','status':'False','reason':'HTTPRoutesNotReady'}]}"
#define ENTRY(name)                                                                                                                        \
	"{'group':'apps','resource':'deployments','kind':'Deployment','namespace':'ns','name':'" name "',"                                 \
	"'owner':{'group':'s.io','kind':'Service','name':'a'}}"
#define NOTHING "{'objects':[]}"

static void assert_pending(struct fixture *fixture, size_t count, const char *expected)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;

	assert_int_equal(verify_pending(fixture->look, &text), count);
	assert_string_equal(text.buf, expected);
}

/* ---- pending ---- */

static void test_pending_tells_the_first_three(void **state)
{
	struct fixture *fixture = *state;

	add_object(fixture, "services", SERVICE("a", ""));
	add_object(fixture, "services", SERVICE("b", ""));
	add_object(fixture, "services", SERVICE("c", ""));
	prepare(fixture, "{'objects':[" ENTRY("a-1") "," ENTRY("a-2") "]}", false);
	give(fixture, "apps", "deployments", "[]");
	give(fixture, "s.io", "services", "[" LIVE("a", "u1", UNREADY) "," LIVE("b", "u2", READY) "]");
	assert_pending(fixture, 4,
		"Service ns/a: Ready is False (HTTPRoutesNotReady); Service ns/c: not there; Deployment ns/a-1: missing; and 1 more");
}

static void test_nothing_is_pending_when_all_is_back(void **state)
{
	struct fixture *fixture = *state;

	add_object(fixture, "services", SERVICE("a", ""));
	prepare(fixture, "{'objects':[" ENTRY("a-1") "]}", false);
	give(fixture, "apps", "deployments", "[{'metadata':{'namespace':'ns','name':'a-1'," OWNED("u1") "}}]");
	give(fixture, "s.io", "services", "[" LIVE("a", "u1", READY) "]");
	assert_pending(fixture, 0, "");
}

/* Converging for half an hour on what its author stopped would cost the whole recovery time. */
static void test_a_stopped_service_is_not_pending(void **state)
{
	struct fixture *fixture = *state;

	add_object(fixture, "services", SERVICE("a", ",'annotations':{'serving.kserve.io/stop':'true'}"));
	prepare(fixture, NOTHING, false);
	give(fixture, "s.io", "services", "[" LIVE("a", "u1", UNREADY) "]");
	assert_pending(fixture, 0, "");
}

/* For converging only kinds that can be pending, or that own one, are asked for. */
static void test_a_short_look_lists_what_may_be_pending(void **state)
{
	struct fixture *fixture = *state;

	add_object(fixture, "gadgets", "{'apiVersion':'s.io/v1','kind':'Gadget','metadata':{'namespace':'ns','name':'g'}}");
	add_object(fixture, "services", SERVICE("a", ""));
	prepare(fixture, NOTHING, false);
	assert_int_equal(fixture->look->kind_count, 1);
	assert_string_equal(fixture->look->kinds[0]->resource, "services");
}

/* ---- probes ---- */

static json_t *find_probe(json_t *list, const char *probe, const char *object)
{
	json_t *row;
	size_t i;

	json_array_foreach (list, i, row)
		if (!strcmp(json_text_at(row, "probe", NULL), probe) && !strcmp(json_text_at(row, "object", NULL), object))
			return row;
	return NULL;
}

static void assert_probe(json_t *list, const char *probe, const char *object, const char *result, const char *observed)
{
	json_t *row = find_probe(list, probe, object);

	assert_non_null(row);
	assert_string_equal(json_text_at(row, "result", NULL), result);
	assert_string_equal(json_text_at(row, "observed", NULL), observed);
	assert_true(json_is_array(json_object_get(row, "evidence")));
	assert_true(json_is_integer(json_object_get(row, "milliseconds")));
}

static void test_a_dangling_owner_is_an_orphan(void **state)
{
	struct fixture *fixture = *state;
	struct outcome outcome = {0};
	auto_json json_t *list = NULL;

	add_object(fixture, "services", SERVICE("a", ""));
	prepare(fixture, NOTHING, true);
	give(fixture, "apps", "deployments",
		"[{'kind':'Deployment','metadata':{'namespace':'ns','name':'good'," OWNED(
			"u1") "}},"
			      "{'kind':'Deployment','metadata':{'namespace':'ns','name':'bad'," OWNED(
				      "u0") "}},"
					    "{'kind':'Deployment','metadata':{'namespace':'ns','name':'going','deletionTimestamp':'x'"
					    "," OWNED("u0") "}},"
							    "{'kind':'Deployment','metadata':{'namespace':'elsewhere','name':'x'," OWNED(
								    "u0") "}},"
									  "{'kind':'Deployment','metadata':{'namespace':'ns','name':'free'}"
									  "}]");
	give(fixture, "s.io", "services", "[" LIVE("a", "u1", READY) "]");
	list = verify_probes(fixture->look, &outcome);
	assert_probe(list, "orphans", "generated objects", "fail", "1 of 3 have an owner that is not there");
	assert_string_equal(
		json_string_value(json_array_get(json_object_get(find_probe(list, "orphans", "generated objects"), "evidence"), 0)),
		"Deployment ns/bad: controlled by Service a with uid u0, which is not there");
	assert_int_equal(outcome_exit_code(&outcome), 5);
}

/* A service that somebody added after the snapshot owns its children rightly. */
static void test_an_owner_outside_the_snapshot_is_there(void **state)
{
	struct fixture *fixture = *state;
	struct outcome outcome = {0};
	auto_json json_t *list = NULL;

	add_object(fixture, "services", SERVICE("a", ""));
	prepare(fixture, NOTHING, true);
	give(fixture, "apps", "deployments", "[{'kind':'Deployment','metadata':{'namespace':'ns','name':'new'," OWNED("u9") "}}]");
	give(fixture, "s.io", "services", "[" LIVE("a", "u1", READY) "," LIVE("new", "u9", READY) "]");
	list = verify_probes(fixture->look, &outcome);
	assert_probe(list, "orphans", "generated objects", "pass", "none of 1");
}

static void test_probes_come_in_a_fixed_order(void **state)
{
	static const char *const expected[] = {"object", "object", "object", "children", "children", "orphans", "generation", "ready",
		"replicas", "matrix", "policy", "isolation"};
	struct fixture *fixture = *state;
	struct outcome outcome = {0};
	auto_json json_t *list = NULL;
	json_t *row;
	size_t i;

	add_object(fixture, "networkpolicies",
		"{'apiVersion':'networking.k8s.io/v1','kind':'NetworkPolicy','metadata':{'namespace':'ns','name':'n'}}");
	add_object(fixture, "gadgets", "{'apiVersion':'s.io/v1','kind':'Gadget','metadata':{'namespace':'ns','name':'g'}}");
	add_object(fixture, "services", SERVICE("a", ""));
	prepare(fixture, "{'objects':[" ENTRY("a-1") "],'notListed':['x.y']}", true);
	give(fixture, "apps", "deployments", "[]");
	give(fixture, "s.io", "services", "[]");
	list = verify_probes(fixture->look, &outcome);
	assert_int_equal(json_array_size(list), COUNT(expected));
	json_array_foreach (list, i, row)
		assert_string_equal(json_text_at(row, "probe", NULL), expected[i]);
	assert_probe(list, "object", "Service ns/a", "fail", "not there");
	assert_probe(list, "object", "Gadget ns/g", "not tested", "not looked at");
	assert_probe(list, "children", "Deployment ns/a-1", "fail", "missing");
	assert_probe(list, "children", "x.y", "not tested", "not known");
	assert_probe(list, "ready", "Service ns/a", "fail", "not there");
	assert_probe(list, "generation", "Service ns/a", "not tested", "not looked at");
	assert_probe(list, "replicas", "Deployment ns/a-1", "not tested", "not looked at");
	assert_probe(list, "matrix", "1 NetworkPolicies", "not tested", "not looked at");
	assert_probe(list, "policy", "1 NetworkPolicies", "not tested", "no pods are known");
	assert_probe(list, "isolation", "1 NetworkPolicies", "not tested", "1 in the snapshot");
}

/* ---- one single thing is wrong ---- */

#define GENERATED "{'objects':[" ENTRY("a-kserve") "]}"
#define GATEWAY_OBJECT "{'apiVersion':'gateway.networking.k8s.io/v1','kind':'Gateway','metadata':{'namespace':'ns','name':'g'}}"
#define POLICY_HEAD "{'apiVersion':'networking.k8s.io/v1','kind':'NetworkPolicy','metadata':{'namespace':'ns','name':'n'},"
#define CLOSED POLICY_HEAD "'spec':{'podSelector':{'matchLabels':{'app':'a'}},'policyTypes':['Ingress'],'ingress':[]}}"
#define OPENED                                                                                                                             \
	POLICY_HEAD                                                                                                                        \
	"'spec':{'podSelector':{'matchLabels':{'app':'a'}},'policyTypes':['Ingress'],'ingress':[{'from':[{'namespaceSelector':"            \
	"{'matchLabels':{'kubernetes.io/metadata.name':'y'}}}],'ports':[{'port':8080}]}]}}"

/* The state of a cluster on which all is well; a test changes one of these. */
struct cluster {
	const char *service, *deployment, *gateway, *policy, *route;
};
#define SERVICE_WITH(generation, observed, ready)                                                                                          \
	"{'apiVersion':'s.io/v1','kind':'Service','metadata':{'namespace':'ns','name':'a','uid':'u1','generation':" generation "},"        \
	"'status':{'observedGeneration':" observed ",'conditions':[" ready "]}}"
#define DEPLOYMENT_WITH(replicas, available)                                                                                               \
	"{'kind':'Deployment','metadata':{'namespace':'ns','name':'a-kserve'," OWNED(                                                      \
		"u1") "},'spec':{'replicas':" replicas                                                                                     \
		      ",'template':{'metadata':{'labels':{'app':'a'}}}},'status':{'availableReplicas':" available "}}"
#define GATEWAY_WITH(addresses)                                                                                                            \
	"{'apiVersion':'gateway.networking.k8s.io/v1','kind':'Gateway','metadata':{'namespace':'ns','name':'g'},'status':{'addresses':"    \
	"[" addresses "]}}"
#define IS_READY "{'type':'Ready','status':'True'}"
#define ROUTE_OBJECT                                                                                                                       \
	"{'apiVersion':'gateway.networking.k8s.io/v1','kind':'HTTPRoute','metadata':{'namespace':'ns','name':'r'},'spec':{'parentRefs':"   \
	"[{'name':'g'}]}}"
#define ROUTE_WITH(accepted)                                                                                                               \
	"{'apiVersion':'gateway.networking.k8s.io/v1','kind':'HTTPRoute','metadata':{'namespace':'ns','name':'r','generation':1},"         \
	"'spec':{'parentRefs':[{'name':'g'}]},'status':{'parents':[{'parentRef':{'name':'g'},'conditions':["                               \
	"{'type':'Accepted','status':'" accepted "','reason':'X','observedGeneration':1},"                                                 \
	"{'type':'ResolvedRefs','status':'True','observedGeneration':1}]}]}}"
static const struct cluster well = {.service = SERVICE_WITH("2", "2", IS_READY),
	.deployment = DEPLOYMENT_WITH("2", "2"),
	.gateway = GATEWAY_WITH("{'value':'10.0.0.1'}"),
	.policy = CLOSED,
	.route = ROUTE_WITH("True")};

static json_t *probes_of(struct fixture *fixture, const struct cluster *cluster, const char *other, struct outcome *outcome)
{
	auto_free char *service = xasprintf("[%s]", cluster->service);
	auto_free char *deployment = xasprintf("[%s]", cluster->deployment);
	auto_free char *gateway = xasprintf("[%s]", cluster->gateway);
	auto_free char *policies = xasprintf("[%s]", cluster->policy);
	auto_free char *routes = xasprintf("[%s]", cluster->route);

	add_object(fixture, "gateways", GATEWAY_OBJECT);
	add_object(fixture, "httproutes", ROUTE_OBJECT);
	add_object(fixture, "networkpolicies", CLOSED);
	add_object(fixture, "services", SERVICE("a", ""));
	prepare(fixture, GENERATED, true);
	give(fixture, "apps", "deployments", deployment);
	give(fixture, "gateway.networking.k8s.io", "gateways", gateway);
	give(fixture, "gateway.networking.k8s.io", "httproutes", routes);
	give(fixture, "networking.k8s.io", "networkpolicies", policies);
	give(fixture, "s.io", "services", service);
	fixture->look->installation.differs = xstrdup(other);
	return verify_probes(fixture->look, outcome);
}

/* Exactly this probe fails, so; "": none. The object probes are left out: what a policy says is told by them as well. */
static void assert_fails(struct fixture *fixture, const struct cluster *cluster, const char *probe, const char *observed)
{
	struct outcome outcome = {0};
	auto_json json_t *list = probes_of(fixture, cluster, NULL, &outcome);
	const char *failed = "", *seen = "";
	json_t *row;
	size_t i;

	json_array_foreach (list, i, row) {
		if (strcmp(json_text_at(row, "result", NULL), "fail") != 0 || !strcmp(json_text_at(row, "probe", NULL), "object"))
			continue;
		assert_string_equal(failed, "");
		failed = json_text_at(row, "probe", NULL);
		seen = json_text_at(row, "observed", NULL);
	}
	assert_string_equal(failed, probe);
	assert_string_equal(seen, observed);
	assert_int_equal(outcome_exit_code(&outcome), *probe ? 5 : 0);
}

static void test_nothing_fails_where_all_is_well(void **state)
{
	assert_fails(*state, &well, "", "");
}

static void test_only_a_missing_child_fails(void **state)
{
	struct cluster cluster = well;

	cluster.deployment = "";
	assert_fails(*state, &cluster, "children", "missing");
}

/* Another release of KServe makes other children. */
static void test_a_missing_child_of_another_installation_is_changed(void **state)
{
	struct cluster cluster = well;
	struct outcome outcome = {0};
	auto_json json_t *list = NULL;

	cluster.deployment = "";
	list = probes_of(*state, &cluster, "Deployment kserve/manager runs manager:v2", &outcome);
	assert_probe(list, "children", "Deployment ns/a-kserve", "changed", "missing");
	assert_string_equal(json_text_at(find_probe(list, "children", "Deployment ns/a-kserve"), "reason", NULL),
		"another installation: Deployment kserve/manager runs manager:v2");
	assert_int_equal(outcome_exit_code(&outcome), 0);
}

static void test_only_a_wrong_generation_fails(void **state)
{
	struct cluster cluster = well;

	cluster.service = SERVICE_WITH("3", "2", IS_READY);
	assert_fails(*state, &cluster, "generation", "status is of generation 2, not 3");
}

static void test_only_a_stale_ready_fails(void **state)
{
	struct cluster cluster = well;

	cluster.service = SERVICE_WITH("3", "3", "{'type':'Ready','status':'True','observedGeneration':2}");
	assert_fails(*state, &cluster, "generation", "Ready is that of an older generation");
}

/* True, but of what was: that is no pass. */
static void test_a_stale_ready_is_left_open(void **state)
{
	struct cluster cluster = well;
	struct outcome outcome = {0};
	auto_json json_t *list = NULL;

	cluster.service = SERVICE_WITH("3", "2", IS_READY);
	list = probes_of(*state, &cluster, NULL, &outcome);
	assert_probe(list, "ready", "Service ns/a", "not tested", "ready; status is of generation 2, not 3");
}

static void test_only_a_service_that_is_not_ready_fails(void **state)
{
	struct cluster cluster = well;

	cluster.service = SERVICE_WITH("2", "2", "{'type':'Ready','status':'False','reason':'X'}");
	assert_fails(*state, &cluster, "ready", "Ready is False (X)");
}

static void test_only_a_route_that_is_not_accepted_fails(void **state)
{
	struct cluster cluster = well;

	cluster.route = ROUTE_WITH("False");
	assert_fails(*state, &cluster, "ready", "Gateway ns/g: Accepted is False (X)");
}

static void test_only_replicas_that_are_missing_fail(void **state)
{
	struct cluster cluster = well;

	cluster.deployment = DEPLOYMENT_WITH("4", "3");
	assert_fails(*state, &cluster, "replicas", "3 of 4 available");
}

static void test_only_a_workload_without_replicas_fails(void **state)
{
	struct cluster cluster = well;

	cluster.deployment = DEPLOYMENT_WITH("0", "0");
	assert_fails(*state, &cluster, "replicas", "0 replicas");
}

static void test_only_a_gateway_without_an_address_fails(void **state)
{
	struct cluster cluster = well;

	cluster.gateway = GATEWAY_WITH("");
	assert_fails(*state, &cluster, "gateway", "no address");
}

static void test_only_a_widened_policy_fails(void **state)
{
	struct cluster cluster = well;

	cluster.policy = OPENED;
	assert_fails(*state, &cluster, "matrix", "widened: ns/ns podSelector app=a -> port 8080 from namespace y");
}

/* One that was not in the snapshot adds to what the others let in. */
static void test_a_policy_that_was_added_widens(void **state)
{
	struct cluster cluster = well;

	cluster.policy =
		CLOSED ",{'apiVersion':'networking.k8s.io/v1','kind':'NetworkPolicy','metadata':{'namespace':'ns','name':'m'},"
		       "'spec':{'podSelector':{'matchLabels':{'app':'a'}},'ingress':[{'ports':[{'port':1}],'from':[{'podSelector':{}}]}]}}";
	assert_fails(
		*state, &cluster, "matrix", "widened: ns/ns podSelector app=a -> port 1 from ns/ns other pods; ns/ns podSelector app=a");
}

static void test_a_narrowed_policy_is_changed(void **state)
{
	struct cluster cluster = well;
	struct outcome outcome = {0};
	auto_json json_t *list = NULL;

	cluster.policy = CLOSED ",{'apiVersion':'networking.k8s.io/v1','kind':'NetworkPolicy','metadata':{'namespace':'ns','name':'m'},"
				"'spec':{'podSelector':{'matchLabels':{'app':'a'}},'policyTypes':['Egress']}}";
	list = probes_of(*state, &cluster, NULL, &outcome);
	assert_string_equal(json_text_at(find_probe(list, "matrix", "1 NetworkPolicies"), "result", NULL), "changed");
	assert_int_equal(outcome_exit_code(&outcome), 0);
}

/* A part of a snapshot may leave policies out that are there. */
static void test_a_part_of_a_snapshot_has_no_matrix(void **state)
{
	struct fixture *fixture = *state;
	struct cluster cluster = well;
	struct outcome outcome = {0};
	auto_json json_t *list = NULL;

	cluster.policy = OPENED;
	fixture->snapshot.part = true;
	list = probes_of(fixture, &cluster, NULL, &outcome);
	assert_probe(list, "matrix", "1 NetworkPolicies", "not tested", "not looked at");
}

static void test_a_policy_that_selects_no_pod_is_a_finding(void **state)
{
	struct cluster cluster = well;
	struct outcome outcome = {0};
	auto_json json_t *list = NULL;

	cluster.deployment = "{'kind':'Deployment','metadata':{'namespace':'ns','name':'a-kserve'," OWNED(
		"u1") "},'spec':{'template':{'metadata':{'labels':{'app':'other'}}}},'status':{'availableReplicas':1}}";
	list = probes_of(*state, &cluster, NULL, &outcome);
	assert_probe(list, "policy", "1 NetworkPolicies", "changed", "1 of 1 select no pod");
	assert_int_equal(outcome_exit_code(&outcome), 0);
}

/* Converging waits for what verify would complain about. */
static void test_replicas_and_an_address_are_pending(void **state)
{
	struct fixture *fixture = *state;

	add_object(fixture, "services", SERVICE("a", ""));
	prepare(fixture, GENERATED, false);
	give(fixture, "apps", "deployments", "[" DEPLOYMENT_WITH("4", "3") "]");
	give(fixture, "s.io", "services", "[" SERVICE_WITH("2", "2", IS_READY) "]");
	assert_pending(fixture, 1, "Deployment ns/a-kserve: there, controlled by Service a; 3 of 4 available");
}

/* A service that its author has scaled to nothing has no replicas to wait for. */
static void test_no_replicas_are_wanted_of_an_idle_service(void **state)
{
	struct fixture *fixture = *state;

	add_object(fixture, "services",
		"{'apiVersion':'s.io/v1','kind':'Service','metadata':{'namespace':'ns','name':'a'},'spec':{'replicas':0}}");
	prepare(fixture, GENERATED, false);
	give(fixture, "apps", "deployments", "[" DEPLOYMENT_WITH("0", "0") "]");
	give(fixture, "s.io", "services", "[" SERVICE_WITH("2", "2", IS_READY) "]");
	assert_pending(fixture, 0, "");
}

/* What the cluster serves at another version cannot be compared field by field, but it is there. */
static void test_another_version_is_not_compared(void **state)
{
	struct fixture *fixture = *state;
	struct outcome outcome = {0};
	auto_json json_t *list = NULL;

	add_object(fixture, "gadgets", "{'apiVersion':'s.io/v1','kind':'Gadget','metadata':{'namespace':'ns','name':'g'}}");
	prepare(fixture, NOTHING, true);
	give(fixture, "s.io", "gadgets", "[{'apiVersion':'s.io/v2','kind':'Gadget','metadata':{'namespace':'ns','name':'g'}}]");
	list = verify_probes(fixture->look, &outcome);
	assert_probe(list, "object", "Gadget ns/g", "not tested", "there, as s.io/v2");
	assert_int_equal(outcome_exit_code(&outcome), 0);
}

static void test_a_kind_not_served_fails_its_objects_and_not_its_children(void **state)
{
	struct fixture *fixture = *state;
	struct outcome outcome = {0};
	auto_json json_t *list = NULL;
	struct look_kind *kind;

	add_object(fixture, "gadgets", "{'apiVersion':'s.io/v1','kind':'Gadget','metadata':{'namespace':'ns','name':'g'}}");
	prepare(fixture, "{'objects':[" ENTRY("a-1") "]}", true);
	for (size_t i = 0; i < fixture->look->kind_count; i++) {
		kind = fixture->look->kinds[i];
		kind->not_served = true;
		kind->why = xstrdup("not served");
	}
	list = verify_probes(fixture->look, &outcome);
	assert_probe(list, "object", "Gadget ns/g", "fail", "not there");
	assert_probe(list, "children", "Deployment ns/a-1", "not tested", "not looked at");
	assert_string_equal(json_text_at(find_probe(list, "children", "Deployment ns/a-1"), "reason", NULL), "not served");
}

/* ---- lists ---- */

#define RESOURCE(name, kind)                                                                                                               \
	"{'resource':'" name "','responseKind':{'group':'','version':'v1','kind':'" kind "'},'scope':'Namespaced','verbs':['list']}"
#define GROUP(name, resources)                                                                                                             \
	"{'metadata':{'name':'" name "'},'versions':[{'version':'v1','freshness':'Current','resources':[" resources "]}]}"
#define DISCOVERY(items) "{'kind':'APIGroupDiscoveryList','apiVersion':'apidiscovery.k8s.io/v2','metadata':{},'items':[" items "]}"

/* The text as an answer: ' is ". The caller frees. */
static char *answer_of(const char *text)
{
	char *json = xstrdup(text);

	for (char *c = json; *c; c++)
		if (*c == '\'')
			*c = '"';
	return json;
}

/* What a full look at the fixture gives when deployments are answered with this status. */
static int look_at_server(struct fixture *fixture, int status, json_t **list, struct error *err)
{
	auto_free char *core = answer_of(DISCOVERY("{'metadata':{},'versions':[]}"));
	auto_free char *groups = answer_of(DISCOVERY(GROUP("apps", RESOURCE("deployments", "Deployment")) "," GROUP(
		"s.io", RESOURCE("services", "Service") "," RESOURCE("gadgets", "Gadget"))));
	auto_free char *services = answer_of(
		"{'kind':'ServiceList','apiVersion':'s.io/v1','metadata':{'resourceVersion':'7'},'items':[" LIVE("a", "u1", READY) "]}");
	auto_free char *refusal = answer_of("{'kind':'Status','message':'no such right'}");
	const struct fake_exchange script[] = {
		{.path = "GET /api ", .status = 200, .body = core},
		{.path = "GET /apis ", .status = 200, .body = groups},
		{.path = "/apis/apps/v1/namespaces/ns/deployments?", .status = status, .body = refusal},
		{.path = "/apis/s.io/v1/namespaces/ns/services?", .status = 200, .body = services},
	};
	struct fake_api *api = fake_api_start(script, COUNT(script));
	auto_free char *server = xstrdup(fake_api_url(api));
	char source[] = "test", space[] = "default";
	struct kube_config config = {.server = server, .source = source, .namespace_ = space};
	struct kube_client *client = NULL;
	struct discovery *discovery = NULL;
	struct outcome outcome = {0};
	int result;

	fixture->snapshot.objects = fixture->objects;
	fixture->snapshot.generated = value_of("{'objects':[" ENTRY("a-1") "]}");
	assert_int_equal(kube_client_new(&client, &config, err), 0);
	assert_int_equal(discovery_load(&discovery, client, err), 0);
	result = verify_look_new(&fixture->look,
		&(struct verify_settings){.snapshot = &fixture->snapshot, .policy = &policy, .client = client, .discovery = discovery},
		true, err);
	if (result == 0)
		*list = verify_probes(fixture->look, &outcome);
	discovery_free(discovery);
	kube_client_free(client);
	fake_api_stop(api);
	return result;
}

/* A narrow role must not make a failure of what it only cannot see. */
static void test_a_kind_that_may_not_be_listed_is_not_tested(void **state)
{
	struct fixture *fixture = *state;
	struct error err = ERROR_INIT;
	auto_json json_t *list = NULL;

	add_object(fixture, "services", SERVICE("a", ",'uid':'u1'"));
	assert_int_equal(look_at_server(fixture, 403, &list, &err), 0);
	assert_probe(list, "ready", "Service ns/a", "pass", "ready");
	assert_probe(list, "children", "Deployment ns/a-1", "not tested", "not looked at");
	assert_probe(list, "orphans", "generated objects", "not tested", "not looked at");
	assert_non_null(strstr(json_text_at(find_probe(list, "children", "Deployment ns/a-1"), "reason", NULL), "no such right"));
}

static void test_any_other_fault_leaves_no_look(void **state)
{
	struct fixture *fixture = *state;
	struct error err = ERROR_INIT;
	json_t *list = NULL;

	add_object(fixture, "services", SERVICE("a", ""));
	assert_int_equal(look_at_server(fixture, 400, &list, &err), -1);
	assert_null(fixture->look);
	assert_string_equal(err.text, "look at the cluster: list of deployments.apps in namespace 'ns': no such right");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_pending_tells_the_first_three),
		TEST(test_nothing_is_pending_when_all_is_back),
		TEST(test_a_stopped_service_is_not_pending),
		TEST(test_a_short_look_lists_what_may_be_pending),
		TEST(test_a_dangling_owner_is_an_orphan),
		TEST(test_an_owner_outside_the_snapshot_is_there),
		TEST(test_probes_come_in_a_fixed_order),
		TEST(test_nothing_fails_where_all_is_well),
		TEST(test_only_a_missing_child_fails),
		TEST(test_a_missing_child_of_another_installation_is_changed),
		TEST(test_only_a_wrong_generation_fails),
		TEST(test_only_a_stale_ready_fails),
		TEST(test_a_stale_ready_is_left_open),
		TEST(test_only_a_service_that_is_not_ready_fails),
		TEST(test_only_a_route_that_is_not_accepted_fails),
		TEST(test_only_replicas_that_are_missing_fail),
		TEST(test_only_a_workload_without_replicas_fails),
		TEST(test_only_a_gateway_without_an_address_fails),
		TEST(test_only_a_widened_policy_fails),
		TEST(test_a_policy_that_was_added_widens),
		TEST(test_a_narrowed_policy_is_changed),
		TEST(test_a_part_of_a_snapshot_has_no_matrix),
		TEST(test_a_policy_that_selects_no_pod_is_a_finding),
		TEST(test_replicas_and_an_address_are_pending),
		TEST(test_no_replicas_are_wanted_of_an_idle_service),
		TEST(test_another_version_is_not_compared),
		TEST(test_a_kind_not_served_fails_its_objects_and_not_its_children),
		TEST(test_a_kind_that_may_not_be_listed_is_not_tested),
		TEST(test_any_other_fault_leaves_no_look),
	};

	return cmocka_run_group_tests_name("verify_look", tests, NULL, NULL);
}
