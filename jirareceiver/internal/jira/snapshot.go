// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jira

import (
	"cmp"
	"io"
	"strconv"
	"time"

	"github.com/go-faster/jx"
)

// Snapshot is an issue as the REST API returns it: the issue at the time of the request, with its history.
type Snapshot struct {
	Issue       *Issue
	Histories   []History    // changelog, in the order of the answer: newest first on Cloud, oldest first on Data Center
	Comments    []Comment    // field comment
	Worklogs    []Worklog    // field worklog, in no order
	Attachments []Attachment // field attachment, at most MaxEntries

	// The numbers of entries of the whole lists. The answer may contain a part of them. They are nil if the answer does
	// not contain the list at all.
	HistoryTotal *int64
	CommentTotal *int64
	WorklogTotal *int64
}

// History is an entry of the changelog of an issue: the fields that one update has changed.
type History struct {
	Changelog

	Created time.Time // time of the change, a few milliseconds after the time in the field updated
	Author  User      // zero if Jira does not know who made the change
}

// CompareHistories orders histories by time, and by number of the id if they have the same time. Answers have no common
// order.
func CompareHistories(a, b History) int {
	return cmp.Or(a.Created.Compare(b.Created), CompareIDs(a.ID, b.ID))
}

// CompareIDs compares ids by number. Ids that are not numbers come last, in alphabetical order.
func CompareIDs(a, b string) int {
	m, errA := strconv.ParseUint(a, 10, 64)
	n, errB := strconv.ParseUint(b, 10, 64)
	switch {
	case errA == nil && errB == nil:
		return cmp.Or(cmp.Compare(m, n), cmp.Compare(a, b))
	case errA == nil:
		return -1
	case errB == nil:
		return 1
	default:
		return cmp.Compare(a, b)
	}
}

func (h *History) decodeMember(d *decoding, key []byte) error {
	switch string(key) {
	case "created":
		return decodeTime(d, &h.Created)
	case "author":
		return h.Author.decode(d)
	case "id", "items":
		return h.Changelog.decodeMember(d, key)
	default:
		return d.Skip()
	}
}

func decodeHistoryEntry(a *answer, h *History) (bool, error) {
	err := decodeInto(a.decoding, h, (*History).decodeMember)
	if err == nil {
		err = a.take(len(h.Items))
	}
	return h.ID != "", err
}

// DecodeHistories reads a page of the changelog of an issue:
// {"startAt", "maxResults", "total", "isLast", "values": [...]}. A list named histories counts too.
func DecodeHistories(r io.Reader) (Page[History], error) {
	return decodePage(r, decodeHistoryEntry, "values", "histories")
}

// IssueHistories is a part of the changelog of an issue.
type IssueHistories struct {
	IssueID   string
	Histories []History
}

// DecodeIssueHistories reads a page of changelog/bulkfetch: {"issueChangeLogs": [{"issueId", "changeHistories":
// [...]}], "nextPageToken"}. The times of these histories are numbers of milliseconds, and of seconds in the
// documentation.
func DecodeIssueHistories(r io.Reader) (Page[IssueHistories], error) {
	return decodePage(r, func(a *answer, h *IssueHistories) (bool, error) {
		err := decodeObject(a.decoding, func(d *decoding, key []byte) error {
			switch string(key) {
			case "issueId":
				return decodeText(d, &h.IssueID)
			case "changeHistories", "histories", "values":
				var dropped int64
				return decodeEntriesOf(a, &h.Histories, &dropped, decodeHistoryEntry)
			default:
				return d.Skip()
			}
		})
		return h.IssueID != "", err
	}, "issueChangeLogs")
}

// DecodeSnapshots reads a page of issues, the answer of a search or of issue/bulkfetch:
// {"issues": [...], "total", "isLast", "nextPageToken"}.
func (dec *Decoder) DecodeSnapshots(r io.Reader) (Page[Snapshot], error) {
	return decodePage(r, dec.decodeSnapshot, "issues")
}

// DecodeSnapshot reads an answer that is one issue.
func (dec *Decoder) DecodeSnapshot(r io.Reader) (Snapshot, error) {
	s := Snapshot{Issue: &Issue{}}
	a := newAnswer(r)
	err := a.object(dec.snapshotMember(a, &s))
	if err == nil && s.Issue.ID == "" {
		err = ErrNoList
	}
	return s, err
}

func (dec *Decoder) decodeSnapshot(a *answer, s *Snapshot) (bool, error) {
	s.Issue = &Issue{}
	err := decodeObject(a.decoding, dec.snapshotMember(a, s))
	return s.Issue.ID != "", err
}

func (dec *Decoder) snapshotMember(a *answer, s *Snapshot) memberDecoder {
	issueMember := dec.issueMember(s.Issue)
	return func(d *decoding, key []byte) error {
		switch string(key) {
		case "changelog":
			return decodeSublist(a, &s.Histories, &s.HistoryTotal, decodeHistoryEntry, "histories")
		case "fields":
			*s.Issue = Issue{ID: s.Issue.ID, Key: s.Issue.Key, Self: s.Issue.Self}
			s.Comments, s.CommentTotal, s.Worklogs, s.WorklogTotal, s.Attachments = nil, nil, nil, nil, nil
			return decodeObject(d, dec.snapshotField(a, s))
		default:
			return issueMember(d, key)
		}
	}
}

func (dec *Decoder) snapshotField(a *answer, s *Snapshot) memberDecoder {
	issueField := dec.issueField(s.Issue)
	return func(d *decoding, key []byte) error {
		switch string(key) {
		case "comment":
			return decodeSublist(a, &s.Comments, &s.CommentTotal, decodeCommentEntry, "comments")
		case "worklog":
			return decodeSublist(a, &s.Worklogs, &s.WorklogTotal, decodeWorklogEntry, "worklogs")
		case "attachment":
			return s.decodeAttachments(d)
		default:
			return issueField(d, key)
		}
	}
}

// decodeSublist reads a list inside an issue, such as {"histories": [...], "total": 20}. It drops odd entries. The
// total does not count them, and is at least the number of entries.
func decodeSublist[T any](a *answer, entries *[]T, total **int64, decodeEntry entryDecoder[T], listKey string) error {
	*entries, *total = nil, nil
	if a.Next() != jx.Object {
		return a.Skip()
	}
	hasList := false
	var dropped int64
	err := decodeObject(a.decoding, func(d *decoding, key []byte) error {
		switch string(key) {
		case listKey:
			hasList = d.Next() == jx.Array
			dropped = 0
			return decodeEntriesOf(a, entries, &dropped, decodeEntry)
		case "total":
			return decodeInt(d, total)
		default:
			return d.Skip()
		}
	})
	count := int64(len(*entries))
	switch {
	case !hasList:
		*total = nil
	case *total == nil || **total-dropped < count:
		*total = &count
	default:
		**total -= dropped
	}
	return err
}

func (s *Snapshot) decodeAttachments(d *decoding) error {
	s.Attachments = nil
	var isCut bool
	return decodeEntries(d, &isCut, func(d *decoding) error {
		var attachment Attachment
		err := decodeInto(d, &attachment, (*Attachment).decodeMember)
		if attachment.ID != "" {
			s.Attachments = append(s.Attachments, attachment)
		}
		return err
	})
}
