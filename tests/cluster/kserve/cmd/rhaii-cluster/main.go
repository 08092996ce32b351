// SPDX-License-Identifier: Apache-2.0

// Command rhaii-cluster runs a Kubernetes control plane with the real KServe llmisvc controller on loopback, for the tests of rhaii-dr.
//
// What is real: etcd, kube-apiserver, kube-controller-manager (garbage collector, deployments, namespaces...), the KServe
// controller with its defaulting, validating and conversion webhooks, the CRDs. What is played by this program: the Gateway
// controller and its data plane (status.go, gateway.go), the kubelet (kubelet.go), the model servers (model.go).
//
// A prepared cluster (prepare.go) is an etcd directory and a PKI in the cache; a running one (up.go) works on a copy of it.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

type command struct {
	name, args, help string
	run              func(args []string) error
}

var commands = []command{
	{"prepare", "[ROLE...]", "make the prepared clusters of these roles (default: all) in the cache", runPrepare},
	{"up", "--role ROLE --dir DIR", "run a cluster in DIR until told to stop", runUp},
	{"load", "--kubeconfig FILE", "create the input of the tests on a running cluster and wait until it is Ready", runLoad},
	{"samples", "--kubeconfig FILE", "create the samples of the modules; a line of JSON each says what became of it", runSamples},
	{"random", "--kubeconfig FILE", "fill a cluster with random objects; a line of JSON each, which --from FILE creates elsewhere", runRandom},
	{"free-port", "", "print a free loopback TCP port", runFreePort},
}

func usage(w io.Writer) {
	fmt.Fprintln(w, "usage: rhaii-cluster COMMAND [OPTIONS]")
	for _, c := range commands {
		fmt.Fprintf(w, "  %-9s %-24s %s\n", c.name, c.args, c.help)
	}
	fmt.Fprintln(w, "roles:")
	for _, r := range roles {
		fmt.Fprintf(w, "  %-13s %s\n", r.name, r.help)
	}
}

func main() {
	if len(os.Args) < 2 {
		usage(os.Stderr)
		os.Exit(2)
	}
	if os.Args[1] == "help" || os.Args[1] == "--help" {
		usage(os.Stdout)
		return
	}
	for _, c := range commands {
		if c.name != os.Args[1] {
			continue
		}
		err := c.run(os.Args[2:])
		if errors.Is(err, flag.ErrHelp) {
			return
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "rhaii-cluster: %v\n", err)
			os.Exit(1)
		}
		return
	}
	fmt.Fprintf(os.Stderr, "rhaii-cluster: no command '%s'\n", os.Args[1])
	usage(os.Stderr)
	os.Exit(2)
}

func runFreePort([]string) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	fmt.Println(port)
	return nil
}

// say tells the person who waits what is going on.
func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "cluster: "+format+"\n", args...)
}
