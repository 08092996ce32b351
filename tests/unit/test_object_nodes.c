/* SPDX-License-Identifier: Apache-2.0 */
/* What pods need of nodes, by their templates. */
#include "support.h"

#include "fake_cluster.h"
#include "object/nodes.h"
#include "util/json.h"
#include "util/strbuf.h"

/* expected NULL: nothing. */
static void assert_needs(const char *spec, const char *expected)
{
	auto_json json_t *pod = fake_value(spec), *needs = nodes_of_pod(pod);
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_free char *quoted = expected ? fake_quoted(expected) : NULL;

	if (!expected) {
		assert_null(needs);
		return;
	}
	json_write(needs, &text);
	assert_string_equal(text.buf, quoted);
}

#define LIMITS(name, amount) "{'resources':{'limits':{'" name "':" amount "}}}"

static void test_a_pod_that_needs_nothing_has_no_needs(void **state)
{
	(void)state;
	assert_needs("{'containers':[{'name':'main'}],'nodeSelector':{},'tolerations':[]}", NULL);
	assert_needs("{}", NULL);
}

static void test_labels_and_tolerations_are_as_they_are_written(void **state)
{
	(void)state;
	assert_needs("{'nodeSelector':{'gpu':'l4'},'tolerations':[{'key':'k','operator':'Exists'}]}",
		"{'nodeSelector':{'gpu':'l4'},'tolerations':[{'key':'k','operator':'Exists'}]}");
}

/* cpu, memory and what kubernetes.io defines is no accelerator. */
static void test_only_extended_resources_count(void **state)
{
	(void)state;
	assert_needs("{'containers':[{'resources':{'limits':{'cpu':'4','memory':'1Gi','hugepages-2Mi':'1Gi','node.kubernetes.io/x':'1',"
		     "'kubernetes.io/y':'1'}}}]}",
		NULL);
	assert_needs("{'containers':[" LIMITS("google.com/tpu", "'4'") "]}", "{'accelerators':{'google.com/tpu':4}}");
	assert_needs("{'containers':[" LIMITS("notkubernetes.example/x", "1") "]}", "{'accelerators':{'notkubernetes.example/x':1}}");
}

static void test_requests_count_where_there_are_no_limits(void **state)
{
	(void)state;
	assert_needs("{'containers':[{'resources':{'requests':{'nvidia.com/gpu':'2'}}}]}", "{'accelerators':{'nvidia.com/gpu':2}}");
}

/* Containers run together, init containers one after the other before them. */
static void test_containers_add_up_and_init_containers_do_not(void **state)
{
	(void)state;
	assert_needs("{'containers':[" LIMITS("nvidia.com/gpu", "1") "," LIMITS("nvidia.com/gpu", "'2'") "],'initContainers':[" LIMITS(
			     "nvidia.com/gpu", "2") "]}",
		"{'accelerators':{'nvidia.com/gpu':3}}");
	assert_needs("{'containers':[" LIMITS("nvidia.com/gpu", "1") "],'initContainers':[" LIMITS("nvidia.com/gpu", "2") "]}",
		"{'accelerators':{'nvidia.com/gpu':2}}");
}

static void test_an_amount_that_is_no_integer_stays(void **state)
{
	(void)state;
	assert_needs("{'containers':[" LIMITS("a.example/x", "'1k'") "]}", "{'accelerators':{'a.example/x':'1k'}}");
}

static json_int_t size_of(const char *parallelism)
{
	auto_json json_t *value = fake_value(parallelism);

	return nodes_group_size(value);
}

/* As ParallelismSpec.GetSize of KServe has it. */
static void test_the_size_of_a_group(void **state)
{
	(void)state;
	assert_int_equal(size_of("{'data':8,'dataLocal':2}"), 4);
	assert_int_equal(size_of("{'data':2,'dataLocal':8}"), 1);
	assert_int_equal(size_of("{'pipeline':3,'tensor':8}"), 3);
	assert_int_equal(size_of("{'tensor':8}"), 1);
	assert_int_equal(nodes_group_size(NULL), 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_pod_that_needs_nothing_has_no_needs),
		cmocka_unit_test(test_labels_and_tolerations_are_as_they_are_written),
		cmocka_unit_test(test_only_extended_resources_count),
		cmocka_unit_test(test_requests_count_where_there_are_no_limits),
		cmocka_unit_test(test_containers_add_up_and_init_containers_do_not),
		cmocka_unit_test(test_an_amount_that_is_no_integer_stays),
		cmocka_unit_test(test_the_size_of_a_group),
	};

	return cmocka_run_group_tests_name("object_nodes", tests, NULL, NULL);
}
