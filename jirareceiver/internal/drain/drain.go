// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

// Package drain counts calls in progress, so that a shutdown can wait for them or end them.
package drain

import (
	"context"
	"sync"
	"time"
)

// Calls holds the calls in progress. It is safe for concurrent use.
type Calls struct {
	ctx    context.Context // done when the calls must return
	cancel context.CancelFunc

	mu      sync.Mutex // so that no call begins while close waits for the others
	closed  bool
	running sync.WaitGroup
}

// New returns a Calls without calls.
func New() *Calls {
	ctx, cancel := context.WithCancel(context.Background())
	return &Calls{ctx: ctx, cancel: cancel}
}

// Begin returns the context of a call and a function that ends the call, or false after Wait or Abort.
//
// The context has the values of ctx, but does not end with it: Data Center closes a connection after a while and never
// sends the event again, and the event is still worth recording.
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

// Wait prevents new calls and waits for the running calls. It returns the error of ctx if ctx ends first.
func (c *Calls) Wait(ctx context.Context) error {
	select {
	case <-c.close():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Abort prevents new calls, cancels the running calls and waits for them, but no longer than grace.
func (c *Calls) Abort(grace time.Duration) {
	returned := c.close()
	c.cancel()
	select {
	case <-returned:
	case <-time.After(grace):
	}
}

// close prevents new calls. The returned channel is closed when the running calls have returned.
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
