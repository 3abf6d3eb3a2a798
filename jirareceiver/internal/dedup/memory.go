// Package dedup remembers which deliveries were accepted, so that a repeated one is not accepted twice.
//
// A delivery is remembered after it was accepted and not before: one that failed will be repeated, and must not be taken for
// a duplicate of itself. The memory is bounded in entries and in time, and can be kept in a [Store].
package dedup

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"sync"
	"time"
)

// ErrInProgress says that the first of two deliveries with one key is still under way.
var ErrInProgress = errors.New("a delivery of the same event is in progress")

// Key identifies a delivery.
type Key [12]byte

// NewKey returns the key of a delivery from its ID, which is unique only within a site. The length before each part keeps the
// parts apart, whatever bytes they have.
func NewKey(site, id string) Key {
	parts := make([]byte, 0, 128)
	for _, part := range []string{site, id} {
		parts = binary.AppendUvarint(parts, uint64(len(part)))
		parts = append(parts, part...)
	}
	digest := sha256.Sum256(parts)
	return Key(digest[:len(Key{})])
}

// BodySum returns the checksum by which a [Memory] compares bodies. It finds mistakes and no forgeries: deliveries are
// authenticated.
func BodySum(body []byte) uint32 { return crc32.Checksum(body, castagnoli) }

// Options bound a [Memory].
type Options struct {
	Window     time.Duration // how long a delivery is remembered
	MaxEntries int           // how many; the oldest are forgotten first
	Patience   time.Duration // how long a delivery waits for another with the same key
	Now        func() time.Time
}

// Memory remembers deliveries. It is safe for concurrent use.
type Memory struct {
	opts    Options
	changed chan struct{} // holds a token while there is something to save

	mu      sync.Mutex
	running map[Key]chan struct{} // closed when the delivery has ended
	entries ring
	index   index
	dirty   map[int]bool // pages that the store does not have yet
}

// New returns an empty Memory.
func New(opts Options) *Memory {
	return &Memory{
		opts:    opts,
		changed: make(chan struct{}, 1),
		running: map[Key]chan struct{}{},
		entries: ring{capacity: opts.MaxEntries},
		index:   index{map[Key]int{}, map[Key]int{}},
		dirty:   map[int]bool{},
	}
}

// Claim is the right to process a delivery, unless it is a duplicate. Exactly one of the deliveries with one key has it at a
// time. The zero Claim is that of a delivery without a key.
type Claim struct {
	Duplicate bool // an earlier delivery with the same key was accepted
	Conflict  bool // and it had another body

	memory *Memory
	key    Key
	sum    uint32
}

// Claim waits for a delivery with the same key that is under way. If that one fails, this one gets the claim. The error is
// [ErrInProgress] when it takes too long.
func (m *Memory) Claim(ctx context.Context, key Key, bodySum uint32) (Claim, error) {
	claim, running := m.try(key, bodySum)
	if running == nil {
		return claim, nil
	}
	ctx, cancel := context.WithTimeout(ctx, m.opts.Patience)
	defer cancel()
	for ; running != nil; claim, running = m.try(key, bodySum) {
		select {
		case <-running:
		case <-ctx.Done():
			return Claim{}, ErrInProgress
		}
	}
	return claim, nil
}

// try returns the claim, or what to wait for.
func (m *Memory) try(key Key, bodySum uint32) (claim Claim, running <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.expire()
	if earlier, found := m.find(key); found {
		return Claim{Duplicate: true, Conflict: earlier.sum != bodySum}, nil
	}
	if running, found := m.running[key]; found {
		return Claim{}, running
	}
	m.running[key] = make(chan struct{})
	return Claim{memory: m, key: key, sum: bodySum}, nil
}

// Accept remembers the delivery.
func (c Claim) Accept() {
	if c.memory == nil {
		return
	}
	c.memory.mu.Lock()
	defer c.memory.mu.Unlock()
	c.memory.remember(entry{c.key, c.sum, c.memory.opts.Now().UnixMilli()})
}

// Release lets others with the same key go on. It has to be called in any case.
func (c Claim) Release() {
	if c.memory == nil {
		return
	}
	c.memory.mu.Lock()
	defer c.memory.mu.Unlock()
	close(c.memory.running[c.key])
	delete(c.memory.running, c.key)
}

// Len returns the number of deliveries that are remembered.
func (m *Memory) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.expire()
	return m.entries.count
}

func (m *Memory) find(key Key) (e entry, found bool) {
	for _, turn := range m.index {
		if slot, found := turn[key]; found && m.entries.holds(slot, key) {
			return m.entries.slots[slot], true
		}
	}
	return entry{}, false
}

func (m *Memory) remember(e entry) {
	if m.entries.count == m.entries.capacity {
		m.entries.pop()
	}
	slot := m.entries.push(e)
	m.index.put(e.key, slot)
	m.markDirty(slot / pageSize)
}

func (m *Memory) expire() {
	limit := m.opts.Now().Add(-m.opts.Window).UnixMilli()
	for m.entries.count > 0 && m.entries.oldest().at <= limit {
		m.entries.pop()
	}
}

// entry is an accepted delivery.
type entry struct {
	key Key
	sum uint32 // of the body
	at  int64  // when it was accepted, in milliseconds since the epoch
}

// ring is a queue of bounded length. An entry never moves, so that a store needs only the pages that have changed. Slots
// are made as they are needed.
type ring struct {
	capacity int
	slots    []entry
	head     int // slot of the oldest entry
	count    int
}

// holds reports whether a slot contains the entry of a key that is not forgotten.
func (r *ring) holds(slot int, key Key) bool {
	age := (slot - r.head + r.capacity) % r.capacity
	return age < r.count && r.slots[slot].key == key
}

func (r *ring) oldest() entry { return r.slots[r.head] }

func (r *ring) pop() {
	r.head = (r.head + 1) % r.capacity
	r.count--
}

// push returns the slot of the new entry.
func (r *ring) push(e entry) int {
	slot := (r.head + r.count) % r.capacity
	if slot == len(r.slots) {
		r.slots = append(r.slots, e)
	}
	r.slots[slot] = e
	r.count++
	return slot
}

// index finds the slots of keys. Nothing is deleted from it: a map from which as many keys are deleted as are put in grows
// nevertheless, every now and then. So it has the slots of this turn of the ring, and those of the last; what was forgotten
// since is for the ring to say.
type index [2]map[Key]int

func (i *index) put(key Key, slot int) {
	if slot == 0 {
		i[0], i[1] = i[1], i[0]
		clear(i[0])
	}
	i[0][key] = slot
}
