#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A plan as a file: executed exactly, or refused where target or snapshot are not what they were; and what the server says to a dry run of it.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/crash/restore.sh
. "$root/tests/crash/restore.sh"

source=$work/source target=$work/target
cluster_up plain-source "$source" && cluster_up plain-target "$target" && killed_corpus "$source" 1 3 || exit 1

# planned NAME ARGS...: ./snapshot with namespaces of that name, in a directory of its own, and the ./plan.json of it
planned() {
	killed_fresh "$1" && shift
	expect 0 dr "$target" plan ./snapshot --wait 0 -o json "$@"
	cp out plan.json
	at=$(mark "$target")
}

executed() {
	HOME=$work/home XDG_STATE_HOME=$PWD/state "$binary" --kubeconfig "$target/kubeconfig" restore --plan plan.json --yes -o json "$@"
}

# stale TEXT: the plan is refused for these objects, and nothing was written
stale() {
	expect 7 executed
	same "what is stale" "$(jq -r '.stale[] | "\(.object) \(.text)"' out)" "$1"
	only_reads "$target" "$at"
}

test_a_plan_is_executed_exactly() {
	planned exact
	jq -e 'any(.environment[]; .path == "spec.model.uri" and (.object | startswith("LLMInferenceService exact-1/")))' plan.json # bound to its surroundings
	expect 0 executed
	same "created" "$(jq -c '[.counts.created, .counts.failed]' out)" "[$killed_count,0]"
	created_once "$target" exact "$at"
	same "the plan of the journal" "$(sed -n 1p state/rhaii-dr/*/*.journal | cut -d' ' -f2- | jq -r .plan)" "$(jq -r .execute.plan plan.json)"
}

test_a_plan_from_standard_input_with_a_snapshot_that_has_moved() {
	planned moved
	mv snapshot elsewhere
	HOME=$work/home XDG_STATE_HOME=$PWD/state expect 1 "$binary" --kubeconfig "$target/kubeconfig" restore --plan plan.json --yes
	"$binary" --kubeconfig "$target/kubeconfig" restore --plan - ./elsewhere --yes -o json <plan.json >out
	same "created" "$(jq .counts.created out)" "$killed_count"
}

test_an_executed_plan_is_resumed() {
	planned resumed
	HOME=$work/home XDG_STATE_HOME=$PWD/state strace -f -qq -o injured -e trace=sendto -e inject=sendto:signal=KILL:when=60 \
		"$binary" --kubeconfig "$target/kubeconfig" restore --plan plan.json --yes >out 2>err || true
	# what was not begun yet is not what the plan rests on any more
	[ -n "$(find state -name '*.journal')" ] || { echo "killed too early" && return 1; }
	HOME=$work/home XDG_STATE_HOME=$PWD/state expect 0 "$binary" --kubeconfig "$target/kubeconfig" restore --resume -o json
	same "exact" "$(sed -n 1p state/rhaii-dr/*/*.journal | cut -d' ' -f2- | jq .exact)" true
	created_once "$target" resumed "$at"
}

test_a_target_that_has_moved_is_refused() {
	planned stale
	cluster_kubectl "$target" create namespace stale-1
	stale 'Namespace stale-1 was not there, and is there now'
}

test_an_object_that_was_changed_is_refused() {
	killed_fresh changed
	HOME=$work/home XDG_STATE_HOME=$PWD/state "$binary" --kubeconfig "$target/kubeconfig" restore ./snapshot --yes --wait 0 >/dev/null
	expect 0 dr "$target" plan ./snapshot --wait 0 -o json
	cp out plan.json
	cluster_kubectl "$target" -n changed-1 patch httproute route-2 --type=merge -p '{"spec":{"hostnames":["b.example"]}}'
	cluster_kubectl "$target" -n changed-1 delete networkpolicy policy-3
	at=$(mark "$target")
	stale 'NetworkPolicy changed-1/policy-3 was there, and is gone
HTTPRoute changed-1/route-2 has changed'
}

test_a_snapshot_that_is_another_is_refused() {
	planned another
	sed -i 's/a.example/c.example/' snapshot/objects/namespaces/another-1/httproutes*/route-1.yaml
	expect 6 executed
	has err 'its files differ'
	only_reads "$target" "$at" || same "requests" "$(wc -l <asked)" 0
}

test_what_differs_names_who_set_it_and_what_can_never_change() {
	cd "$work/changed"
	cluster_kubectl "$target" -n changed-1 patch llminferenceservice service-1 --type=merge -p '{"spec":{"parallelism":{"data":2,"dataLocal":1}}}'
	expect 0 dr "$target" plan ./snapshot --wait 0
	has out 'spec.parallelism: {"data":2,"dataLocal":1} on the target, (none) in the snapshot; immutable; set by kubectl-patch, '
	has out 'spec.hostnames[0]: "b.example" on the target, "a.example" in the snapshot; set by kubectl-patch, '
}

# test_a_plan_is_executed_exactly has measured it
test_the_estimate_is_from_the_restores_before() {
	killed_fresh estimated
	XDG_STATE_HOME=$work/exact/state expect 0 dr "$target" plan ./snapshot --wait 0
	has out 'for the apply, as 10 creates of earlier restores onto this target took'
}

test_a_dry_run_says_what_the_server_would_default_and_drop() {
	killed_fresh dry
	expect 0 dr "$target" plan ./snapshot --wait 0 --server-dry-run -o json
	same "not tried" "$(jq -c '[.serverDryRun.asked, .serverDryRun.notTried]' out)" "[1,9]"
	jq -e '.serverDryRun.objects | all(.text == "its namespace is not there yet" or .object == "Namespace dry-1")' out
	cluster_kubectl "$target" create namespace dry-1
	printf '  notAField: 1\n' >>snapshot/objects/namespaces/dry-1/llminferenceservices*/service-2.yaml
	sed -i '/^  rules:/,$d' snapshot/objects/namespaces/dry-1/httproutes*/route-1.yaml
	at=$(mark "$target")
	expect 0 dr "$target" plan ./snapshot --wait 0 --server-dry-run --ignore fields -o json
	only_reads "$target" "$at"
	jq -e '.serverDryRun.objects[] | select(.object == "LLMInferenceService dry-1/service-2") | .result == "refused" and any(.fields[]; .what == "drop" and .path == "spec.notAField")' out
	jq -e '.serverDryRun.objects[] | select(.object == "HTTPRoute dry-1/route-1") | .result == "accepted" and any(.fields[]; .what == "default" and .path == "spec.rules")' out
	expect 0 dr "$target" plan ./snapshot --wait 0 --server-dry-run --ignore fields
	has out 'drop spec.notAField: 1 sent, (none) stored'
}

run_tests
exit "$failed"
