// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
)

// The way to the real API server.
type proxy struct {
	server          string
	byToken, byCert *http.Transport
	script          *script
}

// An answer of the API server, whole.
type answer struct {
	code    int
	headers http.Header
	body    []byte
}

// header writes the header of the answer with this length of the body.
func (a *answer) header(w http.ResponseWriter, length int) {
	for name, values := range a.headers {
		w.Header()[name] = values
	}
	w.Header().Del("Transfer-Encoding")
	w.Header().Set("Content-Length", strconv.Itoa(length))
	w.WriteHeader(a.code)
}

func (p *proxy) forward(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	out, err := http.NewRequestWithContext(r.Context(), r.Method, p.server+r.RequestURI, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	out.Header = r.Header.Clone()
	if r.Header.Get("Authorization") != "" {
		return p.byToken.RoundTrip(out)
	}
	return p.byCert.RoundTrip(out)
}

// fetch gets the answer of the API server. nil: there was none, and the client has been told.
func (p *proxy) fetch(w http.ResponseWriter, r *http.Request) *answer {
	response, err := p.forward(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return nil
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return nil
	}
	return &answer{response.StatusCode, response.Header, body}
}

// stream passes the answer on as it comes: watches have no end.
func (p *proxy) stream(w http.ResponseWriter, r *http.Request) {
	response, err := p.forward(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer response.Body.Close()
	for name, values := range response.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(response.StatusCode)
	chunk := make([]byte, 64*1024)
	for {
		n, err := response.Body.Read(chunk)
		if _, werr := w.Write(chunk[:n]); err != nil || werr != nil {
			return
		}
		_ = http.NewResponseController(w).Flush()
	}
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if fault := p.script.strike(r); fault != nil {
		fault.answer(p, w, r)
		return
	}
	p.stream(w, r)
}

// ---- connections ----

type connectionKey struct{}

func connectionOf(r *http.Request) *tls.Conn {
	conn, _ := r.Context().Value(connectionKey{}).(*tls.Conn)
	return conn
}

func resetConnection(r *http.Request) {
	raw := connectionOf(r).NetConn()
	_ = raw.(*net.TCPConn).SetLinger(0)
	_ = raw.Close()
}

// An orderly end below HTTP: close_notify and FIN.
func closeConnection(r *http.Request) {
	_ = connectionOf(r).Close()
}

// The panic that follows does it.
func abortStream(*http.Request) {}

func waitForClient(r *http.Request) {
	<-r.Context().Done()
}

// A GOAWAY frame with last stream 0 and no error, between the frames of Go's own server, which writes nothing at this moment.
func goawayConnection(r *http.Request) {
	_, _ = connectionOf(r).Write([]byte{0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	closeConnection(r)
}

func serveFront(p *proxy, listener net.Listener, pair tls.Certificate, http1 bool) error {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(!http1)
	server := &http.Server{
		Handler:   p,
		Protocols: protocols,
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12},
		ErrorLog:  log.New(io.Discard, "", 0),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, connectionKey{}, c)
		},
	}
	if os.Getenv("FAULT_PROXY_VERBOSE") != "" {
		server.ErrorLog = log.New(os.Stderr, "fault-proxy: ", 0)
	}
	return server.ServeTLS(listener, "", "")
}
