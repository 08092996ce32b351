#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# status and rbac, which ask no cluster.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

test_rbac_needs_a_command() {
	run rbac
	assert_exit 2
	assert_contains err 'for which command?'
	assert_contains err '--for snapshot'
}

test_rbac_is_for_three_commands() {
	run rbac --for list
	assert_exit 2
	assert_contains err "'list' is none of snapshot, restore, verify"
}

test_rbac_prints_documents_or_a_list() {
	run rbac --for snapshot
	assert_exit 0
	assert_empty err
	assert_equal "$(grep -c '^---$' <<<"$out")" 2
	run rbac --for snapshot -o json
	assert_json "d['kind'] == 'List' and [i['kind'] for i in d['items']] == ['ClusterRole', 'ClusterRoleBinding']"
}

test_rbac_of_a_smaller_policy_is_smaller() {
	run rbac --for snapshot --policy core -o json
	assert_exit 0
	assert_json "not any('configmaps' in r['resources'] for r in d['items'][0]['rules'])"
}

test_rbac_names_the_account() {
	run rbac --for verify --service-account ops/dr -o json
	assert_json "d['items'][1]['subjects'] == [{'kind': 'ServiceAccount', 'namespace': 'ops', 'name': 'dr'}]"
	for account in dr ops/ /dr ops/dr/x 'ops/Dr'; do
		run rbac --for verify --service-account "$account"
		assert_exit 2
		assert_contains err 'is no NAMESPACE/NAME'
	done
}

test_rbac_for_restore_says_what_is_not_given() {
	run rbac --for restore -o json
	assert_exit 0
	assert_contains err 'escalate and bind are not given'
}

test_rbac_of_many_namespaces_for_restore_is_refused() {
	run rbac --for restore -n a,b,c,d,e,f,g,h,i
	assert_exit 2
	run rbac --for snapshot -n a,b,c,d,e,f,g,h,i
	assert_exit 0
}

test_status_without_repository() {
	run status
	assert_exit 1
	assert_contains err 'no git repository'
}

test_status_of_an_old_snapshot() {
	make_history
	run status -o json --max-age 1h
	assert_exit 4
	assert_json "d['offsite'] == 'none' and d['clusters'][0]['tooOld'] and d['clusters'][0]['objects'] == 2 and d['clusters'][0]['archive'] is None"
	run status --max-age 100000h
	assert_exit 0
	assert_contains out 'RPO now'
	assert_contains err 'offsite: none'
}

test_status_of_an_unknown_cluster() {
	make_history
	run status --cluster staging
	assert_exit 1
}

test_status_tells_what_is_declared_as_such() {
	make_history
	echo 'offsite: tape' >config.yaml
	run status --config config.yaml --max-age 100000h
	assert_exit 0
	assert_contains out 'declared, not checked: tape'
	assert_empty err
}

test_status_writes_metrics_also_when_too_old() {
	make_history
	run status --openmetrics metrics
	assert_exit 4
	assert_equal "$(tail -n 1 metrics)" '# EOF'
	assert_equal "$(grep -c '^rhaii_dr_rpo_missed{cluster="prod"} 1$' metrics)" 1
	run status --openmetrics nowhere/metrics --max-age 100000h
	assert_exit 1
	assert_contains err nowhere/metrics
}

run_tests
