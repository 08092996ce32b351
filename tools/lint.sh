#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The rules of the house. Every part says what it found; the exit status is the number of parts that found something.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

mapfile -t sources < <(ls src/*/*.c cmd/*.c)
mapfile -t headers < <(ls include/*/*.h src/*/*.h cmd/*.h 2>/dev/null)
mapfile -t tests < <(ls tests/unit/*.[ch] tests/fuzz/*.c tests/readers/*.[ch] tests/bench/*.c 2>/dev/null)
mapfile -t scripts < <(ls tools/*.sh tests/*.sh tests/*/*.sh .ci/run)
flags=(-std=c17 -Iinclude -D_GNU_SOURCE '-DRHAII_VERSION="lint"')
# shellcheck disable=SC2207
flags+=($(pkg-config --cflags libcurl jansson libgit2 libarchive libzstd yaml-0.1 libcrypto zlib))
bad=0

part() { # name, then the findings on stdin
	local found
	found=$(cat)
	if [ -n "$found" ]; then
		printf 'lint: %s\n%s\n' "$1" "$(sed 's/^/  /' <<<"$found")"
		bad=$((bad + 1))
	else
		printf 'lint: %s: clean\n' "$1"
	fi
}

# --- structure --------------------------------------------------------------------------------------------------------------------

# Downward only, in this order; kube, store and policy do not know each other (docs/DESIGN.md, "The house").
include_direction() {
	awk '
	BEGIN {
		n = split("cmd audit drill restore verify snapshot store policy kube object util", order, " ")
		for (i = 1; i <= n; i++) rank[order[i]] = i
		apart["store policy"] = apart["store kube"] = apart["policy kube"] = 1
	}
	FNR == 1 { split(FILENAME, part, "/"); from = part[1] == "cmd" ? "cmd" : part[2] }
	match($0, /^#include "[a-z]+\//) {
		to = substr($0, RSTART + 10, RLENGTH - 11)
		if (!(to in rank)) next
		if (rank[to] < rank[from]) print FILENAME ": includes upward: " $0
		else if ((from " " to) in apart) print FILENAME ": these two do not know each other: " $0
	}' "${sources[@]}" "${headers[@]}"
}

# library header, then the files that may include it
one_library_a_file() {
	while read -r header allowed; do
		grep -lE "#include <$header" "${sources[@]}" "${headers[@]}" | grep -vE "^($allowed)$" | sed "s#\$#: includes <$header>, which belongs to $allowed#"
	done <<-'TABLE'
		curl/ src/util/http.*\.[ch]
		git2 src/store/git.*\.[ch]
		archive src/store/archive.*\.[ch]
		zstd src/store/archive.*\.[ch]
		zlib src/store/git.*\.[ch]
		yaml.h src/util/yaml.c
		openssl/ src/util/hash.c|src/util/key.c
	TABLE
}

# what comes in through one door only
one_door() {
	while read -r call allowed; do
		grep -nE "(^|[^a-z_])$call\(" "${sources[@]}" | grep -vE "^($allowed):" | sed "s|\$|   (only $allowed may)|"
	done <<-'TABLE'
		getenv src/util/env.c
		secure_getenv src/util/env.c
		getrandom src/util/env.c
		time src/util/clock.c
		clock_gettime src/util/clock.c
		nanosleep src/util/clock.c
		usleep src/util/clock.c
	TABLE
}

license_first() {
	for file in "${sources[@]}" "${headers[@]}" "${tests[@]}" "${scripts[@]}"; do
		head -2 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0' || echo "$file: no SPDX line at its top"
	done
}

# lines of a function and its cyclomatic complexity
long_functions() {
	pmccabe "${sources[@]}" | awk '$5 > 60 || $1 > 15 { print $6 " " $7 ": " $5 " lines, complexity " $1 }'
}

# --- compilers -------------------------------------------------------------------------------------------------------------------------

headers_alone() {
	for header in "${headers[@]}"; do
		gcc "${flags[@]}" -Wall -Wextra -fsyntax-only -x c "$header" 2>&1 | grep -v '#pragma once' | head -3
	done
}

clang_warnings() {
	for file in "${sources[@]}"; do
		clang "${flags[@]}" -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wvla -Wswitch-enum -Wunreachable-code \
			-Wcomma -Wimplicit-fallthrough -fsyntax-only "$file" 2>&1
	done
}

# without its leak check, which does not see that a list owns what is put into it: make check-asan looks for leaks at run time
analyze() {
	printf '%s\n' "${sources[@]}" | xargs -P2 -I{} gcc "${flags[@]}" -O1 -fanalyzer -Wno-analyzer-too-complex -Wno-analyzer-malloc-leak -c -o /dev/null {} 2>&1 | grep -E 'warning:|error:'
}

check_with_cppcheck() {
	cppcheck -q -j2 --std=c17 --inline-suppr --enable=warning,performance,portability --suppress=missingIncludeSystem --suppress=varFuncNullUB \
		--library=tools/cppcheck.cfg -Iinclude "${sources[@]}" 2>&1
}

tidy() {
	printf '%s\n' "${sources[@]}" | xargs -P2 -n8 clang-tidy --quiet \
		--checks='-*,bugprone-*,cert-err34-c,clang-analyzer-core*,clang-analyzer-unix*,misc-redundant-expression,readability-misleading-indentation,-bugprone-easily-swappable-parameters,-bugprone-narrowing-conversions,-bugprone-assignment-in-if-condition,-bugprone-reserved-identifier,-bugprone-implicit-widening-of-multiplication-result' \
		-- "${flags[@]}" 2>/dev/null | grep -E 'warning:|error:'
}

include_direction | part "include direction"
one_library_a_file | part "one library a file"
one_door | part "one door for time, environment, randomness"
license_first | part "license line"
long_functions | part "long functions"
headers_alone | part "headers that compile alone"
clang-format --dry-run "${sources[@]}" "${headers[@]}" "${tests[@]}" 2>&1 | grep -E 'warning|error' | part "format"
shellcheck -x -S warning "${scripts[@]}" 2>&1 | part "shell scripts"
# errexit passes "! command" over: in a test it fails nothing, unless "|| return 1" follows
shellcheck -x -f gcc --include=SC2251 "${scripts[@]}" 2>&1 | part "negations that fail nothing"
clang_warnings | part "clang warnings"
if [ "${1:-}" != quick ]; then
	check_with_cppcheck | part "cppcheck"
	analyze | part "gcc -fanalyzer"
	tidy | part "clang-tidy"
fi
exit "$bad"
