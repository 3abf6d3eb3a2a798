// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package registration

import (
	"sync"
	"sync/atomic"
	"time"
)

// silentAfter is the time without a delivery, since a change that had none, after which the webhook is silent.
const silentAfter = 30 * time.Minute

// IsSilent reports whether no webhook arrives although Jira changes. delivered is the time of the last delivery, or of
// the start; missed is the time of the earliest change since then that had no delivery, or zero.
func IsSilent(now, delivered, missed time.Time) bool {
	return missed.After(delivered) && now.Sub(missed) >= silentAfter
}

// Watch compares the changes that polling has found with the deliveries. It is safe for concurrent use.
//
// A single delivery ends the silence, even of an old event: it proves that Jira reaches the receiver. Changes before the
// start do not count, because no delivery could arrive then.
type Watch struct {
	delivered atomic.Int64 // nanoseconds since the epoch

	mu     sync.Mutex // guards the following field
	missed time.Time
}

// NewWatch returns a Watch that begins at a time.
func NewWatch(start time.Time) *Watch {
	w := &Watch{}
	w.delivered.Store(start.UnixNano())
	return w
}

// Delivered reports an authentic delivery that arrived at a time.
func (w *Watch) Delivered(at time.Time) {
	nanos := at.UnixNano()
	for {
		last := w.delivered.Load()
		if nanos <= last || w.delivered.CompareAndSwap(last, nanos) {
			return
		}
	}
}

// Missed reports a change at a time that polling has found and that had no delivery, although it should have had one: the
// webhook contains the event, and the change is not of the kinds that have no webhook.
func (w *Watch) Missed(at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delivered := w.LastDelivery()
	if at.After(delivered) && (!w.missed.After(delivered) || at.Before(w.missed)) {
		w.missed = at
	}
}

// SilentSince returns the time of the earliest change since the last delivery if the webhook is silent.
func (w *Watch) SilentSince(now time.Time) (since time.Time, isSilent bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.missed, IsSilent(now, w.LastDelivery(), w.missed)
}

// Finding returns the finding about silence, if there is one.
func (w *Watch) Finding(now time.Time) (Finding, bool) {
	_, isSilent := w.SilentSince(now)
	return Finding{Kind: KindSilent}, isSilent
}

// LastDelivery returns the time of the last authentic delivery, or of the start.
func (w *Watch) LastDelivery() time.Time { return time.Unix(0, w.delivered.Load()) }
