#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The guards of a branch, on real clusters: what looks like a loss, another cluster, or a credential is not committed.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

source=$work/source target=$work/target
cluster_up source "$source" && cluster_load "$source" --gateway-port "$(free_port)" >/dev/null && cluster_up target "$target" || exit 1
# Put together here, so that this file holds no token to others.
token=hf_$(printf AbCdEfGhIjKlMnOpQrStUvWxYz012345)

head_of() {
	git -C backup rev-parse "clusters/$1"
}

refused_of() {
	git -C backup rev-parse -q --verify "refs/rhaii-dr/refused/$1" || true
}

# policies COUNT: as many NetworkPolicies that do not matter
policies() {
	seq "$1" | sed 's|.*|---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: extra-&, namespace: rhaii-inference, labels: {extra: "yes"}}\nspec: {podSelector: {matchLabels: {app: none}}}|' |
		cluster_kubectl "$source" apply -f - >/dev/null
}

# The token, or a part of it that would be enough, is nowhere in the repository nor in what was said.
nothing_leaked() {
	! grep -rqa "$token" backup out err || return 1
	same "objects with it" "$(git -C backup cat-file --batch-all-objects --batch | grep -aFc "$token" || true)" 0
}

# --- fewer objects ------------------------------------------------------------------------------------------------------------------

test_an_input_without_credentials_has_no_findings() {
	expect 0 dr "$source" snapshot --cluster prod --repo backup -o json
	jq -e '.findings == []' out
}

test_forty_percent_fewer_objects_are_refused() {
	expect 0 dr "$source" snapshot --cluster prod --repo backup -o json
	policies "$(jq '.objects' out)"
	expect 0 dr "$source" snapshot --cluster prod --repo backup
	head=$(head_of prod)
	cluster_kubectl "$source" delete networkpolicy -n rhaii-inference -l extra=yes >/dev/null
	expect 9 dr "$source" snapshot --cluster prod --repo backup
	has err "objects: "
	has err "50 % fewer"
	has err "rhaii-dr accept "
	same "head" "$(head_of prod)" "$head"
	same "parent of the refused one" "$(git -C backup rev-parse refs/rhaii-dr/refused/prod^)" "$head"
	git -C backup fsck --strict --full
}

test_the_same_refusal_keeps_its_id() {
	expect 9 dr "$source" snapshot --cluster prod --repo backup -o json
	jq -e '[.refused[].guard] == ["shrink"]' out
	id=$(jq -r .id out)
	expect 9 dr "$source" snapshot --cluster prod --repo backup -o json
	same "id" "$(jq -r .id out)" "$id"
	same "id in git" "$(git -C backup rev-parse 'refs/rhaii-dr/refused/prod^{tree}' | cut -c1-12)" "$id"
}

test_another_id_is_not_accepted() {
	expect 9 offline accept 0123456789ab --repo backup --cluster prod
	has err 0123456789ab
}

test_accept_commits_just_the_refused_one() {
	kept=$(refused_of prod)
	expect 0 offline accept "$(git -C backup rev-parse 'refs/rhaii-dr/refused/prod^{tree}' | cut -c1-12)" --repo backup --cluster prod --archive-dir archives
	has out "removed NetworkPolicy rhaii-inference/extra-1"
	same "head" "$(head_of prod)" "$kept"
	same "refused" "$(refused_of prod)" ""
	(cd archives && sha256sum -c ./*.sha256)
	expect 0 dr "$source" snapshot --cluster prod --repo backup
	same "head" "$(head_of prod)" "$kept"
}

# --- scope --------------------------------------------------------------------------------------------------------------------------

test_a_narrower_scope_is_refused() {
	head=$(head_of prod)
	expect 9 dr "$source" snapshot --cluster prod --repo backup -n rhaii-inference
	has err "narrower scope"
	expect 9 dr "$source" snapshot --cluster prod --repo backup --policy core
	has err "narrower scope"
	same "head" "$(head_of prod)" "$head"
}

test_a_wider_scope_is_taken() {
	expect 0 dr "$source" snapshot --cluster grows --repo backup -n istio-system
	expect 0 dr "$source" snapshot --cluster grows --repo backup -n istio-system,rhaii-inference
	expect 0 dr "$source" snapshot --cluster grows --repo backup
}

# --- another cluster -----------------------------------------------------------------------------------------------------------------

test_another_cluster_is_refused() {
	head=$(head_of prod)
	expect 9 dr "$target" snapshot --cluster prod --repo backup
	has err "another cluster"
	same "head" "$(head_of prod)" "$head"
}

test_a_snapshot_that_passes_forgets_what_was_refused() {
	[ -n "$(refused_of prod)" ]
	expect 0 dr "$source" snapshot --cluster prod --repo backup
	same "refused" "$(refused_of prod)" ""
}

# --- credentials ---------------------------------------------------------------------------------------------------------------------

test_a_credential_is_refused_and_nothing_is_written() {
	cluster_kubectl "$source" -n rhaii-inference patch llmisvc opt-125m-tuned --type json \
		-p "[{\"op\":\"add\",\"path\":\"/spec/template/containers/0/env/-\",\"value\":{\"name\":\"EXTRA\",\"value\":\"$token\"}}]"
	before=$(git -C backup cat-file --batch-all-objects --batch-check; git -C backup for-each-ref)
	expect 9 dr "$source" snapshot --cluster prod --repo backup
	has err "LLMInferenceService rhaii-inference/opt-125m-tuned: spec.template.containers[name=main].env[name=EXTRA].value: Hugging Face token"
	same "repository" "$(git -C backup cat-file --batch-all-objects --batch-check; git -C backup for-each-ref)" "$before"
	nothing_leaked
	expect 9 dr "$source" snapshot --cluster prod --repo backup -o json
	jq -e '.id == null and [.refused[].guard] == ["credential"]' out
	nothing_leaked
	expect 9 dr "$source" snapshot --cluster fresh --repo leaked
	same "objects" "$(git -C leaked cat-file --batch-all-objects --batch-check)" ""
}

test_a_waiver_lets_it_pass_and_no_output_tells_it() {
	cat >policy.yaml <<-'YAML'
		format: 1
		name: ours
		include: rhaii
		waivers:
		- object: LLMInferenceService rhaii-inference/opt-125m-tuned
		  path: spec.template.containers[name=main].env[name=EXTRA].value
		  reason: a test
	YAML
	expect 0 dr "$source" snapshot --cluster prod --repo backup --policy ./policy.yaml -o json
	has_not out "$token"
	expect 0 offline diff --repo backup --cluster prod
	has_not out "$token"
	git -C backup log -1 --format=%B clusters/prod >message
	has message "env"
	has_not message "$token"
	grep -qF "$token" <(git -C backup show clusters/prod:objects/namespaces/rhaii-inference/llminferenceservices.serving.kserve.io/opt-125m-tuned.yaml)
}

run_tests
exit "$failed"
