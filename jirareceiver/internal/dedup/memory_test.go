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

// newMemory tells the time of the test's bubble, or the real one outside of a bubble.
func newMemory(change func(*Options)) *Memory {
	opts := Options{Window: time.Hour, MaxEntries: 10, Patience: time.Second, Now: time.Now}
	if change != nil {
		change(&opts)
	}
	return New(opts)
}

func key(i int) Key { return NewKey("https://acme.atlassian.net", strconv.Itoa(i)) }

func claim(t *testing.T, m *Memory, k Key) Claim {
	t.Helper()
	c, err := m.Claim(t.Context(), k, 0)
	require.NoError(t, err)
	return c
}

// accept is a delivery that was accepted.
func accept(t *testing.T, m *Memory, k Key) {
	t.Helper()
	c := claim(t, m, k)
	require.False(t, c.Duplicate)
	c.Accept()
	c.Release()
}

// load expects a store without a fault.
func load(t *testing.T, m *Memory, store Store) {
	t.Helper()
	damaged, err := m.Load(t.Context(), store)
	require.NoError(t, err)
	require.Zero(t, damaged)
}

func isDuplicate(t *testing.T, m *Memory, k Key) bool {
	t.Helper()
	c := claim(t, m, k)
	c.Release()
	return c.Duplicate
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
	m := newMemory(nil)
	claim(t, m, key(1)).Release() // failed
	assert.False(t, isDuplicate(t, m, key(1)))
	accept(t, m, key(1))
	assert.True(t, isDuplicate(t, m, key(1)))
	assert.False(t, isDuplicate(t, m, key(2)))
	assert.Equal(t, 1, m.Len())
}

// TestConflict has deliveries with one key and other bodies, also after a restart.
func TestConflict(t *testing.T) {
	m, store := newMemory(nil), pages{}
	claim := func(body string) Claim {
		c, err := m.Claim(t.Context(), key(1), BodySum([]byte(body)))
		require.NoError(t, err)
		defer c.Release()
		return c
	}
	assert.False(t, claim("failed").Duplicate)
	first := claim("accepted")
	assert.Equal(t, [2]bool{false, false}, [2]bool{first.Duplicate, first.Conflict})
	first.Accept()
	for range 2 {
		assert.Equal(t, Claim{Duplicate: true}, claim("accepted"))
		assert.Equal(t, Claim{Duplicate: true, Conflict: true}, claim("another"))
		require.NoError(t, m.Save(t.Context(), store))
		m = newMemory(nil)
		load(t, m, store)
	}
}

func TestZeroClaim(*testing.T) {
	var c Claim
	c.Accept()
	c.Release()
}

func TestWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(nil)
		accept(t, m, key(1))
		time.Sleep(time.Hour - time.Millisecond)
		assert.True(t, isDuplicate(t, m, key(1)))
		accept(t, m, key(2))
		time.Sleep(time.Millisecond)
		assert.False(t, isDuplicate(t, m, key(1)))
		assert.True(t, isDuplicate(t, m, key(2)))
		assert.Equal(t, 1, m.Len())
	})
}

func TestOldestAreForgottenFirst(t *testing.T) {
	m := newMemory(nil)
	for i := range 25 {
		accept(t, m, key(i))
	}
	for i := range 25 {
		assert.Equal(t, i >= 15, isDuplicate(t, m, key(i)), i)
	}
	assert.Equal(t, 10, m.Len())
}

// TestMemoryIsAsAPlainList has few keys, so that many are accepted again after they were forgotten, for either reason.
func TestMemoryIsAsAPlainList(t *testing.T) {
	for _, maxEntries := range []int{1, 2, 10} {
		t.Run(strconv.Itoa(maxEntries), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { compareWithPlainList(t, maxEntries) })
		})
	}
}

func compareWithPlainList(t *testing.T, maxEntries int) {
	t.Helper()
	const window = 50 * time.Minute
	m := newMemory(func(o *Options) { o.Window, o.MaxEntries = window, maxEntries })
	var plain []entry
	dice := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		time.Sleep(time.Duration(dice.IntN(10)) * time.Minute)
		limit := time.Now().Add(-window).UnixMilli()
		plain = slices.DeleteFunc(plain, func(e entry) bool { return e.at <= limit })
		k := key(dice.IntN(3 * maxEntries))
		known := slices.ContainsFunc(plain, func(e entry) bool { return e.key == k })
		require.Equal(t, known, isDuplicate(t, m, k))
		require.Equal(t, len(plain), m.Len())
		if !known {
			accept(t, m, k)
			plain = append(plain, entry{k, 0, time.Now().UnixMilli()})
			plain = plain[max(0, len(plain)-maxEntries):]
		}
	}
}

func TestTwin(t *testing.T) {
	for _, tt := range []struct {
		name      string
		end       func(Claim)
		duplicate bool
		err       error
	}{
		{"the first is accepted", func(c Claim) { c.Accept(); c.Release() }, true, nil},
		{"the first fails", func(c Claim) { c.Release() }, false, nil},
		{"the first takes long", func(Claim) {}, false, ErrInProgress},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory(nil)
				first := claim(t, m, key(1))
				time.AfterFunc(100*time.Millisecond, func() { tt.end(first) })
				twin, err := m.Claim(t.Context(), key(1), 0)
				assert.Equal(t, tt.err, err)
				assert.Equal(t, tt.duplicate, twin.Duplicate)
				twin.Release()
			})
		})
	}
}

func TestTwinGivesUpWithItsContext(t *testing.T) {
	m := newMemory(func(o *Options) { o.Patience = time.Hour })
	defer claim(t, m, key(1)).Release()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := m.Claim(ctx, key(1), 0)
	assert.Equal(t, ErrInProgress, err)
}

// TestOneOfManyTwinsIsProcessed has each fail some times before it is accepted.
func TestOneOfManyTwinsIsProcessed(t *testing.T) {
	const failures = 3
	m := newMemory(func(o *Options) { o.Patience = time.Minute })
	var processed, duplicates, atOnce atomic.Int32
	var twins sync.WaitGroup
	for range 50 {
		twins.Go(func() {
			c, err := m.Claim(context.Background(), key(1), 0)
			if !assert.NoError(t, err) {
				return
			}
			defer c.Release()
			if c.Duplicate {
				duplicates.Add(1)
				return
			}
			assert.EqualValues(t, 1, atOnce.Add(1))
			if processed.Add(1) > failures {
				c.Accept()
			}
			atOnce.Add(-1)
		})
	}
	twins.Wait()
	assert.EqualValues(t, failures+1, processed.Load())
	assert.EqualValues(t, 50-failures-1, duplicates.Load())
}

// TestMillionDeliveries looks at what the memory holds, which is the same after a million deliveries as after the first few.
func TestMillionDeliveries(t *testing.T) {
	const entries = 20_000
	store := pages{}
	m := newMemory(func(o *Options) { o.MaxEntries = entries })
	deliver := func(from, to int) (heap uint64) {
		for i := from; i < to; i++ {
			accept(t, m, key(i))
			if i%1000 == 0 {
				require.NoError(t, m.Save(t.Context(), store))
			}
		}
		runtime.GC()
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}
	early, earlySize := deliver(0, 3*entries), store.size()
	late, lateSize := deliver(3*entries, 1_000_000), store.size()
	t.Logf("after %d deliveries %d kB of heap, %d kB stored; after a million %d kB, %d kB", 3*entries, early>>10, earlySize>>10, late>>10, lateSize>>10)
	assert.Equal(t, entries, m.Len())
	assert.Less(t, late, early+early/10)
	assert.Equal(t, earlySize, lateSize)
	assert.Equal(t, entries*entrySize, lateSize)
}

// pages is a store in memory.
type pages map[int][]byte

func (p pages) Load(_ context.Context, page int) ([]byte, error) { return p[page], nil }

func (p pages) Save(_ context.Context, changed map[int][]byte) error {
	maps.Copy(p, changed)
	return nil
}

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
			m := newMemory(bound)
			for i := range deliveries {
				accept(t, m, key(i))
				if i%700 == 0 {
					require.NoError(t, m.Save(t.Context(), store))
				}
			}
			require.NoError(t, m.Save(t.Context(), store))
			for restart := range 3 {
				m = newMemory(bound)
				load(t, m, store)
				require.NoError(t, m.Save(t.Context(), store))
				assert.Equal(t, min(deliveries, entries), m.Len(), "restart %d", restart)
				for i := range deliveries {
					assert.Equal(t, i >= deliveries-entries, isDuplicate(t, m, key(i)), i)
				}
			}
			accept(t, m, key(-1))
		})
	}
}

func TestRestartWithOtherBounds(t *testing.T) {
	store := pages{}
	m := newMemory(func(o *Options) { o.MaxEntries = 2000 })
	for i := range 2000 {
		accept(t, m, key(i))
	}
	require.NoError(t, m.Save(t.Context(), store))
	m = newMemory(func(o *Options) { o.MaxEntries = 10_000 })
	load(t, m, store)
	assert.Equal(t, 2000, m.Len())
	m = newMemory(func(o *Options) { o.MaxEntries = pageSize })
	load(t, m, store)
	assert.Equal(t, pageSize, m.Len())
	for i := range 2000 {
		assert.Equal(t, i >= 2000-pageSize, isDuplicate(t, m, key(i)), i)
	}
	require.NoError(t, m.Save(t.Context(), store))
	assert.Equal(t, pageSize*entrySize, store.size(), "what there is no room for any more is gone")
}

func TestOnlyChangedPagesAreSaved(t *testing.T) {
	store := pages{}
	m := newMemory(func(o *Options) { o.MaxEntries = 3 * pageSize })
	for i := range 2*pageSize + 1 {
		accept(t, m, key(i))
	}
	require.NoError(t, m.Save(t.Context(), store))
	assert.Equal(t, []int{0, 1, 2}, slices.Sorted(maps.Keys(store)))
	clear(store)
	accept(t, m, key(-1))
	require.NoError(t, m.Save(t.Context(), store))
	assert.Equal(t, []int{2}, slices.Sorted(maps.Keys(store)))
	clear(store)
	require.NoError(t, m.Save(t.Context(), store))
	assert.Empty(t, store)
}

func TestFailedSaveIsSavedLater(t *testing.T) {
	m := newMemory(nil)
	accept(t, m, key(1))
	<-m.Changed()
	require.ErrorIs(t, m.Save(t.Context(), broken{}), errBroken)
	<-m.Changed()
	store := pages{}
	require.NoError(t, m.Save(t.Context(), store))
	assert.Len(t, store, 1)
}

var errBroken = errors.New("disk full")

type broken struct{}

func (broken) Load(context.Context, int) ([]byte, error) { return nil, errBroken }

func (broken) Save(context.Context, map[int][]byte) error { return errBroken }

// TestDamagedStore has what a disk may hold that nobody saved: it costs what cannot be read, and nothing else.
func TestDamagedStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := pages{}
		m := newMemory(nil)
		accept(t, m, key(1))
		accept(t, m, key(2))
		require.NoError(t, m.Save(t.Context(), store))
		store[0] = store[0][:2*entrySize-1]
		store[0] = append(store[0][:entrySize:entrySize], store[0]...) // the same entry twice

		m = newMemory(nil)
		load(t, m, store)
		assert.Equal(t, 1, m.Len())
		assert.True(t, isDuplicate(t, m, key(1)))
		assert.False(t, isDuplicate(t, m, key(2)))

		m = newMemory(nil)
		_, err := m.Load(t.Context(), broken{})
		require.ErrorIs(t, err, errBroken)
		accept(t, m, key(1))
	})
}

// TestClockSetBack has entries from the future, which must not stay for longer than the window.
func TestClockSetBack(t *testing.T) {
	store := pages{}
	m := newMemory(func(o *Options) { o.Now = func() time.Time { return time.Now().Add(24 * time.Hour) } })
	accept(t, m, key(1))
	require.NoError(t, m.Save(t.Context(), store))
	synctest.Test(t, func(t *testing.T) { // in the year 2000
		m := newMemory(nil)
		load(t, m, store)
		assert.True(t, isDuplicate(t, m, key(1)))
		time.Sleep(time.Hour)
		assert.False(t, isDuplicate(t, m, key(1)))
	})
}

func BenchmarkClaim(b *testing.B) {
	m := newMemory(func(o *Options) { o.MaxEntries = 100_000 })
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		c, err := m.Claim(b.Context(), key(i), 0)
		if err != nil || c.Duplicate {
			b.Fatal(c, err)
		}
		c.Accept()
		c.Release()
	}
}
