package jira

import (
	"strings"

	"github.com/go-faster/jx"
)

// markup reads a text that people have written. Jira sends it as a string in wiki markup; its newer interfaces send a
// document in Atlassian Document Format, of which only the text is kept. Any other object stays JSON.
// https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/
func markup(d *decoding, s *string) error {
	if d.Next() != jx.Object {
		return text(d, s)
	}
	raw, err := d.Raw()
	if err != nil {
		return err
	}
	*s = objectText(d, raw)
	return nil
}

func objectText(d *decoding, raw jx.Raw) string {
	var doc document
	_ = doc.node(newDecoding(raw)) // Raw has seen that it is JSON. The texts are joined, and not to stay beside the record's
	if !doc.isDocument {
		return d.texts.copy(raw)
	}
	return Cut(strings.TrimSpace(doc.text.String()), MaxText)
}

// documentType is the type of the node that holds all others.
const documentType = "doc"

// document gathers the text of the nodes of a document, in their order.
type document struct {
	text       strings.Builder
	isDocument bool
}

// blocks are the nodes after whose text a line ends.
var blocks = map[string]bool{
	"blockquote": true, "caption": true, "codeBlock": true, "decisionItem": true, "hardBreak": true, "heading": true,
	"paragraph": true, "rule": true, "tableRow": true, "taskItem": true,
}

// node relies on no order of the members: a node has either text or nodes below it.
func (doc *document) node(d *decoding) error {
	var kind string
	err := object(d, func(d *decoding, key []byte) error {
		switch string(key) {
		case "type":
			return text(d, &kind)
		case "text":
			return doc.write(d)
		case "attrs": // of emoji and mentions, which have no text beside it
			return object(d, doc.attribute)
		case "content":
			return array(d, doc.node)
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

func (doc *document) attribute(d *decoding, key []byte) error {
	if string(key) != "text" && string(key) != "url" {
		return d.Skip()
	}
	return doc.write(d)
}

func (doc *document) write(d *decoding) error {
	var s string
	err := text(d, &s)
	if doc.text.Len() < MaxText {
		doc.text.WriteString(s)
	}
	return err
}
