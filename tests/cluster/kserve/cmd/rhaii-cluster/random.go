// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"sort"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// random fills a cluster with random objects of the kinds of the policy: every field that a schema has, with hostile texts, numbers and names. What the
// server refuses is made anew, with fewer fields; so all that is written in the end is valid there. A line of JSON each tells what was created, and whether
// a snapshot by the policy rhaii must hold it. --from FILE creates the very same on another cluster, in another order.

// What a random object is made from. The same number gives the same object, whatever happens to the others.
type randomObject struct {
	Captured bool           `json:"captured"`
	Object   map[string]any `json:"object"`

	number  uint64
	content func(c *chance) map[string]any // all but apiVersion, kind and metadata
	tries   int
	err     error
}

const randomTries = 12

func runRandom(args []string) error {
	flags := flag.NewFlagSet("random", flag.ContinueOnError)
	kubeconfig := flags.String("kubeconfig", "", "of the cluster to create them on")
	seed := flags.Uint64("seed", 1, "of the objects, or of the order of those in a file")
	count := flags.Int("count", 300, "how many, about; 0: only the definitions")
	from := flags.String("from", "", "what an earlier run has printed: create these")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *kubeconfig == "" || flags.NArg() > 0 {
		return errors.New("random needs --kubeconfig FILE")
	}
	c, err := randomClient(*kubeconfig)
	if err != nil {
		return err
	}
	if *from != "" {
		return c.createFrom(*from, *seed)
	}
	g := &generator{client: c, seed: *seed, taken: map[string]bool{}, schemas: map[string]*definition{}}
	if err := g.readDefinitions(); err != nil {
		return err
	}
	g.plan(*count)
	return g.create()
}

// randomClient brings the definitions of the kinds that the cluster does not have first.
func randomClient(kubeconfig string) (*client, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	config.QPS, config.UserAgent, config.WarningHandler = -1, "rhaii-cluster-random", rest.NoWarnings{}
	c, err := newClient(config)
	if err != nil {
		return nil, err
	}
	for _, kind := range randomKinds {
		if kind.version == "" {
			continue
		}
		if _, err := c.create(freeDefinition(kind)); err != nil && !apierrors.IsAlreadyExists(err) {
			return nil, err
		}
	}
	if err := until(60*time.Second, "definitions", func() error { return established(c) }); err != nil {
		return nil, err
	}
	return newClient(config)
}

func freeDefinition(kind randomKind) *unstructured.Unstructured {
	free := map[string]any{"type": "object", "x-kubernetes-preserve-unknown-fields": true}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
		"metadata": map[string]any{"name": kind.plural + "." + kind.group},
		"spec": map[string]any{
			"group": kind.group, "scope": "Namespaced",
			"names": map[string]any{"kind": kind.kind, "plural": kind.plural, "singular": strings.ToLower(kind.kind)},
			"versions": []any{map[string]any{"name": kind.version, "served": true, "storage": true, "schema": map[string]any{"openAPIV3Schema": map[string]any{
				"type": "object", "properties": map[string]any{"spec": free}, "x-kubernetes-preserve-unknown-fields": true}}}},
		},
	}}
}

// ---- what to make ----

type definition struct {
	version string
	spec    schemaNode
}

type generator struct {
	*client
	seed    uint64
	taken   map[string]bool
	schemas map[string]*definition // by resource.group
	objects []*randomObject
}

func (g *generator) readDefinitions() error {
	list, err := g.Resource(crdResource).List(context.Background(), metav1.ListOptions{})
	if err != nil {
		return err
	}
	for _, crd := range list.Items {
		versions, _, _ := unstructured.NestedSlice(crd.Object, "spec", "versions")
		for _, v := range versions {
			version := v.(map[string]any)
			if version["storage"] != true {
				continue
			}
			spec, _, _ := unstructured.NestedMap(version, "schema", "openAPIV3Schema", "properties", "spec")
			g.schemas[crd.GetName()] = &definition{version["name"].(string), spec}
		}
	}
	return nil
}

// plan decides what there will be, one after the other: names depend on each other, contents do not.
func (g *generator) plan(count int) {
	if count == 0 {
		return
	}
	c := newChance(g.seed, 0, 0)
	spaces := []string{g.addNamespace(c)}
	g.addReferenced(c, spaces[0])
	for _, kind := range randomKinds { // one of each at least
		g.addKind(c, kind, spaces[0])
	}
	for len(g.objects) < count {
		if len(g.objects) > 40*len(spaces) {
			spaces = append(spaces, g.addNamespace(c))
		}
		if kind := anyKind(c); kind != nil {
			g.addKind(c, *kind, pick(c, spaces))
		} else {
			g.addReferenced(c, pick(c, spaces))
		}
	}
}

// anyKind gives one by its weight; nil one time in ten.
func anyKind(c *chance) *randomKind {
	at := c.IntN(110)
	for i := range randomKinds {
		if at -= randomKinds[i].weight; at < 0 {
			return &randomKinds[i]
		}
	}
	return nil
}

func (g *generator) addNamespace(c *chance) string {
	name := g.name(c, "Namespace", "", dnsLabelPattern)
	g.add(c, "v1", "Namespace", "", name, true, func(*chance) map[string]any { return map[string]any{} })
	// whose namespace is captured for something inside
	g.addContent(c, "networking.k8s.io/v1", "NetworkPolicy", name, networkPolicy)
	return name
}

func (g *generator) addKind(c *chance, kind randomKind, ns string) {
	if kind.content != nil {
		mapping, err := g.mapper.RESTMapping(schema.GroupKind{Group: kind.group, Kind: kind.kind})
		if err != nil {
			panic(err) // every API server serves it
		}
		g.addContent(c, mapping.GroupVersionKind.GroupVersion().String(), kind.kind, ns, kind.content)
		return
	}
	def := g.schemas[kind.plural+"."+kind.group]
	if def == nil {
		panic("no definition of " + kind.plural)
	}
	g.addContent(c, kind.group+"/"+def.version, kind.kind, ns, func(c *chance) map[string]any {
		return spec(c.objectBySchema(def.spec, 9))
	})
}

// addReferenced adds what is captured for what refers to it: ConfigMaps, an account and its rights; and one of each that nobody refers to.
func (g *generator) addReferenced(c *chance, ns string) {
	var configs []string
	account := ""
	for range c.IntN(4) {
		name := g.name(c, "ConfigMap", ns, subdomainPattern)
		g.add(c, "v1", "ConfigMap", ns, name, true, configMap)
		configs = append(configs, name)
	}
	if c.one(2) {
		account = g.name(c, "ServiceAccount", ns, subdomainPattern)
		rights := g.name(c, "Role", ns, "")
		g.add(c, "v1", "ServiceAccount", ns, account, true, serviceAccount)
		g.add(c, "rbac.authorization.k8s.io/v1", "Role", ns, rights, true, rightsOf)
		g.add(c, "rbac.authorization.k8s.io/v1", "RoleBinding", ns, g.name(c, "RoleBinding", ns, ""), true, func(c *chance) map[string]any {
			return roleBinding(c, ns, account, rights)
		})
	}
	g.add(c, "v1", "ConfigMap", ns, fmt.Sprint("nobodys-", len(g.objects)), false, configMap)
	g.add(c, "v1", "ServiceAccount", ns, fmt.Sprint("nobodys-", len(g.objects)), false, serviceAccount)
	kind := pick(c, randomKinds[:2]) // a service or a config
	g.addContent(c, kind.group+"/"+g.schemas[kind.plural+"."+kind.group].version, kind.kind, ns, func(c *chance) map[string]any {
		return holder(c, account, configs)
	})
}

func (g *generator) addContent(c *chance, apiVersion, kind, ns string, content func(*chance) map[string]any) {
	g.add(c, apiVersion, kind, ns, g.name(c, kind, ns, subdomainPattern), true, content)
}

func (g *generator) add(c *chance, apiVersion, kind, ns, name string, captured bool, content func(*chance) map[string]any) {
	metadata := map[string]any{"name": name}
	if ns != "" {
		metadata["namespace"] = ns
	}
	g.objects = append(g.objects, &randomObject{
		Captured: captured, number: uint64(len(g.objects) + 1), content: content,
		Object: map[string]any{"apiVersion": apiVersion, "kind": kind, "metadata": metadata},
	})
}

// name gives one that no other of the kind has there; without a pattern any that is a segment of a path.
func (g *generator) name(c *chance, kind, ns, pattern string) string {
	for n := 0; ; n++ {
		var name string
		switch {
		case pattern == "":
			name = strings.NewReplacer("/", "-", "%", "-", "\x00", "").Replace(c.text(80))
		case c.one(30) && pattern == subdomainPattern:
			name = strings.Repeat("l", 57) + strings.Repeat(".5", 90) // longer than the parts of a path may be
		default:
			name = c.matching(pattern, 63)
		}
		if n > 20 {
			name = fmt.Sprint("n", len(g.objects))
		}
		id := kind + " " + ns + "/" + name
		if name == "" || name == "." || name == ".." || name == "default" || g.taken[id] {
			continue
		}
		g.taken[id] = true
		return name
	}
}

func (c *chance) decorate(metadata map[string]any) {
	annotations := map[string]any{}
	for range c.IntN(4) {
		annotations[c.matching(qualifiedPattern, 100)] = c.text(3000)
	}
	if c.one(10) {
		annotations["kubectl.kubernetes.io/last-applied-configuration"] = pick(c, []string{"{}", c.text(100), `{"spec":{"replicas":"1"}}`, `{"metadata":null}`, "[]"})
	}
	for key, value := range map[string]map[string]any{"annotations": annotations, "labels": c.labels()} {
		if len(value) > 0 {
			metadata[key] = value
		}
	}
	if c.one(20) && metadata["namespace"] != nil {
		metadata["finalizers"] = []any{"example.com/hold"}
	}
}

// ---- making it ----

func (g *generator) create() error {
	first := func(o *randomObject) bool { return o.Object["kind"] == "Namespace" }
	for _, namespaces := range []bool{true, false} {
		var wave []*randomObject
		for _, o := range g.objects {
			if first(o) == namespaces {
				wave = append(wave, o)
			}
		}
		inParallel(wave, g.try)
	}
	return g.print()
}

func inParallel[T any](list []T, do func(T)) {
	var group sync.WaitGroup
	slots := make(chan struct{}, 8)
	for _, item := range list {
		group.Add(1)
		slots <- struct{}{}
		go func() {
			defer group.Done()
			do(item)
			<-slots
		}()
	}
	group.Wait()
}

// try creates the object, with another content as often as the server refuses it.
func (g *generator) try(o *randomObject) {
	for o.tries < randomTries {
		c := newChance(g.seed, o.number, uint64(o.tries))
		o.tries++
		object := map[string]any{}
		for key, value := range o.content(c) {
			object[key] = value
		}
		metadata := unstructured.Unstructured{Object: o.Object}
		metadata = *metadata.DeepCopy()
		c.decorate(metadata.Object["metadata"].(map[string]any))
		for key, value := range metadata.Object {
			object[key] = value
		}
		_, o.err = g.client.create(&unstructured.Unstructured{Object: object})
		if o.err == nil {
			o.Object = object
			return
		}
	}
}

func (g *generator) print() error {
	type tally struct{ created, tries int }
	counts := map[string]*tally{}
	for _, o := range g.objects {
		kind := fmt.Sprint(o.Object["kind"])
		if counts[kind] == nil {
			counts[kind] = &tally{}
		}
		counts[kind].tries += o.tries
		if o.err != nil {
			say("%s was refused %d times, at last: %v", kind, o.tries, o.err)
			continue
		}
		counts[kind].created++
		raw, err := json.Marshal(o)
		if err != nil {
			return err
		}
		if _, err := os.Stdout.Write(append(raw, '\n')); err != nil {
			return err
		}
	}
	var kinds []string
	for kind := range counts {
		kinds = append(kinds, kind)
	}
	sort.Strings(kinds)
	for _, kind := range kinds {
		say("%-28s %5d created in %d tries", kind, counts[kind].created, counts[kind].tries)
	}
	return nil
}

// createFrom creates what a file says, namespaces first, all else in an order that the seed makes.
func (c *client) createFrom(file string, seed uint64) error {
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer in.Close()
	lines := bufio.NewReader(in)
	var spaces, others []*randomObject
	for decoder := json.NewDecoder(lines); decoder.More(); {
		var o struct {
			Object json.RawMessage `json:"object"`
		}
		if err := decoder.Decode(&o); err != nil {
			return err
		}
		object := &unstructured.Unstructured{}
		if err := object.UnmarshalJSON(o.Object); err != nil { // whole numbers as such
			return err
		}
		made := &randomObject{Object: object.Object}
		if object.GetKind() == "Namespace" {
			spaces = append(spaces, made)
		} else {
			others = append(others, made)
		}
	}
	rand.New(rand.NewPCG(seed, 0)).Shuffle(len(others), func(i, j int) { others[i], others[j] = others[j], others[i] })
	for _, list := range [][]*randomObject{spaces, others} {
		inParallel(list, func(o *randomObject) { _, o.err = c.create(&unstructured.Unstructured{Object: o.Object}) })
		for _, o := range list {
			if o.err != nil {
				return o.err
			}
		}
	}
	return nil
}
