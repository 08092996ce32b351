// SPDX-License-Identifier: Apache-2.0

package main

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// The status that istiod, as Gateway controller, writes.

// condition makes one for the object's generation. It keeps the transition time of the condition that it replaces when the
// status did not change, so that an unchanged object gets no write.
func condition(obj *unstructured.Unstructured, before []map[string]any, kind string, ok bool, reason, message string) any {
	status := "False"
	if ok {
		status = "True"
	}
	since := time.Now().UTC().Format(time.RFC3339)
	for _, c := range before {
		if c["type"] == kind && c["status"] == status {
			since = str(c, "lastTransitionTime", since)
		}
	}
	return map[string]any{
		"type": kind, "status": status, "reason": reason, "message": message,
		"lastTransitionTime": since, "observedGeneration": obj.GetGeneration(),
	}
}

func (w *world) gatewayClassStatus(class *unstructured.Unstructured) map[string]any {
	if str(class.Object["spec"].(map[string]any), "controllerName", "") != gatewayController {
		return nil
	}
	before := maps(class.Object, "status", "conditions")
	return map[string]any{"conditions": []any{condition(class, before, "Accepted", true, "Accepted", "handled by the test gateway")}}
}

func (w *world) gatewayStatus(gateway *unstructured.Unstructured) map[string]any {
	if !w.ours(gateway) {
		return nil
	}
	programmed, why := true, ""
	listeners := []any{}
	for _, listener := range maps(gateway.Object, "spec", "listeners") {
		failure := w.gateway.failure(listener)
		if failure != "" {
			programmed, why = false, failure
		}
		listeners = append(listeners, w.listenerStatus(gateway, listener, failure))
	}
	before := maps(gateway.Object, "status", "conditions")
	reason := "Programmed"
	if !programmed {
		reason = "AddressNotUsable"
	}
	return map[string]any{
		"addresses": []any{map[string]any{"type": "IPAddress", "value": w.gateway.address}},
		"conditions": []any{
			condition(gateway, before, "Accepted", true, "Accepted", "handled by the test gateway"),
			condition(gateway, before, "Programmed", programmed, reason, why),
		},
		"listeners": listeners,
	}
}

func (w *world) listenerStatus(gateway *unstructured.Unstructured, listener map[string]any, failure string) any {
	var before []map[string]any
	for _, was := range maps(gateway.Object, "status", "listeners") {
		if was["name"] == listener["name"] {
			before = maps(was, "conditions")
		}
	}
	attached := int64(0)
	for _, route := range w.list(httpRoutes, "") {
		for _, ref := range maps(route.Object, "spec", "parentRefs") {
			if parent := w.parentGateway(route, ref); parent == nil || nameOf(parent) != nameOf(gateway) {
				continue
			}
			taken, _ := w.attachedListeners(route, ref, gateway)
			for _, t := range taken {
				if t["name"] == listener["name"] {
					attached++
				}
			}
		}
	}
	reason := "Programmed"
	if failure != "" {
		reason = "Invalid"
	}
	return map[string]any{
		"name": listener["name"], "attachedRoutes": attached,
		"supportedKinds": []any{map[string]any{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute"}},
		"conditions": []any{
			condition(gateway, before, "Accepted", true, "Accepted", ""),
			condition(gateway, before, "Programmed", failure == "", reason, failure),
			condition(gateway, before, "ResolvedRefs", true, "ResolvedRefs", ""),
		},
	}
}

func (w *world) routeStatus(route *unstructured.Unstructured) map[string]any {
	resolved, reason, message := w.resolve(route)
	parents := []any{}
	for _, ref := range maps(route.Object, "spec", "parentRefs") {
		gateway := w.parentGateway(route, ref)
		if gateway == nil {
			continue
		}
		taken, refused := w.attachedListeners(route, ref, gateway)
		accepted := len(taken) > 0
		if accepted {
			refused = "Accepted"
		}
		before := conditionsOfParent(maps(route.Object, "status", "parents"), ref)
		parents = append(parents, map[string]any{
			"parentRef": ref, "controllerName": gatewayController,
			"conditions": []any{
				condition(route, before, "Accepted", accepted, refused, ""),
				condition(route, before, "ResolvedRefs", resolved, reason, message),
			},
		})
	}
	if len(parents) == 0 && len(maps(route.Object, "status", "parents")) == 0 {
		return nil
	}
	return map[string]any{"parents": parents}
}

// poolStatus names the gateways whose routes lead to the pool.
func (w *world) poolStatus(pool *unstructured.Unstructured) map[string]any {
	parents := []any{}
	seen := map[string]bool{}
	for _, route := range w.list(httpRoutes, "") {
		if !w.leadsTo(route, pool) {
			continue
		}
		for _, ref := range maps(route.Object, "spec", "parentRefs") {
			gateway := w.parentGateway(route, ref)
			if gateway == nil || seen[nameOf(gateway)] {
				continue
			}
			seen[nameOf(gateway)] = true
			parent := map[string]any{
				"group": "gateway.networking.k8s.io", "kind": "Gateway",
				"name": gateway.GetName(), "namespace": gateway.GetNamespace(),
			}
			before := conditionsOfParent(maps(pool.Object, "status", "parents"), parent)
			parents = append(parents, map[string]any{
				"parentRef": parent, "controllerName": gatewayController,
				"conditions": []any{
					condition(pool, before, "Accepted", true, "Accepted", ""),
					condition(pool, before, "ResolvedRefs", true, "ResolvedRefs", ""),
				},
			})
		}
	}
	if len(parents) == 0 && len(maps(pool.Object, "status", "parents")) == 0 {
		return nil
	}
	return map[string]any{"parents": parents}
}

func (w *world) leadsTo(route, pool *unstructured.Unstructured) bool {
	for _, ref := range backendRefs(route) {
		if found, _ := w.backend(route, ref); found != nil && found.GetKind() == pool.GetKind() && nameOf(found) == nameOf(pool) {
			return true
		}
	}
	return false
}

func conditionsOfParent(parents []map[string]any, ref map[string]any) []map[string]any {
	for _, p := range parents {
		was, _ := p["parentRef"].(map[string]any)
		if was["name"] == ref["name"] && was["namespace"] == ref["namespace"] && was["sectionName"] == ref["sectionName"] {
			return maps(p, "conditions")
		}
	}
	return nil
}
