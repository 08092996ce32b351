#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A restore that is killed, interrupted, or cut off from its server or its disk, and resumed; two at once; and the branch that the new cluster continues.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/crash/restore.sh
. "$root/tests/crash/restore.sh"

source=$work/source target=$work/target
: "${RHAII_TEST_RESTORE_POINTS:=20}" "${RHAII_TEST_RESTORE_EACH:=8}"
cluster_up plain-source "$source" && cluster_up plain-target "$target" && killed_corpus "$source" 3 "$RHAII_TEST_RESTORE_EACH" || exit 1

# slow N: run the program with N ms before each request that it sends
slow() {
	local ms=$1
	shift
	strace -f -qq -o slowed -e trace=sendto -e "inject=sendto:delay_enter=$((ms * 1000))" "$@"
}

# The program below a process: below strace, here.
program_of() { # pid
	local child
	for child in $(pgrep -P "$1"); do
		if [ "$(readlink "/proc/$child/exe")" = "$binary" ]; then
			echo "$child"
		else
			program_of "$child"
		fi
	done
}

# in_the_middle NAME COMMAND...: begin a restore that sends slowly ($pid), and run the command when a third is created; its exit code is in ./status then
in_the_middle() {
	killed_fresh "$1"
	shift
	at=$(mark "$target")
	killed_run "$target" slow 20 &
	pid=$!
	until [ "$(cat state/rhaii-dr/*/*.journal 2>/dev/null | grep -c '"end":')" -ge $((killed_count / 3)) ]; do
		kill -0 $pid 2>/dev/null || { echo "ended too early" && cat out err && return 1; }
		sleep 0.05
	done
	"$@"
	wait $pid && echo 0 >status || echo $? >status
}

interrupt() { # signal
	kill "-$1" "$(program_of "$pid")"
}

completes() { # name
	expect 0 resumed
	same "created" "$(jq -c '[.counts.created, .counts.failed, .counts.notRun]' out)" "[$killed_count,0,0]"
	created_once "$target" "$1" "$at"
}

# shellcheck disable=SC2120 # expect gives it arguments
resumed() {
	HOME=$work/home XDG_STATE_HOME=$PWD/state "$binary" --kubeconfig "$target/kubeconfig" restore --resume -o json "$@"
}

# --- the kill --------------------------------------------------------------------------------------------------------------------------

test_a_restore_that_is_killed_anywhere_is_resumed() {
	killed_learn "$target"
	killed_chosen "$RHAII_TEST_RESTORE_POINTS" | killed_each "$target"
}

# --- signals -----------------------------------------------------------------------------------------------------------------------------

test_ctrl_c_stops_and_resume_completes() {
	in_the_middle ctrlc interrupt INT
	same "exit code" "$(cat status)" 8
	has err 'go on with it: rhaii-dr restore --resume'
	jq -e '.outcome == ["interrupted"] and .counts.notRun > 0 and .counts.failed == 0' out
	# what was in flight was waited for
	same "created, by the report" "$(jq .counts.created out)" "$(requests "$target" "$at" | grep -cE '^create (namespaces|networkpolicies|httproutes|llminferenceservices) .* 201')"
	completes ctrlc
	jq -e '.resumed == 1 and .rto.interruptedMilliseconds >= 0' out
}

test_a_finished_restore_has_nothing_to_resume() {
	cd "$work/ctrlc"
	at=$(mark "$target")
	expect 0 resumed
	has err 'nothing to resume'
	jq -e '.exitCode == 0 and (.journal | startswith("/"))' out
	only_reads "$target" "$at"
	expect 0 resumed "$(find state -name '*.journal')"
	has err 'nothing to resume'
	expect 1 resumed nowhere.journal
}

test_sigterm_while_it_converges() {
	killed_fresh term
	at=$(mark "$target")
	HOME=$work/home XDG_STATE_HOME=$PWD/state "$binary" --kubeconfig "$target/kubeconfig" restore ./snapshot --yes --wait 10m --ignore controller,presets -o json >out 2>err &
	pid=$!
	until grep -q '"start":"converge"' state/rhaii-dr/*/*.journal 2>/dev/null; do sleep 0.1; done
	kill -TERM $pid
	code=0 && wait $pid || code=$?
	same "exit code" $code 8
	jq -e '.outcome == ["interrupted"] and (.phases[] | select(.name == "converge").milliseconds >= 0)' out
	# it waits again, as its journal says, until it is stopped again
	resumed >out 2>err &
	pid=$!
	until [ "$(grep -c '"start":"converge"' state/rhaii-dr/*/*.journal)" -eq 2 ]; do sleep 0.1; done
	interrupt INT
	code=0 && wait $pid || code=$?
	same "exit code" $code 8
	jq -e --argjson n "$killed_count" '.resumed == 1 and .counts.created == $n' out
	created_once "$target" term "$at"
}

# The server answers nobody, so that there is something to wait for.
twice() {
	cluster_tell "$target" pause kube-apiserver
	interrupt INT
	sleep 1
	[ -n "$(program_of "$pid")" ] || { echo "it did not wait" && return 1; }
	interrupt INT
}

test_a_second_signal_ends_it_at_once() {
	in_the_middle twice twice
	cluster_tell "$target" resume kube-apiserver
	same "exit code" "$(cat status)" 130
	completes twice
}

# --- the server ---------------------------------------------------------------------------------------------------------------------------

server_away() {
	cluster_tell "$target" kill kube-apiserver
	sleep "${RHAII_TEST_AWAY:-1}"
	cluster_tell "$target" start kube-apiserver
}

test_a_server_that_is_killed_and_comes_back_is_waited_for() {
	in_the_middle away server_away
	same "exit code" "$(cat status)" 0
	same "created" "$(jq -c '[.counts.created, .counts.failed, .counts.conflict]' out)" "[$killed_count,0,0]"
	created_once "$target" away "$at"
}

server_gone() {
	cluster_tell "$target" kill kube-apiserver
	sleep 0.5
	interrupt INT
}

test_a_server_that_is_gone_and_a_restore_that_is_stopped() {
	in_the_middle gone server_gone
	same "exit code" "$(cat status)" 8
	cluster_tell "$target" start kube-apiserver
	completes gone
}

# --- the disk -----------------------------------------------------------------------------------------------------------------------------

# sick NAME CALL FAULT: one such call on the journal fails, in the middle of a restore; `points` has them in their order
sick() {
	killed_fresh "$1"
	at=$(mark "$target")
	nth=$(awk -v "call=$2" '$1 == call && $3 == 3 { print $2; exit }' "$work/points")
	expect 1 killed_run "$target" strace -f -qq -o injured -e "trace=$2" -e "inject=$2:error=$3:when=$nth"
	cat err && grep -q INJECTED injured
	has err journal
	same "created, by the report" "$(jq .counts.created out)" "$(requests "$target" "$at" | grep -cE '^create (namespaces|networkpolicies|httproutes|llminferenceservices) .* 201')"
	jq -e '.counts.notRun > 0' out
	completes "$1"
}

test_a_disk_that_fails_stops_the_restore() {
	sick eio fsync EIO
}

test_a_full_disk_stops_the_restore() {
	sick full write ENOSPC
}

# --- two at once ----------------------------------------------------------------------------------------------------------------------------

second() {
	expect 10 dr "$target" restore ./snapshot --yes --wait 0
	cp err second.err
	expect 10 resumed
	cp err resumed.err
}

test_a_second_restore_is_turned_away() {
	in_the_middle second second
	same "exit code" "$(cat status)" 0
	grep -E 'another restore is running on the target: [0-9TZ]+-[0-9a-f]{12}/.+/[0-9]+, since 20..-..-..T..:..:..Z, which holds it until' second.err
	has resumed.err 'its restore is still running'
	same "created" "$(jq .counts.created out)" "$killed_count"
	same "holder afterwards" "$(cluster_kubectl "$target" -n default get lease rhaii-dr-restore -o 'jsonpath={.spec.holderIdentity}')" ""
}

test_a_killed_one_keeps_others_out_until_its_lease_expires() {
	in_the_middle killed interrupt KILL
	expect 10 dr "$target" restore ./snapshot --yes --wait 0
	cluster_kubectl "$target" -n default patch lease rhaii-dr-restore --type=merge -p '{"spec":{"renewTime":"2020-01-01T00:00:00.000000Z"}}'
	expect 0 dr "$target" restore ./snapshot --yes --wait 0 -o json
	jq -e '.counts.skipped > 0 and .counts.created > 0' out
	# the journal of the killed one goes on, and finds that the rest is there
	expect 0 resumed
	jq -e '.counts.failed == 0 and .counts.notRun == 0' out
}

test_without_the_right_to_leases_it_goes_on_with_a_warning() {
	killed_fresh rights
	cluster_kubectl "$target" create clusterrolebinding rights --clusterrole=dr-restore --group=dr-operators >/dev/null
	offline rbac --for restore -o json 2>granting | jq '.items[0] | .metadata.name = "dr-restore"' | cluster_kubectl "$target" apply -f - >/dev/null
	HOME=$work/home XDG_STATE_HOME=$PWD/state expect 0 "$binary" --kubeconfig "$target/token.kubeconfig" restore ./snapshot --yes --wait 0 -o json
	has err 'nothing keeps a second restore out meanwhile'
	same "created" "$(jq .counts.created out)" "$killed_count"
}

# --- what is refused ---------------------------------------------------------------------------------------------------------------------------

test_what_is_resumed_must_be_what_was_begun() {
	in_the_middle other interrupt KILL
	journal=$(find "$PWD/state" -name '*.journal')
	same "mode" "$(stat -c %a "$journal") $(stat -c %a "$(dirname "$journal")")" "600 700"
	has_not "$journal" 'podSelector'
	expect 2 resumed --wait 5m
	has err "--resume takes '--wait' from the journal"
	expect 7 dr "$source" restore --resume "$journal"
	has err 'is another cluster'
	cp -a snapshot kept
	sed -i 's/podSelector: {}/podSelector: {matchLabels: {a: b}}/' snapshot/objects/namespaces/other-1/networkpolicies*/policy-1.yaml
	expect 6 resumed
	has err 'its files differ'
	rm -rf snapshot && mv kept snapshot
	cp "$journal" whole
	sed -i '5s/create/merges/' "$journal"
	expect 6 resumed "$journal"
	has err 'line 5 does not match its checksum'
	cp whole "$journal"
	printf '0123' >>"$journal"
	completes other
}

# --- the branch goes on --------------------------------------------------------------------------------------------------------------------------

test_a_verified_restore_makes_the_target_the_successor() {
	mkdir "$work/succession" && cd "$work/succession"
	cluster_kubectl "$source" create namespace small >/dev/null
	cluster_kubectl "$source" -n small create configmap unused >/dev/null
	echo '{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"only","namespace":"small"},"spec":{"podSelector":{}}}' |
		cluster_kubectl "$source" create -f - >/dev/null
	expect 0 dr "$source" snapshot -n small --cluster small --repo backup
	expect 0 dr "$target" restore clusters/small --repo backup --yes --wait 0
	! git -C backup rev-parse -q --verify refs/rhaii-dr/succession/small || return 1 # not probed
	expect 0 dr "$target" restore clusters/small --repo backup --yes --wait 1m -o json
	jq -e '.succession.recorded and .succession.cluster == "small"' out
	git -C backup cat-file tag refs/rhaii-dr/succession/small >tag
	for line in "From-Cluster: $(jq -r .snapshot.clusterId out)" "To-Cluster: $(jq -r .target.id out)" "Snapshot: $(git -C backup rev-parse clusters/small)"; do
		has tag "$line"
	done
	git -C backup fsck --strict --full
}

test_the_successors_snapshot_continues_the_branch() {
	cd "$work/succession"
	before=$(git -C backup rev-parse clusters/small)
	expect 0 dr "$target" snapshot -n small --cluster small --repo backup
	same "parent" "$(git -C backup rev-parse clusters/small^)" "$before"
	same "objects" "$(git -C backup rev-parse clusters/small:objects)" "$(git -C backup rev-parse "$before:objects")"
}

test_another_cluster_is_still_refused() {
	cd "$work/succession"
	expect 9 dr "$source" snapshot -n small --cluster small --repo backup
	has err 'another cluster'
}

test_from_an_archive_or_a_read_only_repository_the_way_on_is_told() {
	cd "$work/succession"
	git clone -q -b clusters/small backup folder
	expect 0 dr "$source" restore ./folder --yes --wait 1m -o json
	jq -e '.succession.recorded == false' out
	has err 'rhaii-dr accept ID'
}

run_tests
[ "$RHAII_TEST_RESTORE_POINTS" -le 20 ] || sed 's/^/  /' "$work/summary"
exit "$failed"
