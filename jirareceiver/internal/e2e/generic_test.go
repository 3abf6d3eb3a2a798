// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-jira/collector/jirareceiver/internal/signature"
)

// The configurations run a receiver twice: with a file, and with a backend that is not there. At its version of the
// collector, webhook_event ignores its own keys, such as path.
const (
	ourConfig = `
receivers:
  jira: { endpoint: %[1]s, path: /events, signature: { secrets: ["${env:JIRA_WEBHOOK_SECRET}"] } }
  jira/refused: { endpoint: %[2]s, path: /events, signature: { secrets: ["${env:JIRA_WEBHOOK_SECRET}"] } }
exporters:
  file: { path: jira.jsonl }
  otlp_http: { endpoint: "http://%[3]s", sending_queue: { enabled: false }, retry_on_failure: { enabled: false } }
service:
  pipelines:
    logs/1: { receivers: [jira], exporters: [file] }
    logs/2: { receivers: [jira/refused], exporters: [otlp_http] }
  telemetry: { metrics: { level: none } }
`
	genericConfig = `
receivers:
  webhook_event: { endpoint: %[1]s }
  webhook_event/refused: { endpoint: %[2]s }
exporters:
  file: { path: generic.jsonl }
  otlp_http: { endpoint: "http://%[3]s", sending_queue: { enabled: false }, retry_on_failure: { enabled: false } }
service:
  pipelines:
    logs/1: { receivers: [webhook_event], exporters: [file] }
    logs/2: { receivers: [webhook_event/refused], exporters: [otlp_http] }
  telemetry: { metrics: { level: none } }
`
	// genericBuilder builds the older collector that webhook_event 0.156.0 needs.
	genericBuilder = "go.opentelemetry.io/collector/cmd/builder@v0.161.0"
)

// TestGenericReceiver measures the behaviours of both receivers in the table of the README.
func TestGenericReceiver(t *testing.T) {
	manifest := strings.NewReplacer("otelcol-generic", "my-collector", "./build/", "./").
		Replace(string(read(t, root+"/jirareceiver/internal/bench/generic-manifest.yaml")))
	genericProgram := runBuilder(t, t.TempDir(), manifest, "go", "run", genericBuilder)
	jira, jiraRefused, generic, genericRefused := address(t), address(t), address(t), address(t)
	dir := t.TempDir()
	ourCollector := start(t, dir, writeConfig(t, ourConfig, jira, jiraRefused, address(t)))
	t.Setenv(binaryVariable, genericProgram)
	genericCollector := launch(t, dir, writeConfig(t, genericConfig, generic, genericRefused, address(t)))

	body := read(t, root+"/testdata/senders/cloud_issue_updated_private.json")
	signed := signature.Sign([]byte(secret), body)
	answer := func(address string, body []byte, signed string) (status int) {
		assert.Eventually(t, func() bool {
			var err error
			status, err = post("http://"+address+"/events", body, signed)
			return err == nil
		}, waitLimit, 50*time.Millisecond)
		return status
	}
	for _, row := range []struct {
		name              string
		wantJira, generic int
		jira, other       string
		body              []byte
		signed            string
	}{
		{"a wrong signature", http.StatusUnauthorized, http.StatusOK, jira, generic, body, signature.Sign([]byte("another secret"), body)},
		{"no JSON", http.StatusBadRequest, http.StatusOK, jira, generic, []byte("{"), signature.Sign([]byte(secret), []byte("{"))},
		{"an empty body", http.StatusOK, http.StatusBadRequest, jira, generic, nil, signature.Sign([]byte(secret), nil)},
		{"the first attempt", http.StatusOK, http.StatusOK, jira, generic, body, signed},
		{"the same delivery again", http.StatusOK, http.StatusOK, jira, generic, body, signed},
		{"a backend that is down", http.StatusServiceUnavailable, http.StatusInternalServerError, jiraRefused, genericRefused, body, signed},
	} {
		assert.Equal(t, row.wantJira, answer(row.jira, row.body, row.signed), "jira: %s", row.name)
		assert.Equal(t, row.generic, answer(row.other, row.body, row.signed), "webhook_event: %s", row.name)
	}
	ourCollector.terminate(t)
	genericCollector.terminate(t)

	ours, theirs := filepath.Join(dir, "jira.jsonl"), filepath.Join(dir, "generic.jsonl")
	require.Len(t, readRecords(t, ours), 2, "an event without a body, and one that came twice")
	require.Len(t, readRecords(t, theirs), 4, "whatever was posted")
	const person = "Noor Haddad"
	require.Contains(t, string(body), person)
	assert.NotContains(t, string(read(t, ours)), person)
	assert.Contains(t, string(read(t, theirs)), person)
}
