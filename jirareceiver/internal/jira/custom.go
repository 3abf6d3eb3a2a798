// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jira

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"github.com/go-faster/jx"
)

// customFieldPrefix is the start of the ids of all custom fields.
const customFieldPrefix = "customfield_"

// CustomField is a custom field of an issue.
type CustomField struct {
	ID string // such as customfield_10016
	// Value is a string, float64, bool, [time.Time] or [User], or a []any of these types that is not empty. It is nil if
	// the decoder understands nothing of the value in the body.
	Value any
	// Service is the *SLA, *Approval, *Request or *Satisfaction of a field of Jira Service Management, or nil. A field
	// with an SLA or an approval has no Value.
	Service      any
	IsCut        bool // whether the body contains more than MaxEntries values
	IsUnreadable bool // whether the body contains a value, or a part of a value, that the decoder does not understand
}

// decodeCustomField reads the value of a custom field, and appends the field if it has a value.
func decodeCustomField(d *decoding, id string, fields *[]CustomField) error {
	isArray := d.Next() == jx.Array
	var values fieldValues
	if err := values.append(d); err != nil {
		return err
	}
	field := CustomField{ID: id, Service: values.service, IsCut: values.isCut, IsUnreadable: values.isUnreadable}
	switch {
	case len(values.list) == 1 && !isArray:
		field.Value = values.list[0]
	case len(values.list) > 0:
		field.Value = values.list
	}
	if field.Value != nil || field.Service != nil || field.IsUnreadable {
		*fields = append(*fields, field)
	}
	return nil
}

// fieldValues are the values of a custom field.
type fieldValues struct {
	list         []any
	service      any // as CustomField.Service
	read         int // number of elements of all arrays, including nested arrays
	isCut        bool
	isUnreadable bool
}

// append reads the next value. It appends nothing, one value, or the values of an array or an object.
func (v *fieldValues) append(d *decoding) error {
	switch d.Next() {
	case jx.Object:
		return v.appendObject(d)
	case jx.Array:
		return decodeArray(d, v.appendEntry)
	default:
		isNumber := d.Next() == jx.Number
		value, err := decodeFieldScalar(d)
		v.add(value)
		v.isUnreadable = v.isUnreadable || isNumber && value == nil
		return err
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

func (v *fieldValues) add(value any) {
	if value != nil {
		v.list = append(v.list, value)
	}
}

// decodeFieldScalar reads a string, a number or a truth value. It returns nil for any other value, for the empty string
// and for a number that is too large. Numbers are float64 in all their spellings, as in the database of Jira, so that
// one field has values of one type. A string that is a timestamp becomes a time.
func decodeFieldScalar(d *decoding) (value any, err error) {
	switch d.Next() {
	case jx.Bool:
		return d.Bool()
	case jx.Number:
		var s string
		err = decodeText(d, &s)
		if number, tooLarge := strconv.ParseFloat(s, 64); tooLarge == nil {
			value = number
		}
		return value, err
	default:
		var s string
		err = decodeText(d, &s)
		if sprint, isSprint := parseSprint(s); isSprint {
			s = cmp.Or(sprint.Name, sprint.ID)
		}
		if t := fieldTime(s); !t.IsZero() {
			return t, err
		}
		return textOrNil(s), err
	}
}

// fieldTime returns the time of a timestamp, or the zero time for any other text.
func fieldTime(s string) (t time.Time) {
	const dateAndTime = "2006-01-02T15:04:05Z"
	if len(s) < len(dateAndTime) || len(s) > maxScalar || s[4] != '-' || s[10] != 'T' {
		return t
	}
	return parseTime(s)
}

func textOrNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// appendObject reads an object. It appends a user, the texts of an option and of its children, the text of a document,
// or the value by which people know the object.
func (v *fieldValues) appendObject(d *decoding) error {
	raw, err := d.Raw()
	if err != nil {
		return err
	}
	o := reset(&d.object)
	_ = decodeObject(d.part(raw), o.decodeMember) // cannot fail: Raw has checked the JSON
	switch {
	case v.appendService(o):
	case o.isUser():
		v.add(o.user())
	case o.kind == documentType:
		v.add(textOrNil(markupText(d, raw)))
	default:
		value := o.display()
		v.add(value)
		for _, child := range o.children {
			v.add(child)
		}
		v.isCut = v.isCut || o.isCut
		service := o.service()
		if v.service == nil {
			v.service = service
		}
		v.isUnreadable = v.isUnreadable || value == nil && service == nil && o.hasContent
	}
	return nil
}

// fieldObject is an object in a custom field. Each kind of field has members of its own.
type fieldObject struct {
	User
	hasContent bool // whether the object has a member that may be the value

	option
	serviceObject
	rating      any // of the satisfaction of a customer
	kind        string
	label       string // of an object of Assets
	title       string
	requestType Named     // of a request of Jira Service Management
	data        Reference // of the field Parent Link
	objectKey   string    // of an object of Assets
	id          string

	hasProfile   bool // whether the object has avatars, a time zone or an e-mail address
	hasThingMark bool // whether the object has a member of languages or of objects of Assets
}

func (o *fieldObject) decodeMember(d *decoding, key []byte) (err error) {
	switch string(key) {
	case "hasEpicLinkFieldDependency", "showField", "nonEditableReason": // all that Parent Link has without a parent
		return d.Skip()
	}
	o.hasContent = true
	switch string(key) {
	case "id":
		return decodeText(d, &o.id)
	case "type":
		return decodeText(d, &o.kind)
	case "value", "child":
		return o.option.decodeMember(d, key)
	case "rating":
		o.rating, err = decodeFieldScalar(d)
		return err
	case "label":
		return decodeText(d, &o.label)
	case "title":
		return decodeText(d, &o.title)
	case "requestType":
		return o.requestType.decode(d)
	case "data":
		return o.data.decode(d)
	case "objectKey":
		return decodeText(d, &o.objectKey)
	case "avatarUrls", "timeZone", "email":
		o.hasProfile = true
		return d.Skip()
	case "languageCode", "workspaceId", "objectId", "globalId":
		o.hasThingMark = true
		return d.Skip()
	default:
		if isRead, err := o.serviceObject.decodeMember(d, key); isRead {
			return err
		}
		return o.User.decodeMember(d, key)
	}
}

// option is an option of a select list. In a cascading select list, the option of the next list is a child of the
// option of the list before.
type option struct {
	value    any
	children []any // values of the child, its child and so on
	isCut    bool  // whether there are more than maxChildren
}

// maxChildren is the largest number of options below an option. Lists of Jira have one, and lists of apps a few.
const maxChildren = 20

func (o *option) decodeMember(d *decoding, key []byte) (err error) {
	switch string(key) {
	case "value":
		o.value, err = decodeFieldScalar(d)
		return err
	case "child":
		o.children, o.isCut = nil, false
		return o.decodeChildren(d, 0)
	default:
		return d.Skip()
	}
}

// decodeChildren reads the option of the next list and the options below it. Each option has one place in children,
// because its child may precede its value.
func (o *option) decodeChildren(d *decoding, depth int) error {
	if depth == maxChildren {
		o.isCut = true
		return d.Skip()
	}
	o.children = append(o.children[:depth], nil)
	return decodeObject(d, func(d *decoding, key []byte) (err error) {
		switch string(key) {
		case "value":
			o.children[depth], err = decodeFieldScalar(d)
			return err
		case "child":
			o.children = o.children[:depth+1]
			return o.decodeChildren(d, depth+1)
		default:
			return d.Skip()
		}
	})
}

// isUser reports whether an object is a user. Other objects may have display names, names and keys too. An object about
// which nothing but the display name is known counts as a user, because the name of a person must not become a value.
func (o *fieldObject) isUser() bool {
	if o.AccountID != "" || o.AccountType != "" || o.Email != "" || strings.Contains(o.Self, "/user?") ||
		isUserKey(o.Key) {
		return true
	}
	hasLogin := o.id == "" && (o.Name != "" || o.Key != "") // users have no member id
	hasMark := o.hasProfile || o.Active != nil
	return o.DisplayName != "" && (hasLogin || hasMark || !o.isThing()) || hasLogin && o.Active != nil
}

// isThing reports whether an object with a display name has a mark of objects that are not people: a number as its id,
// as entitlements have, another text by which people know it, or a member that only such objects have.
func (o *fieldObject) isThing() bool {
	return isDigits(o.id) || o.hasThingMark || o.value != nil || o.rating != nil ||
		cmp.Or(o.label, o.Name, o.title, o.requestType.Name, o.data.Key, o.objectKey) != ""
}

// user returns the object as a user. Some senders write the account id as the id of the object.
func (o *fieldObject) user() User {
	if o.AccountID == "" && isAccountID(o.id) {
		o.AccountID = o.id
	}
	return o.User
}

// display returns the value by which people know the object, or its id, or nil.
func (o *fieldObject) display() any {
	if value := cmp.Or(o.value, o.rating); value != nil {
		return value
	}
	return textOrNil(cmp.Or(
		o.label, o.Name, o.title, o.DisplayName, o.requestType.Name, o.data.Key, o.objectKey, o.Key,
		o.data.ID, o.requestType.ID, o.id,
	))
}
