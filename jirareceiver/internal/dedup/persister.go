// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package dedup

import (
	"context"
	"sync"
	"time"
)

const (
	// saveInterval is the least time between two saves, so that a busy cache does not write the same page for each
	// delivery. A crash loses the deliveries of this time, and those of the save in progress.
	saveInterval = 100 * time.Millisecond
	// storeTimeout limits each use of the store, if the store observes its context.
	storeTimeout = 10 * time.Second
	// shutdownGrace is the time for the last save if the context of Shutdown is done already.
	shutdownGrace = time.Second
)

// PersisterOptions configure a [Persister].
type PersisterOptions struct {
	Open        func(ctx context.Context) (Store, error)
	OnOpenError func(ctx context.Context, err error) // called if Open failed
	OnError     func(ctx context.Context, err error) // called for each load and save that failed
	OnDamage    func(ctx context.Context, pages int) // called with the number of damaged pages, unless there are none
}

// Persister saves a [Cache] in the background, so that no delivery waits for a disk. A nil Persister saves nothing.
type Persister struct {
	opts   PersisterOptions
	cache  *Cache
	store  Store
	stop   chan struct{}
	saving sync.WaitGroup
}

// StartPersister opens the store, loads its entries into the cache, and saves the cache whenever it changes. It returns
// nil if the store cannot be opened. The cache then works in memory only.
func StartPersister(ctx context.Context, cache *Cache, opts PersisterOptions) *Persister {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	store, err := opts.Open(ctx)
	if err != nil {
		opts.OnOpenError(ctx, err)
		return nil
	}
	p := &Persister{opts: opts, cache: cache, store: store, stop: make(chan struct{})}
	damaged, err := cache.Load(ctx, store)
	if err != nil {
		opts.OnError(ctx, err)
	}
	if damaged > 0 {
		opts.OnDamage(ctx, damaged)
	}
	p.saving.Go(p.run)
	return p
}

func (p *Persister) run() {
	for {
		select {
		case <-p.stop:
			return
		case <-p.cache.Changed():
			p.save(context.Background())
		}
		select {
		case <-p.stop:
			return
		case <-time.After(saveInterval):
		}
	}
}

func (p *Persister) save(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	if err := p.cache.Save(ctx, p.store); err != nil {
		p.opts.OnError(ctx, err)
	}
}

// Shutdown saves the remaining changes and closes the store. It waits until ctx is done, or for a short time if ctx is
// done already, because a disk may hang.
func (p *Persister) Shutdown(ctx context.Context) error {
	if p == nil {
		return nil
	}
	if ctx.Err() != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
		defer cancel()
	}
	close(p.stop)
	done := make(chan error, 1)
	go func() {
		p.saving.Wait()
		p.save(ctx)
		done <- p.store.Close(ctx)
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
