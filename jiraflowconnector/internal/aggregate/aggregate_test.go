// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-jira/collector/jiraflowconnector/internal/attr"
	"github.com/otel-jira/collector/jiraflowconnector/internal/state"
)

var begin = time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC)

func newMetrics(isDelta bool, maxSeries int) *Metrics {
	return New(Options{
		IsDelta: isDelta, Buckets: []float64{60, 3600}, MaxSeries: maxSeries, Start: begin,
		Scope: func(scope pcommon.InstrumentationScope) { scope.SetName("test") },
	})
}

func ops(mapped string) Labels {
	return Labels{Site: state.TextOf("https://a"), Project: state.TextOf("OPS"), Mapped: state.TextOf(mapped), HasMapped: true}
}

// find returns a metric of the first resource.
func find(t *testing.T, metrics pmetric.Metrics, name string) pmetric.Metric {
	t.Helper()
	for _, metric := range metrics.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().All() {
		if metric.Name() == name {
			return metric
		}
	}
	require.Fail(t, "no metric "+name)
	return pmetric.Metric{}
}

func TestHistogram(t *testing.T) {
	m := newMetrics(false, 10)
	for _, d := range []time.Duration{0, time.Minute, time.Minute + time.Second, time.Hour, 2 * time.Hour} {
		m.Record(LeadTime, ops("done"), d)
	}
	m.Build(begin.Add(time.Minute), false)
	metric := find(t, m.Build(begin.Add(2*time.Minute), false), "jira.issue.lead_time")
	assert.Equal(t, "s", metric.Unit())
	assert.Equal(t, pmetric.AggregationTemporalityCumulative, metric.Histogram().AggregationTemporality())
	point := metric.Histogram().DataPoints().At(0)
	assert.Equal(t, []uint64{2, 2, 1}, point.BucketCounts().AsRaw(), "a bound belongs to the bucket below it")
	assert.Equal(t, []float64{60, 3600}, point.ExplicitBounds().AsRaw())
	assert.InDelta(t, 10921.0, point.Sum(), 0)
	assert.Equal(t, begin, point.StartTimestamp().AsTime())
}

// TestFirstValue covers backends that compute the increase over an earlier value.
func TestFirstValue(t *testing.T) {
	m := newMetrics(false, 10)
	m.Add(Created, ops(""))
	value := func(isLast bool) int64 {
		metric := find(t, m.Build(begin.Add(time.Minute), isLast), "jira.issue.created")
		return metric.Sum().DataPoints().At(0).IntValue()
	}
	assert.EqualValues(t, 0, value(false))
	assert.EqualValues(t, 1, value(false))

	m = newMetrics(false, 10)
	m.Add(Created, ops(""))
	assert.EqualValues(t, 1, value(true))
}

// TestDeltaWithoutCommit covers a pipeline that refuses the metrics.
func TestDeltaWithoutCommit(t *testing.T) {
	m := newMetrics(true, 10)
	m.Record(CycleTime, ops("done"), time.Minute)
	m.Add(Resolved, ops("done"))
	m.Build(begin.Add(time.Minute), false)
	m.Add(Resolved, ops("done"))
	metrics := m.Build(begin.Add(2*time.Minute), false)
	point := find(t, metrics, "jira.issue.resolved").Sum().DataPoints().At(0)
	assert.EqualValues(t, 2, point.IntValue())
	assert.Equal(t, begin, point.StartTimestamp().AsTime())
	m.Add(Resolved, ops("done"))
	m.Commit()
	metrics = m.Build(begin.Add(3*time.Minute), false)
	point = find(t, metrics, "jira.issue.resolved").Sum().DataPoints().At(0)
	assert.EqualValues(t, 1, point.IntValue())
	assert.Equal(t, begin.Add(2*time.Minute), point.StartTimestamp().AsTime())
	assert.Empty(t, m.histograms[CycleTime], "no new value")
}

func TestOverflow(t *testing.T) {
	m := newMetrics(true, 1)
	m.Add(Created, ops("a"))
	m.Add(Created, ops("b"))
	m.Add(Created, ops("c"))
	m.Gauge(ops("a")).Open++
	m.Gauge(ops("b")).Open++
	assert.EqualValues(t, 3, m.TakeOverflows())
	assert.Zero(t, m.TakeOverflows())
	metrics := m.Build(begin.Add(time.Minute), false)
	points := find(t, metrics, "jira.issue.created").Sum().DataPoints()
	values := map[string]int64{}
	for _, point := range points.All() {
		_, isOverflow := point.Attributes().Get("otel.metric.overflow")
		values[map[bool]string{true: "overflow", false: "series"}[isOverflow]] += point.IntValue()
	}
	assert.Equal(t, map[string]int64{"series": 1, "overflow": 2}, values)
}

func TestSites(t *testing.T) {
	m := newMetrics(true, 10)
	other := ops("done")
	other.Site, other.HasSite = state.TextOf("https://b"), true
	m.Add(Created, ops(""))
	m.Add(Created, other)
	m.Add(Created, Labels{HasMapped: true, HasPrevious: true})
	metrics := m.Build(begin, false)
	assert.Equal(t, 3, metrics.ResourceMetrics().Len())
	for i, want := range []map[string]any{
		{attr.StatusMapped: attr.Unmapped, attr.PreviousMapped: attr.Unmapped},
		{attr.ProjectKey: "OPS", attr.StatusMapped: attr.Unmapped},
		{attr.SiteURL: "https://b", attr.ProjectKey: "OPS", attr.StatusMapped: "done"},
	} {
		metric := metrics.ResourceMetrics().At(i).ScopeMetrics().At(0).Metrics().At(0)
		assert.Equal(t, want, metric.Sum().DataPoints().At(0).Attributes().AsRaw())
	}
}

func TestGauges(t *testing.T) {
	m := newMetrics(false, 10)
	m.Gauge(ops("processing")).OldestAge = 60
	m.ResetGauges()
	metric := find(t, m.Build(begin, false), "jira.issue.oldest_age")
	assert.Zero(t, metric.Gauge().DataPoints().At(0).DoubleValue())
}
