#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Command line over environment over configuration file over default.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

write_config() {
	mkdir -p "$XDG_CONFIG_HOME/rhaii-dr"
	printf '%s\n' "$@" >"$XDG_CONFIG_HOME/rhaii-dr/config.yaml"
}

# Which repository 'list' looks for shows where --repo came from.
test_default() {
	run list
	assert_exit 1
	assert_contains err "'./rhaii-backup'"
}

test_file_over_default() {
	write_config 'repo: ./from-file'
	run list
	assert_contains err "'./from-file'"
}

test_environment_over_file() {
	write_config 'repo: ./from-file'
	RHAII_DR_REPO=./from-environment run list
	assert_contains err "'./from-environment'"
}

test_command_line_over_environment() {
	write_config 'repo: ./from-file'
	RHAII_DR_REPO=./from-environment run list --repo ./from-flag
	assert_contains err "'./from-flag'"
}

test_last_flag_wins() {
	run list --repo one --repo two
	assert_contains err "'two'"
}

test_empty_variable_counts_as_unset() {
	RHAII_DR_REPO='' run list
	assert_contains err "'./rhaii-backup'"
}

test_home_without_xdg() {
	write_config 'repo: ./from-home'
	unset XDG_CONFIG_HOME
	run list
	assert_contains err "'./from-home'"
}

test_config_option_replaces_the_usual_file() {
	write_config 'repo: ./usual'
	echo 'repo: ./named' >other.yaml
	run list --config other.yaml
	assert_contains err "'./named'"
	RHAII_DR_CONFIG=other.yaml run list
	assert_contains err "'./named'"
}

test_named_file_must_be_there() {
	run list --config missing.yaml
	assert_exit 2
	assert_contains err "configuration file 'missing.yaml'"
}

test_unknown_key_names_key_and_file() {
	write_config 'repoo: ./x'
	run list
	assert_exit 2
	assert_contains err "unknown key 'repoo' in configuration file '$XDG_CONFIG_HOME/rhaii-dr/config.yaml', line 1"
	assert_contains err "did you mean 'repo'?"
}

test_unknown_key_says_its_line() {
	write_config 'repo: ./x' 'recovery:' '  rto: 20m' '  phases:' '    cutover:' '      assumd: 5m'
	run list
	assert_exit 2
	assert_contains err "config.yaml', line 6: key 'recovery.phases.cutover.assumd': unknown key 'assumd'"
	assert_contains err "did you mean 'assumed'?"
	write_config 'repo: ./x' 'repoo: ./y'
	run list
	assert_exit 2
	assert_contains err "config.yaml', line 2"
}

test_an_objective_is_said_once() {
	write_config 'rto: 20m' 'recovery: {rto: 30m}'
	run list
	assert_exit 2
	assert_contains err "key 'rto' of"
	assert_contains err 'said twice'
}

test_keys_of_other_commands_are_checked_too() {
	write_config 'page-size: many'
	run list
	assert_exit 2
	assert_contains err "key 'page-size' of '$XDG_CONFIG_HOME/rhaii-dr/config.yaml': expected a number"
}

test_consent_is_refused_in_the_file() {
	local key
	for key in yes in-place accept-edits; do
		write_config "'$key': true"
		run list
		assert_exit 2
		assert_contains err "'$key' cannot be set in a configuration file"
	done
}

test_consent_is_not_read_from_the_environment() {
	make_kubeconfig kubeconfig
	RHAII_DR_YES=true run restore x --kubeconfig kubeconfig
	assert_exit 2
	assert_contains err 'no terminal'
}

test_types_of_values() {
	write_config 'page-size: 100' 'rto: 1h30m' 'wait: 0' 'quiet: true' 'namespace: [a, b]' 'output: json' 'color: never'
	run version
	assert_exit 0
	assert_json "d['version']"
	write_config 'quiet: "true"'
	run version
	assert_exit 2
	assert_contains err 'expected true or false'
	write_config 'repo: 5'
	run version
	assert_exit 2
	assert_contains err 'expected a string'
	write_config 'rto: 30'
	run version
	assert_exit 2
	assert_contains err 'expected a duration'
}

test_not_a_map() {
	write_config '- repo'
	run list
	assert_exit 2
	assert_contains err 'not a map'
}

test_empty_file() {
	write_config ''
	run version
	assert_exit 0
}

test_broken_yaml_names_the_file() {
	write_config 'repo: ['
	run list
	assert_exit 2
	assert_contains err 'config.yaml'
}

test_error_of_a_variable_names_it() {
	RHAII_DR_OUTPUT=xml run version
	assert_exit 2
	assert_contains err "environment variable 'RHAII_DR_OUTPUT': 'xml' is none of"
}

test_flag_from_the_environment() {
	make_history
	RHAII_DR_EXIT_CODE=true run diff
	assert_exit 1
	RHAII_DR_EXIT_CODE=false run diff
	assert_exit 0
	RHAII_DR_EXIT_CODE=maybe run diff
	assert_exit 2
}

test_variable_of_another_command_is_not_looked_at() {
	RHAII_DR_PAGE_SIZE=many run version
	assert_exit 0
}

test_all_namespaces_undoes_the_file() {
	make_history
	write_config 'namespace: [other]'
	run show -o json
	assert_json "d['objects'] == []"
	run show -o json -A
	assert_json "len(d['objects']) == 2"
}

test_list_of_a_higher_source_replaces() {
	make_history
	write_config 'namespace: [rhaii-inference]'
	RHAII_DR_NAMESPACE=other,another run show -o json
	assert_json "d['objects'] == []"
	RHAII_DR_NAMESPACE=other run show -o json -n rhaii-inference
	assert_json "len(d['objects']) == 2"
}

run_tests
