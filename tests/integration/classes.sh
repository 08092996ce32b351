#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# classes - who made an object, on a cluster with the real KServe controller: authored, generated, orphan, installed; and what `show --why` says of each.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

source=$work/source
ns=rhaii-inference
cluster_up source "$source" && cluster_load "$source" --gateway-port "$(free_port)" >/dev/null || exit 1

# The name of one of the services.
service() {
	cluster_kubectl "$source" get llminferenceservice -n $ns -o name | sed -n '1s|.*/||p'
}

snapshot() {
	expect 0 dr "$source" snapshot --cluster prod --repo backup -o json
}

in_tree() { # path
	git -C backup cat-file -e "clusters/prod:objects/$1"
}

# why CLASS KIND NAME: what `show --why` says of it; the evidence is in ./out
why() {
	expect 0 offline show --why "$2" "$3" --repo backup -o json
	same "class of $2 $3" "$(jq -r .class out)" "$1"
}

test_a_cluster_at_rest_has_no_orphans_and_lacks_no_owner() {
	snapshot
	jq -e '.orphans == [] and .finalizers == []' out
	# everything that is generated there has an owner in the snapshot
	jq -e '[.uncovered[] | select(.neededBy[] | test("-kserve|-epp-|-inference-pool"))] == []' out
}

test_generated_objects_are_named_with_their_owner() {
	name=$(service)
	why generated httproute $ns/"$name"-kserve-route
	has out "controlled by LLMInferenceService $name"
	why generated deployment $ns/"$name"-kserve
	why authored llmisvc $ns/"$name"
	has out "no controller owns it"
}

test_what_is_generated_without_an_owner_is_a_row_of_the_policy() {
	why generated configmap $ns/kube-root-ca.crt
	has out "the certificate authority of this cluster"
	cluster_kubectl "$source" get clusterrolebinding "$ns-$(service)-epp-auth-rb" >/dev/null
	why unknown clusterrolebinding "$ns-$(service)-epp-auth-rb"
	has out "made by KServe for the scheduler of an LLMInferenceService' (generated) may hold"
}

test_the_default_account_is_authored_once_somebody_gave_it_pull_secrets() {
	cluster_kubectl "$source" patch serviceaccount default -n $ns --type merge -p '{"imagePullSecrets": null, "secrets": null}' >/dev/null
	snapshot
	why generated serviceaccount $ns/default
	has out "made in every namespace by Kubernetes"
	cluster_kubectl "$source" patch serviceaccount default -n $ns -p '{"imagePullSecrets": [{"name": "rhaiis-pull-secret"}]}' >/dev/null
	snapshot
	why authored serviceaccount $ns/default
	has out "referred to by"
	in_tree namespaces/$ns/serviceaccounts/default.yaml
}

test_the_name_of_a_preset_elsewhere_is_somebodys_own() {
	preset=$(cluster_kubectl "$source" get llminferenceserviceconfig -n opendatahub -o name | sed -n 's|.*/kserve-config-llm-|kserve-config-llm-|p' | sed -n 1p)
	why installed llminferenceserviceconfig opendatahub/"$preset"
	has out "preset of KServe"
	cluster_kubectl "$source" get llminferenceserviceconfig "$preset" -n opendatahub -o json |
		jq --arg ns "$ns" '{apiVersion, kind, spec, metadata: {name: .metadata.name, namespace: $ns}}' |
		cluster_kubectl "$source" create -f - >/dev/null
	snapshot
	why authored llminferenceserviceconfig $ns/"$preset"
	has out "it is of other namespaces"
	why installed llminferenceserviceconfig opendatahub/"$preset"
}

# Teams deploy their models with Helm.
test_a_model_that_helm_deployed_is_authored() {
	name=$(service)
	cluster_kubectl "$source" label llminferenceservice "$name" -n $ns app.kubernetes.io/managed-by=Helm >/dev/null
	cluster_kubectl "$source" annotate llminferenceservice "$name" -n $ns meta.helm.sh/release-name=models meta.helm.sh/release-namespace=$ns >/dev/null
	snapshot
	why authored llmisvc $ns/"$name"
	has out "app.kubernetes.io/managed-by=Helm decides nothing"
	has out "meta.helm.sh/release-name=models decides nothing"
	in_tree namespaces/$ns/llminferenceservices.serving.kserve.io/"$name".yaml
}

test_drift_and_unknown_finalizers_are_told() {
	cat >drifting.yaml <<-YAML
		apiVersion: networking.k8s.io/v1
		kind: NetworkPolicy
		metadata: {name: drifting, namespace: $ns, finalizers: [ours.example.com/hold]}
		spec: {podSelector: {matchLabels: {app: one}}, policyTypes: [Ingress]}
	YAML
	cluster_kubectl "$source" apply -f drifting.yaml >/dev/null
	snapshot
	jq -e '.drift == []' out
	jq -e '.finalizers == [{"object": "NetworkPolicy rhaii-inference/drifting", "finalizer": "ours.example.com/hold"}]' out
	cluster_kubectl "$source" patch networkpolicy drifting -n $ns --type merge -p '{"spec": {"podSelector": {"matchLabels": {"app": "two"}}}}' >/dev/null
	for run in first second; do
		echo "$run"
		snapshot
		jq -e '.drift == [{"object": "NetworkPolicy rhaii-inference/drifting", "fields": [{"path": "spec.podSelector.matchLabels.app", "applied": "\"one\"", "live": "\"two\""}]}]' out
		jq -e '.finalizers | length == 1' out
	done
	cluster_kubectl "$source" patch networkpolicy drifting -n $ns --type merge -p '{"metadata": {"finalizers": null}}' >/dev/null
	cluster_kubectl "$source" delete networkpolicy drifting -n $ns >/dev/null
}

# What the controller of the load balancers notes has names that nobody can list; what a person has set beside it has the same prefix.
test_what_only_a_controller_has_set_goes() {
	read -r space gateway < <(cluster_kubectl "$source" get gateway -A -o 'jsonpath={range .items[*]}{.metadata.namespace} {.metadata.name}{"\n"}{end}' | sed -n 1p)
	annotate() { # manager, annotation
		cluster_kubectl "$source" annotate gateway "$gateway" -n "$space" --overwrite --field-manager="$1" "$2" >/dev/null
	}
	file=objects/namespaces/$space/gateways.gateway.networking.k8s.io/$gateway.yaml
	snapshot
	before=$(git -C backup rev-parse "clusters/prod:$file")
	annotate GoogleGKEGatewayController networking.gke.io/of-a-newer-version=noted
	snapshot
	same "the Gateway's file" "$(git -C backup rev-parse "clusters/prod:$file")" "$before"
	why authored gateway "$space/$gateway"
	has out "is left out where only GoogleGKEGatewayController has set it: noted by the GKE Gateway controller"
	annotate kubectl networking.gke.io/mine=written
	snapshot
	git -C backup show "clusters/prod:$file" >file.yaml
	has file.yaml "networking.gke.io/mine: written"
	# shellcheck disable=SC2251
	! grep of-a-newer-version file.yaml
	expect 0 dr "$source" plan --in-place --repo backup -o json
	jq -e --arg name "$gateway" '[.waves[].actions[] | select(.kind == "Gateway" and .name == $name) | .action] == ["skip"]' out
	cluster_kubectl "$source" annotate gateway "$gateway" -n "$space" networking.gke.io/of-a-newer-version- networking.gke.io/mine- >/dev/null
}

test_of_a_secret_only_the_need_is_known() {
	why required secret $ns/rhaiis-pull-secret
	has out "Secrets are never read"
	why unknown secret $ns/nobodys
	why unknown pod $ns/nobodys
	has out "the policy has no row for its kind"
}

# kubectl delete --cascade=orphan: the garbage collector takes the references out, and nothing but labels and managers tells who made the children.
test_an_owner_deleted_alone_leaves_orphans() {
	name=$(service)
	cluster_kubectl "$source" delete llminferenceservice "$name" -n $ns --cascade=orphan --timeout=60s >/dev/null
	snapshot
	jq -e --arg name "$name" '[.orphans[] | select(.name == $name + "-kserve-route") | .kind] == ["HTTPRoute"]' out
	jq -e --arg name "$name" '[.orphans[] | select(.name == $name + "-kserve") | .kind] | contains(["Deployment"])' out
	has err "nobody owns any more"
	! in_tree namespaces/$ns/httproutes.gateway.networking.k8s.io/"$name"-kserve-route.yaml || return 1
	why orphan httproute $ns/"$name"-kserve-route
	has out "does not own it any more"
	why unknown llmisvc $ns/"$name"
	expect 0 offline show --repo backup
	has out "Orphans"
	expect 0 offline list --repo backup -o json
	jq -e '.[0].orphans > 0 and .[-1].orphans == 0' out
	snapshot
	jq -e '.changed == false' out
}

# What nobody captures stands above an object: whoever restores must know.
test_an_owner_of_a_kind_that_is_not_captured_is_required() {
	cluster_kubectl "$source" create deployment above -n $ns --image=none --replicas=0 >/dev/null
	uid=$(cluster_kubectl "$source" get deployment above -n $ns -o 'jsonpath={.metadata.uid}')
	cluster_kubectl "$source" apply -f - >/dev/null <<-YAML
		apiVersion: networking.k8s.io/v1
		kind: NetworkPolicy
		metadata:
		  name: below
		  namespace: $ns
		  ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: above, uid: $uid, controller: true}]
		spec: {podSelector: {}}
	YAML
	snapshot
	jq -e '[.uncovered[] | select(.name == "above") | [.kind, .state, .neededBy]] == [["Deployment", "required", ["NetworkPolicy rhaii-inference/below"]]]' out
	why required deployment $ns/above
	has out "needed by NetworkPolicy $ns/below"
}

run_tests
exit "$failed"
