// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jiraflowconnector

import (
	"cmp"
	"encoding/binary"
	"hash/crc32"
	"time"

	"github.com/otel-jira/collector/jiraflowconnector/internal/aggregate"
	"github.com/otel-jira/collector/jiraflowconnector/internal/flow"
	"github.com/otel-jira/collector/jiraflowconnector/internal/output"
	"github.com/otel-jira/collector/jiraflowconnector/internal/state"
)

// settleIssue makes the outputs of an issue that has settled.
func (t *tracker) settleIssue(issue *state.Issue) (outputs []output.Output) {
	timeline := issue.Timeline(t.rules)
	issue.Summarize(&timeline)
	for i := range timeline.Moves {
		t.count(issue, &timeline, i)
		if out, exists := t.lifecycle(issue, &timeline, i); exists {
			outputs = append(outputs, out)
		}
	}
	if out, exists := t.unstuck(issue, &timeline); exists {
		outputs = append(outputs, out)
	}
	return outputs
}

// count adds a move to the metrics, unless they contain it. A duration that is not known yet is added when it is known.
func (t *tracker) count(issue *state.Issue, timeline *flow.Timeline, i int) {
	m := &timeline.Moves[i]
	if !t.isCountable(m) {
		return
	}
	var done flow.Marks
	if m.Marks&flow.Counted == 0 {
		done |= flow.Counted
		t.countMove(issue, m)
	}
	if m.Marks&flow.Timed == 0 && m.Before.IsKnown {
		done |= flow.Timed
		stay := m.Before
		t.metrics.Record(aggregate.TimeInStatus, t.labels.in(issue, stay.Status), t.rules.Between(stay.Since, stay.Until))
	}
	if m.Kind == flow.Resolved && m.Marks&(flow.LeadTimed|flow.CycleTimed) != flow.LeadTimed|flow.CycleTimed {
		done |= t.countLifecycle(issue, timeline, i)
	}
	if done != 0 && issue.Mark(m.Key, done) {
		t.store.Touch(issue)
	}
}

// isCountable reports whether the metrics may contain a move. They contain moves of a back-fill only with count_backfill.
func (t *tracker) isCountable(m *flow.Move) bool {
	return m.Marks&flow.Live != 0 || t.cfg.Metrics.CountBackfill
}

func (t *tracker) countMove(issue *state.Issue, m *flow.Move) {
	if m.IsCreation() {
		t.metrics.Add(aggregate.Created, t.labels.of(issue))
	} else {
		t.metrics.Add(aggregate.Transitions, t.labels.from(issue, m.Before.Status, m.To))
	}
	switch m.Kind {
	case flow.Resolved:
		t.metrics.Add(aggregate.Resolved, t.labels.in(issue, m.To))
	case flow.Reopened:
		t.metrics.Add(aggregate.Reopened, t.labels.of(issue))
	case flow.Plain:
	}
}

func (t *tracker) countLifecycle(issue *state.Issue, timeline *flow.Timeline, i int) (done flow.Marks) {
	l := timeline.Lifecycle(i, t.rules)
	labels := t.labels.in(issue, l.Resolution.To)
	if l.HasLead && l.Resolution.Marks&flow.LeadTimed == 0 {
		done |= flow.LeadTimed
		t.metrics.Record(aggregate.LeadTime, labels, l.Lead)
	}
	if l.HasCycle && l.Resolution.Marks&flow.CycleTimed == 0 {
		done |= flow.CycleTimed
		t.metrics.Record(aggregate.CycleTime, labels, l.Cycle)
	}
	return done
}

// lifecycle returns the record of a resolution, unless it was sent and its numbers are the same.
func (t *tracker) lifecycle(issue *state.Issue, timeline *flow.Timeline, i int) (out output.Output, exists bool) {
	m := &timeline.Moves[i]
	isSent := m.Marks&flow.Sent != 0
	if m.Kind != flow.Resolved || isSent && !t.cfg.Lifecycle.Corrections {
		return output.Output{}, false
	}
	l := timeline.Lifecycle(i, t.rules)
	sum := checksum(&l)
	if !t.hasLogs || !t.cfg.Lifecycle.Enabled {
		if !isSent && issue.MarkSent(m.Key, sum, 0) {
			t.store.Touch(issue)
		}
		return output.Output{}, false
	}
	if isSent && sum == m.Sum {
		return output.Output{}, false
	}
	out = output.New(issue, output.KindLifecycle)
	out.Lifecycle, out.Sum = l, sum
	if isSent {
		out.Revision = min(m.Revision, maxRevision-1) + 1
	}
	return out, true
}

const maxRevision = 255

// checksum returns a number that differs if a number of the lifecycle differs.
func checksum(l *flow.Lifecycle) uint32 {
	numbers := []int64{
		int64(l.Lead / time.Second), int64(l.Cycle / time.Second), int64(l.Active / time.Second),
		int64(l.Waiting / time.Second), int64(l.Reopenings),
	}
	for _, spent := range l.Statuses {
		numbers = append(numbers, int64(spent.Time/time.Second), int64(spent.Visits))
	}
	var content []byte
	for _, n := range numbers {
		content = binary.AppendVarint(content, n)
	}
	for _, spent := range l.Statuses {
		content = append(content, spent.Status.ID+"\x00"+spent.Status.Mapped+"\x00"...)
	}
	for _, reason := range l.Incomplete {
		content = append(content, reason...)
	}
	return crc32.ChecksumIEEE(content)
}

func (t *tracker) unstuck(issue *state.Issue, timeline *flow.Timeline) (out output.Output, exists bool) {
	if issue.Stuck.At == 0 || isInSameStay(issue, &issue.Summary) {
		return output.Output{}, false
	}
	if !t.hasLogs {
		issue.Stuck = state.Stuck{}
		t.store.Touch(issue)
		return output.Output{}, false
	}
	out = output.New(issue, output.KindUnstuck)
	out.LeftAt = leftAt(issue, timeline)
	out.Duration = t.rules.Between(issue.Stuck.Since, out.LeftAt)
	return out, true
}

// sameStayTolerance is the largest difference between two descriptions of the beginning of one stay, in milliseconds.
const sameStayTolerance = int64(time.Minute / time.Millisecond)

// isInSameStay reports whether the issue is in the stay for which the record was sent that it is stuck.
func isInSameStay(issue *state.Issue, s *state.Summary) bool {
	return issue.DeletedAt == 0 && s.IsOpen &&
		(s.Status == issue.Stuck.Status || s.Status.Get().IsSame(issue.Stuck.Status.Get())) &&
		(!s.IsKnown || s.Since <= issue.Stuck.Since+sameStayTolerance)
}

// leftAt returns the time at which the issue left the status in which it was stuck.
func leftAt(issue *state.Issue, timeline *flow.Timeline) int64 {
	stuckIn := issue.Stuck.Status.Get()
	for i := range timeline.Moves {
		if m := &timeline.Moves[i]; m.At > issue.Stuck.Since && m.Before.Status.IsSame(stuckIn) {
			return m.At
		}
	}
	return cmp.Or(issue.DeletedAt, timeline.Current.Since, issue.LastChange)
}

// gauge adds an open issue to the gauges. It returns the time in the status, and its limit if the issue is stuck.
func (t *tracker) gauge(issue *state.Issue, now int64) (inStatus, exceeded time.Duration) {
	s := &issue.Summary
	g := t.metrics.Gauge(t.labels.open(issue))
	g.Open++
	if issue.Assigned.At != 0 && !issue.Assigned.Is {
		g.Unassigned++
	}
	if issue.Flagged.Is {
		g.Flagged++
	}
	if !s.IsCreation {
		g.CreationUnseen++
	}
	if s.Created != 0 {
		g.OldestAge = max(g.OldestAge, t.rules.Between(s.Created, now).Seconds())
	}
	inStatus = t.rules.Between(s.Since, now)
	g.LongestInStatus = max(g.LongestInStatus, inStatus.Seconds())
	limit := t.limits.of(issue)
	if limit == 0 || inStatus < limit {
		return inStatus, 0
	}
	g.Stuck++
	return inStatus, limit
}

// hasNewStuck reports whether a record of an issue that is stuck is due. A record that has not arrived yet, for example
// of a back-fill, may show that the issue has moved.
func (t *tracker) hasNewStuck(issue *state.Issue) bool {
	_, isPending := t.pending[issue]
	return t.hasLogs && !isPending && issue.Stuck.At == 0
}

func stuckOutput(issue *state.Issue, now int64, inStatus, limit time.Duration) output.Output {
	out := output.New(issue, output.KindStuck)
	out.Stuck = state.Stuck{Status: issue.Summary.Status, Since: issue.Summary.Since, At: now}
	out.Duration, out.Limit = inStatus, limit
	return out
}

// hasOutputs reports whether settling the issue may make an output.
func (t *tracker) hasOutputs(issue *state.Issue, timeline *flow.Timeline) bool {
	if issue.Stuck.At != 0 && !isInSameStay(issue, &issue.Summary) {
		return true
	}
	for i := range timeline.Moves {
		m := &timeline.Moves[i]
		if t.isCountable(m) && m.Marks&flow.Counted == 0 || m.Kind == flow.Resolved && m.Marks&flow.Sent == 0 {
			return true
		}
	}
	return false
}
