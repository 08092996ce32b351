#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The main job, once, whole: a served cluster to git and archive, and back onto a fresh one, with the real KServe controller on both.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

source=$work/source target=$work/target
cluster_up source "$source" && cluster_load "$source" --gateway-port "$(free_port)" >/dev/null && cluster_up target "$target" || exit 1

objects() { # revision: the id of its objects/
	git -C backup rev-parse "$1:objects"
}
archive() {
	echo archives/*.tar.zst
}

# --- snapshot ---------------------------------------------------------------------------------------------------------------------

test_a_snapshot_commits_and_archives() {
	expect 0 dr "$source" snapshot --cluster prod --repo backup --archive-dir archives
	git -C backup fsck --strict --full
	same "commits" "$(git -C backup rev-list --count clusters/prod)" 1
	(cd archives && sha256sum -c ./*.sha256)
	same "mode of the repository" "$(stat -c %a backup)" 700
}

test_an_unchanged_cluster_makes_no_commit_and_no_archive() {
	before=$(git -C backup rev-parse clusters/prod)
	expect 0 dr "$source" snapshot --repo backup --archive-dir archives
	same "head" "$(git -C backup rev-parse clusters/prod)" "$before"
	same "archives" "$(find archives -name '*.zst' | wc -l)" 1
	git -C backup cat-file tag refs/rhaii-dr/captured/prod | tee /dev/stderr | grep -q '^Captured-At: '
}

test_a_missing_archive_is_made_again_with_the_same_bytes() {
	sum=$(sha256sum <"$(archive)")
	rm archives/*
	expect 0 dr "$source" snapshot --repo backup --archive-dir archives
	same "archive" "$(sha256sum <"$(archive)")" "$sum"
}

test_the_snapshot_holds_what_people_wrote() {
	git -C backup ls-tree -r --name-only clusters/prod:objects >files
	for file in cluster/namespaces/rhaii-inference.yaml namespaces/istio-system/peerauthentications.security.istio.io/default.yaml \
		namespaces/opendatahub/gateways.gateway.networking.k8s.io/inference-gateway.yaml \
		namespaces/rhaii-inference/{configmaps/scheduler-config,serviceaccounts/inference-runner,serviceaccounts/default}.yaml \
		namespaces/rhaii-inference/{roles,rolebindings}.rbac.authorization.k8s.io/inference-service-role.yaml \
		namespaces/rhaii-inference/llminferenceserviceconfigs.serving.kserve.io/cpu-defaults.yaml \
		namespaces/rhaii-inference/poddisruptionbudgets.policy/tuned-pdb.yaml; do
		grep -qx "$file" files || { echo "missing: $file" && cat files && return 1; }
	done
	same "services" "$(grep -c llminferenceservices.serving files)" 3
	same "user routes" "$(grep -c httproutes files)" 2
	same "policies" "$(grep -c networkpolicies files)" 5
}

test_nothing_that_the_server_added_is_in_it() {
	git -C backup grep -nE '^ *(uid|resourceVersion|managedFields|creationTimestamp|generation|status|ownerReferences|finalizers|selfLink):' clusters/prod -- objects >found || true
	same "fields of the server" "$(cat found)" ""
	git -C backup grep -q '^  name:' clusters/prod -- objects
}

test_empty_maps_and_lists_keep_their_meaning() {
	policies=clusters/prod:objects/namespaces/rhaii-inference/networkpolicies.networking.k8s.io
	grep -qx '  podSelector: {}' <(git -C backup show "$policies/default-deny-all.yaml")
	grep -qx '  - {}' <(git -C backup show "$policies/allow-egress.yaml")
	grep -qx '    gateway: {}' <(git -C backup show clusters/prod:objects/namespaces/rhaii-inference/llminferenceservices.serving.kserve.io/opt-125m-tuned.yaml)
}

test_controllers_children_are_inventoried_and_not_kept() {
	git -C backup ls-tree -r --name-only clusters/prod:objects >files
	! grep -E 'kserve-route|inference-pool.yaml|epp-sa|/services/' files || return 1
	git -C backup show clusters/prod:generated.yaml >generated
	for name in opt-125m-tuned-kserve opt-125m-tuned-kserve-route opt-125m-tuned-inference-pool opt-125m-tuned-epp-service opt-125m-tuned-epp-sa; do
		grep -q "name: $name\$" generated || { echo "missing: $name" && return 1; }
	done
	same "groups of the pool" "$(grep -B4 'name: opt-125m-tuned-inference-pool' generated | grep -c 'group: inference.networking')" 2
}

test_the_operators_presets_are_not_kept() {
	git -C backup ls-tree -r --name-only clusters/prod:objects/namespaces/opendatahub >files
	[ -s files ]
	! grep llminferenceserviceconfigs files
}

test_requirements_name_the_secrets_and_who_needs_them() {
	git -C backup show clusters/prod:requirements.yaml >requirements
	grep -q 'name: huggingface-token' requirements && grep -q 'name: rhaiis-pull-secret' requirements && grep -q 'name: istio$' requirements
	grep -A1 'neededBy' requirements | grep -q 'LLMInferenceService rhaii-inference/opt-125m-tuned'
}

test_objects_are_read_at_the_storage_version() {
	same "version of a service that was written as v1alpha1" \
		"$(git -C backup show clusters/prod:objects/namespaces/rhaii-inference/llminferenceservices.serving.kserve.io/facebook-opt-125m-single.yaml | head -1)" \
		"apiVersion: serving.kserve.io/v1alpha2"
}

test_no_secret_is_read() {
	requests "$source" >asked
	grep -q '^list llminferenceservices ' asked
	! grep -E '^[a-z]+ secrets ' asked
}

test_no_secret_value_leaves_the_cluster() {
	canary=$(cluster_canary)
	git -C backup cat-file --batch-all-objects --batch >everything
	zstd -dcq "$(archive)" >>everything
	grep -aqF huggingface-token everything # its name is there, and grep works on this file
	for text in "$canary" "$(printf %s "$canary" | base64 -w0)"; do
		! grep -aF "$text" everything || return 1
	done
}

test_a_dry_run_writes_nothing() {
	git -C backup for-each-ref >refs
	expect 0 dr "$source" snapshot --repo backup --dry-run
	same "refs" "$(git -C backup for-each-ref)" "$(cat refs)"
}

# --- restore ------------------------------------------------------------------------------------------------------------------------

# Ready before the restore: a namespace without labels, as the guide's cluster script leaves it, and the Secrets.
test_a_fresh_cluster_comes_back_from_the_archive() {
	expect 0 offline clock start --since 2m
	expect 0 offline clock mark secrets
	bring_secrets "$target"
	mark "$target" >restore-began
	expect 0 dr "$target" restore "$(archive)" --yes --wait 10m -o json
	mv out report.json
	has err 'the clock that runs since '
	jq -e '.counts.failed == 0 and .counts.conflict == 0' report.json
	jq -e '[.probes[] | select(.result == "fail")] == []' report.json
}

test_the_label_of_a_namespace_that_was_there_is_merged() {
	same "istio-injection" "$(cluster_kubectl "$target" get namespace rhaii-inference -o 'jsonpath={.metadata.labels.istio-injection}')" enabled
}

test_every_object_is_the_same_byte_for_byte() {
	expect 0 dr "$target" snapshot --cluster restored --repo backup
	git -C backup diff --stat clusters/prod:objects clusters/restored:objects
	same "objects/" "$(objects clusters/restored)" "$(objects clusters/prod)"
}

# Of the same installation: nothing of what is told is one cluster's own, nor its state.
test_what_the_objects_need_is_the_same() {
	git -C backup diff clusters/prod:requirements.yaml clusters/restored:requirements.yaml >differ
	same "requirements.yaml" "$(cat differ)" ""
	git -C backup show clusters/prod:requirements.yaml >requirements
	grep -q 'schemaSha256: ' requirements && grep -q '  name: kserve-config-llm-template$' requirements && grep -q 'failurePolicy: Fail' requirements
}

test_every_child_is_the_targets_own() {
	cluster_kubectl "$source" get llmisvc,httproute,deploy,inferencepools.inference.networking.k8s.io,inferencepools.inference.networking.x-k8s.io,svc,sa,role,rolebinding -A -o json >source.json
	cluster_kubectl "$target" get llmisvc,httproute,deploy,inferencepools.inference.networking.k8s.io,inferencepools.inference.networking.x-k8s.io,svc,sa,role,rolebinding -A -o json >target.json
	children='[.items[] | select(.metadata.ownerReferences) | "\(.apiVersion) \(.kind) \(.metadata.namespace)/\(.metadata.name)"] | sort'
	same "children" "$(jq "$children" target.json)" "$(jq "$children" source.json)"
	jq -e '[.items[] | select(.metadata.ownerReferences)] | length > 20' target.json
	# every owner is a living object of this cluster, and none has a uid of the other one
	jq -e '[.items[].metadata.uid] as $alive | [.items[].metadata.ownerReferences[]?.uid | select(. as $uid | $alive | index($uid) | not)] == []' target.json
	jq -e --slurpfile s source.json '[$s[0].items[].metadata.uid] as $old | [.items[].metadata.ownerReferences[]?.uid | select(. as $uid | $old | index($uid))] == []' target.json
}

test_the_services_are_ready_and_the_model_answers() {
	cluster_kubectl "$target" get llmisvc -A -o json >services.json
	same "Ready" "$(jq -c '[.items[].status.conditions[] | select(.type == "Ready").status]' services.json)" '["True","True","True"]'
	url=$(jq -r '.items[] | select(.metadata.name == "opt-125m-tuned").status.url' services.json)
	model=$(curl -sf "$url/v1/models" | jq -r '.data[0].id')
	curl -sf "$url/v1/completions" -H 'Content-Type: application/json' -d "{\"model\": \"$model\", \"prompt\": \"hello\", \"max_tokens\": 3}" | jq -e '.choices | length == 1'
	jq -e '[.probes[] | select(.probe == "endpoint" and .result == "pass")] | length == 3' report.json
}

test_the_report_says_which_phases_are_not_known() {
	jq -e '[.phases[] | select(.how == "missing").name] == ["create-cluster", "install-operators", "cutover", "cleanup"]' report.json
	jq -e '[.phases[] | select(.source == "clock").name] == ["declare", "secrets"]' report.json
	jq -e '.rto.verdict == "at least" and .rto.targetMilliseconds == 1800000 and .rto.achievedMilliseconds > 120000' report.json
}

test_the_restore_leaves_a_record() {
	record=$(jq -r .record report.json)
	cat "$record"
	same "mode of the record" "$(stat -c %a "$record")" 600
	jq -e '.format == 1 and .kind == "restore" and .verdict.result == "passed with findings" and .probeCounts.fail == 0' "$record"
	jq -e '[.services[].object] | contains(["LLMInferenceService rhaii-inference/opt-125m-tuned"])' "$record"
	jq -e '.services | all(.backMilliseconds > 120000)' "$record"
	jq -e '.rpo.verdict == "not set" and .rpo.capturedAt and .identity.source.server' "$record"
	! grep -aF "$(cluster_canary)" "$record"
}

test_the_clock_goes_on_to_the_cutover() {
	expect 0 offline clock mark cutover
	expect 0 offline clock stop -o json
	jq -e '.rto.missing == ["create-cluster", "install-operators"] and .rto.lastGreenAt and (.phases[] | select(.name == "apply").source == "tool")' out
}

# All that is known before, and what the restore measures: nothing is missing. The clock was stopped.
test_a_recovery_of_which_all_is_known_is_met_or_missed() {
	printf '%s\n' 'recovery:' "  source: {kubeconfig: $source/kubeconfig}" '  rto: 10m' '  rpo: 24h' '  phases:' '    declare: {assumed: 10s}' '    install-operators: {notApplicable: in the image}' '    cutover: {assumed: 30s}' >recovery.yaml
	expect 0 dr "$target" restore prod --repo backup --cluster prod --yes --config recovery.yaml --since 4m --phase create-cluster=2m,secrets=20s --report-dir records -o json
	jq -e '.rto.verdict == "met" and .rto.missing == [] and .rpo.verdict == "met"' out
	jq -e '.rpo.changedSince == {checked: true, reason: null, objects: 0, changes: []}' out
	jq -e '.rto.achievedMilliseconds >= 270000' "$(jq -r .record out)"
	sed -i "s|$source|$target|" recovery.yaml
	expect 4 dr "$target" restore prod --repo backup --cluster prod --yes --config recovery.yaml --since 40m --phase create-cluster=35m,secrets=20s --report-dir records -o json
	jq -e '.outcome == ["objective-missed"] and .rto.verdict == "missed"' out
	jq -e '.rpo.changedSince.checked == false and (.rpo.changedSince.reason | test("is another cluster .* than the source$"))' out
	jq -e '.verdict.exitCode == 4 and (.verdict.reasons[0] | test("^RTO missed by 30m.*: create-cluster took 35m$"))' "$(jq -r .record out)"
	same "records" "$(find records -name '*.json' | wc -l)" 2
}

test_waves_are_created_in_their_order() {
	requests "$target" "$(cat restore-began)" | awk '$1 == "create" && $4 == 201 { print $2 }' | uniq >created
	cat created
	for pair in "networkpolicies llminferenceservices" "gateways llminferenceservices" "llminferenceserviceconfigs llminferenceservices" \
		"serviceaccounts llminferenceservices" "configmaps llminferenceservices" "llminferenceservices httproutes"; do
		read -r first later <<<"$pair"
		[ "$(grep -nx "$first" created | tail -1 | cut -d: -f1)" -lt "$(grep -nx "$later" created | tail -1 | cut -d: -f1)" ] || { echo "$pair" && return 1; }
	done
}

test_a_second_restore_skips_everything_and_writes_nothing() {
	at=$(mark "$target")
	expect 0 dr "$target" restore prod --repo backup --cluster prod --yes -o json
	jq -e '.counts.skipped == 24 and .counts.created == 0 and .counts.merged == 0' out
	only_reads "$target" "$at"
}

test_a_folder_restores_too() {
	git clone -q -b clusters/prod backup folder
	expect 0 dr "$target" restore ./folder --yes -o json
	jq -e '.snapshot.verified == false and .counts.skipped == 24' out
}

test_verify_passes_on_the_restored_cluster() {
	expect 0 dr "$target" verify prod --repo backup --cluster prod
	has out "0 fail"
}

test_a_differing_object_is_reported_and_left_alone() {
	cluster_kubectl "$target" -n rhaii-inference patch pdb tuned-pdb --type=merge -p '{"spec":{"minAvailable":7}}'
	expect 3 dr "$target" restore prod --repo backup --cluster prod --yes --wait 0
	has out "spec.minAvailable"
	same "minAvailable" "$(cluster_kubectl "$target" -n rhaii-inference get pdb tuned-pdb -o 'jsonpath={.spec.minAvailable}')" 7
}

test_verify_fails_on_a_differing_object() {
	expect 5 dr "$target" verify prod --repo backup --cluster prod
	has out "tuned-pdb"
	cluster_kubectl "$target" -n rhaii-inference patch pdb tuned-pdb --type=merge -p '{"spec":{"minAvailable":1}}'
}

test_verify_fails_on_an_orphaned_child() {
	cluster_kubectl "$target" -n rhaii-inference patch svc opt-125m-tuned-epp-service --type=json -p '[{"op":"remove","path":"/metadata/ownerReferences"}]'
	expect 5 dr "$target" verify prod --repo backup --cluster prod
	has out "opt-125m-tuned-epp-service"
	cluster_kubectl "$target" -n rhaii-inference delete svc opt-125m-tuned-epp-service
	for _ in $(seq 100); do # its controller makes another one, in its own time
		dr "$target" verify prod --repo backup --cluster prod >back 2>&1 && return
		sleep 0.2
	done
	cat back && return 1
}

test_verify_fails_when_the_model_does_not_answer() {
	cluster_tell "$target" model off
	expect 5 dr "$target" verify prod --repo backup --cluster prod --probe-timeout 0 -o json
	cluster_tell "$target" model on
	failed_probes endpoint
	jq -e '[.probes[] | select(.result == "fail").observed] | all(. == "GET /health: status 503")' out
}

# --- one single thing is wrong ------------------------------------------------------------------------------------------------------

# failed_probes NAME...: exactly these fail in ./out
failed_probes() {
	same "failed probes" "$(jq -r '[.probes[] | select(.result == "fail").probe] | unique | join(" ")' out)" "$*"
}

# verify_tuned ARGS...: the model of one service is played by ./model.py, the others by the cluster
verify_tuned() {
	dr "$target" verify prod --repo backup --cluster prod --probe-url "rhaii-inference/opt-125m-tuned=http://127.0.0.1:$(cat model.port)" -o json "$@"
}

# how KIND: what the played model does from now on
how() {
	: >asked
	echo "$1" >model.how
}

cat >"$work/model.py" <<-'PYTHON'
	import http.server, json, sys, time
	work = sys.argv[1]
	class Model(http.server.BaseHTTPRequestHandler):
	    def log_message(self, *_): pass
	    def reply(self, status, body=b'', kind='application/json'):
	        self.send_response(status)
	        self.send_header('Content-Type', kind)
	        self.send_header('Content-Length', str(len(body)))
	        self.end_headers()
	        self.wfile.write(body)
	    def answer(self):
	        body = self.rfile.read(int(self.headers.get('Content-Length') or 0))
	        how = open(work + '/model.how').read().strip()
	        with open(work + '/asked', 'a') as asked:
	            asked.write('%s %s %s\n' % (self.command, self.path, self.headers.get('Authorization')))
	        if how == 'loading' and len(open(work + '/asked').readlines()) < 3:
	            return self.reply(503)
	        if how == 'redirect':
	            self.send_response(307)
	            self.send_header('Location', 'http://127.0.0.1:%d/elsewhere' % self.server.server_port)
	            self.end_headers()
	            return
	        if self.path == '/health':
	            return self.reply(200)
	        if self.path == '/v1/models':
	            return self.reply(200, json.dumps({'data': [{'id': 'm'}]}).encode())
	        if self.path == '/v1/completions':
	            return self.reply(404)
	        text = '' if how == 'empty' else 'hello'
	        if json.loads(body).get('stream'):
	            time.sleep(0.2)
	            return self.reply(200, b'data: {"choices":[{"delta":{"content":"hello"}}]}\n\ndata: [DONE]\n\n', 'text/event-stream')
	        self.reply(200, json.dumps({'choices': [{'message': {'role': 'assistant', 'content': text}}]}).encode())
	    do_GET = do_POST = answer
	server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Model)
	open(work + '/model.port', 'w').write(str(server.server_port))
	server.serve_forever()
PYTHON
(
	for held in "${cluster_fd[@]}"; do
		exec {held}>&-
	done
	exec python3 "$work/model.py" "$work"
) &
model=$!
trap 'kill "$model"; finish' EXIT

test_a_chat_model_at_a_configured_url_passes_and_gets_the_token() {
	for _ in $(seq 50); do [ -s model.port ] || sleep 0.1; done
	how serving
	(umask 077 && echo s3cret >token)
	expect 0 verify_tuned --probe-token-file token -v
	jq -e '.probes[] | select(.probe == "endpoint" and .object == "LLMInferenceService rhaii-inference/opt-125m-tuned") | .firstTokenMilliseconds >= 200' out
	same "requests without the token" "$(grep -vc 's3cret$' asked)" 0
	has_not out s3cret
	has_not err s3cret
}

test_a_token_that_others_may_read_is_refused() {
	echo s3cret >open-token && chmod 644 open-token
	expect 2 verify_tuned --probe-token-file open-token
	has err "chmod 600"
}

test_a_redirect_gets_nothing() {
	how redirect
	expect 5 verify_tuned --probe-token-file token
	failed_probes endpoint
	has_not asked elsewhere
}

test_an_empty_completion_fails_alone() {
	how empty
	expect 5 verify_tuned
	failed_probes endpoint
	jq -e '.probes[] | select(.result == "fail").observed | contains("an empty completion")' out
}

test_a_model_that_loads_is_waited_for() {
	how loading
	expect 0 verify_tuned --probe-timeout 1m
	same "times that /health was asked" "$(grep -c /health asked)" 3
}

test_a_policy_that_lets_more_in_fails_alone() {
	how serving
	cluster_kubectl "$target" apply -f - <<-YAML
		apiVersion: networking.k8s.io/v1
		kind: NetworkPolicy
		metadata: {name: wider, namespace: rhaii-inference}
		spec: {podSelector: {}, policyTypes: [Ingress], ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: z}}}], ports: [{port: 9999}]}]}
	YAML
	expect 5 verify_tuned
	cluster_kubectl "$target" -n rhaii-inference delete networkpolicy wider
	failed_probes matrix
	jq -e '.probes[] | select(.probe == "matrix").observed | contains("port 9999 from namespace z")' out
}

test_a_command_tells_whether_the_network_isolates() {
	expect 0 verify_tuned --isolation-command true
	expect 5 verify_tuned --isolation-command sh --isolation-command -c --isolation-command 'echo leaks, from a to b; false'
	failed_probes isolation
	has out "leaks, from a to b"
}

# Nobody makes it again while KServe is away.
test_a_missing_child_fails_alone() {
	cluster_tell "$target" stop llmisvc
	cluster_kubectl "$target" -n rhaii-inference delete serviceaccount opt-125m-tuned-epp-sa
	expect 5 verify_tuned
	failed_probes children
}

test_a_workload_without_replicas_fails_alone() {
	cluster_kubectl "$target" -n rhaii-inference scale deployment opt-125m-tuned-kserve --replicas 0
	expect 5 verify_tuned
	jq -e '[.probes[] | select(.result == "fail" and .probe == "replicas").object] == ["Deployment rhaii-inference/opt-125m-tuned-kserve"]' out
	failed_probes children replicas # of the test before
}

# --- onto itself -----------------------------------------------------------------------------------------------------------------------

test_the_source_itself_is_refused_without_in_place() {
	at=$(mark "$source")
	expect 9 dr "$source" restore prod --repo backup --cluster prod --yes
	has err --in-place
	expect 0 dr "$source" restore prod --repo backup --cluster prod --yes --in-place --wait 0 -o json
	jq -e '.counts.skipped == 24' out
	only_reads "$source" "$at"
}

# --- change -------------------------------------------------------------------------------------------------------------------------------

test_a_restore_says_what_changed_since_its_snapshot() {
	cluster_kubectl "$source" -n rhaii-inference patch llmisvc facebook-opt-125m-single --type=merge -p '{"spec":{"replicas":2}}'
	sed -i "s|$target|$source|" recovery.yaml
	expect 0 dr "$target" restore prod --repo backup --cluster prod --yes --wait 0 --config recovery.yaml -o json
	jq -e '.rpo.changedSince | .objects == 1 and (.changes[0] | test("^changed LLMInferenceService rhaii-inference/facebook-opt-125m-single: spec.replicas 1 -> 2 .kubectl-patch, "))' out
}

test_a_change_is_told_in_kubernetes_words() {
	expect 0 dr "$source" snapshot --repo backup --cluster prod
	has out "changed LLMInferenceService rhaii-inference/facebook-opt-125m-single: spec.replicas 1 -> 2"
	grep -q '^changed LLMInferenceService rhaii-inference/facebook-opt-125m-single: spec.replicas 1 -> 2 (kubectl-patch, ' <(git -C backup log -1 --format=%B clusters/prod)
	expect 0 offline diff --repo backup --cluster prod
	has out "spec.replicas"
	expect 1 offline diff prod~1 prod --repo backup --cluster prod --exit-code
	expect 0 offline diff prod prod --repo backup --cluster prod --exit-code
	same "snapshots listed" "$(offline list --repo backup --cluster prod -o json | jq length)" 2
}

run_tests

# --- without the program ---------------------------------------------------------------------------------------------------------------------

cluster_down "$target"
cluster_up target "$work/byhand" || exit 1

test_tar_and_kubectl_alone_give_the_same_objects() {
	mkdir unpacked && tar --zstd -xf "$(find archives -name '*.zst' | sort | head -1)" -C unpacked
	(cd unpacked && sha256sum --quiet -c MANIFEST.sha256)
	cluster_kubectl "$work/byhand" apply --server-side -R -f unpacked/objects/cluster/
	cluster_kubectl "$work/byhand" apply --server-side -R -f unpacked/objects/
	expect 0 dr "$work/byhand" snapshot --cluster byhand --repo backup
	git -C backup diff --stat clusters/restored:objects clusters/byhand:objects
	same "objects/" "$(objects clusters/byhand)" "$(objects clusters/restored)"
}

run_tests
exit "$failed"
