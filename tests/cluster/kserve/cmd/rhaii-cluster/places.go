// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// The wrapper script tests/cluster/rhaii-cluster says where things are.
const (
	envBin    = "RHAII_CLUSTER_BIN"    // directory of the programs that build.sh made
	envSource = "RHAII_CLUSTER_SOURCE" // tests/cluster of the checkout
)

func fromEnv(name string) (string, error) {
	if v := os.Getenv(name); v != "" {
		return v, nil
	}
	return "", fmt.Errorf("%s is not set\nhint: start this program by tests/cluster/rhaii-cluster", name)
}

// program gives the path of a program made by build.sh.
func program(name string) (string, error) {
	bin, err := fromEnv(envBin)
	if err != nil {
		return "", err
	}
	return filepath.Join(bin, name), nil
}

// preparing holds the sources that decide what a prepared cluster is. Changing another part of the harness keeps the prepared ones.
//
//go:embed client.go controlplane.go crds.go etcd.go install.go pki.go prepare.go role.go
var preparing embed.FS

// preparedDir gives the place of the prepared clusters of these programs (their directory is named after go.mod and go.sum) and
// of these sources.
func preparedDir() (string, error) {
	bin, err := fromEnv(envBin)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	fmt.Fprintln(sum, filepath.Base(bin))
	sources, err := preparing.ReadDir(".")
	if err != nil {
		return "", err
	}
	for _, s := range sources {
		raw, err := preparing.ReadFile(s.Name())
		if err != nil {
			return "", err
		}
		sum.Write(raw)
	}
	return filepath.Join(filepath.Dir(bin), "prepared-"+hex.EncodeToString(sum.Sum(nil)[:6])), nil
}

// moduleDir gives the directory of a Go module of the kserve graph, downloading it when needed.
func moduleDir(module string) (string, error) {
	source, err := fromEnv(envSource)
	if err != nil {
		return "", err
	}
	list := func() (string, error) {
		cmd := exec.Command("go", "list", "-mod=readonly", "-m", "-f", "{{.Dir}}", module)
		cmd.Dir = filepath.Join(source, "kserve")
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		return strings.TrimSpace(string(out)), err
	}
	dir, err := list()
	if err != nil || dir != "" {
		return dir, err
	}
	say("downloading module %s", module)
	get := exec.Command("go", "mod", "download", module)
	get.Dir, get.Stdout, get.Stderr = filepath.Join(source, "kserve"), os.Stderr, os.Stderr
	if err := get.Run(); err != nil {
		return "", fmt.Errorf("module '%s': %w", module, err)
	}
	return list()
}
