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

run_tests
exit "$failed"
