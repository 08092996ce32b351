// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// sampleKinds are what is looked for, with their groups: other people have a Gateway too.
var sampleKinds = map[string]struct {
	plural string
	groups []string
}{
	"LLMInferenceService":       {"llminferenceservices", []string{"serving.kserve.io"}},
	"LLMInferenceServiceConfig": {"llminferenceserviceconfigs", []string{"serving.kserve.io"}},
	"HTTPRoute":                 {"httproutes", []string{"gateway.networking.k8s.io"}},
	"Gateway":                   {"gateways", []string{"gateway.networking.k8s.io"}},
	"InferencePool":             {"inferencepools", []string{"inference.networking.k8s.io", "inference.networking.x-k8s.io"}},
	"NetworkPolicy":             {"networkpolicies", []string{"networking.k8s.io"}},
}

// kindLines gives the value of every line "kind: VALUE" of a text, whatever its indentation and quotes. A regular expression would do, in ten
// times the time: the installation manifests of the modules are some hundred megabytes.
func kindLines(text []byte) []string {
	var kinds []string
	for len(text) > 0 {
		at := bytes.Index(text, []byte("kind"))
		if at < 0 {
			break
		}
		before := text[bytes.LastIndexByte(text[:at], '\n')+1 : at]
		line, rest, _ := bytes.Cut(text[at+len("kind"):], []byte("\n"))
		text = rest
		value, isKey := bytes.CutPrefix(bytes.TrimLeft(line, `"' `), []byte(":"))
		if isKey && len(bytes.Trim(before, " \t\"'{-")) == 0 {
			value, _, _ = bytes.Cut(value, []byte("#"))
			kinds = append(kinds, string(bytes.Trim(value, " \t\r\"',")))
		}
	}
	return kinds
}

// sampleLines gives those that are of our kinds.
func sampleLines(text []byte) []string {
	var ours []string
	for _, kind := range kindLines(text) {
		if _, ok := sampleKinds[kind]; ok {
			ours = append(ours, kind)
		}
	}
	return ours
}

// A document that may be YAML, with its place in the file.
type document struct {
	number int
	text   []byte
}

// findSamples reads the files of a module in the order of their paths.
func findSamples(root string) ([]*sample, error) {
	var all []*sample
	patches, err := kustomizePatches(root)
	if err != nil {
		return nil, err
	}
	err = walkFiles(root, func(path string) error {
		raw, err := os.ReadFile(path)
		if err != nil || len(sampleLines(raw)) == 0 {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		for _, doc := range documents(path, raw) {
			for _, s := range doc.samples() {
				s.File, s.Document = name, doc.number
				if patches[path] && s.object != nil {
					s.Result, s.object = samplePatch, nil
				}
				all = append(all, s)
			}
		}
		return nil
	})
	return all, err
}

func walkFiles(root string, visit func(path string) error) error {
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		switch filepath.Ext(path) {
		case ".yaml", ".yml", ".json", ".tpl", ".md":
			return visit(path)
		}
		return nil
	})
}

// kustomizePatches gives the files that a kustomization of the module uses as patches: they look like objects and are parts of some.
func kustomizePatches(root string) (map[string]bool, error) {
	patches := map[string]bool{}
	err := walkFiles(root, func(path string) error {
		if name := filepath.Base(path); name != "kustomization.yaml" && name != "kustomization.yml" {
			return nil
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var k struct {
			Patches               []struct{ Path string }
			PatchesJson6902       []struct{ Path string }
			PatchesStrategicMerge []string
		}
		if yaml.Unmarshal(raw, &k) != nil {
			return nil // a template of one
		}
		for _, p := range append(k.Patches, k.PatchesJson6902...) {
			patches[filepath.Join(filepath.Dir(path), p.Path)] = true
		}
		for _, p := range k.PatchesStrategicMerge {
			patches[filepath.Join(filepath.Dir(path), p)] = true
		}
		return nil
	})
	return patches, err
}

func documents(path string, raw []byte) []document {
	blocks := [][]byte{raw}
	if filepath.Ext(path) == ".md" {
		blocks = fencedBlocks(raw)
	}
	var all []document
	for _, block := range blocks {
		docs := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(block)))
		for {
			doc, err := docs.Read()
			if errors.Is(err, io.EOF) {
				break
			}
			all = append(all, document{len(all) + 1, doc})
			if err != nil {
				break
			}
		}
	}
	return all
}

var fence = regexp.MustCompile("^([ \t]*)(```+|~~~+) *([A-Za-z]*)")

// fencedBlocks gives the code blocks of Markdown that say to be YAML or JSON, without their indentation.
func fencedBlocks(raw []byte) [][]byte {
	var blocks [][]byte
	var block *bytes.Buffer
	var indent, mark string
	for _, line := range strings.SplitAfter(string(raw), "\n") {
		open := fence.FindStringSubmatch(line)
		switch {
		case mark == "" && open != nil:
			indent, mark = open[1], open[2]
			switch strings.ToLower(open[3]) {
			case "yaml", "yml", "json":
				block = &bytes.Buffer{}
			}
		case mark != "" && strings.TrimSpace(line) == mark:
			if block != nil {
				blocks = append(blocks, block.Bytes())
			}
			block, mark = nil, ""
		case block != nil:
			block.WriteString(strings.TrimPrefix(line, indent))
		}
	}
	return blocks
}

// samples gives the objects of a document that are of our kinds: it may be one, or a list. Where it cannot be read, each line that says such
// a kind stands for one.
func (d document) samples() []*sample {
	lines := sampleLines(d.text)
	// Definitions name our kinds too, and are large.
	if len(lines) == 0 || slices.Contains(kindLines(d.text), "CustomResourceDefinition") {
		return nil
	}
	var content map[string]any
	if err := yaml.Unmarshal(d.text, &content); err != nil {
		result := sampleUnreadable
		if bytes.Contains(d.text, []byte("{{")) {
			result = sampleTemplate
		}
		var all []*sample
		for _, kind := range lines {
			all = append(all, &sample{Kind: kind, Result: result, Reason: err.Error()})
		}
		return all
	}
	items, isList := content["items"].([]any)
	if kind, _ := content["kind"].(string); !isList || !strings.HasSuffix(kind, "List") {
		items = []any{content}
	}
	var all []*sample
	for _, item := range items {
		if object, ok := item.(map[string]any); ok {
			if s := newSample(&unstructured.Unstructured{Object: object}); s != nil {
				all = append(all, s)
			}
		}
	}
	return all
}

func newSample(obj *unstructured.Unstructured) *sample {
	row, ours := sampleKinds[obj.GetKind()]
	if !ours {
		return nil
	}
	s := &sample{APIVersion: obj.GetAPIVersion(), Kind: obj.GetKind(), Namespace: obj.GetNamespace(), Name: obj.GetName(), Result: sampleOtherGroup}
	if slices.Contains(row.groups, obj.GroupVersionKind().Group) {
		s.Result, s.object = "", obj
	}
	return s
}

var dnsLabel = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

// ordinaryNamespace tells whether an object of any name is captured in this namespace: it is no operator's, whose presets are no backup's
// concern, and in the scope of the policy.
func ordinaryNamespace(ns string) bool {
	switch ns {
	case "kserve", "opendatahub", "redhat-ods-applications", "istio-system", "cert-manager":
		return false
	}
	return dnsLabel.MatchString(ns) && !strings.HasPrefix(ns, "kube-") && !strings.HasPrefix(ns, "gke-") && !strings.HasPrefix(ns, "gmp-")
}

var notLabel = regexp.MustCompile(`[^a-z0-9]+`)

// fileNamespace makes the n-th namespace of a file: the end of its path, to be recognized by, and a hash.
func fileNamespace(module, file string, n int) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{module, file, strings.Repeat("+", n-1)}, "\n")))
	text := notLabel.ReplaceAllString(strings.ToLower(strings.TrimSuffix(file, filepath.Ext(file))), "-")
	if len(text) > 40 {
		text = text[len(text)-40:]
	}
	return "s-" + strings.Trim(text, "-") + "-" + hex.EncodeToString(sum[:4])
}
