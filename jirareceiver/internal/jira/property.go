// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jira

import "github.com/go-faster/jx"

// Property is a property of an issue, or an option of the site. Jira documents the body of neither.
type Property struct{ Key, Value string }

// Title returns the key.
func (p *Property) Title() string { return p.Key }

// entity returns the zero value: a property has neither an id nor a link.
func (*Property) entity() Entity { return Entity{} }

func (p *Property) decodeMember(d *decoding, key []byte) error {
	switch string(key) {
	case "key":
		return decodeText(d, &p.Key)
	case "value":
		return decodeOptionValue(d, &p.Value)
	default:
		return d.Skip()
	}
}

// decodeOptionValue reads the value of an option: a truth value, a number or a string.
func decodeOptionValue(d *decoding, s *string) error {
	if d.Next() != jx.Bool {
		return decodeText(d, s)
	}
	raw, err := d.Raw()
	*s = string(raw)
	return err
}
