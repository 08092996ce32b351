#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Drills: the whole recovery against a listed cluster with the real KServe controller, what it leaves, and one on a control plane of its own.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

source=$work/source target=$work/target
cluster_up source "$source" && cluster_load "$source" --gateway-port "$(free_port)" >/dev/null && cluster_up target "$target" || exit 1
assets=$(dirname "$("$root/tests/cluster/build.sh" etcd)")

id_of() {
	cluster_kubectl "$1" get namespace kube-system -o jsonpath='{.metadata.uid}'
}
everything_of() { # what people write there
	cluster_kubectl "$1" get llminferenceservices,llminferenceserviceconfigs,httproutes,networkpolicies,configmaps,gateways -A -o name | grep -v kube-root-ca | sort
}
record() { # JQ-FILTER on the newest record of the chain
	git -C backup show drills/prod:record.json | jq -r "$1"
}

# The cluster is there, and so is its installation; the command stands for what makes it.
write_configuration() {
	mkdir -p conf
	printf '#!/bin/sh\nsleep 0.3\necho made in zone "$1"\n' >conf/create-cluster.sh
	chmod +x conf/*.sh
	cat >conf/config.yaml <<-END
		drill:
		  targets: [$(id_of "$target")]
		recovery:
		  rto: 30m
		  rpo: 1000h
		  phases:
		    declare: {assumed: 2m}
		    create-cluster: {run: [./create-cluster.sh, b], timeout: 1m}
		    install-operators: {notApplicable: the cluster image has them}
		    secrets: {assumed: 1m}
		    cutover: {notApplicable: one name for both clusters}
	END
}

test_a_snapshot_to_rehearse_with() {
	expect 0 dr "$source" snapshot --cluster prod --repo backup --archive-dir archives
	write_configuration
}

test_a_cluster_that_is_not_listed_is_refused() {
	sed "s/targets: .*/targets: []/" conf/config.yaml >conf/none.yaml
	expect 2 dr "$target" --config conf/none.yaml drill --repo backup --wait 0
	grep -q "drill: {targets: \[$(id_of "$target")\]}" err
	! git -C backup rev-parse -q --verify drills/prod
}

test_the_source_is_refused_though_it_is_listed() {
	sed "s/targets: .*/targets: [$(id_of "$source")]/" conf/config.yaml >conf/source.yaml
	expect 9 dr "$source" --config conf/source.yaml drill --repo backup --wait 0
	grep -q 'which snapshots come from' err
}

test_a_drill_on_its_own_control_plane() {
	[ "$(ls -d /tmp/rhaii-dr-drill-* 2>/dev/null | wc -l)" = 0 ]
	KUBEBUILDER_ASSETS=$assets expect 0 offline drill --local --repo backup --report-dir reports -o json
	same "its mode" "$(record .mode)" local
	same "what was created" "$(record '.counts.created > 10 and .counts.failed == 0 and .counts.blocked == 0')" true
	same "what is not tested" "$(record '[.notTested[].what] | index("serving") != null and index("conversion") != null and index("admission webhooks") != null and index("check secrets") != null')" true
	same "never met" "$(record '.rto.verdict')" 'at least'
	same "left over" "$(ls -d /tmp/rhaii-dr-drill-* 2>/dev/null | wc -l)" 0
	same "processes left over" "$(pgrep -fc -- '--name=drill' || true)" 0
	cmp "reports/$(record .id).json" <(git -C backup show drills/prod:record.json)
}

test_a_drill_without_the_programs_says_what_it_needs() {
	PATH=/usr/bin:/bin RHAII_DR_CACHE=/nonexistent expect 2 offline drill --local --repo backup
	grep -q KUBEBUILDER_ASSETS err
}

test_a_whole_drill_leaves_a_record_and_nothing_else() {
	bring_secrets "$target"
	everything_of "$target" >before
	expect 0 dr "$target" --config conf/config.yaml drill --repo backup --report-dir reports
	same "verdict" "$(record '.verdict.exitCode')" 0
	same "RTO" "$(record '.rto.verdict')" met
	same "RPO" "$(record '.rpo.verdict')" met
	same "how" "$(record '[.phases[] | select(.inRto) | .how] | join(",")')" 'assumed,measured,not applicable,assumed,measured,measured,measured,measured,measured,not applicable'
	same "the command" "$(record '.phases[] | select(.name == "create-cluster") | .command.exitCode')" 0
	same "its time" "$(record '.phases[] | select(.name == "create-cluster") | .milliseconds >= 300')" true
	same "cleanup" "$(record .cleanup.result)" 'done'
	same "what is left" "$(everything_of "$target")" "$(cat before)"
	same "previous" "$(record .previous)" "$(git -C backup show drills/prod~1:record.json | sha256sum | cut -d' ' -f1)"
	! git -C backup rev-parse -q --verify refs/rhaii-dr/succession/prod
}

test_the_proof_shows() {
	expect 0 offline status --repo backup --max-age 1000h --max-proof-age 1h -o json
	jq -e '.clusters[0].proof.mode == "real" and .clusters[0].proof.newest' out
	expect 0 offline list --repo backup
	grep -q 'PROVEN RESTORABLE' out
	expect 0 offline check --repo backup --archive-dir archives
}

test_a_slow_phase_is_named_and_exits_with_4() {
	printf '#!/bin/sh\nsleep 2\n' >conf/create-cluster.sh
	sed 's/rto: 30m/rto: 151s/' conf/config.yaml >conf/slow.yaml
	expect 4 dr "$target" --config conf/slow.yaml drill --repo backup --wait 0 --phase secrets=30s
	same "verdict" "$(record .rto.verdict)" missed
	record '.verdict.reasons[]' | grep -q '^RTO missed by .*: .* took'
}

test_a_phase_that_fails_ends_the_drill_and_is_told() {
	printf '#!/bin/sh\necho quota exceeded >&2\nexit 3\n' >conf/create-cluster.sh
	expect 1 dr "$target" --config conf/config.yaml drill --repo backup
	same "exit code" "$(record '.phases[] | select(.name == "create-cluster") | .command.exitCode')" 3
	record '.phases[] | select(.name == "create-cluster") | .command.lastLines[]' | grep -q 'quota exceeded'
	same "result" "$(record .verdict.result)" failed
}

test_what_was_kept_is_taken_away_later() {
	printf '#!/bin/sh\n:\n' >conf/create-cluster.sh
	expect 0 dr "$target" --config conf/config.yaml drill --keep --repo backup --wait 0
	same "cleanup" "$(record .cleanup.result)" 'not run'
	[ "$(everything_of "$target" | wc -l)" -gt "$(wc -l <before)" ]
	expect 0 dr "$target" drill --cleanup
	same "what is left" "$(everything_of "$target")" "$(cat before)"
}

# The signal comes when the services are there and are waited for.
test_an_interrupted_drill_is_taken_away_later() {
	HOME=$work/home XDG_CONFIG_HOME=$work/home/.config "$binary" --kubeconfig "$target/kubeconfig" --config conf/config.yaml drill --repo backup >out 2>err &
	pid=$!
	for _ in $(seq 300); do
		[ "$(everything_of "$target" | grep -c '^llminferenceservice\.')" -gt 0 ] && break
		sleep 0.1
	done
	kill -TERM $pid
	code=0
	wait $pid || code=$?
	cat out err
	same "exit code" "$code" 8
	same "cleanup" "$(record .cleanup.result)" 'not run'
	grep -q 'drill --cleanup' err
	expect 0 dr "$target" drill --cleanup -o json
	jq -e '.cleanup.result == "done" and .cleanup.deleted > 0' out
	same "what is left" "$(everything_of "$target")" "$(cat before)"
}

test_what_an_incident_brought_back_stays() {
	expect 0 dr "$target" restore clusters/prod --repo backup --yes --wait 0
	journal=$(find "$work/home/.local/state/rhaii-dr/$(id_of "$target")" -name '*.journal' | sort | tail -n 1)
	expect 2 dr "$target" drill --cleanup "$journal"
	grep -q 'of a restore, not of a drill' err
	[ "$(everything_of "$target" | wc -l)" -gt "$(wc -l <before)" ]
}

test_a_real_record_is_rendered_in_each_format() {
	id=$(git -C backup log --format=%s%n%b drills/prod | sed -n 's/^Record: //p' | sed -n 2p)
	for format in text json md html junit openmetrics; do
		expect 0 offline report "$id" --repo backup --format $format --file "record.$format"
	done
	cmp record.json <(for c in $(git -C backup rev-list drills/prod); do git -C backup show "$c:record.json" | grep -q "\"id\": \"$id\"" && git -C backup show "$c:record.json"; done)
	grep -q 'create-cluster' record.md && grep -q 'create-cluster' record.text && grep -q 'create-cluster' record.html
	python3 -c 'import sys, xml.etree.ElementTree as e; e.parse(sys.argv[1])' record.junit
	grep -q '^# EOF$' record.openmetrics
}

run_tests
exit "$failed"
