// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// controllerProcess is KServe's llmisvc controller. It reads its serving certificate from a fixed place below TMPDIR, and
// listens on all addresses: it has no option for that.
func controllerProcess(dir string, webhookPort int) (*process, error) {
	certs := filepath.Join(dir, "tmp", "k8s-webhook-server", "serving-certs")
	if err := os.MkdirAll(certs, 0o700); err != nil {
		return nil, err
	}
	for from, to := range map[string]string{"webhook.crt": "tls.crt", "webhook.key": "tls.key"} {
		raw, err := os.ReadFile(filepath.Join(dir, "pki", from))
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(certs, to), raw, 0o600); err != nil {
			return nil, err
		}
	}
	return &process{
		name: "llmisvc", dir: dir,
		env: []string{"TMPDIR=" + filepath.Join(dir, "tmp"), "POD_NAMESPACE=" + controllerNamespace},
		argv: []string{
			"llmisvc", "--kubeconfig=controller.kubeconfig", "--metrics-addr=0", "--metrics-secure=false",
			fmt.Sprintf("--webhook-port=%d", webhookPort), "--health-probe-addr=0",
		},
	}, nil
}

// webhookReady tells whether *this* cluster's controller answers at the port: its certificate is checked against the cluster's CA.
func webhookReady(dir string, port int) error {
	ca, err := os.ReadFile(filepath.Join(dir, "ca.crt"))
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	dialer := &tls.Dialer{Config: &tls.Config{RootCAs: pool}}
	conn, err := dialer.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return err
	}
	return conn.Close()
}

func awaitController(p *process, dir string, port int) error {
	return p.await(60*time.Second, func() error { return webhookReady(dir, port) })
}
