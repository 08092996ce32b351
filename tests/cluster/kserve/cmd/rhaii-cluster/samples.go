// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"sort"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// samples creates on a cluster what the authors of KServe, Gateway API and the inference extension wrote as presets, samples, examples and
// test data: every object of six kinds in every YAML, JSON and Markdown file of their modules. It prints a line of JSON for each, with what
// became of it.

// sampleModules are searched whole. A module's zip leaves out the directories that are modules of their own, so those have rows too; they are
// not in our graph and name here the version and the hash that go.mod and go.sum give for the others.
var sampleModules = []struct{ module, version, sum string }{
	{module: kserveModule},
	{module: "sigs.k8s.io/gateway-api"},
	{module: "sigs.k8s.io/gateway-api-inference-extension"},
	{"sigs.k8s.io/gateway-api/conformance", "v1.5.1", "h1:5eruSMKcwKnkX42PFek8oO6BgPNBD5FbWbTcRV76KIw="},
	{"sigs.k8s.io/gateway-api-inference-extension/conformance", "v1.5.0", "h1:MnVR8OCQZBNqBSZ+b1CciiCoX+9J+TeDetyIwQB476k="},
}

// What became of a sample.
const (
	sampleCreated = "created"
	sampleRefused = "refused" // by the API server; the reason is its own
	// The API server keeps it, and refuses to create what it gives back: its reason is that of the second create.
	sampleUnrepeatable = "unrepeatable"
	sampleSame         = "same"       // but for its namespace equal to one before it; the reason says which
	samplePatch        = "patch"      // part of an object, for kustomize
	sampleTemplate     = "template"   // text with {{ that a program fills in before it is YAML
	sampleUnreadable   = "unreadable" // as YAML
	sampleOtherGroup   = "other group"
)

type sample struct {
	Module     string `json:"module"`
	File       string `json:"file"`
	Document   int    `json:"document"`
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace,omitempty"`
	Name       string `json:"name,omitempty"`
	Result     string `json:"result"`
	Reason     string `json:"reason,omitempty"`

	object *unstructured.Unstructured
}

func runSamples(args []string) error {
	flags := flag.NewFlagSet("samples", flag.ContinueOnError)
	kubeconfig := flags.String("kubeconfig", "", "of the cluster to create them on")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *kubeconfig == "" || flags.NArg() > 0 {
		return errors.New("samples needs --kubeconfig FILE")
	}
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		return err
	}
	config.QPS, config.UserAgent, config.WarningHandler = -1, "rhaii-cluster-samples", rest.NoWarnings{}
	c, err := newClient(config)
	if err != nil {
		return err
	}
	found, err := allSamples()
	if err != nil {
		return err
	}
	settle(found)
	if err := c.createSamples(found); err != nil {
		return err
	}
	return printSamples(found)
}

func allSamples() ([]*sample, error) {
	var all []*sample
	for _, m := range sampleModules {
		dir, err := sampleDir(m.module, m.version, m.sum)
		if err != nil {
			return nil, err
		}
		found, err := findSamples(dir)
		if err != nil {
			return nil, err
		}
		for _, s := range found {
			s.Module = m.module
		}
		all = append(all, found...)
	}
	return all, nil
}

// sampleDir gives the directory of a module, of the kserve graph when it has no version here.
func sampleDir(module, version, sum string) (string, error) {
	if version == "" {
		return moduleDir(module)
	}
	cmd := exec.Command("go", "mod", "download", "-json", module+"@"+version)
	cmd.Dir = os.TempDir()
	// The hash stands in our table: nobody else need vouch for it.
	cmd.Env = append(os.Environ(), "GONOSUMDB="+module)
	out, err := cmd.Output()
	var answer struct{ Dir, Sum, Error string }
	if jsonErr := json.Unmarshal(out, &answer); jsonErr != nil {
		return "", fmt.Errorf("module '%s': %w", module, errors.Join(err, jsonErr))
	}
	switch {
	case answer.Error != "":
		return "", fmt.Errorf("module '%s': %s", module, answer.Error)
	case answer.Sum != sum:
		return "", fmt.Errorf("module '%s': hash is %s, should be %s", module, answer.Sum, sum)
	}
	return answer.Dir, err
}

// settle gives every sample a place where it meets no other, and finds those that say the same.
func settle(samples []*sample) {
	taken, contents := map[string]bool{}, map[string]*sample{}
	for _, s := range samples {
		if s.object == nil {
			continue
		}
		content := contentHash(s.object)
		if first := contents[content]; first != nil {
			s.Result, s.Reason, s.object = sampleSame, fmt.Sprintf("%s %s#%d", first.Module, first.File, first.Document), nil
			continue
		}
		contents[content] = s
		place := func(ns string) string {
			return s.object.GroupVersionKind().GroupKind().String() + " " + ns + "/" + s.Name
		}
		ns := s.Namespace
		for n := 1; !ordinaryNamespace(ns) || taken[place(ns)]; n++ {
			ns = fileNamespace(s.Module, s.File, n)
		}
		taken[place(ns)] = true
		s.Namespace = ns
		s.object.SetNamespace(ns)
	}
}

func contentHash(obj *unstructured.Unstructured) string {
	content := obj.DeepCopy()
	content.SetNamespace("")
	raw, err := json.Marshal(content.Object) // keys sorted
	if err != nil {
		panic(err) // it came from JSON
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// createSamples creates their namespaces and then, some at a time, them.
func (c *client) createSamples(samples []*sample) error {
	made := map[string]bool{}
	for _, s := range samples {
		if s.object == nil || made[s.Namespace] {
			continue
		}
		made[s.Namespace] = true
		if _, err := c.create(namespace(s.Namespace)); err != nil && !apierrors.IsAlreadyExists(err) {
			return err
		}
	}
	var group sync.WaitGroup
	slots := make(chan struct{}, 8)
	for _, s := range samples {
		if s.object == nil {
			continue
		}
		group.Add(1)
		slots <- struct{}{}
		go func() {
			defer group.Done()
			c.createSample(s)
			<-slots
		}()
	}
	group.Wait()
	return nil
}

// createSample asks as any client that says nothing special: unknown fields are a warning.
func (c *client) createSample(s *sample) {
	// By the version that the object says: where that is not served, the server shall say so.
	where := c.Resource(s.object.GroupVersionKind().GroupVersion().WithResource(sampleKinds[s.Kind].plural)).Namespace(s.Namespace)
	var created *unstructured.Unstructured
	err := until(30*time.Second, describe(s.object), func() error {
		var err error
		created, err = where.Create(context.Background(), s.object, metav1.CreateOptions{FieldValidation: "Warn"})
		if err != nil && !apierrors.IsInternalError(err) { // 500 is what a webhook that does not answer gives
			return fatal{err}
		}
		return err
	})
	if err != nil {
		s.Result, s.Reason = sampleRefused, err.Error()
		return
	}
	s.Result, s.Name = sampleCreated, created.GetName()
	if err := c.repeat(s); err != nil {
		s.Result, s.Reason = sampleUnrepeatable, err.Error()
	}
}

// repeat asks whether the server would create once more what it gives back at the preferred version. What it stores went through defaulting and
// conversion, and no schema was asked what it thinks of that.
func (c *client) repeat(s *sample) error {
	mapping, err := c.mapper.RESTMapping(s.object.GroupVersionKind().GroupKind())
	if err != nil {
		return err
	}
	where := c.Resource(mapping.Resource).Namespace(s.Namespace)
	kept, err := where.Get(context.Background(), s.Name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	kept.SetResourceVersion("")
	_, err = where.Create(context.Background(), kept, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

func printSamples(samples []*sample) error {
	counts := map[string]int{}
	for _, s := range samples {
		counts[s.Result]++
		raw, err := json.Marshal(s)
		if err != nil {
			return err
		}
		if _, err := os.Stdout.Write(append(raw, '\n')); err != nil {
			return err
		}
	}
	var text bytes.Buffer
	var results []string
	for result := range counts {
		results = append(results, result)
	}
	sort.Strings(results)
	for _, result := range results {
		fmt.Fprintf(&text, ", %d %s", counts[result], result)
	}
	say("%d samples%s", len(samples), text.String())
	return nil
}
