// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jira

// Board is a board of Jira Software.
type Board struct {
	Entity
	Name string
	Type string // scrum, kanban or simple
}

// Title returns the name.
func (b *Board) Title() string { return b.Name }

func (b *Board) decodeMember(d *decoding, key []byte) error {
	switch string(key) {
	case "name":
		return decodeText(d, &b.Name)
	case "type":
		return decodeText(d, &b.Type)
	default:
		return b.Entity.decodeMember(d, key)
	}
}
