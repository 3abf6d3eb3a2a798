// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-jira/collector/jirareceiver/internal/jirasim"
)

// registering is a receiver that checks its webhook in Jira, and an extension that shows the status of the receiver.
const registering = `
extensions:
  file_storage: { directory: "%[1]s" }
  health_check:
    endpoint: %[2]s
    component_health: { include_recoverable_errors: true, recovery_duration: 1ms }
receivers:
  jira:
    endpoint: localhost:0
    signature: { secrets: ["${env:JIRA_WEBHOOK_SECRET}"] }
    api: { endpoint: %[3]s, requests_per_second: 400 }
    poll: { storage: file_storage }
    registration: { mode: %[4]s, url: "` + hookURL + `" }
exporters:
  debug:
service:
  extensions: [file_storage, health_check]
  pipelines: { logs: { receivers: [jira], exporters: [debug] } }
`

// registrar is a collector that checks its webhook at each start, and its Jira. Jira has a webhook of another team, too.
type registrar struct {
	*jirasim.API
	*collector
	health, metrics string // addresses
	args            []string
	others          []jirasim.Webhook
}

func newRegistrar(t *testing.T, mode string) *registrar {
	t.Helper()
	r := &registrar{health: address(t), metrics: address(t)}
	r.API = jirasim.NewAPI(jirasim.Site{Start: time.Now().Add(-time.Hour)}, jirasim.Account{Administrator: true})
	t.Cleanup(r.Close)
	r.AddWebhook(jirasim.Webhook{Name: "chat", URL: "https://chat.example.com/hook", Events: []string{"jira:issue_created"}})
	r.AddWebhook(jirasim.Webhook{Name: "old", URL: hookURL, Disabled: true})
	r.others = r.Webhooks()
	jira := httptest.NewServer(r.API)
	t.Cleanup(jira.Close)
	config := writeConfig(t, registering, t.TempDir(), r.health, jira.URL, mode)
	r.args = append([]string{"--feature-gates=+extension.healthcheck.useComponentStatus"}, withMetrics(r.metrics)...)
	r.args = append([]string{config}, r.args...)
	return r
}

// check starts the collector, which checks the webhook at once, and waits for a message. It stops the collector after it
// has compared what an administrator sees.
func (r *registrar) check(t *testing.T, message string, see func()) {
	t.Helper()
	r.collector = start(t, t.TempDir(), r.args[0], r.args[1:]...)
	r.awaitLog(t, message)
	for line := range strings.Lines(r.output()) {
		if strings.Contains(line, "in Jira") {
			_, seen, _ := strings.Cut(line, "\t") // without the time
			t.Log(strings.TrimSpace(seen))
		}
	}
	see()
	r.terminate(t)
}

// sees compares the metrics and the status of the component.
func (r *registrar) sees(t *testing.T, state string, code int, status string, findings ...string) {
	t.Helper()
	assert.InDelta(t, 1, metric(t, r.metrics, "otelcol_receiver_jira_registration_state", `state="`+state+`"`), 0)
	assert.InDelta(t, 1, metric(t, r.metrics, "otelcol_receiver_jira_registration_state"), 0)
	assert.InDelta(t, len(findings), metric(t, r.metrics, "otelcol_receiver_jira_registration_findings"), 0)
	for _, finding := range findings {
		assert.InDelta(t, 1, metric(t, r.metrics, "otelcol_receiver_jira_registration_findings", `finding="`+finding+`"`), 0, finding)
	}
	response, err := http.Get("http://" + r.health + "/?verbose")
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	t.Log(response.Status, string(body))
	assert.Equal(t, code, response.StatusCode)
	assert.Contains(t, string(body), status)
}

func (r *registrar) writes() int {
	return r.Requests()[jirasim.OpWebhookCreate] + r.Requests()[jirasim.OpWebhookUpdate]
}

// ours returns our webhook in Jira, which must be the last one.
func (r *registrar) ours(t *testing.T) jirasim.Webhook {
	t.Helper()
	all := r.Webhooks()
	require.Len(t, all, len(r.others)+1)
	return all[len(r.others)]
}

func (r *registrar) assertOthersStay(t *testing.T) {
	t.Helper()
	assert.Equal(t, r.others, r.Webhooks()[:len(r.others)])
	assert.Zero(t, r.Requests()[jirasim.OpWebhookDelete])
}

// TestVerify shows an administrator the drift of the webhook and its end.
func TestVerify(t *testing.T) {
	r := newRegistrar(t, "verify")
	r.check(t, "the webhook is not registered in Jira", func() {
		assert.Contains(t, r.output(), "register it in Jira with exactly the name and the URL of the configuration")
		r.sees(t, "problem", http.StatusInternalServerError, "registration: the webhook is not registered in Jira", "missing", "other_name")
	})
	webhook := ourWebhook()
	webhook.Disabled, webhook.JQL, webhook.Events = true, "project = OPS", webhook.Events[1:]
	id := r.AddWebhook(webhook)
	r.check(t, "the JQL of the webhook differs", func() {
		for _, text := range []string{"the webhook is disabled in Jira", "the webhook lacks events", ourWebhook().Events[0]} {
			assert.Contains(t, r.output(), text)
		}
		r.sees(t, "problem", http.StatusInternalServerError, "the webhook is disabled in Jira; enable it", "disabled", "events_missing", "jql_differs", "other_name")
	})
	r.EditWebhook(id, func(w *jirasim.Webhook) { w.Disabled, w.JQL, w.Events = false, "", ourWebhook().Events })
	r.check(t, "a webhook with another name has the same address", func() {
		r.sees(t, "ok", http.StatusOK, `"status":"StatusOK"`, "other_name")
	})
	assert.Zero(t, r.writes())
	r.assertOthersStay(t)
}

// TestManage lets the receiver repair its webhook, until it has written three times in an hour.
func TestManage(t *testing.T) {
	r := newRegistrar(t, "manage")
	for n, breakIt := range []func(){
		func() {}, // it does not exist yet
		func() { r.EditWebhook(r.ours(t).ID, func(w *jirasim.Webhook) { w.Disabled = true }) },
		func() { r.EditWebhook(r.ours(t).ID, func(w *jirasim.Webhook) { w.JQL = "project = OPS" }) },
	} {
		breakIt()
		r.check(t, "Wrote the webhook in Jira", func() {
			assert.InDelta(t, 1, metric(t, r.metrics, "otelcol_receiver_jira_registration_writes", `result="ok"`), 0)
			r.sees(t, "ok", http.StatusOK, `"status":"StatusOK"`, "other_name")
		})
		assert.Equal(t, n+1, r.writes())
		w := r.ours(t)
		w.ID, w.Updated = 0, time.Time{}
		assert.Equal(t, ourWebhook(), w)
	}
	r.EditWebhook(r.ours(t).ID, func(w *jirasim.Webhook) { w.Disabled = true })
	for range 2 {
		r.check(t, "the webhook is disabled in Jira", func() {
			assert.Contains(t, r.output(), `"next_write"`)
			r.sees(t, "problem", http.StatusInternalServerError, "the webhook is disabled in Jira; enable it", "disabled", "other_name")
		})
	}
	assert.Equal(t, 3, r.writes(), "no more in this hour, also after restarts")
	assert.True(t, r.ours(t).Disabled)
	r.assertOthersStay(t)
}
