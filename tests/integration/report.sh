#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Reports in the programs that read them: HTML in a real browser, JUnit in an XML parser, OpenMetrics in Prometheus' strict one. No cluster is needed.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

records=$root/tests/data/records

# One browser for all tests; look.py says what it saw.
pages() {
	local name
	for name in passed failed incomplete hostile; do
		offline report "$records/$name.json" "$records/failed.json" "$records/incomplete.json" --format html --file "$name.html" >/dev/null || return
	done
	python3 "$root/tests/browser/look.py" passed.html failed.html hostile.html >seen.json
}
pages || { echo "not ok - the browser shows the pages" && exit 1; }

# holds FILTER: true of each page that was looked at
holds() {
	jq -e "[.[] | ($1)] | all" seen.json >/dev/null || { jq -c "map_values($1)" seen.json && return 1; }
}

test_pages_ask_for_nothing_and_log_nothing() {
	holds '.requests == []'
	holds '.logged == []'
	holds '.page.links | map(select(startswith("#") | not)) == ["data:,"]'
}

test_pages_run_nothing_of_a_hostile_record() {
	holds '.page.scripts == 0 and .page.handlers == 0'
	holds '.page.duplicates == [] and .page.deadLinks == 0'
	# the same elements as in a page of a good record, and its title is ours
	jq -e '.hostile.page.elements - .failed.page.elements == []' seen.json
	jq -e '.hostile.page.title | startswith("Drill of prod\"><script>alert(1)</script>: ")' seen.json
	jq -e '.hostile.page.text | contains("<img src=x onerror=alert(1)>")' seen.json
}

test_pages_say_what_an_auditor_asks() {
	local order='["objectives","timeline","trend","probes","not-tested","differences","rejections","actions","sign-off","identity"]'
	jq -e '.failed.page.text | contains("Verdict: failed") and contains("RTO missed by 4m 2s") and contains("503 Service Unavailable") and contains("must not exceed 4")' seen.json
	holds "(.page.sections | map(select(. as \$id | $order | index(\$id)))) == $order"
	holds '.page.sections[0] == "verdict"'
	jq -e '.failed.page.figures | length == 2 and all(length == 2)' seen.json
}

test_pages_can_be_read_by_keyboard_and_screen_reader() {
	holds '.page.landmarks == ["header", "nav", "main", "footer"]'
	holds '.page.h1 == 1 and .page.levelSkips == 0'
	holds '.page.tables == .page.captions and .page.heads == .page.scopes and .page.fields == .page.labelled'
	holds '.firstFocus == "skip #verdict"'
}

test_pages_can_be_read_on_any_screen() {
	holds '[.screens[] | .contrast >= 4.5] | all'
	holds '[.screens | to_entries[] | .value.width <= (.key | split(" ")[0] | tonumber)] | all'
	holds '.screens["1280 light"].ground != .screens["1280 dark"].ground'
}

test_pages_print() {
	holds '.pdf.is == "%PDF-" and .pdf.pages >= 3 and .pdf.pages <= 30'
}

test_junit_is_xml() {
	local name
	for name in passed failed incomplete hostile; do
		offline report "$records/$name.json" --format junit >junit.xml
		python3 - junit.xml <<-'PYTHON'
			import sys, xml.etree.ElementTree as tree
			root = tree.parse(sys.argv[1]).getroot()
			assert root.tag == "testsuites" and len(root) >= 5
			for suite in [root] + list(root):
			    for counted, element in (("tests", "testcase"), ("failures", "failure"), ("skipped", "skipped")):
			        assert int(suite.get(counted)) == len(list(suite.iter(element))), (suite.get("name"), counted)
			assert {e.tag for e in root.iter()} <= {"testsuites", "testsuite", "testcase", "failure", "skipped", "system-out"}
		PYTHON
	done
}

test_openmetrics_pass_the_strict_parser() {
	local name
	for name in passed failed incomplete hostile; do
		offline report "$records/$name.json" --format openmetrics >metrics
		# Debian's own Python has the package, whatever else is in the PATH
		/usr/bin/python3 - metrics "$name" <<-'PYTHON'
			import sys
			from prometheus_client.openmetrics.parser import text_string_to_metric_families as strict
			from prometheus_client.parser import text_string_to_metric_families as older
			text = open(sys.argv[1], encoding="utf-8").read()
			families = list(strict(text))
			assert all(f.name.startswith("rhaii_dr_drill_") and f.type == "gauge" for f in families)
			assert len(list(older(text))) == len(families)
			names = {s.labels["cluster"] for f in families for s in f.samples}
			assert names == {"prod" if sys.argv[2] != "hostile" else 'prod"><script>alert(1)</script>'}, names
		PYTHON
	done
}

run_tests
exit "$failed"
