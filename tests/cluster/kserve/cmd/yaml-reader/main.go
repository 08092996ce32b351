// SPDX-License-Identifier: Apache-2.0

// yaml-reader reads YAML as kubectl does (sigs.k8s.io/yaml, YAML to JSON) and says where that is another value than is claimed.
//
// Standard input: pairs of a JSON value and a YAML text, each ended by a NUL byte, as tests/readers/texts.c writes them. An empty JSON claims
// nothing. The last line of standard output is "N read, N differ, N refused, N not claimed"; the first differences and refusals are told before it.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"

	"sigs.k8s.io/yaml"
)

const shownMax = 20

// decode takes numbers as the API machinery does: int64 where they fit, else float64.
func decode(text []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	return withNumbers(value)
}

func withNumbers(value any) (any, error) {
	var err error
	switch typed := value.(type) {
	case map[string]any:
		for key := range typed {
			if typed[key], err = withNumbers(typed[key]); err != nil {
				return nil, err
			}
		}
	case []any:
		for i := range typed {
			if typed[i], err = withNumbers(typed[i]); err != nil {
				return nil, err
			}
		}
	case json.Number:
		return number(typed.String())
	}
	return value, nil
}

// number makes of a double what the server makes of it: an integer where its text, which has no ".0", fits into int64. So 1.0 is 1.
func number(text string) (any, error) {
	if integer, err := strconv.ParseInt(text, 10, 64); err == nil {
		return integer, nil
	}
	real, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil, err
	}
	stored, err := json.Marshal(real)
	if err != nil {
		return nil, err
	}
	if integer, err := strconv.ParseInt(string(stored), 10, 64); err == nil {
		return integer, nil
	}
	return real, nil
}

// firstDifference is empty where the two are the same.
func firstDifference(want, got any, path string) string {
	switch typed := want.(type) {
	case map[string]any:
		other, ok := got.(map[string]any)
		if !ok || len(other) != len(typed) {
			break
		}
		for key := range typed {
			if _, ok := other[key]; !ok {
				return fmt.Sprintf("%s: no key %.200q", path, key)
			}
			if what := firstDifference(typed[key], other[key], fmt.Sprintf("%s[%.200q]", path, key)); what != "" {
				return what
			}
		}
		return ""
	case []any:
		other, ok := got.([]any)
		if !ok || len(other) != len(typed) {
			break
		}
		for i := range typed {
			if what := firstDifference(typed[i], other[i], fmt.Sprintf("%s[%d]", path, i)); what != "" {
				return what
			}
		}
		return ""
	default:
		if want == got {
			return ""
		}
	}
	return fmt.Sprintf("%s: read as %.200q, claimed is %.200q", path, fmt.Sprint(got), fmt.Sprint(want))
}

type tally struct{ read, differ, refused, unclaimed int }

func (t *tally) show(what string, text []byte) {
	if t.differ+t.refused <= shownMax {
		fmt.Printf("%s\n  in %.500q\n", what, text)
	}
}

func (t *tally) take(claimed, text []byte) error {
	if len(claimed) == 0 {
		t.unclaimed++
		return nil
	}
	want, err := decode(claimed)
	if err != nil {
		return err
	}
	t.read++
	converted, err := yaml.YAMLToJSON(text)
	if err != nil {
		t.refused++
		t.show("refused: "+err.Error(), text)
		return nil
	}
	got, err := decode(converted)
	if err != nil {
		return err
	}
	if what := firstDifference(want, got, ""); what != "" {
		t.differ++
		t.show(what, text)
	}
	return nil
}

func field(in *bufio.Reader) ([]byte, error) {
	bytes, err := in.ReadBytes(0)
	if err != nil {
		return bytes, err
	}
	return bytes[:len(bytes)-1], nil
}

func (t *tally) run(in *bufio.Reader) error {
	for {
		claimed, err := field(in)
		if err == io.EOF && len(claimed) == 0 {
			return nil
		}
		if err != nil {
			return err
		}
		text, err := field(in)
		if err != nil {
			return err
		}
		if err := t.take(claimed, text); err != nil {
			return err
		}
	}
}

func main() {
	var t tally
	if err := t.run(bufio.NewReaderSize(os.Stdin, 1<<20)); err != nil {
		fmt.Fprintln(os.Stderr, "yaml-reader:", err)
		os.Exit(2)
	}
	fmt.Printf("%d read, %d differ, %d refused, %d not claimed\n", t.read, t.differ, t.refused, t.unclaimed)
}
