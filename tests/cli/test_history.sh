#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# list, show, diff and log on snapshots made by hand.
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
	assert_json "d == [{'change': 'changed', 'kind': 'LLMInferenceService', 'namespace': 'rhaii-inference', 'name': 'qwen', 'manager': None, 'time': None, 'fields': [{'path': 'spec.replicas', 'old': '3', 'new': '0', 'manager': None, 'time': None}]}]"
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

# --- log ----------------------------------------------------------------------------------------------------------------------------------

# make_blamed: as make_history, with who it was in the message of the second snapshot
make_blamed() {
	make_tree one 3
	commit_tree rhaii-backup one 2026-11-20T13:00:00Z 'prod: first snapshot, 2 objects'
	make_tree two 0
	commit_tree rhaii-backup two 2026-11-20T14:00:00Z $'prod: 2 objects, 0 added, 1 changed, 0 removed\n\nchanged '"$service: spec.replicas 3 -> 0 (kubectl-edit, 2026-11-20T13:38Z)"
}

test_log_tells_each_change_newest_first() {
	make_blamed
	run log llminferenceservice rhaii-inference/qwen
	assert_exit 0
	assert_equal "$out" "2026-11-20T14:00:00Z, snapshot $(git -C rhaii-backup rev-parse --short=12 clusters/prod)
changed $service: spec.replicas 3 -> 0 (kubectl-edit, 2026-11-20T13:38Z)

2026-11-20T13:00:00Z, snapshot $(git -C rhaii-backup rev-parse --short=12 clusters/prod~1)
added $service"
}

test_log_as_json() {
	make_blamed
	run log llminferenceservice rhaii-inference/qwen -o json
	assert_exit 0
	assert_json "[c['change'] for c in d] == ['changed', 'added'] and d[0]['capturedAt'] == '2026-11-20T14:00:00Z'"
	assert_json "d[0]['fields'] == [{'path': 'spec.replicas', 'old': '3', 'new': '0', 'manager': 'kubectl-edit', 'time': '2026-11-20T13:38Z'}]"
}

test_log_takes_the_names_that_kubectl_takes() {
	make_history
	for object in 'LLMInferenceService rhaii-inference/qwen' 'llminferenceservices rhaii-inference/qwen' 'llminferenceservices.serving.kserve.io/qwen -n rhaii-inference' \
		'LLMInferenceService/rhaii-inference/qwen' 'llminferenceservice qwen -n rhaii-inference' 'ns rhaii-inference' 'namespaces/rhaii-inference' 'Namespace rhaii-inference'; do
		# shellcheck disable=SC2086
		run log $object
		assert_exit 0
		assert_contains out 'added '
	done
}

test_log_takes_the_short_names_of_a_definition() {
	make_tree one 3
	mkdir one/crds
	printf 'spec:\n  names:\n    shortNames:\n    - llmisvc\n    singular: llminferenceservice\n' >one/crds/llminferenceservices.serving.kserve.io.yaml
	commit_tree rhaii-backup one 2026-11-20T13:00:00Z 'prod: first snapshot, 2 objects'
	run log llmisvc/qwen -n rhaii-inference
	assert_exit 0
	assert_equal "$(sed -n 2p <<<"$out")" "added $service"
}

test_log_of_an_object_that_went() {
	make_history
	rm -r two/objects/namespaces
	commit_tree rhaii-backup two 2026-11-20T15:00:00Z 'prod: 1 objects, 0 added, 0 changed, 1 removed'
	run log llminferenceservice rhaii-inference/qwen
	assert_exit 0
	assert_equal "$(sed -n 2p <<<"$out")" "removed $service"
}

test_log_of_an_unknown_kind_names_the_nearest() {
	make_history
	run log llminferenceservic rhaii-inference/qwen
	assert_exit 2
	assert_contains err "did you mean 'llminferenceservice"
	run log gadgets x
	assert_exit 2
	assert_contains err "no kind 'gadgets'"
}

test_log_of_an_unknown_object() {
	make_history
	run log llminferenceservice rhaii-inference/qwem
	assert_exit 1
	assert_contains err 'rhaii-inference/qwem'
	assert_contains err "did you mean 'rhaii-inference/qwen'?"
	run log llminferenceservice qwen
	assert_exit 1
	assert_contains err "did you mean 'rhaii-inference/qwen'?"
	assert_contains err 'hint: '
	run log llminferenceservice
	assert_exit 2
	run log llminferenceservice a/b/c
	assert_exit 2
}

test_diff_of_the_last_two_recalls_who_it_was() {
	make_blamed
	run diff
	assert_equal "$out" "changed $service: spec.replicas 3 -> 0 (kubectl-edit, 2026-11-20T13:38Z)"
}

test_diff_live_takes_no_second_snapshot() {
	make_history
	run diff clusters/prod~1 clusters/prod --live
	assert_exit 2
	assert_contains err '--live'
}

test_diff_live_of_a_cluster_that_does_not_answer() {
	make_tree one 3
	cp "$root/policies/core.yaml" one/policy.yaml
	commit_tree rhaii-backup one 2026-11-20T13:00:00Z first
	make_kubeconfig kubeconfig
	run diff --live --exit-code --kubeconfig kubeconfig
	assert_exit 2
	assert_contains err '127.0.0.1'
	assert_equal "$(find "${TMPDIR:-/tmp}" -maxdepth 1 -name 'rhaii-dr-??????' -user "$(id -u)" -newer kubeconfig)" ''
}

# --- maintenance ---------------------------------------------------------------------------------------------------------------------------

test_show_names_what_does_not_serve() {
	make_history
	run show -o json
	assert_json "d['maintenance'] == [{'kind': 'LLMInferenceService', 'namespace': 'rhaii-inference', 'name': 'qwen', 'state': 'replicas 0'}]"
	run show
	assert_contains out 'replicas 0'
	run show clusters/prod~1 -o json
	assert_json "d['maintenance'] == []"
}

test_show_names_what_was_being_deleted() {
	make_tree one 3
	commit_tree rhaii-backup one 2026-11-20T13:00:00Z $'prod: first snapshot, 2 objects\n\nin maintenance: '"$service (Terminating)"
	run show -o json
	assert_json "[(m['name'], m['state']) for m in d['maintenance']] == [('qwen', 'Terminating')]"
}

test_list_counts_what_does_not_serve() {
	make_history
	run list -o json
	assert_json "all(e['maintenance'] is None and e['notReady'] is None for e in d)"
	git -C rhaii-backup cat-file commit clusters/prod | sed '$a Maintenance: 1' | git -C rhaii-backup hash-object -t commit -w --stdin >id
	git -C rhaii-backup update-ref refs/heads/clusters/prod "$(cat id)"
	printf 'object %s\ntype commit\ntag captured/prod\ntagger a <a> 1 +0000\n\nseen\n\nCaptured-At: 2026-11-20T15:00:00Z\nNot-Ready: 2\n' "$(cat id)" >tag
	git -C rhaii-backup update-ref refs/rhaii-dr/captured/prod "$(git -C rhaii-backup hash-object -t tag -w --stdin <tag)"
	run list -o json
	assert_json "[(e['maintenance'], e['notReady']) for e in d] == [(1, 2), (None, None)]"
	run list
	assert_contains out MAINTENANCE
}

# --- show --why ---------------------------------------------------------------------------------------------------------------------------

# A snapshot with a policy that is one.
make_explained() {
	make_tree one 3
	printf 'format: 1\nname: ours\ninclude: rhaii\n' >one/policy.yaml
	commit_tree rhaii-backup one 2026-11-20T13:00:00Z 'prod: first snapshot, 2 objects'
}

test_show_says_why_of_one_object() {
	make_explained
	for object in 'llminferenceservice rhaii-inference/qwen' 'LLMInferenceService/rhaii-inference/qwen' \
		'llminferenceservices.serving.kserve.io/qwen -n rhaii-inference' 'LLMInferenceService.serving.kserve.io rhaii-inference/qwen'; do
		# shellcheck disable=SC2086
		run show --why $object
		assert_exit 0
		assert_contains out 'class        authored'
		assert_contains out 'no controller owns it'
	done
	# shellcheck disable=SC2086
	run show clusters/prod --why llminferenceservice rhaii-inference/qwen -o json
	assert_exit 0
	assert_equal "$(jq -r '[.object.kind, .class] | join(" ")' <<<"$out")" 'LLMInferenceService authored'
}

test_show_says_why_an_object_is_not_there() {
	make_explained
	run show --why secret rhaii-inference/token
	assert_exit 0
	assert_contains out 'class        unknown'
	assert_contains out 'Secrets are never read'
	run show --why gadget rhaii-inference/x
	assert_exit 0
	assert_contains out 'the policy has no row for its kind'
	run show --why llminferenceservic rhaii-inference/x
	assert_contains out "called nearly so"
}

test_show_needs_one_object_to_say_why_of() {
	make_explained
	run show --why llminferenceservice
	assert_exit 2
	assert_contains err "name the object: llminferenceservice NS/NAME"
	run show clusters/prod clusters/prod
	assert_exit 2
	run show a b --why llminferenceservice/x
	assert_exit 2
}

test_orphans_are_counted_and_shown() {
	make_tree one 3
	sed -i 's/^notServed/orphans: 1\n&/' one/snapshot.yaml
	printf '%s\n' 'format: 1' 'objects: []' 'orphans:' "- {group: apps, resource: deployments, kind: Deployment, namespace: rhaii-inference, name: old, owner: null, why: 'made by K'}" >one/generated.yaml
	commit_tree rhaii-backup one 2026-11-20T13:00:00Z 'prod: first snapshot, 2 objects'
	run list -o json
	assert_json "[e['orphans'] for e in d] == [1]"
	run show
	assert_contains out 'Orphans, made by a controller'
	assert_contains out 'made by K'
	run show -o json
	assert_json "[o['name'] for o in d['orphans']] == ['old']"
}

run_tests
