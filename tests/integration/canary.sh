#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Canaries in Secrets, in every credential that a kubeconfig can hold, in what an exec plugin gives, in the environment and in the configuration file: after
# every command, when it works and when it does not, they are in no file, no message, no result, and in nobody's argv.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

source=$work/source
mkdir inputs outputs traces # what the program reads, what it writes (its home too), what strace saw
cluster_up source "$source" && cluster_load "$source" --gateway-port "$(free_port)" >/dev/null || exit 1
cluster_kubectl "$source" create clusterrolebinding canary --clusterrole=cluster-admin --group=dr-operators >/dev/null &&
	cluster_kubectl "$source" create serviceaccount canary -n default >/dev/null &&
	cluster_kubectl "$source" create clusterrolebinding canary-account --clusterrole=cluster-admin --serviceaccount=default:canary >/dev/null || exit 1

canary=$(cluster_canary)
server=$(sed -n 's|.*server: ||p' "$source/kubeconfig")
static_token=$(sed -n 's/.*token: //p' "$source/token.kubeconfig")
account_token=$(cluster_kubectl "$source" create token canary -n default) || exit 1
client_key=$(sed -n 's/.*client-key-data: //p' "$source/kubeconfig")

# --- needles ----------------------------------------------------------------------------------------------------------------------------

# What stands in the base64 of a text whatever is before it: its middle, at each of the three alignments.
base64_needles() {
	local text=$1 pad
	for pad in '' x xx; do
		printf '%s%s' "$pad" "$text" | base64 -w0 | cut -c5- | sed 's/.\{4\}$//'
	done
}

for text in "$canary" "$static_token" "$account_token"; do
	printf '%s\n' "$text"
	base64_needles "$text"
done >needles
# of the key: the line in the middle of the PEM, and of its base64
base64 -d <<<"$client_key" | sed -n 2p >>needles
printf '%s\n' "${client_key:60:60}" >>needles

# --- ways in ----------------------------------------------------------------------------------------------------------------------------

# config NAME CLUSTER USER: a kubeconfig of these flow maps' content
config() {
	cat >"inputs/$1" <<-YAML
		apiVersion: v1
		kind: Config
		current-context: c
		contexts: [{name: c, context: {cluster: k, user: u}}]
		clusters: [{name: k, cluster: {server: '$server', certificate-authority: $source/ca.crt$2}}]
		users: [{name: u, user: {$3}}]
	YAML
}

# plugin NAME: an exec plugin of what stands on standard input
plugin() {
	{ echo '#!/bin/sh' && cat; } >"inputs/$1"
	chmod +x "inputs/$1"
}

exec_of() { # command
	echo "exec: {apiVersion: client.authentication.k8s.io/v1, command: $work/inputs/$1, interactiveMode: Never, env: [{name: PLUGIN_SECRET, value: '$canary-env'}]}"
}

config good-static '' "token: '$static_token'"
printf %s "$account_token" >inputs/token-file
config good-file '' "tokenFile: token-file"
plugin print-token <<-SH
	printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"%s"}}' "$account_token"
SH
config good-exec '' "$(exec_of print-token)"
cp "$source/kubeconfig" inputs/good-key

config bad-token '' "token: $canary-token"
printf '%s-file\nsecond line' "$canary" >inputs/bad-token-file
config bad-file '' 'tokenFile: bad-token-file'
config bad-password '' "username: admin, password: $canary-password"
config bad-provider '' "auth-provider: {name: gcp, config: {access-token: $canary-access}}"
config bad-key '' "client-certificate-data: $(printf '%s-certificate' "$canary" | base64 -w0), client-key-data: $(printf '%s-key' "$canary" | base64 -w0)"
config bad-key-text '' "client-key-data: '$canary is no base64'"
config bad-proxy ", proxy-url: 'http://robot:$canary-proxy@127.0.0.1:1'" "token: '$static_token'"
config bad-proxy-scheme ", proxy-url: 'gopher://robot:$canary-proxy@127.0.0.1:1'" "token: '$static_token'"
config bad-user-field '' "token: '$static_token', tokn: '$canary'"
printf 'users: [{name: u, user: {token: "%s}}]\n' "$canary" >inputs/bad-yaml
plugin not-json <<<"echo $canary-output"
config bad-exec-text '' "$(exec_of not-json)"
plugin other-kind <<-SH
	printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"$canary","status":{"token":{"$canary":1}}}'
SH
config bad-exec-kind '' "$(exec_of other-kind)"
plugin bad-exec-token <<-SH
	printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"$canary-given"}}'
SH
config bad-exec-token '' "$(exec_of bad-exec-token)"
plugin talking-plugin <<-SH
	echo "$canary-spoken" >&2
	exec "$work/inputs/print-token"
SH
config talking '' "$(exec_of talking-plugin)"
plugin failing <<<"echo $canary-output; exit 3"
config bad-exec-fails '' "$(exec_of failing)"

# --- runs -------------------------------------------------------------------------------------------------------------------------------

# run WAY ARGS...: the program under strace, with canaries in its environment; what it says and every argv is kept. It may fail.
run() {
	local way=$1 number status=0
	shift
	echo "$way: $*" >>traces/commands
	number=$(wc -l <traces/commands)
	(
		cd outputs || exit 1
		KUBECONFIG=$work/inputs/$way HOME=$work/outputs/home XDG_CONFIG_HOME=$work/outputs/home/.config HTTPS_PROXY="http://robot:$canary-https@127.0.0.1:1" no_proxy=127.0.0.1 \
			AWS_SECRET_ACCESS_KEY=$canary-aws RHAII_DR_TOKEN=$canary-option strace -f -qq -s 100000 -e trace=execve -o "$work/traces/$number" \
			"$binary" "$@" >"said-$number" 2>"told-$number" </dev/null
	) || status=$?
	echo "$status" >>traces/codes
}

# Everything the program left behind, unpacked, as one stream.
everything() {
	local repo
	find outputs -type f -exec cat {} +
	find outputs -printf '%p\n%l\n'
	find outputs -name HEAD -printf '%h\n' | while read -r repo; do
		git -C "$repo" cat-file --batch-all-objects --unordered --batch
		git -C "$repo" for-each-ref --format='%(refname) %(contents)'
	done
	find outputs -name '*.tar.zst' -exec zstd -dcq {} +
	# argv only: a child's environment is not printed by strace
	cat traces/[0-9]*
}

# clean: nothing of the needles is in it; and the search finds what is there
clean() {
	everything >everything
	has everything opt-125m-tuned # the name of a service
	has everything "$binary"
	grep -aoF -f needles everything | sort | uniq -c >found || true
	same "canaries" "$(cat found)" ""
}

codes() { # the exit codes since the last call, each once
	sort -un traces/codes | paste -sd' '
	rm traces/codes
}

# --- the tests --------------------------------------------------------------------------------------------------------------------------

test_the_search_finds_a_canary_in_each_form() {
	for text in "$canary" "$(printf 'ab%s' "$canary" | base64 -w0)" "$static_token" "$(printf 'x%s' "$account_token" | base64 -w0)" "$(base64 -d <<<"$client_key")" "$client_key"; do
		grep -qaF -f needles <<<"$text" || { echo "not found: $text" && return 1; }
	done
}

# Every command, as text and as JSON, silent and with all that it can say.
test_no_command_that_works_shows_one() {
	for form in '' '-v' '-o json --log-format json -v'; do
		for args in 'snapshot --cluster prod --repo backup --archive-dir archives' 'snapshot --repo backup --archive-dir archives --dry-run' 'list --repo backup' 'show --repo backup' \
			'log llmisvc rhaii-inference/opt-125m-tuned --repo backup' 'diff prod prod --repo backup --cluster prod' 'diff --live --repo backup' 'status --repo backup --openmetrics metrics' \
			'doctor --repo backup' 'verify --repo backup' 'restore prod --repo backup --cluster prod --yes --in-place --wait 0' 'rbac --for restore' 'version'; do
			# shellcheck disable=SC2086
			run good-exec $args $form
		done
	done
	same "exit codes" "$(codes)" 0
	clean
}

test_no_way_in_shows_one() {
	for way in good-static good-file good-key; do
		run $way snapshot --cluster prod --repo backup -v
		run $way doctor --repo backup -o json
		run $way verify --repo backup -v
	done
	same "exit codes" "$(codes)" 0
	clean
}

# Plans and their files, what a restore may be asked to do besides, the copies that it keeps, Secrets that are looked at, templates of them.
test_no_way_to_restore_shows_one() {
	in_place='--repo backup --cluster prod --in-place --wait 0'
	printf 'format: 1\nname: checking\ninclude: rhaii\nsecrets: check\n' >inputs/checking.yaml
	cluster_kubectl "$source" patch pdb tuned-pdb -n rhaii-inference --type=merge -p '{"spec":{"minAvailable":7}}' >/dev/null
	rm -f traces/codes
	# shellcheck disable=SC2086
	{
		run good-exec snapshot --cluster checked --repo checked --policy "$work/inputs/checking.yaml" --archive-dir archives -v
		run good-exec show --repo checked --why llmisvc rhaii-inference/opt-125m-tuned
		run good-exec plan prod $in_place --server-dry-run --requirements-template wanted -v
		run good-exec plan prod $in_place --only ns=rhaii-inference --map-namespace rhaii-inference=elsewhere --map-host example.com=example.org --map-cidr 10.0.0.0/8=10.1.0.0/16 -o json
		run good-exec plan prod $in_place --overwrite --adopt-orphans --drop-unknown-fields -o json
		plan=said-$(wc -l <traces/commands)
		run good-exec restore --plan "$plan" --yes -v
		run good-exec restore --plan "$plan" --yes -o json --log-format json
		run good-exec restore prod $in_place --only kind=PodDisruptionBudget --partial --ignore quota --yes -o json -v
		run good-exec restore --resume -v
	}
	same "exit codes" "$(paste -sd' ' traces/codes)" "0 0 0 0 0 0 7 0 0" # once executed, a plan rests on what is not there any more
	rm traces/codes
	[ -n "$(find outputs/home -path '*rhaii-dr*' -type f -print -quit)" ] # journals, and the copy of what was replaced
	clean
}

# A guard, a conflict, an object that is gone; accept.
test_no_refusal_shows_one() {
	cluster_kubectl "$source" delete networkpolicy -n rhaii-inference --all >/dev/null
	cluster_kubectl "$source" patch pdb tuned-pdb -n rhaii-inference --type=merge -p '{"spec":{"minAvailable":7}}' >/dev/null
	run good-exec restore prod --repo backup --cluster prod --in-place --wait 0
	run good-exec diff --live --repo backup -v
	run good-exec verify --repo backup -o json
	run good-exec snapshot --repo backup -v
	run good-exec snapshot --repo backup -o json --log-format json
	run good-exec accept 000000000000 --repo backup --cluster prod
	run good-exec accept "$(git -C outputs/backup rev-parse 'refs/rhaii-dr/refused/prod^{tree}' | cut -c1-12)" --repo backup --cluster prod --archive-dir archives
	run good-exec restore prod~1 --repo backup --cluster prod --yes --in-place --wait 0 -v
	same "exit codes" "$(codes)" "0 2 3 5 9"
	clean
}

# The ways differ before the first answer of a server, where the commands are the same; a refused token is met in the midst of all.
test_no_way_that_fails_shows_one() {
	rm -f traces/codes
	for config in token file password provider key key-text proxy proxy-scheme yaml exec-text exec-kind exec-token exec-fails; do
		run "bad-$config" doctor --repo backup -v
		run "bad-$config" snapshot --cluster prod --repo backup -o json --log-format json -v
	done
	for config in token exec-token; do
		run "bad-$config" verify --repo backup -v
		run "bad-$config" restore prod --repo backup --cluster prod --yes --in-place -v
		run "bad-$config" diff --live --repo backup -o json --log-format json
	done
	same "exit codes" "$(codes)" "1 2"
	run bad-user-field doctor --repo backup -v
	clean
}

# What a plugin says to the person before the terminal goes there, as with kubectl, and nowhere else.
test_what_a_plugin_says_on_standard_error_is_kept_nowhere() {
	run talking doctor --repo backup -v
	run talking snapshot --cluster prod --repo backup --archive-dir archives -o json --log-format json -v
	number=$(wc -l <traces/commands)
	cat "outputs/told-$((number - 1))" "outputs/told-$number" >told
	rm "outputs/told-$((number - 1))" "outputs/told-$number"
	has told "$canary-spoken"
	clean
}

test_no_configuration_shows_one() {
	mkdir -p outputs/home/.config
	for line in "token: $canary" "repo: [$canary]" "page-size: $canary" "\"$canary" ; do
		echo "$line" >inputs/config.yaml
		run good-exec snapshot --cluster prod --repo backup --config "$work/inputs/config.yaml" -v
	done
	clean
}

run_tests
exit "$failed"
