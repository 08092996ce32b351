/* SPDX-License-Identifier: Apache-2.0 */
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
#include "util/error.h"
#include "util/mem.h"
#include "util/strbuf.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* Load from a scripted server; NULL with *err on failure. */
static struct discovery *load(const struct fake_exchange *script, size_t count, struct error *err)
{
	struct fake_api *api = fake_api_start(script, count);
	auto_free char *server = xstrdup(fake_api_url(api));
	char source[] = "test";
	char space[] = "default";
	struct kube_config config = {.server = server, .source = source, .namespace_ = space};
	struct kube_client *client = NULL;
	struct discovery *discovery = NULL;

	if (kube_client_new(&client, &config, err) == 0 && discovery_load(&discovery, client, err) < 0)
		discovery = NULL;
	kube_client_free(client);
	fake_api_stop(api);
	return discovery;
}

static void assert_resource(
	const struct kube_resource *resource, const char *version, const char *plural, const char *kind, bool namespaced)
{
	assert_non_null(resource);
	assert_string_equal(resource->version, version);
	assert_string_equal(resource->resource, plural);
	assert_string_equal(resource->kind, kind);
	assert_int_equal(resource->namespaced, namespaced);
}

/* ---- aggregated ---- */

#define V2(items) "{\"kind\":\"APIGroupDiscoveryList\",\"apiVersion\":\"apidiscovery.k8s.io/v2\",\"metadata\":{},\"items\":[" items "]}"
#define V2_RESOURCE(name, kind, scope)                                                                                                     \
	"{\"resource\":\"" name "\",\"responseKind\":{\"group\":\"\",\"version\":\"v1\",\"kind\":\"" kind "\"},\"scope\":\"" scope         \
	"\",\"verbs\":[\"list\"],\"subresources\":[{\"subresource\":\"status\"}]}"
#define V2_VERSION(version, freshness, resources)                                                                                          \
	"{\"version\":\"" version "\",\"freshness\":\"" freshness "\",\"resources\":[" resources "]}"

#define CORE V2("{\"metadata\":{},\"versions\":[" V2_VERSION("v1", "Current", V2_RESOURCE("namespaces", "Namespace", "Cluster")) "]}")
#define POOL V2_RESOURCE("inferencepools", "InferencePool", "Namespaced")
#define GROUPS                                                                                                                             \
	V2("{\"metadata\":{\"name\":\"g.io\"},\"versions\":[" V2_VERSION("v1", "Current", POOL) "," V2_VERSION("v1alpha2", "Current",      \
		POOL                                                                                                                       \
		"," V2_RESOURCE("models", "Model", "Namespaced")) "]},"                                                                    \
								  "{\"metadata\":{\"name\":\"metrics.k8s.io\"},\"versions\":[" V2_VERSION( \
									  "v1beta1", "Stale", "") "]}")

static struct discovery *load_aggregated(void)
{
	const struct fake_exchange script[] = {
		{.path = "GET /api ", .status = 200, .body = CORE}, {.path = "GET /apis ", .status = 200, .body = GROUPS}};
	struct error err = ERROR_INIT;
	struct discovery *discovery = load(script, COUNT(script), &err);

	if (!discovery)
		fail_msg("%s", err.text);
	return discovery;
}

static void test_finds_in_the_aggregated_document(void **state)
{
	struct discovery *discovery = load_aggregated();

	(void)state;
	assert_resource(discovery_find(discovery, "", "namespaces", NULL), "v1", "namespaces", "Namespace", false);
	assert_resource(discovery_find(discovery, "g.io", "inferencepools", NULL), "v1", "inferencepools", "InferencePool", true);
	assert_resource(
		discovery_find(discovery, "g.io", "inferencepools", "v1alpha2"), "v1alpha2", "inferencepools", "InferencePool", true);
	assert_resource(discovery_find_kind(discovery, "g.io", "Model", NULL), "v1alpha2", "models", "Model", true);
	assert_null(discovery_find(discovery, "g.io", "models", "v1"));
	assert_null(discovery_find(discovery, "h.io", "models", NULL));
	assert_null(discovery_find(discovery, "", "inferencepools", NULL));
	discovery_free(discovery);
}

static void test_lists_versions_in_server_order(void **state)
{
	struct discovery *discovery = load_aggregated();
	auto_free const char **versions = discovery_versions(discovery, "g.io", "inferencepools");

	(void)state;
	assert_string_equal(versions[0], "v1");
	assert_string_equal(versions[1], "v1alpha2");
	assert_null(versions[2]);
	assert_null(discovery_versions(discovery, "g.io", "none"));
	discovery_free(discovery);
}

/* An aggregated API server that is down: its group is not "not served". */
static void test_a_stale_group_is_incomplete(void **state)
{
	struct discovery *discovery = load_aggregated();

	(void)state;
	assert_null(discovery_find(discovery, "metrics.k8s.io", "pods", NULL));
	assert_true(discovery_incomplete(discovery, "metrics.k8s.io"));
	assert_false(discovery_incomplete(discovery, "g.io"));
	assert_false(discovery_incomplete(discovery, "h.io"));
	discovery_free(discovery);
}

/* ---- the older documents ---- */

#define LIST(resources) "{\"kind\":\"APIResourceList\",\"groupVersion\":\"x\",\"resources\":[" resources "]}"
#define RESOURCE(name, kind, namespaced)                                                                                                   \
	"{\"name\":\"" name "\",\"singularName\":\"\",\"namespaced\":" namespaced ",\"kind\":\"" kind "\",\"verbs\":[\"get\"]}"
#define LEGACY_GROUPS                                                                                                                      \
	"{\"kind\":\"APIGroupList\",\"apiVersion\":\"v1\",\"groups\":[{\"name\":\"g.io\",\"versions\":[{\"version\":\"v1alpha2\"},"        \
	"{\"version\":\"v1\"}],\"preferredVersion\":{\"version\":\"v1\"}},{\"name\":\"d.io\",\"versions\":[{\"version\":\"v1\"}],"         \
	"\"preferredVersion\":{\"version\":\"v1\"}},{\"name\":\"gone.io\",\"versions\":[{\"version\":\"v1\"}]}]}"

static void test_falls_back_to_the_older_documents(void **state)
{
	const struct fake_exchange script[] = {
		{.path = "GET /api ", .status = 200, .body = "{\"kind\":\"APIVersions\",\"versions\":[\"v1\"]}"},
		{.path = "GET /api/v1 ",
			.status = 200,
			.body = LIST(RESOURCE("pods", "Pod", "true") "," RESOURCE("pods/status", "Pod", "true"))},
		{.path = "GET /apis ", .status = 200, .body = LEGACY_GROUPS},
		{.path = "GET /apis/g.io/v1 ", .status = 200, .body = LIST(RESOURCE("inferencepools", "InferencePool", "true"))},
		{.path = "GET /apis/g.io/v1alpha2 ", .status = 200, .body = LIST(RESOURCE("inferencepools", "InferencePool", "true"))},
		{.path = "GET /apis/d.io/v1 ", .status = 403, .body = "{\"message\":\"no\"}"},
		{.path = "GET /apis/gone.io/v1 ", .status = 404},
	};
	struct error err = ERROR_INIT;
	struct discovery *discovery = load(script, COUNT(script), &err);

	(void)state;
	assert_non_null(discovery);
	assert_resource(discovery_find(discovery, "", "pods", NULL), "v1", "pods", "Pod", true);
	assert_null(discovery_find(discovery, "", "pods/status", NULL));
	assert_resource(discovery_find(discovery, "g.io", "inferencepools", NULL), "v1", "inferencepools", "InferencePool", true);
	assert_non_null(discovery_find(discovery, "g.io", "inferencepools", "v1alpha2"));
	assert_true(discovery_incomplete(discovery, "d.io"));
	assert_false(discovery_incomplete(discovery, "gone.io"));
	discovery_free(discovery);
}

/* ---- failures ---- */

static void assert_load_fails(const char *api, const char *apis, const char *text)
{
	const struct fake_exchange script[] = {
		{.path = "GET /api ", .status = 200, .body = api}, {.path = "GET /apis ", .status = 200, .body = apis}};
	struct error err = ERROR_INIT;

	assert_null(load(script, COUNT(script), &err));
	assert_string_equal(err.text, text);
}

static void test_refuses_documents_without_their_lists(void **state)
{
	(void)state;
	assert_load_fails("{}", GROUPS, "discovery of '/api': the answer has no versions");
	assert_load_fails(CORE, "{}", "discovery of '/apis': the answer has no groups");
	assert_load_fails(CORE, "{\"kind\":\"APIGroupDiscoveryList\"}", "discovery of '/apis': the answer has no items");
}

/* ---- paths ---- */

static void assert_path(struct kube_resource *resource, const char *namespace_, const char *name, const char *expected)
{
	auto_strbuf struct strbuf path = STRBUF_INIT;

	kube_path(&path, resource, namespace_, name);
	assert_string_equal(path.buf, expected);
}

static void test_paths(void **state)
{
	char group[] = "gateway.networking.k8s.io", core[] = "", version[] = "v1", routes[] = "httproutes", spaces[] = "namespaces";
	struct kube_resource route = {.group = group, .version = version, .resource = routes, .namespaced = true};
	struct kube_resource space = {.group = core, .version = version, .resource = spaces};

	(void)state;
	assert_path(&route, NULL, NULL, "/apis/gateway.networking.k8s.io/v1/httproutes");
	assert_path(&route, "", NULL, "/apis/gateway.networking.k8s.io/v1/httproutes");
	assert_path(&route, "ns", NULL, "/apis/gateway.networking.k8s.io/v1/namespaces/ns/httproutes");
	assert_path(&route, "ns", "a", "/apis/gateway.networking.k8s.io/v1/namespaces/ns/httproutes/a");
	assert_path(&space, NULL, "a", "/api/v1/namespaces/a");
	assert_path(&space, "ignored", "a", "/api/v1/namespaces/a");
}

/* A name from a snapshot cannot lead to another path. */
static void test_hostile_names_stay_one_segment(void **state)
{
	char core[] = "", version[] = "v1", maps[] = "configmaps";
	struct kube_resource resource = {.group = core, .version = version, .resource = maps, .namespaced = true};

	(void)state;
	assert_path(&resource, "ns", "../secrets?x#y", "/api/v1/namespaces/ns/configmaps/..%2Fsecrets%3Fx%23y");
	assert_path(&resource, "..", ".", "/api/v1/namespaces/%2E%2E/configmaps/%2E");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finds_in_the_aggregated_document),
		cmocka_unit_test(test_lists_versions_in_server_order),
		cmocka_unit_test(test_a_stale_group_is_incomplete),
		cmocka_unit_test(test_falls_back_to_the_older_documents),
		cmocka_unit_test(test_refuses_documents_without_their_lists),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_hostile_names_stay_one_segment),
	};

	return cmocka_run_group_tests_name("kube_discovery", tests, NULL, NULL);
}
