#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Install the Debian packages that a target needs and that are not there: setup.sh check|browser|lint|coverage|fuzz. Says what it installs; with sudo where not root.
set -euo pipefail

packages=(build-essential pkg-config libcurl4-openssl-dev libjansson-dev libgit2-dev libarchive-dev libzstd-dev libyaml-dev libssl-dev zlib1g-dev
	libcmocka-dev git jq curl zstd openssl ca-certificates python3-yaml strace mount)
case "${1:-check}" in
check) ;;
browser) packages+=(chromium python3-prometheus-client) ;; # what reads reports in tests/integration/report.sh
lint) packages+=(clang clang-format clang-tidy cppcheck pmccabe shellcheck) ;;
coverage) packages+=(lcov) ;;
fuzz) packages+=(clang) ;;
*) echo "setup: unknown target '$1'" >&2 && exit 2 ;;
esac

go_minor() {
	go env GOVERSION 2>/dev/null | sed -n 's/^go1\.\([0-9]*\).*/\1/p'
}

if [ "$(go_minor)" = "" ] || [ "$(go_minor)" -lt 26 ]; then
	echo "setup: Go 1.26 or newer must be in the PATH (the test clusters are built from Go modules)" >&2
	exit 2
fi

if ! command -v dpkg-query >/dev/null; then
	echo "setup: no Debian here; these packages, by your system's names, must be there: ${packages[*]}" >&2
	exit 0
fi

missing=()
for package in "${packages[@]}"; do
	dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

sudo=()
[ "$(id -u)" -eq 0 ] || sudo=(sudo)
echo "setup: installing ${missing[*]}"
"${sudo[@]}" apt-get update -qq
"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
