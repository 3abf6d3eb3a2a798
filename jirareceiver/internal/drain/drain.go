// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

// Package drain counts calls that are under way, so that a shutdown can wait for them or end them.
package drain

import (
	"context"
	"sync"
	"time"
)

// Calls are the calls under way. They are safe for concurrent use.
type Calls struct {
	ctx    context.Context // done when the calls must give up
	cancel context.CancelFunc

	mu      sync.Mutex // orders Begin and close, so that no call begins once close waits for the others
	closed  bool
	running sync.WaitGroup
}

// New returns Calls without a call.
func New() *Calls {
	ctx, cancel := context.WithCancel(context.Background())
	return &Calls{ctx: ctx, cancel: cancel}
}

// Begin returns the context of a call and a function that ends the call, or false after Wait or Abort.
//
// The context keeps the values of ctx but not its end: Data Center closes a connection after a while and never sends the event
// again, and the event is still good.
func (c *Calls) Begin(ctx context.Context) (context.Context, func(), bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, nil, false
	}
	c.running.Add(1)
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(c.ctx, cancel)
	return ctx, func() {
		stop()
		cancel()
		c.running.Done()
	}, true
}

// Wait lets no more calls begin and waits for the running ones. It returns the error of ctx if ctx ends first.
func (c *Calls) Wait(ctx context.Context) error {
	select {
	case <-c.close():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Abort lets no more calls begin, cancels the running ones and waits for them, but no longer than grace.
func (c *Calls) Abort(grace time.Duration) {
	returned := c.close()
	c.cancel()
	select {
	case <-returned:
	case <-time.After(grace):
	}
}

// close lets no more calls begin. The returned channel is closed when the running calls have returned.
func (c *Calls) close() <-chan struct{} {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	returned := make(chan struct{})
	go func() {
		c.running.Wait()
		close(returned)
	}()
	return returned
}
