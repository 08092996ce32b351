// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// The kinds that random objects have, and the specs of those that Kubernetes itself brings, whose rules no schema tells.

const (
	qualifiedPattern = `^([a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?)*/)?([A-Za-z0-9]([-A-Za-z0-9_.]{0,30}[A-Za-z0-9])?)$`
	labelPattern     = `^([A-Za-z0-9]([-A-Za-z0-9_.]{0,60}[A-Za-z0-9])?)?$`
	subdomainPattern = `^[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?)*$`
	dnsLabelPattern  = `^[a-z0-9]([-a-z0-9]{0,60}[a-z0-9])?$`
	dataKeyPattern   = `^[-_A-Za-z0-9][-._A-Za-z0-9]*$`
)

// randomKind is a kind of the policy. Its objects are as its CRD allows where there is no content.
type randomKind struct {
	group, kind, plural string
	weight              int    // how many of a hundred
	version             string // of a kind that we define ourselves, free in all fields but these: nothing that we run has its CRD
	content             func(c *chance) map[string]any
}

var randomKinds = []randomKind{
	{group: "serving.kserve.io", kind: "LLMInferenceService", plural: "llminferenceservices", weight: 14},
	{group: "serving.kserve.io", kind: "LLMInferenceServiceConfig", plural: "llminferenceserviceconfigs", weight: 7},
	{group: "gateway.networking.k8s.io", kind: "HTTPRoute", plural: "httproutes", weight: 12},
	{group: "gateway.networking.k8s.io", kind: "Gateway", plural: "gateways", weight: 6},
	{group: "gateway.networking.k8s.io", kind: "ReferenceGrant", plural: "referencegrants", weight: 2},
	{group: "inference.networking.k8s.io", kind: "InferencePool", plural: "inferencepools", weight: 4},
	{group: "inference.networking.x-k8s.io", kind: "InferencePool", plural: "inferencepools", weight: 4},
	{group: "networking.istio.io", kind: "EnvoyFilter", plural: "envoyfilters", weight: 4},
	{group: "networking.istio.io", kind: "DestinationRule", plural: "destinationrules", weight: 4},
	{group: "security.istio.io", kind: "PeerAuthentication", plural: "peerauthentications", weight: 2},
	{group: "security.istio.io", kind: "AuthorizationPolicy", plural: "authorizationpolicies", weight: 4},
	{group: "cert-manager.io", kind: "Certificate", plural: "certificates", weight: 3, version: "v1"},
	{group: "external-secrets.io", kind: "ExternalSecret", plural: "externalsecrets", weight: 2, version: "v1"},
	{group: "external-secrets.io", kind: "SecretStore", plural: "secretstores", weight: 2, version: "v1"},
	{group: "bitnami.com", kind: "SealedSecret", plural: "sealedsecrets", weight: 2, version: "v1alpha1"},
	{group: "secrets-store.csi.x-k8s.io", kind: "SecretProviderClass", plural: "secretproviderclasses", weight: 2, version: "v1"},
	{group: "networking.gke.io", kind: "HealthCheckPolicy", plural: "healthcheckpolicies", weight: 2, version: "v1"},
	{group: "networking.k8s.io", kind: "NetworkPolicy", plural: "networkpolicies", weight: 10, content: networkPolicy},
	{group: "policy", kind: "PodDisruptionBudget", plural: "poddisruptionbudgets", weight: 4, content: disruptionBudget},
	{group: "autoscaling", kind: "HorizontalPodAutoscaler", plural: "horizontalpodautoscalers", weight: 4, content: autoscaler},
	{kind: "ResourceQuota", plural: "resourcequotas", weight: 3, content: quota},
	{kind: "LimitRange", plural: "limitranges", weight: 3, content: limitRange},
}

func spec(fields map[string]any) map[string]any { return map[string]any{"spec": fields} }

func (c *chance) labels() map[string]any {
	labels := map[string]any{}
	for range c.IntN(4) {
		labels[c.matching(qualifiedPattern, 100)] = c.matching(labelPattern, 63)
	}
	return labels
}

func (c *chance) selector() map[string]any {
	selector := map[string]any{}
	if c.one(2) {
		selector["matchLabels"] = c.labels()
	}
	if c.one(3) {
		selector["matchExpressions"] = []any{
			map[string]any{"key": c.matching(qualifiedPattern, 60), "operator": "In", "values": []any{c.matching(labelPattern, 63), c.matching(labelPattern, 63)}},
			map[string]any{"key": c.matching(qualifiedPattern, 60), "operator": pick(c, []string{"Exists", "DoesNotExist"})},
		}
	}
	return selector
}

func (c *chance) peers() []any {
	peers := []any{}
	for range c.IntN(3) {
		switch c.IntN(4) {
		case 0:
			peers = append(peers, map[string]any{"ipBlock": map[string]any{"cidr": "10.0.0.0/8", "except": []any{"10.1.0.0/16"}}})
		case 1:
			peers = append(peers, map[string]any{"ipBlock": map[string]any{"cidr": pick(c, []string{"0.0.0.0/0", "::/0", "2001:db8::/32", "192.0.2.1/32"})}})
		case 2:
			peers = append(peers, map[string]any{"namespaceSelector": c.selector(), "podSelector": c.selector()})
		default:
			peers = append(peers, map[string]any{"podSelector": c.selector()})
		}
	}
	return peers
}

// rules of one direction: absent, none, one that allows all, and others.
func (c *chance) rules(peers string) []any {
	rules := []any{}
	for range c.IntN(3) {
		rule := map[string]any{}
		if c.one(2) {
			rule[peers] = c.peers()
		}
		if c.one(2) {
			rule["ports"] = pick(c, [][]any{{}, {map[string]any{"port": int64(53), "protocol": "UDP"}}, {map[string]any{"port": "http"}, map[string]any{"port": int64(1), "endPort": int64(65535)}}})
		}
		rules = append(rules, rule)
	}
	return rules
}

func networkPolicy(c *chance) map[string]any {
	policy := map[string]any{"podSelector": c.selector()}
	if c.one(2) {
		policy["ingress"] = c.rules("from")
	}
	if c.one(2) {
		policy["egress"] = c.rules("to")
	}
	if c.one(2) {
		policy["policyTypes"] = pick(c, [][]any{{"Ingress"}, {"Egress"}, {"Ingress", "Egress"}, {"Egress", "Ingress"}})
	}
	return spec(policy)
}

func (c *chance) intOrPercent() any {
	return pick(c, []any{int64(0), int64(1), int64(2147483647), "0%", "50%", "100%"})
}

func disruptionBudget(c *chance) map[string]any {
	budget := map[string]any{pick(c, []string{"minAvailable", "maxUnavailable"}): c.intOrPercent()}
	if !c.one(4) {
		budget["selector"] = c.selector()
	}
	if c.one(2) {
		budget["unhealthyPodEvictionPolicy"] = pick(c, []string{"AlwaysAllow", "IfHealthyBudget"})
	}
	return spec(budget)
}

func (c *chance) quantity() string {
	return pick(c, []string{"0", "1", "100m", "1.5", "0.1", "1e3", "12E2", "1Ki", "1024Mi", "2G", "1500m", "1000000", "5u", "3e-3"})
}

func autoscaler(c *chance) map[string]any {
	autoscaler := map[string]any{
		"scaleTargetRef": map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "name": c.matching(subdomainPattern, 63)},
		"maxReplicas":    int64(1 + c.IntN(100)),
	}
	if c.one(2) {
		autoscaler["metrics"] = []any{
			map[string]any{"type": "Pods", "pods": map[string]any{
				"metric": map[string]any{"name": c.matching(subdomainPattern, 60), "selector": c.selector()}, "target": map[string]any{"type": "AverageValue", "averageValue": pick(c, []string{"1", "100m", "1.5", "1Ki"})}}},
			map[string]any{"type": "Resource", "resource": map[string]any{"name": "cpu", "target": map[string]any{"type": "Utilization", "averageUtilization": int64(1 + c.IntN(99))}}},
		}
	}
	if c.one(2) {
		autoscaler["behavior"] = map[string]any{"scaleDown": map[string]any{"stabilizationWindowSeconds": int64(c.IntN(3600)), "policies": []any{
			map[string]any{"type": "Percent", "value": int64(1 + c.IntN(100)), "periodSeconds": int64(1 + c.IntN(1800))}}}}
	}
	return spec(autoscaler)
}

// What nothing here uses up, so that it refuses nothing.
func quota(c *chance) map[string]any {
	hard := map[string]any{}
	for range 1 + c.IntN(3) {
		hard[pick(c, []string{"pods", "requests.nvidia.com/gpu", "requests.cpu", "limits.memory"})] = pick(c, []string{"0", "1", "1e3", "10Ki", "2k", "500"})
	}
	quota := map[string]any{"hard": hard}
	if c.one(3) {
		quota["scopes"] = []any{"NotTerminating"}
	}
	return spec(quota)
}

func limitRange(c *chance) map[string]any {
	limits := []any{}
	for range c.IntN(3) {
		limits = append(limits, map[string]any{"type": pick(c, []string{"Container", "Pod"}), "max": map[string]any{"cpu": c.quantity(), "example.com/chip": int64(c.IntN(9))}})
	}
	return spec(map[string]any{"limits": limits})
}

// ---- what is captured only because something refers to it ----

func configMap(c *chance) map[string]any {
	data, binary := map[string]any{}, map[string]any{}
	for range c.IntN(5) {
		data[c.matching(dataKeyPattern, 60)] = c.text(20000)
	}
	for range c.IntN(2) {
		binary["bytes-"+c.matching(dataKeyPattern, 60)] = base64.StdEncoding.EncodeToString([]byte{0, 0xff, byte(c.IntN(256))})
	}
	fields := map[string]any{}
	if !c.one(5) {
		fields["data"] = data
	}
	if c.one(2) {
		fields["binaryData"] = binary
	}
	if c.one(3) {
		fields["immutable"] = c.one(2)
	}
	return fields
}

func serviceAccount(c *chance) map[string]any {
	fields := map[string]any{}
	named := func() []any {
		list := []any{}
		for i := range c.IntN(3) {
			list = append(list, map[string]any{"name": fmt.Sprint(c.matching(subdomainPattern, 60), i)})
		}
		return list
	}
	if c.one(2) {
		fields["imagePullSecrets"] = named()
	}
	if c.one(2) {
		fields["secrets"] = named()
	}
	if c.one(2) {
		fields["automountServiceAccountToken"] = c.one(2)
	}
	return fields
}

func (c *chance) words(least int, more ...string) []any {
	words := []any{}
	for range least + c.IntN(3) {
		words = append(words, pick(c, append(more, c.text(40))))
	}
	return words
}

func rightsOf(c *chance) map[string]any {
	rules := []any{}
	for range c.IntN(4) {
		rule := map[string]any{"apiGroups": c.words(1, "", "*", "apps"), "resources": c.words(1, "pods", "pods/log", "*"), "verbs": c.words(1, "get", "list", "*")}
		if c.one(2) {
			rule["resourceNames"] = c.words(0, "a")
		}
		rules = append(rules, rule)
	}
	return map[string]any{"rules": rules}
}

func roleBinding(c *chance, ns, account, role string) map[string]any {
	subjects := []any{map[string]any{"kind": "ServiceAccount", "name": account, "namespace": ns}}
	for range c.IntN(3) {
		subjects = append(subjects, map[string]any{"apiGroup": "rbac.authorization.k8s.io", "kind": pick(c, []string{"User", "Group"}), "name": "u" + c.text(60)})
	}
	return map[string]any{"subjects": subjects, "roleRef": map[string]any{"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role}}
}

// holder is a service that refers to these ConfigMaps, in each of the ways that there are, and runs as this account.
func holder(c *chance, account string, configs []string) map[string]any {
	main := map[string]any{"name": "main", "args": []any{c.text(3000)}}
	pod := map[string]any{"containers": []any{main}}
	if account != "" {
		pod["serviceAccountName"] = account
	}
	var volumes, from, env []any
	for i, name := range configs {
		switch c.IntN(3) {
		case 0:
			volumes = append(volumes, map[string]any{"name": fmt.Sprint("v", i), "configMap": map[string]any{"name": name}})
		case 1:
			from = append(from, map[string]any{"configMapRef": map[string]any{"name": name}})
		default:
			env = append(env, map[string]any{"name": fmt.Sprint("E", i), "valueFrom": map[string]any{"configMapKeyRef": map[string]any{"name": name, "key": c.matching(dataKeyPattern, 60)}}})
		}
	}
	for key, list := range map[string][]any{"envFrom": from, "env": env} {
		if len(list) > 0 {
			main[key] = list
		}
	}
	if len(volumes) > 0 {
		pod["volumes"] = volumes
	}
	return spec(map[string]any{"model": map[string]any{"uri": "hf://" + strings.TrimSpace(c.matching(dnsLabelPattern, 20)), "name": "m"}, "template": pod})
}
