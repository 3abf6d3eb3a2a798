// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package dedup

// entry is an accepted delivery.
type entry struct {
	key Key
	sum uint32 // of the payload
	at  int64  // time of acceptance, in milliseconds since the epoch
}

// ring is a queue of limited length. An entry never moves to another slot, so that only changed pages need to be saved.
// Slots are allocated when they are first used.
type ring struct {
	capacity int
	slots    []entry
	head     int // slot of the oldest entry
	count    int
}

// contains reports whether a slot contains an entry with the key that has not been removed.
func (r *ring) contains(slot int, key Key) bool {
	age := (slot - r.head + r.capacity) % r.capacity
	return age < r.count && r.slots[slot].key == key
}

func (r *ring) oldest() entry { return r.slots[r.head] }

func (r *ring) pop() {
	r.head = (r.head + 1) % r.capacity
	r.count--
}

// push appends an entry, and returns its slot.
func (r *ring) push(e entry) int {
	slot := (r.head + r.count) % r.capacity
	if slot == len(r.slots) {
		r.slots = append(r.slots, e)
	}
	r.slots[slot] = e
	r.count++
	return slot
}

// index holds the slots of keys in two maps: the first has the slots of the current turn of the ring, the second has
// the slots of the turn before. No key is deleted from the index, because a map with as many deletions as insertions
// grows from time to time. A slot from the index therefore counts only if the ring still contains the key in it. See
// docs/adr/0002-index-without-deletes.md.
type index [2]map[Key]int

func (i *index) put(key Key, slot int) {
	if slot == 0 { // a new turn
		i[0], i[1] = i[1], i[0]
		clear(i[0])
	}
	i[0][key] = slot
}
