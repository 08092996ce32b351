/* SPDX-License-Identifier: Apache-2.0 */
/* Each thing that can be wrong with a target, alone; and what --ignore, --partial and --wait 0 make of it. */
#include "support.h"

#include <string.h>

#include "restore_support.h"
#include "util/json.h"

#define SPACE_LIST "meta.k8s.io/v1", "PartialObjectMetadata"
#define REVIEW "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews "
#define ALLOWED "{'status':{'allowed':true}}"
#define DENIED "{'status':{'allowed':false}}"
#define DEFINITION(kind) "GET /apis/apiextensions.k8s.io/v1/customresourcedefinitions/" kind " "
#define ESTABLISHED "'status':{'conditions':[{'type':'Established','status':'True'}]}"
#define SERVICES "/llminferenceservices?"

/* ---- kinds and versions ---- */

static void test_a_kind_that_is_not_served(void **state)
{
	struct restore_fixture *f = *state;

	restore_object("referencegrants",
		"{'apiVersion':'gateway.networking.k8s.io/v1beta1','kind':'ReferenceGrant'," META("prod", "grant", "") "}");
	f->settings.policy = "rhaii";
	restore_hello(f);
	restore_blocked_by(
		f, "kinds", "ReferenceGrant prod/grant", "referencegrants.gateway.networking.k8s.io is not served by the target");
}

static void test_a_version_that_is_not_served_is_named_with_those_that_are(void **state)
{
	struct restore_fixture *f = *state;

	restore_object("llminferenceservices",
		"{'apiVersion':'serving.kserve.io/v1','kind':'LLMInferenceService'," META("prod", "qwen", "") ",'spec':{}}");
	restore_hello(f);
	restore_blocked_by(f, "versions", "LLMInferenceService prod/qwen",
		"llminferenceservices.serving.kserve.io: the snapshot holds version v1, the target serves only v1alpha2, v1alpha1");
}

static void with_service(struct restore_fixture *f, const char *definition)
{
	restore_object("llminferenceservices", SERVICE("prod", "qwen", "'replicas':1,'colour':'red'"));
	restore_hello(f);
	fake_cluster_list(&f->cluster, SERVICES, SERVICE_VERSION, "LLMInferenceService", "");
	(void)fake_cluster_say(&f->cluster, DEFINITION("llminferenceservices.serving.kserve.io"), 200, definition);
}

static void test_a_version_that_the_target_has_and_does_not_serve_is_to_be_served_again(void **state)
{
	struct restore_fixture *f = *state;

	restore_object("llminferenceservices",
		"{'apiVersion':'serving.kserve.io/v1','kind':'LLMInferenceService'," META("prod", "qwen", "") ",'spec':{}}");
	restore_hello(f);
	(void)fake_cluster_say(&f->cluster, DEFINITION("llminferenceservices.serving.kserve.io"), 200,
		"{" ESTABLISHED ",'spec':{'versions':[{'name':'v1','served':false},{'name':'v1alpha2','served':true,'storage':true}]}}");
	restore_blocked_by(f, "versions", "LLMInferenceService prod/qwen",
		"llminferenceservices.serving.kserve.io: the snapshot holds version v1, the target serves only v1alpha2, v1alpha1");
	assert_non_null(strstr(json_text_at(restore_finding(f->plan, "versions"), "mend", NULL), "say `served: true` there"));
}

static void test_a_definition_that_is_not_established(void **state)
{
	struct restore_fixture *f = *state;

	with_service(f, "{'status':{'conditions':[{'type':'Established','status':'False'}]}}");
	restore_blocked_by(f, "definitions", "LLMInferenceService prod/qwen",
		"the definition llminferenceservices.serving.kserve.io is not established on the target");
}

static void test_a_definition_that_is_being_deleted(void **state)
{
	struct restore_fixture *f = *state;

	with_service(f, "{'metadata':{'deletionTimestamp':'2026-11-20T14:00:00Z'}," ESTABLISHED "}");
	restore_blocked_by(f, "definitions", "LLMInferenceService prod/qwen",
		"the definition llminferenceservices.serving.kserve.io is being deleted on the target: all its objects go with it");
}

static void test_a_field_that_the_target_would_drop(void **state)
{
	struct restore_fixture *f = *state;

	with_service(f,
		"{" ESTABLISHED ",'spec':{'versions':[{'name':'v1alpha2','served':true,'schema':{'openAPIV3Schema':{'type':'object',"
		"'properties':{'spec':{'type':'object','properties':{'replicas':{'type':'integer'}}}}}}}]}}");
	restore_blocked_by(
		f, "fields", "LLMInferenceService prod/qwen", "LLMInferenceService prod/qwen: the target does not know spec.colour");
}

#define TWO_VERSIONS(strategy)                                                                                                             \
	"{" ESTABLISHED ",'spec':{'conversion':{'strategy':'" strategy "'},'versions':["                                                   \
	"{'name':'v1alpha2','served':true,'schema':{'openAPIV3Schema':{'properties':{'spec':{'properties':{'replicas':{},'colour':{}}}}}}" \
	"},"                                                                                                                               \
	"{'name':'v1','served':true,'storage':true,'schema':{'openAPIV3Schema':{'properties':{'spec':{'properties':{'replicas':{}}}}}}}]}" \
	"}"

/* The strategy None changes the apiVersion alone, and the server prunes by the schema of the stored version too. */
static void test_a_field_that_the_stored_version_of_the_target_does_not_know(void **state)
{
	struct restore_fixture *f = *state;

	with_service(f, TWO_VERSIONS("None"));
	restore_blocked_by(f, "fields", "LLMInferenceService prod/qwen",
		"LLMInferenceService prod/qwen: the target stores version v1 without conversion from v1alpha2, and that does not know "
		"spec.colour");
}

static void test_a_field_that_a_webhook_converts_is_not_dropped(void **state)
{
	struct restore_fixture *f = *state;

	with_service(f, TWO_VERSIONS("Webhook"));
	restore_plan(f);
	assert_string_equal(json_text_at(restore_finding(f->plan, "fields"), "result", NULL), "ok");
}

/* ---- namespaces ---- */

static void test_a_namespace_that_is_being_deleted(void **state)
{
	struct restore_fixture *f = *state;

	restore_object("configmaps", CONFIG("prod", "app", "one"));
	restore_hello_bare(f);
	fake_cluster_list(&f->cluster, SPACES, SPACE_LIST, "{'metadata':{'name':'prod','deletionTimestamp':'2026-11-20T14:00:00Z'}}");
	restore_no_configs(f);
	restore_blocked_by(f, "terminating", "ConfigMap prod/app", "namespace prod is being deleted on the target");
}

/* Two minutes of waiting would not make it. Said once, not once an object. */
static void test_a_namespace_that_is_nowhere(void **state)
{
	struct restore_fixture *f = *state;

	restore_object("configmaps", CONFIG("gone", "app", "one"));
	restore_object("configmaps", CONFIG("gone", "other", "one"));
	restore_hello_bare(f);
	fake_cluster_list(&f->cluster, SPACES, SPACE_LIST, "");
	restore_no_configs(f);
	restore_blocked_by(f, "namespaces", "ConfigMap gone/app", "namespace gone is neither in the snapshot nor on the target");
	assert_int_equal(json_array_size(json_object_get(restore_finding(f->plan, "namespaces"), "objects")), 2);
}

static void test_a_namespace_in_the_snapshot_need_not_be_there(void **state)
{
	struct restore_fixture *f = *state;

	restore_object("configmaps", CONFIG("gone", "app", "one"));
	restore_object("namespaces", SPACE("gone", "", ""));
	restore_hello_bare(f);
	fake_cluster_list(&f->cluster, SPACES, SPACE_LIST, "");
	restore_no_configs(f);
	fake_cluster_list(&f->cluster, SPACES, "v1", "Namespace", "");
	restore_plan(f);
	assert_string_equal(json_text_at(restore_finding(f->plan, "namespaces"), "result", NULL), "ok");
	assert_int_equal(restore_blocked(f->restore, f->err), 0);
}

static void test_namespaces_that_may_not_be_listed_block_nothing(void **state)
{
	struct restore_fixture *f = *state;

	restore_object("configmaps", CONFIG("gone", "app", "one"));
	restore_hello_bare(f);
	(void)fake_cluster_say(&f->cluster, SPACES, 403, "{'kind':'Status','message':'no such right'}");
	restore_no_configs(f);
	restore_plan(f);
	assert_string_equal(json_text_at(restore_finding(f->plan, "namespaces"), "result", NULL), "not checked");
	assert_int_equal(restore_blocked(f->restore, f->err), 0);
}

/* ---- rights ---- */

static void with_two_spaces(struct restore_fixture *f)
{
	restore_object("configmaps", CONFIG("a", "app", "one"));
	restore_object("configmaps", CONFIG("b", "app", "one"));
	restore_hello(f);
	restore_no_configs(f);
}

/* Granted everywhere: one question a verb and kind, however many namespaces. */
static void test_a_right_everywhere_is_asked_for_once(void **state)
{
	struct restore_fixture *f = *state;

	with_two_spaces(f);
	(void)fake_cluster_say(&f->cluster, REVIEW, 201, ALLOWED);
	restore_plan(f);
	assert_string_equal(json_text_at(restore_finding(f->plan, "rights"), "result", NULL), "ok");
	assert_int_equal(fake_cluster_seen(&f->cluster, REVIEW), 1);
}

static void test_a_right_that_is_granted_in_each_namespace_is_enough(void **state)
{
	struct restore_fixture *f = *state;

	with_two_spaces(f);
	(void)fake_cluster_say(&f->cluster, REVIEW, 201, DENIED);
	fake_cluster_say_times(&f->cluster, 2, REVIEW, 201, ALLOWED);
	restore_plan(f);
	assert_string_equal(json_text_at(restore_finding(f->plan, "rights"), "result", NULL), "ok");
	assert_int_equal(fake_cluster_seen(&f->cluster, "'namespace':'a','resource':'configmaps','verb':'create'"), 1);
}

static void test_a_right_that_is_missing(void **state)
{
	struct restore_fixture *f = *state;

	with_two_spaces(f);
	fake_cluster_say_times(&f->cluster, 3, REVIEW, 201, DENIED);
	restore_blocked_by(f, "rights", "ConfigMap a/app", "we may not create configmaps in namespace a, b");
}

static void test_a_list_that_is_forbidden_is_a_right_that_is_missing(void **state)
{
	struct restore_fixture *f = *state;

	restore_object("configmaps", CONFIG("a", "app", "one"));
	restore_hello(f);
	(void)fake_cluster_say(&f->cluster, CONFIGS, 403, "{'kind':'Status','message':'no such right'}");
	(void)fake_cluster_say(&f->cluster, "POST /apis/authorization.k8s.io", 201, DENIED);
	(void)fake_cluster_say(&f->cluster, "POST /apis/authorization.k8s.io", 201, ALLOWED);
	(void)fake_cluster_say(&f->cluster, "POST /apis/authorization.k8s.io", 201, DENIED);
	restore_blocked_by(f, "rights", "ConfigMap a/app", "we may not list configmaps");
}

/* A server that has no reviews is not one that forbids all. */
static void test_rights_that_nobody_tells_block_nothing(void **state)
{
	struct restore_fixture *f = *state;

	with_two_spaces(f);
	restore_plan(f);
	assert_string_equal(json_text_at(restore_finding(f->plan, "rights"), "result", NULL), "not checked");
	assert_int_equal(restore_blocked(f->restore, f->err), 0);
}

/* ---- escalation ---- */

#define READER                                                                                                                             \
	"{'apiVersion':'rbac.authorization.k8s.io/v1','kind':'Role'," META("prod", "reader",                                               \
		"") ",'rules':[{'apiGroups':[''],'resources':['secrets','pods/log'],'verbs':['get'],'resourceNames':['hf']}]}"

static void with_reader(struct restore_fixture *f)
{
	restore_object("roles", READER);
	restore_hello(f);
	fake_cluster_list(&f->cluster, "/roles?", "rbac.authorization.k8s.io/v1", "Role", "");
	(void)fake_cluster_say(&f->cluster, REVIEW, 201, ALLOWED); /* to create it */
}

static void test_a_role_that_grants_what_we_do_not_hold(void **state)
{
	struct restore_fixture *f = *state;

	with_reader(f);
	fake_cluster_say_times(&f->cluster, 3, REVIEW, 201, DENIED);
	restore_blocked_by(f, "escalation", "Role prod/reader", "Role prod/reader grants what we do not hold: get secrets, get pods");
	assert_int_equal(
		fake_cluster_seen(&f->cluster, "'name':'hf','namespace':'prod','resource':'pods','subresource':'log','verb':'get'"), 1);
}

static void test_who_may_escalate_need_not_hold_it(void **state)
{
	struct restore_fixture *f = *state;

	with_reader(f);
	fake_cluster_say_times(&f->cluster, 3, REVIEW, 201, ALLOWED);
	restore_plan(f);
	assert_string_equal(json_text_at(restore_finding(f->plan, "escalation"), "result", NULL), "ok");
}

#define RBAC "rbac.authorization.k8s.io"
#define BINDING                                                                                                                            \
	"{'apiVersion':'" RBAC "/v1','kind':'RoleBinding'," META(                                                                          \
		"prod", "team", "") ",'roleRef':{'apiGroup':'" RBAC "','kind':'ClusterRole','name':'admin'},'subjects':[]}"

static void with_binding(struct restore_fixture *f)
{
	f->settings.policy = "rhaii";
	restore_object("rolebindings", BINDING);
	fake_cluster_hello(&f->cluster, "new", FAKE_VERSION("v1", FAKE_RESOURCE("namespaces", "Namespace", "Cluster")),
		FAKE_GROUP(RBAC,
			FAKE_VERSION("v1",
				FAKE_RESOURCE("rolebindings", "RoleBinding", "Namespaced") "," FAKE_RESOURCE(
					"clusterroles", "ClusterRole", "Cluster"))));
	fake_cluster_list(&f->cluster, SPACES, SPACE_LIST, "{'metadata':{'name':'prod'}}");
	fake_cluster_list(&f->cluster, "/rolebindings?", RBAC "/v1", "RoleBinding", "");
	(void)fake_cluster_say(&f->cluster, "GET /apis/" RBAC "/v1/clusterroles/admin ", 200,
		"{'rules':[{'apiGroups':[''],'resources':['secrets'],'verbs':['get']}]}");
	(void)fake_cluster_say(&f->cluster, REVIEW, 201, ALLOWED); /* to create it */
}

static void test_a_binding_to_a_role_that_grants_what_we_do_not_hold(void **state)
{
	struct restore_fixture *f = *state;

	with_binding(f);
	fake_cluster_say_times(&f->cluster, 2, REVIEW, 201, DENIED);
	restore_blocked_by(f, "escalation", "RoleBinding prod/team", "RoleBinding prod/team grants what we do not hold: get secrets");
	assert_int_equal(fake_cluster_seen(&f->cluster, "'name':'admin','namespace':'prod','resource':'clusterroles','verb':'bind'"), 1);
}

static void test_who_may_bind_need_not_hold_it(void **state)
{
	struct restore_fixture *f = *state;

	with_binding(f);
	(void)fake_cluster_say(&f->cluster, REVIEW, 201, ALLOWED);
	(void)fake_cluster_say(&f->cluster, REVIEW, 201, DENIED);
	restore_plan(f);
	assert_string_equal(json_text_at(restore_finding(f->plan, "escalation"), "result", NULL), "ok");
}

/* ---- webhooks ---- */

#define HOOK_RULES                                                                                                                         \
	"'rules':[{'operations':['CREATE'],'apiGroups':['serving.kserve.io'],'apiVersions':['*'],'resources':['llminferenceservices']}]"
#define HOOK(more) "{'metadata':{'name':'kserve'},'webhooks':[{'name':'defaulter.kserve'," HOOK_RULES "," more "}]}"
#define BY_SERVICE "'clientConfig':{'caBundle':'QUE=','service':{'namespace':'kserve','name':'hook'}}"
#define SLICES "GET /apis/discovery.k8s.io/v1/namespaces/kserve/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3Dhook "
#define DRY_RUN "/llminferenceservices?fieldManager=rhaii-dr&fieldValidation=Strict&dryRun=All "

/* A cluster that serves what the checks behind the plan look at, too. */
static void hello_whole(struct restore_fixture *f)
{
	fake_cluster_hello(&f->cluster, "new",
		FAKE_VERSION("v1",
			FAKE_RESOURCE("namespaces", "Namespace", "Cluster") "," FAKE_RESOURCE("nodes", "Node", "Cluster") "," FAKE_RESOURCE(
				"secrets", "Secret", "Namespaced") "," FAKE_RESOURCE("resourcequotas", "ResourceQuota",
				"Namespaced") "," FAKE_RESOURCE("limitranges", "LimitRange",
				"Namespaced") "," FAKE_RESOURCE("persistentvolumeclaims", "PersistentVolumeClaim",
				"Namespaced") "," FAKE_RESOURCE("serviceaccounts", "ServiceAccount",
				"Namespaced") "," FAKE_RESOURCE("configmaps", "ConfigMap", "Namespaced")),
		FAKE_GROUP("apps", FAKE_VERSION("v1", FAKE_RESOURCE("deployments", "Deployment", "Namespaced"))) "," FAKE_GROUP(
			"admissionregistration.k8s.io",
			FAKE_VERSION("v1",
				FAKE_RESOURCE("mutatingwebhookconfigurations", "MutatingWebhookConfiguration", "Cluster") "," FAKE_RESOURCE(
					"validatingwebhookconfigurations", "ValidatingWebhookConfiguration",
					"Cluster"))) "," FAKE_GROUP("serving.kserve.io",
			FAKE_VERSION("v1alpha2",
				FAKE_RESOURCE("llminferenceservices", "LLMInferenceService", "Namespaced")) "," FAKE_VERSION("v1alpha1",
				FAKE_RESOURCE("llminferenceserviceconfigs", "LLMInferenceServiceConfig",
					"Namespaced"))) "," FAKE_GROUP("networking.k8s.io",
			FAKE_VERSION("v1",
				FAKE_RESOURCE(
					"networkpolicies", "NetworkPolicy", "Namespaced"))) "," FAKE_GROUP("gateway.networking.k8s.io",
			FAKE_VERSION("v1",
				FAKE_RESOURCE("gateways", "Gateway", "Namespaced") "," FAKE_RESOURCE("gatewayclasses", "GatewayClass",
					"Cluster") "," FAKE_RESOURCE("httproutes", "HTTPRoute", "Namespaced"))));
	fake_cluster_list(&f->cluster, SPACES, SPACE_LIST, "{'metadata':{'name':'prod'}},{'metadata':{'name':'kserve'}}");
}

static void with_hooked_service(struct restore_fixture *f, const char *hook)
{
	f->settings.wait_ms = 1000;
	restore_object("llminferenceservices", SERVICE("prod", "qwen", "'replicas':1"));
	hello_whole(f);
	fake_cluster_list(&f->cluster, SERVICES, SERVICE_VERSION, "LLMInferenceService", "");
	fake_cluster_list(
		&f->cluster, "/mutatingwebhookconfigurations?", "admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", hook);
	fake_cluster_list(
		&f->cluster, "/validatingwebhookconfigurations?", "admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "");
}

static void test_a_webhook_without_a_ca_bundle(void **state)
{
	struct restore_fixture *f = *state;

	with_hooked_service(f, HOOK("'clientConfig':{'service':{'namespace':'kserve','name':'hook'}}"));
	restore_blocked_by(f, "webhooks", "LLMInferenceService prod/qwen", "webhook defaulter.kserve has no CA bundle");
}

static void test_a_webhook_without_an_endpoint(void **state)
{
	struct restore_fixture *f = *state;

	with_hooked_service(f, HOOK(BY_SERVICE));
	(void)fake_cluster_say(&f->cluster, SLICES, 200, "{'items':[{'endpoints':[{'conditions':{'ready':false}}]}]}");
	restore_blocked_by(f, "webhooks", "LLMInferenceService prod/qwen",
		"webhook defaulter.kserve: its Service kserve/hook has no endpoint that is ready");
}

static void test_a_webhook_that_does_not_answer(void **state)
{
	struct restore_fixture *f = *state;

	with_hooked_service(f, HOOK("'clientConfig':{'url':'https://127.0.0.1/'}"));
	fake_cluster_say_times(&f->cluster, 2, DRY_RUN, 500, UNAVAILABLE);
	restore_blocked_by(f, "webhooks", "LLMInferenceService prod/qwen",
		"the target does not take a LLMInferenceService in a dry run: no endpoints available for the webhook");
}

/* Whether it likes the object is found out by the create. */
static void test_a_webhook_that_refuses_the_object_answers(void **state)
{
	struct restore_fixture *f = *state;

	with_hooked_service(f, HOOK("'clientConfig':{'url':'https://127.0.0.1/'}"));
	(void)fake_cluster_say(&f->cluster, DRY_RUN, 422, REFUSED);
	restore_plan(f);
	assert_string_equal(json_text_at(restore_finding(f->plan, "webhooks"), "result", NULL), "ok");
}

static void test_a_webhook_that_need_not_answer_or_is_not_asked_blocks_nothing(void **state)
{
	struct restore_fixture *f = *state;

	with_hooked_service(f,
		HOOK("'failurePolicy':'Ignore','clientConfig':{'service':{'namespace':'kserve','name':'hook'}}") "," HOOK(
			"'namespaceSelector':{'matchLabels':{'kubernetes.io/"
			"metadata.name':'other'}},'clientConfig':{'service':{'namespace':'kserve','name':'hook'}}"));
	restore_plan(f);
	assert_string_equal(json_text_at(restore_finding(f->plan, "webhooks"), "result", NULL), "ok");
}

#define CONVERTED(config)                                                                                                                  \
	"{'metadata':{'name':'llminferenceservices.serving.kserve.io'}," ESTABLISHED                                                       \
	",'spec':{'conversion':{'strategy':'Webhook','webhook':{'clientConfig':{" config                                                   \
	"}}},'versions':[{'name':'v1alpha1','served':true,'storage':true},{'name':'v1alpha2','served':true}]}}"
#define CONVERSION_FAILED                                                                                                                  \
	"{'kind':'Status','message':'conversion webhook for serving.kserve.io/v1alpha2, Kind=LLMInferenceService failed: no endpoints "    \
	"available'}"

static void with_conversion(struct restore_fixture *f, const char *definition)
{
	with_hooked_service(f, "");
	(void)fake_cluster_say(&f->cluster, DEFINITION("llminferenceservices.serving.kserve.io"), 200, definition);
}

static void test_a_conversion_webhook_without_a_ca_bundle(void **state)
{
	struct restore_fixture *f = *state;

	with_conversion(f, CONVERTED("'service':{'namespace':'kserve','name':'hook'}"));
	(void)fake_cluster_say(&f->cluster, DRY_RUN, 201, "{}");
	restore_blocked_by(f, "conversion", "LLMInferenceService prod/qwen",
		"the conversion webhook of llminferenceservices.serving.kserve.io has no CA bundle");
}

static void test_a_conversion_webhook_without_an_endpoint(void **state)
{
	struct restore_fixture *f = *state;

	with_conversion(f, CONVERTED("'caBundle':'QUE=','service':{'namespace':'kserve','name':'hook'}"));
	(void)fake_cluster_say(&f->cluster, SLICES, 200, "{'items':[]}");
	(void)fake_cluster_say(&f->cluster, DRY_RUN, 201, "{}");
	restore_blocked_by(f, "conversion", "LLMInferenceService prod/qwen",
		"the conversion webhook of llminferenceservices.serving.kserve.io: its Service kserve/hook has no endpoint that is ready");
}

static void test_a_conversion_webhook_that_does_not_answer(void **state)
{
	struct restore_fixture *f = *state;

	with_conversion(f, CONVERTED("'url':'https://127.0.0.1/'"));
	fake_cluster_say_times(&f->cluster, 2, DRY_RUN, 500, CONVERSION_FAILED);
	restore_blocked_by(f, "conversion", "LLMInferenceService prod/qwen",
		"the conversion webhook of llminferenceservices.serving.kserve.io does not answer: conversion webhook for "
		"serving.kserve.io/v1alpha2, Kind=LLMInferenceService failed: no endpoints available");
}

static void test_a_conversion_webhook_that_nothing_reaches_is_not_checked(void **state)
{
	struct restore_fixture *f = *state;

	with_conversion(f, CONVERTED("'url':'https://127.0.0.1/'"));
	fake_cluster_say_times(&f->cluster, 2, DRY_RUN, 500, UNAVAILABLE);
	restore_plan(f);
	assert_string_equal(json_text_at(restore_finding(f->plan, "conversion"), "result", NULL), "not checked");
}

static void test_at_the_stored_version_no_conversion_is_needed(void **state)
{
	struct restore_fixture *f = *state;

	with_conversion(f,
		"{" ESTABLISHED ",'spec':{'conversion':{'strategy':'Webhook'},'versions':[{'name':'v1alpha1','served':true},"
		"{'name':'v1alpha2','served':true,'storage':true}]}}");
	restore_plan(f);
	assert_string_equal(json_text_at(restore_finding(f->plan, "conversion"), "result", NULL), "ok");
	assert_int_equal(fake_cluster_seen(&f->cluster, DRY_RUN), 0);
}

#define POLICY_FROM(block)                                                                                                                 \
	"{'apiVersion':'networking.k8s.io/v1','kind':'NetworkPolicy'," META(                                                               \
		"kserve", "narrow", "") ",'spec':{'podSelector':{'matchLabels':"                                                           \
					"{'app':'controller'}},'ingress':[{'from':[{'ipBlock':{'cidr':'" block "'}}]}]}}"

static void with_policy(struct restore_fixture *f, const char *policy)
{
	f->settings.policy = "rhaii";
	with_hooked_service(f, HOOK(BY_SERVICE));
	restore_object("networkpolicies", policy);
	fake_cluster_list(&f->cluster, "/networkpolicies?", "networking.k8s.io/v1", "NetworkPolicy", "");
	(void)fake_cluster_say(&f->cluster, SLICES, 200, "{'items':[{'endpoints':[{}]}]}");
	(void)fake_cluster_say(&f->cluster, DRY_RUN, 201, "{}");
	(void)fake_cluster_say(&f->cluster, "GET /api/v1/namespaces/kserve/services/hook ", 200,
		"{'spec':{'selector':{'app':'controller','tier':'control'}}}");
}

static void test_a_policy_that_lets_only_the_old_control_plane_in(void **state)
{
	struct restore_fixture *f = *state;

	with_policy(f, POLICY_FROM("172.16.0.0/28"));
	restore_blocked_by(f, "webhook-network", "NetworkPolicy kserve/narrow",
		"NetworkPolicy kserve/narrow lets only the addresses 172.16.0.0/28 in to the webhook of its namespace: the target's API "
		"server may "
		"have another one");
}

static void test_a_policy_that_lets_everybody_in_cuts_nobody_off(void **state)
{
	struct restore_fixture *f = *state;

	with_policy(f, POLICY_FROM("0.0.0.0/0"));
	restore_plan(f);
	assert_string_equal(json_text_at(restore_finding(f->plan, "webhook-network"), "result", NULL), "ok");
}

/* ---- quota ---- */

static void with_quota(struct restore_fixture *f, const char *quota)
{
	restore_object("configmaps", CONFIG("prod", "one", "1"));
	restore_object("configmaps", CONFIG("prod", "two", "2"));
	hello_whole(f);
	restore_no_configs(f);
	fake_cluster_list(&f->cluster, "/resourcequotas?", "v1", "ResourceQuota", quota);
}

static void test_a_quota_that_counts_objects(void **state)
{
	struct restore_fixture *f = *state;

	with_quota(f, "{" META("prod", "small", "") ",'spec':{'hard':{'configmaps':'3'}},'status':{'used':{'configmaps':'2'}}}");
	restore_blocked_by(f, "quota", "ConfigMap prod/one",
		"ResourceQuota prod/small lets configmaps grow to 3: 2 are there, 2 more are in the snapshot");
}

static void test_a_quota_with_room_or_of_another_namespace_blocks_nothing(void **state)
{
	struct restore_fixture *f = *state;

	with_quota(f,
		"{" META("prod", "large",
			"") ",'spec':{'hard':{'count/configmaps':'4'}},'status':{'used':{'count/configmaps':'2'}}},{" META("test", "small",
			"") ",'spec':{'hard':{'configmaps':'0'}}}");
	restore_plan(f);
	assert_string_equal(json_text_at(restore_finding(f->plan, "quota"), "result", NULL), "ok");
}

/* ---- quota and limits of pods ---- */

#define TWO_PODS                                                                                                                           \
	"'replicas':2,'template':{'containers':[{'name':'main','resources':{'requests':{'cpu':'2'},'limits':{'memory':'8Gi','nvidia.com/"  \
	"gpu':'1'}}}]}"
#define QUOTAS "GET /api/v1/resourcequotas?"
#define QUOTA(name, hard, more) "{" META("prod", name, "") ",'spec':{'hard':{" hard "}" more "}"

static void with_pods(struct restore_fixture *f)
{
	f->settings.wait_ms = 1000;
	restore_object("llminferenceservices", SERVICE("prod", "qwen", TWO_PODS));
	restore_object("llminferenceservices", SERVICE("prod", "off", "'replicas':0,'template':{'containers':[]}"));
	hello_whole(f);
	fake_cluster_list(&f->cluster, SERVICES, SERVICE_VERSION, "LLMInferenceService", "");
}

static void with_pod_quota(struct restore_fixture *f, const char *quota)
{
	with_pods(f);
	fake_cluster_list(&f->cluster, QUOTAS, "v1", "ResourceQuota", quota);
}

static void test_a_quota_of_accelerators_that_the_pods_exceed(void **state)
{
	struct restore_fixture *f = *state;

	with_pod_quota(f, QUOTA("gpus", "'requests.nvidia.com/gpu':'3'", "") ",'status':{'used':{'requests.nvidia.com/gpu':'2'}}}");
	restore_blocked_by(f, "pod-quota", "LLMInferenceService prod/qwen",
		"ResourceQuota prod/gpus lets requests.nvidia.com/gpu grow to 3: 2 are used, the pods of the snapshot's services ask for "
		"2");
}

static void test_a_quota_of_cpu_that_the_pods_exceed(void **state)
{
	struct restore_fixture *f = *state;

	with_pod_quota(f, QUOTA("cpu", "'cpu':'3500m'", "") "}");
	restore_blocked_by(f, "pod-quota", "LLMInferenceService prod/qwen",
		"ResourceQuota prod/cpu lets cpu grow to 3.5: 0 are used, the pods of the snapshot's services ask for 4");
}

static void test_a_quota_of_memory_that_the_pods_exceed(void **state)
{
	struct restore_fixture *f = *state;

	with_pod_quota(f, QUOTA("memory", "'limits.memory':'15Gi','pods':'2'", "") "}");
	restore_blocked_by(f, "pod-quota", "LLMInferenceService prod/qwen",
		"ResourceQuota prod/memory lets limits.memory grow to 16106127360: 0 are used, the pods of the snapshot's services ask for "
		"17179869184");
}

/* What its template does not say comes from a preset, or from a LimitRange: nobody knows how much. */
static void test_a_quota_with_room_for_the_pods_blocks_nothing(void **state)
{
	struct restore_fixture *f = *state;

	with_pod_quota(f,
		QUOTA("room", "'limits.memory':'16Gi','pods':'2','requests.nvidia.com/gpu':'2','requests.memory':'1','cpu':'4'", "") "}");
	restore_plan(f);
	assert_string_equal(json_text_at(restore_finding(f->plan, "pod-quota"), "result", NULL), "ok");
}

static void test_a_quota_of_some_pods_is_not_judged(void **state)
{
	struct restore_fixture *f = *state;

	with_pod_quota(f, QUOTA("high", "'pods':'0'", ",'scopes':['PriorityClass']") "}");
	restore_plan(f);
	assert_string_equal(json_text_at(restore_finding(f->plan, "pod-quota"), "result", NULL), "not checked");
}

/* The snapshot brings it: a service that was there before the quota was lowered does not come back. */
static void test_a_quota_of_the_snapshot_that_its_own_pods_exceed(void **state)
{
	struct restore_fixture *f = *state;

	f->settings.policy = "rhaii";
	restore_object("resourcequotas",
		"{'apiVersion':'v1','kind':'ResourceQuota'," META("prod", "own", "") ",'spec':{'hard':{'requests.nvidia.com/gpu':'1'}}}");
	with_pods(f);
	for (int i = 0; i < 2; i++) /* for the plan as well */
		fake_cluster_list(&f->cluster, QUOTAS, "v1", "ResourceQuota", "");
	restore_blocked_by(f, "pod-quota", "LLMInferenceService prod/qwen",
		"ResourceQuota prod/own lets requests.nvidia.com/gpu grow to 1: 0 are used, the pods of the snapshot's services ask for 2");
}

static void with_range(struct restore_fixture *f, const char *limits)
{
	auto_free char *range = xasprintf("{" META("prod", "bounds", "") ",'spec':{'limits':[%s]}}", limits);

	with_pods(f);
	fake_cluster_list(&f->cluster, "GET /api/v1/limitranges?", "v1", "LimitRange", range);
}

static void test_a_limit_that_a_container_exceeds(void **state)
{
	struct restore_fixture *f = *state;

	with_range(f, "{'type':'Container','max':{'memory':'4Gi'}}");
	restore_blocked_by(f, "limits", "LLMInferenceService prod/qwen",
		"LimitRange prod/bounds refuses the pods of spec.template of LLMInferenceService prod/qwen: limits.memory is 8589934592, "
		"its "
		"max is 4294967296");
}

static void test_a_limit_that_a_pod_exceeds(void **state)
{
	struct restore_fixture *f = *state;

	with_range(f, "{'type':'Pod','max':{'cpu':'1'}}");
	restore_blocked_by(f, "limits", "LLMInferenceService prod/qwen",
		"LimitRange prod/bounds refuses the pods of spec.template of LLMInferenceService prod/qwen: requests.cpu is 2, its max is "
		"1");
}

static void test_a_limit_that_a_container_stays_below(void **state)
{
	struct restore_fixture *f = *state;

	with_range(f, "{'type':'Container','min':{'cpu':'3'}}");
	restore_blocked_by(f, "limits", "LLMInferenceService prod/qwen",
		"LimitRange prod/bounds refuses the pods of spec.template of LLMInferenceService prod/qwen: requests.cpu is 2, its min is "
		"3");
}

/* A preset may add a container to the pod, so that its min says nothing. */
static void test_limits_that_hold_block_nothing(void **state)
{
	struct restore_fixture *f = *state;

	with_range(f,
		"{'type':'Container','max':{'memory':'8Gi'},'min':{'cpu':'2','ephemeral-storage':'1Gi'}},{'type':'Pod','min':{'cpu':'9'}},"
		"{'type':'PersistentVolumeClaim','max':{'cpu':'1'}}");
	restore_plan(f);
	assert_string_equal(json_text_at(restore_finding(f->plan, "limits"), "result", NULL), "ok");
}

/* ---- the operator ---- */

#define CONTROLLER(available)                                                                                                              \
	"{'metadata':{'namespace':'kserve','name':'llmisvc-controller-manager'},'status':{'availableReplicas':" available "}}"
#define PRESET(more)                                                                                                                       \
	"{'metadata':{'namespace':'kserve','name':'kserve-config-llm-template','annotations':{'serving.kserve.io/"                         \
	"well-known-config':'true'}" more "}}"

static void with_operator(struct restore_fixture *f, const char *deployments, const char *presets)
{
	with_hooked_service(f, "");
	fake_cluster_list(&f->cluster, "/deployments?", "apps/v1", "Deployment", deployments);
	fake_cluster_list(&f->cluster, "/llminferenceserviceconfigs?", "meta.k8s.io/v1", "PartialObjectMetadata", presets);
}

static void test_a_controller_that_is_scaled_down(void **state)
{
	struct restore_fixture *f = *state;

	with_operator(f, CONTROLLER("0"), PRESET(""));
	restore_blocked_by(f, "controller", "LLMInferenceService prod/qwen",
		"no replica of Deployment kserve/llmisvc-controller-manager is available");
}

static void test_no_controller(void **state)
{
	struct restore_fixture *f = *state;

	with_operator(f, "{'metadata':{'namespace':'web','name':'shop'}}", PRESET(""));
	restore_blocked_by(f, "controller", "LLMInferenceService prod/qwen", "the target has no controller of KServe");
}

static void test_no_presets(void **state)
{
	struct restore_fixture *f = *state;

	with_operator(f, CONTROLLER("1"), "{'metadata':{'namespace':'prod','name':'own'}}");
	restore_blocked_by(
		f, "presets", "LLMInferenceService prod/qwen", "the target has none of the presets of KServe (LLMInferenceServiceConfigs)");
}

static void test_a_preset_that_is_being_deleted(void **state)
{
	struct restore_fixture *f = *state;

	with_operator(f, CONTROLLER("1"), PRESET(",'deletionTimestamp':'2026-11-20T14:00:00Z'"));
	restore_blocked_by(f, "presets", "LLMInferenceService prod/qwen", "preset kserve/kserve-config-llm-template is being deleted");
}

#define DEPLOYMENT "GET /apis/apps/v1/namespaces/kserve/deployments/llmisvc-controller-manager "
#define RUNS(image) "{'spec':{'template':{'spec':{'containers':[{'name':'manager','image':'" image "'}]}}}}"

static void with_installation(struct restore_fixture *f, const char *requirements)
{
	support_write_file("snap/requirements.yaml", requirements);
	with_operator(f, CONTROLLER("1"), PRESET(""));
}

static void with_image(struct restore_fixture *f, const char *live)
{
	with_installation(f,
		"requirements: []\ncontrollers: [{group: apps, resource: deployments, kind: Deployment, namespace: kserve, name: "
		"llmisvc-controller-manager, container: manager, image: 'registry.invalid/kserve/llmisvc:v0.20', version: v0.20}]\n");
	(void)fake_cluster_say(&f->cluster, DEPLOYMENT, 200, live);
}

static void test_a_controller_of_another_version(void **state)
{
	struct restore_fixture *f = *state;

	with_image(f, RUNS("mirror.invalid/llmisvc:v0.19"));
	restore_blocked_by(f, "installation", "LLMInferenceService prod/qwen",
		"Deployment kserve/llmisvc-controller-manager runs mirror.invalid/llmisvc:v0.19, on the source it ran "
		"registry.invalid/kserve/llmisvc:v0.20");
}

static void test_a_controller_of_a_mirror_is_the_same(void **state)
{
	struct restore_fixture *f = *state;

	with_image(f, RUNS("mirror.invalid/llmisvc:v0.20"));
	restore_plan(f);
	assert_string_equal(json_text_at(restore_finding(f->plan, "installation"), "result", NULL), "ok");
}

#define ONE_PRESET "GET /apis/serving.kserve.io/v1alpha1/namespaces/kserve/llminferenceserviceconfigs/template "

static void with_preset(struct restore_fixture *f, int status, const char *live)
{
	/* the hash of {"spec":{"replicas":1}} */
	with_installation(f,
		"requirements: []\npresets: [{group: serving.kserve.io, resource: llminferenceserviceconfigs, kind: "
		"LLMInferenceServiceConfig, "
		"namespace: kserve, name: template, sha256: 01ce691c503c7664ccb483e2d202deb16549d7adf2327491e6016db32edb4537}]\n");
	(void)fake_cluster_say(&f->cluster, ONE_PRESET, status, live);
}

static void test_a_preset_of_another_content(void **state)
{
	struct restore_fixture *f = *state;

	with_preset(f, 200, "{'kind':'LLMInferenceServiceConfig','metadata':{'name':'template'},'spec':{'replicas':2}}");
	restore_blocked_by(f, "installation", "LLMInferenceService prod/qwen", "preset kserve/template is another one than on the source");
}

static void test_a_preset_of_the_same_content(void **state)
{
	struct restore_fixture *f = *state;

	with_preset(f, 200, "{'kind':'LLMInferenceServiceConfig','metadata':{'name':'template'},'spec':{'replicas':1}}");
	restore_plan(f);
	assert_string_equal(json_text_at(restore_finding(f->plan, "installation"), "result", NULL), "ok");
}

static void test_a_preset_that_is_missing(void **state)
{
	struct restore_fixture *f = *state;

	with_preset(f, 404, "{'kind':'Status','reason':'NotFound','message':'not there'}");
	restore_blocked_by(f, "installation", "LLMInferenceService prod/qwen", "preset kserve/template of the source is not on the target");
}

/* Said once, and not also of each preset of the source. */
static void test_presets_that_are_all_missing_are_one_finding(void **state)
{
	struct restore_fixture *f = *state;

	support_write_file("snap/requirements.yaml",
		"requirements: []\npresets: [{group: serving.kserve.io, resource: llminferenceserviceconfigs, kind: "
		"LLMInferenceServiceConfig, "
		"namespace: kserve, name: template, sha256: 01ce691c503c7664ccb483e2d202deb16549d7adf2327491e6016db32edb4537}]\n");
	with_operator(f, CONTROLLER("1"), "");
	(void)fake_cluster_say(&f->cluster, ONE_PRESET, 404, "{'kind':'Status','reason':'NotFound','message':'not there'}");
	restore_blocked_by(
		f, "presets", "LLMInferenceService prod/qwen", "the target has none of the presets of KServe (LLMInferenceServiceConfigs)");
}

/* Nobody waits for the services: they are told, and stop nothing. */
static void test_without_waiting_what_stops_converging_blocks_nothing(void **state)
{
	struct restore_fixture *f = *state;

	with_operator(f, CONTROLLER("0"), "");
	f->settings.wait_ms = 0;
	restore_plan(f);
	assert_string_equal(json_text_at(restore_finding(f->plan, "controller"), "result", NULL), "failed");
	assert_string_equal(json_text_at(restore_finding(f->plan, "controller"), "blocks", NULL), "converge");
	assert_int_equal(restore_blocked(f->restore, f->err), 0);
}

/* ---- requirements ---- */

#define NEED(resource, kind, name, keys, state)                                                                                            \
	"requirements: [{group: '', resource: " resource ", kind: " kind ", namespace: prod, name: " name ", keys: [" keys                 \
	"], neededBy: [ConfigMap prod/app], optional: false, state: " state "}]\n"
#define SECRET "GET /api/v1/namespaces/prod/secrets/hf "

static void with_need(struct restore_fixture *f, const char *requirements)
{
	f->settings.wait_ms = 1000;
	restore_object("configmaps", CONFIG("prod", "app", "one"));
	support_write_file("snap/requirements.yaml", requirements);
	hello_whole(f);
	restore_no_configs(f);
}

static void test_a_secret_that_is_missing(void **state)
{
	struct restore_fixture *f = *state;

	with_need(f, NEED("secrets", "Secret", "hf", "token", "required"));
	(void)fake_cluster_say(&f->cluster, SECRET, 404, "{'kind':'Status','reason':'NotFound','message':'not there'}");
	restore_blocked_by(f, "secrets", "ConfigMap prod/app", "Secret prod/hf is not on the target");
}

static void test_a_secret_without_its_key(void **state)
{
	struct restore_fixture *f = *state;

	with_need(f, NEED("secrets", "Secret", "hf", "token, other", "required"));
	(void)fake_cluster_say(&f->cluster, SECRET, 200, "{'data':{'other':'QUE='}}");
	restore_blocked_by(f, "secrets", "ConfigMap prod/app", "Secret prod/hf has no key token");
	assert_null(strstr(json_string_value(json_object_get(restore_finding(f->plan, "secrets"), "text")), "QUE="));
}

/* Its values do not even come here. */
static void test_a_secret_of_which_no_key_is_known_is_asked_for_by_its_metadata(void **state)
{
	struct restore_fixture *f = *state;

	with_need(f, NEED("secrets", "Secret", "hf", "", "required"));
	(void)fake_cluster_say(&f->cluster, SECRET, 200, "{'metadata':{'name':'hf'}}");
	restore_plan(f);
	assert_string_equal(json_text_at(restore_finding(f->plan, "secrets"), "result", NULL), "ok");
	assert_int_equal(fake_cluster_seen(&f->cluster, "as=PartialObjectMetadata;g=meta.k8s.io"), 1);
}

static void test_a_secret_that_may_not_be_read_is_not_checked(void **state)
{
	struct restore_fixture *f = *state;

	with_need(f, NEED("secrets", "Secret", "hf", "token", "required"));
	(void)fake_cluster_say(&f->cluster, SECRET, 403, "{'kind':'Status','message':'no such right'}");
	restore_plan(f);
	assert_string_equal(json_text_at(restore_finding(f->plan, "secrets"), "result", NULL), "not checked");
	assert_int_equal(restore_blocked(f->restore, f->err), 0);
}

static void test_what_the_source_did_not_have_either_blocks_nothing(void **state)
{
	struct restore_fixture *f = *state;

	with_need(f, NEED("secrets", "Secret", "hf", "token", "missing"));
	restore_plan(f);
	assert_int_equal(restore_blocked(f->restore, f->err), 0);
	assert_int_equal(fake_cluster_seen(&f->cluster, SECRET), 0);
}

static void test_a_volume_that_is_missing(void **state)
{
	struct restore_fixture *f = *state;

	with_need(f, NEED("persistentvolumeclaims", "PersistentVolumeClaim", "models", "", "required"));
	(void)fake_cluster_say(
		&f->cluster, "/persistentvolumeclaims/models ", 404, "{'kind':'Status','reason':'NotFound','message':'not there'}");
	restore_blocked_by(f, "volumes", "ConfigMap prod/app", "PersistentVolumeClaim prod/models is not on the target");
}

static void test_a_configmap_without_its_key(void **state)
{
	struct restore_fixture *f = *state;

	with_need(f, NEED("configmaps", "ConfigMap", "ca-bundle", "ca.crt", "required"));
	(void)fake_cluster_say(&f->cluster, "GET /api/v1/namespaces/prod/configmaps/ca-bundle ", 200, "{'data':{'other':'QUE='}}");
	restore_blocked_by(f, "configmaps", "ConfigMap prod/app", "ConfigMap prod/ca-bundle has no key ca.crt");
}

static void test_a_service_account_that_is_missing(void **state)
{
	struct restore_fixture *f = *state;

	with_need(f, NEED("serviceaccounts", "ServiceAccount", "runner", "", "required"));
	(void)fake_cluster_say(&f->cluster, "/serviceaccounts/runner ", 404, "{'kind':'Status','reason':'NotFound','message':'not there'}");
	restore_blocked_by(f, "service-accounts", "ConfigMap prod/app", "ServiceAccount prod/runner is not on the target");
}

static void test_a_gateway_that_is_not_programmed(void **state)
{
	struct restore_fixture *f = *state;

	with_need(f,
		"requirements: [{group: gateway.networking.k8s.io, resource: gateways, kind: Gateway, namespace: prod, name: shared, keys: "
		"[], neededBy: [ConfigMap prod/app], optional: false, state: required}]\n");
	(void)fake_cluster_say(&f->cluster, "/gateways/shared ", 200, "{'status':{'conditions':[{'type':'Programmed','status':'False'}]}}");
	restore_blocked_by(f, "gateways", "ConfigMap prod/app", "Gateway prod/shared is not Programmed");
}

static void test_a_gateway_without_its_listener(void **state)
{
	struct restore_fixture *f = *state;

	with_need(f,
		"requirements: [{group: gateway.networking.k8s.io, resource: gateways, kind: Gateway, namespace: prod, name: shared, keys: "
		"[https], neededBy: [ConfigMap prod/app], optional: false, state: required}]\n");
	(void)fake_cluster_say(&f->cluster, "/gateways/shared ", 200,
		"{'spec':{'listeners':[{'name':'http'}]},'status':{'conditions':[{'type':'Programmed','status':'True'}]}}");
	restore_blocked_by(f, "gateways", "ConfigMap prod/app", "Gateway prod/shared has no listener https");
}

static void test_a_gateway_class_that_nobody_accepted(void **state)
{
	struct restore_fixture *f = *state;

	with_need(f,
		"requirements: [{group: gateway.networking.k8s.io, resource: gatewayclasses, kind: GatewayClass, namespace: '', name: "
		"istio, "
		"keys: [], neededBy: [ConfigMap prod/app], optional: false, state: required}]\n");
	(void)fake_cluster_say(
		&f->cluster, "/gatewayclasses/istio ", 200, "{'status':{'conditions':[{'type':'Accepted','status':'Unknown'}]}}");
	restore_blocked_by(f, "gateway-classes", "ConfigMap prod/app", "GatewayClass istio is not Accepted");
}

static void test_a_requirement_of_a_kind_that_is_not_served(void **state)
{
	struct restore_fixture *f = *state;

	with_need(f,
		"requirements: [{group: cert-manager.io, resource: clusterissuers, kind: ClusterIssuer, namespace: '', name: ca, keys: [], "
		"neededBy: [ConfigMap prod/app], optional: false, state: required}]\n");
	restore_blocked_by(f, "references", "ConfigMap prod/app", "ClusterIssuer ca is of a kind that the target does not serve");
}

/* ---- nodes ---- */

#define GPU_POD                                                                                                                            \
	"'replicas':2,'template':{'nodeSelector':{'accelerator':'l4'},'containers':[{'name':'main','resources':{'limits':{'nvidia.com/"    \
	"gpu':'1'}}}]}"
#define NODE(labels, gpus, spec)                                                                                                           \
	"{'metadata':{'name':'n','labels':{" labels "}},'spec':{" spec "},'status':{'allocatable':{'nvidia.com/gpu':'" gpus "'}}}"
#define GPU_TAINT "'taints':[{'key':'nvidia.com/gpu','value':'present','effect':'NoSchedule'}]"

static void with_nodes(struct restore_fixture *f, const char *nodes)
{
	f->settings.wait_ms = 1000;
	restore_object("llminferenceservices", SERVICE("prod", "qwen", GPU_POD));
	hello_whole(f);
	fake_cluster_list(&f->cluster, SERVICES, SERVICE_VERSION, "LLMInferenceService", "");
	fake_cluster_list(&f->cluster, "/nodes?", "v1", "Node", nodes);
}

static void test_no_node_has_the_labels(void **state)
{
	struct restore_fixture *f = *state;

	with_nodes(f, NODE("'accelerator':'h100'", "8", ""));
	restore_blocked_by(f, "nodes", "LLMInferenceService prod/qwen",
		"LLMInferenceService prod/qwen: no node of the target has the labels that pods of spec.template ask for, and no taint that "
		"they "
		"do not "
		"tolerate (nvidia.com/gpu 1, accelerator=l4)");
}

static void test_a_taint_that_is_not_tolerated(void **state)
{
	struct restore_fixture *f = *state;

	with_nodes(f, NODE("'accelerator':'l4'", "8", "'taints':[{'key':'team','value':'web','effect':'NoSchedule'}]"));
	restore_plan(f);
	assert_string_equal(json_text_at(restore_finding(f->plan, "nodes"), "result", NULL), "failed");
}

static void test_too_few_accelerators(void **state)
{
	struct restore_fixture *f = *state;

	with_nodes(f, NODE("'accelerator':'l4'", "1", GPU_TAINT) "," NODE("'accelerator':'h100'", "8", ""));
	restore_blocked_by(f, "nodes", "LLMInferenceService prod/qwen",
		"LLMInferenceService prod/qwen: the nodes of the target have accelerators for 1 of 2 pods of spec.template (nvidia.com/gpu "
		"1, "
		"accelerator=l4)");
}

/* A taint named as the resource is tolerated by admission. */
static void test_enough_accelerators(void **state)
{
	struct restore_fixture *f = *state;

	with_nodes(f, NODE("'accelerator':'l4'", "1", GPU_TAINT) "," NODE("'accelerator':'l4'", "1", GPU_TAINT));
	restore_plan(f);
	assert_string_equal(json_text_at(restore_finding(f->plan, "nodes"), "result", NULL), "ok");
}

static void test_a_target_without_nodes_is_not_judged(void **state)
{
	struct restore_fixture *f = *state;

	with_nodes(f, "");
	restore_plan(f);
	assert_string_equal(json_text_at(restore_finding(f->plan, "nodes"), "result", NULL), "not checked");
}

/* ---- what a blocker stops ---- */

static void with_blocked_space(struct restore_fixture *f)
{
	restore_object("configmaps", CONFIG("gone", "app", "one"));
	restore_object("configmaps", CONFIG("a", "app", "one"));
	restore_hello(f);
	restore_no_configs(f);
}

static void test_a_check_that_is_ignored_blocks_nothing_and_is_told(void **state)
{
	struct restore_fixture *f = *state;
	struct strlist names = STRLIST_INIT;

	strlist_add(&names, "namespaces");
	f->settings.ignore = &names;
	with_blocked_space(f);
	restore_plan(f);
	assert_int_equal(restore_blocked(f->restore, f->err), 0);
	assert_string_equal(json_text_at(restore_finding(f->plan, "namespaces"), "result", NULL), "failed");
	assert_true(json_is_true(json_object_get(restore_finding(f->plan, "namespaces"), "ignored")));
	strlist_release(&names);
}

static void test_only_a_check_can_be_ignored(void **state)
{
	struct restore_fixture *f = *state;
	struct strlist names = STRLIST_INIT;

	strlist_add(&names, "everything");
	f->settings.ignore = &names;
	restore_refused(f, ERR_USAGE, "there is no check 'everything' that could be ignored");
	strlist_release(&names);
}

static void test_partial_restores_all_that_is_not_blocked(void **state)
{
	struct restore_fixture *f = *state;

	f->settings.partial = true;
	with_blocked_space(f);
	(void)fake_cluster_say(&f->cluster, POST_CONFIG("a"), 201, CONFIG("a", "app", "one"));
	restore_plan(f);
	assert_int_equal(restore_blocked(f->restore, f->err), 0);
	assert_int_equal(restore_apply(f), 0);
	assert_int_equal(json_integer_value(json_at(f->report, "counts", "created", NULL)), 1);
	assert_int_equal(json_integer_value(json_at(f->report, "counts", "blocked", NULL)), 1);
	assert_int_equal(outcome_exit_code(&f->outcome), ERR_PARTIAL);
}

/* The service names a route that cannot come: it would wait for it in vain. */
static void test_partial_stops_what_depends_on_what_is_blocked(void **state)
{
	struct restore_fixture *f = *state;

	f->settings.partial = true;
	restore_object("httproutes", "{'apiVersion':'gateway.networking.k8s.io/v2','kind':'HTTPRoute'," META("prod", "way", "") "}");
	restore_object("llminferenceservices", SERVICE("prod", "qwen", "'router':{'route':{'http':{'refs':[{'name':'way'}]}}}"));
	restore_object("llminferenceservices", SERVICE("prod", "free", ""));
	restore_hello(f);
	fake_cluster_list(&f->cluster, SERVICES, SERVICE_VERSION, "LLMInferenceService", "");
	restore_plan(f);
	assert_action(f->plan, "qwen", "blocked", "it depends on an object that is blocked");
	assert_action(f->plan, "free", "blocked", "(null)");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, restore_set_up, restore_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_a_kind_that_is_not_served),
		TEST(test_a_version_that_is_not_served_is_named_with_those_that_are),
		TEST(test_a_version_that_the_target_has_and_does_not_serve_is_to_be_served_again),
		TEST(test_a_definition_that_is_not_established),
		TEST(test_a_definition_that_is_being_deleted),
		TEST(test_a_field_that_the_target_would_drop),
		TEST(test_a_field_that_the_stored_version_of_the_target_does_not_know),
		TEST(test_a_field_that_a_webhook_converts_is_not_dropped),
		TEST(test_a_namespace_that_is_being_deleted),
		TEST(test_a_namespace_that_is_nowhere),
		TEST(test_a_namespace_in_the_snapshot_need_not_be_there),
		TEST(test_namespaces_that_may_not_be_listed_block_nothing),
		TEST(test_a_right_everywhere_is_asked_for_once),
		TEST(test_a_right_that_is_granted_in_each_namespace_is_enough),
		TEST(test_a_right_that_is_missing),
		TEST(test_a_list_that_is_forbidden_is_a_right_that_is_missing),
		TEST(test_rights_that_nobody_tells_block_nothing),
		TEST(test_a_role_that_grants_what_we_do_not_hold),
		TEST(test_who_may_escalate_need_not_hold_it),
		TEST(test_a_binding_to_a_role_that_grants_what_we_do_not_hold),
		TEST(test_who_may_bind_need_not_hold_it),
		TEST(test_a_webhook_without_a_ca_bundle),
		TEST(test_a_webhook_without_an_endpoint),
		TEST(test_a_webhook_that_does_not_answer),
		TEST(test_a_webhook_that_refuses_the_object_answers),
		TEST(test_a_webhook_that_need_not_answer_or_is_not_asked_blocks_nothing),
		TEST(test_a_conversion_webhook_without_a_ca_bundle),
		TEST(test_a_conversion_webhook_without_an_endpoint),
		TEST(test_a_conversion_webhook_that_does_not_answer),
		TEST(test_a_conversion_webhook_that_nothing_reaches_is_not_checked),
		TEST(test_at_the_stored_version_no_conversion_is_needed),
		TEST(test_a_policy_that_lets_only_the_old_control_plane_in),
		TEST(test_a_policy_that_lets_everybody_in_cuts_nobody_off),
		TEST(test_a_quota_that_counts_objects),
		TEST(test_a_quota_with_room_or_of_another_namespace_blocks_nothing),
		TEST(test_a_quota_of_accelerators_that_the_pods_exceed),
		TEST(test_a_quota_of_cpu_that_the_pods_exceed),
		TEST(test_a_quota_of_memory_that_the_pods_exceed),
		TEST(test_a_quota_with_room_for_the_pods_blocks_nothing),
		TEST(test_a_quota_of_some_pods_is_not_judged),
		TEST(test_a_quota_of_the_snapshot_that_its_own_pods_exceed),
		TEST(test_a_limit_that_a_container_exceeds),
		TEST(test_a_limit_that_a_pod_exceeds),
		TEST(test_a_limit_that_a_container_stays_below),
		TEST(test_limits_that_hold_block_nothing),
		TEST(test_a_controller_that_is_scaled_down),
		TEST(test_no_controller),
		TEST(test_no_presets),
		TEST(test_a_preset_that_is_being_deleted),
		TEST(test_a_controller_of_another_version),
		TEST(test_a_controller_of_a_mirror_is_the_same),
		TEST(test_a_preset_of_another_content),
		TEST(test_a_preset_of_the_same_content),
		TEST(test_a_preset_that_is_missing),
		TEST(test_presets_that_are_all_missing_are_one_finding),
		TEST(test_without_waiting_what_stops_converging_blocks_nothing),
		TEST(test_a_secret_that_is_missing),
		TEST(test_a_secret_without_its_key),
		TEST(test_a_secret_of_which_no_key_is_known_is_asked_for_by_its_metadata),
		TEST(test_a_secret_that_may_not_be_read_is_not_checked),
		TEST(test_what_the_source_did_not_have_either_blocks_nothing),
		TEST(test_a_volume_that_is_missing),
		TEST(test_a_configmap_without_its_key),
		TEST(test_a_service_account_that_is_missing),
		TEST(test_a_gateway_that_is_not_programmed),
		TEST(test_a_gateway_without_its_listener),
		TEST(test_a_gateway_class_that_nobody_accepted),
		TEST(test_a_requirement_of_a_kind_that_is_not_served),
		TEST(test_no_node_has_the_labels),
		TEST(test_a_taint_that_is_not_tolerated),
		TEST(test_too_few_accelerators),
		TEST(test_enough_accelerators),
		TEST(test_a_target_without_nodes_is_not_judged),
		TEST(test_a_check_that_is_ignored_blocks_nothing_and_is_told),
		TEST(test_only_a_check_can_be_ignored),
		TEST(test_partial_restores_all_that_is_not_blocked),
		TEST(test_partial_stops_what_depends_on_what_is_blocked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
