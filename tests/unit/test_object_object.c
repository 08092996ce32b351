/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "object/canonical.h"
#include "object/object.h"
#include "util/json.h"
#include "util/mem.h"
#include "util/strbuf.h"

static void release_object(struct object **object)
{
	object_free(*object);
}
#define auto_object __attribute__((cleanup(release_object)))

static struct object *make(const char *resource, const char *api_version, const char *namespace_, const char *name)
{
	struct error err = ERROR_INIT;
	struct object *object = NULL;
	auto_json json_t *json = json_pack("{ss,ss,s{ss}}", "apiVersion", api_version, "kind", "Kind", "metadata", "name", name);

	if (namespace_)
		json_object_set_new(json_at(json, "metadata", NULL), "namespace", json_string(namespace_));
	object_new(&object, resource, json, &err);
	assert_string_equal(err.text, "");
	return object;
}

static void assert_path(const char *resource, const char *api_version, const char *namespace_, const char *name, const char *expected)
{
	auto_strbuf struct strbuf path = STRBUF_INIT;
	auto_object struct object *object = make(resource, api_version, namespace_, name);

	object_path(object, &path);
	assert_string_equal(path.buf, expected);
}

static void test_paths(void **state)
{
	(void)state;
	assert_path("namespaces", "v1", NULL, "prod", "objects/cluster/namespaces/prod.yaml");
	assert_path("configmaps", "v1", "prod", "kube-root-ca.crt", "objects/namespaces/prod/configmaps/kube-root-ca.crt.yaml");
	assert_path("llminferenceservices", "serving.kserve.io/v1alpha2", "a", "q",
		"objects/namespaces/a/llminferenceservices.serving.kserve.io/q.yaml");
}

/* RBAC names are path segments, not DNS names; upper case is encoded since a file system may not tell it apart. */
static void test_path_encodes_other_bytes(void **state)
{
	(void)state;
	assert_path("roles", "rbac.authorization.k8s.io/v1", "a", "System:x y~_\n\xC3\xBC",
		"objects/namespaces/a/roles.rbac.authorization.k8s.io/%53ystem%3Ax%20y%7E%5F%0A%C3%BC.yaml");
	assert_path("roles", "rbac.authorization.k8s.io/v1", "a", ".git", "objects/namespaces/a/roles.rbac.authorization.k8s.io/.git.yaml");
}

static void test_path_shortens_long_names(void **state)
{
	char name[254], expected[400];

	(void)state;
	memset(name, 'a', sizeof(name));
	name[200] = '\0';
	(void)snprintf(expected, sizeof(expected), "objects/namespaces/n/configmaps/%s.yaml", name);
	assert_path("configmaps", "v1", "n", name, expected);
	name[200] = 'a';
	name[201] = '\0';
	/* printf 'a%.0s' {1..201} | sha256sum */
	(void)snprintf(expected, sizeof(expected), "objects/namespaces/n/configmaps/%.180s~%s.yaml", name, "a92efd82109373e5");
	assert_path("configmaps", "v1", "n", name, expected);
}

static void assert_refused(const char *json_text, const char *resource, const char *text)
{
	struct error err = ERROR_INIT;
	struct object *object = NULL;
	auto_json json_t *json = json_read(json_text, strlen(json_text), &err);

	assert_non_null(json);
	assert_int_equal(object_new(&object, resource, json, &err), -1);
	support_assert_error(&err, ERR_REJECTED, text);
}

static void test_refuses_what_no_server_can_hold(void **state)
{
	(void)state;
	assert_refused("[]", "pods", "not a map");
	assert_refused("{}", "pods", "no apiVersion");
	assert_refused("{\"apiVersion\":\"a/b/c\"}", "pods", "not an apiVersion: 'a/b/c'");
	assert_refused("{\"apiVersion\":\"/v1\"}", "pods", "not an apiVersion: '/v1'");
	assert_refused("{\"apiVersion\":\"v1\"}", "pods", "no kind");
	assert_refused("{\"apiVersion\":\"v1\",\"kind\":\"Pod\"}", "pods", "no metadata.name");
	assert_refused("{\"apiVersion\":\"v1\",\"kind\":\"Pod\"}", "pods/log", "not a resource: 'pods/log'");
	assert_refused("{\"apiVersion\":\"v1\",\"kind\":\"P\",\"metadata\":{\"name\":\"\"}}", "pods", "not a name of an object: ''");
	assert_refused("{\"apiVersion\":\"v1\",\"kind\":\"P\",\"metadata\":{\"name\":\"..\"}}", "pods", "not a name of an object: '..'");
	assert_refused("{\"apiVersion\":\"v1\",\"kind\":\"P\",\"metadata\":{\"name\":\"a/b\"}}", "pods", "not a name of an object: 'a/b'");
	assert_refused(
		"{\"apiVersion\":\"v1\",\"kind\":\"P\",\"metadata\":{\"name\":\"a%2f\"}}", "pods", "not a name of an object: 'a%2f'");
	assert_refused("{\"apiVersion\":\"v1\",\"kind\":\"P\",\"metadata\":{\"name\":\"a\\u0000\"}}", "pods", "no metadata.name");
	assert_refused("{\"apiVersion\":\"v1\",\"kind\":\"P\",\"metadata\":{\"name\":\"a\",\"namespace\":\"..\"}}", "pods",
		"not a name of a namespace: '..'");
	assert_refused("{\"apiVersion\":\"v1\",\"kind\":\"P\",\"metadata\":{\"name\":\"a\",\"namespace\":\"A\"}}", "pods",
		"not a name of a namespace: 'A'");
	assert_refused("{\"apiVersion\":\"v1\",\"kind\":\"P\",\"metadata\":{\"name\":\"a\",\"namespace\":1}}", "pods",
		"metadata.namespace is not text");
}

static void test_describes_for_people(void **state)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_object struct object *object = make("roles", "v1", "prod", "a\x1B[2J");
	auto_object struct object *namespace_ = make("namespaces", "v1", NULL, "prod");

	(void)state;
	object_describe(object, &text);
	strbuf_adds(&text, ", ");
	object_describe(namespace_, &text);
	assert_string_equal(text.buf, "Kind prod/a\\x1B[2J, Kind prod");
}

#define ROUTE "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata:\n  name: r\n  namespace: ns\n"

static void test_reads_a_file(void **state)
{
	struct error err = ERROR_INIT;
	auto_object struct object *object = NULL;

	(void)state;
	assert_int_equal(
		object_read(&object, "objects/namespaces/ns/httproutes.gateway.networking.k8s.io/r.yaml", ROUTE, strlen(ROUTE), &err), 0);
	assert_string_equal(object->group, "gateway.networking.k8s.io");
	assert_string_equal(object->version, "v1");
	assert_string_equal(object->resource, "httproutes");
	assert_string_equal(object->kind, "HTTPRoute");
	assert_string_equal(object->namespace_, "ns");
	assert_string_equal(object->name, "r");
}

static void assert_damaged(const char *path, const char *text, const char *expected)
{
	struct error err = ERROR_INIT;
	struct object *object = NULL;

	assert_int_equal(object_read(&object, path, text, strlen(text), &err), -1);
	support_assert_error(&err, ERR_INTEGRITY, expected);
	assert_null(object);
}

static void test_path_that_disagrees_is_damage(void **state)
{
	(void)state;
	assert_damaged("objects/namespaces/m/httproutes.gateway.networking.k8s.io/r.yaml", ROUTE,
		"'objects/namespaces/m/httproutes.gateway.networking.k8s.io/r.yaml': holds the object of "
		"'objects/namespaces/ns/httproutes.gateway.networking.k8s.io/r.yaml'");
	assert_damaged("objects/cluster/httproutes.gateway.networking.k8s.io/r.yaml", ROUTE, NULL);
	assert_damaged("objects/namespaces/ns/httproutes/r.yaml", ROUTE, NULL);
	assert_damaged("objects/namespaces/ns/httproutes.gateway.networking.k8s.io/R.yaml", ROUTE, NULL);
	assert_damaged("objects/namespaces/ns/httproutes.gateway.networking.k8s.io/%72.yaml", ROUTE, NULL);
	assert_damaged("objects/r.yaml", ROUTE, "'objects/r.yaml': not a path of an object");
	assert_damaged("objects/cluster/%zz/r.yaml", ROUTE, "'objects/cluster/%zz/r.yaml': not a path of an object");
	assert_damaged("objects/cluster/a/r.yaml", "- 1\n", "'objects/cluster/a/r.yaml': not a map");
	assert_damaged("objects/cluster/a/r.yaml", "a: [\n", NULL);
	assert_damaged("objects/cluster/a/r.yaml", "", NULL);
}

static void test_every_name_reads_back_by_its_path(void **state)
{
	char name[120];

	(void)state;
	for (int c = 1; c < 256; c++) {
		struct error err = ERROR_INIT;
		auto_strbuf struct strbuf path = STRBUF_INIT, text = STRBUF_INIT;
		auto_object struct object *again = NULL;
		if (c == '/' || c == '%' || c >= 0x80)
			continue;
		memset(name, c, sizeof(name) - 1);
		name[sizeof(name) - 1] = '\0';
		auto_object struct object *object = make("roles", "rbac.authorization.k8s.io/v1", "n", name);
		object_path(object, &path);
		canonical_yaml(object->json, &text);
		assert_int_equal(object_read(&again, path.buf, text.buf, text.len, &err), 0);
		assert_true(object_same(object, again));
	}
}

static void test_order_is_cluster_namespace_group_resource_name(void **state)
{
	struct object *objects[] = {
		make("a", "v1", "n2", "a"),
		make("b", "g/v1", "n1", "a"),
		make("b", "v1", "n1", "a"),
		make("a", "v1", "n1", "b"),
		make("a", "v1", "n1", "a"),
		make("z", "z/v1", NULL, "z"),
	};
	const size_t count = sizeof(objects) / sizeof(objects[0]);

	(void)state;
	struct object *expected[] = {objects[5], objects[4], objects[3], objects[2], objects[1], objects[0]};
	qsort(objects, count, sizeof(objects[0]), object_compare);
	for (size_t i = 0; i < count; i++)
		assert_ptr_equal(objects[i], expected[i]);
	for (size_t i = 0; i < count; i++)
		object_free(objects[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_path_encodes_other_bytes),
		cmocka_unit_test(test_path_shortens_long_names),
		cmocka_unit_test(test_refuses_what_no_server_can_hold),
		cmocka_unit_test(test_describes_for_people),
		cmocka_unit_test(test_reads_a_file),
		cmocka_unit_test(test_path_that_disagrees_is_damage),
		cmocka_unit_test(test_every_name_reads_back_by_its_path),
		cmocka_unit_test(test_order_is_cluster_namespace_group_resource_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
