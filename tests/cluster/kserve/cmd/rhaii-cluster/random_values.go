// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"regexp"
	"regexp/syntax"
	"sort"
	"strings"
	"time"
	"unicode/utf8"
)

// Values at random: free ones, texts of a pattern, and what a structural schema allows.

// chance makes the random values of one object. Two with the same numbers make the same.
type chance struct {
	*rand.Rand
	// How many of the optional fields of an object it sets, about. Fewer rules are broken with fewer fields.
	fields int
}

func newChance(seed, number, attempt uint64) *chance {
	return &chance{rand.New(rand.NewPCG(seed, number<<8|attempt)), max(1, 6-int(attempt))}
}

func (c *chance) one(n int) bool { return c.IntN(n) == 0 }

func pick[T any](c *chance, from []T) T { return from[c.IntN(len(from))] }

// Plain scalars that one reader of YAML or another takes for something else than a text, and names that programs trip over.
var scalars = strings.Fields(`null Null NULL ~ true True TRUE false yes Yes no on On off y Y n N 0 1 -1 +1 00 01 007 010 0o7 0o14 0x1f 0xFF 0b1 1_000 1e3 1E5 1e-3
	.5 5. 0.1 1.0 1.50 -0 -0.0 1:30 12:30:45 190:20:30 .inf -.inf .Inf .nan .NaN nan inf infinity Infinity 2001-01-01 2026-11-24 2001-12-14t21:59:43.10-05:00 = <<
	! & * | > % @ - ? : , # [] {} --- ... 12e03 685_230.15 9007199254740993 18446744073709551616 0.0.0.0 127.0.0.1 ::1 a.b.c x-y nul con aux prn git .git HEAD
	index.html a..b -a a- undefined constructor __proto__ 3.8 3.10 v1 1.2.3`)

// Pieces of texts: indicators, white space, control characters, all that is special in Unicode.
var pieces = append([]string{"a", "Z", "0", " ", "  ", "\n", "\n\n", "\t", "\r", "\r\n", ": ", " #", "- ", "? ", "'", "\"", "\\", "{", "}", "[", "]", ",", "/", "../",
	"%2f", "\u00a0", "\u0085", "\u2028", "\u2029", "\u202e", "\ufeff", "\ufffe", "\ufffd", "\u00fc", "u\u0308", "\U0001F600", "\U0010FFFF", "\u200b", "\x7f", "\x1b[31m", "\x01",
	"\b", "\f", "{{ .Name }}", "\x00", "${HOME}", "$(id)", "\\n", "<a&b>", "\u3000", "\u65e5\u672c"}, scalars...)

func (c *chance) text(limit int) string {
	if c.one(6) {
		return cut(pick(c, scalars), limit)
	}
	var text strings.Builder
	for range c.IntN(7) {
		text.WriteString(pick(c, pieces))
	}
	if c.one(60) {
		text.WriteString(strings.Repeat("long line ", 40+c.IntN(400)))
	}
	return cut(text.String(), limit)
}

// key gives any text that the key of a snapshot's object may be.
func (c *chance) key(limit int) string {
	return strings.ReplaceAll(c.text(limit), "\x00", "")
}

// cut gives at most so many characters of a text.
func cut(text string, limit int) string {
	for utf8.RuneCountInString(text) > limit {
		_, size := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-size]
	}
	return text
}

func (c *chance) number() any {
	switch c.IntN(4) {
	case 0:
		return int64(c.Uint64() >> c.IntN(64))
	case 1:
		return pick(c, []any{int64(0), int64(-1), int64(1), int64(math.MaxInt64), int64(math.MinInt64), int64(1 << 53), int64(1<<53 + 1)})
	case 2:
		return pick(c, []any{0.1, 1e21, 1e-7, 1.5e300, math.SmallestNonzeroFloat64, math.MaxFloat64, 1e15, 123456789.125, -2.5e-10})
	}
	return float64(c.IntN(1000000)) / 64
}

// value gives any JSON value.
func (c *chance) value(depth int) any {
	what := c.IntN(10)
	if depth <= 0 {
		what = c.IntN(6)
	}
	switch {
	case what == 0:
		return c.one(2)
	case what == 1:
		return c.number()
	case what == 2 && c.one(3):
		return nil
	case what < 6:
		return c.text(1000)
	case what < 8:
		list := []any{}
		for range c.IntN(4) {
			list = append(list, c.value(depth-1))
		}
		return list
	}
	return c.object(depth - 1)
}

func (c *chance) object(depth int) map[string]any {
	object := map[string]any{}
	for range c.IntN(5) {
		object[c.key(100)] = c.value(depth)
	}
	return object
}

// matching gives a text of a regular expression; one of the scalars, where some match.
func (c *chance) matching(pattern string, limit int) string {
	if c.one(2) {
		expression := regexp.MustCompile(pattern)
		for range 20 {
			if scalar := pick(c, scalars); len(scalar) <= limit && expression.MatchString(scalar) {
				return scalar
			}
		}
	}
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		panic(fmt.Sprintf("pattern '%s': %v", pattern, err)) // the API server has compiled it
	}
	parsed = parsed.Simplify()
	var text string
	for range 50 {
		if text = c.expression(parsed); len(text) <= limit {
			break
		}
	}
	return text
}

func (c *chance) expression(e *syntax.Regexp) string {
	times := func(least int) string {
		var text strings.Builder
		for range least + c.IntN(4) {
			text.WriteString(c.expression(e.Sub[0]))
		}
		return text.String()
	}
	switch e.Op {
	case syntax.OpLiteral:
		return string(e.Rune)
	case syntax.OpCharClass:
		at := c.IntN(len(e.Rune)/2) * 2
		return string(e.Rune[at] + rune(c.IntN(int(min(e.Rune[at+1]-e.Rune[at], 100))+1)))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return pick(c, []string{"a", "0", "-", "é", " ", "#"})
	case syntax.OpCapture:
		return c.expression(e.Sub[0])
	case syntax.OpStar:
		return times(0)
	case syntax.OpPlus:
		return times(1)
	case syntax.OpQuest:
		if c.one(2) {
			return ""
		}
		return c.expression(e.Sub[0])
	case syntax.OpAlternate:
		return c.expression(pick(c, e.Sub))
	case syntax.OpConcat:
		var text strings.Builder
		for _, sub := range e.Sub {
			text.WriteString(c.expression(sub))
		}
		return text.String()
	}
	return "" // what stands between characters
}

// ---- structural schemas ----

type schemaNode = map[string]any

// bySchema gives a value that the schema allows, but for the rules that are written in CEL: the API server has the last word.
func (c *chance) bySchema(s schemaNode, depth int) any {
	if values, ok := s["enum"].([]any); ok {
		return pick(c, values)
	}
	if s["nullable"] == true && c.one(6) {
		return nil
	}
	if value, ok := s["default"]; ok && c.one(6) {
		return value
	}
	if s["x-kubernetes-int-or-string"] == true && c.one(2) {
		return int64(c.IntN(65536))
	}
	switch s["type"] {
	case "object":
		return c.objectBySchema(s, depth)
	case "array":
		return c.listBySchema(s, depth)
	case "boolean":
		return c.one(2)
	case "integer":
		return c.integerBySchema(s)
	case "number":
		return float64(c.IntN(100000)) / 64
	case "string":
		return c.stringBySchema(s)
	}
	if s["x-kubernetes-int-or-string"] == true {
		return c.stringBySchema(s)
	}
	return c.value(3) // x-kubernetes-preserve-unknown-fields
}

func number(s schemaNode, key string, otherwise int64) int64 {
	switch n := s[key].(type) {
	case int64:
		return n
	case float64:
		return int64(n)
	}
	return otherwise
}

func (c *chance) integerBySchema(s schemaNode) int64 {
	least, most := number(s, "minimum", math.MinInt32), number(s, "maximum", math.MaxInt32)
	if s["minimum"] == nil && s["maximum"] == nil && c.one(3) {
		return int64(c.IntN(10))
	}
	switch c.IntN(4) {
	case 0:
		return least
	case 1:
		return most
	}
	return least + c.Int64N(most-least+1)
}

func (c *chance) stringBySchema(s schemaNode) string {
	limit, least := int(number(s, "maxLength", 5000)), int(number(s, "minLength", 0))
	switch s["format"] {
	case "date-time":
		return time.Unix(c.Int64N(4000000000), 0).UTC().Format(time.RFC3339)
	case "ipv4":
		return "192.0.2.1"
	case "ipv6":
		return "2001:db8::1"
	case "binary", "byte":
		return "AAEC/w=="
	}
	var text string
	if pattern, ok := s["pattern"].(string); ok {
		text = c.matching(pattern, limit)
	} else {
		text = c.text(limit)
	}
	if utf8.RuneCountInString(text) < least {
		text += strings.Repeat("x", least)
	}
	return text
}

func (c *chance) listBySchema(s schemaNode, depth int) []any {
	items, _ := s["items"].(schemaNode)
	least, most := int(number(s, "minItems", 0)), int(number(s, "maxItems", 1000))
	list, known := []any{}, map[string]bool{}
	for range min(most, max(least, c.IntN(4))) {
		item := c.bySchema(items, depth-1)
		if s["x-kubernetes-list-type"] != nil {
			id := itemID(s, item)
			if known[id] {
				continue
			}
			known[id] = true
		}
		list = append(list, item)
	}
	return list
}

// itemID tells what must differ between the items of a set, or of a list with keys.
func itemID(s schemaNode, item any) string {
	var id any = item
	keys, _ := s["x-kubernetes-list-map-keys"].([]any)
	if object, ok := item.(map[string]any); ok && len(keys) > 0 {
		var values []any
		for _, key := range keys {
			values = append(values, object[key.(string)])
		}
		id = values
	}
	raw, err := json.Marshal(id)
	if err != nil {
		panic(err) // it came from JSON
	}
	return string(raw)
}

func (c *chance) objectBySchema(s schemaNode, depth int) map[string]any {
	properties, _ := s["properties"].(schemaNode)
	if len(properties) == 0 {
		return c.mapBySchema(s, depth)
	}
	wanted := map[string]bool{}
	if required, ok := s["required"].([]any); ok {
		for _, name := range required {
			wanted[name.(string)] = true
		}
	}
	var names []string
	for name := range properties {
		names = append(names, name)
	}
	sort.Strings(names) // a map's own order is another each time
	for _, name := range names {
		wanted[name] = wanted[name] || depth > 0 && c.IntN(len(names)) < c.fields
	}
	c.choose(s, wanted)
	object := map[string]any{}
	for _, name := range names {
		if wanted[name] {
			object[name] = c.bySchema(properties[name].(schemaNode), depth-1)
		}
	}
	if s["x-kubernetes-preserve-unknown-fields"] == true {
		for range c.IntN(3) {
			object["unknown "+c.key(20)] = c.value(2)
		}
	}
	return object
}

func (c *chance) mapBySchema(s schemaNode, depth int) map[string]any {
	values, ok := s["additionalProperties"].(schemaNode)
	if !ok {
		if s["x-kubernetes-preserve-unknown-fields"] == true {
			return c.object(4)
		}
		return map[string]any{}
	}
	object := map[string]any{}
	for range max(int(number(s, "minProperties", 0)), c.IntN(4)) {
		object[pick(c, []string{c.key(60), c.matching(qualifiedPattern, 60)})] = c.bySchema(values, depth-1)
	}
	return object
}

// choose keeps one of the fields that a oneOf holds against each other: [{not: {...}}, {required: [a]}, {required: [b]}].
func (c *chance) choose(s schemaNode, wanted map[string]bool) {
	groups := []any{s["oneOf"], s["anyOf"]}
	if all, ok := s["allOf"].([]any); ok {
		for _, part := range all {
			groups = append(groups, part.(schemaNode)["oneOf"], part.(schemaNode)["anyOf"])
		}
	}
	for _, group := range groups {
		alternatives, _ := group.([]any)
		var names []string
		for _, alternative := range alternatives {
			required, _ := alternative.(schemaNode)["required"].([]any)
			for _, name := range required {
				names = append(names, name.(string))
				delete(wanted, name.(string))
			}
		}
		if len(names) > 0 {
			wanted[pick(c, names)] = true
		}
	}
}
