// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/otel-jira/collector/jirareceiver/internal/jiraapi"
	"github.com/otel-jira/collector/jirareceiver/internal/jirasim"
	"github.com/otel-jira/collector/jirareceiver/internal/registration"
)

// repairing is a receiver in the mode repair, with the shortest times that the configuration allows.
const repairing = `
extensions:
  file_storage: { directory: "%[1]s" }
receivers:
  jira:
    endpoint: %[2]s
    signature: { secrets: ["${env:JIRA_WEBHOOK_SECRET}"] }
    deduplication: { storage: file_storage }
    api: { endpoint: %[3]s, requests_per_second: 400 }
    poll: { mode: repair, interval: 1m, overlap: 5m, grace: 1m, storage: file_storage }
    registration: { mode: %[4]s, url: "` + hookURL + `", interval: 1m }
exporters:
  otlp_http: { endpoint: %[5]s, sending_queue: { enabled: false }, retry_on_failure: { enabled: false } }
service:
  extensions: [file_storage]
  pipelines: { logs: { receivers: [jira], exporters: [otlp_http] } }
  telemetry: { metrics: { level: none } }
`

// hookURL is the address to which Jira posts. The test forwards it to the collector.
const hookURL = "https://hooks.example.com/jira/events"

// outageLength is the length of an outage on Jira's clock, which is faster than the computer's: the times of the receiver
// cannot be shorter than a minute. In the short form, the receiver polls only at its starts.
const outageLength = time.Hour

func outageSpeed() float64 { return outageLength.Seconds() / float64(form(8, 240)) }

// fastClock is Jira's clock. It stands still until it is started.
type fastClock struct {
	start time.Time
	began atomic.Pointer[time.Time]
}

func (c *fastClock) now() time.Time {
	began := c.began.Load()
	if began == nil {
		return c.start
	}
	return c.start.Add(time.Duration(float64(time.Since(*began)) * outageSpeed()))
}

func (c *fastClock) run() {
	now := time.Now()
	c.began.Store(&now)
}

// await waits until the clock shows a time. The clock must run.
func (c *fastClock) await(at time.Time) {
	time.Sleep(time.Duration(float64(at.Sub(c.now())) / outageSpeed()))
}

// arrivals is a backend that keeps, for each uid, the lives of the collector in which its records arrived, and the
// delivery IDs.
type arrivals struct {
	life atomic.Int64 // number of kills so far

	mu        sync.Mutex
	lives     map[string][]int64
	delivered map[string]bool // delivery IDs
	webhooks  map[string]bool // uids of records of webhooks
}

func (a *arrivals) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	request, err := readLogs(r)
	if err != nil {
		return // the collector was killed
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for id, uid := range deliveryIDs(request) {
		a.lives[uid] = append(a.lives[uid], r.Context().Value(lifeKey{}).(int64))
		if id != "" {
			a.delivered[id], a.webhooks[uid] = true, true
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

// serve serves the backend. As [backend] does, it keeps the life of the collector for each connection.
func (a *arrivals) serve(t *testing.T) (url string) {
	t.Helper()
	server := httptest.NewUnstartedServer(a)
	server.Config.ConnContext = func(ctx context.Context, _ net.Conn) context.Context {
		return context.WithValue(ctx, lifeKey{}, a.life.Load())
	}
	server.Start()
	t.Cleanup(server.Close)
	return server.URL
}

func (a *arrivals) uids() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.lives)
}

// plant is a collector in the mode repair, its Jira, and its backend.
type plant struct {
	*jirasim.API
	*fastClock
	*arrivals
	site   jirasim.LargeSite
	hook   int // id of the webhook in Jira
	sender *jirasim.Sender
	lose   atomic.Pointer[loss]

	config       string // file
	collector    *collector
	acknowledged sync.Map // delivery IDs
}

// loss decides whether the network loses an attempt.
type loss func(deliveryID string, isRetry bool) bool

// RoundTrip implements [http.RoundTripper].
func (p *plant) RoundTrip(r *http.Request) (*http.Response, error) {
	isRetry := r.Header.Get("X-Atlassian-Webhook-Retry") != ""
	if lose := p.lose.Load(); lose != nil && (*lose)(r.Header.Get("X-Atlassian-Webhook-Identifier"), isRetry) {
		return nil, errors.New("lost in the network")
	}
	return http.DefaultTransport.RoundTrip(r)
}

func newPlant(t *testing.T, mode string) *plant {
	t.Helper()
	changes := form(300, 3000)
	p := &plant{
		fastClock: &fastClock{start: time.Now()},
		arrivals:  &arrivals{lives: map[string][]int64{}, delivered: map[string]bool{}, webhooks: map[string]bool{}},
	}
	p.site = jirasim.LargeSite{
		Site: jirasim.Site{Deployment: jirasim.Cloud, Start: p.start}, Issues: 200, Changes: changes,
		ChangesPerHour: int(float64(changes) * time.Hour.Hours() / outageLength.Hours()),
	}
	p.API = jirasim.NewLargeAPI(p.site, jirasim.Account{Administrator: true})
	t.Cleanup(p.Close)
	p.Follow(p.now)
	p.hook = p.AddWebhook(ourWebhook())
	jira := httptest.NewServer(p.API)
	t.Cleanup(jira.Close)
	endpoint := address(t)
	p.config = writeConfig(t, repairing, t.TempDir(), endpoint, jira.URL, mode, p.serve(t))
	p.sender = jirasim.New(jirasim.Options{
		URL: "http://" + endpoint + "/jira/events", Compression: outageSpeed(), Timeout: waitLimit, Transport: p, Seed: 1,
	})
	return p
}

// ourWebhook returns the webhook that the receiver needs.
func ourWebhook() jirasim.Webhook {
	return jirasim.Webhook{Name: "otelcol-jira", URL: hookURL, Secret: secret, Events: registration.DefaultEvents(jiraapi.Cloud)}
}

func startCollector(t *testing.T, p *plant) {
	t.Helper()
	p.collector = start(t, t.TempDir(), p.config)
}

func stopCollector(t *testing.T, p *plant) {
	t.Helper()
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	p.collector.terminate(t)
}

func restart(t *testing.T, p *plant) {
	t.Helper()
	stopCollector(t, p)
	startCollector(t, p)
}

func kill(t *testing.T, p *plant) {
	t.Helper()
	p.collector.kill(t)
	p.life.Add(1)
	startCollector(t, p)
}

// post posts all changes to the webhooks in Jira at their times. The result waits for the last attempts.
func (p *plant) post(t *testing.T) (wait func()) {
	t.Helper()
	var posting sync.WaitGroup
	posting.Go(func() {
		for d := range p.site.Deliveries(0, p.site.Changes) {
			p.await(d.At)
			for _, webhook := range p.Targets(d) {
				p.sender.SetSecret([]byte(webhook.Secret))
				posting.Go(func() {
					if p.sender.Deliver(t.Context(), d).Acknowledged {
						p.acknowledged.Store(d.ID, true)
					}
				})
			}
		}
	})
	return posting.Wait
}

// outage is a way in which webhooks fail for an hour of Jira's time.
type outage struct {
	name  string
	mode  string // of the registration; default: off
	lose  loss   // what the network loses; may be nil
	steps []outageStep
	// logs are texts that the collector logs.
	logs []string
	// isRepeated means that Jira repeats all deliveries, so that no change may be left to repair.
	isRepeated bool
	mayDouble  bool
}

// outageStep is something that happens after a part of the outage, in percent.
type outageStep struct {
	after int
	do    func(t *testing.T, p *plant)
}

// third loses a third of the deliveries with all retries, and the first attempts of another sixth.
func third(id string, isRetry bool) bool {
	n := crc32.ChecksumIEEE([]byte(id)) % 6
	return n < 2 || n == 2 && !isRetry
}

func retries(_ string, isRetry bool) bool { return isRetry }

func edit(change func(*jirasim.Webhook)) func(*testing.T, *plant) {
	return func(_ *testing.T, p *plant) { p.EditWebhook(p.hook, change) }
}

func fail(faults jirasim.Faults) func(*testing.T, *plant) {
	return func(_ *testing.T, p *plant) { p.SetFaults(faults) }
}

// sigkills restarts the collector by SIGKILL, evenly spread.
func sigkills(n int) (steps []outageStep) {
	for i := range n {
		steps = append(steps, outageStep{100*i/n + 50/n, kill})
	}
	return steps
}

var outages = []outage{
	{name: "nothing fails"},
	{
		name: "collector off, Jira gives up", lose: retries,
		steps: []outageStep{{10, stopCollector}, {90, startCollector}},
	},
	{
		name: "collector off, Jira repeats", isRepeated: true,
		steps: []outageStep{{10, stopCollector}, {50, startCollector}},
	},
	{name: "a third dropped", lose: third, steps: []outageStep{{50, restart}}},
	{
		name: "webhook disabled, verify", mode: "verify",
		steps: []outageStep{{20, edit(func(w *jirasim.Webhook) { w.Disabled = true })}, {50, restart}},
		logs:  []string{"the webhook is disabled in Jira", "enable it"},
	},
	{
		name: "webhook deleted, manage", mode: "manage",
		steps: []outageStep{{20, func(_ *testing.T, p *plant) { p.DeleteWebhook(p.hook) }}, {50, restart}},
		logs:  []string{`Wrote the webhook in Jira`, `"write": "create"`},
	},
	{
		name: "webhook edited, verify", mode: "verify",
		steps: []outageStep{
			{20, edit(func(w *jirasim.Webhook) { w.Events, w.JQL = []string{"comment_created"}, "project = OPS" })},
			{50, restart},
		},
		logs: []string{"the webhook lacks events", "the JQL of the webhook differs from the configuration"},
	},
	{
		name: "secret changed in Jira, verify", mode: "verify",
		steps: []outageStep{{20, edit(func(w *jirasim.Webhook) { w.Secret = "another secret" })}, {50, restart}},
		logs:  []string{"bad_signature"},
	},
	{
		name: "token expired, a third dropped", lose: third,
		steps: []outageStep{
			{20, fail(jirasim.Faults{Failures: []jirasim.Failure{{Status: http.StatusUnauthorized}}})},
			{50, restart},
			{80, fail(jirasim.Faults{})},
		},
		logs: []string{"check the token, and that api::auth names its extension"},
	},
	{
		name: "index lags 20 minutes, a third dropped", lose: third,
		steps: []outageStep{
			{0, fail(jirasim.Faults{IndexLag: 20 * time.Minute})}, {40, restart}, {80, restart},
		},
	},
	{
		name: "SIGKILLs, a third dropped", lose: third, mayDouble: true, steps: sigkills(form(3, 10)),
	},
}

// TestOutages lets webhooks fail in many ways. In the end, the backend has each change once.
func TestOutages(t *testing.T) {
	rows := make([]string, len(outages))
	t.Run("all", func(t *testing.T) {
		for n, o := range outages {
			t.Run(o.name, func(t *testing.T) {
				t.Parallel()
				rows[n] = o.try(t)
			})
		}
	})
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 1, ' ', tabwriter.Debug)
	fmt.Fprintln(w, "\n| outage\t changes\t by webhook\t repaired\t late recognised\t lost\t doubled |")
	for _, row := range rows {
		fmt.Fprintln(w, row)
	}
	w.Flush()
	t.Log(b.String())
}

func (o outage) try(t *testing.T) (row string) {
	t.Helper()
	p := newPlant(t, cmp.Or(o.mode, "off"))
	if o.lose != nil {
		p.lose.Store(&o.lose)
	}
	startCollector(t, p)
	p.collector.awaitLog(t, "The first run of polling is complete")
	p.run()
	await := p.post(t)
	var logged []string
	for _, step := range o.steps {
		p.await(p.start.Add(outageLength * time.Duration(step.after) / 100))
		logged = append(logged, p.collector.output())
		step.do(t, p)
	}
	await()
	p.await(p.start.Add(outageLength + settling))
	if isShort := form(1, 0) == 1; isShort {
		logged = append(logged, p.collector.output())
		restart(t, p)
	}
	assert.Eventually(t, func() bool { return p.uids() >= p.site.Changes }, longestRepair, 100*time.Millisecond)
	stopCollector(t, p)
	logged = append(logged, p.collector.output())
	for _, text := range o.logs {
		assert.Contains(t, strings.Join(logged, ""), text)
	}
	return p.outcome(t, o)
}

const (
	// settling is the time on Jira's clock after which the index shows the last change and its grace is over.
	settling = 25 * time.Minute
	// longestRepair is the time of two intervals, and of the runs.
	longestRepair = 3 * time.Minute
)

// outcome returns a row of the table. It fails if a change is lost, or doubled without a crash in between.
func (p *plant) outcome(t *testing.T, o outage) string {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	doubled, late := 0, 0
	for uid, lives := range p.lives {
		doubled += len(lives) - 1
		if len(lives) > 1 {
			assert.Len(t, slices.Compact(slices.Sorted(slices.Values(lives))), len(lives), "doubled without a crash: %s", uid)
		}
	}
	p.acknowledged.Range(func(id, _ any) bool {
		if !p.delivered[id.(string)] {
			late++
		}
		return true
	})
	assert.Len(t, p.lives, p.site.Changes, "one uid for each change")
	if !o.mayDouble {
		assert.Zero(t, doubled)
	}
	repaired, lost := len(p.lives)-len(p.webhooks), p.site.Changes-len(p.lives)
	if !o.isRepeated {
		assert.Equal(t, o.lose != nil || o.steps != nil, repaired > 0, "repaired: %d", repaired)
	}
	assert.NotEmpty(t, p.webhooks)
	return fmt.Sprintf("| %s\t %d\t %d\t %d\t %d\t %d\t %d |", o.name, p.site.Changes, len(p.webhooks), repaired, late, lost, doubled)
}
