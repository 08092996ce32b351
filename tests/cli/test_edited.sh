#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Files of a snapshot that were edited by hand, in a folder without a manifest: what is meant is read as it is meant, and what is not read is refused with
# file, line, column and what to do.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

service=objects/namespaces/rhaii-inference/llminferenceservices.serving.kserve.io/qwen.yaml

# edit OLD NEW: in the file of the service; both may hold escapes like \t and \xFF
edit() {
	python3 - "folder/$service" "$@" <<-'PY'
		import sys
		path, old, new = sys.argv[1], *(text.encode().decode("unicode_escape").encode("latin1") for text in sys.argv[2:])
		data = open(path, "rb").read()
		assert old in data
		open(path, "wb").write(data.replace(old, new))
	PY
}

# refused OLD NEW PLACE HINT: with that edit every command that reads the folder says where and what to do
refused() {
	rm -rf folder
	make_tree folder 3
	edit "$1" "$2" || fail "no such edit: $1"
	for command in 'show ./folder' 'diff ./folder prod' '--kubeconfig kubeconfig verify ./folder' '--kubeconfig kubeconfig restore ./folder --yes'; do
		# shellcheck disable=SC2086
		run $command
		assert_exit 6
		assert_contains err "'$service': $3"
		assert_contains err 'hint: '
		assert_contains err "$4"
	done
}

test_what_cannot_be_read_is_refused_with_its_place_and_what_to_do() {
	make_history
	make_kubeconfig kubeconfig
	refused 'replicas: 3' 'replicas: 3\n  replicas: 4' "line 10, column 3: 'replicas' is a key that is there already" 'keep one'
	refused 'replicas: 3' 'replicas: &n 3' 'line 9, column 13: anchors are not allowed' 'write its value'
	refused 'replicas: 3' 'replicas: *n' 'line 9, column 13: aliases are not allowed' 'write out'
	refused 'replicas: 3' 'replicas: !!int "3"' 'line 9, column 13: tags are not allowed' 'take the tag away'
	refused 'replicas: 3' '<<: {replicas: 3}' 'line 9, column 3: merge keys are not allowed' 'merged in'
	refused 'replicas: 3' 'replicas: 3\n---\napiVersion: v1' 'line 10, column 1: more than one document' 'a file of its own'
	refused '  replicas: 3' '\treplicas: 3' 'line 9, column 1: a tab where only spaces may be' 'indent with spaces'
	refused 'replicas: 3' 'replicas: 010' "line 9, column 13: '010' must be quoted" 'between quotes'
	refused 'replicas: 3' 'on: 3' "line 9, column 3: 'on' must be quoted" 'between quotes'
	refused 'uri: hf' 'uri: "hf' 'line 10, column 1: found unexpected end of stream, while scanning a quoted scalar that starts at line 8, column 10' 'close the quote'
	refused 'replicas: 3' ' replicas: 3' 'line 9, column 4: did not find expected key, while parsing a block mapping that starts at line 7, column 3' 'indented'
	refused 'replicas: 3' 'replicas: gr\xfcn' 'line 9, column 15: invalid' 'UTF-8'
}

test_comments_flow_style_windows_line_ends_and_a_byte_order_mark_change_nothing() {
	make_history
	make_tree folder 0
	edit 'spec:\n  model:\n    uri: hf://Qwen/Qwen2.5-0.5B\n' '# down for now\nspec: # flow\n  model: {uri: "hf://Qwen/Qwen2.5-0.5B"}\n'
	edit '\n' '\r\n'
	edit 'apiVersion' '\xef\xbb\xbfapiVersion'
	run diff ./folder prod --exit-code
	assert_exit 0
	edit 'replicas: 0' 'replicas: 7'
	run diff ./folder prod
	assert_exit 0
	assert_contains out spec.replicas
}

test_a_folded_block_is_the_text_that_it_stands_for() {
	make_history
	make_tree folder 0
	edit 'uri: hf://Qwen/Qwen2.5-0.5B' 'uri: >-\n      hf://Qwen/Qwen2.5-0.5B\n'
	run diff ./folder prod --exit-code
	assert_exit 0
}

run_tests
