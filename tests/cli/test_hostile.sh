#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Snapshots that are damaged, tampered with or made to do harm: exit 6 before the first request. The kubeconfig here leads to a port that counts connections, and
# none may come.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

# A server that only notes that somebody connected.
start_counter() {
	rm -f port
	python3 -c '
import signal, socket
signal.alarm(60)
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(); open("port", "w").write(str(s.getsockname()[1]) + "\n")
while True:
    s.accept(); open("connections", "a").write("x")' &
	counter=$!
	until [ -s port ]; do sleep 0.02; done
	make_kubeconfig kubeconfig
	sed -i "s|127.0.0.1:1|127.0.0.1:$(cat port)|" kubeconfig
}

# refused SNAPSHOT [OPTION...]: restore and verify say exit 6 without a request
refused() {
	start_counter
	for command in "restore $1 --yes" "verify $1"; do
		# shellcheck disable=SC2086
		run --kubeconfig kubeconfig --repo rhaii-backup $command "${@:2}"
		assert_exit 6
	done
	kill "$counter"
	wait "$counter" 2>/dev/null
	[ ! -e connections ] || fail "a request was sent before the check was over"
}

# make_archive FILE TREE: a whole archive of the head of rhaii-backup with the files of TREE, and no sidecar
make_archive() {
	local pack
	pack=$(mktemp -d)
	cp -r "$2/." "$pack"
	print_manifest "$2" >"$pack/MANIFEST.sha256"
	git -C rhaii-backup cat-file commit clusters/prod >"$pack/COMMIT"
	tar -C "$pack" --format=ustar --owner=0 --group=0 --mode=0644 -cf "$1.tar" MANIFEST.sha256 COMMIT snapshot.yaml policy.yaml generated.yaml requirements.yaml \
		objects/cluster/namespaces/rhaii-inference.yaml objects/namespaces/rhaii-inference/llminferenceservices.serving.kserve.io/qwen.yaml "${@:3}"
	zstd -q --check "$1.tar" -o "$1"
	rm -rf "$pack" "$1.tar"
}

one_snapshot() {
	make_tree one 3
	commit_tree rhaii-backup one 2026-11-20T13:00:00Z 'prod: first snapshot, 2 objects'
}

test_the_archive_that_these_tests_damage_is_good_before() {
	one_snapshot
	make_archive good.tar.zst one
	run show ./good.tar.zst
	assert_exit 0
}

test_an_archive_with_a_flipped_byte() {
	one_snapshot
	make_archive bad.tar.zst one
	for at in 20 200 600; do
		cp bad.tar.zst flipped.tar.zst
		printf '\xff' | dd of=flipped.tar.zst bs=1 seek=$at conv=notrunc status=none
		refused ./flipped.tar.zst
	done
}

test_an_archive_cut_short() {
	one_snapshot
	make_archive cut.tar.zst one
	truncate -s -7 cut.tar.zst
	refused ./cut.tar.zst
}

test_an_archive_that_its_sidecar_does_not_match() {
	one_snapshot
	make_archive side.tar.zst one
	printf '%064d  side.tar.zst\n' 0 >side.tar.zst.sha256
	refused ./side.tar.zst
}

test_an_archive_with_a_changed_file() {
	one_snapshot
	cp -r one changed
	sed -i 's/replicas: 3/replicas: 9/' changed/objects/namespaces/rhaii-inference/llminferenceservices.serving.kserve.io/qwen.yaml
	make_archive changed.tar.zst changed # its manifest is true, its commit is not
	refused ./changed.tar.zst
}

test_an_archive_with_a_symlink() {
	one_snapshot
	ln -s /etc/passwd link
	make_archive link.tar.zst one -C "$PWD" link
	refused ./link.tar.zst
	assert_contains err link
}

test_an_archive_with_names_that_lead_out() {
	one_snapshot
	echo evil >evil
	make_archive up.tar.zst one -P --transform 's|^evil$|../evil|' -C "$PWD" evil
	refused ./up.tar.zst
	assert_contains err ../evil
	make_archive absolute.tar.zst one -P --transform 's|^evil$|/tmp/evil|' -C "$PWD" evil
	refused ./absolute.tar.zst
	assert_contains err /tmp/evil
}

test_a_manifest_with_names_that_lead_out() {
	one_snapshot
	for name in ../evil /etc/passwd objects/../../evil; do
		rm -rf folder && cp -r one folder
		{ print_manifest one && printf '%064d  %s\n' 0 "$name"; } >folder/MANIFEST.sha256
		refused ./folder
		assert_contains err "$name"
	done
}

test_a_git_object_whose_bytes_do_not_match_its_id() {
	one_snapshot
	blob=$(git -C rhaii-backup rev-parse clusters/prod:objects/namespaces/rhaii-inference/llminferenceservices.serving.kserve.io/qwen.yaml)
	file=rhaii-backup/objects/${blob:0:2}/${blob:2}
	chmod u+w "$file"
	python3 -c '
import sys, zlib
raw = zlib.decompress(open(sys.argv[1], "rb").read()).replace(b"replicas: 3", b"replicas: 9")
open(sys.argv[1], "wb").write(zlib.compress(raw))' "$file"
	refused prod
}

test_a_commit_without_a_manifest_sum() {
	one_snapshot
	tree=$(git -C rhaii-backup rev-parse 'clusters/prod^{tree}')
	head=$(git -C rhaii-backup -c user.name=me -c user.email=me@localhost commit-tree -p clusters/prod -m 'by hand' "$tree")
	git -C rhaii-backup update-ref refs/heads/clusters/prod "$head"
	refused prod
	assert_contains err --accept-edits
}

test_a_commit_with_a_wrong_manifest_sum_unless_edits_are_accepted() {
	one_snapshot
	sum=$(git -C rhaii-backup log -1 --format=%B clusters/prod | sed -n 's/^Manifest-SHA256: //p')
	sed -i 's/replicas: 3/replicas: 9/' one/objects/namespaces/rhaii-inference/llminferenceservices.serving.kserve.io/qwen.yaml
	tree=$(export GIT_DIR=rhaii-backup GIT_WORK_TREE=one && git read-tree --empty && git add -A && git write-tree)
	head=$(printf 'edited\n\nCaptured-At: 2026-11-20T13:00:00Z\nResource-Version: 1\nTool-Version: 0.1.0\nManifest-SHA256: %s\n' "$sum" |
		git -C rhaii-backup -c user.name=me -c user.email=me@localhost commit-tree -p clusters/prod "$tree")
	git -C rhaii-backup update-ref refs/heads/clusters/prod "$head"
	refused prod
	run show prod --accept-edits
	assert_exit 0
	assert_contains out qwen.yaml
}

test_a_symlink_in_the_repository() {
	one_snapshot
	ln -s /etc/passwd one/objects/cluster/namespaces/evil.yaml
	commit_tree rhaii-backup one 2026-11-20T14:00:00Z 'prod: with a link'
	refused prod --accept-edits
}

test_a_symlink_in_a_folder() {
	make_tree folder 3
	ln -s ../../snapshot.yaml folder/objects/cluster/link.yaml
	refused ./folder --accept-edits
	assert_contains err link.yaml
}

test_a_folder_behind_a_symlink() {
	make_tree folder 3
	ln -s folder link
	for name in ./link ./link/ ./link/.; do
		refused $name --accept-edits
		assert_contains err symlink
	done
}

test_a_folder_whose_git_directory_is_a_symlink() {
	make_tree folder 3
	ln -s /etc folder/.git
	refused ./folder --accept-edits
	assert_contains err .git
}

# An archive that was unpacked, edited, and given a manifest that is true again: the commit in it knows better.
test_a_folder_that_its_commit_denies_unless_edits_are_accepted() {
	one_snapshot
	make_archive good.tar.zst one
	mkdir folder && tar --zstd -xf good.tar.zst -C folder
	run show ./folder
	assert_exit 0
	sed -i 's/replicas: 3/replicas: 9/' folder/objects/namespaces/rhaii-inference/llminferenceservices.serving.kserve.io/qwen.yaml
	(cd folder && cut -c67- MANIFEST.sha256 | xargs sha256sum >m && mv m MANIFEST.sha256)
	refused ./folder
	assert_contains err 'whole folder'
	run show ./folder --accept-edits -o json
	assert_exit 0
	assert_json "not d['verified'] and d['edits'] == ['whole folder'] and d['commit'] is None"
}

test_a_policy_that_does_not_parse() {
	make_tree folder 3
	printf 'name: rhaii\nkinds: 5\n' >folder/policy.yaml
	start_counter
	run --kubeconfig kubeconfig verify ./folder
	assert_exit 6
	assert_contains err policy.yaml
	kill "$counter"
	wait "$counter" 2>/dev/null
	[ ! -e connections ] || fail "a request was sent before the check was over"
}

test_a_folder_that_differs_from_its_manifest_unless_edits_are_accepted() {
	make_tree folder 3
	print_manifest folder >m && mv m folder/MANIFEST.sha256
	sed -i 's/replicas: 3/replicas: 9/' folder/objects/namespaces/rhaii-inference/llminferenceservices.serving.kserve.io/qwen.yaml
	refused ./folder
	run show ./folder --accept-edits
	assert_exit 0
	assert_contains out qwen.yaml
}

test_a_file_whose_metadata_is_of_another_object() {
	make_tree folder 3
	sed -i 's/name: qwen/name: other/' folder/objects/namespaces/rhaii-inference/llminferenceservices.serving.kserve.io/qwen.yaml
	refused ./folder --accept-edits
}

test_a_newer_format_is_refused_by_its_number() {
	make_tree folder 3
	sed -i 's/^format: 1/format: 2/' folder/snapshot.yaml
	refused ./folder
	assert_contains err 2
}

run_tests
