// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirasim

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-jira/collector/jirareceiver/internal/signature"
)

const (
	site   = "https://acme.atlassian.net"
	hurry  = 1e6 // 15 minutes become a millisecond
	secret = "a secret for the test"
)

func newSender(t *testing.T, answer http.HandlerFunc) *Sender {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return New(Options{URL: server.URL, Compression: hurry, Transport: transport, Timeout: 10 * time.Second})
}

// TestRules answers all attempts with the same status code, and counts the attempts.
func TestRules(t *testing.T) {
	for _, test := range []struct {
		status, attempts int
		acknowledged     bool
	}{
		{200, 1, true},
		{204, 1, true},
		{302, 1, false},
		{400, 1, false},
		{401, 1, false},
		{404, 1, false},
		{413, 1, false},
		{422, 1, false},
		{408, 6, false},
		{409, 6, false},
		{425, 6, false},
		{429, 6, false},
		{500, 6, false},
		{501, 1, false},
		{505, 1, false},
		{503, 6, false},
		{599, 6, false},
	} {
		t.Run(http.StatusText(test.status), func(t *testing.T) {
			sender := newSender(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(test.status) })
			result := sender.Deliver(t.Context(), NewScript(site).Delivery(0))
			assert.Len(t, result.Attempts, test.attempts)
			assert.Equal(t, test.acknowledged, result.Acknowledged)
			for _, attempt := range result.Attempts {
				assert.Equal(t, Attempt{Status: test.status}, attempt)
			}
		})
	}
}

// TestNoResponse checks that a broken connection, a refused connection and silence count as temporary failures.
func TestNoResponse(t *testing.T) {
	silence := make(chan struct{})
	broken := newSender(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	silent := newSender(t, func(http.ResponseWriter, *http.Request) { <-silence })
	silent.opts.Timeout = 20 * time.Millisecond
	refused := New(Options{URL: "http://localhost:1", Compression: hurry})
	for name, sender := range map[string]*Sender{"broken": broken, "silent": silent, "refused": refused} {
		result := sender.Deliver(t.Context(), NewScript(site).Delivery(0))
		assert.False(t, result.Acknowledged, name)
		require.Len(t, result.Attempts, 6, name)
		assert.Error(t, result.Attempts[5].Err, name)
	}
	close(silence)
}

// TestRetriesAreTheSame checks the common parts of the attempts of one delivery, and that the last attempt decides.
func TestRetriesAreTheSame(t *testing.T) {
	var mu sync.Mutex
	var headers []http.Header
	d := NewScript(site).Delivery(6)
	sender := newSender(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		assert.Equal(t, d.Body, body)
		headers = append(headers, r.Header)
		if len(headers) < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	sender.SetSecret([]byte(secret))
	result := sender.Deliver(t.Context(), d)
	assert.True(t, result.Acknowledged)
	require.Len(t, headers, 3)
	for i, header := range headers {
		assert.Equal(t, d.ID, header.Get("X-Atlassian-Webhook-Identifier"))
		assert.Equal(t, "Secondary", header.Get("X-Atlassian-Webhook-Flow"))
		assert.Equal(t, []string{"", "1", "2"}[i], header.Get("X-Atlassian-Webhook-Retry"))
		assert.Equal(t, signature.Sign([]byte(secret), d.Body), header.Get(signature.Header))
	}
}

// TestConcurrency blocks all requests until no more arrive.
func TestConcurrency(t *testing.T) {
	const deliveries = 200
	var mu sync.Mutex
	var now, most, arrived int
	full := make(chan struct{})
	count := func(change int) {
		mu.Lock()
		defer mu.Unlock()
		now += change
		most = max(most, now)
		if change > 0 {
			arrived++
		}
		if arrived == primaryRequests && change > 0 {
			close(full)
		}
	}
	sender := newSender(t, func(http.ResponseWriter, *http.Request) {
		count(1)
		<-full
		count(-1)
	})
	script := NewScript(site)
	for i, result := range sender.DeliverAll(t.Context(), script.Deliveries(0, deliveries), deliveries) {
		assert.True(t, result.Acknowledged)
		assert.Equal(t, script.Delivery(i), result.Delivery)
	}
	assert.Equal(t, deliveries, arrived)
	assert.LessOrEqual(t, most, primaryRequests+secondaryRequests)
}

// TestPauses checks the length of the pauses before compression.
func TestPauses(t *testing.T) {
	sender := New(Options{})
	for range 1000 {
		pause := sender.nextPause()
		assert.GreaterOrEqual(t, pause, 5*time.Minute)
		assert.Less(t, pause, 15*time.Minute)
	}
}

func TestContextEndsThePauses(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	sender := newSender(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
		cancel()
	})
	sender.opts.Compression = 1
	assert.False(t, sender.Deliver(ctx, NewScript(site).Delivery(0)).Acknowledged)
}

// TestScript checks the values by which a receiver distinguishes deliveries and events.
func TestScript(t *testing.T) {
	script := NewScript(site)
	seen := map[string]bool{}
	for _, d := range append(script.Deliveries(0, 100), NewScript(site).Deliveries(0, 100)...) {
		var body struct {
			Timestamp    int64  `json:"timestamp"`
			WebhookEvent string `json:"webhookEvent"`
		}
		require.NoError(t, json.Unmarshal(d.Body, &body))
		assert.NotZero(t, body.Timestamp)
		assert.NotEmpty(t, body.WebhookEvent)
		assert.False(t, seen[d.ID], d.ID)
		seen[d.ID] = true
	}
	const eventsPerIssue = 8
	first, second := script.Delivery(1), script.Delivery(1+eventsPerIssue)
	assert.NotEqual(t, first.Body, second.Body)
}
