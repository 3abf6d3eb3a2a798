// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package poll

import (
	"crypto/sha256"
	"maps"
	"slices"
	"time"
)

// maxUIDs is the largest number of uids in a set. They take about 60 MB.
const maxUIDs = 1_000_000

// uidKey is the start of the hash of a uid.
type uidKey [16]byte

func keyOf(uid string) uidKey {
	sum := sha256.Sum256([]byte(uid))
	return uidKey(sum[:len(uidKey{})])
}

// minute is a number of minutes since the epoch.
type minute int64

func minuteOf(t time.Time) minute { return minute(t.Unix() / 60) }

// uidSet holds uids by the minute of their events, so that the minutes before a bound can be dropped and the minutes
// that changed can be stored. It is not safe for concurrent use.
type uidSet struct {
	limit   int
	uids    map[uidKey]struct{}
	minutes map[minute][]uidKey
	changed map[minute]bool // since the last save; of dropped minutes too
}

func newUIDSet(limit int) *uidSet {
	return &uidSet{
		limit: limit, uids: map[uidKey]struct{}{}, minutes: map[minute][]uidKey{}, changed: map[minute]bool{},
	}
}

func (s *uidSet) contains(uid string) bool {
	_, found := s.uids[keyOf(uid)]
	return found
}

// add adds the uid of an event. If the set is full, it drops the oldest minute.
func (s *uidSet) add(uid string, at time.Time) {
	key := keyOf(uid)
	if _, found := s.uids[key]; found {
		return
	}
	if len(s.uids) >= s.limit {
		s.drop(slices.Min(slices.Collect(maps.Keys(s.minutes))))
	}
	m := minuteOf(at)
	s.uids[key] = struct{}{}
	s.minutes[m] = append(s.minutes[m], key)
	s.changed[m] = true
}

// prune drops the minutes before the minute of a time.
func (s *uidSet) prune(before time.Time) {
	for m := range s.minutes {
		if m < minuteOf(before) {
			s.drop(m)
		}
	}
}

func (s *uidSet) drop(m minute) {
	for _, key := range s.minutes[m] {
		delete(s.uids, key)
	}
	delete(s.minutes, m)
	s.changed[m] = true
}

// encode returns the uids of a minute, or nil if it has none.
func (s *uidSet) encode(m minute) []byte {
	var content []byte
	for _, key := range s.minutes[m] {
		content = append(content, key[:]...)
	}
	return content
}

// decode adds the uids of a minute. It ignores an incomplete uid at the end.
func (s *uidSet) decode(m minute, content []byte) {
	for raw := range slices.Chunk(content, len(uidKey{})) {
		if len(raw) < len(uidKey{}) {
			return
		}
		key := uidKey(raw)
		if _, found := s.uids[key]; !found {
			s.uids[key] = struct{}{}
			s.minutes[m] = append(s.minutes[m], key)
		}
	}
}
