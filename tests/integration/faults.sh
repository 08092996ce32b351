#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A snapshot through the fault proxy before a real API server: the tree that it gives without faults, or a failure that says so and leaves the branch
# alone; never a smaller commit.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/cluster/proxy.sh
. "$root/tests/cluster/proxy.sh"

source=$work/source h2=$work/h2 h1=$work/h1 slow=$work/slow
cluster_up source "$source" && cluster_load "$source" --gateway-port "$(free_port)" >/dev/null || exit 1
proxy_up "$source" "$h2" && proxy_up "$source" "$h1" --http1 && proxy_up "$source" "$slow" || exit 1

# snapshot PROXY OPTION...: into ./repo and ./archives, with small pages
snapshot() {
	local kubeconfig=$1/proxy.kubeconfig
	shift
	HOME=$work/home timeout 150 "$binary" --kubeconfig "$kubeconfig" snapshot --cluster prod --repo repo --archive-dir archives --page-size 2 "$@"
}

# fresh DIR: a directory to go to, with the repository as it was before the last change of the cluster
fresh() {
	rm -rf "${work:?}/$1"
	mkdir "$work/$1"
	cp -a "$work/base" "$work/$1/repo"
	cd "$work/$1"
}

tree() {
	git -C "$1" rev-parse "clusters/prod^{tree}"
}

is_right() {
	git -C repo fsck --strict --full
	same "tree" "$(tree repo)" "$(tree "$work/right")"
	same "commits" "$(git -C repo rev-list --count clusters/prod)" 2
	(cd archives && sha256sum --quiet -c ./*.sha256)
	same "archives" "$(find archives -name '*.zst' | wc -l)" 1
}

is_untouched() {
	git -C repo fsck --strict --full
	same "head" "$(git -C repo rev-parse clusters/prod)" "$(git -C "$work/base" rev-parse clusters/prod)"
	same "archives" "$(find . -name '*.zst' | wc -l)" 0
	[ -s err ]
}

# strikes PROXY: which requests the faults met, and the last one
strikes() {
	proxy_log "$1" | grep ' \*main\.' || true
	proxy_log "$1" | tail -n 1
}

# struck PROXY: at least one fault has struck since the rules were given
struck() {
	[ "$(proxy_hits "$1")" -gt 0 ] || { strikes "$1" && echo "no fault struck" && return 1; }
}

# comes_right PROXY RULE...
comes_right() {
	local proxy=$1
	shift
	fresh point
	proxy_rules "$proxy" "$@"
	expect 0 snapshot "$proxy" || { strikes "$proxy" && return 1; }
	struck "$proxy"
	is_right
}

# fails PROXY TEXT RULE...: by exit code 1 and an error that holds the text
fails() {
	local proxy=$1 text=$2
	shift 2
	fresh point
	proxy_rules "$proxy" "$@"
	expect 1 snapshot "$proxy" || { strikes "$proxy" && return 1; }
	struck "$proxy"
	is_untouched
	has err "$text"
}

# right_or_fails PROXY RULE...: where both would be true
right_or_fails() {
	local proxy=$1 status=0
	shift
	fresh point
	proxy_rules "$proxy" "$@"
	snapshot "$proxy" >out 2>err </dev/null || status=$?
	cat out err
	struck "$proxy"
	case $status in
	0) is_right ;;
	1) is_untouched ;;
	*) echo "exit code $status" && return 1 ;;
	esac
}

# comes_right_everywhere PROXY FAULT...: it strikes once in each part of a snapshot: identity, discovery, first and later pages, first and last kind, children
comes_right_everywhere() {
	local proxy=$1 where rules=()
	shift
	for where in "1 GET /namespaces/kube-system" "1 GET /apis\$" "1 GET /llminferenceservices\\?" "2 GET /httproutes\\?" "1 GET /poddisruptionbudgets\\?" \
		"2 GET /v1/namespaces\\?" "1 GET /deployments\\?"; do
		rules+=("$where $*")
	done
	comes_right "$proxy" "${rules[@]}"
	[ "$(proxy_hits "$proxy")" -ge 6 ] || { strikes "$proxy" && return 1; }
}

# --- what it should be ---------------------------------------------------------------------------------------------------------------

test_a_proxy_without_faults_changes_nothing() {
	mkdir "$work/plain" && cd "$work/plain"
	expect 0 dr "$source" snapshot --cluster prod --repo repo
	cp -a repo "$work/base"
	proxy_rules "$h2"
	expect 0 snapshot "$h2"
	proxy_rules "$h1"
	expect 0 snapshot "$h1"
	same "commits" "$(git -C repo rev-list --count clusters/prod)" 1
	cluster_kubectl "$source" -n rhaii-inference annotate llmisvc/opt-125m-tuned pdb/tuned-pdb netpol/allow-egress changed=yes
	expect 0 dr "$source" snapshot --repo repo
	same "commits" "$(git -C repo rev-list --count clusters/prod)" 2
	cp -a repo "$work/right"
}

# These wait a minute for a server that says nothing, or for the API server to forget a token: beside the others, and looked at in the end.
begin_slow() (
	fresh slow-stall
	proxy_rules "$slow" "1 GET /llminferenceservices\\? stall" "2 GET /httproutes\\? stall-after 50%"
	snapshot "$slow" >out 2>err </dev/null
	echo $? >status
)

run_tests
begin_slow &
stalling=$!

# --- once, and the next try is answered --------------------------------------------------------------------------------------------------

test_a_reset_before_the_answer() { comes_right_everywhere "$h2" reset; }
test_a_reset_before_the_answer_over_http1() { comes_right_everywhere "$h1" reset; }
test_a_stream_that_is_reset() { comes_right_everywhere "$h2" abort; }
test_a_reset_in_the_header_of_the_body() { comes_right_everywhere "$h2" reset-after 0; }
test_a_reset_in_the_body() { comes_right_everywhere "$h2" reset-after 50%; }
test_a_reset_in_the_body_over_http1() { comes_right_everywhere "$h1" reset-after 50%; }
test_a_stream_that_is_reset_in_the_body() { comes_right_everywhere "$h2" abort-after 90%; }
test_a_connection_that_ends_in_the_body() { comes_right_everywhere "$h2" close-after 50%; }
test_a_connection_that_ends_in_the_body_over_http1() { comes_right_everywhere "$h1" close-after 50%; }
test_a_truncated_answer_with_a_right_length() { comes_right_everywhere "$h2" truncate 50%; }
test_an_answer_without_its_last_byte() { comes_right_everywhere "$h1" truncate 99%; }
test_an_empty_answer() { comes_right_everywhere "$h2" truncate 0; }
test_goaway_before_the_answer() { comes_right_everywhere "$h2" goaway-now; }
test_goaway_in_the_body() { comes_right_everywhere "$h2" goaway-after 50%; }
test_429_with_retry_after() { comes_right_everywhere "$h2" status 429 Retry-After=1; }
test_500() { comes_right_everywhere "$h2" status 500; }
test_503() { comes_right_everywhere "$h2" status 503; }
test_504() { comes_right_everywhere "$h2" status 504; }

# --- again and again -----------------------------------------------------------------------------------------------------------------------

test_goaway_with_every_answer() { comes_right "$h2" "* GET / goaway"; }
test_an_answer_that_drips() { comes_right "$h2" "1-2 GET /llminferenceservices\\? drip 2% 20"; }
test_three_resets_in_a_row() { comes_right "$h2" "1-3 GET /httproutes\\? reset-after 10"; }
test_a_list_that_is_never_whole() { fails "$h2" httproutes "* GET /httproutes\\? truncate 60%"; }
test_a_later_page_that_is_never_whole() { fails "$h2" networkpolicies "2- GET /networkpolicies\\? truncate 60%"; }
test_a_server_that_says_come_back_in_an_hour() { fails "$h2" poddisruptionbudgets "* GET /poddisruptionbudgets\\? status 503 Retry-After=3600"; }
test_throttling_for_longer_than_the_deadline() { fails "$h2" namespaces "1 GET /v1/namespaces\\? status 429 Retry-After=3600"; }

# --- kinds and pages -------------------------------------------------------------------------------------------------------------------------

test_403_on_one_kind() { fails "$h2" httproutes "* GET /httproutes\\? status 403"; }
test_403_on_a_later_page() { fails "$h2" networkpolicies "2- GET /networkpolicies\\? status 403"; }
test_404_on_a_kind_that_discovery_has() { fails "$h2" networkpolicies "* GET /networkpolicies\\? status 404"; }
test_410_at_the_second_page() { comes_right "$h2" "1 GET /httproutes\\?.*continue= status 410"; }
test_410_at_the_third_page() { comes_right "$h2" "2 GET /networkpolicies\\?.*continue= status 410"; }
test_410_twice() { comes_right "$h2" "1-2 GET /networkpolicies\\?.*continue= status 410"; }
test_410_for_ever() { right_or_fails "$h2" "* GET /networkpolicies\\?.*continue= status 410"; }
test_pages_of_another_kind() { fails "$h2" networkpolicies "* GET /networkpolicies\\? replace NetworkPolicyList HTTPRouteList"; }
test_pages_without_items() { fails "$h2" networkpolicies "* GET /networkpolicies\\?.*continue= replace \"items\" \"itemz\""; }
test_pages_of_another_moment() { fails "$h2" networkpolicies "* GET /networkpolicies\\?.*continue= replace \"resourceVersion\":\" \"resourceVersion\":\"1"; }
test_discovery_without_a_group() { right_or_fails "$h2" "* GET /apis\$ status 503 Retry-After=3600"; }

# --- credentials -------------------------------------------------------------------------------------------------------------------------------

test_401_once() { right_or_fails "$h2" "2 GET /llminferenceservices\\? status 401"; }
test_401_from_then_on() { fails "$h2" credentials "2- GET /llminferenceservices\\? status 401" "* GET /httproutes status 401"; }

# Of a service account with the right to read everything but Secrets.
grant() {
	cluster_kubectl "$source" -n default create serviceaccount "$1"
	cluster_kubectl "$source" create clusterrole "$1" --verb=get,list --resource="*.serving.kserve.io,*.gateway.networking.k8s.io,*.networking.k8s.io,\
*.inference.networking.k8s.io,*.inference.networking.x-k8s.io,*.networking.istio.io,*.security.istio.io,*.policy,*.autoscaling,*.apps,\
*.rbac.authorization.k8s.io,*.leaderworkerset.x-k8s.io,*.apiextensions.k8s.io,*.admissionregistration.k8s.io,namespaces,configmaps,serviceaccounts,services,resourcequotas,limitranges"
	cluster_kubectl "$source" create clusterrolebinding "$1" --clusterrole="$1" --serviceaccount="default:$1"
	cluster_kubectl "$source" -n default create token "$1" >token
}

test_rights_revoked_in_mid_run() {
	fresh point
	grant revoked
	proxy_token "$h2" "$(cat token)" >"$h2/revoked.kubeconfig"
	cp -a repo before
	proxy_rules "$h2"
	expect 0 env HOME="$work/home" "$binary" --kubeconfig "$h2/revoked.kubeconfig" snapshot --cluster prod --repo before
	same "tree" "$(tree before)" "$(tree "$work/right")"
	proxy_rules "$h2" "1 GET /networkpolicies\\? run $("$cluster_here/build.sh" kubectl) --kubeconfig $source/kubeconfig delete clusterrolebinding revoked; sleep 1"
	expect 1 env HOME="$work/home" "$binary" --kubeconfig "$h2/revoked.kubeconfig" snapshot --cluster prod --repo repo --archive-dir archives
	struck "$h2"
	is_untouched
	has err networkpolicies
}

# The API server knows a token for ten seconds after it was good.
test_a_token_revoked_in_mid_run() {
	fresh point
	grant deleted
	proxy_token "$h2" "$(cat token)" >"$h2/deleted.kubeconfig"
	proxy_rules "$h2" "2 GET /networkpolicies\\? run $("$cluster_here/build.sh" kubectl) --kubeconfig $source/kubeconfig -n default delete serviceaccount deleted; sleep 11"
	expect 1 env HOME="$work/home" "$binary" --kubeconfig "$h2/deleted.kubeconfig" snapshot --cluster prod --repo repo --archive-dir archives --page-size 2
	struck "$h2"
	is_untouched
	has err networkpolicies
	has_not err "$(cat token)"
}

# --- parts of the cluster that are down ------------------------------------------------------------------------------------------------------------

test_the_conversion_webhook_is_not_needed_at_the_storage_version() {
	cluster_tell "$source" stop llmisvc
	# news of an object, which the API server has not converted before
	cluster_kubectl "$source" -n rhaii-inference patch llmisvc opt-125m-tuned --subresource=status --type=merge -p '{"status":{"annotations":{"news":"yes"}}}'
	! timeout 30 "$("$cluster_here/build.sh" kubectl)" --kubeconfig "$source/kubeconfig" get llminferenceservices.v1alpha1.serving.kserve.io -A || return 1
	fresh point
	expect 0 dr "$source" snapshot --cluster prod --repo repo --archive-dir archives --page-size 2
	is_right
}

run_tests
cluster_tell "$source" start llmisvc

# --- a cluster that does not hold still -----------------------------------------------------------------------------------------------------------------

# What changes in every cluster all the time: leases, status, and with them the resourceVersion of all objects.
churn() {
	local api curl n=0
	api=$(sed -n 's/.*server: "\(https[^"]*\)".*/\1/p' "$slow/proxy.kubeconfig")
	curl=(curl -sS -o /dev/null --cacert "$slow/proxy.crt" -X PATCH -H 'Content-Type: application/merge-patch+json')
	cluster_kubectl "$source" -n opendatahub create -f - <<<'{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"churn"},"spec":{"holderIdentity":"0"}}'
	while [ ! -e "$work/calm" ]; do
		n=$((n + 1))
		"${curl[@]}" -d "{\"spec\":{\"holderIdentity\":\"$n\"}}" "$api/apis/coordination.k8s.io/v1/namespaces/opendatahub/leases/churn" &&
			"${curl[@]}" -d "{\"status\":{\"observedGeneration\":$n}}" "$api/apis/policy/v1/namespaces/rhaii-inference/poddisruptionbudgets/tuned-pdb/status" &&
			"${curl[@]}" -d "{\"status\":{\"annotations\":{\"churn\":\"$n\"}}}" "$api/apis/serving.kserve.io/v1alpha2/namespaces/rhaii-inference/llminferenceservices/opt-125m-tuned/status" || return 1
		sleep 0.02
	done
	echo "$n" >"$work/churned"
}

resource_version() { # object
	git -C repo cat-file -p "$1" | sed -n 's/^Resource-Version: //p'
}

test_snapshots_of_a_churning_cluster_are_one_commit_and_one_archive() {
	rm -rf "$work/churning" && mkdir "$work/churning" && cd "$work/churning"
	expect 0 dr "$source" snapshot --cluster prod --repo repo --archive-dir archives
	first=$(resource_version clusters/prod)
	churn &
	for _ in $(seq "${RHAII_TEST_CHURN:-30}"); do
		expect 0 dr "$source" snapshot --cluster prod --repo repo --archive-dir archives --page-size 5
	done
	touch "$work/calm"
	wait $!
	last=$(resource_version refs/rhaii-dr/captured/prod)
	echo "churned $(cat "$work/churned") times, resourceVersion $first to $last"
	[ "$((last - first))" -gt "${RHAII_TEST_CHURN:-30}" ]
	same "commits" "$(git -C repo rev-list --count clusters/prod)" 1
	same "archives" "$(find archives -name '*.zst' | wc -l)" 1
}

# Changed when the first kind has been listed: a kind listed later and one listed before are both as they were then.
test_all_kinds_are_of_one_moment() {
	fresh point
	proxy_rules "$h2" "1 GET /poddisruptionbudgets\\? run $("$cluster_here/build.sh" kubectl) --kubeconfig $source/kubeconfig -n rhaii-inference annotate llmisvc/opt-125m-tuned pdb/tuned-pdb changed-in-mid-run=yes"
	expect 0 snapshot "$h2"
	struck "$h2"
	cluster_kubectl "$source" -n rhaii-inference annotate llmisvc/opt-125m-tuned pdb/tuned-pdb changed-in-mid-run-
	git -C repo grep -n changed-in-mid-run clusters/prod -- objects >found || true
	same "later changes in the tree" "$(cat found)" ""
	is_right
}

test_a_server_that_stalls_is_left_and_asked_again() {
	cd "$work/slow-stall"
	cat out err
	same "exit code" "$(cat status)" 0
	is_right
}

wait "$stalling"
run_tests
exit "$failed"
