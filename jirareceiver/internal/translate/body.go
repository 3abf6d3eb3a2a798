package translate

import (
	"cmp"
	"strings"
	"unicode"

	"github.com/otel-jira/collector/jirareceiver/internal/webhook"
)

// displayLine says in one line for people what happened. It names nobody.
func displayLine(k Kind, ev *webhook.Event) string {
	line := whatHappened(k.Name, ev)
	if ev.Issue != nil && ev.Issue.Key != "" {
		return oneLine(ev.Issue.Key + " " + withName(line, ev.Issue.Summary))
	}
	return oneLine("Jira: " + withName(line, subjectName(ev)))
}

func withName(line, name string) string {
	if name == "" {
		return line
	}
	return line + ": " + name
}

// oneLine keeps what people have written from looking like another event, or steering a terminal.
func oneLine(s string) string {
	return strings.Join(strings.Fields(strings.Map(defused, s)), " ")
}

func defused(r rune) rune {
	if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
		return ' '
	}
	return r
}

func whatHappened(name string, ev *webhook.Event) string {
	from, to, isTransition := transition(ev)
	switch {
	case name == eventUnknown:
		return "unknown event"
	case name == eventIssueCreated || name == eventIssueDeleted:
		return words(name)
	case isTransition && from.Name != "" && to.Name != "":
		return "moved from " + from.Name + " to " + to.Name
	case len(ev.Changelog.Items) > 0:
		return words(name) + " (" + changedFields(ev.Changelog) + ")"
	case name == eventVersionMerged && ev.Version != nil && ev.Version.MergedInto.Name != "":
		return words(name) + " into " + ev.Version.MergedInto.Name
	case ev.Version != nil && ev.Version.MergedInto.Name != "":
		return words(name) + ", merged into " + ev.Version.MergedInto.Name
	default:
		return words(name)
	}
}

// subjectName is what people call the thing that the event is about, when it is not about an issue.
func subjectName(ev *webhook.Event) string {
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

func changedFields(changelog webhook.Changelog) string {
	fields := make([]string, len(changelog.Items))
	for i, change := range changelog.Items {
		fields[i] = fieldName(change)
	}
	return strings.Join(fields, ", ")
}

// changeLine says in one line what a single change was, as far as it may be told.
func changeLine(issue *webhook.Issue, change webhook.Change) string {
	line := cmp.Or(issue.Key, "Jira:") + " " + fieldName(change) + " changed"
	from, to := change.FromText, change.ToText
	if privacyOf(change) != aboutUser { // the id of a user may be a login name
		from, to = cmp.Or(from, change.From), cmp.Or(to, change.To)
	}
	if from != "" {
		line += " from " + from
	}
	if to != "" {
		line += " to " + to
	}
	return oneLine(line)
}

func fieldName(change webhook.Change) string { return cmp.Or(change.Field, change.FieldID) }

var separators = strings.NewReplacer(".", " ", "_", " ")

// words makes jira.comment.created read "comment created", and jira.issue.created, of an issue, "created".
func words(name string) string {
	name = strings.TrimPrefix(name, "jira.")
	name = strings.TrimPrefix(name, "issue.")
	return separators.Replace(name)
}
