// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

// Package groupcommit hands the records of concurrent deliveries to a consumer in groups, as databases commit
// concurrent transactions with one write. While one call of the consumer is under way, deliveries wait together. The
// next call takes the records of all of them, and each delivery gets the outcome of that call.
//
// There is no timer: a delivery that finds no call under way calls the consumer at once. These hold at any time:
//
//   - Commit returns only after a call that took the records of the delivery has returned.
//   - A delivery waits for the end of one call at most. A group that is full does not wait: its call begins beside the
//     others.
//   - No delivery leaves a group before its call, so that a cancellation loses none.
package groupcommit

import (
	"context"
	"errors"
	"sync"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
)

// The limits of a group of several deliveries. By default, a message of Kafka has at most 1 MB, and a message of gRPC
// 4 MiB.
const (
	maxRecords = 1000
	maxBytes   = 512 << 10 // of the records as OTLP encodes them
)

// Committer is safe for concurrent use.
type Committer struct {
	next       consumer.Logs
	retryAlone func(error) bool
	maxRecords int
	maxBytes   int
	sizer      plog.ProtoMarshaler

	mu      sync.Mutex
	calls   int    // under way
	waiting *group // for the end of a call, or nil
}

// group holds the deliveries whose records go in one call.
type group struct {
	parts          []plog.Logs // one of each delivery; nil once the call has begun
	deliveries     int
	records, bytes int
	begin          chan struct{} // closed when the call may begin
	ended          chan struct{} // closed when err is set
	err            error
}

// errPanicked is the error of a group until its call has returned.
var errPanicked = errors.New("the call of the group panicked")

// New returns a Committer. retryAlone reports whether only some of the records of a group may have caused its error.
// Each delivery of the group then hands over its records again, alone.
func New(next consumer.Logs, retryAlone func(error) bool) *Committer {
	return &Committer{next: next, retryAlone: retryAlone, maxRecords: maxRecords, maxBytes: maxBytes}
}

// Commit hands over the records of a delivery, and returns the error of the consumer. The consumer may keep and change
// the records; rebuild makes them again. A group goes with the context of its first delivery, so the contexts of all
// deliveries must carry equal values, and end together.
func (c *Committer) Commit(ctx context.Context, logs plog.Logs, rebuild func() plog.Logs) error {
	if c.beginAlone() {
		defer c.end()
		return c.next.ConsumeLogs(ctx, logs)
	}
	g, first := c.join(logs, c.sizer.LogsSize(logs))
	if first {
		<-g.begin
		c.call(ctx, g)
	}
	<-g.ended
	if errors.Is(g.err, errPanicked) || g.deliveries > 1 && g.err != nil && c.retryAlone(g.err) {
		return c.next.ConsumeLogs(ctx, rebuild())
	}
	return g.err
}

// beginAlone begins a call unless another is under way.
func (c *Committer) beginAlone() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.calls > 0 {
		return false
	}
	c.calls++
	return true
}

// join adds the records of a delivery to the group that waits. The first delivery of a group makes its call.
func (c *Committer) join(logs plog.Logs, size int) (g *group, first bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	records := logs.LogRecordCount()
	if c.waiting != nil && (c.waiting.records+records > c.maxRecords || c.waiting.bytes+size > c.maxBytes) {
		c.beginGroup()
	}
	if first = c.waiting == nil; first {
		c.waiting = &group{begin: make(chan struct{}), ended: make(chan struct{}), err: errPanicked}
	}
	g = c.waiting
	g.parts = append(g.parts, logs)
	g.deliveries++
	g.records += records
	g.bytes += size
	if c.calls == 0 {
		c.beginGroup()
	}
	return g, first
}

// beginGroup lets the call of the waiting group begin. The caller holds the lock.
func (c *Committer) beginGroup() {
	c.calls++
	close(c.waiting.begin)
	c.waiting = nil
}

// call hands the records of a group over. It ends a panic, because the deliveries hand their records over again, alone:
// the delivery whose records cause the panic then panics again.
func (c *Committer) call(ctx context.Context, g *group) {
	defer c.end()
	defer close(g.ended)
	defer func() { _ = recover() }()
	logs := merge(g.parts)
	g.parts = nil
	g.err = c.next.ConsumeLogs(ctx, logs)
}

// end ends a call. The next begins if a group waits for it.
func (c *Committer) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls--
	if c.waiting != nil {
		c.beginGroup()
	}
}
