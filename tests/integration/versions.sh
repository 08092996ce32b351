#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Versions of a custom kind, on real API servers: what a source serves and stores, what a target does not serve or would drop, and a storage migration.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

kind=llminferenceservices.serving.kserve.io
source=$work/source plain=$work/plain kserve=$work/kserve
cluster_up plain-source "$source" && cluster_up plain-target "$plain" && cluster_up target "$kserve" --no-gateway || exit 1
# The published definition without the pod templates, which an API server works on for seconds, and without the rules that speak of them.
cluster_kubectl "$source" get crd "$kind" -o json | jq 'del(.status) | .metadata |= {name}
	| walk(if type == "object" then del(.["x-kubernetes-validations"]) | if .properties | type == "object" then .properties |= (del(.template, .worker, .prefill)) else . end else . end)' >published.json
cluster_kubectl "$source" create namespace models >/dev/null || exit 1

# service NAME VERSION [POOL]: as JSON; the pool's fields have other names in each version
service() {
	printf '{"apiVersion":"serving.kserve.io/%s","kind":"LLMInferenceService","metadata":{"name":"%s","namespace":"models"},"spec":{"replicas":2,"model":{"uri":"hf://facebook/opt-125m","name":"opt"}%s}}' \
		"$2" "$1" "${3:+,\"router\":{\"scheduler\":{\"pool\":{\"spec\":$3\}\}\}}"
}
old_pool='{"extensionRef":{"name":"picker","failureMode":"FailOpen"},"targetPortNumber":8000,"selector":{"app":"opt"}}'
new_pool='{"endpointPickerRef":{"name":"picker","port":{"number":9002}},"targetPorts":[{"number":8000}],"selector":{"matchLabels":{"app":"opt"}}}'

create() { # cluster < objects
	jq -c . | cluster_kubectl "$1" create --validate=false -f -
}

# soon COMMAND...: what an API server serves follows its definitions a moment later
soon() {
	for _ in $(seq 30); do
		"$@" >said 2>&1 && return
		sleep 0.3
	done
	cat said
	return 1
}

# serves CLUSTER-DIR VERSION...: it tells whoever asks that it serves these of the services, and no other, and does
serves() {
	local server version
	server=$(sed -n 's|.*server: *"\{0,1\}\(https://[^"]*\).*|\1|p' "$1/token.kubeconfig")
	sed -n 's/.*token: *"\{0,1\}\([^"]*\).*/Authorization: Bearer \1/p' "$1/token.kubeconfig" >header
	curl -sS --cacert "$1/ca.crt" -H @header -H 'Accept: application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList' "$server/apis" >groups.json || return
	same "served versions" "$(jq -r '[.items[] | select(.metadata.name == "serving.kserve.io").versions[] | select(any(.resources[]; .resource == "llminferenceservices")).version] | sort | join(" ")' groups.json)" "${*:2}" || return
	for version in "${@:2}"; do
		cluster_kubectl "$1" get --raw "/apis/serving.kserve.io/$version/llminferenceservices" || return
	done
}

# define CLUSTER-DIR JQ: the services are gone with their definition; there is the published one again, changed by the filter
define() {
	cluster_kubectl "$1" delete crd "$kind"
	jq "$2" published.json >definition.json
	cluster_kubectl "$1" create --validate=false -f definition.json
}

# change CLUSTER-DIR JQ: the definition as it is there, changed by the filter
change() {
	cluster_kubectl "$1" get crd "$kind" -o json | jq "del(.metadata.resourceVersion) | $2" | cluster_kubectl "$1" replace --validate=false -f -
}

v1='.spec.versions[] | select(.name == "v1alpha1")' v2='.spec.versions[] | select(.name == "v1alpha2")'
only_v1="del($v2) | ($v1).storage = true"
stored_v1="($v1).storage = true | ($v2).storage = false"
stored_v2="($v1).storage = false | ($v2).storage = true"

snapshot() { # cluster name
	expect 0 dr "$1" snapshot --cluster "$2" --repo backup
}

# failed CHECK OBJECT...: in ./out that check, and no other, stops just these objects, and says what to do
failed() {
	jq '[.preflight[] | select(.result == "failed" and .blocks == "apply")]' out >failed.json
	same "failed checks" "$(jq -r '[.[].check] | unique | join(" ")' failed.json)" "$1"
	same "objects" "$(jq -r '[.[].objects[]] | unique | join(" ")' failed.json)" "${*:2}"
	jq -e 'all(.mend != null and .mend != "")' failed.json
}

# says TEXT: one of the findings does, in its text or its next step
says() {
	jq -e --arg text "$1" '[.[] | .text, .mend] | any(contains($text))' failed.json
}

# plan CODE CLUSTER-DIR SNAPSHOT ARGS...
plan() {
	expect "$1" dr "$2" plan "$3" --cluster "$3" --repo backup -o json --wait 0 "${@:4}"
}

at() { # snapshot object
	git -C backup show "clusters/$1:objects/namespaces/models/$kind/$2.yaml"
}

is_created() { # cluster name
	cluster_kubectl "$1" -n models get "$kind" "$2"
}

# --- the source serves v1alpha1 only ----------------------------------------------------------------------------------------------------------------

test_a_source_that_serves_only_v1alpha1() {
	define "$source" "$only_v1"
	soon serves "$source" v1alpha1
	{ service plain v1alpha1 && service pool v1alpha1 "$old_pool"; } | create "$source"
	snapshot "$source" old
	at old pool | tee object
	has object 'apiVersion: serving.kserve.io/v1alpha1'
	has object 'targetPortNumber: 8000'
	git -C backup show clusters/old:requirements.yaml >requirements
	grep -A5 'name: '$kind requirements >told
	has told 'storageVersion: v1alpha1'
	has_not told v1alpha2
}

test_a_webhook_of_the_target_converts_it() {
	plan 0 "$kserve" old
	expect 0 dr "$kserve" restore old --cluster old --repo backup --yes --wait 0 -o json
	jq -e '.counts.failed == 0 and .counts.conflict == 0 and .findings == []' out
	cluster_kubectl "$kserve" -n models get "llminferenceservices.v1alpha2.serving.kserve.io" pool -o json | jq -e '.spec.router.scheduler.pool.spec.targetPorts == [{number: 8000}]'
	expect 0 dr "$kserve" restore old --cluster old --repo backup --yes --wait 0 -o json
	jq -e '.counts.created == 0 and .counts.conflict == 0' out
}

# The published definition of the chart: both versions, and nothing converts.
test_a_target_that_stores_v1alpha2_without_conversion_would_drop_fields() {
	before=$(mark "$plain")
	plan 7 "$plain" old
	failed fields 'LLMInferenceService models/pool'
	says 'LLMInferenceService models/pool: the target stores version v1alpha2 without conversion from v1alpha1, and that does not know'
	says 'spec.router.scheduler.pool.spec.targetPortNumber'
	says 'whose definition converts'
	expect 7 dr "$plain" restore old --cluster old --repo backup --yes --wait 0
	has out spec.router.scheduler.pool.spec.targetPortNumber
	only_reads "$plain" "$before"
	expect 1 dr "$plain" doctor old --cluster old --repo backup
	has out spec.router.scheduler.pool.spec.targetPortNumber
}

test_partial_leaves_out_just_the_object_that_would_lose_them() {
	expect 3 dr "$plain" restore old --cluster old --repo backup --yes --wait 0 --partial -o json
	jq -e '[.waves[].actions[] | select(.result == "blocked").name] == ["pool"]' out
	is_created "$plain" plain
	! is_created "$plain" pool
}

test_ignore_sends_it_and_the_report_names_what_was_dropped() {
	expect 0 dr "$plain" restore old --cluster old --repo backup --yes --wait 0 --ignore fields -o json
	jq -e '[.findings[] | select(.object | contains("models/pool")).path] | any(contains("targetPortNumber"))' out
	is_created "$plain" pool
}

# --- both versions, nothing converts -------------------------------------------------------------------------------------------------------------------

test_both_without_conversion_come_back_at_the_stored_version() {
	define "$source" .
	soon serves "$source" v1alpha1 v1alpha2
	{ service plain v1alpha1 && service pool v1alpha2 "$new_pool"; } | create "$source"
	snapshot "$source" both
	for name in plain pool; do
		at both "$name" >object
		has object 'apiVersion: serving.kserve.io/v1alpha2'
	done
	define "$plain" .
	soon serves "$plain" v1alpha1 v1alpha2
	expect 0 dr "$plain" restore both --cluster both --repo backup --yes --wait 0
	snapshot "$plain" again
	same "what differs" "$(git -C backup diff --raw clusters/both:objects clusters/again:objects)" ""
}

# --- targets that are of another release -----------------------------------------------------------------------------------------------------------------

test_a_target_without_the_stored_version() {
	define "$plain" "$only_v1"
	soon serves "$plain" v1alpha1
	before=$(mark "$plain")
	plan 7 "$plain" both
	failed versions 'LLMInferenceService models/plain LLMInferenceService models/pool'
	says "$kind: the snapshot holds version v1alpha2, the target serves only v1alpha1"
	says "the definition in force at capture is the snapshot's crds/$kind.yaml"
	expect 7 dr "$plain" restore both --cluster both --repo backup --yes --wait 0
	only_reads "$plain" "$before"
	expect 1 dr "$plain" doctor both --cluster both --repo backup
	has out 'the snapshot holds version v1alpha2'
	expect 3 dr "$plain" restore both --cluster both --repo backup --yes --wait 0 --partial -o json
	jq -e '[.waves[].actions[] | select(.result == "blocked").name] | sort == ["plain", "pool"]' out
}

test_a_target_that_no_longer_serves_the_version() {
	define "$plain" "($v1).served = false"
	soon serves "$plain" v1alpha2
	plan 7 "$plain" old
	failed versions 'LLMInferenceService models/plain LLMInferenceService models/pool'
	says 'the snapshot holds version v1alpha1, the target serves only v1alpha2'
	says "the target's definition $kind has it: say \`served: true\`"
}

test_a_target_whose_schema_lost_a_field() {
	define "$plain" "del(($v2).schema.openAPIV3Schema.properties.spec.properties.replicas)"
	soon serves "$plain" v1alpha1 v1alpha2
	plan 7 "$plain" both
	failed fields 'LLMInferenceService models/plain LLMInferenceService models/pool'
	says 'LLMInferenceService models/plain: the target does not know spec.replicas'
}

# --- a storage migration ------------------------------------------------------------------------------------------------------------------------------------

# rewrite CLUSTER-DIR VERSION: all services are written again, as a migrator does
rewrite() {
	cluster_kubectl "$1" get "llminferenceservices.$2.serving.kserve.io" -A -o json | cluster_kubectl "$1" replace --validate=false -f -
}

test_a_storage_migration_is_one_commit_titled_so() {
	define "$source" "$stored_v1"
	soon serves "$source" v1alpha1 v1alpha2
	{ service one v1alpha1 && service two v1alpha2; } | create "$source"
	snapshot "$source" moving
	at moving two >object
	has object 'apiVersion: serving.kserve.io/v1alpha1'
	change "$source" "$stored_v2"
	rewrite "$source" v1alpha2
	snapshot "$source" moving
	same "commits" "$(git -C backup log --format=%s clusters/moving)" \
		"moving: storage version of $kind v1alpha1 -> v1alpha2"$'\n'"moving: first snapshot, 3 objects"
	same "lines that differ" "$(git -C backup diff -U0 clusters/moving~1:objects clusters/moving:objects | grep '^[-+][^-+]' | sort -u)" \
		"+apiVersion: serving.kserve.io/v1alpha2"$'\n'"-apiVersion: serving.kserve.io/v1alpha1"
	snapshot "$source" moving
	same "commits" "$(git -C backup rev-list --count clusters/moving)" 2
}

# The definition still says that v1alpha1 is stored, and nothing converts: told until somebody says that all have been written again.
test_a_version_that_objects_may_still_be_stored_at_is_named() {
	snapshot "$source" stored
	has err "$kind: objects may still be stored at v1alpha1, and nothing converts them to v1alpha2"
	grep -q 'olderVersions: v1alpha1' <(git -C backup show clusters/stored:requirements.yaml)
	dr "$source" doctor --cluster stored --repo backup -o json >out 2>err </dev/null || true # of other things it may say more
	jq -e --arg kind "$kind" '[.findings[] | select(.check == "stored versions")] | length == 1 and .[0].result == "warning"
		and (.[0].message | startswith($kind + ": objects may still be stored at v1alpha1 beside v1alpha2")) and (.[0].hint | contains("kubectl replace"))' out
	cluster_kubectl "$source" patch crd "$kind" --subresource=status --type=merge -p '{"status":{"storedVersions":["v1alpha2"]}}'
	snapshot "$source" stored
	has_not err 'still be stored'
	! grep olderVersions <(git -C backup show clusters/stored:requirements.yaml)
}

# The stored fields are read at the version that is served, and this is said.
test_a_stored_version_that_is_not_served() {
	change "$source" "($v2).served = false"
	soon serves "$source" v1alpha1
	snapshot "$source" unserved
	has err 'is stored at version v1alpha2, which is not served: it is read at v1alpha1'
	grep -A12 'kind: LLMInferenceService$' <(git -C backup show clusters/unserved:snapshot.yaml) >told
	has told 'storageVersion: v1alpha2'
	has told 'version: v1alpha1'
}

# --- both versions, with KServe's own conversion ------------------------------------------------------------------------------------------------------------

test_both_with_conversion_are_read_at_the_stored_version() {
	settled "$kserve"
	snapshot "$kserve" converted
	at converted pool >object
	has object 'apiVersion: serving.kserve.io/v1alpha2'
	has object targetPorts:
	grep -A4 'conversion: Webhook' <(git -C backup show clusters/converted:requirements.yaml) >told
	has told "$kind"
}

# KServe's webhook renames the fields of the pool; nobody has changed it. A service that somebody has changed meanwhile comes in the next commit.
test_what_the_webhook_converts_is_in_the_commit_of_the_migration() {
	change "$kserve" "$stored_v1"
	rewrite "$kserve" v1alpha1
	soon serves "$kserve" v1alpha1 v1alpha2
	snapshot "$kserve" kserve
	at kserve pool >object
	has object targetPortNumber:
	change "$kserve" "$stored_v2"
	rewrite "$kserve" v1alpha2
	snapshot "$kserve" kserve
	same "commits" "$(git -C backup log --format=%s clusters/kserve)" \
		"kserve: storage version of $kind v1alpha1 -> v1alpha2"$'\n'"kserve: first snapshot, 3 objects"
	same "what differs from a snapshot at the new version" "$(git -C backup diff --raw clusters/converted:objects clusters/kserve:objects)" ""
}

# There is no version in a policy. A rule for a field of an older one than the stored matches nothing, and that is said.
test_a_policy_for_an_older_version_than_the_stored_is_told() {
	cat >policy.yaml <<-YAML
		format: 1
		name: older
		include: rhaii
		strip:
		- {of: $kind, path: spec.router.scheduler.pool.spec.targetPortNumber}
	YAML
	expect 0 dr "$kserve" snapshot --cluster older --repo backup --policy policy.yaml
	has err targetPortNumber
	has err 'matches nothing'
	printf 'format: 1\nname: asks\ninclude: rhaii\nkinds:\n- {group: serving.kserve.io, resource: llminferenceservices, kind: LLMInferenceService, version: v1alpha1}\n' >policy.yaml
	expect 2 dr "$kserve" snapshot --cluster older --repo backup --policy policy.yaml
	has err version
}

run_tests
exit "$failed"
