#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# consistency - a snapshot shows the cluster at one moment, whatever happens while it is read. The program is stopped (SIGSTOP) between the list of
# its first kind and that of its last, all objects are changed, and it goes on: none of the changes is in the tree.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

source_dir=$work/source
namespaces=$(seq -f 'moment-%02g' 12)

write_all() { # number: first all policies, then all routes, in one request each
	local number=$1 kind ns
	for kind in NetworkPolicy HTTPRoute; do
		for ns in $namespaces; do
			printf '%s\n' --- "kind: $kind" "metadata: {name: moment, namespace: $ns, annotations: {number: '$number'}}"
			case $kind in
			NetworkPolicy) printf '%s\n' "apiVersion: networking.k8s.io/v1" "spec: {podSelector: {}}" ;;
			*) printf '%s\n' "apiVersion: gateway.networking.k8s.io/v1" "spec: {hostnames: [moment.example.com]}" ;;
			esac
		done
	done | cluster_kubectl "$source_dir" apply --server-side -f - >/dev/null
}

# The numbers in the head's tree of one kind, in the order in which they were written.
numbers() { # folder
	local ns
	for ns in $namespaces; do
		git -C repo show "clusters/moment:objects/namespaces/$ns/$1/moment.yaml" | sed -n "s/^ *number: '\{0,1\}\([0-9]*\)'\{0,1\}\$/\1/p"
	done
}

lists_since() { # mark resource: how many of its lists the program has been answered
	requests "$source_dir" "$1" | grep -c "^list $2 " || true
}

test_what_changes_between_two_lists_is_not_in_the_tree() {
	local ns since pid
	for ns in $namespaces; do
		cluster_kubectl "$source_dir" create namespace "$ns" >/dev/null
	done
	write_all 1
	since=$(mark "$source_dir")
	HOME=$work/home "$binary" --kubeconfig "$source_dir/kubeconfig" -o json snapshot --cluster moment --repo repo --policy core --page-size 1 >out &
	pid=$!
	until grep -q '"userAgent":"rhaii-dr/.*"resource":"httproutes"' <(tail -n "+$((since + 1))" "$source_dir/audit.log"); do :; done
	kill -STOP "$pid"
	same "lists of the last kind before the change" "$(lists_since "$since" networkpolicies)" 0
	write_all 2
	kill -CONT "$pid"
	wait "$pid"
	same "point in time" "$(jq .pointInTime out)" true
	numbers networkpolicies.networking.k8s.io >seen
	numbers httproutes.gateway.networking.k8s.io >>seen
	same "numbers in the tree" "$(sort seen | uniq -c | tr -s ' ')" " 24 1"
	has_not <(git -C repo log --format=%B clusters/moment) Point-In-Time
}

# A definition may call the list of its kind as it likes.
test_a_kind_whose_list_has_a_name_of_its_own() {
	cluster_kubectl "$source_dir" apply -f - <<-'YAML'
		apiVersion: apiextensions.k8s.io/v1
		kind: CustomResourceDefinition
		metadata: {name: widgets.example.com}
		spec:
		  group: example.com
		  scope: Namespaced
		  names: {plural: widgets, singular: widget, kind: Widget, listKind: WidgetCollection}
		  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]
	YAML
	cluster_kubectl "$source_dir" wait --for=condition=Established crd/widgets.example.com
	cat >policy.yaml <<-'YAML'
		format: 1
		name: widgets
		include: core
		kinds: [{resource: widgets, group: example.com, kind: Widget, presence: required, wave: routes}]
	YAML
	expect 0 dr "$source_dir" snapshot --cluster widgets --repo widgets --policy ./policy.yaml
	for name in one two three; do
		printf '%s\n' --- 'apiVersion: example.com/v1' 'kind: Widget' "metadata: {name: $name, namespace: default}"
	done | cluster_kubectl "$source_dir" apply -f -
	same "kind of the list" "$(cluster_kubectl "$source_dir" get --raw /apis/example.com/v1/widgets | jq -r .kind)" WidgetCollection
	expect 0 dr "$source_dir" snapshot --cluster widgets --repo widgets --policy ./policy.yaml --page-size 1
	same "widgets" "$(git -C widgets ls-tree --name-only clusters/widgets:objects/namespaces/default/widgets.example.com | paste -sd' ')" 'one.yaml three.yaml two.yaml'
}

cluster_up plain-source "$source_dir" || exit 1
run_tests
exit "$failed"
