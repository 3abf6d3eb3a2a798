package jirareceiver

import (
	"context"
	"sync"
	"time"
)

// inflight holds the calls of the next consumer that are under way, so that a shutdown can end them.
type inflight struct {
	ctx    context.Context // done when the calls have to give up
	cancel context.CancelFunc

	mu     sync.Mutex // orders begin and abort, so that no call begins once abort counts them
	closed bool
	calls  sync.WaitGroup
}

func newInflight() *inflight {
	ctx, cancel := context.WithCancel(context.Background())
	return &inflight{ctx: ctx, cancel: cancel}
}

// begin returns the context of a call, and a function to be called at its end; or false when no call may begin any more.
//
// The context keeps the values of the request's, and not its end: the sender may hang up, as Data Center does after a
// while, never to come back, and its event is still good.
func (i *inflight) begin(ctx context.Context) (context.Context, func(), bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.closed {
		return nil, nil, false
	}
	i.calls.Add(1)
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(i.ctx, cancel)
	return ctx, func() {
		stop()
		cancel()
		i.calls.Done()
	}, true
}

// wait lets no call begin any more, and waits for those under way to return. The error is that of ctx, if it ends first.
func (i *inflight) wait(ctx context.Context) error {
	select {
	case <-i.close():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// abort lets no call begin any more, cancels those under way, and waits for them to return, but no longer than grace.
func (i *inflight) abort(grace time.Duration) {
	returned := i.close()
	i.cancel()
	select {
	case <-returned:
	case <-time.After(grace):
	}
}

// close lets no call begin any more. The channel is closed when those under way have returned.
func (i *inflight) close() <-chan struct{} {
	i.mu.Lock()
	i.closed = true
	i.mu.Unlock()
	returned := make(chan struct{})
	go func() {
		i.calls.Wait()
		close(returned)
	}()
	return returned
}
