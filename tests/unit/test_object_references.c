/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <string.h>

#include "object/fieldpath.h"
#include "object/object.h"
#include "object/references.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"

static int note(const struct reference *reference, void *arg)
{
	strbuf_addf(arg, "%s %s%s/%s/%s", reference->path, reference->resource, *reference->group ? "+" : "", reference->namespace_,
		reference->name);
	if (reference->key)
		strbuf_addf(arg, "#%s", reference->key);
	strbuf_adds(arg, reference->optional ? " optional; " : "; ");
	return 0;
}

/* Rows hold plain pointers; tests write them as literals. */
static char *text(const char *literal)
{
	return (char *)(uintptr_t)literal;
}

/* rule->path is given as text in path. */
static void assert_references(struct reference_rule rule, const char *path, const char *spec, const char *expected)
{
	struct error err = ERROR_INIT;
	auto_strbuf struct strbuf found = STRBUF_INIT;
	auto_free char *json_text =
		xasprintf("{\"apiVersion\":\"v1\",\"kind\":\"K\",\"metadata\":{\"name\":\"me\",\"namespace\":\"home\"},\"spec\":%s}", spec);
	auto_json json_t *json = json_read(json_text, strlen(json_text), &err);
	struct object *object = NULL;

	assert_int_equal(object_new(&object, "ks", json, &err), 0);
	assert_int_equal(fieldpath_parse(&rule.path, path, &err), 0);
	rule.group = rule.group ? rule.group : text("");
	assert_int_equal(references_each(object, &rule, 1, note, &found), 0);
	assert_string_equal(found.buf, expected);
	fieldpath_free(rule.path);
	object_free(object);
}

#define SECRET .resource = text("secrets")

static void test_a_string_is_a_name(void **state)
{
	(void)state;
	assert_references((struct reference_rule){SECRET}, "spec.n[]", "{\"n\":[\"a\",\"\",1,\"b\"]}",
		"spec.n[0] secrets/home/a; spec.n[3] secrets/home/b; ");
}

static void test_a_map_holds_name_namespace_and_key(void **state)
{
	(void)state;
	assert_references((struct reference_rule){SECRET, .namespace_field = text("namespace"), .key_field = text("key")}, "spec.r",
		"{\"r\":{\"name\":\"a\",\"namespace\":\"other\",\"key\":\"k\",\"optional\":true}}", "spec.r secrets/other/a#k optional; ");
	assert_references((struct reference_rule){SECRET, .namespace_field = text("namespace")}, "spec.r",
		"{\"r\":{\"name\":\"a\",\"namespace\":\"\"}}", "spec.r secrets/home/a; ");
	assert_references((struct reference_rule){SECRET, .name_field = text("secretName")}, "spec.r",
		"{\"r\":{\"secretName\":\"a\",\"name\":\"b\"}}", "spec.r secrets/home/a; ");
	assert_references((struct reference_rule){SECRET}, "spec.r", "{\"r\":{\"name\":\"\"}}", "");
}

static void test_each_item_is_a_key(void **state)
{
	(void)state;
	assert_references((struct reference_rule){SECRET, .key_field = text("items")}, "spec.r",
		"{\"r\":{\"name\":\"a\",\"items\":[{\"key\":\"x\"},{\"key\":\"y\"}]}}",
		"spec.r secrets/home/a#x; spec.r secrets/home/a#y; ");
	assert_references((struct reference_rule){SECRET, .key_field = text("items")}, "spec.r", "{\"r\":{\"name\":\"a\"}}",
		"spec.r secrets/home/a; ");
}

static void test_a_prefix_is_cut_off(void **state)
{
	struct reference_rule rule = {.resource = text("persistentvolumeclaims"), .prefix = text("pvc://")};

	(void)state;
	assert_references(rule, "spec.uri", "{\"uri\":\"pvc://models/llama/7b\"}", "spec.uri persistentvolumeclaims/home/models; ");
	assert_references(rule, "spec.uri", "{\"uri\":\"pvc://models\"}", "spec.uri persistentvolumeclaims/home/models; ");
	assert_references(rule, "spec.uri", "{\"uri\":\"pvc://\"}", "");
	assert_references(rule, "spec.uri", "{\"uri\":\"hf://models/llama\"}", "");
}

static void test_conditions(void **state)
{
	struct reference_rule rule = {
		SECRET, .when_field = text("kind"), .when_value = text("Secret"), .when_field2 = text("group"), .when_value2 = text("")};

	(void)state;
	assert_references(rule, "spec.r", "{\"r\":{\"name\":\"a\",\"kind\":\"Secret\",\"group\":\"\"}}", "spec.r secrets/home/a; ");
	assert_references(rule, "spec.r", "{\"r\":{\"name\":\"a\",\"kind\":\"ConfigMap\",\"group\":\"\"}}", "");
	assert_references(rule, "spec.r", "{\"r\":{\"name\":\"a\",\"kind\":\"Secret\",\"group\":\"x\"}}", "");
	assert_references(rule, "spec.r", "{\"r\":{\"name\":\"a\",\"kind\":\"Secret\"}}", "");
	rule.when_absent = true;
	assert_references(rule, "spec.r", "{\"r\":{\"name\":\"a\"}}", "spec.r secrets/home/a; ");
	assert_references(rule, "spec.r", "{\"r\":{\"name\":\"a\",\"kind\":\"ConfigMap\"}}", "");
}

/* A PodSpec without serviceAccountName refers to the account `default`. */
static void test_default_name(void **state)
{
	struct reference_rule rule = {.resource = text("serviceaccounts"), .default_name = text("default")};

	(void)state;
	assert_references(rule, "spec.t.sa", "{\"t\":{}}", "spec.t.sa serviceaccounts/home/default; ");
	assert_references(rule, "spec.t.sa", "{\"t\":{\"sa\":\"\"}}", "spec.t.sa serviceaccounts/home/default; ");
	assert_references(rule, "spec.t.sa", "{\"t\":{\"sa\":\"x\"}}", "spec.t.sa serviceaccounts/home/x; ");
	assert_references(rule, "spec.t.sa", "{}", "");
	rule.default_name = text("@name");
	assert_references(rule, "spec.t.sa", "{\"t\":{}}", "spec.t.sa serviceaccounts/home/me; ");
}

static void test_cluster_scoped_targets_have_no_namespace(void **state)
{
	(void)state;
	assert_references((struct reference_rule){.resource = text("gatewayclasses"), .group = text("g"), .cluster_scoped = true}, "spec.c",
		"{\"c\":\"istio\"}", "spec.c gatewayclasses+//istio; ");
}

static void test_templates_refer_to_nothing_known(void **state)
{
	(void)state;
	assert_references((struct reference_rule){SECRET}, "spec.n", "{\"n\":\"{{ ChildName .ObjectMeta.Name `-tls` }}\"}", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_string_is_a_name),
		cmocka_unit_test(test_a_map_holds_name_namespace_and_key),
		cmocka_unit_test(test_each_item_is_a_key),
		cmocka_unit_test(test_a_prefix_is_cut_off),
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_default_name),
		cmocka_unit_test(test_cluster_scoped_targets_have_no_namespace),
		cmocka_unit_test(test_templates_refer_to_nothing_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
