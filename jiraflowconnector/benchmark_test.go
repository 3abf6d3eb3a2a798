// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jiraflowconnector

import (
	"maps"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"golang.org/x/sys/unix"

	"github.com/otel-jira/collector/jiraflowconnector/internal/attr"
	"github.com/otel-jira/collector/jiraflowconnector/internal/flow"
)

// benchmarkIssues is the number of open issues. FLOW_ISSUES=200000 gives the figures of docs/flow.md.
var benchmarkIssues = func() int {
	if n, err := strconv.Atoi(os.Getenv("FLOW_ISSUES")); err == nil {
		return n
	}
	return 10_000
}()

// path is the way of an open issue in the benchmarks: created and moved five times.
var path = []flow.Status{todo, progress, blocked, progress, review, progress}

// benchmarkLife returns the records of an open issue, with a comment at the end. The issues are in 50 projects and have
// 5 types.
func benchmarkLife(i int) []event {
	issue := strconv.Itoa(1_000_000 + i)
	at := time.Duration(i) * time.Second
	events := []event{created(issue, at, todo)}
	for step, from := range path[:len(path)-1] {
		at += hour
		events = append(events, moved(issue, at, 10*i+step+1, from, path[step+1]))
	}
	events = append(events, event{name: "jira.comment.created", issue: issue, at: at + hour, to: progress})
	more := attributesOf(i)
	for e := range events {
		events[e].more = more
	}
	return events
}

func attributesOf(i int) map[string]any {
	project := "P" + strconv.Itoa(i%50)
	return map[string]any{
		attr.ProjectKey: project, attr.IssueTypeName: "Type " + strconv.Itoa(i%5), attr.IssueKey: project + "-" + strconv.Itoa(i),
	}
}

// usualAttributes are the other attributes that a usual record has.
var usualAttributes = map[string]any{
	attr.AssigneeID: "712020:9c8b7a69-5847-4635", attr.UID: "7ab7c02aa6eb89c4fe864ab3340f0249",
	"jira.webhook.event": "jira:issue_updated", "jira.webhook.issue_event_type": "issue_generic",
	"jira.webhook.id": "5f3c1d8e-0b6a-4f27-9c4e-2d7a8b9c0d1e", "user.id": "712020:9c8b7a69-5847-4635",
	attr.URL: "https://acme.atlassian.net/browse/OPS-42", "jira.issue.summary": "Deploy payment service",
	"jira.issue.type.id": "10003", "jira.issue.priority.id": "2", "jira.issue.labels": []any{"release", "payments"},
	"jira.issue.updated_at": "2026-03-03T09:01:11.009Z", "jira.issue.reporter.id": "557058:1f2e3d4c",
	"jira.issue.creator.id": "557058:1f2e3d4c", "jira.project.id": "10010", "jira.project.name": "Operations",
	"jira.issue.status.category": "indeterminate", "jira.issue.age_seconds": 89144,
	"jira.changelog.fields": []any{"status"},
}

// newBenchmark returns a connector with the open issues, which have settled.
func newBenchmark(b *testing.B, calendar *CalendarConfig) *rig {
	b.Helper()
	cfg := createDefaultConfig().(*Config)
	cfg.MaxIssues = 2 * benchmarkIssues
	cfg.Stuck.Limits = map[string]time.Duration{"processing": 10_000 * hour}
	cfg.Calendar = calendar
	r := &rig{
		cfg: cfg, host: componenttest.NewNopHost(), clock: start.Add(100 * 24 * hour),
		telemetry: componenttest.NewTelemetry(),
	}
	c, err := newCore(nopSettings(r), cfg, r.now)
	if err != nil {
		b.Fatal(err)
	}
	c.setLogs(consumertest.NewNop())
	c.metrics = consumertest.NewNop()
	r.core = c
	for i := range benchmarkIssues {
		c.tracker.consume(logsOf(benchmarkLife(i)...), r.clock, false)
	}
	r.clock = r.clock.Add(time.Minute)
	c.settle(b.Context(), false)
	return r
}

// cpuTime is the CPU time of the process, which other programs on the machine do not change. It includes the garbage
// collection.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &ts); err != nil {
		b.Fatal(err)
	}
	return time.Duration(ts.Nano())
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// BenchmarkFlow measures all parts with the same issues: the memory, a record from its arrival to its save, a flush, and
// a start.
func BenchmarkFlow(b *testing.B) {
	before := heap()
	r := newBenchmark(b, nil)
	storage := newMemoryStorage()
	memory := float64(heap() - before)
	if err := r.core.tracker.save(b.Context(), storage); err != nil {
		b.Fatal(err)
	}
	b.Run("memory", func(b *testing.B) {
		for b.Loop() {
		}
		b.ReportMetric(memory/float64(benchmarkIssues), "B/issue")
	})
	b.Run("record", func(b *testing.B) { benchmarkRecords(b, r) })
	b.Run("flush", func(b *testing.B) { benchmarkFlush(b, r) })
	b.Run("flush with a calendar", func(b *testing.B) {
		calendar := &CalendarConfig{TimeZone: "Europe/Berlin", Weekdays: defaultWeekdays, Hours: defaultHours}
		rules := r.core.tracker.rules
		r.core.tracker.rules = (&Config{Cycle: r.cfg.Cycle, Calendar: calendar}).rules()
		benchmarkFlush(b, r)
		r.core.tracker.rules = rules
	})
	b.Run("load", func(b *testing.B) { benchmarkLoad(b, r, storage) })
}

// benchmarkRecords measures transitions of the issues, one after the other. A batch settles and is saved.
func benchmarkRecords(b *testing.B, r *rig) {
	b.Helper()
	const batch = 1000
	n := 0
	next := func() plog.Logs {
		logs := plog.NewLogs()
		for range batch {
			i := n * 7919 % benchmarkIssues
			from, to := progress, review
			if n/benchmarkIssues%2 == 1 {
				from, to = review, progress
			}
			e := moved(strconv.Itoa(1_000_000+i), 80*24*hour+time.Duration(n)*time.Second, 1<<40+n, from, to)
			e.more = attributesOf(i)
			maps.Copy(e.more, usualAttributes)
			logsOf(e).ResourceLogs().MoveAndAppendTo(logs.ResourceLogs())
			n++
		}
		return logs
	}
	var total time.Duration
	measure := func(part func()) time.Duration {
		begin := cpuTime(b)
		part()
		d := cpuTime(b) - begin
		total += d
		return d
	}
	var consume, settle, encode time.Duration
	rounds := 0
	for b.Loop() {
		logs := next()
		consume += measure(func() { r.core.tracker.consume(logs, r.clock, false) })
		r.clock = r.clock.Add(time.Minute)
		settle += measure(func() { r.core.settle(b.Context(), false) })
		encode += measure(func() { r.core.tracker.store.TakeDirty() })
		rounds++
	}
	perRecord := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / float64(rounds*batch) }
	b.ReportMetric(perRecord(consume), "consume-cpu-ns/record")
	b.ReportMetric(perRecord(settle), "settle-cpu-ns/record")
	b.ReportMetric(perRecord(encode), "save-cpu-ns/record")
	b.ReportMetric(perRecord(total), "cpu-ns/record")
}

func benchmarkFlush(b *testing.B, r *rig) {
	b.Helper()
	begin := cpuTime(b)
	for b.Loop() {
		r.core.flush(b.Context(), false)
	}
	b.ReportMetric(float64((cpuTime(b)-begin).Milliseconds())/float64(b.N), "cpu-ms/op")
}

// benchmarkLoad measures the decoding and the timelines of all issues. The storage is in memory.
func benchmarkLoad(b *testing.B, r *rig, storage *memoryStorage) {
	b.Helper()
	size := 0
	for _, page := range storage.values {
		size += len(page)
	}
	begin := cpuTime(b)
	for b.Loop() {
		tracker := newTracker(r.cfg, r.core.tracker.metrics)
		tracker.hasLogs = true
		if _, err := tracker.load(b.Context(), storage, r.clock); err != nil {
			b.Fatal(err)
		}
		if issues, pending := tracker.sizes(); issues != benchmarkIssues || pending != 0 {
			b.Fatal(issues, pending)
		}
	}
	b.ReportMetric(float64((cpuTime(b)-begin).Milliseconds())/float64(b.N), "cpu-ms/op")
	b.ReportMetric(float64(size)/float64(benchmarkIssues), "stored-B/issue")
}
