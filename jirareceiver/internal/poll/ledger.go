// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package poll

import (
	"crypto/sha256"
	"maps"
	"slices"
	"time"
)

// maxLedger is the largest number of uids in a ledger. They take about 60 MB.
const maxLedger = 1_000_000

// uidKey is the start of the hash of a uid.
type uidKey [16]byte

func keyOf(uid string) uidKey {
	sum := sha256.Sum256([]byte(uid))
	return uidKey(sum[:len(uidKey{})])
}

// minute is a number of minutes since the epoch.
type minute int64

func minuteOf(t time.Time) minute { return minute(t.Unix() / 60) }

// ledger holds uids by the minute of their events, so that the minutes before a bound can be dropped and the minutes
// that changed can be stored. It is not safe for concurrent use.
type ledger struct {
	limit   int
	uids    map[uidKey]struct{}
	minutes map[minute][]uidKey
	changed map[minute]bool // since the last save; of dropped minutes too
}

func newLedger(limit int) *ledger {
	return &ledger{
		limit: limit, uids: map[uidKey]struct{}{}, minutes: map[minute][]uidKey{}, changed: map[minute]bool{},
	}
}

func (l *ledger) contains(uid string) bool {
	_, found := l.uids[keyOf(uid)]
	return found
}

// add adds the uid of an event. If the ledger is full, it drops the oldest minute.
func (l *ledger) add(uid string, at time.Time) {
	key := keyOf(uid)
	if _, found := l.uids[key]; found {
		return
	}
	if len(l.uids) >= l.limit {
		l.drop(slices.Min(slices.Collect(maps.Keys(l.minutes))))
	}
	m := minuteOf(at)
	l.uids[key] = struct{}{}
	l.minutes[m] = append(l.minutes[m], key)
	l.changed[m] = true
}

// prune drops the minutes before the minute of a time.
func (l *ledger) prune(before time.Time) {
	for m := range l.minutes {
		if m < minuteOf(before) {
			l.drop(m)
		}
	}
}

func (l *ledger) drop(m minute) {
	for _, key := range l.minutes[m] {
		delete(l.uids, key)
	}
	delete(l.minutes, m)
	l.changed[m] = true
}

// encode returns the uids of a minute, or nil if it has none.
func (l *ledger) encode(m minute) []byte {
	var content []byte
	for _, key := range l.minutes[m] {
		content = append(content, key[:]...)
	}
	return content
}

// decode adds the uids of a minute. It ignores an incomplete uid at the end.
func (l *ledger) decode(m minute, content []byte) {
	for raw := range slices.Chunk(content, len(uidKey{})) {
		if len(raw) < len(uidKey{}) {
			return
		}
		key := uidKey(raw)
		if _, found := l.uids[key]; !found {
			l.uids[key] = struct{}{}
			l.minutes[m] = append(l.minutes[m], key)
		}
	}
}
