#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What changed, who did it and when, on a real cluster: the words of a commit, log, diff --live, and what is in maintenance.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

source=$work/source
cluster_up source "$source" && cluster_load "$source" --gateway-port "$(free_port)" >/dev/null || exit 1

object='LLMInferenceService rhaii-inference/opt-125m-tuned'
service=opt-125m-tuned

# in_inference ARGS...: kubectl in the namespace of the services
in_inference() {
	cluster_kubectl "$source" -n rhaii-inference "$@"
}

snapshot() {
	expect 0 dr "$source" snapshot --cluster prod --repo backup
}

subject() {
	git -C backup log -1 --format=%B clusters/prod
}

minute='[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}Z'

# told FILE WORDS MANAGER: a line "changed WORDS (MANAGER, minute)", dots and brackets of WORDS are taken as they are
told() {
	local words
	words=$(printf %s "$2" | sed 's#[]*.^$()+?{|[]#\\&#g')
	grep -qE "^changed $words \($3, $minute\)$" "$1" || { echo "not told: $2 ($3)" && cat "$1" && return 1; }
}

test_a_first_snapshot() {
	snapshot
	grep -qE '^Maintenance: [0-9]+$' <(git -C backup log -1 --format=%B clusters/prod)
	grep -qE '^Not-Ready: [0-9]+$' <(git -C backup cat-file tag refs/rhaii-dr/captured/prod)
}

test_who_edits_is_named() {
	printf '#!/bin/sh\nsed -i "s/^spec:/spec:\\n  replicas: 3/" "$1"\n' >editor
	chmod +x editor
	KUBE_EDITOR=$PWD/editor in_inference edit llmisvc "$service"
	snapshot
	told out "$object: spec.replicas (none) -> 3" kubectl-edit
	subject >message
	told message "$object: spec.replicas (none) -> 3" kubectl-edit
}

test_each_manager_has_its_own_field() {
	in_inference patch llmisvc "$service" --type=merge --field-manager=night-shift -p '{"metadata":{"annotations":{"example.com/owner":"ops"}}}'
	in_inference label llmisvc "$service" --field-manager=labeler example.com/tier=gold
	in_inference apply --server-side --field-manager=pipeline --force-conflicts -f - <<-YAML
		apiVersion: serving.kserve.io/v1alpha2
		kind: LLMInferenceService
		metadata: {name: $service, annotations: {example.com/release: "42"}}
		spec: {replicas: 2}
	YAML
	snapshot
	told out "$object: metadata.annotations['example.com/owner'] (none) -> \"ops\"" night-shift
	told out "$object: metadata.annotations['example.com/release'] (none) -> \"42\"" pipeline
	told out "$object: metadata.labels['example.com/tier'] (none) -> \"gold\"" labeler
	told out "$object: spec.replicas 3 -> 2" pipeline
}

test_the_result_says_it_too() {
	in_inference patch llmisvc "$service" --type=merge --field-manager=night-shift -p '{"spec":{"replicas":1}}'
	expect 0 dr "$source" snapshot --cluster prod --repo backup -o json
	jq -e '[.changes[].fields[] | select(.path == "spec.replicas")] | length == 1 and .[0].manager == "night-shift" and (.[0].time | test("Z$"))' out
}

test_who_makes_an_object_is_named() {
	in_inference create --field-manager=newcomer -f - <<-'YAML'
		apiVersion: networking.k8s.io/v1
		kind: NetworkPolicy
		metadata: {name: added-later}
		spec: {podSelector: {}, policyTypes: [Egress]}
	YAML
	snapshot
	grep -qE "^added NetworkPolicy rhaii-inference/added-later \(newcomer, $minute\)$" out
}

test_log_tells_the_history_of_an_object() {
	expect 0 offline log "llmisvc/$service" -n rhaii-inference --repo backup
	told out "$object: spec.replicas 2 -> 1" night-shift
	told out "$object: spec.replicas 3 -> 2" pipeline
	same "last line" "$(tail -n 1 out)" "added $object"
	expect 0 offline log LLMInferenceService "rhaii-inference/$service" --repo backup -o json
	jq -e 'length >= 4 and .[-1].change == "added" and .[0].fields[0].manager == "night-shift"' out
	expect 0 offline log netpol rhaii-inference/added-later --repo backup
	expect 0 offline log namespaces rhaii-inference --repo backup
}

test_log_of_an_unknown_kind_or_object_names_the_nearest() {
	expect 2 offline log llmisvcs rhaii-inference/x --repo backup
	has err "did you mean 'llmisvc'"
	expect 1 offline log networkpolicy rhaii-inference/added-latter --repo backup
	has err "did you mean 'rhaii-inference/added-later'"
}

# --- diff --live ------------------------------------------------------------------------------------------------------------------------

test_an_unchanged_cluster_does_not_differ() {
	at=$(mark "$source")
	expect 0 dr "$source" diff --live --exit-code --repo backup
	same "differences" "$(cat out)" ""
	only_reads "$source" "$at"
}

test_drift_is_told_with_who_made_it() {
	git -C backup for-each-ref >refs
	in_inference patch llmisvc "$service" --type=merge --field-manager=drifter -p '{"spec":{"replicas":2}}'
	in_inference delete networkpolicy added-later
	expect 1 dr "$source" diff --live --exit-code --repo backup
	told out "$object: spec.replicas 1 -> 2" drifter
	has out "removed NetworkPolicy rhaii-inference/added-later"
	same "lines" "$(wc -l <out)" 2
	expect 0 dr "$source" diff --live --repo backup -o json
	jq -e 'length == 2 and ([.[] | select(.change == "changed")][0].fields[0].manager == "drifter")' out
	same "refs" "$(git -C backup for-each-ref)" "$(cat refs)"
	expect 0 dr "$source" diff --live --exit-code --repo backup -n istio-system
}

test_drift_from_an_older_snapshot() {
	first=$(git -C backup rev-list clusters/prod | tail -1)
	expect 1 dr "$source" diff "$first" --live --exit-code --repo backup
	told out "$object: metadata.labels['example.com/tier'] (none) -> \"gold\"" labeler
}

# --- maintenance ------------------------------------------------------------------------------------------------------------------------

test_what_is_in_maintenance_is_flagged() {
	before=$(offline list --repo backup -o json | jq '.[0].maintenance')
	in_inference patch llmisvc "$service" --type=merge --field-manager=night-shift -p '{"spec":{"replicas":0}}'
	in_inference patch networkpolicy allow-egress --type=merge -p '{"metadata":{"finalizers":["example.com/hold"]}}'
	in_inference delete networkpolicy allow-egress --wait=false
	snapshot
	subject >message
	has message "in maintenance: $object (replicas 0)"
	has message "in maintenance: NetworkPolicy rhaii-inference/allow-egress (Terminating)"
	has message "Maintenance: $((before + 2))"
	expect 0 offline list --repo backup -o json
	jq -e ".[0].maintenance == $before + 2" out
}

test_show_and_a_restore_warn_of_it() {
	expect 0 offline show --repo backup -o json
	jq -e '[.maintenance[] | .name + " " + .state] | index("allow-egress Terminating") and index("opt-125m-tuned replicas 0")' out
	expect 0 offline show --repo backup
	has out "replicas 0"
	in_inference patch networkpolicy allow-egress --type=merge -p '{"metadata":{"finalizers":null}}' # a restore would wait for it
	# All of it is there already, some of it with what the cluster has done to it since: 0, or 3 for the conflicts.
	dr "$source" restore clusters/prod --repo backup --yes --in-place --wait 0 >out 2>err || [ $? -eq 3 ]
	has err "$object was stopped when the snapshot was taken (replicas 0)"
}

test_not_ready_is_told_as_of_the_last_capture() {
	snapshot
	expect 0 offline list --repo backup -o json
	jq -e '.[0].notReady >= 0 and ([.[1:][].notReady] | all(. == null))' out
}

run_tests
exit "$failed"
