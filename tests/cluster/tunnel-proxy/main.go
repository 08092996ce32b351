// SPDX-License-Identifier: Apache-2.0

// tunnel-proxy is the proxy of a company in the tests: it makes tunnels to servers on loopback, three ways (http and https with CONNECT, SOCKS5), each on a
// free port, and writes one line for each tunnel that it made or refused: the way, the target as it was asked for, the user.
//
//	tunnel-proxy --cert FILE --key FILE [--users FILE] --log FILE
//
// The certificate is that of the https way. With --users, a file of one line "user:password", it serves that user only. Names of targets all
// mean 127.0.0.1, so that a name that only the proxy knows can be asked for. The ports go to standard output as "ready HTTP HTTPS SOCKS";
// it ends when its standard input does.
package main

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"

	socks5 "github.com/armon/go-socks5"
	"golang.org/x/net/context"
)

// proxy is what the three ways share.
type proxy struct {
	user, password string // "" for user: everybody is served
	mutex          sync.Mutex
	log            io.Writer
}

func (p *proxy) tell(way, target, user string) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	fmt.Fprintf(p.log, "%s %s %s\n", way, target, user)
}

func (p *proxy) accepts(way, user, password string) bool {
	ok := user == p.user && password == p.password
	if !ok {
		p.tell("refused", way, user)
	}
	return ok
}

// Valid is socks5.CredentialStore.
func (p *proxy) Valid(user, password string) bool {
	return p.accepts("socks5", user, password)
}

// Resolve is socks5.NameResolver.
func (p *proxy) Resolve(ctx context.Context, name string) (context.Context, net.IP, error) {
	return ctx, net.IPv4(127, 0, 0, 1), nil
}

// Allow is socks5.RuleSet.
func (p *proxy) Allow(ctx context.Context, request *socks5.Request) (context.Context, bool) {
	host := request.DestAddr.FQDN
	if host == "" {
		host = request.DestAddr.IP.String()
	}
	user := ""
	if request.AuthContext != nil {
		user = request.AuthContext.Payload["Username"]
	}
	p.tell("socks5", net.JoinHostPort(host, fmt.Sprint(request.DestAddr.Port)), user)
	return ctx, request.Command == socks5.ConnectCommand
}

func basicUser(r *http.Request) (user, password string) {
	text, _ := strings.CutPrefix(r.Header.Get("Proxy-Authorization"), "Basic ")
	plain, _ := base64.StdEncoding.DecodeString(text)
	user, password, _ = strings.Cut(string(plain), ":")
	return user, password
}

// handler serves CONNECT and nothing else.
func (p *proxy) handler(way string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		user, password := basicUser(r)
		if r.Method != http.MethodConnect {
			http.Error(w, "only CONNECT", http.StatusMethodNotAllowed)
			return
		}
		if p.user != "" && !p.accepts(way, user, password) {
			w.Header().Set("Proxy-Authenticate", `Basic realm="tunnel-proxy"`)
			http.Error(w, "who are you?", http.StatusProxyAuthRequired)
			return
		}
		p.tell(way, r.Host, user)
		tunnel(w, r.Host)
	}
}

func tunnel(w http.ResponseWriter, target string) {
	_, port, err := net.SplitHostPort(target)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	upstream, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer upstream.Close()
	client, buffered, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer client.Close()
	fmt.Fprint(client, "HTTP/1.1 200 Connection established\r\n\r\n")
	go func() {
		io.Copy(upstream, buffered)
		upstream.(*net.TCPConn).CloseWrite()
	}()
	io.Copy(client, upstream)
}

func listen() (net.Listener, string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return listener, port
}

func (p *proxy) serveHTTP(way string, certificate *tls.Certificate) string {
	listener, port := listen()
	if certificate != nil {
		listener = tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{*certificate}, NextProtos: []string{"http/1.1"}})
	}
	go func() { log.Fatal(http.Serve(listener, p.handler(way))) }()
	return port
}

func (p *proxy) serveSOCKS() string {
	config := &socks5.Config{Resolver: p, Rules: p, Logger: log.New(os.Stderr, "", 0)}
	if p.user != "" {
		config.Credentials = p
	}
	server, err := socks5.New(config)
	if err != nil {
		log.Fatal(err)
	}
	listener, port := listen()
	go func() { log.Fatal(server.Serve(listener)) }()
	return port
}

func readUser(path string) (user, password string) {
	if path == "" {
		return "", ""
	}
	text, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	user, password, _ = strings.Cut(strings.TrimSuffix(string(text), "\n"), ":")
	return user, password
}

func main() {
	cert := flag.String("cert", "", "certificate of the https way")
	key := flag.String("key", "", "its key")
	users := flag.String("users", "", "a file of one line user:password")
	logPath := flag.String("log", "", "where the tunnels are listed")
	flag.Parse()

	certificate, err := tls.LoadX509KeyPair(*cert, *key)
	if err != nil {
		log.Fatal(err)
	}
	file, err := os.OpenFile(*logPath, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		log.Fatal(err)
	}
	p := &proxy{log: file}
	p.user, p.password = readUser(*users)
	fmt.Println("ready", p.serveHTTP("http", nil), p.serveHTTP("https", &certificate), p.serveSOCKS())
	for input := bufio.NewScanner(os.Stdin); input.Scan(); {
	}
}
