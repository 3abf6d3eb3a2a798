// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

// Package flow computes the flow of an issue through its statuses from the changes that were read of it: the time in
// each status, the cycle time, the lead time, resolutions and reopenings. It does no I/O and reads no clock.
//
// A [History] is a set of changes. Its methods add to the set, and their results do not depend on the order or the
// repetition of calls. A [Timeline] is computed from the set alone.
package flow

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"unique"
)

// Status is a status of a workflow. Some senders send only its id or only its name.
type Status struct {
	ID, Name, Mapped string
}

// StatusRef refers to a status whose texts are in memory once. The zero value is an unknown status.
type StatusRef struct{ handle unique.Handle[Status] }

// Ref returns the reference of a status, or the zero value if nothing is known about the status.
func Ref(s Status) StatusRef {
	if s == (Status{}) {
		return StatusRef{}
	}
	return StatusRef{unique.Make(s)}
}

// Get returns the status, or the zero value if it is unknown.
func (r StatusRef) Get() Status {
	if r == (StatusRef{}) {
		return Status{}
	}
	return r.handle.Value()
}

// IsSame reports whether both are the same status for certain: by their ids, or without them by their names. An id
// counts more, because a name can change.
func (s Status) IsSame(other Status) bool {
	if s.ID != "" && other.ID != "" {
		return s.ID == other.ID
	}
	return s.Name != "" && strings.EqualFold(s.Name, other.Name)
}

func (r StatusRef) isSame(other StatusRef) bool {
	return r != (StatusRef{}) && (r == other || r.Get().IsSame(other.Get()))
}

// isCompatible reports whether both can be the same status.
func (r StatusRef) isCompatible(other StatusRef) bool {
	return r == (StatusRef{}) || other == (StatusRef{}) || r.isSame(other)
}

// join returns a status with the values of both. Of two different values it keeps the greater one, so that the result
// does not depend on the order.
func (r StatusRef) join(other StatusRef) StatusRef {
	if r == other || other == (StatusRef{}) {
		return r
	}
	a, b := r.Get(), other.Get()
	return Ref(Status{ID: max(a.ID, b.ID), Name: max(a.Name, b.Name), Mapped: max(a.Mapped, b.Mapped)})
}

// Hint is the statement of a record about the resolution of the issue. It counts if a status has no mapped value.
type Hint uint8

// The values of a hint.
const (
	NoHint Hint = iota
	HintResolved
	HintReopened
)

// Marks are facts about a change, and the outputs that were made of it.
type Marks uint16

const (
	// Live marks a change that was read from a record of another source than a back-fill.
	Live Marks = 1 << iota
	// Counted marks a change that the counters contain.
	Counted
	// Timed marks a change whose time in the status before is in the histogram.
	Timed
	// LeadTimed marks a resolution whose lead time is in the histogram.
	LeadTimed
	// CycleTimed marks a resolution whose cycle time is in the histogram.
	CycleTimed
	// Sent marks a resolution whose lifecycle record the pipeline accepted.
	Sent
	// ToDo marks a creation in a status of Jira's category To Do, whatever the mapped value of the status is.
	ToDo
)

// CreationID is the id of the change that creates an issue.
const CreationID = math.MaxUint64

// Change is a move of an issue from one status to another, or its creation, as one or several records describe it.
type Change struct {
	At       int64     // milliseconds since 1970
	ID       uint64    // identifies the change in the issue: see [ChangeID]. 0: the record had no id of a changelog
	From, To StatusRef // the zero value if the record does not contain it
	Sum      uint32    // checksum of the lifecycle record that was sent
	Marks    Marks     // facts and outputs
	Revision uint8     // number of corrections of the lifecycle record
	Hint     Hint      // change of the resolution that the record contains
}

// Sighting is the first and the last time at which records that are not transitions showed the issue in a status.
type Sighting struct {
	Status      StatusRef
	First, Last int64
}

// MaxChanges is the largest number of changes that a history keeps. It drops the oldest changes first.
const MaxChanges = 1000

// History is the set of the changes of an issue that were read.
type History struct {
	Created int64      // time of the creation, or 0 if no record contained it
	CutAt   int64      // changes up to this time were dropped, because there were too many
	Changes []Change   // in the order of compareChanges
	Seen    []Sighting // one for each status, in the order of their first times
}

// ChangeID returns the number that identifies the change of a changelog, or 0 without an id. Jira's ids are numbers.
// Other texts become a hash.
func ChangeID(changelog string) uint64 {
	if changelog == "" {
		return 0
	}
	const hashed = 1 << 63
	var id uint64
	for _, digit := range []byte(changelog) {
		if digit < '0' || digit > '9' || id > hashed/20 {
			return hash64(changelog) | hashed
		}
		id = id*10 + uint64(digit-'0')
	}
	return id + 1 // the id 0 is an id too
}

func hash64(text string) uint64 { // FNV-1a
	h := uint64(14695981039346656037)
	for i := range len(text) {
		h = (h ^ uint64(text[i])) * 1099511628211
	}
	return h &^ 1 // differs from CreationID
}

// SetCreated adds the time of the creation.
func (h *History) SetCreated(at int64) bool {
	if at == 0 || h.Created != 0 && h.Created <= at {
		return false
	}
	h.Created = at
	return true
}

// Add adds a change, and reports whether the history differs now.
func (h *History) Add(c Change) bool {
	if c.ID != CreationID && (c.At <= h.CutAt || c.From.isSame(c.To)) {
		return false
	}
	if at := h.find(c); at >= 0 {
		merged := merge(h.Changes[at], c)
		if merged == h.Changes[at] {
			return false
		}
		h.Changes = slices.Delete(h.Changes, at, at+1)
		c = merged
	}
	at, _ := slices.BinarySearchFunc(h.Changes, c, compareChanges)
	h.Changes = slices.Insert(h.Changes, at, c)
	h.cut()
	return true
}

// find returns the index of the change with the same identity, or -1. Without an id, a change is identified by its time
// and its statuses.
func (h *History) find(c Change) int {
	return slices.IndexFunc(h.Changes, func(known Change) bool {
		if c.ID != 0 || known.ID != 0 {
			return c.ID == known.ID
		}
		return c.At == known.At && isSameOrBothUnknown(c.From, known.From) && isSameOrBothUnknown(c.To, known.To)
	})
}

func isSameOrBothUnknown(a, b StatusRef) bool { return a == b || a.isSame(b) }

func merge(a, b Change) Change {
	merged := a
	if b.Revision > a.Revision || b.Revision == a.Revision && b.Sum > a.Sum {
		merged.Sum, merged.Revision = b.Sum, b.Revision
	}
	merged.At = min(a.At, b.At)
	merged.From, merged.To = a.From.join(b.From), a.To.join(b.To)
	merged.Marks |= b.Marks
	merged.Hint = max(a.Hint, b.Hint)
	return merged
}

// compareChanges orders changes by time. The creation comes first, whatever the clocks of the senders say.
func compareChanges(a, b Change) int {
	if aIsCreation, bIsCreation := a.ID == CreationID, b.ID == CreationID; aIsCreation != bIsCreation {
		if aIsCreation {
			return -1
		}
		return 1
	}
	if order := cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.ID, b.ID)); order != 0 {
		return order
	}
	return cmp.Or(compareStatuses(a.To.Get(), b.To.Get()), compareStatuses(a.From.Get(), b.From.Get()))
}

func compareStatuses(a, b Status) int {
	return cmp.Or(strings.Compare(a.ID, b.ID), strings.Compare(a.Name, b.Name), strings.Compare(a.Mapped, b.Mapped))
}

// cut drops the oldest moves of an issue with too many changes, and keeps its creation.
func (h *History) cut() {
	for len(h.Changes) > MaxChanges {
		oldest := 0
		if h.Changes[0].ID == CreationID {
			oldest = 1
		}
		h.CutAt = max(h.CutAt, h.Changes[oldest].At)
		h.Changes = slices.DeleteFunc(h.Changes, func(c Change) bool { return c.ID != CreationID && c.At <= h.CutAt })
	}
}

// See adds a sighting of the issue in a status, and reports whether the history differs now.
func (h *History) See(status StatusRef, at int64) bool {
	if status == (StatusRef{}) {
		return false
	}
	i := slices.IndexFunc(h.Seen, func(s Sighting) bool { return isSameOrBothUnknown(s.Status, status) })
	if i < 0 {
		h.Seen = append(h.Seen, Sighting{Status: status, First: at, Last: at})
		h.sortSeen()
		return true
	}
	before := h.Seen[i]
	seen := &h.Seen[i]
	seen.Status = seen.Status.join(status)
	seen.First, seen.Last = min(seen.First, at), max(seen.Last, at)
	differs := *seen != before
	if differs {
		h.sortSeen()
	}
	return differs
}

func (h *History) sortSeen() {
	slices.SortFunc(h.Seen, func(a, b Sighting) int {
		return cmp.Or(cmp.Compare(a.First, b.First), compareStatuses(a.Status.Get(), b.Status.Get()))
	})
}
