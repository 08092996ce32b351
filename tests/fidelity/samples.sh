#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the authors of KServe, Gateway API and the inference extension wrote (rhaii-cluster samples) goes to git and onto another cluster, and is the
# same there: as a tree, and as the API servers tell it. With the real webhooks, which default, convert and refuse. FIDELITY_LIST=FILE keeps the list.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/../integration/lib.sh"

list=${FIDELITY_LIST:-$work/samples}
source=$work/source target=$work/target
cluster_up source "$source" --no-gateway && cluster_up target "$target" --no-gateway || exit 1
"$cluster_here/rhaii-cluster" samples --kubeconfig "$source/kubeconfig" >"$list" || exit 1

# of RESULT...: "Kind namespace/name" of the samples that came out so, sorted
of() {
	jq -r '"\(.kind) \(.namespace)/\(.name)"' < <(for result in "$@"; do jq --arg r "$result" 'select(.result == $r)' "$list"; done) | LC_ALL=C sort
}

# authored CLUSTER-DIR: the objects of these kinds that nobody owns, as the API server tells them, without what it alone writes
authored() {
	cluster_kubectl "$1" get -A -o json "$(paste -sd, <<-KINDS
		llminferenceservices.serving.kserve.io
		llminferenceserviceconfigs.serving.kserve.io
		httproutes.gateway.networking.k8s.io
		gateways.gateway.networking.k8s.io
		inferencepools.inference.networking.k8s.io
		inferencepools.inference.networking.x-k8s.io
		networkpolicies.networking.k8s.io
	KINDS
	)" | jq -S '[.items[] | select(.metadata.ownerReferences == null)
		| del(.status, .metadata.uid, .metadata.resourceVersion, .metadata.generation, .metadata.creationTimestamp, .metadata.finalizers)]
		| sort_by(.apiVersion, .kind, .metadata.namespace, .metadata.name)[]'
}

names() { # of objects
	jq -r '"\(.kind) \(.metadata.namespace)/\(.metadata.name)"' "$@" | LC_ALL=C sort
}

test_the_samples_are_found() {
	jq -s -r 'group_by([.module, .kind, .result])[] | "\(length)\t\(.[0].module)\t\(.[0].kind)\t\(.[0].result)"' "$list" | tee counts
	for kind in LLMInferenceService LLMInferenceServiceConfig HTTPRoute Gateway InferencePool NetworkPolicy; do
		awk -F'\t' -v k="$kind" '$3 == k && $4 == "created" { n += $1 } END { exit !n }' counts || { echo "none of $kind" && return 1; }
	done
	[ "$(of created | wc -l)" -gt 400 ] # 448 in the pinned modules
	same "samples without a reason" "$(jq -c 'select(.result != "created" and .result != "other group" and .result != "patch" and (.reason // "") == "")' "$list")" ""
}

test_refused_are_only_those_that_are_invalid() {
	jq -r 'select(.result == "refused") | "\(.kind) \(.file): \(.reason)"' "$list" >refused
	cat refused
	! grep -vE ' is invalid: |admission webhook .* denied|could not find the requested resource' refused || return 1
	same "kinds that are not served" "$(jq -r 'select(.result == "refused" and (.reason | contains("could not find"))) | "\(.kind) \(.apiVersion)"' "$list" | sort -u)" \
		"HTTPRoute gateway.networking.k8s.io/v1alpha2"
}

test_a_snapshot_holds_every_sample() {
	settled "$source" "$(of unrepeatable | wc -l)"
	expect 0 dr "$source" snapshot --cluster one --repo backup
	git -C backup ls-tree -r --name-only clusters/one:objects >files
	authored "$source" | names >there
	of created unrepeatable | LC_ALL=C comm -13 there - >lost # those of the cluster itself are there too
	same "samples that are not on the cluster" "$(cat lost)" ""
	jq -r 'select(.result == "created" or .result == "unrepeatable") | (.kind | ascii_downcase | if endswith("y") and . != "gateway" then .[:-1] + "ies" else . + "s" end) as $plural
		| "namespaces/\(.namespace)/\($plural).\(.apiVersion | split("/")[0])/\(.name).yaml"' "$list" | LC_ALL=C sort >expected
	LC_ALL=C sort files | LC_ALL=C comm -13 - expected >lost
	same "samples that are not in the snapshot" "$(cat lost)" ""
}

# What the API server keeps and would not take again fails by its own reason; all else is created.
test_a_restore_creates_every_one() {
	expect "$([ -n "$(of unrepeatable)" ] && echo 3 || echo 0)" dr "$target" restore one --repo backup --cluster one --yes --wait 0 -o json
	mv out report
	jq -r '.waves[].actions[] | select(.result == "failed") | "\(.kind) \(.namespace)/\(.name)"' report | LC_ALL=C sort >failed
	same "failed" "$(cat failed)" "$(of unrepeatable)"
	jq -e '.counts.conflict == 0 and .counts.notRun == 0' report
}

test_the_trees_are_identical() {
	settled "$target"
	expect 0 dr "$target" snapshot --cluster two --repo backup
	git -C backup diff --raw --no-renames clusters/one:objects clusters/two:objects >changed
	cat changed
	same "files that differ, are new, or were not refused" "$(wc -l <changed)" "$(of unrepeatable | wc -l)"
	! grep -v '^:[0-9]* 000000 .* D' changed
}

test_the_api_servers_tell_the_same() {
	authored "$source" >source.json
	authored "$target" >target.json
	LC_ALL=C comm -3 <(names source.json) <(names target.json) | tr -d '\t' >missing
	same "not on both" "$(cat missing)" "$(of unrepeatable)"
	jq -Rn --rawfile m missing '$m | split("\n")' >skip
	for side in source target; do
		jq -S --slurpfile skip skip '"\(.kind) \(.metadata.namespace)/\(.metadata.name)" as $n | select($skip[0] | index($n) | not)' "$side.json" >"$side.common"
	done
	[ -s source.common ]
	diff source.common target.common
}

run_tests
exit "$failed"
