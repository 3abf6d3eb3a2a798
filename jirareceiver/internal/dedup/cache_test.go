// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package dedup

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// newCache returns a cache that uses the clock of the test's synctest bubble, or the real clock outside of a bubble.
func newCache(change func(*Options)) *Cache {
	opts := Options{Window: time.Hour, MaxEntries: 10, WaitTimeout: time.Second, Now: time.Now}
	if change != nil {
		change(&opts)
	}
	return New(opts)
}

func key(i int) Key { return NewKey("https://acme.atlassian.net", strconv.Itoa(i)) }

func begin(t *testing.T, cache *Cache, k Key) Transaction {
	t.Helper()
	tx, err := cache.Begin(t.Context(), k, 0)
	require.NoError(t, err)
	return tx
}

// commit begins and commits a delivery that must not be a duplicate.
func commit(t *testing.T, cache *Cache, k Key) {
	t.Helper()
	tx := begin(t, cache, k)
	require.False(t, tx.Duplicate)
	tx.Commit()
	tx.Release()
}

// load loads a store that must contain no damaged page.
func load(t *testing.T, cache *Cache, store Store) {
	t.Helper()
	damaged, err := cache.Load(t.Context(), store)
	require.NoError(t, err)
	require.Zero(t, damaged)
}

func isDuplicate(t *testing.T, cache *Cache, k Key) bool {
	t.Helper()
	tx := begin(t, cache, k)
	tx.Release()
	return tx.Duplicate
}

func TestKeysTellSitesAndIDsApart(t *testing.T) {
	keys := map[Key]bool{}
	parts := [][2]string{
		{"a", "b"}, {"ab", ""}, {"", "ab"}, {"a", "c"}, {"b", "b"}, {"a\x00", "b"}, {"a", "\x00b"}, {"", ""}, {"\x00", ""}, {"", "\x00"}, {"", "\x01a"}, {"\x01", "a"},
	}
	for _, part := range parts {
		keys[NewKey(part[0], part[1])] = true
	}
	assert.Len(t, keys, len(parts))
}

func TestOnlyAcceptedDeliveriesAreRemembered(t *testing.T) {
	cache := newCache(nil)
	begin(t, cache, key(1)).Release() // failed
	assert.False(t, isDuplicate(t, cache, key(1)))
	commit(t, cache, key(1))
	assert.True(t, isDuplicate(t, cache, key(1)))
	assert.False(t, isDuplicate(t, cache, key(2)))
	assert.Equal(t, 1, cache.Len())
}

// TestConflict begins attempts of a delivery with different payloads, also after a restart.
func TestConflict(t *testing.T) {
	cache, store := newCache(nil), pages{}
	begin := func(body string) Transaction {
		tx, err := cache.Begin(t.Context(), key(1), PayloadSum([]byte(body)))
		require.NoError(t, err)
		defer tx.Release()
		return tx
	}
	assert.False(t, begin("failed").Duplicate)
	first := begin("accepted")
	assert.Equal(t, [2]bool{false, false}, [2]bool{first.Duplicate, first.Conflict})
	first.Commit()
	for range 2 {
		assert.Equal(t, Transaction{Duplicate: true}, begin("accepted"))
		assert.Equal(t, Transaction{Duplicate: true, Conflict: true}, begin("another"))
		require.NoError(t, cache.Save(t.Context(), store))
		cache = newCache(nil)
		load(t, cache, store)
	}
}

func TestZeroTransaction(*testing.T) {
	var tx Transaction
	tx.Commit()
	tx.Release()
}

func TestWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cache := newCache(nil)
		commit(t, cache, key(1))
		time.Sleep(time.Hour - time.Millisecond)
		assert.True(t, isDuplicate(t, cache, key(1)))
		commit(t, cache, key(2))
		time.Sleep(time.Millisecond)
		assert.False(t, isDuplicate(t, cache, key(1)))
		assert.True(t, isDuplicate(t, cache, key(2)))
		assert.Equal(t, 1, cache.Len())
	})
}

func TestOldestAreForgottenFirst(t *testing.T) {
	cache := newCache(nil)
	for i := range 25 {
		commit(t, cache, key(i))
	}
	for i := range 25 {
		assert.Equal(t, i >= 15, isDuplicate(t, cache, key(i)), i)
	}
	assert.Equal(t, 10, cache.Len())
}

// TestCacheEqualsPlainList compares the cache with a plain list. It uses few keys, so that many of them are accepted
// again after they have expired or were replaced.
func TestCacheEqualsPlainList(t *testing.T) {
	for _, maxEntries := range []int{1, 2, 10} {
		t.Run(strconv.Itoa(maxEntries), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { compareWithPlainList(t, maxEntries) })
		})
	}
}

func compareWithPlainList(t *testing.T, maxEntries int) {
	t.Helper()
	const window = 50 * time.Minute
	cache := newCache(func(o *Options) { o.Window, o.MaxEntries = window, maxEntries })
	var plain []entry
	random := rand.New(rand.NewPCG(1, 2))
	steps := 20_000
	if testing.Short() {
		steps = 5_000
	}
	for range steps {
		time.Sleep(time.Duration(random.IntN(10)) * time.Minute)
		limit := time.Now().Add(-window).UnixMilli()
		plain = slices.DeleteFunc(plain, func(e entry) bool { return e.at <= limit })
		k := key(random.IntN(3 * maxEntries))
		known := slices.ContainsFunc(plain, func(e entry) bool { return e.key == k })
		require.Equal(t, known, isDuplicate(t, cache, k))
		require.Equal(t, len(plain), cache.Len())
		if !known {
			commit(t, cache, k)
			plain = append(plain, entry{k, 0, time.Now().UnixMilli()})
			plain = plain[max(0, len(plain)-maxEntries):]
		}
	}
}

func TestConcurrentAttempt(t *testing.T) {
	for _, tt := range []struct {
		name      string
		end       func(Transaction)
		duplicate bool
		err       error
	}{
		{"the first is accepted", func(tx Transaction) { tx.Commit(); tx.Release() }, true, nil},
		{"the first fails", func(tx Transaction) { tx.Release() }, false, nil},
		{"the first takes long", func(Transaction) {}, false, ErrInProgress},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cache := newCache(nil)
				first := begin(t, cache, key(1))
				time.AfterFunc(100*time.Millisecond, func() { tt.end(first) })
				second, err := cache.Begin(t.Context(), key(1), 0)
				assert.Equal(t, tt.err, err)
				assert.Equal(t, tt.duplicate, second.Duplicate)
				second.Release()
			})
		})
	}
}

func TestAttemptGivesUpWithItsContext(t *testing.T) {
	cache := newCache(func(o *Options) { o.WaitTimeout = time.Hour })
	defer begin(t, cache, key(1)).Release()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := cache.Begin(ctx, key(1), 0)
	assert.Equal(t, ErrInProgress, err)
}

// TestOneOfManyConcurrentAttemptsIsProcessed lets the first attempts fail, and the next attempt succeed.
func TestOneOfManyConcurrentAttemptsIsProcessed(t *testing.T) {
	const failures = 3
	cache := newCache(func(o *Options) { o.WaitTimeout = time.Minute })
	var processed, duplicates, atOnce atomic.Int32
	var deliveries sync.WaitGroup
	for range 50 {
		deliveries.Go(func() {
			tx, err := cache.Begin(context.Background(), key(1), 0)
			if !assert.NoError(t, err) {
				return
			}
			defer tx.Release()
			if tx.Duplicate {
				duplicates.Add(1)
				return
			}
			assert.EqualValues(t, 1, atOnce.Add(1))
			if processed.Add(1) > failures {
				tx.Commit()
			}
			atOnce.Add(-1)
		})
	}
	deliveries.Wait()
	assert.EqualValues(t, failures+1, processed.Load())
	assert.EqualValues(t, 50-failures-1, duplicates.Load())
}

// TestMillionDeliveries checks that the cache takes the same memory after a million deliveries as after the first few.
func TestMillionDeliveries(t *testing.T) {
	const entries = 20_000
	last := 1_000_000
	if testing.Short() {
		last = 5 * entries
	}
	store := pages{}
	cache := newCache(func(o *Options) { o.MaxEntries = entries })
	deliver := func(from, to int) (heap uint64) {
		for i := from; i < to; i++ {
			commit(t, cache, key(i))
			if i%1000 == 0 {
				require.NoError(t, cache.Save(t.Context(), store))
			}
		}
		runtime.GC()
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}
	early, earlySize := deliver(0, 3*entries), store.size()
	late, lateSize := deliver(3*entries, last), store.size()
	t.Logf("after %d deliveries %d kB of heap, %d kB stored; after %d deliveries %d kB, %d kB", 3*entries, early>>10, earlySize>>10, last, late>>10, lateSize>>10)
	assert.Equal(t, entries, cache.Len())
	assert.Less(t, late, early+early/10)
	assert.Equal(t, earlySize, lateSize)
	assert.Equal(t, entries*entrySize, lateSize)
}

// pages is a Store in memory.
type pages map[int][]byte

func (p pages) Load(_ context.Context, page int) ([]byte, error) { return p[page], nil }

func (p pages) Save(_ context.Context, changed map[int][]byte) error {
	maps.Copy(p, changed)
	return nil
}

func (pages) Close(context.Context) error { return nil }

func (p pages) size() int {
	size := 0
	for _, content := range p {
		size += len(content)
	}
	return size
}

func TestRestart(t *testing.T) {
	const entries = 3 * pageSize
	bound := func(o *Options) { o.MaxEntries = entries }
	for _, deliveries := range []int{0, 1, pageSize, pageSize + 1, entries, 2*entries + 100} {
		t.Run(strconv.Itoa(deliveries), func(t *testing.T) {
			store := pages{}
			cache := newCache(bound)
			for i := range deliveries {
				commit(t, cache, key(i))
				if i%700 == 0 {
					require.NoError(t, cache.Save(t.Context(), store))
				}
			}
			require.NoError(t, cache.Save(t.Context(), store))
			for restart := range 3 {
				cache = newCache(bound)
				load(t, cache, store)
				require.NoError(t, cache.Save(t.Context(), store))
				assert.Equal(t, min(deliveries, entries), cache.Len(), "restart %d", restart)
				for i := range deliveries {
					assert.Equal(t, i >= deliveries-entries, isDuplicate(t, cache, key(i)), i)
				}
			}
			commit(t, cache, key(-1))
		})
	}
}

func TestRestartWithOtherBounds(t *testing.T) {
	store := pages{}
	cache := newCache(func(o *Options) { o.MaxEntries = 2000 })
	for i := range 2000 {
		commit(t, cache, key(i))
	}
	require.NoError(t, cache.Save(t.Context(), store))
	cache = newCache(func(o *Options) { o.MaxEntries = 10_000 })
	load(t, cache, store)
	assert.Equal(t, 2000, cache.Len())
	cache = newCache(func(o *Options) { o.MaxEntries = pageSize })
	load(t, cache, store)
	assert.Equal(t, pageSize, cache.Len())
	for i := range 2000 {
		assert.Equal(t, i >= 2000-pageSize, isDuplicate(t, cache, key(i)), i)
	}
	require.NoError(t, cache.Save(t.Context(), store))
	assert.Equal(t, pageSize*entrySize, store.size(), "entries beyond the lower limit are gone")
}

func TestOnlyChangedPagesAreSaved(t *testing.T) {
	store := pages{}
	cache := newCache(func(o *Options) { o.MaxEntries = 3 * pageSize })
	for i := range 2*pageSize + 1 {
		commit(t, cache, key(i))
	}
	require.NoError(t, cache.Save(t.Context(), store))
	assert.Equal(t, []int{0, 1, 2}, slices.Sorted(maps.Keys(store)))
	clear(store)
	commit(t, cache, key(-1))
	require.NoError(t, cache.Save(t.Context(), store))
	assert.Equal(t, []int{2}, slices.Sorted(maps.Keys(store)))
	clear(store)
	require.NoError(t, cache.Save(t.Context(), store))
	assert.Empty(t, store)
}

func TestFailedSaveIsSavedLater(t *testing.T) {
	cache := newCache(nil)
	commit(t, cache, key(1))
	<-cache.Changed()
	require.ErrorIs(t, cache.Save(t.Context(), broken{}), errBroken)
	<-cache.Changed()
	store := pages{}
	require.NoError(t, cache.Save(t.Context(), store))
	assert.Len(t, store, 1)
}

var errBroken = errors.New("disk full")

type broken struct{}

func (broken) Load(context.Context, int) ([]byte, error) { return nil, errBroken }

func (broken) Save(context.Context, map[int][]byte) error { return errBroken }

func (broken) Close(context.Context) error { return errBroken }

// TestDamagedStore loads content that was never saved. Only entries that cannot be read are lost.
func TestDamagedStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := pages{}
		cache := newCache(nil)
		commit(t, cache, key(1))
		commit(t, cache, key(2))
		require.NoError(t, cache.Save(t.Context(), store))
		store[0] = store[0][:2*entrySize-1]
		store[0] = append(store[0][:entrySize:entrySize], store[0]...) // the same entry twice

		cache = newCache(nil)
		load(t, cache, store)
		assert.Equal(t, 1, cache.Len())
		assert.True(t, isDuplicate(t, cache, key(1)))
		assert.False(t, isDuplicate(t, cache, key(2)))

		cache = newCache(nil)
		_, err := cache.Load(t.Context(), broken{})
		require.ErrorIs(t, err, errBroken)
		commit(t, cache, key(1))
	})
}

// TestClockSetBack loads entries from the future, which must expire after the window.
func TestClockSetBack(t *testing.T) {
	store := pages{}
	cache := newCache(func(o *Options) { o.Now = func() time.Time { return time.Now().Add(24 * time.Hour) } })
	commit(t, cache, key(1))
	require.NoError(t, cache.Save(t.Context(), store))
	synctest.Test(t, func(t *testing.T) { // in the year 2000
		cache := newCache(nil)
		load(t, cache, store)
		assert.True(t, isDuplicate(t, cache, key(1)))
		time.Sleep(time.Hour)
		assert.False(t, isDuplicate(t, cache, key(1)))
	})
}

// BenchmarkClaim measures Begin, Commit and Release. testdata/bench/baseline.txt contains it under this name.
func BenchmarkClaim(b *testing.B) {
	cache := newCache(func(o *Options) { o.MaxEntries = 100_000 })
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		tx, err := cache.Begin(b.Context(), key(i), 0)
		if err != nil || tx.Duplicate {
			b.Fatal(tx, err)
		}
		tx.Commit()
		tx.Release()
	}
}
