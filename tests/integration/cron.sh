#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A snapshot from cron, on real clusters: the manifests of packaging/kubernetes, the rights that rbac prints, and the status that is watched.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

source=$work/source target=$work/target packaging=$root/packaging/kubernetes
cluster_up source "$source" && cluster_load "$source" --gateway-port "$(free_port)" >/dev/null && cluster_up target "$target" || exit 1

# --- the manifests ----------------------------------------------------------------------------------------------------------------

test_the_rights_in_the_package_are_those_that_rbac_prints() {
	offline rbac --for snapshot >printed
	diff printed "$packaging/rbac.yaml"
}

test_the_manifests_are_valid() {
	cluster_kubectl "$source" apply -f "$packaging/namespace.yaml" -f "$packaging/rbac.yaml"
	account "$source" rhaii-dr rhaii-dr-snapshot
	expect 0 cluster_kubectl "$source" apply -k "$packaging" --dry-run=server --validate=strict
	has out cronjob.batch/rhaii-dr-snapshot
	same "warnings" "$(grep Warning: err | grep -v last-applied-configuration)" "" # of the account, which this test made by hand
}

pod() {
	cluster_kubectl "$source" create -f "$packaging/cronjob.yaml" --dry-run=client -o json |
		jq '.spec.jobTemplate.spec.template | {apiVersion: "v1", kind: "Pod", metadata: {name: "try", namespace: "rhaii-dr"}, spec} | '"$1"
}

test_the_pod_is_admitted_where_restricted_pod_security_is_enforced() {
	pod . >pod.json
	expect 0 cluster_kubectl "$source" create -f pod.json --dry-run=server -o json
	jq -e '[.spec.volumes[] | select(.projected)] | length == 1' out # the token of the account
}

test_each_part_of_its_security_context_is_needed_for_that() {
	for part in spec.securityContext.runAsNonRoot spec.securityContext.seccompProfile spec.containers[0].securityContext.capabilities \
		spec.containers[0].securityContext.allowPrivilegeEscalation; do
		pod "del(.$part)" >pod.json
		expect 1 cluster_kubectl "$source" create -f pod.json --dry-run=server
		has err 'violates PodSecurity "restricted:latest"'
	done
}

# The configuration of the package, with its folders here.
test_a_run_with_just_these_rights_takes_a_snapshot() {
	cluster_kubectl "$source" create -f "$packaging/configmap.yaml" --dry-run=client -o json | jq -r '.data["config.yaml"]' |
		sed "s|/backup|$PWD/backup|" >config.yaml
	at=$(mark "$source")
	expect 0 in_pod "$source" rhaii-dr-snapshot snapshot --log-format json --output json --config config.yaml
	jq -e '.objects > 20 and .archiveMade' out
	only_reads "$source" "$at"
	git -C backup/repository show clusters/prod:snapshot.yaml >snapshot.yaml
	! grep -A1 -x 'definitionsNotRead:' snapshot.yaml | grep '^- ' || return 1
	grep -qx 'notListed: \[\]' <(git -C backup/repository show clusters/prod:generated.yaml)
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}

# some_uid UID ARGS...: the program as a pod whose uid nobody has chosen runs it, with the group of the volume (fsGroup) besides its own
some_uid() {
	as_root env -u HOME -u XDG_CONFIG_HOME setpriv --reuid "$1" --regid 65532 --groups 55555 "$volume/rhaii-dr" "${@:2}"
}

# The volume as a kubelet leaves it for a pod with fsGroup. Each run changes something, so that it writes everywhere.
test_each_run_may_have_another_uid() {
	volume=$(mktemp -d)
	trap 'as_root rm -rf "$volume"' EXIT
	chmod 755 "$volume"
	install -m 0755 "$binary" "$volume/rhaii-dr"
	install -m 0644 "$source/kubeconfig" "$volume/kubeconfig"
	mkdir "$volume/backup"
	as_root chgrp 55555 "$volume/backup"
	as_root chmod 2770 "$volume/backup"
	for uid in 1000660001 1000660002 1000660003; do
		cluster_kubectl "$source" annotate networkpolicy default-deny-all -n rhaii-inference --overwrite "uid=$uid"
		expect 0 some_uid $uid snapshot --kubeconfig "$volume/kubeconfig" --cluster prod --repo "$volume/backup/repository" \
			--archive-dir "$volume/backup/archives" -o json
		jq -e '.changed and .archiveMade' out
	done
	expect 0 some_uid 1000660004 status --repo "$volume/backup/repository" --archive-dir "$volume/backup/archives" -o json
	jq -e '.clusters[0].archive.complete' out
	cluster_kubectl "$source" annotate networkpolicy default-deny-all -n rhaii-inference uid-
}

# Made before the volume had a group.
test_a_repository_of_another_uid_alone_is_told_how_to_share() {
	volume=$(mktemp -d)
	trap 'as_root rm -rf "$volume"' EXIT
	chmod 755 "$volume"
	install -m 0755 "$binary" "$volume/rhaii-dr"
	install -m 0644 "$source/kubeconfig" "$volume/kubeconfig"
	expect 0 dr "$source" snapshot --cluster prod --repo "$volume/repository"
	expect 1 some_uid 1000660004 snapshot --kubeconfig "$volume/kubeconfig" --cluster prod --repo "$volume/repository"
	has err 'Permission denied'
	has err 'hint: let its group use it'
}

# What is there is known by the webhooks and presets of the real KServe; its controller runs beside the cluster, so a Deployment stands for it.
test_the_installation_is_told() {
	cluster_kubectl "$source" create deployment llmisvc-controller-manager -n opendatahub --replicas 0 --image kserve/llmisvc-controller:v0.20.0 --dry-run=client -o json |
		jq '.spec.template.spec.containers[0].name = "manager"' | cluster_kubectl "$source" apply -f -
	at=$(mark "$source")
	expect 0 in_pod "$source" rhaii-dr-snapshot snapshot --config config.yaml --cluster told
	! requests "$source" "$at" | grep ' 403$' || return 1
	git -C backup/repository show clusters/told:requirements.yaml >requirements.yaml
	grep -qx 'notRead: \[\]' requirements.yaml
	same "image" "$(sed -n '/^controllers:/,/^definitions:/s/^  \(image\|version\): //p' requirements.yaml | tr '\n' ' ')" 'kserve/llmisvc-controller:v0.20.0 v0.20.0 '
	[ "$(sed -n '/^presets:/,/^requirements:/p' requirements.yaml | grep -c 'name: kserve-config-llm-')" -gt 5 ]
	sed -n '/^webhooks:/,$p' requirements.yaml | grep -A3 'failurePolicy: Fail' | grep -qx '  - llminferenceservices.serving.kserve.io'
	has_not requirements.yaml caBundle
}

# Twice the same: nothing of its state is in it.
test_the_state_of_the_installation_changes_nothing() {
	cluster_kubectl "$source" annotate deployment llmisvc-controller-manager -n opendatahub note=x
	expect 0 in_pod "$source" rhaii-dr-snapshot snapshot --config config.yaml --cluster told -o json
	jq -e '.changed | not' out
	cluster_kubectl "$source" set image deployment llmisvc-controller-manager -n opendatahub manager=kserve/llmisvc-controller:v0.21.0
	expect 0 in_pod "$source" rhaii-dr-snapshot snapshot --config config.yaml --cluster told -o json
	jq -e '.changed' out
}

test_these_rights_reach_no_secret_and_change_nothing() {
	local as=system:serviceaccount:rhaii-dr:rhaii-dr-snapshot
	for right in 'list secrets' 'get secrets' 'get configmaps' 'create llminferenceservices.serving.kserve.io' 'watch pods' 'get namespaces/default'; do
		# shellcheck disable=SC2086
		expect 1 cluster_kubectl "$source" auth can-i --as "$as" -n rhaii-inference $right
		has out no
	done
}

# Without the rights nothing is known of them, and that is said; the snapshot then names those to give.
test_secrets_are_looked_for_with_the_rights_to_their_names_alone() {
	printf 'format: 1\nname: ours\ninclude: rhaii\nsecrets: check\n' >check.yaml
	expect 0 in_pod "$source" rhaii-dr-snapshot snapshot --config config.yaml --policy check.yaml --cluster checked
	grep -A1 -x 'notRead:' <(git -C backup/repository show clusters/checked:requirements.yaml) | grep -qx -- '- secrets'
	grant "$source" . --for snapshot --policy check.yaml --repo backup/repository --cluster checked
	jq -e '[.items[] | select(.kind == "Role") | .rules[]] | length > 0 and all(.resources == ["secrets"] and .verbs == ["get"] and (.resourceNames | length > 0))' grant.json
	at=$(mark "$source")
	expect 0 in_pod "$source" rhaii-dr-snapshot snapshot --config config.yaml --policy check.yaml --cluster checked
	! requests "$source" "$at" | grep ' 403$' || return 1
	same "asked" "$(requests "$source" "$at" | grep ' secrets ' | cut -d' ' -f1 | sort -u)" get
	grep -qx 'notRead: \[\]' <(git -C backup/repository show clusters/checked:requirements.yaml)
	for value in $(cluster_kubectl "$source" get secrets -n rhaii-inference -o json | jq -r '.items[] | select(.type != "kubernetes.io/tls") | .data // {} | .[]'); do
		! git -C backup/repository grep -qF "$value" clusters/checked || return 1
	done
	expect 1 cluster_kubectl "$source" auth can-i --as system:serviceaccount:rhaii-dr:rhaii-dr-snapshot -n rhaii-inference list secrets
	cluster_kubectl "$source" delete role,rolebinding -A -l app.kubernetes.io/name=rhaii-dr
}

# --- one right less ---------------------------------------------------------------------------------------------------------------

test_one_kind_less_fails_the_snapshot_and_is_named() {
	head=$(git -C backup/repository rev-parse clusters/prod)
	for kind in llminferenceservices httproutes networkpolicies gateways configmaps serviceaccounts rolebindings resourcequotas \
		horizontalpodautoscalers namespaces; do
		grant "$source" "$(but_not $kind)" --for snapshot
		expect 1 in_pod "$source" rhaii-dr-snapshot snapshot --config config.yaml
		has err "cannot list resource \"$kind\""
	done
	same "head" "$(git -C backup/repository rev-parse clusters/prod)" "$head"
}

test_without_the_identity_of_the_cluster_there_is_no_snapshot() {
	grant "$source" '.items[].rules |= if . then map(select(.resourceNames != ["kube-system"])) else empty end' --for snapshot
	expect 1 in_pod "$source" rhaii-dr-snapshot snapshot --config config.yaml
	has err 'cannot get resource "namespaces"'
}

test_without_the_list_of_definitions_all_are_noted() {
	grant "$source" "$(but_not customresourcedefinitions)" --for snapshot
	expect 0 in_pod "$source" rhaii-dr-snapshot snapshot --config config.yaml --cluster unseen
	grep -A1 -x 'definitionsNotRead:' <(git -C backup/repository show clusters/unseen:snapshot.yaml) | grep -q '^- '
	same "definitions" "$(git -C backup/repository ls-tree -r --name-only clusters/unseen crds/)" ""
}

# Whoever gives definitions by name, to get, and leaves one out.
test_one_definition_less_is_noted_by_name() {
	grant "$source" "$(but_not customresourcedefinitions) | .items[0].rules += [{apiGroups: [\"apiextensions.k8s.io\"],
		resources: [\"customresourcedefinitions\"], verbs: [\"get\"], resourceNames: $(git -C backup/repository ls-tree -r --name-only clusters/prod crds/ |
		jq -Rnc '[inputs | ltrimstr("crds/") | rtrimstr(".yaml") | select(. != "httproutes.gateway.networking.k8s.io")]')}]" --for snapshot
	expect 0 in_pod "$source" rhaii-dr-snapshot snapshot --config config.yaml --cluster blind
	same "noted" "$(git -C backup/repository show clusters/blind:snapshot.yaml | sed -n '/^definitionsNotRead:/,/^[a-z]/p' | grep '^- ')" \
		'- httproutes.gateway.networking.k8s.io'
}

test_one_inventory_kind_less_is_noted_by_name() {
	grant "$source" "$(but_not deployments)" --for snapshot
	expect 0 in_pod "$source" rhaii-dr-snapshot snapshot --config config.yaml --cluster noted
	grep -qx -- '- deployments.apps' <(git -C backup/repository show clusters/noted:generated.yaml)
}

test_webhooks_that_may_not_be_listed_are_noted() {
	grant "$source" "$(but_not validatingwebhookconfigurations)" --for snapshot
	expect 0 in_pod "$source" rhaii-dr-snapshot snapshot --config config.yaml --cluster hooks
	grep -A1 -x 'notRead:' <(git -C backup/repository show clusters/hooks:requirements.yaml) | grep -qx -- '- validatingwebhookconfigurations.admissionregistration.k8s.io'
}

# --- narrower ---------------------------------------------------------------------------------------------------------------------

test_the_rights_of_one_namespace_take_a_snapshot_of_it() {
	account "$source" default narrow
	grant "$source" . --for snapshot -n rhaii-inference --service-account default/narrow
	cluster_kubectl "$source" delete clusterrolebinding rhaii-dr-snapshot
	cluster_kubectl "$source" apply -f grant.json
	expect 0 in_pod "$source" narrow snapshot -n rhaii-inference --repo narrow.git --cluster prod
	git -C narrow.git show clusters/prod:requirements.yaml >requirements.yaml
	grep -qx 'notRead: \[\]' requirements.yaml
	grep -qx '  name: llmisvc-controller-manager' requirements.yaml
	expect 1 in_pod "$source" narrow snapshot -n istio-system --repo narrow.git --cluster other
	has err 'in the namespace "istio-system"'
}

# --- restore and verify -----------------------------------------------------------------------------------------------------------

# Its Role grants no more than what a restore may do itself, so it may create it.
test_the_rights_of_a_restore_bring_everything_back() {
	account "$target" default restorer
	grant "$target" . --for restore --service-account default/restorer
	has granting 'escalate and bind are not given'
	expect 0 in_pod "$target" restorer restore prod --repo backup/repository --cluster prod --yes --wait 3m -o json
	jq -e '.counts.failed == 0 and .counts.created > 20' out
	! requests "$target" | grep -E ' 403$' | grep -v '^get secrets ' || return 1 # no right to them is given: "not checked"
	jq -e '[.preflight[] | select(.result == "not checked").check] | index("secrets") != null and index("rights") == null' out
}

test_the_rights_of_a_verification_suffice() {
	account "$target" default verifier
	grant "$target" . --for verify --service-account default/verifier
	at=$(mark "$target")
	expect 0 in_pod "$target" verifier verify prod --repo backup/repository --cluster prod -o json
	! requests "$target" "$at" | grep -E ' 403$'
}

test_a_restore_creates_no_role_that_grants_more_than_it_holds() {
	cluster_kubectl "$source" create role reader -n rhaii-inference --verb=get --resource=secrets
	cluster_kubectl "$source" create rolebinding reader -n rhaii-inference --role=reader --serviceaccount=rhaii-inference:inference-runner
	expect 0 dr "$source" snapshot --config config.yaml
	expect 7 in_pod "$target" restorer restore prod --repo backup/repository --cluster prod --yes --wait 0 -o json
	jq -e '[.preflight[] | select(.check == "escalation").text] == ["Role rhaii-inference/reader grants what we do not hold: get secrets",
		"RoleBinding rhaii-inference/reader grants what we do not hold: get secrets"]' out
	expect 3 in_pod "$target" restorer restore prod --repo backup/repository --cluster prod --yes --wait 0 --ignore escalation -o json
	jq -e '[.waves[].actions[] | select(.result == "failed" and .kind == "Role")] |
		length == 1 and .[0].name == "reader" and (.[0].error | contains("attempting to grant RBAC permissions not currently held"))' out
}

test_a_restore_without_a_verb_names_it() {
	grant "$target" '.items[].rules |= if . then map(.verbs -= ["create"] | select(.verbs != [])) else empty end' --for restore --service-account default/restorer
	cluster_kubectl "$target" delete networkpolicy -n rhaii-inference --all
	expect 7 in_pod "$target" restorer restore prod --repo backup/repository --cluster prod --yes --wait 0 -o json
	jq -e '[.preflight[] | select(.result == "failed").text] | any(. == "we may not create networkpolicies.networking.k8s.io in namespace rhaii-inference")' out
	expect 3 in_pod "$target" restorer restore prod --repo backup/repository --cluster prod --yes --wait 0 --ignore rights,escalation -o json
	jq -e '[.waves[].actions[] | select(.result == "failed" and .kind == "NetworkPolicy")] | length == 5 and all(.error | contains("cannot create resource \"networkpolicies\""))' out
}

# --- status -----------------------------------------------------------------------------------------------------------------------

test_status_holds_the_age_against_the_rpo() {
	expect 0 offline status --config config.yaml -o json
	jq -e '.offsite == "none" and (.clusters | length == 1 and .[0].cluster == "prod" and .[0].archive.complete and .[0].objects > 20 and .[0].rpoSeconds < 3600)' out
	expect 4 offline status --config config.yaml --max-age 500ms -o json
	jq -e '.clusters[0].tooOld' out
}

test_status_without_a_snapshot_fails() {
	expect 1 offline status --repo nowhere
}

test_status_writes_metrics() {
	expect 0 offline status --config config.yaml --openmetrics metrics.prom --offsite 'tape, by hand'
	has out 'declared, not checked: tape, by hand'
	has_not err 'offsite: none'
	has metrics.prom "rhaii_dr_snapshot_info{cluster=\"prod\",commit=\"$(git -C backup/repository rev-parse clusters/prod)\"} 1"
	same "end" "$(tail -n 1 metrics.prom)" '# EOF'
	same "lines that are neither comment nor sample" "$(grep -vE '^(# (HELP|TYPE) rhaii_dr_[a-z_]+ .+|# EOF|rhaii_dr_[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [0-9]+)$' metrics.prom)" ""
}

run_tests
exit "$failed"
