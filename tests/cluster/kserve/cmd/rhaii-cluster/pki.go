// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// The users of a cluster. Each part has a name of its own, so that the audit log tells who did what; the harness is "rhaii-cluster".
const (
	adminUser      = "admin"
	harnessUser    = "rhaii-cluster"
	controllerUser = "kserve-controller"
	kcmUser        = "system:kube-controller-manager"
	mastersGroup   = "system:masters"
)

// A user without any right, known by a bearer token (token.kubeconfig). Tests bind roles to it, or to its group.
const (
	tokenUser  = "dr-operator"
	tokenGroup = "dr-operators"
	tokenValue = "dr-operator-token-for-tests-only"
)

type authority struct {
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func writePEM(path, kind string, der []byte, mode os.FileMode) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), mode)
}

func newKey(path string) (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, writePEM(path, "EC PRIVATE KEY", der, 0o600)
}

func newAuthority(dir, name string) (*authority, error) {
	key, err := newKey(filepath.Join(dir, "ca.key"))
	if err != nil {
		return nil, err
	}
	template := certTemplate(name)
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &authority{dir, cert, key}, writePEM(filepath.Join(dir, "ca.crt"), "CERTIFICATE", der, 0o644)
}

func certTemplate(name string, groups ...string) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name, Organization: groups},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.AddDate(10, 0, 0),
	}
}

// issue writes FILE.crt and FILE.key for the name, which is a user (with groups) or a server (with hosts).
func (a *authority) issue(file string, template *x509.Certificate, hosts ...string) error {
	key, err := newKey(filepath.Join(a.dir, file+".key"))
	if err != nil {
		return err
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, h)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		return err
	}
	return writePEM(filepath.Join(a.dir, file+".crt"), "CERTIFICATE", der, 0o644)
}

// makePKI writes the keys and certificates of a cluster into dir.
func makePKI(dir, clusterName string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	ca, err := newAuthority(dir, "rhaii-dr-test-"+clusterName)
	if err != nil {
		return err
	}
	for _, c := range []struct {
		file     string
		template *x509.Certificate
		hosts    []string
	}{
		{"apiserver", certTemplate("kube-apiserver"), []string{"127.0.0.1", "10.0.0.1", "localhost", "kubernetes.default.svc"}},
		{"webhook", certTemplate("llmisvc-webhook-server-service"), []string{"127.0.0.1"}},
		{"admin", certTemplate(adminUser, mastersGroup), nil},
		{"harness", certTemplate(harnessUser, mastersGroup), nil},
		{"controller", certTemplate(controllerUser, mastersGroup), nil},
		{"kcm", certTemplate(kcmUser), nil},
	} {
		if err := ca.issue(c.file, c.template, c.hosts...); err != nil {
			return err
		}
	}
	serviceAccounts, err := newKey(filepath.Join(dir, "sa.key"))
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKIXPublicKey(serviceAccounts.Public())
	if err != nil {
		return err
	}
	return writePEM(filepath.Join(dir, "sa.pub"), "PUBLIC KEY", der, 0o644)
}
