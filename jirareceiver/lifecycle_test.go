// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirareceiver

import (
	"bytes"
	"context"
	"crypto/tls"
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
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	collectorclient "go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/confignet"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pipeline"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap"

	"github.com/otel-jira/collector/jirareceiver/internal/metadata"
)

func TestStartFailsOnATakenPort(t *testing.T) {
	t.Parallel()
	r := start(t, consumertest.NewNop(), nil)
	cfg := createDefaultConfig().(*Config)
	cfg.ServerConfig.NetAddr.Endpoint = r.server.Listener().Addr().String()
	second, err := newReceiver(receivertest.NewNopSettings(metadata.Type), cfg, consumertest.NewNop(), time.Now)
	require.NoError(t, err)
	err = second.Start(t.Context(), componenttest.NewNopHost())
	require.ErrorIs(t, err, syscall.EADDRINUSE)
	assert.ErrorContains(t, err, "endpoint: another program or receiver listens on this address; set another port, or "+
		"for several Jira sites use one receiver with all secrets in signature::secrets: listen tcp")
	assert.NoError(t, second.Shutdown(t.Context()))
}

func TestStartWarnsWithoutAuthentication(t *testing.T) {
	t.Parallel()
	open := start(t, consumertest.NewNop(), nil)
	assert.Equal(t, 1, open.logs.FilterMessageSnippet("unauthenticated deliveries").Len())
	assert.Equal(t, 1, open.logs.FilterMessageSnippet("Waiting for Jira").FilterFieldKey("url").Len())
	closed := start(t, consumertest.NewNop(), requireToken)
	assert.Zero(t, closed.logs.FilterMessageSnippet("unauthenticated deliveries").Len())
}

func TestUndocumentedPatternsAreLogged(t *testing.T) {
	t.Parallel()
	r := start(t, consumertest.NewNop(), func(cfg *Config) {
		cfg.Events = EventsConfig{Include: []string{"jira.issue.update", "jira.sprint.*"}, Exclude: []string{"jira.issue.deleted", "jira.sprint.stopped"}}
	})
	assert.Equal(t, 1, r.logs.FilterMessageSnippet("Patterns of events::include").FilterField(zap.Strings("patterns", []string{"jira.issue.update"})).Len())
	assert.Equal(t, 1, r.logs.FilterMessageSnippet("Patterns of events::exclude").FilterField(zap.Strings("patterns", []string{"jira.sprint.stopped"})).Len())
}

func TestUnixSocket(t *testing.T) {
	t.Parallel()
	socket := filepath.Join(t.TempDir(), "jira.sock")
	next := &sink{}
	r := start(t, next, func(cfg *Config) {
		cfg.ServerConfig.NetAddr = confignet.AddrConfig{Transport: confignet.TransportTypeUnix, Endpoint: socket}
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

func TestShutdownLetsDeliveriesFinish(t *testing.T) {
	t.Parallel()
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

// TestShutdownCutsSendersThatStall checks that a shutdown ends a delivery whose body does not end.
func TestShutdownCutsSendersThatStall(t *testing.T) {
	t.Parallel()
	r := start(t, consumertest.NewNop(), nil)
	conn, err := net.Dial("tcp", r.server.Listener().Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "POST /jira/events HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{")
	require.NoError(t, err)
	require.Eventually(t, func() bool { return len(r.telemetry.SpanRecorder.Started()) > 1 }, waitLimit, time.Millisecond)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, r.Shutdown(ctx), context.Canceled)
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(waitLimit)))
	_, err = io.ReadAll(conn)
	assert.NotErrorIs(t, err, os.ErrDeadlineExceeded, "the connection is closed")
}

// TestShutdownDoesNotWaitForAPipelineThatIgnoresIt calls a pipeline that ignores its context.
func TestShutdownDoesNotWaitForAPipelineThatIgnoresIt(t *testing.T) {
	t.Parallel()
	entered, release := make(chan struct{}), make(chan struct{})
	r := start(t, &sink{consume: func(context.Context, plog.Logs) error {
		close(entered)
		<-release
		return nil
	}}, nil)
	status := r.inBackground(t)
	wait(t, entered, "delivery")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	assert.ErrorIs(t, r.Shutdown(ctx), context.Canceled)
	close(release)
	wait(t, status, "end of the connection")
}

// TestShutdownDoesNotWaitForStalledSenders stalls at each point of a request. The timeouts of the server are longer
// than the test.
func TestShutdownDoesNotWaitForStalledSenders(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits for a grace period of the server")
	}
	t.Parallel()
	for _, secured := range []bool{false, true} {
		t.Run(fmt.Sprintf("TLS %t", secured), func(t *testing.T) {
			t.Parallel()
			next := newGated()
			r := start(t, next, func(cfg *Config) {
				cfg.ServerConfig.ReadTimeout, cfg.ServerConfig.ReadHeaderTimeout = time.Hour, time.Hour
				if secured {
					withTLS(t, cfg)
				}
			})
			r.dial(t, "")
			for _, sent := range []string{"POST /jira", "POST /jira/events HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{"} {
				conn := r.dial(t, "")
				if secured {
					conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true})
				}
				_, err := io.WriteString(conn, sent)
				require.NoError(t, err)
			}
			client := r.newClient(t)
			stalled, more := io.Pipe()
			defer more.Close()
			go func() { _, _ = more.Write([]byte("{")) }()
			request := r.request(t, nil)
			request.Body = stalled
			go func() { _, _, _ = r.send(client, request) }()
			r.awaitHeld(t, 2)

			good := r.request(t, []byte(createdBody))
			answered := make(chan int, 1)
			go func() {
				status, version, _ := r.send(client, good)
				answered <- status * version
			}()
			wait(t, next.entered, "delivery")
			stopped := make(chan error, 1)
			go func() { stopped <- r.Shutdown(context.Background()) }()
			r.awaitHeld(t, len(createdBody)) // the others were cut
			close(next.release)
			assert.Equal(t, http.StatusOK*map[bool]int{false: 1, true: 2}[secured], wait(t, answered, "answer"))
			assert.NoError(t, wait(t, stopped, "shutdown"))
		})
	}
}

// TestShutdownWaitsForCallsOfSendersThatHungUp closes the HTTP/2 stream of a delivery while it is in the pipeline. The
// delivery must be in the cache before the storage closes.
func TestShutdownWaitsForCallsOfSendersThatHungUp(t *testing.T) {
	t.Parallel()
	next := newGated()
	r := start(t, next, func(cfg *Config) { deduplicate(cfg); cfg.AllowUnauthenticated = true; withTLS(t, cfg) })
	ctx, hangUp := context.WithCancel(t.Context())
	client := r.newClient(t)
	failed := make(chan error, 1)
	request := r.request(t, []byte(createdBody), withDeliveryID("1")).WithContext(ctx)
	go func() {
		_, _, err := r.send(client, request)
		failed <- err
	}()
	wait(t, next.entered, "delivery")
	hangUp()
	require.Error(t, wait(t, failed, "end of the request"))
	client.CloseIdleConnections()
	r.clock.held.Lock() // the cache reads the clock
	asked := r.clock.asked.Load()
	stopped := make(chan error, 1)
	go func() { stopped <- r.Shutdown(context.Background()) }()
	stillRunning := func(why string) {
		select {
		case <-stopped:
			assert.Fail(t, why)
		case <-time.After(20 * time.Millisecond): // a shutdown that does not wait needs less
		}
	}
	r.awaitClosed(t)
	stillRunning("a call is in progress")
	close(next.release)
	require.Eventually(t, func() bool { return r.clock.asked.Load() > asked }, waitLimit, time.Millisecond, "end of the call")
	stillRunning("the delivery is not in the cache yet")
	r.clock.held.Unlock()
	require.NoError(t, wait(t, stopped, "shutdown"))
	assert.Equal(t, 1, next.LogRecordCount())
	assert.Equal(t, 1, r.handler.cache.Len())
}

// TestShutdownAmidRequestsOfHTTP2 stops receivers while requests begin and end.
func TestShutdownAmidRequestsOfHTTP2(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it starts many receivers")
	}
	for i := range 20 {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			t.Parallel()
			r := start(t, consumertest.NewNop(), func(cfg *Config) { withTLS(t, cfg) })
			client := r.newClient(t)
			var accepted atomic.Int64
			var senders sync.WaitGroup
			for range 20 {
				senders.Go(func() {
					for {
						status, _, err := r.send(client, r.request(t, []byte(createdBody)))
						if err != nil || status != http.StatusOK {
							return
						}
						accepted.Add(1)
					}
				})
			}
			require.Eventually(t, func() bool { return accepted.Load() > 20 }, waitLimit, time.Millisecond)
			require.NoError(t, r.Shutdown(t.Context()))
			senders.Wait()
		})
	}
}

// TestShutdownDelay checks that deliveries are accepted within shutdown_delay.
func TestShutdownDelay(t *testing.T) {
	t.Parallel()
	next := &sink{}
	r := start(t, next, func(cfg *Config) { cfg.ShutdownDelay = time.Hour })
	response, _ := r.post(t, []byte(createdBody))
	assert.False(t, response.Close)
	ctx, cancel := context.WithCancel(t.Context())
	stopped := make(chan error, 1)
	go func() { stopped <- r.Shutdown(ctx) }()
	require.Eventually(t, r.handler.health.draining.Load, waitLimit, time.Millisecond)

	r.assertHealth(t, "shutting_down", "within the delay")
	response, answer := r.post(t, []byte(createdBody))
	r.assertResponse(t, "", response, answer)
	assert.True(t, response.Close, "the sender uses another connection next")
	assert.Equal(t, 2, next.LogRecordCount())
	cancel()
	wait(t, stopped, "shutdown")
	r.awaitClosed(t)
}

// TestHandoverAnswersTheLastConnection connects at the end of the delay, and sends the request later.
func TestHandoverAnswersTheLastConnection(t *testing.T) {
	next := &sink{}
	r := start(t, next, func(cfg *Config) { cfg.ShutdownDelay = time.Millisecond })
	conn := r.dial(t, "")
	stopped := make(chan error, 1)
	go func() { stopped <- r.Shutdown(context.Background()) }()
	r.awaitClosed(t)
	_, err := fmt.Fprintf(conn, "POST /jira/events HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", len(createdBody), createdBody)
	require.NoError(t, err)
	response, answer := r.readResponse(t, conn)
	r.assertResponse(t, "", response, answer)
	require.NoError(t, wait(t, stopped, "shutdown"))
}

// TestNoCallBeginsOnceAborted checks that no late delivery enters the pipeline.
func TestNoCallBeginsOnceAborted(t *testing.T) {
	t.Parallel()
	next := &sink{}
	r := start(t, next, nil)
	r.handler.calls.Abort(0)
	response, _ := r.post(t, []byte(createdBody))
	assert.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
	assert.Zero(t, next.LogRecordCount())
}

// TestNothingIsDeliveredAfterShutdown sends deliveries while the receiver stops, and compares the accepted deliveries
// with the calls of the pipeline.
func TestNothingIsDeliveredAfterShutdown(t *testing.T) {
	t.Parallel()
	var stopped atomic.Bool
	var late, delivered, accepted atomic.Int64
	r := start(t, &sink{consume: func(_ context.Context, logs plog.Logs) error {
		if stopped.Load() {
			late.Add(1)
		}
		delivered.Add(int64(logs.LogRecordCount()))
		return nil
	}}, nil)
	url := r.url()
	var senders sync.WaitGroup
	for range 8 {
		senders.Go(func() {
			for {
				response, err := r.client.Post(url, "application/json", strings.NewReader(createdBody))
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
	require.Eventually(t, func() bool { return accepted.Load() > 100 }, waitLimit, time.Millisecond)
	require.NoError(t, r.Shutdown(context.Background()))
	stopped.Store(true)
	senders.Wait()
	assert.Zero(t, late.Load())
	assert.LessOrEqual(t, accepted.Load(), delivered.Load(), "accepted and not delivered")
}

// TestHangingUpLosesNothing closes the connection before the response.
func TestHangingUpLosesNothing(t *testing.T) {
	t.Parallel()
	next := newGated()
	r := start(t, next, nil)
	ctx, hangUp := context.WithCancel(t.Context())
	request := r.request(t, []byte(createdBody)).WithContext(ctx)
	done := make(chan error, 1)
	go func() {
		response, err := r.client.Do(request)
		if err == nil {
			response.Body.Close()
		}
		done <- err
	}()
	wait(t, next.entered, "delivery")
	hangUp()
	require.Error(t, wait(t, done, "end of the request"))
	close(next.release)
	assert.Eventually(t, func() bool { return next.LogRecordCount() == 1 }, waitLimit, time.Millisecond)
}

func TestDeadListenerIsFatal(t *testing.T) {
	t.Parallel()
	r := start(t, consumertest.NewNop(), nil)
	require.NoError(t, r.server.Listener().Close())
	require.Eventually(t, func() bool { return len(r.host.reported()) == 1 }, waitLimit, time.Millisecond)
	event := r.host.reported()[0]
	assert.Equal(t, componentstatus.StatusFatalError, event.Status())
	assert.ErrorIs(t, event.Err(), net.ErrClosed)
}

func TestShutdownIsNotFatal(t *testing.T) {
	t.Parallel()
	r := start(t, consumertest.NewNop(), nil)
	require.NoError(t, r.Shutdown(t.Context()))
	require.NoError(t, r.Shutdown(t.Context()))
	assert.Empty(t, r.host.reported())
}

// TestConsumeContract runs the check of the collector, with a sender that repeats deliveries as Jira does, and once
// more, as after a lost response.
func TestConsumeContract(t *testing.T) {
	t.Parallel()
	factory := &contractFactory{}
	cfg := createDefaultConfig().(*Config)
	cfg.ServerConfig.NetAddr.Endpoint = "localhost:0"
	cfg.AllowUnauthenticated = true
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

// contractFactory makes receivers for the checker, and deliveries for the receivers. They come one after the other: for
// the checker, a permanent error of a group is final for each of its deliveries. TestGroups has groups.
type contractFactory struct {
	mu       sync.Mutex
	receiver *jiraReceiver
	client   *http.Client
	sequence atomic.Int64
}

func (f *contractFactory) factory() receiver.Factory {
	return receiver.NewFactory(metadata.Type, createDefaultConfig, receiver.WithLogs(f.createLogs, component.StabilityLevelAlpha))
}

func (f *contractFactory) createLogs(
	ctx context.Context, settings receiver.Settings, cfg component.Config, next consumer.Logs,
) (receiver.Logs, error) {
	named := &sink{consume: func(ctx context.Context, logs plog.Logs) error {
		attrs := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes()
		id, _ := attrs.Get("jira.issue.key")
		attrs.PutStr(receivertest.UniqueIDAttrName, id.Str())
		return next.ConsumeLogs(ctx, logs)
	}}
	r, err := createLogs(ctx, settings, cfg, named)
	f.receiver = r.(*jiraReceiver)
	return r, err
}

// Start creates a client with one connection. A second one, on which nothing is sent, would delay the shutdown.
func (f *contractFactory) Start() {
	f.client = &http.Client{Timeout: waitLimit, Transport: &http.Transport{MaxConnsPerHost: 1}}
}

func (f *contractFactory) Stop() { f.client.CloseIdleConnections() }

// Generate delivers an event until it is accepted or refused for good. When it is accepted, it is delivered once more.
func (f *contractFactory) Generate() []receivertest.UniqueIDAttrVal {
	f.mu.Lock()
	defer f.mu.Unlock()
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

// TestGroups sends deliveries during a call of the pipeline. The next call takes all of them, and a record that the
// pipeline refuses permanently fails alone. With include_metadata, each delivery keeps its own context, and so its own
// call.
func TestGroups(t *testing.T) {
	t.Parallel()
	const deliveries = 5
	var largest atomic.Int64 // number of records of a call
	var release chan struct{}
	entered := make(chan struct{}, 100)
	next := &sink{consume: func(_ context.Context, logs plog.Logs) error {
		largest.Store(max(largest.Load(), int64(logs.LogRecordCount())))
		entered <- struct{}{}
		<-release
		for _, record := range logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
			if id, _ := record.Attributes().Get("jira.webhook.id"); id.Str() == "poison" {
				return consumererror.NewPermanent(errors.New("bad"))
			}
		}
		return nil
	}}
	// sendAll reports whether all deliveries after the first one went in one group.
	sendAll := func(r *testReceiver, alone bool) bool {
		release = make(chan struct{})
		good := []<-chan int{r.inBackground(t)}
		wait(t, entered, "first call")
		poison := r.inBackground(t, withDeliveryID("poison"))
		for range deliveries - 2 {
			good = append(good, r.inBackground(t))
		}
		r.awaitHeld(t, deliveries*len(createdBody))
		for range deliveries - 1 {
			if alone {
				wait(t, entered, "call beside it")
			}
		}
		close(release)
		for _, status := range good {
			assert.Equal(t, http.StatusOK, wait(t, status, "answer"))
		}
		assert.Equal(t, http.StatusUnprocessableEntity, wait(t, poison, "answer"))
		for len(entered) > 0 {
			<-entered
		}
		return largest.Load() == deliveries-1
	}

	withMetadata := start(t, next, func(cfg *Config) { cfg.ServerConfig.IncludeMetadata = true })
	assert.False(t, sendAll(withMetadata, true))
	assert.EqualValues(t, 1, largest.Load())
	r := start(t, next, nil)
	for attempt := 0; !sendAll(r, false); attempt++ {
		require.Less(t, attempt, 100)
	}
}

// TestNoGroupAfterShutdown has a pipeline that ignores the end of its context. Deliveries that wait for its call never
// reach it.
func TestNoGroupAfterShutdown(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	entered, release := make(chan struct{}, 10), make(chan struct{})
	r := start(t, &sink{consume: func(context.Context, plog.Logs) error {
		calls.Add(1)
		entered <- struct{}{}
		<-release
		return nil
	}}, nil)
	statuses := []<-chan int{r.inBackground(t)}
	wait(t, entered, "first call")
	for range 2 {
		statuses = append(statuses, r.inBackground(t))
	}
	r.awaitHeld(t, len(statuses)*len(createdBody))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.Error(t, r.Shutdown(ctx))
	close(release)
	for _, status := range statuses {
		wait(t, status, "end")
	}
	assert.EqualValues(t, 1, calls.Load())
}

// TestGroupsHaveNoClient checks that records of a group cannot get the address of the client of another delivery.
func TestGroupsHaveNoClient(t *testing.T) {
	t.Parallel()
	for _, includeMetadata := range []bool{false, true} {
		var info collectorclient.Info
		r := start(t, &sink{consume: func(ctx context.Context, _ plog.Logs) error {
			info = collectorclient.FromContext(ctx)
			return nil
		}}, func(cfg *Config) { cfg.ServerConfig.IncludeMetadata = includeMetadata })
		r.post(t, []byte(createdBody))
		assert.Equal(t, includeMetadata, info.Addr != nil)
	}
}
