// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"
)

// role is one of the clusters that tests know. Every role has an etcd of its own, so the uid of kube-system, which is the
// identity of a cluster, differs. Gateways of the roles answer on addresses of their own: the very same Gateway object, with the
// same port, works on source and target side by side.
type role struct {
	name, help string
	gateway    string // address that the gateways of this cluster listen on
	plain      bool   // CRDs without conversion, no webhooks, no KServe controller, nobody writes status: for benchmarks
}

var roles = []role{
	{name: "source", gateway: "127.0.0.1", help: "everything that the guide installs; the cluster that is lost"},
	{name: "target", gateway: "127.0.0.2", help: "the same on a fresh cluster; the one that is restored to"},
	{name: "plain-source", gateway: "127.0.0.1", plain: true, help: "the same CRDs with conversion None, no webhooks, no KServe controller"},
	{name: "plain-target", gateway: "127.0.0.2", plain: true, help: "its counterpart"},
}

func findRole(name string) (role, error) {
	var names []string
	for _, r := range roles {
		if r.name == name {
			return r, nil
		}
		names = append(names, r.name)
	}
	return role{}, fmt.Errorf("no role '%s'; there are %s", name, strings.Join(names, ", "))
}
