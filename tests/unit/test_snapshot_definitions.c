/* SPDX-License-Identifier: Apache-2.0 */
/* At which version a custom kind is read, and what is kept of its definition. */
#include "support.h"

#include <string.h>

#include "snapshot_support.h"
#include "util/json.h"

#define DEFINITIONS "GET /apis/apiextensions.k8s.io/v1/customresourcedefinitions"
#define OF_METADATA DEFINITIONS "?limit=100 "
#define BY_NAME DEFINITIONS "?limit=8&fieldSelector=metadata.name%3Dservices.s.io "
#define ALL DEFINITIONS "?limit=8 "
#define ONE DEFINITIONS "/services.s.io "
#define METADATA(name, uid, version) "{'metadata':{'name':'" name "','uid':'" uid "','resourceVersion':'" version "'}}"
#define OURS METADATA("services.s.io", "of-the-source", "5")
#define STORED_AT_V2                                                                                                                       \
	"{'apiVersion':'apiextensions.k8s.io/"                                                                                             \
	"v1','kind':'CustomResourceDefinition','metadata':{'name':'services.s.io','uid':'of-the-source',"                                  \
	"'resourceVersion':'5','annotations':{'by':'helm'},'ownerReferences':[{'apiVersion':'v1','kind':'Operator','name':'o','uid':'u'}]" \
	"},"                                                                                                                               \
	"'spec':{'conversion':{'strategy':'Webhook','webhook':{'clientConfig':{'caBundle':'of-the-source','service':{'name':'hook'}}}},"   \
	"'versions':[{'name':'v1','served':true,'storage':false},{'name':'v2','served':true,'storage':true}]},'status':{'acceptedNames':{" \
	"}}}"
#define NO_RIGHT "{'kind':'Status','message':'no such right'}"

#define SERVED FAKE_RESOURCE("services", "Service", "Namespaced")
#define V1 FAKE_GROUP("s.io", FAKE_VERSION("v1", SERVED))
#define V1_AND_V2 FAKE_GROUP("s.io", FAKE_VERSION("v1", SERVED) "," FAKE_VERSION("v2", SERVED))

/* A cluster with one Service of s.io, at these versions. */
static void give_kinds(struct snapshot_fixture *f, const char *versions)
{
	auto_free char *groups = xasprintf("%s,%s",
		FAKE_GROUP("apiextensions.k8s.io",
			FAKE_VERSION("v1", FAKE_RESOURCE("customresourcedefinitions", "CustomResourceDefinition", "Cluster"))),
		versions);

	fake_cluster_hello(&f->cluster, "source", FAKE_VERSION("v1", FAKE_RESOURCE("namespaces", "Namespace", "Cluster")), groups);
	fake_cluster_list(&f->cluster, "/apis/s.io/v1/services?", "s.io/v1", "Service", SERVICE("prod", "a", ""));
	fake_cluster_list(&f->cluster, "/apis/s.io/v2/services?", "s.io/v2", "Service", SERVICE("prod", "a", ""));
	fake_cluster_list(&f->cluster, "/namespaces?", "v1", "Namespace", "");
}

static void give_list(struct snapshot_fixture *f, const char *path, const char *definitions)
{
	fake_cluster_list(&f->cluster, path, "apiextensions.k8s.io/v1", "CustomResourceDefinition", definitions);
}

/* The metadata of these definitions may be listed, and ours is this. */
static void give(struct snapshot_fixture *f, const char *versions, const char *metadata, const char *definition)
{
	give_kinds(f, versions);
	fake_cluster_list(&f->cluster, OF_METADATA, "meta.k8s.io/v1", "PartialObjectMetadata", metadata);
	give_list(f, BY_NAME, definition);
}

/* No right to list; this is the answer by name. */
static void give_by_name(struct snapshot_fixture *f, int status, const char *definition)
{
	give_kinds(f, V1_AND_V2);
	(void)fake_cluster_say(&f->cluster, OF_METADATA, 403, NO_RIGHT);
	(void)fake_cluster_say(&f->cluster, ONE, status, definition);
}

/* At another one the conversion webhook must be up, and what only the stored version has is lost. */
static void test_a_custom_kind_is_read_at_its_storage_version(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	give(f, V1_AND_V2, OURS, STORED_AT_V2);
	snapshot_take(f);
	assert_int_equal(snapshot_asked(f, "/apis/s.io/v2/services?"), 1);
	assert_int_equal(snapshot_asked(f, "/apis/s.io/v1/services?"), 0);
	assert_file_has("objects/namespaces/prod/services.s.io/a.yaml", "apiVersion: s.io/v2\n");
	assert_file_has("requirements.yaml",
		"- conversion: Webhook\n  name: services.s.io\n  servedVersions:\n  - v1\n  - v2\n  storageVersion: v2\n");
}

/* The sum is that of the storage version's schema alone: it is told from the cache as well, and another version's schema changes nothing. */
static void test_a_definition_is_told_with_the_hash_of_its_schema(void **fixture)
{
	static const char with_schemas[] =
		"{'metadata':{'name':'services.s.io','uid':'of-the-source','resourceVersion':'5'},'spec':{'versions':["
		"{'name':'v1','schema':{'openAPIV3Schema':{'type':'old'}}},"
		"{'name':'v2','storage':true,'schema':{'openAPIV3Schema':{'type':'object','a':1}}}]}}";
	/* printf '{"a":1,"type":"object"}' | sha256sum */
	static const char told[] = "- conversion: None\n  name: services.s.io\n"
				   "  schemaSha256: c9e4b788f26317e4a897c39b9c7aa56910ec6cdce851b437984195639e96c9c9\n"
				   "  servedVersions:\n  - v1\n  - v2\n  storageVersion: v2\n";
	struct snapshot_fixture *f = *fixture;

	give(f, V1_AND_V2, OURS, with_schemas);
	snapshot_take(f);
	assert_file_has("requirements.yaml", told);
	give(f, V1_AND_V2, OURS, "");
	snapshot_take(f);
	assert_true(json_is_false(json_object_get(f->result, "changed")));
}

/* As an upgrade leaves a cluster: told from the cache as well. Nothing of it stays once the definition says that all are written at the new version. */
static void test_a_version_that_objects_may_still_be_stored_at_is_told(void **fixture)
{
	static const char two[] = "{'metadata':{'name':'services.s.io','uid':'of-the-source','resourceVersion':'5'},'spec':{'versions':["
				  "{'name':'v1'},{'name':'v2','storage':true}]},'status':{'storedVersions':['v0','v1','v2']}}";
	static const char migrated[] =
		"{'metadata':{'name':'services.s.io','uid':'of-the-source','resourceVersion':'6'},'spec':{'versions':["
		"{'name':'v1'},{'name':'v2','storage':true}]},'status':{'storedVersions':['v2']}}";
	static const char told[] = "- conversion: None\n  name: services.s.io\n  olderVersions: v0,v1\n";
	struct snapshot_fixture *f = *fixture;

	give(f, V1_AND_V2, OURS, two);
	snapshot_take(f);
	assert_file_has("requirements.yaml", told);
	give(f, V1_AND_V2, OURS, "");
	snapshot_take(f);
	assert_true(json_is_false(json_object_get(f->result, "changed")));
	give(f, V1_AND_V2, METADATA("services.s.io", "of-the-source", "6"), migrated);
	snapshot_take(f);
	shell("! git -C repo show clusters/prod:requirements.yaml | grep olderVersions");
}

static void test_a_storage_version_that_is_not_served_is_written_down_beside_the_one_read(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	give(f, V1, OURS, STORED_AT_V2);
	snapshot_take(f);
	assert_int_equal(snapshot_asked(f, "/apis/s.io/v1/services?"), 1);
	assert_file_has("snapshot.yaml", "  storageVersion: v2\n  version: v1\n");
}

static void test_what_is_the_sources_own_is_not_kept_of_a_definition(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	give(f, V1_AND_V2, OURS, STORED_AT_V2);
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

	give_by_name(f, 403, NO_RIGHT);
	snapshot_take(f);
	assert_int_equal(snapshot_asked(f, "/apis/s.io/v1/services?"), 1);
	assert_file_has("snapshot.yaml", "definitionsNotRead:\n- services.s.io\n");
	shell("! git -C repo ls-tree --name-only clusters/prod | grep crds");
}

/* Whoever is given some definitions by name may not list. */
static void test_without_the_right_to_list_a_definition_is_read_by_name(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	give_by_name(f, 200, STORED_AT_V2);
	snapshot_take(f);
	assert_int_equal(snapshot_asked(f, "/apis/s.io/v2/services?"), 1);
	assert_file_has("snapshot.yaml", "definitionsNotRead: []\n");
}

/* Built into the server, or of an aggregated one. */
static void test_a_kind_without_a_definition_is_no_custom_kind(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	give(f, V1_AND_V2, METADATA("others.s.io", "o", "1"), "");
	snapshot_take(f);
	assert_int_equal(snapshot_asked(f, DEFINITIONS), 1);
	assert_file_has("snapshot.yaml", "definitionsNotRead: []\n");
	assert_file_has("requirements.yaml", "definitions: []\n");
}

static void test_nor_is_one_whose_name_is_not_found(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	give_by_name(f, 404, "{'kind':'Status','message':'not found'}");
	snapshot_take(f);
	assert_file_has("snapshot.yaml", "definitionsNotRead: []\n");
	assert_file_has("requirements.yaml", "definitions: []\n");
}

static void test_any_other_answer_fails_the_capture(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	give_by_name(f, 400, "{'kind':'Status','message':'what?'}");
	snapshot_refused(f, ERR_REJECTED, "definition of services.s.io: customresourcedefinitions 'services.s.io': what?");
}

/* ---- known from the last capture ---- */

static void test_a_known_definition_is_not_asked_for(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	give(f, V1_AND_V2, OURS, STORED_AT_V2);
	snapshot_take(f);
	give(f, V1_AND_V2, METADATA("others.s.io", "o", "1") "," OURS, "");
	snapshot_take(f);
	assert_int_equal(snapshot_asked(f, DEFINITIONS), 1);
	assert_int_equal(snapshot_asked(f, "/apis/s.io/v2/services?"), 1);
	assert_true(json_is_false(json_object_get(f->result, "changed")));
}

static void test_another_version_of_it_is(void **fixture)
{
	static const char *const metadata[] = {METADATA("services.s.io", "of-the-source", "6"), METADATA("services.s.io", "new", "5")};
	struct snapshot_fixture *f = *fixture;

	give(f, V1_AND_V2, OURS, STORED_AT_V2);
	snapshot_take(f);
	for (size_t i = 0; i < 2; i++) {
		auto_free char *changed = xstrdup(STORED_AT_V2);

		memcpy(strstr(changed, "helm"), i ? "hand" : "tool", 4);
		if (i)
			memcpy(strstr(changed, "of-the-source"), "new','a':'bcd", strlen("of-the-source"));
		give(f, V1_AND_V2, metadata[i], changed);
		snapshot_take(f);
		assert_int_equal(snapshot_asked(f, BY_NAME), 1);
		assert_file_has("crds/services.s.io.yaml", i ? "by: hand" : "by: tool");
	}
}

/* ---- many ---- */

#define KIND(name) "- {resource: " name ", group: x.io, kind: " name ", wave: one}\n"
#define CUSTOM(name) FAKE_RESOURCE(name, name, "Namespaced")
#define STORED(name)                                                                                                                       \
	"{'metadata':{'name':'" name ".x.io','uid':'" name "','resourceVersion':'1'},'spec':{'versions':[{'name':'v1','storage':true}]}}"
#define META_OF(name) METADATA(name ".x.io", name, "1")

/* A page of all is cut into its definitions, and of those that nobody asked for not even the syntax is looked at. */
static void test_of_all_definitions_only_the_wanted_ones_are_parsed(void **fixture)
{
	static const char *const kinds[] = {"a", "b", "c", "d", "e"};
	static const char *const paths[] = {"/v1/a?", "/v1/b?", "/v1/c?", "/v1/d?", "/v1/e?"};
	struct snapshot_fixture *f = *fixture;

	snapshot_policy(f,
		"format: 1\nname: test\nscope: {excludeNamespaces: []}\nwaves: [{name: one}]\nkinds:\n" KIND("a") KIND("b") KIND("c")
			KIND("d") KIND("e"));
	fake_cluster_hello(&f->cluster, "source", "",
		FAKE_GROUP("apiextensions.k8s.io",
			FAKE_VERSION("v1",
				FAKE_RESOURCE("customresourcedefinitions", "CustomResourceDefinition", "Cluster"))) "," FAKE_GROUP("x.io",
			FAKE_VERSION("v1", CUSTOM("a") "," CUSTOM("b") "," CUSTOM("c") "," CUSTOM("d") "," CUSTOM("e"))));
	fake_cluster_list(&f->cluster, OF_METADATA, "meta.k8s.io/v1", "PartialObjectMetadata",
		META_OF("a") "," META_OF("b") "," META_OF("c") "," META_OF("d") "," META_OF("e") "," METADATA("z.z.io", "z", "1"));
	give_list(f, ALL,
		STORED("a") "," STORED("b") ",{'metadata':{'name':'z.z.io','uid':'z'},'spec':[nonsense]}," STORED("c") "," STORED(
			"d") "," STORED("e"));
	for (size_t i = 0; i < 5; i++)
		fake_cluster_list(&f->cluster, paths[i], "x.io/v1", kinds[i], "");
	snapshot_take(f);
	assert_int_equal(snapshot_asked(f, DEFINITIONS), 2);
	shell("test $(git -C repo ls-tree -r --name-only clusters/prod:crds | wc -l) = 5");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, snapshot_set_up, snapshot_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_a_custom_kind_is_read_at_its_storage_version),
		TEST(test_a_definition_is_told_with_the_hash_of_its_schema),
		TEST(test_a_version_that_objects_may_still_be_stored_at_is_told),
		TEST(test_a_storage_version_that_is_not_served_is_written_down_beside_the_one_read),
		TEST(test_what_is_the_sources_own_is_not_kept_of_a_definition),
		TEST(test_a_definition_that_may_not_be_read_leaves_the_preferred_version),
		TEST(test_without_the_right_to_list_a_definition_is_read_by_name),
		TEST(test_a_kind_without_a_definition_is_no_custom_kind),
		TEST(test_nor_is_one_whose_name_is_not_found),
		TEST(test_any_other_answer_fails_the_capture),
		TEST(test_a_known_definition_is_not_asked_for),
		TEST(test_another_version_of_it_is),
		TEST(test_of_all_definitions_only_the_wanted_ones_are_parsed),
	};

	return cmocka_run_group_tests_name("snapshot_definitions", tests, NULL, NULL);
}
