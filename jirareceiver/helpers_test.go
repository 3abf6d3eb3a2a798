// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirareceiver

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
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
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configtls"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otel-jira/collector/jirareceiver/internal/metadata"
	"github.com/otel-jira/collector/jirareceiver/internal/metadatatest"
	"github.com/otel-jira/collector/jirareceiver/internal/signature"
)

// Values that all tests share. The tokens and secrets are those of requireToken and requireSignature.
const (
	currentSecret = "the new secret"
	oldSecret     = "the old secret"
	token         = "the token"
	createdBody   = `{"webhookEvent": "jira:issue_created", "timestamp": 1595970774883, "issue": {"id": "1", "key": "A-1"}}`
	// waitLimit limits each wait, so that a failing test ends. No test measures time.
	waitLimit = 10 * time.Second
)

var (
	// observedAt is the time at which each delivery is received, unless the test advances the clock.
	observedAt = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	// forgedSignature is well-formed, so that only the whole body shows that it is wrong.
	forgedSignature = signature.Sign([]byte("another secret"), nil)
)

// wantResponses are the responses of the receiver by the reason of the rejection, or "" for 200. If a reason has two
// responses, words behind the reason distinguish them.
var wantResponses = map[string]struct {
	status            int
	body              string
	retryAfter, allow string
}{
	"":                       {status: 200, body: `{"status": "ok"}`},
	"malformed":              {status: 400, body: `{"error": "body is not a JSON object"}`},
	"undecodable":            {status: 400, body: `{"error": "content encoding cannot be decoded"}`},
	"bad_signature":          {status: 401, body: `{"error": "unauthorized"}`},
	"bad_token":              {status: 401, body: `{"error": "unauthorized"}`},
	"malformed_signature":    {status: 401, body: `{"error": "unauthorized"}`},
	"missing_signature":      {status: 401, body: `{"error": "unauthorized"}`},
	"missing_token":          {status: 401, body: `{"error": "unauthorized"}`},
	"secret_in_query":        {status: 401, body: `{"error": "unauthorized"}`},
	"unauthenticated":        {status: 401, body: `{"error": "unauthorized"}`},
	"unsupported_algorithm":  {status: 401, body: `{"error": "unauthorized"}`},
	"wrong_path":             {status: 404, body: `{"error": "no such path"}`},
	"wrong_method":           {status: 405, body: `{"error": "method not allowed"}`, allow: "POST"},
	"wrong_method of health": {status: 405, body: `{"error": "method not allowed"}`, allow: "GET, HEAD"},
	"interrupted":            {status: 408, body: `{"error": "body incomplete"}`},
	"too_large":              {status: 413, body: `{"error": "body too large"}`},
	"undecodable by name":    {status: 415, body: `{"error": "content encoding not supported"}`},
	"permanent":              {status: 422, body: `{"error": "pipeline refused the event"}`},
	"over_capacity":          {status: 429, body: `{"error": "over capacity"}`, retryAfter: "30"},
	"resource_exhausted":     {status: 429, body: `{"error": "pipeline over capacity"}`, retryAfter: "30"},
	"internal":               {status: 500, body: `{"error": "internal error"}`},
	"disk_full":              {status: 503, body: `{"error": "disk full"}`, retryAfter: "30"},
	"in_progress":            {status: 503, body: `{"error": "the same delivery is in progress"}`, retryAfter: "30"},
	"shutting_down":          {status: 503, body: `{"error": "shutting down"}`, retryAfter: "30"},
	"unavailable":            {status: 503, body: `{"error": "pipeline unavailable"}`, retryAfter: "30"},
}

// testReceiver is a receiver that listens on loopback, with a client, and with its telemetry and logs.
type testReceiver struct {
	*jiraReceiver
	client    *http.Client
	host      *statusHost
	telemetry *componenttest.Telemetry
	logs      *observer.ObservedLogs
	clock     *testClock
}

// start starts a receiver that accepts unauthenticated deliveries and repeated ones, unless configure changes that.
func start(t *testing.T, next consumer.Logs, configure func(*Config)) *testReceiver {
	t.Helper()
	r := create(t, next, configure, nil)
	require.NoError(t, r.Start(t.Context(), r.host))
	return r
}

// create returns the receiver of start without starting it. It is shut down when the test ends.
func create(
	t *testing.T, next consumer.Logs, configure func(*Config), extensions map[component.ID]component.Component,
) *testReceiver {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	cfg.ServerConfig.NetAddr.Endpoint = "localhost:0"
	cfg.AllowUnauthenticated = true
	cfg.Deduplication.Enabled = false
	if configure != nil {
		configure(cfg)
	}
	require.NoError(t, confmap.Validate(cfg))
	core, logs := observer.New(zap.DebugLevel)
	r := &testReceiver{host: &statusHost{extensions: extensions}, telemetry: componenttest.NewTelemetry(), logs: logs, clock: &testClock{}}
	settings := receiver.Settings{ID: component.NewID(metadata.Type), BuildInfo: component.BuildInfo{Version: "1.2.3"}}
	settings.TelemetrySettings = r.telemetry.NewTelemetrySettings()
	settings.Logger = zap.New(core, zap.WithClock(r.clock))
	var err error
	r.jiraReceiver, err = newReceiver(settings, cfg, next, r.clock.Now)
	require.NoError(t, err)
	r.client = r.newClient(t)
	t.Cleanup(func() { r.close(t) })
	return r
}

func (r *testReceiver) close(t *testing.T) {
	t.Helper()
	r.client.CloseIdleConnections()
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // so that connections are closed, for whose end net/http would wait for half a second
	_ = r.Shutdown(ctx)
	require.NoError(t, r.telemetry.Shutdown(context.Background()))
}

func requireSignature(cfg *Config) {
	cfg.AllowUnauthenticated = false
	cfg.Signature.Secrets = []configopaque.String{currentSecret, oldSecret}
}

func requireToken(cfg *Config) {
	cfg.AllowUnauthenticated = false
	cfg.Token.Values = []configopaque.String{"an old token", token}
	cfg.Token.QueryParameter = "token"
}

func deduplicate(cfg *Config) { cfg.Deduplication.Enabled = true }

// withTLS configures a self-signed certificate.
func withTLS(t *testing.T, cfg *Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	encodedKey, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	cfg.ServerConfig.TLS = configoptional.Some(configtls.ServerConfig{Config: configtls.Config{
		CertPem: configopaque.String(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})),
		KeyPem:  configopaque.String(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encodedKey})),
	}})
}

// testClock is the clock of a receiver and of its logs. It changes only with advance. Now waits while held is locked.
type testClock struct {
	passed atomic.Int64
	held   sync.RWMutex
	asked  atomic.Int64
}

func (c *testClock) Now() time.Time {
	c.asked.Add(1)
	c.held.RLock()
	defer c.held.RUnlock()
	return observedAt.Add(time.Duration(c.passed.Load()))
}

func (*testClock) NewTicker(d time.Duration) *time.Ticker { return time.NewTicker(d) }

func (c *testClock) advance(d time.Duration) { c.passed.Add(int64(d)) }

// statusHost has extensions, and keeps the status events that components report.
type statusHost struct {
	extensions map[component.ID]component.Component
	mu         sync.Mutex
	events     []*componentstatus.Event
}

var _ componentstatus.Reporter = (*statusHost)(nil)

func (h *statusHost) GetExtensions() map[component.ID]component.Component { return h.extensions }

func (h *statusHost) Report(event *componentstatus.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, event)
}

func (h *statusHost) reported() []*componentstatus.Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.events
}

// newClient returns a client that has its own connections. It uses HTTP/2 over TLS.
func (*testReceiver) newClient(t *testing.T) *http.Client {
	t.Helper()
	connections := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	t.Cleanup(connections.CloseIdleConnections)
	return &http.Client{Transport: connections, Timeout: waitLimit}
}

// request returns a request to the delivery path. Options change it.
func (r *testReceiver) request(t *testing.T, body []byte, options ...func(*http.Request)) *http.Request {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url(), bytes.NewReader(body))
	require.NoError(t, err)
	for _, option := range options {
		option(request)
	}
	return request
}

// post sends a delivery and returns the response.
func (r *testReceiver) post(t *testing.T, body []byte, options ...func(*http.Request)) (*http.Response, string) {
	t.Helper()
	return r.do(t, r.request(t, body, options...))
}

func (r *testReceiver) do(t *testing.T, request *http.Request) (response *http.Response, answer string) {
	t.Helper()
	response, err := r.client.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response, string(content)
}

// send returns the status code and the HTTP version of the response. It may be called in any goroutine.
func (*testReceiver) send(client *http.Client, request *http.Request) (status, version int, err error) {
	response, err := client.Do(request)
	if err != nil {
		return 0, 0, err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, response.ProtoMajor, err
}

// inBackground sends createdBody. The channel returns the status code of the response, or 0 if there is none.
func (r *testReceiver) inBackground(t *testing.T, options ...func(*http.Request)) <-chan int {
	t.Helper()
	request := r.request(t, []byte(createdBody), options...)
	status := make(chan int, 1)
	go func() {
		code, _, _ := r.send(r.client, request)
		status <- code
	}()
	return status
}

// deliver sends a delivery that must be accepted, and returns its records.
func (r *testReceiver) deliver(t *testing.T, next *sink, body []byte, options ...func(*http.Request)) plog.Logs {
	t.Helper()
	next.Reset()
	response, answer := r.post(t, body, options...)
	require.Equal(t, http.StatusOK, response.StatusCode, string(body))
	require.JSONEq(t, `{"status": "ok"}`, answer)
	require.Len(t, next.AllLogs(), 1)
	return next.AllLogs()[0]
}

// dial opens a connection and writes text to it.
func (r *testReceiver) dial(t *testing.T, text string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", r.server.Listener().Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(waitLimit)))
	_, err = io.WriteString(conn, text)
	require.NoError(t, err)
	return conn
}

func (*testReceiver) readResponse(t *testing.T, conn net.Conn) (response *http.Response, answer string) {
	t.Helper()
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response, string(content)
}

// awaitClosed waits until the receiver accepts no new connections.
func (r *testReceiver) awaitClosed(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", r.server.Listener().Addr().String())
		if err == nil {
			conn.Close()
		}
		return err != nil
	}, waitLimit, time.Millisecond)
}

// awaitHeld waits until the number of bytes in flight has the value.
func (r *testReceiver) awaitHeld(t *testing.T, want int) {
	t.Helper()
	require.Eventually(t, func() bool { return r.handler.bodies.Held() == int64(want) }, waitLimit, time.Millisecond)
}

// assertResponse compares a response with the one in wantResponses.
func (*testReceiver) assertResponse(t *testing.T, reason string, response *http.Response, body string) {
	t.Helper()
	want, found := wantResponses[reason]
	require.True(t, found, reason)
	assert.Equal(t, want.status, response.StatusCode)
	if response.Request == nil || response.Request.Method != http.MethodHead {
		assert.JSONEq(t, want.body, body)
	}
	assert.Equal(t, "application/json", response.Header.Get("Content-Type"))
	assert.Equal(t, want.retryAfter, response.Header.Get("Retry-After"))
	assert.Equal(t, want.allow, response.Header.Get("Allow"))
	assert.NotContains(t, fmt.Sprint(response.Header), "hunter2")
}

// assertHealth compares the response to a probe with the one in wantResponses, but with 503 in place of other errors.
func (r *testReceiver) assertHealth(t *testing.T, reason, when string) {
	t.Helper()
	want, found := wantResponses[reason]
	require.True(t, found, reason)
	response, answer := r.do(t, r.request(t, nil, withTarget(http.MethodGet, "/health")))
	if want.status != http.StatusOK {
		want.status = http.StatusServiceUnavailable
	}
	assert.Equal(t, want.status, response.StatusCode, when)
	assert.JSONEq(t, want.body, answer, when)
	assert.Equal(t, "application/json", response.Header.Get("Content-Type"), when)
	assert.Equal(t, want.retryAfter, response.Header.Get("Retry-After"), when)
	assert.Equal(t, want.allow, response.Header.Get("Allow"), when)
	assert.NotContains(t, fmt.Sprint(response.Header), "hunter2", when)
}

// assertRejected checks that the receiver has counted one rejection with the reason, or none if the reason is "".
func (r *testReceiver) assertRejected(t *testing.T, reason string) {
	t.Helper()
	if reason == "" {
		_, err := r.telemetry.GetMetric("otelcol_receiver_jira_rejected_deliveries")
		assert.Error(t, err, "the counter was never touched")
		return
	}
	reason, _, _ = strings.Cut(reason, " ")
	metadatatest.AssertEqualReceiverJiraRejectedDeliveries(t, r.telemetry, r.points(1, attribute.String("reason", reason)), r.metricOptions()...)
}

// points returns a data point of a metric with the attribute that all metrics have.
func (*testReceiver) points(value int64, attributes ...attribute.KeyValue) []metricdata.DataPoint[int64] {
	set := attribute.NewSet(append(attributes, attribute.String("receiver", "jira"))...)
	return []metricdata.DataPoint[int64]{{Value: value, Attributes: set}}
}

func (*testReceiver) metricOptions() []metricdatatest.Option {
	return []metricdatatest.Option{metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars()}
}

// assertRecords compares the records that obsreport has counted.
func (r *testReceiver) assertRecords(t *testing.T, wantAccepted, wantRefused int64) {
	t.Helper()
	for name, want := range map[string]int64{
		"otelcol_receiver_accepted_log_records": wantAccepted,
		"otelcol_receiver_refused_log_records":  wantRefused,
	} {
		metric, err := r.telemetry.GetMetric(name)
		require.NoError(t, err)
		points := metric.Data.(metricdata.Sum[int64]).DataPoints
		require.Len(t, points, 1)
		assert.Equal(t, want, points[0].Value, name)
	}
}

// operations returns the status codes of the ended operations of obsreport.
func (r *testReceiver) operations() []codes.Code {
	var ended []codes.Code
	for _, span := range r.telemetry.SpanRecorder.Ended() {
		if span.Name() == "receiver/jira/LogsReceived" {
			ended = append(ended, span.Status().Code)
		}
	}
	return ended
}

// assertDeliveries compares the deliveries that the receiver has counted, all of which have the same event type.
func (r *testReceiver) assertDeliveries(t *testing.T, event string, want map[outcome]int64) {
	t.Helper()
	var points []metricdata.DataPoint[int64]
	for o, count := range want {
		points = append(points, r.points(count, attribute.String("event", event), attribute.String("outcome", string(o)))...)
	}
	metadatatest.AssertEqualReceiverJiraDeliveries(t, r.telemetry, points, r.metricOptions()...)
}

func (r *testReceiver) assertInFlight(t *testing.T, want int64) {
	t.Helper()
	metadatatest.AssertEqualReceiverJiraInFlightBytes(t, r.telemetry, r.points(want), r.metricOptions()...)
}

func (r *testReceiver) assertCacheEntries(t *testing.T, entries int64) {
	t.Helper()
	metadatatest.AssertEqualReceiverJiraDeduplicationEntries(t, r.telemetry, r.points(entries), r.metricOptions()...)
}

func withHeader(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func withDeliveryID(id string) func(*http.Request) { return withHeader(headerDeliveryID, id) }

func withSignature(secret, body string) func(*http.Request) {
	return withHeader(signature.Header, signature.Sign([]byte(secret), []byte(body)))
}

func withQuery(query string) func(*http.Request) {
	return func(r *http.Request) { r.URL.RawQuery = query }
}

func withTarget(method, path string) func(*http.Request) {
	return func(r *http.Request) { r.Method, r.URL.Path = method, path }
}

func gzipped(body string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(body))
	_ = w.Close()
	return b.Bytes()
}

// sink is a consumer that returns the result of consume, or err, or keeps the records.
type sink struct {
	consumertest.LogsSink
	consume func(context.Context, plog.Logs) error
	err     error
}

func (s *sink) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	switch {
	case s.consume != nil:
		return s.consume(ctx, logs)
	case s.err != nil:
		return s.err
	default:
		return s.LogsSink.ConsumeLogs(ctx, logs)
	}
}

// record returns the first record, which must be the only one of its delivery.
func (s *sink) record(t *testing.T) plog.LogRecord {
	t.Helper()
	logs := s.AllLogs()[0]
	require.Equal(t, 1, logs.LogRecordCount())
	return logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
}

// gated is a consumer whose calls wait until release is closed, or until they are cancelled. With first, only the first
// call waits, and then returns the error of first.
type gated struct {
	consumertest.LogsSink
	first     func() error
	entered   chan struct{}
	release   chan struct{}
	calls     atomic.Int64
	cancelled atomic.Int64
}

func newGated() *gated {
	return &gated{entered: make(chan struct{}, 100), release: make(chan struct{})}
}

func (g *gated) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	if g.calls.Add(1) > 1 && g.first != nil {
		return g.LogsSink.ConsumeLogs(ctx, logs)
	}
	g.entered <- struct{}{}
	select {
	case <-g.release:
	case <-ctx.Done():
		g.cancelled.Add(1)
		return ctx.Err()
	}
	if g.first != nil {
		if err := g.first(); err != nil {
			return err
		}
	}
	return g.LogsSink.ConsumeLogs(ctx, logs)
}

// wait returns the next value of the channel. The test fails if there is none.
func wait[T any](t *testing.T, c <-chan T, what string) (value T) {
	t.Helper()
	select {
	case value = <-c:
	case <-time.After(waitLimit):
		require.FailNow(t, "waited in vain", what)
	}
	return value
}
