// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jira

import (
	"cmp"

	"github.com/go-faster/jx"
)

// Comment is a comment on an issue.
type Comment struct {
	Entity
	Revision
	Body       string // wiki markup, or the text of a document
	Public     *bool  // whether customers of Jira Service Management see the comment; nil in other products
	Visibility Visibility
}

// Title returns "", because a comment has no name.
func (*Comment) Title() string { return "" }

func (c *Comment) decodeMember(d *decoding, key []byte) error {
	switch string(key) {
	case "body":
		return decodeMarkup(d, &c.Body)
	case "jsdPublic":
		return decodeBool(d, &c.Public)
	case "visibility":
		return c.Visibility.decode(d)
	default:
		return c.Revision.decodeMember(d, key, c.Entity.decodeMember)
	}
}

// decodeComment reads a comment. Post-functions send only its text, as a string.
func decodeComment(d *decoding, target **Comment) error {
	if d.Next() != jx.String {
		return decodePointer(d, target, (*Comment).decodeMember)
	}
	*target = nil
	var comment Comment
	err := decodeText(d, &comment.Body)
	if comment.Body != "" {
		*target = &comment
	}
	return err
}

// Visibility is the role or the group to which a comment or a worklog is restricted. It is the zero value without a
// restriction.
type Visibility struct {
	Type       string // role or group
	Value      string // name of the role or the group
	identifier string // id of the group; Jira Cloud
}

// Name returns the name of the role or the group, or its id.
func (v Visibility) Name() string { return cmp.Or(v.Value, v.identifier) }

func (v *Visibility) decode(d *decoding) error {
	return decodeInto(d, v, (*Visibility).decodeMember)
}

func (v *Visibility) decodeMember(d *decoding, key []byte) error {
	switch string(key) {
	case "type":
		return decodeText(d, &v.Type)
	case "value":
		return decodeText(d, &v.Value)
	case "identifier":
		return decodeText(d, &v.identifier)
	default:
		return d.Skip()
	}
}
