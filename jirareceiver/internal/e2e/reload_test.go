// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"net/http"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-jira/collector/jirareceiver/internal/jirasim"
	"github.com/otel-jira/collector/jirareceiver/internal/signature"
)

// secretChanged follows the instructions of docs/durability.md for a new secret, under load.
func secretChanged(t *testing.T) row {
	t.Helper()
	const older, newer = "the older secret", "the newer secret"
	b := startBackend(t, willing)
	endpoint := address(t)
	config := writeConfig(t, "")
	write := func(secrets string) {
		content := writeConfig(t, rotated, endpoint, secrets, b.url())
		require.NoError(t, os.Rename(content, config))
	}
	write(older)
	c := start(t, t.TempDir(), config)
	jira, wire := connect(t, c, normalCompression)
	jira.SetSecret([]byte(older))
	script, n := jirasim.NewScript(site), form(400, 10_000)

	results := inBackground(t, jira, script.Deliveries(0, n))
	wire.await(t, &wire.answers, n/4)
	write(older + ", " + newer)
	c.reload(t)
	wire.await(t, &wire.answers, n/2)
	jira.SetSecret([]byte(newer))
	all := results() // Jira no longer repeats deliveries that it signed with the older secret

	results = inBackground(t, jira, script.Deliveries(n, 2*n))
	wire.await(t, &wire.answers, n+n/4)
	write(newer)
	c.reload(t)
	all = append(all, results()...)

	old := script.Delivery(2 * n)
	assert.Equal(t, http.StatusUnauthorized, c.post(t, old.Body, signature.Sign([]byte(older), old.Body)), "the older secret is no longer accepted")
	c.terminate(t)
	for _, result := range all {
		assert.True(t, result.Acknowledged, "%v", result.Attempts)
		for _, attempt := range result.Attempts {
			assert.NotEqual(t, http.StatusUnauthorized, attempt.Status)
		}
	}
	return b.compare(t, all)
}

const rotated = `
receivers:
  jira:
    endpoint: %s
    signature: { secrets: [%s] }
exporters:
  otlp_http:
    endpoint: %s
service:
  pipelines: { logs: { receivers: [jira], exporters: [otlp_http] } }
  telemetry: { metrics: { level: none } }
`

// restartAmidRetries loses all responses until the collector has restarted. The collector must recognise the deliveries
// that Jira repeats.
func restartAmidRetries(t *testing.T) row {
	t.Helper()
	b := startBackend(t, willing)
	args := durable(t, b)
	c := startDurable(t, args)
	jira, wire := connect(t, c, normalCompression)
	n := pending
	wire.losesAnswers.Store(true)
	results := inBackground(t, jira, jirasim.NewScript(site).Deliveries(0, n))
	wire.await(t, &wire.answers, n)
	c.terminate(t)
	c = startDurable(t, args)
	wire.losesAnswers.Store(false)
	all := results()
	c.terminate(t)
	row := b.compare(t, all)
	assert.Equal(t, n, row.acknowledged)
	assert.Zero(t, row.doubled)
	for _, result := range all {
		assert.Greater(t, len(result.Attempts), 1)
	}
	return row
}
