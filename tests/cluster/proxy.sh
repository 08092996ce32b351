# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# proxy.sh - the fault proxy (kserve/cmd/fault-proxy) before a test cluster. Source it after lib.sh, then:
#
#   proxy_up "$dir/source" "$dir/proxy" [--http1]   start one before the cluster; $dir/proxy/proxy.kubeconfig leads to it, as the cluster's admin
#   proxy_token "$dir/proxy" TOKEN                  print a kubeconfig that leads to it with this bearer token
#   proxy_rules "$dir/proxy" RULE...                these faults from now on (none: no faults); the words of a rule are in main.go, the faults in faults.go
#   proxy_hits "$dir/proxy"                         how often a fault struck since then
#   proxy_log "$dir/proxy"                          the requests since then, and which fault struck
#   proxy_down "$dir/proxy"
#
# It dies with the shell that started it, like a cluster.

proxy_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
declare -A proxy_pid=() proxy_fd=() proxy_control=()

proxy_up() {
	local cluster=$1 dir=$2 config fd
	shift 2
	mkdir -p "$dir" && rm -f "$dir/stdin" && mkfifo -m 0600 "$dir/stdin" || return
	config=$(cluster_kubectl "$cluster" config view --raw -o json) || return
	(umask 077 && jq -r '.users[0].user["client-certificate-data"]' <<<"$config" | base64 -d >"$dir/client.crt" &&
		jq -r '.users[0].user["client-key-data"]' <<<"$config" | base64 -d >"$dir/client.key") || return
	: >"$dir/ready"
	exec {fd}<>"$dir/stdin"
	"$("$proxy_here/build.sh" fault-proxy)" --server "$(jq -r '.clusters[0].cluster.server' <<<"$config")" --ca "$cluster/ca.crt" \
		--cert "$dir/client.crt" --key "$dir/client.key" --dir "$dir" "$@" <"$dir/stdin" >"$dir/ready" 2>"$dir/log" {fd}>&- &
	proxy_pid[$dir]=$!
	proxy_fd[$dir]=$fd
	until grep -q '^ready ' "$dir/ready"; do
		kill -0 "${proxy_pid[$dir]}" 2>/dev/null || { cat "$dir/log" >&2 && return 1; }
		sleep 0.02
	done
	proxy_control[$dir]=$(sed -n 's/^ready //p' "$dir/ready")
}

proxy_token() {
	sed "s/user: {}/user: {token: \"$2\"}/" "$1/proxy.kubeconfig"
}

proxy_rules() {
	local dir=$1
	shift
	printf '%s\n' "$@" | curl -sSf -T - "${proxy_control[$dir]}/rules"
}

proxy_hits() {
	curl -sSf "${proxy_control[$1]}/hits"
}

proxy_log() {
	curl -sSf "${proxy_control[$1]}/log"
}

proxy_down() {
	local fd=${proxy_fd[$1]:-}
	[ -n "$fd" ] || return 0
	exec {fd}>&-
	wait "${proxy_pid[$1]}" 2>/dev/null
	unset "proxy_pid[$1]" "proxy_fd[$1]" "proxy_control[$1]"
}
