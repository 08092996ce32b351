// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// How routes attach to gateways and to backends: shared by the status writer and the data plane.

func str(m map[string]any, field, otherwise string) string {
	if s, ok := m[field].(string); ok && s != "" {
		return s
	}
	return otherwise
}

func maps(parent map[string]any, fields ...string) []map[string]any {
	list, _, _ := unstructured.NestedFieldNoCopy(parent, fields...)
	items, _ := list.([]any)
	var found []map[string]any
	for _, item := range items {
		if m, ok := item.(map[string]any); ok {
			found = append(found, m)
		}
	}
	return found
}

// ours tells whether the Gateway is of a class that this Gateway controller serves.
func (w *world) ours(gateway *unstructured.Unstructured) bool {
	class := w.get(gatewayClasses, str(gateway.Object["spec"].(map[string]any), "gatewayClassName", ""))
	return class != nil && str(class.Object["spec"].(map[string]any), "controllerName", "") == gatewayController
}

// parentGateway gives the Gateway that a parentRef of a route means, or nil when there is none of ours.
func (w *world) parentGateway(route *unstructured.Unstructured, ref map[string]any) *unstructured.Unstructured {
	if str(ref, "kind", "Gateway") != "Gateway" {
		return nil
	}
	gateway := w.get(gateways, str(ref, "namespace", route.GetNamespace())+"/"+str(ref, "name", ""))
	if gateway == nil || !w.ours(gateway) {
		return nil
	}
	return gateway
}

// attachedListeners gives the listeners of the gateway that take the route, or the reason why none does.
func (w *world) attachedListeners(route *unstructured.Unstructured, ref map[string]any, gateway *unstructured.Unstructured) ([]map[string]any, string) {
	var taken []map[string]any
	reason := "NoMatchingParent"
	for _, listener := range maps(gateway.Object, "spec", "listeners") {
		if section := str(ref, "sectionName", ""); section != "" && section != listener["name"] {
			continue
		}
		if port, ok := ref["port"]; ok && fmt.Sprint(port) != fmt.Sprint(listener["port"]) {
			continue
		}
		if !w.allowed(listener, route.GetNamespace(), gateway.GetNamespace()) {
			reason = "NotAllowedByListeners"
			continue
		}
		taken = append(taken, listener)
	}
	return taken, reason
}

func (w *world) allowed(listener map[string]any, routeNamespace, gatewayNamespace string) bool {
	from, _, _ := unstructured.NestedString(listener, "allowedRoutes", "namespaces", "from")
	switch from {
	case "All":
		return true
	case "Selector":
		wanted, _, _ := unstructured.NestedStringMap(listener, "allowedRoutes", "namespaces", "selector", "matchLabels")
		ns := w.get(namespaces, routeNamespace)
		if ns == nil {
			return false
		}
		for k, v := range wanted {
			if ns.GetLabels()[k] != v {
				return false
			}
		}
		return true
	}
	return routeNamespace == gatewayNamespace
}

func backendRefs(route *unstructured.Unstructured) []map[string]any {
	var refs []map[string]any
	for _, rule := range maps(route.Object, "spec", "rules") {
		refs = append(refs, maps(rule, "backendRefs")...)
	}
	return refs
}

func isPool(ref map[string]any) bool {
	return str(ref, "group", "") == pools.Group && str(ref, "kind", "") == "InferencePool"
}

func isService(ref map[string]any) bool {
	return str(ref, "group", "") == "" && str(ref, "kind", "Service") == "Service"
}

// resolve tells whether every backend of the route can be used, as reason and message of the condition ResolvedRefs. Like Istio,
// only the InferencePool of the stable group is known: KServe starts every route with the x-k8s.io one, and changes to the
// stable group when it sees InvalidKind.
func (w *world) resolve(route *unstructured.Unstructured) (bool, string, string) {
	for _, ref := range backendRefs(route) {
		if !isPool(ref) && !isService(ref) {
			return false, "InvalidKind", fmt.Sprintf("backends of kind %s.%s are not supported", str(ref, "kind", ""), str(ref, "group", ""))
		}
		if found, _ := w.backend(route, ref); found == nil {
			return false, "BackendNotFound", fmt.Sprintf("backend '%s' not found", str(ref, "name", ""))
		}
	}
	return true, "ResolvedRefs", ""
}

// backend gives the InferencePool or Service of a backendRef and the labels of the pods behind it; nil when it does not exist.
func (w *world) backend(route *unstructured.Unstructured, ref map[string]any) (*unstructured.Unstructured, map[string]string) {
	kind, selector := services, []string{"spec", "selector"}
	if isPool(ref) {
		kind, selector = pools, []string{"spec", "selector", "matchLabels"}
	} else if !isService(ref) {
		return nil, nil
	}
	found := w.get(kind, str(ref, "namespace", route.GetNamespace())+"/"+str(ref, "name", ""))
	if found == nil {
		return nil, nil
	}
	labels, _, _ := unstructured.NestedStringMap(found.Object, selector...)
	return found, labels
}
