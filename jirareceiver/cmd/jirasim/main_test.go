// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-jira/collector/jirareceiver/internal/jirasim"
	"github.com/otel-jira/collector/jirareceiver/internal/signature"
)

// receiver responds to requests and keeps them.
type receiver struct {
	*httptest.Server
	mu       sync.Mutex
	requests []*http.Request
	bodies   [][]byte
}

func newReceiver(t *testing.T, answer func(n int) int) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body) // the sender may be interrupted
		r.mu.Lock()
		defer r.mu.Unlock()
		r.requests, r.bodies = append(r.requests, request), append(r.bodies, body)
		w.WriteHeader(answer(len(r.requests)))
	}))
	t.Cleanup(r.Close)
	return r
}

func always(status int) func(int) int { return func(int) int { return status } }

// call runs the command against a receiver.
func call(ctx context.Context, t *testing.T, r *receiver, args ...string) (output string, err error) {
	t.Helper()
	var out bytes.Buffer
	err = run(ctx, append([]string{"-url", r.URL}, args...), &out)
	return out.String(), err
}

func setSecrets(t *testing.T, secret, token string) {
	t.Helper()
	t.Setenv(secretVariable, secret)
	t.Setenv(tokenVariable, token)
}

func TestScenarioSigned(t *testing.T) {
	setSecrets(t, "s3cret", "")
	r := newReceiver(t, always(http.StatusOK))
	output, err := call(t.Context(), t, r, "-scenario", "delivery", "-rate", "10000")
	require.NoError(t, err)
	assert.Contains(t, output, "50 sent, 50 acknowledged, 0 retried, 0 given up")
	assert.Contains(t, output, "signed with JIRA_WEBHOOK_SECRET")
	assert.NotContains(t, output, "s3cret")
	require.Len(t, r.bodies, 50)
	for i, body := range r.bodies {
		assert.Equal(t, signature.Sign([]byte("s3cret"), body), r.requests[i].Header.Get(signature.Header))
	}
}

func TestToken(t *testing.T) {
	setSecrets(t, "", "t0ken")
	r := newReceiver(t, always(http.StatusOK))
	_, err := call(t.Context(), t, r, "-scenario", "delivery", "-rate", "10000")
	require.NoError(t, err)
	assert.Equal(t, "t0ken", r.requests[0].Header.Get("X-Jira-Token"))
	output, err := call(t.Context(), t, r, "-scenario", "delivery", "-rate", "10000", "-token-query", "token")
	require.NoError(t, err)
	assert.NotContains(t, output, "t0ken")
	assert.Equal(t, "t0ken", r.requests[99].URL.Query().Get("token"))
	assert.Empty(t, r.requests[99].Header.Get("X-Jira-Token"))
}

// TestRetries checks that Jira Cloud tries again, and Data Center does not.
func TestRetries(t *testing.T) {
	setSecrets(t, "", "")
	output, err := call(t.Context(), t, newReceiver(t, func(n int) int {
		return map[bool]int{true: http.StatusServiceUnavailable, false: http.StatusOK}[n <= 3]
	}), "-scenario", "delivery", "-rate", "1000", "-speed-up", "100000")
	require.NoError(t, err)
	assert.Contains(t, output, "50 sent, 50 acknowledged, 3 retried, 0 given up")

	r := newReceiver(t, always(http.StatusServiceUnavailable))
	output, err = call(t.Context(), t, r, "-scenario", "delivery", "-rate", "1000", "-deployment", "data_center")
	assert.ErrorContains(t, err, "were given up: ")
	assert.Contains(t, output, "0 acknowledged, 0 retried")
	assert.Empty(t, r.requests[0].Header.Get("X-Atlassian-Webhook-Identifier"))
	assert.Contains(t, r.requests[0].UserAgent(), "JIRA")
}

func TestUnauthorized(t *testing.T) {
	setSecrets(t, "", "")
	output, err := call(t.Context(), t, newReceiver(t, always(http.StatusUnauthorized)), "-scenario", "../../../testdata/life", "-verbose")
	assert.ErrorContains(t, err, "7 of 7 were given up: 7 × 401 Unauthorized. For 401, check that the collector has the same JIRA_WEBHOOK_SECRET")
	assert.Contains(t, output, "1_created.json")
	assert.Contains(t, output, "7 sent, 0 acknowledged, 0 retried, 7 given up")
}

// TestWrongServer prints one line for a server that does not receive webhooks.
func TestWrongServer(t *testing.T) {
	setSecrets(t, "", "")
	for _, status := range []int{http.StatusFound, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented} {
		for _, args := range [][]string{{"-scenario", "../../../testdata/life", "-verbose"}, {"-scenario", "delivery", "-rate", "10000"}} {
			r := newReceiver(t, always(status))
			output, err := call(t.Context(), t, r, args...)
			assert.EqualError(t, err, fmt.Sprintf("-url: %s is not a receiver of webhooks; it answered %d %s. Check the port and the path",
				r.URL, status, http.StatusText(status)))
			assert.Equal(t, 1, strings.Count(output, "\n"), output)
			if args[2] == "-verbose" {
				assert.Len(t, r.requests, 1)
			}
		}
	}
}

// TestFresh sends the bodies of a folder as events of the last minutes.
func TestFresh(t *testing.T) {
	setSecrets(t, "", "")
	r := newReceiver(t, always(http.StatusOK))
	_, err := call(t.Context(), t, r, "-scenario", "../../../testdata/life", "-verbose", "-fresh")
	require.NoError(t, err)
	require.Len(t, r.bodies, 7)
	for _, body := range r.bodies {
		var event struct{ Timestamp int64 }
		require.NoError(t, json.Unmarshal(body, &event))
		assert.Less(t, time.Since(time.UnixMilli(event.Timestamp)), time.Hour)
	}
}

// TestNoResponse closes all connections without a response.
func TestNoResponse(t *testing.T) {
	setSecrets(t, "", "t0ken")
	r := newReceiver(t, func(int) int { panic(http.ErrAbortHandler) })
	for _, verbosity := range []string{"-verbose=true", "-verbose=false"} {
		output, err := call(t.Context(), t, r, "-scenario", "delivery", "-rate", "10000", "-deployment", "data_center", verbosity,
			"-token-query", "token")
		assert.ErrorContains(t, err, "were given up: 66 × no response: EOF")
		assert.Contains(t, output, "no response: EOF")
		if verbosity == "-verbose=false" {
			assert.Equal(t, 1, strings.Count(output, "no response"))
		}
		assert.NotContains(t, output+err.Error(), "t0ken")
	}
}

// TestTLS uses a certificate that is self-signed, and mixes http and https.
func TestTLS(t *testing.T) {
	setSecrets(t, "", "")
	var logged bytes.Buffer
	r := httptest.NewUnstartedServer(http.NotFoundHandler())
	r.Config.ErrorLog = log.New(&logged, "", 0)
	r.StartTLS()
	err := run(t.Context(), []string{"-url", r.URL}, io.Discard)
	assert.ErrorContains(t, err, "-url: tls: failed to verify certificate: x509: certificate signed by unknown authority")
	r.Close()
	assert.NotContains(t, logged.String(), "EOF")

	plain := newReceiver(t, always(http.StatusOK))
	err = run(t.Context(), []string{"-url", strings.Replace(plain.URL, "http:", "https:", 1)}, io.Discard)
	assert.EqualError(t, err, "-url: the receiver does not use TLS; write http:// instead of https://")
	assert.Empty(t, plain.requests)
}

func TestCause(t *testing.T) {
	t.Parallel()
	refused := &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{Port: 4711}, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	assert.Equal(t, "connection refused", cause(fmt.Errorf("attempt: %w", refused)))
	assert.Equal(t, "timeout", cause(&net.OpError{Op: "read", Err: context.DeadlineExceeded}))
	assert.Equal(t, "http: server gave HTTP response to HTTPS client", cause(http.ErrSchemeMismatch))
}

// TestCtrlC interrupts an endless history during retries, and expects a summary.
func TestCtrlC(t *testing.T) {
	setSecrets(t, "", "")
	ctx, cancel := context.WithCancel(t.Context())
	output, err := call(ctx, t, newReceiver(t, func(n int) int {
		if n == 20 {
			cancel()
		}
		return http.StatusServiceUnavailable
	}), "-rate", "1000", "-speed-up", "1")
	require.NoError(t, err)
	assert.Regexp(t, `\d+ sent, 0 acknowledged, 0 retried, 0 given up, \d+ interrupted\n$`, output)
}

// TestDuration ends an endless history, and waits for the deliveries in progress.
func TestDuration(t *testing.T) {
	setSecrets(t, "", "")
	output, err := call(t.Context(), t, newReceiver(t, always(http.StatusOK)), "-rate", "100", "-duration", "300ms")
	require.NoError(t, err)
	assert.Regexp(t, `\d+ sent, \d+ acknowledged, 0 retried, 0 given up\n$`, output)
}

// TestSameSeed sends the same bytes for the same seed and start.
func TestSameSeed(t *testing.T) {
	setSecrets(t, "", "")
	r := newReceiver(t, always(http.StatusOK))
	for range 2 {
		_, err := call(t.Context(), t, r, "-scenario", "delivery", "-verbose", "-rate", "10000", "-seed", "3", "-start", "2026-03-02T08:00:00Z")
		require.NoError(t, err)
	}
	assert.Equal(t, r.bodies[:50], r.bodies[50:])
}

func TestMistakes(t *testing.T) {
	setSecrets(t, "", "")
	for _, test := range []struct {
		args   []string
		expect string
	}{
		{[]string{"-url", "http://localhost:1/jira/events"}, "no process listens at http://localhost:1/jira/events; start the collector with `make run`"},
		{[]string{"-url", "localhost"}, "is not a URL"},
		{[]string{"-scenario", "nothing"}, "neither a scenario nor a folder"},
		{[]string{"-deployment", "moon"}, "deployment \"moon\" is unknown"},
		{[]string{"-language", "xx"}, "language \"xx\" is unknown"},
		{[]string{"-start", "yesterday"}, "is not a time"},
		{[]string{"-speed-up", "0"}, "not a positive number"},
		{[]string{"delivery"}, "begin with a dash"},
		{[]string{"-fresh"}, "only for a folder with bodies"},
	} {
		var out bytes.Buffer
		assert.ErrorContains(t, run(t.Context(), test.args, &out), test.expect)
	}
}

func TestProgress(t *testing.T) {
	tally := newTally(io.Discard, false)
	d := jirasim.Delivery{At: time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)}
	tally.attempted(d, 0, jirasim.Attempt{Status: http.StatusServiceUnavailable})
	tally.attempted(d, 1, jirasim.Attempt{Status: http.StatusOK})
	assert.Equal(t, "history at Mon 2 Mar 08:00: 1 sent, 0 acknowledged, 1 retried, 0 given up, 1 waiting", tally.line())
}
