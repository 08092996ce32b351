#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# make bench: how long snapshot and restore take, held against the same requests sent by plain libcurl, and against kubectl. How
# to read the figures: docs/PERFORMANCE.md. All parts run in turn, round by round, against real API servers on loopback.
#
#   BENCH_OBJECTS=10000           objects of the snapshots, and of the large restore    BENCH_RUNS=5          rounds
#   BENCH_RESTORE_OBJECTS=1000    objects of the other restores                         BENCH_KUBECTL_RUNS=3  rounds in which kubectl takes part
#   BENCH_PARTS="snapshot restore latency throttle large"
#
# snapshot, restore: straight to the API server. latency: restore, each answer 20 ms later. throttle: restore, by a server that takes only some requests at
# a time and answers 429 to the others, held against each fixed number in flight. large: restore of BENCH_OBJECTS.
#
# The table is printed and kept as $BUILD/bench/DATE.txt (BUILD=build), the single runs beside it as DATE.tsv.
set -euo pipefail
umask 077
cd "$(dirname "$0")/../.."
# shellcheck source=tests/cluster/lib.sh
. tests/cluster/lib.sh
# shellcheck source=tests/cluster/proxy.sh
. tests/cluster/proxy.sh

BUILD=${BUILD:-build}
objects=${BENCH_OBJECTS:-10000} restore_objects=${BENCH_RESTORE_OBJECTS:-1000}
runs=${BENCH_RUNS:-5} kubectl_runs=${BENCH_KUBECTL_RUNS:-3}
parts=${BENCH_PARTS:-snapshot restore latency throttle large}
rhaii=$(realpath "${RHAII_DR:-$BUILD/rhaii-dr}")
limit=900  # seconds that one run may take
changed=10 # objects
latency="* * . delay 20"
throttle="* POST fieldManager= limit 16 80" # of the creates; an answer takes 80 ms, so that the server is not what limits
fixed_in_flight="1 2 4 8 16 32 64"        # held against it

out=$PWD/$BUILD/bench bin=$PWD/$BUILD/bench/bin
mkdir -p "$bin"
work=$(mktemp -d "$out/work.XXXXXX")
[ -x "$rhaii" ] || { echo "bench: no program '$rhaii'; run make" >&2 && exit 1; }
results=$work/results.tsv
lists=(/apis/serving.kserve.io/v1alpha2/llminferenceservices /apis/gateway.networking.k8s.io/v1/httproutes /apis/networking.k8s.io/v1/networkpolicies)
kubectl_kinds=llminferenceservices.serving.kserve.io,httproutes.gateway.networking.k8s.io,networkpolicies.networking.k8s.io
declare -A agents=([raw]=rhaii-bench-raw/ [rhaii]=rhaii-dr/ [kubectl]=kubectl/)

say() { printf 'bench: %s\n' "$*" >&2; }
fail() { say "$*" && exit 1; }

cleanup() {
	trap - EXIT INT TERM HUP
	local dir
	for dir in "${!proxy_pid[@]}"; do
		proxy_down "$dir"
	done
	for dir in "${!cluster_pid[@]}"; do
		cluster_down "$dir"
	done
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# --- the programs -------------------------------------------------------------------------------------------------------------------

compile() { # program, more sources, libraries
	local program=$1 flags
	shift
	flags=$(pkg-config --cflags --libs libcurl)
	# shellcheck disable=SC2086
	"${CC:-gcc}" -std=c17 -O2 -D_GNU_SOURCE -Wall -Wextra -Wpedantic -o "$bin/$program" "tests/bench/$program.c" "$@" $flags
}

build_programs() {
	compile bodies
	compile measure
	compile raw_list tests/bench/connection.c
	compile raw_post tests/bench/connection.c
	kubectl=$(tests/cluster/build.sh kubectl)
	# A copy: a build that ends meanwhile does not change what is measured.
	cp "$rhaii" "$bin/rhaii-dr"
	rhaii=$bin/rhaii-dr
}

# --- clusters -----------------------------------------------------------------------------------------------------------------------

field_of() { # kubeconfig field
	awk -v field="$2:" '$1 == field { print $2 }' "$1"
}

# The API server makes the handler of a custom resource at the first request for it, which takes longer than many objects do. That
# is not what is measured: the first requests are creates in dry run and lists, before anything counts.
warm_up() { # dir
	"$bin/bodies" 10 1 | sed '/^\/api\/v1\/namespaces\t/d; s/bench-0000/default/g' >"$work/bodies"
	"$bin/raw_post" "$1/connection" rhaii-bench-warm/1 "dryRun=All&fieldValidation=Strict" "$work/bodies" 32 >/dev/null
	"$bin/raw_list" "$1/connection" 500 "${lists[@]}" >"$work/warm"
}

# A directory of a connection as raw_list and raw_post want it, from a kubeconfig that has all in itself.
make_connection() { # kubeconfig directory
	mkdir -p "$2"
	field_of "$1" server >"$2/server"
	field_of "$1" certificate-authority-data | base64 -d >"$2/ca.crt"
	field_of "$1" client-certificate-data | base64 -d >"$2/client.crt"
	field_of "$1" client-key-data | base64 -d >"$2/client.key"
}

# A cluster, ready to be measured: warm and quiet.
start_cluster() { # role dir
	cluster_up "$1" "$2"
	make_connection "$2/kubeconfig" "$2/connection"
	warm_up "$2"
	settle "$2"
}

# The way to it through a proxy with this fault: $dir/proxy.kubeconfig and $dir/proxy.connection. kubectl asks for a password where no user has a credential.
start_proxy() { # dir fault
	local proxy=$1/proxy
	proxy_up "$1" "$proxy"
	proxy_rules "$proxy" "$2"
	sed "s|user: {}|user: {client-certificate: $proxy/client.crt, client-key: $proxy/client.key}|" "$proxy/proxy.kubeconfig" >"$1/proxy.kubeconfig"
	cp -r "$1/connection" "$1/proxy.connection"
	sed -n 's/.*server: "\([^"]*\)".*/\1/p' "$proxy/proxy.kubeconfig" >"$1/proxy.connection/server"
	cp "$proxy/proxy.crt" "$1/proxy.connection/ca.crt"
}

end_cluster() { # dir
	proxy_down "$1/proxy"
	cluster_down "$1"
	rm -rf "$1"
}

ticks_of() { # dir: CPU time of the API server in 1/100 s
	awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/$(cat "$1/pid/kube-apiserver")/stat"
}

settle() { # dir: until the API server takes less than 15 % of a core, at most 20 s
	local before now
	now=$(ticks_of "$1")
	for _ in $(seq 20); do
		before=$now
		sleep 1
		now=$(ticks_of "$1")
		[ $((now - before)) -ge 15 ] || return 0
	done
	say "the API server did not become quiet within 20 s"
}

load() { # dir count
	local started=$SECONDS
	"$bin/bodies" "$2" $((($2 + 49) / 50)) >"$work/bodies"
	"$bin/raw_post" "$1/connection" rhaii-bench-load/1 "fieldManager=argocd-controller&fieldValidation=Strict" "$work/bodies" 32 >/dev/null
	say "loaded $2 objects in $((SECONDS - started)) s"
	expect_objects "$1" "$2"
	settle "$1"
}

expect_objects() { # dir count: fails unless the three kinds have so many objects together
	local path n sum=0
	for path in "${lists[@]}"; do
		n=$("$kubectl" --kubeconfig "$1/kubeconfig" get --raw "$path?limit=1" | jq '(.items | length) + (.metadata.remainingItemCount // 0)')
		sum=$((sum + n))
	done
	[ "$sum" -eq "$2" ] || fail "there are $sum objects where $2 should be"
}

# --- measuring ----------------------------------------------------------------------------------------------------------------------

requests_since() { # dir offset agent: answered requests in what the audit log got since, and those of them that asked for a page
	tail -c "+$(($2 + 1))" "$1/audit.log" | grep -F '"stage":"ResponseComplete"' | grep -F "\"userAgent\":\"$3" |
		awk '/"requestURI":"[^"]*[?&]limit=/ { pages++ } END { printf "%d\t%d", NR, pages }'
}

# The API server is in Go: after each 0.7 GB that it has handed out (two or three snapshots of 10,000 objects) it marks all of its
# heap, 1.2 s of CPU beside whatever it is asked just then. In rounds of a fixed order that was always the same command, and said
# nothing of it; so each one, raw list and raw POST included, begins behind a collection.
collect_garbage() { # dir
	"$kubectl" --kubeconfig "$1/kubeconfig" get --raw '/debug/pprof/heap?gc=1' >/dev/null
}

# Run a command and keep its figures: table, round, name, wall, user, sys, peak, status, requests, pages, CPU of the API server. The
# sleep lets the last lines of the audit log be written.
timed() { # table round name dir agent command...
	local table=$1 round=$2 name=$3 dir=$4 agent=$5 offset ticks status=0
	shift 5
	collect_garbage "$dir"
	offset=$(stat -c %s "$dir/audit.log")
	ticks=$(ticks_of "$dir")
	XDG_CONFIG_HOME=$work/none XDG_STATE_HOME=$work/state KUBERC=off "$bin/measure" $limit "$work/times" "$@" >"$work/stdout" 2>"$work/stderr" </dev/null || status=$?
	ticks=$(($(ticks_of "$dir") - ticks))
	sleep 0.3
	printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$table" "$round" "$name" "$(cat "$work/times")" \
		"$(requests_since "$dir" "$offset" "${agents[$agent]}")" $((ticks * 10)) >>"$results"
	if [ $status -ne 0 ]; then
		say "$name: exit status $status"
		tail -n 5 "$work/stderr" | cut -c1-400 >&2
	fi
}

load_average() { cut -d' ' -f1-3 /proc/loadavg; }

# --- snapshot -----------------------------------------------------------------------------------------------------------------------

snapshot() { # round name policy dir repository
	timed snapshot "$1" "$2" "$4" rhaii "$rhaii" --kubeconfig "$4/kubeconfig" snapshot --cluster bench --policy "$3" --repo "$5" --archive-dir "$5.archives"
}

# Another label for the first ten NetworkPolicies of the first namespace.
change_objects() { # dir round
	local names
	names=$("$kubectl" --kubeconfig "$1/kubeconfig" -n bench-0000 get networkpolicies -o name | sed -n "1,${changed}p")
	# shellcheck disable=SC2086
	"$kubectl" --kubeconfig "$1/kubeconfig" -n bench-0000 label --overwrite $names "bench-round=$2" >/dev/null
	settle "$1"
}

# A snapshot that holds too little, or more or fewer commits than states, would be no figure.
check_snapshots() { # repository commits
	local got
	got=$(git -C "$1" ls-tree -r --name-only refs/heads/clusters/bench objects/namespaces/ | grep -cE '/(llminferenceservices|httproutes|networkpolicies)[^/]*/' || true)
	[ "$got" -eq "$objects" ] || fail "the snapshot holds $got objects where $objects should be"
	got=$(git -C "$1" rev-list --count refs/heads/clusters/bench)
	[ "$got" -eq "$2" ] || fail "there are $got commits where $2 should be"
}

check_changes() { # repository
	local got
	got=$(git -C "$1" diff --name-only refs/heads/clusters/bench~ refs/heads/clusters/bench -- objects/ | wc -l)
	[ "$got" -eq "$changed" ] || fail "the snapshot shows $got changes where $changed should be"
}

snapshot_round() { # round dir
	local round=$1 dir=$2 policy
	timed snapshot "$round" "raw list" "$dir" raw "$bin/raw_list" "$dir/connection" 500 "${lists[@]}"
	for policy in core rhaii; do
		snapshot "$round" "first snapshot, policy $policy" $policy "$dir" "$work/$policy"
	done
	for policy in core rhaii; do
		snapshot "$round" "unchanged, policy $policy" $policy "$dir" "$work/$policy"
		check_snapshots "$work/$policy" 1
	done
	change_objects "$dir" "$round"
	for policy in core rhaii; do
		snapshot "$round" "$changed changed, policy $policy" $policy "$dir" "$work/$policy"
		check_snapshots "$work/$policy" 2
		check_changes "$work/$policy"
		rm -rf "${work:?}/$policy" "$work/$policy.archives"
	done
	[ "$round" -gt "$kubectl_runs" ] || timed snapshot "$round" "kubectl get -o yaml" "$dir" kubectl \
		"$kubectl" --cache-dir "$work/cache" --kubeconfig "$dir/kubeconfig" get "$kubectl_kinds" -A -o yaml
}

bench_snapshot() {
	local dir=$work/source round
	start_cluster plain-source "$dir"
	load "$dir" "$objects"
	"$bin/raw_list" "$dir/connection" 500 "${lists[@]}" >"$work/warm"
	bytes=$(awk '{ sum += $(NF - 1) } END { printf "%.1f", sum / 1e6 }' "$work/warm")
	for round in $(seq "$runs"); do
		say "snapshot, round $round of $runs, load average $(load_average)"
		loads+=" $(cut -d' ' -f1 /proc/loadavg)"
		snapshot_round "$round" "$dir"
	done
	end_cluster "$dir"
}

# --- restore ------------------------------------------------------------------------------------------------------------------------

# A snapshot of so many objects ($input.repo), and the same as bodies ($input.lines) and as one List for kubectl ($input.list).
make_input() { # objects
	local dir=$work/small
	count=$1 input=$work/input$1
	[ ! -e "$input.list" ] || return 0
	start_cluster plain-source "$dir"
	load "$dir" "$count"
	"$rhaii" -q --kubeconfig "$dir/kubeconfig" snapshot --cluster bench --repo "$input.repo" >/dev/null
	end_cluster "$dir"
	mkdir "$input.tree"
	git -C "$input.repo" archive refs/heads/clusters/bench objects | tar -x -C "$input.tree"
	python3 tests/bench/lines.py "$input.tree/objects" >"$input.lines"
	sed '/^$/d' "$input.lines" | cut -f2 | jq -cs '{apiVersion: "v1", kind: "List", items: .}' >"$input.list"
}

# One command onto a fresh cluster, through a proxy if there is a fault. In it CONFIG stands for the kubeconfig, CONNECTION for the directory of a connection.
on_target() { # table round name fault agent command...
	local dir=$work/target table=$1 round=$2 name=$3 fault=$4 agent=$5 way=$work/target/
	shift 5
	start_cluster plain-target "$dir"
	[ -z "$fault" ] || start_proxy "$dir" "$fault"
	[ -z "$fault" ] || way=$dir/proxy.
	set -- "${@//CONFIG/${way}kubeconfig}"
	timed "$table" "$round" "$name" "$dir" "$agent" "${@//CONNECTION/${way}connection}"
	[ "$(cut -f5 "$work/times")" -ne 0 ] || expect_objects "$dir" "$count"
	end_cluster "$dir"
}

by_raw() { # table round fault in-flight
	on_target "$1" "$2" "raw POST, $4 in flight" "$3" raw "$bin/raw_post" CONNECTION rhaii-bench-raw/1 "fieldManager=rhaii-dr&fieldValidation=Strict" "$input.lines" "$4"
}

by_rhaii() { # table round fault
	on_target "$1" "$2" "restore --yes --wait 0" "$3" rhaii "$rhaii" --kubeconfig CONFIG restore clusters/bench --repo "$input.repo" --yes --wait 0
}

by_kubectl() { # table round fault
	local apply=("$kubectl" --cache-dir "$work/cache" --kubeconfig CONFIG apply -f "$input.list")
	[ "$2" -le "$kubectl_runs" ] || return 0
	rm -rf "$work/cache"
	on_target "$1" "$2" "kubectl apply --server-side" "$3" kubectl "${apply[@]}" --server-side
	rm -rf "$work/cache"
	on_target "$1" "$2" "kubectl apply" "$3" kubectl "${apply[@]}"
}

restore_round() { # round
	by_raw restore "$1" "" 32
	by_rhaii restore "$1" ""
	by_kubectl restore "$1" ""
}

latency_round() { # round
	by_raw latency "$1" "$latency" 32
	by_rhaii latency "$1" "$latency"
	by_kubectl latency "$1" "$latency"
}

throttle_round() { # round
	local in_flight
	for in_flight in $fixed_in_flight; do
		by_raw throttle "$1" "$throttle" "$in_flight"
	done
	by_rhaii throttle "$1" "$throttle"
}

large_round() { # round
	by_raw large "$1" "" 32
	by_rhaii large "$1" ""
}

bench_restore() { # table objects rounds
	local round
	make_input "$2"
	for round in $(seq "$3"); do
		say "$1, round $round of $3, load average $(load_average)"
		loads+=" $(cut -d' ' -f1 /proc/loadavg)"
		"$1_round" "$round"
	done
}

# --- the report ---------------------------------------------------------------------------------------------------------------------

machine() {
	local system
	system=$(sed -n 's/^PRETTY_NAME="\(.*\)"/\1/p' /etc/os-release 2>/dev/null || uname -s)
	printf '%s cores shared by client, API server and etcd; %s GB of memory; %s\n' "$(nproc)" "$(awk '/MemTotal/ { printf "%.0f", $2 / 1e6 }' /proc/meminfo)" "$system"
}

report() { # date
	printf 'rhaii-dr bench, %s\n' "$1"
	printf 'machine: %s\n' "$(machine)"
	printf 'program: %s; API server: %s\n' "$("$rhaii" --version)" "$("$kubectl" version --client -o json | jq -r .clientVersion.gitVersion)"
	printf 'load average at the start of each round (1 min):%s\n' "$loads"
	printf 'The machine is noisy: read ratios, each taken inside its round, not times.\n'
	title snapshot "snapshot of $objects objects in $(((objects + 49) / 50)) namespaces, $bytes MB of lists"
	title restore "restore of $restore_objects objects in $(((restore_objects + 49) / 50)) namespaces onto a fresh cluster"
	title latency "the same restore, rule '$latency'"
	title throttle "the same restore, rule '$throttle'"
	title large "restore of $objects objects in $(((objects + 49) / 50)) namespaces onto a fresh cluster"
}

title() { # table words
	grep -q "^$1" "$results" || return 0
	printf '\n%s\n' "$2"
	awk -v table="$1" -f tests/bench/table.awk "$results"
}

loads="" bytes=0
date=$(date -u +%Y%m%dT%H%M%SZ)
: >"$results"
build_programs
[[ $parts != *snapshot* ]] || bench_snapshot
[[ $parts != *restore* ]] || bench_restore restore "$restore_objects" "$runs"
[[ $parts != *latency* ]] || bench_restore latency "$restore_objects" "$kubectl_runs"
[[ $parts != *throttle* ]] || bench_restore throttle "$restore_objects" "$kubectl_runs"
[[ $parts != *large* ]] || bench_restore large "$objects" "$kubectl_runs"
report "$date" | tee "$out/$date.txt"
cp "$results" "$out/$date.tsv"
# A run that failed is marked in the table, and is no figure.
awk -F'\t' '$8 != 0 { bad = 1 } END { exit bad }' "$results"
