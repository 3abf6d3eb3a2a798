package record

import (
	"cmp"
	"regexp"
	"strings"
	"unicode"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
)

// The changes that translation needs to know, by field id.
const (
	fieldStatus     = "status"
	fieldResolution = "resolution"
	fieldKey        = "key"
)

// fieldTypeCustom marks the fields that a site adds to Jira's own.
const fieldTypeCustom = "custom"

// privacy says why a changed value may be left out.
type privacy int

const (
	public privacy = iota
	aboutUser
	isDescription
	isComment
)

// privateFields are Jira's own fields that hold people or free text.
var privateFields = map[string]privacy{
	"assignee":    aboutUser,
	"reporter":    aboutUser,
	"creator":     aboutUser,
	"description": isDescription,
	"environment": isDescription,
	"comment":     isComment,
}

func (t *Translator) putChangelog(w writer, changelog jira.Changelog) {
	w.exact(attrChangelogID, changelog.ID)
	if len(changelog.Items) == 0 {
		return
	}
	if changelog.IsCut {
		w.budget.markCut(attrChangelogFields)
		w.budget.markCut(attrChangelogItems)
	}
	w.list(attrChangelogFields, len(changelog.Items), func(i int) string {
		return w.id(attrChangelogFields, cmp.Or(changelog.Items[i].FieldID, changelog.Items[i].Field))
	})
	items := w.attrs.PutEmptySlice(attrChangelogItems)
	items.EnsureCapacity(len(changelog.Items))
	for _, change := range changelog.Items {
		item := writer{items.AppendEmpty().SetEmptyMap(), w.maxText, w.budget, attrChangelogItems}
		item.attrs.EnsureCapacity(itemKeys)
		item.change(t.redact(change))
	}
}

// appendChanges appends a record for each changed field of an issue, as long as there is room.
func (t *Translator) appendChanges(records plog.LogRecordSlice, event writer, o delivered) (cut int) {
	if o.Changelog.IsCut {
		event.budget.markCut(attrChangeField)
	}
	for i, change := range o.Changelog.Items {
		if *o.left < minRecord {
			event.budget.markCut(attrChangeField)
			break
		}
		if t.appendChange(records, changeUID(o.uid, i), t.redact(change), o) {
			cut++
		}
	}
	return cut
}

// appendChange appends a record of a single change.
func (t *Translator) appendChange(records plog.LogRecordSlice, uid string, change jira.Change, o delivered) (isCut bool) {
	record, w := t.appendRecord(records, EventFieldChanged, uid, changeAttributes, o)
	w.line(record, changeLine(o.Issue, change))
	w.issueIdentity(o)
	w.project(projectOf(o.Event))
	w.exact(attrChangelogID, o.Changelog.ID)
	w.text(attrChangeField, change.Field)
	w.exact(attrChangeFieldID, change.FieldID)
	w.text(attrChangeFrom, change.From)
	w.text(attrChangeFromString, change.FromText)
	w.text(attrChangeTo, change.To)
	w.text(attrChangeToString, change.ToText)
	return w.finish()
}

func (w writer) change(c jira.Change) {
	w.text(keyField, c.Field)
	w.exact(keyFieldID, c.FieldID)
	w.exact(keyFieldType, c.FieldType)
	w.text(keyFrom, c.From)
	w.text(keyFromString, c.FromText)
	w.text(keyTo, c.To)
	w.text(keyToString, c.ToText)
}

// redact leaves out of a change what was not asked for: the names of people, whose ids stay, and whole texts.
func (t *Translator) redact(change jira.Change) jira.Change {
	switch p := privacyOf(change); {
	case p == aboutUser && !t.opts.UserDetails:
		change.From, change.To = onlyIDs(change, change.From), onlyIDs(change, change.To)
		change.FromText, change.ToText = "", ""
	case p == isDescription && !t.opts.Description, p == isComment && !t.opts.CommentBody:
		change.From, change.FromText, change.To, change.ToText = "", "", "", ""
	}
	return change
}

func privacyOf(change jira.Change) privacy {
	if p, listed := privateFields[fieldOf(change)]; listed {
		return p
	}
	if change.OfUser || change.FieldType == fieldTypeCustom && mayNamePeople(change) {
		return aboutUser
	}
	return public
}

// mayNamePeople tells changes of custom fields that may be user pickers, which Jira does not mark, from those that are not:
// ids of options, versions and sprints are numbers.
func mayNamePeople(change jira.Change) bool {
	return mayBeUserID(change.From) || mayBeUserID(change.To) || isUserList(change.FromText) || isUserList(change.ToText)
}

// isUserList recognises [Jane Doe(jdoe)], as Data Center writes fields with several users.
func isUserList(s string) bool {
	return strings.HasPrefix(s, "[") && strings.HasSuffix(s, ")]") && strings.Contains(s, "(")
}

// beginsWithDate matches the values of date fields.
var beginsWithDate = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}`)

func mayBeUserID(value string) bool {
	return strings.ContainsFunc(value, unicode.IsLetter) && !beginsWithDate.MatchString(value)
}

// userIDs matches one or more account ids of Jira Cloud, which have one part more for customers of Jira Service Management, or
// user keys of Data Center since 8.4.
var userIDs = regexp.MustCompile(`^\[?((JIRAUSER\d+|[0-9a-f]{24}|[0-9a-z]+(:[0-9a-f-]{23,36}){1,2})(, )?)+\]?$`)

// maxUserIDs is how many bytes are searched for ids of users: regular expressions are slow. There is room for 300.
const maxUserIDs = 16 << 10

// onlyIDs returns the value of a change if it is nothing but ids of users. Jira's own user fields hold nothing else; custom
// ones hold login names too, as in [jdoe(JIRAUSER10100)].
func onlyIDs(change jira.Change, value string) string {
	if change.FieldType == fieldTypeCustom && (len(value) > maxUserIDs || !userIDs.MatchString(value)) {
		return ""
	}
	return value
}

// previousKey returns the key that the issue had before a move to another project, or "".
func previousKey(changelog jira.Changelog) string {
	change, _ := find(changelog, fieldKey)
	return change.FromText
}

// find looks for a change of one of Jira's own fields: a custom field may have the same name.
func find(changelog jira.Changelog, field string) (jira.Change, bool) {
	for _, change := range changelog.Items {
		if change.FieldType != fieldTypeCustom && fieldOf(change) == field {
			return change, true
		}
	}
	return jira.Change{}, false
}

// fieldOf returns the id of the changed field. Where a body has only the display name, as on Data Center, that is the
// same but for letter case.
func fieldOf(change jira.Change) string {
	name := cmp.Or(change.FieldID, change.Field)
	if len(name) > jira.MaxID { // not a field of Jira's
		return ""
	}
	return strings.ToLower(name)
}
