#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Getting in: each form of a kubeconfig against a real API server, a wrong one of each, and what doctor says of them.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

source=$work/source
cluster_up plain-source "$source" || exit 1
kubectl=$("$cluster_here/build.sh" kubectl)
server=$(sed -n 's|.*server: ||p' "$source/kubeconfig")
ca="certificate-authority: $source/ca.crt"
export SOURCE=$source KUBECTL=$kubectl

# config FILE CLUSTER USER [CONTEXT]: a kubeconfig of these flow maps' content
config() {
	cat >"$1" <<-YAML
		apiVersion: v1
		kind: Config
		current-context: c
		contexts: [{name: c, context: {cluster: k, user: u}}]
		clusters: [{name: k, cluster: {$2}}]
		users: [{name: u, user: {$3}}]
	YAML
}

# access FILE COMMAND...: the program with that kubeconfig
access() {
	local file=$1
	shift
	HOME=$work/home XDG_CONFIG_HOME=$work/home/.config "$binary" --kubeconfig "$file" "$@"
}

# is_user NAME: what doctor found out about us
is_user() {
	same "user" "$(jq -r .identity.username out)" "$1"
}

# finding RESULT CHECK TEXT: doctor says so
finding() {
	jq -e --arg r "$1" --arg c "$2" --arg t "$3" 'any(.findings[]; .result == $r and .check == $c and (.message | contains($t)))' out
}

token_of() { # service account
	"$kubectl" --kubeconfig "$source/kubeconfig" create token "$1" -n default
}

# paused SECONDS COMMAND...: run it while the API server answers nobody for so long; afterwards its output is in out and err
paused() {
	local seconds=$1 pid
	shift
	cluster_tell "$source" pause kube-apiserver
	"$@" >out 2>err </dev/null &
	pid=$!
	sleep "$seconds"
	[ -z "${meanwhile:-}" ] || $meanwhile
	cluster_tell "$source" resume kube-apiserver
	wait "$pid" || { cat out err && return 1; }
}

cluster_kubectl "$source" create serviceaccount one -n default >/dev/null
cluster_kubectl "$source" create serviceaccount two -n default >/dev/null
cluster_kubectl "$source" create clusterrolebinding access --clusterrole=cluster-admin --serviceaccount=default:one \
	--serviceaccount=default:two --group=rescue >/dev/null || exit 1

# --- certificates and tokens ----------------------------------------------------------------------------------------------------------

test_a_client_certificate_as_data() {
	expect 0 access "$source/kubeconfig" doctor -o json
	is_user admin
	jq -e --arg s "$server" '.server == $s and .clusterId and (.serverVersion | startswith("v1.")) and .context and .policy == "rhaii"' out
	same "findings that are bad" "$(jq '[.findings[] | select(.result == "failed")] | length' out)" 0
}

test_a_client_certificate_in_files() {
	for part in certificate key; do
		sed -n "s/.*client-$part-data: //p" "$source/kubeconfig" | base64 -d >client-$part.pem
	done
	config files "server: '$server', $ca" "client-certificate: client-certificate.pem, client-key: client-key.pem"
	expect 0 access files doctor -o json
	is_user admin
}

# A certificate that this cluster has not signed, its key, and the key of another.
other_certificate() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout other.key -out other.pem -subj /O=system:masters/CN=admin -days 1
}

test_a_client_certificate_of_another_authority_is_named_as_such() {
	other_certificate
	config foreign "server: '$server', $ca" "client-certificate: other.pem, client-key: other.key"
	expect 1 access foreign snapshot --cluster prod
	has err "hint: the server does not accept the credentials of context 'c' of foreign"
}

test_a_key_of_another_certificate_is_named_as_such() {
	other_certificate
	config mixed "server: '$server', $ca" "$(sed -n 's/.*\(client-certificate-data: .*\)/\1/p' "$source/kubeconfig"), client-key: other.key"
	expect 1 access mixed snapshot --cluster prod
	has err 'hint: check the client certificate configured for this server, and that the key is the one of this certificate'
	expect 1 access mixed doctor -o json
	finding failed server 'private key'
}

test_a_token() {
	config token "server: '$server', $ca" "token: '$(token_of one)'"
	expect 0 access token doctor -o json
	is_user system:serviceaccount:default:one
}

test_a_wrong_token_is_named_as_such() {
	config wrong "server: '$server', $ca" "token: not-this-one"
	expect 1 access wrong doctor -o json
	finding failed identity 'does not accept the credentials of context'
	has_not out not-this-one
	has_not err not-this-one
}

rotate_file() {
	token_two >new && mv new token-file
}

token_two() {
	cat two.token
}

test_a_token_file_that_is_rotated_between_requests() {
	token_of one >token-file
	token_of two >two.token
	config rotated "server: '$server', $ca" "tokenFile: token-file"
	expect 0 access rotated doctor -o json
	is_user system:serviceaccount:default:one
	meanwhile=rotate_file paused 1 access rotated doctor -o json
	is_user system:serviceaccount:default:two
}

test_a_token_file_that_is_not_there() {
	config gone "server: '$server', $ca" "tokenFile: gone.token"
	expect 2 access gone snapshot --cluster prod
	has err "tokenFile './gone.token' of user 'u' in 'gone' does not exist"
}

# --- exec plugins -----------------------------------------------------------------------------------------------------------------------

# A plugin: says a new token each time, which is good for $SECONDS_GOOD seconds; a line in $RUNS each time.
plugin() {
	cat >plugin <<-'SH'
		#!/usr/bin/env bash
		echo run >>"$RUNS"
		printf '%s' "$KUBERNETES_EXEC_INFO" >info
		printf '%s\n' "$@" >arguments
		token=$(cat first-token 2>/dev/null || "$KUBECTL" --kubeconfig "$SOURCE/kubeconfig" create token one -n default)
		rm -f first-token
		expiry=$(date -u -d "+${SECONDS_GOOD:-600} seconds" +%Y-%m-%dT%H:%M:%SZ)
		version=$(jq -r .apiVersion info)
		printf '{"apiVersion":"%s","kind":"ExecCredential","status":{"token":"%s","expirationTimestamp":"%s"}}\n' "$version" "$token" "$expiry"
	SH
	chmod +x plugin
	rm -f runs first-token
}

runs() {
	wc -l <runs
}

exec_config() { # version, more of exec
	config exec "server: '$server', $ca, extensions: [{name: client.authentication.k8s.io/exec, extension: {audience: dr}}]" \
		"exec: {apiVersion: client.authentication.k8s.io/$1, command: ./plugin, env: [{name: RUNS, value: runs}${2:-}"
}

test_an_exec_plugin_is_run_once_while_its_token_is_good() {
	plugin
	for version in v1 v1beta1; do
		rm -f runs
		exec_config $version "], interactiveMode: IfAvailable, args: ['a b', '\$HOME']}"
		expect 0 access exec doctor -o json
		is_user system:serviceaccount:default:one
		same "runs" "$(runs)" 1
		same "arguments" "$(cat arguments)" $'a b\n$HOME'
		jq -e --arg v "client.authentication.k8s.io/$version" '. == {apiVersion: $v, kind: "ExecCredential", spec: {interactive: false}}' info
	done
}

test_an_exec_plugin_is_told_the_cluster() {
	plugin
	exec_config v1 '], interactiveMode: Never, provideClusterInfo: true}'
	expect 0 access exec doctor -o json
	jq -e --arg s "$server" '.spec.cluster | .server == $s and .config == {audience: "dr"}' info
	same "authority" "$(jq -r '.spec.cluster["certificate-authority-data"]' info | base64 -d)" "$(cat "$source/ca.crt")"
}

# The token is good for two seconds, and the first answer takes three.
test_an_exec_plugin_is_run_again_when_its_token_has_expired() {
	plugin
	exec_config v1 ', {name: SECONDS_GOOD, value: "2"}], interactiveMode: Never}'
	cluster_tell "$source" resume kube-apiserver
	token_of one >first-token
	paused 3 access exec doctor -o json
	is_user system:serviceaccount:default:one
	[ "$(runs)" -ge 2 ] || { echo "ran $(runs) times" && return 1; }
}

test_an_exec_plugin_is_run_again_after_401() {
	plugin
	echo revoked >first-token
	exec_config v1 '], interactiveMode: Never}'
	expect 0 access exec doctor -o json
	is_user system:serviceaccount:default:one
	same "runs" "$(runs)" 2
}

test_an_exec_plugin_that_gives_bad_tokens_only_is_run_twice_a_request() {
	plugin
	sed -i 's/^token=.*/token=revoked-token/' plugin
	exec_config v1 '], interactiveMode: Never}'
	expect 1 access exec snapshot --cluster prod
	has err Unauthorized
	has_not err revoked-token
	same "runs" "$(runs)" 2
}

test_an_exec_plugin_may_give_a_certificate() {
	for part in certificate key; do
		sed -n "s/.*client-$part-data: //p" "$source/kubeconfig" | base64 -d >client-$part.pem
	done
	plugin
	cat >plugin <<-'SH'
		#!/usr/bin/env bash
		jq -n --rawfile c client-certificate.pem --rawfile k client-key.pem '{apiVersion: "client.authentication.k8s.io/v1", kind: "ExecCredential",
			status: {clientCertificateData: $c, clientKeyData: $k}}'
	SH
	exec_config v1 '], interactiveMode: Never}'
	expect 0 access exec doctor -o json
	is_user admin
}

test_an_exec_plugin_that_fails() {
	plugin
	printf '#!/bin/sh\necho "the login has expired" >&2\nexit 3\n' >plugin
	exec_config v1 '], interactiveMode: Never}'
	expect 1 access exec snapshot --cluster prod
	has err 'the login has expired'
	has err "(context 'c' of exec): exec plugin './plugin' of user 'u' in 'exec': './plugin' failed with exit code 3"
	expect 1 access exec doctor -o json
	finding failed server 'failed with exit code 3'
}

test_an_exec_plugin_that_is_not_installed() {
	config missing "server: '$server', $ca" \
		"exec: {apiVersion: client.authentication.k8s.io/v1, command: no-such-auth-plugin, installHint: 'apt install no-such-auth', interactiveMode: Never}"
	expect 1 access missing snapshot --cluster prod
	has err "there is no program 'no-such-auth-plugin' in the PATH"
	has err 'hint: apt install no-such-auth'
}

test_an_exec_plugin_that_prints_something_else() {
	plugin
	printf '#!/bin/sh\necho a-secret-token\n' >plugin
	exec_config v1 '], interactiveMode: Never}'
	expect 1 access exec snapshot --cluster prod
	has err 'it printed what is not JSON'
	has_not err a-secret-token
}

# --- in a pod ---------------------------------------------------------------------------------------------------------------------------

test_a_pod_gets_in_with_its_account_and_its_namespace() {
	account "$source" default inside
	cluster_kubectl "$source" create clusterrolebinding inside --clusterrole=cluster-admin --serviceaccount=default:inside
	expect 0 in_pod "$source" inside doctor -o json
	is_user system:serviceaccount:default:inside
}

# The kubelet replaces the token while we run.
rotate_account() {
	mv inside/good inside/token
}

test_a_token_of_a_pod_is_read_again() {
	mv inside/token inside/good
	echo revoked-token >inside/token
	meanwhile=rotate_account paused 1 in_pod "$source" inside doctor -o json
	is_user system:serviceaccount:default:inside
}

test_a_wrong_account_of_a_pod_is_named_as_such() {
	cp -r inside pod-revoked && echo revoked-token >pod-revoked/token
	expect 1 in_pod "$source" pod-revoked snapshot --cluster prod
	has err 'hint: the server does not accept the credentials of in-cluster service account'
	has_not err revoked-token
	other_certificate
	cp -r inside pod-untrusted && cp other.pem pod-untrusted/ca.crt
	expect 1 in_pod "$source" pod-untrusted snapshot --cluster prod
	has err 'hint: check the certificate authority'
	cp -r inside pod-bare && rm pod-bare/token
	expect 2 in_pod "$source" pod-bare snapshot --cluster prod
	has err 'hint: the pod needs a service account and automountServiceAccountToken: true'
}

# --- several files, impersonation -------------------------------------------------------------------------------------------------------

test_two_files_of_KUBECONFIG_are_merged() {
	mkdir -p first second
	config second/config "server: '$server', $ca" "tokenFile: token"
	token_of one >second/token
	printf 'contexts: [{name: mine, context: {cluster: k, user: u}}]\ncurrent-context: mine\n' >first/config
	expect 0 env KUBECONFIG="$PWD/none:$PWD/first/config:$PWD/second/config" HOME="$work/home" "$binary" doctor -o json
	is_user system:serviceaccount:default:one
	same "context" "$(jq -r .context out)" mine
}

test_impersonation_gives_the_rights_of_the_group() {
	admin=$(sed -n 's/.*\(client-[a-z]*-data: .*\)/\1/p' "$source/kubeconfig" | paste -sd,)
	config as "server: '$server', $ca" "$admin, as: jane, as-uid: '1-2', as-groups: [other, rescue], as-user-extra: {Example.com/Reason: [drill, 'why not']}"
	expect 0 access as doctor -o json
	is_user jane
	jq -e '.identity | .uid == "1-2" and (.groups | index("rescue") and index("other")) and .extra["example.com/reason"] == ["drill", "why not"]' out
	config as "server: '$server', $ca" "$admin, as: jane"
	expect 1 access as doctor -o json
	is_user jane
	finding failed 'cluster id' jane
	finding failed rights 'may not be listed'
}

test_impersonation_needs_the_right_to_it() {
	config as "server: '$server', $ca" "token: '$(sed -n 's/.*token: //p' "$source/token.kubeconfig")', as: jane"
	expect 1 access as snapshot --cluster prod
	has err 'cannot impersonate'
}

# --- TLS ------------------------------------------------------------------------------------------------------------------------------------

test_another_name_of_the_server() {
	token=$(token_of one)
	config named "server: '$server', $ca, tls-server-name: kubernetes.default.svc" "token: '$token'"
	expect 0 access named doctor -o json
	config named "server: '$server', $ca, tls-server-name: wrong.example" "token: '$token'"
	expect 1 access named doctor -o json
	finding failed server wrong.example
}

test_insecure_works_with_a_warning() {
	config insecure "server: '$server', insecure-skip-tls-verify: true" "token: '$(token_of one)'"
	expect 0 access insecure doctor -o json
	has err 'warning: context '
	has err insecure-skip-tls-verify
	finding warning tls 'not checked'
}

test_a_wrong_authority() {
	other_certificate
	config untrusted "server: '$server', certificate-authority: other.pem" "token: '$(token_of one)'"
	expect 1 access untrusted doctor -o json
	finding failed server certificate
	jq -e 'any(.findings[]; .check == "server" and (.hint | contains("certificate authority")))' out
}

# --- proxies --------------------------------------------------------------------------------------------------------------------------------

tunnel_proxy=$("$cluster_here/build.sh" tunnel-proxy)

# start_proxy [--users FILE]: a real proxy, for http, https and SOCKS5; a line in tunnels for each tunnel. It ends with the test.
start_proxy() {
	[ -e proxy.pem ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout proxy.key -out proxy.pem -subj /CN=proxy \
		-addext subjectAltName=IP:127.0.0.1 -days 1
	cat "$source/ca.crt" proxy.pem >both.pem
	rm -f tunnels ports hold && mkfifo hold
	exec 7<>hold
	"$tunnel_proxy" --cert proxy.pem --key proxy.key --log tunnels "$@" <hold >ports 2>proxy.log 7>&- &
	until grep -qs ready ports; do sleep 0.05; done
	read -r _ http_port https_port socks_port <ports
}

# through PROXY-URL [CLUSTER]: a kubeconfig of that proxy
through() {
	config proxied "${2:-server: '$server', certificate-authority: both.pem}, proxy-url: '$1'" "token: '$(token_of one)'"
}

# tunnelled LINE: there were tunnels, all of them like this
tunnelled() {
	same "tunnels" "$(sort -u tunnels)" "$1"
}

address=${server#https://}
hidden="server: 'https://kubernetes.default.svc:${server##*:}', certificate-authority: both.pem" # a name that only the proxy knows

test_a_proxy_of_the_kubeconfig_is_used_even_on_loopback() {
	start_proxy
	through "http://127.0.0.1:$http_port"
	expect 0 access proxied doctor -o json
	is_user system:serviceaccount:default:one
	tunnelled "http $address "
}

test_a_proxy_with_tls_is_judged_by_the_authority_of_the_cluster() {
	start_proxy
	through "https://127.0.0.1:$https_port"
	expect 0 access proxied doctor -o json
	is_user system:serviceaccount:default:one
	tunnelled "https $address "
}

test_a_certificate_of_a_proxy_from_another_authority_is_named() {
	start_proxy
	through "https://127.0.0.1:$https_port" "server: '$server', $ca"
	expect 1 access proxied doctor -o json
	finding failed server "the certificate of the proxy 'https://127.0.0.1:$https_port' is not accepted"
	jq -e 'any(.findings[]; .check == "server" and (.hint | contains("a proxy is checked with the certificate authority configured for this server")))' out
	[ ! -s tunnels ]
}

test_a_certificate_of_a_proxy_with_another_name_is_named() {
	start_proxy
	through "https://localhost:$https_port"
	expect 1 access proxied doctor -o json
	finding failed server "the certificate of the proxy 'https://localhost:$https_port' is not accepted"
	[ ! -s tunnels ]
}

test_a_wrong_certificate_behind_a_proxy_is_not_that_of_the_proxy() {
	start_proxy
	through "https://127.0.0.1:$https_port" "server: '$server', certificate-authority: proxy.pem"
	expect 1 access proxied doctor -o json
	finding failed server "through the proxy 'https://127.0.0.1:$https_port'"
	has_not out 'the certificate of the proxy'
	tunnelled "https $address "
}

test_insecure_is_for_the_proxy_too() {
	start_proxy
	through "https://127.0.0.1:$https_port" "server: '$server', insecure-skip-tls-verify: true"
	expect 0 access proxied doctor -o json
	tunnelled "https $address "
}

test_another_name_of_the_server_is_not_the_name_of_the_proxy() {
	start_proxy
	through "https://127.0.0.1:$https_port" "server: '$server', certificate-authority: both.pem, tls-server-name: kubernetes.default.svc"
	expect 0 access proxied doctor -o json
	tunnelled "https $address "
}

test_a_socks_proxy_looks_the_name_of_the_server_up() {
	for scheme in socks5 socks5h; do
		start_proxy
		through "$scheme://127.0.0.1:$socks_port" "$hidden"
		expect 0 access proxied doctor -o json
		is_user system:serviceaccount:default:one
		tunnelled "socks5 kubernetes.default.svc:${server##*:} "
	done
}

# each_way COMMAND...: with the scheme and the address of each of the three ways
each_way() {
	"$@" http "127.0.0.1:$http_port"
	"$@" https "127.0.0.1:$https_port"
	"$@" socks5 "127.0.0.1:$socks_port"
}

accepts() {
	: >tunnels
	through "$1://me:very%40secret%3Aword@$2"
	expect 0 access proxied doctor -o json
	tunnelled "$1 $address me"
}

refuses() {
	: >tunnels
	through "$1://me:wrong-word@$2"
	expect 1 access proxied doctor -o json
	finding failed server "the proxy '${1/socks5/socks5h}://$2' does not accept the user and password of its URL"
	has_not out wrong-word
	has_not err wrong-word
	same "tries" "$(cat tunnels)" "refused $1 me"
	expect 1 access proxied snapshot --cluster prod
	has err 'hint: they stand in the proxy'
	has_not err wrong-word
}

misses() {
	through "$1://$2"
	expect 1 access proxied doctor -o json
	finding failed server 'wants a user and a password'
}

test_a_proxy_is_told_user_and_password() {
	echo 'me:very@secret:word' >users
	start_proxy --users users
	each_way accepts
}

test_a_wrong_password_of_a_proxy_is_named_and_not_shown() {
	echo 'me:very@secret:word' >users
	start_proxy --users users
	each_way refuses
}

test_a_proxy_that_wants_a_password_which_is_not_there() {
	echo 'me:very@secret:word' >users
	start_proxy --users users
	each_way misses
}

test_the_environment_may_name_each_kind_of_proxy() {
	start_proxy
	config direct "$hidden" "token: '$(token_of one)'"
	for url in "127.0.0.1:$http_port" "https://127.0.0.1:$https_port" "socks5://127.0.0.1:$socks_port"; do
		HTTPS_PROXY=$url expect 0 access direct doctor -o json
	done
	same "ways" "$(cut -d' ' -f1 tunnels | sort -u | paste -sd' ')" "http https socks5"
	: >tunnels
	HTTPS_PROXY="https://127.0.0.1:$https_port" NO_PROXY=.svc expect 1 access direct doctor -o json
	[ ! -s tunnels ]
	HTTPS_PROXY='ftp://me:wrong-word@127.0.0.1' expect 1 access direct doctor -o json
	finding failed server 'the proxy in HTTPS_PROXY is not a URL of a proxy'
	has_not out wrong-word
}

test_no_proxy_of_the_environment_is_used_on_loopback() {
	start_proxy
	config direct "server: '$server', $ca" "token: '$(token_of one)'"
	HTTPS_PROXY="http://127.0.0.1:$http_port" expect 0 access direct doctor -o json
	[ ! -s tunnels ]
}

test_a_proxy_that_is_not_there() {
	port=$(free_port)
	config proxied "server: '$server', $ca, proxy-url: 'http://me:wrong-word@127.0.0.1:$port'" "token: '$(token_of one)'"
	expect 1 access proxied doctor -o json
	finding failed server "through the proxy 'http://127.0.0.1:$port'"
	has_not out wrong-word
}

# --- doctor -----------------------------------------------------------------------------------------------------------------------------------

test_doctor_names_each_right_that_is_missing() {
	expect 1 access "$source/token.kubeconfig" doctor -o json
	is_user dr-operator
	jq -e '.outcome == ["failed"] and ([.kinds[] | select(.served)] | length > 10 and all(.mayList == false))' out
	finding failed rights 'llminferenceservices.serving.kserve.io: may not be listed'
	finding failed 'cluster id' dr-operator
	jq -e 'all(.findings[] | select(.result == "failed"); .hint | length > 0)' out
}

test_doctor_asks_for_rights_where_the_snapshot_would_use_them() {
	cluster_kubectl "$source" create namespace near
	cluster_kubectl "$source" create namespace far
	cluster_kubectl "$source" create serviceaccount narrow -n default
	offline rbac --for snapshot -n near --service-account default/narrow | cluster_kubectl "$source" apply -f -
	config narrow "server: '$server', $ca" "token: '$(token_of narrow)'"
	expect 0 access narrow doctor -n near -o json
	jq -e '[.findings[] | select(.check == "rights")] == [] and all(.kinds[] | select(.served); .mayList)' out
	expect 0 access narrow snapshot -n near --cluster narrow --repo narrow-backup
	expect 1 access narrow doctor -n near,far -o json
	finding failed rights "may not be listed in namespace 'far'"
	jq -e 'any(.findings[]; .check == "rights" and (.message | contains("near"))) | not' out
	expect 1 access narrow doctor -o json
	finding failed rights 'configmaps: may not be listed'
}

test_doctor_asks_for_the_definitions() {
	offline rbac --for snapshot --service-account default/narrow | cluster_kubectl "$source" apply -f -
	config narrow "server: '$server', $ca" "token: '$(token_of narrow)'"
	expect 0 access narrow doctor -o json
	jq -e '[.findings[] | select(.check == "rights")] == []' out
	cluster_kubectl "$source" get clusterrole rhaii-dr-snapshot -o json | jq '.rules |= map(select(.resources != ["customresourcedefinitions"]))' |
		cluster_kubectl "$source" replace -f -
	expect 0 access narrow doctor -o json
	finding warning rights 'llminferenceservices.serving.kserve.io: its definition may not be read'
	# what a snapshot falls back to: each by its name
	cluster_kubectl "$source" create clusterrole definitions --verb=get --resource=customresourcedefinitions.apiextensions.k8s.io
	cluster_kubectl "$source" create clusterrolebinding definitions --clusterrole=definitions --serviceaccount=default:narrow
	expect 0 access narrow doctor -o json
	jq -e '[.findings[] | select(.check == "rights")] == []' out
}

test_doctor_changes_nothing() {
	rm -rf rhaii-backup
	at=$(mark "$source")
	expect 0 access "$source/kubeconfig" doctor
	requests "$source" "$at" | awk '{ print $1 " " $2 }' | sort -u >asked
	[ -s asked ]
	! grep -vE '^(get|list) |^create (selfsubjectaccessreviews|selfsubjectreviews)$' asked || return 1
	[ ! -e rhaii-backup ]
}

test_doctor_tells_people_the_same() {
	expect 1 access "$source/token.kubeconfig" doctor
	has out 'dr-operator'
	has out 'How to mend it:'
	has out 'rhaii-dr rbac --for snapshot'
	expect 0 access "$source/kubeconfig" doctor --repo none
	has out "there is no repository 'none' yet"
}

test_doctor_looks_at_the_repository() {
	expect 0 dr "$source" snapshot --cluster prod --repo backup
	expect 0 access "$source/kubeconfig" doctor --repo backup -o json
	jq -e --arg h "$(git -C backup rev-parse clusters/prod)" '.repository | .exists and .cluster == "prod" and .commit == $h and .locked == false' out
	exec {held}<>backup/rhaii-dr.lock
	flock -n "$held"
	expect 0 access "$source/kubeconfig" doctor --repo backup -o json
	finding warning lock 'in use'
	jq -e .repository.locked out
	exec {held}>&-
}

test_doctor_without_a_cluster() {
	sed 's|server: .*|server: https://127.0.0.1:1|' "$source/kubeconfig" >dead
	expect 1 access dead doctor -o json
	finding failed server '127.0.0.1:1'
	expect 1 env HOME="$work/home" "$binary" doctor -o json
	finding failed kubeconfig 'there is no kubeconfig'
	expect 1 access "$source/kubeconfig" doctor --context no-such -o json
	finding failed kubeconfig "no context 'no-such'"
	expect 1 access "$source/kubeconfig" doctor --policy ./no-such.yaml -o json
	jq -e 'any(.findings[]; .check == "policy" and .result == "failed")' out
}

run_tests
exit "$failed"
