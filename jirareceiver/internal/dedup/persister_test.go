// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package dedup

import (
	"context"
	"encoding/binary"
	"maps"
	"math"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// disk is a Store that can fail and hang. It saves nothing until hanging is closed, unless hanging is nil.
type disk struct {
	mu      sync.Mutex
	pages   pages
	saveErr error
	hanging chan struct{}
	closed  int
	errs    []error // reported by the Persister
	damaged int     // pages reported by the Persister
}

func (d *disk) Load(_ context.Context, page int) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.pages[page], nil
}

func (d *disk) Save(_ context.Context, changed map[int][]byte) error {
	if d.hanging != nil {
		<-d.hanging
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.saveErr == nil {
		maps.Copy(d.pages, changed)
	}
	return d.saveErr
}

func (d *disk) Close(context.Context) error {
	d.closed++
	return nil
}

func (d *disk) fail(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.saveErr = err
}

// copied returns another disk with the pages that a process would find that starts now.
func (d *disk) copied() *disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	return &disk{pages: maps.Clone(d.pages)}
}

// start returns a cache that the disk persists.
func (d *disk) start(t *testing.T) (*Cache, *Persister) {
	t.Helper()
	cache := newCache(nil)
	return cache, StartPersister(t.Context(), cache, PersisterOptions{
		Open:     func(context.Context) (Store, error) { return d, nil },
		OnError:  func(_ context.Context, err error) { d.errs = append(d.errs, err) },
		OnDamage: func(_ context.Context, pages int) { d.damaged += pages },
	})
}

// done returns a context that is done.
func done(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

func TestPersisterSavesAtShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{pages: pages{}}
		cache, persister := d.start(t)
		commit(t, cache, key(1))
		require.NoError(t, persister.Shutdown(t.Context()))
		assert.Equal(t, 1, d.closed)
		cache, persister = d.start(t)
		assert.True(t, isDuplicate(t, cache, key(1)))
		require.NoError(t, persister.Shutdown(t.Context()))
		assert.Empty(t, d.errs)
		assert.Zero(t, d.damaged)
	})
}

// TestKillForgetsNothingThatWasSaved loads the disk while the first process is still running.
func TestKillForgetsNothingThatWasSaved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{pages: pages{}}
		cache, killed := d.start(t)
		commit(t, cache, key(1))
		synctest.Wait()
		commit(t, cache, key(2))
		time.Sleep(saveInterval - 1)
		assert.Equal(t, entrySize, d.copied().pages.size(), "saves are not more frequent")
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		commit(t, cache, key(3))
		cache, persister := d.copied().start(t)
		assert.True(t, isDuplicate(t, cache, key(1)))
		assert.True(t, isDuplicate(t, cache, key(2)))
		assert.False(t, isDuplicate(t, cache, key(3)))
		require.NoError(t, killed.Shutdown(t.Context()))
		require.NoError(t, persister.Shutdown(t.Context()))
	})
}

func TestStorageRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{pages: pages{}, saveErr: errBroken}
		cache, persister := d.start(t)
		commit(t, cache, key(1))
		commit(t, cache, key(2))
		time.Sleep(5*saveInterval - 1)
		assert.Empty(t, d.copied().pages)
		d.fail(nil)
		time.Sleep(saveInterval)
		synctest.Wait()
		assert.Equal(t, 2*entrySize, d.copied().pages.size())
		require.NoError(t, persister.Shutdown(t.Context()))
		assert.Equal(t, slices.Repeat([]error{errBroken}, 5), d.errs, "each failed attempt is reported")
	})
}

// TestStorageHangs checks that the cache works while the disk hangs, and that Shutdown waits for shutdownGrace only.
func TestStorageHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{pages: pages{}, hanging: make(chan struct{})}
		defer close(d.hanging)
		cache, persister := d.start(t)
		commit(t, cache, key(1))
		synctest.Wait()
		commit(t, cache, key(2))
		assert.True(t, isDuplicate(t, cache, key(1)))
		begun := time.Now()
		assert.ErrorIs(t, persister.Shutdown(done(t)), context.DeadlineExceeded)
		assert.Equal(t, shutdownGrace, time.Since(begun))
		assert.Empty(t, d.copied().pages)
	})
}

// TestLastSave shuts down with a context that is done, when the disk works again.
func TestLastSave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{pages: pages{}, saveErr: errBroken}
		cache, persister := d.start(t)
		commit(t, cache, key(1))
		synctest.Wait()
		require.Len(t, d.errs, 1)
		d.fail(nil)
		require.NoError(t, persister.Shutdown(done(t)))
		assert.Equal(t, entrySize, d.pages.size())
	})
}

// TestStoreCannotBeOpened checks that the nil Persister does nothing.
func TestStoreCannotBeOpened(t *testing.T) {
	var reported error
	persister := StartPersister(t.Context(), newCache(nil), PersisterOptions{
		Open:        func(context.Context) (Store, error) { return nil, errBroken },
		OnOpenError: func(_ context.Context, err error) { reported = err },
	})
	assert.Nil(t, persister)
	assert.Equal(t, errBroken, reported)
	assert.NoError(t, persister.Shutdown(t.Context()))
}

// TestDamagedPages loads pages that no Cache has saved in this form.
func TestDamagedPages(t *testing.T) {
	dated := func(page []byte, milliseconds int64) []byte {
		for entry := page; len(entry) >= entrySize; entry = entry[entrySize:] {
			binary.BigEndian.PutUint64(entry[timeAt:], uint64(milliseconds))
		}
		return page
	}
	after := func(d time.Duration) int64 { return time.Now().Add(d).UnixMilli() }
	for _, tt := range []struct {
		name   string
		damage func([]byte) []byte
		known  int // of the two
	}{
		{"none", func(p []byte) []byte { return p }, 2},
		{"lost", func([]byte) []byte { return nil }, 0},
		{"truncated in the second entry", func(p []byte) []byte { return p[:entrySize+10] }, 1},
		{"truncated in the first entry", func(p []byte) []byte { return p[:10] }, 0},
		{"rubbish at the end", func(p []byte) []byte { return append(p, "hunter2"...) }, 2},
		{"rubbish", func([]byte) []byte { return []byte("hunter2 and more of the like, longer than an entry") }, 0},
		{"first entry overwritten", func(p []byte) []byte { return append(make([]byte, entrySize), p[entrySize:]...) }, 1},
		{"twice the same", func(p []byte) []byte { return append(p, p...) }, 2},
		{"before the window", func(p []byte) []byte { return dated(p, after(-time.Hour)) }, 0},
		{"before all time", func(p []byte) []byte { return dated(p, math.MinInt64) }, 0},
		{"from the future", func(p []byte) []byte { return dated(p, after(time.Hour)) }, 2},
		{"from the end of time", func(p []byte) []byte { return dated(p, math.MaxInt64) }, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &disk{pages: pages{}}
				cache, persister := d.start(t)
				commit(t, cache, key(1))
				commit(t, cache, key(2))
				require.NoError(t, persister.Shutdown(t.Context()))
				require.Len(t, d.pages[0], 2*entrySize)
				d.pages[0] = tt.damage(d.pages[0])

				cache, persister = d.start(t)
				known := 0
				for i := 1; i <= 2; i++ {
					if isDuplicate(t, cache, key(i)) {
						known++
						continue
					}
					commit(t, cache, key(i))
				}
				assert.Equal(t, tt.known, known)
				time.Sleep(time.Hour)
				assert.Zero(t, cache.Len(), "no entry stays for longer than the window")
				require.NoError(t, persister.Shutdown(t.Context()))
			})
		})
	}
}

// fakeClient is a storage client without the methods that ClientStore does not use.
type fakeClient struct {
	storage.Client
	content map[string][]byte
	closed  bool
}

func (c *fakeClient) Get(_ context.Context, key string) ([]byte, error) { return c.content[key], nil }

func (c *fakeClient) Batch(_ context.Context, operations ...*storage.Operation) error {
	for _, operation := range operations {
		c.content[operation.Key] = operation.Value
	}
	return nil
}

func (c *fakeClient) Close(context.Context) error {
	c.closed = true
	return nil
}

func TestClientStore(t *testing.T) {
	client := &fakeClient{content: map[string][]byte{}}
	store := NewClientStore(client)
	require.NoError(t, store.Save(t.Context(), map[int][]byte{0: []byte("a"), 12: []byte("b")}))
	assert.Equal(t, map[string][]byte{"page-0": []byte("a"), "page-12": []byte("b")}, client.content)
	for page, want := range map[int][]byte{0: []byte("a"), 1: nil, 12: []byte("b")} {
		content, err := store.Load(t.Context(), page)
		require.NoError(t, err)
		assert.Equal(t, want, content)
	}
	require.NoError(t, store.Close(t.Context()))
	assert.True(t, client.closed)
}
