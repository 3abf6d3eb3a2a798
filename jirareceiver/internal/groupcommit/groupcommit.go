// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

// Package groupcommit hands the records of concurrent deliveries to a consumer in groups, as databases commit concurrent
// transactions with one write. While one call of the consumer is under way, deliveries wait together. The next call
// takes the records of all of them, and each delivery gets the outcome of that call.
//
// There is no timer: a delivery that finds no call under way calls the consumer at once. These hold at any time:
//
//   - Commit returns only after a call that took the records of the delivery has returned, or if no such call begins.
//   - A delivery waits for the end of one call at most. A group that is full does not wait: its call begins beside the
//     others.
//   - No call begins after the context of its deliveries has ended.
package groupcommit

import (
	"context"
	"errors"
	"sync"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-jira/collector/jirareceiver/internal/pipeline"
)

// The limits of a group of several deliveries. By default, a message of Kafka has at most 1 MB, and a message of gRPC
// 4 MiB.
const (
	maxRecords = 1000
	maxBytes   = 512 << 10 // of the records as OTLP encodes them
)

// Options configure a [Committer].
type Options struct {
	Next consumer.Logs
	// IsPermanent reports whether an error is final for the records. Some of the records of a group may have caused it.
	IsPermanent func(error) bool
	// IsExhausted reports whether the consumer has no room for the records. It may have room for a part of a group.
	IsExhausted func(error) bool
	OnPanic     func(value any) // called in the goroutine of the call of a group that panicked
}

// Committer is safe for concurrent use.
type Committer struct {
	opts       Options
	maxRecords int
	maxBytes   int
	sizer      plog.ProtoMarshaler

	mu      sync.Mutex
	calls   int    // under way
	waiting *group // for the end of a call, or nil
}

// group holds the deliveries whose records go in one call.
type group struct {
	deliveries     []*delivery
	records, bytes int
	begin          chan struct{} // closed when the call may begin
	ended          chan struct{} // closed when all deliveries have their err
}

type delivery struct {
	build func() plog.Logs
	logs  plog.Logs // of the next call
	err   error
}

// errPanicked is the error of a delivery until a call with its records has returned.
var errPanicked = errors.New("the call of the group panicked")

// New returns a Committer.
func New(opts Options) *Committer {
	return &Committer{opts: opts, maxRecords: maxRecords, maxBytes: maxBytes}
}

// Commit hands over the records of a delivery, and returns the error of the consumer. It calls build for each call that
// takes the records, because the consumer may keep and change them. A group goes with the context of its first delivery,
// so the contexts of all deliveries must carry equal values, and end together.
func (c *Committer) Commit(ctx context.Context, build func() plog.Logs) error {
	logs := build()
	if c.beginAlone() {
		defer c.end()
		return c.opts.Next.ConsumeLogs(ctx, logs)
	}
	d := &delivery{build: build, logs: logs, err: errPanicked}
	g, first := c.join(d, c.sizer.LogsSize(logs))
	if first {
		<-g.begin
		c.call(ctx, g)
	}
	<-g.ended
	if errors.Is(d.err, errPanicked) { // panics again, in the goroutine of the delivery
		return c.opts.Next.ConsumeLogs(ctx, build())
	}
	return d.err
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

// join adds a delivery to the group that waits. The first delivery of a group makes its call.
func (c *Committer) join(d *delivery, size int) (g *group, first bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	records := d.logs.LogRecordCount()
	if c.waiting != nil && (c.waiting.records+records > c.maxRecords || c.waiting.bytes+size > c.maxBytes) {
		c.beginGroup()
	}
	if first = c.waiting == nil; first {
		c.waiting = &group{begin: make(chan struct{}), ended: make(chan struct{})}
	}
	g = c.waiting
	g.deliveries = append(g.deliveries, d)
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

// end ends a call. The next begins if a group waits for it.
func (c *Committer) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls--
	if c.waiting != nil {
		c.beginGroup()
	}
}

// call hands the records of a group over. The next group does not wait for the calls that a partial refusal causes.
func (c *Committer) call(ctx context.Context, g *group) {
	defer close(g.ended)
	err := c.consume(ctx, g.deliveries)
	c.end()
	_ = c.settle(ctx, g.deliveries, err)
}

// settle gives deliveries the error of the call with their records. If the error may concern a part of them only, settle
// hands their records over again in halves, one after the other, so that few calls find the deliveries that the consumer
// refuses alone. It returns the error of the last call. If the consumer has no room even for a half, the rest gets no
// call.
func (c *Committer) settle(ctx context.Context, deliveries []*delivery, err error) error {
	if len(deliveries) == 1 || !c.mayBePartial(err) {
		return fail(deliveries, err)
	}
	half := len(deliveries) / 2
	err = c.again(ctx, deliveries[:half])
	if err != nil && c.opts.IsExhausted(err) {
		return fail(deliveries[half:], err)
	}
	return c.again(ctx, deliveries[half:])
}

// again hands the records of a part of a group over.
func (c *Committer) again(ctx context.Context, deliveries []*delivery) error {
	for _, d := range deliveries {
		d.logs = d.build()
	}
	return c.settle(ctx, deliveries, c.consume(ctx, deliveries))
}

func (c *Committer) mayBePartial(err error) bool {
	return err != nil && (errors.Is(err, errPanicked) || c.opts.IsPermanent(err) || c.opts.IsExhausted(err))
}

func fail(deliveries []*delivery, err error) error {
	for _, d := range deliveries {
		d.err = err
	}
	return err
}

// consume calls the consumer. It turns a panic into errPanicked.
func (c *Committer) consume(ctx context.Context, deliveries []*delivery) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	defer func() {
		if p := recover(); p != nil {
			c.opts.OnPanic(p)
			err = errPanicked
		}
	}()
	merged := deliveries[0].logs
	for _, d := range deliveries[1:] {
		pipeline.Merge(merged, d.logs)
	}
	return c.opts.Next.ConsumeLogs(ctx, merged)
}
