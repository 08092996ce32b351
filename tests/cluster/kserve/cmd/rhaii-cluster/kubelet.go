// SPDX-License-Identifier: Apache-2.0

package main

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// podStatus plays the kubelet: a pending Pod runs and is Ready at once. Nothing schedules it, so it has no node and its Services
// get no endpoints; the Deployment controller only looks at the conditions.
func (w *world) podStatus(pod *unstructured.Unstructured) map[string]any {
	phase, _, _ := unstructured.NestedString(pod.Object, "status", "phase")
	if (phase != "" && phase != "Pending") || pod.GetDeletionTimestamp() != nil || w.podsOff.Load() {
		return nil
	}
	now := time.Now().UTC().Format(time.RFC3339)
	condition := func(kind string) any {
		return map[string]any{"type": kind, "status": "True", "lastTransitionTime": now}
	}
	status := map[string]any{
		"phase":     "Running",
		"podIP":     "127.0.0.1",
		"podIPs":    []any{map[string]any{"ip": "127.0.0.1"}},
		"startTime": now,
		"conditions": []any{
			condition("PodScheduled"), condition("Initialized"), condition("ContainersReady"), condition("Ready"),
		},
		"containerStatuses": containerStatuses(pod, "containers", now),
	}
	if inits := containerStatuses(pod, "initContainers", now); len(inits) > 0 {
		status["initContainerStatuses"] = inits
	}
	return status
}

func containerStatuses(pod *unstructured.Unstructured, field, now string) []any {
	containers, _, _ := unstructured.NestedSlice(pod.Object, "spec", field)
	statuses := []any{}
	for _, c := range containers {
		container := c.(map[string]any)
		state := map[string]any{"running": map[string]any{"startedAt": now}}
		if field == "initContainers" && container["restartPolicy"] != "Always" {
			state = map[string]any{"terminated": map[string]any{"exitCode": int64(0), "reason": "Completed", "startedAt": now, "finishedAt": now}}
		}
		statuses = append(statuses, map[string]any{
			"name": container["name"], "image": container["image"], "imageID": "",
			"ready": true, "started": true, "restartCount": int64(0), "state": state,
		})
	}
	return statuses
}

// readyPods gives the Ready pods of a namespace that have all these labels.
func (w *world) readyPods(namespace string, labels map[string]string) []*unstructured.Unstructured {
	var found []*unstructured.Unstructured
	if len(labels) == 0 {
		return nil
	}
	for _, pod := range w.list(pods, namespace) {
		has := pod.GetLabels()
		matches := pod.GetDeletionTimestamp() == nil && conditionTrue(pod, "Ready")
		for k, v := range labels {
			matches = matches && has[k] == v
		}
		if matches {
			found = append(found, pod)
		}
	}
	return found
}
