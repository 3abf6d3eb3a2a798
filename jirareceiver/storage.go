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

// storageName tells the client of the memory from others that the receiver may come to have.
const storageName = "deduplication"

// saveInterval is how long a save may lag behind: a crash forgets no more than this, and what was being written. It keeps a busy
// receiver from writing the same page for each delivery.
const saveInterval = 100 * time.Millisecond

// storageTimeout is how long the storage may take, as far as it listens to its context.
const storageTimeout = 10 * time.Second

// persister saves the memory of deliveries in the background, so that no delivery waits for a disk.
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

// startPersister loads the deliveries in the file or storage. It returns nil without either, and when it cannot be opened: then the
// memory is all there is. The error is one of the configuration.
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
	k := &persister{cache: cache, store: store, telemetry: t, stop: make(chan struct{})}
	damaged, err := k.cache.Load(ctx, k.store)
	if err != nil {
		t.recordStorageError(ctx, err)
	}
	if damaged > 0 {
		t.recordDamage(ctx, cfg.File, damaged)
	}
	k.saving.Go(k.run)
	return k, nil
}

// configError is a mistake in the configuration that only a start can find.
type configError struct{ error }

func (cfg *DeduplicationConfig) openStore(ctx context.Context, host component.Host, receiver component.ID) (closableStore, error) {
	if cfg.File != "" {
		file, err := dedup.OpenFile(cfg.File)
		return fileStore{file}, err
	}
	extension, found := host.GetExtensions()[*cfg.Storage]
	if !found {
		return nil, &configError{fmt.Errorf("deduplication::storage: there is no extension %s: add it under extensions and service::extensions", cfg.Storage)}
	}
	backend, ok := extension.(storage.Extension)
	if !ok {
		return nil, &configError{fmt.Errorf("deduplication::storage: %s is not a storage extension; name a storage extension, or set deduplication::file", cfg.Storage)}
	}
	client, err := backend.GetClient(ctx, component.KindReceiver, receiver, storageName)
	return clientStore{client}, err
}

func (k *persister) run() {
	for {
		select {
		case <-k.stop:
			return
		case <-k.cache.Changed():
			k.save(context.Background())
		}
		select {
		case <-k.stop:
			return
		case <-time.After(saveInterval):
		}
	}
}

func (k *persister) save(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, storageTimeout)
	defer cancel()
	if err := k.cache.Save(ctx, k.store); err != nil {
		k.telemetry.recordStorageError(ctx, err)
	}
}

// shutdown saves what is left and closes the storage, but waits for neither longer than ctx, or a moment if that has ended
// already: a disk may hang.
func (k *persister) shutdown(ctx context.Context) error {
	if k == nil {
		return nil
	}
	if ctx.Err() != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), cancelGrace)
		defer cancel()
	}
	close(k.stop)
	done := make(chan error, 1)
	go func() {
		k.saving.Wait()
		k.save(ctx)
		done <- k.store.Close(ctx)
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
