#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Run test suites (unit, cli, integration) and count: the last line is "N passed, N failed". Each test says "ok ..." or "not ok ..." on a line of its own.
# Names behind a suite are those of its scripts, without .sh: just these are run ("integration recovery plan"). All that a failed one said stays in build/failed/.
# A test that says "ok ... # skip" is counted as skipped, and as failed where CI is set: nothing may be missing there.
# Integration tests mostly wait, for clusters and deadlines: TEST_LANES (1) of them run at a time. Two save a fifth of the time, on a machine that does nothing else.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
BUILD=${BUILD:-build}
export BUILD PATH="$PWD/tests/bin:$PATH" RHAII_DR="$PWD/$BUILD/rhaii-dr"
passed=0 failed=0 skipped=0 lanes=1
declare -A running=() # number -> name, of what has not been counted
logs=$(mktemp -d)
kept=$BUILD/failed shown=200
trap 'rm -rf "$logs"' EXIT

count() { # name status log seconds
	local ok not skip
	skip=$(grep -ciE '^ok .*# skip' "$3")
	ok=$(($(grep -c '^ok' "$3") - skip))
	not=$(grep -c '^not ok' "$3")
	if [ "$2" -ne 0 ] && [ "$not" -eq 0 ]; then # died before it could say so
		not=1
	elif [ $((ok + not + skip)) -eq 0 ]; then
		echo "  $1: no test ran" && not=1
	fi
	passed=$((passed + ok)) failed=$((failed + not)) skipped=$((skipped + skip))
	printf '  %-36s %3d passed, %d failed%s%s\n' "$1" "$ok" "$not" "$([ "$skip" -eq 0 ] || echo ", $skip skipped")" "$([ "$4" -lt 10 ] || echo ", $4 s")"
	if [ "$not" -gt 0 ]; then
		mkdir -p "$kept" && cp "$3" "$kept/${1//\//-}.log"
		grep '^not ok' "$3" | sed 's/^/    /'
		grep -v '^ok' "$3" | tail -n "$shown" | sed 's/^/    /'
		echo "    all of it: $kept/${1//\//-}.log"
	fi
}

count_ended() {
	local number status seconds
	for number in "${!running[@]}"; do
		[ -e "$logs/$number.end" ] || continue
		read -r status seconds <"$logs/$number.end"
		count "${running[$number]}" "$status" "$logs/$number" "$seconds"
		unset "running[$number]"
	done
}

wait_for() { # until so many are running
	while [ "${#running[@]}" -gt "$1" ]; do
		wait -n
		count_ended
	done
}

number=0
run() { # name command...: as soon as a lane is free
	local name=$1
	shift
	wait_for $((lanes - 1))
	number=$((number + 1))
	running[$number]=$name
	(
		SECONDS=0 status=0
		"$@" >"$logs/$number" 2>&1 </dev/null || status=$?
		echo "$status $SECONDS" >"$logs/$number.end"
	) &
}

# is_suite NAME; names SUITE: all of it
is_suite() {
	[ "$1" = unit ] || [ -d "tests/$1" ]
}

names() {
	local test
	case $1 in
	unit) for test in "$BUILD"/unit/test_*; do [ ! -x "$test" ] || basename "$test"; done ;;
	*) for test in "tests/$1"/*.sh; do [ "${test##*/}" = lib.sh ] || basename "$test" .sh; done ;;
	esac
}

run_suite() { # suite name...
	local suite=$1 name
	shift
	echo "check: $suite tests"
	[ "$suite" = integration ] && lanes=${TEST_LANES:-1} || lanes=1
	for name in "$@"; do
		rm -f "$kept/$suite-$name.log" "$kept/$name.log"
		case $suite in
		unit) CMOCKA_MESSAGE_OUTPUT=TAP run "$name" "$BUILD/unit/$name" ;;
		*) run "$suite/$name" env TEST_LOG_LINES=1000000 bash "tests/$suite/$name.sh" ;;
		esac
	done
	wait_for 0
}

[ $# -eq 0 ] || is_suite "$1" || { echo "$0: '$1' is no suite (unit, cli, integration)" >&2 && exit 2; }
while [ $# -gt 0 ]; do
	suite=$1 chosen=()
	shift
	while [ $# -gt 0 ] && ! is_suite "$1"; do
		chosen+=("$1")
		shift
	done
	[ "${#chosen[@]}" -gt 0 ] || mapfile -t chosen < <(names "$suite")
	run_suite "$suite" "${chosen[@]}"
done

if [ "$skipped" -gt 0 ] && [ -n "${CI:-}" ]; then
	echo "check: $skipped skipped, which counts as failed in CI"
	failed=$((failed + skipped))
fi
echo "$passed passed, $failed failed" | tee "$BUILD/counts"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
