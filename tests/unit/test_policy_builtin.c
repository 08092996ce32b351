/* SPDX-License-Identifier: Apache-2.0 */
/* The built-in policies, on objects as clusters have them. */
#include "support.h"

#include <string.h>

#include "object/canonical.h"
#include "object/classify.h"
#include "object/fieldpath.h"
#include "object/object.h"
#include "object/references.h"
#include "policy/policy.h"
#include "util/mem.h"
#include "util/json.h"
#include "util/strbuf.h"
#include "util/yaml.h"

static struct policy *rhaii;

static int load_rhaii(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	if (policy_load(&rhaii, NULL, &err) == 0)
		return 0;
	print_error("%s\n", err.text);
	return -1;
}

static int free_rhaii(void **state)
{
	(void)state;
	policy_free(rhaii);
	return 0;
}

static void release_object(struct object **object)
{
	object_free(*object);
}
#define auto_object __attribute__((cleanup(release_object)))

static struct object *object_of(const char *resource, const char *yaml)
{
	struct error err = ERROR_INIT;
	struct object *object = NULL;
	auto_json json_t *json = yaml_read(yaml, strlen(yaml), &err);

	assert_string_equal(err.text, "");
	assert_int_equal(object_new(&object, resource, json, &err), 0);
	return object;
}

/* ---- the whole ---- */

static void assert_stable(const char *name)
{
	struct error err = ERROR_INIT;
	auto_strbuf struct strbuf text = STRBUF_INIT;
	struct policy *policy = NULL, *again = NULL;

	assert_int_equal(policy_load(&policy, name, &err), 0);
	canonical_yaml(policy->document, &text);
	policy_read(&again, text.buf, text.len, &err);
	assert_string_equal(err.text, "");
	assert_true(json_equal(policy->document, again->document));
	assert_int_equal(policy->kind_count, again->kind_count);
	for (size_t i = 0; i < policy->kind_count; i++) {
		assert_string_equal(policy->kinds[i].resource, again->kinds[i].resource);
		assert_int_equal(policy->kinds[i].reference_count, again->kinds[i].reference_count);
		assert_int_equal(policy->kinds[i].strip_count, again->kinds[i].strip_count);
	}
	policy_free(policy);
	policy_free(again);
}

static void test_the_effective_document_reads_as_the_same_policy(void **state)
{
	(void)state;
	assert_stable("core");
	assert_stable("rhaii");
}

static void test_waves_stand_in_the_order_of_the_design(void **state)
{
	static const struct {
		const char *name;
		enum policy_gate gate;
	} expected[] = {
		{"namespaces", GATE_NONE},
		{"foundations", GATE_NAMESPACES_ACTIVE},
		{"role-bindings", GATE_NONE},
		{"network-policies", GATE_NONE},
		{"gateways", GATE_NONE},
		{"configs", GATE_DRY_RUN_CREATE},
		{"service-routes", GATE_NONE},
		{"services", GATE_DRY_RUN_CREATE},
		{"routes", GATE_NONE},
	};

	(void)state;
	assert_int_equal(rhaii->wave_count, sizeof(expected) / sizeof(expected[0]));
	for (size_t i = 0; i < rhaii->wave_count; i++) {
		assert_string_equal(rhaii->waves[i].name, expected[i].name);
		assert_int_equal(rhaii->waves[i].gate, expected[i].gate);
	}
}

/* Capture goes through the kinds once, so that nothing may select what a later kind refers to. */
static void test_selected_kinds_come_after_those_that_refer_to_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < rhaii->kind_count; i++) {
		const struct policy_kind *kind = &rhaii->kinds[i];
		for (size_t r = 0; r < kind->reference_count; r++) {
			const struct reference_rule *rule = &kind->references[r];
			const struct policy_kind *target = policy_find(rhaii, rule->group, rule->resource);
			if (target && target->select == SELECT_REFERENCED)
				assert_true(target > kind || rule->selects);
		}
	}
}

static void test_early_routes_are_those_of_services(void **state)
{
	const struct policy_kind *services = policy_find(rhaii, "serving.kserve.io", "llminferenceservices");
	const struct policy_kind *routes = policy_find(rhaii, "gateway.networking.k8s.io", "httproutes");

	(void)state;
	assert_string_equal(services->early_resource, "httproutes");
	assert_true(services->early_wave < services->wave);
	assert_true(routes->wave > services->wave);
}

/* ---- strip ---- */

static void assert_cleaned(const char *group, const char *resource, const char *live, const char *expected)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_object struct object *object = object_of(resource, live);
	const struct policy_kind *kind = policy_find(rhaii, group, resource);

	assert_non_null(kind);
	policy_clean(kind, object->json);
	canonical_yaml(object->json, &text);
	assert_string_equal(text.buf, expected);
}

static void test_a_service_keeps_what_people_wrote(void **state)
{
	(void)state;
	assert_cleaned("serving.kserve.io", "llminferenceservices",
		"apiVersion: serving.kserve.io/v1alpha2\nkind: LLMInferenceService\n"
		"metadata:\n  name: qwen\n  namespace: prod\n  uid: u\n  resourceVersion: '7'\n  generation: 3\n  creationTimestamp: "
		"'2026-01-01T00:00:00Z'\n"
		"  finalizers: [serving.kserve.io/llmisvc-finalizer]\n  managedFields: [{manager: kubectl}]\n"
		"  labels: {internal.serving.kserve.io/localmodel: m, serving.kserve.io/routing-group: g}\n"
		"  annotations:\n    kubectl.kubernetes.io/last-applied-configuration: '{}'\n    "
		"internal.serving.kserve.io/localmodel-sourceuri: s\n"
		"    internal.serving.kserve.io/localmodel-pvc-name: p\n    internal.serving.kserve.io/model-criticality: Critical\n    "
		"serving.kserve.io/stop: 'true'\n"
		"spec:\n  replicas: 0\n  model: {uri: 'hf://Qwen/Qwen2.5-3B', name: qwen}\n  router: {gateway: {}, route: {}, scheduler: "
		"{}}\n"
		"  template: {containers: []}\n"
		"status: {url: 'http://10.0.0.1'}\n",
		"apiVersion: serving.kserve.io/v1alpha2\nkind: LLMInferenceService\nmetadata:\n  annotations:\n"
		"    internal.serving.kserve.io/model-criticality: Critical\n    serving.kserve.io/stop: 'true'\n  name: qwen\n  "
		"namespace: prod\n"
		"spec:\n  model:\n    name: qwen\n    uri: hf://Qwen/Qwen2.5-3B\n  replicas: 0\n  router:\n    gateway: {}\n    route: "
		"{}\n    scheduler: {}\n"
		"  template:\n    containers: []\n");
}

#define SECRET_OF(name) "{'f:secrets': {'k:{\"name\":\"" name "\"}': {}}}"

/* Items of a list, whatever their names: who has added them tells. */
static void test_an_account_loses_the_secrets_of_controllers(void **state)
{
	(void)state;
	assert_cleaned("", "serviceaccounts",
		"apiVersion: v1\nkind: ServiceAccount\nsecrets: [{name: of-a-controller}, {name: mine}, {name: of-another}, {name: "
		"ours}]\nmetadata:\n  name: a\n"
		"  managedFields:\n"
		"  - {manager: openshift-controller-manager, fieldsV1: " SECRET_OF(
			"of-a-controller") "}\n"
					   "  - {manager: kube-controller-manager, fieldsV1: " SECRET_OF(
						   "of-another") "}\n"
								 "  - {manager: kube-controller-manager, fieldsV1: " SECRET_OF(
									 "ours") "}\n"
										 "  - {manager: kubectl-client-side-apply, fieldsV1: "
										 "{'f:secrets': {'k:{\"name\":\"mine\"}': {}, "
										 "'k:{\"name\":\"ours\"}': {}}}}\n",
		"apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: a\nsecrets:\n- name: mine\n- name: ours\n");
}

struct mark {
	const char *where, *key; /* labels or annotations */
	bool stays;
};

static void assert_mark(const char *group, const char *resource, const struct mark *mark)
{
	auto_free char *api_version = xasprintf("%s%sv1", group, *group ? "/" : "");
	auto_object struct object *object = NULL;
	auto_json json_t *json = json_pack("{s:s, s:s, s:{s:s, s:s, s:{s:s}}}", "apiVersion", api_version, "kind", "K", "metadata", "name",
		"a", "namespace", "prod", mark->where, mark->key, "value");
	struct error err = ERROR_INIT;

	assert_int_equal(object_new(&object, resource, json, &err), 0);
	policy_clean(policy_find(rhaii, group, resource), object->json);
	if ((json_at(object->json, "metadata", mark->where, mark->key, NULL) != NULL) != mark->stays)
		fail_msg("%s of %s '%s' should have %s", resource, mark->where, mark->key, mark->stays ? "stayed" : "gone");
}

/* What webhooks derive, and what only looks like it: the annotations below hold data that a person wrote, or that a conversion hid there. */
static void test_what_webhooks_derive_goes_and_its_look_alikes_stay(void **state)
{
	static const struct mark services[] = {
		{"labels", "internal.serving.kserve.io/localmodel", false},
		{"labels", "internal.serving.kserve.io/localmodel-namespace", false},
		{"annotations", "internal.serving.kserve.io/localmodel-sourceuri", false},
		{"annotations", "internal.serving.kserve.io/localmodel-pvc-name", false},
		{"labels", "serving.kserve.io/routing-group", false},
		{"annotations", "kubectl.kubernetes.io/last-applied-configuration", false},
		/* look-alikes */
		{"annotations", "internal.serving.kserve.io/localmodel", true},
		{"labels", "internal.serving.kserve.io/localmodel-sourceuri", true},
		{"labels", "serving.kserve.io/localmodel", true},
		{"annotations", "serving.kserve.io/routing-group", true},
		{"annotations", "internal.serving.kserve.io/model-criticality", true},
		{"annotations", "internal.serving.kserve.io/lora-criticalities", true},
		{"annotations", "serving.kserve.io/stop", true},
		{"annotations", "serving.kserve.io/enable-served-by-header", true},
		{"annotations", "serving.kserve.io/exp-dra-device-class", true},
		{"annotations", "serving.kserve.io/nodegroup", true},
		{"annotations", "serving.kserve.io/disable-localmodel", true},
		{"annotations", "security.opendatahub.io/enable-auth", true},
		{"annotations", "prometheus.io/scrape", true},
		{"annotations", "k8s.v1.cni.cncf.io/networks", true},
		{"annotations", "kubectl.kubernetes.io/restartedAt", true},
		{"annotations", "meta.helm.sh/release-name", true},
		{"labels", "app.kubernetes.io/managed-by", true},
	};
	static const struct mark others[] = {
		{"labels", "internal.serving.kserve.io/localmodel", true}, /* the webhook is for services */
		{"annotations", "kubectl.kubernetes.io/last-applied-configuration", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
		assert_mark("serving.kserve.io", "llminferenceservices", &services[i]);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		assert_mark("gateway.networking.k8s.io", "httproutes", &others[i]);
		assert_mark("networking.k8s.io", "networkpolicies", &others[i]);
		assert_mark("", "configmaps", &others[i]);
	}
}

/* Whoever takes a default or an empty value out may change the meaning; what nobody knows is somebody's. */
static void test_defaults_empty_values_and_unknown_fields_stay(void **state)
{
	(void)state;
	assert_cleaned("gateway.networking.k8s.io", "httproutes",
		"apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: a, namespace: prod, ours: {x: 1}}\n"
		"spec: {parentRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: gw}], hostnames: [], rules: [{}], later: "
		"null}\n"
		"status: {parents: []}\n",
		"apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata:\n  name: a\n  namespace: prod\n  ours:\n    x: 1\n"
		"spec:\n  hostnames: []\n  later: null\n  parentRefs:\n  - group: gateway.networking.k8s.io\n    kind: Gateway\n    name: "
		"gw\n"
		"  rules:\n  - {}\n");
	assert_cleaned("networking.k8s.io", "networkpolicies",
		"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a, namespace: prod, labels: {}}\n"
		"spec: {podSelector: {}, ingress: [], egress: [{}], policyTypes: [Ingress, Egress]}\nstatus: {}\n",
		"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: a\n  namespace: prod\n"
		"spec:\n  egress:\n  - {}\n  ingress: []\n  podSelector: {}\n  policyTypes:\n  - Ingress\n  - Egress\n");
}

static void test_a_namespace_keeps_its_labels(void **state)
{
	(void)state;
	assert_cleaned("", "namespaces",
		"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: prod\n  labels: {kubernetes.io/metadata.name: prod, istio-injection: "
		"enabled}\n"
		"spec: {finalizers: [kubernetes]}\nstatus: {phase: Active}\n",
		"apiVersion: v1\nkind: Namespace\nmetadata:\n  labels:\n    istio-injection: enabled\n  name: prod\n");
}

/* KServe looks for the credentials of a model store in `secrets`: only the tokens that the old cluster put there go. */
static void test_an_account_keeps_the_secrets_of_people(void **state)
{
	(void)state;
	assert_cleaned("", "serviceaccounts",
		"apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: default, namespace: prod}\n"
		"secrets: [{name: default-token-x7k2p}, {name: s3-credentials}]\nimagePullSecrets: [{name: default-dockercfg-abcde}]\n",
		"apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: default\n  namespace: prod\nsecrets:\n- name: s3-credentials\n");
}

static void test_a_gateway_forgets_its_load_balancer(void **state)
{
	(void)state;
	assert_cleaned("gateway.networking.k8s.io", "gateways",
		"apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata:\n  name: gw\n  namespace: prod\n  annotations:\n"
		"    networking.gke.io/addresses: /projects/1/global/addresses/a\n    networking.gke.io/last-reconcile-time: t\n    "
		"networking.gke.io/certmap: ours\n"
		"spec: {gatewayClassName: istio}\n",
		"apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata:\n  annotations:\n    networking.gke.io/certmap: ours\n "
		" name: gw\n  namespace: prod\n"
		"spec:\n  gatewayClassName: istio\n");
}

/* ---- classes ---- */

static void test_classes(void **state)
{
	static const struct {
		const char *resource, *api_version, *namespace_, *name, *more;
		enum object_class class_;
	} rows[] = {
		{"llminferenceserviceconfigs", "serving.kserve.io/v1alpha2", "opendatahub", "kserve-config-llm-scheduler", "",
			CLASS_INSTALLED},
		{"llminferenceserviceconfigs", "serving.kserve.io/v1alpha2", "kserve", "v3-4-0-kserve-config-llm-template", "",
			CLASS_INSTALLED},
		{"llminferenceserviceconfigs", "serving.kserve.io/v1alpha2", "prod", "kserve-config-llm-scheduler", "", CLASS_AUTHORED},
		{"llminferenceserviceconfigs", "serving.kserve.io/v1alpha2", "opendatahub", "our-defaults", "", CLASS_AUTHORED},
		{"networkpolicies", "networking.k8s.io/v1", "opendatahub", "kserve-controller-manager", "", CLASS_INSTALLED},
		{"networkpolicies", "networking.k8s.io/v1", "prod", "kserve-controller-manager", "", CLASS_AUTHORED},
		{"httproutes", "gateway.networking.k8s.io/v1", "prod", "qwen-kserve-route",
			"  labels: {app.kubernetes.io/part-of: llminferenceservice, app.kubernetes.io/component: "
			"llminferenceservice-router}\n",
			CLASS_GENERATED},
		{"httproutes", "gateway.networking.k8s.io/v1", "prod", "qwen-kserve-route", "", CLASS_AUTHORED},
		{"clusterrolebindings", "rbac.authorization.k8s.io/v1", "", "prod-qwen-epp-auth-rb",
			"  labels: {app.kubernetes.io/part-of: llminferenceservice}\n", CLASS_GENERATED},
		{"clusterrolebindings", "rbac.authorization.k8s.io/v1", "", "prod-qwen-epp-auth-rb", "", CLASS_AUTHORED},
		{"deployments", "apps/v1", "opendatahub", "inference-gateway-istio",
			"  labels: {gateway.networking.k8s.io/gateway-name: inference-gateway, gateway.istio.io/managed: "
			"istio.io-gateway-controller}\n",
			CLASS_GENERATED},
		{"services", "v1", "opendatahub", "own", "  labels: {gateway.networking.k8s.io/gateway-name: inference-gateway}\n",
			CLASS_AUTHORED},
		{"serviceaccounts", "v1", "prod", "default", "", CLASS_GENERATED},
		{"serviceaccounts", "v1", "prod", "default", "imagePullSecrets: [{name: a}]\n", CLASS_AUTHORED},
		{"serviceaccounts", "v1", "prod", "default", "  labels: {team: a}\n", CLASS_AUTHORED},
		{"serviceaccounts", "v1", "prod", "default", "  annotations: {iam.gke.io/gcp-service-account: a}\n", CLASS_AUTHORED},
		{"serviceaccounts", "v1", "prod", "model", "", CLASS_AUTHORED},
		{"configmaps", "v1", "prod", "kube-root-ca.crt", "", CLASS_GENERATED},
		{"configmaps", "v1", "opendatahub", "odh-ca-bundle", "", CLASS_INSTALLED},
		{"certificates", "cert-manager.io/v1", "kserve", "llmisvc-serving-cert", "", CLASS_INSTALLED},
		{"destinationrules", "networking.istio.io/v1", "prod", "qwen-kserve-scheduler",
			"  ownerReferences: [{kind: LLMInferenceService, name: qwen, controller: true}]\n", CLASS_GENERATED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		auto_free char *yaml = xasprintf("apiVersion: %s\nkind: K\nmetadata:\n  name: %s\n  namespace: %s\n%s", rows[i].api_version,
			rows[i].name, rows[i].namespace_, rows[i].more);
		auto_object struct object *object = object_of(rows[i].resource, yaml);
		if (classify_object(object, rhaii->rules, rhaii->rule_count, NULL) != rows[i].class_)
			fail_msg("%s/%s is not %s", rows[i].namespace_, rows[i].name, classify_name(rows[i].class_));
	}
}

/* A child that KServe has lost: its labels and its only writer tell, whatever its name (long ones are cut and hashed). */
static void test_who_wrote_a_child_without_owner_decides(void **state)
{
	static const struct {
		const char *managers;
		bool orphan;
	} rows[] = {
		{"[{\"manager\":\"manager\",\"fieldsV1\":{\"f:metadata\":{},\"f:spec\":{}}},{\"manager\":\"kube-controller-manager\","
		 "\"fieldsV1\":{\"f:metadata\":{}}},{\"manager\":\"istio\",\"subresource\":\"status\",\"fieldsV1\":{\"f:status\":{}}}]",
			true},
		{"[{\"manager\":\"llmisvc\",\"fieldsV1\":{\"f:rules\":{}}}]", true},
		{"[{\"manager\":\"manager\",\"fieldsV1\":{\"f:metadata\":{}}}]", true},
		{"[{\"manager\":\"manager\",\"fieldsV1\":{\"f:spec\":{}}},{\"manager\":\"kubectl-edit\",\"fieldsV1\":{\"f:spec\":{}}}]",
			false},
		{"[{\"manager\":\"kubectl-client-side-apply\",\"fieldsV1\":{\"f:metadata\":{},\"f:spec\":{}}}]", false},
		{"[]", false},
		{"not JSON", false},
		{NULL, false},
	};
	auto_object struct object *object = object_of("horizontalpodautoscalers",
		"apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata:\n  name: q5f1c0\n  namespace: prod\n"
		"  labels: {app.kubernetes.io/part-of: llminferenceservice, app.kubernetes.io/component: llminferenceservice-workload}\n");

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct classify_managers managers = {
			.text = rows[i].managers, .len = rows[i].managers ? strlen(rows[i].managers) : 0};
		const struct classify_rule *rule = classify_by_rule(object, &managers, rhaii->rules, rhaii->rule_count);

		if ((rule != NULL) != rows[i].orphan || (rule && !rule->orphan))
			fail_msg("managers %s", rows[i].managers);
	}
}

/* ---- references ---- */

static int note(const struct reference *reference, void *arg)
{
	strbuf_addf(arg, "%s/%s/%s%s%s%s\n", reference->resource, reference->namespace_, reference->name, reference->key ? "#" : "",
		reference->key ? reference->key : "", reference->optional ? "?" : "");
	return 0;
}

static void assert_references(const char *group, const char *resource, bool produces, const char *yaml, const char *expected)
{
	auto_strbuf struct strbuf found = STRBUF_INIT;
	auto_object struct object *object = object_of(resource, yaml);
	const struct policy_kind *kind = policy_find(rhaii, group, resource);

	assert_non_null(kind);
	references_each(
		object, produces ? kind->produces : kind->references, produces ? kind->produce_count : kind->reference_count, note, &found);
	assert_string_equal(found.buf, expected);
}

static void test_what_a_service_refers_to(void **state)
{
	(void)state;
	assert_references("serving.kserve.io", "llminferenceservices", false,
		"apiVersion: serving.kserve.io/v1alpha2\nkind: LLMInferenceService\nmetadata: {name: qwen, namespace: prod}\nspec:\n"
		"  model: {uri: 'pvc://models/qwen', lora: {adapters: [{uri: 'pvc://loras/a'}, {uri: 'hf://a/b'}]}}\n"
		"  baseRefs: [{name: base}]\n"
		"  template:\n    imagePullSecrets: [{name: pull}]\n    serviceAccountName: model\n    containers:\n    - name: main\n"
		"      env: [{name: HF_TOKEN, valueFrom: {secretKeyRef: {name: hf, key: token}}}, {name: A, valueFrom: {configMapKeyRef: "
		"{name: cm, key: a, optional: true}}}]\n"
		"      envFrom: [{secretRef: {name: all}}]\n"
		"    volumes: [{name: v, secret: {secretName: tls, items: [{key: ca.crt, path: ca}]}}, {name: p, persistentVolumeClaim: "
		"{claimName: cache}}]\n"
		"  router:\n    gateway: {refs: [{name: gw, namespace: infra}]}\n    route: {http: {refs: [{name: custom}]}}\n"
		"    scheduler: {config: {ref: {name: epp, key: conf.yaml}}, template: {containers: []}}\n",
		"llminferenceserviceconfigs/prod/base?\npersistentvolumeclaims/prod/models\npersistentvolumeclaims/prod/loras\n"
		"serviceaccounts/prod/model\nsecrets/prod/pull\nsecrets/prod/hf#token\nconfigmaps/prod/cm#a?\nsecrets/prod/all\nsecrets/"
		"prod/tls#ca.crt\n"
		"persistentvolumeclaims/prod/cache\nserviceaccounts/prod/default\ngateways/infra/gw\nhttproutes/prod/custom\nconfigmaps/"
		"prod/epp#conf.yaml\n"
		"serviceaccounts/prod/default?\n");
}

static void test_what_a_route_refers_to(void **state)
{
	(void)state;
	assert_references("gateway.networking.k8s.io", "httproutes", false,
		"apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: r, namespace: prod}\nspec:\n"
		"  parentRefs: [{name: gw, namespace: infra, kind: Gateway, group: gateway.networking.k8s.io}, {name: gw2}, {name: s, "
		"kind: Service, group: ''}]\n"
		"  rules:\n  - backendRefs: [{name: svc, port: 8000}, {name: pool, kind: InferencePool, group: "
		"inference.networking.k8s.io}]\n",
		"gateways/infra/gw\ngateways/prod/gw2\nservices/prod/svc?\ninferencepools/prod/pool?\n");
}

static void test_a_binding_refers_to_accounts_and_role(void **state)
{
	(void)state;
	assert_references("rbac.authorization.k8s.io", "rolebindings", false,
		"apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: b, namespace: prod}\n"
		"subjects: [{kind: ServiceAccount, name: sa, namespace: prod}, {kind: Group, name: g, apiGroup: "
		"rbac.authorization.k8s.io}]\n"
		"roleRef: {kind: Role, name: r, apiGroup: rbac.authorization.k8s.io}\n",
		"serviceaccounts/prod/sa\nroles/prod/r\n");
}

static void test_what_makes_secrets(void **state)
{
	(void)state;
	assert_references("external-secrets.io", "externalsecrets", true,
		"apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {name: hf, namespace: prod}\nspec: {target: "
		"{creationPolicy: Owner}}\n",
		"secrets/prod/hf\n");
	assert_references("external-secrets.io", "externalsecrets", true,
		"apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {name: hf, namespace: prod}\nspec: {target: {name: "
		"other}}\n",
		"secrets/prod/other\n");
	assert_references("bitnami.com", "sealedsecrets", true,
		"apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {name: hf, namespace: prod}\nspec: {}\n",
		"secrets/prod/hf\n");
	assert_references("cert-manager.io", "certificates", true,
		"apiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: c, namespace: prod}\nspec: {secretName: tls}\n",
		"secrets/prod/tls\n");
	assert_references("secrets-store.csi.x-k8s.io", "secretproviderclasses", true,
		"apiVersion: secrets-store.csi.x-k8s.io/v1\nkind: SecretProviderClass\nmetadata: {name: c, namespace: prod}\nspec: "
		"{secretObjects: [{secretName: a}]}\n",
		"secrets/prod/a\n");
}

static void test_what_a_store_refers_to(void **state)
{
	(void)state;
	assert_references("external-secrets.io", "secretstores", false,
		"apiVersion: external-secrets.io/v1\nkind: SecretStore\nmetadata: {name: s, namespace: prod}\nspec: {provider: {gcpsm: "
		"{auth: "
		"{secretRef: {secretAccessKeySecretRef: {name: gcp, key: json}}, workloadIdentity: {serviceAccountRef: {name: sa}}}}}}\n",
		"secrets/prod/gcp#json\nserviceaccounts/prod/sa\n");
}

/* ---- bound to the surroundings ---- */

static int add_environment(json_t *value, const char *concrete, void *arg)
{
	(void)value;
	strlist_add(arg, concrete);
	return 0;
}

static void assert_environment(const char *group, const char *resource, const char *yaml, const char *expected)
{
	const struct policy_kind *row = policy_find(rhaii, group, resource);
	auto_object struct object *object = object_of(resource, yaml);
	auto_strlist struct strlist paths = STRLIST_INIT;
	auto_strbuf struct strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < row->environment_count; i++)
		fieldpath_each(object->json, row->environment[i], add_environment, &paths);
	strlist_sort_unique(&paths);
	for (size_t i = 0; i < paths.count; i++)
		strbuf_addf(&text, "%s\n", paths.items[i]);
	assert_string_equal(text.buf, expected);
}

#define POD                                                                                                                                \
	"{nodeName: node-1, nodeSelector: {a: b}, affinity: {nodeAffinity: {}, podAffinity: {}}, topologySpreadConstraints: "              \
	"[{topologyKey: zone, maxSkew: 1}], hostAliases: [{ip: 10.0.0.9}], dnsConfig: {nameservers: [10.0.0.1]}, "                         \
	"containers: [{name: main, image: r.example/i, args: [a], env: [{name: HF_ENDPOINT, value: 'http://mirror.example'}, "             \
	"{name: AWS_ENDPOINT_URL, value: 'https://s3.example'}, {name: AWS_ENDPOINT_URL_S3, value: 'https://s3.example'}, "                \
	"{name: HTTPS_PROXY, value: 'http://proxy.example'}, {name: AWS_REGION, value: eu}, {name: VLLM_HOST, value: 0.0.0.0}, "           \
	"{name: S3_ENDPOINT, valueFrom: {}}]}], initContainers: [{name: first, image: r.example/j}], "                                     \
	"volumes: [{name: a, image: {reference: r.example/m}}, {name: b, nfs: {server: f.example, path: /}}, "                             \
	"{name: c, csi: {driver: d, volumeAttributes: {bucketName: e}}}, {name: d, cephfs: {monitors: [10.0.0.2]}}, "                      \
	"{name: e, emptyDir: {}}, {name: f, iscsi: {targetPortal: 10.0.0.3}}]}"
#define POD_PATHS(at)                                                                                                                      \
	at ".affinity.nodeAffinity\n" at ".containers[0].env[0].value\n" at ".containers[0].env[1].value\n" at                             \
	   ".containers[0].env[2].value\n" at ".containers[0].env[3].value\n" at ".containers[0].env[4].value\n" at                        \
	   ".containers[0].image\n" at ".dnsConfig\n" at ".hostAliases[0]\n" at ".initContainers[0].image\n" at ".nodeName\n" at           \
	   ".nodeSelector\n" at ".topologySpreadConstraints[0].topologyKey\n" at ".volumes[0].image.reference\n" at                        \
	   ".volumes[1].nfs.server\n" at ".volumes[2].csi.volumeAttributes\n" at ".volumes[3].cephfs.monitors[0]\n" at                     \
	   ".volumes[5].iscsi.targetPortal\n"
#define SMALL "{nodeSelector: {a: b}, containers: [{name: main, image: r.example/i}]}"
#define SMALL_PATHS(at) at ".containers[0].image\n" at ".nodeSelector\n"
#define LLM_SPEC                                                                                                                           \
	"{model: {uri: 'oci://r.example/m', lora: {adapters: [{uri: 's3://b/a', name: l}]}}, template: " SMALL ", worker: " SMALL          \
	", prefill: {template: " SMALL ", worker: " SMALL "}, router: {scheduler: {template: " SMALL                                       \
	"}, route: {http: {spec: {hostnames: [a.example], rules: [{backendRefs: [{name: s, filters: [{type: URLRewrite, "                  \
	"urlRewrite: {hostname: d.example}}]}], filters: [{type: RequestRedirect, "                                                        \
	"requestRedirect: {hostname: b.example}}]}]}}}}, tracing: {exporterEndpoint: 'http://c.example'}}"
#define LLM_PATHS                                                                                                                          \
	"spec.model.lora.adapters[0].uri\nspec.model.uri\n" SMALL_PATHS("spec.prefill.template") SMALL_PATHS(                              \
		"spec.prefill.worker") "spec.router.route.http.spec.hostnames[0]\n"                                                        \
				       "spec.router.route.http.spec.rules[0].backendRefs[0].filters[0].urlRewrite.hostname\n"              \
				       "spec.router.route.http.spec.rules[0].filters[0].requestRedirect.hostname\n" SMALL_PATHS(           \
					       "spec.router.scheduler.template")                                                           \
					       SMALL_PATHS("spec.template") "spec.tracing.exporterEndpoint\n" SMALL_PATHS("spec.worker")

/* Zones, node labels, registries and host names, of services and of configs alike. */
static void test_what_a_service_says_of_its_surroundings(void **state)
{
	(void)state;
	assert_environment("serving.kserve.io", "llminferenceservices",
		"{apiVersion: serving.kserve.io/v1alpha2, kind: LLMInferenceService, metadata: {name: a, namespace: b}, spec: " LLM_SPEC
		"}",
		LLM_PATHS);
	assert_environment("serving.kserve.io", "llminferenceserviceconfigs",
		"{apiVersion: serving.kserve.io/v1alpha2, kind: LLMInferenceServiceConfig, metadata: {name: a, namespace: b}, "
		"spec: " LLM_SPEC "}",
		LLM_PATHS);
}

/* What it runs on, what it is made of and what it reaches outside; not what it listens on, nor what a Secret says. */
static void test_what_a_pod_says_of_its_surroundings(void **state)
{
	(void)state;
	assert_environment("serving.kserve.io", "llminferenceservices",
		"{apiVersion: serving.kserve.io/v1alpha2, kind: LLMInferenceService, metadata: {name: a, namespace: b}, spec: "
		"{template: " POD "}}",
		POD_PATHS("spec.template"));
}

/* Addresses, static and of load balancers, CIDRs, and names in DNS. */
static void test_what_the_network_says_of_its_surroundings(void **state)
{
	(void)state;
	assert_environment("gateway.networking.k8s.io", "gateways",
		"{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: a, namespace: b, annotations: "
		"{external-dns.alpha.kubernetes.io/hostname: a.example, networking.gke.io/certmap: c, metallb.io/loadBalancerIPs: "
		"10.0.0.4, "
		"service.beta.kubernetes.io/x-subnet: s, other: d}}, "
		"spec: {gatewayClassName: x, addresses: [{type: NamedAddress, value: static-ip}], listeners: [{name: http, hostname: "
		"b.example, port: 80, tls: {options: {networking.gke.io/pre-shared-certs: c}}}], "
		"infrastructure: {annotations: {networking.gke.io/load-balancer-ip: 10.0.0.1}}}}",
		"metadata.annotations['external-dns.alpha.kubernetes.io/hostname']\nmetadata.annotations['metallb.io/loadBalancerIPs']\n"
		"metadata.annotations['networking.gke.io/certmap']\nmetadata.annotations['service.beta.kubernetes.io/x-subnet']\n"
		"spec.addresses[0]\nspec.infrastructure.annotations\nspec.listeners[0].hostname\nspec.listeners[0].tls.options\n");
	assert_environment("gateway.networking.k8s.io", "httproutes",
		"{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: a, namespace: b}, spec: {hostnames: "
		"[a.example], "
		"rules: [{filters: [{type: URLRewrite, urlRewrite: {hostname: b.example}}, {type: CORS, cors: {allowOrigins: "
		"['https://c.example']}}]}]}}",
		"spec.hostnames[0]\nspec.rules[0].filters[0].urlRewrite.hostname\nspec.rules[0].filters[1].cors.allowOrigins[0]\n");
	assert_environment("networking.k8s.io", "networkpolicies",
		"{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: a, namespace: b}, spec: {podSelector: {}, "
		"ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0}}, {podSelector: {}}]}]}}",
		"spec.egress[0].to[0].ipBlock\nspec.ingress[0].from[0].ipBlock\n");
}

/* Conditions on addresses are bound to them, those on paths are not. Regions, vaults and projects are those of one site. */
static void test_what_security_says_of_its_surroundings(void **state)
{
	(void)state;
	assert_environment("security.istio.io", "authorizationpolicies",
		"{apiVersion: security.istio.io/v1, kind: AuthorizationPolicy, metadata: {name: a, namespace: b}, spec: {rules: [{to: "
		"[{operation: {notHosts: [a.example], paths: [/v1]}}], when: [{key: remote.ip, notValues: [10.0.0.0/8]}, "
		"{key: 'request.headers[x]', values: [z]}, {key: connection.sni, values: [b.example]}]}]}}",
		"spec.rules[0].to[0].operation.notHosts[0]\nspec.rules[0].when[0].notValues[0]\nspec.rules[0].when[2].values[0]\n");
	assert_environment("networking.istio.io", "destinationrules",
		"{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: a, namespace: b}, spec: {host: a.example, "
		"trafficPolicy: {loadBalancer: {localityLbSetting: {failover: [{from: eu, to: us}]}}, tls: {mode: SIMPLE, sni: b}}}}",
		"spec.host\nspec.trafficPolicy.loadBalancer.localityLbSetting\nspec.trafficPolicy.tls.sni\n");
	assert_environment("external-secrets.io", "secretstores",
		"{apiVersion: external-secrets.io/v1, kind: SecretStore, metadata: {name: a, namespace: b}, spec: {provider: {aws: "
		"{region: eu, role: 'arn:a', service: SecretsManager}, webhook: {url: 'https://a.example'}, "
		"kubernetes: {server: {url: 'https://b.example'}}}}}",
		"spec.provider.aws.region\nspec.provider.aws.role\nspec.provider.kubernetes.server.url\nspec.provider.webhook.url\n");
	assert_environment("", "namespaces",
		"{apiVersion: v1, kind: Namespace, metadata: {name: a, annotations: {openshift.io/node-selector: zone=b}, labels: "
		"{topology.istio.io/network: net, team: t}}}",
		"metadata.annotations['openshift.io/node-selector']\nmetadata.labels['topology.istio.io/network']\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_effective_document_reads_as_the_same_policy),
		cmocka_unit_test(test_waves_stand_in_the_order_of_the_design),
		cmocka_unit_test(test_selected_kinds_come_after_those_that_refer_to_them),
		cmocka_unit_test(test_early_routes_are_those_of_services),
		cmocka_unit_test(test_a_service_keeps_what_people_wrote),
		cmocka_unit_test(test_what_webhooks_derive_goes_and_its_look_alikes_stay),
		cmocka_unit_test(test_defaults_empty_values_and_unknown_fields_stay),
		cmocka_unit_test(test_a_namespace_keeps_its_labels),
		cmocka_unit_test(test_an_account_keeps_the_secrets_of_people),
		cmocka_unit_test(test_an_account_loses_the_secrets_of_controllers),
		cmocka_unit_test(test_a_gateway_forgets_its_load_balancer),
		cmocka_unit_test(test_classes),
		cmocka_unit_test(test_who_wrote_a_child_without_owner_decides),
		cmocka_unit_test(test_what_a_service_refers_to),
		cmocka_unit_test(test_what_a_route_refers_to),
		cmocka_unit_test(test_a_binding_refers_to_accounts_and_role),
		cmocka_unit_test(test_what_makes_secrets),
		cmocka_unit_test(test_what_a_store_refers_to),
		cmocka_unit_test(test_what_a_service_says_of_its_surroundings),
		cmocka_unit_test(test_what_a_pod_says_of_its_surroundings),
		cmocka_unit_test(test_what_the_network_says_of_its_surroundings),
		cmocka_unit_test(test_what_security_says_of_its_surroundings),
	};
	return cmocka_run_group_tests(tests, load_rhaii, free_rhaii);
}
