// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package poll

import (
	"slices"
	"time"
)

// margin is the time by which a run starts earlier than the overlap asks for, because the clocks of the nodes of Jira
// differ, and because the search index of Data Center may store less than milliseconds.
const margin = time.Minute

// instant is one moment on two clocks.
type instant struct {
	Jira      time.Time `json:"jira"`
	Collector time.Time `json:"collector"`
}

// add returns the moment after a time on both clocks.
func (i instant) add(d time.Duration) instant { return instant{i.Jira.Add(d), i.Collector.Add(d)} }

// ahead returns the time by which Jira's clock is ahead of the collector's.
func (i instant) ahead() time.Duration { return i.Jira.Sub(i.Collector) }

// run is a reading of all issues that changed since a bound.
type run struct {
	Start instant   `json:"start,omitzero"` // of the first attempt; zero for a back-fill
	From  time.Time `json:"from"`           // bound, on Jira's clock
	To    time.Time `json:"to,omitzero"`    // end of a back-fill, exclusive; zero for no end
	Until time.Time `json:"until,omitzero"` // end of any other run, exclusive; zero for no end
	Mark  mark      `json:"mark,omitzero"`
	// HasDeleted means that the deleted worklogs were handed on.
	HasDeleted bool `json:"has_deleted,omitempty"`
	// HandedOn are the uids of a back-fill that were handed on and whose issues are not behind the mark. The uid set holds
	// the uids of other runs.
	HandedOn map[string]bool `json:"handed_on,omitempty"`
}

func (r *run) isBackfill() bool { return !r.To.IsZero() }

// end returns the time before which the events of the run are.
func (r *run) end() time.Time {
	switch {
	case r.isBackfill():
		return r.To
	case !r.Until.IsZero():
		return r.Until
	default:
		return endOfTime
	}
}

// endOfTime is after all times that JSON can contain.
var endOfTime = time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)

// bound returns the earliest time on Jira's clock of a change that the complete run which started at the cursor may
// have missed. The starts are those of the runs since shownUntil. If Jira's clock has jumped between two of them, the
// changes in between have times before or after the jump.
func bound(cursor instant, starts []instant, overlap time.Duration) time.Time {
	return shownUntil(cursor, overlap).Add(leastAhead(starts))
}

// leastAhead returns the least time by which Jira's clock was ahead of the collector's.
func leastAhead(starts []instant) time.Duration {
	ahead := starts[0].ahead()
	for _, start := range starts {
		ahead = min(ahead, start.ahead())
	}
	return ahead
}

// until returns the latest time on Jira's clock of a change that happened before a start less the grace. If Jira's clock
// has gone back since, the change has a time of the clock before.
func until(start instant, starts []instant, grace time.Duration) time.Time {
	ahead := start.ahead()
	for _, earlier := range starts {
		ahead = max(ahead, earlier.ahead())
	}
	return start.Collector.Add(ahead - grace)
}

// shownUntil returns the time on the collector's clock before which the search index showed all changes at the cursor.
func shownUntil(cursor instant, overlap time.Duration) time.Time {
	return cursor.Collector.Add(-overlap - margin)
}

// startsSince returns the starts after a time on the collector's clock, and the last one before.
func startsSince(starts []instant, at time.Time) []instant {
	for len(starts) > 1 && !starts[1].Collector.After(at) {
		starts = starts[1:]
	}
	return starts
}

// mark is a position in the order of creation.
type mark struct {
	Created time.Time `json:"created"`
	// Issues are the ids of the issues that were read, and were created less than markMargin before Created.
	Issues []markedIssue `json:"issues,omitempty"`
}

type markedIssue struct {
	ID      string    `json:"id"`
	Created time.Time `json:"created"`
}

// markMargin is the time by which the order of creation may be wrong: the search index may store seconds.
const markMargin = 2 * time.Second

// advance moves the mark to an issue.
func (m *mark) advance(issue markedIssue) {
	if issue.Created.After(m.Created) {
		m.Created = issue.Created
		m.Issues = slices.DeleteFunc(slices.Clone(m.Issues), func(i markedIssue) bool { return m.isBefore(i.Created) })
	}
	if !m.isBefore(issue.Created) {
		m.Issues = append(m.Issues, issue)
	}
}

func (m *mark) isBefore(created time.Time) bool { return created.Before(m.Created.Add(-markMargin)) }

// covers reports whether an issue was read before the mark.
func (m *mark) covers(issue markedIssue) bool {
	return !issue.Created.IsZero() && m.isBefore(issue.Created) ||
		slices.ContainsFunc(m.Issues, func(i markedIssue) bool { return i.ID == issue.ID })
}

// createdFrom returns the lower bound of the time of creation for a search that goes on from the mark.
func (m *mark) createdFrom() time.Time {
	if m.Created.IsZero() {
		return time.Time{}
	}
	return m.Created.Add(-margin)
}
