// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jira

import (
	"bytes"
	"regexp"
	"slices"
	"time"

	"github.com/go-faster/jx"
)

// Issue is the issue of an event. Issue events contain the whole issue, other events a few of its fields.
type Issue struct {
	ID, Key, Self string

	Summary          string
	Description      string // wiki markup, or the text of a document
	Labels           Names
	Components       Names
	FixVersions      Names
	AffectedVersions Names
	Created          time.Time
	Updated          time.Time
	Resolved         time.Time
	DueDate          string // YYYY-MM-DD
	Type             Named
	Status           Status
	CategorySince    time.Time // time at which the issue came into the category of its status
	Priority         Named
	Resolution       Named
	SecurityLevel    Named
	Parent           Reference
	Links            Links
	Subtasks         References
	Assignee         User
	Reporter         User
	Creator          User
	Project          Project
	CustomFields     []CustomField // requested custom fields that have a value, in the order of the body

	// The values of Jira Software. They are in custom fields whose ids differ from site to site.
	Sprints   SprintRefs
	IsFlagged bool // whether the field Flagged contains an impediment

	sprintField, flagField string     // ids of the custom fields with Sprints and IsFlagged
	history                *Changelog // last change of the issue, in the format of Jira's REST API
}

// SoftwareFields returns the ids of the custom fields that contain the sprints and the flag, or "" for a field without a
// value.
func (i *Issue) SoftwareFields() (sprints, flag string) { return i.sprintField, i.flagField }

// Regular expressions for keys and ids that stand alone in a body, for example because a person has written them.
var (
	issueKey   = regexp.MustCompile(`^[A-Z][A-Z0-9_]+-\d+$`)
	projectKey = regexp.MustCompile(`^[A-Z][A-Z0-9_]+$`)
	digits     = regexp.MustCompile(`^\d+$`)
)

// issueWith returns an issue with only a key or an id, or nil if the text is neither.
func issueWith(keyOrID string) *Issue {
	switch {
	case len(keyOrID) > MaxID: // regular expressions are slow
		return nil
	case issueKey.MatchString(keyOrID):
		return &Issue{Key: keyOrID}
	case digits.MatchString(keyOrID):
		return &Issue{ID: keyOrID}
	default:
		return nil
	}
}

// decodeIssue reads an issue. Some senders write only its key or its id.
func (dec *Decoder) decodeIssue(d *decoding, target **Issue) error {
	if d.Next() != jx.Object {
		var s string
		err := decodeText(d, &s)
		*target = issueWith(s)
		return err
	}
	return decodeObject(d, dec.issueMember(reset(target)))
}

func (dec *Decoder) issueMember(i *Issue) memberDecoder {
	return func(d *decoding, key []byte) error {
		switch string(key) {
		case "id":
			return decodeText(d, &i.ID)
		case "key":
			return decodeText(d, &i.Key)
		case "self":
			return decodeText(d, &i.Self)
		case "changelog":
			return decodePointer(d, &i.history, (*Changelog).decodeMember)
		case "fields":
			*i = Issue{ID: i.ID, Key: i.Key, Self: i.Self, history: i.history}
			return decodeObject(d, dec.issueField(i))
		default:
			return d.Skip()
		}
	}
}

func (dec *Decoder) issueField(i *Issue) memberDecoder {
	return func(d *decoding, key []byte) error {
		switch string(key) {
		case "summary":
			return decodeText(d, &i.Summary)
		case "description":
			return decodeMarkup(d, &i.Description)
		case "labels":
			return decodeNames(d, &i.Labels)
		case "components":
			return decodeNames(d, &i.Components)
		case "fixVersions":
			return decodeNames(d, &i.FixVersions)
		case "versions":
			return decodeNames(d, &i.AffectedVersions)
		case "created":
			return decodeTime(d, &i.Created)
		case "updated":
			return decodeTime(d, &i.Updated)
		case "resolutiondate":
			return decodeTime(d, &i.Resolved)
		case "duedate":
			return decodeDate(d, &i.DueDate)
		case "issuetype":
			return i.Type.decode(d)
		case "status":
			return i.Status.decode(d)
		case "statuscategorychangedate":
			return decodeTime(d, &i.CategorySince)
		case "priority":
			return i.Priority.decode(d)
		case "resolution":
			return i.Resolution.decode(d)
		case "security":
			return i.SecurityLevel.decode(d)
		case "parent":
			return i.Parent.decode(d)
		case "issuelinks":
			return i.Links.decode(d)
		case "subtasks":
			return i.Subtasks.decode(d)
		case "assignee":
			return i.Assignee.decode(d)
		case "reporter":
			return i.Reporter.decode(d)
		case "creator":
			return i.Creator.decode(d)
		case "project":
			return i.Project.decode(d)
		default:
			return dec.customField(d, key, i)
		}
	}
}

// customField reads a field if the configuration names it, and the fields of Jira Software, which are arrays.
func (dec *Decoder) customField(d *decoding, key []byte, i *Issue) error {
	if !bytes.HasPrefix(key, []byte(customFieldPrefix)) {
		return d.Skip()
	}
	i.forgetField(key)
	isRequested := dec.customFields[string(key)]
	if d.Next() != jx.Array {
		if !isRequested {
			return d.Skip()
		}
		return decodeCustomField(d, string(key), &i.CustomFields)
	}
	array, err := d.Raw()
	if err != nil {
		return err
	}
	i.softwareField(d, key, array)
	if isRequested {
		err = decodeCustomField(d.part(array), string(key), &i.CustomFields)
	}
	return err
}

// forgetField removes the value of an earlier member with the same key, which does not count.
func (i *Issue) forgetField(key []byte) {
	i.CustomFields = slices.DeleteFunc(i.CustomFields, func(f CustomField) bool { return f.ID == string(key) })
	if i.sprintField == string(key) {
		i.Sprints, i.sprintField = SprintRefs{}, ""
	}
	if i.flagField == string(key) {
		i.IsFlagged, i.flagField = false, ""
	}
}

// softwareField reads the array of a custom field if it contains sprints, or the impediment of a flag.
func (i *Issue) softwareField(d *decoding, key []byte, array jx.Raw) {
	if i.sprintField == "" {
		if i.Sprints = decodeSprints(d, array); len(i.Sprints.List) > 0 {
			i.sprintField = d.texts.copy(key)
		}
	}
	if i.flagField == "" && hasImpediment(d, array) {
		i.IsFlagged, i.flagField = true, d.texts.copy(key)
	}
}

// impediment is the only option of the field Flagged. Sites may translate it, and then only the changelog shows a flag.
const impediment = "Impediment"

// hasImpediment reports whether an array of options contains the impediment.
func hasImpediment(d *decoding, array jx.Raw) (found bool) {
	if !bytes.Contains(array, []byte(`"`+impediment+`"`)) {
		return false
	}
	_ = decodeArray(d.part(array), func(d *decoding) error { // cannot fail: the caller has checked the JSON
		return decodeObject(d, func(d *decoding, key []byte) error {
			if string(key) != "value" {
				return d.Skip()
			}
			var value string
			err := decodeText(d, &value)
			found = found || value == impediment
			return err
		})
	})
	return found
}

// Status is the status of an issue.
type Status struct {
	Named
	Category string // key of the status category: new, indeterminate, done or undefined
}

// decode reads a status. Some senders write only its name, as a string.
func (s *Status) decode(d *decoding) error {
	if d.Next() == jx.String {
		*s = Status{}
		return decodeText(d, &s.Name)
	}
	return decodeInto(d, s, (*Status).decodeMember)
}

func (s *Status) decodeMember(d *decoding, key []byte) error {
	if string(key) != "statusCategory" {
		return s.Named.decodeMember(d, key)
	}
	s.Category = ""
	return decodeObject(d, func(d *decoding, key []byte) error {
		if string(key) != "key" {
			return d.Skip()
		}
		return decodeText(d, &s.Category)
	})
}

// Reference identifies another issue.
type Reference struct{ ID, Key string }

// decode reads a reference. Some senders write only the key or the id of the issue.
func (r *Reference) decode(d *decoding) error {
	if d.Next() != jx.Object {
		*r = Reference{}
		var s string
		err := decodeText(d, &s)
		if i := issueWith(s); i != nil {
			*r = Reference{ID: i.ID, Key: i.Key}
		}
		return err
	}
	return decodeInto(d, r, (*Reference).decodeMember)
}

func (r *Reference) decodeMember(d *decoding, key []byte) error {
	switch string(key) {
	case "id":
		return decodeText(d, &r.ID)
	case "key":
		return decodeText(d, &r.Key)
	default:
		return d.Skip()
	}
}

// References are the references to a list of issues.
type References struct {
	List  []Reference
	IsCut bool // whether the body contains more than MaxEntries references
}

func (r *References) decode(d *decoding) error {
	*r = References{}
	return decodeEntries(d, &r.IsCut, func(d *decoding) error {
		var reference Reference
		err := reference.decode(d)
		if reference != (Reference{}) {
			r.List = append(r.List, reference)
		}
		return err
	})
}
