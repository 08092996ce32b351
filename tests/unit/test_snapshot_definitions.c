/* SPDX-License-Identifier: Apache-2.0 */
/* At which version a custom kind is read, and what is kept of its definition. */
#include "support.h"

#include <string.h>

#include "snapshot_support.h"
#include "util/json.h"

#define DEFINITION "GET /apis/apiextensions.k8s.io/v1/customresourcedefinitions/services.s.io "
#define STORED_AT_V2                                                                                                                       \
	"{'apiVersion':'apiextensions.k8s.io/"                                                                                             \
	"v1','kind':'CustomResourceDefinition','metadata':{'name':'services.s.io','uid':'of-the-source',"                                  \
	"'resourceVersion':'5','annotations':{'by':'helm'},'ownerReferences':[{'apiVersion':'v1','kind':'Operator','name':'o','uid':'u'}]" \
	"},"                                                                                                                               \
	"'spec':{'conversion':{'strategy':'Webhook','webhook':{'clientConfig':{'caBundle':'of-the-source','service':{'name':'hook'}}}},"   \
	"'versions':[{'name':'v1','served':true,'storage':false},{'name':'v2','served':true,'storage':true}]},'status':{'acceptedNames':{" \
	"}}}"
#define NO_RIGHT "{'kind':'Status','message':'no such right'}"

/* A cluster with one Service of s.io, at these versions. */
static void give(struct snapshot_fixture *f, const char *versions, int status, const char *definition)
{
	auto_free char *groups = xasprintf("%s,%s",
		FAKE_GROUP("apiextensions.k8s.io",
			FAKE_VERSION("v1", FAKE_RESOURCE("customresourcedefinitions", "CustomResourceDefinition", "Cluster"))),
		versions);

	fake_cluster_hello(&f->cluster, "source", FAKE_VERSION("v1", FAKE_RESOURCE("namespaces", "Namespace", "Cluster")), groups);
	(void)fake_cluster_say(&f->cluster, DEFINITION, status, definition);
	fake_cluster_list(&f->cluster, "/apis/s.io/v1/services?", "s.io/v1", "Service", SERVICE("prod", "a", ""));
	fake_cluster_list(&f->cluster, "/apis/s.io/v2/services?", "s.io/v2", "Service", SERVICE("prod", "a", ""));
	fake_cluster_list(&f->cluster, "/namespaces?", "v1", "Namespace", "");
}

#define SERVED FAKE_RESOURCE("services", "Service", "Namespaced")
#define V1 FAKE_GROUP("s.io", FAKE_VERSION("v1", SERVED))
#define V1_AND_V2 FAKE_GROUP("s.io", FAKE_VERSION("v1", SERVED) "," FAKE_VERSION("v2", SERVED))

/* At another one the conversion webhook must be up, and what only the stored version has is lost. */
static void test_a_custom_kind_is_read_at_its_storage_version(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	give(f, V1_AND_V2, 200, STORED_AT_V2);
	snapshot_take(f);
	assert_int_equal(snapshot_asked(f, "/apis/s.io/v2/services?"), 1);
	assert_int_equal(snapshot_asked(f, "/apis/s.io/v1/services?"), 0);
	assert_file_has("objects/namespaces/prod/services.s.io/a.yaml", "apiVersion: s.io/v2\n");
	assert_file_has("requirements.yaml", "- name: services.s.io\n  servedVersions:\n  - v1\n  - v2\n  storageVersion: v2\n");
}

static void test_a_storage_version_that_is_not_served_is_written_down_beside_the_one_read(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	give(f, V1, 200, STORED_AT_V2);
	snapshot_take(f);
	assert_int_equal(snapshot_asked(f, "/apis/s.io/v1/services?"), 1);
	assert_file_has("snapshot.yaml", "  storageVersion: v2\n  version: v1\n");
}

static void test_what_is_the_sources_own_is_not_kept_of_a_definition(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	give(f, V1_AND_V2, 200, STORED_AT_V2);
	snapshot_take(f);
	assert_file_has("crds/services.s.io.yaml", "metadata:\n  annotations:\n    by: helm\n  name: services.s.io\n");
	assert_file_has("crds/services.s.io.yaml", "name: hook\n");
	assert_file_lacks("crds/services.s.io.yaml", "of-the-source");
	assert_file_lacks("crds/services.s.io.yaml", "ownerReferences");
	assert_file_lacks("crds/services.s.io.yaml", "status");
}

static void test_a_definition_that_may_not_be_read_leaves_the_preferred_version(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	give(f, V1_AND_V2, 403, NO_RIGHT);
	snapshot_take(f);
	assert_int_equal(snapshot_asked(f, "/apis/s.io/v1/services?"), 1);
	assert_file_has("snapshot.yaml", "definitionsNotRead:\n- services.s.io\n");
	shell("! git -C repo ls-tree --name-only clusters/prod | grep crds");
}

/* Built into the server, or of an aggregated one. */
static void test_a_kind_without_a_definition_is_no_custom_kind(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	give(f, V1_AND_V2, 404, "{'kind':'Status','message':'not found'}");
	snapshot_take(f);
	assert_file_has("snapshot.yaml", "definitionsNotRead: []\n");
	assert_file_has("requirements.yaml", "definitions: []\n");
}

static void test_any_other_answer_fails_the_capture(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	give(f, V1_AND_V2, 400, "{'kind':'Status','message':'what?'}");
	snapshot_refused(f, ERR_REJECTED, "definition of services.s.io: customresourcedefinitions 'services.s.io': what?");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, snapshot_set_up, snapshot_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_a_custom_kind_is_read_at_its_storage_version),
		TEST(test_a_storage_version_that_is_not_served_is_written_down_beside_the_one_read),
		TEST(test_what_is_the_sources_own_is_not_kept_of_a_definition),
		TEST(test_a_definition_that_may_not_be_read_leaves_the_preferred_version),
		TEST(test_a_kind_without_a_definition_is_no_custom_kind),
		TEST(test_any_other_answer_fails_the_capture),
	};

	return cmocka_run_group_tests_name("snapshot_definitions", tests, NULL, NULL);
}
