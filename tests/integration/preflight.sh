#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A target that is not ready: each fault alone is found, named with what it stops, and mended; ten at once are listed at once.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

source=$work/source target=$work/target
cluster_up source "$source" && cluster_load "$source" --gateway-port "$(free_port)" >/dev/null && cluster_up target "$target" || exit 1
dr "$source" snapshot --cluster prod --repo backup 2>/dev/null >&2 && git clone -q -b clusters/prod backup clone || exit 1
cluster_down "$source"

objects=objects/namespaces/rhaii-inference
service=$objects/llminferenceservices.serving.kserve.io/opt-125m-tuned.yaml

# edited: a fresh copy of the snapshot in ./folder, to be changed by hand
edited() {
	rm -rf folder && cp -r clone folder
}

# plan CODE [FOLDER] ARGS...: the plan of that snapshot, as JSON in ./out
plan() {
	local code=$1 of=${2:-./clone}
	expect "$code" dr "$target" plan "$of" -o json "${@:3}"
}

# alone CHECK TEXT: this check, and no other, has found something, and says so
alone() {
	same "failed checks" "$(jq -r '[.preflight[] | select(.result == "failed").check] | unique | join(" ")' out)" "$1"
	jq -e --arg text "$2" '[.preflight[] | select(.result == "failed").text] | any(contains($text))' out
	jq -e '[.preflight[] | select(.result == "failed")] | all(.mend != null)' out
}

test_nothing_is_wrong_with_a_target_that_has_everything() {
	bring_secrets "$target"
	at=$(mark "$target")
	plan 0
	alone "" "" || jq -e '.blockers == 0' out
	only_reads "$target" "$at"
	expect 0 dr "$target" plan ./clone
	has out 'create LLMInferenceService rhaii-inference/opt-125m-tuned'
	has out 'EnvoyFilter opendatahub/inference-pool-route-body-forwarding  changes the proxies'
}

test_templates_of_what_to_bring_have_keys_and_no_values() {
	plan 0 ./clone --requirements-template templates
	same "mode" "$(stat -c %a templates/namespaces/rhaii-inference/secrets/huggingface-token.yaml)" 600
	has templates/namespaces/rhaii-inference/secrets/huggingface-token.yaml "  token: ''"
	echo '# filled' >>templates/namespaces/rhaii-inference/secrets/huggingface-token.yaml
	plan 0 ./clone --requirements-template templates
	has templates/namespaces/rhaii-inference/secrets/huggingface-token.yaml '# filled'
	cluster_kubectl "$target" apply --dry-run=server -R -f templates
}

test_a_right_that_is_missing() {
	account "$target" default restorer
	grant "$target" "$(but_not httproutes)" --for restore --service-account default/restorer
	expect 7 in_pod "$target" restorer plan ./clone -o json
	jq -e '[.preflight[] | select(.check == "rights" and .result == "failed").text] | any(. == "we may not create httproutes.gateway.networking.k8s.io in namespace rhaii-inference")' out
	jq -e '[.preflight[] | select(.check == "secrets").result] == ["not checked"]' out
}

# Whoever may create Roles may still not create one that gives more than he has.
test_a_role_that_grants_more_than_we_hold() {
	grant "$target" . --for restore --service-account default/restorer
	edited
	sed -i '/^rules:/a - apiGroups: [""]\n  resources: [secrets]\n  verbs: [get]' folder/$objects/roles.rbac.authorization.k8s.io/inference-service-role.yaml
	expect 7 in_pod "$target" restorer plan ./folder -o json
	alone escalation 'Role rhaii-inference/inference-service-role grants what we do not hold: get secrets'
}

# `rbac` gives the right to read what it binds, and not what it grants.
test_a_binding_to_a_cluster_role_that_grants_more_than_we_hold() {
	edited
	sed -i 's/^  kind: Role$/  kind: ClusterRole/; s/^  name: inference-service-role$/  name: cluster-admin/' folder/$objects/rolebindings.rbac.authorization.k8s.io/inference-service-role.yaml
	sed -i '0,/^  name: cluster-admin$/s//  name: inference-service-role/' folder/$objects/rolebindings.rbac.authorization.k8s.io/inference-service-role.yaml
	expect 7 in_pod "$target" restorer plan ./folder -o json
	alone escalation 'RoleBinding rhaii-inference/inference-service-role grants what we do not hold: '
}

test_a_secret_without_its_key() {
	cluster_kubectl "$target" -n rhaii-inference patch secret huggingface-token --type=json -p '[{"op":"move","from":"/data/token","path":"/data/HF_TOKEN"}]'
	plan 7
	alone secrets "Secret rhaii-inference/huggingface-token has no key token"
	plan 0 ./clone --wait 0
	alone secrets "has no key token"
	plan 0 ./clone --ignore secrets
	expect 1 dr "$target" doctor ./clone -o json
	jq -e '[.findings[] | select(.result == "failed").check] == ["secrets"]' out
	cluster_kubectl "$target" -n rhaii-inference patch secret huggingface-token --type=json -p '[{"op":"move","from":"/data/HF_TOKEN","path":"/data/token"}]'
}

test_a_field_that_would_be_dropped() {
	edited
	printf '  notAField: 1\n' >>folder/$service
	plan 7 ./folder
	alone fields 'the target does not know spec.notAField'
}

test_a_version_that_is_not_served() {
	edited
	sed -i 's|^apiVersion: .*|apiVersion: serving.kserve.io/v9|' folder/$service
	plan 7 ./folder
	alone versions 'the snapshot holds version v9'
}

test_a_volume_that_is_missing() {
	edited
	cat >volume.yaml <<-'EOF'
		- group: ''
		  keys: []
		  kind: PersistentVolumeClaim
		  name: models
		  namespace: rhaii-inference
		  neededBy:
		  - LLMInferenceService rhaii-inference/opt-125m-tuned
		  optional: false
		  resource: persistentvolumeclaims
		  state: required
	EOF
	sed -i '/^requirements:$/r volume.yaml' folder/requirements.yaml
	plan 7 ./folder
	alone volumes 'PersistentVolumeClaim rhaii-inference/models is not on the target'
}

test_a_quota_that_is_too_small() {
	cluster_kubectl "$target" -n rhaii-inference create quota small --hard=count/llminferenceservices.serving.kserve.io=1
	plan 7
	alone quota 'lets count/llminferenceservices.serving.kserve.io grow to 1: 0 are there, 3 more are in the snapshot'
	cluster_kubectl "$target" -n rhaii-inference delete quota small
}

# A quota of pods lets the service in, and not what its controller makes from it.
test_a_quota_that_is_too_small_for_the_pods() {
	cluster_kubectl "$target" -n rhaii-inference create quota pods --hard=pods=2,requests.nvidia.com/gpu=1
	plan 7
	alone pod-quota 'ResourceQuota rhaii-inference/pods lets pods grow to 2: 0 are used'
	plan 0 ./clone --wait 0
	cluster_kubectl "$target" -n rhaii-inference delete quota pods
}

test_limits_that_are_too_narrow_for_the_pods() {
	cluster_kubectl "$target" -n rhaii-inference create -f - <<<'{"apiVersion":"v1","kind":"LimitRange","metadata":{"name":"narrow"},"spec":{"limits":[{"type":"Container","max":{"memory":"1Mi"}}]}}'
	plan 7
	alone limits 'LimitRange rhaii-inference/narrow refuses the pods of spec.template of LLMInferenceService rhaii-inference/facebook-opt-125m-single'
	cluster_kubectl "$target" -n rhaii-inference delete limitrange narrow
}

test_a_gateway_class_that_is_missing() {
	cluster_kubectl "$target" get gatewayclass istio -o json | jq 'del(.metadata.uid, .metadata.resourceVersion)' >class.json
	cluster_kubectl "$target" delete gatewayclass istio
	plan 7
	alone gateway-classes 'GatewayClass istio is not on the target'
	cluster_kubectl "$target" create -f class.json
	for _ in $(seq 50); do plan 0 && return 0 || sleep 0.1; done
	return 1
}

test_a_controller_that_is_scaled_down() {
	cluster_kubectl "$target" -n opendatahub create deployment llmisvc-controller-manager --image=registry.invalid/x --replicas=0
	plan 7
	alone controller 'no replica of Deployment opendatahub/llmisvc-controller-manager is available'
	cluster_kubectl "$target" -n opendatahub delete deployment llmisvc-controller-manager
}

test_nodes_without_accelerators() {
	cluster_kubectl "$target" create -f - <<<'{"apiVersion":"v1","kind":"Node","metadata":{"name":"one"}}'
	cluster_kubectl "$target" taint node one node.kubernetes.io/not-ready- || true
	edited
	plan 0 ./folder
	sed -i "0,/^        limits:/s||        limits:\n          nvidia.com/gpu: '1'|" folder/$objects/llminferenceservices.serving.kserve.io/facebook-opt-125m-single.yaml
	plan 7 ./folder
	alone nodes 'have accelerators for 0 of 1 pods of spec.template (nvidia.com/gpu 1)'
	cluster_kubectl "$target" delete node one
}

test_a_namespace_that_is_being_deleted() {
	cluster_kubectl "$target" create namespace going
	cluster_kubectl "$target" create -f - <<<'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"held","namespace":"going","finalizers":["test/held"]}}'
	cluster_kubectl "$target" delete namespace going --wait=false
	edited
	mkdir -p folder/objects/namespaces/going/networkpolicies.networking.k8s.io
	printf 'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: own\n  namespace: going\nspec:\n  podSelector: {}\n' >folder/objects/namespaces/going/networkpolicies.networking.k8s.io/own.yaml
	plan 7 ./folder
	alone terminating 'namespace going is being deleted on the target'
	jq -e '[.preflight[] | select(.check == "terminating").objects] == [["NetworkPolicy going/own"]]' out
}

test_a_kind_that_is_not_served() {
	cluster_kubectl "$target" delete crd envoyfilters.networking.istio.io
	plan 7
	alone kinds 'envoyfilters.networking.istio.io is not served by the target'
}

# Its webhooks do not answer, and nothing else tells that it is there.
test_a_controller_that_is_gone() {
	cluster_tell "$target" stop llmisvc
	plan 7
	same "failed checks" "$(jq -r '[.preflight[] | select(.result == "failed").check] | unique | join(" ")' out)" "controller kinds webhooks"
}

test_presets_that_are_gone() {
	cluster_kubectl "$target" delete validatingwebhookconfigurations --all
	cluster_kubectl "$target" get llminferenceserviceconfigs -n opendatahub -o name | while read -r preset; do
		cluster_kubectl "$target" -n opendatahub patch "$preset" --type=merge -p '{"metadata":{"finalizers":null}}' || true
	done
	cluster_kubectl "$target" -n opendatahub delete llminferenceserviceconfigs --all --wait=false
	plan 7
	jq -e '[.preflight[] | select(.check == "presets" and .result == "failed").text] == ["the target has none of the presets of KServe (LLMInferenceServiceConfigs)"]' out
	jq -e '[.preflight[] | select(.check == "installation").result] == ["ok"]' out
}

# What is wrong by now, and four things more.
test_ten_faults_are_listed_at_once() {
	edited
	cat >>folder/$service <<<'  notAField: 1'
	sed -i 's|^apiVersion: .*|apiVersion: gateway.networking.k8s.io/v9|' folder/$objects/httproutes*/opt-125m-tuned-short.yaml
	mkdir -p folder/objects/namespaces/going/networkpolicies.networking.k8s.io folder/objects/namespaces/nowhere/networkpolicies.networking.k8s.io
	for space in going nowhere; do
		printf 'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: own\n  namespace: %s\nspec:\n  podSelector: {}\n' "$space" >"folder/objects/namespaces/$space/networkpolicies.networking.k8s.io/own.yaml"
	done
	cluster_kubectl "$target" -n rhaii-inference delete secret huggingface-token
	cluster_kubectl "$target" -n rhaii-inference create quota small --hard=count/llminferenceservices.serving.kserve.io=1
	cluster_kubectl "$target" delete gatewayclass istio
	at=$(mark "$target")
	expect 7 dr "$target" restore ./folder --yes -o json
	same "failed checks" "$(jq -r '[.preflight[] | select(.result == "failed").check] | unique | join(" ")' out)" \
		"controller fields gateway-classes kinds namespaces presets quota secrets terminating versions webhooks"
	only_reads "$target" "$at"
	expect 7 dr "$target" restore ./folder --yes
	has out 'The target is not ready:'
}

# The admission webhooks would be asked first, and fail as well: so without them.
test_a_conversion_webhook_that_does_not_answer() {
	cluster_kubectl "$target" delete mutatingwebhookconfigurations --all
	edited
	sed -i 's|^apiVersion: .*|apiVersion: serving.kserve.io/v1alpha1|' folder/$objects/llminferenceservices*/facebook-opt-125m-single.yaml
	plan 7 ./folder
	jq -e '[.preflight[] | select(.check == "conversion" and .result == "failed")] | length == 1 and .[0].objects == ["LLMInferenceService rhaii-inference/facebook-opt-125m-single"]
		and (.[0].text | contains("the conversion webhook of llminferenceservices.serving.kserve.io does not answer"))' out
}

run_tests
cluster_down "$target"
fresh=$work/fresh
cluster_up target "$fresh" || exit 1

# The filter's kind is not there: only it stays away, and comes when the kind is.
test_partial_restores_the_rest_and_resume_what_was_blocked() {
	bring_secrets "$fresh"
	cluster_kubectl "$fresh" delete crd envoyfilters.networking.istio.io
	expect 7 dr "$fresh" restore ./clone --yes --wait 0
	expect 3 dr "$fresh" restore ./clone --yes --wait 0 --partial -o json
	jq -e '.counts.blocked == 1 and .counts.failed == 0 and .counts.created > 15' out
	jq -e '[.waves[].actions[] | select(.result == "blocked")] | length == 1 and .[0].kind == "EnvoyFilter" and (.[0].error | contains("not served"))' out
	expect 3 dr "$fresh" restore --resume -o json
	cluster_kubectl "$fresh" apply --server-side -f clone/crds/envoyfilters.networking.istio.io.yaml
	cluster_kubectl "$fresh" wait --for=condition=Established crd/envoyfilters.networking.istio.io
	expect 0 dr "$fresh" restore --resume -o json
	jq -e '.counts.blocked == 0 and .counts.notRun == 0 and .counts.failed == 0' out
	cluster_kubectl "$fresh" -n opendatahub get envoyfilter inference-pool-route-body-forwarding
}

run_tests
exit "$failed"
