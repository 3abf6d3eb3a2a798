// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-jira/collector/jirareceiver/internal/jirasim"
)

const polling = `
extensions:
  file_storage: { directory: %s }
receivers:
  jira:
    listen: false
    api: { endpoint: %s, requests_per_second: 400 }
    poll: { mode: full, start_from: "%s", storage: file_storage }
exporters:
  otlp_http: { endpoint: %s, sending_queue: { enabled: false } }
service:
  extensions: [file_storage]
  pipelines: { logs: { receivers: [jira], exporters: [otlp_http] } }
  telemetry: { metrics: { level: none } }
`

// uidCounter is a backend that counts the records of each uid.
type uidCounter struct {
	mu      sync.Mutex
	records map[string]int
	total   int
}

func (c *uidCounter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	request, err := readLogs(r)
	if err != nil {
		return // the collector was killed
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, uid := range deliveryIDs(request) {
		c.records[uid]++
		c.total++
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

func (c *uidCounter) count() (uids, records int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.records), c.total
}

// TestKillsDuringBackfill kills the collector while it reads the past of a site. The backend must have every change.
func TestKillsDuringBackfill(t *testing.T) {
	kills, issues := form(3, 12), form(4_000, 20_000)
	start := time.Now().Add(-1000 * time.Hour)
	site := jirasim.LargeSite{Site: jirasim.Site{Deployment: jirasim.Cloud, Start: start}, Issues: issues, ChangesPerHour: 10}
	api := jirasim.NewLargeAPI(site, jirasim.Account{})
	t.Cleanup(api.Close)
	jira := httptest.NewServer(api)
	t.Cleanup(jira.Close)
	counter := &uidCounter{records: map[string]int{}}
	backend := httptest.NewServer(counter)
	t.Cleanup(backend.Close)
	want := api.Changes().Total()
	dice := seeded(t)
	config := writeConfig(t, polling, t.TempDir(), jira.URL, start.AddDate(-1, 0, 0).Format(time.RFC3339), backend.URL)

	for range kills {
		c := launch(t, t.TempDir(), config)
		_, before := counter.count()
		goal := before + dice.IntN(want/kills)
		require.Eventually(t, func() bool { _, after := counter.count(); return after > goal }, 2*waitLimit, time.Millisecond)
		c.kill(t)
	}
	uids, _ := counter.count()
	require.Less(t, uids, want, "the kills hit the back-fill")
	c := launch(t, t.TempDir(), config)
	require.Eventually(t, func() bool { uids, _ := counter.count(); return uids >= want }, 2*waitLimit, 10*time.Millisecond, c.output)
	c.terminate(t)
	uids, records := counter.count()
	t.Logf("%d issues, %d changes, %d SIGKILLs: %d records, %d of them doubled, 0 missing", issues, want, kills, records, records-uids)
	assert.Equal(t, want, uids)

	_, before := counter.count()
	c = launch(t, t.TempDir(), config)
	c.awaitLog(t, "The first run of polling is complete") // of this process
	c.terminate(t)
	_, after := counter.count()
	assert.Equal(t, before, after, "after an orderly stop, nothing is recorded again")
}
