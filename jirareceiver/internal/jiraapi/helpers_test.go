// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jiraapi

import (
	"context"
	"encoding/json"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/confighttp"
)

// start is the time at which the clock of a test starts.
var start = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// fakeClock is a clock that does not wait.
type fakeClock struct {
	mu    sync.Mutex
	now   time.Time
	slept []time.Duration
}

func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *fakeClock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	c.now = c.now.Add(d)
	c.slept = append(c.slept, d)
	return nil
}

// site is a Jira that answers requests from a test, and records them.
type site struct {
	*http.ServeMux
	url   string
	clock *fakeClock

	mu    sync.Mutex
	calls []string // method, path and query
}

// newSite starts a Jira with the given answers, by pattern of http.ServeMux.
func newSite(t *testing.T, answers map[string]http.HandlerFunc) *site {
	t.Helper()
	s := &site{ServeMux: http.NewServeMux(), clock: &fakeClock{now: start}}
	for pattern, handler := range answers {
		s.HandleFunc(pattern, handler)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.calls = append(s.calls, r.Method+" "+r.URL.RequestURI())
		s.mu.Unlock()
		s.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

func (s *site) requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

// client returns a client of the site, whose pace does not slow the test down.
func (s *site) client(t *testing.T, change func(*Options)) *Client {
	t.Helper()
	opts := Options{
		Config:            confighttp.NewDefaultClientConfig(),
		RequestsPerSecond: 1e6,
		Clock:             s.clock,
		Random:            func() float64 { return 0.5 }, // no jitter
	}
	opts.Config.Endpoint = s.url
	if change != nil {
		change(&opts)
	}
	client, err := New(t.Context(), componenttest.NewNopHost(), componenttest.NewNopTelemetrySettings(), opts)
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return client
}

// answer returns a handler that writes JSON.
func answer(body string) http.HandlerFunc { return status(http.StatusOK, body) }

func status(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, code, body) }
}

func writeJSON(w http.ResponseWriter, code int, body string) {
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.WriteHeader(code)
	_, _ = io.WriteString(w, body)
}

// decodeBody reads the body of a request, and fails for unknown members, as Jira Cloud does.
func decodeBody[T any](t *testing.T, r *http.Request) (body T) {
	t.Helper()
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	assert.NoError(t, dec.Decode(&body))
	return body
}

// collect returns the entries of an iterator until its end or its first error.
func collect[T any](seq iter.Seq2[T, error]) (entries []T, err error) {
	for entry, err := range seq {
		if err != nil {
			return entries, err
		}
		entries = append(entries, entry)
	}
	return entries, nil
}
