// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// gatewayPlane is the data plane of the gateways: one HTTP server for each port of an HTTP listener, on the cluster's gateway
// address. A request goes the way of Gateway API: the HTTPRoute rule that matches best, its URL rewrite, the InferencePool or
// Service it names, a Ready pod behind that, and the model server of the LLMInferenceService that the pod belongs to.
type gatewayPlane struct {
	world    *world
	address  string
	off      atomic.Bool // nothing listens
	modelOff atomic.Bool // every model answers 503
	mu       sync.Mutex
	servers  map[int64]*http.Server
	failures map[int64]string
}

func newGatewayPlane(w *world, address string) *gatewayPlane {
	return &gatewayPlane{world: w, address: address, servers: map[int64]*http.Server{}, failures: map[int64]string{}}
}

// listen makes the set of servers equal to the set of wanted ports. A port that cannot be had is remembered for the Gateway's status;
// the result tells whether there is none.
func (g *gatewayPlane) listen() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	wanted := map[int64]bool{}
	for _, gateway := range g.world.list(gateways, "") {
		if g.off.Load() || !g.world.ours(gateway) {
			continue
		}
		for _, l := range maps(gateway.Object, "spec", "listeners") {
			if port, ok := l["port"].(int64); ok && l["protocol"] == "HTTP" {
				wanted[port] = true
			}
		}
	}
	for port, server := range g.servers {
		if !wanted[port] {
			server.Close()
			delete(g.servers, port)
		}
	}
	clear(g.failures)
	for port := range wanted {
		if g.servers[port] != nil {
			continue
		}
		socket, err := net.Listen("tcp", net.JoinHostPort(g.address, strconv.FormatInt(port, 10)))
		if err != nil {
			g.failures[port] = err.Error()
			continue
		}
		server := &http.Server{Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { g.serve(port, rw, r) })}
		g.servers[port] = server
		go server.Serve(socket)
	}
	return len(g.failures) == 0
}

func (g *gatewayPlane) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, server := range g.servers {
		server.Close()
	}
	clear(g.servers)
}

// failure tells why the listener does not listen; empty when it does.
func (g *gatewayPlane) failure(listener map[string]any) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	port, _ := listener["port"].(int64)
	return g.failures[port]
}

// match is a rule of a route that fits a request, and how closely: Gateway API prefers an exact path, then the longest prefix,
// then the most headers.
type match struct {
	route         *unstructured.Unstructured
	rule          map[string]any
	exact         bool
	prefix        string
	length, heads int
}

func (m *match) better(than *match) bool {
	switch {
	case than == nil:
		return true
	case m.exact != than.exact:
		return m.exact
	case m.length != than.length:
		return m.length > than.length
	}
	return m.heads > than.heads
}

func (g *gatewayPlane) serve(port int64, rw http.ResponseWriter, r *http.Request) {
	best := g.find(port, r)
	if best == nil {
		http.Error(rw, "no route", http.StatusNotFound)
		return
	}
	for _, ref := range maps(best.rule, "backendRefs") {
		_, labels := g.world.backend(best.route, ref)
		ready := g.world.readyPods(best.route.GetNamespace(), labels)
		if len(ready) == 0 {
			continue
		}
		if g.modelOff.Load() {
			http.Error(rw, "upstream connect error", http.StatusServiceUnavailable)
			return
		}
		r.URL.Path = rewrite(best, r.URL.Path)
		serveModel(g.modelNames(ready[0]), rw, r)
		return
	}
	http.Error(rw, "no healthy upstream", http.StatusServiceUnavailable)
}

// find gives the best match among the routes attached to the port.
func (g *gatewayPlane) find(port int64, r *http.Request) *match {
	var best *match
	for _, route := range g.world.list(httpRoutes, "") {
		if route.GetDeletionTimestamp() != nil || !g.attached(route, port) {
			continue
		}
		for _, rule := range maps(route.Object, "spec", "rules") {
			for _, m := range maps(rule, "matches") {
				if found := fits(m, r); found != nil {
					found.route, found.rule = route, rule
					if found.better(best) {
						best = found
					}
				}
			}
		}
	}
	return best
}

func (g *gatewayPlane) attached(route *unstructured.Unstructured, port int64) bool {
	for _, ref := range maps(route.Object, "spec", "parentRefs") {
		gateway := g.world.parentGateway(route, ref)
		if gateway == nil {
			continue
		}
		taken, _ := g.world.attachedListeners(route, ref, gateway)
		for _, listener := range taken {
			if listener["port"] == port {
				return true
			}
		}
	}
	return false
}

// fits tells how closely a match of a rule fits the request; nil when it does not.
func fits(m map[string]any, r *http.Request) *match {
	path, _ := m["path"].(map[string]any)
	value := str(path, "value", "/")
	found := &match{prefix: value, length: len(value)}
	switch str(path, "type", "PathPrefix") {
	case "Exact":
		found.exact = true
		if r.URL.Path != value {
			return nil
		}
	case "PathPrefix":
		trimmed := strings.TrimSuffix(value, "/")
		if r.URL.Path != trimmed && !strings.HasPrefix(r.URL.Path, trimmed+"/") {
			return nil
		}
	default:
		return nil
	}
	if method := str(m, "method", r.Method); method != r.Method {
		return nil
	}
	for _, h := range maps(m, "headers") {
		if r.Header.Get(str(h, "name", "")) != str(h, "value", "") {
			return nil
		}
		found.heads++
	}
	return found
}

// rewrite applies the rule's URLRewrite filters to the path.
func rewrite(m *match, path string) string {
	for _, filter := range maps(m.rule, "filters") {
		to, _, _ := unstructured.NestedMap(filter, "urlRewrite", "path")
		switch str(to, "type", "") {
		case "ReplaceFullPath":
			path = str(to, "replaceFullPath", "/")
		case "ReplacePrefixMatch":
			rest := strings.TrimPrefix(path, strings.TrimSuffix(m.prefix, "/"))
			path = strings.TrimSuffix(str(to, "replacePrefixMatch", "/"), "/") + "/" + strings.TrimPrefix(rest, "/")
			if rest == "" && len(path) > 1 {
				path = strings.TrimSuffix(path, "/")
			}
		}
	}
	return path
}

// modelNames gives the ids that the model server in the pod serves, the ones that KServe's presets pass to vLLM.
func (g *gatewayPlane) modelNames(pod *unstructured.Unstructured) []string {
	name := pod.GetLabels()["app.kubernetes.io/name"]
	service := g.world.get(llmServices, pod.GetNamespace()+"/"+name)
	if service == nil {
		return []string{"/mnt/models"}
	}
	model, _, _ := unstructured.NestedString(service.Object, "spec", "model", "name")
	if model == "" {
		model = name
	}
	return []string{model, fmt.Sprintf("publishers/%s/models/%s", pod.GetNamespace(), model)}
}
