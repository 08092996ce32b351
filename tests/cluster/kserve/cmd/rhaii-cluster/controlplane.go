// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// controlPlane is etcd, kube-apiserver and kube-controller-manager on free loopback ports, working in one directory:
// pki/, etcd/, log/, pid/, audit.log and the kubeconfigs.
type controlPlane struct {
	dir                string
	etcd, api, kcm     *process
	etcdPort, peerPort int
	apiPort            int
}

func newControlPlane(dir string) (*controlPlane, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	cp := &controlPlane{dir: dir}
	for _, port := range []*int{&cp.etcdPort, &cp.peerPort, &cp.apiPort} {
		if *port, err = freePort(); err != nil {
			return nil, err
		}
	}
	for _, d := range []string{"log", "pid"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o700); err != nil {
			return nil, err
		}
	}
	return cp, cp.writeFiles()
}

// Metadata of every request, written once the request is answered. Nothing is left out: a test asks who wrote what.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules: [{level: Metadata}]
`

func (cp *controlPlane) writeFiles() error {
	tokens := fmt.Sprintf("%s,%s,1,\"%s\"\n", tokenValue, tokenUser, tokenGroup)
	for name, text := range map[string]string{"tokens.csv": tokens, "audit-policy.yaml": auditPolicy} {
		if err := os.WriteFile(filepath.Join(cp.dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	ca, err := os.ReadFile(filepath.Join(cp.dir, "pki", "ca.crt"))
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(cp.dir, "ca.crt"), ca, 0o644); err != nil {
		return err
	}
	for file, user := range map[string]string{"harness.kubeconfig": "harness", "controller.kubeconfig": "controller", "kcm.kubeconfig": "kcm"} {
		if err := cp.writeKubeconfig(file, user); err != nil {
			return err
		}
	}
	return nil
}

// writeKubeconfig writes FILE with embedded certificates of one of the users in pki/, or with the bearer token when user is empty.
func (cp *controlPlane) writeKubeconfig(file, user string) error {
	b64 := func(name string) (string, error) {
		raw, err := os.ReadFile(filepath.Join(cp.dir, "pki", name))
		return base64.StdEncoding.EncodeToString(raw), err
	}
	ca, err := b64("ca.crt")
	if err != nil {
		return err
	}
	name, credentials := tokenUser, "token: "+tokenValue
	if user != "" {
		cert, err := b64(user + ".crt")
		if err != nil {
			return err
		}
		key, err := b64(user + ".key")
		if err != nil {
			return err
		}
		name, credentials = user, "client-certificate-data: "+cert+"\n    client-key-data: "+key
	}
	text := fmt.Sprintf(`apiVersion: v1
kind: Config
clusters:
- name: %[1]s
  cluster:
    server: https://127.0.0.1:%[2]d
    certificate-authority-data: %[3]s
users:
- name: %[4]s
  user:
    %[5]s
contexts:
- name: %[1]s
  context: {cluster: %[1]s, user: %[4]s}
current-context: %[1]s
`, "rhaii-dr-test", cp.apiPort, ca, name, credentials)
	path := filepath.Join(cp.dir, file)
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func (cp *controlPlane) restConfig() (*rest.Config, error) {
	config, err := clientcmd.BuildConfigFromFlags("", filepath.Join(cp.dir, "harness.kubeconfig"))
	if err != nil {
		return nil, err
	}
	config.QPS = -1
	config.UserAgent, config.WarningHandler = "rhaii-cluster", rest.NoWarnings{}
	return config, nil
}

func (cp *controlPlane) startEtcd() error {
	cp.etcd = etcdProcess(cp.dir, cp.etcdPort, cp.peerPort)
	if err := cp.etcd.start(); err != nil {
		return err
	}
	return cp.awaitEtcd()
}

func (cp *controlPlane) awaitEtcd() error {
	return cp.etcd.await(30*time.Second, func() error { return etcdReady(cp.etcdPort) })
}

func (cp *controlPlane) startAPI() error {
	cp.api = &process{name: "kube-apiserver", dir: cp.dir, argv: []string{
		"kube-apiserver",
		fmt.Sprintf("--etcd-servers=http://127.0.0.1:%d", cp.etcdPort),
		"--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", fmt.Sprintf("--secure-port=%d", cp.apiPort),
		"--endpoint-reconciler-type=none",
		"--tls-cert-file=pki/apiserver.crt", "--tls-private-key-file=pki/apiserver.key", "--client-ca-file=pki/ca.crt",
		"--authorization-mode=RBAC", "--token-auth-file=tokens.csv", "--anonymous-auth=true",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=pki/sa.pub", "--service-account-signing-key-file=pki/sa.key",
		"--service-cluster-ip-range=10.0.0.0/16", "--allow-privileged=true", "--shutdown-delay-duration=0s",
		"--audit-policy-file=audit-policy.yaml", "--audit-log-path=audit.log", "--audit-log-maxsize=4000",
	}}
	if err := cp.api.start(); err != nil {
		return err
	}
	return cp.awaitAPI()
}

func (cp *controlPlane) awaitAPI() error {
	config, err := cp.restConfig()
	if err != nil {
		return err
	}
	config.Timeout = 5 * time.Second
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return err
	}
	return cp.api.await(90*time.Second, func() error {
		resp, err := client.Get(config.Host + "/readyz")
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("/readyz says %s", resp.Status)
		}
		return nil
	})
}

// The controllers that something in the tests needs. Credentials of their own service accounts: with the ones of the manager
// alone, ReplicaSets are silently not made.
var kcmControllers = []string{
	"namespace-controller", "garbage-collector-controller", "deployment-controller", "replicaset-controller",
	"serviceaccount-controller", "root-ca-certificate-publisher-controller", "endpointslice-controller",
	"disruption-controller", "clusterrole-aggregation-controller",
}

func (cp *controlPlane) startKCM() error {
	cp.kcm = &process{name: "kube-controller-manager", dir: cp.dir, argv: []string{
		"kube-controller-manager", "--kubeconfig=kcm.kubeconfig", "--leader-elect=false", "--secure-port=0",
		"--use-service-account-credentials=true", "--service-account-private-key-file=pki/sa.key", "--root-ca-file=pki/ca.crt",
		"--kube-api-qps=200", "--kube-api-burst=400",
		"--controllers=" + strings.Join(kcmControllers, ","),
	}}
	return cp.kcm.start()
}

// start brings everything up. edit, when given, may change the data in etcd before the API server reads it.
func (cp *controlPlane) start(edit func() error) error {
	if err := cp.startEtcd(); err != nil {
		return err
	}
	if edit != nil {
		if err := edit(); err != nil {
			return err
		}
	}
	if err := cp.startAPI(); err != nil {
		return err
	}
	return cp.startKCM()
}

func (cp *controlPlane) stop() {
	for _, p := range []*process{cp.kcm, cp.api, cp.etcd} {
		if p != nil {
			p.stop(syscall.SIGTERM)
		}
	}
}
