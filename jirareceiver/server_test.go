// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirareceiver

import (
	"bufio"
	"bytes"
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
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configtls"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/zap"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/otel-jira/collector/jirareceiver/internal/metadatatest"
)

// withTLS gives the receiver a certificate that nobody trusts.
func withTLS(t *testing.T, cfg *Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	encodedKey, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	cfg.Server.TLS = configoptional.Some(configtls.ServerConfig{Config: configtls.Config{
		CertPem: configopaque.String(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})),
		KeyPem:  configopaque.String(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encodedKey})),
	}})
}

// newClient returns a client with connections of its own, which speak HTTP/2 over TLS.
func newClient(t *testing.T) *http.Client {
	t.Helper()
	transport := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: patience}
}

// send returns the status and the version of the answer, or an error that the connection has.
func send(client *http.Client, request *http.Request) (status, version int, err error) {
	response, err := client.Do(request)
	if err != nil {
		return 0, 0, err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, response.ProtoMajor, err
}

// assertClosed waits for the receiver to close a connection. What it answers before does not matter.
func assertClosed(t *testing.T, conn net.Conn, name string) {
	t.Helper()
	_, err := io.Copy(io.Discard, conn)
	assert.False(t, err != nil && strings.Contains(err.Error(), "timeout"), "%s is still open", name)
}

// TestStrangersMakeRoom opens more connections than there may be. A sender of authentic deliveries keeps its own, and a new one
// gets in.
func TestStrangersMakeRoom(t *testing.T) {
	const limit = 4
	next := &sink{}
	r := start(t, next, func(cfg *Config) { requireSignature(cfg); cfg.Jira.MaxConnections = limit })
	jira := newClient(t)
	authentic := func() *http.Request { return r.request(t, []byte(createdBody), signedWith(secret, createdBody)) }
	status, _, err := send(jira, authentic())
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status)

	var strangers []net.Conn
	for i := range 3 * limit {
		sent := []string{"", "POST /jira/events HTTP/1.1\r\nHost: ", fmt.Sprintf("POST /jira/events HTTP/1.1\r\nHost: a\r\nX-Hub-Signature: %s\r\nContent-Length: 9\r\n\r\n{", forged)}[i%3]
		strangers = append(strangers, r.dial(t, sent))
		require.Eventually(t, func() bool { return r.server.Connections() == min(i+2, limit) }, patience, time.Millisecond)
	}
	for i, conn := range strangers[:len(strangers)-limit+1] {
		assertClosed(t, conn, fmt.Sprintf("stranger %d", i))
	}
	for _, client := range []*http.Client{jira, newClient(t)} {
		status, _, err := send(client, authentic())
		require.NoError(t, err)
		assert.Equal(t, http.StatusOK, status)
	}
	assert.Equal(t, 3, next.LogRecordCount())
	metadatatest.AssertEqualReceiverJiraEvictedConnections(t, r.telemetry,
		[]metricdata.DataPoint[int64]{{Value: 2*limit + 2, Attributes: byReceiver}}, measured()...)
	assert.Len(t, r.logs.FilterMessageSnippet("max_connections").All(), 1)
}

// TestStrangersAreAlikeWithoutAuthentication has connections that nothing authenticates. None of them may keep others out.
func TestStrangersAreAlikeWithoutAuthentication(t *testing.T) {
	const limit = 4
	r := start(t, consumertest.NewNop(), func(cfg *Config) { cfg.Jira.MaxConnections = limit })
	for range 2 * limit {
		response, err := newClient(t).Do(r.request(t, []byte(createdBody)))
		require.NoError(t, err)
		response.Body.Close()
		assert.Equal(t, http.StatusOK, response.StatusCode)
	}
}

// TestHeadersAreBounded sends more of them than Jira and any proxy do.
func TestHeadersAreBounded(t *testing.T) {
	r := start(t, consumertest.NewNop(), nil)
	conn := r.dial(t, "POST /jira/events HTTP/1.1\r\nHost: a\r\n"+strings.Repeat("a:\r\n", 3100)+"\r\n")
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	defer response.Body.Close()
	assert.Equal(t, http.StatusRequestHeaderFieldsTooLarge, response.StatusCode)
	response, _ = r.post(t, []byte(createdBody), withHeader("X-Proxy", strings.Repeat("a", 7000)))
	assert.Equal(t, http.StatusOK, response.StatusCode)
}

// TestUnverifiedBodiesMakeRoom has strangers fill the room with bodies that they do not end.
func TestUnverifiedBodiesMakeRoom(t *testing.T) {
	const room, strangers, each = 10_000, 7, 2000
	next := &sink{}
	r := start(t, next, func(cfg *Config) {
		requireSignature(cfg)
		cfg.Server.MaxRequestBodySize, cfg.Jira.Admission.MaxInFlightBytes = room, room
	})
	connections := make([]net.Conn, strangers)
	for i := range connections {
		connections[i] = r.dial(t, fmt.Sprintf("POST /jira/events HTTP/1.1\r\nHost: a\r\nX-Hub-Signature: %s\r\nContent-Length: 9000\r\n\r\n%s", forged, strings.Repeat(" ", each)))
		r.awaitHeld(t, min((i+1)*each, room))
	}
	r.assertHealth(t, toldOK, "strangers hold all the room")
	for _, conn := range connections[:2] {
		response, answer := readAnswer(t, conn)
		assertTold(t, toldOverCapacity, response, answer)
	}
	for i := range 3 {
		body := fmt.Sprintf(`{"a": %q}`, strings.Repeat("a", i*each))
		response, answer := r.post(t, []byte(body), signedWith(secret, body))
		assertTold(t, toldOK, response, answer)
	}
	assert.Equal(t, 3, next.LogRecordCount())
}

// TestVerifiedBodiesMakeNoRoom has a stranger's body arrive while an authentic one is in the pipeline.
func TestVerifiedBodiesMakeNoRoom(t *testing.T) {
	next := newGated()
	r := start(t, next, func(cfg *Config) {
		requireSignature(cfg)
		cfg.Server.MaxRequestBodySize, cfg.Jira.Admission.MaxInFlightBytes = 1000, 1000
	})
	status := r.inBackground(t, signedWith(secret, createdBody))
	wait(t, next.entered, "delivery")
	response, answer := readAnswer(t, r.dial(t, fmt.Sprintf("POST /jira/events HTTP/1.1\r\nHost: a\r\nX-Hub-Signature: %s\r\nTransfer-Encoding: chunked\r\n\r\n3e0\r\n%s", forged, strings.Repeat(" ", 0x3e0))))
	assertTold(t, toldOverCapacity, response, answer)
	assertInFlight(t, r, int64(len(createdBody)))
	close(next.release)
	assert.Equal(t, http.StatusOK, wait(t, status, "answer"))
}

// TestShutdownDoesNotWaitForStrangers has senders that stall wherever they can. Their own time-outs are longer than the test's.
func TestShutdownDoesNotWaitForStrangers(t *testing.T) {
	t.Parallel()
	for _, secured := range []bool{false, true} {
		t.Run(fmt.Sprintf("TLS %t", secured), func(t *testing.T) {
			t.Parallel()
			next := newGated()
			r := start(t, next, func(cfg *Config) {
				cfg.Server.ReadTimeout, cfg.Server.ReadHeaderTimeout = time.Hour, time.Hour
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
			client := newClient(t)
			stalled, more := io.Pipe()
			defer more.Close()
			go func() { _, _ = more.Write([]byte("{")) }()
			request := r.request(t, nil)
			request.Body = stalled
			go func() { _, _, _ = send(client, request) }()
			r.awaitHeld(t, 2)

			good := r.request(t, []byte(createdBody))
			answered := make(chan int, 1)
			go func() {
				status, version, _ := send(client, good)
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

// TestShutdownWaitsForCallsOfSendersThatHungUp has a delivery of HTTP/2 whose stream is gone. Its call is not, and neither is what
// follows on it: the delivery must be remembered before the storage closes.
func TestShutdownWaitsForCallsOfSendersThatHungUp(t *testing.T) {
	t.Parallel()
	next := newGated()
	r := start(t, next, func(cfg *Config) { deduplicate(cfg); cfg.Jira.AllowUnauthenticated = true; withTLS(t, cfg) })
	ctx, hangUp := context.WithCancel(t.Context())
	client := newClient(t)
	failed := make(chan error, 1)
	request := r.request(t, []byte(createdBody), numbered("1")).WithContext(ctx)
	go func() {
		_, _, err := send(client, request)
		failed <- err
	}()
	wait(t, next.entered, "delivery")
	hangUp()
	require.Error(t, wait(t, failed, "end of the request"))
	client.CloseIdleConnections()
	r.clock.held.Lock() // which remembering has to ask
	asked := r.clock.asked.Load()
	stopped := make(chan error, 1)
	go func() { stopped <- r.Shutdown(context.Background()) }()
	r.awaitClosed(t)
	assertNotStopped(t, stopped, "a call is under way")
	close(next.release)
	require.Eventually(t, func() bool { return r.clock.asked.Load() > asked }, patience, time.Millisecond, "end of the call")
	assertNotStopped(t, stopped, "the delivery is not remembered yet")
	r.clock.held.Unlock()
	require.NoError(t, wait(t, stopped, "shutdown"))
	assert.Equal(t, 1, next.LogRecordCount())
	assert.Equal(t, 1, r.handler.cache.Len())
}

func assertNotStopped(t *testing.T, stopped <-chan error, why string) {
	t.Helper()
	select {
	case <-stopped:
		assert.Fail(t, why)
	case <-time.After(100 * time.Millisecond):
	}
}

// frameSize is the most bytes of a frame of HTTP/2.
const frameSize = 16 << 10

// rawStream opens a connection of HTTP/2 that has no window for any answer, and begins a request without an end. It returns the
// settings of the server.
func (r *running) rawStream(t *testing.T, method string, body int) map[http2.SettingID]uint32 {
	t.Helper()
	conn := tls.Client(r.dial(t, ""), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	_, err := io.WriteString(conn, http2.ClientPreface)
	require.NoError(t, err)
	framer := http2.NewFramer(conn, conn)
	require.NoError(t, framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0}))
	frame, err := framer.ReadFrame()
	require.NoError(t, err)
	settings := map[http2.SettingID]uint32{}
	require.NoError(t, frame.(*http2.SettingsFrame).ForeachSetting(func(s http2.Setting) error {
		settings[s.ID] = s.Val
		return nil
	}))
	require.NoError(t, framer.WriteSettingsAck())
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for _, field := range [][2]string{{":method", method}, {":scheme", "https"}, {":authority", "a"}, {":path", defaultPath}} {
		require.NoError(t, encoder.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]}))
	}
	require.NoError(t, framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes(), EndHeaders: true}))
	for ; body > 0; body -= frameSize {
		require.NoError(t, framer.WriteData(1, false, make([]byte, min(body, frameSize))))
	}
	return settings
}

// TestHTTP2IsBounded reads what the server allows a connection.
func TestHTTP2IsBounded(t *testing.T) {
	r := start(t, consumertest.NewNop(), func(cfg *Config) { requireSignature(cfg); withTLS(t, cfg) })
	settings := r.rawStream(t, http.MethodPost, 0)
	assert.EqualValues(t, 30, settings[http2.SettingMaxConcurrentStreams])
	assert.EqualValues(t, frameSize, settings[http2.SettingMaxFrameSize])
	assert.EqualValues(t, 128<<10, settings[http2.SettingInitialWindowSize])
	assert.LessOrEqual(t, settings[http2.SettingMaxHeaderListSize], uint32(9<<10))
}

// TestHTTP2CountsForItsRequests opens two connections, each of which may carry more than half of the requests that there may be.
func TestHTTP2CountsForItsRequests(t *testing.T) {
	r := start(t, consumertest.NewNop(), func(cfg *Config) {
		requireSignature(cfg)
		withTLS(t, cfg)
		cfg.Jira.MaxConnections = 2 * 30
	})
	r.rawStream(t, http.MethodGet, 0)
	require.Eventually(t, func() bool { return r.server.Connections() == 1 }, patience, time.Millisecond)
	r.rawStream(t, http.MethodGet, 0)
	require.Eventually(t, func() bool { return r.logs.FilterMessageSnippet("max_connections").Len() == 1 }, patience, time.Millisecond)
	require.Eventually(t, func() bool { return r.server.Connections() == 1 }, patience, time.Millisecond)
	client := newClient(t)
	for range 2 * 30 {
		status, version, err := send(client, r.request(t, []byte(createdBody), signedWith(secret, createdBody)))
		require.NoError(t, err)
		assert.Equal(t, http.StatusOK*2, status*version)
	}
}

// TestSendersThatTakeNoAnswer keep neither a request nor a stop for long: the time-out of an answer is an hour.
func TestSendersThatTakeNoAnswer(t *testing.T) {
	t.Parallel()
	r := start(t, consumertest.NewNop(), func(cfg *Config) {
		requireSignature(cfg)
		withTLS(t, cfg)
		cfg.Server.WriteTimeout = time.Hour
	})
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		r.rawStream(t, method, 5*frameSize)
	}
	require.Eventually(t, func() bool { return len(r.telemetry.SpanRecorder.Ended()) >= 2 }, patience, time.Millisecond)
	stopped := make(chan error, 1)
	go func() { stopped <- r.Shutdown(context.Background()) }()
	assert.NoError(t, wait(t, stopped, "shutdown"))
}

// TestShutdownAmidRequestsOfHTTP2 stops receivers while requests begin and end.
func TestShutdownAmidRequestsOfHTTP2(t *testing.T) {
	receivers := 20
	if testing.Short() {
		receivers = 2
	}
	for i := range receivers {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			t.Parallel()
			r := start(t, consumertest.NewNop(), func(cfg *Config) { withTLS(t, cfg) })
			client := newClient(t)
			var accepted atomic.Int64
			var senders sync.WaitGroup
			for range 20 {
				senders.Go(func() {
					for {
						status, _, err := send(client, r.request(t, []byte(createdBody)))
						if err != nil || status != http.StatusOK {
							return
						}
						accepted.Add(1)
					}
				})
			}
			require.Eventually(t, func() bool { return accepted.Load() > 20 }, patience, time.Millisecond)
			require.NoError(t, r.Shutdown(t.Context()))
			senders.Wait()
		})
	}
}

// TestShutdownDelay has a receiver that is to stop, and still takes what comes.
func TestShutdownDelay(t *testing.T) {
	next := &sink{}
	r := start(t, next, func(cfg *Config) { cfg.Jira.ShutdownDelay = time.Hour })
	response, _ := r.post(t, []byte(createdBody))
	assert.False(t, response.Close)
	ctx, cancel := context.WithCancel(t.Context())
	stopped := make(chan error, 1)
	go func() { stopped <- r.Shutdown(ctx) }()
	require.Eventually(t, r.handler.health.draining.Load, patience, time.Millisecond)

	r.assertHealth(t, toldShuttingDown, "within the delay")
	response, answer := r.post(t, []byte(createdBody))
	assertTold(t, toldOK, response, answer)
	assert.True(t, response.Close, "the sender uses another connection next")
	assert.Equal(t, 2, next.LogRecordCount())
	cancel()
	wait(t, stopped, "shutdown")
	r.awaitClosed(t)
}

// TestHandoverAnswersTheLastConnection has a sender that connects at the end of the delay, and takes its time to send.
func TestHandoverAnswersTheLastConnection(t *testing.T) {
	next := &sink{}
	r := start(t, next, func(cfg *Config) { cfg.Jira.ShutdownDelay = time.Millisecond })
	conn := r.dial(t, "")
	stopped := make(chan error, 1)
	go func() { stopped <- r.Shutdown(context.Background()) }()
	r.awaitClosed(t)
	_, err := fmt.Fprintf(conn, "POST /jira/events HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", len(createdBody), createdBody)
	require.NoError(t, err)
	response, answer := readAnswer(t, conn)
	assertTold(t, toldOK, response, answer)
	require.NoError(t, wait(t, stopped, "shutdown"))
}

// TestFailedHandshakesAreLoggedOnceInAWhile has senders that speak no TLS.
func TestFailedHandshakesAreLoggedOnceInAWhile(t *testing.T) {
	r := start(t, consumertest.NewNop(), func(cfg *Config) { withTLS(t, cfg) })
	for range 20 {
		_, _ = io.Copy(io.Discard, r.dial(t, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"))
	}
	require.Eventually(t, func() bool { return r.logs.FilterMessage("TLS handshake failed").Len() == 1 }, patience, time.Millisecond)
	logged := r.logs.FilterMessage("TLS handshake failed").All()[0]
	assert.Equal(t, zap.WarnLevel, logged.Level)
	assert.Equal(t, "client sent an HTTP request to an HTTPS server", logged.ContextMap()["error"])
	assert.Empty(t, logged.Stack)
	assert.Empty(t, r.logs.FilterLevelExact(zap.ErrorLevel).All())
}

// TestTelemetryOfTheServer looks for texts that a sender chooses in spans and in metrics, also when no delivery comes of them.
func TestTelemetryOfTheServer(t *testing.T) {
	r := start(t, consumertest.NewNop(), requireToken)
	for i := range 3 {
		request := r.request(t, []byte(createdBody), withQuery("token=hunter2"), withHeader("User-Agent", "hunter2"), withHeader("X-Forwarded-For", "hunter2"))
		request.Host = fmt.Sprintf("hunter2-%d.example.com", i)
		do(t, request)
	}
	elsewhere := r.request(t, nil, withQuery("hunter2"), withHeader("User-Agent", "hunter2"))
	elsewhere.URL.Path, elsewhere.Method = "/hunter2", "HUNTER2"
	do(t, elsewhere)
	spans := r.telemetry.SpanRecorder.Ended()
	assert.Contains(t, fmt.Sprint(spans[len(spans)-1].Attributes()), "network.peer.address", "the server's spans have attributes")
	for _, span := range spans {
		assert.NotContains(t, strings.ToLower(fmt.Sprint(span.Name(), span.Attributes())), "hunter2")
	}
	metrics := metricdata.ResourceMetrics{}
	require.NoError(t, r.telemetry.Reader.Collect(t.Context(), &metrics))
	assert.Contains(t, fmt.Sprint(metrics), "server.address")
	assert.NotContains(t, fmt.Sprint(metrics), "hunter2")
}

// TestCutShortDecoding interrupts a compressed body, which is another thing than a damaged one.
func TestCutShortDecoding(t *testing.T) {
	compressed := gzipped(string(bytes.Repeat([]byte(createdBody), 100)))
	r := start(t, consumertest.NewNop(), func(cfg *Config) { cfg.Server.ReadTimeout = 50 * time.Millisecond })
	for _, sent := range []int{0, 5, len(compressed) / 2} {
		conn := r.dial(t, fmt.Sprintf("POST /jira/events HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", len(compressed), compressed[:sent]))
		response, answer := readAnswer(t, conn)
		assertTold(t, toldInterrupted, response, answer)
	}
}
