// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"cmp"
	"time"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
	"github.com/otel-jira/collector/jirareceiver/internal/status"
)

// Values of the attribute jira.issue.resolution.change.
const (
	issueResolved = "resolved"
	issueReopened = "reopened"
)

// completion states whether a status means that no work is left.
type completion int

const (
	unclear completion = iota // neither the mapped value nor the category of the status decides
	open
	complete
)

// completions holds the completion of the built-in mapped values. A configuration may define other values, whose
// meaning is unknown.
var completions = map[string]completion{
	status.Planned:    open,
	status.Ready:      open,
	status.Processing: open,
	status.Canceled:   complete,
	status.Done:       complete,
}

func completionOf(mapped, category string) completion {
	return cmp.Or(completions[mapped], completions[status.ByCategory(category)])
}

// completionBefore returns the completion before the event, given the completion of the previous status and of the
// current status. An issue counts as open before its creation, so that an issue that is created in a done status is
// resolved by its creation.
func completionBefore(in recordInput, previous completion, current jira.Status, now completion) completion {
	_, _, isTransition := transition(in.Event)
	switch {
	case in.Type.Name == eventIssueCreated:
		return open
	case !isTransition:
		return now
	default:
		return cmp.Or(previous, completionByCategory(in, current))
	}
}

// maxCategoryDelay is the largest time between a change of the status category and the time of its event.
const maxCategoryDelay = time.Minute

// completionByCategory returns the completion of a previous status that nothing maps. Jira sends no category of the
// previous status, but Jira Cloud sends the time of the last change of the category: if the change is older than the
// event, the previous status has the category of the current status. Otherwise it has another category, which is not
// done if the current category is done.
func completionByCategory(in recordInput, current jira.Status) completion {
	since := in.Issue.CategorySince
	category := completionOf("", current.Category)
	switch {
	case since.IsZero() || category == unclear:
		return unclear
	case EventTime(in.Event, in.delivery.Received).Sub(since) > maxCategoryDelay:
		return category
	case category == complete:
		return open
	default:
		return unclear
	}
}

// resolutionChange returns issueResolved, issueReopened or "".
//
// The statuses decide if both are clear, because an issue moves from an open to a done status once. A person or a rule
// may set the resolution at another time, or leave it unchanged when work starts again. The resolution decides only if
// a status is unclear, such as a previous status in the language of the site.
//
// In a workflow without resolutions, a move to a done status resolves the issue although its previous status is unclear.
// A move between two done statuses then counts again. Without this rule, sites with translated statuses, and workflows
// without resolutions, would have no resolved issues at all, and moves between done statuses are rare. An administrator
// corrects the count by a mapping of the previous status. No mapping can correct the count if the body contains no
// previous status, so that such a move does not count.
func resolutionChange(ev *jira.Event, before, now completion) string {
	if before != unclear && now != unclear {
		return completionChange(before, now)
	}
	change, changed := findChange(ev.Changelog, fieldResolution)
	from, to := cmp.Or(change.From, change.FromText), cmp.Or(change.To, change.ToText)
	switch {
	case now != open && from == "" && to != "":
		return issueResolved
	case now != complete && from != "" && to == "":
		return issueReopened
	case now == complete && !changed && hasPreviousStatus(ev) && ev.Issue.Resolution == (jira.Named{}):
		return issueResolved
	default:
		return ""
	}
}

func hasPreviousStatus(ev *jira.Event) bool {
	previous, _, _ := transition(ev)
	return previous != (jira.Named{})
}

func completionChange(before, now completion) string {
	switch {
	case before == now:
		return ""
	case now == complete:
		return issueResolved
	default:
		return issueReopened
	}
}

// durations writes the age of the issue and, if the event resolves the issue, its lead time.
func (w writer) durations(in recordInput, change string) {
	at := EventTime(in.Event, in.delivery.Received)
	w.putSeconds(attrIssueAge, in.Issue.Created, at)
	if change == issueResolved {
		w.putSeconds(attrIssueLeadTime, in.Issue.Created, resolvedAt(in, at))
	}
}

// resolvedAt returns the resolution date if the event sets it or creates the issue, otherwise the time of the event. An
// imported issue may have been resolved before it was created in this Jira. A resolution date that the event does not
// set is left over from an earlier resolution.
func resolvedAt(in recordInput, at time.Time) time.Time {
	if _, changed := findChange(in.Changelog, fieldResolution); changed || in.Type.Name == eventIssueCreated {
		return cmp.Or(in.Issue.Resolved, at)
	}
	return at
}
