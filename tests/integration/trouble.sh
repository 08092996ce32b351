#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What goes wrong, on real clusters: rights, tokens, controllers and definitions that are missing, two runs at once.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

source=$work/source target=$work/target
cluster_up source "$source" && cluster_load "$source" --gateway-port "$(free_port)" >/dev/null && cluster_up target "$target" || exit 1

# with_token CLUSTER-DIR ARGS...: the program as dr-operator, who has the rights that a test gave it
with_token() {
	local dir=$1
	shift
	HOME=$work/home "$binary" --kubeconfig "$dir/token.kubeconfig" "$@"
}

# The rights of a snapshot, less one resource.
grant_all_but() {
	cluster_kubectl "$source" apply -f - <<-YAML
		apiVersion: rbac.authorization.k8s.io/v1
		kind: ClusterRole
		metadata: {name: dr-operator}
		rules:
		- apiGroups: ["*"]
		  resources: [$(printf '%s, ' namespaces llminferenceservices llminferenceserviceconfigs httproutes networkpolicies gateways referencegrants \
		inferencepools resourcequotas limitranges peerauthentications authorizationpolicies envoyfilters destinationrules poddisruptionbudgets \
		horizontalpodautoscalers configmaps serviceaccounts roles rolebindings deployments services leaderworkersets customresourcedefinitions |
		sed "s/\b$1, //; s/, \$//")]
		  verbs: [get, list]
		---
		apiVersion: rbac.authorization.k8s.io/v1
		kind: ClusterRoleBinding
		metadata: {name: dr-operator}
		roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: dr-operator}
		subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: dr-operators}]
	YAML
}

# --- rights -----------------------------------------------------------------------------------------------------------------------

test_a_user_without_rights_fails_with_what_is_missing() {
	expect 1 with_token "$source" snapshot --cluster prod --repo forbidden
	has err dr-operator
}

test_a_token_with_the_rights_of_a_snapshot_takes_one() {
	grant_all_but nothing
	expect 0 with_token "$source" snapshot --cluster prod --repo backup --archive-dir archives
}

test_a_kind_that_cannot_be_listed_fails_the_snapshot() {
	head=$(git -C backup rev-parse clusters/prod)
	cluster_kubectl "$source" -n rhaii-inference annotate llmisvc opt-125m-tuned changed=yes
	for kind in httproutes poddisruptionbudgets configmaps namespaces; do
		grant_all_but $kind
		expect 1 with_token "$source" snapshot --repo backup --archive-dir archives
		has err "$kind"
		same "head" "$(git -C backup rev-parse clusters/prod)" "$head"
	done
	same "archives" "$(find archives -name '*.zst' | wc -l)" 1
	cluster_kubectl "$source" -n rhaii-inference annotate llmisvc opt-125m-tuned changed-
}

test_an_inventory_kind_that_cannot_be_listed_is_noted() {
	grant_all_but leaderworkersets
	expect 0 with_token "$source" snapshot --cluster noted --repo backup
	grep -qx -- '- leaderworkersets.leaderworkerset.x-k8s.io' <(git -C backup show clusters/noted:generated.yaml)
}

test_definitions_that_may_not_be_read_are_noted() {
	grant_all_but customresourcedefinitions
	expect 0 with_token "$source" snapshot --cluster blind --repo backup
	grep -A1 -x 'definitionsNotRead:' <(git -C backup show clusters/blind:snapshot.yaml) | grep -q '^- '
	same "objects" "$(git -C backup ls-tree -r --name-only clusters/blind:objects)" "$(git -C backup ls-tree -r --name-only clusters/prod:objects)"
}

test_a_wrong_token_is_named_as_such() {
	sed 's/token: .*/token: not-this-one/' "$source/token.kubeconfig" >wrong.kubeconfig
	expect 1 env HOME="$work/home" "$binary" --kubeconfig wrong.kubeconfig snapshot --cluster prod --repo wrong
	has err Unauthorized
	has_not err not-this-one
}

test_a_token_file_works() {
	grant_all_but nothing
	sed -n 's/.*token: //p' "$source/token.kubeconfig" >token
	sed "s|token: .*|tokenFile: $PWD/token|" "$source/token.kubeconfig" >file.kubeconfig
	expect 0 env HOME="$work/home" "$binary" --kubeconfig file.kubeconfig snapshot --cluster prod --repo backup
}

test_an_in_cluster_account_works() {
	mkdir -p account
	cluster_kubectl "$source" create serviceaccount snapshotter -n default
	cluster_kubectl "$source" create clusterrolebinding snapshotter --clusterrole=dr-operator --serviceaccount=default:snapshotter
	cluster_kubectl "$source" create token snapshotter -n default >account/token
	cp "$source/ca.crt" account/ca.crt
	printf default >account/namespace
	server=$(sed -n 's|.*server: https://||p' "$source/kubeconfig")
	expect 0 env HOME="$work/home" RHAII_DR_TEST_SERVICEACCOUNT="$PWD/account" KUBERNETES_SERVICE_HOST="${server%:*}" KUBERNETES_SERVICE_PORT="${server#*:}" \
		"$binary" snapshot --cluster prod --repo backup
}

# --- scope -----------------------------------------------------------------------------------------------------------------------------

test_one_namespace_only() {
	expect 0 dr "$source" snapshot -n istio-system --cluster narrow --repo backup
	same "files" "$(git -C backup ls-tree -r --name-only clusters/narrow:objects | sed 's|.*/||' | tr '\n' ' ')" "istio-system.yaml default.yaml "
}

# --- two at once -----------------------------------------------------------------------------------------------------------------------

test_a_second_writer_is_turned_away() {
	exec {held}<>backup/rhaii-dr.lock
	flock -n "$held"
	expect 10 dr "$source" snapshot --repo backup --cluster prod
	exec {held}>&-
	expect 0 dr "$source" snapshot --repo backup --cluster prod
}

# --- restore ------------------------------------------------------------------------------------------------------------------------------

test_all_missing_definitions_are_named_before_the_first_write() {
	cluster_kubectl "$target" delete crd envoyfilters.networking.istio.io peerauthentications.security.istio.io
	at=$(mark "$target")
	expect 7 dr "$target" restore prod --repo backup --cluster prod --yes
	has out envoyfilters.networking.istio.io
	has out peerauthentications.security.istio.io
	only_reads "$target" "$at"
}

test_the_definitions_of_the_snapshot_mend_it() {
	git clone -q -b clusters/prod backup clone
	cluster_kubectl "$target" apply --server-side -f clone/crds/envoyfilters.networking.istio.io.yaml -f clone/crds/peerauthentications.security.istio.io.yaml
	cluster_kubectl "$target" wait --for=condition=Established crd/envoyfilters.networking.istio.io crd/peerauthentications.security.istio.io
}

# The webhooks of a controller that is not up yet answer by 500; the gate waits for them.
test_a_restore_waits_for_webhooks_that_are_not_up_yet() {
	cluster_tell "$target" stop llmisvc
	expect 7 dr "$target" restore prod --repo backup --cluster prod --yes --ignore secrets
	has out 'webhooks     failed'
	dr "$target" restore prod --repo backup --cluster prod --yes --ignore secrets,webhooks,controller --wait 2m -o json >report.json 2>err &
	sleep "${RHAII_TEST_WEBHOOK_AWAY:-3}"
	same "services meanwhile" "$(cluster_kubectl "$target" get llmisvc -A -o name)" ""
	cluster_tell "$target" start llmisvc
	wait $! || { cat report.json err && return 1; }
	jq -e '.counts.failed == 0 and .counts.created > 20' report.json
	jq -e '[.waves[] | select(.gate == "dry-run-create").gateMilliseconds] | max > 1000' report.json
}

test_an_object_that_the_server_refuses_is_named_and_the_others_come_back() {
	cluster_kubectl "$target" delete llmisvc,httproute,networkpolicy -n rhaii-inference --all --wait
	cat >>clone/objects/namespaces/rhaii-inference/networkpolicies.networking.k8s.io/allow-egress.yaml <<<'  notAField: 1'
	expect 3 dr "$target" restore ./clone --yes --wait 0 -o json
	jq -e '[.waves[].actions[] | select(.result == "failed")] | length == 1 and .[0].name == "allow-egress" and (.[0].error | contains("notAField"))' out
	jq -e '.counts.created > 5' out
}

# fifty: a snapshot of fifty services in ./fifty, of which KServe's own webhook will never take the last one
fifty() {
	local dir=fifty/objects/namespaces/rhaii-inference/llminferenceservices.serving.kserve.io n
	rm -rf fifty && cp -r clone fifty && rm -rf fifty/objects/namespaces/rhaii-inference/{networkpolicies,httproutes}* "${dir:?}"/*
	for n in $(seq 50); do
		printf 'apiVersion: serving.kserve.io/v1alpha2\nkind: LLMInferenceService\nmetadata:\n  name: one-%s\n  namespace: rhaii-inference\nspec:\n  model:\n    uri: hf://a/b\n  replicas: 0\n' "$n" >"$dir/one-$n.yaml"
	done
	printf '  router:\n    gateway: {}\n    route:\n      http:\n        refs:\n        - name: own\n' >>"$dir/one-50.yaml"
}

# It is neither sent again and again nor keeps the others out.
test_the_webhook_of_kserve_refuses_one_of_fifty() {
	fifty
	expect 3 dr "$target" restore ./fifty --yes --wait 0 --ignore secrets -o json
	same "services" "$(cluster_kubectl "$target" get llmisvc -n rhaii-inference -o name | grep -c /one-)" 49
	jq -e '[.waves[].actions[] | select(.result == "failed")] | length == 1 and .[0].name == "one-50"
		and (.[0].error | contains("admission webhook") and contains("denied the request") and contains("cannot be used with a managed gateway"))' out
	cluster_kubectl "$target" delete llmisvc -n rhaii-inference --all --wait=false
}

test_a_dead_api_server_is_a_clear_error() {
	cluster_tell "$target" stop kube-apiserver
	expect 1 dr "$target" restore prod --repo backup --cluster prod --yes
	has err "127.0.0.1"
}

run_tests
exit "$failed"
