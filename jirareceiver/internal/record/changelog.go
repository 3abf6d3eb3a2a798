// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"cmp"
	"regexp"
	"strings"
	"unicode"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
)

// Ids of the fields whose changes this package interprets.
const (
	fieldStatus     = "status"
	fieldResolution = "resolution"
	fieldKey        = "key"
	fieldFlagged    = "flagged" // a custom field
	fieldWorklogID  = "worklogid"
)

// fieldTypeCustom is the type of the fields that a site has added to Jira's own fields.
const fieldTypeCustom = "custom"

// privacy is the reason why a record may not contain a changed value.
type privacy int

const (
	public privacy = iota
	aboutUser
	isDescription
	isComment
)

// privateFields are Jira's own fields that contain people or free text.
var privateFields = map[string]privacy{
	"assignee":    aboutUser,
	"reporter":    aboutUser,
	"creator":     aboutUser,
	"description": isDescription,
	"environment": isDescription,
	"comment":     isComment,
}

func (w writer) changelog(changelog jira.Changelog) {
	w.putID(attrChangelogID, changelog.ID)
	if len(changelog.Items) == 0 {
		return
	}
	if changelog.IsCut {
		w.budget.markCut(attrChangelogFields)
		w.budget.markCut(attrChangelogItems)
	}
	w.putList(attrChangelogFields, len(changelog.Items), func(i int) string {
		return w.id(attrChangelogFields, cmp.Or(changelog.Items[i].FieldID, changelog.Items[i].Field))
	})
	items := w.attrs.PutEmptySlice(attrChangelogItems)
	items.EnsureCapacity(len(changelog.Items))
	for _, change := range changelog.Items {
		item := w.into(items.AppendEmpty().SetEmptyMap(), attrChangelogItems)
		item.attrs.EnsureCapacity(itemKeys)
		item.changelogItem(w.redact(change))
	}
}

func (w writer) changelogItem(c visibleChange) {
	w.putText(keyField, c.Field)
	w.putID(keyFieldID, c.FieldID)
	w.putID(keyFieldType, c.FieldType)
	w.putText(keyFrom, c.From)
	w.putText(keyFromHash, c.fromHash)
	w.putText(keyFromString, c.FromText)
	w.putText(keyTo, c.To)
	w.putText(keyToHash, c.toHash)
	w.putText(keyToString, c.ToText)
}

// changedField writes the attributes of the record of one changed field.
func (w writer) changedField(c visibleChange) {
	w.putText(attrChangeField, c.Field)
	w.putID(attrChangeFieldID, c.FieldID)
	w.putText(attrChangeFrom, c.From)
	w.putText(attrChangeFromHash, c.fromHash)
	w.putText(attrChangeFromString, c.FromText)
	w.putText(attrChangeTo, c.To)
	w.putText(attrChangeToHash, c.toHash)
	w.putText(attrChangeToString, c.ToText)
}

// visibleChange is a change without the values that the options exclude, and with hashes of the login names in From and
// To.
type visibleChange struct {
	jira.Change
	fromHash, toHash string
}

// redact leaves out what the options exclude: names of people, and texts. Ids of people remain.
func (w writer) redact(change jira.Change) visibleChange {
	switch p := privacyOf(change); {
	case p == aboutUser:
		return w.redactPeople(change)
	case p == isDescription && !w.opts.Description, p == isComment && !w.opts.CommentBody:
		change.From, change.FromText, change.To, change.ToText = "", "", "", ""
	}
	return visibleChange{Change: change}
}

func privacyOf(change jira.Change) privacy {
	if p, listed := privateFields[fieldOf(change)]; listed {
		return p
	}
	if change.OfUser || change.FieldType == fieldTypeCustom && mayContainPII(change) {
		return aboutUser
	}
	return public
}

// mayContainPII reports whether a change of a custom field may contain the name of a person. Jira does not mark changes
// of user pickers. In changes of other fields, the ids of options, versions and sprints are numbers.
func mayContainPII(change jira.Change) bool {
	return mayBeUserID(change.From) || mayBeUserID(change.To) || isUserList(change.FromText) || isUserList(change.ToText)
}

// isUserList reports whether a text has the form [Jane Doe(jdoe)], in which Data Center writes fields with several
// users.
func isUserList(s string) bool {
	return strings.HasPrefix(s, "[") && strings.HasSuffix(s, ")]") && strings.Contains(s, "(")
}

// beginsWithDate matches the values of date fields.
var beginsWithDate = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}`)

func mayBeUserID(value string) bool {
	return strings.ContainsFunc(value, unicode.IsLetter) && !beginsWithDate.MatchString(value) && !areThingIDs(value)
}

// thingIDs matches one or more ids of things that are not people: UUIDs, such as the id of a team, ids of objects of
// Assets, which have a number behind the UUID of their workspace, and resource names of Atlassian. The account ids of
// people have a colon before their UUID.
var thingIDs = regexp.MustCompile(`^\[?((` + uuid + `(:\d+)?|ari:cloud:[a-z-]+:[^:,]*:[a-z-]+/[^,]+)(, ?)?)+\]?$`)

const uuid = `[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`

// userResource is a part of the resource names of people.
const userResource = ":user/"

func areThingIDs(value string) bool {
	return len(value) <= maxUserIDs && thingIDs.MatchString(value) && !strings.Contains(value, userResource)
}

// previousKey returns the key of the issue before a move to another project, or "".
func previousKey(changelog jira.Changelog) string {
	change, _ := findChange(changelog, fieldKey)
	return change.FromText
}

// findChange returns the change of one of Jira's own fields: from the first value to the last one, if the changelog
// contains several steps. It skips custom fields, which may have the same name.
func findChange(changelog jira.Changelog, field string) (change jira.Change, found bool) {
	for _, step := range changelog.Items {
		if step.FieldType == fieldTypeCustom || fieldOf(step) != field {
			continue
		}
		if !found {
			change, found = step, true
		}
		change.To, change.ToText = step.To, step.ToText
	}
	return change, found
}

// fieldOf returns the id of the changed field, in lower case. Bodies of Data Center contain only the display name,
// which equals the id except for letter case.
func fieldOf(change jira.Change) string {
	name := cmp.Or(change.FieldID, change.Field)
	if len(name) > jira.MaxID { // not one of Jira's own fields
		return ""
	}
	return strings.ToLower(name)
}
