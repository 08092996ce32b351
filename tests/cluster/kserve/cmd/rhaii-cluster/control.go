// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// obeyInput reads orders, one a line, from standard input, and answers each with a line on standard output: "ok ORDER" once it is
// carried out, or "error ORDER: why". The end of the input ends the cluster.
//
//	stop NAME | kill NAME       end a program by SIGTERM or SIGKILL: llmisvc, kube-controller-manager, kube-apiserver, etcd
//	start NAME                  start it again, on the same port, and wait until it is ready
//	pause NAME | resume NAME    SIGSTOP and SIGCONT: a server that hangs
//	gateway off | on            the gateways stop listening; the status of their objects stays as it is
//	model off | on              the model servers answer 503
//	pods off | on               new pods stay Pending; "on" makes them Ready
//
// /dev/null as input (a background job of a script) has no end that means anything, and is not read.
func (c *cluster) obeyInput(end chan<- struct{}) {
	if in, err := os.Stdin.Stat(); err == nil {
		if null, err := os.Stat(os.DevNull); err == nil && os.SameFile(in, null) {
			return
		}
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		order := strings.TrimSpace(lines.Text())
		if order == "" {
			continue
		}
		if err := c.obey(strings.Fields(order)); err != nil {
			fmt.Printf("error %s: %s\n", order, strings.ReplaceAll(err.Error(), "\n", " "))
		} else {
			fmt.Printf("ok %s\n", order)
		}
	}
	close(end)
}

func (c *cluster) obey(words []string) error {
	if len(words) != 2 {
		return fmt.Errorf("an order has two words")
	}
	verb, what := words[0], words[1]
	switch verb {
	case "gateway", "model", "pods":
		if c.world == nil {
			return fmt.Errorf("this cluster has no gateway, models and kubelet")
		}
		if what != "on" && what != "off" {
			return fmt.Errorf("it is on or off")
		}
		return c.world.turn(verb, what == "on")
	}
	for _, p := range c.processes() {
		if p.name != what {
			continue
		}
		switch verb {
		case "stop":
			p.stop(syscall.SIGTERM)
			return nil
		case "kill":
			p.stop(syscall.SIGKILL)
			return nil
		case "pause":
			return p.signal(syscall.SIGSTOP)
		case "resume":
			return p.signal(syscall.SIGCONT)
		case "start":
			return c.restart(p)
		}
		return fmt.Errorf("no order '%s'", verb)
	}
	return fmt.Errorf("no program '%s' in this cluster", what)
}

func (c *cluster) restart(p *process) error {
	if p.running() {
		return fmt.Errorf("%s is running", p.name)
	}
	if err := p.start(); err != nil {
		return err
	}
	var err error
	switch p {
	case c.plane.etcd:
		err = c.plane.awaitEtcd()
	case c.plane.api:
		err = c.plane.awaitAPI()
	case c.llmisvc:
		err = awaitController(p, c.dir, c.webhookPort)
	}
	if err == nil {
		p.watch(c.died)
	}
	return err
}
