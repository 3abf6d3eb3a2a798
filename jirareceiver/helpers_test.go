// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirareceiver

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/envprovider"
	"go.opentelemetry.io/collector/confmap/provider/fileprovider"
	"go.opentelemetry.io/collector/confmap/provider/yamlprovider"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otel-jira/collector/jirareceiver/internal/metadata"
)

// observedAt is the receive time of everything that tests post.
var observedAt = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// running is a receiver that listens on loopback, what it sent on, and what it logged.
type running struct {
	*jiraReceiver
	host      *statusHost
	telemetry *componenttest.Telemetry
	logs      *observer.ObservedLogs
	clock     *clock
}

// clock is the time of a receiver and of its logs. It stands still unless it is moved, and waits while it is held.
type clock struct {
	passed atomic.Int64
	held   sync.RWMutex
	asked  atomic.Int64
}

func (c *clock) Now() time.Time {
	c.asked.Add(1)
	c.held.RLock()
	defer c.held.RUnlock()
	return observedAt.Add(time.Duration(c.passed.Load()))
}

func (*clock) NewTicker(d time.Duration) *time.Ticker { return time.NewTicker(d) }

func (c *clock) advance(d time.Duration) { c.passed.Add(int64(d)) }

// start runs a receiver that accepts what anybody sends, as often as it is sent, unless configured otherwise.
func start(t *testing.T, next consumer.Logs, configure func(*Config)) *running {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	cfg.Server.NetAddr.Endpoint = "localhost:0"
	cfg.Jira.AllowUnauthenticated = true
	cfg.Jira.Deduplication.Enabled = false
	if configure != nil {
		configure(cfg)
	}
	return startConfigured(t, next, cfg, nil)
}

// startConfigured runs a receiver through the factory. It is shut down when the test ends.
func startConfigured(t *testing.T, next consumer.Logs, cfg *Config, extensions map[component.ID]component.Component) *running {
	t.Helper()
	require.NoError(t, confmap.Validate(cfg))
	r := create(t, next, cfg, extensions)
	require.NoError(t, r.Start(t.Context(), r.host))
	return r
}

// create makes a receiver through the factory, and leaves it to the test to start it. It is shut down when the test ends.
func create(t *testing.T, next consumer.Logs, cfg *Config, extensions map[component.ID]component.Component) *running {
	t.Helper()
	core, logs := observer.New(zap.DebugLevel)
	telemetry, clock := componenttest.NewTelemetry(), &clock{}
	settings := receiver.Settings{
		ID:                component.NewID(metadata.Type),
		TelemetrySettings: telemetry.NewTelemetrySettings(),
		BuildInfo:         component.BuildInfo{Version: "1.2.3"},
	}
	settings.Logger = zap.New(core, zap.WithClock(clock))
	rcv, err := newReceiver(settings, cfg, next, clock.Now)
	require.NoError(t, err)
	r := &running{jiraReceiver: rcv, host: &statusHost{extensions: extensions}, telemetry: telemetry, logs: logs, clock: clock}
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		_ = r.Shutdown(ctx)
		require.NoError(t, telemetry.Shutdown(context.Background()))
	})
	return r
}

// request returns a request for the delivery path. Options change it.
func (r *running) request(t *testing.T, body []byte, options ...func(*http.Request)) *http.Request {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url(), bytes.NewReader(body))
	require.NoError(t, err)
	for _, option := range options {
		option(request)
	}
	return request
}

// post delivers a body and returns the answer.
func (r *running) post(t *testing.T, body []byte, options ...func(*http.Request)) (*http.Response, string) {
	t.Helper()
	return do(t, r.request(t, body, options...))
}

func do(t *testing.T, request *http.Request) (response *http.Response, answer string) {
	t.Helper()
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response, string(content)
}

// dial opens a connection of its own and sends what it is given.
func (r *running) dial(t *testing.T, text string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", r.server.Listener().Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	_, err = io.WriteString(conn, text)
	require.NoError(t, err)
	return conn
}

func readAnswer(t *testing.T, conn net.Conn) (response *http.Response, answer string) {
	t.Helper()
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response, string(content)
}

func withHeader(key, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(key, value) }
}

// numbered gives a delivery the number by which Jira tells its repetitions.
func numbered(id string) func(*http.Request) { return withHeader(headerDeliveryID, id) }

func withQuery(query string) func(*http.Request) {
	return func(r *http.Request) { r.URL.RawQuery = query }
}

// sink keeps what it accepts. It refuses with err, when set.
type sink struct {
	consumertest.LogsSink
	err error
}

func (s *sink) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	if s.err != nil {
		return s.err
	}
	return s.LogsSink.ConsumeLogs(ctx, logs)
}

// consumerFunc is a consumer made of a function.
type consumerFunc func(context.Context, plog.Logs) error

func (f consumerFunc) ConsumeLogs(ctx context.Context, logs plog.Logs) error { return f(ctx, logs) }

func (consumerFunc) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

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

// loadConfig does with a configuration what the collector does: resolve, unmarshal and validate.
func loadConfig(t *testing.T, uri string) (*Config, error) {
	t.Helper()
	resolver, err := confmap.NewResolver(confmap.ResolverSettings{
		URIs:              []string{uri},
		ProviderFactories: []confmap.ProviderFactory{fileprovider.NewFactory(), envprovider.NewFactory(), yamlprovider.NewFactory()},
	})
	require.NoError(t, err)
	conf, err := resolver.Resolve(t.Context())
	require.NoError(t, err)
	sub, err := conf.Sub("jira")
	require.NoError(t, err)
	cfg := createDefaultConfig().(*Config)
	if err := sub.Unmarshal(cfg); err != nil {
		return nil, err
	}
	return cfg, confmap.Validate(cfg)
}
