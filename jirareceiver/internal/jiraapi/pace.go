// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jiraapi

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Clock is the time of the client.
type Clock interface {
	Now() time.Time
	// Sleep returns after d, or earlier with an error if the context ends.
	Sleep(ctx context.Context, d time.Duration) error
}

// SystemClock is the clock of the package time.
type SystemClock struct{}

// Now returns the current time.
func (SystemClock) Now() time.Time { return time.Now() }

// Sleep waits with a timer.
func (SystemClock) Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// The times of pauses.
const (
	minBackoff = 2 * time.Second
	maxBackoff = time.Minute
	// MaxPause is the longest time that a request waits for the end of a pause. If Jira asks for more, all requests
	// fail with [KindThrottled] until the pause ends.
	MaxPause = 10 * time.Minute
	// maxAsked is the longest pause that Jira can ask for. Quotas of Jira Cloud last an hour.
	maxAsked = time.Hour
	// slowTime is the time for which the pace is halved after an answer that reports that a limit is near.
	slowTime = time.Minute
)

// pacer is the one pace of all requests. It limits their rate and their number at the same time, and pauses all of them
// together.
type pacer struct {
	clock   Clock
	random  func() float64
	base    rate.Limit
	limiter *rate.Limiter
	slots   chan struct{}
	onPause func(time.Duration)

	mu          sync.Mutex
	pausedSince time.Time
	pausedUntil time.Time
	streak      int // throttled answers without a success in between
	slowUntil   time.Time
}

func newPacer(opts Options) *pacer {
	base := rate.Limit(opts.RequestsPerSecond)
	return &pacer{
		clock:   opts.Clock,
		random:  opts.Random,
		base:    base,
		limiter: rate.NewLimiter(base, 1), // a burst of one spreads the requests over time
		slots:   make(chan struct{}, opts.MaxConcurrentRequests),
		onPause: opts.OnPause,
	}
}

// tooLongError reports that the current pause is longer than MaxPause.
type tooLongError struct{ until time.Time }

func (tooLongError) Error() string { return "Jira asked for a pause of more than ten minutes" }

// acquire waits for a slot, for the end of a pause, and for the share of a request that counts as the given number of
// requests. It returns the time at which the request starts. After a nil error, the caller must call release.
func (p *pacer) acquire(ctx context.Context, cost int) (time.Time, error) {
	if ctx.Err() != nil {
		return time.Time{}, context.Cause(ctx)
	}
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return time.Time{}, context.Cause(ctx)
	}
	if err := p.wait(ctx, cost); err != nil {
		p.release()
		return time.Time{}, err
	}
	return p.clock.Now(), nil
}

func (p *pacer) release() { <-p.slots }

func (p *pacer) wait(ctx context.Context, cost int) error {
	for range cost {
		if err := p.waitForShare(ctx); err != nil {
			return err
		}
	}
	for { // a pause may begin while the request waits, and again while it waits for the end of a pause
		left, until := p.pause()
		switch {
		case left <= 0:
			return nil
		case left > MaxPause:
			return tooLongError{until}
		}
		if err := p.clock.Sleep(ctx, left); err != nil {
			return err
		}
		if err := p.waitForShare(ctx); err != nil { // otherwise all waiting requests start at the end of the pause
			return err
		}
	}
}

func (p *pacer) waitForShare(ctx context.Context) error {
	now := p.clock.Now()
	p.restorePace(now)
	reservation := p.limiter.ReserveN(now, 1)
	delay := reservation.DelayFrom(now)
	if delay <= 0 {
		return nil
	}
	if err := p.clock.Sleep(ctx, delay); err != nil {
		reservation.CancelAt(p.clock.Now())
		return err
	}
	return nil
}

func (p *pacer) pause() (left time.Duration, until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pausedUntil.Sub(p.clock.Now()), p.pausedUntil
}

// throttled pauses all requests after a 429 or a 503 to a request that started at the given time. asked is the time for
// which Jira asked, or 0. It returns the end of the pause.
func (p *pacer) throttled(started time.Time, asked time.Duration) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.clock.Now()
	isFirst := !started.Before(p.pausedSince) // otherwise the request was under way when the pause began
	if isFirst {
		p.streak++
	}
	wait := asked
	if asked <= 0 && isFirst {
		wait = p.backoff(p.streak)
	}
	if until := now.Add(wait); until.After(p.pausedUntil) {
		if p.onPause != nil {
			p.onPause(until.Sub(later(now, p.pausedUntil)))
		}
		p.pausedSince, p.pausedUntil = now, until
	}
	return p.pausedUntil
}

// backoff returns 2 s after the first failure, and twice as much after each further failure, at most 60 s. Jitter of 30
// % keeps several collectors from asking again at the same time.
func (p *pacer) backoff(failures int) time.Duration {
	wait := maxBackoff
	if failures < 6 { // 2 s << 5 is more than a minute
		wait = minBackoff << (failures - 1)
	}
	return time.Duration(float64(wait) * (0.7 + 0.6*p.random()))
}

// succeeded ends the streak of throttled answers. A request that started before the pause proves nothing.
func (p *pacer) succeeded(started time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !started.Before(p.pausedSince) {
		p.streak = 0
	}
}

// slowDown halves the pace for slowTime.
func (p *pacer) slowDown() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.clock.Now()
	p.slowUntil = now.Add(slowTime)
	p.limiter.SetLimitAt(now, p.base/2)
}

func (p *pacer) restorePace(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.slowUntil.IsZero() && !now.Before(p.slowUntil) {
		p.slowUntil = time.Time{}
		p.limiter.SetLimitAt(now, p.base)
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
