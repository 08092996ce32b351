/* SPDX-License-Identifier: Apache-2.0 */
/* What is done about answers that a server gives now and then: unavailable, lost, refused, there already; and the gates. */
#include "support.h"

#include <string.h>

#include "restore_support.h"
#include "util/json.h"
#include "util/mem.h"

#define HOUR_MS 3600000
#define GET_CONFIG "GET /api/v1/namespaces/prod/configmaps/app "
#define PUT_CONFIG "PUT /api/v1/namespaces/prod/configmaps/app?dryRun=All "
#define ONE CONFIG("prod", "app", "one")
#define TWO CONFIG("prod", "app", "two")

/* A snapshot with one ConfigMap and a cluster that has none. */
static void with_config(struct restore_fixture *f)
{
	restore_object("configmaps", ONE);
	restore_hello(f);
	restore_no_configs(f);
}

/* Prepare and apply, without waiting long between two tries. */
static void apply(struct restore_fixture *f)
{
	restore_plan(f);
	f->restore->patience.backoff_min = 1;
	if (restore_apply(f) < 0)
		fail_msg("%s", f->err->text);
}

static void assert_requests(const struct restore_fixture *f, const char *path, size_t count)
{
	assert_int_equal(fake_cluster_seen(&f->cluster, path), count);
}

static void assert_count(const struct restore_fixture *f, const char *result, json_int_t count)
{
	assert_int_equal(json_integer_value(json_at(f->report, "counts", result, NULL)), count);
}

/* ---- tries ---- */

static void test_an_unavailable_server_is_asked_again(void **state)
{
	struct restore_fixture *f = *state;

	with_config(f);
	(void)fake_cluster_say(&f->cluster, POST_CONFIG("prod"), 500, UNAVAILABLE);
	(void)fake_cluster_say(&f->cluster, POST_CONFIG("prod"), 503, UNAVAILABLE);
	(void)fake_cluster_say(&f->cluster, POST_CONFIG("prod"), 201, ONE);
	apply(f);
	assert_action(f->report, "app", "result", "created");
	assert_action(f->report, "app", "error", "(null)");
	assert_requests(f, POST_CONFIG("prod"), 3);
	assert_int_equal(outcome_exit_code(&f->outcome), 0);
}

/* A ResourceQuota that counts creates at the same time answers so, and takes the object the next time. */
static void test_a_conflict_of_a_quota_is_tried_again(void **state)
{
	struct restore_fixture *f = *state;

	with_config(f);
	(void)fake_cluster_say(&f->cluster, POST_CONFIG("prod"), 409,
		"{'kind':'Status','reason':'Conflict','message':'Operation cannot be fulfilled on resourcequotas'}");
	(void)fake_cluster_say(&f->cluster, POST_CONFIG("prod"), 201, ONE);
	apply(f);
	assert_action(f->report, "app", "result", "created");
}

/* Retry-After stands above our own waiting, which here would take an hour. */
static void test_retry_after_is_obeyed(void **state)
{
	struct restore_fixture *f = *state;

	with_config(f);
	fake_cluster_say(&f->cluster, POST_CONFIG("prod"), 429, UNAVAILABLE)->headers = "Retry-After: 0\r\n";
	(void)fake_cluster_say(&f->cluster, POST_CONFIG("prod"), 201, ONE);
	restore_plan(f);
	f->restore->patience.backoff_min = f->restore->patience.backoff_max = HOUR_MS;
	assert_int_equal(restore_apply(f), 0);
	assert_action(f->report, "app", "result", "created");
}

static void test_a_retry_after_beyond_the_deadline_is_not_waited_for(void **state)
{
	struct restore_fixture *f = *state;

	with_config(f);
	fake_cluster_say(&f->cluster, POST_CONFIG("prod"), 429, UNAVAILABLE)->headers = "Retry-After: 3600\r\n";
	apply(f);
	assert_action(f->report, "app", "result", "failed");
	assert_requests(f, POST_CONFIG("prod"), 1);
}

static void test_the_deadline_is_of_one_object_and_not_of_all(void **state)
{
	struct restore_fixture *f = *state;

	restore_object("configmaps", CONFIG("a", "first", "one"));
	restore_object("configmaps", CONFIG("b", "second", "one"));
	restore_hello(f);
	restore_no_configs(f);
	(void)fake_cluster_say(&f->cluster, POST_CONFIG("a"), 500, UNAVAILABLE);
	(void)fake_cluster_say(&f->cluster, POST_CONFIG("b"), 201, CONFIG("b", "second", "one"));
	restore_plan(f);
	f->restore->patience.object_deadline = 0;
	assert_int_equal(restore_apply(f), 0);
	assert_action(f->report, "first", "result", "failed");
	assert_action(f->report, "first", "error", "no endpoints available for the webhook");
	assert_action(f->report, "second", "result", "created");
	assert_requests(f, POST_CONFIG("a"), 1);
}

static void test_a_refused_object_fails_and_the_others_go_on(void **state)
{
	struct restore_fixture *f = *state;

	restore_object("configmaps", CONFIG("a", "first", "one"));
	restore_object("configmaps", CONFIG("b", "second", "one"));
	restore_hello(f);
	restore_no_configs(f);
	(void)fake_cluster_say(&f->cluster, POST_CONFIG("a"), 422, REFUSED);
	(void)fake_cluster_say(&f->cluster, POST_CONFIG("b"), 201, CONFIG("b", "second", "one"));
	apply(f);
	assert_action(f->report, "first", "result", "failed");
	assert_action(f->report, "first", "error", "spec.replicas must not be negative");
	assert_action(f->report, "second", "result", "created");
	assert_requests(f, POST_CONFIG("a"), 1);
	assert_int_equal(outcome_exit_code(&f->outcome), ERR_PARTIAL);
}

static void test_a_failed_object_does_not_keep_later_waves_back(void **state)
{
	struct restore_fixture *f = *state;

	with_config(f);
	restore_object("httproutes", ROUTE("prod", "route"));
	fake_cluster_list(&f->cluster, "/httproutes?limit", ROUTE_VERSION, "HTTPRoute", "");
	(void)fake_cluster_say(&f->cluster, POST_CONFIG("prod"), 403, REFUSED);
	(void)fake_cluster_say(&f->cluster, "/httproutes?fieldManager", 201, ROUTE("prod", "route"));
	apply(f);
	assert_count(f, "failed", 1);
	assert_count(f, "created", 1);
}

/* ---- refused, and the reason lost on the way ---- */

static void say_cut(struct restore_fixture *f, int status, const char *headers)
{
	struct fake_exchange *row = fake_cluster_say(&f->cluster, POST_CONFIG("prod"), status, REFUSED);

	row->cut = 1;
	row->headers = headers;
}

static void test_a_refusal_without_its_reason_fails_at_once(void **state)
{
	struct restore_fixture *f = *state;

	with_config(f);
	say_cut(f, 403, NULL);
	apply(f);
	assert_action(f->report, "app", "result", "failed");
	assert_action(f->report, "app", "error", "the server answered with HTTP status 403 (Forbidden): {");
	assert_requests(f, POST_CONFIG("prod"), 1);
}

static void test_a_busy_server_without_its_reason_is_asked_again(void **state)
{
	struct restore_fixture *f = *state;

	with_config(f);
	say_cut(f, 429, "Retry-After: 0\r\n");
	(void)fake_cluster_say(&f->cluster, POST_CONFIG("prod"), 201, ONE);
	apply(f);
	assert_action(f->report, "app", "result", "created");
}

/* Whether a 409 is a quota's or says that the object is there is in the body: tried again, and looked at when the time is up. */
static void test_a_conflict_without_its_reason_is_looked_at_in_the_end(void **state)
{
	struct restore_fixture *f = *state;

	with_config(f);
	say_cut(f, 409, NULL);
	(void)fake_cluster_say(&f->cluster, GET_CONFIG, 200, ONE);
	restore_plan(f);
	f->restore->patience.object_deadline = 0;
	assert_int_equal(restore_apply(f), 0);
	assert_action(f->report, "app", "result", "skipped");
	assert_action(f->report, "app", "error", "(null)");
}

static void test_a_conflict_of_an_object_that_is_not_there_fails_with_what_was_said(void **state)
{
	struct restore_fixture *f = *state;

	with_config(f);
	(void)fake_cluster_say(
		&f->cluster, POST_CONFIG("prod"), 409, "{'kind':'Status','reason':'Conflict','message':'the quota is being counted'}");
	(void)fake_cluster_say(&f->cluster, GET_CONFIG, 404, "{'kind':'Status','message':'not found'}");
	restore_plan(f);
	f->restore->patience.object_deadline = 0;
	assert_int_equal(restore_apply(f), 0);
	assert_action(f->report, "app", "result", "failed");
	assert_action(f->report, "app", "error", "the quota is being counted");
}

/* ---- there already ---- */

/* The answer to our own create was lost: what is there is ours. */
static void test_a_lost_answer_and_an_equal_object_is_created(void **state)
{
	struct restore_fixture *f = *state;

	with_config(f);
	fake_cluster_say(&f->cluster, POST_CONFIG("prod"), 201, ONE)->cut = 10;
	(void)fake_cluster_say(&f->cluster, POST_CONFIG("prod"), 409, EXISTS);
	(void)fake_cluster_say(&f->cluster, GET_CONFIG, 200, ONE);
	apply(f);
	assert_action(f->report, "app", "result", "created");
	assert_action(f->report, "app", "error", "(null)");
	assert_count(f, "skipped", 0);
}

static void test_a_connection_that_closes_without_an_answer_is_such_a_loss(void **state)
{
	struct restore_fixture *f = *state;

	with_config(f);
	(void)fake_cluster_say(&f->cluster, POST_CONFIG("prod"), 0, "");
	(void)fake_cluster_say(&f->cluster, POST_CONFIG("prod"), 409, EXISTS);
	(void)fake_cluster_say(&f->cluster, GET_CONFIG, 200, ONE);
	apply(f);
	assert_action(f->report, "app", "result", "created");
}

static void test_an_equal_object_of_somebody_else_is_skipped(void **state)
{
	struct restore_fixture *f = *state;

	with_config(f);
	(void)fake_cluster_say(&f->cluster, POST_CONFIG("prod"), 409, EXISTS);
	(void)fake_cluster_say(&f->cluster, GET_CONFIG, 200, ONE);
	apply(f);
	assert_action(f->report, "app", "result", "skipped");
	assert_count(f, "created", 0);
}

static void test_a_differing_object_of_somebody_else_is_a_conflict(void **state)
{
	struct restore_fixture *f = *state;

	with_config(f);
	(void)fake_cluster_say(&f->cluster, POST_CONFIG("prod"), 409, EXISTS);
	(void)fake_cluster_say(&f->cluster, GET_CONFIG, 200, TWO);
	(void)fake_cluster_say(&f->cluster, PUT_CONFIG, 200, ONE);
	apply(f);
	assert_action(f->report, "app", "action", "conflict");
	assert_action(f->report, "app", "result", "conflict");
	assert_field(f->report, "app", "data.key", "\"two\"", "\"one\"");
	assert_int_equal(outcome_exit_code(&f->outcome), ERR_PARTIAL);
}

/* A lost answer does not make another's object ours. */
static void test_a_lost_answer_and_a_differing_object_is_a_conflict(void **state)
{
	struct restore_fixture *f = *state;

	with_config(f);
	(void)fake_cluster_say(&f->cluster, POST_CONFIG("prod"), 0, "");
	(void)fake_cluster_say(&f->cluster, POST_CONFIG("prod"), 409, EXISTS);
	(void)fake_cluster_say(&f->cluster, GET_CONFIG, 200, TWO);
	(void)fake_cluster_say(&f->cluster, PUT_CONFIG, 200, ONE);
	apply(f);
	assert_action(f->report, "app", "result", "conflict");
}

static void test_what_exists_and_cannot_be_read_fails(void **state)
{
	struct restore_fixture *f = *state;

	with_config(f);
	(void)fake_cluster_say(&f->cluster, POST_CONFIG("prod"), 409, EXISTS);
	(void)fake_cluster_say(&f->cluster, GET_CONFIG, 403, "{'kind':'Status','message':'no such right'}");
	apply(f);
	assert_action(f->report, "app", "result", "failed");
	assert_action(f->report, "app", "error", "configmaps 'prod/app': no such right");
}

/* ---- findings ---- */

static const json_t *finding(const struct restore_fixture *f)
{
	const json_t *findings = json_object_get(f->report, "findings");

	assert_int_equal(json_array_size(findings), 1);
	return json_array_get(findings, 0);
}

static void test_a_field_that_the_server_drops_is_a_finding(void **state)
{
	struct restore_fixture *f = *state;

	with_config(f);
	(void)fake_cluster_say(&f->cluster, POST_CONFIG("prod"), 201, "{'apiVersion':'v1','kind':'ConfigMap'," META("prod", "app", "") "}");
	apply(f);
	assert_action(f->report, "app", "result", "created");
	assert_string_equal(json_text_at(finding(f), "object", NULL), "ConfigMap prod/app");
	assert_string_equal(json_text_at(finding(f), "path", NULL), "data");
	assert_string_equal(json_text_at(finding(f), "text", NULL), "the server dropped it");
}

static void test_a_value_that_the_server_changes_is_a_finding(void **state)
{
	struct restore_fixture *f = *state;

	with_config(f);
	(void)fake_cluster_say(&f->cluster, POST_CONFIG("prod"), 201, TWO);
	apply(f);
	assert_string_equal(json_text_at(finding(f), "path", NULL), "data.key");
	assert_string_equal(json_text_at(finding(f), "text", NULL), "the server stored \"two\"");
}

static void test_what_the_server_adds_is_no_finding(void **state)
{
	struct restore_fixture *f = *state;

	with_config(f);
	(void)fake_cluster_say(&f->cluster, POST_CONFIG("prod"), 201,
		"{'apiVersion':'v1','kind':'ConfigMap','metadata':{'namespace':'prod','name':'app','uid':'u1','labels':{'by':'webhook'}},"
		"'data':{'key':'one','more':'x'},'immutable':false}");
	apply(f);
	assert_int_equal(json_array_size(json_object_get(f->report, "findings")), 0);
}

/* ---- merges ---- */

#define PATCH_SPACE "PATCH /api/v1/namespaces/prod?"
#define GET_SPACE "GET /api/v1/namespaces/prod "
#define CHANGED_MEANWHILE "{'kind':'Status','reason':'Conflict','message':'the object has been modified'}"
#define ADDED_LABEL(version) "\r\n\r\n{'metadata':{'labels':{'istio-injection':'enabled'},'resourceVersion':'" version "'}}"

static void with_space(struct restore_fixture *f, const char *live)
{
	restore_object("namespaces", SPACE("prod", "'istio-injection':'enabled','team':'ml'", ""));
	restore_hello(f);
	fake_cluster_list(&f->cluster, SPACES, "v1", "Namespace", live);
}

static void test_a_merge_sends_nothing_but_what_is_missing(void **state)
{
	struct restore_fixture *f = *state;

	with_space(f, SPACE("prod", "'team':'ml'", ",'resourceVersion':'41'"));
	(void)fake_cluster_say(&f->cluster, PATCH_SPACE, 200, "{}");
	apply(f);
	assert_action(f->report, "prod", "result", "merged");
	assert_requests(f, ADDED_LABEL("41"), 1);
}

static void test_a_merge_leaves_a_differing_label_alone_and_says_so(void **state)
{
	struct restore_fixture *f = *state;

	with_space(f, SPACE("prod", "'team':'web'", ",'resourceVersion':'41'"));
	(void)fake_cluster_say(&f->cluster, PATCH_SPACE, 200, "{}");
	apply(f);
	assert_action(f->report, "prod", "result", "conflict");
	assert_action(f->report, "prod", "reason", "what was missing is added, other values differ");
	assert_requests(f, ADDED_LABEL("41"), 1);
	assert_int_equal(outcome_exit_code(&f->outcome), ERR_PARTIAL);
}

static void test_a_merge_that_is_refused_fails(void **state)
{
	struct restore_fixture *f = *state;

	with_space(f, SPACE("prod", "'team':'ml'", ""));
	(void)fake_cluster_say(&f->cluster, PATCH_SPACE, 403, "{'kind':'Status','message':'no such right'}");
	apply(f);
	assert_action(f->report, "prod", "result", "failed");
	assert_action(f->report, "prod", "error", "namespaces 'prod': no such right");
}

/* Somebody made it between the plan and the create. */
static void test_what_appeared_meanwhile_is_merged(void **state)
{
	struct restore_fixture *f = *state;

	with_space(f, "");
	(void)fake_cluster_say(&f->cluster, "POST /api/v1/namespaces?", 409, EXISTS);
	(void)fake_cluster_say(&f->cluster, GET_SPACE, 200, SPACE("prod", "'team':'ml'", ""));
	(void)fake_cluster_say(&f->cluster, PATCH_SPACE, 200, "{}");
	apply(f);
	assert_action(f->report, "prod", "result", "merged");
}

/* The list in a merge patch is the whole new list: the token that cleaning hides is still in use. */
static void test_a_merge_into_a_list_keeps_what_cleaning_hides(void **state)
{
	struct restore_fixture *f = *state;

	restore_object("serviceaccounts",
		"{'apiVersion':'v1','kind':'ServiceAccount'," META("prod", "runner", "") ",'secrets':[{'name':'store'}]}");
	restore_hello(f);
	fake_cluster_list(&f->cluster, "/serviceaccounts?", "v1", "ServiceAccount",
		"{" META("prod", "runner", "") ",'secrets':[{'name':'runner-token-abcde'}]}");
	fake_cluster_list(&f->cluster, SPACES, "v1", "Namespace", SPACE("prod", "", ""));
	(void)fake_cluster_say(&f->cluster, "PATCH /api/v1/namespaces/prod/serviceaccounts/runner?", 200, "{}");
	f->settings.policy = "rhaii";
	apply(f);
	assert_action(f->report, "runner", "result", "merged");
	assert_requests(f, "'secrets':[{'name':'runner-token-abcde'},{'name':'store'}]", 1);
}

static void test_a_merge_that_a_write_came_in_between_is_made_again(void **state)
{
	struct restore_fixture *f = *state;

	with_space(f, SPACE("prod", "'team':'ml'", ",'resourceVersion':'41'"));
	(void)fake_cluster_say(&f->cluster, PATCH_SPACE, 409, CHANGED_MEANWHILE);
	(void)fake_cluster_say(&f->cluster, GET_SPACE, 200, SPACE("prod", "'team':'ml','new':'x'", ",'resourceVersion':'42'"));
	(void)fake_cluster_say(&f->cluster, PATCH_SPACE, 200, "{}");
	apply(f);
	assert_action(f->report, "prod", "result", "merged");
	assert_requests(f, ADDED_LABEL("42"), 1);
}

static void test_a_merge_that_somebody_else_made_meanwhile_is_skipped(void **state)
{
	struct restore_fixture *f = *state;

	with_space(f, SPACE("prod", "'team':'ml'", ",'resourceVersion':'41'"));
	(void)fake_cluster_say(&f->cluster, PATCH_SPACE, 409, CHANGED_MEANWHILE);
	(void)fake_cluster_say(&f->cluster, GET_SPACE, 200, SPACE("prod", "'team':'ml','istio-injection':'enabled'", ""));
	apply(f);
	assert_action(f->report, "prod", "result", "skipped");
	assert_requests(f, PATCH_SPACE, 1);
}

static void test_a_skipped_object_is_not_written(void **state)
{
	struct restore_fixture *f = *state;

	restore_object("configmaps", ONE);
	restore_hello(f);
	fake_cluster_list(&f->cluster, CONFIGS, "v1", "ConfigMap", ONE);
	apply(f);
	assert_action(f->report, "app", "result", "skipped");
	assert_requests(f, "POST ", 0);
	assert_requests(f, "PATCH ", 0);
	assert_requests(f, "PUT ", 0);
}

/* ---- gate: dry-run-create ---- */

#define SERVICES "GET /apis/" SERVICE_VERSION "/llminferenceservices?"
#define DRY_RUN "&dryRun=All HTTP"
#define CREATE "llminferenceservices?fieldManager=rhaii-dr&fieldValidation=Strict HTTP"
#define QWEN SERVICE("prod", "qwen", "")

static void with_service(struct restore_fixture *f, const char *live)
{
	restore_object("llminferenceservices", QWEN);
	restore_hello(f);
	fake_cluster_list(&f->cluster, SERVICES, SERVICE_VERSION, "LLMInferenceService", live);
}

static void test_a_wave_waits_until_its_webhooks_answer(void **state)
{
	struct restore_fixture *f = *state;

	with_service(f, "");
	fake_cluster_say_times(&f->cluster, 3, DRY_RUN, 500, UNAVAILABLE);
	(void)fake_cluster_say(&f->cluster, DRY_RUN, 201, QWEN);
	(void)fake_cluster_say(&f->cluster, CREATE, 201, QWEN);
	restore_plan(f);
	f->restore->patience.gate_poll = 1;
	assert_int_equal(restore_apply(f), 0);
	assert_requests(f, DRY_RUN, 4);
	assert_action(f->report, "qwen", "result", "created");
}

/* Whether the webhook likes the object is found out by the create: one bad object must not keep a wave back. */
static void test_a_webhook_that_refuses_is_one_that_answers(void **state)
{
	struct restore_fixture *f = *state;

	with_service(f, "");
	(void)fake_cluster_say(&f->cluster, DRY_RUN, 422, REFUSED);
	(void)fake_cluster_say(&f->cluster, CREATE, 422, REFUSED);
	apply(f);
	assert_action(f->report, "qwen", "result", "failed");
}

/* A webhook that fails for one object alone must not stop the others: the creates try on for their own time. */
static void test_a_webhook_that_does_not_come_up_in_time_is_left_to_the_creates(void **state)
{
	struct restore_fixture *f = *state;

	with_service(f, "");
	(void)fake_cluster_say(&f->cluster, DRY_RUN, 500, UNAVAILABLE);
	(void)fake_cluster_say(&f->cluster, CREATE, 201, QWEN);
	restore_plan(f);
	f->restore->patience.gate = 0;
	assert_int_equal(restore_apply(f), 0);
	assert_requests(f, DRY_RUN, 1);
	assert_action(f->report, "qwen", "result", "created");
}

static void test_a_kind_asks_its_webhook_once_however_many_objects_it_has(void **state)
{
	struct restore_fixture *f = *state;

	with_service(f, "");
	restore_object("llminferenceservices", SERVICE("test", "other", ""));
	fake_cluster_say_times(&f->cluster, 2, DRY_RUN, 201, QWEN);
	fake_cluster_say_times(&f->cluster, 2, CREATE, 201, QWEN);
	apply(f);
	assert_requests(f, DRY_RUN, 1);
	assert_count(f, "created", 2);
}

static void test_a_wave_with_nothing_to_create_asks_no_webhook(void **state)
{
	struct restore_fixture *f = *state;

	with_service(f, QWEN);
	apply(f);
	assert_action(f->report, "qwen", "result", "skipped");
	assert_requests(f, DRY_RUN, 0);
}

/* ---- gate: namespaces-active ---- */

#define TERMINATING "{'metadata':{'name':'prod'},'status':{'phase':'Terminating'}}"
#define POST_ROLE "POST /apis/rbac.authorization.k8s.io/v1/namespaces/prod/roles?"

static void with_role(struct restore_fixture *f)
{
	restore_object("roles", ROLE("prod", "reader"));
	restore_hello(f);
	fake_cluster_list(&f->cluster, "GET /apis/rbac.authorization.k8s.io/v1/roles?", "rbac.authorization.k8s.io/v1", "Role", "");
}

static void test_a_wave_waits_until_namespaces_are_active(void **state)
{
	struct restore_fixture *f = *state;

	with_role(f);
	fake_cluster_list(&f->cluster, SPACES, "v1", "Namespace", "");
	fake_cluster_list(&f->cluster, SPACES, "v1", "Namespace", TERMINATING);
	fake_cluster_list(&f->cluster, SPACES, "v1", "Namespace", SPACE("prod", "", ""));
	(void)fake_cluster_say(&f->cluster, POST_ROLE, 201, ROLE("prod", "reader"));
	restore_plan(f);
	f->restore->patience.gate_poll = 1;
	assert_int_equal(restore_apply(f), 0);
	assert_requests(f, SPACES, 1 + 3); /* the first was preflight's */
	assert_action(f->report, "reader", "result", "created");
}

static void test_a_namespace_that_does_not_become_active_is_named(void **state)
{
	struct restore_fixture *f = *state;

	with_role(f);
	fake_cluster_list(&f->cluster, SPACES, "v1", "Namespace", TERMINATING);
	restore_plan(f);
	f->restore->patience.gate = 0;
	assert_int_equal(restore_apply(f), -1);
	support_assert_error(f->err, ERR_NOT_READY, "gate of wave 'active': namespace 'prod' is not active on the target");
	assert_requests(f, "POST /apis/rbac.authorization.k8s.io/", 0);
	assert_count(f, "notRun", 1);
}

static void test_namespaces_that_may_not_be_listed_end_the_restore(void **state)
{
	struct restore_fixture *f = *state;

	with_role(f);
	(void)fake_cluster_say(&f->cluster, SPACES, 403, "{'kind':'Status','message':'no such right'}");
	restore_plan(f);
	assert_int_equal(restore_apply(f), -1);
	support_assert_error(f->err, ERR_FORBIDDEN, "gate of wave 'active': list of namespaces: no such right");
}

/* What was done before the end is in the report. */
static void test_a_restore_that_ends_early_reports_what_it_did(void **state)
{
	struct restore_fixture *f = *state;
	const json_t *waves;

	with_config(f);
	restore_object("roles", ROLE("prod", "reader"));
	fake_cluster_list(&f->cluster, "/roles?", "rbac.authorization.k8s.io/v1", "Role", "");
	(void)fake_cluster_say(&f->cluster, POST_CONFIG("prod"), 201, ONE);
	(void)fake_cluster_say(&f->cluster, SPACES, 403, "{'kind':'Status','message':'no such right'}");
	restore_plan(f);
	assert_int_equal(restore_apply(f), -1);
	assert_action(f->report, "app", "result", "created");
	assert_action(f->report, "reader", "result", "not run");
	waves = json_object_get(f->report, "waves");
	assert_true(json_is_integer(json_object_get(json_array_get(waves, 0), "applyMilliseconds")));
	assert_true(json_is_null(json_object_get(json_array_get(waves, 1), "applyMilliseconds")));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, restore_set_up, restore_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_an_unavailable_server_is_asked_again),
		TEST(test_a_conflict_of_a_quota_is_tried_again),
		TEST(test_retry_after_is_obeyed),
		TEST(test_a_retry_after_beyond_the_deadline_is_not_waited_for),
		TEST(test_the_deadline_is_of_one_object_and_not_of_all),
		TEST(test_a_refused_object_fails_and_the_others_go_on),
		TEST(test_a_failed_object_does_not_keep_later_waves_back),
		TEST(test_a_refusal_without_its_reason_fails_at_once),
		TEST(test_a_busy_server_without_its_reason_is_asked_again),
		TEST(test_a_conflict_without_its_reason_is_looked_at_in_the_end),
		TEST(test_a_conflict_of_an_object_that_is_not_there_fails_with_what_was_said),
		TEST(test_a_lost_answer_and_an_equal_object_is_created),
		TEST(test_a_connection_that_closes_without_an_answer_is_such_a_loss),
		TEST(test_an_equal_object_of_somebody_else_is_skipped),
		TEST(test_a_differing_object_of_somebody_else_is_a_conflict),
		TEST(test_a_lost_answer_and_a_differing_object_is_a_conflict),
		TEST(test_what_exists_and_cannot_be_read_fails),
		TEST(test_a_field_that_the_server_drops_is_a_finding),
		TEST(test_a_value_that_the_server_changes_is_a_finding),
		TEST(test_what_the_server_adds_is_no_finding),
		TEST(test_a_merge_sends_nothing_but_what_is_missing),
		TEST(test_a_merge_leaves_a_differing_label_alone_and_says_so),
		TEST(test_a_merge_that_is_refused_fails),
		TEST(test_what_appeared_meanwhile_is_merged),
		TEST(test_a_merge_into_a_list_keeps_what_cleaning_hides),
		TEST(test_a_merge_that_a_write_came_in_between_is_made_again),
		TEST(test_a_merge_that_somebody_else_made_meanwhile_is_skipped),
		TEST(test_a_skipped_object_is_not_written),
		TEST(test_a_wave_waits_until_its_webhooks_answer),
		TEST(test_a_webhook_that_refuses_is_one_that_answers),
		TEST(test_a_webhook_that_does_not_come_up_in_time_is_left_to_the_creates),
		TEST(test_a_kind_asks_its_webhook_once_however_many_objects_it_has),
		TEST(test_a_wave_with_nothing_to_create_asks_no_webhook),
		TEST(test_a_wave_waits_until_namespaces_are_active),
		TEST(test_a_namespace_that_does_not_become_active_is_named),
		TEST(test_namespaces_that_may_not_be_listed_end_the_restore),
		TEST(test_a_restore_that_ends_early_reports_what_it_did),
	};

	return cmocka_run_group_tests_name("restore_apply", tests, NULL, NULL);
}
