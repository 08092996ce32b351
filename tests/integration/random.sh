#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Random objects of every kind of the policy on real API servers: what a snapshot of them restores is the same there, as a tree and as the servers tell it; and
# the order in which they were created never shows.
#
# RANDOM_OBJECTS=N (250), RANDOM_SEED=N; RANDOM_ROLE= takes clusters with the real KServe, whose webhooks and controller have a say.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

count=${RANDOM_OBJECTS:-250} seed=${RANDOM_SEED:-20261124} role=${RANDOM_ROLE-plain-}
source=$work/source target=$work/target again=$work/again
echo "seed $seed, $count objects"
cluster_up "${role}source" "$source" --no-gateway && cluster_up "${role}target" "$target" --no-gateway || exit 1

random() { # cluster-dir option...
	"$cluster_here/rhaii-cluster" random --kubeconfig "$1/kubeconfig" "${@:2}"
}

# captures CLUSTER-DIR NAME
captures() {
	[ -n "$role" ] || settled "$1"
	expect 0 dr "$1" snapshot --cluster "$2" --repo backup
}

# told CLUSTER-DIR [others]: the objects that a snapshot must hold, or the others, as the API server tells them
told() {
	cluster_kubectl "$1" get -A -o json "$(paste -sd, kinds)" | python3 "$root/tests/fidelity/told.py" "$work/objects" "${@:2}"
}

same_objects() { # revision revision
	git -C backup diff --no-renames "$1:objects" "$2:objects" >changed
	head -c 20000 changed
	[ ! -s changed ]
}

test_the_cluster_is_full_of_random_objects() {
	random "$source" --seed "$seed" --count "$count" >objects
	random "$target" --count 0
	# as kubectl takes them: Kind.version.group
	jq -r '.object | .kind + if .apiVersion | contains("/") then "." + (.apiVersion | split("/") | .[1] + "." + .[0]) else "" end' objects |
		LC_ALL=C sort | uniq -c | tee counts
	awk '{ print $2 }' counts >kinds
	[ "$(wc -l <kinds)" -ge 26 ] # of 28; of each there was one at least, which the server may have refused again and again
	[ "$(wc -l <objects)" -gt $((count * 8 / 10)) ]
}

test_a_restore_brings_every_one_of_them() {
	captures "$source" one
	expect 0 dr "$target" restore one --repo backup --cluster one --yes --wait 0 -o json
	jq -e '.counts.conflict == 0 and .counts.failed == 0 and .counts.notRun == 0' out
	told "$source" >source.told
	told "$target" >target.told
	wc -l source.told
	diff source.told target.told | cut -c1-2000
	same "restored though nothing needs them" "$(told "$target" others)" ""
}

test_its_snapshot_is_the_snapshot() {
	captures "$target" two
	same_objects clusters/one clusters/two
}

run_tests
cluster_down "$source"
cluster_up "${role}source" "$again" --no-gateway || exit 1

test_the_order_of_creation_does_not_show() {
	random "$again" --from objects --seed "$seed"
	captures "$again" three
	same_objects clusters/one clusters/three
}

run_tests
exit "$failed"
