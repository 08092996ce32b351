// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// A fault answers the request instead of the API server, or with a part of its answer.
type fault interface {
	answer(p *proxy, w http.ResponseWriter, r *http.Request)
}

// The faults by name. "K" is a number of bytes of the body; "50%" is half of it.
var faults = map[string]func(args []string) (fault, error){
	// status CODE [Name=value ...]: a Status object as the API server's, with these headers
	"status": parseStatus,
	// reset: a TCP reset before the answer
	"reset": func([]string) (fault, error) { return &cut{end: resetConnection}, nil },
	// abort: RST_STREAM before the answer (HTTP/1.1: the connection ends)
	"abort": func([]string) (fault, error) { return &cut{end: abortStream}, nil },
	// reset-after K, abort-after K, close-after K: header and K bytes, then a TCP reset, RST_STREAM, or an orderly end of the connection
	"reset-after": parseCut(resetConnection),
	"abort-after": parseCut(abortStream),
	"close-after": parseCut(closeConnection),
	// goaway: the whole answer, with GOAWAY as the API server's --goaway-chance sends it
	"goaway": func([]string) (fault, error) { return &pass{goaway: true}, nil },
	// goaway-now: GOAWAY "no stream was processed" and the end of the connection, before the answer; goaway-after K: in its midst
	"goaway-now":   func([]string) (fault, error) { return &cut{end: goawayConnection}, nil },
	"goaway-after": parseCut(goawayConnection),
	// truncate K: K bytes as a complete answer, with a Content-Length that is right
	"truncate": parseTruncate,
	// drip K MS: K bytes at a time, MS milliseconds apart
	"drip": parseDrip,
	// delay MS: the right answer, so much later
	"delay": parseDelay,
	// limit N MS: the right answer MS later to N requests at a time; 429 with "Retry-After: 1" to those that come meanwhile
	"limit": parseLimit,
	// stall: no answer, until the client gives up; stall-after K
	"stall":       func([]string) (fault, error) { return &cut{end: waitForClient}, nil },
	"stall-after": parseCut(waitForClient),
	// replace OLD NEW: in the body
	"replace": parseReplace,
	// run COMMAND...: run it to its end, then forward as if nothing had been
	"run": func(args []string) (fault, error) { return &command{args}, nil },
}

func parseFault(name string, args []string) (fault, error) {
	parse, ok := faults[name]
	if !ok {
		return nil, fmt.Errorf("unknown fault '%s'", name)
	}
	return parse(args)
}

// A number of bytes, or a share of the body.
type amount struct {
	n     int
	share bool
}

func parseAmount(args []string) (amount, error) {
	if len(args) == 0 {
		return amount{}, fmt.Errorf("a number of bytes is missing")
	}
	text, share := strings.CutSuffix(args[0], "%")
	n, err := strconv.Atoi(text)
	return amount{n, share}, err
}

func (a amount) of(body []byte) []byte {
	n := a.n
	if a.share {
		n = len(body) * a.n / 100
	}
	return body[:min(max(n, 0), len(body))]
}

// ---- status ----

type status struct {
	code   int
	header http.Header
}

var reasons = map[int]string{400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 410: "Expired",
	429: "TooManyRequests", 500: "InternalError", 503: "ServiceUnavailable", 504: "Timeout"}

func parseStatus(args []string) (fault, error) {
	if len(args) == 0 {
		return nil, fmt.Errorf("the code is missing")
	}
	code, err := strconv.Atoi(args[0])
	if err != nil {
		return nil, err
	}
	s := &status{code, http.Header{}}
	for _, arg := range args[1:] {
		name, value, _ := strings.Cut(arg, "=")
		s.header.Set(name, value)
	}
	return s, nil
}

func (s *status) answer(_ *proxy, w http.ResponseWriter, _ *http.Request) {
	body, _ := json.Marshal(map[string]any{"kind": "Status", "apiVersion": "v1", "metadata": map[string]any{}, "status": "Failure",
		"message": fmt.Sprintf("fault-proxy says %d", s.code), "reason": reasons[s.code], "code": s.code})
	w.Header().Set("Content-Type", "application/json")
	for name, values := range s.header {
		w.Header()[name] = values
	}
	w.WriteHeader(s.code)
	_, _ = w.Write(body)
}

// ---- an answer that breaks off ----

type cut struct {
	after *amount // nil: before the header
	end   func(r *http.Request)
}

func parseCut(end func(r *http.Request)) func(args []string) (fault, error) {
	return func(args []string) (fault, error) {
		after, err := parseAmount(args)
		return &cut{&after, end}, err
	}
}

func (c *cut) answer(p *proxy, w http.ResponseWriter, r *http.Request) {
	if c.after != nil {
		got := p.fetch(w, r)
		if got == nil {
			return
		}
		got.header(w, len(got.body))
		_, _ = w.Write(c.after.of(got.body))
		_ = http.NewResponseController(w).Flush()
		// What was flushed is on its way before the connection ends under it.
		time.Sleep(20 * time.Millisecond)
	}
	c.end(r)
	panic(http.ErrAbortHandler)
}

// ---- whole answers that differ ----

type pass struct{ goaway bool }

func (f *pass) answer(p *proxy, w http.ResponseWriter, r *http.Request) {
	if got := p.fetch(w, r); got != nil {
		if f.goaway {
			w.Header().Set("Connection", "close")
		}
		got.header(w, len(got.body))
		_, _ = w.Write(got.body)
	}
}

type truncate struct{ to amount }

func parseTruncate(args []string) (fault, error) {
	to, err := parseAmount(args)
	return &truncate{to}, err
}

func (f *truncate) answer(p *proxy, w http.ResponseWriter, r *http.Request) {
	if got := p.fetch(w, r); got != nil {
		body := f.to.of(got.body)
		got.header(w, len(body))
		_, _ = w.Write(body)
	}
}

type drip struct {
	step amount
	wait time.Duration
}

func parseDrip(args []string) (fault, error) {
	step, err := parseAmount(args)
	if err != nil || len(args) < 2 {
		return nil, fmt.Errorf("bytes and milliseconds are needed")
	}
	ms, err := strconv.Atoi(args[1])
	return &drip{step, time.Duration(ms) * time.Millisecond}, err
}

func (f *drip) answer(p *proxy, w http.ResponseWriter, r *http.Request) {
	got := p.fetch(w, r)
	if got == nil {
		return
	}
	got.header(w, len(got.body))
	step := max(len(f.step.of(got.body)), 1)
	for body := got.body; len(body) > 0; body = body[min(step, len(body)):] {
		if _, err := w.Write(body[:min(step, len(body))]); err != nil {
			return
		}
		_ = http.NewResponseController(w).Flush()
		time.Sleep(f.wait)
	}
}

type delay struct{ wait time.Duration }

func parseDelay(args []string) (fault, error) {
	if len(args) == 0 {
		return nil, fmt.Errorf("milliseconds are needed")
	}
	ms, err := strconv.Atoi(args[0])
	return &delay{time.Duration(ms) * time.Millisecond}, err
}

func (f *delay) answer(p *proxy, w http.ResponseWriter, r *http.Request) {
	time.Sleep(f.wait)
	p.stream(w, r)
}

type limit struct {
	places chan struct{}
	delay  fault
	full   fault
}

func parseLimit(args []string) (fault, error) {
	if len(args) < 2 {
		return nil, fmt.Errorf("a number of requests and milliseconds are needed")
	}
	n, err := strconv.Atoi(args[0])
	if err != nil || n < 1 {
		return nil, fmt.Errorf("'%s' is no number of requests", args[0])
	}
	wait, err := parseDelay(args[1:])
	return &limit{make(chan struct{}, n), wait, &status{429, http.Header{"Retry-After": {"1"}}}}, err
}

func (f *limit) answer(p *proxy, w http.ResponseWriter, r *http.Request) {
	select {
	case f.places <- struct{}{}:
		defer func() { <-f.places }()
		f.delay.answer(p, w, r)
	default:
		f.full.answer(p, w, r)
	}
}

type replace struct{ old, new string }

func parseReplace(args []string) (fault, error) {
	if len(args) < 1 || len(args) > 2 {
		return nil, fmt.Errorf("one or two words are needed")
	}
	return &replace{args[0], strings.Join(args[1:], "")}, nil
}

func (f *replace) answer(p *proxy, w http.ResponseWriter, r *http.Request) {
	if got := p.fetch(w, r); got != nil {
		body := []byte(strings.ReplaceAll(string(got.body), f.old, f.new))
		got.header(w, len(body))
		_, _ = w.Write(body)
	}
}

type command struct{ words []string }

func (f *command) answer(p *proxy, w http.ResponseWriter, r *http.Request) {
	run := exec.Command("bash", "-c", strings.Join(f.words, " "))
	run.Stdout, run.Stderr = os.Stderr, os.Stderr
	if err := run.Run(); err != nil {
		http.Error(w, err.Error(), http.StatusTeapot)
		return
	}
	(&pass{}).answer(p, w, r)
}
