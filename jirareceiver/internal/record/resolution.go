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
func completionBefore(in recordInput, previous, now completion) completion {
	if in.Type.Name == eventIssueCreated {
		return open
	}
	if _, _, isTransition := transition(in.Event); isTransition {
		return previous
	}
	return now
}

// resolutionChange returns issueResolved, issueReopened or "".
//
// The statuses decide if both are clear, because an issue moves from an open to a done status once. A person or a rule
// may set the resolution at another time, or leave it unchanged when work starts again. The resolution decides only if
// a status is unclear, such as a previous status in the language of the site.
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
	case now == complete && !changed && ev.Issue.Resolution == (jira.Named{}): // the workflow has no resolutions
		return issueResolved
	default:
		return ""
	}
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
