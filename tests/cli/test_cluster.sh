#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the commands that need a cluster say without one.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

test_restore_without_terminal_and_without_yes() {
	make_history
	make_kubeconfig kubeconfig
	run restore clusters/prod --kubeconfig kubeconfig
	assert_exit 2
	assert_contains err 'no terminal'
	assert_contains err 'hint: say --yes'
}

test_restore_of_a_damaged_snapshot_asks_no_server() {
	make_kubeconfig kubeconfig
	make_tree folder 1
	print_manifest folder >manifest && mv manifest folder/MANIFEST.sha256
	make_tree folder 2
	run restore ./folder --yes --kubeconfig kubeconfig
	assert_exit 6
}

# refused_plan TEXT: ./plan.json is refused as no plan of ours, and no server is asked
refused_plan() {
	make_kubeconfig kubeconfig
	run restore --plan plan.json --yes --kubeconfig kubeconfig
	assert_exit 6
	assert_contains err "$1"
}

test_hostile_plans_are_refused() {
	printf '{"execute": {"format": 1, "act' >plan.json && refused_plan "plan 'plan.json'"
	printf '{}' >plan.json && refused_plan 'is no plan'
	printf 'execute: {format: 1}\n' >plan.json && refused_plan "plan 'plan.json'"
	printf '{"execute": {"format": 2}}' >plan.json && refused_plan 'format 2 is newer than the 1'
	printf '{"execute": {"format": 1, "sha256": "00", "actions": []}}' >plan.json && refused_plan 'its checksum does not hold'
	head -c 200000 /dev/zero | tr '\0' '[' >plan.json && refused_plan "plan 'plan.json'"
}

test_a_plan_file_that_is_missing() {
	make_kubeconfig kubeconfig
	run restore --plan missing --yes --kubeconfig kubeconfig
	assert_exit 1
	assert_contains err "no such file: 'missing'"
}

test_a_plan_has_its_options_with_it() {
	make_kubeconfig kubeconfig
	for option in --in-place --partial '--wait 0' '--ignore nodes' '--rto 1h' --accept-edits; do
		# shellcheck disable=SC2086 # an option and its value
		run restore --plan plan.json --yes --kubeconfig kubeconfig $option
		assert_exit 2
		assert_contains err "from the plan"
	done
	run restore --plan plan.json --resume --yes --kubeconfig kubeconfig
	assert_exit 2
}

test_a_plan_from_standard_input_needs_consent() {
	make_kubeconfig kubeconfig
	run restore --plan - --kubeconfig kubeconfig
	assert_exit 2
	assert_contains err 'hint: say --yes'
}

test_restore_without_kubeconfig() {
	run restore x --yes --kubeconfig missing
	assert_exit 2
	assert_contains err missing
}

test_restore_of_an_unknown_context() {
	make_kubeconfig kubeconfig
	run restore x --yes --kubeconfig kubeconfig --context elsewhere
	assert_exit 2
	assert_contains err elsewhere
}

test_first_snapshot_needs_a_name() {
	make_kubeconfig kubeconfig
	run snapshot --kubeconfig kubeconfig
	assert_exit 2
	assert_contains err '--cluster'
	[ ! -e rhaii-backup ] || fail 'a repository was made'
}

test_snapshot_of_a_bad_cluster_name() {
	make_kubeconfig kubeconfig
	run snapshot --kubeconfig kubeconfig --cluster Prod/1
	assert_exit 2
	[ ! -e rhaii-backup ] || fail 'a repository was made'
}

test_snapshot_with_an_unknown_policy() {
	make_kubeconfig kubeconfig
	run snapshot --kubeconfig kubeconfig --cluster prod --policy nothing
	assert_exit 2
	assert_contains err nothing
}

test_dry_run_leaves_nothing_behind() {
	make_kubeconfig kubeconfig
	mkdir tmp
	TMPDIR=$PWD/tmp run snapshot --kubeconfig kubeconfig --cluster prod --dry-run
	assert_exit 1
	[ ! -e rhaii-backup ] || fail 'a repository was made'
	[ -z "$(ls -A tmp)" ] || fail 'the temporary directory is not empty'
}

test_dry_run_writes_nothing_into_a_repository() {
	make_history
	make_kubeconfig kubeconfig
	(cd rhaii-backup && find . -printf '%p %T@\n' | sort) >before
	run snapshot --kubeconfig kubeconfig --dry-run
	assert_exit 1
	(cd rhaii-backup && find . -printf '%p %T@\n' | sort) >after
	cmp -s before after || fail 'the repository was written to'
}

test_dry_run_waits_for_nobody() {
	make_history
	make_kubeconfig kubeconfig
	flock rhaii-backup/rhaii-dr.lock sleep 5 &
	local holder=$!
	sleep 0.3
	run snapshot --kubeconfig kubeconfig --dry-run
	kill "$holder" 2>/dev/null
	assert_exit 1
}

test_dry_run_without_a_repository_needs_the_name() {
	make_kubeconfig kubeconfig
	run snapshot --kubeconfig kubeconfig --dry-run
	assert_exit 2
	assert_contains err --cluster
}

test_snapshot_while_another_writes() {
	make_history
	make_kubeconfig kubeconfig
	flock rhaii-backup/rhaii-dr.lock sleep 5 &
	local holder=$!
	sleep 0.3
	run snapshot --kubeconfig kubeconfig
	kill "$holder" 2>/dev/null
	assert_exit 10
}

test_failure_as_json() {
	make_kubeconfig kubeconfig
	run verify --kubeconfig kubeconfig -o json
	assert_exit 1
	assert_json "d['outcome'] == ['failed'] and d['error'] and d['hint']"
}

run_tests
