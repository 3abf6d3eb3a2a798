// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

// Package dedup recognizes repeated deliveries, so that an event that was accepted once is not accepted again.
//
// The words of the package:
//
//   - A delivery consists of one or more attempts, each an HTTP request with the same delivery ID.
//   - A key identifies a delivery by its site and its delivery ID.
//   - A duplicate is an attempt of a delivery that was accepted before.
//
// The [Cache] stores the key of a delivery only after an attempt was accepted. Jira repeats a delivery that failed, and
// the next attempt must not count as a duplicate. The cache is limited in entries and in time. A [Store] keeps it over
// a restart.
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

// ErrInProgress reports that an earlier attempt of the delivery is still in progress.
var ErrInProgress = errors.New("an earlier attempt of the delivery is in progress")

// Key identifies a delivery.
type Key [12]byte

// NewKey returns the key of a delivery from the URL of its site and its delivery ID, which is unique only within the
// site. The length of each part is hashed before the part, so that different parts give different keys, whatever bytes
// they contain.
func NewKey(site, id string) Key {
	parts := make([]byte, 0, 128)
	for _, part := range []string{site, id} {
		parts = binary.AppendUvarint(parts, uint64(len(part)))
		parts = append(parts, part...)
	}
	digest := sha256.Sum256(parts)
	return Key(digest[:len(Key{})])
}

// PayloadSum returns the checksum by which a [Cache] compares payloads. It detects mistakes, not forgeries: the
// receiver authenticates all deliveries before.
func PayloadSum(payload []byte) uint32 { return crc32.Checksum(payload, castagnoli) }

// Options define the limits of a [Cache].
type Options struct {
	Window      time.Duration // time after which an entry expires
	MaxEntries  int           // number of entries; a new entry replaces the oldest one
	WaitTimeout time.Duration // time for which an attempt waits for an earlier attempt of its delivery
	Now         func() time.Time
}

// Cache holds the keys of accepted deliveries. It is safe for concurrent use.
type Cache struct {
	opts    Options
	changed chan struct{} // contains a value while there are pages to save

	mu      sync.Mutex
	running map[Key]chan struct{} // attempts in progress; nil, or a channel that is closed when the attempt ends
	entries ring
	index   index
	dirty   map[int]bool // pages that have changed since they were saved
}

// New returns an empty Cache.
func New(opts Options) *Cache {
	return &Cache{
		opts:    opts,
		changed: make(chan struct{}, 1),
		running: map[Key]chan struct{}{},
		entries: ring{capacity: opts.MaxEntries},
		index:   index{map[Key]int{}, map[Key]int{}},
		dirty:   map[int]bool{},
	}
}

// Transaction is the processing of one attempt. If the attempt is not a duplicate, no other attempt of the delivery is
// processed until [Transaction.Release]. The zero Transaction belongs to a delivery without a key, and its methods do
// nothing.
type Transaction struct {
	Duplicate bool // whether an attempt of the delivery was accepted before
	Conflict  bool // whether the accepted attempt had a different payload

	cache *Cache
	key   Key
	sum   uint32 // of the payload
}

// Begin starts the processing of an attempt. If an earlier attempt of the delivery is in progress, Begin waits until it
// ends. If the earlier attempt was committed, the new attempt is a duplicate; if it was only released, the new attempt
// is processed. The error is [ErrInProgress] if the earlier attempt does not end within the wait timeout, or before ctx
// is done.
func (c *Cache) Begin(ctx context.Context, key Key, sum uint32) (Transaction, error) {
	tx, running := c.tryBegin(key, sum)
	if running == nil {
		return tx, nil
	}
	ctx, cancel := context.WithTimeout(ctx, c.opts.WaitTimeout)
	defer cancel()
	for ; running != nil; tx, running = c.tryBegin(key, sum) {
		select {
		case <-running:
		case <-ctx.Done():
			return Transaction{}, ErrInProgress
		}
	}
	return tx, nil
}

// tryBegin returns a transaction or, if an earlier attempt is in progress, the channel that is closed when it ends.
func (c *Cache) tryBegin(key Key, sum uint32) (tx Transaction, running <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.expire()
	if earlier, found := c.find(key); found {
		return Transaction{Duplicate: true, Conflict: earlier.sum != sum}, nil
	}
	if running, found := c.running[key]; found {
		if running == nil { // most attempts need no channel, because nothing waits for them
			running = make(chan struct{})
			c.running[key] = running
		}
		return Transaction{}, running
	}
	c.running[key] = nil
	return Transaction{cache: c, key: key, sum: sum}, nil
}

// Commit adds the delivery to the cache. Its further attempts are duplicates.
func (tx Transaction) Commit() {
	if tx.cache == nil {
		return
	}
	tx.cache.mu.Lock()
	defer tx.cache.mu.Unlock()
	tx.cache.add(entry{tx.key, tx.sum, tx.cache.opts.Now().UnixMilli()})
}

// Release ends the processing of the attempt, so that a waiting attempt can begin. The caller must call it in any case,
// after Commit if the attempt was accepted.
func (tx Transaction) Release() {
	if tx.cache == nil {
		return
	}
	tx.cache.mu.Lock()
	defer tx.cache.mu.Unlock()
	if running := tx.cache.running[tx.key]; running != nil {
		close(running)
	}
	delete(tx.cache.running, tx.key)
}

// Len returns the number of entries.
func (c *Cache) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.expire()
	return c.entries.count
}

func (c *Cache) find(key Key) (e entry, found bool) {
	for _, slots := range c.index {
		if slot, found := slots[key]; found && c.entries.contains(slot, key) {
			return c.entries.slots[slot], true
		}
	}
	return entry{}, false
}

func (c *Cache) add(e entry) {
	if c.entries.count == c.entries.capacity {
		c.entries.pop()
	}
	slot := c.entries.push(e)
	c.index.put(e.key, slot)
	c.markDirty(slot / pageSize)
}

func (c *Cache) expire() {
	limit := c.opts.Now().Add(-c.opts.Window).UnixMilli()
	for c.entries.count > 0 && c.entries.oldest().at <= limit {
		c.entries.pop()
	}
}
