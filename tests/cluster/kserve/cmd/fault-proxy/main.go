// SPDX-License-Identifier: Apache-2.0

// fault-proxy stands before a real API server and does, to requests that its rules name, what such a server does not do on demand.
//
//	fault-proxy --server URL --ca FILE [--cert FILE --key FILE] --dir DIR [--http1]
//
// It listens on loopback with TLS (a CA of its own, DIR/proxy.crt) and HTTP/2. A request with a bearer token is forwarded with that token,
// one without with the client certificate. DIR/proxy.kubeconfig names it, without a user. On standard output comes "ready CONTROL-URL".
//
//	PUT CONTROL-URL/rules    new rules, one a line, and everything counted so far is forgotten; empty: a plain proxy
//	GET CONTROL-URL/hits     how often a rule struck
//	GET CONTROL-URL/log      the requests since then: "N METHOD URI", and the fault after it
//
// A rule is "WHEN METHOD REGEXP FAULT [ARGUMENT...]". WHEN counts the requests that match METHOD ("*": any) and REGEXP (of path and query):
// "3" is the third, "2-" the second and all that follow, "2-4", "/3" each third, "*" every one. The first rule that strikes decides; faults are in faults.go.
// It ends when its standard input does, or its parent.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

type options struct {
	server, ca, cert, key, dir string
	http1                      bool
}

func fail(err error) {
	fmt.Fprintf(os.Stderr, "fault-proxy: %v\n", err)
	os.Exit(1)
}

// transport speaks to the real API server. It undoes no compression, so that a body passes byte for byte.
func transport(o options, withCert bool) (*http.Transport, error) {
	text, err := os.ReadFile(o.ca)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}
	if !config.RootCAs.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("no certificate in '%s'", o.ca)
	}
	if withCert && o.cert != "" {
		pair, err := tls.LoadX509KeyPair(o.cert, o.key)
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true, DisableCompression: true}, nil
}

func writeKubeconfig(dir, address string) error {
	text := fmt.Sprintf(`apiVersion: v1
kind: Config
current-context: proxy
clusters:
- name: proxy
  cluster: {server: "https://%s", certificate-authority: "%s"}
contexts:
- name: proxy
  context: {cluster: proxy, user: proxy}
users:
- name: proxy
  user: {}
`, address, filepath.Join(dir, "proxy.crt"))
	return os.WriteFile(filepath.Join(dir, "proxy.kubeconfig"), []byte(text), 0o600)
}

func run(o options) error {
	var err error
	if o.dir, err = filepath.Abs(o.dir); err != nil {
		return err
	}
	p := &proxy{server: o.server, script: &script{}}
	if p.byToken, err = transport(o, false); err != nil {
		return err
	}
	if p.byCert, err = transport(o, true); err != nil {
		return err
	}
	pair, err := newCertificate(filepath.Join(o.dir, "proxy.crt"))
	if err != nil {
		return err
	}
	front, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	control, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	if err := writeKubeconfig(o.dir, front.Addr().String()); err != nil {
		return err
	}
	failed := make(chan error, 2)
	go func() { failed <- serveFront(p, front, pair, o.http1) }()
	go func() { failed <- http.Serve(control, p.script.control()) }()
	fmt.Printf("ready http://%s\n", control.Addr())
	return <-failed
}

func main() {
	var o options
	flag.StringVar(&o.server, "server", "", "URL of the real API server")
	flag.StringVar(&o.ca, "ca", "", "its CA")
	flag.StringVar(&o.cert, "cert", "", "client certificate for requests without a token")
	flag.StringVar(&o.key, "key", "", "its key")
	flag.StringVar(&o.dir, "dir", ".", "where proxy.crt and proxy.kubeconfig go")
	flag.BoolVar(&o.http1, "http1", false, "speak HTTP/1.1 only")
	flag.Parse()

	// After kill -9 of the test nobody else would end it.
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		fail(err)
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	go func() {
		<-stop
		os.Exit(0)
	}()
	fail(run(o))
}
