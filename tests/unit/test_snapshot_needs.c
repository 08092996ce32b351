/* SPDX-License-Identifier: Apache-2.0 */
/* What requirements.yaml says of things that objects refer to. */
#include "support.h"

#include <string.h>

#include "object/canonical.h"
#include "snapshot/environment.h"
#include "snapshot_support.h"
#include "store/snapshot.h"
#include "util/error.h"
#include "util/json.h"
#include "util/strbuf.h"

/* A requirement as it stands in the file, from keys to state. */
#define NEED(group, keys, kind, name, ns, needed_by, optional, resource, state)                                                            \
	"- group: " group "\n  keys:" keys "\n  kind: " kind "\n  name: " name "\n  namespace: " ns "\n  neededBy:\n  - " needed_by        \
	"\n  optional: " optional "\n  resource: " resource "\n  state: " state "\n"
#define NO_NEEDS "requirements: []\n"

static void test_a_secret_is_required_without_being_read(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	snapshot_take_given(f, &(struct snapshot_given){.services = SERVICE("prod", "a", "'secret':'hf'")});
	assert_file_has("requirements.yaml",
		"requirements:\n" NEED("''", " []", "Secret", "hf", "prod", "Service prod/a", "false", "secrets", "required"));
	assert_int_equal(snapshot_asked(f, "/secrets"), 0);
}

static void test_a_referenced_object_that_is_not_there_is_missing(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	snapshot_take_given(
		f, &(struct snapshot_given){.services = SERVICE("prod", "a", "'config':'app'"), .configs = CONFIG("prod", "other")});
	assert_file_has("requirements.yaml",
		"requirements:\n" NEED("''", " []", "ConfigMap", "app", "prod", "Service prod/a", "false", "configmaps", "missing"));
}

static void test_a_generated_object_is_no_burden(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	snapshot_take_given(
		f, &(struct snapshot_given){.services = SERVICE("prod", "a", "'config':'root-ca'"), .configs = CONFIG("prod", "root-ca")});
	assert_file_has("requirements.yaml",
		"requirements:\n" NEED("''", " []", "ConfigMap", "root-ca", "prod", "Service prod/a", "false", "configmaps", "generated"));
	assert_int_equal(json_array_size(json_object_get(f->result, "uncovered")), 0);
}

static void test_an_installed_object_is_no_burden(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	snapshot_take_given(
		f, &(struct snapshot_given){.services = SERVICE("prod", "a", "'route':'preset'"), .routes = ROUTE("prod", "preset", "")});
	assert_file_has("requirements.yaml",
		"requirements:\n" NEED("r.io", " []", "Route", "preset", "prod", "Service prod/a", "false", "routes", "installed"));
	assert_int_equal(json_array_size(json_object_get(f->result, "uncovered")), 0);
}

static void test_what_is_in_the_snapshot_is_no_requirement(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	snapshot_take_given(
		f, &(struct snapshot_given){.services = SERVICE("prod", "a", "'config':'app'"), .configs = CONFIG("prod", "app")});
	assert_file_has("requirements.yaml", NO_NEEDS);
}

/* cert-manager makes the Secret of a Certificate that comes back. */
static void test_a_secret_that_a_captured_object_produces_is_generated(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	snapshot_take_given(f,
		&(struct snapshot_given){
			.services = SERVICE("prod", "a", "'secret':'tls'"),
			.certificates = "{" META("prod", "cert", "") ",'spec':{'secret':'tls'}}",
		});
	assert_file_has("requirements.yaml",
		"requirements:\n" NEED("''", " []", "Secret", "tls", "prod", "Service prod/a", "false", "secrets", "generated"));
	assert_int_equal(json_array_size(json_object_get(f->result, "uncovered")), 0);
	assert_int_equal(snapshot_number(f, "generated"), 0); /* nobody saw one */
}

static void test_a_secret_produced_in_another_namespace_is_another(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	snapshot_take_given(f,
		&(struct snapshot_given){
			.services = SERVICE("prod", "a", "'secret':'tls'"),
			.certificates = "{" META("test", "cert", "") ",'spec':{'secret':'tls'}}",
		});
	assert_file_has("requirements.yaml", "state: required\n");
}

static void test_a_cluster_scoped_requirement_has_no_namespace(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	snapshot_take_given(f, &(struct snapshot_given){.services = SERVICE("prod", "a", "'class':'gke'")});
	assert_file_has("requirements.yaml",
		"requirements:\n" NEED("c.io", " []", "classes", "gke", "''", "Service prod/a", "false", "classes", "required"));
}

static void test_a_requirement_names_all_who_need_it_and_all_keys(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	snapshot_take_given(f,
		&(struct snapshot_given){
			.services = SERVICE("prod", "b", "'token':{'name':'hf','key':'write'}") "," SERVICE(
				"prod", "a", "'token':{'name':'hf','key':'read'}"),
		});
	assert_file_has("requirements.yaml",
		"requirements:\n" NEED("''", "\n  - read\n  - write", "Secret", "hf", "prod", "Service prod/a\n  - Service prod/b", "false",
			"secrets", "required"));
}

static void test_it_is_optional_only_when_everybody_says_so(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	snapshot_take_given(f,
		&(struct snapshot_given){
			.services = SERVICE("prod", "a", "'token':{'name':'one','optional':true}") "," SERVICE(
				"prod", "b", "'token':{'name':'one'}") "," SERVICE("prod", "c", "'token':{'name':'two','optional':true}"),
		});
	assert_file_has("requirements.yaml",
		"name: one\n  namespace: prod\n  neededBy:\n  - Service prod/a\n  - Service prod/b\n  optional: false\n");
	assert_file_has("requirements.yaml", "name: two\n  namespace: prod\n  neededBy:\n  - Service prod/c\n  optional: true\n");
}

static void test_requirements_are_sorted_by_what_they_are(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	const json_t *uncovered;

	snapshot_take_given(f,
		&(struct snapshot_given){
			.services =
				SERVICE("test", "a", "'secret':'x','class':'gke'") "," SERVICE("prod", "a", "'secret':'y','config':'app'"),
		});
	uncovered = json_object_get(f->result, "uncovered");
	assert_int_equal(json_array_size(uncovered), 4);
	assert_string_equal(json_text_at(json_array_get(uncovered, 0), "name", NULL), "app");
	assert_string_equal(json_text_at(json_array_get(uncovered, 1), "name", NULL), "y");
	assert_string_equal(json_text_at(json_array_get(uncovered, 2), "name", NULL), "x");
	assert_string_equal(json_text_at(json_array_get(uncovered, 3), "name", NULL), "gke");
}

/* ---- by key ---- */

/* What is in the snapshot is a requirement all the same when it lacks what is asked of it. */
static void test_a_key_that_a_captured_object_lacks_is_missing(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	snapshot_take_given(f,
		&(struct snapshot_given){.services = SERVICE("prod", "a", "'config':{'name':'app','key':'key'}") "," SERVICE(
						 "prod", "b", "'config':{'name':'app','key':'other'}"),
			.configs = CONFIG("prod", "app")});
	assert_file_has("requirements.yaml",
		"requirements:\n- group: ''\n  keys:\n  - key\n  - other\n  kind: ConfigMap\n  missingKeys:\n  - other\n  name: app\n");
	assert_file_has("requirements.yaml", "  state: missing\n");
	assert_int_equal(json_array_size(json_object_get(f->result, "uncovered")), 1);
}

static void test_a_key_that_is_there_is_no_requirement(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	snapshot_take_given(f,
		&(struct snapshot_given){
			.services = SERVICE("prod", "a", "'config':{'name':'app','key':'key'}"), .configs = CONFIG("prod", "app")});
	assert_file_has("requirements.yaml", NO_NEEDS);
}

/* As a listener of a Gateway; also when the last capture has told. */
static void test_a_section_that_is_not_there_is_missing(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	for (int run = 0; run < 2; run++) {
		snapshot_take_given(f,
			&(struct snapshot_given){.services = SERVICE("prod", "a", "'route':{'name':'gate','section':'https'}") "," SERVICE(
							 "prod", "b", "'route':{'name':'gate','section':'http'}"),
				.routes = "{" META("prod", "gate", "") ",'spec':{'sections':[{'name':'http'},{'name':'other'}]}}"});
		assert_file_has("requirements.yaml", "  missingKeys:\n  - https\n  name: gate\n");
	}
	assert_true(json_is_false(json_object_get(f->result, "changed")));
}

/* ---- secrets: check ---- */

#define SECRET_OF(ns, name) "GET /api/v1/namespaces/" ns "/secrets/" name " "
#define SECRET_OBJECT(data) "{'kind':'Secret','metadata':{'name':'hf'},'data':{" data "}}"
#define NO_SUCH "{'kind':'Status','message':'no such secret'}"

static void check_secrets(struct snapshot_fixture *f)
{
	auto_free char *text = xasprintf("secrets: check\n%s", snapshot_policy_text);

	snapshot_policy(f, text);
}

static void test_a_checked_secret_is_required_with_all_its_keys(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	check_secrets(f);
	(void)fake_cluster_say(&f->cluster, SECRET_OF("prod", "hf"), 200, SECRET_OBJECT("'token':'c2VjcmV0LXZhbHVl','more':'eA=='"));
	snapshot_take_given(f, &(struct snapshot_given){.services = SERVICE("prod", "a", "'token':{'name':'hf','key':'token'}")});
	assert_file_has("requirements.yaml",
		"requirements:\n" NEED("''", "\n  - token", "Secret", "hf", "prod", "Service prod/a", "false", "secrets", "required"));
	assert_file_has("requirements.yaml", "notRead: []\n");
	assert_int_equal(snapshot_asked(f, "/secrets"), 1);
	/* nor anything of the keys that nobody asked for */
	shell("! grep -rqE 'c2VjcmV0|secret-value' repo");
	assert_file_lacks("requirements.yaml", "more");
}

static void test_a_key_that_a_checked_secret_lacks_is_missing_at_the_source(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	check_secrets(f);
	(void)fake_cluster_say(&f->cluster, SECRET_OF("prod", "hf"), 200, SECRET_OBJECT("'other':'eA=='"));
	snapshot_take_given(f, &(struct snapshot_given){.services = SERVICE("prod", "a", "'token':{'name':'hf','key':'token'}")});
	assert_file_has("requirements.yaml", "  missingKeys:\n  - token\n");
	assert_file_has("requirements.yaml", "  state: missing\n");
}

/* Where no key is asked for its values do not even leave the server. */
static void test_of_a_secret_without_keys_only_metadata_is_read(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	check_secrets(f);
	(void)fake_cluster_say(&f->cluster, SECRET_OF("prod", "hf"), 200, "{'kind':'PartialObjectMetadata','metadata':{'name':'hf'}}");
	snapshot_take_given(f, &(struct snapshot_given){.services = SERVICE("prod", "a", "'secret':'hf'")});
	assert_file_has("requirements.yaml", "  state: required\n");
}

static void test_a_secret_that_is_not_there_is_missing(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	check_secrets(f);
	(void)fake_cluster_say(&f->cluster, SECRET_OF("prod", "hf"), 404, NO_SUCH);
	snapshot_take_given(f, &(struct snapshot_given){.services = SERVICE("prod", "a", "'secret':'hf'")});
	assert_file_has("requirements.yaml", "  state: missing\n");
}

static void test_a_secret_that_may_not_be_read_is_as_if_nobody_had_looked(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	check_secrets(f);
	(void)fake_cluster_say(&f->cluster, SECRET_OF("prod", "hf"), 403, NO_SUCH);
	snapshot_take_given(f, &(struct snapshot_given){.services = SERVICE("prod", "a", "'token':{'name':'hf','key':'token'}")});
	assert_file_has("requirements.yaml", "  state: required\n");
	assert_file_has("requirements.yaml", "notRead:\n- secrets\n");
}

static void test_a_secret_that_something_makes_is_not_looked_for(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	check_secrets(f);
	snapshot_take_given(f,
		&(struct snapshot_given){.services = SERVICE("prod", "a", "'secret':'tls'"),
			.certificates = "{" META("prod", "cert", "") ",'spec':{'secret':'tls'}}"});
	assert_int_equal(snapshot_asked(f, "/secrets"), 0);
}

/* A fault of the answer shows nothing of it. */
static void test_a_broken_secret_shows_nothing(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	check_secrets(f);
	fake_cluster_say_times(&f->cluster, 3, SECRET_OF("prod", "hf"), 200, "{'data':{'token':'secret-value'");
	snapshot_give(f, &(struct snapshot_given){.services = SERVICE("prod", "a", "'token':{'name':'hf','key':'token'}")});
	assert_int_equal(snapshot_run(f), -1);
	assert_null(strstr(f->err->text, "secret-value"));
}

/* ---- nodes ---- */

#define GPU "{'containers':[{'resources':{'limits':{'nvidia.com/gpu':'2'}}}]}"
#define NODES(all, path, pods)                                                                                                             \
	"- accelerators:\n  - all: " all "\n    each: 2\n    name: nvidia.com/gpu\n  object: Service prod/a\n  path: " path                \
	"\n  pods: " pods "\n"

typedef json_t *(*list_fn)(const struct snapshot *snapshot, const struct policy *policy);

/* What follows from the objects of a snapshot and the policy: it is not in the tree. */
static void assert_list(struct snapshot_fixture *f, const char *services, list_fn list, const char *expected)
{
	const struct snapshot_source source = {.repo = "repo"};
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_json json_t *rows = NULL;
	struct snapshot *snapshot;

	snapshot_take_given(f, &(struct snapshot_given){.services = services});
	if (snapshot_open(&snapshot, &source, NULL, f->err) < 0)
		fail_msg("%s", f->err->text);
	rows = list(snapshot, f->policy);
	snapshot_free(snapshot);
	canonical_yaml(rows, &text);
	assert_string_equal(text.buf, expected);
}

static void assert_nodes(struct snapshot_fixture *f, const char *service, const char *expected)
{
	assert_list(f, service, node_needs_of, expected);
}

static void test_accelerators_are_counted_for_each_pod_and_in_all(void **fixture)
{
	assert_nodes(*fixture, SERVICE("prod", "a", "'replicas':3,'pod':" GPU), NODES("6", "spec.pod", "3"));
}

static void test_a_service_of_no_replicas_needs_none_now(void **fixture)
{
	assert_nodes(*fixture, SERVICE("prod", "a", "'replicas':0,'pod':" GPU), NODES("0", "spec.pod", "0"));
}

static void test_the_first_count_that_is_there_holds(void **fixture)
{
	assert_nodes(*fixture, SERVICE("prod", "a", "'min':2,'pod':" GPU), NODES("4", "spec.pod", "2"));
}

static void test_without_a_count_it_is_one_pod(void **fixture)
{
	assert_nodes(*fixture, SERVICE("prod", "a", "'pod':" GPU), NODES("2", "spec.pod", "1"));
}

/* The leader of each group has another template. */
static void test_followers_are_all_of_a_group_but_one(void **fixture)
{
	assert_nodes(
		*fixture, SERVICE("prod", "a", "'replicas':2,'parallel':{'pipeline':4},'others':" GPU), NODES("12", "spec.others", "6"));
}

static void test_a_template_alone_tells_what_each_pod_needs(void **fixture)
{
	assert_nodes(*fixture, SERVICE("prod", "a", "'template':{'nodeSelector':{'zone':'b'},'tolerations':[{'key':'k'}]}"),
		"- nodeSelector:\n    zone: b\n  object: Service prod/a\n  path: spec.template\n  tolerations:\n  - key: "
		"k\n");
}

static void test_values_of_the_surroundings_are_listed_by_object(void **fixture)
{
	assert_list(*fixture, SERVICE("prod", "b", "'host':'b.example'") "," SERVICE("prod", "a", "'host':'a.example'"), environment_of,
		"- object: Service prod/a\n  path: spec.host\n  value: a.example\n"
		"- object: Service prod/b\n  path: spec.host\n  value: b.example\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, snapshot_set_up, snapshot_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_a_secret_is_required_without_being_read),
		TEST(test_a_referenced_object_that_is_not_there_is_missing),
		TEST(test_a_generated_object_is_no_burden),
		TEST(test_an_installed_object_is_no_burden),
		TEST(test_what_is_in_the_snapshot_is_no_requirement),
		TEST(test_a_secret_that_a_captured_object_produces_is_generated),
		TEST(test_a_secret_produced_in_another_namespace_is_another),
		TEST(test_a_cluster_scoped_requirement_has_no_namespace),
		TEST(test_a_requirement_names_all_who_need_it_and_all_keys),
		TEST(test_it_is_optional_only_when_everybody_says_so),
		TEST(test_requirements_are_sorted_by_what_they_are),
		TEST(test_a_key_that_a_captured_object_lacks_is_missing),
		TEST(test_a_key_that_is_there_is_no_requirement),
		TEST(test_a_section_that_is_not_there_is_missing),
		TEST(test_a_checked_secret_is_required_with_all_its_keys),
		TEST(test_a_key_that_a_checked_secret_lacks_is_missing_at_the_source),
		TEST(test_of_a_secret_without_keys_only_metadata_is_read),
		TEST(test_a_secret_that_is_not_there_is_missing),
		TEST(test_a_secret_that_may_not_be_read_is_as_if_nobody_had_looked),
		TEST(test_a_secret_that_something_makes_is_not_looked_for),
		TEST(test_a_broken_secret_shows_nothing),
		TEST(test_accelerators_are_counted_for_each_pod_and_in_all),
		TEST(test_a_service_of_no_replicas_needs_none_now),
		TEST(test_the_first_count_that_is_there_holds),
		TEST(test_without_a_count_it_is_one_pod),
		TEST(test_followers_are_all_of_a_group_but_one),
		TEST(test_a_template_alone_tells_what_each_pod_needs),
		TEST(test_values_of_the_surroundings_are_listed_by_object),
	};

	return cmocka_run_group_tests_name("snapshot_needs", tests, NULL, NULL);
}
