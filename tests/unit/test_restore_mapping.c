/* SPDX-License-Identifier: Apache-2.0 */
/* Which fields a restore changes when namespaces, Gateways, nets and hosts are called otherwise. */
#include "support.h"

#include "part_support.h"
#include "restore/mapping.h"
#include "util/error.h"
#include "util/json.h"

static void add_rules(struct mapping *mapping, enum mapping_kind kind, const char *first, const char *second)
{
	strlist_add(&mapping->rules[kind], first);
	if (second)
		strlist_add(&mapping->rules[kind], second);
}

static int map(struct part_fixture *f, enum mapping_kind kind, const char *first, const char *second)
{
	struct mapping mapping = {0};
	int rc;

	add_rules(&mapping, kind, first, second);
	rc = map_objects(f->snapshot, f->policy, &mapping, false, &f->told, f->err);
	mapping_release(&mapping);
	return rc;
}

static void mapped(struct part_fixture *f, enum mapping_kind kind, const char *first, const char *second)
{
	if (map(f, kind, first, second) < 0)
		fail_msg("%s", f->err->text);
}

static void refused(struct part_fixture *f, enum mapping_kind kind, const char *first, const char *second, const char *text)
{
	assert_int_equal(map(f, kind, first, second), -1);
	support_assert_error(f->err, ERR_USAGE, text);
	assert_null(f->told);
}

#define CHANGE(object, path, kind, from, to) "{'object':'" object "','path':'" path "','kind':'" kind "','from':'" from "','to':'" to "'}"

static void assert_changes(const struct part_fixture *f, const char *changes)
{
	assert_part_json(json_object_get(f->told, "changes"), changes);
}

/* ---- namespaces ---- */

static void test_objects_and_their_namespace_move(void **state)
{
	struct part_fixture *f = *state;

	part_object(f, SPACE("old"));
	part_object(f, SERVICE("old", "qwen", ""));
	part_object(f, SERVICE("other", "qwen", ""));
	mapped(f, MAP_NAMESPACE, "old=new", NULL);
	assert_part(f, "Namespace new, LLMInferenceService new/qwen, LLMInferenceService other/qwen");
	assert_changes(f,
		"[" CHANGE("Namespace new", "metadata.name", "namespace", "old", "new") "," CHANGE(
			"LLMInferenceService new/qwen", "metadata.namespace", "namespace", "old", "new") "]");
}

static void test_references_from_other_namespaces_follow(void **state)
{
	struct part_fixture *f = *state;

	part_object(f, SPACE("gates"));
	part_object(f, ROUTING("HTTPRoute", "apps", "r", "'parentRefs':[{'name':'front','namespace':'gates'},{'name':'mine'}]"));
	mapped(f, MAP_NAMESPACE, "gates=edge", NULL);
	assert_part_value(f, "HTTPRoute apps/r", "spec.parentRefs", "[{'name':'front','namespace':'edge'},{'name':'mine'}]");
	assert_changes(f,
		"[" CHANGE("Namespace edge", "metadata.name", "namespace", "gates", "edge") "," CHANGE(
			"HTTPRoute apps/r", "spec.parentRefs[0].namespace", "namespace", "gates", "edge") "]");
}

static void test_subjects_of_bindings_follow(void **state)
{
	struct part_fixture *f = *state;

	part_object(f,
		RIGHTS("RoleBinding", "old", "b",
			",'subjects':[{'kind':'ServiceAccount','name':'old','namespace':'old'},{'kind':'Group','name':'system:"
			"serviceaccounts:old'},"
			"{'kind':'User','name':'system:serviceaccount:old:runner'},{'kind':'User','name':'old'}]"));
	mapped(f, MAP_NAMESPACE, "old=new", NULL);
	assert_part_value(f, "RoleBinding new/b", "subjects",
		"[{'kind':'ServiceAccount','name':'old','namespace':'new'},{'kind':'Group','name':'system:serviceaccounts:new'},"
		"{'kind':'User','name':'system:serviceaccount:new:runner'},{'kind':'User','name':'old'}]");
}

static void test_selectors_of_namespaces_by_name_follow(void **state)
{
	struct part_fixture *f = *state;

	part_object(f, SPACE("old"));
	part_object(f,
		POLICY("apps", "p",
			"'ingress':[{'from':[{'namespaceSelector':{'matchLabels':{'kubernetes.io/metadata.name':'old','team':'old'}}}]}],"
			"'egress':[{'to':[{'namespaceSelector':{'matchExpressions':[{'key':'kubernetes.io/"
			"metadata.name','operator':'In','values':['x','old']},"
			"{'key':'team','operator':'In','values':['old']}]}}]}]"));
	mapped(f, MAP_NAMESPACE, "old=new", NULL);
	assert_part_value(f, "NetworkPolicy apps/p", "spec.ingress[0].from[0].namespaceSelector.matchLabels",
		"{'kubernetes.io/metadata.name':'new','team':'old'}");
	assert_part_value(f, "NetworkPolicy apps/p", "spec.egress[0].to[0].namespaceSelector.matchExpressions",
		"[{'key':'kubernetes.io/"
		"metadata.name','operator':'In','values':['x','new']},{'key':'team','operator':'In','values':['old']}]");
}

static void test_grants_follow(void **state)
{
	struct part_fixture *f = *state;

	part_object(f, SPACE("old"));
	part_object(f,
		ROUTING("ReferenceGrant", "apps", "g",
			"'from':[{'group':'','kind':'HTTPRoute','namespace':'old'}],'to':[{'kind':'Service','name':'old'}]"));
	mapped(f, MAP_NAMESPACE, "old=new", NULL);
	assert_part_value(f, "ReferenceGrant apps/g", "spec",
		"{'from':[{'group':'','kind':'HTTPRoute','namespace':'new'}],'to':[{'kind':'Service','name':'old'}]}");
}

static void test_a_namespace_within_a_text_follows(void **state)
{
	struct part_fixture *f = *state;

	part_object(f, SPACE("old"));
	part_object(f,
		OBJECT("security.istio.io/v1", "AuthorizationPolicy", META("apps", "a"),
			",'spec':{'rules':[{'from':[{'source':{'principals':['cluster.local/ns/old/sa/x','cluster.local/ns/older/sa/"
			"old']}}]}]}"));
	part_object(
		f, OBJECT("networking.istio.io/v1", "DestinationRule", META("apps", "d"), ",'spec':{'host':'epp.old.svc.cluster.local'}"));
	mapped(f, MAP_NAMESPACE, "old=new", NULL);
	assert_part_value(f, "AuthorizationPolicy apps/a", "spec.rules[0].from[0].source.principals",
		"['cluster.local/ns/new/sa/x','cluster.local/ns/older/sa/old']");
	assert_part_value(f, "DestinationRule apps/d", "spec", "{'host':'epp.new.svc.cluster.local'}");
}

/* All at once: a name that came out of one rule is not put into the next. */
static void test_two_namespaces_swap(void **state)
{
	struct part_fixture *f = *state;

	part_object(f, SPACE("a"));
	part_object(f, SPACE("b"));
	part_object(f, ROUTING("HTTPRoute", "a", "r", "'parentRefs':[{'name':'front','namespace':'b'}]"));
	mapped(f, MAP_NAMESPACE, "a=b", "b=a");
	assert_part(f, "Namespace a, Namespace b, HTTPRoute b/r");
	assert_part_value(f, "HTTPRoute b/r", "spec.parentRefs[0]", "{'name':'front','namespace':'a'}");
}

static void test_two_namespaces_become_one(void **state)
{
	struct part_fixture *f = *state;

	part_object(f, SPACE("a"));
	part_object(f, SPACE("b"));
	part_object(f, SERVICE("a", "x", ""));
	part_object(f, SERVICE("b", "y", ""));
	mapped(f, MAP_NAMESPACE, "a=c", "b=c");
	assert_part(f, "Namespace c, LLMInferenceService c/x, LLMInferenceService c/y");
}

static void test_two_objects_that_would_be_one_are_refused(void **state)
{
	struct part_fixture *f = *state;

	part_object(f, SERVICE("a", "x", ""));
	part_object(f, SERVICE("b", "x", ""));
	part_object(f, SERVICE("d", "z", ""));
	refused(f, MAP_NAMESPACE, "a=b", NULL, "the mapping makes one object of LLMInferenceService a/x and LLMInferenceService b/x");
}

static void test_a_namespace_that_is_not_there_is_a_slip(void **state)
{
	struct part_fixture *f = *state;

	part_object(f, SERVICE("models", "x", ""));
	refused(f, MAP_NAMESPACE, "model=b", NULL, "--map-namespace: no namespace 'model' in the snapshot");
	assert_string_equal(f->err->hint, "did you mean 'models'?");
}

static void test_requirements_and_children_follow(void **state)
{
	struct part_fixture *f = *state;

	part_object(f, SERVICE("old", "qwen", ""));
	part_requirements(f, "[{'name':'token','namespace':'old','neededBy':['Deployment old/d','LLMInferenceService old/qwen']}]");
	part_generated(f, "[{'kind':'Deployment','namespace':'old','name':'d','owner':{'kind':'LLMInferenceService','name':'qwen'}}]");
	mapped(f, MAP_NAMESPACE, "old=new", NULL);
	assert_part_json(json_object_get(f->snapshot->requirements, "requirements"),
		"[{'name':'token','namespace':'new','neededBy':['Deployment new/d','LLMInferenceService new/qwen']}]");
	assert_part_json(json_object_get(f->snapshot->generated, "objects"),
		"[{'kind':'Deployment','namespace':'new','name':'d','owner':{'kind':'LLMInferenceService','name':'qwen'}}]");
}

/* ---- Gateways ---- */

static void test_routes_and_services_attach_to_the_other_gateway(void **state)
{
	struct part_fixture *f = *state;

	part_object(f, ROUTING("Gateway", "gates", "front", ""));
	part_object(f, ROUTING("HTTPRoute", "apps", "r", "'parentRefs':[{'name':'front','namespace':'gates','sectionName':'http'}]"));
	part_object(f, SERVICE("gates", "s", "'router':{'gateway':{'refs':[{'name':'front'}]}}"));
	mapped(f, MAP_GATEWAY, "gates/front=edge/main", NULL);
	assert_part(f, "HTTPRoute apps/r, LLMInferenceService gates/s");
	assert_part_value(f, "HTTPRoute apps/r", "spec.parentRefs", "[{'name':'main','namespace':'edge','sectionName':'http'}]");
	assert_part_value(f, "LLMInferenceService gates/s", "spec.router.gateway.refs", "[{'name':'main','namespace':'edge'}]");
	assert_part_json(json_object_get(f->told, "replaced"), "['Gateway gates/front']");
	assert_part_json(json_object_get(f->snapshot->requirements, "requirements"),
		"[{'group':'gateway.networking.k8s.io','resource':'gateways','kind':'Gateway','namespace':'edge','name':'main','keys':['"
		"http'],"
		"'neededBy':['HTTPRoute apps/r','LLMInferenceService gates/s'],'state':'required','optional':false}]");
}

static void test_a_gateway_of_the_snapshot_is_no_requirement(void **state)
{
	struct part_fixture *f = *state;

	part_object(f, ROUTING("Gateway", "gates", "front", ""));
	part_object(f, ROUTING("Gateway", "gates", "main", ""));
	part_object(f, ROUTING("HTTPRoute", "gates", "r", "'parentRefs':[{'name':'front'}]"));
	mapped(f, MAP_GATEWAY, "gates/front=gates/main", NULL);
	assert_part_value(f, "HTTPRoute gates/r", "spec.parentRefs", "[{'name':'main'}]");
	assert_part_json(json_object_get(f->snapshot->requirements, "requirements"), "[]");
}

/* The Gateway is where the rule says, whatever becomes of that namespace otherwise. */
static void test_a_gateway_rule_goes_before_that_of_its_namespace(void **state)
{
	struct part_fixture *f = *state;
	struct mapping mapping = {0};

	part_object(f, ROUTING("HTTPRoute", "gates", "r", "'parentRefs':[{'name':'front','namespace':'gates'}]"));
	add_rules(&mapping, MAP_NAMESPACE, "gates=apps", NULL);
	add_rules(&mapping, MAP_GATEWAY, "gates/front=gates/main", NULL);
	assert_int_equal(map_objects(f->snapshot, f->policy, &mapping, false, &f->told, f->err), 0);
	mapping_release(&mapping);
	assert_part_value(f, "HTTPRoute apps/r", "spec.parentRefs", "[{'name':'main','namespace':'gates'}]");
}

/* ---- nets ---- */

#define BLOCK(cidr, except) POLICY("apps", "p", "'ingress':[{'from':[{'ipBlock':{'cidr':'" cidr "'" except "}}]}]")
#define IP_BLOCK "spec.ingress[0].from[0].ipBlock"

static void test_a_net_moves_with_what_lies_in_it(void **state)
{
	struct part_fixture *f = *state;

	part_object(f, BLOCK("10.1.4.0/22", ",'except':['10.1.5.0/24']"));
	mapped(f, MAP_CIDR, "10.1.0.0/16=172.20.0.0/16", NULL);
	assert_part_value(f, "NetworkPolicy apps/p", IP_BLOCK, "{'cidr':'172.20.4.0/22','except':['172.20.5.0/24']}");
	assert_changes(f,
		"[" CHANGE("NetworkPolicy apps/p", IP_BLOCK ".cidr", "cidr", "10.1.4.0/22", "172.20.4.0/22") "," CHANGE(
			"NetworkPolicy apps/p", IP_BLOCK ".except[0]", "cidr", "10.1.5.0/24", "172.20.5.0/24") "]");
}

static void test_the_narrowest_net_holds_and_others_stay(void **state)
{
	struct part_fixture *f = *state;

	part_object(f, BLOCK("10.1.4.0/24", ""));
	part_object(f, POLICY("apps", "q", "'egress':[{'to':[{'ipBlock':{'cidr':'0.0.0.0/0'}},{'ipBlock':{'cidr':'fd00::/64'}}]}]"));
	mapped(f, MAP_CIDR, "10.1.0.0/16=172.20.0.0/16", "10.1.4.0/24=192.168.0.0/20");
	assert_part_value(f, "NetworkPolicy apps/p", IP_BLOCK, "{'cidr':'192.168.0.0/20'}");
	assert_part_value(
		f, "NetworkPolicy apps/q", "spec.egress[0].to", "[{'ipBlock':{'cidr':'0.0.0.0/0'}},{'ipBlock':{'cidr':'fd00::/64'}}]");
}

static void test_a_net_in_one_that_changes_its_size_is_refused(void **state)
{
	struct part_fixture *f = *state;

	part_object(f, BLOCK("10.1.4.0/24", ""));
	refused(f, MAP_CIDR, "10.1.0.0/16=172.16.0.0/12", NULL,
		"NetworkPolicy apps/p: " IP_BLOCK ".cidr: 10.1.4.0/24 lies in '10.1.0.0/16', which is mapped to a net of another size");
}

static void test_an_exception_outside_of_its_net_is_refused(void **state)
{
	struct part_fixture *f = *state;

	part_object(f, BLOCK("10.0.0.0/8", ",'except':['10.1.0.0/16']"));
	refused(f, MAP_CIDR, "10.1.0.0/16=172.20.0.0/16", NULL,
		"NetworkPolicy apps/p: " IP_BLOCK ".except[0] would be 172.20.0.0/16, which does not lie in 10.0.0.0/8");
}

/* ---- hosts ---- */

static void test_a_host_and_all_below_a_domain(void **state)
{
	struct part_fixture *f = *state;

	part_object(f,
		ROUTING("HTTPRoute", "apps", "r",
			"'hostnames':['api.prod.example','chat.prod.example','*.prod.example','prod.example','other.example']"));
	mapped(f, MAP_HOST, "*.prod.example=*.dr.example", "api.prod.example=api.example");
	assert_part_value(
		f, "HTTPRoute apps/r", "spec.hostnames", "['api.example','chat.dr.example','*.dr.example','prod.example','other.example']");
}

static void test_hosts_in_lists_and_urls(void **state)
{
	struct part_fixture *f = *state;

	part_object(f,
		OBJECT("gateway.networking.k8s.io/v1", "HTTPRoute",
			"'metadata':{'name':'r','namespace':'apps','annotations':{'external-dns.alpha.kubernetes.io/hostname':'a.old, "
			"b.old'}}",
			""));
	part_object(f, SERVICE("apps", "s", "'tracing':{'exporterEndpoint':'http://a.old:4317/'}"));
	mapped(f, MAP_HOST, "a.old=a.new", NULL);
	assert_part_value(f, "HTTPRoute apps/r", "metadata.annotations", "{'external-dns.alpha.kubernetes.io/hostname':'a.new, b.old'}");
	assert_part_value(f, "LLMInferenceService apps/s", "spec.tracing", "{'exporterEndpoint':'http://a.new:4317/'}");
}

static void test_what_matches_nothing_is_told(void **state)
{
	struct part_fixture *f = *state;

	part_object(f, SERVICE("apps", "s", ""));
	mapped(f, MAP_HOST, "a.old=a.new", NULL);
	assert_part_json(json_object_get(f->told, "rules"), "[{'kind':'host','from':'a.old','to':'a.new','fields':0}]");
}

/* ---- rules ---- */

static void test_what_is_no_rule_is_refused(void **state)
{
	static const struct {
		enum mapping_kind kind;
		const char *first, *second, *text;
	} cases[] = {
		{MAP_NAMESPACE, "a", NULL, "--map-namespace: 'a' is no OLD=NEW"},
		{MAP_NAMESPACE, "a=B", NULL, "--map-namespace: 'B' is not the name of a namespace"},
		{MAP_NAMESPACE, "a=a", NULL, "--map-namespace: 'a' is mapped to itself"},
		{MAP_NAMESPACE, "a=b", "a=c", "--map-namespace: 'a' is mapped twice"},
		{MAP_GATEWAY, "a=b/c", NULL, "--map-gateway: 'a' is not NAMESPACE/NAME"},
		{MAP_CIDR, "10.0.0.0/33=10.0.0.0/8", NULL, "--map-cidr: '10.0.0.0/33' is not a CIDR or an address"},
		{MAP_CIDR, "10.0.0.0/8=fd00::/8", NULL, "--map-cidr: '10.0.0.0/8' and 'fd00::/8' are not of one IP version"},
		{MAP_HOST, "a_b=c", NULL, "--map-host: 'a_b' is not a host name or '*.' and a domain"},
		{MAP_HOST, "*.a=b", NULL, "--map-host: 'b' is one host, and the other is all below a domain"},
	};
	struct part_fixture *f = *state;

	part_object(f, SERVICE("a", "s", ""));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		refused(f, cases[i].kind, cases[i].first, cases[i].second, cases[i].text);
}

static void test_no_rule_changes_nothing(void **state)
{
	struct part_fixture *f = *state;
	struct mapping mapping = {0};

	part_object(f, SERVICE("a", "s", ""));
	assert_int_equal(map_objects(f->snapshot, f->policy, &mapping, false, &f->told, f->err), 0);
	assert_true(json_is_null(f->told));
}

static void test_a_journal_keeps_a_mapping(void **state)
{
	struct mapping mapping = {0}, again;

	(void)state;
	add_rules(&mapping, MAP_HOST, "a=b", "c=d");
	mapping_copy(&again, &mapping);
	assert_int_equal(again.rules[MAP_NAMESPACE].count, 0);
	assert_string_equal(again.rules[MAP_HOST].items[1], "c=d");
	mapping_release(&mapping);
	mapping_release(&again);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, part_set_up, part_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_objects_and_their_namespace_move),
		TEST(test_references_from_other_namespaces_follow),
		TEST(test_subjects_of_bindings_follow),
		TEST(test_selectors_of_namespaces_by_name_follow),
		TEST(test_grants_follow),
		TEST(test_a_namespace_within_a_text_follows),
		TEST(test_two_namespaces_swap),
		TEST(test_two_namespaces_become_one),
		TEST(test_two_objects_that_would_be_one_are_refused),
		TEST(test_a_namespace_that_is_not_there_is_a_slip),
		TEST(test_requirements_and_children_follow),
		TEST(test_routes_and_services_attach_to_the_other_gateway),
		TEST(test_a_gateway_of_the_snapshot_is_no_requirement),
		TEST(test_a_gateway_rule_goes_before_that_of_its_namespace),
		TEST(test_a_net_moves_with_what_lies_in_it),
		TEST(test_the_narrowest_net_holds_and_others_stay),
		TEST(test_a_net_in_one_that_changes_its_size_is_refused),
		TEST(test_an_exception_outside_of_its_net_is_refused),
		TEST(test_a_host_and_all_below_a_domain),
		TEST(test_hosts_in_lists_and_urls),
		TEST(test_what_matches_nothing_is_told),
		TEST(test_what_is_no_rule_is_refused),
		TEST(test_no_rule_changes_nothing),
		TEST(test_a_journal_keeps_a_mapping),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
