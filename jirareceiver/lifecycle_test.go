// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirareceiver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
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
	"go.opentelemetry.io/collector/config/confignet"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pipeline"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otel-jira/collector/jirareceiver/internal/metadata"
)

// patience bounds every wait of these tests. None of them measures time.
const patience = 10 * time.Second

// gated is a consumer whose calls wait until they are let go, or cancelled.
type gated struct {
	consumertest.LogsSink
	entered   chan struct{}
	release   chan struct{}
	cancelled atomic.Int64
}

func newGated() *gated {
	return &gated{entered: make(chan struct{}, 100), release: make(chan struct{})}
}

func (g *gated) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	g.entered <- struct{}{}
	select {
	case <-g.release:
		return g.LogsSink.ConsumeLogs(ctx, logs)
	case <-ctx.Done():
		g.cancelled.Add(1)
		return ctx.Err()
	}
}

// wait fails the test when nothing comes from the channel.
func wait[T any](t *testing.T, c <-chan T, what string) (value T) {
	t.Helper()
	select {
	case value = <-c:
	case <-time.After(patience):
		require.FailNow(t, "waited in vain", what)
	}
	return value
}

// inBackground delivers a body and returns the status of the answer, or 0 when there is none.
func (r *running) inBackground(t *testing.T, options ...func(*http.Request)) <-chan int {
	t.Helper()
	request := r.request(t, []byte(createdBody), options...)
	status := make(chan int, 1)
	go func() {
		defer close(status)
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			response.Body.Close()
			status <- response.StatusCode
		}
	}()
	return status
}

// awaitClosed waits until new senders find nobody, which makes Jira Cloud try again.
func (r *running) awaitClosed(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", r.server.Listener().Addr().String())
		if err == nil {
			conn.Close()
		}
		return err != nil
	}, patience, time.Millisecond)
}

func TestShutdownLetsDeliveriesFinish(t *testing.T) {
	next := newGated()
	r := start(t, next, nil)
	status := r.inBackground(t)
	wait(t, next.entered, "delivery")

	stopped := make(chan error, 1)
	go func() { stopped <- r.Shutdown(context.Background()) }()
	r.awaitClosed(t)

	close(next.release)
	assert.Equal(t, http.StatusOK, wait(t, status, "answer"))
	assert.NoError(t, wait(t, stopped, "shutdown"))
	assert.Equal(t, 1, next.LogRecordCount())
}

func TestShutdownCancelsDeliveriesAtItsDeadline(t *testing.T) {
	next := newGated()
	r := start(t, next, nil)
	status := r.inBackground(t)
	wait(t, next.entered, "delivery")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()

	err := r.Shutdown(ctx)

	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Equal(t, int64(1), next.cancelled.Load(), "the pipeline let go before Shutdown returned")
	assert.NotEqual(t, http.StatusOK, wait(t, status, "answer"))
	assert.Zero(t, next.LogRecordCount())
}

// TestShutdownCutsSendersThatStall has a sender that never ends its delivery.
func TestShutdownCutsSendersThatStall(t *testing.T) {
	r := start(t, consumertest.NewNop(), nil)
	conn, err := net.Dial("tcp", r.server.Listener().Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "POST /jira/events HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{")
	require.NoError(t, err)
	require.Eventually(t, func() bool { return len(r.telemetry.SpanRecorder.Started()) > 1 }, patience, time.Millisecond)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, r.Shutdown(ctx), context.Canceled)
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(patience)))
	_, err = io.ReadAll(conn)
	assert.NotErrorIs(t, err, os.ErrDeadlineExceeded, "the connection is closed")
}

// TestShutdownDoesNotWaitForADeafPipeline has a pipeline that ignores that it is cancelled.
func TestShutdownDoesNotWaitForADeafPipeline(t *testing.T) {
	t.Parallel()
	entered, release := make(chan struct{}), make(chan struct{})
	r := start(t, consumerFunc(func(context.Context, plog.Logs) error {
		close(entered)
		<-release
		return nil
	}), nil)
	status := r.inBackground(t)
	wait(t, entered, "delivery")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	assert.ErrorIs(t, r.Shutdown(ctx), context.Canceled)
	close(release)
	wait(t, status, "end of the connection")
}

// TestNoCallBeginsOnceAborted is what keeps late deliveries out of the pipeline.
func TestNoCallBeginsOnceAborted(t *testing.T) {
	next := &sink{}
	r := start(t, next, nil)
	r.handler.calls.Abort(0)
	response, _ := r.post(t, []byte(createdBody))
	assert.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
	assert.Zero(t, next.LogRecordCount())
}

// TestNothingIsDeliveredAfterShutdown keeps sending while the receiver stops, and compares what was accepted with what
// arrived.
func TestNothingIsDeliveredAfterShutdown(t *testing.T) {
	var stopped atomic.Bool
	var late, delivered, accepted atomic.Int64
	r := start(t, consumerFunc(func(context.Context, plog.Logs) error {
		if stopped.Load() {
			late.Add(1)
		}
		delivered.Add(1)
		return nil
	}), nil)
	url := r.url()
	var senders sync.WaitGroup
	for range 8 {
		senders.Go(func() {
			for {
				response, err := http.Post(url, "application/json", strings.NewReader(createdBody))
				if err != nil {
					return
				}
				if response.StatusCode == http.StatusOK {
					accepted.Add(1)
				}
				_ = response.Body.Close()
			}
		})
	}
	require.Eventually(t, func() bool { return accepted.Load() > 100 }, patience, time.Millisecond)
	require.NoError(t, r.Shutdown(context.Background()))
	stopped.Store(true)
	senders.Wait()
	assert.Zero(t, late.Load())
	assert.LessOrEqual(t, accepted.Load(), delivered.Load(), "accepted and not delivered")
}

// TestHangingUpLosesNothing has a sender that does not wait for the answer, and does not try again.
func TestHangingUpLosesNothing(t *testing.T) {
	next := newGated()
	r := start(t, next, nil)
	ctx, hangUp := context.WithCancel(t.Context())
	request := r.request(t, []byte(createdBody)).WithContext(ctx)
	done := make(chan error, 1)
	go func() {
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			response.Body.Close()
		}
		done <- err
	}()
	wait(t, next.entered, "delivery")
	hangUp()
	require.Error(t, wait(t, done, "end of the request"))
	close(next.release)
	assert.Eventually(t, func() bool { return next.LogRecordCount() == 1 }, patience, time.Millisecond)
}

func TestDeadListenerIsFatal(t *testing.T) {
	r := start(t, consumertest.NewNop(), nil)
	require.NoError(t, r.server.Listener().Close())
	require.Eventually(t, func() bool { return len(r.host.reported()) == 1 }, patience, time.Millisecond)
	event := r.host.reported()[0]
	assert.Equal(t, componentstatus.StatusFatalError, event.Status())
	assert.ErrorIs(t, event.Err(), net.ErrClosed)
}

func TestShutdownIsNotFatal(t *testing.T) {
	r := start(t, consumertest.NewNop(), nil)
	require.NoError(t, r.Shutdown(t.Context()))
	require.NoError(t, r.Shutdown(t.Context()))
	assert.Empty(t, r.host.reported())
}

func TestStartFailsOnATakenPort(t *testing.T) {
	r := start(t, consumertest.NewNop(), nil)
	cfg := createDefaultConfig().(*Config)
	cfg.Server.NetAddr.Endpoint = r.server.Listener().Addr().String()
	second, err := newReceiver(receivertest.NewNopSettings(metadata.Type), cfg, consumertest.NewNop(), time.Now)
	require.NoError(t, err)
	require.ErrorContains(t, second.Start(t.Context(), componenttest.NewNopHost()), "address already in use")
	assert.NoError(t, second.Shutdown(t.Context()))
}

func TestStartSaysThatNobodyIsAuthenticated(t *testing.T) {
	open := start(t, consumertest.NewNop(), nil)
	assert.Equal(t, 1, open.logs.FilterMessageSnippet("unauthenticated deliveries").Len())
	assert.Equal(t, 1, open.logs.FilterMessageSnippet("Waiting for Jira").FilterFieldKey("url").Len())
	closed := start(t, consumertest.NewNop(), requireToken)
	assert.Zero(t, closed.logs.FilterMessageSnippet("unauthenticated deliveries").Len())
}

func TestUnixSocket(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "jira.sock")
	next := &sink{}
	r := start(t, next, func(cfg *Config) {
		cfg.Server.NetAddr = confignet.AddrConfig{Transport: confignet.TransportTypeUnix, Endpoint: socket}
	})
	assert.Equal(t, "unix:"+socket+"/jira/events", r.url())
	client := &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return net.Dial("unix", socket) }}}
	defer client.CloseIdleConnections()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://jira/jira/events", strings.NewReader(createdBody))
	require.NoError(t, err)
	response, err := client.Do(request)
	require.NoError(t, err)
	response.Body.Close()
	assert.Equal(t, 1, next.LogRecordCount())
}

// TestConsumeContract runs the collector's own check, with a sender that tries again when Jira would, and once more, as when
// an answer is lost on its way.
func TestConsumeContract(t *testing.T) {
	factory := &contractFactory{}
	cfg := createDefaultConfig().(*Config)
	cfg.Server.NetAddr.Endpoint = "localhost:0"
	cfg.Jira.AllowUnauthenticated = true
	deliveries := 1000
	if testing.Short() {
		deliveries = 50
	}
	receivertest.CheckConsumeContract(receivertest.CheckConsumeContractParams{
		T:             t,
		Factory:       factory.factory(),
		Signal:        pipeline.SignalLogs,
		Config:        cfg,
		Generator:     factory,
		GenerateCount: deliveries,
	})
}

// contractFactory makes receivers for the checker, and deliveries for the receivers.
type contractFactory struct {
	receiver *jiraReceiver
	client   *http.Client
	sequence atomic.Int64
}

func (f *contractFactory) factory() receiver.Factory {
	return receiver.NewFactory(metadata.Type, createDefaultConfig, receiver.WithLogs(f.createLogs, component.StabilityLevelAlpha))
}

func (f *contractFactory) createLogs(ctx context.Context, settings receiver.Settings, cfg component.Config, next consumer.Logs) (receiver.Logs, error) {
	named := consumerFunc(func(ctx context.Context, logs plog.Logs) error {
		attrs := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes()
		id, _ := attrs.Get("jira.issue.key")
		attrs.PutStr(receivertest.UniqueIDAttrName, id.Str())
		return next.ConsumeLogs(ctx, logs)
	})
	r, err := createLogs(ctx, settings, cfg, named)
	f.receiver = r.(*jiraReceiver)
	return r, err
}

func (f *contractFactory) Start() { f.client = &http.Client{Timeout: patience} }

func (f *contractFactory) Stop() { f.client.CloseIdleConnections() }

// Generate delivers an event until it is accepted or refused for good. When it is accepted, it is delivered once more.
func (f *contractFactory) Generate() []receivertest.UniqueIDAttrVal {
	id := fmt.Sprintf("OPS-%d", f.sequence.Add(1))
	status := f.send(id, 0)
	for retry := 1; status == http.StatusServiceUnavailable; retry++ {
		status = f.send(id, retry)
	}
	if status == http.StatusOK && f.send(id, 1) != http.StatusOK {
		panic("a duplicate was refused")
	}
	return []receivertest.UniqueIDAttrVal{receivertest.UniqueIDAttrVal(id)}
}

func (f *contractFactory) send(id string, retry int) (status int) {
	body := fmt.Appendf(nil, `{"webhookEvent": "jira:issue_created", "issue": {"key": %q}}`, id)
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, f.receiver.url(), bytes.NewReader(body))
	if err != nil {
		panic(err)
	}
	request.Header.Set(headerDeliveryID, "delivery of "+id)
	if retry > 0 {
		request.Header.Set(headerRetryCount, strconv.Itoa(retry))
	}
	response, err := f.client.Do(request)
	if err != nil {
		panic(errors.Join(errors.New("the receiver did not answer"), err))
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode
}
