package translate

import (
	"cmp"
	"strings"
	"unicode"

	"github.com/otel-jira/collector/jirareceiver/internal/webhook"
)

// displayLine says in one line for people what happened. It names nobody.
func displayLine(name string, ev *webhook.Event) string {
	line := whatHappened(name, ev)
	if ev.Issue == nil {
		return oneLine("Jira: " + line)
	}
	if ev.Issue.Summary != "" {
		line += ": " + ev.Issue.Summary
	}
	return oneLine(ev.Issue.Key + " " + line)
}

// oneLine keeps what people have written from looking like another event, or steering a terminal.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
	}), " ")
}

func whatHappened(name string, ev *webhook.Event) string {
	change, isTransition := transition(ev.Changelog)
	switch {
	case name == eventUnknown:
		return "unknown event"
	case name == eventIssueCreated || name == eventIssueDeleted:
		return words(name)
	case isTransition && change.FromText != "" && change.ToText != "":
		return "moved from " + change.FromText + " to " + change.ToText
	case len(ev.Changelog.Items) > 0:
		return words(name) + " (" + changedFields(ev.Changelog) + ")"
	default:
		return words(name)
	}
}

func changedFields(changelog webhook.Changelog) string {
	fields := make([]string, len(changelog.Items))
	for i, change := range changelog.Items {
		fields[i] = cmp.Or(change.Field, change.FieldID)
	}
	return strings.Join(fields, ", ")
}

var separators = strings.NewReplacer(".", " ", "_", " ")

// words makes jira.comment.created read "comment created", and jira.issue.created, of an issue, "created".
func words(name string) string {
	name = strings.TrimPrefix(name, "jira.")
	name = strings.TrimPrefix(name, "issue.")
	return separators.Replace(name)
}
