// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package active_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configauth"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/extension/extensionauth"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otel-jira/collector/jirareceiver"
	"github.com/otel-jira/collector/jirareceiver/internal/active"
	"github.com/otel-jira/collector/jirareceiver/internal/jirasim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// waitLimit limits each wait, so that a failing test ends. No test measures time.
const waitLimit = 20 * time.Second

// start is the time at which the histories of all sites start: a Monday.
var start = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

// clock is the clock of a receiver and of its Jira. It stands still while the receiver works. If the receiver sleeps,
// the test moves the clock to the end of the sleep.
type clock struct {
	sleeps  chan sleep
	current *sleep // that the test knows of; only the goroutine of the test uses it

	mu  sync.Mutex
	now time.Time
}

type sleep struct {
	until time.Time
	woken chan struct{}
}

func newClock(now time.Time) *clock { return &clock{sleeps: make(chan sleep), now: now} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(max(0, d))
}

// Sleep implements [jiraapi.Clock]. The pace of the requests, which no test measures, does not sleep.
func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	if d < time.Millisecond {
		c.advance(d)
		return ctx.Err()
	}
	s := sleep{c.Now().Add(d), make(chan struct{})}
	select {
	case c.sleeps <- s:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-s.woken:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// settle waits until the receiver sleeps, and returns the time for which it still sleeps.
func (c *clock) settle(t *testing.T) time.Duration {
	t.Helper()
	if c.current == nil {
		s := wait(t, c.sleeps, "the receiver sleeps")
		c.current = &s
	}
	return c.current.until.Sub(c.Now())
}

// wake moves the clock to the end of the sleep.
func (c *clock) wake(t *testing.T) {
	t.Helper()
	c.advance(c.settle(t))
	close(c.current.woken)
	c.current = nil
}

// site is a simulated Jira behind a socket. Its clock is that of the test.
type site struct {
	*jirasim.API
	jirasim.Site
	*clock
	url string
	// intercept answers a request in place of the Jira, and returns true. It may be nil.
	intercept atomic.Pointer[func(http.ResponseWriter, *http.Request) bool]
}

// newSite starts a Jira that its team uses from the start on.
func newSite(t *testing.T, s jirasim.Site, a jirasim.Account) *site {
	t.Helper()
	s.Start = start
	return serve(t, s, jirasim.NewAPI(s, a))
}

// newScenarioSite starts a Jira whose issues, comments and worklogs are never deleted.
func newScenarioSite(t *testing.T, d jirasim.Deployment, a jirasim.Account) *site {
	t.Helper()
	s := jirasim.Site{Deployment: d, Start: start, Seed: 1}
	api, err := jirasim.NewScenarioAPI(scenario, s, a)
	require.NoError(t, err)
	return serve(t, s, api)
}

const scenario = "delivery"

// newLargeSite starts a Jira with long lists.
func newLargeSite(t *testing.T, s jirasim.LargeSite) *site {
	t.Helper()
	s.Start = start
	return serve(t, s.Site, jirasim.NewLargeAPI(s, jirasim.Account{}))
}

func serve(t *testing.T, s jirasim.Site, api *jirasim.API) *site {
	t.Helper()
	running := &site{API: api, Site: s, clock: newClock(start)}
	api.Follow(running.Now)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if intercept := running.intercept.Load(); intercept == nil || !(*intercept)(w, r) {
			api.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(func() {
		server.Close()
		api.Close()
	})
	running.url = server.URL + api.ContextPath()
	return running
}

func (s *site) answer(handler func(http.ResponseWriter, *http.Request) bool) {
	s.intercept.Store(&handler)
}

func (s *site) answerAsJira() { s.intercept.Store(nil) }

// sink is the pipeline behind a receiver. It keeps the records that consume, if it is set, does not refuse.
type sink struct {
	consume func(context.Context, plog.Logs) error

	mu      sync.Mutex
	records []event
}

// event is a log record.
type event struct {
	uid, name string
	time      time.Time
	attrs     map[string]any
	resource  map[string]any
	severity  plog.SeverityNumber
	body      any
}

var _ consumer.Logs = (*sink)(nil)

func (*sink) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (s *sink) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	if s.consume != nil {
		if err := s.consume(ctx, logs); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records = append(s.records, eventsOf(logs)...)
	return nil
}

func eventsOf(logs plog.Logs) (events []event) {
	for _, resource := range logs.ResourceLogs().All() {
		for _, scope := range resource.ScopeLogs().All() {
			for _, r := range scope.LogRecords().All() {
				attrs := r.Attributes().AsRaw()
				uid, _ := attrs["log.record.uid"].(string)
				events = append(events, event{
					uid, r.EventName(), r.Timestamp().AsTime(), attrs, resource.Resource().Attributes().AsRaw(),
					r.SeverityNumber(), r.Body().AsRaw(),
				})
			}
		}
	}
	return events
}

func (s *sink) all() []event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.records)
}

// uids returns the numbers of records by uid.
func (s *sink) uids() map[string]int {
	uids := map[string]int{}
	for _, e := range s.all() {
		uids[e.uid]++
	}
	return uids
}

// byUID returns the records by uid, each of which must occur once.
func (s *sink) byUID(t *testing.T) map[string]event {
	t.Helper()
	events := map[string]event{}
	for _, e := range s.all() {
		first, exists := events[e.uid]
		assert.False(t, exists, "two records have the uid %s: %s and %s", e.uid, first.name, e.name)
		assert.NotEmpty(t, e.uid, e.name)
		events[e.uid] = e
	}
	return events
}

// host has extensions, and keeps the status events.
type host struct {
	extensions map[component.ID]component.Component
	mu         sync.Mutex
	events     []*componentstatus.Event
}

var _ componentstatus.Reporter = (*host)(nil)

func (h *host) GetExtensions() map[component.ID]component.Component { return h.extensions }

func (h *host) Report(event *componentstatus.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, event)
}

func (h *host) reported() []*componentstatus.Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.events)
}

// status returns the current status and the text of its error.
func (h *host) status() (status componentstatus.Status, text string) {
	events := h.reported()
	if len(events) == 0 {
		return componentstatus.StatusNone, ""
	}
	last := events[len(events)-1]
	if last.Err() != nil {
		text = last.Err().Error()
	}
	return last.Status(), text
}

// extensions that a test offers, under the ids in configurations.
var (
	authID    = component.MustNewIDWithName("basicauth", "jira")
	storageID = component.MustNewIDWithName("file_storage", "jira")
)

// credentials is an authenticator extension, whose user and token can change.
type credentials struct {
	component.StartFunc
	component.ShutdownFunc
	account atomic.Pointer[jirasim.Account]
}

var _ extensionauth.HTTPClient = (*credentials)(nil)

func newCredentials(a jirasim.Account) *credentials {
	c := &credentials{}
	c.account.Store(&a)
	return c
}

// RoundTripper implements [extensionauth.HTTPClient].
func (c *credentials) RoundTripper(base http.RoundTripper) (http.RoundTripper, error) {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		account := c.account.Load()
		r = r.Clone(r.Context())
		r.SetBasicAuth(account.User, account.Token)
		return base.RoundTrip(r)
	}), nil
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// memory is a storage extension, and its only client.
type memory struct {
	component.StartFunc
	component.ShutdownFunc
	mu      sync.Mutex
	content map[string][]byte
	err     error // of all calls
	opened  int
	closed  int
}

var (
	_ storage.Extension = (*memory)(nil)
	_ storage.Client    = (*memory)(nil)
)

func newMemory() *memory { return &memory{content: map[string][]byte{}} }

// GetClient implements [storage.Extension].
func (m *memory) GetClient(_ context.Context, kind component.Kind, id component.ID, name string) (storage.Client, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if kind != component.KindReceiver || id.Type().String() != "jira" || name != "poll" {
		return nil, fmt.Errorf("an unknown client: %v %s %s", kind, id, name)
	}
	m.opened++
	return m, m.err
}

// Get implements [storage.Client].
func (m *memory) Get(_ context.Context, key string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.content[key], m.err
}

// Batch implements [storage.Client].
func (m *memory) Batch(_ context.Context, operations ...*storage.Operation) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return m.err
	}
	for _, o := range operations {
		switch o.Type {
		case storage.Set:
			m.content[o.Key] = slices.Clone(o.Value)
		case storage.Delete:
			delete(m.content, o.Key)
		default:
			return errors.New("not expected")
		}
	}
	return nil
}

// Set implements [storage.Client].
func (*memory) Set(context.Context, string, []byte) error { return errors.New("not atomic") }

// Delete implements [storage.Client].
func (*memory) Delete(context.Context, string) error { return errors.New("not atomic") }

// Close implements [storage.Client].
func (m *memory) Close(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed++
	return nil
}

func (m *memory) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.err = err
}

// testReceiver is a receiver with everything that is seen of it from outside.
type testReceiver struct {
	receiver.Logs
	*host
	*sink
	telemetry *componenttest.Telemetry
	logs      *observer.ObservedLogs
	site      *site // that it polls; nil if it does not poll
}

// options are the parts of a receiver besides its configuration.
type options struct {
	sink       *sink
	extensions map[component.ID]component.Component
}

// create returns a receiver that is not started. It is shut down when the test ends, and then its logs and its status
// events must contain neither secrets nor personal data.
func create(t *testing.T, cfg *jirareceiver.Config, o options) *testReceiver {
	t.Helper()
	if o.sink == nil {
		o.sink = &sink{}
	}
	core, logs := observer.New(zap.DebugLevel)
	r := &testReceiver{
		host: &host{extensions: o.extensions}, sink: o.sink, telemetry: componenttest.NewTelemetry(), logs: logs,
	}
	settings := receivertest.NewNopSettings(component.MustNewType("jira"))
	settings.TelemetrySettings = r.telemetry.NewTelemetrySettings()
	settings.Logger = zap.New(core)
	var err error
	r.Logs, err = jirareceiver.NewFactory().CreateLogs(t.Context(), settings, cfg, r.sink)
	require.NoError(t, err)
	t.Cleanup(func() {
		assert.NoError(t, r.Shutdown(context.Background()))
		assert.NoError(t, r.telemetry.Shutdown(context.Background()))
		r.assertDiscreet(t)
	})
	return r
}

// poll starts a receiver that polls the site, on the clock of the site, and waits for the end of its first run.
func (s *site) poll(t *testing.T, cfg *jirareceiver.Config, o options) *testReceiver {
	t.Helper()
	r := s.start(t, cfg, o)
	r.runAfter(t, 0)
	return r
}

// start starts a receiver that polls the site, on the clock of the site.
func (s *site) start(t *testing.T, cfg *jirareceiver.Config, o options) *testReceiver {
	t.Helper()
	cfg.API.ClientConfig.Endpoint = s.url
	r := create(t, cfg, o)
	r.site, s.current = s, nil
	require.NoError(t, r.Start(active.WithClock(t.Context(), s.clock), r.host))
	return r
}

// restart shuts the receiver down, and starts another one with the same pipeline and extensions.
func (r *testReceiver) restart(t *testing.T, cfg *jirareceiver.Config) *testReceiver {
	t.Helper()
	require.NoError(t, r.Shutdown(t.Context()))
	return r.site.poll(t, cfg, options{r.sink, r.extensions})
}

// run lets the receiver sleep until its next attempt of a run, and waits until it sleeps again. It returns the time until
// the attempt after that.
func (r *testReceiver) run(t *testing.T) time.Duration {
	t.Helper()
	r.site.settle(t)
	return r.runAfter(t, r.attempts())
}

// runAfter is run after a number of attempts. The receiver need not sleep yet.
func (r *testReceiver) runAfter(t *testing.T, attempts int) time.Duration {
	t.Helper()
	for range maxSleeps {
		if left := r.site.settle(t); r.attempts() > attempts {
			return left
		}
		r.site.wake(t)
	}
	require.Fail(t, "the receiver does not run")
	return 0
}

// maxSleeps is more than the number of sleeps within a run of any test.
const maxSleeps = 1000

// attempts returns the number of attempts of runs.
func (r *testReceiver) attempts() int { return int(r.count("poll_run_duration")) }

// runUntil lets the receiver run until a time.
func (r *testReceiver) runUntil(t *testing.T, end time.Time) {
	t.Helper()
	for r.site.Now().Before(end) {
		r.run(t)
	}
}

// pollConfig returns a configuration that only polls. Its interval is the step of the clock.
func pollConfig(interval time.Duration) *jirareceiver.Config {
	cfg := jirareceiver.NewFactory().CreateDefaultConfig().(*jirareceiver.Config)
	cfg.Listen = false
	cfg.Poll.Mode = active.ModeFull
	cfg.Poll.Interval = interval
	cfg.API.RequestsPerSecond = 1e9
	return cfg
}

// withStorage adds a storage to a configuration and to the parts of a receiver.
func (o options) withStorage(cfg *jirareceiver.Config, extension component.Component) options {
	cfg.Poll.Storage = &storageID
	return o.with(storageID, extension)
}

// withCredentials adds an authenticator to a configuration and to the parts of a receiver.
func (o options) withCredentials(cfg *jirareceiver.Config, c *credentials) options {
	cfg.API.ClientConfig.Auth = configoptional.Some(configauth.Config{AuthenticatorID: authID})
	return o.with(authID, c)
}

func (o options) with(id component.ID, extension component.Component) options {
	extensions := map[component.ID]component.Component{id: extension}
	maps.Copy(extensions, o.extensions)
	o.extensions = extensions
	return o
}

// count returns the value of a counter, the number of values of a histogram or the value of a gauge, over all series
// with the given attributes.
func (r *testReceiver) count(metric string, attributes ...string) (total float64) {
	m, err := r.telemetry.GetMetric("otelcol_receiver_jira_" + metric)
	if err != nil {
		return 0 // nothing was recorded
	}
	add := func(set attribute.Set, value float64) {
		for i := 0; i < len(attributes); i += 2 {
			if v, _ := set.Value(attribute.Key(attributes[i])); v.AsString() != attributes[i+1] {
				return
			}
		}
		total += value
	}
	switch data := m.Data.(type) {
	case metricdata.Sum[int64]:
		for _, p := range data.DataPoints {
			add(p.Attributes, float64(p.Value))
		}
	case metricdata.Sum[float64]:
		for _, p := range data.DataPoints {
			add(p.Attributes, p.Value)
		}
	case metricdata.Gauge[int64]:
		for _, p := range data.DataPoints {
			add(p.Attributes, float64(p.Value))
		}
	case metricdata.Gauge[float64]:
		for _, p := range data.DataPoints {
			add(p.Attributes, p.Value)
		}
	case metricdata.Histogram[float64]:
		for _, p := range data.DataPoints {
			add(p.Attributes, float64(p.Count))
		}
	}
	return total
}

// runs returns the number of attempts of runs with a result.
func (r *testReceiver) runs(result string) int {
	return int(r.count("poll_run_duration", "result", result))
}

// requests returns the number of requests with a result.
func (r *testReceiver) requests(result string) int {
	return int(r.count("api_requests", "result", result))
}

// skipped returns the number of skipped things by a reason.
func (r *testReceiver) skipped(reason string) int {
	return int(r.count("poll_skipped", "skip_reason", reason))
}

// messages returns the log messages that contain a text.
func (r *testReceiver) messages(text string) (found []observer.LoggedEntry) {
	for _, entry := range r.logs.All() {
		if strings.Contains(entry.Message, text) {
			found = append(found, entry)
		}
	}
	return found
}

// assertOK checks that the receiver is healthy.
func (r *testReceiver) assertOK(t *testing.T) {
	t.Helper()
	status, text := r.status()
	assert.Equal(t, componentstatus.StatusOK, status, text)
}

// assertStatus checks the status and a part of its text.
func (r *testReceiver) assertStatus(t *testing.T, want componentstatus.Status, wantText string) {
	t.Helper()
	status, text := r.status()
	assert.Equal(t, want, status, text)
	assert.Contains(t, text, wantText)
}

// secrets matches what logs and status texts must not contain: the credentials, the queries and JQL of requests, and
// the personal data of the simulated team.
var secrets = regexp.MustCompile(`(?i)hunter2|s3cret|Authorization|Basic [a-z0-9]|Bearer |` +
	`[?&](jql|fields|since|startAt)=|updated >|created >|order by|project in|confidential|` +
	`Lindqvist|Haddad|Montero|Dvorak|557058|712020|JIRAUSER|example\.com/secure|@example\.com|payments|invoices|refunds`)

// explanation is the message whose fields may contain the texts of Jira, which repeat parts of the JQL. Nobody sees it
// without the level debug.
const explanation = "Jira explains why it does not accept a request"

// assertDiscreet checks the logs and the status events of a receiver.
func (r *testReceiver) assertDiscreet(t *testing.T) {
	t.Helper()
	encoder := zapcore.NewJSONEncoder(zapcore.EncoderConfig{MessageKey: "message"})
	for _, entry := range r.logs.All() {
		line, err := encoder.EncodeEntry(entry.Entry, entry.Context)
		assert.NoError(t, err)
		if entry.Level == zap.DebugLevel && entry.Message == explanation {
			continue
		}
		assert.NotRegexp(t, secrets, line.String())
	}
	for _, e := range r.reported() {
		if e.Err() != nil {
			assert.NotRegexp(t, secrets, e.Err().Error())
		}
	}
}

// wait returns the next value of a channel.
func wait[T any](t *testing.T, values <-chan T, what string) (value T) {
	t.Helper()
	select {
	case value = <-values:
	case <-time.After(waitLimit):
		require.FailNow(t, "waited in vain", what)
	}
	return value
}

// eventually waits until a condition holds.
func eventually(t *testing.T, condition func() bool, what string) {
	t.Helper()
	require.Eventually(t, condition, waitLimit, time.Millisecond, what)
}

// text returns a value as JSON, for comparisons and messages.
func text(value any) string {
	content, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	return string(content)
}

// secret is the secret of the webhooks.
const secret = "s3cret"

// listenConfig returns a configuration that only listens.
func listenConfig() *jirareceiver.Config {
	cfg := pollConfig(time.Hour)
	cfg.Listen, cfg.Poll.Mode = true, active.ModeOff
	cfg.ServerConfig.NetAddr.Endpoint = "localhost:0"
	cfg.Signature.Secrets = []configopaque.String{secret}
	return cfg
}

// receive posts deliveries to a receiver, and returns its records.
func receive(
	t *testing.T, cfg *jirareceiver.Config, deliveries []jirasim.Delivery, d jirasim.Deployment,
) map[string]event {
	t.Helper()
	r := create(t, cfg, options{})
	require.NoError(t, r.Start(t.Context(), r.host))
	r.post(t, deliveries, d)
	return r.byUID(t)
}

// post posts deliveries, which the receiver must accept.
func (r *testReceiver) post(t *testing.T, deliveries []jirasim.Delivery, d jirasim.Deployment) {
	t.Helper()
	lines := r.messages("Waiting for Jira")
	require.Len(t, lines, 1)
	transport := jirasim.NewTransport()
	defer transport.CloseIdleConnections()
	url := lines[0].ContextMap()["url"].(string)
	sender := jirasim.New(jirasim.Options{URL: url, Deployment: d, Transport: transport})
	sender.SetSecret([]byte(secret))
	for _, result := range sender.DeliverAll(t.Context(), deliveries, 20) {
		require.True(t, result.Acknowledged, "%+v", result.Attempts)
	}
}
