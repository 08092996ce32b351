/* SPDX-License-Identifier: Apache-2.0 */
/* The probes of a policy's author. Texts are JSON with ' for ". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../src/verify/probing.h"
#include "policy/policy.h"
#include "util/error.h"
#include "util/http.h"
#include "util/json.h"
#include "util/mem.h"
#include "verify/judge.h"

#define HEAD "format: 1\nname: x\nwaves: [{name: w}]\nkinds: [{resource: nodes, kind: Node, wave: w}]\nprobes:\n"

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

static struct policy *policy_of(const char *row)
{
	auto_free char *text = xasprintf(HEAD "- %s\n", row);
	struct error err = ERROR_INIT;
	struct policy *policy;

	if (policy_read(&policy, text, strlen(text), &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(policy->probe_count, 1);
	return policy;
}

static void assert_judged(const struct judgement *judgement, enum verdict verdict, const char *observed)
{
	assert_string_equal(judgement->observed.buf, observed);
	assert_int_equal(judgement->verdict, verdict);
}

static void assert_answer(const char *row, long status, const char *body, enum verdict verdict, const char *observed)
{
	struct policy *policy = policy_of(row);
	struct http_response response = HTTP_RESPONSE_INIT;
	auto_judgement struct judgement judgement = JUDGEMENT_INIT;

	response.status = status;
	strbuf_adds(&response.body, body);
	own_judge_answer(&policy->probes[0], &response, &judgement);
	http_response_release(&response);
	policy_free(policy);
	assert_judged(&judgement, verdict, observed);
}

#define MODEL "{name: one, http: {url: 'http://h/v1/models', path: 'data[].id', value: qwen}}"

static void test_a_request_has_a_status_and_a_value(void **state)
{
	(void)state;
	assert_answer(
		MODEL, 200, "{\"data\":[{\"id\":\"a\"},{\"id\":\"qwen\"}]}", VERDICT_PASS, "status 200; data[].id is \"a\", \"qwen\"");
	assert_answer(MODEL, 200, "{\"data\":[{\"id\":\"a\"}]}", VERDICT_FAIL, "status 200; data[].id is \"a\"");
	assert_answer(MODEL, 200, "{}", VERDICT_FAIL, "status 200; data[].id is not there");
	assert_answer(MODEL, 200, "<html>", VERDICT_FAIL, "status 200; data[].id is not there: the answer is no JSON");
	assert_answer(MODEL, 503, "", VERDICT_FAIL, "status 503");
	assert_answer("{name: one, http: {url: 'http://h/', status: 401}}", 401, "", VERDICT_PASS, "status 401");
}

static void assert_condition(const char *row, const char *object, enum verdict verdict, const char *observed)
{
	struct policy *policy = policy_of(row);
	auto_json json_t *value = object ? value_of(object) : NULL;
	auto_judgement struct judgement judgement = JUDGEMENT_INIT;

	own_judge_condition(&policy->probes[0], value, &judgement);
	policy_free(policy);
	assert_judged(&judgement, verdict, observed);
}

static void test_a_condition_has_a_status(void **state)
{
	(void)state;
	assert_condition("{name: one, condition: {of: nodes, name: x, type: Ready}}",
		"{'status':{'conditions':[{'type':'Ready','status':'True'}]}}", VERDICT_PASS, "True");
	assert_condition("{name: one, condition: {of: nodes, name: x, type: Ready}}",
		"{'status':{'conditions':[{'type':'Ready','status':'Unknown'}]}}", VERDICT_FAIL, "Unknown");
	assert_condition("{name: one, condition: {of: nodes, name: x, type: Bad, status: 'False'}}",
		"{'status':{'conditions':[{'type':'Bad','status':'False'}]}}", VERDICT_PASS, "False");
	assert_condition("{name: one, condition: {of: nodes, name: x, type: Ready}}", "{}", VERDICT_FAIL, "not reported");
	assert_condition("{name: one, condition: {of: nodes, name: x, type: Ready}}", NULL, VERDICT_FAIL, "not there");
}

static void assert_count(const char *row, enum verdict verdict)
{
	static const char items[] = "[{'metadata':{'labels':{'app':'x'}}},{'metadata':{'labels':{'app':'x','b':'c'}}},{'metadata':{}}]";
	struct policy *policy = policy_of(row);
	auto_json json_t *list = value_of(items);
	auto_judgement struct judgement judgement = JUDGEMENT_INIT;

	own_judge_count(&policy->probes[0], list, &judgement);
	policy_free(policy);
	assert_int_equal(judgement.verdict, verdict);
}

static void test_objects_are_counted_by_their_labels(void **state)
{
	(void)state;
	assert_count("{name: one, count: {of: pods, eq: 3}}", VERDICT_PASS);
	assert_count("{name: one, count: {of: pods, labels: {app: x}, eq: 2}}", VERDICT_PASS);
	assert_count("{name: one, count: {of: pods, labels: {app: x}, eq: 3}}", VERDICT_FAIL);
	assert_count("{name: one, count: {of: pods, min: 4}}", VERDICT_FAIL);
	assert_count("{name: one, count: {of: pods, min: 3}}", VERDICT_PASS);
	assert_count("{name: one, count: {of: pods, max: 2}}", VERDICT_FAIL);
	assert_count("{name: one, count: {of: pods, min: 1, max: 3}}", VERDICT_PASS);
}

static void assert_refused(const char *row, const char *fault)
{
	auto_free char *text = xasprintf(HEAD "- %s\n", row);
	struct error err = ERROR_INIT;
	struct policy *policy;

	assert_int_equal(policy_read(&policy, text, strlen(text), &err), -1);
	assert_non_null(strstr(err.text, fault));
}

static void test_a_row_must_make_sense(void **state)
{
	(void)state;
	assert_refused("{name: one}", "http, condition or count");
	assert_refused("{name: one, count: {of: pods, eq: 1}, http: {url: 'http://h/'}}", "http, condition or count");
	assert_refused("{name: one, count: {of: pods}}", "eq, min or max");
	assert_refused("{name: one, count: {of: pods, eq: x}}", "number");
	assert_refused("{name: one, http: {url: 'http://h/', value: 1}}", "path");
	assert_refused("{name: one, condition: {of: nodes, type: Ready}}", "name");
	assert_refused("{name: one, run: [sh]}", "run");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_request_has_a_status_and_a_value),
		cmocka_unit_test(test_a_condition_has_a_status),
		cmocka_unit_test(test_objects_are_counted_by_their_labels),
		cmocka_unit_test(test_a_row_must_make_sense),
	};

	return cmocka_run_group_tests_name("verify_own", tests, NULL, NULL);
}
