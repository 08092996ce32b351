#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A part of a snapshot, with what it needs, beside what stays.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

source=$work/source
cluster_up source "$source" && cluster_load "$source" --gateway-port "$(free_port)" >/dev/null || exit 1
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
run_tests
exit "$failed"
