// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jiraflowconnector

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"
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

// maxPending limits the issues that wait for their outputs, in max_issues. Issues that have left the state wait too, and
// while the logs pipeline accepts no records, nothing else would limit them.
const maxPending = 2

// hurry lets an issue that leaves the state settle with the next call of settle. If too many issues wait, its outputs
// are lost.
func (t *tracker) hurry(issue *state.Issue) {
	s, found := t.pending[issue]
	if !found {
		return
	}
	if len(t.pending) > maxPending*t.cfg.MaxIssues {
		delete(t.pending, issue)
		return
	}
	s.due = time.Time{}
	t.pending[issue] = s
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
		outputs = append(outputs, t.flushPart(page, now, maxOutputs-len(outputs))...)
		t.mu.Unlock()
		t.mu.Lock()
	}
	return t.metrics.Build(now, isLast), outputs
}

// flushPart adds the issues of some pages to the gauges, and drops the issues that were deleted long ago. It returns a
// limited number of outputs; the next flush makes the others.
func (t *tracker) flushPart(page int, now time.Time, room int) (outputs []output.Output) {
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
			inStatus, limit := t.gauge(issue, millis)
			if limit > 0 && len(outputs) < room && t.hasNewStuck(issue) {
				outputs = append(outputs, stuckOutput(issue, millis, inStatus, limit))
			}
		}
	}
	for _, issue := range expired {
		t.store.Remove(issue)
	}
	return outputs
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

// load adds the issues of a storage.
func (t *tracker) load(ctx context.Context, client storage.Client, now time.Time) (damaged int, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.store.Load(ctx, client, func(issue *state.Issue) { t.onLoad(issue, now) })
}

// save writes the pages that have changed. After an error, the next save writes them again.
func (t *tracker) save(ctx context.Context, client storage.Client) error {
	t.mu.Lock()
	pages := t.store.TakeDirty()
	t.mu.Unlock()
	err := state.Save(ctx, client, pages)
	if err != nil {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.store.ReturnDirty(pages)
	}
	return err
}

// onLoad prepares an issue of the storage. Its outputs that a crash has prevented are made when it settles.
func (t *tracker) onLoad(issue *state.Issue, now time.Time) {
	timeline := issue.Timeline(t.rules)
	issue.Summarize(&timeline)
	if t.hasOutputs(issue, &timeline) {
		t.postpone(issue, now)
	}
}
