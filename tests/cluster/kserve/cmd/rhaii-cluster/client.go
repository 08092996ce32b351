// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"sigs.k8s.io/yaml"

	"k8s.io/apimachinery/pkg/api/meta"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
)

// client creates objects whatever their kind.
type client struct {
	dynamic.Interface
	mapper meta.RESTMapper
}

func newClient(config *rest.Config) (*client, error) {
	dyn, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	disc, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, err
	}
	groups, err := restmapper.GetAPIGroupResources(disc)
	if err != nil {
		return nil, err
	}
	return &client{dyn, restmapper.NewDiscoveryRESTMapper(groups)}, nil
}

// create creates the object and returns it as the server keeps it. Unknown fields are refused: our input must mean what it says.
func (c *client) create(obj *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	gvk := obj.GroupVersionKind()
	mapping, err := c.mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
	if err != nil {
		return nil, err
	}
	var where dynamic.ResourceInterface = c.Resource(mapping.Resource)
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		where = c.Resource(mapping.Resource).Namespace(obj.GetNamespace())
	}
	made, err := where.Create(context.Background(), obj, metav1.CreateOptions{FieldValidation: "Strict"})
	if err != nil {
		return nil, fmt.Errorf("creating %s: %w", describe(obj), err)
	}
	return made, nil
}

func (c *client) createAll(objects []*unstructured.Unstructured) error {
	for _, obj := range objects {
		if _, err := c.create(obj); err != nil {
			return err
		}
	}
	return nil
}

func describe(obj *unstructured.Unstructured) string {
	if obj.GetNamespace() == "" {
		return fmt.Sprintf("%s '%s'", obj.GetKind(), obj.GetName())
	}
	return fmt.Sprintf("%s '%s/%s'", obj.GetKind(), obj.GetNamespace(), obj.GetName())
}

// parseObjects reads a YAML stream.
func parseObjects(raw []byte) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	docs := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(raw)))
	for {
		doc, err := docs.Read()
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, err
		}
		var content map[string]any
		if err := yaml.Unmarshal(doc, &content); err != nil {
			return nil, err
		}
		if len(content) == 0 {
			continue
		}
		objects = append(objects, &unstructured.Unstructured{Object: content})
	}
}

// readObjects reads YAML files given by patterns, sorted by name, after replacing words in their text (pairs: word, replacement).
func readObjects(pattern string, replacements ...string) ([]*unstructured.Unstructured, error) {
	files, err := filepath.Glob(pattern)
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no file '%s'", pattern)
	}
	sort.Strings(files)
	var objects []*unstructured.Unstructured
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		for i := 0; i+1 < len(replacements); i += 2 {
			raw = bytes.ReplaceAll(raw, []byte(replacements[i]), []byte(replacements[i+1]))
		}
		found, err := parseObjects(raw)
		if err != nil {
			return nil, fmt.Errorf("'%s': %w", file, err)
		}
		objects = append(objects, found...)
	}
	return objects, nil
}

// fatal is an error that asking again does not mend.
type fatal struct{ error }

func (f fatal) Unwrap() error { return f.error }

// until asks again every 100 ms until done gives no error, or a fatal one.
func until(limit time.Duration, what string, done func() error) error {
	deadline := time.Now().Add(limit)
	for {
		err := done()
		if err == nil {
			return nil
		}
		var final fatal
		if errors.As(err, &final) {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s: not after %s: %w", what, limit, err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func resource(group, version, plural string) schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: group, Version: version, Resource: plural}
}
