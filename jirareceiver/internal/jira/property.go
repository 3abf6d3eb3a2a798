// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jira

import "github.com/go-faster/jx"

// Property is a property of an issue, or an option of the site. Jira documents the body of neither.
type Property struct {
	Key     string
	Value   string
	channel string // text in a value that is an object
}

// Title returns the key.
func (p *Property) Title() string { return p.Key }

// entity returns the zero value: a property has neither an id nor a link.
func (*Property) entity() Entity { return Entity{} }

func (p *Property) decodeMember(d *decoding, key []byte) error {
	switch string(key) {
	case "key":
		return decodeText(d, &p.Key)
	case "value":
		return p.decodeValue(d)
	default:
		return d.Skip()
	}
}

// keyOfChannel is the key of the property that contains the channel of a request of Jira Service Management. Its value
// is an object with the channel in the member value.
const keyOfChannel = "request.channel.type"

// RequestChannel returns the channel through which a customer has sent the request, such as portal or email. It returns
// "" for all other properties.
func (p *Property) RequestChannel() string {
	if p.Key != keyOfChannel {
		return ""
	}
	return p.channel
}

func (p *Property) decodeValue(d *decoding) error {
	p.Value, p.channel = "", ""
	if d.Next() != jx.Object {
		return decodeOptionValue(d, &p.Value)
	}
	return decodeObject(d, func(d *decoding, key []byte) error {
		if string(key) != "value" {
			return d.Skip()
		}
		return decodeText(d, &p.channel)
	})
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
