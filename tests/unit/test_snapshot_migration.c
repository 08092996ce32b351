/* SPDX-License-Identifier: Apache-2.0 */
/* A changed storage version is a commit of its own. */
#include "support.h"

#include <string.h>

#include "snapshot_support.h"
#include "store/git.h"
#include "store/tree.h"
#include "util/json.h"

#define DEFINITIONS "GET /apis/apiextensions.k8s.io/v1/customresourcedefinitions?"
#define DEFINITION(version, v1, v2)                                                                                                        \
	"{'apiVersion':'apiextensions.k8s.io/v1','kind':'CustomResourceDefinition','metadata':{'name':'services.s.io','uid':'u',"          \
	"'resourceVersion':'" version "'},'spec':{'versions':[{'name':'v1','served':true,'storage':" v1 "},{'name':'v2','served':true,"    \
	"'storage':" v2 "}]}}"
#define META_ONLY(version) "{'metadata':{'name':'services.s.io','uid':'u','resourceVersion':'" version "'}}"
#define AT(version, name, spec)                                                                                                            \
	"{'metadata':{'namespace':'prod','name':'" name "','uid':'" name "','resourceVersion':'" version "'},'spec':{" spec "}}"

/* A cluster that stores Services of s.io at this version, and has these. */
static void give(struct snapshot_fixture *f, int version, const char *services)
{
	static const char served[] = FAKE_RESOURCE("services", "Service", "Namespaced");
	auto_free char *groups =
		xasprintf("%s,{'metadata':{'name':'s.io'},'versions':[{'version':'v1','freshness':'Current','resources':[%s]},"
			  "{'version':'v2','freshness':'Current','resources':[%s]}]}",
			FAKE_GROUP("apiextensions.k8s.io",
				FAKE_VERSION("v1", FAKE_RESOURCE("customresourcedefinitions", "CustomResourceDefinition", "Cluster"))),
			served, served);

	fake_cluster_hello(&f->cluster, "source", FAKE_VERSION("v1", FAKE_RESOURCE("namespaces", "Namespace", "Cluster")), groups);
	fake_cluster_list(
		&f->cluster, DEFINITIONS, "meta.k8s.io/v1", "PartialObjectMetadata", version == 1 ? META_ONLY("1") : META_ONLY("2"));
	fake_cluster_list(&f->cluster, DEFINITIONS, "apiextensions.k8s.io/v1", "CustomResourceDefinition",
		version == 1 ? DEFINITION("1", "true", "false") : DEFINITION("2", "false", "true"));
	fake_cluster_list(&f->cluster, version == 1 ? "/apis/s.io/v1/services?" : "/apis/s.io/v2/services?",
		version == 1 ? "s.io/v1" : "s.io/v2", "Service", services);
	fake_cluster_list(&f->cluster, "/namespaces?", "v1", "Namespace", "");
}

static void take(struct snapshot_fixture *f, int version, const char *services)
{
	give(f, version, services);
	snapshot_take(f);
}

static void assert_subjects(const char *expected)
{
	auto_free char *subjects = shell_output("git -C repo log --format=%%s clusters/prod");

	assert_string_equal(subjects, expected);
}

#define FIRST "prod: first snapshot, 2 objects"
#define TITLE "prod: storage version of services.s.io v1 -> v2"

static void test_a_storage_version_alone_is_one_commit_titled_so(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	take(f, 1, AT("1", "a", "'n':1") "," AT("1", "b", "'n':1"));
	take(f, 2, AT("2", "a", "'n':1") "," AT("2", "b", "'n':1"));
	assert_subjects(TITLE "\n" FIRST);
	assert_file_has("objects/namespaces/prod/services.s.io/a.yaml", "apiVersion: s.io/v2\n");
	assert_string_equal(json_text_at(json_array_get(json_object_get(f->result, "storageMigrations"), 0), "to", NULL), "v2");
}

/* b was changed, c came: the commit between has neither, and is a whole snapshot that a restore takes. */
static void test_what_else_has_changed_is_in_the_commit_behind(void **fixture)
{
	struct snapshot_fixture *f = *fixture;
	struct git_commit commit;
	struct tree tree = {0};
	char id[GIT_ID_SIZE];

	take(f, 1, AT("1", "a", "'n':1") "," AT("1", "b", "'n':1"));
	take(f, 2, AT("2", "a", "'n':1") "," AT("2", "b", "'n':2") "," AT("2", "c", "'n':1"));
	assert_subjects("prod: 3 objects, 1 added, 2 changed, 0 removed\n" TITLE "\n" FIRST);
	shell("test \"$(git -C repo diff --name-only clusters/prod~2 clusters/prod~1 | tr '\\n' ' ')\" = "
	      "'crds/services.s.io.yaml objects/namespaces/prod/services.s.io/a.yaml requirements.yaml snapshot.yaml '");
	shell("git -C repo show clusters/prod~1:snapshot.yaml | grep -A4 'count: 2' | grep -q 'resource: services'");
	shell("git -C repo show clusters/prod~1:snapshot.yaml | grep -q 'storageVersion: v2'");
	shell("git -C repo show clusters/prod~1:requirements.yaml | grep -q 'storageVersion: v2'");
	assert_int_equal(git_resolve(f->store, "prod", "clusters/prod~1", id, f->err), 0);
	assert_int_equal(git_read_commit(f->store, id, &commit, f->err), 0);
	assert_int_equal(git_read_tree(f->store, id, &tree, f->err), 0);
	assert_true(git_commit_vouches(&commit, &tree));
	git_commit_release(&commit);
	tree_release(&tree);
	assert_fsck("repo");
}

/* After the migration: stored at v2, and at v1 the server tells this. */
static void take_converted(struct snapshot_fixture *f, const char *at_v2, const char *at_v1)
{
	give(f, 2, at_v2);
	fake_cluster_list(&f->cluster, "/apis/s.io/v1/services?", "s.io/v1", "Service", at_v1);
	snapshot_take(f);
}

/* A webhook renames n to m: at the version of the head the server still tells what the head has. */
static void test_what_a_webhook_converts_is_in_the_one_commit(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	take(f, 1, AT("1", "a", "'n':1") "," AT("1", "b", "'n':1"));
	take_converted(f, AT("2", "a", "'m':1") "," AT("2", "b", "'m':1"), AT("2", "a", "'n':1") "," AT("2", "b", "'n':1"));
	assert_subjects(TITLE "\n" FIRST);
	assert_file_has("objects/namespaces/prod/services.s.io/a.yaml", "  m: 1\n");
}

/* b was changed besides. */
static void test_what_people_changed_besides_a_webhook_is_in_the_commit_behind(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	take(f, 1, AT("1", "a", "'n':1") "," AT("1", "b", "'n':1"));
	take_converted(f, AT("2", "a", "'m':1") "," AT("2", "b", "'m':2"), AT("2", "a", "'n':1") "," AT("2", "b", "'n':2"));
	assert_subjects("prod: 2 objects, 0 added, 2 changed, 0 removed\n" TITLE "\n" FIRST);
	shell("git -C repo show clusters/prod~1:objects/namespaces/prod/services.s.io/a.yaml | grep -q 'm: 1'");
	shell("git -C repo show clusters/prod~1:objects/namespaces/prod/services.s.io/b.yaml | grep -q \"'n': 1\"");
}

/* The ref moves once: what a hand has done to the head is not signed by us. */
static void test_a_head_that_a_hand_has_changed_gives_one_commit(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	take(f, 1, AT("1", "a", "'n':1") "," AT("1", "b", "'n':1"));
	shell("git -C repo worktree add -q ../edit clusters/prod && echo '# by hand' >>edit/objects/namespaces/prod/services.s.io/a.yaml");
	shell("git -C edit -c user.name=x -c user.email=x@y commit -qam hand && git -C repo worktree remove --force ../edit");
	take(f, 2, AT("2", "a", "'n':1") "," AT("2", "b", "'n':2"));
	assert_subjects("prod: 2 objects, 0 added, 2 changed, 0 removed\nhand\n" FIRST);
}

static void test_a_dry_run_tells_it_and_writes_nothing(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	take(f, 1, AT("1", "a", "'n':1") "," AT("1", "b", "'n':1"));
	f->options.dry_run = true;
	take(f, 2, AT("2", "a", "'n':2") "," AT("2", "b", "'n':1"));
	assert_int_equal(json_array_size(json_object_get(f->result, "storageMigrations")), 1);
	assert_subjects(FIRST);
}

static void test_without_a_migration_nothing_is_titled_so(void **fixture)
{
	struct snapshot_fixture *f = *fixture;

	take(f, 1, AT("1", "a", "'n':1") "," AT("1", "b", "'n':1"));
	take(f, 1, AT("2", "a", "'n':2") "," AT("1", "b", "'n':1"));
	assert_subjects("prod: 2 objects, 0 added, 1 changed, 0 removed\n" FIRST);
	assert_int_equal(json_array_size(json_object_get(f->result, "storageMigrations")), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, snapshot_set_up, snapshot_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_a_storage_version_alone_is_one_commit_titled_so),
		TEST(test_what_else_has_changed_is_in_the_commit_behind),
		TEST(test_what_a_webhook_converts_is_in_the_one_commit),
		TEST(test_what_people_changed_besides_a_webhook_is_in_the_commit_behind),
		TEST(test_a_head_that_a_hand_has_changed_gives_one_commit),
		TEST(test_a_dry_run_tells_it_and_writes_nothing),
		TEST(test_without_a_migration_nothing_is_titled_so),
	};

	return cmocka_run_group_tests_name("snapshot_migration", tests, NULL, NULL);
}
