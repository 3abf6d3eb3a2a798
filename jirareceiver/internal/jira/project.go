// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jira

import (
	"cmp"

	"github.com/go-faster/jx"
)

// Project is a project.
type Project struct {
	Entity
	Key, Name string
	Category  string
	Lead      User
}

// Title returns the key, or the name if the body does not contain a key.
func (p *Project) Title() string { return cmp.Or(p.Key, p.Name) }

// decode reads a project. Some senders write only its key or its id.
func (p *Project) decode(d *decoding) error {
	if d.Next() == jx.Object {
		return decodeInto(d, p, (*Project).decodeMember)
	}
	*p = Project{}
	var s string
	err := decodeText(d, &s)
	switch {
	case len(s) > MaxID: // regular expressions are slow
	case projectKey.MatchString(s):
		p.Key = s
	case digits.MatchString(s):
		p.ID = s
	}
	return err
}

func (p *Project) decodeMember(d *decoding, key []byte) error {
	switch string(key) {
	case "key":
		return decodeText(d, &p.Key)
	case "name":
		return decodeText(d, &p.Name)
	case "projectCategory":
		var category Named
		err := category.decode(d)
		p.Category = category.Name
		return err
	case "projectLead", "lead":
		return p.Lead.decode(d)
	default:
		return p.Entity.decodeMember(d, key)
	}
}
