// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

const kserveModule = "github.com/kserve/kserve"

// crdFiles tells which files of which modules hold the CRDs of a cluster set up by the guide.
var crdFiles = []struct{ module, pattern string }{
	{kserveModule, "config/crd/full/llmisvc/serving.kserve.io_*.yaml"},
	{kserveModule, "config/crd/full/clusterstoragecontainer/serving.kserve.io_*.yaml"},
	{kserveModule, "test/crds/gateway-inference-extension.yaml"},
	{kserveModule, "test/crds/leaderworkerset.x-k8s.io_leaderworkersets.yaml"},
	{"sigs.k8s.io/gateway-api", "config/crd/standard/gateway.networking.k8s.io_gatewayclasses.yaml"},
	{"sigs.k8s.io/gateway-api", "config/crd/standard/gateway.networking.k8s.io_gateways.yaml"},
	{"sigs.k8s.io/gateway-api", "config/crd/standard/gateway.networking.k8s.io_httproutes.yaml"},
	{"sigs.k8s.io/gateway-api", "config/crd/standard/gateway.networking.k8s.io_referencegrants.yaml"},
	{"istio.io/api", "kubernetes/customresourcedefinitions.gen.yaml"},
}

var crdResource = resource("apiextensions.k8s.io", "v1", "customresourcedefinitions")

// readCRDs reads them all from the modules.
func readCRDs() ([]*unstructured.Unstructured, error) {
	var crds []*unstructured.Unstructured
	for _, f := range crdFiles {
		dir, err := moduleDir(f.module)
		if err != nil {
			return nil, err
		}
		found, err := readObjects(filepath.Join(dir, f.pattern))
		if err != nil {
			return nil, err
		}
		for _, crd := range found {
			if crd.GetKind() != "CustomResourceDefinition" {
				continue
			}
			delete(crd.Object, "status")
			spec := crd.Object["spec"].(map[string]any)
			for _, v := range spec["versions"].([]any) {
				if s, ok := v.(map[string]any)["schema"].(map[string]any); ok {
					dropDescriptions(s["openAPIV3Schema"])
				}
			}
			crds = append(crds, crd)
		}
	}
	return crds, nil
}

// dropDescriptions takes the prose out of a schema: two thirds of its bytes, and API server time with each of them. It steps
// only into places that hold schemas, so a property named "description", a default or an enum stays as it is.
func dropDescriptions(node any) {
	schema, ok := node.(map[string]any)
	if !ok {
		return
	}
	delete(schema, "description")
	for _, key := range []string{"properties", "patternProperties", "definitions"} {
		if named, ok := schema[key].(map[string]any); ok {
			for _, child := range named {
				dropDescriptions(child)
			}
		}
	}
	for _, key := range []string{"items", "additionalProperties", "not"} {
		dropDescriptions(schema[key])
	}
	for _, key := range []string{"allOf", "anyOf", "oneOf"} {
		if list, ok := schema[key].([]any); ok {
			for _, child := range list {
				dropDescriptions(child)
			}
		}
	}
}

// wireConversion makes KServe's two CRDs convert through its webhook, as its kustomize patch does. Without it the strategy is None.
func wireConversion(crds []*unstructured.Unstructured, ca []byte) {
	for _, crd := range crds {
		switch crd.GetName() {
		case "llminferenceservices.serving.kserve.io", "llminferenceserviceconfigs.serving.kserve.io":
			crd.Object["spec"].(map[string]any)["conversion"] = map[string]any{
				"strategy": "Webhook",
				"webhook": map[string]any{
					"conversionReviewVersions": []any{"v1", "v1beta1"},
					"clientConfig": map[string]any{
						"url":      preparedWebhookURL + "convert",
						"caBundle": base64.StdEncoding.EncodeToString(ca),
					},
				},
			}
		}
	}
}

// installCRDs creates them and waits until the API server serves every one.
func installCRDs(cp *controlPlane, conversion bool) error {
	crds, err := readCRDs()
	if err != nil {
		return err
	}
	if conversion {
		ca, err := os.ReadFile(filepath.Join(cp.dir, "ca.crt"))
		if err != nil {
			return err
		}
		wireConversion(crds, ca)
	}
	config, err := cp.restConfig()
	if err != nil {
		return err
	}
	c, err := newClient(config)
	if err != nil {
		return err
	}
	if err := c.createAll(crds); err != nil {
		return err
	}
	return until(120*time.Second, "custom resource definitions", func() error { return established(c) })
}

// established tells whether every CRD is served, discovery included.
func established(c *client) error {
	list, err := c.Resource(crdResource).List(context.Background(), metav1.ListOptions{})
	if err != nil {
		return err
	}
	for _, crd := range list.Items {
		if !conditionTrue(&crd, "Established") {
			return fmt.Errorf("'%s' is not established", crd.GetName())
		}
		versions, _, _ := unstructured.NestedSlice(crd.Object, "spec", "versions")
		group, _, _ := unstructured.NestedString(crd.Object, "spec", "group")
		plural, _, _ := unstructured.NestedString(crd.Object, "spec", "names", "plural")
		for _, v := range versions {
			version := v.(map[string]any)
			if version["served"] != true || version["storage"] != true {
				continue
			}
			gvr := schema.GroupVersionResource{Group: group, Version: version["name"].(string), Resource: plural}
			if _, err := c.Resource(gvr).List(context.Background(), metav1.ListOptions{Limit: 1}); err != nil {
				return fmt.Errorf("'%s': %w", crd.GetName(), err)
			}
		}
	}
	return nil
}

func conditionTrue(obj *unstructured.Unstructured, kind string) bool {
	conditions, _, _ := unstructured.NestedSlice(obj.Object, "status", "conditions")
	for _, c := range conditions {
		if m, ok := c.(map[string]any); ok && m["type"] == kind {
			return m["status"] == "True"
		}
	}
	return false
}
