# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# lib - tests of the command line. A script sources this file, defines functions test_*, and ends in run_tests. Each test runs in a subshell of
# its own, in an empty directory, with an empty home and none of our environment variables; its first failed assertion ends it.
# One line a test, "ok - NAME" or "not ok - NAME", then a summary; the exit status is 1 when one failed.
#
# RHAII_DR is the program under test (default build/rhaii-dr).

set -uo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
binary=$(realpath -m "${RHAII_DR:-$root/build/rhaii-dr}")
out='' err='' status=0

# Run the program; leaves $out, $err and $status. stdin is empty.
run() {
	"$binary" "$@" >"$sandbox/out" 2>"$sandbox/err" </dev/null
	status=$?
	out=$(<"$sandbox/out")
	err=$(<"$sandbox/err")
}

fail() {
	{
		printf '# %s\n' "$1"
		printf '# exit %s\n' "$status"
		sed 's/^/# stdout: /' <<<"$out"
		sed 's/^/# stderr: /' <<<"$err"
	} >&2
	exit 1
}

assert_exit() {
	[ "$status" -eq "$1" ] || fail "expected exit code $1"
}

# assert_contains out|err TEXT
assert_contains() {
	[[ "${!1}" == *"$2"* ]] || fail "std$1 does not contain: $2"
}

assert_lacks() {
	[[ "${!1}" != *"$2"* ]] || fail "std$1 contains: $2"
}

assert_empty() {
	[ -z "${!1}" ] || fail "std$1 is not empty"
}

assert_equal() {
	[ "$1" = "$2" ] || fail "expected '$2', got '$1'"
}

# assert_json PYTHON-EXPRESSION over d, the document on stdout
assert_json() {
	python3 -c 'import json,sys; d = json.load(sys.stdin); sys.exit(0 if eval(sys.argv[1]) else 1)' "$1" <<<"$out" || fail "not true of the JSON: $1"
}

# --- snapshots made by hand -----------------------------------------------------------------------------------------------------------

# make_tree DIR REPLICAS: the files of a small snapshot of the cluster "prod"
make_tree() {
	local service=$1/objects/namespaces/rhaii-inference/llminferenceservices.serving.kserve.io
	mkdir -p "$1/objects/cluster/namespaces" "$service"
	cat >"$1/snapshot.yaml" <<-'YAML'
		cluster:
		  id: 11111111-2222-3333-4444-555555555555
		  name: prod
		format: 1
		kinds:
		- count: 1
		  group: ''
		  kind: Namespace
		  resource: namespaces
		  servedVersions:
		  - v1
		  version: v1
		- count: 1
		  group: serving.kserve.io
		  kind: LLMInferenceService
		  resource: llminferenceservices
		  servedVersions:
		  - v1alpha1
		  storageVersion: v1alpha1
		notServed: []
		policy: rhaii
		scope:
		  excludeNamespaces:
		  - kube-*
		serverVersion: v1.34.0
	YAML
	cat >"$1/policy.yaml" <<-'YAML'
		format: 1
		name: prod
		include: core
		kinds:
		- resource: llminferenceservices
		  group: serving.kserve.io
		  kind: LLMInferenceService
		  wave: services
		  environment: [spec.model.uri]
	YAML
	printf 'format: 1\nobjects: []\n' >"$1/generated.yaml"
	cat >"$1/requirements.yaml" <<-'YAML'
		format: 1
		requirements:
		- group: ''
		  keys:
		  - token
		  kind: Secret
		  name: hf-token
		  namespace: rhaii-inference
		  neededBy:
		  - LLMInferenceService rhaii-inference/qwen
		  optional: false
		  resource: secrets
		  state: required
	YAML
	cat >"$1/objects/cluster/namespaces/rhaii-inference.yaml" <<-'YAML'
		apiVersion: v1
		kind: Namespace
		metadata:
		  labels:
		    istio-injection: enabled
		  name: rhaii-inference
	YAML
	cat >"$service/qwen.yaml" <<-YAML
		apiVersion: serving.kserve.io/v1alpha1
		kind: LLMInferenceService
		metadata:
		  name: qwen
		  namespace: rhaii-inference
		spec:
		  model:
		    uri: hf://Qwen/Qwen2.5-0.5B
		  replicas: $2
	YAML
}

# print_manifest DIR
print_manifest() {
	(cd "$1" && find . -type f ! -name MANIFEST.sha256 -printf '%P\n' | LC_ALL=C sort | xargs sha256sum)
}

# commit_tree REPO DIR TIME SUBJECT: onto refs/heads/clusters/prod, as a snapshot makes it
commit_tree() {
	local sum tree parent=() commit
	[ -d "$1" ] || git init -q --bare --initial-branch=clusters/prod "$1"
	sum=$(print_manifest "$2" | sha256sum | cut -d' ' -f1)
	tree=$(export GIT_DIR=$1 GIT_WORK_TREE=$2 && git read-tree --empty && git add -A && git write-tree)
	commit=$(git -C "$1" rev-parse -q --verify refs/heads/clusters/prod) && parent=(-p "$commit")
	commit=$(printf '%s\n\nCaptured-At: %s\nResource-Version: 1\nTool-Version: 0.1.0\nManifest-SHA256: %s\n' "$4" "$3" "$sum" |
		GIT_AUTHOR_NAME=rhaii-dr GIT_AUTHOR_EMAIL=rhaii-dr@localhost GIT_AUTHOR_DATE=$3 \
			GIT_COMMITTER_NAME=rhaii-dr GIT_COMMITTER_EMAIL=rhaii-dr@localhost GIT_COMMITTER_DATE=$3 \
			git -C "$1" commit-tree "${parent[@]}" "$tree")
	git -C "$1" update-ref refs/heads/clusters/prod "$commit"
	rm -f "$1/index"
}

# make_history: ./rhaii-backup with two snapshots, replicas 3, then 0
make_history() {
	make_tree one 3
	commit_tree rhaii-backup one 2026-11-20T13:00:00Z 'prod: first snapshot, 2 objects'
	make_tree two 0
	commit_tree rhaii-backup two 2026-11-20T14:00:00Z 'prod: 2 objects, 0 added, 1 changed, 0 removed'
}

# A kubeconfig of a cluster that does not answer.
make_kubeconfig() {
	cat >"$1" <<-'YAML'
		apiVersion: v1
		kind: Config
		current-context: nowhere
		contexts:
		- name: nowhere
		  context: {cluster: nowhere, user: nobody}
		clusters:
		- name: nowhere
		  cluster: {server: "https://127.0.0.1:1"}
		users:
		- name: nobody
		  user: {token: not-a-token}
	YAML
}

# --- running --------------------------------------------------------------------------------------------------------------------------

run_one() {
	sandbox=$(mktemp -d) || exit 1
	trap 'rm -rf "$sandbox"' EXIT
	mkdir "$sandbox/work" "$sandbox/home" && cd "$sandbox/work" || exit 1
	local variable
	for variable in $(compgen -e RHAII_DR_) KUBECONFIG KUBERNETES_SERVICE_HOST NO_COLOR; do
		unset "$variable"
	done
	export HOME=$sandbox/home XDG_CONFIG_HOME=$sandbox/home/.config
	"$1"
}

run_tests() {
	local name passed=0 failed=0 script
	[ -x "$binary" ] || {
		echo "no program at $binary" >&2
		exit 1
	}
	script=$(basename "$0" .sh)
	script=${script#test_}
	for name in $(declare -F | awk '$3 ~ /^test_/ { print $3 }'); do
		if (run_one "$name"); then
			printf 'ok - cli %s: %s\n' "$script" "${name#test_}"
			passed=$((passed + 1))
		else
			printf 'not ok - cli %s: %s\n' "$script" "${name#test_}"
			failed=$((failed + 1))
		fi
	done
	printf '%s: %d passed, %d failed\n' "$script" "$passed" "$failed"
	[ "$failed" -eq 0 ]
}
