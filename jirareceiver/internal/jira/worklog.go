// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jira

import "time"

// Worklog is a period of work that a user has logged on an issue.
type Worklog struct {
	Entity
	Revision
	IssueID    string
	Started    time.Time
	TimeSpent  *int64 // seconds
	Comment    string // wiki markup, or the text of a document
	Visibility Visibility
}

// Title returns "", because a worklog has no name.
func (*Worklog) Title() string { return "" }

func (w *Worklog) decodeMember(d *decoding, key []byte) error {
	switch string(key) {
	case "issueId":
		return decodeText(d, &w.IssueID)
	case "started":
		return decodeTime(d, &w.Started)
	case "timeSpentSeconds":
		return decodeInt(d, &w.TimeSpent)
	case "comment":
		return decodeMarkup(d, &w.Comment)
	case "visibility":
		return w.Visibility.decode(d)
	default:
		return w.Revision.decodeMember(d, key, w.Entity.decodeMember)
	}
}
