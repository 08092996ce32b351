#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The command report: what it takes, where it writes, and what it refuses.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

records=$root/tests/data/records

test_text_is_the_default() {
	run report "$records/passed.json"
	assert_exit 0
	assert_contains out "Drill of prod: passed"
	assert_empty err
}

test_file_is_written_and_named() {
	local umask_before
	umask_before=$(umask) && umask 077
	run report "$records/failed.json" --format html --file failed.html
	umask "$umask_before"
	assert_exit 0
	assert_equal "$out" "report       failed.html (html)"
	assert_equal "$(stat -c %a failed.html)" 644
	[[ $(<failed.html) == "<!doctype html>"*"</html>" ]] || fail "not a whole page"
}

test_json_is_the_record() {
	run report "$records/hostile.json" --format json
	assert_exit 0
	assert_equal "$out" "$(<"$records/hostile.json")"
	run report "$records/passed.json" --format md -o json
	assert_json 'd["format"] == "md" and d["report"].startswith("# Drill of prod: passed")'
}

test_earlier_records_make_the_trend() {
	run report "$records/passed.json" "$records/failed.json" "$records/incomplete.json"
	assert_exit 0
	assert_contains out "failed                    34m 2.0s  converge"
	assert_contains out "passed                   22m 18.0s  create-cluster"
}

test_what_is_no_record_is_refused() {
	run report nowhere.json
	assert_exit 1
	assert_contains err "record 'nowhere.json'"
	echo '{"a": 1}' >other.json
	run report other.json
	assert_exit 6
	assert_contains err "not the record of a restore or a drill"
	jq '.format = 2' "$records/passed.json" >newer.json
	run report newer.json
	assert_exit 6
	assert_contains err "format 2 is newer"
	run report "$records/passed.json" --format pdf
	assert_exit 2
	run report
	assert_exit 1
	assert_contains err "no git repository"
}

test_a_record_of_the_repository_is_found_by_its_id() {
	local tree
	make_history
	tree=$(printf '100644 blob %s\trecord.json\n' "$(git -C rhaii-backup hash-object -w "$records/passed.json")" | git -C rhaii-backup mktree)
	git -C rhaii-backup update-ref refs/heads/drills/prod "$(git -C rhaii-backup -c user.name=x -c user.email=x@x commit-tree -m record "$tree")"
	run report
	assert_exit 0
	assert_contains out "Drill of prod: passed"
	run report "$(jq -r .id "$records/passed.json" | cut -c1-12)" --format json
	assert_exit 0
	assert_equal "$out" "$(<"$records/passed.json")"
	run report 1999
	assert_exit 1
}

run_tests
