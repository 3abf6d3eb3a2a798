// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jira

// Attachment is a file that is attached to an issue.
type Attachment struct {
	Entity
	Revision
	Filename string
	Size     *int64 // bytes
	MIMEType string
}

// Title returns the name of the file.
func (a *Attachment) Title() string { return a.Filename }

func (a *Attachment) decodeMember(d *decoding, key []byte) error {
	switch string(key) {
	case "filename":
		return decodeText(d, &a.Filename)
	case "size":
		return decodeInt(d, &a.Size)
	case "mimeType":
		return decodeText(d, &a.MIMEType)
	default:
		return a.Revision.decodeMember(d, key, a.Entity.decodeMember)
	}
}
