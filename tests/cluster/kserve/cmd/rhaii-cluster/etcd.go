// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
)

func etcdProcess(dir string, client, peer int) *process {
	clientURL, peerURL := fmt.Sprintf("http://127.0.0.1:%d", client), fmt.Sprintf("http://127.0.0.1:%d", peer)
	return &process{name: "etcd", dir: dir, argv: []string{
		"etcd", "--name", "n", "--data-dir", "etcd", "--unsafe-no-fsync", "--log-level", "warn",
		"--listen-client-urls", clientURL, "--advertise-client-urls", clientURL,
		"--listen-peer-urls", peerURL, "--initial-advertise-peer-urls", peerURL, "--initial-cluster", "n=" + peerURL,
	}}
}

type etcdKV struct {
	Key   []byte `json:"key"`
	Value []byte `json:"value"`
}

// etcdCall speaks etcd's JSON gateway; []byte travels as base64 on both sides.
func etcdCall(port int, path string, ask map[string]string, answer any) error {
	body, err := json.Marshal(ask)
	if err != nil {
		return err
	}
	resp, err := http.Post(fmt.Sprintf("http://127.0.0.1:%d%s", port, path), "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("etcd answered %s: %s", resp.Status, raw)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(raw, answer)
}

func etcdReady(port int) error {
	return etcdCall(port, "/v3/maintenance/status", map[string]string{}, nil)
}

var webhookURL = regexp.MustCompile(`https://127\.0\.0\.1:\d{5}/`)

// preparedWebhookURL is what a prepared cluster has in its CRDs and webhook configurations in place of the address of the KServe
// controller. The port is a placeholder.
const preparedWebhookURL = "https://127.0.0.1:65535/"

// rewriteWebhookURL puts the real port of the KServe controller into a stopped cluster's etcd, before the API server starts.
// Through the API the two CRD updates would cost ten seconds of schema building. CRDs are stored as JSON and webhook
// configurations as protobuf, where a string has its length in front: so the text is replaced by one of the same length.
func rewriteWebhookURL(etcdPort, webhookPort int) error {
	url := fmt.Sprintf("https://127.0.0.1:%d/", webhookPort)
	if len(url) != len(preparedWebhookURL) {
		return fmt.Errorf("port %d does not have five digits", webhookPort)
	}
	b64 := base64.StdEncoding.EncodeToString
	changed := 0
	for _, prefix := range []string{
		"/registry/apiextensions.k8s.io/customresourcedefinitions/",
		"/registry/mutatingwebhookconfigurations/",
		"/registry/validatingwebhookconfigurations/",
	} {
		end := []byte(prefix)
		end[len(end)-1]++
		var found struct {
			Kvs []etcdKV `json:"kvs"`
		}
		if err := etcdCall(etcdPort, "/v3/kv/range", map[string]string{"key": b64([]byte(prefix)), "range_end": b64(end)}, &found); err != nil {
			return err
		}
		for _, kv := range found.Kvs {
			value := webhookURL.ReplaceAll(kv.Value, []byte(url))
			if bytes.Equal(value, kv.Value) {
				continue
			}
			if err := etcdCall(etcdPort, "/v3/kv/put", map[string]string{"key": b64(kv.Key), "value": b64(value)}, nil); err != nil {
				return err
			}
			changed++
		}
	}
	if changed == 0 {
		return fmt.Errorf("no webhook address found in the prepared cluster")
	}
	return nil
}
