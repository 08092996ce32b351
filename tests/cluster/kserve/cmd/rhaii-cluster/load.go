// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/tools/clientcmd"
)

const modelNamespace = "rhaii-inference"

// Samples of KServe, read from its module. They name no namespace; here they go to modelNamespace. The first is v1alpha1, so
// what is stored went through the conversion webhook.
var samples = []string{
	"docs/samples/llmisvc/opt-125m-cpu/llm-inference-service-facebook-opt-125m-cpu.yaml",
	"docs/samples/llmisvc/opt-125m-cpu/llm-inference-service-pd-facebook-opt-125m-cpu.yaml",
}

func runLoad(args []string) error {
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	kubeconfig := flags.String("kubeconfig", "", "of the cluster to fill")
	port := flags.Int("gateway-port", 18080, "port of the listener of the gateway")
	wait := flags.Duration("timeout", 2*time.Minute, "how long to wait until every service is Ready")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *kubeconfig == "" || flags.NArg() > 0 {
		return errors.New("load needs --kubeconfig FILE")
	}
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		return err
	}
	config.QPS, config.UserAgent = -1, "rhaii-cluster-load"
	c, err := newClient(config)
	if err != nil {
		return err
	}
	objects, err := loadInput(*port)
	if err != nil {
		return err
	}
	if err := c.createInput(objects); err != nil {
		return err
	}
	return c.awaitServices(*wait)
}

// loadInput reads input/*.yaml in the order of the file names, with KServe's samples in the place of their services.
func loadInput(port int) ([]*unstructured.Unstructured, error) {
	source, err := fromEnv(envSource)
	if err != nil {
		return nil, err
	}
	canary, err := os.ReadFile(filepath.Join(source, "input", "canary"))
	if err != nil {
		return nil, err
	}
	objects, err := readObjects(filepath.Join(source, "input", "*.yaml"),
		"@GATEWAY_PORT@", strconv.Itoa(port), "@CANARY@", string(bytes.TrimSpace(canary)))
	if err != nil {
		return nil, err
	}
	kserve, err := moduleDir(kserveModule)
	if err != nil {
		return nil, err
	}
	for _, sample := range samples {
		found, err := readObjects(filepath.Join(kserve, sample))
		if err != nil {
			return nil, err
		}
		for _, obj := range found {
			obj.SetNamespace(modelNamespace)
		}
		objects = append(objects, found...)
	}
	return objects, nil
}

// createInput creates what is missing; an object that exists is left as it is. Only the default ServiceAccount, which Kubernetes
// makes, gets the fields of ours.
func (c *client) createInput(objects []*unstructured.Unstructured) error {
	made, kept := 0, 0
	for _, obj := range objects {
		err := until(30*time.Second, "input", func() error { return c.createOnce(obj, &made, &kept) })
		if err != nil {
			return err
		}
	}
	say("created %d objects, %d were there", made, kept)
	return nil
}

func (c *client) createOnce(obj *unstructured.Unstructured, made, kept *int) error {
	var err error
	if obj.GetKind() == "ServiceAccount" && obj.GetName() == "default" {
		err = c.giveFields(obj)
	} else {
		_, err = c.create(obj)
	}
	switch {
	case err == nil:
		*made++
	case apierrors.IsAlreadyExists(err):
		*kept++
		err = nil
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err), apierrors.IsForbidden(err):
		err = fatal{err}
	}
	return err
}

func (c *client) giveFields(obj *unstructured.Unstructured) error {
	raw, err := obj.MarshalJSON()
	if err != nil {
		return err
	}
	_, err = c.Resource(resource("", "v1", "serviceaccounts")).Namespace(obj.GetNamespace()).
		Patch(context.Background(), obj.GetName(), "application/merge-patch+json", raw, metav1.PatchOptions{})
	return err
}

// awaitServices waits until every LLMInferenceService is Ready for its generation and has an address.
func (c *client) awaitServices(limit time.Duration) error {
	begin := time.Now()
	var list *unstructured.UnstructuredList
	err := until(limit, "LLMInferenceServices", func() error {
		var err error
		if list, err = c.Resource(llmServices).List(context.Background(), metav1.ListOptions{}); err != nil {
			return err
		}
		for _, service := range list.Items {
			observed, _, _ := unstructured.NestedInt64(service.Object, "status", "observedGeneration")
			url, _, _ := unstructured.NestedString(service.Object, "status", "url")
			if observed != service.GetGeneration() || !conditionTrue(&service, "Ready") || url == "" {
				return fmt.Errorf("%s is not Ready: %s", describe(&service), notTrue(&service))
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	say("%d services Ready after %.1f s", len(list.Items), time.Since(begin).Seconds())
	for _, service := range list.Items {
		url, _, _ := unstructured.NestedString(service.Object, "status", "url")
		fmt.Printf("%s %s\n", service.GetName(), url)
	}
	return nil
}

// notTrue tells about the first condition that is not True.
func notTrue(obj *unstructured.Unstructured) string {
	for _, c := range maps(obj.Object, "status", "conditions") {
		if c["status"] != "True" {
			return fmt.Sprintf("%v %v %v", c["type"], c["reason"], c["message"])
		}
	}
	return "no status yet"
}
