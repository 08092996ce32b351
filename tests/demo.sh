#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# make demo: the main job on real parts. Two control planes (etcd, kube-apiserver, controller-manager) with the real KServe controller; models are served on the
# first, it is snapshotted, and the second gets everything back. Ends with how long each step took.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=tests/cluster/lib.sh
. tests/cluster/lib.sh

RHAII_DR=${RHAII_DR:-build/rhaii-dr}
work=$(mktemp -d)
source=$work/source target=$work/target
trap 'cluster_down "$source"; cluster_down "$target"; rm -rf "$work"' EXIT
steps=() title='' since=0

now() { # milliseconds
	echo $(($(date +%s%N) / 1000000))
}
step() { # what comes now; ends the step before it
	[ -z "$title" ] || steps+=("$(printf '%8d.%d s  %s' $((($(now) - since) / 1000)) $((($(now) - since) / 100 % 10)) "$title")")
	title=$1 since=$(now)
	[ -z "$title" ] || printf '\n== %s\n' "$title"
}
run() { # the program against a cluster, shown and run
	local dir=$1
	shift
	printf '$ rhaii-dr --kubeconfig %s %s\n' "$(basename "$dir")/kubeconfig" "${*//$work\//}"
	"$RHAII_DR" --kubeconfig "$dir/kubeconfig" "$@"
}

export RHAII_DR_REPO=$work/backup
unset RHAII_DR_CLUSTER
step "start the first cluster"
cluster_up source "$source"
step "serve models on it: KServe's samples and the hardening page's objects"
cluster_load "$source" --gateway-port "$(free_port)"
step "take a snapshot, to git and to an archive"
run "$source" snapshot --cluster demo --archive-dir "$work/archives"
step "take another: nothing changed, so no commit and no archive"
run "$source" snapshot --archive-dir "$work/archives" | sed -n 1,5p
step "lose the cluster"
cluster_down "$source"
echo "its control plane is stopped"
step "start a fresh cluster with the operators, and bring the Secrets (they never travel with a snapshot)"
cluster_up target "$target"
cluster_kubectl "$target" create namespace rhaii-inference
cluster_kubectl "$target" -n rhaii-inference create secret generic huggingface-token --from-literal=token=brought-by-hand
cluster_kubectl "$target" -n rhaii-inference create secret docker-registry rhaiis-pull-secret --docker-server=registry.invalid --docker-username=robot --docker-password=by-hand
step "restore the archive onto it"
run "$target" restore "$(find "$work/archives" -name '*.tar.zst')" --yes --wait 5m
step "verify once more, a line a kind of probe"
"$RHAII_DR" --kubeconfig "$target/kubeconfig" verify demo --cluster demo -o json |
	jq -r '.probes | group_by(.probe)[] | "\(.[0].probe): \(map(select(.result == "pass")) | length) of \(length) pass\(map(select(.result != "pass")) | if length > 0 then ", " + .[0].result + ": " + (.[0].reason // .[0].observed) else "" end)"'
step "snapshot it too, and compare the objects byte for byte"
run "$target" snapshot --cluster demo-restored >/dev/null
before=$(git -C "$work/backup" rev-parse clusters/demo:objects)
after=$(git -C "$work/backup" rev-parse clusters/demo-restored:objects)
printf 'git tree of objects/ before the loss  %s\ngit tree of objects/ after it         %s\n' "$before" "$after"
[ "$before" = "$after" ] || { git -C "$work/backup" diff "$before" "$after" && exit 1; }
step ""
printf '\n== time of each step\n'
printf '%s\n' "${steps[@]}"
printf '\ndemo: recovered, verified, and the same byte for byte\n'
