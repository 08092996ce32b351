#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the command line takes, and what it says when it does not.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

commands='snapshot accept restore clock verify list show diff status rbac help version'

test_no_command_is_a_usage_error() {
	run
	assert_exit 2
	assert_empty out
	assert_contains err 'rhaii-dr: error: no command given'
	assert_contains err 'hint: '
}

test_unknown_command_suggests_the_nearest() {
	run retsore
	assert_exit 2
	assert_contains err "unknown command 'retsore'"
	assert_contains err "hint: did you mean 'restore'?"
}

test_a_far_word_suggests_nothing() {
	run xylophone
	assert_exit 2
	assert_lacks err 'did you mean'
	assert_contains err "'rhaii-dr help' lists the commands"
}

test_unknown_option_suggests_the_nearest() {
	run list --rpeo x
	assert_exit 2
	assert_contains err "unknown option '--rpeo'"
	assert_contains err "hint: did you mean '--repo'?"
}

test_unknown_letter_is_named() {
	run list -qz
	assert_exit 2
	assert_contains err "unknown option '-z' (in '-qz')"
}

test_option_of_another_command_is_refused() {
	run list --page-size 5
	assert_exit 2
	assert_contains err "'list' takes no option '--page-size'"
	assert_contains err "hint: 'rhaii-dr help list' lists its options"
}

test_restore_takes_no_namespace() {
	run restore x --yes -n a
	assert_exit 2
	assert_contains err "'restore' takes no option '-n'"
}

test_missing_value() {
	run list --repo
	assert_exit 2
	assert_contains err "option '--repo' needs a value"
}

test_flag_with_value() {
	run diff --exit-code=yes
	assert_exit 2
	assert_contains err "option '--exit-code' takes no value"
}

test_empty_value() {
	run list --repo=
	assert_exit 2
	assert_contains err "option '--repo': empty, expected DIR"
}

test_bad_choice_lists_the_words() {
	run list -o jsn
	assert_exit 2
	assert_contains err "option '-o': 'jsn' is none of table, json, yaml"
	assert_contains err "did you mean 'json'?"
}

test_bad_number() {
	local value
	for value in 0 -1 x 5x 99999999999 ''; do
		run snapshot --page-size="$value"
		assert_exit 2
		assert_contains err "option '--page-size': '$value' is no number"
	done
}

test_bad_duration() {
	run restore x --yes --wait 30
	assert_exit 2
	assert_contains err "option '--wait': '30' is no duration"
}

test_missing_argument_shows_the_usage() {
	run restore --yes
	assert_exit 2
	assert_contains err "'restore' needs SNAPSHOT"
	assert_contains err 'hint: usage: rhaii-dr restore [OPTIONS] SNAPSHOT'
}

test_argument_too_many() {
	run list prod
	assert_exit 2
	assert_contains err "'list' has no use for the argument 'prod'"
}

test_quiet_and_verbose_contradict() {
	run version -qv
	assert_exit 2
	assert_contains err '--quiet and --verbose contradict each other'
}

test_namespace_and_all_namespaces_contradict() {
	run show -n a -A
	assert_exit 2
	assert_contains err '--namespace and --all-namespaces contradict each other'
}

test_only_the_first_error_is_told() {
	run list --bogus --worse -o nothing
	assert_exit 2
	assert_equal "$(grep -c 'error:' <<<"$err")" 1
	assert_contains err "unknown option '--bogus'"
}

test_forms_of_options() {
	local form
	for form in '--output json' '--output=json' '-o json' '-ojson' '-o=json' '-qo json'; do
		# shellcheck disable=SC2086
		run version $form
		assert_exit 0
		assert_json "d['version']"
		# shellcheck disable=SC2086
		run $form version
		assert_exit 0
		assert_json "d['version']"
	done
}

test_double_dash_ends_options() {
	run help -- --yes
	assert_exit 2
	assert_contains err "unknown command '--yes'"
}

test_error_as_json() {
	run -o json frobnicate
	assert_exit 2
	assert_json "d['outcome'] == ['usage'] and 'frobnicate' in d['error'] and d['hint']"
	assert_contains err "rhaii-dr: error: unknown command 'frobnicate'"
}

test_error_as_json_when_the_option_comes_after_the_mistake() {
	run list --bogus -o json
	assert_exit 2
	assert_json "d['outcome'] == ['usage'] and d['error'] == \"unknown option '--bogus'\""
}

test_error_as_yaml() {
	run list -o yaml
	assert_exit 1
	assert_contains out 'outcome:'
	assert_contains out '- failed'
}

test_error_in_a_json_log() {
	run list --log-format json
	assert_exit 1
	assert_equal "$(python3 -c 'import json,sys; print(json.load(sys.stdin)["level"])' <<<"$err")" error
}

test_hostile_argument_does_not_reach_the_terminal() {
	run list $'\e[31mred\n'
	assert_exit 2
	assert_lacks err $'\e'
}

test_every_command_has_help() {
	local command direct
	for command in $commands; do
		run help "$command"
		assert_exit 0
		assert_empty err
		assert_contains out "Usage: rhaii-dr $command"
		direct=$out
		run "$command" --help
		assert_exit 0
		assert_equal "$out" "$direct"
		run -h "$command"
		assert_exit 0
		assert_equal "$out" "$direct"
	done
}

test_help_lists_commands_and_exit_codes() {
	local command code
	run help
	assert_exit 0
	for command in $commands; do
		grep -q "^  $command " <<<"$out" || fail "no line for $command"
	done
	for code in 0 1 2 3 4 5 6 7 8 9 10; do
		grep -q "^  $code " <<<"$out" || fail "no line for exit code $code"
	done
	local overview=$out
	run --help
	assert_exit 0
	assert_equal "$out" "$overview"
}

test_help_of_restore_names_its_options() {
	local option
	run help restore
	for option in --yes --in-place --accept-edits --policy --wait --rto --repo --cluster --kubeconfig --context --output --config; do
		assert_contains out "$option"
	done
	assert_contains out '(default 30m)'
	assert_contains out '(only on the command line)'
	assert_lacks out '--namespace'
}

test_help_of_an_unknown_command() {
	run help shwo
	assert_exit 2
	assert_contains err "did you mean 'show'?"
}

test_help_works_with_a_broken_configuration() {
	mkdir -p "$XDG_CONFIG_HOME/rhaii-dr"
	echo 'nonsense: 1' >"$XDG_CONFIG_HOME/rhaii-dr/config.yaml"
	run list
	assert_exit 2
	run list --help
	assert_exit 0
	run help list
	assert_exit 0
	run --version
	assert_exit 0
}

test_version() {
	run version
	assert_exit 0
	assert_contains out 'rhaii-dr 0.'
	local text=$out
	run --version
	assert_equal "$out" "$text"
	run version -o json
	assert_json "d['outcome'] == ['done'] and d['formats'] == {'snapshot': 1} and d['libraries']['jansson']"
}

test_as_kubectl_plugin() {
	ln -s "$binary" kubectl-rhaii_dr
	binary=$PWD/kubectl-rhaii_dr
	run help
	assert_exit 0
	assert_contains out 'Usage: kubectl rhaii-dr COMMAND'
}

test_full_disk_is_a_failure() {
	[ -c /dev/full ] || return 0
	"$binary" help >/dev/full 2>"$sandbox/err"
	status=$?
	err=$(<"$sandbox/err")
	assert_exit 1
	assert_contains err 'cannot write the result'
}

test_reader_that_went_away_is_no_failure() {
	"$binary" help 2>"$sandbox/err" | true
	status=${PIPESTATUS[0]}
	err=$(<"$sandbox/err")
	assert_exit 0
	assert_empty err
}

run_tests
