package record

import (
	"cmp"
	"time"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
	"github.com/otel-jira/collector/jirareceiver/internal/status"
)

// The values of jira.issue.resolution.change.
const (
	issueResolved = "resolved"
	issueReopened = "reopened"
)

// completion is whether a status means that there is nothing left to do.
type completion int

const (
	unclear completion = iota // neither its mapped value nor its category says
	open
	complete
)

// completions are by mapped value. The words of a configuration say nothing: they may mean anything.
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

// completionBefore is of the status before the event. All that is created was open: an issue that is created done is resolved
// by that.
func completionBefore(o delivered, previousMapped string, now completion) completion {
	if o.Kind.Name == eventIssueCreated {
		return open
	}
	if _, _, isTransition := transition(o.Event); isTransition {
		return completionOf(previousMapped, "")
	}
	return now
}

// resolutionChange returns issueResolved, issueReopened or "". The statuses decide, because an issue goes from one to the other
// once, while its resolution is set by hand or by a rule at another time, or is left as it was when work begins again. Only
// where a status is unclear, as the previous one of a site in another language, the resolution does.
func resolutionChange(ev *jira.Event, before, now completion) string {
	if before != unclear && now != unclear {
		return betweenStatuses(before, now)
	}
	change, changed := find(ev.Changelog, fieldResolution)
	from, to := cmp.Or(change.From, change.FromText), cmp.Or(change.To, change.ToText)
	switch {
	case now != open && from == "" && to != "":
		return issueResolved
	case now != complete && from != "" && to == "":
		return issueReopened
	case now == complete && !changed && ev.Issue.Resolution == (jira.Named{}): // its workflow has no resolutions
		return issueResolved
	default:
		return ""
	}
}

func betweenStatuses(before, now completion) string {
	switch {
	case before == now:
		return ""
	case now == complete:
		return issueResolved
	default:
		return issueReopened
	}
}

// putDurations writes how old the issue is, and how long it took if the event resolves it.
func (w writer) putDurations(o delivered, change string) {
	at := EventTime(o.Event, o.delivery.Received)
	w.seconds(attrIssueAge, o.Issue.Created, at)
	if change == issueResolved {
		w.seconds(attrIssueLeadTime, o.Issue.Created, resolvedAt(o, at))
	}
}

// resolvedAt is the time of the event, unless the event itself tells another: an issue that comes from elsewhere was
// resolved before it was created here. A resolution date of before the event was left over from an earlier resolution.
func resolvedAt(o delivered, at time.Time) time.Time {
	if _, changed := find(o.Changelog, fieldResolution); changed || o.Kind.Name == eventIssueCreated {
		return cmp.Or(o.Issue.Resolved, at)
	}
	return at
}
