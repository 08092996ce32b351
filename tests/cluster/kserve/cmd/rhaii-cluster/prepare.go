// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// lockFile takes the lock, waiting for whoever has it. It is given back when the file is closed or the program ends.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == syscall.EWOULDBLOCK {
		say("waiting for another preparation to end")
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("cannot lock '%s': %w", path, err)
	}
	return f, nil
}

// prepare makes the cluster of a role in the cache, unless it is there, and returns its directory (etcd/ and pki/). It is made
// beside its place and renamed, so that it is there completely or not at all.
func prepare(r role) (string, error) {
	base, err := preparedDir()
	if err != nil {
		return "", err
	}
	place := filepath.Join(base, r.name)
	if _, err := os.Stat(place); err == nil {
		return place, nil
	}
	if err := os.MkdirAll(base, 0o700); err != nil {
		return "", err
	}
	lock, err := lockFile(filepath.Join(base, "."+r.name+".lock"))
	if err != nil {
		return "", err
	}
	defer lock.Close()
	if _, err := os.Stat(place); err == nil {
		return place, nil
	}
	say("preparing the cluster '%s' (about half a minute, once)", r.name)
	begin := time.Now()
	work := place + ".making"
	if err := os.RemoveAll(work); err != nil {
		return "", err
	}
	if err := prepareIn(work, r); err != nil {
		return "", fmt.Errorf("preparing '%s': %w", r.name, err)
	}
	for _, e := range []string{"log", "pid", "audit.log"} {
		os.RemoveAll(filepath.Join(work, e))
	}
	if err := os.Rename(work, place); err != nil {
		return "", err
	}
	say("prepared '%s' in %.1f s", r.name, time.Since(begin).Seconds())
	return place, nil
}

func prepareIn(dir string, r role) error {
	if err := makePKI(filepath.Join(dir, "pki"), r.name); err != nil {
		return err
	}
	cp, err := newControlPlane(dir)
	if err != nil {
		return err
	}
	defer cp.stop()
	if err := cp.start(nil); err != nil {
		return err
	}
	return install(cp, r)
}

func runPrepare(args []string) error {
	if len(args) == 0 {
		for _, r := range roles {
			args = append(args, r.name)
		}
	}
	for _, name := range args {
		r, err := findRole(name)
		if err != nil {
			return err
		}
		place, err := prepare(r)
		if err != nil {
			return err
		}
		fmt.Println(place)
	}
	return nil
}
