// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jira

import "github.com/go-faster/jx"

// Comment is a comment on an issue.
type Comment struct {
	Entity
	Revision
	Body   string // wiki markup, or the text of a document
	Public *bool  // whether customers of Jira Service Management see the comment; nil in other products
}

// Title returns "", because a comment has no name.
func (*Comment) Title() string { return "" }

func (c *Comment) decodeMember(d *decoding, key []byte) error {
	switch string(key) {
	case "body":
		return decodeMarkup(d, &c.Body)
	case "jsdPublic":
		return decodeBool(d, &c.Public)
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
