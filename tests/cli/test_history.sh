#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# list, show and diff on snapshots made by hand.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

service='LLMInferenceService rhaii-inference/qwen'

test_list_newest_first() {
	make_history
	run list
	assert_exit 0
	assert_contains out 'CAPTURED AT'
	assert_equal "$(sed -n 2p <<<"$out" | cut -c1-12)" "$(git -C rhaii-backup rev-parse --short=12 clusters/prod)"
	assert_contains out '2026-11-20T14:00:00Z'
	assert_contains out 'prod: first snapshot, 2 objects'
}

test_list_as_json() {
	make_history
	run list -o json
	assert_exit 0
	assert_json "[e['capturedAt'] for e in d] == ['2026-11-20T14:00:00Z', '2026-11-20T13:00:00Z']"
	assert_json "all(e['objects'] == 2 and e['unchangedUntil'] is None and len(e['commit']) == 40 for e in d)"
}

test_list_of_a_commit_that_is_not_ours() {
	make_history
	local tree commit
	tree=$(git -C rhaii-backup mktree </dev/null)
	commit=$(GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a git -C rhaii-backup commit-tree -p clusters/prod -m 'by hand' "$tree")
	git -C rhaii-backup update-ref refs/heads/clusters/prod "$commit"
	run list -o json
	assert_exit 0
	assert_json "len(d) == 3 and d[0]['objects'] is None and d[0]['subject'] == 'by hand'"
}

test_list_without_repository() {
	run list
	assert_exit 1
	assert_contains err "no git repository at './rhaii-backup'"
	assert_contains err 'hint: '
}

test_list_of_an_unknown_cluster() {
	make_history
	run list --cluster staging
	assert_exit 1
	assert_contains err 'staging'
}

test_list_escapes_subjects() {
	make_tree one 3
	commit_tree rhaii-backup one 2026-11-20T13:00:00Z $'evil \e[31m subject'
	run list
	assert_exit 0
	assert_lacks out $'\e'
}

test_show_the_newest() {
	make_history
	run show
	assert_exit 0
	assert_contains out 'prod'
	assert_contains out "$(git -C rhaii-backup rev-parse clusters/prod)"
	assert_contains out 'verified'
	assert_contains out 'all namespaces but kube-*'
	assert_contains out 'hf-token'
	assert_contains out 'hf://Qwen/Qwen2.5-0.5B'
	assert_contains out 'LLMInferenceService'
}

test_show_as_json() {
	make_history
	run show clusters/prod~1 -o json
	assert_exit 0
	assert_json "d['outcome'] == ['done'] and d['cluster'] == 'prod' and d['capturedAt'] == '2026-11-20T13:00:00Z' and d['verified']"
	assert_json "[o['name'] for o in d['objects']] == ['rhaii-inference', 'qwen'] and d['requirements'][0]['name'] == 'hf-token'"
	assert_equal "$(python3 -c 'import json,sys; print(json.load(sys.stdin)["objectsTree"])' <<<"$out")" \
		"$(git -C rhaii-backup rev-parse clusters/prod~1:objects)"
}

test_show_at_a_time() {
	make_history
	run show '@{2026-11-20T13:30Z}' -o json
	assert_exit 0
	assert_json "d['capturedAt'] == '2026-11-20T13:00:00Z'"
}

test_show_filters_by_namespace() {
	make_history
	run show -o json -n other
	assert_json "d['objects'] == []"
	run show -o json -n rhaii-inference,other
	assert_json "len(d['objects']) == 2"
}

test_show_an_unverified_folder() {
	make_tree folder 1
	run show ./folder
	assert_exit 0
	assert_contains out 'unverified'
}

test_show_an_edited_folder() {
	make_tree folder 1
	print_manifest folder >manifest && mv manifest folder/MANIFEST.sha256
	run show ./folder -o json
	assert_exit 0
	assert_json "d['verified']"
	make_tree folder 2
	run show ./folder
	assert_exit 6
	run show ./folder --accept-edits
	assert_exit 0
	assert_contains out 'edited'
	assert_contains out 'qwen.yaml'
}

test_show_a_damaged_folder_as_json() {
	make_tree folder 1
	ln -s /etc/passwd folder/objects/passwd.yaml
	run show ./folder -o json
	assert_exit 6
	assert_json "d['outcome'] == ['integrity'] and d['error']"
}

test_show_a_hand_made_commit() {
	make_history
	make_tree three 7
	commit_tree rhaii-backup three 2026-11-20T15:00:00Z 'by hand'
	local commit
	commit=$(git -C rhaii-backup cat-file commit clusters/prod | sed 's/^Manifest-SHA256: .*/Manifest-SHA256: 0000/' |
		git -C rhaii-backup hash-object -t commit -w --stdin)
	git -C rhaii-backup update-ref refs/heads/clusters/prod "$commit"
	run show
	assert_exit 6
	run show --accept-edits
	assert_exit 0
}

test_diff_of_the_last_two() {
	make_history
	run diff
	assert_exit 0
	assert_equal "$out" "changed $service: spec.replicas 3 -> 0"
}

test_diff_of_the_first_is_all_added() {
	make_tree one 3
	commit_tree rhaii-backup one 2026-11-20T13:00:00Z first
	run diff
	assert_exit 0
	assert_equal "$out" "added Namespace rhaii-inference
added $service"
}

test_diff_from_one_to_the_newest() {
	make_history
	run diff clusters/prod~1 -o json
	assert_exit 0
	assert_json "d == [{'change': 'changed', 'kind': 'LLMInferenceService', 'namespace': 'rhaii-inference', 'name': 'qwen', 'fields': [{'path': 'spec.replicas', 'old': '3', 'new': '0'}]}]"
}

test_diff_of_revision_and_folder() {
	make_history
	make_tree folder 0
	rm folder/objects/cluster/namespaces/rhaii-inference.yaml
	run diff clusters/prod ./folder
	assert_exit 0
	assert_equal "$out" 'removed Namespace rhaii-inference'
}

test_diff_filters_by_namespace() {
	make_history
	run diff -n other --exit-code
	assert_exit 0
	assert_empty out
}

test_diff_exit_code() {
	make_history
	run diff --exit-code
	assert_exit 1
	run diff clusters/prod clusters/prod --exit-code
	assert_exit 0
	assert_empty out
	run diff no-such-revision --exit-code
	assert_exit 2
	run diff no-such-revision
	assert_exit 1
	run diff --repo nowhere --exit-code
	assert_exit 2
}

test_diff_without_differences_as_json() {
	make_history
	run diff clusters/prod clusters/prod -o json
	assert_exit 0
	assert_json 'd == []'
}

test_diff_in_color() {
	make_history
	run diff --color always
	assert_contains out $'\e[33mchanged\e[0m'
	run diff --color never
	assert_lacks out $'\e'
	run diff
	assert_lacks out $'\e'
}

test_diff_says_on_stderr_what_it_compares() {
	make_history
	run diff
	assert_contains err "$(git -C rhaii-backup rev-parse clusters/prod~1)"
	run diff -q
	assert_empty err
}

run_tests
