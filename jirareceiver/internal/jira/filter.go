// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jira

// Filter is a saved search. Jira does not document the body of its events.
type Filter struct {
	Entity
	Name string
}

// Title returns the name.
func (f *Filter) Title() string { return f.Name }

func (f *Filter) decodeMember(d *decoding, key []byte) error {
	if string(key) == "name" {
		return decodeText(d, &f.Name)
	}
	return f.Entity.decodeMember(d, key)
}
