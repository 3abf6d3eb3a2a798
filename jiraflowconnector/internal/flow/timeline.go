// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"cmp"
	"slices"
	"time"
)

// Rules define the cycle by mapped values, and how time is measured.
type Rules struct {
	Start, End, Active map[string]bool
	// Between returns the time between two instants in milliseconds since 1970: all of it, or only working hours.
	Between func(from, to int64) time.Duration
}

// tolerance is the largest difference between the times at which several senders report one change.
const tolerance = time.Minute

const toleranceMillis = int64(tolerance / time.Millisecond)

// Kind is the change of the resolution that a move causes.
type Kind uint8

// The kinds of a move.
const (
	Plain Kind = iota
	Resolved
	Reopened
)

// Key identifies a move in its history.
type Key struct {
	ID uint64
	At int64
}

// Stay is the time of an issue in a status.
type Stay struct {
	Status Status
	Since  int64
	Until  int64 // 0: until now
	// IsKnown reports whether the stay began at Since.
	IsKnown bool
	// IsAtLeast reports whether the stay began at Since or earlier.
	IsAtLeast bool
}

// Move is a move of the issue to another status, or its creation, as all records about it describe it.
type Move struct {
	Key
	Kind   Kind
	To     Status
	Before Stay // the stay that the move ended
	Marks  Marks
	// HasGap reports whether a move before this move was not seen.
	HasGap   bool
	Sum      uint32
	Revision uint8
	Hint     Hint
	from     StatusRef
}

// IsCreation reports whether the move is the creation of the issue.
func (m *Move) IsCreation() bool { return m.ID == CreationID }

// Timeline is the life of an issue.
type Timeline struct {
	Created    int64  // 0: not known
	IsCreation bool   // the creation was seen
	IsCut      bool   // the oldest moves were dropped
	Moves      []Move // in order
	Current    Stay   // the zero value without any status
	IsOpen     bool
	ResolvedAt int64 // time of the last resolution of an issue that is not open; 0 if it was not seen
}

// Timeline computes the life of the issue. It depends on the contents of the history only.
func (h *History) Timeline(rules *Rules) Timeline {
	t := Timeline{Created: h.Created, IsCut: h.CutAt != 0, Moves: h.moves()}
	for i := range t.Moves {
		m := &t.Moves[i]
		if m.IsCreation() {
			t.IsCreation = true
			t.Created = cmp.Or(t.Created, m.At)
		}
		h.link(t.Moves, i)
	}
	for i := range t.Moves { // link may have changed the status of the creation
		t.Moves[i].Kind = rules.kind(&t.Moves[i])
	}
	t.Current = h.current(t.Moves)
	t.IsOpen = rules.isOpen(&t)
	if !t.IsOpen {
		for _, m := range slices.Backward(t.Moves) {
			if m.Kind == Resolved {
				t.ResolvedAt = m.At
				break
			}
		}
	}
	return t
}

// moves returns one move for all changes that describe the same move.
func (h *History) moves() []Move {
	moves := make([]Move, 0, len(h.Changes))
	unidentified := 0
	for _, c := range h.Changes {
		if c.ID == 0 {
			unidentified++
			continue
		}
		moves = append(moves, h.moveOf(c))
	}
	if unidentified == 0 {
		return moves
	}
	for _, c := range h.Changes {
		if c.ID != 0 {
			continue
		}
		if at := sameMove(moves, c); at >= 0 {
			absorb(&moves[at], c)
			continue
		}
		m := h.moveOf(c)
		at, _ := slices.BinarySearchFunc(moves, m, compareMoves)
		moves = slices.Insert(moves, at, m)
	}
	return moves
}

func compareMoves(a, b Move) int {
	if a.IsCreation() != b.IsCreation() {
		if a.IsCreation() {
			return -1
		}
		return 1
	}
	return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.ID, b.ID), compareStatuses(a.To, b.To))
}

func (h *History) moveOf(c Change) Move {
	return Move{
		Key: Key{ID: c.ID, At: c.At}, To: h.withMapped(c.To.Get()), from: c.From,
		Marks: c.Marks, Sum: c.Sum, Revision: c.Revision, Hint: c.Hint,
	}
}

// sameMove returns the index of the move that an unidentified change describes too, or -1. Webhooks, post-functions and
// rules report one move at slightly different times. It is another move if the issue left the status in between.
func sameMove(moves []Move, c Change) int {
	nearest, distance := -1, toleranceMillis+1
	for i := range moves {
		m := &moves[i]
		d := max(m.At-c.At, c.At-m.At)
		if d < distance && !m.IsCreation() && c.To.Get().IsSame(m.To) && c.From.isCompatible(m.from) {
			nearest, distance = i, d
		}
	}
	if nearest >= 0 && hasLeft(moves, moves[nearest], c) {
		return -1
	}
	return nearest
}

// hasLeft reports whether the issue left the status of the move between the move and the change.
func hasLeft(moves []Move, m Move, c Change) bool {
	from, to := min(m.At, c.At), max(m.At, c.At)
	return slices.ContainsFunc(moves, func(other Move) bool {
		return other.Key != m.Key && from <= other.At && other.At <= to && other.from.Get().IsSame(m.To)
	})
}

func absorb(m *Move, c Change) {
	if c.Revision > m.Revision || c.Revision == m.Revision && c.Sum > m.Sum {
		m.Sum, m.Revision = c.Sum, c.Revision
	}
	if m.from == (StatusRef{}) {
		m.from = c.From
	}
	m.Marks |= c.Marks
	m.Hint = max(m.Hint, c.Hint)
}

// link sets the stay that a move ended, and closes the gap after a creation that showed no status, or the status after
// the first move: the body of Jira may be ahead of its event.
func (h *History) link(moves []Move, i int) {
	m := &moves[i]
	from := h.withMapped(m.from.Get())
	if m.IsCreation() {
		return
	}
	if i == 0 {
		m.Before = Stay{Status: from, Until: m.At}
		return
	}
	previous := &moves[i-1]
	isChain := m.from == (StatusRef{}) || from.IsSame(previous.To)
	if !isChain && previous.IsCreation() && (previous.To == (Status{}) || m.At-previous.At <= toleranceMillis) {
		previous.To, isChain = from, true
	}
	if !isChain {
		m.HasGap = true
		m.Before = Stay{Status: from, Until: m.At}
		return
	}
	m.Before = Stay{Status: combine(previous.To, from), Since: previous.At, Until: m.At, IsKnown: true}
}

// combine returns a status with what either of two descriptions contains.
func combine(a, b Status) Status {
	return Status{ID: cmp.Or(a.ID, b.ID), Name: cmp.Or(a.Name, b.Name), Mapped: cmp.Or(a.Mapped, b.Mapped)}
}

// withMapped adds the mapped value that another record has for the status: Jira sends the category of a status only
// while the issue is in the status.
func (h *History) withMapped(s Status) Status {
	if s.Mapped != "" || s == (Status{}) {
		return s
	}
	consider := func(r StatusRef) {
		if other := r.Get(); other.Mapped > s.Mapped && other.IsSame(s) {
			s.Mapped = other.Mapped
		}
	}
	for _, c := range h.Changes {
		consider(c.From)
		consider(c.To)
	}
	for _, seen := range h.Seen {
		consider(seen.Status)
	}
	return s
}

func (r *Rules) kind(m *Move) Kind {
	after := r.isEnd(m.To)
	before := r.isEnd(m.Before.Status)
	if m.IsCreation() {
		before = no
	}
	switch {
	case before == unclear || after == unclear:
		return []Kind{NoHint: Plain, HintResolved: Resolved, HintReopened: Reopened}[m.Hint]
	case before == no && after == yes:
		return Resolved
	case before == yes && after == no:
		return Reopened
	default:
		return Plain
	}
}

type answer uint8

const (
	unclear answer = iota
	no
	yes
)

func (r *Rules) isEnd(s Status) answer {
	switch {
	case s.Mapped == "":
		return unclear
	case r.End[s.Mapped]:
		return yes
	default:
		return no
	}
}

// isOpen reports whether work is left. Without a mapped value, the last resolution or reopening decides.
func (r *Rules) isOpen(t *Timeline) bool {
	if end := r.isEnd(t.Current.Status); end != unclear {
		return end == no
	}
	for _, m := range slices.Backward(t.Moves) {
		if m.Kind != Plain {
			return m.Kind == Reopened
		}
	}
	return true
}

// current returns the stay in the status that the latest record shows. Only a sighting that is clearly later than the
// last move counts more than the move, because the body of an event may be behind its event.
func (h *History) current(moves []Move) Stay {
	var current Stay
	if len(moves) > 0 {
		last := &moves[len(moves)-1]
		current = Stay{Status: last.To, Since: last.At, IsKnown: true}
	}
	latest, found := h.latestSighting()
	if !found || len(moves) > 0 &&
		(latest.Last <= current.Since+toleranceMillis || latest.Status.Get().IsSame(current.Status)) {
		return current
	}
	return h.sightedStay(latest, current.Since)
}

func (h *History) latestSighting() (latest Sighting, found bool) {
	for _, s := range h.Seen {
		if !found || s.Last > latest.Last {
			latest, found = s, true
		}
	}
	return latest, found
}

// sightedStay returns a stay whose beginning no record contains. It lasts at least since the first sighting after the
// issue was elsewhere.
func (h *History) sightedStay(s Sighting, elsewhere int64) Stay {
	for _, other := range h.Seen {
		if !other.Status.isSame(s.Status) {
			elsewhere = max(elsewhere, other.Last)
		}
	}
	since := s.Last
	if s.First > elsewhere {
		since = s.First
	}
	return Stay{Status: h.withMapped(s.Status.Get()), Since: since, IsAtLeast: true}
}

// Find returns the move with a key, or nil.
func (t *Timeline) Find(key Key) *Move {
	i := slices.IndexFunc(t.Moves, func(m Move) bool {
		return m.ID == key.ID && (m.ID != 0 || m.At == key.At)
	})
	if i < 0 {
		return nil
	}
	return &t.Moves[i]
}

// Mark sets marks on the change that a move was computed from, and reports whether it exists still.
func (h *History) Mark(key Key, marks Marks) bool {
	c := h.change(key)
	if c == nil {
		return false
	}
	c.Marks |= marks
	return true
}

// MarkSent marks the resolution whose lifecycle record with this checksum was sent.
func (h *History) MarkSent(key Key, sum uint32, revision uint8) bool {
	c := h.change(key)
	if c == nil {
		return false
	}
	c.Marks |= Sent
	c.Sum, c.Revision = sum, revision
	return true
}

func (h *History) change(key Key) *Change {
	for i := range h.Changes {
		if c := &h.Changes[i]; c.ID == key.ID && (c.ID != 0 || c.At == key.At) {
			return c
		}
	}
	return nil
}

// FindChange returns the move that a change of the history describes, or nil.
func (t *Timeline) FindChange(c Change) *Move {
	if c.ID != 0 {
		return t.Find(Key{ID: c.ID})
	}
	if i := sameMove(t.Moves, c); i >= 0 {
		return &t.Moves[i]
	}
	return nil
}
