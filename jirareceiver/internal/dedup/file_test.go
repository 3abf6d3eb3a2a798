// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package dedup

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/crc32"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func openFile(tb testing.TB, path string) *FileStore {
	tb.Helper()
	store, err := OpenFile(path)
	require.NoError(tb, err)
	tb.Cleanup(func() { store.Close(context.Background()) })
	return store
}

// saved returns the content of a file with a number of deliveries.
func saved(tb testing.TB, deliveries int) []byte {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "deliveries")
	cache := newCache(func(o *Options) { o.MaxEntries = max(deliveries, 1) })
	for i := range deliveries {
		cache.add(entry{key(i), 0, cache.opts.Now().UnixMilli()})
	}
	require.NoError(tb, cache.Save(tb.Context(), openFile(tb, path)))
	content, err := os.ReadFile(path)
	require.NoError(tb, err)
	return content
}

// loadContent loads a file with the given content, adds a delivery, and saves. It checks that the file then contains no
// damage.
func loadContent(tb testing.TB, content []byte, maxEntries int) (cache *Cache, damaged int) {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "deliveries")
	require.NoError(tb, os.WriteFile(path, content, 0o600))
	store := openFile(tb, path)
	cache = newCache(func(o *Options) { o.MaxEntries = maxEntries })
	damaged, err := cache.Load(tb.Context(), store)
	require.NoError(tb, err)

	loaded := cache.Len()
	cache.add(entry{key(-1), 0, cache.opts.Now().UnixMilli()})
	require.NoError(tb, cache.Save(tb.Context(), store))
	again := newCache(func(o *Options) { o.MaxEntries = maxEntries })
	remaining, err := again.Load(tb.Context(), openFile(tb, path))
	require.NoError(tb, err)
	require.Zero(tb, remaining, "damaged pages after they were saved again")
	require.Equal(tb, min(loaded+1, maxEntries), again.Len())
	_, found := again.find(key(-1))
	require.True(tb, found)
	return cache, damaged
}

func TestFileKeepsDeliveries(t *testing.T) {
	path := filepath.Join(t.TempDir(), "made", "as needed", "deliveries")
	cache := newCache(func(o *Options) { o.MaxEntries = 3 * pageSize })
	store := openFile(t, path)
	load(t, cache, store)
	for i := range 2*pageSize + 1 {
		commit(t, cache, key(i))
	}
	require.NoError(t, cache.Save(t.Context(), store))
	require.NoError(t, store.Close(t.Context()))
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode())
	assert.EqualValues(t, 2*filePageSize+headerSize+entrySize, info.Size())

	cache = newCache(func(o *Options) { o.MaxEntries = 3 * pageSize })
	load(t, cache, openFile(t, path))
	assert.Equal(t, 2*pageSize+1, cache.Len())
	for i := range 2*pageSize + 1 {
		assert.True(t, isDuplicate(t, cache, key(i)), i)
	}
}

// TestFileWithOneBitFlipped flips each bit of a file. No flipped bit adds an entry or loses entries of another page.
func TestFileWithOneBitFlipped(t *testing.T) {
	content := saved(t, 3)
	for bit := range 8 * len(content) {
		flipped := bytes.Clone(content)
		flipped[bit/8] ^= 1 << (bit % 8)
		entries, err := checkPage(flipped)
		require.ErrorIs(t, err, ErrDamaged, "bit %d", bit)
		require.Empty(t, entries)
	}
	cache, damaged := loadContent(t, content, 10)
	assert.Equal(t, 4, cache.Len())
	assert.Zero(t, damaged)
}

// TestDamagedPageCostsItself damages one of four pages, also with a limit that is lower than the number of pages.
func TestDamagedPageCostsItself(t *testing.T) {
	content := saved(t, 4*pageSize)
	for _, maxEntries := range []int{5 * pageSize, pageSize} {
		for page := range 4 {
			damaged := bytes.Clone(content)
			damaged[page*filePageSize+filePageSize/2]++
			cache, found := loadContent(t, damaged, maxEntries)
			assert.Equal(t, 1, found)
			assert.Equal(t, min(3*pageSize+1, maxEntries), cache.Len(), "page %d", page)
		}
	}
}

// TestFileTruncated cuts a file with two pages at many positions.
func TestFileTruncated(t *testing.T) {
	content := saved(t, 2*pageSize)
	for size := 0; size < len(content); size += 499 {
		cache, damaged := loadContent(t, content[:size], 2*pageSize+1)
		whole := size / filePageSize
		assert.Equal(t, whole*pageSize+1, cache.Len(), size)
		assert.Equal(t, min(size%filePageSize, 1), damaged, size)
	}
}

// damages are content changes of a file.
var damages = []func(random *rand.Rand, content []byte) []byte{
	func(random *rand.Rand, content []byte) []byte { return content[:random.IntN(len(content)+1)] },
	func(random *rand.Rand, content []byte) []byte {
		from := random.IntN(len(content))
		clear(content[from : from+random.IntN(len(content)-from)])
		return content
	},
	func(random *rand.Rand, content []byte) []byte {
		for range 1 + random.IntN(1000) {
			content[random.IntN(len(content))] = byte(random.Uint32())
		}
		return content
	},
	func(random *rand.Rand, content []byte) []byte {
		from := random.IntN(len(content))
		return append(content[:from:from], content[random.IntN(len(content)):]...)
	},
	func(random *rand.Rand, content []byte) []byte {
		return append(content, content[random.IntN(len(content)):]...)
	},
	func(random *rand.Rand, content []byte) []byte {
		copy(content[random.IntN(len(content)):], content[random.IntN(len(content)):])
		return content
	},
	func(random *rand.Rand, _ []byte) []byte {
		content := make([]byte, random.IntN(3*filePageSize))
		for i := range content {
			content[i] = byte(random.Uint32())
		}
		return content
	},
}

// TestFileDamagedAtRandom checks that a damaged file adds no entries, in addition to the checks of loadContent.
func TestFileDamagedAtRandom(t *testing.T) {
	rounds := 2000
	if testing.Short() {
		rounds = 100
	}
	const deliveries = 2*pageSize + 100
	content, random := saved(t, deliveries), rand.New(rand.NewPCG(1, 2))
	known := map[Key]bool{key(-1): true}
	for i := range deliveries {
		known[key(i)] = true
	}
	for round := range rounds {
		damaged := damages[round%len(damages)](random, bytes.Clone(content))
		cache, _ := loadContent(t, damaged, 5*pageSize)
		for i := range cache.entries.count {
			require.True(t, known[cache.entries.slots[cache.entries.head+i].key], "round %d", round)
		}
	}
}

// TestAbsurdTimes loads undamaged pages with impossible times.
func TestAbsurdTimes(t *testing.T) {
	now := time.Now()
	for _, tt := range []struct {
		at   int64
		kept int
	}{
		{math.MinInt64, 0},
		{-1, 0},
		{0, 0},
		{now.Add(-2 * time.Hour).UnixMilli(), 0},
		{now.UnixMilli(), 1},
		{now.Add(1000 * time.Hour).UnixMilli(), 1},
		{math.MaxInt64, 1},
	} {
		store := openFile(t, filepath.Join(t.TempDir(), "deliveries"))
		cache := newCache(nil)
		cache.add(entry{key(1), 0, tt.at})
		require.NoError(t, cache.Save(t.Context(), store))
		at := now
		cache = newCache(func(o *Options) { o.Now = func() time.Time { return at } })
		load(t, cache, store)
		assert.Equal(t, tt.kept, cache.Len(), tt.at)
		at = at.Add(time.Hour)
		assert.Zero(t, cache.Len(), "all entries expire after the window")
	}
}

// TestHugeFile loads a sparse file of ten gigabytes, which takes no space on the disk.
func TestHugeFile(t *testing.T) {
	if testing.Short() {
		t.Skip("it reads all pages that a file can have")
	}
	path := filepath.Join(t.TempDir(), "deliveries")
	require.NoError(t, os.WriteFile(path, saved(t, 10), 0o600))
	require.NoError(t, os.Truncate(path, 10<<30))
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	cache, store := newCache(nil), openFile(t, path)
	damaged, err := cache.Load(t.Context(), store)
	require.NoError(t, err)
	runtime.GC()
	runtime.ReadMemStats(&after)
	assert.Equal(t, 10, cache.Len())
	assert.Equal(t, maxFilePages-1, damaged)
	assert.Less(t, after.HeapAlloc, before.HeapAlloc+10<<20)
	require.NoError(t, cache.Save(t.Context(), store))
	load(t, newCache(nil), store)
}

// TestNotAFile opens paths that are not regular files. Opening them must not block.
func TestNotAFile(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	require.NoError(t, exec.CommandContext(t.Context(), "mkfifo", path("fifo")).Run())
	require.NoError(t, os.Symlink(path("loop"), path("loop")))
	require.NoError(t, os.Symlink(path("missing/file"), path("dangling")))
	require.NoError(t, os.WriteFile(path("file"), nil, 0o600))
	for _, name := range []string{dir, path("fifo"), path("loop"), path("dangling"), path("loop/file"), path("file/file"), "/dev/zero", "/proc/deliveries"} {
		_, err := OpenFile(name)
		assert.Error(t, err, name)
	}
	empty := openFile(t, path("file"))
	load(t, newCache(nil), empty)
}

// TestFileThatCannotBeRead uses a file descriptor that is write-only, and then a closed one.
func TestFileThatCannotBeRead(t *testing.T) {
	file, err := os.OpenFile(filepath.Join(t.TempDir(), "deliveries"), os.O_WRONLY|os.O_CREATE, 0o600)
	require.NoError(t, err)
	cache, store := newCache(nil), &FileStore{file}
	_, err = cache.Load(t.Context(), store)
	require.Error(t, err)
	commit(t, cache, key(1))
	require.NoError(t, store.Close(t.Context()))
	require.ErrorIs(t, cache.Save(t.Context(), store), os.ErrClosed)
}

// FuzzLoadFile also loads the content as a page with a correct checksum: such content must not be trusted either.
func FuzzLoadFile(f *testing.F) {
	content := saved(f, 3)
	f.Add(content)
	f.Add(content[:headerSize])
	f.Add(append(make([]byte, filePageSize), content...))
	f.Fuzz(func(t *testing.T, content []byte) {
		loadContent(t, content, 10)
		loadContent(t, filePage(content[:min(len(content), pageSize*entrySize)/entrySize*entrySize]), 10)
	})
}

// TestFileChecksum computes the checksum of a page independently, as other programs do that check a file.
func TestFileChecksum(t *testing.T) {
	content := saved(t, 1)
	sum := crc32.Checksum(append(content[:sumOffset:sumOffset], content[headerSize:]...), crc32.MakeTable(crc32.Castagnoli))
	assert.Equal(t, sum, binary.BigEndian.Uint32(content[sumOffset:headerSize]))
}
