// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const (
	controllerNamespace = "opendatahub"
	istioNamespace      = "istio-system"
	gatewayClassName    = "istio"
	gatewayController   = "istio.io/gateway-controller"
	ingressGateway      = controllerNamespace + "/inference-gateway"
)

func namespace(name string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": name},
	}}
}

func gatewayClass() *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass",
		"metadata": map[string]any{"name": gatewayClassName},
		"spec":     map[string]any{"controllerName": gatewayController},
	}}
}

// inferenceServiceConfig is the ConfigMap that KServe ships, with the settings of the guide: Gateway API, its gateway, TLS to the models.
func inferenceServiceConfig(kserve string) (*unstructured.Unstructured, error) {
	found, err := readObjects(filepath.Join(kserve, "config/configmap/inferenceservice.yaml"))
	if err != nil {
		return nil, err
	}
	cm := found[0]
	cm.SetNamespace(controllerNamespace)
	data := cm.Object["data"].(map[string]any)
	delete(data, "_example")
	var ingress map[string]any
	if err := json.Unmarshal([]byte(data["ingress"].(string)), &ingress); err != nil {
		return nil, fmt.Errorf("ingress of inferenceservice-config: %w", err)
	}
	ingress["enableGatewayApi"] = true
	ingress["enableLLMInferenceServiceTLS"] = true
	ingress["kserveIngressGateway"] = ingressGateway
	ingress["urlScheme"] = "http"
	raw, err := json.MarshalIndent(ingress, "", "  ")
	if err != nil {
		return nil, err
	}
	data["ingress"] = string(raw)
	return cm, nil
}

// presets are KServe's own LLMInferenceServiceConfigs, as its installation brings them.
func presets(kserve string) ([]*unstructured.Unstructured, error) {
	found, err := readObjects(filepath.Join(kserve, "config/llmisvcconfig/config-*.yaml"))
	for _, preset := range found {
		preset.SetNamespace(controllerNamespace)
	}
	return found, err
}

// webhookConfigurations are KServe's, with the address of the controller in place of its Service.
func webhookConfigurations(kserve string, ca []byte) ([]*unstructured.Unstructured, error) {
	found, err := readObjects(filepath.Join(kserve, "config/webhook/llmisvc/manifests.yaml"))
	for _, configuration := range found {
		delete(configuration.Object["metadata"].(map[string]any), "creationTimestamp")
		for _, w := range configuration.Object["webhooks"].([]any) {
			webhook := w.(map[string]any)
			path, _, _ := unstructured.NestedString(webhook, "clientConfig", "service", "path")
			webhook["clientConfig"] = map[string]any{
				"url":      preparedWebhookURL + path[1:],
				"caBundle": base64.StdEncoding.EncodeToString(ca),
			}
		}
	}
	return found, err
}

// install puts on an empty cluster what the guide's steps before the first manifest put there. The presets come before the
// webhook configurations, which would refuse them while the controller does not run.
func install(cp *controlPlane, r role) error {
	say("%s: custom resource definitions", r.name)
	if err := installCRDs(cp, !r.plain); err != nil {
		return err
	}
	config, err := cp.restConfig()
	if err != nil {
		return err
	}
	c, err := newClient(config)
	if err != nil {
		return err
	}
	kserve, err := moduleDir(kserveModule)
	if err != nil {
		return err
	}
	say("%s: namespaces, gateway class, configuration, presets", r.name)
	settings, err := inferenceServiceConfig(kserve)
	if err != nil {
		return err
	}
	if err := c.createAll([]*unstructured.Unstructured{namespace(controllerNamespace), namespace(istioNamespace), gatewayClass(), settings}); err != nil {
		return err
	}
	ours, err := presets(kserve)
	if err != nil {
		return err
	}
	if err := c.createAll(ours); err != nil {
		return err
	}
	if !r.plain {
		ca, err := os.ReadFile(filepath.Join(cp.dir, "ca.crt"))
		if err != nil {
			return err
		}
		webhooks, err := webhookConfigurations(kserve, ca)
		if err != nil {
			return err
		}
		if err := c.createAll(webhooks); err != nil {
			return err
		}
	}
	return until(60*time.Second, "default service accounts", func() error {
		for _, ns := range []string{"default", controllerNamespace, istioNamespace} {
			if _, err := c.Resource(resource("", "v1", "serviceaccounts")).Namespace(ns).Get(context.Background(), "default", metav1.GetOptions{}); err != nil {
				return err
			}
		}
		return nil
	})
}
