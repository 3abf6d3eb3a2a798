// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

// Package state keeps what was read of each issue: in memory within a bound, and in a storage extension. It reads no
// clock. A [Store] is not safe for concurrent use.
package state

import (
	"cmp"
	"strings"
	"unique"

	"github.com/otel-jira/collector/jiraflowconnector/internal/flow"
)

// Text is a text that is in memory once, such as the key of a project. The zero value is the empty text.
type Text struct{ handle unique.Handle[string] }

// TextOf returns the Text of a string.
func TextOf(s string) Text {
	if s == "" {
		return Text{}
	}
	return Text{unique.Make(s)}
}

// String returns the text.
func (t Text) String() string {
	if t == (Text{}) {
		return ""
	}
	return t.handle.Value()
}

// Key identifies an issue: ids are unique within a site, and an issue keeps its id when it moves to another project.
type Key struct {
	Site Text // the address of the site, or the zero value if it is not known
	ID   string
}

// About describes an issue, as its latest record does.
type About struct {
	At        int64 // time of the record
	IsPartial bool  // the record contained no project or no type
	Key       string
	Project   Text // key of the project
	Type      Text // name of the type
	Priority  Text // name of the priority
}

// Flag is a fact that is true or false since a time. The zero value is not known.
type Flag struct {
	At int64
	Is bool
}

// Stuck is the stay for which a record of the event jira.issue.stuck was sent. The zero value is none.
type Stuck struct {
	Status flow.StatusRef
	Since  int64
	At     int64 // time of the record
}

// Summary is what the metrics need of an issue. It follows from the history.
type Summary struct {
	Status     flow.StatusRef
	Name       Text // of the status
	Mapped     Text // of the status
	Since      int64
	Created    int64
	ResolvedAt int64 // 0: open, or not known
	IsKnown    bool  // the stay in the status began at Since
	IsOpen     bool
	IsCreation bool // the creation was seen
}

// Issue is what was read of an issue.
type Issue struct {
	flow.History
	Key        Key
	About      About
	Assigned   Flag
	Flagged    Flag
	LastChange int64 // time of the latest record
	DeletedAt  int64 // 0: not deleted
	Stuck      Stuck
	Summary    Summary // not saved
	page       uint16
}

// Observation is what a record contains about an issue.
type Observation struct {
	Key       Key
	At        int64 // time of the event, in milliseconds since 1970
	Created   int64 // time of the creation of the issue, or 0
	IsDeleted bool
	Change    flow.Change    // only with HasChange
	HasChange bool           // the record is the creation or a transition
	Status    flow.StatusRef // status of an issue that the record does not change
	About     About
	Assigned  Flag
	Flagged   Flag
}

// Observe adds an observation, and reports whether anything is different now. The result does not depend on the order
// of observations.
func (i *Issue) Observe(o *Observation) (differs, isMoved bool) {
	isMoved = i.SetCreated(o.Created)
	if o.HasChange {
		isMoved = i.Add(o.Change) || isMoved
	} else {
		isMoved = i.See(o.Status, o.At) || isMoved
	}
	differs = isMoved
	if o.IsDeleted && (i.DeletedAt == 0 || o.At < i.DeletedAt) {
		i.DeletedAt, differs = o.At, true
	}
	if o.About.isBetter(&i.About) {
		i.About, differs = o.About, true
		i.About.Key = strings.Clone(o.About.Key) // the text of a record may be a part of a large text
	}
	differs = i.Assigned.update(o.Assigned) || differs
	differs = i.Flagged.update(o.Flagged) || differs
	if o.At > i.LastChange {
		i.LastChange, differs = o.At, true
	}
	return differs, isMoved
}

// isBetter reports whether a description replaces another one. At the same time, the greater text wins, so that the
// order does not count.
func (a *About) isBetter(other *About) bool {
	if a.At == 0 {
		return false
	}
	return cmp.Or(
		compareBool(!a.IsPartial, !other.IsPartial),
		cmp.Compare(a.At, other.At),
		cmp.Compare(a.Key, other.Key),
		cmp.Compare(a.Project.String(), other.Project.String()),
		cmp.Compare(a.Type.String(), other.Type.String()),
		cmp.Compare(a.Priority.String(), other.Priority.String()),
	) > 0
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	default:
		return -1
	}
}

// update keeps the latest value. At the same time, true wins.
func (f *Flag) update(other Flag) bool {
	if other.At == 0 || cmp.Or(cmp.Compare(other.At, f.At), compareBool(other.Is, f.Is)) <= 0 {
		return false
	}
	*f = other
	return true
}

// Summarize computes the summary from a timeline of the history.
func (i *Issue) Summarize(t *flow.Timeline) {
	status := t.Current.Status
	i.Summary = Summary{
		Status: flow.Ref(status), Name: TextOf(status.Name), Mapped: TextOf(status.Mapped),
		Since: t.Current.Since, IsKnown: t.Current.IsKnown,
		Created: t.Created, ResolvedAt: t.ResolvedAt, IsOpen: t.IsOpen, IsCreation: t.IsCreation,
	}
}
