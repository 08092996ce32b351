/* SPDX-License-Identifier: Apache-2.0 */
/* What NetworkPolicies let through, before and after. Texts are JSON with ' for ". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "util/json.h"
#include "util/mem.h"
#include "verify/matrix.h"

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

#define POLICY(spec) "{'metadata':{'namespace':'a','name':'p'},'spec':{" spec "}}"
#define SPACES "{'a':{'team':'x'},'b':{'team':'y'}}"
#define PODS "[{'name':'Deployment model','namespace':'a','labels':{'app':'model'},'ports':{'http':8080}}]"
/* Nothing comes in to, or goes out of, a pod of the namespace. */
#define DENY POLICY("'podSelector':{},'policyTypes':['Ingress','Egress']")
#define NO_INGRESS POLICY("'podSelector':{},'policyTypes':['Ingress']")
#define INGRESS(rule) POLICY("'podSelector':{'matchLabels':{'app':'model'}},'policyTypes':['Ingress'],'ingress':[" rule "]")
#define EGRESS(rule) POLICY("'podSelector':{'matchLabels':{'app':'model'}},'policyTypes':['Egress'],'egress':[" rule "]")

/* One text of each list, "; " between. */
static char *joined(const struct strlist *list)
{
	char *text = xstrdup("");

	for (size_t i = 0; i < list->count; i++) {
		char *longer = xasprintf("%s%s%s", text, i ? "\n" : "", list->items[i]);

		mem_free_pointer(&text);
		text = longer;
	}
	return text;
}

static void assert_spaces(const char *spaces_before, const char *before, const char *spaces_after, const char *after, const char *widened,
	const char *narrowed)
{
	auto_json json_t *was = value_of(before);
	auto_json json_t *is = value_of(after);
	auto_json json_t *was_spaces = value_of(spaces_before);
	auto_json json_t *is_spaces = value_of(spaces_after);
	auto_json json_t *pods = value_of(PODS);
	struct matrix_side sides[] = {{was, was_spaces}, {is, is_spaces}};
	struct matrix_result result = MATRIX_RESULT_INIT;
	auto_free char *more = NULL, *less = NULL;

	matrix_compare(&sides[0], &sides[1], pods, &result);
	more = joined(&result.widened);
	less = joined(&result.narrowed);
	matrix_result_release(&result);
	assert_string_equal(more, widened);
	assert_string_equal(less, narrowed);
}

static void assert_matrix(const char *before, const char *after, const char *widened, const char *narrowed)
{
	assert_spaces(SPACES, before, SPACES, after, widened, narrowed);
}

/* Both ways: what is more in one is less in the other. */
static void assert_more(const char *before, const char *after, const char *edges)
{
	assert_matrix(before, after, edges, "");
	assert_matrix(after, before, "", edges);
}

#define FROM_B "'from':[{'namespaceSelector':{'matchLabels':{'kubernetes.io/metadata.name':'b'}}}]"
#define FROM_Z "'from':[{'namespaceSelector':{'matchLabels':{'kubernetes.io/metadata.name':'z'}}}]"

static void test_the_same_policies_give_the_same_matrix(void **state)
{
	(void)state;
	assert_matrix("[" DENY "]", "[" DENY "]", "", "");
	assert_matrix("[]", "[]", "", "");
	assert_matrix("[" INGRESS("{" FROM_B "}") "," DENY "]", "[" DENY "," INGRESS("{" FROM_B "}") "]", "", "");
}

static void test_a_new_source_is_named_with_its_port(void **state)
{
	(void)state;
	assert_more("[" INGRESS("") "]", "[" INGRESS("{" FROM_Z ",'ports':[{'port':8080}]}") "]",
		"ns/a podSelector app=model -> port 8080 from namespace z");
}

/* A namespace that is looked at is known by its name; no second one is made up for it. */
static void test_a_source_that_is_looked_at_is_one_of_its_pods(void **state)
{
	(void)state;
	assert_more("[" INGRESS("") "]", "[" INGRESS("{" FROM_B ",'ports':[{'port':8080}]}") "]",
		"ns/a podSelector app=model -> port 8080 from ns/b other pods");
}

static void test_a_deleted_policy_opens_what_it_closed(void **state)
{
	(void)state;
	assert_more("[" NO_INGRESS "]", "[]",
		"ns/a other pods -> every port from ns/a other pods; ns/b other pods; other namespaces; other addresses of 0.0.0.0/0; "
		"and 1 more");
}

/* A rule without peers lets everybody in, one without ports to every port; no rule at all lets nobody in. */
static void test_an_empty_rule_allows_all_and_no_rule_nothing(void **state)
{
	(void)state;
	assert_matrix("[" INGRESS("{}") "]", "[]", "", "");
	assert_matrix("[" EGRESS("{}") "]", "[]", "", "");
	assert_more("[" INGRESS("") "]", "[" INGRESS("{'ports':[{'port':8080}]}") "]",
		"ns/a podSelector app=model -> port 8080 from ns/a other pods; ns/b other pods; ns/a podSelector app=model; other "
		"namespaces; "
		"and 2 more");
}

static void test_without_types_a_policy_is_about_ingress(void **state)
{
	(void)state;
	assert_matrix("[" POLICY("'podSelector':{}") "]", "[" NO_INGRESS "]", "", "");
}

/* Egress rules make it one about egress, too; an empty list of them does not. */
static void test_without_types_egress_rules_count(void **state)
{
	(void)state;
	assert_matrix("[" POLICY("'podSelector':{},'egress':[{}]") "]",
		"[" POLICY("'podSelector':{},'policyTypes':['Ingress','Egress'],'egress':[{}]") "]", "", "");
	assert_matrix("[" POLICY("'podSelector':{},'egress':[]") "]", "[" NO_INGRESS "]", "", "");
}

/* What one end refuses does not pass, whatever the other one allows. */
static void test_an_edge_needs_both_ends(void **state)
{
	static const char closed[] = "{'metadata':{'namespace':'b','name':'d'},'spec':{'podSelector':{},'policyTypes':['Egress']}}";
	auto_free char *before = xasprintf("[%s,%s]", INGRESS(""), closed);
	auto_free char *after = xasprintf("[%s,%s]", INGRESS("{" FROM_B "}"), closed);

	(void)state;
	assert_matrix(before, after, "", "");
}

static void test_egress_to_a_net_is_an_edge(void **state)
{
	(void)state;
	assert_more("[" EGRESS("") "]", "[" EGRESS("{'to':[{'ipBlock':{'cidr':'10.0.0.0/8'}}],'ports':[{'protocol':'UDP','port':53}]}") "]",
		"10.0.0.0/8 -> UDP port 53 from ns/a podSelector app=model");
}

static void test_what_a_block_excepts_is_not_let_through(void **state)
{
	(void)state;
	assert_more("[" EGRESS("{'to':[{'ipBlock':{'cidr':'10.0.0.0/8','except':['10.1.0.0/16']}}]}") "]",
		"[" EGRESS("{'to':[{'ipBlock':{'cidr':'10.0.0.0/8'}}]}") "]", "10.1.0.0/16 -> every port from ns/a podSelector app=model");
}

/* A block is about addresses outside of the cluster, a selector about pods. */
static void test_a_block_is_no_pod(void **state)
{
	(void)state;
	assert_matrix("[" INGRESS("") "]", "[" INGRESS("{'from':[{'ipBlock':{'cidr':'0.0.0.0/0'}}]}") "]",
		"ns/a podSelector app=model -> every port from other addresses of 0.0.0.0/0", "");
}

static void test_two_halves_are_the_whole_net(void **state)
{
	(void)state;
	assert_matrix("[" EGRESS("{'to':[{'ipBlock':{'cidr':'10.0.0.0/8'}}]}") "]",
		"[" EGRESS("{'to':[{'ipBlock':{'cidr':'10.0.0.0/9'}},{'ipBlock':{'cidr':'10.128.0.0/9'}}]}") "]", "", "");
}

static void test_a_net_of_ipv6_is_looked_at(void **state)
{
	(void)state;
	assert_more("[" EGRESS("") "]", "[" EGRESS("{'to':[{'ipBlock':{'cidr':'fd00::/8'}}]}") "]",
		"fd00::/8 -> every port from ns/a podSelector app=model");
}

static void test_ranges_of_ports_are_compared_by_number(void **state)
{
	(void)state;
	assert_matrix("[" INGRESS("{" FROM_Z ",'ports':[{'port':8000,'endPort':8010}]}") "]",
		"[" INGRESS("{" FROM_Z ",'ports':[{'port':8005,'endPort':8020}]}") "]",
		"ns/a podSelector app=model -> ports 8011-8020 from namespace z",
		"ns/a podSelector app=model -> ports 8000-8004 from namespace z");
}

static void test_a_range_in_parts_is_the_range(void **state)
{
	(void)state;
	assert_matrix("[" INGRESS("{" FROM_Z ",'ports':[{'port':1,'endPort':100}]}") "]",
		"[" INGRESS("{" FROM_Z ",'ports':[{'port':1,'endPort':50},{'port':51,'endPort':100}]}") "]", "", "");
}

static void test_a_port_without_a_number_is_every_port_of_its_protocol(void **state)
{
	(void)state;
	assert_more("[" INGRESS("") "]", "[" INGRESS("{" FROM_Z ",'ports':[{'protocol':'TCP'}]}") "]",
		"ns/a podSelector app=model -> every TCP port from namespace z");
}

/* The pods of the template call 8080 http; of others nobody knows, so that the number may be more. */
static void test_a_named_port_is_the_number_that_the_pod_gives_it(void **state)
{
	(void)state;
	assert_matrix("[" INGRESS("{" FROM_Z ",'ports':[{'port':'http'}]}") "]", "[" INGRESS("{" FROM_Z ",'ports':[{'port':8080}]}") "]",
		"ns/a podSelector app=model -> port 8080 from namespace z", "");
	assert_more("[" INGRESS("{" FROM_Z ",'ports':[{'port':'http'}]}") "]",
		"[" INGRESS("{" FROM_Z ",'ports':[{'port':'http'},{'port':'metrics'}]}") "]",
		"ns/a podSelector app=model -> port metrics from namespace z");
}

#define BOTH "'from':[{'namespaceSelector':{'matchLabels':{'team':'y'}},'podSelector':{'matchLabels':{'role':'client'}}}]"
#define EITHER "'from':[{'namespaceSelector':{'matchLabels':{'team':'y'}}},{'podSelector':{'matchLabels':{'role':'client'}}}]"

/* One dash less in the YAML is the classic mistake. */
static void test_both_selectors_in_one_peer_must_match(void **state)
{
	(void)state;
	assert_more("[" INGRESS("{" BOTH "}") "]", "[" INGRESS("{" EITHER "}") "]",
		"ns/a podSelector app=model -> every port from ns/b other pods; namespaces team=y; ns/a podSelector role=client");
}

static void test_a_pod_selector_alone_means_the_own_namespace(void **state)
{
	(void)state;
	assert_more("[" INGRESS("") "]", "[" INGRESS("{'from':[{'podSelector':{}}]}") "]",
		"ns/a podSelector app=model -> every port from ns/a other pods; ns/a podSelector app=model");
}

static void test_an_empty_namespace_selector_means_every_namespace(void **state)
{
	(void)state;
	assert_more("[" INGRESS("") "]", "[" INGRESS("{'from':[{'namespaceSelector':{}}]}") "]",
		"ns/a podSelector app=model -> every port from ns/a other pods; ns/b other pods; ns/a podSelector app=model; other "
		"namespaces");
}

static void test_expressions_select_too(void **state)
{
	static const char in[] = "'from':[{'podSelector':{'matchExpressions':[{'key':'role','operator':'In','values':['x','y']}]}}]";
	auto_free char *after = xasprintf("[%s{%s}]}}]",
		"{'metadata':{'namespace':'a','name':'p'},'spec':{'podSelector':{'matchLabels':{'app':'model'}},'policyTypes':['Ingress'],'"
		"ingress':[",
		in);

	(void)state;
	assert_more("[" INGRESS("") "]", after, "ns/a podSelector app=model -> every port from ns/a podSelector role In x y");
}

/* The policy is the same, but the namespace that it lets in is another one by now. */
static void test_a_label_of_a_namespace_widens(void **state)
{
	(void)state;
	assert_spaces("{'a':{},'b':{}}", "[" INGRESS("{" BOTH "}") "]", "{'a':{},'b':{'team':'y'}}", "[" INGRESS("{" BOTH "}") "]", "", "");
	assert_spaces("{'a':{},'b':{}}", "[" INGRESS("{'from':[{'namespaceSelector':{'matchLabels':{'team':'y'}}}]}") "]",
		"{'a':{},'b':{'team':'y'}}", "[" INGRESS("{'from':[{'namespaceSelector':{'matchLabels':{'team':'y'}}}]}") "]",
		"ns/a podSelector app=model -> every port from ns/b other pods", "");
}

/* Where nobody could read the labels of one side, they are taken as those of the other. */
static void test_labels_of_one_side_stand_for_the_other(void **state)
{
	(void)state;
	assert_spaces("{}", "[" INGRESS("{" BOTH "}") "]", "{'a':{},'b':{'team':'y'}}", "[" INGRESS("{" BOTH "}") "]", "", "");
}

/* More policies for the same pods add up. */
static void test_policies_of_one_pod_add_up(void **state)
{
	(void)state;
	assert_more("[" NO_INGRESS "]", "[" NO_INGRESS "," INGRESS("{" FROM_Z "}") "]",
		"ns/a podSelector app=model -> every port from namespace z");
	/* but a selector that closes more pods than before narrows */
	assert_matrix("[" INGRESS("") "]", "[" INGRESS("") "," NO_INGRESS "]", "",
		"ns/a other pods -> every port from ns/a other pods; ns/b other pods; ns/a podSelector app=model; other namespaces; and 2 "
		"more");
}

static void test_what_is_no_policy_is_passed_over(void **state)
{
	(void)state;
	assert_matrix("[1, {}, "
		      "{'metadata':{'namespace':'a'},'spec':{'ingress':[1,{'from':[2,{'ipBlock':{'cidr':'x','except':[3]}}],'ports':[4,{'"
		      "port':true}]}]}}]",
		"[1, {}, "
		"{'metadata':{'namespace':'a'},'spec':{'ingress':[1,{'from':[2,{'ipBlock':{'cidr':'x','except':[3]}}],'ports':[4,{'port':"
		"true}]}]}}]",
		"", "");
}

static void test_foreign_text_is_escaped(void **state)
{
	(void)state;
	assert_more("[" INGRESS("") "]", "[" INGRESS("{'from':[{'namespaceSelector':{'matchLabels':{'k':'a\\u001b[2J'}}}]}") "]",
		"ns/a podSelector app=model -> every port from namespaces k=a\\x1B[2J");
}

static void test_selected_pods_are_counted(void **state)
{
	auto_json json_t *pods = value_of(PODS);
	auto_json json_t *none = value_of(POLICY("'podSelector':{'matchLabels':{'app':'other'}}"));
	auto_json json_t *all = value_of(POLICY("'podSelector':{}"));
	auto_json json_t *elsewhere = value_of("{'metadata':{'namespace':'b'},'spec':{'podSelector':{}}}");

	(void)state;
	assert_int_equal(matrix_selected(all, pods), 1);
	assert_int_equal(matrix_selected(none, pods), 0);
	assert_int_equal(matrix_selected(elsewhere, pods), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_same_policies_give_the_same_matrix),
		cmocka_unit_test(test_a_new_source_is_named_with_its_port),
		cmocka_unit_test(test_a_source_that_is_looked_at_is_one_of_its_pods),
		cmocka_unit_test(test_a_deleted_policy_opens_what_it_closed),
		cmocka_unit_test(test_an_empty_rule_allows_all_and_no_rule_nothing),
		cmocka_unit_test(test_without_types_a_policy_is_about_ingress),
		cmocka_unit_test(test_without_types_egress_rules_count),
		cmocka_unit_test(test_an_edge_needs_both_ends),
		cmocka_unit_test(test_egress_to_a_net_is_an_edge),
		cmocka_unit_test(test_what_a_block_excepts_is_not_let_through),
		cmocka_unit_test(test_a_block_is_no_pod),
		cmocka_unit_test(test_two_halves_are_the_whole_net),
		cmocka_unit_test(test_a_net_of_ipv6_is_looked_at),
		cmocka_unit_test(test_ranges_of_ports_are_compared_by_number),
		cmocka_unit_test(test_a_range_in_parts_is_the_range),
		cmocka_unit_test(test_a_port_without_a_number_is_every_port_of_its_protocol),
		cmocka_unit_test(test_a_named_port_is_the_number_that_the_pod_gives_it),
		cmocka_unit_test(test_both_selectors_in_one_peer_must_match),
		cmocka_unit_test(test_a_pod_selector_alone_means_the_own_namespace),
		cmocka_unit_test(test_an_empty_namespace_selector_means_every_namespace),
		cmocka_unit_test(test_expressions_select_too),
		cmocka_unit_test(test_a_label_of_a_namespace_widens),
		cmocka_unit_test(test_labels_of_one_side_stand_for_the_other),
		cmocka_unit_test(test_policies_of_one_pod_add_up),
		cmocka_unit_test(test_what_is_no_policy_is_passed_over),
		cmocka_unit_test(test_foreign_text_is_escaped),
		cmocka_unit_test(test_selected_pods_are_counted),
	};

	return cmocka_run_group_tests_name("verify_matrix", tests, NULL, NULL);
}
