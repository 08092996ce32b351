#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A target that is not empty: what differs is replaced and can be put back, what the server does not know is left out, what is being deleted is waited for, and what somebody
# brought without its owner is removed so that the real KServe controller makes its own.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

source=$work/source target=$work/target
cluster_up source "$source" && cluster_load "$source" --gateway-port "$(free_port)" >/dev/null && cluster_up target "$target" || exit 1
dr "$source" snapshot --cluster prod --repo backup 2>/dev/null >&2 && git clone -q -b clusters/prod backup clone || exit 1
# One service with its route, as Velero would bring the route: without its owner.
cluster_kubectl "$source" -n rhaii-inference get httproute opt-125m-tuned-kserve-route -o json |
	jq 'del(.metadata.ownerReferences, .metadata.uid, .metadata.resourceVersion, .metadata.managedFields, .status)' >stripped.json
cluster_down "$source"
bring_secrets "$target"

restore() { # CODE ARGS...
	expect "$1" env HOME="$work/home" XDG_STATE_HOME="$PWD/state" "$binary" --kubeconfig "$target/kubeconfig" restore ./folder --yes --accept-edits -o json "${@:2}"
}
plan() { # CODE ARGS...
	expect "$1" dr "$target" plan ./folder --accept-edits -o json "${@:2}"
}
edited() {
	rm -rf folder && cp -r clone folder
}
routes() {
	cluster_kubectl "$target" -n rhaii-inference get httproute opt-125m-tuned-kserve-route -o "jsonpath={.metadata.$1}"
}

# --- orphans --------------------------------------------------------------------------------------------------------------------------

test_a_generated_object_without_an_owner_stops_the_restore() {
	cluster_kubectl "$target" create -f stripped.json
	routes uid >orphan.uid
	edited
	plan 7
	jq -e '[.preflight[] | select(.result == "failed")] | length == 1 and .[0].check == "orphans" and (.[0].text | contains("not controlled by")) and (.[0].mend | contains("--adopt-orphans"))' out
	plan 0 --adopt-orphans
	jq -e '.orphans | length == 1 and .[0].name == "opt-125m-tuned-kserve-route" and .[0].result == null' out
	same "nothing is removed by a plan" "$(routes uid)" "$(cat orphan.uid)"
	mv out plan.json
}

# What is deleted is what was looked at.
test_a_plan_does_not_remove_another_orphan() {
	jq -e '[.execute.orphans[].name] == ["opt-125m-tuned-kserve-route"]' plan.json
	cluster_kubectl "$target" -n rhaii-inference delete httproute opt-125m-tuned-kserve-route
	cluster_kubectl "$target" create -f stripped.json
	routes uid >orphan.uid
	at=$(mark "$target")
	expect 7 env HOME="$work/home" XDG_STATE_HOME="$PWD/state" "$binary" --kubeconfig "$target/kubeconfig" restore --plan plan.json --yes -o json
	jq -e '.stale | length == 2 and all(.object == "HTTPRoute rhaii-inference/opt-125m-tuned-kserve-route") and (map(.text) | any(startswith("is to be removed")) and any(startswith("was to be removed")))' out
	only_reads "$target" "$at"
}

# Until KServe has seen it refused: the state that a stripped export leaves behind.
test_adopt_orphans_heals_it() {
	restore 5 --ignore orphans --wait 8s
	jq -e '[.probes[] | select(.probe == "children" and .result == "fail")] | any(.observed | contains("not controlled by"))' out
	at=$(mark "$target")
	restore 0 --adopt-orphans --wait 2m
	jq -e '.orphans | length == 1 and .[0].result == "removed"' out
	[ "$(routes uid)" != "$(cat orphan.uid)" ]
	same "owner of the new one" "$(routes 'ownerReferences[0].name')" opt-125m-tuned
	same "deleted" "$(requests "$target" "$at" | grep '^delete')" "delete httproutes rhaii-inference/opt-125m-tuned-kserve-route 200"
	restore 0 --adopt-orphans --wait 1m
	jq -e '.orphans == []' out
}

# --- overwrite ------------------------------------------------------------------------------------------------------------------------

test_what_differs_is_replaced_and_can_be_put_back() {
	cluster_kubectl "$target" -n rhaii-inference patch configmap scheduler-config --type merge -p '{"data":{"by":"hand"}}'
	cluster_kubectl "$target" -n rhaii-inference patch llmisvc opt-125m-tuned --type merge -p '{"spec":{"replicas":3}}'
	cluster_kubectl "$target" label namespace rhaii-inference mine=kept
	cluster_kubectl "$target" -n rhaii-inference get llmisvc opt-125m-tuned -o json | jq .spec >before
	restore 3 --wait 0
	restore 0 --overwrite --wait 0
	jq -e '.counts.updated == 2' out
	jq -e '[.waves[].actions[] | select(.result == "updated" and .kind == "LLMInferenceService").fields[] | select(.path == "spec.replicas")] | length == 1' out
	same "label of others" "$(cluster_kubectl "$target" get namespace rhaii-inference -o 'jsonpath={.metadata.labels.mine}')" kept
	same "finalizers" "$(cluster_kubectl "$target" -n rhaii-inference get llmisvc opt-125m-tuned -o json | jq '.metadata.finalizers | length')" 1
	jq -r '.waves[].actions[] | select(.copy).copy' out >copies
	same "copies" "$(wc -l <copies)" 2
	same "modes" "$(xargs stat -c %a <copies | sort -u)" 600
	while read -r copy; do
		cluster_kubectl "$target" replace -f "$copy"
		cluster_kubectl "$target" apply -f "$copy"
	done <copies
	cluster_kubectl "$target" -n rhaii-inference get llmisvc opt-125m-tuned -o json | jq .spec >after
	diff before after
	restore 0 --overwrite --wait 0
}

test_an_immutable_field_is_refused_in_the_plan() {
	edited
	role=folder/objects/namespaces/rhaii-inference/rolebindings.rbac.authorization.k8s.io/inference-service-role.yaml
	sed -i '/^roleRef:/,/^[a-z]*:$/s/  name: .*/  name: another/' "$role"
	plan 0 --overwrite --ignore references
	jq -e '[.waves[].actions[] | select(.kind == "RoleBinding" and .action == "conflict")] | length == 1 and (.[0].error | contains("roleRef")) and (.[0].reason | contains("refuses"))' out
}

# --- fields that the server does not know ---------------------------------------------------------------------------------------------

test_unknown_fields_are_left_out_and_listed() {
	edited
	printf '  unheardOf: 1\n' >>folder/objects/namespaces/rhaii-inference/networkpolicies.networking.k8s.io/default-deny-all.yaml
	cluster_kubectl "$target" -n rhaii-inference delete networkpolicy default-deny-all
	restore 3 --wait 0
	jq -e '[.waves[].actions[] | select(.result == "failed")] | length == 1 and (.[0].error | contains("unknown field"))' out
	restore 0 --drop-unknown-fields --wait 0
	jq -e '.counts.created == 1 and (.findings | length == 1) and .findings[0].object == "NetworkPolicy rhaii-inference/default-deny-all" and .findings[0].path == "spec.unheardOf"' out
	cluster_kubectl "$target" -n rhaii-inference get networkpolicy default-deny-all
}

# --- what is being deleted ------------------------------------------------------------------------------------------------------------

test_what_is_being_deleted_is_waited_for() {
	edited
	cluster_kubectl "$target" -n rhaii-inference patch configmap scheduler-config --type merge -p '{"metadata":{"finalizers":["example.com/hold"]}}'
	cluster_kubectl "$target" -n rhaii-inference delete configmap scheduler-config --wait=false
	(sleep 4 && cluster_kubectl "$target" -n rhaii-inference patch configmap scheduler-config --type merge -p '{"metadata":{"finalizers":null}}') &
	restore 0 --wait 0
	wait
	jq -e '.counts.created == 1' out
	same "deletionTimestamp" "$(cluster_kubectl "$target" -n rhaii-inference get configmap scheduler-config -o 'jsonpath={.metadata.deletionTimestamp}')" ""
}

run_tests
exit "$failed"
