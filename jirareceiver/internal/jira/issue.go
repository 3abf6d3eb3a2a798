// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jira

import (
	"bytes"
	"regexp"
	"slices"
	"time"

	"github.com/go-faster/jx"
)

// Issue is the issue of an event. Issue events contain the whole issue, other events a few of its fields.
type Issue struct {
	ID, Key, Self string

	Summary          string
	Description      string // wiki markup, or the text of a document
	Labels           Names
	Components       Names
	FixVersions      Names
	AffectedVersions Names
	Created          time.Time
	Updated          time.Time
	Resolved         time.Time
	DueDate          string // YYYY-MM-DD
	Type             Named
	Status           Status
	Priority         Named
	Resolution       Named
	SecurityLevel    Named
	Parent           Reference
	Assignee         User
	Reporter         User
	Creator          User
	Project          Project
	CustomFields     []CustomField // requested custom fields that have a value, in the order of the body
}

// Regular expressions for keys and ids that stand alone in a body, for example because a person has written them.
var (
	issueKey   = regexp.MustCompile(`^[A-Z][A-Z0-9_]+-\d+$`)
	projectKey = regexp.MustCompile(`^[A-Z][A-Z0-9_]+$`)
	digits     = regexp.MustCompile(`^\d+$`)
)

// issueWith returns an issue with only a key or an id, or nil if the text is neither.
func issueWith(keyOrID string) *Issue {
	switch {
	case len(keyOrID) > MaxID: // regular expressions are slow
		return nil
	case issueKey.MatchString(keyOrID):
		return &Issue{Key: keyOrID}
	case digits.MatchString(keyOrID):
		return &Issue{ID: keyOrID}
	default:
		return nil
	}
}

// decodeIssue reads an issue. Some senders write only its key or its id.
func (dec *Decoder) decodeIssue(d *decoding, target **Issue) error {
	if d.Next() != jx.Object {
		var s string
		err := decodeText(d, &s)
		*target = issueWith(s)
		return err
	}
	return decodeObject(d, dec.issueMember(reset(target)))
}

func (dec *Decoder) issueMember(i *Issue) memberDecoder {
	return func(d *decoding, key []byte) error {
		switch string(key) {
		case "id":
			return decodeText(d, &i.ID)
		case "key":
			return decodeText(d, &i.Key)
		case "self":
			return decodeText(d, &i.Self)
		case "fields":
			*i = Issue{ID: i.ID, Key: i.Key, Self: i.Self}
			return decodeObject(d, dec.issueField(i))
		default:
			return d.Skip()
		}
	}
}

func (dec *Decoder) issueField(i *Issue) memberDecoder {
	return func(d *decoding, key []byte) error {
		switch string(key) {
		case "summary":
			return decodeText(d, &i.Summary)
		case "description":
			return decodeMarkup(d, &i.Description)
		case "labels":
			return decodeNames(d, &i.Labels)
		case "components":
			return decodeNames(d, &i.Components)
		case "fixVersions":
			return decodeNames(d, &i.FixVersions)
		case "versions":
			return decodeNames(d, &i.AffectedVersions)
		case "created":
			return decodeTime(d, &i.Created)
		case "updated":
			return decodeTime(d, &i.Updated)
		case "resolutiondate":
			return decodeTime(d, &i.Resolved)
		case "duedate":
			return decodeDate(d, &i.DueDate)
		case "issuetype":
			return i.Type.decode(d)
		case "status":
			return i.Status.decode(d)
		case "priority":
			return i.Priority.decode(d)
		case "resolution":
			return i.Resolution.decode(d)
		case "security":
			return i.SecurityLevel.decode(d)
		case "parent":
			return i.Parent.decode(d)
		case "assignee":
			return i.Assignee.decode(d)
		case "reporter":
			return i.Reporter.decode(d)
		case "creator":
			return i.Creator.decode(d)
		case "project":
			return i.Project.decode(d)
		default:
			return dec.customField(d, key, i)
		}
	}
}

// customField reads a field if the configuration names it.
func (dec *Decoder) customField(d *decoding, key []byte, i *Issue) error {
	if !bytes.HasPrefix(key, []byte(customFieldPrefix)) || !dec.customFields[string(key)] {
		return d.Skip()
	}
	id := string(key)
	// An earlier member with the same key does not count.
	i.CustomFields = slices.DeleteFunc(i.CustomFields, func(f CustomField) bool { return f.ID == id })
	return decodeCustomField(d, id, &i.CustomFields)
}

// Status is the status of an issue.
type Status struct {
	Named
	Category string // key of the status category: new, indeterminate, done or undefined
}

// decode reads a status. Some senders write only its name, as a string.
func (s *Status) decode(d *decoding) error {
	if d.Next() == jx.String {
		*s = Status{}
		return decodeText(d, &s.Name)
	}
	return decodeInto(d, s, (*Status).decodeMember)
}

func (s *Status) decodeMember(d *decoding, key []byte) error {
	if string(key) != "statusCategory" {
		return s.Named.decodeMember(d, key)
	}
	s.Category = ""
	return decodeObject(d, func(d *decoding, key []byte) error {
		if string(key) != "key" {
			return d.Skip()
		}
		return decodeText(d, &s.Category)
	})
}

// Reference identifies another issue.
type Reference struct{ ID, Key string }

// decode reads a reference. Some senders write only the key or the id of the issue.
func (r *Reference) decode(d *decoding) error {
	if d.Next() != jx.Object {
		*r = Reference{}
		var s string
		err := decodeText(d, &s)
		if i := issueWith(s); i != nil {
			*r = Reference{ID: i.ID, Key: i.Key}
		}
		return err
	}
	return decodeInto(d, r, (*Reference).decodeMember)
}

func (r *Reference) decodeMember(d *decoding, key []byte) error {
	switch string(key) {
	case "id":
		return decodeText(d, &r.ID)
	case "key":
		return decodeText(d, &r.Key)
	default:
		return d.Skip()
	}
}
