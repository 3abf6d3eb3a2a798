// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jira

// Changelog holds the fields that an update has changed, in Jira's order.
type Changelog struct {
	ID    string
	Items []Change
	IsCut bool // whether the body contains more than MaxEntries changes
}

func (c *Changelog) decode(d *decoding) error { return decodeInto(d, c, (*Changelog).decodeMember) }

func (c *Changelog) decodeMember(d *decoding, key []byte) error {
	switch string(key) {
	case "id":
		return decodeText(d, &c.ID)
	case "items":
		c.Items, c.IsCut = nil, false
		return decodeEntries(d, &c.IsCut, func(d *decoding) error {
			var change Change
			err := change.decode(d)
			if change != (Change{}) {
				c.Items = append(c.Items, change)
			}
			return err
		})
	default:
		return d.Skip()
	}
}

// Change is a changed field. From and To are the values for machines, such as ids. FromText and ToText are the values
// for people, such as names.
type Change struct {
	Field     string // display name, in the language of the site and in varying letter case
	FieldID   string // stable id; Data Center does not send it
	FieldType string // jira or custom
	From      string
	FromText  string
	To        string
	ToText    string
	OfUser    bool // whether the values are account ids and names of people
}

func (c *Change) decode(d *decoding) error { return decodeInto(d, c, (*Change).decodeMember) }

func (c *Change) decodeMember(d *decoding, key []byte) error {
	switch string(key) {
	case "field":
		return decodeText(d, &c.Field)
	case "fieldId":
		return decodeText(d, &c.FieldID)
	case "fieldtype":
		return decodeText(d, &c.FieldType)
	case "from":
		return decodeMarkup(d, &c.From)
	case "fromString":
		return decodeMarkup(d, &c.FromText)
	case "to":
		return decodeMarkup(d, &c.To)
	case "toString":
		return decodeMarkup(d, &c.ToText)
	case "tmpFromAccountId", "tmpToAccountId":
		c.OfUser = true
		return d.Skip()
	default:
		return d.Skip()
	}
}
