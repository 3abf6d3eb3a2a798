// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jira

import "time"

// Subject is a subject of an event other than the issue: a comment, a sprint, a version and so on.
type Subject interface {
	// Title returns the name by which people know the subject, or "" if it has none.
	Title() string
	entity() Entity
}

// Subjects calls yield for each subject of the event, until yield returns false. If an event has several subjects, the
// order decides which of them identifies the event.
func (ev *Event) Subjects(yield func(Subject) bool) {
	_ = yieldSubject(ev.Comment, yield) &&
		yieldSubject(ev.Worklog, yield) &&
		yieldSubject(ev.Attachment, yield) &&
		yieldSubject(ev.IssueLink, yield) &&
		yieldSubject(ev.IssueType, yield) &&
		yieldSubject(ev.Sprint, yield) &&
		yieldSubject(ev.Version, yield) &&
		yieldSubject(ev.Board, yield) &&
		yieldSubject(ev.Filter, yield) &&
		yieldSubject(ev.Project, yield) &&
		yieldSubject(ev.Property, yield) &&
		yieldSubject(ev.Alert, yield)
}

func yieldSubject[T any, P interface {
	*T
	Subject
}](subject P, yield func(Subject) bool) (goOn bool) {
	return subject == nil || yield(subject)
}

// Entity returns the id and the link of the event's first subject, or the zero value.
func (ev *Event) Entity() Entity {
	for subject := range ev.Subjects {
		return subject.entity()
	}
	return Entity{}
}

// Revision returns the authors and the times of the event's first subject that has them, or the zero value.
func (ev *Event) Revision() Revision {
	for subject := range ev.Subjects {
		if revised, ok := subject.(interface{ revision() Revision }); ok {
			return revised.revision()
		}
	}
	return Revision{}
}

// Entity is the identity of a subject.
type Entity struct{ ID, Self string }

func (e Entity) entity() Entity { return e }

func (e *Entity) decodeMember(d *decoding, key []byte) error {
	switch string(key) {
	case "id":
		return decodeText(d, &e.ID)
	case "self":
		return decodeText(d, &e.Self)
	default:
		return d.Skip()
	}
}

// Revision holds the author and the last editor of a subject, and the times of its creation and its last change.
type Revision struct {
	Created      time.Time
	Updated      time.Time
	Author       User
	UpdateAuthor User
}

func (r Revision) revision() Revision { return r }

// decodeMember calls otherwise for the members that do not belong to the revision.
func (r *Revision) decodeMember(d *decoding, key []byte, otherwise memberDecoder) error {
	switch string(key) {
	case "created":
		return decodeTime(d, &r.Created)
	case "updated":
		return decodeTime(d, &r.Updated)
	case "author":
		return r.Author.decode(d)
	case "updateAuthor":
		return r.UpdateAuthor.decode(d)
	default:
		return otherwise(d, key)
	}
}
