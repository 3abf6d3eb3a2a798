// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/otel-jira/collector/jirareceiver/internal/signature"
)

// stalls are requests that an unauthenticated sender begins and does not complete.
var stalls = []struct {
	name  string
	tls   bool
	begin func(*attacker) (net.Conn, error)
}{
	{"no delivery", false, nil},
	{"a connection never used", false, saying("")},
	{"half a header", false, saying(requestLine + "X-Half: ")},
	{"a body never sent", false, saying(requestLine + "Content-Length: 1000\r\n\r\n")},
	{"a body never sent, well-formed signature", false, saying(requestLine + forgedHeader + "Content-Length: 1000\r\n\r\n")},
	{"gzip never sent", false, saying(requestLine + forgedHeader + "Content-Encoding: gzip\r\nContent-Length: 1000\r\n\r\n")},
	{"TLS, no handshake", true, (*attacker).dialPlain},
	{"TLS, a connection never used", true, saying("")},
	{"TLS, a body never sent, well-formed signature", true, saying(requestLine + forgedHeader + "Content-Length: 1000\r\n\r\n")},
	{"HTTP/2, no stream", true, overHTTP2(nil)},
	{"HTTP/2, a body never sent, well-formed signature", true, overHTTP2(map[string]string{strings.ToLower(signature.Header): forged})},
	{"HTTP/2, an answer never taken", true, overHTTP2(map[string]string{}, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})},
}

func saying(begin string) func(*attacker) (net.Conn, error) {
	return func(a *attacker) (net.Conn, error) {
		conn, err := a.dial()
		if err != nil {
			return nil, err
		}
		_, err = io.WriteString(conn, begin)
		return conn, err
	}
}

// overHTTP2 begins a stream with the given fields, or no stream without fields.
func overHTTP2(fields map[string]string, settings ...http2.Setting) func(*attacker) (net.Conn, error) {
	return func(a *attacker) (net.Conn, error) {
		conn, err := a.dial("h2")
		if err != nil {
			return nil, err
		}
		var b, block bytes.Buffer
		b.WriteString(http2.ClientPreface)
		framer := http2.NewFramer(&b, nil)
		_ = framer.WriteSettings(settings...)
		if fields != nil {
			encoder := hpack.NewEncoder(&block)
			for _, field := range [][2]string{{":method", "POST"}, {":scheme", "https"}, {":authority", "jira"}, {":path", "/jira/events"}} {
				_ = encoder.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]})
			}
			for name, value := range fields {
				_ = encoder.WriteField(hpack.HeaderField{Name: name, Value: value})
			}
			writeHeaders(framer, 1, block.Bytes())
		}
		_, err = conn.Write(b.Bytes())
		return conn, err
	}
}

// stallTimeout is the time after which the sender closes a stalled request. A stop or a reload must not take that
// long.
const stallTimeout = 15 * time.Second

// stopsBesideStalledRequests reloads and stops collectors while a stalled request is open.
func stopsBesideStalledRequests(t *testing.T, rows *attackRows) {
	t.Helper()
	var stopping sync.WaitGroup
	for _, stall := range stalls {
		for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP} {
			stopping.Go(func() {
				row := attackRow{attack: fmt.Sprintf("f %s: %s", map[syscall.Signal]string{syscall.SIGTERM: "stop", syscall.SIGHUP: "reload"}[signal], stall.name)}
				stopBeside(t, &row, stall.tls, stall.begin, signal)
				rows.add(row)
			})
		}
	}
	stopping.Wait()
}

func stopBeside(
	t *testing.T, row *attackRow, withCertificate bool, begin func(*attacker) (net.Conn, error), signal syscall.Signal,
) {
	t.Helper()
	var args []string
	var config *tls.Config
	if withCertificate {
		args, config = withTLS(t)
	}
	c := startLimited(t, t.TempDir(), writeConfig(t, guarded, "localhost:0", "http://localhost:1"), args...) // many at a time: an address() may be taken
	o := observe(c)
	a := newAttacker(t, c, config)
	defer a.end()
	if begin != nil {
		conn, err := begin(a)
		if !assert.NoError(t, err) {
			return
		}
		stalled := time.AfterFunc(stallTimeout, func() { row.note = "waited for the stalled request" })
		defer stalled.Stop()
		a.running.Go(func() { _, _ = io.Copy(io.Discard, conn) })
	}
	time.Sleep(500 * time.Millisecond) // time to read the bytes, and to begin to handle signals, which happens after the start of the listener
	begun := time.Now()
	assert.NoError(t, c.command.Process.Signal(signal))
	var ended bool
	select {
	case err := <-c.exited:
		ended = assert.NoError(t, err) && signal == syscall.SIGTERM
	case <-c.listening:
		ended = signal == syscall.SIGHUP
	case <-time.After(3 * waitLimit):
	}
	row.stopTime, row.measured = time.Since(begun), true
	row.peak, row.cpu = o.end()
	row.sent = a.sent.Load()
	assert.True(t, ended, "%s: neither ended nor listening", row.attack)
	assert.Less(t, row.stopTime, stallTimeout, "%s: waited for the stalled request", row.attack)
	_ = c.command.Process.Kill()
}

// direct is a configuration without a queue: a delivery is in the pipeline until the backend responds.
const direct = `
receivers:
  jira:
    endpoint: %s
    signature: { secrets: ["${env:JIRA_WEBHOOK_SECRET}"] }
exporters:
  otlp_http:
    endpoint: %s
    timeout: 60s
    sending_queue: { enabled: false }
    retry_on_failure: { enabled: false }
service:
  pipelines: { logs: { receivers: [jira], exporters: [otlp_http] } }
  telemetry: { metrics: { level: none } }
`

// TestStopAmidSlowPipeline stops a collector whose backend has not responded, beside a stalled request. The collector
// closes the stalled connection first. It responds to the delivery with 200 when the backend responds, over HTTP/1.1
// and HTTP/2.
func TestStopAmidSlowPipeline(t *testing.T) {
	for _, protocol := range []string{"http/1.1", "h2"} {
		t.Run(protocol, func(t *testing.T) {
			released, arrived := make(chan time.Time), make(chan struct{}, 1)
			b := startBackend(t, func() reply {
				arrived <- struct{}{}
				return reply{status: http.StatusOK, after: released}
			})
			args, config := withTLS(t)
			c := startLimited(t, t.TempDir(), writeConfig(t, direct, address(t), b.url()), args...)
			a := newAttacker(t, c, config)
			defer a.end()
			conn, err := saying(requestLine + forgedHeader + "Content-Length: 1000\r\n\r\n")(a)
			require.NoError(t, err)
			away := make(chan struct{})
			go func() {
				_, _ = io.Copy(io.Discard, conn)
				close(away)
			}()
			answer := make(chan int, 1)
			go func() { answer <- deliverOnce(c.url, protocol, config) }()
			<-arrived
			require.NoError(t, c.command.Process.Signal(syscall.SIGTERM))
			select {
			case <-away:
			case <-time.After(stallTimeout):
				assert.Fail(t, "the stalled request is still connected")
			}
			select {
			case status := <-answer:
				assert.Fail(t, "answered before the backend", "%d", status)
			case <-c.exited:
				assert.Fail(t, "ended before the backend answered")
			case <-time.After(time.Second):
			}
			close(released)
			assert.Equal(t, http.StatusOK, <-answer)
		})
	}
}

// deliverOnce returns the status code of a delivery over a protocol, or 0 without a response.
func deliverOnce(url, protocol string, config *tls.Config) int {
	transport := &http.Transport{TLSClientConfig: config.Clone(), ForceAttemptHTTP2: protocol == "h2"}
	defer transport.CloseIdleConnections()
	body := []byte(`{"webhookEvent": "jira:issue_created", "issue": {"id": "1", "key": "OPS-1"}}`)
	request, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0
	}
	request.Header.Set(signature.Header, signature.Sign([]byte(secret), body))
	response, err := transport.RoundTrip(request)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode
}
