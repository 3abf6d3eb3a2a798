// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jira

import (
	"cmp"
	"regexp"
	"strconv"

	"github.com/go-faster/jx"
)

// customFieldPrefix is the start of the ids of all custom fields.
const customFieldPrefix = "customfield_"

// CustomField is a custom field of an issue.
type CustomField struct {
	ID string // such as customfield_10016
	// Value is a string, int64, float64, bool or [User], or a []any of these types that is not empty.
	Value any
	IsCut bool // whether the body contains more than MaxEntries values
}

// decodeCustomField reads the value of a custom field, and appends the field if it has a value.
func decodeCustomField(d *decoding, id string, fields *[]CustomField) error {
	isArray := d.Next() == jx.Array
	var values fieldValues
	if err := values.append(d); err != nil {
		return err
	}
	switch {
	case len(values.list) == 0:
	case len(values.list) == 1 && !isArray:
		*fields = append(*fields, CustomField{ID: id, Value: values.list[0]})
	default:
		*fields = append(*fields, CustomField{ID: id, Value: values.list, IsCut: values.isCut})
	}
	return nil
}

// fieldValues are the values of a custom field.
type fieldValues struct {
	list  []any
	read  int // number of elements of all arrays, including nested arrays
	isCut bool
}

// append reads the next value. It appends nothing, one value, or the values of an array.
func (v *fieldValues) append(d *decoding) error {
	switch d.Next() {
	case jx.String, jx.Number:
		return appendScalar(d, &v.list)
	case jx.Bool:
		b, err := d.Bool()
		v.list = append(v.list, b)
		return err
	case jx.Object:
		return appendObject(d, &v.list)
	case jx.Array:
		return decodeArray(d, v.appendEntry)
	default:
		return d.Skip()
	}
}

func (v *fieldValues) appendEntry(d *decoding) error {
	if v.read == MaxEntries {
		v.isCut = true
		return d.Skip()
	}
	v.read++
	return v.append(d)
}

// appendScalar reads a string or a number. The notation decides the type of a number: 5 is an int64, 5.0 is a float64.
func appendScalar(d *decoding, values *[]any) error {
	isNumber := d.Next() == jx.Number
	var s string
	err := decodeText(d, &s)
	if !isNumber {
		appendText(values, cmp.Or(sprintName(s), s))
		return err
	}
	if n, notInteger := strconv.ParseInt(s, 10, 64); notInteger == nil {
		*values = append(*values, n)
	} else if f, tooLarge := strconv.ParseFloat(s, 64); tooLarge == nil {
		*values = append(*values, f)
	}
	return err
}

func appendText(values *[]any, s string) {
	if s != "" {
		*values = append(*values, s)
	}
}

// appendObject reads an object. It appends a user, the texts of an option, the text of a document, or the name, key or
// id of any other object, such as a version, a group or a sprint.
func appendObject(d *decoding, values *[]any) error {
	raw, err := d.Raw()
	if err != nil {
		return err
	}
	var u User
	var o option
	_ = u.decode(d.part(raw)) // cannot fail: Raw has checked the JSON
	_ = o.decode(d.part(raw))
	switch {
	case u.isUser():
		*values = append(*values, u)
	case o.value != "":
		appendText(values, o.value)
		appendText(values, o.child)
	case o.kind == documentType:
		appendText(values, markupText(d, raw))
	default:
		appendText(values, cmp.Or(u.Name, u.Key, o.id))
	}
	return nil
}

// option is an option of a select list. In a cascading select list, the option of the second list is a child of the
// option of the first list.
type option struct{ id, kind, value, child string }

func (o *option) decode(d *decoding) error {
	return decodeObject(d, func(d *decoding, key []byte) error {
		switch string(key) {
		case "id":
			return decodeText(d, &o.id)
		case "type":
			return decodeText(d, &o.kind)
		case "value":
			return decodeText(d, &o.value)
		case "child":
			return decodeObject(d, func(d *decoding, key []byte) error {
				if string(key) != "value" {
					return d.Skip()
				}
				return decodeText(d, &o.child)
			})
		default:
			return d.Skip()
		}
	})
}

// sprintString matches a sprint as Data Center, and Jira Cloud until 2020, write it: in the form in which Java prints
// an object. The name may contain commas, equals signs and brackets, so that only the next key marks its end.
var sprintString = regexp.MustCompile(`^com\.atlassian\.greenhopper\.service\.sprint\.Sprint@[0-9a-f]+\[` +
	`.*?\bname=(.*?),(?:startDate|endDate|completeDate|activatedDate|goal|sequence|synced|autoStartStop)=`)

// maxSprintString is the largest size in bytes of a text that is searched for a sprint. Jira's limits for the name and
// the goal of a sprint are lower.
const maxSprintString = 16 << 10

// sprintName returns the name of the sprint that a text describes, or "".
func sprintName(s string) string {
	if len(s) > maxSprintString { // regular expressions are slow
		return ""
	}
	if match := sprintString.FindStringSubmatch(s); match != nil {
		return match[1]
	}
	return ""
}
