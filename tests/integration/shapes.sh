#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every shape of an LLMInferenceService (tests/cluster/shapes.yaml) under the real controller: what was written is kept, what the controller made of it
# (shapes.children: owner, kind, name) is not, comes back by itself, and nothing of it is an orphan or refused by its controller.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

shapes=$cluster_here/shapes.yaml
made=$root/tests/integration/shapes.children
source=$work/source target=$work/target

# with_autoscaling CLUSTER-DIR: the controller looks for this definition when it starts
with_autoscaling() {
	cluster_kubectl "$1" create -f "$wva/config/crd/bases/llmd.ai_variantautoscalings.yaml" >/dev/null &&
		cluster_tell "$1" stop llmisvc && cluster_tell "$1" start llmisvc
}

wva=$(cd "$cluster_here/kserve" && go mod download github.com/llm-d/llm-d-workload-variant-autoscaler &&
	go list -m -f '{{.Dir}}' github.com/llm-d/llm-d-workload-variant-autoscaler) || exit 1
cluster_up source "$source" && cluster_up target "$target" && with_autoscaling "$source" && with_autoscaling "$target" || exit 1
sed "s/@GATEWAY_PORT@/$(free_port)/" "$cluster_here/input/10-gateway.yaml" | cluster_kubectl "$source" create -f - >/dev/null &&
	cluster_kubectl "$source" create -f "$shapes" >/dev/null || exit 1

everything() { # cluster: all objects in the namespace that take part
	cluster_kubectl "$1" get -n shapes -o json llmisvc,llminferenceserviceconfigs,deploy,leaderworkersets,svc,sa,role,rolebinding,httproute,hpa,variantautoscalings,$(
	)inferencepools.inference.networking.k8s.io,inferencepools.inference.networking.x-k8s.io
}

children() { # cluster: as in shapes.children; the older group of a pool is "InferencePool.x"
	everything "$1" | jq -r '.items[] | .metadata.ownerReferences[0].name as $owner | select($owner)
		| "\($owner) \(.kind)\(if .apiVersion == "inference.networking.x-k8s.io/v1alpha2" then ".x" else "" end) \(.metadata.name)"' | LC_ALL=C sort
}

conditions() { # cluster: of all services but the one that is only here being deleted
	cluster_kubectl "$1" get llmisvc -n shapes -o json | jq -r '.items[] | select(.metadata.name != "terminating")
		| .metadata.name as $n | .status.conditions[]? | "\($n) \(.type) \(.status) \(.reason // "")"' | LC_ALL=C sort
}

# eventually COMMAND...: within three minutes
eventually() {
	local try
	for try in $(seq 180); do
		"$@" && return
		[ "$try" -eq 180 ] || sleep 1
	done
	return 1
}

has_children() {
	children "$1" >children
	diff "$made" children >difference
}

conditions_agree() {
	conditions "$source" >source.conditions
	conditions "$target" >target.conditions
	diff source.conditions target.conditions >difference
}

test_the_controller_makes_what_it_makes_of_each_shape() {
	eventually has_children "$source" || { cat difference && return 1; }
	settled "$source"
	cluster_kubectl "$source" delete llmisvc terminating -n shapes --wait=false
}

test_what_was_written_is_kept_and_nothing_else() {
	expect 0 dr "$source" snapshot --cluster one --repo backup -o json
	mv out captured
	git -C backup ls-tree -r --name-only clusters/one:objects | LC_ALL=C sort >files
	sed -n '/^kind: /{s/kind: //;h};/^metadata: {/{s/.*name: \([a-z-]*\).*/\1/;G;s/\n/ /p};/^  name: /{s/  name: //;G;s/\n/ /p}' "$shapes" |
		awk '$2 == "InferencePool" { if (++n % 2 == 0) $2 = "InferencePool.x" } { print $2, $1 }' | LC_ALL=C sort >written
	sed -n 's|^cluster/namespaces/\(shapes\).yaml|Namespace \1|p
		s|^namespaces/shapes/llminferenceservices\.[^/]*/\(.*\).yaml|LLMInferenceService \1|p
		s|^namespaces/shapes/llminferenceserviceconfigs\.[^/]*/\(.*\).yaml|LLMInferenceServiceConfig \1|p
		s|^namespaces/shapes/httproutes\.[^/]*/\(.*\).yaml|HTTPRoute \1|p
		s|^namespaces/shapes/inferencepools.inference.networking.k8s.io/\(.*\).yaml|InferencePool \1|p
		s|^namespaces/shapes/inferencepools.inference.networking.x-k8s.io/\(.*\).yaml|InferencePool.x \1|p' files | LC_ALL=C sort >kept
	[ "$(wc -l <written)" -gt 20 ]
	diff written kept
	# beside them, the gateway and its namespace
	same "files" "$(wc -l <files)" "$(($(wc -l <kept) + 2))"
}

test_what_the_controller_made_is_inventoried_with_its_owner() {
	git -C backup show clusters/one:generated.yaml |
		python3 -c '
import sys, yaml
for o in yaml.safe_load(sys.stdin)["objects"]:
    print(o["owner"]["name"], o["kind"] + (".x" if o["group"] == "inference.networking.x-k8s.io" else ""), o["name"])' | LC_ALL=C sort >inventory
	diff "$made" inventory
}

test_presets_are_installed() {
	jq -e '.installed >= 10' captured
	! grep '^namespaces/opendatahub/llminferenceserviceconfigs' files
}

test_stopped_and_terminating_are_told() {
	jq -r '.maintenance[] | "\(.name) \(.state)"' captured | LC_ALL=C sort >states
	same "in maintenance" "$(cat states)" "$(printf 'stopped stopped\nterminating Terminating')"
}

test_a_restore_creates_all_and_the_controller_the_rest() {
	mark "$target" >began
	expect 0 dr "$target" restore one --repo backup --cluster one --yes --wait 0 -o json
	jq -e '.counts.failed == 0 and .counts.conflict == 0' out
	eventually has_children "$target" || { cat difference && return 1; }
	# besides what it asks and its lease
	requests "$target" "$(cat began)" | awk '$1 == "create" && $2 !~ /^(leases|selfsubjectaccessreviews)$/ { print $2 }' | sort -u >created
	same "kinds that the restore created" "$(paste -sd' ' created)" "gateways httproutes inferencepools llminferenceserviceconfigs llminferenceservices namespaces"
}

test_the_trees_are_identical() {
	settled "$target"
	expect 0 dr "$target" snapshot --cluster two --repo backup
	git -C backup diff --stat clusters/one:objects clusters/two:objects
	same "objects/" "$(git -C backup rev-parse clusters/two:objects)" "$(git -C backup rev-parse clusters/one:objects)"
	same "generated.yaml" "$(git -C backup rev-parse clusters/two:generated.yaml)" "$(git -C backup rev-parse clusters/one:generated.yaml)"
}

test_nothing_is_orphaned() {
	everything "$target" >target.json
	everything "$source" >source.json
	jq -e '[.items[].metadata.uid] as $alive | [.items[] | select(.metadata.ownerReferences) | .metadata.ownerReferences[].uid | select(. as $u | $alive | index($u) | not)] == []' target.json
	jq -e --slurpfile s source.json '[$s[0].items[].metadata.uid] as $old | [.items[].metadata.ownerReferences[]?.uid | select(. as $u | $old | index($u))] == []' target.json
	dr "$target" verify one --repo backup --cluster one -o json >verified 2>err || true # a multi-node service is not Ready here
	jq -e '[.probes[] | select(.probe == "orphans")] | all(.result == "pass")' verified
	same "children that are not back" "$(jq -r '.probes[] | select(.probe == "children" and .result != "pass") | .object' verified)" ""
	[ "$(jq '[.probes[] | select(.probe == "children")] | length' verified)" -eq "$(wc -l <"$made")" ]
}

test_nothing_is_refused_by_its_controller() {
	cluster_kubectl "$target" get llmisvc,events -n shapes -o json >said
	has_not said "it is not controlled by"
	has_not "$target/log/llmisvc.log" "it is not controlled by"
	! grep -q 'ReconcileError"' said
}

test_the_services_are_as_they_were() {
	eventually conditions_agree || { cat difference && return 1; }
	grep -c ' Ready True' target.conditions
}

run_tests
exit "$failed"
