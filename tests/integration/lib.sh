# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# lib - integration tests against real clusters. A script sources this file, starts what it needs with cluster_up (tests/cluster/lib.sh), defines
# functions test_* and calls run_tests: they run in the order in which they are written, on the same clusters, each in a subshell with errexit, and are
# forgotten; clusters can be started and stopped between two calls. Its end is `exit "$failed"`. What a test prints is shown when it fails (the last
# TEST_LOG_LINES of it). One line a test: "ok - NAME" or "not ok - NAME".
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=tests/cluster/lib.sh
. "$root/tests/cluster/lib.sh"

# shellcheck disable=SC2034 # scripts exit with it
failed=0
binary=$(realpath -m "${RHAII_DR:-$root/build/rhaii-dr}")
work=$(mktemp -d)
log=$work/log
for variable in $(compgen -e RHAII_DR_) KUBECONFIG KUBERNETES_SERVICE_HOST; do
	unset "$variable"
done
mkdir "$work/home"
cd "$work" || exit 1

finish() {
	local dir
	for dir in "${!cluster_pid[@]}"; do
		cluster_down "$dir"
	done
	rm -rf "$work"
}
trap finish EXIT

# dr CLUSTER-DIR ARGS...: the program against that cluster, with an empty home
dr() {
	local dir=$1
	shift
	HOME=$work/home XDG_CONFIG_HOME=$work/home/.config "$binary" --kubeconfig "$dir/kubeconfig" "$@"
}

# offline ARGS...: the program, for commands that need no cluster
offline() {
	HOME=$work/home XDG_CONFIG_HOME=$work/home/.config "$binary" "$@"
}

# expect CODE COMMAND...: run it; its exit code must be CODE. What it printed is in ./out and ./err.
expect() {
	local code=$1 status=0
	shift
	"$@" >out 2>err </dev/null || status=$?
	cat out err
	[ "$status" -eq "$code" ] || { told_reasons && echo "expected exit code $code, got $status: $*" && return 1; }
}

# What a result in ./out says of its exit code, in a few lines behind all of it: blockers, objects, probes.
told_reasons() {
	jq -r '"outcome: \(.outcome)", (.preflight[]? | select(.result == "failed") | "\(.check): \(.text)"), (.stale[]? | "\(.object) \(.text)"),
		(.waves[]?.actions[]? | select(.result == "failed" or .result == "conflict" or .result == "blocked") | "\(.result) \(.kind) \(.namespace)/\(.name): \(.error // .reason)"),
		(.probes[]? | select(.result == "fail") | "\(.probe) \(.object): \(.observed)")' out 2>/dev/null || true
}

# --- an account of its own, with just these rights ---

# account CLUSTER-DIR NAMESPACE NAME: make it, and its directory ./NAME as a pod sees it
account() {
	cluster_kubectl "$1" create serviceaccount "$3" -n "$2"
	mkdir -p "$3"
	cluster_kubectl "$1" create token "$3" -n "$2" >"$3/token"
	cp "$1/ca.crt" "$3/ca.crt"
	printf %s "$2" >"$3/namespace"
}

# in_pod CLUSTER-DIR NAME ARGS...: the program as it runs in a pod of that account: no kubeconfig, no home
in_pod() {
	local server
	server=$(sed -n 's|.*server: https://||p' "$1/kubeconfig")
	env -u HOME -u XDG_CONFIG_HOME XDG_STATE_HOME="$work/state" RHAII_DR_TEST_SERVICEACCOUNT="$PWD/$2" KUBERNETES_SERVICE_HOST="${server%:*}" KUBERNETES_SERVICE_PORT="${server#*:}" \
		"$binary" "${@:3}"
}

# grant CLUSTER-DIR JQ ARGS...: what `rbac ARGS` prints, changed by the filter, in the place of what was granted before
grant() {
	offline rbac "${@:3}" -o json 2>granting | jq "$2" >grant.json
	cluster_kubectl "$1" apply --validate=false -f grant.json # the schema of everything is not fetched for it
	sleep 0.5 # the authorizer hears of it by a watch
}

# but_not RESOURCE: a filter that takes it out of every rule that is not for single objects
but_not() {
	printf '.items[].rules |= if . then map(if .resourceNames then . else .resources -= ["%s"] end | select(.resources | length > 0)) else empty end' "$1"
}

# --- what came out of it ---

same() { # what it is, is, should be
	[ "$2" = "$3" ] || { printf '%s: is\n%s\nshould be\n%s\n' "$1" "$2" "$3" && return 1; }
}

has() { # file text
	grep -qF -- "$2" "$1" || { echo "'$2' is not in $1" && return 1; }
}

has_not() {
	! grep -qF -- "$2" "$1" || { echo "'$2' is in $1" && return 1; }
}

# The audit log's lines of the program on a cluster since mark N (default: all), as "verb resource namespace/name code".
requests() {
	tail -n "+$((${2:-0} + 1))" "$1/audit.log" |
		jq -r 'select(.userAgent // "" | startswith("rhaii-dr/")) | select(.stage == "ResponseComplete")
			| "\(if .requestURI | test("dryRun=All") then "dry-run-" else "" end)\(.verb) \(.objectRef.resource // .requestURI) \(.objectRef.namespace // "")/\(.objectRef.name // "") \(.responseStatus.code)"'
}

# only_reads CLUSTER-DIR MARK: since then the program has asked something, and changed nothing
only_reads() {
	requests "$1" "$2" >asked
	[ -s asked ] || { echo "no request was seen" && return 1; }
	! grep -vE '^(get|list|watch|dry-run-[a-z]+|create selfsubjectaccessreviews) ' asked
}

# bring_secrets CLUSTER-DIR: the namespace and the Secrets that the input of the tests needs, as people bring them before a restore
bring_secrets() {
	cluster_kubectl "$1" create namespace rhaii-inference
	cluster_kubectl "$1" -n rhaii-inference create secret generic huggingface-token --from-literal=token=by-hand
	cluster_kubectl "$1" -n rhaii-inference create secret docker-registry rhaiis-pull-secret --docker-server=registry.invalid --docker-username=robot --docker-password=by-hand
}

mark() {
	wc -l <"$1/audit.log"
}

# settled CLUSTER-DIR [N]: KServe has put its finalizer on every service and config but N of them. It writes an object whole then, with empty fields of
# its own (`resources: {}`), so that before it a snapshot may be another than after it.
settled() {
	local left
	for _ in $(seq 60); do
		left=$(cluster_kubectl "$1" get llminferenceservices,llminferenceserviceconfigs -A -o json | jq '[.items[] | select(.metadata.finalizers == null)] | length')
		[ "$left" -le "${2:-0}" ] && return
		sleep 5 # each look costs a second of CPU
	done
	echo "$left objects are without a finalizer of KServe" && return 1
}

run_tests() {
	local name script
	script=$(basename "$0" .sh)
	for name in $(declare -F | awk '$3 ~ /^test_/ { print $3 }' | while read -r f; do
		printf '%s %s\n' "$(shopt -s extdebug && declare -F "$f" | awk '{ print $2 }')" "$f"
	done | sort -n | awk '{ print $2 }'); do
		(set -eu; "$name") >"$log" 2>&1
		# shellcheck disable=SC2181
		if [ $? -eq 0 ]; then
			printf 'ok - %s: %s\n' "$script" "${name#test_}"
		else
			printf 'not ok - %s: %s\n' "$script" "${name#test_}"
			tail -n "${TEST_LOG_LINES:-40}" "$log" | sed 's/^/#   /'
			# shellcheck disable=SC2034
			failed=1
		fi
		unset -f "$name"
	done
}
