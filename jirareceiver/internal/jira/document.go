// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jira

import (
	"strings"

	"github.com/go-faster/jx"
)

// decodeMarkup reads a text that people have written. Jira sends it as a string in wiki markup. Its newer interfaces
// send a document in Atlassian Document Format, of which only the text is kept. Any other object is kept as JSON.
// https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/
func decodeMarkup(d *decoding, s *string) error {
	if d.Next() != jx.Object {
		return decodeText(d, s)
	}
	raw, err := d.Raw()
	if err != nil {
		return err
	}
	*s = markupText(d, raw)
	return nil
}

// markupText returns the text of a document, or any other object as JSON.
func markupText(d *decoding, raw jx.Raw) string {
	var doc document
	// The error can be ignored: Raw has checked the JSON. A new decoding is used, because the texts of the nodes are
	// joined and need not stay in memory beside the texts of the record.
	_ = doc.decodeNode(newDecoding(raw))
	if !doc.isDocument {
		return d.texts.copy(raw)
	}
	return Cut(strings.TrimSpace(doc.text.String()), MaxText)
}

// documentType is the type of the root node of a document.
const documentType = "doc"

// document collects the texts of the nodes of a document, in their order.
type document struct {
	text       strings.Builder
	isDocument bool
}

// blocks are the nodes whose text ends a line.
var blocks = map[string]bool{
	"blockquote": true, "caption": true, "codeBlock": true, "decisionItem": true, "hardBreak": true, "heading": true,
	"paragraph": true, "rule": true, "tableRow": true, "taskItem": true,
}

// decodeNode does not depend on the order of the members: a node has either a text or child nodes.
func (doc *document) decodeNode(d *decoding) error {
	var kind string
	err := decodeObject(d, func(d *decoding, key []byte) error {
		switch string(key) {
		case "type":
			return decodeText(d, &kind)
		case "text":
			return doc.appendText(d)
		case "attrs": // contains the text of emojis and mentions, which have no member text
			return decodeObject(d, doc.decodeAttribute)
		case "content":
			return decodeArray(d, doc.decodeNode)
		default:
			return d.Skip()
		}
	})
	switch {
	case kind == documentType:
		doc.isDocument = true
	case doc.text.Len() >= MaxText:
	case kind == "tableCell" || kind == "tableHeader":
		doc.text.WriteByte(' ')
	case blocks[kind]:
		doc.text.WriteByte('\n')
	}
	return err
}

func (doc *document) decodeAttribute(d *decoding, key []byte) error {
	if string(key) != "text" && string(key) != "url" {
		return d.Skip()
	}
	return doc.appendText(d)
}

func (doc *document) appendText(d *decoding) error {
	var s string
	err := decodeText(d, &s)
	if doc.text.Len() < MaxText {
		doc.text.WriteString(s)
	}
	return err
}
