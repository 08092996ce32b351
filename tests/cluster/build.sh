#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# build.sh - build the programs of the test clusters, once, into a cache outside the tree.
#
#   build.sh          build everything; print the directory of the programs
#   build.sh NAME     build only NAME; print its path
#
# NAME is one of etcd, kube-apiserver, kube-controller-manager, kubectl, llmisvc, rhaii-cluster, fault-proxy, tunnel-proxy, yaml-reader. Paths
# go to standard output, everything else to standard error. The cache is $RHAII_DR_CACHE, or rhaii-dr below the user's cache directory. The directory
# is named after the contents of the go.mod and go.sum files, so new versions get a new directory and old ones stay usable.
# The harness itself (rhaii-cluster), the two proxies and yaml-reader change more often and are named after their own sources too.
#
# Programs are built under a temporary name and renamed, one builder at a time (flock), so an interrupted build leaves nothing
# that a later one would trust. With KUBEBUILDER_ASSETS set, its etcd and kube-apiserver (and kubectl, if it has one) are used.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${RHAII_DR_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/rhaii-dr}

k8s_version=v1.34.4
kserve_version=v0.20.0

hash_of() { cat "$@" | sha256sum | cut -c1-12; }

bin=$cache/bin-$(hash_of "$here"/controlplane/go.{mod,sum} "$here"/kserve/go.{mod,sum})
harness=$bin/harness-$(hash_of "$here"/kserve/cmd/rhaii-cluster/*.go)
proxy=$bin/proxy-$(hash_of "$here"/kserve/cmd/fault-proxy/*.go)
reader=$bin/reader-$(hash_of "$here"/kserve/cmd/yaml-reader/*.go)
tunnel=$bin/tunnel-$(hash_of "$here"/tunnel-proxy/{go.mod,go.sum,main.go})

say() { echo "build: $*" >&2; }

need_go() {
	local version
	command -v go >/dev/null || { say "go is not installed; Go 1.26 or newer is needed"; exit 1; }
	version=$(go env GOVERSION)
	version=${version#go}
	if [ "$(printf '%s\n' 1.26 "$version" | sort -V | head -n1)" != 1.26 ]; then
		say "Go $version is too old; Go 1.26 or newer is needed"
		exit 1
	fi
}

# compile MODULE PACKAGE OUT LDFLAGS: build OUT unless it is there.
compile() {
	local tmp=$3.building.$$
	if ! (cd "$here/$1" && CGO_ENABLED=0 go build -mod=readonly -buildvcs=false -trimpath -ldflags "-s -w $4" -o "$tmp" "$2") >&2; then
		rm -f "$tmp"
		say "'$(basename "$3")' did not build"
		exit 1
	fi
	mv -f "$tmp" "$3"
}

path_of() {
	case $1 in
	rhaii-cluster) echo "$harness/$1" ;;
	fault-proxy) echo "$proxy/$1" ;;
	yaml-reader) echo "$reader/$1" ;;
	tunnel-proxy) echo "$tunnel/$1" ;;
	*) echo "$bin/$1" ;;
	esac
}

build() {
	local out version
	version="-X k8s.io/component-base/version.gitVersion=$k8s_version -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=34"
	out=$(path_of "$1")
	[ -x "$out" ] && return
	need_go
	mkdir -p "$(dirname "$out")"
	case $1 in
	etcd)
		say "building etcd (under a minute, once)"
		compile controlplane go.etcd.io/etcd/server/v3 "$out" ""
		;;
	kube-apiserver)
		say "building kube-apiserver $k8s_version (about 4 minutes on 2 cores, once)"
		compile controlplane k8s.io/kubernetes/cmd/kube-apiserver "$out" "$version"
		;;
	kube-controller-manager)
		say "building kube-controller-manager $k8s_version (about 2 minutes on 2 cores, once)"
		compile controlplane k8s.io/kubernetes/cmd/kube-controller-manager "$out" "$version"
		;;
	kubectl)
		say "building kubectl $k8s_version (about a minute, once)"
		compile controlplane k8s.io/kubernetes/cmd/kubectl "$out" "$version"
		;;
	llmisvc)
		say "building the KServe llmisvc controller $kserve_version (about 4 minutes on 2 cores, once)"
		compile kserve github.com/kserve/kserve/cmd/llmisvc "$out" ""
		;;
	rhaii-cluster)
		say "building the harness"
		compile kserve ./cmd/rhaii-cluster "$out" ""
		;;
	fault-proxy)
		say "building the fault proxy"
		compile kserve ./cmd/fault-proxy "$out" ""
		;;
	yaml-reader)
		say "building the reader of YAML"
		compile kserve ./cmd/yaml-reader "$out" ""
		;;
	tunnel-proxy)
		say "building the tunnel proxy"
		compile tunnel-proxy . "$out" ""
		;;
	*)
		say "unknown program '$1'; one of: ${programs[*]}"
		exit 2
		;;
	esac
}

# lend NAME: use the program of KUBEBUILDER_ASSETS instead of building one.
lend() {
	local from=${KUBEBUILDER_ASSETS:-}/$1
	[ -n "${KUBEBUILDER_ASSETS:-}" ] && [ -x "$from" ] && [[ $1 != rhaii-cluster && $1 != yaml-reader && $1 != *-proxy ]]
}

if [ -n "${KUBEBUILDER_ASSETS:-}" ]; then
	bin=$bin-assets-$(echo "$KUBEBUILDER_ASSETS" | sha256sum | cut -c1-8)
	harness=$bin/${harness##*/}
	proxy=$bin/${proxy##*/}
	reader=$bin/${reader##*/}
	tunnel=$bin/${tunnel##*/}
fi

programs=(etcd kube-apiserver kube-controller-manager kubectl llmisvc rhaii-cluster fault-proxy tunnel-proxy yaml-reader)
wanted=("${@:-${programs[@]}}")
[ $# -eq 0 ] && wanted=("${programs[@]}")

mkdir -p "$bin"
missing=no
for name in "${wanted[@]}"; do
	[ -x "$(path_of "$name")" ] || missing=yes
done
if [ $missing = yes ]; then
	exec 9>"$bin/.lock"
	flock -n 9 || { say "waiting for another build"; flock 9; }
	for name in "${wanted[@]}"; do
		if lend "$name"; then
			ln -sfn "$KUBEBUILDER_ASSETS/$name" "$bin/$name"
		else
			build "$name"
		fi
	done
	exec 9>&-
fi

if [ $# -eq 1 ]; then
	path_of "$1"
else
	echo "$bin"
fi
