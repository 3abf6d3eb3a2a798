// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jira

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/go-faster/jx"
)

// This file reads answers of Jira's REST API, version 2. Its texts have the same form as the texts of webhooks. Answers
// are read from a stream, and are as lenient about content as deliveries: a value of an unexpected type counts as
// missing, and a null or an odd entry of a list is dropped. Only an answer without the list that it is about is an
// error, because a reader would otherwise take an unknown shape for "no changes".
//
// Shapes: https://developer.atlassian.com/cloud/jira/platform/rest/v2/ for Jira Cloud, and
// https://developer.atlassian.com/server/jira/platform/rest/ for Data Center.

// The errors of answers, besides [ErrNotJSON] and [ErrNotObject].
var (
	ErrNoList  = errors.New("answer does not contain the expected list")
	ErrTooLong = errors.New("answer contains too many entries")
)

const (
	// readBuffer is the size in bytes of the buffer for a stream.
	readBuffer = 32 << 10

	// maxRows is the largest number of entries in all lists of an answer. An entry of a real Jira has at least 300
	// bytes with its author, so that 64 MiB contain no more of them. Entries without content would take ten times the
	// memory of the answer.
	maxRows = 200_000
)

// Page is an answer with a part of a list.
type Page[T any] struct {
	Entries       []T       // zero values for entries that the decoder does not understand
	Total         *int64    // number of entries of the whole list; nil if the answer does not contain it
	IsLast        *bool     // whether no page follows; nil if the answer does not contain it
	NextPageToken string    // token of the next page; "" if there is none
	Until         time.Time // end of the period of a worklog feed
}

// answer is the state of reading an answer.
type answer struct {
	*decoding
	rows    int
	hasList bool
}

// newAnswer skips a byte order mark.
func newAnswer(r io.Reader) *answer {
	buffered := bufio.NewReaderSize(r, readBuffer)
	if start, _ := buffered.Peek(len(byteOrderMark)); bytes.Equal(start, byteOrderMark) {
		_, _ = buffered.Discard(len(byteOrderMark)) // cannot fail: Peek has buffered these bytes
	}
	return &answer{decoding: &decoding{Decoder: jx.Decode(buffered, readBuffer), texts: &textBlocks{}}}
}

// finish turns the error of a decode function into an error of the package, and expects the end of the stream.
func (a *answer) finish(err error) error {
	switch {
	case errors.Is(err, ErrTooLong):
		return ErrTooLong
	case err != nil:
		return ErrNotJSON
	}
	if err := a.Skip(); !errors.Is(err, io.EOF) { // more input after the first value
		return ErrNotJSON
	}
	return nil
}

// object reads an answer that is one object.
func (a *answer) object(decodeMember memberDecoder) error {
	isObject := a.Next() == jx.Object
	if err := a.finish(decodeObject(a.decoding, decodeMember)); err != nil {
		return err
	}
	if !isObject {
		return ErrNotObject
	}
	return nil
}

// take counts entries of lists.
func (a *answer) take(rows int) error {
	if a.rows += rows; a.rows > maxRows {
		return ErrTooLong
	}
	return nil
}

// decodeList calls f for each element of an array. Any other value counts as missing.
func (a *answer) decodeList(f func() error) error {
	if a.Next() != jx.Array {
		return a.Skip()
	}
	a.hasList = true
	return a.Arr(func(*jx.Decoder) error {
		if err := a.take(1); err != nil {
			return err
		}
		return f()
	})
}

// entryDecoder reads an entry of a list. It returns false for a null or an entry of an unexpected type.
type entryDecoder[T any] func(a *answer, entry *T) (isEntry bool, err error)

// decodePage reads an object with a list under one of the keys. It keeps odd entries, as zero values, because the
// position of the next page is a number of entries.
func decodePage[T any](r io.Reader, decodeEntry entryDecoder[T], keys ...string) (Page[T], error) {
	var page Page[T]
	a := newAnswer(r)
	err := a.object(func(d *decoding, key []byte) error {
		if slices.Contains(keys, string(key)) {
			return decodeEntriesOf(a, &page.Entries, nil, decodeEntry)
		}
		return page.decodeMember(d, key)
	})
	if err == nil && !a.hasList {
		err = ErrNoList
	}
	return page, err
}

// decodeArrayAnswer reads an answer that is an array. It drops odd entries.
func decodeArrayAnswer[T any](r io.Reader, decodeEntry entryDecoder[T]) ([]T, error) {
	var entries []T
	var dropped int64
	a := newAnswer(r)
	err := a.finish(decodeEntriesOf(a, &entries, &dropped, decodeEntry))
	if err == nil && !a.hasList {
		err = ErrNoList
	}
	return entries, err
}

// decodeEntriesOf reads an array. It drops odd entries and counts them if dropped is not nil.
func decodeEntriesOf[T any](a *answer, entries *[]T, dropped *int64, decodeEntry entryDecoder[T]) error {
	*entries = nil
	return a.decodeList(func() error {
		var entry T
		isEntry, err := decodeEntry(a, &entry)
		if isEntry || dropped == nil {
			*entries = append(*entries, entry)
		} else {
			*dropped++
		}
		return err
	})
}

// decodeMember reads the members that describe a page. Jira names the end of a list isLast or lastPage.
func (p *Page[T]) decodeMember(d *decoding, key []byte) error {
	switch string(key) {
	case "total":
		return decodeInt(d, &p.Total)
	case "isLast", "lastPage":
		return decodeBool(d, &p.IsLast)
	case "nextPageToken":
		return decodeText(d, &p.NextPageToken)
	case "until":
		return decodeTime(d, &p.Until)
	default:
		return d.Skip()
	}
}

// DecodeComments reads a page of comments: {"startAt", "maxResults", "total", "comments": [...]}.
func DecodeComments(r io.Reader) (Page[Comment], error) {
	return decodePage(r, decodeCommentEntry, "comments")
}

func decodeCommentEntry(a *answer, c *Comment) (bool, error) {
	err := decodeInto(a.decoding, c, (*Comment).decodeMember)
	return c.ID != "", err
}

// DecodeWorklogs reads a page of worklogs: {"startAt", "maxResults", "total", "worklogs": [...]}.
func DecodeWorklogs(r io.Reader) (Page[Worklog], error) {
	return decodePage(r, decodeWorklogEntry, "worklogs")
}

func decodeWorklogEntry(a *answer, w *Worklog) (bool, error) {
	err := decodeInto(a.decoding, w, (*Worklog).decodeMember)
	return w.ID != "", err
}

// WorklogChange is an entry of a feed of changed or deleted worklogs.
type WorklogChange struct {
	ID   string
	Time time.Time // of the change or the deletion
}

// DecodeWorklogChanges reads a page of worklog/updated or worklog/deleted, oldest change first:
// {"values": [{"worklogId", "updatedTime"}], "since", "until", "lastPage"}, with times in milliseconds.
func DecodeWorklogChanges(r io.Reader) (Page[WorklogChange], error) {
	return decodePage(r, func(a *answer, c *WorklogChange) (bool, error) {
		err := decodeInto(a.decoding, c, (*WorklogChange).decodeMember)
		return c.ID != "", err
	}, "values")
}

func (c *WorklogChange) decodeMember(d *decoding, key []byte) error {
	switch string(key) {
	case "worklogId":
		return decodeText(d, &c.ID)
	case "updatedTime":
		return decodeTime(d, &c.Time)
	default:
		return d.Skip()
	}
}

// DecodeUser reads the answer of myself.
func DecodeUser(r io.Reader) (User, error) {
	var u User
	err := newAnswer(r).object(u.decodeMember)
	return u, err
}

// ServerInfo describes a Jira.
type ServerInfo struct {
	BaseURL    string // address of the site, also behind the API gateway of Jira Cloud
	Deployment string // Cloud or Server, as sent
	Version    string
	Versions   []int64   // numbers of the version, such as 10, 3, 1
	Time       time.Time // time of Jira's clock; zero if the answer does not contain it
}

// DecodeServerInfo reads the answer of serverInfo.
func DecodeServerInfo(r io.Reader) (ServerInfo, error) {
	var info ServerInfo
	err := newAnswer(r).object(info.decodeMember)
	return info, err
}

func (s *ServerInfo) decodeMember(d *decoding, key []byte) error {
	switch string(key) {
	case "baseUrl":
		return decodeText(d, &s.BaseURL)
	case "deploymentType":
		return decodeText(d, &s.Deployment)
	case "version":
		return decodeText(d, &s.Version)
	case "versionNumbers":
		return s.decodeVersions(d)
	case "serverTime":
		return decodeTime(d, &s.Time)
	default:
		return d.Skip()
	}
}

func (s *ServerInfo) decodeVersions(d *decoding) error {
	s.Versions = nil
	var isCut bool
	return decodeEntries(d, &isCut, func(d *decoding) error {
		var number *int64
		err := decodeInt(d, &number)
		if number != nil {
			s.Versions = append(s.Versions, *number)
		}
		return err
	})
}

// FieldInfo describes a field of issues.
type FieldInfo struct {
	ID, Name string
	Type     string // type of a custom field, such as com.pyxis.greenhopper.jira:gh-sprint; "" for other fields
}

// DecodeFields reads the answer of field, an array of {"id", "name", "schema": {"custom"}}.
func DecodeFields(r io.Reader) ([]FieldInfo, error) {
	return decodeArrayAnswer(r, func(a *answer, f *FieldInfo) (bool, error) {
		err := decodeInto(a.decoding, f, (*FieldInfo).decodeMember)
		return f.ID != "", err
	})
}

func (f *FieldInfo) decodeMember(d *decoding, key []byte) error {
	switch string(key) {
	case "id":
		return decodeText(d, &f.ID)
	case "name":
		return decodeText(d, &f.Name)
	case "schema":
		return decodeObject(d, func(d *decoding, key []byte) error {
			if string(key) != "custom" {
				return d.Skip()
			}
			return decodeText(d, &f.Type)
		})
	default:
		return d.Skip()
	}
}

// DecodeMessages reads the texts of an answer that reports an error: {"errorMessages": [...], "errors": {"field":
// "..."}}, or, of the resources of webhooks, {"messages": [...]} or {"errors": [{"message": "..."}]}. The texts are in
// the language of the account and repeat parts of the request.
func DecodeMessages(r io.Reader) ([]string, error) {
	var messages []string
	a := newAnswer(r)
	add := func(d *decoding) error {
		var s string
		err := decodeText(d, &s)
		if s != "" {
			messages = append(messages, s)
		}
		return errors.Join(err, a.take(1))
	}
	addMember := func(d *decoding) error {
		return decodeObject(d, func(d *decoding, key []byte) error {
			if string(key) != "message" {
				return d.Skip()
			}
			return add(d)
		})
	}
	err := a.object(func(d *decoding, key []byte) error {
		switch string(key) {
		case "errorMessages", "messages":
			return decodeArray(d, add)
		case "errors":
			if d.Next() == jx.Array {
				return decodeArray(d, addMember)
			}
			return decodeObject(d, func(d *decoding, _ []byte) error { return add(d) })
		default:
			return d.Skip()
		}
	})
	return messages, err
}
