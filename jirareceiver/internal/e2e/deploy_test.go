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

	"github.com/otel-jira/collector/jirareceiver/internal/signature"
)

// TestSystemdUnit has systemd read the unit, where there is one.
func TestSystemdUnit(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Log("there is no systemd-analyze here")
		return
	}
	unit := strings.ReplaceAll(string(read(t, root+"/examples/deploy/otelcol-jira.service")), "/usr/local/bin/otelcol-jira", binary(t))
	file := filepath.Join(t.TempDir(), "otelcol-jira.service")
	require.NoError(t, os.WriteFile(file, []byte(unit), 0o600))
	output, err := exec.CommandContext(t.Context(), analyze, "verify", file).CombinedOutput()
	require.NoError(t, err, string(output))
	assert.Empty(t, string(output))
}

// TestKubernetesConfig starts the configuration in the manifests, and asks what their probes ask.
func TestKubernetesConfig(t *testing.T) {
	c := start(t, t.TempDir(), configInKubernetes(t), append(withMetrics(address(t)), "--set", "receivers::jira::endpoint="+address(t))...)
	body := read(t, life(t)[0])
	assert.Equal(t, http.StatusOK, c.post(t, body, signature.Sign([]byte(secret), body)))
	response, err := http.Get(strings.TrimSuffix(c.url, "/jira/events") + "/health")
	require.NoError(t, err)
	response.Body.Close()
	assert.Equal(t, http.StatusOK, response.StatusCode)
}
