#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# make demo: two real control planes with the real KServe controller; the first is snapshotted, the second gets it back.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=tests/cluster/lib.sh
. tests/cluster/lib.sh

RHAII_DR=${RHAII_DR:-build/rhaii-dr}
work=$(mktemp -d)
trap 'cluster_down "$work/source"; cluster_down "$work/target"; rm -rf "$work"' EXIT
started=$(date +%s%N)

step() { # title: says what comes, and how long the last step took
	local now
	now=$(date +%s%N)
	[ -z "${title:-}" ] || printf '%-58s %6.1f s\n' "    ... $title" "$(((now - since) / 1000000))e-3"
	since=$now title=$1
	[ -z "$title" ] || printf '\n== %s\n' "$title"
}
shown() { # a command, shown and run
	printf '$ %s\n' "$*" | sed "s|$work/||g; s|$PWD/||g"
	"$@"
}

step "start two clusters: etcd, kube-apiserver, controller-manager, KServe controller"
cluster_up source "$work/source" &
cluster_up target "$work/target" &
wait
export RHAII_DR_REPO=$work/backup

step "serve models on the first (KServe samples and the hardening page's objects)"
cluster_load "$work/source"

step "take a snapshot of it, to git and to an archive"
shown "$RHAII_DR" --kubeconfig "$work/source/kubeconfig" snapshot --cluster demo --archive-dir "$work/archives"

step "take another: nothing changed, so no commit"
shown "$RHAII_DR" --kubeconfig "$work/source/kubeconfig" snapshot --archive-dir "$work/archives"

step "bring the Secrets to the second cluster (they never travel with a snapshot)"
cluster_secrets "$work/target"

step "restore it there"
archive=$(ls "$work"/archives/*.tar.zst)
shown "$RHAII_DR" --kubeconfig "$work/target/kubeconfig" restore "$archive" --yes --wait 5m

step "prove it: a snapshot of the second cluster holds the same objects, byte for byte"
shown "$RHAII_DR" --kubeconfig "$work/target/kubeconfig" snapshot --cluster demo-restored >"$work/second.txt"
source_tree=$(git -C "$work/backup" rev-parse clusters/demo:objects)
target_tree=$(git -C "$work/backup" rev-parse clusters/demo-restored:objects)
echo "objects/ of the source   $source_tree"
echo "objects/ on the target   $target_tree"
[ "$source_tree" = "$target_tree" ] || { git -C "$work/backup" diff --stat clusters/demo:objects clusters/demo-restored:objects && exit 1; }
step ""
printf '\ndemo: recovered and verified, %.1f s over all\n' "$((($(date +%s%N) - started) / 1000000))e-3"
