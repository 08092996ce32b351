// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// process is a child program: a part of the cluster. It is killed by the kernel when the harness dies, whatever the harness dies of.
type process struct {
	name   string
	dir    string // of the cluster: log/NAME.log, pid/NAME
	argv   []string
	env    []string
	cmd    *exec.Cmd
	exited chan struct{} // closed when the program has ended and was waited for
	wanted atomic.Bool   // the end of the program is what we asked for
}

// spawns runs every fork on one OS thread that lives as long as the harness. The kernel sends the parent-death signal when the
// *thread* that forked ends, and Go ends idle threads as it likes.
var spawns = func() chan func() {
	ch := make(chan func())
	go func() {
		runtime.LockOSThread()
		for f := range ch {
			f()
		}
	}()
	return ch
}()

func (p *process) logPath() string { return filepath.Join(p.dir, "log", p.name+".log") }
func (p *process) pidPath() string { return filepath.Join(p.dir, "pid", p.name) }

func (p *process) start() error {
	log, err := os.OpenFile(p.logPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	path, err := program(p.argv[0])
	if err != nil {
		return err
	}
	cmd := exec.Command(path, p.argv[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = p.dir, log, log
	cmd.Env = append(os.Environ(), p.env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	result := make(chan error)
	spawns <- func() { result <- cmd.Start() }
	if err := <-result; err != nil {
		return fmt.Errorf("cannot start %s: %w", p.name, err)
	}
	p.cmd, p.exited = cmd, make(chan struct{})
	p.wanted.Store(false)
	if err := os.WriteFile(p.pidPath(), []byte(strconv.Itoa(cmd.Process.Pid)+"\n"), 0o600); err != nil {
		return err
	}
	go func(exited chan struct{}) {
		cmd.Wait()
		close(exited)
	}(p.exited)
	return nil
}

// watch reports the process on died when it ends without having been asked to.
func (p *process) watch(died chan<- *process) {
	go func(exited <-chan struct{}) {
		<-exited
		if !p.wanted.Load() {
			died <- p
		}
	}(p.exited)
}

func (p *process) running() bool {
	if p.cmd == nil {
		return false
	}
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

func (p *process) signal(sig syscall.Signal) error {
	if !p.running() {
		return fmt.Errorf("%s is not running", p.name)
	}
	return p.cmd.Process.Signal(sig)
}

// stop asks the program to end, and kills it when it has not after five seconds.
func (p *process) stop(sig syscall.Signal) {
	if !p.running() {
		return
	}
	p.wanted.Store(true)
	p.cmd.Process.Signal(syscall.SIGCONT)
	p.cmd.Process.Signal(sig)
	select {
	case <-p.exited:
	case <-time.After(5 * time.Second):
		p.cmd.Process.Kill()
		<-p.exited
	}
	os.Remove(p.pidPath())
}

// failure describes why the program ended or never became ready, with the end of its log.
func (p *process) failure(what string) error {
	raw, _ := os.ReadFile(p.logPath())
	text := strings.TrimSpace(string(raw))
	lines := strings.Split(text, "\n")
	if len(lines) > 15 {
		lines = lines[len(lines)-15:]
	}
	for i, line := range lines {
		if len(line) > 400 {
			lines[i] = line[:400] + "..."
		}
	}
	hint := ""
	if strings.Contains(text, "address already in use") {
		hint = "\nhint: another program took its port in the meantime; run it again"
	}
	return fmt.Errorf("%s %s; the end of '%s':\n  %s%s", p.name, what, p.logPath(), strings.Join(lines, "\n  "), hint)
}

// await asks until ready says yes. It fails when the program ends, or when limit is over.
func (p *process) await(limit time.Duration, ready func() error) error {
	deadline := time.Now().Add(limit)
	for {
		err := ready()
		if err == nil {
			return nil
		}
		if !p.running() {
			return p.failure("ended early")
		}
		if time.Now().After(deadline) {
			return p.failure(fmt.Sprintf("was not ready after %s (%v)", limit, err))
		}
		time.Sleep(50 * time.Millisecond)
	}
}
