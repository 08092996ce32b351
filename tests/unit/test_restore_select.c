/* SPDX-License-Identifier: Apache-2.0 */
/* Which objects are chosen by --only, and which come along. */
#include "support.h"

#include "part_support.h"
#include "restore/select.h"
#include "util/error.h"
#include "util/json.h"

/* Two teams; qwen of the first refers to a config, a ConfigMap, an account and a route, with rights for the account. */
static void two_teams(struct part_fixture *f)
{
	part_object(f, SPACE("red"));
	part_object(f, SPACE("blue"));
	part_object(f,
		SERVING("LLMInferenceService", LABELLED("red", "qwen", "'team':'ml'"),
			"'baseRefs':[{'name':'base'}],'router':{'scheduler':{'config':{'ref':{'name':'plugins'}}},'route':{'http':{'refs':["
			"{'name':'"
			"qwen-route'}]}}},'template':{'serviceAccountName':'runner','containers':[]}"));
	part_object(f, SERVICE("red", "opt", ""));
	part_object(f, SERVICE("blue", "qwen", ""));
	part_object(f, CONFIG("red", "base"));
	part_object(f, CONFIG("red", "other"));
	part_object(f, OBJECT("v1", "ConfigMap", META("red", "plugins"), ""));
	part_object(f, OBJECT("v1", "ServiceAccount", META("red", "runner"), ""));
	part_object(f, RIGHTS("Role", "red", "reader", ",'rules':[]"));
	part_object(f,
		RIGHTS("RoleBinding", "red", "reader",
			",'roleRef':{'kind':'Role','name':'reader'},'subjects':[{'kind':'ServiceAccount','name':'runner','namespace':'red'}"
			"]"));
	part_object(f, ROUTING("HTTPRoute", "red", "qwen-route", "'parentRefs':[{'name':'front','namespace':'blue'}]"));
	part_object(f, ROUTING("Gateway", "blue", "front", ""));
	part_object(f, POLICY("red", "deny", ""));
}

static int choose(struct part_fixture *f, enum selection_references references, const char *first, const char *second)
{
	struct selection selection = {.references = references};
	int rc;

	strlist_add(&selection.only, first);
	if (second)
		strlist_add(&selection.only, second);
	rc = select_objects(f->snapshot, f->policy, &selection, &f->told, f->err);
	selection_release(&selection);
	return rc;
}

static void chosen(struct part_fixture *f, const char *only, const char *words)
{
	if (choose(f, REFERENCES_INCLUDE, only, NULL) < 0)
		fail_msg("%s", f->err->text);
	assert_part(f, words);
}

static void refused(struct part_fixture *f, const char *only, const char *text, const char *hint)
{
	two_teams(f);
	assert_int_equal(choose(f, REFERENCES_INCLUDE, only, NULL), -1);
	support_assert_error(f->err, ERR_USAGE, text);
	assert_string_equal(f->err->hint, hint);
	assert_null(f->told);
}

#define NEEDED                                                                                                                             \
	"Namespace blue, Namespace red, Gateway blue/front, ConfigMap red/plugins, ServiceAccount red/runner, HTTPRoute red/qwen-route, "  \
	"RoleBinding red/reader, Role red/reader, LLMInferenceServiceConfig red/base, LLMInferenceService red/qwen"

static void test_a_service_brings_what_it_needs_and_no_more(void **state)
{
	struct part_fixture *f = *state;

	two_teams(f);
	chosen(f, "kind=llminferenceservice,ns=red,name=qwen", NEEDED);
	assert_int_equal(json_integer_value(json_object_get(f->told, "chosen")), 1);
	assert_int_equal(json_integer_value(json_object_get(f->told, "leftOut")), 4);
}

static void test_what_comes_along_names_who_needs_it(void **state)
{
	struct part_fixture *f = *state;

	two_teams(f);
	chosen(f, "kind=httproute", "Namespace blue, Namespace red, Gateway blue/front, HTTPRoute red/qwen-route");
	assert_part_json(json_object_get(f->told, "pulledIn"),
		"[{'object':'Namespace blue','neededBy':['Gateway blue/front']},{'object':'Namespace red','neededBy':['HTTPRoute "
		"red/qwen-route']},"
		"{'object':'Gateway blue/front','neededBy':['HTTPRoute red/qwen-route']}]");
}

static void test_all_of_one_condition_must_hold_and_one_of_several(void **state)
{
	struct part_fixture *f = *state;

	two_teams(f);
	assert_int_equal(choose(f, REFERENCES_REFUSE, "ns=blue,kind=LLMInferenceService", "name=den*"), 0);
	assert_part(f, "LLMInferenceService blue/qwen, NetworkPolicy red/deny");
}

static void test_a_label_with_and_without_its_value(void **state)
{
	struct part_fixture *f = *state;

	two_teams(f);
	chosen(f, "label=team=m?,label=team", NEEDED);
}

static void test_a_namespace_is_in_the_namespace_that_it_is(void **state)
{
	struct part_fixture *f = *state;

	two_teams(f);
	chosen(f, "ns=blue", "Namespace blue, Gateway blue/front, LLMInferenceService blue/qwen");
}

static void test_kinds_are_called_as_kubectl_calls_them(void **state)
{
	struct part_fixture *f = *state;

	two_teams(f);
	assert_int_equal(choose(f, REFERENCES_REFUSE, "kind=netpol", "kind=gateways.gateway.networking.k8s.io"), 0);
	assert_part(f, "Gateway blue/front, NetworkPolicy red/deny");
}

/* The namespace is no reference: whether the target has it is seen by preflight. */
static void test_needed_objects_that_are_not_chosen_are_refused_by_name(void **state)
{
	struct part_fixture *f = *state;

	two_teams(f);
	assert_int_equal(choose(f, REFERENCES_REFUSE, "kind=httproute", NULL), -1);
	support_assert_error(
		f->err, ERR_USAGE, "--only leaves out what is needed: Gateway blue/front (needed by HTTPRoute red/qwen-route)");
	assert_string_equal(f->err->hint, "choose them too, or take them along with --only-references include");
}

static void test_what_matches_nothing_names_what_is_near(void **state)
{
	refused(*state, "ns=red,name=qwne", "--only 'ns=red,name=qwne': no object of the snapshot is like that", "did you mean name=qwen?");
}

static void test_a_namespace_that_is_not_there_names_those_that_are(void **state)
{
	refused(*state, "ns=production,name=qwen", "--only 'ns=production,name=qwen': no object of the snapshot is like that",
		"there are blue, red");
}

static void test_a_kind_that_is_not_there_names_the_nearest(void **state)
{
	refused(*state, "kind=htproute", "--only 'kind=htproute': no kind 'htproute' in the snapshot", "did you mean 'httproutes'?");
}

static void test_an_unknown_condition(void **state)
{
	refused(*state, "nmae=qwen", "--only 'nmae=qwen': no condition 'nmae'", "did you mean 'name'?");
}

static void test_a_condition_without_a_value(void **state)
{
	refused(*state, "qwen", "--only 'qwen': 'qwen' is no KEY=VALUE",
		"write it as kind=KIND,ns=NAMESPACE,name=NAME,label=KEY=VALUE, or a part of that");
}

static void test_a_name_twice_in_one_condition(void **state)
{
	refused(*state, "name=qwen,name=opt", "--only 'name=qwen,name=opt': 'name' is there twice",
		"an object that one of several conditions holds for is chosen: give each of "
		"them its own --only");
}

static void test_requirements_are_those_of_the_part(void **state)
{
	struct part_fixture *f = *state;

	two_teams(f);
	part_requirements(f,
		"[{'name':'token','neededBy':['LLMInferenceService blue/qwen','LLMInferenceService red/qwen']},"
		"{'name':'other','neededBy':['LLMInferenceService red/qwen']}]");
	chosen(f, "ns=blue", "Namespace blue, Gateway blue/front, LLMInferenceService blue/qwen");
	assert_part_json(json_object_get(f->snapshot->requirements, "requirements"),
		"[{'name':'token','neededBy':['LLMInferenceService blue/qwen']}]");
}

/* The second is made from the first, and stands before it. */
#define CHILD(kind, ns, name, owner) "{'kind':'" kind "','namespace':'" ns "','name':'" name "','owner':{" owner "}}"
#define BY(name) "'group':'serving.kserve.io','kind':'LLMInferenceService','name':'" name "'"

static void test_children_are_those_of_the_part(void **state)
{
	struct part_fixture *f = *state;

	two_teams(f);
	part_generated(f,
		"[" CHILD("Service", "blue", "b", "'group':'','kind':'Pool','name':'a'") "," CHILD(
			"Pool", "blue", "a", BY("qwen")) "," CHILD("Pool", "red", "a", BY("qwen")) "]");
	chosen(f, "ns=blue", "Namespace blue, Gateway blue/front, LLMInferenceService blue/qwen");
	assert_part_json(json_object_get(f->snapshot->generated, "objects"),
		"[" CHILD("Service", "blue", "b", "'group':'','kind':'Pool','name':'a'") "," CHILD("Pool", "blue", "a", BY("qwen")) "]");
}

static void test_no_condition_leaves_the_snapshot_whole(void **state)
{
	struct part_fixture *f = *state;
	struct selection selection = {0};

	two_teams(f);
	assert_int_equal(select_objects(f->snapshot, f->policy, &selection, &f->told, f->err), 0);
	assert_true(json_is_null(f->told));
	assert_int_equal(f->snapshot->object_count, 14);
}

static void test_a_journal_keeps_a_selection(void **state)
{
	struct selection selection = {.references = REFERENCES_REFUSE}, again;

	(void)state;
	strlist_add(&selection.only, "ns=a,name=b");
	{
		auto_json json_t *json = selection_json(&selection);

		selection_read(&again, json);
	}
	assert_int_equal(again.references, REFERENCES_REFUSE);
	assert_string_equal(again.only.items[0], "ns=a,name=b");
	selection_release(&selection);
	selection_release(&again);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, part_set_up, part_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_service_brings_what_it_needs_and_no_more),
		TEST(test_what_comes_along_names_who_needs_it),
		TEST(test_all_of_one_condition_must_hold_and_one_of_several),
		TEST(test_a_label_with_and_without_its_value),
		TEST(test_a_namespace_is_in_the_namespace_that_it_is),
		TEST(test_kinds_are_called_as_kubectl_calls_them),
		TEST(test_needed_objects_that_are_not_chosen_are_refused_by_name),
		TEST(test_what_matches_nothing_names_what_is_near),
		TEST(test_a_namespace_that_is_not_there_names_those_that_are),
		TEST(test_a_kind_that_is_not_there_names_the_nearest),
		TEST(test_an_unknown_condition),
		TEST(test_a_condition_without_a_value),
		TEST(test_a_name_twice_in_one_condition),
		TEST(test_requirements_are_those_of_the_part),
		TEST(test_children_are_those_of_the_part),
		TEST(test_no_condition_leaves_the_snapshot_whole),
		TEST(test_a_journal_keeps_a_selection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
