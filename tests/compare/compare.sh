#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The same services brought back in five ways, each onto a fresh cluster with the real KServe controller: what became Ready, when, and if not, in KServe's own words.
# All else that they need (namespace, Secrets, Gateway, configs, accounts) is there before, the same for each. COMPARE_TABLE=FILE keeps the table; COMPARE_WAIT seconds
# are waited at most. It fails where rhaii-dr does not bring everything back, or the others do better or worse than docs/COMPARISON.md says.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/../integration/lib.sh"

table=${COMPARE_TABLE:-$work/table} wait=${COMPARE_WAIT:-90}
source=$work/source
kinds=(llminferenceservices.serving.kserve.io httproutes.gateway.networking.k8s.io networkpolicies.networking.k8s.io)

cluster_up source "$source" && cluster_load "$source" --gateway-port "$(free_port)" >/dev/null || exit 1
dr "$source" snapshot --cluster prod --repo backup 2>/dev/null >&2 && git clone -q -b clusters/prod backup clone || exit 1
for kind in "${kinds[@]}"; do
	cluster_kubectl "$source" get "$kind" -A -o yaml >"raw-$kind.yaml"
	cluster_kubectl "$source" get "$kind" -A -o json | jq '.items[].metadata |= del(.ownerReferences, .uid, .resourceVersion, .creationTimestamp, .managedFields, .generation)
		| del(.items[].status)' >"stripped-$kind.json"
done
cluster_down "$source"

now() { # milliseconds
	date +%s%3N
}

# fresh DIR: a cluster with all but the objects of the three kinds
fresh() {
	local kind
	cluster_up target "$1" || return
	rm -rf others && cp -r clone/objects others
	for kind in "${kinds[@]}"; do
		find others -type d -name "$kind" -exec rm -rf {} +
	done
	bring_secrets "$1" && cluster_kubectl "$1" apply --server-side --force-conflicts -R -f others/cluster &&
		cluster_kubectl "$1" apply --server-side --force-conflicts -R -f others
} >/dev/null 2>fresh.err

services() { # CLUSTER-DIR: "namespace/name ready reason: message" a line, tabs between
	cluster_kubectl "$1" get llmisvc -A -o json | jq -r '.items[] | ([.status.conditions[]? | select(.type == "Ready")][0] // {status: "Unknown"}) as $r
		| ["\(.metadata.namespace)/\(.metadata.name)", $r.status, "\($r.reason // ""): \($r.message // "")"] | @tsv'
}

expected=$(find clone/objects -path '*/llminferenceservices.*' -name '*.yaml' | wc -l)

# watch_services WAY CLUSTER-DIR START: a row for each service in the table: seconds until it was Ready, or why it is not
watch_services() {
	local way=$1 dir=$2 start=$3 name ready why
	declare -A done_at=()
	while :; do
		services "$dir" >seen
		while IFS=$'\t' read -r name ready why; do
			[ "$ready" != True ] || [ -n "${done_at[$name]:-}" ] || done_at[$name]=$(($(now) - start))
		done <seen
		[ "${#done_at[@]}" -lt "$expected" ] && [ $(($(now) - start)) -lt $((wait * 1000)) ] || break
		sleep 0.5
	done
	while IFS=$'\t' read -r name ready why; do
		if [ "$ready" = True ]; then
			printf '| %s | %s | yes | %d s | |\n' "$way" "$name" $((done_at[$name] / 1000))
		else
			printf '| %s | %s | no | | %s |\n' "$way" "$name" "$(cut -c1-330 <<<"$why" | tr '|\n' '  ')"
		fi
	done <seen >>"$table"
}

not_ready() { # WAY
	grep -c "^| $1 | .* | no | " "$table" || true
}

is_ready() { # WAY: all of its services
	same "services that are ready by '$1'" "$(grep -c "^| $1 | .* | yes | " "$table")" "$expected"
}

printf '| way | service | Ready | after | KServe says |\n|---|---|---|---|---|\n' >"$table"

fresh "$work/create" || exit 1
test_raw_export_by_create() {
	start=$(now)
	for kind in "${kinds[@]}"; do
		cluster_kubectl "$work/create" create -f "raw-$kind.yaml" || true
	done
	watch_services "raw export, kubectl create" "$work/create" "$start"
}

run_tests
cluster_down "$work/create"

fresh "$work/apply" || exit 1
test_raw_export_by_apply_twice() {
	start=$(now)
	for kind in "${kinds[@]}"; do
		cluster_kubectl "$work/apply" apply -f "raw-$kind.yaml" || true
	done
	watch_services "raw export, kubectl apply" "$work/apply" "$start"
	failures=0
	for kind in "${kinds[@]}"; do
		cluster_kubectl "$work/apply" apply -f "raw-$kind.yaml" 2>&1 | tee "again-$kind" || failures=$((failures + 1))
	done
	conflicts=$(cat again-* | grep -c 'the object has been modified' || true)
	printf '| the same, a second time | all | | | %s objects refused: "the object has been modified" |\n' "$conflicts" >>"$table"
	[ "$failures" -gt 0 ] && [ "$conflicts" -gt 0 ]
}

run_tests
cluster_down "$work/apply"

fresh "$work/stripped" || exit 1
# As Velero: by name of the kind, so that the route is there before its service.
test_stripped_export() {
	start=$(now)
	for kind in httproutes.gateway.networking.k8s.io llminferenceservices.serving.kserve.io networkpolicies.networking.k8s.io; do
		cluster_kubectl "$work/stripped" create -f "stripped-$kind.json" || true
	done
	watch_services "export without ownerReferences" "$work/stripped" "$start"
	[ "$(not_ready "export without ownerReferences")" -gt 0 ]
	grep -q 'it is not controlled by' "$table"
}

test_adopt_orphans_heals_it() {
	start=$(now)
	expect 0 dr "$work/stripped" restore ./clone --yes --adopt-orphans --wait "${wait}s" -o json
	jq -r '.orphans[] | "removed: \(.kind) \(.namespace)/\(.name)"' out
	watch_services "the same, then rhaii-dr restore --adopt-orphans" "$work/stripped" "$start"
	is_ready "the same, then rhaii-dr restore --adopt-orphans"
}

run_tests
cluster_down "$work/stripped"

fresh "$work/restored" || exit 1
test_rhaii_dr() {
	start=$(now)
	expect 0 dr "$work/restored" restore ./clone --yes --wait 0
	watch_services "rhaii-dr restore" "$work/restored" "$start"
	is_ready "rhaii-dr restore"
	expect 0 dr "$work/restored" verify ./clone
}

run_tests
cat "$table"
exit "$failed"
