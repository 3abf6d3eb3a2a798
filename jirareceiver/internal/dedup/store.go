package dedup

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"slices"
)

// MaxEntries is the largest bound of a [Memory] that a [FileStore] can keep: some 240 MB.
const MaxEntries = 10_000_000

const (
	pageSize  = 1024       // entries
	sumAt     = len(Key{}) // where an entry has the checksum of the body
	timeAt    = sumAt + 4  // and its time
	entrySize = timeAt + 8 // bytes
)

// Store keeps the pages of a [Memory]: bounded in number and size, each written again when it has changed.
type Store interface {
	// Load returns a page, or nothing when it was never saved. The error is ErrDamaged when there is a page that cannot be used.
	Load(ctx context.Context, page int) ([]byte, error)
	// Save replaces pages. After an error, the caller saves all of them again.
	Save(ctx context.Context, pages map[int][]byte) error
}

// Changed is ready when there is something to save.
func (m *Memory) Changed() <-chan struct{} { return m.changed }

// Load remembers the entries in the store that are not too old. It returns how many pages were damaged; they are saved anew. It
// is called before the first delivery.
//
// It looks for more pages than there is room for: the bound may have been lowered, and the latest entries may be in any page.
func (m *Memory) Load(ctx context.Context, store Store) (damaged int, err error) {
	var entries []entry
	var errs []error
	pages := (m.opts.MaxEntries + pageSize - 1) / pageSize
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
			m.markDirty(page) // its entries are about to move
		}
	}
	m.restore(entries)
	return damaged, errors.Join(errs...)
}

func (m *Memory) restore(entries []entry) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.opts.Now().UnixMilli()
	slices.SortStableFunc(entries, func(a, b entry) int { return cmp.Compare(a.at, b.at) })
	for _, e := range entries {
		if _, found := m.find(e.key); found {
			continue
		}
		e.at = min(e.at, now) // the clock was set back, and an entry from the future would stay for too long
		m.remember(e)
	}
	m.expire()
}

// Save writes the pages that have changed. After an error they are still to be saved.
func (m *Memory) Save(ctx context.Context, store Store) error {
	pages := m.takeDirty()
	if len(pages) == 0 {
		return nil
	}
	err := store.Save(ctx, pages)
	if err != nil {
		m.mu.Lock()
		defer m.mu.Unlock()
		for page := range pages {
			m.markDirty(page)
		}
	}
	return err
}

func (m *Memory) takeDirty() map[int][]byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	pages := make(map[int][]byte, len(m.dirty))
	for page := range m.dirty {
		pages[page] = m.encodePage(page)
	}
	clear(m.dirty)
	return pages
}

func (m *Memory) markDirty(page int) {
	m.dirty[page] = true
	select {
	case m.changed <- struct{}{}:
	default:
	}
}

func (m *Memory) encodePage(page int) []byte {
	slots := m.entries.slots
	first := min(page*pageSize, len(slots))
	slots = slots[first:min(first+pageSize, len(slots))]
	content := make([]byte, 0, len(slots)*entrySize)
	for _, e := range slots {
		content = append(content, e.key[:]...)
		content = binary.BigEndian.AppendUint32(content, e.sum)
		content = binary.BigEndian.AppendUint64(content, uint64(e.at)) //nolint:gosec // it comes back the same way
	}
	return content
}

// decodePage makes what it can of a page that is damaged.
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
