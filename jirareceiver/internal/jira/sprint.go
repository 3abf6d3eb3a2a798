// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jira

import "time"

// Sprint is a sprint of a board.
type Sprint struct {
	Entity
	Name      string
	State     string // future, active or closed
	Goal      string
	Created   time.Time
	Start     time.Time
	End       time.Time // planned
	Completed time.Time
	BoardID   string // board on which the sprint was created
}

// Title returns the name.
func (s *Sprint) Title() string { return s.Name }

func (s *Sprint) decodeMember(d *decoding, key []byte) error {
	switch string(key) {
	case "name":
		return decodeText(d, &s.Name)
	case "state":
		return decodeText(d, &s.State)
	case "goal":
		return decodeText(d, &s.Goal)
	case "createdDate":
		return decodeTime(d, &s.Created)
	case "startDate":
		return decodeTime(d, &s.Start)
	case "endDate":
		return decodeTime(d, &s.End)
	case "completeDate":
		return decodeTime(d, &s.Completed)
	case "originBoardId":
		return decodeText(d, &s.BoardID)
	default:
		return s.Entity.decodeMember(d, key)
	}
}

// diffSprint returns the changes between two states of a sprint. The fields have Jira's names.
func diffSprint(before, after *Sprint) []Change {
	var changes []Change
	for _, f := range []struct{ field, from, to string }{
		{"name", before.Name, after.Name},
		{"state", before.State, after.State},
		{"goal", before.Goal, after.Goal},
		{"startDate", formatTime(before.Start), formatTime(after.Start)},
		{"endDate", formatTime(before.End), formatTime(after.End)},
		{"completeDate", formatTime(before.Completed), formatTime(after.Completed)},
		{"originBoardId", before.BoardID, after.BoardID},
	} {
		if f.from != f.to {
			changes = append(changes, Change{Field: f.field, FromText: f.from, ToText: f.to})
		}
	}
	return changes
}

// formatTime returns a time in the format in which Jira writes the times of sprints, or "" for the zero time.
func formatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format("2006-01-02T15:04:05.000Z07:00")
}
