package record

import (
	"cmp"
	"strings"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
)

// maxLine is how many runes a display line has at most, also where max_text_length allows longer texts.
const maxLine = 4096

// line writes the display line of a record.
func (w writer) line(record plog.LogRecord, line string) {
	record.Body().SetStr(w.take("", clip(oneLine(line), min(w.maxText, maxLine)), jira.MaxText))
}

// displayLine says in one line for people what happened. It names nobody.
func displayLine(k Kind, ev *jira.Event) string {
	line := whatHappened(k.Name, ev)
	if ev.Issue != nil && ev.Issue.Key != "" {
		return joined(ev.Issue.Key, " ", withName(line, ev.Issue.Summary))
	}
	return joined("Jira: ", withName(line, subjectName(ev)))
}

func withName(line, name string) string {
	if name == "" {
		return line
	}
	return joined(line, ": ", name)
}

// joined joins the parts of a display line. A part that is longer than the whole line is cut before it is copied.
func joined(parts ...string) string {
	for i, part := range parts {
		parts[i] = jira.Cut(part, maxLine*utf8.UTFMax)
	}
	return strings.Join(parts, "")
}

// oneLine keeps what people have written from looking like another event, or steering a terminal.
func oneLine(s string) string {
	return strings.Join(strings.Fields(oneLineText(s)), " ")
}

func whatHappened(name string, ev *jira.Event) string {
	from, to, isTransition := transition(ev)
	switch {
	case name == eventUnknown:
		return "unknown event"
	case name == eventIssueCreated || name == eventIssueDeleted:
		return words(name)
	case isTransition && from.Name != "" && to.Name != "":
		return joined("moved from ", from.Name, " to ", to.Name)
	case len(ev.Changelog.Items) > 0:
		return joined(words(name), " (", changedFields(ev.Changelog), ")")
	case name == eventVersionMerged && ev.Version != nil && ev.Version.MergedInto.Name != "":
		return joined(words(name), " into ", ev.Version.MergedInto.Name)
	case ev.Version != nil && ev.Version.MergedInto.Name != "":
		return joined(words(name), ", merged into ", ev.Version.MergedInto.Name)
	default:
		return words(name)
	}
}

// subjectName is what people call the thing that the event is about, when it is not about an issue.
func subjectName(ev *jira.Event) string {
	switch {
	case ev.Attachment != nil:
		return ev.Attachment.Filename
	case ev.IssueLink != nil:
		return ev.IssueLink.Type.Name
	case ev.Property != nil:
		return ev.Property.Key
	case ev.IssueType != nil:
		return ev.IssueType.Name
	case ev.Sprint != nil:
		return ev.Sprint.Name
	case ev.Board != nil:
		return ev.Board.Name
	case ev.Version != nil:
		return ev.Version.Name
	case ev.Filter != nil:
		return ev.Filter.Name
	case ev.Project != nil:
		return cmp.Or(ev.Project.Key, ev.Project.Name)
	default:
		return ""
	}
}

func changedFields(changelog jira.Changelog) string {
	fields := make([]string, len(changelog.Items))
	for i, change := range changelog.Items {
		fields[i] = jira.Cut(fieldName(change), jira.MaxID)
	}
	return strings.Join(fields, ", ")
}

// changeLine says in one line what a single change was, as far as it may be told.
func changeLine(issue *jira.Issue, change jira.Change) string {
	line := joined(cmp.Or(issue.Key, "Jira:"), " ", fieldName(change), " changed")
	from, to := change.FromText, change.ToText
	if privacyOf(change) != aboutUser { // the id of a user may be a login name
		from, to = cmp.Or(from, change.From), cmp.Or(to, change.To)
	}
	if from != "" {
		line = joined(line, " from ", from)
	}
	if to != "" {
		line = joined(line, " to ", to)
	}
	return line
}

func fieldName(change jira.Change) string { return cmp.Or(change.Field, change.FieldID) }

var separators = strings.NewReplacer(".", " ", "_", " ")

// words makes jira.comment.created read "comment created", and jira.issue.created, of an issue, "created".
func words(name string) string {
	name = strings.TrimPrefix(name, "jira.")
	name = strings.TrimPrefix(name, "issue.")
	return separators.Replace(name)
}
