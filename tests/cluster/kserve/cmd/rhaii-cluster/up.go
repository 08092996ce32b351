// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// cluster is a running one: the control plane, the KServe controller, and the parts that this program plays.
type cluster struct {
	role        role
	dir         string
	plane       *controlPlane
	llmisvc     *process // nil on plain roles and with --no-controller
	webhookPort int
	world       *world // nil on plain roles
	died        chan *process
}

type upOptions struct {
	role, dir, gatewayAddress       string
	noController, noGateway, remove bool
}

func parseUp(args []string) (*upOptions, error) {
	o := &upOptions{}
	flags := flag.NewFlagSet("up", flag.ContinueOnError)
	flags.StringVar(&o.role, "role", "", "which prepared cluster to start from")
	flags.StringVar(&o.dir, "dir", "", "working directory; a cluster found there is continued")
	flags.StringVar(&o.gatewayAddress, "gateway-address", "", "loopback address of the gateways (default: the one of the role)")
	flags.BoolVar(&o.noController, "no-controller", false, "without the KServe controller: its webhooks fail, as on a cluster with a broken operator")
	flags.BoolVar(&o.noGateway, "no-gateway", false, "without a Gateway controller: no status of gateways, routes and pools, nothing listens")
	flags.BoolVar(&o.remove, "rm", false, "remove the etcd data at the end")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if o.role == "" || o.dir == "" || flags.NArg() > 0 {
		return nil, errors.New("up needs --role ROLE and --dir DIR")
	}
	return o, nil
}

func runUp(args []string) error {
	// Die with the parent, however it dies. The signal hangs on the thread that asked for it, so this thread must stay.
	runtime.LockOSThread()
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGTERM), 0, 0, 0); err != nil {
		return err
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	signal.Ignore(syscall.SIGPIPE)

	o, err := parseUp(args)
	if err != nil {
		return err
	}
	begin := time.Now()
	var c *cluster
	started := make(chan error, 1)
	go func() { started <- bringUp(o, &c) }()
	select {
	case err = <-started:
		if c != nil {
			defer c.stop(o.remove)
		}
		if err != nil {
			return err
		}
	case <-stop:
		return nil // the kernel ends what was started
	}
	say("%s is up after %.1f s", c.role.name, time.Since(begin).Seconds())
	fmt.Printf("ready %s\n", filepath.Join(c.dir, "kubeconfig"))

	input := make(chan struct{})
	go c.obeyInput(input)
	select {
	case <-stop:
	case <-input:
	case p := <-c.died:
		return p.failure("died")
	}
	return nil
}

func bringUp(o *upOptions, c **cluster) error {
	var err error
	if *c, err = newCluster(o); err != nil {
		return err
	}
	return (*c).start(o)
}

// newCluster lays out the directory. Only one harness works in a directory; the lock goes with the process.
func newCluster(o *upOptions) (*cluster, error) {
	r, err := findRole(o.role)
	if err != nil {
		return nil, err
	}
	if o.gatewayAddress != "" {
		r.gateway = o.gatewayAddress
	}
	dir, err := filepath.Abs(o.dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(filepath.Join(dir, ".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, fmt.Errorf("a cluster is running in '%s'", dir)
	}
	keepOpen = append(keepOpen, lock)
	if err := fillDir(dir, r); err != nil {
		return nil, err
	}
	plane, err := newControlPlane(dir)
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	return &cluster{role: r, dir: dir, plane: plane, webhookPort: port, died: make(chan *process, 8)}, nil
}

// keepOpen keeps the lock from the garbage collector, which would close the file.
var keepOpen []*os.File

// fillDir copies the prepared cluster into dir, unless dir has one already: then that one goes on, with its objects.
func fillDir(dir string, r role) error {
	mark := filepath.Join(dir, "role")
	if was, err := os.ReadFile(mark); err == nil {
		if strings.TrimSpace(string(was)) != r.name {
			return fmt.Errorf("'%s' has a cluster of the role '%s'", dir, strings.TrimSpace(string(was)))
		}
		if _, err := os.Stat(filepath.Join(dir, "etcd")); err == nil {
			return nil
		}
	}
	prepared, err := prepare(r)
	if err != nil {
		return err
	}
	os.Remove(filepath.Join(dir, "kubeconfig"))
	for _, part := range []string{"etcd", "pki"} {
		if err := os.RemoveAll(filepath.Join(dir, part)); err != nil {
			return err
		}
		if err := copyTree(filepath.Join(prepared, part), filepath.Join(dir, part)); err != nil {
			return err
		}
	}
	return os.WriteFile(mark, []byte(r.name+"\n"), 0o600)
}

func copyTree(from, to string) error {
	return filepath.Walk(from, func(path string, info os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		if info.IsDir() {
			return os.MkdirAll(target, info.Mode().Perm())
		}
		in, err := os.Open(path)
		if err != nil {
			return err
		}
		defer in.Close()
		out, err := os.OpenFile(target, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, info.Mode().Perm())
		if err != nil {
			return err
		}
		if _, err := io.Copy(out, in); err != nil {
			out.Close()
			return err
		}
		return out.Close()
	})
}

func (c *cluster) start(o *upOptions) error {
	var edit func() error
	if !c.role.plain {
		edit = func() error { return rewriteWebhookURL(c.plane.etcdPort, c.webhookPort) }
	}
	if err := c.plane.start(edit); err != nil {
		return err
	}
	if !c.role.plain && !o.noController {
		p, err := controllerProcess(c.dir, c.webhookPort)
		if err != nil {
			return err
		}
		c.llmisvc = p
		if err := p.start(); err != nil {
			return err
		}
	}
	if !c.role.plain {
		config, err := c.plane.restConfig()
		if err != nil {
			return err
		}
		if c.world, err = startWorld(config, c.role.gateway, !o.noGateway); err != nil {
			return err
		}
	}
	if c.llmisvc != nil {
		if err := awaitController(c.llmisvc, c.dir, c.webhookPort); err != nil {
			return err
		}
	}
	for _, p := range c.processes() {
		p.watch(c.died)
	}
	if err := c.plane.writeKubeconfig("token.kubeconfig", ""); err != nil {
		return err
	}
	return c.plane.writeKubeconfig("kubeconfig", "admin")
}

// processes are those that run as programs of their own, in the order in which they are stopped.
func (c *cluster) processes() []*process {
	var found []*process
	for _, p := range []*process{c.llmisvc, c.plane.kcm, c.plane.api, c.plane.etcd} {
		if p != nil {
			found = append(found, p)
		}
	}
	return found
}

// stop ends everything: the API server's clients and itself together, then etcd.
func (c *cluster) stop(remove bool) {
	if c.world != nil {
		c.world.stop()
	}
	var wait sync.WaitGroup
	for _, p := range []*process{c.llmisvc, c.plane.kcm, c.plane.api} {
		if p != nil {
			wait.Go(func() { p.stop(syscall.SIGTERM) })
		}
	}
	wait.Wait()
	if c.plane.etcd != nil {
		c.plane.etcd.stop(syscall.SIGTERM)
	}
	if remove {
		os.RemoveAll(filepath.Join(c.dir, "etcd"))
	}
}
