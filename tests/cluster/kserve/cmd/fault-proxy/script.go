// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// One line of the script.
type rule struct {
	first, last int // of the requests that match; last 0: no end
	every       int // of those, each so manieth
	method      string
	uri         *regexp.Regexp
	fault       fault
	matched     int
}

// What happens to which request.
type script struct {
	mutex sync.Mutex
	rules []*rule
	hits  int
	log   strings.Builder
	count int
}

func parseWhen(text string) (first, last, every int, err error) {
	if text == "*" {
		return 1, 0, 1, nil
	}
	if number, found := strings.CutPrefix(text, "/"); found {
		if every, err = strconv.Atoi(number); err == nil && every < 1 {
			err = fmt.Errorf("'%s' is no number of requests", number)
		}
		return every, 0, every, err
	}
	from, to, open := strings.Cut(text, "-")
	if first, err = strconv.Atoi(from); err != nil {
		return 0, 0, 0, err
	}
	if !open {
		return first, first, 1, nil
	}
	if to == "" {
		return first, 0, 1, nil
	}
	last, err = strconv.Atoi(to)
	return first, last, 1, err
}

func parseRule(line string) (*rule, error) {
	words := strings.Fields(line)
	if len(words) < 4 {
		return nil, fmt.Errorf("not a rule: '%s'", line)
	}
	r := &rule{method: words[1]}
	var err error
	if r.first, r.last, r.every, err = parseWhen(words[0]); err != nil {
		return nil, fmt.Errorf("'%s': %w", line, err)
	}
	if r.uri, err = regexp.Compile(words[2]); err != nil {
		return nil, fmt.Errorf("'%s': %w", line, err)
	}
	if r.fault, err = parseFault(words[3], words[4:]); err != nil {
		return nil, fmt.Errorf("'%s': %w", line, err)
	}
	return r, nil
}

func (s *script) replace(text string) error {
	var rules []*rule
	for _, line := range strings.Split(text, "\n") {
		if strings.TrimSpace(line) == "" {
			continue
		}
		r, err := parseRule(line)
		if err != nil {
			return err
		}
		rules = append(rules, r)
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.rules, s.hits, s.count = rules, 0, 0
	s.log.Reset()
	return nil
}

// strike counts the request and returns what is to happen to it; nil: nothing.
func (s *script) strike(r *http.Request) fault {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var struck *rule
	for _, rule := range s.rules {
		if rule.method != "*" && rule.method != r.Method || !rule.uri.MatchString(r.RequestURI) {
			continue
		}
		rule.matched++
		if struck == nil && rule.matched >= rule.first && (rule.last == 0 || rule.matched <= rule.last) && (rule.matched-rule.first)%rule.every == 0 {
			struck = rule
		}
	}
	s.count++
	if struck == nil {
		fmt.Fprintf(&s.log, "%d %s %s\n", s.count, r.Method, r.RequestURI)
		return nil
	}
	s.hits++
	fmt.Fprintf(&s.log, "%d %s %s %T\n", s.count, r.Method, r.RequestURI, struck.fault)
	return struck.fault
}

func (s *script) control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /rules", func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		if err == nil {
			err = s.replace(string(text))
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
	})
	mux.HandleFunc("GET /hits", func(w http.ResponseWriter, _ *http.Request) {
		s.mutex.Lock()
		defer s.mutex.Unlock()
		fmt.Fprintln(w, s.hits)
	})
	mux.HandleFunc("GET /log", func(w http.ResponseWriter, _ *http.Request) {
		s.mutex.Lock()
		defer s.mutex.Unlock()
		fmt.Fprint(w, s.log.String())
	})
	return mux
}
