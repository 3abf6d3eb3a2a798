// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jira

// IssueType is a type of issues. Jira does not document the body of its events.
type IssueType struct {
	Entity
	Name string
}

// Title returns the name.
func (t *IssueType) Title() string { return t.Name }

func (t *IssueType) decodeMember(d *decoding, key []byte) error {
	if string(key) == "name" {
		return decodeText(d, &t.Name)
	}
	return t.Entity.decodeMember(d, key)
}
