// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jira

// IssueLink is a link between two issues.
type IssueLink struct {
	Entity
	Type        Named
	Source      string // id of an issue
	Destination string // id of an issue
	System      *bool  // whether Jira made the link itself, such as the link to a subtask
}

// Title returns the name of the link type.
func (l *IssueLink) Title() string { return l.Type.Name }

func (l *IssueLink) decodeMember(d *decoding, key []byte) error {
	switch string(key) {
	case "issueLinkType":
		return l.Type.decode(d)
	case "sourceIssueId":
		return decodeText(d, &l.Source)
	case "destinationIssueId":
		return decodeText(d, &l.Destination)
	case "systemLink":
		return decodeBool(d, &l.System)
	default:
		return l.Entity.decodeMember(d, key)
	}
}
