/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "util/json.h"
#include "util/map.h"
#include "util/mem.h"
#include "object/fieldpath.h"
#include "util/error.h"
#include "policy/policy.h"
#include "verify/judge.h"

/* JSON with ' for ". The caller owns the value. */
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

static void assert_judged(const struct judgement *judgement, enum verdict verdict, const char *observed)
{
	assert_string_equal(judgement->observed.buf, observed);
	assert_int_equal(judgement->verdict, verdict);
}

/* ---- object ---- */

static const struct policy_kind plain_row = {.merge_count = 0};

static void assert_object(const char *want, const char *live, enum verdict verdict, const char *observed, size_t evidence)
{
	auto_json json_t *want_value = value_of(want);
	auto_json json_t *live_value = value_of(live);
	auto_judgement struct judgement judgement = JUDGEMENT_INIT;

	judge_object(&plain_row, want_value, live_value, &judgement);
	assert_judged(&judgement, verdict, observed);
	assert_int_equal(json_array_size(judgement.evidence), evidence);
}

static void test_equal_objects_pass(void **state)
{
	(void)state;
	assert_object("{'spec':{'a':1,'b':[]}}", "{'spec':{'b':[],'a':1.0}}", VERDICT_PASS, "equal", 0);
}

/* Another CRD version has defaults of its own. */
static void test_added_fields_only_are_changed(void **state)
{
	(void)state;
	assert_object("{'spec':{'list':[{'a':1}]}}", "{'spec':{'list':[{'a':1,'b':2}],'mode':'x'}}", VERDICT_CHANGED,
		"spec.list[0].b: added, 2; spec.mode: added, \"x\"", 2);
}

static void test_a_changed_field_fails(void **state)
{
	(void)state;
	assert_object("{'spec':{'a':1}}", "{'spec':{'a':2,'b':1}}", VERDICT_FAIL,
		"spec.a: 1 in the snapshot, 2 on the cluster; spec.b: (none) in the snapshot, 1 on the cluster", 2);
}

static void test_a_missing_field_fails(void **state)
{
	(void)state;
	assert_object("{'spec':{'a':{}}}", "{'spec':{}}", VERDICT_FAIL, "spec.a: {} in the snapshot, (none) on the cluster", 1);
}

/* One more egress rule is not a default. */
static void test_a_longer_list_fails(void **state)
{
	(void)state;
	assert_object("{'a':[1]}", "{'a':[1,2]}", VERDICT_FAIL, "a[1]: (none) in the snapshot, 2 on the cluster", 1);
}

/* A ServiceAccount had a pull secret of its own before the restore added the snapshot's. */
static void test_an_object_that_a_restore_merged_into_passes(void **state)
{
	auto_json json_t *want = value_of("{'imagePullSecrets':[{'name':'ours'}]}");
	auto_json json_t *live = value_of("{'imagePullSecrets':[{'name':'theirs'},{'name':'ours'}]}");
	auto_judgement struct judgement judgement = JUDGEMENT_INIT;
	struct fieldpath *path = NULL;
	struct error err = ERROR_INIT;
	struct policy_kind row = {.merge = &path, .merge_count = 1};

	(void)state;
	assert_int_equal(fieldpath_parse(&path, "imagePullSecrets", &err), 0);
	judge_object(&row, want, live, &judgement);
	fieldpath_free(path);
	assert_judged(&judgement, VERDICT_PASS, "has all that the snapshot has");
}

static void test_another_order_fails(void **state)
{
	auto_json json_t *want = value_of("{'a':[{'name':'x'},{'name':'y'}]}");
	auto_json json_t *live = value_of("{'a':[{'name':'y'},{'name':'x'}]}");
	auto_judgement struct judgement judgement = JUDGEMENT_INIT;

	(void)state;
	judge_object(&plain_row, want, live, &judgement);
	assert_int_equal(judgement.verdict, VERDICT_FAIL);
}

static void test_many_differences_are_counted(void **state)
{
	auto_json json_t *want = json_object();
	auto_json json_t *live = json_object();
	auto_judgement struct judgement judgement = JUDGEMENT_INIT;

	(void)state;
	for (int i = 0; i < 50; i++) {
		auto_free char *key = xasprintf("k%02d", i);

		json_object_set_new(live, key, json_true());
	}
	judge_object(&plain_row, want, live, &judgement);
	assert_judged(&judgement, VERDICT_CHANGED, "k00: added, true; k01: added, true; k02: added, true; 50 fields in all");
	assert_int_equal(json_array_size(judgement.evidence), 21);
	assert_string_equal(json_string_value(json_array_get(judgement.evidence, 20)), "and 30 more");
}

/* ---- conditions ---- */

static void assert_conditions(const char *live, enum verdict verdict, const char *observed)
{
	auto_json json_t *value = value_of(live);
	auto_strlist struct strlist types = STRLIST_INIT;
	auto_judgement struct judgement judgement = JUDGEMENT_INIT;

	strlist_add(&types, "Ready");
	judge_conditions(value, &types, &judgement);
	assert_judged(&judgement, verdict, observed);
}

static void test_a_true_condition_passes(void **state)
{
	(void)state;
	assert_conditions("{'metadata':{'generation':2},'status':{'observedGeneration':2,'conditions':[{'type':'Ready','status':'True'}]}}",
		VERDICT_PASS, "");
}

static void test_a_false_condition_says_why(void **state)
{
	(void)state;
	assert_conditions("{'status':{'conditions':[{'type':'Ready','status':'False','reason':'HTTPRoutesNotReady','message':'m'}]}}",
		VERDICT_FAIL, "Ready is False (HTTPRoutesNotReady)");
}

static void test_a_condition_not_reported_fails(void **state)
{
	(void)state;
	assert_conditions("{'metadata':{}}", VERDICT_FAIL, "Ready is not reported");
}

/* A Ready from before the last change says nothing about now. */
static void test_a_stale_status_fails(void **state)
{
	(void)state;
	assert_conditions("{'metadata':{'generation':3},'status':{'observedGeneration':2,'conditions':[{'type':'Ready','status':'True'}]}}",
		VERDICT_FAIL, "status is of generation 2, not 3");
	assert_conditions("{'metadata':{'generation':3},'status':{'conditions':[{'type':'Ready','status':'True','observedGeneration':2}]}}",
		VERDICT_FAIL, "Ready is that of an older generation");
}

static void test_foreign_text_is_escaped(void **state)
{
	(void)state;
	assert_conditions("{'status':{'conditions':[{'type':'Ready','status':'False','reason':'a\\u001b[2J'}]}}", VERDICT_FAIL,
		"Ready is False (a\\x1B[2J)");
}

static void test_other_failed_conditions_are_evidence(void **state)
{
	auto_json json_t *live = value_of("{'status':{'conditions':[{'type':'Ready','status':'False'},"
					  "{'type':'RouterReady','status':'False','reason':'R','message':'no route'},"
					  "{'type':'WorkloadsReady','status':'True'}]}}");
	auto_strlist struct strlist types = STRLIST_INIT;
	auto_judgement struct judgement judgement = JUDGEMENT_INIT;

	(void)state;
	strlist_add(&types, "Ready");
	judge_conditions(live, &types, &judgement);
	assert_int_equal(json_array_size(judgement.evidence), 1);
	assert_string_equal(json_string_value(json_array_get(judgement.evidence, 0)), "RouterReady is False, R: no route");
}

/* PresetsCombined is no part of KServe's Ready; what is not reported does not apply. */
static void test_the_parts_of_a_service_must_be_true_where_reported(void **state)
{
	static const char head[] = "{'apiVersion':'serving.kserve.io/v1alpha2','kind':'LLMInferenceService','status':{'conditions':["
				   "{'type':'Ready','status':'True'}";
	auto_free char *bad = xasprintf("%s,{'type':'PresetsCombined','status':'False','reason':'ConfigNotFound'}]}}", head);
	auto_free char *good = xasprintf("%s,{'type':'WorkloadsReady','status':'True'},{'type':'Other','status':'False'}]}}", head);

	(void)state;
	assert_conditions(bad, VERDICT_FAIL, "PresetsCombined is False (ConfigNotFound)");
	assert_conditions(good, VERDICT_PASS, "");
}

/* ---- parents ---- */

#define ACCEPTED "{'type':'Accepted','status':'True','observedGeneration':2}"
#define RESOLVED "{'type':'ResolvedRefs','status':'True','observedGeneration':2}"
#define ROUTE(refs) "{'metadata':{'namespace':'ns','generation':2},'spec':{'parentRefs':" refs "}}"

static void assert_parents(const char *live, const char *parents, enum verdict verdict, const char *observed)
{
	auto_json json_t *live_value = value_of(live);
	auto_json json_t *parents_value = parents ? value_of(parents) : NULL;
	auto_judgement struct judgement judgement = JUDGEMENT_INIT;

	judge_parents(live_value, parents_value, &judgement);
	assert_judged(&judgement, verdict, observed);
}

static void test_an_accepted_route_passes_with_defaults(void **state)
{
	(void)state;
	assert_parents(ROUTE("[{'name':'gw'}]"),
		"[{'parentRef':{'group':'gateway.networking.k8s.io','kind':'Gateway','namespace':'ns','name':'gw'},'conditions':[" ACCEPTED
		"," RESOLVED "]}]",
		VERDICT_PASS, "");
}

static void test_every_parent_must_answer(void **state)
{
	(void)state;
	assert_parents(ROUTE("[{'name':'gw'},{'name':'gw','sectionName':'https'},{'name':'gw','port':443},{'name':'gw','namespace':'o'}]"),
		"[{'parentRef':{'name':'gw'},'conditions':[" ACCEPTED "," RESOLVED "]}]", VERDICT_FAIL,
		"Gateway ns/gw has not answered; Gateway ns/gw has not answered; Gateway o/gw has not answered");
	assert_parents(ROUTE("[{'name':'gw'}]"), NULL, VERDICT_FAIL, "Gateway ns/gw has not answered");
}

static void test_a_refused_route_fails(void **state)
{
	(void)state;
	assert_parents(ROUTE("[{'name':'gw'}]"),
		"[{'parentRef':{'name':'gw'},'conditions':[{'type':'Accepted','status':'False','reason':'NoMatchingParent'}," RESOLVED
		"]}]",
		VERDICT_FAIL, "Gateway ns/gw: Accepted is False (NoMatchingParent)");
	assert_parents(ROUTE("[{'name':'gw'}]"), "[{'parentRef':{'name':'gw'},'conditions':[" ACCEPTED "]}]", VERDICT_FAIL,
		"Gateway ns/gw: ResolvedRefs is not reported");
}

static void test_an_answer_of_an_older_generation_fails(void **state)
{
	(void)state;
	assert_parents(ROUTE("[{'name':'gw'}]"),
		"[{'parentRef':{'name':'gw'},'conditions':[{'type':'Accepted','status':'True','observedGeneration':1}," RESOLVED "]}]",
		VERDICT_FAIL, "Gateway ns/gw: Accepted is that of an older generation");
}

/* Policy controllers write parents entries of their own, without Accepted. */
static void test_entries_without_accepted_do_not_count(void **state)
{
	(void)state;
	assert_parents(ROUTE("[{'name':'gw'}]"), "[{'parentRef':{'name':'gw'},'conditions':[{'type':'Other','status':'False'}]}]",
		VERDICT_FAIL, "Gateway ns/gw has not answered");
	assert_parents(ROUTE("[{'name':'gw'}]"),
		"[{'parentRef':{'name':'gw'},'conditions':[{'type':'Other','status':'False'}]},"
		"{'parentRef':{'name':'gw'},'conditions':[" ACCEPTED "," RESOLVED "]}]",
		VERDICT_PASS, "");
}

/* An InferencePool names no parents; the gateways that took it are in its status. */
static void test_a_pool_needs_only_accepted(void **state)
{
	(void)state;
	assert_parents("{'metadata':{'namespace':'ns','generation':2},'spec':{}}",
		"[{'parentRef':{'name':'gw'},'conditions':[" ACCEPTED "]}]", VERDICT_PASS, "");
}

/* ---- children ---- */

#define ENTRY                                                                                                                              \
	"{'group':'apps','resource':'deployments','kind':'Deployment','namespace':'ns','name':'a-kserve',"                                 \
	"'owner':{'group':'s.io','kind':'Service','name':'a'}}"
#define CHILD(uid)                                                                                                                         \
	"{'metadata':{'ownerReferences':[{'apiVersion':'s.io/v2','kind':'Service','name':'a','uid':'" uid "','controller':true}]}}"

static void assert_child(const char *child, bool owner_known, enum verdict verdict, const char *observed, const char *reason)
{
	static char identity[] = "s.io/Service/ns/a", other[] = "s.io/Service/ns/b";
	auto_json json_t *entry = value_of(ENTRY);
	auto_json json_t *value = child ? value_of(child) : NULL;
	auto_judgement struct judgement judgement = JUDGEMENT_INIT;
	struct map uids = MAP_INIT;

	map_put(&uids, "u1", identity);
	map_put(&uids, "u2", other);
	judge_child(entry, value, &uids, owner_known, NULL, &judgement);
	map_release(&uids, NULL);
	assert_judged(&judgement, verdict, observed);
	assert_string_equal(judgement.reason.buf, reason);
}

#define REFUSED "it is not controlled by Service a, KServe will refuse it for ever"

static void test_a_child_of_the_live_owner_passes(void **state)
{
	(void)state;
	assert_child(CHILD("u1"), true, VERDICT_PASS, "there, controlled by Service a", "");
}

static void test_a_missing_child_fails(void **state)
{
	(void)state;
	assert_child(NULL, true, VERDICT_FAIL, "missing", "missing");
}

static void test_a_child_with_a_stale_uid_fails(void **state)
{
	(void)state;
	assert_child(CHILD("u0"), true, VERDICT_FAIL, REFUSED, "the owner's uid is not that of the live one");
	assert_child(CHILD("u2"), true, VERDICT_FAIL, REFUSED, "the owner's uid is not that of the live one");
}

/* What a restore of generated objects without their ownerReferences leaves. */
static void test_a_child_without_owner_fails(void **state)
{
	(void)state;
	assert_child("{'metadata':{'name':'a-kserve'}}", true, VERDICT_FAIL, REFUSED, "no controller owner");
	assert_child("{'metadata':{'ownerReferences':[{'kind':'Service','name':'a','uid':'u1'}]}}", true, VERDICT_FAIL, REFUSED,
		"no controller owner");
}

static void test_a_child_of_another_owner_fails(void **state)
{
	(void)state;
	assert_child("{'metadata':{'ownerReferences':[{'apiVersion':'s.io/v2','kind':'Service','name':'b','uid':'u2','controller':true}]}}",
		true, VERDICT_FAIL, REFUSED, "another controller owner");
}

static void test_an_owner_not_looked_at_is_not_judged(void **state)
{
	(void)state;
	assert_child(CHILD("u1"), false, VERDICT_NOT_TESTED, "there, controlled by Service a",
		"the owner's kind was not looked at, so its uid cannot be compared");
}

/* ---- idle ---- */

static void test_idle_objects_have_a_reason(void **state)
{
	auto_json json_t *none = value_of("{'spec':{'replicas':0}}");
	auto_json json_t *stopped = value_of("{'metadata':{'annotations':{'serving.kserve.io/stop':'True'}}}");
	auto_json json_t *serving = value_of("{'spec':{'replicas':1},'metadata':{'annotations':{'serving.kserve.io/stop':'false'}}}");

	(void)state;
	assert_non_null(idle_reason(none));
	assert_null(idle_never_ready(none));
	assert_non_null(idle_reason(stopped));
	assert_non_null(idle_never_ready(stopped));
	assert_null(idle_reason(serving));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equal_objects_pass),
		cmocka_unit_test(test_added_fields_only_are_changed),
		cmocka_unit_test(test_a_changed_field_fails),
		cmocka_unit_test(test_a_missing_field_fails),
		cmocka_unit_test(test_a_longer_list_fails),
		cmocka_unit_test(test_an_object_that_a_restore_merged_into_passes),
		cmocka_unit_test(test_another_order_fails),
		cmocka_unit_test(test_many_differences_are_counted),
		cmocka_unit_test(test_a_true_condition_passes),
		cmocka_unit_test(test_a_false_condition_says_why),
		cmocka_unit_test(test_a_condition_not_reported_fails),
		cmocka_unit_test(test_a_stale_status_fails),
		cmocka_unit_test(test_foreign_text_is_escaped),
		cmocka_unit_test(test_other_failed_conditions_are_evidence),
		cmocka_unit_test(test_the_parts_of_a_service_must_be_true_where_reported),
		cmocka_unit_test(test_an_accepted_route_passes_with_defaults),
		cmocka_unit_test(test_every_parent_must_answer),
		cmocka_unit_test(test_a_refused_route_fails),
		cmocka_unit_test(test_an_answer_of_an_older_generation_fails),
		cmocka_unit_test(test_entries_without_accepted_do_not_count),
		cmocka_unit_test(test_a_pool_needs_only_accepted),
		cmocka_unit_test(test_a_child_of_the_live_owner_passes),
		cmocka_unit_test(test_a_missing_child_fails),
		cmocka_unit_test(test_a_child_with_a_stale_uid_fails),
		cmocka_unit_test(test_a_child_without_owner_fails),
		cmocka_unit_test(test_a_child_of_another_owner_fails),
		cmocka_unit_test(test_an_owner_not_looked_at_is_not_judged),
		cmocka_unit_test(test_idle_objects_have_a_reason),
	};

	return cmocka_run_group_tests_name("verify_judge", tests, NULL, NULL);
}
