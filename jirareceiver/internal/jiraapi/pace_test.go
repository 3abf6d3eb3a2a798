// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jiraapi

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func systemPacer(perSecond float64, concurrent int) *pacer {
	return newPacer(Options{
		RequestsPerSecond: perSecond, MaxConcurrentRequests: concurrent, Clock: SystemClock{}, Random: func() float64 { return 0.5 },
	})
}

// send sends requests one after another, each of which takes no time, and returns the time for all.
func send(t *testing.T, p *pacer, requests, cost int) time.Duration {
	t.Helper()
	began := time.Now()
	for range requests {
		_, err := p.acquire(t.Context(), cost)
		require.NoError(t, err)
		p.release()
	}
	return time.Since(began)
}

func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := systemPacer(5, 4)
		assert.Equal(t, 2*time.Second, send(t, p, 11, 1), "the first request does not wait")
		assert.Equal(t, 4*time.Second, send(t, p, 10, 2), "half the pace")
		p.slowDown()
		assert.InDelta(t, 4, send(t, p, 10, 1).Seconds(), 0.21, "a limit is near")
		time.Sleep(slowTime)
		assert.InDelta(t, 2, send(t, p, 11, 1).Seconds(), 0.01, "the pace is restored")
	})
}

// TestConcurrentRequests checks that there are never more requests than allowed, and that a waiting request ends with
// its context.
func TestConcurrentRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := systemPacer(1000, 3)
		var mu sync.Mutex
		running, most := 0, 0
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				_, err := p.acquire(t.Context(), 1)
				assert.NoError(t, err)
				mu.Lock()
				running++
				most = max(most, running)
				mu.Unlock()
				time.Sleep(time.Minute)
				mu.Lock()
				running--
				mu.Unlock()
				p.release()
			})
		}
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := p.acquire(ctx, 1)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		wg.Wait()
		assert.Equal(t, 3, most)
	})
}

// TestJointPause checks that a throttled answer to one request stops all, that the answers to requests that were under
// way do not make the pause longer, and that waiting requests start at the pace after it.
func TestJointPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := systemPacer(10, 10)
		sent := time.Now()
		time.Sleep(time.Second)
		until := p.throttled(sent, 0)
		assert.Equal(t, 2*time.Second, time.Until(until))
		time.Sleep(500 * time.Millisecond)
		assert.Equal(t, until, p.throttled(sent, 0), "another request of the same time")
		p.succeeded(sent)
		var wg sync.WaitGroup
		var mu sync.Mutex
		var starts []time.Duration
		for range 5 {
			wg.Go(func() {
				began, err := p.acquire(t.Context(), 1)
				assert.NoError(t, err)
				mu.Lock()
				starts = append(starts, began.Sub(until))
				mu.Unlock()
				p.release()
			})
		}
		wg.Wait()
		assert.GreaterOrEqual(t, starts[0], time.Duration(0))
		for i := range starts[1:] {
			assert.Equal(t, 100*time.Millisecond, starts[i+1]-starts[i])
		}
		assert.Equal(t, 4*time.Second, time.Until(p.throttled(time.Now(), 0)), "the second failure in a row")
		assert.Equal(t, 30*time.Second, time.Until(p.throttled(time.Now(), 30*time.Second)), "Jira asks for a longer pause")
		assert.Equal(t, 30*time.Second, time.Until(p.throttled(time.Now(), time.Second)), "a pause never becomes shorter")
		time.Sleep(time.Minute)
		p.succeeded(time.Now())
		assert.Equal(t, 2*time.Second, time.Until(p.throttled(time.Now(), 0)), "the first failure after a success")
	})
}

func TestPauseEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := systemPacer(10, 1)
		p.throttled(time.Now(), time.Minute)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := p.acquire(ctx, 1)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		time.Sleep(time.Minute)
		assert.Less(t, send(t, p, 1, 1), time.Second, "the slot of the canceled request is free")
	})
}

func TestBackoff(t *testing.T) {
	random := 0.5
	p := newPacer(Options{RequestsPerSecond: 1, MaxConcurrentRequests: 1, Clock: SystemClock{}, Random: func() float64 { return random }})
	for failures, want := range []float64{0, 2, 4, 8, 16, 32, 60, 60} {
		if failures > 0 {
			assert.InDelta(t, want, p.backoff(failures).Seconds(), 1e-6)
		}
	}
	assert.InDelta(t, 60, p.backoff(100_000).Seconds(), 1e-6)
	random = 0
	assert.InDelta(t, 1.4, p.backoff(1).Seconds(), 1e-6)
	random = 1
	assert.InDelta(t, 2.6, p.backoff(1).Seconds(), 1e-6)
}

func headers(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Set(pairs[i], pairs[i+1])
	}
	return h
}

func TestAskedPause(t *testing.T) {
	date := start.Add(-time.Hour) // Jira's clock is an hour behind
	for _, tt := range []struct {
		headers http.Header
		want    time.Duration
	}{
		{headers(), 0},
		{headers("Retry-After", "30"), 30 * time.Second},
		{headers("Retry-After", "1.5"), 1500 * time.Millisecond},
		{headers("Retry-After", "0"), 0},
		{headers("Retry-After", "-5"), 0},
		{headers("Retry-After", "soon"), 0},
		{headers("Retry-After", "NaN"), 0},
		{headers("Retry-After", "1e300"), time.Hour},
		{headers("Retry-After", start.Add(time.Minute).Format(http.TimeFormat)), time.Minute},
		{headers("Retry-After", start.Add(-time.Minute).Format(http.TimeFormat)), -time.Minute},
		{headers("Date", date.Format(http.TimeFormat), "Retry-After", date.Add(time.Minute).Format(http.TimeFormat)), time.Minute},
		{headers("X-RateLimit-Reset", "2026-11-25T12:05:00Z"), 5 * time.Minute},
		{headers("X-RateLimit-Reset", "2026-11-25T12:05Z"), 5 * time.Minute},
		{headers("X-RateLimit-Reset", "2026-11-25T13:05:00.000+0100"), 5 * time.Minute},
		{headers("X-RateLimit-Reset", "later"), 0},
		{headers("Retry-After", "7", "X-RateLimit-Reset", "2026-11-25T12:05:00Z"), 7 * time.Second},
		{headers("Retry-After", "0", "X-RateLimit-Interval-Seconds", "3"), 3 * time.Second},
		{headers("X-RateLimit-Reset", "2027-11-25T12:05:00Z"), time.Hour},
	} {
		assert.Equal(t, max(0, tt.want), askedPause(tt.headers, start), tt.headers)
	}
}

func TestNearLimit(t *testing.T) {
	for _, tt := range []struct {
		headers http.Header
		want    bool
	}{
		{headers(), false},
		{headers("X-RateLimit-NearLimit", "true"), true},
		{headers("X-RateLimit-NearLimit", "false", "X-RateLimit-Limit", "100", "X-RateLimit-Remaining", "0"), false},
		{headers("X-RateLimit-Limit", "100", "X-RateLimit-Remaining", "19"), true},
		{headers("X-RateLimit-Limit", "100", "X-RateLimit-Remaining", "20"), false},
		{headers("X-RateLimit-Limit", "0", "X-RateLimit-Remaining", "0"), false},
		{headers("X-RateLimit-Remaining", "0"), false},
		{headers("X-RateLimit-Limit", "many", "X-RateLimit-Remaining", "0"), false},
	} {
		assert.Equal(t, tt.want, isNearLimit(tt.headers), tt.headers)
	}
}

// TestHalfPace checks through a socket that the requests of both clients share one pace.
func TestHalfPace(t *testing.T) {
	s := newSite(t, map[string]http.HandlerFunc{"/": answer(`{"accountId": "5b1"}`)})
	c := s.client(t, func(o *Options) { o.RequestsPerSecond = 10 })
	for range 10 {
		_, err := c.Myself(t.Context())
		require.NoError(t, err)
		_, err = c.HalfPace().Myself(t.Context())
		require.NoError(t, err)
	}
	assert.InDelta(t, 2.9, s.clock.Now().Sub(start).Seconds(), 0.01)
}

// TestNearLimitSlowsDown checks through a socket that an answer halves the pace of the next requests.
func TestNearLimitSlowsDown(t *testing.T) {
	s := newSite(t, map[string]http.HandlerFunc{"/": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-RateLimit-NearLimit", "true")
		writeJSON(w, 200, `{"accountId": "5b1"}`)
	}})
	c := s.client(t, func(o *Options) { o.RequestsPerSecond = 10 })
	for range 11 {
		_, err := c.Myself(t.Context())
		require.NoError(t, err)
	}
	assert.InDelta(t, 2, s.clock.Now().Sub(start).Seconds(), 0.11)
}
