// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/otel-jira/collector/jirareceiver/internal/signature"
)

// TestSystemdUnit verifies the unit with systemd, if systemd is installed.
func TestSystemdUnit(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Log("systemd-analyze is not installed")
		return
	}
	unit := strings.ReplaceAll(string(read(t, root+"/examples/deploy/otelcol-jira.service")), "/usr/bin/otelcol-jira", binary(t))
	file := filepath.Join(t.TempDir(), "otelcol-jira.service")
	require.NoError(t, os.WriteFile(file, []byte(unit), 0o600))
	output, err := exec.CommandContext(t.Context(), analyze, "verify", file).CombinedOutput()
	require.NoError(t, err, string(output))
	assert.NotContains(t, string(output), "otelcol-jira.service", "the output may report other units of the machine")
}

// TestPackagedConfig starts the configuration of the packages and of the image without a backend, and posts a delivery.
// The event waits in the queue.
func TestPackagedConfig(t *testing.T) {
	config := strings.ReplaceAll(string(read(t, root+"/examples/deploy/collector.yaml")), "/var/lib/otelcol-jira", t.TempDir())
	metrics := address(t)
	args := append(withMetrics(metrics), "--set", "receivers::jira::endpoint="+address(t), "--set", "exporters::otlp_http::endpoint=http://"+address(t))
	c := start(t, t.TempDir(), writeConfig(t, "%s", config), args...)
	body := read(t, life(t)[0])
	assert.Equal(t, http.StatusOK, c.post(t, body, signature.Sign([]byte(secret), body)))
	assert.Equal(t, http.StatusUnauthorized, c.post(t, body, ""))
	assert.Positive(t, metric(t, metrics, "otelcol_exporter_queue_size"))
}

// TestKubernetesConfig starts the configuration in the manifests, and sends the requests of the probes and of the
// documentation.
func TestKubernetesConfig(t *testing.T) {
	config, metrics, health := configInKubernetes(t)
	c := start(t, t.TempDir(), config, "--set", "receivers::jira::endpoint="+address(t))
	body := read(t, life(t)[0])
	assert.Equal(t, http.StatusOK, c.post(t, body, signature.Sign([]byte(secret), body)))
	assert.Equal(t, http.StatusUnauthorized, c.post(t, body, ""))
	for _, probe := range []string{strings.TrimSuffix(c.url, "/jira/events") + "/health", "http://" + health} {
		response, err := http.Get(probe)
		require.NoError(t, err)
		response.Body.Close()
		assert.Equal(t, http.StatusOK, response.StatusCode)
	}
	assert.InDelta(t, 1, metric(t, metrics, "otelcol_receiver_jira_deliveries"), 0)
	assert.InDelta(t, 1, metric(t, metrics, "otelcol_receiver_jira_rejected_deliveries", `reason="missing_signature"`), 0)
	assert.Positive(t, metric(t, metrics, "otelcol_exporter_queue_capacity"))
}

// configInKubernetes returns the configuration in the manifests, with a folder that exists and with free ports.
func configInKubernetes(t *testing.T) (file, metrics, health string) {
	t.Helper()
	var manifest struct{ Data map[string]string }
	require.NoError(t, yaml.Unmarshal(read(t, root+"/examples/deploy/kubernetes.yaml"), &manifest)) // the first document
	config := manifest.Data["collector.yaml"]
	require.NotEmpty(t, config)
	metrics, health = address(t), address(t)
	port := metrics[strings.LastIndexByte(metrics, ':')+1:]
	config = strings.NewReplacer("/var/lib/otelcol-jira", t.TempDir(), "port: 8888", "port: "+port, "0.0.0.0:13133", health).Replace(config)
	return writeConfig(t, "%s", config), metrics, health
}
