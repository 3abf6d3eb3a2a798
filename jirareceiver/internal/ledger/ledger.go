// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

// Package ledger remembers which events the pipeline has accepted, and which side of the receiver has recorded each, so
// that an event that arrives by several ways is recorded once.
package ledger

import (
	"context"
	"time"

	"github.com/otel-jira/collector/jirareceiver/internal/dedup"
)

const (
	// Window is the time for which the ledger keeps an event. Polling reads the changes of this time again after an outage
	// of Jira's REST API, and must know the changes that webhooks have delivered meanwhile.
	Window = 24 * time.Hour
	// maxEntries is the largest number of events. They take about 130 MB.
	maxEntries = 1_000_000
)

// Side is a side of the receiver.
type Side uint32

// The sides.
const (
	Webhook Side = iota
	REST
)

// Ledger holds the uids of accepted events. It is safe for concurrent use. A nil Ledger holds none.
type Ledger struct{ cache *dedup.Cache }

// New returns an empty ledger. The wait timeout is the time for which one side waits for the other, if both record an
// event at the same time.
func New(waitTimeout time.Duration, now func() time.Time) *Ledger {
	return &Ledger{dedup.New(dedup.Options{Window: Window, MaxEntries: maxEntries, WaitTimeout: waitTimeout, Now: now})}
}

// Cache returns the cache of the ledger, for a [dedup.Persister].
func (l *Ledger) Cache() *dedup.Cache { return l.cache }

// Transaction is the recording of one event by one side.
type Transaction struct {
	dedup.Transaction // a duplicate is an event that was accepted before

	// By is the side that has recorded a duplicate.
	By Side
}

// Begin begins the recording of an event. The caller must commit the transaction after the pipeline has accepted the
// event, and release it in any case. An event without a uid is never a duplicate. The error is [dedup.ErrInProgress] if
// the other recording of the event does not end.
func (l *Ledger) Begin(ctx context.Context, uid string, side Side) (Transaction, error) {
	if l == nil || uid == "" {
		return Transaction{}, nil
	}
	tx, err := l.cache.Begin(ctx, dedup.NewKey("", uid), uint32(side))
	by := side
	if tx.Conflict { // the cache keeps the side in place of the checksum of a payload
		by = 1 - side
	}
	return Transaction{tx, by}, err
}
