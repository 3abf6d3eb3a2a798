// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// waitLimit is the longest time to wait for a collector on a busy machine.
const waitLimit = time.Minute

const secret = "a secret for the trial"

// pod runs the configuration of a pod on this machine.
type pod struct {
	jira, health, metrics string // addresses
	config                string
}

// prepare writes the configuration of a rendered chart to a file, with free ports, a folder for its state, a backend and a
// Jira of the test.
func prepare(t *testing.T, config string, servers ...string) *pod {
	t.Helper()
	p := &pod{jira: address(t), health: address(t), metrics: address(t)}
	folder := t.TempDir()
	token := filepath.Join(folder, "token")
	require.NoError(t, os.WriteFile(token, []byte("a token"), 0o600))
	_, port, err := net.SplitHostPort(p.metrics)
	require.NoError(t, err)
	config = strings.NewReplacer(append(servers,
		"0.0.0.0:8087", p.jira, "0.0.0.0:13133", p.health, "0.0.0.0:9464", address(t),
		"host: 0.0.0.0", "host: 127.0.0.1", "port: 8888", "port: "+port,
		"/var/lib/otelcol-jira", folder, "/etc/jira-account/token", token)...).Replace(config)
	require.NotContains(t, config, "0.0.0.0")
	p.config = filepath.Join(folder, "collector.yaml")
	require.NoError(t, os.WriteFile(p.config, []byte(config), 0o600))
	return p
}

// command returns a call of the built collector, whose output is in the log of a test that fails.
func (p *pod) command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	binary := os.Getenv("OTELCOL_JIRA")
	require.NotEmpty(t, binary, "OTELCOL_JIRA is not set: run `make test-kubernetes`, which builds the collector")
	command := exec.CommandContext(t.Context(), binary, append(args, "--config", p.config)...)
	command.Env = append(os.Environ(), "JIRA_WEBHOOK_SECRET="+secret)
	output := &bytes.Buffer{}
	command.Stdout, command.Stderr = output, output
	t.Cleanup(func() { // after the cleanup of start, which waits for the end of the process
		if t.Failed() {
			t.Log(output.String())
		}
	})
	return command
}

// start runs the collector until the end of the test, and waits until the probes succeed.
func (p *pod) start(t *testing.T, probes ...string) {
	t.Helper()
	command, exited := p.command(t), make(chan struct{})
	require.NoError(t, command.Start())
	go func() {
		_ = command.Wait()
		close(exited)
	}()
	t.Cleanup(func() {
		_ = command.Process.Kill()
		<-exited
	})
	for _, probe := range probes {
		await(t, probe, exited)
	}
}

// await requests a probe until it succeeds. It fails as soon as the collector has exited.
func await(t *testing.T, probe string, exited <-chan struct{}) {
	t.Helper()
	limit := time.After(waitLimit)
	for {
		response, err := http.Get(probe)
		if err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-exited:
			require.FailNow(t, "the collector has exited", probe)
		case <-limit:
			require.FailNow(t, "the probe does not succeed", "%s: %v", probe, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (p *pod) post(t *testing.T, body []byte, signature string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+p.jira+"/jira/events", bytes.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("X-Hub-Signature", signature)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	response.Body.Close()
	return response.StatusCode
}

func address(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	return listener.Addr().String()
}

// TestDeliveries starts the collector with the configuration of the chart, and posts a delivery to it.
func TestDeliveries(t *testing.T) {
	body, err := os.ReadFile("../../testdata/life/1_created.json")
	require.NoError(t, err)
	hash := hmac.New(sha256.New, []byte(secret))
	hash.Write(body)
	for _, file := range []string{"webhooks-values.yaml", "replicas-values.yaml", "flow-values.yaml"} {
		t.Run(file, func(t *testing.T) {
			exported := make(chan string, 10)
			backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				exported <- r.URL.Path
				w.Header().Set("Content-Type", "application/x-protobuf")
			}))
			t.Cleanup(backend.Close)
			m := decode(t, install(t, file).documents)
			p := prepare(t, m.config.Data["collector.yaml"], "http://backend.observability.svc:4318", backend.URL)
			p.start(t, "http://"+p.health, "http://"+p.jira+"/health", "http://"+p.metrics+"/metrics")
			assert.Equal(t, http.StatusUnauthorized, p.post(t, body, "sha256="+strings.Repeat("0", 64)))
			assert.Equal(t, http.StatusOK, p.post(t, body, "sha256="+hex.EncodeToString(hash.Sum(nil))))
			select {
			case path := <-exported:
				assert.Equal(t, "/v1/logs", path)
			case <-time.After(waitLimit):
				require.Fail(t, "the backend receives nothing")
			}
		})
	}
}

// TestPolling starts the collector with the configuration of the chart that polls.
func TestPolling(t *testing.T) {
	requests := make(chan string, 100)
	jira := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		select {
		case requests <- user + " " + password:
		default:
		}
		http.Error(w, "later", http.StatusServiceUnavailable)
	}))
	t.Cleanup(jira.Close)
	m := decode(t, install(t, "polling-values.yaml").documents)
	p := prepare(t, m.config.Data["collector.yaml"], "https://acme.atlassian.net", jira.URL)
	p.start(t, "http://"+p.health)
	select {
	case credentials := <-requests:
		assert.Equal(t, "ada@example.com a token", credentials)
	case <-time.After(waitLimit):
		require.Fail(t, "the collector does not poll")
	}
}

// TestValidate validates the configuration of each file of values with the built collector.
func TestValidate(t *testing.T) {
	for _, file := range valuesFiles(t) {
		m := decode(t, install(t, file).documents)
		p := prepare(t, m.config.Data["collector.yaml"])
		assert.NoError(t, p.command(t, "validate").Run(), file)
	}
}
