#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The clock of a recovery, without any cluster.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

keep_state() {
	export XDG_STATE_HOME=$PWD/state
}

test_without_a_clock_there_is_nothing_to_show() {
	keep_state
	run clock
	assert_exit 1
	assert_contains err 'no clock was started'
	run clock mark secrets
	assert_exit 1
}

test_a_recovery_is_marked_phase_by_phase() {
	keep_state
	run clock start --since 25m
	assert_exit 0
	run clock mark create-cluster
	assert_exit 0
	run clock mark create-cluster --waiting -o json
	assert_exit 0
	assert_json "d['state'] == 'running' and d['phase'] == 'create-cluster' and d['waiting']"
	run clock stop -o json
	assert_exit 0
	assert_json "d['state'] == 'stopped' and d['rto']['verdict'] == 'at least' and d['rto']['achievedMilliseconds'] >= 1500000"
	assert_json "[p['how'] for p in d['phases'][:3]] == ['declared', 'measured', 'missing']"
	assert_equal "$(stat -c %a state/rhaii-dr/clock.json)" 600
}

# However little is known of the phases.
test_what_takes_too_long_is_missed() {
	keep_state
	run clock start --since 25m --rto 20m
	assert_exit 4
	assert_contains out 'missed'
	run clock --rto 20m
	assert_exit 4
	run clock --rto 40m
	assert_exit 0
}

test_what_cannot_be_marked_is_refused() {
	keep_state
	run clock start --since tomorrow
	assert_exit 2
	assert_contains err "option '--since'"
	run clock start
	assert_exit 0
	run clock start
	assert_exit 1
	assert_contains err 'a clock is running already'
	run clock mark
	assert_exit 2
	run clock mark create-clustr
	assert_exit 2
	assert_contains err "did you mean 'create-cluster'?"
	run clock stop now
	assert_exit 2
	run clock go
	assert_exit 2
	assert_contains err "'clock' knows no 'go'"
}

# Before a cluster is asked.
test_a_restore_reads_what_is_said_of_phases_first() {
	keep_state
	make_kubeconfig kubeconfig
	run restore ./none --yes --kubeconfig kubeconfig --phase apply=5m
	assert_exit 2
	assert_contains err "option '--phase': the phase 'apply' is measured, not declared"
	run restore ./none --yes --kubeconfig kubeconfig --since 2999-01-01T00:00Z
	assert_exit 2
	assert_contains err 'is still to come'
}

run_tests
