// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"cmp"
	"strings"
	"unicode/utf8"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
)

// maxLine is the largest length of a display line in runes, even if max_text_length allows longer texts.
const maxLine = 4096

// displayLine returns one line that describes the event to people, such as "OPS-1 created: Deploy". It contains no
// names of people. Comments of Data Center and worklogs do not contain the key of their issue, only its id.
func displayLine(et EventType, ev *jira.Event) string {
	line := actionPhrase(et.Name, ev)
	if ev.Issue != nil && ev.Issue.Key != "" {
		return join(ev.Issue.Key, " ", withTitle(line, ev.Issue.Summary))
	}
	about := "Jira: "
	if ev.Issue != nil && ev.Issue.ID != "" {
		about = join("Issue ", jira.Cut(ev.Issue.ID, jira.MaxID), ": ")
	}
	return join(about, withTitle(line, subjectTitle(ev)))
}

func withTitle(line, title string) string {
	if title == "" {
		return line
	}
	return join(line, ": ", title)
}

// join joins the parts of a display line. It cuts each part to the length of a whole line before it copies the part.
func join(parts ...string) string {
	for i, part := range parts {
		parts[i] = jira.Cut(part, maxLine*utf8.UTFMax)
	}
	return strings.Join(parts, "")
}

// collapseSpace replaces all white space with single spaces and removes control characters, so that a text that people
// have written can neither look like another event nor steer a terminal.
func collapseSpace(s string) string {
	return strings.Join(strings.Fields(stripControl(s)), " ")
}

// actionPhrase returns the part of a display line that describes the change, such as "moved from To Do to Done".
func actionPhrase(name string, ev *jira.Event) string {
	from, to, isTransition := transition(ev)
	switch {
	case name == eventUnknown:
		return "unknown event"
	case name == eventIssueCreated || name == eventIssueDeleted:
		return words(name)
	case isTransition && from.Name != "" && to.Name != "":
		return join("moved from ", from.Name, " to ", to.Name)
	case len(ev.Changelog.Items) > 0:
		return join(words(name), " (", changedFields(ev.Changelog), ")")
	case name == eventVersionMerged && ev.Version != nil && ev.Version.MergedInto.Name != "":
		return join(words(name), " into ", ev.Version.MergedInto.Name)
	case ev.Version != nil && ev.Version.MergedInto.Name != "":
		return join(words(name), ", merged into ", ev.Version.MergedInto.Name)
	default:
		return words(name)
	}
}

// subjectTitle returns the title of the event's first subject that has one, or "".
func subjectTitle(ev *jira.Event) string {
	for subject := range ev.Subjects {
		if title := subject.Title(); title != "" {
			return title
		}
	}
	return ""
}

func changedFields(changelog jira.Changelog) string {
	fields := make([]string, len(changelog.Items))
	for i, change := range changelog.Items {
		fields[i] = jira.Cut(fieldName(change), jira.MaxID)
	}
	return strings.Join(fields, ", ")
}

// changeLine returns one line that describes a changed field to people.
func changeLine(issue *jira.Issue, change visibleChange) string {
	line := join(cmp.Or(issue.Key, "Jira:"), " ", fieldName(change.Change), " changed")
	from, to := change.FromText, change.ToText
	if change.privacy != aboutUser { // the id of a user may be a login name
		from, to = cmp.Or(from, change.From), cmp.Or(to, change.To)
	}
	if from != "" {
		line = join(line, " from ", from)
	}
	if to != "" {
		line = join(line, " to ", to)
	}
	return line
}

func fieldName(change jira.Change) string { return cmp.Or(change.Field, change.FieldID) }

var separators = strings.NewReplacer(".", " ", "_", " ")

// words returns the words of an event name: "comment created" for jira.comment.created, and "created" for
// jira.issue.created.
func words(name string) string {
	name = strings.TrimPrefix(name, "jira.")
	name = strings.TrimPrefix(name, "issue.")
	return separators.Replace(name)
}
