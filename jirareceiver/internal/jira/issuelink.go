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

// Links are the links of an issue.
type Links struct {
	List  []Link
	IsCut bool // whether the body contains more than MaxEntries links
}

// Link is a link of the issue that contains it to another issue.
type Link struct {
	ID      string
	Type    Named
	Outward Reference // the other issue, if the link points to it
	Inward  Reference // the other issue, if the link comes from it
}

func (l *Links) decode(d *decoding) error {
	*l = Links{}
	return decodeEntries(d, &l.IsCut, func(d *decoding) error {
		var link Link
		err := decodeInto(d, &link, (*Link).decodeMember)
		if link != (Link{}) {
			l.List = append(l.List, link)
		}
		return err
	})
}

func (l *Link) decodeMember(d *decoding, key []byte) error {
	switch string(key) {
	case "id":
		return decodeText(d, &l.ID)
	case "type":
		return l.Type.decode(d)
	case "outwardIssue":
		return l.Outward.decode(d)
	case "inwardIssue":
		return l.Inward.decode(d)
	default:
		return d.Skip()
	}
}
