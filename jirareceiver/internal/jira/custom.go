package jira

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"

	"github.com/go-faster/jx"
)

// customFieldPrefix starts the ids of all custom fields.
const customFieldPrefix = "customfield_"

// customField reads the value of a custom field. One without a value is left out.
func customField(d *decoding, id string, fields *[]CustomField) error {
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
	read  int // entries of all arrays, in one another or not
	isCut bool
}

// append appends what the next value says: nothing, one thing, or all that an array holds.
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
		return array(d, v.appendEntry)
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

// appendScalar takes a number for what it is written as: 5 is an integer, 5.0 is not.
func appendScalar(d *decoding, values *[]any) error {
	isNumber := d.Next() == jx.Number
	var s string
	err := text(d, &s)
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

// appendObject appends a user, an option, a document, or the name, key or id of anything else: a version, a group, a sprint.
func appendObject(d *decoding, values *[]any) error {
	raw, err := d.Raw()
	if err != nil {
		return err
	}
	var u User
	var o option
	_ = u.decode(d.part(raw)) // Raw has seen that it is JSON
	_ = o.decode(d.part(raw))
	switch {
	case u.isUser():
		*values = append(*values, u)
	case o.value != "":
		appendText(values, o.value)
		appendText(values, o.child)
	case o.kind == documentType:
		appendText(values, objectText(d, raw))
	default:
		appendText(values, cmp.Or(u.Name, u.Key, o.id))
	}
	return nil
}

// isUser tells users from other things that have names and keys.
func (u User) isUser() bool {
	return u.AccountID != "" || u.DisplayName != "" || u.Email != "" || strings.Contains(u.Self, "/user?")
}

// option is an option of a select list. In a cascading one, the option of the second list is a child of the first's.
type option struct{ id, kind, value, child string }

func (o *option) decode(d *decoding) error {
	return object(d, func(d *decoding, key []byte) error {
		switch string(key) {
		case "id":
			return text(d, &o.id)
		case "type":
			return text(d, &o.kind)
		case "value":
			return text(d, &o.value)
		case "child":
			return object(d, func(d *decoding, key []byte) error {
				if string(key) != "value" {
					return d.Skip()
				}
				return text(d, &o.child)
			})
		default:
			return d.Skip()
		}
	})
}

// sprintString matches how Data Center, and Jira Cloud until 2020, write a sprint: as Java prints an object. The name may
// hold commas, equals signs and brackets, so that only the next key tells its end.
var sprintString = regexp.MustCompile(`^com\.atlassian\.greenhopper\.service\.sprint\.Sprint@[0-9a-f]+\[` +
	`.*?\bname=(.*?),(?:startDate|endDate|completeDate|activatedDate|goal|sequence|synced|autoStartStop)=`)

// maxSprintString is more bytes than Jira has room for in the name and the goal of a sprint.
const maxSprintString = 16 << 10

func sprintName(s string) string {
	if len(s) > maxSprintString { // regular expressions are slow
		return ""
	}
	if match := sprintString.FindStringSubmatch(s); match != nil {
		return match[1]
	}
	return ""
}
