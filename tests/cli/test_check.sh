#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check: damage is found wherever it is, and only there; and what has been proven restorable shows.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# commit_record PARENT FILE: prints the commit that holds it as the record behind PARENT ('' for none)
commit_record() {
	local blob tree
	blob=$(git -C rhaii-backup hash-object -w "../$2")
	tree=$(printf '100644 blob %s\trecord.json\n' "$blob" | git -C rhaii-backup mktree)
	git -C rhaii-backup -c user.name=x -c user.email=x@x commit-tree -m record ${1:+-p "$1"} "$tree"
}

# add_record ID SNAPSHOT EXIT-CODE: a record at the end of the chain of prod
add_record() {
	local parent previous=null
	parent=$(git -C rhaii-backup rev-parse -q --verify drills/prod || true)
	[ -z "$parent" ] || previous="\"$(git -C rhaii-backup show drills/prod:record.json | sha256sum | cut -d' ' -f1)\""
	cat >record.json <<-END
		{"format": 1, "kind": "drill", "mode": "real", "id": "$1", "name": "prod", "previous": $previous,
		 "startedAt": "2026-11-20T14:00:00Z", "endedAt": "2026-11-20T14:30:00Z",
		 "verdict": {"result": "passed", "exitCode": $3, "outcomes": [], "reasons": []}, "input": {"snapshot": {"commit": "$2"}},
		 "identity": {"tool": {"version": "0.1.0"}, "target": {"server": "v1.34.4"}},
		 "rto": {"achievedMilliseconds": 60000}, "phases": [], "probeCounts": {"pass": 1}}
	END
	git -C rhaii-backup update-ref refs/heads/drills/prod "$(commit_record "$parent" record.json)"
}

newest() {
	git -C rhaii-backup rev-parse clusters/prod
}

test_check_of_a_whole_repository() {
	make_history
	add_record one "$(newest)" 0
	add_record two "$(newest)" 0
	run check -o json
	assert_exit 0
	assert_json "[(c['what'], c['result']) for c in d['checked']] == [('snapshot', 'ok'), ('records', 'ok')]"
	run check --all -o json
	assert_exit 0
	assert_json "len([c for c in d['checked'] if c['what'] == 'snapshot']) > 1"
}

test_check_finds_a_changed_record() {
	make_history
	add_record one "$(newest)" 5
	add_record two "$(newest)" 0
	# the first as if it had passed, the second as it was
	git -C rhaii-backup show drills/prod:record.json >second
	git -C rhaii-backup show drills/prod~1:record.json | sed 's/"exitCode": 5/"exitCode": 0/' >first
	git -C rhaii-backup update-ref refs/heads/drills/prod "$(commit_record "$(commit_record '' first)" second)"
	run check
	assert_exit 6
	assert_contains out 'damaged'
	assert_contains out 'two: the record before it is not the one that it names'
}

test_check_finds_a_damaged_object() {
	local object
	make_history
	object=$(git -C rhaii-backup rev-parse clusters/prod:snapshot.yaml)
	object=rhaii-backup/objects/${object:0:2}/${object:2}
	[ -f "$object" ] || fail 'the objects are packed'
	chmod u+w "$object"
	printf 'x' | dd of="$object" bs=1 seek=8 conv=notrunc status=none
	run check
	assert_exit 6
	assert_contains out 'damaged'
}

test_check_of_nothing() {
	run check
	assert_exit 1
	run check --all ./here
	assert_exit 2
}

test_a_proof_shows_in_list_and_status() {
	make_history
	run status --max-age 100000h --max-proof-age 100000h
	assert_exit 4
	assert_contains out 'no restore and no drill of it has been recorded'
	add_record 20261120T140000Z-00000001 "$(newest)" 0
	run status --max-age 100000h --max-proof-age 100000h -o json
	assert_exit 0
	assert_json "d['clusters'][0]['proof']['record'] == '20261120T140000Z-00000001' and d['clusters'][0]['proof']['newest'] and not d['clusters'][0]['proofTooOld']"
	run status --max-age 100000h --max-proof-age 1s --openmetrics metrics
	assert_exit 4
	assert_equal "$(grep -c '^rhaii_dr_proof_too_old{cluster="prod"} 1$' metrics)" 1
	run list
	assert_exit 0
	assert_contains out 'PROVEN RESTORABLE'
	assert_contains out '2026-11-20T14:30:00Z'
}

run_tests
