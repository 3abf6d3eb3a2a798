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
)

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

// thingFields are Jira's own fields whose values are never people, even if a sender writes names in place of ids.
var thingFields = map[string]bool{fieldStatus: true, fieldResolution: true, fieldKey: true}

// changelog writes the changed fields. It keeps the visible changes for the records of the changed fields, if there are
// such records, because it takes long to find the people in a change.
func (w writer) changelog(changelog jira.Changelog, visible []visibleChange) {
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
	for i, change := range changelog.Items {
		item := w.into(items.AppendEmpty().SetEmptyMap(), attrChangelogItems)
		item.attrs.EnsureCapacity(itemKeys)
		redacted := w.redact(change)
		item.changelogItem(redacted)
		if visible != nil {
			visible[i] = redacted
		}
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
	privacy          privacy
	fromHash, toHash string
}

// redact leaves out what the options exclude: names of people, and texts. Ids of people remain.
func (w writer) redact(change jira.Change) visibleChange {
	p := privacyOf(change)
	switch {
	case p == aboutUser:
		return w.redactPeople(change)
	case p == isDescription && !w.opts.Description, p == isComment && !w.opts.CommentBody:
		change.From, change.FromText, change.To, change.ToText = "", "", "", ""
	}
	return visibleChange{Change: change, privacy: p}
}

func privacyOf(change jira.Change) privacy {
	field := change.FieldKey()
	if p, listed := privateFields[field]; listed {
		return p
	}
	isThing := change.IsOwn() || change.FieldType == "" && thingFields[field]
	if change.OfUser || !isThing && mayContainPII(change) {
		return aboutUser
	}
	return public
}

// mayContainPII reports whether a change of a custom field, or of a field without a type, may contain the name of a
// person. Jira does not mark changes of user pickers. In changes of other fields, the ids of options, versions and
// sprints are numbers.
func mayContainPII(change jira.Change) bool {
	return mayBeUserID(change.From) || mayBeUserID(change.To) || isUserList(change.FromText) || isUserList(change.ToText)
}

// isUserList reports whether a text has the form Jane Doe(jdoe), or is a list of such texts, with or without brackets:
// in these forms Data Center writes fields with several users. Options such as "Berlin (HQ)" have a space before the
// parenthesis, and no brackets.
func isUserList(s string) bool {
	if strings.HasPrefix(s, "[") && strings.HasSuffix(s, ")]") {
		return strings.Contains(s, "(")
	}
	inner, closed := strings.CutSuffix(s, ")")
	start := strings.LastIndexByte(inner, '(')
	return closed && start > 0 && inner[start-1] != ' ' && !strings.ContainsFunc(inner[start:], unicode.IsSpace)
}

// beginsWithDate matches the values of date fields.
var beginsWithDate = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}`)

func mayBeUserID(value string) bool {
	return strings.ContainsFunc(value, unicode.IsLetter) && !beginsWithDate.MatchString(value) && !areIDs(value, isThingID)
}

const (
	// maxIDs is the largest value, in bytes, that is searched for ids. 300 ids fit into it.
	maxIDs = 16 << 10
	// maxThingID is the largest size in bytes of the id of a thing. The longest ones are resource names with two UUIDs.
	maxThingID = 256
)

// areIDs reports whether a value is an id, or a list of ids as Jira writes it, with or without brackets.
func areIDs(value string, isID func(string) bool) bool {
	if value == "" || len(value) > maxIDs {
		return false
	}
	list := strings.TrimSuffix(strings.TrimPrefix(value, "["), "]")
	for entry := range strings.SplitSeq(list, ",") {
		if !isID(strings.TrimPrefix(entry, " ")) {
			return false
		}
	}
	return true
}

// isThingID reports whether a text has the form of an id of a thing that is not a person: a UUID, such as the id of a
// team, the id of an object of Assets, which has a number behind the UUID of its workspace, or a resource name of
// Atlassian. The account ids of people have a colon before their UUID.
func isThingID(s string) bool {
	uuid, number, isObject := strings.Cut(s, ":")
	if jira.IsUUID(uuid) {
		return !isObject || isNumber(number)
	}
	return len(s) <= maxThingID && isThingResource(s)
}

func isNumber(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}

// userResource is a part of the resource names of people.
const userResource = ":user/"

// isThingResource reports whether a text is a resource name of Atlassian, such as ari:cloud:identity::team/ and an id,
// but not that of a person.
func isThingResource(s string) bool {
	path, isResource := strings.CutPrefix(s, "ari:cloud:")
	product, path, hasOwner := strings.Cut(path, ":")
	_, path, hasType := strings.Cut(path, ":")
	resourceType, id, hasID := strings.Cut(path, "/")
	return isResource && hasOwner && hasType && hasID && isResourceName(product) && isResourceName(resourceType) &&
		id != "" && !strings.Contains(s, userResource)
}

func isResourceName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return (r < 'a' || r > 'z') && r != '-' })
}

// previousKey returns the key of the issue before a move to another project, or "".
func previousKey(changelog jira.Changelog) string {
	change, _ := findChange(changelog, fieldKey)
	return change.FromText
}

// findChange returns the change of one of Jira's own fields: from the first value to the last one, if the changelog
// contains several steps. It skips custom fields, which may have the same name.
func findChange(changelog jira.Changelog, field string) (change jira.Change, found bool) {
	for _, item := range changelog.Items {
		if item.IsCustom() || item.FieldKey() != field {
			continue
		}
		if !found {
			change, found = item, true
		}
		change.To, change.ToText = item.To, item.ToText
	}
	return change, found
}
