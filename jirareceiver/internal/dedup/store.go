// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package dedup

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"slices"
)

// MaxEntries is the largest number of entries that a [FileStore] can keep. They take about 240 MB.
const MaxEntries = 10_000_000

const (
	pageSize  = 1024       // entries
	sumAt     = len(Key{}) // offset of the checksum of the payload in an entry
	timeAt    = sumAt + 4  // offset of the time in an entry
	entrySize = timeAt + 8 // bytes
)

// Store keeps the pages of a [Cache]. A page contains the entries of a fixed range of slots of the ring, so that the
// number and the size of the pages are limited.
type Store interface {
	// Load returns a page, or nil if it was never saved. The error is [ErrDamaged] if the page is not as it was saved.
	Load(ctx context.Context, page int) ([]byte, error)
	// Save replaces pages. After an error, the caller saves all of them again.
	Save(ctx context.Context, pages map[int][]byte) error
	// Close ends the use of the store.
	Close(ctx context.Context) error
}

// Changed returns a channel that is ready when there are pages to save.
func (c *Cache) Changed() <-chan struct{} { return c.changed }

// Load adds the entries of the store that have not expired. It returns the number of damaged pages, which the next Save
// replaces. The caller must call it before the first delivery.
//
// Load also reads pages beyond MaxEntries: the limit may have been higher before, and any page may contain the latest
// entries, because the ring can be anywhere in its turn.
func (c *Cache) Load(ctx context.Context, store Store) (damaged int, err error) {
	var entries []entry
	var errs []error
	pages := (c.opts.MaxEntries + pageSize - 1) / pageSize
	for page, found := 0, false; page < pages || found; page++ {
		content, err := store.Load(ctx, page)
		isDamaged := errors.Is(err, ErrDamaged)
		if isDamaged {
			damaged++
		} else {
			errs = append(errs, err)
		}
		entries = append(entries, decodePage(content)...)
		if found = len(content) > 0 || isDamaged; found {
			c.markDirty(page) // because restore moves its entries
		}
	}
	c.restore(entries)
	return damaged, errors.Join(errs...)
}

func (c *Cache) restore(entries []entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.opts.Now().UnixMilli()
	slices.SortStableFunc(entries, func(a, b entry) int { return cmp.Compare(a.at, b.at) })
	for _, e := range entries {
		if _, found := c.find(e.key); found {
			continue
		}
		e.at = min(e.at, now) // if the clock was set back, an entry from the future would expire too late
		c.add(e)
	}
	c.expire()
}

// Save saves the pages that have changed. After an error, the next Save saves them again.
func (c *Cache) Save(ctx context.Context, store Store) error {
	pages := c.takeDirty()
	if len(pages) == 0 {
		return nil
	}
	err := store.Save(ctx, pages)
	if err != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		for page := range pages {
			c.markDirty(page)
		}
	}
	return err
}

func (c *Cache) takeDirty() map[int][]byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	pages := make(map[int][]byte, len(c.dirty))
	for page := range c.dirty {
		pages[page] = c.encodePage(page)
	}
	clear(c.dirty)
	return pages
}

func (c *Cache) markDirty(page int) {
	c.dirty[page] = true
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

func (c *Cache) encodePage(page int) []byte {
	slots := c.entries.slots
	first := min(page*pageSize, len(slots))
	slots = slots[first:min(first+pageSize, len(slots))]
	content := make([]byte, 0, len(slots)*entrySize)
	for _, e := range slots {
		content = append(content, e.key[:]...)
		content = binary.BigEndian.AppendUint32(content, e.sum)
		content = binary.BigEndian.AppendUint64(content, uint64(e.at)) //nolint:gosec // decodePage converts it back
	}
	return content
}

// decodePage returns the complete entries of a page. It ignores an incomplete entry at the end.
func decodePage(content []byte) []entry {
	entries := make([]entry, 0, len(content)/entrySize)
	for ; len(content) >= entrySize; content = content[entrySize:] {
		entries = append(entries, entry{
			key: Key(content[:sumAt]),
			sum: binary.BigEndian.Uint32(content[sumAt:]),
			at:  int64(binary.BigEndian.Uint64(content[timeAt:])), //nolint:gosec // as above
		})
	}
	return entries
}
