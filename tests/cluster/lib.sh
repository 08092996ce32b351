# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# lib.sh - test clusters for integration tests in bash. Source it, then:
#
#   cluster_up source "$dir/source" [OPTION...]   start a cluster (OPTIONs of "rhaii-cluster up"), wait until it is ready
#   cluster_load "$dir/source" [OPTION...]        create the input of the tests on it (OPTIONs of "rhaii-cluster load")
#   cluster_tell "$dir/source" stop llmisvc       give it an order (list: control.go), wait until it is carried out
#   cluster_kubectl "$dir/source" get llmisvc -A
#   cluster_down "$dir/source"                    stop it
#   free_port                                     print a free TCP port
#   cluster_canary                                print the value that is in every Secret of the input and must never leave
#
# A cluster's kubeconfig is DIR/kubeconfig. Clusters die with the shell that started them, whatever it dies of; for that reason
# cluster_up must not be called in a subshell or in $( ).

cluster_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
declare -A cluster_pid=() cluster_fd=()

free_port() {
	"$cluster_here/rhaii-cluster" free-port
}

cluster_canary() {
	cat "$cluster_here/input/canary"
}

# The orders go through a fifo that this shell holds open: its end, too, is the end of the cluster.
cluster_up() {
	local role=$1 dir=$2 fd held
	shift 2
	if [ -n "${cluster_pid[$dir]:-}" ]; then
		if kill -0 "${cluster_pid[$dir]}" 2>/dev/null; then
			echo "a cluster is running in '$dir'" >&2
			return 1
		fi
		cluster_down "$dir"
	fi
	"$cluster_here/rhaii-cluster" prepare "$role" >/dev/null || return
	mkdir -p "$dir" || return
	rm -f "$dir/orders" "$dir/answers" "$dir/harness.log"
	mkfifo -m 0600 "$dir/orders" || return
	: >"$dir/answers"
	exec {fd}<>"$dir/orders"
	(
		for held in "$fd" "${cluster_fd[@]}"; do
			exec {held}>&-
		done
		exec "$cluster_here/rhaii-cluster" up --role "$role" --dir "$dir" "$@" <"$dir/orders" >"$dir/answers" 2>"$dir/harness.log"
	) &
	cluster_pid[$dir]=$!
	cluster_fd[$dir]=$fd
	until grep -q '^ready ' "$dir/answers"; do
		if ! kill -0 "${cluster_pid[$dir]}" 2>/dev/null; then
			wait "${cluster_pid[$dir]}"
			exec {fd}>&-
			unset "cluster_pid[$dir]" "cluster_fd[$dir]"
			echo "cluster '$role' did not start:" >&2
			cat "$dir/harness.log" >&2
			return 1
		fi
		sleep 0.05
	done
}

cluster_load() {
	local dir=$1
	shift
	"$cluster_here/rhaii-cluster" load --kubeconfig "$dir/kubeconfig" "$@"
}

cluster_tell() {
	local dir=$1 before answer
	shift
	before=$(wc -l <"$dir/answers")
	echo "$*" >&"${cluster_fd[$dir]}"
	while [ "$(wc -l <"$dir/answers")" -le "$before" ]; do
		if ! kill -0 "${cluster_pid[$dir]}" 2>/dev/null; then
			echo "the cluster ended before '$*'" >&2
			return 1
		fi
		sleep 0.02
	done
	answer=$(tail -n 1 "$dir/answers")
	case $answer in
	ok\ *) ;;
	*)
		echo "$answer" >&2
		return 1
		;;
	esac
}

cluster_kubectl() {
	local dir=$1
	shift
	"$("$cluster_here/build.sh" kubectl)" --kubeconfig "$dir/kubeconfig" "$@"
}

cluster_down() {
	local dir=$1 pid=${cluster_pid[$1]:-} fd=${cluster_fd[$1]:-} tries
	[ -n "$pid" ] || return 0
	exec {fd}>&-
	for tries in $(seq 300); do
		kill -0 "$pid" 2>/dev/null || break
		[ "$tries" -lt 300 ] || kill -KILL "$pid"
		sleep 0.05
	done
	wait "$pid" 2>/dev/null
	rm -f "$dir/orders"
	unset "cluster_pid[$dir]" "cluster_fd[$dir]"
}
