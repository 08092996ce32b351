#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A part of a snapshot, with what it needs, beside what stays; and the same under other names, beside the original.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

source=$work/source
cluster_up source "$source" && cluster_load "$source" --gateway-port "$(free_port)" >/dev/null || exit 1
cluster_kubectl "$source" apply -f - >/dev/null <<'EOF' || exit 1
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: allow-office, namespace: rhaii-inference}
spec:
  podSelector: {}
  ingress:
  - from:
    - ipBlock: {cidr: 10.1.0.0/16, except: [10.1.9.0/24]}
    - namespaceSelector:
        matchLabels: {kubernetes.io/metadata.name: rhaii-inference}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: tuned-by-name, namespace: rhaii-inference}
spec:
  hostnames: [tuned.prod.example]
  parentRefs:
  - {name: inference-gateway, namespace: opendatahub}
  rules:
  - backendRefs:
    - {name: opt-125m-tuned-kserve-workload-svc, port: 8000}
EOF
export RHAII_DR_REPO=backup
dr "$source" snapshot --cluster prod 2>/dev/null >&2 || exit 1

tuned=kind=llmisvc,ns=rhaii-inference,name=opt-125m-tuned

# --- --only -------------------------------------------------------------------------------------------------------------------------

test_a_part_that_matches_nothing_names_what_is_near() {
	expect 2 dr "$source" plan --in-place --only kind=llmisvc,name=opt-125m-tund
	has err 'did you mean name=opt-125m-tuned?'
	expect 2 dr "$source" verify --only kind=llmisv,name=opt-125m-tuned
	has err "did you mean 'llmisvc'?"
}

test_what_a_part_needs_is_refused_by_name() {
	expect 2 dr "$source" plan --in-place --only $tuned --only-references refuse
	has err 'LLMInferenceServiceConfig rhaii-inference/cpu-defaults (needed by LLMInferenceService rhaii-inference/opt-125m-tuned)'
}

test_a_service_comes_back_with_what_it_needs_and_nothing_else() {
	cluster_kubectl "$source" -n rhaii-inference delete llminferenceservices/opt-125m-tuned llminferenceserviceconfigs/cpu-defaults configmaps/scheduler-config \
		rolebindings/inference-service-role networkpolicies/allow-egress
	expect 0 dr "$source" plan --in-place --only $tuned
	has out 'LLMInferenceServiceConfig rhaii-inference/cpu-defaults  LLMInferenceService rhaii-inference/opt-125m-tuned'
	expect 0 dr "$source" restore clusters/prod --in-place --yes --wait 2m --only $tuned -o json
	jq -e '[.probes[] | select(.result == "fail")] == [] and (.probes | length > 0)' out
	jq -c '[.waves[].actions[] | select(.result == "created") | "\(.kind) \(.name)"] | sort' out >created
	same "created" "$(cat created)" '["ConfigMap scheduler-config","LLMInferenceService opt-125m-tuned","LLMInferenceServiceConfig cpu-defaults","RoleBinding inference-service-role"]'
	jq -e '.succession == null and ([.selection.pulledIn[].object] | index("ConfigMap rhaii-inference/scheduler-config"))' out
	! cluster_kubectl "$source" -n rhaii-inference get networkpolicy allow-egress
}

test_verify_looks_at_the_part_alone() {
	expect 0 dr "$source" verify --only $tuned
	expect 5 dr "$source" verify --only kind=netpol,ns=rhaii-inference
	has out 'NetworkPolicy rhaii-inference/allow-egress'
}

# --- other names --------------------------------------------------------------------------------------------------------------------

map=(--only ns=rhaii-inference --map-namespace rhaii-inference=copy --map-gateway opendatahub/inference-gateway=opendatahub/second
	--map-cidr 10.1.0.0/16=172.20.0.0/16 --map-host '*.prod.example=*.dr.example')

test_a_plan_shows_each_field_that_it_maps() {
	expect 2 dr "$source" plan --in-place --map-namespace rhai-inference=copy
	has err "did you mean 'rhaii-inference'?"
	cluster_kubectl "$source" create namespace copy
	expect 7 dr "$source" plan --in-place "${map[@]}" -o json
	jq -e '[.mapping.changes[] | select(.object == "HTTPRoute copy/tuned-by-name") | "\(.path) \(.from) \(.to)"] | sort == [
		"metadata.namespace rhaii-inference copy", "spec.hostnames[0] tuned.prod.example tuned.dr.example",
		"spec.parentRefs[0].name inference-gateway second"]' out
	jq -e '[.preflight[] | select(.result == "failed").text] | any(startswith("Gateway opendatahub/second is not on the target"))' out
	jq -e '.mapping.replaced == ["Gateway opendatahub/inference-gateway"]' out
	jq -e '[.waves[].actions[].namespace] | unique == ["", "copy"]' out
}

# One Secret is missing: what is blocked by that is what the journal, which knows of the mapping, brings later.
test_a_namespace_comes_back_under_another_name_beside_the_first() {
	cluster_kubectl "$source" -n opendatahub get gateway inference-gateway -o json |
		jq --argjson port "$(free_port)" '{apiVersion, kind, metadata: {name: "second", namespace: "opendatahub"}, spec: .spec} | .spec.listeners[0].port = $port' |
		cluster_kubectl "$source" create -f -
	cluster_kubectl "$source" -n copy create secret docker-registry rhaiis-pull-secret --docker-server=registry.invalid --docker-username=robot --docker-password=by-hand
	cluster_kubectl "$source" -n opendatahub wait --for=condition=Programmed gateway/second --timeout=30s
	expect 3 dr "$source" restore clusters/prod --in-place --yes --partial --wait 1m "${map[@]}" -o json
	jq -e '[.waves[].actions[] | select(.result == "blocked").name] | index("opt-125m-tuned")' out
	cluster_kubectl "$source" -n copy create secret generic huggingface-token --from-literal=token=by-hand
	expect 0 dr "$source" restore --resume -o json
	jq -e '[.probes[] | select(.result == "fail")] == [] and .resumed == 1 and .succession == null' out
	jq -e '[.probes[] | select(.probe == "ready" and .result == "pass").object] | index("LLMInferenceService copy/opt-125m-tuned")' out
}

test_the_routes_are_attached_to_the_mapped_gateway() {
	cluster_kubectl "$source" -n copy get httproutes/opt-125m-tuned-short -o json >route
	jq -e '.spec.parentRefs == [{group: "gateway.networking.k8s.io", kind: "Gateway", name: "second", namespace: "opendatahub"}]' route
	jq -e '[.status.parents[] | select(.parentRef.name == "second").conditions[] | select(.type == "Accepted").status] == ["True"]' route
	same "the first one" "$(cluster_kubectl "$source" -n rhaii-inference get httproutes/opt-125m-tuned-short -o 'jsonpath={.spec.parentRefs[*].name}')" inference-gateway
}

test_policies_and_bindings_name_what_is_there_now() {
	cluster_kubectl "$source" -n copy get networkpolicy allow-office -o json >policy
	jq -e '.spec.ingress[0].from == [{ipBlock: {cidr: "172.20.0.0/16", except: ["172.20.9.0/24"]}},
		{namespaceSelector: {matchLabels: {"kubernetes.io/metadata.name": "copy"}}}]' policy
	same "subjects" "$(cluster_kubectl "$source" -n copy get rolebinding inference-service-role -o 'jsonpath={.subjects[*].namespace}')" copy
}

test_verify_knows_the_other_names() {
	expect 0 dr "$source" verify "${map[@]}"
	has out 'LLMInferenceService copy/opt-125m-tuned'
}
run_tests
exit "$failed"
