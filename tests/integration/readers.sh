#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The canonical text is the same value to all who read it: kubectl (Go), PyYAML's own scanner and libyaml below PyYAML, which all know YAML 1.1.
# And what somebody wrote by hand is the same value to us as to kubectl, where we do not refuse it. No cluster is needed.
#
# SWEEP=N takes N times as many random texts, and seeds of the time of day.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

texts=$root/${BUILD:-build}/readers/texts
kubectl_reader=$("$root/tests/cluster/build.sh" yaml-reader) || exit 1
sweep=${SWEEP:-1}
seed=20261120
[ "$sweep" = 1 ] || seed=$(date +%s)
echo "seed $seed"

read_by() { # reader
	case $1 in
	kubectl) "$kubectl_reader" ;;
	*) python3 "$root/tests/readers/pyyaml.py" "$1" ;;
	esac
}

# agrees READER REFUSED KIND [ARGUMENT...]: the reader takes the texts of that kind for the values that we do, and refuses so many of them: 0, or '*' where
# it does no harm that it takes less than we.
agrees() {
	local reader=$1 wanted="[1-9]* read, 0 differ, $2 refused, *" last
	shift 2
	"$texts" "$@" | read_by "$reader" >found || return 1
	last=$(tail -n1 found)
	echo "$reader, $*: $last"
	# shellcheck disable=SC2053 # a pattern is meant
	[[ $last == $wanted ]] || { cat found && return 1; }
}

# by_all KIND [ARGUMENT...]
by_all() {
	agrees kubectl 0 "$@" && agrees python 0 "$@" && agrees libyaml 0 "$@"
}

test_what_readers_are_known_to_disagree_about() {
	by_all tables
}

test_values_at_random() {
	by_all values "$seed" $((2000 * sweep))
}

# PyYAML's own scanner takes a minute for all of them: it is shown those of one and two bytes, and where the others begin and end.
test_every_character() {
	agrees kubectl 0 characters 0 65536
	agrees kubectl 0 characters 65536 $((65536 + 16384 * sweep))
	agrees libyaml 0 characters 0 65536
	agrees python 0 characters 0 2048
	agrees python 0 characters 8192 8448
	agrees python 0 characters 65024 65792
	agrees python 0 characters 1113856 1114112
}

# PyYAML's own scanner would need minutes.
test_objects_as_large_as_the_server_takes() {
	agrees kubectl 0 large
}

test_what_people_write() {
	agrees kubectl '*' hand
	agrees kubectl '*' soup "$seed" $((20000 * sweep))
}

test_plain_scalars() {
	agrees kubectl 0 scalars $((sweep > 1 ? 4 : 3))
	agrees libyaml 0 scalars 3
	agrees kubectl 0 numbers "$seed" $((30000 * sweep))
	agrees libyaml 0 numbers "$seed" $((10000 * sweep))
}

run_tests
exit "$failed"
