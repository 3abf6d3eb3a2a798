// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirareceiver

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/otel-jira/collector/jirareceiver/internal/dedup"
)

// storageName distinguishes the storage client of the cache from possible other clients of the receiver.
const storageName = "deduplication"

// saveInterval is the pause between two saves. A crash loses at most the delivery IDs of one interval and of the save
// in progress. The pause keeps a busy receiver from writing the same page for each delivery.
const saveInterval = 100 * time.Millisecond

// storageTimeout is the time limit of the storage, if the storage respects its context.
const storageTimeout = 10 * time.Second

// persister saves the cache in the background, so that no delivery waits for a disk.
type persister struct {
	cache     *dedup.Cache
	store     closableStore
	telemetry *telemetry
	stop      chan struct{}
	saving    sync.WaitGroup
}

type closableStore interface {
	dedup.Store
	Close(ctx context.Context) error
}

// startPersister loads the cache from the file or the storage. It returns nil if neither is configured, or if it cannot
// be opened: the cache then works in memory only. The error is a mistake in the configuration.
func startPersister(ctx context.Context, host component.Host, receiver component.ID, cfg *DeduplicationConfig, cache *dedup.Cache, t *telemetry) (*persister, error) {
	if cache == nil || cfg.Storage == nil && cfg.File == "" {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, storageTimeout)
	defer cancel()
	store, err := cfg.openStore(ctx, host, receiver)
	if _, ok := errors.AsType[*configError](err); ok {
		return nil, err
	}
	if err != nil {
		t.recordStorageError(ctx, err)
		return nil, nil
	}
	p := &persister{cache: cache, store: store, telemetry: t, stop: make(chan struct{})}
	damaged, err := p.cache.Load(ctx, p.store)
	if err != nil {
		t.recordStorageError(ctx, err)
	}
	if damaged > 0 {
		t.recordDamage(ctx, cfg.File, damaged)
	}
	p.saving.Go(p.run)
	return p, nil
}

// configError is a mistake in the configuration that only Start can find.
type configError struct{ error }

func (cfg *DeduplicationConfig) openStore(ctx context.Context, host component.Host, receiver component.ID) (closableStore, error) {
	if cfg.File != "" {
		file, err := dedup.OpenFile(cfg.File)
		return fileStore{file}, err
	}
	extension, found := host.GetExtensions()[*cfg.Storage]
	if !found {
		return nil, &configError{fmt.Errorf("deduplication::storage: the extension %s does not exist; add it under extensions and service::extensions", cfg.Storage)}
	}
	backend, ok := extension.(storage.Extension)
	if !ok {
		return nil, &configError{fmt.Errorf("deduplication::storage: %s is not a storage extension; name a storage extension, or set deduplication::file", cfg.Storage)}
	}
	client, err := backend.GetClient(ctx, component.KindReceiver, receiver, storageName)
	return clientStore{client}, err
}

func (p *persister) run() {
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

func (p *persister) save(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, storageTimeout)
	defer cancel()
	if err := p.cache.Save(ctx, p.store); err != nil {
		p.telemetry.recordStorageError(ctx, err)
	}
}

// shutdown saves the remaining changes and closes the storage. It waits no longer than ctx, or than cancelGrace if ctx
// is already done: a disk may hang.
func (p *persister) shutdown(ctx context.Context) error {
	if p == nil {
		return nil
	}
	if ctx.Err() != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), cancelGrace)
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

// fileStore keeps pages in a file.
type fileStore struct{ *dedup.FileStore }

var _ closableStore = fileStore{}

func (s fileStore) Close(context.Context) error { return s.FileStore.Close() }

// clientStore keeps pages in a storage extension.
type clientStore struct{ client storage.Client }

var _ closableStore = clientStore{}

func (s clientStore) Close(ctx context.Context) error { return s.client.Close(ctx) }

func (s clientStore) Load(ctx context.Context, page int) ([]byte, error) {
	return s.client.Get(ctx, pageKey(page))
}

func (s clientStore) Save(ctx context.Context, pages map[int][]byte) error {
	operations := make([]*storage.Operation, 0, len(pages))
	for page, content := range pages {
		operations = append(operations, storage.SetOperation(pageKey(page), content))
	}
	return s.client.Batch(ctx, operations...)
}

func pageKey(page int) string { return "page-" + strconv.Itoa(page) }
