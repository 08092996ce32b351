#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A restore through the fault proxy onto a real API server: whatever happens on the way, everything is there in the end, and nothing was created twice.
# Faults of a kind strike one restore together; with RHAII_TEST_ROUGH=each (`make crash`) each of them strikes one of its own as well.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/cluster/proxy.sh
. "$root/tests/cluster/proxy.sh"
# shellcheck source=tests/crash/restore.sh
. "$root/tests/crash/restore.sh"

each=${RHAII_TEST_RESTORE_EACH:-8} source=$work/source target=$work/target h2=$work/h2 h1=$work/h1
cluster_up plain-source "$source" && cluster_up plain-target "$target" && killed_corpus "$source" 2 "$each" || exit 1
cluster_down "$source"
proxy_up "$target" "$h2" && proxy_up "$target" "$h1" --http1 || exit 1
cp "$h2/proxy.kubeconfig" "$h2/kubeconfig" && cp "$h1/proxy.kubeconfig" "$h1/kubeconfig" || exit 1
creates='(policies|services|routes)\?fieldManager'

# comes_whole NAME PROXY RULE...: by exit code 0, with at least one fault
comes_whole() {
	local name=$1 proxy=$2
	shift 2
	killed_fresh "$name"
	at=$(mark "$target")
	proxy_rules "$proxy" "$@"
	killed_run "$proxy" timeout "${RHAII_TEST_LIMIT:-100}" || { echo "exit code $?" && cat out err && return 1; }
	[ "$(proxy_hits "$proxy")" -gt 0 ] || { echo "no fault struck" && return 1; }
	is_whole "$name"
}

is_whole() { # name
	same "created" "$(jq -c '[.counts.created, .counts.failed, .counts.conflict, .counts.notRun]' out)" "[$killed_count,0,0,0]"
	created_once "$target" "$1" "$at"
	rm -rf state
	killed_run "$target" env
	same "what another restore finds" "$(jq -c '[.counts.skipped, .counts.created, .counts.conflict]' out)" "[$killed_count,0,0]"
}

# --- one fault of many ---------------------------------------------------------------------------------------------------------------

test_a_storm_of_429() { comes_whole busy "$h2" "1-30 POST $creates status 429 Retry-After=1" "/3 GET . status 429 Retry-After=1"; }
test_errors_of_the_server() { comes_whole broken "$h2" "/2 POST $creates status 503" "/3 POST $creates status 500" "/3 GET . status 503"; }

# Before the object was created, and behind it.
test_answers_that_are_lost() {
	comes_whole lost "$h2" "/6 POST $creates reset-after 0" "/7 POST $creates reset" "/5 POST $creates abort-after 50%" "/8 POST $creates truncate 50%" \
		"/9 POST $creates truncate 0" "/4 POST $creates drip 20% 10"
}

test_answers_that_are_lost_over_http1() { comes_whole lost1 "$h1" "/5 POST $creates reset-after 0" "/7 POST $creates reset" "/6 POST $creates truncate 50%"; }
test_connections_that_end() { comes_whole goaway "$h2" "/9 POST $creates goaway-now" "* POST $creates goaway"; }
test_latency() { comes_whole far "$h2" "* * . delay 20"; }

each_alone() {
	test_500_for_each_second() { comes_whole each1 "$h2" "/2 POST $creates status 500"; }
	test_503_for_each_second_over_http1() { comes_whole each2 "$h1" "/2 POST $creates status 503"; }
	test_a_server_with_little_room() { comes_whole each3 "$h2" "* POST $creates limit 4 20"; }
	test_resets_before_the_answer() { comes_whole each4 "$h2" "/7 POST $creates reset"; }
	test_resets_behind_the_create() { comes_whole each5 "$h2" "/7 POST $creates reset-after 0"; }
	test_streams_that_are_reset() { comes_whole each6 "$h2" "/4 POST $creates abort-after 50%"; }
	test_answers_that_are_cut_off() { comes_whole each7 "$h2" "/4 POST $creates truncate 50%"; }
	test_empty_answers() { comes_whole each8 "$h2" "/4 POST $creates truncate 0"; }
	test_answers_that_drip() { comes_whole each9 "$h2" "/3 POST $creates drip 20% 10"; }
	test_goaway_with_every_answer() { comes_whole each10 "$h2" "* POST $creates goaway"; }
	test_goaway_before_the_answer() { comes_whole each11 "$h2" "/9 POST $creates goaway-now"; }
	test_much_latency() { comes_whole each12 "$h2" "* * . delay 200"; }
}

# --- credentials ------------------------------------------------------------------------------------------------------------------------------

# token_of NAME: a kubeconfig of that account, through the proxy, in ./NAME/kubeconfig
token_of() {
	cluster_kubectl "$target" -n default create serviceaccount "$1"
	cluster_kubectl "$target" create clusterrolebinding "$1" --clusterrole=cluster-admin --serviceaccount="default:$1"
	mkdir "$1"
	proxy_token "$h2" "$(cluster_kubectl "$target" -n default create token "$1")" >"$1/kubeconfig"
}

test_one_401_is_asked_again() { comes_whole once "$h2" "9-12 POST $creates status 401"; }

# What was sent with it is known to the journal, and goes on with another one.
test_a_token_that_is_revoked_at_half_stops_the_restore_and_another_one_resumes_it() {
	killed_fresh revoked
	token_of gone
	token_of next
	at=$(mark "$target")
	proxy_rules "$h2" "20- POST $creates status 401"
	expect_run 1 gone
	has err "no longer accepts our credentials"
	has err "restore --resume"
	same "failed" "$(jq -c '[.counts.failed, .counts.created > 10, .counts.notRun > 10]' out)" "[0,true,true]"
	proxy_rules "$h2"
	resume=yes expect_run 0 next
	is_whole revoked
}

expect_run() { # code kubeconfig-dir
	local status=0
	killed_run "$2" env || status=$?
	cat err
	same "exit code" "$status" "$1"
}

# --- what never passes ------------------------------------------------------------------------------------------------------------------------

test_one_that_is_refused_for_ever_is_the_only_one_that_is_not_there() {
	killed_fresh one
	proxy_rules "$h2" "* POST namespaces/one-1/networkpolicies\\?fieldM status 403" "1 POST llminferenceservices\\?fieldM status 500"
	expect_run 3 "$h2"
	same "failed" "$(jq -c '[.counts.created, .counts.failed]' out)" "[$((killed_count - each)),$each]"
	jq -e '[.waves[].actions[] | select(.result == "failed")] | all(.kind == "NetworkPolicy" and (.error | contains("fault-proxy says 403")))' out
}

run_tests
[ "${RHAII_TEST_ROUGH:-}" != each ] || each_alone
run_tests
exit "$failed"
