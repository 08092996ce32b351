#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `onError: carry` on a real API server: a kind that may not be listed, or breaks off in the midst of its pages, keeps its last state and is told as stale.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/cluster/proxy.sh
. "$root/tests/cluster/proxy.sh"

source=$work/source proxy=$work/proxy
cluster_up source "$source" && cluster_load "$source" --gateway-port "$(free_port)" >/dev/null && proxy_up "$source" "$proxy" || exit 1
kind=networkpolicies.networking.k8s.io
cat >policy.yaml <<-YAML
	format: 1
	name: carrying
	include: rhaii
	kinds:
	- {resource: networkpolicies, group: networking.k8s.io, kind: NetworkPolicy, presence: required, onError: carry, wave: network-policies}
YAML
cluster_kubectl "$source" create namespace rhaii-dr >/dev/null && account "$source" rhaii-dr rhaii-dr-snapshot >/dev/null || exit 1

# snapshot ARGS...: with the account that may lose a right
snapshot() {
	in_pod "$source" rhaii-dr-snapshot snapshot --cluster prod --repo repo --policy policy.yaml --archive-dir archives "$@"
}

# through_proxy ARGS...: as admin, with small pages
through_proxy() {
	HOME=$work/home "$binary" --kubeconfig "$proxy/proxy.kubeconfig" snapshot --cluster prod --repo repo --policy policy.yaml --page-size 2 -o json "$@"
}

head_of() {
	git -C repo rev-parse clusters/prod
}

# policies REVISION: the kept files, with their ids
policies() {
	git -C repo ls-tree -r "$1" | grep '/networkpolicies\.networking\.k8s\.io/'
}

marks() { # revision
	git -C repo cat-file -p "$1" | sed -n 's/^Stale: //p'
}

change() { # kind/name, value
	cluster_kubectl "$source" -n rhaii-inference annotate --overwrite "$1" "changed=$2"
}

test_with_all_rights_nothing_is_stale() {
	grant "$source" . --for snapshot
	expect 0 snapshot -o json
	jq -e '.outcome == ["done"] and .stale == []' out
	jq -r .capturedAt out >since
	[ "$(policies clusters/prod | wc -l)" -gt 2 ]
}

test_a_right_less_fails_without_carry() {
	head=$(head_of)
	grant "$source" "$(but_not networkpolicies)" --for snapshot
	expect 1 snapshot --policy rhaii
	has err 'cannot list resource "networkpolicies"'
	same "head" "$(head_of)" "$head"
}

test_a_first_snapshot_has_nothing_to_keep() {
	expect 1 snapshot --cluster other
	has err "no earlier state of it can be kept: there is no snapshot before this one"
	! git -C repo rev-parse -q --verify clusters/other
}

test_a_right_less_keeps_the_last_state() {
	head=$(head_of)
	sleep 1
	expect 3 snapshot -o json
	jq -e --arg since "$(cat since)" '.outcome == ["partial"] and .changed == false and
		(.stale | length == 1 and .[0].group == "networking.k8s.io" and .[0].resource == "networkpolicies" and .[0].since == $since and
			(.[0].error | contains("cannot list resource")))' out
	same "head" "$(head_of)" "$head"
	same "mark of the tag" "$(marks refs/rhaii-dr/captured/prod)" "$kind since $(cat since)"
	same "mark of the commit" "$(marks clusters/prod)" ""
}

test_doctor_warns_of_it() {
	in_pod "$source" rhaii-dr-snapshot doctor --policy policy.yaml --repo repo -o json >out 2>err </dev/null || true # of other things it may say more
	cat err
	jq -e 'any(.findings[]; .check == "rights" and .result == "warning" and
		(.message | contains("networkpolicies.networking.k8s.io: may not be listed; a snapshot keeps its last state")))' out
}

# doctor_says POLICY: the rights that it misses, beside those to the kinds
doctor_says() {
	in_pod "$source" rhaii-dr-snapshot doctor --policy "$1" --repo repo -o json >out 2>err </dev/null || true
	jq -r '.findings[] | select(.check == "rights" and (.message | startswith("no right to"))) | .message' out
}

# What a snapshot only notes is lost without a word in its exit code: doctor names it, and how to get it.
test_doctor_names_each_right_that_is_only_for_notes() {
	sed 's/^name: .*/&\nsecrets: check/' policy.yaml >checking.yaml
	grant "$source" "$(but_not networkpolicies)" --for snapshot --policy checking.yaml --repo repo
	same "with all of them" "$(doctor_says checking.yaml)" ""
	grant "$source" "$(but_not validatingwebhookconfigurations)" --for snapshot --policy checking.yaml --repo repo
	same "webhooks" "$(doctor_says checking.yaml)" "no right to list validatingwebhookconfigurations.admissionregistration.k8s.io: the webhooks that are asked about captured kinds are not noted"
	jq -e 'any(.findings[]; .hint // "" | contains("`rhaii-dr rbac --for snapshot --policy checking.yaml | kubectl apply -f -`"))' out
	grant "$source" "$(but_not deployments)" --for snapshot --policy checking.yaml --repo repo
	has <(doctor_says checking.yaml) "no right to list deployments.apps 'llmisvc-controller-manager': the image of the controller is not noted"
	cluster_kubectl "$source" delete rolebinding rhaii-dr-snapshot-secrets -n rhaii-inference >/dev/null
	sleep 0.5
	has <(doctor_says checking.yaml) "no right to get secrets 'rhaii-inference/rhaiis-pull-secret': whether it and its keys are there is not known"
	grant "$source" "$(but_not networkpolicies)" --for snapshot
}

test_status_list_show_and_restore_tell_it() {
	expect 0 offline status --repo repo --openmetrics metrics
	has out "$kind since $(cat since)"
	has out "since the last complete capture"
	has metrics 'rhaii_dr_stale_kinds{cluster="prod"} 1'
	has metrics "rhaii_dr_last_capture_timestamp_seconds{cluster=\"prod\"} $(date -d "$(cat since)" +%s)"
	expect 4 offline status --repo repo --max-age 500ms
	expect 0 offline list --repo repo -o json
	jq -e '.[0].stale[0].resource == "networkpolicies"' out
	expect 0 offline show --repo repo
	has out "$kind since $(cat since)"
	dr "$source" restore prod --repo repo --in-place --yes --wait 0 -o json >out 2>err </dev/null || true # conflicts are not the question here
	cat err
	jq -e '.snapshot.stale[0].resource == "networkpolicies"' out
	has err "$kind could not be read when the snapshot was taken: it is restored as it was at $(cat since)"
}

# What the cluster has of the kind by now is not seen, and none of it is taken.
test_the_other_kinds_go_on() {
	policies clusters/prod >before
	change networkpolicy/allow-egress meanwhile
	change llmisvc/opt-125m-tuned yes
	expect 3 snapshot
	has out "$kind since $(cat since)"
	policies clusters/prod >after
	same "policies" "$(cat after)" "$(cat before)"
	same "commits" "$(git -C repo rev-list --count clusters/prod)" 2
	same "files that changed" "$(git -C repo diff-tree -r --name-only clusters/prod~1 clusters/prod)" \
		"objects/namespaces/rhaii-inference/llminferenceservices.serving.kserve.io/opt-125m-tuned.yaml"
	same "mark of the commit" "$(marks clusters/prod)" "$kind since $(cat since)"
	git -C repo fsck --strict --full
}

test_an_archive_tells_it_too() {
	expect 0 offline show "$(ls -t "$PWD"/archives/*.zst | head -n 1)"
	has out "$kind since $(cat since)"
}

test_an_accepted_capture_keeps_the_mark() {
	cp -a repo kept
	cluster_kubectl "$source" get poddisruptionbudgets,httproutes -n rhaii-inference -o json >gone.json
	cluster_kubectl "$source" delete -f gone.json
	expect 9 snapshot -o json
	id=$(jq -r .id out)
	expect 3 offline accept "$id" --repo repo -o json
	jq -e '.outcome == ["partial"] and .stale[0].resource == "networkpolicies"' out
	same "mark of the commit" "$(marks clusters/prod)" "$kind since $(cat since)"
	rm -rf repo && mv kept repo
	# those that KServe made it has made again; without validation, for which kubectl would read the whole OpenAPI document
	jq 'del(.items[] | select(.metadata.ownerReferences)) | del(.items[].metadata["resourceVersion", "uid"])' gone.json | cluster_kubectl "$source" create --validate=false -f - >/dev/null
}

test_the_right_comes_back() {
	grant "$source" . --for snapshot
	expect 0 snapshot -o json
	jq -e '.outcome == ["done"] and .stale == [] and .modified >= 1' out
	grep -q 'changed: meanwhile' <(git -C repo show clusters/prod:objects/namespaces/rhaii-inference/$kind/allow-egress.yaml)
	same "marks" "$(marks clusters/prod)$(marks refs/rhaii-dr/captured/prod)" ""
	jq -r .capturedAt out >since
	expect 0 offline status --repo repo
	has_not out stale
}

# --- faults of the server ------------------------------------------------------------------------------------------------------------

# partial RULE...: the kind breaks off by these faults, and what its first pages gave is not taken
partial() {
	proxy_rules "$proxy"
	expect 0 through_proxy
	policies clusters/prod >before
	change networkpolicy/allow-egress "$RANDOM"
	change networkpolicy/default-deny-all "$RANDOM"
	proxy_rules "$proxy" "$@"
	expect 3 through_proxy
	[ "$(proxy_hits "$proxy")" -gt 0 ]
	jq -e '.changed == false and .pointInTime and (.stale | map(.resource) == ["networkpolicies"])' out
	policies clusters/prod >after
	same "policies" "$(cat after)" "$(cat before)"
}

test_500_in_the_midst_of_the_pages() { partial "2- GET /networkpolicies\\? status 500 Retry-After=3600"; }
test_403_in_the_midst_of_the_pages() { partial "2- GET /networkpolicies\\? status 403"; }
test_410_for_ever() { partial "* GET /networkpolicies\\?.*continue= status 410"; }
test_pages_of_another_kind() { partial "* GET /networkpolicies\\? replace NetworkPolicyList HTTPRouteList"; }

# The question whether the server answers otherwise is answered so, too.
test_expired_credentials_fail_for_all_kinds() {
	head=$(head_of)
	proxy_rules "$proxy" "2- GET /networkpolicies\\? status 401" "2- GET /version status 401"
	expect 1 through_proxy
	same "head" "$(head_of)" "$head"
	has err networkpolicies
}

run_tests
exit "$failed"
