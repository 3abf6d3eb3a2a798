// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jiraflowconnector

import (
	"cmp"
	"encoding/binary"
	"hash/crc32"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-jira/collector/jiraflowconnector/internal/aggregate"
	"github.com/otel-jira/collector/jiraflowconnector/internal/attr"
	"github.com/otel-jira/collector/jiraflowconnector/internal/calendar"
	"github.com/otel-jira/collector/jiraflowconnector/internal/flow"
	"github.com/otel-jira/collector/jiraflowconnector/internal/input"
	"github.com/otel-jira/collector/jiraflowconnector/internal/output"
	"github.com/otel-jira/collector/jiraflowconnector/internal/state"
)

// tracker holds the state of all issues, and computes the outputs from it. Its methods may be called concurrently.
type tracker struct {
	cfg     *Config
	rules   *flow.Rules
	limits  stuckLimits
	labels  labeler
	hasLogs bool // outputs become records

	mu      sync.Mutex
	store   *state.Store
	pending map[*state.Issue]settling
	metrics *aggregate.Metrics
}

// settling holds when an issue settles.
type settling struct{ first, due time.Time }

// maxSettling limits how long an issue that changes all the time can postpone its outputs, in settle times.
const maxSettling = 6

// counts are the numbers that the telemetry of the connector needs of a call.
type counts struct{ evicted, late int }

func newTracker(cfg *Config, metrics *aggregate.Metrics) *tracker {
	return &tracker{
		cfg:     cfg,
		rules:   cfg.rules(),
		limits:  newStuckLimits(&cfg.Stuck),
		labels:  newLabeler(cfg.Metrics.Dimensions),
		store:   state.NewStore(cfg.MaxIssues),
		pending: map[*state.Issue]settling{},
		metrics: metrics,
	}
}

func (cfg *Config) rules() *flow.Rules {
	rules := &flow.Rules{
		Start: setOf(cfg.Cycle.Start), End: setOf(cfg.Cycle.End), Active: setOf(cfg.Cycle.Active),
		Between: calendar.Elapsed,
	}
	if cfg.Calendar != nil {
		options, _ := cfg.Calendar.options() // Validate has reported the error
		rules.Between = calendar.New(options).Between
	}
	return rules
}

func setOf(values []string) map[string]bool {
	set := make(map[string]bool, len(values))
	for _, value := range values {
		set[value] = true
	}
	return set
}

// observe adds what a record contains to the state. For a transition, it returns the time in the status before, if it
// is known.
func (t *tracker) observe(o *state.Observation, now time.Time) (before time.Duration, isKnown bool, n counts) {
	t.mu.Lock()
	defer t.mu.Unlock()
	issue, evicted := t.store.FindOrAdd(o.Key)
	for _, old := range evicted {
		t.hurry(old)
	}
	n.evicted = len(evicted)
	differs, isMoved := issue.Observe(o)
	if !differs && !o.HasChange {
		return 0, false, n
	}
	var timeline flow.Timeline
	if isMoved || o.HasChange {
		timeline = issue.Timeline(t.rules)
	}
	if isMoved {
		issue.Summarize(&timeline)
		if o.HasChange && isLate(&timeline, o.Change.At) {
			n.late++
		}
	}
	if differs {
		t.store.Touch(issue)
		t.postpone(issue, now)
	}
	before, isKnown = t.timeBefore(&timeline, o)
	return before, isKnown, n
}

// isLate reports whether the lifecycle record of a later resolution was sent already.
func isLate(timeline *flow.Timeline, at int64) bool {
	for i := range timeline.Moves {
		if m := &timeline.Moves[i]; m.At > at && m.Kind == flow.Resolved && m.Marks&flow.Sent != 0 {
			return true
		}
	}
	return false
}

// timeBefore returns the time in the status before the transition of an observation.
func (t *tracker) timeBefore(timeline *flow.Timeline, o *state.Observation) (time.Duration, bool) {
	if !o.HasChange || o.Change.ID == flow.CreationID {
		return 0, false
	}
	m := timeline.FindChange(o.Change)
	if m == nil || !m.Before.IsKnown {
		return 0, false
	}
	return t.rules.Between(m.Before.Since, m.At), true
}

// postpone lets an issue settle after settle_time, from now on.
func (t *tracker) postpone(issue *state.Issue, now time.Time) {
	s, found := t.pending[issue]
	if !found {
		s.first = now
	}
	s.due = now.Add(t.cfg.SettleTime)
	if latest := s.first.Add(maxSettling * t.cfg.SettleTime); s.due.After(latest) {
		s.due = latest
	}
	t.pending[issue] = s
}

// hurry lets an issue that leaves the state settle with the next call of settle.
func (t *tracker) hurry(issue *state.Issue) {
	if s, found := t.pending[issue]; found {
		s.due = time.Time{}
		t.pending[issue] = s
	}
}

const (
	// maxOutputs is the number of records after which settle and flush stop, so that a batch is not too large.
	maxOutputs = 1000
	// maxSettled is the number of issues after which settle stops, so that records do not wait for it.
	maxSettled = 2000
)

// settle makes the outputs of the issues that have settled: it counts in the metrics, and returns the records to send.
// It stops after some issues, and then hasMore is true. A caller passes the records to accept or to postponeOutputs. If
// isLast, all issues settle.
func (t *tracker) settle(now time.Time, isLast bool) (outputs []output.Output, hasMore bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	settled := 0
	for issue, s := range t.pending {
		if !isLast && now.Before(s.due) {
			continue
		}
		if len(outputs) >= maxOutputs || settled >= maxSettled {
			return outputs, true
		}
		delete(t.pending, issue)
		outputs = append(outputs, t.settleIssue(issue)...)
		settled++
	}
	return outputs, false
}

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
	if m.Marks&flow.Live == 0 && !t.cfg.Metrics.CountBackfill {
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

// sameStayTolerance is the largest difference between two descriptions of the beginning of one stay, in milliseconds.
const sameStayTolerance = int64(time.Minute / time.Millisecond)

// isInSameStay reports whether the issue is in the stay for which the record was sent that it is stuck.
func isInSameStay(issue *state.Issue, s *state.Summary) bool {
	return issue.DeletedAt == 0 && s.IsOpen &&
		(s.Status == issue.Stuck.Status || s.Status.Get().IsSame(issue.Stuck.Status.Get())) &&
		(!s.IsKnown || s.Since <= issue.Stuck.Since+sameStayTolerance)
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

// accept marks outputs as sent.
func (t *tracker) accept(outputs []output.Output) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range outputs {
		out := &outputs[i]
		switch out.Kind {
		case output.KindLifecycle:
			out.Issue.MarkSent(out.Lifecycle.Resolution.Key, out.Sum, out.Revision)
		case output.KindStuck:
			out.Issue.Stuck = out.Stuck // if the issue has moved in the meantime, it settles again and sends the end
		case output.KindUnstuck:
			if out.Issue.Stuck == out.Stuck {
				out.Issue.Stuck = state.Stuck{}
			}
		}
		if t.store.Find(out.Issue.Key) == out.Issue {
			t.store.Touch(out.Issue)
		}
	}
}

// retryDelay is the time after which records that the pipeline has refused are sent again.
const retryDelay = 5 * time.Second

// postponeOutputs lets the issues of outputs settle again, because the pipeline has refused their records.
func (t *tracker) postponeOutputs(outputs []output.Output, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range outputs {
		t.pending[outputs[i].Issue] = settling{first: now, due: now.Add(retryDelay)}
	}
}

// deletedFor is the time for which a deleted issue stays in the state, so that its late records do not bring it back.
const deletedFor = 24 * time.Hour

// flushPages is the number of pages after which flush lets records through.
const flushPages = state.PageCount / 64

// flush computes the gauges, and returns all metrics and the issues that are stuck since the last call. Between two
// parts, the state may change: an issue stays in its page, and counts once.
func (t *tracker) flush(now time.Time, isLast bool) (metrics pmetric.Metrics, outputs []output.Output) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.metrics.ResetGauges()
	for page := 0; page < state.PageCount; page += flushPages {
		outputs = append(outputs, t.flushPart(page, now)...)
		t.mu.Unlock()
		t.mu.Lock()
	}
	return t.metrics.Build(now, isLast), outputs[:min(len(outputs), maxOutputs)]
}

// flushPart adds the issues of some pages to the gauges, and drops the issues that were deleted long ago.
func (t *tracker) flushPart(page int, now time.Time) (outputs []output.Output) {
	var expired []*state.Issue
	millis := now.UnixMilli()
	for issue := range t.store.Pages(page, page+flushPages) {
		if issue.DeletedAt != 0 {
			if _, isPending := t.pending[issue]; !isPending && issue.DeletedAt < now.Add(-deletedFor).UnixMilli() {
				expired = append(expired, issue)
			}
			continue
		}
		if issue.Summary.IsOpen && issue.Summary.Status != (flow.StatusRef{}) {
			if out, exists := t.gauge(issue, millis); exists {
				outputs = append(outputs, out)
			}
		}
	}
	for _, issue := range expired {
		t.store.Remove(issue)
	}
	return outputs
}

// gauge adds an open issue to the gauges, and returns an output if the issue has settled, is stuck, and no record was
// sent of it.
func (t *tracker) gauge(issue *state.Issue, now int64) (out output.Output, exists bool) {
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
	inStatus := t.rules.Between(s.Since, now)
	g.LongestInStatus = max(g.LongestInStatus, inStatus.Seconds())
	limit := t.limits.of(issue)
	if limit == 0 || inStatus < limit {
		return output.Output{}, false
	}
	g.Stuck++
	// A record that has not arrived yet, for example of a back-fill, may show that the issue has moved.
	if _, isPending := t.pending[issue]; isPending || !t.hasLogs || issue.Stuck.At != 0 {
		return output.Output{}, false
	}
	out = output.New(issue, output.KindStuck)
	out.Stuck = state.Stuck{Status: s.Status, Since: s.Since, At: now}
	out.Duration, out.Limit = inStatus, limit
	return out, true
}

// commit records that the pipeline has accepted the metrics of the last flush.
func (t *tracker) commit() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.metrics.Commit()
}

// takeOverflows returns the number of values beyond max_series since the last call.
func (t *tracker) takeOverflows() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.metrics.TakeOverflows()
}

// sizes returns the number of issues, and of the issues that have not settled.
func (t *tracker) sizes() (issues, pending int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.store.Len(), len(t.pending)
}

// onLoad prepares an issue of the storage. Its outputs that a crash has prevented are made when it settles.
func (t *tracker) onLoad(issue *state.Issue, now time.Time) {
	timeline := issue.Timeline(t.rules)
	issue.Summarize(&timeline)
	if hasOutputs(issue, &timeline) {
		t.postpone(issue, now)
	}
}

// hasOutputs reports whether settling the issue may make an output.
func hasOutputs(issue *state.Issue, timeline *flow.Timeline) bool {
	if issue.Stuck.At != 0 && !isInSameStay(issue, &issue.Summary) {
		return true
	}
	for i := range timeline.Moves {
		m := &timeline.Moves[i]
		isLive := m.Marks&flow.Live != 0
		if isLive && m.Marks&flow.Counted == 0 || m.Kind == flow.Resolved && m.Marks&flow.Sent == 0 {
			return true
		}
	}
	return false
}

// consume observes all records. With pass_through, transitions gain the time in the status before.
func (t *tracker) consume(logs plog.Logs, now time.Time, addDurations bool) (read, withoutIssue int, n counts) {
	for _, resource := range logs.ResourceLogs().All() {
		site := input.SiteOf(resource.Resource())
		for _, scope := range resource.ScopeLogs().All() {
			for _, lr := range scope.LogRecords().All() {
				read++
				if input.IsIgnored(lr.EventName()) {
					continue
				}
				o, found := input.Read(lr, site, now)
				if !found {
					withoutIssue++
					continue
				}
				before, isKnown, m := t.observe(&o, now)
				n.evicted += m.evicted
				n.late += m.late
				if addDurations && isKnown {
					lr.Attributes().PutInt(attr.PreviousDuration, int64(before/time.Second))
				}
			}
		}
	}
	return read, withoutIssue, n
}
