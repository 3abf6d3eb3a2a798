package jirareceiver

import (
	"context"
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

// keeper saves the memory of deliveries in the background, so that no delivery waits for a disk.
type keeper struct {
	memory *dedup.Memory
	store  clientStore
	meter  *meter
	stop   chan struct{}
	saving sync.WaitGroup
}

// startKeeper loads what the storage has. It returns nil without storage, also when the storage fails: then the memory is
// all there is. The error is one of the configuration.
func startKeeper(ctx context.Context, host component.Host, receiver component.ID, cfg *DeduplicationConfig, memory *dedup.Memory, m *meter) (*keeper, error) {
	if memory == nil || cfg.Storage == nil {
		return nil, nil
	}
	extension, found := host.GetExtensions()[*cfg.Storage]
	if !found {
		return nil, fmt.Errorf("deduplication::storage: there is no extension %s: add it under extensions and service::extensions", cfg.Storage)
	}
	backend, ok := extension.(storage.Extension)
	if !ok {
		return nil, fmt.Errorf("deduplication::storage: %s is no storage extension: name one, such as file_storage", cfg.Storage)
	}
	ctx, cancel := context.WithTimeout(ctx, storageTimeout)
	defer cancel()
	client, err := backend.GetClient(ctx, component.KindReceiver, receiver, storageName)
	if err != nil {
		m.storageFailed(ctx, err)
		return nil, nil
	}
	k := &keeper{memory: memory, store: clientStore{client}, meter: m, stop: make(chan struct{})}
	if err := k.memory.Load(ctx, k.store); err != nil {
		k.meter.storageFailed(ctx, err)
	}
	k.saving.Go(k.run)
	return k, nil
}

func (k *keeper) run() {
	for {
		select {
		case <-k.stop:
			return
		case <-k.memory.Changed():
			k.save(context.Background())
		}
		select {
		case <-k.stop:
			return
		case <-time.After(saveInterval):
		}
	}
}

func (k *keeper) save(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, storageTimeout)
	defer cancel()
	if err := k.memory.Save(ctx, k.store); err != nil {
		k.meter.storageFailed(ctx, err)
	}
}

// shutdown saves what is left and closes the storage, but waits for neither longer than ctx, or a moment if that has ended
// already: a disk may hang.
func (k *keeper) shutdown(ctx context.Context) error {
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
		done <- k.store.client.Close(ctx)
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// clientStore keeps pages in a storage extension.
type clientStore struct{ client storage.Client }

var _ dedup.Store = clientStore{}

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
