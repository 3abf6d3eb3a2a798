// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jiraflowconnector

import (
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/golden"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-jira/collector/jiraflowconnector/internal/attr"
	"github.com/otel-jira/collector/jiraflowconnector/internal/flow"
)

const hour = time.Hour

// choose returns the values of some metrics.
func choose(values map[string]string, prefixes ...string) map[string]string {
	values = maps.Clone(values)
	maps.DeleteFunc(values, func(name, _ string) bool {
		return !slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix+" ") })
	})
	return values
}

// TestSenders covers one change that several senders report.
func TestSenders(t *testing.T) {
	postFunction := event{
		name: attr.EventIssueTransitioned, issue: "42", at: hour + 2*time.Second, source: "post_function",
		from: flow.Status{Name: "To Do", Mapped: "planned"}, to: flow.Status{Name: "In Progress", Mapped: "processing"},
	}
	rule := event{
		name: "jira.automation.triggered", issue: "42", at: hour + 5*time.Second, source: "automation",
		changelog: 11, from: todo, to: progress,
	}
	snapshot := event{
		name: "jira.automation.triggered", issue: "42", at: hour + 6*time.Second, source: "automation",
		to: progress,
	}
	split := event{name: attr.EventFieldChanged, issue: "42", at: hour, changelog: 11}
	webhook := moved("42", hour, 11, todo, progress)
	r := newRig(t, nil)
	r.start()
	r.consume(created("42", 0, todo), postFunction)
	r.settle()
	r.consume(webhook, rule, snapshot, split)
	r.consume(moved("42", hour-3*time.Millisecond, 11, todo, progress).by("poll"))
	r.settle()
	r.shutdown()
	assert.Equal(t, map[string]string{"jira.issue.transitions processing planned Task OPS": "1"},
		choose(r.values(), "jira.issue.transitions"))
	assert.Equal(t, "1", r.values()["jira.issue.open processing Task OPS"])
}

// TestStartOfCycle covers statuses that the receiver maps to processing without a mapping of the user: Open and Reopened.
func TestStartOfCycle(t *testing.T) {
	open := flow.Status{ID: "1", Name: "Open", Mapped: "processing"}
	reopened := flow.Status{ID: "4", Name: "Reopened", Mapped: "processing"}
	rest := func(first flow.Status) []event {
		return []event{
			moved("42", 4*hour, 11, first, progress), moved("42", 10*hour, 12, progress, done),
			moved("42", 12*hour, 13, done, reopened), moved("42", 13*hour, 14, reopened, progress),
			moved("42", 15*hour, 15, progress, done),
		}
	}
	for _, tt := range []struct {
		name     string
		creation event
		cycles   []any // of both resolutions, in hours
		active   []any
	}{
		{"created in Open", created("42", 0, open).with(attr.StatusCategory, "new"), []any{6, 11}, []any{6, 9}},
		{"back-filled", created("42", 0, open).with(attr.StatusCategory, "new").by("backfill"), []any{6, 11}, []any{6, 9}},
		{"created in progress", created("42", 0, review).with(attr.StatusCategory, "indeterminate"), []any{10, 15}, []any{10, 13}},
		{"created in an unknown category", created("42", 0, open), []any{10, 15}, []any{10, 13}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, nil)
			r.start()
			r.consume(rest(tt.creation.to)...)
			r.consume(tt.creation)
			r.shutdown()
			var cycles, active []any
			for _, lr := range r.records(attr.EventLifecycle) {
				cycles = append(cycles, int(lr.Attributes().AsRaw()[attr.CycleTime].(int64)/3600))
				active = append(active, int(lr.Attributes().AsRaw()[attr.ActiveTime].(int64)/3600))
			}
			assert.Equal(t, tt.cycles, cycles)
			assert.Equal(t, tt.active, active, "the cycle goes on in Reopened")
		})
	}
	t.Run("never started", func(t *testing.T) {
		r := newRig(t, nil)
		r.start()
		r.consume(created("42", 0, open).with(attr.StatusCategory, "new"), moved("42", hour, 11, open, done))
		r.shutdown()
		assert.NotContains(t, r.records(attr.EventLifecycle)[0].Attributes().AsRaw(), attr.CycleTime)
	})
}

func TestBackfill(t *testing.T) {
	var backfill []event
	for _, e := range life() {
		backfill = append(backfill, e.by("backfill"))
	}
	t.Run("changes the state only", func(t *testing.T) {
		r := newRig(t, nil)
		r.start()
		r.consume(backfill...)
		r.settle()
		r.consume(moved("42", 20*hour, 17, done, progress))
		r.shutdown()
		assert.Len(t, r.records(attr.EventLifecycle), 2, "records contain their time")
		assert.Equal(t, map[string]string{
			"jira.issue.transitions processing done Task OPS": "1",
			"jira.issue.reopened Task OPS":                    "1",
			"jira.issue.time_in_status done Task OPS":         "1 in 18000",
		}, choose(r.values(), "jira.issue.created", "jira.issue.resolved", "jira.issue.reopened",
			"jira.issue.transitions", "jira.issue.time_in_status", "jira.issue.lead_time"))
	})
	t.Run("counts with the option", func(t *testing.T) {
		r := newRig(t, func(cfg *Config) { cfg.Metrics.CountBackfill = true })
		r.start()
		r.consume(backfill...)
		r.shutdown()
		assert.Equal(t, "2", r.values()["jira.issue.resolved done Task OPS"])
	})
	t.Run("completes issues that were seen late", func(t *testing.T) {
		r := newRig(t, func(cfg *Config) { cfg.Lifecycle.Corrections = true })
		r.start()
		r.consume(life()[4])
		r.settle()
		r.consume(backfill...)
		r.settle()
		r.shutdown()
		records := r.records(attr.EventLifecycle)
		require.Len(t, records, 3)
		before, after := records[0].Attributes().AsRaw(), records[1].Attributes().AsRaw()
		assert.Equal(t, before[attr.UID], after[attr.UID])
		assert.Equal(t, false, before[attr.Complete])
		assert.Equal(t, []any{"creation_not_seen"}, before[attr.IncompleteReasons])
		assert.NotContains(t, before, attr.CycleTime, "not guessed")
		assert.Equal(t, int64(10*3600), before[attr.LeadTime])
		assert.Equal(t, true, after[attr.Complete])
		assert.Equal(t, int64(1), after[attr.Revision])
		assert.Equal(t, int64(9*3600), after[attr.CycleTime])
		assert.Equal(t, "1 in 32400", r.values()["jira.issue.cycle_time done Task OPS"], "counted when it is known")
	})
}

func TestDeletedIssue(t *testing.T) {
	deleted := event{name: attr.EventIssueDeleted, issue: "42", at: 4 * hour, to: progress}
	r := newRig(t, nil)
	r.start()
	r.consume(life()[:2]...)
	r.consume(deleted)
	r.settle()
	r.consume(life()[0])
	r.flush()
	assert.Empty(t, choose(r.values(), "jira.issue.open"), "a late record does not bring the issue back")
	r.wait(2 * 24 * hour)
	r.flush()
	issues, _ := r.core.tracker.sizes()
	assert.Zero(t, issues)
	r.shutdown()
}

func TestMovedIssue(t *testing.T) {
	r := newRig(t, nil)
	r.start()
	r.consume(life()[:2]...)
	r.flush()
	toWeb := event{name: "jira.issue.updated", issue: "42", at: 2 * hour, to: progress}.
		with(attr.ProjectKey, "WEB").with(attr.IssueKey, "WEB-7")
	r.consume(toWeb)
	r.flush()
	assert.Equal(t, map[string]string{
		"jira.issue.open processing Task OPS": "0", "jira.issue.open processing Task WEB": "1",
	}, choose(r.values(), "jira.issue.open"), "the group without issues shows 0")
	r.consume(moved("42", 3*hour, 12, progress, done).with(attr.ProjectKey, "WEB").with(attr.IssueKey, "WEB-7"))
	r.shutdown()
	records := r.records(attr.EventLifecycle)
	require.Len(t, records, 1)
	assert.Equal(t, "WEB-7", records[0].Attributes().AsRaw()[attr.IssueKey])
	assert.Equal(t, true, records[0].Attributes().AsRaw()[attr.Complete])
}

func TestRecordsWithoutIssue(t *testing.T) {
	r := newRig(t, nil)
	r.start()
	r.consume(event{name: attr.EventFieldChanged, issue: "41", to: progress})
	issues, _ := r.core.tracker.sizes()
	assert.Zero(t, issues, "the update of the issue contains the changed field")
	r.consume(event{name: "jira.sprint.started"}, event{name: "jira.issue.updated"}.with(attr.IssueID, nil))
	thin := event{name: "jira.attachment.created", issue: "42"}.with(attr.CreatedAt, nil).with(attr.ProjectKey, nil).
		with(attr.IssueTypeName, nil).with(attr.IssueKey, nil)
	r.consume(thin)
	r.flush()
	assert.Empty(t, r.values(), "an issue without a status is not in the metrics")
	r.shutdown()
}

func TestPassThrough(t *testing.T) {
	r := newRig(t, func(cfg *Config) { cfg.PassThrough = true })
	r.start()
	comment := event{name: "jira.comment.created", issue: "42", at: 2 * hour, to: progress}
	r.consume(append(life()[:3], comment, event{name: "jira.sprint.started"})...)
	var durations []any
	for _, lr := range r.logs.AllLogs()[0].ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
		durations = append(durations, lr.Attributes().AsRaw()[attr.PreviousDuration])
	}
	assert.Equal(t, []any{nil, int64(3600), int64(2 * 3600), nil, nil}, durations)
	r.shutdown()

	refusing := newRig(t, func(cfg *Config) { cfg.PassThrough = true })
	refusing.startWith(consumertest.NewErr(errors.New("full")), nil)
	assert.EqualError(t, refusing.logsInput.ConsumeLogs(t.Context(), logsOf(life()...)), "full")
	refusing.shutdown()
}

// TestRefused covers a pipeline that refuses records and takes them later.
func TestRefused(t *testing.T) {
	r := newRig(t, func(cfg *Config) { cfg.Metrics.Temporality = Delta })
	var refusal error
	logs := consumerOf(func(l plog.Logs) error {
		if refusal != nil {
			return refusal
		}
		return r.logs.ConsumeLogs(t.Context(), l)
	})
	refusal = errors.New("queue is full")
	r.startWith(logs, r.metrics)
	r.consume(life()...)
	r.settle()
	assert.Empty(t, r.records(attr.EventLifecycle))
	refusal = nil
	r.settle()
	assert.Len(t, r.records(attr.EventLifecycle), 2)

	refusal = consumererror.NewPermanent(errors.New("too old"))
	r.consume(moved("42", 16*hour, 17, done, progress), moved("42", 17*hour, 18, progress, done))
	r.settle()
	refusal = nil
	r.settle()
	assert.Len(t, r.records(attr.EventLifecycle), 2, "it would be refused again")
	r.shutdown()
}

func TestDelta(t *testing.T) {
	r := newRig(t, func(cfg *Config) { cfg.Metrics.Temporality = Delta })
	r.start()
	r.consume(life()...)
	r.settle()
	r.flush()
	assert.Equal(t, "2", r.values()["jira.issue.resolved done Task OPS"])
	assert.Equal(t, "2 in 90000", r.values()["jira.issue.lead_time done Task OPS"])
	r.metrics.Reset()
	r.wait(time.Minute)
	r.consume(moved("42", 16*hour, 17, done, progress))
	r.settle()
	r.flush()
	values := choose(r.values(), "jira.issue.created", "jira.issue.resolved", "jira.issue.reopened",
		"jira.issue.lead_time", "jira.issue.cycle_time", "jira.issue.time_in_status")
	assert.Equal(t, map[string]string{
		"jira.issue.reopened Task OPS": "1", "jira.issue.time_in_status done Task OPS": "1 in 3600",
	}, values)
	sum := r.metrics.AllMetrics()[0].ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics()
	for _, metric := range sum.All() {
		if metric.Type() == pmetric.MetricTypeSum {
			assert.Equal(t, pmetric.AggregationTemporalityDelta, metric.Sum().AggregationTemporality())
			point := metric.Sum().DataPoints().At(0)
			assert.Equal(t, time.Minute+r.cfg.SettleTime+time.Second,
				point.Timestamp().AsTime().Sub(point.StartTimestamp().AsTime()))
		}
	}
	r.shutdown()
}

func TestDimensions(t *testing.T) {
	r := newRig(t, func(cfg *Config) { cfg.Metrics.Dimensions = []string{attr.StatusName, attr.PriorityName, attr.SiteURL} })
	r.start()
	r.consume(life()[:2]...)
	r.shutdown()
	assert.Equal(t, map[string]string{"jira.issue.open High processing In Progress " + site: "1"},
		choose(r.values(), "jira.issue.open"))
}

func TestMaxSeries(t *testing.T) {
	r := newRig(t, func(cfg *Config) { cfg.Metrics.MaxSeries = 2 })
	r.start()
	for _, project := range []string{"A", "B", "C", "D"} {
		r.consume(created(project, 0, todo).with(attr.ProjectKey, project))
	}
	r.shutdown()
	sum := choose(r.values(), "jira.issue.open")
	assert.Len(t, sum, 3)
	assert.Equal(t, "2", sum["jira.issue.open true"], "the series of all further projects")
}

func TestMaxIssues(t *testing.T) {
	r := newRig(t, func(cfg *Config) { cfg.MaxIssues = 3 })
	r.start()
	r.consume(created("open", 0, todo))
	r.consume(life()...) // resolved at 15 h
	r.consume(created("43", 0, todo), moved("43", 20*hour, 11, todo, done))
	r.consume(created("44", 21*hour, todo))
	tracker := r.core.tracker
	assert.Equal(t, 3, tracker.store.Len())
	var ids []string
	for issue := range tracker.store.All() {
		ids = append(ids, issue.Key.ID)
	}
	slices.Sort(ids)
	assert.Equal(t, []string{"43", "44", "open"}, ids, "the issue that was resolved first has gone")
	r.shutdown()
	assert.Len(t, r.records(attr.EventLifecycle), 3, "also of the issue that had to go")
}

// TestPendingIssues covers issues that leave the state while the pipeline refuses their records.
func TestPendingIssues(t *testing.T) {
	r := newRig(t, func(cfg *Config) { cfg.MaxIssues = 10 })
	r.startWith(consumerOf(func(plog.Logs) error { return errors.New("queue is full") }), nil)
	for n := range 100 {
		id := strconv.Itoa(n)
		r.consume(created(id, 0, todo), moved(id, hour, 11, todo, done))
		r.settle()
	}
	_, pending := r.core.tracker.sizes()
	assert.Greater(t, pending, r.cfg.MaxIssues, "issues that have left the state still wait for their records")
	assert.LessOrEqual(t, pending, maxPending*r.cfg.MaxIssues+1, "not without limit")
	r.shutdown()
}

func TestCalendar(t *testing.T) {
	r := newRig(t, func(cfg *Config) {
		cfg.Calendar = &CalendarConfig{TimeZone: "UTC", Weekdays: defaultWeekdays, Hours: defaultHours}
	})
	r.start()
	r.consume(life()...)
	r.shutdown()
	lifecycle := r.records(attr.EventLifecycle)[0].Attributes().AsRaw()
	assert.Equal(t, int64(8*3600), lifecycle[attr.LeadTime], "09:00 to 17:00")
	assert.Equal(t, int64(7*3600), lifecycle[attr.CycleTime])
	assert.Equal(t, int64(3*3600), lifecycle[attr.WaitingTime])
}

// TestRecordsOfTheReceiver reads the records that the receiver makes of the life of an issue.
func TestRecordsOfTheReceiver(t *testing.T) {
	files, err := filepath.Glob("../testdata/life/*.yaml")
	require.NoError(t, err)
	require.Len(t, files, 7)
	r := newRig(t, func(cfg *Config) { cfg.PassThrough = true })
	r.start()
	for _, file := range files {
		logs, err := golden.ReadLogs(file)
		require.NoError(t, err)
		require.NoError(t, r.logsInput.ConsumeLogs(t.Context(), logs))
	}
	r.settle()
	r.shutdown()
	records := r.records(attr.EventLifecycle)
	require.Len(t, records, 1)
	lifecycle := records[0].Attributes().AsRaw()
	assert.Equal(t, true, lifecycle[attr.Complete])
	scope := r.logs.AllLogs()[len(r.logs.AllLogs())-1].ResourceLogs().At(0).ScopeLogs().At(0).Scope()
	assert.Equal(t, map[string]any{attr.JiraSchemaVersion: attr.SchemaVersion}, scope.Attributes().AsRaw())
	assert.Equal(t, int64(286185), lifecycle[attr.LeadTime], "the lead time that the receiver computes")
	var moves []any
	for _, lr := range r.records("jira.issue.updated") {
		moves = append(moves, lr.Attributes().AsRaw()[attr.PreviousDuration])
	}
	assert.Equal(t, []any{nil, int64(89143), int64(102529), int64(94512)}, moves, "assigned, then moved three times")
}

// TestAllRecordsOfTheReceiver reads the records of all example bodies. None of them may be harmful.
func TestAllRecordsOfTheReceiver(t *testing.T) {
	files, err := filepath.Glob("../testdata/*/*.yaml")
	require.NoError(t, err)
	require.Greater(t, len(files), 100)
	r := newRig(t, nil)
	r.start()
	for _, file := range files {
		if strings.Contains(file, "config") {
			continue
		}
		logs, err := golden.ReadLogs(file)
		require.NoError(t, err, file)
		require.NoError(t, r.logsInput.ConsumeLogs(t.Context(), logs))
	}
	r.shutdown()
}
